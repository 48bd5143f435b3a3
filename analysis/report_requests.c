/* The panels that are made of requests: load, latency, KV traffic. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/report_parts.h"
#include "base/memory.h"
#include "metrics/quantile.h"

static const char table[] = "requests";

enum { NOTE_SIZE = 256 };

static weir_status out_of_memory(const weir_report_run *run)
{
	return weir_error_set(run->error, WEIR_ERROR_MEMORY, weir_reader_path(run->file->reader),
	                      "out of memory for the report");
}

static weir_status column(const weir_report_run *run, const char *name, double **values)
{
	return weir_run_file_column(run->file, table, name, values, run->error);
}

/* "... each of 240 bins of 15 s": how all panels of requests are binned. */
static void binned(const weir_report_run *run, char *note, const char *what)
{
	snprintf(note, NOTE_SIZE, "%s each of %zu bins of %.4g s", what, run->bins.count,
	         run->bins.width);
}

static cJSON *over_time(weir_report_run *run, weir_panel_text text)
{
	text.x_label = "time";
	text.x_unit = "s";
	return weir_report_panel(run, &text, run->middles, run->bins.count);
}

static void divide(double *values, size_t count, double by)
{
	for (size_t i = 0; i < count; i++) {
		values[i] /= by;
	}
}

/* ---- load ---- */

static weir_status arrivals_panel(weir_report_run *run)
{
	size_t rows = (size_t)run->file->request_rows;
	size_t bins = run->bins.count;
	char note[NOTE_SIZE];
	double *rates = weir_allocate(bins, sizeof *rates);
	uint32_t *bin = weir_allocate(rows + 1, sizeof *bin);
	double *e2e = NULL;
	weir_status status =
	    rates != NULL && bin != NULL ? column(run, "e2e", &e2e) : out_of_memory(run);
	if (status == WEIR_OK) {
		binned(run, note, "requests that arrived, and that completed, in");
		cJSON *panel = over_time(run, (weir_panel_text){.id = "arrivals",
		                                                .section = "Load",
		                                                .title = "Arrivals and completions",
		                                                .note = note,
		                                                .kind = "lines",
		                                                .y_label = "rate",
		                                                .y_unit = "requests/s"});
		weir_bin_counts(run->bin, NULL, rows, bins, rates);
		divide(rates, bins, run->bins.width);
		weir_report_series(run, panel, "arrived", "line", rates, bins);
		for (size_t i = 0; i < rows; i++) {
			bin[i] = weir_bin_at(&run->bins, run->arrival[i] + e2e[i]);
		}
		weir_bin_counts(bin, run->completed, rows, bins, rates);
		divide(rates, bins, run->bins.width);
		weir_report_series(run, panel, "completed", "line", rates, bins);
	}
	free(rates);
	free(bin);
	free(e2e);
	return status;
}

/* Percentile bands over time; of every request's bin of arrival. */
static weir_status bands(weir_report_run *run, cJSON *panel, const double *values)
{
	static const double probabilities[] = {0.1, 0.5, 0.9, 0.99};
	static const char *const labels[] = {"p10", "p50", "p90", "p99"};
	static const char *const roles[] = {"band_low", "line", "band_high", "line"};
	enum { COUNT = sizeof probabilities / sizeof probabilities[0] };
	size_t bins = run->bins.count;
	double *quantiles = weir_allocate(COUNT * bins, sizeof *quantiles);
	bool made =
	    quantiles != NULL && weir_bin_quantiles(run->bin, values, (size_t)run->file->request_rows,
	                                            bins, probabilities, COUNT, quantiles);
	for (size_t p = 0; made && p < COUNT; p++) {
		weir_report_series(run, panel, labels[p], roles[p], quantiles + p * bins, bins);
	}
	free(quantiles);
	return made ? WEIR_OK : out_of_memory(run);
}

