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

/* Opens a finished file (status "complete" or "partial") read-only. Refused with a sentence: no
 * such file, a directory, not HDF5, not a weir file, a newer schema version, a PART file still to
 * be recovered (the hint names `weir recover`). */
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
/* Names of a WEIR_COLUMN_NAME column; `names` has count * WEIR_COLUMN_NAME_SIZE bytes, each name is
 * NUL-terminated. */
WEIR_API weir_status weir_reader_read_names(weir_reader *reader, const char *table,
                                            const char *column, uint64_t first, uint64_t count,
                                            char *names, weir_error *error);

/* The column type that holds the column's values: as recorded, and the nearest for other files. */
WEIR_API weir_status weir_reader_column_type(weir_reader *reader, const char *table,
                                             const char *column, weir_column_type *type,
                                             weir_error *error);

/* What the values of an integer column stand for: `count` NUL-terminated texts of *size bytes each
 * in one malloc'd block, to be freed by the caller; *count is 0 and *names NULL for plain numbers.
 */
WEIR_API weir_status weir_reader_value_names(weir_reader *reader, const char *table,
                                             const char *column, char **names, size_t *count,
                                             size_t *size, weir_error *error);

/* A text attribute or document, malloc'd, to be freed by the caller; WEIR_ERROR_INPUT when absent.
 * `object` is "/", "/provenance", "/requests/ttft". */
WEIR_API weir_status weir_reader_text(weir_reader *reader, const char *object, const char *name,
                                      char **text, weir_error *error);
WEIR_API weir_status weir_reader_document(weir_reader *reader, const char *object, char **text,
                                          weir_error *error);
/* A numeric attribute; the second refuses one that is not an integer. */
WEIR_API weir_status weir_reader_number(weir_reader *reader, const char *object, const char *name,
                                        double *value, weir_error *error);
WEIR_API weir_status weir_reader_integer(weir_reader *reader, const char *object, const char *name,
                                         int64_t *value, weir_error *error);

/*
 * Call `visit` for each table and each column in the order in which they were made, for each
 * attribute in name order. They stop with WEIR_OK when it returns false.
 */
typedef bool (*weir_reader_visit)(void *context, const char *name);
WEIR_API weir_status weir_reader_tables(weir_reader *reader, weir_reader_visit visit, void *context,
                                        weir_error *error);
WEIR_API weir_status weir_reader_columns(weir_reader *reader, const char *table,
                                         weir_reader_visit visit, void *context, weir_error *error);
WEIR_API weir_status weir_reader_attributes(weir_reader *reader, const char *object,
                                            weir_reader_visit visit, void *context,
                                            weir_error *error);

/* 128 bits in hex, NUL-terminated. */
enum { WEIR_DIGEST_SIZE = 33 };

/*
 * The content digest: XXH3-128 over every group, dataset and attribute in name order (names, types,
 * shapes, values; every NaN counts as the same), without /provenance, without the root's "status"
 * and "abort_reason", and without chunks and filters. Equal content gives equal digests, whatever
 * the flush timing and compression. Time: one pass over the file, in bounded memory.
 */
WEIR_API weir_status weir_reader_digest(weir_reader *reader, char digest[WEIR_DIGEST_SIZE],
                                        weir_error *error);

/*
 * Makes a clean finished file at `path` of what PART_PATH holds: every table is cut to the rows
 * that all of its columns are known to have, status "partial" ("complete" if the run had got that
 * far). `path` NULL: PART_PATH without its ".part". PART_PATH stays; a file at `path` is not
 * overwritten. PART_PATH.journal, if there, is read as well. The run that writes PART_PATH may
 * still be going. *rows_kept, *rows_cut (may be NULL): summed over the tables, of the longest
 * columns. A file that cannot be recovered: WEIR_ERROR_INPUT or _IO, and none is made.
 */
WEIR_API weir_status weir_record_recover(const char *part_path, const char *path,
                                         uint64_t *rows_kept, uint64_t *rows_cut,
                                         weir_error *error);

WEIR_END_C

#endif
