#include "study/sweep_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "study/sweep_results.h"

enum {
	MOST_READY = 1024,   /* runs known to wait */
	MOST_CHANGES = 1024, /* collected for one commit */
	MOST_LOSSES = 10     /* of workers at one run, before that counts as its own fault */
};

/* Seconds between two looks at the caller and at what other processes changed. */
static const double look_interval = 0.1;

/* A run that an engine has. */
typedef struct running {
	weir_sweep_ready ready;
	double began, lease;
	char output[WEIR_SWEEP_PATH_SIZE];
} running;

/* A change that waits for its commit, with what it refers to. */
typedef struct pending {
	weir_sweep_report report;
	char path[WEIR_SWEEP_PATH_SIZE];
} pending;

typedef struct manager {
	const weir_sweep_plan *plan;
	weir_sweep_store *store;
	const weir_sweep_run_options *options;
	void *engine;
	weir_sweep_plan engine_plan;
	char token[32]; /* part of the names of files aside: of this manager alone */
	uint64_t given; /* the same: of this attempt alone, as an earlier one may still be written */
	weir_sweep_ready *ready;
	size_t ready_first, ready_count;
	double next_ready; /* when to ask the store for more */
	running *running;
	size_t running_count, running_capacity;
	weir_sweep_change *changes;
	pending *pendings;
	size_t change_count;
	double flushed, looked;
	weir_sweep_results results;
	weir_sweep_progress progress;
	double finish_until; /* INFINITY: not finishing */
} manager;

