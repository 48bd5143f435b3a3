/* The pending queue against a plain array that is bisected at once. */
#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "serving/pending_queue.h"
#include "support/test_support.h"

/* A queue, its array, and the tasks that are in neither. */
typedef struct pair {
	weir_pending_queue queue;
	weir_task *tasks;
	uint32_t *plain, *idle;
	uint32_t task_count, plain_count, idle_count;
	int64_t passes;
	uint32_t told_young; /* times that the head's youth was told without playback */
	gsl_rng *draws;
} pair;

static pair pair_create(uint32_t task_count, uint64_t seed)
{
	pair p = {.task_count = task_count, .idle_count = task_count};
	weir_pending_init(&p.queue);
	p.tasks = weir_allocate(task_count, sizeof *p.tasks);
	p.plain = weir_allocate(task_count, sizeof *p.plain);
	p.idle = weir_allocate(task_count, sizeof *p.idle);
	p.draws = weir_stream_create(seed, "test", 0);
	ck_assert(p.tasks != NULL && p.plain != NULL && p.idle != NULL && p.draws != NULL);
	for (uint32_t i = 0; i < task_count; i++) {
		p.idle[i] = i;
	}
	return p;
}

static void pair_destroy(pair *p)
{
	weir_pending_release(&p->queue);
	free(p->tasks);
	free(p->plain);
	free(p->idle);
	gsl_rng_free(p->draws);
}

static uint32_t below(pair *p, uint32_t limit)
{
	return (uint32_t)gsl_rng_uniform_int(p->draws, limit);
}

static bool chance(pair *p, double probability)
{
	return gsl_rng_uniform(p->draws) < probability;
}

static void plain_insert(pair *p, uint32_t position, uint32_t task)
{
	memmove(&p->plain[position + 1], &p->plain[position],
	        (p->plain_count - position) * sizeof p->plain[0]);
	p->plain[position] = task;
	p->plain_count++;
}

static void plain_remove(pair *p, uint32_t position)
{
	p->plain_count--;
	memmove(&p->plain[position], &p->plain[position + 1],
	        (p->plain_count - position) * sizeof p->plain[0]);
}

