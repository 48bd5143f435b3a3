/*
 * One long run of a policy instead of many: what it says once its warm-up is left out.
 *
 * The requests, in the order of their arrivals, are the series: MSER-5 finds the end of its
 * warm-up, and batch means the interval of the mean of what is left. Meant for a workload that does
 * not change over time: the mean of one that does has no such interval.
 */
#ifndef WEIR_STUDY_LONG_RUN_H
#define WEIR_STUDY_LONG_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/batch_means.h"
#include "analysis/table.h"
#include "base/error.h"
#include "base/export.h"
#include "study/process_pool.h"
#include "study/replication.h"

WEIR_BEGIN_C

typedef enum weir_long_figure {
	WEIR_LONG_TTFT,       /* s, of the completed requests */
	WEIR_LONG_E2E,        /* s, likewise */
	WEIR_LONG_ATTAINMENT, /* 1 or 0 of each request that the attainment counts */
	WEIR_LONG_COUNT
} weir_long_figure;

enum { WEIR_LONG_BATCHES = 20 };

typedef struct weir_long_series {
	size_t count;   /* of values */
	size_t dropped; /* of them, as the warm-up */
	bool settled;   /* false: the run is too short to see where its warm-up ends */
	weir_batch_means means;
} weir_long_series;

typedef struct weir_long_result {
	uint64_t seed;
	bool stalled;
	weir_long_series series[WEIR_LONG_COUNT];
} weir_long_result;

/*
 * Runs one replication in this process and looks at its series. Refused: fewer than 100 values of a
 * figure; otherwise as weir_config_load_member and weir_simulate.
 */
WEIR_API weir_status weir_long_run(const weir_replication *replication, double confidence,
                                   weir_long_result *result, weir_error *error);

/* All of them as jobs of weir_pool_run; as weir_replications_run. */
WEIR_API weir_status weir_long_runs(const weir_replication *replications, size_t count,
                                    double confidence, const weir_pool_options *options,
                                    weir_long_result *results, weir_error *errors,
                                    weir_error *error);

/* A table of the results, one row for each; to be freed, NULL when memory is out. */
WEIR_API char *weir_long_print(const weir_replication *replications,
                               const weir_long_result *results, size_t count,
                               weir_table_format format);

WEIR_END_C

#endif
