/* Rewards, by hand. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rl/reward.h"
#include "rl/scaling_task.h"
#include "support/test_support.h"
#include "support/views.h"

static weir_arena *arena;
static weir_reward_facts facts;
static double terms[WEIR_MOST_REWARD_TERMS];
static double coefficient;

/* Ten seconds of 20 prompt and 10 token instances of half the dearest price; 100 completed. */
static void setup(void)
{
	arena = weir_arena_create();
	facts = (weir_reward_facts){
	    .interval = 10,
	    .paid_sku = 150,
	    .paid_role = 260,
	    .cost_usd = 2,
	    .max_total_instances = 100,
	    .reference_usd_per_hour = 1440,
	    .arrived = 80,
	    .completed = 100,
	    .operations = 4,
	    .has_list = {true, true, false},
	    .load = {0.7, 0.2, 0.7},
	    .ttft_slowdown = {1, 1, 1, 1},
	    .tbt_slowdown = {1, 1, 1, 1},
	};
	coefficient = 10;
}

static void teardown(void)
{
	weir_arena_destroy(arena);
}

/* The reward that `json` describes, of the facts. */
static double evaluate(const char *json)
{
	weir_scaling_task task;
	weir_error error = {0};
	char text[512];
	snprintf(text, sizeof text, "{'reward': %s}", json);
	ck_assert_ok(hand_read(arena, &weir_scaling_task_keys, text, &task, &error), &error);
	memset(terms, 0, sizeof terms);
	double reward = task.reward.type->evaluate(task.reward.parameters, &coefficient, &facts, terms);
	double sum = 0;
	for (size_t i = 0; i < task.reward.type->term_count; i++) {
		sum += terms[i];
	}
	ck_assert_double_eq_tol(reward, sum, 1e-12);
	return reward;
}

#define ASSERT_TERM(number, expected) ck_assert_double_eq_tol(terms[number], expected, 1e-12)

START_TEST(default_terms)
{
	evaluate("{}");
	ASSERT_TERM(0, 0.5 * -0.15);
	ASSERT_TERM(1, 0);
	ASSERT_TERM(2, 0.1 * -0.4);
	ASSERT_TERM(3, 0.2 * 0.3 * (1 + 0.5) / 2);
	/* 10 of 100 completed past their TTFT limit, 25 overdue on it, none past TBT: 35 of 125. */
	facts.broken_ttft = 10;
	facts.overdue_ttft = facts.overdue = 25;
	evaluate("{}");
	ASSERT_TERM(1, 2 * -0.4 * 0.28 * 0.28);
	facts.broken_tbt = 50;
	evaluate("{'w_slo': 1, 'scale': 10}");
	ASSERT_TERM(1, -10 * (0.4 * 0.28 * 0.28 + 0.6 * 0.4 * 0.4));
	ASSERT_TERM(0, -0.75);
	evaluate("{'prices': 'role', 'w_cost': 1, 'w_switch': 0, 'w_util': 0}");
	ASSERT_TERM(0, -0.26);
	ASSERT_TERM(2, 0);
	ASSERT_TERM(3, 0);
}
END_TEST

/* What is charged at the end of an episode is past both limits. */
START_TEST(charged)
{
	facts.charged = 25;
	evaluate("{}");
	ASSERT_TERM(1, 2 * -(0.2 * 0.2));
	evaluate("{'kind': 'constrained', 'target': 0.95}");
	ASSERT_TERM(1, -10 * 0.15);
	ASSERT_TERM(2, -25.0 / 80);
}
END_TEST

/* Nothing happened: no request, no time, no list. */
START_TEST(nothing)
{
	facts = (weir_reward_facts){.max_total_instances = 100,
	                            .ttft_slowdown = {NAN, NAN, NAN, NAN},
	                            .tbt_slowdown = {NAN, NAN, NAN, NAN}};
	for (size_t i = 0; weir_reward_names[i] != NULL; i++) {
		char json[64];
		snprintf(json, sizeof json, "{'kind': '%s'}", weir_reward_names[i]);
		ck_assert_double_eq(evaluate(json), 0);
	}
}
END_TEST

START_TEST(percentile)
{
	const char *const own = "{'kind': 'percentile', 'w_slo': 1}";
	evaluate(own);
	ASSERT_TERM(1, 0);
	facts.ttft_slowdown = (weir_view_quantiles){3, 3, 3.75, 60}; /* 0.5, 0.25, 1 */
	facts.tbt_slowdown = (weir_view_quantiles){1, 1, 1.8, 5};    /* 0, 0.2, 0 */
	evaluate(own);
	ASSERT_TERM(1, -(0.4 * 1.75 / 3 + 0.6 * 0.2 / 3));
	/* Of 125, 25 overdue: p90 and p99 of both are among them. */
	facts.overdue = facts.overdue_ttft = 25;
	evaluate(own);
	ASSERT_TERM(1, -(0.4 * 2.5 / 3 + 0.6 * 0.2 / 3));
	facts.completed = 0;
	facts.ttft_slowdown = facts.tbt_slowdown = (weir_view_quantiles){NAN, NAN, NAN, NAN};
	evaluate(own);
	ASSERT_TERM(1, -0.4);
}
END_TEST

