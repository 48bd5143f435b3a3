/* Evaluations, and the means over the last episodes of a training. */
#include "rl/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rl/episode_log.h"
#include "support/test_support.h"

static weir_evaluator *make_evaluator(const char *kind, const char *parameters,
                                      const weir_evaluator_options *options)
{
	weir_error error = {0};
	weir_evaluator *evaluator;
	ck_assert_ok(weir_evaluator_create(kind, parameters, "test", options, &evaluator, &error),
	             &error);
	return evaluator;
}

static weir_agent *make_agent(const weir_evaluator *evaluator, const char *kind)
{
	const weir_env *env = weir_evaluator_env(evaluator);
	weir_actor_critic_shape shape =
	    weir_actor_critic_shape_default(env->observation.size, &env->action);
	weir_error error = {0};
	weir_agent *agent;
	ck_assert_ok(
	    weir_agent_create(kind, "{}", &env->observation, &env->action, &shape, 3, &agent, &error),
	    &error);
	return agent;
}

static weir_evaluation evaluate(weir_evaluator *evaluator, const weir_agent *agent)
{
	weir_error error = {0};
	weir_evaluation evaluation;
	ck_assert_ok(weir_evaluator_run(evaluator, agent, &evaluation, &error), &error);
	return evaluation;
}

enum { EPISODES = 7 };

/* The rewards of the first episodes of CartPole's list, one environment after the other. */
static void play_by_hand(const weir_agent *agent, double rewards[EPISODES])
{
	weir_error error = {0};
	weir_env *env;
	ck_assert_ok(weir_env_create("cartpole", NULL, "test", &env, &error), &error);
	weir_agent_user *user = weir_agent_user_create(agent);
	for (int64_t i = 0; i < EPISODES; i++) {
		const weir_env_start start = {.seed = 0, .evaluation = true, .episode = i};
		weir_env_outcome outcome = {0};
		float observation[4], raw[1], action[1], value;
		ck_assert_ok(weir_env_reset(env, &start, observation, &error), &error);
		for (rewards[i] = 0; !outcome.terminated && !outcome.truncated;) {
			weir_agent_act(user, observation, NULL, NULL, raw, action, &value);
			ck_assert_ok(weir_env_step(env, action, observation, &outcome, &error), &error);
			rewards[i] += outcome.reward;
		}
	}
	weir_agent_user_destroy(user);
	weir_env_close(env);
}

static const struct {
	size_t environments, threads;
} ways[] = {{1, 1}, {3, 1}, {3, 2}, {7, 2}, {50, 1}};

START_TEST(episodes_are_those_of_the_list_however_they_are_played)
{
	weir_evaluator_options options = weir_evaluator_options_default();
	options.episodes = EPISODES;
	options.environments = ways[_i].environments;
	options.threads = ways[_i].threads;
	weir_evaluator *evaluator = make_evaluator("cartpole", NULL, &options);
	weir_agent *agent = make_agent(evaluator, "cartpole");
	double rewards[EPISODES], sum = 0, squares = 0;
	play_by_hand(agent, rewards);
	for (int again = 0; again < 2; again++) {
		weir_evaluation evaluation = evaluate(evaluator, agent);
		ck_assert_uint_eq(evaluation.episodes, EPISODES);
		ck_assert_mem_eq(evaluation.rewards, rewards, sizeof rewards);
		sum = squares = 0;
		for (int i = 0; i < EPISODES; i++) {
			sum += rewards[i];
		}
		for (int i = 0; i < EPISODES; i++) {
			squares += pow(rewards[i] - sum / EPISODES, 2);
		}
		ck_assert_double_eq_tol(evaluation.mean_reward, sum / EPISODES, 1e-12);
		ck_assert_double_eq_tol(evaluation.std_reward, sqrt(squares / EPISODES), 1e-12);
		ck_assert_double_eq(evaluation.mean_length, evaluation.mean_reward); /* 1 a step */
		ck_assert_uint_eq(evaluation.failed, 0);
	}
	ck_assert_double_gt(squares, 0); /* the episodes differ */
	weir_agent_destroy(agent);
	weir_evaluator_destroy(evaluator);
}
END_TEST

START_TEST(drawn_actions_depend_on_the_seed_alone)
{
	weir_evaluator_options options = weir_evaluator_options_default();
	options.deterministic = false;
	double means[4];
	for (int i = 0; i < 4; i++) {
		options.environments = i == 1 ? 5 : 2;
		options.seed = i == 2 ? 8 : 9;
		options.deterministic = i == 3;
		weir_evaluator *evaluator = make_evaluator("cartpole", NULL, &options);
		weir_agent *agent = make_agent(evaluator, "cartpole");
		means[i] = evaluate(evaluator, agent).mean_reward;
		weir_agent_destroy(agent);
		weir_evaluator_destroy(evaluator);
	}
	ck_assert_double_eq(means[0], means[1]);
	ck_assert_double_ne(means[0], means[2]);
	ck_assert_double_ne(means[0], means[3]);
}
END_TEST

