#include "scaling/hpa_core.h"

#include <assert.h>
#include <math.h>

/* An entry of a ring: proposals of one time (their extremes), or changes of one time (their sum in
 * both). */
typedef struct hpa_entry {
	double time;
	int64_t low, high;
} hpa_entry;

typedef struct hpa_ring {
	size_t offset, capacity; /* in `entries` */
	size_t first, count;
} hpa_ring;

struct weir_hpa_state {
	hpa_ring proposals, ups, downs;
	hpa_entry entries[];
};

static const char *const select_names[] = {"max", "min", "disabled", NULL};
static const char *const limit_names[] = {"pods", "percent", NULL};
static const char *const behavior_names[] = {"rules", "none", NULL};

/* The API allows periods of 1 to 1,800 s and windows of up to 3,600 s. */
static const weir_key limit_keys[] = {
    {.name = "type",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_hpa_limit, kind),
     .choices = limit_names,
     .doc = "Whether value is a number of instances or per cent of those at the start of the "
            "period."},
    {.name = "value",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_hpa_limit, value),
     .minimum = 1,
     .maximum = 1 << 20,
     .doc = "Instances, or per cent, that may come or go within the period."},
    {.name = "period",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_hpa_limit, period),
     .minimum = 1,
     .maximum = 1800,
     .unit = "s",
     .doc = "The period."},
};

static const weir_key_table limit_table = {
    .name = "scaling policy",
    .doc = "How fast a pool may change.",
    .size = sizeof(weir_hpa_limit),
    .keys = limit_keys,
    .key_count = sizeof limit_keys / sizeof limit_keys[0],
};

#define RULES_KEYS(window_, policies_)                                                             \
	{                                                                                              \
		{.name = "stabilization_window",                                                           \
		 .type = WEIR_KEY_NUMBER,                                                                  \
		 .offset = offsetof(weir_hpa_rules, stabilization_window),                                 \
		 .default_text = window_,                                                                  \
		 .minimum = 0,                                                                             \
		 .maximum = 3600,                                                                          \
		 .unit = "s",                                                                              \
		 .doc = "How long recommendations are looked back at: up goes to their minimum, down to "  \
		        "their maximum."},                                                                 \
		    {.name = "select_policy",                                                              \
		     .type = WEIR_KEY_CHOICE,                                                              \
		     .offset = offsetof(weir_hpa_rules, select_policy),                                    \
		     .default_text = "\"max\"",                                                            \
		     .choices = select_names,                                                              \
		     .doc = "Which of the policies holds: that of the largest or of the smallest change; " \
		            "disabled: never in this direction."},                                         \
		    {.name = "policies",                                                                   \
		     .type = WEIR_KEY_LIST,                                                                \
		     .offset = offsetof(weir_hpa_rules, policies),                                         \
		     .default_text = policies_,                                                            \
		     .table = &limit_table,                                                                \
		     .doc = "How fast the pool may change; at least one."},                                \
		{                                                                                          \
			.name = "tolerance", .type = WEIR_KEY_NUMBER,                                          \
			.offset = offsetof(weir_hpa_rules, tolerance), .default_text = "-1", .minimum = -1,    \
			.maximum = 1e6,                                                                        \
			.doc = "Deviation from the target, as a share of it, that is ignored in this "         \
			       "direction; below 0: behavior.tolerance."                                       \
		}                                                                                          \
	}

static const weir_key up_keys[] =
    RULES_KEYS("0", "[{\"type\": \"percent\", \"value\": 100, \"period\": 15},"
                    " {\"type\": \"pods\", \"value\": 4, \"period\": 15}]");
static const weir_key down_keys[] =
    RULES_KEYS("300", "[{\"type\": \"percent\", \"value\": 100, \"period\": 15}]");

static weir_status check_rules(weir_keys_reader *reader, const char *path, void *object,
                               weir_error *error)
{
	const weir_hpa_rules *rules = object;
	if (rules->policies.count == 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "policies"), error,
		                      "needs at least one policy; select_policy \"disabled\" stops all "
		                      "change in this direction");
	}
	return WEIR_OK;
}

#define RULES_TABLE(variable, name_, keys_)                                                        \
	static const weir_key_table variable = {                                                       \
	    .name = name_,                                                                             \
	    .doc = "Rules of one direction.",                                                          \
	    .size = sizeof(weir_hpa_rules),                                                            \
	    .keys = keys_,                                                                             \
	    .key_count = sizeof keys_ / sizeof keys_[0],                                               \
	    .check = check_rules,                                                                      \
	}

