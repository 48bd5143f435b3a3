#include "analysis/compare.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_parts.h"
#include "base/memory.h"

/* ---- the requests of a run, in the order of their ids ---- */

enum { ID, APPLICATION, ARRIVAL, PROMPT, OUTPUT, IDENTITY_COLUMNS };

typedef struct compared_request {
	double identity[IDENTITY_COLUMNS];
	double times[WEIR_COMPARE_LATENCIES]; /* NaN unless it completed */
} compared_request;

typedef struct compared_requests {
	compared_request *items;
	size_t count;
} compared_requests;

static weir_status out_of_memory(const char *path, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory for the comparison");
}

static int by_id(const void *left, const void *right)
{
	double a = ((const compared_request *)left)->identity[ID];
	double b = ((const compared_request *)right)->identity[ID];
	return (a > b) - (a < b);
}

/* Puts one column of the table into every request, at `offset` doubles from its start. */
static weir_status read_column(const weir_report_run *run, const char *name, size_t offset,
                               compared_requests *requests)
{
	double *values = NULL;
	weir_status status = weir_run_file_column(run->file, "requests", name, &values, run->error);
	for (size_t i = 0; status == WEIR_OK && i < requests->count; i++) {
		compared_request *request = &requests->items[i];
		if (offset < IDENTITY_COLUMNS) {
			request->identity[offset] = values[i];
		} else {
			request->times[offset - IDENTITY_COLUMNS] = run->completed[i] ? values[i] : (double)NAN;
		}
	}
	free(values);
	return status;
}

static weir_status read_requests(const weir_report_run *run, compared_requests *requests)
{
	static const char *const columns[] = {
	    "request_id",    "application", "arrival", "prompt_tokens",
	    "output_tokens", "ttft",        "tbt",     "e2e"};
	const char *path = weir_reader_path(run->file->reader);
	requests->count = (size_t)run->file->request_rows;
	requests->items = weir_allocate(requests->count + 1, sizeof *requests->items);
	weir_status status = requests->items != NULL ? WEIR_OK : out_of_memory(path, run->error);
	for (size_t c = 0; status == WEIR_OK && c < sizeof columns / sizeof columns[0]; c++) {
		status = read_column(run, columns[c], c, requests);
	}
	if (status != WEIR_OK) {
		return status;
	}
	qsort(requests->items, requests->count, sizeof *requests->items, by_id);
	for (size_t i = 1; i < requests->count; i++) {
		if (by_id(&requests->items[i - 1], &requests->items[i]) == 0) {
			return weir_error_set(run->error, WEIR_ERROR_INPUT, path,
			                      "two requests have the id %.0f", requests->items[i].identity[ID]);
		}
	}
	return WEIR_OK;
}

/* ---- pairs ---- */

/* Requests of both runs with the same id. */
typedef struct request_pairs {
	const compared_request **first, **other;
	size_t count;
} request_pairs;

static void find_pairs(const compared_requests *first, const compared_requests *other,
                       request_pairs *pairs)
{
	size_t i = 0;
	size_t j = 0;
	while (i < first->count && j < other->count) {
		int order = by_id(&first->items[i], &other->items[j]);
		if (order == 0) {
			pairs->first[pairs->count] = &first->items[i];
			pairs->other[pairs->count++] = &other->items[j];
		}
		i += order <= 0;
		j += order >= 0;
	}
}

/* Finds whether the trace is the same, and says so. */
static void judge_trace(const request_pairs *pairs, size_t first_count, size_t other_count,
                        bool partial, weir_compare_pairing *pairing)
{
	static const char *const names[IDENTITY_COLUMNS] = {"id", "application", "arrival",
	                                                    "prompt_tokens", "output_tokens"};
	char *reason = pairing->reason;
	for (size_t i = 0; i < pairs->count; i++) {
		for (size_t c = 0; c < IDENTITY_COLUMNS; c++) {
			double a = pairs->first[i]->identity[c];
			double b = pairs->other[i]->identity[c];
			if (a != b) {
				snprintf(reason, WEIR_COMPARE_REASON_SIZE,
				         "not the same trace: the %s of request %.0f is %.15g, and %.15g in the "
				         "first run",
				         names[c], pairs->other[i]->identity[ID], b, a);
				return;
			}
		}
	}
	bool whole = pairs->count == first_count && pairs->count == other_count;
	if (pairs->count == 0) {
		snprintf(reason, WEIR_COMPARE_REASON_SIZE, "no request is in both runs");
	} else if (!whole && !partial) {
		snprintf(reason, WEIR_COMPARE_REASON_SIZE,
		         "not the same trace: %zu requests, %zu in the first run, %zu ids in both",
		         other_count, first_count, pairs->count);
	} else {
		pairing->same = true;
		snprintf(reason, WEIR_COMPARE_REASON_SIZE,
		         whole ? "the same trace: %zu requests"
		               : "the same trace as far as it was recorded: %zu requests are in both",
		         pairs->count);
	}
}

