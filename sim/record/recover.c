/* Making a finished file of what an interrupted run left. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/hdf5_support.h"
#include "record/reader.h"
#include "record/reader_internal.h"

enum { PIECE_ROWS = 16 * WEIR_RECORD_BLOCK_ROWS, DEEPEST_GROUP = 16 };

/* An open file of an interrupted run, and the clean one made of it. */
typedef struct recovery {
	const char *part_path, *path;
	char *temporary_path;
	hid_t from, to;
	weir_file_state from_io, to_io;
	weir_journal_notes notes; /* of the writer that was killed */
	uint64_t rows_kept, rows_cut;
	weir_error *error;
} recovery;

static weir_status unreadable(recovery *job, const char *what)
{
	return weir_hdf5_fail(job->error, job->part_path, &job->from_io,
	                      "read %s, so nothing is recovered", what);
}

static weir_status unwritable(recovery *job)
{
	return weir_hdf5_fail(job->error, job->path, &job->to_io, "write the recovered file");
}

static hid_t open_part(recovery *job, unsigned flags, bool ignore_marks)
{
	hid_t access_list = weir_hdf5_access_list(&job->from_io);
	if (ignore_marks) {
		weir_hdf5_ignore_writer(access_list);
		weir_hdf5_ignore_truncation(access_list);
	}
	hid_t file = H5Fopen(job->part_path, flags, access_list);
	weir_hdf5_release(access_list);
	return file;
}

static weir_status read_journal(recovery *job)
{
	char *path = weir_file_with_suffix(job->part_path, WEIR_JOURNAL_SUFFIX);
	if (path == NULL) {
		return weir_error_set(job->error, WEIR_ERROR_MEMORY, job->part_path, "out of memory");
	}
	int failure = weir_journal_read(path, &job->notes);
	if (failure == 0) {
		job->from_io.notes = &job->notes;
	} else {
		weir_error_set(job->error, WEIR_ERROR_IO, path, "cannot read: %s", strerror(failure));
	}
	free(path);
	return failure == 0 ? WEIR_OK : WEIR_ERROR_IO;
}

static weir_status open_interrupted(recovery *job)
{
	weir_status status = weir_reader_check_file(job->part_path, job->error);
	if (status != WEIR_OK) {
		return status;
	}
	status = read_journal(job);
	if (status != WEIR_OK) {
		return status;
	}
	/* Closed after a failure; killed while recording; killed before or after that, or truncated. */
	job->from = open_part(job, H5F_ACC_RDONLY, false);
	if (job->from < 0) {
		job->from = open_part(job, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, false);
	}
	if (job->from < 0) {
		job->from = open_part(job, H5F_ACC_RDONLY, true);
	}
	if (job->from < 0) {
		return unreadable(job, "the file");
	}
	return weir_reader_check_format(job->from, job->part_path, job->error);
}

static hid_t create_clean(recovery *job)
{
	hid_t access_list = weir_hdf5_access_list(&job->to_io);
	hid_t creation_list = weir_hdf5_creation_list(H5P_FILE_CREATE);
	hid_t file = H5Fcreate(job->temporary_path, H5F_ACC_TRUNC, creation_list, access_list);
	weir_hdf5_release(creation_list);
	weir_hdf5_release(access_list);
	return file;
}

static bool copy_attribute(hid_t from, hid_t to, const char *name)
{
	hid_t attribute = H5Aopen(from, name, H5P_DEFAULT);
	hid_t type = H5Aget_type(attribute);
	hid_t space = H5Aget_space(attribute);
	hssize_t points = H5Sget_simple_extent_npoints(space);
	void *values = points > 0 ? weir_allocate((size_t)points, H5Tget_size(type)) : NULL;
	bool copied = values != NULL && H5Aread(attribute, type, values) >= 0;
	if (copied) {
		hid_t copy = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
		copied = copy >= 0 && H5Awrite(copy, type, values) >= 0;
		weir_hdf5_release(copy);
	}
	free(values);
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	weir_hdf5_release(attribute);
	return copied;
}

