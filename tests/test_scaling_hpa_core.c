/* The arithmetic of Kubernetes' HPA v2, rule by rule, by hand. "Calculator" is
 * pkg/controller/podautoscaler/replica_calculator.go of kubernetes, "controller" horizontal.go
 * beside it, "page" the website's Horizontal Pod Autoscaling. */
#include "scaling/hpa_core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"
#include "support/views.h"

typedef struct loop {
	weir_hpa_behavior behavior;
	weir_arena *arena;
	weir_hpa_state *state;
	int64_t minimum, maximum;
} loop;

static loop begin(const char *json, double interval)
{
	loop l = {.arena = weir_arena_create(), .minimum = 1, .maximum = 1000};
	weir_error error;
	weir_error_clear(&error);
	ck_assert_ok(hand_read(l.arena, &weir_hpa_behavior_keys, json, &l.behavior, &error), &error);
	l.state = weir_allocate(1, weir_hpa_state_size(&l.behavior, interval));
	weir_hpa_start(&l.behavior, interval, l.state);
	return l;
}

static void end(loop *l)
{
	free(l->state);
	weir_arena_destroy(l->arena);
}

static int64_t step(loop *l, double now, int64_t current, int64_t proposal)
{
	weir_hpa_step_input input = {
	    .now = now, .current = current, .minimum = l->minimum, .maximum = l->maximum};
	weir_hpa_add(&input.proposals, true, proposal);
	return weir_hpa_step(&l->behavior, l->state, &input);
}

static int64_t pods(const loop *l, weir_hpa_pods p, int64_t current)
{
	int64_t size = -1;
	ck_assert(weir_hpa_pods_proposal(&l->behavior, &p, 1000, current, &size));
	return size;
}

/* API conventions, Quantity: read in thousandths, a value is rounded up. */
START_TEST(figures_are_thousandths_rounded_up)
{
	ck_assert_int_eq(weir_hpa_milli(0.07), 70);
	ck_assert_int_eq(weir_hpa_milli(0.0701), 71);
	ck_assert_int_eq(weir_hpa_milli(8.2), 8200);
	ck_assert_int_eq(weir_hpa_milli(0), 0);
	ck_assert_int_eq(weir_hpa_milli(1e300), 1000000000000000);
}
END_TEST

/* Page, algorithm details: ceil(pods * ratio), and no change while the ratio is within 0.1 of 1. */
START_TEST(ratio_times_ready_pods_outside_the_tolerance)
{
	loop l = begin("{}", 15);
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 11000, .ready = 10}, 10), 10); /* 1.1 */
	/* Calculator: the mean is whole, 11009 / 10 = 1100. */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 11009, .ready = 10}, 10), 10);
	/* 1.101 * 10 = 11.01 */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 11010, .ready = 10}, 10), 12);
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 9000, .ready = 10}, 10), 10); /* 0.9 */
	/* 0.899 * 10 = 8.99 */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 8990, .ready = 10}, 10), 9);
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 0, .ready = 10}, 10), 0);
	end(&l);
}
END_TEST

/* Page, tolerance: a direction may have one of its own. */
START_TEST(each_direction_may_have_its_tolerance)
{
	loop l = begin("{'tolerance': 0.2, 'scale_up': {'tolerance': 0.05}}", 15);
	/* 1.06 > 1.05: 10.6 */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 10600, .ready = 10}, 10), 11);
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 8100, .ready = 10}, 10), 10);
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 7900, .ready = 10}, 10), 8);
	end(&l);
}
END_TEST

/* Calculator, plain metrics: on the way up a pod that is not ready uses nothing; on the way down it
 * is no pod at all. */
START_TEST(unready_pods_dampen_growth_alone)
{
	loop l = begin("{}", 15);
	/* 2.0 over 4; 8000 / 8 = 1.0: the way up is undone */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 8000, .ready = 4, .unready = 4}, 8), 8);
	/* 12000 / 8 = 1.5; 1.5 * 8 */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 12000, .ready = 4, .unready = 4}, 8), 12);
	/* 6000 / 8 = 0.75 after 1.5: turned, so nothing */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 6000, .ready = 4, .unready = 4}, 8), 8);
	/* 0.95: tolerated, where (3800 + 0) / 8 would not be */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 3800, .ready = 4, .unready = 4}, 8), 8);
	/* 0.5 * 4 */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 2000, .ready = 4, .unready = 4}, 8), 2);
	end(&l);
}
END_TEST

