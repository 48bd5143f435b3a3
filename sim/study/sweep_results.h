/*
 * The files of a sweep's results: from where a worker writes to where they stay.
 *
 * Workers write to `aside`, under names of their own manager's; the manager renames a finished file
 * to results/FOLDER/ID-REPLICATION.h5, a thousand runs to a folder, and syncs the folder before it
 * says that the run is done.
 */
#ifndef WEIR_STUDY_SWEEP_RESULTS_H
#define WEIR_STUDY_SWEEP_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "study/sweep_engine.h"

WEIR_BEGIN_C

typedef struct weir_sweep_results {
	const char *directory; /* of the sweep; borrowed */
	int64_t folder;        /* of the file placed last; -1: none */
	bool unsynced;         /* it has files that were placed since it was synced */
} weir_sweep_results;

WEIR_API void weir_sweep_results_begin(weir_sweep_results *results, const char *directory);

/* Makes `aside` and empties it of what an earlier manager's workers left. */
WEIR_API weir_status weir_sweep_results_prepare(const weir_sweep_results *results,
                                                weir_error *error);

/* Renames `output`, which is synced, to its place; `path` is that, from the directory. Folders that
 * are missing are made. */
WEIR_API weir_status weir_sweep_results_place(weir_sweep_results *results, const char *output,
                                              uint64_t run, const char *id, uint64_t replication,
                                              char path[WEIR_SWEEP_PATH_SIZE], weir_error *error);

/* Makes what was placed last through a loss of power. */
WEIR_API weir_status weir_sweep_results_sync(weir_sweep_results *results, weir_error *error);

WEIR_END_C

#endif
