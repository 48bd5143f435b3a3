/* Arrival processes against their closed forms. Seeds are fixed; every interval is five standard
 * errors wide to either side, or the 0.01 % tails of a chi-square distribution. */
#include "workload/arrivals.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"

static const double errors_wide = 5;

static weir_arrivals *make(const weir_arrivals_config *config, double rate_scale)
{
	weir_error error = {0};
	weir_arrivals *arrivals = NULL;
	ck_assert_ok(weir_arrivals_create(config, rate_scale, &arrivals, &error), &error);
	return arrivals;
}

static void check_near(const char *what, double got, double expected, double standard_error)
{
	ck_assert_msg(fabs(got - expected) <= errors_wide * standard_error,
	              "%s is %.6g; expected %.6g, standard error %.2g", what, got, expected,
	              standard_error);
}

/* Gaps of a renewal process against mean, variance and fourth central moment. */
static void check_gaps(const weir_arrivals_config *config, double mean, double variance,
                       double fourth)
{
	enum { GAPS = 200000 };
	weir_arrivals *arrivals = make(config, 1);
	gsl_rng *random = weir_stream_create(11, "arrivals", 0);
	weir_arrivals_state state = {0};
	double last = weir_arrivals_next(arrivals, &state, random);
	double sum = 0;
	double squares = 0;
	for (int i = 0; i < GAPS; i++) {
		double time = weir_arrivals_next(arrivals, &state, random);
		double gap = time - last;
		ck_assert(gap >= 0);
		sum += gap;
		squares += (gap - mean) * (gap - mean);
		last = time;
	}
	check_near("mean gap", sum / GAPS, mean, sqrt(variance / GAPS));
	check_near("variance", squares / GAPS, variance, sqrt((fourth - variance * variance) / GAPS));
	gsl_rng_free(random);
	weir_arrivals_destroy(arrivals);
}

START_TEST(poisson_gaps_are_exponential)
{
	weir_arrivals_config config = {.kind = WEIR_ARRIVALS_POISSON, .rate = 4};
	check_gaps(&config, 0.25, 0.0625, 9 * 0.0625 * 0.0625);
}
END_TEST

START_TEST(gamma_gaps_have_their_cv)
{
	const double cvs[] = {0.3, 1, 2.5};
	for (size_t i = 0; i < 3; i++) {
		weir_arrivals_config config = {.kind = WEIR_ARRIVALS_GAMMA, .rate = 5, .cv = cvs[i]};
		double variance = pow(0.2 * cvs[i], 2);
		check_gaps(&config, 0.2, variance, variance * variance * (3 + 6 * cvs[i] * cvs[i]));
	}
}
END_TEST

static void check_weibull(const weir_arrivals_config *config, double shape)
{
	double g[5];
	double scale = 1 / (config->rate * tgamma(1 + 1 / shape));
	for (int n = 1; n <= 4; n++) {
		g[n] = pow(scale, n) * tgamma(1 + n / shape);
	}
	double variance = g[2] - g[1] * g[1];
	double fourth = g[4] - 4 * g[3] * g[1] + 6 * g[2] * g[1] * g[1] - 3 * pow(g[1], 4);
	check_gaps(config, 1 / config->rate, variance, fourth);
	if (config->shape == 0) {
		ck_assert_double_eq_tol(sqrt(variance) * config->rate, config->cv, 1e-12);
	}
}

START_TEST(weibull_gaps_have_their_shape_or_cv)
{
	weir_arrivals_config config = {.kind = WEIR_ARRIVALS_WEIBULL, .rate = 8, .shape = 0.7};
	check_weibull(&config, 0.7);
	/* Shape 1 is the exponential distribution, shape 0.5 has cv sqrt(5). */
	config = (weir_arrivals_config){.kind = WEIR_ARRIVALS_WEIBULL, .rate = 8, .cv = 1};
	check_weibull(&config, 1);
	config.cv = sqrt(5.0);
	check_weibull(&config, 0.5);
}
END_TEST

