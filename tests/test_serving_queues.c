/* The waiting heap and the lists of instances against plain arrays. */
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "serving/instance_list.h"
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

static weir_task *make_tasks(void)
{
	weir_task *tasks = weir_allocate(TASKS, sizeof *tasks);
	ck_assert_ptr_nonnull(tasks);
	return tasks;
}

START_TEST(waiting_heap_gives_the_earliest)
{
	weir_task *tasks = make_tasks();
	gsl_rng *draws = weir_stream_create(6, "test", 0);
	weir_waiting_heap heap;
	weir_waiting_init(&heap);
	for (uint64_t step = 0; step < 100000; step++) {
		uint32_t task = (uint32_t)gsl_rng_uniform_int(draws, step < 50000 ? TASKS : 20);
		if (tasks[task].waiting) {
			weir_waiting_remove(&heap, tasks, task);
		} else {
			/* Some come in order, some earlier. */
			double latest = (double)(step / 400);
			tasks[task].arrival =
			    gsl_rng_uniform(draws) < 0.6 ? latest : floor(latest * gsl_rng_uniform(draws));
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
		ck_assert_uint_eq(weir_waiting_first(&heap, tasks), first);
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
	tcase_add_test(tests, waiting_heap_gives_the_earliest);
	tcase_add_test(tests, instance_list_gives_the_first_minimum);
	tcase_add_test(tests, instance_list_takes_turns);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
