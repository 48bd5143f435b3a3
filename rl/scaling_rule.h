/*
 * The rule that a residual agent corrects: autoscaling policies that are asked at every decision,
 * and whose sizes the agent's action changes (Silver et al. 2018, "Residual Policy Learning",
 * arXiv:1812.06298; Johannink et al. 2019, "Residual Reinforcement Learning for Robot Control").
 *
 * The policies' state is one flat block without pointers, as that of any policy. Nothing is
 * allocated after reading; asking costs what the policies cost.
 */
#ifndef WEIR_RL_SCALING_RULE_H
#define WEIR_RL_SCALING_RULE_H

#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "metrics/view.h"
#include "scaling/policies.h"

WEIR_BEGIN_C

typedef struct weir_scaling_rule {
	const weir_policy_config *items; /* in the arena that they were read into */
	size_t count;
	const char *text; /* the list as JSON, with nothing left open */
} weir_scaling_rule;

/* Reads a list of at least one policy, as `policies` of a config has them but without `application`
 * and `interval`: they act for the agent's, when `rule_interval` says. For a WEIR_KEY_CUSTOM key
 * whose field is a weir_scaling_rule. */
WEIR_API weir_status weir_scaling_rule_read(weir_keys_reader *reader, const weir_key *key,
                                            const cJSON *json, const char *path, void *field,
                                            weir_error *error);

/* `tags`: bit t, the agent acts on pool t. Errors: a policy for a pool that it does not act on. A
 * rule is to be checked before it is asked for anything else. */
WEIR_API weir_status weir_scaling_rule_check(const weir_scaling_rule *rule, unsigned tags,
                                             weir_error *error);

/* Bits of weir_view_need: what they need to see. */
WEIR_API unsigned weir_scaling_rule_needs(const weir_scaling_rule *rule);

/* Bytes of their state; `context` is that of the policy that asks them. */
WEIR_API size_t weir_scaling_rule_state_size(const weir_scaling_rule *rule,
                                             const weir_policy_context *context);

/* `state` is zero before. Errors: what a policy itself refuses (where: its number and key). */
WEIR_API weir_status weir_scaling_rule_start(const weir_scaling_rule *rule,
                                             const weir_policy_context *context, void *state,
                                             weir_error *error);

/* wanted[pool]: the size that they want, SCALING_UP + ACTIVE; of a pool that none of them changes
 * the size that it has. Later policies of the list add to what earlier ones want. Only sizes are
 * told: a migration is so many more in one pool and fewer in the other, and of which type instances
 * were wanted is lost. */
WEIR_API void weir_scaling_rule_ask(const weir_scaling_rule *rule,
                                    const weir_policy_context *context, void *state,
                                    const weir_view *view, double wanted[WEIR_TAG_COUNT]);

WEIR_END_C

#endif
