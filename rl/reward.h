/*
 * Rewards of the scaling environment: functions of what happened between two decisions.
 *
 * To add one: rl/reward_<name>.c with a weir_reward_type, its parameters and their key table, a
 * line in WEIR_REWARDS, and a case in tests/test_rl_reward.c. The loop does not change.
 */
#ifndef WEIR_RL_REWARD_H
#define WEIR_RL_REWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"
#include "metrics/view.h"
#include "serving/serving.h"

WEIR_BEGIN_C

/*
 * What happened between two decisions to one application, or in the modes prompt and token to one
 * pool of it. Exact, whatever a policy sees of it.
 */
typedef struct weir_reward_facts {
	double interval; /* s; 0 at the decision of time 0 */
	/* Instances paid for, over the interval: integral of instances times price (of the dearest
	 * configured instance, by SKU; or 1.0 per prompt and mixed and 0.6 per token instance, by
	 * role), in instance-seconds; and the bill itself. */
	double paid_sku, paid_role, cost_usd;
	double max_total_instances;
	double given_reference_usd_per_hour; /* of a fleet that the world names; 0: none */
	double reference_usd_per_hour;       /* of the fleet that the run started with */
	/* Requests: completed in the interval and of those past a limit of slo.per_request (its TTFT
	 * limit; its TBT limit; any); ended without completing; in the system at the end and past a
	 * limit already. */
	double arrived, completed, broken_ttft, broken_tbt, broken;
	double failed, rejected;
	double overdue_ttft, overdue_tbt, overdue;
	double overdue_before; /* `overdue` of the interval before: those that are no news */
	/* Requests in the system at the end of the episode that are not overdue but have not begun to
	 * run, of a run that can never go on all of them: counted as broken. 0 at every other
	 * decision. */
	double charged;
	double operations; /* instances started, taken back, drained, cancelled and flipped */
	/* By list: whether it has an ACTIVE instance, and the mean over those of max(kv, batch), each
	 * at most 1. */
	bool has_list[WEIR_TAG_COUNT];
	double load[WEIR_TAG_COUNT];
	weir_view_quantiles ttft_slowdown, tbt_slowdown; /* of completions; NaN without any */
	/* For leading signals: time to the first token of a request that comes now, and between tokens,
	 * as the capacity of the instances has it, over their limits. */
	double ttft_estimate, tbt_estimate;
} weir_reward_facts;

enum { WEIR_MOST_REWARD_TERMS = 8 };

typedef struct weir_reward_term {
	const char *name; /* begins with "reward_" */
	const char *description;
} weir_reward_term;

typedef struct weir_reward_type {
	const char *name;
	const char *summary;
	const weir_key_table *keys; /* WEIR_REWARD_KEYS first */
	const weir_reward_term *terms;
	size_t term_count; /* at most WEIR_MOST_REWARD_TERMS */
	/* Numbers that a trainer may change (see weir_env): the offset of each in the parameters, which
	 * say what it begins with. */
	const char *const *coefficient_names;
	const size_t *coefficient_offsets;
	size_t coefficient_count;
	bool estimates; /* it looks at ttft_estimate and tbt_estimate, which are 0 otherwise */
	/* The reward, and its terms, of which it is the sum but for rounding. `coefficients` are the
	 * numbers as they stand. */
	double (*evaluate)(const void *parameters, const double *coefficients,
	                   const weir_reward_facts *facts, double *terms);
} weir_reward_type;

typedef enum weir_reward_prices { WEIR_PRICES_SKU, WEIR_PRICES_ROLE } weir_reward_prices;

/* First member of every reward's parameters. */
typedef struct weir_reward_common {
	int kind;     /* index into weir_reward_types */
	int prices;   /* weir_reward_prices */
	double scale; /* of all terms */
} weir_reward_common;

/* X(name): weir_reward_<name> in rl/reward_<name>.c, `kind: "<name>"`. */
#define WEIR_REWARDS(X)                                                                            \
	X(default)                                                                                     \
	X(percentile)                                                                                  \
	X(latency_estimate)                                                                            \
	X(cost_only)                                                                                   \
	X(constrained)                                                                                 \
	X(priced)

