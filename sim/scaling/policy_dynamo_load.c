#include "scaling/policy_dynamo_load.h"

#include <math.h>

#include "scaling/capacity.h"

static const weir_key keys[] = {
    WEIR_DYNAMO_KEYS(offsetof(weir_dynamo_load_config, dynamo)),
    {.name = "sensitivity",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_dynamo_load_config, sensitivity),
     .default_text = "0.8",
     .minimum = 0,
     .maximum = 1,
     .doc = "An instance is taken away when the others then stay below this share of the target."},
    {.name = "throughput_floor",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_dynamo_load_config, throughput_floor),
     .default_text = "true",
     .doc = "Whether the throughput mode's result is the least size."},
    {.name = "throughput_interval",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_dynamo_load_config, throughput_interval),
     .default_text = "180",
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .maximum = 1e7,
     .unit = "s",
     .doc = "Time between two computations of that floor."},
};

const weir_key_table weir_dynamo_load_keys = {
    .name = "dynamo_load",
    .doc = "Load mode of the NVIDIA Dynamo planner.",
    .size = sizeof(weir_dynamo_load_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

typedef struct load_state {
	weir_dynamo_state throughput;
	weir_dynamo_traffic traffic; /* since the floor was computed */
	double isl, osl;             /* of the last tick with arrivals */
	int64_t floor[WEIR_TAG_COUNT];
} load_state;

static size_t state_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(load_state);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)state;
	const weir_dynamo_load_config *config = context->parameters;
	return weir_dynamo_check(context, &config->dynamo, error);
}

static void take_in(load_state *state, const weir_view *view)
{
	state->traffic.interval += view->interval;
	state->traffic.requests += view->arrivals;
	state->traffic.prompt_tokens += view->prompt_tokens_arrived;
	state->traffic.output_tokens += view->output_tokens_arrived;
	if (view->arrivals > 0) {
		state->isl = view->prompt_tokens_arrived / view->arrivals;
		state->osl = view->output_tokens_arrived / view->arrivals;
	}
}

static void compute_floor(const weir_policy_context *context, load_state *state,
                          const weir_view *view)
{
	const weir_dynamo_load_config *config = context->parameters;
	/* Sums of ticks need not meet the interval exactly. */
	if (!config->throughput_floor ||
	    state->traffic.interval < config->throughput_interval * (1 - 1e-9)) {
		return;
	}
	double rps = 0;
	double isl = 0;
	double osl = 0;
	weir_dynamo_predict(&config->dynamo, &state->throughput, &state->traffic, &rps, &isl, &osl);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (weir_dynamo_sizes(context, (weir_tag)tag)) {
			int64_t wanted =
			    weir_dynamo_replicas(context, &config->dynamo, (weir_tag)tag, rps, isl, osl);
			state->floor[tag] =
			    weir_dynamo_cap(&config->dynamo, wanted, weir_view_size(&view->pools[tag]));
		}
	}
	state->traffic = (weir_dynamo_traffic){0};
}

/* What the instances of a pool say together. */
typedef struct verdict {
	bool all_late;   /* every one is past its target */
	bool can_shrink; /* the others would take over the load of one */
} verdict;

/* Prompt work: TTFT of a prompt that came now. The time that this prompt itself takes does not
 * shrink with more instances, so that only the rest of the target is shared by those who wait. */
static void judge_prompts(const weir_dynamo_load_config *config, const weir_capacity *capacity,
                          const weir_view_instance *instance, double isl, double growth,
                          verdict *result)
{
	bool mixed = instance->tag == WEIR_TAG_MIXED;
	double queued = (double)instance->pending_prompt_tokens;
	int64_t decoding = (int64_t)instance->requests - instance->queued_prompts;
	weir_decoding beside = {mixed && decoding > 0 ? decoding : 0,
	                        mixed ? (double)instance->kv_tokens : 0};
	double ttft = weir_capacity_prompt_seconds(capacity, queued + isl, isl, beside);
	result->all_late = result->all_late && ttft > config->dynamo.ttft;
	beside.tasks = (int64_t)((double)beside.tasks * growth);
	beside.context = floor(beside.context * growth);
	double own = weir_capacity_prompt_seconds(capacity, isl, isl, beside);
	double later =
	    weir_capacity_prompt_seconds(capacity, floor(queued * growth) + isl, isl, beside);
	double budget = (config->dynamo.ttft - own) * config->sensitivity;
	result->can_shrink = result->can_shrink && budget > 0 && later - own < budget;
}

