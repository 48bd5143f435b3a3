/* Iterations and transfers as they are recorded: what each row says, and what they add up to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader.h"
#include "support/lifecycle_support.h"
#include "support/run_support.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

static small_cluster *started(const char *scheduler, const char *kind, const char *tags)
{
	static const small_server server = {
	    .gpus = 1,
	    .kv_tokens = 1000,
	    .tdp_w = 1000,
	    .speed = {.prompt_s = 1.0, .token_s = 0.25, .prompt_power = 0.8, .token_power = 0.5},
	};
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, scheduler, kind);
	for (; *tags != '\0'; tags++) {
		small_server added = server;
		added.tag = *tags == 'p' ? WEIR_TAG_PROMPT : *tags == 't' ? WEIR_TAG_TOKEN : WEIR_TAG_MIXED;
		small_application_add_server(application, &added);
	}
	/* 100,000 bytes/s: a prompt of 100 tokens is on its way for 1 s. */
	application->config.scheduler.transfer_bandwidth_gb_per_s = 1e5 / WEIR_BYTES_PER_GB;
	application->config.instance.max_batch_tokens = strcmp(kind, "chunked") == 0 ? 64 : 2048;
	cluster->config.max_retries = 1;
	cluster->keeps_activity = true;
	small_cluster_start(cluster);
	return cluster;
}

static void expect_iterations(const small_cluster *cluster, size_t index, weir_iteration_row wanted)
{
	ck_assert_uint_lt(index, cluster->iteration_count);
	const weir_iteration_row *row = &cluster->iterations[index];
#define SAME(field, type, column, unit, description)                                               \
	ck_assert_msg(row->field == wanted.field, "row %zu: " #field " is %g, not %g", index,          \
	              (double)row->field, (double)wanted.field);
	WEIR_ITERATION_ROW(SAME)
#undef SAME
}

static void expect_transfer(const small_cluster *cluster, size_t index, weir_transfer_row wanted)
{
	ck_assert_uint_lt(index, cluster->transfer_count);
	const weir_transfer_row *row = &cluster->transfers[index];
#define SAME(field, type, column, unit, description)                                               \
	ck_assert_msg(row->field == wanted.field, "row %zu: " #field " is %g, not %g", index,          \
	              (double)row->field, (double)wanted.field);
	WEIR_TRANSFER_ROW(SAME)
#undef SAME
}

/* What the rows of each instance add up to is what serving says of it, to the last bit: all times
 * here are multiples of 1/8 s. */
static void expect_sums(const small_cluster *cluster)
{
	for (uint32_t slot = 0; slot < weir_serving_instance_slots(cluster->serving); slot++) {
		weir_instance_view view = view_of(cluster->serving, slot);
		int64_t iterations = 0;
		int64_t prompt_tokens = 0;
		int64_t output_tokens = 0;
		double busy = 0;
		double end = 0;
		for (size_t i = 0; i < cluster->iteration_count; i++) {
			const weir_iteration_row *row = &cluster->iterations[i];
			if (row->instance != (int32_t)view.id) {
				continue;
			}
			ck_assert_double_ge(row->start, end);
			ck_assert_double_ge(row->end, row->start);
			end = row->end;
			iterations += row->iterations;
			prompt_tokens += row->prompt_tokens;
			output_tokens += row->output_tokens;
			busy += row->end - row->start;
		}
		ck_assert_int_eq(iterations, (int64_t)view.iterations);
		ck_assert_int_eq(prompt_tokens, view.prompt_tokens);
		ck_assert_int_eq(output_tokens, view.output_tokens);
		ck_assert_double_eq(busy, view.busy_seconds);
	}
}

