#include "rl/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* What one environment is playing. */
typedef struct player {
	size_t episode; /* of the list; options.episodes and above: nothing that counts */
	weir_xoshiro random;
} player;

struct weir_evaluator {
	weir_evaluator_options options;
	weir_vector *vector;
	size_t count; /* environments */
	player *players;
	size_t next, done; /* episodes begun, and ended */
	size_t failed;
	/* Of each environment, of one step. */
	float *observations, *raw, *actions;
	double *step_rewards, *info;
	uint8_t *terminated, *truncated, *masks;
	uint32_t *bits;
	/* Of each episode. */
	double *rewards, *lengths, *sums; /* sums[episodes][term_count] */
	double *terms;                    /* [term_count] */
};

weir_evaluator_options weir_evaluator_options_default(void)
{
	return (weir_evaluator_options){.episodes = 5,
	                                .environments = 1,
	                                .threads = 1,
	                                .deterministic = true,
	                                .seed = 1000,
	                                .strict = true};
}

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for an evaluation");
}

static bool allocate(weir_evaluator *evaluator)
{
	const weir_env *env = weir_vector_env(evaluator->vector, 0);
	size_t count = evaluator->count, episodes = evaluator->options.episodes;
	size_t choices = weir_space_choices(&env->action);
	/* One more than the figures, of which there may be none. */
	size_t terms = env->term_count + 1;
	evaluator->players = weir_allocate(count, sizeof *evaluator->players);
	evaluator->observations = weir_allocate(count * env->observation.size, sizeof(float));
	evaluator->raw = weir_allocate(env->action.size, sizeof(float));
	evaluator->actions = weir_allocate(count * env->action.size, sizeof(float));
	evaluator->step_rewards = weir_allocate(count, sizeof(double));
	evaluator->info = weir_allocate(count * terms, sizeof(double));
	evaluator->terminated = weir_allocate(count, 1);
	evaluator->truncated = weir_allocate(count, 1);
	evaluator->masks = choices > 0 ? weir_allocate(count, choices) : NULL;
	evaluator->bits = weir_allocate(count, sizeof(uint32_t));
	evaluator->rewards = weir_allocate(episodes, sizeof(double));
	evaluator->lengths = weir_allocate(episodes, sizeof(double));
	evaluator->sums = weir_allocate(episodes * terms, sizeof(double));
	evaluator->terms = weir_allocate(terms, sizeof(double));
	return evaluator->players != NULL && evaluator->observations != NULL &&
	       evaluator->raw != NULL && evaluator->actions != NULL &&
	       evaluator->step_rewards != NULL && evaluator->info != NULL &&
	       evaluator->terminated != NULL && evaluator->truncated != NULL &&
	       (choices == 0 || evaluator->masks != NULL) && evaluator->bits != NULL &&
	       evaluator->rewards != NULL && evaluator->lengths != NULL && evaluator->sums != NULL &&
	       evaluator->terms != NULL;
}

weir_status weir_evaluator_create(const char *kind, const char *parameters, const char *name,
                                  const weir_evaluator_options *options, weir_evaluator **evaluator,
                                  weir_error *error)
{
	*evaluator = NULL;
	weir_evaluator *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return no_memory(error);
	}
	made->options = *options;
	made->count =
	    options->environments < options->episodes ? options->environments : options->episodes;
	weir_vector_options of_vector = weir_vector_options_default();
	of_vector.count = made->count;
	of_vector.threads = options->threads;
	of_vector.seed = options->seed;
	of_vector.strict = options->strict;
	of_vector.evaluation = true;
	of_vector.auto_reset = false;
	weir_status status =
	    weir_vector_create(kind, parameters, name, &of_vector, &made->vector, error);
	if (status == WEIR_OK && !allocate(made)) {
		status = no_memory(error);
	}
	if (status != WEIR_OK) {
		weir_evaluator_destroy(made);
		return status;
	}
	*evaluator = made;
	return WEIR_OK;
}

void weir_evaluator_destroy(weir_evaluator *evaluator)
{
	if (evaluator == NULL) {
		return;
	}
	weir_vector_destroy(evaluator->vector);
	free(evaluator->players);
	free(evaluator->observations);
	free(evaluator->raw);
	free(evaluator->actions);
	free(evaluator->step_rewards);
	free(evaluator->info);
	free(evaluator->terminated);
	free(evaluator->truncated);
	free(evaluator->masks);
	free(evaluator->bits);
	free(evaluator->rewards);
	free(evaluator->lengths);
	free(evaluator->sums);
	free(evaluator->terms);
	free(evaluator);
}

const weir_env *weir_evaluator_env(const weir_evaluator *evaluator)
{
	return weir_vector_env(evaluator->vector, 0);
}

/* Begins the next episode in environment e; one that does not count when all were begun, as every
 * environment of a vector is stepped. */
