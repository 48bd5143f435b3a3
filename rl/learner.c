#include "rl/learner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/learner_state.h"

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the learner");
}

/* --- making --------------------------------------------------------------------------------- */

bool learner_take_normaliser(weir_learner *learner, const weir_normaliser *from)
{
	weir_normaliser *normaliser =
	    weir_normaliser_create(&from->config, from->size, learner->options.environments);
	if (normaliser == NULL) {
		return false;
	}
	memcpy(normaliser->mean, from->mean, from->size * sizeof *from->mean);
	memcpy(normaliser->variance, from->variance, from->size * sizeof *from->variance);
	normaliser->count = from->count;
	normaliser->return_mean = from->return_mean;
	normaliser->return_variance = from->return_variance;
	normaliser->return_count = from->return_count;
	weir_normaliser_destroy(learner->agent->normaliser);
	learner->agent->normaliser = normaliser;
	return true;
}

static const float *find_log_std(const weir_actor_critic *network)
{
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(tensors[i].name, "log_std") == 0) {
			return weir_actor_critic_parameters_const(network) + tensors[i].offset;
		}
	}
	return NULL;
}

static bool allocate(weir_learner *learner)
{
	const weir_agent *agent = learner->agent;
	size_t environments = learner->options.environments;
	size_t choices = weir_space_choices(&agent->action);
	learner->rollout = weir_rollout_create((size_t)learner->options.ppo->n_steps, environments,
	                                       agent->observation.size, &agent->action);
	learner->activations = weir_activations_create(agent->network, environments);
	learner->observations =
	    weir_allocate(environments * agent->observation.size, sizeof *learner->observations);
	learner->finals =
	    weir_allocate(environments * agent->observation.size, sizeof *learner->finals);
	learner->masks = choices > 0 ? weir_allocate(environments, choices) : NULL;
	learner->starts = weir_allocate(environments, sizeof *learner->starts);
	learner->heads = weir_allocate(environments * weir_actor_critic_head_size(agent->network),
	                               sizeof *learner->heads);
	learner->values = weir_allocate(environments, sizeof *learner->values);
	learner->rewards = weir_allocate(environments, sizeof *learner->rewards);
	learner->dones = weir_allocate(environments, sizeof *learner->dones);
	return learner->rollout != NULL && learner->activations != NULL &&
	       learner->observations != NULL && learner->finals != NULL &&
	       (choices == 0 || learner->masks != NULL) && learner->starts != NULL &&
	       learner->heads != NULL && learner->values != NULL && learner->rewards != NULL &&
	       learner->dones != NULL;
}

static weir_status make(weir_learner *learner, weir_error *error)
{
	weir_agent *agent = learner->agent;
	const weir_learner_options *options = &learner->options;
	weir_status status = weir_ppo_create(options->ppo, agent->network,
	                                     (size_t)options->ppo->n_steps * options->environments,
	                                     options->seed, &learner->ppo, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (!allocate(learner) ||
	    (agent->normaliser != NULL && !learner_take_normaliser(learner, agent->normaliser))) {
		return no_memory(error);
	}
	learner->actions = weir_xoshiro_seed(weir_stream_seed(options->seed, "actions", 0));
	learner->log_std = find_log_std(agent->network);
	return WEIR_OK;
}

weir_status weir_learner_create(const weir_learner_options *options, weir_agent *agent,
                                weir_learner **learner, weir_error *error)
{
	*learner = NULL;
	weir_learner *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return no_memory(error);
	}
	made->options = *options;
	made->agent = agent;
	weir_status status = make(made, error);
	if (status != WEIR_OK) {
		weir_learner_destroy(made);
		return status;
	}
	*learner = made;
	return WEIR_OK;
}

void weir_learner_destroy(weir_learner *learner)
{
	if (learner == NULL) {
		return;
	}
	weir_ppo_destroy(learner->ppo);
	weir_rollout_destroy(learner->rollout);
	weir_activations_destroy(learner->activations);
	free(learner->observations);
	free(learner->masks);
	free(learner->starts);
	free(learner->heads);
	free(learner->values);
	free(learner->rewards);
	free(learner->finals);
	free(learner->dones);
	free(learner);
}

/* --- acting --------------------------------------------------------------------------------- */

/* normalised[count][size] */
static void normalise(const weir_learner *learner, const float *observations, size_t count,
                      float *normalised)
{
	if (learner->agent->normaliser != NULL) {
		weir_normaliser_apply(learner->agent->normaliser, observations, count, normalised);
	} else {
		memcpy(normalised, observations,
		       count * learner->agent->observation.size * sizeof *normalised);
	}
}

static void see(weir_learner *learner, const float *observations, const uint8_t *masks)
{
	size_t environments = learner->options.environments;
	normalise(learner, observations, environments, learner->observations);
	if (learner->masks != NULL) {
		size_t size = environments * weir_space_choices(&learner->agent->action);
		if (masks != NULL) {
			memcpy(learner->masks, masks, size);
		} else {
			memset(learner->masks, 1, size);
		}
	}
}

void weir_learner_begin(weir_learner *learner, const float *observations, const uint8_t *masks)
{
	weir_normaliser *normaliser = learner->agent->normaliser;
	size_t environments = learner->options.environments;
	if (normaliser != NULL) {
		memset(normaliser->returns, 0, environments * sizeof *normaliser->returns);
		weir_normaliser_learn(normaliser, observations, environments);
	}
	for (size_t e = 0; e < environments; e++) {
		learner->starts[e] = 1;
	}
	see(learner, observations, masks);
}

