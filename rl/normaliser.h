/*
 * Running normalisation of observations and rewards, as Stable-Baselines3's VecNormalize: means and
 * variances in double by the parallel update of Chan, Golub and LeVeque (1983), counts from 1e-4.
 */
#ifndef WEIR_RL_NORMALISER_H
#define WEIR_RL_NORMALISER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

/* The section `normalise` of a training config. */
typedef struct weir_normaliser_config {
	bool observations, rewards; /* whether it does anything to them */
	double clip_observation, clip_reward;
	double gamma; /* of the discounted return whose variance scales rewards */
	double epsilon;
} weir_normaliser_config;

WEIR_API extern const weir_key_table weir_normaliser_keys;
/* Observations and rewards on, clips 10, gamma 0.99, epsilon 1e-8. */
WEIR_API weir_normaliser_config weir_normaliser_config_default(void);

typedef struct weir_normaliser {
	weir_normaliser_config config;
	size_t size, environments;
	double *mean, *variance; /* [size] */
	double count;
	double return_mean, return_variance, return_count;
	double *returns; /* [environments]: discounted, running */
} weir_normaliser;

/* Mean 0, variance 1. NULL when memory is out. */
WEIR_API weir_normaliser *weir_normaliser_create(const weir_normaliser_config *config, size_t size,
                                                 size_t environments);
WEIR_API void weir_normaliser_destroy(weir_normaliser *normaliser);

/* Learns from observations[count][size]. */
WEIR_API void weir_normaliser_learn(weir_normaliser *normaliser, const float *observations,
                                    size_t count);
/* normalised[count][size], which may be `observations`; learns nothing. */
WEIR_API void weir_normaliser_apply(const weir_normaliser *normaliser, const float *observations,
                                    size_t count, float *normalised);
/* Learns from rewards[environments] of one step, then scales them; `dones` are those of the step:
 * their running returns begin anew afterwards. */
WEIR_API void weir_normaliser_rewards(weir_normaliser *normaliser, const double *rewards,
                                      const uint8_t *dones, float *normalised);

WEIR_END_C

#endif
