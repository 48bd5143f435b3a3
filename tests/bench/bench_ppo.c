/*
 * PPO: steps per CPU second of learning CartPole with Stable-Baselines3's defaults on one core,
 * where the time goes, and what an update costs by the size of observations and layers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rl/learner.h"
#include "rl/vector.h"

enum { STEPS = 204800 };

static double cpu_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void require(weir_status status, const weir_error *error)
{
	if (status != WEIR_OK) {
		fprintf(stderr, "bench_ppo: %s: %s\n", error->where, error->message);
		exit(EXIT_FAILURE);
	}
}

typedef struct time_parts {
	double env, act, update;
} time_parts;

/* Every step's parts are timed only where `parts` is wanted: two looks at the clock a step cost. */
static double train(weir_vector *vector, weir_learner *learner, time_parts *parts)
{
	float observations[4];
	float finals[4];
	double rewards[1];
	uint8_t terminated[1];
	uint8_t truncated[1];
	float actions[1];
	const weir_vector_buffers buffers = {.observations = observations,
	                                     .rewards = rewards,
	                                     .terminated = terminated,
	                                     .truncated = truncated,
	                                     .final_observations = finals};
	const weir_learner_step step = {.rewards = rewards,
	                                .terminated = terminated,
	                                .truncated = truncated,
	                                .final_observations = finals,
	                                .observations = observations};
	weir_error error = {0};
	weir_ppo_figures figures;
	require(weir_vector_reset(vector, &buffers, &error), &error);
	weir_learner_begin(learner, observations, NULL);
	double start = cpu_seconds();
	for (int done = 0; done < STEPS; done++) {
		weir_learner_act(learner, actions);
		double before = parts != NULL ? cpu_seconds() : 0;
		require(weir_vector_step(vector, actions, &buffers, &error), &error);
		if (parts != NULL) {
			parts->env += cpu_seconds() - before;
		}
		weir_learner_push(learner, &step);
		if (weir_learner_full(learner)) {
			before = parts != NULL ? cpu_seconds() : 0;
			require(weir_learner_update(learner, 1, &figures, &error), &error);
			if (parts != NULL) {
				parts->update += cpu_seconds() - before;
			}
		}
	}
	return cpu_seconds() - start;
}

static double cartpole(uint64_t seed, time_parts *parts)
{
	weir_error error = {0};
	const weir_ppo_config ppo = weir_ppo_config_default();
	const weir_learner_options options = {.ppo = &ppo, .environments = 1, .seed = seed};
	weir_vector_options many = weir_vector_options_default();
	many.count = 1;
	many.threads = 1;
	many.seed = seed;
	weir_vector *vector = NULL;
	weir_agent *agent = NULL;
	weir_learner *learner = NULL;
	require(weir_vector_create("cartpole", NULL, "bench", &many, &vector, &error), &error);
	const weir_env *env = weir_vector_env(vector, 0);
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(4, &env->action);
	require(weir_agent_create("cartpole", "{}", &env->observation, &env->action, &shape, seed,
	                          &agent, &error),
	        &error);
	require(weir_learner_create(&options, agent, &learner, &error), &error);
	double seconds = train(vector, learner, parts);
	weir_learner_destroy(learner);
	weir_agent_destroy(agent);
	weir_vector_destroy(vector);
	return seconds;
}

/* Microseconds of a minibatch of 64, the best of some updates of 2048 steps. */
static double minibatch(size_t observation_size, size_t hidden, bool shared)
{
	static const weir_dimension choice = {.name = "choice", .unit = "", .choices = 2};
	static const weir_space action = {
	    .kind = WEIR_SPACE_DISCRETE, .size = 1, .dimensions = &choice};
	weir_error error = {0};
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(observation_size, &action);
	shape.hidden[0] = shape.hidden[1] = hidden;
	shape.shared_trunk = shared;
	weir_actor_critic *network = NULL;
	weir_ppo *ppo = NULL;
	const weir_ppo_config config = weir_ppo_config_default();
	require(weir_actor_critic_create(&shape, 1, &network, &error), &error);
	require(weir_ppo_create(&config, network, 2048, 1, &ppo, &error), &error);
	weir_rollout *rollout = weir_rollout_create(2048, 1, observation_size, &action);
	weir_xoshiro random = weir_xoshiro_seed(1);
	for (size_t i = 0; i < 2048 * observation_size; i++) {
		rollout->observations[i] = (float)weir_xoshiro_normal(&random);
	}
	for (size_t i = 0; i < 2048; i++) {
		rollout->log_probs[i] = -0.693f;
		rollout->advantages[i] = rollout->returns[i] = (float)weir_xoshiro_normal(&random);
	}
	double best = 1e9;
	for (int i = 0; i < 7; i++) {
		weir_ppo_figures figures;
		double start = cpu_seconds();
		require(weir_ppo_update(ppo, rollout, 1, &figures, &error), &error);
		double seconds = cpu_seconds() - start;
		best = seconds < best ? seconds : best;
	}
	weir_rollout_destroy(rollout);
	weir_ppo_destroy(ppo);
	weir_actor_critic_destroy(network);
	return 1e6 * best / (10 * 2048 / 64);
}

int main(void)
{
	printf("CartPole, %d steps each\n%6s %16s\n", STEPS, "seed", "steps/CPU s");
	for (uint64_t seed = 1; seed <= 3; seed++) {
		printf("%6d %16.0f\n", (int)seed, STEPS / cartpole(seed, NULL));
	}
	time_parts parts = {0};
	double all = cartpole(1, &parts);
	printf(
	    "of which (timed step by step): environment %.1f %%, updates %.1f %%, acting %.1f %%\n\n",
	    100 * parts.env / all, 100 * parts.update / all,
	    100 * (all - parts.env - parts.update) / all);
	printf("%12s %8s %8s %16s\n", "observation", "hidden", "shared", "us/minibatch");
	static const size_t sizes[][3] = {{4, 64, 0}, {4, 64, 1}, {32, 64, 0}, {32, 256, 0}};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		printf("%12zu %8zu %8s %16.1f\n", sizes[i][0], sizes[i][1], sizes[i][2] ? "yes" : "no",
		       minibatch(sizes[i][0], sizes[i][1], sizes[i][2] != 0));
	}
	return EXIT_SUCCESS;
}
