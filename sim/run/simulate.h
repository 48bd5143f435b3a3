/* A whole run without a file: a simulation from its start to its end, summarised in memory. */
#ifndef WEIR_RUN_SIMULATE_H
#define WEIR_RUN_SIMULATE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "metrics/summary.h"
#include "run/run.h"
#include "scaling/controller.h"
#include "serving/serving.h"

WEIR_BEGIN_C

typedef struct weir_simulate_options {
	double until; /* seconds; INFINITY: to the end */
	/* In place of the config's own; borrowed. NULL: the config's. */
	const weir_controller_policy *policies;
	size_t policy_count;
	/* Decides, with policies of its own, in place of both; borrowed. NULL: none. */
	const weir_run_driver *driver;
	/* As of weir_run_options. */
	bool (*progress)(void *context, const weir_run_progress *progress);
	void *context;
} weir_simulate_options;

typedef struct weir_simulate_result {
	weir_summary summary;
	weir_serving_counters counters;
	bool stalled; /* ended because nothing could go on */
} weir_simulate_result;

WEIR_API weir_simulate_options weir_simulate_options_default(void);

/*
 * Runs `config` to the end. *result has what weir_run would have recorded in /summary and /totals,
 * to the last bit. Memory: one weir_request_row for each request that ended. Errors: as
 * weir_sim_create and weir_sim_run; WEIR_ERROR_INTERRUPTED when progress says so.
 */
WEIR_API weir_status weir_simulate(const weir_config *config, const weir_simulate_options *options,
                                   weir_simulate_result *result, weir_error *error);

WEIR_END_C

#endif
