#include "metrics/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/quantile.h"
#include "serving/request_row.h"

/* Blocks are large, as a read has a fixed cost of its own. */
enum { BLOCK_ROWS = 32768, STATUS_COUNT = WEIR_REQUEST_UNFINISHED + 1 };

/* Unloaded times of prompts up to this size are remembered. */
enum { REMEMBERED_TOKENS = 16384 };

typedef struct summariser {
	const weir_request_columns *columns;
	const weir_slo *slo;
	weir_summary *summary;
	double *values;           /* one column */
	uint8_t *statuses;        /* of every request */
	double *block;            /* BLOCK_ROWS of each column that slowdowns are made of */
	weir_slowdowns *unloaded; /* by application and prompt tokens; a TTFT of 0: not known yet */
} summariser;

static const struct {
	const char *name, *unit;
	const char *column; /* NULL: computed */
} metric_names[WEIR_SUMMARY_COUNT] = {
    [WEIR_SUMMARY_QUEUE_TIME] = {"queue_time", "s", "queue_time"},
    [WEIR_SUMMARY_TTFT] = {"ttft", "s", "ttft"},
    [WEIR_SUMMARY_SECOND_TOKEN_GAP] = {"second_token_gap", "s", "second_token_gap"},
    [WEIR_SUMMARY_TBT] = {"tbt", "s", "tbt"},
    [WEIR_SUMMARY_E2E] = {"e2e", "s", "e2e"},
    [WEIR_SUMMARY_PROMPT_TOKENS] = {"prompt_tokens", "tokens", "prompt_tokens"},
    [WEIR_SUMMARY_OUTPUT_TOKENS] = {"output_tokens", "tokens", "output_tokens"},
    [WEIR_SUMMARY_TTFT_SLOWDOWN] = {"ttft_slowdown", "1", NULL},
    [WEIR_SUMMARY_TBT_SLOWDOWN] = {"tbt_slowdown", "1", NULL},
    [WEIR_SUMMARY_E2E_SLOWDOWN] = {"e2e_slowdown", "1", NULL},
};

/* Statistics of the first `count` values, which are reordered. */
static void describe(summariser *s, weir_summary_index index, size_t count)
{
	static const double probabilities[] = {0.5, 0.9, 0.95, 0.99, 0.999};
	weir_summary_metric *metric = &s->summary->metrics[index];
	memset(metric, 0, sizeof *metric);
	snprintf(metric->metric, sizeof metric->metric, "%s", metric_names[index].name);
	snprintf(metric->unit, sizeof metric->unit, "%s", metric_names[index].unit);
	count = weir_drop_nan(s->values, count);
	weir_moments moments = weir_moments_of(s->values, count);
	double quantiles[5];
	weir_quantiles(s->values, count, probabilities, 5, quantiles);
	metric->count = (int64_t)count;
	metric->mean = moments.mean;
	metric->std = moments.deviation;
	metric->min = moments.minimum;
	metric->max = moments.maximum;
	metric->p50 = quantiles[0];
	metric->p90 = quantiles[1];
	metric->p95 = quantiles[2];
	metric->p99 = quantiles[3];
	metric->p999 = quantiles[4];
}

static weir_status read_rows(const summariser *s, const char *column, uint64_t first,
                             uint64_t count, double *values, weir_error *error)
{
	return s->columns->read(s->columns->context, column, first, count, values, error);
}

static uint64_t block_end(const summariser *s, uint64_t first)
{
	return s->columns->rows - first < BLOCK_ROWS ? s->columns->rows : first + BLOCK_ROWS;
}

static weir_status read_statuses(summariser *s, weir_error *error)
{
	for (uint64_t first = 0; first < s->columns->rows; first += BLOCK_ROWS) {
		uint64_t count = block_end(s, first) - first;
		weir_status result = read_rows(s, "status", first, count, s->block, error);
		if (result != WEIR_OK) {
			return result;
		}
		for (uint64_t i = 0; i < count; i++) {
			if (!(s->block[i] >= 0 && s->block[i] < STATUS_COUNT)) {
				return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
				                      "request in row %llu: status %g, expected 0 to %d",
				                      (unsigned long long)(first + i), s->block[i],
				                      STATUS_COUNT - 1);
			}
			s->statuses[first + i] = (uint8_t)s->block[i];
		}
	}
	return WEIR_OK;
}

/* A recorded column, of the completed requests. */
static weir_status summarise_column(summariser *s, weir_summary_index index, weir_error *error)
{
	uint64_t rows = s->columns->rows;
	weir_status result = read_rows(s, metric_names[index].column, 0, rows, s->values, error);
	size_t kept = 0;
	for (uint64_t i = 0; i < rows && result == WEIR_OK; i++) {
		s->values[kept] = s->values[i];
		kept += s->statuses[i] == WEIR_REQUEST_COMPLETED;
	}
	if (result == WEIR_OK) {
		describe(s, index, kept);
	}
	return result;
}

