/*
 * Recorded values over time, made small enough to draw: bins, what is in them, and distributions as
 * quantile functions. A bin in which there is nothing has NaN, which is a gap and not a zero.
 */
#ifndef WEIR_ANALYSIS_SERIES_H
#define WEIR_ANALYSIS_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

/* No bin: of a time that is NaN or before 0. */
#define WEIR_NO_BIN UINT32_MAX

/* Bins of `width` seconds from time 0; the last one ends at or after the end of what was recorded.
 */
typedef struct weir_bins {
	double width;
	size_t count;
} weir_bins;

/* The narrowest bins of a round width (1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten) of which at
 * most `most` reach `end`. One bin of a second where `end` is not above 0. */
WEIR_API weir_bins weir_bins_over(double end, size_t most);

/* Likewise, with a width that is a whole multiple of `interval` (above 0), for values that come at
 * its ends. */
WEIR_API weir_bins weir_bins_of_interval(double interval, double end, size_t most);

/* The bin of what happens at `time`: bin i holds [i, i + 1) * width; later times are put in the
 * last one. */
WEIR_API uint32_t weir_bin_at(const weir_bins *bins, double time);

/* The bin of what was measured over an interval that ends at `time`: bin i holds (i, i + 1] *
 * width, give or take a millionth of the width. */
WEIR_API uint32_t weir_bin_ending(const weir_bins *bins, double time);

/* How many of `count` values fall in each bin: those with keep[i] != 0, or all where `keep` is
 * NULL. counts[bins]. */
WEIR_API void weir_bin_counts(const uint32_t *bin, const uint8_t *keep, size_t count, size_t bins,
                              double *counts);

/* Their sums; what is NaN is left out. sums[bins], 0 where there is nothing. */
WEIR_API void weir_bin_sums(const uint32_t *bin, const double *values, size_t count, size_t bins,
                            double *sums);

/* How the values of a bin become one. NaN values are left out; NaN where there are no others. */
typedef enum weir_bin_kind {
	WEIR_BIN_MEAN, /* weighted */
	WEIR_BIN_MAX,
	WEIR_BIN_LAST /* in the order of the rows */
} weir_bin_kind;

/* `weights` (at least 0) count for the mean alone. A bin whose weights add up to 0 is a gap. */
WEIR_API void weir_bin_combine(weir_bin_kind kind, const uint32_t *bin, const double *weights,
                               const double *values, size_t count, size_t bins, double *result);

/*
 * Exact quantiles of the finite values of each bin, as weir_quantiles has them:
 * result[p * bins + b] for probabilities[p], which do not decrease. False when memory is out. Cost:
 * O(count * probability_count) time, count doubles of memory.
 */
WEIR_API bool weir_bin_quantiles(const uint32_t *bin, const double *values, size_t count,
                                 size_t bins, const double *probabilities, size_t probability_count,
                                 double *result);

/* The places at which a distribution is drawn: every half per cent, and from 99 % on every tenth.
 */
enum { WEIR_CDF_POINTS = 209 };
WEIR_API double weir_cdf_probability(size_t point);

/* The quantile function at these: result[WEIR_CDF_POINTS]. `values` must be finite; they are sorted
 * here. NaN when count is 0. O(count log count). */
WEIR_API void weir_cdf(double *values, size_t count, double *result);

/* Moves the finite values to the front, in their order; returns their number. */
WEIR_API size_t weir_keep_finite(double *values, size_t count);

/* The nearest decimal number of so many significant digits (1 to 17); what is not finite stays. */
WEIR_API double weir_round_digits(double value, int digits);

WEIR_END_C

#endif
