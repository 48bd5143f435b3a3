/* The local engine: results, and how it tells the ends of its workers apart. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "study/sweep_engine.h"
#include "support/sweep_support.h"
#include "support/test_support.h"

#define AXES    "\"axes\": [{\"path\": \"workload.arrivals.rate\", \"values\": [5, 6]}]"
#define ENDLESS "\"set\": {\"workload.count\": 100000000}, "

typedef struct fixture {
	weir_sweep_file *file;
	weir_sweep_points points;
	weir_sweep_plan plan;
	void *engine;
} fixture;

static const weir_sweep_engine *const local = &weir_sweep_engine_local;

static void begin(fixture *f, const char *members)
{
	f->file = sweep_points("local.json", members, &f->points);
	f->plan = (weir_sweep_plan){.file = f->file, .points = &f->points};
	weir_error error = {0};
	ck_assert_ok(local->open(&f->plan, 2, &f->engine, &error), &error);
	ck_assert_uint_eq(local->room(f->engine), 2);
}

static void end(fixture *f)
{
	local->close(f->engine);
	weir_sweep_points_release(&f->points);
	weir_sweep_file_destroy(f->file);
}

static void give(fixture *f, uint64_t run)
{
	weir_error error = {0};
	const weir_sweep_task task = {.run = run, .seed = 3};
	ck_assert_ok(local->give(f->engine, &task, &error), &error);
	ck_assert(local->holds(f->engine, run));
}

static void hear(fixture *f, weir_sweep_report *report)
{
	weir_error error = {0};
	bool got = false;
	for (int i = 0; !got && i < 600; i++) {
		ck_assert_ok(local->hear(f->engine, 0.1, report, &got, &error), &error);
	}
	ck_assert(got);
	ck_assert(!local->holds(f->engine, report->run));
}

/* The only worker there is. */
static pid_t worker(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	int pid = 0;
	ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
	fclose(file);
	return pid;
}

START_TEST(results_are_those_of_the_task)
{
	fixture f;
	begin(&f, AXES);
	weir_sweep_report reports[2];
	weir_sweep_report alone[2];
	give(&f, 0);
	give(&f, 1);
	ck_assert_uint_eq(local->room(f.engine), 0);
	for (size_t i = 0; i < 2; i++) {
		weir_sweep_report report;
		hear(&f, &report);
		reports[report.run] = report;
	}
	for (uint64_t i = 0; i < 2; i++) {
		weir_sweep_task_run(&f.plan, &(weir_sweep_task){.run = i, .seed = 3}, &alone[i]);
		ck_assert_int_eq(reports[i].outcome, WEIR_SWEEP_DONE);
		ck_assert_mem_eq(reports[i].figures, alone[i].figures, sizeof alone[i].figures);
		ck_assert_str_eq(reports[i].digest, alone[i].digest);
		ck_assert_double_gt(reports[i].peak_memory, 1e6);
	}
	ck_assert_str_ne(reports[0].digest, reports[1].digest);
	end(&f);
}
END_TEST

START_TEST(ends_of_workers_are_told_apart)
{
	static const struct {
		int number;
		weir_sweep_outcome outcome;
		const char *message;
	} cases[] = {
	    {SIGKILL, WEIR_SWEEP_LOST, "was killed"},
	    {SIGTERM, WEIR_SWEEP_LOST, "was killed"},
	    {SIGABRT, WEIR_SWEEP_CRASH, "ended by signal 6"},
	    {SIGBUS, WEIR_SWEEP_CRASH, "ended by signal 7"},
	};
	fixture f;
	/* A worker that is hit before it has begun is not to do what this process would. */
	signal(SIGTERM, SIG_DFL);
	begin(&f, ENDLESS AXES);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		give(&f, 1);
		pid_t pid = worker();
		/* Sanitizers catch some signals and end the process otherwise. */
		ck_assert_int_eq(kill(pid, cases[i].number), 0);
		weir_sweep_report report;
		hear(&f, &report);
		ck_assert_uint_eq(report.run, 1);
		ck_assert_int_eq(report.outcome, cases[i].outcome);
		if (report.exit_status < 0) {
			ck_assert_int_eq(report.exit_status, -cases[i].number);
			ck_assert_ptr_nonnull(strstr(report.error.message, cases[i].message));
		}
		ck_assert_uint_eq(local->room(f.engine), 2);
	}
	end(&f);
}
END_TEST

/* Writes to a worker's stderr, once that is its own. */
static void speak(pid_t pid, const char *text)
{
	char path[64];
	char name[256];
	const struct timespec moment = {.tv_nsec = 5000000};
	snprintf(path, sizeof path, "/proc/%d/fd/2", (int)pid);
	for (int i = 0;; i++) {
		ssize_t length = readlink(path, name, sizeof name - 1);
		ck_assert_int_gt(length, 0);
		name[length] = '\0';
		if (strstr(name, "(deleted)") != NULL) {
			break;
		}
		ck_assert_int_lt(i, 2000);
		nanosleep(&moment, NULL);
	}
	FILE *file = fopen(path, "a");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

START_TEST(last_words_are_those_of_the_run)
{
	static const char *const words[] = {"what went wrong", "else"};
	fixture f;
	begin(&f, ENDLESS AXES);
	for (size_t i = 0; i < 2; i++) {
		give(&f, 0);
		pid_t pid = worker();
		speak(pid, words[i]);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		weir_sweep_report report;
		hear(&f, &report);
		ck_assert_str_eq(report.stderr_text, words[i]);
	}
	end(&f);
}
END_TEST

START_TEST(an_abandoned_run_is_gone)
{
	fixture f;
	begin(&f, ENDLESS AXES);
	give(&f, 0);
	weir_sweep_report report = {.run = 0};
	local->abandon(f.engine, 0, &report);
	ck_assert_int_eq(report.exit_status, -SIGKILL);
	ck_assert(!local->holds(f.engine, 0));
	ck_assert_uint_eq(local->room(f.engine), 2);
	weir_error error = {0};
	bool got = true;
	ck_assert_ok(local->hear(f.engine, 0.0, &report, &got, &error), &error);
	ck_assert(!got);
	end(&f);
}
END_TEST

START_TEST(a_bad_config_is_said)
{
	fixture f;
	begin(&f, "\"set\": {\"trace.path\": \"missing.csv\"}, " AXES);
	give(&f, 0);
	weir_sweep_report report;
	hear(&f, &report);
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_BAD_CONFIG);
	ck_assert_ptr_nonnull(strstr(report.error.where, "missing.csv"));
	/* The worker is there for the next one. */
	give(&f, 1);
	hear(&f, &report);
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_BAD_CONFIG);
	end(&f);
}
END_TEST

