#include "workload/fit.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "workload/rate_curve.h"
#include "workload/trace_output.h"

enum { MOST_POINTS = 1000000, PER_LINE = 8 };

/* Every percentile, and the tails more closely. */
static const double tails[] = {0.001, 0.002, 0.005};
enum { TAILS = sizeof tails / sizeof tails[0], QUANTILES = 101 + 2 * TAILS };

typedef struct sample {
	double *arrivals, *prompts, *outputs;
	size_t count;
	size_t capacity[3];
} sample;

typedef struct description {
	weir_fit_summary summary;
	weir_rate_point *points;
	double probabilities[QUANTILES];
	double prompts[QUANTILES], outputs[QUANTILES];
} description;

static bool keep(double **data, size_t *capacity, size_t count, double value)
{
	void *memory = *data;
	if (!weir_reserve(&memory, capacity, count + 1, sizeof(double))) {
		return false;
	}
	*data = memory;
	(*data)[count] = value;
	return true;
}

static weir_status read_all(weir_source *source, sample *all, weir_error *error)
{
	for (;;) {
		weir_request request;
		bool more = false;
		weir_status status = weir_source_next(source, &request, &more, error);
		if (status != WEIR_OK || !more) {
			return status;
		}
		if (!keep(&all->arrivals, &all->capacity[0], all->count, request.arrival) ||
		    !keep(&all->prompts, &all->capacity[1], all->count, (double)request.prompt_tokens) ||
		    !keep(&all->outputs, &all->capacity[2], all->count, (double)request.output_tokens)) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu requests",
			                      all->count + 1);
		}
		all->count++;
	}
}

/* To a number of digits that is good enough, so that a file stays legible. */
static double round_to(double value, double unit)
{
	return round(value / unit) * unit;
}

static weir_status fit_rates(const sample *all, double interval, description *found,
                             weir_error *error)
{
	double first = all->arrivals[0];
	double span = all->arrivals[all->count - 1] - first;
	double duration = span + span / (double)(all->count - 1);
	double intervals = ceil(duration / interval);
	if (!(intervals <= MOST_POINTS)) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, NULL,
		    "%.6g s in intervals of %.6g s are more than a million points; choose a "
		    "longer interval",
		    duration, interval);
	}
	size_t count = (size_t)intervals;
	double width = duration / intervals;
	weir_rate_point *points = weir_allocate(count, sizeof *points);
	if (points == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu points", count);
	}
	found->points = points;
	for (size_t i = 0; i < count; i++) {
		points[i].time = round_to(((double)i + 0.5) * width, 1e-3);
	}
	for (size_t i = 0; i < all->count; i++) {
		size_t k = (size_t)((all->arrivals[i] - first) / width);
		points[k < count ? k : count - 1].rate += 1;
	}
	for (size_t i = 0; i < count; i++) {
		points[i].rate = round_to(points[i].rate / width, 1e-4);
	}
	found->summary.points = (int64_t)count;
	found->summary.duration = ceil(duration * 1e3) / 1e3;
	return WEIR_OK;
}

static weir_status fit_cv(const sample *all, description *found, weir_error *error)
{
	weir_rate_curve *curve = NULL;
	weir_status status = weir_rate_curve_create(found->points, (size_t)found->summary.points,
	                                            found->summary.duration, 1, &curve, error);
	if (status != WEIR_OK) {
		return status;
	}
	double last = 0;
	double mean = 0;
	double squares = 0;
	for (size_t i = 1; i < all->count; i++) {
		double now = weir_rate_curve_integral(curve, all->arrivals[i] - all->arrivals[0]);
		double off = now - last - mean;
		mean += off / (double)i;
		squares += off * (now - last - mean);
		last = now;
	}
	weir_rate_curve_destroy(curve);
	double cv = sqrt(squares / (double)(all->count - 1)) / mean;
	found->summary.cv = fmin(fmax(round_to(cv, 1e-3), 0.01), 50);
	return WEIR_OK;
}

static void fit_quantiles(double *values, size_t count, const double *probabilities,
                          double *quantiles)
{
	gsl_sort(values, 1, count);
	for (size_t i = 0; i < QUANTILES; i++) {
		double quantile = gsl_stats_quantile_from_sorted_data(values, 1, count, probabilities[i]);
		quantiles[i] = round_to(quantile, 0.1);
	}
}

static weir_status fit_sizes(sample *all, description *found, weir_error *error)
{
	double *work = all->count < SIZE_MAX / 2 ? weir_allocate(2 * all->count, sizeof *work) : NULL;
	if (work == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu ranks",
		                      all->count);
	}
	double correlation = gsl_stats_spearman(all->prompts, 1, all->outputs, 1, all->count, work);
	free(work);
	/* Undefined where one of the two never varies. */
	found->summary.rank_correlation = isfinite(correlation) ? round_to(correlation, 1e-4) : 0;
	double *p = found->probabilities;
	*p++ = 0;
	for (size_t i = 0; i < TAILS; i++) {
		*p++ = tails[i];
	}
	for (int i = 1; i < 100; i++) {
		*p++ = i / 100.0;
	}
	for (size_t i = TAILS; i-- > 0;) {
		*p++ = 1 - tails[i];
	}
	*p = 1;
	fit_quantiles(all->prompts, all->count, found->probabilities, found->prompts);
	fit_quantiles(all->outputs, all->count, found->probabilities, found->outputs);
	return WEIR_OK;
}

