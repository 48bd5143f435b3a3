/* The manager's end of a spool. */
#include "study/sweep_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "study/sweep_spool_files.h"

/* Seconds between two looks at the leases. */
static const double lease_interval = 0.25;

typedef struct known_worker {
	char name[SPOOL_NAME_SIZE];
	uint64_t beat;
	double seen; /* when that was new */
	bool here;   /* its lease was there at the last look */
} known_worker;

typedef struct given_task {
	uint64_t run, serial;
	bool claimed;
	char worker[SPOOL_NAME_SIZE]; /* that claimed it */
	bool lost;
} given_task;

struct weir_spool {
	spool_files files;
	char *path;
	double lease;
	known_worker *workers;
	size_t worker_count, worker_capacity;
	given_task *tasks;
	size_t task_count, task_capacity;
	uint64_t serial, beat, joined;
	double beaten, looked;
	double now;     /* of the call at hand */
	bool no_memory; /* in the call at hand */
};

static weir_status fail(const weir_spool *spool, const char *what, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_IO, spool->path, "%s: %s", what, strerror(errno));
}

/* ---- making and removing ---- */

static void empty_folder(int top, const char *name)
{
	int at = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = at >= 0 ? fdopendir(at) : NULL;
	if (entries == NULL) {
		if (at >= 0) {
			close(at);
		}
		return;
	}
	for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		/* Folders, and so "." and "..", stay. */
		unlinkat(at, entry->d_name, 0);
	}
	closedir(entries);
}

void weir_spool_remove(const char *path)
{
	int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0) {
		return;
	}
	/* A worker that writes meanwhile keeps a folder from going: the plan, without which nobody
	 * joins, goes first. */
	empty_folder(top, spool_folder_names[SPOOL_TOP]);
	for (size_t i = SPOOL_TOP + 1; i < SPOOL_FOLDERS; i++) {
		empty_folder(top, spool_folder_names[i]);
		unlinkat(top, spool_folder_names[i], AT_REMOVEDIR);
	}
	close(top);
	rmdir(path);
}

static weir_status make_folders(weir_spool *spool, weir_error *error)
{
	if (mkdir(spool->path, 0777) != 0) {
		return fail(spool, "the spool cannot be made", error);
	}
	int top = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool made = top >= 0;
	for (size_t i = SPOOL_TOP + 1; made && i < SPOOL_FOLDERS; i++) {
		made = mkdirat(top, spool_folder_names[i], 0777) == 0;
	}
	weir_status status = made ? WEIR_OK : fail(spool, "the spool cannot be made", error);
	if (top >= 0) {
		close(top);
	}
	return status == WEIR_OK ? spool_open(&spool->files, spool->path, error) : status;
}

static weir_status write_plan(const weir_spool *spool, const weir_sweep_plan *plan,
                              weir_error *error)
{
	size_t count = plan->points->count;
	size_t size = sizeof(spool_plan) + count * sizeof(uint64_t);
	char *data = weir_allocate(size, 1);
	if (data == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu points", count);
	}
	spool_plan head;
	spool_plan_begin(&head);
	head.count = count;
	memcpy(head.definition, plan->points->definition, sizeof head.definition);
	int used = snprintf(head.file, sizeof head.file, "%s", plan->file->path);
	memcpy(data, &head, sizeof head);
	for (size_t i = 0; i < count; i++) {
		uint64_t made = plan->points->items[i].made;
		memcpy(data + sizeof head + i * sizeof made, &made, sizeof made);
	}
	weir_status status = WEIR_OK;
	if (used < 0 || (size_t)used >= sizeof head.file) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, plan->file->path, "the name is too long");
	} else if (!spool_write(&spool->files, SPOOL_TOP, "plan", "plan", data, size)) {
		status = fail(spool, "the plan cannot be written", error);
	}
	free(data);
	return status;
}

static void free_spool(weir_spool *spool)
{
	spool_close(&spool->files);
	free(spool->workers);
	free(spool->tasks);
	free(spool->path);
	free(spool);
}

weir_status weir_spool_make(const char *path, const weir_sweep_plan *plan, double lease,
                            weir_spool **spool, weir_error *error)
{
	*spool = NULL;
	weir_spool *made = weir_allocate(1, sizeof *made);
	if (made != NULL) {
		made->path = weir_duplicate(path, strlen(path) + 1, 1);
		for (size_t i = 0; i < SPOOL_FOLDERS; i++) {
			made->files.folders[i] = -1;
		}
	}
	if (made == NULL || made->path == NULL) {
		free(made);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the spool");
	}
	made->lease = lease;
	made->beaten = -(double)INFINITY;
	made->looked = -(double)INFINITY;
	weir_status status = make_folders(made, error);
	if (status == WEIR_OK) {
		/* A worker that comes at once is to find a manager. */
		uint64_t beat = 0;
		if (!spool_write(&made->files, SPOOL_TOP, "manager", "manager", &beat, sizeof beat)) {
			status = fail(made, "cannot be written", error);
		} else {
			status = write_plan(made, plan, error);
		}
	}
	if (status != WEIR_OK) {
		free_spool(made);
		return status;
	}
	*spool = made;
	return WEIR_OK;
}

