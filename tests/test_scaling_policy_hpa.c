/* Kubernetes' HPA as a policy: which instances are pods, and what it makes of a load. Its
 * arithmetic has a test of its own. */
#include "scaling/policy_hpa.h"

#include <math.h>
#include <string.h>

#include "support/test_support.h"
#include "support/views.h"

static hand_view hand;

static void begin(hand_policy *policy, const char *json)
{
	hand_policy_start(policy, &weir_policy_hpa, &weir_hpa_keys, json, WEIR_TAG_TOKEN);
}

/* The size after a view of `size` ACTIVE instances that share `load` requests evenly. */
static int64_t after(hand_policy *policy, double now, int64_t size, double load)
{
	hand_view_begin(&hand, now, 15);
	for (int64_t i = 0; i < size; i++) {
		hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_ACTIVE)->load_concurrency =
		    load / (double)size;
	}
	hand_view_add_active(&hand, WEIR_TAG_PROMPT, 3, 77); /* no pods of this one */
	return hand_policy_size(policy, hand_view_finish(&hand));
}

/* Kubernetes website, Horizontal Pod Autoscaling, algorithm details: ceil(size * mean / target). */
START_TEST(follows_the_mean)
{
	hand_policy policy;
	begin(&policy, "{}");
	ck_assert_int_eq(after(&policy, 0, 4, 52), 6); /* 13 / 10 * 4 = 5.2 */
	ck_assert_int_eq(after(&policy, 15, 6, 60), 6);
	ck_assert_int_eq(after(&policy, 30, 6, 66), 6); /* 1.1: tolerated */
	hand_policy_end(&policy);
}
END_TEST

/* replica_calculator.go, grouping of pods: pods that go are not seen, Pending ones are unready, and
 * running ones without a figure are missing. */
START_TEST(what_is_a_pod)
{
	hand_policy policy;
	begin(&policy, "{'metric': 'busy', 'target': 0.5}");
	hand_view_begin(&hand, 0, 15);
	for (int i = 0; i < 4; i++) {
		hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_ACTIVE)->load_busy = 0.7;
	}
	hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_DRAINING)->load_busy = 1;
	/* 0.7 / 0.5 * 4 = 5.6; with the one that goes it were 3.8 / 0.5 = 7.6 */
	ck_assert_int_eq(hand_policy_size(&policy, hand_view_finish(&hand)), 6);

	hand_view_begin(&hand, 15, 15);
	for (int i = 0; i < 4; i++) {
		hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_ACTIVE)->load_busy = 1;
	}
	hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_SCALING_UP)->load_busy = 0;
	/* 4000 / 5 = 800; 1.6 * 5 = 8 */
	ck_assert_int_eq(hand_policy_size(&policy, hand_view_finish(&hand)), 8);
	hand_policy_end(&policy);

	begin(&policy, "{'metric': 'busy', 'target': 0.5,"
	               " 'behavior': {'scale_down': {'stabilization_window': 0}}}");
	hand_view_begin(&hand, 0, 15);
	for (int i = 0; i < 3; i++) {
		hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_ACTIVE)->load_busy = i < 2 ? 0.1 : NAN;
	}
	for (int i = 0; i < 3; i++) {
		hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_SCALING_UP);
	}
	/* 0.2 over 2; (100 + 100 + 500) / 3 = 233; 0.466 * 3 = 1.4 */
	ck_assert_int_eq(hand_policy_size(&policy, hand_view_finish(&hand)), 2);
	hand_policy_end(&policy);
}
END_TEST

/* All pods boot: the metric is not known, and nothing changes. */
START_TEST(nothing_is_decided_without_ready_pods)
{
	hand_policy policy;
	begin(&policy, "{}");
	hand_view_begin(&hand, 0, 15);
	hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_SCALING_UP);
	ck_assert_uint_eq(hand_policy_decide(&policy, hand_view_finish(&hand)).count, 0);
	hand_policy_end(&policy);
}
END_TEST

/* replica_calculator.go, for cpu: within the initialization period a figure counts when its window
 * began after the pod became ready. */
START_TEST(young_instances_wait_for_a_whole_interval)
{
	static const struct {
		double created, ready;
		int64_t size;
	} cases[] = {
	    /* 2 at 20 and one unready, 40 / 3 = 13.333; 1.3333 * 3 = 3.9999 */
	    {900, 990, 4},
	    {900, 985, 6}, /* ready for the 15 s: (40 + 20) / 3 = 20; 2 * 3 */
	    {690, 990, 6}, /* older than 300 s */
	};
	for (size_t i = 0; i < 3; i++) {
		hand_policy policy;
		begin(&policy, "{'initialization_period': 300}");
		hand_view_begin(&hand, 1000, 15);
		hand_view_add_active(&hand, WEIR_TAG_TOKEN, 3, 20);
		hand.instances[1].created = cases[i].created;
		hand.instances[1].ready_since = cases[i].ready;
		ck_assert_int_eq(hand_policy_size(&policy, hand_view_finish(&hand)), cases[i].size);
		hand_policy_end(&policy);
	}
}
END_TEST

