#include <assert.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/archive.h"
#include "record/archive_internal.h"
#include "record/hdf5_support.h"

struct weir_archive_writer {
	char *path, *part_path;
	weir_file_identity identity; /* of PATH.part */
	hid_t file;
	weir_file_state io;
	weir_error failure; /* the first one; lasting */
};

static hid_t make_space(size_t rank, const size_t *extents)
{
	hsize_t sizes[WEIR_ARCHIVE_MOST_RANK];
	for (size_t i = 0; i < rank; i++) {
		sizes[i] = extents[i];
	}
	return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple((int)rank, sizes, NULL);
}

/* The last part of a path; *parent (to be freed, NULL when memory is out) is what stands before. */
static const char *split_name(const char *name, char **parent)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash != NULL ? slash + 1 : name;
	*parent = strndup(name, (size_t)(last - name));
	return last;
}

/* Returns WEIR_OK, or the lasting failure when there is one or `done` is false. */
static weir_status check(weir_archive_writer *writer, bool done, const char *what, const char *name,
                         weir_error *error)
{
	if (writer->failure.status == WEIR_OK && (!done || writer->io.error != 0)) {
		weir_hdf5_fail(&writer->failure, writer->part_path, &writer->io, "%s%s", what, name);
	}
	if (writer->failure.status != WEIR_OK && error != NULL) {
		*error = writer->failure;
	}
	return writer->failure.status;
}

static void free_writer(weir_archive_writer *writer)
{
	if (writer->file >= 0) {
		weir_hdf5_guard guard;
		weir_hdf5_enter(&guard);
		H5Fclose(writer->file);
		weir_hdf5_leave(&guard);
	}
	free(writer->path);
	free(writer->part_path);
	free(writer);
}

void weir_archive_abandon(weir_archive_writer *writer)
{
	if (writer == NULL) {
		return;
	}
	if (weir_file_is(writer->part_path, &writer->identity)) {
		unlink(writer->part_path);
	}
	free_writer(writer);
}

static hid_t create_file(weir_archive_writer *writer, const char *format, uint32_t version)
{
	hid_t access_list = weir_hdf5_access_list(&writer->io);
	hid_t creation_list = weir_hdf5_creation_list(H5P_FILE_CREATE);
	H5Pset_userblock(creation_list, WEIR_SEAL_SIZE);
	hid_t file = H5Fcreate(writer->part_path, H5F_ACC_EXCL, creation_list, access_list);
	weir_hdf5_release(creation_list);
	weir_hdf5_release(access_list);
	bool marked = file >= 0 && weir_hdf5_set_text(file, WEIR_ATTRIBUTE_FORMAT, format, 0) &&
	              weir_hdf5_set_integer(file, WEIR_ATTRIBUTE_VERSION, version);
	if (file >= 0 && !marked) {
		H5Fclose(file);
	}
	return marked ? file : H5I_INVALID_HID;
}

static weir_status begin_part(weir_archive_writer *writer, const char *format, uint32_t version,
                              weir_error *error)
{
	weir_status status = weir_file_clear_part(writer->part_path, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	writer->file = create_file(writer, format, version);
	status = check(writer, writer->file >= 0, "create the file", "", error);
	weir_hdf5_leave(&guard);
	weir_file_identify(writer->part_path, &writer->identity);
	return status;
}

weir_status weir_archive_begin(const char *path, const char *format, uint32_t version,
                               weir_archive_writer **writer, weir_error *error)
{
	*writer = NULL;
	weir_status status = weir_file_check_output(path, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_archive_writer *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	made->file = H5I_INVALID_HID;
	made->path = strdup(path);
	made->part_path = weir_file_with_suffix(path, ".part");
	if (made->path == NULL || made->part_path == NULL) {
		free_writer(made);
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	status = begin_part(made, format, version, error);
	if (status != WEIR_OK) {
		weir_archive_abandon(made);
		return status;
	}
	*writer = made;
	return WEIR_OK;
}

static bool put_array(hid_t file, const char *name, weir_archive_type type, size_t rank,
                      const size_t *extents, const void *values, const char *unit,
                      const char *description)
{
	char *parent;
	const char *last = split_name(name, &parent);
	hid_t group = parent != NULL ? weir_hdf5_make_group(file, parent) : H5I_INVALID_HID;
	free(parent);
	if (group < 0) {
		return false;
	}
	hid_t space = make_space(rank, extents);
	hid_t list = weir_hdf5_creation_list(H5P_DATASET_CREATE);
	hid_t dataset = H5Dcreate2(group, last, weir_archive_file_type(type), space, H5P_DEFAULT, list,
	                           H5P_DEFAULT);
	bool written = dataset >= 0 &&
	               (H5Sget_simple_extent_npoints(space) == 0 ||
	                H5Dwrite(dataset, weir_archive_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT,
	                         values) >= 0) &&
	               (unit[0] == '\0' || weir_hdf5_set_text(dataset, WEIR_ATTRIBUTE_UNIT, unit, 0)) &&
	               (description[0] == '\0' ||
	                weir_hdf5_set_text(dataset, WEIR_ATTRIBUTE_DESCRIPTION, description, 0));
	weir_hdf5_release(dataset);
	weir_hdf5_release(list);
	weir_hdf5_release(space);
	weir_hdf5_release(group);
	return written;
}

weir_status weir_archive_put(weir_archive_writer *writer, const char *name, weir_archive_type type,
                             size_t rank, const size_t *extents, const void *values,
                             const char *unit, const char *description, weir_error *error)
{
	assert(rank <= WEIR_ARCHIVE_MOST_RANK);
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	bool put = writer->failure.status == WEIR_OK &&
	           put_array(writer->file, name, type, rank, extents, values, unit, description);
	weir_status status = check(writer, put, "write ", name, error);
	weir_hdf5_leave(&guard);
	return status;
}

weir_status weir_archive_put_text(weir_archive_writer *writer, const char *name, const char *text,
                                  const char *description, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	bool put = writer->failure.status == WEIR_OK &&
	           weir_hdf5_set_document(writer->file, name, text, description);
	weir_status status = check(writer, put, "write ", name, error);
	weir_hdf5_leave(&guard);
	return status;
}

/* Closes PATH.part and makes it whole. */
static weir_status close_part(weir_archive_writer *writer, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t file = writer->file;
	writer->file = H5I_INVALID_HID;
	bool closed = H5Fclose(file) >= 0;
	weir_status status = check(writer, closed, "close the file", "", error);
	weir_hdf5_leave(&guard);
	if (status == WEIR_OK && !weir_file_is(writer->part_path, &writer->identity)) {
		status = weir_error_set(error, WEIR_ERROR_IO, writer->part_path,
		                        "was removed or replaced, by another run perhaps");
	}
	return status == WEIR_OK ? weir_archive_seal(writer->part_path, error) : status;
}

weir_status weir_archive_commit(weir_archive_writer *writer, weir_error *error)
{
	weir_status status = close_part(writer, error);
	if (status == WEIR_OK) {
		status = weir_file_finish(writer->part_path, writer->path, error);
	}
	if (status != WEIR_OK) {
		weir_archive_abandon(writer);
		return status;
	}
	free_writer(writer);
	return WEIR_OK;
}
