#include "scaling/policy_dynamo_throughput.h"

static const weir_key keys[] = {WEIR_DYNAMO_KEYS(0)};

const weir_key_table weir_dynamo_throughput_keys = {
    .name = "dynamo_throughput",
    .doc = "Throughput mode of the NVIDIA Dynamo planner.",
    .size = sizeof(weir_dynamo_throughput_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static size_t state_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(weir_dynamo_state);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)state;
	return weir_dynamo_check(context, context->parameters, error);
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	const weir_dynamo_config *config = context->parameters;
	weir_dynamo_traffic traffic = {view->interval, view->arrivals, view->prompt_tokens_arrived,
	                               view->output_tokens_arrived};
	double rps = 0;
	double isl = 0;
	double osl = 0;
	if (!weir_dynamo_predict(config, state, &traffic, &rps, &isl, &osl)) {
		return;
	}
	int64_t sizes[WEIR_TAG_COUNT] = {0};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (weir_dynamo_sizes(context, (weir_tag)tag)) {
			int64_t wanted = weir_dynamo_replicas(context, config, (weir_tag)tag, rps, isl, osl);
			sizes[tag] = weir_dynamo_cap(config, wanted, weir_view_size(&view->pools[tag]));
		}
	}
	weir_dynamo_budget(context, config, sizes);
	weir_dynamo_decide(context, view, sizes, decision);
}

const weir_policy_type weir_policy_dynamo_throughput = {
    .name = "dynamo_throughput",
    .summary = "sizes the pools for the forecast requests (NVIDIA Dynamo planner)",
    .joint = true,
    .interval = 180,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