static weir_status sizes_panel(weir_report_run *run, const char *name, const char *title)
{
	char note[NOTE_SIZE];
	binned(run, note, "percentiles of the requests that arrived in");
	cJSON *panel = over_time(run, (weir_panel_text){.id = name,
	                                                .section = "Load",
	                                                .title = title,
	                                                .note = note,
	                                                .kind = "bands",
	                                                .y_label = "size",
	                                                .y_unit = "tokens"});
	double *values = NULL;
	weir_status status = column(run, name, &values);
	if (status == WEIR_OK) {
		status = bands(run, panel, values);
	}
	free(values);
	return status;
}

weir_status weir_report_load_panels(weir_report_run *run)
{
	weir_status status = arrivals_panel(run);
	if (status == WEIR_OK) {
		status = sizes_panel(run, "prompt_tokens", "Prompt sizes over time");
	}
	if (status == WEIR_OK) {
		status = sizes_panel(run, "output_tokens", "Output sizes over time");
	}
	return status;
}

/* ---- latency ---- */

typedef struct latency_text {
	const char *column, *name, *title, *slowdown_id, *slowdown_title, *cdf_id, *cdf_title,
	    *slowdown_cdf_id, *slowdown_cdf_title;
} latency_text;

static const latency_text latencies[WEIR_REPORT_LATENCIES] = {
    [WEIR_REPORT_TTFT] = {"ttft", "TTFT", "Time to first token over time", "ttft_slowdown",
                          "TTFT slowdown over time", "ttft_cdf", "Time to first token",
                          "ttft_slowdown_cdf", "TTFT slowdown against the SLO"},
    [WEIR_REPORT_TBT] = {"tbt", "TBT", "Time between tokens over time", "tbt_slowdown",
                         "TBT slowdown over time", "tbt_cdf", "Time between tokens",
                         "tbt_slowdown_cdf", "TBT slowdown against the SLO"},
    [WEIR_REPORT_E2E] = {"e2e", "E2E", "End-to-end time over time", "e2e_slowdown",
                         "E2E slowdown over time", "e2e_cdf", "End-to-end time", "e2e_slowdown_cdf",
                         "E2E slowdown against the SLO"},
};

static double limit_of(const weir_slo_limits *limits, weir_report_latency latency)
{
	return latency == WEIR_REPORT_TTFT  ? limits->ttft
	       : latency == WEIR_REPORT_TBT ? limits->tbt
	                                    : limits->e2e;
}

/* The time at which the median completed request would break its own limit; NaN without SLO. */
static weir_status median_limit(weir_report_run *run, weir_report_latency latency,
                                const double *values, double *limit)
{
	size_t rows = (size_t)run->file->request_rows;
	*limit = (double)NAN;
	if (run->slowdowns[latency] == NULL) {
		return WEIR_OK;
	}
	double *unloaded = weir_allocate(rows + 1, sizeof *unloaded);
	if (unloaded == NULL) {
		return out_of_memory(run);
	}
	for (size_t i = 0; i < rows; i++) {
		unloaded[i] = values[i] / run->slowdowns[latency][i];
	}
	static const double half = 0.5;
	weir_quantiles(unloaded, weir_keep_finite(unloaded, rows), &half, 1, limit);
	*limit *= limit_of(&run->file->config->slo.per_request, latency);
	free(unloaded);
	return WEIR_OK;
}

/* Lines of the SLO's percentile limits, one for equal ones. */
static void slowdown_limits(weir_report_run *run, cJSON *panel, weir_report_latency latency)
{
	const weir_slo_config *slo = &run->file->config->slo;
	const struct {
		const char *name;
		double value;
	} limits[] = {{"each request", limit_of(&slo->per_request, latency)},
	              {"p50", limit_of(&slo->p50, latency)},
	              {"p90", limit_of(&slo->p90, latency)},
	              {"p99", limit_of(&slo->p99, latency)}};
	enum { COUNT = sizeof limits / sizeof limits[0] };
	for (size_t i = 0; i < COUNT; i++) {
		char label[WEIR_REPORT_LABEL_SIZE];
		size_t used = (size_t)snprintf(label, sizeof label, "SLO %s", limits[i].name);
		bool told = false;
		for (size_t j = 0; j < COUNT; j++) {
			if (j != i && limits[j].value == limits[i].value) {
				told = told || j < i;
				used += (size_t)snprintf(label + used, sizeof label - used, ", %s", limits[j].name);
			}
		}
		if (!told) {
			weir_report_limit(run, panel, label, limits[i].value, "x");
		}
	}
}