START_TEST(constant_arrivals_are_exact)
{
	weir_arrivals_config config = {.kind = WEIR_ARRIVALS_CONSTANT, .rate = 5};
	weir_arrivals *arrivals = make(&config, 2);
	weir_arrivals_state state = {0};
	for (int i = 0; i < 1000; i++) {
		ck_assert_double_eq(weir_arrivals_next(arrivals, &state, NULL), i / 10.0);
	}
	weir_arrivals_destroy(arrivals);
}
END_TEST

/* The mean number of arrivals in a first stretch shorter than a mean gap, over many starts. */
static void check_stationary(const weir_arrivals_config *config, double stretch, double expected)
{
	enum { STARTS = 40000 };
	weir_arrivals *arrivals = make(config, 1);
	gsl_rng *random = weir_stream_create(3, "arrivals", 0);
	double sum = 0;
	double squares = 0;
	for (int i = 0; i < STARTS; i++) {
		weir_arrivals_state state = {0};
		int count = 0;
		while (weir_arrivals_next(arrivals, &state, random) < stretch) {
			count++;
		}
		sum += count;
		squares += (double)count * count;
	}
	double mean = sum / STARTS;
	check_near("count", mean, expected, sqrt((squares / STARTS - mean * mean) / STARTS));
	gsl_rng_free(random);
	weir_arrivals_destroy(arrivals);
}

START_TEST(processes_are_stationary_from_the_start)
{
	check_stationary(&(weir_arrivals_config){.kind = WEIR_ARRIVALS_GAMMA, .rate = 1, .cv = 2}, 0.5,
	                 0.5);
	check_stationary(&(weir_arrivals_config){.kind = WEIR_ARRIVALS_GAMMA, .rate = 1, .cv = 0.2},
	                 0.5, 0.5);
	check_stationary(&(weir_arrivals_config){.kind = WEIR_ARRIVALS_WEIBULL, .rate = 1, .cv = 2},
	                 0.5, 0.5);
	double rates[] = {0, 3, 1};
	double sojourns[] = {2, 1, 1};
	check_stationary(&(weir_arrivals_config){.kind = WEIR_ARRIVALS_MMPP,
	                                         .rates = {3, rates},
	                                         .sojourns = {3, sojourns}},
	                 0.5, 0.5);
	weir_rate_point points[] = {{0, 0}, {1, 2}};
	check_stationary(
	    &(weir_arrivals_config){.kind = WEIR_ARRIVALS_PIECEWISE, .points = {2, points}, .cv = 2},
	    0.5, 0.25);
}
END_TEST

/* Counts of a Poisson process in bins against the integral of its rate. */
static void check_counts(const weir_arrivals_config *config, double scale, double end,
                         double (*integral)(double time))
{
	enum { BINS = 50 };
	double counts[BINS] = {0};
	weir_arrivals *arrivals = make(config, scale);
	gsl_rng *random = weir_stream_create(5, "arrivals", 0);
	weir_arrivals_state state = {0};
	for (double time; (time = weir_arrivals_next(arrivals, &state, random)) < end;) {
		counts[(int)(time / end * BINS)]++;
	}
	double statistic = 0;
	int freedom = 0;
	for (int i = 0; i < BINS; i++) {
		double expected = scale * (integral(end * (i + 1) / BINS) - integral(end * i / BINS));
		if (expected == 0) {
			ck_assert_double_eq(counts[i], 0);
			continue;
		}
		ck_assert_double_ge(expected, 20);
		statistic += pow(counts[i] - expected, 2) / expected;
		freedom++;
	}
	ck_assert_msg(statistic < gsl_cdf_chisq_Qinv(1e-4, freedom) &&
	                  statistic > gsl_cdf_chisq_Pinv(1e-4, freedom),
	              "chi-square %g with %d degrees of freedom", statistic, freedom);
	gsl_rng_free(random);
	weir_arrivals_destroy(arrivals);
}

