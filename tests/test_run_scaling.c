/* Whole simulations whose cluster changes: policies, boots and drains end to end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader.h"
#include "run/sim.h"
#include "run/verify.h"
#include "scaling/policies.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define BURST   "trace.path=" WEIR_SOURCE_DIR "/tests/parity/syn_burst.csv"
#define CLUSTER "servers=dgx-h100:2,dgx-a100:2", "pools=prompt:dgx-h100,token:dgx-a100"
#define REACTIVE                                                                                   \
	"policies=[{\"kind\": \"reactive\", \"interval\": 2, \"reactive\": {\"up\": 0.02, \"down\": "  \
	"0.01}}]"

/* A schedule: ticks every so often, a size from 0 s on, another from a later time on. */
#define MIXED_SIZES(interval, first, time, then)                                                   \
	"policies=[{\"kind\": \"schedule\", \"interval\": " interval ", \"schedule\": {\"mixed\": ["   \
	"{\"at\": 0, \"size\": " first "}, {\"at\": " time ", \"size\": " then "}]}}]"

/* Everything that an observer hears of requests and operations, hashed (FNV-1a). */
typedef struct event_log {
	uint64_t hash, requests, operations;
	double last_policy_tick;
} event_log;

static void mix(event_log *log, double value)
{
	uint64_t bits = 0x7ff8000000000000U; /* NaN has many forms */
	if (!isnan(value)) {
		memcpy(&bits, &value, sizeof bits);
	}
	for (int i = 0; i < 8; i++) {
		log->hash = (log->hash ^ (bits >> 8 * i & 0xff)) * 1099511628211U;
	}
}

#define MIX(field, type, column, unit, description) mix(log, (double)row->field);

static void on_request_ended(void *context, const weir_request_row *row)
{
	event_log *log = context;
	log->requests++;
	WEIR_REQUEST_ROW(MIX)
}

static void on_scaling_event(void *context, const weir_scaling_event_row *row)
{
	event_log *log = context;
	log->operations++;
	WEIR_SCALING_EVENT_ROW(MIX)
}

static void on_event(void *context, double time, const weir_event *event)
{
	event_log *log = context;
	if (event->type == WEIR_EVENT_POLICY) {
		log->last_policy_tick = time;
	}
}

static weir_sim *start_with(const weir_config *config, const weir_controller_policy *policies,
                            size_t count, event_log *log)
{
	*log = (event_log){.hash = 14695981039346656037U};
	const weir_sim_observer observer = {.context = log,
	                                    .request_ended = on_request_ended,
	                                    .scaling_event = on_scaling_event,
	                                    .event = on_event};
	weir_sim *sim = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_sim_create_with(config, &observer, policies, count, &sim, &error), &error);
	return sim;
}

static weir_sim *start(const weir_config *config, event_log *log)
{
	return start_with(config, NULL, 0, log);
}

static bool run(weir_sim *sim, double until, uint64_t events)
{
	bool more = false;
	weir_error error = {0};
	ck_assert_ok(weir_sim_run(sim, until, events, &more, &error), &error);
	return more;
}

static event_log run_alone(const weir_config *config)
{
	event_log log;
	weir_sim *sim = start(config, &log);
	run(sim, INFINITY, UINT64_MAX);
	weir_sim_finish(sim);
	weir_sim_destroy(sim);
	return log;
}

static void expect_sound(const char *path)
{
	weir_verify_report report;
	weir_error error = {0};
	ck_assert_ok(weir_verify(path, &report, &error), &error);
	for (int i = 0; i < WEIR_VERIFY_COUNT; i++) {
		ck_assert_msg(report.checks[i].outcome == WEIR_VERIFY_HOLDS, "%s: %s: %s", path,
		              weir_verify_descriptions[i].name, report.checks[i].detail);
	}
}

/* Two requests at a time 0 to 40: the pool doubles at 10. */
static const char *write_trace(void)
{
	const char *path = test_path("even.csv");
	char text[4096] = "request_id,arrival_timestamp,prompt_size,token_size\n";
	for (int i = 0; i < 80; i++) {
		char line[64];
		snprintf(line, sizeof line, "%d,%g,500,30\n", i, 0.5 * i);
		strcat(text, line);
	}
	test_write_file(path, text);
	return path;
}

