#include "record/reader.h"

#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/record_fixture.h"

/* A finished file with `rows` rows in "things" and a tenth of them in "others". */
static const char *recorded(const char *name, uint64_t rows, int deflate, uint64_t flush_every)
{
	weir_error error;
	weir_recorder_options options = weir_recorder_options_default();
	options.path = fixture_path(name);
	options.deflate = deflate;
	options.flush_interval = 0.0;
	weir_recorder *recorder = NULL;
	int tables[2];
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &fixture_schema, &tables[0], &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &fixture_other_schema, &tables[1], &error),
	             &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/", "note", "a text", &error), &error);
	ck_assert_ok(weir_recorder_set_number(recorder, "/", "number", 2.5, &error), &error);
	ck_assert_ok(weir_recorder_set_integer(recorder, "/", "integer", -7, &error), &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/provenance", "host", name, &error), &error);
	ck_assert_ok(weir_recorder_set_document(recorder, "/config", "{\"a\": 1}", "", &error), &error);
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	for (uint64_t i = 0; i < rows; i++) {
		fixture_append(recorder, tables[0], i, 1);
		if (i % 10 == 0) {
			fixture_append(recorder, tables[1], i / 10, 1);
		}
		if (flush_every > 0 && i % flush_every == 0) {
			ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
		}
	}
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	return test_path(name);
}

typedef struct name_list {
	char text[512];
	int stop_after;
} name_list;

static bool append_name(void *context, const char *name)
{
	name_list *list = context;
	size_t used = strlen(list->text);
	snprintf(list->text + used, sizeof list->text - used, "%s ", name);
	return --list->stop_after != 0;
}

START_TEST(contents_are_listed)
{
	weir_reader *reader = fixture_open(recorded("list.h5", 100, 0, 0));
	weir_error error;
	name_list tables = {.text = ""};
	ck_assert_ok(weir_reader_tables(reader, append_name, &tables, &error), &error);
	ck_assert_str_eq(tables.text, "things others ");
	name_list columns = {.text = ""};
	ck_assert_ok(weir_reader_columns(reader, "things", append_name, &columns, &error), &error);
	ck_assert_str_eq(columns.text, "time id delta tokens state name ratio ");
	name_list first = {.stop_after = 2};
	ck_assert_ok(weir_reader_columns(reader, "things", append_name, &first, &error), &error);
	ck_assert_str_eq(first.text, "time id ");
	name_list attributes = {.text = ""};
	ck_assert_ok(weir_reader_attributes(reader, "/", append_name, &attributes, &error), &error);
	ck_assert_str_eq(attributes.text, "format integer note number status weir_schema_version ");
	ck_assert(weir_reader_has_table(reader, "things"));
	ck_assert(!weir_reader_has_table(reader, "provenance"));
	ck_assert(!weir_reader_has_table(reader, "nothing"));
	ck_assert(!weir_reader_has_table(reader, "config"));
	ck_assert(!weir_reader_has_table(reader, ""));
	for (size_t i = 0; i < FIXTURE_COLUMN_COUNT; i++) {
		weir_column_type type;
		ck_assert_ok(
		    weir_reader_column_type(reader, "things", fixture_columns[i].name, &type, &error),
		    &error);
		ck_assert_int_eq(type, fixture_columns[i].type);
		char *names = NULL;
		size_t count = 1;
		size_t size = 0;
		ck_assert_ok(weir_reader_value_names(reader, "things", fixture_columns[i].name, &names,
		                                     &count, &size, &error),
		             &error);
		if (fixture_columns[i].value_names != NULL) {
			ck_assert_uint_eq(count, 3);
			for (size_t n = 0; n < count; n++) {
				ck_assert_str_eq(names + n * size, fixture_states[n]);
			}
		} else {
			ck_assert_uint_eq(count, 0);
			ck_assert_ptr_null(names);
		}
		free(names);
	}
	ck_assert_str_eq(weir_reader_path(reader), test_path("list.h5"));
	weir_reader_close(reader);
	weir_reader_close(NULL);
}
END_TEST

