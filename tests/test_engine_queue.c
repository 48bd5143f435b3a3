#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/engine_oracle.h"
#include "support/test_support.h"

static weir_event numbered(uint64_t number)
{
	return (weir_event){.data = number};
}

static uint64_t pop_number(weir_engine *engine)
{
	weir_event event = {0};
	ck_assert(weir_engine_pop(engine, &event));
	return event.data;
}

START_TEST(small_populations_equal_a_sorted_list)
{
	engine_against_oracle(1, 700000, 4);
	engine_against_oracle(2, 700000, 20);
	engine_against_oracle(3, 700000, 300);
}
END_TEST

START_TEST(large_populations_equal_a_sorted_list)
{
	engine_against_oracle(4, 300000, 5000);
	engine_against_oracle(5, 150000, 30000);
}
END_TEST

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;
	return (a > b) - (a < b);
}

START_TEST(half_a_million_pending_come_out_sorted)
{
	enum { COUNT = 500000 };
	gsl_rng *random = weir_stream_create(1, "large", 0);
	weir_engine *engine = weir_engine_create();
	double *times = calloc(COUNT, sizeof *times);
	for (size_t i = 0; i < COUNT; i++) {
		times[i] = gsl_rng_uniform_pos(random);
		weir_engine_schedule(engine, times[i], 0, numbered(i));
	}
	qsort(times, COUNT, sizeof *times, compare_doubles);
	size_t wrong = 0;
	for (size_t i = 0; i < COUNT; i++) {
		weir_event event;
		wrong += !weir_engine_pop(engine, &event) || weir_engine_now(engine) != times[i];
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(weir_engine_get_counts(engine).pending_high_water, COUNT);
	free(times);
	weir_engine_destroy(engine);
	gsl_rng_free(random);
}
END_TEST

START_TEST(equal_times_run_by_class_then_first_in_first_out)
{
	weir_engine *engine = weir_engine_create();
	weir_engine_schedule(engine, 5.0, 2, numbered(20));
	weir_engine_schedule(engine, 5.0, 0, numbered(0));
	weir_engine_schedule(engine, 5.0, 2, numbered(21));
	weir_engine_schedule(engine, 5.0, 1, numbered(10));
	weir_engine_schedule(engine, 5.0, 0, numbered(1));
	ck_assert_uint_eq(pop_number(engine), 0);
	/* At the current time: behind what waits in its class, ahead of the later classes. */
	weir_engine_schedule(engine, 5.0, 2, numbered(22));
	weir_engine_schedule(engine, 5.0, 0, numbered(2));
	ck_assert_uint_eq(pop_number(engine), 1);
	ck_assert_uint_eq(pop_number(engine), 2);
	weir_engine_schedule(engine, 5.0, 1, numbered(11));
	ck_assert_uint_eq(pop_number(engine), 10);
	ck_assert_uint_eq(pop_number(engine), 11);
	ck_assert_uint_eq(pop_number(engine), 20);
	weir_engine_schedule(engine, 5.0, 0, numbered(3));
	ck_assert_uint_eq(pop_number(engine), 3);
	ck_assert_uint_eq(pop_number(engine), 21);
	ck_assert_uint_eq(pop_number(engine), 22);
	weir_engine_destroy(engine);
}
END_TEST

START_TEST(a_rescheduled_event_counts_as_newly_scheduled)
{
	weir_engine *engine = weir_engine_create();
	weir_event_handle first = weir_engine_schedule(engine, 1.0, 0, numbered(1));
	weir_engine_schedule(engine, 1.0, 0, numbered(2));
	ck_assert(weir_engine_reschedule(engine, first, 1.0));
	ck_assert_uint_eq(pop_number(engine), 2);
	/* From the heap to the lane of the current time, within it, and out of it again. */
	weir_engine_schedule(engine, 1.0, 0, numbered(3));
	ck_assert(weir_engine_reschedule(engine, first, 1.0));
	weir_event_handle fourth = weir_engine_schedule(engine, 1.0, 0, numbered(4));
	ck_assert(weir_engine_reschedule(engine, first, 1.0));
	ck_assert(weir_engine_reschedule(engine, fourth, 2.0));
	ck_assert_uint_eq(pop_number(engine), 3);
	ck_assert_uint_eq(pop_number(engine), 1);
	ck_assert_uint_eq(pop_number(engine), 4);
	ck_assert_double_eq(weir_engine_now(engine), 2.0);
	weir_engine_destroy(engine);
}
END_TEST

START_TEST(handles_go_stale_and_zero_names_none)
{
	weir_engine *engine = weir_engine_create();
	weir_event_handle zero = {0, 0};
	ck_assert(!weir_engine_is_pending(engine, zero));
	weir_event_handle first = weir_engine_schedule(engine, 1.0, 0, numbered(1));
	ck_assert(!weir_engine_is_pending(engine, zero));
	ck_assert(weir_engine_cancel(engine, first));
	weir_event_handle second = weir_engine_schedule(engine, 1.0, 0, numbered(2));
	ck_assert(!weir_engine_cancel(engine, first));
	ck_assert(!weir_engine_is_pending(engine, (weir_event_handle){1000000, 1}));
	ck_assert(weir_engine_is_pending(engine, second));
	weir_engine_reset(engine);
	ck_assert(!weir_engine_is_pending(engine, second));
	weir_engine_schedule(engine, 1.0, 0, numbered(3));
	ck_assert(!weir_engine_is_pending(engine, second));
	ck_assert_uint_eq(pop_number(engine), 3);
	weir_engine_destroy(engine);
	weir_engine_destroy(NULL);
}
END_TEST

START_TEST(reset_leaves_an_empty_engine_at_time_zero)
{
	weir_engine *engine = weir_engine_create();
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 1000; i++) {
			weir_engine_schedule(engine, (double)(i % 7), (unsigned)(i % 4), numbered(i));
		}
		for (uint64_t i = 0; i < 500; i++) {
			pop_number(engine);
		}
		weir_engine_reset(engine);
		weir_event event;
		ck_assert(!weir_engine_pop(engine, &event));
		ck_assert_double_eq(weir_engine_now(engine), 0.0);
		ck_assert(isinf(weir_engine_next_time(engine)));
		weir_engine_counts counts = weir_engine_get_counts(engine);
		ck_assert_uint_eq(
		    counts.scheduled + counts.executed + counts.pending + counts.pending_high_water, 0);
		weir_engine_schedule(engine, 0.5, 0, numbered(1));
		ck_assert_double_eq(weir_engine_next_time(engine), 0.5);
		ck_assert_uint_eq(pop_number(engine), 1);
		weir_engine_reset(engine);
	}
	weir_engine_destroy(engine);
}
END_TEST

