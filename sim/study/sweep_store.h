/*
 * The store of a sweep: what has become of each run, in SQLite.
 *
 * A sweep lives in a directory: sweep.db, the results, and `aside`, where workers write. One
 * manager at a time holds it (a lock that dies with its process); others may read it, cancel and
 * retry. The database is in WAL mode and every commit is synced (synchronous=FULL), so what it says
 * survives a kill and a loss of power. Changes of many runs go into one transaction. It is opened
 * only on the manager's host: WAL does not work across machines.
 *
 * Times are seconds since 1970, from the caller's clock.
 */
#ifndef WEIR_STUDY_SWEEP_STORE_H
#define WEIR_STUDY_SWEEP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "study/sweep_engine.h"

WEIR_BEGIN_C

/* X(name, text) */
#define WEIR_SWEEP_STATES(X)                                                                       \
	X(WEIR_RUN_WAITING, "waiting")                                                                 \
	X(WEIR_RUN_RUNNING, "running")                                                                 \
	X(WEIR_RUN_DONE, "done")                                                                       \
	X(WEIR_RUN_FAILED, "failed")                                                                   \
	X(WEIR_RUN_CANCELLED, "cancelled")

typedef enum weir_run_state {
#define WEIR_SWEEP_STATE_NAME(name, text) name,
	WEIR_SWEEP_STATES(WEIR_SWEEP_STATE_NAME)
#undef WEIR_SWEEP_STATE_NAME
	    WEIR_RUN_STATE_COUNT
} weir_run_state;

/* NULL-terminated, in the order of the enum. */
WEIR_API extern const char *const weir_run_state_names[];

typedef struct weir_sweep_counts {
	uint64_t of[WEIR_RUN_STATE_COUNT];
	uint64_t total;
} weir_sweep_counts;

typedef struct weir_sweep_store weir_sweep_store;

/* Makes `directory` where it is not there and opens its store as the manager. Refused: a directory
 * or a disk that cannot be written; a store that another manager holds; one of a newer version. */
WEIR_API weir_status weir_sweep_store_manage(const char *directory, weir_sweep_store **store,
                                             weir_error *error);
/* Opens a store that is there, to look, to cancel or to retry. */
WEIR_API weir_status weir_sweep_store_open(const char *directory, weir_sweep_store **store,
                                           weir_error *error);
/* NULL is let be. */
WEIR_API void weir_sweep_store_close(weir_sweep_store *store);
WEIR_API const char *weir_sweep_store_directory(const weir_sweep_store *store);

/*
 * Fills an empty store with the runs of a sweep, or finds that it is that sweep's. When the ids of
 * `points` are empty they are taken from the store, or *known is set to false where it has none of
 * this definition: then identify the points and call again. Refused: a store of another sweep. What
 * may change from call to call: timeout, memory and retry.
 */
WEIR_API weir_status weir_sweep_store_define(weir_sweep_store *store, weir_sweep_points *points,
                                             double now, bool *known, weir_error *error);

/* What a manager that was killed left RUNNING waits again; that was not an attempt. */
WEIR_API weir_status weir_sweep_store_recover(weir_sweep_store *store, uint64_t *returned,
                                              weir_error *error);
/* DONE runs whose file is gone wait again; *gone: how many. Cost: a stat of each. */
WEIR_API weir_status weir_sweep_store_check_files(weir_sweep_store *store, uint64_t *gone,
                                                  weir_error *error);

/* A run that may begin. */
typedef struct weir_sweep_ready {
	uint64_t run;
	uint32_t attempts, losses; /* that ended badly; whose worker was lost */
} weir_sweep_ready;

/* Up to `most` WAITING runs that may begin at `now`, those that have waited longest first. */
WEIR_API weir_status weir_sweep_store_ready(weir_sweep_store *store, double now, size_t most,
                                            weir_sweep_ready *ready, size_t *count,
                                            weir_error *error);
/* When the first WAITING run may begin; INFINITY: there is none. */
WEIR_API weir_status weir_sweep_store_next_due(weir_sweep_store *store, double *due,
                                               weir_error *error);

/* What becomes of a run. */
typedef struct weir_sweep_change {
	uint64_t run;
	weir_run_state state;
	uint32_t attempts, losses;
	double due;                      /* WAITING: not before */
	double lease;                    /* RUNNING: until */
	double began, ended;             /* of the last attempt; NaN: not yet */
	const char *worker;              /* who; the engine's name */
	const char *path;                /* DONE: of the result, from the directory; "": none */
	const weir_sweep_report *report; /* of the attempt that ended; NULL: none did */
} weir_sweep_change;

/* All of them in one transaction: after an error, none. A change to RUNNING passes over a run that
 * is neither WAITING nor RUNNING; of a CANCELLED one only a change to DONE is heard. */
WEIR_API weir_status weir_sweep_store_apply(weir_sweep_store *store,
                                            const weir_sweep_change *changes, size_t count,
                                            weir_error *error);

/* Whether another process has changed the store since the last call. */
WEIR_API weir_status weir_sweep_store_changed(weir_sweep_store *store, bool *changed,
                                              weir_error *error);

WEIR_API weir_status weir_sweep_store_counts(weir_sweep_store *store, weir_sweep_counts *counts,
                                             weir_error *error);

WEIR_API weir_status weir_sweep_store_cancelled(weir_sweep_store *store, uint64_t run,
                                                bool *cancelled, weir_error *error);

/* WAITING and RUNNING runs become CANCELLED; a manager ends them soon. *count: how many. */
WEIR_API weir_status weir_sweep_store_cancel(weir_sweep_store *store, uint64_t *count,
                                             weir_error *error);
/* FAILED and, with `cancelled`, CANCELLED runs wait again with all their attempts. */
WEIR_API weir_status weir_sweep_store_retry(weir_sweep_store *store, bool cancelled,
                                            uint64_t *count, weir_error *error);

/* A run as the store has it; texts live during the visit. */
typedef struct weir_sweep_row {
	uint64_t run, replication;
	const char *id;   /* of its point */
	const char *sets; /* of its point, separated by newlines */
	weir_run_state state;
	uint32_t attempts, losses;
	double due, lease, began, ended;
	const char *worker, *outcome, *message, *stderr_text, *path, *sha256, *digest;
	int exit_status;
	const double *figures; /* [WEIR_SWEEP_FIGURES]; NULL: not DONE */
} weir_sweep_row;

typedef weir_status (*weir_sweep_visit)(void *context, const weir_sweep_row *row,
                                        weir_error *error);
/* Every run in one of the states of `states` (bits 1 << state), in order of their numbers; ends
 * with the first status that is not WEIR_OK. */
WEIR_API weir_status weir_sweep_store_each(weir_sweep_store *store, unsigned states,
                                           weir_sweep_visit visit, void *context,
                                           weir_error *error);

/* Text by name: "file", "keep", "replications", "seed", "independent", "began". *text is malloc'd,
 * NULL where there is none. */
WEIR_API weir_status weir_sweep_store_note(weir_sweep_store *store, const char *name, char **text,
                                           weir_error *error);

WEIR_END_C

#endif
