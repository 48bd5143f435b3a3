#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/naive.h"
#include "serving/serving_config.h"
#include "support/curves.h"
#include "support/parity.h"
#include "support/test_support.h"

#define TOLERANCE 1e-6
#define PROFILE   WEIR_SOURCE_DIR "/configs/profiles/splitwise.json"

typedef struct test_model {
	const char *name;
	int64_t hidden_size, layers, weights;
} test_model;

static const test_model models[] = {
    {"bloom-176b", 14336, 70, 329000000000},
    {"llama2-70b", 8192, 80, 135000000000},
};

static const int64_t gpu_memory = 85899345920;

/* Every figure of one case beside what is expected of it. */
typedef struct test_comparison {
	const char *name;
	double largest;
} test_comparison;

static void compare(test_comparison *comparison, const char *what, int64_t id, double got,
                    double expected)
{
	double difference = fabs(got - expected);
	ck_assert_msg(difference <= TOLERANCE, "%s: %s of %lld is %.9f, not %.9f", comparison->name,
	              what, (long long)id, got, expected);
	comparison->largest = fmax(comparison->largest, difference);
}

static double iteration_seconds(void *context, size_t instance, int64_t prompt_tokens,
                                int64_t token_tasks)
{
	const test_curves *curves = context;
	return test_curves_iteration_seconds(&curves[instance], prompt_tokens, token_tasks);
}

static int index_of(const char *const *names, const char *name)
{
	int index = 0;
	while (strcmp(names[index], name) != 0) {
		index++;
		ck_assert_msg(names[index] != NULL, "unknown name %s", name);
	}
	return index;
}

static naive_result run_case(const parity_case *parity)
{
	const test_model *model = models;
	while (strcmp(model->name, parity->model) != 0) {
		model++;
		ck_assert_ptr_ne(model, models + sizeof models / sizeof models[0]);
	}
	naive_instance_config instances[32];
	test_curves curves[32];
	ck_assert_uint_le(parity->instance_count, 32);
	for (size_t i = 0; i < parity->instance_count; i++) {
		instances[i] = (naive_instance_config){
		    .tag = (naive_tag)parity->instances[i].tag,
		    .memory_limit = 8 * gpu_memory,
		};
		curves[i] = test_curves_of_profile(PROFILE, parity->model, parity->instances[i].gpu);
	}
	naive_config config = {
	    .scheduler = (naive_scheduler)index_of(weir_scheduler_names, parity->scheduler),
	    .bandwidth_gb_per_s = 200,
	    .prompt_max_pending_tokens = 8192,
	    .kind = (naive_kind)index_of(weir_batching_names, parity->instance_kind),
	    .max_batch_size = 512,
	    .max_batch_tokens = 2048,
	    .max_preemptions = 4,
	    .kv_bytes_per_token = 2 * model->hidden_size * model->layers * 2,
	    .weights = model->weights,
	    .instance_count = parity->instance_count,
	    .instances = instances,
	    .until = INFINITY,
	    .iteration_seconds = iteration_seconds,
	    .context = curves,
	};
	naive_request *requests = weir_allocate(parity->request_count, sizeof *requests);
	ck_assert_ptr_nonnull(requests);
	for (size_t i = 0; i < parity->request_count; i++) {
		const parity_request *request = &parity->requests[i];
		requests[i] = (naive_request){request->id, request->arrival, request->prompt_tokens,
		                              request->output_tokens};
	}
	naive_result result = naive_run(&config, requests, parity->request_count);
	free(requests);
	return result;
}

static void check_case(const parity_case *parity)
{
	test_comparison comparison = {.name = parity->name};
	naive_result result = run_case(parity);
	ck_assert_uint_eq(result.completed, parity->request_count);
	ck_assert_uint_eq(result.row_count, parity->request_count);
	for (size_t i = 0; i < result.row_count; i++) {
		const naive_row *row = &result.rows[i];
		ck_assert_int_lt(row->id, (int64_t)parity->request_count);
		const parity_request *expected = &parity->requests[row->id];
		ck_assert_int_eq(expected->id, row->id);
		compare(&comparison, "queue time", row->id, row->queue_time, expected->queue_time);
		compare(&comparison, "TTFT", row->id, row->ttft, expected->ttft);
		compare(&comparison, "second token's gap", row->id, row->second_token_gap,
		        expected->second_token_gap);
		compare(&comparison, "end-to-end time", row->id, row->e2e, expected->e2e);
	}
	double largest_time = comparison.largest;
	comparison.largest = 0;
	for (size_t i = 0; i < parity->instance_count; i++) {
		compare(&comparison, "utilisation", (int64_t)i, result.busy_time[i] / result.end_time,
		        parity->instances[i].utilization);
	}
	printf("%-30s largest difference %.2e s, of utilisation %.2e\n", parity->name, largest_time,
	       comparison.largest);
	naive_result_free(&result);
}

START_TEST(oracle_gives_what_the_reference_gave)
{
	weir_arena *arena = weir_arena_create();
	size_t count = 0;
	const parity_case *cases = parity_load(arena, WEIR_SOURCE_DIR "/tests/parity", &count);
	ck_assert_uint_eq(count, 10);
	for (size_t i = 0; i < count; i++) {
		check_case(&cases[i]);
	}
	weir_arena_destroy(arena);
}
END_TEST

START_TEST(profile_is_what_was_measured)
{
	const char *csv = test_data_path("splitwise_perf_model.csv");
	if (csv == NULL) {
		return;
	}
	static const char *const gpus[] = {"a100-80gb", "h100-80gb", "h100-80gb-pcap"};
	for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
		for (size_t j = 0; j < sizeof gpus / sizeof gpus[0]; j++) {
			test_curves measured = test_curves_of_csv(csv, models[i].name, gpus[j]);
			test_curves kept = test_curves_of_profile(PROFILE, models[i].name, gpus[j]);
			ck_assert_uint_eq(measured.count, kept.count);
			for (size_t k = 0; k < kept.count; k++) {
				ck_assert_double_eq(measured.batch_tokens[k], kept.batch_tokens[k]);
				ck_assert_double_eq_tol(measured.prompt_seconds[k], kept.prompt_seconds[k], 1e-12);
				ck_assert_double_eq_tol(measured.token_seconds[k], kept.token_seconds[k], 1e-12);
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("oracle/parity");
	TCase *tests = tcase_create("parity");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, oracle_gives_what_the_reference_gave);
	tcase_add_test(tests, profile_is_what_was_measured);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
