#include "record/hdf5_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* H5Ewalk2 callback, from the innermost error outwards. */
static herr_t note_entry(unsigned depth, const H5E_error2_t *entry, void *context)
{
	weir_hdf5_guard *guard = context;
	/* A call on what could not be opened says nothing of why not. */
	bool follows = entry->maj_num == H5E_ARGS || entry->maj_num == H5E_ATOM;
	if (entry->desc == NULL || (depth == 0 && follows && guard->cause[0] != '\0')) {
		return -1;
	}
	if (depth == 0) {
		snprintf(guard->cause, sizeof guard->cause, "%s", entry->desc);
		guard->number = 0;
	}
	const char *number = strstr(entry->desc, "errno = ");
	if (number != NULL && guard->number == 0) {
		guard->number = atoi(number + strlen("errno = "));
	}
	return 0;
}

static herr_t note_error(hid_t stack, void *context)
{
	H5Ewalk2(stack, H5E_WALK_UPWARD, note_entry, context);
	return 0;
}

void weir_hdf5_enter(weir_hdf5_guard *guard)
{
	guard->cause[0] = '\0';
	guard->number = 0;
	H5Eget_auto2(H5E_DEFAULT, &guard->print, &guard->context);
	H5Eset_auto2(H5E_DEFAULT, note_error, guard);
}

void weir_hdf5_leave(const weir_hdf5_guard *guard)
{
	H5Eset_auto2(H5E_DEFAULT, guard->print, guard->context);
}

weir_status weir_hdf5_fail(weir_error *error, const char *path, const weir_file_state *state,
                           const char *format, ...)
{
	char what[256];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	H5E_auto2_t noting = NULL;
	void *context = NULL;
	H5Eget_auto2(H5E_DEFAULT, &noting, &context);
	const weir_hdf5_guard *guard = noting == note_error ? context : NULL;
	int number = state != NULL ? state->error : 0;
	if (number == 0 && guard != NULL) {
		number = guard->number;
	}
	if (number != 0) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot %s: %s", what, strerror(number));
	}
	const char *cause = guard != NULL && guard->cause[0] != '\0' ? guard->cause : "unknown cause";
	return weir_error_set(error, WEIR_ERROR_IO, path, "cannot %s: HDF5: %s", what, cause);
}

void weir_hdf5_release(hid_t id)
{
	if (id >= 0) {
		H5Idec_ref(id);
	}
}

hid_t weir_hdf5_access_list(weir_file_state *state)
{
	enum { METADATA_READS = 20 };
	hid_t list = H5Pcreate(H5P_FILE_ACCESS);
	H5Pset_libver_bounds(list, H5F_LIBVER_V110, H5F_LIBVER_V110);
	H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
	H5Pset_file_locking(list, true, true);
	/* Of a file being written, metadata with a wrong checksum is read again, after pauses that
	 * double from 1 ns: 20 reads wait for 1 ms in all, and the 100 of HDF5 for ever. */
	H5Pset_metadata_read_attempts(list, METADATA_READS);
	if (state != NULL) {
		weir_file_driver_set(list, state);
	}
	return list;
}

void weir_hdf5_ignore_writer(hid_t access_list)
{
	hbool_t ignore = true;
	H5Pset(access_list, "clear_status_flags", &ignore);
}

void weir_hdf5_ignore_truncation(hid_t access_list)
{
	hbool_t ignore = true;
	H5Pset(access_list, "skip_eof_check", &ignore);
}

hid_t weir_hdf5_creation_list(hid_t list_class)
{
	/* Above max_compact attributes HDF5 moves them to a heap of their own, which cannot be
	 * overwritten safely in single-writer mode. */
	enum { MAX_COMPACT_ATTRIBUTES = 4096 };
	/* Above max_compact links HDF5 moves them to a heap as well, and HDF5 1.10 crashes where it
	 * reads a damaged one; an object header's checksum is checked, and an error told. */
	enum { MAX_COMPACT_LINKS = 4096 };
	hid_t list = H5Pcreate(list_class);
	H5Pset_obj_track_times(list, false);
	H5Pset_attr_phase_change(list, MAX_COMPACT_ATTRIBUTES, 0);
	if (list_class != H5P_DATASET_CREATE) {
		H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
		H5Pset_link_phase_change(list, MAX_COMPACT_LINKS, 0);
	}
	return list;
}

