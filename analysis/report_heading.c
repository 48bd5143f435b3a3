/* What is above the fold: the verdict, what was run, its single figures. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_parts.h"
#include "analysis/verdict.h"
#include "base/memory.h"
#include "base/text.h"
#include "metrics/summary.h"

enum { TABLE_DIGITS = 6, TEXT_SIZE = 1024 };

static weir_status out_of_memory(const weir_report_run *run)
{
	return weir_error_set(run->error, WEIR_ERROR_MEMORY, weir_reader_path(run->file->reader),
	                      "out of memory for the report");
}

/* ---- the summary ---- */

static weir_status read_summary(weir_report_run *run, weir_summary *summary)
{
	static const char table[] = "summary";
	static const struct {
		const char *name;
		size_t offset;
	} statistics[] = {
#define STATISTIC(field, description) {#field, offsetof(weir_summary_metric, field)},
	    WEIR_SUMMARY_STATISTICS(STATISTIC)
#undef STATISTIC
	};
	uint64_t rows = weir_run_file_rows(run->file, table);
	rows = rows < WEIR_SUMMARY_COUNT ? rows : WEIR_SUMMARY_COUNT;
	weir_status status = WEIR_OK;
	for (uint64_t i = 0; status == WEIR_OK && i < rows; i++) {
		weir_summary_metric *metric = &summary->metrics[i];
		status = weir_reader_read_names(run->file->reader, table, "metric", i, 1, metric->metric,
		                                run->error);
		if (status == WEIR_OK) {
			status = weir_reader_read_names(run->file->reader, table, "unit", i, 1, metric->unit,
			                                run->error);
		}
		if (status == WEIR_OK) {
			status = weir_reader_read_int64(run->file->reader, table, "count", i, 1, &metric->count,
			                                run->error);
		}
		for (size_t s = 0; status == WEIR_OK && s < sizeof statistics / sizeof statistics[0]; s++) {
			double value = 0;
			status = weir_reader_read(run->file->reader, table, statistics[s].name, i, 1, &value,
			                          run->error);
			memcpy((char *)metric + statistics[s].offset, &value, sizeof value);
		}
	}
	return status;
}

static weir_status read_request_column(void *context, const char *column, uint64_t first,
                                       uint64_t count, double *values, weir_error *error)
{
	return weir_reader_read(context, "requests", column, first, count, values, error);
}

static double sum_of_samples(const weir_report_run *run, const char *column)
{
	double *values = NULL;
	weir_error ignored;
	if (run->sample_rows == 0 ||
	    weir_run_file_column(run->file, "samples", column, &values, &ignored) != WEIR_OK) {
		return (double)NAN;
	}
	double sum = 0;
	for (uint64_t i = 0; i < run->sample_rows; i++) {
		sum += values[i];
	}
	free(values);
	return sum;
}

static void count_outcomes(const weir_report_run *run, weir_report_figures *h)
{
	for (uint64_t i = 0; i < run->file->request_rows; i++) {
		h->arrived++;
		h->completed += run->completed[i];
		h->failed += run->outcome[i] == WEIR_OUTCOME_FAILED;
		h->rejected += run->outcome[i] == WEIR_OUTCOME_REJECTED;
	}
	h->unfinished = h->arrived - h->completed - h->failed - h->rejected;
}

/* Of a file without /totals: a part of a run. */
static weir_status compute(weir_report_run *run, weir_report_figures *h)
{
	static const double joules_per_kwh = 3.6e6;
	count_outcomes(run, h);
	h->cost_usd = sum_of_samples(run, "cost_usd");
	h->energy_kwh = sum_of_samples(run, "energy") / joules_per_kwh;
	h->attainment = (double)NAN;
	h->slo_met = (double)NAN;
	h->output_tokens_per_s = (double)NAN;
	h->instance_hours = (double)NAN;
	h->scale_operations = (double)NAN;
	if (!run->file->has_slo || run->file->request_rows == 0) {
		return WEIR_OK;
	}
	const weir_request_columns columns = {
	    .context = run->file->reader, .rows = run->file->request_rows, .read = read_request_column};
	h->summary.totals.end_time = run->end;
	weir_status status =
	    weir_summary_compute(&columns, &run->file->slo.slo, &h->summary, run->error);
	h->attainment = h->summary.totals.attainment;
	h->slo_met = h->summary.totals.slo_met;
	h->output_tokens_per_s = h->summary.totals.output_tokens_per_s;
	return status;
}

