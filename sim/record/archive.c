#include "record/archive.h"

#include <assert.h>
#include <hdf5.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/archive_internal.h"
#include "record/hdf5_support.h"

enum { SHAPE_TEXT_SIZE = 160, MOST_DEPTH = 16 };

struct weir_archive {
	char *path, *format;
	hid_t file;
};

const char *weir_archive_type_name(weir_archive_type type)
{
	static const char *const names[] = {[WEIR_ARCHIVE_FLOAT] = "float32",
	                                    [WEIR_ARCHIVE_DOUBLE] = "float64",
	                                    [WEIR_ARCHIVE_INT64] = "int64",
	                                    [WEIR_ARCHIVE_UINT64] = "uint64",
	                                    [WEIR_ARCHIVE_UINT8] = "uint8"};
	return names[type];
}

hid_t weir_archive_file_type(weir_archive_type type)
{
	switch (type) {
	case WEIR_ARCHIVE_FLOAT:
		return H5T_IEEE_F32LE;
	case WEIR_ARCHIVE_DOUBLE:
		return H5T_IEEE_F64LE;
	case WEIR_ARCHIVE_INT64:
		return H5T_STD_I64LE;
	case WEIR_ARCHIVE_UINT64:
		return H5T_STD_U64LE;
	case WEIR_ARCHIVE_UINT8:
	default:
		return H5T_STD_U8LE;
	}
}

hid_t weir_archive_memory_type(weir_archive_type type)
{
	switch (type) {
	case WEIR_ARCHIVE_FLOAT:
		return H5T_NATIVE_FLOAT;
	case WEIR_ARCHIVE_DOUBLE:
		return H5T_NATIVE_DOUBLE;
	case WEIR_ARCHIVE_INT64:
		return H5T_NATIVE_INT64;
	case WEIR_ARCHIVE_UINT64:
		return H5T_NATIVE_UINT64;
	case WEIR_ARCHIVE_UINT8:
	default:
		return H5T_NATIVE_UINT8;
	}
}

/* Opens a file of which all bytes are in memory; HDF5 keeps a copy. */
static hid_t open_image(const weir_archive *archive, void *bytes, size_t size)
{
	enum { INCREMENT = 65536 };
	/* HDF5 takes images of one name for one file, and refuses the name of a file that exists. */
	char name[64];
	snprintf(name, sizeof name, "/dev/null/%p", (const void *)archive);
	hid_t access_list = H5Pcreate(H5P_FILE_ACCESS);
	H5Pset_fclose_degree(access_list, H5F_CLOSE_STRONG);
	hid_t file = H5I_INVALID_HID;
	if (H5Pset_fapl_core(access_list, INCREMENT, false) >= 0 &&
	    H5Pset_file_image(access_list, bytes, size) >= 0) {
		file = H5Fopen(name, H5F_ACC_RDONLY, access_list);
	}
	weir_hdf5_release(access_list);
	return file;
}

static weir_status check_format(const weir_archive *archive, const char *format, uint32_t newest,
                                uint32_t *version, weir_error *error)
{
	int64_t number = 0;
	if (archive->format == NULL ||
	    !weir_hdf5_attribute_integer(archive->file, WEIR_ATTRIBUTE_VERSION, &number)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, archive->path,
		                      "does not say what kind of archive it is");
	}
	if (format != NULL && strcmp(archive->format, format) != 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, archive->path,
		                      "is a %s file, where a %s file is wanted", archive->format, format);
	}
	if (number < 1 || number > UINT32_MAX || (format != NULL && number > (int64_t)newest)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, archive->path,
		                      "is a %s file of version %" PRId64 "; this weir reads up to %" PRIu32
		                      ": use the weir that wrote it",
		                      archive->format, number, newest);
	}
	*version = (uint32_t)number;
	return WEIR_OK;
}

