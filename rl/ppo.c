#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/layer_code.h"
#include "rl/ppo_internal.h"

static bool create_batch(weir_minibatch *batch, const weir_actor_critic *network, size_t size)
{
	const weir_actor_critic_shape *shape = weir_actor_critic_shape_of(network);
	size_t head_size = weir_actor_critic_head_size(network);
	const struct {
		float **array;
		size_t width;
	} arrays[] = {
	    {&batch->observations, shape->observation_size},
	    {&batch->actions, shape->action->size},
	    {&batch->old_values, 1},
	    {&batch->old_log_probs, 1},
	    {&batch->advantages, 1},
	    {&batch->returns, 1},
	    {&batch->heads, head_size},
	    {&batch->values, 1},
	    {&batch->head_gradient, head_size},
	    {&batch->value_gradient, 1},
	};
	bool complete = true;
	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
		*arrays[i].array = weir_allocate(size, arrays[i].width * sizeof(float));
		complete = complete && *arrays[i].array != NULL;
	}
	if (shape->action->kind != WEIR_SPACE_BOX) {
		batch->masks = weir_allocate(size, head_size);
		complete = complete && batch->masks != NULL;
	}
	return complete;
}

static void destroy_batch(weir_minibatch *batch)
{
	free(batch->observations);
	free(batch->actions);
	free(batch->masks);
	free(batch->old_values);
	free(batch->old_log_probs);
	free(batch->advantages);
	free(batch->returns);
	free(batch->heads);
	free(batch->values);
	free(batch->head_gradient);
	free(batch->value_gradient);
}

static size_t find_log_std(const weir_actor_critic *network)
{
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(tensors[i].name, "log_std") == 0) {
			return tensors[i].offset;
		}
	}
	return 0;
}

static bool create_parts(weir_ppo *ppo, uint64_t seed)
{
	size_t count = weir_actor_critic_parameter_count(ppo->network);
	ppo->activations = weir_activations_create(ppo->network, ppo->largest_batch);
	ppo->state.m = weir_allocate(count, sizeof(float));
	ppo->state.v = weir_allocate(count, sizeof(float));
	ppo->gradient = weir_allocate(count, sizeof(float));
	ppo->order = weir_allocate(ppo->rollout_size, sizeof *ppo->order);
	ppo->state.shuffle = weir_xoshiro_seed(weir_stream_seed(seed, "shuffle", 0));
	ppo->log_std = find_log_std(ppo->network);
	return create_batch(&ppo->batch, ppo->network, ppo->largest_batch) &&
	       ppo->activations != NULL && ppo->state.m != NULL && ppo->state.v != NULL &&
	       ppo->gradient != NULL && ppo->order != NULL;
}

weir_status weir_ppo_create(const weir_ppo_config *config, weir_actor_critic *network,
                            size_t rollout_size, uint64_t seed, weir_ppo **ppo, weir_error *error)
{
	*ppo = NULL;
	if (config->batch_size < 1 || config->n_epochs < 1 || rollout_size < 1 ||
	    rollout_size > UINT32_MAX) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "batch_size (%lld), n_epochs (%lld) and the steps of a rollout (%zu) "
		                      "must be at least 1, and the last below 2^32",
		                      (long long)config->batch_size, (long long)config->n_epochs,
		                      rollout_size);
	}
	weir_ppo *made = weir_allocate(1, sizeof *made);
	if (made != NULL) {
		made->config = config;
		made->network = network;
		made->rollout_size = rollout_size;
		made->largest_batch =
		    (uint64_t)config->batch_size < rollout_size ? (size_t)config->batch_size : rollout_size;
		if (create_parts(made, seed)) {
			*ppo = made;
			return WEIR_OK;
		}
	}
	weir_ppo_destroy(made);
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for updates of %zu steps",
	                      rollout_size);
}

void weir_ppo_destroy(weir_ppo *ppo)
{
	if (ppo == NULL) {
		return;
	}
	weir_activations_destroy(ppo->activations);
	destroy_batch(&ppo->batch);
	free(ppo->state.m);
	free(ppo->state.v);
	free(ppo->gradient);
	free(ppo->order);
	free(ppo);
}

weir_ppo_state *weir_ppo_state_of(weir_ppo *ppo)
{
	return &ppo->state;
}

/* In [0, bound), each equally likely (Lemire 2019, "Fast Random Integer Generation in an
 * Interval"). */
static uint32_t below(weir_xoshiro *random, uint32_t bound)
{
	for (;;) {
		uint64_t product = (weir_xoshiro_next(random) >> 32) * bound;
		if ((uint32_t)product >= -bound % bound) {
			return (uint32_t)(product >> 32);
		}
	}
}