static double system_now(void *context)
{
	(void)context;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

weir_sweep_clock weir_sweep_clock_system(void)
{
	return (weir_sweep_clock){.now = system_now};
}

weir_sweep_run_options weir_sweep_run_options_default(void)
{
	return (weir_sweep_run_options){
	    .engine = &weir_sweep_engine_local,
	    .clock = weir_sweep_clock_system(),
	    .group = 0.1,
	    .lease = 60.0,
	    .grace = 5.0,
	};
}

static double now_of(const manager *m)
{
	return m->options->clock.now(m->options->clock.context);
}

/* ---- changes ---- */

/* Commits what has been collected. */
static weir_status flush(manager *m, weir_error *error)
{
	m->flushed = now_of(m);
	if (m->change_count == 0) {
		return WEIR_OK;
	}
	weir_status status = weir_sweep_results_sync(&m->results, error);
	if (status == WEIR_OK) {
		status = weir_sweep_store_apply(m->store, m->changes, m->change_count, error);
	}
	if (status == WEIR_OK) {
		m->change_count = 0;
		status = weir_sweep_store_counts(m->store, &m->progress.counts, error);
	}
	return status;
}

/* Room for another change; *place is for what it refers to. */
static weir_status new_change(manager *m, const running *run, weir_run_state state,
                              weir_sweep_change **change, pending **place, weir_error *error)
{
	if (m->change_count == MOST_CHANGES) {
		weir_status status = flush(m, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	*place = &m->pendings[m->change_count];
	*change = &m->changes[m->change_count++];
	(*place)->path[0] = '\0';
	**change = (weir_sweep_change){
	    .run = run->ready.run,
	    .state = state,
	    .attempts = run->ready.attempts,
	    .losses = run->ready.losses,
	    .lease = run->lease,
	    .began = run->began,
	    .ended = state == WEIR_RUN_RUNNING ? (double)NAN : now_of(m),
	    .worker = m->options->engine->name,
	    .path = (*place)->path,
	};
	return WEIR_OK;
}

static weir_status note_running(manager *m, const running *run, weir_error *error)
{
	weir_sweep_change *change = NULL;
	pending *place = NULL;
	return new_change(m, run, WEIR_RUN_RUNNING, &change, &place, error);
}

/* The run waits again, as if this attempt had not been. */
static weir_status put_back(manager *m, const running *run, weir_error *error)
{
	weir_sweep_change *change = NULL;
	pending *place = NULL;
	weir_status status = new_change(m, run, WEIR_RUN_WAITING, &change, &place, error);
	m->next_ready = fmin(m->next_ready, now_of(m));
	return status;
}

static const weir_key_list *delays_of(const manager *m, weir_sweep_outcome outcome)
{
	const weir_sweep_retry *retry = &m->plan->file->retry;
	switch (outcome) {
	case WEIR_SWEEP_OUT_OF_MEMORY:
		return &retry->out_of_memory;
	case WEIR_SWEEP_TIMEOUT:
		return &retry->timeout;
	default:
		return &retry->crash;
	}
}

/* An attempt that did not end well: whether and when there is another one. */
static weir_status judge(manager *m, running *run, const weir_sweep_report *report,
                         weir_error *error)
{
	weir_sweep_outcome outcome = report->outcome;
	double due = 0.0;
	weir_run_state state = WEIR_RUN_WAITING;
	if (outcome == WEIR_SWEEP_LOST && run->ready.losses < MOST_LOSSES) {
		run->ready.losses++;
	} else if (outcome == WEIR_SWEEP_BAD_CONFIG) {
		run->ready.attempts++;
		state = WEIR_RUN_FAILED;
	} else {
		const weir_key_list *delays = delays_of(m, outcome);
		bool more = run->ready.attempts < delays->count;
		state = more ? WEIR_RUN_WAITING : WEIR_RUN_FAILED;
		due = more ? now_of(m) + ((const double *)delays->items)[run->ready.attempts] : 0.0;
		run->ready.attempts++;
	}
	weir_sweep_change *change = NULL;
	pending *place = NULL;
	weir_status status = new_change(m, run, state, &change, &place, error);
	if (status == WEIR_OK) {
		place->report = *report;
		change->report = &place->report;
		change->due = due;
		if (state == WEIR_RUN_WAITING) {
			m->next_ready = fmin(m->next_ready, fmax(due, now_of(m)));
		}
		m->progress.ended += state == WEIR_RUN_FAILED ? 1 : 0;
	}
	return status;
}

static weir_status keep_result(manager *m, const running *run, const weir_sweep_report *report,
                               weir_error *error)
{
	weir_sweep_change *change = NULL;
	pending *place = NULL;
	char path[WEIR_SWEEP_PATH_SIZE] = "";
	weir_status status = WEIR_OK;
	if (run->output[0] != '\0') {
		uint64_t replications = (uint64_t)m->plan->file->replications;
		const weir_sweep_point *point = &m->plan->points->items[run->ready.run / replications];
		status = weir_sweep_results_place(&m->results, run->output, run->ready.run, point->id,
		                                  run->ready.run % replications, path, error);
	}
	if (status == WEIR_OK) {
		status = new_change(m, run, WEIR_RUN_DONE, &change, &place, error);
	}
	if (status == WEIR_OK) {
		place->report = *report;
		memcpy(place->path, path, sizeof path);
		change->report = &place->report;
		m->progress.ended++;
	}
	return status;
}

/* ---- what runs ---- */

static size_t find_running(const manager *m, uint64_t run)
{
	size_t i = 0;
	while (i < m->running_count && m->running[i].ready.run != run) {
		i++;
	}
	return i;
}

static running take_running(manager *m, size_t i)
{
	running run = m->running[i];
	m->running[i] = m->running[--m->running_count];
	return run;
}

static weir_status take_report(manager *m, const weir_sweep_report *report, weir_error *error)
{
	size_t i = find_running(m, report->run);
	if (i == m->running_count) {
		return WEIR_OK;
	}
	running run = take_running(m, i);
	if (report->outcome == WEIR_SWEEP_DONE) {
		return keep_result(m, &run, report, error);
	}
	if (report->outcome != WEIR_SWEEP_NO_OUTPUT) {
		return judge(m, &run, report, error);
	}
	weir_status status = put_back(m, &run, error);
	if (status == WEIR_OK) {
		*error = report->error;
		status = report->error.status;
	}
	return status;
}

/* Ends runs that take too long, renews the leases of the others, returns what was lost. */
static weir_status check_running(manager *m, double now, weir_error *error)
{
	const weir_sweep_engine *engine = m->options->engine;
	double timeout = m->plan->file->timeout;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < m->running_count;) {
		running *run = &m->running[i];
		bool late = timeout > 0.0 && now >= run->began + timeout;
		bool renew = run->lease - now < 0.5 * m->options->lease;
		if (!late && renew && engine->holds(m->engine, run->ready.run)) {
			run->lease = now + m->options->lease;
			status = note_running(m, run, error);
		} else if (late || now > run->lease) {
			weir_sweep_report report = {.run = run->ready.run};
			engine->abandon(m->engine, run->ready.run, &report);
			report.outcome = late ? WEIR_SWEEP_TIMEOUT : WEIR_SWEEP_LOST;
			if (late) {
				weir_error_set(&report.error, WEIR_ERROR_INTERRUPTED, NULL,
				               "it took longer than %g s", timeout);
			} else {
				weir_error_set(&report.error, WEIR_ERROR_INTERRUPTED, NULL,
				               "nothing was heard of its worker for %g s", m->options->lease);
			}
			running taken = take_running(m, i);
			status = judge(m, &taken, &report, error);
			continue;
		}
		i++;
	}
	return status;
}

/* Ends what another process has cancelled. */
static weir_status drop_cancelled(manager *m, weir_error *error)
{
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < m->running_count;) {
		bool cancelled = false;
		uint64_t number = m->running[i].ready.run;
		status = weir_sweep_store_cancelled(m->store, number, &cancelled, error);
		if (status == WEIR_OK && cancelled) {
			m->options->engine->abandon(m->engine, number, NULL);
			take_running(m, i);
		} else {
			i++;
		}
	}
	return status;
}

static weir_status abandon_all(manager *m, weir_error *error)
{
	weir_status status = WEIR_OK;
	while (status == WEIR_OK && m->running_count > 0) {
		running run = take_running(m, 0);
		m->options->engine->abandon(m->engine, run.ready.run, NULL);
		status = put_back(m, &run, error);
	}
	return status;
}

/* ---- what waits ---- */

static weir_status fill_ready(manager *m, double now, weir_error *error)
{
	if (m->ready_first < m->ready_count || now < m->next_ready) {
		return WEIR_OK;
	}
	/* The store must know what runs. */
	weir_status status = flush(m, error);
	m->ready_first = 0;
	m->ready_count = 0;
	if (status == WEIR_OK) {
		status =
		    weir_sweep_store_ready(m->store, now, MOST_READY, m->ready, &m->ready_count, error);
	}
	m->next_ready = now;
	if (status == WEIR_OK && m->ready_count == 0) {
		status = weir_sweep_store_next_due(m->store, &m->next_ready, error);
	}
	return status;
}

static weir_status begin_run(manager *m, double now, weir_error *error)
{
	if (!weir_reserve((void **)&m->running, &m->running_capacity, m->running_count + 1,
	                  sizeof *m->running)) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for what runs");
	}
	const weir_sweep_file *file = m->plan->file;
	running *run = &m->running[m->running_count];
	*run = (running){
	    .ready = m->ready[m->ready_first++], .began = now, .lease = now + m->options->lease};
	uint64_t replications = (uint64_t)file->replications;
	uint64_t number = run->ready.run;
	weir_sweep_task task = {
	    .run = number,
	    .seed = weir_sweep_seed(file, m->plan->points->items[number / replications].id,
	                            number % replications),
	};
	if (file->keep == WEIR_KEEP_FILES) {
		snprintf(task.output, sizeof task.output, "%s/aside/%" PRIu64 ".%s-%" PRIu64 ".h5",
		         weir_sweep_store_directory(m->store), number, m->token, m->given++);
	}
	memcpy(run->output, task.output, sizeof run->output);
	weir_status status = m->options->engine->give(m->engine, &task, error);
	if (status != WEIR_OK) {
		return status;
	}
	m->running_count++;
	return note_running(m, run, error);
}

