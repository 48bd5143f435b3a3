/*
 * A run in one line: whether it kept its SLO, what it cost, and which pool held it up.
 *
 * The bottleneck, from what the pools looked like while requests were late (a request is late when
 * it broke slo.per_request, failed or was rejected; its time is its arrival):
 * - For every pool: the mean over the bins of time, each weighted by the late requests that arrived
 *   in it, of the tasks that wait per ACTIVE instance (none active: per one), of load_kv and of
 *   load_batch.
 * - The pool with the most waiting tasks per instance is the bottleneck, if it has at least one.
 * - Else the pool with the highest of load_kv and load_batch, if that is at least 0.5.
 * - Else no pool stands out: single requests were slow, or transfers, or faults.
 */
#ifndef WEIR_ANALYSIS_VERDICT_H
#define WEIR_ANALYSIS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/export.h"

WEIR_BEGIN_C

/* One pool over time; each array has as many values as there are bins, NaN where nothing is known.
 */
typedef struct weir_verdict_pool {
	const char *name;
	const double *waiting; /* tasks that wait / max(1, ACTIVE instances) */
	const double *load_kv, *load_batch;
} weir_verdict_pool;

/* A percentile limit that was set for the whole run. */
typedef struct weir_verdict_limit {
	const char *name; /* "p99 TTFT slowdown" */
	double value, limit;
} weir_verdict_limit;

typedef struct weir_verdict_input {
	/* NaN: not known */
	double arrived, completed, rejected, failed;
	double attainment; /* share of requests that kept their SLO */
	double slo_met;    /* 1 or 0 */
	double cost_usd, duration;
	bool partial;            /* of a run that did not end */
	const char *slo_problem; /* why slo_met is not known; may be "" */
	const weir_verdict_limit *limits;
	size_t limit_count;
	const double *late; /* late requests that arrived in each bin; NULL: not known */
	size_t bins;
	const weir_verdict_pool *pools;
	size_t pool_count;
} weir_verdict_input;

typedef enum weir_bottleneck {
	WEIR_BOTTLENECK_UNKNOWN, /* no samples, or not known which requests were late */
	WEIR_BOTTLENECK_NONE,    /* no request was late */
	WEIR_BOTTLENECK_WAITING,
	WEIR_BOTTLENECK_KV,
	WEIR_BOTTLENECK_BATCH,
	WEIR_BOTTLENECK_UNCLEAR /* no pool stands out */
} weir_bottleneck;

enum { WEIR_VERDICT_SIZE = 1024 };

typedef struct weir_verdict {
	int good; /* 1: SLO met; 0: missed; -1: not known */
	weir_bottleneck bottleneck;
	size_t pool;   /* the bottleneck, of the first three kinds of finding */
	double figure; /* its tasks per instance, or its load; NaN otherwise */
	char text[WEIR_VERDICT_SIZE];
} weir_verdict;

/* O(bins * pools). */
WEIR_API weir_verdict weir_verdict_of(const weir_verdict_input *input);

WEIR_END_C

#endif