static const weir_config *even_config(const char *policies, const char *more)
{
	char trace[600];
	snprintf(trace, sizeof trace, "trace.path=%s", write_trace());
	return test_config(TEST_PARITY_CONFIG, trace, "servers=dgx-h100:1", "pools=mixed:1",
	                   "scheduler.kind=token_jsq", policies, more, NULL);
}

START_TEST(capacity_comes_the_boot_delay_after_it_was_asked_for)
{
	const char *path = test_path("boot.h5");
	/* Asked for at 10 s, the first tick at which the schedule says 3. */
	const weir_config *config =
	    even_config(MIXED_SIZES("5", "1", "10", "3"), "scaling.scale_up_delay=7.25");
	test_run(config, path, NULL);
	weir_config_destroy(config);
	expect_sound(path);
	size_t count = 0;
	double *created = test_recorded_column(path, "instances", "created", &count);
	double *active = test_recorded_column(path, "instances", "active", &count);
	double *id = test_recorded_column(path, "instances", "instance", &count);
	ck_assert_uint_eq(count, 3);
	for (size_t i = 0; i < count; i++) {
		ck_assert_double_eq(created[i], id[i] > 0 ? 10 : 0);
		ck_assert_double_eq(active[i], id[i] > 0 ? 17.25 : 0);
	}
	free(created);
	free(active);
	free(id);
	size_t rows = 0;
	weir_request_row *requests = test_recorded_rows(path, &rows);
	bool used = false;
	for (size_t i = 0; i < rows; i++) {
		ck_assert(requests[i].prompt_instance == 0 || requests[i].arrival >= 17.25);
		used = used || requests[i].prompt_instance > 0;
	}
	ck_assert(used);
	free(requests);
}
END_TEST

START_TEST(policies_rest_after_the_trace_while_drains_go_on)
{
	/* Told to leave one of two instances at the last tick before the end of the trace at 39.5. */
	const weir_config *config =
	    even_config(MIXED_SIZES("1", "4", "39", "1"), "scaling.drain_check_interval=0.1");
	event_log log;
	weir_sim *sim = start(config, &log);
	run(sim, INFINITY, UINT64_MAX);
	ck_assert_double_le(log.last_policy_tick, 40);
	weir_serving_counters counters;
	weir_serving_counters_get(weir_sim_serving(sim), &counters);
	ck_assert_uint_eq(counters.completed, 80);
	weir_manager_counters manager;
	weir_manager_counters_get(weir_sim_manager(sim), &manager);
	ck_assert_uint_eq(manager.drained, 3);
	ck_assert_uint_ge(manager.removed, 1);
	weir_sim_finish(sim);
	weir_sim_destroy(sim);
	weir_config_destroy(config);
}
END_TEST

START_TEST(a_run_may_end_while_instances_boot)
{
	const char *path = test_path("booting.h5");
	const weir_config *config =
	    even_config(MIXED_SIZES("1", "1", "30", "5"), "scaling.scale_up_delay=1000");
	test_run(config, path, NULL);
	weir_config_destroy(config);
	expect_sound(path);
	ck_assert_double_eq(test_recorded_total(path, "instances_started"), 4);
	ck_assert_double_eq(test_recorded_total(path, "completed"), 80);
	double end = test_recorded_total(path, "end_time");
	ck_assert_double_lt(end, 100);
	ck_assert_double_eq_tol(test_recorded_total(path, "booting_hours"), 4 * (end - 30) / 3600,
	                        1e-12);
}
END_TEST

static const weir_config *reactive_config(const char *more)
{
	return test_config(TEST_PARITY_CONFIG, BURST, CLUSTER, "scheduler.kind=mixed_pool", REACTIVE,
	                   more, NULL);
}

START_TEST(a_snapshot_amid_scaling_goes_on_as_if_undisturbed)
{
	const weir_config *config = reactive_config("trace.max_requests=600");
	event_log undisturbed = run_alone(config);
	ck_assert_uint_gt(undisturbed.operations, 10);
	for (uint64_t events = 50; events < 20000; events *= 3) {
		event_log log;
		weir_sim *sim = start(config, &log);
		run(sim, INFINITY, events);
		weir_error error = {0};
		weir_sim_snapshot *snapshot = NULL;
		ck_assert_ok(weir_sim_save(sim, &snapshot, &error), &error);
		event_log then = log;
		run(sim, INFINITY, 5000);
		ck_assert_ok(weir_sim_restore(sim, snapshot, &error), &error);
		log = then;
		run(sim, INFINITY, UINT64_MAX);
		weir_sim_finish(sim);
		ck_assert_uint_eq(log.operations, undisturbed.operations);
		ck_assert_uint_eq(log.hash, undisturbed.hash);
		weir_sim_snapshot_destroy(snapshot);
		weir_sim_destroy(sim);
	}
	weir_config_destroy(config);
}
END_TEST

