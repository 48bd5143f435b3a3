/*
 * A controller over a small cluster, a manager that only writes down what it is asked, and a policy
 * that writes down what it sees. The manager stands in for the true one, whose functions it
 * defines: include this in one test program and nowhere else.
 */
#ifndef WEIR_TESTS_CONTROLLER_FIXTURE_H
#define WEIR_TESTS_CONTROLLER_FIXTURE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "scaling/controller.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

enum { CALLS = 4096, VIEWS = 4096, EVENT_ARRIVAL = WEIR_SERVING_EVENT_END };

/* ---- A manager that only writes down what it is asked; it stands in for the true one. ---- */

typedef struct call {
	char what; /* 'r'esize, 'm'igrate, 'c'ut */
	char actor[WEIR_ACTOR_SIZE];
	double time;
	uint32_t application;
	weir_tag tag;
	int32_t type;
	int64_t asked, done;
	weir_refusal reason;
} call;

struct weir_manager {
	weir_engine *engine;
	unsigned pools;
	int64_t sizes[WEIR_TAG_COUNT];
	uint32_t operations, servers_active;
	double next_ready;
	int64_t moves; /* most that a migration moves */
	weir_undoable undoable[WEIR_TAG_COUNT];
	call calls[CALLS];
	size_t count;
};

static void write_down(weir_manager *manager, const char *actor, call made)
{
	ck_assert_uint_lt(manager->count, CALLS);
	made.time = weir_engine_now(manager->engine);
	ck_assert_uint_lt(strlen(actor), sizeof made.actor);
	strcpy(made.actor, actor);
	manager->calls[manager->count++] = made;
}

weir_resize_result weir_manager_resize(weir_manager *manager, const char *actor,
                                       uint32_t application, weir_tag tag, int32_t type,
                                       int64_t delta)
{
	write_down(manager, actor,
	           (call){.what = 'r',
	                  .application = application,
	                  .tag = tag,
	                  .type = type,
	                  .asked = delta,
	                  .done = delta});
	manager->sizes[tag] += delta;
	return (weir_resize_result){.done = delta};
}

weir_resize_result weir_manager_migrate(weir_manager *manager, const char *actor,
                                        uint32_t application, weir_tag from, weir_tag to,
                                        int64_t count)
{
	int64_t done = count < manager->moves ? count : manager->moves;
	write_down(
	    manager, actor,
	    (call){.what = 'm', .application = application, .tag = to, .asked = count, .done = done});
	manager->sizes[from] -= done;
	manager->sizes[to] += done;
	return (weir_resize_result){.done = done};
}

void weir_manager_note_cut(weir_manager *manager, const char *actor, uint32_t application,
                           weir_tag tag, int64_t asked, int64_t done, weir_refusal reason)
{
	write_down(manager, actor,
	           (call){.what = 'c',
	                  .application = application,
	                  .tag = tag,
	                  .asked = asked,
	                  .done = done,
	                  .reason = reason});
}

int64_t weir_manager_size(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	(void)application;
	return manager->sizes[tag];
}

bool weir_manager_has_pool(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	(void)application;
	return manager->pools & 1u << tag;
}

uint32_t weir_manager_operations(const weir_manager *manager)
{
	return manager->operations;
}

uint32_t weir_manager_active_servers(const weir_manager *manager, uint32_t application)
{
	(void)application;
	return manager->servers_active;
}

double weir_manager_next_ready(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	(void)application, (void)tag;
	return manager->next_ready;
}

double weir_manager_mean_boot_delay(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	(void)manager;
	return 100 * application + 10 * (double)tag;
}

weir_undoable weir_manager_undoable(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	(void)application;
	return manager->undoable[tag];
}

weir_status weir_manager_check(const weir_manager *manager, weir_error *error)
{
	(void)manager, (void)error;
	return WEIR_OK;
}

/* ---- A policy that writes down what it sees and decides what the test says. ---- */

typedef struct probe {
	size_t count;
	weir_view views[VIEWS];
	double clocks[VIEWS]; /* what the engine said */
	weir_policy_context contexts[VIEWS];
	uint64_t ticks[VIEWS]; /* of the policy's own state */
	weir_engine *engine;
	weir_decision decision;
	uint64_t sparse; /* up to this tick only every other is `numbered` */
	bool numbered;   /* adds a change of the mixed pool by the number of the tick, from 1 */
} probe;

static size_t probe_state_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(uint64_t);
}

static weir_status probe_start(const weir_policy_context *context, void *state, weir_error *error)
{
	uint64_t *ticks = state;
	ck_assert_uint_eq(*ticks, 0);
	*ticks = 100 * (uint64_t)context->tags;
	return context->parameters == NULL
	           ? WEIR_OK
	           : weir_error_set(error, WEIR_ERROR_INPUT, "probe.target", "must not be %d", 7);
}

static void probe_decide(const weir_policy_context *context, void *state, const weir_view *view,
                         weir_decision *decision)
{
	probe *p = context->owner;
	uint64_t *ticks = state;
	ck_assert_uint_lt(p->count, VIEWS);
	ck_assert_uint_eq(decision->count, 0);
	ck_assert_int_eq(decision->migrate, 0);
	p->views[p->count] = *view;
	p->clocks[p->count] = weir_engine_now(p->engine);
	p->contexts[p->count] = *context;
	p->ticks[p->count++] = ++*ticks;
	*decision = p->decision;
	uint64_t tick = *ticks % 100;
	if (p->numbered && (tick > p->sparse || tick % 2 == 1)) {
		weir_decide_change(decision, WEIR_TAG_MIXED, WEIR_ANY_TYPE, (int64_t)tick);
	}
}