/* With AddressSanitizer memory that runs out ends the process. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

START_TEST(memory_is_limited)
{
	fixture f;
	/* Requests that arrive faster than they can ever be served pile up. */
	begin(&f, "\"memory\": 4e6, \"set\": {\"workload.count\": 3000000}, \"axes\": [{\"path\":"
	          " \"workload.arrivals.rate\", \"values\": [1e6]}]");
	give(&f, 0);
	weir_sweep_report report;
	hear(&f, &report);
	ck_assert_msg(report.outcome == WEIR_SWEEP_OUT_OF_MEMORY, "%s: %s: %s",
	              weir_sweep_outcome_text(report.outcome), report.error.where,
	              report.error.message);
	end(&f);
}
END_TEST

/* A memory that no machine has lets one run go at a time, a small one as many as there are workers.
 */
START_TEST(memory_that_is_short_holds_runs_back)
{
	static const struct {
		const char *members;
		size_t room, then;
	} cases[] = {{"\"memory\": 1e15, " AXES, 1, 0}, {"\"memory\": 1e9, " AXES, 3, 2}};
	for (size_t i = 0; i < 2; i++) {
		fixture f;
		f.file = sweep_points("short.json", cases[i].members, &f.points);
		f.plan = (weir_sweep_plan){.file = f.file, .points = &f.points};
		weir_error error = {0};
		ck_assert_ok(local->open(&f.plan, 3, &f.engine, &error), &error);
		ck_assert_uint_eq(local->room(f.engine), cases[i].room);
		give(&f, 0);
		ck_assert_uint_eq(local->room(f.engine), cases[i].then);
		weir_sweep_report report;
		hear(&f, &report);
		ck_assert_int_eq(report.outcome, WEIR_SWEEP_DONE);
		ck_assert_uint_eq(local->room(f.engine), cases[i].room);
		end(&f);
	}
}
END_TEST

START_TEST(output_that_cannot_be_written_is_told_apart)
{
	fixture f;
	begin(&f, AXES);
	weir_error error = {0};
	weir_sweep_task task = {.run = 0, .seed = 3};
	snprintf(task.output, sizeof task.output, "%s/missing/0.h5", test_directory());
	ck_assert_ok(local->give(f.engine, &task, &error), &error);
	weir_sweep_report report;
	hear(&f, &report);
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_NO_OUTPUT);
	snprintf(task.output, sizeof task.output, "%s/0.h5", test_directory());
	ck_assert_ok(local->give(f.engine, &task, &error), &error);
	hear(&f, &report);
	ck_assert_int_eq(report.outcome, WEIR_SWEEP_DONE);
	ck_assert_uint_eq(strlen(report.sha256), WEIR_SWEEP_SHA256_SIZE - 1);
	end(&f);
}
END_TEST

START_TEST(figures_have_names_of_their_own)
{
	char names[WEIR_SWEEP_FIGURES][2 * WEIR_SUMMARY_NAME_SIZE];
	for (size_t i = 0; i < WEIR_SWEEP_FIGURES; i++) {
		weir_sweep_figure_name(i, names[i]);
		ck_assert_ptr_nonnull(weir_sweep_figure_unit(i));
		ck_assert_ptr_nonnull(weir_sweep_figure_description(i));
		for (size_t k = 0; k < i; k++) {
			ck_assert_str_ne(names[i], names[k]);
		}
	}
	ck_assert_str_eq(names[0], "arrived");
	ck_assert_str_eq(names[WEIR_SWEEP_TOTALS], "queue_time_count");
	ck_assert_str_eq(names[WEIR_SWEEP_FIGURES - 1], "stalled");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_local");
	TCase *tests = tcase_create("engine");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, results_are_those_of_the_task);
	tcase_add_test(tests, ends_of_workers_are_told_apart);
	tcase_add_test(tests, last_words_are_those_of_the_run);
	tcase_add_test(tests, an_abandoned_run_is_gone);
	tcase_add_test(tests, a_bad_config_is_said);
#ifndef SANITIZED
	tcase_add_test(tests, memory_is_limited);
#else
	(void)memory_is_limited;
#endif
#ifndef SANITIZED
	tcase_add_test(tests, memory_that_is_short_holds_runs_back);
#else
	(void)memory_that_is_short_holds_runs_back;
#endif
	tcase_add_test(tests, output_that_cannot_be_written_is_told_apart);
	tcase_add_test(tests, figures_have_names_of_their_own);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
