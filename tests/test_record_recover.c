#include "record/reader.h"

#include <hdf5.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "support/record_fixture.h"

enum { KILLS = 24 };

/*
 * The child's work: rows of two tables as fast as it can, flushed every `flush_rows`; after each
 * flush the number of rows goes through the pipe. Never returns.
 */
static void record_until_killed(const char *path, int pipe_end, int deflate, uint64_t flush_rows)
{
	weir_error error;
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	options.deflate = deflate;
	options.flush_interval = 0.0;
	weir_recorder *recorder = NULL;
	int tables[2];
	if (weir_recorder_create(&options, &recorder, &error) != WEIR_OK ||
	    weir_recorder_add_table(recorder, &fixture_schema, &tables[0], &error) != WEIR_OK ||
	    weir_recorder_add_table(recorder, &fixture_other_schema, &tables[1], &error) != WEIR_OK ||
	    weir_recorder_set_text(recorder, "/provenance", "command", "weir run", &error) != WEIR_OK ||
	    weir_recorder_start(recorder, &error) != WEIR_OK) {
		_exit(1);
	}
	uint64_t started = 0;
	if (write(pipe_end, &started, sizeof started) != sizeof started) {
		_exit(1);
	}
	for (uint64_t i = 0;; i++) {
		fixture_row row = fixture_make(i);
		weir_status status = weir_recorder_append(recorder, tables[0], &row, &error);
		if (i % 5 == 0 && status == WEIR_OK) {
			row = fixture_make(i / 5);
			status = weir_recorder_append(recorder, tables[1], &row, &error);
		}
		uint64_t rows = i + 1;
		if (status == WEIR_OK && rows % flush_rows == 0) {
			status = weir_recorder_tick(recorder, &error);
			if (write(pipe_end, &rows, sizeof rows) != sizeof rows) {
				_exit(1);
			}
		}
		if (status != WEIR_OK) {
			_exit(1);
		}
	}
}

/* Kills a recording child after `delay` seconds; returns the rows that it had flushed. */
static uint64_t kill_a_recording(const char *path, int deflate, uint64_t flush_rows, double delay)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	fflush(stdout);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(ends[0]);
		record_until_killed(path, ends[1], deflate, flush_rows);
	}
	close(ends[1]);
	uint64_t flushed = 1;
	ck_assert_int_eq(read(ends[0], &flushed, sizeof flushed), sizeof flushed);
	ck_assert_uint_eq(flushed, 0);
	/* The pipe must not fill up, or the child would wait at one place. */
	struct timespec begin;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	struct timespec pause = {0, 50000};
	do {
		uint64_t ready[64];
		nanosleep(&pause, NULL);
		struct timeval none = {0, 0};
		fd_set set;
		FD_ZERO(&set);
		FD_SET(ends[0], &set);
		if (select(ends[0] + 1, &set, NULL, NULL, &none) > 0) {
			ssize_t got = read(ends[0], ready, sizeof ready);
			ck_assert_int_gt(got, 0);
			flushed = ready[(size_t)got / sizeof ready[0] - 1];
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - begin.tv_sec) + 1e-9 * (double)(now.tv_nsec - begin.tv_nsec) <
	         delay);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	int result = 0;
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert(WIFSIGNALED(result));
	uint64_t last = 0;
	while (read(ends[0], &last, sizeof last) == sizeof last) {
		flushed = last;
	}
	close(ends[0]);
	return flushed;
}

