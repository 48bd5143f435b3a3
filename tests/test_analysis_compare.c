/* Runs side by side: figures and pairs against the columns of the files, the front by hand. */
#include "analysis/compare.h"

#include <cjson/cJSON.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/quantile.h"
#include "run/cluster.h"
#include "serving/request_row.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define SCENARIO WEIR_CONFIG_DIRECTORY "/scenarios/diurnal.json"

static char paths[3][512];

/* Two policies on one trace, and another trace. */
static void make_runs(void)
{
	static const char *const changes[][2] = {
	    {"seed=1", NULL}, {"seed=1", "policies=\"reactive\""}, {"seed=2", NULL}};
	static const char *const names[] = {"never.h5", "reactive.h5", "other.h5"};
	if (paths[0][0] != '\0') {
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		const weir_config *config =
		    test_config(SCENARIO, "workload.duration=600", "sampling.interval=2",
		                "servers=dgx-a100:8", "pools=prompt:5,token:3", "workload.arrivals.mean=11",
		                "workload.arrivals.period=600", changes[i][0], changes[i][1], NULL);
		snprintf(paths[i], sizeof paths[i], "%s", test_path(names[i]));
		test_run(config, paths[i], NULL);
		weir_config_destroy(config);
	}
}

static weir_comparison compare_all(void)
{
	make_runs();
	const char *const list[] = {paths[0], paths[1], paths[2]};
	weir_comparison comparison;
	weir_error error = {0};
	ck_assert_ok(weir_compare(list, 3, &comparison, &error), &error);
	ck_assert_uint_eq(comparison.count, 3);
	return comparison;
}

START_TEST(figures_are_the_files)
{
	weir_comparison comparison = compare_all();
	for (size_t i = 0; i < 3; i++) {
		const weir_compared_run *run = &comparison.runs[i];
		const char *path = paths[i];
		ck_assert_double_eq(run->cost_usd, test_recorded_total(path, "cost_usd"));
		ck_assert_double_eq(run->instance_hours, test_recorded_total(path, "instance_hours"));
		ck_assert_double_eq(run->energy_kwh, test_recorded_total(path, "energy_kwh"));
		ck_assert_double_eq(run->scale_operations, test_recorded_total(path, "scale_operations"));
		ck_assert_double_eq(run->attainment, test_recorded_total(path, "attainment"));
		ck_assert_double_eq(run->slo_met, test_recorded_total(path, "slo_met"));
		ck_assert_double_eq_tol(run->requests_per_s, test_recorded_total(path, "requests_per_s"),
		                        1e-9);
		ck_assert_double_eq(run->output_tokens_per_s,
		                    test_recorded_total(path, "output_tokens_per_s"));
		ck_assert_double_eq(run->arrived, test_recorded_total(path, "arrived"));
		ck_assert_double_eq(run->completed, test_recorded_total(path, "completed"));
		ck_assert_double_eq(run->rejected, 0);
		ck_assert_double_eq(run->failed, 0);
		ck_assert_double_eq(run->unfinished, 0);
		ck_assert_ptr_null(run->partial);
		static const char *const columns[] = {"ttft", "tbt", "e2e"};
		static const double probabilities[] = {0.5, 0.9, 0.99};
		for (size_t m = 0; m < WEIR_COMPARE_LATENCIES; m++) {
			size_t count;
			size_t kept = 0;
			double quantiles[3];
			double *values = test_recorded_column(path, "requests", columns[m], &count);
			for (size_t r = 0; r < count; r++) {
				if (isfinite(values[r])) {
					values[kept++] = values[r];
				}
			}
			weir_quantiles(values, kept, probabilities, 3, quantiles);
			ck_assert_double_eq_tol(run->metrics[m].p50, quantiles[0], 1e-9);
			ck_assert_double_eq_tol(run->metrics[m].p90, quantiles[1], 1e-9);
			ck_assert_double_eq_tol(run->metrics[m].p99, quantiles[2], 1e-9);
			free(values);
		}
		/* The file's own rows of the summary: 7, 8 and 9 are the slowdowns. */
		size_t count;
		double *p90 = test_recorded_column(path, "summary", "p90", &count);
		for (size_t m = WEIR_COMPARE_LATENCIES; m < WEIR_COMPARE_METRICS; m++) {
			ck_assert_double_eq(run->metrics[m].p90, p90[7 + m - WEIR_COMPARE_LATENCIES]);
		}
		free(p90);
	}
	ck_assert_str_eq(comparison.runs[1].name, "reactive");
	ck_assert(comparison.runs[1].scale_operations > 0);
	weir_comparison_release(&comparison);
}
END_TEST

