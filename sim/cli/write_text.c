#include "cli/write_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static weir_status cannot_write(const char *path, int reason, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s", strerror(reason));
}

/* Writes and closes the file; 0, or the reason why it could not. */
static int write_whole(FILE *file, const void *data, size_t size, bool sync)
{
	int reason = 0;
	if (fwrite(data, 1, size, file) != size || fflush(file) != 0 ||
	    (sync && fsync(fileno(file)) != 0)) {
		reason = errno;
	}
	if (fclose(file) != 0 && reason == 0) {
		reason = errno;
	}
	return reason;
}

static weir_status write_aside(const char *path, const char *aside, const void *data, size_t size,
                               weir_error *error)
{
	FILE *file = fopen(aside, "wb");
	if (file == NULL) {
		return cannot_write(aside, errno, error);
	}
	int reason = write_whole(file, data, size, true);
	if (reason == 0 && rename(aside, path) != 0) {
		reason = errno;
	}
	if (reason != 0) {
		unlink(aside);
		return cannot_write(path, reason, error);
	}
	return WEIR_OK;
}

typedef enum target_kind { TARGET_STANDARD_OUTPUT, TARGET_FILE, TARGET_SPECIAL } target_kind;

/* Refuses a directory. */
static weir_status look_at(const char *path, target_kind *kind, weir_error *error)
{
	struct stat info;
	*kind = TARGET_FILE;
	if (path == NULL || strcmp(path, "-") == 0) {
		*kind = TARGET_STANDARD_OUTPUT;
	} else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "is a directory; name a file to write");
	} else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		*kind = TARGET_SPECIAL;
	}
	return WEIR_OK;
}

/* To be freed; NULL when memory is out. */
static char *aside_of(const char *path, weir_error *error)
{
	char *aside = NULL;
	if (asprintf(&aside, "%s.part", path) < 0) {
		weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a file's name");
		return NULL;
	}
	return aside;
}

static weir_status try_aside(const char *aside, weir_error *error)
{
	FILE *file = fopen(aside, "wb");
	if (file == NULL) {
		return cannot_write(aside, errno, error);
	}
	fclose(file);
	unlink(aside);
	return WEIR_OK;
}

weir_status cli_check_output(const char *path, weir_error *error)
{
	target_kind kind;
	weir_status status = look_at(path, &kind, error);
	if (status != WEIR_OK || kind != TARGET_FILE) {
		return status;
	}
	char *aside = aside_of(path, error);
	status = aside != NULL ? try_aside(aside, error) : WEIR_ERROR_MEMORY;
	free(aside);
	return status;
}

weir_status cli_write_text(const char *path, const char *text, weir_error *error)
{
	return cli_write_bytes(path, text, strlen(text), error);
}

weir_status cli_write_bytes(const char *path, const void *data, size_t size, weir_error *error)
{
	target_kind kind;
	weir_status status = look_at(path, &kind, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (kind == TARGET_STANDARD_OUTPUT) {
		return fwrite(data, 1, size, stdout) != size || fflush(stdout) != 0
		           ? cannot_write("standard output", errno, error)
		           : WEIR_OK;
	}
	if (kind == TARGET_SPECIAL) {
		FILE *file = fopen(path, "wb");
		int reason = file != NULL ? write_whole(file, data, size, false) : errno;
		return reason == 0 ? WEIR_OK : cannot_write(path, reason, error);
	}
	char *aside = aside_of(path, error);
	status = aside != NULL ? write_aside(path, aside, data, size, error) : WEIR_ERROR_MEMORY;
	free(aside);
	return status;
}
