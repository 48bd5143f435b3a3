#include "rl/scaling_task.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

const char *const weir_scaling_modes[] = {"joint", "prompt", "token", NULL};
const char *const weir_scaling_action_kinds[] = {"continuous", "discrete", "demand", "residual",
                                                 NULL};

static const weir_key features_keys[] = {
#define GROUP_KEY(name_, default_, doc_)                                                           \
	{.name = #name_,                                                                               \
	 .type = WEIR_KEY_BOOL,                                                                        \
	 .offset = offsetof(weir_scaling_features_config, name_),                                      \
	 .default_text = #default_,                                                                    \
	 .doc = (doc_)},
    WEIR_FEATURE_GROUPS(GROUP_KEY)
#undef GROUP_KEY
        {.name = "network_gb_per_s",
         .type = WEIR_KEY_NUMBER,
         .offset = offsetof(weir_scaling_features_config, network_gb_per_s),
         .default_text = "200",
         .minimum = 0,
         .maximum = 1e9,
         .flags = WEIR_KEY_ABOVE_MINIMUM,
         .unit = "GB/s",
         .doc = "Of a server: what moved KV caches are measured by. A GB is 1e9 bytes."},
    {.name = "day",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_features_config, day),
     .default_text = "86400",
     .minimum = 0,
     .maximum = 1e12,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s",
     .doc = "How long a day is: what the group time repeats after."},
};

const weir_key_table weir_scaling_features_keys = {
    .name = "features",
    .doc = "What an agent that scales sees beside the basic features.",
    .size = sizeof(weir_scaling_features_config),
    .keys = features_keys,
    .key_count = sizeof features_keys / sizeof features_keys[0],
};

/* What `step` says until it is known which of its forms it has. */
static weir_status read_step(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, void *field, weir_error *error)
{
	int64_t *step = field; /* 0: adaptive */
	if (cJSON_IsString(json) && strcmp(json->valuestring, "adaptive") == 0) {
		*step = 0;
		return WEIR_OK;
	}
	double value = cJSON_IsNumber(json) ? json->valuedouble : 0;
	if (!(value >= 1 && value <= WEIR_MOST_STEP) || value != (double)(int64_t)value) {
		char got[128];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	*step = (int64_t)value;
	return WEIR_OK;
}

#define RATE_KEY(name_, tag)                                                                       \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_NUMBER, .offset = sizeof(double) * (tag),                  \
		.default_text = "0", .minimum = 0, .maximum = 1e9, .unit = "1/s",                          \
		.doc = "Requests per second that one " name_                                               \
		       " instance carries; 0: worked out of its execution times and its memory."           \
	}

static const weir_key rate_keys[] = {
    RATE_KEY("prompt", WEIR_TAG_PROMPT),
    RATE_KEY("token", WEIR_TAG_TOKEN),
    RATE_KEY("mixed", WEIR_TAG_MIXED),
};

static const weir_key_table rate_table = {
    .name = "instance_rate",
    .doc = "What one instance of a pool carries.",
    .size = sizeof(double) * WEIR_TAG_COUNT,
    .keys = rate_keys,
    .key_count = sizeof rate_keys / sizeof rate_keys[0],
};

