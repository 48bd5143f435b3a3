/*
 * What the two policies of the NVIDIA Dynamo planner share: load predictors, replicas by
 * throughput, the step cap and the GPU budget.
 *
 * Source: ai-dynamo/dynamo, components/src/dynamo/planner/core: throughput_scaling.py,
 * load/predictors.py, perf_model/{prefill,decode,agg}.py, budget.py. Where the planner asks a
 * regression or a profile, the execution-time model answers here.
 *
 * An application with a prompt and a token pool is disaggregated: each is sized for its own half of
 * the same demand, the mixed pool, if there is one as well, is left alone. A policy that acts on
 * the mixed pool only sizes it as an aggregated engine, whose iterations carry prompt tokens beside
 * the tokens that they make.
 */
#ifndef WEIR_SCALING_DYNAMO_H
#define WEIR_SCALING_DYNAMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef enum weir_dynamo_predictor {
	WEIR_DYNAMO_CONSTANT, /* the last value */
	WEIR_DYNAMO_KALMAN    /* local linear trend */
} weir_dynamo_predictor;

WEIR_API extern const char *const weir_dynamo_predictors[];

typedef struct weir_dynamo_config {
	double ttft, itl; /* s */
	int predictor;    /* weir_dynamo_predictor */
	double q_level, q_trend, r;
	int64_t min_points;
	int64_t minimum;    /* instances of a pool */
	int64_t step;       /* most instances of a pool that one throughput decision changes */
	int64_t gpu_budget; /* -1: none */
} weir_dynamo_config;

/* The keys of a weir_dynamo_config that starts at `offset_` of the policy's own struct. */
#define WEIR_DYNAMO_NUMBER(name_, field_, offset_, default_, flags_, unit_, doc_)                  \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_NUMBER,                                                    \
		.offset = (offset_) + offsetof(weir_dynamo_config, field_), .default_text = default_,      \
		.maximum = 1e9, .flags = flags_, .unit = unit_, .doc = doc_                                \
	}
#define WEIR_DYNAMO_INTEGER(name_, field_, offset_, default_, minimum_, unit_, doc_)               \
	{                                                                                              \
		.name = name_, .type = WEIR_KEY_INTEGER,                                                   \
		.offset = (offset_) + offsetof(weir_dynamo_config, field_), .default_text = default_,      \
		.minimum = minimum_, .maximum = 1 << 20, .unit = unit_, .doc = doc_                        \
	}
#define WEIR_DYNAMO_KEYS(offset_)                                                                  \
	WEIR_DYNAMO_NUMBER("ttft", ttft, offset_, "0.5", WEIR_KEY_ABOVE_MINIMUM, "s",                  \
	                   "Target of the time to the first token."),                                  \
	    WEIR_DYNAMO_NUMBER("itl", itl, offset_, "0.05", WEIR_KEY_ABOVE_MINIMUM, "s",               \
	                       "Target of the time between two tokens."),                              \
	    {.name = "predictor",                                                                      \
	     .type = WEIR_KEY_CHOICE,                                                                  \
	     .offset = (offset_) + offsetof(weir_dynamo_config, predictor),                            \
	     .default_text = "\"constant\"",                                                           \
	     .choices = weir_dynamo_predictors,                                                        \
	     .doc = "Forecast of requests and lengths: the last value, or a local linear trend."},     \
	    WEIR_DYNAMO_NUMBER("kalman_q_level", q_level, offset_, "1", 0, NULL,                       \
	                       "Variance of the level's noise."),                                      \
	    WEIR_DYNAMO_NUMBER("kalman_q_trend", q_trend, offset_, "0.1", 0, NULL,                     \
	                       "Variance of the trend's noise."),                                      \
	    WEIR_DYNAMO_NUMBER("kalman_r", r, offset_, "10", WEIR_KEY_ABOVE_MINIMUM, NULL,             \
	                       "Variance of a measurement."),                                          \
	    WEIR_DYNAMO_INTEGER("kalman_min_points", min_points, offset_, "5", 1, NULL,                \
	                        "With fewer values the last one is the forecast."),                    \
	    WEIR_DYNAMO_INTEGER("min_endpoint", minimum, offset_, "1", 1, "instances",                 \
	                        "Least size of a pool."),                                              \
	    WEIR_DYNAMO_INTEGER("max_throughput_scaling_replicas", step, offset_, "8", 1, "instances", \
	                        "Most that one throughput decision changes a pool by."),               \
	    WEIR_DYNAMO_INTEGER("max_gpu_budget", gpu_budget, offset_, "-1", -1, "GPUs",               \
	                        "Both pools are cut in proportion to this; -1: no budget.")

/* One forecast series; all zero at the start. */
typedef struct weir_dynamo_series {
	int64_t count; /* values seen; zeros before the first other value are passed over */
	double last;
	double level, trend;
	double p00, p01, p11; /* covariance of level and trend */
} weir_dynamo_series;

WEIR_API void weir_dynamo_observe(const weir_dynamo_config *config, weir_dynamo_series *series,
                                  double value);
/* The next value; not below 0. */
WEIR_API double weir_dynamo_forecast(const weir_dynamo_config *config,
                                     const weir_dynamo_series *series);

typedef struct weir_dynamo_state {
	weir_dynamo_series requests, isl, osl;
} weir_dynamo_state;

/* What arrived in `interval` seconds. */
typedef struct weir_dynamo_traffic {
	double interval, requests, prompt_tokens, output_tokens;
} weir_dynamo_traffic;

/*
 * Takes in the traffic and forecasts the next interval. False: nothing is known yet. An interval
 * without a request says nothing of lengths: the planner then makes no decision, here it keeps the
 * lengths that it knows and sizes for no requests, so that an idle pool shrinks.
 */
WEIR_API bool weir_dynamo_predict(const weir_dynamo_config *config, weir_dynamo_state *state,
                                  const weir_dynamo_traffic *traffic, double *rps, double *isl,
                                  double *osl);

/* Whether this policy sizes pool `tag`: see the top of this file. */
WEIR_API bool weir_dynamo_sizes(const weir_policy_context *context, weir_tag tag);

/* Instances of pool `tag` for `rps` requests per second of such lengths, before cap and budget. */
WEIR_API int64_t weir_dynamo_replicas(const weir_policy_context *context,
                                      const weir_dynamo_config *config, weir_tag tag, double rps,
                                      double isl, double osl);

/* `wanted`, at most the step away from `current`. */
WEIR_API int64_t weir_dynamo_cap(const weir_dynamo_config *config, int64_t wanted, int64_t current);

/* Cuts sizes[] of the pools that the policy sizes to the GPU budget, in proportion. */
WEIR_API void weir_dynamo_budget(const weir_policy_context *context,
                                 const weir_dynamo_config *config, int64_t *sizes);

/* Errors: a budget below the least sizes. */
WEIR_API weir_status weir_dynamo_check(const weir_policy_context *context,
                                       const weir_dynamo_config *config, weir_error *error);

/* Asks for the sizes that differ from what the pools have. */
WEIR_API void weir_dynamo_decide(const weir_policy_context *context, const weir_view *view,
                                 const int64_t *sizes, weir_decision *decision);

WEIR_END_C

#endif
