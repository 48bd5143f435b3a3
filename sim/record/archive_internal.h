/* What the files that write and read archives share. Internal to the room. */
#ifndef WEIR_RECORD_ARCHIVE_INTERNAL_H
#define WEIR_RECORD_ARCHIVE_INTERNAL_H

#include <hdf5.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "record/archive.h"

WEIR_BEGIN_C

/* Attributes of an array. */
#define WEIR_ATTRIBUTE_UNIT        "units"
#define WEIR_ATTRIBUTE_DESCRIPTION "description"

/* Types of HDF5, which owns them. */
hid_t weir_archive_file_type(weir_archive_type type);
hid_t weir_archive_memory_type(weir_archive_type type);

/* The first bytes of an archive say what it is, and the hash of the rest. HDF5 looks for itself at
 * 0, 512, 1024, ... */
enum { WEIR_SEAL_SIZE = 512 };

/* Writes the seal of the file behind it, whose first WEIR_SEAL_SIZE bytes are still free. */
weir_status weir_archive_seal(const char *path, weir_error *error);

/* Reads a whole archive, to be freed, whose seal holds; refuses anything else. */
weir_status weir_archive_unseal(const char *path, void **bytes, size_t *size, weir_error *error);

WEIR_END_C

#endif
