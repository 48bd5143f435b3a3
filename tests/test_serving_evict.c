/* Instances that lose their requests, and what becomes of these; slow instances. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/lifecycle_support.h"
#include "support/small_cluster.h"
#include "support/storm.h"
#include "support/test_support.h"

static const small_server server = {
    .gpus = 1,
    .kv_tokens = 1000,
    .nic_bytes_per_s = 1e5,
    .tdp_w = 1000,
    .speed = {.prompt_s = 1.0, .token_s = 0.25, .prompt_power = 0.8, .token_power = 0.5},
};

static small_cluster *described(const char *scheduler, const char *tags)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, scheduler, "splitwise");
	for (; *tags != '\0'; tags++) {
		small_server added = server;
		added.tag = *tags == 'p' ? WEIR_TAG_PROMPT : *tags == 't' ? WEIR_TAG_TOKEN : WEIR_TAG_MIXED;
		small_application_add_server(application, &added);
	}
	/* 100,000 bytes/s: a prompt of 100 tokens is on its way for 1 s. */
	application->config.scheduler.transfer_bandwidth_gb_per_s = 1e5 / WEIR_BYTES_PER_GB;
	cluster->config.max_retries = 1;
	return cluster;
}

static small_cluster *started(const char *scheduler, const char *tags)
{
	small_cluster *cluster = described(scheduler, tags);
	small_cluster_start(cluster);
	return cluster;
}

static weir_serving_counters counters_of(const small_cluster *cluster)
{
	weir_serving_counters counters;
	weir_serving_counters_get(cluster->serving, &counters);
	return counters;
}

/* Drains it if need be. */
static uint64_t evict(small_cluster *cluster, uint32_t slot, bool failure)
{
	weir_error error = {0};
	uint64_t evicted;
	set_active(cluster->serving, slot, false);
	ck_assert_ok(weir_serving_evict(cluster->serving, handle_of(cluster->serving, slot), failure,
	                                &evicted, &error),
	             &error);
	ck_assert_ok(weir_serving_check(cluster->serving, &error), &error);
	weir_instance_view view = view_of(cluster->serving, slot);
	ck_assert(weir_serving_is_empty(cluster->serving, handle_of(cluster->serving, slot)));
	ck_assert_int_eq(view.memory, view.weights);
	ck_assert_int_eq(view.memory_promised, view.weights);
	ck_assert_uint_eq(view.batch_size, 0);
	return evicted;
}

