/* What the recorder does when things go wrong. */
#include <hdf5.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/record_fixture.h"

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

START_TEST(bad_outputs_are_refused_and_leave_nothing)
{
	const char *directory = test_path("directory.h5");
	ck_assert_int_eq(mkdir(directory, 0777), 0);
	test_write_file(test_path("file"), "x");
	const struct {
		const char *path, *message;
		int deflate;
		double flush_interval;
	} cases[] = {
	    {directory, "is a directory", 0, 5.0},
	    {test_path("missing/run.h5"), "No such file or directory", 0, 5.0},
	    {test_path("file/run.h5"), "Not a directory", 0, 5.0},
	    {"/proc/run.h5", "cannot create the file", 0, 5.0},
	    {"", "has no name", 0, 5.0},
	    {test_path("level.h5"), "deflate level 10", 10, 5.0},
	    {test_path("level.h5"), "deflate level -1", -1, 5.0},
	    {test_path("level.h5"), "flush interval -1", 0, -1.0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_recorder_options options = weir_recorder_options_default();
		options.path = cases[i].path;
		options.deflate = cases[i].deflate;
		options.flush_interval = cases[i].flush_interval;
		weir_recorder *recorder = NULL;
		weir_error error = {0};
		ck_assert_int_ne(weir_recorder_create(&options, &recorder, &error), WEIR_OK);
		ck_assert_ptr_null(recorder);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].path,
		              error.message);
		char part[600];
		snprintf(part, sizeof part, "%s.part", cases[i].path);
		ck_assert(!exists(part));
	}
}
END_TEST

START_TEST(long_attributes_are_refused)
{
	int table = -1;
	weir_error error;
	weir_recorder *recorder = fixture_recorder(test_path("long.h5"), 0, 5.0, &table);
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	char *text = calloc(WEIR_RECORD_TEXT_SIZE + 2, 1);
	memset(text, 't', WEIR_RECORD_TEXT_SIZE);
	ck_assert_ok(weir_recorder_set_text(recorder, "/", "fits", text, &error), &error);
	text[WEIR_RECORD_TEXT_SIZE] = 't';
	ck_assert_int_eq(weir_recorder_set_text(recorder, "/", "no", text, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "60001 bytes"));
	/* A mistake of the caller's is no failure of the file. */
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	weir_reader *reader = fixture_open(test_path("long.h5"));
	text[WEIR_RECORD_TEXT_SIZE] = '\0';
	fixture_check_text(reader, "/", "fits", text);
	weir_reader_close(reader);
	free(text);
}
END_TEST

START_TEST(an_aborted_file_is_kept_or_removed)
{
	const char *path = fixture_path("abort.h5");
	const char *part = test_path("abort.h5.part");
	weir_error error;
	int table = -1;
	weir_recorder *recorder = fixture_recorder(path, 0, 5.0, &table);
	fixture_append(recorder, table, 0, 10);
	weir_recorder_abort(recorder, "no matter", false);
	ck_assert(!exists(part));
	ck_assert(!exists(path));

	recorder = fixture_recorder(path, 0, 5.0, &table);
	fixture_append(recorder, table, 0, 5000);
	weir_recorder_abort(recorder, "line 17 of the trace is broken", true);
	ck_assert(exists(part));
	ck_assert(!exists(path));
	weir_reader *reader = NULL;
	ck_assert_int_eq(weir_reader_open(part, &reader, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "weir recover"));
	uint64_t kept = 0;
	uint64_t cut = 1;
	ck_assert_ok(weir_record_recover(part, NULL, &kept, &cut, &error), &error);
	ck_assert_uint_eq(kept, 5000);
	ck_assert_uint_eq(cut, 0);
	reader = fixture_open(path);
	fixture_check(reader, "things", 0, 5000);
	fixture_check_text(reader, "/", "status", "partial");
	fixture_check_text(reader, "/", "abort_reason", "line 17 of the trace is broken");
	weir_reader_close(reader);
	weir_recorder_abort(NULL, "", true);
}
END_TEST

START_TEST(a_replaced_part_file_is_not_renamed)
{
	const char *path = fixture_path("twice.h5");
	weir_error error;
	int table = -1;
	weir_recorder *first = fixture_recorder(path, 0, 5.0, &table);
	fixture_append(first, table, 0, 10);
	weir_recorder *second = fixture_recorder(path, 0, 5.0, &table);
	fixture_append(second, table, 0, 20);
	ck_assert_int_eq(weir_recorder_close(first, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "replaced"));
	ck_assert(!exists(path));
	ck_assert_ok(weir_recorder_close(second, &error), &error);
	weir_reader *reader = fixture_open(path);
	ck_assert_uint_eq(fixture_rows(reader, "things"), 20);
	weir_reader_close(reader);
}
END_TEST

