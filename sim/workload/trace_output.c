#include "workload/trace_output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"

enum { BUFFER_SIZE = 128 * 1024, LONGEST_FORMAT = 512 };

struct weir_trace_output {
	char *path;
	char *aside; /* NULL: written directly */
	int file;    /* kept beside zlib's, which closes its own before it can be synced */
	gzFile stream;
};

static void destroy(weir_trace_output *output)
{
	if (output->stream != NULL) {
		gzclose(output->stream);
	}
	if (output->file >= 0) {
		close(output->file);
	}
	free(output->aside);
	free(output->path);
	free(output);
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text);
	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static weir_status write_failed(const weir_trace_output *output, int code, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_IO, output->path, "cannot be written: %s",
	                      strerror(code != 0 ? code : EIO));
}

static weir_status open_output(weir_trace_output *output, const char *path, weir_error *error)
{
	bool standard = strcmp(path, "-") == 0;
	output->path = strdup(standard ? "standard output" : path);
	if (output->path == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	struct stat info;
	if (standard) {
		output->file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	} else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		output->file = open(path, O_WRONLY | O_CLOEXEC);
	} else {
		size_t size = strlen(path) + sizeof ".part";
		output->aside = weir_allocate(size, 1);
		if (output->aside == NULL) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
		}
		snprintf(output->aside, size, "%s.part", path);
		output->file = open(output->aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	if (output->file < 0) {
		return write_failed(output, errno, error);
	}
	int copy = fcntl(output->file, F_DUPFD_CLOEXEC, 0);
	if (copy < 0) {
		return write_failed(output, errno, error);
	}
	/* "T" writes plain bytes through the same buffer and calls. */
	output->stream = gzdopen(copy, ends_in(path, ".gz") ? "wb6" : "wbT");
	if (output->stream == NULL) {
		close(copy);
		return weir_error_set(error, WEIR_ERROR_MEMORY, output->path, "out of memory");
	}
	gzbuffer(output->stream, BUFFER_SIZE);
	return WEIR_OK;
}

weir_status weir_trace_output_open(const char *path, weir_trace_output **output, weir_error *error)
{
	assert(path != NULL && output != NULL);
	*output = NULL;
	weir_trace_output *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	made->file = -1;
	weir_status status = open_output(made, path, error);
	if (status != WEIR_OK) {
		weir_trace_output_abandon(made);
		return status;
	}
	*output = made;
	return WEIR_OK;
}

weir_status weir_trace_output_write(weir_trace_output *output, const char *text, size_t length,
                                    weir_error *error)
{
	errno = 0;
	if (length > 0 && gzfwrite(text, 1, length, output->stream) != length) {
		return write_failed(output, errno, error);
	}
	return WEIR_OK;
}

weir_status weir_trace_output_format(weir_trace_output *output, weir_error *error,
                                     const char *format, ...)
{
	char text[LONGEST_FORMAT];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	assert(length >= 0 && length < LONGEST_FORMAT);
	return weir_trace_output_write(output, text, (size_t)length, error);
}

const char *weir_trace_output_name(const weir_trace_output *output)
{
	return output->path;
}

weir_status weir_trace_output_finish(weir_trace_output *output, weir_error *error)
{
	errno = 0;
	int result = gzclose(output->stream);
	output->stream = NULL;
	weir_status status = WEIR_OK;
	if (result != Z_OK) {
		status = write_failed(output, errno, error);
	} else if (output->aside != NULL &&
	           (fsync(output->file) != 0 || rename(output->aside, output->path) != 0)) {
		status = write_failed(output, errno, error);
	}
	if (status != WEIR_OK) {
		weir_trace_output_abandon(output);
	} else {
		destroy(output);
	}
	return status;
}

void weir_trace_output_abandon(weir_trace_output *output)
{
	if (output == NULL) {
		return;
	}
	/* Only what was opened here: PATH.part may be a directory or belong to someone else. */
	if (output->aside != NULL && output->file >= 0) {
		unlink(output->aside);
	}
	destroy(output);
}
