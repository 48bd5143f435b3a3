/* Forecasts, worked out by hand and against the recursions that made the series. */
#include "scaling/forecast.h"

#include <gsl/gsl_multifit.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "support/test_support.h"

static weir_series *series_of(size_t capacity, const weir_observation *observations, size_t count)
{
	weir_series *series = weir_allocate(1, weir_series_bytes(capacity));
	weir_series_start(series, capacity);
	for (size_t i = 0; i < count; i++) {
		weir_series_add(series, observations[i].time, observations[i].value);
	}
	return series;
}

START_TEST(a_series_keeps_the_last_ones)
{
	const weir_observation five[] = {{0, 5}, {1, 6}, {2, 7}, {3, 8}, {4, 9}};
	weir_series *series = series_of(3, five, 5);
	ck_assert_uint_eq(series->count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_double_eq(weir_series_get(series, i).time, (double)i + 2);
		ck_assert_double_eq(weir_series_get(series, i).value, (double)i + 7);
	}
	free(series);
}
END_TEST

/* Mean of the times 15, of the values 14; covariance 60 + 0 - 10 + 90 = 140, variance 225 + 25 + 25
 * + 225 = 500: slope 0.28. */
static const weir_observation four[] = {{0, 10}, {10, 14}, {20, 12}, {30, 20}};
static const weir_slope_rule aibrix = {
    .window = 60, .least_points = 3, .least_coverage = 0.5, .cap = 4};

START_TEST(slope_adds_the_trend_to_the_mean)
{
	weir_series *series = series_of(8, four, 4);
	weir_slope_forecast forecast;
	ck_assert(weir_forecast_slope(series, &aibrix, 30, 50, &forecast));
	ck_assert_double_eq_tol(forecast.mean, 14, 1e-12);
	ck_assert_double_eq_tol(forecast.slope, 0.28, 1e-12);
	ck_assert_double_eq_tol(forecast.predicted, 14 + 0.28 * 50, 1e-12);
	/* At most four times the mean. */
	ck_assert(weir_forecast_slope(series, &aibrix, 30, 1000, &forecast));
	ck_assert_double_eq_tol(forecast.predicted, 56, 1e-12);
	weir_slope_rule uncapped = aibrix;
	uncapped.cap = 0;
	ck_assert(weir_forecast_slope(series, &uncapped, 30, 1000, &forecast));
	ck_assert_double_eq_tol(forecast.predicted, 294, 1e-9);
	free(series);
}
END_TEST

START_TEST(slope_on_a_line_is_the_lines_and_never_below_zero)
{
	const weir_observation line[] = {{100, 80}, {110, 60}, {120, 40}, {130, 20}};
	weir_series *series = series_of(4, line, 4);
	weir_slope_forecast forecast;
	ck_assert(weir_forecast_slope(series, &aibrix, 130, 20, &forecast));
	ck_assert_double_eq(forecast.slope, -2);
	ck_assert_double_eq(forecast.predicted, 50 - 40);
	ck_assert(weir_forecast_slope(series, &aibrix, 130, 30, &forecast));
	ck_assert_double_eq(forecast.predicted, 0);
	free(series);
}
END_TEST

START_TEST(slope_needs_points_and_coverage)
{
	weir_series *series = series_of(8, four, 4);
	weir_slope_forecast forecast = {.mean = -1};
	/* They span 30 s: half of 60 s, not of 61 s. */
	weir_slope_rule rule = aibrix;
	rule.window = 61;
	ck_assert(!weir_forecast_slope(series, &rule, 30, 50, &forecast));
	/* The window is open at its old end: of (10, 30] two are left, of (9, 30] three. */
	rule = (weir_slope_rule){.window = 20, .least_points = 3, .least_coverage = 0.5};
	ck_assert(!weir_forecast_slope(series, &rule, 30, 50, &forecast));
	ck_assert_double_eq(forecast.mean, -1);
	rule.window = 21;
	ck_assert(weir_forecast_slope(series, &rule, 30, 50, &forecast));
	ck_assert_double_eq_tol(forecast.mean, 46.0 / 3, 1e-12);
	ck_assert_double_eq_tol(forecast.slope, 0.3, 1e-12);
	free(series);
	/* All at one time have no slope. */
	const weir_observation at_once[] = {{5, 1}, {5, 2}, {5, 3}};
	series = series_of(8, at_once, 3);
	rule.least_coverage = 0;
	ck_assert(!weir_forecast_slope(series, &rule, 5, 50, &forecast));
	free(series);
}
END_TEST

static weir_holt_winters *smoothed(const weir_smoothing *smoothing, const double *values,
                                   size_t count)
{
	weir_holt_winters *state = weir_allocate(1, weir_holt_winters_bytes(smoothing->period));
	for (size_t i = 0; i < count; i++) {
		weir_holt_winters_add(smoothing, state, values[i]);
	}
	return state;
}

static double ahead(const weir_smoothing *smoothing, const weir_holt_winters *state, size_t steps)
{
	double peak;
	return weir_holt_winters_ahead(smoothing, state, steps, &peak);
}

