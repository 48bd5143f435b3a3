/*
 * Runs of a sweep in the jobs of a Slurm cluster.
 *
 * sbatch begins an array of workers, each a `weir sweep worker SPOOL`; runs go to them through the
 * spool and back. Of Slurm nothing else is asked than how many of the jobs with the spool's name
 * are there. Partitions, limits and accounts are set as for any sbatch, by the variables SBATCH_*.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "study/sweep_spool.h"

enum { DEFAULT_WORKERS = 8, TOKEN_SIZE = 48, ANSWER_SIZE = 4096 };

/* Seconds between two questions to Slurm, and two submissions. */
static const double ask_interval = 10.0;

/* Seconds between two looks at the spool. */
static const double look_interval = 0.005;

/* Seconds after which a worker that says nothing is gone. */
static const double worker_lease = 30.0;

typedef struct cluster {
	weir_spool *spool;
	char path[2 * WEIR_SWEEP_PATH_SIZE]; /* of the spool, from the root */
	char token[TOKEN_SIZE];              /* the name of the spool and of its jobs */
	size_t wanted;                       /* workers */
	double asked;                        /* monotonic seconds */
	uint64_t joined;                     /* workers that had come when the last ones were begun */
} cluster;

static double monotonic_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- Slurm's commands ---- */

/* Reads to the end and keeps what there is room for. */
static void read_answer(int from, char answer[ANSWER_SIZE], size_t *lines)
{
	char piece[1024];
	size_t used = 0;
	*lines = 0;
	for (;;) {
		ssize_t got = read(from, piece, sizeof piece);
		if (got == 0 || (got < 0 && errno != EINTR)) {
			break;
		}
		for (ssize_t i = 0; i < got; i++) {
			*lines += piece[i] == '\n' ? 1 : 0;
			if (used + 1 < ANSWER_SIZE) {
				answer[used++] = piece[i];
			}
		}
	}
	while (used > 0 && answer[used - 1] == '\n') {
		used--;
	}
	answer[used] = '\0';
}

/* Runs a command without input, with its output and its errors in `answer`. False: it cannot be
 * run, or it failed. */
static bool call(char *const arguments[], char answer[ANSWER_SIZE], size_t *lines)
{
	int ends[2];
	*lines = 0;
	answer[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0) {
		return false;
	}
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	pid_t pid = 0;
	int failed = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	int status = -1;
	if (failed != 0) {
		snprintf(answer, ANSWER_SIZE, "%s: %s", arguments[0], strerror(failed));
	} else {
		read_answer(ends[0], answer, lines);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
		}
	}
	close(ends[0]);
	return failed == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Begins `count` workers. */
static weir_status submit(cluster *engine, size_t count, weir_error *error)
{
	char program[WEIR_SWEEP_PATH_SIZE];
	char script[2 * WEIR_SWEEP_PATH_SIZE + 16];
	char array[64];
	char name[TOKEN_SIZE + 16];
	char log[2 * WEIR_SWEEP_PATH_SIZE + 32];
	char answer[ANSWER_SIZE];
	size_t lines;
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	program[length > 0 ? length : 0] = '\0';
	snprintf(script, sizeof script, "%s/worker.sh", engine->path);
	snprintf(array, sizeof array, "--array=1-%zu", count);
	snprintf(name, sizeof name, "--job-name=%s", engine->token);
	snprintf(log, sizeof log, "--output=%s/log-%%A-%%a", engine->path);
	char *const arguments[] = {
	    "sbatch", "--parsable", "--no-requeue", "--ntasks=1", array,        name, log,
	    script,   program,      "sweep",        "worker",     engine->path, NULL};
	engine->joined = weir_spool_joined(engine->spool);
	if (!call(arguments, answer, &lines)) {
		return weir_error_set(error, WEIR_ERROR_IO, "sbatch", "no workers can be begun: %s",
		                      answer);
	}
	return WEIR_OK;
}

/* How many workers wait or run; false: Slurm does not say. */
static bool ask(const cluster *engine, size_t *count)
{
	char name[TOKEN_SIZE + 16];
	char answer[ANSWER_SIZE];
	snprintf(name, sizeof name, "--name=%s", engine->token);
	char *const arguments[] = {
	    "squeue",      "--noheader", "--array", "--states=PENDING,CONFIGURING,RUNNING,SUSPENDED",
	    "--format=%i", name,         NULL};
	return call(arguments, answer, count);
}

/* The last words of a worker. */
static void last_words(const cluster *engine, char text[ANSWER_SIZE])
{
	char path[2 * WEIR_SWEEP_PATH_SIZE + 300];
	size_t lines;
	DIR *folder = opendir(engine->path);
	text[0] = '\0';
	for (const struct dirent *entry;
	     folder != NULL && text[0] == '\0' && (entry = readdir(folder)) != NULL;) {
		if (strncmp(entry->d_name, "log-", 4) == 0) {
			snprintf(path, sizeof path, "%s/%s", engine->path, entry->d_name);
			int log = open(path, O_RDONLY | O_CLOEXEC);
			if (log >= 0) {
				read_answer(log, text, &lines);
				close(log);
			}
		}
	}
	if (folder != NULL) {
		closedir(folder);
	}
}

/* Begins workers in the place of those that have ended. */
static weir_status fill_up(cluster *engine, double now, weir_error *error)
{
	size_t there;
	if (now - engine->asked < ask_interval) {
		return WEIR_OK;
	}
	engine->asked = now;
	if (!ask(engine, &there) || there >= engine->wanted) {
		return WEIR_OK;
	}
	/* A job that ends before its worker has come would be begun again for ever. */
	if (there == 0 && weir_spool_joined(engine->spool) == engine->joined) {
		char words[ANSWER_SIZE];
		last_words(engine, words);
		return weir_error_set(error, WEIR_ERROR_IO, "--engine slurm",
		                      "the workers ended before any had begun: %s",
		                      words[0] != '\0' ? words : "they wrote nothing");
	}
	return submit(engine, engine->wanted - there, error);
}

