#include "scaling/policy_wva.h"

#include "support/llm_views.h"
#include "support/test_support.h"

static llm_fixture f;
static weir_wva_config config;
static const weir_policy_type *const type = &weir_policy_wva;

static void begin(void)
{
	llm_defaults(&weir_wva_keys, &config);
	llm_start(&f, type, &config, 4);
	llm_add(&f, WEIR_TAG_MIXED, 0);
	llm_add(&f, WEIR_TAG_MIXED, 1);
	llm_add(&f, WEIR_TAG_MIXED, 1);
}

static void load(int64_t kv, uint32_t queue)
{
	for (size_t i = 0; i < f.view.instance_count; i++) {
		f.instances[i].kv_tokens = kv;
		f.instances[i].queued_prompts = queue;
	}
}

/* analyzer.go: up below 0.10 spare KV or 3 spare queue, the cheapest; down, the dearest, when the
 * load of three on two leaves both. */
START_TEST(thresholds)
{
	begin();
	load(7100, 0); /* 0.8 - 0.71 = 0.09 */
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	ck_assert_int_eq(llm_change(&f, 1), 0);
	load(6900, 0); /* 0.11 spare; on two 1.035 */
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_uint_eq(f.decision.count, 0);
	load(0, 3); /* 2 spare */
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	load(4700, 0); /* 0.705 on two: 0.095 spare */
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_uint_eq(f.decision.count, 0);
	load(4600, 0); /* 0.69: 0.11 */
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 1), -1);
	ck_assert_int_eq(llm_change(&f, 0), 0);
	/* Saturated instances do not count in the means: 0.5 spare of two, 1 saturated. */
	load(3000, 0);
	f.instances[0].kv_tokens = 9000;
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 1), -1);
	/* All are: no spare at all. */
	load(9000, 0);
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	llm_end(&f);
}
END_TEST

/* The cheapest is added to and the dearest taken from, whichever comes first. */
START_TEST(by_price)
{
	begin();
	llm_add(&f, WEIR_TAG_MIXED, 0);
	load(0, 0);
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 1), -1);
	f.skus[0].price_per_hour = 100;
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 0), -1);
	load(7500, 0);
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 1), 1);
	llm_end(&f);
}
END_TEST

/* Metrics are maxima over a minute. */
START_TEST(maxima_of_a_minute)
{
	begin();
	load(7500, 0);
	llm_tick(&f, type, 15, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	load(0, 0);
	for (int i = 0; i < 3; i++) {
		llm_tick(&f, type, 15, 0, 0, 0);
		ck_assert_uint_eq(f.decision.count, 0);
	}
	llm_tick(&f, type, 15, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 0), 1);
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 1), -1);
	llm_end(&f);
}
END_TEST

/* A type with an instance that boots is passed over; by default the whole pool waits. */
START_TEST(pending)
{
	begin();
	load(7500, 0);
	llm_add(&f, WEIR_TAG_MIXED, 0)->state = WEIR_INSTANCE_SCALING_UP;
	f.view.pools[WEIR_TAG_MIXED].count[WEIR_INSTANCE_ACTIVE]--;
	f.view.pools[WEIR_TAG_MIXED].count[WEIR_INSTANCE_SCALING_UP]++;
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_uint_eq(f.decision.count, 0);
	config.hold_in_transition = false;
	llm_tick(&f, type, 61, 0, 0, 0);
	ck_assert_int_eq(llm_change(&f, 1), 1);
	llm_end(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_wva");
	TCase *tests = tcase_create("wva");
	tcase_add_test(tests, thresholds);
	tcase_add_test(tests, by_price);
	tcase_add_test(tests, maxima_of_a_minute);
	tcase_add_test(tests, pending);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
