/* Instances and servers that come, change their state or pool, and go. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/fast_run.h"
#include "support/lifecycle_support.h"
#include "support/random_case.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

static const small_server server = {
    .tag = WEIR_TAG_MIXED,
    .gpus = 1,
    .kv_tokens = 10000,
    .nic_bytes_per_s = 1e6,
    .tdp_w = 1000,
    .speed = {.prompt_s = 1.0, .token_s = 0.25},
};

static small_cluster *servers(const char *scheduler, const char *tags)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, scheduler, "splitwise");
	for (; *tags != '\0'; tags++) {
		small_server added = server;
		added.tag = *tags == 'p' ? WEIR_TAG_PROMPT : *tags == 't' ? WEIR_TAG_TOKEN : WEIR_TAG_MIXED;
		small_application_add_server(application, &added);
	}
	small_cluster_start(cluster);
	return cluster;
}

static weir_serving_counters counters_of(const weir_serving *serving)
{
	weir_serving_counters counters;
	weir_serving_counters_get(serving, &counters);
	return counters;
}

START_TEST(an_instance_taken_out_finishes_what_it_has)
{
	small_cluster *cluster = servers("round_robin", "mm");
	for (int i = 0; i < 4; i++) {
		small_cluster_arrive(cluster, 0.1 * i, 0, 100, 10);
	}
	for (int i = 0; i < 6; i++) {
		small_cluster_arrive(cluster, 1.5 + 0.1 * i, 0, 100, 10);
	}
	small_cluster_run(cluster, 1.0);
	set_active(cluster->serving, 0, false);
	ck_assert(!(view_of(cluster->serving, 0).state == WEIR_INSTANCE_ACTIVE));
	ck_assert_uint_eq(view_of(cluster->serving, 0).requests, 2);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->row_count, 10);
	ck_assert_uint_eq(view_of(cluster->serving, 0).requests_completed, 2);
	ck_assert_uint_eq(view_of(cluster->serving, 1).requests_completed, 8);
	ck_assert_int_eq(view_of(cluster->serving, 0).memory, SMALL_WEIGHTS);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(requests_wait_at_the_scheduler_and_go_oldest_first)
{
	enum { WAITING = 300 };
	small_cluster *cluster = servers("jsq", "mm");
	set_active(cluster->serving, 0, false);
	set_active(cluster->serving, 1, false);
	set_active(cluster->serving, 1, false); /* no change */
	for (int i = 0; i < WAITING; i++) {
		small_cluster_arrive(cluster, i / 2 * 0.25, 0, 100, 2);
	}
	small_cluster_arrive(cluster, 100.0, 0, 10001, 1); /* never fits */
	small_cluster_run(cluster, 200.0);
	ck_assert_uint_eq(counters_of(cluster->serving).waiting_at_scheduler, WAITING + 1);
	ck_assert_uint_eq(counters_of(cluster->serving).in_system, WAITING + 1);
	ck_assert_uint_eq(cluster->row_count, 0);
	set_active(cluster->serving, 1, true);
	ck_assert_uint_eq(counters_of(cluster->serving).waiting_at_scheduler, 0);
	ck_assert_uint_eq(cluster->row_count, 1);
	ck_assert_int_eq(cluster->rows[0].request_id, WAITING);
	ck_assert_int_eq(cluster->rows[0].status, WEIR_REQUEST_REJECTED);
	ck_assert_uint_eq(view_of(cluster->serving, 1).requests, WAITING);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_uint_eq(cluster->row_count, WAITING + 1);
	double before = 0;
	for (int64_t i = 0; i < WAITING; i++) {
		const weir_request_row *row = small_cluster_row(cluster, i);
		ck_assert_int_eq(row->prompt_instance, 1);
		/* The time at the scheduler counts. */
		ck_assert_double_eq(row->arrival, (double)(i / 2) * 0.25);
		ck_assert_double_ge(row->arrival + row->queue_time, 200.0);
		ck_assert_double_ge(row->arrival + row->queue_time, before);
		before = row->arrival + row->queue_time;
	}
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(waiting_requests_keep_their_turn_before_later_arrivals)
{
	/* In turn over two instances: the order of dispatch shows in where they go. */
	small_cluster *cluster = servers("round_robin", "mm");
	set_active(cluster->serving, 0, false);
	set_active(cluster->serving, 1, false);
	for (int i = 0; i < 5; i++) {
		small_cluster_arrive(cluster, i, 0, 100, 2);
	}
	small_cluster_run(cluster, 10.0);
	set_active(cluster->serving, 0, true);
	set_active(cluster->serving, 1, true);
	small_cluster_arrive(cluster, 10.0, 0, 100, 2);
	small_cluster_arrive(cluster, 10.0, 0, 100, 2);
	small_cluster_run(cluster, (double)INFINITY);
	for (int64_t i = 0; i < 5; i++) {
		ck_assert_int_eq(small_cluster_row(cluster, i)->prompt_instance, 0);
	}
	/* The two later ones go to one instance each. */
	ck_assert_int_ne(small_cluster_row(cluster, 5)->prompt_instance,
	                 small_cluster_row(cluster, 6)->prompt_instance);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(the_turn_passes_over_who_left_and_who_comes_back_is_last)
{
	small_cluster *cluster = servers("round_robin", "mmmm");
	static const struct {
		int off, on;
		int64_t expected;
	} steps[] = {
	    {-1, -1, 0}, {-1, -1, 1}, {2, -1, 3}, /* 2 had the turn: it goes to 3 */
	    {-1, -1, 0}, {-1, 2, 1},  {-1, -1, 3}, {-1, -1, 2}, {-1, -1, 0},
	    {0, -1, 1},  {3, -1, 2},                           /* list 1 2; the turn was 3's */
	    {-1, -1, 1}, {2, -1, 1},  {1, 0, 0},   {-1, 1, 0}, /* a turn past the end is the first one's
	                                                        */
	};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if (steps[i].off >= 0) {
			set_active(cluster->serving, (uint32_t)steps[i].off, false);
		}
		if (steps[i].on >= 0) {
			set_active(cluster->serving, (uint32_t)steps[i].on, true);
		}
		small_cluster_arrive(cluster, 100.0 * (double)(i + 1), 0, 100, 2);
		small_cluster_run(cluster, 100.0 * (double)(i + 1) + 50);
		ck_assert_msg(small_cluster_row(cluster, (int64_t)i)->prompt_instance == steps[i].expected,
		              "step %zu", i);
	}
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(pools_need_both_sides)
{
	small_cluster *cluster = servers("kv_jsq", "ptt");
	set_active(cluster->serving, 1, false);
	small_cluster_arrive(cluster, 0.0, 0, 100, 10);
	small_cluster_run(cluster, 0.5);
	ck_assert_uint_eq(counters_of(cluster->serving).waiting_at_scheduler, 0);
	set_active(cluster->serving, 2, false);
	small_cluster_arrive(cluster, 1.0, 0, 100, 10);
	small_cluster_run(cluster, 50.0);
	ck_assert_uint_eq(counters_of(cluster->serving).waiting_at_scheduler, 1);
	/* The transfer and the token task of the first still went to the instance taken out. */
	ck_assert_int_eq(small_cluster_row(cluster, 0)->token_instance, 2);
	set_active(cluster->serving, 0, false);
	set_active(cluster->serving, 1, true);
	ck_assert_uint_eq(counters_of(cluster->serving).waiting_at_scheduler, 1);
	set_active(cluster->serving, 0, true);
	ck_assert_uint_eq(counters_of(cluster->serving).waiting_at_scheduler, 0);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(cluster, 1)->token_instance, 1);
	ck_assert_double_eq(small_cluster_row(cluster, 1)->queue_time, 49.0);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_lent_instance_taken_out_comes_back_to_its_own_pool)
{
	/* Without a prompt pool, mixed_pool lends a token instance. */
	small_cluster *cluster = servers("mixed_pool", "tt");
	small_cluster_arrive(cluster, 0.0, 0, 100, 10);
	small_cluster_run(cluster, 0.5);
	ck_assert_int_eq(view_of(cluster->serving, 0).list, WEIR_TAG_MIXED);
	set_active(cluster->serving, 0, false);
	ck_assert_int_eq(view_of(cluster->serving, 0).list, WEIR_TAG_TOKEN);
	/* It runs empty while it is out: it must stay out. */
	small_cluster_run(cluster, 20.0);
	ck_assert_uint_eq(cluster->row_count, 1);
	ck_assert_uint_eq(view_of(cluster->serving, 0).requests, 0);
	small_cluster_arrive(cluster, 20.0, 0, 100, 10);
	small_cluster_run(cluster, 21.0);
	ck_assert_int_eq(view_of(cluster->serving, 1).list, WEIR_TAG_MIXED);
	ck_assert_uint_eq(view_of(cluster->serving, 1).requests, 1);
	/* Back in service, it is the whole token pool again. */
	set_active(cluster->serving, 0, true);
	ck_assert_int_eq(view_of(cluster->serving, 0).list, WEIR_TAG_TOKEN);
	small_cluster_arrive(cluster, 21.0, 0, 100, 10);
	small_cluster_run(cluster, (double)INFINITY);
	const weir_request_row *row = small_cluster_row(cluster, 2);
	ck_assert_int_eq(row->prompt_instance, 1);
	ck_assert_int_eq(row->token_instance, 0);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_lent_instance_back_in_service_while_it_works_is_home)
{
	small_cluster *cluster = servers("mixed_pool", "tt");
	small_cluster_arrive(cluster, 0.0, 0, 100, 10);
	small_cluster_run(cluster, 0.5);
	ck_assert_int_eq(view_of(cluster->serving, 0).list, WEIR_TAG_MIXED);
	set_active(cluster->serving, 0, false);
	set_active(cluster->serving, 0, true);
	ck_assert_int_eq(view_of(cluster->serving, 0).list, WEIR_TAG_TOKEN);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_int_eq(view_of(cluster->serving, 0).list, WEIR_TAG_TOKEN);
	ck_assert_uint_eq(cluster->row_count, 1);
	small_cluster_destroy(cluster);
}
END_TEST

