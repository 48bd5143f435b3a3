/* What all panels need, read once: when requests came, what became of them, which pools there are.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_parts.h"
#include "base/memory.h"

static const char requests[] = "requests";
static const char samples[] = "samples";

static weir_status out_of_memory(const weir_report_run *run)
{
	return weir_error_set(run->error, WEIR_ERROR_MEMORY, weir_reader_path(run->file->reader),
	                      "out of memory for the report");
}

static weir_status column(const weir_report_run *run, const char *table, const char *name,
                          double **values)
{
	return weir_run_file_column(run->file, table, name, values, run->error);
}

/* ---- samples ---- */

static void label_pool(const weir_report_run *run, const weir_value_names *tags,
                       weir_report_pool *pool)
{
	const weir_config *config = run->file->config;
	const char *tag = weir_value_name(tags, pool->tag);
	bool named = config != NULL && pool->application < (double)config->application_count;
	if (config != NULL && config->application_count == 1) {
		snprintf(pool->label, sizeof pool->label, "%s", tag);
	} else if (named && config->applications[(size_t)pool->application].name[0] != '\0') {
		snprintf(pool->label, sizeof pool->label, "%.60s %s",
		         config->applications[(size_t)pool->application].name, tag);
	} else {
		snprintf(pool->label, sizeof pool->label, "application %.0f %s", pool->application, tag);
	}
}

/* The pool of one row; made when it is the first of it. NULL: out of memory. */
static weir_report_pool *pool_of(weir_report_run *run, size_t *capacity, double application,
                                 double tag)
{
	for (size_t p = 0; p < run->pool_count; p++) {
		if (run->pools[p].application == application && run->pools[p].tag == tag) {
			return &run->pools[p];
		}
	}
	if (!weir_reserve((void **)&run->pools, capacity, run->pool_count + 1, sizeof *run->pools)) {
		return NULL;
	}
	weir_report_pool *pool = &run->pools[run->pool_count++];
	*pool = (weir_report_pool){.application = application, .tag = tag};
	size_t rows = (size_t)run->sample_rows;
	size_t bins = run->sample_bins.count;
	pool->bin = weir_allocate(rows, sizeof *pool->bin);
	pool->waiting = weir_allocate(bins, sizeof *pool->waiting);
	pool->load_kv = weir_allocate(bins, sizeof *pool->load_kv);
	pool->load_batch = weir_allocate(bins, sizeof *pool->load_batch);
	if (pool->bin == NULL || pool->waiting == NULL || pool->load_kv == NULL ||
	    pool->load_batch == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < rows; i++) {
		pool->bin[i] = WEIR_NO_BIN;
	}
	return pool;
}

static weir_status find_pools(weir_report_run *run, const double *time, const double *application,
                              const double *tag)
{
	size_t capacity = 0;
	for (uint64_t i = 0; i < run->sample_rows; i++) {
		weir_report_pool *pool = pool_of(run, &capacity, application[i], tag[i]);
		if (pool == NULL) {
			return out_of_memory(run);
		}
		pool->bin[i] = weir_bin_ending(&run->sample_bins, time[i]);
	}
	return WEIR_OK;
}

static weir_status read_pools(weir_report_run *run, const double *time)
{
	double *application = NULL;
	double *tag = NULL;
	weir_value_names tags = {.texts = NULL};
	weir_status status = column(run, samples, "application", &application);
	if (status == WEIR_OK) {
		status = column(run, samples, "pool", &tag);
	}
	if (status == WEIR_OK) {
		status = weir_run_file_value_names(run->file, samples, "pool", &tags, run->error);
	}
	if (status == WEIR_OK) {
		status = find_pools(run, time, application, tag);
	}
	for (size_t p = 0; p < run->pool_count; p++) {
		label_pool(run, &tags, &run->pools[p]);
	}
	free(application);
	free(tag);
	free(tags.texts);
	return status;
}

