/* Bins, what falls in them, and distributions: hand-made values, and GSL beside the fast way. */
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/series.h"
#include "support/test_support.h"

static const double nan_value = (double)NAN;

START_TEST(bins_have_round_widths)
{
	static const struct {
		double end;
		size_t most;
		double width;
		size_t count;
	} cases[] = {
	    {3600, 240, 15, 240}, {3600.001, 240, 20, 181}, {86400, 240, 400, 216}, {240, 240, 1, 240},
	    {241, 240, 1.5, 161}, {0.9, 240, 0.004, 225},   {1e6, 240, 5000, 200},  {10, 1, 10, 1},
	    {7, 3, 3, 3},         {0, 240, 1, 1},           {1e-9, 2, 5e-10, 2},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_bins bins = weir_bins_over(cases[i].end, cases[i].most);
		ck_assert_double_eq_tol(bins.width, cases[i].width, 1e-9 * cases[i].width);
		ck_assert_uint_eq(bins.count, cases[i].count);
	}
	ck_assert_uint_eq(weir_bins_over(nan_value, 10).count, 1);
	ck_assert_uint_eq(weir_bins_over(-5, 10).count, 1);
}
END_TEST

START_TEST(bins_of_intervals_are_whole_multiples)
{
	weir_bins bins = weir_bins_of_interval(10, 3600, 240);
	ck_assert_double_eq(bins.width, 20);
	ck_assert_uint_eq(bins.count, 180);
	bins = weir_bins_of_interval(10, 2400, 240);
	ck_assert_double_eq(bins.width, 10);
	ck_assert_uint_eq(bins.count, 240);
	bins = weir_bins_of_interval(10, 2405, 240);
	ck_assert_double_eq(bins.width, 20);
	ck_assert_uint_eq(bins.count, 121);
	bins = weir_bins_of_interval(60, 5, 240);
	ck_assert_double_eq(bins.width, 60);
	ck_assert_uint_eq(bins.count, 1);
}
END_TEST

START_TEST(times_find_their_bins)
{
	const weir_bins bins = {.width = 10, .count = 3};
	ck_assert_uint_eq(weir_bin_at(&bins, 0), 0);
	ck_assert_uint_eq(weir_bin_at(&bins, 9.999), 0);
	ck_assert_uint_eq(weir_bin_at(&bins, 10), 1);
	ck_assert_uint_eq(weir_bin_at(&bins, 30), 2);
	ck_assert_uint_eq(weir_bin_at(&bins, 1e12), 2);
	ck_assert_uint_eq(weir_bin_at(&bins, -1), WEIR_NO_BIN);
	ck_assert_uint_eq(weir_bin_at(&bins, nan_value), WEIR_NO_BIN);
	/* What is measured up to 10 s belongs to the first ten. */
	ck_assert_uint_eq(weir_bin_ending(&bins, 10), 0);
	ck_assert_uint_eq(weir_bin_ending(&bins, 10.000001), 0);
	ck_assert_uint_eq(weir_bin_ending(&bins, 10.001), 1);
	ck_assert_uint_eq(weir_bin_ending(&bins, 20), 1);
	ck_assert_uint_eq(weir_bin_ending(&bins, 0), 0);
	ck_assert_uint_eq(weir_bin_ending(&bins, 31), 2);
	ck_assert_uint_eq(weir_bin_ending(&bins, nan_value), WEIR_NO_BIN);
	const weir_bins tenths = {.width = 0.1, .count = 100};
	for (uint32_t i = 1; i <= 100; i++) {
		double time = 0;
		for (uint32_t j = 0; j < i; j++) {
			time += 0.1;
		}
		ck_assert_uint_eq(weir_bin_ending(&tenths, time), i - 1);
	}
}
END_TEST

static const uint32_t some_bins[] = {0, 0, 0, 2, 2, WEIR_NO_BIN, 3};
enum { SOME = 7, BINS = 5 };

START_TEST(counts_and_sums)
{
	static const uint8_t keep[SOME] = {1, 0, 1, 1, 1, 1, 0};
	static const double values[SOME] = {1, 2, NAN, 10, 20, 1000, 7};
	double result[BINS];
	weir_bin_counts(some_bins, NULL, SOME, BINS, result);
	static const double counts[BINS] = {3, 0, 2, 1, 0};
	ck_assert_mem_eq(result, counts, sizeof counts);
	weir_bin_counts(some_bins, keep, SOME, BINS, result);
	static const double kept[BINS] = {2, 0, 2, 0, 0};
	ck_assert_mem_eq(result, kept, sizeof kept);
	weir_bin_sums(some_bins, values, SOME, BINS, result);
	static const double sums[BINS] = {3, 0, 30, 7, 0};
	ck_assert_mem_eq(result, sums, sizeof sums);
}
END_TEST