static const weir_key action_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_scaling_action_config, kind),
     .default_text = "\"continuous\"",
     .choices = weir_scaling_action_kinds,
     .doc = "continuous: a number from -1 to 1 for each pool, a change of its size. discrete: a "
            "choice of the change. demand: a number from -1 to 1 for each pool, its size relative "
            "to what the arrivals ask for. residual: the same, relative to what a rule wants."},
    {.name = "dead_zone",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_action_config, dead_zone),
     .default_text = "0.3",
     .minimum = 0,
     .maximum = 1,
     .flags = WEIR_KEY_BELOW_MAXIMUM,
     .only_if = "kind=continuous",
     .doc = "Numbers of this size and smaller change nothing; 0: none do, but what rounds to 0."},
    {.name = "step",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_scaling_action_config, step),
     .default_text = "5",
     .read = read_step,
     .forms = "a whole number from 1 to 1000, or \"adaptive\"",
     .only_if = "kind=continuous,discrete",
     .unit = "instances",
     .doc = "Largest change of a pool by one decision. adaptive: `share` of the pool's size."},
    {.name = "share",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_action_config, share),
     .default_text = "0.25",
     .minimum = 0,
     .maximum = 10,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=continuous",
     .doc = "Of an adaptive step: largest change as a share of the pool's size, and at least one "
            "instance."},
    {.name = "migrate_step",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_scaling_action_config, migrate_step),
     .default_text = "3",
     .minimum = 0,
     .maximum = WEIR_MOST_STEP,
     .only_if = "kind=continuous,discrete",
     .unit = "instances",
     .doc = "Most instances that one decision moves between the pools; 0: none, and the action has "
            "no dimension for it."},
    {.name = "range",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_action_config, range),
     .default_text = "2",
     .minimum = 1,
     .maximum = 1000,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=demand,residual",
     .doc = "A size is the demand, or what the rule wants, times this to the power of the action."},
    {.name = "tolerance",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_action_config, tolerance),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1,
     .only_if = "kind=demand,residual",
     .doc = "A size that is this share of itself or less from the wanted one stays."},
    {.name = "smoothing",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_scaling_action_config, smoothing),
     .default_text = "3",
     .minimum = 1,
     .maximum = WEIR_MOST_SMOOTHING,
     .doc = "Of the demand: the mean of the arrivals of so many intervals."},
    {.name = "instance_rate",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_scaling_action_config, instance_rate),
     .table = &rate_table,
     .doc = "Of the demand: what one instance of a pool carries."},
    {.name = "rule",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_scaling_action_config, rule),
     .read = weir_scaling_rule_read,
     .flags = WEIR_KEY_REQUIRED,
     .forms = "a list of at least one policy, as the key policies of a config has them",
     .only_if = "kind=residual",
     .doc = "The autoscalers whose sizes the agent corrects; without application and interval. One "
            "with a tolerance should have it at 0: it would take the agent's corrections for its "
            "own sizes."},
    {.name = "rule_interval",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_action_config, rule_interval),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e6,
     .only_if = "kind=residual",
     .unit = "s",
     .doc = "How often the rule is asked, the agent's last correction applied to what it wants; 0: "
            "at every decision. decision_interval is a multiple of it."},
};

static weir_status check_action(weir_keys_reader *reader, const char *path, void *object,
                                weir_error *error)
{
	weir_scaling_action_config *action = object;
	action->adaptive =
	    (action->kind == WEIR_ACTION_CONTINUOUS || action->kind == WEIR_ACTION_DISCRETE) &&
	    action->step == 0;
	if (action->adaptive && action->kind == WEIR_ACTION_DISCRETE) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "step"), error,
		                      "an adaptive step has no fixed choices: expected a whole number "
		                      "with kind discrete");
	}
	return WEIR_OK;
}

const weir_key_table weir_scaling_action_keys = {
    .name = "action",
    .doc = "What the actions of an agent that scales mean.",
    .size = sizeof(weir_scaling_action_config),
    .keys = action_keys,
    .key_count = sizeof action_keys / sizeof action_keys[0],
    .check = check_action,
};

weir_status weir_scaling_task_check(weir_keys_reader *reader, const char *path,
                                    const weir_scaling_task *task, weir_error *error)
{
	double ticks =
	    task->action.rule_interval > 0 ? task->decision_interval / task->action.rule_interval : 1;
	if (ticks < 1 || fabs(ticks - round(ticks)) > 1e-9 * ticks) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "decision_interval"), error,
		                      "%g s is no multiple of action.rule_interval, %g s",
		                      task->decision_interval, task->action.rule_interval);
	}
	return WEIR_OK;
}

static weir_status check_task(weir_keys_reader *reader, const char *path, void *object,
                              weir_error *error)
{
	return weir_scaling_task_check(reader, path, object, error);
}

typedef struct task_object {
	weir_scaling_task task;
} task_object;

static const weir_key task_keys[] = {WEIR_SCALING_TASK_KEYS(task_object, task)};

const weir_key_table weir_scaling_task_keys = {
    .name = "task",
    .doc = "What an agent that scales is asked to do.",
    .size = sizeof(weir_scaling_task),
    .keys = task_keys,
    .key_count = sizeof task_keys / sizeof task_keys[0],
    .check = check_task,
};

weir_status weir_scaling_task_parse(const char *text, const char *name, weir_arena *arena,
                                    weir_scaling_task *task, weir_error *error)
{
	cJSON *json = NULL;
	weir_status status = weir_json_parse(name, text, strlen(text), &json, error);
	if (status == WEIR_OK) {
		weir_keys_reader reader = {.arena = arena, .file = name};
		status = weir_keys_read(&reader, &weir_scaling_task_keys, json, "", task, error);
	}
	cJSON_Delete(json);
	return status;
}