void weir_learner_continue(weir_learner *learner, const float *observations, const uint8_t *masks)
{
	see(learner, observations, masks);
}

void weir_learner_act(weir_learner *learner, float *actions)
{
	assert(!weir_learner_full(learner));
	const weir_agent *agent = learner->agent;
	weir_rollout *rollout = learner->rollout;
	size_t environments = learner->options.environments, size = agent->action.size;
	size_t head_size = weir_actor_critic_head_size(agent->network);
	size_t choices = rollout->choices, first = learner->step * environments;
	float *raw = rollout->actions + first * size;
	weir_actor_critic_forward(agent->network, learner->activations, learner->observations,
	                          environments, learner->heads, rollout->values + first);
	for (size_t e = 0; e < environments; e++) {
		const weir_head head = {.action = &agent->action,
		                        .head = learner->heads + e * head_size,
		                        .log_std = learner->log_std,
		                        .mask =
		                            learner->masks != NULL ? learner->masks + e * choices : NULL};
		float entropy;
		weir_action_sample(&head, &learner->actions, raw + e * size);
		weir_action_evaluate(&head, raw + e * size, &rollout->log_probs[first + e], &entropy);
		weir_action_clip(&agent->action, raw + e * size, actions + e * size);
	}
	memcpy(rollout->observations + first * agent->observation.size, learner->observations,
	       environments * agent->observation.size * sizeof *learner->observations);
	if (rollout->masks != NULL && learner->masks != NULL) {
		memcpy(rollout->masks + first * choices, learner->masks, environments * choices);
	}
	memcpy(rollout->episode_starts + first, learner->starts,
	       environments * sizeof *learner->starts);
	learner->acted = learner->step;
}

const float *weir_learner_raw_actions(const weir_learner *learner)
{
	return learner->rollout->actions +
	       learner->acted * learner->options.environments * learner->agent->action.size;
}

const float *weir_learner_values(const weir_learner *learner)
{
	return learner->rollout->values + learner->acted * learner->options.environments;
}

/* --- learning ------------------------------------------------------------------------------- */

/* Adds gamma times the value of what was seen last to the rewards of episodes that were cut off. */
static void bootstrap(weir_learner *learner, const weir_learner_step *step)
{
	size_t size = learner->agent->observation.size, cut = 0;
	for (size_t e = 0; e < learner->options.environments; e++) {
		if (step->truncated[e] && !step->terminated[e]) {
			normalise(learner, step->final_observations + e * size, 1,
			          learner->finals + cut++ * size);
		}
	}
	if (cut == 0) {
		return;
	}
	weir_actor_critic_forward(learner->agent->network, learner->activations, learner->finals, cut,
	                          learner->heads, learner->values);
	cut = 0;
	for (size_t e = 0; e < learner->options.environments; e++) {
		if (step->truncated[e] && !step->terminated[e]) {
			learner->rewards[e] += (float)learner->options.ppo->gamma * learner->values[cut++];
		}
	}
}

void weir_learner_push(weir_learner *learner, const weir_learner_step *step)
{
	assert(!weir_learner_full(learner));
	weir_normaliser *normaliser = learner->agent->normaliser;
	size_t environments = learner->options.environments;
	for (size_t e = 0; e < environments; e++) {
		learner->dones[e] = step->terminated[e] || step->truncated[e];
	}
	if (normaliser != NULL) {
		weir_normaliser_learn(normaliser, step->observations, environments);
		weir_normaliser_rewards(normaliser, step->rewards, learner->dones, learner->rewards);
	} else {
		for (size_t e = 0; e < environments; e++) {
			learner->rewards[e] = (float)step->rewards[e];
		}
	}
	bootstrap(learner, step);
	memcpy(learner->rollout->rewards + learner->step * environments, learner->rewards,
	       environments * sizeof *learner->rewards);
	for (size_t e = 0; e < environments; e++) {
		learner->starts[e] = learner->dones[e] ? 1.0f : 0.0f;
	}
	see(learner, step->observations, step->masks);
	learner->step++;
}

bool weir_learner_full(const weir_learner *learner)
{
	return learner->step == learner->rollout->steps;
}

/* The negative control: Fisher and Yates over all rewards of the rollout. */
static void shuffle_rewards(weir_learner *learner)
{
	weir_xoshiro random = weir_xoshiro_seed(
	    weir_stream_seed(learner->options.seed, "shuffled rewards", learner->rollouts));
	float *rewards = learner->rollout->rewards;
	for (size_t left = learner->rollout->steps * learner->rollout->environments; left > 1; left--) {
		size_t drawn = (size_t)(weir_xoshiro_uniform(&random) * (double)left);
		float reward = rewards[drawn];
		rewards[drawn] = rewards[left - 1];
		rewards[left - 1] = reward;
	}
}

weir_status weir_learner_update(weir_learner *learner, double progress_remaining,
                                weir_ppo_figures *figures, weir_error *error)
{
	assert(weir_learner_full(learner));
	const weir_ppo_config *config = learner->options.ppo;
	if (learner->options.shuffled_rewards) {
		shuffle_rewards(learner);
	}
	weir_actor_critic_forward(learner->agent->network, learner->activations, learner->observations,
	                          learner->options.environments, learner->heads, learner->values);
	weir_rollout_finish(learner->rollout, config->gamma, config->gae_lambda, learner->values,
	                    learner->starts);
	learner->step = 0;
	learner->rollouts++;
	return weir_ppo_update(learner->ppo, learner->rollout, progress_remaining, figures, error);
}
