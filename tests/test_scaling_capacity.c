#include "scaling/capacity.h"

#include "support/llm_views.h"
#include "support/test_support.h"

static llm_fixture f;

START_TEST(by_hand)
{
	llm_start(&f, NULL, NULL, 0);
	weir_capacity capacity = weir_capacity_of(&f.application, 0);
	ck_assert_int_eq(capacity.kv_tokens, 10000);
	ck_assert_int_eq(capacity.iteration_tokens, 1000);
	weir_decoding none = {0};
	ck_assert_double_eq(weir_capacity_prompt_seconds(&capacity, 0, 100, none), 0);
	ck_assert_double_eq_tol(weir_capacity_prompt_seconds(&capacity, 500, 500, none), 0.5, 1e-12);
	ck_assert_double_eq_tol(weir_capacity_token_seconds(&capacity, (weir_decoding){20, 0}), 0.03,
	                        1e-12);
	/* Memory: 10,000 / 300 = 33 tasks; the batch limit: 64. */
	ck_assert_int_eq(weir_capacity_most_tasks(&capacity, 300), 33);
	ck_assert_int_eq(weir_capacity_most_tasks(&capacity, 10), 64);
	ck_assert_int_eq(weir_capacity_most_tasks(&capacity, 20000), 1);
	ck_assert_double_eq(weir_capacity_price(&f.application, 1), 8);
}
END_TEST

START_TEST(an_iteration_costs_its_start_and_long_prompts_are_cut)
{
	llm_start(&f, NULL, NULL, 0);
	f.times[0].speed.prompt_s = 0.1;
	weir_capacity capacity = weir_capacity_of(&f.application, 0);
	/* 2500 tokens: 1000 + 1000 + 500, so three starts; whole: one. */
	ck_assert_double_eq_tol(weir_capacity_prompt_seconds(&capacity, 2500, 2500, (weir_decoding){0}),
	                        2.8, 1e-12);
	capacity.chunked = false;
	ck_assert_double_eq_tol(weir_capacity_prompt_seconds(&capacity, 2500, 2500, (weir_decoding){0}),
	                        2.6, 1e-12);
}
END_TEST

START_TEST(best_batch_by_bisection)
{
	llm_start(&f, NULL, NULL, 0);
	weir_capacity capacity = weir_capacity_of(&f.application, 0);
	double seconds = 0;
	/* 0.01 + 0.001 n <= 0.0305: 20 tasks, of 33 that fit. */
	ck_assert_int_eq(weir_capacity_best_batch(&capacity, 300, 0.0305, &seconds), 20);
	ck_assert_double_eq_tol(seconds, 0.03, 1e-12);
	ck_assert_int_eq(weir_capacity_best_batch(&capacity, 300, 1, &seconds), 33);
	ck_assert_int_eq(weir_capacity_best_batch(&capacity, 300, 0.001, &seconds), 1);
	ck_assert_double_eq_tol(seconds, 0.011, 1e-12);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/capacity");
	TCase *tests = tcase_create("capacity");
	tcase_add_test(tests, by_hand);
	tcase_add_test(tests, an_iteration_costs_its_start_and_long_prompts_are_cut);
	tcase_add_test(tests, best_batch_by_bisection);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
