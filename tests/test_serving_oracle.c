/* The simulator against the naive oracle: equal bit for bit, whatever the workload. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "oracle/naive.h"
#include "support/fast_run.h"
#include "support/random_case.h"
#include "support/test_support.h"

static bool same_double(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void compare_rows(const char *text, const naive_row *fast, const naive_row *naive,
                         const naive_request *request)
{
	ck_assert_msg(fast->id == naive->id && fast->status == naive->status,
	              "%s: request %lld ended as %d, by the oracle %lld as %d", text,
	              (long long)fast->id, (int)fast->status, (long long)naive->id, (int)naive->status);
	ck_assert_msg(same_double(fast->queue_time, naive->queue_time) &&
	                  same_double(fast->ttft, naive->ttft) &&
	                  same_double(fast->second_token_gap, naive->second_token_gap) &&
	                  same_double(fast->e2e, naive->e2e),
	              "%s: request %lld: queue %.17g, ttft %.17g, gap %.17g, e2e %.17g; by the oracle "
	              "%.17g, %.17g, %.17g, %.17g",
	              text, (long long)fast->id, fast->queue_time, fast->ttft, fast->second_token_gap,
	              fast->e2e, naive->queue_time, naive->ttft, naive->second_token_gap, naive->e2e);
	ck_assert_msg(fast->preemptions == naive->preemptions, "%s: request %lld: preemptions", text,
	              (long long)fast->id);
	if (fast->status == NAIVE_COMPLETED) {
		ck_assert_int_eq(fast->prompt_instance, naive->prompt_instance);
		if (request->output_tokens > 1) {
			ck_assert_int_eq(fast->token_instance, naive->token_instance);
		}
	}
}

static void compare_results(const char *text, const naive_config *config,
                            const naive_request *requests, const naive_result *fast,
                            const naive_result *naive)
{
	size_t common = fast->row_count < naive->row_count ? fast->row_count : naive->row_count;
	for (size_t i = 0; i < common; i++) {
		const naive_request *request = requests;
		while (request->id != naive->rows[i].id) {
			request++;
		}
		compare_rows(text, &fast->rows[i], &naive->rows[i], request);
	}
	ck_assert_msg(fast->row_count == naive->row_count && fast->events == naive->events &&
	                  fast->end_time == naive->end_time,
	              "%s: %zu rows, %llu events, end %.17g; by the oracle %zu, %llu, %.17g", text,
	              fast->row_count, (unsigned long long)fast->events, fast->end_time,
	              naive->row_count, (unsigned long long)naive->events, naive->end_time);
	for (size_t i = 0; i < config->instance_count; i++) {
		/* Summed over other intervals: equal but for rounding. */
		ck_assert_double_eq_tol(fast->busy_time[i], naive->busy_time[i],
		                        1e-9 * (1.0 + naive->busy_time[i]));
	}
}

static void check_case(const random_case *random)
{
	naive_result fast = fast_run_all(&random->config, random->requests, random->request_count, 1);
	naive_result naive = naive_run(&random->config, random->requests, random->request_count);
	compare_results(random->text, &random->config, random->requests, &fast, &naive);
	naive_result_free(&fast);
	naive_result_free(&naive);
}

START_TEST(small_cases_of_every_kind_are_equal)
{
	for (uint64_t seed = 0; seed < 12 * RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(seed, 0);
		check_case(random);
		random_case_destroy(random);
	}
}
END_TEST

START_TEST(long_backlogs_are_equal)
{
	for (uint64_t seed = 0; seed < RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(1000000 + seed, 1500);
		check_case(random);
		random_case_destroy(random);
	}
}
END_TEST

typedef struct drawing {
	random_case *random;
	gsl_rng *stream;
} drawing;

static size_t draw(void *context, size_t count)
{
	const drawing *d = context;
	return gsl_rng_uniform_int(d->stream, count);
}

static double drawing_seconds(void *context, size_t instance, int64_t prompt_tokens,
                              int64_t token_tasks)
{
	const drawing *d = context;
	return d->random->config.iteration_seconds(d->random->config.context, instance, prompt_tokens,
	                                           token_tasks);
}

START_TEST(the_random_scheduler_is_equal_given_its_draws)
{
	for (uint64_t seed = 0; seed < 60; seed++) {
		random_case *random = random_case_create(seed, 0);
		drawing d = {random, weir_stream_create(seed, "scheduler", 0)};
		naive_config config = random->config;
		config.scheduler = NAIVE_RANDOM;
		config.draw = draw;
		config.iteration_seconds = drawing_seconds;
		config.context = &d;
		naive_result fast = fast_run_all(&config, random->requests, random->request_count, seed);
		naive_result naive = naive_run(&config, random->requests, random->request_count);
		compare_results(random->text, &config, random->requests, &fast, &naive);
		naive_result_free(&fast);
		naive_result_free(&naive);
		gsl_rng_free(d.stream);
		random_case_destroy(random);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/oracle");
	TCase *tests = tcase_create("oracle");
	tcase_set_timeout(tests, 280);
	tcase_add_test(tests, small_cases_of_every_kind_are_equal);
	tcase_add_test(tests, long_backlogs_are_equal);
	tcase_add_test(tests, the_random_scheduler_is_equal_given_its_draws);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
