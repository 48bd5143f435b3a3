/*
 * What an agent that scales sees: one snapshot of numbers within fixed bounds for each decision,
 * and the stack of the last ones.
 */
#ifndef WEIR_RL_SCALING_FEATURES_H
#define WEIR_RL_SCALING_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "metrics/view.h"
#include "rl/scaling_task.h"
#include "rl/space.h"

WEIR_BEGIN_C

/*
 * X(name, low, high, group, pool, description): all that there are, in their order. `group` is one
 * of WEIR_FEATURE_GROUPS, or base, which is always seen; `pool` that whose agent sees it: in the
 * modes prompt and token an agent sees the shared ones and its own. log(x) stands for
 * log1p(x) / 15, cut to 0..1; N for max_total_instances.
 */
#define WEIR_FEATURES(X)                                                                           \
	X(arrival_rate, 0, 1, base, shared, "log(arrivals per second in the interval)")                \
	X(prompt_token_rate, 0, 1, base, prompt, "log(prompt tokens processed per second)")            \
	X(output_token_rate, 0, 1, base, token, "log(output tokens made per second)")                  \
	X(prompt_length, 0, 1, base, shared,                                                           \
	  "Mean prompt tokens of the interval's arrivals / 4096, at most 1; 0 without arrivals")       \
	X(output_length, 0, 1, base, shared,                                                           \
	  "Mean output tokens of the interval's arrivals / 2048, at most 1; 0 without arrivals")       \
	X(queued_prompt_tokens, 0, 1, base, prompt, "log(prompt tokens assigned and not processed)")   \
	X(queued_token_tasks, 0, 1, base, token, "log(token tasks that wait)")                         \
	X(queue_wait, 0, 1, base, prompt,                                                              \
	  "tanh(mean seconds since arrival of the prompts that have not run / 10)")                    \
	X(active_prompt, 0, 1, base, prompt, "ACTIVE instances on the prompt list / N")                \
	X(active_token, 0, 1, base, token, "ACTIVE instances on the token list / N")                   \
	X(active_mixed, 0, 1, base, shared, "ACTIVE instances on the mixed list / N")                  \
	X(load_prompt, 0, 1, base, prompt, "Their mean of max(kv, batch), each at most 1")             \
	X(load_token, 0, 1, base, token, "Their mean of max(kv, batch), each at most 1")               \
	X(load_mixed, 0, 1, base, shared, "Their mean of max(kv, batch), each at most 1")              \
	X(memory, 0, 1, base, shared, "Mean of memory in use / limit over ACTIVE instances")           \
	X(kv_network, 0, 1, base, shared,                                                              \
	  "KV bytes moved / (interval * features.network_gb_per_s * ACTIVE servers), at most 1")       \
	X(ttft_p50, 0, 1, base, prompt, "tanh(p50 of the TTFT slowdown / 2)")                          \
	X(ttft_p90, 0, 1, base, prompt, "tanh(p90 of the TTFT slowdown / 3)")                          \
	X(ttft_p99, 0, 1, base, prompt, "tanh(p99 of the TTFT slowdown / 6)")                          \
	X(tbt_p50, 0, 1, base, token, "tanh(p50 of the TBT slowdown / 1.25)")                          \
	X(tbt_p90, 0, 1, base, token, "tanh(p90 of the TBT slowdown / 1.5)")                           \
	X(tbt_p99, 0, 1, base, token, "tanh(p99 of the TBT slowdown / 5)")                             \
	X(booting_prompt, 0, 1, scaling, prompt, "SCALING_UP instances of the prompt pool / N")        \
	X(booting_token, 0, 1, scaling, token, "SCALING_UP instances of the token pool / N")           \
	X(booting_mixed, 0, 1, scaling, shared, "SCALING_UP instances of the mixed pool / N")          \
	X(draining_prompt, 0, 1, scaling, prompt, "DRAINING instances of the prompt pool / N")         \
	X(draining_token, 0, 1, scaling, token, "DRAINING instances of the token pool / N")            \
	X(draining_mixed, 0, 1, scaling, shared, "DRAINING instances of the mixed pool / N")           \
	X(next_ready_prompt, 0, 1, scaling, prompt,                                                    \
	  "tanh(seconds until the next instance of the prompt pool is ready / 60); 1: none boots")     \
	X(next_ready_token, 0, 1, scaling, token, "The same of the token pool")                        \
	X(next_ready_mixed, 0, 1, scaling, shared, "The same of the mixed pool")                       \
	X(last_prompt, -1, 1, last_action, prompt, "The last action's prompt dimension")               \
	X(last_token, -1, 1, last_action, token, "The last action's token dimension")                  \
	X(last_migrate, -1, 1, last_action, shared, "The last action's migrate dimension")             \
	X(arrival_rate_change, -1, 1, rps_delta, shared,                                               \
	  "tanh((rate - rate before) / max(1, rate before)), in arrivals per second")                  \
	X(busy_prompt, 0, 1, busy, prompt, "Mean busy share of ACTIVE instances on the prompt list")   \
	X(busy_token, 0, 1, busy, token, "Mean busy share of ACTIVE instances on the token list")      \
	X(busy_mixed, 0, 1, busy, shared, "Mean busy share of ACTIVE instances on the mixed list")     \
	X(paid, 0, 1, billing, shared, "Instance-seconds paid for / (interval * N), at most 1")        \
	X(time_sin, -1, 1, time, shared, "sin(2 pi * time / features.day)")                            \
	X(time_cos, -1, 1, time, shared, "cos(2 pi * time / features.day)")                            \
	X(blocked_prompt, 0, 1, blocked, prompt, "log(placements that found no prompt instance)")      \
	X(blocked_token, 0, 1, blocked, token, "log(placements that found no token instance)")         \
	X(demand_prompt, 0, 1, demand, prompt,                                                         \
	  "Prompt instances that the arrivals ask for, or the rule wants / N")                         \
	X(demand_token, 0, 1, demand, token,                                                           \
	  "Token instances that the arrivals ask for, or the rule wants / N")                          \
	X(demand_mixed, 0, 1, demand, shared,                                                          \
	  "Mixed instances that the arrivals ask for, or the rule wants / N")

