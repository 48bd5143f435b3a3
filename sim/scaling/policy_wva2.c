#include "scaling/policy_wva2.h"

#include <math.h>

#include "scaling/capacity.h"
#include "scaling/replica_window.h"

#define NUMBER(name_, field, default_, maximum_, flags_, unit_, doc_)                              \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_wva2_config, field),       \
		.default_text = default_, .maximum = maximum_, .flags = flags_, .unit = unit_, .doc = doc_ \
	}

static const weir_key keys[] = {
    NUMBER("kv_threshold", kv_threshold, "0.8", 1, 0, NULL,
           "Share of the KV cache that counts as an instance's capacity."),
    NUMBER("queue_threshold", queue_threshold, "5", 1e9, 0, "tasks",
           "With so many waiting tasks the tokens in use are all that it can compute."),
    NUMBER("up_threshold", up_threshold, "0.85", 1, WEIR_KEY_ABOVE_MINIMUM, NULL,
           "Demand above this share of the capacity scales out."),
    NUMBER("down_boundary", down_boundary, "0.7", 1, WEIR_KEY_ABOVE_MINIMUM, NULL,
           "What demand leaves below this share may be taken away."),
    NUMBER("window", window, "60", 1e6, 0, "s", "The highest values of this time count."),
    NUMBER("decision_interval", decision_interval, "60", 1e7, 0, "s",
           "Time between decisions; the policy's interval is that of its measurements."),
};

const weir_key_table weir_wva2_keys = {
    .name = "wva2",
    .doc = "Saturation analysis V2 of the llm-d Workload Variant Autoscaler.",
    .size = sizeof(weir_wva2_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

enum { HISTORY = 10, BUCKETS = 3 };

/* What was seen of k2 for one type and output length. */
typedef struct history {
	uint32_t next, count;
	double values[HISTORY];
} history;

/* One instance type. */
typedef struct variant {
	history seen[BUCKETS];
	double stored; /* capacity of an instance when one was last ACTIVE; 0: never */
	/* of this decision */
	double capacity, price;
	int64_t active, size, target;
	bool done;
} variant;

typedef struct wva2_state {
	double decided;
	bool begun;
	double arrivals, prompt_tokens, output_tokens; /* since the last decision */
	double input, output;                          /* mean lengths of the last arrivals known */
	weir_replica_window window;                    /* and after it the variants */
} wva2_state;

static size_t variants_offset(const weir_policy_context *context)
{
	return offsetof(wva2_state, window) +
	       weir_replica_window_size((size_t)context->scaling->max_total_instances);
}

static variant *variants_of(const weir_policy_context *context, wva2_state *state)
{
	return (variant *)(void *)((char *)state + variants_offset(context));
}

static const weir_application *application_of(const weir_policy_context *context)
{
	return &context->cluster->applications[context->application];
}

static size_t state_size(const weir_policy_context *context)
{
	return variants_offset(context) + application_of(context)->type_count * sizeof(variant);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	const weir_wva2_config *config = context->parameters;
	if (config->up_threshold <= config->down_boundary) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "up_threshold",
		                      "%g is not above the down_boundary of %g", config->up_threshold,
		                      config->down_boundary);
	}
	((wva2_state *)state)->window.capacity = (size_t)context->scaling->max_total_instances;
	return WEIR_OK;
}

static double mean(const history *seen)
{
	double sum = 0;
	for (uint32_t i = 0; i < seen->count; i++) {
		sum += seen->values[i];
	}
	return seen->count > 0 ? sum / seen->count : 0;
}

/* As many tasks as the batch limits allow in the steady state, each with half of its output. */
static double derived(const wva2_state *state, const weir_capacity *capacity)
{
	if (!(state->output > 0)) {
		return 0;
	}
	double tasks =
	    (double)capacity->iteration_tokens * state->output / (state->input + state->output);
	tasks = fmin(tasks, (double)capacity->max_tasks);
	return floor(tasks * (state->input + state->output / 2));
}

/* k2 of an instance; NULL: of one that is not there. */
static double computed(const weir_wva2_config *config, const wva2_state *state, variant *of_type,
                       const weir_capacity *capacity, const weir_replica *replica)
{
	int bucket = state->output < 100 ? 0 : state->output < 500 ? 1 : 2;
	history *seen = &of_type->seen[bucket];
	if (replica != NULL && replica->queue >= config->queue_threshold && replica->kv_tokens > 0) {
		seen->values[seen->next] = replica->kv_tokens;
		seen->next = (seen->next + 1) % HISTORY;
		seen->count += seen->count < HISTORY;
		return replica->kv_tokens;
	}
	double before = floor(mean(seen));
	if (before > 0) {
		return before;
	}
	return derived(state, capacity);
}

/* The median of the capacities of a type's instances: the one with as many below as above. */
static double median(const double *values, size_t count)
{
	double low = 0;
	double high = 0;
	for (size_t i = 0; i < count; i++) {
		size_t below = 0;
		for (size_t j = 0; j < count; j++) {
			below += values[j] < values[i] || (values[j] == values[i] && j < i);
		}
		low = below == (count - 1) / 2 ? values[i] : low;
		high = below == count / 2 ? values[i] : high;
	}
	return floor((low + high) / 2);
}

