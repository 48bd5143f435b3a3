/* The spool: a manager and workers over a directory, on clocks of the test's own and as processes
 * that are killed. */
#include "study/sweep_spool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/sweep_support.h"
#include "support/test_support.h"

#define AXES    "\"axes\": [{\"path\": \"workload.arrivals.rate\", \"values\": [5, 6, 7]}]"
#define ENDLESS "\"set\": {\"workload.count\": 100000000}, "

static const double lease = 30.0;
static const double silence = 60.0;

typedef struct fixture {
	weir_sweep_file *file;
	weir_sweep_points points;
	weir_sweep_plan plan;
	const char *path;
	weir_spool *spool;
	double now;
} fixture;

static void begin(fixture *f, const char *members)
{
	*f = (fixture){.path = test_path("spool"), .now = 1000.0};
	f->file = sweep_points("spool.json", members, &f->points);
	f->plan = (weir_sweep_plan){.file = f->file, .points = &f->points};
	weir_error error = {0};
	ck_assert_ok(weir_spool_make(f->path, &f->plan, lease, &f->spool, &error), &error);
}

static void end(fixture *f)
{
	weir_spool_end(f->spool);
	ck_assert_int_ne(access(f->path, F_OK), 0);
	weir_sweep_points_release(&f->points);
	weir_sweep_file_destroy(f->file);
}

/* A worker in this process, whose clock is seven seconds ahead. */
static weir_spool_worker *join(fixture *f)
{
	weir_error error = {0};
	weir_sweep_points points;
	weir_spool_worker *worker = NULL;
	ck_assert_ok(weir_sweep_points_make(f->file, 0, &points, &error), &error);
	ck_assert_ok(weir_spool_join(f->path, &points, silence, f->now + 7.0, &worker, &error), &error);
	ck_assert_uint_eq(points.count, f->points.count);
	weir_sweep_points_release(&points);
	return worker;
}

static bool hear(fixture *f, weir_sweep_report *report)
{
	weir_error error = {0};
	bool got = false;
	ck_assert_ok(weir_spool_hear(f->spool, f->now, report, &got, &error), &error);
	return got;
}

static bool hear_later(fixture *f, double seconds, weir_sweep_report *report)
{
	f->now += seconds;
	return hear(f, report);
}

static void give(fixture *f, uint64_t run)
{
	weir_error error = {0};
	const weir_sweep_task task = {.run = run, .seed = 3};
	ck_assert_ok(weir_spool_give(f->spool, &task, &error), &error);
	ck_assert(weir_spool_holds(f->spool, run));
}

static void report_as(weir_spool_worker *worker, uint64_t run, const char *digest)
{
	weir_error error = {0};
	weir_sweep_report report = {.run = run, .outcome = WEIR_SWEEP_DONE};
	snprintf(report.digest, sizeof report.digest, "%s", digest);
	ck_assert_ok(weir_spool_report(worker, &report, &error), &error);
}

START_TEST(each_task_has_one_worker)
{
	fixture f;
	begin(&f, AXES);
	weir_sweep_report report;
	weir_sweep_task tasks[2];
	weir_sweep_task none;
	ck_assert_uint_eq(weir_spool_room(f.spool), 0);
	weir_spool_worker *one = join(&f);
	weir_spool_worker *two = join(&f);
	ck_assert(!weir_spool_claim(one, &none));
	ck_assert(!hear_later(&f, 1.0, &report));
	ck_assert_uint_eq(weir_spool_room(f.spool), 2);
	ck_assert_uint_eq(weir_spool_joined(f.spool), 2);
	give(&f, 1);
	ck_assert(weir_spool_claim(one, &tasks[0]));
	ck_assert_uint_eq(tasks[0].run, 1);
	ck_assert_uint_eq(tasks[0].seed, 3);
	ck_assert(!weir_spool_claim(two, &none));
	give(&f, 2);
	ck_assert_uint_eq(weir_spool_room(f.spool), 0);
	ck_assert(weir_spool_claim(two, &tasks[1]));
	ck_assert_uint_eq(tasks[1].run, 2);
	/* Reports may come in any order, also before the claim was seen. */
	report_as(two, 2, "22");
	ck_assert(hear(&f, &report));
	ck_assert_uint_eq(report.run, 2);
	ck_assert_str_eq(report.digest, "22");
	ck_assert(!weir_spool_holds(f.spool, 2));
	ck_assert(!hear(&f, &report));
	ck_assert_uint_eq(weir_spool_room(f.spool), 1);
	report_as(one, 1, "11");
	ck_assert(hear(&f, &report));
	ck_assert_str_eq(report.digest, "11");
	weir_spool_leave(one);
	weir_spool_leave(two);
	ck_assert(!hear_later(&f, 1.0, &report));
	ck_assert_uint_eq(weir_spool_room(f.spool), 0);
	end(&f);
}
END_TEST

