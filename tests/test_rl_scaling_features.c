/* Features of made-up views against the table of docs/environment.md, by hand. */
#include <math.h>
#include <string.h>

#include "rl/scaling_features.h"
#include "support/test_support.h"
#include "support/views.h"

static hand_view hand;
static weir_scaling_task task;
static weir_feature_memory memory;
static weir_feature_input input;
static double values[WEIR_FEATURE_COUNT];

static void setup(void)
{
	task = (weir_scaling_task){.stack_size = 4};
	task.features = (weir_scaling_features_config){.network_gb_per_s = 200, .day = 86400};
	memory = weir_feature_memory_begin();
	input = (weir_feature_input){.view = &hand.view, .max_total_instances = 100};
	hand_view_begin(&hand, 30, 10);
}

static void fill(void)
{
	input.view = hand_view_finish(&hand);
	weir_features_fill(&task.features, &input, &memory, values);
	for (int f = 0; f < WEIR_FEATURE_COUNT; f++) {
		ck_assert_msg(isfinite(values[f]), "feature %d is %g", f, values[f]);
	}
}

#define ASSERT_FEATURE(name, expected)                                                             \
	ck_assert_double_eq_tol(values[WEIR_FEATURE_##name], expected, 1e-12)

/* log1p(x) / 15 of e - 1, e^3 - 1, ...: thirds and fifteenths. */
START_TEST(rates_and_lengths)
{
	hand.view.arrivals = 10 * (exp(3) - 1);
	hand.view.prompt_tokens_arrived = hand.view.arrivals * 1024;
	hand.view.output_tokens_arrived = hand.view.arrivals * 512;
	hand.view.pools[WEIR_TAG_PROMPT].prompt_tokens = 10 * (exp(6) - 1);
	hand.view.pools[WEIR_TAG_TOKEN].output_tokens = 5 * (exp(9) - 1);
	hand.view.pools[WEIR_TAG_MIXED].output_tokens = 5 * (exp(9) - 1);
	fill();
	ASSERT_FEATURE(arrival_rate, 3.0 / 15);
	ASSERT_FEATURE(prompt_token_rate, 6.0 / 15);
	ASSERT_FEATURE(output_token_rate, 9.0 / 15);
	ASSERT_FEATURE(prompt_length, 0.25);
	ASSERT_FEATURE(output_length, 0.25);
}
END_TEST

START_TEST(nothing_arrived)
{
	hand_view_begin(&hand, 0, 0);
	fill();
	ASSERT_FEATURE(arrival_rate, 0);
	ASSERT_FEATURE(prompt_length, 0);
	ASSERT_FEATURE(load_prompt, 0);
	ASSERT_FEATURE(memory, 0);
	ASSERT_FEATURE(kv_network, 0);
	ASSERT_FEATURE(paid, 0);
}
END_TEST

START_TEST(cut_to_bounds)
{
	hand.view.arrivals = 1e12;
	hand.view.prompt_tokens_arrived = 1e18;
	hand.view.output_tokens_arrived = 1e18;
	hand.view.kv_bytes_moved = 1e20;
	hand.view.servers_active = 1;
	hand.view.queued_wait = 1e9;
	hand_view_add_active(&hand, WEIR_TAG_PROMPT, 120, 0);
	fill();
	ASSERT_FEATURE(arrival_rate, 1);
	ASSERT_FEATURE(prompt_length, 1);
	ASSERT_FEATURE(output_length, 1);
	ASSERT_FEATURE(kv_network, 1);
	ASSERT_FEATURE(queue_wait, 1);
	ASSERT_FEATURE(active_prompt, 1);
}
END_TEST

START_TEST(queues)
{
	weir_view_instance *instance = hand_view_add(&hand, WEIR_TAG_PROMPT, WEIR_INSTANCE_ACTIVE);
	instance->pending_prompt_tokens = 999;
	instance->queued_tokens = 4;
	instance = hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_DRAINING);
	instance->pending_prompt_tokens = 9000;
	instance->queued_tokens = 45;
	hand.view.queued_wait = 10;
	fill();
	ASSERT_FEATURE(queued_prompt_tokens, log(10000) / 15);
	ASSERT_FEATURE(queued_token_tasks, log(50) / 15);
	ASSERT_FEATURE(queue_wait, tanh(1));
}
END_TEST

/* By list: a token instance lent to the mixed list counts there. Loads: the greater of kv and
 * batch, ACTIVE ones alone. */
START_TEST(lists_and_loads)
{
	weir_view_instance *instance = hand_view_add(&hand, WEIR_TAG_PROMPT, WEIR_INSTANCE_ACTIVE);
	instance->load_kv = 0.2;
	instance->load_batch = 0.6;
	instance->load_busy = 0.5;
	instance = hand_view_add(&hand, WEIR_TAG_PROMPT, WEIR_INSTANCE_ACTIVE);
	instance->load_kv = 0.8;
	instance->load_batch = 0.1;
	instance->load_busy = 1;
	instance = hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_ACTIVE);
	instance->list = WEIR_TAG_MIXED;
	instance->load_kv = 0.4;
	instance = hand_view_add(&hand, WEIR_TAG_MIXED, WEIR_INSTANCE_ACTIVE);
	instance->load_kv = 7; /* promised to a queue */
	instance = hand_view_add(&hand, WEIR_TAG_PROMPT, WEIR_INSTANCE_DRAINING);
	instance->load_kv = 1;
	fill();
	ASSERT_FEATURE(active_prompt, 0.02);
	ASSERT_FEATURE(active_token, 0);
	ASSERT_FEATURE(active_mixed, 0.02);
	ASSERT_FEATURE(load_prompt, 0.7);
	ASSERT_FEATURE(load_token, 0);
	ASSERT_FEATURE(load_mixed, 0.7);
	ASSERT_FEATURE(busy_prompt, 0.75);
	ASSERT_FEATURE(busy_mixed, 0);
}
END_TEST

