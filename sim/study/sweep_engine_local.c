/* Runs of a sweep in processes of this machine. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "study/sweep_engine.h"
#include "study/worker_process.h"

/* Seconds between two looks at the memory that is left. */
static const double memory_interval = 0.5;

typedef struct worker {
	pid_t pid; /* 0: none */
	int socket;
	FILE *log; /* what it writes to stderr */
	bool busy;
	uint64_t run;
	uint64_t kills; /* of the machine, for want of memory, when it got the run */
	size_t arrived; /* bytes of the report */
	weir_sweep_report report;
} worker;

typedef struct local {
	const weir_sweep_plan *plan;
	size_t count, next; /* workers; the one to listen to first */
	worker *workers;
	struct pollfd *polled;
	double need;      /* bytes that a run is known to take; 0: not known yet */
	double available; /* bytes, when last looked */
	double looked;    /* monotonic seconds; below 0: never */
} local;

/* ---- in a worker ---- */

/* Bytes of this process that count against RLIMIT_DATA. */
static double data_size(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long data = 0;
	if (file != NULL) {
		if (fscanf(file, "%*u %*u %*u %*u %*u %lu", &data) != 1) {
			data = 0;
		}
		fclose(file);
	}
	return (double)data * (double)sysconf(_SC_PAGESIZE);
}

static void limit_memory(double bytes)
{
	rlim_t most = (rlim_t)(data_size() + bytes);
	struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
	setrlimit(RLIMIT_DATA, &limit);
}

/* The life of a worker. It leaves without the exit handlers and the unwritten output of the process
 * that it was forked from, and never touches what else that has open. */
static _Noreturn void work(const local *engine, int socket, int log, pid_t manager)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	/* A manager that is killed takes its workers along. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != manager || dup2(log, STDERR_FILENO) < 0) {
		_exit(1);
	}
	if (engine->plan->file->memory > 0.0) {
		limit_memory(engine->plan->file->memory);
	}
	weir_sweep_task task;
	weir_sweep_report report;
	while (worker_process_receive(socket, &task, sizeof task)) {
		weir_sweep_task_run(engine->plan, &task, &report);
		if (!worker_process_send(socket, &report, sizeof report)) {
			break;
		}
	}
	_exit(0);
}

/* ---- in the manager ---- */

static bool start_worker(local *engine, worker *w)
{
	if (w->log == NULL) {
		w->log = tmpfile();
	}
	int socket;
	pid_t manager = getpid();
	pid_t pid = w->log != NULL ? worker_process_fork(&socket) : -1;
	if (pid < 0) {
		return false;
	}
	if (pid == 0) {
		for (size_t i = 0; i < engine->count; i++) {
			if (engine->workers[i].pid != 0) {
				close(engine->workers[i].socket);
			}
		}
		work(engine, socket, fileno(w->log), manager);
	}
	w->pid = pid;
	w->socket = socket;
	w->busy = false;
	return true;
}

/* The exit status of a worker that has ended or is about to; a signal is negative. */
static int reap(worker *w)
{
	int status = 0;
	bool reaped = worker_process_reap(w->pid, w->socket, &status);
	w->pid = 0;
	w->busy = false;
	if (!reaped) {
		return -1;
	}
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void take_log(worker *w, weir_sweep_report *report)
{
	off_t size = lseek(fileno(w->log), 0, SEEK_END);
	off_t most = (off_t)sizeof report->stderr_text - 1;
	off_t from = size > most ? size - most : 0;
	ssize_t got = size > 0 ? pread(fileno(w->log), report->stderr_text, (size_t)most, from) : 0;
	report->stderr_text[got > 0 ? got : 0] = '\0';
}

static void clear_log(worker *w)
{
	/* What is left there is but the log of another run; nothing depends on it. */
	if (ftruncate(fileno(w->log), 0) == 0) {
		lseek(fileno(w->log), 0, SEEK_SET);
	}
}

/* The number behind a name, such as "NAME:", in a file of the kernel's; 0: it is not there. */
static uint64_t read_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[128];
	uint64_t number = 0;
	size_t length = strlen(name);
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, name, length) == 0) {
			number = strtoull(line + length, NULL, 10);
			break;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return number;
}

