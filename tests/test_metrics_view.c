/* Scrapes and views, worked out by hand. */
#include "metrics/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "metrics/quantile.h"
#include "support/lifecycle_support.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

enum { NONE = 0, INSTANCES = WEIR_VIEW_INSTANCES, ALL = WEIR_VIEW_INSTANCES | WEIR_VIEW_LATENCIES };

static const double tolerance = 1e-12;

/* A prompt of 100 tokens takes 1 s; k token tasks take 0.25 s an iteration. */
static const small_server server = {
    .tag = WEIR_TAG_MIXED,
    .gpus = 1,
    .kv_tokens = 1000,
    .nic_bytes_per_s = 1e6,
    .tdp_w = 1000,
    .speed = {.prompt_s = 0.5, .prompt_token_s = 0.005, .token_s = 0.25},
};

static const small_time reference = {
    .base = {&small_time_type},
    .speed = {.prompt_s = 0.25, .prompt_token_s = 0.0025, .token_s = 0.125}};
static const weir_slo_reference references[] = {{.time = &reference.base},
                                                {.time = &reference.base}};
static const weir_slo_config limits = {.baseline = WEIR_BASELINE_UNLOADED,
                                       .per_request = {.ttft = 6, .tbt = 5, .e2e = 5}};
static const weir_slo slo = {.config = &limits, .references = references, .reference_count = 2};

/* A cluster and its meter, which has been told of `told` of its rows. */
typedef struct metered {
	small_cluster *cluster;
	weir_meter *meter;
	size_t told;
} metered;

static metered start(small_cluster *cluster)
{
	small_cluster_start(cluster);
	metered m = {.cluster = cluster};
	m.meter = weir_meter_create(&cluster->config, cluster->serving, &slo);
	ck_assert_ptr_nonnull(m.meter);
	return m;
}

static metered one_server(void)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "jsq", "splitwise");
	small_application_add_server(application, &server);
	application->skus[0].price_per_hour = 7200;
	return start(cluster);
}

static void destroy(metered *m)
{
	weir_meter_destroy(m->meter);
	small_cluster_destroy(m->cluster);
}

static void run(metered *m, double until)
{
	small_cluster_run(m->cluster, until);
	for (; m->told < m->cluster->row_count; m->told++) {
		ck_assert(weir_meter_request_ended(m->meter, &m->cluster->rows[m->told]));
	}
}

static weir_scrape *empty(metered *m, uint32_t application, unsigned needs)
{
	weir_scrape *scrape = weir_scrape_create(m->meter, application, needs);
	ck_assert_ptr_nonnull(scrape);
	return scrape;
}

static void take(metered *m, weir_scrape *scrape)
{
	ck_assert(weir_scrape_take(m->meter, weir_engine_now(m->cluster->engine), scrape));
}

/* What happened since `*before`, which is then what is there now. */
static weir_view next_view(metered *m, weir_scrape **before, weir_scrape **spare)
{
	take(m, *spare);
	weir_view view;
	weir_view_between(m->meter, *before, *spare, &view);
	weir_scrape *old = *before;
	*before = *spare;
	*spare = old;
	return view;
}

