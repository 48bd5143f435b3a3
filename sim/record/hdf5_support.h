/* What the files of this room share in their use of HDF5. Internal to the room. */
#ifndef WEIR_RECORD_HDF5_SUPPORT_H
#define WEIR_RECORD_HDF5_SUPPORT_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/export.h"
#include "record/file_driver.h"

WEIR_BEGIN_C

/* Root attributes that tell the state of the file, not what was simulated: outside the digest. */
#define WEIR_ATTRIBUTE_STATUS "status"
#define WEIR_ATTRIBUTE_REASON "abort_reason"
/* Root attributes that say what the file is. */
#define WEIR_ATTRIBUTE_FORMAT  "format"
#define WEIR_ATTRIBUTE_VERSION "weir_schema_version"
#define WEIR_FORMAT_TEXT       "weir run"
/* Of a table being recorded: rows of which every column is known to be in the file. */
#define WEIR_ATTRIBUTE_ROWS   "flushed_rows"
#define WEIR_GROUP_PROVENANCE "/provenance"

enum { WEIR_STATUS_SIZE = 16, WEIR_REASON_SIZE = 256, WEIR_NAME_SIZE = 256 };

/*
 * Between enter and leave HDF5 prints no errors; leave gives others their setting back. HDF5
 * forgets an error at the next call, even one that only cleans up: the guard keeps the cause of the
 * last one.
 */
typedef struct weir_hdf5_guard {
	H5E_auto2_t print;
	void *context;
	char cause[256]; /* innermost description */
	int number;      /* errno, if HDF5's driver told it; else 0 */
} weir_hdf5_guard;

void weir_hdf5_enter(weir_hdf5_guard *guard);
void weir_hdf5_leave(const weir_hdf5_guard *guard);

/* Fills *error with "cannot <what>: <cause>", the cause from `state` (may be NULL) or else from the
 * guard that holds; returns WEIR_ERROR_IO. */
weir_status weir_hdf5_fail(weir_error *error, const char *path, const weir_file_state *state,
                           const char *format, ...) WEIR_PRINTF(4, 5);

/* Releases one reference of any HDF5 object or list; negative ids are let be. */
void weir_hdf5_release(hid_t id);

/* File access list: format of HDF5 1.10 (SWMR), locks only where the file system has them, all
 * objects closed with the file; the room's own driver when `state` is given. */
hid_t weir_hdf5_access_list(weir_file_state *state);
/* Let `access_list` open a file that its writer did not close, and a part of a file; as h5clear
 * does. */
void weir_hdf5_ignore_truncation(hid_t access_list);
void weir_hdf5_ignore_writer(hid_t access_list);
/* A creation list of class H5P_FILE_CREATE, H5P_GROUP_CREATE or H5P_DATASET_CREATE: no time stamps,
 * attributes in the object's header, links in order of creation. */
hid_t weir_hdf5_creation_list(hid_t list_class);

/* Opens the group at `path` below `file`, making it and its parents as needed. */
hid_t weir_hdf5_make_group(hid_t file, const char *path);

/* A NUL-padded UTF-8 string type of `size` bytes. */
hid_t weir_hdf5_text_type(size_t size);

/* Set an attribute anew. Text is stored in `size` bytes (0: as many as it takes), cut to fit. */
bool weir_hdf5_set_text(hid_t object, const char *name, const char *text, size_t size);
bool weir_hdf5_set_number(hid_t object, const char *name, double value);
bool weir_hdf5_set_integer(hid_t object, const char *name, int64_t value);
/* Overwrites an attribute of the same kind in place, which single-writer mode allows. */
bool weir_hdf5_overwrite_text(hid_t object, const char *name, const char *text);
bool weir_hdf5_overwrite_integer(hid_t object, const char *name, int64_t value);
/* Writes a scalar string dataset at `path`, in place of one that is there; parents are made. */
bool weir_hdf5_set_document(hid_t file, const char *path, const char *text,
                            const char *description);
/* The text of a string attribute or of a scalar string dataset, malloc'd; NULL when it is none. */
char *weir_hdf5_attribute_text(hid_t object, const char *name);
char *weir_hdf5_document_text(hid_t dataset);
/* A scalar attribute; false when there is none of the kind. */
bool weir_hdf5_attribute_integer(hid_t object, const char *name, int64_t *value);
bool weir_hdf5_attribute_number(hid_t object, const char *name, double *value);

/* Attributes of an object: their number, and the name of one, in order of name. */
bool weir_hdf5_attribute_count(hid_t object, hsize_t *count);
bool weir_hdf5_attribute_name(hid_t object, hsize_t index, char name[WEIR_NAME_SIZE]);

/* Links of a group: their number, and the name of one, in order of creation or of name. */
bool weir_hdf5_link_count(hid_t group, hsize_t *count);
bool weir_hdf5_link_name(hid_t group, H5_index_t order, hsize_t index, char name[WEIR_NAME_SIZE]);
H5_index_t weir_hdf5_creation_order(hid_t group); /* by name where none was kept */

/* Number of elements of a dataset of one dimension; false for any other. */
bool weir_hdf5_rows(hid_t dataset, uint64_t *rows);

/* Refuses a name that no output can have: none, a directory, a device. */
weir_status weir_file_check_output(const char *path, weir_error *error);
/* `path` with a suffix, to be freed; NULL when memory is out. */
char *weir_file_with_suffix(const char *path, const char *suffix);
/* Removes what an earlier writer left at PATH.part, and its journal. A new file is made there, not
 * the old one emptied: another process may still be writing that. */
weir_status weir_file_clear_part(const char *part_path, weir_error *error);
/* Which file a name stands for, and whether it still does: PATH.part may be replaced by another
 * writer's. */
typedef struct weir_file_identity {
	dev_t device;
	ino_t inode;
} weir_file_identity;
bool weir_file_identify(const char *path, weir_file_identity *identity);
bool weir_file_is(const char *path, const weir_file_identity *identity);
/* The file is synced, renamed to `path`, and the directory synced. */
weir_status weir_file_finish(const char *temporary_path, const char *path, weir_error *error);

WEIR_END_C

#endif
