/* Sizes against their closed forms: fixed seeds, five standard errors to either side. */
#include "workload/sizes.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"
#include "workload/trace_reader.h"

enum { DRAWS = 100000 };

static int64_t prompts[DRAWS];
static int64_t outputs[DRAWS];

static weir_size_config constant(int64_t value)
{
	return (weir_size_config){.kind = WEIR_SIZE_CONSTANT, .value = value};
}

static void draw_all(const weir_sizes_config *config, weir_source *sample)
{
	weir_error error = {0};
	weir_sizes *sizes = NULL;
	ck_assert_ok(weir_sizes_create(config, sample, &sizes, &error), &error);
	gsl_rng *random = weir_stream_create(17, "sizes", 0);
	for (int i = 0; i < DRAWS; i++) {
		weir_sizes_draw(sizes, random, &prompts[i], &outputs[i]);
	}
	gsl_rng_free(random);
	weir_sizes_destroy(sizes);
}

/* The share of prompts at or below `size` against its probability. */
static void check_share(int64_t size, double expected)
{
	double count = 0;
	for (int i = 0; i < DRAWS; i++) {
		count += prompts[i] <= size;
	}
	double standard_error = sqrt(expected * (1 - expected) / DRAWS);
	ck_assert_msg(fabs(count / DRAWS - expected) <= 5 * standard_error,
	              "%g of the sizes are at most %lld; expected %g", count / DRAWS, (long long)size,
	              expected);
}

START_TEST(constant_and_uniform_sizes)
{
	weir_sizes_config config = {
	    .kind = WEIR_SIZES_DRAWN,
	    .prompt = {.kind = WEIR_SIZE_UNIFORM, .minimum = 5, .maximum = 14},
	    .output = constant(7),
	};
	draw_all(&config, NULL);
	double counts[10] = {0};
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(outputs[i], 7);
		ck_assert(prompts[i] >= 5 && prompts[i] <= 14);
		counts[prompts[i] - 5]++;
	}
	double statistic = 0;
	for (int i = 0; i < 10; i++) {
		statistic += pow(counts[i] - DRAWS / 10.0, 2) / (DRAWS / 10.0);
	}
	ck_assert_double_lt(statistic, gsl_cdf_chisq_Qinv(1e-4, 9));
}
END_TEST

/* Where both are, nothing is drawn. */
START_TEST(constant_sizes)
{
	const weir_sizes_config config = {
	    .kind = WEIR_SIZES_DRAWN, .prompt = constant(3), .output = constant(7)};
	weir_error error = {0};
	weir_sizes *sizes = NULL;
	ck_assert_ok(weir_sizes_create(&config, NULL, &sizes, &error), &error);
	gsl_rng *random = weir_stream_create(17, "sizes", 0);
	gsl_rng *before = gsl_rng_clone(random);
	int64_t prompt = 0, output = 0;
	weir_sizes_draw(sizes, random, &prompt, &output);
	ck_assert_int_eq(prompt, 3);
	ck_assert_int_eq(output, 7);
	ck_assert_mem_eq(gsl_rng_state(random), gsl_rng_state(before), gsl_rng_size(random));
	gsl_rng_free(before);
	gsl_rng_free(random);
	weir_sizes_destroy(sizes);
}
END_TEST

START_TEST(lognormal_sizes_have_their_quantiles)
{
	weir_sizes_config config = {
	    .kind = WEIR_SIZES_DRAWN,
	    .prompt = {.kind = WEIR_SIZE_LOGNORMAL,
	               .median = 1000,
	               .sigma = 0.8,
	               .minimum = 1,
	               .maximum = 100000000},
	    .output = constant(1),
	};
	draw_all(&config, NULL);
	const int64_t at[] = {200, 500, 1000, 2000, 5000};
	for (size_t i = 0; i < 5; i++) {
		/* At most n after rounding is below n + 1/2. */
		check_share(at[i], gsl_cdf_ugaussian_P(log((double)at[i] + 0.5) / 0.8 - log(1000) / 0.8));
	}
	config.prompt.mean = 1000;
	config.prompt.median = 0;
	draw_all(&config, NULL);
	double sum = 0;
	for (int i = 0; i < DRAWS; i++) {
		sum += (double)prompts[i];
	}
	double deviation = 1000 * sqrt(exp(0.64) - 1);
	ck_assert_double_le(fabs(sum / DRAWS - 1000), 5 * deviation / sqrt(DRAWS));
}
END_TEST

