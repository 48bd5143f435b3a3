/* Knative's pod autoscaler, rule by rule. "Docs" are knative.dev, Configuring concurrency, KPA
 * settings and Configuring scale to zero; "autoscaler" is pkg/autoscaler/scaling/autoscaler.go of
 * knative/serving, "scaler" pkg/reconciler/autoscaling/kpa/scaler.go. */
#include "scaling/policy_kpa.h"

#include <string.h>

#include "support/test_support.h"
#include "support/views.h"

static hand_view hand;

static void begin(hand_policy *policy, const char *json)
{
	hand_policy_start(policy, &weir_policy_kpa, &weir_kpa_keys, json, WEIR_TAG_MIXED);
}

/* After a view of `ready` ACTIVE instances, the first of which has `load` requests. */
static int64_t after(hand_policy *policy, double now, uint32_t ready, uint32_t load,
                     uint64_t waiting)
{
	hand_view_begin(&hand, now, 2);
	hand_view_add_active(&hand, WEIR_TAG_MIXED, ready, 0);
	if (ready > 0) {
		hand.instances[0].requests = load;
	}
	hand.view.waiting_at_scheduler = waiting;
	return hand_policy_size(policy, hand_view_finish(&hand));
}

/* A target of 10 requests at a time, and no panic below ten times what is there. */
#define CALM "'target': 10, 'target_utilization': 1, 'panic_threshold_percentage': 1000"

/* Docs, concurrency: a target of 100, of which 70 % are aimed at. */
START_TEST(target_by_default)
{
	static const struct {
		uint32_t load;
		uint64_t waiting;
		int64_t size;
	} cases[] = {{70, 0, 1}, {71, 0, 2}, {70, 1, 2}, {700, 0, 10}};
	for (size_t i = 0; i < 4; i++) {
		hand_policy policy;
		begin(&policy, "{}");
		ck_assert_int_eq(after(&policy, 0, 1, cases[i].load, cases[i].waiting), cases[i].size);
		hand_policy_end(&policy);
	}
}
END_TEST

