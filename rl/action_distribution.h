/*
 * What a policy's head says of actions: Gaussians with independent dimensions for a Box,
 * categoricals for (Multi)Discrete, and their log-probabilities, entropies and derivatives.
 *
 * Masked choices have a logit of -1e8 (Huang and Ontanon 2022, "A Closer Look at Invalid Action
 * Masking in Policy Gradient Algorithms"): never drawn, no share of the entropy.
 */
#ifndef WEIR_RL_ACTION_DISTRIBUTION_H
#define WEIR_RL_ACTION_DISTRIBUTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "rl/space.h"

WEIR_BEGIN_C

/* A small random generator whose whole state is a value: xoshiro256++ (Blackman and Vigna 2021),
 * seeded with SplitMix64. */
typedef struct weir_xoshiro {
	uint64_t s[4];
} weir_xoshiro;

WEIR_API weir_xoshiro weir_xoshiro_seed(uint64_t seed);
WEIR_API uint64_t weir_xoshiro_next(weir_xoshiro *random);
/* In [0, 1), 53 bits. */
WEIR_API double weir_xoshiro_uniform(weir_xoshiro *random);
/* Standard normal (Marsaglia's polar method, no value kept between calls). */
WEIR_API double weir_xoshiro_normal(weir_xoshiro *random);

/* One head, its log_std (NULL unless a Box) and mask (NULL: all choices allowed). */
typedef struct weir_head {
	const weir_space *action;
	const float *head, *log_std;
	const uint8_t *mask;
} weir_head;

/* action[size]: drawn; of a Box not clipped to its bounds. */
WEIR_API void weir_action_sample(const weir_head *head, weir_xoshiro *random, float *action);
/* The mean, or the choice of the greatest logit (the first of equals). */
WEIR_API void weir_action_mode(const weir_head *head, float *action);
/* Clips a Box's action to its bounds; others stay. */
WEIR_API void weir_action_clip(const weir_space *space, const float *action, float *clipped);
/* Summed over dimensions. */
WEIR_API void weir_action_evaluate(const weir_head *head, const float *action, float *log_prob,
                                   float *entropy);
/* Adds to head_gradient[head_size] (and log_std_gradient[size], NULL unless a Box) d_log_prob and
 * d_entropy times the derivatives of these. */
WEIR_API void weir_action_gradient(const weir_head *head, const float *action, float d_log_prob,
                                   float d_entropy, float *head_gradient, float *log_std_gradient);

WEIR_END_C

#endif