hid_t weir_hdf5_make_group(hid_t file, const char *path)
{
	hid_t group = H5Gopen2(file, "/", H5P_DEFAULT);
	for (const char *part = path; group >= 0 && *part != '\0';) {
		part += strspn(part, "/");
		size_t length = strcspn(part, "/");
		if (length == 0) {
			break;
		}
		char name[WEIR_NAME_SIZE];
		hid_t child = H5I_INVALID_HID;
		if (length < sizeof name) {
			memcpy(name, part, length);
			name[length] = '\0';
			if (H5Lexists(group, name, H5P_DEFAULT) > 0) {
				child = H5Gopen2(group, name, H5P_DEFAULT);
			} else {
				hid_t list = weir_hdf5_creation_list(H5P_GROUP_CREATE);
				child = H5Gcreate2(group, name, H5P_DEFAULT, list, H5P_DEFAULT);
				weir_hdf5_release(list);
			}
		}
		weir_hdf5_release(group);
		group = child;
		part += length;
	}
	return group;
}

hid_t weir_hdf5_text_type(size_t size)
{
	hid_t type = H5Tcopy(H5T_C_S1);
	H5Tset_size(type, size);
	H5Tset_strpad(type, H5T_STR_NULLPAD);
	H5Tset_cset(type, H5T_CSET_UTF8);
	return type;
}

static bool set_attribute(hid_t object, const char *name, hid_t type, const void *value)
{
	htri_t exists = H5Aexists(object, name);
	if (exists < 0 || (exists > 0 && H5Adelete(object, name) < 0)) {
		return false;
	}
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	bool written = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
	weir_hdf5_release(attribute);
	weir_hdf5_release(space);
	return written;
}

/* `text` in `size` bytes, NUL-padded and cut; to be freed. */
static char *padded_text(const char *text, size_t size)
{
	char *padded = calloc(size, 1);
	if (padded != NULL) {
		size_t length = strlen(text);
		memcpy(padded, text, length < size ? length : size);
	}
	return padded;
}

bool weir_hdf5_set_text(hid_t object, const char *name, const char *text, size_t size)
{
	if (size == 0) {
		/* HDF5 has no strings of no bytes. */
		size = text[0] != '\0' ? strlen(text) : 1;
	}
	char *padded = padded_text(text, size);
	hid_t type = weir_hdf5_text_type(size);
	bool written = padded != NULL && set_attribute(object, name, type, padded);
	weir_hdf5_release(type);
	free(padded);
	return written;
}

bool weir_hdf5_set_number(hid_t object, const char *name, double value)
{
	return set_attribute(object, name, H5T_NATIVE_DOUBLE, &value);
}

bool weir_hdf5_set_integer(hid_t object, const char *name, int64_t value)
{
	return set_attribute(object, name, H5T_NATIVE_INT64, &value);
}

bool weir_hdf5_overwrite_text(hid_t object, const char *name, const char *text)
{
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
	char *padded = type >= 0 ? padded_text(text, H5Tget_size(type)) : NULL;
	bool written = padded != NULL && H5Awrite(attribute, type, padded) >= 0;
	free(padded);
	weir_hdf5_release(type);
	weir_hdf5_release(attribute);
	return written;
}

bool weir_hdf5_overwrite_integer(hid_t object, const char *name, int64_t value)
{
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	bool written = attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT64, &value) >= 0;
	weir_hdf5_release(attribute);
	return written;
}

