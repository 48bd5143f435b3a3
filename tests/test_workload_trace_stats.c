#include "workload/trace_stats.h"

#include <math.h>
#include <string.h>

#include "support/test_support.h"
#include "support/workload_support.h"
#include "workload/trace_reader.h"

static weir_trace_stats *stats;

static void set_up(void)
{
	stats = weir_trace_stats_create();
	ck_assert_ptr_nonnull(stats);
}

static void tear_down(void)
{
	weir_trace_stats_destroy(stats);
}

static void add(double arrival, int64_t prompt, int64_t output)
{
	weir_error error = {0};
	const weir_request request = {
	    .arrival = arrival, .prompt_tokens = prompt, .output_tokens = output};
	ck_assert_ok(weir_trace_stats_add(stats, &request, &error), &error);
}

static weir_trace_figures finish(void)
{
	weir_error error = {0};
	weir_trace_figures figures;
	ck_assert_ok(weir_trace_stats_finish(stats, &figures, &error), &error);
	return figures;
}

START_TEST(one_request_leaves_most_undefined)
{
	add(5, 10, 20);
	weir_trace_figures f = finish();
	ck_assert_int_eq(f.requests, 1);
	ck_assert_double_eq(f.first, 5);
	ck_assert_double_eq(f.last, 5);
	ck_assert(isnan(f.rate) && isnan(f.gap_cv) && isnan(f.dispersion[0]));
	ck_assert(isnan(f.minute_rate_minimum) && isnan(f.rank_correlation));
	ck_assert_int_eq(f.prompt.total, 10);
	ck_assert_double_eq(f.output.quantiles[4], 20);
}
END_TEST

START_TEST(figures_are_those_worked_out_by_hand)
{
	/* From the first arrival: minute 0 has 3 requests, 1 none, 2 one, 3 two, of which the last ends
	 * it short. */
	const double arrivals[] = {10, 11, 40, 130, 191, 200};
	for (int i = 0; i < 6; i++) {
		add(arrivals[i], 100 * (i + 1), 60 - 10 * i);
	}
	weir_trace_figures f = finish();
	ck_assert_double_eq(f.rate, 5 / 190.0);
	/* Gaps 1, 29, 90, 61, 9: mean 38, squares off it 1369 + 81 + 2704 + 529 + 841 = 5524. */
	ck_assert_double_eq_tol(f.gap_cv, sqrt(5524 / 4.0) / 38, 1e-14);
	/* Counts 3, 0, 1 in whole minutes: mean 4/3, variance 7/3. */
	ck_assert_double_eq_tol(f.dispersion[2], 7.0 / 4, 1e-14);
	/* 19 windows of 10 s; 190 is the last arrival and the end of the last window; 5 requests: 2 in
	 * window 0, 1 in 3, 12 and 18. Squares 4 + 3 = 7. */
	ck_assert_double_eq_tol(f.dispersion[1], (7 - 25 / 19.0) / 18 / (5 / 19.0), 1e-14);
	ck_assert_double_eq_tol(f.dispersion[0], (5 - 25 / 190.0) / 189 / (5 / 190.0), 1e-14);
	ck_assert_double_eq(f.minute_rate_minimum, 0);
	ck_assert_double_eq(f.minute_rate_median, 1 / 60.0);
	ck_assert_double_eq(f.minute_rate_maximum, 3 / 60.0);
	ck_assert_int_eq(f.prompt.total, 2100);
	ck_assert_double_eq(f.prompt.mean, 350);
	ck_assert_int_eq(f.prompt.minimum, 100);
	ck_assert_int_eq(f.prompt.maximum, 600);
	ck_assert_double_eq(f.prompt.quantiles[4], 350);
	ck_assert_double_eq_tol(f.prompt.quantiles[3], 225, 1e-12);
	ck_assert_double_eq_tol(f.output.quantiles[6], 55, 1e-12);
	ck_assert_double_eq_tol(f.rank_correlation, -1, 1e-14);
	size_t count = 0;
	const weir_trace_minute *minutes = weir_trace_stats_minutes(stats, &count);
	ck_assert_uint_eq(count, 3);
	ck_assert_int_eq(minutes[1].minute, 2);
	ck_assert_int_eq(minutes[0].requests, 3);
	ck_assert_int_eq(minutes[0].prompt_tokens, 600);
	ck_assert_int_eq(minutes[2].output_tokens, 30);
}
END_TEST

START_TEST(medians_see_idle_minutes)
{
	/* Whole minutes: 2, 0, 0, 0, then the last request. */
	add(0, 1, 1);
	add(1, 1, 1);
	add(240, 1, 1);
	weir_trace_figures f = finish();
	ck_assert_double_eq(f.minute_rate_median, 0);
	ck_assert_double_eq(f.minute_rate_maximum, 2 / 60.0);
	ck_assert(isnan(f.rank_correlation));
}
END_TEST

START_TEST(long_streams_and_gaps_are_counted)
{
	/* 100,000 requests, two a second, then one a million years later. */
	for (int i = 0; i < 100000; i++) {
		add(i / 2.0, 1 + i % 1000, 5);
	}
	add(3e13, 1, 5);
	weir_trace_figures f = finish();
	ck_assert_int_eq(f.requests, 100001);
	ck_assert_double_eq(f.minute_rate_maximum, 2);
	ck_assert_double_eq(f.minute_rate_minimum, 0);
	ck_assert_double_eq_tol(f.prompt.mean, 500.5, 0.01);
	ck_assert_double_eq(f.output.quantiles[9], 5);
}
END_TEST

START_TEST(the_real_trace_has_its_known_figures)
{
	const char *path = test_data_path("AzureLLMInferenceTrace_conv.csv");
	if (path == NULL) {
		return;
	}
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &source, &error), &error);
	weir_request request;
	while (test_draw(source, &request)) {
		ck_assert_ok(weir_trace_stats_add(stats, &request, &error), &error);
	}
	weir_source_destroy(source);
	/* As pandas and numpy have them. */
	weir_trace_figures f = finish();
	ck_assert_int_eq(f.requests, 19366);
	ck_assert_double_eq_tol(f.last, 3501.721937, 1e-9);
	ck_assert_double_eq_tol(f.prompt.mean, 1154.697408, 1e-6);
	ck_assert_double_eq_tol(f.output.mean, 211.125942, 1e-6);
	ck_assert_double_eq_tol(f.dispersion[0], 1.385537639802874, 1e-9);
	ck_assert_double_eq_tol(f.dispersion[1], 3.8680474623100554, 1e-9);
	ck_assert_double_eq_tol(f.dispersion[2], 16.411211042765487, 1e-9);
	ck_assert_double_eq_tol(f.rank_correlation, 0.07275089359754287, 1e-9);
	ck_assert_double_eq(f.prompt.quantiles[4], 1020);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/trace_stats");
	TCase *tests = tcase_create("trace_stats");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, one_request_leaves_most_undefined);
	tcase_add_test(tests, figures_are_those_worked_out_by_hand);
	tcase_add_test(tests, medians_see_idle_minutes);
	tcase_add_test(tests, long_streams_and_gaps_are_counted);
	tcase_add_test(tests, the_real_trace_has_its_known_figures);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
