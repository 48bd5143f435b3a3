/* Where the warm-up of a series ends: MSER-5. */
#ifndef WEIR_ANALYSIS_MSER_H
#define WEIR_ANALYSIS_MSER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

enum { WEIR_MSER_BATCH = 5 };

typedef struct weir_truncation {
	size_t dropped;   /* values at the front that belong to the warm-up, a multiple of 5 */
	double mean;      /* of the batches kept */
	double statistic; /* their squared marginal standard error */
	bool settled;     /* false: the best point was the last one tried, the series is too short */
} weir_truncation;

/*
 * MSER-5: of the means Y of m batches of 5 values each (what is left over at the end is not used),
 * drop the first d so that sum((Y - mean)^2) / (m - d)^2 over those kept is least (White 1997, "An
 * effective truncation heuristic for bias reduction in simulation output", Simulation 69:323-334;
 * in batches of 5 since White, Cobb and Spratt 2000, WSC). d is in the first half, 2 d < m: near
 * the end few batches may be close together by chance. The least d of equals is taken.
 *
 * Refused: a value that is not finite; fewer than 10 values. O(count) time, no allocation.
 */
WEIR_API weir_status weir_mser5(const double *values, size_t count, weir_truncation *truncation,
                                weir_error *error);

WEIR_END_C

#endif
