/* What the files of the recorder share. Internal to the room. */
#ifndef WEIR_RECORD_RECORD_INTERNAL_H
#define WEIR_RECORD_RECORD_INTERNAL_H

#include "record/hdf5_support.h"
#include "record/reader_internal.h"
#include "record/record.h"
#include "record/table_writer.h"

WEIR_BEGIN_C

typedef enum recorder_state {
	RECORDER_DEFINING,
	RECORDER_RECORDING, /* single-writer mode */
	RECORDER_STOPPED,   /* open for reading, so that a kill does no harm */
	RECORDER_FINISHING  /* open for writing */
} recorder_state;

struct weir_recorder {
	recorder_state state;
	char *path, *part_path, *journal_path;
	weir_file_identity identity; /* of PATH.part */
	hid_t file;
	weir_file_state io;
	weir_journal journal; /* in single-writer mode, and while finishing after that */
	weir_table_writer *tables;
	size_t table_count, table_capacity;
	weir_chunk_buffers buffers;
	size_t block_rows;
	bool live;
	double flush_interval, last_flush; /* seconds; monotonic clock */
	weir_error failure;                /* the first one; lasting */
	struct weir_reader reader;
};

/* Returns WEIR_OK, or the lasting failure when there is one or `done` is false ("cannot <what>").
 * The driver keeps failed writes to itself, so `done` alone does not say that all went well. */
weir_status weir_recorder_check(weir_recorder *recorder, bool done, const char *what,
                                weir_error *error);

/* Whether attributes, documents and tables can be written: after the run the file is opened for it.
 */
bool weir_recorder_make_writable(weir_recorder *recorder);

WEIR_END_C

#endif
