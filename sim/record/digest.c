/* The content digest of a recorded file. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "record/hdf5_support.h"
#include "record/reader.h"
#include "record/reader_internal.h"

/* Values at a time: a column of any length is hashed in bounded memory. */
enum { PIECE_VALUES = 65536 };

/* Groups in groups; deeper is a cycle of links. */
enum { DEEPEST_GROUP = 16 };

/* How an HDF5 type is hashed: a letter and a size that name it, and the type to read it as. */
typedef struct canonical_type {
	char letter; /* 'i', 'u', 'f' or 's'; 0: not one of ours */
	uint64_t size;
	hid_t read_as;
	size_t read_size;
} canonical_type;

typedef struct hasher {
	XXH3_state_t *state;
	const char *path; /* of the file */
	weir_error *error;
} hasher;

/* Everything is hashed in little-endian order, and texts with their length, so that no two contents
 * give the same stream of bytes. */
static void hash_number(hasher *hash, uint64_t number)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] = (unsigned char)(number >> (8 * i));
	}
	XXH3_128bits_update(hash->state, bytes, sizeof bytes);
}

static void hash_text(hasher *hash, const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	hash_number(hash, length);
	XXH3_128bits_update(hash->state, text, length);
}

static canonical_type canonical(hid_t type)
{
	canonical_type result = {.size = H5Tget_size(type), .read_size = 8};
	switch (H5Tget_class(type)) {
	case H5T_INTEGER: {
		bool is_signed = H5Tget_sign(type) != H5T_SGN_NONE;
		result.letter = is_signed ? 'i' : 'u';
		result.read_as = H5Tcopy(is_signed ? H5T_STD_I64LE : H5T_STD_U64LE);
		break;
	}
	case H5T_FLOAT:
		result.letter = 'f';
		result.read_as = H5Tcopy(H5T_IEEE_F64LE);
		break;
	case H5T_STRING:
		if (H5Tis_variable_str(type) == 0) {
			/* How much room a text has is layout; its length is hashed with it. */
			result.letter = 's';
			result.read_size = (size_t)result.size;
			result.size = 0;
			result.read_as = H5Tcopy(type);
		}
		break;
	default:
		break;
	}
	return result;
}

/* Every NaN counts as the same one. `bytes` holds little-endian IEEE doubles. */
static void settle_nans(unsigned char *bytes, size_t count)
{
	static const unsigned char nan_bytes[8] = {0, 0, 0, 0, 0, 0, 0xf8, 0x7f};
	for (size_t i = 0; i < count; i++) {
		unsigned char *value = bytes + 8 * i;
		bool all_ones = (value[7] & 0x7f) == 0x7f && (value[6] & 0xf0) == 0xf0;
		bool fraction = (value[6] & 0x0f) != 0 ||
		                (value[5] | value[4] | value[3] | value[2] | value[1] | value[0]) != 0;
		if (all_ones && fraction) {
			memcpy(value, nan_bytes, sizeof nan_bytes);
		}
	}
}

static void hash_values(hasher *hash, const canonical_type *type, unsigned char *values,
                        size_t count)
{
	if (type->letter == 's') {
		for (size_t i = 0; i < count; i++) {
			hash_text(hash, (const char *)values + i * type->read_size, type->read_size);
		}
		return;
	}
	if (type->letter == 'f') {
		settle_nans(values, count);
	}
	XXH3_128bits_update(hash->state, values, count * type->read_size);
}

static weir_status unreadable(hasher *hash, const char *path, const char *name)
{
	return weir_hdf5_fail(hash->error, hash->path, NULL, "read %s%s%s", path,
	                      name[0] != '\0' ? " " : "", name);
}

static weir_status foreign(hasher *hash, const char *path, const char *name)
{
	return weir_error_set(hash->error, WEIR_ERROR_INPUT, hash->path,
	                      "%s%s%s has a type that weir does not write, so there is no digest of it",
	                      path, name[0] != '\0' ? " attribute " : "", name);
}

/* Hashes type and shape of an attribute or dataset; *count is the number of values. */
static bool hash_shape(hasher *hash, const canonical_type *type, hid_t space, hsize_t *count)
{
	hsize_t extent[H5S_MAX_RANK];
	int rank = H5Sget_simple_extent_dims(space, extent, NULL);
	if (rank < 0) {
		return false;
	}
	XXH3_128bits_update(hash->state, &type->letter, 1);
	hash_number(hash, type->size);
	hash_number(hash, (uint64_t)rank);
	*count = 1;
	for (int i = 0; i < rank; i++) {
		hash_number(hash, extent[i]);
		*count *= extent[i];
	}
	return true;
}

static weir_status hash_attribute(hasher *hash, hid_t object, const char *path, const char *name)
{
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	hid_t file_type = H5Aget_type(attribute);
	hid_t space = H5Aget_space(attribute);
	canonical_type type = canonical(file_type);
	weir_status status = type.letter != 0 ? WEIR_OK : foreign(hash, path, name);
	if (status == WEIR_OK) {
		hsize_t count = 0;
		hash_text(hash, name, WEIR_NAME_SIZE);
		bool read = hash_shape(hash, &type, space, &count);
		unsigned char *values = weir_allocate((size_t)count, type.read_size);
		read =
		    read && values != NULL && (count == 0 || H5Aread(attribute, type.read_as, values) >= 0);
		if (read) {
			hash_values(hash, &type, values, (size_t)count);
		} else {
			status = unreadable(hash, path, name);
		}
		free(values);
		weir_hdf5_release(type.read_as);
	}
	weir_hdf5_release(space);
	weir_hdf5_release(file_type);
	weir_hdf5_release(attribute);
	return status;
}

