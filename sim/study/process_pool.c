#include "study/process_pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "study/worker_process.h"

enum { LOOK_INTERVAL_MS = 100, JOB_NAME_SIZE = 256 };

#define NO_JOB SIZE_MAX

typedef struct worker {
	pid_t pid; /* 0: none */
	int socket;
	size_t job;     /* at hand; NO_JOB */
	size_t arrived; /* bytes of its answer */
	char *answer;   /* the result, which may want to be aligned, then a weir_error */
} worker;

typedef struct pool {
	const weir_pool_jobs *jobs;
	const weir_pool_options *options;
	worker *workers;
	struct pollfd *polled;
	size_t worker_count;
	size_t answer_size;
	size_t next, done;
	char *results;
	weir_error *errors;
} pool;

/* The life of a worker. It leaves without the exit handlers and the unwritten output of the process
 * that it was forked from. */
static _Noreturn void work(const pool *p, int socket, char *answer)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	size_t job;
	while (worker_process_receive(socket, &job, sizeof job)) {
		memset(answer, 0, p->answer_size);
		weir_error error = {0};
		error.status = p->jobs->run(p->jobs->context, job, answer, &error);
		memcpy(answer + p->jobs->result_size, &error, sizeof error);
		if (!worker_process_send(socket, answer, p->answer_size)) {
			break;
		}
	}
	_exit(0);
}

static bool start_worker(pool *p, worker *w)
{
	int socket;
	pid_t pid = worker_process_fork(&socket);
	if (pid < 0) {
		return false;
	}
	if (pid == 0) {
		for (size_t i = 0; i < p->worker_count; i++) {
			if (p->workers[i].pid != 0) {
				close(p->workers[i].socket);
			}
		}
		work(p, socket, w->answer);
	}
	w->pid = pid;
	w->socket = socket;
	w->job = NO_JOB;
	w->arrived = 0;
	return true;
}

static bool reap(worker *w, int *status)
{
	bool reaped = worker_process_reap(w->pid, w->socket, status);
	w->pid = 0;
	return reaped;
}

static void stop_workers(pool *p, bool at_once)
{
	for (size_t i = 0; i < p->worker_count; i++) {
		worker *w = &p->workers[i];
		if (w->pid != 0) {
			if (at_once) {
				kill(w->pid, SIGKILL);
			}
			int status;
			reap(w, &status);
		}
	}
}

static void job_name(const pool *p, size_t job, char name[JOB_NAME_SIZE])
{
	snprintf(name, JOB_NAME_SIZE, "job %zu", job);
	if (p->jobs->describe != NULL) {
		p->jobs->describe(p->jobs->context, job, name, JOB_NAME_SIZE);
	}
}

static void bury_worker(pool *p, worker *w)
{
	char name[JOB_NAME_SIZE];
	job_name(p, w->job, name);
	int status = 0;
	bool known = reap(w, &status);
	weir_error *error = &p->errors[w->job];
	if (known && WIFSIGNALED(status)) {
		weir_error_set(error, WEIR_ERROR_INTERNAL, name,
		               "its process was killed by signal %d (%s)%s", WTERMSIG(status),
		               strsignal(WTERMSIG(status)),
		               WTERMSIG(status) == SIGKILL ? "; if memory ran out, use fewer workers" : "");
	} else {
		weir_error_set(error, WEIR_ERROR_INTERNAL, name,
		               "its process ended with exit status %d before the job was done",
		               known ? WEXITSTATUS(status) : -1);
	}
	p->done++;
}

static void take_answer(pool *p, worker *w)
{
	size_t size = p->jobs->result_size;
	memcpy(&p->errors[w->job], w->answer + size, sizeof(weir_error));
	if (p->errors[w->job].status == WEIR_OK && size > 0) {
		memcpy(p->results + w->job * size, w->answer, size);
	}
	w->job = NO_JOB;
	w->arrived = 0;
	p->done++;
}

/* What has come from a worker: part of an answer, or its end. */
static void hear(pool *p, worker *w)
{
	ssize_t got =
	    recv(w->socket, w->answer + w->arrived, p->answer_size - w->arrived, MSG_DONTWAIT);
	if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
		return;
	}
	if (got <= 0) {
		bury_worker(p, w);
		return;
	}
	w->arrived += (size_t)got;
	if (w->arrived == p->answer_size) {
		take_answer(p, w);
	}
}

