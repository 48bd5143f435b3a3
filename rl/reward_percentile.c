#include <math.h>

#include "rl/reward_weights.h"

/*
 * How far a percentile is past its limit, 0..1: (x / limit - 1), cut. Overdue and charged requests
 * count as infinitely slow: a percentile that falls among them is wholly past its limit.
 */
static double excess(double x, double limit, double percentile, double lost)
{
	if (lost > 1 - percentile) {
		return 1;
	}
	return isnan(x) ? 0 : fmin(1, fmax(0, x / limit - 1));
}

static double mean_excess(const weir_view_quantiles *x, const double limits[3], double lost)
{
	return (excess(x->p50, limits[0], 0.5, lost) + excess(x->p90, limits[1], 0.9, lost) +
	        excess(x->p99, limits[2], 0.99, lost)) /
	       3;
}

static double evaluate(const void *parameters, const double *coefficients,
                       const weir_reward_facts *facts, double *terms)
{
	(void)coefficients;
	static const double ttft_limits[3] = {2, 3, 6}, tbt_limits[3] = {1.25, 1.5, 5};
	double ttft = mean_excess(&facts->ttft_slowdown, ttft_limits,
	                          weir_reward_limit_share(facts, 0, facts->overdue_ttft));
	double tbt = mean_excess(&facts->tbt_slowdown, tbt_limits,
	                         weir_reward_limit_share(facts, 0, facts->overdue_tbt));
	return weir_reward_weigh(parameters, facts, -(0.4 * ttft + 0.6 * tbt), terms);
}

static const weir_key keys[] = {WEIR_REWARD_WEIGHT_KEYS};

static const weir_key_table table = {
    .name = "reward",
    .doc = "As default, but by how far the percentiles of slowdowns are past their limits.",
    .size = sizeof(weir_reward_weights),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static const weir_reward_term terms[] = {
    {"reward_cost", "w_cost * -(instances paid for * price) / max_total_instances"},
    {"reward_slo", "w_slo * -(0.4 * TTFT + 0.6 * TBT), each the mean of min(1, max(0, x / limit - "
                   "1)) over p50, p90, p99"},
    {"reward_switch", "w_switch * -(instances started, stopped, flipped) / 10"},
    {"reward_util", "w_util * 0.3 * mean over lists of (1 - abs(load - 0.7))"},
};

const weir_reward_type weir_reward_percentile = {
    .name = "percentile",
    .summary = "cost, how far p50, p90, p99 of slowdowns are past their limits, operations, loads",
    .keys = &table,
    .terms = terms,
    .term_count = sizeof terms / sizeof terms[0],
    .evaluate = evaluate,
};