START_TEST(a_killed_run_is_recovered)
{
	const char *path = fixture_path("killed.h5");
	const char *part = test_path("killed.h5.part");
	uint64_t flush_rows = _i % 3 == 0 ? 100 : _i % 3 == 1 ? 4096 : 30011;
	double delay =
	    0.001 + 0.04e-3 * (double)(weir_stream_seed(20240501, "kill", (uint64_t)_i) % 1000);
	uint64_t flushed = kill_a_recording(path, _i % 4 == 3 ? 1 : 0, flush_rows, delay);
	weir_error error;
	uint64_t kept = 0;
	uint64_t cut = 0;
	ck_assert_ok(weir_record_recover(part, NULL, &kept, &cut, &error), &error);
	ck_assert_int_eq(access(part, F_OK), 0);
	weir_reader *reader = fixture_open(path);
	uint64_t things = fixture_rows(reader, "things");
	uint64_t others = fixture_rows(reader, "others");
	ck_assert_uint_ge(things, flushed);
	ck_assert_uint_ge(others, (flushed + 4) / 5);
	ck_assert_uint_eq(things + others, kept);
	fixture_check(reader, "things", 0, things);
	fixture_check(reader, "others", 0, others);
	fixture_check_text(reader, "/", "status", "partial");
	fixture_check_text(reader, "/provenance", "command", "weir run");
	fixture_check_text(reader, "/things/time", "units", "s");
	weir_reader_close(reader);
}
END_TEST

/* What a run leaves that is killed just after `stage`. */
enum {
	KILLED_DEFINING,
	KILLED_STARTED,
	KILLED_STOPPED,
	KILLED_FINISHING,
	KILLED_BEFORE_RENAME,
	KILL_STAGES
};

static void run_to_stage(const char *path, int stage)
{
	int table = -1;
	weir_error error;
	weir_recorder_options options = weir_recorder_options_default();
	options.path = path;
	weir_recorder *recorder = NULL;
	weir_status status = weir_recorder_create(&options, &recorder, &error);
	if (status == WEIR_OK) {
		status = weir_recorder_add_table(recorder, &fixture_schema, &table, &error);
	}
	if (status == WEIR_OK && stage > KILLED_DEFINING) {
		status = weir_recorder_start(recorder, &error);
	}
	for (uint64_t i = 0; status == WEIR_OK && stage > KILLED_STARTED && i < 5000; i++) {
		fixture_row row = fixture_make(i);
		status = weir_recorder_append(recorder, table, &row, &error);
	}
	if (status == WEIR_OK && stage >= KILLED_STOPPED) {
		status = weir_recorder_stop(recorder, &error);
	}
	if (status == WEIR_OK && stage == KILLED_FINISHING) {
		status = weir_recorder_set_document(recorder, "/provenance/config", "{}", "", &error);
	}
	if (status == WEIR_OK && stage == KILLED_BEFORE_RENAME) {
		status = weir_recorder_close(recorder, &error);
		char part[600];
		snprintf(part, sizeof part, "%s.part", path);
		if (rename(path, part) != 0) {
			_exit(1);
		}
	}
	if (status == WEIR_OK) {
		kill(getpid(), SIGKILL);
	}
	_exit(1);
}

START_TEST(a_run_killed_at_each_stage)
{
	const char *path = fixture_path("stage.h5");
	const char *part = test_path("stage.h5.part");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		run_to_stage(path, _i);
	}
	int result = 0;
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert(WIFSIGNALED(result));
	weir_error error = {0};
	weir_reader *reader = NULL;
	if (_i == KILLED_DEFINING) {
		/* Nothing was in the file yet. */
		ck_assert_int_ne(weir_reader_open(part, &reader, &error), WEIR_OK);
		ck_assert_int_ne(weir_record_recover(part, NULL, NULL, NULL, &error), WEIR_OK);
		ck_assert_int_ne(access(path, F_OK), 0);
		return;
	}
	if (_i != KILLED_BEFORE_RENAME) {
		ck_assert_int_eq(weir_reader_open(part, &reader, &error), WEIR_ERROR_INPUT);
		ck_assert_msg(strstr(error.message, "weir recover") != NULL, "%s", error.message);
	}
	uint64_t kept = 1;
	ck_assert_ok(weir_record_recover(part, NULL, &kept, NULL, &error), &error);
	uint64_t rows = _i == KILLED_STARTED ? 0 : 5000;
	ck_assert_uint_eq(kept, rows);
	reader = fixture_open(path);
	ck_assert_uint_eq(fixture_rows(reader, "things"), rows);
	fixture_check(reader, "things", 0, rows);
	fixture_check_text(reader, "/", "status", _i == KILLED_BEFORE_RENAME ? "complete" : "partial");
	weir_reader_close(reader);
}
END_TEST

