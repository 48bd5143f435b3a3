/* Batch means by hand, and what they and their check say of values that depend on each other. */
#include "analysis/batch_means.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/test_support.h"

/* Batch means 2, 6, 3; mean 11/3; squares 78/9; C = 1 - 25 / (2 * 78/9) = -69/156, its deviation
 * sqrt(1/8), P(Z >= -1.251030) = 0.894538. */
START_TEST(by_hand)
{
	const double values[] = {99.0, 1.0, 3.0, 5.0, 7.0, 3.0, 3.0};
	weir_error error;
	weir_batch_means means;
	ck_assert_ok(weir_batch_means_of(values, 7, 3, 0.95, &means, &error), &error);
	ck_assert_uint_eq(means.batch_size, 2);
	ck_assert_uint_eq(means.skipped, 1);
	ck_assert_uint_eq(means.interval.count, 3);
	ck_assert_double_eq_tol(means.interval.value, 11.0 / 3.0, 1e-14);
	ck_assert_double_eq_tol(means.interval.half_width, 4.302652729749464 * sqrt(13.0 / 9.0), 1e-10);
	ck_assert_double_eq_tol(means.autocorrelation, -49.0 / 78.0, 1e-14);
	ck_assert_double_eq_tol(means.independence_p, 0.5 * erfc(-1.2510302 / sqrt(2.0)), 1e-6);
}
END_TEST

START_TEST(degenerate_series)
{
	const double equal[] = {0.3, 0.3, 0.3, 0.3, 0.3, 0.3};
	weir_error error;
	weir_batch_means means;
	ck_assert_ok(weir_batch_means_of(equal, 6, 3, 0.95, &means, &error), &error);
	ck_assert_double_eq(means.interval.half_width, 0.0);
	ck_assert_double_eq(means.autocorrelation, 0.0);
	ck_assert_double_eq(means.independence_p, 1.0);
	ck_assert_ok(weir_batch_means_of(equal, 6, 6, 0.95, &means, &error), &error);
	ck_assert_uint_eq(means.batch_size, 1);
	const size_t wrong[] = {0, 1, 2, 7};
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(weir_batch_means_of(equal, 6, wrong[i], 0.95, &means, &error),
		                 WEIR_ERROR_INPUT);
	}
	ck_assert_int_eq(weir_batch_means_of(equal, 0, 3, 0.95, &means, &error), WEIR_ERROR_INPUT);
	const double holes[] = {1.0, 2.0, 3.0, (double)NAN};
	ck_assert_int_eq(weir_batch_means_of(holes, 4, 3, 0.95, &means, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_batch_means_of(equal, 6, 3, 1.0, &means, &error), WEIR_ERROR_INPUT);
}
END_TEST

enum { SERIES = 1000, LENGTH = 8000, BATCHES = 20 };

typedef struct verdicts {
	int covered;  /* intervals that hold the mean, 5 */
	int doubtful; /* independence_p below 0.05 */
	double autocorrelation;
} verdicts;

/* Of 1,000 first-order autoregressive series in 20 batches of `count` / 20. */
static verdicts judge(double phi, size_t count)
{
	gsl_rng *random = weir_stream_create(11, "batches", 0);
	double *values = calloc(LENGTH, sizeof *values);
	verdicts result = {0};
	for (int s = 0; s < SERIES; s++) {
		double x = gsl_ran_gaussian(random, 1.0 / sqrt(1.0 - phi * phi));
		for (size_t i = 0; i < count; i++) {
			x = phi * x + gsl_ran_gaussian(random, 1.0);
			values[i] = 5.0 + x;
		}
		weir_error error;
		weir_batch_means means;
		ck_assert_ok(weir_batch_means_of(values, count, BATCHES, 0.95, &means, &error), &error);
		result.covered += means.interval.low <= 5.0 && 5.0 <= means.interval.high;
		result.doubtful += means.independence_p < 0.05;
		result.autocorrelation += means.autocorrelation / SERIES;
	}
	free(values);
	gsl_rng_free(random);
	return result;
}

/* Independent: 95 % hold and 5 % are doubted (deviation of both 7). Batches of 10 of values with a
 * correlation time of 10: far fewer hold, and most are doubted. Batches of 400: as good. */
START_TEST(coverage_and_check)
{
	verdicts independent = judge(0.0, 400);
	ck_assert_int_le(abs(independent.covered - 950), 21);
	ck_assert_int_le(abs(independent.doubtful - 50), 21);
	ck_assert_double_eq_tol(independent.autocorrelation, -0.05, 0.02);
	ck_assert_int_eq(independent.covered, 942);
	ck_assert_int_eq(independent.doubtful, 44);
	verdicts narrow = judge(0.9, 200);
	ck_assert_int_lt(narrow.covered, 850);
	ck_assert_int_gt(narrow.doubtful, 300);
	ck_assert_int_eq(narrow.covered, 786);
	ck_assert_int_eq(narrow.doubtful, 734);
	verdicts wide = judge(0.9, LENGTH);
	ck_assert_int_le(abs(wide.covered - 950), 21);
	ck_assert_int_eq(wide.covered, 948);
	ck_assert_int_eq(wide.doubtful, 65);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis/batch_means");
	TCase *tests = tcase_create("batch_means");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, by_hand);
	tcase_add_test(tests, degenerate_series);
	tcase_add_test(tests, coverage_and_check);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
