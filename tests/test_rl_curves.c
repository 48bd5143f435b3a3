/* Learning curves of PPO on CartPole and Pendulum, and of loops with a mistake. label: long */
#include <math.h>

#include "support/test_support.h"
#include "support/training.h"

/* Whether the mean of 20 episodes reaches 475 within 60,000 steps, with Stable-Baselines3's
 * defaults. */
static bool cartpole_is_solved(uint64_t seed, training_mistake mistake, double *best)
{
	training_plan plan = training_plan_default("cartpole");
	training result;
	int64_t when;
	plan.steps = 60000;
	plan.seed = seed;
	plan.mistake = mistake;
	training_run(&plan, &result);
	*best = training_best_mean(&result, 20, 475, &when);
	training_destroy(&result);
	return when >= 0 && when <= 60000;
}

START_TEST(cartpole_is_balanced)
{
	double best;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		bool solved = cartpole_is_solved(seed, NULL, &best);
		ck_assert_msg(solved, "seed %d: at best %g", (int)seed, best);
	}
}
END_TEST

START_TEST(cartpole_falls_with_a_mistake)
{
	static const training_mistake mistakes[] = {training_wrong_sign, training_no_dones};
	double best;
	bool solved = cartpole_is_solved(1, mistakes[_i], &best);
	ck_assert_msg(!solved, "solved all the same: %g", best);
}
END_TEST

/* The mean of 20 episodes after 100,000 steps. */
static double pendulum_reward(uint64_t seed, training_mistake mistake)
{
	training_plan plan = training_plan_default("pendulum");
	training result;
	plan.environments = 4;
	plan.ppo.n_steps = 1024;
	plan.ppo.gamma = 0.9;
	plan.ppo.learning_rate = 1e-3;
	plan.steps = 100000;
	plan.seed = seed;
	plan.mistake = mistake;
	training_run(&plan, &result);
	double reward = training_evaluate(&result, 20);
	training_destroy(&result);
	return reward;
}

START_TEST(pendulum_is_swung_up)
{
	for (uint64_t seed = 1; seed <= 2; seed++) {
		double reward = pendulum_reward(seed, NULL);
		ck_assert_msg(reward > -350, "seed %d: %g", (int)seed, reward);
	}
}
END_TEST

START_TEST(pendulum_hangs_with_a_mistake)
{
	double reward = pendulum_reward(1, training_wrong_sign);
	ck_assert_msg(reward <= -350, "swung up all the same: %g", reward);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/curves");
	TCase *tests = tcase_create("curves");
	tcase_set_timeout(tests, 1200);
	tcase_add_test(tests, cartpole_is_balanced);
	tcase_add_loop_test(tests, cartpole_falls_with_a_mistake, 0, 2);
	tcase_add_test(tests, pendulum_is_swung_up);
	tcase_add_test(tests, pendulum_hangs_with_a_mistake);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
