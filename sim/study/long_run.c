#include "study/long_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/mser.h"
#include "base/memory.h"
#include "config/config.h"
#include "run/kept_requests.h"
#include "run/sim.h"

enum { NAME_SIZE = 256, EVENTS_PER_LOOK = 65536, FEWEST_VALUES = 100 };

static const char *const figure_names[WEIR_LONG_COUNT] = {"TTFT", "E2E", "attainment"};

static void on_request_ended(void *context, const weir_request_row *row)
{
	weir_kept_requests_add(context, row);
}

static int by_arrival(const void *a, const void *b)
{
	const weir_request_row *x = a;
	const weir_request_row *y = b;
	if (x->arrival != y->arrival) {
		return x->arrival < y->arrival ? -1 : 1;
	}
	return x->request_id < y->request_id ? -1 : x->request_id > y->request_id;
}

static weir_slo_request slo_request_of(const weir_request_row *row)
{
	return (weir_slo_request){
	    .application = (uint32_t)row->application,
	    .prompt_tokens = row->prompt_tokens,
	    .output_tokens = row->output_tokens,
	    .ttft = row->ttft,
	    .e2e = row->e2e,
	};
}

/* 1 or 0, NaN for a request that is left out of the attainment. */
static double attained(const weir_slo *slo, const weir_request_row *row, double end)
{
	const weir_slo_request request = slo_request_of(row);
	if (row->status == WEIR_REQUEST_COMPLETED) {
		const weir_slowdowns slowdowns = weir_slo_slowdowns(slo, &request);
		return weir_slo_met(slo, &slowdowns) ? 1.0 : 0.0;
	}
	bool open = row->status == WEIR_REQUEST_UNFINISHED &&
	            !weir_slo_overdue(slo, &request, end - row->arrival);
	return open ? (double)NAN : 0.0;
}

/* A request's value of a figure; NaN: it has none. */
static double value_of(const weir_sim *sim, const weir_request_row *row, weir_long_figure figure)
{
	if (figure == WEIR_LONG_ATTAINMENT) {
		return attained(weir_sim_slo(sim), row, weir_sim_now(sim));
	}
	if (row->status != WEIR_REQUEST_COMPLETED) {
		return (double)NAN;
	}
	return figure == WEIR_LONG_TTFT ? row->ttft : row->e2e;
}

static weir_status look_at(const weir_sim *sim, const weir_kept_requests *kept,
                           weir_long_figure figure, double confidence, double *values,
                           weir_long_series *series, weir_error *error)
{
	for (size_t i = 0; i < kept->count; i++) {
		double value = value_of(sim, &kept->rows[i], figure);
		if (!isnan(value)) {
			values[series->count++] = value;
		}
	}
	if (series->count < FEWEST_VALUES) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "%zu requests have a %s, too few for a long run; %d are needed",
		                      series->count, figure_names[figure], FEWEST_VALUES);
	}
	weir_truncation truncation;
	weir_status status = weir_mser5(values, series->count, &truncation, error);
	if (status != WEIR_OK) {
		return status;
	}
	series->dropped = truncation.dropped;
	series->settled = truncation.settled;
	return weir_batch_means_of(values + series->dropped, series->count - series->dropped,
	                           WEIR_LONG_BATCHES, confidence, &series->means, error);
}

static weir_status look_at_all(const weir_sim *sim, weir_kept_requests *kept, double confidence,
                               weir_long_result *result, weir_error *error)
{
	double *values = weir_allocate(kept->count + 1, sizeof *values);
	if (values == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a long run");
	}
	if (kept->count > 0) {
		qsort(kept->rows, kept->count, sizeof *kept->rows, by_arrival);
	}
	weir_status status = WEIR_OK;
	for (int f = 0; status == WEIR_OK && f < WEIR_LONG_COUNT; f++) {
		status =
		    look_at(sim, kept, (weir_long_figure)f, confidence, values, &result->series[f], error);
	}
	free(values);
	return status;
}

static weir_status run_to_end(weir_sim *sim, const weir_replication *replication,
                              const weir_kept_requests *kept, weir_error *error)
{
	const weir_run_driver *driver = replication->driver;
	weir_status status = weir_driver_begin(driver, sim, NULL, error);
	for (bool more = true; status == WEIR_OK && more;) {
		status = weir_driver_run(driver, sim, replication->until, EVENTS_PER_LOOK, &more, error);
		if (status == WEIR_OK) {
			status = weir_kept_requests_check(kept, error);
		}
	}
	if (status == WEIR_OK) {
		status = weir_driver_end(driver, sim, error);
	}
	if (status == WEIR_OK) {
		weir_sim_finish(sim);
		status = weir_kept_requests_check(kept, error);
	}
	return status;
}

