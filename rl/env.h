/*
 * Environments: the interface between what learns and what is learned from.
 *
 * An environment is a world that is reset and then stepped, with the meanings of Gymnasium (Towers
 * et al. 2024, "Gymnasium: A Standard Interface for Reinforcement Learning Environments"): a step
 * takes an action and gives an observation, a reward, and whether the episode `terminated` (the
 * world came to an end: nothing follows) or was `truncated` (it was cut off: something would have
 * followed). All buffers are the caller's. There is no global state: any number of environments may
 * live in a process, each used by one thread at a time. A step allocates nothing once the
 * high-water marks of an episode are reached.
 *
 * To add one: rl/env_<name>.c with a weir_env_type, a line in WEIR_ENVS of rl/envs.h,
 * tests/test_rl_env_<name>.c. rl/env_tutorial.c shows how.
 */
#ifndef WEIR_RL_ENV_H
#define WEIR_RL_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "rl/space.h"

WEIR_BEGIN_C

/* One figure that an environment tells beside the observation after every step. */
typedef struct weir_info_term {
	const char *name, *unit, *description;
	bool reward; /* it is a part of the reward: the reward is the sum of all parts */
} weir_info_term;

/* What is checked of every step. X(NAME, name, what holds) */
#define WEIR_ENV_CHECKS(X)                                                                         \
	X(WORKLOAD, workload,                                                                          \
	  "arrivals in the interval are those that the workload has in it, exactly")                   \
	X(THROUGHPUT, throughput,                                                                      \
	  "throughput was measured in this interval, and arrived = ended + in the system")             \
	X(REWARD, reward, "the reward is finite and the sum of its terms")                             \
	X(ACTION, action,                                                                              \
	  "the action applied is the one just given, and the environment's own counters show it")      \
	X(OBSERVATION, observation, "every observed number is finite and within its bounds")

typedef enum weir_env_check {
#define WEIR_ENV_CHECK_ENUM(NAME, name, text) WEIR_CHECK_##NAME,
	WEIR_ENV_CHECKS(WEIR_ENV_CHECK_ENUM)
#undef WEIR_ENV_CHECK_ENUM
	    WEIR_CHECK_COUNT
} weir_env_check;

/* The names and what holds, NULL-terminated. */
WEIR_API extern const char *const weir_env_check_names[];
WEIR_API extern const char *const weir_env_check_texts[];

/* How an episode begins. */
typedef struct weir_env_start {
	uint64_t seed;
	bool evaluation; /* from the environment's fixed list of episodes, not by chance */
	int64_t
	    episode; /* which one of the list (any number: it wraps around); -1: drawn by the seed */
} weir_env_start;

/* A start by seed in training. */
WEIR_API weir_env_start weir_env_start_default(uint64_t seed);

/* The seed for an environment whose starts are drawn from nothing but a seed: in training the
 * start's own, in evaluation that of one of a fixed list of WEIR_FIXED_EPISODES. */
enum { WEIR_FIXED_EPISODES = 1000 };
WEIR_API uint64_t weir_env_start_seed(const weir_env_start *start);

typedef struct weir_env_outcome {
	double reward;
	bool terminated, truncated; /* both: a termination */
	uint32_t failed;            /* bit c: check c (weir_env_check) does not hold */
	/* What the environment applied: the number of the step in the episode, from 1, and
	 * weir_action_checksum of the action as it was used. Set by its type's `step`. */
	uint64_t step;
	uint64_t applied;
} weir_env_outcome;

typedef struct weir_env_type weir_env_type;

/* One environment. Its type's `create` fills in what is not `type`; only its type changes it. */
typedef struct weir_env {
	const weir_env_type *type;
	weir_space observation, action;
	const weir_info_term *terms;
	size_t term_count;
	/* Names of numbers that a trainer may change between steps (a Lagrange multiplier), and their
	 * values. They are no part of an episode: a reset and a restore leave them as they are. */
	const char *const *coefficient_names;
	double *coefficients;
	size_t coefficient_count;
	unsigned checks; /* bit c: check c applies to it; REWARD, ACTION and OBSERVATION always do */
	/* Above 0: `state` is one block of so many bytes, from weir_allocate, and all that changes is
	 * in it. Then the type may leave out destroy, save, restore and snapshot_destroy. */
	size_t state_size;
	/* A JSON object: what an agent must know to act in other worlds of this kind (units of actions,
	 * which features are seen), without what is of this world alone (files). NULL: nothing. */
	const char *task;
	void *state;
	/* Kept by the functions below. */
	const char *parameters; /* what it was made with: a JSON object with nothing left open */
	bool strict;  /* a check that fails is an error (the default), not only a bit; may be changed */
	bool running; /* an episode has begun and not ended: it may be stepped */
	uint64_t steps; /* in this episode */
	char
	    failure[WEIR_ERROR_MESSAGE_SIZE]; /* of the last check that failed: which, and the values */
} weir_env;

