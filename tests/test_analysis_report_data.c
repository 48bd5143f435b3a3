/* The payload of a report: every number in it is found again, by plain loops and GSL, in the
 * columns of the file. */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_data.h"
#include "record/reader.h"
#include "run/cluster.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define SCENARIO WEIR_CONFIG_DIRECTORY "/scenarios/diurnal.json"

/* One run with everything: queues, scaling, two pools. */
static const char *elastic_run(void)
{
	static const char *path;
	if (path == NULL) {
		path = test_path("elastic.h5");
		const weir_config *config =
		    test_config(SCENARIO, "policies=\"reactive\"", "workload.duration=1500",
		                "sampling.interval=2", "servers=dgx-a100:8", "pools=prompt:5,token:3",
		                "workload.arrivals.mean=11", "workload.arrivals.period=1500", NULL);
		test_run(config, path, NULL);
		weir_config_destroy(config);
	}
	return path;
}

static cJSON *payload_of(const char *path)
{
	cJSON *payload = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_report_data(&path, 1, &payload, &error), &error);
	return payload;
}

static const cJSON *run_of(const cJSON *payload)
{
	const cJSON *runs = cJSON_GetObjectItem(payload, "runs");
	ck_assert_int_eq(cJSON_GetArraySize(runs), 1);
	return runs->child;
}

static const cJSON *find(const cJSON *list, const char *key, const char *wanted)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		if (strcmp(cJSON_GetObjectItem(item, key)->valuestring, wanted) == 0) {
			return item;
		}
	}
	return NULL;
}

static const cJSON *panel_of(const cJSON *run, const char *id)
{
	const cJSON *panel = find(cJSON_GetObjectItem(run, "panels"), "id", id);
	ck_assert_msg(panel != NULL, "no panel %s", id);
	return panel;
}

static double *numbers(const cJSON *array, size_t *count)
{
	*count = (size_t)cJSON_GetArraySize(array);
	double *values = malloc((*count + 1) * sizeof *values);
	size_t i = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, array)
	{
		values[i++] = cJSON_IsNull(item) ? (double)NAN : item->valuedouble;
	}
	return values;
}

static double *axis_of(const cJSON *panel, size_t *count)
{
	return numbers(cJSON_GetObjectItem(cJSON_GetObjectItem(panel, "x"), "values"), count);
}

static double *series_of(const cJSON *panel, const char *label, size_t *count)
{
	const cJSON *series = find(cJSON_GetObjectItem(panel, "series"), "label", label);
	ck_assert_msg(series != NULL, "no series %s in %s", label,
	              cJSON_GetObjectItem(panel, "id")->valuestring);
	return numbers(cJSON_GetObjectItem(series, "values"), count);
}

static double limit_of(const cJSON *panel, int number)
{
	const cJSON *limit = cJSON_GetArrayItem(cJSON_GetObjectItem(panel, "limits"), number);
	ck_assert_ptr_nonnull(limit);
	return cJSON_GetObjectItem(limit, "value")->valuedouble;
}

/* Five significant digits were kept. */
static void expect_near(double got, double wanted, const char *what, size_t at)
{
	bool same = (isnan(got) && isnan(wanted)) || fabs(got - wanted) <= 5.001e-5 * fabs(wanted);
	ck_assert_msg(same, "%s[%zu] is %.9g, not %.9g", what, at, got, wanted);
}

static void expect_series(const cJSON *panel, const char *label, const double *wanted, size_t bins)
{
	size_t count;
	double *values = series_of(panel, label, &count);
	ck_assert_uint_eq(count, bins);
	for (size_t b = 0; b < bins; b++) {
		expect_near(values[b], wanted[b], label, b);
	}
	free(values);
}

/* ---- what the file says ---- */

typedef struct requests {
	weir_request_row *rows;
	size_t count;
	double *slowdown[3]; /* ttft, tbt, e2e */
	bool *met;
	double width;
	size_t bins;
} requests;

/* The bins, from the panel itself: their middles are half a width and then a width apart. */
static void read_bins(requests *r, const cJSON *panel)
{
	double *x = axis_of(panel, &r->bins);
	r->width = 2 * x[0];
	for (size_t b = 0; b < r->bins; b++) {
		ck_assert_double_eq_tol(x[b], ((double)b + 0.5) * r->width, 1e-6);
	}
	free(x);
}

