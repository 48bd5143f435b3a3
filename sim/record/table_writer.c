#include "record/table_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "record/column.h"
#include "record/hdf5_support.h"

/* Bits of a chunk's filter mask: filters that were left out, in the order of the pipeline. */
enum { NO_SHUFFLE = 1, NO_DEFLATE = 2 };

bool weir_chunk_buffers_create(weir_chunk_buffers *buffers, int deflate)
{
	*buffers = (weir_chunk_buffers){.deflate = deflate};
	buffers->plain = weir_allocate(WEIR_RECORD_BLOCK_ROWS, WEIR_COLUMN_LARGEST_SIZE);
	if (buffers->plain == NULL) {
		return false;
	}
	if (deflate == 0) {
		return true;
	}
	buffers->deflated_capacity =
	    compressBound((uLong)WEIR_RECORD_BLOCK_ROWS * WEIR_COLUMN_LARGEST_SIZE);
	buffers->shuffled = weir_allocate(WEIR_RECORD_BLOCK_ROWS, WEIR_COLUMN_LARGEST_SIZE);
	buffers->deflated = weir_allocate(buffers->deflated_capacity, 1);
	return buffers->shuffled != NULL && buffers->deflated != NULL;
}

void weir_chunk_buffers_destroy(weir_chunk_buffers *buffers)
{
	free(buffers->plain);
	free(buffers->shuffled);
	free(buffers->deflated);
}

/* The attribute "values": an array of names, by value. */
static bool set_value_names(hid_t dataset, const char *const *names)
{
	hsize_t count = 0;
	size_t size = 1;
	for (; names[count] != NULL; count++) {
		size_t length = strlen(names[count]);
		size = length > size ? length : size;
	}
	char *texts = weir_allocate(count, size);
	if (texts == NULL) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(texts + i * size, names[i], strlen(names[i]));
	}
	hid_t type = weir_hdf5_text_type(size);
	hid_t space = H5Screate_simple(1, &count, NULL);
	hid_t attribute = H5Acreate2(dataset, "values", type, space, H5P_DEFAULT, H5P_DEFAULT);
	bool written = attribute >= 0 && H5Awrite(attribute, type, texts) >= 0;
	weir_hdf5_release(attribute);
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	free(texts);
	return written;
}

/* Returns the open dataset; negative: it could not be made. */
static hid_t create_column(hid_t group, const weir_column *column, hid_t creation_list,
                           hid_t access_list)
{
	const hsize_t none = 0;
	const hsize_t unlimited = H5S_UNLIMITED;
	hid_t type = weir_column_hdf5_type(column->type);
	hid_t space = H5Screate_simple(1, &none, &unlimited);
	hid_t dataset =
	    H5Dcreate2(group, column->name, type, space, H5P_DEFAULT, creation_list, access_list);
	bool made = dataset >= 0 && weir_hdf5_set_text(dataset, "units", column->unit, 0) &&
	            weir_hdf5_set_text(dataset, "description", column->description, 0) &&
	            (column->value_names == NULL || set_value_names(dataset, column->value_names));
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	if (!made) {
		weir_hdf5_release(dataset);
		return H5I_INVALID_HID;
	}
	return dataset;
}

/* Room for the columns' ids, all invalid. */
static bool allocate_columns(weir_table_writer *table)
{
	size_t count = table->schema->column_count;
	table->columns = weir_allocate(count, sizeof *table->columns);
	for (size_t i = 0; table->columns != NULL && i < count; i++) {
		table->columns[i] = H5I_INVALID_HID;
	}
	return table->columns != NULL;
}

/* Chunks are written whole, past HDF5's cache: it needs no memory. */
static hid_t column_access_list(void)
{
	hid_t list = H5Pcreate(H5P_DATASET_ACCESS);
	H5Pset_chunk_cache(list, 1, 0, 1.0);
	return list;
}

