/* Merged files: joined columns, the coverage, sources that are gone; and files that nobody reads
 * while they are written. */
#include "record/merged.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/record_fixture.h"
#include "support/test_support.h"

enum { SOURCES = 3 };
static const uint64_t rows_of[SOURCES] = {5, 0, 700};

/* A recorded file whose rows are those from `first` on. */
static void record(const char *name, uint64_t first, uint64_t count, bool live, size_t block_rows)
{
	weir_recorder_options options = weir_recorder_options_default();
	options.path = test_path(name);
	options.live = live;
	options.block_rows = block_rows;
	weir_recorder *recorder = NULL;
	weir_error error = {0};
	int table = 0;
	ck_assert_ok(weir_recorder_create(&options, &recorder, &error), &error);
	ck_assert_ok(weir_recorder_add_table(recorder, &fixture_schema, &table, &error), &error);
	ck_assert_ok(weir_recorder_start(recorder, &error), &error);
	for (uint64_t i = 0; i < count; i++) {
		fixture_row row = fixture_make(first + i);
		ck_assert_ok(weir_recorder_append(recorder, table, &row, &error), &error);
		ck_assert_ok(weir_recorder_tick(recorder, &error), &error);
	}
	ck_assert_ok(weir_recorder_stop(recorder, &error), &error);
	weir_reader *reader = weir_recorder_reader(recorder);
	uint64_t rows = 0;
	ck_assert_ok(weir_reader_rows(reader, "things", &rows, &error), &error);
	ck_assert_uint_eq(rows, count);
	fixture_row last[2] = {fixture_make(1), fixture_make(2)};
	ck_assert_ok(weir_recorder_write_table(recorder, &fixture_other_schema, last, 2, &error),
	             &error);
	ck_assert_ok(weir_recorder_close(recorder, &error), &error);
}

static void digest_of(const char *name, char digest[WEIR_DIGEST_SIZE])
{
	weir_reader *reader = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_reader_open(test_path(name), &reader, &error), &error);
	ck_assert_ok(weir_reader_digest(reader, digest, &error), &error);
	weir_reader_close(reader);
}

START_TEST(the_way_of_writing_is_not_in_the_digest)
{
	char live[WEIR_DIGEST_SIZE];
	char plain[WEIR_DIGEST_SIZE];
	record("live.h5", 0, 1000, true, WEIR_RECORD_BLOCK_ROWS);
	record("plain.h5", 0, 1000, false, 64);
	digest_of("live.h5", live);
	digest_of("plain.h5", plain);
	ck_assert_str_eq(live, plain);
	weir_reader *reader = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_reader_open(test_path("plain.h5"), &reader, &error), &error);
	fixture_check(reader, "things", 0, 1000);
	weir_reader_close(reader);
	weir_recorder_options options = weir_recorder_options_default();
	weir_recorder *recorder = NULL;
	options.path = test_path("no.h5");
	options.block_rows = 0;
	ck_assert_int_eq(weir_recorder_create(&options, &recorder, &error), WEIR_ERROR_INPUT);
	options.block_rows = WEIR_RECORD_BLOCK_ROWS + 1;
	ck_assert_int_eq(weir_recorder_create(&options, &recorder, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "1 to 4096"));
}
END_TEST

static weir_merged_options merge_options(weir_merged_source sources[SOURCES])
{
	static const double numbers[] = {1.5, (double)NAN};
	static const char texts[] = "one\0three";
	static const weir_merged_column columns[] = {
	    {.name = "value", .unit = "s", .description = "A number.", .numbers = numbers},
	    {.name = "word", .unit = "", .description = "A text.", .texts = texts, .text_size = 5},
	};
	static const weir_merged_table table = {.name = "/runs",
	                                        .description = "Two rows.",
	                                        .rows = 2,
	                                        .column_count = 2,
	                                        .columns = columns};
	static const char *const names[SOURCES] = {"a.h5", "b.h5", "c.h5"};
	uint64_t first = 0;
	for (size_t i = 0; i < SOURCES; i++) {
		record(names[i], first, rows_of[i], false, 64);
		first += rows_of[i];
		/* One by its whole path, others from where the merged file stands. */
		sources[i] = (weir_merged_source){.key = (int64_t)(10 * i),
		                                  .path = i == 0 ? test_path(names[i]) : names[i]};
	}
	return (weir_merged_options){.path = test_path("merged.h5"),
	                             .format = "weir sweep",
	                             .tables = &table,
	                             .table_count = 1,
	                             .joined = "things",
	                             .sources = sources,
	                             .source_count = SOURCES};
}

