/* A worker's end of a spool. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "study/sweep_spool.h"
#include "study/sweep_spool_files.h"

/* Seconds between two looks for a task: the first ones after a run, and at most. */
static const double shortest_pause = 0.002;
static const double longest_pause = 0.25;

/* Seconds without a word of the manager after which it is gone. */
static const double longest_silence = 60.0;

struct weir_spool_worker {
	spool_files files;
	char name[SPOOL_NAME_SIZE];
	uint64_t beat, manager_beat;
	double beaten, heard, silence;
	char claim[2 * SPOOL_NAME_SIZE]; /* the task at hand; "": none */
	char serial[SPOOL_NAME_SIZE];    /* its serial */
};

/* ---- joining ---- */

static weir_status read_plan(const spool_files *files, const char *path, spool_plan *plan,
                             weir_error *error)
{
	if (!spool_read(files, SPOOL_TOP, "plan", plan, sizeof *plan) || !spool_plan_fits(plan)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "has no plan of this version of weir: the sweep is over, or another "
		                      "build manages it");
	}
	plan->file[sizeof plan->file - 1] = '\0';
	plan->definition[sizeof plan->definition - 1] = '\0';
	return WEIR_OK;
}

weir_status weir_spool_read_file(const char *path, char file[WEIR_SWEEP_PATH_SIZE],
                                 weir_error *error)
{
	spool_files files;
	spool_plan plan;
	weir_status status = spool_open(&files, path, error);
	if (status == WEIR_OK) {
		status = read_plan(&files, path, &plan, error);
		spool_close(&files);
	}
	if (status == WEIR_OK) {
		memcpy(file, plan.file, sizeof plan.file);
	}
	return status;
}

/* Leaves of the points those that the manager has. */
static weir_status adopt_points(const spool_files *files, const char *path,
                                weir_sweep_points *points, weir_error *error)
{
	spool_plan plan;
	weir_status status = read_plan(files, path, &plan, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (strcmp(plan.definition, points->definition) != 0 || plan.count > points->count) {
		return weir_error_set(error, WEIR_ERROR_INPUT, plan.file,
		                      "is not the sweep that its manager read: the file, its base or an "
		                      "overlay differs here, or has changed since");
	}
	size_t size = sizeof plan + plan.count * sizeof(uint64_t);
	char *data = weir_allocate(size, 1);
	if (data == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the points");
	}
	bool fits = spool_read(files, SPOOL_TOP, "plan", data, size);
	for (size_t i = 0; fits && i < plan.count; i++) {
		uint64_t made;
		memcpy(&made, data + sizeof plan + i * sizeof made, sizeof made);
		fits = made >= i && made < points->count;
		if (fits) {
			points->items[i] = points->items[made];
		}
	}
	free(data);
	points->count = plan.count;
	return fits ? WEIR_OK
	            : weir_error_set(error, WEIR_ERROR_INPUT, path, "has a plan that is damaged");
}

/* A name that no other worker has: of the host, the process and the moment. */
static void name_worker(char name[SPOOL_NAME_SIZE])
{
	struct utsname host;
	struct timespec now;
	uname(&host);
	clock_gettime(CLOCK_REALTIME, &now);
	for (char *c = host.nodename; *c != '\0'; c++) {
		*c = *c == '/' || *c == '.' ? '-' : *c;
	}
	snprintf(name, SPOOL_NAME_SIZE, "%.64s-%ld-%llx%09lx", host.nodename, (long)getpid(),
	         (unsigned long long)now.tv_sec, (unsigned long)now.tv_nsec);
}

static bool write_lease(weir_spool_worker *worker)
{
	worker->beat++;
	return spool_write(&worker->files, SPOOL_LEASES, worker->name, worker->name, &worker->beat,
	                   sizeof worker->beat);
}

weir_status weir_spool_join(const char *path, weir_sweep_points *points, double silence, double now,
                            weir_spool_worker **worker, weir_error *error)
{
	*worker = NULL;
	weir_spool_worker *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a worker");
	}
	weir_status status = spool_open(&made->files, path, error);
	if (status == WEIR_OK) {
		status = adopt_points(&made->files, path, points, error);
	}
	made->silence = silence;
	made->beaten = now;
	made->heard = now;
	name_worker(made->name);
	if (status == WEIR_OK && !write_lease(made)) {
		status = weir_error_set(error, WEIR_ERROR_IO, path, "no lease can be written: %s",
		                        strerror(errno));
	}
	if (status != WEIR_OK) {
		spool_close(&made->files);
		free(made);
		return status;
	}
	*worker = made;
	return WEIR_OK;
}

