/* Small runs worked out by hand. All times are sums of powers of two, so that they are exact. */
#include <math.h>
#include <stdlib.h>

#include "oracle/naive.h"
#include "support/test_support.h"

enum { WEIGHTS = 100, AMPLE = 1000000 };

/* A prompt iteration takes 1/2 s, a token iteration 1/4 s, one of both 3/4 s. */
static double iteration_seconds(void *context, size_t instance, int64_t prompt_tokens,
                                int64_t token_tasks)
{
	(void)context;
	(void)instance;
	return (prompt_tokens > 0 ? 0.5 : 0.0) + (token_tasks > 0 ? 0.25 : 0.0);
}

/* KV caches of one byte a token, moved at 64 tokens a second. */
static naive_config config_of(naive_scheduler scheduler, naive_kind kind,
                              const naive_instance_config *instances, size_t instance_count)
{
	return (naive_config){
	    .scheduler = scheduler,
	    .bandwidth_gb_per_s = 64.0 / (1024.0 * 1024.0 * 1024.0),
	    .prompt_max_pending_tokens = 8192,
	    .kind = kind,
	    .max_batch_size = 512,
	    .max_batch_tokens = 2048,
	    .max_preemptions = 4,
	    .kv_bytes_per_token = 1,
	    .weights = WEIGHTS,
	    .instance_count = instance_count,
	    .instances = instances,
	    .until = INFINITY,
	    .iteration_seconds = iteration_seconds,
	};
}

static const naive_row *row_of(const naive_result *result, int64_t id)
{
	for (size_t i = 0; i < result->row_count; i++) {
		if (result->rows[i].id == id) {
			return &result->rows[i];
		}
	}
	ck_abort_msg("request %lld has no row", (long long)id);
	return NULL;
}

static void expect_times(const naive_result *result, int64_t id, double queue_time, double ttft,
                         double second_token_gap, double e2e)
{
	const naive_row *row = row_of(result, id);
	ck_assert_int_eq(row->status, NAIVE_COMPLETED);
	ck_assert_double_eq(row->queue_time, queue_time);
	ck_assert_double_eq(row->ttft, ttft);
	ck_assert_double_eq(row->second_token_gap, second_token_gap);
	ck_assert_double_eq(row->e2e, e2e);
}

START_TEST(a_pause_lets_a_prompt_in_at_the_next_boundary)
{
	const naive_instance_config one = {NAIVE_MIXED, WEIGHTS + AMPLE};
	const naive_request requests[] = {{0, 0.0, 10, 101}, {1, 1.125, 10, 2}};
	naive_config config = config_of(NAIVE_ROUND_ROBIN, NAIVE_ORCA, &one, 1);
	naive_result result = naive_run(&config, requests, 2);
	/* Tokens of 0 from 0.5; at 1.125 in the third of them; 1 joins at 1.25 and makes its tokens at
	 * 2 and 2.25; by then 0 has 95 to go. */
	expect_times(&result, 0, 0.0, 0.5, 0.0, 26.0);
	expect_times(&result, 1, 0.125, 0.875, 0.0, 1.125);
	ck_assert_double_eq(result.busy_time[0], 26.0);
	ck_assert_double_eq(result.end_time, 26.0);
	ck_assert_uint_eq(result.events, 7);
	naive_result_free(&result);
}
END_TEST

START_TEST(one_token_ends_with_the_prompt)
{
	const naive_instance_config pools[] = {{NAIVE_PROMPT, WEIGHTS + 11},
	                                       {NAIVE_TOKEN, WEIGHTS + 11}};
	const naive_request requests[] = {{0, 0.0, 10, 1}, {1, 0.0, 10, 1}};
	naive_config config = config_of(NAIVE_KV_TOKEN_JSQ, NAIVE_SPLITWISE, pools, 2);
	naive_result result = naive_run(&config, requests, 2);
	for (int64_t id = 0; id < 2; id++) {
		const naive_row *row = row_of(&result, id);
		ck_assert_int_eq(row->status, NAIVE_COMPLETED);
		ck_assert_double_eq(row->e2e, id == 0 ? 0.5 : 1.0);
		ck_assert_double_nan(row->second_token_gap);
		ck_assert_int_eq(row->prompt_instance, 0);
		ck_assert_int_eq(row->token_instance, -1);
	}
	ck_assert_double_eq(result.busy_time[1], 0.0);
	naive_result_free(&result);
}
END_TEST

