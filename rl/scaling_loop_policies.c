/* The decision loop among the policies of a run. */
#include <string.h>

#include "base/memory.h"
#include "rl/scaling_loop_internal.h"
#include "scaling/policies.h"

/* Takes note of what there is to see; the decision is handed in later. */
static void note(const weir_policy_context *context, void *state, const weir_view *view,
                 weir_decision *decision)
{
	(void)decision;
	weir_scaling_loop *loop = context->owner;
	loop->seen = *view;
	if (loop->task->action.kind == WEIR_ACTION_RESIDUAL) {
		weir_scaling_rule_ask(&loop->task->action.rule, context, state, view, loop->state.wanted);
	}
}

static size_t state_size(const weir_policy_context *context)
{
	const weir_scaling_loop *loop = context->owner;
	return weir_scaling_rule_state_size(&loop->task->action.rule, context);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	const weir_scaling_loop *loop = context->owner;
	return weir_scaling_rule_start(&loop->task->action.rule, context, state, error);
}

const weir_policy_type weir_policy_rl = {
    .name = "rl",
    .summary = "what an agent decides",
    .joint = true,
    .deferred = true,
    .interval = 10,
    .state_size = state_size,
    .start = start,
    .decide = note,
};

bool weir_scaling_loop_application(const weir_scaling_task *task, const weir_config *config,
                                   uint32_t *application)
{
	*application = 0;
	if (task->application[0] == '\0') {
		return true;
	}
	for (; *application < config->application_count; (*application)++) {
		if (strcmp(config->applications[*application].name, task->application) == 0) {
			return true;
		}
	}
	return false;
}

bool weir_scaling_is_ideal(const weir_control_config *control)
{
	return control->scrape_interval <= 0 && control->metric_lag <= 0 && control->metric_noise <= 0;
}

/* What the controller is to show. Where the loop looks for itself, it shows it to the rule alone.
 */
static unsigned needs_of(const weir_scaling_task *task, const weir_control_config *control)
{
	bool looks = weir_scaling_is_ideal(control) && weir_scaling_has_follow_ups(task);
	return weir_scaling_rule_needs(&task->action.rule) | (looks ? 0 : WEIR_FEATURE_NEEDS);
}

static void list_pools(const weir_config_application *application, bool pools[WEIR_TAG_COUNT])
{
	memset(pools, 0, WEIR_TAG_COUNT * sizeof *pools);
	for (size_t s = 0; s < application->server_count; s++) {
		pools[application->servers[s].tag] = true;
	}
}

static bool is_single(const bool pools[WEIR_TAG_COUNT])
{
	return !pools[WEIR_TAG_PROMPT] && !pools[WEIR_TAG_TOKEN];
}

/* The pool that the agent's policy acts on; -1: all. */
static int own_pool(const weir_scaling_task *task, bool single)
{
	if (task->mode == WEIR_SCALING_JOINT) {
		return -1;
	}
	if (task->mode == WEIR_SCALING_TOKEN) {
		return WEIR_TAG_TOKEN;
	}
	return single ? WEIR_TAG_MIXED : WEIR_TAG_PROMPT;
}

/* Bit t: the agent acts on pool t. `pool` as above. */
static unsigned own_tags(const bool pools[WEIR_TAG_COUNT], int pool)
{
	unsigned tags = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		tags |= pools[tag] && (pool < 0 || tag == pool) ? 1u << tag : 0;
	}
	return tags;
}

static bool add(weir_scaling_loop *loop, const weir_controller_policy *policy)
{
	if (!weir_reserve((void **)&loop->policies, &loop->policy_capacity, loop->policy_count + 1,
	                  sizeof *loop->policies)) {
		return false;
	}
	loop->policies[loop->policy_count++] = *policy;
	return true;
}

static uint32_t application_of(const weir_policy_config *policy, const weir_config *config)
{
	uint32_t application = 0;
	while (policy->application[0] != '\0' &&
	       strcmp(config->applications[application].name, policy->application) != 0) {
		application++;
	}
	return application;
}

static int pool_of(const weir_policy_config *policy)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (strcmp(policy->pool, weir_tag_names[tag]) == 0) {
			return tag;
		}
	}
	return -1;
}

/* One of the config's own, as far as it does not touch what the agent acts on. */
static bool add_other(weir_scaling_loop *loop, const weir_config *config,
                      const weir_policy_config *other, uint32_t agent_application, int agent_pool)
{
	weir_controller_policy policy = {
	    .type = weir_policy_types[other->kind],
	    .parameters = weir_policy_parameters(other),
	    .application = application_of(other, config),
	    .pool = pool_of(other),
	    .interval = other->interval,
	};
	if (policy.application != agent_application) {
		return add(loop, &policy);
	}
	bool pools[WEIR_TAG_COUNT];
	list_pools(&config->applications[agent_application], pools);
	int asked = policy.pool;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		bool left_alone = agent_pool >= 0 && tag != agent_pool && pools[tag];
		if (left_alone && (asked < 0 || asked == tag)) {
			policy.pool = tag;
			if (!add(loop, &policy)) {
				return false;
			}
		}
	}
	return true;
}

weir_status weir_scaling_loop_policies(weir_scaling_loop *loop, const weir_config *config,
                                       const weir_controller_policy **policies, size_t *count,
                                       weir_error *error)
{
	const weir_scaling_task *task = loop->task;
	uint32_t application;
	if (!weir_scaling_loop_application(task, config, &application)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "application",
		                      "the agent is to scale the application '%s', which the config does "
		                      "not have",
		                      task->application);
	}
	bool pools[WEIR_TAG_COUNT];
	list_pools(&config->applications[application], pools);
	bool single = is_single(pools);
	int pool = own_pool(task, single);
	if (pool >= 0 && !pools[pool]) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "mode",
		                      "the agent is to scale the %s pool, which the config does not have",
		                      weir_tag_names[pool]);
	}
	weir_status status = weir_scaling_rule_check(&task->action.rule, own_tags(pools, pool), error);
	if (status != WEIR_OK) {
		return status;
	}
	const weir_controller_policy own = {
	    .type = &weir_policy_rl,
	    .application = application,
	    .pool = pool,
	    .interval = weir_scaling_tick(task),
	    .owner = loop,
	    .needs = needs_of(task, &config->control),
	};
	loop->policy_count = 0;
	bool added = add(loop, &own);
	const weir_policy_config *items = config->policies.items;
	for (size_t i = 0; added && i < config->policies.count; i++) {
		added = add_other(loop, config, &items[i], application, pool);
	}
	if (!added) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the policies");
	}
	*policies = loop->policies;
	*count = loop->policy_count;
	return WEIR_OK;
}
