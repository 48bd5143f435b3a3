#include "config/short_forms.h"

#include <stdio.h>
#include <string.h>

#include "support/test_support.h"

static weir_arena *arena;
static weir_keys_reader reader;
static weir_error error;

static void set_up(void)
{
	arena = weir_arena_create();
	reader = (weir_keys_reader){.arena = arena, .file = "a.json"};
}

static void tear_down(void)
{
	weir_arena_destroy(arena);
}

static void check_part(const weir_pools_config *pools, size_t i, weir_tag tag, const char *sku,
                       int64_t count)
{
	const weir_pool_part *part = (const weir_pool_part *)pools->parts.items + i;
	ck_assert_int_eq(part->tag, tag);
	ck_assert_int_eq(part->count, count);
	if (sku == NULL) {
		ck_assert_ptr_null(part->sku);
	} else {
		ck_assert_str_eq(part->sku, sku);
	}
}

START_TEST(servers_are_groups_in_order)
{
	weir_key_list groups;
	ck_assert_ok(weir_servers_parse(&reader, "dgx-a100:6, dgx-h100 : 7,dgx-a100:1048576", "servers",
	                                &groups, &error),
	             &error);
	const weir_server_group *items = groups.items;
	ck_assert_uint_eq(groups.count, 3);
	ck_assert_str_eq(items[0].sku, "dgx-a100");
	ck_assert_int_eq(items[0].count, 6);
	ck_assert_str_eq(items[1].sku, "dgx-h100");
	ck_assert_int_eq(items[1].count, 7);
	ck_assert_int_eq(items[2].count, 1048576);
}
END_TEST

START_TEST(pools_are_single_or_by_sku_or_by_count)
{
	weir_pools_config pools;
	ck_assert_ok(weir_pools_parse(&reader, "single", "pools", &pools, &error), &error);
	ck_assert_uint_eq(pools.parts.count, 0);
	ck_assert_ok(weir_pools_parse(&reader, "prompt:dgx-h100,token:dgx-a100,token:l40s", "pools",
	                              &pools, &error),
	             &error);
	ck_assert_uint_eq(pools.parts.count, 3);
	check_part(&pools, 0, WEIR_TAG_PROMPT, "dgx-h100", 0);
	check_part(&pools, 1, WEIR_TAG_TOKEN, "dgx-a100", 0);
	check_part(&pools, 2, WEIR_TAG_TOKEN, "l40s", 0);
	ck_assert_ok(weir_pools_parse(&reader, "token:12,prompt:4,mixed:1", "pools", &pools, &error),
	             &error);
	ck_assert_uint_eq(pools.parts.count, 3);
	check_part(&pools, 0, WEIR_TAG_TOKEN, NULL, 12);
	check_part(&pools, 1, WEIR_TAG_PROMPT, NULL, 4);
	check_part(&pools, 2, WEIR_TAG_MIXED, NULL, 1);
}
END_TEST

START_TEST(short_forms_that_are_wrong_say_how)
{
	static const struct {
		bool is_pools;
		const char *text, *message;
	} cases[] = {
	    {false, "", "expected SKU:COUNT in '', which is item 1"},
	    {false, "dgx-a100", "expected SKU:COUNT in 'dgx-a100', which is item 1"},
	    {false, "dgx-a100:6,", "which is item 2"},
	    {false, "dgx-a100:6,,b:3", "which is item 2"},
	    {false, ":6", "expected SKU:COUNT"},
	    {false, "a:", "expected SKU:COUNT"},
	    {false, "a:1:2", "expected SKU:COUNT"},
	    {false, "a:0", "expected a number of servers from 1 to 1048576 after 'a:', got '0'"},
	    {false, "a:-3", "got '-3'"},
	    {false, "a:1.5", "got '1.5'"},
	    {false, "a:x", "got 'x'"},
	    {false, "a:1048577", "got '1048577'"},
	    {false, "a:99999999999999999999999", "got '999"},
	    {true, "singel", "expected single, POOL:SKU or POOL:COUNT in 'singel'"},
	    {true, "", "expected single, POOL:SKU or POOL:COUNT"},
	    {true, "promt:3", "unknown pool 'promt'; did you mean 'prompt'?"},
	    {true, "decode:3", "unknown pool 'decode'; there are prompt, token, mixed"},
	    {true, "prompt:0", "from 1 to"},
	    {true, "prompt:-1", "from 1 to"},
	    {true, "prompt:1.5", "got '1.5'"},
	    {true, "prompt:3,token:dgx-a100", "expected either SKUs or numbers of servers, not both"},
	    {true, "prompt:a,token:b,mixed:a", "the servers of SKU 'a' are in more than one pool"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_key_list groups;
		weir_pools_config pools;
		weir_status status =
		    cases[i].is_pools ? weir_pools_parse(&reader, cases[i].text, "here", &pools, &error)
		                      : weir_servers_parse(&reader, cases[i].text, "here", &groups, &error);
		ck_assert_msg(status == WEIR_ERROR_INPUT, "accepted '%s'", cases[i].text);
		ck_assert_str_eq(error.where, "a.json: here");
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "'%s': %s", cases[i].text,
		              error.message);
	}
}
END_TEST