/* `values` has room for one per pair. */
static weir_status pair_latency(const request_pairs *pairs, size_t latency, double *values,
                                weir_compare_paired *paired, weir_error *error)
{
	size_t count = 0;
	size_t better = 0;
	size_t worse = 0;
	for (size_t i = 0; i < pairs->count; i++) {
		double difference = pairs->other[i]->times[latency] - pairs->first[i]->times[latency];
		if (isfinite(difference)) {
			values[count++] = difference;
			better += difference < 0;
			worse += difference > 0;
		}
	}
	if (count == 0) {
		return WEIR_OK;
	}
	paired->better = (double)better / (double)count;
	paired->worse = (double)worse / (double)count;
	return weir_mean_interval(values, count, WEIR_COMPARE_CONFIDENCE, &paired->difference, error);
}

static void clear_pairing(weir_compare_pairing *pairing)
{
	const double nan = (double)NAN;
	*pairing = (weir_compare_pairing){.same = false};
	for (size_t m = 0; m < WEIR_COMPARE_LATENCIES; m++) {
		pairing->latencies[m] = (weir_compare_paired){
		    .difference = {.value = nan, .low = nan, .high = nan, .half_width = nan},
		    .better = nan,
		    .worse = nan,
		};
	}
}

static weir_status pair_runs(const compared_requests *first, const compared_requests *other,
                             bool partial, weir_compared_run *run, weir_error *error)
{
	size_t most = first->count < other->count ? first->count : other->count;
	request_pairs pairs = {
	    .first = weir_allocate(most + 1, sizeof *pairs.first),
	    .other = weir_allocate(most + 1, sizeof *pairs.other),
	};
	double *values = weir_allocate(most + 1, sizeof *values);
	weir_status status = pairs.first != NULL && pairs.other != NULL && values != NULL
	                         ? WEIR_OK
	                         : out_of_memory(run->path, error);
	if (status == WEIR_OK) {
		find_pairs(first, other, &pairs);
		judge_trace(&pairs, first->count, other->count, partial, &run->pairing);
	}
	for (size_t m = 0; status == WEIR_OK && run->pairing.same && m < WEIR_COMPARE_LATENCIES; m++) {
		status = pair_latency(&pairs, m, values, &run->pairing.latencies[m], error);
	}
	free(pairs.first);
	free(pairs.other);
	free(values);
	return status;
}

/* ---- figures ---- */

static weir_compare_percentiles percentiles_of(const weir_summary *summary, const char *name)
{
	const double nan = (double)NAN;
	for (size_t i = 0; i < WEIR_SUMMARY_COUNT; i++) {
		const weir_summary_metric *metric = &summary->metrics[i];
		if (strcmp(metric->metric, name) == 0) {
			return (weir_compare_percentiles){metric->p50, metric->p90, metric->p99};
		}
	}
	return (weir_compare_percentiles){nan, nan, nan};
}

static void take_figures(const weir_report_run *from, const weir_report_figures *figures,
                         weir_compared_run *run)
{
	static const char *const names[WEIR_COMPARE_METRICS] = {
	    "ttft", "tbt", "e2e", "ttft_slowdown", "tbt_slowdown", "e2e_slowdown"};
	run->cost_usd = figures->cost_usd;
	run->instance_hours = figures->instance_hours;
	run->energy_kwh = figures->energy_kwh;
	run->scale_operations = figures->scale_operations;
	run->attainment = figures->attainment;
	run->slo_met = figures->slo_met;
	run->requests_per_s = from->end > 0 ? figures->completed / from->end : (double)NAN;
	run->output_tokens_per_s = figures->output_tokens_per_s;
	run->arrived = figures->arrived;
	run->completed = figures->completed;
	run->rejected = figures->rejected;
	run->failed = figures->failed;
	run->unfinished = figures->unfinished;
	for (size_t m = 0; m < WEIR_COMPARE_METRICS; m++) {
		run->metrics[m] = percentiles_of(&figures->summary, names[m]);
	}
	run->judged = run->partial == NULL && isfinite(run->cost_usd) && isfinite(run->attainment);
}