static weir_status begin_runs(manager *m, double now, weir_error *error)
{
	weir_status status = WEIR_OK;
	size_t room = m->options->engine->room(m->engine);
	while (status == WEIR_OK && room > 0) {
		status = fill_ready(m, now, error);
		if (status != WEIR_OK || m->ready_first == m->ready_count) {
			break;
		}
		status = begin_run(m, now, error);
		room--;
	}
	return status;
}

/* ---- the loop ---- */

/* The caller, and other processes. */
static weir_status look_around(manager *m, double now, weir_error *error)
{
	if (now - m->looked < look_interval) {
		return WEIR_OK;
	}
	m->looked = now;
	bool changed = false;
	weir_status status = weir_sweep_store_changed(m->store, &changed, error);
	if (status == WEIR_OK && changed) {
		status = flush(m, error);
		m->ready_first = 0;
		m->ready_count = 0;
		m->next_ready = now;
		if (status == WEIR_OK) {
			status = drop_cancelled(m, error);
		}
		if (status == WEIR_OK) {
			status = weir_sweep_store_counts(m->store, &m->progress.counts, error);
		}
	}
	const weir_sweep_run_options *options = m->options;
	if (options->progress != NULL && status == WEIR_OK &&
	    options->progress(options->context, &m->progress) == WEIR_SWEEP_FINISH &&
	    !m->progress.finishing) {
		m->progress.finishing = true;
		m->finish_until = now + options->grace;
	}
	return status;
}

