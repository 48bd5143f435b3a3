#include "support/storm.h"

#include "base/random.h"
#include "support/lifecycle_support.h"
#include "support/test_support.h"

static void add_application(small_cluster *cluster, uint64_t seed, uint64_t number, gsl_rng *draws)
{
	static const char *const schedulers[] = {
	    "random",       "round_robin",    "jsq",
	    "token_jsq",    "kv_round_robin", "kv_jsq",
	    "kv_token_jsq", "overlap_kv_jsq", "overlap_kv_token_jsq",
	    "mixed_pool",
	};
	static const char *const kinds[] = {"splitwise", "orca", "chunked"};
	uint64_t pick = seed + 7 * number;
	small_application *application =
	    small_cluster_add(cluster, schedulers[pick % 10], kinds[pick / 10 % 3]);
	application->config.instance.max_batch_size = 1 + (int64_t)gsl_rng_uniform_int(draws, 12);
	application->config.instance.max_batch_tokens = 150;
	application->config.scheduler.prompt_max_pending_tokens = 200;
	application->config.scheduler.transfer_bandwidth_gb_per_s =
	    (gsl_rng_uniform(draws) < 0.5 ? 1e6 : 2e4) / WEIR_BYTES_PER_GB;
	static const weir_tag tags[] = {WEIR_TAG_PROMPT, WEIR_TAG_TOKEN, WEIR_TAG_MIXED};
	for (int i = 0; i < 3; i++) {
		const small_server server = {
		    .tag = tags[i],
		    .gpus = 1 + (int64_t)gsl_rng_uniform_int(draws, 2),
		    .kv_tokens = 150 + (int64_t)gsl_rng_uniform_int(draws, 300),
		    .nic_bytes_per_s = gsl_rng_uniform(draws) < 0.5 ? 1e6 : 3e4,
		    .tdp_w = 1000,
		    .price_per_hour = 3600 * (1 + (double)i) / 10,
		    .speed = {.prompt_s = 0.5 + 0.5 * (double)gsl_rng_uniform_int(draws, 3),
		              .token_s = i == 0 ? 0.25 : 0.11,
		              .token_task_s = 0.01,
		              .prompt_power = 0.9,
		              .token_power = 0.5},
		};
		small_application_add_server(application, &server);
	}
}

small_cluster *storm_create(uint64_t seed, int requests)
{
	gsl_rng *draws = weir_stream_create(seed, "storm", 0);
	small_cluster *cluster = small_cluster_create();
	cluster->config.network.kind =
	    seed / 30 % 2 == 0 ? WEIR_NETWORK_DEDICATED : WEIR_NETWORK_SHARED_NIC;
	cluster->config.network.local_bandwidth_gb_per_s = 1e5 / WEIR_BYTES_PER_GB;
	cluster->config.max_retries = (uint32_t)(seed % 4);
	cluster->config.seed = seed;
	uint64_t applications = 1 + seed % 2;
	for (uint64_t a = 0; a < applications; a++) {
		add_application(cluster, seed, a, draws);
	}
	small_cluster_start(cluster);
	double time = 0;
	for (int i = 0; i < requests * (int)applications; i++) {
		/* Bursts at one instant, too. */
		time += gsl_rng_uniform(draws) < 0.3 ? 0 : 1.5 * gsl_rng_uniform(draws);
		int64_t prompt = 1 + (int64_t)gsl_rng_uniform_int(draws, 120);
		int64_t output = 1 + (int64_t)gsl_rng_uniform_int(draws, 25);
		small_cluster_arrive(cluster, time, (uint32_t)((uint64_t)i % applications), prompt, output);
	}
	gsl_rng_free(draws);
	return cluster;
}

static void check_empty(const weir_serving *serving, const weir_instance_view *view)
{
	bool empty = view->requests == 0 && view->queued_prompts == 0 && view->queued_tokens == 0 &&
	             view->batch_size == 0 && view->memory == view->weights &&
	             view->memory_promised == view->weights;
	const weir_instance_handle handle = {view->slot, view->id};
	ck_assert_int_eq(weir_serving_is_empty(serving, handle), empty);
}

static uint32_t pick(gsl_rng *draws, uint32_t count)
{
	return (uint32_t)gsl_rng_uniform_int(draws, count);
}

