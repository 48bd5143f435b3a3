#include "record/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "record/column.h"
#include "record/hdf5_support.h"
#include "record/reader_internal.h"

weir_status weir_reader_check_format(hid_t file, const char *path, weir_error *error)
{
	char *format = weir_hdf5_attribute_text(file, WEIR_ATTRIBUTE_FORMAT);
	bool ours = format != NULL && strcmp(format, WEIR_FORMAT_TEXT) == 0;
	free(format);
	int64_t version = 0;
	if (!ours || !weir_hdf5_attribute_integer(file, WEIR_ATTRIBUTE_VERSION, &version)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "is an HDF5 file, but not a run that weir recorded");
	}
	if (version < 1 || version > WEIR_RECORD_SCHEMA_VERSION) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "has schema version %" PRId64
		                      "; this weir reads up to %d: use the weir that wrote it",
		                      version, WEIR_RECORD_SCHEMA_VERSION);
	}
	return WEIR_OK;
}

static weir_status unfinished(const char *path, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_INPUT, path,
	                      "is the file of a run that has not finished; if it no longer goes, "
	                      "'weir recover %s' makes a finished file of what was recorded",
	                      path);
}

static weir_status check_finished(hid_t file, const char *path, weir_error *error)
{
	weir_status status = weir_reader_check_format(file, path, error);
	if (status != WEIR_OK) {
		return status;
	}
	char *state = weir_hdf5_attribute_text(file, WEIR_ATTRIBUTE_STATUS);
	bool finished =
	    state != NULL && (strcmp(state, "complete") == 0 || strcmp(state, "partial") == 0);
	free(state);
	return finished ? WEIR_OK : unfinished(path, error);
}

/* Whether the file fails to open only because its writer did not close it. */
static bool is_unclosed(const char *path)
{
	hid_t access_list = weir_hdf5_access_list(NULL);
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access_list);
	if (file < 0) {
		weir_hdf5_ignore_writer(access_list);
		file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
	}
	weir_hdf5_release(access_list);
	if (file >= 0) {
		H5Fclose(file);
	}
	return file >= 0;
}

static weir_status open_finished(const char *path, hid_t *file, weir_error *error)
{
	hid_t access_list = weir_hdf5_access_list(NULL);
	*file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
	weir_hdf5_release(access_list);
	if (*file >= 0) {
		return check_finished(*file, path, error);
	}
	weir_hdf5_fail(error, path, NULL, "read the file, which may be damaged");
	return is_unclosed(path) ? unfinished(path, error) : WEIR_ERROR_IO;
}

weir_status weir_reader_check_file(const char *path, weir_error *error)
{
	struct stat info;
	if (stat(path, &info) != 0) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot read the file: %s",
		                      strerror(errno));
	}
	if (S_ISDIR(info.st_mode)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path, "is a directory, not a recorded run");
	}
	if (info.st_size == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path, "is empty, not a recorded run");
	}
	if (H5Fis_hdf5(path) == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "is not an HDF5 file, so not a recorded run");
	}
	return WEIR_OK;
}

