/* Deferred policies: the simulation stands still for them, and what they answer is done as if it
 * had been decided at once. */
#include "run/driver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"
#include "run/simulate.h"
#include "run/verify.h"
#include "scaling/policies.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define BURST   "trace.path=" WEIR_SOURCE_DIR "/tests/parity/syn_burst.csv"
#define CLUSTER "servers=dgx-h100:2,dgx-a100:2", "pools=prompt:dgx-h100,token:dgx-a100"

static const weir_config *elastic_config(const char *more)
{
	return test_config(TEST_PARITY_CONFIG, BURST, CLUSTER, "scheduler.kind=mixed_pool",
	                   "trace.max_requests=900", "scaling.max_total_instances=9",
	                   "scaling.scale_up_delay=4", "policies=never", more, NULL);
}

/* What the policy outside has noted, and what it answers. */
typedef struct outside {
	weir_decision decision;
	size_t asked;
	weir_applied applied; /* of the last answer */
	int64_t done;         /* sum of magnitudes over all */
	int silent_from;      /* answers no more from this one on; 0: always */
	size_t begun, ended, left;
} outside;

static size_t counter_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(int64_t);
}

/* Instances flip there and back, then both pools change; more than allowed, now and then. */
static void stir(const weir_policy_context *context, void *state, const weir_view *view,
                 weir_decision *decision)
{
	(void)context;
	int64_t tick = (*(int64_t *)state)++;
	int64_t queue = view->pools[WEIR_TAG_PROMPT].queued_prompts;
	if (tick % 4 < 2) {
		decision->migrate = tick % 4 == 0 ? 1 : -2;
	}
	if (tick % 3 > 0) {
		weir_decide_change(decision, WEIR_TAG_PROMPT, WEIR_ANY_TYPE, queue > 3 ? 3 : -1);
		weir_decide_size(decision, WEIR_TAG_TOKEN, 1 + tick % 5);
	}
}

/* The same, which is answered from outside. */
static void stir_outside(const weir_policy_context *context, void *state, const weir_view *view,
                         weir_decision *decision)
{
	outside *o = context->owner;
	o->decision = (weir_decision){0};
	stir(context, state, view, &o->decision);
	weir_decide_change(decision, WEIR_TAG_PROMPT, WEIR_ANY_TYPE, 5); /* not looked at */
}

static const weir_policy_type stir_type = {
    .name = "stir", .joint = true, .interval = 3, .state_size = counter_size, .decide = stir};
static const weir_policy_type outside_type = {.name = "stir",
                                              .joint = true,
                                              .deferred = true,
                                              .interval = 3,
                                              .state_size = counter_size,
                                              .decide = stir_outside};

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

/* What was done is what the sizes show. */
static void check_applied(const weir_applied *applied)
{
	const weir_applied_part *moved = &applied->migration;
	ck_assert_int_le(magnitude(moved->allowed), magnitude(moved->asked));
	ck_assert_int_le(magnitude(moved->done), magnitude(moved->allowed));
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		const weir_applied_part *part = &applied->pools[tag];
		int64_t change = part->done;
		change += tag == WEIR_TAG_PROMPT ? moved->done : tag == WEIR_TAG_TOKEN ? -moved->done : 0;
		ck_assert_int_eq(applied->size_after[tag] - applied->size_before[tag], change);
		ck_assert(applied->put_off ||
		          (part->done == part->asked) == (part->reason == WEIR_REFUSED_NONE));
		ck_assert(!applied->put_off || part->allowed == 0);
		ck_assert_int_le(magnitude(part->allowed), magnitude(part->asked));
	}
}

static weir_status begin(void *context, weir_sim *sim, weir_recorder *recorder, weir_error *error)
{
	(void)recorder, (void)error;
	outside *o = context;
	ck_assert_double_eq(weir_sim_now(sim), 0);
	ck_assert_uint_eq(o->left, o->begun);
	*o = (outside){.begun = o->begun + 1, .ended = o->ended, .left = o->left};
	return WEIR_OK;
}

static weir_status answer(void *context, weir_sim *sim, weir_error *error)
{
	outside *o = context;
	if (o->silent_from > 0 && ++o->asked >= (size_t)o->silent_from) {
		return WEIR_OK;
	}
	weir_status status = weir_sim_answer(sim, &o->decision, &o->applied, error);
	check_applied(&o->applied);
	ck_assert_int_eq(o->applied.migration.asked, o->decision.migrate);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		o->done += magnitude(o->applied.pools[tag].done) + magnitude(o->applied.migration.done);
	}
	return status;
}

