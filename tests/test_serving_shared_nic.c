/* KV-cache transfers over shared NICs, as the serving room drives them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/fast_run.h"
#include "support/random_case.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

/* Prompts of 100 tokens take 1 s; their KV cache, 100,000 bytes, takes 1 s at 100,000 bytes/s. */
static const small_server server = {
    .gpus = 1,
    .kv_tokens = 100000,
    .nic_bytes_per_s = 1e5,
    .tdp_w = 1000,
    .speed = {.prompt_s = 1.0, .token_s = 0.25},
};

static const double tolerance = 1e-9;

static small_cluster *shared_nics(void)
{
	small_cluster *cluster = small_cluster_create();
	cluster->config.network.kind = WEIR_NETWORK_SHARED_NIC;
	cluster->config.network.local_bandwidth_gb_per_s = 4e5 / (1024.0 * 1024.0 * 1024.0);
	return cluster;
}

static void add_server(small_application *application, weir_tag tag, double nic_bytes_per_s)
{
	small_server added = server;
	added.tag = tag;
	added.nic_bytes_per_s = nic_bytes_per_s;
	small_application_add_server(application, &added);
}

static double gap_of(const small_cluster *cluster, int64_t id)
{
	return small_cluster_row(cluster, id)->second_token_gap;
}

START_TEST(a_transfer_alone_takes_the_narrower_of_its_nics)
{
	static const double nics[][2] = {{1e5, 1e5}, {3e5, 7e4}, {7e4, 3e5}};
	for (int i = 0; i < 3; i++) {
		small_cluster *cluster = shared_nics();
		small_application *application = small_cluster_add(cluster, "kv_jsq", "splitwise");
		add_server(application, WEIR_TAG_PROMPT, nics[i][0]);
		add_server(application, WEIR_TAG_TOKEN, nics[i][1]);
		small_cluster_start(cluster);
		small_cluster_arrive(cluster, 0.0, 0, 100, 5);
		small_cluster_run(cluster, (double)INFINITY);
		ck_assert_double_eq(1.0 + 1e5 / fmin(nics[i][0], nics[i][1]) - 1.0, gap_of(cluster, 0));
		weir_serving_counters counters;
		weir_serving_counters_get(cluster->serving, &counters);
		ck_assert_double_eq(counters.transfer_bytes, 1e5);
		small_cluster_destroy(cluster);
	}
}
END_TEST

START_TEST(transfers_from_one_server_share_its_nic)
{
	/* Two prompts in one batch; the KV caches go to two servers from 1 s on, half as fast each. */
	small_cluster *cluster = shared_nics();
	small_application *application = small_cluster_add(cluster, "kv_round_robin", "splitwise");
	add_server(application, WEIR_TAG_PROMPT, 1e5);
	add_server(application, WEIR_TAG_TOKEN, 1e6);
	add_server(application, WEIR_TAG_TOKEN, 1e6);
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 100, 5);
	small_cluster_arrive(cluster, 0.5, 0, 100, 5);
	small_cluster_arrive(cluster, 0.5, 0, 150, 5);
	/* The first prompt runs alone until 1 s, the others until 2 s. The first transfer is over then;
	 * the two others share: 100 tokens take 2 s, then 50 that are left of 150 go at full speed. */
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_double_eq_tol(gap_of(cluster, 0), 1.0, tolerance);
	ck_assert_double_eq_tol(gap_of(cluster, 1), 2.0, tolerance);
	ck_assert_double_eq_tol(gap_of(cluster, 2), 2.5, tolerance);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_receiver_shares_its_nic)
{
	small_cluster *cluster = shared_nics();
	small_application *application = small_cluster_add(cluster, "kv_round_robin", "splitwise");
	add_server(application, WEIR_TAG_PROMPT, 1e6);
	add_server(application, WEIR_TAG_PROMPT, 1e6);
	add_server(application, WEIR_TAG_TOKEN, 1e5);
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 100, 5);
	small_cluster_arrive(cluster, 0.0, 0, 100, 5);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_double_eq_tol(gap_of(cluster, 0), 2.0, tolerance);
	/* It arrives at the same time, but joins after the iteration that the first one began. */
	ck_assert_double_eq_tol(gap_of(cluster, 1), 2.25, tolerance);
	small_cluster_destroy(cluster);
}
END_TEST

static uint64_t transfers_completed(const small_cluster *cluster)
{
	weir_serving_counters counters;
	weir_serving_counters_get(cluster->serving, &counters);
	return counters.transfers_completed;
}

/* mixed_pool lends the first instance to the first request, for both phases; it is then where
 * others have their token phase. */