static const weir_policy_type probe_type = {
    .name = "probe",
    .interval = 1,
    .state_size = probe_state_size,
    .start = probe_start,
    .decide = probe_decide,
};

static const weir_policy_type joint_probe_type = {
    .name = "joint",
    .joint = true,
    .interval = 1,
    .needs = WEIR_VIEW_INSTANCES | WEIR_VIEW_LATENCIES,
    .state_size = probe_state_size,
    .start = probe_start,
    .decide = probe_decide,
};

/* ---- All of it together. ---- */

/* A prompt of 100 tokens takes 0.1 s, an iteration of token tasks 0.025 s. */
#define SPEED                                                                                      \
	{                                                                                              \
		.prompt_s = 0.05, .prompt_token_s = 0.0005, .token_s = 0.025                               \
	}

static const small_server server = {
    .tag = WEIR_TAG_MIXED,
    .gpus = 1,
    .kv_tokens = 100000,
    .nic_bytes_per_s = 1e6,
    .tdp_w = 1000,
    .speed = SPEED,
};
static const small_time reference = {.base = {&small_time_type}, .speed = SPEED};
static const weir_slo_reference references[] = {{.time = &reference.base}};
static const weir_slo_config limits = {.baseline = WEIR_BASELINE_UNLOADED,
                                       .per_request = {.ttft = 6, .tbt = 5, .e2e = 5}};
static const weir_slo slo = {.config = &limits, .references = references, .reference_count = 1};

typedef struct loop {
	small_cluster *cluster;
	weir_meter *meter;
	weir_manager manager;
	weir_controller *controller;
	size_t told;
	probe probe;
	double ticks_end; /* no tick from here on */
	/* what it is made from */
	weir_control_config control;
	weir_scaling_config scaling;
	uint64_t seed;
	weir_controller_policy policies[2];
	size_t policy_count;
} loop;

static loop *make_loop(void)
{
	loop *l = weir_allocate(1, sizeof *l);
	ck_assert_ptr_nonnull(l);
	l->cluster = small_cluster_create();
	small_application *application = small_cluster_add(l->cluster, "jsq", "splitwise");
	small_application_add_server(application, &server);
	small_application_add_server(application, &server);
	l->ticks_end = INFINITY;
	l->manager.pools = 1u << WEIR_TAG_MIXED;
	l->policies[0] = (weir_controller_policy){.type = &probe_type, .pool = -1};
	l->policy_count = 1;
	return l;
}

static weir_status start_around(loop *l, weir_error *error)
{
	l->meter = weir_meter_create(&l->cluster->config, l->cluster->serving, &slo);
	ck_assert_ptr_nonnull(l->meter);
	l->manager.engine = l->probe.engine = l->cluster->engine;
	for (size_t i = 0; i < l->policy_count; i++) {
		l->policies[i].owner = &l->probe;
	}
	weir_controller_options options = {l->policies, l->policy_count, &l->control, &l->scaling,
	                                   l->seed};
	return weir_controller_create(&options, &l->cluster->config, l->meter, &l->manager,
	                              l->cluster->engine, &l->controller, error);
}

static void start(loop *l)
{
	weir_error error;
	small_cluster_start(l->cluster);
	ck_assert_ok(start_around(l, &error), &error);
}

static void destroy(loop *l)
{
	weir_controller_destroy(l->controller);
	weir_meter_destroy(l->meter);
	small_cluster_destroy(l->cluster);
	free(l);
}

static bool step(loop *l, double until)
{
	small_cluster *cluster = l->cluster;
	weir_event event;
	weir_error error;
	if (!weir_engine_pop_until(cluster->engine, until, &event)) {
		return false;
	}
	if (event.type == EVENT_ARRIVAL) {
		ck_assert_ok(
		    weir_serving_submit(cluster->serving, &cluster->arrivals[event.subject], &error),
		    &error);
	} else if (event.type == WEIR_EVENT_SCRAPE || event.type == WEIR_EVENT_POLICY ||
	           event.type == WEIR_EVENT_DECISION) {
		bool go_on = weir_engine_now(cluster->engine) < l->ticks_end;
		ck_assert_ok(weir_controller_handle(l->controller, &event, go_on, &error), &error);
	} else {
		ck_assert_ok(weir_serving_handle(cluster->serving, &event, &error), &error);
	}
	for (; l->told < cluster->row_count; l->told++) {
		ck_assert(weir_meter_request_ended(l->meter, &cluster->rows[l->told]));
	}
	return true;
}

static void run(loop *l, double until)
{
	while (step(l, until)) {
	}
	weir_engine_advance(l->cluster->engine, until);
}

/* One at each whole second from `from`. */
static void arrive(loop *l, double from, int count)
{
	for (int i = 0; i < count; i++) {
		small_cluster_arrive(l->cluster, from + i, 0, 100 + i % 7, 1 + 11 * (i % 13));
	}
}

#endif