/* The least loaded must be right after instances left and came back, whatever changed while out. */
START_TEST(load_that_changes_while_out_counts_on_return)
{
	small_cluster *cluster = servers("jsq", "mm");
	for (int i = 0; i < 4; i++) {
		small_cluster_arrive(cluster, 0.0, 0, 100, i < 2 ? 100 : 2);
	}
	/* Instance 0 has requests 0 and 2, instance 1 has 1 and 3; the short ones end soon. */
	small_cluster_run(cluster, 0.5);
	set_active(cluster->serving, 0, false);
	small_cluster_arrive(cluster, 0.6, 0, 100, 100);
	small_cluster_run(cluster, 5.0);
	ck_assert_uint_eq(view_of(cluster->serving, 0).requests, 1);
	ck_assert_uint_eq(view_of(cluster->serving, 1).requests, 2);
	set_active(cluster->serving, 0, true);
	small_cluster_arrive(cluster, 5.0, 0, 100, 2);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(cluster, 5)->prompt_instance, 0);
	small_cluster_destroy(cluster);
}
END_TEST

static weir_server_handle add_server(small_cluster *cluster, uint32_t type)
{
	weir_error error = {0};
	weir_server_handle added;
	ck_assert_ok(weir_serving_add_server(cluster->serving, 0, type, &added, &error), &error);
	return added;
}

