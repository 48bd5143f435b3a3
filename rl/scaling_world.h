/* Worlds of the scaling environment: which config an episode plays, and its simulation. */
#ifndef WEIR_RL_SCALING_WORLD_H
#define WEIR_RL_SCALING_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "config/config.h"
#include "rl/env.h"
#include "rl/scaling_loop.h"
#include "run/sim.h"

WEIR_BEGIN_C

/* One of the list `configs`. */
typedef struct weir_world_config {
	const char *path;
	double reference_usd_per_hour; /* for reward kinds constrained, priced; 0: as the reward says */
} weir_world_config;

WEIR_API extern const weir_key_table weir_world_config_keys;

/* What there is to choose from. */
typedef struct weir_world_choice {
	const weir_world_config *configs;
	size_t count; /* at least 1 */
	const char *const *sets;
	size_t set_count;
} weir_world_choice;

/* Which one an episode plays: evaluation episode k plays config k mod n, replication k div n of its
 * family; in training both are drawn by the seed. */
typedef struct weir_world_member {
	size_t config;
	uint64_t replication;
} weir_world_member;

WEIR_API weir_world_member weir_world_choose(const weir_world_choice *choice,
                                             const weir_env_start *start);

/* A simulation of a config, at time 0, for a loop that decides in it. Counted: a snapshot holds its
 * world too, which may outlive the episode. */
typedef struct weir_world {
	size_t holders;
	const weir_config *config;
	weir_sim *sim;
	weir_world_member member;
} weir_world;

/* Refuses a config, in its first replication, that would not load or has no place for the loop. */
WEIR_API weir_status weir_world_try(const weir_world_choice *choice, size_t config,
                                    weir_scaling_loop *loop, weir_error *error);

/* Held once. Errors: those of the config, of the loop's policies, of the simulation. */
WEIR_API weir_status weir_world_create(const weir_world_choice *choice, weir_world_member member,
                                       weir_scaling_loop *loop, weir_world **world,
                                       weir_error *error);
WEIR_API weir_world *weir_world_hold(weir_world *world);
/* NULL is allowed. */
WEIR_API void weir_world_release(weir_world *world);

WEIR_END_C

#endif