/* Arrival 1 s, prompt until 2 s, then 40 token iterations as one event until 12 s. */
START_TEST(a_view_is_the_difference_of_two_scrapes)
{
	metered m = one_server();
	weir_scrape *before = empty(&m, 0, ALL);
	weir_scrape *spare = empty(&m, 0, ALL);
	small_cluster_arrive(m.cluster, 1.0, 0, 100, 41);

	run(&m, 1.5);
	weir_view view = next_view(&m, &before, &spare);
	ck_assert_double_eq(view.now, 1.5);
	ck_assert_double_eq(view.interval, 1.5);
	ck_assert_double_eq(view.arrivals, 1);
	ck_assert_double_eq(view.prompt_tokens_arrived, 100);
	ck_assert_double_eq(view.output_tokens_arrived, 41);
	ck_assert_uint_eq(view.in_system, 1);
	ck_assert_uint_eq(view.waiting_at_scheduler, 0);
	const weir_view_pool *pool = &view.pools[WEIR_TAG_MIXED];
	ck_assert_uint_eq(pool->count[WEIR_INSTANCE_ACTIVE], 1);
	ck_assert_uint_eq(pool->active_by_list, 1);
	ck_assert_int_eq(pool->requests, 1);
	ck_assert_int_eq(pool->pending_prompt_tokens, 100);
	ck_assert_int_eq(pool->kv_promised, 141000);
	ck_assert_int_eq(pool->queued_prompts, 0);
	ck_assert_int_eq(pool->queued_tokens, 1);
	ck_assert_double_eq(pool->load_kv, 0.141);
	ck_assert_double_eq(pool->load_busy, 0.5 / 1.5);
	ck_assert_double_eq_tol(pool->load_batch, 0.5 * 100 / (1.5 * 2048), tolerance);
	ck_assert_double_eq(pool->prompts_assigned, 1);
	ck_assert_double_eq(pool->prompts_started, 1);
	ck_assert_double_eq(pool->prompts_completed, 0);
	ck_assert_double_eq(pool->prompt_tokens, 0); /* its iteration has not ended */
	ck_assert_double_eq(pool->paid_seconds[WEIR_INSTANCE_ACTIVE], 1.5);
	ck_assert_double_eq(pool->cost_usd, 3.0);
	ck_assert_uint_eq(view.latencies.count, 0);
	ck_assert(isnan(view.latencies.ttft.p50) && isnan(view.latencies.tbt_slowdown.mean));
	ck_assert_uint_eq(view.instance_count, 1);
	const weir_view_instance *instance = &view.instances[0];
	ck_assert_uint_eq(instance->id, 0);
	ck_assert_int_eq((int)instance->state, WEIR_INSTANCE_ACTIVE);
	ck_assert_int_eq((int)instance->tag, WEIR_TAG_MIXED);
	ck_assert_int_eq(instance->kv_promised, 141000);
	ck_assert_int_eq(instance->kv_room, 1000000);
	ck_assert_int_eq(instance->kv_tokens, 101); /* of the prompt and the token that it makes */
	ck_assert_uint_eq(instance->batch_size, 1);
	ck_assert_double_eq(instance->load_concurrency, 1);
	ck_assert_int_eq(instance->memory, 101000 + SMALL_WEIGHTS);
	ck_assert_int_eq(instance->memory_limit, 1000000 + SMALL_WEIGHTS);
	ck_assert_double_eq(instance->load_busy, 0.5 / 1.5);

	/* 2 s + 8.4 iterations of 0.25 s. */
	run(&m, 4.1);
	view = next_view(&m, &before, &spare);
	pool = &view.pools[WEIR_TAG_MIXED];
	ck_assert_double_eq_tol(view.interval, 2.6, tolerance);
	ck_assert_double_eq(view.arrivals, 0);
	ck_assert_uint_eq(view.in_system, 1);
	ck_assert_double_eq_tol(pool->load_busy, 1, tolerance);
	ck_assert_double_le(pool->load_busy, 1);
	ck_assert_double_eq_tol(pool->load_batch, (0.5 * 100 + 2.1) / (2.6 * 2048), tolerance);
	ck_assert_double_eq(pool->prompts_started, 0);
	ck_assert_double_eq(pool->prompts_completed, 1);
	ck_assert_double_eq(pool->prompt_tokens, 100);
	ck_assert_double_eq(pool->output_tokens, 1 + 8);
	ck_assert_double_eq(view.instances[0].prompt_tokens, 100);
	ck_assert_double_eq(view.instances[0].output_tokens, 1 + 8);
	ck_assert_double_eq_tol(pool->cost_usd, 5.2, tolerance);

	run(&m, 16.0);
	view = next_view(&m, &before, &spare);
	pool = &view.pools[WEIR_TAG_MIXED];
	ck_assert_uint_eq(view.in_system, 0);
	ck_assert_double_eq(pool->load_kv, 0);
	ck_assert_double_eq_tol(pool->load_busy, 7.9 / 11.9, tolerance);
	ck_assert_double_eq(pool->requests_completed, 1);
	ck_assert_double_eq(pool->output_tokens, 32);
	ck_assert_double_eq_tol(pool->paid_seconds[WEIR_INSTANCE_ACTIVE], 11.9, tolerance);
	ck_assert_uint_eq(view.latencies.count, 1);
	ck_assert_uint_eq(view.latencies.slo_met, 1);
	ck_assert_double_eq(view.latencies.ttft.p50, 1.0);
	ck_assert_double_eq(view.latencies.ttft.mean, 1.0);
	ck_assert_double_eq(view.latencies.tbt.p99, 0.25);
	ck_assert_double_eq(view.latencies.ttft_slowdown.p90, 2.0);
	ck_assert_double_eq(view.latencies.tbt_slowdown.p50, 2.0);

	/* Nothing has happened since, and no time has passed: no NaN but where there is no value. */
	view = next_view(&m, &before, &spare);
	ck_assert_double_eq(view.interval, 0);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].load_busy, 0);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].load_batch, 0);
	ck_assert_double_eq(view.pools[WEIR_TAG_PROMPT].load_busy, 0);
	ck_assert_uint_eq(view.latencies.count, 0);
	weir_scrape_destroy(m.meter, before);
	weir_scrape_destroy(m.meter, spare);
	destroy(&m);
}
END_TEST