static weir_status read_open_file(const weir_run_file *file, weir_compared_run *run,
                                  compared_requests *requests, weir_error *error)
{
	weir_report_run from = {.file = file, .error = error};
	weir_report_figures *figures = weir_allocate(1, sizeof *figures);
	run->name = strdup(file->name);
	run->path = strdup(weir_reader_path(file->reader));
	run->partial = file->partial != NULL ? strdup(file->partial) : NULL;
	bool made = figures != NULL && run->name != NULL && run->path != NULL &&
	            (run->partial != NULL || file->partial == NULL);
	weir_status status =
	    made ? weir_report_prepare(&from) : out_of_memory(weir_reader_path(file->reader), error);
	if (status == WEIR_OK) {
		status = weir_report_prepare_samples(&from);
	}
	if (status == WEIR_OK) {
		status = weir_report_prepare_slo(&from);
	}
	if (status == WEIR_OK) {
		status = weir_report_read_figures(&from, figures);
	}
	if (status == WEIR_OK) {
		take_figures(&from, figures, run);
		status = read_requests(&from, requests);
	}
	weir_report_release(&from);
	free(figures);
	return status;
}

static weir_status read_run(const char *path, weir_compared_run *run, compared_requests *requests,
                            weir_error *error)
{
	weir_run_file file;
	clear_pairing(&run->pairing);
	weir_status status = weir_run_file_open(path, &file, error);
	if (status == WEIR_OK) {
		status = read_open_file(&file, run, requests, error);
		weir_run_file_close(&file);
	}
	return status;
}

/* ---- the comparison ---- */

void weir_compare_front(weir_compared_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		runs[i].on_front = runs[i].judged;
		for (size_t j = 0; j < count && runs[i].on_front; j++) {
			const weir_compared_run *a = &runs[i];
			const weir_compared_run *b = &runs[j];
			bool as_good =
			    b->judged && b->cost_usd <= a->cost_usd && b->attainment >= a->attainment;
			bool better = b->cost_usd < a->cost_usd || b->attainment > a->attainment;
			runs[i].on_front = !(as_good && better);
		}
	}
}

/* Runs of the same name are told apart by their paths. */
static weir_status name_apart(weir_comparison *comparison, weir_error *error)
{
	for (size_t i = 0; i < comparison->count; i++) {
		weir_compared_run *run = &comparison->runs[i];
		bool alone = true;
		for (size_t j = 0; j < comparison->count; j++) {
			const char *other = comparison->runs[j].path;
			const char *slash = strrchr(other, '/');
			const char *base = slash != NULL ? slash + 1 : other;
			const char *own = strrchr(run->path, '/');
			alone = alone && (i == j || strcmp(base, own != NULL ? own + 1 : run->path) != 0);
		}
		char *name = alone ? run->name : strdup(run->path);
		if (name == NULL) {
			return out_of_memory(run->path, error);
		}
		if (!alone) {
			free(run->name);
			run->name = name;
		}
	}
	return WEIR_OK;
}

weir_status weir_compare(const char *const *paths, size_t count, weir_comparison *comparison,
                         weir_error *error)
{
	assert(count > 0);
	*comparison = (weir_comparison){.runs = weir_allocate(count, sizeof *comparison->runs)};
	if (comparison->runs == NULL) {
		return out_of_memory(paths[0], error);
	}
	compared_requests first = {.items = NULL};
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		compared_requests requests = {.items = NULL};
		weir_compared_run *run = &comparison->runs[i];
		comparison->count++;
		status = read_run(paths[i], run, &requests, error);
		if (status == WEIR_OK && i > 0) {
			bool partial = run->partial != NULL || comparison->runs[0].partial != NULL;
			status = pair_runs(&first, &requests, partial, run, error);
		}
		if (i == 0) {
			first = requests;
		} else {
			free(requests.items);
		}
	}
	free(first.items);
	if (status == WEIR_OK) {
		status = name_apart(comparison, error);
	}
	if (status != WEIR_OK) {
		weir_comparison_release(comparison);
		return status;
	}
	weir_compare_front(comparison->runs, count);
	return WEIR_OK;
}

void weir_comparison_release(weir_comparison *comparison)
{
	for (size_t i = 0; i < comparison->count; i++) {
		free(comparison->runs[i].name);
		free(comparison->runs[i].path);
		free(comparison->runs[i].partial);
	}
	free(comparison->runs);
	*comparison = (weir_comparison){.runs = NULL};
}
