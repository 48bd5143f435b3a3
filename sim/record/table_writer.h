/*
 * Writing one table: a group whose columns are chunked datasets. Internal to the room.
 *
 * A block of rows is one chunk of every column, written as a whole (H5Dwrite_chunk): an unfinished
 * block is written again, in place, when it has grown. Unfinished blocks are never compressed while
 * the run goes, so that they keep their place in the file: in single-writer mode HDF5 cannot use
 * the place of a moved chunk again.
 */
#ifndef WEIR_RECORD_TABLE_WRITER_H
#define WEIR_RECORD_TABLE_WRITER_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "record/record.h"

WEIR_BEGIN_C

/* Buffers for one chunk on its way to the file; shared by the tables of a recorder. */
typedef struct weir_chunk_buffers {
	int deflate;
	unsigned char *plain;    /* WEIR_RECORD_BLOCK_ROWS of the largest column */
	unsigned char *shuffled; /* the same; these two only with deflate > 0 */
	unsigned char *deflated;
	size_t deflated_capacity;
} weir_chunk_buffers;

bool weir_chunk_buffers_create(weir_chunk_buffers *buffers, int deflate);
void weir_chunk_buffers_destroy(weir_chunk_buffers *buffers);

typedef struct weir_table_writer {
	const weir_table_schema *schema;
	size_t chunk_rows;
	hid_t *columns; /* open datasets; NULL when closed */
	/* The block that is being filled. */
	unsigned char *rows; /* chunk_rows structs */
	size_t used;         /* rows in it */
	size_t written;      /* of these, rows that are in the file */
	uint64_t first;      /* row number of its first row */
} weir_table_writer;

/* Makes the group and its datasets, with their attributes. With `keep_open` the datasets stay open,
 * as after weir_table_open; in single-writer mode they must not. */
bool weir_table_create(weir_table_writer *table, hid_t file, int deflate, bool keep_open);

/* Opens the datasets of a table; false on failure, with nothing left open. */
bool weir_table_open(weir_table_writer *table, hid_t file);
void weir_table_close(weir_table_writer *table);

/* Writes rows [first, first + count), `first` at the start of a chunk and `count` at most one.
 * Fails at the column *column (may be NULL). `compress` says whether to use the buffers' deflate
 * level. */
bool weir_table_write_block(weir_table_writer *table, weir_chunk_buffers *buffers,
                            const unsigned char *rows, size_t count, bool compress,
                            const char **column);

WEIR_END_C

#endif