static weir_status begin_episode(weir_evaluator *evaluator, size_t e, weir_error *error)
{
	player *p = &evaluator->players[e];
	p->episode = evaluator->next++;
	size_t listed = p->episode % evaluator->options.episodes;
	const weir_env_start start = {.seed =
	                                  weir_stream_seed(evaluator->options.seed, "episode", listed),
	                              .evaluation = true,
	                              .episode = (int64_t)listed};
	p->random = weir_xoshiro_seed(weir_stream_seed(evaluator->options.seed, "evaluation", listed));
	const weir_env *env = weir_vector_env(evaluator->vector, e);
	return weir_vector_reset_one(evaluator->vector, e, &start,
	                             evaluator->observations + e * env->observation.size, error);
}

static void act(weir_evaluator *evaluator, weir_agent_user *user)
{
	for (size_t e = 0; e < evaluator->count; e++) {
		const weir_env *env = weir_vector_env(evaluator->vector, e);
		uint8_t *mask = NULL;
		if (evaluator->masks != NULL) {
			mask = evaluator->masks + e * weir_space_choices(&env->action);
			weir_env_mask(env, mask);
		}
		float value;
		weir_agent_act(user, evaluator->observations + e * env->observation.size, mask,
		               evaluator->options.deterministic ? NULL : &evaluator->players[e].random,
		               evaluator->raw, evaluator->actions + e * env->action.size, &value);
	}
}

/* Adds the step to its episode's figures. */
static void count_step(weir_evaluator *evaluator, size_t e)
{
	size_t episode = evaluator->players[e].episode;
	if (episode >= evaluator->options.episodes) {
		return;
	}
	size_t terms = weir_vector_env(evaluator->vector, e)->term_count;
	evaluator->rewards[episode] += evaluator->step_rewards[e];
	evaluator->lengths[episode] += 1;
	evaluator->failed += evaluator->bits[e] != 0;
	for (size_t i = 0; i < terms; i++) {
		evaluator->sums[episode * terms + i] += evaluator->info[e * terms + i];
	}
	evaluator->done += evaluator->terminated[e] || evaluator->truncated[e];
}

static weir_status play(weir_evaluator *evaluator, weir_agent_user *user, weir_error *error)
{
	const weir_vector_buffers buffers = {.observations = evaluator->observations,
	                                     .rewards = evaluator->step_rewards,
	                                     .terminated = evaluator->terminated,
	                                     .truncated = evaluator->truncated,
	                                     .info = evaluator->info,
	                                     .failed = evaluator->bits};
	weir_status status = WEIR_OK;
	for (size_t e = 0; e < evaluator->count && status == WEIR_OK; e++) {
		status = begin_episode(evaluator, e, error);
	}
	while (status == WEIR_OK && evaluator->done < evaluator->options.episodes) {
		act(evaluator, user);
		status = weir_vector_step(evaluator->vector, evaluator->actions, &buffers, error);
		for (size_t e = 0; e < evaluator->count && status == WEIR_OK; e++) {
			count_step(evaluator, e);
			if (evaluator->terminated[e] || evaluator->truncated[e]) {
				status = begin_episode(evaluator, e, error);
			}
		}
	}
	return status;
}

static void summarise(weir_evaluator *evaluator, weir_evaluation *evaluation)
{
	const weir_env *env = weir_vector_env(evaluator->vector, 0);
	size_t episodes = evaluator->options.episodes, terms = env->term_count;
	double reward = 0, length = 0, squares = 0;
	memset(evaluator->terms, 0, terms * sizeof *evaluator->terms);
	for (size_t i = 0; i < episodes; i++) {
		reward += evaluator->rewards[i];
		length += evaluator->lengths[i];
		for (size_t t = 0; t < terms; t++) {
			double sum = evaluator->sums[i * terms + t];
			evaluator->terms[t] +=
			    (env->terms[t].reward ? sum : sum / evaluator->lengths[i]) / (double)episodes;
		}
	}
	double mean = reward / (double)episodes;
	for (size_t i = 0; i < episodes; i++) {
		squares += (evaluator->rewards[i] - mean) * (evaluator->rewards[i] - mean);
	}
	*evaluation = (weir_evaluation){.episodes = episodes,
	                                .mean_reward = mean,
	                                .std_reward = sqrt(squares / (double)episodes),
	                                .mean_length = length / (double)episodes,
	                                .failed = evaluator->failed,
	                                .rewards = evaluator->rewards,
	                                .terms = evaluator->terms};
}

weir_status weir_evaluator_run(weir_evaluator *evaluator, const weir_agent *agent,
                               weir_evaluation *evaluation, weir_error *error)
{
	weir_agent_user *user = weir_agent_user_create(agent);
	if (user == NULL) {
		return no_memory(error);
	}
	size_t episodes = evaluator->options.episodes;
	size_t terms = weir_vector_env(evaluator->vector, 0)->term_count;
	evaluator->next = 0;
	evaluator->done = 0;
	evaluator->failed = 0;
	memset(evaluator->rewards, 0, episodes * sizeof *evaluator->rewards);
	memset(evaluator->lengths, 0, episodes * sizeof *evaluator->lengths);
	memset(evaluator->sums, 0, episodes * terms * sizeof *evaluator->sums);
	weir_status status = play(evaluator, user, error);
	weir_agent_user_destroy(user);
	if (status == WEIR_OK) {
		summarise(evaluator, evaluation);
	}
	return status;
}
