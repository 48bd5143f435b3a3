/* Reading recorded files back: columns, attributes, recovery and the content digest. */
#ifndef WEIR_RECORD_READER_H
#define WEIR_RECORD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "record/record.h"

WEIR_BEGIN_C

typedef struct weir_reader weir_reader;

/* Opens a finished file read-only. Refused with a sentence: no such file, a directory, not HDF5,
 * not a weir file, a newer schema version, a PART file still to be recovered (the hint names `weir
 * recover`). */
WEIR_API weir_status weir_reader_open(const char *path, weir_reader **reader, weir_error *error);
WEIR_API void weir_reader_close(weir_reader *reader);

WEIR_API const char *weir_reader_path(const weir_reader *reader);
WEIR_API bool weir_reader_has_table(weir_reader *reader, const char *table);
WEIR_API weir_status weir_reader_rows(weir_reader *reader, const char *table, uint64_t *rows,
                                      weir_error *error);

/* Reads rows [first, first + count) of a column, converted to double (any numeric type), into
 * `values`. */
WEIR_API weir_status weir_reader_read(weir_reader *reader, const char *table, const char *column,
                                      uint64_t first, uint64_t count, double *values,
                                      weir_error *error);
WEIR_API weir_status weir_reader_read_int64(weir_reader *reader, const char *table,
                                            const char *column, uint64_t first, uint64_t count,
                                            int64_t *values, weir_error *error);
/* Names of a WEIR_COLUMN_NAME column; `names` has count * WEIR_COLUMN_NAME_SIZE bytes. */
WEIR_API weir_status weir_reader_read_names(weir_reader *reader, const char *table,
                                            const char *column, uint64_t first, uint64_t count,
                                            char *names, weir_error *error);

/* A text attribute or document, malloc'd, to be freed by the caller; WEIR_ERROR_INPUT when absent.
 */
WEIR_API weir_status weir_reader_text(weir_reader *reader, const char *object, const char *name,
                                      char **text, weir_error *error);
WEIR_API weir_status weir_reader_document(weir_reader *reader, const char *object, char **text,
                                          weir_error *error);
WEIR_API weir_status weir_reader_number(weir_reader *reader, const char *object, const char *name,
                                        double *value, weir_error *error);

/* Calls `visit` for each table / each column, in name order. */
typedef bool (*weir_reader_visit)(void *context, const char *name);
WEIR_API weir_status weir_reader_tables(weir_reader *reader, weir_reader_visit visit, void *context,
                                        weir_error *error);
WEIR_API weir_status weir_reader_columns(weir_reader *reader, const char *table,
                                         weir_reader_visit visit, void *context, weir_error *error);

/* 128 bits in hex, NUL-terminated. */
enum { WEIR_DIGEST_SIZE = 33 };

/*
 * The content digest: XXH3-128 over every dataset and attribute in name order (names, types,
 * shapes, values), without /provenance and without chunk layout. Equal content gives equal digests,
 * whatever the flush timing.
 */
WEIR_API weir_status weir_reader_digest(weir_reader *reader, char digest[WEIR_DIGEST_SIZE],
                                        weir_error *error);

/*
 * Makes a clean finished file at `path` of what PART_PATH holds: every table is cut to its shortest
 * column, status "partial". `path` NULL: PART_PATH without its ".part". PART_PATH stays.
 * *rows_kept, *rows_cut (may be NULL): summed over tables, of the longest columns.
 */
WEIR_API weir_status weir_record_recover(const char *part_path, const char *path,
                                         uint64_t *rows_kept, uint64_t *rows_cut,
                                         weir_error *error);

WEIR_END_C

#endif