static weir_instance_handle add_instance(small_cluster *cluster, weir_server_handle host,
                                         weir_tag tag)
{
	weir_error error = {0};
	weir_instance_handle added;
	ck_assert_ok(weir_serving_add_instance(cluster->serving, host, tag, &added, &error), &error);
	return added;
}

START_TEST(a_booting_instance_takes_no_work_until_it_is_active)
{
	small_cluster *cluster = servers("round_robin", "m");
	weir_instance_handle added = add_instance(cluster, add_server(cluster, 0), WEIR_TAG_MIXED);
	ck_assert_uint_eq(added.slot, 1);
	ck_assert_int_eq(view_of(cluster->serving, 1).state, WEIR_INSTANCE_SCALING_UP);
	ck_assert(isnan(view_of(cluster->serving, 1).ready_since));
	ck_assert_int_eq(view_of(cluster->serving, 1).memory, SMALL_WEIGHTS);
	ck_assert_double_eq(view_of(cluster->serving, 1).slowness, 1.0);
	for (int i = 0; i < 4; i++) {
		small_cluster_arrive(cluster, i, 0, 100, 10);
	}
	small_cluster_run(cluster, 1.5);
	set_state(cluster->serving, added, WEIR_INSTANCE_ACTIVE);
	small_cluster_run(cluster, (double)INFINITY);
	/* The turn had come round to the first of the list, whoever came to its end. */
	static const int expected[] = {0, 0, 0, 1};
	for (int64_t i = 0; i < 4; i++) {
		ck_assert_int_eq(small_cluster_row(cluster, i)->prompt_instance, expected[i]);
	}
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_server_holds_what_its_gpus_have_room_for)
{
	small_cluster *cluster = small_cluster_create();
	small_server wide = server;
	wide.gpus = 5;
	small_application *application = small_cluster_add(cluster, "round_robin", "splitwise");
	small_application_add_server(application, &wide);
	application->config.instance.tensor_parallel = 2;
	small_cluster_start(cluster);
	ck_assert_uint_eq(weir_serving_instance_slots(cluster->serving), 2);
	weir_server_view view;
	ck_assert(weir_serving_server(cluster->serving, 0, &view));
	ck_assert_uint_eq(view.instances, 2);
	ck_assert_uint_eq(view.room, 0);
	weir_server_handle host = add_server(cluster, 0);
	ck_assert(weir_serving_server(cluster->serving, host.slot, &view));
	ck_assert_uint_eq(view.room, 2);
	weir_instance_handle first = add_instance(cluster, host, WEIR_TAG_MIXED);
	weir_instance_handle second = add_instance(cluster, host, WEIR_TAG_MIXED);
	ck_assert(weir_serving_server(cluster->serving, host.slot, &view));
	ck_assert_uint_eq(view.room, 0);
	ck_assert_uint_eq(view.instances, 2);
	weir_serving_remove_instance(cluster->serving, first);
	ck_assert(!weir_serving_has_instance(cluster->serving, first));
	weir_instance_view gone;
	ck_assert(!weir_serving_instance(cluster->serving, first.slot, &gone));
	ck_assert(weir_serving_has_instance(cluster->serving, second));
	/* The slot is used again, the id is not. */
	weir_instance_handle third = add_instance(cluster, host, WEIR_TAG_MIXED);
	ck_assert_uint_eq(third.slot, first.slot);
	ck_assert_uint_eq(third.id, 4);
	ck_assert(!weir_serving_has_instance(cluster->serving, first));
	ck_assert(weir_serving_has_instance(cluster->serving, third));
	weir_serving_remove_instance(cluster->serving, second);
	weir_serving_remove_instance(cluster->serving, third);
	weir_serving_remove_server(cluster->serving, host);
	ck_assert(!weir_serving_has_server(cluster->serving, host));
	ck_assert(!weir_serving_server(cluster->serving, host.slot, &view));
	weir_server_handle again = add_server(cluster, 0);
	ck_assert(again.slot == host.slot && again.id == host.id + 1);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(an_instance_that_does_not_fit_is_an_error)
{
	small_cluster *cluster = servers("round_robin", "mm");
	cluster->applications[0].types[1].memory_limit = SMALL_WEIGHTS - 1;
	weir_error error = {0};
	weir_instance_handle added;
	weir_server_handle host = add_server(cluster, 1);
	ck_assert_int_eq(
	    weir_serving_add_instance(cluster->serving, host, WEIR_TAG_MIXED, &added, &error),
	    WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "do not fit"));
	ck_assert_uint_eq(weir_serving_instance_slots(cluster->serving), 2);
	weir_serving_remove_server(cluster->serving, host);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(rows_name_instances_by_id_after_their_slots_are_used_again)
{
	small_cluster *cluster = servers("kv_jsq", "pt");
	small_cluster_arrive(cluster, 0.0, 0, 100, 100);
	/* The cache is at the token instance: the prompt instance is empty and goes. */
	small_cluster_run(cluster, 2.0);
	weir_instance_handle prompt = handle_of(cluster->serving, 0);
	ck_assert(weir_serving_is_empty(cluster->serving, prompt));
	set_active(cluster->serving, 0, false);
	weir_serving_remove_instance(cluster->serving, prompt);
	weir_instance_handle next = add_instance(cluster, (weir_server_handle){0, 0}, WEIR_TAG_PROMPT);
	ck_assert_uint_eq(next.slot, 0);
	ck_assert_uint_eq(next.id, 2);
	set_state(cluster->serving, next, WEIR_INSTANCE_ACTIVE);
	small_cluster_arrive(cluster, 3.0, 0, 100, 5);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(cluster, 0)->prompt_instance, 0);
	ck_assert_int_eq(small_cluster_row(cluster, 1)->prompt_instance, 2);
	ck_assert_int_eq(small_cluster_row(cluster, 0)->token_instance, 1);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(nothing_is_empty_while_anything_is_on_its_way)
{
	small_cluster *cluster = servers("kv_jsq", "pt");
	cluster->applications[0].config.scheduler.transfer_bandwidth_gb_per_s = 1;
	/* 1 s of prompt, then a transfer, then tokens of 0.25 s. */
	small_cluster_arrive(cluster, 1.0, 0, 100, 3);
	small_cluster_run(cluster, 0.5);
	weir_instance_handle prompt = handle_of(cluster->serving, 0);
	weir_instance_handle token = handle_of(cluster->serving, 1);
	ck_assert(weir_serving_is_empty(cluster->serving, prompt));
	ck_assert(weir_serving_is_empty(cluster->serving, token));
	small_cluster_run(cluster, 1.5);
	/* The token instance has nothing but a promise. */
	ck_assert_uint_eq(view_of(cluster->serving, 1).requests, 0);
	ck_assert(!weir_serving_is_empty(cluster->serving, prompt));
	ck_assert(!weir_serving_is_empty(cluster->serving, token));
	small_cluster_run(cluster, 2.00001);
	ck_assert_uint_eq(view_of(cluster->serving, 0).requests, 0);
	ck_assert(!weir_serving_is_empty(cluster->serving, prompt));
	small_cluster_run(cluster, 2.3);
	ck_assert(weir_serving_is_empty(cluster->serving, prompt));
	ck_assert(!weir_serving_is_empty(cluster->serving, token));
	small_cluster_run(cluster, 3.0);
	ck_assert(weir_serving_is_empty(cluster->serving, token));
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_server_that_comes_into_a_slot_has_its_own_bandwidth)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "kv_jsq", "splitwise");
	small_server slow = server;
	slow.tag = WEIR_TAG_PROMPT;
	slow.nic_bytes_per_s = 50000;
	small_application_add_server(application, &slow);
	small_server fast = server;
	fast.tag = WEIR_TAG_TOKEN;
	small_application_add_server(application, &fast);
	cluster->config.network.kind = WEIR_NETWORK_SHARED_NIC;
	small_cluster_start(cluster);
	small_cluster_arrive(cluster, 0.0, 0, 100, 2);
	small_cluster_run(cluster, 20.0);
	/* 100,000 bytes at 50,000 bytes/s. */
	ck_assert_double_eq_tol(small_cluster_row(cluster, 0)->second_token_gap, 2.0, 1e-9);
	set_active(cluster->serving, 0, false);
	weir_serving_remove_instance(cluster->serving, handle_of(cluster->serving, 0));
	weir_serving_remove_server(cluster->serving, (weir_server_handle){0, 0});
	weir_server_handle host = add_server(cluster, 1);
	ck_assert_uint_eq(host.slot, 0);
	set_state(cluster->serving, add_instance(cluster, host, WEIR_TAG_PROMPT), WEIR_INSTANCE_ACTIVE);
	small_cluster_arrive(cluster, 20.0, 0, 100, 2);
	small_cluster_run(cluster, 40.0);
	ck_assert_double_eq_tol(small_cluster_row(cluster, 1)->second_token_gap, 0.1, 1e-9);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_flipped_instance_serves_its_new_pool)
{
	small_cluster *cluster = servers("mixed_pool", "ptt");
	small_cluster_arrive(cluster, 0.0, 0, 100, 3);
	small_cluster_run(cluster, 10.0);
	set_active(cluster->serving, 1, false);
	weir_serving_set_tag(cluster->serving, handle_of(cluster->serving, 1), WEIR_TAG_PROMPT);
	ck_assert_int_eq(view_of(cluster->serving, 1).list, WEIR_TAG_PROMPT);
	set_active(cluster->serving, 1, true);
	set_active(cluster->serving, 0, false);
	small_cluster_arrive(cluster, 10.0, 0, 100, 3);
	small_cluster_run(cluster, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(cluster, 1)->prompt_instance, 1);
	ck_assert_int_eq(small_cluster_row(cluster, 1)->token_instance, 2);
	small_cluster_destroy(cluster);
}
END_TEST

