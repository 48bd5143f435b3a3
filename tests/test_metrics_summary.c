/* The summary of a run, worked out by hand. */
#include "metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serving/request_row.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

/* A request alone: its prompt 1 s; a token 0.1 s on either baseline's curve. */
static const small_time curves = {.base = {&small_time_type},
                                  .speed = {.prompt_s = 1.0, .token_s = 0.1}};
static const weir_slo_reference references[] = {{&curves.base, true}};
static const weir_slo_config config = {
    .baseline = WEIR_BASELINE_UNLOADED,
    .per_request = {.ttft = 6, .tbt = 5, .e2e = 5},
    .p50 = {2, 1.25, 1.25},
    .p90 = {3, 1.5, 5},
    .p99 = {6, 5, 5},
};
static const weir_slo slo = {&config, references, 1};
static const double tolerance = 1e-12;

typedef struct table {
	const weir_request_row *rows;
	const char *broken; /* a column that cannot be read */
} table;

static weir_status read_column(void *context, const char *column, uint64_t first, uint64_t count,
                               double *values, weir_error *error)
{
	const table *t = context;
	if (t->broken != NULL && strcmp(column, t->broken) == 0) {
		return weir_error_set(error, WEIR_ERROR_IO, NULL, "unreadable");
	}
	for (uint64_t i = 0; i < count; i++) {
		const weir_request_row *row = &t->rows[first + i];
#define READ(field, type, column_type, unit, description)                                          \
	if (strcmp(column, #field) == 0) {                                                             \
		values[i] = (double)row->field;                                                            \
		continue;                                                                                  \
	}
		WEIR_REQUEST_ROW(READ)
#undef READ
		ck_abort_msg("no column %s", column);
	}
	return WEIR_OK;
}

static weir_summary summary_of(const weir_request_row *rows, size_t count, double end_time)
{
	table t = {.rows = rows};
	weir_request_columns columns = {.context = &t, .rows = count, .read = read_column};
	weir_summary summary = {.totals = {.end_time = end_time, .energy_kwh = 7}};
	weir_error error = {0};
	ck_assert_ok(weir_summary_compute(&columns, &slo, &summary, &error), &error);
	ck_assert_double_eq(summary.totals.energy_kwh, 7);
	return summary;
}

/* Completed, of 100 prompt tokens, with the given TTFT and TBT. */
static weir_request_row completed(double arrival, double ttft, int32_t output_tokens, double tbt)
{
	return (weir_request_row){
	    .arrival = arrival,
	    .prompt_tokens = 100,
	    .output_tokens = output_tokens,
	    .queue_time = ttft - 1,
	    .ttft = ttft,
	    .second_token_gap = output_tokens > 1 ? 0.25 : NAN,
	    .tbt = output_tokens > 1 ? tbt : NAN,
	    .e2e = ttft + (output_tokens - 1) * (output_tokens > 1 ? tbt : 0),
	    .status = WEIR_REQUEST_COMPLETED,
	};
}

static weir_request_row other(weir_request_status status, double arrival, double ttft)
{
	weir_request_row row = completed(arrival, ttft, 11, NAN);
	row.queue_time = ttft - 1;
	row.second_token_gap = row.tbt = row.e2e = NAN;
	row.status = (uint8_t)status;
	return row;
}

static void check_all_nan(const weir_summary_metric *metric)
{
#define CHECK(field, description) ck_assert_double_nan(metric->field);
	WEIR_SUMMARY_STATISTICS(CHECK)
#undef CHECK
	ck_assert_int_eq(metric->count, 0);
}

START_TEST(an_empty_run_has_counts_of_zero_and_no_statistics)
{
	weir_summary summary = summary_of(NULL, 0, 0.0);
	ck_assert_double_eq(summary.totals.arrived, 0);
	ck_assert_double_eq(summary.totals.completed, 0);
	ck_assert_double_eq(summary.totals.last_arrival, 0);
	ck_assert_double_eq(summary.totals.preemptions, 0);
	ck_assert_double_nan(summary.totals.attainment);
	ck_assert_double_eq(summary.totals.slo_met, 0);
	for (int i = 0; i < WEIR_SUMMARY_COUNT; i++) {
		check_all_nan(&summary.metrics[i]);
	}
	ck_assert_str_eq(summary.metrics[WEIR_SUMMARY_TTFT].metric, "ttft");
	ck_assert_str_eq(summary.metrics[WEIR_SUMMARY_TTFT].unit, "s");
}
END_TEST

START_TEST(one_request_is_all_of_its_statistics)
{
	weir_request_row row = completed(3.0, 1.5, 11, 0.125);
	row.preemptions = 2;
	weir_summary summary = summary_of(&row, 1, 10.0);
	const weir_summary_metric *e2e = &summary.metrics[WEIR_SUMMARY_E2E];
	ck_assert_int_eq(e2e->count, 1);
	ck_assert_double_nan(e2e->std);
	const double equal[] = {e2e->mean, e2e->min, e2e->p50,  e2e->p90,
	                        e2e->p95,  e2e->p99, e2e->p999, e2e->max};
	for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++) {
		ck_assert_double_eq(equal[i], 2.75);
	}
	ck_assert_double_eq_tol(summary.metrics[WEIR_SUMMARY_TTFT_SLOWDOWN].p50, 1.5, tolerance);
	ck_assert_double_eq_tol(summary.metrics[WEIR_SUMMARY_TBT_SLOWDOWN].p50, 1.25, tolerance);
	ck_assert_double_eq_tol(summary.metrics[WEIR_SUMMARY_E2E_SLOWDOWN].p50, 1.375, tolerance);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_QUEUE_TIME].mean, 0.5);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_SECOND_TOKEN_GAP].mean, 0.25);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_PROMPT_TOKENS].mean, 100);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_OUTPUT_TOKENS].mean, 11);
	ck_assert_double_eq(summary.totals.attainment, 1);
	ck_assert_double_eq(summary.totals.slo_met, 0); /* the median of E2E is past 1.25 */
	ck_assert_double_eq(summary.totals.preemptions, 2);
	ck_assert_double_eq(summary.totals.last_arrival, 3.0);
	ck_assert_double_eq(summary.totals.requests_per_s, 0.1);
	ck_assert_double_eq(summary.totals.prompt_tokens_per_s, 10);
	ck_assert_double_eq(summary.totals.output_tokens_per_s, 1.1);
}
END_TEST