#define WEIR_REWARD_DECLARE(name) WEIR_API extern const weir_reward_type weir_reward_##name;
WEIR_REWARDS(WEIR_REWARD_DECLARE)
#undef WEIR_REWARD_DECLARE

/* In the order of the list, NULL-terminated; the names likewise. */
WEIR_API extern const weir_reward_type *const weir_reward_types[];
WEIR_API extern const char *const weir_reward_names[];
/* "sku", "role"; NULL-terminated. */
WEIR_API extern const char *const weir_reward_price_names[];

/* A reward with its parameters, which belong to the arena that they were read into. */
typedef struct weir_reward {
	const weir_reward_type *type;
	const void *parameters;
} weir_reward;

/* Reads {"kind": ..., ...}: the key table is that of the kind, and what it does not know an error.
 * For a WEIR_KEY_CUSTOM key whose field is a weir_reward. */
WEIR_API weir_status weir_reward_read(weir_keys_reader *reader, const weir_key *key,
                                      const cJSON *json, const char *path, void *field,
                                      weir_error *error);

static inline const weir_reward_common *weir_reward_common_of(const weir_reward *reward)
{
	return (const weir_reward_common *)reward->parameters;
}

/* Broken requests as a share of those that the interval can judge, 0..1: completed past a limit,
 * failed, rejected, overdue and charged ones, of all completed, failed, rejected, overdue and
 * charged ones; 0 of none. */
WEIR_API double weir_reward_broken_share(const weir_reward_facts *facts);
/* The same of one limit, of which `broken` completed and `overdue` requests are past: failed and
 * rejected ones are not counted. */
WEIR_API double weir_reward_limit_share(const weir_reward_facts *facts, double broken,
                                        double overdue);
/* Requests of which it came out in this interval that they break a limit or never complete: over an
 * episode every request counts once, whenever it ends. Below 0 when more that were overdue have
 * caught up. */
WEIR_API double weir_reward_newly_broken(const weir_reward_facts *facts);
/* -(instances paid for at the prices wanted) / (interval * max_total_instances); 0 of no time. */
WEIR_API double weir_reward_fleet_cost(const weir_reward_common *common,
                                       const weir_reward_facts *facts);
/* -operations / 10 */
WEIR_API double weir_reward_switching(const weir_reward_facts *facts);
/* 0.3 * the mean over lists with an ACTIVE instance of (1 - |load - 0.7|); 0 without any. */
WEIR_API double weir_reward_utilisation(const weir_reward_facts *facts);

/* The keys that every reward has, of a struct whose field `field_` is its weir_reward_common. */
#define WEIR_REWARD_KEYS(type_, field_)                                                            \
	{.name = "kind",                                                                               \
	 .type = WEIR_KEY_CHOICE,                                                                      \
	 .offset = offsetof(type_, field_.kind),                                                       \
	 .default_text = "\"default\"",                                                                \
	 .choices = weir_reward_names,                                                                 \
	 .doc = "Which reward; the other keys depend on it."},                                         \
	    {.name = "prices",                                                                         \
	     .type = WEIR_KEY_CHOICE,                                                                  \
	     .offset = offsetof(type_, field_.prices),                                                 \
	     .default_text = "\"sku\"",                                                                \
	     .choices = weir_reward_price_names,                                                       \
	     .doc = "What an instance costs. sku: its price, the dearest configured one being 1. "     \
	            "role: 1 per prompt and mixed instance, 0.6 per token instance."},                 \
	{                                                                                              \
		.name = "scale", .type = WEIR_KEY_NUMBER, .offset = offsetof(type_, field_.scale),         \
		.default_text = "1", .minimum = 0, .maximum = 1e6, .flags = WEIR_KEY_ABOVE_MINIMUM,        \
		.doc = "Factor on the whole reward."                                                       \
	}

/* A weight: a number from 0. */
#define WEIR_REWARD_WEIGHT(type_, field_, default_, doc_)                                          \
	{                                                                                              \
		.name = #field_, .type = WEIR_KEY_NUMBER, .offset = offsetof(type_, field_),               \
		.default_text = default_, .minimum = 0, .maximum = 1e9, .doc = doc_                        \
	}

WEIR_END_C

#endif
