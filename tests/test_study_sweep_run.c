/* The manager, on a clock and an engine of the test's own: when runs begin, and what becomes of
 * them. */
#include "study/sweep_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/sweep_support.h"
#include "support/test_support.h"

enum { WORKERS = 2, MOST_BEGUN = 64, RUNS = 4 };

/* What an attempt at a run comes to. */
typedef struct attempt {
	weir_sweep_outcome outcome;
	double duration; /* INFINITY: nothing is ever heard of it */
	bool silent;     /* the engine does not know of it any more */
} attempt;

typedef struct stage {
	double now;
	attempt (*play)(uint64_t run, size_t attempt);
	void (*while_waiting)(double now); /* may be NULL */
	bool busy[WORKERS];
	weir_sweep_task tasks[WORKERS];
	attempt playing[WORKERS];
	double ends[WORKERS];
	size_t tries[RUNS];
	struct {
		uint64_t run;
		double at;
	} begun[MOST_BEGUN];
	size_t begun_count, abandoned;
} stage;

static stage scene;

static weir_status stage_open(const weir_sweep_plan *plan, size_t workers, void **state,
                              weir_error *error)
{
	(void)plan;
	(void)workers;
	(void)error;
	memset(scene.busy, 0, sizeof scene.busy);
	*state = &scene;
	return WEIR_OK;
}

static size_t stage_room(void *state)
{
	(void)state;
	size_t room = 0;
	for (size_t i = 0; i < WORKERS; i++) {
		room += scene.busy[i] ? 0 : 1;
	}
	return room;
}

static weir_status stage_give(void *state, const weir_sweep_task *task, weir_error *error)
{
	(void)state;
	(void)error;
	size_t i = scene.busy[0] ? 1 : 0;
	ck_assert(!scene.busy[i]);
	ck_assert_uint_lt(task->run, RUNS);
	ck_assert_uint_lt(scene.begun_count, MOST_BEGUN);
	scene.busy[i] = true;
	scene.tasks[i] = *task;
	scene.playing[i] = scene.play(task->run, scene.tries[task->run]++);
	scene.ends[i] = scene.now + scene.playing[i].duration;
	scene.begun[scene.begun_count].run = task->run;
	scene.begun[scene.begun_count++].at = scene.now;
	return WEIR_OK;
}

static weir_status stage_hear(void *state, double seconds, weir_sweep_report *report, bool *got,
                              weir_error *error)
{
	(void)state;
	(void)error;
	*got = false;
	size_t next = WORKERS;
	for (size_t i = 0; i < WORKERS; i++) {
		if (scene.busy[i] && (next == WORKERS || scene.ends[i] < scene.ends[next])) {
			next = i;
		}
	}
	if (next < WORKERS && scene.ends[next] <= scene.now + seconds) {
		scene.now = fmax(scene.now, scene.ends[next]);
		scene.busy[next] = false;
		*report = (weir_sweep_report){.run = scene.tasks[next].run,
		                              .outcome = scene.playing[next].outcome,
		                              .digest = "0123",
		                              .stderr_text = "said so"};
		if (report->outcome != WEIR_SWEEP_DONE) {
			weir_error_set(&report->error, WEIR_ERROR_IO, "here", "no luck");
		} else if (scene.tasks[next].output[0] != '\0') {
			test_write_file(scene.tasks[next].output, "result");
		}
		*got = true;
	} else {
		scene.now += seconds;
	}
	if (scene.while_waiting != NULL) {
		scene.while_waiting(scene.now);
	}
	return WEIR_OK;
}

static bool stage_holds(void *state, uint64_t run)
{
	(void)state;
	for (size_t i = 0; i < WORKERS; i++) {
		if (scene.busy[i] && scene.tasks[i].run == run) {
			return !scene.playing[i].silent;
		}
	}
	return false;
}

static void stage_abandon(void *state, uint64_t run, weir_sweep_report *report)
{
	(void)state;
	(void)report;
	for (size_t i = 0; i < WORKERS; i++) {
		if (scene.busy[i] && scene.tasks[i].run == run) {
			scene.busy[i] = false;
			scene.abandoned++;
		}
	}
}