static double time_of(const weir_request_row *row, size_t latency)
{
	return latency == 0 ? row->ttft : latency == 1 ? row->tbt : row->e2e;
}

static const weir_request_row *row_of(const weir_request_row *rows, size_t count, int64_t id)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].request_id == id) {
			return &rows[i];
		}
	}
	return NULL;
}

/* By another way: a plain search for every id, and GSL's mean, deviation and t. */
START_TEST(pairs_are_the_same_requests)
{
	weir_comparison comparison = compare_all();
	const weir_compare_pairing *pairing = &comparison.runs[1].pairing;
	size_t count;
	size_t other_count;
	weir_request_row *first = test_recorded_rows(paths[0], &count);
	weir_request_row *other = test_recorded_rows(paths[1], &other_count);
	ck_assert_uint_eq(count, other_count);
	ck_assert_msg(pairing->same, "%s", pairing->reason);
	char wanted[64];
	snprintf(wanted, sizeof wanted, "the same trace: %zu requests", count);
	ck_assert_str_eq(pairing->reason, wanted);
	double *differences = malloc(count * sizeof *differences);
	for (size_t m = 0; m < WEIR_COMPARE_LATENCIES; m++) {
		const weir_compare_paired *paired = &pairing->latencies[m];
		size_t n = 0;
		size_t better = 0;
		size_t worse = 0;
		for (size_t i = 0; i < count; i++) {
			const weir_request_row *row = row_of(other, count, first[i].request_id);
			ck_assert_ptr_nonnull(row);
			double difference = time_of(row, m) - time_of(&first[i], m);
			if (!isnan(difference)) {
				differences[n++] = difference;
				better += difference < 0;
				worse += difference > 0;
			}
		}
		double mean = gsl_stats_mean(differences, 1, n);
		double half = gsl_cdf_tdist_Pinv(0.975, (double)(n - 1)) * gsl_stats_sd(differences, 1, n) /
		              sqrt((double)n);
		ck_assert_uint_eq(paired->difference.count, n);
		ck_assert_double_eq_tol(paired->difference.value, mean, 1e-9);
		ck_assert_double_eq_tol(paired->difference.half_width, half, 1e-9);
		ck_assert_double_eq_tol(paired->better, (double)better / (double)n, 1e-12);
		ck_assert_double_eq_tol(paired->worse, (double)worse / (double)n, 1e-12);
		ck_assert(better > 0 && worse > 0);
	}
	free(differences);
	free(first);
	free(other);
	ck_assert(!comparison.runs[2].pairing.same);
	ck_assert_ptr_nonnull(strstr(comparison.runs[2].pairing.reason, "not the same trace: "));
	ck_assert(isnan(comparison.runs[2].pairing.latencies[0].difference.value));
	weir_comparison_release(&comparison);
}
END_TEST

/* A run of a trace written here, two servers. */
static void run_trace(const char *trace, const char *name, char path[512])
{
	char setting[600];
	char csv[512];
	snprintf(csv, sizeof csv, "%s", test_path("trace.csv"));
	snprintf(setting, sizeof setting, "trace.path=%s", csv);
	test_write_file(csv, trace);
	const weir_config *config = test_config(TEST_PARITY_CONFIG, setting, NULL);
	snprintf(path, 512, "%s", test_path(name));
	test_run(config, path, NULL);
	weir_config_destroy(config);
}

#define HEADER "request_id,arrival_timestamp,prompt_size,token_size\n"