/* `values` are reordered. A distribution of nothing makes no panel. */
static cJSON *cdf_panel(weir_report_run *run, weir_panel_text text, double *values)
{
	double x[WEIR_CDF_POINTS];
	double share[WEIR_CDF_POINTS];
	char note[NOTE_SIZE];
	size_t count = weir_keep_finite(values, (size_t)run->file->request_rows);
	if (count == 0) {
		return NULL;
	}
	weir_cdf(values, count, x);
	for (size_t i = 0; i < WEIR_CDF_POINTS; i++) {
		share[i] = 100 * fmin(1, weir_cdf_probability(i));
		x[i] = weir_round_digits(x[i], WEIR_REPORT_DIGITS);
	}
	snprintf(note, sizeof note,
	         "%d quantiles of %zu completed requests: every 0.5 %%, every 0.1 %% from 99 %% on",
	         (int)WEIR_CDF_POINTS, count);
	text.section = "Latency";
	text.note = note;
	text.kind = "cdf";
	text.y_label = "requests";
	text.y_unit = "%";
	text.x_log = x[0] > 0;
	cJSON *panel = weir_report_panel(run, &text, x, WEIR_CDF_POINTS);
	weir_report_series(run, panel, text.x_label, "line", share, WEIR_CDF_POINTS);
	return panel;
}

/* Only completed requests count: the others' times are cut short. */
static void leave_completed(const weir_report_run *run, double *values)
{
	for (uint64_t i = 0; i < run->file->request_rows; i++) {
		values[i] = run->completed[i] ? values[i] : (double)NAN;
	}
}

static weir_status time_panel(weir_report_run *run, weir_report_latency latency, double *limit)
{
	const latency_text *text = &latencies[latency];
	char note[NOTE_SIZE];
	char label[WEIR_REPORT_LABEL_SIZE] = "";
	double *values = NULL;
	weir_status status = column(run, text->column, &values);
	if (status == WEIR_OK) {
		leave_completed(run, values);
		status = median_limit(run, latency, values, limit);
	}
	if (status == WEIR_OK) {
		binned(run, note, "percentiles of the completed requests that arrived in");
		cJSON *panel = over_time(run, (weir_panel_text){.id = text->column,
		                                                .section = "Latency",
		                                                .title = text->title,
		                                                .note = note,
		                                                .kind = "bands",
		                                                .y_label = text->name,
		                                                .y_unit = "s"});
		status = bands(run, panel, values);
		if (run->file->has_slo) {
			snprintf(label, sizeof label, "SLO of the median request (%gx)",
			         limit_of(&run->file->config->slo.per_request, latency));
			weir_report_limit(run, panel, label, *limit, "y");
		}
	}
	free(values);
	return status;
}

static weir_status time_cdf_panel(weir_report_run *run, weir_report_latency latency, double limit)
{
	const latency_text *text = &latencies[latency];
	char label[WEIR_REPORT_LABEL_SIZE];
	double *values = NULL;
	weir_status status = column(run, text->column, &values);
	if (status == WEIR_OK) {
		leave_completed(run, values);
		cJSON *panel = cdf_panel(
		    run,
		    (weir_panel_text){
		        .id = text->cdf_id, .title = text->cdf_title, .x_label = text->name, .x_unit = "s"},
		    values);
		if (panel != NULL && run->file->has_slo) {
			snprintf(label, sizeof label, "SLO of the median request (%gx)",
			         limit_of(&run->file->config->slo.per_request, latency));
			weir_report_limit(run, panel, label, limit, "x");
		}
	}
	free(values);
	return status;
}

