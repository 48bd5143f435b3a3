#include "rl/train_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "weir_version.h"

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the training");
}

static const weir_train_adapt *adapt_of(const weir_train_state *state, size_t i)
{
	return (const weir_train_adapt *)state->config->adapt.items + i;
}

/* --- making --------------------------------------------------------------------------------- */

/* What errors call the environment's section; NULL when memory is out. */
static const char *section_name(const weir_train_config *config)
{
	return weir_arena_format(config->arena, "%s: environment.%s", config->name,
	                         config->environment.kind);
}

static weir_status make_vector(weir_train_state *state, const char *name, weir_error *error)
{
	const weir_train_config *config = state->config;
	weir_vector_options options = weir_vector_options_default();
	options.count = (size_t)config->environments;
	options.threads = (size_t)config->threads;
	options.seed = (uint64_t)config->seed;
	options.strict = config->strict;
	weir_status status =
	    weir_vector_create(config->environment.kind, config->environment.parameters, name, &options,
	                       &state->vector, error);
	if (status == WEIR_OK) {
		state->env = weir_vector_env(state->vector, 0);
	}
	return status;
}

static weir_status make_evaluator(weir_train_state *state, const char *name, weir_error *error)
{
	const weir_train_config *config = state->config;
	if (config->evaluation.episodes == 0) {
		return WEIR_OK;
	}
	const weir_evaluator_options options = {.episodes = (size_t)config->evaluation.episodes,
	                                        .environments = (size_t)config->environments,
	                                        .threads = (size_t)config->threads,
	                                        .deterministic = config->evaluation.deterministic,
	                                        .seed = (uint64_t)config->evaluation.seed,
	                                        .strict = config->strict};
	return weir_evaluator_create(config->environment.kind, config->environment.parameters, name,
	                             &options, &state->evaluator, error);
}

weir_status weir_train_state_stamp(weir_train_state *state, weir_error *error)
{
	char *origin = NULL;
	if (asprintf(&origin, "{\"weir\": \"%s\", \"steps\": %" PRId64 ", \"training\": %s}",
	             WEIR_VERSION, state->steps, state->config->summary) < 0) {
		return no_memory(error);
	}
	free(state->agent->origin);
	state->agent->origin = origin;
	return WEIR_OK;
}

