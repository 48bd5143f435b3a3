#include "record/record.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/record_fixture.h"

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Row counts around the ends of blocks, and flush after every so many rows (0: never). */
static const struct {
	uint64_t rows, flush_every;
	int deflate;
} appends[] = {
    {0, 0, 0},       {1, 0, 0},       {4095, 0, 0},    {4096, 0, 0},      {4097, 1, 0},
    {8192, 4096, 0}, {30000, 777, 0}, {70000, 0, 0},   {70000, 10007, 0}, {0, 0, 4},
    {4097, 4096, 9}, {8192, 0, 1},    {30000, 777, 1}, {30000, 0, 6},
};

START_TEST(what_was_appended_is_read)
{
	const char *path = fixture_path("rows.h5");
	const char *part = test_path("rows.h5.part");
	uint64_t rows = appends[_i].rows;
	uint64_t flush_every = appends[_i].flush_every;
	weir_error error;
	int table = -1;
	weir_recorder *recorder = fixture_recorder(path, appends[_i].deflate, 0.0, &table);
	for (uint64_t i = 0; i < rows; i++) {
		fixture_append(recorder, table, i, 1);
		ck_assert_uint_eq(weir_recorder_rows(recorder, table), i + 1);
		if (flush_every > 0 && i % flush_every == flush_every - 1) {
			ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
		}
	}
	ck_assert(exists(part));
	ck_assert(!exists(path));
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	ck_assert(!exists(part));
	weir_reader *reader = fixture_open(path);
	ck_assert_uint_eq(fixture_rows(reader, "things"), rows);
	fixture_check(reader, "things", 0, rows);
	fixture_check(reader, "things", rows / 3, rows / 2);
	fixture_check_text(reader, "/", "status", "complete");
	weir_reader_close(reader);
}
END_TEST

START_TEST(tables_grow_apart_and_recorders_do_not_meet)
{
	const char *paths[2] = {test_path("first.h5"), test_path("second.h5")};
	weir_recorder *recorders[2];
	int tables[2][2];
	weir_error error;
	for (int r = 0; r < 2; r++) {
		weir_recorder_options options = weir_recorder_options_default();
		options.path = paths[r];
		options.deflate = r;
		ck_assert_ok(weir_recorder_create(&options, &recorders[r], &error), &error);
		ck_assert_ok(weir_recorder_add_table(recorders[r], &fixture_schema, &tables[r][0], &error),
		             &error);
		ck_assert_ok(
		    weir_recorder_add_table(recorders[r], &fixture_other_schema, &tables[r][1], &error),
		    &error);
		ck_assert_ok(weir_recorder_start(recorders[r], &error), &error);
	}
	for (uint64_t i = 0; i < 10000; i++) {
		fixture_append(recorders[0], tables[0][0], i, 1);
		fixture_append(recorders[1], tables[1][1], 2 * i, 2);
		if (i % 10 == 0) {
			fixture_append(recorders[0], tables[0][1], i / 10, 1);
		}
	}
	for (int r = 0; r < 2; r++) {
		ck_assert_ok(weir_recorder_close(recorders[r], &error), &error);
	}
	const uint64_t expected[2][2] = {{10000, 1000}, {0, 20000}};
	for (int r = 0; r < 2; r++) {
		weir_reader *reader = fixture_open(paths[r]);
		for (int t = 0; t < 2; t++) {
			const char *name = t == 0 ? "things" : "others";
			ck_assert_uint_eq(fixture_rows(reader, name), expected[r][t]);
			fixture_check(reader, name, 0, expected[r][t]);
		}
		weir_reader_close(reader);
	}
}
END_TEST

typedef struct total_row {
	char metric[WEIR_COLUMN_NAME_SIZE];
	double mean;
} total_row;

static const weir_column total_columns[] = {
    {"metric", WEIR_COLUMN_NAME, offsetof(total_row, metric), "", "Of what.", NULL},
    {"mean", WEIR_COLUMN_DOUBLE, offsetof(total_row, mean), "s", "The mean.", NULL},
};
static const weir_table_schema total_schema = {"summary", "Totals.", sizeof(total_row),
                                               total_columns, 2};