START_TEST(a_lease_that_runs_out_loses_the_run)
{
	fixture f;
	begin(&f, AXES);
	weir_sweep_report report;
	weir_sweep_task task;
	weir_spool_worker *silent = join(&f);
	ck_assert(!hear_later(&f, 1.0, &report));
	give(&f, 0);
	ck_assert(weir_spool_claim(silent, &task));
	/* Renewed, it lasts. */
	for (int i = 0; i < 10; i++) {
		ck_assert(!hear_later(&f, 10.0, &report));
		ck_assert(weir_spool_beat(silent, f.now + 7.0));
	}
	ck_assert(!hear_later(&f, 1.0, &report));
	ck_assert(!hear_later(&f, lease - 1.0, &report));
	ck_assert(weir_spool_keeps(silent));
	ck_assert(hear_later(&f, 2.0, &report));
	ck_assert_uint_eq(report.run, 0);
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_LOST);
	ck_assert(!weir_spool_holds(f.spool, 0));
	ck_assert_uint_eq(weir_spool_room(f.spool), 0);
	/* It has but slept: what it did is of no use, but it may do more. */
	ck_assert(!weir_spool_keeps(silent));
	give(&f, 0);
	report_as(silent, 0, "late");
	ck_assert(!hear(&f, &report));
	ck_assert(weir_spool_holds(f.spool, 0));
	ck_assert(weir_spool_beat(silent, f.now + 7.0));
	ck_assert(!hear_later(&f, 1.0, &report));
	ck_assert(weir_spool_claim(silent, &task));
	report_as(silent, 0, "again");
	ck_assert(hear(&f, &report));
	ck_assert_str_eq(report.digest, "again");
	weir_spool_leave(silent);
	end(&f);
}
END_TEST

START_TEST(what_was_taken_back_is_not_heard_of)
{
	fixture f;
	begin(&f, AXES);
	weir_sweep_report report;
	weir_sweep_task task;
	weir_spool_worker *worker = join(&f);
	ck_assert(!hear_later(&f, 1.0, &report));
	give(&f, 0);
	weir_spool_abandon(f.spool, 0);
	ck_assert(!weir_spool_claim(worker, &task));
	give(&f, 1);
	ck_assert(weir_spool_claim(worker, &task));
	weir_spool_abandon(f.spool, 1);
	ck_assert(!weir_spool_keeps(worker));
	ck_assert(!weir_spool_holds(f.spool, 1));
	report_as(worker, 1, "of no use");
	ck_assert(!hear_later(&f, 1.0, &report));
	/* Nor is a report that was there already. */
	give(&f, 1);
	ck_assert(weir_spool_claim(worker, &task));
	report_as(worker, 1, "too late");
	weir_spool_abandon(f.spool, 1);
	ck_assert(!hear_later(&f, 1.0, &report));
	/* A worker that leaves with a run loses it at once. */
	give(&f, 2);
	ck_assert(weir_spool_claim(worker, &task));
	weir_spool_leave(worker);
	ck_assert(hear_later(&f, 1.0, &report));
	ck_assert_uint_eq(report.run, 2);
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_LOST);
	end(&f);
}
END_TEST