/* ---- the engine ---- */

/* What other managers left; the sweep's lock says that they are gone. */
static void remove_old_spools(const char *all)
{
	DIR *folder = opendir(all);
	if (folder == NULL) {
		return;
	}
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		char path[2 * WEIR_SWEEP_PATH_SIZE + 300];
		if (entry->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", all, entry->d_name);
			weir_spool_remove(path);
		}
	}
	closedir(folder);
}

/* The folder for spools in the sweep's directory, by a name that holds on every machine. */
static weir_status name_spool(cluster *engine, const char *directory, weir_error *error)
{
	char *whole = realpath(directory, NULL);
	char all[WEIR_SWEEP_PATH_SIZE];
	int used = whole != NULL ? snprintf(all, sizeof all, "%s/spool", whole) : -1;
	free(whole);
	if (used < 0 || (size_t)used >= sizeof all) {
		return weir_error_set(error, WEIR_ERROR_IO, directory, "its name is too long for a spool");
	}
	if (mkdir(all, 0777) != 0 && errno != EEXIST) {
		return weir_error_set(error, WEIR_ERROR_IO, all, "cannot be made: %s", strerror(errno));
	}
	remove_old_spools(all);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(engine->token, sizeof engine->token, "weir-%lx-%llx", (long)getpid(),
	         (unsigned long long)now.tv_sec * 1000000ULL + (unsigned long long)now.tv_nsec / 1000);
	snprintf(engine->path, sizeof engine->path, "%s/%s", all, engine->token);
	return WEIR_OK;
}

/* What sbatch wants: it runs its arguments, whatever characters are in them. */
static weir_status write_script(const cluster *engine, weir_error *error)
{
	static const char text[] = "#!/bin/sh\nexec \"$@\"\n";
	char path[2 * WEIR_SWEEP_PATH_SIZE + 16];
	snprintf(path, sizeof path, "%s/worker.sh", engine->path);
	FILE *file = fopen(path, "we");
	bool written = file != NULL && fputs(text, file) >= 0;
	written = file != NULL && fclose(file) == 0 && written;
	return written ? WEIR_OK
	               : weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s",
	                                strerror(errno));
}

static void slurm_close(void *state)
{
	cluster *engine = state;
	char name[TOKEN_SIZE + 16];
	char answer[ANSWER_SIZE];
	size_t lines;
	snprintf(name, sizeof name, "--name=%s", engine->token);
	char *const arguments[] = {"scancel", "--quiet", name, NULL};
	/* Workers end without it, once the spool is gone; those that still wait do not begin. */
	call(arguments, answer, &lines);
	weir_spool_end(engine->spool);
	char all[2 * WEIR_SWEEP_PATH_SIZE];
	snprintf(all, sizeof all, "%s", engine->path);
	*strrchr(all, '/') = '\0';
	rmdir(all);
	free(engine);
}

static weir_status slurm_open(const weir_sweep_plan *plan, size_t workers, void **state,
                              weir_error *error)
{
	*state = NULL;
	cluster *engine = weir_allocate(1, sizeof *engine);
	if (engine == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the engine");
	}
	engine->wanted = workers > 0 ? workers : DEFAULT_WORKERS;
	weir_status status = name_spool(engine, plan->directory, error);
	if (status == WEIR_OK) {
		status = weir_spool_make(engine->path, plan, worker_lease, &engine->spool, error);
	}
	if (status != WEIR_OK) {
		free(engine);
		return status;
	}
	status = write_script(engine, error);
	if (status == WEIR_OK) {
		engine->asked = monotonic_seconds();
		status = submit(engine, engine->wanted, error);
	}
	if (status != WEIR_OK) {
		slurm_close(engine);
		return status;
	}
	*state = engine;
	return WEIR_OK;
}

static size_t slurm_room(void *state)
{
	const cluster *engine = state;
	return weir_spool_room(engine->spool);
}

static weir_status slurm_give(void *state, const weir_sweep_task *task, weir_error *error)
{
	const cluster *engine = state;
	return weir_spool_give(engine->spool, task, error);
}

static weir_status slurm_hear(void *state, double seconds, weir_sweep_report *report, bool *got,
                              weir_error *error)
{
	cluster *engine = state;
	double until = monotonic_seconds() + seconds;
	for (;;) {
		double now = monotonic_seconds();
		weir_status status = weir_spool_hear(engine->spool, now, report, got, error);
		if (status == WEIR_OK && !*got) {
			status = fill_up(engine, now, error);
		}
		if (status != WEIR_OK || *got || now >= until) {
			return status;
		}
		const struct timespec pause = {.tv_nsec = (long)(look_interval * 1e9)};
		nanosleep(&pause, NULL);
	}
}

static bool slurm_holds(void *state, uint64_t run)
{
	const cluster *engine = state;
	return weir_spool_holds(engine->spool, run);
}

static void slurm_abandon(void *state, uint64_t run, weir_sweep_report *report)
{
	const cluster *engine = state;
	(void)report;
	weir_spool_abandon(engine->spool, run);
}

const weir_sweep_engine weir_sweep_engine_slurm = {
    .name = "slurm",
    .doc = "workers in the jobs of a Slurm cluster",
    .open = slurm_open,
    .room = slurm_room,
    .give = slurm_give,
    .hear = slurm_hear,
    .holds = slurm_holds,
    .abandon = slurm_abandon,
    .close = slurm_close,
};
