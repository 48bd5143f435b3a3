/*
 * The figures that a training logs after each rollout, by the names of Stable-Baselines3's logger:
 *
 *   rollout/ep_rew_mean, ep_len_mean   of the last 100 episodes
 *   rollout/ep_<term>                  the environment's figures, likewise (rl/episode_log.h)
 *   train/<figure>                     of PPO's update
 *   adapt/<coefficient>                what the config's `adapt` made of it
 *   eval/mean_reward, mean_ep_length, std_reward, <term>   in rows with an evaluation
 *   checks/failed                      checks of integrity that did not hold so far
 *   time/iterations
 *
 * Not part of the public interface.
 */
#ifndef WEIR_RL_TRAIN_NAMES_H
#define WEIR_RL_TRAIN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/export.h"
#include "rl/ppo.h"
#include "rl/train_state.h"

WEIR_BEGIN_C

typedef struct weir_train_names {
	const char **names; /* all that may come */
	size_t count;
	weir_arena *arena;
	/* The row at hand. */
	const char **row;
	double *values;
	size_t filled;
} weir_train_names;

/* False when memory is out; to be released in any case. */
WEIR_API bool weir_train_names_create(weir_train_names *names, const weir_train_state *state);
WEIR_API void weir_train_names_release(weir_train_names *names);

/* The row as it stands now: row[n] and values[n], n is returned. `evaluation` NULL: there was none.
 */
WEIR_API size_t weir_train_names_fill(weir_train_names *names, const weir_train_state *state,
                                      const weir_ppo_figures *figures,
                                      const weir_evaluation *evaluation);

WEIR_END_C

#endif
