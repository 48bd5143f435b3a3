/* The store: what survives, what is refused, and that a full disk loses nothing. */
#include "study/sweep_store.h"

#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/sweep_support.h"
#include "support/test_support.h"

#define AXES                                                                                       \
	"\"replications\": 3, \"axes\": [{\"path\": \"workload.arrivals.rate\", \"values\": [5, 6]}]"
enum { RUNS = 6 };

typedef struct fixture {
	const char *directory;
	weir_sweep_file *file;
	weir_sweep_points points;
	weir_sweep_store *store;
} fixture;

static fixture begin(const char *name)
{
	fixture f = {.directory = test_path(name)};
	f.file = sweep_points("store.json", AXES, &f.points);
	weir_error error = {0};
	bool known = false;
	ck_assert_ok(weir_sweep_store_manage(f.directory, &f.store, &error), &error);
	ck_assert_ok(weir_sweep_store_define(f.store, &f.points, 5.0, &known, &error), &error);
	return f;
}

static void end(fixture *f)
{
	weir_sweep_store_close(f->store);
	weir_sweep_points_release(&f->points);
	weir_sweep_file_destroy(f->file);
}

static void expect_counts(const fixture *f, uint64_t waiting, uint64_t running, uint64_t done,
                          uint64_t failed, uint64_t cancelled)
{
	const uint64_t wanted[] = {waiting, running, done, failed, cancelled};
	weir_sweep_counts counts;
	weir_error error = {0};
	ck_assert_ok(weir_sweep_store_counts(f->store, &counts, &error), &error);
	for (size_t i = 0; i < WEIR_RUN_STATE_COUNT; i++) {
		ck_assert_msg(counts.of[i] == wanted[i], "%s: %llu, not %llu", weir_run_state_names[i],
		              (unsigned long long)counts.of[i], (unsigned long long)wanted[i]);
	}
	ck_assert_uint_eq(counts.total, RUNS);
}

static weir_sweep_change change_of(uint64_t run, weir_run_state state,
                                   const weir_sweep_report *report)
{
	return (weir_sweep_change){.run = run,
	                           .state = state,
	                           .due = 0.0,
	                           .lease = 100.0,
	                           .began = 10.0,
	                           .ended = state == WEIR_RUN_RUNNING ? (double)NAN : 11.0,
	                           .worker = "here",
	                           .path = "results/x.h5",
	                           .report = report};
}

static void apply(const fixture *f, weir_sweep_change change)
{
	weir_error error = {0};
	ck_assert_ok(weir_sweep_store_apply(f->store, &change, 1, &error), &error);
}

static weir_status look(void *context, const weir_sweep_row *row, weir_error *error)
{
	(void)error;
	const weir_sweep_report *report = context;
	ck_assert_uint_eq(row->run, 4);
	ck_assert_uint_eq(row->replication, 1);
	ck_assert_str_eq(row->sets, "workload.arrivals.rate=6");
	ck_assert_str_eq(row->sha256, report->sha256);
	ck_assert_str_eq(row->digest, report->digest);
	ck_assert_str_eq(row->path, "results/x.h5");
	ck_assert_str_eq(row->outcome, "done");
	ck_assert_double_eq(row->began, 10.0);
	ck_assert_mem_eq(row->figures, report->figures, sizeof report->figures);
	return WEIR_OK;
}

START_TEST(states_and_counts_follow_changes)
{
	fixture f = begin("states");
	expect_counts(&f, RUNS, 0, 0, 0, 0);
	weir_sweep_report report = {.run = 4, .digest = "d", .sha256 = "s"};
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		report.figures[i] = 0.1 * (double)i;
	}
	apply(&f, change_of(4, WEIR_RUN_RUNNING, NULL));
	apply(&f, change_of(0, WEIR_RUN_RUNNING, NULL));
	expect_counts(&f, 4, 2, 0, 0, 0);
	apply(&f, change_of(4, WEIR_RUN_DONE, &report));
	expect_counts(&f, 4, 1, 1, 0, 0);
	weir_error error = {0};
	ck_assert_ok(weir_sweep_store_each(f.store, 1U << WEIR_RUN_DONE, look, &report, &error),
	             &error);
	/* What is done is not begun again by a claim that comes late. */
	apply(&f, change_of(4, WEIR_RUN_RUNNING, NULL));
	expect_counts(&f, 4, 1, 1, 0, 0);
	uint64_t count = 0;
	ck_assert_ok(weir_sweep_store_recover(f.store, &count, &error), &error);
	ck_assert_uint_eq(count, 1);
	expect_counts(&f, 5, 0, 1, 0, 0);
	end(&f);
}
END_TEST