/* FPP3 8.2, Holt's linear trend, and its damped form. The line starts at (12, 2). */
START_TEST(smoothing_of_level_and_trend_by_hand)
{
	const double values[] = {10, 12, 16};
	weir_smoothing holt = {.alpha = 0.5, .beta = 0.25, .phi = 1};
	weir_holt_winters *state = smoothed(&holt, values, 3);
	ck_assert_double_eq(state->level, 15);                          /* (16 + 14) / 2 */
	ck_assert_double_eq(state->trend, 0.25 * (15 - 12) + 0.75 * 2); /* 2.25 */
	ck_assert_double_eq(ahead(&holt, state, 1), 17.25);
	ck_assert_double_eq(ahead(&holt, state, 4), 24);
	free(state);
	weir_smoothing damped = {.alpha = 0.5, .beta = 0.25, .phi = 0.5};
	state = smoothed(&damped, values, 3);
	ck_assert_double_eq(state->level, 14.5); /* (16 + 13) / 2 */
	ck_assert_double_eq(state->trend, 0.25 * 2.5 + 0.75 * 0.5 * 2);
	ck_assert_double_eq(ahead(&damped, state, 2), 14.5 + (0.5 + 0.25) * 1.375);
	free(state);
	state = smoothed(&damped, values, 1);
	ck_assert_double_eq(ahead(&damped, state, 9), 10);
	free(state);
	state = smoothed(&damped, values, 0);
	ck_assert_double_eq(ahead(&damped, state, 9), 0);
	free(state);
}
END_TEST

/* FPP3 8.3. Two periods of two: means 15 and 17, so the line 14.5, 15.5, 16.5, 17.5 with 4.5 below
 * and above it in turn. */
START_TEST(smoothing_with_a_season_by_hand)
{
	const double values[] = {10, 20, 12, 22, 16};
	weir_smoothing winters = {.alpha = 0.5, .beta = 0.5, .gamma = 0.25, .phi = 1, .period = 2};
	weir_holt_winters *state = smoothed(&winters, values, 4);
	ck_assert_double_eq(state->level, 17.5);
	ck_assert_double_eq(state->trend, 1);
	ck_assert_double_eq(ahead(&winters, state, 1), 17.5 + 1 - 4.5);
	ck_assert_double_eq(ahead(&winters, state, 2), 17.5 + 2 + 4.5);
	weir_holt_winters_add(&winters, state, 16);
	ck_assert_double_eq(state->level, 0.5 * (16 + 4.5) + 0.5 * 18.5);        /* 19.5 */
	ck_assert_double_eq(state->trend, 0.5 * 2 + 0.5 * 1);                    /* 1.5 */
	ck_assert_double_eq(state->season[0], 0.25 * (16 - 18.5) + 0.75 * -4.5); /* -4 */
	double peak;
	ck_assert_double_eq(weir_holt_winters_ahead(&winters, state, 1, &peak), 19.5 + 1.5 + 4.5);
	ck_assert_double_eq(weir_holt_winters_ahead(&winters, state, 2, &peak), 19.5 + 3 - 4);
	ck_assert_double_eq(peak, 25.5);
	free(state);
}
END_TEST

START_TEST(smoothing_is_exact_on_a_line_with_a_period)
{
	const double pattern[] = {3, -5, 0, 7, -5};
	double values[200];
	for (size_t i = 0; i < 200; i++) {
		values[i] = 20 + 0.75 * (double)i + pattern[i % 5];
	}
	weir_smoothing winters = {.alpha = 0.3, .beta = 0.2, .gamma = 0.4, .phi = 1, .period = 5};
	for (size_t count = 10; count < 170; count += 3) {
		weir_holt_winters *state = smoothed(&winters, values, count);
		for (size_t h = 1; h <= 23; h++) {
			ck_assert_double_eq_tol(ahead(&winters, state, h), values[count - 1 + h], 1e-9);
		}
		free(state);
	}
}
END_TEST

static void check_ar(const double *values, size_t count, size_t order, size_t steps,
                     const double *expected, double tolerance)
{
	double *work = weir_allocate(weir_ar_work(count, order), sizeof *work);
	double *path = weir_allocate(steps, sizeof *path);
	ck_assert(weir_forecast_ar(values, count, order, steps, work, path));
	for (size_t i = 0; i < steps; i++) {
		ck_assert_double_eq_tol(path[i], expected[i], tolerance);
	}
	free(path);
	free(work);
}

/* Pairs (0,1), (1,2), (2,2): a = 1/2, c = 5/3 - 1/2 = 7/6. */
START_TEST(autoregression_of_order_one_by_hand)
{
	const double values[] = {0, 1, 2, 2};
	const double expected[] = {13.0 / 6, 2.25, 7.0 / 6 + 1.125};
	check_ar(values, 4, 1, 3, expected, 1e-12);
}
END_TEST

