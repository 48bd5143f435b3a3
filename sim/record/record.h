/*
 * Recording a run: named tables of columns, written to HDF5 as the run goes.
 *
 * A table is a group with one 1-D chunked dataset per column. The room that owns a table gives its
 * columns; this room knows nothing of what they mean. Rows are buffered in blocks of 4,096. While
 * the run goes the file is PATH.part in SWMR mode, flushed at least every `flush_interval` seconds;
 * on weir_recorder_close it is finished, synced and renamed to PATH. PATH.part.journal guards both
 * against a kill (journal.h).
 *
 * Root attributes made here: "format" ("weir run"), "weir_schema_version", "status" ("running",
 * "complete", "aborted" or, after recovery, "partial") and, until the file is complete,
 * "abort_reason".
 */
#ifndef WEIR_RECORD_RECORD_H
#define WEIR_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef enum weir_column_type {
	WEIR_COLUMN_DOUBLE, /* double */
	WEIR_COLUMN_INT64,  /* int64_t */
	WEIR_COLUMN_INT32,  /* int32_t */
	WEIR_COLUMN_UINT32, /* uint32_t */
	WEIR_COLUMN_UINT8,  /* uint8_t */
	WEIR_COLUMN_NAME    /* char[WEIR_COLUMN_NAME_SIZE], NUL-terminated UTF-8 */
} weir_column_type;

enum {
	WEIR_COLUMN_NAME_SIZE = 32,
	WEIR_RECORD_BLOCK_ROWS = 4096,
	WEIR_RECORD_TEXT_SIZE = 60000, /* longest text of an attribute, in bytes */
	WEIR_RECORD_SCHEMA_VERSION = 1
};

/* One column; rows are structs, `offset` is the field's place in them. */
typedef struct weir_column {
	const char *name;
	weir_column_type type;
	size_t offset;
	const char *unit;               /* "s", "tokens", "1"; "" for none; the attribute "units" */
	const char *description;        /* one sentence */
	const char *const *value_names; /* of an integer that stands for a name: NULL-terminated, value
	                                   0 first; written as the attribute "values"; else NULL */
} weir_column;

typedef struct weir_table_schema {
	const char *name; /* of the group, without the slash */
	const char *description;
	size_t row_size; /* of the row struct, sizeof(row) */
	const weir_column *columns;
	size_t column_count;
} weir_table_schema;

typedef struct weir_recorder_options {
	const char *path;      /* of the finished file */
	int deflate;           /* 0: not compressed; 1..9: shuffle and deflate */
	double flush_interval; /* seconds of wall time; 5 */
	bool live;             /* can be read while it is written, and be recovered after a kill; true.
	                          Else PATH.part is of no use before it is closed, and the file costs a
	                          third less */
	size_t block_rows;     /* of a chunk, up to WEIR_RECORD_BLOCK_ROWS, the default; with fewer the
	                          file of a short run is small */
} weir_recorder_options;

WEIR_API weir_recorder_options weir_recorder_options_default(void);

typedef struct weir_recorder weir_recorder;

/* Opens PATH.part. An unwritable place is WEIR_ERROR_IO with the path and the reason; no file is
 * left then. */
WEIR_API weir_status weir_recorder_create(const weir_recorder_options *options,
                                          weir_recorder **recorder, weir_error *error);

/* Adds a table, before weir_recorder_start only; *table is its number, for weir_recorder_append.
 * `schema` must outlive the recorder. */
WEIR_API weir_status weir_recorder_add_table(weir_recorder *recorder,
                                             const weir_table_schema *schema, int *table,
                                             weir_error *error);

/*
 * Sets an attribute of the group or dataset `object` ("/" for the root, "/provenance"; groups are
 * made as needed), or replaces it. Before weir_recorder_start, or after weir_recorder_stop. A text
 * longer than WEIR_RECORD_TEXT_SIZE is refused: write a document.
 *
 * The first of these calls after weir_recorder_stop ends the protection from kills: compute first,
 * then write all of it, then close.
 */
WEIR_API weir_status weir_recorder_set_text(weir_recorder *recorder, const char *object,
                                            const char *name, const char *text, weir_error *error);
WEIR_API weir_status weir_recorder_set_number(weir_recorder *recorder, const char *object,
                                              const char *name, double value, weir_error *error);
WEIR_API weir_status weir_recorder_set_integer(weir_recorder *recorder, const char *object,
                                               const char *name, int64_t value, weir_error *error);

/* Writes `text` as a scalar dataset (any length), for what is too long for an attribute: the
 * config. Same times as the attributes. One that exists is replaced. */
WEIR_API weir_status weir_recorder_set_document(weir_recorder *recorder, const char *object,
                                                const char *text, const char *description,
                                                weir_error *error);

/* Ends the definition and begins single-writer-multiple-reader mode. Status "running". */
WEIR_API weir_status weir_recorder_start(weir_recorder *recorder, weir_error *error);

/*
 * Appends one row (a struct of the table's layout). A full block is written. Errors (a full disk)
 * are WEIR_ERROR_IO and lasting: what was written stays in PATH.part.
 */
WEIR_API weir_status weir_recorder_append(weir_recorder *recorder, int table, const void *row,
                                          weir_error *error);

/* Flushes when `flush_interval` has passed since the last flush, always when that is 0; cheap
 * otherwise (reads a clock). Flushed rows outlive a kill of the process, not a crash of the
 * machine. */
WEIR_API weir_status weir_recorder_tick(weir_recorder *recorder, weir_error *error);

/* Writes all that is buffered and leaves single-writer mode: attributes, documents and whole tables
 * can be added again, columns can be read back through weir_recorder_reader. */
WEIR_API weir_status weir_recorder_stop(weir_recorder *recorder, weir_error *error);

WEIR_API uint64_t weir_recorder_rows(const weir_recorder *recorder, int table);

/* After weir_recorder_stop: writes a whole table of `count` rows at once (the summary). */
WEIR_API weir_status weir_recorder_write_table(weir_recorder *recorder,
                                               const weir_table_schema *schema, const void *rows,
                                               size_t count, weir_error *error);

/* After weir_recorder_stop: the open file, to be read with the functions of record/reader.h. It
 * belongs to the recorder. */
struct weir_reader;
WEIR_API struct weir_reader *weir_recorder_reader(weir_recorder *recorder);

/* Marks the file "complete", closes, syncs it and its directory, renames PATH.part to PATH. Frees
 * the recorder in any case; on an error PATH.part stays. */
WEIR_API weir_status weir_recorder_close(weir_recorder *recorder, weir_error *error);

/* Frees the recorder. With `keep` what is buffered is written and PATH.part stays, marked "aborted"
 * with `reason` (cut to 255 bytes); else it is removed. NULL is let be. */
WEIR_API void weir_recorder_abort(weir_recorder *recorder, const char *reason, bool keep);

WEIR_END_C

#endif
