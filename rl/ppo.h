/*
 * Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347), with the semantics of
 * Stable-Baselines3's PPO.
 */
#ifndef WEIR_RL_PPO_H
#define WEIR_RL_PPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "rl/action_distribution.h"
#include "rl/actor_critic.h"
#include "rl/rollout.h"

WEIR_BEGIN_C

/* A number that may fall with progress: value, or linearly from value to 0 at the end. */
typedef enum weir_schedule_kind { WEIR_SCHEDULE_CONSTANT, WEIR_SCHEDULE_LINEAR } weir_schedule_kind;

/* The section `ppo` of a training config; defaults are Stable-Baselines3's. */
typedef struct weir_ppo_config {
	double learning_rate;
	int learning_rate_schedule; /* weir_schedule_kind */
	int64_t n_steps;            /* of each environment in a rollout */
	int64_t batch_size, n_epochs;
	double gamma, gae_lambda;
	double clip_range;
	int clip_range_schedule;
	double clip_range_vf; /* 0: off */
	bool normalize_advantage;
	double ent_coef, vf_coef, max_grad_norm;
	double target_kl; /* 0: off */
	double adam_beta1, adam_beta2, adam_eps;
} weir_ppo_config;

WEIR_API extern const weir_key_table weir_ppo_keys;
WEIR_API weir_ppo_config weir_ppo_config_default(void);

/*
 * Of one update, by the names of Stable-Baselines3's logger (train/...). X(field, name)
 *
 * entropy_loss, policy_gradient_loss, value_loss, clip_fraction: means over all minibatches;
 * approx_kl: over those of the last epoch; loss: of the last minibatch; grad_norm: mean over the
 * optimiser's steps, before clipping (NaN when target_kl let none happen). std: mean of the
 * Gaussian's standard deviations after the update (NaN unless the actions are a Box).
 * explained_variance: of the returns by the values of the rollout; NaN when all returns are equal.
 */
#define WEIR_PPO_FIGURES(X)                                                                        \
	X(learning_rate, "learning_rate")                                                              \
	X(entropy_loss, "entropy_loss")                                                                \
	X(policy_gradient_loss, "policy_gradient_loss")                                                \
	X(value_loss, "value_loss")                                                                    \
	X(approx_kl, "approx_kl")                                                                      \
	X(clip_fraction, "clip_fraction")                                                              \
	X(loss, "loss")                                                                                \
	X(explained_variance, "explained_variance")                                                    \
	X(std, "std")                                                                                  \
	X(n_updates, "n_updates")                                                                      \
	X(clip_range, "clip_range")                                                                    \
	X(grad_norm, "grad_norm")

typedef struct weir_ppo_figures {
#define WEIR_PPO_FIGURE_FIELD(field, name) double field;
	WEIR_PPO_FIGURES(WEIR_PPO_FIGURE_FIELD)
#undef WEIR_PPO_FIGURE_FIELD
} weir_ppo_figures;

/* Everything of the optimiser that a checkpoint must hold, beside the network's parameters. */
typedef struct weir_ppo_state {
	float *m, *v;      /* Adam's moments [parameter_count] */
	uint64_t t;        /* its steps */
	int64_t n_updates; /* epochs done */
	weir_xoshiro shuffle;
} weir_ppo_state;

typedef struct weir_ppo weir_ppo;

/* `config` and `network` are borrowed; rollouts hold rollout_size steps, of all environments.
 * Shuffles by the stream "shuffle" of `seed`. Errors: a batch_size or n_epochs below 1; out of
 * memory. */
WEIR_API weir_status weir_ppo_create(const weir_ppo_config *config, weir_actor_critic *network,
                                     size_t rollout_size, uint64_t seed, weir_ppo **ppo,
                                     weir_error *error);
WEIR_API void weir_ppo_destroy(weir_ppo *ppo);
WEIR_API weir_ppo_state *weir_ppo_state_of(weir_ppo *ppo);

/*
 * Trains on a finished rollout; allocates nothing. progress_remaining: 1 at the start of training,
 * 0 at its end; sets the schedules. Errors: WEIR_ERROR_INTERNAL when a loss, gradient or parameter
 * is not finite: says which, in which epoch and minibatch, and the largest figures before; the
 * parameters are then of no more use.
 */
WEIR_API weir_status weir_ppo_update(weir_ppo *ppo, const weir_rollout *rollout,
                                     double progress_remaining, weir_ppo_figures *figures,
                                     weir_error *error);

WEIR_END_C

#endif