typedef enum weir_feature {
#define WEIR_FEATURE_ENUM(name, low, high, group, pool, description) WEIR_FEATURE_##name,
	WEIR_FEATURES(WEIR_FEATURE_ENUM)
#undef WEIR_FEATURE_ENUM
	    WEIR_FEATURE_COUNT
} weir_feature;

/* Which features a task sees, and the space of its observations: stack_size snapshots, oldest
 * first; dimensions are called "<name>[0]" in the newest, "<name>[-1]" in the one before, ... */
typedef struct weir_feature_set {
	size_t count; /* of a snapshot */
	weir_feature features[WEIR_FEATURE_COUNT];
	size_t stack;
	weir_space space;
	weir_dimension *dimensions;
	char (*names)[32];
} weir_feature_set;

/* False when memory is out. */
WEIR_API bool weir_feature_set_create(const weir_scaling_task *task, weir_feature_set *set);
WEIR_API void weir_feature_set_destroy(weir_feature_set *set);

/* What a snapshot is made from. */
typedef struct weir_feature_input {
	const weir_view *view; /* with everything that WEIR_FEATURE_NEEDS says */
	double max_total_instances;
	double last_action[WEIR_SCALING_DIMENSIONS]; /* prompt, token, migrate, in -1..1 */
	double demand[WEIR_TAG_COUNT];               /* instances */
} weir_feature_input;

enum { WEIR_FEATURE_NEEDS = WEIR_VIEW_INSTANCES | WEIR_VIEW_SLOWDOWNS | WEIR_VIEW_OVERDUE };

/* What is remembered from one snapshot to the next: an interval without completions repeats the
 * last known slowdowns (before any: 1, those of an unloaded cluster). */
typedef struct weir_feature_memory {
	double slowdowns[6]; /* TTFT p50, p90, p99, TBT p50, p90, p99 */
	double arrival_rate; /* 1/s */
} weir_feature_memory;

WEIR_API weir_feature_memory weir_feature_memory_begin(void);

/* All features of one instant, finite and within their bounds. */
WEIR_API void weir_features_fill(const weir_scaling_features_config *config,
                                 const weir_feature_input *input, weir_feature_memory *memory,
                                 double values[WEIR_FEATURE_COUNT]);

/* Moves the snapshots of stack[set->space.size] up and puts those of `values` that the set has
 * last. A stack begins with zeros. */
WEIR_API void weir_feature_stack_push(const weir_feature_set *set,
                                      const double values[WEIR_FEATURE_COUNT], float *stack);

/* Of a list: ACTIVE instances on it, and their means of max(load_kv, load_batch), each at most 1
 * (more is promised where requests queue), and of load_busy. */
typedef struct weir_list_loads {
	double active, load, busy;
} weir_list_loads;
WEIR_API void weir_list_loads_of(const weir_view *view, weir_list_loads loads[WEIR_TAG_COUNT]);

WEIR_END_C

#endif