START_TEST(one_output_token_is_left_out_of_tbt_alone)
{
	const weir_request_row rows[] = {completed(0, 1, 1, 0), completed(0, 2, 11, 0.125),
	                                 completed(0, 2, 1, 0)};
	weir_summary summary = summary_of(rows, 3, 10.0);
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_TTFT].count, 3);
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_E2E].count, 3);
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_TBT].count, 1);
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_TBT_SLOWDOWN].count, 1);
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_SECOND_TOKEN_GAP].count, 1);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_TBT].mean, 0.125);
	/* Without any TBT there is none to limit. */
	const weir_request_row alone = completed(0, 1, 1, 0);
	summary = summary_of(&alone, 1, 10.0);
	check_all_nan(&summary.metrics[WEIR_SUMMARY_TBT]);
	ck_assert_double_eq(summary.totals.slo_met, 1);
	ck_assert_double_eq(summary.totals.attainment, 1);
}
END_TEST

START_TEST(statistics_are_those_of_numpy)
{
	/* numpy.percentile of 0.5 * arange(41): index p * 40; the rows go through 1, 18, 35, ... */
	weir_request_row rows[41];
	for (int i = 0; i < 41; i++) {
		rows[i] = completed(i, 1 + 0.5 * ((i * 17 + 1) % 41), 1, 0);
	}
	weir_summary summary = summary_of(rows, 41, 100.0);
	const weir_summary_metric *wait = &summary.metrics[WEIR_SUMMARY_QUEUE_TIME];
	ck_assert_int_eq(wait->count, 41);
	ck_assert_double_eq_tol(wait->mean, 10.0, tolerance);
	/* Sum of squares of -20..20, by 0.25, over 40. */
	ck_assert_double_eq_tol(wait->std, sqrt(5740 * 0.25 / 40), tolerance);
	ck_assert_double_eq_tol(wait->min, 0.0, tolerance);
	ck_assert_double_eq_tol(wait->p50, 10.0, tolerance);
	ck_assert_double_eq_tol(wait->p90, 18.0, tolerance);
	ck_assert_double_eq_tol(wait->p95, 19.0, tolerance);
	ck_assert_double_eq_tol(wait->p99, 19.8, tolerance);
	ck_assert_double_eq_tol(wait->p999, 19.98, tolerance);
	ck_assert_double_eq_tol(wait->max, 20.0, tolerance);
	ck_assert_double_eq(summary.totals.last_arrival, 40);
}
END_TEST

/* At 100 s. Limits alone: TTFT 6 s, E2E 10 s, TBT 0.5 s. */
START_TEST(attainment_leaves_out_only_what_is_not_past_a_limit)
{
	const weir_request_row rows[] = {
	    completed(0, 2, 11, 0.125),                 /* met */
	    completed(0, 6.5, 2, 0.125),                /* TTFT */
	    completed(0, 2, 11, 0.6),                   /* TBT */
	    completed(0, 2, 1, 0),                      /* met */
	    other(WEIR_REQUEST_REJECTED, 99, NAN),      /* not met */
	    other(WEIR_REQUEST_FAILED, 99, NAN),        /* not met */
	    other(WEIR_REQUEST_UNFINISHED, 93.5, NAN),  /* TTFT */
	    other(WEIR_REQUEST_UNFINISHED, 94.5, NAN),  /* not yet */
	    other(WEIR_REQUEST_UNFINISHED, 89.5, 5.75), /* E2E, though not yet TBT */
	    other(WEIR_REQUEST_UNFINISHED, 93.5, 1.25), /* TBT: 5.25 s for 10 tokens */
	    other(WEIR_REQUEST_UNFINISHED, 94, 1.25),   /* not yet */
	};
	weir_summary summary = summary_of(rows, sizeof rows / sizeof rows[0], 100.0);
	ck_assert_double_eq(summary.totals.arrived, 11);
	ck_assert_double_eq(summary.totals.completed, 4);
	ck_assert_double_eq(summary.totals.rejected, 1);
	ck_assert_double_eq(summary.totals.failed, 1);
	ck_assert_double_eq(summary.totals.unfinished, 5);
	ck_assert_double_eq(summary.totals.attainment, 2.0 / 9);
	ck_assert_double_eq(summary.totals.last_arrival, 99);
	/* Statistics and token rates are of the completed alone. */
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_TTFT].count, 4);
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_PROMPT_TOKENS].count, 4);
	ck_assert_int_eq(summary.metrics[WEIR_SUMMARY_TTFT_SLOWDOWN].count, 4);
	ck_assert_double_eq(summary.totals.prompt_tokens_per_s, 4);
	ck_assert_double_eq(summary.totals.output_tokens_per_s, 0.25);
}
END_TEST

