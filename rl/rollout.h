/*
 * Rollouts: what was seen and done in a number of steps of a number of environments, and the
 * advantages that follow from it.
 */
#ifndef WEIR_RL_ROLLOUT_H
#define WEIR_RL_ROLLOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "rl/space.h"

WEIR_BEGIN_C

/* What a rollout holds, step after step of `environments`; shapes [steps][environments][...]. */
typedef struct weir_rollout {
	size_t steps, environments, observation_size, action_size, choices;
	float *observations, *actions; /* as the policy drew them, a Box's not clipped */
	uint8_t *masks;                /* [..][choices]: 1 where a choice was allowed; NULL: of a Box */
	float *rewards;                /* after normalisation and the bootstrap of truncations */
	float *episode_starts;         /* 1: the step is the first of its episode */
	float *values, *log_probs;
	float *advantages, *returns; /* of weir_rollout_finish */
} weir_rollout;

/* Zeros, and masks of ones unless the actions are a Box. NULL when memory is out. */
WEIR_API weir_rollout *weir_rollout_create(size_t steps, size_t environments,
                                           size_t observation_size, const weir_space *action);
WEIR_API void weir_rollout_destroy(weir_rollout *rollout);

/* Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438): last_values
 * [environments] of what is seen after the last step, last_dones[environments] whether that began
 * a new episode; returns = advantages + values. */
WEIR_API void weir_rollout_finish(weir_rollout *rollout, double gamma, double gae_lambda,
                                  const float *last_values, const float *last_dones);

WEIR_END_C

#endif