/* All attributes but the marks of a table being recorded. */
static bool copy_attributes(hid_t from, hid_t to)
{
	hsize_t count = 0;
	bool copied = weir_hdf5_attribute_count(from, &count);
	char name[WEIR_NAME_SIZE];
	for (hsize_t i = 0; copied && i < count; i++) {
		copied = weir_hdf5_attribute_name(from, i, name);
		if (copied && strcmp(name, WEIR_ATTRIBUTE_ROWS) != 0) {
			copied = copy_attribute(from, to, name);
		}
	}
	return copied;
}

static bool transfer_piece(hid_t dataset, bool write, hid_t type, hsize_t first, hsize_t count,
                           void *values)
{
	hid_t memory_space = H5Screate_simple(1, &count, NULL);
	hid_t file_space = H5Dget_space(dataset);
	H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &first, NULL, &count, NULL);
	herr_t done = write ? H5Dwrite(dataset, type, memory_space, file_space, H5P_DEFAULT, values)
	                    : H5Dread(dataset, type, memory_space, file_space, H5P_DEFAULT, values);
	weir_hdf5_release(file_space);
	weir_hdf5_release(memory_space);
	return done >= 0;
}

/*
 * Copies at most `rows` rows of `from` to a dataset of that name; *copied tells how many could be
 * read, in whole blocks when a part of the file is missing. False when writing fails.
 */
static bool copy_rows(hid_t from, hid_t to, hid_t type, uint64_t rows, uint64_t *copied)
{
	void *values = weir_allocate(PIECE_ROWS, H5Tget_size(type));
	bool written = values != NULL;
	size_t piece = PIECE_ROWS;
	*copied = 0;
	while (written && *copied < rows) {
		hsize_t count = rows - *copied < piece ? rows - *copied : piece;
		if (transfer_piece(from, false, type, *copied, count, values)) {
			written = transfer_piece(to, true, type, *copied, count, values);
			*copied += count;
		} else if (piece > WEIR_RECORD_BLOCK_ROWS) {
			piece = WEIR_RECORD_BLOCK_ROWS;
		} else {
			break;
		}
	}
	free(values);
	return written;
}

static bool copy_column(hid_t from, hid_t group, const char *name, uint64_t rows, uint64_t *copied)
{
	const hsize_t extent = rows;
	const hsize_t unlimited = H5S_UNLIMITED;
	hid_t type = H5Dget_type(from);
	hid_t space = H5Screate_simple(1, &extent, &unlimited);
	hid_t creation_list = H5Dget_create_plist(from);
	hid_t to = H5Dcreate2(group, name, type, space, H5P_DEFAULT, creation_list, H5P_DEFAULT);
	bool done = to >= 0 && copy_attributes(from, to) && copy_rows(from, to, type, rows, copied);
	weir_hdf5_release(to);
	weir_hdf5_release(creation_list);
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	return done;
}

/* Rows that every column of a table has, and the length of the longest. */
typedef struct table_extent {
	uint64_t shortest, longest;
} table_extent;

static bool measure_table(hid_t group, hsize_t links, table_extent *extent)
{
	*extent = (table_extent){.shortest = UINT64_MAX};
	char name[WEIR_NAME_SIZE];
	for (hsize_t i = 0; i < links; i++) {
		uint64_t rows = 0;
		hid_t child = weir_hdf5_link_name(group, H5_INDEX_NAME, i, name)
		                  ? H5Oopen(group, name, H5P_DEFAULT)
		                  : H5I_INVALID_HID;
		if (child < 0) {
			return false;
		}
		if (H5Iget_type(child) == H5I_DATASET && weir_hdf5_rows(child, &rows)) {
			extent->shortest = rows < extent->shortest ? rows : extent->shortest;
			extent->longest = rows > extent->longest ? rows : extent->longest;
		}
		weir_hdf5_release(child);
	}
	/* Columns can be longer in the file than what has been written to them. */
	int64_t flushed = 0;
	if (weir_hdf5_attribute_integer(group, WEIR_ATTRIBUTE_ROWS, &flushed) && flushed >= 0 &&
	    (uint64_t)flushed < extent->shortest) {
		extent->shortest = (uint64_t)flushed;
	}
	return true;
}