START_TEST(lognormal_sizes_are_cut_not_piled_up)
{
	weir_sizes_config config = {
	    .kind = WEIR_SIZES_DRAWN,
	    .prompt = {.kind = WEIR_SIZE_LOGNORMAL,
	               .median = 1000,
	               .sigma = 1,
	               .minimum = 500,
	               .maximum = 1500},
	    .output = constant(1),
	};
	draw_all(&config, NULL);
	double below = gsl_cdf_ugaussian_P(log(0.5));
	double inside = gsl_cdf_ugaussian_P(log(1.5)) - below;
	const int64_t at[] = {500, 600, 1000, 1400, 1499};
	for (size_t i = 0; i < 5; i++) {
		double z = log(((double)at[i] + 0.5) / 1000);
		check_share(at[i], (gsl_cdf_ugaussian_P(z) - below) / inside);
	}
	for (int i = 0; i < DRAWS; i++) {
		ck_assert(prompts[i] >= 500 && prompts[i] <= 1500);
	}
}
END_TEST

START_TEST(quantile_tables_are_linear_between_entries)
{
	double probabilities[] = {0, 0.25, 0.5, 0.9, 1};
	double values[] = {10, 10, 50, 250, 1000};
	weir_sizes_config config = {
	    .kind = WEIR_SIZES_DRAWN,
	    .prompt = {.kind = WEIR_SIZE_QUANTILES,
	               .probabilities = {5, probabilities},
	               .values = {5, values}},
	    .output = constant(1),
	};
	draw_all(&config, NULL);
	check_share(10, 0.25 + 0.25 * 0.5 / 40);
	check_share(29, 0.25 + 0.25 * 19.5 / 40);
	check_share(49, 0.5 - 0.25 * 0.5 / 40);
	check_share(149, 0.5 + 0.4 * 99.5 / 200);
	check_share(799, 0.9 + 0.1 * 549.5 / 750);
	for (int i = 0; i < DRAWS; i++) {
		ck_assert(prompts[i] >= 10 && prompts[i] <= 1000);
	}
}
END_TEST

static double rank_correlation(void)
{
	static double x[DRAWS];
	static double y[DRAWS];
	static double work[2 * DRAWS];
	for (int i = 0; i < DRAWS; i++) {
		x[i] = (double)prompts[i];
		y[i] = (double)outputs[i];
	}
	return gsl_stats_spearman(x, 1, y, 1, DRAWS, work);
}

START_TEST(sizes_have_their_rank_correlation)
{
	const double wanted[] = {-1, -0.6, 0, 0.25, 0.9, 1};
	weir_sizes_config config = {
	    .kind = WEIR_SIZES_DRAWN,
	    .prompt = {.kind = WEIR_SIZE_UNIFORM, .minimum = 1, .maximum = 1000000},
	    .output = {.kind = WEIR_SIZE_LOGNORMAL,
	               .median = 10000,
	               .sigma = 1,
	               .minimum = 1,
	               .maximum = 100000000},
	};
	int64_t first = 0;
	for (size_t i = 0; i < 6; i++) {
		config.rank_correlation = wanted[i];
		draw_all(&config, NULL);
		double standard_error = 1.1 / sqrt(DRAWS);
		ck_assert_msg(fabs(rank_correlation() - wanted[i]) < 5 * standard_error,
		              "rank correlation %g, not %g", rank_correlation(), wanted[i]);
		/* Neither this nor the output's distribution touches the prompts. */
		ck_assert(i == 0 || prompts[DRAWS - 1] == first);
		first = prompts[DRAWS - 1];
	}
	config.output = constant(3);
	draw_all(&config, NULL);
	ck_assert_int_eq(prompts[DRAWS - 1], first);
}
END_TEST

START_TEST(pairs_of_a_trace_are_resampled)
{
	enum { PAIRS = 40 };
	char text[4096] = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
	for (int i = 0; i < PAIRS; i++) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof text - used, "2023-11-16 18:15:%02d.0000000,%d,%d\n", i,
		         100 + i, 7 * (100 + i));
	}
	const char *path = test_path("pairs.csv");
	test_write_file(path, text);
	weir_error error = {0};
	weir_source *sample = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &sample, &error), &error);
	draw_all(&(weir_sizes_config){.kind = WEIR_SIZES_TRACE}, sample);
	weir_source_destroy(sample);
	double counts[PAIRS] = {0};
	for (int i = 0; i < DRAWS; i++) {
		ck_assert_int_eq(outputs[i], 7 * prompts[i]);
		ck_assert(prompts[i] >= 100 && prompts[i] < 100 + PAIRS);
		counts[prompts[i] - 100]++;
	}
	double statistic = 0;
	for (int i = 0; i < PAIRS; i++) {
		statistic += pow(counts[i] - (double)DRAWS / PAIRS, 2) / ((double)DRAWS / PAIRS);
	}
	ck_assert_double_lt(statistic, gsl_cdf_chisq_Qinv(1e-4, PAIRS - 1));
}
END_TEST