START_TEST(a_wait_counts_when_the_prompt_starts)
{
	metered m = one_server();
	weir_scrape *before = empty(&m, 0, NONE);
	weir_scrape *spare = empty(&m, 0, NONE);
	small_cluster_arrive(m.cluster, 1.0, 0, 100, 1);  /* until 2 s */
	small_cluster_arrive(m.cluster, 1.25, 0, 100, 1); /* waits 0.75 s */
	run(&m, 1.75);
	weir_view view = next_view(&m, &before, &spare);
	ck_assert_int_eq(view.pools[WEIR_TAG_MIXED].queued_prompts, 1);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].prompts_assigned, 2);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].prompts_started, 1);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].prompt_wait, 0);
	run(&m, 2.5);
	view = next_view(&m, &before, &spare);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].prompts_started, 1);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].prompt_wait, 0.75);
	weir_scrape_destroy(m.meter, before);
	weir_scrape_destroy(m.meter, spare);
	destroy(&m);
}
END_TEST

/* Two applications; in the first a prompt and a token server, where only every second fits. */
START_TEST(ends_and_transfers_count_for_their_application)
{
	small_cluster *cluster = small_cluster_create();
	small_server part = server;
	small_application *pair = small_cluster_add(cluster, "kv_jsq", "splitwise");
	part.tag = WEIR_TAG_PROMPT;
	small_application_add_server(pair, &part);
	part.tag = WEIR_TAG_TOKEN;
	small_application_add_server(pair, &part);
	small_application_add_server(small_cluster_add(cluster, "jsq", "splitwise"), &server);
	metered m = start(cluster);
	weir_scrape *before = empty(&m, 0, WEIR_VIEW_OVERDUE);
	weir_scrape *spare = empty(&m, 0, WEIR_VIEW_OVERDUE);
	small_cluster_arrive(cluster, 0, 0, 100, 11);
	small_cluster_arrive(cluster, 0, 0, 1100, 11); /* fits nowhere */
	small_cluster_arrive(cluster, 0, 1, 100, 11);
	small_cluster_arrive(cluster, 0, 1, 100, 1);
	small_cluster_arrive(cluster, 5, 0, 200, 401);
	run(&m, 4.5);
	weir_view view = next_view(&m, &before, &spare);
	ck_assert_double_eq(view.arrivals, 2);
	ck_assert_double_eq(view.completed, 1);
	ck_assert_double_eq(view.rejected, 1);
	ck_assert_double_eq(view.failed, 0);
	ck_assert_double_eq(view.kv_bytes_moved, 100000);
	ck_assert_double_eq(view.no_prompt_candidate, 0);
	ck_assert_uint_eq(view.queued, 0);

	/* A prompt that finds no instance, and one that is past its limits when the instance is back.
	 */
	set_active(cluster->serving, 0, false);
	run(&m, 20);
	view = next_view(&m, &before, &spare);
	ck_assert_double_eq(view.completed, 0);
	ck_assert_double_eq(view.rejected, 0);
	ck_assert_double_eq(view.kv_bytes_moved, 0);
	ck_assert_double_eq(view.no_prompt_candidate, 1);
	ck_assert_double_eq(view.no_token_candidate, 0);
	ck_assert_uint_eq(view.queued, 1);
	ck_assert_double_eq(view.queued_wait, 15);
	ck_assert_uint_eq(view.overdue_ttft, 1);
	ck_assert_uint_eq(view.overdue_tbt, 0);
	ck_assert_uint_eq(view.overdue, 1);
	ck_assert_uint_eq(view.servers_active, 0); /* for a controller to say */
	ck_assert(isinf(view.pools[WEIR_TAG_PROMPT].next_ready));
	set_active(cluster->serving, 0, true);
	set_active(cluster->serving, 1, false);
	uint64_t evicted;
	weir_error error;
	cluster->config.max_retries = 0;
	run(&m, 30);
	ck_assert_ok(weir_serving_evict(cluster->serving, handle_of(cluster->serving, 1), true,
	                                &evicted, &error),
	             &error);
	run(&m, 31);
	view = next_view(&m, &before, &spare);
	ck_assert_double_eq(view.failed, 1);
	ck_assert_double_eq(view.completed, 0);
	ck_assert_double_eq(view.kv_bytes_moved, 200000);
	ck_assert_uint_eq(view.overdue, 0);
	weir_scrape_destroy(m.meter, before);
	weir_scrape_destroy(m.meter, spare);
	destroy(&m);
}
END_TEST

