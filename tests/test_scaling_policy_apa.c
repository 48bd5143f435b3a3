/* AIBrix' APA (pkg/controller/podautoscaler/algorithm/apa.go) and demand by name. */
#include "scaling/policy_apa.h"

#include <math.h>

#include "support/pool_views.h"
#include "support/test_support.h"

static const weir_apa_rule rule = {
    .up_tolerance = 0.1, .down_tolerance = 0.2, .max_scale_up_rate = 2, .max_scale_down_rate = 2};
static const weir_demand_config ten = {.kind = WEIR_DEMAND_CONCURRENCY, .target_concurrency = 10};

/* use / target > 1.1: min(ceil(n use / target), ceil(2 n)); < 0.8: max(ceil(n use / target),
 * floor(n / 2)); else n. */
START_TEST(the_rule_by_hand)
{
	const struct {
		int64_t size;
		double demand;
		int64_t wanted;
	} rows[] = {
	    {4, 44, 4}, /* 1.1 exactly: within */
	    {4, 44.5, 5},
	    {4, 51, 6},
	    {4, 80, 8},
	    {4, 81, 8},
	    {4, 1000, 8},
	    {4, 32, 4},
	    {4, 31, 4}, /* 0.775: ceil(3.1) is what there is */
	    {4, 30, 3},
	    {4, 21, 3},
	    {4, 20, 2},
	    {4, 3, 2},
	    {4, 0, 2},
	    {5, 0, 2},
	    {1, 0, 0},
	    {0, 0, 0},
	    {0, 10, 1},
	    {0, 99, 2},
	    {3, 29.999999999999996, 3},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_int_eq(weir_apa_size(&rule, &ten, rows[i].size, rows[i].demand), rows[i].wanted);
	}
	/* The tolerance is of the ratio: a use of 1.05 at a tolerance of 0 grows. */
	weir_apa_rule strict = {.max_scale_up_rate = 1.5, .max_scale_down_rate = 3};
	ck_assert_int_eq(weir_apa_size(&strict, &ten, 4, 42), 5);
	ck_assert_int_eq(weir_apa_size(&strict, &ten, 5, 1000), 8); /* ceil(7.5) */
	ck_assert_int_eq(weir_apa_size(&strict, &ten, 8, 0), 2);    /* floor(8/3) */
}
END_TEST

START_TEST(instances_are_not_made_of_rounding)
{
	ck_assert_int_eq(weir_demand_instances(&ten, 30), 3);
	ck_assert_int_eq(weir_demand_instances(&ten, 30.000000000001), 3);
	ck_assert_int_eq(weir_demand_instances(&ten, 30.001), 4);
	ck_assert_int_eq(weir_demand_instances(&ten, 0), 0);
	ck_assert_int_eq(weir_demand_instances(&ten, -5), 0);
	ck_assert_int_eq(weir_demand_instances(&ten, 1e300), 1000000000);
}
END_TEST

START_TEST(demand_by_pool_and_name)
{
	weir_view view = {.now = 0, .interval = 0, .prompt_tokens_arrived = 3000};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		view.pools[tag].requests = 7 + tag;
		view.pools[tag].output_tokens = 600 + 60 * tag;
	}
	weir_demand_config tokens = {.kind = WEIR_DEMAND_TOKENS, .target_tokens = 100};
	double seen = NAN, demand = -1;
	/* There is no rate in no time. */
	ck_assert(!weir_demand_observe(&tokens, &view, WEIR_TAG_PROMPT, &seen, &demand));
	ck_assert_double_eq(seen, 0);
	view.now = view.interval = 30;
	const double rates[WEIR_TAG_COUNT] = {[WEIR_TAG_PROMPT] = 100,
	                                      [WEIR_TAG_TOKEN] = 20 + 2 * WEIR_TAG_TOKEN,
	                                      [WEIR_TAG_MIXED] = 120 + 2 * WEIR_TAG_MIXED};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		seen = 0;
		ck_assert(weir_demand_observe(&tokens, &view, (weir_tag)tag, &seen, &demand));
		ck_assert_double_eq(demand, rates[tag]);
		/* The same view again is nothing new. */
		ck_assert(!weir_demand_observe(&tokens, &view, (weir_tag)tag, &seen, &demand));
		seen = NAN;
		ck_assert(weir_demand_observe(&ten, &view, (weir_tag)tag, &seen, &demand));
		ck_assert_double_eq(demand, 7 + tag);
	}
	ck_assert_int_eq(weir_demand_instances(&tokens, 101), 2);
	/* What waits at the scheduler counts where nothing can take it. */
	view.waiting_at_scheduler = 30;
	seen = NAN;
	ck_assert(weir_demand_observe(&ten, &view, WEIR_TAG_TOKEN, &seen, &demand));
	ck_assert_double_eq(demand, 7 + WEIR_TAG_TOKEN + 30);
	view.pools[WEIR_TAG_TOKEN].count[WEIR_INSTANCE_ACTIVE] = 1;
	seen = NAN;
	ck_assert(weir_demand_observe(&ten, &view, WEIR_TAG_TOKEN, &seen, &demand));
	ck_assert_double_eq(demand, 7 + WEIR_TAG_TOKEN);
}
END_TEST

START_TEST(an_idle_pool_is_halved_down_to_its_least)
{
	pool_bench bench;
	ck_assert_ok(pool_bench_open(&bench, &weir_policy_apa, &weir_apa_keys, "{}",
	                             (pool_setting){.tag = WEIR_TAG_MIXED, .interval = 15}),
	             &bench.error);
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 20;
	const int64_t sizes[] = {10, 5, 2, 1, 1};
	for (int i = 0; i < 5; i++) {
		weir_decision decision = pool_bench_tick(&bench, 15 * i);
		ck_assert_int_eq(pool_bench_size_after(&bench, &decision), sizes[i]);
		bench.pool->count[WEIR_INSTANCE_ACTIVE] = (uint32_t)sizes[i];
	}
	/* 16 requests per instance are the default: 33 are too many for one and well for two, 36 are
	 * more than 1.1 * 32. */
	bench.pool->requests = 33;
	weir_decision decision = pool_bench_tick(&bench, 100);
	ck_assert_int_eq(pool_bench_size_after(&bench, &decision), 2);
	bench.pool->count[WEIR_INSTANCE_SCALING_UP] = 1;
	ck_assert_uint_eq(pool_bench_tick(&bench, 115).count, 0);
	bench.pool->requests = 36;
	decision = pool_bench_tick(&bench, 130);
	ck_assert_int_eq(pool_bench_size_after(&bench, &decision), 3);
	pool_bench_close(&bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_apa");
	TCase *tests = tcase_create("apa");
	tcase_add_test(tests, the_rule_by_hand);
	tcase_add_test(tests, instances_are_not_made_of_rounding);
	tcase_add_test(tests, demand_by_pool_and_name);
	tcase_add_test(tests, an_idle_pool_is_halved_down_to_its_least);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
