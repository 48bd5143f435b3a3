#include "workload/trace_stats.h"

#include <assert.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

const double weir_trace_quantiles[WEIR_TRACE_QUANTILE_COUNT] = {0.01, 0.05, 0.1,  0.25, 0.5,
                                                                0.75, 0.9,  0.95, 0.99, 0.999};

/* Up to the minute, whose counts are kept. */
const double weir_trace_windows[WEIR_TRACE_WINDOW_COUNT] = {1, 10, 60};
enum { MINUTE = WEIR_TRACE_WINDOW_COUNT - 1 };

/* Counts of requests in windows of one length; empty windows add nothing to the sums. */
typedef struct window_counts {
	double index;        /* of the window in which the last request came, from 0: a whole number */
	int64_t count;       /* of requests in it */
	double sum, squares; /* over the windows before it */
} window_counts;

struct weir_trace_stats {
	int64_t requests;
	double first, last;
	double gap_mean, gap_squares;
	window_counts windows[WEIR_TRACE_WINDOW_COUNT];
	void *minutes; /* weir_trace_minute */
	size_t minute_count, minute_capacity;
	void *prompts, *outputs; /* double */
	size_t prompt_capacity, output_capacity;
	int64_t prompt_total, output_total;
	int64_t prefix_hashes, applications;
};

weir_trace_stats *weir_trace_stats_create(void)
{
	return weir_allocate(1, sizeof(weir_trace_stats));
}

void weir_trace_stats_destroy(weir_trace_stats *stats)
{
	if (stats != NULL) {
		free(stats->minutes);
		free(stats->prompts);
		free(stats->outputs);
		free(stats);
	}
}

static void add_gap(weir_trace_stats *stats, double gap)
{
	/* Welford 1962: one pass, without cancellation. */
	double off = gap - stats->gap_mean;
	stats->gap_mean += off / (double)stats->requests;
	stats->gap_squares += off * (gap - stats->gap_mean);
}

static void count_in_window(window_counts *window, double since, double width)
{
	double index = floor(since / width);
	if (index > window->index) {
		double count = (double)window->count;
		window->sum += count;
		window->squares += count * count;
		window->index = index;
		window->count = 0;
	}
	window->count++;
}

static bool count_in_minute(weir_trace_stats *stats, const weir_request *request)
{
	/* Beyond this a minute has no number; a trace with such a gap is not worth its table. */
	double index = fmin(stats->windows[MINUTE].index, 1e15);
	weir_trace_minute *minutes = stats->minutes;
	if (stats->minute_count == 0 || minutes[stats->minute_count - 1].minute != (int64_t)index) {
		if (!weir_reserve(&stats->minutes, &stats->minute_capacity, stats->minute_count + 1,
		                  sizeof(weir_trace_minute))) {
			return false;
		}
		minutes = stats->minutes;
		minutes[stats->minute_count++].minute = (int64_t)index;
	}
	weir_trace_minute *minute = &minutes[stats->minute_count - 1];
	minute->requests++;
	minute->prompt_tokens += request->prompt_tokens;
	minute->output_tokens += request->output_tokens;
	return true;
}

weir_status weir_trace_stats_add(weir_trace_stats *stats, const weir_request *request,
                                 weir_error *error)
{
	size_t place = (size_t)stats->requests;
	if (stats->requests == 0) {
		stats->first = request->arrival;
	} else {
		add_gap(stats, request->arrival - stats->last);
	}
	stats->last = request->arrival;
	stats->requests++;
	for (int i = 0; i < WEIR_TRACE_WINDOW_COUNT; i++) {
		count_in_window(&stats->windows[i], request->arrival - stats->first, weir_trace_windows[i]);
	}
	if (!count_in_minute(stats, request) ||
	    !weir_reserve(&stats->prompts, &stats->prompt_capacity, place + 1, sizeof(double)) ||
	    !weir_reserve(&stats->outputs, &stats->output_capacity, place + 1, sizeof(double))) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL,
		                      "no memory for the figures of %zu requests", place + 1);
	}
	((double *)stats->prompts)[place] = (double)request->prompt_tokens;
	((double *)stats->outputs)[place] = (double)request->output_tokens;
	stats->prompt_total += request->prompt_tokens;
	stats->output_total += request->output_tokens;
	stats->prefix_hashes += (int64_t)request->prefix_hash_count;
	if (request->application >= stats->applications) {
		stats->applications = request->application + 1;
	}
	return WEIR_OK;
}