/* 0 until 20, up to 8 at 60, 2 from 60 to 100, again and again. */
static double saw_integral(double time)
{
	double cycles = floor(time / 100);
	double t = time - 100 * cycles;
	double total = cycles * 240;
	if (t > 20) {
		double x = fmin(t, 60) - 20;
		total += 0.1 * x * x;
	}
	return total + (t > 60 ? 2 * (t - 60) : 0);
}

START_TEST(piecewise_counts_follow_the_rate)
{
	weir_rate_point points[] = {{0, 0}, {20, 0}, {60, 8}, {60, 2}, {100, 2}};
	weir_arrivals_config config = {.kind = WEIR_ARRIVALS_PIECEWISE, .cv = 1, .points = {5, points}};
	check_counts(&config, 60, 100, saw_integral);
	config.period = 100;
	check_counts(&config, 60, 1000, saw_integral);
}
END_TEST

static double sine_integral(double time)
{
	double w = 2 * M_PI / 86400;
	return 10 * (time - 0.8 / w * (cos(w * (time - 21600)) - cos(w * 21600)));
}

START_TEST(diurnal_counts_follow_the_sine)
{
	weir_arrivals_config config = {.kind = WEIR_ARRIVALS_DIURNAL,
	                               .mean = 10,
	                               .amplitude = 0.8,
	                               .period = 86400,
	                               .phase = 21600,
	                               .cv = 1};
	check_counts(&config, 0.1, 2 * 86400, sine_integral);
}
END_TEST

static double ramp_integral(double time)
{
	return time < 100 ? 2 * time + 0.04 * time * time : 600 + 10 * (time - 100);
}

static double crowd_integral(double time)
{
	double total = 5 * time;
	double rise = fmin(fmax(time - 40, 0), 10);
	double hold = fmin(fmax(time - 50, 0), 20);
	double fall = fmin(fmax(time - 70, 0), 30);
	total += 4.5 / 2 * rise * rise + 45 * hold;
	return total + 45 * fall - 1.5 / 2 * fall * fall;
}

START_TEST(ramps_and_crowds_follow_their_shape)
{
	weir_arrivals_config config = {
	    .kind = WEIR_ARRIVALS_RAMP, .from = 2, .to = 10, .duration = 100, .cv = 1};
	check_counts(&config, 20, 150, ramp_integral);
	config = (weir_arrivals_config){.kind = WEIR_ARRIVALS_FLASH_CROWD,
	                                .base = 5,
	                                .peak = 50,
	                                .start = 40,
	                                .rise = 10,
	                                .hold = 20,
	                                .fall = 30,
	                                .cv = 1};
	check_counts(&config, 10, 120, crowd_integral);
	/* A rate that falls to nothing ends the stream. */
	config = (weir_arrivals_config){
	    .kind = WEIR_ARRIVALS_RAMP, .from = 20, .to = 0, .duration = 100, .cv = 1};
	weir_arrivals *arrivals = make(&config, 1);
	gsl_rng *random = weir_stream_create(5, "arrivals", 0);
	weir_arrivals_state state = {0};
	int count = 0;
	double time;
	while (isfinite(time = weir_arrivals_next(arrivals, &state, random))) {
		ck_assert_double_le(time, 100);
		count++;
	}
	check_near("count", count, 1000, sqrt(1000));
	ck_assert(isinf(weir_arrivals_next(arrivals, &state, random)));
	gsl_rng_free(random);
	weir_arrivals_destroy(arrivals);
}
END_TEST

