/*
 * Figures that describe a stream of requests: what `weir trace info` prints.
 */
#ifndef WEIR_WORKLOAD_TRACE_STATS_H
#define WEIR_WORKLOAD_TRACE_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/source.h"

WEIR_BEGIN_C

/* The quantiles that are told of sizes, in this order. */
#define WEIR_TRACE_QUANTILES                                                                       \
	{                                                                                              \
		0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999                                   \
	}
enum { WEIR_TRACE_QUANTILE_COUNT = 10 };
WEIR_API extern const double weir_trace_quantiles[WEIR_TRACE_QUANTILE_COUNT];

/* The lengths of the windows, in seconds, for which the dispersion of counts is told. */
enum { WEIR_TRACE_WINDOW_COUNT = 3 };
WEIR_API extern const double weir_trace_windows[WEIR_TRACE_WINDOW_COUNT];

typedef struct weir_size_stats {
	int64_t total, minimum, maximum; /* tokens */
	double mean;
	double quantiles[WEIR_TRACE_QUANTILE_COUNT]; /* numpy's: linear between neighbours */
} weir_size_stats;

/* Windows are counted from the first arrival; only whole ones, those that end by the last arrival,
 * go into minima, medians, maxima and dispersions. Undefined figures are NaN. */
typedef struct weir_trace_figures {
	int64_t requests;
	double first, last;                         /* arrivals, s */
	double rate;                                /* (requests - 1) / span */
	double gap_cv;                              /* standard deviation / mean of the gaps */
	double dispersion[WEIR_TRACE_WINDOW_COUNT]; /* variance / mean of counts; 1 for a Poisson
	                                               process */
	double minute_rate_minimum, minute_rate_median, minute_rate_maximum; /* requests/s */
	weir_size_stats prompt, output;
	double rank_correlation; /* Spearman's, of prompt and output tokens */
	int64_t prefix_hashes;
	int64_t applications; /* the largest application number + 1 */
} weir_trace_figures;

typedef struct weir_trace_stats weir_trace_stats;

/* NULL when memory is out. 16 bytes a request are kept, and 16 more at the end. */
WEIR_API weir_trace_stats *weir_trace_stats_create(void);
WEIR_API void weir_trace_stats_destroy(weir_trace_stats *stats);

/* WEIR_ERROR_MEMORY is the only error. */
WEIR_API weir_status weir_trace_stats_add(weir_trace_stats *stats, const weir_request *request,
                                          weir_error *error);

/* Once, at the end, with one request at least. */
WEIR_API weir_status weir_trace_stats_finish(weir_trace_stats *stats, weir_trace_figures *figures,
                                             weir_error *error);

/* The minutes with requests in them, in order; those without are left out. */
typedef struct weir_trace_minute {
	int64_t minute; /* from the first arrival, from 0 */
	int64_t requests, prompt_tokens, output_tokens;
} weir_trace_minute;
WEIR_API const weir_trace_minute *weir_trace_stats_minutes(const weir_trace_stats *stats,
                                                           size_t *count);

WEIR_END_C

#endif