bool weir_spool_beat(weir_spool_worker *worker, double now)
{
	uint64_t beat = 0;
	/* "end" goes with the rest; then there is no "manager" either. */
	if (faccessat(worker->files.folders[SPOOL_TOP], "end", F_OK, 0) == 0 ||
	    !spool_read(&worker->files, SPOOL_TOP, "manager", &beat, sizeof beat)) {
		return false;
	}
	if (beat != worker->manager_beat) {
		worker->manager_beat = beat;
		worker->heard = now;
	}
	if (now - worker->beaten >= SPOOL_BEAT_INTERVAL) {
		worker->beaten = now;
		/* One that cannot be written now may be the next time; else the manager takes the run
		 * back. */
		write_lease(worker);
	}
	return now - worker->heard <= worker->silence;
}

/* ---- tasks ---- */

/* Renames the first task that is still there when its turn comes. */
static bool try_claim(void *context, const char *name)
{
	weir_spool_worker *worker = context;
	const int *folders = worker->files.folders;
	char claim[2 * SPOOL_NAME_SIZE];
	if (strlen(name) >= sizeof worker->serial) {
		return true;
	}
	snprintf(claim, sizeof claim, "%.*s.%s", (int)sizeof worker->serial - 1, name, worker->name);
	/* A server that gets a rename twice, because its first answer went astray, denies it. */
	if (renameat(folders[SPOOL_TASKS], name, folders[SPOOL_CLAIMS], claim) != 0 &&
	    faccessat(folders[SPOOL_CLAIMS], claim, F_OK, 0) != 0) {
		return true;
	}
	memcpy(worker->claim, claim, sizeof claim);
	snprintf(worker->serial, sizeof worker->serial, "%s", name);
	return false;
}

bool weir_spool_claim(weir_spool_worker *worker, weir_sweep_task *task)
{
	spool_each(&worker->files, SPOOL_TASKS, try_claim, worker);
	if (worker->claim[0] == '\0') {
		return false;
	}
	if (!spool_read(&worker->files, SPOOL_CLAIMS, worker->claim, task, sizeof *task)) {
		/* Taken back at once. */
		worker->claim[0] = '\0';
		return false;
	}
	return true;
}

bool weir_spool_keeps(const weir_spool_worker *worker)
{
	return worker->claim[0] != '\0' &&
	       faccessat(worker->files.folders[SPOOL_CLAIMS], worker->claim, F_OK, 0) == 0;
}

weir_status weir_spool_report(weir_spool_worker *worker, const weir_sweep_report *report,
                              weir_error *error)
{
	bool wanted = weir_spool_keeps(worker);
	worker->claim[0] = '\0';
	if (wanted && !spool_write(&worker->files, SPOOL_REPORTS, worker->serial, worker->name, report,
	                           sizeof *report)) {
		return weir_error_set(error, WEIR_ERROR_IO, NULL, "a report cannot be written: %s",
		                      strerror(errno));
	}
	return WEIR_OK;
}

void weir_spool_leave(weir_spool_worker *worker)
{
	if (worker == NULL) {
		return;
	}
	unlinkat(worker->files.folders[SPOOL_LEASES], worker->name, 0);
	spool_close(&worker->files);
	free(worker);
}

