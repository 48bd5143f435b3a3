/* Policies, controller, manager and serving together. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "scaling/controller.h"
#include "scaling/policy_random.h"
#include "support/small_cluster.h"
#include "support/test_support.h"

enum { ROWS = 20000 };

/* A prompt of 100 tokens takes 0.1 s, an iteration of token tasks 0.025 s. */
#define SPEED                                                                                      \
	{                                                                                              \
		.prompt_s = 0.05, .prompt_token_s = 0.0005, .token_s = 0.025                               \
	}

static const small_server server = {
    .gpus = 1,
    .kv_tokens = 100000,
    .nic_bytes_per_s = 1e9,
    .tdp_w = 1000,
    .speed = SPEED,
};
static const small_time reference = {.base = {&small_time_type}, .speed = SPEED};
static const weir_slo_reference references[] = {{.time = &reference.base}};
static const weir_slo_config limits = {.per_request = {.ttft = 6, .tbt = 5, .e2e = 5}};
static const weir_slo slo = {.config = &limits, .references = references, .reference_count = 1};

static const weir_scaling_config scaling = {
    .scale_up_delay = 10,
    .drain_check_interval = 1,
    .role_flip_delay = 1,
    .cancel_scale_up_first = true,
    .revive_draining_first = true,
    .min_instances_per_pool = 1,
    .max_total_instances = 40,
    .prompt_token_ratio_min = 0.5,
    .prompt_token_ratio_max = 2,
};
static const weir_control_config control = {.scrape_interval = 2,
                                            .metric_lag = 3,
                                            .metric_noise = 0.1,
                                            .decision_delay = 2.5,
                                            .max_operations = 5};
static const weir_random_config step_of_four = {.step = 4};

/* Moves an instance one way or the other at every tick. */
static void swing(const weir_policy_context *context, void *state, const weir_view *view,
                  weir_decision *decision)
{
	(void)context;
	int64_t *ticks = state;
	decision->migrate = (*ticks)++ % 5 < 3 ? 1 : -1;
	/* What it sees must be finite, and consistent where there is no noise. */
	double size = (double)weir_view_size(&view->pools[WEIR_TAG_PROMPT]);
	ck_assert(size >= 1 && view->pools[WEIR_TAG_PROMPT].load_busy >= 0);
}

static size_t swing_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(int64_t);
}

static const weir_policy_type swinging = {.name = "swing",
                                          .joint = true,
                                          .interval = 6,
                                          .needs = WEIR_VIEW_INSTANCES,
                                          .state_size = swing_size,
                                          .decide = swing};

typedef struct world {
	small_cluster *cluster;
	weir_meter *meter;
	weir_manager *manager;
	weir_controller *controller;
	weir_scaling_event_row rows[ROWS];
	size_t row_count, told;
	uint64_t submitted;
} world;

static void on_row(void *context, const weir_scaling_event_row *row)
{
	world *w = context;
	ck_assert_uint_lt(w->row_count, ROWS);
	w->rows[w->row_count++] = *row;
}

static world *make_world(void)
{
	world *w = weir_allocate(1, sizeof *w);
	ck_assert_ptr_nonnull(w);
	w->cluster = small_cluster_create();
	small_application *application = small_cluster_add(w->cluster, "jsq", "splitwise");
	for (int i = 0; i < 6; i++) {
		small_server one = server;
		one.tag = i < 3 ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN;
		small_application_add_server(application, &one);
	}
	small_cluster_start(w->cluster);
	w->meter = weir_meter_create(&w->cluster->config, w->cluster->serving, &slo);
	ck_assert_ptr_nonnull(w->meter);
	const weir_manager_observer observer = {.context = w, .scaling_event = on_row};
	const weir_controller_policy policies[] = {
	    {.type = &weir_policy_random, .parameters = &step_of_four, .pool = -1, .interval = 4},
	    {.type = &swinging, .pool = -1},
	};
	const weir_controller_options options = {policies, 2, &control, &scaling, 8};
	weir_error error;
	ck_assert_ok(weir_manager_create(&scaling, &w->cluster->config, w->cluster->serving,
	                                 w->cluster->engine, 8, &observer, &w->manager, &error),
	             &error);
	ck_assert_ok(weir_controller_create(&options, &w->cluster->config, w->meter, w->manager,
	                                    w->cluster->engine, &w->controller, &error),
	             &error);
	return w;
}

static void destroy(world *w)
{
	weir_controller_destroy(w->controller);
	weir_manager_destroy(w->manager);
	weir_meter_destroy(w->meter);
	small_cluster_destroy(w->cluster);
	free(w);
}