/* Calculator, plain metrics: a pod without a figure uses all of its target on the way down, and
 * nothing on the way up. */
START_TEST(missing_figures_dampen_both_ways)
{
	loop l = begin("{}", 15);
	/* 0.5 over 6; (3000 + 4000) / 10 = 0.7 */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 3000, .ready = 6, .missing = 4}, 10), 7);
	/* 2.0 over 6; 12000 / 10 = 1.2 */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 12000, .ready = 6, .missing = 4}, 10), 12);
	/* 1.7 over 6; 10200 / 10 = 1.02: undone */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 10200, .ready = 6, .missing = 4}, 10), 10);
	/* 1.2 over 6; 7200 / 10 = 0.72: turned */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 7200, .ready = 6, .missing = 4}, 10), 10);
	/* 18000 / 10 with 2 missing and 2 unready = 1.8; 18 */
	weir_hpa_pods both = {.total = 18000, .ready = 6, .missing = 2, .unready = 2};
	ck_assert_int_eq(pods(&l, both, 10), 18);
	/* On the way down unready ones do not count: (3000 + 2000) / 8 = 0.625; 5 */
	both.total = 3000;
	ck_assert_int_eq(pods(&l, both, 10), 5);
	end(&l);
}
END_TEST

/* Calculator: pods counted otherwise than the size must not turn the direction. */
START_TEST(the_count_of_pods_does_not_turn_the_direction)
{
	loop l = begin("{}", 15);
	/* 9000 / 7 = 1285; 1.285 * 7 = 8.995 -> 9, below 20 on the way up */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 9000, .ready = 6, .missing = 1}, 20), 20);
	/* (4800 + 2000) / 8 = 0.85; 6.8 -> 7, above 3 on the way down */
	ck_assert_int_eq(pods(&l, (weir_hpa_pods){.total = 4800, .ready = 6, .missing = 2}, 3), 3);
	end(&l);
}
END_TEST

/* Calculator: without a figure of a ready pod the metric fails. */
START_TEST(a_metric_without_ready_pods_fails)
{
	loop l = begin("{}", 15);
	int64_t size;
	weir_hpa_pods none = {.unready = 3, .missing = 1};
	ck_assert(!weir_hpa_pods_proposal(&l.behavior, &none, 1000, 4, &size));
	end(&l);
}
END_TEST

/* Calculator, external metric per pod: ceil(total / target) when total / (target * size) is outside
 * the tolerance. */
START_TEST(external_metrics_divide_the_total)
{
	loop l = begin("{}", 15);
	ck_assert_int_eq(weir_hpa_external_proposal(&l.behavior, 44000, 10000, 4), 4); /* 1.1 */
	ck_assert_int_eq(weir_hpa_external_proposal(&l.behavior, 45000, 10000, 4), 5); /* 4.5 */
	ck_assert_int_eq(weir_hpa_external_proposal(&l.behavior, 36000, 10000, 4), 4); /* 0.9 */
	ck_assert_int_eq(weir_hpa_external_proposal(&l.behavior, 29000, 10000, 4), 3); /* 2.9 */
	ck_assert_int_eq(weir_hpa_external_proposal(&l.behavior, 0, 10000, 4), 0);
	end(&l);
}
END_TEST

static int64_t step_of_two(loop *l, double now, int64_t current, int64_t first, bool valid,
                           int64_t second)
{
	weir_hpa_step_input input = {
	    .now = now, .current = current, .minimum = l->minimum, .maximum = l->maximum};
	weir_hpa_add(&input.proposals, true, first);
	weir_hpa_add(&input.proposals, valid, second);
	return weir_hpa_step(&l->behavior, l->state, &input);
}

/* Page, algorithm details: the largest of several metrics; with one of them unknown it may grow and
 * not shrink. */
