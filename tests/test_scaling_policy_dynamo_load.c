#include "scaling/policy_dynamo_load.h"

#include "support/llm_views.h"
#include "support/test_support.h"

static llm_fixture f;
static weir_dynamo_load_config config;
static const weir_policy_type *const type = &weir_policy_dynamo_load;

static void begin(unsigned tags)
{
	llm_defaults(&weir_dynamo_load_keys, &config);
	llm_start(&f, type, &config, tags);
}

/* load_scaling.py: one more only when every engine's estimated TTFT is past the target. Prompts of
 * 100 tokens: 401 queued tokens make 0.501 s of 0.5. */
START_TEST(prompt_pool)
{
	begin(1);
	weir_view_instance *a = llm_add(&f, WEIR_TAG_PROMPT, 0);
	weir_view_instance *b = llm_add(&f, WEIR_TAG_PROMPT, 0);
	a->pending_prompt_tokens = b->pending_prompt_tokens = 401;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), 3);
	b->pending_prompt_tokens = 399;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), -1);
	/* One less: the doubled queue may take (0.5 - 0.1) * 0.8 = 0.32 s: 320 tokens. */
	a->pending_prompt_tokens = b->pending_prompt_tokens = 161;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), -1);
	a->pending_prompt_tokens = b->pending_prompt_tokens = 159;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), 1);
	/* While one boots nothing is done. */
	f.view.pools[WEIR_TAG_PROMPT].count[WEIR_INSTANCE_SCALING_UP] = 1;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_PROMPT), -1);
	llm_end(&f);
}
END_TEST

/* Likewise the ITL with one more request: 0.01 + 0.001 * 41 s > 0.05. After a scale-in the others'
 * ITL stays below 0.8 of it, and their KV cache fits. */
START_TEST(token_pool)
{
	begin(2);
	weir_view_instance *a = llm_add(&f, WEIR_TAG_TOKEN, 0);
	weir_view_instance *b = llm_add(&f, WEIR_TAG_TOKEN, 0);
	a->requests = b->requests = 40;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_TOKEN), 3);
	/* 2 * 15 + 1 tasks: 0.041 of 0.04 s; 2 * 14 + 1: 0.039. */
	a->requests = b->requests = 15;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_TOKEN), -1);
	a->requests = b->requests = 14;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_TOKEN), 1);
	b->kv_tokens = 5000;
	llm_tick(&f, type, 5, 1, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_TOKEN), -1);
	llm_end(&f);
}
END_TEST

/* The throughput mode's result is the floor of load mode, computed every 180 s. */
START_TEST(floor_of_an_idle_pool)
{
	begin(4);
	for (int i = 0; i < 4; i++) {
		llm_add(&f, WEIR_TAG_MIXED, 0);
	}
	llm_tick(&f, type, 5, 0, 0, 0);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_MIXED), 3);
	/* 35 requests/s of 100 + 100: 0.001 n <= 0.05: 10 requests/s an engine, so 4. */
	llm_tick(&f, type, 175, 180 * 35, 100, 100);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_MIXED), -1);
	llm_tick(&f, type, 180, 0, 0, 0);
	ck_assert_int_eq(llm_size(&f, WEIR_TAG_MIXED), 3);
	llm_end(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_dynamo_load");
	TCase *tests = tcase_create("dynamo_load");
	tcase_add_test(tests, prompt_pool);
	tcase_add_test(tests, token_pool);
	tcase_add_test(tests, floor_of_an_idle_pool);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
