#include "record/merged.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/hdf5_support.h"
#include "record/reader.h"
#include "record/reader_internal.h"

enum { MERGED_VERSION = 1, MOST_COLUMNS = 256 };

static const char coverage_name[] = "/coverage";

/* The columns of the joined table, as its first source has them. */
typedef struct joined {
	size_t count;
	char names[MOST_COLUMNS][WEIR_NAME_SIZE];
	hid_t types[MOST_COLUMNS];
	char *units[MOST_COLUMNS], *descriptions[MOST_COLUMNS];
	uint64_t *first, *rows; /* of each source */
	uint64_t total;
} joined;

typedef struct merged {
	const weir_merged_options *options;
	char *part_path;
	hid_t file;
	weir_file_state io;
	joined joined;
} merged;

static weir_status no_memory(const char *path, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, path, "no memory for the merged file");
}

/* A source's path as this process can open it: relative ones start at the merged file. */
static char *source_path(const char *merged_path, const char *path)
{
	const char *slash = strrchr(merged_path, '/');
	bool joins = path[0] != '/' && slash != NULL;
	size_t prefix = joins ? (size_t)(slash - merged_path) + 1 : 0;
	size_t size = prefix + strlen(path) + 1;
	char *whole = malloc(size);
	if (whole != NULL) {
		snprintf(whole, size, "%.*s%s", (int)prefix, merged_path, path);
	}
	return whole;
}

/* ---- sources ---- */

static bool add_column(void *context, const char *name)
{
	joined *table = context;
	if (table->count < MOST_COLUMNS) {
		snprintf(table->names[table->count], WEIR_NAME_SIZE, "%s", name);
	}
	table->count++;
	return true;
}

static weir_status list_columns(merged *m, weir_reader *reader, weir_error *error)
{
	joined *table = &m->joined;
	weir_status status = weir_reader_columns(reader, m->options->joined, add_column, table, error);
	if (status == WEIR_OK && table->count > MOST_COLUMNS) {
		table->count = MOST_COLUMNS;
		return weir_error_set(error, WEIR_ERROR_INPUT, weir_reader_path(reader),
		                      "its table %s has more than %d columns", m->options->joined,
		                      MOST_COLUMNS);
	}
	for (size_t i = 0; i < table->count; i++) {
		table->types[i] = H5I_INVALID_HID;
	}
	return status;
}

/* Compares a column with the first source's, or is that. False: it is another one. */
static bool match_column(merged *m, hid_t file, size_t column, bool first)
{
	joined *table = &m->joined;
	char path[2 * WEIR_NAME_SIZE];
	snprintf(path, sizeof path, "/%s/%s", m->options->joined, table->names[column]);
	hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
	hid_t type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
	bool matches = type >= 0;
	if (matches && first) {
		table->types[column] = H5Tcopy(type);
		table->units[column] = weir_hdf5_attribute_text(dataset, "units");
		table->descriptions[column] = weir_hdf5_attribute_text(dataset, "description");
	} else if (matches) {
		matches = H5Tequal(type, table->types[column]) > 0;
	}
	weir_hdf5_release(type);
	weir_hdf5_release(dataset);
	return matches;
}

static weir_status look_at_source(merged *m, size_t number, weir_error *error)
{
	joined *table = &m->joined;
	char *path = source_path(m->options->path, m->options->sources[number].path);
	if (path == NULL) {
		return no_memory(m->options->path, error);
	}
	weir_reader *reader = NULL;
	weir_status status = weir_reader_open(path, &reader, error);
	if (status == WEIR_OK) {
		status = weir_reader_rows(reader, m->options->joined, &table->rows[number], error);
	}
	if (status == WEIR_OK && number == 0) {
		status = list_columns(m, reader, error);
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	for (size_t i = 0; status == WEIR_OK && i < table->count; i++) {
		if (!match_column(m, reader->file, i, number == 0)) {
			status = weir_error_set(error, WEIR_ERROR_INPUT, path,
			                        "has no column %s/%s such as the other files have",
			                        m->options->joined, table->names[i]);
		}
	}
	weir_hdf5_leave(&guard);
	weir_reader_close(reader);
	free(path);
	table->first[number] = table->total;
	table->total += table->rows[number];
	return status;
}

static weir_status look_at_sources(merged *m, weir_error *error)
{
	size_t count = m->options->source_count;
	if (m->options->joined == NULL) {
		return WEIR_OK;
	}
	m->joined.first = weir_allocate(count + 1, sizeof *m->joined.first);
	m->joined.rows = weir_allocate(count + 1, sizeof *m->joined.rows);
	if (m->joined.first == NULL || m->joined.rows == NULL) {
		return no_memory(m->options->path, error);
	}
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		status = look_at_source(m, i, error);
	}
	return status;
}

/* ---- writing ---- */

static bool describe_column(hid_t dataset, const char *unit, const char *description)
{
	return weir_hdf5_set_text(dataset, "units", unit, 0) &&
	       weir_hdf5_set_text(dataset, "description", description, 0);
}