static void dispatch(world *w, const weir_event *event)
{
	weir_error error;
	weir_status status;
	switch (event->type) {
	case WEIR_EVENT_INSTANCE_READY:
	case WEIR_EVENT_SERVER_READY:
	case WEIR_EVENT_DRAIN_CHECK:
		status = weir_manager_handle(w->manager, event, &error);
		break;
	case WEIR_EVENT_SCRAPE:
	case WEIR_EVENT_POLICY:
	case WEIR_EVENT_DECISION:
		status = weir_controller_handle(w->controller, event, true, &error);
		break;
	default:
		status = weir_serving_handle(w->cluster->serving, event, &error);
		break;
	}
	ck_assert_ok(status, &error);
	for (; w->told < w->cluster->row_count; w->told++) {
		ck_assert(weir_meter_request_ended(w->meter, &w->cluster->rows[w->told]));
	}
}

static void check_limits(const world *w)
{
	ck_assert_uint_le(weir_manager_operations(w->manager), 5);
	double prompt = (double)weir_manager_size(w->manager, 0, WEIR_TAG_PROMPT);
	double token = (double)weir_manager_size(w->manager, 0, WEIR_TAG_TOKEN);
	ck_assert_double_le(prompt, 2 * token);
	ck_assert_double_ge(prompt, 0.5 * token);
}

/* A request every half second. */
static void run(world *w, double until)
{
	weir_engine *engine = w->cluster->engine;
	for (; (double)w->submitted * 0.5 <= until; w->submitted++) {
		weir_event event;
		while (weir_engine_pop_until(engine, (double)w->submitted * 0.5, &event)) {
			dispatch(w, &event);
			check_limits(w);
		}
		weir_engine_advance(engine, (double)w->submitted * 0.5);
		weir_error error;
		uint64_t draw = weir_stream_seed(4, "requests", w->submitted);
		const weir_submission submission = {(int64_t)w->submitted, 0, 50 + (int64_t)(draw % 500),
		                                    1 + (int64_t)(draw % 300)};
		ck_assert_ok(weir_serving_submit(w->cluster->serving, &submission, &error), &error);
	}
}

START_TEST(limits_hold_whatever_the_policies_want)
{
	world *w = make_world();
	run(w, 2000);
	weir_manager_counters counters;
	weir_manager_counters_get(w->manager, &counters);
	ck_assert_uint_gt(counters.started, 100);
	ck_assert_uint_gt(counters.removed, 100);
	ck_assert_uint_gt(counters.flipped, 20);
	ck_assert_uint_gt(counters.refused[WEIR_REFUSED_RATIO], 20);
	ck_assert_uint_gt(counters.refused[WEIR_REFUSED_MAX_OPERATIONS], 20);
	/* What was cut is in the rows, one for one. */
	uint64_t cut[WEIR_REFUSAL_COUNT] = {0};
	bool random = false;
	bool swung = false;
	for (size_t i = 0; i < w->row_count; i++) {
		const weir_scaling_event_row *row = &w->rows[i];
		if (row->action == WEIR_SCALING_REFUSED) {
			cut[row->reason] += (uint64_t)llabs((int64_t)row->asked - row->done);
			random = random || strcmp(row->actor, "random:token") == 0;
			swung = swung || strcmp(row->actor, "swing") == 0;
		}
	}
	ck_assert(random && swung);
	ck_assert_uint_eq(cut[WEIR_REFUSED_RATIO], counters.refused[WEIR_REFUSED_RATIO]);
	ck_assert_uint_eq(cut[WEIR_REFUSED_MAX_OPERATIONS],
	                  counters.refused[WEIR_REFUSED_MAX_OPERATIONS]);
	destroy(w);
}
END_TEST

START_TEST(a_copy_in_the_middle_goes_on_alike)
{
	world *a = make_world();
	run(a, 300.5);
	world *b = make_world();
	run(b, 50);
	weir_error error;
	ck_assert_ok(weir_engine_copy(b->cluster->engine, a->cluster->engine), &error);
	ck_assert_ok(weir_serving_copy(b->cluster->serving, a->cluster->serving, &error), &error);
	ck_assert(weir_meter_copy(b->meter, a->meter));
	ck_assert(weir_manager_copy(b->manager, a->manager));
	ck_assert(weir_controller_copy(b->controller, a->controller));
	b->submitted = a->submitted;
	size_t before_a = a->row_count;
	size_t before_b = b->row_count;
	run(a, 900);
	run(b, 900);
	ck_assert_uint_gt(a->row_count - before_a, 200);
	ck_assert_uint_eq(a->row_count - before_a, b->row_count - before_b);
	for (size_t i = 0; i < a->row_count - before_a; i++) {
		const weir_scaling_event_row *left = &a->rows[before_a + i];
		const weir_scaling_event_row *right = &b->rows[before_b + i];
		ck_assert_double_eq(left->time, right->time);
		ck_assert_int_eq(left->action, right->action);
		ck_assert_int_eq(left->asked, right->asked);
		ck_assert_int_eq(left->done, right->done);
		ck_assert_int_eq(left->instance, right->instance);
		ck_assert_str_eq(left->actor, right->actor);
	}
	destroy(a);
	destroy(b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/control_loop");
	TCase *tests = tcase_create("control_loop");
	tcase_add_test(tests, limits_hold_whatever_the_policies_want);
	tcase_add_test(tests, a_copy_in_the_middle_goes_on_alike);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