static requests read_requests(const char *path, const weir_config *config)
{
	requests r = {.rows = NULL};
	r.rows = test_recorded_rows(path, &r.count);
	weir_built_cluster built;
	weir_error error = {0};
	ck_assert_ok(weir_cluster_build(config, &built, &error), &error);
	r.met = calloc(r.count, sizeof *r.met);
	for (size_t m = 0; m < 3; m++) {
		r.slowdown[m] = calloc(r.count, sizeof **r.slowdown);
	}
	for (size_t i = 0; i < r.count; i++) {
		const weir_request_row *row = &r.rows[i];
		ck_assert_uint_eq(row->status, WEIR_REQUEST_COMPLETED);
		const weir_slo_request request = {.prompt_tokens = row->prompt_tokens,
		                                  .output_tokens = row->output_tokens,
		                                  .ttft = row->ttft,
		                                  .e2e = row->e2e};
		weir_slowdowns unloaded = weir_slo_unloaded(&built.slo, &request);
		/* docs/metrics.md, baseline splitwise. */
		double later = row->output_tokens - 1;
		r.slowdown[0][i] = row->ttft / unloaded.ttft;
		r.slowdown[1][i] =
		    later > 0 ? (row->e2e - row->ttft) / row->output_tokens / unloaded.tbt : (double)NAN;
		r.slowdown[2][i] = row->e2e / (unloaded.ttft + later * unloaded.tbt);
		r.met[i] = !(r.slowdown[0][i] > 6) && !(r.slowdown[1][i] > 5) && !(r.slowdown[2][i] > 5);
	}
	weir_cluster_release(&built);
	return r;
}

static void free_requests(requests *r)
{
	free(r->rows);
	free(r->met);
	for (size_t m = 0; m < 3; m++) {
		free(r->slowdown[m]);
	}
}

static double value_of(const requests *r, size_t i, const char *name)
{
	const weir_request_row *row = &r->rows[i];
	static const char *const slowdowns[] = {"ttft_slowdown", "tbt_slowdown", "e2e_slowdown"};
	for (size_t m = 0; m < 3; m++) {
		if (strcmp(name, slowdowns[m]) == 0) {
			return r->slowdown[m][i];
		}
	}
	return strcmp(name, "ttft") == 0            ? row->ttft
	       : strcmp(name, "tbt") == 0           ? row->tbt
	       : strcmp(name, "e2e") == 0           ? row->e2e
	       : strcmp(name, "prompt_tokens") == 0 ? row->prompt_tokens
	                                            : row->output_tokens;
}

static bool in_bin(const requests *r, double time, size_t b)
{
	return time >= (double)b * r->width && time < (double)(b + 1) * r->width;
}

/* The values of requests that arrived in a bin (b == SIZE_MAX: in any), sorted. */
static double *sorted_values(const requests *r, const char *name, size_t b, size_t *count)
{
	double *values = malloc((r->count + 1) * sizeof *values);
	*count = 0;
	for (size_t i = 0; i < r->count; i++) {
		double value = value_of(r, i, name);
		if (!isnan(value) && (b == SIZE_MAX || in_bin(r, r->rows[i].arrival, b))) {
			values[(*count)++] = value;
		}
	}
	gsl_sort(values, 1, *count);
	return values;
}

static void check_bands(const cJSON *run, const requests *r, const char *id)
{
	static const struct {
		const char *label, *role;
		double probability;
	} bands[] = {{"p10", "band_low", 0.1},
	             {"p50", "line", 0.5},
	             {"p90", "band_high", 0.9},
	             {"p99", "line", 0.99}};
	const cJSON *panel = panel_of(run, id);
	double *wanted = malloc(r->bins * sizeof *wanted);
	for (size_t s = 0; s < 4; s++) {
		for (size_t b = 0; b < r->bins; b++) {
			size_t count;
			double *values = sorted_values(r, id, b, &count);
			wanted[b] = count == 0 ? (double)NAN
			                       : gsl_stats_quantile_from_sorted_data(values, 1, count,
			                                                             bands[s].probability);
			free(values);
		}
		expect_series(panel, bands[s].label, wanted, r->bins);
		const cJSON *series = find(cJSON_GetObjectItem(panel, "series"), "label", bands[s].label);
		ck_assert_str_eq(cJSON_GetObjectItem(series, "role")->valuestring, bands[s].role);
	}
	free(wanted);
}