/* Fisher and Yates; from the identity, so that it depends on the generator alone. */
static void shuffle(weir_ppo *ppo)
{
	for (size_t i = 0; i < ppo->rollout_size; i++) {
		ppo->order[i] = (uint32_t)i;
	}
	for (size_t i = ppo->rollout_size; i > 1; i--) {
		uint32_t other = below(&ppo->state.shuffle, (uint32_t)i);
		uint32_t kept = ppo->order[i - 1];
		ppo->order[i - 1] = ppo->order[other];
		ppo->order[other] = kept;
	}
}

static void gather(weir_minibatch *batch, const weir_rollout *rollout, const uint32_t *order,
                   size_t size)
{
	size_t seen = rollout->observation_size;
	size_t done = rollout->action_size;
	size_t choices = rollout->choices;
	batch->size = size;
	for (size_t i = 0; i < size; i++) {
		size_t at = order[i];
		memcpy(batch->observations + i * seen, rollout->observations + at * seen,
		       seen * sizeof(float));
		memcpy(batch->actions + i * done, rollout->actions + at * done, done * sizeof(float));
		if (choices > 0) {
			memcpy(batch->masks + i * choices, rollout->masks + at * choices, choices);
		}
		batch->old_values[i] = rollout->values[at];
		batch->old_log_probs[i] = rollout->log_probs[at];
		batch->advantages[i] = rollout->advantages[at];
		batch->returns[i] = rollout->returns[at];
	}
}

static void take_step(weir_ppo *ppo, double learning_rate)
{
	const weir_ppo_config *config = ppo->config;
	weir_ppo_state *state = &ppo->state;
	double t = (double)++state->t;
	double cut = config->max_grad_norm / (ppo->norm + 1e-6);
	const weir_adam_step step = {
	    .beta1 = (float)config->adam_beta1,
	    .beta2 = (float)config->adam_beta2,
	    .rest1 = (float)(1 - config->adam_beta1),
	    .rest2 = (float)(1 - config->adam_beta2),
	    .eps = (float)config->adam_eps,
	    .rate = (float)(learning_rate / (1 - pow(config->adam_beta1, t))),
	    .root = (float)sqrt(1 - pow(config->adam_beta2, t)),
	    .scale = (float)(cut < 1 ? cut : 1),
	};
	weir_adam_apply(&step, ppo->gradient, weir_actor_critic_parameter_count(ppo->network), state->m,
	                state->v, weir_actor_critic_parameters(ppo->network));
}

/* The name of the first tensor of `numbers` that holds one that is not finite; NULL: none does. */
static const char *find_not_finite(const weir_actor_critic *network, const float *numbers)
{
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < tensors[i].rows * tensors[i].cols; k++) {
			if (!isfinite(numbers[tensors[i].offset + k])) {
				return tensors[i].name;
			}
		}
	}
	return NULL;
}

/* Where an update is, and what it has seen. */
typedef struct progress {
	double learning_rate, clip_range;
	int64_t epoch;
	size_t minibatch;
	size_t minibatches, steps; /* seen; taken */
	weir_loss last;
	weir_loss sum;   /* of all minibatches */
	double epoch_kl; /* the last epoch's sum */
	size_t epoch_minibatches;
	double norms;
} progress;

static weir_status fail(const weir_ppo *ppo, const progress *at, const char *what,
                        const char *tensor, weir_error *error)
{
	return weir_error_set(
	    error, WEIR_ERROR_INTERNAL, NULL,
	    "training diverged: %s%s%s is not finite in epoch %lld, minibatch %zu, after %lld epochs "
	    "in "
	    "all (policy loss %g, value loss %g, entropy %g, gradient %g); so far in this update the "
	    "largest probability ratio was %g, advantage %g, error of a value %g. A lower "
	    "learning_rate "
	    "(now %g) or rewards of a smaller scale may help",
	    what, tensor == NULL ? "" : " of ", tensor == NULL ? "" : tensor, (long long)at->epoch + 1,
	    at->minibatch + 1, (long long)ppo->state.n_updates, at->last.policy, at->last.value,
	    -at->last.entropy, ppo->norm, ppo->largest.ratio, ppo->largest.advantage,
	    ppo->largest.value_error, at->learning_rate);
}

static weir_status check_finite(const weir_ppo *ppo, const progress *at, weir_error *error)
{
	if (!isfinite(at->last.total)) {
		return fail(ppo, at, !isfinite(at->last.value) ? "the value loss" : "the policy loss", NULL,
		            error);
	}
	const char *tensor = isfinite(ppo->norm) ? NULL : find_not_finite(ppo->network, ppo->gradient);
	if (!isfinite(ppo->norm)) {
		return fail(ppo, at, "the gradient", tensor, error);
	}
	return WEIR_OK;
}

