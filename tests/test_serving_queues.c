/* The queues of an instance against plain arrays. */
#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "serving/instance_list.h"
#include "serving/pending_queue.h"
#include "serving/waiting_heap.h"
#include "support/test_support.h"

enum { TASKS = 3000 };

typedef struct plain_list {
	uint32_t items[TASKS];
	uint32_t count;
} plain_list;

static void plain_insert(plain_list *list, uint32_t position, uint32_t item)
{
	memmove(&list->items[position + 1], &list->items[position],
	        (list->count - position) * sizeof list->items[0]);
	list->items[position] = item;
	list->count++;
}

static void plain_remove(plain_list *list, uint32_t position)
{
	list->count--;
	memmove(&list->items[position], &list->items[position + 1],
	        (list->count - position) * sizeof list->items[0]);
}

static uint32_t plain_bisect(const plain_list *list, const weir_task *tasks, uint32_t task,
                             int64_t passes)
{
	uint32_t low = 0;
	uint32_t high = list->count;
	int64_t age = weir_task_age(&tasks[task], passes);
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int64_t other = weir_task_age(&tasks[list->items[middle]], passes);
		if (age < other ||
		    (age == other && tasks[task].arrival < tasks[list->items[middle]].arrival)) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

static weir_task *make_tasks(void)
{
	weir_task *tasks = weir_allocate(TASKS, sizeof *tasks);
	ck_assert_ptr_nonnull(tasks);
	return tasks;
}

static void check_find(const weir_pending_queue *queue, const plain_list *plain,
                       const weir_task *tasks, gsl_rng *draws, int64_t passes)
{
	const weir_pending_query query = {
	    .passes = passes,
	    .young = (int64_t)gsl_rng_uniform_int(draws, 8),
	    .bytes_free = (int64_t)gsl_rng_uniform_int(draws, 60),
	    .tokens_left = (int64_t)gsl_rng_uniform_int(draws, 1200),
	};
	uint32_t from = (uint32_t)gsl_rng_uniform_int(draws, plain->count + 2);
	uint32_t expected = from;
	while (expected < plain->count) {
		const weir_task *task = &tasks[plain->items[expected]];
		bool young = !task->first || weir_task_age(task, passes) < query.young;
		if (young || task->need <= query.bytes_free || task->tokens > query.tokens_left) {
			break;
		}
		expected++;
	}
	uint32_t position = WEIR_NONE;
	uint32_t found = weir_pending_find(queue, tasks, from, &query, &position);
	if (expected >= plain->count) {
		ck_assert_uint_eq(found, WEIR_NONE);
	} else {
		ck_assert_uint_eq(position, expected);
		ck_assert_uint_eq(found, plain->items[expected]);
	}
}

START_TEST(pending_queue_is_the_bisected_array)
{
	weir_task *tasks = make_tasks();
	plain_list *plain = weir_allocate(1, sizeof *plain);
	uint32_t *idle = weir_allocate(TASKS, sizeof *idle);
	ck_assert(plain != NULL && idle != NULL);
	uint32_t idle_count = TASKS;
	for (uint32_t i = 0; i < TASKS; i++) {
		idle[i] = i;
	}
	gsl_rng *draws = weir_stream_create(5, "test", 0);
	weir_pending_queue queue = {.root = WEIR_NONE};
	int64_t passes = 0;
	for (int step = 0; step < 200000; step++) {
		/* The queue grows to thousands and shrinks to nothing by turns. */
		bool grow =
		    step / 20000 % 2 == 0 ? gsl_rng_uniform(draws) < 0.7 : gsl_rng_uniform(draws) < 0.25;
		if (grow && idle_count > 0) {
			uint32_t pick = (uint32_t)gsl_rng_uniform_int(draws, idle_count);
			uint32_t task = idle[pick];
			idle[pick] = idle[--idle_count];
			tasks[task].first = gsl_rng_uniform(draws) < 0.8;
			tasks[task].age =
			    tasks[task].first ? (int64_t)gsl_rng_uniform_int(draws, 5) - passes : 0;
			tasks[task].need = (int64_t)(50 + gsl_rng_uniform_int(draws, 1000));
			tasks[task].tokens = (int32_t)gsl_rng_uniform_int(draws, 1000);
			tasks[task].arrival = (double)gsl_rng_uniform_int(draws, 50);
			if (gsl_rng_uniform(draws) < 0.9) {
				plain_insert(plain, plain_bisect(plain, tasks, task, passes), task);
				weir_pending_insert(&queue, tasks, task, passes);
			} else {
				plain_insert(plain, plain->count, task);
				weir_pending_append(&queue, tasks, task);
			}
		} else if (plain->count > 0) {
			uint32_t pick = (uint32_t)gsl_rng_uniform_int(draws, plain->count);
			uint32_t task = plain->items[pick];
			plain_remove(plain, pick);
			weir_pending_remove(&queue, tasks, task);
			idle[idle_count++] = task;
		}
		if (gsl_rng_uniform(draws) < 0.3) {
			passes++;
		}
		if (plain->count > 0 && gsl_rng_uniform(draws) < 0.2) {
			uint32_t task = plain->items[gsl_rng_uniform_int(draws, plain->count)];
			tasks[task].first = true;
			tasks[task].age = -passes;
			weir_pending_refresh(tasks, task);
		}
		ck_assert_uint_eq(weir_pending_count(&queue, tasks), plain->count);
		ck_assert_uint_eq(weir_pending_first(&queue, tasks),
		                  plain->count > 0 ? plain->items[0] : WEIR_NONE);
		check_find(&queue, plain, tasks, draws, passes);
	}
	gsl_rng_free(draws);
	free(tasks);
	free(plain);
	free(idle);
}
END_TEST

START_TEST(waiting_heap_gives_the_earliest)
{
	weir_task *tasks = make_tasks();
	gsl_rng *draws = weir_stream_create(6, "test", 0);
	weir_waiting_heap heap = {.root = WEIR_NONE};
	for (uint64_t step = 0; step < 100000; step++) {
		uint32_t task = (uint32_t)gsl_rng_uniform_int(draws, step < 50000 ? TASKS : 20);
		if (tasks[task].waiting) {
			weir_waiting_remove(&heap, tasks, task);
		} else {
			tasks[task].arrival = (double)gsl_rng_uniform_int(draws, 200);
			tasks[task].order = step;
			weir_waiting_push(&heap, tasks, task);
		}
		if (step % 50 != 0) {
			continue;
		}
		uint32_t first = WEIR_NONE;
		uint32_t count = 0;
		for (uint32_t i = 0; i < TASKS; i++) {
			if (!tasks[i].waiting) {
				continue;
			}
			count++;
			if (first == WEIR_NONE || tasks[i].arrival < tasks[first].arrival ||
			    (tasks[i].arrival == tasks[first].arrival && tasks[i].order < tasks[first].order)) {
				first = i;
			}
		}
		ck_assert_uint_eq(heap.count, count);
		ck_assert_uint_eq(heap.root, first);
	}
	gsl_rng_free(draws);
	free(tasks);
}
END_TEST

START_TEST(instance_list_gives_the_first_minimum)
{
	enum { INSTANCES = 200 };
	weir_list_entry entries[INSTANCES] = {{{0}, 0, 0, 0, 0, {0}}};
	plain_list *plain = weir_allocate(1, sizeof *plain);
	ck_assert_ptr_nonnull(plain);
	gsl_rng *draws = weir_stream_create(7, "test", 0);
	weir_instance_list list;
	weir_list_init(&list, 1u << WEIR_FIGURE_TOKENS | 1u << WEIR_FIGURE_BYTES);
	ck_assert(weir_list_reserve(&list, INSTANCES));
	bool member[INSTANCES] = {false};
	for (int step = 0; step < 100000; step++) {
		uint32_t id = (uint32_t)gsl_rng_uniform_int(draws, INSTANCES);
		weir_figure figure = gsl_rng_uniform(draws) < 0.5 ? WEIR_FIGURE_TOKENS : WEIR_FIGURE_BYTES;
		if (gsl_rng_uniform(draws) < 0.6) {
			entries[id].figures[figure] = (int64_t)gsl_rng_uniform_int(draws, 20);
			if (member[id]) {
				weir_list_update(&list, entries, id, figure);
			}
		} else if (member[id]) {
			uint32_t at = 0;
			while (plain->items[at] != id) {
				at++;
			}
			plain_remove(plain, at);
			weir_list_remove(&list, entries, id);
			member[id] = false;
		} else {
			plain_insert(plain, plain->count, id);
			weir_list_append(&list, entries, id);
			member[id] = true;
		}
		uint32_t least = plain->count > 0 ? plain->items[0] : WEIR_NONE;
		for (uint32_t i = 1; i < plain->count; i++) {
			if (entries[plain->items[i]].figures[figure] < entries[least].figures[figure]) {
				least = plain->items[i];
			}
		}
		ck_assert_uint_eq(weir_list_least(&list, figure), least);
		ck_assert_uint_eq(list.count, plain->count);
	}
	weir_list_release(&list);
	gsl_rng_free(draws);
	free(plain);
}
END_TEST

START_TEST(instance_list_takes_turns)
{
	weir_list_entry entries[4] = {{{0}, 0, 0, 0, 0, {0}}};
	weir_instance_list list;
	weir_list_init(&list, 0);
	ck_assert_uint_eq(weir_list_take_turn(&list, entries), WEIR_NONE);
	ck_assert(weir_list_reserve(&list, 4));
	for (uint32_t i = 0; i < 3; i++) {
		weir_list_append(&list, entries, i);
	}
	ck_assert_uint_eq(weir_list_take_turn(&list, entries), 0);
	weir_list_remove(&list, entries, 1);
	ck_assert_uint_eq(weir_list_take_turn(&list, entries), 2);
	ck_assert_uint_eq(weir_list_take_turn(&list, entries), 0);
	weir_list_append(&list, entries, 3);
	ck_assert_uint_eq(weir_list_take_turn(&list, entries), 2);
	ck_assert_uint_eq(weir_list_take_turn(&list, entries), 3);
	ck_assert_uint_eq(weir_list_take_turn(&list, entries), 0);
	weir_list_release(&list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/queues");
	TCase *tests = tcase_create("queues");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, pending_queue_is_the_bisected_array);
	tcase_add_test(tests, waiting_heap_gives_the_earliest);
	tcase_add_test(tests, instance_list_gives_the_first_minimum);
	tcase_add_test(tests, instance_list_takes_turns);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