/* Docs, stable window: the mean of 60 s. */
START_TEST(mean_of_the_stable_window)
{
	hand_policy policy;
	begin(&policy, "{" CALM "}");
	ck_assert_int_eq(after(&policy, 0, 1, 10, 0), 1);
	ck_assert_int_eq(after(&policy, 2, 1, 31, 0), 3); /* 41 / 2 = 20.5 */
	ck_assert_int_eq(after(&policy, 4, 1, 0, 0), 2);  /* 41 / 3 = 13.7 */
	hand_policy_end(&policy);
	begin(&policy, "{" CALM "}");
	for (double now = 0; now < 60; now += 2) {
		ck_assert_int_eq(after(&policy, now, 1, 10, 0), 1);
	}
	/* Those after 0: (29 * 10 + 311) / 30 = 20.03; with that of 0 it were 19.7. The panic window
	 * wants 331 / 3 / 10 -> 12, 6 times what is there. */
	ck_assert_int_eq(after(&policy, 60, 2, 311, 0), 3);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, panic: when the mean of 10 % of the window wants 200 % of what is ready, the larger size is
 * taken, and kept until a stable window has passed without it. */
START_TEST(panic)
{
	hand_policy policy;
	begin(&policy, "{'target': 10, 'target_utilization': 1}");
	for (double now = 0; now < 60; now += 2) {
		ck_assert_int_eq(after(&policy, now, 1, 10, 0), 1);
	}
	/* Of 56, 58, 60: 120 / 3 = 40 -> 4, 4 / 1 >= 2; stable 390 / 30 = 13 -> 2 */
	ck_assert_int_eq(after(&policy, 60, 1, 100, 0), 4);
	for (double now = 62; now <= 120; now += 2) {
		ck_assert_int_eq(after(&policy, now, 4, 10, 0), 4);
	}
	ck_assert_int_eq(after(&policy, 122, 4, 10, 0), 2); /* 1 is wanted, half of 4 allowed */
	ck_assert_int_eq(after(&policy, 124, 2, 10, 0), 1);
	hand_policy_end(&policy);
}
END_TEST

/* Autoscaler: below the threshold the panic window does not matter. */
START_TEST(no_panic_below_the_threshold)
{
	hand_policy policy;
	begin(&policy, "{'target': 10, 'target_utilization': 1, 'panic_threshold_percentage': 401}");
	for (double now = 0; now < 60; now += 2) {
		ck_assert_int_eq(after(&policy, now, 1, 10, 0), 1);
	}
	ck_assert_int_eq(after(&policy, 60, 1, 100, 0), 2);
	hand_policy_end(&policy);
}
END_TEST

/* Autoscaler: every crossing of the threshold prolongs the panic. */
START_TEST(panic_is_prolonged)
{
	hand_policy policy;
	begin(&policy, "{'target': 10, 'target_utilization': 1}");
	ck_assert_int_eq(after(&policy, 0, 1, 20, 0), 2);
	ck_assert_int_eq(after(&policy, 2, 1, 20, 0), 2); /* one still boots */
	for (double now = 4; now <= 62; now += 2) {
		ck_assert_int_eq(after(&policy, now, 2, 0, 0), 2);
	}
	ck_assert_int_eq(after(&policy, 64, 2, 0, 0), 1);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, rates: at most max-scale-up-rate times and at least 1 / max-scale-down-rate of the ready.
 */
START_TEST(rates)
{
	hand_policy policy;
	begin(&policy, "{'target': 10, 'target_utilization': 1, 'max_scale_up_rate': 1.5}");
	ck_assert_int_eq(after(&policy, 0, 3, 1000, 0), 5); /* 4.5 */
	hand_policy_end(&policy);
	begin(&policy, "{" CALM ", 'max_scale_down_rate': 3}");
	ck_assert_int_eq(after(&policy, 0, 1, 0, 0), 1);
	ck_assert_int_eq(after(&policy, 2, 11, 0, 0), 3); /* 3.67 */
	hand_policy_end(&policy);
}
END_TEST

/* Autoscaler: one that starts over several pods starts in panic, without a history to go by. Docs,
 * scale to zero: the last pod stays for the grace period. */
START_TEST(an_idle_pool_goes_to_zero)
{
	hand_policy policy;
	begin(&policy, "{}");
	for (double now = 0; now <= 60; now += 2) {
		ck_assert_int_eq(after(&policy, now, 4, 0, 0), 4);
	}
	ck_assert_int_eq(after(&policy, 62, 4, 0, 0), 2);
	ck_assert_int_eq(after(&policy, 64, 2, 0, 0), 1);
	for (double now = 66; now < 96; now += 2) {
		ck_assert_int_eq(after(&policy, now, 1, 0, 0), 1);
	}
	ck_assert_int_eq(after(&policy, 96, 1, 0, 0), 0);
	ck_assert_int_eq(after(&policy, 98, 0, 0, 0), 0);
	/* One that waits, over a window of 60 s: 1 / 30 / 70 -> 1 */
	ck_assert_int_eq(after(&policy, 100, 0, 0, 1), 1);
	hand_policy_end(&policy);
}
END_TEST

/* Scaler: what became active less than a stable window ago keeps one. Docs: the retention period is
 * a least time. */
START_TEST(young_pools_keep_one)
{
	static const char *const forms[] = {"{}", "{'scale_to_zero_pod_retention_period': 50}",
	                                    "{'scale_to_zero_grace_period': 0}"};
	static const double zero[] = {90, 110, 60}; /* idle at 60, and 30, 50 or 0 s later */
	for (size_t i = 0; i < 3; i++) {
		hand_policy policy;
		begin(&policy, forms[i]);
		for (double now = 0; now < zero[i]; now += 2) {
			ck_assert_int_eq(after(&policy, now, 1, 0, 0), 1);
		}
		ck_assert_int_eq(after(&policy, zero[i], 1, 0, 0), 0);
		hand_policy_end(&policy);
	}
}
END_TEST

/* Scaler: a pool that boots from zero is not taken back before it was active. */
START_TEST(booting_pools_are_left_alone)
{
	hand_policy policy;
	begin(&policy, "{}");
	ck_assert_int_eq(after(&policy, 0, 0, 0, 1), 1);
	for (double now = 2; now <= 120; now += 2) {
		hand_view_begin(&hand, now, 2);
		hand_view_add(&hand, WEIR_TAG_MIXED, WEIR_INSTANCE_SCALING_UP);
		ck_assert_int_eq(hand_policy_size(&policy, hand_view_finish(&hand)), 1);
	}
	/* Active at 122, so that it is inactive at 182 and gone at 212. */
	for (double now = 122; now < 212; now += 2) {
		ck_assert_int_eq(after(&policy, now, 1, 0, 0), 1);
	}
	ck_assert_int_eq(after(&policy, 212, 1, 0, 0), 0);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, scale bounds, enable-scale-to-zero, activation scale. */
START_TEST(bounds)
{
	hand_policy policy;
	begin(&policy, "{" CALM ", 'min_scale': 2, 'max_scale': 5}");
	ck_assert_int_eq(after(&policy, 0, 1, 1, 0), 2);
	ck_assert_int_eq(after(&policy, 2, 1, 900, 0), 5);
	hand_policy_end(&policy);
	begin(&policy, "{'enable_scale_to_zero': false}");
	for (double now = 0; now < 400; now += 2) {
		ck_assert_int_eq(after(&policy, now, 1, 0, 0), 1);
	}
	hand_policy_end(&policy);
	begin(&policy, "{" CALM ", 'activation_scale': 3}");
	ck_assert_int_eq(after(&policy, 0, 0, 0, 0), 0);
	ck_assert_int_eq(after(&policy, 2, 0, 0, 1), 3);
	hand_policy_end(&policy);
}
END_TEST

/* Docs, scale-down-delay: the largest size wanted within it. */
START_TEST(scale_down_delay)
{
	hand_policy policy;
	begin(&policy, "{" CALM ", 'scale_down_delay': 10}");
	ck_assert_int_eq(after(&policy, 0, 1, 20, 0), 2);
	for (double now = 2; now < 10; now += 2) {
		ck_assert_int_eq(after(&policy, now, 2, 0, 0), 2);
	}
	ck_assert_int_eq(after(&policy, 10, 2, 0, 0), 1);
	hand_policy_end(&policy);
}
END_TEST

START_TEST(refuses_a_minimum_above_the_maximum)
{
	weir_arena *arena = weir_arena_create();
	weir_kpa_config config;
	weir_error error;
	ck_assert_int_eq(
	    hand_read(arena, &weir_kpa_keys, "{'min_scale': 7, 'max_scale': 6}", &config, &error),
	    WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "min_scale"));
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_kpa");
	TCase *tests = tcase_create("policy_kpa");
	tcase_add_test(tests, target_by_default);
	tcase_add_test(tests, mean_of_the_stable_window);
	tcase_add_test(tests, panic);
	tcase_add_test(tests, no_panic_below_the_threshold);
	tcase_add_test(tests, panic_is_prolonged);
	tcase_add_test(tests, rates);
	tcase_add_test(tests, an_idle_pool_goes_to_zero);
	tcase_add_test(tests, young_pools_keep_one);
	tcase_add_test(tests, booting_pools_are_left_alone);
	tcase_add_test(tests, bounds);
	tcase_add_test(tests, scale_down_delay);
	tcase_add_test(tests, refuses_a_minimum_above_the_maximum);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
