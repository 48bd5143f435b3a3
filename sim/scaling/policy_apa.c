#include "scaling/policy_apa.h"

#include <math.h>

static const weir_key keys[] = {
    WEIR_DEMAND_KEYS(weir_apa_config, demand),
    WEIR_APA_KEYS(weir_apa_config, rule),
};

const weir_key_table weir_apa_keys = {
    .name = "apa",
    .doc = "Size by demand per instance, within tolerances and rates.",
    .size = sizeof(weir_apa_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

typedef struct apa_state {
	double seen;
} apa_state;

static size_t state_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(apa_state);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)context, (void)error;
	*(apa_state *)state = (apa_state){.seen = NAN};
	return WEIR_OK;
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	const weir_apa_config *config = context->parameters;
	apa_state *apa = state;
	weir_tag tag = weir_policy_tag(context);
	double demand;
	if (weir_demand_observe(&config->demand, view, tag, &apa->seen, &demand)) {
		int64_t size = weir_view_size(&view->pools[tag]);
		weir_decide_pool(context, view, tag,
		                 weir_apa_size(&config->rule, &config->demand, size, demand), decision);
	}
}

const weir_policy_type weir_policy_apa = {
    .name = "apa",
    .summary = "AIBrix' APA: demand per instance within tolerances, at most by a factor at a time",
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
