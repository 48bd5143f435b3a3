/* What a worker does with a task, whatever its engine. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <xxhash.h>

#include "base/memory.h"
#include "config/config.h"
#include "record/file_sha256.h"
#include "run/run.h"
#include "run/simulate.h"
#include "study/sweep_engine.h"

/* Rows of a chunk: most runs of a sweep are short, and a table has at least one chunk per column.
 */
enum { BLOCK_ROWS = 256 };

typedef struct figure {
	const char *name, *unit, *description;
} figure;

static const figure total_figures[] = {
#define TOTAL_FIGURE(field, unit, description) {#field, unit, description},
    WEIR_TOTALS(TOTAL_FIGURE)
#undef TOTAL_FIGURE
};

static const figure statistic_figures[] = {{"count", "1", "Values that are not NaN."},
#define STATISTIC_FIGURE(field, description) {#field, NULL, description},
                                           WEIR_SUMMARY_STATISTICS(STATISTIC_FIGURE)
#undef STATISTIC_FIGURE
};

static const figure stalled_figure = {"stalled", "1",
                                      "1 when the run ended because nothing could go on."};

static const figure *const metric_figures = (const figure[]){
    [WEIR_SUMMARY_QUEUE_TIME] = {"queue_time", "s", NULL},
    [WEIR_SUMMARY_TTFT] = {"ttft", "s", NULL},
    [WEIR_SUMMARY_SECOND_TOKEN_GAP] = {"second_token_gap", "s", NULL},
    [WEIR_SUMMARY_TBT] = {"tbt", "s", NULL},
    [WEIR_SUMMARY_E2E] = {"e2e", "s", NULL},
    [WEIR_SUMMARY_PROMPT_TOKENS] = {"prompt_tokens", "tokens", NULL},
    [WEIR_SUMMARY_OUTPUT_TOKENS] = {"output_tokens", "tokens", NULL},
    [WEIR_SUMMARY_TTFT_SLOWDOWN] = {"ttft_slowdown", "1", NULL},
    [WEIR_SUMMARY_TBT_SLOWDOWN] = {"tbt_slowdown", "1", NULL},
    [WEIR_SUMMARY_E2E_SLOWDOWN] = {"e2e_slowdown", "1", NULL},
};

/* The statistic of a figure that is one, and its metric; else NULL. */
static const figure *statistic_of(size_t number, const figure **metric)
{
	if (number < WEIR_SWEEP_TOTALS || number == WEIR_SWEEP_FIGURES - 1) {
		return NULL;
	}
	*metric = &metric_figures[(number - WEIR_SWEEP_TOTALS) / WEIR_SWEEP_STATISTICS];
	return &statistic_figures[(number - WEIR_SWEEP_TOTALS) % WEIR_SWEEP_STATISTICS];
}

static const figure *single_figure(size_t number)
{
	return number < WEIR_SWEEP_TOTALS ? &total_figures[number] : &stalled_figure;
}

const char *weir_sweep_figure_name(size_t number, char *buffer)
{
	const figure *metric = NULL;
	const figure *statistic = statistic_of(number, &metric);
	size_t size = 2 * (size_t)WEIR_SUMMARY_NAME_SIZE;
	if (statistic != NULL) {
		snprintf(buffer, size, "%s_%s", metric->name, statistic->name);
	} else {
		snprintf(buffer, size, "%s", single_figure(number)->name);
	}
	return buffer;
}

const char *weir_sweep_figure_unit(size_t number)
{
	const figure *metric = NULL;
	const figure *statistic = statistic_of(number, &metric);
	if (statistic == NULL) {
		return single_figure(number)->unit;
	}
	return statistic->unit != NULL ? statistic->unit : metric->unit;
}

const char *weir_sweep_figure_description(size_t number)
{
	const figure *metric = NULL;
	const figure *statistic = statistic_of(number, &metric);
	return statistic != NULL ? statistic->description : single_figure(number)->description;
}

static const char *const outcome_texts[] = {
#define OUTCOME_TEXT(name, text) text,
    WEIR_SWEEP_OUTCOMES(OUTCOME_TEXT)
#undef OUTCOME_TEXT
};

const char *weir_sweep_outcome_text(weir_sweep_outcome outcome)
{
	return outcome_texts[outcome];
}