/* Processes that the machine has killed for want of memory. */
static uint64_t memory_kills(void)
{
	return read_number("/proc/vmstat", "oom_kill ");
}

static double available_memory(void)
{
	return 1024.0 * (double)read_number("/proc/meminfo", "MemAvailable:");
}

/* A worker that ended with a run at hand. */
static void bury(worker *w, weir_sweep_report *report)
{
	uint64_t kills = w->kills;
	*report = (weir_sweep_report){.run = w->run};
	take_log(w, report);
	report->exit_status = reap(w);
	int number = -report->exit_status;
	if (number == SIGKILL && memory_kills() > kills) {
		report->outcome = WEIR_SWEEP_OUT_OF_MEMORY;
		weir_error_set(&report->error, WEIR_ERROR_MEMORY, NULL,
		               "the machine ran out of memory and killed its process");
	} else if (number == SIGKILL || number == SIGTERM) {
		report->outcome = WEIR_SWEEP_LOST;
		weir_error_set(&report->error, WEIR_ERROR_INTERRUPTED, NULL, "its process was killed");
	} else if (number > 0) {
		report->outcome = WEIR_SWEEP_CRASH;
		weir_error_set(&report->error, WEIR_ERROR_INTERNAL, NULL,
		               "its process ended by signal %d (%s)", number, strsignal(number));
	} else {
		report->outcome = WEIR_SWEEP_CRASH;
		weir_error_set(&report->error, WEIR_ERROR_INTERNAL, NULL,
		               "its process ended with exit status %d before the run was done",
		               report->exit_status);
	}
}

static void local_close(void *state)
{
	local *engine = state;
	for (size_t i = 0; engine->workers != NULL && i < engine->count; i++) {
		worker *w = &engine->workers[i];
		if (w->pid != 0) {
			kill(w->pid, SIGKILL);
			reap(w);
		}
		if (w->log != NULL) {
			fclose(w->log);
		}
	}
	free(engine->workers);
	free(engine->polled);
	free(engine);
}

static weir_status local_open(const weir_sweep_plan *plan, size_t workers, void **state,
                              weir_error *error)
{
	*state = NULL;
	if (workers == 0) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);
		workers = processors > 0 ? (size_t)processors : 1;
	}
	local *engine = weir_allocate(1, sizeof *engine);
	if (engine != NULL) {
		engine->plan = plan;
		engine->count = workers;
		engine->need = plan->file->memory;
		engine->looked = -1.0;
		engine->workers = weir_allocate(workers, sizeof *engine->workers);
		engine->polled = weir_allocate(workers, sizeof *engine->polled);
	}
	if (engine == NULL || engine->workers == NULL || engine->polled == NULL) {
		if (engine != NULL) {
			local_close(engine);
		}
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu workers", workers);
	}
	*state = engine;
	return WEIR_OK;
}

static double monotonic_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One run always goes; more, as long as the memory that is left would do for all that run if each
 * still grew to the most that one is known to take. */
static size_t local_room(void *state)
{
	local *engine = state;
	size_t busy = 0;
	for (size_t i = 0; i < engine->count; i++) {
		busy += engine->workers[i].busy ? 1 : 0;
	}
	size_t room = engine->count - busy;
	if (room == 0 || engine->need <= 0.0) {
		return room;
	}
	double now = monotonic_seconds();
	if (engine->looked < 0.0 || now - engine->looked > memory_interval) {
		engine->available = available_memory();
		engine->looked = now;
	}
	double fit = engine->available / engine->need;
	if (fit >= (double)engine->count) {
		return room;
	}
	size_t allowed = fit < 1.0 ? 1 : (size_t)fit;
	return allowed > busy ? allowed - busy : 0;
}