START_TEST(without_needs_only_counters)
{
	metered m = one_server();
	weir_scrape *before = empty(&m, 0, NONE);
	weir_scrape *after = empty(&m, 0, NONE);
	weir_scrape *full = empty(&m, 0, INSTANCES);
	small_cluster_arrive(m.cluster, 1.0, 0, 100, 41);
	run(&m, 14);
	small_cluster_arrive(m.cluster, 15.0, 0, 200, 60);
	run(&m, 15.5);
	take(&m, after);
	take(&m, full);
	weir_view view;
	weir_view_between(m.meter, before, after, &view);
	const weir_view_pool *pool = &view.pools[WEIR_TAG_MIXED];
	ck_assert_ptr_null(view.instances);
	ck_assert_uint_eq(view.instance_count, 0);
	ck_assert(isnan(pool->load_busy) && isnan(pool->load_batch));
	ck_assert(isnan(view.latencies.ttft.mean));
	ck_assert_uint_eq(view.latencies.count, 0);
	ck_assert_double_eq(pool->requests_completed, 1);
	ck_assert_double_eq(pool->load_kv, 0.26);
	weir_scrape *none = empty(&m, 0, INSTANCES);
	weir_view_between(m.meter, none, full, &view);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].load_kv, 0.26);
	ck_assert_uint_eq(view.latencies.count, 0);
	weir_scrape_destroy(m.meter, before);
	weir_scrape_destroy(m.meter, after);
	weir_scrape_destroy(m.meter, full);
	weir_scrape_destroy(m.meter, none);
	destroy(&m);
}
END_TEST

