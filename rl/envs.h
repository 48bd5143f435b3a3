/* The list of all environments. */
#ifndef WEIR_RL_ENVS_H
#define WEIR_RL_ENVS_H

#include "base/export.h"
#include "rl/env.h"

WEIR_BEGIN_C

/* X(name): weir_env_type_<name>, the type that is called "<name>", is in rl/env_<name>.c (those of
 * the probes are together in rl/env_probes.c). */
#define WEIR_ENVS(X)                                                                               \
	X(tutorial)                                                                                    \
	X(cartpole)                                                                                    \
	X(pendulum)                                                                                    \
	X(probe_constant)                                                                              \
	X(probe_observation)                                                                           \
	X(probe_two_steps)                                                                             \
	X(probe_action)                                                                                \
	X(probe_observation_action)                                                                    \
	X(probe_endless)                                                                               \
	X(probe_chain)                                                                                 \
	X(probe_constrained)                                                                           \
	X(probe_identity)                                                                              \
	X(probe_mask)                                                                                  \
	X(scaling)

#define WEIR_ENV_DECLARE(name) WEIR_API extern const weir_env_type weir_env_type_##name;
WEIR_ENVS(WEIR_ENV_DECLARE)
#undef WEIR_ENV_DECLARE

/* In the order of the list, NULL-terminated; the names likewise. */
WEIR_API extern const weir_env_type *const weir_env_types[];
WEIR_API extern const char *const weir_env_names[];

/* NULL when there is none of that name. */
WEIR_API const weir_env_type *weir_env_type_find(const char *name);

WEIR_END_C

#endif