/* Tasks that wait, per ACTIVE instance, in every row. */
static weir_status read_waiting(weir_report_run *run, double **waiting)
{
	double *tokens = NULL;
	double *active = NULL;
	weir_status status = column(run, samples, "queued_prompts", waiting);
	if (status == WEIR_OK) {
		status = column(run, samples, "queued_tokens", &tokens);
	}
	if (status == WEIR_OK) {
		status = column(run, samples, "active", &active);
	}
	for (uint64_t i = 0; status == WEIR_OK && i < run->sample_rows; i++) {
		(*waiting)[i] = ((*waiting)[i] + tokens[i]) / fmax(1, active[i]);
	}
	free(tokens);
	free(active);
	return status;
}

static weir_status read_pool_figures(weir_report_run *run, const double *interval)
{
	size_t rows = (size_t)run->sample_rows;
	size_t bins = run->sample_bins.count;
	double *waiting = NULL;
	double *kv = NULL;
	double *batch = NULL;
	weir_status status = read_waiting(run, &waiting);
	if (status == WEIR_OK) {
		status = column(run, samples, "load_kv", &kv);
	}
	if (status == WEIR_OK) {
		status = column(run, samples, "load_batch", &batch);
	}
	for (size_t p = 0; status == WEIR_OK && p < run->pool_count; p++) {
		weir_report_pool *pool = &run->pools[p];
		weir_bin_combine(WEIR_BIN_MEAN, pool->bin, interval, waiting, rows, bins, pool->waiting);
		weir_bin_combine(WEIR_BIN_MEAN, pool->bin, interval, kv, rows, bins, pool->load_kv);
		weir_bin_combine(WEIR_BIN_MEAN, pool->bin, interval, batch, rows, bins, pool->load_batch);
	}
	free(waiting);
	free(kv);
	free(batch);
	return status;
}

static double greatest(const double *values, uint64_t count)
{
	double most = 0;
	for (uint64_t i = 0; i < count; i++) {
		most = fmax(most, values[i]);
	}
	return most;
}

weir_status weir_report_prepare_samples(weir_report_run *run)
{
	run->sample_rows = weir_run_file_rows(run->file, samples);
	if (run->sample_rows == 0) {
		return WEIR_OK;
	}
	double *time = NULL;
	double *interval = NULL;
	weir_status status = column(run, samples, "time", &time);
	if (status == WEIR_OK) {
		status = column(run, samples, "interval", &interval);
	}
	if (status == WEIR_OK) {
		double longest = greatest(interval, run->sample_rows);
		run->sample_bins =
		    longest > 0
		        ? weir_bins_of_interval(longest, greatest(time, run->sample_rows), WEIR_REPORT_BINS)
		        : weir_bins_over(greatest(time, run->sample_rows), WEIR_REPORT_BINS);
		run->sample_ends = weir_allocate(run->sample_bins.count, sizeof *run->sample_ends);
		status = run->sample_ends != NULL ? read_pools(run, time) : out_of_memory(run);
	}
	if (status == WEIR_OK) {
		double last = greatest(time, run->sample_rows);
		for (size_t b = 0; b < run->sample_bins.count; b++) {
			run->sample_ends[b] = fmin((double)(b + 1) * run->sample_bins.width, last);
		}
		status = read_pool_figures(run, interval);
	}
	free(time);
	free(interval);
	return status;
}

/* ---- requests ---- */