START_TEST(memory_and_network)
{
	for (int i = 0; i < 3; i++) {
		weir_view_instance *instance = hand_view_add(
		    &hand, WEIR_TAG_TOKEN, i < 2 ? WEIR_INSTANCE_ACTIVE : WEIR_INSTANCE_SCALING_UP);
		instance->memory = 100 + 300 * i;
		instance->memory_limit = 1000;
	}
	hand.view.kv_bytes_moved = 2e12;
	hand.view.servers_active = 4;
	fill();
	ASSERT_FEATURE(memory, 0.25);
	ASSERT_FEATURE(kv_network, 0.25); /* 2e12 / (10 s * 200e9 * 4) */
	task.features.network_gb_per_s = 400;
	weir_features_fill(&task.features, &input, &memory, values);
	ASSERT_FEATURE(kv_network, 0.125);
}
END_TEST

/* An interval without completions repeats the last known slowdowns, also where only one of the two
 * is not known; before any they are those of an unloaded cluster. */
START_TEST(slowdowns)
{
	fill();
	ASSERT_FEATURE(ttft_p50, tanh(1 / 2.0));
	ASSERT_FEATURE(tbt_p99, tanh(1 / 5.0));
	hand_view_begin(&hand, 40, 10);
	hand.view.latencies.count = 5;
	hand.view.latencies.ttft_slowdown = (weir_view_quantiles){2, 2, 3, 12};
	hand.view.latencies.tbt_slowdown = (weir_view_quantiles){1, 2.5, 3, 10};
	fill();
	ASSERT_FEATURE(ttft_p50, tanh(1));
	ASSERT_FEATURE(ttft_p90, tanh(1));
	ASSERT_FEATURE(ttft_p99, tanh(2));
	ASSERT_FEATURE(tbt_p50, tanh(2));
	ASSERT_FEATURE(tbt_p90, tanh(2));
	ASSERT_FEATURE(tbt_p99, tanh(2));
	hand_view_begin(&hand, 50, 10);
	hand.view.latencies.count = 1;
	hand.view.latencies.ttft_slowdown = (weir_view_quantiles){1, 1, 1, 1};
	fill();
	ASSERT_FEATURE(ttft_p50, tanh(0.5));
	ASSERT_FEATURE(tbt_p50, tanh(2));
	hand_view_begin(&hand, 60, 10);
	fill();
	ASSERT_FEATURE(ttft_p50, tanh(0.5));
	ASSERT_FEATURE(tbt_p99, tanh(2));
}
END_TEST

START_TEST(scaling_group)
{
	for (int i = 0; i < 3; i++) {
		hand_view_add(&hand, WEIR_TAG_PROMPT, WEIR_INSTANCE_SCALING_UP);
		hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_DRAINING);
	}
	hand_view_add(&hand, WEIR_TAG_MIXED, WEIR_INSTANCE_DRAINING);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		hand.view.pools[tag].next_ready = tag == WEIR_TAG_PROMPT ? 30 : (double)INFINITY;
	}
	fill();
	ASSERT_FEATURE(booting_prompt, 0.03);
	ASSERT_FEATURE(booting_token, 0);
	ASSERT_FEATURE(booting_mixed, 0);
	ASSERT_FEATURE(draining_prompt, 0);
	ASSERT_FEATURE(draining_token, 0.03);
	ASSERT_FEATURE(draining_mixed, 0.01);
	ASSERT_FEATURE(next_ready_prompt, tanh(0.5));
	ASSERT_FEATURE(next_ready_token, 1);
	ASSERT_FEATURE(next_ready_mixed, 1);
}
END_TEST