bool weir_hdf5_set_document(hid_t file, const char *path, const char *text, const char *description)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *parent = strndup(path, (size_t)(name - path));
	hid_t group = parent != NULL ? weir_hdf5_make_group(file, parent) : H5I_INVALID_HID;
	free(parent);
	bool clear = group >= 0 && (H5Lexists(group, name, H5P_DEFAULT) <= 0 ||
	                            H5Ldelete(group, name, H5P_DEFAULT) >= 0);
	if (!clear) {
		weir_hdf5_release(group);
		return false;
	}
	size_t length = strlen(text);
	hid_t type = weir_hdf5_text_type(length > 0 ? length : 1);
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t list = weir_hdf5_creation_list(H5P_DATASET_CREATE);
	hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
	bool written = dataset >= 0 &&
	               H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0 &&
	               weir_hdf5_set_text(dataset, "description", description, 0);
	weir_hdf5_release(dataset);
	weir_hdf5_release(list);
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	weir_hdf5_release(group);
	return written;
}

/* Reads one string, of fixed or variable length, by H5Aread or H5Dread. */
static char *read_text(hid_t id, hid_t type, hid_t space, bool is_attribute)
{
	if (type < 0 || H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) {
		return NULL;
	}
	if (H5Tis_variable_str(type) > 0) {
		char *shared = NULL;
		herr_t got = is_attribute ? H5Aread(id, type, &shared)
		                          : H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &shared);
		char *text = got >= 0 ? strdup(shared != NULL ? shared : "") : NULL;
		if (shared != NULL) {
			H5free_memory(shared);
		}
		return text;
	}
	char *text = calloc(H5Tget_size(type) + 1, 1);
	if (text == NULL) {
		return NULL;
	}
	herr_t got = is_attribute ? H5Aread(id, type, text)
	                          : H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
	if (got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *weir_hdf5_attribute_text(hid_t object, const char *name)
{
	if (H5Aexists(object, name) <= 0) {
		return NULL;
	}
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	hid_t type = H5Aget_type(attribute);
	hid_t space = H5Aget_space(attribute);
	char *text = read_text(attribute, type, space, true);
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	weir_hdf5_release(attribute);
	return text;
}

char *weir_hdf5_document_text(hid_t dataset)
{
	hid_t type = H5Dget_type(dataset);
	hid_t space = H5Dget_space(dataset);
	char *text = read_text(dataset, type, space, false);
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	return text;
}

static bool read_number(hid_t object, const char *name, bool allow_float, hid_t memory_type,
                        void *value)
{
	if (H5Aexists(object, name) <= 0) {
		return false;
	}
	hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
	hid_t type = H5Aget_type(attribute);
	hid_t space = H5Aget_space(attribute);
	H5T_class_t kind = H5Tget_class(type);
	bool read = (kind == H5T_INTEGER || (allow_float && kind == H5T_FLOAT)) &&
	            H5Sget_simple_extent_npoints(space) == 1 &&
	            H5Aread(attribute, memory_type, value) >= 0;
	weir_hdf5_release(space);
	weir_hdf5_release(type);
	weir_hdf5_release(attribute);
	return read;
}

bool weir_hdf5_attribute_integer(hid_t object, const char *name, int64_t *value)
{
	return read_number(object, name, false, H5T_NATIVE_INT64, value);
}

bool weir_hdf5_attribute_number(hid_t object, const char *name, double *value)
{
	return read_number(object, name, true, H5T_NATIVE_DOUBLE, value);
}

bool weir_hdf5_attribute_count(hid_t object, hsize_t *count)
{
	H5O_info_t info;
	if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0) {
		return false;
	}
	*count = info.num_attrs;
	return true;
}

bool weir_hdf5_attribute_name(hid_t object, hsize_t index, char name[WEIR_NAME_SIZE])
{
	ssize_t length = H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, index, name,
	                                    WEIR_NAME_SIZE, H5P_DEFAULT);
	return length >= 0 && length < WEIR_NAME_SIZE;
}

bool weir_hdf5_link_count(hid_t group, hsize_t *count)
{
	H5G_info_t info;
	if (H5Gget_info(group, &info) < 0) {
		return false;
	}
	*count = info.nlinks;
	return true;
}

bool weir_hdf5_link_name(hid_t group, H5_index_t order, hsize_t index, char name[WEIR_NAME_SIZE])
{
	ssize_t length = H5Lget_name_by_idx(group, ".", order, H5_ITER_INC, index, name, WEIR_NAME_SIZE,
	                                    H5P_DEFAULT);
	return length >= 0 && length < WEIR_NAME_SIZE;
}