START_TEST(attributes_keep_their_kind)
{
	weir_reader *reader = fixture_open(recorded("kinds.h5", 1, 0, 0));
	weir_error error;
	char *text = NULL;
	double number = 0;
	int64_t integer = 0;
	ck_assert_ok(weir_reader_number(reader, "/", "number", &number, &error), &error);
	ck_assert_double_eq(number, 2.5);
	ck_assert_ok(weir_reader_number(reader, "/", "integer", &number, &error), &error);
	ck_assert_double_eq(number, -7.0);
	ck_assert_ok(weir_reader_integer(reader, "/", "integer", &integer, &error), &error);
	ck_assert_int_eq(integer, -7);
	ck_assert_int_eq(weir_reader_integer(reader, "/", "number", &integer, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_number(reader, "/", "note", &number, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_text(reader, "/", "number", &text, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_text(reader, "/", "absent", &text, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_text(reader, "/absent/too", "note", &text, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_null(text);
	ck_assert_ok(weir_reader_document(reader, "/config", &text, &error), &error);
	ck_assert_str_eq(text, "{\"a\": 1}");
	free(text);
	ck_assert_int_eq(weir_reader_document(reader, "/things", &text, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_document(reader, "/things/time", &text, &error), WEIR_ERROR_INPUT);
	weir_reader_close(reader);
}
END_TEST

START_TEST(what_is_not_there_is_refused)
{
	weir_reader *reader = fixture_open(recorded("ranges.h5", 5000, 0, 0));
	weir_error error = {0};
	double values[10];
	int64_t integers[10];
	char names[10 * WEIR_COLUMN_NAME_SIZE];
	uint64_t rows = 1;
	ck_assert_int_eq(weir_reader_rows(reader, "nothing", &rows, &error), WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_read(reader, "nothing", "time", 0, 1, values, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "has no table nothing");
	ck_assert_int_eq(weir_reader_read(reader, "things", "tiem", 0, 1, values, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "table things has no column tiem");
	ck_assert_int_eq(weir_reader_read(reader, "things", "time", 4995, 6, values, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_read(reader, "things", "time", UINT64_MAX, 2, values, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ok(weir_reader_read(reader, "things", "time", 4995, 5, values, &error), &error);
	ck_assert_double_eq(values[4], 0.25 * 4999);
	ck_assert_ok(weir_reader_read(reader, "things", "time", 5000, 0, values, &error), &error);
	ck_assert_int_eq(weir_reader_read(reader, "things", "name", 0, 1, values, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_read_int64(reader, "things", "time", 0, 1, integers, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_read_names(reader, "things", "time", 0, 1, names, &error),
	                 WEIR_ERROR_INPUT);
	weir_reader_close(reader);
}
END_TEST

static bool run_python(const char *script, const char *path)
{
	if (system("/usr/bin/python3 -c 'import h5py' >/dev/null 2>&1") != 0) {
		printf("skipped: python3 with h5py is not installed\n");
		return false;
	}
	char line[2048];
	snprintf(line, sizeof line, "/usr/bin/python3 -c \"import h5py, sys\n%s\" %s", script, path);
	ck_assert_int_eq(system(line), 0);
	return true;
}

START_TEST(files_of_others_are_refused_with_a_sentence)
{
	test_write_file(test_path("text.h5"), "request,time\n1,2\n");
	test_write_file(test_path("empty.h5"), "");
	ck_assert_int_eq(mkdir(test_path("dir.h5"), 0777), 0);
	const char *plain = test_path("plain.h5");
	bool python = run_python("h5py.File(sys.argv[1], 'w').attrs['format'] = 'else'", plain);
	const char *newer = recorded("newer.h5", 1, 0, 0);
	python = python &&
	         run_python("h5py.File(sys.argv[1], 'a').attrs['weir_schema_version'] = 99", newer);
	const struct {
		const char *name, *message;
		bool needs_python;
	} cases[] = {
	    {"text.h5", "is not an HDF5 file", false},
	    {"empty.h5", "is empty", false},
	    {"dir.h5", "is a directory", false},
	    {"none.h5", "No such file or directory", false},
	    {"plain.h5", "not a run that weir recorded", true},
	    {"newer.h5", "has schema version 99; this weir reads up to 1", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (cases[i].needs_python && !python) {
			continue;
		}
		weir_reader *reader = NULL;
		weir_error error = {0};
		weir_status status = weir_reader_open(test_path(cases[i].name), &reader, &error);
		ck_assert_int_eq(weir_status_exit(status), 2);
		ck_assert_ptr_null(reader);
		ck_assert_str_eq(error.where, test_path(cases[i].name));
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].name,
		              error.message);
	}
}
END_TEST

START_TEST(a_truncated_file_is_damaged)
{
	const char *path = recorded("cut.h5", 5000, 0, 0);
	struct stat info;
	ck_assert_int_eq(stat(path, &info), 0);
	ck_assert_int_eq(truncate(path, info.st_size - 1000), 0);
	weir_reader *reader = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_reader_open(path, &reader, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "damaged"));
	ck_assert_ptr_nonnull(strstr(error.message, "truncated"));
}
END_TEST

static void digest_of(const char *path, char digest[WEIR_DIGEST_SIZE])
{
	weir_error error;
	weir_reader *reader = fixture_open(path);
	ck_assert_ok(weir_reader_digest(reader, digest, &error), &error);
	ck_assert_uint_eq(strlen(digest), 32);
	ck_assert_uint_eq(strspn(digest, "0123456789abcdef"), 32);
	weir_reader_close(reader);
}

START_TEST(the_digest_is_of_content_alone)
{
	char first[WEIR_DIGEST_SIZE];
	char other[WEIR_DIGEST_SIZE];
	digest_of(recorded("digest.h5", 150000, 0, 0), first);
	digest_of(recorded("flushed.h5", 150000, 0, 999), other);
	ck_assert_str_eq(first, other);
	digest_of(recorded("deflated.h5", 150000, 6, 20011), other);
	ck_assert_str_eq(first, other);
	digest_of(recorded("longer.h5", 150001, 0, 0), other);
	ck_assert_str_ne(first, other);
}
END_TEST

/* A small file whose digest depends on the argument's one change. */
typedef enum digest_change {
	SAME,
	OTHER_VALUE,
	OTHER_NAN,
	NEGATIVE_ZERO,
	OTHER_NAME,
	JUNK_BEHIND_NAME,
	OTHER_TEXT,
	OTHER_NUMBER,
	OTHER_UNIT,
	OTHER_TABLE_NAME,
	OTHER_PROVENANCE,
	WITHOUT_DOCUMENT,
	DIGEST_CHANGES
} digest_change;

static void digest_with(digest_change change, char digest[WEIR_DIGEST_SIZE])
{
	weir_error error;
	weir_column columns[FIXTURE_COLUMN_COUNT];
	memcpy(columns, fixture_columns, sizeof columns);
	if (change == OTHER_UNIT) {
		columns[0].unit = "ms";
	}
	weir_table_schema schema = fixture_schema;
	schema.columns = columns;
	if (change == OTHER_TABLE_NAME) {
		schema.name = "thinks";
	}
	const char *path = fixture_path("change.h5");
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	weir_recorder *recorder = NULL;
	int table = -1;
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &schema, &table, &error), &error);
	ck_assert_ok(
	    weir_recorder_set_text(recorder, "/", "note", change == OTHER_TEXT ? "one" : "two", &error),
	    &error);
	ck_assert_ok(weir_recorder_set_number(recorder, "/things/more", "pi",
	                                      change == OTHER_NUMBER ? 3.2 : 3.1, &error),
	             &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/provenance", "host",
	                                    change == OTHER_PROVENANCE ? "here" : "there", &error),
	             &error);
	if (change != WITHOUT_DOCUMENT) {
		ck_assert_ok(weir_recorder_set_document(recorder, "/config", "{}", "", &error), &error);
	}
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	for (uint64_t i = 0; i < 10; i++) {
		fixture_row row = fixture_make(i);
		if (i == 3) {
			uint64_t bits = UINT64_C(0x7ff8000000000000);
			if (change == OTHER_NAN) {
				bits = UINT64_C(0xfff0000000000123);
			}
			memcpy(&row.ratio, &bits, sizeof bits);
		}
		if (i == 4) {
			row.ratio = change == NEGATIVE_ZERO ? -0.0 : 0.0;
			row.tokens = change == OTHER_VALUE ? 8 : 9;
			snprintf(row.name, sizeof row.name, "%s", change == OTHER_NAME ? "a" : "b");
			row.name[5] = change == JUNK_BEHIND_NAME ? 'x' : 'y';
		}
		ck_assert_ok(weir_recorder_append(recorder, table, &row, &error), &error);
	}
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	digest_of(path, digest);
}

START_TEST(each_change_of_content_changes_the_digest)
{
	static const digest_change no_content[] = {OTHER_NAN, JUNK_BEHIND_NAME, OTHER_PROVENANCE};
	char digests[DIGEST_CHANGES][WEIR_DIGEST_SIZE];
	for (int change = 0; change < DIGEST_CHANGES; change++) {
		digest_with((digest_change)change, digests[change]);
		bool same = change == SAME;
		for (size_t i = 0; i < sizeof no_content / sizeof no_content[0]; i++) {
			same = same || (int)no_content[i] == change;
		}
		for (int before = 0; before < change; before++) {
			bool before_same = before == SAME;
			for (size_t i = 0; i < sizeof no_content / sizeof no_content[0]; i++) {
				before_same = before_same || (int)no_content[i] == before;
			}
			ck_assert_msg((strcmp(digests[change], digests[before]) == 0) == (same && before_same),
			              "changes %d and %d", before, change);
		}
	}
	/* Whatever the compiler and the machine. */
	ck_assert_str_eq(digests[SAME], "f086842b52fe67be0e68b7c1a93c0944");
}
END_TEST

START_TEST(the_digest_of_a_running_recorder_is_that_of_its_file)
{
	weir_error error;
	int table = -1;
	const char *path = fixture_path("own.h5");
	weir_recorder *recorder = fixture_recorder(path, 0, 5.0, &table);
	fixture_append(recorder, table, 0, 7000);
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/provenance", "a", "b", &error), &error);
	char inside[WEIR_DIGEST_SIZE];
	ck_assert_ok(weir_reader_digest(weir_recorder_reader(recorder), inside, &error), &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	char outside[WEIR_DIGEST_SIZE];
	digest_of(path, outside);
	ck_assert_str_eq(inside, outside);
}
END_TEST

START_TEST(recovered_rows_have_the_digest_of_a_run_of_so_many)
{
	weir_error error;
	int table = -1;
	const char *path = fixture_path("whole.h5");
	weir_recorder *recorder = fixture_recorder(path, 0, 0.0, &table);
	fixture_append(recorder, table, 0, 7000);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	char whole[WEIR_DIGEST_SIZE];
	digest_of(path, whole);
	path = fixture_path("torn.h5");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		recorder = fixture_recorder(path, 3, 0.0, &table);
		fixture_append(recorder, table, 0, 7000);
		weir_recorder_tick(recorder, &error);
		fixture_append(recorder, table, 0, 20);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_ok(weir_record_recover(test_path("torn.h5.part"), NULL, NULL, NULL, &error), &error);
	char torn[WEIR_DIGEST_SIZE];
	digest_of(path, torn);
	ck_assert_str_eq(whole, torn);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record reader");
	TCase *reading = tcase_create("reading");
	tcase_set_timeout(reading, 60);
	tcase_add_test(reading, contents_are_listed);
	tcase_add_test(reading, attributes_keep_their_kind);
	tcase_add_test(reading, what_is_not_there_is_refused);
	tcase_add_test(reading, files_of_others_are_refused_with_a_sentence);
	tcase_add_test(reading, a_truncated_file_is_damaged);
	suite_add_tcase(suite, reading);
	TCase *digests = tcase_create("digests");
	tcase_set_timeout(digests, 60);
	tcase_add_test(digests, the_digest_is_of_content_alone);
	tcase_add_test(digests, each_change_of_content_changes_the_digest);
	tcase_add_test(digests, the_digest_of_a_running_recorder_is_that_of_its_file);
	tcase_add_test(digests, recovered_rows_have_the_digest_of_a_run_of_so_many);
	suite_add_tcase(suite, digests);
	return test_main(suite);
}
