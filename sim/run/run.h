/* A whole run: a simulation from its start to its end, recorded and summarised. */
#ifndef WEIR_RUN_RUN_H
#define WEIR_RUN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "metrics/summary.h"
#include "run/driver.h"
#include "run/sim.h"
#include "serving/serving.h"

WEIR_BEGIN_C

typedef struct weir_run_progress {
	double now;        /* simulated seconds */
	uint64_t arrived;  /* requests */
	uint64_t ended;    /* requests */
	double share_done; /* of the workload, 0..1; NaN when not known */
} weir_run_progress;

typedef struct weir_run_options {
	const char *output;       /* HDF5 file */
	const char *requests_csv; /* NULL: none */
	double until;             /* seconds; INFINITY: to the end */
	const char *command_line; /* for /provenance; "" for none */
	/* Decides in place of the config's policies; borrowed. NULL: the config's. */
	const weir_run_driver *driver;
	/* Called now and then; false stops the run: WEIR_ERROR_INTERRUPTED. NULL: not called. */
	bool (*progress)(void *context, const weir_run_progress *progress);
	/* Called with every line of the simulation's log (level info). NULL: not called. */
	void (*log)(void *context, double time, const char *line);
	void *context; /* of both */
} weir_run_options;

typedef struct weir_run_result {
	weir_summary summary;
	weir_serving_counters counters;
	bool stalled;           /* ended because nothing could go on */
	double cpu_seconds;     /* of the process, from the start of the run to the closed file */
	char output_part[4096]; /* after an error: the file that holds what was done; "" for none */
} weir_run_result;

WEIR_API weir_run_options weir_run_options_default(void);

/* How far a simulation is that runs up to `until`. */
WEIR_API weir_run_progress weir_run_progress_of(const weir_sim *sim, double until);

/*
 * Runs `config` to the end and writes options->output. An error before the first event leaves no
 * file; a later one, and an interrupt, leave OUTPUT.part, marked aborted (result->output_part names
 * it), which 'weir recover' makes a file of.
 */
WEIR_API weir_status weir_run(const weir_config *config, const weir_run_options *options,
                              weir_run_result *result, weir_error *error);

WEIR_END_C

#endif
