/*
 * Archives: small HDF5 files of named arrays and texts that are written whole and read whole, such
 * as checkpoints.
 *
 * Written once, in one order, without times: equal contents give equal bytes on one machine and
 * library. A name is a path: "agent/network/log_std"; the groups in it come to be by themselves.
 *
 * The first 512 bytes, which HDF5 leaves to its users, hold the XXH3 (128 bit) of all that follows.
 * It is checked before HDF5 sees the file: one that is cut short or damaged anywhere, or changed by
 * another program, is refused as a whole.
 */
#ifndef WEIR_RECORD_ARCHIVE_H
#define WEIR_RECORD_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef enum weir_archive_type {
	WEIR_ARCHIVE_FLOAT,
	WEIR_ARCHIVE_DOUBLE,
	WEIR_ARCHIVE_INT64,
	WEIR_ARCHIVE_UINT64,
	WEIR_ARCHIVE_UINT8
} weir_archive_type;

enum { WEIR_ARCHIVE_MOST_RANK = 4 };

typedef struct weir_archive_writer weir_archive_writer;

/* Begins PATH.part. `format` and `version` say what the file is, as attributes of the root. */
WEIR_API weir_status weir_archive_begin(const char *path, const char *format, uint32_t version,
                                        weir_archive_writer **writer, weir_error *error);
/* An array of `rank` (0: a single number) extents, which may be 0; unit and description become
 * attributes, "" for none. An error lasts: later calls, and the commit, return it again. */
WEIR_API weir_status weir_archive_put(weir_archive_writer *writer, const char *name,
                                      weir_archive_type type, size_t rank, const size_t *extents,
                                      const void *values, const char *unit, const char *description,
                                      weir_error *error);
WEIR_API weir_status weir_archive_put_text(weir_archive_writer *writer, const char *name,
                                           const char *text, const char *description,
                                           weir_error *error);
/* Closes, syncs the file and its directory, renames it to PATH, which it replaces. Frees the writer
 * in any case; after an error PATH is as it was and PATH.part is gone. */
WEIR_API weir_status weir_archive_commit(weir_archive_writer *writer, weir_error *error);
/* Frees the writer and removes PATH.part. NULL is let be. */
WEIR_API void weir_archive_abandon(weir_archive_writer *writer);

/* Whether the file begins as an archive does, which says nothing of the rest. */
WEIR_API bool weir_archive_is(const char *path);

typedef struct weir_archive weir_archive;

/* Refused, naming the file: one that is missing, unreadable, cut short, damaged or no archive;
 * another format (says which it is); a newer version than `newest`. *version: the file's. With
 * `format` NULL any format and version will do. The whole file is read into memory. */
WEIR_API weir_status weir_archive_open(const char *path, const char *format, uint32_t newest,
                                       uint32_t *version, weir_archive **archive,
                                       weir_error *error);
WEIR_API void weir_archive_close(weir_archive *archive);
WEIR_API const char *weir_archive_path(const weir_archive *archive);
WEIR_API const char *weir_archive_format(const weir_archive *archive);
/* Whether there is an array, a text or a group of this name. */
WEIR_API bool weir_archive_has(const weir_archive *archive, const char *name);

/* The shape of an array: extents[WEIR_ARCHIVE_MOST_RANK]. Refused: no such array, or not one of
 * this type. */
WEIR_API weir_status weir_archive_shape(const weir_archive *archive, const char *name,
                                        weir_archive_type type, size_t *rank, size_t *extents,
                                        weir_error *error);
/* Reads an array whose shape must be this one into values; floats and doubles must be finite unless
 * they are said to be otherwise by weir_archive_get_any. */
WEIR_API weir_status weir_archive_get(const weir_archive *archive, const char *name,
                                      weir_archive_type type, size_t rank, const size_t *extents,
                                      void *values, weir_error *error);
WEIR_API weir_status weir_archive_get_any(const weir_archive *archive, const char *name,
                                          weir_archive_type type, size_t rank,
                                          const size_t *extents, void *values, weir_error *error);
/* *text is to be freed. */
WEIR_API weir_status weir_archive_get_text(const weir_archive *archive, const char *name,
                                           char **text, weir_error *error);

/* One array or text. */
typedef struct weir_archive_item {
	const char *name; /* the whole path */
	bool is_text;
	weir_archive_type type; /* of an array */
	size_t rank, extents[WEIR_ARCHIVE_MOST_RANK];
	const char *unit, *description;
} weir_archive_item;

/* "float32", "float64", "int64", "uint64", "uint8" */
WEIR_API const char *weir_archive_type_name(weir_archive_type type);

/* Calls `visit` for each array and text, in the order in which they were put, group by group; it
 * returns false to stop. */
typedef bool (*weir_archive_visit)(void *context, const weir_archive_item *item);
WEIR_API weir_status weir_archive_items(const weir_archive *archive, weir_archive_visit visit,
                                        void *context, weir_error *error);

WEIR_END_C

#endif
