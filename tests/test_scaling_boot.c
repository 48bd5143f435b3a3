/* How long boots take. */
#include "scaling/boot.h"

#include <gsl/gsl_statistics.h>
#include <math.h>

#include "base/random.h"
#include "hardware/hardware.h"
#include "support/test_support.h"

static gsl_rng *draws;

static void setup(void)
{
	draws = weir_stream_create(1, "boot delays", 0);
}

static void teardown(void)
{
	gsl_rng_free(draws);
}

/* 100 s + 40 GB at 4 GB/s + 20 s */
static const weir_scaling_config provision = {
    .scale_up_delay = 7,
    .boot = {.kind = WEIR_BOOT_PROVISION,
             .provision = {.kind = WEIR_DURATION_CONSTANT, .mean = 100},
             .engine_start = {.kind = WEIR_DURATION_CONSTANT, .mean = 20},
             .load_bandwidth_gb_per_s = 4},
};
static const weir_boot cold = {.weights = 40 * WEIR_BYTES_PER_GB};
static const weir_boot warm = {.weights = 40 * WEIR_BYTES_PER_GB, .warm = true};

START_TEST(a_fixed_boot_takes_its_delay)
{
	weir_scaling_config fixed = provision;
	fixed.boot.kind = WEIR_BOOT_FIXED;
	ck_assert_double_eq(weir_boot_full(&fixed, &cold, draws), 7);
	ck_assert_double_eq(weir_boot_full(&fixed, &warm, draws), 7);
	ck_assert_double_eq(weir_boot_server(&fixed, &cold, draws), 7);
	ck_assert_double_eq(weir_boot_instance(&fixed, &cold, draws), 7);
	ck_assert_double_eq(weir_boot_mean(&fixed, &cold), 7);
}
END_TEST

START_TEST(a_provisioned_boot_is_the_sum_of_its_parts)
{
	ck_assert_double_eq(weir_boot_server(&provision, &cold, draws), 100);
	ck_assert_double_eq(weir_boot_instance(&provision, &cold, draws), 30);
	ck_assert_double_eq(weir_boot_full(&provision, &cold, draws), 130);
	ck_assert_double_eq(weir_boot_mean(&provision, &cold), 130);
}
END_TEST

START_TEST(a_warm_server_needs_no_provision)
{
	ck_assert_double_eq(weir_boot_server(&provision, &warm, draws), 0);
	ck_assert_double_eq(weir_boot_full(&provision, &warm, draws), 30);
	ck_assert_double_eq(weir_boot_mean(&provision, &warm), 30);
}
END_TEST

START_TEST(a_constant_draws_nothing)
{
	gsl_rng *other = weir_stream_create(1, "boot delays", 0);
	weir_boot_full(&provision, &cold, draws);
	ck_assert_uint_eq(gsl_rng_get(draws), gsl_rng_get(other));
	gsl_rng_free(other);
}
END_TEST

enum { SAMPLES = 200000 };
static double values[SAMPLES];

static void sample(const weir_duration_config *duration)
{
	for (int i = 0; i < SAMPLES; i++) {
		values[i] = weir_duration_draw(duration, draws);
		ck_assert(isfinite(values[i]) && values[i] >= 0);
	}
}

/* Mean and standard deviation within five standard errors: those of the mean are sd / sqrt(n); the
 * standard deviation's own are allowed 5 %, which holds for these shapes. */
static void check_moments(double mean, double deviation)
{
	ck_assert_double_eq_tol(gsl_stats_mean(values, 1, SAMPLES), mean,
	                        5 * deviation / sqrt(SAMPLES));
	ck_assert_double_eq_tol(gsl_stats_sd(values, 1, SAMPLES), deviation, 0.05 * deviation);
}

START_TEST(distributions_have_their_mean_and_width)
{
	const weir_duration_config exponential = {.kind = WEIR_DURATION_EXPONENTIAL, .mean = 30};
	sample(&exponential);
	check_moments(30, 30);
	const weir_duration_config lognormal = {.kind = WEIR_DURATION_LOGNORMAL, .mean = 90, .cv = 0.5};
	sample(&lognormal);
	check_moments(90, 45);
	const weir_duration_config uniform = {.kind = WEIR_DURATION_UNIFORM, .mean = 10, .spread = 0.2};
	sample(&uniform);
	check_moments(10, 4 / sqrt(12));
	ck_assert_double_ge(gsl_stats_min(values, 1, SAMPLES), 8);
	ck_assert_double_le(gsl_stats_max(values, 1, SAMPLES), 12);
}
END_TEST

/* P(X <= median) = 1/2, where the median of a lognormal is mean / sqrt(1 + cv^2). */
START_TEST(a_lognormal_is_lognormal)
{
	const weir_duration_config lognormal = {.kind = WEIR_DURATION_LOGNORMAL, .mean = 90, .cv = 2};
	sample(&lognormal);
	int below = 0;
	for (int i = 0; i < SAMPLES; i++) {
		below += values[i] <= 90 / sqrt(5.0);
	}
	ck_assert_double_eq_tol((double)below / SAMPLES, 0.5, 5 * 0.5 / sqrt(SAMPLES));
}
END_TEST

START_TEST(nothing_takes_no_time_and_no_draw)
{
	for (int kind = WEIR_DURATION_CONSTANT; kind <= WEIR_DURATION_UNIFORM; kind++) {
		const weir_duration_config none = {.kind = kind, .mean = 0, .cv = 0.5, .spread = 0.5};
		ck_assert_double_eq(weir_duration_draw(&none, draws), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/boot");
	TCase *tests = tcase_create("boot");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_fixed_boot_takes_its_delay);
	tcase_add_test(tests, a_provisioned_boot_is_the_sum_of_its_parts);
	tcase_add_test(tests, a_warm_server_needs_no_provision);
	tcase_add_test(tests, a_constant_draws_nothing);
	tcase_add_test(tests, distributions_have_their_mean_and_width);
	tcase_add_test(tests, a_lognormal_is_lognormal);
	tcase_add_test(tests, nothing_takes_no_time_and_no_draw);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
