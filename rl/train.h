/*
 * Training an agent: rollouts and updates until the steps are done, with logs, evaluations and
 * checkpoints in one directory:
 *
 *   config.json     the config with nothing left open
 *   checkpoint.h5   everything that is needed to go on (rl/checkpoint.h)
 *   best.h5         the agent of the best evaluation
 *   final.h5        the agent at the end
 *   report.json     what came of it (rl/train_report.h), at the end
 *   and the logs of rl/train_log.h
 *
 * Rollouts are collected, truncations and normalisation treated as by Stable-Baselines3; training
 * ends with the rollout in which the steps are done. Evaluations and checkpoints come at the end of
 * a rollout, after its update. The results depend on the config alone, not on threads,
 * interruptions or when checkpoints were made: all files but timing.csv have equal bytes on one
 * machine and library.
 */
#ifndef WEIR_RL_TRAIN_H
#define WEIR_RL_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "rl/train_config.h"
#include "rl/train_report.h"

WEIR_BEGIN_C

typedef struct weir_train_progress {
	int64_t steps, total_steps;
	double mean_reward; /* of the last 100 episodes; NaN: none ended */
	double evaluation;  /* mean reward of the last one; NaN: none */
} weir_train_progress;

typedef struct weir_train_options {
	const char *directory; /* made, with its parents */
	/* Go on with the training in the directory, which must be of the same config; where there is
	 * none it is begun. */
	bool resume;
	bool overwrite; /* begin anew, whatever is there */
	/* Called after every step of the environments. Once it has returned false the training ends
	 * with the rollout at hand and a checkpoint, as WEIR_ERROR_INTERRUPTED. NULL: not called. */
	bool (*progress)(void *context, const weir_train_progress *progress);
	void *context;
} weir_train_options;

/*
 * Trains to the end; a training that has ended is not done again. *report is filled when it has.
 *
 * Errors, before anything is changed: what the environment refuses; `adapt` of a coefficient or
 * term that it does not have; a training in the directory where neither resume nor overwrite is
 * said, one of another config (the first key that differs) or at work; a checkpoint that is damaged
 * or of another version. Later: WEIR_ERROR_INTERRUPTED; a check of integrity (strict); a network
 * that is no longer finite; a file that cannot be written. The last checkpoint is then as it was.
 */
WEIR_API weir_status weir_train(const weir_train_config *config, const weir_train_options *options,
                                weir_train_report *report, weir_error *error);

/* Whether weir_train would refuse these options because of a training that is in the directory. */
WEIR_API weir_status weir_train_look(const weir_train_options *options, weir_error *error);

WEIR_END_C

#endif