static weir_status open_whole(weir_archive *archive, const char *format, uint32_t newest,
                              uint32_t *version, weir_error *error)
{
	void *bytes = NULL;
	size_t size = 0;
	weir_status status = weir_archive_unseal(archive->path, &bytes, &size, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	archive->file = open_image(archive, bytes, size);
	if (archive->file < 0) {
		status = weir_hdf5_fail(error, archive->path, NULL, "read the file");
	} else {
		archive->format = weir_hdf5_attribute_text(archive->file, WEIR_ATTRIBUTE_FORMAT);
		status = check_format(archive, format, newest, version, error);
	}
	weir_hdf5_leave(&guard);
	free(bytes);
	return status;
}

weir_status weir_archive_open(const char *path, const char *format, uint32_t newest,
                              uint32_t *version, weir_archive **archive, weir_error *error)
{
	*archive = NULL;
	weir_archive *made = weir_allocate(1, sizeof *made);
	char *copy = strdup(path);
	if (made == NULL || copy == NULL) {
		free(made);
		free(copy);
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	made->path = copy;
	made->file = H5I_INVALID_HID;
	weir_status status = open_whole(made, format, newest, version, error);
	if (status != WEIR_OK) {
		weir_archive_close(made);
		return status;
	}
	*archive = made;
	return WEIR_OK;
}

void weir_archive_close(weir_archive *archive)
{
	if (archive == NULL) {
		return;
	}
	if (archive->file >= 0) {
		weir_hdf5_guard guard;
		weir_hdf5_enter(&guard);
		H5Fclose(archive->file);
		weir_hdf5_leave(&guard);
	}
	free(archive->format);
	free(archive->path);
	free(archive);
}

const char *weir_archive_path(const weir_archive *archive)
{
	return archive->path;
}

const char *weir_archive_format(const weir_archive *archive)
{
	return archive->format;
}

bool weir_archive_has(const weir_archive *archive, const char *name)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t object = H5Oopen(archive->file, name, H5P_DEFAULT);
	weir_hdf5_release(object);
	weir_hdf5_leave(&guard);
	return object >= 0;
}

/* A negative id when there is no dataset of this name. */
static hid_t open_dataset(const weir_archive *archive, const char *name)
{
	hid_t object = H5Oopen(archive->file, name, H5P_DEFAULT);
	if (object >= 0 && H5Iget_type(object) != H5I_DATASET) {
		weir_hdf5_release(object);
		return H5I_INVALID_HID;
	}
	return object;
}

static bool find_shape(hid_t dataset, size_t *rank, size_t *extents)
{
	hid_t space = H5Dget_space(dataset);
	hsize_t sizes[H5S_MAX_RANK];
	int dimensions = space >= 0 ? H5Sget_simple_extent_dims(space, sizes, NULL) : -1;
	weir_hdf5_release(space);
	if (dimensions < 0 || dimensions > WEIR_ARCHIVE_MOST_RANK) {
		return false;
	}
	*rank = (size_t)dimensions;
	for (size_t i = 0; i < WEIR_ARCHIVE_MOST_RANK; i++) {
		extents[i] = i < *rank ? (size_t)sizes[i] : 1;
	}
	return true;
}

/* "3 x 64 float32" */
static const char *shape_text(char *buffer, weir_archive_type type, size_t rank,
                              const size_t *extents)
{
	size_t used = 0;
	buffer[0] = '\0';
	for (size_t i = 0; i < rank; i++) {
		used += (size_t)snprintf(buffer + used, SHAPE_TEXT_SIZE - used, i == 0 ? "%zu" : " x %zu",
		                         extents[i]);
	}
	snprintf(buffer + used, SHAPE_TEXT_SIZE - used, "%s%s", rank == 0 ? "one " : " ",
	         weir_archive_type_name(type));
	return buffer;
}

static bool has_type(hid_t dataset, weir_archive_type type)
{
	hid_t stored = H5Dget_type(dataset);
	bool equal = stored >= 0 && H5Tequal(stored, weir_archive_file_type(type)) > 0;
	weir_hdf5_release(stored);
	return equal;
}

/* Opens an array of this type, or tells what is wrong and returns a negative id. */
static hid_t open_array(const weir_archive *archive, const char *name, weir_archive_type type,
                        size_t *rank, size_t *extents, weir_error *error)
{
	hid_t dataset = open_dataset(archive, name);
	if (dataset < 0) {
		weir_error_set(error, WEIR_ERROR_INPUT, archive->path, "has no array %s", name);
		return dataset;
	}
	if (!has_type(dataset, type) || !find_shape(dataset, rank, extents)) {
		weir_error_set(error, WEIR_ERROR_INPUT, archive->path,
		               "%s is not an array of %s of at most %d dimensions", name,
		               weir_archive_type_name(type), WEIR_ARCHIVE_MOST_RANK);
		weir_hdf5_release(dataset);
		return H5I_INVALID_HID;
	}
	return dataset;
}

weir_status weir_archive_shape(const weir_archive *archive, const char *name,
                               weir_archive_type type, size_t *rank, size_t *extents,
                               weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t dataset = open_array(archive, name, type, rank, extents, error);
	weir_hdf5_release(dataset);
	weir_hdf5_leave(&guard);
	return dataset >= 0 ? WEIR_OK : WEIR_ERROR_INPUT;
}

static weir_status check_shape(const weir_archive *archive, const char *name,
                               weir_archive_type type, size_t rank, const size_t *extents,
                               size_t found_rank, const size_t *found, weir_error *error)
{
	bool equal = rank == found_rank;
	for (size_t i = 0; equal && i < rank; i++) {
		equal = extents[i] == found[i];
	}
	char have[SHAPE_TEXT_SIZE];
	char want[SHAPE_TEXT_SIZE];
	return equal ? WEIR_OK
	             : weir_error_set(error, WEIR_ERROR_INPUT, archive->path, "%s is %s; it must be %s",
	                              name, shape_text(have, type, found_rank, found),
	                              shape_text(want, type, rank, extents));
}

weir_status weir_archive_get_any(const weir_archive *archive, const char *name,
                                 weir_archive_type type, size_t rank, const size_t *extents,
                                 void *values, weir_error *error)
{
	assert(rank <= WEIR_ARCHIVE_MOST_RANK);
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	size_t found_rank = 0;
	size_t found[WEIR_ARCHIVE_MOST_RANK];
	hid_t dataset = open_array(archive, name, type, &found_rank, found, error);
	weir_status status =
	    dataset >= 0 ? check_shape(archive, name, type, rank, extents, found_rank, found, error)
	                 : WEIR_ERROR_INPUT;
	if (status == WEIR_OK && H5Dread(dataset, weir_archive_memory_type(type), H5S_ALL, H5S_ALL,
	                                 H5P_DEFAULT, values) < 0) {
		status = weir_hdf5_fail(error, archive->path, NULL, "read %s", name);
	}
	weir_hdf5_release(dataset);
	weir_hdf5_leave(&guard);
	return status;
}

weir_status weir_archive_get(const weir_archive *archive, const char *name, weir_archive_type type,
                             size_t rank, const size_t *extents, void *values, weir_error *error)
{
	weir_status status = weir_archive_get_any(archive, name, type, rank, extents, values, error);
	bool real = type == WEIR_ARCHIVE_FLOAT || type == WEIR_ARCHIVE_DOUBLE;
	if (status != WEIR_OK || !real) {
		return status;
	}
	size_t count = 1;
	for (size_t i = 0; i < rank; i++) {
		count *= extents[i];
	}
	for (size_t i = 0; i < count; i++) {
		double value = type == WEIR_ARCHIVE_FLOAT ? (double)((const float *)values)[i]
		                                          : ((const double *)values)[i];
		if (!isfinite(value)) {
			return weir_error_set(error, WEIR_ERROR_INPUT, archive->path,
			                      "%s: number %zu of %zu is %g; all must be finite", name, i + 1,
			                      count, value);
		}
	}
	return WEIR_OK;
}

weir_status weir_archive_get_text(const weir_archive *archive, const char *name, char **text,
                                  weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t dataset = open_dataset(archive, name);
	*text = dataset >= 0 ? weir_hdf5_document_text(dataset) : NULL;
	weir_hdf5_release(dataset);
	weir_hdf5_leave(&guard);
	return *text != NULL
	           ? WEIR_OK
	           : weir_error_set(error, WEIR_ERROR_INPUT, archive->path, "has no text %s", name);
}

/* --- what there is --- */

typedef struct item_walk {
	weir_archive_visit visit;
	void *context;
	bool stopped;
} item_walk;

static bool describe(hid_t dataset, weir_archive_item *item)
{
	hid_t stored = H5Dget_type(dataset);
	item->is_text = stored >= 0 && H5Tget_class(stored) == H5T_STRING;
	weir_hdf5_release(stored);
	bool known = item->is_text;
	for (int type = WEIR_ARCHIVE_FLOAT; !known && type <= WEIR_ARCHIVE_UINT8; type++) {
		item->type = (weir_archive_type)type;
		known = has_type(dataset, item->type);
	}
	return known && find_shape(dataset, &item->rank, item->extents);
}

static void visit_dataset(hid_t dataset, const char *name, item_walk *walk)
{
	weir_archive_item item = {.name = name};
	char *unit = weir_hdf5_attribute_text(dataset, WEIR_ATTRIBUTE_UNIT);
	char *description = weir_hdf5_attribute_text(dataset, WEIR_ATTRIBUTE_DESCRIPTION);
	item.unit = unit != NULL ? unit : "";
	item.description = description != NULL ? description : "";
	walk->stopped = describe(dataset, &item) && !walk->visit(walk->context, &item);
	free(description);
	free(unit);
}

static bool walk_group(hid_t group, const char *prefix, int depth, item_walk *walk)
{
	hsize_t links = 0;
	bool walked = depth < MOST_DEPTH && weir_hdf5_link_count(group, &links);
	H5_index_t order = weir_hdf5_creation_order(group);
	for (hsize_t i = 0; walked && !walk->stopped && i < links; i++) {
		char name[WEIR_NAME_SIZE];
		char path[2 * WEIR_NAME_SIZE];
		walked = weir_hdf5_link_name(group, order, i, name);
		hid_t object = walked ? H5Oopen(group, name, H5P_DEFAULT) : H5I_INVALID_HID;
		int length = snprintf(path, sizeof path, "%s%s", prefix, walked ? name : "");
		walked = object >= 0 && length < (int)sizeof path - 1;
		if (walked && H5Iget_type(object) == H5I_GROUP) {
			path[length] = '/';
			path[length + 1] = '\0';
			walked = walk_group(object, path, depth + 1, walk);
		} else if (walked) {
			visit_dataset(object, path, walk);
		}
		weir_hdf5_release(object);
	}
	return walked;
}

weir_status weir_archive_items(const weir_archive *archive, weir_archive_visit visit, void *context,
                               weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	item_walk walk = {.visit = visit, .context = context};
	hid_t root = H5Gopen2(archive->file, "/", H5P_DEFAULT);
	bool walked = root >= 0 && walk_group(root, "", 0, &walk);
	weir_hdf5_release(root);
	weir_status status =
	    walked ? WEIR_OK : weir_hdf5_fail(error, archive->path, NULL, "list what is in it");
	weir_hdf5_leave(&guard);
	return status;
}