weir_status weir_report_read_figures(weir_report_run *run, weir_report_figures *h)
{
	const weir_run_file *file = run->file;
	if (isnan(weir_run_file_total(file, "arrived"))) {
		return compute(run, h);
	}
	h->arrived = weir_run_file_total(file, "arrived");
	h->completed = weir_run_file_total(file, "completed");
	h->failed = weir_run_file_total(file, "failed");
	h->rejected = weir_run_file_total(file, "rejected");
	h->unfinished = weir_run_file_total(file, "unfinished");
	h->attainment = weir_run_file_total(file, "attainment");
	h->slo_met = weir_run_file_total(file, "slo_met");
	h->cost_usd = weir_run_file_total(file, "cost_usd");
	h->energy_kwh = weir_run_file_total(file, "energy_kwh");
	h->output_tokens_per_s = weir_run_file_total(file, "output_tokens_per_s");
	h->instance_hours = weir_run_file_total(file, "instance_hours");
	h->scale_operations = weir_run_file_total(file, "scale_operations");
	return read_summary(run, &h->summary);
}

static const weir_summary_metric *metric_of(const weir_report_figures *h, const char *name)
{
	for (size_t i = 0; i < WEIR_SUMMARY_COUNT; i++) {
		if (strcmp(h->summary.metrics[i].metric, name) == 0) {
			return &h->summary.metrics[i];
		}
	}
	return NULL;
}

/* ---- the verdict ---- */

enum { LIMITS = 9 };

/* The percentile SLO of the run against what was measured; the number of limits. */
static size_t percentile_limits(const weir_report_run *run, const weir_report_figures *h,
                                weir_verdict_limit *limits)
{
	static const char *const names[LIMITS] = {
	    "p50 TTFT slowdown", "p50 TBT slowdown", "p50 E2E slowdown",
	    "p90 TTFT slowdown", "p90 TBT slowdown", "p90 E2E slowdown",
	    "p99 TTFT slowdown", "p99 TBT slowdown", "p99 E2E slowdown"};
	static const char *const metrics[] = {"ttft_slowdown", "tbt_slowdown", "e2e_slowdown"};
	if (run->file->config == NULL) {
		return 0;
	}
	const weir_slo_config *slo = &run->file->config->slo;
	const weir_slo_limits *of[] = {&slo->p50, &slo->p90, &slo->p99};
	size_t count = 0;
	for (size_t i = 0; i < LIMITS; i++) {
		const weir_slo_limits *set = of[i / 3];
		const weir_summary_metric *metric = metric_of(h, metrics[i % 3]);
		if (metric != NULL) {
			limits[count++] = (weir_verdict_limit){.name = names[i],
			                                       .value = i / 3 == 0   ? metric->p50
			                                                : i / 3 == 1 ? metric->p90
			                                                             : metric->p99,
			                                       .limit = i % 3 == 0   ? set->ttft
			                                                : i % 3 == 1 ? set->tbt
			                                                             : set->e2e};
		}
	}
	return count;
}

static weir_status add_verdict(weir_report_run *run, const weir_report_figures *h,
                               const weir_verdict_limit *limits, size_t limit_count)
{
	weir_verdict_pool *pools = weir_allocate(run->pool_count + 1, sizeof *pools);
	if (pools == NULL) {
		return out_of_memory(run);
	}
	for (size_t p = 0; p < run->pool_count; p++) {
		const weir_report_pool *pool = &run->pools[p];
		pools[p] = (weir_verdict_pool){.name = pool->label,
		                               .waiting = pool->waiting,
		                               .load_kv = pool->load_kv,
		                               .load_batch = pool->load_batch};
	}
	const weir_verdict_input input = {
	    .arrived = h->arrived,
	    .completed = h->completed,
	    .rejected = h->rejected,
	    .failed = h->failed,
	    .attainment = h->attainment,
	    .slo_met = h->slo_met,
	    .cost_usd = h->cost_usd,
	    .duration = run->end,
	    .partial = run->file->partial != NULL,
	    .slo_problem = run->file->config_problem,
	    .limits = limits,
	    .limit_count = limit_count,
	    .late = run->late,
	    .bins = run->sample_bins.count,
	    .pools = pools,
	    .pool_count = run->pool_count,
	};
	weir_verdict verdict = weir_verdict_of(&input);
	free(pools);
	cJSON *json = cJSON_CreateObject();
	weir_report_add(run, json, "good",
	                verdict.good < 0 ? cJSON_CreateNull() : cJSON_CreateBool(verdict.good));
	weir_report_add_text(run, json, "text", verdict.text);
	weir_report_add(run, run->json, "verdict", json);
	return WEIR_OK;
}

