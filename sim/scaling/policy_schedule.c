#include "scaling/policy_schedule.h"

#include <math.h>
#include <stdio.h>

#include "scaling/demand.h"

static const weir_key change_keys[] = {
    {.name = "at",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_schedule_change, at),
     .minimum = 0,
     .maximum = 1e9,
     .unit = "s",
     .doc = "When the pool gets this size; later than the change before, before the period ends."},
    {.name = "size",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_schedule_change, size),
     .minimum = 0,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "Its size from then on."},
};

static const weir_key_table change_table = {
    .name = "change",
    .doc = "A size from a time on.",
    .size = sizeof(weir_schedule_change),
    .keys = change_keys,
    .key_count = sizeof change_keys / sizeof change_keys[0],
};

#define POOL_KEY(name_, tag)                                                                       \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_LIST,                                                      \
		.offset = offsetof(weir_schedule_config, pools) + sizeof(weir_key_list) * (tag),           \
		.table = &change_table,                                                                    \
		.doc = "Changes of the " name_ " pool, in order of time; none: it is left alone."          \
	}

static const weir_key keys[] = {
    {.name = "period",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_schedule_config, period),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e9,
     .unit = "s",
     .doc = "The lists start again after so long; 0: they do not."},
    POOL_KEY("prompt", WEIR_TAG_PROMPT),
    POOL_KEY("token", WEIR_TAG_TOKEN),
    POOL_KEY("mixed", WEIR_TAG_MIXED),
};

static const char *const pool_names[WEIR_TAG_COUNT] = {
    [WEIR_TAG_PROMPT] = "prompt", [WEIR_TAG_TOKEN] = "token", [WEIR_TAG_MIXED] = "mixed"};

enum { MESSAGE_SIZE = 160 };

/* What is wrong with a pool's list, "" when nothing is: the index of the change in *at. */
static void find_fault(const weir_schedule_config *config, weir_tag tag, size_t *at,
                       char message[MESSAGE_SIZE])
{
	const weir_key_list *list = &config->pools[tag];
	const weir_schedule_change *changes = list->items;
	message[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		*at = i;
		if (!(changes[i].at >= 0) || changes[i].size < 0) {
			snprintf(message, MESSAGE_SIZE, "neither time nor size can be below 0");
			return;
		}
		if (i > 0 && changes[i].at <= changes[i - 1].at) {
			snprintf(message, MESSAGE_SIZE, "%g s is not after the change before, at %g s",
			         changes[i].at, changes[i - 1].at);
			return;
		}
		if (config->period > 0 && changes[i].at >= config->period) {
			snprintf(message, MESSAGE_SIZE, "%g s is not before the end of the period, %g s",
			         changes[i].at, config->period);
			return;
		}
	}
}

static weir_status check(weir_keys_reader *reader, const char *path, void *object,
                         weir_error *error)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		size_t at;
		char message[MESSAGE_SIZE];
		find_fault(object, (weir_tag)tag, &at, message);
		if (message[0] != '\0') {
			char where[WEIR_ERROR_WHERE_SIZE];
			snprintf(where, sizeof where, "%s%s%s[%zu].at", path, path[0] != '\0' ? "." : "",
			         pool_names[tag], at);
			return weir_keys_fail(reader, where, error, "%s", message);
		}
	}
	return WEIR_OK;
}

const weir_key_table weir_schedule_keys = {
    .name = "schedule",
    .doc = "Pool sizes by time.",
    .size = sizeof(weir_schedule_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check,
};

int64_t weir_schedule_size(const weir_schedule_config *config, weir_tag tag, double time)
{
	const weir_schedule_change *changes = config->pools[tag].items;
	size_t count = config->pools[tag].count;
	double at = config->period > 0 ? fmod(time, config->period) : time;
	/* `low` changes lie at or before now. */
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (changes[middle].at <= at) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low > 0) {
		return changes[low - 1].size;
	}
	return config->period > 0 && count > 0 ? changes[count - 1].size : -1;
}

/* What a program made has not been through the key table. */
static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	(void)state;
	weir_tag tag = weir_policy_tag(context);
	size_t at;
	char message[MESSAGE_SIZE];
	find_fault(context->parameters, tag, &at, message);
	if (message[0] != '\0') {
		char where[64];
		snprintf(where, sizeof where, "%s[%zu].at", pool_names[tag], at);
		return weir_error_set(error, WEIR_ERROR_INPUT, where, "%s", message);
	}
	return WEIR_OK;
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	(void)state;
	weir_tag tag = weir_policy_tag(context);
	int64_t size = weir_schedule_size(context->parameters, tag, view->now);
	if (size >= 0) {
		weir_decide_pool(context, view, tag, size, decision);
	}
}

const weir_policy_type weir_policy_schedule = {
    .name = "schedule",
    .summary = "pool sizes by time, from a list",
    .interval = 1,
    .start = start,
    .decide = decide,
};
