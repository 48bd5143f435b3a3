/*
 * What one instance can do, from its execution-time model and its memory: the figures that sizing
 * policies take from profiling.
 *
 * A question of n tokens costs O(n / tokens of an iteration) calls of the model; the best batch
 * O(log tasks).
 */
#ifndef WEIR_SCALING_CAPACITY_H
#define WEIR_SCALING_CAPACITY_H

#include <stdint.h>

#include "base/export.h"
#include "serving/serving.h"

WEIR_BEGIN_C

typedef struct weir_capacity {
	const weir_execution_time *time;
	int64_t kv_tokens;        /* tokens of KV cache beside the weights */
	int64_t max_tasks;        /* of a batch */
	int64_t iteration_tokens; /* most tokens of an iteration; INT64_MAX: no such limit */
	bool chunked;             /* a longer prompt is cut, otherwise it runs whole */
} weir_capacity;

/* Of instances of one type. */
WEIR_API weir_capacity weir_capacity_of(const weir_application *application, uint32_t type);

/* Tasks that decode beside the prompts: their number and their context tokens in all. */
typedef struct weir_decoding {
	int64_t tasks;
	double context;
} weir_decoding;

/*
 * Seconds until `tokens` prompt tokens are processed, of prompts of `length` tokens each, in as
 * many iterations as they need, each with `decoding` beside them. Fractions of a token count as
 * one. 0 for no tokens.
 */
WEIR_API double weir_capacity_prompt_seconds(const weir_capacity *capacity, double tokens,
                                             double length, weir_decoding decoding);

/* Seconds of one iteration that only decodes: the time between two tokens (ITL). */
WEIR_API double weir_capacity_token_seconds(const weir_capacity *capacity, weir_decoding decoding);

/* Seconds of one iteration with `tokens` prompt tokens beside `decoding`. */
WEIR_API double weir_capacity_mixed_seconds(const weir_capacity *capacity, double tokens,
                                            double length, weir_decoding decoding);

/* Most tasks of `context` tokens each whose KV cache fits and that a batch takes; at least 1. */
WEIR_API int64_t weir_capacity_most_tasks(const weir_capacity *capacity, double context);

/* The largest batch of tasks of `context` tokens each that fits and decodes a token in `itl`
 * seconds, by bisection; 1 when even that is slower. *seconds: what its iteration takes. */
WEIR_API int64_t weir_capacity_best_batch(const weir_capacity *capacity, double context, double itl,
                                          double *seconds);

/* An instance's share of its server's price, US dollars an hour. */
WEIR_API double weir_capacity_price(const weir_application *application, uint32_t type);

WEIR_END_C

#endif