RULES_TABLE(up_table, "scale_up", up_keys);
RULES_TABLE(down_table, "scale_down", down_keys);

static const weir_key behavior_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_hpa_behavior, kind),
     .default_text = "\"rules\"",
     .choices = behavior_names,
     .doc = "rules: scale_up and scale_down hold, as in an HPA with a behavior; none: as in one "
            "without, it grows to at most max(2 * size, 4) at a time and shrinks to the largest "
            "recommendation of downscale_stabilization."},
    {.name = "downscale_stabilization",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_hpa_behavior, downscale_stabilization),
     .default_text = "300",
     .minimum = 0,
     .maximum = 3600,
     .only_if = "kind=none",
     .unit = "s",
     .doc = "How long recommendations are looked back at."},
    {.name = "tolerance",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_hpa_behavior, tolerance),
     .default_text = "0.1",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Deviation from the target, as a share of it, that is ignored."},
    {.name = "scale_up",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_hpa_behavior, scale_up),
     .table = &up_table,
     .only_if = "kind=rules",
     .doc = "How the pool grows."},
    {.name = "scale_down",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_hpa_behavior, scale_down),
     .table = &down_table,
     .only_if = "kind=rules",
     .doc = "How the pool shrinks."},
};

const weir_key_table weir_hpa_behavior_keys = {
    .name = "behavior",
    .doc = "How fast a pool follows its metrics.",
    .size = sizeof(weir_hpa_behavior),
    .keys = behavior_keys,
    .key_count = sizeof behavior_keys / sizeof behavior_keys[0],
};

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t weir_hpa_milli(double value)
{
	assert(!isnan(value));
	/* 0.07 * 1000 lies above 70 by its last bit, and is 70. */
	double milli = ceil(value * 1000.0 - 1e-6);
	return (int64_t)fmax(fmin(milli, 1e15), -1e15);
}

static double tolerance_of(const weir_hpa_behavior *behavior, const weir_hpa_rules *rules)
{
	bool own = behavior->kind == WEIR_HPA_RULES && rules->tolerance >= 0;
	return own ? rules->tolerance : behavior->tolerance;
}

static bool within_tolerance(const weir_hpa_behavior *behavior, double ratio)
{
	return ratio >= 1.0 - tolerance_of(behavior, &behavior->scale_down) &&
	       ratio <= 1.0 + tolerance_of(behavior, &behavior->scale_up);
}

/* Sizes are int32 in Kubernetes. */
static int64_t size_of(double value)
{
	return (int64_t)fmin(ceil(value), INT32_MAX);
}

/* The mean is a whole number of thousandths. */
static double usage_ratio(int64_t total, int64_t pods, int64_t target)
{
	int64_t mean = total / pods;
	return (double)mean / (double)target;
}

bool weir_hpa_pods_proposal(const weir_hpa_behavior *behavior, const weir_hpa_pods *pods,
                            int64_t target, int64_t current, int64_t *proposal)
{
	assert(target > 0);
	if (pods->ready == 0) {
		return false;
	}
	double ratio = usage_ratio(pods->total, pods->ready, target);
	bool up_with_unready = pods->unready > 0 && ratio > 1.0;
	*proposal = current;
	if (!up_with_unready && pods->missing == 0) {
		if (!within_tolerance(behavior, ratio)) {
			*proposal = size_of(ratio * (double)pods->ready);
		}
		return true;
	}

	/* What is not known is taken to be such that less changes. */
	int64_t total = pods->total + (ratio < 1.0 ? target * pods->missing : 0);
	int64_t count = pods->ready + pods->missing + (up_with_unready ? pods->unready : 0);
	double new_ratio = usage_ratio(total, count, target);
	bool turned = (ratio < 1.0 && new_ratio > 1.0) || (ratio > 1.0 && new_ratio < 1.0);
	if (within_tolerance(behavior, new_ratio) || turned) {
		return true;
	}
	int64_t size = size_of(new_ratio * (double)count);
	/* Pods that are counted differently from `current` must not turn the direction either. */
	if ((new_ratio < 1.0 && size > current) || (new_ratio > 1.0 && size < current)) {
		return true;
	}
	*proposal = size;
	return true;
}