/* The columns that slowdowns are made of. */
enum { APPLICATION, PROMPT_TOKENS, OUTPUT_TOKENS, TTFT, E2E, ARRIVAL, SLO_COLUMNS };

/* A recorded file may say anything. */
static weir_status check_applications(const summariser *s, uint64_t first, uint64_t count,
                                      weir_error *error)
{
	for (uint64_t i = 0; i < count; i++) {
		double application = s->block[APPLICATION * BLOCK_ROWS + i];
		if (!(application >= 0 && application < (double)s->slo->reference_count)) {
			return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
			                      "request in row %llu: application %g, but there are %zu",
			                      (unsigned long long)(first + i), application,
			                      s->slo->reference_count);
		}
	}
	return WEIR_OK;
}

static weir_status read_slo_block(const summariser *s, uint64_t first, uint64_t count,
                                  weir_error *error)
{
	static const char *const names[SLO_COLUMNS] = {"application", "prompt_tokens", "output_tokens",
	                                               "ttft",        "e2e",           "arrival"};
	for (size_t c = 0; c < SLO_COLUMNS; c++) {
		weir_status result = read_rows(s, names[c], first, count, s->block + c * BLOCK_ROWS, error);
		if (result != WEIR_OK) {
			return result;
		}
	}
	return check_applications(s, first, count, error);
}

static weir_slo_request request_of(const summariser *s, uint64_t i)
{
	const double *block = s->block + i;
	return (weir_slo_request){
	    .application = (uint32_t)block[APPLICATION * BLOCK_ROWS],
	    .prompt_tokens = (int64_t)block[PROMPT_TOKENS * BLOCK_ROWS],
	    .output_tokens = (int64_t)block[OUTPUT_TOKENS * BLOCK_ROWS],
	    .ttft = block[TTFT * BLOCK_ROWS],
	    .e2e = block[E2E * BLOCK_ROWS],
	};
}

static weir_slowdowns slowdowns_of(const summariser *s, const weir_slo_request *request)
{
	if (request->prompt_tokens >= REMEMBERED_TOKENS) {
		return weir_slo_slowdowns(s->slo, request);
	}
	weir_slowdowns *unloaded = &s->unloaded[(size_t)request->application * REMEMBERED_TOKENS +
	                                        (size_t)request->prompt_tokens];
	if (unloaded->ttft == 0) {
		*unloaded = weir_slo_unloaded(s->slo, request);
	}
	return weir_slo_slowdowns_given(s->slo, request, unloaded);
}

typedef struct slo_counts {
	double met, left_out, last_arrival, prompt_tokens, output_tokens;
	double by_status[STATUS_COUNT];
} slo_counts;

static void count_request(const summariser *s, const weir_slo_request *request, double arrival,
                          uint8_t status, const weir_slowdowns *slowdowns, slo_counts *counts)
{
	counts->by_status[status]++;
	counts->last_arrival = fmax(counts->last_arrival, arrival);
	if (status == WEIR_REQUEST_COMPLETED) {
		counts->met += weir_slo_met(s->slo, slowdowns);
		counts->prompt_tokens += (double)request->prompt_tokens;
		counts->output_tokens += (double)request->output_tokens;
	} else if (status == WEIR_REQUEST_UNFINISHED) {
		double waited = s->summary->totals.end_time - arrival;
		counts->left_out += !weir_slo_overdue(s->slo, request, waited);
	}
}

/* One kind of slowdown of the completed requests; with `counts`, what else is counted of all. */
static weir_status summarise_slowdown(summariser *s, weir_summary_index index, slo_counts *counts,
                                      weir_error *error)
{
	size_t kept = 0;
	for (uint64_t first = 0; first < s->columns->rows; first += BLOCK_ROWS) {
		uint64_t count = block_end(s, first) - first;
		weir_status result = read_slo_block(s, first, count, error);
		if (result != WEIR_OK) {
			return result;
		}
		for (uint64_t i = 0; i < count; i++) {
			weir_slo_request request = request_of(s, i);
			uint8_t status = s->statuses[first + i];
			weir_slowdowns slowdowns = slowdowns_of(s, &request);
			if (counts != NULL) {
				count_request(s, &request, s->block[ARRIVAL * BLOCK_ROWS + i], status, &slowdowns,
				              counts);
			}
			if (status == WEIR_REQUEST_COMPLETED) {
				s->values[kept++] = index == WEIR_SUMMARY_TTFT_SLOWDOWN  ? slowdowns.ttft
				                    : index == WEIR_SUMMARY_TBT_SLOWDOWN ? slowdowns.tbt
				                                                         : slowdowns.e2e;
			}
		}
	}
	describe(s, index, kept);
	return WEIR_OK;
}