START_TEST(a_pause_ends_an_event_early)
{
	small_cluster *cluster = started("round_robin", "splitwise", "m");
	small_cluster_arrive(cluster, 0.0, 0, 50, 11);
	small_cluster_arrive(cluster, 1.625, 0, 14, 3);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->iteration_count, 5);
	expect_iterations(cluster, 0,
	                  (weir_iteration_row){.start = 0,
	                                       .end = 1,
	                                       .iterations = 1,
	                                       .prompt_tasks = 1,
	                                       .prompt_tokens = 50,
	                                       .output_tokens = 1});
	/* Two iterations are done at 1.5 s, and the third ends before the other prompt joins. */
	expect_iterations(cluster, 1,
	                  (weir_iteration_row){.start = 1,
	                                       .end = 1.75,
	                                       .iterations = 3,
	                                       .token_tasks = 1,
	                                       .output_tokens = 3,
	                                       .context = 50});
	expect_iterations(cluster, 2,
	                  (weir_iteration_row){.start = 1.75,
	                                       .end = 2.75,
	                                       .iterations = 1,
	                                       .prompt_tasks = 1,
	                                       .token_tasks = 1,
	                                       .prompt_tokens = 14,
	                                       .output_tokens = 2,
	                                       .context = 53});
	expect_iterations(cluster, 3,
	                  (weir_iteration_row){.start = 2.75,
	                                       .end = 3.25,
	                                       .iterations = 2,
	                                       .token_tasks = 2,
	                                       .output_tokens = 4,
	                                       .context = 54 + 14});
	expect_iterations(cluster, 4,
	                  (weir_iteration_row){.start = 3.25,
	                                       .end = 4.25,
	                                       .iterations = 4,
	                                       .token_tasks = 1,
	                                       .output_tokens = 4,
	                                       .context = 56});
	expect_sums(cluster);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_chunk_makes_no_token)
{
	small_cluster *cluster = started("round_robin", "chunked", "m");
	small_cluster_arrive(cluster, 0.0, 0, 100, 1);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->iteration_count, 2);
	expect_iterations(
	    cluster, 0,
	    (weir_iteration_row){
	        .start = 0, .end = 1, .iterations = 1, .prompt_tasks = 1, .prompt_tokens = 64});
	expect_iterations(cluster, 1,
	                  (weir_iteration_row){.start = 1,
	                                       .end = 2,
	                                       .iterations = 1,
	                                       .prompt_tasks = 1,
	                                       .prompt_tokens = 36,
	                                       .output_tokens = 1,
	                                       .context = 64});
	expect_sums(cluster);
	small_cluster_destroy(cluster);
}
END_TEST

static void evict(small_cluster *cluster, uint32_t slot)
{
	weir_error error = {0};
	uint64_t evicted;
	set_active(cluster->serving, slot, false);
	ck_assert_ok(weir_serving_evict(cluster->serving, handle_of(cluster->serving, slot), true,
	                                &evicted, &error),
	             &error);
	ck_assert_uint_eq(evicted, 1);
}

START_TEST(a_crash_cuts_an_event_short)
{
	small_cluster *cluster = started("round_robin", "splitwise", "mmm");
	small_cluster_arrive(cluster, 0.0, 0, 50, 11);
	small_cluster_arrive(cluster, 1.5, 0, 50, 11);
	small_cluster_run(cluster, 2.125);
	evict(cluster, 0);
	evict(cluster, 1);
	ck_assert_uint_eq(cluster->iteration_count, 3);
	/* Four iterations and a half. */
	expect_iterations(cluster, 1,
	                  (weir_iteration_row){.start = 1,
	                                       .end = 2.125,
	                                       .iterations = 4,
	                                       .token_tasks = 1,
	                                       .output_tokens = 4,
	                                       .context = 50});
	/* A prompt that was not done. */
	expect_iterations(
	    cluster, 2,
	    (weir_iteration_row){.start = 1.5, .end = 2.125, .instance = 1, .prompt_tasks = 1});
	expect_sums(cluster);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->row_count, 2);
	expect_sums(cluster);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_change_of_slowness_is_within_an_event)
{
	small_cluster *cluster = started("round_robin", "splitwise", "m");
	small_cluster_arrive(cluster, 0.0, 0, 50, 11);
	small_cluster_run(cluster, 1.5);
	weir_serving_set_slowness(cluster->serving, handle_of(cluster->serving, 0), 2.0);
	small_cluster_run(cluster, 10.0);
	/* Two of ten iterations in 0.25 s each, eight in 0.5 s. */
	ck_assert_uint_eq(cluster->iteration_count, 2);
	expect_iterations(cluster, 1,
	                  (weir_iteration_row){.start = 1,
	                                       .end = 5.5,
	                                       .iterations = 10,
	                                       .token_tasks = 1,
	                                       .output_tokens = 10,
	                                       .context = 50});
	expect_sums(cluster);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_transfer_arrives_or_is_cancelled)
{
	small_cluster *cluster = started("kv_jsq", "splitwise", "ptt");
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	small_cluster_run(cluster, 1.5);
	uint32_t to = weir_serving_is_empty(cluster->serving, handle_of(cluster->serving, 1)) ? 2 : 1;
	evict(cluster, to);
	expect_transfer(cluster, 0,
	                (weir_transfer_row){.to_instance = (int32_t)to,
	                                    .ready = 1,
	                                    .start = 1,
	                                    .end = 1.5,
	                                    .bytes = 100 * SMALL_KV_BYTES,
	                                    .outcome = WEIR_TRANSFER_CANCELLED});
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->transfer_count, 2);
	expect_transfer(cluster, 1,
	                (weir_transfer_row){.retries = 1,
	                                    .to_instance = (int32_t)(3 - to),
	                                    .ready = 2.5,
	                                    .start = 2.5,
	                                    .end = 3.5,
	                                    .bytes = 100 * SMALL_KV_BYTES,
	                                    .outcome = WEIR_TRANSFER_ARRIVED});
	expect_sums(cluster);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_transfer_is_ready_before_there_is_memory)
{
	small_cluster *cluster = started("kv_jsq", "splitwise", "pt");
	/* The first holds 900 of 1000 tokens of KV cache until 1 + 8 + 99 / 4 = 33.75 s. */
	small_cluster_arrive(cluster, 0.0, 0, 800, 100);
	small_cluster_arrive(cluster, 9.5, 0, 200, 2);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->transfer_count, 2);
	const weir_transfer_row *second = &cluster->transfers[1];
	ck_assert_int_eq(second->request_id, 1);
	ck_assert_double_eq(second->ready, 10.5);
	/* It is tried again every second. */
	ck_assert_double_eq(second->start, 34.5);
	ck_assert_double_eq(second->end, 36.5);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(what_is_under_way_is_told_as_far_as_it_got)
{
	small_cluster *cluster = started("kv_jsq", "splitwise", "pt");
	small_cluster_arrive(cluster, 0.0, 0, 50, 11);
	small_cluster_arrive(cluster, 1.0, 0, 100, 11);
	small_cluster_run(cluster, 2.125);
	ck_assert_uint_eq(cluster->transfer_count, 1);
	ck_assert_uint_eq(cluster->iteration_count, 2);
	weir_serving_under_way(cluster->serving);
	ck_assert_uint_eq(cluster->transfer_count, 2);
	ck_assert_uint_eq(cluster->iteration_count, 3);
	expect_iterations(cluster, 2,
	                  (weir_iteration_row){.start = 1.5,
	                                       .end = 2.125,
	                                       .instance = 1,
	                                       .iterations = 2,
	                                       .token_tasks = 1,
	                                       .output_tokens = 2,
	                                       .context = 50});
	expect_transfer(cluster, 1,
	                (weir_transfer_row){.request_id = 1,
	                                    .to_instance = 1,
	                                    .ready = 2,
	                                    .start = 2,
	                                    .end = 2.125,
	                                    .bytes = 100 * SMALL_KV_BYTES,
	                                    .outcome = WEIR_TRANSFER_UNDER_WAY});
	expect_sums(cluster);
	small_cluster_destroy(cluster);
}
END_TEST

