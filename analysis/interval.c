#include "analysis/interval.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "metrics/quantile.h"

/* From the upper tail: 1 - small would lose its digits. */
double weir_t_quantile(double confidence, double degrees)
{
	assert(confidence > 0.0 && confidence < 1.0 && degrees > 0.0);
	return gsl_cdf_tdist_Qinv(0.5 * (1.0 - confidence), degrees);
}

static weir_status check_confidence(double confidence, weir_error *error)
{
	if (!(confidence > 0.0 && confidence < 1.0)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "confidence %g, expected between 0 and 1", confidence);
	}
	return WEIR_OK;
}

weir_status weir_sample_check(const double *values, size_t count, double confidence,
                              const char *what, weir_error *error)
{
	if (count == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL, "%s: there are none", what);
	}
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i])) {
			return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
			                      "%s: number %zu of %zu is %g, expected a finite value", what, i,
			                      count, values[i]);
		}
	}
	return check_confidence(confidence, error);
}

weir_status weir_mean_interval(const double *values, size_t count, double confidence,
                               weir_interval *interval, weir_error *error)
{
	weir_status status = weir_sample_check(values, count, confidence, "values", error);
	if (status != WEIR_OK) {
		return status;
	}
	const weir_moments moments = weir_moments_of(values, count);
	double half = (double)INFINITY;
	if (count > 1) {
		half = weir_t_quantile(confidence, (double)(count - 1)) * moments.deviation /
		       sqrt((double)count);
	}
	*interval = (weir_interval){.count = count,
	                            .value = moments.mean,
	                            .low = moments.mean - half,
	                            .high = moments.mean + half,
	                            .half_width = half};
	return WEIR_OK;
}

weir_status weir_paired_interval(const double *a, const double *b, size_t count, double confidence,
                                 weir_interval *interval, weir_error *error)
{
	double *differences = weir_allocate(count > 0 ? count : 1, sizeof *differences);
	if (differences == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for %zu differences",
		                      count);
	}
	for (size_t i = 0; i < count; i++) {
		differences[i] = a[i] - b[i];
	}
	weir_status status = weir_mean_interval(differences, count, confidence, interval, error);
	free(differences);
	return status;
}

weir_status weir_replications_needed(double deviation, size_t done, double half_width,
                                     double confidence, size_t *needed, weir_error *error)
{
	weir_status status = check_confidence(confidence, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (!(half_width > 0.0) || !(deviation >= 0.0) || isinf(deviation)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "half-width %g, expected above 0; deviation %g, expected a finite "
		                      "value of at least 0",
		                      half_width, deviation);
	}
	/* The normal quantile is below every t: no n under this one can do, and few above it do not. */
	double z = gsl_cdf_ugaussian_Qinv(0.5 * (1.0 - confidence));
	double root = z * deviation / half_width;
	double n = fmax(fmax((double)done, 2.0), floor(root * root));
	while (n <= WEIR_REPLICATIONS_MOST &&
	       weir_t_quantile(confidence, n - 1.0) * deviation / sqrt(n) > half_width) {
		n += 1.0;
	}
	if (n > WEIR_REPLICATIONS_MOST) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "a half-width of %g with a deviation of %g takes more than %d "
		                      "replications; ask for a wider one",
		                      half_width, deviation, WEIR_REPLICATIONS_MOST);
	}
	*needed = (size_t)n;
	return WEIR_OK;
}
