#include "analysis/mser.h"

#include <math.h>

enum { LEAST_BATCHES = 2 };

static double batch_mean(const double *values, size_t batch)
{
	double sum = 0.0;
	for (size_t i = 0; i < WEIR_MSER_BATCH; i++) {
		sum += values[batch * WEIR_MSER_BATCH + i];
	}
	return sum / WEIR_MSER_BATCH;
}

/* From the last batch to the first, so that each d adds one batch to those kept (Welford 1962). */
static void find_least(const double *values, size_t batches, weir_truncation *truncation)
{
	double mean = 0.0;
	double squares = 0.0;
	size_t last_point = (batches - 1) / 2;
	truncation->statistic = (double)INFINITY;
	for (size_t d = batches; d-- > 0;) {
		double kept = (double)(batches - d);
		double batch = batch_mean(values, d);
		double off = batch - mean;
		mean += off / kept;
		squares += off * (batch - mean);
		double statistic = squares / (kept * kept);
		if (d <= last_point && statistic <= truncation->statistic) {
			truncation->dropped = d * WEIR_MSER_BATCH;
			truncation->mean = mean;
			truncation->statistic = statistic;
		}
	}
	truncation->settled = truncation->dropped < last_point * WEIR_MSER_BATCH;
}

weir_status weir_mser5(const double *values, size_t count, weir_truncation *truncation,
                       weir_error *error)
{
	size_t batches = count / WEIR_MSER_BATCH;
	if (batches < LEAST_BATCHES) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "a series of %zu values, expected at least %d to look for its "
		                      "warm-up",
		                      count, LEAST_BATCHES * WEIR_MSER_BATCH);
	}
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i])) {
			return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
			                      "value %zu of the series is %g, expected a finite one", i,
			                      values[i]);
		}
	}
	find_least(values, batches, truncation);
	return WEIR_OK;
}