START_TEST(repeated_and_interleaved_runs_are_the_same)
{
	const weir_config *configs[2] = {reactive_config("trace.max_requests=600"),
	                                 reactive_config("scaling.scale_up_delay=3")};
	event_log alone[2];
	event_log beside[2];
	weir_sim *sims[2];
	for (int i = 0; i < 2; i++) {
		alone[i] = run_alone(configs[i]);
		ck_assert_uint_eq(run_alone(configs[i]).hash, alone[i].hash);
		sims[i] = start(configs[i], &beside[i]);
	}
	bool more = true;
	while (more) {
		more = run(sims[0], INFINITY, 97);
		more = run(sims[1], INFINITY, 61) || more;
	}
	for (int i = 0; i < 2; i++) {
		weir_sim_finish(sims[i]);
		ck_assert_uint_eq(beside[i].hash, alone[i].hash);
		weir_sim_destroy(sims[i]);
		weir_config_destroy(configs[i]);
	}
}
END_TEST

START_TEST(policies_meet_the_same_arrivals)
{
	static const char *const policies[] = {"policies=never", REACTIVE, "policies=random"};
	weir_request_row *rows[3];
	size_t counts[3];
	static const char workload[] =
	    "workload={\"count\": 900, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 12},"
	    " \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"
	    " \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 20,"
	    " \"sigma\": 1.5, \"maximum\": 900}}}";
	for (int p = 0; p < 3; p++) {
		const char *path = test_path("common.h5");
		const weir_config *config =
		    test_config(TEST_PARITY_CONFIG, workload, CLUSTER, policies[p], NULL);
		test_run(config, path, NULL);
		weir_config_destroy(config);
		expect_sound(path);
		ck_assert((test_recorded_total(path, "scale_operations") > 0) == (p > 0));
		rows[p] = test_recorded_rows(path, &counts[p]);
		ck_assert_uint_eq(counts[p], 900);
	}
	weir_request_row by_id[2][900];
	for (int p = 1; p < 3; p++) {
		for (size_t i = 0; i < 900; i++) {
			by_id[0][rows[0][i].request_id] = rows[0][i];
			by_id[1][rows[p][i].request_id] = rows[p][i];
		}
		for (size_t i = 0; i < 900; i++) {
			ck_assert_double_eq(by_id[0][i].arrival, by_id[1][i].arrival);
			ck_assert_int_eq(by_id[0][i].prompt_tokens, by_id[1][i].prompt_tokens);
			ck_assert_int_eq(by_id[0][i].output_tokens, by_id[1][i].output_tokens);
		}
	}
	for (int p = 0; p < 3; p++) {
		free(rows[p]);
	}
}
END_TEST

/* A policy of the test's own: one more mixed instance at every tick, which it counts. */
static size_t state_of_a_number(const weir_policy_context *context)
{
	(void)context;
	return sizeof(int64_t);
}

static weir_status start_number(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)context, (void)error;
	*(int64_t *)state = 0;
	return WEIR_OK;
}

static void grow_always(const weir_policy_context *context, void *state, const weir_view *view,
                        weir_decision *decision)
{
	(void)view;
	*(int *)context->owner += 1;
	*(int64_t *)state += 1;
	weir_decide_change(decision, WEIR_TAG_MIXED, WEIR_ANY_TYPE, 1);
}

