#include <math.h>

#include "rl/reward.h"

typedef struct constrained {
	weir_reward_common common;
	double target, lambda, mu, w_switch, reference_usd_per_hour;
} constrained;

static double reference_price(const constrained *own, const weir_reward_facts *facts)
{
	if (facts->given_reference_usd_per_hour > 0) {
		return facts->given_reference_usd_per_hour;
	}
	return own->reference_usd_per_hour > 0 ? own->reference_usd_per_hour
	                                       : facts->reference_usd_per_hour;
}

/*
 * Minimise cost as long as the share of requests that kept their limits stays at the target: the
 * Lagrangian of a constrained problem (Altman 1999, "Constrained Markov Decision Processes"), whose
 * multiplier a trainer adapts.
 */
static double evaluate(const void *parameters, const double *coefficients,
                       const weir_reward_facts *facts, double *terms)
{
	const constrained *own = parameters;
	double scale = own->common.scale;
	double reference = reference_price(own, facts);
	double hours = facts->interval / 3600;
	double cost = hours > 0 && reference > 0 ? -facts->cost_usd / (reference * hours) : 0;
	double late = -fmax(0, weir_reward_broken_share(facts) - (1 - own->target));
	double overdue = -(facts->overdue + facts->charged) / fmax(1, facts->arrived);
	double switching = weir_reward_switching(facts);
	terms[0] = scale * cost;
	terms[1] = scale * coefficients[0] * late;
	terms[2] = scale * own->mu * overdue;
	terms[3] = scale * own->w_switch * switching;
	return scale * (cost + coefficients[0] * late + own->mu * overdue + own->w_switch * switching);
}

static const weir_key keys[] = {
    WEIR_REWARD_KEYS(constrained, common),
    {.name = "target",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(constrained, target),
     .default_text = "0.99",
     .minimum = 0,
     .maximum = 1,
     .doc = "Share of requests that is to keep slo.per_request."},
    {.name = "lambda",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(constrained, lambda),
     .default_text = "10",
     .minimum = 0,
     .maximum = 1e9,
     .doc = "Weight of the share of broken requests beyond 1 - target. A trainer may change it: "
            "coefficient \"lambda\"."},
    {.name = "mu",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(constrained, mu),
     .default_text = "1",
     .minimum = 0,
     .maximum = 1e9,
     .doc = "Weight of overdue requests as a share of those that arrived."},
    WEIR_REWARD_WEIGHT(constrained, w_switch, "0.1", "Weight of scale operations."),
    {.name = "reference_usd_per_hour",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(constrained, reference_usd_per_hour),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e12,
     .unit = "USD/h",
     .doc = "Price of the fleet whose cost counts as 1, such as the best static one; 0: that of "
            "the fleet at the start."},
};

static const weir_key_table table = {
    .name = "reward",
    .doc = "Cost relative to a fleet's, and penalties for broken and overdue requests.",
    .size = sizeof(constrained),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static const weir_reward_term terms[] = {
    {"reward_cost", "-cost / what the reference fleet would have cost"},
    {"reward_slo", "-lambda * max(0, v - (1 - target)), v the share of broken requests"},
    {"reward_overdue", "-mu * (overdue + charged) / arrived"},
    {"reward_switch", "w_switch * -(instances started, stopped, flipped) / 10"},
};

static const char *const coefficient_names[] = {"lambda", NULL};
static const size_t coefficient_offsets[] = {offsetof(constrained, lambda)};

const weir_reward_type weir_reward_constrained = {
    .name = "constrained",
    .summary = "cost relative to a reference fleet, under a target for the requests that keep "
               "their limits",
    .keys = &table,
    .terms = terms,
    .term_count = sizeof terms / sizeof terms[0],
    .coefficient_names = coefficient_names,
    .coefficient_offsets = coefficient_offsets,
    .coefficient_count = 1,
    .evaluate = evaluate,
};