START_TEST(the_largest_metric_holds_and_a_failed_one_stops_shrinking)
{
	loop l = begin("{'scale_down': {'stabilization_window': 0}}", 15);
	ck_assert_int_eq(step_of_two(&l, 0, 8, 3, true, 9), 9);
	ck_assert_int_eq(step_of_two(&l, 15, 8, 5, true, 3), 5);
	ck_assert_int_eq(step_of_two(&l, 30, 8, 5, false, 3), 8);
	ck_assert_int_eq(step_of_two(&l, 45, 8, 9, false, 3), 9);
	weir_hpa_step_input none = {.now = 60, .current = 8, .minimum = 1, .maximum = 10};
	weir_hpa_add(&none.proposals, false, 0);
	ck_assert_int_eq(weir_hpa_step(&l.behavior, l.state, &none), 8);
	end(&l);
}
END_TEST

/* Controller, one pass: at 0 it is off; outside its bounds it goes to the bound whatever the
 * metrics and rates say. */
START_TEST(bounds)
{
	loop l = begin("{}", 15);
	l.minimum = 30, l.maximum = 40;
	ck_assert_int_eq(step(&l, 0, 0, 35), 0);
	ck_assert_int_eq(step(&l, 15, 1, 35), 30);
	ck_assert_int_eq(step(&l, 30, 90, 35), 40);
	ck_assert_int_eq(step(&l, 45, 39, 1000), 40);
	end(&l);
	l = begin("{'scale_down': {'stabilization_window': 0}}", 15);
	l.minimum = 30;
	ck_assert_int_eq(step(&l, 60, 31, 2), 30);
	end(&l);
}
END_TEST

/* Page, default behavior: up by the larger of 100 % and 4 pods within 15 s; controller: counted
 * from the size at the start of the period. */
START_TEST(growth_within_a_period)
{
	loop l = begin("{}", 5);
	ck_assert_int_eq(step(&l, 0, 2, 100), 6); /* max(2 * 2, 2 + 4) */
	ck_assert_int_eq(step(&l, 5, 6, 100), 6); /* from 6 - 4 = 2 on: 6 again */
	ck_assert_int_eq(step(&l, 10, 6, 100), 6);
	ck_assert_int_eq(step(&l, 15, 6, 100), 12); /* max(12, 10) */
	ck_assert_int_eq(step(&l, 30, 12, 100), 24);
	end(&l);
}
END_TEST

/* Controller, both limits: the start of a period is the size less what came plus what went. */
START_TEST(what_went_counts_for_growth_and_what_came_for_shrinking)
{
	loop l = begin("{'scale_up': {'policies': [{'type': 'pods', 'value': 2, 'period': 60}]},"
	               " 'scale_down': {'stabilization_window': 0,"
	               " 'policies': [{'type': 'pods', 'value': 5, 'period': 60}]}}",
	               15);
	ck_assert_int_eq(step(&l, 0, 10, 1), 5);   /* 10 - 5 */
	ck_assert_int_eq(step(&l, 15, 5, 50), 12); /* from 5 + 5 on: 10 + 2 */
	ck_assert_int_eq(step(&l, 30, 12, 1), 5);  /* from 12 - 7 + 5 = 10 on: 5 */
	ck_assert_int_eq(step(&l, 45, 5, 1), 5);   /* from 5 - 7 + 12 = 10 on: 5 */
	/* The first 5 that went are a period ago: from 5 - 7 + 7 = 5 on */
	ck_assert_int_eq(step(&l, 60, 5, 1), 1);
	end(&l);
}
END_TEST

/* Controller: per cent up is rounded up, per cent down cut to the whole number below. */
START_TEST(rounding_of_percentages)
{
	loop l = begin("{'scale_up': {'policies': [{'type': 'percent', 'value': 10, 'period': 15}]},"
	               " 'scale_down': {'stabilization_window': 0,"
	               " 'policies': [{'type': 'percent', 'value': 10, 'period': 15}]}}",
	               15);
	ck_assert_int_eq(step(&l, 0, 4, 50), 5);   /* 4.4 */
	ck_assert_int_eq(step(&l, 15, 25, 1), 22); /* 22.5 */
	ck_assert_int_eq(step(&l, 30, 4, 1), 3);   /* 3.6 */
	end(&l);
}
END_TEST

