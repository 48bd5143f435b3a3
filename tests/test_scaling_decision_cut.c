/* What of a decision is let through: hand-worked cases, and what must hold of any. */
#include "scaling/decision_cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"

static const weir_tag P = WEIR_TAG_PROMPT;
static const weir_tag T = WEIR_TAG_TOKEN;
static const weir_tag M = WEIR_TAG_MIXED;

static weir_cut_limits no_limits(void)
{
	return (weir_cut_limits){.tags = 7, .type_count = 2};
}

static weir_cut_state sizes(int64_t prompt, int64_t token, int64_t mixed)
{
	return (weir_cut_state){.sizes = {prompt, token, mixed}};
}

static weir_cut_plan cut(const weir_decision *decision, const weir_cut_limits *limits,
                         const weir_cut_state *state)
{
	weir_cut_plan plan;
	weir_cut_changes(decision, limits, state, &plan);
	return plan;
}

static void expect(const weir_cut_plan *plan, size_t i, weir_tag tag, int64_t asked, int64_t amount,
                   weir_refusal reason)
{
	ck_assert_uint_lt(i, plan->count);
	ck_assert_int_eq((int)plan->steps[i].tag, (int)tag);
	ck_assert_int_eq(plan->steps[i].asked, asked);
	ck_assert_int_eq(plan->steps[i].amount, amount);
	ck_assert_int_eq((int)plan->steps[i].reason, (int)reason);
}

START_TEST(pools_go_in_order_and_sizes_become_differences)
{
	weir_decision decision = {0};
	weir_decide_change(&decision, M, 1, -2);
	weir_decide_size(&decision, T, 3);
	weir_decide_change(&decision, P, 0, 4);
	weir_decide_size(&decision, P, 7); /* of what the change before left */
	weir_decide_size(&decision, M, 5); /* nothing to do: 7 - 2 */
	weir_cut_limits limits = no_limits();
	weir_cut_state state = sizes(2, 8, 7);
	weir_cut_plan plan = cut(&decision, &limits, &state);
	ck_assert_uint_eq(plan.count, 4);
	expect(&plan, 0, P, 4, 4, WEIR_REFUSED_NONE);
	ck_assert_int_eq(plan.steps[0].type, 0);
	expect(&plan, 1, P, 1, 1, WEIR_REFUSED_NONE);
	ck_assert_int_eq(plan.steps[1].type, WEIR_ANY_TYPE);
	expect(&plan, 2, T, -5, -5, WEIR_REFUSED_NONE);
	expect(&plan, 3, M, -2, -2, WEIR_REFUSED_NONE);
	ck_assert_int_eq(plan.steps[3].type, 1);
}
END_TEST

START_TEST(the_impossible_is_refused)
{
	weir_decision decision = {0};
	weir_decide_change(&decision, T, WEIR_ANY_TYPE, 1);
	weir_decide_change(&decision, P, 2, 1);
	weir_decide_change(&decision, P, -2, 1);
	weir_decide_change(&decision, P, 1, INT64_MAX);
	weir_decide_change(&decision, P, 1, INT64_MIN);
	weir_decide_size(&decision, P, -100); /* none */
	weir_cut_limits limits = no_limits();
	limits.tags = 1u << P;
	weir_cut_state state = sizes(3, 3, 0);
	weir_cut_plan plan = cut(&decision, &limits, &state);
	ck_assert_uint_eq(plan.count, 6);
	expect(&plan, 0, P, 1, 0, WEIR_REFUSED_NO_TYPE);
	expect(&plan, 1, P, 1, 0, WEIR_REFUSED_NO_TYPE);
	expect(&plan, 2, P, 1 << 30, 1 << 30, WEIR_REFUSED_NONE);
	expect(&plan, 3, P, -(1 << 30), -(1 << 30), WEIR_REFUSED_NONE);
	expect(&plan, 4, P, -3, -3, WEIR_REFUSED_NONE);
	expect(&plan, 5, T, 1, 0, WEIR_REFUSED_NO_POOL);
}
END_TEST

