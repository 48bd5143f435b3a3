/* Headers and rows of comma-separated traces; the table of formats. */
#include <stdio.h>
#include <string.h>

#include "support/test_support.h"
#include "workload/trace_csv.h"
#include "workload/trace_format.h"

static const weir_trace_column columns[] = {
    {"time", true}, {"size", true}, {"note", false}, {NULL, false}};

static weir_trace_input *input;
static weir_error error;

/* The reader of the text, and its first line. */
static weir_trace_text open_text(const char *text)
{
	const char *path = test_path("table.csv");
	test_write_file(path, text);
	ck_assert_ok(weir_trace_input_open(path, 1000, &input, &error), &error);
	weir_trace_text line = {NULL, NULL};
	bool more = false;
	ck_assert_ok(weir_trace_input_next(input, &line, &more, &error), &error);
	ck_assert(more);
	return line;
}

static weir_trace_text next_line(void)
{
	weir_trace_text line = {NULL, NULL};
	bool more = false;
	ck_assert_ok(weir_trace_input_next(input, &line, &more, &error), &error);
	ck_assert(more);
	return line;
}

static void expect_field(weir_trace_text field, const char *expected)
{
	size_t length = (size_t)(field.end - field.begin);
	ck_assert_msg(length == strlen(expected) && memcmp(field.begin, expected, length) == 0,
	              "\"%.*s\" is not \"%s\"", (int)length, field.begin, expected);
}

START_TEST(fields_go_to_their_columns)
{
	weir_trace_header header;
	weir_trace_text line = open_text("size,other,\"TIME\",more\n"
	                                 "1,2,3,4\n"
	                                 " 12 ,\"a,\"\"b\"\"\",\t\"3 4\" ,\n"
	                                 ",,,\n");
	ck_assert(weir_trace_csv_recognises(columns, line));
	ck_assert_ok(weir_trace_csv_header(input, columns, line, &header, &error), &error);
	ck_assert_uint_eq(header.field_count, 4);
	ck_assert(header.present[0] && header.present[1] && !header.present[2]);
	weir_trace_text fields[WEIR_TRACE_MAX_COLUMNS];
	ck_assert_ok(weir_trace_csv_split(input, &header, next_line(), fields, &error), &error);
	expect_field(fields[0], "3");
	expect_field(fields[1], "1");
	ck_assert_ok(weir_trace_csv_split(input, &header, next_line(), fields, &error), &error);
	expect_field(fields[0], "3 4");
	expect_field(fields[1], "12");
	ck_assert_ok(weir_trace_csv_split(input, &header, next_line(), fields, &error), &error);
	expect_field(fields[0], "");
	expect_field(fields[1], "");
	weir_trace_input_close(input);
}
END_TEST

START_TEST(rows_that_do_not_fit)
{
	weir_trace_header header;
	weir_trace_text line = open_text("time,size\n1\n1,2,3\n\"1,2\n\"1\"2,3\n\"1\"\"\n");
	ck_assert_ok(weir_trace_csv_header(input, columns, line, &header, &error), &error);
	static const char *const messages[] = {"1 field, but the header has 2", "3 fields",
	                                       "quote in field 1", "quote in field 1",
	                                       "quote in field 1"};
	for (size_t i = 0; i < 5; i++) {
		weir_trace_text fields[WEIR_TRACE_MAX_COLUMNS];
		ck_assert_int_eq(weir_trace_csv_split(input, &header, next_line(), fields, &error),
		                 WEIR_ERROR_INPUT);
		ck_assert_msg(strstr(error.message, messages[i]) != NULL, "%s", error.message);
		ck_assert_int_eq(error.where[strlen(error.where) - 1], (char)('2' + i));
	}
	weir_trace_input_close(input);
}
END_TEST

START_TEST(good_and_bad_headers)
{
	static const struct {
		const char *text;
		bool recognised;
		const char *message; /* NULL: good */
	} headers[] = {
	    {"time,size", true, NULL},       {" Size , note, Time", true, NULL},
	    {"time", false, "lacks size"},   {"times,sizes", false, "lacks time,size"},
	    {"", false, "lacks time,size"},  {"time,size,TIME", true, "time twice"},
	    {"\"time,size", false, "quote"},
	};
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		char text[64];
		snprintf(text, sizeof text, "%s\n", headers[i].text);
		weir_trace_header header;
		weir_trace_text line = open_text(text);
		ck_assert_msg(weir_trace_csv_recognises(columns, line) == headers[i].recognised, "%s",
		              headers[i].text);
		weir_status status = weir_trace_csv_header(input, columns, line, &header, &error);
		ck_assert_int_eq(status, headers[i].message != NULL ? WEIR_ERROR_INPUT : WEIR_OK);
		ck_assert(status == WEIR_OK || strstr(error.message, headers[i].message) != NULL);
		weir_trace_input_close(input);
	}
}
END_TEST

START_TEST(formats_by_name)
{
	char names[100];
	ck_assert_str_eq(weir_trace_format_names(names, sizeof names),
	                 "splitwise, azure, burstgpt, mooncake");
	ck_assert_str_eq(weir_trace_format_names(names, 8), "splitwi");
	for (size_t i = 0; weir_trace_formats[i] != NULL; i++) {
		ck_assert_ptr_eq(weir_trace_format_find(weir_trace_formats[i]->name),
		                 weir_trace_formats[i]);
	}
	ck_assert_ptr_null(weir_trace_format_find("Azure"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload_trace_csv");
	TCase *csv = tcase_create("csv");
	tcase_add_test(csv, fields_go_to_their_columns);
	tcase_add_test(csv, rows_that_do_not_fit);
	tcase_add_test(csv, good_and_bad_headers);
	tcase_add_test(csv, formats_by_name);
	suite_add_tcase(suite, csv);
	return test_main(suite);
}