void weir_spool_end(weir_spool *spool)
{
	if (spool == NULL) {
		return;
	}
	/* Also when the files cannot all be removed. */
	spool_write(&spool->files, SPOOL_TOP, "end", "end", "", 0);
	weir_spool_remove(spool->path);
	free_spool(spool);
}

/* ---- tasks ---- */

static given_task *task_of(const weir_spool *spool, uint64_t run)
{
	for (size_t i = 0; i < spool->task_count; i++) {
		if (spool->tasks[i].run == run) {
			return &spool->tasks[i];
		}
	}
	return NULL;
}

static given_task *task_with(const weir_spool *spool, uint64_t serial)
{
	for (size_t i = 0; i < spool->task_count; i++) {
		if (spool->tasks[i].serial == serial) {
			return &spool->tasks[i];
		}
	}
	return NULL;
}

static void claim_name(char name[2 * SPOOL_NAME_SIZE], const given_task *task)
{
	snprintf(name, 2 * SPOOL_NAME_SIZE, "%" PRIu64 ".%s", task->serial, task->worker);
}

/* Takes a task's file away, claimed or not, and forgets it. */
static void drop_task(weir_spool *spool, given_task *task)
{
	char name[2 * SPOOL_NAME_SIZE];
	if (task->claimed) {
		claim_name(name, task);
		unlinkat(spool->files.folders[SPOOL_CLAIMS], name, 0);
	} else {
		snprintf(name, sizeof name, "%" PRIu64, task->serial);
		unlinkat(spool->files.folders[SPOOL_TASKS], name, 0);
	}
	*task = spool->tasks[--spool->task_count];
}

size_t weir_spool_room(const weir_spool *spool)
{
	return spool->worker_count > spool->task_count ? spool->worker_count - spool->task_count : 0;
}

uint64_t weir_spool_joined(const weir_spool *spool)
{
	return spool->joined;
}

weir_status weir_spool_give(weir_spool *spool, const weir_sweep_task *task, weir_error *error)
{
	if (!weir_reserve((void **)&spool->tasks, &spool->task_capacity, spool->task_count + 1,
	                  sizeof *spool->tasks)) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for what runs");
	}
	char name[SPOOL_NAME_SIZE];
	uint64_t serial = spool->serial++;
	snprintf(name, sizeof name, "%" PRIu64, serial);
	if (!spool_write(&spool->files, SPOOL_TASKS, name, "task", task, sizeof *task)) {
		return fail(spool, "a task cannot be written", error);
	}
	spool->tasks[spool->task_count++] = (given_task){.run = task->run, .serial = serial};
	return WEIR_OK;
}

bool weir_spool_holds(const weir_spool *spool, uint64_t run)
{
	return task_of(spool, run) != NULL;
}

/* Notes who has claimed what. */
static bool see_claim(void *context, const char *name)
{
	weir_spool *spool = context;
	char *end = NULL;
	uint64_t serial = strtoull(name, &end, 10);
	given_task *task = *end == '.' ? task_with(spool, serial) : NULL;
	if (task == NULL) {
		/* Claimed between two looks at an abandoned task. */
		unlinkat(spool->files.folders[SPOOL_CLAIMS], name, 0);
	} else if (!task->claimed) {
		task->claimed = true;
		snprintf(task->worker, sizeof task->worker, "%s", end + 1);
	}
	return true;
}

void weir_spool_abandon(weir_spool *spool, uint64_t run)
{
	/* It may have been claimed since the last look. */
	spool_each(&spool->files, SPOOL_CLAIMS, see_claim, spool);
	given_task *task = task_of(spool, run);
	if (task != NULL) {
		drop_task(spool, task);
	}
}

/* ---- workers ---- */

static bool see_lease(void *context, const char *name)
{
	weir_spool *spool = context;
	uint64_t beat = 0;
	if (strlen(name) >= SPOOL_NAME_SIZE ||
	    !spool_read(&spool->files, SPOOL_LEASES, name, &beat, sizeof beat)) {
		return true;
	}
	size_t i = 0;
	while (i < spool->worker_count && strcmp(spool->workers[i].name, name) != 0) {
		i++;
	}
	if (i == spool->worker_count) {
		if (!weir_reserve((void **)&spool->workers, &spool->worker_capacity, i + 1,
		                  sizeof *spool->workers)) {
			spool->no_memory = true;
			return false;
		}
		spool->workers[i] = (known_worker){.beat = beat, .seen = spool->now};
		snprintf(spool->workers[i].name, sizeof spool->workers[i].name, "%s", name);
		spool->worker_count++;
		spool->joined++;
	}
	known_worker *worker = &spool->workers[i];
	worker->here = true;
	if (worker->beat != beat) {
		worker->beat = beat;
		worker->seen = spool->now;
	}
	return true;
}

