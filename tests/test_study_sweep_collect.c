/* Collecting: the rows and columns of the tables, and what is refused. */
#include "study/sweep_collect.h"

#include <hdf5.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/sweep_support.h"
#include "support/test_support.h"

/* Four points of two runs; the number of requests is set at one kind of scheduler alone. */
#define MEMBERS                                                                                    \
	"\"seed\": 9, \"replications\": 2, \"axes\": ["                                                \
	"{\"path\": \"workload.arrivals.rate\", \"values\": [5, 6.5]}, "                               \
	"{\"path\": \"scheduler.kind\", \"values\": [\"jsq\", \"random\"]}, "                          \
	"{\"path\": \"workload.count\", \"values\": [10], \"when\": {\"scheduler.kind\": [\"jsq\"]}}]"

enum { RUNS = 8, LEFT_OUT = 3, MOST_LINE = 8192 };

typedef struct fixture {
	const char *directory;
	weir_sweep_file *file;
	weir_sweep_points points;
	weir_sweep_store *store;
} fixture;

static double figure(uint64_t run, size_t i)
{
	return i == 1 ? (double)NAN : i == 2 ? (double)INFINITY : (double)(run * 1000 + i) / 8.0;
}

static void finish_run(const fixture *f, uint64_t run, const char *path)
{
	weir_sweep_report report = {.run = run, .sha256 = "beef"};
	weir_error error = {0};
	snprintf(report.digest, sizeof report.digest, "d%" PRIu64, run);
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		report.figures[i] = figure(run, i);
	}
	const weir_sweep_change change = {.run = run,
	                                  .state = WEIR_RUN_DONE,
	                                  .attempts = (uint32_t)(run % 2),
	                                  .worker = "here",
	                                  .path = path,
	                                  .report = &report};
	ck_assert_ok(weir_sweep_store_apply(f->store, &change, 1, &error), &error);
}

/* All runs but one are done, the last ones first. */
static fixture begin(const char *name, const char *path)
{
	fixture f = {.directory = test_path(name)};
	weir_error error = {0};
	bool known = false;
	f.file = sweep_points("collect.json", MEMBERS, &f.points);
	ck_assert_uint_eq(f.points.count * 2, RUNS);
	ck_assert_ok(weir_sweep_store_manage(f.directory, &f.store, &error), &error);
	ck_assert_ok(weir_sweep_store_define(f.store, &f.points, 0.0, &known, &error), &error);
	for (uint64_t i = 0; i < RUNS; i++) {
		uint64_t run = RUNS - 1 - i;
		if (run != LEFT_OUT) {
			finish_run(&f, run, path);
		}
	}
	return f;
}

static void end(fixture *f)
{
	weir_sweep_store_close(f->store);
	weir_sweep_points_release(&f->points);
	weir_sweep_file_destroy(f->file);
}

/* The next field of a line of CSV without quotes. */
static const char *next(char **line)
{
	char *field = *line;
	char *comma = strpbrk(field, ",\n");
	ck_assert_ptr_nonnull(comma);
	*comma = '\0';
	*line = comma + 1;
	return field;
}

static void expect_header(char *line)
{
	static const char *const first[] = {"id",
	                                    "run",
	                                    "replication",
	                                    "seed",
	                                    "attempts",
	                                    "workload.arrivals.rate",
	                                    "scheduler.kind",
	                                    "workload.count"};
	char name[2 * WEIR_SUMMARY_NAME_SIZE];
	for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
		ck_assert_str_eq(next(&line), first[i]);
	}
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		ck_assert_str_eq(next(&line), weir_sweep_figure_name(i, name));
	}
	ck_assert_str_eq(line, "digest,sha256,path\n");
}

static void expect_row(const fixture *f, uint64_t run, char *line)
{
	const char *id = f->points.items[run / 2].id;
	char digest[16];
	ck_assert_str_eq(next(&line), id);
	ck_assert_uint_eq(strtoull(next(&line), NULL, 10), run);
	ck_assert_uint_eq(strtoull(next(&line), NULL, 10), run % 2);
	ck_assert_uint_eq(strtoull(next(&line), NULL, 10), weir_sweep_seed(f->file, id, run % 2));
	ck_assert_uint_eq(strtoull(next(&line), NULL, 10), run % 2);
	ck_assert_str_eq(next(&line), run < RUNS / 2 ? "5" : "6.5");
	ck_assert_str_eq(next(&line), run / 2 % 2 == 0 ? "\"\"\"jsq\"\"\"" : "\"\"\"random\"\"\"");
	ck_assert_str_eq(next(&line), run / 2 % 2 == 0 ? "10" : "");
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		const char *text = next(&line);
		if (i == 1) {
			ck_assert_str_eq(text, "");
		} else {
			ck_assert_double_eq(strtod(text, NULL), figure(run, i));
		}
	}
	snprintf(digest, sizeof digest, "d%" PRIu64, run);
	ck_assert_str_eq(next(&line), digest);
	ck_assert_str_eq(line, "beef,\n");
}

