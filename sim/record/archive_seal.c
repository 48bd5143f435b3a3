#include "record/archive_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "record/hdf5_support.h"

static const char MAGIC[] = "weir archive, HDF5 from byte 512; xxh3-128 of that: ";

static void make_seal(const unsigned char *bytes, size_t size, char seal[WEIR_SEAL_SIZE])
{
	XXH128_hash_t hash = XXH3_128bits(bytes + WEIR_SEAL_SIZE, size - WEIR_SEAL_SIZE);
	memset(seal, 0, WEIR_SEAL_SIZE);
	snprintf(seal, WEIR_SEAL_SIZE, "%s%016" PRIx64 "%016" PRIx64 "\n", MAGIC, (uint64_t)hash.high64,
	         (uint64_t)hash.low64);
}

static weir_status fail(const char *path, const char *what, int number, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_IO, path, "cannot %s: %s", what, strerror(number));
}

/* All of the file; to be freed. NULL, with errno set, after an error. */
static unsigned char *read_whole(int descriptor, size_t size)
{
	unsigned char *bytes = malloc(size > 0 ? size : 1);
	size_t done = 0;
	while (bytes != NULL && done < size) {
		ssize_t got = read(descriptor, bytes + done, size - done);
		if (got > 0) {
			done += (size_t)got;
		} else if (got == 0 || errno != EINTR) {
			int cause = got == 0 ? EIO : errno;
			free(bytes);
			bytes = NULL;
			errno = cause;
		}
	}
	return bytes;
}

/* Opens and reads; *descriptor stays open, or is -1 after an error. */
static weir_status load(const char *path, int flags, int *descriptor, unsigned char **bytes,
                        size_t *size, weir_error *error)
{
	*bytes = NULL;
	/* A pipe must not hold up who opens it. */
	*descriptor = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	if (*descriptor < 0 || fstat(*descriptor, &info) != 0) {
		int cause = errno;
		if (*descriptor >= 0) {
			close(*descriptor);
			*descriptor = -1;
		}
		return fail(path, "read the file", cause, error);
	}
	weir_status status = WEIR_OK;
	if (!S_ISREG(info.st_mode)) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, path,
		                        S_ISDIR(info.st_mode) ? "is a directory, not a file"
		                                              : "is not a regular file");
	} else {
		*size = (size_t)info.st_size;
		*bytes = read_whole(*descriptor, *size);
		status = *bytes != NULL ? WEIR_OK : fail(path, "read the file", errno, error);
	}
	if (status != WEIR_OK) {
		close(*descriptor);
		*descriptor = -1;
	}
	return status;
}

weir_status weir_archive_seal(const char *path, weir_error *error)
{
	int descriptor = -1;
	unsigned char *bytes = NULL;
	size_t size = 0;
	weir_status status = load(path, O_RDWR, &descriptor, &bytes, &size, error);
	if (status == WEIR_OK && size >= WEIR_SEAL_SIZE) {
		char seal[WEIR_SEAL_SIZE];
		make_seal(bytes, size, seal);
		ssize_t put = pwrite(descriptor, seal, sizeof seal, 0);
		if (put != (ssize_t)sizeof seal) {
			status = fail(path, "write the file", put < 0 ? errno : ENOSPC, error);
		}
	}
	free(bytes);
	if (descriptor >= 0 && close(descriptor) != 0 && status == WEIR_OK) {
		status = fail(path, "write the file", errno, error);
	}
	return status;
}

bool weir_archive_is(const char *path)
{
	char start[sizeof MAGIC - 1];
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0) {
		return false;
	}
	bool is = pread(descriptor, start, sizeof start, 0) == (ssize_t)sizeof start &&
	          memcmp(start, MAGIC, sizeof start) == 0;
	close(descriptor);
	return is;
}

static weir_status refuse(const char *path, const unsigned char *bytes, size_t size,
                          weir_error *error)
{
	const size_t magic = sizeof MAGIC - 1;
	if (size == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path, "is empty");
	}
	if (memcmp(bytes, MAGIC, size < magic ? size : magic) == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "is cut short, damaged, or was changed after it was written: its "
		                      "contents do not have the hash that stands at its start");
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	bool is_hdf5 = H5Fis_hdf5(path) > 0;
	weir_hdf5_leave(&guard);
	return weir_error_set(error, WEIR_ERROR_INPUT, path,
	                      is_hdf5 ? "is an HDF5 file, but neither an agent nor a checkpoint that "
	                                "weir wrote"
	                              : "is not an HDF5 file, so neither an agent nor a checkpoint");
}

weir_status weir_archive_unseal(const char *path, void **bytes, size_t *size, weir_error *error)
{
	*bytes = NULL;
	int descriptor = -1;
	unsigned char *read = NULL;
	weir_status status = load(path, O_RDONLY, &descriptor, &read, size, error);
	if (status != WEIR_OK) {
		return status;
	}
	close(descriptor);
	char seal[WEIR_SEAL_SIZE];
	bool holds = *size > WEIR_SEAL_SIZE;
	if (holds) {
		make_seal(read, *size, seal);
		holds = memcmp(read, seal, sizeof seal) == 0;
	}
	if (!holds) {
		status = refuse(path, read, *size, error);
		free(read);
		return status;
	}
	*bytes = read;
	return WEIR_OK;
}
