/*
 * What sizes a pool by its demand: the demand of a pool by name, how much of it one instance is to
 * carry, and the size that follows; the rule of AIBrix' APA; the horizon of predictive policies.
 */
#ifndef WEIR_SCALING_DEMAND_H
#define WEIR_SCALING_DEMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

typedef enum weir_demand_kind {
	WEIR_DEMAND_CONCURRENCY, /* requests in the pool at the instant; of a pool without an ACTIVE
	                            instance those that wait at the scheduler too, so that it does not
	                            stay empty for ever */
	WEIR_DEMAND_TOKENS       /* tokens/s in the interval: of a prompt pool the prompt tokens that
	                            arrived, of a token pool the output tokens that it made, of a mixed
	                            pool both */
} weir_demand_kind;

/* "concurrency", "tokens"; NULL-terminated. */
WEIR_API extern const char *const weir_demand_kinds[];

typedef struct weir_demand_config {
	int kind;                  /* weir_demand_kind */
	double target_concurrency; /* requests that one instance is to have */
	double target_tokens;      /* tokens/s that one instance is to carry */
} weir_demand_config;

/* The keys of a weir_demand_config, field `field_` of `type_`. */
#define WEIR_DEMAND_KEYS(type_, field_)                                                            \
	{.name = "demand",                                                                             \
	 .type = WEIR_KEY_CHOICE,                                                                      \
	 .offset = offsetof(type_, field_.kind),                                                       \
	 .default_text = "\"concurrency\"",                                                            \
	 .choices = weir_demand_kinds,                                                                 \
	 .doc = "What is followed. concurrency: requests in the pool. tokens: prompt tokens that "     \
	        "arrive per second (prompt pool), output tokens made per second (token pool), both "   \
	        "(mixed pool)."},                                                                      \
	    {.name = "target_concurrency",                                                             \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(type_, field_.target_concurrency),                                     \
	     .default_text = "16",                                                                     \
	     .minimum = 0,                                                                             \
	     .maximum = 1e9,                                                                           \
	     .flags = WEIR_KEY_ABOVE_MINIMUM,                                                          \
	     .only_if = "demand=concurrency",                                                          \
	     .unit = "requests",                                                                       \
	     .doc = "Requests that one instance is to have."},                                         \
	{                                                                                              \
		.name = "target_tokens", .type = WEIR_KEY_NUMBER,                                          \
		.offset = offsetof(type_, field_.target_tokens), .default_text = "2000", .minimum = 0,     \
		.maximum = 1e9, .flags = WEIR_KEY_ABOVE_MINIMUM, .only_if = "demand=tokens",               \
		.unit = "tokens/s", .doc = "Tokens per second that one instance is to carry."              \
	}

/* The key of the margin of a predictive policy. */
#define WEIR_MARGIN_KEY(type_)                                                                     \
	{                                                                                              \
		.name = "margin", .type = WEIR_KEY_NUMBER, .offset = offsetof(type_, margin),              \
		.default_text = "0", .minimum = 0, .maximum = 1e6, .unit = "s",                            \
		.doc = "How far it looks ahead beyond the mean boot delay; what metrics lag and "          \
		       "decisions are delayed is not in that delay."                                       \
	}

/*
 * The pool's demand. False when the view shows nothing new: its instant is not after *seen, or it
 * is the first one and the demand is a rate. Sets *seen (NaN at first) to the view's instant.
 */
WEIR_API bool weir_demand_observe(const weir_demand_config *config, const weir_view *view,
                                  weir_tag tag, double *seen, double *demand);

/* Instances for that demand: ceil(demand / target), at least 0; what rounding adds is not rounded
 * up to an instance. */
WEIR_API int64_t weir_demand_instances(const weir_demand_config *config, double demand);

/* Asks for the size, raised to scaling.min_instances_per_pool, unless the pool has it. */
WEIR_API void weir_decide_pool(const weir_policy_context *context, const weir_view *view,
                               weir_tag tag, int64_t size, weir_decision *decision);

/* Mean boot delay + margin, s, and in steps of the policy's interval, rounded up, at least 1. */
WEIR_API double weir_horizon(const weir_policy_context *context, double margin);
WEIR_API size_t weir_horizon_steps(const weir_policy_context *context, double margin);

/* Most steps that a horizon, a window or a season may have, so that state stays small; start
 * functions refuse more with this. `where`: key path. */
enum { WEIR_MOST_STEPS = 20000 };
WEIR_API weir_status weir_check_steps(double steps, double most, const char *where,
                                      weir_error *error);

/* Of AIBrix' APA. */
typedef struct weir_apa_rule {
	double up_tolerance, down_tolerance;           /* of demand / (size * target) around 1 */
	double max_scale_up_rate, max_scale_down_rate; /* factors, >= 1 */
} weir_apa_rule;

/* The keys of a weir_apa_rule, field `field_` of `type_`. */
#define WEIR_APA_KEYS(type_, field_)                                                               \
	{.name = "up_tolerance",                                                                       \
	 .type = WEIR_KEY_NUMBER,                                                                      \
	 .offset = offsetof(type_, field_.up_tolerance),                                               \
	 .default_text = "0.1",                                                                        \
	 .minimum = 0,                                                                                 \
	 .maximum = 1e3,                                                                               \
	 .doc = "Grows when demand per instance / target is above 1 + this."},                         \
	    {.name = "down_tolerance",                                                                 \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(type_, field_.down_tolerance),                                         \
	     .default_text = "0.2",                                                                    \
	     .minimum = 0,                                                                             \
	     .maximum = 1,                                                                             \
	     .flags = WEIR_KEY_BELOW_MAXIMUM,                                                          \
	     .doc = "Shrinks when demand per instance / target is below 1 - this."},                   \
	    {.name = "max_scale_up_rate",                                                              \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(type_, field_.max_scale_up_rate),                                      \
	     .default_text = "2",                                                                      \
	     .minimum = 1,                                                                             \
	     .maximum = 1e6,                                                                           \
	     .flags = WEIR_KEY_ABOVE_MINIMUM,                                                          \
	     .doc = "Grows to at most so many times the size in one tick."},                           \
	{                                                                                              \
		.name = "max_scale_down_rate", .type = WEIR_KEY_NUMBER,                                    \
		.offset = offsetof(type_, field_.max_scale_down_rate), .default_text = "2", .minimum = 1,  \
		.maximum = 1e6, .flags = WEIR_KEY_ABOVE_MINIMUM,                                           \
		.doc = "Shrinks to at least the size divided by this (rounded down) in one tick."          \
	}

/*
 * The size that APA wants of a pool of `size` for a demand (AIBrix,
 * pkg/controller/podautoscaler/algorithm/apa.go), with r = demand / size / target: above 1 + up
 * tolerance min(ceil(size r), ceil(up rate * size)), below 1 - down tolerance max(ceil(size r),
 * floor(size / down rate)), else size. A pool of none is taken as one of one.
 */
WEIR_API int64_t weir_apa_size(const weir_apa_rule *rule, const weir_demand_config *config,
                               int64_t size, double demand);

WEIR_END_C

#endif
