#include "rl/train_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a file's name");
}

static weir_status cannot_write(const char *path, int reason, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s", strerror(reason));
}

/* NULL when memory is out. */
static char *join(const char *directory, const char *name)
{
	char *path = NULL;
	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

weir_status weir_train_files_create(weir_train_files *files, const char *directory,
                                    weir_error *error)
{
	files->lock = -1;
	bool made = (files->directory = strdup(directory)) != NULL;
#define WEIR_TRAIN_FILES_JOIN(field, name)                                                         \
	made = (files->field = join(directory, name)) != NULL && made;
	WEIR_TRAIN_FILES(WEIR_TRAIN_FILES_JOIN)
#undef WEIR_TRAIN_FILES_JOIN
	return made ? WEIR_OK : no_memory(error);
}

void weir_train_files_release(weir_train_files *files)
{
	if (files->lock >= 0) {
		close(files->lock);
	}
	free(files->directory);
#define WEIR_TRAIN_FILES_FREE(field, name) free(files->field);
	WEIR_TRAIN_FILES(WEIR_TRAIN_FILES_FREE)
#undef WEIR_TRAIN_FILES_FREE
	*files = (weir_train_files){.lock = -1};
}

weir_status weir_train_files_look(const weir_train_files *files, const weir_train_options *options,
                                  bool *resumed, weir_error *error)
{
	*resumed = options->resume && access(files->checkpoint, F_OK) == 0;
	if (options->resume || options->overwrite) {
		return WEIR_OK;
	}
	const char *const taken[] = {files->checkpoint, files->best, files->final};
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		if (access(taken[i], F_OK) == 0) {
			return weir_error_set(error, WEIR_ERROR_INPUT, taken[i],
			                      "a training is here already: resume it, overwrite it, or train "
			                      "into another directory");
		}
	}
	return WEIR_OK;
}

/* `path` is cut at each '/' in turn and put together again. */
static weir_status make_directories(char *path, weir_error *error)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL) {
			*slash = '\0';
		}
		struct stat info;
		bool failed = mkdir(path, 0777) != 0;
		int reason = errno;
		if (failed && reason == EEXIST && stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
			return weir_error_set(error, WEIR_ERROR_IO, path, "is not a directory");
		}
		if (failed && reason != EEXIST) {
			return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be made: %s",
			                      strerror(reason));
		}
		if (slash == NULL) {
			return WEIR_OK;
		}
		*slash = '/';
	}
}

weir_status weir_train_files_make(const weir_train_files *files, weir_error *error)
{
	return make_directories(files->directory, error);
}

weir_status weir_train_files_lock(weir_train_files *files, weir_error *error)
{
	files->lock = open(files->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->lock < 0) {
		return weir_error_set(error, WEIR_ERROR_IO, files->directory, "cannot be opened: %s",
		                      strerror(errno));
	}
	if (flock(files->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		return weir_error_set(error, WEIR_ERROR_INPUT, files->directory,
		                      "another process is training into this directory");
	}
	return WEIR_OK;
}

static weir_status remove_file(const char *path, weir_error *error)
{
	if (unlink(path) != 0 && errno != ENOENT) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be removed: %s", strerror(errno));
	}
	return WEIR_OK;
}

weir_status weir_train_files_clear(const weir_train_files *files, weir_error *error)
{
	weir_status status = WEIR_OK;
#define WEIR_TRAIN_FILES_REMOVE(field, name)                                                       \
	status = status == WEIR_OK ? remove_file(files->field, error) : status;
	WEIR_TRAIN_FILES(WEIR_TRAIN_FILES_REMOVE)
#undef WEIR_TRAIN_FILES_REMOVE
	return status;
}

/* 0, or the reason why it could not. */
static int write_whole(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");
	if (file == NULL) {
		return errno;
	}
	int reason = 0;
	if (fputs(text, file) == EOF || fflush(file) != 0 || fsync(fileno(file)) != 0) {
		reason = errno;
	}
	if (fclose(file) != 0 && reason == 0) {
		reason = errno;
	}
	return reason;
}

weir_status weir_train_files_write(const char *path, const char *text, weir_error *error)
{
	char *aside = NULL;
	if (text == NULL || asprintf(&aside, "%s.part", path) < 0) {
		return no_memory(error);
	}
	int reason = write_whole(aside, text);
	if (reason == 0 && rename(aside, path) != 0) {
		reason = errno;
	}
	if (reason != 0) {
		unlink(aside);
	}
	free(aside);
	return reason == 0 ? WEIR_OK : cannot_write(path, reason, error);
}
