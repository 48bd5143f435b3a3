/*
 * Engines: where the runs of a sweep are done.
 *
 * The manager (study/sweep_run.h) alone knows the store. It gives tasks to an engine and hears
 * reports from it; a worker gets a task, does it with weir_sweep_task_run and returns the report,
 * neither of which holds a pointer, so that both can go through a pipe, a message or a file. What a
 * run's result is depends on the task alone, whatever the engine.
 *
 * A new engine is one file that defines one weir_sweep_engine, and a line in weir_sweep_engines.
 */
#ifndef WEIR_STUDY_SWEEP_ENGINE_H
#define WEIR_STUDY_SWEEP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "metrics/summary.h"
#include "study/sweep_point.h"

WEIR_BEGIN_C

enum {
	WEIR_SWEEP_PATH_SIZE = 512,
	WEIR_SWEEP_DIGEST_SIZE = 33, /* hex digits and NUL */
	WEIR_SWEEP_SHA256_SIZE = 65,
	WEIR_SWEEP_STDERR_SIZE = 4096,
/* Figures of a run: the totals, then of each metric its count and its statistics. */
#define WEIR_SWEEP_COUNT_TOTAL(field, unit, description) +1
#define WEIR_SWEEP_COUNT_STATISTIC(field, description)   +1
	WEIR_SWEEP_TOTALS = 0 WEIR_TOTALS(WEIR_SWEEP_COUNT_TOTAL),
	WEIR_SWEEP_STATISTICS = 1 WEIR_SUMMARY_STATISTICS(WEIR_SWEEP_COUNT_STATISTIC),
#undef WEIR_SWEEP_COUNT_TOTAL
#undef WEIR_SWEEP_COUNT_STATISTIC
	WEIR_SWEEP_FIGURES = WEIR_SWEEP_TOTALS + (int)WEIR_SUMMARY_COUNT * WEIR_SWEEP_STATISTICS + 1
};

/* X(name, text): how an attempt ended */
#define WEIR_SWEEP_OUTCOMES(X)                                                                     \
	X(WEIR_SWEEP_DONE, "done")                                                                     \
	X(WEIR_SWEEP_BAD_CONFIG, "bad config") /* never tried again */                                 \
	X(WEIR_SWEEP_CRASH, "crash")                                                                   \
	X(WEIR_SWEEP_OUT_OF_MEMORY, "out of memory")                                                   \
	X(WEIR_SWEEP_TIMEOUT, "timeout")                                                               \
	X(WEIR_SWEEP_NO_OUTPUT, "output") /* the result cannot be written: ends the sweep */           \
	X(WEIR_SWEEP_LOST, "lost")        /* the worker is gone; not an attempt */

typedef enum weir_sweep_outcome {
#define WEIR_SWEEP_OUTCOME_NAME(name, text) name,
	WEIR_SWEEP_OUTCOMES(WEIR_SWEEP_OUTCOME_NAME)
#undef WEIR_SWEEP_OUTCOME_NAME
} weir_sweep_outcome;

WEIR_API const char *weir_sweep_outcome_text(weir_sweep_outcome outcome);

/* One run to be done. */
typedef struct weir_sweep_task {
	uint64_t run; /* point * replications + replication */
	uint64_t seed;
	/* The file that the worker writes, finished and synced; the manager puts it in its place. "":
	 * none (keep: summary). */
	char output[WEIR_SWEEP_PATH_SIZE];
} weir_sweep_task;

typedef struct weir_sweep_report {
	uint64_t run;
	weir_sweep_outcome outcome;
	int exit_status;    /* of the worker's process where it ended; a signal is negative */
	double cpu_seconds; /* of the attempt */
	double peak_memory; /* bytes, of the worker's process so far */
	char digest[WEIR_SWEEP_DIGEST_SIZE]; /* XXH3-128 of the figures */
	char sha256[WEIR_SWEEP_SHA256_SIZE]; /* of the file; "": none */
	double figures[WEIR_SWEEP_FIGURES];
	weir_error error; /* of what did not end well */
	/* The end of what the worker wrote to stderr since it got the task. */
	char stderr_text[WEIR_SWEEP_STDERR_SIZE];
} weir_sweep_report;

/* What all workers know. */
typedef struct weir_sweep_plan {
	const weir_sweep_file *file;
	const weir_sweep_points *points;
	/* Of the sweep, where an engine may keep files; the manager sets it, workers have NULL. */
	const char *directory;
} weir_sweep_plan;

/* Does a task in this process; never fails, but says how it ended: DONE, BAD_CONFIG,
 * OUT_OF_MEMORY, NO_OUTPUT, or CRASH for an invariant that does not hold. */
WEIR_API void weir_sweep_task_run(const weir_sweep_plan *plan, const weir_sweep_task *task,
                                  weir_sweep_report *report);

/* The name of a figure, "cost_usd" or "ttft_p99", in buffer[2 * WEIR_SUMMARY_NAME_SIZE], which is
 * returned; and its unit and description. */
WEIR_API const char *weir_sweep_figure_name(size_t figure, char *buffer);
WEIR_API const char *weir_sweep_figure_unit(size_t figure);
WEIR_API const char *weir_sweep_figure_description(size_t figure);

typedef struct weir_sweep_engine {
	const char *name, *doc;
	/* Called first, in every process of the job. *served: this one was a worker, has done its share
	 * and is to end; else it is to manage. NULL where there is but the manager's process. */
	weir_status (*join)(const weir_sweep_file *file, bool *served, weir_error *error);
	/* Called last by the manager whose join went well, whether or not it opened. NULL as `join`. */
	void (*leave)(void);
	/* `workers` 0: as many as there is room for. *state is to be closed. */
	weir_status (*open)(const weir_sweep_plan *plan, size_t workers, void **state,
	                    weir_error *error);
	/* How many tasks would be begun at once if they were given now. */
	size_t (*room)(void *state);
	/* Begins a task, when there is room. */
	weir_status (*give)(void *state, const weir_sweep_task *task, weir_error *error);
	/* Waits up to `seconds` for a report; *got false: there is none. */
	weir_status (*hear)(void *state, double seconds, weir_sweep_report *report, bool *got,
	                    weir_error *error);
	/* Whether a worker is still known to be at a run that was given: the manager renews its lease
	 * then. */
	bool (*holds)(void *state, uint64_t run);
	/* Ends a run that was given; no report of it comes any more. `report`, which may be NULL, gets
	 * what is known of it. */
	void (*abandon)(void *state, uint64_t run, weir_sweep_report *report);
	/* Ends what the workers are at. */
	void (*close)(void *state);
} weir_sweep_engine;

/* Processes of this machine, forked from the manager's: as many as processors, less where memory
 * is short. They end with the manager. */
WEIR_API extern const weir_sweep_engine weir_sweep_engine_local;

#ifdef WEIR_MPI
/* The ranks of an MPI job, of which rank 0 manages. A rank's death ends the job; a run that is
 * abandoned goes on, unheard, until it is done. */
WEIR_API extern const weir_sweep_engine weir_sweep_engine_mpi;
#endif

/* Workers in the jobs of a Slurm cluster, which pull runs from a spool (study/sweep_spool.h) in the
 * sweep's directory. One array job of a few workers, filled up again when some have ended; which
 * run a worker has is not Slurm's business. */
WEIR_API extern const weir_sweep_engine weir_sweep_engine_slurm;

/* NULL-terminated; the first one is the default. */
WEIR_API extern const weir_sweep_engine *const weir_sweep_engines[];

WEIR_END_C

#endif
