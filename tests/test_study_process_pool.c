/* Jobs over processes: the same results from any number of them, whatever dies or stops. */
#include "study/process_pool.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/test_support.h"

enum { JOBS = 60, MOST_WORKERS = 4 };

typedef enum fate { FATE_DONE, FATE_ERROR, FATE_KILLED, FATE_EXITS, FATE_SLEEPS } fate;

typedef struct plan {
	fate fates[JOBS];
	int slowest_ms; /* jobs take less, in no order */
	size_t result_size;
} plan;

static void sleep_ms(long ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&left, &left) != 0 && errno == EINTR) {
	}
}

static uint64_t hashed(size_t job)
{
	uint64_t x = (job + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 29);
}

static weir_status run(void *context, size_t job, void *result, weir_error *error)
{
	const plan *p = context;
	unsigned char *bytes = result;
	for (size_t i = 0; i < p->result_size; i++) {
		/* A result of an earlier job of the same worker must not shine through. */
		if (bytes[i] != 0) {
			return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL, "byte %zu is not zero", i);
		}
		bytes[i] = (unsigned char)(hashed(job) >> i % 8 * 8);
	}
	if (p->slowest_ms > 0) {
		sleep_ms((long)(hashed(job) % (uint64_t)p->slowest_ms));
	}
	switch (p->fates[job]) {
	case FATE_ERROR:
		return weir_error_set(error, WEIR_ERROR_INPUT, "file.json: a.b", "job %zu is wrong", job);
	case FATE_KILLED:
		raise(SIGKILL);
		break;
	case FATE_EXITS:
		_exit(3);
	case FATE_SLEEPS:
		sleep_ms(60000);
		break;
	default:
		break;
	}
	return WEIR_OK;
}

static void describe(void *context, size_t job, char *name, size_t size)
{
	(void)context;
	snprintf(name, size, "point %zu", job);
}

static weir_pool_jobs jobs_of(plan *p, size_t count)
{
	return (weir_pool_jobs){.count = count,
	                        .result_size = p->result_size,
	                        .context = p,
	                        .run = run,
	                        .describe = describe};
}

static void check_result(const plan *p, size_t job, const unsigned char *results)
{
	const unsigned char *bytes = results + job * p->result_size;
	for (size_t i = 0; i < p->result_size; i++) {
		ck_assert_uint_eq(bytes[i], (unsigned char)(hashed(job) >> i % 8 * 8));
	}
}

static size_t open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;
	while (directory != NULL && readdir(directory) != NULL) {
		count++;
	}
	if (directory != NULL) {
		closedir(directory);
	}
	return count;
}

