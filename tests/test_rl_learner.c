/* The learner: rollouts as Stable-Baselines3 collects them, and probes whose values are known. */
#include "rl/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rl/learner_state.h"
#include "rl/vector.h"
#include "support/test_support.h"

/* Environments, an agent and its learner, with room for a step. */
typedef struct world {
	weir_ppo_config ppo;
	weir_vector *vector;
	const weir_env *env;
	weir_agent *agent;
	weir_learner *learner;
	weir_vector_buffers buffers;
	float *actions;
} world;

static void make_world(world *w, const char *kind, size_t count, const weir_ppo_config *ppo,
                       const weir_normaliser_config *normalise, bool shuffled)
{
	weir_error error = {0};
	weir_vector_options options = weir_vector_options_default();
	options.count = count;
	options.seed = 7;
	*w = (world){.ppo = *ppo};
	ck_assert_ok(weir_vector_create(kind, NULL, "test", &options, &w->vector, &error), &error);
	w->env = weir_vector_env(w->vector, 0);
	weir_actor_critic_shape shape =
	    weir_actor_critic_shape_default(w->env->observation.size, &w->env->action);
	ck_assert_ok(weir_agent_create(kind, "{}", &w->env->observation, &w->env->action, &shape, 7,
	                               &w->agent, &error),
	             &error);
	if (normalise != NULL) {
		w->agent->normaliser = weir_normaliser_create(normalise, w->env->observation.size, 1);
	}
	const weir_learner_options of_learner = {
	    .ppo = &w->ppo, .environments = count, .seed = 7, .shuffled_rewards = shuffled};
	ck_assert_ok(weir_learner_create(&of_learner, w->agent, &w->learner, &error), &error);
	size_t choices = weir_space_choices(&w->env->action);
	w->buffers = (weir_vector_buffers){
	    .observations = calloc(count * w->env->observation.size, sizeof(float)),
	    .final_observations = calloc(count * w->env->observation.size, sizeof(float)),
	    .rewards = calloc(count, sizeof(double)),
	    .terminated = calloc(count, 1),
	    .truncated = calloc(count, 1),
	    .masks = choices > 0 ? calloc(count, choices) : NULL};
	w->actions = calloc(count * w->env->action.size, sizeof(float));
	ck_assert_ok(weir_vector_reset(w->vector, &w->buffers, &error), &error);
	weir_learner_begin(w->learner, w->buffers.observations, w->buffers.masks);
}

static void release_world(world *w)
{
	weir_learner_destroy(w->learner);
	weir_agent_destroy(w->agent);
	weir_vector_destroy(w->vector);
	free(w->buffers.observations);
	free(w->buffers.final_observations);
	free(w->buffers.rewards);
	free(w->buffers.terminated);
	free(w->buffers.truncated);
	free(w->buffers.masks);
	free(w->actions);
}

static void step_world(world *w)
{
	weir_error error = {0};
	weir_learner_act(w->learner, w->actions);
	ck_assert_ok(weir_vector_step(w->vector, w->actions, &w->buffers, &error), &error);
	const weir_learner_step step = {.rewards = w->buffers.rewards,
	                                .terminated = w->buffers.terminated,
	                                .truncated = w->buffers.truncated,
	                                .final_observations = w->buffers.final_observations,
	                                .observations = w->buffers.observations,
	                                .masks = w->buffers.masks};
	weir_learner_push(w->learner, &step);
}

static void learn(world *w, int rollouts)
{
	weir_error error = {0};
	weir_ppo_figures figures;
	for (int i = 0; i < rollouts; i++) {
		while (!weir_learner_full(w->learner)) {
			step_world(w);
		}
		ck_assert_ok(weir_learner_update(w->learner, 1, &figures, &error), &error);
	}
}