static void read_doubles(const char *dataset, hsize_t count, double *values)
{
	hid_t file = H5Fopen(test_path("merged.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
	hid_t data = H5Dopen2(file, dataset, H5P_DEFAULT);
	hid_t space = H5Dget_space(data);
	ck_assert_int_eq(H5Sget_simple_extent_npoints(space), (hssize_t)count);
	ck_assert_int_ge(H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
	H5Sclose(space);
	H5Dclose(data);
	H5Fclose(file);
}

START_TEST(joined_columns_read_through_to_the_sources)
{
	enum { TOTAL = 705 };
	weir_merged_source sources[SOURCES];
	const weir_merged_options options = merge_options(sources);
	weir_error error = {0};
	ck_assert_ok(weir_merged_write(&options, &error), &error);
	double values[TOTAL];
	read_doubles("/things/time", TOTAL, values);
	for (size_t i = 0; i < TOTAL; i++) {
		ck_assert_double_eq(values[i], fixture_make(i).time);
	}
	read_doubles("/runs/value", 2, values);
	ck_assert_double_eq(values[0], 1.5);
	ck_assert(isnan(values[1]));
	read_doubles("/coverage/run", SOURCES, values);
	ck_assert_double_eq(values[2], 20.0);
	read_doubles("/coverage/first", SOURCES, values);
	ck_assert_double_eq(values[2], 5.0);
	read_doubles("/coverage/rows", SOURCES, values);
	ck_assert_double_eq(values[2], 700.0);
	uint64_t count = 0;
	ck_assert_ok(weir_merged_check(options.path, "things", &count, &error), &error);
	ck_assert_uint_eq(count, SOURCES);
}
END_TEST

START_TEST(sources_that_are_gone_are_errors)
{
	weir_merged_source sources[SOURCES];
	const weir_merged_options options = merge_options(sources);
	weir_error error = {0};
	ck_assert_ok(weir_merged_write(&options, &error), &error);
	/* Another number of rows than when it was merged. */
	record("c.h5", 0, 3, true, 64);
	ck_assert_int_eq(weir_merged_check(options.path, "things", NULL, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "c.h5"));
	ck_assert_ptr_nonnull(strstr(error.message, "3 rows in things, not 700"));
	ck_assert_int_eq(unlink(test_path("c.h5")), 0);
	ck_assert_int_eq(weir_merged_check(options.path, "things", NULL, &error), WEIR_ERROR_IO);
	ck_assert_int_eq(unlink(options.path), 0);
	ck_assert_int_eq(weir_merged_write(&options, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.where, "c.h5"));
	ck_assert_int_ne(access(options.path, F_OK), 0);
	ck_assert_int_ne(access(test_path("merged.h5.part"), F_OK), 0);
}
END_TEST

START_TEST(places_that_cannot_be_written_are_said)
{
	weir_merged_source sources[SOURCES];
	weir_merged_options options = merge_options(sources);
	weir_error error = {0};
	options.path = test_path("missing/merged.h5");
	options.joined = NULL;
	ck_assert_int_eq(weir_merged_write(&options, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.where, "missing/merged.h5"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merged");
	TCase *tests = tcase_create("files");
	tcase_add_test(tests, the_way_of_writing_is_not_in_the_digest);
	tcase_add_test(tests, joined_columns_read_through_to_the_sources);
	tcase_add_test(tests, sources_that_are_gone_are_errors);
	tcase_add_test(tests, places_that_cannot_be_written_are_said);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
