/*
 * A spool: tasks and reports of a sweep through a directory that several machines share.
 *
 * The manager lays tasks in the spool; workers, which come and go as they like, claim them and
 * report. Every step is the rename of a whole file, so that each is either done or not, whoever
 * dies meanwhile:
 *
 *     plan                  what workers must know; there before anything else
 *     manager               a number that the manager changes while it lives
 *     end                   there are no more tasks
 *     leases/WORKER         a number that the worker changes while it lives
 *     tasks/SERIAL          a task that nobody has claimed
 *     claims/SERIAL.WORKER  the same, claimed; the manager removes it when it takes a run back
 *     reports/SERIAL        a report
 *
 * A worker whose lease has not changed for `lease` seconds of the manager's clock is gone, and what
 * it claimed is reported as WEIR_SWEEP_LOST; clocks of different machines are never compared. Each
 * task that is given has a serial of its own: a worker that was thought gone and reports after all
 * is not heard. Workers end when the manager is gone, or the spool.
 *
 * A task is a few files made and removed: some 0.3 ms on a local disk. All processes are of one
 * version of weir on machines of one kind; a plan of another one is refused.
 */
#ifndef WEIR_STUDY_SWEEP_SPOOL_H
#define WEIR_STUDY_SWEEP_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "study/sweep_engine.h"

WEIR_BEGIN_C

/* ---- the manager's end; `now` is in seconds, of any clock that does not go back ---- */

typedef struct weir_spool weir_spool;

/* Makes the directory `path`, which must not be there, and lays the plan in it. `lease`: seconds
 * after which a silent worker is gone. *spool is to be ended; NULL after an error. */
WEIR_API weir_status weir_spool_make(const char *path, const weir_sweep_plan *plan, double lease,
                                     weir_spool **spool, weir_error *error);
/* Workers that are there and have nothing to do. */
WEIR_API size_t weir_spool_room(const weir_spool *spool);
/* Workers that have ever come. */
WEIR_API uint64_t weir_spool_joined(const weir_spool *spool);
WEIR_API weir_status weir_spool_give(weir_spool *spool, const weir_sweep_task *task,
                                     weir_error *error);
/* Looks once, without waiting. To be called all the time: it also says that the manager lives. */
WEIR_API weir_status weir_spool_hear(weir_spool *spool, double now, weir_sweep_report *report,
                                     bool *got, weir_error *error);
/* Whether a run was given and neither reported nor abandoned. */
WEIR_API bool weir_spool_holds(const weir_spool *spool, uint64_t run);
/* Takes a run back; a worker that has it ends it when it next looks. */
WEIR_API void weir_spool_abandon(weir_spool *spool, uint64_t run);
/* Tells the workers to end and removes the spool's files. NULL is let be. */
WEIR_API void weir_spool_end(weir_spool *spool);
/* Removes a spool that another manager left, if it is there; its workers end. */
WEIR_API void weir_spool_remove(const char *path);

/* ---- a worker's end; `now` as above, of the worker's own clock ---- */

typedef struct weir_spool_worker weir_spool_worker;

/* The name of the sweep's file as the manager had it. */
WEIR_API weir_status weir_spool_read_file(const char *path, char file[WEIR_SWEEP_PATH_SIZE],
                                          weir_error *error);
/* Comes to the spool, and leaves of `points`, which are made from that file, those that the manager
 * has. `silence`: seconds after which a manager that says nothing is gone. Refused: points of
 * another definition, a plan of another version. *worker is to leave; NULL after an error. */
WEIR_API weir_status weir_spool_join(const char *path, weir_sweep_points *points, double silence,
                                     double now, weir_spool_worker **worker, weir_error *error);
/* Renews the lease; to be called every few seconds. False: the manager is gone, or told all to end.
 */
WEIR_API bool weir_spool_beat(weir_spool_worker *worker, double now);
/* Claims a task; false: there is none. The one at hand must be reported or dropped. */
WEIR_API bool weir_spool_claim(weir_spool_worker *worker, weir_sweep_task *task);
/* Whether the task at hand is still this worker's. */
WEIR_API bool weir_spool_keeps(const weir_spool_worker *worker);
/* Reports the task at hand, unless the manager has taken it back. */
WEIR_API weir_status weir_spool_report(weir_spool_worker *worker, const weir_sweep_report *report,
                                       weir_error *error);
/* A worker that leaves with a task at hand loses it. NULL is let be. */
WEIR_API void weir_spool_leave(weir_spool_worker *worker);

/*
 * The life of a worker: claims tasks and does them, each in a process of its own (the local engine,
 * with its limits and its ways to tell ends apart), until the spool ends or `stop` says so, after
 * which a run at hand is reported as lost. `directories` as of weir_sweep_file_load, `policies` as
 * of weir_sweep_policies_resolve.
 */
WEIR_API weir_status weir_spool_serve(const char *path, const char *const *directories,
                                      const weir_sweep_policies *policies, bool (*stop)(void),
                                      weir_error *error);

WEIR_END_C

#endif