START_TEST(transfers_within_a_server_take_no_nic)
{
	small_cluster *cluster = shared_nics();
	small_application *application = small_cluster_add(cluster, "mixed_pool", "splitwise");
	small_server two = server;
	two.tag = WEIR_TAG_PROMPT;
	two.gpus = 2;
	small_application_add_server(application, &two);
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 100, 50);
	small_cluster_arrive(cluster, 1.5, 0, 60, 5); /* prompt until 2.5 s; 60 KB at 400 KB/s */
	small_cluster_run(cluster, 2.649);
	ck_assert_uint_eq(transfers_completed(cluster), 0);
	small_cluster_run(cluster, 2.651);
	ck_assert_uint_eq(transfers_completed(cluster), 1);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(cluster, 1)->prompt_instance, 1);
	ck_assert_int_eq(small_cluster_row(cluster, 1)->token_instance, 0);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(the_two_directions_of_a_nic_are_apart)
{
	small_cluster *cluster = shared_nics();
	small_application *application = small_cluster_add(cluster, "mixed_pool", "splitwise");
	application->config.scheduler.prompt_max_pending_tokens = 0;
	application->config.instance.max_batch_size = 1;
	add_server(application, WEIR_TAG_PROMPT, 1e5);
	small_server token = server;
	token.tag = WEIR_TAG_TOKEN;
	token.kv_tokens = 310; /* for less than three of the requests */
	small_application_add_server(application, &token);
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 100, 5); /* prompt until 1 s, 0 -> 1 until 2 s */
	small_cluster_arrive(cluster, 0.1, 0, 100, 5); /* waits behind it */
	/* Finds 0 queueing and 1 full, so each is lent for what the other should do: prompt until 1.2
	 * s, 1 -> 0 until 2.2 s. */
	small_cluster_arrive(cluster, 0.2, 0, 100, 5);
	small_cluster_run(cluster, 1.999);
	ck_assert_uint_eq(transfers_completed(cluster), 0);
	small_cluster_run(cluster, 2.001);
	ck_assert_uint_eq(transfers_completed(cluster), 1);
	small_cluster_run(cluster, 2.199);
	ck_assert_uint_eq(transfers_completed(cluster), 1);
	small_cluster_run(cluster, 2.201);
	ck_assert_uint_eq(transfers_completed(cluster), 2);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(cluster, 0)->token_instance, 1);
	ck_assert_int_eq(small_cluster_row(cluster, 2)->prompt_instance, 1);
	ck_assert_int_eq(small_cluster_row(cluster, 2)->token_instance, 0);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(overlap_hides_most_of_a_transfer)
{
	for (int shared = 0; shared < 2; shared++) {
		small_cluster *cluster = shared_nics();
		cluster->config.network.kind = shared ? WEIR_NETWORK_SHARED_NIC : WEIR_NETWORK_DEDICATED;
		small_application *application = small_cluster_add(cluster, "overlap_kv_jsq", "splitwise");
		application->config.scheduler.overlap_factor = 4;
		application->config.scheduler.transfer_bandwidth_gb_per_s =
		    1e5 / (1024.0 * 1024.0 * 1024.0);
		add_server(application, WEIR_TAG_PROMPT, 1e5);
		add_server(application, WEIR_TAG_TOKEN, 1e5);
		small_cluster_start(cluster);
		small_cluster_arrive(cluster, 0.0, 0, 100, 5);
		small_cluster_run(cluster, (double)INFINITY);
		ck_assert_double_eq_tol(gap_of(cluster, 0), 0.25, tolerance);
		weir_serving_counters counters;
		weir_serving_counters_get(cluster->serving, &counters);
		ck_assert_double_eq(counters.transfer_bytes, 1e5); /* all of it has moved */
		small_cluster_destroy(cluster);
	}
}
END_TEST