static weir_status read_completed(weir_report_run *run)
{
	size_t rows = (size_t)run->file->request_rows;
	double *ended = NULL;
	weir_value_names names = {.texts = NULL};
	weir_status status = column(run, requests, "status", &ended);
	if (status == WEIR_OK) {
		status = weir_run_file_value_names(run->file, requests, "status", &names, run->error);
	}
	if (status == WEIR_OK) {
		run->completed = weir_allocate(rows + 1, sizeof *run->completed);
		run->outcome = weir_allocate(rows + 1, sizeof *run->outcome);
		status = run->completed != NULL && run->outcome != NULL ? WEIR_OK : out_of_memory(run);
	}
	const double completed = weir_value_of(&names, "completed");
	const double rejected = weir_value_of(&names, "rejected");
	const double failed = weir_value_of(&names, "failed");
	for (size_t i = 0; status == WEIR_OK && i < rows; i++) {
		run->completed[i] = ended[i] == completed;
		run->outcome[i] = ended[i] == rejected ? WEIR_OUTCOME_REJECTED
		                  : ended[i] == failed ? WEIR_OUTCOME_FAILED
		                                       : WEIR_OUTCOME_OPEN;
	}
	free(names.texts);
	free(ended);
	return status;
}

/* When the run ended: as recorded, else the last thing that is known to have happened. */
static weir_status find_end(weir_report_run *run)
{
	run->end = weir_run_file_total(run->file, "end_time");
	if (!isnan(run->end)) {
		return WEIR_OK;
	}
	double *e2e = NULL;
	weir_status status = column(run, requests, "e2e", &e2e);
	run->end = 0;
	for (uint64_t i = 0; status == WEIR_OK && i < run->file->request_rows; i++) {
		run->end = fmax(run->end, run->arrival[i]);
		run->end = fmax(run->end, run->arrival[i] + e2e[i]);
	}
	free(e2e);
	double *time = NULL;
	if (status == WEIR_OK && weir_run_file_rows(run->file, samples) > 0) {
		status = column(run, samples, "time", &time);
	}
	if (status == WEIR_OK && time != NULL) {
		run->end = fmax(run->end, greatest(time, weir_run_file_rows(run->file, samples)));
	}
	free(time);
	return status;
}

weir_status weir_report_prepare(weir_report_run *run)
{
	size_t rows = (size_t)run->file->request_rows;
	weir_status status = column(run, requests, "arrival", &run->arrival);
	if (status == WEIR_OK) {
		status = read_completed(run);
	}
	if (status == WEIR_OK) {
		status = find_end(run);
	}
	if (status != WEIR_OK) {
		return status;
	}
	run->bins = weir_bins_over(run->end, WEIR_REPORT_BINS);
	run->bin = weir_allocate(rows + 1, sizeof *run->bin);
	run->middles = weir_allocate(run->bins.count, sizeof *run->middles);
	if (run->bin == NULL || run->middles == NULL) {
		return out_of_memory(run);
	}
	for (size_t i = 0; i < rows; i++) {
		run->bin[i] = weir_bin_at(&run->bins, run->arrival[i]);
	}
	for (size_t b = 0; b < run->bins.count; b++) {
		run->middles[b] = ((double)b + 0.5) * run->bins.width;
	}
	return WEIR_OK;
}

/* ---- the SLO ---- */

enum { BLOCK_ROWS = 32768 };
enum { APPLICATION, PROMPT_TOKENS, OUTPUT_TOKENS, TTFT, E2E, SLO_COLUMNS };