START_TEST(attributes_documents_and_whole_tables)
{
	const char *path = fixture_path("finish.h5");
	weir_error error;
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	options.deflate = _i;
	weir_recorder *recorder = NULL;
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	int table = -1;
	ck_assert_ok(weir_recorder_add_table(recorder, &fixture_schema, &table, &error), &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/", "note", "before the run", &error), &error);
	ck_assert_ok(weir_recorder_set_document(recorder, "/provenance/config", "{}", "draft", &error),
	             &error);
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	fixture_append(recorder, table, 0, 5000);
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);

	weir_reader *inside = weir_recorder_reader(recorder);
	ck_assert_uint_eq(fixture_rows(inside, "things"), 5000);
	fixture_check(inside, "things", 0, 5000);

	char *config = malloc(200001);
	memset(config, 'x', 200000);
	config[200000] = '\0';
	ck_assert_ok(weir_recorder_set_document(recorder, "/provenance/config", config, "all", &error),
	             &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/", "note", "after the r\xc3\xbcn", &error),
	             &error);
	ck_assert_ok(weir_recorder_set_text(recorder, "/things", "empty", "", &error), &error);
	for (int i = 0; i < 100; i++) {
		char name[32];
		snprintf(name, sizeof name, "figure_%d", i);
		ck_assert_ok(
		    weir_recorder_set_number(recorder, "/provenance/deep/down", name, 0.1 * i, &error),
		    &error);
	}
	ck_assert_ok(weir_recorder_set_integer(recorder, "/provenance", "seed", INT64_MAX, &error),
	             &error);
	enum { TOTALS = 9000 };
	total_row *totals = calloc(TOTALS, sizeof *totals);
	for (int i = 0; i < TOTALS; i++) {
		snprintf(totals[i].metric, sizeof totals[i].metric, "metric %d", i);
		totals[i].mean = i;
	}
	ck_assert_ok(weir_recorder_write_table(recorder, &total_schema, totals, TOTALS, &error),
	             &error);
	/* The recorder's reader goes on as the file is opened anew. */
	fixture_check(inside, "things", 0, 5000);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);

	weir_reader *reader = fixture_open(path);
	fixture_check(reader, "things", 0, 5000);
	fixture_check_text(reader, "/", "note", "after the r\xc3\xbcn");
	fixture_check_text(reader, "/", "format", "weir run");
	fixture_check_text(reader, "/things", "empty", "");
	fixture_check_text(reader, "/things/time", "units", "s");
	fixture_check_text(reader, "/things/time", "description", "When it was.");
	fixture_check_text(reader, "/provenance/config", "description", "all");
	char *text = NULL;
	ck_assert_ok(weir_reader_document(reader, "/provenance/config", &text, &error), &error);
	ck_assert_str_eq(text, config);
	free(text);
	ck_assert_int_eq(weir_reader_text(reader, "/", "abort_reason", &text, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_int_eq(weir_reader_text(reader, "/things", "flushed_rows", &text, &error),
	                 WEIR_ERROR_INPUT);
	double number = 0;
	ck_assert_ok(weir_reader_number(reader, "/provenance/deep/down", "figure_99", &number, &error),
	             &error);
	ck_assert_double_eq(number, 0.1 * 99);
	int64_t integer = 0;
	ck_assert_ok(weir_reader_integer(reader, "/provenance", "seed", &integer, &error), &error);
	ck_assert_int_eq(integer, INT64_MAX);
	ck_assert_uint_eq(fixture_rows(reader, "summary"), TOTALS);
	double means[TOTALS];
	static char names[TOTALS][WEIR_COLUMN_NAME_SIZE];
	ck_assert_ok(weir_reader_read(reader, "summary", "mean", 0, TOTALS, means, &error), &error);
	ck_assert_ok(weir_reader_read_names(reader, "summary", "metric", 0, TOTALS, names[0], &error),
	             &error);
	for (int i = 0; i < TOTALS; i++) {
		ck_assert_double_eq(means[i], i);
		ck_assert_str_eq(names[i], totals[i].metric);
	}
	weir_reader_close(reader);
	free(totals);
	free(config);
}
END_TEST

START_TEST(names_are_cut_and_cleaned)
{
	const char *path = fixture_path("names.h5");
	weir_error error;
	int table = -1;
	weir_recorder *recorder = fixture_recorder(path, 0, 5.0, &table);
	fixture_row row = fixture_make(0);
	memset(row.name, 'n', sizeof row.name);
	ck_assert_ok(weir_recorder_append(recorder, table, &row, &error), &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	weir_reader *reader = fixture_open(path);
	char name[WEIR_COLUMN_NAME_SIZE];
	ck_assert_ok(weir_reader_read_names(reader, "things", "name", 0, 1, name, &error), &error);
	ck_assert_str_eq(name, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
	weir_reader_close(reader);
}
END_TEST

START_TEST(a_file_can_be_closed_at_any_time)
{
	weir_error error;
	for (int stage = 0; stage < 4; stage++) {
		weir_recorder_options options = weir_recorder_options_default();
		options.path = fixture_path("stage.h5");
		weir_recorder *recorder = NULL;
		int table = -1;
		ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
		if (stage > 0) {
			ck_assert_ok(weir_recorder_add_table(recorder, &fixture_schema, &table, &error),
			             &error);
		}
		if (stage > 1) {
			ck_assert_ok(weir_recorder_start(recorder, &error), &error);
		}
		if (stage > 2) {
			ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
		}
		ck_assert_ok(weir_recorder_close(recorder, &error), &error);
		weir_reader *reader = fixture_open(options.path);
		fixture_check_text(reader, "/", "status", "complete");
		int64_t rows = 0;
		ck_assert(weir_reader_has_table(reader, "things") == (stage > 0));
		ck_assert_int_ne(weir_reader_integer(reader, "/things", "flushed_rows", &rows, &error),
		                 WEIR_OK);
		weir_reader_close(reader);
	}
}
END_TEST

START_TEST(nothing_of_hdf5_stays_open)
{
	weir_error error;
	int table = -1;
	for (int i = 0; i < 3; i++) {
		const char *path = fixture_path(i == 0 ? "a.h5" : i == 1 ? "b.h5" : "c.h5");
		weir_recorder *recorder = fixture_recorder(path, i, 0.0, &table);
		fixture_append(recorder, table, 0, 6000);
		ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
		if (i == 2) {
			weir_recorder_abort(recorder, "", true);
			ck_assert_ok(weir_record_recover(test_path("c.h5.part"), NULL, NULL, NULL, &error),
			             &error);
		} else {
			ck_assert_ok(weir_recorder_close(recorder, &error), &error);
		}
		weir_reader *reader = fixture_open(path);
		fixture_check(reader, "things", 0, 6000);
		char digest[WEIR_DIGEST_SIZE];
		ck_assert_ok(weir_reader_digest(reader, digest, &error), &error);
		weir_reader_close(reader);
	}
	ck_assert_int_eq(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}
END_TEST

static bool has_program(const char *command)
{
	char line[1024];
	snprintf(line, sizeof line, "%s >/dev/null 2>&1", command);
	return system(line) == 0;
}

START_TEST(other_programs_read_it)
{
	weir_error error;
	int table = -1;
	const char *path = fixture_path("shared.h5");
	weir_recorder *recorder = fixture_recorder(path, _i, 0.0, &table);
	fixture_append(recorder, table, 0, 9000);
	ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
	fixture_append(recorder, table, 9000, 1000);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	char line[4096];
	if (has_program("h5dump --version")) {
		snprintf(line, sizeof line,
		         "h5dump -H %s | tr -d '\\n' | grep -q 'DATASET \"time\".*SIMPLE { ( 10000 )'",
		         path);
		ck_assert_int_eq(system(line), 0);
	} else {
		printf("skipped: h5dump is not installed\n");
	}
	if (has_program("/usr/bin/python3 -c 'import h5py, pandas'")) {
		snprintf(
		    line, sizeof line,
		    "/usr/bin/python3 -c \"\n"
		    "import h5py, numpy, pandas\n"
		    "f = h5py.File('%s', 'r')\n"
		    "t = f['things']\n"
		    "d = pandas.DataFrame({c: t[c][:] for c in t})\n"
		    "assert list(d) == ['time','id','delta','tokens','state','name','ratio'], list(d)\n"
		    "i = numpy.arange(10000)\n"
		    "assert len(d) == 10000 and (d.time == 0.25 * i).all()\n"
		    "assert (d.delta == 7 - i).all() and (d.ratio == 1 / (i + 1)).all()\n"
		    "assert d.name[9999] == b'thing-9999' and d.tokens[3] == 2**32 - 4\n"
		    "assert t['time'].attrs['units'] == b's', t['time'].attrs['units']\n"
		    "assert list(t['state'].attrs['values']) == [b'queued', b'running', b'done']\n"
		    "assert f.attrs['status'] == b'complete' and f.attrs['weir_schema_version'] == 1\n"
		    "assert t['time'].chunks == (4096,)\n"
		    "assert t['time'].compression_opts == %s\n"
		    "\"",
		    path, _i == 0 ? "None" : "1");
		ck_assert_int_eq(system(line), 0);
	} else {
		printf("skipped: python3 with h5py and pandas is not installed\n");
	}
}
END_TEST

START_TEST(others_can_read_while_the_run_goes)
{
	if (!has_program("/usr/bin/python3 -c 'import h5py'")) {
		printf("skipped: python3 with h5py is not installed\n");
		return;
	}
	weir_error error;
	int table = -1;
	weir_recorder *recorder = fixture_recorder(test_path("live.h5"), _i, 0.0, &table);
	fixture_append(recorder, table, 0, 5000);
	ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
	char line[1024];
	snprintf(line, sizeof line,
	         "/usr/bin/python3 -c \"\n"
	         "import h5py\n"
	         "f = h5py.File('%s', 'r', libver='latest', swmr=True)\n"
	         "t = f['things/time'][:]\n"
	         "assert len(t) == 5000 and t[4999] == 0.25 * 4999\n"
	         "\"",
	         test_path("live.h5.part"));
	ck_assert_int_eq(system(line), 0);
	/* So can recovery: the run takes no notice. */
	uint64_t kept = 0;
	ck_assert_ok(weir_record_recover(test_path("live.h5.part"), fixture_path("sofar.h5"), &kept,
	                                 NULL, &error),
	             &error);
	ck_assert_uint_eq(kept, 5000);
	fixture_append(recorder, table, 5000, 5000);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	weir_reader *reader = fixture_open(test_path("live.h5"));
	fixture_check(reader, "things", 0, 10000);
	weir_reader_close(reader);
}
END_TEST

START_TEST(flushed_compressed_files_stay_small)
{
	weir_error error;
	int table = -1;
	struct stat flushed;
	struct stat plain;
	for (int every = 0; every < 2; every++) {
		const char *path = fixture_path(every ? "often.h5" : "once.h5");
		weir_recorder *recorder = fixture_recorder(path, 1, 0.0, &table);
		for (uint64_t i = 0; i < 40960; i++) {
			fixture_append(recorder, table, i, 1);
			if (every && i % 50 == 0) {
				ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
			}
		}
		ck_assert_ok(weir_recorder_close(recorder, &error), &error);
		ck_assert_int_eq(stat(path, every ? &flushed : &plain), 0);
	}
	/* Each unfinished block takes its plain size once, however often it is flushed. */
	const off_t plain_row = 8 + 8 + 4 + 4 + 1 + 32 + 8;
	ck_assert_int_lt(flushed.st_size, plain.st_size + 40960 * plain_row + 100000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record writer");
	TCase *rows = tcase_create("rows");
	tcase_set_timeout(rows, 60);
	tcase_add_loop_test(rows, what_was_appended_is_read, 0, sizeof appends / sizeof appends[0]);
	tcase_add_test(rows, tables_grow_apart_and_recorders_do_not_meet);
	tcase_add_loop_test(rows, attributes_documents_and_whole_tables, 0, 2);
	tcase_add_test(rows, names_are_cut_and_cleaned);
	tcase_add_test(rows, a_file_can_be_closed_at_any_time);
	tcase_add_test(rows, flushed_compressed_files_stay_small);
	tcase_add_test(rows, nothing_of_hdf5_stays_open);
	suite_add_tcase(suite, rows);
	TCase *others = tcase_create("other programs");
	tcase_set_timeout(others, 60);
	tcase_add_loop_test(others, other_programs_read_it, 0, 2);
	tcase_add_loop_test(others, others_can_read_while_the_run_goes, 0, 2);
	suite_add_tcase(suite, others);
	return test_main(suite);
}
