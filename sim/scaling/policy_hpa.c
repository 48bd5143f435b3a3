#include "scaling/policy_hpa.h"

#include <math.h>

#define METRIC_KEYS(base, default_metric, default_target)                                          \
	{.name = "metric",                                                                             \
	 .type = WEIR_KEY_CHOICE,                                                                      \
	 .offset = (base) + offsetof(weir_hpa_metric, metric),                                         \
	 .default_text = default_metric,                                                               \
	 .choices = weir_policy_metrics,                                                               \
	 .doc = "The figure that is followed, per instance; docs/metrics.md defines them."},           \
	{                                                                                              \
		.name = "target", .type = WEIR_KEY_NUMBER,                                                 \
		.offset = (base) + offsetof(weir_hpa_metric, target), .default_text = default_target,      \
		.minimum = 0.001, .maximum = 1e9, .unit = "of the metric",                                 \
		.doc = "Wanted mean of the metric over the instances."                                     \
	}

static const weir_key metric_keys[] = {METRIC_KEYS(0, NULL, NULL)};

static const weir_key_table metric_table = {
    .name = "metric",
    .doc = "A metric and its target.",
    .size = sizeof(weir_hpa_metric),
    .keys = metric_keys,
    .key_count = sizeof metric_keys / sizeof metric_keys[0],
};

static const weir_key keys[] = {
    METRIC_KEYS(offsetof(weir_hpa_config, metric), "\"concurrency\"", "10"),
    {.name = "more_metrics",
     .type = WEIR_KEY_LIST,
     .offset = offsetof(weir_hpa_config, more_metrics),
     .table = &metric_table,
     .doc = "Further metrics; the one that asks for most holds."},
    {.name = "min_replicas",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_hpa_config, min_replicas),
     .default_text = "1",
     .minimum = 1,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "Smallest size."},
    {.name = "max_replicas",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_hpa_config, max_replicas),
     .default_text = "100",
     .minimum = 1,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "Largest size. Kubernetes has no default for it; this is that of "
            "scaling.max_total_instances."},
    {.name = "initialization_period",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_hpa_config, initialization_period),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e7,
     .unit = "s",
     .doc = "An instance younger than this counts only when it has been ready for an interval; "
            "Kubernetes does so for CPU alone, for 300 s."},
    {.name = "behavior",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_hpa_config, behavior),
     .table = &weir_hpa_behavior_keys,
     .doc = "How fast the pool follows."},
};

static weir_status check(weir_keys_reader *reader, const char *path, void *object,
                         weir_error *error)
{
	const weir_hpa_config *config = object;
	if (config->min_replicas > config->max_replicas) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "min_replicas"), error,
		                      "is above max_replicas");
	}
	return WEIR_OK;
}

const weir_key_table weir_hpa_keys = {
    .name = "hpa",
    .doc = "Kubernetes' horizontal pod autoscaler.",
    .size = sizeof(weir_hpa_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check,
};

static size_t state_size(const weir_policy_context *context)
{
	const weir_hpa_config *config = context->parameters;
	return weir_hpa_state_size(&config->behavior, context->interval);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)error;
	const weir_hpa_config *config = context->parameters;
	weir_hpa_start(&config->behavior, context->interval, state);
	return WEIR_OK;
}

static bool is_initializing(const weir_hpa_config *config, const weir_view *view,
                            const weir_view_instance *instance)
{
	return instance->created + config->initialization_period > view->now &&
	       view->now < instance->ready_since + view->interval;
}

static weir_hpa_pods group_pods(const weir_hpa_config *config, const weir_view *view, weir_tag tag,
                                weir_policy_metric metric)
{
	weir_hpa_pods pods = {.total = 0};
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &view->instances[i];
		if (instance->tag != tag || instance->state == WEIR_INSTANCE_DRAINING) {
			continue;
		}
		double value = weir_metric_of_instance(instance, metric);
		if (instance->state == WEIR_INSTANCE_SCALING_UP) {
			pods.unready++;
		} else if (isnan(value)) {
			pods.missing++;
		} else if (is_initializing(config, view, instance)) {
			pods.unready++;
		} else {
			pods.ready++;
			pods.total += weir_hpa_milli(value);
		}
	}
	return pods;
}

static void propose(const weir_hpa_config *config, const weir_view *view, weir_tag tag,
                    const weir_hpa_metric *metric, weir_hpa_step_input *input)
{
	weir_hpa_pods pods = group_pods(config, view, tag, (weir_policy_metric)metric->metric);
	int64_t size = 0;
	bool valid = weir_hpa_pods_proposal(&config->behavior, &pods, weir_hpa_milli(metric->target),
	                                    input->current, &size);
	weir_hpa_add(&input->proposals, valid, size);
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	const weir_hpa_config *config = context->parameters;
	weir_tag tag = weir_policy_tag(context);
	weir_hpa_step_input input = {
	    .now = view->now,
	    .current = weir_view_size(&view->pools[tag]),
	    .minimum = config->min_replicas,
	    .maximum = config->max_replicas,
	};
	propose(config, view, tag, &config->metric, &input);
	const weir_hpa_metric *more = config->more_metrics.items;
	for (size_t i = 0; i < config->more_metrics.count; i++) {
		propose(config, view, tag, &more[i], &input);
	}
	int64_t size = weir_hpa_step(&config->behavior, state, &input);
	if (size != input.current) {
		weir_decide_size(decision, tag, size);
	}
}

const weir_policy_type weir_policy_hpa = {
    .name = "hpa",
    .summary = "Kubernetes' horizontal pod autoscaler v2 (kubernetes.io, Horizontal Pod "
               "Autoscaling)",
    .needs = WEIR_VIEW_INSTANCES,
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