/* What the agent says of an observation. */
static float ask(const world *w, const float *observation, const uint8_t *mask, float *action)
{
	float raw[4], value;
	weir_agent_user *user = weir_agent_user_create(w->agent);
	weir_agent_act(user, observation, mask, NULL, raw, action, &value);
	weir_agent_user_destroy(user);
	return value;
}

/* --- probes ---------------------------------------------------------------------------------- */

typedef struct probe {
	const char *kind;
	float observation[4];
	float value;
	int choice; /* -1: any */
} probe;

static const probe probes[] = {
    {"probe_constant", {0}, 1, -1},
    {"probe_observation", {1}, 1, -1},
    {"probe_observation", {-1}, -1, -1},
    {"probe_two_steps", {0}, 0.9F, -1},
    {"probe_two_steps", {1}, 1, -1},
    {"probe_action", {0}, 1, 1},
    {"probe_observation_action", {1}, 1, 1},
    {"probe_observation_action", {-1}, 1, 0},
    {"probe_endless", {0}, 10, -1},
    {"probe_chain", {0}, 9, -1},
    {"probe_chain", {1}, 10, -1},
};

START_TEST(probes_come_out_as_they_must)
{
	const probe *p = &probes[_i];
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.gamma = 0.9;
	ppo.learning_rate = 3e-3;
	ppo.learning_rate_schedule = WEIR_SCHEDULE_LINEAR;
	ppo.n_steps = 64;
	world w;
	weir_error error = {0};
	weir_ppo_figures figures;
	make_world(&w, p->kind, 4, &ppo, NULL, false);
	for (int i = 0; i < 80; i++) {
		while (!weir_learner_full(w.learner)) {
			step_world(&w);
		}
		ck_assert_ok(weir_learner_update(w.learner, 1 - i / 80.0, &figures, &error), &error);
	}
	float action[1];
	float value = ask(&w, p->observation, NULL, action);
	ck_assert_msg(fabsf(value - p->value) < 0.02F * fmaxf(1, fabsf(p->value)),
	              "%s: the value of %g is %g, not %g", p->kind, (double)p->observation[0],
	              (double)value, (double)p->value);
	ck_assert(p->choice < 0 || (int)action[0] == p->choice);
	release_world(&w);
}
END_TEST

static double identity_score(bool shuffled)
{
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.gamma = 0.4;
	ppo.learning_rate = 2e-3;
	ppo.n_steps = 256;
	ppo.n_epochs = 4;
	world w;
	make_world(&w, "probe_identity", 1, &ppo, NULL, shuffled);
	learn(&w, 8);
	double score = 0;
	for (int i = 0; i < 4; i++) {
		float observation[4] = {0}, action[1];
		observation[i] = 1;
		ask(&w, observation, NULL, action);
		score += (int)action[0] == i ? 0.25 : 0;
	}
	release_world(&w);
	return score;
}

START_TEST(what_is_seen_is_done_unless_rewards_are_shuffled)
{
	ck_assert_double_eq(identity_score(false), 1);
	ck_assert_double_lt(identity_score(true), 1);
}
END_TEST

START_TEST(masked_choices_are_never_taken)
{
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.n_steps = 64;
	ppo.learning_rate = 3e-3;
	world w;
	make_world(&w, "probe_mask", 2, &ppo, NULL, false);
	for (int i = 0; i < 40; i++) {
		while (!weir_learner_full(w.learner)) {
			uint8_t before[14];
			memcpy(before, w.buffers.masks, sizeof before);
			step_world(&w);
			for (size_t e = 0; e < 2; e++) {
				const float *action = w.actions + 2 * e;
				ck_assert(before[7 * e + (size_t)action[0]]);
				ck_assert(before[7 * e + 3 + (size_t)action[1]]);
			}
		}
		weir_error error = {0};
		weir_ppo_figures figures;
		ck_assert_ok(weir_learner_update(w.learner, 1, &figures, &error), &error);
	}
	/* The masks of the rollout are those that were acted under: the largest allowed are learned. */
	uint8_t mask[7] = {1, 1, 0, 1, 1, 1, 0};
	float observation[2] = {1, 1}, action[2];
	ask(&w, observation, mask, action);
	ck_assert_float_eq(action[0], 1);
	ck_assert_float_eq(action[1], 2);
	release_world(&w);
}
END_TEST