static void check_cdf(const cJSON *run, const requests *r, const char *name, const char *label)
{
	char id[64];
	snprintf(id, sizeof id, "%s_cdf", name);
	const cJSON *panel = panel_of(run, id);
	size_t points;
	size_t count;
	size_t found;
	double *x = axis_of(panel, &points);
	double *share = series_of(panel, label, &count);
	double *values = sorted_values(r, name, SIZE_MAX, &found);
	ck_assert_uint_eq(points, count);
	ck_assert_double_eq(share[0], 0);
	ck_assert_double_eq(share[count - 1], 100);
	for (size_t i = 0; i < count; i++) {
		expect_near(x[i], gsl_stats_quantile_from_sorted_data(values, 1, found, share[i] / 100), id,
		            i);
	}
	free(x);
	free(share);
	free(values);
}

START_TEST(requests_are_in_their_bins)
{
	const char *path = elastic_run();
	cJSON *payload = payload_of(path);
	const cJSON *run = run_of(payload);
	const weir_config *config = test_config(SCENARIO, NULL);
	requests r = read_requests(path, config);
	read_bins(&r, panel_of(run, "arrivals"));
	ck_assert_double_ge((double)r.bins * r.width, test_recorded_total(path, "end_time"));
	ck_assert_uint_le(r.bins, 240);
	ck_assert_uint_ge(r.bins, 120);

	double *arrived = calloc(r.bins, sizeof *arrived);
	double *completed = calloc(r.bins, sizeof *completed);
	double *met = calloc(r.bins, sizeof *met);
	double *late = calloc(r.bins, sizeof *late);
	double *attainment = calloc(r.bins, sizeof *attainment);
	double *traffic = calloc(r.bins, sizeof *traffic);
	double kv_bytes = (double)weir_architecture_kv_bytes_per_token(
	    config->applications[0].model, config->applications[0].instance.grouped_query_kv);
	for (size_t b = 0; b < r.bins; b++) {
		double judged = 0;
		for (size_t i = 0; i < r.count; i++) {
			const weir_request_row *row = &r.rows[i];
			if (in_bin(&r, row->arrival, b)) {
				arrived[b] += 1 / r.width;
				met[b] += r.met[i];
				late[b] += !r.met[i];
				judged++;
			}
			completed[b] += in_bin(&r, row->arrival + row->e2e, b) / r.width;
			if (in_bin(&r, row->arrival + row->ttft, b) &&
			    row->prompt_instance != row->token_instance && row->token_instance >= 0) {
				traffic[b] += row->prompt_tokens * kv_bytes / (1 << 30) / r.width;
			}
		}
		attainment[b] = judged > 0 ? 100 * met[b] / judged : (double)NAN;
	}
	expect_series(panel_of(run, "arrivals"), "arrived", arrived, r.bins);
	expect_series(panel_of(run, "arrivals"), "completed", completed, r.bins);
	expect_series(panel_of(run, "outcomes"), "kept the SLO", met, r.bins);
	expect_series(panel_of(run, "outcomes"), "late", late, r.bins);
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(panel_of(run, "outcomes"), "series")),
	                 2);
	expect_series(panel_of(run, "attainment"), "attainment", attainment, r.bins);
	expect_series(panel_of(run, "kv_traffic"), "KV cache", traffic, r.bins);
	/* The same requests as the run itself counted. */
	double kept = 0;
	double moved = 0;
	for (size_t b = 0; b < r.bins; b++) {
		kept += met[b];
		moved += traffic[b] * r.width;
	}
	ck_assert_double_eq_tol(kept / (double)r.count, test_recorded_total(path, "attainment"), 1e-12);
	ck_assert(kept < (double)r.count && kept > 0);
	ck_assert_double_eq_tol(moved, test_recorded_total(path, "transfer_gb"), 1e-9 * moved);
	free(arrived);
	free(completed);
	free(met);
	free(late);
	free(attainment);
	free(traffic);

	static const char *const banded[] = {"prompt_tokens", "output_tokens", "ttft",
	                                     "tbt",           "e2e",           "ttft_slowdown",
	                                     "tbt_slowdown",  "e2e_slowdown"};
	for (size_t i = 0; i < sizeof banded / sizeof banded[0]; i++) {
		check_bands(run, &r, banded[i]);
	}
	check_cdf(run, &r, "ttft", "TTFT");
	check_cdf(run, &r, "tbt", "TBT");
	check_cdf(run, &r, "e2e", "E2E");
	check_cdf(run, &r, "ttft_slowdown", "slowdown");
	check_cdf(run, &r, "tbt_slowdown", "slowdown");
	check_cdf(run, &r, "e2e_slowdown", "slowdown");

	/* The limits of the median request. */
	static const char *const names[] = {"ttft", "tbt", "e2e"};
	static const char *const cdfs[] = {"ttft_cdf", "tbt_cdf", "e2e_cdf"};
	static const double factors[] = {6, 5, 5};
	for (size_t m = 0; m < 3; m++) {
		double *unloaded = malloc(r.count * sizeof *unloaded);
		size_t count = 0;
		for (size_t i = 0; i < r.count; i++) {
			double value = value_of(&r, i, names[m]) / r.slowdown[m][i];
			if (!isnan(value)) {
				unloaded[count++] = value;
			}
		}
		gsl_sort(unloaded, 1, count);
		double median = gsl_stats_median_from_sorted_data(unloaded, 1, count);
		expect_near(limit_of(panel_of(run, names[m]), 0), factors[m] * median, "limit", m);
		expect_near(limit_of(panel_of(run, cdfs[m]), 0), factors[m] * median, "limit", m);
		free(unloaded);
	}
	const cJSON *limits = cJSON_GetObjectItem(panel_of(run, "ttft_slowdown_cdf"), "limits");
	ck_assert_int_eq(cJSON_GetArraySize(limits), 3);
	ck_assert_double_eq(limit_of(panel_of(run, "ttft_slowdown_cdf"), 0), 6);
	ck_assert_str_eq(cJSON_GetObjectItem(limits->child, "label")->valuestring,
	                 "SLO each request, p99");
	ck_assert_double_eq(limit_of(panel_of(run, "e2e_slowdown_cdf"), 1), 1.25);
	ck_assert_double_eq(limit_of(panel_of(run, "tbt_slowdown"), 0), 5);
	free_requests(&r);
	weir_config_destroy(config);
	cJSON_Delete(payload);
}
END_TEST

