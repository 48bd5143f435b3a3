/* What a config may say of scaling, control and faults. */
#include "scaling/scaling_config.h"

#include <string.h>

#include "support/test_support.h"

static weir_arena *arena;

static void setup(void)
{
	arena = weir_arena_create();
}

static void teardown(void)
{
	weir_arena_destroy(arena);
}

static weir_status read(const weir_key_table *table, const char *text, void *object,
                        weir_error *error)
{
	weir_keys_reader reader = {.arena = arena, .file = "c.json"};
	cJSON *json = cJSON_Parse(text);
	ck_assert_msg(json != NULL, "%s", text);
	memset(object, 0, table->size);
	weir_status status = weir_keys_read(&reader, table, json, table->name, object, error);
	cJSON_Delete(json);
	return status;
}

START_TEST(defaults_are_those_of_the_documents)
{
	weir_error error = {0};
	weir_scaling_config scaling;
	ck_assert_ok(read(&weir_scaling_keys, "{}", &scaling, &error), &error);
	ck_assert_double_eq(scaling.scale_up_delay, 10);
	ck_assert_double_eq(scaling.drain_check_interval, 1);
	ck_assert_double_eq(scaling.drain_timeout, 0);
	ck_assert_double_eq(scaling.role_flip_delay, 1);
	ck_assert(scaling.cancel_scale_up_first);
	ck_assert(scaling.revive_draining_first);
	ck_assert_int_eq(scaling.min_instances_per_pool, 1);
	ck_assert_int_eq(scaling.max_total_instances, 100);
	ck_assert_uint_eq(scaling.skus.count, 0);
	ck_assert_double_eq(scaling.prompt_token_ratio_min, 0);
	ck_assert_double_eq(scaling.prompt_token_ratio_max, 0);
	ck_assert_int_eq(scaling.boot.kind, WEIR_BOOT_FIXED);
	weir_control_config control;
	ck_assert_ok(read(&weir_control_keys, "{}", &control, &error), &error);
	ck_assert_double_eq(control.scrape_interval, 0);
	ck_assert_double_eq(control.metric_lag, 0);
	ck_assert_double_eq(control.metric_noise, 0);
	ck_assert_double_eq(control.decision_delay, 0);
	ck_assert_int_eq(control.max_operations, 0);
	weir_faults_config faults;
	ck_assert_ok(read(&weir_faults_keys, "{}", &faults, &error), &error);
	ck_assert_double_eq(faults.instance_mtbf, 0);
	ck_assert_double_eq(faults.server_mtbf, 0);
	ck_assert_double_eq(faults.preemption_mtbf, 0);
	ck_assert_double_eq(faults.spot_share, 0);
	ck_assert_double_eq(faults.boot_failure, 0);
	ck_assert_double_eq(faults.slow_boot, 0);
	ck_assert_double_eq(faults.stock_out_mtbf, 0);
	ck_assert_double_eq(faults.straggler, 0);
	ck_assert_int_eq(faults.max_retries, 3);
}
END_TEST

START_TEST(everything_can_be_said)
{
	weir_error error = {0};
	weir_scaling_config scaling;
	ck_assert_ok(
	    read(&weir_scaling_keys,
	         "{\"skus\":[\"dgx-h100\",\"dgx-a100\"],\"boot\":{\"kind\":\"warm_pool\","
	         "\"warm_servers\":3,\"load_bandwidth_gb_per_s\":4,\"provision\":{\"kind\":"
	         "\"lognormal\","
	         "\"mean\":90,\"cv\":0.25},\"engine_start\":{\"kind\":\"uniform\",\"mean\":12,"
	         "\"spread\":0.1}},\"prompt_token_ratio_min\":0.5,\"prompt_token_ratio_max\":2}",
	         &scaling, &error),
	    &error);
	ck_assert_uint_eq(scaling.skus.count, 2);
	const char *const *names = scaling.skus.items;
	ck_assert_str_eq(names[0], "dgx-h100");
	ck_assert_str_eq(names[1], "dgx-a100");
	ck_assert_int_eq(scaling.boot.kind, WEIR_BOOT_WARM_POOL);
	ck_assert_int_eq(scaling.boot.warm_servers, 3);
	ck_assert_double_eq(scaling.boot.load_bandwidth_gb_per_s, 4);
	ck_assert_int_eq(scaling.boot.provision.kind, WEIR_DURATION_LOGNORMAL);
	ck_assert_double_eq(scaling.boot.provision.mean, 90);
	ck_assert_double_eq(scaling.boot.provision.cv, 0.25);
	ck_assert_int_eq(scaling.boot.engine_start.kind, WEIR_DURATION_UNIFORM);
	ck_assert_double_eq(scaling.boot.engine_start.spread, 0.1);
}
END_TEST