static weir_status slowdown_panel(weir_report_run *run, weir_report_latency latency)
{
	const latency_text *text = &latencies[latency];
	char note[NOTE_SIZE];
	double limit = limit_of(&run->file->config->slo.per_request, latency);
	binned(run, note, "measured / unloaded; percentiles of the completed requests that arrived in");
	cJSON *panel = over_time(run, (weir_panel_text){.id = text->slowdown_id,
	                                                .section = "Latency",
	                                                .title = text->slowdown_title,
	                                                .note = note,
	                                                .kind = "bands",
	                                                .y_label = "slowdown",
	                                                .y_unit = "x"});
	weir_report_limit(run, panel, "SLO each request", limit, "y");
	return bands(run, panel, run->slowdowns[latency]);
}

/* Reorders the slowdowns: nothing may be made of them afterwards. */
static void slowdown_cdf_panel(weir_report_run *run, weir_report_latency latency)
{
	const latency_text *text = &latencies[latency];
	cJSON *panel = cdf_panel(run,
	                         (weir_panel_text){.id = text->slowdown_cdf_id,
	                                           .title = text->slowdown_cdf_title,
	                                           .x_label = "slowdown",
	                                           .x_unit = "x"},
	                         run->slowdowns[latency]);
	if (panel != NULL) {
		slowdown_limits(run, panel, latency);
	}
}

static weir_status outcome_panels(weir_report_run *run)
{
	static const char *const labels[WEIR_OUTCOMES] = {"kept the SLO", "late", "failed", "rejected",
	                                                  "unfinished"};
	size_t bins = run->bins.count;
	char note[NOTE_SIZE];
	double *counts = weir_allocate(WEIR_OUTCOMES * bins, sizeof *counts);
	if (counts == NULL) {
		return out_of_memory(run);
	}
	for (uint64_t i = 0; i < run->file->request_rows; i++) {
		if (run->bin[i] != WEIR_NO_BIN) {
			counts[run->outcome[i] * bins + run->bin[i]]++;
		}
	}
	binned(run, note, "what became of the requests that arrived in");
	cJSON *panel = over_time(run, (weir_panel_text){.id = "outcomes",
	                                                .section = "Latency",
	                                                .title = "What became of the requests",
	                                                .note = note,
	                                                .kind = "stack",
	                                                .y_label = "requests",
	                                                .y_unit = "requests"});
	for (size_t o = 0; o < WEIR_OUTCOMES; o++) {
		bool any = o == WEIR_OUTCOME_MET || o == WEIR_OUTCOME_LATE;
		for (size_t b = 0; b < bins; b++) {
			any = any || counts[o * bins + b] > 0;
		}
		if (any) {
			weir_report_series(run, panel, labels[o], "area", counts + o * bins, bins);
		}
	}
	binned(run, note, "requests that kept their own limits / those that arrived, in");
	panel = over_time(run, (weir_panel_text){.id = "attainment",
	                                         .section = "Latency",
	                                         .title = "SLO attainment over time",
	                                         .note = note,
	                                         .kind = "lines",
	                                         .y_label = "attainment",
	                                         .y_unit = "%"});
	for (size_t b = 0; b < bins; b++) {
		double met = counts[WEIR_OUTCOME_MET * bins + b];
		double judged = met + counts[WEIR_OUTCOME_LATE * bins + b] +
		                counts[WEIR_OUTCOME_FAILED * bins + b] +
		                counts[WEIR_OUTCOME_REJECTED * bins + b];
		counts[b] = judged > 0 ? 100 * met / judged : (double)NAN;
	}
	weir_report_series(run, panel, "attainment", "line", counts, bins);
	free(counts);
	return WEIR_OK;
}