/* ---- samples ---- */

typedef enum reduction { MEAN, MOST, LAST } reduction;

static const struct {
	const char *id;    /* %d: the pool, whose panel it is */
	const char *label; /* NULL: the pool's */
	const char *column;
	reduction how;
	double scale;
	bool per_second;
} sample_series[] = {
    {"queue_%d", "prompts", "queued_prompts", MOST, 1, false},
    {"queue_%d", "token tasks", "queued_tokens", MOST, 1, false},
    {"batch_size", NULL, "batch_size", MEAN, 1, false},
    {"batch_tokens", NULL, "batch_tokens", MEAN, 1, false},
    {"prompt_throughput", NULL, "prompt_tokens_per_s", MEAN, 1, false},
    {"output_throughput", NULL, "output_tokens_per_s", MEAN, 1, false},
    {"instances_%d", "active", "active", LAST, 1, false},
    {"instances_%d", "booting", "scaling_up", LAST, 1, false},
    {"instances_%d", "draining", "draining", LAST, 1, false},
    {"load_busy", NULL, "load_busy", MEAN, 100, false},
    {"load_kv", NULL, "load_kv", MEAN, 100, false},
    {"load_batch", NULL, "load_batch", MEAN, 100, false},
    {"load_concurrency", NULL, "load_concurrency", MEAN, 1, false},
    {"memory_%d", "in use", "memory", MEAN, 1.0 / (1 << 30), false},
    {"memory_%d", "promised", "memory_promised", MEAN, 1.0 / (1 << 30), false},
    {"memory_%d", "limit", "memory_limit", MEAN, 1.0 / (1 << 30), false},
    {"power", NULL, "energy", MEAN, 1e-3, true},
    {"cost_rate", NULL, "cost_usd", MEAN, 3600, true},
};

/* The values of one pool by bin; the middle of a sample's interval tells which bin it is in. */
static void reduce(const char *path, size_t series, double pool, double width, double *result,
                   size_t bins)
{
	size_t rows;
	double *time = test_recorded_column(path, "samples", "time", &rows);
	double *interval = test_recorded_column(path, "samples", "interval", &rows);
	double *pools = test_recorded_column(path, "samples", "pool", &rows);
	double *values = test_recorded_column(path, "samples", sample_series[series].column, &rows);
	for (size_t b = 0; b < bins; b++) {
		double sum = 0;
		double weight = 0;
		double most = -(double)INFINITY;
		double last = (double)NAN;
		for (size_t i = 0; i < rows; i++) {
			if (pools[i] == pool && floor((time[i] - interval[i] / 2) / width) == (double)b) {
				sum += sample_series[series].per_second ? values[i] : values[i] * interval[i];
				weight += interval[i];
				most = fmax(most, values[i]);
				last = values[i];
			}
		}
		double found = weight == 0                         ? (double)NAN
		               : sample_series[series].how == MEAN ? sum / weight
		               : sample_series[series].how == MOST ? most
		                                                   : last;
		result[b] = found * sample_series[series].scale;
	}
	free(time);
	free(interval);
	free(pools);
	free(values);
}