START_TEST(latency_estimate)
{
	const char *const own = "{'kind': 'latency_estimate', 'w_slo': 1}";
	facts.ttft_estimate = 0.9;
	facts.tbt_estimate = 1.5;
	evaluate(own);
	ASSERT_TERM(1, -0.6 * 0.5);
	facts.ttft_estimate = INFINITY;
	evaluate(own);
	ASSERT_TERM(1, -0.4 * 9 - 0.6 * 0.5);
	ASSERT_TERM(0, 0.5 * -0.15);
}
END_TEST

START_TEST(cost_only)
{
	facts.broken = 100;
	facts.overdue = 1000;
	ck_assert_double_eq_tol(evaluate("{'kind': 'cost_only'}"), -0.15, 1e-12);
	ck_assert_double_eq_tol(evaluate("{'kind': 'cost_only', 'prices': 'role', 'scale': 2}"), -0.52,
	                        1e-12);
}
END_TEST

/* 2 dollars of the 4 that the fleet of the start would have cost, and four operations at a
 * hundredth each. */
START_TEST(constrained)
{
	const char *const own = "{'kind': 'constrained', 'mu': 3}";
	ck_assert_double_eq_tol(evaluate(own), -0.5 - 0.04, 1e-12);
	ASSERT_TERM(0, -0.5);
	ASSERT_TERM(3, -0.04);
	/* 1 of 100 is allowed. */
	facts.broken = 1;
	ck_assert_double_eq_tol(evaluate(own), -0.54, 1e-12);
	/* Failed and rejected ones count: 1 + 15 + 5 + 20 of 140. */
	facts.failed = 15;
	facts.rejected = 5;
	facts.overdue = 20;
	evaluate(own);
	ASSERT_TERM(1, -10 * (41.0 / 140 - 0.01));
	ASSERT_TERM(2, -3 * 20.0 / 80);
	coefficient = 0;
	evaluate(own);
	ASSERT_TERM(1, 0);
	evaluate("{'kind': 'constrained', 'reference_usd_per_hour': 720, 'w_switch': 1}");
	ASSERT_TERM(0, -1);
	ASSERT_TERM(3, -0.4);
	facts.given_reference_usd_per_hour = 360;
	evaluate("{'kind': 'constrained', 'reference_usd_per_hour': 720}");
	ASSERT_TERM(0, -2);
	facts.arrived = 0;
	evaluate(own);
	ASSERT_TERM(2, -60);
}
END_TEST

/* 2 dollars, and each broken request once; the fleet of the start costs 24 dollars in a minute. */
START_TEST(priced)
{
	const char *const own = "{'kind': 'priced'}";
	coefficient = 0.5;
	ck_assert_double_eq_tol(evaluate(own), -2.0 / 24, 1e-12);
	ASSERT_TERM(0, -2.0 / 24);
	/* 3 + 15 + 5 + 20 + 6, of which 12 were overdue before. */
	facts.broken = 3;
	facts.failed = 15;
	facts.rejected = 5;
	facts.overdue = 20;
	facts.charged = 6;
	facts.overdue_before = 12;
	ck_assert_double_eq(weir_reward_newly_broken(&facts), 37);
	evaluate(own);
	ASSERT_TERM(0, -2.0 / 24);
	ASSERT_TERM(1, -0.5 * 37 / 24);
	ASSERT_TERM(2, 0);
	coefficient = 2; /* whatever the key says */
	evaluate("{'kind': 'priced', 'price': 7, 'w_switch': 3, 'scale': 10}");
	ASSERT_TERM(0, -10 * 2.0 / 24);
	ASSERT_TERM(1, -10 * 2.0 * 37 / 24);
	ASSERT_TERM(2, -10 * 3 * 0.4 / 24);
	/* More have caught up than broke. */
	facts.overdue_before = 50;
	evaluate(own);
	ASSERT_TERM(1, 2.0 / 24);
	evaluate("{'kind': 'priced', 'reference_usd_per_hour': 720}");
	ASSERT_TERM(0, -2.0 / 12);
	facts.given_reference_usd_per_hour = 360;
	evaluate("{'kind': 'priced', 'reference_usd_per_hour': 720}");
	ASSERT_TERM(0, -2.0 / 6);
	ASSERT_TERM(1, 2.0 / 6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reward");
	TCase *cases = tcase_create("reward");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, default_terms);
	tcase_add_test(cases, charged);
	tcase_add_test(cases, nothing);
	tcase_add_test(cases, percentile);
	tcase_add_test(cases, latency_estimate);
	tcase_add_test(cases, cost_only);
	tcase_add_test(cases, constrained);
	tcase_add_test(cases, priced);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