int64_t weir_hpa_external_proposal(const weir_hpa_behavior *behavior, int64_t total, int64_t target,
                                   int64_t current)
{
	assert(target > 0 && current > 0);
	double ratio = (double)total / ((double)target * (double)current);
	return within_tolerance(behavior, ratio) ? current : size_of((double)total / (double)target);
}

void weir_hpa_add(weir_hpa_proposals *proposals, bool valid, int64_t proposal)
{
	if (!valid) {
		proposals->failed++;
		return;
	}
	proposals->largest = proposals->valid == 0 ? proposal : larger(proposals->largest, proposal);
	proposals->valid++;
}

static hpa_entry *entry_at(weir_hpa_state *state, const hpa_ring *ring, size_t i)
{
	return &state->entries[ring->offset + (ring->first + i) % ring->capacity];
}

/* The entry of `now`, new (low and high 0, *is_new) or the last one. */
static hpa_entry *entry_of_now(weir_hpa_state *state, hpa_ring *ring, double now, bool *is_new)
{
	if (ring->count > 0) {
		hpa_entry *last = entry_at(state, ring, ring->count - 1);
		if (last->time == now) {
			*is_new = false;
			return last;
		}
	}
	if (ring->count == ring->capacity) {
		ring->first = (ring->first + 1) % ring->capacity;
		ring->count--;
	}
	hpa_entry *entry = entry_at(state, ring, ring->count++);
	*entry = (hpa_entry){.time = now};
	*is_new = true;
	return entry;
}

static void record_proposal(weir_hpa_state *state, double now, int64_t size)
{
	bool is_new;
	hpa_entry *entry = entry_of_now(state, &state->proposals, now, &is_new);
	entry->low = is_new ? size : smaller(entry->low, size);
	entry->high = is_new ? size : larger(entry->high, size);
}

static void record_change(weir_hpa_state *state, double now, int64_t from, int64_t to)
{
	bool is_new;
	hpa_ring *ring = to > from ? &state->ups : &state->downs;
	hpa_entry *entry = entry_of_now(state, ring, now, &is_new);
	entry->low += to > from ? to - from : from - to;
}

/* Instances that came or went in the period before `now`. */
static int64_t changed(weir_hpa_state *state, const hpa_ring *ring, double now, double period)
{
	int64_t sum = 0;
	for (size_t i = ring->count; i > 0; i--) {
		const hpa_entry *entry = entry_at(state, ring, i - 1);
		if (!(entry->time > now - period)) {
			break;
		}
		sum += entry->low;
	}
	return sum;
}

static double longest_period(const weir_hpa_behavior *behavior)
{
	double longest = 0;
	const weir_hpa_rules *both[] = {&behavior->scale_up, &behavior->scale_down};
	for (size_t d = 0; d < 2; d++) {
		const weir_hpa_limit *limits = both[d]->policies.items;
		for (size_t i = 0; i < both[d]->policies.count; i++) {
			longest = fmax(longest, limits[i].period);
		}
	}
	return longest;
}

static size_t entries_of(double window, double interval)
{
	assert(interval > 0);
	return (size_t)ceil(window / interval) + 2;
}

static void capacities(const weir_hpa_behavior *behavior, double interval, size_t *proposals,
                       size_t *changes)
{
	bool rules = behavior->kind == WEIR_HPA_RULES;
	double window = rules ? fmax(behavior->scale_up.stabilization_window,
	                             behavior->scale_down.stabilization_window)
	                      : behavior->downscale_stabilization;
	*proposals = entries_of(window, interval);
	*changes = rules ? entries_of(longest_period(behavior), interval) : 0;
}

size_t weir_hpa_state_size(const weir_hpa_behavior *behavior, double interval)
{
	size_t proposals;
	size_t changes;
	capacities(behavior, interval, &proposals, &changes);
	return sizeof(weir_hpa_state) + (proposals + 2 * changes) * sizeof(hpa_entry);
}

void weir_hpa_start(const weir_hpa_behavior *behavior, double interval, weir_hpa_state *state)
{
	size_t proposals;
	size_t changes;
	capacities(behavior, interval, &proposals, &changes);
	state->proposals.capacity = proposals;
	state->ups.offset = proposals;
	state->ups.capacity = changes;
	state->downs.offset = proposals + changes;
	state->downs.capacity = changes;
}

