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
static int write_whole(FILE *file, const char *text, bool sync)
{
	int reason = 0;
	if (fputs(text, file) == EOF || fflush(file) != 0 || (sync && fsync(fileno(file)) != 0)) {
		reason = errno;
	}
	if (fclose(file) != 0 && reason == 0) {
		reason = errno;
	}
	return reason;
}

static weir_status write_aside(const char *path, const char *aside, const char *text,
                               weir_error *error)
{
	FILE *file = fopen(aside, "wb");
	if (file == NULL) {
		return cannot_write(aside, errno, error);
	}
	int reason = write_whole(file, text, true);
	if (reason == 0 && rename(aside, path) != 0) {
		reason = errno;
	}
	if (reason != 0) {
		unlink(aside);
		return cannot_write(path, reason, error);
	}
	return WEIR_OK;
}

weir_status cli_write_text(const char *path, const char *text, weir_error *error)
{
	if (path == NULL || strcmp(path, "-") == 0) {
		if (fputs(text, stdout) == EOF || fflush(stdout) != 0) {
			return cannot_write("standard output", errno, error);
		}
		return WEIR_OK;
	}
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
		if (S_ISDIR(info.st_mode)) {
			return weir_error_set(error, WEIR_ERROR_IO, path,
			                      "is a directory; name a file to write");
		}
		FILE *file = fopen(path, "wb");
		int reason = file != NULL ? write_whole(file, text, false) : errno;
		return reason == 0 ? WEIR_OK : cannot_write(path, reason, error);
	}
	char *aside = NULL;
	if (asprintf(&aside, "%s.part", path) < 0) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a file's name");
	}
	weir_status status = write_aside(path, aside, text, error);
	free(aside);
	return status;
}
