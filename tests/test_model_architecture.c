#include "model/architecture.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "support/test_support.h"

static const weir_key models_keys[] = {
    {.name = "models",
     .type = WEIR_KEY_MAP,
     .offset = offsetof(weir_models, architectures),
     .table = &weir_architecture_keys,
     .doc = "Models by name."},
};

static const weir_key_table models_table = {
    .name = "file", .doc = "", .size = sizeof(weir_models), .keys = models_keys, .key_count = 1};

static weir_arena *arena;

static void set_up(void)
{
	arena = weir_arena_create();
}

static void tear_down(void)
{
	weir_arena_destroy(arena);
}

static weir_status read_models(cJSON *json, weir_models *models, weir_error *error)
{
	ck_assert_ptr_nonnull(json);
	weir_keys_reader reader = {.arena = arena, .file = "m.json"};
	weir_status status = weir_keys_read(&reader, &models_table, json, "", models, error);
	cJSON_Delete(json);
	return status;
}

START_TEST(shipped_models_have_exact_sizes)
{
	/* KV bytes by hand: 2 * layers * hidden * 2, and over kv_heads of heads. */
	static const struct {
		const char *name;
		double weight_bytes;
		int64_t kv_bytes, kv_bytes_grouped;
	} expected[] = {
	    {"bloom-176b", 329000000000.0, 4014080, 4014080},
	    {"llama2-70b", 135000000000.0, 2621440, 327680},
	    {"llama3-8b", 16060522496.0, 524288, 131072},
	    {"llama3-70b", 141107412992.0, 2621440, 327680},
	    {"qwen2.5-7b", 15231233024.0, 401408, 57344},
	    {"qwen2.5-72b", 145412407296.0, 2621440, 327680},
	    {"mixtral-8x7b", 93405585408.0, 524288, 131072},
	};
	cJSON *json = NULL;
	weir_error error = {0};
	weir_models models;
	ck_assert_ok(weir_json_load(WEIR_SOURCE_DIR "/configs/models/llm.json", &json, &error), &error);
	ck_assert_ok(read_models(json, &models, &error), &error);
	ck_assert_uint_eq(models.architectures.count, sizeof expected / sizeof expected[0]);
	for (size_t i = 0; i < models.architectures.count; i++) {
		const weir_architecture *found = weir_models_find(&models.architectures, expected[i].name);
		ck_assert_ptr_nonnull(found);
		ck_assert_str_eq(found->name, expected[i].name);
		ck_assert_double_eq(found->weight_bytes, expected[i].weight_bytes);
		ck_assert_int_eq(weir_architecture_kv_bytes_per_token(found, false), expected[i].kv_bytes);
		ck_assert_int_eq(weir_architecture_kv_bytes_per_token(found, true),
		                 expected[i].kv_bytes_grouped);
	}
	ck_assert_ptr_null(weir_models_find(&models.architectures, "bloom"));
	const weir_architecture *mixtral = weir_models_find(&models.architectures, "mixtral-8x7b");
	ck_assert_int_eq(mixtral->experts, 8);
	ck_assert_int_eq(mixtral->experts_active, 2);
}
END_TEST

/* Two bytes for every parameter that the architecture says, of a model without biases whose gated
 * feed-forward network has three matrices: a check of the shipped figures on each other. */
START_TEST(shipped_weights_agree_with_the_shapes)
{
	static const char *const names[] = {"llama3-8b", "llama3-70b", "mixtral-8x7b"};
	cJSON *json = NULL;
	weir_error error = {0};
	weir_models models;
	ck_assert_ok(weir_json_load(WEIR_SOURCE_DIR "/configs/models/llm.json", &json, &error), &error);
	ck_assert_ok(read_models(json, &models, &error), &error);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const weir_architecture *a = weir_models_find(&models.architectures, names[i]);
		int64_t kv_width = a->kv_heads * (a->hidden / a->heads);
		int64_t attention = 2 * a->hidden * a->hidden + 2 * a->hidden * kv_width;
		int64_t network = 3 * a->hidden * a->ffn_hidden * a->experts;
		int64_t router = a->experts > 1 ? a->hidden * a->experts : 0;
		int64_t norms = 2 * a->hidden;
		int64_t parameters = a->layers * (attention + network + router + norms) + a->hidden +
		                     2 * a->vocabulary * a->hidden;
		ck_assert_double_eq(a->weight_bytes, 2.0 * (double)parameters);
	}
}
END_TEST

START_TEST(what_is_left_out_has_its_default)
{
	weir_error error = {0};
	weir_models models;
	cJSON *json = cJSON_Parse("{\"models\": {\"m\": {\"layers\": 2, \"hidden\": 12, \"heads\": 3, "
	                          "\"weight_bytes\": 5}}}");
	ck_assert_ok(read_models(json, &models, &error), &error);
	const weir_architecture *m = weir_models_find(&models.architectures, "m");
	ck_assert_int_eq(m->kv_heads, 3);
	ck_assert_int_eq(m->ffn_hidden, 48);
	ck_assert_int_eq(m->ffn_matrices, 2);
	ck_assert_int_eq(m->experts, 1);
	ck_assert_int_eq(m->experts_active, 1);
	ck_assert_int_eq(m->bytes_per_value, 2);
	ck_assert_double_eq(m->weight_bytes_per_parameter, 2.0);
	ck_assert_int_eq(weir_architecture_kv_bytes_per_token(m, true), 2 * 2 * 12 * 2);
}
END_TEST

START_TEST(bad_models_are_refused)
{
	static const struct {
		const char *fields, *where, *message;
	} cases[] = {
	    {"\"layers\": 2, \"hidden\": 13, \"heads\": 3", "m.json: models.m.heads",
	     "3 heads do not divide hidden 13"},
	    {"\"layers\": 2, \"hidden\": 12, \"heads\": 6, \"kv_heads\": 4",
	     "m.json: models.m.kv_heads", "4 kv_heads do not divide 6 heads"},
	    {"\"layers\": 2, \"hidden\": 12, \"heads\": 3, \"experts_active\": 2",
	     "m.json: models.m.experts_active", "2 of 1 experts"},
	    {"\"layers\": 0, \"hidden\": 12, \"heads\": 3", "m.json: models.m.layers", "from 1"},
	    {"\"layers\": 2, \"hidden\": 12, \"heads\": 3, \"kvheads\": 1", "m.json: models.m.kvheads",
	     "kv_heads"},
	    {"\"layers\": 2, \"hidden\": 12, \"heads\": 3, \"bytes_per_value\": -2",
	     "m.json: models.m.bytes_per_value", "-2"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512];
		snprintf(text, sizeof text, "{\"models\": {\"m\": {%s, \"weight_bytes\": 5}}}",
		         cases[i].fields);
		weir_error error = {0};
		weir_models models;
		ck_assert_int_eq(read_models(cJSON_Parse(text), &models, &error), WEIR_ERROR_INPUT);
		ck_assert_str_eq(error.where, cases[i].where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "case %zu: %s", i,
		              error.message);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("architecture");
	TCase *tests = tcase_create("architecture");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, shipped_models_have_exact_sizes);
	tcase_add_test(tests, shipped_weights_agree_with_the_shapes);
	tcase_add_test(tests, what_is_left_out_has_its_default);
	tcase_add_test(tests, bad_models_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