START_TEST(changing_rates_keep_their_burstiness)
{
	/* Taken back through the integral, gaps are gamma with mean 1. */
	enum { GAPS = 100000 };
	weir_rate_point points[] = {{0, 1}, {50, 9}, {80, 2}};
	weir_arrivals_config config = {
	    .kind = WEIR_ARRIVALS_PIECEWISE, .points = {3, points}, .period = 100, .cv = 1.8};
	weir_arrivals *arrivals = make(&config, 1);
	weir_error error = {0};
	weir_rate_curve *curve = NULL;
	ck_assert_ok(weir_rate_curve_create(points, 3, 100, 1, &curve, &error), &error);
	gsl_rng *random = weir_stream_create(8, "arrivals", 0);
	weir_arrivals_state state = {0};
	double last = weir_rate_curve_integral(curve, weir_arrivals_next(arrivals, &state, random));
	double sum = 0;
	double squares = 0;
	for (int i = 0; i < GAPS; i++) {
		double now = weir_rate_curve_integral(curve, weir_arrivals_next(arrivals, &state, random));
		sum += now - last;
		squares += (now - last - 1) * (now - last - 1);
		last = now;
	}
	double variance = 1.8 * 1.8;
	check_near("mean", sum / GAPS, 1, sqrt(variance / GAPS));
	check_near("variance", squares / GAPS, variance,
	           sqrt(variance * variance * (2 + 6 * variance) / GAPS));
	gsl_rng_free(random);
	weir_rate_curve_destroy(curve);
	weir_arrivals_destroy(arrivals);
}
END_TEST

/* Mean and index of dispersion of counts in `windows` windows of `width` seconds. */
static void count_windows(const weir_arrivals *arrivals, double width, int windows, double *mean,
                          double *dispersion)
{
	gsl_rng *random = weir_stream_create(21, "arrivals", 0);
	weir_arrivals_state state = {0};
	double time = weir_arrivals_next(arrivals, &state, random);
	double sum = 0;
	double squares = 0;
	for (int i = 0; i < windows; i++) {
		int count = 0;
		while (time < width * (i + 1)) {
			count++;
			time = weir_arrivals_next(arrivals, &state, random);
		}
		sum += count;
		squares += (double)count * count;
	}
	gsl_rng_free(random);
	*mean = sum / windows;
	*dispersion = (squares / windows - *mean * *mean) / *mean;
}

START_TEST(mmpp_of_two_states_has_the_dispersion_of_theory)
{
	/* Fischer and Meier-Hellstern 1993, "The Markov-modulated Poisson process cookbook": rates l,
	 * rates of leaving a state s. */
	double l[] = {2, 30};
	double sojourns[] = {4, 1};
	double s[] = {1 / sojourns[0], 1 / sojourns[1]};
	weir_arrivals_config config = {
	    .kind = WEIR_ARRIVALS_MMPP, .rates = {2, l}, .sojourns = {2, sojourns}};
	weir_arrivals *arrivals = make(&config, 1);
	const double widths[] = {0.1, 1, 20};
	for (size_t i = 0; i < 3; i++) {
		double t = widths[i];
		double both = s[0] + s[1];
		double expected = 1 + 2 * s[0] * s[1] * pow(l[0] - l[1], 2) /
		                          (both * both * (l[0] * s[1] + l[1] * s[0])) *
		                          (1 - (1 - exp(-both * t)) / (both * t));
		double mean = 0;
		double dispersion = 0;
		int windows = (int)(200000 / fmax(t, 1));
		count_windows(arrivals, t, windows, &mean, &dispersion);
		/* In all (4 * 2 + 1 * 30) / 5 a second; the variance of a long count is that of theory. */
		double long_run =
		    1 + 2 * s[0] * s[1] * pow(l[0] - l[1], 2) / (both * both * (l[0] * s[1] + l[1] * s[0]));
		double mean_error = sqrt(7.6 * long_run / (windows * t));
		check_near("rate", mean / t, 7.6, mean_error);
		ck_assert_double_gt(dispersion, 1.05);
		ck_assert_msg(fabs(dispersion / expected - 1) < 0.06, "dispersion %g in %g s, theory %g",
		              dispersion, t, expected);
	}
	weir_arrivals_destroy(arrivals);
}
END_TEST

START_TEST(mmpp_of_three_states_has_its_mean_rate)
{
	double rates[] = {0, 5, 50};
	double sojourns[] = {10, 5, 1};
	weir_arrivals_config config = {
	    .kind = WEIR_ARRIVALS_MMPP, .rates = {3, rates}, .sojourns = {3, sojourns}};
	weir_arrivals *arrivals = make(&config, 1);
	double mean = 0;
	double dispersion = 0;
	count_windows(arrivals, 200, 4000, &mean, &dispersion);
	check_near("rate", mean / 200, 75.0 / 16, sqrt(mean * dispersion / 4000) / 200);
	ck_assert_double_gt(dispersion, 20);
	weir_arrivals_destroy(arrivals);
}
END_TEST