START_TEST(cancel_and_retry_take_what_they_say)
{
	fixture f = begin("taken");
	weir_error error = {0};
	uint64_t count = 0;
	const weir_sweep_report report = {.run = 4, .digest = "d"};
	weir_sweep_change failed = change_of(1, WEIR_RUN_FAILED, &report);
	failed.attempts = 3;
	failed.losses = 2;
	apply(&f, failed);
	apply(&f, change_of(4, WEIR_RUN_DONE, &report));
	apply(&f, change_of(0, WEIR_RUN_RUNNING, NULL));
	ck_assert_ok(weir_sweep_store_cancel(f.store, &count, &error), &error);
	ck_assert_uint_eq(count, 4);
	expect_counts(&f, 0, 0, 1, 1, 4);
	ck_assert_ok(weir_sweep_store_retry(f.store, false, &count, &error), &error);
	ck_assert_uint_eq(count, 1);
	expect_counts(&f, 1, 0, 1, 0, 4);
	weir_sweep_ready ready;
	size_t found = 0;
	ck_assert_ok(weir_sweep_store_ready(f.store, 1e9, 1, &ready, &found, &error), &error);
	ck_assert_uint_eq(found, 1);
	ck_assert_uint_eq(ready.run, 1);
	ck_assert_uint_eq(ready.attempts, 0);
	ck_assert_uint_eq(ready.losses, 0);
	ck_assert_ok(weir_sweep_store_retry(f.store, true, &count, &error), &error);
	ck_assert_uint_eq(count, 4);
	expect_counts(&f, 5, 0, 1, 0, 0);
	end(&f);
}
END_TEST

