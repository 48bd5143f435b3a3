#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/test_support.h"

static cJSON *parsed(const char *text)
{
	cJSON *json = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_json_parse("a.json", text, strlen(text), &json, &error), &error);
	ck_assert_ptr_nonnull(json);
	return json;
}

START_TEST(comments_are_blanks_except_in_strings)
{
	cJSON *json = parsed("// first\n{ /* a\n \"b\" */ \"url\": \"http://x/*y*/\\\"//\", // tail\n"
	                     "\"n\": 1 /**/ }\n// last, without newline");
	ck_assert_str_eq(cJSON_GetObjectItem(json, "url")->valuestring, "http://x/*y*/\"//");
	ck_assert_double_eq(cJSON_GetObjectItem(json, "n")->valuedouble, 1.0);
	ck_assert_int_eq(cJSON_GetArraySize(json), 2);
	cJSON_Delete(json);
}
END_TEST

START_TEST(errors_have_line_and_column)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"", "a.json:1:1", "empty"},
	    {" \n // nothing\n", "a.json:3:1", "empty"},
	    {"{\"a\": 1,\n \"b\" 2}", "a.json:2:6", "not JSON"},
	    {"{\"a\": 1,\n}", "a.json:2:1", "comma"},
	    {"[1, 2,]", "a.json:1:7", "comma"},
	    {"{\"a\": 1\n \"b\": 2}", "a.json:2:2", "comma"},
	    {"{\n/* \xC3\xA9\xC3\xA9\n */ \"\xC3\xA9\": tru}", "a.json:3:10", "not JSON"},
	    {"{'a': 1}", "a.json:1:2", "double quotes"},
	    {"{a: 1}", "a.json:1:2", "not JSON"},
	    {"{\"a\": 'x'}", "a.json:1:7", "double quotes"},
	    {"{\"a\": [1, 2}", "a.json:1:12", "bracket"},
	    {"{\"a\": {\n\"b\": 1\n", "a.json:3:1", "too early"},
	    {"{\"a\": 1} x", "a.json:1:10", "ended before"},
	    {"{} {}", "a.json:1:4", "ended before"},
	    {"{\"a\": NaN}", "a.json:1:7", "not JSON"},
	    {"{\"a\": -Infinity}", "a.json:1:7", "not JSON"},
	    {"{\"a\": 1}\n/* never closed", "a.json:2:1", "comment"},
	    {"{\"a\n\": 1}", "a.json:1:2", "string"},
	    {"{\"a\": \"x", "a.json:1:7", "string"},
	    {"{\"a\": \"x\\", "a.json:1:7", "string"},
	    {"{\"a\": \"x\ty\"}", "a.json:1:9", "tab"},
	    {"{\"a\\u0000b\": 1}", "a.json:1:4", "u0000"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cJSON *json = NULL;
		weir_error error = {0};
		weir_status status =
		    weir_json_parse("a.json", cases[i].text, strlen(cases[i].text), &json, &error);
		ck_assert_msg(status == WEIR_ERROR_INPUT, "accepted %s", cases[i].text);
		ck_assert_ptr_null(json);
		ck_assert_msg(strcmp(error.where, cases[i].where) == 0, "%s: at %s, not %s: %s",
		              cases[i].text, error.where, cases[i].where, error.message);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].text,
		              error.message);
	}
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
	cJSON *json = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_json_parse("a.json", "{}\n\0{}", 6, &json, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "a.json:2:1");
	ck_assert_ptr_nonnull(strstr(error.message, "NUL"));
}
END_TEST

START_TEST(nesting_is_limited)
{
	enum { DEEP = 100000 };
	char *text = malloc(DEEP + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, '[', DEEP);
	text[DEEP] = '\0';
	cJSON *json = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_json_parse("deep", text, DEEP, &json, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strstr(error.message, "nested") != NULL, "%s", error.message);
	memset(text, '[', 900);
	memset(text + 900, ']', 900);
	ck_assert_ok(weir_json_parse("deep", text, 1800, &json, &error), &error);
	cJSON_Delete(json);
	free(text);
}
END_TEST

