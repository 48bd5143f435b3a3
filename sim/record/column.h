/* What the column types are in memory and in the file. Internal to the room. */
#ifndef WEIR_RECORD_COLUMN_H
#define WEIR_RECORD_COLUMN_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/export.h"
#include "record/record.h"

WEIR_BEGIN_C

enum { WEIR_COLUMN_LARGEST_SIZE = WEIR_COLUMN_NAME_SIZE };

/* Bytes of one value. */
size_t weir_column_size(weir_column_type type);

/* Copies the field at `rows` of `count` row structs, `row_size` bytes apart, to a dense `column`.
 */
void weir_column_gather(weir_column_type type, unsigned char *column, const unsigned char *rows,
                        size_t row_size, size_t count);

/* A new HDF5 type, the same in the file and in memory. */
hid_t weir_column_hdf5_type(weir_column_type type);

/* The column type that holds every value of an HDF5 type; false when there is none. */
bool weir_column_type_of(hid_t hdf5_type, weir_column_type *type);

WEIR_END_C

#endif