START_TEST(other_groups)
{
	hand.view.now = 21600;
	hand.view.arrivals = 40;
	hand.view.pools[WEIR_TAG_PROMPT].paid_seconds[WEIR_INSTANCE_ACTIVE] = 200;
	hand.view.pools[WEIR_TAG_TOKEN].paid_seconds[WEIR_INSTANCE_SCALING_UP] = 50;
	hand.view.no_prompt_candidate = 99;
	hand.view.no_token_candidate = 9;
	input.last_action[0] = 0.5;
	input.last_action[1] = -1;
	input.last_action[2] = 7; /* an agent's mean may lie outside */
	input.demand[WEIR_TAG_TOKEN] = 12.5;
	memory.arrival_rate = 2;
	fill();
	ASSERT_FEATURE(last_prompt, 0.5);
	ASSERT_FEATURE(last_token, -1);
	ASSERT_FEATURE(last_migrate, 1);
	ASSERT_FEATURE(arrival_rate_change, tanh((4 - 2) / 2.0));
	ASSERT_FEATURE(paid, 0.25);
	ASSERT_FEATURE(time_sin, 1);
	ASSERT_FEATURE(time_cos, 0);
	ASSERT_FEATURE(blocked_prompt, log(100) / 15);
	ASSERT_FEATURE(blocked_token, log(10) / 15);
	ASSERT_FEATURE(demand_token, 0.125);
	ASSERT_FEATURE(demand_prompt, 0);
	hand_view_begin(&hand, 30, 10);
	hand.view.arrivals = 5;
	fill();
	ASSERT_FEATURE(arrival_rate_change, tanh((0.5 - 4) / 4));
}
END_TEST

static size_t count_of(int mode)
{
	weir_feature_set set;
	task.mode = mode;
	ck_assert(weir_feature_set_create(&task, &set));
	size_t count = set.count;
	ck_assert_uint_eq(set.space.size, count * (size_t)task.stack_size);
	for (size_t i = 0; i < set.space.size; i++) {
		const weir_dimension *one = &set.dimensions[i];
		ck_assert(one->low <= 0 && one->high >= 0); /* zeros before the first */
		for (size_t j = 0; j < i; j++) {
			ck_assert_str_ne(one->name, set.dimensions[j].name);
		}
	}
	weir_feature_set_destroy(&set);
	return count;
}

/* The 22 of the table; with both default groups 22 + 9 + 3; an agent of one pool sees the shared
 * ones and its own. */
START_TEST(which_are_seen)
{
	ck_assert_uint_eq(count_of(WEIR_SCALING_JOINT), 22);
	/* all but output rate, token tasks, active and load of tokens, three of TBT */
	ck_assert_uint_eq(count_of(WEIR_SCALING_PROMPT), 22 - 7);
	/* all but prompt rate, prompt tokens, wait, active and load of prompts, three of TTFT */
	ck_assert_uint_eq(count_of(WEIR_SCALING_TOKEN), 22 - 8);
	task.features.scaling = task.features.last_action = true;
	ck_assert_uint_eq(count_of(WEIR_SCALING_JOINT), 34);
	task.features.rps_delta = true;
	ck_assert_uint_eq(count_of(WEIR_SCALING_JOINT), 35);
	task.features.busy = task.features.billing = task.features.time = true;
	ck_assert_uint_eq(count_of(WEIR_SCALING_JOINT), 41);
	task.features.blocked = task.features.demand = true;
	ck_assert_uint_eq(count_of(WEIR_SCALING_JOINT), WEIR_FEATURE_COUNT);
}
END_TEST

/* Oldest first, zeros before the first. */
START_TEST(stack)
{
	weir_feature_set set;
	task.stack_size = 3;
	ck_assert(weir_feature_set_create(&task, &set));
	ck_assert_str_eq(set.dimensions[0].name, "arrival_rate[-2]");
	ck_assert_str_eq(set.dimensions[set.count].name, "arrival_rate[-1]");
	ck_assert_str_eq(set.dimensions[2 * set.count].name, "arrival_rate[0]");
	ck_assert_str_eq(set.dimensions[2 * set.count + 21].name, "tbt_p99[0]");
	float seen[3 * WEIR_FEATURE_COUNT] = {0};
	for (int push = 1; push <= 4; push++) {
		for (int f = 0; f < WEIR_FEATURE_COUNT; f++) {
			values[f] = push + f / 64.0;
		}
		weir_feature_stack_push(&set, values, seen);
		for (int age = 0; age < 3; age++) {
			for (size_t f = 0; f < set.count; f++) {
				double expected = push - age > 0 ? push - age + (double)f / 64 : 0;
				ck_assert_double_eq((double)seen[(size_t)(2 - age) * set.count + f], expected);
			}
		}
	}
	weir_feature_set_destroy(&set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_features");
	TCase *cases = tcase_create("features");
	tcase_add_checked_fixture(cases, setup, NULL);
	tcase_add_test(cases, rates_and_lengths);
	tcase_add_test(cases, nothing_arrived);
	tcase_add_test(cases, cut_to_bounds);
	tcase_add_test(cases, queues);
	tcase_add_test(cases, lists_and_loads);
	tcase_add_test(cases, memory_and_network);
	tcase_add_test(cases, slowdowns);
	tcase_add_test(cases, scaling_group);
	tcase_add_test(cases, other_groups);
	tcase_add_test(cases, which_are_seen);
	tcase_add_test(cases, stack);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
