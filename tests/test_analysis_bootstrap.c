/* Bootstrap intervals against published ones, and how often they hold. */
#include "analysis/bootstrap.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "metrics/quantile.h"
#include "support/test_support.h"

static weir_interval interval_of(const double *values, size_t count, weir_statistic statistic,
                                 weir_bootstrap_options options)
{
	weir_error error;
	weir_interval interval;
	ck_assert_ok(weir_bootstrap(values, count, &statistic, &options, &interval, &error), &error);
	return interval;
}

static weir_bootstrap_options method(weir_bootstrap_method kind, size_t resamples)
{
	weir_bootstrap_options options = weir_bootstrap_options_default();
	options.method = kind;
	options.resamples = resamples;
	return options;
}

static double compute_variance(const void *context, double *values, size_t count)
{
	(void)context;
	double deviation = weir_moments_of(values, count).deviation;
	return deviation * deviation * (double)(count - 1) / (double)count;
}

/* Test A of the spatial data, table 14.1 of Efron and Tibshirani 1993, and the 90 % intervals of
 * its variance in table 14.2, from 2,000 resamples: percentile (100.8, 233.9), BCa (115.8, 259.6).
 * Resampling 2,000 times leaves them uncertain by about 4. */
START_TEST(intervals_of_the_spatial_data)
{
	const double a[] = {48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6,
	                    0,  33, 28, 34, 4,  32, 24, 47, 41, 24, 26, 30, 41};
	const weir_statistic variance = {.compute = compute_variance};
	weir_bootstrap_options options = method(WEIR_BOOTSTRAP_PERCENTILE, 40000);
	options.confidence = 0.9;
	weir_interval percentile = interval_of(a, 26, variance, options);
	ck_assert_double_eq_tol(percentile.value, 171.5, 0.05);
	ck_assert_double_eq_tol(percentile.low, 100.8, 4.0);
	ck_assert_double_eq_tol(percentile.high, 233.9, 4.0);
	options.method = WEIR_BOOTSTRAP_BCA;
	weir_interval bca = interval_of(a, 26, variance, options);
	ck_assert_double_eq(bca.value, percentile.value);
	ck_assert_double_eq_tol(bca.low, 115.8, 4.0);
	ck_assert_double_eq_tol(bca.high, 259.6, 4.0);
	ck_assert_double_eq(bca.half_width, 0.5 * (bca.high - bca.low));
}
END_TEST

/* Of 0 and 1 a resample has mean 0, 1/2, 1 with chance 1/4, 1/2, 1/4. */
START_TEST(two_values_by_hand)
{
	const double values[] = {0.0, 1.0};
	weir_bootstrap_options options = method(WEIR_BOOTSTRAP_PERCENTILE, 4000);
	options.confidence = 0.4;
	weir_interval inner = interval_of(values, 2, weir_statistic_mean(), options);
	ck_assert_double_eq(inner.value, 0.5);
	ck_assert_double_eq(inner.low, 0.5);
	ck_assert_double_eq(inner.high, 0.5);
	options.confidence = 0.6;
	weir_interval outer = interval_of(values, 2, weir_statistic_mean(), options);
	ck_assert_double_eq(outer.low, 0.0);
	ck_assert_double_eq(outer.high, 1.0);
	ck_assert_double_eq(outer.half_width, 0.5);
	/* Symmetric, so that BCa corrects nothing: ties count half. */
	options.method = WEIR_BOOTSTRAP_BCA;
	options.confidence = 0.4;
	weir_interval bca = interval_of(values, 2, weir_statistic_mean(), options);
	ck_assert_double_eq(bca.low, 0.5);
	ck_assert_double_eq(bca.high, 0.5);
}
END_TEST