START_TEST(a_broken_sample_is_told)
{
	const char *path = test_path("broken.csv");
	test_write_file(path, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	                      "2023-11-16 18:15:00.0000000,1,1\n"
	                      "2023-11-16 18:15:01.0000000,x,1\n");
	weir_error error = {0};
	weir_source *sample = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &sample, &error), &error);
	weir_sizes *sizes = NULL;
	weir_sizes_config config = {.kind = WEIR_SIZES_TRACE};
	ck_assert_int_eq(weir_sizes_create(&config, sample, &sizes, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "broken.csv:3"));
	ck_assert_ptr_null(sizes);
	weir_source_destroy(sample);
}
END_TEST

START_TEST(wrong_sizes_are_refused)
{
	double rising[] = {0, 0.5, 1};
	double falling[] = {3, 2, 1};
	double late[] = {0.1, 0.5, 1};
	double twice[] = {0, 0, 1};
	const weir_size_config one = constant(1);
	const struct {
		weir_sizes_config config;
		const char *where;
	} cases[] = {
	    {{.kind = WEIR_SIZES_LIKE}, "kind"},
	    {{.prompt = constant(0), .output = one}, "prompt.value"},
	    {{.prompt = one, .output = constant(INT64_C(2000000000))}, "output.value"},
	    {{.prompt = {.kind = WEIR_SIZE_UNIFORM, .minimum = 0, .maximum = 5}, .output = one},
	     "prompt.minimum"},
	    {{.prompt = one, .output = {.kind = WEIR_SIZE_UNIFORM, .minimum = 6, .maximum = 5}},
	     "output.maximum"},
	    {{.prompt = {.kind = WEIR_SIZE_LOGNORMAL, .minimum = 1, .maximum = 9, .median = 3},
	      .output = one},
	     "prompt.sigma"},
	    {{.prompt = {.kind = WEIR_SIZE_LOGNORMAL, .minimum = 1, .maximum = 9, .sigma = 1},
	      .output = one},
	     "prompt.median"},
	    {{.prompt = {.kind = WEIR_SIZE_LOGNORMAL,
	                 .minimum = 1,
	                 .maximum = 9,
	                 .sigma = 1,
	                 .mean = 1,
	                 .median = 1},
	      .output = one},
	     "prompt.median"},
	    {{.prompt = {.kind = WEIR_SIZE_LOGNORMAL,
	                 .minimum = 100000,
	                 .maximum = 200000,
	                 .sigma = 0.1,
	                 .median = 10},
	      .output = one},
	     "prompt.maximum"},
	    {{.prompt = {.kind = WEIR_SIZE_QUANTILES,
	                 .probabilities = {3, rising},
	                 .values = {3, falling}},
	      .output = one},
	     "prompt.values"},
	    {{.prompt = {.kind = WEIR_SIZE_QUANTILES,
	                 .probabilities = {2, rising},
	                 .values = {3, falling}},
	      .output = one},
	     "prompt.values"},
	    {{.prompt = {.kind = WEIR_SIZE_QUANTILES,
	                 .probabilities = {3, late},
	                 .values = {3, falling}},
	      .output = one},
	     "prompt.probabilities"},
	    {{.prompt = {.kind = WEIR_SIZE_QUANTILES,
	                 .probabilities = {3, twice},
	                 .values = {3, (double[]){1, 2, 3}}},
	      .output = one},
	     "prompt.probabilities"},
	    {{.prompt = one, .output = one, .rank_correlation = 1.5}, "rank_correlation"},
	    {{.prompt = one, .output = one, .rank_correlation = NAN}, "rank_correlation"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_sizes *sizes = NULL;
		weir_sizes_config config = cases[i].config;
		config.kind = i == 0 ? WEIR_SIZES_LIKE : WEIR_SIZES_DRAWN;
		weir_status status = weir_sizes_create(&config, NULL, &sizes, &error);
		ck_assert_msg(status == WEIR_ERROR_INPUT && strcmp(error.where, cases[i].where) == 0,
		              "case %zu: %d %s: %s", i, status, error.where, error.message);
		ck_assert_ptr_null(sizes);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/sizes");
	TCase *tests = tcase_create("sizes");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, constant_and_uniform_sizes);
	tcase_add_test(tests, constant_sizes);
	tcase_add_test(tests, lognormal_sizes_have_their_quantiles);
	tcase_add_test(tests, lognormal_sizes_are_cut_not_piled_up);
	tcase_add_test(tests, quantile_tables_are_linear_between_entries);
	tcase_add_test(tests, sizes_have_their_rank_correlation);
	tcase_add_test(tests, pairs_of_a_trace_are_resampled);
	tcase_add_test(tests, a_broken_sample_is_told);
	tcase_add_test(tests, wrong_sizes_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
