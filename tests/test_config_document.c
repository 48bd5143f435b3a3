#include "config/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "support/test_support.h"

static weir_arena *arena;
static weir_document *document;
static weir_error error;

static void set_up(void)
{
	arena = weir_arena_create();
	mkdir(test_path("far"), 0777);
	mkdir(test_path("shipped"), 0777);
	document = NULL;
}

static void tear_down(void)
{
	weir_document_destroy(document);
	weir_arena_destroy(arena);
}

static weir_status load(const char *file, const char *const *sets)
{
	const char *const directories[] = {test_path("nothing"), test_path("shipped"), NULL};
	size_t count = 0;
	while (sets != NULL && sets[count] != NULL) {
		count++;
	}
	weir_document_options options = {.path = file != NULL ? test_path(file) : NULL,
	                                 .directories = directories,
	                                 .sets = sets,
	                                 .set_count = count};
	weir_document_destroy(document);
	return weir_document_load(&options, arena, &document, &error);
}

#define SETS(...)                                                                                  \
	(const char *const[])                                                                          \
	{                                                                                              \
		__VA_ARGS__, NULL                                                                          \
	}

static void check_root(const char *expected)
{
	cJSON *json = NULL;
	ck_assert_ok(weir_json_parse("expected", expected, strlen(expected), &json, &error), &error);
	char *text = weir_json_print(weir_document_root(document));
	ck_assert_msg(cJSON_Compare(json, weir_document_root(document), 1), "%s is not %s", text,
	              expected);
	free(text);
	cJSON_Delete(json);
}

/* The origin and directory of a value, without the test's own directory. */
static void check_origin(const char *path, const char *origin, const char *directory)
{
	weir_keys_reader reader = weir_document_reader(document);
	const char *got = reader.origin(reader.context, path);
	const char *base = test_directory();
	size_t length = strlen(base);
	if (strncmp(got, base, length) == 0) {
		got += length + 1;
	}
	ck_assert_msg(strcmp(got, origin) == 0, "%s comes from %s, not %s", path, got, origin);
	got = reader.directory(reader.context, path);
	got += strncmp(got, base, length) == 0 ? length : 0;
	ck_assert_msg(strcmp(got, directory) == 0, "%s is in %s, not %s", path, got, directory);
}

START_TEST(includes_come_first_and_objects_merge)
{
	test_write_file(
	    test_path("far/hardware.json"),
	    "{\"hardware\": {\"a\": {\"x\": 1, \"y\": 2}, \"b\": {\"x\": 3}}, \"list\": [1, 2, 3]}");
	test_write_file(test_path("shipped/models.json"),
	                "{\"include\": \"deeper.json\", \"model\": \"m\", \"n\": 1}");
	test_write_file(test_path("shipped/deeper.json"),
	                "{\"n\": 0, \"model\": {\"is\": \"replaced\"}, \"deep\": true}");
	test_write_file(
	    test_path("main.json"),
	    "{ // what follows wins\n\"include\": [\"far/hardware.json\", \"models.json\"],\n"
	    "\"hardware\": {\"a\": {\"y\": 5}, \"c\": {\"x\": 6}}, \"list\": [9]}");
	ck_assert_ok(load("main.json", NULL), &error);
	check_root("{\"hardware\": {\"a\": {\"x\": 1, \"y\": 5}, \"b\": {\"x\": 3}, \"c\": {\"x\": 6}},"
	           "\"list\": [9], \"n\": 1, \"model\": \"m\", \"deep\": true}");
	check_origin("hardware.a.x", "far/hardware.json", "/far");
	check_origin("hardware.a.y", "main.json", "");
	check_origin("hardware.c", "main.json", "");
	check_origin("list[0]", "main.json", "");
	check_origin("list[2]", "main.json", ""); /* not there: main.json's list has one element */
	check_origin("n", "shipped/models.json", "/shipped");
	check_origin("deep", "shipped/deeper.json", "/shipped");
	check_origin("hardware.b.missing", "far/hardware.json", "/far");
	check_origin("missing", "main.json", "");
	check_origin("", "main.json", "");
	weir_keys_reader reader = weir_document_reader(document);
	ck_assert_int_lt(reader.layer(reader.context, "deep"), reader.layer(reader.context, "n"));
	ck_assert_int_lt(reader.layer(reader.context, "n"), reader.layer(reader.context, "list"));
}
END_TEST