/* Eleven requests of one token, so that E2E = TTFT: nine of slowdown `most`, two others. */
static double slo_met_with(double most, double second, double worst)
{
	weir_request_row rows[11];
	for (int i = 0; i < 11; i++) {
		rows[i] = completed(0, i < 9 ? most : i == 9 ? second : worst, 1, 0);
	}
	return summary_of(rows, 11, 10.0).totals.slo_met;
}

START_TEST(every_percentile_has_its_limit)
{
	/* p50 <= 1.25 (E2E); p90, index 9, <= 3 (TTFT); p99 = second + 0.9 * (worst - second) <= 5. */
	ck_assert_double_eq(slo_met_with(1.25, 3.0, 5.2), 1);
	ck_assert_double_eq(slo_met_with(1.26, 3.0, 5.2), 0);
	ck_assert_double_eq(slo_met_with(1.25, 3.01, 3.01), 0);
	ck_assert_double_eq(slo_met_with(1.25, 3.0, 5.25), 0);
}
END_TEST

START_TEST(long_tables_are_read_in_blocks)
{
	enum { ROWS = 70001 };
	weir_request_row *rows = weir_allocate(ROWS, sizeof *rows);
	ck_assert_ptr_nonnull(rows);
	for (int i = 0; i < ROWS; i++) {
		rows[i] = i % 7 == 0 ? other(WEIR_REQUEST_REJECTED, i, NAN)
		                     : completed(i, 1 + (double)(i % 7), 1, 0);
		rows[i].preemptions = i % 3;
	}
	weir_summary summary = summary_of(rows, ROWS, 1e6);
	ck_assert_double_eq(summary.totals.rejected, 10001);
	ck_assert_double_eq(summary.totals.completed, 60000);
	ck_assert_double_eq(summary.totals.preemptions, 70000);
	ck_assert_double_eq(summary.totals.last_arrival, 70000);
	/* TTFT slowdowns 2..7 and E2E slowdowns as much: 2, 3, 4, 5 are within 5. */
	ck_assert_double_eq(summary.totals.attainment, 40000.0 / ROWS);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_TTFT_SLOWDOWN].mean, 4.5);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_TTFT].mean, 4.5);
	ck_assert_double_eq(summary.metrics[WEIR_SUMMARY_E2E].max, 7);
	free(rows);
}
END_TEST

START_TEST(unreadable_and_impossible_columns_are_errors)
{
	const weir_request_row good = completed(0, 1, 11, 0.1);
	static const char *const names[] = {"status", "ttft", "application", "arrival", "preemptions"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		table t = {.rows = &good, .broken = names[i]};
		weir_request_columns columns = {.context = &t, .rows = 1, .read = read_column};
		weir_summary summary = {0};
		weir_error error = {0};
		ck_assert_int_eq(weir_summary_compute(&columns, &slo, &summary, &error), WEIR_ERROR_IO);
	}
	weir_request_row bad[] = {good, good, good};
	bad[0].status = 4;
	bad[1].application = 1;
	bad[2].application = -1;
	for (size_t i = 0; i < 3; i++) {
		table t = {.rows = &bad[i]};
		weir_request_columns columns = {.context = &t, .rows = 1, .read = read_column};
		weir_summary summary = {0};
		weir_error error = {0};
		ck_assert_int_eq(weir_summary_compute(&columns, &slo, &summary, &error), WEIR_ERROR_INPUT);
		ck_assert_ptr_nonnull(strstr(error.message, "row 0"));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/summary");
	TCase *tests = tcase_create("summary");
	tcase_add_test(tests, an_empty_run_has_counts_of_zero_and_no_statistics);
	tcase_add_test(tests, one_request_is_all_of_its_statistics);
	tcase_add_test(tests, one_output_token_is_left_out_of_tbt_alone);
	tcase_add_test(tests, statistics_are_those_of_numpy);
	tcase_add_test(tests, attainment_leaves_out_only_what_is_not_past_a_limit);
	tcase_add_test(tests, every_percentile_has_its_limit);
	tcase_add_test(tests, long_tables_are_read_in_blocks);
	tcase_add_test(tests, unreadable_and_impossible_columns_are_errors);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
