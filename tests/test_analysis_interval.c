/* Intervals of means against tables and hand computation, and how often they hold. */
#include "analysis/interval.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/test_support.h"

/* Student's t at 97.5 % for two degrees, where there is a closed form: (2p - 1) sqrt(2 / (4 p (1 -
 * p))). */
static const double two_degrees = 4.302652729749464;

START_TEST(t_quantiles_are_those_of_the_tables)
{
	static const struct {
		double confidence, degrees, t;
	} table[] = {{0.95, 1, 12.706}, {0.95, 2, 4.303},  {0.95, 4, 2.776}, {0.95, 9, 2.262},
	             {0.95, 29, 2.045}, {0.95, 120, 1.98}, {0.99, 9, 3.25},  {0.90, 4, 2.132},
	             {0.80, 3, 1.638},  {0.50, 1, 1.0},    {0.95, 1e9, 1.96}};
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		ck_assert_double_eq_tol(weir_t_quantile(table[i].confidence, table[i].degrees), table[i].t,
		                        0.0005);
	}
	ck_assert_double_eq_tol(weir_t_quantile(0.95, 2), two_degrees, 1e-12);
}
END_TEST

START_TEST(means_by_hand)
{
	weir_error error;
	weir_interval interval;
	/* Example 4.26 of Law: 1.34 +- 0.24 at 90 %. */
	const double law[] = {1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09};
	ck_assert_ok(weir_mean_interval(law, 10, 0.9, &interval, &error), &error);
	ck_assert_uint_eq(interval.count, 10);
	ck_assert_double_eq_tol(interval.value, 1.343, 1e-12);
	ck_assert_double_eq_tol(interval.half_width, 0.24, 0.005);
	/* 2, 4, 9: mean 5, s^2 = (9 + 1 + 16) / 2 = 13, t = 4.302653 (2 degrees). */
	const double three[] = {2.0, 4.0, 9.0};
	ck_assert_ok(weir_mean_interval(three, 3, 0.95, &interval, &error), &error);
	double half = two_degrees * sqrt(13.0 / 3.0);
	ck_assert_double_eq_tol(interval.half_width, half, 1e-11);
	ck_assert_double_eq_tol(interval.low, 5.0 - half, 1e-11);
	ck_assert_double_eq_tol(interval.high, 5.0 + half, 1e-11);
}
END_TEST