START_TEST(files_that_cannot_be_read_say_why)
{
	cJSON *json = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_json_load(test_path("missing.json"), &json, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "No such file"));
	ck_assert_str_eq(error.where, test_path("missing.json"));
	ck_assert_int_eq(weir_json_load(test_directory(), &json, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "directory"));
	test_write_file(test_path("empty.json"), "");
	ck_assert_int_eq(weir_json_load(test_path("empty.json"), &json, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "empty"));
	ck_assert_ptr_null(json);
}
END_TEST

START_TEST(files_beyond_the_first_buffer_are_read_whole)
{
	enum { COUNT = 100000 };
	FILE *file = fopen(test_path("large.json"), "w");
	ck_assert_ptr_nonnull(file);
	fputs("[0", file);
	for (int i = 1; i < COUNT; i++) {
		fprintf(file, "\n,%d // %d", i, i);
	}
	fputs("\n]", file);
	fclose(file);
	cJSON *json = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_json_load(test_path("large.json"), &json, &error), &error);
	int i = 0;
	for (const cJSON *item = json->child; item != NULL; item = item->next, i++) {
		ck_assert_double_eq(item->valuedouble, i);
	}
	ck_assert_int_eq(i, COUNT);
	cJSON_Delete(json);
}
END_TEST

START_TEST(files_that_are_too_large_are_refused)
{
	const char *path = test_path("huge.json");
	test_write_file(path, "[");
	ck_assert_int_eq(truncate(path, (off_t)WEIR_JSON_LARGEST_FILE + 1), 0);
	cJSON *json = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_json_load(path, &json, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "64 MiB"));
}
END_TEST

START_TEST(numbers_read_back_as_they_were)
{
	static const double values[] = {0.1,  1.0 / 3.0, 1e300,         5e-324,    123456789012345680.0,
	                                -0.0, 200.0,     85899345920.0, 0.1 + 0.2, 1e22};
	char buffer[WEIR_JSON_NUMBER_SIZE];
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		weir_json_format_number(buffer, values[i]);
		double back = strtod(buffer, NULL);
		ck_assert_msg(memcmp(&back, &values[i], sizeof back) == 0, "%s", buffer);
	}
	ck_assert_str_eq(weir_json_format_number(buffer, 0.1), "0.1");
	ck_assert_str_eq(weir_json_format_number(buffer, 0.1 + 0.2), "0.30000000000000004");

	cJSON *json =
	    parsed("{\"a\": [0.30000000000000004, 3], \"s\": \"\\n\\u00e9\", \"o\": {\"x\": 1e300}}");
	char *text = weir_json_print(json);
	ck_assert_ptr_nonnull(text);
	cJSON *again = parsed(text);
	ck_assert(cJSON_GetObjectItem(again, "a")->child->valuedouble == 0.1 + 0.2);
	ck_assert_ptr_nonnull(strstr(text, "0.30000000000000004"));
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	ck_assert(cJSON_Compare(json, again, 1));
	free(text);
	cJSON_Delete(json);
	cJSON_Delete(again);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/json");
	TCase *tests = tcase_create("json");
	tcase_add_test(tests, comments_are_blanks_except_in_strings);
	tcase_add_test(tests, errors_have_line_and_column);
	tcase_add_test(tests, bytes_that_are_no_text_are_refused);
	tcase_add_test(tests, nesting_is_limited);
	tcase_add_test(tests, files_that_cannot_be_read_say_why);
	tcase_add_test(tests, files_beyond_the_first_buffer_are_read_whole);
	tcase_add_test(tests, files_that_are_too_large_are_refused);
	tcase_add_test(tests, numbers_read_back_as_they_were);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
