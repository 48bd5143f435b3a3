/* Sizes by time. */
#include "scaling/policy_schedule.h"

#include <stdlib.h>
#include <string.h>

#include "support/pool_views.h"
#include "support/test_support.h"

static const pool_setting token = {.tag = WEIR_TAG_TOKEN, .interval = 1, .boot_delay = 10};

/* 9 from 10 s, 2 from 20.5 s, 5 from 100 s. */
static const char once[] = "{\"token\": [{\"at\": 10, \"size\": 9}, {\"at\": 20.5, \"size\": 2},"
                           " {\"at\": 100, \"size\": 5}]}";
static const char daily[] = "{\"period\": 200, \"token\": [{\"at\": 10, \"size\": 9},"
                            " {\"at\": 20.5, \"size\": 2}, {\"at\": 100, \"size\": 5}]}";

START_TEST(sizes_change_at_their_times)
{
	pool_bench bench;
	ck_assert_ok(pool_bench_open(&bench, &weir_policy_schedule, &weir_schedule_keys, once, token),
	             &bench.error);
	ck_assert_double_eq(weir_policy_schedule.interval, 1);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 4;
	for (int second = 0; second < 300; second++) {
		weir_decision decision = pool_bench_tick(&bench, second);
		int64_t expected = second < 10 ? 4 : second < 21 ? 9 : second < 100 ? 2 : 5;
		ck_assert_int_eq(pool_bench_size_after(&bench, &decision), expected);
	}
	/* Booting instances count, draining ones do not; what is there is not asked for. */
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 3;
	bench.pool->count[WEIR_INSTANCE_SCALING_UP] = 2;
	bench.pool->count[WEIR_INSTANCE_DRAINING] = 7;
	ck_assert_uint_eq(pool_bench_tick(&bench, 300).count, 0);
	bench.pool->count[WEIR_INSTANCE_SCALING_UP] = 1;
	ck_assert_uint_eq(pool_bench_tick(&bench, 301).count, 1);
	pool_bench_close(&bench);
}
END_TEST

START_TEST(a_day_repeats)
{
	pool_bench bench;
	ck_assert_ok(pool_bench_open(&bench, &weir_policy_schedule, &weir_schedule_keys, daily, token),
	             &bench.error);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 4;
	for (int second = 0; second < 1000; second++) {
		weir_decision decision = pool_bench_tick(&bench, second);
		int at = second % 200;
		int64_t expected = at < 10 ? 5 : at < 21 ? 9 : at < 100 ? 2 : 5;
		ck_assert_int_eq(pool_bench_size_after(&bench, &decision), expected);
	}
	pool_bench_close(&bench);
}
END_TEST

START_TEST(a_pool_without_a_list_is_left_alone)
{
	pool_bench bench;
	pool_setting prompt = token;
	prompt.tag = WEIR_TAG_PROMPT;
	ck_assert_ok(pool_bench_open(&bench, &weir_policy_schedule, &weir_schedule_keys, daily, prompt),
	             &bench.error);
	for (int second = 0; second < 250; second++) {
		ck_assert_uint_eq(pool_bench_tick(&bench, second).count, 0);
	}
	pool_bench_close(&bench);
}
END_TEST

START_TEST(never_below_the_least_of_the_pool)
{
	pool_bench bench;
	ck_assert_ok(pool_bench_open(&bench, &weir_policy_schedule, &weir_schedule_keys,
	                             "{\"token\": [{\"at\": 0, \"size\": 0}]}", token),
	             &bench.error);
	bench.scaling.min_instances_per_pool = 2;
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 6;
	weir_decision decision = pool_bench_tick(&bench, 1);
	ck_assert_int_eq(pool_bench_size_after(&bench, &decision), 2);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 2;
	ck_assert_uint_eq(pool_bench_tick(&bench, 2).count, 0);
	pool_bench_close(&bench);
}
END_TEST

/* Against a walk from the start, for a list as a search makes it. */
START_TEST(long_lists_are_searched)
{
	enum { CHANGES = 10000 };
	weir_schedule_change *changes = weir_allocate(CHANGES, sizeof *changes);
	for (size_t i = 0; i < CHANGES; i++) {
		changes[i] = (weir_schedule_change){.at = 7 + 8.64 * (double)i, .size = (int64_t)(i % 97)};
	}
	weir_schedule_config config = {0};
	for (size_t count = 0; count <= CHANGES; count += count < 5 ? 1 : 1999) {
		config.pools[WEIR_TAG_MIXED] = (weir_key_list){.count = count, .items = changes};
		size_t passed = 0;
		for (int second = 0; second < 86400; second += 13) {
			while (passed < count && changes[passed].at <= second) {
				passed++;
			}
			int64_t expected = passed > 0 ? changes[passed - 1].size : -1;
			ck_assert_int_eq(weir_schedule_size(&config, WEIR_TAG_MIXED, second), expected);
		}
	}
	free(changes);
}
END_TEST

START_TEST(lists_that_make_no_sense_are_refused)
{
	weir_error error;
	ck_assert(pool_parameters_refused(
	    &weir_schedule_keys, "{\"mixed\": [{\"at\": 5, \"size\": 1}, {\"at\": 5, \"size\": 2}]}",
	    &error));
	ck_assert_ptr_nonnull(strstr(error.where, "mixed[1].at"));
	ck_assert(pool_parameters_refused(
	    &weir_schedule_keys, "{\"period\": 60, \"prompt\": [{\"at\": 60, \"size\": 1}]}", &error));
	ck_assert_ptr_nonnull(strstr(error.where, "prompt[0].at"));
	ck_assert(pool_parameters_refused(&weir_schedule_keys,
	                                  "{\"prompt\": [{\"at\": -1, \"size\": 1}]}", &error));
	ck_assert(pool_parameters_refused(&weir_schedule_keys, "{\"prompt\": [{\"at\": 1}]}", &error));

	/* The same when a program made the list. */
	weir_schedule_change back[] = {{9, 1}, {8, 2}};
	weir_schedule_config config = {.pools = {[WEIR_TAG_PROMPT] = {2, back}}};
	weir_policy_context context = {.parameters = &config, .tags = 1u << WEIR_TAG_PROMPT};
	ck_assert_int_eq(weir_policy_schedule.start(&context, NULL, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "prompt[1].at");
	context.tags = 1u << WEIR_TAG_TOKEN;
	ck_assert_ok(weir_policy_schedule.start(&context, NULL, &error), &error);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_schedule");
	TCase *tests = tcase_create("schedule");
	tcase_add_test(tests, sizes_change_at_their_times);
	tcase_add_test(tests, a_day_repeats);
	tcase_add_test(tests, a_pool_without_a_list_is_left_alone);
	tcase_add_test(tests, never_below_the_least_of_the_pool);
	tcase_add_test(tests, long_lists_are_searched);
	tcase_add_test(tests, lists_that_make_no_sense_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