static weir_status end(void *context, weir_sim *sim, weir_error *error)
{
	(void)error;
	((outside *)context)->ended++;
	ck_assert_int_lt(weir_sim_waiting(sim), 0);
	return WEIR_OK;
}

static void leave(void *context)
{
	((outside *)context)->left++;
}

#define DRIVER(context_, policy, begin_, end_)                                                     \
	{                                                                                              \
		.context = (context_), .policies = (policy), .policy_count = 1, .begin = (begin_),         \
		.answer = answer, .end = (end_), .leave = leave                                            \
	}

static const char *run_with(const weir_config *config, const weir_run_driver *driver,
                            const char *path)
{
	weir_run_options options = weir_run_options_default();
	options.output = path;
	options.driver = driver;
	weir_run_result result;
	weir_error error = {0};
	ck_assert_ok(weir_run(config, &options, &result, &error), &error);
	weir_verify_report report;
	ck_assert_ok(weir_verify(path, &report, &error), &error);
	for (int i = 0; i < WEIR_VERIFY_COUNT; i++) {
		ck_assert_msg(report.checks[i].outcome == WEIR_VERIFY_HOLDS, "%s: %s",
		              weir_verify_descriptions[i].name, report.checks[i].detail);
	}
	return test_digest(path);
}

START_TEST(what_is_answered_is_what_would_have_been_decided)
{
	static const char *const controls[] = {
	    "control={}", "control={\"decision_delay\": 2.5, \"max_operations\": 3}",
	    "control={\"metric_lag\": 4, \"scrape_interval\": 2, \"metric_noise\": 0.3}"};
	const weir_controller_policy inside = {.type = &stir_type, .pool = -1};
	const weir_run_driver ordinary = {.policies = &inside, .policy_count = 1};
	for (size_t c = 0; c < sizeof controls / sizeof *controls; c++) {
		const weir_config *config = elastic_config(controls[c]);
		outside o = {0};
		const weir_controller_policy policy = {.type = &outside_type, .pool = -1, .owner = &o};
		const weir_run_driver driver = DRIVER(&o, &policy, begin, end);
		char expected[64];
		strcpy(expected, run_with(config, &ordinary, test_path("inside.h5")));
		ck_assert_str_eq(run_with(config, &driver, test_path("outside.h5")), expected);
		ck_assert_uint_eq(o.begun, 1);
		ck_assert_uint_eq(o.ended, 1);
		ck_assert_uint_eq(o.left, 1);
		ck_assert((o.done > 10) == (c != 1));
		ck_assert_int_eq(o.applied.put_off, c == 1 && (o.decision.count > 0 || o.decision.migrate));
		weir_config_destroy(config);
	}
}
END_TEST

START_TEST(in_memory_as_recorded_run_after_run)
{
	const weir_config *config = elastic_config("control={}");
	outside o = {0};
	const weir_controller_policy policy = {.type = &outside_type, .pool = -1, .owner = &o};
	const weir_run_driver driver = DRIVER(&o, &policy, begin, end);
	const char *path = test_path("recorded.h5");
	run_with(config, &driver, path);
	weir_simulate_options options = weir_simulate_options_default();
	options.driver = &driver;
	for (size_t run = 2; run <= 3; run++) {
		weir_simulate_result result;
		weir_error error = {0};
		ck_assert_ok(weir_simulate(config, &options, &result, &error), &error);
		ck_assert_uint_eq(o.begun, run);
		ck_assert_uint_eq(o.ended, run);
		ck_assert_double_eq(result.summary.totals.cost_usd, test_recorded_total(path, "cost_usd"));
		ck_assert_double_eq(result.summary.totals.scale_operations,
		                    test_recorded_total(path, "scale_operations"));
		ck_assert_double_gt(result.summary.totals.scale_operations, 10);
	}
	weir_config_destroy(config);
}
END_TEST

/* Everything that an observer hears of requests and operations, hashed (FNV-1a). */
typedef struct event_log {
	uint64_t hash, events;
} event_log;

static void mix(event_log *log, double value)
{
	uint64_t bits = 0x7ff8000000000000U; /* NaN has many forms */
	if (!isnan(value)) {
		memcpy(&bits, &value, sizeof bits);
	}
	log->hash = (log->hash ^ bits) * 1099511628211U;
}

#define MIX(field, type, column, unit, description) mix(log, (double)row->field);

static void on_request_ended(void *context, const weir_request_row *row)
{
	event_log *log = context;
	WEIR_REQUEST_ROW(MIX)
}

static void on_scaling_event(void *context, const weir_scaling_event_row *row)
{
	event_log *log = context;
	WEIR_SCALING_EVENT_ROW(MIX)
}

static void on_event(void *context, double time, const weir_event *event)
{
	(void)time, (void)event;
	((event_log *)context)->events++;
}