weir_status weir_reader_open(const char *path, weir_reader **reader, weir_error *error)
{
	*reader = NULL;
	weir_reader *made = weir_allocate(1, sizeof *made);
	char *path_copy = strdup(path);
	if (made == NULL || path_copy == NULL) {
		free(made);
		free(path_copy);
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	made->path = path_copy;
	made->file = H5I_INVALID_HID;
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	weir_status status = weir_reader_check_file(path, error);
	if (status == WEIR_OK) {
		status = open_finished(path, &made->file, error);
	}
	weir_hdf5_leave(&guard);
	if (status != WEIR_OK) {
		weir_reader_close(made);
		return status;
	}
	*reader = made;
	return WEIR_OK;
}

void weir_reader_close(weir_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	if (reader->file >= 0) {
		H5Fclose(reader->file);
	}
	weir_hdf5_leave(&guard);
	free(reader->path);
	free(reader);
}

const char *weir_reader_path(const weir_reader *reader)
{
	return reader->path;
}

/* Opens a link of `location` that leads to an object of the kind wanted, else returns a negative
 * id. */
static hid_t open_link(hid_t location, const char *name, H5I_type_t kind, hid_t access_list)
{
	if (name[0] == '\0' ||
	    (strcmp(name, "/") != 0 && H5Lexists(location, name, H5P_DEFAULT) <= 0)) {
		return H5I_INVALID_HID;
	}
	hid_t object = H5Oopen(location, name, H5P_DEFAULT);
	if (object >= 0 && H5Iget_type(object) != kind) {
		weir_hdf5_release(object);
		return H5I_INVALID_HID;
	}
	if (object >= 0 && kind == H5I_DATASET && access_list != H5P_DEFAULT) {
		weir_hdf5_release(object);
		object = H5Dopen2(location, name, access_list);
	}
	return object;
}

bool weir_hdf5_is_table(hid_t group)
{
	hsize_t links = 0;
	bool found = false;
	char name[WEIR_NAME_SIZE];
	weir_hdf5_link_count(group, &links);
	for (hsize_t i = 0; !found && i < links; i++) {
		if (weir_hdf5_link_name(group, H5_INDEX_NAME, i, name)) {
			uint64_t rows;
			hid_t dataset = open_link(group, name, H5I_DATASET, H5P_DEFAULT);
			found = dataset >= 0 && weir_hdf5_rows(dataset, &rows);
			weir_hdf5_release(dataset);
		}
	}
	return found;
}

static hid_t open_table(weir_reader *reader, const char *table)
{
	hid_t group = open_link(reader->file, table, H5I_GROUP, H5P_DEFAULT);
	if (group >= 0 && !weir_hdf5_is_table(group)) {
		weir_hdf5_release(group);
		return H5I_INVALID_HID;
	}
	return group;
}

static weir_status no_table(const weir_reader *reader, const char *table, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_INPUT, reader->path, "has no table %s", table);
}

bool weir_reader_has_table(weir_reader *reader, const char *table)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t group = open_table(reader, table);
	weir_hdf5_release(group);
	weir_hdf5_leave(&guard);
	return group >= 0;
}

weir_status weir_reader_rows(weir_reader *reader, const char *table, uint64_t *rows,
                             weir_error *error)
{
	*rows = 0;
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t group = open_table(reader, table);
	weir_status status = group >= 0 ? WEIR_OK : no_table(reader, table, error);
	hsize_t links = 0;
	if (group >= 0) {
		weir_hdf5_link_count(group, &links);
	}
	bool found = false;
	char name[WEIR_NAME_SIZE];
	for (hsize_t i = 0; !found && i < links; i++) {
		if (weir_hdf5_link_name(group, weir_hdf5_creation_order(group), i, name)) {
			hid_t dataset = open_link(group, name, H5I_DATASET, H5P_DEFAULT);
			found = dataset >= 0 && weir_hdf5_rows(dataset, rows);
			weir_hdf5_release(dataset);
		}
	}
	weir_hdf5_release(group);
	weir_hdf5_leave(&guard);
	return status;
}

/* A column opened for reading, with its type in the file. */
typedef struct open_column {
	hid_t dataset, file_type;
	uint64_t rows;
} open_column;

static void close_column(open_column *column)
{
	weir_hdf5_release(column->file_type);
	weir_hdf5_release(column->dataset);
}

static weir_status find_column(weir_reader *reader, const char *table, const char *name,
                               open_column *column, weir_error *error)
{
	*column = (open_column){.dataset = H5I_INVALID_HID, .file_type = H5I_INVALID_HID};
	hid_t group = open_table(reader, table);
	if (group < 0) {
		return no_table(reader, table, error);
	}
	/* Columns are read in large pieces: no chunk cache, plain chunks come straight to the caller.
	 */
	hid_t access_list = H5Pcreate(H5P_DATASET_ACCESS);
	H5Pset_chunk_cache(access_list, 1, 0, 1.0);
	column->dataset = open_link(group, name, H5I_DATASET, access_list);
	weir_hdf5_release(access_list);
	weir_hdf5_release(group);
	if (column->dataset < 0 || !weir_hdf5_rows(column->dataset, &column->rows)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, reader->path, "table %s has no column %s",
		                      table, name);
	}
	column->file_type = H5Dget_type(column->dataset);
	return WEIR_OK;
}