START_TEST(a_crash_sends_a_running_request_back_to_its_prompt)
{
	small_cluster *cluster = started("round_robin", "mm");
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	/* Prompt until 1 s, then 4 token iterations and a half. */
	small_cluster_run(cluster, 2.125);
	ck_assert_uint_eq(evict(cluster, 0, true), 1);
	weir_serving_counters c = counters_of(cluster);
	ck_assert_uint_eq(c.retries, 1);
	ck_assert_uint_eq(c.moves, 0);
	ck_assert_int_eq(c.prompt_tokens_lost, 100);
	ck_assert_int_eq(c.output_tokens_lost, 1 + 4);
	weir_instance_view view = view_of(cluster->serving, 0);
	ck_assert_int_eq(view.output_tokens, 5);
	ck_assert_double_eq(view.busy_seconds, 2.125);
	ck_assert_double_eq(view.batch_token_seconds, 100 * 1.0 + 1.125);
	ck_assert_double_eq(view.energy_joules, 800 + 1.125 * 500);
	small_cluster_run(cluster, 10.0);
	const weir_request_row *row = small_cluster_row(cluster, 0);
	ck_assert_int_eq(row->status, WEIR_REQUEST_COMPLETED);
	ck_assert_int_eq(row->retries, 1);
	ck_assert_int_eq(row->prompt_instance, 1);
	ck_assert_int_eq(row->token_instance, 1);
	/* Of the last attempt, from the arrival. */
	ck_assert_double_eq(row->queue_time, 2.125);
	ck_assert_double_eq(row->ttft, 3.125);
	ck_assert_double_eq(row->e2e, 3.125 + 10 * 0.25);
	/* Idle draws 0.25 of 1000 W. */
	ck_assert_double_eq(view_of(cluster->serving, 0).energy_joules,
	                    800 + 1.125 * 500 + (10 - 2.125) * 250);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(beyond_max_retries_it_has_failed_but_moves_never_count)
{
	small_cluster *cluster = started("round_robin", "mmm");
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	small_cluster_run(cluster, 0.5);
	ck_assert_uint_eq(evict(cluster, 0, false), 1);
	small_cluster_run(cluster, 1.0);
	ck_assert_uint_eq(evict(cluster, 1, true), 1);
	small_cluster_run(cluster, 1.5);
	ck_assert_uint_eq(evict(cluster, 2, false), 1);
	ck_assert_uint_eq(counters_of(cluster).waiting_at_scheduler, 1);
	ck_assert_uint_eq(cluster->row_count, 0);
	set_active(cluster->serving, 0, true);
	small_cluster_run(cluster, 2.0);
	ck_assert_uint_eq(evict(cluster, 0, true), 1);
	weir_serving_counters c = counters_of(cluster);
	ck_assert_uint_eq(c.failed, 1);
	ck_assert_uint_eq(c.retries, 1);
	ck_assert_uint_eq(c.moves, 2);
	ck_assert_uint_eq(c.in_system, 0);
	/* No iteration had ended. */
	ck_assert_int_eq(c.prompt_tokens_lost, 0);
	const weir_request_row *row = small_cluster_row(cluster, 0);
	ck_assert_int_eq(row->status, WEIR_REQUEST_FAILED);
	ck_assert_int_eq(row->retries, 3);
	ck_assert_int_eq(row->prompt_instance, 0);
	ck_assert(isnan(row->e2e) && isnan(row->ttft));
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(what_begins_again_waits_before_what_came_later)
{
	small_cluster *cluster = started("round_robin", "mm");
	for (int i = 0; i < 6; i++) {
		small_cluster_arrive(cluster, 0.1 * i, 0, 100, 50);
	}
	small_cluster_run(cluster, 5.0);
	set_active(cluster->serving, 1, false);
	set_active(cluster->serving, 0, false);
	small_cluster_arrive(cluster, 5.5, 0, 100, 50);
	small_cluster_run(cluster, 6.0);
	/* Requests 1, 3, 5 and then 0, 2, 4: both before 6. */
	ck_assert_uint_eq(evict(cluster, 1, true), 3);
	ck_assert_uint_eq(evict(cluster, 0, true), 3);
	ck_assert_uint_eq(counters_of(cluster).waiting_at_scheduler, 7);
	set_active(cluster->serving, 0, true);
	small_cluster_run(cluster, (double)INFINITY);
	double before = 0;
	for (int64_t i = 0; i < 7; i++) {
		const weir_request_row *row = small_cluster_row(cluster, i);
		double start = row->arrival + row->queue_time;
		ck_assert_double_ge(start, before);
		ck_assert_double_ge(start, 6.0);
		ck_assert_int_eq(row->retries, i < 6);
		before = start;
	}
	small_cluster_destroy(cluster);
}
END_TEST

/* A transfer from 1 s to 2 s; whichever end is lost, the other gets its memory back. */
static void lose_in_transfer(int network, uint32_t lost)
{
	small_cluster *cluster = described("kv_jsq", "pptt");
	cluster->config.network.kind = network;
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	small_cluster_run(cluster, 1.5);
	ck_assert_int_eq(view_of(cluster->serving, 0).memory, SMALL_WEIGHTS + 101000);
	ck_assert_int_eq(view_of(cluster->serving, 2).memory, SMALL_WEIGHTS + 101000);
	ck_assert_uint_eq(evict(cluster, lost, true), 1);
	/* It runs on the other prompt instance, or on the same. */
	uint32_t prompt = lost == 0 ? 1 : 0;
	uint32_t token = lost == 2 ? 3 : 2;
	uint32_t idle = lost == 0 ? 0 : 2;
	ck_assert_int_eq(view_of(cluster->serving, prompt).memory, SMALL_WEIGHTS + 101000);
	ck_assert_int_eq(view_of(cluster->serving, idle).memory_promised, SMALL_WEIGHTS);
	ck_assert_int_eq(view_of(cluster->serving, token).memory, SMALL_WEIGHTS);
	ck_assert_int_eq(view_of(cluster->serving, token).memory_promised, SMALL_WEIGHTS + 111000);
	ck_assert_int_eq(counters_of(cluster).prompt_tokens_lost, 100);
	ck_assert_int_eq(counters_of(cluster).output_tokens_lost, 1);
	small_cluster_run(cluster, (double)INFINITY);
	const weir_request_row *row = small_cluster_row(cluster, 0);
	ck_assert_double_eq(row->ttft, 2.5);
	ck_assert_double_eq_tol(row->second_token_gap, 1.0, 1e-9);
	ck_assert_int_eq(row->prompt_instance, prompt);
	ck_assert_int_eq(row->token_instance, token);
	ck_assert_uint_eq(counters_of(cluster).transfers_started, 2);
	ck_assert_uint_eq(counters_of(cluster).transfers_completed, 1);
	small_cluster_destroy(cluster);
}

START_TEST(transfers_are_cancelled_at_both_ends)
{
	lose_in_transfer(WEIR_NETWORK_DEDICATED, 0);
	lose_in_transfer(WEIR_NETWORK_DEDICATED, 2);
	lose_in_transfer(WEIR_NETWORK_SHARED_NIC, 0);
	lose_in_transfer(WEIR_NETWORK_SHARED_NIC, 2);
}
END_TEST

START_TEST(transfers_that_wait_leave_the_count_of_retries)
{
	small_cluster *cluster = started("kv_jsq", "pt");
	/* The first fills the token instance for a long time; the second's cache waits for it. */
	small_cluster_arrive(cluster, 0.0, 0, 600, 300);
	small_cluster_arrive(cluster, 0.0, 0, 500, 20);
	small_cluster_run(cluster, 12.5);
	ck_assert_uint_gt(counters_of(cluster).transfer_retries, 1);
	ck_assert_int_eq(view_of(cluster->serving, 0).memory, SMALL_WEIGHTS + 501000);
	ck_assert_uint_eq(evict(cluster, 1, true), 2);
	ck_assert_int_eq(view_of(cluster->serving, 0).memory, SMALL_WEIGHTS);
	ck_assert(!weir_serving_only_retries(cluster->serving, 1));
	ck_assert_uint_eq(weir_engine_get_counts(cluster->engine).pending, 0);
	ck_assert_uint_eq(counters_of(cluster).waiting_at_scheduler, 2);
	set_active(cluster->serving, 1, true);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->row_count, 2);
	ck_assert_int_eq(small_cluster_row(cluster, 1)->status, WEIR_REQUEST_COMPLETED);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_prompt_that_lost_its_token_instance_gets_another)
{
	static const char *const schedulers[] = {"kv_round_robin", "kv_jsq", "kv_token_jsq",
	                                         "overlap_kv_jsq", "mixed_pool"};
	for (size_t i = 0; i < sizeof schedulers / sizeof schedulers[0]; i++) {
		small_cluster *cluster = started(schedulers[i], "ptt");
		small_cluster_arrive(cluster, 0.0, 0, 100, 11);
		small_cluster_run(cluster, 0.5);
		uint32_t lost = view_of(cluster->serving, 1).memory_promised > SMALL_WEIGHTS ? 1 : 2;
		ck_assert_uint_eq(evict(cluster, lost, true), 0);
		small_cluster_run(cluster, (double)INFINITY);
		const weir_request_row *row = small_cluster_row(cluster, 0);
		ck_assert_int_eq(row->retries, 0);
		ck_assert_double_eq(row->ttft, 1.0);
		ck_assert_int_eq(row->token_instance, 3 - (int)lost);
		ck_assert_uint_eq(counters_of(cluster).retries, 0);
		small_cluster_destroy(cluster);
	}
}
END_TEST

START_TEST(without_another_it_begins_again)
{
	small_cluster *cluster = started("kv_jsq", "pt");
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	small_cluster_run(cluster, 0.5);
	ck_assert_uint_eq(evict(cluster, 1, true), 0);
	small_cluster_run(cluster, 5.0);
	weir_serving_counters c = counters_of(cluster);
	ck_assert_uint_eq(c.waiting_at_scheduler, 1);
	ck_assert_uint_eq(c.moves, 1);
	ck_assert_int_eq(c.prompt_tokens_lost, 100);
	ck_assert_int_eq(c.output_tokens_lost, 1);
	ck_assert_int_eq(view_of(cluster->serving, 0).memory_promised, SMALL_WEIGHTS);
	set_active(cluster->serving, 1, true);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_double_eq(small_cluster_row(cluster, 0)->ttft, 6.0);
	ck_assert_int_eq(small_cluster_row(cluster, 0)->retries, 1);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(mixed_pool_may_go_on_where_the_prompt_ran)
{
	/* Without a token instance left, it lends the prompt instance. */
	small_cluster *cluster = started("mixed_pool", "pt");
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	small_cluster_run(cluster, 0.5);
	ck_assert_uint_eq(evict(cluster, 1, true), 0);
	small_cluster_run(cluster, (double)INFINITY);
	const weir_request_row *row = small_cluster_row(cluster, 0);
	ck_assert_int_eq(row->prompt_instance, 0);
	ck_assert_int_eq(row->token_instance, 0);
	ck_assert_int_eq(row->retries, 0);
	ck_assert_double_eq(row->second_token_gap, 0.0);
	ck_assert_double_eq(row->e2e, 1.0 + 10 * 0.25);
	ck_assert_uint_eq(counters_of(cluster).transfers_started, 0);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(memory_that_is_freed_lets_others_run)
{
	/* 600 tokens wait behind 600 that are kept on the prompt instance by a full token instance. */
	small_cluster *cluster = started("kv_jsq", "pt");
	small_cluster_arrive(cluster, 0.0, 0, 500, 300);
	small_cluster_arrive(cluster, 0.0, 0, 500, 400);
	small_cluster_arrive(cluster, 6.0, 0, 600, 1);
	small_cluster_run(cluster, 10.0);
	ck_assert_uint_eq(view_of(cluster->serving, 0).queued_prompts, 1);
	ck_assert_uint_eq(view_of(cluster->serving, 0).batch_size, 0);
	evict(cluster, 1, true);
	ck_assert_uint_eq(view_of(cluster->serving, 0).batch_size, 1);
	small_cluster_run(cluster, 20.0);
	ck_assert_double_eq(small_cluster_row(cluster, 2)->ttft, 5.0);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(slowness_keeps_the_share_that_is_done)
{
	small_cluster *cluster = started("round_robin", "m");
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	weir_instance_handle instance = handle_of(cluster->serving, 0);
	small_cluster_run(cluster, 0.5);
	/* Half of the prompt is left, and takes 3 times as long. */
	weir_serving_set_slowness(cluster->serving, instance, 3.0);
	small_cluster_run(cluster, 1.9);
	ck_assert_uint_eq(view_of(cluster->serving, 0).iterations, 0);
	small_cluster_run(cluster, 2.0);
	ck_assert_uint_eq(view_of(cluster->serving, 0).iterations, 1);
	/* 10 iterations of 0.75 s; after 3.5 of them at half the normal time. */
	small_cluster_run(cluster, 2.0 + 3.5 * 0.75);
	ck_assert_uint_eq(view_of(cluster->serving, 0).iterations, 1 + 3);
	weir_serving_set_slowness(cluster->serving, instance, 0.5);
	ck_assert_uint_eq(view_of(cluster->serving, 0).iterations, 1 + 3);
	small_cluster_run(cluster, 4.625 + 1.5 * 0.125 + 0.0625);
	ck_assert_uint_eq(view_of(cluster->serving, 0).iterations, 1 + 5);
	/* A newcomer waits for the end of the present iteration, the sixth. */
	small_cluster_arrive(cluster, 4.9, 0, 100, 1);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_double_eq_tol(small_cluster_row(cluster, 1)->queue_time, 4.9375 - 4.9, 1e-12);
	ck_assert_double_eq_tol(small_cluster_row(cluster, 1)->ttft, 4.9375 + 0.5 - 4.9, 1e-12);
	ck_assert_double_eq_tol(small_cluster_row(cluster, 0)->e2e, 4.9375 + 0.5 + 3 * 0.125, 1e-12);
	ck_assert_double_eq(view_of(cluster->serving, 0).slowness, 0.5);
	small_cluster_destroy(cluster);
}
END_TEST

static void count_unfinished(void *context, const weir_request_row *row)
{
	int *seen = context;
	seen[row->request_id]++;
}

typedef struct storm_totals {
	uint64_t evicted, failed, completed, retried;
} storm_totals;

static void storm(uint64_t seed, double rate, storm_totals *totals)
{
	small_cluster *cluster = storm_create(seed, 40);
	gsl_rng *draws = weir_stream_create(seed, "operations", 0);
	uint64_t evicted = 0;
	for (int step = 0; step < 3000 && small_cluster_step(cluster, (double)INFINITY); step++) {
		while (gsl_rng_uniform(draws) < rate) {
			evicted += storm_operate(cluster, draws);
		}
	}
	storm_calm(cluster);
	for (int step = 0; step < 3000 && small_cluster_step(cluster, (double)INFINITY); step++) {
	}
	/* Nothing is lost, nothing ends twice. */
	int *seen = calloc(cluster->arrival_count, sizeof *seen);
	ck_assert_ptr_nonnull(seen);
	uint64_t retries = 0;
	uint64_t failed = 0;
	for (size_t i = 0; i < cluster->row_count; i++) {
		const weir_request_row *row = &cluster->rows[i];
		seen[row->request_id]++;
		retries += (uint64_t)row->retries;
		failed += row->status == WEIR_REQUEST_FAILED;
	}
	weir_serving_counters c = counters_of(cluster);
	ck_assert_uint_eq(c.arrived, cluster->arrival_count);
	ck_assert_uint_eq(c.arrived, c.completed + c.failed + c.rejected + c.in_system);
	ck_assert_uint_eq(c.failed, failed);
	weir_serving_unfinished(cluster->serving, count_unfinished, seen);
	for (size_t i = 0; i < cluster->arrival_count; i++) {
		ck_assert_int_eq(seen[i], 1);
	}
	ck_assert_uint_le(retries, c.retries + c.moves);
	ck_assert_uint_ge(c.retries + c.moves + c.failed, evicted);
	if (c.in_system == 0) {
		ck_assert_uint_eq(retries, c.retries + c.moves);
		for (uint32_t i = 0; i < weir_serving_instance_slots(cluster->serving); i++) {
			weir_instance_view view;
			ck_assert(!weir_serving_instance(cluster->serving, i, &view) ||
			          weir_serving_is_empty(cluster->serving, (weir_instance_handle){i, view.id}));
		}
	}
	totals->evicted += evicted;
	totals->failed += failed;
	totals->completed += c.completed;
	totals->retried += c.transfer_retries;
	free(seen);
	gsl_rng_free(draws);
	small_cluster_destroy(cluster);
}

START_TEST(random_operations_lose_nothing)
{
	storm_totals totals = {0};
	for (uint64_t seed = 0; seed < 4 * STORM_CYCLE; seed++) {
		storm(seed, seed % 3 == 0 ? 0.5 : seed % 3 == 1 ? 0.2 : 0.05, &totals);
	}
	ck_assert_uint_gt(totals.evicted, 1000);
	ck_assert_uint_gt(totals.failed, 100);
	ck_assert_uint_gt(totals.completed, 4000);
	ck_assert_uint_gt(totals.retried, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/evict");
	TCase *tests = tcase_create("evict");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_crash_sends_a_running_request_back_to_its_prompt);
	tcase_add_test(tests, beyond_max_retries_it_has_failed_but_moves_never_count);
	tcase_add_test(tests, what_begins_again_waits_before_what_came_later);
	tcase_add_test(tests, transfers_are_cancelled_at_both_ends);
	tcase_add_test(tests, transfers_that_wait_leave_the_count_of_retries);
	tcase_add_test(tests, a_prompt_that_lost_its_token_instance_gets_another);
	tcase_add_test(tests, without_another_it_begins_again);
	tcase_add_test(tests, mixed_pool_may_go_on_where_the_prompt_ran);
	tcase_add_test(tests, memory_that_is_freed_lets_others_run);
	tcase_add_test(tests, slowness_keeps_the_share_that_is_done);
	tcase_add_test(tests, random_operations_lose_nothing);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
