/* AIBrix' predictive mode: slope of the window ahead of its mean, sized by APA's rule
 * (prediction/predictor.go; test_scaling_forecast.c and test_scaling_policy_apa.c test the two). */
#include "scaling/policy_slope.h"

#include "support/pool_views.h"
#include "support/test_support.h"

static weir_status open_bench(pool_bench *bench, const char *json, double interval,
                              double boot_delay)
{
	return pool_bench_open(
	    bench, &weir_policy_slope, &weir_slope_keys, json,
	    (pool_setting){.tag = WEIR_TAG_PROMPT, .interval = interval, .boot_delay = boot_delay});
}

static int64_t size_after(const char *json, uint32_t size, const int64_t *requests, size_t count)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench, json, 10, 50), &bench.error);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = size;
	int64_t wanted = 0;
	for (size_t i = 0; i < count; i++) {
		bench.pool->requests = requests[i];
		weir_decision decision = pool_bench_tick(&bench, 10 * (double)i);
		wanted = pool_bench_size_after(&bench, &decision);
	}
	pool_bench_close(&bench);
	return wanted;
}

#define FOUR "\"window\": 60, \"target_concurrency\": 4"

/* Mean 14, slope 0.28/s: 28 requests in 50 s are 7 instances, 36.4 in 80 s are 10. */
START_TEST(sizes_by_the_projection)
{
	const int64_t rising[] = {10, 14, 12, 20};
	ck_assert_int_eq(size_after("{" FOUR "}", 5, rising, 4), 7);
	ck_assert_int_eq(size_after("{" FOUR ", \"margin\": 30}", 5, rising, 4), 10);
	/* at most to twice the size, at most to `cap` times the mean */
	ck_assert_int_eq(size_after("{" FOUR "}", 3, rising, 4), 6);
	ck_assert_int_eq(size_after("{" FOUR ", \"cap\": 1.7}", 5, rising, 4), 6);
	/* 28 of 6 instances are 17 % above the target */
	ck_assert_int_eq(size_after("{" FOUR "}", 6, rising, 4), 7);
	ck_assert_int_eq(size_after("{" FOUR ", \"up_tolerance\": 0.2}", 6, rising, 4), 6);
}
END_TEST

/* 20 requests now are 5 instances, whatever else there is. */
START_TEST(without_a_projection_it_is_apa)
{
	const int64_t rising[] = {10, 14, 12, 20};
	/* three points, 20 s of a window of 60 s; four points where five are asked for */
	ck_assert_int_eq(size_after("{" FOUR "}", 3, rising + 1, 3), 5);
	ck_assert_int_eq(size_after("{" FOUR ", \"least_points\": 5}", 3, rising, 4), 5);
	ck_assert_int_eq(size_after("{" FOUR ", \"least_coverage\": 0.6}", 3, rising, 4), 5);
}
END_TEST

START_TEST(does_not_shrink_before_the_time)
{
	const int64_t falling[] = {80, 60, 40, 20};
	ck_assert_int_eq(size_after("{" FOUR "}", 20, falling, 4), 10); /* 20 / 2 */
	ck_assert_int_eq(size_after("{" FOUR "}", 5, falling, 4), 5);
}
END_TEST

/* A request more a tick of 15 s, boot delay 120 s: of a window of four points the mean is 1.5 ticks
 * behind, so it sees 8 - 1.5 ahead of the present and asks at 34, a reactive policy at 41. */
START_TEST(on_a_ramp_it_is_early_by_most_of_the_boot_delay)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench,
	                        "{\"window\": 60, \"target_concurrency\": 10, \"up_tolerance\": 0}", 15,
	                        120),
	             &bench.error);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 4;
	ck_assert_int_eq(pool_bench_ramp(&bench), 34);
	pool_bench_close(&bench);
}
END_TEST

START_TEST(an_idle_pool_shrinks)
{
	pool_bench bench;
	ck_assert_ok(open_bench(&bench, "{}", 15, 120), &bench.error);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 20;
	bench.pool->requests = 320;
	for (int tick = 0; tick < 30; tick++) {
		ck_assert_uint_eq(pool_bench_tick(&bench, 15 * tick).count, 0);
	}
	ck_assert_int_eq(pool_bench_idle(&bench, 450, 40), 1);
	pool_bench_close(&bench);
}
END_TEST

START_TEST(windows_that_make_no_sense)
{
	const char *const rows[] = {"{\"window\": 19}", "{\"window\": 1e6}",
	                            "{\"window\": 60, \"least_points\": 8}"};
	pool_bench bench;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_int_eq(open_bench(&bench, rows[i], 10, 20), WEIR_ERROR_INPUT);
		ck_assert_str_eq(bench.error.where, "window");
		pool_bench_close(&bench);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_slope");
	TCase *tests = tcase_create("slope");
	tcase_add_test(tests, sizes_by_the_projection);
	tcase_add_test(tests, without_a_projection_it_is_apa);
	tcase_add_test(tests, does_not_shrink_before_the_time);
	tcase_add_test(tests, on_a_ramp_it_is_early_by_most_of_the_boot_delay);
	tcase_add_test(tests, an_idle_pool_shrinks);
	tcase_add_test(tests, windows_that_make_no_sense);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