START_TEST(a_disk_that_is_full_at_the_start)
{
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before;
	getrlimit(RLIMIT_FSIZE, &before);
	/* No room for the first bytes; none for the tables; none for what begins the recording. */
	for (rlim_t size = 0; size < 8000; size += 500) {
		struct rlimit limit = {size, before.rlim_max};
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		weir_recorder_options options = weir_recorder_options_default();
		options.path = fixture_path("start.h5");
		weir_recorder *recorder = NULL;
		weir_error error = {0};
		int table = -1;
		weir_status status = weir_recorder_create(&options, &recorder, &error);
		if (status == WEIR_OK) {
			status = weir_recorder_add_table(recorder, &fixture_schema, &table, &error);
			if (status == WEIR_OK) {
				status = weir_recorder_start(recorder, &error);
			}
			weir_recorder_abort(recorder, error.message, false);
		}
		setrlimit(RLIMIT_FSIZE, &before);
		ck_assert(!exists(test_path("start.h5.part")));
		ck_assert_msg(size > 3000 || status == WEIR_ERROR_IO, "with %llu bytes: %d",
		              (unsigned long long)size, status);
		if (status != WEIR_OK) {
			ck_assert_ptr_nonnull(strstr(error.message, "File too large"));
		}
	}
}
END_TEST

/* Appends until the file cannot grow, and checks all that is promised then. */
static void fill_up(const char *path, const char *message, bool flushing)
{
	char part[600];
	snprintf(part, sizeof part, "%s.part", path);
	weir_error error;
	int table = -1;
	weir_recorder *recorder = fixture_recorder(path, 0, flushing ? 0.0 : 1e9, &table);
	weir_status status = WEIR_OK;
	uint64_t row = 0;
	for (; status == WEIR_OK && row < 1000000; row++) {
		fixture_row made = fixture_make(row);
		status = weir_recorder_append(recorder, table, &made, &error);
		if (status == WEIR_OK && row % 1000 == 999) {
			status = weir_recorder_tick(recorder, &error);
		}
	}
	ck_assert_int_eq(status, WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, part);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s", error.message);
	/* Lasting: nothing succeeds after it. */
	fixture_row made = fixture_make(row);
	int lasting =
	    0; /* counted: Check writes each assertion to a file, which must not grow either */
	for (int i = 0; i < 10000; i++) {
		weir_error again = {0};
		lasting += weir_recorder_append(recorder, table, &made, &again) == WEIR_ERROR_IO &&
		           strcmp(again.message, error.message) == 0;
	}
	ck_assert_int_eq(lasting, 10000);
	ck_assert_int_eq(weir_recorder_tick(recorder, &error), WEIR_ERROR_IO);
	ck_assert_int_eq(weir_recorder_stop(recorder, &error), WEIR_ERROR_IO);
	weir_recorder_abort(recorder, error.message, true);
	ck_assert(exists(part));
	ck_assert(!exists(path));
}

static void check_filled(const char *part, const char *path, const char *message, bool flushing)
{
	weir_error error;
	uint64_t kept = 0;
	ck_assert_ok(weir_record_recover(part, path, &kept, NULL, &error), &error);
	if (flushing) {
		ck_assert_uint_gt(kept, 5000);
	}
	weir_reader *reader = fixture_open(path);
	ck_assert_uint_eq(fixture_rows(reader, "things"), kept);
	fixture_check(reader, "things", 0, kept);
	fixture_check_text(reader, "/", "status", "partial");
	char *reason = NULL;
	ck_assert_ok(weir_reader_text(reader, "/", "abort_reason", &reason, &error), &error);
	ck_assert_msg(strstr(reason, message) != NULL, "%s", reason);
	free(reason);
	weir_reader_close(reader);
}