/* An output that remembers its first error. */
typedef struct printer {
	weir_trace_output *output;
	weir_status status;
	weir_error *error;
} printer;

static void print(printer *to, const char *text)
{
	if (to->status == WEIR_OK) {
		to->status = weir_trace_output_write(to->output, text, strlen(text), to->error);
	}
}

static void print_number(printer *to, const char *before, double value)
{
	if (to->status == WEIR_OK) {
		/* More digits would show how the rounding was done. */
		to->status = weir_trace_output_format(to->output, to->error, "%s%.10g", before, value);
	}
}

/* What goes ahead of number i of a list. */
static const char *separator(size_t i)
{
	return i == 0 ? "" : i % PER_LINE == 0 ? ",\n        " : ", ";
}

static void print_list(printer *to, const char *key, const double *values)
{
	print(to, key);
	for (size_t i = 0; i < QUANTILES; i++) {
		print_number(to, separator(i), values[i]);
	}
	print(to, "]");
}

static void print_size(printer *to, const char *key, const double *probabilities,
                       const double *values)
{
	print(to, key);
	print(to, "{\n      \"kind\": \"quantiles\",\n");
	print_list(to, "      \"probabilities\": [\n        ", probabilities);
	print_list(to, ",\n      \"values\": [\n        ", values);
	print(to, "\n    },\n");
}

static void print_description(printer *to, const description *found, const char *source)
{
	print(to, "{\n  \"source\": ");
	print(to, source);
	print_number(to, ",\n  \"duration\": ", found->summary.duration);
	print(to, ",\n  \"arrivals\": {\n    \"kind\": \"piecewise\",\n");
	print_number(to, "    \"cv\": ", found->summary.cv);
	print_number(to, ",\n    \"period\": ", found->summary.duration);
	print(to, ",\n    \"points\": [\n        ");
	for (size_t i = 0; i < (size_t)found->summary.points; i++) {
		print(to, separator(i));
		print_number(to, "[", found->points[i].time);
		print_number(to, ", ", found->points[i].rate);
		print(to, "]");
	}
	print(to, "\n    ]\n  },\n  \"sizes\": {\n    \"kind\": \"drawn\",\n");
	print_size(to, "    \"prompt\": ", found->probabilities, found->prompts);
	print_size(to, "    \"output\": ", found->probabilities, found->outputs);
	print_number(to, "    \"rank_correlation\": ", found->summary.rank_correlation);
	print(to, "\n  }\n}\n");
}

static weir_status write_description(const description *found, const char *source, const char *path,
                                     weir_error *error)
{
	cJSON *string = cJSON_CreateString(source);
	char *quoted = string != NULL ? cJSON_PrintUnformatted(string) : NULL;
	cJSON_Delete(string);
	if (quoted == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "no memory to write it");
	}
	printer to = {.error = error};
	to.status = weir_trace_output_open(path, &to.output, error);
	if (to.status == WEIR_OK) {
		print_description(&to, found, quoted);
		if (to.status == WEIR_OK) {
			to.status = weir_trace_output_finish(to.output, error);
		} else {
			weir_trace_output_abandon(to.output);
		}
	}
	cJSON_free(quoted);
	return to.status;
}

static weir_status fit(sample *all, const weir_fit_options *options, description *found,
                       weir_error *error)
{
	if (all->count < 2 || !(all->arrivals[all->count - 1] > all->arrivals[0])) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, NULL,
		    "there is nothing to fit: two requests at different times are needed");
	}
	found->summary.requests = (int64_t)all->count;
	weir_status status = fit_rates(all, options->interval, found, error);
	if (status == WEIR_OK) {
		status = fit_cv(all, found, error);
	}
	return status == WEIR_OK ? fit_sizes(all, found, error) : status;
}

weir_status weir_fit(weir_source *source, const weir_fit_options *options, const char *path,
                     weir_fit_summary *summary, weir_error *error)
{
	assert(options->interval > 0);
	sample all = {0};
	description found = {0};
	weir_status status = read_all(source, &all, error);
	if (status == WEIR_OK) {
		status = fit(&all, options, &found, error);
	}
	if (status == WEIR_OK) {
		status = write_description(&found, options->source, path, error);
	}
	if (status == WEIR_OK) {
		*summary = found.summary;
	}
	free(all.arrivals);
	free(all.prompts);
	free(all.outputs);
	free(found.points);
	return status;
}
