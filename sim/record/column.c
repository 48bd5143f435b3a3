#include "record/column.h"

#include <stdint.h>
#include <string.h>

#include "record/hdf5_support.h"

size_t weir_column_size(weir_column_type type)
{
	switch (type) {
	case WEIR_COLUMN_DOUBLE:
	case WEIR_COLUMN_INT64:
		return 8;
	case WEIR_COLUMN_INT32:
	case WEIR_COLUMN_UINT32:
		return 4;
	case WEIR_COLUMN_UINT8:
		return 1;
	case WEIR_COLUMN_NAME:
		return WEIR_COLUMN_NAME_SIZE;
	}
	return 0;
}

/* A constant size lets the compiler turn each memcpy into one load and one store. */
static inline void gather(size_t size, unsigned char *column, const unsigned char *rows,
                          size_t row_size, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memcpy(column + i * size, rows + i * row_size, size);
	}
}

static void gather_names(unsigned char *column, const unsigned char *rows, size_t row_size,
                         size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* What stands behind the first NUL of a field is not content. */
		const char *name = (const char *)rows + i * row_size;
		size_t length = strnlen(name, WEIR_COLUMN_NAME_SIZE - 1);
		unsigned char *to = column + i * WEIR_COLUMN_NAME_SIZE;
		memcpy(to, name, length);
		memset(to + length, 0, WEIR_COLUMN_NAME_SIZE - length);
	}
}

void weir_column_gather(weir_column_type type, unsigned char *column, const unsigned char *rows,
                        size_t row_size, size_t count)
{
	switch (type) {
	case WEIR_COLUMN_DOUBLE:
	case WEIR_COLUMN_INT64:
		gather(8, column, rows, row_size, count);
		break;
	case WEIR_COLUMN_INT32:
	case WEIR_COLUMN_UINT32:
		gather(4, column, rows, row_size, count);
		break;
	case WEIR_COLUMN_UINT8:
		gather(1, column, rows, row_size, count);
		break;
	case WEIR_COLUMN_NAME:
		gather_names(column, rows, row_size, count);
		break;
	}
}

hid_t weir_column_hdf5_type(weir_column_type type)
{
	switch (type) {
	case WEIR_COLUMN_DOUBLE:
		return H5Tcopy(H5T_NATIVE_DOUBLE);
	case WEIR_COLUMN_INT64:
		return H5Tcopy(H5T_NATIVE_INT64);
	case WEIR_COLUMN_INT32:
		return H5Tcopy(H5T_NATIVE_INT32);
	case WEIR_COLUMN_UINT32:
		return H5Tcopy(H5T_NATIVE_UINT32);
	case WEIR_COLUMN_UINT8:
		return H5Tcopy(H5T_NATIVE_UINT8);
	case WEIR_COLUMN_NAME:
		return weir_hdf5_text_type(WEIR_COLUMN_NAME_SIZE);
	}
	return H5I_INVALID_HID;
}

bool weir_column_type_of(hid_t hdf5_type, weir_column_type *type)
{
	size_t size = H5Tget_size(hdf5_type);
	switch (H5Tget_class(hdf5_type)) {
	case H5T_FLOAT:
		*type = WEIR_COLUMN_DOUBLE;
		return size <= 8;
	case H5T_INTEGER: {
		bool is_signed = H5Tget_sign(hdf5_type) != H5T_SGN_NONE;
		if (!is_signed && size == 1) {
			*type = WEIR_COLUMN_UINT8;
		} else if (!is_signed && size <= 4) {
			*type = WEIR_COLUMN_UINT32;
		} else {
			*type = is_signed && size <= 4 ? WEIR_COLUMN_INT32 : WEIR_COLUMN_INT64;
		}
		return size < 8 || is_signed;
	}
	case H5T_STRING:
		*type = WEIR_COLUMN_NAME;
		return H5Tis_variable_str(hdf5_type) <= 0 && size <= WEIR_COLUMN_NAME_SIZE;
	default:
		return false;
	}
}