/* A .part file of a killed run with `rows` rows; its path. */
static const char *killed_part(const char *name, uint64_t rows, bool flush)
{
	const char *path = fixture_path(name);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		weir_error error;
		int table = -1;
		weir_recorder *recorder = fixture_recorder(path, 0, 0.0, &table);
		fixture_append(recorder, table, 0, rows);
		if (flush) {
			weir_recorder_tick(recorder, &error);
		}
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	char part[64];
	snprintf(part, sizeof part, "%s.part", name);
	return test_path(part);
}

START_TEST(a_truncated_file_gives_right_rows_or_a_message)
{
	char part[600];
	snprintf(part, sizeof part, "%s", test_path("short.h5.part"));
	if (_i == 0) {
		killed_part("short.h5", 20000, true);
	} else {
		int table = -1;
		weir_recorder *recorder = fixture_recorder(fixture_path("short.h5"), 0, 0.0, &table);
		fixture_append(recorder, table, 0, 20000);
		weir_recorder_abort(recorder, "", true);
	}
	struct stat info;
	ck_assert_int_eq(stat(part, &info), 0);
	int recovered = 0;
	/* From the end to the start: the first cuts lose rows, later ones the file's own structure. */
	for (int i = 0; i < 40; i++) {
		off_t size = info.st_size - (info.st_size / 40) * i - 7;
		ck_assert_int_eq(truncate(part, size), 0);
		weir_error error = {0};
		uint64_t kept = 0;
		uint64_t cut = 0;
		const char *path = fixture_path("rest.h5");
		weir_status status = weir_record_recover(part, path, &kept, &cut, &error);
		if (status == WEIR_OK) {
			recovered++;
			ck_assert_uint_eq(kept + cut, 20000);
			weir_reader *reader = fixture_open(path);
			ck_assert_uint_eq(fixture_rows(reader, "things"), kept);
			fixture_check(reader, "things", 0, kept);
			weir_reader_close(reader);
		} else {
			ck_assert_str_ne(error.message, "");
			ck_assert_int_ne(access(path, F_OK), 0);
			ck_assert_int_ne(access(test_path("rest.h5.recovering"), F_OK), 0);
		}
	}
	ck_assert_int_gt(recovered, 0);
}
END_TEST

START_TEST(what_cannot_be_recovered_is_said)
{
	char *garbage = malloc(100001);
	for (int i = 0; i < 100000; i++) {
		garbage[i] = (char)(33 + i * 7919 % 90);
	}
	garbage[100000] = '\0';
	test_write_file(test_path("garbage.h5.part"), garbage);
	test_write_file(test_path("empty.h5.part"), "");
	test_write_file(test_path("run.h5"), "x");
	ck_assert_int_eq(mkdir(test_path("dir.h5.part"), 0777), 0);
	free(garbage);
	const struct {
		const char *part, *path, *message;
	} cases[] = {
	    {"garbage.h5.part", NULL, "is not an HDF5 file"},
	    {"empty.h5.part", NULL, "is empty"},
	    {"missing.h5.part", NULL, "No such file"},
	    {"dir.h5.part", NULL, "is a directory"},
	    {"run.h5", NULL, "no name that ends in .part"},
	    {"garbage.h5.part", "run.h5", "would be overwritten"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		uint64_t kept = 5;
		weir_status status = weir_record_recover(
		    test_path(cases[i].part), cases[i].path != NULL ? test_path(cases[i].path) : NULL,
		    &kept, NULL, &error);
		ck_assert_int_eq(weir_status_exit(status), 2);
		ck_assert_uint_eq(kept, 0);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].part,
		              error.message);
	}
	weir_error error = {0};
	const char *part = killed_part("nowhere.h5", 100, true);
	ck_assert_int_eq(weir_record_recover(part, test_path("missing/run.h5"), NULL, NULL, &error),
	                 WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "No such file"));
}
END_TEST