/* Cuts all columns of a copied table to what the shortest of them got. */
static bool cut_table(hid_t group, hsize_t links, uint64_t rows)
{
	char name[WEIR_NAME_SIZE];
	bool cut = true;
	for (hsize_t i = 0; cut && i < links; i++) {
		uint64_t has = 0;
		cut = weir_hdf5_link_name(group, H5_INDEX_NAME, i, name);
		hid_t child = cut ? H5Oopen(group, name, H5P_DEFAULT) : H5I_INVALID_HID;
		if (child >= 0 && H5Iget_type(child) == H5I_DATASET && weir_hdf5_rows(child, &has) &&
		    has > rows) {
			const hsize_t extent = rows;
			cut = H5Dset_extent(child, &extent) >= 0;
		}
		weir_hdf5_release(child);
	}
	return cut;
}

static weir_status copy_group(recovery *job, hid_t from, hid_t to, int depth);

static weir_status copy_child(recovery *job, hid_t from, hid_t to, const char *name, uint64_t rows,
                              uint64_t *copied, int depth)
{
	hid_t child = H5Oopen(from, name, H5P_DEFAULT);
	if (child < 0) {
		return unreadable(job, name);
	}
	uint64_t unused;
	weir_status status = WEIR_OK;
	bool done = true;
	*copied = rows;
	if (H5Iget_type(child) == H5I_GROUP) {
		hid_t list = weir_hdf5_creation_list(H5P_GROUP_CREATE);
		hid_t group = H5Gcreate2(to, name, H5P_DEFAULT, list, H5P_DEFAULT);
		weir_hdf5_release(list);
		done = group >= 0;
		status = done ? copy_group(job, child, group, depth + 1) : WEIR_OK;
		weir_hdf5_release(group);
	} else if (H5Iget_type(child) == H5I_DATASET && weir_hdf5_rows(child, &unused)) {
		done = copy_column(child, to, name, rows, copied);
	} else {
		done = H5Ocopy(from, name, to, name, H5P_DEFAULT, H5P_DEFAULT) >= 0;
	}
	weir_hdf5_release(child);
	return done && job->to_io.error == 0 ? status : unwritable(job);
}

static weir_status copy_group(recovery *job, hid_t from, hid_t to, int depth)
{
	hsize_t links = 0;
	table_extent extent = {0};
	bool is_table = weir_hdf5_is_table(from);
	if (depth > DEEPEST_GROUP || !copy_attributes(from, to) ||
	    !weir_hdf5_link_count(from, &links) || (is_table && !measure_table(from, links, &extent))) {
		return unreadable(job, "a group");
	}
	H5_index_t order = weir_hdf5_creation_order(from);
	uint64_t rows = extent.shortest;
	weir_status status = WEIR_OK;
	for (hsize_t i = 0; status == WEIR_OK && i < links; i++) {
		char name[WEIR_NAME_SIZE];
		uint64_t copied = 0;
		if (!weir_hdf5_link_name(from, order, i, name)) {
			return unreadable(job, "a group");
		}
		status = copy_child(job, from, to, name, rows, &copied, depth);
		rows = copied < rows ? copied : rows;
	}
	if (status == WEIR_OK && is_table) {
		status = cut_table(to, links, rows) ? WEIR_OK : unwritable(job);
		job->rows_kept += rows;
		job->rows_cut += extent.longest - rows;
	}
	return status;
}

/* Whether the run had finished and only the renaming was missing. */
static bool is_complete(hid_t file)
{
	char *text = weir_hdf5_attribute_text(file, WEIR_ATTRIBUTE_STATUS);
	bool complete = text != NULL && strcmp(text, "complete") == 0;
	free(text);
	return complete;
}

