/*
 * One simulation: a workload through a cluster, as a config describes them.
 *
 * A config is immutable and may be shared; everything that changes is in the weir_sim. Any number
 * of simulations may live in a process, interleaved in any way, on any threads (one at a time
 * each); equal configs give equal results.
 */
#ifndef WEIR_RUN_SIM_H
#define WEIR_RUN_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "engine/engine.h"
#include "metrics/sample.h"
#include "metrics/slo.h"
#include "metrics/summary.h"
#include "metrics/view.h"
#include "scaling/controller.h"
#include "scaling/faults.h"
#include "scaling/manager.h"
#include "serving/serving.h"

WEIR_BEGIN_C

typedef struct weir_sim weir_sim;

/* Who is told of what happens; a NULL function is not called. */
typedef struct weir_sim_observer {
	void *context;
	void (*request_ended)(void *context, const weir_request_row *row);
	/* Of what is under way when the run ends, too; nothing is spent on these when they are NULL. */
	void (*iterations_ended)(void *context, const weir_iteration_row *row);
	void (*transfer_ended)(void *context, const weir_transfer_row *row);
	void (*sampled)(void *context, const weir_sample_row *row);
	/* Of every event, before what it does: the event log. */
	void (*event)(void *context, double time, const weir_event *event);
	void (*scaling_event)(void *context, const weir_scaling_event_row *row);
	/* Just before an instance or a server goes. */
	void (*instance_ended)(void *context, const weir_instance_view *view);
	void (*server_ended)(void *context, const weir_server_view *view);
	/* At the end of the run, of those that are left, in order of slot. */
	void (*instance_left)(void *context, const weir_instance_view *view);
	void (*server_left)(void *context, const weir_server_view *view);
	/* A line of the log, level info. */
	void (*log)(void *context, const char *line);
} weir_sim_observer;

/*
 * Makes a simulation at time 0, its workload opened. `config` is borrowed. Errors: those of the
 * workload's trace and of the execution-time profile; out of memory.
 */
WEIR_API weir_status weir_sim_create(const weir_config *config, const weir_sim_observer *observer,
                                     weir_sim **sim, weir_error *error);
/* The same with these policies in place of the config's own; what they point to is borrowed. */
WEIR_API weir_status weir_sim_create_with(const weir_config *config,
                                          const weir_sim_observer *observer,
                                          const weir_controller_policy *policies,
                                          size_t policy_count, weir_sim **sim, weir_error *error);
WEIR_API void weir_sim_destroy(weir_sim *sim);

/*
 * Runs at most `events` events, none after `until` seconds (INFINITY: to the end). *more is false
 * when nothing is left to run up to then. With deferred policies it returns, *more true, as soon as
 * one waits for its decision: no later event has run, not even of that instant. Errors: a bad line
 * in the trace; a request of an application that the config does not have; out of memory; the
 * simulation waits (WEIR_ERROR_INTERNAL). After an error only destroy is of use.
 */
WEIR_API weir_status weir_sim_run(weir_sim *sim, double until, uint64_t events, bool *more,
                                  weir_error *error);

/* The number, in the list handed in, of the deferred policy whose decision is waited for; -1: none.
 */
WEIR_API int weir_sim_waiting(const weir_sim *sim);

/*
 * Hands in the decision that is waited for (asserted); it is cut, delayed and applied like that of
 * any other policy. *applied, which may be NULL, says what became of it. Errors: out of memory.
 */
WEIR_API weir_status weir_sim_answer(weir_sim *sim, const weir_decision *decision,
                                     weir_applied *applied, weir_error *error);

/*
 * Ends the run where it is: the observer gets the last sample, a row for every request in the
 * system and for all that is under way, and what is left of instances and servers. Idempotent; no
 * more events run.
 */
WEIR_API void weir_sim_finish(weir_sim *sim);

/* Seconds: the time of the last event. */
WEIR_API double weir_sim_now(const weir_sim *sim);
WEIR_API uint64_t weir_sim_events(const weir_sim *sim);

/* How much of a run up to `until` is done, 0..1, as far as that can be told; else NaN. */
WEIR_API double weir_sim_share_done(const weir_sim *sim, double until);

/*
 * True when requests are left that can never go on: what holds memory waits for more of it, so that
 * nothing is ever freed (the reference's rules allow it under heavy load). The run ends there, its
 * requests unfinished.
 */
WEIR_API bool weir_sim_is_stalled(const weir_sim *sim);

WEIR_API const weir_config *weir_sim_config(const weir_sim *sim);
WEIR_API const weir_serving *weir_sim_serving(const weir_sim *sim);
WEIR_API const weir_cluster *weir_sim_cluster(const weir_sim *sim);
WEIR_API const weir_slo *weir_sim_slo(const weir_sim *sim);
/* What changes the cluster; for those who step a simulation and act on it themselves. */
WEIR_API weir_manager *weir_sim_manager(weir_sim *sim);
WEIR_API const weir_manager *weir_sim_manager_const(const weir_sim *sim);
/* What counts for views; likewise. */
WEIR_API weir_meter *weir_sim_meter(weir_sim *sim);
/* NULL when no fault is configured. */
WEIR_API const weir_faults *weir_sim_faults(const weir_sim *sim);

/* The totals that follow from the cluster's state: end_time and instances to events. */
WEIR_API void weir_sim_totals(const weir_sim *sim, weir_totals *totals);

/*
 * A snapshot: everything that a simulation is at an instant, to be given back to it or to another
 * simulation of the same config. It may wait for a decision at that instant. What observers were
 * told is not taken back. A workload that is read from a pipe has no snapshots (WEIR_ERROR_INPUT).
 * A snapshot must be destroyed before the simulation that it was saved from.
 */
typedef struct weir_sim_snapshot weir_sim_snapshot;

WEIR_API weir_status weir_sim_save(const weir_sim *sim, weir_sim_snapshot **snapshot,
                                   weir_error *error);
WEIR_API weir_status weir_sim_restore(weir_sim *sim, const weir_sim_snapshot *snapshot,
                                      weir_error *error);
WEIR_API void weir_sim_snapshot_destroy(weir_sim_snapshot *snapshot);

WEIR_END_C

#endif
