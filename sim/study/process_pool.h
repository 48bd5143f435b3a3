/*
 * Many independent jobs over several processes.
 *
 * Workers are forked from the caller and so have everything that it has; only the number of a job
 * goes to a worker, and its result comes back. What the results are depends on the jobs alone,
 * neither on the number of workers nor on the order in which they end.
 */
#ifndef WEIR_STUDY_PROCESS_POOL_H
#define WEIR_STUDY_PROCESS_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_pool_jobs {
	size_t count;
	size_t result_size; /* bytes; a result holds no pointers */
	void *context;
	/* Does job `job` in a worker and fills `result`, which is zeroed. What else it changes is lost
	 * or seen by later jobs of the same worker only, so it should change nothing. */
	weir_status (*run)(void *context, size_t job, void *result, weir_error *error);
	/* What messages call the job; at most `size` bytes with the NUL. */
	void (*describe)(void *context, size_t job, char *name, size_t size);
} weir_pool_jobs;

typedef struct weir_pool_options {
	size_t workers; /* 0: one for each processor */
	/* Called after each job and several times a second; false ends the pool:
	 * WEIR_ERROR_INTERRUPTED. NULL: not called. */
	bool (*progress)(void *context, size_t done, size_t count);
	void *context;
} weir_pool_options;

/*
 * Runs every job, also after one failed. `results` has room for count * result_size bytes, `errors`
 * for count: errors[i].status is WEIR_OK where results[i] is valid. A job whose worker dies has an
 * error that names it; the worker is replaced. After an interrupt the jobs not done have
 * WEIR_ERROR_INTERRUPTED, and no worker is left.
 *
 * Returns WEIR_OK, or the first of errors, in the order of the jobs, which is then in *error; but
 * WEIR_ERROR_INTERRUPTED after an interrupt, WEIR_ERROR_IO when there is no worker and none can be
 * made, WEIR_ERROR_MEMORY.
 *
 * Signals: workers ignore SIGINT, which a terminal sends to them too, and leave it to the caller's
 * `progress` to stop. When the caller is killed, they end after the job at hand. Call from a
 * process of one thread. Cost: one fork for each worker, one small message each way for each job.
 */
WEIR_API weir_status weir_pool_run(const weir_pool_jobs *jobs, const weir_pool_options *options,
                                   void *results, weir_error *errors, weir_error *error);

WEIR_END_C

#endif