/* --- the rollout ------------------------------------------------------------------------------ */

START_TEST(a_cut_episode_gets_the_value_of_what_was_seen_last)
{
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.gamma = 0.9;
	ppo.n_steps = 10;
	world w;
	make_world(&w, "probe_chain", 1, &ppo, NULL, false);
	const float last[1] = {1};
	float action[1];
	float value = ask(&w, last, NULL, action); /* the network as the rollout is made with */
	for (int i = 0; i < 8; i++) {
		step_world(&w);
	}
	const float rewards[] = {0, 1, 1, 1 + 0.9F * value, 0, 1, 1, 1 + 0.9F * value};
	const float starts[] = {1, 0, 0, 0, 1, 0, 0, 0};
	for (int i = 0; i < 8; i++) {
		ck_assert_float_eq_tol(w.learner->rollout->rewards[i], rewards[i], 1e-6F);
		ck_assert_float_eq(w.learner->rollout->episode_starts[i], starts[i]);
	}
	release_world(&w);
}
END_TEST

START_TEST(a_terminated_episode_gets_nothing_more)
{
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.n_steps = 4;
	world w;
	make_world(&w, "probe_constant", 1, &ppo, NULL, false);
	const uint8_t both = 1;
	const double reward = 1;
	const float observation = 1; /* whose value is not 0, by chance */
	weir_learner_act(w.learner, w.actions);
	const weir_learner_step step = {.rewards = &reward,
	                                .terminated = &both,
	                                .truncated = &both,
	                                .final_observations = &observation,
	                                .observations = &observation};
	weir_learner_push(w.learner, &step);
	ck_assert_float_eq(w.learner->rollout->rewards[0], 1);
	release_world(&w);
}
END_TEST

START_TEST(the_action_is_kept_as_drawn_and_given_within_its_bounds)
{
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.n_steps = 200;
	world w;
	make_world(&w, "pendulum", 1, &ppo, NULL, false);
	int clipped = 0;
	for (int i = 0; i < 200; i++) {
		step_world(&w);
		float raw = weir_learner_raw_actions(w.learner)[0];
		ck_assert_float_eq(w.learner->rollout->actions[i], raw);
		ck_assert_float_eq(w.actions[0], fminf(2, fmaxf(-2, raw)));
		ck_assert_float_eq(weir_learner_values(w.learner)[0], w.learner->rollout->values[i]);
		clipped += raw != w.actions[0];
	}
	ck_assert_int_gt(clipped, 0); /* a standard normal is beyond 2 once in 22 times */
	release_world(&w);
}
END_TEST

START_TEST(statistics_come_before_what_they_are_used_for)
{
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.n_steps = 8;
	const weir_normaliser_config config = weir_normaliser_config_default();
	world w;
	make_world(&w, "pendulum", 2, &ppo, &config, false);
	weir_normaliser *model = weir_normaliser_create(&config, 3, 2);
	weir_normaliser_learn(model, w.buffers.observations, 2);
	float seen[6], rewards[2];
	for (size_t i = 0; i < 8; i++) {
		weir_normaliser_apply(model, w.buffers.observations, 2, seen);
		step_world(&w);
		const uint8_t dones[2] = {0, 0};
		weir_normaliser_learn(model, w.buffers.observations, 2);
		weir_normaliser_rewards(model, w.buffers.rewards, dones, rewards);
		ck_assert_mem_eq(w.learner->rollout->observations + 6 * i, seen, sizeof seen);
		ck_assert_mem_eq(w.learner->rollout->rewards + 2 * i, rewards, sizeof rewards);
	}
	ck_assert_double_eq(w.agent->normaliser->count, model->count);
	weir_normaliser_destroy(model);
	release_world(&w);
}
END_TEST