START_TEST(wrong_arrivals_are_refused)
{
	double rates[] = {1, -1};
	double none[] = {0, 0};
	double times[] = {1, 0};
	const struct {
		weir_arrivals_config config;
		const char *where;
	} cases[] = {
	    {{.kind = WEIR_ARRIVALS_LIKE}, "kind"},
	    {{.kind = WEIR_ARRIVALS_POISSON, .rate = 0}, "rate"},
	    {{.kind = WEIR_ARRIVALS_CONSTANT, .rate = NAN}, "rate"},
	    {{.kind = WEIR_ARRIVALS_GAMMA, .rate = INFINITY, .cv = 1}, "rate"},
	    {{.kind = WEIR_ARRIVALS_GAMMA, .rate = 1, .cv = 0}, "cv"},
	    {{.kind = WEIR_ARRIVALS_WEIBULL, .rate = 1, .cv = 100}, "cv"},
	    {{.kind = WEIR_ARRIVALS_WEIBULL, .rate = 1, .shape = -1}, "shape"},
	    {{.kind = WEIR_ARRIVALS_MMPP, .rates = {1, rates}, .sojourns = {1, rates}}, "rates"},
	    {{.kind = WEIR_ARRIVALS_MMPP, .rates = {2, rates}, .sojourns = {2, rates}}, "rates"},
	    {{.kind = WEIR_ARRIVALS_MMPP, .rates = {2, none}, .sojourns = {1, rates}}, "rates"},
	    {{.kind = WEIR_ARRIVALS_MMPP, .rates = {2, times}, .sojourns = {2, times}}, "sojourns"},
	    {{.kind = WEIR_ARRIVALS_PIECEWISE, .cv = 1}, "points"},
	    {{.kind = WEIR_ARRIVALS_DIURNAL, .cv = 1, .mean = 1, .amplitude = 1.1}, "amplitude"},
	    {{.kind = WEIR_ARRIVALS_DIURNAL, .cv = 1, .mean = 1, .amplitude = 1}, "period"},
	    {{.kind = WEIR_ARRIVALS_RAMP, .cv = 1, .duration = 5}, "to"},
	    {{.kind = WEIR_ARRIVALS_RAMP, .cv = 1, .from = 1}, "duration"},
	    {{.kind = WEIR_ARRIVALS_FLASH_CROWD, .cv = 1, .base = 1}, "peak"},
	    {{.kind = WEIR_ARRIVALS_FLASH_CROWD, .cv = 1, .peak = 1, .hold = -1}, "hold"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_arrivals *arrivals = NULL;
		weir_status status = weir_arrivals_create(&cases[i].config, 1, &arrivals, &error);
		ck_assert_msg(status == WEIR_ERROR_INPUT && strcmp(error.where, cases[i].where) == 0,
		              "case %zu: %d %s: %s", i, status, error.where, error.message);
		ck_assert_ptr_null(arrivals);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/arrivals");
	TCase *tests = tcase_create("arrivals");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, poisson_gaps_are_exponential);
	tcase_add_test(tests, gamma_gaps_have_their_cv);
	tcase_add_test(tests, weibull_gaps_have_their_shape_or_cv);
	tcase_add_test(tests, constant_arrivals_are_exact);
	tcase_add_test(tests, processes_are_stationary_from_the_start);
	tcase_add_test(tests, piecewise_counts_follow_the_rate);
	tcase_add_test(tests, diurnal_counts_follow_the_sine);
	tcase_add_test(tests, ramps_and_crowds_follow_their_shape);
	tcase_add_test(tests, changing_rates_keep_their_burstiness);
	tcase_add_test(tests, mmpp_of_two_states_has_the_dispersion_of_theory);
	tcase_add_test(tests, mmpp_of_three_states_has_its_mean_rate);
	tcase_add_test(tests, wrong_arrivals_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
