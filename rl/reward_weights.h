/* What the rewards of four weighted terms share: cost, slo, switch, util. */
#ifndef WEIR_RL_REWARD_WEIGHTS_H
#define WEIR_RL_REWARD_WEIGHTS_H

#include "rl/reward.h"

WEIR_BEGIN_C

typedef struct weir_reward_weights {
	weir_reward_common common;
	double w_cost, w_slo, w_switch, w_util;
} weir_reward_weights;

#define WEIR_REWARD_WEIGHT_KEYS                                                                    \
	WEIR_REWARD_KEYS(weir_reward_weights, common),                                                 \
	    WEIR_REWARD_WEIGHT(weir_reward_weights, w_cost, "0.5", "Weight of the fleet's cost."),     \
	    WEIR_REWARD_WEIGHT(weir_reward_weights, w_slo, "2", "Weight of broken requests."),         \
	    WEIR_REWARD_WEIGHT(weir_reward_weights, w_switch, "0.1", "Weight of scale operations."),   \
	    WEIR_REWARD_WEIGHT(weir_reward_weights, w_util, "0.2", "Weight of loads near 0.7.")

/* The four terms, given `slo` before its weight, and the reward. */
static inline double weir_reward_weigh(const weir_reward_weights *weights,
                                       const weir_reward_facts *facts, double slo, double *terms)
{
	double scale = weights->common.scale;
	double cost = weir_reward_fleet_cost(&weights->common, facts);
	double switching = weir_reward_switching(facts);
	double utilisation = weir_reward_utilisation(facts);
	terms[0] = scale * weights->w_cost * cost;
	terms[1] = scale * weights->w_slo * slo;
	terms[2] = scale * weights->w_switch * switching;
	terms[3] = scale * weights->w_util * utilisation;
	return scale * (weights->w_cost * cost + weights->w_slo * slo + weights->w_switch * switching +
	                weights->w_util * utilisation);
}

WEIR_END_C

#endif
