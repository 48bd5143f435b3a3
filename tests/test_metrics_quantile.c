#include "metrics/quantile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "base/random.h"
#include "support/test_support.h"

static const double usual[] = {0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0};

enum { USUAL = sizeof usual / sizeof usual[0] };

START_TEST(hand_values_as_numpy_gives_them)
{
	/* numpy.quantile of numpy 1.24 */
	double seven[] = {3.5, 1.25, 9.0, 2.0, 7.75, 0.1, 4.4};
	double probabilities[] = {0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0};
	double expected[] = {0.1, 0.7900000000000001, 3.5, 8.25, 8.625, 8.924999999999999, 8.9925, 9.0};
	double result[8];
	weir_quantiles(seven, 7, probabilities, 8, result);
	for (size_t i = 0; i < 8; i++) {
		ck_assert_double_eq(result[i], expected[i]);
	}
	/* Far apart, so that interpolating from the wrong end shows. */
	double four[] = {0.3, 1e9, 0.1, 0.2};
	double more[] = {0.25, 0.3, 0.4, 0.6, 0.75, 0.999};
	double wanted[] = {0.17500000000000002, 0.19,
	                   0.22000000000000003, 0.27999999999999997,
	                   250000000.22500002,  997000000.0008999};
	weir_quantiles(four, 4, more, 6, result);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_double_eq(result[i], wanted[i]);
	}
}
END_TEST

START_TEST(few_values)
{
	double result[USUAL];
	weir_quantiles(NULL, 0, usual, USUAL, result);
	for (size_t i = 0; i < USUAL; i++) {
		ck_assert(isnan(result[i]));
	}
	double one[] = {4.25};
	weir_quantiles(one, 1, usual, USUAL, result);
	for (size_t i = 0; i < USUAL; i++) {
		ck_assert_double_eq(result[i], 4.25);
	}
	double two[] = {3.0, 1.0};
	double quarters[] = {0.0, 0.25, 0.25, 0.5, 0.75, 1.0};
	weir_quantiles(two, 2, quarters, 6, result);
	double expected[] = {1.0, 1.5, 1.5, 2.0, 2.5, 3.0};
	for (size_t i = 0; i < 6; i++) {
		ck_assert_double_eq(result[i], expected[i]);
	}
}
END_TEST

typedef enum shape {
	SHAPE_RANDOM,
	SHAPE_EQUAL,
	SHAPE_RISING,
	SHAPE_FALLING,
	SHAPE_ORGAN_PIPE,
	SHAPE_SAWTOOTH,
	SHAPE_TWO_VALUES,
	SHAPE_COUNT
} shape;

static double shaped(shape kind, gsl_rng *random, size_t i, size_t count)
{
	switch (kind) {
	case SHAPE_EQUAL:
		return 1.5;
	case SHAPE_RISING:
		return (double)i;
	case SHAPE_FALLING:
		return -(double)i;
	case SHAPE_ORGAN_PIPE:
		return (double)(i < count / 2 ? i : count - i);
	case SHAPE_SAWTOOTH:
		return (double)(i % 37);
	case SHAPE_TWO_VALUES:
		return (double)gsl_rng_uniform_int(random, 2);
	default:
		return gsl_ran_lognormal(random, 0.0, 2.0);
	}
}

/* The naive way: sort, then interpolate. */
static double sorted_quantile(const double *sorted, size_t count, double probability)
{
	double index = probability * (double)(count - 1);
	double below = floor(index);
	double low = sorted[(size_t)below];
	double high = sorted[(size_t)ceil(index)];
	double share = index - below;
	return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1.0 - share);
}

static void compare_with_sorting(shape kind, gsl_rng *random, size_t count)
{
	double probabilities[40];
	memcpy(probabilities, usual, sizeof usual);
	for (size_t i = USUAL; i < 40; i++) {
		probabilities[i] = gsl_rng_uniform(random);
	}
	gsl_sort(probabilities, 1, 40);
	double *values = calloc(count, sizeof *values);
	double *sorted = calloc(count, sizeof *sorted);
	for (size_t i = 0; i < count; i++) {
		values[i] = shaped(kind, random, i, count);
	}
	memcpy(sorted, values, count * sizeof *values);
	gsl_sort(sorted, 1, count);
	double result[40];
	weir_quantiles(values, count, probabilities, 40, result);
	size_t wrong = 0;
	for (size_t i = 0; i < 40; i++) {
		wrong += result[i] != sorted_quantile(sorted, count, probabilities[i]);
	}
	ck_assert_msg(wrong == 0, "%zu of 40 differ: shape %d, %zu values", wrong, (int)kind, count);
	/* Reordered, but the same values. */
	gsl_sort(values, 1, count);
	ck_assert_mem_eq(values, sorted, count * sizeof *values);
	free(values);
	free(sorted);
}