/* No child is left, dead or alive. */
static void check_alone(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

START_TEST(results_do_not_depend_on_the_workers)
{
	static plan p = {.slowest_ms = 12, .result_size = 37};
	unsigned char *results = calloc(JOBS, p.result_size);
	weir_error *errors = calloc(JOBS, sizeof *errors);
	const weir_pool_jobs jobs = jobs_of(&p, JOBS);
	size_t files = open_files();
	for (size_t workers = 0; workers <= MOST_WORKERS; workers++) {
		memset(results, 0xa5, JOBS * p.result_size);
		const weir_pool_options options = {.workers = workers};
		weir_error error = {0};
		ck_assert_ok(weir_pool_run(&jobs, &options, results, errors, &error), &error);
		for (size_t i = 0; i < JOBS; i++) {
			ck_assert_int_eq(errors[i].status, WEIR_OK);
			check_result(&p, i, results);
		}
		check_alone();
		ck_assert_uint_eq(open_files(), files);
	}
	free(results);
	free(errors);
}
END_TEST

/* They do run at once: 8 sleeps of 300 ms on 4 workers take 600 ms, not 2.4 s. */
static weir_status nap(void *context, size_t job, void *result, weir_error *error)
{
	(void)context;
	(void)job;
	(void)result;
	(void)error;
	sleep_ms(300);
	return WEIR_OK;
}

static double now_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

START_TEST(workers_work_at_once)
{
	const weir_pool_jobs jobs = {.count = 8, .run = nap};
	const weir_pool_options options = {.workers = 4};
	weir_error errors[8];
	weir_error error = {0};
	double started = now_seconds();
	ck_assert_ok(weir_pool_run(&jobs, &options, NULL, errors, &error), &error);
	ck_assert_double_lt(now_seconds() - started, 1.8);
}
END_TEST

/* Larger than what a socket holds. */
START_TEST(large_results)
{
	static plan p = {.result_size = 3000001};
	unsigned char *results = calloc(5, p.result_size);
	weir_error errors[5];
	weir_error error = {0};
	const weir_pool_jobs jobs = jobs_of(&p, 5);
	const weir_pool_options options = {.workers = 2};
	ck_assert_ok(weir_pool_run(&jobs, &options, results, errors, &error), &error);
	for (size_t job = 0; job < 5; job++) {
		for (size_t i = 0; i < p.result_size; i++) {
			unsigned char byte = results[job * p.result_size + i];
			if (byte != (unsigned char)(hashed(job) >> i % 8 * 8)) {
				ck_abort_msg("byte %zu of job %zu is wrong", i, job);
			}
		}
	}
	free(results);
}
END_TEST

START_TEST(a_death_costs_its_job_and_no_other)
{
	static plan p = {.slowest_ms = 5, .result_size = 8};
	p.fates[11] = FATE_KILLED;
	p.fates[12] = FATE_KILLED;
	p.fates[7] = FATE_EXITS;
	p.fates[30] = FATE_ERROR;
	p.fates[JOBS - 1] = FATE_KILLED;
	unsigned char results[JOBS * 8];
	weir_error *errors = calloc(JOBS, sizeof *errors);
	const weir_pool_jobs jobs = jobs_of(&p, JOBS);
	for (size_t workers = 1; workers <= MOST_WORKERS; workers++) {
		const weir_pool_options options = {.workers = workers};
		weir_error error = {0};
		ck_assert_int_eq(weir_pool_run(&jobs, &options, results, errors, &error),
		                 WEIR_ERROR_INTERNAL);
		/* The first in the order of jobs, whoever was faster. */
		ck_assert_str_eq(error.where, "point 7");
		ck_assert_str_eq(error.message,
		                 "its process ended with exit status 3 before the job was done");
		ck_assert_str_eq(errors[11].where, "point 11");
		ck_assert_str_eq(errors[11].message, "its process was killed by signal 9 (Killed); if "
		                                     "memory ran out, use fewer workers");
		ck_assert_int_eq(errors[30].status, WEIR_ERROR_INPUT);
		ck_assert_str_eq(errors[30].where, "file.json: a.b");
		ck_assert_str_eq(errors[30].message, "job 30 is wrong");
		for (size_t i = 0; i < JOBS; i++) {
			ck_assert_int_eq(errors[i].status == WEIR_OK, p.fates[i] == FATE_DONE);
			if (p.fates[i] == FATE_DONE) {
				check_result(&p, i, results);
			}
		}
		check_alone();
	}
	free(errors);
}
END_TEST

START_TEST(no_jobs)
{
	const weir_pool_jobs jobs = {.count = 0, .run = run};
	const weir_pool_options options = {.workers = 4};
	weir_error error = {0};
	ck_assert_ok(weir_pool_run(&jobs, &options, NULL, NULL, &error), &error);
	check_alone();
}
END_TEST

typedef struct watcher {
	size_t calls, last, stop_at;
} watcher;

static bool watch(void *context, size_t done, size_t count)
{
	watcher *w = context;
	ck_assert_uint_ge(done, w->last);
	ck_assert_uint_le(done, count);
	w->last = done;
	w->calls++;
	return done < w->stop_at;
}

/* Jobs 0 to 4 end, the others would sleep for a minute. */
START_TEST(an_interrupt_keeps_what_is_done)
{
	static plan p = {.slowest_ms = 5, .result_size = 8};
	for (size_t i = 5; i < JOBS; i++) {
		p.fates[i] = FATE_SLEEPS;
	}
	unsigned char results[JOBS * 8];
	weir_error *errors = calloc(JOBS, sizeof *errors);
	const weir_pool_jobs jobs = jobs_of(&p, JOBS);
	for (size_t workers = 1; workers <= MOST_WORKERS; workers++) {
		watcher w = {.stop_at = 5};
		const weir_pool_options options = {.workers = workers, .progress = watch, .context = &w};
		weir_error error = {0};
		double started = now_seconds();
		ck_assert_int_eq(weir_pool_run(&jobs, &options, results, errors, &error),
		                 WEIR_ERROR_INTERRUPTED);
		ck_assert_double_lt(now_seconds() - started, 20.0);
		ck_assert_str_eq(error.message, "interrupted with 5 of 60 jobs done");
		for (size_t i = 0; i < JOBS; i++) {
			ck_assert_int_eq(errors[i].status, i < 5 ? WEIR_OK : WEIR_ERROR_INTERRUPTED);
			if (i < 5) {
				check_result(&p, i, results);
			}
		}
		check_alone();
	}
	free(errors);
}
END_TEST

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

typedef struct teller {
	int told;
	int calls_left; /* after the interrupt: a worker that died of it would be noticed */
} teller;

static bool until_interrupted(void *context, size_t done, size_t count)
{
	(void)done;
	(void)count;
	teller *t = context;
	if (interrupted) {
		return t->calls_left-- > 0;
	}
	/* Tells the test that workers are there. */
	return write(t->told, ".", 1) == 1;
}

/* A process that runs a pool of sleepers, in a process group of its own; workers and it hold
 * `told`. Its exit status is that of the pool. */
static pid_t start_program(int told)
{
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGINT, on_interrupt);
		static plan p = {.result_size = 8};
		for (size_t i = 0; i < JOBS; i++) {
			p.fates[i] = FATE_SLEEPS;
		}
		p.slowest_ms = 1;
		static unsigned char results[JOBS * 8];
		static weir_error errors[JOBS];
		const weir_pool_jobs jobs = jobs_of(&p, JOBS);
		teller t = {.told = told, .calls_left = 5};
		const weir_pool_options options = {
		    .workers = 3, .progress = until_interrupted, .context = &t};
		weir_error error = {0};
		weir_status status = weir_pool_run(&jobs, &options, results, errors, &error);
		for (size_t i = 0; i < JOBS; i++) {
			if (errors[i].status != WEIR_ERROR_INTERRUPTED) {
				_exit(99);
			}
		}
		_exit(weir_status_exit(status));
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* As a terminal does it: SIGINT to everyone in the foreground. */
START_TEST(control_c_stops_everything)
{
	int told[2];
	ck_assert_int_eq(pipe(told), 0);
	pid_t pid = start_program(told[1]);
	close(told[1]);
	char byte;
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	double started = now_seconds();
	ck_assert_int_eq(kill(-pid, SIGINT), 0);
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 130);
	/* All that held the pipe are gone. */
	while (read(told[0], &byte, 1) > 0) {
	}
	ck_assert_double_lt(now_seconds() - started, 20.0);
	close(told[0]);
}
END_TEST

