#include "analysis/bootstrap.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "metrics/quantile.h"

typedef struct bootstrap {
	const double *values;
	size_t count;
	const weir_statistic *statistic;
	const weir_bootstrap_options *options;
	gsl_rng *random;
	double *resample; /* count; handed to the statistic */
	double *results;  /* of every resample */
} bootstrap;

static double compute_mean(const void *context, double *values, size_t count)
{
	(void)context;
	return weir_moments_of(values, count).mean;
}

static double compute_quantile(const void *context, double *values, size_t count)
{
	double result;
	weir_quantiles(values, count, context, 1, &result);
	return result;
}

static double compute_iqm(const void *context, double *values, size_t count)
{
	(void)context;
	size_t dropped = count / 4;
	gsl_sort(values, 1, count);
	return weir_moments_of(values + dropped, count - 2 * dropped).mean;
}

weir_statistic weir_statistic_mean(void)
{
	return (weir_statistic){.compute = compute_mean};
}

weir_statistic weir_statistic_quantile(const double *probability)
{
	return (weir_statistic){.compute = compute_quantile, .context = probability};
}

weir_statistic weir_statistic_iqm(void)
{
	return (weir_statistic){.compute = compute_iqm};
}

weir_bootstrap_options weir_bootstrap_options_default(void)
{
	return (weir_bootstrap_options){
	    .method = WEIR_BOOTSTRAP_BCA, .confidence = 0.95, .resamples = 10000};
}

static double statistic_of(const bootstrap *b, double *values, size_t count)
{
	return b->statistic->compute(b->statistic->context, values, count);
}

static void draw_stratum(bootstrap *b, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t drawn = gsl_rng_uniform_int(b->random, count);
		b->resample[first + i] = b->values[first + drawn];
	}
}

static void resample(bootstrap *b)
{
	for (size_t r = 0; r < b->options->resamples; r++) {
		size_t first = 0;
		if (b->options->strata == NULL) {
			draw_stratum(b, 0, b->count);
		}
		for (size_t s = 0; b->options->strata != NULL && s < b->options->stratum_count; s++) {
			draw_stratum(b, first, b->options->strata[s]);
			first += b->options->strata[s];
		}
		b->results[r] = statistic_of(b, b->resample, b->count);
	}
}

/* Efron's a, from the statistic with each value left out in turn; 0 when they are all equal. */
static double acceleration(bootstrap *b, double *left_out)
{
	for (size_t i = 0; i < b->count; i++) {
		memcpy(b->resample, b->values, i * sizeof *b->values);
		memcpy(b->resample + i, b->values + i + 1, (b->count - i - 1) * sizeof *b->values);
		left_out[i] = statistic_of(b, b->resample, b->count - 1);
	}
	double mean = weir_moments_of(left_out, b->count).mean;
	double squares = 0.0;
	double cubes = 0.0;
	for (size_t i = 0; i < b->count; i++) {
		double off = mean - left_out[i];
		squares += off * off;
		cubes += off * off * off;
	}
	return squares > 0.0 ? cubes / (6.0 * squares * sqrt(squares)) : 0.0;
}

/* The normal quantile of the share of results below the estimate. With all on one side it would be
 * infinite: half a resample is taken to be on the other. */
static double bias(const bootstrap *b, double estimate)
{
	double below = 0.0;
	double resamples = (double)b->options->resamples;
	for (size_t r = 0; r < b->options->resamples; r++) {
		below += b->results[r] < estimate ? 1.0 : b->results[r] == estimate ? 0.5 : 0.0;
	}
	below = fmin(fmax(below, 0.5), resamples - 0.5);
	return gsl_cdf_ugaussian_Pinv(below / resamples);
}

/* Which quantile of the results bounds the interval instead of the one at z. Where a * w reaches 1
 * the transformation has its pole: beyond it there is nothing but the farthest result. */
static double corrected(double z0, double a, double z)
{
	double w = z0 + z;
	double room = 1.0 - a * w;
	return room > 0.0 ? gsl_cdf_ugaussian_P(z0 + w / room) : w > 0.0 ? 1.0 : 0.0;
}

static weir_status make_interval(bootstrap *b, weir_interval *interval, weir_error *error)
{
	memcpy(b->resample, b->values, b->count * sizeof *b->values);
	double estimate = statistic_of(b, b->resample, b->count);
	*interval = (weir_interval){.count = b->count,
	                            .value = estimate,
	                            .low = -(double)INFINITY,
	                            .high = (double)INFINITY,
	                            .half_width = (double)INFINITY};
	if (b->count == 1) {
		return WEIR_OK;
	}
	double tail = 0.5 * (1.0 - b->options->confidence);
	double probabilities[2] = {tail, 1.0 - tail};
	resample(b);
	if (b->options->method == WEIR_BOOTSTRAP_BCA) {
		double *left_out = weir_allocate(b->count, sizeof *left_out);
		if (left_out == NULL) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a jackknife");
		}
		double a = acceleration(b, left_out);
		free(left_out);
		double z0 = bias(b, estimate);
		double z = gsl_cdf_ugaussian_Qinv(tail);
		probabilities[0] = corrected(z0, a, -z);
		probabilities[1] = corrected(z0, a, z);
	}
	double bounds[2];
	weir_quantiles(b->results, b->options->resamples, probabilities, 2, bounds);
	interval->low = bounds[0];
	interval->high = bounds[1];
	interval->half_width = 0.5 * (bounds[1] - bounds[0]);
	return WEIR_OK;
}

static weir_status check_options(const weir_bootstrap_options *options, size_t count,
                                 weir_error *error)
{
	if (options->resamples == 0 || count > UINT32_MAX) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "%zu resamples of %zu values, expected at least 1 of at most %lu",
		                      options->resamples, count, (unsigned long)UINT32_MAX);
	}
	if (options->strata == NULL) {
		return WEIR_OK;
	}
	size_t left = count;
	for (size_t s = 0; s < options->stratum_count; s++) {
		if (options->strata[s] == 0 || options->strata[s] > left) {
			return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
			                      "stratum %zu has %zu values, and %zu are left of %zu", s,
			                      options->strata[s], left, count);
		}
		left -= options->strata[s];
	}
	if (left > 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL, "%zu values of %zu are in no stratum",
		                      left, count);
	}
	if (options->method == WEIR_BOOTSTRAP_BCA && options->stratum_count > 1) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, NULL,
		    "BCa of %zu strata: only the percentile bootstrap takes more than one",
		    options->stratum_count);
	}
	return WEIR_OK;
}

weir_status weir_bootstrap(const double *values, size_t count, const weir_statistic *statistic,
                           const weir_bootstrap_options *options, weir_interval *interval,
                           weir_error *error)
{
	weir_status status = weir_sample_check(values, count, options->confidence, "values", error);
	if (status == WEIR_OK) {
		status = check_options(options, count, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	bootstrap b = {
	    .values = values,
	    .count = count,
	    .statistic = statistic,
	    .options = options,
	    .random = weir_stream_create(options->seed, "bootstrap", options->index),
	    .resample = weir_allocate(count, sizeof *b.resample),
	    .results = weir_allocate(options->resamples, sizeof *b.results),
	};
	status = b.random != NULL && b.resample != NULL && b.results != NULL
	             ? make_interval(&b, interval, error)
	             : weir_error_set(error, WEIR_ERROR_MEMORY, NULL,
	                              "out of memory for %zu resamples of %zu values",
	                              options->resamples, count);
	if (b.random != NULL) {
		gsl_rng_free(b.random);
	}
	free(b.resample);
	free(b.results);
	return status;
}
