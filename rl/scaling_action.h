/*
 * What the actions of an agent that scales mean: from numbers or choices to a decision.
 */
#ifndef WEIR_RL_SCALING_ACTION_H
#define WEIR_RL_SCALING_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "rl/scaling_task.h"
#include "rl/space.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

/* What a dimension of the action does. */
typedef enum weir_action_part {
	WEIR_ACTION_PROMPT, /* sizes the prompt pool; of a single-pool cluster the mixed one */
	WEIR_ACTION_TOKEN,
	WEIR_ACTION_MIGRATE /* above 0: from token to prompt */
} weir_action_part;

/* X(PART, name, description) */
#define WEIR_ACTION_PARTS(X)                                                                       \
	X(PROMPT, prompt, "Instances of the prompt pool; in a single-pool cluster, of the mixed one.") \
	X(TOKEN, token, "Instances of the token pool; nothing in a single-pool cluster.")              \
	X(MIGRATE, migrate,                                                                            \
	  "Instances that change pools, above 0 from token to prompt; nothing in a single-pool "       \
	  "cluster.")

/* The dimensions that a task has: of the mode joint prompt, token and, unless migrate_step is 0 or
 * the kind is demand or residual, migrate; of the others that of the pool. */
typedef struct weir_action_set {
	size_t count;
	weir_action_part parts[WEIR_SCALING_DIMENSIONS];
	weir_space space; /* refers to `dimensions` */
	weir_dimension dimensions[WEIR_SCALING_DIMENSIONS];
} weir_action_set;

WEIR_API void weir_action_set_create(const weir_scaling_task *task, weir_action_set *set);

/* What there is when a decision is made. */
typedef struct weir_action_frame {
	bool single;                      /* a single-pool cluster: mixed alone */
	int64_t size[WEIR_TAG_COUNT];     /* SCALING_UP + ACTIVE */
	int64_t draining[WEIR_TAG_COUNT]; /* that a growth would take back */
	int64_t total;                    /* instances of the cluster, in every state */
	int64_t min_per_pool, max_total;
	double demand[WEIR_TAG_COUNT]; /* instances that the arrivals ask for, of kind residual those
	                                  that the rule wants; of other kinds not looked at */
} weir_action_frame;

/*
 * The decision that an action of the set's space asks for: migrate, then prompt, then token.
 * continuous: round(sign * (|a| - dead_zone) / (1 - dead_zone) * step) instances more, 0 inside the
 * dead zone, half rounded away from zero; an adaptive step is max(1, share * size). discrete: the
 * middle choice changes nothing. demand: the size is to be ceil(demand * range^a), within the
 * limits. residual: round(demand * range^a), likewise, half rounded away from zero: an action of 0
 * is the rule. Either leaves a pool alone whose size is within `tolerance` of that.
 */
WEIR_API void weir_action_decode(const weir_scaling_task *task, const weir_action_set *set,
                                 const weir_action_frame *frame, const float *action,
                                 weir_decision *decision);

/* mask[weir_space_choices]: of kind discrete, 1 where the choice can be done as far as is known
 * before: to add no more than fit below max_total, to take no more than the pool has above its
 * minimum, to leave alone what has no effect. */
WEIR_API void weir_action_mask(const weir_action_set *set, const weir_action_frame *frame,
                               uint8_t *mask);

/* The action by part, as numbers from -1 to 1; 0 for a part that the set has not. */
WEIR_API void weir_action_normal(const weir_action_set *set, const float *action,
                                 double normal[WEIR_SCALING_DIMENSIONS]);

WEIR_END_C

#endif