START_TEST(a_row_for_each_run_that_is_done)
{
	fixture f = begin("rows", "");
	const char *path = test_path("rows.csv");
	const weir_sweep_collect_options options = {.csv = path};
	weir_error error = {0};
	uint64_t rows = 0;
	ck_assert_ok(weir_sweep_collect(f.store, &options, &rows, &error), &error);
	ck_assert_uint_eq(rows, RUNS - 1);
	FILE *file = fopen(path, "r");
	char line[MOST_LINE];
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
	expect_header(line);
	for (uint64_t run = 0; run < RUNS; run++) {
		if (run != LEFT_OUT) {
			ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
			expect_row(&f, run, line);
		}
	}
	ck_assert_ptr_null(fgets(line, sizeof line, file));
	fclose(file);
	end(&f);
}
END_TEST

static void read_numbers(hid_t file, const char *name, double values[RUNS])
{
	hid_t data = H5Dopen2(file, name, H5P_DEFAULT);
	ck_assert_msg(data >= 0, "%s", name);
	hid_t space = H5Dget_space(data);
	ck_assert_int_eq(H5Sget_simple_extent_npoints(space), RUNS - 1);
	ck_assert_int_ge(H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
	H5Sclose(space);
	H5Dclose(data);
}

START_TEST(the_hdf5_table_has_the_same_columns)
{
	fixture f = begin("columns", "");
	const char *path = test_path("columns.h5");
	const weir_sweep_collect_options options = {.hdf5 = path};
	weir_error error = {0};
	uint64_t rows = 0;
	ck_assert_ok(weir_sweep_collect(f.store, &options, &rows, &error), &error);
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	ck_assert_int_ge(file, 0);
	double runs[RUNS];
	double rates[RUNS];
	double counts[RUNS];
	double last[RUNS];
	read_numbers(file, "/runs/run", runs);
	read_numbers(file, "/runs/workload.arrivals.rate", rates);
	read_numbers(file, "/runs/workload.count", counts);
	read_numbers(file, "/runs/stalled", last);
	for (size_t i = 0; i < RUNS - 1; i++) {
		uint64_t run = i < LEFT_OUT ? i : i + 1;
		ck_assert_double_eq(runs[i], (double)run);
		ck_assert_double_eq(rates[i], run < RUNS / 2 ? 5.0 : 6.5);
		ck_assert(run / 2 % 2 == 0 ? counts[i] == 10.0 : isnan(counts[i]));
		ck_assert_double_eq(last[i], figure(run, WEIR_SWEEP_FIGURES - 1));
	}
	/* Texts where not all values are numbers. */
	hid_t data = H5Dopen2(file, "/runs/scheduler.kind", H5P_DEFAULT);
	hid_t type = H5Dget_type(data);
	ck_assert_int_eq(H5Tget_class(type), H5T_STRING);
	ck_assert_uint_eq(H5Tget_size(type), strlen("\"random\""));
	H5Tclose(type);
	H5Dclose(data);
	H5Fclose(file);
	end(&f);
}
END_TEST

START_TEST(requests_want_files_that_are_there)
{
	const char *path = test_path("requests.h5");
	const weir_sweep_collect_options options = {.hdf5 = path, .requests = true};
	weir_error error = {0};
	uint64_t rows = 0;
	fixture f = begin("summaries", "");
	ck_assert_int_eq(weir_sweep_collect(f.store, &options, &rows, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "keeps summaries"));
	end(&f);
	f = begin("missing", "results/gone.h5");
	ck_assert_int_eq(weir_sweep_collect(f.store, &options, &rows, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.where, "/missing/results/gone.h5"));
	ck_assert_int_ne(access(path, F_OK), 0);
	end(&f);
}
END_TEST

START_TEST(a_table_that_cannot_be_written_leaves_nothing)
{
	fixture f = begin("unwritten", "");
	/* The rename fails: a folder is in the way. */
	const char *path = test_path("folder");
	char part[1024];
	ck_assert_int_eq(mkdir(path, 0777), 0);
	snprintf(part, sizeof part, "%s.part", path);
	const weir_sweep_collect_options options = {.csv = path};
	weir_error error = {0};
	uint64_t rows = 0;
	ck_assert_int_eq(weir_sweep_collect(f.store, &options, &rows, &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, path);
	ck_assert_int_ne(access(part, F_OK), 0);
	end(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_collect");
	TCase *tests = tcase_create("collect");
	tcase_add_test(tests, a_row_for_each_run_that_is_done);
	tcase_add_test(tests, the_hdf5_table_has_the_same_columns);
	tcase_add_test(tests, requests_want_files_that_are_there);
	tcase_add_test(tests, a_table_that_cannot_be_written_leaves_nothing);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