START_TEST(overrides_come_last_in_their_order)
{
	test_write_file(
	    test_path("main.json"),
	    "{\"trace\": {\"path\": \"a.csv\"}, \"servers\": [{\"sku\": \"x\", \"count\": 1}, "
	    "{\"sku\": \"y\"}],"
	    "\"pools\": {\"prompt\": 1}, \"models\": {\"q2.5\": {\"layers\": 1}}, \"n\": 1}");
	ck_assert_ok(load("main.json", SETS("trace.path=b=c.csv", "servers[0].count=3", "n=2", "n=2.5",
	                                    "pools=single", "models.\"q2.5\".layers=9",
	                                    "new.deep.key=[1, 2]", "text=dgx-a100:6,dgx-h100:6",
	                                    "empty=", "on=true", "quoted=\"3\"", "url=//host")),
	             &error);
	check_root("{\"trace\": {\"path\": \"b=c.csv\"}, \"servers\": [{\"sku\": \"x\", \"count\": 3}, "
	           "{\"sku\": \"y\"}],"
	           "\"pools\": \"single\", \"models\": {\"q2.5\": {\"layers\": 9}}, \"n\": 2.5,"
	           "\"new\": {\"deep\": {\"key\": [1, 2]}}, \"text\": \"dgx-a100:6,dgx-h100:6\", "
	           "\"empty\": \"\","
	           "\"on\": true, \"quoted\": \"3\", \"url\": \"//host\"}");
	check_origin("trace.path", "--set", "");
	check_origin("trace", "main.json", "");
	check_origin("servers[0].count", "--set", "");
	check_origin("servers[0].sku", "main.json", "");
	check_origin("servers[1]", "main.json", "");
	check_origin("pools", "--set", "");
	check_origin("pools.prompt", "--set", "");
	check_origin("models.\"q2.5\".layers", "--set", "");
	check_origin("new.deep.key[1]", "--set", "");
	check_origin("new.deep.other", "main.json", "");
	check_origin("new.deep", "--set", ""); /* no file has it */
}
END_TEST

START_TEST(an_object_in_an_override_merges_and_a_deeper_path_replaces_a_short_form)
{
	ck_assert_ok(load(NULL, SETS("pools=single", "pools.prompt=3", "pools={\"token\": 4}",
	                             "list=[1,[2,{}]]", "list[1][1].x=5", "list[0]=7")),
	             &error);
	check_root("{\"pools\": {\"prompt\": 3, \"token\": 4}, \"list\": [7, [2, {\"x\": 5}]]}");
	check_origin("list[1][1].x", "--set", "");
	check_origin("nowhere", "config", "");
}
END_TEST

START_TEST(overrides_that_lead_nowhere_are_refused)
{
	static const struct {
		const char *set, *message;
	} cases[] = {
	    {"", "expected key.path=value, got ''"},
	    {"a", "expected key.path=value"},
	    {"=3", "expected key.path=value"},
	    {"a..b=3", "expected key.path=value"},
	    {".a=3", "expected key.path=value"},
	    {"a.=3", "expected key.path=value"},
	    {"a[=3", "expected key.path=value"},
	    {"a[x]=3", "expected key.path=value"},
	    {"a[-1]=3", "expected key.path=value"},
	    {"a[0]b=3", "expected key.path=value"},
	    {"a[99999999999999999999]=3", "expected key.path=value"},
	    {"[0]=3", "expected key.path=value"},
	    {"\"a=3", "expected key.path=value"},
	    {"\"a\\", "expected key.path=value"},
	    {"list[3]=1", "'list[3]=1': there is no element [3]; the list has 3"},
	    {"list[3].x=1", "there is no element [3]; the list has 3"},
	    {"list.x=1", "before 'x' is a list; name an element, as in list[0].x"},
	    {"nolist[0]=1", "there is no list 'nolist' in the config"},
	    {"n[0]=1", "there is no list 'n' in the config"},
	    {"n={\"a\": 1", "'n={\"a\": 1' is not JSON: the JSON ends too early"},
	    {"n=[1,]", "is not JSON: a comma"},
	    {"n={\"a\": {\"b\": 1, \"b\": 2}}", "twice"},
	};
	test_write_file(test_path("main.json"), "{\"list\": [1, 2, 3], \"n\": 1}");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_msg(load("main.json", SETS(cases[i].set)) == WEIR_ERROR_INPUT, "accepted %s",
		              cases[i].set);
		ck_assert_ptr_null(document);
		ck_assert_msg(strncmp(error.where, "--set", 5) == 0, "%s", error.where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].set,
		              error.message);
	}
	char longest[300] = "a";
	for (int i = 0; i < 100; i++) {
		strcat(longest, ".a");
	}
	strcat(longest, "=1");
	ck_assert_int_eq(load("main.json", SETS(longest)), WEIR_ERROR_INPUT);
}
END_TEST

static void check_refused(const char *text, const char *where, const char *message)
{
	test_write_file(test_path("main.json"), text);
	ck_assert_msg(load("main.json", NULL) == WEIR_ERROR_INPUT, "accepted %s", text);
	ck_assert_msg(strstr(error.where, where) != NULL, "%s: %s", error.where, error.message);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s: %s", error.where, error.message);
}