/* Website, support for multiple metrics: the largest holds. horizontal.go: one that fails stops
 * shrinking alone. */
START_TEST(several_metrics)
{
	hand_policy policy;
	begin(&policy, "{'more_metrics': [{'metric': 'kv', 'target': 0.5},"
	               " {'metric': 'busy', 'target': 0.5}],"
	               " 'behavior': {'scale_down': {'stabilization_window': 0}}}");
	static const struct {
		double concurrency, kv, busy;
		int64_t size;
	} cases[] = {
	    {10, 0.8, 0.1, 7}, /* kv: 1.6 * 4 = 6.4 */
	    {2, 0.1, 0.25, 2}, /* busy: 0.5 * 4 */
	    {2, 0.1, NAN, 4},  /* busy fails */
	    {20, 0.1, NAN, 8},
	};
	for (size_t i = 0; i < 4; i++) {
		hand_view_begin(&hand, 15.0 * (double)i, 15);
		for (int k = 0; k < 4; k++) {
			weir_view_instance *instance =
			    hand_view_add(&hand, WEIR_TAG_TOKEN, WEIR_INSTANCE_ACTIVE);
			instance->load_concurrency = cases[i].concurrency;
			instance->load_kv = cases[i].kv;
			instance->load_busy = cases[i].busy;
		}
		ck_assert_int_eq(hand_policy_size(&policy, hand_view_finish(&hand)), cases[i].size);
	}
	hand_policy_end(&policy);
}
END_TEST

/* Website, flapping: with the default window of 300 s a load that swings every 15 s between what 4
 * and what 12 instances carry holds the size at 12. */
START_TEST(alternating_load_does_not_flap)
{
	hand_policy policy;
	begin(&policy, "{}");
	int64_t size = 4;
	size_t changes = 0;
	for (int tick = 0; tick < 200; tick++) {
		int64_t next = after(&policy, 15.0 * tick, size, tick % 2 == 0 ? 120 : 40);
		ck_assert_int_ge(next, size);
		changes += next != size;
		size = next;
	}
	ck_assert_int_eq(size, 12);
	ck_assert_uint_eq(changes, 2); /* to max(8, 8), then to 12 */
	hand_policy_end(&policy);

	/* And without a window it does: the window is what holds it. */
	begin(&policy, "{'behavior': {'scale_down': {'stabilization_window': 0}}}");
	changes = 0;
	for (int tick = 0; tick < 200; tick++) {
		int64_t next = after(&policy, 15.0 * tick, size, tick % 2 == 0 ? 120 : 40);
		changes += next != size;
		size = next;
	}
	ck_assert_uint_gt(changes, 190);
	hand_policy_end(&policy);
}
END_TEST

START_TEST(an_idle_pool_shrinks_to_its_minimum)
{
	hand_policy policy;
	begin(&policy, "{'min_replicas': 2}");
	for (double now = 0; now < 300; now += 15) {
		ck_assert_int_eq(after(&policy, now, 12, 0), 12);
	}
	ck_assert_int_eq(after(&policy, 300, 12, 0), 2);
	ck_assert_int_eq(after(&policy, 315, 2, 0), 2);
	hand_policy_end(&policy);
}
END_TEST

START_TEST(refuses_a_minimum_above_the_maximum)
{
	weir_arena *arena = weir_arena_create();
	weir_hpa_config config;
	weir_error error;
	ck_assert_int_eq(
	    hand_read(arena, &weir_hpa_keys, "{'min_replicas': 7, 'max_replicas': 6}", &config, &error),
	    WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "min_replicas"));
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_hpa");
	TCase *tests = tcase_create("policy_hpa");
	tcase_add_test(tests, follows_the_mean);
	tcase_add_test(tests, what_is_a_pod);
	tcase_add_test(tests, nothing_is_decided_without_ready_pods);
	tcase_add_test(tests, young_instances_wait_for_a_whole_interval);
	tcase_add_test(tests, several_metrics);
	tcase_add_test(tests, alternating_load_does_not_flap);
	tcase_add_test(tests, an_idle_pool_shrinks_to_its_minimum);
	tcase_add_test(tests, refuses_a_minimum_above_the_maximum);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