static weir_status read_pools(const char *text, weir_pools_config *pools)
{
	const weir_key key = {
	    .name = "pools", .type = WEIR_KEY_CUSTOM, .read = weir_pools_read, .forms = "the forms"};
	const weir_key_table table = {.name = "t", .size = sizeof *pools, .keys = &key, .key_count = 1};
	cJSON *json = cJSON_Parse(text);
	ck_assert_ptr_nonnull(json);
	weir_status status = weir_keys_read(&reader, &table, json, "", pools, &error);
	cJSON_Delete(json);
	return status;
}

START_TEST(pools_can_be_an_object)
{
	weir_pools_config pools;
	ck_assert_ok(read_pools("{\"pools\": {\"token\": 12, \"prompt\": 4}}", &pools), &error);
	ck_assert_uint_eq(pools.parts.count, 2);
	check_part(&pools, 0, WEIR_TAG_TOKEN, NULL, 12);
	check_part(&pools, 1, WEIR_TAG_PROMPT, NULL, 4);
	ck_assert_ok(read_pools("{\"pools\": {\"prompt\": \"a\", \"token\": [\"b\", \"c\"]}}", &pools),
	             &error);
	ck_assert_uint_eq(pools.parts.count, 3);
	check_part(&pools, 0, WEIR_TAG_PROMPT, "a", 0);
	check_part(&pools, 2, WEIR_TAG_TOKEN, "c", 0);
	ck_assert_ok(read_pools("{\"pools\": \"single\"}", &pools), &error);
	ck_assert_uint_eq(pools.parts.count, 0);

	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"{\"pools\": {}}", "pools", "no pool has any servers"},
	    {"{\"pools\": {\"prompt\": []}}", "pools", "no pool has any servers"},
	    {"{\"pools\": {\"Prompt\": 1}}", "pools.Prompt", "did you mean 'prompt'?"},
	    {"{\"pools\": {\"prompt\": 1.5}}", "pools.prompt", "got 1.5"},
	    {"{\"pools\": {\"prompt\": 1e300}}", "pools.prompt", "got 1e+300"},
	    {"{\"pools\": {\"prompt\": null}}", "pools.prompt", "got null"},
	    {"{\"pools\": {\"prompt\": [3]}}", "pools.prompt", "expected a list of SKUs"},
	    {"{\"pools\": {\"prompt\": 3, \"token\": \"a\"}}", "pools", "not both"},
	    {"{\"pools\": 3}", "pools", "expected the forms, got 3"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_msg(read_pools(cases[i].text, &pools) == WEIR_ERROR_INPUT, "%s", cases[i].text);
		ck_assert_str_eq(error.where + strlen("a.json: "), cases[i].where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].text,
		              error.message);
	}
}
END_TEST

START_TEST(long_lists_are_read_whole)
{
	enum { COUNT = 3000 };
	char *text = weir_arena_allocate(arena, COUNT, 16);
	for (int i = 0, used = 0; i < COUNT; i++) {
		used += sprintf(text + used, "%ss%d:%d", i > 0 ? "," : "", i, i + 1);
	}
	weir_key_list groups;
	ck_assert_ok(weir_servers_parse(&reader, text, "servers", &groups, &error), &error);
	ck_assert_uint_eq(groups.count, COUNT);
	ck_assert_int_eq(((const weir_server_group *)groups.items)[COUNT - 1].count, COUNT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/short_forms");
	TCase *tests = tcase_create("short_forms");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, servers_are_groups_in_order);
	tcase_add_test(tests, pools_are_single_or_by_sku_or_by_count);
	tcase_add_test(tests, short_forms_that_are_wrong_say_how);
	tcase_add_test(tests, pools_can_be_an_object);
	tcase_add_test(tests, long_lists_are_read_whole);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