START_TEST(statistics_by_hand)
{
	weir_bootstrap_options options = method(WEIR_BOOTSTRAP_PERCENTILE, 1);
	/* 1 2 | 3 4 5 6 7 | 8 100: floor(9 / 4) = 2 go on each side. */
	const double values[] = {5.0, 100.0, 1.0, 3.0, 8.0, 2.0, 7.0, 4.0, 6.0};
	ck_assert_double_eq(interval_of(values, 9, weir_statistic_iqm(), options).value, 5.0);
	ck_assert_double_eq(interval_of(values, 3, weir_statistic_iqm(), options).value, 106.0 / 3.0);
	double half = 0.5;
	double most = 1.0;
	ck_assert_double_eq(interval_of(values, 9, weir_statistic_quantile(&half), options).value, 5.0);
	ck_assert_double_eq(interval_of(values, 9, weir_statistic_quantile(&most), options).value,
	                    100.0);
	ck_assert_double_eq(interval_of(values, 2, weir_statistic_mean(), options).value, 52.5);
}
END_TEST

START_TEST(strata_keep_their_sizes)
{
	/* Of a stratum of one value nothing varies: the mean is 10/3 + the mean of two of {0, 3} * 2/3,
	 * so 10/3, 13/3 or 16/3. Without strata it is 0 and 10 with chance 1/27 each. */
	const double values[] = {0.0, 3.0, 10.0};
	const size_t strata[] = {2, 1};
	weir_bootstrap_options options = method(WEIR_BOOTSTRAP_PERCENTILE, 2000);
	options.confidence = 0.98;
	weir_interval all = interval_of(values, 3, weir_statistic_mean(), options);
	ck_assert_double_eq(all.low, 0.0);
	ck_assert_double_eq(all.high, 10.0);
	options.strata = strata;
	options.stratum_count = 2;
	weir_interval kept = interval_of(values, 3, weir_statistic_mean(), options);
	ck_assert_double_eq(kept.value, all.value);
	ck_assert_double_eq_tol(kept.low, 10.0 / 3.0, 1e-14);
	ck_assert_double_eq_tol(kept.high, 16.0 / 3.0, 1e-14);
}
END_TEST

static double compute_distinct(const void *context, double *values, size_t count)
{
	(void)context;
	double distinct = 1.0;
	gsl_sort(values, 1, count);
	for (size_t i = 1; i < count; i++) {
		distinct += values[i] != values[i - 1];
	}
	return distinct;
}

START_TEST(one_and_equal_values)
{
	const double equal[] = {0.7, 0.7, 0.7, 0.7};
	double p99 = 0.99;
	for (int kind = WEIR_BOOTSTRAP_PERCENTILE; kind <= WEIR_BOOTSTRAP_BCA; kind++) {
		weir_bootstrap_options options = method((weir_bootstrap_method)kind, 100);
		weir_interval interval = interval_of(equal, 4, weir_statistic_quantile(&p99), options);
		ck_assert_double_eq(interval.low, 0.7);
		ck_assert_double_eq(interval.high, 0.7);
		interval = interval_of(equal, 1, weir_statistic_quantile(&p99), options);
		ck_assert_double_eq(interval.value, 0.7);
		ck_assert(isinf(interval.half_width) && isinf(interval.low) && isinf(interval.high));
	}
	/* A resample has fewer distinct values than the sample. The bias would be infinite, and both
	 * bounds the greatest result. */
	double rising[40];
	for (size_t i = 0; i < 40; i++) {
		rising[i] = (double)i;
	}
	const weir_statistic distinct = {.compute = compute_distinct};
	weir_interval below = interval_of(rising, 40, distinct, method(WEIR_BOOTSTRAP_BCA, 3));
	ck_assert_double_lt(below.low, below.high);
	ck_assert_double_lt(below.high, below.value);
}
END_TEST

