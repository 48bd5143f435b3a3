#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "run/recording.h"
#include "run/requests_csv.h"
#include "run/sim.h"
#include "weir_version.h"

/* Events between two looks at the clock, the recorder and the caller. */
enum { EVENTS_PER_LOOK = 4096 };

typedef struct run_state {
	weir_recording recording;   /* first: its observer's context is the run's as well */
	weir_sim_observer recorder; /* of the recording */
	const weir_run_options *options;
	weir_requests_csv *csv;
	weir_sim *sim;
} run_state;

weir_run_options weir_run_options_default(void)
{
	return (weir_run_options){.until = INFINITY, .command_line = ""};
}

static double process_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	run_state *state = context;
	state->recorder.request_ended(context, row);
	if (state->csv != NULL) {
		weir_requests_csv_add(state->csv, row);
	}
}

static void on_log(void *context, const char *line)
{
	const run_state *state = context;
	state->options->log(state->options->context, weir_sim_now(state->sim), line);
}

weir_run_progress weir_run_progress_of(const weir_sim *sim, double until)
{
	weir_serving_counters counters;
	weir_serving_counters_get(weir_sim_serving(sim), &counters);
	return (weir_run_progress){
	    .now = weir_sim_now(sim),
	    .arrived = counters.arrived,
	    .ended = counters.completed + counters.rejected + counters.failed,
	    .share_done = weir_sim_share_done(sim, until),
	};
}

static bool go_on(run_state *state)
{
	const weir_run_options *options = state->options;
	if (options->progress == NULL) {
		return true;
	}
	const weir_run_progress progress = weir_run_progress_of(state->sim, options->until);
	return options->progress(options->context, &progress);
}

static weir_status simulate(run_state *state, weir_error *error)
{
	bool more = true;
	while (more) {
		weir_status status = weir_driver_run(state->options->driver, state->sim,
		                                     state->options->until, EVENTS_PER_LOOK, &more, error);
		if (status == WEIR_OK) {
			status = weir_recording_tick(&state->recording, error);
		}
		if (status == WEIR_OK && state->csv != NULL) {
			status = weir_requests_csv_check(state->csv, error);
		}
		if (status != WEIR_OK) {
			return status;
		}
		if (!go_on(state)) {
			return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL, "interrupted at %.3f s",
			                      weir_sim_now(state->sim));
		}
	}
	weir_status status = weir_driver_end(state->options->driver, state->sim, error);
	if (status == WEIR_OK) {
		weir_sim_finish(state->sim);
	}
	return status;
}

/* The driver may add tables of its own. */
static weir_status begin(run_state *state, weir_error *error)
{
	weir_status status =
	    weir_driver_begin(state->options->driver, state->sim, state->recording.recorder, error);
	if (status != WEIR_OK) {
		weir_recording_abort(&state->recording, "", false);
		return status;
	}
	return weir_recording_start(&state->recording, error);
}

/* The simulation first: what is wrong with the input is found before there is any file. */
static weir_status open_all(run_state *state, const weir_config *config, weir_error *error)
{
	state->recorder = weir_recording_observer(&state->recording, &config->record);
	weir_sim_observer observer = state->recorder;
	observer.request_ended = on_request_ended;
	observer.log = state->options->log != NULL ? on_log : NULL;
	weir_status status =
	    weir_driver_create_sim(state->options->driver, config, &observer, &state->sim, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (state->options->requests_csv != NULL) {
		status = weir_requests_csv_open(state->options->requests_csv, &state->csv, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	const weir_provenance provenance = {.command_line = state->options->command_line,
	                                    .version = WEIR_VERSION};
	status = weir_recording_open(&state->recording, state->options->output, state->sim, &provenance,
	                             error);
	if (status == WEIR_OK) {
		status = begin(state, error);
	}
	return status;
}

static weir_status finish(run_state *state, double started, weir_run_result *result,
                          weir_error *error)
{
	if (state->csv != NULL) {
		weir_status status = weir_requests_csv_close(state->csv, error);
		state->csv = NULL;
		if (status != WEIR_OK) {
			weir_recording_abort(&state->recording, error->message, true);
			return status;
		}
	}
	result->stalled = weir_sim_is_stalled(state->sim);
	weir_serving_counters_get(weir_sim_serving(state->sim), &result->counters);
	weir_sim_totals(state->sim, &result->summary.totals);
	return weir_recording_finish(&state->recording, state->sim, process_seconds() - started,
	                             &result->summary, error);
}

weir_status weir_run(const weir_config *config, const weir_run_options *options,
                     weir_run_result *result, weir_error *error)
{
	double started = process_seconds();
	memset(result, 0, sizeof *result);
	run_state state = {.options = options};
	weir_status status = open_all(&state, config, error);
	if (status == WEIR_OK) {
		snprintf(result->output_part, sizeof result->output_part, "%s.part", options->output);
		status = simulate(&state, error);
		if (status != WEIR_OK) {
			weir_recording_abort(&state.recording, error->message, true);
		} else {
			status = finish(&state, started, result, error);
		}
	}
	weir_requests_csv_abandon(state.csv);
	weir_driver_leave(options->driver);
	weir_sim_destroy(state.sim);
	if (status == WEIR_OK) {
		result->output_part[0] = '\0';
		result->cpu_seconds = process_seconds() - started;
	}
	return status;
}
