/* Bootstrap intervals of any statistic of independent values: percentiles, interquartile mean. */
#ifndef WEIR_ANALYSIS_BOOTSTRAP_H
#define WEIR_ANALYSIS_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/interval.h"
#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

/* A statistic of count > 0 finite values, which it may reorder. It must not depend on their order.
 */
typedef struct weir_statistic {
	double (*compute)(const void *context, double *values, size_t count);
	const void *context;
} weir_statistic;

/* The mean. */
WEIR_API weir_statistic weir_statistic_mean(void);
/* The quantile at *probability (in [0, 1]; borrowed), as weir_quantiles. */
WEIR_API weir_statistic weir_statistic_quantile(const double *probability);
/* The interquartile mean: of what is left without the floor(count / 4) least and as many greatest
 * (as scipy.stats.trim_mean(values, 0.25)). */
WEIR_API weir_statistic weir_statistic_iqm(void);

typedef enum weir_bootstrap_method {
	/* The quantiles of the resampled statistic (Efron 1981). */
	WEIR_BOOTSTRAP_PERCENTILE,
	/* Bias-corrected and accelerated (Efron 1987, J. of the American Statistical Association
	 * 82:171-185; Efron and Tibshirani 1993, section 14.3): the acceleration from the jackknife,
	 * resampled values that tie with the estimate counted half. Of one stratum only. */
	WEIR_BOOTSTRAP_BCA
} weir_bootstrap_method;

typedef struct weir_bootstrap_options {
	weir_bootstrap_method method;
	double confidence; /* in (0, 1) */
	size_t resamples;  /* at least 1 */
	uint64_t seed;     /* of the stream "bootstrap" */
	uint64_t index;    /* of the stream: one for each interval that is to be independent */
	/* Sizes of the strata, which `values` has one after the other: each is resampled by itself, so
	 * that every resample has as many values of each (runs of each task: Agarwal et al. 2021, "Deep
	 * Reinforcement Learning at the Edge of the Statistical Precipice"). NULL: one stratum. */
	const size_t *strata;
	size_t stratum_count;
} weir_bootstrap_options;

/* BCa, 95 %, 10,000 resamples, seed 0, one stratum. */
WEIR_API weir_bootstrap_options weir_bootstrap_options_default(void);

/*
 * The statistic of `values` with its bootstrap interval; the same for the same options, whatever
 * else ran before. One value has an infinite interval.
 *
 * Refused: as weir_sample_check; no resamples; strata that are empty or do not add up to count; BCa
 * of several strata; 2^32 values or more; out of memory. Cost: resamples (BCa: + count) times
 * O(count) and the statistic; 2 * count + resamples doubles.
 */
WEIR_API weir_status weir_bootstrap(const double *values, size_t count,
                                    const weir_statistic *statistic,
                                    const weir_bootstrap_options *options, weir_interval *interval,
                                    weir_error *error);

WEIR_END_C

#endif
