/*
 * The config of a training: which environment, which agent, how it learns, how it is watched.
 * Defaults are those of Stable-Baselines3.
 */
#ifndef WEIR_RL_TRAIN_CONFIG_H
#define WEIR_RL_TRAIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "config/document.h"
#include "rl/actor_critic.h"
#include "rl/normaliser.h"
#include "rl/ppo.h"

WEIR_BEGIN_C

/* The section `environment`. */
typedef struct weir_train_environment {
	const char *kind;
	/* Its own section, a JSON object with nothing left open and file names absolute. */
	const char *parameters;
} weir_train_environment;

/* The section `network`. */
typedef struct weir_train_network {
	weir_key_list hidden; /* of double: whole numbers */
	bool shared_trunk;
	double log_std;
} weir_train_network;

/* The section `evaluation`. */
typedef struct weir_train_evaluation {
	int64_t interval; /* steps; 0: only at the end */
	int64_t episodes; /* 0: never */
	bool deterministic;
	int64_t seed;
	bool has_stop;         /* whether stop_at_reward is said */
	double stop_at_reward; /* training ends once the mean reward is this much */
	int64_t patience; /* it ends after so many evaluations in a row without a new best; 0: no */
} weir_train_evaluation;

enum { WEIR_MOST_ADAPTED = 16 };

/* One of the list `adapt` (at most WEIR_MOST_ADAPTED): dual ascent of an environment's coefficient,
 * a Lagrange multiplier. After each rollout c becomes c + rate * (mean of `term` over the rollout -
 * target), kept within [minimum, maximum]. */
typedef struct weir_train_adapt {
	const char *coefficient, *term;
	double target, rate, minimum, maximum, initial;
} weir_train_adapt;

typedef enum weir_train_control {
	WEIR_TRAIN_CONTROL_NONE,
	WEIR_TRAIN_CONTROL_SHUFFLED_REWARDS /* see weir_learner_options */
} weir_train_control;

typedef struct weir_train_config {
	int64_t seed;
	weir_train_environment environment;
	int64_t environments, threads; /* threads 0: one for each processor */
	int64_t total_steps;
	weir_train_network network;
	weir_ppo_config ppo;
	weir_normaliser_config normalise;
	weir_train_evaluation evaluation;
	int64_t checkpoint_interval; /* steps; 0: only at the end */
	weir_key_list adapt;         /* of weir_train_adapt */
	int control;                 /* weir_train_control */
	bool strict;

	/* All of it as JSON text with nothing left open, but `threads` and `checkpoint`, on which the
	 * results do not depend: equal texts give equal trainings. */
	const char *text;
	/* As `text`, without the environment's own section: names no file. */
	const char *summary;
	const char *name; /* what errors call the config: its path */
	weir_arena *arena;
} weir_train_config;

WEIR_API extern const weir_key_table weir_train_keys;

/* Reads a training config; *config is destroyed by weir_train_config_destroy, NULL after an error.
 * Errors: as weir_document_load and weir_keys_read. What only the environment knows (its files, the
 * names of its coefficients and terms) weir_train finds out. */
WEIR_API weir_status weir_train_config_load(const weir_document_options *options,
                                            const weir_train_config **config, weir_error *error);
WEIR_API void weir_train_config_destroy(const weir_train_config *config);

/* The network that the config asks for; `action` is borrowed. */
WEIR_API weir_actor_critic_shape weir_train_config_shape(const weir_train_config *config,
                                                         size_t observation_size,
                                                         const weir_space *action);

/*
 * Refuses a text (weir_train_config.text) that is not that of `config`: names the first key, in the
 * order of the config, that differs, and both values. `path` is of the file that `text` stands in.
 */
WEIR_API weir_status weir_train_config_match(const weir_train_config *config, const char *path,
                                             const char *text, weir_error *error);

WEIR_END_C

#endif