static weir_status short_nap(void *context, size_t job, void *result, weir_error *error)
{
	(void)context;
	(void)job;
	(void)result;
	(void)error;
	sleep_ms(100);
	return WEIR_OK;
}

/* Workers whose caller was killed end by themselves, each after its job, long before all the jobs
 * would be done. */
START_TEST(workers_do_not_outlive_the_caller)
{
	int told[2];
	ck_assert_int_eq(pipe(told), 0);
	pid_t pid = fork();
	if (pid == 0) {
		static weir_error errors[10000];
		const weir_pool_jobs jobs = {.count = 10000, .run = short_nap};
		teller t = {.told = told[1]};
		const weir_pool_options options = {
		    .workers = 3, .progress = until_interrupted, .context = &t};
		weir_error error = {0};
		weir_pool_run(&jobs, &options, NULL, errors, &error);
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	close(told[1]);
	char byte;
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	double started = now_seconds();
	while (read(told[0], &byte, 1) > 0) {
	}
	ck_assert_double_lt(now_seconds() - started, 20.0);
	close(told[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("study/process_pool");
	TCase *tests = tcase_create("process_pool");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, results_do_not_depend_on_the_workers);
	tcase_add_test(tests, workers_work_at_once);
	tcase_add_test(tests, large_results);
	tcase_add_test(tests, a_death_costs_its_job_and_no_other);
	tcase_add_test(tests, no_jobs);
	tcase_add_test(tests, an_interrupt_keeps_what_is_done);
	tcase_add_test(tests, control_c_stops_everything);
	tcase_add_test(tests, workers_do_not_outlive_the_caller);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