static uint32_t plain_bisect(const pair *p, uint32_t task)
{
	uint32_t low = 0;
	uint32_t high = p->plain_count;
	int64_t age = weir_task_age(&p->tasks[task], p->passes);
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		const weir_task *other = &p->tasks[p->plain[middle]];
		int64_t other_age = weir_task_age(other, p->passes);
		if (age < other_age || (age == other_age && p->tasks[task].arrival < other->arrival)) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

/* Takes the least recently idle of a few, so that tasks come back at once and after long. */
static uint32_t pick_idle(pair *p)
{
	uint32_t at = p->idle_count - 1 - below(p, p->idle_count < 50 ? p->idle_count : 50);
	uint32_t task = p->idle[at];
	p->idle[at] = p->idle[--p->idle_count];
	return task;
}

static void draw_task(pair *p, uint32_t task, bool first, uint32_t ages)
{
	p->tasks[task].first = first;
	p->tasks[task].age = first ? (int64_t)below(p, ages) - p->passes : 0;
	p->tasks[task].need = 50 + below(p, 1000);
	p->tasks[task].tokens = (int32_t)below(p, 1000);
	p->tasks[task].arrival = below(p, 50);
}

static void arrive(pair *p)
{
	uint32_t task = pick_idle(p);
	draw_task(p, task, chance(p, 0.6), 5);
	if (chance(p, 0.95)) {
		plain_insert(p, plain_bisect(p, task), task);
		weir_pending_insert(&p->queue, p->tasks, task, p->passes);
	} else {
		plain_insert(p, p->plain_count, task);
		weir_pending_append(&p->queue, p->tasks, task);
	}
}

static void put_back(pair *p, uint32_t task)
{
	plain_insert(p, plain_bisect(p, task), task);
	weir_pending_put_back(&p->queue, p->tasks, task, p->passes);
}

static void remove_at(pair *p, uint32_t position)
{
	uint32_t task = p->plain[position];
	plain_remove(p, position);
	weir_pending_remove(&p->queue, p->tasks, task);
	/* Whoever has the task now may do with it what he likes. */
	memset(&p->tasks[task], 0x5a, sizeof p->tasks[task]);
	p->idle[p->idle_count++] = task;
}

static void start_aging(pair *p, uint32_t position)
{
	if (!p->tasks[p->plain[position]].first) {
		weir_pending_start_aging(&p->queue, p->tasks, p->plain[position], p->passes);
		ck_assert_int_eq(weir_task_age(&p->tasks[p->plain[position]], p->passes), 0);
	}
}

static void check_query(const pair *p, weir_pending_queue *queue, uint32_t from,
                        const weir_pending_query *query)
{
	uint32_t expected = from;
	while (expected < p->plain_count) {
		const weir_task *task = &p->tasks[p->plain[expected]];
		bool young = !task->first || weir_task_age(task, p->passes) < query->young;
		if (young || task->need <= query->bytes_free || task->tokens > query->tokens_left) {
			break;
		}
		expected++;
	}
	uint32_t position = WEIR_NONE;
	uint32_t found = weir_pending_find(queue, from, query, &position);
	if (expected >= p->plain_count) {
		ck_assert_uint_eq(found, WEIR_NONE);
	} else {
		ck_assert_uint_eq(position, expected);
		ck_assert_uint_eq(found, p->plain[expected]);
	}
}

static void check_find(pair *p, weir_pending_queue *queue, uint32_t from)
{
	const weir_pending_query query = {
	    .passes = p->passes,
	    .young = below(p, 8),
	    .bytes_free = below(p, 60),
	    .tokens_left = below(p, 1200),
	};
	check_query(p, queue, from, &query);
}

/* Every task at its position: with these limits all of them match. */
static void check_all(const pair *p, weir_pending_queue *queue)
{
	const weir_pending_query any = {.bytes_free = INT64_MAX};
	ck_assert_uint_eq(weir_pending_count(queue), p->plain_count);
	for (uint32_t i = 0; i < p->plain_count; i++) {
		uint32_t position;
		ck_assert_uint_eq(weir_pending_find(queue, i, &any, &position), p->plain[i]);
		ck_assert_uint_eq(position, i);
	}
}

static void check_first(const pair *p, weir_pending_queue *queue)
{
	ck_assert_uint_eq(weir_pending_count(queue), p->plain_count);
	ck_assert_uint_eq(weir_pending_first(queue), p->plain_count > 0 ? p->plain[0] : WEIR_NONE);
}

START_TEST(insertion_is_bisection)
{
	pair p = pair_create(5000, 5);
	for (int step = 0; step < 200000; step++) {
		/* The queue grows to thousands and shrinks to nothing by turns. */
		bool grow = chance(&p, step / 20000 % 2 == 0 ? 0.7 : 0.25);
		if (grow && p.idle_count > 0) {
			arrive(&p);
		} else if (p.plain_count > 0) {
			remove_at(&p, below(&p, p.plain_count));
		}
		p.passes += chance(&p, 0.3);
		if (p.plain_count > 0 && chance(&p, 0.2)) {
			start_aging(&p, below(&p, p.plain_count));
		}
		check_first(&p, &p.queue);
		check_find(&p, &p.queue, below(&p, p.plain_count + 2));
	}
	pair_destroy(&p);
}
END_TEST

/* Batches of tasks are put back and taken again, whole or in part, seen or unseen. */
static void preempt_batch(pair *p, uint32_t *batch)
{
	enum { LARGEST = 64 };
	uint32_t size = 0;
	uint32_t wanted = below(p, LARGEST);
	while (size < wanted && p->idle_count > 0) {
		uint32_t task = pick_idle(p);
		draw_task(p, task, true, 40);
		p->tasks[task].need = 0;
		put_back(p, task);
		batch[size++] = task;
	}
	p->passes += chance(p, 0.7);
	while (p->plain_count > 0 && chance(p, 0.4)) {
		remove_at(p, chance(p, 0.3) ? 0 : below(p, p->plain_count));
	}
	while (p->plain_count > 0 && chance(p, 0.5)) {
		start_aging(p, below(p, p->plain_count));
	}
	p->passes += chance(p, 0.5);
	int64_t young = below(p, 8);
	if (weir_pending_head_is_young(&p->queue, p->passes, young)) {
		ck_assert_uint_gt(p->plain_count, 0);
		ck_assert_int_lt(weir_task_age(&p->tasks[p->plain[0]], p->passes), young);
		p->told_young++;
	}
	if (chance(p, 0.3)) {
		check_find(p, &p->queue, chance(p, 0.9) ? 0 : below(p, p->plain_count + 1));
	}
	if (chance(p, 0.1)) {
		check_first(p, &p->queue);
	}
	while (p->idle_count > 0 && chance(p, 0.3)) {
		arrive(p);
	}
	uint32_t stay = chance(p, 0.7) ? 0 : below(p, size + 1);
	for (uint32_t i = 0; i + stay < size; i++) {
		uint32_t at = 0;
		while (at < p->plain_count && p->plain[at] != batch[i]) {
			at++;
		}
		/* It may have been removed above. */
		if (at < p->plain_count) {
			remove_at(p, at);
		}
	}
}

START_TEST(tasks_put_back_make_the_difference_they_should)
{
	pair p = pair_create(4000, 8);
	uint32_t batch[64];
	for (int round = 0; round < 6000; round++) {
		/* Long and short queues by turns; in short ones the head changes often. */
		uint32_t target = round / 500 % 3 == 0 ? 3000 : round / 500 % 3 == 1 ? 300 : 3;
		while (p.plain_count < target && p.idle_count > 0) {
			arrive(&p);
		}
		while (p.plain_count > target) {
			remove_at(&p, below(&p, p.plain_count));
		}
		preempt_batch(&p, batch);
		ck_assert_uint_eq(weir_pending_count(&p.queue), p.plain_count);
		if (round % 100 == 0) {
			check_all(&p, &p.queue);
		}
	}
	ck_assert_uint_gt(p.told_young, 1000);
	pair_destroy(&p);
}
END_TEST

START_TEST(a_head_that_starts_to_age_grows_old)
{
	pair p = pair_create(10, 12);
	uint32_t chained = pick_idle(&p);
	draw_task(&p, chained, false, 1);
	weir_pending_insert(&p.queue, p.tasks, chained, p.passes);
	uint32_t preempted = pick_idle(&p);
	draw_task(&p, preempted, true, 1);
	p.tasks[preempted].age = 30;
	weir_pending_put_back(&p.queue, p.tasks, preempted, p.passes);
	p.passes += 100;
	ck_assert(weir_pending_head_is_young(&p.queue, p.passes, 1));
	weir_pending_start_aging(&p.queue, p.tasks, chained, p.passes);
	p.passes += 5;
	ck_assert(weir_pending_head_is_young(&p.queue, p.passes, 6));
	ck_assert(!weir_pending_head_is_young(&p.queue, p.passes, 5));
	pair_destroy(&p);
}
END_TEST

/* A few in a long queue that a walk stops at, for one reason each; they come and go. */
START_TEST(find_passes_over_what_does_not_match)
{
	enum { LONG = 20000, OLD = 50 };
	pair p = pair_create(LONG, 13);
	for (int round = 0; round < 1500; round++) {
		while (p.plain_count < LONG - 100 + (uint32_t)(round % 100)) {
			uint32_t task = pick_idle(&p);
			draw_task(&p, task, chance(&p, 0.9999), 1);
			p.tasks[task].age += p.tasks[task].first ? OLD + below(&p, 50) : 0;
			/* One of them in what the first split moves away. */
			p.tasks[task].need = p.plain_count == 100 || chance(&p, 0.0001) ? 0 : 1000;
			p.tasks[task].tokens = chance(&p, 0.0001) ? 1000 : 1;
			/* Arrivals as well, but at first the array would take long to bisect. */
			if (round > 0) {
				plain_insert(&p, plain_bisect(&p, task), task);
				weir_pending_insert(&p.queue, p.tasks, task, p.passes);
			} else {
				plain_insert(&p, p.plain_count, task);
				weir_pending_append(&p.queue, p.tasks, task);
			}
		}
		uint32_t from = chance(&p, 0.5) ? 0 : below(&p, p.plain_count);
		const weir_pending_query query = {
		    .passes = p.passes, .young = OLD, .bytes_free = 10, .tokens_left = 10};
		check_query(&p, &p.queue, from, &query);
		/* Away with the first match, and with some others. */
		uint32_t position;
		if (weir_pending_find(&p.queue, 0, &query, &position) != WEIR_NONE) {
			remove_at(&p, position);
		}
		remove_at(&p, below(&p, p.plain_count));
	}
	pair_destroy(&p);
}
END_TEST

/* More changes in a row than the log holds. */
START_TEST(the_log_is_bounded)
{
	pair p = pair_create(3000, 9);
	while (p.plain_count < 1000) {
		arrive(&p);
	}
	for (int step = 0; step < 30000; step++) {
		if (p.idle_count > 0 && chance(&p, 0.6)) {
			uint32_t task = pick_idle(&p);
			draw_task(&p, task, true, 40);
			put_back(&p, task);
		} else if (p.plain_count > 500) {
			remove_at(&p, below(&p, p.plain_count));
		}
		p.passes += chance(&p, 0.1);
	}
	ck_assert_uint_lt(p.queue.log_capacity, 10000);
	check_all(&p, &p.queue);
	pair_destroy(&p);
}
END_TEST

START_TEST(a_copy_goes_its_own_way)
{
	pair p = pair_create(4000, 10);
	weir_pending_queue copy;
	weir_pending_init(&copy);
	uint32_t batch[64];
	for (int round = 0; round < 200; round++) {
		while (p.plain_count < 1 + 17u * (uint32_t)round && p.idle_count > 0) {
			arrive(&p);
		}
		for (int i = 0; i < 5; i++) {
			preempt_batch(&p, batch);
		}
		if (p.idle_count > 0) {
			/* In the middle of a log. */
			uint32_t task = pick_idle(&p);
			draw_task(&p, task, true, 40);
			put_back(&p, task);
		}
		ck_assert(weir_pending_copy(&copy, &p.queue));
		if (round % 2 == 0) {
			/* The copy goes on, and the other one makes room for the next copy. */
			weir_pending_queue other = p.queue;
			p.queue = copy;
			copy = other;
		}
		int64_t young = below(&p, 8);
		ck_assert_int_eq(weir_pending_head_is_young(&copy, p.passes, young),
		                 weir_pending_head_is_young(&p.queue, p.passes, young));
		check_all(&p, &copy);
		check_first(&p, &p.queue);
	}
	weir_pending_release(&copy);
	pair_destroy(&p);
}
END_TEST

/* Deep enough for branches of branches, and for their splits and merges. */
START_TEST(a_long_queue_is_the_array_as_well)
{
	enum { LONG = 300000 };
	pair p = pair_create(LONG, 11);
	/* Appended, as bisection in an array of this length would take the test too long. */
	while (p.plain_count < LONG - 2000) {
		uint32_t task = pick_idle(&p);
		draw_task(&p, task, chance(&p, 0.5), 40);
		p.plain[p.plain_count++] = task;
		weir_pending_append(&p.queue, p.tasks, task);
	}
	ck_assert_uint_ge(p.queue.tree.height, 2);
	size_t most = p.queue.tree.leaves.capacity;
	uint32_t batch[64];
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 15 && p.idle_count > 0; i++) {
			arrive(&p);
		}
		preempt_batch(&p, batch);
		check_find(&p, &p.queue, below(&p, p.plain_count));
	}
	check_all(&p, &p.queue);
	ck_assert_uint_le(p.queue.tree.leaves.capacity, 2 * most);
	/* From here and there to nothing: from the end, the start, and the middle. */
	while (p.plain_count > 0) {
		uint32_t run = p.plain_count < 400 ? (p.plain_count + 1) / 2 : 400;
		uint32_t start = below(&p, 3) * ((p.plain_count - run) / 2);
		for (uint32_t i = 0; i < run; i++) {
			weir_pending_remove(&p.queue, p.tasks, p.plain[start + i]);
		}
		p.plain_count -= run;
		memmove(&p.plain[start], &p.plain[start + run],
		        (p.plain_count - start) * sizeof p.plain[0]);
		check_first(&p, &p.queue);
		check_find(&p, &p.queue, below(&p, p.plain_count + 1));
		ck_assert(p.plain_count > 10 || p.queue.tree.height == 0);
	}
	ck_assert_uint_eq(p.queue.tree.root, WEIR_NONE);
	ck_assert_uint_eq(
	    p.queue.tree.leaves.taken + p.queue.tree.branches.taken + p.queue.tree.entries.taken, 0);
	pair_destroy(&p);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/pending");
	TCase *tests = tcase_create("pending");
	tcase_set_timeout(tests, 280);
	tcase_add_test(tests, insertion_is_bisection);
	tcase_add_test(tests, tasks_put_back_make_the_difference_they_should);
	tcase_add_test(tests, a_head_that_starts_to_age_grows_old);
	tcase_add_test(tests, find_passes_over_what_does_not_match);
	tcase_add_test(tests, the_log_is_bounded);
	tcase_add_test(tests, a_copy_goes_its_own_way);
	tcase_add_test(tests, a_long_queue_is_the_array_as_well);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