static weir_status hash_attributes(hasher *hash, hid_t object, const char *path)
{
	hsize_t count = 0;
	char name[WEIR_NAME_SIZE];
	bool read = weir_hdf5_attribute_count(object, &count);
	bool is_root = path[0] == '\0';
	weir_status status = WEIR_OK;
	for (hsize_t i = 0; read && status == WEIR_OK && i < count; i++) {
		read = weir_hdf5_attribute_name(object, i, name);
		bool is_state = is_root && (strcmp(name, WEIR_ATTRIBUTE_STATUS) == 0 ||
		                            strcmp(name, WEIR_ATTRIBUTE_REASON) == 0);
		if (read && !is_state) {
			status = hash_attribute(hash, object, path, name);
		}
	}
	return read ? status : unreadable(hash, path, "");
}

/* Reads rows [first, first + count) of a one-dimensional dataset. */
static bool read_piece(hid_t dataset, hid_t space, hid_t type, hsize_t first, hsize_t count,
                       void *values)
{
	hid_t memory_space = H5Screate_simple(1, &count, NULL);
	bool read = H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &count, NULL) >= 0 &&
	            H5Dread(dataset, type, memory_space, space, H5P_DEFAULT, values) >= 0;
	weir_hdf5_release(memory_space);
	return read;
}

static bool hash_data(hasher *hash, hid_t dataset, hid_t space, const canonical_type *type,
                      hsize_t count)
{
	hsize_t piece = count < PIECE_VALUES ? count : PIECE_VALUES;
	unsigned char *values = weir_allocate((size_t)piece, type->read_size);
	bool is_scalar = H5Sget_simple_extent_ndims(space) == 0;
	bool read = values != NULL;
	for (hsize_t first = 0; read && first < count; first += piece) {
		hsize_t part = count - first < piece ? count - first : piece;
		read = is_scalar
		           ? H5Dread(dataset, type->read_as, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0
		           : read_piece(dataset, space, type->read_as, first, part, values);
		if (read) {
			hash_values(hash, type, values, (size_t)part);
		}
	}
	free(values);
	return read;
}

static weir_status hash_dataset(hasher *hash, hid_t dataset, const char *path)
{
	hid_t file_type = H5Dget_type(dataset);
	hid_t space = H5Dget_space(dataset);
	canonical_type type = canonical(file_type);
	weir_status status = WEIR_OK;
	if (type.letter == 0 || H5Sget_simple_extent_ndims(space) > 1) {
		status = foreign(hash, path, "");
	} else {
		hsize_t count = 0;
		if (!hash_shape(hash, &type, space, &count) ||
		    !hash_data(hash, dataset, space, &type, count)) {
			status = unreadable(hash, path, "");
		}
	}
	if (type.letter != 0) {
		weir_hdf5_release(type.read_as);
	}
	weir_hdf5_release(space);
	weir_hdf5_release(file_type);
	return status == WEIR_OK ? hash_attributes(hash, dataset, path) : status;
}

/* `path` is "" for the root, else "/name/name". */
static weir_status hash_group(hasher *hash, hid_t group, const char *path, int depth)
{
	hsize_t links = 0;
	weir_status status = hash_attributes(hash, group, path);
	if (status == WEIR_OK && (depth > DEEPEST_GROUP || !weir_hdf5_link_count(group, &links))) {
		status = unreadable(hash, path, "");
	}
	for (hsize_t i = 0; status == WEIR_OK && i < links; i++) {
		char name[WEIR_NAME_SIZE];
		char child_path[WEIR_ERROR_WHERE_SIZE];
		if (!weir_hdf5_link_name(group, H5_INDEX_NAME, i, name)) {
			return unreadable(hash, path, "");
		}
		snprintf(child_path, sizeof child_path, "%s/%s", path, name);
		if (strcmp(child_path, WEIR_GROUP_PROVENANCE) == 0) {
			continue;
		}
		hid_t child = H5Oopen(group, name, H5P_DEFAULT);
		H5I_type_t kind = child >= 0 ? H5Iget_type(child) : H5I_BADID;
		hash_text(hash, kind == H5I_GROUP ? "group" : "dataset", WEIR_NAME_SIZE);
		hash_text(hash, child_path, sizeof child_path);
		if (kind == H5I_GROUP) {
			status = hash_group(hash, child, child_path, depth + 1);
		} else if (kind == H5I_DATASET) {
			status = hash_dataset(hash, child, child_path);
		} else {
			status = child >= 0 ? foreign(hash, child_path, "") : unreadable(hash, child_path, "");
		}
		weir_hdf5_release(child);
	}
	return status;
}

weir_status weir_reader_digest(weir_reader *reader, char digest[WEIR_DIGEST_SIZE],
                               weir_error *error)
{
	digest[0] = '\0';
	hasher hash = {.state = XXH3_createState(), .path = reader->path, .error = error};
	if (hash.state == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, reader->path, "out of memory");
	}
	XXH3_128bits_reset(hash.state);
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t root = H5Gopen2(reader->file, "/", H5P_DEFAULT);
	weir_status status = root >= 0 ? hash_group(&hash, root, "", 0) : unreadable(&hash, "/", "");
	weir_hdf5_release(root);
	weir_hdf5_leave(&guard);
	if (status == WEIR_OK) {
		XXH128_canonical_t result;
		XXH128_canonicalFromHash(&result, XXH3_128bits_digest(hash.state));
		for (size_t i = 0; i < sizeof result.digest; i++) {
			snprintf(digest + 2 * i, 3, "%02x", result.digest[i]);
		}
	}
	XXH3_freeState(hash.state);
	return status;
}
