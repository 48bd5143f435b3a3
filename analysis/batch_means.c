#include "analysis/batch_means.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "metrics/quantile.h"

enum { LEAST_BATCHES = 3 };

static void check_independence(const double *means, size_t batches, double mean,
                               weir_batch_means *result)
{
	double squares = 0.0;
	double products = 0.0;
	double steps = 0.0;
	for (size_t i = 0; i < batches; i++) {
		double off = means[i] - mean;
		squares += off * off;
		if (i > 0) {
			double step = means[i] - means[i - 1];
			products += off * (means[i - 1] - mean);
			steps += step * step;
		}
	}
	result->autocorrelation = 0.0;
	result->independence_p = 1.0;
	if (squares > 0.0) {
		double b = (double)batches;
		double c = 1.0 - steps / (2.0 * squares);
		result->autocorrelation = products / squares;
		result->independence_p = gsl_cdf_ugaussian_Q(c / sqrt((b - 2.0) / (b * b - 1.0)));
	}
}

weir_status weir_batch_means_of(const double *values, size_t count, size_t batches,
                                double confidence, weir_batch_means *result, weir_error *error)
{
	weir_status status = weir_sample_check(values, count, confidence, "values", error);
	if (status != WEIR_OK) {
		return status;
	}
	if (batches < LEAST_BATCHES || batches > count) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "%zu batches of %zu values, expected from %d to as many as values",
		                      batches, count, LEAST_BATCHES);
	}
	double *means = weir_allocate(batches, sizeof *means);
	if (means == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for %zu batch means",
		                      batches);
	}
	size_t size = count / batches;
	size_t skipped = count - size * batches;
	for (size_t i = 0; i < batches; i++) {
		means[i] = weir_moments_of(values + skipped + i * size, size).mean;
	}
	status = weir_mean_interval(means, batches, confidence, &result->interval, error);
	if (status == WEIR_OK) {
		result->batch_size = size;
		result->skipped = skipped;
		check_independence(means, batches, result->interval.value, result);
	}
	free(means);
	return status;
}