START_TEST(autoregression_is_exact_on_its_own_sequence)
{
	double values[60] = {10, 12};
	for (size_t i = 2; i < 60; i++) {
		values[i] = 3 + 1.2 * values[i - 1] - 0.9 * values[i - 2];
	}
	check_ar(values, 40, 2, 20, values + 40, 1e-9);
	check_ar(values + 1, 7, 2, 20, values + 8, 1e-9);
	/* A larger order has it as one of many solutions. */
	check_ar(values, 40, 5, 20, values + 40, 1e-8);
}
END_TEST

START_TEST(autoregression_follows_lines_and_constants)
{
	double line[40], constant[40], none[40] = {0};
	for (size_t i = 0; i < 40; i++) {
		line[i] = 7 + 3 * (double)i;
		constant[i] = 1e6;
	}
	for (size_t order = 1; order <= 8; order++) {
		check_ar(line, 20, order, 20, line + 20, 1e-8);
		check_ar(constant, 20, order, 20, constant, 1e-6);
	}
	double work[200], path[3];
	ck_assert(!weir_forecast_ar(none, 20, 2, 3, work, path));
	ck_assert_double_eq(path[2], 0);
}
END_TEST

START_TEST(autoregression_falls_back_to_the_last_value)
{
	double work[400], path[400];
	/* too few */
	const double few[] = {1, 2, 4, 9};
	ck_assert(!weir_forecast_ar(few, 4, 2, 3, work, path));
	for (int i = 0; i < 3; i++) {
		ck_assert_double_eq(path[i], 9);
	}
	/* Tenfold each time is beyond every double after 308 more. */
	const double explosion[] = {1, 10, 100, 1e3, 1e4, 1e5};
	ck_assert(weir_forecast_ar(explosion, 6, 1, 3, work, path));
	ck_assert_double_eq_tol(path[2], 1e8, 1);
	ck_assert(!weir_forecast_ar(explosion, 6, 1, 400, work, path));
	for (int i = 0; i < 400; i++) {
		ck_assert_double_eq(path[i], 1e5);
	}
}
END_TEST

/* The same least squares by GSL's singular value decomposition. */
START_TEST(autoregression_fits_like_multifit)
{
	enum { COUNT = 80, MOST_ORDER = 6 };
	gsl_rng *stream = weir_stream_create(1, "test.ar", 0);
	double values[COUNT], work[COUNT * (MOST_ORDER + 3)], next;
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = 50 + 40 * gsl_rng_uniform(stream) + (i > 0 ? 0.5 * values[i - 1] : 0);
	}
	for (size_t order = 1; order <= MOST_ORDER; order++) {
		ck_assert_uint_le(weir_ar_work(COUNT, order), sizeof work / sizeof *work);
		ck_assert(weir_forecast_ar(values, COUNT, order, 1, work, &next));
		size_t rows = COUNT - order;
		gsl_matrix *x = gsl_matrix_alloc(rows, order + 1);
		gsl_matrix *covariance = gsl_matrix_alloc(order + 1, order + 1);
		gsl_vector *y = gsl_vector_alloc(rows), *c = gsl_vector_alloc(order + 1);
		for (size_t row = 0; row < rows; row++) {
			gsl_matrix_set(x, row, 0, 1);
			for (size_t lag = 1; lag <= order; lag++) {
				gsl_matrix_set(x, row, lag, values[row + order - lag]);
			}
			gsl_vector_set(y, row, values[row + order]);
		}
		double squares;
		gsl_multifit_linear_workspace *space = gsl_multifit_linear_alloc(rows, order + 1);
		gsl_multifit_linear(x, y, c, covariance, &squares, space);
		double expected = gsl_vector_get(c, 0);
		for (size_t lag = 1; lag <= order; lag++) {
			expected += gsl_vector_get(c, lag) * values[COUNT - lag];
		}
		ck_assert_double_eq_tol(next, expected, 1e-9);
		gsl_multifit_linear_free(space);
		gsl_matrix_free(x);
		gsl_matrix_free(covariance);
		gsl_vector_free(y);
		gsl_vector_free(c);
	}
	gsl_rng_free(stream);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/forecast");
	TCase *tests = tcase_create("forecast");
	tcase_add_test(tests, a_series_keeps_the_last_ones);
	tcase_add_test(tests, slope_adds_the_trend_to_the_mean);
	tcase_add_test(tests, slope_on_a_line_is_the_lines_and_never_below_zero);
	tcase_add_test(tests, slope_needs_points_and_coverage);
	tcase_add_test(tests, smoothing_of_level_and_trend_by_hand);
	tcase_add_test(tests, smoothing_with_a_season_by_hand);
	tcase_add_test(tests, smoothing_is_exact_on_a_line_with_a_period);
	tcase_add_test(tests, autoregression_of_order_one_by_hand);
	tcase_add_test(tests, autoregression_is_exact_on_its_own_sequence);
	tcase_add_test(tests, autoregression_follows_lines_and_constants);
	tcase_add_test(tests, autoregression_falls_back_to_the_last_value);
	tcase_add_test(tests, autoregression_fits_like_multifit);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