START_TEST(policies_can_be_handed_in)
{
	static const weir_policy_type type = {
	    .name = "test",
	    .summary = "",
	    .interval = 10,
	    .state_size = state_of_a_number,
	    .start = start_number,
	    .decide = grow_always,
	};
	int asked = 0;
	const weir_controller_policy policy = {.type = &type, .pool = WEIR_TAG_MIXED, .owner = &asked};
	const weir_config *config = even_config("policies=random", "scaling.max_total_instances=3");
	event_log log;
	weir_sim *sim = start_with(config, &policy, 1, &log);
	run(sim, INFINITY, UINT64_MAX);
	weir_manager_counters counters;
	weir_manager_counters_get(weir_sim_manager(sim), &counters);
	/* At 0, 10, 20, 30 s; the trace ends at 39.5 s, so that the tick at 40 finds none to come. */
	ck_assert_int_ge(asked, 4);
	ck_assert_uint_eq(counters.started, 2);
	ck_assert_uint_eq(counters.refused[WEIR_REFUSED_MAX_TOTAL], (uint64_t)asked - 2);
	ck_assert_uint_eq(counters.drained, 0);
	weir_sim_finish(sim);
	weir_sim_destroy(sim);
	weir_config_destroy(config);
}
END_TEST

static void expect_refused(const char *set, const char *where, const char *message)
{
	const char *sets[] = {BURST, "servers=dgx-h100:2,dgx-a100:2",
	                      "pools=prompt:dgx-h100,token:dgx-a100", "policies=never", set};
	static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};
	const weir_document_options options = {
	    .path = TEST_PARITY_CONFIG, .directories = directories, .sets = sets, .set_count = 5};
	const weir_config *config = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_config_load(&options, &config, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strstr(error.where, where) != NULL, "%s: where: %s", set, error.where);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s: %s", set, error.message);
}

START_TEST(configs_that_cannot_scale_are_refused)
{
	expect_refused("policies=[{\"kind\": \"never\", \"pool\": \"nowhere\"}]", "policies[0].pool",
	               "nowhere");
	expect_refused("policies=[{\"kind\": \"never\", \"pool\": \"mixed\"}]", "policies[0].pool",
	               "no mixed pool");
	expect_refused("policies=[{\"kind\": \"nonsense\"}]", "policies[0].kind", "nonsense");
	expect_refused("policies=[{\"kind\": \"never\", \"application\": \"nobody\"}]",
	               "policies[0].application", "nobody");
	expect_refused("scaling.max_total_instances=3", "scaling.max_total_instances", "starts with 4");
	expect_refused("scaling.min_instances_per_pool=90", "scaling.min_instances_per_pool", "90");
	expect_refused("scaling.skus=[\"dgx-z9\"]", "scaling.skus", "dgx-z9");
	expect_refused("scaling={\"prompt_token_ratio_min\": 3, \"prompt_token_ratio_max\": 2}",
	               "scaling", "");
}
END_TEST

START_TEST(an_emptied_pool_is_sampled_on)
{
	const char *path = test_path("emptied.h5");
	/* Both token instances are gone from about 20 s on, the scheduler waits for the next ones. */
	const weir_config *config = test_config(
	    TEST_PARITY_CONFIG, BURST, CLUSTER, "scheduler.kind=mixed_pool", "trace.max_requests=300",
	    "scaling.min_instances_per_pool=0", "sampling.interval=1",
	    "policies=[{\"kind\": \"schedule\", \"schedule\": {\"token\": [{\"at\": 2, \"size\": "
	    "0}]}}]",
	    NULL);
	test_run(config, path, NULL);
	weir_config_destroy(config);
	expect_sound(path);
	size_t count = 0;
	double *pool = test_recorded_column(path, "samples", "pool", &count);
	double *instances = test_recorded_column(path, "samples", "instances", &count);
	double *busy = test_recorded_column(path, "samples", "load_busy", &count);
	size_t empty = 0;
	for (size_t i = 0; i < count; i++) {
		empty += pool[i] == WEIR_TAG_TOKEN && instances[i] == 0;
		ck_assert(isfinite(busy[i]));
	}
	ck_assert_uint_gt(empty, 0);
	free(pool);
	free(instances);
	free(busy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run/scaling");
	TCase *tests = tcase_create("scaling");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, capacity_comes_the_boot_delay_after_it_was_asked_for);
	tcase_add_test(tests, policies_rest_after_the_trace_while_drains_go_on);
	tcase_add_test(tests, a_run_may_end_while_instances_boot);
	tcase_add_test(tests, a_snapshot_amid_scaling_goes_on_as_if_undisturbed);
	tcase_add_test(tests, repeated_and_interleaved_runs_are_the_same);
	tcase_add_test(tests, policies_meet_the_same_arrivals);
	tcase_add_test(tests, policies_can_be_handed_in);
	tcase_add_test(tests, configs_that_cannot_scale_are_refused);
	tcase_add_test(tests, an_emptied_pool_is_sampled_on);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