static weir_status read_rows(weir_reader *reader, const char *table, const char *name,
                             const open_column *column, hid_t memory_type, uint64_t first,
                             uint64_t count, void *values, weir_error *error)
{
	if (first > column->rows || count > column->rows - first) {
		return weir_error_set(error, WEIR_ERROR_INPUT, reader->path,
		                      "rows %" PRIu64 " to %" PRIu64
		                      " of %s/%s were asked for; it has %" PRIu64,
		                      first, first + count, table, name, column->rows);
	}
	if (count == 0) {
		return WEIR_OK;
	}
	const hsize_t start = first;
	const hsize_t extent = count;
	hid_t memory_space = H5Screate_simple(1, &extent, NULL);
	hid_t file_space = H5Dget_space(column->dataset);
	bool read =
	    H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &start, NULL, &extent, NULL) >= 0 &&
	    H5Dread(column->dataset, memory_type, memory_space, file_space, H5P_DEFAULT, values) >= 0;
	weir_hdf5_release(file_space);
	weir_hdf5_release(memory_space);
	return read ? WEIR_OK
	            : weir_hdf5_fail(error, reader->path, NULL, "read column %s/%s", table, name);
}

static weir_status wrong_type(const weir_reader *reader, const char *table, const char *column,
                              const char *wanted, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_INPUT, reader->path, "column %s/%s does not hold %s",
	                      table, column, wanted);
}

/* Widens the integers at the end of the buffer, first to last: no double is written over an integer
 * that is still to be read. */
#define WIDEN(type, values, count)                                                                 \
	do {                                                                                           \
		const char *from_ = (const char *)((values) + (count)) - (count) * sizeof(type);           \
		for (uint64_t i_ = 0; i_ < (count); i_++) {                                                \
			type integer_;                                                                         \
			memcpy(&integer_, from_ + i_ * sizeof integer_, sizeof integer_);                      \
			(values)[i_] = (double)integer_;                                                       \
		}                                                                                          \
	} while (0)

/*
 * Numbers as doubles. HDF5 converts through a buffer of a megabyte that it clears at every read, so
 * the integers that tables are full of are read as they are and widened here.
 */
static weir_status read_numbers(weir_reader *reader, const char *table, const char *name,
                                const open_column *column, uint64_t first, uint64_t count,
                                double *values, weir_error *error)
{
	if (count > 0 && H5Tequal(column->file_type, H5T_NATIVE_INT32) > 0) {
		weir_status status = read_rows(reader, table, name, column, H5T_NATIVE_INT32, first, count,
		                               (int32_t *)(void *)(values + count) - count, error);
		if (status == WEIR_OK) {
			WIDEN(int32_t, values, count);
		}
		return status;
	}
	if (count > 0 && H5Tequal(column->file_type, H5T_NATIVE_UINT8) > 0) {
		weir_status status = read_rows(reader, table, name, column, H5T_NATIVE_UINT8, first, count,
		                               (uint8_t *)(values + count) - count, error);
		if (status == WEIR_OK) {
			WIDEN(uint8_t, values, count);
		}
		return status;
	}
	return read_rows(reader, table, name, column, H5T_NATIVE_DOUBLE, first, count, values, error);
}
#undef WIDEN

weir_status weir_reader_read(weir_reader *reader, const char *table, const char *column,
                             uint64_t first, uint64_t count, double *values, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	open_column opened;
	weir_status status = find_column(reader, table, column, &opened, error);
	if (status == WEIR_OK) {
		H5T_class_t kind = H5Tget_class(opened.file_type);
		status = kind == H5T_INTEGER || kind == H5T_FLOAT
		             ? read_numbers(reader, table, column, &opened, first, count, values, error)
		             : wrong_type(reader, table, column, "numbers", error);
	}
	close_column(&opened);
	weir_hdf5_leave(&guard);
	return status;
}

weir_status weir_reader_read_int64(weir_reader *reader, const char *table, const char *column,
                                   uint64_t first, uint64_t count, int64_t *values,
                                   weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	open_column opened;
	weir_status status = find_column(reader, table, column, &opened, error);
	if (status == WEIR_OK) {
		status = H5Tget_class(opened.file_type) == H5T_INTEGER
		             ? read_rows(reader, table, column, &opened, H5T_NATIVE_INT64, first, count,
		                         values, error)
		             : wrong_type(reader, table, column, "integers", error);
	}
	close_column(&opened);
	weir_hdf5_leave(&guard);
	return status;
}

