#include <math.h>

#include "rl/reward_weights.h"

/* How far an estimate is past its limit; what is hopeless counts as ten times the limit. */
static double excess(double estimate)
{
	return fmin(9, fmax(0, estimate - 1));
}

static double evaluate(const void *parameters, const double *coefficients,
                       const weir_reward_facts *facts, double *terms)
{
	(void)coefficients;
	double slo = -(0.4 * excess(facts->ttft_estimate) + 0.6 * excess(facts->tbt_estimate));
	return weir_reward_weigh(parameters, facts, slo, terms);
}

static const weir_key keys[] = {WEIR_REWARD_WEIGHT_KEYS};

static const weir_key_table table = {
    .name = "reward",
    .doc = "As default, but by latencies estimated from queued work and service rates.",
    .size = sizeof(weir_reward_weights),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static const weir_reward_term terms[] = {
    {"reward_cost", "w_cost * -(instances paid for * price) / max_total_instances"},
    {"reward_slo", "w_slo * -(0.4 * TTFT + 0.6 * TBT), each max(0, estimate / limit - 1), at most "
                   "9"},
    {"reward_switch", "w_switch * -(instances started, stopped, flipped) / 10"},
    {"reward_util", "w_util * 0.3 * mean over lists of (1 - abs(load - 0.7))"},
};

const weir_reward_type weir_reward_latency_estimate = {
    .name = "latency_estimate",
    .summary = "cost, queued work / service rate against the limits (a leading signal), "
               "operations, loads",
    .keys = &table,
    .terms = terms,
    .term_count = sizeof terms / sizeof terms[0],
    .estimates = true,
    .evaluate = evaluate,
};