static void add_loss(progress *at)
{
	at->minibatches++;
	at->sum.policy += at->last.policy;
	at->sum.value += at->last.value;
	at->sum.entropy += at->last.entropy;
	at->sum.clipped += at->last.clipped;
	at->epoch_kl += at->last.kl;
	at->epoch_minibatches++;
}

/* *more becomes false when the policy has moved too far. */
static weir_status run_epoch(weir_ppo *ppo, const weir_rollout *rollout, progress *at, bool *more,
                             weir_error *error)
{
	shuffle(ppo);
	at->epoch_kl = 0;
	at->epoch_minibatches = 0;
	at->minibatch = 0;
	for (size_t begin = 0; begin < ppo->rollout_size; begin += ppo->largest_batch) {
		size_t left = ppo->rollout_size - begin;
		size_t size = left < ppo->largest_batch ? left : ppo->largest_batch;
		gather(&ppo->batch, rollout, ppo->order + begin, size);
		if (ppo->config->normalize_advantage && size > 1) {
			weir_advantages_normalise(ppo->batch.advantages, size);
		}
		weir_ppo_minibatch(ppo, at->clip_range, &at->last);
		weir_status status = check_finite(ppo, at, error);
		if (status != WEIR_OK) {
			return status;
		}
		add_loss(at);
		if (ppo->config->target_kl > 0 && at->last.kl > 1.5 * ppo->config->target_kl) {
			*more = false;
			break;
		}
		take_step(ppo, at->learning_rate);
		at->norms += ppo->norm;
		at->steps++;
		at->minibatch++;
	}
	ppo->state.n_updates++;
	return WEIR_OK;
}

static double explained_variance(const weir_rollout *rollout, size_t count)
{
	double mean_return = 0;
	double mean_error = 0;
	for (size_t i = 0; i < count; i++) {
		mean_return += (double)rollout->returns[i];
		mean_error += (double)rollout->returns[i] - (double)rollout->values[i];
	}
	mean_return /= (double)count;
	mean_error /= (double)count;
	double of_returns = 0;
	double of_errors = 0;
	for (size_t i = 0; i < count; i++) {
		double from_mean = (double)rollout->returns[i] - mean_return;
		double error = (double)rollout->returns[i] - (double)rollout->values[i] - mean_error;
		of_returns += from_mean * from_mean;
		of_errors += error * error;
	}
	return of_returns == 0 ? (double)NAN : 1 - of_errors / of_returns;
}

static double mean_std(const weir_ppo *ppo)
{
	const weir_space *action = weir_actor_critic_shape_of(ppo->network)->action;
	if (action->kind != WEIR_SPACE_BOX) {
		return (double)NAN;
	}
	const float *log_std = weir_actor_critic_parameters_const(ppo->network) + ppo->log_std;
	double sum = 0;
	for (size_t i = 0; i < action->size; i++) {
		sum += exp((double)log_std[i]);
	}
	return sum / (double)action->size;
}

static double scheduled(double value, int schedule, double progress_remaining)
{
	return schedule == WEIR_SCHEDULE_LINEAR ? value * progress_remaining : value;
}

weir_status weir_ppo_update(weir_ppo *ppo, const weir_rollout *rollout, double progress_remaining,
                            weir_ppo_figures *figures, weir_error *error)
{
	assert(rollout->steps * rollout->environments == ppo->rollout_size);
	const weir_ppo_config *config = ppo->config;
	progress at = {.learning_rate = scheduled(config->learning_rate, config->learning_rate_schedule,
	                                          progress_remaining),
	               .clip_range = scheduled(config->clip_range, config->clip_range_schedule,
	                                       progress_remaining)};
	ppo->largest = (weir_largest){0};
	bool more = true;
	for (; more && at.epoch < config->n_epochs; at.epoch++) {
		weir_status status = run_epoch(ppo, rollout, &at, &more, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	const char *tensor =
	    find_not_finite(ppo->network, weir_actor_critic_parameters_const(ppo->network));
	if (tensor != NULL) {
		return fail(ppo, &at, "a parameter", tensor, error);
	}
	double count = (double)at.minibatches;
	*figures = (weir_ppo_figures){
	    .learning_rate = at.learning_rate,
	    .entropy_loss = at.sum.entropy / count,
	    .policy_gradient_loss = at.sum.policy / count,
	    .value_loss = at.sum.value / count,
	    .approx_kl = at.epoch_kl / (double)at.epoch_minibatches,
	    .clip_fraction = at.sum.clipped / count,
	    .loss = at.last.total,
	    .explained_variance = explained_variance(rollout, ppo->rollout_size),
	    .std = mean_std(ppo),
	    .n_updates = (double)ppo->state.n_updates,
	    .clip_range = at.clip_range,
	    .grad_norm = at.norms / (double)at.steps, /* NaN of none */
	};
	return WEIR_OK;
}
