/* Sizes by exponential smoothing; the formulas are tested in test_scaling_forecast.c. */
#include "scaling/policy_holt_winters.h"

#include "support/pool_views.h"
#include "support/test_support.h"

static weir_status open_bench(pool_bench *bench, const char *json, double interval,
                              double boot_delay)
{
	return pool_bench_open(
	    bench, &weir_policy_holt_winters, &weir_holt_winters_keys, json,
	    (pool_setting){.tag = WEIR_TAG_PROMPT, .interval = interval, .boot_delay = boot_delay});
}

/* The size wanted after the last of these demands, a tick each; the pool keeps one instance. */
static int64_t size_after(const char *json, double boot_delay, const int64_t *requests,
                          size_t count)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench, json, 10, boot_delay), &bench.error);
	int64_t size = 0;
	for (size_t i = 0; i < count; i++) {
		bench.pool->requests = requests[i];
		weir_decision decision = pool_bench_tick(&bench, 10 * (double)i);
		size = pool_bench_size_after(&bench, &decision);
	}
	pool_bench_close(&bench);
	return size;
}

#define HOLT "\"alpha\": 0.5, \"beta\": 0.25, \"phi\": 1, \"target_concurrency\": 5"

/* 10, 12, 16: level 15, trend 2.25. */
START_TEST(looks_ahead_by_the_boot_delay_and_the_margin)
{
	const int64_t rising[] = {10, 12, 16};
	/* 17.25, 19.5, 21.75 requests after 1, 2, 3 steps */
	ck_assert_int_eq(size_after("{" HOLT "}", 10, rising, 3), 4);
	ck_assert_int_eq(size_after("{" HOLT "}", 20, rising, 3), 4);
	ck_assert_int_eq(size_after("{" HOLT "}", 30, rising, 3), 5);
	ck_assert_int_eq(size_after("{" HOLT "}", 20.5, rising, 3), 5);
	ck_assert_int_eq(size_after("{" HOLT ", \"margin\": 10}", 20, rising, 3), 5);
	/* at least one step */
	ck_assert_int_eq(size_after("{" HOLT "}", 0, rising, 3), 4);
}
END_TEST

START_TEST(does_not_shrink_before_the_time)
{
	const int64_t falling[] = {40, 20};
	/* level 20, trend -20: nothing is left in a step, but 20 requests are there now */
	ck_assert_int_eq(size_after("{" HOLT "}", 30, falling, 2), 4);
}
END_TEST

/* 10, 10, 50, 10 twice: the next ones are 10, 10, 50. */
START_TEST(sees_a_peak_of_the_season_coming)
{
	const int64_t twice[] = {10, 10, 50, 10, 10, 10, 50, 10};
	const char json[] = "{\"period\": 40, \"target_concurrency\": 10, \"phi\": 1}";
	ck_assert_int_eq(size_after(json, 20, twice, 8), 1);
	ck_assert_int_eq(size_after(json, 30, twice, 8), 5);
	/* nor is it passed over by looking beyond it */
	ck_assert_int_eq(size_after(json, 40, twice, 8), 5);
}
END_TEST

START_TEST(token_rates)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench,
	                        "{\"demand\": \"tokens\", \"target_tokens\": 100, \"phi\": 1,"
	                        " \"alpha\": 0.5, \"beta\": 0.5}",
	                        10, 20),
	             &bench.error);
	bench.view.prompt_tokens_arrived = 1e9;
	ck_assert_uint_eq(pool_bench_tick(&bench, 0).count, 0); /* no rate yet */
	bench.view.prompt_tokens_arrived = 1000;
	pool_bench_tick(&bench, 10);
	bench.view.prompt_tokens_arrived = 2000;
	/* 100/s, 200/s: 400/s in two steps */
	weir_decision decision = pool_bench_tick(&bench, 20);
	ck_assert_int_eq(pool_bench_size_after(&bench, &decision), 4);
	/* a view seen before says nothing */
	ck_assert_uint_eq(pool_bench_tick(&bench, 20).count, 0);
	pool_bench_close(&bench);
}
END_TEST

/* A request more a tick of 15 s, boot delay 120 s = 8 ticks: on a line the forecast is exact, so it
 * asks at tick 33, where 33 + 8 are more than 4 instances take; a reactive policy at 41. */
START_TEST(on_a_ramp_it_is_early_by_the_boot_delay)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench, "{\"phi\": 1, \"target_concurrency\": 10}", 15, 120),
	             &bench.error);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 4;
	ck_assert_int_eq(pool_bench_ramp(&bench), 33);
	pool_bench_close(&bench);
}
END_TEST

START_TEST(an_idle_pool_shrinks)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench, "{}", 15, 120), &bench.error);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 20;
	bench.pool->requests = 320;
	for (int tick = 0; tick < 10; tick++) {
		ck_assert_uint_eq(pool_bench_tick(&bench, 15 * tick).count, 0);
	}
	ck_assert_int_eq(pool_bench_idle(&bench, 150, 40), 1);
	pool_bench_close(&bench);
}
END_TEST

START_TEST(seasons_and_horizons_that_make_no_sense)
{
	const struct {
		const char *json, *where;
	} rows[] = {{"{\"period\": 25}", "period"},
	            {"{\"period\": 10}", "period"},
	            {"{\"period\": 1e6}", "period"},
	            {"{\"margin\": 1e6}", "margin"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		pool_bench bench;
		ck_assert_int_eq(open_bench(&bench, rows[i].json, 10, 20), WEIR_ERROR_INPUT);
		ck_assert_str_eq(bench.error.where, rows[i].where);
		pool_bench_close(&bench);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_holt_winters");
	TCase *tests = tcase_create("holt_winters");
	tcase_add_test(tests, looks_ahead_by_the_boot_delay_and_the_margin);
	tcase_add_test(tests, does_not_shrink_before_the_time);
	tcase_add_test(tests, sees_a_peak_of_the_season_coming);
	tcase_add_test(tests, token_rates);
	tcase_add_test(tests, on_a_ramp_it_is_early_by_the_boot_delay);
	tcase_add_test(tests, an_idle_pool_shrinks);
	tcase_add_test(tests, seasons_and_horizons_that_make_no_sense);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