START_TEST(operations_are_given_out_in_order)
{
	weir_decision decision = {0};
	weir_decide_change(&decision, M, WEIR_ANY_TYPE, 1);
	weir_decide_change(&decision, T, WEIR_ANY_TYPE, -4);
	weir_decide_change(&decision, P, WEIR_ANY_TYPE, 3);
	weir_cut_limits limits = no_limits();
	limits.max_operations = 10;
	weir_cut_state state = sizes(5, 5, 5);
	state.operations = 5;
	weir_cut_plan plan = cut(&decision, &limits, &state);
	expect(&plan, 0, P, 3, 3, WEIR_REFUSED_NONE);
	expect(&plan, 1, T, -4, -2, WEIR_REFUSED_MAX_OPERATIONS);
	expect(&plan, 2, M, 1, 0, WEIR_REFUSED_MAX_OPERATIONS);
	/* More are in flight than may be, as after the start of another policy. */
	state.operations = 12;
	plan = cut(&decision, &limits, &state);
	expect(&plan, 0, P, 3, 0, WEIR_REFUSED_MAX_OPERATIONS);
	expect(&plan, 1, T, -4, 0, WEIR_REFUSED_MAX_OPERATIONS);
	/* 2 booting ones are cancelled, which leaves room for 1 - that is 12 - 2 - 1 < 10 - for it. */
	state.operations = 11;
	state.undoable[T].boots = 2;
	plan = cut(&decision, &limits, &state);
	expect(&plan, 0, P, 3, 0, WEIR_REFUSED_MAX_OPERATIONS);
	expect(&plan, 1, T, -4, -3, WEIR_REFUSED_MAX_OPERATIONS);
	/* A draining one that is taken back counts likewise for a growth, and not for a shrink. */
	state = sizes(5, 5, 5);
	state.operations = 10;
	state.undoable[P].drains = 1;
	state.undoable[T].drains = 1;
	plan = cut(&decision, &limits, &state);
	expect(&plan, 0, P, 3, 2, WEIR_REFUSED_MAX_OPERATIONS);
	expect(&plan, 1, T, -4, 0, WEIR_REFUSED_MAX_OPERATIONS);
	/* Not when a type is named, which it may not be of. */
	decision.changes[2].type = 1;
	plan = cut(&decision, &limits, &state);
	expect(&plan, 0, P, 3, 0, WEIR_REFUSED_MAX_OPERATIONS);
}
END_TEST

START_TEST(the_pool_that_was_asked_to_change_is_cut_to_the_ratio)
{
	weir_cut_limits limits = no_limits();
	limits.ratio_min = 0.5;
	limits.ratio_max = 1.5;
	weir_cut_state state = sizes(4, 4, 0);
	weir_decision grow = {0};
	weir_decide_size(&grow, P, 9);
	weir_cut_plan plan = cut(&grow, &limits, &state);
	expect(&plan, 0, P, 5, 2, WEIR_REFUSED_RATIO); /* 6 = 1.5 * 4 */
	weir_decision shrink = {0};
	weir_decide_size(&shrink, T, 1);
	plan = cut(&shrink, &limits, &state);
	expect(&plan, 0, T, -3, -1, WEIR_REFUSED_RATIO); /* 4 / 1.5 is more than 2 */
	weir_decision less = {0};
	weir_decide_size(&less, P, 0);
	plan = cut(&less, &limits, &state);
	expect(&plan, 0, P, -4, -2, WEIR_REFUSED_RATIO);
	weir_decision tokens = {0};
	weir_decide_size(&tokens, T, 11);
	plan = cut(&tokens, &limits, &state);
	expect(&plan, 0, T, 7, 4, WEIR_REFUSED_RATIO);
	/* Together they are within. */
	weir_decision both = {0};
	weir_decide_size(&both, P, 9);
	weir_decide_size(&both, T, 6);
	plan = cut(&both, &limits, &state);
	expect(&plan, 0, P, 5, 5, WEIR_REFUSED_NONE);
	expect(&plan, 1, T, 2, 2, WEIR_REFUSED_NONE);
	/* The growth goes first, then the shrink: 4 : 3 is within, 4 : 2 is not. */
	weir_decision apart = {0};
	weir_decide_size(&apart, P, 9);
	weir_decide_size(&apart, T, 2);
	plan = cut(&apart, &limits, &state);
	expect(&plan, 0, P, 5, 0, WEIR_REFUSED_RATIO);
	expect(&plan, 1, T, -2, -1, WEIR_REFUSED_RATIO);
	/* Decimal fractions: 0.1 * 30 lets 3 through. */
	limits.ratio_min = 0;
	limits.ratio_max = 0.1;
	state = sizes(1, 30, 0);
	plan = cut(&grow, &limits, &state);
	expect(&plan, 0, P, 8, 2, WEIR_REFUSED_RATIO);
}
END_TEST

