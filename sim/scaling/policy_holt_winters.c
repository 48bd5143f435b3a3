#include "scaling/policy_holt_winters.h"

#include <math.h>

#include "scaling/forecast.h"

#define FACTOR_KEY(name_, default_, doc_)                                                          \
	{                                                                                              \
		.name = #name_, .type = WEIR_KEY_NUMBER,                                                   \
		.offset = offsetof(weir_holt_winters_config, name_), .default_text = default_,             \
		.minimum = 0, .maximum = 1, .doc = doc_                                                    \
	}

static const weir_key keys[] = {
    WEIR_DEMAND_KEYS(weir_holt_winters_config, demand),
    WEIR_MARGIN_KEY(weir_holt_winters_config),
    FACTOR_KEY(alpha, "0.5", "Weight of the newest observation in the level."),
    FACTOR_KEY(beta, "0.1",
               "Weight of the newest change of the level in the trend (beta* of the "
               "literature)."),
    FACTOR_KEY(gamma, "0.1", "Weight of the newest observation in its seasonal term."),
    FACTOR_KEY(phi, "0.98", "Damps the trend with every step ahead; 1: it goes on for ever."),
    {.name = "period",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_holt_winters_config, period),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e8,
     .unit = "s",
     .doc =
         "Length of a season, a whole number of the policy's intervals; known after two of them. "
         "0: no season."},
};

const weir_key_table weir_holt_winters_keys = {
    .name = "holt_winters",
    .doc = "Size by the demand forecast by exponential smoothing.",
    .size = sizeof(weir_holt_winters_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

typedef struct state_header {
	double seen;
	weir_holt_winters smoothed; /* and its seasons behind it */
} state_header;

static double period_steps(const weir_policy_context *context)
{
	const weir_holt_winters_config *config = context->parameters;
	return round(config->period / context->interval);
}

static size_t period(const weir_policy_context *context)
{
	return (size_t)fmin(period_steps(context), WEIR_MOST_STEPS);
}

static size_t state_size(const weir_policy_context *context)
{
	return offsetof(state_header, smoothed) + weir_holt_winters_bytes(period(context));
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	const weir_holt_winters_config *config = context->parameters;
	((state_header *)state)->seen = NAN;
	double steps = period_steps(context);
	bool whole = fabs(config->period - steps * context->interval) <= 1e-9 * config->period;
	if (config->period > 0 && (steps < 2 || !whole)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "period",
		                      "%g s is not a whole number, 2 or more, of the policy's interval of "
		                      "%g s",
		                      config->period, context->interval);
	}
	weir_status status = weir_check_steps(steps, WEIR_MOST_STEPS, "period", error);
	if (status != WEIR_OK) {
		return status;
	}
	return weir_check_steps(weir_horizon(context, config->margin) / context->interval,
	                        WEIR_MOST_STEPS, "margin", error);
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	const weir_holt_winters_config *config = context->parameters;
	state_header *header = state;
	weir_tag tag = weir_policy_tag(context);
	double demand;
	if (!weir_demand_observe(&config->demand, view, tag, &header->seen, &demand)) {
		return;
	}
	weir_smoothing smoothing = {.alpha = config->alpha,
	                            .beta = config->beta,
	                            .gamma = config->gamma,
	                            .phi = config->phi,
	                            .period = period(context)};
	weir_holt_winters_add(&smoothing, &header->smoothed, demand);
	double peak;
	weir_holt_winters_ahead(&smoothing, &header->smoothed,
	                        weir_horizon_steps(context, config->margin), &peak);
	weir_decide_pool(context, view, tag, weir_demand_instances(&config->demand, fmax(demand, peak)),
	                 decision);
}

const weir_policy_type weir_policy_holt_winters = {
    .name = "holt_winters",
    .summary = "forecasts the demand by exponential smoothing (Holt 1957, Winters 1960)",
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
