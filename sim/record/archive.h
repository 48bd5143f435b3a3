/*
 * Archives: small HDF5 files of named arrays and texts that are written whole and read whole, such
 * as checkpoints.
 *
 * Written once, in one order, without times: equal contents give equal bytes on one machine and
 * library. A name is a path: "agent/network/log_std"; the groups in it come to be by themselves.
 */
#ifndef WEIR_RECORD_ARCHIVE_H
#define WEIR_RECORD_ARCHIVE_H

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
/* An array of `rank` (0: a single number) extents; unit and description become attributes, "" for
 * none. */
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

typedef struct weir_archive weir_archive;

/* Refused, naming the file: one that is missing, unreadable, cut short or no HDF5; another format
 * (says which it is); a newer version than `newest`. *version: the file's. */
WEIR_API weir_status weir_archive_open(const char *path, const char *format, uint32_t newest,
                                       uint32_t *version, weir_archive **archive,
                                       weir_error *error);
WEIR_API void weir_archive_close(weir_archive *archive);
WEIR_API const char *weir_archive_path(const weir_archive *archive);

/* The shape of an array: extents[WEIR_ARCHIVE_MOST_RANK]. Refused: no such array, or not one of this
 * type. */
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

WEIR_END_C

#endif