/* What a worker that is gone had claimed is lost. */
static void lose_tasks(weir_spool *spool, const char *worker)
{
	for (size_t i = 0; i < spool->task_count; i++) {
		given_task *task = &spool->tasks[i];
		task->lost = task->lost || (task->claimed && strcmp(task->worker, worker) == 0);
	}
}

/* Learns who came and who is gone. What a worker claimed is looked at after its lease, and what it
 * reported after both: one that reports and leaves has then lost nothing. */
static weir_status look_at_workers(weir_spool *spool, weir_error *error)
{
	for (size_t i = 0; i < spool->worker_count; i++) {
		spool->workers[i].here = false;
	}
	spool->no_memory = false;
	if (!spool_each(&spool->files, SPOOL_LEASES, see_lease, spool) ||
	    !spool_each(&spool->files, SPOOL_CLAIMS, see_claim, spool)) {
		return fail(spool, "cannot be read", error);
	}
	if (spool->no_memory) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the workers");
	}
	for (size_t i = 0; i < spool->worker_count;) {
		known_worker *worker = &spool->workers[i];
		if (worker->here && spool->now - worker->seen <= spool->lease) {
			i++;
			continue;
		}
		lose_tasks(spool, worker->name);
		unlinkat(spool->files.folders[SPOOL_LEASES], worker->name, 0);
		*worker = spool->workers[--spool->worker_count];
	}
	return WEIR_OK;
}

/* ---- reports ---- */

typedef struct finding {
	const weir_spool *spool;
	char name[SPOOL_NAME_SIZE]; /* of a report; "": none */
} finding;

static bool find_report(void *context, const char *name)
{
	finding *found = context;
	if (strlen(name) < sizeof found->name) {
		snprintf(found->name, sizeof found->name, "%s", name);
	}
	return found->name[0] == '\0';
}

/* Takes a report; *got stays false when there is none that is of use. */
static weir_status take_report(weir_spool *spool, weir_sweep_report *report, bool *got,
                               weir_error *error)
{
	for (;;) {
		finding found = {.spool = spool};
		if (!spool_each(&spool->files, SPOOL_REPORTS, find_report, &found)) {
			return fail(spool, "cannot be read", error);
		}
		if (found.name[0] == '\0') {
			return WEIR_OK;
		}
		bool whole = spool_read(&spool->files, SPOOL_REPORTS, found.name, report, sizeof *report);
		if (unlinkat(spool->files.folders[SPOOL_REPORTS], found.name, 0) != 0) {
			return fail(spool, "a report cannot be removed", error);
		}
		given_task *task = task_with(spool, strtoull(found.name, NULL, 10));
		if (whole && task != NULL && task->run == report->run) {
			/* Its claim may not have been seen yet. */
			spool_each(&spool->files, SPOOL_CLAIMS, see_claim, spool);
			drop_task(spool, task);
			*got = true;
			return WEIR_OK;
		}
	}
}

static bool take_lost(weir_spool *spool, weir_sweep_report *report)
{
	for (size_t i = 0; i < spool->task_count; i++) {
		given_task *task = &spool->tasks[i];
		if (task->lost) {
			*report = (weir_sweep_report){.run = task->run, .outcome = WEIR_SWEEP_LOST};
			weir_error_set(&report->error, WEIR_ERROR_INTERRUPTED, NULL,
			               "its worker %s is gone, or nothing was heard of it for %g s",
			               task->worker, spool->lease);
			drop_task(spool, task);
			return true;
		}
	}
	return false;
}

weir_status weir_spool_hear(weir_spool *spool, double now, weir_sweep_report *report, bool *got,
                            weir_error *error)
{
	*got = false;
	spool->now = now;
	if (now - spool->beaten >= SPOOL_BEAT_INTERVAL) {
		spool->beat++;
		spool->beaten = now;
		if (!spool_write(&spool->files, SPOOL_TOP, "manager", "manager", &spool->beat,
		                 sizeof spool->beat)) {
			return fail(spool, "cannot be written", error);
		}
	}
	weir_status status = WEIR_OK;
	if (now - spool->looked >= lease_interval) {
		spool->looked = now;
		status = look_at_workers(spool, error);
	}
	if (status == WEIR_OK) {
		status = take_report(spool, report, got, error);
	}
	if (status == WEIR_OK && !*got) {
		*got = take_lost(spool, report);
	}
	return status;
}