/* A job for every worker that has none; workers that are missing are made. At most one job is with
 * a worker, so that its death costs no other. False when there is no worker and none can be made.
 */
static bool hand_out(pool *p)
{
	size_t working = 0;
	for (size_t i = 0; i < p->worker_count; i++) {
		worker *w = &p->workers[i];
		while (p->next < p->jobs->count && (w->pid == 0 || w->job == NO_JOB)) {
			if (w->pid == 0 && !start_worker(p, w)) {
				break;
			}
			w->job = p->next++;
			if (!worker_process_send(w->socket, &w->job, sizeof w->job)) {
				bury_worker(p, w);
			}
		}
		working += w->pid != 0 && w->job != NO_JOB;
	}
	return working > 0 || p->done == p->jobs->count;
}

static void listen_to_workers(pool *p)
{
	for (size_t i = 0; i < p->worker_count; i++) {
		bool busy = p->workers[i].pid != 0 && p->workers[i].job != NO_JOB;
		p->polled[i] = (struct pollfd){.fd = busy ? p->workers[i].socket : -1, .events = POLLIN};
	}
	if (poll(p->polled, p->worker_count, LOOK_INTERVAL_MS) <= 0) {
		return;
	}
	for (size_t i = 0; i < p->worker_count; i++) {
		if (p->polled[i].fd >= 0 && p->polled[i].revents != 0) {
			hear(p, &p->workers[i]);
		}
	}
}

static weir_status run_jobs(pool *p, weir_error *error)
{
	while (p->done < p->jobs->count) {
		if (!hand_out(p)) {
			return weir_error_set(error, WEIR_ERROR_IO, NULL, "no process can be made: %s",
			                      strerror(errno));
		}
		listen_to_workers(p);
		if (p->options->progress != NULL &&
		    !p->options->progress(p->options->context, p->done, p->jobs->count)) {
			return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL,
			                      "interrupted with %zu of %zu jobs done", p->done, p->jobs->count);
		}
	}
	return WEIR_OK;
}

/* The first error in the order of the jobs: which one it is must not depend on who was faster. */
static weir_status first_error(const pool *p, weir_error *error)
{
	for (size_t i = 0; i < p->jobs->count; i++) {
		const weir_error *found = &p->errors[i];
		if (found->status != WEIR_OK) {
			return weir_error_set(error, found->status, found->where, "%s", found->message);
		}
	}
	return WEIR_OK;
}

static bool allocate(pool *p)
{
	p->workers = weir_allocate(p->worker_count, sizeof *p->workers);
	p->polled = weir_allocate(p->worker_count, sizeof *p->polled);
	if (p->workers == NULL || p->polled == NULL) {
		return false;
	}
	for (size_t i = 0; i < p->worker_count; i++) {
		p->workers[i].answer = weir_allocate(p->answer_size, 1);
		if (p->workers[i].answer == NULL) {
			return false;
		}
	}
	return true;
}

static void release(pool *p)
{
	for (size_t i = 0; p->workers != NULL && i < p->worker_count; i++) {
		free(p->workers[i].answer);
	}
	free(p->workers);
	free(p->polled);
}

static size_t workers_wanted(const weir_pool_jobs *jobs, const weir_pool_options *options)
{
	size_t workers = options->workers;
	if (workers == 0) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);
		workers = processors > 0 ? (size_t)processors : 1;
	}
	return workers < jobs->count ? workers : jobs->count;
}

weir_status weir_pool_run(const weir_pool_jobs *jobs, const weir_pool_options *options,
                          void *results, weir_error *errors, weir_error *error)
{
	if (jobs->count == 0) {
		return WEIR_OK;
	}
	pool p = {
	    .jobs = jobs,
	    .options = options,
	    .worker_count = workers_wanted(jobs, options),
	    .answer_size = jobs->result_size + sizeof(weir_error),
	    .results = results,
	    .errors = errors,
	};
	for (size_t i = 0; i < jobs->count; i++) {
		weir_error_set(&errors[i], WEIR_ERROR_INTERRUPTED, NULL, "not done");
	}
	weir_status status = WEIR_OK;
	if (allocate(&p)) {
		status = run_jobs(&p, error);
		stop_workers(&p, status != WEIR_OK);
	} else {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for %zu workers",
		                        p.worker_count);
	}
	release(&p);
	return status == WEIR_OK ? first_error(&p, error) : status;
}
