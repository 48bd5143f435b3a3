/* KEDA, rule by rule. "Docs" are keda-docs 2.17, concepts/scaling-deployments and
 * reference/scaledobject-spec; "executor" is pkg/scaling/executor/scale_scaledobjects.go. */
#include "scaling/policy_keda.h"

#include <string.h>

#include "support/test_support.h"
#include "support/views.h"

static hand_view hand;

static void begin(hand_policy *policy, const char *json)
{
	hand_policy_start(policy, &weir_policy_keda, &weir_keda_keys, json, WEIR_TAG_MIXED);
}

/* After a view of `size` ACTIVE instances, the first of which has `load` requests. */
static int64_t after(hand_policy *policy, double now, uint32_t size, uint32_t load,
                     uint64_t waiting)
{
	hand_view_begin(&hand, now, 15);
	hand_view_add_active(&hand, WEIR_TAG_MIXED, size, 0);
	if (size > 0) {
		hand.instances[0].requests = load;
	}
	hand.view.waiting_at_scheduler = waiting;
	return hand_policy_size(policy, hand_view_finish(&hand));
}

/* Docs, activation: from 0 to 1 (or the minimum) when there is activity, looked for every
 * pollingInterval. */
START_TEST(from_zero_to_one)
{
	hand_policy policy;
	begin(&policy, "{}");
	ck_assert_int_eq(after(&policy, 0, 0, 0, 0), 0);
	ck_assert_int_eq(after(&policy, 15, 0, 0, 90), 0); /* not looked at */
	ck_assert_int_eq(after(&policy, 30, 0, 0, 90), 1);
	ck_assert_int_eq(after(&policy, 45, 1, 10, 0), 1);
	hand_policy_end(&policy);
	begin(&policy, "{'min_replica_count': 3}");
	ck_assert_int_eq(after(&policy, 0, 0, 0, 1), 3);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, activating and scaling thresholds: activity is a value above activationThreshold. */
START_TEST(activation_threshold)
{
	for (uint32_t requests = 5; requests <= 6; requests++) {
		hand_policy policy;
		begin(&policy, "{'activation_threshold': 5}");
		hand_view_begin(&hand, 0, 15);
		hand_view_add(&hand, WEIR_TAG_MIXED, WEIR_INSTANCE_DRAINING)->requests = requests;
		int64_t size = hand_policy_size(&policy, hand_view_finish(&hand));
		ck_assert_int_eq(size, requests == 6 ? 1 : 0);
		hand_policy_end(&policy);
	}
	/* Who waits for an instance is activity, whatever the metric and its threshold. */
	hand_policy policy;
	begin(&policy, "{'metric': 'kv', 'activation_threshold': 5}");
	ck_assert_int_eq(after(&policy, 0, 0, 0, 1), 1);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, cooldownPeriod: to 0 when more than 300 s have passed since there was activity. */
START_TEST(to_zero_after_the_cooldown)
{
	hand_policy policy;
	begin(&policy, "{}");
	ck_assert_int_eq(after(&policy, 0, 1, 1, 0), 1);
	ck_assert_int_eq(after(&policy, 30, 1, 1, 0), 1); /* the last activity */
	for (double now = 45; now < 360; now += 15) {
		ck_assert_int_eq(after(&policy, now, 1, 0, 0), 1);
	}
	ck_assert_int_eq(after(&policy, 360, 1, 0, 0), 0);
	ck_assert_int_eq(after(&policy, 375, 0, 0, 0), 0);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, initialCooldownPeriod; executor: without any activity so far it runs from the creation. */
START_TEST(initial_cooldown)
{
	hand_policy policy;
	begin(&policy, "{}");
	ck_assert_int_eq(after(&policy, 0, 2, 0, 0), 2);
	ck_assert_int_eq(after(&policy, 15, 2, 0, 0), 2);
	ck_assert_int_eq(after(&policy, 30, 2, 0, 0), 0);
	hand_policy_end(&policy);
	begin(&policy, "{'initial_cooldown_period': 100}");
	for (double now = 0; now < 120; now += 15) {
		ck_assert_int_eq(after(&policy, now, 2, 0, 0), 2);
	}
	ck_assert_int_eq(after(&policy, 120, 2, 0, 0), 0);
	hand_policy_end(&policy);
}
END_TEST

/* Docs: between 1 and N an HPA with AverageValue: ceil(total / target). */
START_TEST(between_one_and_many)
{
	hand_policy policy;
	begin(&policy, "{'max_replica_count': 7}");
	ck_assert_int_eq(after(&policy, 0, 2, 45, 0), 5);   /* 4.5 */
	ck_assert_int_eq(after(&policy, 15, 5, 40, 9), 5);  /* 49: 0.98 of 50 */
	ck_assert_int_eq(after(&policy, 30, 5, 40, 17), 6); /* 5.7: who waits belongs to it */
	ck_assert_int_eq(after(&policy, 45, 6, 900, 0), 7);
	hand_policy_end(&policy);
	begin(&policy, "{'metric': 'kv', 'target': 0.5}");
	hand_view_begin(&hand, 0, 15);
	for (int i = 0; i < 4; i++) {
		hand_view_add(&hand, WEIR_TAG_MIXED, WEIR_INSTANCE_ACTIVE)->load_kv = 0.8;
	}
	/* 3.2 / 0.5 = 6.4 */
	ck_assert_int_eq(hand_policy_size(&policy, hand_view_finish(&hand)), 7);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, behavior: the HPA's window holds between N and 1, the cooldown between 1 and 0. */
START_TEST(an_idle_pool_goes_to_zero)
{
	hand_policy policy;
	begin(&policy, "{'cooldown_period': 600}");
	int64_t size = after(&policy, 0, 6, 60, 0);
	ck_assert_int_eq(size, 6);
	for (double now = 15; now < 300; now += 15) {
		ck_assert_int_eq(after(&policy, now, 6, 0, 0), 6);
	}
	ck_assert_int_eq(after(&policy, 300, 6, 0, 0), 1);
	for (double now = 315; now <= 615; now += 15) {
		ck_assert_int_eq(after(&policy, now, 1, 0, 0), 1);
	}
	ck_assert_int_eq(after(&policy, 630, 1, 0, 0), 0);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, idleReplicaCount: 0 without activity, at least the minimum with it. */
START_TEST(idle_replicas)
{
	hand_policy policy;
	begin(&policy, "{'idle_replica_count': 0, 'min_replica_count': 3}");
	ck_assert_int_eq(after(&policy, 0, 0, 0, 0), 0);
	ck_assert_int_eq(after(&policy, 30, 0, 0, 1), 3);
	ck_assert_int_eq(after(&policy, 60, 2, 1, 0), 3);
	for (double now = 75; now < 390; now += 15) {
		ck_assert_int_eq(after(&policy, now, 3, 0, 0), 3);
	}
	ck_assert_int_eq(after(&policy, 390, 3, 0, 0), 0);
	hand_policy_end(&policy);
}
END_TEST

/* Executor: without idle replicas the minimum holds without activity as well. */
START_TEST(the_minimum_holds)
{
	hand_policy policy;
	begin(&policy, "{'min_replica_count': 2}");
	ck_assert_int_eq(after(&policy, 0, 0, 0, 0), 2);
	ck_assert_int_eq(after(&policy, 30, 1, 0, 0), 2);
	for (double now = 45; now < 1000; now += 15) {
		ck_assert_int_eq(after(&policy, now, 2, 0, 0), 2);
	}
	hand_policy_end(&policy);
}
END_TEST

START_TEST(refuses_what_contradicts_itself)
{
	static const char *const wrong[][2] = {
	    {"{'min_replica_count': 7, 'max_replica_count': 6}", "min_replica_count"},
	    {"{'idle_replica_count': 0}", "idle_replica_count"},
	    {"{'idle_replica_count': 1, 'min_replica_count': 2}", "idle_replica_count"},
	};
	weir_arena *arena = weir_arena_create();
	for (size_t i = 0; i < 3; i++) {
		weir_keda_config config;
		weir_error error;
		ck_assert_int_eq(hand_read(arena, &weir_keda_keys, wrong[i][0], &config, &error),
		                 WEIR_ERROR_INPUT);
		ck_assert_ptr_nonnull(strstr(error.where, wrong[i][1]));
	}
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_keda");
	TCase *tests = tcase_create("policy_keda");
	tcase_add_test(tests, from_zero_to_one);
	tcase_add_test(tests, activation_threshold);
	tcase_add_test(tests, to_zero_after_the_cooldown);
	tcase_add_test(tests, initial_cooldown);
	tcase_add_test(tests, between_one_and_many);
	tcase_add_test(tests, an_idle_pool_goes_to_zero);
	tcase_add_test(tests, idle_replicas);
	tcase_add_test(tests, the_minimum_holds);
	tcase_add_test(tests, refuses_what_contradicts_itself);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