typedef struct refused {
	const weir_key_table *table;
	const char *text, *where;
} refused;

static const refused refusals[] = {
    {&weir_scaling_keys, "{\"min_instances_per_pool\":5,\"max_total_instances\":4}",
     "c.json: scaling.min_instances_per_pool"},
    {&weir_scaling_keys, "{\"max_total_instances\":0}", "c.json: scaling.max_total_instances"},
    {&weir_scaling_keys, "{\"min_instances_per_pool\":-1}",
     "c.json: scaling.min_instances_per_pool"},
    {&weir_scaling_keys, "{\"scale_up_delay\":-1}", "c.json: scaling.scale_up_delay"},
    {&weir_scaling_keys, "{\"role_flip_delay\":-0.5}", "c.json: scaling.role_flip_delay"},
    {&weir_scaling_keys, "{\"drain_timeout\":-1}", "c.json: scaling.drain_timeout"},
    {&weir_scaling_keys, "{\"drain_check_interval\":0}", "c.json: scaling.drain_check_interval"},
    {&weir_scaling_keys, "{\"skus\":\"dgx-a100\"}", "c.json: scaling.skus"},
    {&weir_scaling_keys, "{\"skus\":[1]}", "c.json: scaling.skus"},
    {&weir_scaling_keys, "{\"skus\":[\"a\",\"a\"]}", "c.json: scaling.skus"},
    {&weir_scaling_keys, "{\"prompt_token_ratio_min\":2,\"prompt_token_ratio_max\":1}",
     "c.json: scaling.prompt_token_ratio_min"},
    /* 4 instances: 1:1, 2:1, 3:1, 1:2, 2:2, 1:3 */
    {&weir_scaling_keys, "{\"prompt_token_ratio_min\":3.5,\"max_total_instances\":4}",
     "c.json: scaling.prompt_token_ratio_min"},
    {&weir_scaling_keys, "{\"prompt_token_ratio_max\":0.3,\"max_total_instances\":4}",
     "c.json: scaling.prompt_token_ratio_max"},
    {&weir_scaling_keys,
     "{\"prompt_token_ratio_min\":1.4,\"prompt_token_ratio_max\":1.6,\"max_total_instances\":4}",
     "c.json: scaling.prompt_token_ratio_min"},
    {&weir_scaling_keys,
     "{\"prompt_token_ratio_min\":2,\"min_instances_per_pool\":2,\"max_total_instances\":5}",
     "c.json: scaling.prompt_token_ratio_min"},
    {&weir_scaling_keys, "{\"boot\":{\"warm_servers\":1}}", "c.json: scaling.boot.warm_servers"},
    {&weir_scaling_keys, "{\"boot\":{\"kind\":\"provision\",\"warm_servers\":1}}",
     "c.json: scaling.boot.warm_servers"},
    {&weir_scaling_keys, "{\"boot\":{\"kind\":\"warm_pool\",\"warm_servers\":-1}}",
     "c.json: scaling.boot.warm_servers"},
    {&weir_scaling_keys, "{\"boot\":{\"kind\":\"provision\",\"load_bandwidth_gb_per_s\":0}}",
     "c.json: scaling.boot.load_bandwidth_gb_per_s"},
    {&weir_scaling_keys,
     "{\"boot\":{\"kind\":\"provision\",\"provision\":{\"kind\":\"lognormal\",\"cv\":0}}}",
     "c.json: scaling.boot.provision.cv"},
    {&weir_scaling_keys, "{\"boot\":{\"kind\":\"provision\",\"provision\":{\"cv\":1}}}",
     "c.json: scaling.boot.provision.cv"},
    {&weir_scaling_keys, "{\"boot\":{\"kind\":\"provision\",\"engine_start\":{\"mean\":-1}}}",
     "c.json: scaling.boot.engine_start.mean"},
    {&weir_scaling_keys,
     "{\"boot\":{\"kind\":\"provision\",\"provision\":{\"kind\":\"uniform\",\"spread\":1.1}}}",
     "c.json: scaling.boot.provision.spread"},
    {&weir_control_keys, "{\"metric_lag\":-1}", "c.json: control.metric_lag"},
    {&weir_control_keys, "{\"scrape_interval\":-1}", "c.json: control.scrape_interval"},
    {&weir_control_keys, "{\"decision_delay\":-1}", "c.json: control.decision_delay"},
    {&weir_control_keys, "{\"metric_noise\":-0.1}", "c.json: control.metric_noise"},
    {&weir_control_keys, "{\"max_operations\":1.5}", "c.json: control.max_operations"},
    {&weir_faults_keys, "{\"instance_mtbf\":-1}", "c.json: faults.instance_mtbf"},
    {&weir_faults_keys, "{\"boot_failure\":1.1}", "c.json: faults.boot_failure"},
    {&weir_faults_keys, "{\"boot_failure\":1}", "c.json: faults.boot_failure"},
    {&weir_faults_keys, "{\"slow_boot_factor\":0.5}", "c.json: faults.slow_boot_factor"},
    {&weir_faults_keys, "{\"straggler_factor\":0}", "c.json: faults.straggler_factor"},
    {&weir_faults_keys, "{\"stock_out_duration\":0}", "c.json: faults.stock_out_duration"},
    {&weir_faults_keys, "{\"preemption_mtbf\":100}", "c.json: faults.preemption_mtbf"},
    {&weir_faults_keys, "{\"preemption_notice\":-1}", "c.json: faults.preemption_notice"},
    {&weir_faults_keys, "{\"max_retries\":-1}", "c.json: faults.max_retries"},
};

