#include "scaling/forecast.h"

#include <assert.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

size_t weir_series_bytes(size_t capacity)
{
	return sizeof(weir_series) + capacity * sizeof(weir_observation);
}

void weir_series_start(weir_series *series, size_t capacity)
{
	assert(capacity >= 1);
	*series = (weir_series){.capacity = capacity};
}

void weir_series_add(weir_series *series, double time, double value)
{
	weir_observation observation = {time, value};
	if (series->count < series->capacity) {
		series->ring[series->count++] = observation;
		return;
	}
	series->ring[series->first] = observation;
	series->first = (series->first + 1) % series->capacity;
}

weir_observation weir_series_get(const weir_series *series, size_t i)
{
	assert(i < series->count);
	return series->ring[(series->first + i) % series->capacity];
}

bool weir_forecast_slope(const weir_series *series, const weir_slope_rule *rule, double now,
                         double horizon, weir_slope_forecast *forecast)
{
	size_t first = 0;
	while (first < series->count && weir_series_get(series, first).time <= now - rule->window) {
		first++;
	}
	size_t count = series->count - first;
	if (count < 2 || count < rule->least_points) {
		return false;
	}
	double origin = weir_series_get(series, first).time;
	double span = weir_series_get(series, series->count - 1).time - origin;
	if (span <= 0 || span < rule->least_coverage * rule->window) {
		return false;
	}
	double time = 0, value = 0;
	for (size_t i = first; i < series->count; i++) {
		weir_observation at = weir_series_get(series, i);
		time += at.time - origin;
		value += at.value;
	}
	time /= (double)count;
	value /= (double)count;
	double covariance = 0, variance = 0;
	for (size_t i = first; i < series->count; i++) {
		weir_observation at = weir_series_get(series, i);
		double distance = at.time - origin - time;
		covariance += distance * (at.value - value);
		variance += distance * distance;
	}
	double slope = covariance / variance;
	double predicted = fmax(value + slope * horizon, 0);
	if (rule->cap > 0 && value > 0) {
		predicted = fmin(predicted, rule->cap * value);
	}
	*forecast = (weir_slope_forecast){.mean = value, .slope = slope, .predicted = predicted};
	return true;
}

size_t weir_holt_winters_bytes(size_t period)
{
	return sizeof(weir_holt_winters) + 2 * period * sizeof(double);
}

/* After two periods: the line through their means, and what lies beside it. */
static void start_season(size_t period, weir_holt_winters *state)
{
	double sums[2] = {0, 0};
	for (size_t i = 0; i < 2 * period; i++) {
		sums[i / period] += state->season[i];
	}
	double m = (double)period;
	double first = sums[0] / m;
	double trend = (sums[1] / m - first) / m;
	double start = first - trend * (m - 1) / 2; /* the line at observation 0 */
	for (size_t i = 0; i < period; i++) {
		double early = state->season[i] - (start + trend * (double)i);
		double late = state->season[i + period] - (start + trend * (double)(i + period));
		state->season[i] = (early + late) / 2;
	}
	state->level = start + trend * (2 * m - 1);
	state->trend = trend;
}

void weir_holt_winters_add(const weir_smoothing *smoothing, weir_holt_winters *state, double value)
{
	size_t period = smoothing->period;
	bool learning = state->count < 2 * period;
	double *season = NULL;
	if (learning) {
		state->season[state->count] = value;
	} else if (period > 0) {
		season = &state->season[state->count % period];
	}
	state->count++;
	if (state->count == 1) {
		state->level = value;
	} else if (state->count == 2) {
		state->trend = value - state->level;
		state->level = value;
	} else {
		double seasonal = season != NULL ? *season : 0;
		double expected = state->level + smoothing->phi * state->trend;
		double level = smoothing->alpha * (value - seasonal) + (1 - smoothing->alpha) * expected;
		state->trend = smoothing->beta * (level - state->level) +
		               (1 - smoothing->beta) * smoothing->phi * state->trend;
		state->level = level;
		if (season != NULL) {
			*season = smoothing->gamma * (value - expected) + (1 - smoothing->gamma) * seasonal;
		}
	}
	if (learning && state->count == 2 * period) {
		start_season(period, state);
	}
}