static void stage_close(void *state)
{
	(void)state;
}

static const weir_sweep_engine engine = {
    .name = "stage",
    .doc = "",
    .open = stage_open,
    .room = stage_room,
    .give = stage_give,
    .hear = stage_hear,
    .holds = stage_holds,
    .abandon = stage_abandon,
    .close = stage_close,
};

static double stage_now(void *context)
{
	(void)context;
	return scene.now;
}

static weir_sweep_run_options options_of(void)
{
	weir_sweep_run_options options = weir_sweep_run_options_default();
	options.engine = &engine;
	options.clock = (weir_sweep_clock){.now = stage_now};
	return options;
}

/* A sweep of RUNS runs and its store. */
typedef struct fixture {
	const char *directory;
	weir_sweep_file *file;
	weir_sweep_points points;
	weir_sweep_store *store;
} fixture;

static fixture begin(const char *name, const char *members,
                     attempt (*play)(uint64_t run, size_t attempt))
{
	fixture f = {.directory = test_path(name)};
	char text[1024];
	char file_name[64];
	snprintf(text, sizeof text,
	         "%s, \"replications\": 2, \"axes\": [{\"path\": \"workload.arrivals.rate\", "
	         "\"values\": [5, 6]}]",
	         members);
	snprintf(file_name, sizeof file_name, "%s.json", name);
	f.file = sweep_points(file_name, text, &f.points);
	weir_error error = {0};
	bool known = false;
	ck_assert_ok(weir_sweep_store_manage(f.directory, &f.store, &error), &error);
	ck_assert_ok(weir_sweep_store_define(f.store, &f.points, 0.0, &known, &error), &error);
	ck_assert(known);
	scene = (stage){.now = 1000.0, .play = play};
	return f;
}

static void end(fixture *f)
{
	weir_sweep_store_close(f->store);
	weir_sweep_points_release(&f->points);
	weir_sweep_file_destroy(f->file);
}

static weir_status run(const fixture *f, const weir_sweep_run_options *options,
                       weir_sweep_counts *counts, weir_error *error)
{
	const weir_sweep_plan plan = {.file = f->file, .points = &f->points};
	return weir_sweep_run(&plan, f->store, options, counts, error);
}

static weir_sweep_counts run_ok(const fixture *f)
{
	weir_sweep_counts counts;
	weir_error error = {0};
	const weir_sweep_run_options options = options_of();
	ck_assert_ok(run(f, &options, &counts, &error), &error);
	return counts;
}

/* The times at which a run began. */
static size_t begun_at(uint64_t number, double times[MOST_BEGUN])
{
	size_t count = 0;
	for (size_t i = 0; i < scene.begun_count; i++) {
		if (scene.begun[i].run == number) {
			times[count++] = scene.begun[i].at;
		}
	}
	return count;
}

static void expect_times(uint64_t number, size_t count, const double *wanted)
{
	double times[MOST_BEGUN];
	ck_assert_uint_eq(begun_at(number, times), count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_double_eq_tol(times[i], wanted[i], 1e-6);
	}
}

/* A run as the store has it, with texts of its own. */
typedef struct kept_row {
	uint32_t attempts, losses;
	char outcome[32], message[256], stderr_text[64], path[256];
} kept_row;

static weir_status copy_row(void *context, const weir_sweep_row *row, weir_error *error)
{
	(void)error;
	kept_row *kept = &((kept_row *)context)[row->run];
	kept->attempts = row->attempts;
	kept->losses = row->losses;
	snprintf(kept->outcome, sizeof kept->outcome, "%s", row->outcome);
	snprintf(kept->message, sizeof kept->message, "%s", row->message);
	snprintf(kept->stderr_text, sizeof kept->stderr_text, "%s", row->stderr_text);
	snprintf(kept->path, sizeof kept->path, "%s", row->path);
	return WEIR_OK;
}

