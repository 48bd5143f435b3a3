#include <math.h>
#include <string.h>

#include "rl/env.h"
#include "support/test_support.h"

static weir_env *open_env(const char *kind)
{
	weir_error error = {0};
	weir_env *env;
	ck_assert_ok(weir_env_create(kind, NULL, "test", &env, &error), &error);
	return env;
}

static void begin(weir_env *env, uint64_t seed, float *observation)
{
	weir_error error = {0};
	weir_env_start start = weir_env_start_default(seed);
	ck_assert_ok(weir_env_reset(env, &start, observation, &error), &error);
}

static weir_env_outcome act(weir_env *env, const float *action, float *observation)
{
	weir_error error = {0};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_step(env, action, observation, &outcome, &error), &error);
	return outcome;
}

/* The discounted return from the reset on, with `tail` for what follows a truncation, when `choice`
 * is always taken. */
static double episode_value(const char *kind, float choice, double discount, double tail,
                            int *length)
{
	weir_env *env = open_env(kind);
	float observation[4];
	begin(env, 3, observation);
	double value = 0, factor = 1;
	weir_env_outcome outcome;
	*length = 0;
	do {
		outcome = act(env, &choice, observation);
		value += factor * outcome.reward;
		factor *= discount;
		++*length;
	} while (!outcome.terminated && !outcome.truncated);
	weir_env_close(env);
	return outcome.truncated && !outcome.terminated ? value + factor * tail : value;
}

START_TEST(values_are_those_that_are_told)
{
	int length;
	ck_assert_double_eq_tol(episode_value("probe_constant", 0, 0.9, 99, &length), 1, 1e-12);
	ck_assert_int_eq(length, 1);
	ck_assert_double_eq_tol(episode_value("probe_two_steps", 0, 0.9, 99, &length), 0.9, 1e-12);
	ck_assert_int_eq(length, 2);
	ck_assert_double_eq_tol(episode_value("probe_action", 1, 0.9, 99, &length), 1, 1e-12);
	ck_assert_double_eq_tol(episode_value("probe_action", 0, 0.9, 99, &length), -1, 1e-12);
	ck_assert_int_eq(length, 1);
	ck_assert_double_eq_tol(episode_value("probe_endless", 0, 0.9, 10, &length), 10, 1e-12);
	ck_assert_int_eq(length, 8);
	ck_assert_double_eq_tol(episode_value("probe_chain", 0, 0.9, 10, &length), 9, 1e-12);
	ck_assert_int_eq(length, 4);
}
END_TEST

START_TEST(what_is_rewarded_is_what_was_observed)
{
	int signs[2] = {0, 0};
	weir_env *plain = open_env("probe_observation");
	weir_env *with_action = open_env("probe_observation_action");
	for (uint64_t seed = 0; seed < 400; seed++) {
		float sign, next, choice = (float)(seed % 2);
		begin(plain, seed, &sign);
		ck_assert(sign == 1 || sign == -1);
		signs[sign == 1]++;
		weir_env_outcome outcome = act(plain, &choice, &next);
		ck_assert(outcome.reward == (double)sign && outcome.terminated);
		begin(with_action, seed, &sign);
		outcome = act(with_action, &choice, &next);
		ck_assert(outcome.reward == (double)sign * (choice == 1 ? 1 : -1) && outcome.terminated);
	}
	ck_assert_int_ge(signs[0], 200 - 40);
	ck_assert_int_ge(signs[1], 200 - 40);
	weir_env_close(plain);
	weir_env_close(with_action);
}
END_TEST

START_TEST(states_of_the_chain_can_be_told_apart)
{
	weir_env *env = open_env("probe_chain");
	float observation, choice = 0;
	begin(env, 1, &observation);
	ck_assert(observation == 0);
	for (int i = 0; i < 4; i++) {
		ck_assert(act(env, &choice, &observation).reward == (i > 0));
		ck_assert(observation == 1);
	}
	weir_env_close(env);
}
END_TEST

START_TEST(the_identity_rewards_the_observed_choice)
{
	weir_env *env = open_env("probe_identity");
	ck_assert(!weir_env_masks(env));
	float one_hot[4];
	int drawn[4] = {0};
	begin(env, 9, one_hot);
	for (int step = 0; step < 100; step++) {
		int shown = -1;
		for (int i = 0; i < 4; i++) {
			ck_assert(one_hot[i] == 0 || (one_hot[i] == 1 && shown < 0));
			shown = one_hot[i] == 1 ? i : shown;
		}
		drawn[shown]++;
		bool right = step % 3 != 0;
		float choice = (float)(right ? shown : (shown + 1) % 4);
		weir_env_outcome outcome = act(env, &choice, one_hot);
		ck_assert(outcome.reward == right);
		ck_assert_int_eq(outcome.truncated, step == 99);
		ck_assert(!outcome.terminated);
	}
	for (int i = 0; i < 4; i++) {
		ck_assert_int_ge(drawn[i], 10);
	}
	weir_env_close(env);
}
END_TEST

START_TEST(what_is_masked_is_what_is_punished)
{
	weir_env *env = open_env("probe_mask");
	ck_assert_uint_eq(weir_space_choices(&env->action), 7);
	ck_assert(weir_env_masks(env));
	float observation[2];
	uint8_t mask[7], masks_seen[7] = {0};
	begin(env, 2, observation);
	for (int step = 0; step < 20; step++) {
		weir_env_mask(env, mask);
		ck_assert_int_eq(mask[0] + mask[1] + mask[2], 2);
		ck_assert_int_eq(mask[3] + mask[4] + mask[5] + mask[6], 3);
		ck_assert_uint_eq(mask[lrintf(observation[0] * 2)], 0);
		ck_assert_uint_eq(mask[3 + lrintf(observation[1] * 3)], 0);
		float action[2] = {(float)(step % 3), (float)(step / 3 % 4)};
		int wrong = !mask[step % 3] + !mask[3 + step / 3 % 4];
		for (int i = 0; i < 7; i++) {
			masks_seen[i] |= !mask[i];
		}
		weir_env_outcome outcome = act(env, action, observation);
		double terms[2];
		weir_env_info(env, terms);
		ck_assert(terms[1] == -2 * wrong);
		ck_assert_double_eq_tol(terms[0], (double)action[0] / 2 + (double)action[1] / 3, 1e-12);
		ck_assert_int_eq(outcome.truncated, step == 19);
	}
	for (int i = 0; i < 7; i++) {
		ck_assert_msg(masks_seen[i], "choice %d was never masked", i);
	}
	/* The episode is over: nothing is to be chosen. */
	weir_env_mask(env, mask);
	uint8_t all[7];
	memset(all, 1, sizeof all);
	ck_assert_mem_eq(mask, all, sizeof all);
	weir_env_close(env);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/env_probes");
	TCase *tests = tcase_create("probes");
	tcase_add_test(tests, values_are_those_that_are_told);
	tcase_add_test(tests, what_is_rewarded_is_what_was_observed);
	tcase_add_test(tests, states_of_the_chain_can_be_told_apart);
	tcase_add_test(tests, the_identity_rewards_the_observed_choice);
	tcase_add_test(tests, what_is_masked_is_what_is_punished);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