START_TEST(workers_end_when_the_manager_is_gone)
{
	fixture f;
	begin(&f, AXES);
	weir_sweep_report report;
	weir_spool_worker *worker = join(&f);
	double start = f.now + 7.0;
	for (int i = 0; i < 5; i++) {
		ck_assert(!hear_later(&f, 20.0, &report));
		ck_assert(weir_spool_beat(worker, start + 20.0 * (i + 1)));
	}
	ck_assert(weir_spool_beat(worker, start + 100.0 + silence));
	ck_assert(!weir_spool_beat(worker, start + 101.0 + silence));
	ck_assert(!hear_later(&f, 20.0, &report));
	ck_assert(weir_spool_beat(worker, start + 110.0 + silence));
	end(&f);
	ck_assert(!weir_spool_beat(worker, start + 110.0 + silence));
	weir_spool_leave(worker);
}
END_TEST

START_TEST(other_sweeps_are_refused)
{
	fixture f;
	begin(&f, AXES);
	weir_error error = {0};
	weir_sweep_points points;
	weir_spool_worker *worker = NULL;
	weir_sweep_file *other = sweep_points(
	    "other.json", "\"axes\": [{\"path\": \"workload.arrivals.rate\", \"values\": [5, 6, 8]}]",
	    &points);
	ck_assert_int_eq(weir_spool_join(f.path, &points, silence, 0.0, &worker, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_null(worker);
	ck_assert_ptr_nonnull(strstr(error.message, "is not the sweep"));
	char name[WEIR_SWEEP_PATH_SIZE];
	ck_assert_ok(weir_spool_read_file(f.path, name, &error), &error);
	ck_assert_str_eq(name, f.file->path);
	ck_assert_int_eq(weir_spool_read_file(test_directory(), name, &error), WEIR_ERROR_IO);
	char plan[1024];
	snprintf(plan, sizeof plan, "%s/plan", f.path);
	test_write_file(plan, "a plan of something else");
	ck_assert_int_eq(weir_spool_read_file(f.path, name, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "has no plan of this version"));
	weir_spool *again = NULL;
	ck_assert_int_eq(weir_spool_make(f.path, &f.plan, lease, &again, &error), WEIR_ERROR_IO);
	ck_assert_ptr_null(again);
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(other);
	end(&f);
}
END_TEST

/* ---- as processes ---- */

static volatile sig_atomic_t told;

static void on_term(int number)
{
	told = number;
}

static bool when_told(void)
{
	return told != 0;
}

static pid_t start_worker(const fixture *f)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct sigaction action = {.sa_handler = on_term};
		sigaction(SIGTERM, &action, NULL);
		weir_error error = {0};
		weir_status status = weir_spool_serve(f->path, sweep_directories, NULL, when_told, &error);
		if (status != WEIR_OK) {
			fprintf(stderr, "%s: %s\n", error.where, error.message);
		}
		_exit(status == WEIR_OK ? 0 : 1);
	}
	return pid;
}

static void expect_exit(pid_t pid, int wanted)
{
	int status = 0;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), wanted);
}

/* A moment for other processes, which the spool's clock does not count. */
static void wait_a_moment(void)
{
	const struct timespec moment = {.tv_nsec = 5000000};
	nanosleep(&moment, NULL);
}

static void await(fixture *f, weir_sweep_report *report)
{
	for (int i = 0; !hear_later(f, 0.001, report); i++) {
		ck_assert_int_lt(i, 10000);
		wait_a_moment();
	}
}

static void await_workers(fixture *f, uint64_t count)
{
	weir_sweep_report report;
	for (int i = 0; weir_spool_joined(f->spool) < count; i++) {
		ck_assert_int_lt(i, 10000);
		ck_assert(!hear_later(f, 0.25, &report));
		wait_a_moment();
	}
}

/* Waits until so many tasks are claimed. */
static void await_claims(const fixture *f, size_t count)
{
	char command[1024];
	snprintf(command, sizeof command, "test $(ls '%s/claims' | wc -l) -eq %zu", f->path, count);
	for (int i = 0; system(command) != 0; i++) {
		ck_assert_int_lt(i, 10000);
		wait_a_moment();
	}
}