/* A closed .part file with 9000 rows of "things", for the test to change as a kill could have. */
static hid_t open_part_to_change(void)
{
	int table = -1;
	weir_recorder *recorder = fixture_recorder(fixture_path("changed.h5"), 0, 0.0, &table);
	fixture_append(recorder, table, 0, 9000);
	weir_recorder_abort(recorder, "", true);
	hid_t file = H5Fopen(test_path("changed.h5.part"), H5F_ACC_RDWR, H5P_DEFAULT);
	ck_assert_int_ge(file, 0);
	return file;
}

static void expect_rows_of_changed(uint64_t rows)
{
	weir_error error;
	uint64_t kept = 0;
	uint64_t cut = 0;
	ck_assert_ok(weir_record_recover(test_path("changed.h5.part"), NULL, &kept, &cut, &error),
	             &error);
	ck_assert_uint_eq(kept, rows);
	ck_assert_uint_eq(cut, 9000 - rows);
	hid_t file = H5Fopen(test_path("changed.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
	for (size_t i = 0; i < FIXTURE_COLUMN_COUNT; i++) {
		char path[64];
		snprintf(path, sizeof path, "/things/%s", fixture_columns[i].name);
		hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
		hid_t space = H5Dget_space(dataset);
		ck_assert_int_eq(H5Sget_simple_extent_npoints(space), (hssize_t)rows);
		H5Sclose(space);
		H5Dclose(dataset);
	}
	H5Fclose(file);
	weir_reader *reader = fixture_open(test_path("changed.h5"));
	fixture_check(reader, "things", 0, rows);
	weir_reader_close(reader);
}

START_TEST(a_table_is_cut_to_its_shortest_column)
{
	static const char *const columns[] = {"/things/time", "/things/name", "/things/ratio"};
	hid_t file = open_part_to_change();
	hid_t dataset = H5Dopen2(file, columns[_i], H5P_DEFAULT);
	const hsize_t extent = 4100;
	ck_assert_int_ge(H5Dset_extent(dataset, &extent), 0);
	H5Dclose(dataset);
	H5Fclose(file);
	expect_rows_of_changed(4100);
}
END_TEST

START_TEST(a_table_is_cut_to_the_mark_of_its_last_flush)
{
	hid_t file = open_part_to_change();
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t mark = H5Acreate_by_name(file, "/things", "flushed_rows", H5T_NATIVE_INT64, space,
	                               H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	const int64_t rows = 5000;
	ck_assert_int_ge(H5Awrite(mark, H5T_NATIVE_INT64, &rows), 0);
	H5Aclose(mark);
	H5Sclose(space);
	H5Fclose(file);
	expect_rows_of_changed(5000);
}
END_TEST

START_TEST(rows_beyond_the_last_flush_are_cut)
{
	weir_error error;
	uint64_t kept = 1;
	const char *part = killed_part("unflushed.h5", 9000, false);
	ck_assert_ok(weir_record_recover(part, NULL, &kept, NULL, &error), &error);
	ck_assert_uint_eq(kept, 0);
	part = killed_part("flushed.h5", 9000, true);
	ck_assert_ok(weir_record_recover(part, NULL, &kept, NULL, &error), &error);
	ck_assert_uint_eq(kept, 9000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record recover");
	TCase *kills = tcase_create("kills");
	tcase_set_timeout(kills, 60);
	tcase_add_loop_test(kills, a_killed_run_is_recovered, 0, KILLS);
	tcase_add_loop_test(kills, a_run_killed_at_each_stage, 0, KILL_STAGES);
	tcase_add_loop_test(kills, a_table_is_cut_to_its_shortest_column, 0, 3);
	tcase_add_test(kills, a_table_is_cut_to_the_mark_of_its_last_flush);
	tcase_add_test(kills, rows_beyond_the_last_flush_are_cut);
	suite_add_tcase(suite, kills);
	TCase *damage = tcase_create("damage");
	tcase_set_timeout(damage, 60);
	tcase_add_loop_test(damage, a_truncated_file_gives_right_rows_or_a_message, 0, 2);
	tcase_add_test(damage, what_cannot_be_recovered_is_said);
	suite_add_tcase(suite, damage);
	return test_main(suite);
}
