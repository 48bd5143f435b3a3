#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/random_case.h"
#include "support/test_support.h"

/* What a set of cases met with, in requests. */
typedef struct test_coverage {
	size_t completed, rejected, unfinished, one_token, preempted, retried, moved, waited, arrived;
	size_t ties; /* events at the time of the one before */
} test_coverage;

typedef struct test_watch {
	double last;
	size_t ties;
	const random_case *random;
} test_watch;

static test_watch watch;

static void watch_event(void *context, double time, const char *what, size_t index)
{
	size_t count = strcmp(what, "iteration") == 0 ? watch.random->config.instance_count
	                                              : watch.random->request_count;
	if (context != watch.random || index >= count || time < watch.last) {
		ck_abort_msg("%s: %s of %zu at %.17g after %.17g", watch.random->text, what, index, time,
		             watch.last);
	}
	watch.ties += time == watch.last;
	watch.last = time;
}

/* Whether what a request met with can have been. */
static bool is_possible(const naive_request *request, const naive_row *row)
{
	if (row->status != NAIVE_COMPLETED) {
		return isnan(row->e2e);
	}
	if (!(row->queue_time >= 0 && row->queue_time < row->ttft)) {
		return false;
	}
	if (request->output_tokens == 1) {
		return isnan(row->second_token_gap) && row->e2e == row->ttft && row->token_instance == -1;
	}
	return row->second_token_gap >= 0 && row->e2e > row->ttft && row->token_instance >= 0;
}

static void count_row(const naive_request *request, const naive_row *row, test_coverage *coverage)
{
	bool completed = row->status == NAIVE_COMPLETED;
	coverage->arrived++;
	coverage->completed += completed;
	coverage->rejected += row->status == NAIVE_REJECTED;
	coverage->unfinished += row->status == NAIVE_UNFINISHED;
	coverage->one_token += completed && request->output_tokens == 1;
	coverage->moved += row->token_instance >= 0 && row->token_instance != row->prompt_instance;
	coverage->waited += completed && row->queue_time > 0;
	coverage->preempted += row->preemptions > 0;
	coverage->retried += row->transfer_retries > 0;
}

static naive_result run(random_case *random, test_coverage *coverage)
{
	watch = (test_watch){.random = random};
	random->config.observe = watch_event;
	naive_result result = naive_run(&random->config, random->requests, random->request_count);
	bool *seen = weir_allocate(random->request_count, sizeof *seen);
	for (size_t i = 0; i < result.row_count; i++) {
		const naive_row *row = &result.rows[i];
		const naive_request *request = &random->requests[row->id];
		if (seen[row->id] || !is_possible(request, row)) {
			ck_abort_msg("%s: request %lld", random->text, (long long)row->id);
		}
		seen[row->id] = true;
		count_row(request, row, coverage);
	}
	free(seen);
	ck_assert_double_le(result.end_time, random->config.until);
	for (size_t i = 0; i < random->config.instance_count; i++) {
		ck_assert_double_ge(result.busy_time[i], 0);
		ck_assert_double_le(result.busy_time[i], result.end_time * (1 + 1e-12));
	}
	ck_assert_double_eq(watch.last, result.end_time);
	coverage->ties += watch.ties;
	return result;
}

/* Every rule is met with by some case, and the oracle's own checks hold in all. */
START_TEST(cases_reach_every_rule)
{
	for (uint64_t half = 0; half < 2; half++) {
		test_coverage coverage = {0};
		for (uint64_t seed = 0; seed < 20 * RANDOM_CASE_CYCLE; seed++) {
			if (seed % RANDOM_CASE_CYCLE / (RANDOM_CASE_CYCLE / 2) != half) {
				continue;
			}
			random_case *random = random_case_create(seed, 0);
			ck_assert_int_eq(random->heavy, half == 1);
			naive_result result = run(random, &coverage);
			naive_result_free(&result);
			random_case_destroy(random);
		}
		printf("%s: %zu arrived, %zu completed, %zu rejected, %zu unfinished, %zu of one token, "
		       "%zu preempted, %zu retried, %zu moved, %zu waited; %zu events tied\n",
		       half == 1 ? "heavy" : "light", coverage.arrived, coverage.completed,
		       coverage.rejected, coverage.unfinished, coverage.one_token, coverage.preempted,
		       coverage.retried, coverage.moved, coverage.waited, coverage.ties);
		ck_assert_uint_gt(coverage.completed, coverage.arrived / 2);
		ck_assert_uint_gt(coverage.rejected, 100);
		ck_assert_uint_gt(coverage.unfinished, 100);
		ck_assert_uint_gt(coverage.one_token, 1000);
		ck_assert_uint_gt(coverage.preempted, 100);
		ck_assert_uint_gt(coverage.retried, 100);
		ck_assert_uint_gt(coverage.moved, 1000);
		ck_assert_uint_gt(coverage.waited, half == 1 ? coverage.completed * 3 / 4 : 1000);
		ck_assert_uint_gt(coverage.ties, 10000);
	}
}
END_TEST

/* NaN equals NaN. */
static bool is_same(double a, double b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

static bool rows_are_same(const naive_row *a, const naive_row *b)
{
	return a->id == b->id && a->status == b->status && is_same(a->queue_time, b->queue_time) &&
	       is_same(a->ttft, b->ttft) && is_same(a->second_token_gap, b->second_token_gap) &&
	       is_same(a->e2e, b->e2e) && a->prompt_instance == b->prompt_instance &&
	       a->token_instance == b->token_instance && a->preemptions == b->preemptions &&
	       a->transfer_retries == b->transfer_retries;
}

START_TEST(a_run_depends_on_its_case_alone)
{
	for (uint64_t seed = 0; seed < RANDOM_CASE_CYCLE; seed++) {
		test_coverage coverage = {0};
		random_case *first = random_case_create(seed, 60);
		naive_result a = run(first, &coverage);
		random_case *second = random_case_create(seed, 60);
		naive_result b = run(second, &coverage);
		ck_assert_uint_eq(a.row_count, b.row_count);
		for (size_t i = 0; i < a.row_count; i++) {
			ck_assert_msg(rows_are_same(&a.rows[i], &b.rows[i]), "%s: row %zu", first->text, i);
		}
		ck_assert_mem_eq(a.busy_time, b.busy_time,
		                 first->config.instance_count * sizeof *a.busy_time);
		ck_assert_uint_eq(a.events, b.events);
		naive_result_free(&a);
		naive_result_free(&b);
		random_case_destroy(first);
		random_case_destroy(second);
	}
}
END_TEST

START_TEST(backlogs_outgrow_every_capacity)
{
	test_coverage coverage = {0};
	for (uint64_t seed = RANDOM_CASE_CYCLE / 2; seed < RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(seed, 1000);
		naive_result result = run(random, &coverage);
		naive_result_free(&result);
		random_case_destroy(random);
	}
	ck_assert_uint_gt(coverage.waited, coverage.completed * 9 / 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("oracle/random");
	TCase *tests = tcase_create("random");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, cases_reach_every_rule);
	tcase_add_test(tests, a_run_depends_on_its_case_alone);
	tcase_add_test(tests, backlogs_outgrow_every_capacity);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
