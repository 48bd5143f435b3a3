/*
 * Describing a trace by a few hundred figures, from which a workload like it can be generated: what
 * `weir trace fit` does, and how the files in traces/ are made.
 *
 * Arrivals become a rate that is linear between the middles of equal intervals, and the coefficient
 * of variation of the gaps that the rate leaves unexplained (those of its integral at the
 * arrivals); sizes become two quantile tables and a rank correlation.
 */
#ifndef WEIR_WORKLOAD_FIT_H
#define WEIR_WORKLOAD_FIT_H

#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/source.h"

WEIR_BEGIN_C

typedef struct weir_fit_options {
	double interval; /* seconds between two points of the rate, about: the span is divided evenly;
	                    short ones follow bursts more closely */
	const char *source; /* where the figures come from, for the file; may be "" */
} weir_fit_options;

/* What was fitted, for a summary. */
typedef struct weir_fit_summary {
	int64_t requests;
	int64_t points;  /* of the rate */
	double duration; /* seconds: span and mean gap */
	double cv;
	double rank_correlation;
} weir_fit_summary;

/*
 * Reads `source` to its end, 24 bytes a request, and writes the description to `path` ("-":
 * standard output), as weir_generation_load reads it. The first arrival becomes time 0. Errors:
 * what reading gives; fewer than two requests, or all at one time; more than a million intervals;
 * an unwritable path.
 */
WEIR_API weir_status weir_fit(weir_source *source, const weir_fit_options *options,
                              const char *path, weir_fit_summary *summary, weir_error *error);

WEIR_END_C

#endif
