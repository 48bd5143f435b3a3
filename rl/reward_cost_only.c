#include "rl/reward.h"

typedef struct cost_only {
	weir_reward_common common;
} cost_only;

static double evaluate(const void *parameters, const double *coefficients,
                       const weir_reward_facts *facts, double *terms)
{
	(void)coefficients;
	const cost_only *own = parameters;
	terms[0] = own->common.scale * weir_reward_fleet_cost(&own->common, facts);
	return terms[0];
}

static const weir_key keys[] = {WEIR_REWARD_KEYS(cost_only, common)};

static const weir_key_table table = {
    .name = "reward",
    .doc = "The fleet's cost alone.",
    .size = sizeof(cost_only),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static const weir_reward_term terms[] = {
    {"reward_cost", "-(instances paid for * price) / max_total_instances"},
};

const weir_reward_type weir_reward_cost_only = {
    .name = "cost_only",
    .summary = "the fleet's cost alone: what an agent does when nobody minds",
    .keys = &table,
    .terms = terms,
    .term_count = sizeof terms / sizeof terms[0],
    .evaluate = evaluate,
};
