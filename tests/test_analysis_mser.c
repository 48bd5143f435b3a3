/* MSER-5 by hand and against its definition. */
#include "analysis/mser.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/test_support.h"

enum { MOST = 4000 };

/* Five values with the given mean for each batch. */
static size_t spread(const double *means, size_t batches, double *values)
{
	static const double off[WEIR_MSER_BATCH] = {-2.0, 1.0, 0.0, -1.0, 2.0};
	for (size_t i = 0; i < batches * WEIR_MSER_BATCH; i++) {
		values[i] = means[i / WEIR_MSER_BATCH] + off[i % WEIR_MSER_BATCH];
	}
	return batches * WEIR_MSER_BATCH;
}

/* Kept from d on, sum of squares / n^2: from 0 above 1, 1: 12/343 = 0.0350, 2: 1/27 = 0.0370, 3:
 * 0.048; 4 of 8 is not tried (1, 1 and 2 left of it would be 0.047). */
START_TEST(by_hand)
{
	const double means[] = {10.0, 2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 2.0};
	double values[8 * WEIR_MSER_BATCH + 4];
	weir_error error;
	weir_truncation truncation;
	size_t count = spread(means, 8, values);
	ck_assert_ok(weir_mser5(values, count, &truncation, &error), &error);
	ck_assert_uint_eq(truncation.dropped, 5);
	ck_assert_double_eq_tol(truncation.mean, 10.0 / 7.0, 1e-14);
	ck_assert_double_eq_tol(truncation.statistic, 12.0 / 343.0, 1e-14);
	ck_assert(truncation.settled);
	/* Four more are no batch. */
	for (size_t i = 0; i < 4; i++) {
		values[count + i] = 1e6;
	}
	ck_assert_ok(weir_mser5(values, count + 4, &truncation, &error), &error);
	ck_assert_uint_eq(truncation.dropped, 5);
	ck_assert_double_eq_tol(truncation.statistic, 12.0 / 343.0, 1e-14);
}
END_TEST

START_TEST(a_series_that_still_falls_is_not_settled)
{
	double values[100];
	for (size_t i = 0; i < 100; i++) {
		values[i] = 100.0 - (double)i;
	}
	weir_error error;
	weir_truncation truncation;
	ck_assert_ok(weir_mser5(values, 100, &truncation, &error), &error);
	/* 20 batches: 9 is the last with 2 d < 20. */
	ck_assert_uint_eq(truncation.dropped, 45);
	ck_assert(!truncation.settled);
}
END_TEST

START_TEST(degenerate_series)
{
	double values[100];
	for (size_t i = 0; i < 100; i++) {
		values[i] = 0.1;
	}
	weir_error error;
	weir_truncation truncation;
	ck_assert_ok(weir_mser5(values, 100, &truncation, &error), &error);
	ck_assert_uint_eq(truncation.dropped, 0);
	ck_assert_double_eq(truncation.statistic, 0.0);
	ck_assert(truncation.settled);
	ck_assert_ok(weir_mser5(values, 10, &truncation, &error), &error);
	ck_assert_uint_eq(truncation.dropped, 0);
	ck_assert(!truncation.settled);
	ck_assert_int_eq(weir_mser5(values, 9, &truncation, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_mser5(values, 0, &truncation, &error), WEIR_ERROR_INPUT);
	values[97] = (double)NAN;
	ck_assert_int_eq(weir_mser5(values, 100, &truncation, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "value 97 of the series is nan, expected a finite one");
}
END_TEST

/* The definition, for every d. */
static size_t naive(const double *values, size_t count, double *least)
{
	size_t batches = count / 5;
	size_t best = 0;
	*least = (double)INFINITY;
	for (size_t d = 0; 2 * d < batches; d++) {
		double sum = 0.0;
		for (size_t i = 5 * d; i < 5 * batches; i++) {
			sum += values[i];
		}
		double kept = (double)(batches - d);
		double mean = sum / (5.0 * kept);
		double squares = 0.0;
		for (size_t k = d; k < batches; k++) {
			const double *v = values + 5 * k;
			double off = (v[0] + v[1] + v[2] + v[3] + v[4]) / 5.0 - mean;
			squares += off * off;
		}
		if (squares / (kept * kept) < *least) {
			*least = squares / (kept * kept);
			best = 5 * d;
		}
	}
	return best;
}

/* Around 2 after a warm-up from 12 that fades with time constant 50. */
static void draw_series(gsl_rng *random, double *values, size_t count)
{
	double noise = 0.0;
	for (size_t i = 0; i < count; i++) {
		noise = 0.5 * noise + gsl_ran_gaussian(random, 1.0);
		values[i] = 2.0 + 10.0 * exp(-(double)i / 50.0) + noise;
	}
}

START_TEST(random_series_against_the_definition)
{
	gsl_rng *random = weir_stream_create(3, "mser", 0);
	double *values = calloc(MOST, sizeof *values);
	for (size_t count = 10; count <= 1000; count += 7) {
		draw_series(random, values, count);
		weir_error error;
		weir_truncation truncation;
		double least;
		size_t expected = naive(values, count, &least);
		ck_assert_ok(weir_mser5(values, count, &truncation, &error), &error);
		ck_assert_uint_eq(truncation.dropped, expected);
		ck_assert_double_eq_tol(truncation.statistic, least, 1e-12 * least);
	}
	free(values);
	gsl_rng_free(random);
}
END_TEST

/* What it is for: of 200 series most lose their warm-up (100 values: 14 % of it left; 300: 0.2 %)
 * and little more. */
START_TEST(the_warm_up_goes)
{
	gsl_rng *random = weir_stream_create(4, "mser", 0);
	double *values = calloc(MOST, sizeof *values);
	int right = 0;
	for (int i = 0; i < 200; i++) {
		draw_series(random, values, MOST);
		weir_error error;
		weir_truncation truncation;
		ck_assert_ok(weir_mser5(values, MOST, &truncation, &error), &error);
		right += truncation.dropped >= 100 && truncation.dropped <= 300 && truncation.settled &&
		         fabs(truncation.mean - 2.0) < 0.1;
	}
	ck_assert_int_eq(right, 187);
	free(values);
	gsl_rng_free(random);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis/mser");
	TCase *tests = tcase_create("mser");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, by_hand);
	tcase_add_test(tests, a_series_that_still_falls_is_not_settled);
	tcase_add_test(tests, degenerate_series);
	tcase_add_test(tests, random_series_against_the_definition);
	tcase_add_test(tests, the_warm_up_goes);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