/* Two instances of one type, of which one drains: the books must say what the instances do. */
START_TEST(what_drains_counts_as_loaded)
{
	small_cluster *cluster = small_cluster_create();
	small_server twin = server;
	twin.gpus = 2;
	small_application_add_server(small_cluster_add(cluster, "round_robin", "splitwise"), &twin);
	metered m = start(cluster);
	small_cluster_arrive(cluster, 1.0, 0, 100, 101);
	small_cluster_arrive(cluster, 1.0, 0, 200, 101);
	run(&m, 3);
	set_active(cluster->serving, 1, false);
	for (unsigned needs = NONE; needs <= INSTANCES; needs += INSTANCES) {
		weir_scrape *before = empty(&m, 0, needs);
		weir_scrape *after = empty(&m, 0, needs);
		take(&m, after);
		weir_view view;
		weir_view_between(m.meter, before, after, &view);
		ck_assert_double_eq_tol(view.pools[WEIR_TAG_MIXED].load_kv, (0.201 + 0.301) / 2, tolerance);
		weir_scrape_destroy(m.meter, before);
		weir_scrape_destroy(m.meter, after);
	}
	destroy(&m);
}
END_TEST

/* Two types, with room for 1000 and 4000 tokens; the load of a pool is the mean of the loads. */
START_TEST(loads_of_several_types_are_meaned)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "round_robin", "splitwise");
	small_server large = server;
	large.kv_tokens = 4000;
	small_application_add_server(application, &server);
	small_application_add_server(application, &large);
	metered m = start(cluster);
	small_cluster_arrive(cluster, 1.0, 0, 100, 101);
	small_cluster_arrive(cluster, 1.0, 0, 100, 101);
	run(&m, 3);
	for (unsigned needs = NONE; needs <= INSTANCES; needs += INSTANCES) {
		weir_scrape *before = empty(&m, 0, needs);
		weir_scrape *after = empty(&m, 0, needs);
		take(&m, after);
		weir_view view;
		weir_view_between(m.meter, before, after, &view);
		ck_assert_double_eq_tol(view.pools[WEIR_TAG_MIXED].load_kv, (0.201 + 0.201 / 4) / 2,
		                        tolerance);
		weir_scrape_destroy(m.meter, before);
		weir_scrape_destroy(m.meter, after);
	}
	destroy(&m);
}
END_TEST