START_TEST(what_makes_a_trace_another)
{
	static const struct {
		const char *trace, *reason;
	} cases[] = {
	    {HEADER "0,0,100,20\n1,1,200,5\n2,9,300,7\n", "the same trace: 3 requests"},
	    {HEADER "0,0,100,20\n1,1,201,5\n2,9,300,7\n",
	     "not the same trace: the prompt_tokens of request 1 is 201, and 200 in the first run"},
	    {HEADER "0,0,100,20\n1,1,200,5\n2,9,300,8\n",
	     "not the same trace: the output_tokens of request 2 is 8, and 7 in the first run"},
	    {HEADER "0,0,100,20\n1,1.5,200,5\n2,9,300,7\n",
	     "not the same trace: the arrival of request 1 is 1.5, and 1 in the first run"},
	    {HEADER "0,0,100,20\n1,1,200,5\n",
	     "not the same trace: 2 requests, 3 in the first run, 2 ids in both"},
	    {HEADER "10,0,100,20\n11,1,200,5\n12,9,300,7\n", "no request is in both runs"},
	};
	char first[512];
	char other[512];
	run_trace(cases[0].trace, "first.h5", first);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		run_trace(cases[i].trace, "other_trace.h5", other);
		const char *const list[] = {first, other};
		weir_comparison comparison;
		weir_error error = {0};
		ck_assert_ok(weir_compare(list, 2, &comparison, &error), &error);
		ck_assert_str_eq(comparison.runs[1].pairing.reason, cases[i].reason);
		ck_assert_int_eq(comparison.runs[1].pairing.same, i == 0);
		if (i == 0) { /* equal runs: nobody is better or worse */
			const weir_compare_paired *paired = comparison.runs[1].pairing.latencies;
			ck_assert_double_eq(paired->difference.value, 0);
			ck_assert_double_eq(paired->difference.half_width, 0);
			ck_assert_double_eq(paired->better, 0);
			ck_assert_double_eq(paired->worse, 0);
			ck_assert(comparison.runs[0].on_front && comparison.runs[1].on_front);
		}
		weir_comparison_release(&comparison);
		remove(other);
	}
}
END_TEST

START_TEST(the_front)
{
	const double nan = (double)NAN;
	const struct {
		double cost, attainment;
		bool judged, front;
	} cases[] = {
	    {10, 0.90, true, true},  {20, 0.99, true, true},   {20, 0.95, true, false},
	    {15, 0.90, true, false}, {10, 0.90, true, true},  /* a twin */
	    {12, 0.95, true, true},  {1, 1.00, false, false}, /* a part of a run */
	    {30, 0.99, true, false}, {nan, nan, false, false},
	};
	enum { COUNT = sizeof cases / sizeof cases[0] };
	weir_compared_run runs[COUNT] = {{.name = NULL}};
	for (size_t i = 0; i < COUNT; i++) {
		runs[i].cost_usd = cases[i].cost;
		runs[i].attainment = cases[i].attainment;
		runs[i].judged = cases[i].judged;
	}
	weir_compare_front(runs, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_msg(runs[i].on_front == cases[i].front, "run %zu", i);
	}
}
END_TEST

static cJSON *find_row(const cJSON *table, int row)
{
	return cJSON_GetArrayItem(cJSON_GetObjectItem(table, "rows"), row);
}