START_TEST(parts_of_the_reward_are_summed_and_other_figures_averaged)
{
	weir_evaluator_options options = weir_evaluator_options_default();
	options.episodes = 3;
	weir_evaluator *evaluator = make_evaluator("tutorial", NULL, &options);
	weir_agent *agent = make_agent(evaluator, "tutorial");
	weir_evaluation evaluation = evaluate(evaluator, agent);
	ck_assert_double_eq_tol(evaluation.terms[0] + evaluation.terms[1], evaluation.mean_reward,
	                        1e-12);
	ck_assert_double_eq_tol(evaluation.terms[1], -0.01 * evaluation.mean_length, 1e-12);
	weir_agent_destroy(agent);
	weir_evaluator_destroy(evaluator);

	evaluator = make_evaluator("probe_constrained", NULL, &options);
	agent = make_agent(evaluator, "probe_constrained");
	evaluation = evaluate(evaluator, agent);
	double effort = evaluation.terms[2];
	ck_assert_double_eq_tol(evaluation.mean_reward, effort * (2 - effort), 1e-12);
	weir_agent_destroy(agent);
	weir_evaluator_destroy(evaluator);
}
END_TEST

START_TEST(failed_checks_are_counted_or_stop_it)
{
	weir_evaluator_options options = weir_evaluator_options_default();
	options.episodes = 200;
	options.strict = false;
	weir_evaluator *evaluator =
	    make_evaluator("probe_constrained", "{\"flawed_one_in\": 4}", &options);
	weir_agent *agent = make_agent(evaluator, "probe_constrained");
	size_t failed = evaluate(evaluator, agent).failed;
	ck_assert_uint_gt(failed, 20);
	ck_assert_uint_lt(failed, 90);
	weir_evaluator_destroy(evaluator);
	options.strict = true;
	evaluator = make_evaluator("probe_constrained", "{\"flawed_one_in\": 4}", &options);
	weir_error error = {0};
	weir_evaluation evaluation;
	ck_assert_int_eq(weir_evaluator_run(evaluator, agent, &evaluation, &error),
	                 WEIR_ERROR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(error.message, "a check does not hold"));
	weir_agent_destroy(agent);
	weir_evaluator_destroy(evaluator);
}
END_TEST

/* --- the log of episodes ------------------------------------------------------------------------
 */

static const weir_info_term terms[] = {{"gain", "", "", .reward = true},
                                       {"load", "", "", .reward = false}};

START_TEST(means_are_over_the_last_hundred_episodes)
{
	weir_episode_log log;
	ck_assert(weir_episode_log_create(&log, 2, terms, 2));
	ck_assert(isnan(weir_episode_log_reward(&log)));
	/* Episode n of environment 0 has n + 1 steps, each worth 1, with a load of n; environment 1
	 * never ends. */
	for (int n = 0; n < 150; n++) {
		for (int step = 0; step <= n; step++) {
			const double info[] = {1, n};
			weir_episode_log_step(&log, 0, 1, info, step == n);
			weir_episode_log_step(&log, 1, 1000, info, false);
		}
		double first = n < 100 ? 0 : n - 99;
		double mean = (first + n) / 2;
		ck_assert_double_eq_tol(weir_episode_log_reward(&log), mean + 1, 1e-9);
		ck_assert_double_eq_tol(weir_episode_log_length(&log), mean + 1, 1e-9);
		ck_assert_double_eq_tol(weir_episode_log_term(&log, 0), mean + 1, 1e-9);
		ck_assert_double_eq_tol(weir_episode_log_term(&log, 1), mean, 1e-9);
	}
	ck_assert_int_eq(log.ended, 150);
	weir_episode_log_release(&log);
}
END_TEST

START_TEST(a_kept_log_goes_on_alike)
{
	weir_episode_log log, again;
	weir_error error = {0};
	const char *path = test_path("episodes.h5");
	ck_assert(weir_episode_log_create(&log, 1, terms, 2));
	ck_assert(weir_episode_log_create(&again, 1, terms, 2));
	for (int i = 0; i < 8; i++) {
		weir_episode_log_step(&log, 0, i, (const double[]){i, 2 * i}, i == 5);
	}
	weir_archive_writer *writer;
	weir_archive *archive;
	uint32_t version;
	ck_assert_ok(weir_archive_begin(path, "test", 1, &writer, &error), &error);
	ck_assert_ok(weir_episode_log_put(&log, writer, "episodes", &error), &error);
	ck_assert_ok(weir_archive_commit(writer, &error), &error);
	ck_assert_ok(weir_archive_open(path, "test", 1, &version, &archive, &error), &error);
	ck_assert_ok(weir_episode_log_get(&again, archive, "episodes", &error), &error);
	weir_archive_close(archive);
	weir_episode_log_step(&again, 0, 8, (const double[]){8, 16}, true);
	ck_assert_int_eq(again.ended, 2);
	ck_assert_double_eq(weir_episode_log_reward(&again), (15 + 21) / 2.0);
	ck_assert_double_eq(weir_episode_log_length(&again), (6 + 3) / 2.0);
	ck_assert_double_eq(weir_episode_log_term(&again, 1), (30 / 6.0 + 42 / 3.0) / 2);
	weir_episode_log_release(&log);
	weir_episode_log_release(&again);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rl_evaluate");
	TCase *tests = tcase_create("evaluate");
	tcase_add_loop_test(tests, episodes_are_those_of_the_list_however_they_are_played, 0,
	                    (int)(sizeof ways / sizeof ways[0]));
	tcase_add_test(tests, drawn_actions_depend_on_the_seed_alone);
	tcase_add_test(tests, parts_of_the_reward_are_summed_and_other_figures_averaged);
	tcase_add_test(tests, failed_checks_are_counted_or_stop_it);
	tcase_add_test(tests, means_are_over_the_last_hundred_episodes);
	tcase_add_test(tests, a_kept_log_goes_on_alike);
	suite_add_tcase(s, tests);
	return s;
}

int main(void)
{
	return test_main(suite());
}
