/* The four layouts of a table, to the letter. */
#include "analysis/table.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/test_support.h"

enum { COLUMNS = 4, ROWS = 3 };

static const weir_table_column columns[COLUMNS] = {
    {"policy", "", WEIR_TABLE_TEXT, 0},
    {"cost", "USD", WEIR_TABLE_ESTIMATE, 1},
    {"runs", "", WEIR_TABLE_FIGURE, 0},
    {"less", "USD", WEIR_TABLE_DIFFERENCE, 2},
};

static const weir_table_cell cells[ROWS * COLUMNS] = {
    {"static", 0, 0},      {NULL, 1234.25, 0.75},
    {NULL, 10, 0},         {NULL, (double)NAN, (double)NAN},
    {"h|pa, \"2\"", 0, 0}, {NULL, 99.95, 1.0 / 3.0},
    {NULL, 10, 0},         {NULL, -3.5, 1.25},
    {"köder", 0, 0},       {NULL, 7.0, (double)INFINITY},
    {NULL, 1, 0},          {NULL, 0.5, 0.75},
};

static const weir_table table = {.title = "One hour",
                                 .columns = columns,
                                 .column_count = COLUMNS,
                                 .cells = cells,
                                 .row_count = ROWS};

static void check(weir_table_format format, const char *expected)
{
	char *text = weir_table_print(&table, format);
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(as_text)
{
	check(WEIR_TABLE_AS_TEXT, "One hour\n"
	                          "\n"
	                          "policy        cost (USD)  runs       less (USD)\n"
	                          "static     1234.2 +- 0.8    10                -\n"
	                          "h|pa, \"2\"   100.0 +- 0.3    10  -3.50 +- 1.25 *\n"
	                          "köder                7.0     1  +0.50 +- 0.75\n");
}
END_TEST

START_TEST(as_markdown)
{
	check(WEIR_TABLE_AS_MARKDOWN, "**One hour**\n"
	                              "\n"
	                              "| policy | cost (USD) | runs | less (USD) |\n"
	                              "| --- | ---: | ---: | ---: |\n"
	                              "| static | 1234.2 ± 0.8 | 10 | - |\n"
	                              "| h\\|pa, \"2\" | 100.0 ± 0.3 | 10 | -3.50 ± 1.25 \\* |\n"
	                              "| köder | 7.0 | 1 | +0.50 ± 0.75   |\n");
}
END_TEST

START_TEST(as_csv)
{
	check(WEIR_TABLE_AS_CSV, "policy,cost,cost_half_width,runs,less,less_half_width\n"
	                         "static,1234.25,0.75,10,,\n"
	                         "\"h|pa, \"\"2\"\"\",99.95,0.3333333333333333,10,-3.5,1.25\n"
	                         "köder,7,,1,0.5,0.75\n");
}
END_TEST

static double number_at(const cJSON *row, const char *column, const char *field)
{
	const cJSON *cell = cJSON_GetObjectItemCaseSensitive(row, column);
	const cJSON *item = field == NULL ? cell : cJSON_GetObjectItemCaseSensitive(cell, field);
	ck_assert_ptr_nonnull(item);
	return cJSON_IsNull(item) ? (double)NAN : item->valuedouble;
}

START_TEST(as_json)
{
	char *text = weir_table_print(&table, WEIR_TABLE_AS_JSON);
	ck_assert_ptr_nonnull(text);
	weir_error error;
	cJSON *root = NULL;
	ck_assert_ok(weir_json_parse("table", text, strlen(text), &root, &error), &error);
	ck_assert_str_eq(cJSON_GetObjectItem(root, "title")->valuestring, "One hour");
	const cJSON *second = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "columns"), 1);
	ck_assert_str_eq(cJSON_GetObjectItem(second, "name")->valuestring, "cost");
	ck_assert_str_eq(cJSON_GetObjectItem(second, "unit")->valuestring, "USD");
	const cJSON *rows = cJSON_GetObjectItem(root, "rows");
	ck_assert_int_eq(cJSON_GetArraySize(rows), ROWS);
	const cJSON *row = cJSON_GetArrayItem(rows, 1);
	ck_assert_str_eq(cJSON_GetObjectItem(row, "policy")->valuestring, "h|pa, \"2\"");
	ck_assert_double_eq(number_at(row, "cost", "value"), 99.95);
	ck_assert_double_eq(number_at(row, "cost", "half_width"), 1.0 / 3.0);
	ck_assert_double_eq(number_at(row, "runs", NULL), 10.0);
	ck_assert_double_eq(number_at(row, "less", "value"), -3.5);
	ck_assert(isnan(number_at(cJSON_GetArrayItem(rows, 0), "less", "value")));
	ck_assert(isnan(number_at(cJSON_GetArrayItem(rows, 2), "cost", "half_width")));
	cJSON_Delete(root);
	free(text);
}
END_TEST

START_TEST(empty_and_small)
{
	const weir_table none = {.title = "", .columns = columns, .column_count = COLUMNS};
	char *text = weir_table_print(&none, WEIR_TABLE_AS_TEXT);
	ck_assert_str_eq(text, "policy  cost (USD)  runs  less (USD)\n");
	free(text);
	/* What rounds to 0 has no sign; a star is decided before rounding. */
	const weir_table_column one = {"d", "", WEIR_TABLE_DIFFERENCE, 1};
	const weir_table_cell tiny = {NULL, -0.04, 0.03};
	const weir_table small = {
	    .title = "", .columns = &one, .column_count = 1, .cells = &tiny, .row_count = 1};
	text = weir_table_print(&small, WEIR_TABLE_AS_TEXT);
	ck_assert_str_eq(text, "           d\n0.0 +- 0.0 *\n");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("analysis/table");
	TCase *tests = tcase_create("table");
	tcase_add_test(tests, as_text);
	tcase_add_test(tests, as_markdown);
	tcase_add_test(tests, as_csv);
	tcase_add_test(tests, as_json);
	tcase_add_test(tests, empty_and_small);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