START_TEST(what_brings_the_ratio_nearer_is_let_through)
{
	weir_cut_limits limits = no_limits();
	limits.ratio_min = 1;
	limits.ratio_max = 1;
	weir_cut_state state = sizes(2, 9, 0);
	weir_decision nearer = {0};
	weir_decide_change(&nearer, P, WEIR_ANY_TYPE, 3);
	weir_cut_plan plan = cut(&nearer, &limits, &state);
	expect(&plan, 0, P, 3, 3, WEIR_REFUSED_NONE);
	weir_decision further = {0};
	weir_decide_change(&further, P, WEIR_ANY_TYPE, -1);
	weir_decide_change(&further, T, WEIR_ANY_TYPE, 1);
	plan = cut(&further, &limits, &state);
	expect(&plan, 0, P, -1, 0, WEIR_REFUSED_RATIO);
	expect(&plan, 1, T, 1, 0, WEIR_REFUSED_RATIO);
	weir_decision beyond = {0};
	weir_decide_change(&beyond, P, WEIR_ANY_TYPE, 20);
	plan = cut(&beyond, &limits, &state);
	expect(&plan, 0, P, 20, 7, WEIR_REFUSED_RATIO);
}
END_TEST

START_TEST(of_several_changes_the_last_is_cut_first)
{
	weir_cut_limits limits = no_limits();
	limits.ratio_max = 1;
	weir_cut_state state = sizes(4, 7, 0);
	weir_decision decision = {0};
	weir_decide_change(&decision, P, 0, 2);
	weir_decide_change(&decision, P, 1, 3);
	weir_cut_plan plan = cut(&decision, &limits, &state);
	expect(&plan, 0, P, 2, 2, WEIR_REFUSED_NONE);
	expect(&plan, 1, P, 3, 1, WEIR_REFUSED_RATIO);
	/* One type for another. */
	state = sizes(7, 7, 0);
	weir_decision swap = {0};
	weir_decide_change(&swap, P, 0, -2);
	weir_decide_change(&swap, P, 1, 3);
	plan = cut(&swap, &limits, &state);
	expect(&plan, 0, P, -2, -2, WEIR_REFUSED_NONE);
	expect(&plan, 1, P, 3, 2, WEIR_REFUSED_RATIO);
}
END_TEST

static void expect_migration(int64_t asked, const weir_cut_limits *limits,
                             const weir_cut_state *state, int64_t amount, weir_refusal reason)
{
	weir_decision decision = {.migrate = asked};
	weir_cut_step step = weir_cut_migration(&decision, limits, state);
	ck_assert_int_eq((int)step.tag, (int)(asked > 0 ? P : T));
	ck_assert_int_eq(step.asked, asked);
	ck_assert_int_eq(step.amount, amount);
	ck_assert_int_eq((int)step.reason, (int)reason);
}

START_TEST(migrations_are_cut_likewise)
{
	weir_cut_limits limits = no_limits();
	weir_cut_state state = sizes(4, 6, 0);
	expect_migration(3, &limits, &state, 3, WEIR_REFUSED_NONE);
	expect_migration(-9, &limits, &state, -9,
	                 WEIR_REFUSED_NONE); /* the manager says what is left */
	limits.ratio_max = 1.5;
	expect_migration(3, &limits, &state, 2, WEIR_REFUSED_RATIO); /* 6 : 4 */
	expect_migration(1 << 29, &limits, &state, 2, WEIR_REFUSED_RATIO);
	expect_migration(-3, &limits, &state, -3, WEIR_REFUSED_NONE);
	limits.ratio_min = 0.5;
	expect_migration(-3, &limits, &state, 0, WEIR_REFUSED_RATIO);
	limits.max_operations = 4;
	state.operations = 3;
	expect_migration(3, &limits, &state, 1, WEIR_REFUSED_MAX_OPERATIONS);
	limits.tags = 1u << P;
	expect_migration(3, &limits, &state, 0, WEIR_REFUSED_NO_POOL);
	/* What the changes add to the other pool counts: 7 : 6 is within. */
	limits = no_limits();
	limits.ratio_max = 1.5;
	state = sizes(4, 6, 0);
	weir_decision decision = {.migrate = 3};
	weir_decide_change(&decision, T, WEIR_ANY_TYPE, 3);
	weir_cut_step step = weir_cut_migration(&decision, &limits, &state);
	ck_assert_int_eq(step.amount, 3);
	/* From out of bounds, what leads back is not cut. */
	state = sizes(20, 2, 0);
	expect_migration(-1, &limits, &state, -1, WEIR_REFUSED_NONE);
	expect_migration(1, &limits, &state, 0, WEIR_REFUSED_RATIO);
}
END_TEST

