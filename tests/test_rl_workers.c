#include "rl/workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test_support.h"

enum { MOST = 1000 };

typedef struct counted {
	atomic_int calls[MOST];
	atomic_int inside, together; /* now, and the most at a time */
	int wanted;                  /* how many wait for each other */
} counted;

static void count_call(void *context, size_t i)
{
	atomic_fetch_add(&((counted *)context)->calls[i], 1);
}

static void assert_each_once(weir_workers *workers, size_t count)
{
	counted *c = calloc(1, sizeof *c);
	weir_workers_run(workers, count, count_call, c);
	for (size_t i = 0; i < MOST; i++) {
		ck_assert_int_eq(atomic_load(&c->calls[i]), i < count);
	}
	free(c);
}

START_TEST(every_call_is_made_once)
{
	const size_t threads[] = {1, 2, 3, 8};
	const size_t counts[] = {0, 1, 2, 7, 8, 9, 33, MOST};
	for (size_t t = 0; t < 4; t++) {
		weir_workers *workers = weir_workers_create(threads[t], 100);
		ck_assert_uint_eq(weir_workers_threads(workers), threads[t]);
		for (int turn = 0; turn < 10; turn++) {
			for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
				assert_each_once(workers, counts[c]);
			}
		}
		weir_workers_destroy(workers);
	}
}
END_TEST

/* Returns only when as many are inside as are wanted: with fewer threads it would not end. */
static void meet(void *context, size_t i)
{
	(void)i;
	counted *c = context;
	int inside = atomic_fetch_add(&c->inside, 1) + 1;
	if (inside == c->wanted) {
		atomic_store(&c->together, inside);
	}
	while (atomic_load(&c->together) < c->wanted) {
		usleep(100);
	}
}

START_TEST(calls_are_made_at_the_same_time)
{
	weir_workers *workers = weir_workers_create(3, 100);
	counted *c = calloc(1, sizeof *c);
	c->wanted = 3;
	weir_workers_run(workers, 3, meet, c);
	ck_assert_int_eq(atomic_load(&c->inside), 3);
	weir_workers_destroy(workers);
	free(c);
}
END_TEST

static void note_thread(void *context, size_t i)
{
	((pthread_t *)context)[i] = pthread_self();
}

START_TEST(one_thread_is_the_callers)
{
	const struct {
		size_t threads, most;
	} alone[] = {{1, 100}, {0, 1}, {5, 1}};
	for (size_t a = 0; a < 3; a++) {
		weir_workers *workers = weir_workers_create(alone[a].threads, alone[a].most);
		ck_assert_uint_eq(weir_workers_threads(workers), 1);
		pthread_t threads[50];
		weir_workers_run(workers, 50, note_thread, threads);
		for (int i = 0; i < 50; i++) {
			ck_assert(pthread_equal(threads[i], pthread_self()));
		}
		weir_workers_destroy(workers);
	}
	weir_workers *workers = weir_workers_create(0, 100);
	ck_assert_uint_ge(weir_workers_threads(workers), 1);
	weir_workers_destroy(workers);
}
END_TEST

/* Runs a child that goes on with `workers` and ends them; its exit status. */
static int use_in_child(weir_workers *workers)
{
	pid_t child = fork();
	if (child == 0) {
		counted *c = calloc(1, sizeof *c);
		c->wanted = 3;
		weir_workers_run(workers, 3, meet, c);
		int inside = atomic_load(&c->inside);
		free(c);
		weir_workers_destroy(workers);
		_exit(inside == 3 ? 7 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(a_forked_child_makes_its_own_threads)
{
	weir_workers *workers = weir_workers_create(3, 100);
	ck_assert_int_eq(use_in_child(workers), 7); /* before the first thread */
	assert_each_once(workers, 100);
	ck_assert_int_eq(use_in_child(workers), 7);
	assert_each_once(workers, 100);
	/* A child that only ends them does not wait for threads that it does not have. */
	pid_t child = fork();
	if (child == 0) {
		weir_workers_destroy(workers);
		_exit(7);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	weir_workers_destroy(workers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/workers");
	TCase *tests = tcase_create("workers");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, every_call_is_made_once);
	tcase_add_test(tests, calls_are_made_at_the_same_time);
	tcase_add_test(tests, one_thread_is_the_callers);
	tcase_add_test(tests, a_forked_child_makes_its_own_threads);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