weir_status weir_long_run(const weir_replication *replication, double confidence,
                          weir_long_result *result, weir_error *error)
{
	*result = (weir_long_result){0};
	const weir_config *config = NULL;
	weir_status status =
	    weir_config_load_member(&replication->config, replication->number, &config, error);
	if (status != WEIR_OK) {
		return status;
	}
	result->seed = config->seed;
	weir_kept_requests kept = {0};
	const weir_sim_observer observer = {.context = &kept, .request_ended = on_request_ended};
	weir_sim *sim = NULL;
	status = weir_driver_create_sim(replication->driver, config, &observer, &sim, error);
	if (status == WEIR_OK) {
		status = run_to_end(sim, replication, &kept, error);
	}
	if (status == WEIR_OK) {
		result->stalled = weir_sim_is_stalled(sim);
		status = look_at_all(sim, &kept, confidence, result, error);
	}
	weir_driver_leave(replication->driver);
	weir_sim_destroy(sim);
	weir_kept_requests_release(&kept);
	weir_config_destroy(config);
	return status;
}

typedef struct long_jobs {
	const weir_replication *replications;
	double confidence;
} long_jobs;

static void describe(void *context, size_t job, char *name, size_t size)
{
	const weir_replication *replication = &((const long_jobs *)context)->replications[job];
	snprintf(name, size, "%s, %s, one long run", replication->scenario, replication->policy);
}

static weir_status run_job(void *context, size_t job, void *result, weir_error *error)
{
	const long_jobs *jobs = context;
	weir_error found = {0};
	weir_status status = weir_long_run(&jobs->replications[job], jobs->confidence, result, &found);
	if (status != WEIR_OK) {
		char name[NAME_SIZE];
		describe(context, job, name, sizeof name);
		weir_error_set(error, status, found.where, "%s: %s", name, found.message);
	}
	return status;
}

weir_status weir_long_runs(const weir_replication *replications, size_t count, double confidence,
                           const weir_pool_options *options, weir_long_result *results,
                           weir_error *errors, weir_error *error)
{
	long_jobs context = {.replications = replications, .confidence = confidence};
	const weir_pool_jobs jobs = {
	    .count = count,
	    .result_size = sizeof *results,
	    .context = &context,
	    .run = run_job,
	    .describe = describe,
	};
	return weir_pool_run(&jobs, options, results, errors, error);
}

char *weir_long_print(const weir_replication *replications, const weir_long_result *results,
                      size_t count, weir_table_format format)
{
	static const weir_table_column columns[] = {
	    {"scenario", "", WEIR_TABLE_TEXT, 0},
	    {"policy", "", WEIR_TABLE_TEXT, 0},
	    {"ttft", "s", WEIR_TABLE_ESTIMATE, 3},
	    {"ttft_warm_up", "requests", WEIR_TABLE_FIGURE, 0},
	    {"ttft_independence", "", WEIR_TABLE_FIGURE, 3},
	    {"e2e", "s", WEIR_TABLE_ESTIMATE, 3},
	    {"e2e_warm_up", "requests", WEIR_TABLE_FIGURE, 0},
	    {"e2e_independence", "", WEIR_TABLE_FIGURE, 3},
	    {"attainment", "", WEIR_TABLE_ESTIMATE, 5},
	    {"attainment_warm_up", "requests", WEIR_TABLE_FIGURE, 0},
	    {"attainment_independence", "", WEIR_TABLE_FIGURE, 3},
	    {"remark", "", WEIR_TABLE_TEXT, 0},
	};
	enum { COLUMNS = sizeof columns / sizeof columns[0] };
	weir_table_cell *cells = weir_allocate(count, COLUMNS * sizeof *cells);
	if (cells == NULL) {
		return NULL;
	}
	weir_table_cell *cell = cells;
	for (size_t i = 0; i < count; i++) {
		bool settled = true;
		*cell++ = (weir_table_cell){.text = replications[i].scenario};
		*cell++ = (weir_table_cell){.text = replications[i].policy};
		for (int f = 0; f < WEIR_LONG_COUNT; f++) {
			const weir_long_series *series = &results[i].series[f];
			*cell++ = (weir_table_cell){.value = series->means.interval.value,
			                            .half_width = series->means.interval.half_width};
			*cell++ = (weir_table_cell){.value = (double)series->dropped};
			*cell++ = (weir_table_cell){.value = series->means.independence_p};
			settled = settled && series->settled;
		}
		const char *remark = results[i].stalled ? "stalled" : settled ? "" : "not settled";
		*cell++ = (weir_table_cell){.text = remark};
	}
	const weir_table table = {
	    .title = "one long run each, without its warm-up",
	    .columns = columns,
	    .column_count = COLUMNS,
	    .cells = cells,
	    .row_count = count,
	};
	char *text = weir_table_print(&table, format);
	free(cells);
	return text;
}