/* ---- the life of a worker ---- */

static double monotonic_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Ends the run at hand; `report` is of one that is lost. */
static void give_up(void *engine, const weir_sweep_task *task, weir_sweep_report *report)
{
	*report = (weir_sweep_report){.run = task->run};
	weir_sweep_engine_local.abandon(engine, task->run, report);
	report->outcome = WEIR_SWEEP_LOST;
	weir_error_set(&report->error, WEIR_ERROR_INTERRUPTED, NULL, "its worker was told to end");
	char part[WEIR_SWEEP_PATH_SIZE + sizeof ".part"];
	snprintf(part, sizeof part, "%s.part", task->output);
	if (task->output[0] != '\0') {
		unlink(part);
		unlink(task->output);
	}
}

/* Does a task and reports it. *go_on: there may be more. */
static weir_status do_task(weir_spool_worker *worker, void *engine, const weir_sweep_task *task,
                           bool (*stop)(void), bool *go_on, weir_error *error)
{
	const weir_sweep_engine *local = &weir_sweep_engine_local;
	weir_sweep_report report;
	weir_status status = local->give(engine, task, error);
	bool got = false;
	while (status == WEIR_OK && !got) {
		status = local->hear(engine, 0.5 * SPOOL_BEAT_INTERVAL, &report, &got, error);
		*go_on = weir_spool_beat(worker, monotonic_seconds()) && !stop();
		if (status == WEIR_OK && !got && (!*go_on || !weir_spool_keeps(worker))) {
			give_up(engine, task, &report);
			got = true;
		}
	}
	return status == WEIR_OK ? weir_spool_report(worker, &report, error) : status;
}

static weir_status work(weir_spool_worker *worker, void *engine, bool (*stop)(void),
                        weir_error *error)
{
	weir_status status = WEIR_OK;
	double pause = shortest_pause;
	bool go_on = !stop() && weir_spool_beat(worker, monotonic_seconds());
	while (status == WEIR_OK && go_on) {
		weir_sweep_task task;
		if (weir_spool_claim(worker, &task)) {
			pause = shortest_pause;
			status = do_task(worker, engine, &task, stop, &go_on, error);
			continue;
		}
		const struct timespec wait = {.tv_nsec = (long)(pause * 1e9)};
		nanosleep(&wait, NULL);
		pause = pause * 2.0 < longest_pause ? pause * 2.0 : longest_pause;
		go_on = weir_spool_beat(worker, monotonic_seconds()) && !stop();
	}
	return status;
}

weir_status weir_spool_serve(const char *path, const char *const *directories,
                             const weir_sweep_policies *policies, bool (*stop)(void),
                             weir_error *error)
{
	char name[WEIR_SWEEP_PATH_SIZE];
	weir_sweep_file *file = NULL;
	weir_sweep_points points = {0};
	weir_spool_worker *worker = NULL;
	void *engine = NULL;
	weir_status status = weir_spool_read_file(path, name, error);
	if (status == WEIR_OK) {
		status = weir_sweep_file_load(name, directories, &file, error);
	}
	if (status == WEIR_OK) {
		status = weir_sweep_policies_resolve(file, policies, error);
	}
	if (status == WEIR_OK) {
		status = weir_sweep_points_make(file, 0, &points, error);
	}
	if (status == WEIR_OK) {
		status =
		    weir_spool_join(path, &points, longest_silence, monotonic_seconds(), &worker, error);
	}
	const weir_sweep_plan plan = {.file = file, .points = &points};
	if (status == WEIR_OK) {
		status = weir_sweep_engine_local.open(&plan, 1, &engine, error);
	}
	if (status == WEIR_OK) {
		status = work(worker, engine, stop, error);
	}
	if (engine != NULL) {
		weir_sweep_engine_local.close(engine);
	}
	weir_spool_leave(worker);
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(file);
	return status;
}
