/* The parts that the kinds of model share: config, choice of the kind, floor division. */
#include "model/execution_time.h"

#include <string.h>

#include "base/memory.h"
#include "support/test_support.h"

static weir_arena *arena;

static void set_up(void)
{
	arena = weir_arena_create();
}

static void tear_down(void)
{
	weir_arena_destroy(arena);
}

static weir_status read_config(const char *text, weir_execution_time_config *config,
                               weir_error *error)
{
	cJSON *json = cJSON_Parse(text);
	ck_assert_ptr_nonnull(json);
	weir_keys_reader reader = {.arena = arena, .file = "configs/c.json"};
	weir_status status =
	    weir_keys_read(&reader, &weir_execution_time_keys, json, "execution_time", config, error);
	cJSON_Delete(json);
	return status;
}

START_TEST(config_is_read)
{
	weir_error error = {0};
	weir_execution_time_config config;
	ck_assert_ok(read_config("{\"profile\": \"profiles/p.json\"}", &config, &error), &error);
	ck_assert_str_eq(weir_execution_time_kinds[config.kind], "table");
	ck_assert_str_eq(config.profile, "configs/profiles/p.json");
	ck_assert_double_eq(config.mixed_factor, 1.1);

	ck_assert_ok(
	    read_config("{\"kind\": \"constant\", \"prompt_seconds\": 0.5, \"token_seconds\": 0.25, "
	                "\"busy_power_share\": 0.7}",
	                &config, &error),
	    &error);
	ck_assert_str_eq(weir_execution_time_kinds[config.kind], "constant");
	ck_assert_double_eq(config.prompt_seconds, 0.5);
	ck_assert_double_eq(config.token_seconds, 0.25);
	ck_assert_double_eq(config.busy_power_share, 0.7);

	ck_assert_ok(
	    read_config("{\"kind\": \"roofline\", \"roofline_overhead_s\": 0.001}", &config, &error),
	    &error);
	ck_assert_str_eq(weir_execution_time_kinds[config.kind], "roofline");
	ck_assert_double_eq(config.roofline_overhead_s, 0.001);
}
END_TEST

START_TEST(bad_configs_are_refused)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"{}", "profile"},
	    {"{\"kind\": \"tabel\"}", "table"},
	    {"{\"kind\": \"table\", \"profile\": 3}", "3"},
	    {"{\"kind\": \"table\", \"profile\": \"p\", \"mixed_factor\": 0}", "above 0"},
	    {"{\"kind\": \"table\", \"profile\": \"p\", \"token_seconds\": 1}", "constant"},
	    {"{\"kind\": \"constant\", \"prompt_seconds\": 1}", "token_seconds"},
	    {"{\"kind\": \"constant\", \"prompt_seconds\": -1, \"token_seconds\": 1}", "above 0"},
	    {"{\"kind\": \"roofline\", \"roofline_overhead_s\": -1}", "-1"},
	    {"{\"kind\": \"roofline\", \"busy_power_share\": -0.1}", "-0.1"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_execution_time_config config;
		ck_assert_int_eq(read_config(cases[i].text, &config, &error), WEIR_ERROR_INPUT);
		ck_assert_msg(strstr(error.where, "execution_time") != NULL, "case %zu: %s", i,
		              error.where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL ||
		                  strstr(error.where, cases[i].message) != NULL,
		              "case %zu: %s: %s", i, error.where, error.message);
	}
}
END_TEST

START_TEST(the_kind_chooses_the_model)
{
	const weir_architecture architecture = {.name = "llama2-70b",
	                                        .layers = 80,
	                                        .hidden = 8192,
	                                        .heads = 64,
	                                        .kv_heads = 8,
	                                        .ffn_hidden = 28672,
	                                        .ffn_matrices = 2,
	                                        .experts = 1,
	                                        .experts_active = 1,
	                                        .bytes_per_value = 2,
	                                        .weight_bytes_per_parameter = 2.0};
	const weir_gpu gpu = {.name = "h100-80gb",
	                      .bf16_tflops = 989.5,
	                      .memory_tb_per_s = 3.35,
	                      .mfu_prefill = 0.45,
	                      .mfu_decode = 0.3};
	const weir_execution_target target = {&architecture, &gpu, 8};
	for (int kind = 0; weir_execution_time_kinds[kind] != NULL; kind++) {
		weir_execution_time_config config = {
		    .kind = kind,
		    .profile = WEIR_SOURCE_DIR "/configs/profiles/splitwise.json",
		    .mixed_factor = 1.1,
		    .prompt_seconds = 0.1,
		    .token_seconds = 0.04,
		};
		weir_error error = {0};
		weir_execution_time *model = NULL;
		ck_assert_ok(weir_execution_time_create(&config, &target, &model, &error), &error);
		ck_assert_str_eq(model->type->name, weir_execution_time_kinds[kind]);
		weir_execution_time_destroy(model);
	}
	weir_execution_time_destroy(NULL);
}
END_TEST

START_TEST(floor_divide_is_python_s)
{
	/* a // b as CPython prints it. floor(a / b) is one more in three of them; in the last,
	 * (a - fmod(a, b)) / b falls just short of the whole number. */
	static const double cases[][3] = {
	    {1.0, 0.1, 9.0},           {0.3, 0.1, 2.0},
	    {6.0, 0.1, 59.0},          {0.0, 0.3, 0.0},
	    {0.29, 0.3, 0.0},          {1e6, 0.1, 9999999.0},
	    {0.5, 0.25, 2.0},          {4.35, 0.01, 434.0},
	    {123.456, 0.0457, 2701.0}, {82.85059714691135, 0.023906749578146223, 3465.0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_double_eq(weir_floor_divide(cases[i][0], cases[i][1]), cases[i][2]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("execution_time");
	TCase *tests = tcase_create("execution_time");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, config_is_read);
	tcase_add_test(tests, bad_configs_are_refused);
	tcase_add_test(tests, the_kind_chooses_the_model);
	tcase_add_test(tests, floor_divide_is_python_s);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
