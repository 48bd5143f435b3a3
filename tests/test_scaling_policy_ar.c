/* Sizes by an autoregression; the fit is tested in test_scaling_forecast.c. */
#include "scaling/policy_ar.h"

#include <stdlib.h>
#include <string.h>

#include "support/pool_views.h"
#include "support/test_support.h"

static weir_status open_bench(pool_bench *bench, const char *json, double interval,
                              double boot_delay)
{
	return pool_bench_open(
	    bench, &weir_policy_ar, &weir_ar_keys, json,
	    (pool_setting){.tag = WEIR_TAG_TOKEN, .interval = interval, .boot_delay = boot_delay});
}

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

/* 0, 10, 20, 20: a = 1/2, c = 35/3; 21.7 after a step, 22.5 after two, 22.9 after three. */
START_TEST(looks_ahead_by_the_boot_delay_and_the_margin)
{
	const int64_t rising[] = {0, 10, 20, 20};
	ck_assert_int_eq(size_after("{\"order\": 1, \"target_concurrency\": 21.7}", 10, rising, 4), 1);
	ck_assert_int_eq(size_after("{\"order\": 1, \"target_concurrency\": 21.7}", 20, rising, 4), 2);
	ck_assert_int_eq(
	    size_after("{\"order\": 1, \"target_concurrency\": 22.6, \"margin\": 10}", 20, rising, 4),
	    2);
	ck_assert_int_eq(size_after("{\"order\": 1, \"target_concurrency\": 22.6}", 20, rising, 4), 1);
	/* with too few observations for order 2 it is the last one */
	ck_assert_int_eq(size_after("{\"order\": 2, \"target_concurrency\": 19.9}", 20, rising, 4), 2);
	ck_assert_int_eq(size_after("{\"order\": 2, \"target_concurrency\": 20}", 20, rising, 4), 1);
}
END_TEST

/* Of 50, 0, 10, 20 the last three lie on a line: 30 is next. */
START_TEST(the_window_forgets)
{
	const int64_t requests[] = {50, 0, 10, 20};
	const char json[] = "{\"order\": 1, \"window\": 30, \"target_concurrency\": 1}";
	ck_assert_int_eq(size_after(json, 10, requests, 4), 30);
}
END_TEST

/* Tenfold each time: 10,000 after two steps more. */
START_TEST(a_fit_that_runs_away_is_capped)
{
	const int64_t requests[] = {1, 10, 100};
	ck_assert_int_eq(
	    size_after("{\"order\": 1, \"target_concurrency\": 1, \"cap\": 0}", 20, requests, 3),
	    10000);
	ck_assert_int_eq(size_after("{\"order\": 1, \"target_concurrency\": 1}", 20, requests, 3), 400);
}
END_TEST

START_TEST(does_not_shrink_before_the_time)
{
	const int64_t falling[] = {40, 30, 20};
	ck_assert_int_eq(size_after("{\"order\": 1, \"target_concurrency\": 5}", 20, falling, 3), 4);
}
END_TEST

/* As for holt_winters: 8 ticks of boot delay before tick 41. */
START_TEST(on_a_ramp_it_is_early_by_the_boot_delay)
{
	const char *const settings[] = {"{\"order\": 1, \"target_concurrency\": 10}",
	                                "{\"order\": 3, \"target_concurrency\": 10}"};
	for (int i = 0; i < 2; i++) {
		pool_bench bench;
		ck_assert_ok(open_bench(&bench, settings[i], 15, 120), &bench.error);
		bench.pool->count[WEIR_INSTANCE_ACTIVE] = 4;
		ck_assert_int_eq(pool_bench_ramp(&bench), 33);
		pool_bench_close(&bench);
	}
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

/* A copy of the block at another address goes on in the same way. */
START_TEST(the_state_is_one_flat_block)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench, "{\"window\": 100}", 10, 30), &bench.error);
	void *copy = weir_allocate(1, bench.state_size);
	for (int tick = 0; tick < 60; tick++) {
		bench.pool->requests = 100 + (tick * 37) % 50;
		if (tick == 25) {
			memcpy(copy, bench.state, bench.state_size);
		}
		weir_decision decision = pool_bench_tick(&bench, 10 * tick);
		if (tick >= 25) {
			weir_decision other = {0};
			bench.type->decide(&bench.context, copy, &bench.view, &other);
			ck_assert_int_eq(pool_bench_size_after(&bench, &other),
			                 pool_bench_size_after(&bench, &decision));
			ck_assert_mem_eq(copy, bench.state, bench.state_size);
		}
	}
	free(copy);
	pool_bench_close(&bench);
}
END_TEST

START_TEST(windows_that_make_no_sense)
{
	const struct {
		const char *json, *where;
	} rows[] = {{"{\"order\": 3, \"window\": 69}", "window"},
	            {"{\"window\": 20010}", "window"},
	            {"{\"margin\": 1e6}", "margin"}};
	pool_bench bench;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_int_eq(open_bench(&bench, rows[i].json, 10, 20), WEIR_ERROR_INPUT);
		ck_assert_str_eq(bench.error.where, rows[i].where);
		pool_bench_close(&bench);
	}
	ck_assert_ok(open_bench(&bench, "{\"order\": 3, \"window\": 70}", 10, 20), &bench.error);
	pool_bench_close(&bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_ar");
	TCase *tests = tcase_create("ar");
	tcase_add_test(tests, looks_ahead_by_the_boot_delay_and_the_margin);
	tcase_add_test(tests, the_window_forgets);
	tcase_add_test(tests, a_fit_that_runs_away_is_capped);
	tcase_add_test(tests, does_not_shrink_before_the_time);
	tcase_add_test(tests, on_a_ramp_it_is_early_by_the_boot_delay);
	tcase_add_test(tests, an_idle_pool_shrinks);
	tcase_add_test(tests, the_state_is_one_flat_block);
	tcase_add_test(tests, windows_that_make_no_sense);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