static void toggle(fast_run *run, gsl_rng *draws, uint32_t instances)
{
	weir_serving *serving = fast_run_serving(run);
	uint32_t instance = (uint32_t)gsl_rng_uniform_int(draws, instances);
	set_active(serving, instance, view_of(serving, instance).state != WEIR_INSTANCE_ACTIVE);
}

/* New work comes to active instances alone: a step changes no assignment of the others. */
static void check_no_new_work(const naive_config *config, const weir_serving *serving,
                              const weir_instance_view *before)
{
	for (uint32_t i = 0; i < config->instance_count; i++) {
		weir_instance_view now = view_of(serving, i);
		if (now.state != WEIR_INSTANCE_ACTIVE) {
			ck_assert_int_le(now.pending_prompt_tokens, before[i].pending_prompt_tokens);
			ck_assert_int_le(now.memory_promised, before[i].memory_promised);
		}
	}
}

/* Whether all requests ended before the time limit of the case. */
static bool run_with_toggles(uint64_t seed, naive_scheduler scheduler)
{
	random_case *random = random_case_create(seed, 0);
	naive_config config = random->config;
	config.scheduler = scheduler;
	uint32_t instances = (uint32_t)config.instance_count;
	gsl_rng *draws = weir_stream_create(seed, "toggles", 0);
	int network = seed % 3 == 0 ? WEIR_NETWORK_SHARED_NIC : WEIR_NETWORK_DEDICATED;
	fast_run *run =
	    fast_run_create(&config, random->requests, random->request_count, network, seed);
	weir_serving *serving = fast_run_serving(run);
	weir_error error = {0};
	double rate = 0.02 + 0.3 * gsl_rng_uniform(draws);
	for (;;) {
		weir_instance_view before[RANDOM_CASE_INSTANCES];
		for (uint32_t i = 0; i < instances; i++) {
			before[i] = view_of(serving, i);
		}
		if (!fast_run_step(run)) {
			break;
		}
		ck_assert_ok(weir_serving_check(serving, &error), &error);
		check_no_new_work(&config, serving, before);
		while (gsl_rng_uniform(draws) < rate) {
			toggle(run, draws, instances);
		}
	}
	for (uint32_t i = 0; i < instances; i++) {
		set_active(serving, i, true);
	}
	while (fast_run_step(run)) {
	}
	weir_serving_counters c = counters_of(serving);
	ck_assert_uint_eq(c.arrived, c.completed + c.rejected + c.failed + c.in_system);
	ck_assert_uint_eq(c.waiting_at_scheduler, 0);
	if (c.in_system == 0) {
		ck_assert_uint_eq(c.transfers_started, c.transfers_completed);
		for (uint32_t i = 0; i < instances; i++) {
			weir_instance_view view = view_of(serving, i);
			ck_assert_int_eq(view.memory, view.weights);
			ck_assert_int_eq(view.memory_promised, view.weights);
			ck_assert_uint_eq(view.requests, 0);
			ck_assert_int_eq(view.pending_prompt_tokens, 0);
		}
	}
	fast_run_destroy(run);
	gsl_rng_free(draws);
	random_case_destroy(random);
	return c.in_system == 0;
}