START_TEST(files_that_are_wrong_are_refused)
{
	check_refused("[1]", "main.json", "expected an object {...}, got a list");
	check_refused("{\"a\": {\"b\": [{\"c\": 1, \"d\": 2, \"c\": 3}]}}", "main.json: a.b[0].c",
	              "twice");
	check_refused("{\"include\": \"no.json\"}", "main.json: include",
	              "there is no file 'no.json' in");
	check_refused("{\"include\": [\"no.json\"]}", "main.json: include[0]", "shipped configs");
	check_refused("{\"include\": 3}", "main.json: include",
	              "expected a file name or a list of file names, got 3");
	check_refused("{\"include\": [[]]}", "main.json: include[0]", "got a list");
	check_refused("{\"include\": \"a\", \"include\": \"b\"}", "main.json: include", "twice");
	test_write_file(test_path("broken.json"), "{\n\"a\" 1}");
	check_refused("{\"include\": \"broken.json\"}", "broken.json:2:5", "not JSON");
	ck_assert_int_eq(load("absent.json", NULL), WEIR_ERROR_IO);
	test_write_file(test_path("main.json"), "{\"include\": \"far\"}");
	ck_assert_int_eq(load("main.json", NULL), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "directory"));
}
END_TEST

START_TEST(cycles_of_includes_are_refused_with_their_chain)
{
	check_refused("{\"include\": \"main.json\"}", "main.json", "include each other");
	test_write_file(test_path("far/b.json"), "{\"include\": \"../far/c.json\"}");
	test_write_file(test_path("far/c.json"), "{\"include\": \"../main.json\"}");
	check_refused("{\"include\": \"far/b.json\"}", "c.json", "include each other");
	const char *at = error.message;
	static const char *const chain[] = {"main.json -> ", "far/b.json -> ", "far/c.json -> ",
	                                    "main.json"};
	for (size_t i = 0; i < 4; i++) {
		at = strstr(at, chain[i]);
		ck_assert_msg(at != NULL, "%s not in place in %s", chain[i], error.message);
	}
}
END_TEST

START_TEST(files_included_often_are_no_cycle_but_have_a_limit)
{
	test_write_file(test_path("leaf.json"), "{\"x\": 1}");
	test_write_file(test_path("main.json"), "{\"include\": [\"leaf.json\", \"leaf.json\"]}");
	ck_assert_ok(load("main.json", NULL), &error);
	check_root("{\"x\": 1}");

	enum { DEEP = 20 };
	for (int i = 0; i < DEEP; i++) {
		char text[100];
		snprintf(text, sizeof text, "{\"include\": \"chain-%d.json\"}", i + 1);
		test_write_file(test_path(weir_arena_format(arena, "chain-%d.json", i)), text);
	}
	test_write_file(test_path(weir_arena_format(arena, "chain-%d.json", DEEP)), "{}");
	ck_assert_int_eq(load("chain-0.json", NULL), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "16 deep"));
	ck_assert_ok(load("chain-4.json", NULL), &error);

	char many[8000] = "{\"include\": [\"leaf.json\"";
	for (int i = 0; i < 300; i++) {
		strcat(many, ", \"leaf.json\"");
	}
	strcat(many, "]}");
	test_write_file(test_path("main.json"), many);
	ck_assert_int_eq(load("main.json", NULL), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "256"));
}
END_TEST

START_TEST(a_long_file_takes_no_longer_than_its_length)
{
	enum { COUNT = 200000 };
	FILE *file = fopen(test_path("long.json"), "w");
	ck_assert_ptr_nonnull(file);
	fputs("{\"a\": 0", file);
	for (int i = 0; i < COUNT; i++) {
		fprintf(file, ", \"k%d\": {\"x\": %d}", i, i);
	}
	fputs("}", file);
	fclose(file);
	ck_assert_ok(load("long.json", SETS("a=5")), &error);
	ck_assert_int_eq(cJSON_GetArraySize(weir_document_root(document)), COUNT + 1);
	check_origin("a", "--set", "");
	check_origin("k199999.x", "long.json", "");
}
END_TEST

START_TEST(many_overrides_outgrow_every_first_capacity)
{
	enum { COUNT = 200 };
	const char *sets[COUNT + 1] = {NULL};
	for (int i = 0; i < COUNT; i++) {
		sets[i] = weir_arena_format(arena, "a.k%d=%d", i % 100, i);
	}
	ck_assert_ok(load(NULL, sets), &error);
	const cJSON *a = cJSON_GetObjectItem(weir_document_root(document), "a");
	ck_assert_int_eq(cJSON_GetArraySize(a), 100);
	ck_assert_double_eq(cJSON_GetObjectItem(a, "k7")->valuedouble, 107);
	weir_keys_reader reader = weir_document_reader(document);
	ck_assert_int_eq(reader.layer(reader.context, "a.k7"), 108);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/document");
	TCase *tests = tcase_create("document");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, includes_come_first_and_objects_merge);
	tcase_add_test(tests, overrides_come_last_in_their_order);
	tcase_add_test(tests, an_object_in_an_override_merges_and_a_deeper_path_replaces_a_short_form);
	tcase_add_test(tests, overrides_that_lead_nowhere_are_refused);
	tcase_add_test(tests, files_that_are_wrong_are_refused);
	tcase_add_test(tests, cycles_of_includes_are_refused_with_their_chain);
	tcase_add_test(tests, files_included_often_are_no_cycle_but_have_a_limit);
	tcase_add_test(tests, a_long_file_takes_no_longer_than_its_length);
	tcase_add_test(tests, many_overrides_outgrow_every_first_capacity);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
