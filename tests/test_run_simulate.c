/* A run in memory has the figures that the same run records. */
#include "run/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define TRACES WEIR_SOURCE_DIR "/tests/parity/"

#define POISSON                                                                                    \
	"workload={\"count\": 40000, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 12},"             \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 20,"   \
	" \"sigma\": 1.5, \"maximum\": 900}}}"

static bool same(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b;
}

static void check_statistic(const char *path, const char *name, const weir_summary_metric *metrics,
                            size_t offset)
{
	size_t count = 0;
	double *recorded = test_recorded_column(path, "summary", name, &count);
	ck_assert_uint_eq(count, WEIR_SUMMARY_COUNT);
	for (size_t i = 0; i < count; i++) {
		double value;
		memcpy(&value, (const char *)&metrics[i] + offset, sizeof value);
		ck_assert_msg(same(value, recorded[i]), "%s of %s is %.17g, recorded %.17g", name,
		              metrics[i].metric, value, recorded[i]);
	}
	free(recorded);
}

static void check_summary(const char *path, const weir_summary *summary)
{
	size_t count = 0;
	double *recorded = test_recorded_column(path, "summary", "count", &count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_double_eq((double)summary->metrics[i].count, recorded[i]);
	}
	free(recorded);
#define CHECK_STATISTIC(field, description)                                                        \
	check_statistic(path, #field, summary->metrics, offsetof(weir_summary_metric, field));
	WEIR_SUMMARY_STATISTICS(CHECK_STATISTIC)
#undef CHECK_STATISTIC
	recorded = test_recorded_column(path, "totals", "value", &count);
	ck_assert_uint_eq(count, weir_total_count);
	for (size_t i = 0; i < count; i++) {
		double value;
		memcpy(&value, (const char *)&summary->totals + weir_total_descriptions[i].offset,
		       sizeof value);
		ck_assert_msg(same(value, recorded[i]), "%s is %.17g, recorded %.17g",
		              weir_total_descriptions[i].name, value, recorded[i]);
	}
	free(recorded);
}

/* Runs both ways; returns the one in memory. */
static weir_simulate_result compare(const weir_config *config, double until)
{
	const char *path = test_path("recorded.h5");
	weir_run_options recorded = weir_run_options_default();
	recorded.output = path;
	recorded.until = until;
	weir_run_result run;
	weir_error error = {0};
	ck_assert_ok(weir_run(config, &recorded, &run, &error), &error);
	weir_simulate_options options = weir_simulate_options_default();
	options.until = until;
	weir_simulate_result result;
	ck_assert_ok(weir_simulate(config, &options, &result, &error), &error);
	check_summary(path, &result.summary);
	ck_assert_uint_eq(result.counters.arrived, run.counters.arrived);
	ck_assert_uint_eq(result.counters.completed, run.counters.completed);
	ck_assert_uint_eq(result.counters.iterations, run.counters.iterations);
	ck_assert_int_eq(result.stalled, run.stalled);
	weir_config_destroy(config);
	return result;
}

START_TEST(equals_what_is_recorded)
{
	/* More rows than are read at once (32,768). */
	weir_simulate_result all =
	    compare(test_config(TEST_PARITY_CONFIG, POISSON, "seed=5", "scheduler.kind=random",
	                        "servers=dgx-h100:8", NULL),
	            (double)INFINITY);
	ck_assert_double_eq(all.summary.totals.completed, 40000.0);
	ck_assert_int_lt(all.summary.metrics[WEIR_SUMMARY_TBT].count, 40000);
	/* Cut short: some requests are unfinished. */
	weir_simulate_result cut =
	    compare(test_config(TEST_PARITY_CONFIG, "trace.path=" TRACES "syn_burst.csv",
	                        "servers=dgx-h100:1,dgx-a100:1", "trace.max_requests=900", NULL),
	            20.0);
	ck_assert_double_gt(cut.summary.totals.unfinished, 0.0);
	ck_assert_double_gt(cut.summary.totals.completed, 0.0);
	/* Nothing happens at all. */
	weir_simulate_result none =
	    compare(test_config(TEST_PARITY_CONFIG, "trace.path=" TRACES "syn_burst.csv", NULL), 0.0);
	ck_assert_double_eq(none.summary.totals.completed, 0.0);
}
END_TEST

static bool stop_at_100(void *context, const weir_run_progress *progress)
{
	*(weir_run_progress *)context = *progress;
	return progress->now < 100.0;
}

START_TEST(progress_can_stop_it)
{
	const weir_config *config = test_config(TEST_PARITY_CONFIG, POISSON, NULL);
	weir_run_progress seen = {0};
	weir_simulate_options options = weir_simulate_options_default();
	options.progress = stop_at_100;
	options.context = &seen;
	weir_simulate_result result;
	weir_error error = {0};
	ck_assert_int_eq(weir_simulate(config, &options, &result, &error), WEIR_ERROR_INTERRUPTED);
	ck_assert_double_ge(seen.now, 100.0);
	ck_assert_uint_gt(seen.arrived, 500);
	weir_config_destroy(config);
}
END_TEST

START_TEST(errors_come_through)
{
	const char *path = test_path("bad.csv");
	test_write_file(path, "request_id,request_type,application_id,arrival_timestamp,batch_size,"
	                      "prompt_size,token_size\n0,2,0,0.5,1,100,20\n1,2,0,0.1,1,100,20\n");
	char set[600];
	snprintf(set, sizeof set, "trace.path=%s", path);
	const weir_config *config = test_config(TEST_PARITY_CONFIG, set, NULL);
	weir_simulate_options options = weir_simulate_options_default();
	weir_simulate_result result;
	weir_error error = {0};
	ck_assert_int_eq(weir_simulate(config, &options, &result, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "bad.csv:3"));
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run/simulate");
	TCase *tests = tcase_create("simulate");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, equals_what_is_recorded);
	tcase_add_test(tests, progress_can_stop_it);
	tcase_add_test(tests, errors_come_through);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