START_TEST(processes_do_what_one_does)
{
	fixture f;
	/* Points that are there twice go, here and there. */
	begin(&f, "\"replications\": 4, \"design\": {\"kind\": \"latin_hypercube\", \"points\": 8},"
	          " \"axes\": [{\"path\": \"workload.count\", \"range\": {\"from\": 10, \"to\": 12},"
	          " \"integer\": true}]");
	ck_assert_uint_eq(f.points.count, 3);
	pid_t workers[2] = {start_worker(&f), start_worker(&f)};
	weir_sweep_report report;
	await_workers(&f, 2);
	enum { RUNS = 12 };
	bool done[RUNS] = {false};
	uint64_t next = 0;
	for (size_t heard = 0; heard < RUNS; heard++) {
		for (; next < RUNS && weir_spool_room(f.spool) > 0; next++) {
			give(&f, next);
		}
		await(&f, &report);
		weir_sweep_report alone;
		weir_sweep_task_run(&f.plan, &(weir_sweep_task){.run = report.run, .seed = 3}, &alone);
		ck_assert_int_eq(report.outcome, WEIR_SWEEP_DONE);
		ck_assert_str_eq(report.digest, alone.digest);
		ck_assert(!done[report.run]);
		done[report.run] = true;
	}
	end(&f);
	expect_exit(workers[0], 0);
	expect_exit(workers[1], 0);
}
END_TEST

/* The process in which a worker does its run. */
static pid_t child_of(pid_t worker)
{
	char path[64];
	int child = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)worker, (int)worker);
	for (int i = 0; child == 0; i++) {
		ck_assert_int_lt(i, 10000);
		FILE *file = fopen(path, "r");
		ck_assert_ptr_nonnull(file);
		if (fscanf(file, "%d", &child) != 1) {
			child = 0;
			wait_a_moment();
		}
		fclose(file);
	}
	return child;
}

/* Waits until a process has ended, whether or not somebody has asked how. */
static void await_end(pid_t pid)
{
	char path[64];
	char state = '?';
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	for (int i = 0; state != 'Z'; i++) {
		ck_assert_int_lt(i, 2000);
		wait_a_moment();
		FILE *file = fopen(path, "r");
		if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
			state = 'Z';
		}
		if (file != NULL) {
			fclose(file);
		}
	}
}

START_TEST(a_killed_worker_loses_its_run)
{
	fixture f;
	begin(&f, ENDLESS AXES);
	pid_t killed = start_worker(&f);
	await_workers(&f, 1);
	give(&f, 0);
	await_claims(&f, 1);
	pid_t child = child_of(killed);
	ck_assert_int_eq(kill(killed, SIGKILL), 0);
	ck_assert_int_eq(waitpid(killed, NULL, 0), killed);
	await_end(child);
	weir_sweep_report report;
	/* A beat may be left that was not seen yet. */
	ck_assert(!hear_later(&f, 1.0, &report));
	ck_assert(!hear_later(&f, lease - 1.0, &report));
	ck_assert(hear_later(&f, 2.0, &report));
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_LOST);
	/* Another one gets it, and is told to end: that is said at once. */
	pid_t told_to = start_worker(&f);
	await_workers(&f, 2);
	give(&f, 0);
	await_claims(&f, 1);
	ck_assert_int_eq(kill(told_to, SIGTERM), 0);
	await(&f, &report);
	ck_assert_uint_eq(report.run, 0);
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_LOST);
	ck_assert_ptr_nonnull(strstr(report.error.message, "told to end"));
	expect_exit(told_to, 0);
	/* What is taken back from a worker leaves it free for another run. */
	pid_t third = start_worker(&f);
	await_workers(&f, 3);
	give(&f, 1);
	await_claims(&f, 1);
	weir_spool_abandon(f.spool, 1);
	give(&f, 2);
	await_claims(&f, 1);
	end(&f);
	expect_exit(third, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_spool");
	TCase *tests = tcase_create("spool");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, each_task_has_one_worker);
	tcase_add_test(tests, a_lease_that_runs_out_loses_the_run);
	tcase_add_test(tests, what_was_taken_back_is_not_heard_of);
	tcase_add_test(tests, workers_end_when_the_manager_is_gone);
	tcase_add_test(tests, other_sweeps_are_refused);
	tcase_add_test(tests, processes_do_what_one_does);
	tcase_add_test(tests, a_killed_worker_loses_its_run);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