static weir_sim *start(const weir_config *config, const weir_controller_policy *policies,
                       size_t count, event_log *log)
{
	const weir_sim_observer observer = {.context = log,
	                                    .request_ended = on_request_ended,
	                                    .scaling_event = on_scaling_event,
	                                    .event = on_event};
	weir_sim *sim = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_sim_create_with(config, &observer, policies, count, &sim, &error), &error);
	return sim;
}

static bool run(weir_sim *sim)
{
	bool more = false;
	weir_error error = {0};
	ck_assert_ok(weir_sim_run(sim, INFINITY, UINT64_MAX, &more, &error), &error);
	return more;
}

static void give(weir_sim *sim, const outside *o)
{
	weir_error error = {0};
	ck_assert_ok(weir_sim_answer(sim, &o->decision, NULL, &error), &error);
}

/* Two of them, and an ordinary one in between, at the same instants. */
START_TEST(nothing_happens_while_one_waits)
{
	const weir_config *config = elastic_config("control={}");
	outside o[2] = {0};
	const weir_controller_policy policies[] = {
	    {.type = &outside_type, .pool = WEIR_TAG_PROMPT, .owner = &o[0]},
	    {.type = &stir_type, .pool = WEIR_TAG_TOKEN},
	    {.type = &outside_type, .pool = WEIR_TAG_TOKEN, .owner = &o[1]},
	};
	event_log log = {0};
	weir_sim *sim = start(config, policies, 3, &log);
	ck_assert_int_eq(weir_sim_waiting(sim), -1);
	for (int tick = 0; tick < 10; tick++) {
		ck_assert(run(sim));
		ck_assert_int_eq(weir_sim_waiting(sim), 0);
		ck_assert_double_eq(weir_sim_now(sim), 3.0 * tick);
		uint64_t events = log.events;
		weir_error error = {0};
		bool more;
		ck_assert_int_eq(weir_sim_run(sim, INFINITY, UINT64_MAX, &more, &error),
		                 WEIR_ERROR_INTERNAL);
		ck_assert_ptr_nonnull(strstr(error.message, "policy 0 has yet to decide"));
		ck_assert_uint_eq(log.events, events);
		give(sim, &o[0]);
		ck_assert_int_eq(weir_sim_waiting(sim), -1);
		ck_assert(run(sim));
		ck_assert_uint_eq(log.events, events + 2); /* the ordinary one's tick, then its own */
		ck_assert_int_eq(weir_sim_waiting(sim), 2);
		ck_assert_double_eq(weir_sim_now(sim), 3.0 * tick);
		give(sim, &o[1]);
	}
	weir_sim_finish(sim);
	weir_sim_destroy(sim);
	weir_config_destroy(config);
}
END_TEST

static uint64_t run_to_end(weir_sim *sim, outside *o, event_log *log)
{
	do {
		if (weir_sim_waiting(sim) >= 0) {
			give(sim, o);
			o->asked++;
		}
	} while (run(sim));
	ck_assert_int_eq(weir_sim_waiting(sim), -1);
	weir_sim_finish(sim);
	return log->hash;
}

START_TEST(a_snapshot_waits_as_well)
{
	const weir_config *config = elastic_config("control.decision_delay=1");
	outside o = {0};
	const weir_controller_policy policy = {.type = &outside_type, .pool = -1, .owner = &o};
	event_log log = {0};
	weir_sim *sim = start(config, &policy, 1, &log);
	uint64_t undisturbed = run_to_end(sim, &o, &log);
	weir_sim_destroy(sim);
	size_t asked = o.asked;
	ck_assert_uint_gt(asked, 10);
	for (size_t ticks = 1; ticks <= asked; ticks += 3) {
		log = (event_log){0};
		sim = start(config, &policy, 1, &log);
		for (size_t tick = 1; tick < ticks; tick++) {
			run(sim);
			give(sim, &o);
		}
		run(sim);
		ck_assert_int_eq(weir_sim_waiting(sim), 0);
		weir_error error = {0};
		weir_sim_snapshot *snapshot = NULL;
		ck_assert_ok(weir_sim_save(sim, &snapshot, &error), &error);
		outside noted = o;
		event_log then = log;
		/* Once while it still waits, once when it does not. */
		for (int later = 0; later < 2; later++) {
			if (later) {
				give(sim, &o);
			}
			ck_assert_ok(weir_sim_restore(sim, snapshot, &error), &error);
			ck_assert_int_eq(weir_sim_waiting(sim), 0);
		}
		/* Into another simulation. */
		event_log beside_log = then;
		weir_sim *beside = start(config, &policy, 1, &beside_log);
		ck_assert_ok(weir_sim_restore(beside, snapshot, &error), &error);
		ck_assert_uint_eq(run_to_end(beside, &o, &beside_log), undisturbed);
		weir_sim_destroy(beside);
		o = noted;
		log = then;
		ck_assert_uint_eq(run_to_end(sim, &o, &log), undisturbed);
		weir_sim_snapshot_destroy(snapshot);
		weir_sim_destroy(sim);
	}
	weir_config_destroy(config);
}
END_TEST