START_TEST(samples_are_in_their_bins)
{
	static const char *const tags[] = {"prompt", "token"};
	const char *path = elastic_run();
	cJSON *payload = payload_of(path);
	const cJSON *run = run_of(payload);
	size_t bins;
	double *x = axis_of(panel_of(run, "load_busy"), &bins);
	double width = x[0];
	ck_assert_double_eq(width, 8); /* four samples, one every 2 s */
	ck_assert_double_eq_tol(x[bins - 1], test_recorded_total(path, "end_time"), 1e-5);
	double *wanted = malloc(bins * sizeof *wanted);
	for (size_t s = 0; s < sizeof sample_series / sizeof sample_series[0]; s++) {
		for (int pool = 0; pool < 2; pool++) {
			char id[64];
			snprintf(id, sizeof id, strchr(sample_series[s].id, '%') != NULL ? "%.*s%d" : "%.*s",
			         (int)strcspn(sample_series[s].id, "%"), sample_series[s].id, pool);
			reduce(path, s, pool, width, wanted, bins);
			const char *label = sample_series[s].label;
			expect_series(panel_of(run, id), label != NULL ? label : tags[pool], wanted, bins);
		}
	}
	/* The bill: every sample up to there. */
	size_t rows;
	double *time = test_recorded_column(path, "samples", "time", &rows);
	double *cost = test_recorded_column(path, "samples", "cost_usd", &rows);
	for (size_t b = 0; b < bins; b++) {
		wanted[b] = 0;
		for (size_t i = 0; i < rows; i++) {
			wanted[b] += time[i] <= x[b] + 1e-3 ? cost[i] : 0;
		}
	}
	expect_series(panel_of(run, "bill"), "all pools", wanted, bins);
	expect_near(wanted[bins - 1], test_recorded_total(path, "cost_usd"), "bill", bins - 1);
	free(time);
	free(cost);
	free(wanted);
	free(x);
	cJSON_Delete(payload);
}
END_TEST

/* ---- decisions ---- */

START_TEST(marks_are_what_was_done)
{
	const char *path = elastic_run();
	cJSON *payload = payload_of(path);
	const cJSON *run = run_of(payload);
	size_t rows;
	double *action = test_recorded_column(path, "scaling_events", "action", &rows);
	double *pools = test_recorded_column(path, "scaling_events", "pool", &rows);
	double *done = test_recorded_column(path, "scaling_events", "done", &rows);
	double *time = test_recorded_column(path, "scaling_events", "time", &rows);
	const cJSON *table = find(cJSON_GetObjectItem(run, "tables"), "id", "decisions");
	for (int pool = 0; pool < 2; pool++) {
		char id[64];
		snprintf(id, sizeof id, "instances_%d", pool);
		double grown = 0;
		double shrunk = 0;
		double decisions = 0;
		for (size_t i = 0; i < rows; i++) {
			if (action[i] == WEIR_SCALING_RESIZE && pools[i] == pool) {
				grown += fmax(done[i], 0);
				shrunk += fmax(-done[i], 0);
				decisions++;
			}
		}
		ck_assert(grown + shrunk > 0);
		double marked_up = 0;
		double marked_down = 0;
		const cJSON *mark;
		cJSON_ArrayForEach(mark, cJSON_GetObjectItem(panel_of(run, id), "marks"))
		{
			const char *label = cJSON_GetObjectItem(mark, "label")->valuestring;
			double change = strtod(strrchr(label, ' '), NULL);
			bool up = strcmp(cJSON_GetObjectItem(mark, "kind")->valuestring, "up") == 0;
			ck_assert_int_eq(up, change > 0);
			*(up ? &marked_up : &marked_down) += fabs(change);
			bool at_an_event = false;
			for (size_t i = 0; i < rows; i++) {
				at_an_event = at_an_event ||
				              fabs(time[i] - cJSON_GetObjectItem(mark, "at")->valuedouble) < 1e-5;
			}
			ck_assert(at_an_event);
		}
		ck_assert_double_eq(marked_up, grown);
		ck_assert_double_eq(marked_down, shrunk);
		const cJSON *cells = cJSON_GetArrayItem(cJSON_GetObjectItem(table, "rows"), pool);
		ck_assert_double_eq(cJSON_GetArrayItem(cells, 2)->valuedouble, decisions);
		ck_assert_double_eq(cJSON_GetArrayItem(cells, 3)->valuedouble, grown);
		ck_assert_double_eq(cJSON_GetArrayItem(cells, 4)->valuedouble, shrunk);
	}
	free(action);
	free(pools);
	free(done);
	free(time);
	cJSON_Delete(payload);
}
END_TEST