static weir_status local_give(void *state, const weir_sweep_task *task, weir_error *error)
{
	local *engine = state;
	worker *chosen = NULL;
	for (size_t i = 0; i < engine->count; i++) {
		worker *w = &engine->workers[i];
		/* One that is there already, if there is one. */
		if (!w->busy && (chosen == NULL || (chosen->pid == 0 && w->pid != 0))) {
			chosen = w;
		}
	}
	if (chosen == NULL || (chosen->pid == 0 && !start_worker(engine, chosen))) {
		return weir_error_set(error, WEIR_ERROR_IO, NULL, "no process can be made: %s",
		                      strerror(errno));
	}
	clear_log(chosen);
	chosen->busy = true;
	chosen->run = task->run;
	chosen->arrived = 0;
	chosen->kills = memory_kills();
	/* A worker that died meanwhile is found out by what it answers: nothing. */
	worker_process_send(chosen->socket, task, sizeof *task);
	return WEIR_OK;
}

/* What has come from a worker; true when that is a report. */
static bool hear_one(local *engine, worker *w, weir_sweep_report *report)
{
	ssize_t got = recv(w->socket, (char *)&w->report + w->arrived, sizeof w->report - w->arrived,
	                   MSG_DONTWAIT);
	if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
		return false;
	}
	if (got <= 0) {
		bury(w, report);
		return true;
	}
	w->arrived += (size_t)got;
	if (w->arrived < sizeof w->report) {
		return false;
	}
	*report = w->report;
	if (report->outcome != WEIR_SWEEP_DONE) {
		take_log(w, report);
	}
	if (report->peak_memory > engine->need && engine->plan->file->memory == 0.0) {
		engine->need = report->peak_memory;
	}
	w->busy = false;
	return true;
}

static weir_status local_hear(void *state, double seconds, weir_sweep_report *report, bool *got,
                              weir_error *error)
{
	local *engine = state;
	(void)error;
	*got = false;
	for (size_t i = 0; i < engine->count; i++) {
		const worker *w = &engine->workers[i];
		engine->polled[i] = (struct pollfd){.fd = w->busy ? w->socket : -1, .events = POLLIN};
	}
	/* Rounded up: a wait that is too short would only be repeated. */
	int wait = (int)(seconds * 1000.0 + 0.999);
	if (poll(engine->polled, (nfds_t)engine->count, wait) <= 0) {
		return WEIR_OK;
	}
	for (size_t k = 0; !*got && k < engine->count; k++) {
		size_t i = (engine->next + k) % engine->count;
		if (engine->polled[i].fd >= 0 && engine->polled[i].revents != 0) {
			*got = hear_one(engine, &engine->workers[i], report);
		}
	}
	engine->next = (engine->next + 1) % engine->count;
	return WEIR_OK;
}

static worker *worker_at(local *engine, uint64_t run)
{
	for (size_t i = 0; i < engine->count; i++) {
		if (engine->workers[i].busy && engine->workers[i].run == run) {
			return &engine->workers[i];
		}
	}
	return NULL;
}

static bool local_holds(void *state, uint64_t run)
{
	return worker_at(state, run) != NULL;
}

static void local_abandon(void *state, uint64_t run, weir_sweep_report *report)
{
	worker *w = worker_at(state, run);
	if (w == NULL) {
		return;
	}
	kill(w->pid, SIGKILL);
	if (report != NULL) {
		take_log(w, report);
	}
	int status = reap(w);
	if (report != NULL) {
		report->exit_status = status;
	}
}

const weir_sweep_engine weir_sweep_engine_local = {
    .name = "local",
    .doc = "processes of this machine",
    .open = local_open,
    .room = local_room,
    .give = local_give,
    .hear = local_hear,
    .holds = local_holds,
    .abandon = local_abandon,
    .close = local_close,
};
