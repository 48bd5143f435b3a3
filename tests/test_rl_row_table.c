/* Tables whose columns come one by one. */
#include "rl/row_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader.h"
#include "support/test_support.h"

static const char *const answers[] = {"no", "yes", NULL};

START_TEST(rows_are_what_was_set)
{
	const char *path = test_path("rows.h5");
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	weir_recorder *recorder = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	weir_row_table *table = weir_row_table_create("things", "What there is.");
	char unit[] = "s";
	int columns[40];
	/* More than any first capacity, each with a name of its own. */
	for (int c = 0; c < 40; c++) {
		columns[c] =
		    weir_row_table_add(table, WEIR_COLUMN_DOUBLE, unit, "A number.", NULL, "number_%d", c);
		ck_assert_int_eq(columns[c], c);
	}
	unit[0] = 'x'; /* copied */
	ck_assert_int_eq(
	    weir_row_table_add(table, WEIR_COLUMN_UINT8, "", "Other.", NULL, "number_%d", 7), 7);
	int wide = weir_row_table_add(table, WEIR_COLUMN_INT64, "", "Wide.", NULL, "wide");
	int narrow = weir_row_table_add(table, WEIR_COLUMN_INT32, "", "Narrow.", NULL, "narrow");
	int answer = weir_row_table_add(table, WEIR_COLUMN_UINT8, "", "Answer.", answers, "answer");
	ck_assert_ok(weir_row_table_define(table, recorder, &error), &error);
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	for (int row = 0; row < 3; row++) {
		weir_row_table_clear(table);
		if (row != 1) {
			weir_row_table_set(table, columns[39], 0.5 + row);
			weir_row_table_set(table, wide, 9007199254740992.0);
			weir_row_table_set(table, narrow, -7.0 - row);
			weir_row_table_set(table, answer, 1);
		}
		ck_assert_ok(weir_row_table_append(table, &error), &error);
	}
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	weir_row_table_destroy(table);

	weir_reader *reader = NULL;
	double values[3];
	char *text = NULL;
	ck_assert_ok(weir_reader_open(path, &reader, &error), &error);
	ck_assert_ok(weir_reader_read(reader, "things", "number_39", 0, 3, values, &error), &error);
	ck_assert(values[0] == 0.5 && isnan(values[1]) && values[2] == 2.5);
	ck_assert_ok(weir_reader_read(reader, "things", "number_7", 0, 3, values, &error), &error);
	ck_assert(isnan(values[0]));
	ck_assert_ok(weir_reader_read(reader, "things", "wide", 0, 3, values, &error), &error);
	ck_assert(values[0] == 9007199254740992.0 && values[1] == 0);
	ck_assert_ok(weir_reader_read(reader, "things", "narrow", 0, 3, values, &error), &error);
	ck_assert(values[0] == -7 && values[1] == 0 && values[2] == -9);
	ck_assert_ok(weir_reader_read(reader, "things", "answer", 0, 3, values, &error), &error);
	ck_assert(values[0] == 1 && values[1] == 0);
	ck_assert_ok(weir_reader_text(reader, "/things/number_3", "units", &text, &error), &error);
	ck_assert_str_eq(text, "s");
	free(text);
	ck_assert_ok(weir_reader_text(reader, "/things", "description", &text, &error), &error);
	ck_assert_str_eq(text, "What there is.");
	free(text);
	weir_reader_close(reader);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/row_table");
	TCase *tests = tcase_create("row_table");
	tcase_add_test(tests, rows_are_what_was_set);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