static bool write_column(hid_t group, const weir_merged_column *column, size_t rows)
{
	const hsize_t extent = rows;
	bool text = column->numbers == NULL;
	hid_t type = text ? weir_hdf5_text_type(column->text_size) : H5Tcopy(H5T_NATIVE_DOUBLE);
	hid_t space = H5Screate_simple(1, &extent, NULL);
	hid_t list = weir_hdf5_creation_list(H5P_DATASET_CREATE);
	hid_t dataset = H5Dcreate2(group, column->name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
	const void *values = text ? (const void *)column->texts : (const void *)column->numbers;
	bool written =
	    dataset >= 0 && describe_column(dataset, column->unit, column->description) &&
	    (rows == 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
	weir_hdf5_release(dataset);
	weir_hdf5_release(list);
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	return written;
}

static bool write_table(hid_t file, const weir_merged_table *table)
{
	hid_t group = weir_hdf5_make_group(file, table->name);
	bool written = group >= 0 && weir_hdf5_set_text(group, "description", table->description, 0);
	for (size_t i = 0; written && i < table->column_count; i++) {
		written = write_column(group, &table->columns[i], table->rows);
	}
	weir_hdf5_release(group);
	return written;
}

/* Maps the rows of every source to their place. */
static bool map_sources(const merged *m, hid_t list, hid_t space, const char *dataset)
{
	bool mapped = true;
	for (size_t i = 0; mapped && i < m->options->source_count; i++) {
		const hsize_t start = m->joined.first[i];
		const hsize_t rows = m->joined.rows[i];
		if (rows == 0) {
			continue;
		}
		hid_t from = H5Screate_simple(1, &rows, NULL);
		mapped = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &rows, NULL) >= 0 &&
		         H5Pset_virtual(list, space, m->options->sources[i].path, dataset, from) >= 0;
		weir_hdf5_release(from);
	}
	return mapped;
}

static bool write_joined_column(const merged *m, hid_t group, size_t column)
{
	const joined *table = &m->joined;
	const hsize_t extent = table->total;
	char source[2 * WEIR_NAME_SIZE];
	snprintf(source, sizeof source, "/%s/%s", m->options->joined, table->names[column]);
	hid_t space = H5Screate_simple(1, &extent, NULL);
	hid_t list = weir_hdf5_creation_list(H5P_DATASET_CREATE);
	bool mapped = map_sources(m, list, space, source);
	H5Sselect_all(space);
	hid_t dataset = mapped ? H5Dcreate2(group, table->names[column], table->types[column], space,
	                                    H5P_DEFAULT, list, H5P_DEFAULT)
	                       : H5I_INVALID_HID;
	const char *unit = table->units[column];
	const char *description = table->descriptions[column];
	bool written = dataset >= 0 && describe_column(dataset, unit != NULL ? unit : "",
	                                               description != NULL ? description : "");
	weir_hdf5_release(dataset);
	weir_hdf5_release(list);
	weir_hdf5_release(space);
	return written;
}

static bool write_joined(const merged *m)
{
	hid_t group = weir_hdf5_make_group(m->file, m->options->joined);
	bool written = group >= 0;
	for (size_t i = 0; written && i < m->joined.count; i++) {
		written = write_joined_column(m, group, i);
	}
	weir_hdf5_release(group);
	return written;
}

static bool write_coverage(const merged *m)
{
	size_t count = m->options->source_count;
	size_t size = 1;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(m->options->sources[i].path);
		size = length > size ? length : size;
	}
	double *numbers = weir_allocate(3 * count + 1, sizeof *numbers);
	char *paths = weir_allocate(count + 1, size);
	bool written = numbers != NULL && paths != NULL;
	for (size_t i = 0; written && i < count; i++) {
		numbers[i] = (double)m->options->sources[i].key;
		numbers[count + i] = (double)m->joined.first[i];
		numbers[2 * count + i] = (double)m->joined.rows[i];
		memcpy(paths + i * size, m->options->sources[i].path, strlen(m->options->sources[i].path));
	}
	const weir_merged_column columns[] = {
	    {.name = "run", .unit = "", .description = "Number of the run.", .numbers = numbers},
	    {.name = "first",
	     .unit = "1",
	     .description = "Row of the joined table that its rows begin at.",
	     .numbers = numbers + count},
	    {.name = "rows",
	     .unit = "1",
	     .description = "How many rows are its.",
	     .numbers = numbers + 2 * count},
	    {.name = "path",
	     .unit = "",
	     .description = "Its file; a relative name starts where this file stands.",
	     .texts = paths,
	     .text_size = size},
	};
	const weir_merged_table table = {
	    .name = coverage_name,
	    .description = "Where the rows of the joined table are. HDF5 reads those of a file that is "
	                   "gone as zeros, without an error.",
	    .rows = count,
	    .column_count = sizeof columns / sizeof columns[0],
	    .columns = columns,
	};
	written = written && write_table(m->file, &table);
	free(numbers);
	free(paths);
	return written;
}

