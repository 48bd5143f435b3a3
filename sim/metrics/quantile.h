/* Exact quantiles and moments of one column of values. */
#ifndef WEIR_METRICS_QUANTILE_H
#define WEIR_METRICS_QUANTILE_H

#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

/* Moves the values that are not NaN to the front, in their order; returns their number. */
WEIR_API size_t weir_drop_nan(double *values, size_t count);

/*
 * The quantiles of `values` at `probabilities[probability_count]` (in [0, 1], not decreasing:
 * asserted) into `result`, by numpy's default, linear interpolation at index p * (count - 1) of the
 * sorted values (type 7 of Hyndman and Fan, 1996), rounded as numpy rounds. Values must be finite.
 * They are reordered. NaN when count is 0.
 *
 * Cost: successive selection (GSL's quickselect with the median of three), expected O(count) for a
 * handful of probabilities; O(count^2) only for an order made against it. Nothing is allocated.
 */
WEIR_API void weir_quantiles(double *values, size_t count, const double *probabilities,
                             size_t probability_count, double *result);

typedef struct weir_moments {
	size_t count;
	double mean;      /* NaN when count is 0, as are minimum and maximum */
	double deviation; /* of the sample, divisor count - 1; NaN when count is below 2 */
	double minimum, maximum;
} weir_moments;

/* The mean of finite values, NaN when count is 0, rounded from a sum that carries its rounding
 * errors along (Neumaier 1974): right to about one unit in the last place unless they cancel. */
WEIR_API double weir_mean_of(const double *values, size_t count);

/*
 * The moments of finite values, in three passes; the mean is weir_mean_of. The deviation is that of
 * the corrected two-pass method (Chan, Golub, LeVeque 1983): relative error below count * 2^-53,
 * however small it is against the mean.
 */
WEIR_API weir_moments weir_moments_of(const double *values, size_t count);

WEIR_END_C

#endif
