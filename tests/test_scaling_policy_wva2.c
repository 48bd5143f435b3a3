#include "scaling/policy_wva2.h"

#include "support/llm_views.h"
#include "support/test_support.h"

static llm_fixture f;
static weir_wva2_config config;
static const weir_policy_type *const type = &weir_policy_wva2;

static void begin(void)
{
	llm_defaults(&weir_wva2_keys, &config);
	llm_start(&f, type, &config, 4);
}

/* analyzer.go: of 100 + 100 tokens N = min(1000 * 100 / 200, 64) = 64, k2 = 64 * 150 = 9600, k1 =
 * 8000, so that an instance holds 8000; required = demand / 0.85 - 8000. */
START_TEST(up_by_price_per_capacity)
{
	begin();
	weir_view_instance *a = llm_add(&f, WEIR_TAG_MIXED, 1);
	a->kv_tokens = 6000;
	a->queued_prompts = 4; /* 6400 / 0.85 = 7529 */
	llm_tick(&f, type, 61, 10, 100, 100);
	ck_assert_uint_eq(f.decision.count, 0);
	a->queued_prompts = 0;
	f.view.waiting_at_scheduler = 100; /* 26,000 / 0.85 - 8000 = 22,588: 3 of the cheap type */
	llm_tick(&f, type, 61, 10, 100, 100);
	ck_assert_int_eq(llm_change(&f, 1), 0);
	ck_assert_int_eq(llm_change(&f, 0), 3);
	llm_end(&f);
}
END_TEST

/* k2 is what was in use when the queue was full, and the mean of such values later. */
START_TEST(observed_capacity)
{
	begin();
	weir_view_instance *a = llm_add(&f, WEIR_TAG_MIXED, 0);
	a->kv_tokens = 2000;
	a->queued_prompts = 5; /* 2500 / 0.85 - 2000 = 941: one of 2000 */
	llm_tick(&f, type, 61, 10, 100, 100);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	a->kv_tokens = 4000; /* 4500 / 0.85 - 4000: one of 4000 */
	llm_tick(&f, type, 61, 10, 100, 100);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	a->queued_prompts = 0;
	a->kv_tokens = 2500; /* of the mean, 3000: 2500 / 0.85 = 2941 */
	llm_tick(&f, type, 61, 10, 100, 100);
	ck_assert_uint_eq(f.decision.count, 0);
	a->kv_tokens = 2600; /* 3059 */
	llm_tick(&f, type, 61, 10, 100, 100);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	/* Outputs of 600 tokens have a history of their own: k2 = 64 * 400 there, so 8000. */
	llm_tick(&f, type, 61, 10, 100, 600);
	ck_assert_uint_eq(f.decision.count, 0);
	llm_end(&f);
}
END_TEST

/* cost_aware_optimizer.go: floor(spare / capacity) from the dearest on, the cheapest keeps one. */
START_TEST(down_from_the_dearest)
{
	begin();
	for (int i = 0; i < 4; i++) {
		llm_add(&f, WEIR_TAG_MIXED, (uint32_t)i % 2);
	}
	f.instances[0].kv_tokens = 7000; /* 32,000 - 10,000 = 22,000: two */
	llm_tick(&f, type, 61, 10, 100, 100);
	ck_assert_int_eq(llm_change(&f, 1), -2);
	ck_assert_int_eq(llm_change(&f, 0), 0);
	f.instances[0].kv_tokens = 0; /* idle: 32,000 are to spare */
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 1), -2);
	ck_assert_int_eq(llm_change(&f, 0), -1);
	llm_end(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_wva2");
	TCase *tests = tcase_create("wva2");
	tcase_add_test(tests, up_by_price_per_capacity);
	tcase_add_test(tests, observed_capacity);
	tcase_add_test(tests, down_from_the_dearest);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