/* ---- facts ---- */

static void fact(weir_report_run *run, cJSON *facts, const char *label, const char *value)
{
	if (value == NULL || value[0] == '\0') {
		return;
	}
	cJSON *json = cJSON_CreateObject();
	weir_report_add_text(run, json, "label", label);
	weir_report_add_text(run, json, "value", value);
	weir_report_add(run, facts, NULL, json);
}

static void append(char *text, const char *format, ...) WEIR_PRINTF(2, 3);

/* Appends to text[TEXT_SIZE]. */
static void append(char *text, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;
	va_start(args, format);
	vsnprintf(text + used, TEXT_SIZE - used, format, args);
	va_end(args);
}

/* "26 x dgx-a100 prompt, 9 x dgx-a100 token": servers that are alike, one after the other. */
static void describe_servers(const weir_config_application *application, char *text)
{
	size_t first = 0;
	while (first < application->server_count) {
		const weir_config_server *server = &application->servers[first];
		size_t end = first;
		while (end < application->server_count && application->servers[end].sku == server->sku &&
		       application->servers[end].tag == server->tag) {
			end++;
		}
		append(text, "%s%zu x %s %s", text[0] != '\0' ? ", " : "", end - first, server->sku->name,
		       weir_tag_names[server->tag]);
		first = end;
	}
}

static void application_facts(weir_report_run *run, cJSON *facts, const weir_config *config)
{
	for (size_t a = 0; a < config->application_count; a++) {
		const weir_config_application *application = &config->applications[a];
		char text[TEXT_SIZE] = "";
		if (config->application_count > 1) {
			fact(run, facts, "Application", application->name);
		}
		fact(run, facts, "Model", application->model->name);
		describe_servers(application, text);
		fact(run, facts, "Servers at the start", text);
		fact(run, facts, "Scheduler", weir_scheduler_names[application->scheduler.kind]);
		snprintf(text, sizeof text, "%s, %lld GPUs per instance",
		         weir_batching_names[application->instance.kind],
		         (long long)application->instance.tensor_parallel);
		fact(run, facts, "Batching", text);
	}
}

static void config_facts(weir_report_run *run, cJSON *facts)
{
	const weir_config *config = run->file->config;
	if (config == NULL) {
		fact(run, facts, "Config", run->file->config_problem);
		return;
	}
	application_facts(run, facts, config);
	char text[TEXT_SIZE] = "";
	const weir_policy_config *policies = config->policies.items;
	for (size_t i = 0; i < config->policies.count; i++) {
		append(text, "%s%s", i > 0 ? ", " : "", weir_policy_kind_names[policies[i].kind]);
		if (policies[i].pool[0] != '\0') {
			append(text, " (%s)", policies[i].pool);
		}
	}
	fact(run, facts, "Policies", text[0] != '\0' ? text : "none: the cluster stays as it is");
	const weir_slo_limits *slo = &config->slo.per_request;
	snprintf(text, sizeof text, "each request: TTFT %gx, TBT %gx, E2E %gx of unloaded", slo->ttft,
	         slo->tbt, slo->e2e);
	fact(run, facts, "SLO", text);
	if (run->file->config_problem[0] != '\0') {
		fact(run, facts, "Slowdowns", run->file->config_problem);
	}
}

static void provenance_fact(weir_report_run *run, cJSON *facts, const char *name, const char *label)
{
	char *text = NULL;
	weir_error ignored;
	if (weir_reader_text(run->file->reader, "/provenance", name, &text, &ignored) == WEIR_OK) {
		fact(run, facts, label, text);
		free(text);
	}
}

