#include "scaling/policy_reactive.h"

#include <math.h>

static weir_status check(weir_keys_reader *reader, const char *path, void *object,
                         weir_error *error)
{
	const weir_reactive_config *config = object;
	if (config->down > config->up) {
		return weir_keys_fail(reader, path, error, "down (%g) must not be above up (%g)",
		                      config->down, config->up);
	}
	return WEIR_OK;
}

static const weir_key keys[] = {
    {.name = "metric",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_reactive_config, metric),
     .default_text = "\"kv\"",
     .choices = weir_policy_metrics,
     .doc =
         "The figure that is compared, the pool's mean per instance: concurrency (requests), kv, "
         "batch, busy (loads, 0 to 1), pending_tokens (prompt tokens that wait), queue (tasks "
         "that wait)."},
    {.name = "up",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_reactive_config, up),
     .default_text = "0.5",
     .minimum = 0,
     .maximum = 1e12,
     .doc = "Above this it grows."},
    {.name = "down",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_reactive_config, down),
     .default_text = "0.25",
     .minimum = 0,
     .maximum = 1e12,
     .doc = "Below this it shrinks; not above up."},
    {.name = "step",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_reactive_config, step),
     .default_text = "1",
     .minimum = 1,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "How many instances it adds or takes away at a time."},
    {.name = "cooldown",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_reactive_config, cooldown),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e7,
     .unit = "s",
     .doc = "After a decision none for so long; with old metrics or late decisions it keeps the "
            "next one from coming before the last one shows."},
};

const weir_key_table weir_reactive_keys = {
    .name = "reactive",
    .doc = "One instance more or less by two thresholds.",
    .size = sizeof(weir_reactive_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check,
};

typedef struct reactive_state {
	double acted; /* when it last asked for something */
} reactive_state;

static size_t state_size(const weir_policy_context *context)
{
	(void)context;
	return sizeof(reactive_state);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)context, (void)error;
	*(reactive_state *)state = (reactive_state){.acted = -INFINITY};
	return WEIR_OK;
}

/* The mean per instance, of a pool where none drains. Without an ACTIVE one it is INFINITY when
 * requests wait, in the pool or for it. */
static double measure(const weir_view *view, weir_tag tag, weir_policy_metric metric)
{
	const weir_view_pool *pool = &view->pools[tag];
	double active = pool->count[WEIR_INSTANCE_ACTIVE];
	if (active == 0) {
		return pool->requests > 0 || view->waiting_at_scheduler > 0 ? INFINITY : 0;
	}
	switch (metric) {
	case WEIR_METRIC_KV:
		return pool->load_kv;
	case WEIR_METRIC_BATCH:
		return pool->load_batch;
	case WEIR_METRIC_BUSY:
		return pool->load_busy;
	default:
		return weir_metric_total(view, tag, metric) / active;
	}
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	const weir_reactive_config *config = context->parameters;
	reactive_state *reactive = state;
	weir_tag tag = weir_policy_tag(context);
	const weir_view_pool *pool = &view->pools[tag];
	if (pool->count[WEIR_INSTANCE_SCALING_UP] > 0 || pool->count[WEIR_INSTANCE_DRAINING] > 0 ||
	    view->now < reactive->acted + config->cooldown) {
		return;
	}
	double value = measure(view, tag, (weir_policy_metric)config->metric);
	int64_t change = 0;
	if (value > config->up) {
		change = config->step;
	} else if (value < config->down) {
		int64_t spare =
		    (int64_t)pool->count[WEIR_INSTANCE_ACTIVE] - context->scaling->min_instances_per_pool;
		change = -(config->step < spare ? config->step : spare > 0 ? spare : 0);
	}
	if (change != 0) {
		reactive->acted = view->now;
		weir_decide_change(decision, tag, WEIR_ANY_TYPE, change);
	}
}

const weir_policy_type weir_policy_reactive = {
    .name = "reactive",
    .summary = "SageServe's rule: memory utilisation above 0.5 one more, below 0.25 one less",
    .needs = WEIR_VIEW_INSTANCES,
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
