/*
 * The HDF5 file driver of the files that this room writes and recovers. Internal to the room.
 *
 * HDF5's own driver passes every failed write on; H5Fclose then fails half-way, and the library
 * crashes at exit. This one remembers the first failure and drops all later writes: the file stays
 * as a kill at that moment would leave it, and HDF5 closes in peace. Who writes must look at
 * weir_file_state.error. Reading data behind the end of the file is an error, not zeros, so that a
 * truncated file is not taken for a good one. With a journal the writes that it is
 * for are noted there first; a dead writer's notes can be read as if they were in the file.
 */
#ifndef WEIR_RECORD_FILE_DRIVER_H
#define WEIR_RECORD_FILE_DRIVER_H

#include <hdf5.h>
#include <stdbool.h>

#include "base/export.h"
#include "record/journal.h"

WEIR_BEGIN_C

typedef struct weir_file_state {
	int error;    /* errno of the first failure to open, read, write or resize; 0: none */
	bool reserve; /* take disk space when HDF5 allocates it: a full disk is found before HDF5
	                 overwrites what refers to the new part */
	weir_journal *journal;           /* NULL: none is kept */
	const weir_journal_notes *notes; /* that are put over what is read; NULL: none */
} weir_file_state;

/* Makes files opened with `access_list` use the driver; `state` must outlive them. */
herr_t weir_file_driver_set(hid_t access_list, weir_file_state *state);

WEIR_END_C

#endif