static int compare_floats(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

START_TEST(shuffled_rewards_are_the_same_rewards)
{
	enum { STEPS = 64 };
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.n_steps = STEPS;
	world w;
	make_world(&w, "pendulum", 1, &ppo, NULL, true);
	while (!weir_learner_full(w.learner)) {
		step_world(&w);
	}
	float before[STEPS], after[STEPS];
	memcpy(before, w.learner->rollout->rewards, sizeof before);
	weir_error error = {0};
	weir_ppo_figures figures;
	ck_assert_ok(weir_learner_update(w.learner, 1, &figures, &error), &error);
	memcpy(after, w.learner->rollout->rewards, sizeof after);
	ck_assert_mem_ne(before, after, sizeof before);
	qsort(before, STEPS, sizeof before[0], compare_floats);
	qsort(after, STEPS, sizeof after[0], compare_floats);
	ck_assert_mem_eq(before, after, sizeof before);
	release_world(&w);
}
END_TEST

/* --- keeping it ------------------------------------------------------------------------------ */

START_TEST(a_learner_that_was_kept_goes_on_alike)
{
	weir_ppo_config ppo = weir_ppo_config_default();
	ppo.n_steps = 16;
	ppo.batch_size = 8;
	const weir_normaliser_config normalise = weir_normaliser_config_default();
	world first, second;
	make_world(&first, "probe_endless", 2, &ppo, &normalise, true);
	make_world(&second, "probe_endless", 2, &ppo, &normalise, true);
	learn(&first, 3); /* 48 steps: six whole episodes */
	weir_error error = {0};
	const char *path = test_path("learner.h5");
	weir_archive_writer *writer;
	ck_assert_ok(weir_archive_begin(path, "test", 1, &writer, &error), &error);
	ck_assert_ok(weir_learner_put(first.learner, writer, "group/learner", &error), &error);
	ck_assert_ok(weir_archive_commit(writer, &error), &error);
	weir_archive *archive;
	uint32_t version;
	ck_assert_ok(weir_archive_open(path, "test", 1, &version, &archive, &error), &error);
	ck_assert_ok(weir_learner_get(second.learner, archive, "group/learner", &error), &error);
	weir_archive_close(archive);
	weir_learner_continue(second.learner, first.buffers.observations, NULL);
	learn(&first, 2);
	learn(&second, 2);
	size_t count = weir_actor_critic_parameter_count(first.agent->network);
	ck_assert_mem_eq(weir_actor_critic_parameters(first.agent->network),
	                 weir_actor_critic_parameters(second.agent->network), count * sizeof(float));
	ck_assert_double_eq(first.agent->normaliser->return_variance,
	                    second.agent->normaliser->return_variance);
	release_world(&first);
	release_world(&second);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rl_learner");
	TCase *tests = tcase_create("learner");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, probes_come_out_as_they_must, 0,
	                    (int)(sizeof probes / sizeof probes[0]));
	tcase_add_test(tests, what_is_seen_is_done_unless_rewards_are_shuffled);
	tcase_add_test(tests, masked_choices_are_never_taken);
	tcase_add_test(tests, a_cut_episode_gets_the_value_of_what_was_seen_last);
	tcase_add_test(tests, a_terminated_episode_gets_nothing_more);
	tcase_add_test(tests, the_action_is_kept_as_drawn_and_given_within_its_bounds);
	tcase_add_test(tests, statistics_come_before_what_they_are_used_for);
	tcase_add_test(tests, shuffled_rewards_are_the_same_rewards);
	tcase_add_test(tests, a_learner_that_was_kept_goes_on_alike);
	suite_add_tcase(s, tests);
	return s;
}

int main(void)
{
	return test_main(suite());
}
