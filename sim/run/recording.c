#include "run/recording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/memory.h"
#include "record/reader.h"
#include "run/recorded_summary.h"
#include "run/rows.h"
#include "run/tables.h"
#include "serving/lifecycle.h"

/* Where the requests came from, which the config alone does not say of a trace that was missing. */
static weir_status write_workload(weir_recorder *recorder, const weir_config *config,
                                  weir_error *error)
{
	char *text = weir_workload_describe(&config->workload);
	if (text == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the workload");
	}
	weir_status status = weir_recorder_set_text(recorder, "/provenance", "workload", text, error);
	free(text);
	return status;
}

static weir_status write_provenance(weir_recording *recording, const weir_config *config,
                                    const weir_provenance *provenance, weir_error *error)
{
	weir_recorder *recorder = recording->recorder;
	char started[32] = "";
	time_t now = time(NULL);
	struct tm utc;
	if (gmtime_r(&now, &utc) != NULL) {
		strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &utc);
	}
	struct utsname host = {.nodename = ""};
	uname(&host);
	const struct {
		const char *name, *text;
	} texts[] = {
	    {"command_line", provenance->command_line},
	    {"version", provenance->version},
	    {"started", started},
	    {"host", host.nodename},
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		weir_status status =
		    weir_recorder_set_text(recorder, "/provenance", texts[i].name, texts[i].text, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	weir_status status = write_workload(recorder, config, error);
	if (status != WEIR_OK) {
		return status;
	}
	char *text = weir_config_print(config);
	if (text == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the config");
	}
	status = weir_recorder_set_document(
	    recorder, "/provenance/config", text,
	    "The whole config, JSON: 'weir run' repeats the run with it.", error);
	free(text);
	return status;
}

static weir_status define(weir_recording *recording, const weir_config *config,
                          const weir_provenance *provenance, weir_error *error)
{
	weir_recorder *recorder = recording->recorder;
	const struct {
		const weir_table_schema *schema;
		int *number;
	} tables[] = {
	    {&weir_requests_table, &recording->requests},
	    {&weir_samples_table, &recording->samples},
	    {&weir_instances_table, &recording->instances},
	    {&weir_servers_table, &recording->servers},
	    {&weir_scaling_events_table, &recording->scaling_events},
	    {&weir_iterations_table, &recording->iterations},
	    {&weir_transfers_table, &recording->transfers},
	};
	enum { OPTIONAL = 2 }; /* the last ones */
	size_t count = sizeof tables / sizeof tables[0] - (config->record.iterations ? 0 : OPTIONAL);
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < count && status == WEIR_OK; i++) {
		status = weir_recorder_add_table(recorder, tables[i].schema, tables[i].number, error);
	}
	if (status == WEIR_OK) {
		status = weir_recorder_set_integer(recorder, "/", "seed", (int64_t)config->seed, error);
	}
	if (status == WEIR_OK) {
		status = write_provenance(recording, config, provenance, error);
	}
	return status;
}

weir_status weir_recording_open(weir_recording *recording, const char *path, const weir_sim *sim,
                                const weir_provenance *provenance, weir_error *error)
{
	const weir_config *config = weir_sim_config(sim);
	*recording = (weir_recording){.sim = sim, .status = WEIR_OK};
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	options.deflate = (int)config->record.deflate;
	options.flush_interval = config->record.flush_interval;
	options.live = config->record.live;
	recording->live = config->record.live;
	options.block_rows = (size_t)config->record.block_rows;
	weir_status status = weir_recorder_create(&options, &recording->recorder, error);
	if (status != WEIR_OK) {
		return status;
	}
	status = define(recording, config, provenance, error);
	if (status != WEIR_OK) {
		weir_recording_abort(recording, "", false);
	}
	return status;
}

weir_status weir_recording_start(weir_recording *recording, weir_error *error)
{
	weir_status status = weir_recorder_start(recording->recorder, error);
	if (status != WEIR_OK) {
		weir_recording_abort(recording, "", false);
	}
	return status;
}

static void append(weir_recording *recording, int table, const void *row)
{
	if (recording->status == WEIR_OK) {
		recording->status =
		    weir_recorder_append(recording->recorder, table, row, &recording->error);
	}
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	weir_recording *recording = context;
	append(recording, recording->requests, row);
	if (!recording->live) {
		weir_kept_requests_add(&recording->kept, row);
	}
}

static void on_sampled(void *context, const weir_sample_row *row)
{
	weir_recording *recording = context;
	append(recording, recording->samples, row);
}

static void add_instance(weir_recording *recording, const weir_instance_view *view, double removed)
{
	weir_instance_row row;
	weir_instance_row_of(weir_sim_cluster(recording->sim), view, removed, &row);
	append(recording, recording->instances, &row);
}

static void on_instance_ended(void *context, const weir_instance_view *view)
{
	weir_recording *recording = context;
	add_instance(recording, view, weir_sim_now(recording->sim));
}

static void on_instance_left(void *context, const weir_instance_view *view)
{
	add_instance(context, view, NAN);
}

static void add_server(weir_recording *recording, const weir_server_view *view, double removed)
{
	weir_server_row row;
	weir_server_row_of(weir_sim_cluster(recording->sim), view, weir_sim_now(recording->sim),
	                   removed, &row);
	append(recording, recording->servers, &row);
}