START_TEST(negative_zero_is_time_zero)
{
	weir_engine *engine = weir_engine_create();
	weir_engine_advance(engine, -0.0);
	ck_assert(!signbit(weir_engine_now(engine)));
	weir_engine_schedule(engine, 0.0, 0, numbered(1));
	weir_engine_schedule(engine, -0.0, 0, numbered(2));
	weir_engine_schedule(engine, 1.0, 0, numbered(3));
	ck_assert_uint_eq(pop_number(engine), 1);
	ck_assert_uint_eq(pop_number(engine), 2);
	ck_assert_uint_eq(pop_number(engine), 3);
	weir_engine_destroy(engine);
}
END_TEST

START_TEST(copies_go_separate_ways)
{
	weir_engine *engine = weir_engine_create();
	weir_engine *copy = weir_engine_create();
	for (uint64_t i = 0; i < 3000; i++) {
		weir_engine_schedule(copy, 1.0 + (double)i, 0, numbered(9));
	}
	weir_engine_schedule(engine, 1.0, 0, numbered(1));
	weir_event_handle second = weir_engine_schedule(engine, 2.0, 0, numbered(2));
	ck_assert_int_eq(weir_engine_copy(copy, engine), WEIR_OK);
	ck_assert(weir_engine_cancel(engine, second));
	ck_assert(weir_engine_reschedule(copy, second, 0.5));
	ck_assert_uint_eq(pop_number(copy), 2);
	ck_assert_uint_eq(pop_number(copy), 1);
	ck_assert(isinf(weir_engine_next_time(copy)));
	ck_assert_uint_eq(pop_number(engine), 1);
	ck_assert(isinf(weir_engine_next_time(engine)));
	ck_assert_int_eq(weir_engine_copy(copy, copy), WEIR_OK);
	weir_engine_destroy(engine);
	weir_engine_destroy(copy);
}
END_TEST

typedef struct event_chain {
	weir_engine *engine;
	uint64_t run, stop_at;
} event_chain;

/* Each event schedules the next one 0.5 s later. */
static bool next_in_chain(void *context, double now, const weir_event *event)
{
	event_chain *chain = context;
	ck_assert_double_eq(now, weir_engine_now(chain->engine));
	ck_assert_uint_eq(event->data, chain->run);
	chain->run++;
	weir_engine_schedule(chain->engine, now + 0.5, 0, numbered(chain->run));
	return chain->run != chain->stop_at;
}

START_TEST(run_ends_at_its_time_or_at_the_handlers_word)
{
	weir_engine *engine = weir_engine_create();
	event_chain chain = {.engine = engine, .stop_at = 7};
	weir_engine_schedule(engine, 0.0, 0, numbered(0));
	ck_assert_uint_eq(weir_engine_run(engine, 2.0, next_in_chain, &chain), 5);
	ck_assert_double_eq(weir_engine_now(engine), 2.0);
	ck_assert_uint_eq(weir_engine_run(engine, 2.4, next_in_chain, &chain), 0);
	ck_assert_uint_eq(weir_engine_run(engine, (double)INFINITY, next_in_chain, &chain), 2);
	ck_assert_double_eq(weir_engine_now(engine), 3.0);
	weir_engine_advance(engine, 3.25);
	ck_assert_double_eq(weir_engine_next_time(engine), 3.5);
	weir_engine_destroy(engine);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine/queue");
	TCase *tests = tcase_create("queue");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, small_populations_equal_a_sorted_list);
	tcase_add_test(tests, large_populations_equal_a_sorted_list);
	tcase_add_test(tests, half_a_million_pending_come_out_sorted);
	tcase_add_test(tests, equal_times_run_by_class_then_first_in_first_out);
	tcase_add_test(tests, a_rescheduled_event_counts_as_newly_scheduled);
	tcase_add_test(tests, handles_go_stale_and_zero_names_none);
	tcase_add_test(tests, reset_leaves_an_empty_engine_at_time_zero);
	tcase_add_test(tests, negative_zero_is_time_zero);
	tcase_add_test(tests, copies_go_separate_ways);
	tcase_add_test(tests, run_ends_at_its_time_or_at_the_handlers_word);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