/* Token work: ITL with one more request of the mean context. */
static void judge_tokens(const weir_dynamo_load_config *config, const weir_capacity *capacity,
                         const weir_view_instance *instance, double isl, double osl, double growth,
                         verdict *result)
{
	bool mixed = instance->tag == WEIR_TAG_MIXED;
	double context = isl + osl / 2;
	double requests = (double)instance->requests - (mixed ? instance->queued_prompts : 0);
	double kv = (double)instance->kv_tokens;
	/* An aggregated engine takes in as many prompts as it ends requests. */
	double prompts = mixed ? requests * isl / osl : 0;
	double most = (double)capacity->iteration_tokens;
	weir_decoding now = {(int64_t)requests + 1, kv + context};
	double itl = weir_capacity_mixed_seconds(capacity, fmin(prompts, most), isl, now);
	result->all_late = result->all_late && itl > config->dynamo.itl;
	double queued = mixed ? (double)instance->pending_prompt_tokens : 0;
	double after = floor((kv + queued) * growth);
	weir_decoding later = {(int64_t)(requests * growth) + 1, after + context};
	itl = weir_capacity_mixed_seconds(capacity, fmin(prompts * growth, most), isl, later);
	result->can_shrink = result->can_shrink && after < (double)capacity->kv_tokens &&
	                     itl < config->dynamo.itl * config->sensitivity;
}

static int64_t wanted_size(const weir_policy_context *context, const load_state *state,
                           const weir_view *view, weir_tag tag)
{
	const weir_dynamo_load_config *config = context->parameters;
	const weir_application *application = &context->cluster->applications[context->application];
	int64_t active = view->pools[tag].count[WEIR_INSTANCE_ACTIVE];
	if (active == 0) {
		return 0;
	}
	bool shrink = active > 1;
	double growth = shrink ? (double)active / (double)(active - 1) : 1;
	verdict prompts = {.all_late = tag != WEIR_TAG_TOKEN, .can_shrink = shrink};
	verdict tokens = {.all_late = tag != WEIR_TAG_PROMPT, .can_shrink = shrink};
	double isl = fmax(state->isl, 1);
	double osl = fmax(state->osl, 1);
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &view->instances[i];
		if (instance->tag != tag || instance->state != WEIR_INSTANCE_ACTIVE) {
			continue;
		}
		weir_capacity capacity = weir_capacity_of(application, instance->type);
		if (tag != WEIR_TAG_TOKEN) {
			judge_prompts(config, &capacity, instance, isl, growth, &prompts);
		}
		if (tag != WEIR_TAG_PROMPT) {
			judge_tokens(config, &capacity, instance, isl, osl, growth, &tokens);
		}
	}
	if (prompts.all_late || tokens.all_late) {
		return active + 1;
	}
	return prompts.can_shrink && tokens.can_shrink ? active - 1 : active;
}

static void decide(const weir_policy_context *context, void *memory, const weir_view *view,
                   weir_decision *decision)
{
	load_state *state = memory;
	const weir_dynamo_load_config *config = context->parameters;
	take_in(state, view);
	compute_floor(context, state, view);
	int64_t sizes[WEIR_TAG_COUNT] = {0};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (!weir_dynamo_sizes(context, (weir_tag)tag)) {
			continue;
		}
		if (view->pools[tag].count[WEIR_INSTANCE_SCALING_UP] > 0) {
			return;
		}
		int64_t least = config->dynamo.minimum;
		least = state->floor[tag] > least ? state->floor[tag] : least;
		int64_t size = wanted_size(context, state, view, (weir_tag)tag);
		sizes[tag] = size > least ? size : least;
	}
	weir_dynamo_budget(context, &config->dynamo, sizes);
	weir_dynamo_decide(context, view, sizes, decision);
}

const weir_policy_type weir_policy_dynamo_load = {
    .name = "dynamo_load",
    .summary = "one instance more or less by estimated TTFT and ITL (NVIDIA Dynamo planner)",
    .joint = true,
    .needs = WEIR_VIEW_INSTANCES,
    .interval = 5,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