static weir_status sum_preemptions(summariser *s, weir_error *error)
{
	double sum = 0;
	for (uint64_t first = 0; first < s->columns->rows; first += BLOCK_ROWS) {
		uint64_t count = block_end(s, first) - first;
		weir_status result = read_rows(s, "preemptions", first, count, s->block, error);
		if (result != WEIR_OK) {
			return result;
		}
		for (uint64_t i = 0; i < count; i++) {
			sum += s->block[i];
		}
	}
	s->summary->totals.preemptions = sum;
	return WEIR_OK;
}

/* Without completions the percentiles are NaN, and no limit is kept; without a request of more than
 * one output token there is no TBT to limit. */
static bool keeps_limits(double ttft, double tbt, double e2e, const weir_slo_limits *limits)
{
	return ttft <= limits->ttft && !(tbt > limits->tbt) && e2e <= limits->e2e;
}

static void conclude(const summariser *s, const slo_counts *counts)
{
	weir_totals *totals = &s->summary->totals;
	const weir_summary_metric *m = s->summary->metrics;
	const weir_summary_metric *ttft = &m[WEIR_SUMMARY_TTFT_SLOWDOWN];
	const weir_summary_metric *tbt = &m[WEIR_SUMMARY_TBT_SLOWDOWN];
	const weir_summary_metric *e2e = &m[WEIR_SUMMARY_E2E_SLOWDOWN];
	const weir_slo_config *slo = s->slo->config;
	totals->arrived = (double)s->columns->rows;
	totals->completed = counts->by_status[WEIR_REQUEST_COMPLETED];
	totals->rejected = counts->by_status[WEIR_REQUEST_REJECTED];
	totals->failed = counts->by_status[WEIR_REQUEST_FAILED];
	totals->unfinished = counts->by_status[WEIR_REQUEST_UNFINISHED];
	totals->last_arrival = counts->last_arrival;
	totals->requests_per_s = totals->completed / totals->end_time;
	totals->prompt_tokens_per_s = counts->prompt_tokens / totals->end_time;
	totals->output_tokens_per_s = counts->output_tokens / totals->end_time;
	totals->attainment = counts->met / (totals->arrived - counts->left_out);
	totals->slo_met = keeps_limits(ttft->p50, tbt->p50, e2e->p50, &slo->p50) &&
	                  keeps_limits(ttft->p90, tbt->p90, e2e->p90, &slo->p90) &&
	                  keeps_limits(ttft->p99, tbt->p99, e2e->p99, &slo->p99);
}

static weir_status summarise(summariser *s, weir_error *error)
{
	weir_status result = read_statuses(s, error);
	if (result != WEIR_OK) {
		return result;
	}
	for (int i = 0; i < WEIR_SUMMARY_TTFT_SLOWDOWN; i++) {
		result = summarise_column(s, (weir_summary_index)i, error);
		if (result != WEIR_OK) {
			return result;
		}
	}
	slo_counts counts = {0};
	for (int i = WEIR_SUMMARY_TTFT_SLOWDOWN; i < WEIR_SUMMARY_COUNT; i++) {
		result = summarise_slowdown(s, (weir_summary_index)i,
		                            i == WEIR_SUMMARY_TTFT_SLOWDOWN ? &counts : NULL, error);
		if (result != WEIR_OK) {
			return result;
		}
	}
	result = sum_preemptions(s, error);
	if (result == WEIR_OK) {
		conclude(s, &counts);
	}
	return result;
}

weir_status weir_summary_compute(const weir_request_columns *columns, const weir_slo *slo,
                                 weir_summary *summary, weir_error *error)
{
	summariser s = {
	    .columns = columns,
	    .slo = slo,
	    .summary = summary,
	    .values = weir_allocate((size_t)columns->rows, sizeof *s.values),
	    .statuses = weir_allocate((size_t)columns->rows, sizeof *s.statuses),
	    .block = weir_allocate((size_t)SLO_COLUMNS * BLOCK_ROWS, sizeof *s.block),
	    .unloaded = weir_allocate(slo->reference_count * REMEMBERED_TOKENS, sizeof *s.unloaded),
	};
	weir_status result =
	    s.values != NULL && s.statuses != NULL && s.block != NULL && s.unloaded != NULL
	        ? summarise(&s, error)
	        : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the summary");
	free(s.values);
	free(s.statuses);
	free(s.block);
	free(s.unloaded);
	return result;
}
