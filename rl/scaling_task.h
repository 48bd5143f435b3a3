/*
 * What an agent that scales is asked to do: what it sees, what its actions mean, what it is
 * rewarded for. The same in training and in a run; nothing in it is of one world alone (configs,
 * files).
 */
#ifndef WEIR_RL_SCALING_TASK_H
#define WEIR_RL_SCALING_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "base/memory.h"
#include "rl/reward.h"
#include "rl/scaling_rule.h"
#include "serving/serving.h"

WEIR_BEGIN_C

typedef enum weir_scaling_mode {
	WEIR_SCALING_JOINT, /* one agent acts on all pools */
	WEIR_SCALING_PROMPT,
	WEIR_SCALING_TOKEN /* one agent acts on that pool alone */
} weir_scaling_mode;

/* "joint", "prompt", "token"; NULL-terminated. */
WEIR_API extern const char *const weir_scaling_modes[];

/* Which groups of features are seen beside the basic ones; X(name, default, doc) */
#define WEIR_FEATURE_GROUPS(X)                                                                     \
	X(scaling, true,                                                                               \
	  "Instances that boot and that drain, by pool, and how soon the next one is ready.")          \
	X(last_action, true, "The action before.")                                                     \
	X(rps_delta, false, "How the arrival rate changed since the interval before.")                 \
	X(busy, false, "Share of time in which instances had a batch, by list.")                       \
	X(billing, false, "Instances paid for.")                                                       \
	X(time, false, "The time of the day.")                                                         \
	X(blocked, false, "How often the scheduler found no instance to place a request on.")          \
	X(demand, false,                                                                               \
	  "Instances that the arrival rate asks for, by pool, as actions of kind demand have it; "     \
	  "of kind residual those that the rule wants.")

typedef struct weir_scaling_features_config {
#define WEIR_FEATURE_GROUP_FIELD(name, default_, doc) bool name;
	WEIR_FEATURE_GROUPS(WEIR_FEATURE_GROUP_FIELD)
#undef WEIR_FEATURE_GROUP_FIELD
	double network_gb_per_s; /* of a server, GB = 1e9 bytes: what KV transfers are measured by */
	double day;              /* s: what the time of the day repeats after */
} weir_scaling_features_config;

typedef enum weir_scaling_action_kind {
	WEIR_ACTION_CONTINUOUS, /* changes of the sizes, by real numbers */
	WEIR_ACTION_DISCRETE,   /* changes of the sizes, by choices */
	WEIR_ACTION_DEMAND,     /* sizes, relative to what the arrivals ask for */
	WEIR_ACTION_RESIDUAL    /* sizes, relative to what a rule wants */
} weir_scaling_action_kind;

/* "continuous", "discrete", "demand", "residual"; NULL-terminated. */
WEIR_API extern const char *const weir_scaling_action_kinds[];

typedef struct weir_scaling_action_config {
	int kind; /* weir_scaling_action_kind */
	double dead_zone;
	bool adaptive;        /* step: a share of the pool */
	int64_t step;         /* instances, unless adaptive */
	double share;         /* of the pool, where adaptive */
	int64_t migrate_step; /* instances; 0: no migration, and no dimension for it */
	double range;         /* of kinds demand and residual: factor at the ends, above 1 */
	double tolerance;     /* of these kinds: smaller changes are not made, as a share of the size */
	int64_t smoothing;    /* intervals whose arrivals are averaged */
	/* requests/s that one instance of a pool carries; 0: worked out of its execution times */
	double instance_rate[WEIR_TAG_COUNT];
	weir_scaling_rule rule; /* of kind residual, as the next one */
	double rule_interval;   /* s between its sizes; 0: decision_interval, else a whole part of it */
} weir_scaling_action_config;

enum {
	WEIR_MOST_STACK = 64,
	WEIR_MOST_STEP = 1000,
	WEIR_MOST_SMOOTHING = 256,
	WEIR_SCALING_DIMENSIONS = 3 /* most of an action: prompt, token, migrate */
};