weir_status weir_report_latency_panels(weir_report_run *run)
{
	double limits[WEIR_REPORT_LATENCIES];
	weir_status status = WEIR_OK;
	for (int m = 0; status == WEIR_OK && m < WEIR_REPORT_LATENCIES; m++) {
		status = time_panel(run, (weir_report_latency)m, &limits[m]);
	}
	if (status == WEIR_OK && run->file->has_slo) {
		status = outcome_panels(run);
	}
	for (int m = 0; status == WEIR_OK && run->file->has_slo && m < WEIR_REPORT_LATENCIES; m++) {
		status = slowdown_panel(run, (weir_report_latency)m);
	}
	for (int m = 0; status == WEIR_OK && m < WEIR_REPORT_LATENCIES; m++) {
		status = time_cdf_panel(run, (weir_report_latency)m, limits[m]);
	}
	for (int m = 0; status == WEIR_OK && run->file->has_slo && m < WEIR_REPORT_LATENCIES; m++) {
		slowdown_cdf_panel(run, (weir_report_latency)m);
	}
	return status;
}

/* ---- network ---- */

/* The bytes of KV cache that each request moved, 0 for one that stayed on its instance. */
static weir_status moved_bytes(weir_report_run *run, double **bytes)
{
	const weir_config *config = run->file->config;
	double *application = NULL;
	double *prompt = NULL;
	double *token = NULL;
	weir_status status = column(run, "prompt_tokens", bytes);
	if (status == WEIR_OK) {
		status = column(run, "application", &application);
	}
	if (status == WEIR_OK) {
		status = column(run, "prompt_instance", &prompt);
	}
	if (status == WEIR_OK) {
		status = column(run, "token_instance", &token);
	}
	for (uint64_t i = 0; status == WEIR_OK && i < run->file->request_rows; i++) {
		bool moved = prompt[i] >= 0 && token[i] >= 0 && prompt[i] != token[i] &&
		             application[i] >= 0 && application[i] < (double)config->application_count;
		const weir_config_application *of =
		    &config->applications[moved ? (size_t)application[i] : 0];
		(*bytes)[i] *= moved ? (double)weir_architecture_kv_bytes_per_token(
		                           of->model, of->instance.grouped_query_kv)
		                     : 0;
	}
	free(application);
	free(prompt);
	free(token);
	return status;
}

weir_status weir_report_network_panels(weir_report_run *run)
{
	static const double bytes_per_gb = 1024.0 * 1024.0 * 1024.0;
	if (run->file->config == NULL) {
		return WEIR_OK;
	}
	size_t rows = (size_t)run->file->request_rows;
	size_t bins = run->bins.count;
	char note[NOTE_SIZE];
	double *bytes = NULL;
	double *ttft = NULL;
	double *rates = weir_allocate(bins, sizeof *rates);
	uint32_t *bin = weir_allocate(rows + 1, sizeof *bin);
	weir_status status =
	    rates != NULL && bin != NULL ? moved_bytes(run, &bytes) : out_of_memory(run);
	if (status == WEIR_OK) {
		status = column(run, "ttft", &ttft);
	}
	if (status == WEIR_OK) {
		for (size_t i = 0; i < rows; i++) {
			bin[i] = weir_bin_at(&run->bins, run->arrival[i] + ttft[i]);
		}
		weir_bin_sums(bin, bytes, rows, bins, rates);
		divide(rates, bins, bytes_per_gb * run->bins.width);
		binned(run, note,
		       "KV cache of the prompts that went to another instance, by when the prompt "
		       "completed (the last time, of a request that began again), in");
		cJSON *panel = over_time(run, (weir_panel_text){.id = "kv_traffic",
		                                                .section = "Network",
		                                                .title = "KV-cache traffic",
		                                                .note = note,
		                                                .kind = "lines",
		                                                .y_label = "traffic",
		                                                .y_unit = "GB/s"});
		weir_report_series(run, panel, "KV cache", "line", rates, bins);
	}
	free(bytes);
	free(ttft);
	free(rates);
	free(bin);
	return status;
}