/* Capacity of an instance of one type, and its demand added to *demand. */
static void analyze(const weir_policy_context *context, wva2_state *state, uint32_t type,
                    double *demand)
{
	const weir_wva2_config *config = context->parameters;
	variant *of_type = &variants_of(context, state)[type];
	weir_capacity capacity = weir_capacity_of(application_of(context), type);
	double k1 = floor((double)capacity.kv_tokens * config->kv_threshold);
	double capacities[256];
	size_t count = 0;
	for (size_t i = 0; i < state->window.count; i++) {
		const weir_replica *replica = &state->window.replicas[i];
		if (replica->type != type) {
			continue;
		}
		*demand += replica->kv_tokens + replica->queue * state->input;
		double k2 = computed(config, state, of_type, &capacity, replica);
		/* The median of 256 instances of one kind is good enough for the rest of them. */
		if (count < sizeof capacities / sizeof capacities[0]) {
			capacities[count++] = k2 > 0 ? fmin(k1, k2) : k1;
		}
	}
	if (count > 0) {
		of_type->stored = median(capacities, count);
	}
	double k2 = derived(state, &capacity);
	of_type->capacity = of_type->stored > 0 ? of_type->stored : k2 > 0 ? fmin(k1, k2) : 0;
}

static void scale_up(variant *variants, size_t count, double required)
{
	variant *best = NULL;
	for (size_t i = 0; i < count; i++) {
		variant *v = &variants[i];
		if (v->capacity > 0 &&
		    (best == NULL || v->price / v->capacity < best->price / best->capacity)) {
			best = v;
		}
	}
	if (best != NULL) {
		best->target += (int64_t)fmin(ceil(required / best->capacity), 1 << 20);
	}
}

/* From the dearest on; the cheapest keeps one instance if no other type has any. */
static void scale_down(variant *variants, size_t count, double spare)
{
	variant *cheapest = variants;
	int64_t left = 0;
	for (size_t i = 0; i < count; i++) {
		cheapest = variants[i].price < cheapest->price ? &variants[i] : cheapest;
		left += variants[i].target;
	}
	for (size_t round = 0; round < count && spare > 0; round++) {
		variant *dearest = NULL;
		for (size_t i = 0; i < count; i++) {
			variant *v = &variants[i];
			if (!v->done && (dearest == NULL || v->price > dearest->price)) {
				dearest = v;
			}
		}
		dearest->done = true;
		bool last = dearest == cheapest && left == dearest->target;
		int64_t most = dearest->target - (last ? 1 : 0);
		if (dearest->capacity > 0 && most > 0) {
			int64_t removed = (int64_t)fmin(floor(spare / dearest->capacity), (double)most);
			dearest->target -= removed;
			left -= removed;
			spare -= (double)removed * dearest->capacity;
		}
	}
}

static void count_instances(const weir_policy_context *context, wva2_state *state,
                            const weir_view *view)
{
	variant *variants = variants_of(context, state);
	const weir_application *application = application_of(context);
	for (uint32_t type = 0; type < application->type_count; type++) {
		variants[type].active = variants[type].size = 0;
		variants[type].price = weir_capacity_price(application, type);
		variants[type].done = false;
	}
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &view->instances[i];
		if (instance->tag == weir_policy_tag(context)) {
			variants[instance->type].active += instance->state == WEIR_INSTANCE_ACTIVE;
			variants[instance->type].size += instance->state != WEIR_INSTANCE_DRAINING;
		}
	}
}

static void decide(const weir_policy_context *context, void *memory, const weir_view *view,
                   weir_decision *decision)
{
	wva2_state *state = memory;
	const weir_wva2_config *config = context->parameters;
	weir_tag tag = weir_policy_tag(context);
	weir_replica_window_sample(&state->window, view, tag, config->window);
	state->arrivals += view->arrivals;
	state->prompt_tokens += view->prompt_tokens_arrived;
	state->output_tokens += view->output_tokens_arrived;
	if (state->begun && view->now - state->decided < config->decision_interval * (1 - 1e-9)) {
		return;
	}
	state->begun = true;
	state->decided = view->now;
	if (state->arrivals > 0) {
		state->input = state->prompt_tokens / state->arrivals;
		state->output = state->output_tokens / state->arrivals;
		state->arrivals = state->prompt_tokens = state->output_tokens = 0;
	}
	count_instances(context, state, view);
	variant *variants = variants_of(context, state);
	size_t count = application_of(context)->type_count;
	/* Requests that no instance has yet: their prompts and what they will make. */
	double demand = (double)view->waiting_at_scheduler * (state->input + state->output);
	double supply = 0;
	double anticipated = 0;
	for (uint32_t type = 0; type < count; type++) {
		analyze(context, state, type, &demand);
		supply += (double)variants[type].active * variants[type].capacity;
		anticipated += (double)variants[type].size * variants[type].capacity;
		variants[type].target = variants[type].size;
	}
	double required = demand / config->up_threshold - anticipated;
	double spare = supply - demand / config->down_boundary;
	if (required > 0) {
		scale_up(variants, count, required);
	} else if (spare > 0) {
		scale_down(variants, count, spare);
	}
	for (uint32_t type = 0; type < count && decision->count < WEIR_MOST_CHANGES; type++) {
		if (variants[type].target != variants[type].size) {
			weir_decide_change(decision, tag, (int32_t)type,
			                   variants[type].target - variants[type].size);
		}
	}
}

const weir_policy_type weir_policy_wva2 = {
    .name = "wva2",
    .summary = "capacity and demand in tokens (llm-d WVA, saturation V2)",
    .needs = WEIR_VIEW_INSTANCES,
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