/* ---- the heading ---- */

static double figure_of(const cJSON *run, const char *label)
{
	const cJSON *figure = find(cJSON_GetObjectItem(run, "figures"), "label", label);
	ck_assert_msg(figure != NULL, "no figure %s", label);
	return cJSON_GetObjectItem(figure, "value")->valuedouble;
}

START_TEST(the_heading_is_the_files)
{
	const char *path = elastic_run();
	cJSON *payload = payload_of(path);
	const cJSON *run = run_of(payload);
	ck_assert_str_eq(cJSON_GetObjectItem(run, "name")->valuestring, "elastic");
	ck_assert_str_eq(cJSON_GetObjectItem(run, "file")->valuestring, "elastic.h5");
	ck_assert(cJSON_IsNull(cJSON_GetObjectItem(run, "partial")));
	ck_assert_ptr_nonnull(strstr(cJSON_GetObjectItem(run, "config")->valuestring, "\"seed\""));
	double end = test_recorded_total(path, "end_time");
	double cost = test_recorded_total(path, "cost_usd");
	double tokens = test_recorded_total(path, "output_tokens_per_s") * end;
	const struct {
		const char *label;
		double wanted;
	} figures[] = {
	    {"Attainment", 100 * test_recorded_total(path, "attainment")},
	    {"Requests", test_recorded_total(path, "arrived")},
	    {"Completed", test_recorded_total(path, "requests_per_s")},
	    {"Cost", cost},
	    {"Cost rate", cost * 3600 / end},
	    {"Cost of 1M output tokens", cost * 1e6 / tokens},
	    {"Instance-hours", test_recorded_total(path, "instance_hours")},
	    {"Energy", test_recorded_total(path, "energy_kwh")},
	    {"Busy", 100 * test_recorded_total(path, "busy_share")},
	    {"Scale operations", test_recorded_total(path, "scale_operations")},
	};
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		ck_assert_double_eq_tol(figure_of(run, figures[i].label), figures[i].wanted,
		                        1e-3 * fabs(figures[i].wanted));
	}

	const cJSON *tables = cJSON_GetObjectItem(run, "tables");
	static const char *const columns[] = {"count", "mean", "std", "min",  "p50",
	                                      "p90",   "p95",  "p99", "p999", "max"};
	const cJSON *summary = cJSON_GetObjectItem(find(tables, "id", "summary"), "rows");
	ck_assert_int_eq(cJSON_GetArraySize(summary), WEIR_SUMMARY_COUNT);
	for (int c = 0; c < 10; c++) {
		size_t rows;
		double *values = test_recorded_column(path, "summary", columns[c], &rows);
		for (int i = 0; i < WEIR_SUMMARY_COUNT; i++) {
			const cJSON *cell = cJSON_GetArrayItem(cJSON_GetArrayItem(summary, i), 2 + c);
			ck_assert_double_le(fabs(cell->valuedouble - values[i]), 5.001e-6 * fabs(values[i]));
		}
		free(values);
	}
	ck_assert_double_eq_tol(
	    figure_of(run, "TTFT p99"),
	    cJSON_GetArrayItem(cJSON_GetArrayItem(summary, WEIR_SUMMARY_TTFT), 9)->valuedouble, 1e-2);
	const cJSON *row;
	cJSON_ArrayForEach(row, cJSON_GetObjectItem(find(tables, "id", "totals"), "rows"))
	{
		double wanted = test_recorded_total(path, row->child->valuestring);
		ck_assert_double_le(fabs(row->child->next->valuedouble - wanted), 1e-8 * fabs(wanted));
	}

	/* The verdict names what the tables say. */
	const cJSON *verdict = cJSON_GetObjectItem(run, "verdict");
	ck_assert_int_eq(cJSON_IsTrue(cJSON_GetObjectItem(verdict, "good")),
	                 test_recorded_total(path, "slo_met") == 1);
	const cJSON *slo = cJSON_GetObjectItem(find(tables, "id", "slo"), "rows");
	ck_assert_int_eq(cJSON_GetArraySize(slo), 9);
	bool kept = true;
	cJSON_ArrayForEach(row, slo)
	{
		bool yes = strcmp(cJSON_GetArrayItem(row, 3)->valuestring, "yes") == 0;
		ck_assert_int_eq(yes, cJSON_GetArrayItem(row, 1)->valuedouble <=
		                          cJSON_GetArrayItem(row, 2)->valuedouble);
		kept = kept && yes;
	}
	ck_assert_int_eq(kept, test_recorded_total(path, "slo_met") == 1);
	char text[64];
	snprintf(text, sizeof text, "cost %.2f USD", cost);
	ck_assert_ptr_nonnull(strstr(cJSON_GetObjectItem(verdict, "text")->valuestring, text));
	cJSON_Delete(payload);
}
END_TEST