START_TEST(few_and_equal_values)
{
	weir_error error;
	weir_interval interval;
	const double equal[] = {0.1, 0.1, 0.1, 0.1};
	ck_assert_ok(weir_mean_interval(equal, 4, 0.95, &interval, &error), &error);
	ck_assert_double_eq(interval.value, 0.1);
	ck_assert_double_eq(interval.half_width, 0.0);
	ck_assert_double_eq(interval.low, 0.1);
	ck_assert_double_eq(interval.high, 0.1);
	ck_assert_ok(weir_mean_interval(equal, 1, 0.95, &interval, &error), &error);
	ck_assert_uint_eq(interval.count, 1);
	ck_assert_double_eq(interval.value, 0.1);
	ck_assert(isinf(interval.half_width) && interval.half_width > 0);
	ck_assert(isinf(interval.low) && interval.low < 0 && isinf(interval.high));
	ck_assert_int_eq(weir_mean_interval(equal, 0, 0.95, &interval, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "values: there are none");
}
END_TEST

START_TEST(wrong_input_is_refused)
{
	weir_error error;
	weir_interval interval;
	const double holes[] = {1.0, (double)NAN, 3.0};
	const double endless[] = {1.0, 2.0, (double)INFINITY};
	const double fine[] = {1.0, 2.0, 3.0};
	ck_assert_int_eq(weir_mean_interval(holes, 3, 0.95, &interval, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "values: number 1 of 3 is nan, expected a finite value");
	ck_assert_int_eq(weir_mean_interval(endless, 3, 0.95, &interval, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_paired_interval(fine, holes, 3, 0.95, &interval, &error),
	                 WEIR_ERROR_INPUT);
	const double outside[] = {0.0, 1.0, -0.5, 95.0, (double)NAN};
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(weir_mean_interval(fine, 3, outside[i], &interval, &error),
		                 WEIR_ERROR_INPUT);
		size_t needed;
		ck_assert_int_eq(weir_replications_needed(1.0, 2, 0.1, outside[i], &needed, &error),
		                 WEIR_ERROR_INPUT);
	}
}
END_TEST

/* What pairs have in common falls out of the difference, and only of the difference. */
START_TEST(pairs_lose_what_they_share)
{
	weir_error error;
	weir_interval paired;
	weir_interval alone;
	const double a[] = {101.0, 55.0, 12.0, 78.0};
	const double b[] = {100.0, 53.0, 11.0, 76.0};
	ck_assert_ok(weir_paired_interval(a, b, 4, 0.95, &paired, &error), &error);
	/* Differences 1, 2, 1, 2: mean 1.5, s^2 = 1/3, t = 3.182446 (3 degrees). */
	ck_assert_double_eq(paired.value, 1.5);
	ck_assert_double_eq_tol(paired.half_width, 3.182446305284263 * sqrt(1.0 / 12.0), 1e-11);
	ck_assert_ok(weir_mean_interval(a, 4, 0.95, &alone, &error), &error);
	ck_assert_double_gt(alone.half_width, 50.0);
	ck_assert_int_eq(weir_paired_interval(a, b, 0, 0.95, &paired, &error), WEIR_ERROR_INPUT);
}
END_TEST

START_TEST(replications_by_hand)
{
	weir_error error;
	size_t needed = 0;
	/* t(16) / sqrt(17) = 2.120 / 4.123 = 0.514, t(17) / sqrt(18) = 2.110 / 4.243 = 0.497. The
	 * normal quantile would say 16. */
	ck_assert_ok(weir_replications_needed(1.0, 2, 0.5, 0.95, &needed, &error), &error);
	ck_assert_uint_eq(needed, 18);
	ck_assert_ok(weir_replications_needed(1.0, 40, 0.5, 0.95, &needed, &error), &error);
	ck_assert_uint_eq(needed, 40);
	ck_assert_ok(weir_replications_needed(0.0, 0, 0.5, 0.95, &needed, &error), &error);
	ck_assert_uint_eq(needed, 2);
	/* 12.706 / sqrt(2) = 8.985 */
	ck_assert_ok(weir_replications_needed(1.0, 0, 8.99, 0.95, &needed, &error), &error);
	ck_assert_uint_eq(needed, 2);
	ck_assert_ok(weir_replications_needed(1.0, 0, 8.98, 0.95, &needed, &error), &error);
	ck_assert_uint_eq(needed, 3);
	const double wrong[][2] = {{1.0, 0.0},         {1.0, -1.0},        {-1.0, 1.0},
	                           {(double)NAN, 1.0}, {1.0, (double)NAN}, {(double)INFINITY, 1.0},
	                           {1e9, 1e-9}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ck_assert_int_eq(
		    weir_replications_needed(wrong[i][0], 2, wrong[i][1], 0.95, &needed, &error),
		    WEIR_ERROR_INPUT);
	}
}
END_TEST

/* The answer is the first n that does, whatever the spread. */
START_TEST(replications_are_the_least_that_do)
{
	weir_error error;
	for (double half = 4.0; half > 0.02; half *= 0.9) {
		size_t needed = 0;
		ck_assert_ok(weir_replications_needed(1.7, 0, half, 0.9, &needed, &error), &error);
		double with = weir_t_quantile(0.9, (double)needed - 1) * 1.7 / sqrt((double)needed);
		ck_assert_double_le(with, half);
		if (needed > 2) {
			double without =
			    weir_t_quantile(0.9, (double)needed - 2) * 1.7 / sqrt((double)needed - 1);
			ck_assert_double_gt(without, half);
		}
	}
}
END_TEST

enum { TRIALS = 10000 };

typedef double draw_function(gsl_rng *random);

static double draw_normal(gsl_rng *random)
{
	return 3.0 + gsl_ran_gaussian(random, 2.0);
}

static double draw_exponential(gsl_rng *random)
{
	return gsl_ran_exponential(random, 3.0);
}

/* How many of TRIALS intervals of `count` values hold the mean, 3. */
static int covered(draw_function *draw, size_t count, double confidence)
{
	gsl_rng *random = weir_stream_create(7, "coverage", 0);
	int hits = 0;
	for (int i = 0; i < TRIALS; i++) {
		double values[40];
		for (size_t k = 0; k < count; k++) {
			values[k] = draw(random);
		}
		weir_error error;
		weir_interval interval;
		ck_assert_ok(weir_mean_interval(values, count, confidence, &interval, &error), &error);
		hits += interval.low <= 3.0 && 3.0 <= interval.high;
	}
	gsl_rng_free(random);
	return hits;
}

/* Of normal values exactly `confidence` in the long run: within three standard deviations of the
 * binomial (65 at 95 %, 90 at 90 %). Of exponential ones fewer, as Law's table 4.1 shows too. */
START_TEST(coverage)
{
	int five = covered(draw_normal, 5, 0.95);
	int twenty = covered(draw_normal, 20, 0.90);
	int skewed = covered(draw_exponential, 10, 0.90);
	ck_assert_int_le(abs(five - 9500), 65);
	ck_assert_int_le(abs(twenty - 9000), 90);
	ck_assert_int_lt(skewed, 8800);
	ck_assert_int_gt(skewed, 8400);
	ck_assert_int_eq(five, 9495);
	ck_assert_int_eq(twenty, 9022);
	ck_assert_int_eq(skewed, 8481);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis/interval");
	TCase *tests = tcase_create("interval");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, t_quantiles_are_those_of_the_tables);
	tcase_add_test(tests, means_by_hand);
	tcase_add_test(tests, few_and_equal_values);
	tcase_add_test(tests, wrong_input_is_refused);
	tcase_add_test(tests, pairs_lose_what_they_share);
	tcase_add_test(tests, replications_by_hand);
	tcase_add_test(tests, replications_are_the_least_that_do);
	tcase_add_test(tests, coverage);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