static void rows_of(const fixture *f, kept_row rows[RUNS])
{
	weir_error error = {0};
	memset(rows, 0, RUNS * sizeof *rows);
	ck_assert_ok(weir_sweep_store_each(f->store, ~0U, copy_row, rows, &error), &error);
}

/* ---- plays ---- */

static attempt all_well(uint64_t run, size_t number)
{
	(void)run;
	(void)number;
	return (attempt){WEIR_SWEEP_DONE, 1.0, false};
}

static attempt first_crashes(uint64_t run, size_t number)
{
	(void)number;
	return (attempt){run == 0 ? WEIR_SWEEP_CRASH : WEIR_SWEEP_DONE, 2.0, false};
}

START_TEST(retries_come_after_60_300_and_900_seconds)
{
	fixture f = begin("retries", "\"keep\": \"summary\"", first_crashes);
	weir_sweep_counts counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_FAILED], 1);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS - 1);
	static const double wanted[] = {1000, 1062, 1364, 2266};
	expect_times(0, 4, wanted);
	ck_assert_double_eq_tol(scene.now, 2268.0, 0.2);
	kept_row rows[RUNS];
	rows_of(&f, rows);
	ck_assert_uint_eq(rows[0].attempts, 4);
	ck_assert_str_eq(rows[0].outcome, "crash");
	ck_assert_str_eq(rows[0].message, "here: no luck");
	ck_assert_str_eq(rows[0].stderr_text, "said so");
	ck_assert_uint_eq(rows[1].attempts, 0);
	/* And all of it again when asked. */
	weir_error error = {0};
	uint64_t count = 0;
	ck_assert_ok(weir_sweep_store_retry(f.store, false, &count, &error), &error);
	ck_assert_uint_eq(count, 1);
	scene.play = all_well;
	counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS);
	end(&f);
}
END_TEST

static attempt by_cause(uint64_t run, size_t number)
{
	static const weir_sweep_outcome outcomes[RUNS] = {
	    WEIR_SWEEP_BAD_CONFIG, WEIR_SWEEP_OUT_OF_MEMORY, WEIR_SWEEP_DONE, WEIR_SWEEP_DONE};
	(void)number;
	return (attempt){outcomes[run], run == 2 ? 50.0 : 1.0, false};
}

START_TEST(each_cause_has_its_own_delays)
{
	fixture f = begin("causes",
	                  "\"keep\": \"summary\", \"timeout\": 10, \"retry\": {\"crash\": [],"
	                  " \"out_of_memory\": [7], \"timeout\": [20, 30]}",
	                  by_cause);
	weir_sweep_counts counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_FAILED], 3);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], 1);
	static const double bad[] = {1000};
	static const double memory[] = {1000, 1008};
	/* It begins when the first two are done, and is ended after ten seconds each time. */
	static const double late[] = {1001, 1031, 1071};
	expect_times(0, 1, bad);
	expect_times(1, 2, memory);
	expect_times(2, 3, late);
	ck_assert_uint_eq(scene.abandoned, 3);
	kept_row rows[RUNS];
	rows_of(&f, rows);
	ck_assert_str_eq(rows[0].outcome, "bad config");
	ck_assert_str_eq(rows[1].outcome, "out of memory");
	ck_assert_str_eq(rows[2].outcome, "timeout");
	ck_assert_ptr_nonnull(strstr(rows[2].message, "longer than 10 s"));
	end(&f);
}
END_TEST

static attempt lost_at_first(uint64_t run, size_t number)
{
	weir_sweep_outcome outcome = run == 0 && number < 3 ? WEIR_SWEEP_LOST : WEIR_SWEEP_DONE;
	return (attempt){outcome, 1.0, false};
}

static attempt always_lost(uint64_t run, size_t number)
{
	(void)number;
	return (attempt){run == 0 ? WEIR_SWEEP_LOST : WEIR_SWEEP_DONE, 1.0, false};
}

