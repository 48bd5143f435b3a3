#include "cli/run_report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/json.h"
#include "base/text.h"
#include "run/tables.h"

static double peak_rss_bytes(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss * 1024.0;
}

static double total_of(const weir_totals *totals, const weir_total_description *total)
{
	double value;
	memcpy(&value, (const char *)totals + total->offset, sizeof value);
	return value;
}

/* A figure for people; what is of no request or of no time at all has none. */
static const char *figure(char text[32], const char *format, double value)
{
	if (isnan(value)) {
		return "-";
	}
	snprintf(text, 32, format, value);
	return text;
}

static void print_metric(const weir_summary_metric *metric, double scale, const char *unit)
{
	const double figures[] = {metric->mean, metric->p50, metric->p90, metric->p99, metric->max};
	char text[32];
	printf("  %-18s %8s", metric->metric, unit);
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		printf(" %11s", figure(text, "%.4g", figures[i] * scale));
	}
	putchar('\n');
}

static void print_cluster(const weir_config *config)
{
	for (size_t a = 0; a < config->application_count; a++) {
		const weir_config_application *application = &config->applications[a];
		printf("%s on", application->model->name);
		for (size_t s = 0; s < application->server_count;) {
			const weir_config_server *first = &application->servers[s];
			size_t same = s;
			while (same < application->server_count &&
			       application->servers[same].sku == first->sku &&
			       application->servers[same].tag == first->tag) {
				same++;
			}
			printf(" %zu %s (%s)", same - s, first->sku->name, weir_tag_names[first->tag]);
			s = same;
		}
		printf(", %s, %s\n", weir_batching_names[application->instance.kind],
		       weir_scheduler_names[application->scheduler.kind]);
	}
}

static void print_workload(const weir_config *config)
{
	char *workload = weir_workload_describe(&config->workload);
	if (workload != NULL) {
		printf("%s\n", workload);
		free(workload);
	}
}

void cli_run_print_summary(const weir_config *config, const char *output,
                           const weir_run_result *result)
{
	const weir_totals *t = &result->summary.totals;
	const weir_summary_metric *m = result->summary.metrics;
	char text[32];
	char rate[32];
	char memory[32];
	print_cluster(config);
	if (config->workload.trace.stand_in != NULL) {
		print_workload(config);
	}
	printf("\n%.0f requests in %.1f s: %.0f completed, %.0f rejected, %.0f unfinished", t->arrived,
	       t->end_time, t->completed, t->rejected, t->unfinished);
	if (t->failed + t->retries + t->moves > 0) {
		printf(", %.0f failed (%.0f retries, %.0f moves)", t->failed, t->retries, t->moves);
	}
	putchar('\n');
	if (result->stalled) {
		printf(
		    "The run ended there: what is left waits for memory that nothing can free any more.\n"
		    "More instances, or less load, would avoid it.\n");
	}
	printf("\n  %-18s %8s %11s %11s %11s %11s %11s\n", "", "", "mean", "p50", "p90", "p99", "max");
	print_metric(&m[WEIR_SUMMARY_QUEUE_TIME], 1e3, "ms");
	print_metric(&m[WEIR_SUMMARY_TTFT], 1e3, "ms");
	print_metric(&m[WEIR_SUMMARY_TBT], 1e3, "ms");
	print_metric(&m[WEIR_SUMMARY_E2E], 1.0, "s");
	print_metric(&m[WEIR_SUMMARY_TTFT_SLOWDOWN], 1.0, "x");
	print_metric(&m[WEIR_SUMMARY_TBT_SLOWDOWN], 1.0, "x");
	print_metric(&m[WEIR_SUMMARY_E2E_SLOWDOWN], 1.0, "x");
	printf("\n  SLO attainment   %10s %%   (requests within %.3gx TTFT, %.3gx TBT, %.3gx E2E)\n",
	       figure(text, "%.3f", 100.0 * t->attainment), config->slo.per_request.ttft,
	       config->slo.per_request.tbt, config->slo.per_request.e2e);
	printf("  percentile SLO   %10s\n", t->slo_met > 0 ? "met" : "missed");
	printf("  throughput       %10s requests/s", figure(text, "%.3f", t->requests_per_s));
	printf(", %s prompt", figure(text, "%.0f", t->prompt_tokens_per_s));
	printf(" and %s output tokens/s\n", figure(text, "%.0f", t->output_tokens_per_s));
	printf("  busy             %10s %%   of %.1f instance-hours\n",
	       figure(text, "%.1f", 100.0 * t->busy_share), t->instance_hours);
	if (t->scale_operations + t->operations_refused > 0) {
		printf(
		    "  scaling          %10.0f operations, %.0f refused: %.0f instances at the start, %.0f "
		    "started, %.0f removed\n",
		    t->scale_operations, t->operations_refused, t->instances, t->instances_started,
		    t->instances_removed);
	}
	printf("  energy, cost     %10.2f kWh, %.2f USD\n", t->energy_kwh, t->cost_usd);
	printf("  simulated with   %10s requests per CPU second (%.2f s CPU, %s memory)\n\n",
	       weir_format_count(rate, sizeof rate, t->arrived / result->cpu_seconds),
	       result->cpu_seconds, weir_format_bytes(memory, sizeof memory, peak_rss_bytes()));
	printf("%s\n", output);
}

/* JSON has no NaN: null stands for it. */
static void add_number(cJSON *object, const char *name, double value)
{
	cJSON_AddItemToObject(object, name,
	                      isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

static void add_metric(cJSON *metrics, const weir_summary_metric *metric)
{
	cJSON *object = cJSON_AddObjectToObject(metrics, metric->metric);
	cJSON_AddStringToObject(object, "unit", metric->unit);
	add_number(object, "count", (double)metric->count);
#define ADD_STATISTIC(field, description) add_number(object, #field, metric->field);
	WEIR_SUMMARY_STATISTICS(ADD_STATISTIC)
#undef ADD_STATISTIC
}

void cli_run_print_json(const weir_config *config, const char *output,
                        const weir_run_result *result)
{
	cJSON *root = cJSON_CreateObject();
	cJSON_AddStringToObject(root, "output", output);
	add_number(root, "seed", (double)config->seed);
	char *workload = weir_workload_describe(&config->workload);
	if (workload != NULL) {
		cJSON_AddStringToObject(root, "workload", workload);
		free(workload);
	}
	cJSON_AddBoolToObject(root, "stalled", result->stalled);
	cJSON *totals = cJSON_AddObjectToObject(root, "totals");
	for (size_t i = 0; i < weir_total_count; i++) {
		add_number(totals, weir_total_descriptions[i].name,
		           total_of(&result->summary.totals, &weir_total_descriptions[i]));
	}
	cJSON *metrics = cJSON_AddObjectToObject(root, "metrics");
	for (int i = 0; i < WEIR_SUMMARY_COUNT; i++) {
		add_metric(metrics, &result->summary.metrics[i]);
	}
	cJSON *performance = cJSON_AddObjectToObject(root, "performance");
	add_number(performance, "cpu_seconds", result->cpu_seconds);
	add_number(performance, "requests", result->summary.totals.arrived);
	add_number(performance, "peak_rss_bytes", peak_rss_bytes());
	char *text = weir_json_print(root);
	if (text != NULL) {
		fputs(text, stdout);
		free(text);
	}
	cJSON_Delete(root);
}
