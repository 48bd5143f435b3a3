/*
 * Many environments of one kind, stepped together over threads.
 *
 * What comes out depends on the options alone, not on the number of threads: every environment has
 * its own buffers and its own seeds. Environment e's k-th episode starts with the seed
 * weir_stream_seed(weir_stream_seed(seed, "episodes", e), "episode", k).
 */
#ifndef WEIR_RL_VECTOR_H
#define WEIR_RL_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "rl/env.h"

WEIR_BEGIN_C

typedef struct weir_vector_options {
	size_t count; /* environments, at least 1 */
	/* 0: one for each processor that may be used; 1: the caller's alone; at most `count`. Handing a
	 * step to threads costs some microseconds: of environments that step in less, one is faster. */
	size_t threads;
	uint64_t seed;
	bool strict; /* see weir_env; default true */
	/* Environment e plays the fixed episodes e, e + count, e + 2 * count, ... */
	bool evaluation;
	bool auto_reset; /* default true: an episode that ended is begun anew in the same step */
} weir_vector_options;

WEIR_API weir_vector_options weir_vector_options_default(void);

/* What a step gives, all the caller's: [count] each, but where another shape is said. NULL: not
 * wanted. */
typedef struct weir_vector_buffers {
	float *observations; /* [count][observation.size]; of the new episode where one ended */
	double *rewards;
	uint8_t *terminated, *truncated;
	float *final_observations; /* [count][observation.size]; only rows of episodes that ended are
	                              written: what was seen last in them */
	uint8_t *masks;            /* [count][choices] */
	double *info;              /* [count][term_count]: of the step, before any reset */
	uint32_t *failed;          /* bits of checks */
} weir_vector_buffers;

typedef struct weir_vector weir_vector;

/* Makes them; arguments as of weir_env_create. Threads start with the first step that needs them,
 * so that a vector may be made before a fork. */
WEIR_API weir_status weir_vector_create(const char *kind, const char *parameters, const char *name,
                                        const weir_vector_options *options, weir_vector **vector,
                                        weir_error *error);
WEIR_API void weir_vector_destroy(weir_vector *vector);

WEIR_API size_t weir_vector_count(const weir_vector *vector);
/* One of them, to be looked at between steps: spaces, terms, checks. */
WEIR_API const weir_env *weir_vector_env(const weir_vector *vector, size_t number);

/* Begins the next episode in each. Only observations and masks are written. The first error, in the
 * order of the environments, is told. */
WEIR_API weir_status weir_vector_reset(weir_vector *vector, const weir_vector_buffers *buffers,
                                       weir_error *error);
/* Begins an episode in one, as `start` says, which is its number 0 from now on: its k-th one, k >
 * 0, has the seed weir_stream_seed(start->seed, "episode", k), or, where `start` has the number n
 * of a fixed episode, is n + k * count. observation[observation.size] */
WEIR_API weir_status weir_vector_reset_one(weir_vector *vector, size_t number,
                                           const weir_env_start *start, float *observation,
                                           weir_error *error);

/* actions[count][action.size]. Errors: as weir_env_step and weir_env_reset, of the first
 * environment that has one; its number begins the message. An action outside its space is refused
 * before any environment is stepped; after another error those without one have been. Without
 * auto_reset an environment whose episode ended must be reset before the next step. */
WEIR_API weir_status weir_vector_step(weir_vector *vector, const float *actions,
                                      const weir_vector_buffers *buffers, weir_error *error);

/* Sets a coefficient in all; false when there is no such one. */
WEIR_API bool weir_vector_set_coefficient(weir_vector *vector, const char *name, double value);

/*
 * Where environment `number` is: the episode's number and the actions since its start, from which
 * it can be brought there again, in this process or another, by doing the same once more. For
 * checkpoints.
 */
typedef struct weir_vector_position {
	uint64_t episode;     /* episodes begun in it before this one */
	size_t steps;         /* since the reset */
	const float *actions; /* [steps][action.size] */
} weir_vector_position;

/* position->actions is the vector's, valid until the next step or reset. */
WEIR_API void weir_vector_position_get(const weir_vector *vector, size_t number,
                                       weir_vector_position *position);
/* Brings all environments to positions[count], of this vector or of one with the same options on
 * which weir_vector_reset_one was called alike; observations and masks are those of then. Cost:
 * that of the steps, over the threads. */
WEIR_API weir_status weir_vector_positions_set(weir_vector *vector,
                                               const weir_vector_position *positions,
                                               const weir_vector_buffers *buffers,
                                               weir_error *error);

WEIR_END_C

#endif
