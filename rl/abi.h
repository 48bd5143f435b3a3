/*
 * How the structs of rl/env.h, rl/space.h and rl/vector.h lie in memory, for bindings that describe
 * them once more in another language (python/weir/gym): they ask this before anything else.
 */
#ifndef WEIR_RL_ABI_H
#define WEIR_RL_ABI_H

#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "rl/env.h"
#include "rl/space.h"
#include "rl/vector.h"

WEIR_BEGIN_C

/* X(struct, field), all fields in their order, one struct after another. */
#define WEIR_ENV_ABI(X)                                                                            \
	X(weir_error, status)                                                                          \
	X(weir_error, where)                                                                           \
	X(weir_error, message)                                                                         \
	X(weir_dimension, name)                                                                        \
	X(weir_dimension, unit)                                                                        \
	X(weir_dimension, low)                                                                         \
	X(weir_dimension, high)                                                                        \
	X(weir_dimension, choices)                                                                     \
	X(weir_space, kind)                                                                            \
	X(weir_space, size)                                                                            \
	X(weir_space, dimensions)                                                                      \
	X(weir_info_term, name)                                                                        \
	X(weir_info_term, unit)                                                                        \
	X(weir_info_term, description)                                                                 \
	X(weir_info_term, reward)                                                                      \
	X(weir_env_start, seed)                                                                        \
	X(weir_env_start, evaluation)                                                                  \
	X(weir_env_start, episode)                                                                     \
	X(weir_env_outcome, reward)                                                                    \
	X(weir_env_outcome, terminated)                                                                \
	X(weir_env_outcome, truncated)                                                                 \
	X(weir_env_outcome, failed)                                                                    \
	X(weir_env_outcome, step)                                                                      \
	X(weir_env_outcome, applied)                                                                   \
	X(weir_env, type)                                                                              \
	X(weir_env, observation)                                                                       \
	X(weir_env, action)                                                                            \
	X(weir_env, terms)                                                                             \
	X(weir_env, term_count)                                                                        \
	X(weir_env, coefficient_names)                                                                 \
	X(weir_env, coefficients)                                                                      \
	X(weir_env, coefficient_count)                                                                 \
	X(weir_env, checks)                                                                            \
	X(weir_env, state_size)                                                                        \
	X(weir_env, task)                                                                              \
	X(weir_env, state)                                                                             \
	X(weir_env, parameters)                                                                        \
	X(weir_env, strict)                                                                            \
	X(weir_env, running)                                                                           \
	X(weir_env, steps)                                                                             \
	X(weir_env, failure)                                                                           \
	X(weir_vector_options, count)                                                                  \
	X(weir_vector_options, threads)                                                                \
	X(weir_vector_options, seed)                                                                   \
	X(weir_vector_options, strict)                                                                 \
	X(weir_vector_options, evaluation)                                                             \
	X(weir_vector_options, auto_reset)                                                             \
	X(weir_vector_buffers, observations)                                                           \
	X(weir_vector_buffers, rewards)                                                                \
	X(weir_vector_buffers, terminated)                                                             \
	X(weir_vector_buffers, truncated)                                                              \
	X(weir_vector_buffers, final_observations)                                                     \
	X(weir_vector_buffers, masks)                                                                  \
	X(weir_vector_buffers, info)                                                                   \
	X(weir_vector_buffers, failed)

/* FNV-1a over "struct.field offset size;" of each line of the list, numbers in decimal. */
WEIR_API uint64_t weir_env_abi(void);

WEIR_END_C

#endif