START_TEST(a_full_disk_is_a_lasting_error)
{
	bool flushing = _i % 2 == 0;
	const char *path = fixture_path("full.h5");
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before;
	getrlimit(RLIMIT_FSIZE, &before);
	/* Places of the end that fall on data and on metadata. */
	struct rlimit limit = {1200000 + 12345 * (rlim_t)_i, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	fill_up(path, "File too large", flushing);
	setrlimit(RLIMIT_FSIZE, &before);
	check_filled(test_path("full.h5.part"), fixture_path("rescued.h5"), "File too large", flushing);
}
END_TEST

START_TEST(a_full_file_system_is_named_as_such)
{
	const char *directory = test_path("small");
	ck_assert_int_eq(mkdir(directory, 0777), 0);
	if (mount("tmpfs", directory, "tmpfs", 0, "size=1500k") != 0) {
		printf("skipped: no small file system can be mounted here\n");
		return;
	}
	fill_up(test_path("small/full.h5"), "No space left on device", true);
	check_filled(test_path("small/full.h5.part"), test_path("rescued-from-small.h5"),
	             "No space left on device", true);
	ck_assert_int_eq(umount(directory), 0);
}
END_TEST

/* The disk fills up while the first document is written, or later on, up to the last flush. */
START_TEST(a_disk_that_fills_up_at_the_end)
{
	weir_error error;
	int table = -1;
	weir_recorder *recorder = fixture_recorder(fixture_path("end.h5"), 0, 5.0, &table);
	fixture_append(recorder, table, 0, 5000);
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before;
	getrlimit(RLIMIT_FSIZE, &before);
	struct stat info;
	ck_assert_int_eq(stat(test_path("end.h5.part"), &info), 0);
	struct rlimit limit = {(rlim_t)info.st_size + 1500 * (rlim_t)_i, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	char text[8001] = {0};
	memset(text, 'd', 8000);
	weir_status status = WEIR_OK;
	for (int i = 0; status == WEIR_OK && i < 3; i++) {
		char name[32];
		snprintf(name, sizeof name, "/provenance/text%d", i);
		status = weir_recorder_set_document(recorder, name, text, "", &error);
		if (status == WEIR_OK) {
			/* The root's header, at the start of the file, gets a part at its end. */
			status = weir_recorder_set_text(recorder, "/", name + 12, text, &error);
		}
	}
	if (status == WEIR_OK) {
		status = weir_recorder_close(recorder, &error);
	} else {
		weir_recorder_abort(recorder, error.message, true);
	}
	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(status, WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "File too large"));
	ck_assert(!exists(test_path("end.h5")));
	uint64_t kept = 0;
	ck_assert_ok(weir_record_recover(test_path("end.h5.part"), NULL, &kept, NULL, &error), &error);
	ck_assert_uint_eq(kept, 5000);
	weir_reader *reader = fixture_open(test_path("end.h5"));
	fixture_check(reader, "things", 0, 5000);
	char *reason = NULL;
	ck_assert_ok(weir_reader_text(reader, "/", "abort_reason", &reason, &error), &error);
	ck_assert_ptr_nonnull(strstr(reason, "File too large"));
	free(reason);
	weir_reader_close(reader);
}
END_TEST

static herr_t count_errors(hid_t stack, void *count)
{
	(void)stack;
	++*(int *)count;
	return 0;
}

START_TEST(the_process_keeps_its_hdf5_error_handler)
{
	int printed = 0;
	H5Eset_auto2(H5E_DEFAULT, count_errors, &printed);
	weir_recorder_options options = weir_recorder_options_default();
	options.path = test_path("missing/run.h5");
	weir_recorder *recorder = NULL;
	weir_error error;
	ck_assert_int_eq(weir_recorder_create(&options, &recorder, &error), WEIR_ERROR_IO);
	int table = -1;
	recorder = fixture_recorder(test_path("handler.h5"), 0, 0.0, &table);
	fixture_append(recorder, table, 0, 5000);
	ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
	weir_reader *reader = NULL;
	test_write_file(test_path("garbage"), "garbage");
	ck_assert_int_ne(weir_reader_open(test_path("garbage"), &reader, &error), WEIR_OK);
	ck_assert_int_eq(printed, 0);
	H5E_auto2_t handler = NULL;
	void *context = NULL;
	H5Eget_auto2(H5E_DEFAULT, &handler, &context);
	ck_assert(handler == count_errors && context == &printed);
	H5Fopen(test_path("garbage"), H5F_ACC_RDONLY, H5P_DEFAULT);
	ck_assert_int_eq(printed, 1);
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record failures");
	TCase *failures = tcase_create("failures");
	tcase_set_timeout(failures, 60);
	tcase_add_test(failures, bad_outputs_are_refused_and_leave_nothing);
	tcase_add_test(failures, long_attributes_are_refused);
	tcase_add_test(failures, an_aborted_file_is_kept_or_removed);
	tcase_add_test(failures, a_replaced_part_file_is_not_renamed);
	tcase_add_test(failures, a_disk_that_is_full_at_the_start);
	tcase_add_loop_test(failures, a_full_disk_is_a_lasting_error, 0, 6);
	tcase_add_test(failures, a_full_file_system_is_named_as_such);
	tcase_add_loop_test(failures, a_disk_that_fills_up_at_the_end, 0, 30);
	tcase_add_test(failures, the_process_keeps_its_hdf5_error_handler);
	suite_add_tcase(suite, failures);
	return test_main(suite);
}