H5_index_t weir_hdf5_creation_order(hid_t group)
{
	unsigned flags = 0;
	hid_t list = H5Gget_create_plist(group);
	H5Pget_link_creation_order(list, &flags);
	weir_hdf5_release(list);
	return (flags & H5P_CRT_ORDER_INDEXED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
}

bool weir_hdf5_rows(hid_t dataset, uint64_t *rows)
{
	hid_t space = H5Dget_space(dataset);
	hsize_t extent = 0;
	bool is_column = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
	                 H5Sget_simple_extent_dims(space, &extent, NULL) == 1;
	weir_hdf5_release(space);
	*rows = extent;
	return is_column;
}

weir_status weir_file_check_output(const char *path, weir_error *error)
{
	if (path == NULL || path[0] == '\0') {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL, "the output file has no name");
	}
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		return weir_error_set(error, WEIR_ERROR_IO, path,
		                      S_ISDIR(info.st_mode) ? "is a directory; name a file to write"
		                                            : "is not a regular file");
	}
	return WEIR_OK;
}

char *weir_file_with_suffix(const char *path, const char *suffix)
{
	size_t size = strlen(path) + strlen(suffix) + 1;
	char *joined = malloc(size);
	if (joined != NULL) {
		snprintf(joined, size, "%s%s", path, suffix);
	}
	return joined;
}

weir_status weir_file_clear_part(const char *part_path, weir_error *error)
{
	char *journal_path = weir_file_with_suffix(part_path, WEIR_JOURNAL_SUFFIX);
	if (journal_path == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, part_path, "out of memory");
	}
	/* The file first: a journal alone means nothing, a file without its own loses a change. */
	const char *const left[] = {part_path, journal_path};
	weir_status status = WEIR_OK;
	for (int i = 0; status == WEIR_OK && i < 2; i++) {
		if (unlink(left[i]) != 0 && errno != ENOENT) {
			status = weir_error_set(error, WEIR_ERROR_IO, left[i],
			                        "cannot replace what an earlier run left: %s", strerror(errno));
		}
	}
	free(journal_path);
	return status;
}

bool weir_file_identify(const char *path, weir_file_identity *identity)
{
	struct stat info;
	if (stat(path, &info) != 0) {
		return false;
	}
	*identity = (weir_file_identity){.device = info.st_dev, .inode = info.st_ino};
	return true;
}

bool weir_file_is(const char *path, const weir_file_identity *identity)
{
	weir_file_identity now;
	return weir_file_identify(path, &now) && now.device == identity->device &&
	       now.inode == identity->inode;
}

static bool sync_path(const char *path, int flags)
{
	int descriptor = open(path, flags | O_RDONLY | O_CLOEXEC);
	if (descriptor < 0) {
		return false;
	}
	/* EINVAL: a file system that knows no sync for this kind of file. */
	bool synced = fsync(descriptor) == 0 || errno == EINVAL;
	int cause = errno;
	close(descriptor);
	errno = cause;
	return synced;
}

weir_status weir_file_finish(const char *temporary_path, const char *path, weir_error *error)
{
	if (!sync_path(temporary_path, 0)) {
		return weir_error_set(error, WEIR_ERROR_IO, temporary_path, "cannot sync: %s",
		                      strerror(errno));
	}
	if (rename(temporary_path, path) != 0) {
		return weir_error_set(error, WEIR_ERROR_IO, temporary_path, "cannot rename to %s: %s", path,
		                      strerror(errno));
	}
	char *directory = strdup(path);
	if (directory == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	char *slash = strrchr(directory, '/');
	if (slash != NULL) {
		slash[slash == directory ? 1 : 0] = '\0';
	}
	bool synced = sync_path(slash != NULL ? directory : ".", O_DIRECTORY);
	int cause = errno;
	free(directory);
	if (!synced) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot sync its directory: %s",
		                      strerror(cause));
	}
	return WEIR_OK;
}