weir_status weir_reader_read_names(weir_reader *reader, const char *table, const char *column,
                                   uint64_t first, uint64_t count, char *names, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	open_column opened;
	weir_status status = find_column(reader, table, column, &opened, error);
	if (status == WEIR_OK) {
		weir_column_type type;
		if (weir_column_type_of(opened.file_type, &type) && type == WEIR_COLUMN_NAME) {
			hid_t memory_type = weir_hdf5_text_type(WEIR_COLUMN_NAME_SIZE);
			status =
			    read_rows(reader, table, column, &opened, memory_type, first, count, names, error);
			weir_hdf5_release(memory_type);
		} else {
			status = wrong_type(reader, table, column, "names", error);
		}
	}
	close_column(&opened);
	weir_hdf5_leave(&guard);
	for (uint64_t i = 0; status == WEIR_OK && i < count; i++) {
		names[(i + 1) * WEIR_COLUMN_NAME_SIZE - 1] = '\0';
	}
	return status;
}

weir_status weir_reader_column_type(weir_reader *reader, const char *table, const char *column,
                                    weir_column_type *type, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	open_column opened;
	weir_status status = find_column(reader, table, column, &opened, error);
	if (status == WEIR_OK && !weir_column_type_of(opened.file_type, type)) {
		status = wrong_type(reader, table, column, "numbers or names", error);
	}
	close_column(&opened);
	weir_hdf5_leave(&guard);
	return status;
}

/* Reads an attribute that is an array of fixed-size strings. */
static char *read_text_array(hid_t attribute, size_t *count, size_t *size)
{
	hid_t type = H5Aget_type(attribute);
	hid_t space = H5Aget_space(attribute);
	hssize_t points = H5Sget_simple_extent_npoints(space);
	char *texts = NULL;
	if (points > 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) {
		*count = (size_t)points;
		*size = H5Tget_size(type) + 1;
		hid_t memory_type = weir_hdf5_text_type(*size);
		texts = weir_allocate(*count, *size);
		if (texts != NULL && H5Aread(attribute, memory_type, texts) < 0) {
			free(texts);
			texts = NULL;
		}
		weir_hdf5_release(memory_type);
	}
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	return texts;
}

weir_status weir_reader_value_names(weir_reader *reader, const char *table, const char *column,
                                    char **names, size_t *count, size_t *size, weir_error *error)
{
	*names = NULL;
	*count = 0;
	*size = 0;
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	open_column opened;
	weir_status status = find_column(reader, table, column, &opened, error);
	if (status == WEIR_OK && H5Aexists(opened.dataset, "values") > 0) {
		hid_t attribute = H5Aopen(opened.dataset, "values", H5P_DEFAULT);
		*names = attribute >= 0 ? read_text_array(attribute, count, size) : NULL;
		if (*names == NULL) {
			*count = 0;
			status = weir_hdf5_fail(error, reader->path, NULL, "read the value names of %s/%s",
			                        table, column);
		}
		weir_hdf5_release(attribute);
	}
	close_column(&opened);
	weir_hdf5_leave(&guard);
	return status;
}

/* Opens a group or dataset by path; "/" is the root. */
static hid_t open_object(weir_reader *reader, const char *object)
{
	hid_t id = open_link(reader->file, object, H5I_GROUP, H5P_DEFAULT);
	return id >= 0 ? id : open_link(reader->file, object, H5I_DATASET, H5P_DEFAULT);
}

static weir_status no_attribute(const weir_reader *reader, const char *object, const char *name,
                                const char *kind, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_INPUT, reader->path, "%s has no %s attribute %s",
	                      object, kind, name);
}

weir_status weir_reader_text(weir_reader *reader, const char *object, const char *name, char **text,
                             weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t id = open_object(reader, object);
	*text = id >= 0 ? weir_hdf5_attribute_text(id, name) : NULL;
	weir_hdf5_release(id);
	weir_hdf5_leave(&guard);
	return *text != NULL ? WEIR_OK : no_attribute(reader, object, name, "text", error);
}