START_TEST(a_full_receiver_is_tried_again_every_second)
{
	for (int shared = 0; shared < 2; shared++) {
		small_cluster *cluster = shared_nics();
		cluster->config.network.kind = shared ? WEIR_NETWORK_SHARED_NIC : WEIR_NETWORK_DEDICATED;
		small_application *application = small_cluster_add(cluster, "kv_jsq", "splitwise");
		application->config.scheduler.transfer_bandwidth_gb_per_s =
		    1e6 / (1024.0 * 1024.0 * 1024.0);
		add_server(application, WEIR_TAG_PROMPT, 1e6);
		small_server small = server;
		small.tag = WEIR_TAG_TOKEN;
		small.nic_bytes_per_s = 1e6;
		small.kv_tokens = 150;
		small_application_add_server(application, &small);
		small_cluster_start(cluster);
		small_cluster_arrive(cluster, 0.0, 0, 100, 14); /* tokens from 1.1 to 4.35 s */
		small_cluster_arrive(cluster, 0.1, 0, 100, 2);  /* prompt until 2 s */
		small_cluster_run(cluster, 2.0);
		weir_serving_counters counters;
		weir_serving_counters_get(cluster->serving, &counters);
		ck_assert_uint_eq(counters.transfer_retries, 1);
		ck_assert(!weir_serving_only_retries(cluster->serving, 1));
		small_cluster_run(cluster, (double)INFINITY);
		weir_serving_counters_get(cluster->serving, &counters);
		ck_assert_uint_eq(counters.transfer_retries, 3); /* at 2, 3 and 4 s, not at 5 s */
		ck_assert_double_eq_tol(small_cluster_row(cluster, 0)->e2e, 4.35, tolerance);
		ck_assert_double_eq_tol(gap_of(cluster, 1), 3.1, tolerance);
		small_cluster_destroy(cluster);
	}
}
END_TEST

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void check_same_rows(const char *text, const naive_result *a, const naive_result *b,
                            double allowed)
{
	ck_assert_msg(a->row_count == b->row_count, "%s: %zu and %zu rows", text, a->row_count,
	              b->row_count);
	for (size_t i = 0; i < a->row_count; i++) {
		const naive_row *x = &a->rows[i];
		const naive_row *y = &b->rows[i];
		ck_assert_msg(x->id == y->id && x->status == y->status &&
		                  x->prompt_instance == y->prompt_instance &&
		                  x->token_instance == y->token_instance &&
		                  x->preemptions == y->preemptions && same(x->ttft, y->ttft) &&
		                  (same(x->e2e, y->e2e) || fabs(x->e2e - y->e2e) <= allowed * x->e2e),
		              "%s: row %zu, request %lld: e2e %.17g and %.17g", text, i, (long long)x->id,
		              x->e2e, y->e2e);
	}
}

static naive_result run_all(const random_case *random, const naive_config *config, int network)
{
	fast_run *run = fast_run_create(config, random->requests, random->request_count, network, 1);
	while (fast_run_step(run)) {
		weir_error error = {0};
		ck_assert_ok(weir_serving_check(fast_run_serving(run), &error), &error);
	}
	weir_serving_counters c;
	weir_serving_counters_get(fast_run_serving(run), &c);
	ck_assert_uint_eq(c.arrived, c.completed + c.rejected + c.in_system);
	naive_result result = fast_run_result(run);
	fast_run_destroy(run);
	return result;
}

START_TEST(without_contention_it_is_the_dedicated_network)
{
	for (uint64_t seed = 0; seed < 2 * RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(seed, 60);
		/* One request at a time, so that its transfer is alone. */
		naive_config config = random->config;
		for (size_t i = 0; i < random->request_count; i++) {
			random->requests[i].arrival = 300.0 * (double)i;
		}
		config.until = 300.0 * (double)random->request_count;
		bool overlaps = config.scheduler == NAIVE_OVERLAP_KV_JSQ ||
		                config.scheduler == NAIVE_OVERLAP_KV_TOKEN_JSQ;
		naive_result dedicated = run_all(random, &config, WEIR_NETWORK_DEDICATED);
		naive_result shared = run_all(random, &config, WEIR_NETWORK_SHARED_NIC);
		/* A transfer ten times as fast is not one of a tenth of the bytes to the last bit. */
		check_same_rows(random->text, &shared, &dedicated, overlaps ? 1e-12 : 0.0);
		ck_assert_uint_eq(shared.events, dedicated.events);
		naive_result_free(&dedicated);
		naive_result_free(&shared);
		random_case_destroy(random);
	}
}
END_TEST

START_TEST(contention_only_delays_and_runs_repeat)
{
	int slower = 0;
	for (uint64_t seed = 0; seed < 2 * RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(seed, 0);
		/* Slow enough to contend. */
		naive_config config = random->config;
		config.bandwidth_gb_per_s /= 8;
		naive_result first = run_all(random, &config, WEIR_NETWORK_SHARED_NIC);
		naive_result again = run_all(random, &config, WEIR_NETWORK_SHARED_NIC);
		check_same_rows(random->text, &first, &again, 0.0);
		naive_result dedicated = run_all(random, &config, WEIR_NETWORK_DEDICATED);
		slower += first.end_time > dedicated.end_time;
		naive_result_free(&first);
		naive_result_free(&again);
		naive_result_free(&dedicated);
		random_case_destroy(random);
	}
	ck_assert_int_gt(slower, RANDOM_CASE_CYCLE / 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/shared_nic");
	TCase *tests = tcase_create("shared_nic");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_transfer_alone_takes_the_narrower_of_its_nics);
	tcase_add_test(tests, transfers_from_one_server_share_its_nic);
	tcase_add_test(tests, a_receiver_shares_its_nic);
	tcase_add_test(tests, the_two_directions_of_a_nic_are_apart);
	tcase_add_test(tests, transfers_within_a_server_take_no_nic);
	tcase_add_test(tests, overlap_hides_most_of_a_transfer);
	tcase_add_test(tests, a_full_receiver_is_tried_again_every_second);
	tcase_add_test(tests, without_contention_it_is_the_dedicated_network);
	tcase_add_test(tests, contention_only_delays_and_runs_repeat);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