START_TEST(nonsense_is_refused_with_its_path)
{
	const refused *r = &refusals[_i];
	union {
		weir_scaling_config scaling;
		weir_control_config control;
		weir_faults_config faults;
	} object;
	weir_error error = {0};
	ck_assert_int_eq(read(r->table, r->text, &object, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, r->where);
	ck_assert_str_ne(error.message, "");
}
END_TEST

START_TEST(bounds_that_some_sizes_keep_are_taken)
{
	static const char *const texts[] = {
	    "{\"prompt_token_ratio_min\":3,\"max_total_instances\":4}",
	    "{\"prompt_token_ratio_max\":0.34,\"max_total_instances\":4}",
	    "{\"prompt_token_ratio_min\":1.4,\"prompt_token_ratio_max\":1.6,"
	    "\"max_total_instances\":5}",
	    "{\"prompt_token_ratio_min\":2,\"prompt_token_ratio_max\":2,"
	    "\"min_instances_per_pool\":2,\"max_total_instances\":6}",
	    "{\"min_instances_per_pool\":4,\"max_total_instances\":4}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		weir_error error = {0};
		weir_scaling_config scaling;
		ck_assert_ok(read(&weir_scaling_keys, texts[i], &scaling, &error), &error);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/config");
	TCase *tests = tcase_create("config");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, defaults_are_those_of_the_documents);
	tcase_add_test(tests, everything_can_be_said);
	tcase_add_loop_test(tests, nonsense_is_refused_with_its_path, 0,
	                    (int)(sizeof refusals / sizeof refusals[0]));
	tcase_add_test(tests, bounds_that_some_sizes_keep_are_taken);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