weir_status weir_reader_document(weir_reader *reader, const char *object, char **text,
                                 weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t dataset = open_link(reader->file, object, H5I_DATASET, H5P_DEFAULT);
	*text = dataset >= 0 ? weir_hdf5_document_text(dataset) : NULL;
	weir_hdf5_release(dataset);
	weir_hdf5_leave(&guard);
	return *text != NULL ? WEIR_OK
	                     : weir_error_set(error, WEIR_ERROR_INPUT, reader->path,
	                                      "has no document %s", object);
}

weir_status weir_reader_number(weir_reader *reader, const char *object, const char *name,
                               double *value, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t id = open_object(reader, object);
	bool read = id >= 0 && weir_hdf5_attribute_number(id, name, value);
	weir_hdf5_release(id);
	weir_hdf5_leave(&guard);
	return read ? WEIR_OK : no_attribute(reader, object, name, "numeric", error);
}

weir_status weir_reader_integer(weir_reader *reader, const char *object, const char *name,
                                int64_t *value, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t id = open_object(reader, object);
	bool read = id >= 0 && weir_hdf5_attribute_integer(id, name, value);
	weir_hdf5_release(id);
	weir_hdf5_leave(&guard);
	return read ? WEIR_OK : no_attribute(reader, object, name, "integer", error);
}

/* Visits the links of `group` that `wanted` picks. */
static weir_status visit_links(weir_reader *reader, hid_t group,
                               bool (*wanted)(hid_t, const char *), weir_reader_visit visit,
                               void *context, weir_error *error)
{
	hsize_t links = 0;
	bool read = weir_hdf5_link_count(group, &links);
	H5_index_t order = weir_hdf5_creation_order(group);
	char name[WEIR_NAME_SIZE];
	for (hsize_t i = 0; read && i < links; i++) {
		read = weir_hdf5_link_name(group, order, i, name);
		if (read && wanted(group, name) && !visit(context, name)) {
			break;
		}
	}
	return read ? WEIR_OK : weir_hdf5_fail(error, reader->path, NULL, "list its contents");
}

static bool is_table_link(hid_t group, const char *name)
{
	hid_t child = open_link(group, name, H5I_GROUP, H5P_DEFAULT);
	bool is_table = child >= 0 && weir_hdf5_is_table(child);
	weir_hdf5_release(child);
	return is_table;
}

static bool is_column_link(hid_t group, const char *name)
{
	uint64_t rows;
	hid_t child = open_link(group, name, H5I_DATASET, H5P_DEFAULT);
	bool is_column = child >= 0 && weir_hdf5_rows(child, &rows);
	weir_hdf5_release(child);
	return is_column;
}

weir_status weir_reader_tables(weir_reader *reader, weir_reader_visit visit, void *context,
                               weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t root = H5Gopen2(reader->file, "/", H5P_DEFAULT);
	weir_status status = visit_links(reader, root, is_table_link, visit, context, error);
	weir_hdf5_release(root);
	weir_hdf5_leave(&guard);
	return status;
}

weir_status weir_reader_columns(weir_reader *reader, const char *table, weir_reader_visit visit,
                                void *context, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t group = open_table(reader, table);
	weir_status status = group >= 0
	                         ? visit_links(reader, group, is_column_link, visit, context, error)
	                         : no_table(reader, table, error);
	weir_hdf5_release(group);
	weir_hdf5_leave(&guard);
	return status;
}

weir_status weir_reader_attributes(weir_reader *reader, const char *object, weir_reader_visit visit,
                                   void *context, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t id = open_object(reader, object);
	hsize_t count = 0;
	bool read = id >= 0 && weir_hdf5_attribute_count(id, &count);
	char name[WEIR_NAME_SIZE];
	for (hsize_t i = 0; read && i < count; i++) {
		read = weir_hdf5_attribute_name(id, i, name);
		if (read && !visit(context, name)) {
			break;
		}
	}
	weir_hdf5_release(id);
	weir_hdf5_leave(&guard);
	return read ? WEIR_OK
	            : weir_error_set(error, WEIR_ERROR_INPUT, reader->path, "has no %s", object);
}
