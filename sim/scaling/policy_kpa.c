#include "scaling/policy_kpa.h"

#include <math.h>

#define NUMBER_KEY(name_, default_, minimum_, maximum_, unit_, doc_)                               \
	{                                                                                              \
		.name = #name_, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_kpa_config, name_),       \
		.default_text = default_, .minimum = minimum_, .maximum = maximum_, .unit = unit_,         \
		.doc = doc_                                                                                \
	}

#define COUNT_KEY(name_, default_, minimum_, doc_)                                                 \
	{                                                                                              \
		.name = #name_, .type = WEIR_KEY_INTEGER, .offset = offsetof(weir_kpa_config, name_),      \
		.default_text = default_, .minimum = minimum_, .maximum = 1 << 20, .unit = "instances",    \
		.doc = doc_                                                                                \
	}

/* Knative's own bounds (config-autoscaler): windows of 6 s to 1 h, rates above 1, a target of at
 * least 0.01. */
static const weir_key keys[] = {
    NUMBER_KEY(target, "100", 0.01, 1e9, "requests",
               "Requests at a time that an instance can hold."),
    NUMBER_KEY(target_utilization, "0.7", 0.01, 1, NULL, "Share of target that is aimed at."),
    NUMBER_KEY(stable_window, "60", 6, 3600, "s", "Window of the stable mode."),
    NUMBER_KEY(panic_window_percentage, "10", 1, 100, "%",
               "Window of the panic mode, of stable_window."),
    NUMBER_KEY(panic_threshold_percentage, "200", 110, 1000, "%",
               "Panic sets in when the panic window wants this much of the ready instances."),
    {.name = "max_scale_up_rate",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_kpa_config, max_scale_up_rate),
     .default_text = "1000",
     .minimum = 1,
     .maximum = 1e9,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .doc = "Most that is wanted, as a multiple of the ready instances (rounded up)."},
    {.name = "max_scale_down_rate",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_kpa_config, max_scale_down_rate),
     .default_text = "2",
     .minimum = 1,
     .maximum = 1e9,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .doc = "Least that is wanted: the ready instances divided by this (rounded down)."},
    COUNT_KEY(min_scale, "0", 0, "Smallest size."),
    COUNT_KEY(max_scale, "0", 0, "Largest size; 0: no limit."),
    COUNT_KEY(activation_scale, "1", 1, "Smallest size while there are requests."),
    NUMBER_KEY(scale_down_delay, "0", 0, 3600, "s",
               "A smaller size must have been wanted for this long."),
    {.name = "enable_scale_to_zero",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_kpa_config, enable_scale_to_zero),
     .default_text = "true",
     .doc = "Whether the pool may go to 0; else its last instance stays."},
    NUMBER_KEY(scale_to_zero_grace_period, "30", 0, 1e7, "s",
               "Time that the last instance stays when 0 is wanted."),
    NUMBER_KEY(scale_to_zero_pod_retention_period, "0", 0, 1e7, "s",
               "Least time that the last instance stays when 0 is wanted."),
};

static weir_status check(weir_keys_reader *reader, const char *path, void *object,
                         weir_error *error)
{
	const weir_kpa_config *config = object;
	if (config->max_scale > 0 && config->min_scale > config->max_scale) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "min_scale"), error,
		                      "is above max_scale");
	}
	return WEIR_OK;
}

