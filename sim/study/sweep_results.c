#include "study/sweep_results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_OF_FOLDER = 1000 };

void weir_sweep_results_begin(weir_sweep_results *results, const char *directory)
{
	*results = (weir_sweep_results){.directory = directory, .folder = -1};
}

static weir_status fail(weir_error *error, const char *path, const char *what)
{
	return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be %s: %s", what, strerror(errno));
}

static weir_status sync_folder(const char *path, weir_error *error)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: a file system that cannot sync folders. */
	bool synced = folder >= 0 && (fsync(folder) == 0 || errno == EINVAL);
	weir_status status = synced ? WEIR_OK : fail(error, path, "synced");
	if (folder >= 0) {
		close(folder);
	}
	return status;
}

static weir_status make_folder(const char *path, weir_error *error)
{
	return mkdir(path, 0777) == 0 || errno == EEXIST ? WEIR_OK : fail(error, path, "made");
}

static void folder_path(const weir_sweep_results *results, int64_t folder,
                        char path[WEIR_SWEEP_PATH_SIZE])
{
	snprintf(path, WEIR_SWEEP_PATH_SIZE, "%s/results/%06" PRId64, results->directory, folder);
}

weir_status weir_sweep_results_sync(weir_sweep_results *results, weir_error *error)
{
	if (!results->unsynced) {
		return WEIR_OK;
	}
	char path[WEIR_SWEEP_PATH_SIZE];
	folder_path(results, results->folder, path);
	weir_status status = sync_folder(path, error);
	if (status == WEIR_OK) {
		results->unsynced = false;
	}
	return status;
}

/* Makes the folder of a result the one at hand. */
static weir_status enter_folder(weir_sweep_results *results, int64_t folder, weir_error *error)
{
	char all[WEIR_SWEEP_PATH_SIZE];
	char one[WEIR_SWEEP_PATH_SIZE];
	snprintf(all, sizeof all, "%s/results", results->directory);
	folder_path(results, folder, one);
	weir_status status = make_folder(all, error);
	if (status == WEIR_OK) {
		status = make_folder(one, error);
	}
	if (status == WEIR_OK) {
		status = sync_folder(all, error);
	}
	if (status == WEIR_OK) {
		status = sync_folder(results->directory, error);
	}
	results->folder = folder;
	return status;
}

weir_status weir_sweep_results_place(weir_sweep_results *results, const char *output, uint64_t run,
                                     const char *id, uint64_t replication,
                                     char path[WEIR_SWEEP_PATH_SIZE], weir_error *error)
{
	int64_t folder = (int64_t)(run / FILES_OF_FOLDER);
	snprintf(path, WEIR_SWEEP_PATH_SIZE, "results/%06" PRId64 "/%s-%" PRIu64 ".h5", folder, id,
	         replication);
	char whole[2 * WEIR_SWEEP_PATH_SIZE];
	snprintf(whole, sizeof whole, "%s/%s", results->directory, path);
	weir_status status = WEIR_OK;
	if (folder != results->folder) {
		status = weir_sweep_results_sync(results, error);
		if (status == WEIR_OK) {
			status = enter_folder(results, folder, error);
		}
	}
	if (status == WEIR_OK && rename(output, whole) != 0) {
		/* Somebody may have removed the folder. */
		status = errno == ENOENT ? enter_folder(results, folder, error) : WEIR_OK;
		if (status == WEIR_OK && rename(output, whole) != 0) {
			status = fail(error, whole, "put in its place");
		}
	}
	results->unsynced = true;
	return status;
}

weir_status weir_sweep_results_prepare(const weir_sweep_results *results, weir_error *error)
{
	char path[WEIR_SWEEP_PATH_SIZE];
	snprintf(path, sizeof path, "%s/aside", results->directory);
	weir_status status = make_folder(path, error);
	if (status != WEIR_OK) {
		return status;
	}
	DIR *folder = opendir(path);
	if (folder == NULL) {
		return fail(error, path, "read");
	}
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (strstr(entry->d_name, ".h5") != NULL) {
			unlinkat(dirfd(folder), entry->d_name, 0);
		}
	}
	closedir(folder);
	return WEIR_OK;
}