START_TEST(bins_of_nothing_are_gaps)
{
	static const double values[SOME] = {4, 2, NAN, 10, 20, 1000, NAN};
	static const double weights[SOME] = {1, 3, 5, 1, 0, 1, 1};
	double result[BINS];
	weir_bin_combine(WEIR_BIN_MEAN, some_bins, weights, values, SOME, BINS, result);
	ck_assert_double_eq(result[0], 2.5);
	ck_assert_double_eq(result[2], 10);
	ck_assert(isnan(result[1]) && isnan(result[3]) && isnan(result[4]));
	weir_bin_combine(WEIR_BIN_MAX, some_bins, weights, values, SOME, BINS, result);
	ck_assert_double_eq(result[0], 4);
	ck_assert_double_eq(result[2], 20);
	ck_assert(isnan(result[1]) && isnan(result[3]) && isnan(result[4]));
	weir_bin_combine(WEIR_BIN_LAST, some_bins, weights, values, SOME, BINS, result);
	ck_assert_double_eq(result[0], 2);
	ck_assert_double_eq(result[2], 20);
	ck_assert(isnan(result[1]) && isnan(result[3]) && isnan(result[4]));
	static const double negative[] = {-3, -5};
	weir_bin_combine(WEIR_BIN_MAX, some_bins, weights, negative, 2, BINS, result);
	ck_assert_double_eq(result[0], -3);
}
END_TEST

START_TEST(quantiles_of_bins_are_gsls)
{
	enum { COUNT = 20000, MANY = 37, PROBABILITIES = 4 };
	static const double probabilities[PROBABILITIES] = {0, 0.1, 0.5, 0.99};
	gsl_rng *random = gsl_rng_alloc(gsl_rng_taus2);
	double *values = malloc(COUNT * sizeof *values);
	uint32_t *bin = malloc(COUNT * sizeof *bin);
	double *sorted = malloc(COUNT * sizeof *sorted);
	double result[PROBABILITIES * MANY];
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = i % 11 == 0 ? nan_value : floor(200 * gsl_rng_uniform(random)) / 7;
		/* Bin 5 stays empty. */
		bin[i] = (uint32_t)gsl_rng_uniform_int(random, MANY + 1);
		bin[i] = bin[i] == MANY || bin[i] == 5 ? WEIR_NO_BIN : bin[i];
	}
	ck_assert(weir_bin_quantiles(bin, values, COUNT, MANY, probabilities, PROBABILITIES, result));
	for (uint32_t b = 0; b < MANY; b++) {
		size_t found = 0;
		for (size_t i = 0; i < COUNT; i++) {
			if (bin[i] == b && !isnan(values[i])) {
				sorted[found++] = values[i];
			}
		}
		gsl_sort(sorted, 1, found);
		for (size_t p = 0; p < PROBABILITIES; p++) {
			if (b == 5) {
				ck_assert(isnan(result[p * MANY + b]));
				continue;
			}
			ck_assert_double_eq_tol(
			    result[p * MANY + b],
			    gsl_stats_quantile_from_sorted_data(sorted, 1, found, probabilities[p]), 1e-12);
		}
	}
	free(values);
	free(bin);
	free(sorted);
	gsl_rng_free(random);
}
END_TEST

START_TEST(distributions_run_from_least_to_greatest)
{
	enum { COUNT = 1001 };
	double values[COUNT];
	double result[WEIR_CDF_POINTS];
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = (double)((i * 577) % COUNT); /* 0 to 1000, in disorder */
	}
	weir_cdf(values, COUNT, result);
	for (size_t i = 0; i < WEIR_CDF_POINTS; i++) {
		ck_assert_double_eq_tol(result[i], 1000 * weir_cdf_probability(i), 1e-9);
	}
	ck_assert_double_eq(weir_cdf_probability(0), 0);
	ck_assert_double_eq(weir_cdf_probability(100), 0.5);
	ck_assert_double_eq(weir_cdf_probability(198), 0.99);
	ck_assert_double_eq_tol(weir_cdf_probability(199), 0.991, 1e-15);
	ck_assert_double_eq_tol(weir_cdf_probability(WEIR_CDF_POINTS - 1), 1, 1e-15);
	double one = 3;
	weir_cdf(&one, 1, result);
	ck_assert_double_eq(result[0], 3);
	ck_assert_double_eq(result[WEIR_CDF_POINTS - 1], 3);
	weir_cdf(&one, 0, result);
	ck_assert(isnan(result[7]));
}
END_TEST

START_TEST(numbers_are_rounded)
{
	ck_assert_double_eq(weir_round_digits(123456, 5), 123460);
	ck_assert_double_eq(weir_round_digits(-0.00012345678, 5), -0.00012346);
	ck_assert_double_eq(weir_round_digits(0, 5), 0);
	ck_assert_double_eq(weir_round_digits(2, 1), 2);
	ck_assert(isnan(weir_round_digits(nan_value, 5)));
	ck_assert(isinf(weir_round_digits((double)INFINITY, 5)));
	double values[] = {1, nan_value, (double)INFINITY, 4};
	ck_assert_uint_eq(weir_keep_finite(values, 4), 2);
	ck_assert_double_eq(values[1], 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("series");
	TCase *tcase = tcase_create("series");
	tcase_add_test(tcase, bins_have_round_widths);
	tcase_add_test(tcase, bins_of_intervals_are_whole_multiples);
	tcase_add_test(tcase, times_find_their_bins);
	tcase_add_test(tcase, counts_and_sums);
	tcase_add_test(tcase, bins_of_nothing_are_gaps);
	tcase_add_test(tcase, quantiles_of_bins_are_gsls);
	tcase_add_test(tcase, distributions_run_from_least_to_greatest);
	tcase_add_test(tcase, numbers_are_rounded);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