START_TEST(quantiles_equal_those_of_sorted_values)
{
	gsl_rng *random = weir_stream_create(1, "quantiles", 0);
	for (shape kind = SHAPE_RANDOM; kind < SHAPE_COUNT; kind++) {
		for (size_t count = 1; count < 200; count++) {
			compare_with_sorting(kind, random, count);
		}
		compare_with_sorting(kind, random, 100003);
	}
	gsl_rng_free(random);
}
END_TEST

START_TEST(nan_is_dropped_and_nothing_else)
{
	double values[] = {(double)NAN, 1.0, (double)NAN, (double)INFINITY, 0.0, 2.0, (double)NAN};
	ck_assert_uint_eq(weir_drop_nan(values, 7), 4);
	ck_assert_double_eq(values[0], 1.0);
	ck_assert(isinf(values[1]));
	ck_assert_double_eq(values[2], 0.0);
	ck_assert_double_eq(values[3], 2.0);
	ck_assert_uint_eq(weir_drop_nan(values, 0), 0);
}
END_TEST

START_TEST(moments_by_hand)
{
	weir_moments none = weir_moments_of(NULL, 0);
	ck_assert_uint_eq(none.count, 0);
	ck_assert(isnan(none.mean) && isnan(none.deviation));
	ck_assert(isnan(none.minimum) && isnan(none.maximum));
	double values[] = {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0};
	weir_moments one = weir_moments_of(values, 1);
	ck_assert_double_eq(one.mean, 2.0);
	ck_assert(isnan(one.deviation));
	weir_moments eight = weir_moments_of(values, 8);
	ck_assert_uint_eq(eight.count, 8);
	ck_assert_double_eq(eight.mean, 5.0);
	ck_assert_double_eq(eight.deviation, sqrt(32.0 / 7.0));
	ck_assert_double_eq(eight.minimum, 2.0);
	ck_assert_double_eq(eight.maximum, 9.0);
	double negative[] = {-3.0, -1.0, -2.0};
	ck_assert_double_eq(weir_moments_of(negative, 3).maximum, -1.0);
}
END_TEST

START_TEST(moments_keep_their_digits)
{
	enum { COUNT = 1000000 };
	double *values = calloc(COUNT, sizeof *values);
	/* The mean is 0.1 as a double; adding it up naively is wrong from the twelfth digit on. */
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = 0.1;
	}
	weir_moments constant = weir_moments_of(values, COUNT);
	ck_assert_double_eq(constant.mean, 0.1);
	ck_assert_double_eq(constant.deviation, 0.0);
	/* A deviation of 1 around 1e9: the sum of squares would have lost it. */
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = 1e9 + (i % 2 == 0 ? 1.0 : -1.0);
	}
	weir_moments offset = weir_moments_of(values, COUNT);
	ck_assert_double_eq(offset.mean, 1e9);
	ck_assert_double_eq_tol(offset.deviation, sqrt((double)COUNT / (COUNT - 1)), 1e-15);
	/* Values one unit in the last place apart: the rounded mean is as far off as they are. */
	double unit = nextafter(1e9, 2e9) - 1e9;
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = 1e9 + (i % 2 == 0 ? unit : 0.0);
	}
	double half = 0.5 * unit * sqrt((double)COUNT / (COUNT - 1));
	ck_assert_double_eq_tol(weir_moments_of(values, COUNT).deviation, half, 1e-15 * half);
	/* Small ones after a large one. */
	values[0] = 1e16;
	for (size_t i = 1; i < COUNT; i++) {
		values[i] = 1.0;
	}
	ck_assert_double_eq(weir_moments_of(values, COUNT).mean, (1e16 + (COUNT - 1)) / COUNT);
	gsl_rng *random = weir_stream_create(1, "moments", 0);
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = gsl_ran_lognormal(random, 0.0, 2.0);
	}
	weir_moments drawn = weir_moments_of(values, COUNT);
	double mean = gsl_stats_mean(values, 1, COUNT);
	double deviation = gsl_stats_sd_m(values, 1, COUNT, mean);
	ck_assert_double_eq_tol(drawn.mean, mean, 1e-13 * mean);
	ck_assert_double_eq_tol(drawn.deviation, deviation, 1e-11 * deviation);
	double minimum;
	double maximum;
	gsl_stats_minmax(&minimum, &maximum, values, 1, COUNT);
	ck_assert_double_eq(drawn.minimum, minimum);
	ck_assert_double_eq(drawn.maximum, maximum);
	gsl_rng_free(random);
	free(values);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/quantile");
	TCase *tests = tcase_create("quantile");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, hand_values_as_numpy_gives_them);
	tcase_add_test(tests, few_values);
	tcase_add_test(tests, quantiles_equal_those_of_sorted_values);
	tcase_add_test(tests, nan_is_dropped_and_nothing_else);
	tcase_add_test(tests, moments_by_hand);
	tcase_add_test(tests, moments_keep_their_digits);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