START_TEST(a_lost_worker_is_no_attempt)
{
	fixture f = begin("lost", "\"keep\": \"summary\"", lost_at_first);
	weir_sweep_counts counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS);
	kept_row rows[RUNS];
	rows_of(&f, rows);
	ck_assert_uint_eq(rows[0].attempts, 0);
	ck_assert_uint_eq(rows[0].losses, 3);
	ck_assert_double_lt(scene.now, 1010.0);
	end(&f);
	/* But a run that loses every worker does not go on for ever. */
	f = begin("always", "\"keep\": \"summary\", \"retry\": {\"crash\": []}", always_lost);
	counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_FAILED], 1);
	end(&f);
}
END_TEST

static attempt silent_at_first(uint64_t run, size_t number)
{
	bool silent = run == 0 && number == 0;
	bool slow = run == 1;
	return (attempt){WEIR_SWEEP_DONE, silent ? (double)INFINITY : slow ? 500.0 : 1.0, silent};
}

START_TEST(a_lease_that_runs_out_returns_the_run)
{
	fixture f = begin("lease", "\"keep\": \"summary\"", silent_at_first);
	weir_sweep_counts counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS);
	double times[MOST_BEGUN];
	/* Run 2 gets its place, run 3 the next one, then it is run 0's turn again. */
	ck_assert_uint_eq(begun_at(2, times), 1);
	ck_assert_double_eq_tol(times[0], 1060.0, 0.3);
	ck_assert_uint_eq(begun_at(0, times), 2);
	ck_assert_double_eq_tol(times[1], 1062.0, 0.3);
	/* The slow one is known to be at work: its lease is renewed. */
	ck_assert_uint_eq(begun_at(1, times), 1);
	kept_row rows[RUNS];
	rows_of(&f, rows);
	ck_assert_uint_eq(rows[0].attempts, 0);
	ck_assert_uint_eq(rows[0].losses, 1);
	end(&f);
}
END_TEST

static const char *cancelled_directory;

/* Another process cancels while all there is to do is to wait for a retry. */
static void cancel_at_1200(double now)
{
	if (now < 1200.0 || cancelled_directory == NULL) {
		return;
	}
	weir_error error = {0};
	weir_sweep_store *store = NULL;
	uint64_t count = 0;
	ck_assert_ok(weir_sweep_store_open(cancelled_directory, &store, &error), &error);
	ck_assert_ok(weir_sweep_store_cancel(store, &count, &error), &error);
	ck_assert_uint_eq(count, 1);
	weir_sweep_store_close(store);
	cancelled_directory = NULL;
}

START_TEST(cancel_works_during_a_wait)
{
	fixture f = begin("cancel", "\"keep\": \"summary\"", first_crashes);
	cancelled_directory = f.directory;
	scene.while_waiting = cancel_at_1200;
	weir_sweep_counts counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_CANCELLED], 1);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS - 1);
	ck_assert_double_lt(scene.now, 1201.0);
	static const double wanted[] = {1000, 1062};
	expect_times(0, 2, wanted);
	weir_error error = {0};
	uint64_t count = 0;
	ck_assert_ok(weir_sweep_store_retry(f.store, false, &count, &error), &error);
	ck_assert_uint_eq(count, 0);
	ck_assert_ok(weir_sweep_store_retry(f.store, true, &count, &error), &error);
	ck_assert_uint_eq(count, 1);
	end(&f);
}
END_TEST

static attempt slow(uint64_t run, size_t number)
{
	(void)number;
	return (attempt){WEIR_SWEEP_DONE, run == 0 ? 3.0 : 400.0, false};
}

static weir_sweep_control finish_at_1002(void *context, const weir_sweep_progress *progress)
{
	(void)context;
	(void)progress;
	return scene.now >= 1002.0 ? WEIR_SWEEP_FINISH : WEIR_SWEEP_GO_ON;
}

