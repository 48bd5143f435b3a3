/*
 * A run's file: what a simulation tells its observer, its summary and where it came from, as tables
 * of HDF5. Internal to the run room.
 */
#ifndef WEIR_RUN_RECORDING_H
#define WEIR_RUN_RECORDING_H

#include "base/error.h"
#include "config/config.h"
#include "metrics/summary.h"
#include "record/record.h"
#include "run/kept_requests.h"
#include "run/sim.h"

typedef struct weir_recording {
	weir_recorder *recorder;
	const weir_sim *sim;
	int requests, samples, instances, servers, scaling_events; /* table numbers */
	int iterations, transfers;                                 /* with record.iterations */
	bool live;                                                 /* record.live; else: */
	weir_kept_requests kept; /* what the summary is computed from, without reading it back */
	weir_status status;      /* of the first append that failed; lasting */
	weir_error error;
} weir_recording;

/* Where a run came from; recorded in /provenance. */
typedef struct weir_provenance {
	const char *command_line; /* "" when there is none */
	const char *version;
} weir_provenance;

/* Opens PATH.part with the tables of a simulation that has not run yet; others may be added to its
 * recorder. Leaves no file on an error. */
weir_status weir_recording_open(weir_recording *recording, const char *path, const weir_sim *sim,
                                const weir_provenance *provenance, weir_error *error);

/* Ends the definition of tables; leaves no file on an error. */
weir_status weir_recording_start(weir_recording *recording, weir_error *error);

/* The observer that appends to the tables that the config asks for; `recording` is its context. */
weir_sim_observer weir_recording_observer(weir_recording *recording,
                                          const weir_record_config *config);

/* The error of an append, if there was one; flushes when it is time. Call it now and then. */
weir_status weir_recording_tick(weir_recording *recording, weir_error *error);

/* Ends the tables, computes *summary from what was recorded (its totals of the cluster must be
 * set), writes it with the instances and closes the file as PATH. Frees the recorder in any case.
 */
weir_status weir_recording_finish(weir_recording *recording, const weir_sim *sim,
                                  double cpu_seconds, weir_summary *summary, weir_error *error);

/* Keeps PATH.part, marked aborted with `reason`; without `keep` removes it. */
void weir_recording_abort(weir_recording *recording, const char *reason, bool keep);

#endif