/* Slots 0 and 1; slot 0 is used again by id 2, whose figures are its own. */
START_TEST(instances_come_and_go)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "jsq", "splitwise");
	small_application_add_server(application, &server);
	small_application_add_server(application, &server);
	metered m = start(cluster);
	weir_scrape *before = empty(&m, 0, INSTANCES);
	weir_scrape *spare = empty(&m, 0, INSTANCES);
	small_cluster_arrive(cluster, 1.0, 0, 100, 1); /* instance 0, until 2 s */
	run(&m, 4);
	weir_view view = next_view(&m, &before, &spare);
	ck_assert_double_eq(view.instances[0].load_busy, 0.25);
	ck_assert_double_eq(view.instances[0].prompt_tokens, 100);
	ck_assert_double_eq(view.instances[1].load_busy, 0);
	ck_assert_double_eq(view.pools[WEIR_TAG_MIXED].load_busy, 0.125);

	weir_error error;
	weir_instance_handle gone = handle_of(cluster->serving, 0);
	set_state(cluster->serving, gone, WEIR_INSTANCE_DRAINING);
	weir_serving_remove_instance(cluster->serving, gone);
	weir_server_handle added_server;
	weir_instance_handle added;
	ck_assert_ok(weir_serving_add_server(cluster->serving, 0, 0, &added_server, &error), &error);
	run(&m, 5);
	ck_assert_ok(
	    weir_serving_add_instance(cluster->serving, added_server, WEIR_TAG_MIXED, &added, &error),
	    &error);
	ck_assert_uint_eq(added.slot, 0);
	run(&m, 6);
	weir_view booting = next_view(&m, &before, &spare);
	ck_assert_uint_eq(booting.pools[WEIR_TAG_MIXED].count[WEIR_INSTANCE_SCALING_UP], 1);
	ck_assert(isnan(booting.instances[1].ready_since));
	set_state(cluster->serving, added, WEIR_INSTANCE_ACTIVE);
	set_active(cluster->serving, 1, false);
	small_cluster_arrive(cluster, 6.5, 0, 100, 1); /* the new one, until 7.5 s */
	run(&m, 8);
	/* Since the scrape at 4 s, by a consumer of its own. */
	weir_scrape *late = empty(&m, 0, INSTANCES);
	take(&m, late);
	weir_view whole;
	weir_view_between(m.meter, spare, late, &whole);
	ck_assert_double_eq(whole.interval, 4);
	ck_assert_uint_eq(whole.instance_count, 2);
	ck_assert_uint_eq(whole.instances[0].id, 1);
	ck_assert_uint_eq(whole.instances[1].id, 2);
	ck_assert_int_eq((int)whole.instances[0].state, WEIR_INSTANCE_DRAINING);
	ck_assert_double_eq(whole.instances[1].created, 5);
	ck_assert_double_eq(whole.instances[1].ready_since, 6);
	ck_assert_double_eq(whole.instances[1].prompt_tokens, 100);
	ck_assert_double_eq_tol(whole.instances[1].load_busy, 1.0 / 3, tolerance); /* of 3 s of life */
	ck_assert_double_eq_tol(whole.instances[1].load_batch, 100 / (3 * 2048.0), tolerance);
	ck_assert_double_eq_tol(whole.pools[WEIR_TAG_MIXED].load_busy, 1.0 / 6, tolerance);
	ck_assert_double_eq(whole.pools[WEIR_TAG_MIXED].paid_seconds[WEIR_INSTANCE_SCALING_UP], 1);

	/* An old view can be given the counts of now, and nothing else of it. */
	weir_view_count_now(m.meter, &booting);
	ck_assert_uint_eq(booting.pools[WEIR_TAG_MIXED].count[WEIR_INSTANCE_SCALING_UP], 0);
	ck_assert_uint_eq(booting.pools[WEIR_TAG_MIXED].count[WEIR_INSTANCE_ACTIVE], 1);
	ck_assert_uint_eq(booting.pools[WEIR_TAG_MIXED].count[WEIR_INSTANCE_DRAINING], 1);
	ck_assert_uint_eq(booting.pools[WEIR_TAG_MIXED].active_by_list, 1);
	ck_assert_double_eq(booting.now, 6);
	weir_scrape_destroy(m.meter, before);
	weir_scrape_destroy(m.meter, spare);
	weir_scrape_destroy(m.meter, late);
	destroy(&m);
}
END_TEST

/* Slots are given back and taken again in every order. */
START_TEST(instances_stand_in_order_of_id)
{
	enum { SERVERS = 12 };
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "jsq", "splitwise");
	for (int s = 0; s < SERVERS; s++) {
		small_application_add_server(application, &server);
	}
	metered m = start(cluster);
	weir_scrape *none = empty(&m, 0, INSTANCES);
	weir_scrape *scrape = empty(&m, 0, INSTANCES);
	for (uint64_t round = 0; round < 40; round++) {
		uint32_t slot = (uint32_t)(weir_stream_seed(5, "slot", round) % SERVERS);
		uint32_t other = (slot + 1 + (uint32_t)(round % (SERVERS - 1))) % SERVERS;
		uint32_t gone[2] = {slot, other};
		weir_error error;
		for (int i = 0; i < 2; i++) {
			weir_instance_handle handle = handle_of(cluster->serving, gone[i]);
			weir_instance_view view = view_of(cluster->serving, gone[i]);
			if (view.state == WEIR_INSTANCE_ACTIVE) {
				set_state(cluster->serving, handle, WEIR_INSTANCE_DRAINING);
			}
			weir_serving_remove_instance(cluster->serving, handle);
		}
		for (int i = 0; i < 2; i++) {
			weir_server_handle host;
			weir_instance_handle added;
			ck_assert_ok(weir_serving_add_server(cluster->serving, 0, 0, &host, &error), &error);
			ck_assert_ok(
			    weir_serving_add_instance(cluster->serving, host, WEIR_TAG_MIXED, &added, &error),
			    &error);
		}
		run(&m, (double)round + 1);
		take(&m, scrape);
		weir_view view;
		weir_view_between(m.meter, none, scrape, &view);
		ck_assert_uint_eq(view.instance_count, SERVERS);
		double created = 0;
		for (size_t i = 0; i < SERVERS; i++) {
			ck_assert(i == 0 || view.instances[i].id > view.instances[i - 1].id);
			/* Ids and times of creation go together, so that no instance has another's figures. */
			ck_assert_double_ge(view.instances[i].created, created);
			created = view.instances[i].created;
			ck_assert_double_eq(created, view.instances[i].id < SERVERS
			                                 ? 0
			                                 : floor((view.instances[i].id - SERVERS) / 2.0));
		}
	}
	weir_scrape_destroy(m.meter, none);
	weir_scrape_destroy(m.meter, scrape);
	destroy(&m);
}
END_TEST

