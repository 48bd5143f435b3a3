/* Confidence intervals of means over independent replications, and how many of them are needed. */
#ifndef WEIR_ANALYSIS_INTERVAL_H
#define WEIR_ANALYSIS_INTERVAL_H

#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/* An estimate and its confidence interval. One value says nothing of the spread: its interval is
 * everything, with infinite bounds. */
typedef struct weir_interval {
	size_t count; /* of values that it was made from */
	double value;
	double low, high;
	double half_width; /* (high - low) / 2 */
} weir_interval;

/* The two-sided quantile t of Student's distribution: P(|T| <= t) = confidence. `confidence` in
 * (0, 1) and degrees > 0, asserted. */
WEIR_API double weir_t_quantile(double confidence, double degrees);

/* Refuses (WEIR_ERROR_INPUT) a confidence that is not between 0 and 1, no values at all, and a
 * value that is not finite; `what` is what the message calls the values. */
WEIR_API weir_status weir_sample_check(const double *values, size_t count, double confidence,
                                       const char *what, weir_error *error);

/*
 * The mean of independent values with its Student-t interval, mean +- t * s / sqrt(count) (Law,
 * Simulation Modeling and Analysis, 5th ed. 2015, eq. 4.12). Refused: as weir_sample_check.
 * O(count).
 */
WEIR_API weir_status weir_mean_interval(const double *values, size_t count, double confidence,
                                        weir_interval *interval, weir_error *error);

/*
 * The mean of a[i] - b[i] with its interval (the paired-t interval of Law 2015, section 10.2.1):
 * a[i] and b[i] come from the same replication, with common random numbers, and so may depend on
 * each other. Refused: as weir_sample_check; out of memory.
 */
WEIR_API weir_status weir_paired_interval(const double *a, const double *b, size_t count,
                                          double confidence, weir_interval *interval,
                                          weir_error *error);

/*
 * How many replications in all make the half-width of weir_mean_interval at most `half_width`, if
 * the deviation stays `deviation`: the smallest n >= max(done, 2) with t(n - 1) * deviation /
 * sqrt(n) <= half_width (Law 2015, section 9.4.1). The t quantile depends on n, and is computed
 * anew for each. Refused: a confidence not between 0 and 1, a half-width that is not above 0, a
 * deviation that is negative or not finite, more than WEIR_REPLICATIONS_MOST.
 */
enum { WEIR_REPLICATIONS_MOST = 1000000000 };
WEIR_API weir_status weir_replications_needed(double deviation, size_t done, double half_width,
                                              double confidence, size_t *needed, weir_error *error);

WEIR_END_C

#endif