/* --- printing: the tables, read backwards ----------------------------------------------------- */

static cJSON *print_object(const weir_key_table *table, const void *object);

/* The choice of the sibling that only_if ("kind=a,b") names. */
static const char *sibling_choice(const weir_key_table *table, const weir_key *key,
                                  const char *object)
{
	size_t length = strcspn(key->only_if, "=");
	const weir_key *sibling = table->keys;
	while (strlen(sibling->name) != length || strncmp(sibling->name, key->only_if, length) != 0) {
		sibling++;
		assert(sibling < table->keys + table->key_count); /* it names one */
	}
	int chosen;
	memcpy(&chosen, object + sibling->offset, sizeof chosen);
	return sibling->choices[chosen];
}

static bool applies(const weir_key_table *table, const weir_key *key, const char *object)
{
	if (key->only_if == NULL) {
		return true;
	}
	const char *chosen = sibling_choice(table, key, object);
	const char *allowed = strchr(key->only_if, '=') + 1;
	for (;;) {
		size_t length = strcspn(allowed, ",");
		if (strlen(chosen) == length && strncmp(chosen, allowed, length) == 0) {
			return true;
		}
		if (allowed[length] == '\0') {
			return false;
		}
		allowed += length + 1;
	}
}

static cJSON *print_custom(const weir_key *key, const char *field)
{
	if (key->read == weir_reward_read) {
		weir_reward reward;
		memcpy(&reward, field, sizeof reward);
		return print_object(reward.type->keys, reward.parameters);
	}
	if (key->read == weir_scaling_rule_read) {
		weir_scaling_rule rule;
		memcpy(&rule, field, sizeof rule);
		return cJSON_Parse(rule.text);
	}
	assert(key->read == read_step);
	int64_t step;
	memcpy(&step, field, sizeof step);
	return step == 0 ? cJSON_CreateString("adaptive") : cJSON_CreateNumber((double)step);
}

static cJSON *print_value(const weir_key *key, const char *field)
{
	union {
		bool boolean;
		int64_t integer;
		double number;
		const char *string;
		int choice;
	} value;
	switch (key->type) {
	case WEIR_KEY_BOOL:
		memcpy(&value.boolean, field, sizeof value.boolean);
		return cJSON_CreateBool(value.boolean);
	case WEIR_KEY_INTEGER:
		memcpy(&value.integer, field, sizeof value.integer);
		return cJSON_CreateNumber((double)value.integer);
	case WEIR_KEY_NUMBER:
		memcpy(&value.number, field, sizeof value.number);
		return cJSON_CreateNumber(value.number);
	case WEIR_KEY_STRING:
		memcpy(&value.string, field, sizeof value.string);
		return cJSON_CreateString(value.string);
	case WEIR_KEY_CHOICE:
		memcpy(&value.choice, field, sizeof value.choice);
		return cJSON_CreateString(key->choices[value.choice]);
	case WEIR_KEY_OBJECT:
		return print_object(key->table, field);
	default:
		assert(key->type == WEIR_KEY_CUSTOM);
		return print_custom(key, field);
	}
}

static cJSON *print_object(const weir_key_table *table, const void *object)
{
	cJSON *json = cJSON_CreateObject();
	for (size_t i = 0; i < table->key_count; i++) {
		const weir_key *key = &table->keys[i];
		if (applies(table, key, object)) {
			cJSON *value = print_value(key, (const char *)object + key->offset);
			if (value == NULL || !cJSON_AddItemToObject(json, key->name, value)) {
				cJSON_Delete(value);
				cJSON_Delete(json);
				return NULL;
			}
		}
	}
	return json;
}

char *weir_scaling_task_print(const weir_scaling_task *task, weir_arena *arena)
{
	cJSON *json = print_object(&weir_scaling_task_keys, task);
	char *text = json != NULL ? weir_json_print(json) : NULL;
	char *kept = text != NULL ? weir_arena_string(arena, text) : NULL;
	free(text);
	cJSON_Delete(json);
	return kept;
}

bool weir_scaling_task_has(const weir_scaling_task *task, weir_tag tag)
{
	return tag == WEIR_TAG_MIXED || task->mode == WEIR_SCALING_JOINT ||
	       (task->mode == WEIR_SCALING_PROMPT) == (tag == WEIR_TAG_PROMPT);
}