/* A completed request of application n % 2; its prompt of 100 tokens alone would take 0.5 s. */
static weir_request_row made_up(uint64_t n)
{
	double ttft = (double)(weir_stream_seed(3, "ttft", n) % 1000) / 100;
	bool one = n % 5 == 0;
	return (weir_request_row){
	    .application = (int32_t)(n % 2),
	    .prompt_tokens = 100,
	    .output_tokens = one ? 1 : 11,
	    .ttft = ttft,
	    .tbt = one ? (double)NAN : ttft / 10,
	    .e2e = one ? ttft : 2 * ttft,
	    .status = n % 7 == 6 ? WEIR_REQUEST_FAILED : WEIR_REQUEST_COMPLETED,
	};
}

/* numpy's linear rule on a sorted copy. */
static double quantile_of(double *values, size_t count, double p)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t j = i; j > 0 && values[j] < values[j - 1]; j--) {
			double swap = values[j];
			values[j] = values[j - 1];
			values[j - 1] = swap;
		}
	}
	double index = p * (double)(count - 1);
	size_t below = (size_t)index;
	double high = below + 1 < count ? values[below + 1] : values[below];
	return values[below] + (index - (double)below) * (high - values[below]);
}

/* `times`: beside the slowdowns. */
static void expect_latencies(const weir_view *view, uint64_t from, uint64_t to, bool times)
{
	double ttft[2000];
	double tbt[2000];
	size_t ttfts = 0;
	size_t tbts = 0;
	uint64_t met = 0;
	uint64_t ttft_broken = 0;
	uint64_t tbt_broken = 0;
	for (uint64_t n = from; n < to; n++) {
		weir_request_row row = made_up(n);
		if (row.status != WEIR_REQUEST_COMPLETED || row.application != (int)view->application) {
			continue;
		}
		ttft[ttfts++] = row.ttft;
		met += row.ttft / 0.5 <= 6 && (isnan(row.tbt) || row.tbt / 0.125 <= 5) &&
		       row.e2e / (row.output_tokens == 1 ? 0.5 : 1.75) <= 5;
		ttft_broken += row.ttft / 0.5 > 6;
		tbt_broken += row.tbt / 0.125 > 5;
		if (!isnan(row.tbt)) {
			tbt[tbts++] = row.tbt;
		}
	}
	const weir_view_latencies *latencies = &view->latencies;
	ck_assert_uint_eq(latencies->count, ttfts);
	ck_assert_uint_eq(latencies->slo_met, met);
	ck_assert_uint_eq(latencies->ttft_broken, ttft_broken);
	ck_assert_uint_eq(latencies->tbt_broken, tbt_broken);
	if (ttfts > 0 && !times) {
		ck_assert(isnan(latencies->ttft.p50) && isnan(latencies->tbt.mean));
	} else if (ttfts > 0) {
		ck_assert_double_eq_tol(latencies->ttft.p50, quantile_of(ttft, ttfts, 0.5), tolerance);
		ck_assert_double_eq_tol(latencies->ttft.p90, quantile_of(ttft, ttfts, 0.9), tolerance);
		ck_assert_double_eq_tol(latencies->ttft.p99, quantile_of(ttft, ttfts, 0.99), tolerance);
	}
	if (ttfts > 0) {
		ck_assert_double_eq_tol(latencies->ttft_slowdown.p99, quantile_of(ttft, ttfts, 0.99) / 0.5,
		                        tolerance);
	}
	if (tbts > 0 && times) {
		ck_assert_double_eq_tol(latencies->tbt.p50, quantile_of(tbt, tbts, 0.5), tolerance);
		ck_assert_double_eq_tol(latencies->tbt.mean, weir_moments_of(tbt, tbts).mean, tolerance);
	}
	if (tbts > 0) {
		ck_assert_double_eq_tol(latencies->tbt_slowdown.p90, quantile_of(tbt, tbts, 0.9) / 0.125,
		                        tolerance);
	}
}