static double dispersion(const window_counts *window)
{
	double count = window->index;
	if (count < 2 || window->sum == 0) {
		return NAN;
	}
	double mean = window->sum / count;
	return (window->squares - window->sum * mean) / (count - 1) / mean;
}

static int compare_counts(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Of the whole minutes, those without requests among them. */
static bool find_minute_rates(const weir_trace_stats *stats, weir_trace_figures *figures)
{
	figures->minute_rate_minimum = NAN;
	figures->minute_rate_median = NAN;
	figures->minute_rate_maximum = NAN;
	double whole = stats->windows[MINUTE].index;
	if (whole < 1) {
		return true;
	}
	/* The last minute is never whole. */
	size_t busy = stats->minute_count - 1;
	double *counts = weir_allocate(busy, sizeof *counts);
	if (counts == NULL) {
		return false;
	}
	const weir_trace_minute *minutes = stats->minutes;
	for (size_t i = 0; i < busy; i++) {
		counts[i] = (double)minutes[i].requests;
	}
	qsort(counts, busy, sizeof *counts, compare_counts);
	double idle = whole - (double)busy;
	double below = floor((whole - 1) / 2) - idle;
	double above = floor(whole / 2) - idle;
	double median =
	    0.5 * ((below >= 0 ? counts[(size_t)below] : 0) + (above >= 0 ? counts[(size_t)above] : 0));
	figures->minute_rate_minimum = (idle > 0 ? 0 : counts[0]) / 60;
	figures->minute_rate_median = median / 60;
	figures->minute_rate_maximum = counts[busy - 1] / 60;
	free(counts);
	return true;
}

static weir_size_stats describe_sizes(double *sizes, size_t count, int64_t total)
{
	weir_size_stats stats = {.total = total, .mean = (double)total / (double)count};
	gsl_sort(sizes, 1, count);
	stats.minimum = (int64_t)sizes[0];
	stats.maximum = (int64_t)sizes[count - 1];
	for (int i = 0; i < WEIR_TRACE_QUANTILE_COUNT; i++) {
		stats.quantiles[i] =
		    gsl_stats_quantile_from_sorted_data(sizes, 1, count, weir_trace_quantiles[i]);
	}
	return stats;
}

weir_status weir_trace_stats_finish(weir_trace_stats *stats, weir_trace_figures *figures,
                                    weir_error *error)
{
	assert(stats->requests > 0);
	size_t count = (size_t)stats->requests;
	double gaps = (double)(stats->requests - 1);
	*figures = (weir_trace_figures){
	    .requests = stats->requests,
	    .first = stats->first,
	    .last = stats->last,
	    .rate = stats->last > stats->first ? gaps / (stats->last - stats->first) : NAN,
	    .gap_cv = stats->gap_mean > 0 && gaps >= 2
	                  ? sqrt(stats->gap_squares / (gaps - 1)) / stats->gap_mean
	                  : NAN,
	    .prefix_hashes = stats->prefix_hashes,
	    .applications = stats->applications,
	};
	for (int i = 0; i < WEIR_TRACE_WINDOW_COUNT; i++) {
		figures->dispersion[i] = dispersion(&stats->windows[i]);
	}
	double *ranks = count < SIZE_MAX / 2 ? weir_allocate(2 * count, sizeof *ranks) : NULL;
	if (ranks == NULL || !find_minute_rates(stats, figures)) {
		free(ranks);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL,
		                      "no memory for the figures of %zu requests", count);
	}
	figures->rank_correlation =
	    count >= 2 ? gsl_stats_spearman(stats->prompts, 1, stats->outputs, 1, count, ranks) : NAN;
	free(ranks);
	figures->prompt = describe_sizes(stats->prompts, count, stats->prompt_total);
	figures->output = describe_sizes(stats->outputs, count, stats->output_total);
	return WEIR_OK;
}

const weir_trace_minute *weir_trace_stats_minutes(const weir_trace_stats *stats, size_t *count)
{
	*count = stats->minute_count;
	return stats->minutes;
}
