#include "metrics/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/quantile.h"
#include "serving/request_row.h"

enum { BLOCK_ROWS = 4096 };

/* What slowdowns are made of, a block at a time. */
typedef struct slo_block {
	double application[BLOCK_ROWS], prompt_tokens[BLOCK_ROWS], output_tokens[BLOCK_ROWS];
	double ttft[BLOCK_ROWS], e2e[BLOCK_ROWS], arrival[BLOCK_ROWS], status[BLOCK_ROWS];
} slo_block;

typedef struct summariser {
	const weir_request_columns *columns;
	const weir_slo *slo;
	weir_summary *summary;
	double *values; /* one column */
	slo_block *block;
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

static weir_status read_block(const summariser *s, const char *column, uint64_t first,
                              uint64_t count, double *values, weir_error *error)
{
	return s->columns->read(s->columns->context, column, first, count, values, error);
}

/* A recorded column, of the completed requests. */
static weir_status summarise_column(summariser *s, weir_summary_index index, weir_error *error)
{
	uint64_t rows = s->columns->rows;
	weir_status result = read_block(s, metric_names[index].column, 0, rows, s->values, error);
	size_t kept = 0;
	for (uint64_t first = 0; first < rows && result == WEIR_OK; first += BLOCK_ROWS) {
		uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
		result = read_block(s, "status", first, count, s->block->status, error);
		for (uint64_t i = 0; i < count && result == WEIR_OK; i++) {
			if (s->block->status[i] == WEIR_REQUEST_COMPLETED) {
				s->values[kept++] = s->values[first + i];
			}
		}
	}
	if (result == WEIR_OK) {
		describe(s, index, kept);
	}
	return result;
}

static weir_status read_slo_block(summariser *s, uint64_t first, uint64_t count, weir_error *error)
{
	const struct {
		const char *column;
		double *values;
	} wanted[] = {
	    {"application", s->block->application},
	    {"prompt_tokens", s->block->prompt_tokens},
	    {"output_tokens", s->block->output_tokens},
	    {"ttft", s->block->ttft},
	    {"e2e", s->block->e2e},
	    {"arrival", s->block->arrival},
	    {"status", s->block->status},
	};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		weir_status result = read_block(s, wanted[i].column, first, count, wanted[i].values, error);
		if (result != WEIR_OK) {
			return result;
		}
	}
	return WEIR_OK;
}

typedef struct slo_counts {
	double met, left_out, last_arrival, prompt_tokens, output_tokens;
	double by_status[4];
} slo_counts;

static void count_slo(const summariser *s, uint64_t i, const weir_slo_request *request,
                      const weir_slowdowns *slowdowns, slo_counts *counts)
{
	weir_request_status status = (weir_request_status)s->block->status[i];
	counts->by_status[status]++;
	counts->last_arrival = fmax(counts->last_arrival, s->block->arrival[i]);
	if (status == WEIR_REQUEST_COMPLETED) {
		counts->met += weir_slo_met(s->slo, slowdowns);
		counts->prompt_tokens += s->block->prompt_tokens[i];
		counts->output_tokens += s->block->output_tokens[i];
	} else if (status == WEIR_REQUEST_UNFINISHED) {
		double waited = s->summary->totals.end_time - s->block->arrival[i];
		counts->left_out += !weir_slo_overdue(s->slo, request, waited);
	}
}

/* One kind of slowdown of the completed requests, and with the first kind what else is counted. */
static weir_status summarise_slowdown(summariser *s, weir_summary_index index, slo_counts *counts,
                                      weir_error *error)
{
	uint64_t rows = s->columns->rows;
	size_t kept = 0;
	for (uint64_t first = 0; first < rows; first += BLOCK_ROWS) {
		uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
		weir_status result = read_slo_block(s, first, count, error);
		if (result != WEIR_OK) {
			return result;
		}
		for (uint64_t i = 0; i < count; i++) {
			const weir_slo_request request = {
			    .application = (uint32_t)s->block->application[i],
			    .prompt_tokens = (int64_t)s->block->prompt_tokens[i],
			    .output_tokens = (int64_t)s->block->output_tokens[i],
			    .ttft = s->block->ttft[i],
			    .e2e = s->block->e2e[i],
			};
			weir_slowdowns slowdowns = weir_slo_slowdowns(s->slo, &request);
			if (counts != NULL) {
				count_slo(s, i, &request, &slowdowns, counts);
			}
			if (s->block->status[i] == WEIR_REQUEST_COMPLETED) {
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
	uint64_t rows = s->columns->rows;
	double sum = 0;
	for (uint64_t first = 0; first < rows; first += BLOCK_ROWS) {
		uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
		weir_status result = read_block(s, "preemptions", first, count, s->block->status, error);
		if (result != WEIR_OK) {
			return result;
		}
		for (uint64_t i = 0; i < count; i++) {
			sum += s->block->status[i];
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
	for (int i = 0; i < WEIR_SUMMARY_TTFT_SLOWDOWN; i++) {
		weir_status result = summarise_column(s, (weir_summary_index)i, error);
		if (result != WEIR_OK) {
			return result;
		}
	}
	slo_counts counts = {0};
	for (int i = WEIR_SUMMARY_TTFT_SLOWDOWN; i < WEIR_SUMMARY_COUNT; i++) {
		weir_status result = summarise_slowdown(
		    s, (weir_summary_index)i, i == WEIR_SUMMARY_TTFT_SLOWDOWN ? &counts : NULL, error);
		if (result != WEIR_OK) {
			return result;
		}
	}
	weir_status result = sum_preemptions(s, error);
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
	    .block = weir_allocate(1, sizeof *s.block),
	};
	weir_status result =
	    s.values != NULL && s.block != NULL
	        ? summarise(&s, error)
	        : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the summary");
	free(s.values);
	free(s.block);
	return result;
}
