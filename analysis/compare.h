/*
 * Recorded runs side by side: their figures, which of them are on the Pareto front of cost against
 * attainment, and, where they served the same trace, what became of the same requests.
 *
 * The first run is the one that the others are paired with.
 */
#ifndef WEIR_ANALYSIS_COMPARE_H
#define WEIR_ANALYSIS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/interval.h"
#include "analysis/table.h"
#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

#define WEIR_COMPARE_CONFIDENCE 0.95

/* The metrics that are compared, in this order. */
typedef enum weir_compare_metric {
	WEIR_COMPARE_TTFT,
	WEIR_COMPARE_TBT,
	WEIR_COMPARE_E2E,
	WEIR_COMPARE_LATENCIES, /* of the same requests, too */
	WEIR_COMPARE_TTFT_SLOWDOWN = WEIR_COMPARE_LATENCIES,
	WEIR_COMPARE_TBT_SLOWDOWN,
	WEIR_COMPARE_E2E_SLOWDOWN,
	WEIR_COMPARE_METRICS
} weir_compare_metric;

typedef struct weir_compare_percentiles {
	double p50, p90, p99;
} weir_compare_percentiles;

/* One latency of the requests that completed in both runs and have it in both (TBT needs two
 * tokens). */
typedef struct weir_compare_paired {
	/* This run's minus the first run's, s: the mean, with its interval (weir_mean_interval, which
	 * takes the requests as independent: those of one run are not quite, as they wait for each
	 * other). All NaN and count 0 without requests. */
	weir_interval difference;
	double better, worse; /* shares of the requests with a shorter and a longer time; NaN */
} weir_compare_paired;

enum { WEIR_COMPARE_REASON_SIZE = 256 };

typedef struct weir_compare_pairing {
	bool same;                             /* the same trace as the first run's */
	char reason[WEIR_COMPARE_REASON_SIZE]; /* in a sentence */
	weir_compare_paired latencies[WEIR_COMPARE_LATENCIES];
} weir_compare_pairing;

/* NaN: not known. */
typedef struct weir_compared_run {
	char *name; /* the file's; its path, where two files have the same name */
	char *path;
	char *partial; /* NULL for a run that ended; else a sentence */
	double cost_usd, instance_hours, energy_kwh, scale_operations;
	double attainment; /* a share */
	double slo_met;    /* 1 when every percentile limit is kept, else 0 */
	double requests_per_s, output_tokens_per_s;
	double arrived, completed, rejected, failed, unfinished;
	weir_compare_percentiles metrics[WEIR_COMPARE_METRICS];
	bool judged;   /* whether it can be on the front: it ended, cost and attainment are known */
	bool on_front; /* no other judged run costs as little and attains as much, or more of one */
	weir_compare_pairing pairing; /* with the first run; of that one, not used */
} weir_compared_run;

typedef struct weir_comparison {
	weir_compared_run *runs;
	size_t count;
} weir_comparison;

/*
 * Reads the runs at paths[count], count > 0; *comparison is to be released. Errors: those of
 * weir_run_file_open, a column that is missing or unreadable, two requests of one id in one file,
 * out of memory; then there is nothing to release.
 *
 * The trace is the same when the files have requests of the same ids, and each has the same
 * application, arrival and sizes in both. Of a partial run, which lacks requests, the ids that both
 * have must agree, and there must be one.
 *
 * Cost: O(rows log rows) time per run; memory of about 200 bytes per request of a run.
 */
WEIR_API weir_status weir_compare(const char *const *paths, size_t count,
                                  weir_comparison *comparison, weir_error *error);
WEIR_API void weir_comparison_release(weir_comparison *comparison);

/* Marks the judged runs on the front, as weir_compare does. O(count^2). */
WEIR_API void weir_compare_front(weir_compared_run *runs, size_t count);

/*
 * As text or Markdown: tables by subject, one row per run, and what must be said of them in
 * sentences. As CSV and JSON: one table with a row per run. To be freed; NULL when memory is out.
 */
WEIR_API char *weir_comparison_print(const weir_comparison *comparison, weir_table_format format);

WEIR_END_C

#endif