const weir_key_table weir_kpa_keys = {
    .name = "kpa",
    .doc = "The Knative pod autoscaler.",
    .size = sizeof(weir_kpa_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check,
};

typedef enum kpa_phase { KPA_ACTIVE, KPA_INACTIVE, KPA_ACTIVATING } kpa_phase;

/* What was seen, and what was wanted, at one tick. */
typedef struct kpa_sample {
	double time, concurrency, wanted;
} kpa_sample;

/* The samples of the longest window: ceil(window / interval) + 2 of 24 bytes. */
typedef struct kpa_state {
	bool begun, panics;
	int phase; /* kpa_phase */
	double phase_since;
	double panic_time; /* s: when the threshold was last crossed */
	double panic_size; /* largest wanted in this panic */
	size_t first, count, capacity;
	kpa_sample samples[];
} kpa_state;

static size_t capacity_of(const weir_policy_context *context)
{
	const weir_kpa_config *config = context->parameters;
	double window = fmax(config->stable_window, config->scale_down_delay);
	return (size_t)ceil(window / context->interval) + 2;
}

static size_t state_size(const weir_policy_context *context)
{
	return sizeof(kpa_state) + capacity_of(context) * sizeof(kpa_sample);
}

static weir_status start(const weir_policy_context *context, void *memory, weir_error *error)
{
	(void)error;
	kpa_state *state = memory;
	state->capacity = capacity_of(context);
	return WEIR_OK;
}

static kpa_sample *sample_at(kpa_state *state, size_t i)
{
	return &state->samples[(state->first + i) % state->capacity];
}

/* The sample of `now`; a view that was seen before replaces its own. */
static kpa_sample *sample_of_now(kpa_state *state, double now)
{
	if (state->count > 0 && sample_at(state, state->count - 1)->time == now) {
		return sample_at(state, state->count - 1);
	}
	if (state->count == state->capacity) {
		state->first = (state->first + 1) % state->capacity;
		state->count--;
	}
	kpa_sample *sample = sample_at(state, state->count++);
	sample->time = now;
	return sample;
}

static double window_mean(kpa_state *state, double now, double window)
{
	double sum = 0;
	size_t held = 0;
	for (size_t i = state->count; i > 0; i--) {
		const kpa_sample *sample = sample_at(state, i - 1);
		if (!(sample->time > now - window)) {
			break;
		}
		sum += sample->concurrency;
		held++;
	}
	return sum / (double)held;
}

/* Largest wanted size of the delay window. */
static double delayed(kpa_state *state, double now, double window)
{
	double size = 0;
	for (size_t i = state->count; i > 0; i--) {
		const kpa_sample *sample = sample_at(state, i - 1);
		if (i < state->count && !(sample->time > now - window)) {
			break;
		}
		size = fmax(size, sample->wanted);
	}
	return size;
}

/* Sets in, goes on or ends. */
static void update_panic(const weir_kpa_config *config, kpa_state *state, double now, bool over)
{
	if (over) {
		state->panics = true;
		state->panic_time = now;
	} else if (state->panics && state->panic_time + config->stable_window < now) {
		state->panics = false;
		state->panic_size = 0;
	}
}

/* The size that the windows want. */
static double wanted_size(const weir_kpa_config *config, kpa_state *state, double now,
                          uint32_t ready_now)
{
	double ready = fmax(1, ready_now);
	double target = config->target * config->target_utilization;
	double stable = window_mean(state, now, config->stable_window);
	double panic =
	    window_mean(state, now, config->stable_window * config->panic_window_percentage / 100);
	double raw_stable = ceil(stable / target);
	double raw_panic = ceil(panic / target);
	double most = ceil(config->max_scale_up_rate * ready);
	double least = floor(ready / config->max_scale_down_rate);
	double stable_size = fmin(fmax(raw_stable, least), most);
	double panic_size = fmin(fmax(raw_panic, least), most);
	double activation = (double)config->activation_scale;
	if (config->activation_scale > 1 && raw_stable > 0) {
		stable_size = fmax(stable_size, activation);
	}
	if (config->activation_scale > 1 && raw_panic > 0) {
		panic_size = fmax(panic_size, activation);
	}
	update_panic(config, state, now, raw_panic / ready >= config->panic_threshold_percentage / 100);
	if (!state->panics) {
		return stable_size;
	}
	state->panic_size = fmax(state->panic_size, fmax(stable_size, panic_size));
	return state->panic_size;
}

static void enter(kpa_state *state, kpa_phase phase, double now)
{
	if (state->phase != (int)phase) {
		state->phase = (int)phase;
		state->phase_since = now;
	}
}

/* What becomes of a wanted size: the way to zero takes its time. */
static int64_t applied_size(const weir_kpa_config *config, kpa_state *state, double now,
                            int64_t wanted, int64_t current, uint32_t ready)
{
	if (wanted > 0) {
		enter(state, ready > 0 ? KPA_ACTIVE : KPA_ACTIVATING, now);
		return wanted;
	}
	if (!config->enable_scale_to_zero) {
		return 1;
	}
	if (state->phase == KPA_ACTIVATING) {
		if (ready == 0) {
			return current;
		}
		enter(state, KPA_ACTIVE, now);
	}
	if (state->phase == KPA_ACTIVE) {
		if (now - state->phase_since < config->stable_window) {
			return 1;
		}
		enter(state, KPA_INACTIVE, now);
	}
	double wait =
	    fmax(config->scale_to_zero_grace_period, config->scale_to_zero_pod_retention_period);
	return now - state->phase_since >= wait ? 0 : current;
}

static void decide(const weir_policy_context *context, void *memory, const weir_view *view,
                   weir_decision *decision)
{
	const weir_kpa_config *config = context->parameters;
	kpa_state *state = memory;
	weir_tag tag = weir_policy_tag(context);
	const weir_view_pool *pool = &view->pools[tag];
	uint32_t ready = pool->count[WEIR_INSTANCE_ACTIVE];
	int64_t current = weir_view_size(pool);
	double now = view->now;
	if (!state->begun) {
		state->begun = true;
		state->phase = current > 0 ? KPA_ACTIVE : KPA_INACTIVE;
		state->phase_since = now;
		/* Without a history the size of before is the best guess. */
		state->panics = ready > 1;
		state->panic_time = now;
		state->panic_size = ready;
	}
	kpa_sample *sample = sample_of_now(state, now);
	sample->concurrency =
	    weir_metric_total(view, tag, WEIR_METRIC_CONCURRENCY) + (double)view->waiting_at_scheduler;
	sample->wanted = wanted_size(config, state, now, ready);
	double wanted = delayed(state, now, config->scale_down_delay);
	wanted = fmax(wanted, (double)config->min_scale);
	if (config->max_scale > 0) {
		wanted = fmin(wanted, (double)config->max_scale);
	}
	int64_t size =
	    applied_size(config, state, now, (int64_t)fmin(wanted, INT32_MAX), current, ready);
	if (size != current) {
		weir_decide_size(decision, tag, size);
	}
}

const weir_policy_type weir_policy_kpa = {
    .name = "kpa",
    .summary = "Knative's pod autoscaler with stable and panic windows (knative.dev, Autoscaling)",
    .interval = 2,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
