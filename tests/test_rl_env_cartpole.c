#include <math.h>

#include "rl/env.h"
#include "support/test_support.h"

static weir_env *open_env(const char *parameters)
{
	weir_error error = {0};
	weir_env *env;
	ck_assert_ok(weir_env_create("cartpole", parameters, "test", &env, &error), &error);
	return env;
}

static void begin(weir_env *env, uint64_t seed, float *observation)
{
	weir_error error = {0};
	weir_env_start start = weir_env_start_default(seed);
	ck_assert_ok(weir_env_reset(env, &start, observation, &error), &error);
}

static weir_env_outcome push(weir_env *env, float action, float *observation)
{
	weir_error error = {0};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_step(env, &action, observation, &outcome, &error), &error);
	return outcome;
}

/* Gymnasium's CartPole-v1: reset(seed=123), step(1). */
START_TEST(one_step_is_that_of_gymnasium)
{
	weir_env *env = open_env("{\"start\": [0.01823519, -0.0446179, -0.02796401, -0.03156282]}");
	const float before[] = {0.01823519F, -0.0446179F, -0.02796401F, -0.03156282F};
	const float after[] = {0.01734283F, 0.15089367F, -0.02859527F, -0.33293587F};
	float observation[4];
	begin(env, 1, observation);
	ck_assert_mem_eq(observation, before, sizeof before);
	weir_env_outcome outcome = push(env, 1, observation);
	ck_assert(outcome.reward == 1 && !outcome.terminated && !outcome.truncated);
	for (int i = 0; i < 4; i++) {
		ck_assert_float_eq_tol(observation[i], after[i], 2e-8F);
	}
	weir_env_close(env);
}
END_TEST

/* The mirror image of a state and a push has the mirror image of the outcome. */
START_TEST(left_and_right_are_alike)
{
	weir_env *env = open_env("{\"start\": [0.1, -0.2, 0.03, 0.4]}");
	weir_env *mirror = open_env("{\"start\": [-0.1, 0.2, -0.03, -0.4]}");
	float a[4], b[4];
	begin(env, 1, a);
	begin(mirror, 1, b);
	for (int step = 0; step < 6; step++) {
		push(env, step % 2 == 0, a);
		push(mirror, step % 2 != 0, b);
		for (int i = 0; i < 4; i++) {
			ck_assert(a[i] == -b[i]);
		}
	}
	weir_env_close(env);
	weir_env_close(mirror);
}
END_TEST

/* Steps until the episode ends with every push to `action`. */
static int fall(weir_env *env, float action, float *observation, weir_env_outcome *last)
{
	int steps = 0;
	do {
		*last = push(env, action, observation);
		ck_assert(last->reward == 1);
		steps++;
	} while (!last->terminated && !last->truncated);
	return steps;
}

START_TEST(it_ends_when_the_pole_or_the_cart_is_too_far)
{
	float observation[4];
	weir_env_outcome last;
	weir_env *env = open_env(NULL);
	for (uint64_t seed = 0; seed < 20; seed++) {
		begin(env, seed, observation);
		int steps = fall(env, 1, observation, &last);
		ck_assert_int_ge(steps, 8);
		ck_assert_int_le(steps, 11);
		ck_assert(last.terminated && !last.truncated);
		ck_assert_float_gt(fabsf(observation[2]), 0.20943951F);
	}
	weir_env_close(env);
	/* Fast along the track, the pole upright. */
	env = open_env("{\"start\": [2.3, 4, 0, 0]}");
	begin(env, 1, observation);
	push(env, 0, observation);
	ck_assert_float_lt(observation[0], 2.4F);
	last = push(env, 1, observation);
	ck_assert(last.terminated);
	ck_assert_float_gt(observation[0], 2.4F);
	ck_assert_float_lt(fabsf(observation[2]), 0.2F);
	weir_env_close(env);
}
END_TEST

/* Both at once is a termination that is also cut off. */
START_TEST(it_is_cut_off_at_its_limit)
{
	float observation[4];
	weir_env_outcome last;
	weir_env *env = open_env("{\"limit\": 3}");
	begin(env, 1, observation);
	ck_assert_int_eq(fall(env, 1, observation, &last), 3);
	ck_assert(last.truncated && !last.terminated);
	begin(env, 1, observation);
	ck_assert_int_eq(fall(env, 1, observation, &last), 3);
	weir_env_close(env);
}
END_TEST

/* Keeps the pole up by leaning against it: 500 steps by default. */
START_TEST(a_balanced_pole_stays_for_500_steps)
{
	weir_env *env = open_env(NULL);
	float o[4];
	for (uint64_t seed = 0; seed < 10; seed++) {
		begin(env, seed, o);
		int steps = 0;
		weir_env_outcome last;
		do {
			last = push(env, 0.3F * o[0] + 0.8F * o[1] + 9 * o[2] + 2 * o[3] > 0, o);
			steps++;
		} while (!last.terminated && !last.truncated);
		ck_assert_int_eq(steps, 500);
		ck_assert(last.truncated && !last.terminated);
	}
	weir_env_close(env);
}
END_TEST

START_TEST(starts_are_uniform_around_0)
{
	weir_env *env = open_env(NULL);
	double sum[4] = {0}, squares[4] = {0};
	float o[4];
	enum { SEEDS = 4000 };
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(env, seed, o);
		for (int i = 0; i < 4; i++) {
			ck_assert_float_le(fabsf(o[i]), 0.05F);
			sum[i] += (double)o[i];
			squares[i] += (double)o[i] * (double)o[i];
		}
	}
	for (int i = 0; i < 4; i++) {
		/* Variance 0.05^2 / 3; four standard errors. */
		ck_assert_double_le(fabs(sum[i] / SEEDS), 4 * 0.05 / sqrt(3.0 * SEEDS));
		ck_assert_double_eq_tol(squares[i] / SEEDS / (0.05 * 0.05), 1.0 / 3, 0.02);
	}
	weir_env_close(env);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/env_cartpole");
	TCase *tests = tcase_create("cartpole");
	tcase_add_test(tests, one_step_is_that_of_gymnasium);
	tcase_add_test(tests, left_and_right_are_alike);
	tcase_add_test(tests, it_ends_when_the_pole_or_the_cart_is_too_far);
	tcase_add_test(tests, it_is_cut_off_at_its_limit);
	tcase_add_test(tests, a_balanced_pole_stays_for_500_steps);
	tcase_add_test(tests, starts_are_uniform_around_0);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