START_TEST(what_can_never_fit_is_rejected)
{
	const naive_instance_config one = {NAIVE_MIXED, WEIGHTS + 20};
	const naive_request requests[] = {{7, 0.0, 15, 6}, {8, 0.0, 15, 5}, {9, 0.0, 20, 1}};
	naive_config config = config_of(NAIVE_TOKEN_JSQ, NAIVE_SPLITWISE, &one, 1);
	naive_result result = naive_run(&config, requests, 3);
	ck_assert_uint_eq(result.rejected, 2);
	ck_assert_uint_eq(result.completed, 1);
	ck_assert_int_eq(row_of(&result, 7)->status, NAIVE_REJECTED);
	ck_assert_int_eq(row_of(&result, 7)->prompt_instance, -1);
	ck_assert_int_eq(row_of(&result, 9)->status, NAIVE_REJECTED);
	expect_times(&result, 8, 0.0, 0.5, 0.0, 1.5);
	naive_result_free(&result);
}
END_TEST

START_TEST(a_transfer_waits_for_memory)
{
	/* The token instance holds one request: 9 bytes of the prompt, 4 more of its tokens. */
	const naive_instance_config pools[] = {{NAIVE_PROMPT, WEIGHTS + AMPLE},
	                                       {NAIVE_TOKEN, WEIGHTS + 13}};
	const naive_request requests[] = {{0, 0.0, 8, 5}, {1, 0.0, 8, 5}};
	naive_config config = config_of(NAIVE_KV_ROUND_ROBIN, NAIVE_ORCA, pools, 2);
	naive_result result = naive_run(&config, requests, 2);
	expect_times(&result, 0, 0.0, 0.5, 0.125, 1.625);
	/* Its prompt ends at 1, when memory is short; tried again at 2, it is there at 2.125. */
	expect_times(&result, 1, 0.5, 1.0, 1.125, 3.125);
	ck_assert_int_eq(row_of(&result, 0)->transfer_retries, 0);
	ck_assert_int_eq(row_of(&result, 1)->transfer_retries, 1);
	ck_assert_double_eq(result.busy_time[0], 1.0);
	ck_assert_double_eq(result.busy_time[1], 2.0);
	naive_result_free(&result);
	config.until = 1.75;
	result = naive_run(&config, requests, 2);
	ck_assert_uint_eq(result.completed, 1);
	ck_assert_int_eq(row_of(&result, 1)->status, NAIVE_UNFINISHED);
	ck_assert_double_eq(row_of(&result, 1)->ttft, 1.0);
	ck_assert_double_nan(row_of(&result, 1)->e2e);
	ck_assert_double_eq(result.end_time, 1.625);
	naive_result_free(&result);
	config.scheduler = NAIVE_OVERLAP_KV_JSQ;
	config.bandwidth_gb_per_s /= 10;
	config.until = INFINITY;
	result = naive_run(&config, requests, 2);
	ck_assert_double_eq_tol(row_of(&result, 0)->second_token_gap, 0.125, 1e-12);
	naive_result_free(&result);
}
END_TEST

START_TEST(splitwise_preempts_a_token_task_for_a_prompt)
{
	const naive_instance_config one = {NAIVE_MIXED, WEIGHTS + AMPLE};
	const naive_request requests[] = {{0, 0.0, 2, 9}, {1, 0.625, 2, 2}};
	naive_config config = config_of(NAIVE_JSQ, NAIVE_SPLITWISE, &one, 1);
	config.max_batch_size = 1;
	naive_result result = naive_run(&config, requests, 2);
	/* 0 makes one token, gives way to the prompt of 1 from 0.75 to 1.25, and then finishes, being
	 * blocked, before the token of 1. */
	expect_times(&result, 0, 0.0, 0.5, 0.0, 3.0);
	expect_times(&result, 1, 0.125, 0.625, 1.75, 2.625);
	ck_assert_int_eq(row_of(&result, 0)->preemptions, 1);
	ck_assert_int_eq(row_of(&result, 1)->preemptions, 0);
	naive_result_free(&result);
}
END_TEST

