#include "config/explain.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

typedef struct item {
	const char *name;
	int64_t count;
} item;

typedef struct top {
	int kind;
	double rate;
	weir_key_list items, named;
	int64_t custom;
} top;

static weir_status read_custom(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, void *field, weir_error *error)
{
	(void)key, (void)json, (void)field;
	return weir_keys_fail(reader, path, error, "never read here");
}

static const char *const kinds[] = {"slow", "fast", NULL};

static const weir_key item_keys[] = {
    {.name = "count",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(item, count),
     .minimum = 1,
     .maximum = 9,
     .doc = "How many."},
};
static const weir_key_table item_table = {
    .name = "item", .doc = "One item.", .size = sizeof(item), .keys = item_keys, .key_count = 1};
static const weir_key top_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(top, kind),
     .default_text = "\"slow\"",
     .choices = kinds,
     .doc = "Which."},
    {.name = "rate",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(top, rate),
     .default_text = "2.5",
     .maximum = 10,
     .unit = "1/s",
     .only_if = "kind=fast",
     .doc = "A text of many words that goes on until it cannot stand on one line of a hundred "
            "characters any more."},
    {.name = "items", .type = WEIR_KEY_LIST, .offset = offsetof(top, items), .table = &item_table},
    {.name = "named",
     .type = WEIR_KEY_MAP,
     .offset = offsetof(top, named),
     .table = &item_table,
     .doc = "By name."},
    {.name = "custom",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(top, custom),
     .flags = WEIR_KEY_REQUIRED,
     .read = read_custom,
     .forms = "this or that",
     .doc = "Anything."},
};
static const weir_key_table top_table = {
    .name = "top", .size = sizeof(top), .keys = top_keys, .key_count = 5};

static weir_error error;

static void check_text(const char *below, const char *expected)
{
	char *text = NULL;
	ck_assert_ok(weir_explain(&top_table, below, WEIR_EXPLAIN_TEXT, &text, &error), &error);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(text_says_all_that_the_table_says)
{
	check_text(NULL, "kind: one of \"slow\", \"fast\"; default \"slow\"\n"
	                 "    Which.\n\n"
	                 "rate: a number from 0 to 10 [1/s]; default 2.5; only if kind=fast\n"
	                 "    A text of many words that goes on until it cannot stand on one line of a "
	                 "hundred characters any\n"
	                 "    more.\n\n"
	                 "items: a list of objects\n"
	                 "    One item.\n\n"
	                 "items[].count: an integer from 1 to 9; required\n"
	                 "    How many.\n\n"
	                 "named: an object of named objects\n"
	                 "    By name.\n\n"
	                 "named.*.count: an integer from 1 to 9; required\n"
	                 "    How many.\n\n"
	                 "custom: this or that; required\n"
	                 "    Anything.\n");
}
END_TEST

START_TEST(a_path_restricts_it)
{
	check_text("custom", "custom: this or that; required\n    Anything.\n");
	static const char items[] = "items: a list of objects\n    One item.\n\n"
	                            "items[].count: an integer from 1 to 9; required\n    How many.\n";
	check_text("items", items);
	static const char count[] = "items[].count: an integer from 1 to 9; required\n    How many.\n";
	check_text("items[3]", count);
	check_text("items[].count", count);
	check_text("items[12].count", count);
	static const char named[] = "named.*.count: an integer from 1 to 9; required\n    How many.\n";
	check_text("named.bloom-176b", named);
	check_text("named.bloom-176b.count", named);
	check_text("named.*.count", named);
}
END_TEST

START_TEST(a_path_of_no_key_is_refused)
{
	static const struct {
		const char *path, *message;
	} cases[] = {
	    {"kinds", "there is no key 'kinds'; did you mean 'kind'?"},
	    {"kin", "there is no key 'kin'; did you mean 'kind'?"},
	    {"kind.x", "there is no key 'kind.x'; did you mean 'kind'?"},
	    {"items.cuont", "did you mean 'items[].count'?"},
	    {"bandwidth", "there is no key 'bandwidth'"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = NULL;
		weir_status status =
		    weir_explain(&top_table, cases[i].path, WEIR_EXPLAIN_TEXT, &text, &error);
		ck_assert_msg(status == WEIR_ERROR_INPUT, "%s", cases[i].path);
		ck_assert_ptr_null(text);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s", error.message);
	}
}
END_TEST

START_TEST(json_lists_every_key)
{
	char *text = NULL;
	ck_assert_ok(weir_explain(&top_table, "", WEIR_EXPLAIN_JSON, &text, &error), &error);
	cJSON *list = cJSON_Parse(text);
	ck_assert_int_eq(cJSON_GetArraySize(list), 7);
	const cJSON *kind = cJSON_GetArrayItem(list, 0);
	ck_assert_str_eq(cJSON_GetObjectItem(kind, "path")->valuestring, "kind");
	ck_assert_str_eq(cJSON_GetObjectItem(kind, "type")->valuestring, "choice");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(kind, "choices")), 2);
	ck_assert_str_eq(cJSON_GetObjectItem(kind, "default")->valuestring, "slow");
	ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(kind, "required")));
	const cJSON *rate = cJSON_GetArrayItem(list, 1);
	ck_assert_double_eq(cJSON_GetObjectItem(rate, "default")->valuedouble, 2.5);
	ck_assert_str_eq(cJSON_GetObjectItem(rate, "unit")->valuestring, "1/s");
	ck_assert_str_eq(cJSON_GetObjectItem(rate, "only_if")->valuestring, "kind=fast");
	ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 6), "required")));
	cJSON_Delete(list);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/explain");
	TCase *tests = tcase_create("explain");
	tcase_add_test(tests, text_says_all_that_the_table_says);
	tcase_add_test(tests, a_path_restricts_it);
	tcase_add_test(tests, a_path_of_no_key_is_refused);
	tcase_add_test(tests, json_lists_every_key);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
