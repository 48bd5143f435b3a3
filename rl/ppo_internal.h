/* PPO from within: one minibatch, its loss and the gradient. */
#ifndef WEIR_RL_PPO_INTERNAL_H
#define WEIR_RL_PPO_INTERNAL_H

#include "rl/ppo.h"

WEIR_BEGIN_C

/* The steps of one minibatch, gathered from a rollout; and what the network makes of them. */
typedef struct weir_minibatch {
	size_t size;
	float *observations, *actions;
	uint8_t *masks; /* NULL: of a Box */
	float *old_values, *old_log_probs, *advantages, *returns;
	float *heads, *values, *head_gradient, *value_gradient;
} weir_minibatch;

/* Of one minibatch: means. */
typedef struct weir_loss {
	double policy, value, entropy, total; /* `entropy`: minus the mean entropy */
	double kl, clipped;
} weir_loss;

/* The largest of their kind since the update began, by size; for messages. */
typedef struct weir_largest {
	double advantage, value_error, ratio;
} weir_largest;

struct weir_ppo {
	const weir_ppo_config *config;
	weir_actor_critic *network;
	weir_activations *activations;
	weir_ppo_state state;
	size_t rollout_size, largest_batch;
	uint32_t *order; /* [rollout_size]: the epoch's permutation */
	weir_minibatch batch;
	float *gradient; /* [parameter_count]: of the last minibatch, before clipping */
	double norm;     /* its length */
	size_t log_std;  /* of a Box: where it begins in the parameters */
	weir_largest largest;
};

/* Forward, loss and backward of ppo->batch: fills `gradient` and `norm`. `clip_range` is that of
 * the schedule. */
void weir_ppo_minibatch(weir_ppo *ppo, double clip_range, weir_loss *loss);

/* advantages[count], count above 1, become (a - mean) / (unbiased standard deviation + 1e-8). */
void weir_advantages_normalise(float *advantages, size_t count);

WEIR_END_C

#endif