double weir_holt_winters_ahead(const weir_smoothing *smoothing, const weir_holt_winters *state,
                               size_t steps, double *peak)
{
	assert(steps >= 1);
	size_t period = smoothing->period;
	bool seasonal = period > 0 && state->count >= 2 * period;
	double value = 0, damping = 1, damped = 0;
	for (size_t step = 1; step <= steps; step++) {
		damping *= smoothing->phi;
		damped += damping;
		value = state->level + damped * state->trend;
		if (seasonal) {
			value += state->season[(state->count + step - 1) % period];
		}
		*peak = step == 1 ? value : fmax(*peak, value);
	}
	return value;
}

size_t weir_ar_work(size_t count, size_t order)
{
	/* the columns, the right side and the residuals */
	return count * (order + 3);
}

/* Coefficients {c, a1, ..., ap} of values / scale. */
static bool fit(const double *values, size_t count, size_t order, double scale, double *work,
                double *coefficients)
{
	size_t rows = count - order, columns = order + 1;
	double *side = work + rows * columns, *residuals = side + rows;
	for (size_t row = 0; row < rows; row++) {
		work[row * columns] = 1;
		for (size_t lag = 1; lag <= order; lag++) {
			work[row * columns + lag] = values[row + order - lag] / scale;
		}
		side[row] = values[row + order] / scale;
	}
	double tau[WEIR_MOST_AR_ORDER + 1], norm[WEIR_MOST_AR_ORDER + 1];
	size_t order_of_columns[WEIR_MOST_AR_ORDER + 1];
	gsl_permutation permutation = {.size = columns, .data = order_of_columns};
	gsl_matrix_view matrix = gsl_matrix_view_array(work, rows, columns);
	gsl_vector_view tau_view = gsl_vector_view_array(tau, columns);
	gsl_vector_view norm_view = gsl_vector_view_array(norm, columns);
	gsl_vector_view solution = gsl_vector_view_array(coefficients, columns);
	gsl_vector_view side_view = gsl_vector_view_array(side, rows);
	gsl_vector_view residual_view = gsl_vector_view_array(residuals, rows);
	int sign;
	if (gsl_linalg_QRPT_decomp(&matrix.matrix, &tau_view.vector, &permutation, &sign,
	                           &norm_view.vector) != 0) {
		return false;
	}
	/* All columns are of order 1: what is left of a dependent one is rounding, about 1e-16. */
	size_t rank = gsl_linalg_QRPT_rank(&matrix.matrix, 1e-10 * fabs(work[0]));
	return gsl_linalg_QRPT_lssolve2(&matrix.matrix, &tau_view.vector, &permutation,
	                                &side_view.vector, rank, &solution.vector,
	                                &residual_view.vector) == 0;
}

bool weir_forecast_ar(const double *values, size_t count, size_t order, size_t steps, double *work,
                      double *path)
{
	assert(order >= 1 && order <= WEIR_MOST_AR_ORDER && count >= 1);
	double last = values[count - 1], scale = 0;
	for (size_t i = 0; i < count; i++) {
		scale = fmax(scale, fabs(values[i]));
	}
	double coefficients[WEIR_MOST_AR_ORDER + 1];
	bool fitted =
	    count >= 2 * order + 1 && scale > 0 && fit(values, count, order, scale, work, coefficients);
	for (size_t step = 0; fitted && step < steps; step++) {
		double next = coefficients[0] * scale;
		for (size_t lag = 1; lag <= order; lag++) {
			next +=
			    coefficients[lag] * (lag <= step ? path[step - lag] : values[count + step - lag]);
		}
		path[step] = next;
		fitted = isfinite(next);
	}
	for (size_t step = 0; !fitted && step < steps; step++) {
		path[step] = last;
	}
	return fitted;
}