START_TEST(an_interrupt_lets_runs_end_for_a_while)
{
	fixture f = begin("interrupt", "\"keep\": \"summary\"", slow);
	weir_sweep_run_options options = options_of();
	options.progress = finish_at_1002;
	weir_sweep_counts counts;
	weir_error error = {0};
	ck_assert_int_eq(run(&f, &options, &counts, &error), WEIR_ERROR_INTERRUPTED);
	ck_assert_ptr_nonnull(strstr(error.message, "the same command goes on"));
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], 1);
	ck_assert_uint_eq(counts.of[WEIR_RUN_WAITING], RUNS - 1);
	ck_assert_uint_eq(scene.begun_count, 2);
	ck_assert_double_eq_tol(scene.now, 1007.0, 0.3);
	scene.play = all_well;
	counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS);
	ck_assert_uint_eq(scene.tries[0], 1);
	kept_row rows[RUNS];
	rows_of(&f, rows);
	ck_assert_uint_eq(rows[1].attempts, 0);
	end(&f);
}
END_TEST

static attempt no_output(uint64_t run, size_t number)
{
	return (attempt){run == 1 && number == 0 ? WEIR_SWEEP_NO_OUTPUT : WEIR_SWEEP_DONE, 1.0, false};
}

START_TEST(a_result_that_cannot_be_written_ends_the_sweep)
{
	fixture f = begin("output", "\"keep\": \"files\"", no_output);
	weir_sweep_run_options options = options_of();
	weir_sweep_counts counts;
	weir_error error = {0};
	ck_assert_int_eq(run(&f, &options, &counts, &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.message, "no luck");
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], 1);
	ck_assert_uint_eq(counts.of[WEIR_RUN_WAITING], RUNS - 1);
	counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS);
	end(&f);
}
END_TEST

static char outputs[2][WEIR_SWEEP_PATH_SIZE];

/* An attempt that was given up may still be written, on another machine. */
static attempt late_at_first(uint64_t run, size_t number)
{
	if (run == 0 && number < 2) {
		size_t place = scene.busy[0] && scene.tasks[0].run == 0 ? 0 : 1;
		memcpy(outputs[number], scene.tasks[place].output, sizeof outputs[number]);
	}
	return (attempt){WEIR_SWEEP_DONE, run == 0 && number == 0 ? 50.0 : 1.0, false};
}

START_TEST(attempts_write_to_files_of_their_own)
{
	fixture f = begin("own", "\"keep\": \"files\", \"timeout\": 10", late_at_first);
	weir_sweep_counts counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS);
	ck_assert_uint_eq(scene.tries[0], 2);
	ck_assert_ptr_nonnull(strstr(outputs[0], "/aside/"));
	ck_assert_ptr_nonnull(strstr(outputs[1], "/aside/"));
	ck_assert_str_ne(outputs[0], outputs[1]);
	end(&f);
}
END_TEST

START_TEST(results_that_are_gone_are_made_again)
{
	fixture f = begin("gone", "\"keep\": \"files\"", all_well);
	weir_sweep_counts counts = run_ok(&f);
	ck_assert_uint_eq(counts.of[WEIR_RUN_DONE], RUNS);
	kept_row rows[RUNS];
	rows_of(&f, rows);
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", f.directory, rows[2].path);
	ck_assert_int_eq(unlink(path), 0);
	run_ok(&f);
	ck_assert_uint_eq(scene.begun_count, RUNS + 1);
	ck_assert_uint_eq(scene.begun[RUNS].run, 2);
	ck_assert_int_eq(access(path, F_OK), 0);
	end(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_run");
	TCase *tests = tcase_create("manager");
	tcase_add_test(tests, retries_come_after_60_300_and_900_seconds);
	tcase_add_test(tests, each_cause_has_its_own_delays);
	tcase_add_test(tests, a_lost_worker_is_no_attempt);
	tcase_add_test(tests, a_lease_that_runs_out_returns_the_run);
	tcase_add_test(tests, cancel_works_during_a_wait);
	tcase_add_test(tests, an_interrupt_lets_runs_end_for_a_while);
	tcase_add_test(tests, a_result_that_cannot_be_written_ends_the_sweep);
	tcase_add_test(tests, attempts_write_to_files_of_their_own);
	tcase_add_test(tests, results_that_are_gone_are_made_again);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