static weir_status make_agent(weir_train_state *state, weir_error *error)
{
	const weir_train_config *config = state->config;
	const weir_env *env = state->env;
	weir_actor_critic_shape shape =
	    weir_train_config_shape(config, env->observation.size, &env->action);
	weir_status status = weir_agent_create(
	    config->environment.kind, env->task != NULL ? env->task : "{}", &env->observation,
	    &env->action, &shape, (uint64_t)config->seed, &state->agent, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (config->normalise.observations || config->normalise.rewards) {
		state->agent->normaliser = weir_normaliser_create(&config->normalise, env->observation.size,
		                                                  (size_t)config->environments);
		if (state->agent->normaliser == NULL) {
			return no_memory(error);
		}
	}
	return weir_train_state_stamp(state, error);
}

static weir_status make_learner(weir_train_state *state, weir_error *error)
{
	const weir_train_config *config = state->config;
	const weir_learner_options options = {.ppo = &config->ppo,
	                                      .environments = (size_t)config->environments,
	                                      .seed = (uint64_t)config->seed,
	                                      .shuffled_rewards = config->control ==
	                                                          WEIR_TRAIN_CONTROL_SHUFFLED_REWARDS};
	return weir_learner_create(&options, state->agent, &state->learner, error);
}

static weir_status make_buffers(weir_train_state *state, weir_error *error)
{
	const weir_env *env = state->env;
	size_t count = (size_t)state->config->environments;
	size_t choices = weir_space_choices(&env->action);
	/* One more than the figures, of which there may be none. */
	size_t terms = env->term_count + 1;
	weir_vector_buffers *buffers = &state->buffers;
	buffers->observations = weir_allocate(count * env->observation.size, sizeof(float));
	buffers->final_observations = weir_allocate(count * env->observation.size, sizeof(float));
	buffers->rewards = weir_allocate(count, sizeof(double));
	buffers->terminated = weir_allocate(count, 1);
	buffers->truncated = weir_allocate(count, 1);
	buffers->masks = choices > 0 ? weir_allocate(count, choices) : NULL;
	buffers->info = weir_allocate(count * terms, sizeof(double));
	buffers->failed = weir_allocate(count, sizeof(uint32_t));
	state->actions = weir_allocate(count * env->action.size, sizeof(float));
	state->term_sums = weir_allocate(terms, sizeof(double));
	bool made = weir_episode_log_create(&state->episodes, count, env->terms, env->term_count);
	return made && buffers->observations != NULL && buffers->final_observations != NULL &&
	               buffers->rewards != NULL && buffers->terminated != NULL &&
	               buffers->truncated != NULL && (choices == 0 || buffers->masks != NULL) &&
	               buffers->info != NULL && buffers->failed != NULL && state->actions != NULL &&
	               state->term_sums != NULL
	           ? WEIR_OK
	           : no_memory(error);
}

/* --- coefficients --------------------------------------------------------------------------- */

static weir_status unknown_name(const weir_train_state *state, size_t i, const char *member,
                                const char *const *known, size_t count, weir_error *error)
{
	const weir_train_config *config = state->config;
	const weir_train_adapt *adapt = adapt_of(state, i);
	bool of_term = strcmp(member, "term") == 0;
	weir_keys_reader reader = {.arena = config->arena, .file = config->name};
	const char *path = weir_arena_format(config->arena, "adapt[%zu].%s", i, member);
	if (path == NULL) {
		return no_memory(error);
	}
	if (count == 0) {
		return weir_keys_fail(&reader, path, error, "the environment %s has no %ss",
		                      config->environment.kind, member);
	}
	return weir_keys_fail_unknown(&reader, path, member, of_term ? adapt->term : adapt->coefficient,
	                              known, count, error);
}

static bool is_among(const char *name, const char *const *known, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(known[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static weir_status check_adapt(weir_train_state *state, weir_error *error)
{
	const weir_env *env = state->env;
	const char **terms =
	    weir_arena_allocate(state->config->arena, env->term_count + 1, sizeof *terms);
	if (terms == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < env->term_count; i++) {
		terms[i] = env->terms[i].name;
	}
	for (size_t i = 0; i < state->config->adapt.count; i++) {
		const weir_train_adapt *adapt = adapt_of(state, i);
		if (!is_among(adapt->coefficient, env->coefficient_names, env->coefficient_count)) {
			return unknown_name(state, i, "coefficient", env->coefficient_names,
			                    env->coefficient_count, error);
		}
		if (!is_among(adapt->term, terms, env->term_count)) {
			return unknown_name(state, i, "term", terms, env->term_count, error);
		}
		state->coefficients[i] = adapt->initial;
	}
	return WEIR_OK;
}

void weir_train_state_apply_coefficients(weir_train_state *state)
{
	for (size_t i = 0; i < state->config->adapt.count; i++) {
		weir_vector_set_coefficient(state->vector, adapt_of(state, i)->coefficient,
		                            state->coefficients[i]);
	}
}

/* --- the whole ------------------------------------------------------------------------------ */

weir_status weir_train_state_create(const weir_train_config *config, weir_train_state *state,
                                    weir_error *error)
{
	*state = (weir_train_state){.config = config, .last.steps = -1, .best.steps = -1};
	const char *name = section_name(config);
	weir_status status = name != NULL ? make_vector(state, name, error) : no_memory(error);
	if (status == WEIR_OK) {
		status = check_adapt(state, error);
	}
	if (status == WEIR_OK) {
		status = make_evaluator(state, name, error);
	}
	if (status == WEIR_OK) {
		status = make_agent(state, error);
	}
	if (status == WEIR_OK) {
		status = make_learner(state, error);
	}
	return status == WEIR_OK ? make_buffers(state, error) : status;
}

void weir_train_state_release(weir_train_state *state)
{
	weir_learner_destroy(state->learner);
	weir_agent_destroy(state->agent);
	weir_evaluator_destroy(state->evaluator);
	weir_vector_destroy(state->vector);
	weir_episode_log_release(&state->episodes);
	free(state->buffers.observations);
	free(state->buffers.final_observations);
	free(state->buffers.rewards);
	free(state->buffers.terminated);
	free(state->buffers.truncated);
	free(state->buffers.masks);
	free(state->buffers.info);
	free(state->buffers.failed);
	free(state->actions);
	free(state->term_sums);
	*state = (weir_train_state){0};
}

/* How many parameters are not what they were at the start, which is made again for this. */
static weir_status count_changed(const weir_train_state *state, size_t *changed, weir_error *error)
{
	const weir_actor_critic *network = state->agent->network;
	weir_actor_critic *start = NULL;
	weir_status status = weir_actor_critic_create(weir_actor_critic_shape_of(network),
	                                              (uint64_t)state->config->seed, &start, error);
	if (status != WEIR_OK) {
		return status;
	}
	const float *now = weir_actor_critic_parameters_const(network);
	const float *then = weir_actor_critic_parameters_const(start);
	*changed = 0;
	for (size_t i = 0; i < weir_actor_critic_parameter_count(network); i++) {
		*changed += memcmp(&now[i], &then[i], sizeof now[i]) != 0;
	}
	weir_actor_critic_destroy(start);
	return WEIR_OK;
}

weir_status weir_train_state_report(const weir_train_state *state, weir_train_report *report,
                                    weir_error *error)
{
	*report = (weir_train_report){
	    .end = (weir_train_end)state->end,
	    .steps = state->steps,
	    .iterations = state->iterations,
	    .episodes = state->episodes.ended,
	    .mean_reward = weir_episode_log_reward(&state->episodes),
	    .mean_length = weir_episode_log_length(&state->episodes),
	    .checks = state->env->checks,
	    .parameters = weir_actor_critic_parameter_count(state->agent->network),
	    .evaluations = state->evaluations,
	    .last = state->last,
	    .best = state->best,
	    .coefficients = state->config->adapt.count,
	};
	memcpy(report->failed, state->failed, sizeof report->failed);
	memcpy(report->coefficient, state->coefficients, sizeof report->coefficient);
	return count_changed(state, &report->parameters_changed, error);
}
