#include "rl/reward.h"

typedef struct priced {
	weir_reward_common common;
	double price, w_switch, reference_usd_per_hour;
} priced;

/*
 * What the fleet costs, and a price for every request that breaks its limits, each counted once. So
 * an episode's return is a sum of dollars, whatever interval they fall into, and the exchange of
 * cost for attainment is the same in a burst as in a quiet hour: the Lagrangian of "least cost at a
 * given attainment of the whole run", whose multiplier a trainer may adapt.
 */
static double evaluate(const void *parameters, const double *coefficients,
                       const weir_reward_facts *facts, double *terms)
{
	const priced *own = parameters;
	double reference = own->reference_usd_per_hour;
	if (facts->given_reference_usd_per_hour > 0) {
		reference = facts->given_reference_usd_per_hour;
	} else if (!(reference > 0)) {
		reference = facts->reference_usd_per_hour;
	}
	double scale = reference > 0 ? own->common.scale * 60 / reference : 0;
	double cost = -facts->cost_usd;
	double broken = -coefficients[0] * weir_reward_newly_broken(facts);
	double switching = own->w_switch * weir_reward_switching(facts);
	terms[0] = scale * cost;
	terms[1] = scale * broken;
	terms[2] = scale * switching;
	return scale * (cost + broken + switching);
}

static const weir_key keys[] = {
    WEIR_REWARD_KEYS(priced, common),
    {.name = "price",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(priced, price),
     .default_text = "0.2",
     .minimum = 0,
     .maximum = 1e9,
     .unit = "USD",
     .doc = "Price of a request that breaks a limit of slo.per_request. A trainer may change it: "
            "coefficient \"price\"."},
    {.name = "w_switch",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(priced, w_switch),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e9,
     .unit = "USD",
     .doc = "Price of ten scale operations."},
    {.name = "reference_usd_per_hour",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(priced, reference_usd_per_hour),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e12,
     .unit = "USD/h",
     .doc = "The reward's unit is what a fleet of this price costs in a minute; 0: the fleet at "
            "the start."},
};

static const weir_key_table table = {
    .name = "reward",
    .doc = "Dollars: what the fleet costs, and a price for every request that breaks its limits.",
    .size = sizeof(priced),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static const weir_reward_term terms[] = {
    {"reward_cost", "-cost, in what the reference fleet costs in a minute"},
    {"reward_slo", "-price * requests of which it came out that they break a limit, likewise"},
    {"reward_switch", "w_switch * -(instances started, stopped, flipped) / 10, likewise"},
};

static const char *const coefficient_names[] = {"price", NULL};
static const size_t coefficient_offsets[] = {offsetof(priced, price)};

const weir_reward_type weir_reward_priced = {
    .name = "priced",
    .summary = "the bill, and a price for every request that breaks its limits, each counted once",
    .keys = &table,
    .terms = terms,
    .term_count = sizeof terms / sizeof terms[0],
    .coefficient_names = coefficient_names,
    .coefficient_offsets = coefficient_offsets,
    .coefficient_count = 1,
    .evaluate = evaluate,
};