bool weir_table_create(weir_table_writer *table, hid_t file, int deflate, bool keep_open)
{
	const weir_table_schema *schema = table->schema;
	if (!allocate_columns(table)) {
		return false;
	}
	hid_t group_list = weir_hdf5_creation_list(H5P_GROUP_CREATE);
	hid_t group = H5Gcreate2(file, schema->name, H5P_DEFAULT, group_list, H5P_DEFAULT);
	const hsize_t chunk = table->chunk_rows;
	hid_t access_list = column_access_list();
	hid_t column_list = weir_hdf5_creation_list(H5P_DATASET_CREATE);
	H5Pset_chunk(column_list, 1, &chunk);
	if (deflate > 0) {
		H5Pset_shuffle(column_list);
		H5Pset_deflate(column_list, (unsigned)deflate);
	}
	bool made = group >= 0 && weir_hdf5_set_text(group, "description", schema->description, 0);
	for (size_t i = 0; made && i < schema->column_count; i++) {
		table->columns[i] = create_column(group, &schema->columns[i], column_list, access_list);
		made = table->columns[i] >= 0;
	}
	weir_hdf5_release(column_list);
	weir_hdf5_release(access_list);
	weir_hdf5_release(group);
	weir_hdf5_release(group_list);
	if (!made || !keep_open) {
		weir_table_close(table);
	}
	return made;
}

bool weir_table_open(weir_table_writer *table, hid_t file)
{
	const weir_table_schema *schema = table->schema;
	if (!allocate_columns(table)) {
		return false;
	}
	hid_t access_list = column_access_list();
	hid_t group = H5Gopen2(file, schema->name, H5P_DEFAULT);
	bool opened = group >= 0;
	for (size_t i = 0; opened && i < schema->column_count; i++) {
		table->columns[i] = H5Dopen2(group, schema->columns[i].name, access_list);
		opened = table->columns[i] >= 0;
	}
	weir_hdf5_release(group);
	weir_hdf5_release(access_list);
	if (!opened) {
		weir_table_close(table);
	}
	return opened;
}

void weir_table_close(weir_table_writer *table)
{
	if (table->columns == NULL) {
		return;
	}
	for (size_t i = 0; i < table->schema->column_count; i++) {
		weir_hdf5_release(table->columns[i]);
	}
	free(table->columns);
	table->columns = NULL;
}

/* As HDF5's shuffle filter: all first bytes, then all second bytes, ... */
static void shuffle(unsigned char *to, const unsigned char *from, size_t count, size_t size)
{
	for (size_t byte = 0; byte < size; byte++) {
		for (size_t i = 0; i < count; i++) {
			*to++ = from[i * size + byte];
		}
	}
}

static bool write_chunk(hid_t dataset, weir_chunk_buffers *buffers, hsize_t first, size_t rows,
                        size_t size, bool compress)
{
	if (buffers->deflate == 0 || !compress) {
		unsigned mask = buffers->deflate == 0 ? 0 : NO_SHUFFLE | NO_DEFLATE;
		return H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, &first, rows * size, buffers->plain) >= 0;
	}
	const unsigned char *shuffled = buffers->plain;
	if (size > 1) {
		shuffle(buffers->shuffled, buffers->plain, rows, size);
		shuffled = buffers->shuffled;
	}
	uLongf deflated_size = buffers->deflated_capacity;
	return compress2(buffers->deflated, &deflated_size, shuffled, rows * size, buffers->deflate) ==
	           Z_OK &&
	       H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &first, deflated_size, buffers->deflated) >= 0;
}

bool weir_table_write_block(weir_table_writer *table, weir_chunk_buffers *buffers,
                            const unsigned char *rows, size_t count, bool compress,
                            const char **column)
{
	const weir_table_schema *schema = table->schema;
	assert(count > 0 && count <= table->chunk_rows);
	assert(table->first % table->chunk_rows == 0);
	const hsize_t extent = table->first + count;
	for (size_t i = 0; i < schema->column_count; i++) {
		const weir_column *field = &schema->columns[i];
		size_t size = weir_column_size(field->type);
		weir_column_gather(field->type, buffers->plain, rows + field->offset, schema->row_size,
		                   count);
		memset(buffers->plain + count * size, 0, (table->chunk_rows - count) * size);
		if (H5Dset_extent(table->columns[i], &extent) < 0 ||
		    !write_chunk(table->columns[i], buffers, table->first, table->chunk_rows, size,
		                 compress)) {
			if (column != NULL) {
				*column = field->name;
			}
			return false;
		}
	}
	return true;
}