static double time_to_wait(const manager *m, double now)
{
	double until = now + look_interval;
	if (m->change_count > 0) {
		until = fmin(until, m->flushed + m->options->group);
	}
	if (!m->progress.finishing) {
		until = fmin(until, m->next_ready > now ? m->next_ready : until);
	}
	double timeout = m->plan->file->timeout;
	for (size_t i = 0; timeout > 0.0 && i < m->running_count; i++) {
		until = fmin(until, m->running[i].began + timeout);
	}
	return fmax(0.0, until - now);
}

static weir_status listen(manager *m, double now, weir_error *error)
{
	weir_sweep_report report;
	bool got = false;
	weir_status status =
	    m->options->engine->hear(m->engine, time_to_wait(m, now), &report, &got, error);
	if (status == WEIR_OK && got) {
		status = take_report(m, &report, error);
	}
	return status;
}

static bool is_over(const manager *m)
{
	return m->running_count == 0 && m->ready_first == m->ready_count && m->change_count == 0 &&
	       isinf(m->next_ready);
}

static weir_status run_all(manager *m, weir_error *error)
{
	weir_status status = WEIR_OK;
	while (status == WEIR_OK && !is_over(m)) {
		double now = now_of(m);
		status = look_around(m, now, error);
		if (status == WEIR_OK && !m->progress.finishing) {
			status = begin_runs(m, now, error);
		}
		if (status == WEIR_OK && m->progress.finishing &&
		    (m->running_count == 0 || now >= m->finish_until)) {
			return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL,
			                      "interrupted; the same command goes on from here");
		}
		if (status == WEIR_OK && !is_over(m)) {
			status = listen(m, now, error);
		}
		now = now_of(m);
		if (status == WEIR_OK) {
			status = check_running(m, now, error);
		}
		if (status == WEIR_OK && (now >= m->flushed + m->options->group ||
		                          (m->running_count == 0 && isinf(m->next_ready)))) {
			status = flush(m, error);
		}
	}
	return status;
}

static weir_status open_manager(manager *m, weir_error *error)
{
	m->ready = weir_allocate(MOST_READY, sizeof *m->ready);
	m->changes = weir_allocate(MOST_CHANGES, sizeof *m->changes);
	m->pendings = weir_allocate(MOST_CHANGES, sizeof *m->pendings);
	if (m->ready == NULL || m->changes == NULL || m->pendings == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the sweep");
	}
	snprintf(m->token, sizeof m->token, "%lx-%llx", (long)getpid(),
	         (unsigned long long)(system_now(NULL) * 1e6));
	weir_sweep_results_begin(&m->results, weir_sweep_store_directory(m->store));
	m->finish_until = (double)INFINITY;
	m->next_ready = now_of(m);
	m->flushed = m->next_ready;
	m->looked = -(double)INFINITY;
	uint64_t returned = 0;
	uint64_t gone = 0;
	weir_status status = weir_sweep_store_recover(m->store, &returned, error);
	if (status == WEIR_OK) {
		status = weir_sweep_store_check_files(m->store, &gone, error);
	}
	if (status == WEIR_OK && m->plan->file->keep == WEIR_KEEP_FILES) {
		status = weir_sweep_results_prepare(&m->results, error);
	}
	if (status == WEIR_OK) {
		status = weir_sweep_store_counts(m->store, &m->progress.counts, error);
	}
	if (status == WEIR_OK) {
		m->engine_plan = *m->plan;
		m->engine_plan.directory = weir_sweep_store_directory(m->store);
		status = m->options->engine->open(&m->engine_plan, m->options->workers, &m->engine, error);
	}
	return status;
}

weir_status weir_sweep_run(const weir_sweep_plan *plan, weir_sweep_store *store,
                           const weir_sweep_run_options *options, weir_sweep_counts *counts,
                           weir_error *error)
{
	manager m = {.plan = plan, .store = store, .options = options};
	weir_status status = open_manager(&m, error);
	if (status == WEIR_OK) {
		status = run_all(&m, error);
	}
	/* What can still be said to the store is; what cannot, the next manager finds out. */
	weir_error later = {0};
	if (m.engine != NULL && abandon_all(&m, &later) == WEIR_OK) {
		flush(&m, &later);
	}
	if (m.engine != NULL) {
		options->engine->close(m.engine);
	}
	weir_sweep_store_counts(store, counts, &later);
	free(m.ready);
	free(m.running);
	free(m.changes);
	free(m.pendings);
	return status;
}
