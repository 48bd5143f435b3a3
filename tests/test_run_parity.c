/* Whole recorded runs against SplitwiseSim's results, and real traces against the naive oracle. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/oracle_run.h"
#include "support/parity.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define TOLERANCE 1e-6

/* One case beside what was expected of it. */
typedef struct comparison {
	const parity_case *parity;
	const char *source; /* of the figures: the recorded columns or the CSV */
	double largest;
} comparison;

static void compare(comparison *c, const char *what, int64_t id, double got, double expected)
{
	double difference = fabs(got - expected);
	ck_assert_msg(difference <= TOLERANCE, "%s, %s: %s of %lld is %.9f, not %.9f", c->parity->name,
	              c->source, what, (long long)id, got, expected);
	c->largest = fmax(c->largest, difference);
}

static const parity_request *expected_of(const parity_case *parity, int64_t id)
{
	ck_assert_int_ge(id, 0);
	ck_assert_int_lt(id, (int64_t)parity->request_count);
	ck_assert_int_eq(parity->requests[id].id, id);
	return &parity->requests[id];
}

static double compare_rows(const parity_case *parity, const weir_request_row *rows, size_t count)
{
	comparison c = {.parity = parity, .source = "recorded"};
	ck_assert_uint_eq(count, parity->request_count);
	for (size_t i = 0; i < count; i++) {
		const weir_request_row *row = &rows[i];
		const parity_request *expected = expected_of(parity, row->request_id);
		ck_assert_int_eq(row->status, WEIR_REQUEST_COMPLETED);
		ck_assert_int_eq(row->application, 0);
		ck_assert_int_eq(row->prompt_tokens, expected->prompt_tokens);
		ck_assert_int_eq(row->output_tokens, expected->output_tokens);
		compare(&c, "arrival", row->request_id, row->arrival, expected->arrival);
		compare(&c, "queue time", row->request_id, row->queue_time, expected->queue_time);
		compare(&c, "TTFT", row->request_id, row->ttft, expected->ttft);
		compare(&c, "second token's gap", row->request_id, row->second_token_gap,
		        expected->second_token_gap);
		compare(&c, "TBT", row->request_id, row->tbt,
		        (expected->e2e - expected->ttft) / (double)(expected->output_tokens - 1));
		compare(&c, "end-to-end time", row->request_id, row->e2e, expected->e2e);
	}
	return c.largest;
}

static double compare_csv(const parity_case *parity, const char *path, const weir_request_row *rows)
{
	comparison c = {.parity = parity, .source = "CSV"};
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "cannot read %s", path);
	char line[512];
	ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
	ck_assert_str_eq(line, "request_ids,response_times,queue_times,ttft_times,tbt_times,"
	                       "nth_token_overheads,prompt_sizes,token_sizes\n");
	for (size_t i = 0; i < parity->request_count; i++) {
		long long id;
		double e2e, queue_time, ttft, tbt, gap;
		int prompt_tokens, output_tokens;
		ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
		ck_assert_int_eq(sscanf(line, "%lld,%lf,%lf,%lf,%lf,%lf,%d,%d", &id, &e2e, &queue_time,
		                        &ttft, &tbt, &gap, &prompt_tokens, &output_tokens),
		                 8);
		/* In order of completion, 17 digits: the same numbers as those recorded. */
		ck_assert_int_eq(id, rows[i].request_id);
		ck_assert_double_eq(e2e, rows[i].e2e);
		const parity_request *expected = expected_of(parity, id);
		ck_assert_int_eq(prompt_tokens, expected->prompt_tokens);
		ck_assert_int_eq(output_tokens, expected->output_tokens);
		compare(&c, "response time", id, e2e, expected->e2e);
		compare(&c, "queue time", id, queue_time, expected->queue_time);
		compare(&c, "TTFT", id, ttft, expected->ttft);
		compare(&c, "TBT", id, tbt,
		        (expected->e2e - expected->ttft) / (double)expected->output_tokens);
		compare(&c, "nth token's overhead", id, gap, expected->second_token_gap);
	}
	ck_assert_ptr_null(fgets(line, sizeof line, file));
	fclose(file);
	return c.largest;
}