static void add_facts(weir_report_run *run, const weir_report_figures *h)
{
	cJSON *facts = cJSON_CreateArray();
	char text[TEXT_SIZE];
	int64_t seed = 0;
	weir_error ignored;
	config_facts(run, facts);
	provenance_fact(run, facts, "workload", "Workload");
	if (weir_reader_integer(run->file->reader, "/", "seed", &seed, &ignored) == WEIR_OK) {
		snprintf(text, sizeof text, "%lld", (long long)seed);
		fact(run, facts, "Seed", text);
	}
	fact(run, facts, "Duration", weir_format_duration(text, sizeof text, run->end));
	snprintf(text, sizeof text, "%.0f: %.0f completed, %.0f failed, %.0f rejected, %.0f unfinished",
	         h->arrived, h->completed, h->failed, h->rejected, h->unfinished);
	fact(run, facts, "Requests", text);
	provenance_fact(run, facts, "version", "Made with weir");
	provenance_fact(run, facts, "started", "Started");
	provenance_fact(run, facts, "command_line", "Command");
	weir_report_add(run, run->json, "facts", facts);
}

/* ---- figures ---- */

typedef struct figure {
	const char *label, *unit, *hint;
	double value;
	int digits;
} figure;

static void add_figures(weir_report_run *run, const weir_report_figures *h)
{
	const weir_summary_metric *ttft = metric_of(h, "ttft");
	const weir_summary_metric *tbt = metric_of(h, "tbt");
	const weir_summary_metric *e2e = metric_of(h, "e2e");
	const weir_run_file *file = run->file;
	const double output_tokens = h->output_tokens_per_s * run->end;
	const figure figures[] = {
	    {"Attainment", "%", "requests that kept their own limits / requests that arrived",
	     100 * h->attainment, 4},
	    {"TTFT p99", "s", "time to first token", ttft != NULL ? ttft->p99 : (double)NAN, 4},
	    {"TBT p99", "s", "mean time between the tokens of a request",
	     tbt != NULL ? tbt->p99 : (double)NAN, 4},
	    {"E2E p99", "s", "arrival to completion", e2e != NULL ? e2e->p99 : (double)NAN, 4},
	    {"Requests", "", "that arrived", h->arrived, WEIR_REPORT_TIME_DIGITS},
	    {"Completed", "1/s", "completed requests / duration", h->completed / run->end, 4},
	    {"Cost", "USD", "of all servers, each from its creation to its removal", h->cost_usd, 5},
	    {"Cost rate", "USD/h", "cost / duration", h->cost_usd / run->end * 3600, 4},
	    {"Cost of 1M output tokens", "USD", "cost / output tokens of completed requests",
	     h->cost_usd / output_tokens * 1e6, 4},
	    {"Instance-hours", "h", "paid for, over all instances and states", h->instance_hours, 4},
	    {"Energy", "kWh", "drawn by all instances", h->energy_kwh, 4},
	    {"Busy", "%", "busy time of all instances / instance-hours",
	     100 * weir_run_file_total(file, "busy_share"), 3},
	    {"Scale operations", "", "starts, cancelled boots, drains, drains taken back, flips",
	     h->scale_operations, WEIR_REPORT_TIME_DIGITS},
	};
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		if (isfinite(figures[i].value)) {
			cJSON *json = cJSON_CreateObject();
			weir_report_add_text(run, json, "label", figures[i].label);
			weir_report_add_number(run, json, "value", figures[i].value, figures[i].digits);
			weir_report_add_text(run, json, "unit", figures[i].unit);
			weir_report_add_number(run, json, "digits", figures[i].digits, 2);
			weir_report_add_text(run, json, "hint", figures[i].hint);
			weir_report_add(run, list, NULL, json);
		}
	}
	weir_report_add(run, run->json, "figures", list);
}

/* ---- tables ---- */