static void add_something(small_cluster *cluster, gsl_rng *draws)
{
	weir_serving *serving = cluster->serving;
	uint32_t slots = weir_serving_server_slots(serving);
	uint32_t slot = pick(draws, slots + 2);
	weir_server_view view;
	weir_server_handle server;
	weir_error error = {0};
	if (slot < slots && weir_serving_server(serving, slot, &view)) {
		if (view.room == 0) {
			return;
		}
		server = view.handle;
	} else {
		uint32_t application = pick(draws, (uint32_t)cluster->config.application_count);
		ck_assert_ok(weir_serving_add_server(serving, application, pick(draws, 3), &server, &error),
		             &error);
	}
	weir_instance_handle instance;
	ck_assert_ok(weir_serving_add_instance(serving, server, (weir_tag)pick(draws, WEIR_TAG_COUNT),
	                                       &instance, &error),
	             &error);
	ck_assert(weir_serving_has_instance(serving, instance));
}

static void remove_something(weir_serving *serving, weir_instance_handle instance)
{
	weir_serving_remove_instance(serving, instance);
	ck_assert(!weir_serving_has_instance(serving, instance));
	for (uint32_t s = 0; s < weir_serving_server_slots(serving); s++) {
		weir_server_view view;
		if (weir_serving_server(serving, s, &view) && view.instances == 0) {
			weir_serving_remove_server(serving, view.handle);
			ck_assert(!weir_serving_has_server(serving, view.handle));
		}
	}
}

uint64_t storm_operate(small_cluster *cluster, gsl_rng *draws)
{
	weir_serving *serving = cluster->serving;
	weir_error error = {0};
	uint64_t evicted = 0;
	uint32_t count = 0;
	for (uint32_t i = 0; i < weir_serving_instance_slots(serving); i++) {
		weir_instance_view view;
		if (weir_serving_instance(serving, i, &view)) {
			check_empty(serving, &view);
			count++;
		}
	}
	uint32_t slot = pick(draws, weir_serving_instance_slots(serving) + 1);
	weir_instance_view view;
	if (slot == weir_serving_instance_slots(serving) ||
	    !weir_serving_instance(serving, slot, &view)) {
		if (count < STORM_INSTANCES) {
			add_something(cluster, draws);
		}
	} else {
		const weir_instance_handle instance = {slot, view.id};
		bool active = view.state == WEIR_INSTANCE_ACTIVE;
		bool empty = weir_serving_is_empty(serving, instance);
		double what = gsl_rng_uniform(draws);
		if (what < 0.15) {
			weir_serving_set_slowness(serving, instance,
			                          what < 0.05 ? 1 : 0.25 + 3 * gsl_rng_uniform(draws));
		} else if (active && what < 0.5) {
			set_state(serving, instance, WEIR_INSTANCE_DRAINING);
		} else if (!active && what < 0.6) {
			set_state(serving, instance, WEIR_INSTANCE_ACTIVE);
		} else if (!active && empty && what < 0.75) {
			weir_serving_set_tag(serving, instance, (weir_tag)pick(draws, WEIR_TAG_COUNT));
		} else if (!active && empty) {
			remove_something(serving, instance);
		} else if (!active && what < 0.9) {
			bool failure = gsl_rng_uniform(draws) < 0.5;
			ck_assert_ok(weir_serving_evict(serving, instance, failure, &evicted, &error), &error);
			ck_assert(weir_serving_is_empty(serving, instance));
		}
	}
	ck_assert_ok(weir_serving_check(serving, &error), &error);
	return evicted;
}

void storm_calm(small_cluster *cluster)
{
	weir_serving *serving = cluster->serving;
	weir_error error = {0};
	for (uint32_t i = 0; i < weir_serving_instance_slots(serving); i++) {
		weir_instance_view view;
		if (weir_serving_instance(serving, i, &view)) {
			weir_serving_set_slowness(serving, (weir_instance_handle){i, view.id}, 1.0);
		}
	}
	for (uint32_t a = 0; a < cluster->config.application_count; a++) {
		for (uint32_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			weir_server_handle server;
			weir_instance_handle instance;
			ck_assert_ok(weir_serving_add_server(serving, a, tag, &server, &error), &error);
			ck_assert_ok(
			    weir_serving_add_instance(serving, server, (weir_tag)tag, &instance, &error),
			    &error);
			set_state(serving, instance, WEIR_INSTANCE_ACTIVE);
		}
	}
}