START_TEST(layouts_say_the_same)
{
	weir_comparison comparison = compare_all();
	char *json = weir_comparison_print(&comparison, WEIR_TABLE_AS_JSON);
	char *csv = weir_comparison_print(&comparison, WEIR_TABLE_AS_CSV);
	char *text = weir_comparison_print(&comparison, WEIR_TABLE_AS_TEXT);
	char *markdown = weir_comparison_print(&comparison, WEIR_TABLE_AS_MARKDOWN);
	ck_assert(json != NULL && csv != NULL && text != NULL && markdown != NULL);
	cJSON *table = cJSON_Parse(json);
	const cJSON *row = find_row(table, 1);
	const weir_compared_run *run = &comparison.runs[1];
	static const char *const names[WEIR_COMPARE_METRICS] = {
	    "ttft", "tbt", "e2e", "ttft_slowdown", "tbt_slowdown", "e2e_slowdown"};
	for (size_t m = 0; m < WEIR_COMPARE_METRICS; m++) {
		const double values[] = {run->metrics[m].p50, run->metrics[m].p90, run->metrics[m].p99};
		static const char *const suffixes[] = {"p50", "p90", "p99"};
		for (size_t p = 0; p < 3; p++) {
			char name[64];
			snprintf(name, sizeof name, "%s_%s", names[m], suffixes[p]);
			ck_assert_double_eq(cJSON_GetObjectItem(row, name)->valuedouble, values[p]);
		}
	}
	const struct {
		const char *name;
		double value;
	} figures[] = {{"cost", run->cost_usd},
	               {"instance_hours", run->instance_hours},
	               {"attainment", 100 * run->attainment},
	               {"requests_per_s", run->requests_per_s},
	               {"output_tokens_per_s", run->output_tokens_per_s},
	               {"scale_operations", run->scale_operations},
	               {"energy", run->energy_kwh},
	               {"arrived", run->arrived},
	               {"completed", run->completed},
	               {"rejected", 0},
	               {"failed", 0},
	               {"unfinished", 0},
	               {"ttft_better", 100 * run->pairing.latencies[0].better},
	               {"e2e_worse", 100 * run->pairing.latencies[2].worse}};
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		ck_assert_double_eq(cJSON_GetObjectItem(row, figures[i].name)->valuedouble,
		                    figures[i].value);
	}
	const cJSON *difference = cJSON_GetObjectItem(row, "tbt_difference");
	ck_assert_double_eq(cJSON_GetObjectItem(difference, "value")->valuedouble,
	                    run->pairing.latencies[1].difference.value);
	ck_assert_double_eq(cJSON_GetObjectItem(difference, "half_width")->valuedouble,
	                    run->pairing.latencies[1].difference.half_width);
	ck_assert_str_eq(cJSON_GetObjectItem(row, "same_trace")->valuestring, "yes");
	ck_assert_str_eq(cJSON_GetObjectItem(find_row(table, 2), "same_trace")->valuestring, "no");
	ck_assert_str_eq(cJSON_GetObjectItem(find_row(table, 0), "same_trace")->valuestring, "first");
	ck_assert_str_eq(cJSON_GetObjectItem(row, "pareto")->valuestring,
	                 run->on_front ? "front" : "no");
	ck_assert(cJSON_IsNull(
	    cJSON_GetObjectItem(cJSON_GetObjectItem(find_row(table, 2), "tbt_difference"), "value")));
	cJSON_Delete(table);
	size_t lines = 0;
	for (const char *c = csv; *c != '\0'; c++) {
		lines += *c == '\n';
	}
	ck_assert_uint_eq(lines, 4);
	ck_assert_ptr_nonnull(strstr(csv, "\nreactive,"));
	ck_assert_ptr_nonnull(strstr(text, "Same requests: time in this run - time in never"));
	ck_assert_ptr_nonnull(strstr(text, "\nother: not the same trace: "));
	ck_assert_ptr_nonnull(strstr(markdown, "\n| reactive |"));
	free(json);
	free(csv);
	free(text);
	free(markdown);
	weir_comparison_release(&comparison);
}
END_TEST

START_TEST(files_that_are_refused)
{
	make_runs();
	char text[512];
	snprintf(text, sizeof text, "%s", test_path("text.h5"));
	test_write_file(text, "no run");
	const char *const bad[][2] = {{paths[0], text}, {"none.h5", paths[0]}};
	static const weir_status statuses[] = {WEIR_ERROR_INPUT, WEIR_ERROR_IO};
	for (size_t i = 0; i < 2; i++) {
		weir_comparison comparison;
		weir_error error = {0};
		ck_assert_int_eq(weir_compare(bad[i], 2, &comparison, &error), statuses[i]);
		ck_assert_str_eq(error.where, bad[i][1 - i]);
		ck_assert_ptr_null(comparison.runs);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis/compare");
	TCase *tcase = tcase_create("compare");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, figures_are_the_files);
	tcase_add_test(tcase, pairs_are_the_same_requests);
	tcase_add_test(tcase, what_makes_a_trace_another);
	tcase_add_test(tcase, the_front);
	tcase_add_test(tcase, layouts_say_the_same);
	tcase_add_test(tcase, files_that_are_refused);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