static void take_figures(const weir_summary *summary, bool stalled, weir_sweep_report *report)
{
	size_t next = 0;
#define TAKE_TOTAL(field, unit, description) report->figures[next++] = summary->totals.field;
	WEIR_TOTALS(TAKE_TOTAL)
#undef TAKE_TOTAL
	for (size_t i = 0; i < WEIR_SUMMARY_COUNT; i++) {
		const weir_summary_metric *metric = &summary->metrics[i];
		report->figures[next++] = (double)metric->count;
#define TAKE_STATISTIC(field, description) report->figures[next++] = metric->field;
		WEIR_SUMMARY_STATISTICS(TAKE_STATISTIC)
#undef TAKE_STATISTIC
	}
	report->figures[next] = stalled ? 1.0 : 0.0;
	/* Every NaN counts as the same, and so does every zero. */
	double canonical[WEIR_SWEEP_FIGURES];
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		double value = report->figures[i];
		canonical[i] = isnan(value) ? (double)NAN : value + 0.0;
	}
	XXH128_hash_t hash = XXH3_128bits(canonical, sizeof canonical);
	snprintf(report->digest, sizeof report->digest, "%016" PRIx64 "%016" PRIx64,
	         (uint64_t)hash.high64, (uint64_t)hash.low64);
}

static weir_status simulate(const weir_sweep_setup *setup, double until, weir_sweep_report *report,
                            weir_error *error)
{
	weir_simulate_options options = weir_simulate_options_default();
	options.until = until;
	options.driver = setup->driver;
	weir_simulate_result *result = weir_allocate(1, sizeof *result);
	if (result == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the result");
	}
	weir_status status = weir_simulate(setup->config, &options, result, error);
	if (status == WEIR_OK) {
		take_figures(&result->summary, result->stalled, report);
	}
	free(result);
	return status;
}

/* *written: an error is of the result's file. */
static weir_status record(const weir_sweep_setup *setup, double until, const char *output,
                          weir_sweep_report *report, bool *written, weir_error *error)
{
	weir_run_options options = weir_run_options_default();
	options.until = until;
	options.driver = setup->driver;
	options.output = output;
	weir_run_result *result = weir_allocate(1, sizeof *result);
	if (result == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the result");
	}
	weir_status status = weir_run(setup->config, &options, result, error);
	if (status == WEIR_OK) {
		take_figures(&result->summary, result->stalled, report);
		status = weir_file_sha256(output, report->sha256, error);
	}
	/* PATH or PATH.part */
	*written = status == WEIR_ERROR_IO && strncmp(error->where, output, strlen(output)) == 0;
	if (status != WEIR_OK && result->output_part[0] != '\0') {
		remove(result->output_part);
	}
	free(result);
	return status;
}

static weir_sweep_outcome outcome_of(weir_status status, bool written)
{
	switch (status) {
	case WEIR_OK:
		return WEIR_SWEEP_DONE;
	case WEIR_ERROR_INPUT:
		return WEIR_SWEEP_BAD_CONFIG;
	case WEIR_ERROR_IO:
		return written ? WEIR_SWEEP_NO_OUTPUT : WEIR_SWEEP_BAD_CONFIG;
	case WEIR_ERROR_MEMORY:
		return WEIR_SWEEP_OUT_OF_MEMORY;
	default:
		return WEIR_SWEEP_CRASH;
	}
}

static double cpu_seconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

void weir_sweep_task_run(const weir_sweep_plan *plan, const weir_sweep_task *task,
                         weir_sweep_report *report)
{
	*report = (weir_sweep_report){.run = task->run};
	const weir_sweep_file *file = plan->file;
	const weir_sweep_point *point = &plan->points->items[task->run / (uint64_t)file->replications];
	struct rusage before = {0};
	getrusage(RUSAGE_SELF, &before);
	bool written = false;
	weir_error *error = &report->error;
	weir_sweep_setup setup;
	weir_status status = weir_sweep_setup_load(file, point, task->seed, NULL, &setup, error);
	if (status == WEIR_OK) {
		status = task->output[0] == '\0'
		             ? simulate(&setup, file->until, report, error)
		             : record(&setup, file->until, task->output, report, &written, error);
	}
	weir_sweep_setup_release(file, &setup);
	report->outcome = outcome_of(status, written);
	struct rusage after = {0};
	getrusage(RUSAGE_SELF, &after);
	report->cpu_seconds = cpu_seconds(&after) - cpu_seconds(&before);
	report->peak_memory = 1024.0 * (double)after.ru_maxrss;
}