static bool write_all(merged *m)
{
	const weir_merged_options *options = m->options;
	hid_t access_list = weir_hdf5_access_list(&m->io);
	hid_t creation_list = weir_hdf5_creation_list(H5P_FILE_CREATE);
	m->file = H5Fcreate(m->part_path, H5F_ACC_TRUNC, creation_list, access_list);
	weir_hdf5_release(creation_list);
	weir_hdf5_release(access_list);
	bool written = m->file >= 0 &&
	               weir_hdf5_set_text(m->file, WEIR_ATTRIBUTE_FORMAT, options->format, 0) &&
	               weir_hdf5_set_integer(m->file, WEIR_ATTRIBUTE_VERSION, MERGED_VERSION);
	for (size_t i = 0; written && i < options->table_count; i++) {
		written = write_table(m->file, &options->tables[i]);
	}
	if (written && options->joined != NULL) {
		written = write_joined(m) && write_coverage(m);
	}
	if (m->file >= 0) {
		written = H5Fclose(m->file) >= 0 && written;
	}
	return written && m->io.error == 0;
}

static weir_status write_file(merged *m, weir_error *error)
{
	const char *path = m->options->path;
	size_t size = strlen(path) + sizeof ".part";
	m->part_path = malloc(size);
	if (m->part_path == NULL) {
		return no_memory(path, error);
	}
	snprintf(m->part_path, size, "%s.part", path);
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	weir_status status =
	    write_all(m) ? WEIR_OK
	                 : weir_hdf5_fail(error, m->part_path, &m->io, "%s", "write the merged file");
	weir_hdf5_leave(&guard);
	if (status == WEIR_OK) {
		status = weir_file_finish(m->part_path, path, error);
	}
	if (status != WEIR_OK) {
		unlink(m->part_path);
	}
	return status;
}

weir_status weir_merged_write(const weir_merged_options *options, weir_error *error)
{
	merged *m = weir_allocate(1, sizeof *m);
	if (m == NULL) {
		return no_memory(options->path, error);
	}
	m->options = options;
	m->file = H5I_INVALID_HID;
	weir_status status = look_at_sources(m, error);
	if (status == WEIR_OK) {
		status = write_file(m, error);
	}
	for (size_t i = 0; i < m->joined.count && i < MOST_COLUMNS; i++) {
		weir_hdf5_release(m->joined.types[i]);
		free(m->joined.units[i]);
		free(m->joined.descriptions[i]);
	}
	free(m->joined.first);
	free(m->joined.rows);
	free(m->part_path);
	free(m);
	return status;
}

/* ---- checking ---- */

typedef struct coverage {
	uint64_t count;
	double *rows;
	char *paths; /* of path_size bytes each, NUL-terminated */
	size_t path_size;
} coverage;

static bool read_coverage(hid_t file, coverage *found)
{
	hid_t rows = H5Dopen2(file, "/coverage/rows", H5P_DEFAULT);
	hid_t paths = H5Dopen2(file, "/coverage/path", H5P_DEFAULT);
	bool read = rows >= 0 && paths >= 0 && weir_hdf5_rows(rows, &found->count);
	hid_t type = read ? H5Dget_type(paths) : H5I_INVALID_HID;
	if (type >= 0) {
		found->path_size = H5Tget_size(type) + 1;
		found->rows = weir_allocate(found->count + 1, sizeof *found->rows);
		found->paths = weir_allocate(found->count + 1, found->path_size);
		hid_t memory = weir_hdf5_text_type(found->path_size);
		read = found->rows != NULL && found->paths != NULL &&
		       H5Dread(rows, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, found->rows) >= 0 &&
		       H5Dread(paths, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, found->paths) >= 0;
		weir_hdf5_release(memory);
	}
	weir_hdf5_release(type);
	weir_hdf5_release(paths);
	weir_hdf5_release(rows);
	return read;
}

static weir_status check_source(const char *merged_path, const char *path, double rows,
                                const char *table, weir_error *error)
{
	char *whole = source_path(merged_path, path);
	if (whole == NULL) {
		return no_memory(merged_path, error);
	}
	weir_reader *reader = NULL;
	uint64_t there = 0;
	weir_status status = weir_reader_open(whole, &reader, error);
	if (status == WEIR_OK) {
		status = weir_reader_rows(reader, table, &there, error);
	}
	if (status == WEIR_OK && (double)there != rows) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, whole,
		                        "has %.0f rows in %s, not %.0f as when %s was made", (double)there,
		                        table, rows, merged_path);
	}
	weir_reader_close(reader);
	free(whole);
	return status;
}

weir_status weir_merged_check(const char *path, const char *joined_table, uint64_t *sources,
                              weir_error *error)
{
	weir_status status = weir_reader_check_file(path, error);
	if (status != WEIR_OK) {
		return status;
	}
	coverage found = {0};
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	if (file < 0 || !read_coverage(file, &found)) {
		status = weir_hdf5_fail(error, path, NULL, "%s", "read the table coverage");
	}
	weir_hdf5_release(file);
	weir_hdf5_leave(&guard);
	for (uint64_t i = 0; status == WEIR_OK && i < found.count; i++) {
		status = check_source(path, found.paths + i * found.path_size, found.rows[i], joined_table,
		                      error);
	}
	if (sources != NULL) {
		*sources = found.count;
	}
	free(found.rows);
	free(found.paths);
	return status;
}