static void add_slo_table(weir_report_run *run, const weir_verdict_limit *limits, size_t count)
{
	static const char *const names[] = {"figure", "measured", "limit", "kept", NULL};
	static const char *const units[] = {NULL, "x", "x", NULL};
	if (count == 0) {
		return;
	}
	cJSON *rows = weir_report_table(run, "slo", "Percentile SLO of the run", names, units);
	for (size_t i = 0; i < count; i++) {
		cJSON *cells = cJSON_CreateArray();
		weir_report_add_text(run, cells, NULL, limits[i].name);
		weir_report_add_number(run, cells, NULL, limits[i].value, TABLE_DIGITS);
		weir_report_add_number(run, cells, NULL, limits[i].limit, TABLE_DIGITS);
		weir_report_add_text(run, cells, NULL,
		                     isnan(limits[i].value)               ? "no value"
		                     : limits[i].value <= limits[i].limit ? "yes"
		                                                          : "no");
		weir_report_add(run, rows, NULL, cells);
	}
}

static void add_summary_table(weir_report_run *run, const weir_report_figures *h)
{
	static const char *const names[] = {"metric", "unit", "count",
#define STATISTIC_NAME(field, description) #field,
	                                    WEIR_SUMMARY_STATISTICS(STATISTIC_NAME)
#undef STATISTIC_NAME
	                                        NULL};
	if (h->summary.metrics[0].metric[0] == '\0') {
		return;
	}
	cJSON *rows = weir_report_table(run, "summary", "Completed requests", names, NULL);
	for (size_t i = 0; i < WEIR_SUMMARY_COUNT; i++) {
		const weir_summary_metric *metric = &h->summary.metrics[i];
		if (metric->metric[0] == '\0') {
			continue;
		}
		cJSON *cells = cJSON_CreateArray();
		weir_report_add_text(run, cells, NULL, metric->metric);
		weir_report_add_text(run, cells, NULL, metric->unit);
		weir_report_add_number(run, cells, NULL, (double)metric->count, WEIR_REPORT_TIME_DIGITS);
#define STATISTIC_CELL(field, description)                                                         \
	weir_report_add_number(run, cells, NULL, metric->field, TABLE_DIGITS);
		WEIR_SUMMARY_STATISTICS(STATISTIC_CELL)
#undef STATISTIC_CELL
		weir_report_add(run, rows, NULL, cells);
	}
}

static weir_status add_totals_table(weir_report_run *run)
{
	static const char *const names[] = {"figure", "value", "unit", NULL};
	uint64_t count = weir_run_file_rows(run->file, "totals");
	char *labels = NULL;
	char *units = NULL;
	double *values = NULL;
	if (count == 0) {
		return WEIR_OK;
	}
	weir_status status = weir_run_file_names(run->file, "totals", "name", &labels, run->error);
	if (status == WEIR_OK) {
		status = weir_run_file_names(run->file, "totals", "unit", &units, run->error);
	}
	if (status == WEIR_OK) {
		status = weir_run_file_column(run->file, "totals", "value", &values, run->error);
	}
	if (status == WEIR_OK) {
		cJSON *rows = weir_report_table(run, "totals", "Figures of the run", names, NULL);
		for (uint64_t i = 0; i < count; i++) {
			cJSON *cells = cJSON_CreateArray();
			weir_report_add_text(run, cells, NULL, labels + i * WEIR_COLUMN_NAME_SIZE);
			weir_report_add_number(run, cells, NULL, values[i], WEIR_REPORT_TIME_DIGITS);
			weir_report_add_text(run, cells, NULL, units + i * WEIR_COLUMN_NAME_SIZE);
			weir_report_add(run, rows, NULL, cells);
		}
	}
	free(labels);
	free(units);
	free(values);
	return status;
}

weir_status weir_report_heading(weir_report_run *run)
{
	weir_verdict_limit limits[LIMITS];
	weir_report_figures *h = weir_allocate(1, sizeof *h);
	weir_status status = h != NULL ? weir_report_read_figures(run, h) : out_of_memory(run);
	if (status == WEIR_OK) {
		size_t limit_count = percentile_limits(run, h, limits);
		status = add_verdict(run, h, limits, limit_count);
		add_facts(run, h);
		add_figures(run, h);
		add_slo_table(run, limits, limit_count);
		add_summary_table(run, h);
	}
	free(h);
	return status == WEIR_OK ? add_totals_table(run) : status;
}