/* Page, scaling policies: selectPolicy Max takes the largest change, Min the smallest, Disabled
 * none. */
START_TEST(which_policy_holds)
{
	static const char *const forms[] = {"max", "min", "disabled"};
	static const int64_t ups[] = {6, 4, 2};      /* of 2: 2 * 2 and 2 + 4 */
	static const int64_t downs[] = {16, 18, 20}; /* of 20: 20 - 4 and 20 * 0.9 */
	for (size_t i = 0; i < 3; i++) {
		char json[512];
		snprintf(json, sizeof json,
		         "{'scale_up': {'select_policy': '%s'}, 'scale_down': {'select_policy': '%s',"
		         " 'stabilization_window': 0, 'policies': ["
		         "{'type': 'pods', 'value': 4, 'period': 15},"
		         "{'type': 'percent', 'value': 10, 'period': 15}]}}",
		         forms[i], forms[i]);
		loop l = begin(json, 15);
		ck_assert_int_eq(step(&l, 0, 2, 100), ups[i]);
		ck_assert_int_eq(step(&l, 15, 20, 1), downs[i]);
		end(&l);
	}
}
END_TEST

/* Controller: a limit that lies behind the size does not move it. */
START_TEST(a_change_beyond_the_limit_is_not_taken_back)
{
	loop l = begin("{'scale_up': {'policies': [{'type': 'pods', 'value': 2, 'period': 60}]}}", 15);
	l.minimum = 5;
	ck_assert_int_eq(step(&l, 0, 1, 9), 5);  /* to the minimum: 4 came */
	ck_assert_int_eq(step(&l, 15, 5, 9), 5); /* from 1 on: 3 */
	ck_assert_int_eq(step(&l, 60, 5, 9), 7);
	end(&l);
}
END_TEST

/* Page, stabilization window: shrink to the largest recommendation of the window; controller: the
 * size at the first pass is a recommendation. */
START_TEST(shrinking_waits_for_the_window)
{
	loop l = begin("{}", 15);
	ck_assert_int_eq(step(&l, 0, 10, 3), 10);
	for (double now = 15; now < 300; now += 15) {
		ck_assert_int_eq(step(&l, now, 10, now == 30 ? 6 : 3), 10);
	}
	ck_assert_int_eq(step(&l, 300, 10, 3), 6); /* 10 was at 0, 6 at 30 */
	ck_assert_int_eq(step(&l, 315, 6, 3), 6);
	ck_assert_int_eq(step(&l, 330, 6, 3), 3);
	end(&l);
}
END_TEST

START_TEST(growing_waits_for_its_window)
{
	loop l = begin("{'scale_up': {'stabilization_window': 30}}", 15);
	ck_assert_int_eq(step(&l, 0, 2, 8), 2);
	ck_assert_int_eq(step(&l, 15, 2, 5), 2);
	ck_assert_int_eq(step(&l, 30, 2, 9), 5); /* the smallest of 5 and 9 */
	end(&l);
}
END_TEST

/* Controller, without behavior: up to max(2 * size, 4); the largest recommendation that is not
 * older than the downscale stabilisation. */
START_TEST(without_a_behavior)
{
	loop l = begin("{'kind': 'none'}", 15);
	ck_assert_int_eq(step(&l, 0, 1, 100), 4);
	ck_assert_int_eq(step(&l, 1, 4, 100), 8);
	ck_assert_int_eq(step(&l, 2, 8, 7), 16); /* 100 is still wanted */
	end(&l);
	l = begin("{'kind': 'none'}", 15);
	ck_assert_int_eq(step(&l, 0, 10, 3), 10);
	for (double now = 15; now <= 300; now += 15) {
		ck_assert_int_eq(step(&l, now, 10, 3), 10);
	}
	ck_assert_int_eq(step(&l, 315, 10, 3), 3);
	l.minimum = 5;
	ck_assert_int_eq(step(&l, 330, 10, 3), 5);
	end(&l);
}
END_TEST