struct weir_env_type {
	const char *name;
	const char *summary;        /* one line, with its source */
	const weir_key_table *keys; /* of its parameters; NULL: none */
	/* `parameters` is what `keys` read, borrowed until the environment is closed. After an error
	 * nothing of what it made is left. */
	weir_status (*create)(const void *parameters, weir_env *env, weir_error *error);
	void (*destroy)(weir_env *env);
	weir_status (*reset)(weir_env *env, const weir_env_start *start, float *observation,
	                     weir_error *error);
	/* *outcome is zero before, the action in its space. A check that does not hold is told by
	 * weir_env_fail. An error ends the episode. */
	weir_status (*step)(weir_env *env, const float *action, float *observation,
	                    weir_env_outcome *outcome, weir_error *error);
	/* mask[weir_space_choices]: 1 where the choice may be taken next. NULL: all may. */
	void (*mask)(const weir_env *env, uint8_t *mask);
	/* terms[term_count] of the last step; of a reset all 0. NULL: it has none. */
	void (*info)(const weir_env *env, double *terms);
	/* Everything that the episode is at this instant, in memory; to be given back to this
	 * environment any number of times. */
	weir_status (*save)(const weir_env *env, void **snapshot, weir_error *error);
	weir_status (*restore)(weir_env *env, const void *snapshot, weir_error *error);
	void (*snapshot_destroy)(void *snapshot);
};

/*
 * Makes an environment by its name; `parameters` is a JSON object of its type's keys, NULL for all
 * defaults; `name` of what errors call the parameters ("--env", a config's path). Errors: an
 * unknown environment or key (with the nearest known one); what the environment itself refuses.
 * *env is NULL after an error.
 */
WEIR_API weir_status weir_env_create(const char *kind, const char *parameters, const char *name,
                                     weir_env **env, weir_error *error);
/* The same of a type that is in no list, as a program may have its own; `type` is borrowed. */
WEIR_API weir_status weir_env_create_of(const weir_env_type *type, const char *parameters,
                                        const char *name, weir_env **env, weir_error *error);
WEIR_API void weir_env_close(weir_env *env);

/* Begins an episode. observation[size of the observation space]. Errors: an episode below -1; what
 * the environment has; in strict mode an observation out of its bounds (WEIR_ERROR_INTERNAL). */
WEIR_API weir_status weir_env_reset(weir_env *env, const weir_env_start *start, float *observation,
                                    weir_error *error);

/*
 * One step. Errors: an action outside its space, before anything happens; a step before the first
 * reset or after an episode's end; in strict mode a check that fails (WEIR_ERROR_INTERNAL: the
 * step, the check and the values). Otherwise outcome->failed has its bit.
 */
WEIR_API weir_status weir_env_step(weir_env *env, const float *action, float *observation,
                                   weir_env_outcome *outcome, weir_error *error);

/* Whether it ever masks a choice. */
WEIR_API bool weir_env_masks(const weir_env *env);
/* mask[weir_space_choices(&env->action)]; nothing for a Box; all 1 when no episode is running. */
WEIR_API void weir_env_mask(const weir_env *env, uint8_t *mask);
/* terms[env->term_count]; all 0 before the first step of an episode. */
WEIR_API void weir_env_info(const weir_env *env, double *terms);

/* Sets a coefficient by its name; false when there is no such one. */
WEIR_API bool weir_env_set_coefficient(weir_env *env, const char *name, double value);

/* The episode as it stands, and back to it: of the same environment only. */
typedef struct weir_env_snapshot weir_env_snapshot;
WEIR_API weir_status weir_env_save(const weir_env *env, weir_env_snapshot **snapshot,
                                   weir_error *error);
WEIR_API weir_status weir_env_restore(weir_env *env, const weir_env_snapshot *snapshot,
                                      weir_error *error);
WEIR_API void weir_env_snapshot_destroy(weir_env_snapshot *snapshot);

/* For types: check `check` of this step does not hold; the text says the values. */
WEIR_API void weir_env_fail(weir_env *env, weir_env_outcome *outcome, weir_env_check check,
                            const char *format, ...) WEIR_PRINTF(4, 5);

/* What outcome->applied is to be: FNV-1a over the bytes of the numbers. */
WEIR_API uint64_t weir_action_checksum(const float *action, size_t size);

WEIR_END_C

#endif