static double compare_instances(const parity_case *parity, const char *path)
{
	comparison c = {.parity = parity, .source = "recorded"};
	size_t count = 0;
	double *utilisation = test_recorded_column(path, "instances", "utilisation", &count);
	ck_assert_uint_eq(count, parity->instance_count);
	for (size_t i = 0; i < count; i++) {
		compare(&c, "utilisation", (int64_t)i, utilisation[i], parity->instances[i].utilization);
	}
	free(utilisation);
	return c.largest;
}

static void check_case(weir_arena *arena, const parity_case *parity)
{
	const weir_config *config = test_config(
	    TEST_PARITY_CONFIG, weir_arena_format(arena, "trace.path=%s", parity->trace_path),
	    weir_arena_format(arena, "servers=%s", parity->servers),
	    weir_arena_format(arena, "pools=%s", parity->pools),
	    weir_arena_format(arena, "model=%s", parity->model),
	    weir_arena_format(arena, "instance.kind=%s", parity->instance_kind),
	    weir_arena_format(arena, "scheduler.kind=%s", parity->scheduler), NULL);
	const char *output = test_path("parity.h5");
	const char *csv = test_path("parity.csv");
	weir_run_result result = test_run(config, output, csv);
	ck_assert_double_eq(result.summary.totals.completed, (double)parity->request_count);
	size_t count = 0;
	weir_request_row *rows = test_recorded_rows(output, &count);
	double recorded = compare_rows(parity, rows, count);
	double written = compare_csv(parity, csv, rows);
	double utilisation = compare_instances(parity, output);
	printf("%-30s largest difference %.2e s recorded, %.2e s in the CSV, %.2e of utilisation\n",
	       parity->name, recorded, written, utilisation);
	free(rows);
	weir_config_destroy(config);
}

START_TEST(every_case_gives_what_the_reference_gave)
{
	weir_arena *arena = weir_arena_create();
	ck_assert_ptr_nonnull(arena);
	size_t count = 0;
	const parity_case *cases = parity_load(arena, WEIR_SOURCE_DIR "/tests/parity", &count);
	ck_assert_uint_eq(count, 10);
	for (size_t i = 0; i < count; i++) {
		check_case(arena, &cases[i]);
	}
	weir_arena_destroy(arena);
}
END_TEST

START_TEST(real_traces_equal_the_oracle)
{
	static const char split[] = "prompt:dgx-h100,token:dgx-a100";
	static const struct {
		const char *trace, *servers, *pools, *scheduler;
	} cases[] = {
	    {"AzureLLMInferenceTrace_conv.csv", "dgx-h100:6,dgx-a100:6", split, "mixed_pool"},
	    {"AzureLLMInferenceTrace_code.csv", "dgx-h100:6,dgx-a100:6", split, "mixed_pool"},
	    /* Overloaded: the backlog grows through the trace. */
	    {"AzureLLMInferenceTrace_conv.csv", "dgx-h100:1,dgx-a100:1", split, "mixed_pool"},
	    {"AzureLLMInferenceTrace_code.csv", "dgx-h100:1,dgx-a100:1", split, "mixed_pool"},
	    {"AzureLLMInferenceTrace_conv.csv", "dgx-h100:4", "single", "token_jsq"},
	    {"AzureLLMInferenceTrace_code.csv", "dgx-h100:4", "single", "token_jsq"},
	    /* Transfers wait for memory. */
	    {"AzureLLMInferenceTrace_conv.csv", "dgx-h100:6,dgx-a100:1", split, "kv_jsq"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *trace = test_data_path(cases[i].trace);
		if (trace != NULL) {
			printf("%s, %s, %s: ", cases[i].trace, cases[i].servers, cases[i].scheduler);
			fflush(stdout);
			check_run_against_oracle(trace, cases[i].servers, cases[i].pools, cases[i].scheduler);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run/parity");
	TCase *tests = tcase_create("parity");
	tcase_set_timeout(tests, 250);
	tcase_add_test(tests, every_case_gives_what_the_reference_gave);
	tcase_add_test(tests, real_traces_equal_the_oracle);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