/* --- whole runs --- */

#define ARRIVALS                                                                                   \
	"workload={\"arrivals\": {\"kind\": \"poisson\", \"rate\": 9}, \"count\": 900, \"sizes\": "    \
	"{\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900, \"sigma\": "     \
	"0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 60, \"sigma\": "   \
	"1.1, \"maximum\": 900}}}"
#define POOLS "servers=dgx-h100:3,dgx-a100:2", "pools=prompt:dgx-h100,token:dgx-a100"
static const weir_config *whole_run(int number, const char *iterations)
{
	switch (number) {
	case 0:
		return test_config(TEST_PARITY_CONFIG, ARRIVALS, POOLS, "scheduler.kind=kv_jsq", iterations,
		                   NULL);
	case 1:
		return test_config(TEST_PARITY_CONFIG, ARRIVALS, POOLS, "scheduler.kind=mixed_pool",
		                   "network.kind=shared_nic", iterations, NULL);
	case 2:
		return test_config(TEST_PARITY_CONFIG, ARRIVALS, "servers=dgx-h100:3", "pools=single",
		                   "scheduler.kind=jsq", "instance.kind=chunked", iterations, NULL);
	default:
		return test_config(TEST_PARITY_CONFIG, ARRIVALS, POOLS, "scheduler.kind=token_jsq",
		                   "faults.instance_mtbf=80",
		                   "policies=[{\"kind\": \"reactive\", \"interval\": 5}]", iterations,
		                   NULL);
	}
}

enum { WHOLE_RUNS = 4 };

static double *column(const char *path, const char *table, const char *name, size_t *count)
{
	return test_recorded_column(path, table, name, count);
}

/* Sums of a column of /iterations by instance, against one of /instances. */
static void expect_column(const char *path, const char *of_iterations, const char *of_instances)
{
	size_t rows;
	size_t instances;
	double *by = column(path, "iterations", "instance", &rows);
	double *values = column(path, "iterations", of_iterations, &rows);
	double *ids = column(path, "instances", "instance", &instances);
	double *wanted = column(path, "instances", of_instances, &instances);
	ck_assert_uint_gt(rows, 100);
	double all = 0;
	for (size_t i = 0; i < instances; i++) {
		double sum = 0;
		for (size_t r = 0; r < rows; r++) {
			sum += by[r] == ids[i] ? values[r] : 0;
		}
		ck_assert_double_eq(sum, wanted[i]);
		all += sum;
	}
	ck_assert_double_gt(all, 0);
	free(by);
	free(values);
	free(ids);
	free(wanted);
}