/* Every panel that there is has been recomputed above. */
START_TEST(no_panel_is_unchecked)
{
	static const char *const checked[] = {"arrivals",
	                                      "prompt_tokens",
	                                      "output_tokens",
	                                      "ttft",
	                                      "tbt",
	                                      "e2e",
	                                      "outcomes",
	                                      "attainment",
	                                      "ttft_slowdown",
	                                      "tbt_slowdown",
	                                      "e2e_slowdown",
	                                      "ttft_cdf",
	                                      "tbt_cdf",
	                                      "e2e_cdf",
	                                      "ttft_slowdown_cdf",
	                                      "tbt_slowdown_cdf",
	                                      "e2e_slowdown_cdf",
	                                      "queue_0",
	                                      "queue_1",
	                                      "batch_size",
	                                      "batch_tokens",
	                                      "prompt_throughput",
	                                      "output_throughput",
	                                      "instances_0",
	                                      "instances_1",
	                                      "load_busy",
	                                      "load_kv",
	                                      "load_batch",
	                                      "load_concurrency",
	                                      "memory_0",
	                                      "memory_1",
	                                      "kv_traffic",
	                                      "power",
	                                      "cost_rate",
	                                      "bill"};
	cJSON *payload = payload_of(elastic_run());
	const cJSON *panels = cJSON_GetObjectItem(run_of(payload), "panels");
	size_t number = 0;
	const cJSON *panel;
	cJSON_ArrayForEach(panel, panels)
	{
		ck_assert_uint_lt(number, sizeof checked / sizeof checked[0]);
		ck_assert_str_eq(cJSON_GetObjectItem(panel, "id")->valuestring, checked[number++]);
		size_t points;
		free(axis_of(panel, &points));
		const cJSON *series;
		cJSON_ArrayForEach(series, cJSON_GetObjectItem(panel, "series"))
		{
			ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(series, "values")),
			                 (int)points);
		}
		ck_assert(cJSON_GetObjectItem(panel, "note")->valuestring[0] != '\0');
	}
	ck_assert_uint_eq(number, sizeof checked / sizeof checked[0]);
	cJSON_Delete(payload);
}
END_TEST

/* ---- odd runs ---- */

static cJSON *odd_run(const char *name, const char *trace_text, const char *set)
{
	char trace[600];
	const char *csv = test_path("odd.csv");
	test_write_file(csv, trace_text);
	snprintf(trace, sizeof trace, "trace.path=%s", csv);
	const weir_config *config = test_config(TEST_PARITY_CONFIG, trace, set, NULL);
	test_run(config, test_path(name), NULL);
	weir_config_destroy(config);
	return payload_of(test_path(name));
}

static const char *verdict_of(const cJSON *payload)
{
	const cJSON *verdict = cJSON_GetObjectItem(run_of(payload), "verdict");
	return cJSON_GetObjectItem(verdict, "text")->valuestring;
}

#define HEADER "request_id,arrival_timestamp,prompt_size,token_size\n"