static int64_t draw(uint64_t *n, int64_t low, int64_t high)
{
	uint64_t word = weir_stream_seed(11, "decisions", (*n)++);
	return low + (int64_t)(word % (uint64_t)(high - low + 1));
}

/* Of any decision: nothing is made more of or turned round, a state within bounds stays within, and
 * operations stay below their limit. */
START_TEST(limits_hold_for_all_decisions)
{
	uint64_t n = 0;
	static const double ratios[] = {0.25, 0.5, 0.7, 1, 1.5, 3};
	for (int round = 0; round < 20000; round++) {
		weir_cut_limits limits = no_limits();
		limits.max_operations = draw(&n, 0, 12);
		weir_cut_state state = sizes(draw(&n, 0, 12), draw(&n, 0, 12), draw(&n, 0, 3));
		state.operations = draw(&n, 0, 8);
		double ratio = (double)state.sizes[P] / (double)state.sizes[T];
		limits.ratio_min = ratios[draw(&n, 0, 2)];
		limits.ratio_max = ratios[draw(&n, 3, 5)];
		weir_decision decision = {.migrate = draw(&n, -4, 4)};
		for (int64_t i = draw(&n, 0, 4); i > 0; i--) {
			weir_tag tag = (weir_tag)draw(&n, 0, 2);
			if (draw(&n, 0, 1) == 0) {
				weir_decide_size(&decision, tag, draw(&n, 0, 15));
			} else {
				weir_decide_change(&decision, tag, WEIR_ANY_TYPE, draw(&n, -5, 5));
			}
		}
		bool was_within = ratio >= limits.ratio_min - 1e-9 && ratio <= limits.ratio_max + 1e-9;
		weir_cut_step step = weir_cut_migration(&decision, &limits, &state);
		int64_t moved = step.amount > state.sizes[T]    ? state.sizes[T]
		                : step.amount < -state.sizes[P] ? -state.sizes[P]
		                                                : step.amount;
		state.sizes[P] += moved;
		state.sizes[T] -= moved;
		int64_t operations = state.operations += llabs(moved);
		weir_cut_plan plan = cut(&decision, &limits, &state);
		int64_t after[WEIR_TAG_COUNT];
		memcpy(after, state.sizes, sizeof after);
		for (size_t i = 0; i < plan.count; i++) {
			const weir_cut_step *s = &plan.steps[i];
			ck_assert_int_ge(s->amount * s->asked, 0);
			ck_assert_int_le(llabs(s->amount), llabs(s->asked));
			ck_assert((s->amount == s->asked) == (s->reason == WEIR_REFUSED_NONE));
			after[s->tag] += s->amount;
			operations += llabs(s->amount);
		}
		ck_assert(limits.max_operations == 0 || operations == state.operations ||
		          operations <= limits.max_operations);
		after[P] = after[P] > 0 ? after[P] : 0;
		after[T] = after[T] > 0 ? after[T] : 0;
		if (was_within) {
			ck_assert((double)after[P] <= limits.ratio_max * (double)after[T] + 1e-9);
			ck_assert((double)after[P] >= limits.ratio_min * (double)after[T] - 1e-9);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling_decision_cut");
	TCase *tests = tcase_create("decision_cut");
	tcase_add_test(tests, pools_go_in_order_and_sizes_become_differences);
	tcase_add_test(tests, the_impossible_is_refused);
	tcase_add_test(tests, operations_are_given_out_in_order);
	tcase_add_test(tests, the_pool_that_was_asked_to_change_is_cut_to_the_ratio);
	tcase_add_test(tests, what_brings_the_ratio_nearer_is_let_through);
	tcase_add_test(tests, of_several_changes_the_last_is_cut_first);
	tcase_add_test(tests, migrations_are_cut_likewise);
	tcase_add_test(tests, limits_hold_for_all_decisions);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