static bool set_root(recovery *job)
{
	bool complete = is_complete(job->from) && job->rows_cut == 0;
	bool set = weir_hdf5_set_text(job->to, WEIR_ATTRIBUTE_STATUS, complete ? "complete" : "partial",
	                              WEIR_STATUS_SIZE);
	char *reason = weir_hdf5_attribute_text(job->to, WEIR_ATTRIBUTE_REASON);
	if (reason != NULL && reason[0] == '\0') {
		set = set && H5Adelete(job->to, WEIR_ATTRIBUTE_REASON) >= 0;
	}
	free(reason);
	return set;
}

static weir_status recover(recovery *job)
{
	weir_status status = open_interrupted(job);
	if (status != WEIR_OK) {
		return status;
	}
	job->to = create_clean(job);
	if (job->to < 0) {
		return unwritable(job);
	}
	hid_t from = H5Gopen2(job->from, "/", H5P_DEFAULT);
	hid_t to = H5Gopen2(job->to, "/", H5P_DEFAULT);
	status = from >= 0 && to >= 0 ? copy_group(job, from, to, 0) : unreadable(job, "the file");
	weir_hdf5_release(from);
	weir_hdf5_release(to);
	if (status == WEIR_OK && !set_root(job)) {
		status = unwritable(job);
	}
	bool closed = H5Fclose(job->to) >= 0;
	job->to = H5I_INVALID_HID;
	if (status == WEIR_OK && (!closed || job->to_io.error != 0)) {
		status = unwritable(job);
	}
	if (status == WEIR_OK) {
		status = weir_file_finish(job->temporary_path, job->path, job->error);
	}
	if (status != WEIR_OK) {
		unlink(job->temporary_path);
	}
	return status;
}

/* PART_PATH without ".part", malloc'd. */
static weir_status default_path(const char *part_path, char **path, weir_error *error)
{
	static const char suffix[] = ".part";
	size_t length = strlen(part_path);
	size_t suffix_length = sizeof suffix - 1;
	if (length <= suffix_length || strcmp(part_path + length - suffix_length, suffix) != 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, part_path,
		                      "has no name that ends in .part: name the file to write");
	}
	*path = strndup(part_path, length - suffix_length);
	return *path != NULL ? WEIR_OK
	                     : weir_error_set(error, WEIR_ERROR_MEMORY, part_path, "out of memory");
}

weir_status weir_record_recover(const char *part_path, const char *path, uint64_t *rows_kept,
                                uint64_t *rows_cut, weir_error *error)
{
	char *own_path = NULL;
	weir_status status = WEIR_OK;
	if (path == NULL) {
		status = default_path(part_path, &own_path, error);
		path = own_path;
	}
	struct stat info;
	if (status == WEIR_OK && lstat(path, &info) == 0) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, path,
		                        "exists and would be overwritten: name another file to write");
	}
	recovery job = {.part_path = part_path,
	                .path = path,
	                .from = H5I_INVALID_HID,
	                .to = H5I_INVALID_HID,
	                .error = error};
	if (status == WEIR_OK) {
		size_t size = strlen(path) + sizeof ".recovering";
		job.temporary_path = malloc(size);
		if (job.temporary_path == NULL) {
			status = weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
		} else {
			snprintf(job.temporary_path, size, "%s.recovering", path);
			weir_hdf5_guard guard;
			weir_hdf5_enter(&guard);
			status = recover(&job);
			if (job.from >= 0) {
				H5Fclose(job.from);
			}
			weir_hdf5_leave(&guard);
		}
	}
	weir_journal_forget(&job.notes);
	free(job.temporary_path);
	free(own_path);
	if (rows_kept != NULL) {
		*rows_kept = status == WEIR_OK ? job.rows_kept : 0;
	}
	if (rows_cut != NULL) {
		*rows_cut = status == WEIR_OK ? job.rows_cut : 0;
	}
	return status;
}