START_TEST(the_stream_decides)
{
	double values[50];
	for (size_t i = 0; i < 50; i++) {
		values[i] = sqrt((double)i);
	}
	weir_bootstrap_options options = method(WEIR_BOOTSTRAP_BCA, 500);
	weir_interval first = interval_of(values, 50, weir_statistic_mean(), options);
	weir_interval again = interval_of(values, 50, weir_statistic_mean(), options);
	ck_assert_double_eq(first.low, again.low);
	ck_assert_double_eq(first.high, again.high);
	options.index = 1;
	ck_assert_double_ne(first.low, interval_of(values, 50, weir_statistic_mean(), options).low);
	options.index = 0;
	options.seed = 1;
	ck_assert_double_ne(first.low, interval_of(values, 50, weir_statistic_mean(), options).low);
}
END_TEST

static void refuse(const double *values, size_t count, weir_bootstrap_options options)
{
	weir_error error;
	weir_interval interval;
	const weir_statistic mean = weir_statistic_mean();
	ck_assert_int_eq(weir_bootstrap(values, count, &mean, &options, &interval, &error),
	                 WEIR_ERROR_INPUT);
}

START_TEST(wrong_input_is_refused)
{
	const double fine[] = {1.0, 2.0, 3.0};
	const double holes[] = {1.0, (double)NAN, 3.0};
	weir_bootstrap_options options = method(WEIR_BOOTSTRAP_PERCENTILE, 100);
	refuse(fine, 0, options);
	refuse(holes, 3, options);
	weir_bootstrap_options none = options;
	none.resamples = 0;
	refuse(fine, 3, none);
	weir_bootstrap_options sure = options;
	sure.confidence = 1.0;
	refuse(fine, 3, sure);
	const size_t sizes[][2] = {{3, 0}, {2, 2}, {1, 1}, {4, SIZE_MAX}};
	for (size_t i = 0; i < 4; i++) {
		weir_bootstrap_options strata = options;
		strata.strata = sizes[i];
		strata.stratum_count = 2;
		refuse(fine, 3, strata);
	}
	const size_t right[] = {2, 1};
	weir_bootstrap_options bca = method(WEIR_BOOTSTRAP_BCA, 100);
	bca.strata = right;
	bca.stratum_count = 2;
	refuse(fine, 3, bca);
}
END_TEST

enum { TRIALS = 1000, SAMPLE = 60 };

/* How many of 1,000 95 % intervals of the 90th percentile of 60 exponential values hold it. */
static int covered(weir_bootstrap_method kind)
{
	gsl_rng *random = weir_stream_create(5, "values", 0);
	double p90 = 0.9;
	double truth = log(10.0);
	int hits = 0;
	for (uint64_t t = 0; t < TRIALS; t++) {
		double values[SAMPLE];
		for (size_t i = 0; i < SAMPLE; i++) {
			values[i] = gsl_ran_exponential(random, 1.0);
		}
		weir_bootstrap_options options = method(kind, 400);
		options.index = t;
		weir_interval interval =
		    interval_of(values, SAMPLE, weir_statistic_quantile(&p90), options);
		hits += interval.low <= truth && truth <= interval.high;
	}
	gsl_rng_free(random);
	return hits;
}

/* 950 would be exact; a percentile near the edge of 60 values falls a little short. */
START_TEST(coverage)
{
	int percentile = covered(WEIR_BOOTSTRAP_PERCENTILE);
	int bca = covered(WEIR_BOOTSTRAP_BCA);
	ck_assert_int_gt(percentile, 900);
	ck_assert_int_gt(bca, 900);
	ck_assert_int_eq(percentile, 927);
	ck_assert_int_eq(bca, 931);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis/bootstrap");
	TCase *tests = tcase_create("bootstrap");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, intervals_of_the_spatial_data);
	tcase_add_test(tests, two_values_by_hand);
	tcase_add_test(tests, statistics_by_hand);
	tcase_add_test(tests, strata_keep_their_sizes);
	tcase_add_test(tests, one_and_equal_values);
	tcase_add_test(tests, the_stream_decides);
	tcase_add_test(tests, wrong_input_is_refused);
	tcase_add_test(tests, coverage);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
