/*
 * The network and the loss of PPO in the plainest form: double precision, one step at a time, one
 * number at a time. Shares no code with rl/ but the names and places of tensors.
 */
#ifndef WEIR_TESTS_NAIVE_PPO_H
#define WEIR_TESTS_NAIVE_PPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rl/actor_critic.h"

enum { NAIVE_WIDEST = 64 }; /* units, logits */

typedef struct naive_network {
	const weir_actor_critic_shape *shape;
	const weir_tensor *tensors;
	size_t tensor_count;
	const double *parameters;
} naive_network;

typedef struct naive_batch {
	size_t size;
	const float *observations, *actions;
	const uint8_t *masks; /* NULL: of a Box */
	const float *old_values, *old_log_probs, *advantages, *returns;
	bool normalize_advantage;
	double clip_range, clip_range_vf, ent_coef, vf_coef;
} naive_batch;

/* head[head size] and *value of one observation. */
void naive_forward(const naive_network *network, const float *observation, double *head,
                   double *value);
/* Of one action under a head. */
void naive_evaluate(const naive_network *network, const double *head, const uint8_t *mask,
                    const float *action, double *log_prob, double *entropy);
/* What is minimised. */
double naive_loss(const naive_network *network, const naive_batch *batch);

/* advantages[steps][environments] by the definition: of every step the sum over all later ones of
 * its episode. */
typedef struct naive_rollout {
	size_t steps, environments;
	const float *rewards, *values, *episode_starts, *last_values, *last_dones;
	double gamma, gae_lambda;
} naive_rollout;
double naive_advantage(const naive_rollout *rollout, size_t step, size_t environment);

#endif
