/* The commands `weir info` and `weir recover`, as a user runs them. */
#include <cjson/cJSON.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/record_fixture.h"

/* Runs "weir ARGUMENTS"; returns its output and errors, to be freed, and its exit status. */
static char *weir(const char *arguments, int *status)
{
	char line[2048];
	const char *output = test_path("output");
	snprintf(line, sizeof line, WEIR_BINARY_DIR "/weir %s >%s 2>&1", arguments, output);
	int result = system(line);
	ck_assert(WIFEXITED(result));
	*status = WEXITSTATUS(result);
	return test_read_file(output, NULL);
}

static void expect(const char *arguments, int status, const char *message)
{
	int got = -1;
	char *output = weir(arguments, &got);
	ck_assert_msg(got == status && strstr(output, message) != NULL, "weir %s: %d\n%s", arguments,
	              got, output);
	free(output);
}

typedef struct total_row {
	char metric[WEIR_COLUMN_NAME_SIZE];
	double mean, p99;
	int64_t count;
	int32_t kind;
} total_row;

static const char *const kinds[] = {"time", "ratio", NULL};
static const weir_column total_columns[] = {
    {"metric", WEIR_COLUMN_NAME, offsetof(total_row, metric), "", "Of what.", NULL},
    {"mean", WEIR_COLUMN_DOUBLE, offsetof(total_row, mean), "s", "The mean.", NULL},
    {"p99", WEIR_COLUMN_DOUBLE, offsetof(total_row, p99), "s", "The percentile.", NULL},
    {"count", WEIR_COLUMN_INT64, offsetof(total_row, count), "", "Of how many.", NULL},
    {"kind", WEIR_COLUMN_INT32, offsetof(total_row, kind), "", "What kind.", kinds},
};
static const weir_table_schema total_schema = {"summary", "Totals.", sizeof(total_row),
                                               total_columns, 5};

static void record(const char *path, bool finish)
{
	weir_error error;
	int table = -1;
	weir_recorder *recorder = fixture_recorder(path, 0, 5.0, &table);
	fixture_append(recorder, table, 0, 5000);
	if (!finish) {
		weir_recorder_abort(recorder, "interrupted", true);
		return;
	}
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	const total_row totals[2] = {{"ttft", 0.1, 0.0 / 0.0, INT64_C(9007199254740993), 0},
	                             {"ttft_slowdown", 1e300, 2.5, -1, 1}};
	ck_assert_ok(weir_recorder_set_integer(recorder, "/provenance", "seed", INT64_MAX, &error),
	             &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/provenance", "command_line",
	                                    "weir run \"a b\".json", &error),
	             &error);
	ck_assert_ok(weir_recorder_write_table(recorder, &total_schema, totals, 2, &error), &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
}

START_TEST(info_tells_what_a_file_holds)
{
	const char *path = fixture_path("info.h5");
	record(path, true);
	char arguments[600];
	snprintf(arguments, sizeof arguments, "info %s", path);
	expect(arguments, 0, "  status               complete\n");
	expect(arguments, 0, "  seed                 9223372036854775807\n");
	expect(arguments, 0, "things: 5000 rows. Rows that follow from their number.\n");
	expect(arguments, 0, "  tokens               uint32  tokens     A size.\n");
	expect(arguments, 0,
	       "  metric           mean  p99             count  kind \n"
	       "  ttft              0.1    -  9007199254740993  time \n"
	       "  ttft_slowdown  1e+300  2.5                -1  ratio\n");
	snprintf(arguments, sizeof arguments, "info --json %s", path);
	int status = -1;
	char *output = weir(arguments, &status);
	ck_assert_int_eq(status, 0);
	cJSON *root = cJSON_Parse(output);
	ck_assert_ptr_nonnull(root);
	const cJSON *provenance = cJSON_GetObjectItem(root, "provenance");
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(provenance, "command_line")),
	                 "weir run \"a b\".json");
	ck_assert_ptr_nonnull(strstr(output, "9223372036854775807"));
	const cJSON *things = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "tables"), 0);
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(things, "name")), "things");
	ck_assert_double_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(things, "rows")), 5000);
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(things, "columns")),
	                 FIXTURE_COLUMN_COUNT);
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "summary"), 0);
	ck_assert(cJSON_IsNull(cJSON_GetObjectItem(first, "p99")));
	ck_assert_double_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(first, "mean")), 0.1);
	cJSON_Delete(root);
	free(output);
}
END_TEST

START_TEST(recover_makes_a_file)
{
	const char *path = fixture_path("again.h5");
	record(path, false);
	char arguments[1200];
	snprintf(arguments, sizeof arguments, "info %s.part", path);
	expect(arguments, 2, "weir recover");
	snprintf(arguments, sizeof arguments, "recover %s.part", path);
	expect(arguments, 0, "again.h5: 5000 rows recovered, 0 cut off as incomplete\n");
	expect(arguments, 2, "exists and would be overwritten");
	snprintf(arguments, sizeof arguments, "recover %s.part --json -o %s", path,
	         fixture_path("other.h5"));
	expect(arguments, 0, "\"rows_kept\":\t5000");
	weir_reader *reader = fixture_open(test_path("other.h5"));
	fixture_check(reader, "things", 0, 5000);
	weir_reader_close(reader);
	snprintf(arguments, sizeof arguments, "info %s", path);
	expect(arguments, 0, "  status               partial\n");
	expect(arguments, 0, "  abort_reason         interrupted\n");
}
END_TEST

START_TEST(mistakes_end_with_status_2)
{
	expect("info", 2, "one FILE.h5 is needed");
	expect("info a b", 2, "one FILE.h5 is needed");
	expect("info --jsn a", 2, "unknown option --jsn");
	expect("info /nowhere/run.h5", 2, "/nowhere/run.h5: cannot read the file: No such file");
	expect("info /tmp", 2, "/tmp: is a directory");
	expect("recover", 2, "one NAME.part is needed");
	expect("recover -x a.part", 2, "unknown option");
	expect("recover a.part -o", 2, "no value for -o");
	expect("recover /nowhere/run.h5.part", 2, "No such file");
	expect("recover run.h5", 2, "no name that ends in .part");
	expect("info --help", 0, "examples:");
	expect("recover --help", 0, "examples:");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli record");
	TCase *commands = tcase_create("commands");
	tcase_set_timeout(commands, 60);
	tcase_add_test(commands, info_tells_what_a_file_holds);
	tcase_add_test(commands, recover_makes_a_file);
	tcase_add_test(commands, mistakes_end_with_status_2);
	suite_add_tcase(suite, commands);
	return test_main(suite);
}
