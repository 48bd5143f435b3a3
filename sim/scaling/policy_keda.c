#include "scaling/policy_keda.h"

#define COUNT_KEY(name_, field_, default_, minimum_, doc_)                                         \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_INTEGER, .offset = offsetof(weir_keda_config, field_),     \
		.default_text = default_, .minimum = minimum_, .maximum = 1 << 20, .unit = "instances",    \
		.doc = doc_                                                                                \
	}

#define TIME_KEY(name_, field_, default_, doc_)                                                    \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_keda_config, field_),      \
		.default_text = default_, .minimum = 0, .maximum = 1e7, .unit = "s", .doc = doc_           \
	}

static const weir_key keys[] = {
    {.name = "metric",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_keda_config, metric),
     .default_text = "\"concurrency\"",
     .choices = weir_policy_metrics,
     .doc = "The figure whose total over the pool is followed; docs/metrics.md defines them. "
            "Requests that wait at the scheduler belong to concurrency and queue."},
    {.name = "target",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_keda_config, target),
     .default_text = "10",
     .minimum = 0.001,
     .maximum = 1e9,
     .unit = "of the metric",
     .doc = "How much of the total one instance should carry."},
    {.name = "activation_threshold",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_keda_config, activation_threshold),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e12,
     .unit = "of the metric",
     .doc = "A total above this is activity; so is any request that waits at the scheduler."},
    TIME_KEY("polling_interval", polling_interval, "30", "How often activity is looked for."),
    TIME_KEY("cooldown_period", cooldown_period, "300",
             "Time without activity after which the pool goes to 0, or to idle_replica_count."),
    TIME_KEY("initial_cooldown_period", initial_cooldown_period, "0",
             "The same time for a pool that was never active, from the start of the run."),
    COUNT_KEY("min_replica_count", min_replica_count, "0", 0,
              "Smallest size; 0 for scale to zero."),
    COUNT_KEY("max_replica_count", max_replica_count, "100", 1, "Largest size."),
    COUNT_KEY(
        "idle_replica_count", idle_replica_count, "-1", -1,
        "Size without activity, below min_replica_count, which then holds only while there is "
        "activity; KEDA allows 0 alone. -1: none."),
    {.name = "behavior",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_keda_config, behavior),
     .table = &weir_hpa_behavior_keys,
     .doc = "How fast the HPA follows."},
};

static weir_status check(weir_keys_reader *reader, const char *path, void *object,
                         weir_error *error)
{
	const weir_keda_config *config = object;
	if (config->min_replica_count > config->max_replica_count) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "min_replica_count"), error,
		                      "is above max_replica_count");
	}
	if (config->idle_replica_count > 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "idle_replica_count"), error,
		                      "must be 0, or -1 for none");
	}
	if (config->idle_replica_count == 0 && config->min_replica_count == 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "idle_replica_count"), error,
		                      "must be below min_replica_count");
	}
	return WEIR_OK;
}

const weir_key_table weir_keda_keys = {
    .name = "keda",
    .doc = "KEDA: activity takes a pool from and to zero, an HPA does the rest.",
    .size = sizeof(weir_keda_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check,
};

/* The HPA's state follows it. */
typedef struct keda_state {
	bool begun, was_active;
	double created;     /* s: the first look */
	double last_poll;   /* s */
	double last_active; /* s, when it was_active */
} keda_state;

static weir_hpa_state *hpa_state(keda_state *state)
{
	return (void *)(state + 1);
}

static size_t state_size(const weir_policy_context *context)
{
	const weir_keda_config *config = context->parameters;
	return sizeof(keda_state) + weir_hpa_state_size(&config->behavior, context->interval);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)error;
	const weir_keda_config *config = context->parameters;
	weir_hpa_start(&config->behavior, context->interval, hpa_state(state));
	return WEIR_OK;
}

static double total_of(const weir_keda_config *config, const weir_view *view, weir_tag tag)
{
	weir_policy_metric metric = (weir_policy_metric)config->metric;
	double total = weir_metric_total(view, tag, metric);
	if (metric == WEIR_METRIC_CONCURRENCY || metric == WEIR_METRIC_QUEUE) {
		total += (double)view->waiting_at_scheduler;
	}
	return total;
}

static bool has_cooled_down(const weir_keda_config *config, const keda_state *state, double now)
{
	return state->was_active ? state->last_active + config->cooldown_period < now
	                         : state->created + config->initial_cooldown_period < now;
}

/* The operator's wanted size. */
static int64_t poll(const weir_keda_config *config, keda_state *state, double now, bool active,
                    int64_t size)
{
	bool idles = config->idle_replica_count >= 0;
	int64_t least = config->min_replica_count;
	if (active) {
		state->was_active = true;
		state->last_active = now;
		/* Above 0 the HPA itself sees to the minimum. */
		if (size > 0) {
			return size;
		}
		return least > 0 ? least : 1;
	}
	if ((idles && size > config->idle_replica_count) || (size > 0 && least == 0)) {
		return has_cooled_down(config, state, now) ? 0 : size;
	}
	return !idles && size < least ? least : size;
}

static void decide(const weir_policy_context *context, void *memory, const weir_view *view,
                   weir_decision *decision)
{
	const weir_keda_config *config = context->parameters;
	keda_state *state = memory;
	weir_tag tag = weir_policy_tag(context);
	int64_t current = weir_view_size(&view->pools[tag]);
	double total = total_of(config, view, tag);
	bool is_due = !state->begun || view->now >= state->last_poll + config->polling_interval;
	if (!state->begun) {
		state->begun = true;
		state->created = view->now;
	}
	if (is_due) {
		state->last_poll = view->now;
		bool active = total > config->activation_threshold || view->waiting_at_scheduler > 0;
		int64_t size = poll(config, state, view->now, active, current);
		if (size != current) {
			weir_decide_size(decision, tag, size);
			return;
		}
	}
	weir_hpa_step_input input = {
	    .now = view->now,
	    .current = current,
	    .minimum = config->min_replica_count > 0 ? config->min_replica_count : 1,
	    .maximum = config->max_replica_count,
	};
	if (current > 0) {
		weir_hpa_add(&input.proposals, true,
		             weir_hpa_external_proposal(&config->behavior, weir_hpa_milli(total),
		                                        weir_hpa_milli(config->target), current));
	}
	int64_t size = weir_hpa_step(&config->behavior, hpa_state(state), &input);
	if (size != current) {
		weir_decide_size(decision, tag, size);
	}
}

const weir_policy_type weir_policy_keda = {
    .name = "keda",
    .summary = "KEDA: scale to and from zero by activity, an HPA in between (keda.sh, Scaling "
               "Deployments)",
    .needs = WEIR_VIEW_INSTANCES,
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