START_TEST(one_request)
{
	cJSON *payload = odd_run("one.h5", HEADER "0,0.5,100,20\n", "sampling.interval=0");
	const cJSON *run = run_of(payload);
	ck_assert_ptr_nonnull(strstr(verdict_of(payload), "SLO met"));
	ck_assert_ptr_nonnull(strstr(verdict_of(payload), "no bottleneck"));
	ck_assert_double_eq(figure_of(run, "Requests"), 1);
	size_t count;
	double *x = axis_of(panel_of(run, "ttft_cdf"), &count);
	ck_assert_double_eq(x[0], x[count - 1]);
	free(x);
	/* Without samples there is nothing of pools. */
	ck_assert_ptr_null(find(cJSON_GetObjectItem(run, "panels"), "id", "load_busy"));
	cJSON_Delete(payload);
}
END_TEST

START_TEST(all_rejected)
{
	cJSON *payload = odd_run("rejected.h5", HEADER "0,0.5,900000,20\n1,5,900000,3\n", NULL);
	const cJSON *run = run_of(payload);
	ck_assert_ptr_nonnull(strstr(verdict_of(payload),
	                             "0 of 2 requests completed: 0 failed, 2 were rejected. SLO "
	                             "missed; 0.00 % of requests"));
	ck_assert_ptr_null(find(cJSON_GetObjectItem(run, "panels"), "id", "ttft_cdf"));
	size_t count;
	double *rejected = series_of(panel_of(run, "outcomes"), "rejected", &count);
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += rejected[i];
	}
	ck_assert_double_eq(sum, 2);
	free(rejected);
	double *ttft = series_of(panel_of(run, "ttft"), "p50", &count);
	ck_assert(isnan(ttft[0]) && isnan(ttft[count - 1]));
	free(ttft);
	cJSON_Delete(payload);
}
END_TEST

START_TEST(unfinished_ones_are_late_or_open)
{
	/* Cut off 1 s after the last arrival; a prompt that has waited so long is past its limit. */
	const weir_config *config =
	    test_config(TEST_PARITY_CONFIG, "trace.path=" WEIR_SOURCE_DIR "/tests/parity/syn_burst.csv",
	                "servers=dgx-a100:1", NULL);
	weir_run_options options = weir_run_options_default();
	options.output = test_path("cut.h5");
	options.until = 40;
	weir_run_result result;
	weir_error error = {0};
	ck_assert_ok(weir_run(config, &options, &result, &error), &error);
	weir_config_destroy(config);
	const char *path = test_path("cut.h5");
	cJSON *payload = payload_of(path);
	const cJSON *run = run_of(payload);
	size_t count;
	double *attainment = series_of(panel_of(run, "attainment"), "attainment", &count);
	double *met = series_of(panel_of(run, "outcomes"), "kept the SLO", &count);
	double *late = series_of(panel_of(run, "outcomes"), "late", &count);
	double *open = series_of(panel_of(run, "outcomes"), "unfinished", &count);
	double mets = 0;
	double judged = 0;
	double opens = 0;
	for (size_t b = 0; b < count; b++) {
		mets += met[b];
		judged += met[b] + late[b];
		opens += open[b];
	}
	ck_assert(opens > 0);
	ck_assert_double_eq(judged + opens, test_recorded_total(path, "arrived"));
	ck_assert_double_eq_tol(mets / judged, test_recorded_total(path, "attainment"), 1e-12);
	ck_assert(judged > test_recorded_total(path, "completed"));
	free(attainment);
	free(met);
	free(late);
	free(open);
	cJSON_Delete(payload);
}
END_TEST

START_TEST(files_that_are_refused)
{
	static const char *const none[] = {"none.h5"};
	cJSON *payload = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_report_data(none, 1, &payload, &error), WEIR_ERROR_IO);
	ck_assert_ptr_null(payload);
	const char *paths[] = {elastic_run(), test_path("text.h5")};
	test_write_file(paths[1], "no run");
	ck_assert_int_eq(weir_report_data(paths, 2, &payload, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(payload);
	ck_assert_str_eq(error.where, paths[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report_data");
	TCase *tcase = tcase_create("report_data");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, requests_are_in_their_bins);
	tcase_add_test(tcase, samples_are_in_their_bins);
	tcase_add_test(tcase, marks_are_what_was_done);
	tcase_add_test(tcase, the_heading_is_the_files);
	tcase_add_test(tcase, no_panel_is_unchecked);
	tcase_add_test(tcase, one_request);
	tcase_add_test(tcase, all_rejected);
	tcase_add_test(tcase, unfinished_ones_are_late_or_open);
	tcase_add_test(tcase, files_that_are_refused);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