static void on_server_ended(void *context, const weir_server_view *view)
{
	weir_recording *recording = context;
	add_server(recording, view, weir_sim_now(recording->sim));
}

static void on_server_left(void *context, const weir_server_view *view)
{
	add_server(context, view, NAN);
}

static void on_scaling_event(void *context, const weir_scaling_event_row *row)
{
	weir_recording *recording = context;
	append(recording, recording->scaling_events, row);
}

static void on_iterations_ended(void *context, const weir_iteration_row *row)
{
	weir_recording *recording = context;
	append(recording, recording->iterations, row);
}

static void on_transfer_ended(void *context, const weir_transfer_row *row)
{
	weir_recording *recording = context;
	append(recording, recording->transfers, row);
}

weir_sim_observer weir_recording_observer(weir_recording *recording,
                                          const weir_record_config *config)
{
	return (weir_sim_observer){
	    .context = recording,
	    .request_ended = on_request_ended,
	    .sampled = on_sampled,
	    .scaling_event = on_scaling_event,
	    .instance_ended = on_instance_ended,
	    .server_ended = on_server_ended,
	    .instance_left = on_instance_left,
	    .server_left = on_server_left,
	    .iterations_ended = config->iterations ? on_iterations_ended : NULL,
	    .transfer_ended = config->iterations ? on_transfer_ended : NULL,
	};
}

weir_status weir_recording_tick(weir_recording *recording, weir_error *error)
{
	if (recording->status == WEIR_OK) {
		recording->status = weir_kept_requests_check(&recording->kept, &recording->error);
	}
	if (recording->status == WEIR_OK) {
		return weir_recorder_tick(recording->recorder, error);
	}
	if (error != NULL) {
		*error = recording->error;
	}
	return recording->status;
}

static weir_status write_pools(weir_recorder *recorder, const weir_sim *sim, weir_error *error)
{
	size_t most = weir_sim_cluster(sim)->application_count * WEIR_TAG_COUNT;
	weir_pool_row *rows = weir_allocate(most, sizeof *rows);
	if (rows == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the pools");
	}
	size_t count = weir_pool_rows_of(sim, rows);
	weir_status status = weir_recorder_write_table(recorder, &weir_pools_table, rows, count, error);
	free(rows);
	return status;
}

static weir_status write_totals(weir_recorder *recorder, const weir_totals *totals,
                                weir_error *error)
{
	weir_total_row *rows = weir_allocate(weir_total_count, sizeof *rows);
	if (rows == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the totals");
	}
	for (size_t i = 0; i < weir_total_count; i++) {
		const weir_total_description *total = &weir_total_descriptions[i];
		snprintf(rows[i].name, sizeof rows[i].name, "%s", total->name);
		snprintf(rows[i].unit, sizeof rows[i].unit, "%s", total->unit);
		memcpy(&rows[i].value, (const char *)totals + total->offset, sizeof rows[i].value);
	}
	weir_status status =
	    weir_recorder_write_table(recorder, &weir_totals_table, rows, weir_total_count, error);
	free(rows);
	return status;
}

/* Everything is computed before the first of it is written: until then a kill loses nothing. */
static weir_status conclude(weir_recording *recording, const weir_sim *sim, double cpu_seconds,
                            weir_summary *summary, weir_error *error)
{
	weir_recorder *recorder = recording->recorder;
	weir_status status = recording->status;
	if (status != WEIR_OK) {
		*error = recording->error;
		return status;
	}
	status = weir_recorder_stop(recorder, error);
	if (status == WEIR_OK && recording->live) {
		status = weir_recorded_summary(weir_recorder_reader(recorder), weir_sim_slo(sim), summary,
		                               error);
	} else if (status == WEIR_OK) {
		status = weir_kept_requests_summarise(&recording->kept, sim, summary, error);
	}
	if (status == WEIR_OK) {
		status = write_pools(recorder, sim, error);
	}
	if (status == WEIR_OK) {
		status = weir_recorder_write_table(recorder, &weir_summary_table, summary->metrics,
		                                   WEIR_SUMMARY_COUNT, error);
	}
	if (status == WEIR_OK) {
		status = write_totals(recorder, &summary->totals, error);
	}
	if (status == WEIR_OK) {
		status =
		    weir_recorder_set_number(recorder, "/provenance", "cpu_seconds", cpu_seconds, error);
	}
	return status;
}

weir_status weir_recording_finish(weir_recording *recording, const weir_sim *sim,
                                  double cpu_seconds, weir_summary *summary, weir_error *error)
{
	weir_status status = conclude(recording, sim, cpu_seconds, summary, error);
	if (status != WEIR_OK) {
		weir_recording_abort(recording, error->message, true);
		return status;
	}
	status = weir_recorder_close(recording->recorder, error);
	recording->recorder = NULL;
	weir_kept_requests_release(&recording->kept);
	return status;
}

void weir_recording_abort(weir_recording *recording, const char *reason, bool keep)
{
	weir_recorder_abort(recording->recorder, reason, keep);
	recording->recorder = NULL;
	weir_kept_requests_release(&recording->kept);
}