static void expect_busy(const char *path)
{
	size_t rows;
	size_t instances;
	double *by = column(path, "iterations", "instance", &rows);
	double *start = column(path, "iterations", "start", &rows);
	double *end = column(path, "iterations", "end", &rows);
	double *ids = column(path, "instances", "instance", &instances);
	double *busy = column(path, "instances", "busy", &instances);
	for (size_t r = 1; r < rows; r++) {
		ck_assert_double_ge(end[r], end[r - 1]);
	}
	for (size_t i = 0; i < instances; i++) {
		double sum = 0;
		double last = 0;
		for (size_t r = 0; r < rows; r++) {
			if (by[r] == ids[i]) {
				ck_assert_double_ge(start[r], last);
				last = end[r];
				sum += end[r] - start[r];
			}
		}
		/* The same time, cut into other pieces: as far as rounding goes. */
		ck_assert_double_le(fabs(sum - busy[i]), 1e-12 * (double)rows * (busy[i] + 1));
	}
	free(by);
	free(start);
	free(end);
	free(ids);
	free(busy);
}

static void expect_transfers(const char *path)
{
	size_t rows;
	double *bytes = column(path, "transfers", "bytes", &rows);
	double *outcome = column(path, "transfers", "outcome", &rows);
	double *ready = column(path, "transfers", "ready", &rows);
	double *start = column(path, "transfers", "start", &rows);
	double arrived = 0;
	for (size_t r = 0; r < rows; r++) {
		arrived += outcome[r] == WEIR_TRANSFER_ARRIVED ? bytes[r] : 0;
		ck_assert_double_le(ready[r], start[r]);
	}
	ck_assert_double_eq(arrived / WEIR_BYTES_PER_GB, test_recorded_total(path, "transfer_gb"));
	free(bytes);
	free(outcome);
	free(ready);
	free(start);
}

START_TEST(rows_add_up_to_what_instances_did)
{
	const char *path = test_path("with.h5");
	const weir_config *config = whole_run(_i, "record.iterations=true");
	weir_run_options options = weir_run_options_default();
	options.output = path;
	options.until = 70; /* in the middle of it */
	weir_run_result result;
	weir_error error = {0};
	ck_assert_ok(weir_run(config, &options, &result, &error), &error);
	expect_column(path, "iterations", "iterations");
	expect_column(path, "prompt_tokens", "prompt_tokens");
	expect_column(path, "output_tokens", "output_tokens");
	expect_busy(path);
	expect_transfers(path);
	weir_config_destroy(config);
}
END_TEST

START_TEST(without_the_key_nothing_else_is_different)
{
	const char *with = test_path("with.h5");
	const char *without = test_path("without.h5");
	const weir_config *config = whole_run(_i, "record.iterations=true");
	test_run(config, with, NULL);
	weir_config_destroy(config);
	config = whole_run(_i, "record.iterations=false");
	test_run(config, without, NULL);
	weir_config_destroy(config);
	weir_reader *reader = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_reader_open(without, &reader, &error), &error);
	ck_assert(!weir_reader_has_table(reader, "iterations"));
	ck_assert(!weir_reader_has_table(reader, "transfers"));
	weir_reader_close(reader);
	static const char *const columns[] = {"arrival", "e2e", "token_instance", "status"};
	for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
		size_t a;
		size_t b;
		double *one = column(with, "requests", columns[c], &a);
		double *other = column(without, "requests", columns[c], &b);
		ck_assert_uint_eq(a, b);
		for (size_t i = 0; i < a; i++) {
			ck_assert(one[i] == other[i] || (isnan(one[i]) && isnan(other[i])));
		}
		free(one);
		free(other);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run_iterations");
	TCase *rows = tcase_create("rows");
	tcase_add_test(rows, a_pause_ends_an_event_early);
	tcase_add_test(rows, a_chunk_makes_no_token);
	tcase_add_test(rows, a_crash_cuts_an_event_short);
	tcase_add_test(rows, a_change_of_slowness_is_within_an_event);
	tcase_add_test(rows, a_transfer_arrives_or_is_cancelled);
	tcase_add_test(rows, a_transfer_is_ready_before_there_is_memory);
	tcase_add_test(rows, what_is_under_way_is_told_as_far_as_it_got);
	suite_add_tcase(suite, rows);
	TCase *runs = tcase_create("runs");
	tcase_add_loop_test(runs, rows_add_up_to_what_instances_did, 0, WHOLE_RUNS);
	tcase_add_loop_test(runs, without_the_key_nothing_else_is_different, 0, WHOLE_RUNS);
	suite_add_tcase(suite, runs);
	return test_main(suite);
}
