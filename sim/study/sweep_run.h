/*
 * The manager of a sweep: gives what waits to an engine, keeps what comes back, tries again what
 * failed.
 *
 * A result's file is written aside by its worker; the manager puts it in its place, syncs the
 * directory, and then only says DONE in the store: a kill at any moment leaves each run either
 * done, with its whole file, or to be done again. Changes are collected for up to `group` seconds
 * and committed together.
 */
#ifndef WEIR_STUDY_SWEEP_RUN_H
#define WEIR_STUDY_SWEEP_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "study/sweep_engine.h"
#include "study/sweep_store.h"

WEIR_BEGIN_C

/* Seconds since 1970. An engine under test may move it. */
typedef struct weir_sweep_clock {
	void *context;
	double (*now)(void *context);
} weir_sweep_clock;

WEIR_API weir_sweep_clock weir_sweep_clock_system(void);

typedef struct weir_sweep_progress {
	weir_sweep_counts counts; /* as the manager knows them */
	uint64_t ended;           /* runs that ended since it began */
	bool finishing;
} weir_sweep_progress;

typedef enum weir_sweep_control {
	WEIR_SWEEP_GO_ON,
	WEIR_SWEEP_FINISH, /* begins nothing new; what runs may end for `grace` seconds */
} weir_sweep_control;

typedef struct weir_sweep_run_options {
	const weir_sweep_engine *engine;
	size_t workers; /* 0: the engine's choice */
	weir_sweep_clock clock;
	double group; /* seconds; 0.1 */
	double lease; /* seconds; 60: a run whose worker says nothing for so long is returned */
	double grace; /* seconds; 5 */
	/* Called several times a second. NULL: not called. */
	weir_sweep_control (*progress)(void *context, const weir_sweep_progress *progress);
	void *context;
} weir_sweep_run_options;

/* The local engine and the system's clock. */
WEIR_API weir_sweep_run_options weir_sweep_run_options_default(void);

/*
 * Runs until nothing waits and nothing runs; FAILED runs are no error. *counts: what the store has
 * then. `store` is a manager's, defined by plan->points.
 *
 * Errors: WEIR_ERROR_INTERRUPTED after WEIR_SWEEP_FINISH; WEIR_ERROR_IO when the store or a result
 * cannot be written (a full disk). Whatever the error, what was done is in the store, what was
 * running waits again, and the same call goes on from there.
 */
WEIR_API weir_status weir_sweep_run(const weir_sweep_plan *plan, weir_sweep_store *store,
                                    const weir_sweep_run_options *options,
                                    weir_sweep_counts *counts, weir_error *error);

WEIR_END_C

#endif