START_TEST(a_store_of_a_newer_weir_is_refused)
{
	fixture f = begin("newer");
	char path[1024];
	snprintf(path, sizeof path, "%s/sweep.db", f.directory);
	weir_sweep_store_close(f.store);
	sqlite3 *database = NULL;
	ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(database, "PRAGMA user_version=1000", NULL, NULL, NULL),
	                 SQLITE_OK);
	sqlite3_close(database);
	weir_error error = {0};
	ck_assert_int_eq(weir_sweep_store_manage(f.directory, &f.store, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(f.store);
	ck_assert_ptr_nonnull(strstr(error.message, "of version 1000"));
	end(&f);
}
END_TEST

START_TEST(what_is_ready_is_what_is_due)
{
	fixture f = begin("due");
	weir_sweep_change change = change_of(1, WEIR_RUN_WAITING, NULL);
	change.due = 50.0;
	change.attempts = 2;
	apply(&f, change);
	weir_sweep_ready ready[RUNS];
	size_t count = 0;
	double due = 0.0;
	weir_error error = {0};
	ck_assert_ok(weir_sweep_store_ready(f.store, 49.0, RUNS, ready, &count, &error), &error);
	ck_assert_uint_eq(count, RUNS - 1);
	ck_assert_uint_eq(ready[1].run, 2);
	ck_assert_ok(weir_sweep_store_ready(f.store, 50.0, RUNS, ready, &count, &error), &error);
	ck_assert_uint_eq(count, RUNS);
	ck_assert_uint_eq(ready[RUNS - 1].run, 1);
	ck_assert_uint_eq(ready[RUNS - 1].attempts, 2);
	ck_assert_ok(weir_sweep_store_next_due(f.store, &due, &error), &error);
	ck_assert_double_eq(due, 0.0);
	for (uint64_t run = 0; run < RUNS; run++) {
		if (run != 1) {
			apply(&f, change_of(run, WEIR_RUN_FAILED, NULL));
		}
	}
	ck_assert_ok(weir_sweep_store_next_due(f.store, &due, &error), &error);
	ck_assert_double_eq(due, 50.0);
	uint64_t cancelled = 0;
	ck_assert_ok(weir_sweep_store_cancel(f.store, &cancelled, &error), &error);
	ck_assert_uint_eq(cancelled, 1);
	ck_assert_ok(weir_sweep_store_next_due(f.store, &due, &error), &error);
	ck_assert(isinf(due));
	/* A retry that was decided before does not take the cancelling back; a result is kept. */
	apply(&f, change);
	expect_counts(&f, 0, 0, 0, RUNS - 1, 1);
	apply(&f, change_of(1, WEIR_RUN_DONE, &(weir_sweep_report){.run = 1}));
	expect_counts(&f, 0, 0, 1, RUNS - 1, 0);
	end(&f);
}
END_TEST

START_TEST(a_store_knows_its_sweep)
{
	fixture f = begin("known");
	weir_sweep_store_close(f.store);
	/* Points that are made anew get their ids from it. */
	weir_error error = {0};
	weir_sweep_points points;
	bool known = false;
	ck_assert_ok(weir_sweep_points_make(f.file, 0, &points, &error), &error);
	ck_assert_ok(weir_sweep_store_manage(f.directory, &f.store, &error), &error);
	ck_assert_ok(weir_sweep_store_define(f.store, &points, 6.0, &known, &error), &error);
	ck_assert(known);
	for (size_t i = 0; i < points.count; i++) {
		ck_assert_str_eq(points.items[i].id, f.points.items[i].id);
	}
	weir_sweep_points_release(&points);
	weir_sweep_points others;
	weir_sweep_file *other = sweep_load(
	    "others.json", "\"axes\": [{\"path\": \"workload.arrivals.rate\", \"values\": [5]}]");
	ck_assert_ok(weir_sweep_points_make(other, 0, &others, &error), &error);
	ck_assert_int_eq(weir_sweep_store_define(f.store, &others, 6.0, &known, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "holds another sweep"));
	expect_counts(&f, RUNS, 0, 0, 0, 0);
	weir_sweep_points_release(&others);
	weir_sweep_file_destroy(other);
	end(&f);
}
END_TEST

/* Ends a child that finds the store held, or not. */
static void try_to_manage(const char *directory)
{
	weir_sweep_store *store = NULL;
	weir_error error = {0};
	weir_status status = weir_sweep_store_manage(directory, &store, &error);
	bool held = status == WEIR_ERROR_INPUT && strstr(error.message, "is at work here") != NULL;
	_exit(status == WEIR_OK ? 0 : held ? 3 : 4);
}

static int status_of_child(const char *directory)
{
	pid_t pid = fork();
	if (pid == 0) {
		try_to_manage(directory);
	}
	int status = 0;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(one_manager_at_a_time)
{
	fixture f = begin("held");
	ck_assert_int_eq(status_of_child(f.directory), 3);
	weir_sweep_store_close(f.store);
	f.store = NULL;
	ck_assert_int_eq(status_of_child(f.directory), 0);
	end(&f);
}
END_TEST

/* The database may not grow: a commit fails as on a full disk, and nothing of it is there. */
START_TEST(a_full_disk_loses_nothing)
{
	fixture f = begin("full");
	char path[512];
	struct stat info;
	snprintf(path, sizeof path, "%s/sweep.db-wal", f.directory);
	ck_assert_int_eq(stat(path, &info), 0);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before;
	getrlimit(RLIMIT_FSIZE, &before);
	const struct rlimit full = {.rlim_cur = (rlim_t)info.st_size, .rlim_max = before.rlim_max};
	weir_sweep_report report = {.run = 0};
	weir_sweep_change changes[RUNS];
	for (uint64_t i = 0; i < RUNS; i++) {
		changes[i] = change_of(i, WEIR_RUN_DONE, &report);
	}
	weir_error error = {0};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
	weir_status status = weir_sweep_store_apply(f.store, changes, RUNS, &error);
	setrlimit(RLIMIT_FSIZE, &before);
	ck_assert_int_eq(status, WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.where, "sweep.db"));
	ck_assert_ptr_nonnull(strstr(error.message, "cannot be written"));
	expect_counts(&f, RUNS, 0, 0, 0, 0);
	ck_assert_ok(weir_sweep_store_apply(f.store, changes, RUNS, &error), &error);
	expect_counts(&f, 0, 0, RUNS, 0, 0);
	end(&f);
}
END_TEST

START_TEST(places_that_cannot_be_are_said)
{
	weir_error error = {0};
	weir_sweep_store *store = NULL;
	test_write_file(test_path("plain"), "text");
	ck_assert_int_eq(weir_sweep_store_manage(test_path("plain"), &store, &error), WEIR_ERROR_IO);
	ck_assert_int_eq(weir_sweep_store_open(test_path("nowhere"), &store, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "holds no sweep"));
	ck_assert_int_eq(weir_sweep_store_manage("/proc/weir", &store, &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, "/proc/weir");
	ck_assert_ptr_null(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_store");
	TCase *tests = tcase_create("stores");
	tcase_add_test(tests, states_and_counts_follow_changes);
	tcase_add_test(tests, cancel_and_retry_take_what_they_say);
	tcase_add_test(tests, a_store_of_a_newer_weir_is_refused);
	tcase_add_test(tests, what_is_ready_is_what_is_due);
	tcase_add_test(tests, a_store_knows_its_sweep);
	tcase_add_test(tests, one_manager_at_a_time);
	tcase_add_test(tests, a_full_disk_loses_nothing);
	tcase_add_test(tests, places_that_cannot_be_are_said);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