START_TEST(splitwise_lets_go_first_what_was_passed_over)
{
	/* One task at a time, and a prompt every half second: the token task of 0 is passed over twice,
	 * by the prompts of 1 and 2, and then goes before that of 3. */
	const naive_instance_config one = {NAIVE_MIXED, WEIGHTS + AMPLE};
	const naive_request requests[] = {
	    {0, 0.0, 2, 2}, {1, 0.25, 2, 1}, {2, 0.25, 2, 1}, {3, 0.25, 2, 1}};
	naive_config config = config_of(NAIVE_JSQ, NAIVE_SPLITWISE, &one, 1);
	config.max_batch_size = 1;
	config.max_preemptions = 2;
	naive_result result = naive_run(&config, requests, 4);
	ck_assert_double_eq(row_of(&result, 1)->ttft, 0.75);
	ck_assert_double_eq(row_of(&result, 2)->ttft, 1.25);
	ck_assert_double_eq(row_of(&result, 0)->e2e, 1.75);
	ck_assert_double_eq(row_of(&result, 3)->ttft, 2.0);
	naive_result_free(&result);
}
END_TEST

START_TEST(chunked_splits_prompts_within_its_budget)
{
	const naive_instance_config one = {NAIVE_MIXED, WEIGHTS + AMPLE};
	const naive_request requests[] = {{0, 0.0, 10, 2}, {1, 0.25, 5, 3}};
	naive_config config = config_of(NAIVE_JSQ, NAIVE_CHUNKED, &one, 1);
	config.max_batch_tokens = 4;
	naive_result result = naive_run(&config, requests, 2);
	/* Prompt tokens: 4 of 0; 4 of 0; 2 of 0 and 2 of 1 until 1.5; 3 of 1 beside the token of 0
	 * until 2.25; then two tokens of 1. */
	expect_times(&result, 0, 0.0, 1.5, 0.0, 2.25);
	expect_times(&result, 1, 0.75, 2.0, 0.0, 2.5);
	ck_assert_uint_eq(result.events, 7);
	naive_result_free(&result);
}
END_TEST

START_TEST(mixed_pool_lends_an_instance_and_takes_it_back)
{
	const naive_instance_config pools[] = {{NAIVE_PROMPT, WEIGHTS + AMPLE},
	                                       {NAIVE_TOKEN, WEIGHTS + AMPLE},
	                                       {NAIVE_TOKEN, WEIGHTS + AMPLE}};
	const naive_request requests[] = {
	    {0, 0.0, 8, 3}, {1, 0.0, 8, 3}, {2, 0.0, 8, 3}, {3, 100.0, 8, 3}};
	naive_config config = config_of(NAIVE_MIXED_POOL, NAIVE_SPLITWISE, pools, 3);
	config.prompt_max_pending_tokens = 10;
	naive_result result = naive_run(&config, requests, 4);
	ck_assert_uint_eq(result.completed, 4);
	/* 2 finds a long prompt queue and borrows a token instance for both its tasks; that one goes to
	 * the end of its list when it is free, behind the other. */
	const int64_t expected[][2] = {{0, 1}, {0, 2}, {1, 1}, {0, 2}};
	for (int64_t id = 0; id < 4; id++) {
		ck_assert_int_eq(row_of(&result, id)->prompt_instance, expected[id][0]);
		ck_assert_int_eq(row_of(&result, id)->token_instance, expected[id][1]);
	}
	naive_result_free(&result);
}
END_TEST

static size_t draw_last(void *context, size_t count)
{
	(void)context;
	return count - 1;
}

START_TEST(random_goes_where_the_draw_says)
{
	const naive_instance_config pool[] = {{NAIVE_MIXED, WEIGHTS + AMPLE},
	                                      {NAIVE_MIXED, WEIGHTS + AMPLE}};
	const naive_request request = {0, 0.0, 8, 3};
	naive_config config = config_of(NAIVE_RANDOM, NAIVE_ORCA, pool, 2);
	config.draw = draw_last;
	naive_result result = naive_run(&config, &request, 1);
	ck_assert_int_eq(row_of(&result, 0)->prompt_instance, 1);
	ck_assert_int_eq(row_of(&result, 0)->token_instance, 1);
	naive_result_free(&result);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("oracle/rules");
	TCase *tests = tcase_create("rules");
	tcase_add_test(tests, a_pause_lets_a_prompt_in_at_the_next_boundary);
	tcase_add_test(tests, one_token_ends_with_the_prompt);
	tcase_add_test(tests, what_can_never_fit_is_rejected);
	tcase_add_test(tests, a_transfer_waits_for_memory);
	tcase_add_test(tests, splitwise_preempts_a_token_task_for_a_prompt);
	tcase_add_test(tests, splitwise_lets_go_first_what_was_passed_over);
	tcase_add_test(tests, chunked_splits_prompts_within_its_budget);
	tcase_add_test(tests, mixed_pool_lends_an_instance_and_takes_it_back);
	tcase_add_test(tests, random_goes_where_the_draw_says);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