START_TEST(a_policy_that_nobody_decides_for_is_an_error)
{
	const weir_config *config = elastic_config("control={}");
	outside o = {.silent_from = 3};
	const weir_controller_policy policy = {.type = &outside_type, .pool = -1, .owner = &o};
	const weir_run_driver driver = DRIVER(&o, &policy, NULL, NULL);
	weir_simulate_options options = weir_simulate_options_default();
	options.driver = &driver;
	weir_simulate_result result;
	weir_error error = {0};
	ck_assert_int_eq(weir_simulate(config, &options, &result, &error), WEIR_ERROR_INTERNAL);
	ck_assert_str_eq(error.message, "policy 0 is deferred, and nobody decided for it at 6.000 s");
	ck_assert_uint_eq(o.left, 1);
	options.driver = NULL;
	options.policies = &policy;
	options.policy_count = 1;
	ck_assert_int_eq(weir_simulate(config, &options, &result, &error), WEIR_ERROR_INTERNAL);
	ck_assert_str_eq(error.message, "policy 0 is deferred, and nobody decided for it at 0.000 s");
	weir_config_destroy(config);
}
END_TEST

static weir_status refuse(void *context, weir_sim *sim, weir_recorder *recorder, weir_error *error)
{
	(void)context, (void)sim;
	return weir_error_set(error, WEIR_ERROR_INPUT, "agent.h5", "refused %s",
	                      recorder != NULL ? "before recording" : "in memory");
}

START_TEST(a_run_that_cannot_begin_leaves_no_file)
{
	const weir_config *config = elastic_config("control={}");
	outside o = {0};
	const weir_controller_policy policy = {.type = &outside_type, .pool = -1, .owner = &o};
	const weir_run_driver driver = DRIVER(&o, &policy, refuse, NULL);
	const char *path = test_path("never.h5");
	weir_run_options options = weir_run_options_default();
	options.output = path;
	options.driver = &driver;
	weir_run_result result;
	weir_error error = {0};
	ck_assert_int_eq(weir_run(config, &options, &result, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "refused before recording");
	ck_assert_uint_eq(o.left, 1);
	char part[600];
	snprintf(part, sizeof part, "%s.part", path);
	ck_assert_ptr_null(fopen(path, "r"));
	ck_assert_ptr_null(fopen(part, "r"));
	weir_config_destroy(config);
}
END_TEST

static weir_status list_by_config(void *context, const weir_config *config,
                                  const weir_controller_policy **policies, size_t *count,
                                  weir_error *error)
{
	static const weir_controller_policy inside = {.type = &stir_type, .pool = -1};
	*policies = &inside;
	*count = 1;
	*(uint64_t *)context = config->seed;
	return config->seed == 13 ? weir_error_set(error, WEIR_ERROR_INPUT, "seed", "unlucky")
	                          : WEIR_OK;
}

START_TEST(policies_may_depend_on_the_config)
{
	uint64_t seed = 0;
	const weir_run_driver driver = {.context = &seed, .list = list_by_config};
	weir_simulate_options options = weir_simulate_options_default();
	options.driver = &driver;
	weir_simulate_result result;
	weir_error error = {0};
	const weir_config *config = elastic_config("seed=12");
	ck_assert_ok(weir_simulate(config, &options, &result, &error), &error);
	ck_assert_uint_eq(seed, 12);
	ck_assert_double_gt(result.summary.totals.scale_operations, 10);
	weir_config_destroy(config);
	config = elastic_config("seed=13");
	ck_assert_int_eq(weir_simulate(config, &options, &result, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "unlucky");
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run/driver");
	TCase *tests = tcase_create("driver");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, what_is_answered_is_what_would_have_been_decided);
	tcase_add_test(tests, in_memory_as_recorded_run_after_run);
	tcase_add_test(tests, nothing_happens_while_one_waits);
	tcase_add_test(tests, a_snapshot_waits_as_well);
	tcase_add_test(tests, a_policy_that_nobody_decides_for_is_an_error);
	tcase_add_test(tests, policies_may_depend_on_the_config);
	tcase_add_test(tests, a_run_that_cannot_begin_leaves_no_file);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