/* Against a history that forgets nothing, far beyond the capacity, with views that come late. */
START_TEST(the_rings_forget_nothing_of_a_window)
{
	enum { STEPS = 3000 };
	loop l = begin("{'scale_up': {'stabilization_window': 20, 'policies':"
	               " [{'type': 'pods', 'value': 1000, 'period': 40}]},"
	               " 'scale_down': {'stabilization_window': 50, 'policies':"
	               " [{'type': 'pods', 'value': 1000, 'period': 35}]}}",
	               3);
	static double times[STEPS];
	static int64_t proposals[STEPS];
	gsl_rng *random = weir_stream_create(7, "hpa_core", 0);
	int64_t current = 100;
	size_t moved = 0;
	for (size_t i = 0; i < STEPS; i++) {
		double now = floor(3.0 * (double)i / 7.0) * 7.0; /* scraped every 7 s */
		int64_t level = (int64_t)(i / 30 % 3);           /* 90 s each */
		int64_t proposal = 60 + 40 * level + (int64_t)gsl_rng_uniform_int(random, 20);
		int64_t up = proposal;
		int64_t down = proposal;
		if (now < 20) {
			up = up < 100 ? up : 100; /* the size at the first pass, at 0 */
		}
		if (now < 50) {
			down = down > 100 ? down : 100;
		}
		for (size_t k = 0; k < i; k++) {
			up = times[k] > now - 20 && proposals[k] < up ? proposals[k] : up;
			down = times[k] > now - 50 && proposals[k] > down ? proposals[k] : down;
		}
		times[i] = now;
		proposals[i] = proposal;
		int64_t expected = current < up ? up : current;
		expected = expected > down ? down : expected;
		int64_t size = step(&l, now, current, proposal);
		ck_assert_int_eq(size, expected);
		moved += size != current;
		current = size;
	}
	ck_assert_uint_gt(moved, 20);
	gsl_rng_free(random);
	end(&l);
}
END_TEST

START_TEST(a_direction_needs_a_policy)
{
	weir_arena *arena = weir_arena_create();
	weir_hpa_behavior behavior;
	weir_error error;
	ck_assert_int_eq(hand_read(arena, &weir_hpa_behavior_keys, "{'scale_up': {'policies': []}}",
	                           &behavior, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "scale_up.policies"));
	ck_assert_int_eq(hand_read(arena, &weir_hpa_behavior_keys, "{'kind': 'none', 'scale_up': {}}",
	                           &behavior, &error),
	                 WEIR_ERROR_INPUT);
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/hpa_core");
	TCase *tests = tcase_create("hpa_core");
	tcase_add_test(tests, figures_are_thousandths_rounded_up);
	tcase_add_test(tests, ratio_times_ready_pods_outside_the_tolerance);
	tcase_add_test(tests, each_direction_may_have_its_tolerance);
	tcase_add_test(tests, unready_pods_dampen_growth_alone);
	tcase_add_test(tests, missing_figures_dampen_both_ways);
	tcase_add_test(tests, the_count_of_pods_does_not_turn_the_direction);
	tcase_add_test(tests, a_metric_without_ready_pods_fails);
	tcase_add_test(tests, external_metrics_divide_the_total);
	tcase_add_test(tests, the_largest_metric_holds_and_a_failed_one_stops_shrinking);
	tcase_add_test(tests, bounds);
	tcase_add_test(tests, growth_within_a_period);
	tcase_add_test(tests, what_went_counts_for_growth_and_what_came_for_shrinking);
	tcase_add_test(tests, rounding_of_percentages);
	tcase_add_test(tests, which_policy_holds);
	tcase_add_test(tests, a_change_beyond_the_limit_is_not_taken_back);
	tcase_add_test(tests, shrinking_waits_for_the_window);
	tcase_add_test(tests, growing_waits_for_its_window);
	tcase_add_test(tests, without_a_behavior);
	tcase_add_test(tests, the_rings_forget_nothing_of_a_window);
	tcase_add_test(tests, a_direction_needs_a_policy);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
