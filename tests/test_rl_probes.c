/* PPO on worlds whose answers are known exactly; and collecting loops with one mistake each. */
#include <math.h>

#include "support/test_support.h"
#include "support/training.h"

static training_plan plan_of(const char *kind, uint64_t seed)
{
	training_plan plan = training_plan_default(kind);
	plan.ppo.learning_rate = 3e-3;
	plan.ppo.learning_rate_schedule = WEIR_SCHEDULE_LINEAR;
	plan.ppo.n_steps = 256;
	plan.ppo.gamma = 0.9;
	plan.steps = 8192;
	plan.seed = seed;
	return plan;
}

/* What one number observed is worth, and what is to be done then (-1: anything). */
typedef struct value_probe {
	const char *kind;
	size_t count;
	float observed[2];
	double worth[2], tolerance;
	int right[2];
} value_probe;

static const value_probe constant = {"probe_constant", 1, {0}, {1}, 0.02, {-1}};
static const value_probe observation = {"probe_observation", 2, {-1, 1}, {-1, 1}, 0.02, {-1, -1}};
static const value_probe two_steps = {"probe_two_steps", 2, {0, 1}, {0.9, 1}, 0.02, {-1, -1}};
static const value_probe action = {"probe_action", 1, {0}, {1}, 0.05, {1}};
static const value_probe observation_action = {
    "probe_observation_action", 2, {-1, 1}, {1, 1}, 0.05, {0, 1}};
static const value_probe endless = {"probe_endless", 1, {0}, {10}, 0.1, {-1}};
static const value_probe chain = {"probe_chain", 2, {0, 1}, {9, 10}, 0.05, {-1, -1}};

/* How far the values are off, at most; infinite where the wrong thing is done. */
static double value_error(const value_probe *probe, const training_plan *plan)
{
	training result;
	double largest = 0;
	training_run(plan, &result);
	for (size_t i = 0; i < probe->count; i++) {
		double value = training_value(&result, &probe->observed[i]);
		float taken;
		training_mode(&result, &probe->observed[i], NULL, &taken);
		bool wrong = probe->right[i] >= 0 && (int)taken != probe->right[i];
		largest = fmax(largest, wrong ? INFINITY : fabs(value - probe->worth[i]));
	}
	training_destroy(&result);
	return largest;
}

START_TEST(values_are_what_is_known)
{
	static const value_probe *const probes[] = {
	    &constant, &observation, &two_steps, &action, &observation_action, &endless, &chain};
	const value_probe *probe = probes[_i];
	training_plan plan = plan_of(probe->kind, 1);
	double error = value_error(probe, &plan);
	ck_assert_msg(error <= probe->tolerance, "%s: values off by %g", probe->kind, error);
}
END_TEST

static void check_rejected(const value_probe *probe, training_mistake mistake, const char *name)
{
	training_plan plan = plan_of(probe->kind, 1);
	plan.mistake = mistake;
	double error = value_error(probe, &plan);
	ck_assert_msg(error > 5 * probe->tolerance, "%s does not see %s: off by %g alone", probe->kind,
	              name, error);
}

START_TEST(mistakes_of_collecting_are_seen)
{
	static const struct {
		const value_probe *probe;
		training_mistake mistake;
		const char *name;
	} cases[] = {
	    {&endless, training_no_bootstrap, "a missing bootstrap"},
	    {&chain, training_no_bootstrap, "a missing bootstrap"},
	    {&chain, training_bootstrap_of_reset, "a bootstrap from the reset"},
	    {&constant, training_bootstrap_always, "a bootstrap at the end of the world"},
	    {&two_steps, training_bootstrap_always, "a bootstrap at the end of the world"},
	    {&constant, training_no_dones, "ends that are passed over"},
	    {&chain, training_dones_late, "ends that come late"},
	    {&action, training_wrong_sign, "a wrong sign"},
	    {&observation_action, training_wrong_sign, "a wrong sign"},
	};
	check_rejected(cases[_i].probe, cases[_i].mistake, cases[_i].name);
}
END_TEST

/* How many of the choices of the mode are right. */
static int identity_right(const training_plan *plan)
{
	training result;
	int right = 0;
	training_run(plan, &result);
	for (int choice = 0; choice < 4; choice++) {
		float observed[4] = {0};
		float taken;
		observed[choice] = 1;
		training_mode(&result, observed, NULL, &taken);
		right += (int)taken == choice;
	}
	training_destroy(&result);
	return right;
}

START_TEST(the_policy_learns_the_identity)
{
	for (uint64_t seed = 1; seed <= 2; seed++) {
		training_plan plan = training_plan_default("probe_identity");
		plan.ppo.learning_rate = 2e-3;
		plan.ppo.n_steps = 256;
		plan.ppo.n_epochs = 4;
		plan.ppo.gamma = 0.4;
		plan.steps = 1280;
		plan.seed = seed;
		ck_assert_int_eq(identity_right(&plan), 4);
		plan.mistake = training_wrong_sign;
		ck_assert_int_eq(identity_right(&plan), 0);
	}
}
END_TEST

/* Whether the policy takes the largest choices that are allowed, whatever is not. */
static bool mask_right(const training *trained)
{
	bool right = true;
	for (int of_3 = 0; of_3 < 3; of_3++) {
		for (int of_4 = 0; of_4 < 4; of_4++) {
			uint8_t mask[7] = {1, 1, 1, 1, 1, 1, 1};
			const float observed[2] = {(float)of_3 / 2, (float)of_4 / 3};
			float taken[2];
			mask[of_3] = mask[3 + of_4] = 0;
			training_mode(trained, observed, mask, taken);
			right = right && (int)taken[0] == (of_3 == 2 ? 1 : 2);
			right = right && (int)taken[1] == (of_4 == 3 ? 2 : 3);
		}
	}
	return right;
}

static double least_episode(const training *trained)
{
	double least = trained->episodes[0];
	for (size_t i = 1; i < trained->episode_count; i++) {
		least = fmin(least, trained->episodes[i]);
	}
	return least;
}

/* What is not allowed costs 2, so that no episode that knows of the masks is below 0. */
START_TEST(masks_are_learned_with)
{
	training_plan plan = plan_of("probe_mask", 1);
	training result;
	training_run(&plan, &result);
	ck_assert(mask_right(&result));
	ck_assert_double_ge(least_episode(&result), 0);
	training_destroy(&result);
	plan.no_masks = true;
	training_run(&plan, &result);
	ck_assert_double_lt(least_episode(&result), 0);
	training_destroy(&result);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/probes");
	TCase *tests = tcase_create("probes");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, values_are_what_is_known, 0, 7);
	tcase_add_loop_test(tests, mistakes_of_collecting_are_seen, 0, 9);
	tcase_add_test(tests, the_policy_learns_the_identity);
	tcase_add_test(tests, masks_are_learned_with);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
