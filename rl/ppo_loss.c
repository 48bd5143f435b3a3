#include "rl/ppo_internal.h"

#include <math.h>
#include <string.h>

#include "rl/layer_code.h"

void weir_advantages_normalise(float *advantages, size_t count)
{
	double mean = 0;
	for (size_t i = 0; i < count; i++) {
		mean += (double)advantages[i];
	}
	mean /= (double)count;
	double square = 0;
	for (size_t i = 0; i < count; i++) {
		double error = (double)advantages[i] - mean;
		square += error * error;
	}
	double scale = 1 / (sqrt(square / (double)(count - 1)) + 1e-8);
	for (size_t i = 0; i < count; i++) {
		advantages[i] = (float)(((double)advantages[i] - mean) * scale);
	}
}

static float clamp(float x, float low, float high)
{
	return x < low ? low : x > high ? high : x;
}

static void note_largest(double *largest, double value)
{
	double size = fabs(value);
	*largest = size > *largest ? size : *largest;
}

/* The policy's part of step i: adds to the loss, gives the derivative of its sum by the
 * log-probability. */
static float policy_loss(weir_ppo *ppo, size_t i, float log_prob, float clip_range, weir_loss *loss)
{
	float advantage = ppo->batch.advantages[i];
	float log_ratio = log_prob - ppo->batch.old_log_probs[i];
	float ratio = expf(log_ratio);
	float free = advantage * ratio;
	float held = advantage * clamp(ratio, 1 - clip_range, 1 + clip_range);
	bool moves = free <= held; /* else the ratio is clipped, and the gradient 0 */
	loss->policy -= (double)(moves ? free : held);
	loss->kl += ((double)ratio - 1) - (double)log_ratio;
	loss->clipped += fabsf(ratio - 1) > clip_range;
	note_largest(&ppo->largest.ratio, (double)ratio);
	note_largest(&ppo->largest.advantage, (double)advantage);
	return moves ? -free : 0;
}

/* The value's part of step i: adds to the loss, gives the derivative of its sum by the value. */
static float value_loss(weir_ppo *ppo, size_t i, float clip_range_vf, weir_loss *loss)
{
	float value = ppo->batch.values[i];
	bool moves = true;
	if (clip_range_vf > 0) {
		float change = value - ppo->batch.old_values[i];
		moves = fabsf(change) <= clip_range_vf;
		value = ppo->batch.old_values[i] + clamp(change, -clip_range_vf, clip_range_vf);
	}
	float error = value - ppo->batch.returns[i];
	loss->value += (double)error * (double)error;
	note_largest(&ppo->largest.value_error, (double)error);
	return moves ? 2 * error : 0;
}

/* All but the network: losses, and their derivatives by heads, values and log_std. */
static void losses(weir_ppo *ppo, float clip_range, weir_loss *loss)
{
	const weir_ppo_config *config = ppo->config;
	weir_minibatch *batch = &ppo->batch;
	const weir_space *action = weir_actor_critic_shape_of(ppo->network)->action;
	const float *parameters = weir_actor_critic_parameters_const(ppo->network);
	size_t head_size = weir_actor_critic_head_size(ppo->network);
	bool box = action->kind == WEIR_SPACE_BOX;
	float *log_std_gradient = box ? ppo->gradient + ppo->log_std : NULL;
	float share = 1 / (float)batch->size;
	float d_entropy = -(float)config->ent_coef * share;
	memset(batch->head_gradient, 0, batch->size * head_size * sizeof(float));
	for (size_t i = 0; i < batch->size; i++) {
		const weir_head head = {.action = action,
		                        .head = batch->heads + i * head_size,
		                        .log_std = box ? parameters + ppo->log_std : NULL,
		                        .mask = box ? NULL : batch->masks + i * head_size};
		const float *taken = batch->actions + i * action->size;
		float log_prob;
		float entropy;
		weir_action_evaluate(&head, taken, &log_prob, &entropy);
		loss->entropy -= (double)entropy;
		float d_log_prob = share * policy_loss(ppo, i, log_prob, clip_range, loss);
		weir_action_gradient(&head, taken, d_log_prob, d_entropy,
		                     batch->head_gradient + i * head_size, log_std_gradient);
		batch->value_gradient[i] =
		    (float)config->vf_coef * share * value_loss(ppo, i, (float)config->clip_range_vf, loss);
	}
}

void weir_ppo_minibatch(weir_ppo *ppo, double clip_range, weir_loss *loss)
{
	const weir_ppo_config *config = ppo->config;
	weir_minibatch *batch = &ppo->batch;
	size_t count = weir_actor_critic_parameter_count(ppo->network);
	*loss = (weir_loss){0};
	memset(ppo->gradient, 0, count * sizeof *ppo->gradient);
	weir_actor_critic_forward(ppo->network, ppo->activations, batch->observations, batch->size,
	                          batch->heads, batch->values);
	losses(ppo, (float)clip_range, loss);
	double *const sums[] = {&loss->policy, &loss->value, &loss->entropy, &loss->kl, &loss->clipped};
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
		*sums[i] /= (double)batch->size;
	}
	loss->total = loss->policy + config->ent_coef * loss->entropy + config->vf_coef * loss->value;
	weir_actor_critic_backward(ppo->network, ppo->activations, batch->observations, batch->size,
	                           batch->head_gradient, batch->value_gradient, ppo->gradient);
	weir_square_sum(ppo->gradient, count, &ppo->norm);
	ppo->norm = sqrt(ppo->norm);
}
