#include "study/sweep_spool_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const spool_folder_names[SPOOL_FOLDERS] = {".", "leases", "tasks", "claims", "reports"};

static const char magic[SPOOL_MAGIC_SIZE] = "weir spool 1";

void spool_plan_begin(spool_plan *plan)
{
	memset(plan, 0, sizeof *plan);
	memcpy(plan->magic, magic, sizeof magic);
	plan->task_size = sizeof(weir_sweep_task);
	plan->report_size = sizeof(weir_sweep_report);
}

bool spool_plan_fits(const spool_plan *plan)
{
	return memcmp(plan->magic, magic, sizeof magic) == 0 &&
	       plan->task_size == sizeof(weir_sweep_task) &&
	       plan->report_size == sizeof(weir_sweep_report);
}

void spool_close(spool_files *files)
{
	for (size_t i = 0; i < SPOOL_FOLDERS; i++) {
		if (files->folders[i] >= 0) {
			close(files->folders[i]);
		}
		files->folders[i] = -1;
	}
}

weir_status spool_open(spool_files *files, const char *path, weir_error *error)
{
	for (size_t i = 0; i < SPOOL_FOLDERS; i++) {
		files->folders[i] = -1;
	}
	int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool opened = top >= 0;
	files->folders[SPOOL_TOP] = top;
	for (size_t i = SPOOL_TOP + 1; opened && i < SPOOL_FOLDERS; i++) {
		files->folders[i] = openat(top, spool_folder_names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		opened = files->folders[i] >= 0;
	}
	if (!opened) {
		weir_error_set(error, WEIR_ERROR_IO, path, "is no spool: %s", strerror(errno));
		spool_close(files);
	}
	return opened ? WEIR_OK : WEIR_ERROR_IO;
}

static bool write_all(int file, const void *data, size_t size)
{
	const char *bytes = data;
	while (size > 0) {
		ssize_t written = write(file, bytes, size);
		if (written < 0 && errno != EINTR) {
			return false;
		}
		if (written > 0) {
			bytes += written;
			size -= (size_t)written;
		}
	}
	return true;
}

bool spool_write(const spool_files *files, spool_folder folder, const char *name, const char *who,
                 const void *data, size_t size)
{
	char aside[SPOOL_NAME_SIZE + 1];
	int at = files->folders[folder];
	snprintf(aside, sizeof aside, ".%s", who);
	int file = openat(at, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool written = file >= 0 && write_all(file, data, size);
	if (file >= 0) {
		/* Where machines share files, an error may come as late as this. */
		written = close(file) == 0 && written;
	}
	written = written && renameat(at, aside, at, name) == 0;
	if (!written) {
		int why = errno;
		unlinkat(at, aside, 0);
		errno = why;
	}
	return written;
}

bool spool_read(const spool_files *files, spool_folder folder, const char *name, void *data,
                size_t size)
{
	int file = openat(files->folders[folder], name, O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	while (file >= 0 && got < size) {
		ssize_t more = read(file, (char *)data + got, size - got);
		if (more == 0 || (more < 0 && errno != EINTR)) {
			break;
		}
		got += more > 0 ? (size_t)more : 0;
	}
	if (file >= 0) {
		close(file);
	}
	return file >= 0 && got == size;
}

bool spool_each(const spool_files *files, spool_folder folder,
                bool (*visit)(void *context, const char *name), void *context)
{
	/* A folder that is opened anew is read anew, also where its entries are kept for a while. */
	int at = openat(files->folders[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = at >= 0 ? fdopendir(at) : NULL;
	if (entries == NULL) {
		if (at >= 0) {
			close(at);
		}
		return false;
	}
	for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		if (entry->d_name[0] != '.' && !visit(context, entry->d_name)) {
			break;
		}
	}
	closedir(entries);
	return true;
}