typedef struct weir_scaling_task {
	int mode;                 /* weir_scaling_mode */
	const char *application;  /* "": the only or first one */
	double decision_interval; /* s */
	int64_t stack_size;       /* snapshots in an observation */
	weir_scaling_features_config features;
	weir_scaling_action_config action;
	weir_reward reward;
} weir_scaling_task;

/* Tables of its parts, and of the whole: of a weir_scaling_task alone. */
WEIR_API extern const weir_key_table weir_scaling_features_keys;
WEIR_API extern const weir_key_table weir_scaling_action_keys;
WEIR_API extern const weir_key_table weir_scaling_task_keys;

/* Checks between the keys of a task: for the `check` of a table that has them. */
WEIR_API weir_status weir_scaling_task_check(weir_keys_reader *reader, const char *path,
                                             const weir_scaling_task *task, weir_error *error);

/* The keys of a weir_scaling_task, field `field_` of `type_`. */
#define WEIR_SCALING_TASK_KEYS(type_, field_)                                                      \
	{.name = "mode",                                                                               \
	 .type = WEIR_KEY_CHOICE,                                                                      \
	 .offset = offsetof(type_, field_.mode),                                                       \
	 .default_text = "\"joint\"",                                                                  \
	 .choices = weir_scaling_modes,                                                                \
	 .doc = "joint: the agent acts on all pools. prompt, token: on that one alone; what the "      \
	        "config's own policies do to the other goes on."},                                     \
	    {.name = "application",                                                                    \
	     .type = WEIR_KEY_STRING,                                                                  \
	     .offset = offsetof(type_, field_.application),                                            \
	     .default_text = "\"\"",                                                                   \
	     .doc = "Name of the application that it scales; \"\": the only or first one."},           \
	    {.name = "decision_interval",                                                              \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(type_, field_.decision_interval),                                      \
	     .default_text = "10",                                                                     \
	     .minimum = 0,                                                                             \
	     .maximum = 1e6,                                                                           \
	     .flags = WEIR_KEY_ABOVE_MINIMUM,                                                          \
	     .unit = "s",                                                                              \
	     .doc = "Time between decisions."},                                                        \
	    {.name = "stack_size",                                                                     \
	     .type = WEIR_KEY_INTEGER,                                                                 \
	     .offset = offsetof(type_, field_.stack_size),                                             \
	     .default_text = "4",                                                                      \
	     .minimum = 1,                                                                             \
	     .maximum = WEIR_MOST_STACK,                                                               \
	     .doc = "Snapshots that are seen at once, the last ones, oldest first; zeros before "      \
	            "the first."},                                                                     \
	    {.name = "features",                                                                       \
	     .type = WEIR_KEY_OBJECT,                                                                  \
	     .offset = offsetof(type_, field_.features),                                               \
	     .table = &weir_scaling_features_keys,                                                     \
	     .doc = "What is seen."},                                                                  \
	    {.name = "action",                                                                         \
	     .type = WEIR_KEY_OBJECT,                                                                  \
	     .offset = offsetof(type_, field_.action),                                                 \
	     .table = &weir_scaling_action_keys,                                                       \
	     .doc = "What actions mean."},                                                             \
	{                                                                                              \
		.name = "reward", .type = WEIR_KEY_CUSTOM, .offset = offsetof(type_, field_.reward),       \
		.default_text = "{}", .read = weir_reward_read, .forms = "an object {\"kind\": ..., ...}", \
		.doc = "What is rewarded."                                                                 \
	}

/* Reads a task from JSON text; `name` of what errors call it. Strings and the reward's parameters
 * are of `arena`. */
WEIR_API weir_status weir_scaling_task_parse(const char *text, const char *name, weir_arena *arena,
                                             weir_scaling_task *task, weir_error *error);

/* The task as JSON with nothing left open, which weir_scaling_task_parse reads to the same task. In
 * `arena`; NULL when memory is out. */
WEIR_API char *weir_scaling_task_print(const weir_scaling_task *task, weir_arena *arena);

/* Whether pool `tag` is one that the agent acts on or sees as its own; mixed always is. */
WEIR_API bool weir_scaling_task_has(const weir_scaling_task *task, weir_tag tag);

WEIR_END_C

#endif
