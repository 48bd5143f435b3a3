/*
 * Highest KV-cache use and queue of each instance of a pool over the last minute or so, as the
 * max_over_time of a metrics store gives them, sampled at the ticks of a policy.
 *
 * Lives in a flat block of the policy's state. Cost of a tick: O(instances * samples).
 */
#ifndef WEIR_SCALING_REPLICA_WINDOW_H
#define WEIR_SCALING_REPLICA_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "scaling/policy.h"

WEIR_BEGIN_C

enum { WEIR_WINDOW_SAMPLES = 64 };

typedef struct weir_replica {
	uint32_t id, type;
	double kv_tokens; /* highest of the window */
	double queue;
	uint32_t next, count; /* of the samples, a ring */
	struct {
		double time, kv_tokens, queue;
	} samples[WEIR_WINDOW_SAMPLES];
} weir_replica;

typedef struct weir_replica_window {
	size_t capacity, count;
	weir_replica replicas[]; /* in order of id */
} weir_replica_window;

WEIR_API size_t weir_replica_window_size(size_t capacity);

/* Samples the ACTIVE instances of the pool and drops those that are gone. Samples older than
 * `seconds` no longer count; more than WEIR_WINDOW_SAMPLES in that time push out the oldest. */
WEIR_API void weir_replica_window_sample(weir_replica_window *window, const weir_view *view,
                                         weir_tag tag, double seconds);

WEIR_END_C

#endif
