#include "rl/rollout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/agent_cases.h"
#include "support/test_support.h"

enum { STEPS = 40, ENVIRONMENTS = 3 };

typedef void (*finish)(weir_rollout *rollout, double gamma, double gae_lambda,
                       const float *last_values, const float *last_dones);

/* The largest difference from the definition's sum over all pairs of steps. */
static double difference(finish finish_rollout)
{
	static const float last_values[ENVIRONMENTS] = {1.5f, -0.7f, 0.2f};
	static const float last_dones[ENVIRONMENTS] = {0, 1, 0};
	weir_rollout *rollout = weir_rollout_create(STEPS, ENVIRONMENTS, 4, &case_spaces[1]);
	weir_actor_critic *network = case_network(&case_spaces[1], false, 2);
	case_fill_rollout(rollout, network, 17);
	finish_rollout(rollout, 0.97, 0.9, last_values, last_dones);
	const naive_rollout naive = {.steps = STEPS,
	                             .environments = ENVIRONMENTS,
	                             .rewards = rollout->rewards,
	                             .values = rollout->values,
	                             .episode_starts = rollout->episode_starts,
	                             .last_values = last_values,
	                             .last_dones = last_dones,
	                             .gamma = 0.97,
	                             .gae_lambda = 0.9};
	double largest = 0;
	for (size_t step = 0; step < STEPS; step++) {
		for (size_t e = 0; e < ENVIRONMENTS; e++) {
			size_t at = step * ENVIRONMENTS + e;
			double wanted = naive_advantage(&naive, step, e);
			largest = fmax(largest, fabs((double)rollout->advantages[at] - wanted));
			wanted += (double)rollout->values[at];
			largest = fmax(largest, fabs((double)rollout->returns[at] - wanted));
		}
	}
	weir_actor_critic_destroy(network);
	weir_rollout_destroy(rollout);
	return largest;
}

START_TEST(advantages_are_their_definition)
{
	double largest = difference(weir_rollout_finish);
	ck_assert_msg(largest < 2e-6, "off by %g", largest);
}
END_TEST

/* Wrong in one point each. */
typedef enum mistake { NO_DONES, DONES_LATE, LAMBDA_ALONE, GAMMA_ONCE, LAST_GOES_ON } mistake;

static void wrong_finish(weir_rollout *rollout, double gamma, double gae_lambda,
                         const float *last_values, const float *last_dones, mistake how)
{
	for (size_t e = 0; e < rollout->environments; e++) {
		double advantage = 0;
		for (size_t step = rollout->steps; step-- > 0;) {
			size_t at = step * rollout->environments + e;
			size_t next = at + rollout->environments;
			bool last = step + 1 == rollout->steps;
			double done = last ? (double)last_dones[e] : (double)rollout->episode_starts[next];
			if (how == NO_DONES || (how == LAST_GOES_ON && last)) {
				done = 0;
			} else if (how == DONES_LATE) {
				done = (double)rollout->episode_starts[at];
			}
			double next_value = (double)(last ? last_values[e] : rollout->values[next]);
			double discount = how == GAMMA_ONCE ? 1 : gamma;
			double error = (double)rollout->rewards[at] + discount * next_value * (1 - done) -
			               (double)rollout->values[at];
			double decay = how == LAMBDA_ALONE ? gae_lambda : gamma * gae_lambda;
			advantage = error + decay * (1 - done) * advantage;
			rollout->advantages[at] = (float)advantage;
			rollout->returns[at] = rollout->advantages[at] + rollout->values[at];
		}
	}
}

#define WRONG(name, how)                                                                           \
	static void name(weir_rollout *rollout, double gamma, double gae_lambda,                       \
	                 const float *last_values, const float *last_dones)                            \
	{                                                                                              \
		wrong_finish(rollout, gamma, gae_lambda, last_values, last_dones, how);                    \
	}
WRONG(without_dones, NO_DONES)
WRONG(with_dones_late, DONES_LATE)
WRONG(with_lambda_alone, LAMBDA_ALONE)
WRONG(with_gamma_once, GAMMA_ONCE)
WRONG(with_the_end_open, LAST_GOES_ON)

START_TEST(mistakes_are_seen)
{
	static const finish wrong[] = {without_dones, with_dones_late, with_lambda_alone,
	                               with_gamma_once, with_the_end_open};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		double largest = difference(wrong[i]);
		ck_assert_msg(largest > 1e-2, "mistake %zu: off by %g alone", i, largest);
	}
}
END_TEST

/* Rewards 1 to the end of the world: sums of powers. */
START_TEST(closed_forms)
{
	weir_rollout *rollout = weir_rollout_create(10, 1, 1, &case_spaces[0]);
	ck_assert_ptr_null(rollout->masks);
	for (size_t i = 0; i < 10; i++) {
		rollout->rewards[i] = 1;
	}
	float value = 0;
	float done = 1;
	weir_rollout_finish(rollout, 0.9, 1, &value, &done);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_double_eq_tol((double)rollout->returns[i], 10 * (1 - pow(0.9, 10 - (double)i)),
		                        1e-6);
	}
	done = 0;
	value = 10;
	weir_rollout_finish(rollout, 0.9, 1, &value, &done);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_double_eq_tol((double)rollout->returns[i], 10, 1e-5);
	}
	weir_rollout_destroy(rollout);
}
END_TEST

START_TEST(a_new_rollout_allows_everything)
{
	weir_rollout *rollout = weir_rollout_create(3, 2, 5, &case_spaces[2]);
	ck_assert_uint_eq(rollout->choices, 9);
	for (size_t i = 0; i < (size_t)3 * 2 * 9; i++) {
		ck_assert_uint_eq(rollout->masks[i], 1);
	}
	ck_assert_float_eq(rollout->observations[3 * 2 * 5 - 1], 0);
	ck_assert_float_eq(rollout->actions[3 * 2 * 3 - 1], 0);
	weir_rollout_destroy(rollout);
	ck_assert_ptr_null(weir_rollout_create(SIZE_MAX / 4, 8, 5, &case_spaces[2]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/rollout");
	TCase *tests = tcase_create("rollout");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, advantages_are_their_definition);
	tcase_add_test(tests, mistakes_are_seen);
	tcase_add_test(tests, closed_forms);
	tcase_add_test(tests, a_new_rollout_allows_everything);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