typedef struct consumer {
	weir_scrape *before, *spare;
	uint64_t every, last;
} consumer;

/* Consumers of different intervals, one that begins late, and a log that is trimmed in between. */
START_TEST(every_consumer_sees_each_completion_once)
{
	small_cluster *cluster = small_cluster_create();
	for (int a = 0; a < 2; a++) {
		small_application_add_server(small_cluster_add(cluster, "jsq", "splitwise"), &server);
	}
	metered m = start(cluster);
	/* Nobody asks yet: not kept. */
	weir_request_row first = made_up(0);
	ck_assert(weir_meter_request_ended(m.meter, &first));
	static const uint64_t every[] = {1, 7, 30, 1000};
	consumer consumers[4];
	for (size_t c = 0; c < 4; c++) {
		unsigned needs = c < 2 ? WEIR_VIEW_SLOWDOWNS : WEIR_VIEW_LATENCIES;
		consumers[c] = (consumer){empty(&m, c % 2, needs), empty(&m, c % 2, needs), every[c], 0};
	}
	for (uint64_t n = 0; n < 3000; n++) {
		weir_request_row row = made_up(n);
		ck_assert(weir_meter_request_ended(m.meter, &row));
		for (size_t c = 0; c < 4; c++) {
			consumer *one = &consumers[c];
			if ((n + 1) % one->every == 0) {
				weir_view view = next_view(&m, &one->before, &one->spare);
				expect_latencies(&view, one->last, n + 1, c >= 2);
				one->last = n + 1;
			}
		}
		if (n == 1500) {
			/* As a snapshot: another meter, and a scrape copied to it. */
			weir_meter *other = weir_meter_create(&cluster->config, cluster->serving, &slo);
			weir_scrape *then = weir_scrape_create(other, 1, WEIR_VIEW_LATENCIES);
			weir_scrape *now = weir_scrape_create(other, 1, WEIR_VIEW_LATENCIES);
			ck_assert(weir_meter_copy(other, m.meter));
			ck_assert(weir_scrape_copy(other, then, consumers[3].before));
			for (uint64_t k = n + 1; k < n + 500; k++) {
				row = made_up(k);
				ck_assert(weir_meter_request_ended(other, &row));
			}
			ck_assert(weir_scrape_take(other, 0, now));
			weir_view view;
			weir_view_between(other, then, now, &view);
			expect_latencies(&view, 1000, n + 500, true);
			weir_scrape_destroy(other, then);
			weir_scrape_destroy(other, now);
			weir_meter_destroy(other);
		}
	}
	for (size_t c = 0; c < 4; c++) {
		weir_scrape_destroy(m.meter, consumers[c].spare);
		weir_scrape_destroy(m.meter, consumers[c].before);
	}
	destroy(&m);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/view");
	TCase *tests = tcase_create("view");
	tcase_add_test(tests, a_view_is_the_difference_of_two_scrapes);
	tcase_add_test(tests, a_wait_counts_when_the_prompt_starts);
	tcase_add_test(tests, ends_and_transfers_count_for_their_application);
	tcase_add_test(tests, without_needs_only_counters);
	tcase_add_test(tests, what_drains_counts_as_loaded);
	tcase_add_test(tests, loads_of_several_types_are_meaned);
	tcase_add_test(tests, instances_come_and_go);
	tcase_add_test(tests, instances_stand_in_order_of_id);
	tcase_add_test(tests, every_consumer_sees_each_completion_once);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
