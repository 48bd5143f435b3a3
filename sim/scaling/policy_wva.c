#include "scaling/policy_wva.h"

#include <math.h>

#include "scaling/capacity.h"
#include "scaling/replica_window.h"

#define NUMBER(name_, field, default_, maximum_, unit_, doc_)                                      \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_wva_config, field),        \
		.default_text = default_, .maximum = maximum_, .unit = unit_, .doc = doc_                  \
	}

static const weir_key keys[] = {
    NUMBER("kv_threshold", kv_threshold, "0.8", 1, NULL,
           "Share of the KV cache in use from which an instance is saturated."),
    NUMBER("queue_threshold", queue_threshold, "5", 1e9, "tasks",
           "Waiting tasks from which an instance is saturated."),
    NUMBER("kv_spare", kv_spare, "0.1", 1, NULL, "Less spare KV cache than this scales out."),
    NUMBER("queue_spare", queue_spare, "3", 1e9, "tasks", "Less spare queue than this scales out."),
    NUMBER("window", window, "60", 1e6, "s", "The highest values of this time count."),
    NUMBER("decision_interval", decision_interval, "60", 1e7, "s",
           "Time between decisions; the policy's interval is that of its measurements."),
    {.name = "hold_in_transition",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_wva_config, hold_in_transition),
     .default_text = "true",
     .doc = "Whether nothing is decided while an instance of the pool boots; otherwise only the "
            "types that boot are passed over."},
};

const weir_key_table weir_wva_keys = {
    .name = "wva",
    .doc = "Saturation analysis V1 of the llm-d Workload Variant Autoscaler.",
    .size = sizeof(weir_wva_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

typedef struct wva_state {
	double decided; /* s: when it decided last */
	bool begun;
	weir_replica_window window;
} wva_state;

static size_t state_size(const weir_policy_context *context)
{
	return offsetof(wva_state, window) +
	       weir_replica_window_size((size_t)context->scaling->max_total_instances);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)error;
	((wva_state *)state)->window.capacity = (size_t)context->scaling->max_total_instances;
	return WEIR_OK;
}

/* Mean spare room of the instances that are not saturated. */
typedef struct spare {
	int64_t count;
	double kv, queue;
} spare;

static spare measure(const weir_policy_context *context, const weir_replica_window *window)
{
	const weir_wva_config *config = context->parameters;
	const weir_application *application = &context->cluster->applications[context->application];
	spare sum = {0};
	for (size_t i = 0; i < window->count; i++) {
		const weir_replica *replica = &window->replicas[i];
		weir_capacity capacity = weir_capacity_of(application, replica->type);
		double kv = capacity.kv_tokens > 0 ? replica->kv_tokens / (double)capacity.kv_tokens : 1;
		if (kv < config->kv_threshold && replica->queue < config->queue_threshold) {
			sum.count++;
			sum.kv += config->kv_threshold - kv;
			sum.queue += config->queue_threshold - replica->queue;
		}
	}
	if (sum.count > 0) {
		sum.kv /= (double)sum.count;
		sum.queue /= (double)sum.count;
	}
	return sum;
}

/* Whether the load of one, spread over the others, leaves them what is asked for. */
static bool can_shrink(const weir_wva_config *config, const spare *now)
{
	if (now->count < 2) {
		return false;
	}
	double growth = (double)now->count / (double)(now->count - 1);
	double kv = config->kv_threshold - (config->kv_threshold - now->kv) * growth;
	double queue = config->queue_threshold - (config->queue_threshold - now->queue) * growth;
	return kv >= config->kv_spare && queue >= config->queue_spare;
}

static int64_t count_of(const weir_view *view, weir_tag tag, uint32_t type,
                        weir_instance_state state)
{
	int64_t count = 0;
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &view->instances[i];
		count += instance->tag == tag && instance->type == type && instance->state == state;
	}
	return count;
}

/* The cheapest type to add to, or the dearest to take from; -1: none. */
static int32_t choose(const weir_policy_context *context, const weir_view *view, bool up)
{
	const weir_application *application = &context->cluster->applications[context->application];
	weir_tag tag = weir_policy_tag(context);
	int32_t chosen = -1;
	double price = 0;
	for (uint32_t type = 0; type < application->type_count; type++) {
		int64_t active = count_of(view, tag, type, WEIR_INSTANCE_ACTIVE);
		int64_t booting = count_of(view, tag, type, WEIR_INSTANCE_SCALING_UP);
		if (up ? active == 0 || booting > 0 : active < 2) {
			continue;
		}
		double of_type = weir_capacity_price(application, type);
		if (chosen < 0 || (up ? of_type < price : of_type >= price)) {
			chosen = (int32_t)type;
			price = of_type;
		}
	}
	return chosen;
}

static void decide(const weir_policy_context *context, void *memory, const weir_view *view,
                   weir_decision *decision)
{
	wva_state *state = memory;
	const weir_wva_config *config = context->parameters;
	weir_tag tag = weir_policy_tag(context);
	weir_replica_window_sample(&state->window, view, tag, config->window);
	if (state->begun && view->now - state->decided < config->decision_interval * (1 - 1e-9)) {
		return;
	}
	state->begun = true;
	state->decided = view->now;
	bool booting = view->pools[tag].count[WEIR_INSTANCE_SCALING_UP] > 0;
	if (state->window.count == 0 || (booting && config->hold_in_transition)) {
		return;
	}
	spare now = measure(context, &state->window);
	bool up = now.kv < config->kv_spare || now.queue < config->queue_spare;
	if (!up && !can_shrink(config, &now)) {
		return;
	}
	int32_t type = choose(context, view, up);
	if (type >= 0) {
		weir_decide_change(decision, tag, type, up ? 1 : -1);
	}
}

const weir_policy_type weir_policy_wva = {
    .name = "wva",
    .summary = "spare KV cache and queue of its instances (llm-d WVA, saturation V1)",
    .needs = WEIR_VIEW_INSTANCES,
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