static weir_status judge_block(weir_report_run *run, uint64_t first, uint64_t count, double *block)
{
	static const char *const names[SLO_COLUMNS] = {"application", "prompt_tokens", "output_tokens",
	                                               "ttft", "e2e"};
	const weir_slo *slo = &run->file->slo.slo;
	for (size_t c = 0; c < SLO_COLUMNS; c++) {
		weir_status status = weir_reader_read(run->file->reader, requests, names[c], first, count,
		                                      block + c * BLOCK_ROWS, run->error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	for (uint64_t i = 0; i < count; i++) {
		const double *row = block + i;
		uint64_t at = first + i;
		double application = row[(size_t)APPLICATION * BLOCK_ROWS];
		if (!(application >= 0 && application < (double)slo->reference_count)) {
			return weir_error_set(run->error, WEIR_ERROR_INPUT, weir_reader_path(run->file->reader),
			                      "request in row %llu: application %g, but the config has %zu",
			                      (unsigned long long)at, application, slo->reference_count);
		}
		const weir_slo_request request = {
		    .application = (uint32_t)application,
		    .prompt_tokens = (int64_t)row[(size_t)PROMPT_TOKENS * BLOCK_ROWS],
		    .output_tokens = (int64_t)row[(size_t)OUTPUT_TOKENS * BLOCK_ROWS],
		    .ttft = row[(size_t)TTFT * BLOCK_ROWS],
		    .e2e = row[(size_t)E2E * BLOCK_ROWS],
		};
		weir_slowdowns slowdowns = {.ttft = (double)NAN, .tbt = (double)NAN, .e2e = (double)NAN};
		if (run->completed[at]) {
			slowdowns = weir_slo_slowdowns(slo, &request);
			run->outcome[at] = weir_slo_met(slo, &slowdowns) ? WEIR_OUTCOME_MET : WEIR_OUTCOME_LATE;
		} else if (run->outcome[at] == WEIR_OUTCOME_OPEN &&
		           weir_slo_overdue(slo, &request, run->end - run->arrival[at])) {
			run->outcome[at] = WEIR_OUTCOME_LATE;
		}
		run->slowdowns[WEIR_REPORT_TTFT][at] = slowdowns.ttft;
		run->slowdowns[WEIR_REPORT_TBT][at] = slowdowns.tbt;
		run->slowdowns[WEIR_REPORT_E2E][at] = slowdowns.e2e;
	}
	return WEIR_OK;
}

/* Late, failed and rejected requests by the bins of the samples; where there are none, by those of
 * the requests. */
static weir_status count_late(weir_report_run *run)
{
	if (run->sample_rows == 0) {
		run->sample_bins = run->bins;
	}
	run->late = weir_allocate(run->sample_bins.count, sizeof *run->late);
	if (run->late == NULL) {
		return out_of_memory(run);
	}
	for (uint64_t i = 0; i < run->file->request_rows; i++) {
		uint32_t bin = weir_bin_at(&run->sample_bins, run->arrival[i]);
		uint8_t outcome = run->outcome[i];
		if (bin != WEIR_NO_BIN && outcome != WEIR_OUTCOME_MET && outcome != WEIR_OUTCOME_OPEN) {
			run->late[bin]++;
		}
	}
	return WEIR_OK;
}

weir_status weir_report_prepare_slo(weir_report_run *run)
{
	if (!run->file->has_slo) {
		return WEIR_OK;
	}
	uint64_t rows = run->file->request_rows;
	double *block = weir_allocate((size_t)SLO_COLUMNS * BLOCK_ROWS, sizeof *block);
	bool made = block != NULL;
	for (size_t m = 0; m < WEIR_REPORT_LATENCIES; m++) {
		run->slowdowns[m] = weir_allocate((size_t)rows + 1, sizeof *run->slowdowns[m]);
		made = made && run->slowdowns[m] != NULL;
	}
	weir_status status = made ? WEIR_OK : out_of_memory(run);
	for (uint64_t first = 0; status == WEIR_OK && first < rows; first += BLOCK_ROWS) {
		uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
		status = judge_block(run, first, count, block);
	}
	free(block);
	return status == WEIR_OK ? count_late(run) : status;
}

void weir_report_release(weir_report_run *run)
{
	free(run->middles);
	free(run->arrival);
	free(run->bin);
	free(run->completed);
	free(run->outcome);
	for (size_t m = 0; m < WEIR_REPORT_LATENCIES; m++) {
		free(run->slowdowns[m]);
	}
	free(run->late);
	free(run->sample_ends);
	for (size_t p = 0; p < run->pool_count; p++) {
		free(run->pools[p].bin);
		free(run->pools[p].waiting);
		free(run->pools[p].load_kv);
		free(run->pools[p].load_batch);
	}
	free(run->pools);
}
