/*
 * The results of a sweep in one place.
 *
 * One row for each run that is done: its point, what the point sets, its seed and replication, and
 * every figure of its summary. The requests of all runs come as virtual datasets over the runs' own
 * files: nothing is copied, and the table says which rows are whose.
 */
#ifndef WEIR_STUDY_SWEEP_COLLECT_H
#define WEIR_STUDY_SWEEP_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "study/sweep_store.h"

WEIR_BEGIN_C

typedef struct weir_sweep_collect_options {
	const char *csv;  /* file to write; NULL: none */
	const char *hdf5; /* the same */
	bool requests;    /* with hdf5: also the requests of all runs, as virtual datasets */
} weir_sweep_collect_options;

/*
 * Writes the tables, each aside and then renamed; rows in order of run, equal for equal sweeps but
 * for the files' sha256. *rows: how many.
 *
 * The HDF5 file has the tables `runs`, and with `requests` also `requests` and `coverage` (of each
 * run its file, the first of its rows and their number). Because HDF5 reads a virtual dataset over
 * a file that is gone as fill values, without an error, every file is opened first: one that is
 * missing or has no such table is an error (WEIR_ERROR_IO) that names it, and nothing is written.
 */
WEIR_API weir_status weir_sweep_collect(weir_sweep_store *store,
                                        const weir_sweep_collect_options *options, uint64_t *rows,
                                        weir_error *error);

WEIR_END_C

#endif