/* Without `behavior`: the largest recommendation of the window, then at most twice the size. */
static int64_t plain_size(const weir_hpa_behavior *behavior, weir_hpa_state *state,
                          const weir_hpa_step_input *input)
{
	int64_t proposal = input->proposals.largest;
	int64_t size = proposal;
	double cutoff = input->now - behavior->downscale_stabilization;
	for (size_t i = 0; i < state->proposals.count; i++) {
		const hpa_entry *entry = entry_at(state, &state->proposals, i);
		if (entry->time >= cutoff) {
			size = larger(size, entry->high);
		}
	}
	record_proposal(state, input->now, proposal);
	int64_t most = smaller(input->maximum, larger(2 * input->current, 4));
	return size < input->minimum ? input->minimum : smaller(size, most);
}

static int64_t stabilised(const weir_hpa_behavior *behavior, weir_hpa_state *state,
                          const weir_hpa_step_input *input)
{
	int64_t proposal = input->proposals.largest;
	int64_t up = proposal;
	int64_t down = proposal;
	double up_cutoff = input->now - behavior->scale_up.stabilization_window;
	double down_cutoff = input->now - behavior->scale_down.stabilization_window;
	for (size_t i = 0; i < state->proposals.count; i++) {
		const hpa_entry *entry = entry_at(state, &state->proposals, i);
		if (entry->time > up_cutoff) {
			up = smaller(up, entry->low);
		}
		if (entry->time > down_cutoff) {
			down = larger(down, entry->high);
		}
	}
	record_proposal(state, input->now, proposal);
	return smaller(larger(input->current, up), down);
}

/* The size that the rules of a direction (+1 or -1) allow. */
static int64_t limit_of(const weir_hpa_rules *rules, weir_hpa_state *state,
                        const weir_hpa_step_input *input, int direction)
{
	if (rules->select_policy == WEIR_HPA_SELECT_DISABLED) {
		return input->current;
	}
	/* The largest change up is the largest size, down the smallest. */
	bool highest = (rules->select_policy == WEIR_HPA_SELECT_MAX) == (direction > 0);
	const weir_hpa_limit *limits = rules->policies.items;
	int64_t result = highest ? INT64_MIN : INT64_MAX;
	for (size_t i = 0; i < rules->policies.count; i++) {
		int64_t start = input->current - changed(state, &state->ups, input->now, limits[i].period) +
		                changed(state, &state->downs, input->now, limits[i].period);
		int64_t size;
		if (limits[i].kind == WEIR_HPA_PODS) {
			size = start + direction * limits[i].value;
		} else if (direction > 0) {
			size = (int64_t)ceil((double)start * (1 + (double)limits[i].value / 100));
		} else {
			size = (int64_t)((double)start * (1 - (double)limits[i].value / 100));
		}
		result = highest ? larger(result, size) : smaller(result, size);
	}
	/* What was changed too much already is not taken back. */
	return direction > 0 ? larger(result, input->current) : smaller(result, input->current);
}

static int64_t ruled_size(const weir_hpa_behavior *behavior, weir_hpa_state *state,
                          const weir_hpa_step_input *input)
{
	int64_t size = stabilised(behavior, state, input);
	if (size > input->current) {
		int64_t limit = limit_of(&behavior->scale_up, state, input, 1);
		return smaller(size, smaller(limit, input->maximum));
	}
	if (size < input->current) {
		int64_t limit = limit_of(&behavior->scale_down, state, input, -1);
		return larger(size, larger(limit, input->minimum));
	}
	return size;
}

int64_t weir_hpa_step(const weir_hpa_behavior *behavior, weir_hpa_state *state,
                      const weir_hpa_step_input *input)
{
	assert(input->minimum >= 1 && input->minimum <= input->maximum);
	if (state->proposals.count == 0) {
		record_proposal(state, input->now, input->current);
	}
	const weir_hpa_proposals *proposals = &input->proposals;
	int64_t size;
	if (input->current == 0) {
		return 0; /* at size 0 an HPA is switched off */
	}
	if (input->current > input->maximum) {
		size = input->maximum;
	} else if (input->current < input->minimum) {
		size = input->minimum;
	} else if (proposals->valid == 0 ||
	           (proposals->failed > 0 && proposals->largest < input->current)) {
		return input->current;
	} else {
		size = behavior->kind == WEIR_HPA_RULES ? ruled_size(behavior, state, input)
		                                        : plain_size(behavior, state, input);
	}
	if (size != input->current && behavior->kind == WEIR_HPA_RULES) {
		record_change(state, input->now, input->current, size);
	}
	return size;
}