START_TEST(random_operations_keep_every_invariant)
{
	int runs = 0;
	int ended = 0;
	for (uint64_t seed = 0; seed < 4 * RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(seed, 1);
		naive_scheduler scheduler = random->config.scheduler;
		random_case_destroy(random);
		ended += run_with_toggles(seed, scheduler);
		runs++;
		if (scheduler == NAIVE_JSQ) {
			ended += run_with_toggles(seed, NAIVE_RANDOM);
			runs++;
		}
	}
	ck_assert_int_gt(ended, runs / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/lifecycle");
	TCase *tests = tcase_create("lifecycle");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, an_instance_taken_out_finishes_what_it_has);
	tcase_add_test(tests, requests_wait_at_the_scheduler_and_go_oldest_first);
	tcase_add_test(tests, waiting_requests_keep_their_turn_before_later_arrivals);
	tcase_add_test(tests, the_turn_passes_over_who_left_and_who_comes_back_is_last);
	tcase_add_test(tests, pools_need_both_sides);
	tcase_add_test(tests, a_lent_instance_taken_out_comes_back_to_its_own_pool);
	tcase_add_test(tests, a_lent_instance_back_in_service_while_it_works_is_home);
	tcase_add_test(tests, load_that_changes_while_out_counts_on_return);
	tcase_add_test(tests, a_booting_instance_takes_no_work_until_it_is_active);
	tcase_add_test(tests, a_server_holds_what_its_gpus_have_room_for);
	tcase_add_test(tests, an_instance_that_does_not_fit_is_an_error);
	tcase_add_test(tests, rows_name_instances_by_id_after_their_slots_are_used_again);
	tcase_add_test(tests, nothing_is_empty_while_anything_is_on_its_way);
	tcase_add_test(tests, a_server_that_comes_into_a_slot_has_its_own_bandwidth);
	tcase_add_test(tests, a_flipped_instance_serves_its_new_pool);
	tcase_add_test(tests, random_operations_keep_every_invariant);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
