#include "oracle/naive_ppo.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const weir_tensor *find(const naive_network *network, const char *name)
{
	for (size_t i = 0; i < network->tensor_count; i++) {
		if (strcmp(network->tensors[i].name, name) == 0) {
			return &network->tensors[i];
		}
	}
	fprintf(stderr, "there is no tensor %s\n", name);
	abort();
}

/* output = input weight + bias; the width of the output. */
static size_t apply(const naive_network *network, const char *name, const double *input,
                    double *output)
{
	char full[WEIR_TENSOR_NAME_SIZE];
	snprintf(full, sizeof full, "%s.weight", name);
	const weir_tensor *weight = find(network, full);
	snprintf(full, sizeof full, "%s.bias", name);
	const weir_tensor *bias = find(network, full);
	assert(weight->cols <= NAIVE_WIDEST && bias->cols == weight->cols);
	for (size_t out = 0; out < weight->cols; out++) {
		output[out] = network->parameters[bias->offset + out];
		for (size_t in = 0; in < weight->rows; in++) {
			output[out] +=
			    input[in] * network->parameters[weight->offset + in * weight->cols + out];
		}
	}
	return weight->cols;
}

static void trunk(const naive_network *network, const char *name, const float *observation,
                  double *units)
{
	size_t width = network->shape->observation_size;
	for (size_t i = 0; i < width; i++) {
		units[i] = (double)observation[i];
	}
	for (size_t i = 0; i < network->shape->layers; i++) {
		char layer[WEIR_TENSOR_NAME_SIZE - sizeof ".weight"];
		double next[NAIVE_WIDEST];
		snprintf(layer, sizeof layer, "mlp_extractor.%s.%zu", name, 2 * i);
		width = apply(network, layer, units, next);
		for (size_t k = 0; k < width; k++) {
			units[k] = tanh(next[k]);
		}
	}
}

void naive_forward(const naive_network *network, const float *observation, double *head,
                   double *value)
{
	double units[NAIVE_WIDEST];
	bool shared = network->shape->shared_trunk;
	trunk(network, shared ? "shared_net" : "policy_net", observation, units);
	apply(network, "action_net", units, head);
	trunk(network, shared ? "shared_net" : "value_net", observation, units);
	apply(network, "value_net", units, value);
}

static void evaluate_choice(const double *logits, const uint8_t *mask, size_t choices, size_t taken,
                            double *log_prob, double *entropy)
{
	double sum = 0;
	for (size_t c = 0; c < choices; c++) {
		sum += mask[c] ? exp(logits[c]) : 0;
	}
	for (size_t c = 0; c < choices; c++) {
		double p = mask[c] ? exp(logits[c]) / sum : 0;
		*entropy -= p > 0 ? p * log(p) : 0;
	}
	*log_prob += log(exp(logits[taken]) / sum);
}

void naive_evaluate(const naive_network *network, const double *head, const uint8_t *mask,
                    const float *action, double *log_prob, double *entropy)
{
	const weir_space *space = network->shape->action;
	size_t offset = 0;
	*log_prob = 0;
	*entropy = 0;
	for (size_t d = 0; d < space->size; d++) {
		if (space->kind == WEIR_SPACE_BOX) {
			double std = exp(network->parameters[find(network, "log_std")->offset + d]);
			double z = ((double)action[d] - head[d]) / std;
			*log_prob += log(exp(-z * z / 2) / (std * sqrt(2 * acos(-1))));
			*entropy += log(std * sqrt(2 * acos(-1) * exp(1)));
		} else {
			size_t choices = space->dimensions[d].choices;
			evaluate_choice(head + offset, mask + offset, choices, (size_t)action[d], log_prob,
			                entropy);
			offset += choices;
		}
	}
}

static double advantage_of(const naive_batch *batch, size_t i)
{
	if (!batch->normalize_advantage || batch->size < 2) {
		return (double)batch->advantages[i];
	}
	double mean = 0;
	double square = 0;
	for (size_t k = 0; k < batch->size; k++) {
		mean += (double)batch->advantages[k] / (double)batch->size;
	}
	for (size_t k = 0; k < batch->size; k++) {
		square += pow((double)batch->advantages[k] - mean, 2) / (double)(batch->size - 1);
	}
	return ((double)batch->advantages[i] - mean) / (sqrt(square) + 1e-8);
}

double naive_loss(const naive_network *network, const naive_batch *batch)
{
	size_t choices = weir_space_choices(network->shape->action);
	double loss = 0;
	for (size_t i = 0; i < batch->size; i++) {
		double head[NAIVE_WIDEST];
		double value[NAIVE_WIDEST];
		double log_prob;
		double entropy;
		naive_forward(network, batch->observations + i * network->shape->observation_size, head,
		              value);
		naive_evaluate(network, head, choices > 0 ? batch->masks + i * choices : NULL,
		               batch->actions + i * network->shape->action->size, &log_prob, &entropy);
		double advantage = advantage_of(batch, i);
		double ratio = exp(log_prob - (double)batch->old_log_probs[i]);
		double clipped = fmin(fmax(ratio, 1 - batch->clip_range), 1 + batch->clip_range);
		double old = (double)batch->old_values[i];
		double predicted = value[0];
		if (batch->clip_range_vf > 0) {
			predicted =
			    old + fmin(fmax(value[0] - old, -batch->clip_range_vf), batch->clip_range_vf);
		}
		loss -= fmin(advantage * ratio, advantage * clipped);
		loss += batch->vf_coef * pow((double)batch->returns[i] - predicted, 2);
		loss -= batch->ent_coef * entropy;
	}
	return loss / (double)batch->size;
}

/* The error of step t's value by one step. */
static double error_of(const naive_rollout *rollout, size_t step, size_t environment)
{
	size_t at = step * rollout->environments + environment;
	size_t next = at + rollout->environments;
	bool last = step + 1 == rollout->steps;
	double next_value = (double)(last ? rollout->last_values[environment] : rollout->values[next]);
	double ended =
	    (double)(last ? rollout->last_dones[environment] : rollout->episode_starts[next]);
	return (double)rollout->rewards[at] + rollout->gamma * next_value * (1 - ended) -
	       (double)rollout->values[at];
}

double naive_advantage(const naive_rollout *rollout, size_t step, size_t environment)
{
	double advantage = 0;
	for (size_t later = step; later < rollout->steps; later++) {
		bool begins = rollout->episode_starts[later * rollout->environments + environment] != 0.0f;
		if (later > step && begins) {
			break;
		}
		advantage += pow(rollout->gamma * rollout->gae_lambda, (double)(later - step)) *
		             error_of(rollout, later, environment);
	}
	return advantage;
}
