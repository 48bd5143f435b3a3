/* Long runs: the series of a run, its warm-up and its batch means. */
#include "study/long_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/mser.h"
#include "config/config.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define WORKLOAD                                                                                   \
	"workload={\"count\": 600, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 9},"                \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 20,"   \
	" \"sigma\": 1.5, \"maximum\": 900}}}"

static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};
static const char *const sets[] = {WORKLOAD, "servers=dgx-a100:4"};

static weir_replication run_of(double until)
{
	return (weir_replication){.config = {.path = TEST_PARITY_CONFIG,
	                                     .directories = directories,
	                                     .sets = sets,
	                                     .set_count = 2},
	                          .scenario = "poisson",
	                          .policy = "none",
	                          .until = until};
}

/* The same series, by way of a file: the recorded rows in the order of their arrivals. */
START_TEST(series_of_a_recorded_run)
{
	weir_error error = {0};
	weir_long_result result;
	const weir_replication run = run_of((double)INFINITY);
	ck_assert_ok(weir_long_run(&run, 0.9, &result, &error), &error);
	const weir_config *config = NULL;
	ck_assert_ok(weir_config_load_member(&run.config, 0, &config, &error), &error);
	ck_assert_uint_eq(result.seed, config->seed);
	weir_run_result recorded = test_run(config, test_path("run.h5"), NULL);
	size_t count = 0;
	weir_request_row *rows = test_recorded_rows(test_path("run.h5"), &count);
	ck_assert_uint_eq(count, 600);
	double *values = calloc(count, sizeof *values);
	for (int f = 0; f < WEIR_LONG_ATTAINMENT; f++) {
		/* Ids count the arrivals from 0. */
		for (size_t i = 0; i < count; i++) {
			values[rows[i].request_id] = f == WEIR_LONG_TTFT ? rows[i].ttft : rows[i].e2e;
		}
		weir_truncation warm_up;
		weir_batch_means means;
		ck_assert_ok(weir_mser5(values, count, &warm_up, &error), &error);
		ck_assert_ok(weir_batch_means_of(values + warm_up.dropped, count - warm_up.dropped,
		                                 WEIR_LONG_BATCHES, 0.9, &means, &error),
		             &error);
		const weir_long_series *series = &result.series[f];
		ck_assert_uint_eq(series->count, count);
		ck_assert_uint_eq(series->dropped, warm_up.dropped);
		ck_assert_int_eq(series->settled, warm_up.settled);
		ck_assert_double_eq(series->means.interval.value, means.interval.value);
		ck_assert_double_eq(series->means.interval.half_width, means.interval.half_width);
	}
	ck_assert_uint_eq(result.series[WEIR_LONG_ATTAINMENT].count, count);
	ck_assert_double_eq(recorded.summary.totals.completed, 600.0);
	free(values);
	free(rows);
	weir_config_destroy(config);
}
END_TEST

/* The attainment of a run that is cut off leaves out those that may still be in time. */
START_TEST(attainment_of_a_run_cut_off)
{
	weir_error error = {0};
	weir_long_result result;
	weir_replication_result *plain = calloc(1, sizeof *plain);
	const weir_replication run = run_of(25.0);
	ck_assert_ok(weir_long_run(&run, 0.95, &result, &error), &error);
	ck_assert_ok(weir_replication_run(&run, plain, &error), &error);
	const weir_totals *totals = &plain->run.summary.totals;
	const weir_long_series *series = &result.series[WEIR_LONG_ATTAINMENT];
	ck_assert_double_gt(totals->unfinished, 0.0);
	ck_assert_uint_gt(series->count, (size_t)totals->completed - 1);
	ck_assert_uint_le(series->count, (size_t)totals->arrived);
	ck_assert_double_eq((double)result.series[WEIR_LONG_TTFT].count, totals->completed);
	/* attainment = met / counted: met is a whole number only for the right count. */
	double met = totals->attainment * (double)series->count;
	ck_assert_double_eq_tol(met, round(met), 1e-9);
	ck_assert_double_lt(totals->attainment, 1.0);
	/* Batches of equal size: their mean is that of the requests in them, each 0 or 1. */
	double kept = (double)(series->count - series->dropped - series->means.skipped);
	double kept_met = series->means.interval.value * kept;
	ck_assert_double_eq_tol(kept_met, round(kept_met), 1e-9);
	ck_assert_double_gt(kept_met, 0.0);
	ck_assert_double_le(kept_met, met + 1e-9);
	ck_assert_double_le(kept - kept_met, (double)series->count - met + 1e-9);
	free(plain);
}
END_TEST

START_TEST(too_few_requests)
{
	weir_error errors[1];
	weir_error error = {0};
	weir_long_result result;
	const weir_replication run = run_of(1.0);
	const weir_pool_options options = {.workers = 1};
	ck_assert_int_eq(weir_long_runs(&run, 1, 0.95, &options, &result, errors, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "poisson, none, one long run: "));
	ck_assert_ptr_nonnull(strstr(error.message, "too few"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("study/long_run");
	TCase *tests = tcase_create("long_run");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, series_of_a_recorded_run);
	tcase_add_test(tests, attainment_of_a_run_cut_off);
	tcase_add_test(tests, too_few_requests);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
