#include "rl/reward_weights.h"

/* B: completed, and in the system past their TTFT or their TBT limit. */
static double evaluate(const void *parameters, const double *coefficients,
                       const weir_reward_facts *facts, double *terms)
{
	(void)coefficients;
	double ttft = weir_reward_limit_share(facts, facts->broken_ttft, facts->overdue_ttft);
	double tbt = weir_reward_limit_share(facts, facts->broken_tbt, facts->overdue_tbt);
	return weir_reward_weigh(parameters, facts, -(0.4 * ttft * ttft + 0.6 * tbt * tbt), terms);
}

static const weir_key keys[] = {WEIR_REWARD_WEIGHT_KEYS};

static const weir_key_table table = {
    .name = "reward",
    .doc = "The fleet's cost, the squared shares of broken requests, scale operations, and loads.",
    .size = sizeof(weir_reward_weights),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static const weir_reward_term terms[] = {
    {"reward_cost", "w_cost * -(instances paid for * price) / max_total_instances"},
    {"reward_slo", "w_slo * -(0.4 * v_ttft^2 + 0.6 * v_tbt^2), v the share of broken requests"},
    {"reward_switch", "w_switch * -(instances started, stopped, flipped) / 10"},
    {"reward_util", "w_util * 0.3 * mean over lists of (1 - abs(load - 0.7))"},
};

const weir_reward_type weir_reward_default = {
    .name = "default",
    .summary = "cost, squared shares of requests past their TTFT and TBT limits, operations, loads",
    .keys = &table,
    .terms = terms,
    .term_count = sizeof terms / sizeof terms[0],
    .evaluate = evaluate,
};
