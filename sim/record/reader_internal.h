/* The reader's inside, for the recorder and the digest. Internal to the room. */
#ifndef WEIR_RECORD_READER_INTERNAL_H
#define WEIR_RECORD_READER_INTERNAL_H

#include <hdf5.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

struct weir_reader {
	hid_t file;
	char *path;
};

/* Refuses what is no HDF5 file, before HDF5 opens it. */
weir_status weir_reader_check_file(const char *path, weir_error *error);

/* Is `file` one of ours, in a version that we read? */
weir_status weir_reader_check_format(hid_t file, const char *path, weir_error *error);

/* Does the group hold columns? */
bool weir_hdf5_is_table(hid_t group);

WEIR_END_C

#endif
