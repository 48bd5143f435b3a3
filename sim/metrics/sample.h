/*
 * Samples: what a pool did in an interval and what it looks like at its end.
 *
 * One list makes the struct, the columns of /samples and their documentation. "Pool" is an
 * application's instances of one tag.
 */
#ifndef WEIR_METRICS_SAMPLE_H
#define WEIR_METRICS_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "serving/serving.h"

WEIR_BEGIN_C

/* X(field, C type, column type, unit, description); rates are over the interval that ends here */
#define WEIR_SAMPLE_ROW(X)                                                                         \
	X(time, double, DOUBLE, "s", "End of the interval.")                                           \
	X(interval, double, DOUBLE, "s", "Length of the interval; the last one may be shorter.")       \
	X(application, int32_t, INT32, "", "Number of the application in the config, from 0.")         \
	X(pool, uint8_t, UINT8, "", "Home pool of the instances counted in this row.")                 \
	X(instances, int32_t, INT32, "instances", "Instances, whatever their state.")                  \
	X(active, int32_t, INT32, "instances", "ACTIVE instances.")                                    \
	X(scaling_up, int32_t, INT32, "instances", "Instances that boot or change pools.")             \
	X(draining, int32_t, INT32, "instances", "DRAINING instances.")                                \
	X(lent, int32_t, INT32, "instances", "Of these, instances lent to the mixed list.")            \
	X(requests, int32_t, INT32, "requests", "Requests with an unfinished task in the pool.")       \
	X(queued_prompts, int32_t, INT32, "tasks", "Prompt tasks that have not run.")                  \
	X(queued_tokens, int32_t, INT32, "tasks", "Token tasks that wait, preempted ones included.")   \
	X(pending_prompt_tokens, int64_t, INT64, "tokens",                                             \
	  "Tokens of assigned prompts that are not completed.")                                        \
	X(batch_size, int32_t, INT32, "tasks", "Tasks in the batches.")                                \
	X(batch_tokens, int64_t, INT64, "tokens", "Tokens of the current iterations.")                 \
	X(memory, int64_t, INT64, "bytes", "Memory in use, weights included.")                         \
	X(memory_promised, int64_t, INT64, "bytes",                                                    \
	  "Weights, and what assigned requests hold or will hold.")                                    \
	X(memory_limit, int64_t, INT64, "bytes", "Memory of all instances of the pool.")               \
	X(load_busy, double, DOUBLE, "1", "Time with a batch / time paid for, all instances.")         \
	X(load_kv, double, DOUBLE, "1",                                                                \
	  "(memory_promised - weights) / (memory_limit - weights), mean over instances.")              \
	X(load_batch, double, DOUBLE, "1",                                                             \
	  "Time mean of batch tokens / instance.max_batch_tokens, over the time paid for.")            \
	X(load_concurrency, double, DOUBLE, "requests", "Requests per instance.")                      \
	X(power_w, double, DOUBLE, "W", "Mean power drawn by all instances of the pool.")              \
	X(energy, double, DOUBLE, "J", "Energy drawn by all instances of the pool.")                   \
	X(paid_scaling_up, double, DOUBLE, "s", "Instance-seconds paid for while SCALING_UP.")         \
	X(paid_active, double, DOUBLE, "s", "Instance-seconds paid for while ACTIVE.")                 \
	X(paid_draining, double, DOUBLE, "s", "Instance-seconds paid for while DRAINING.")             \
	X(cost_usd, double, DOUBLE, "USD", "Cost of these, by each instance's share of its server.")   \
	X(prompts_per_s, double, DOUBLE, "1/s", "Requests whose prompt was assigned to the pool.")     \
	X(completions_per_s, double, DOUBLE, "1/s", "Requests whose last task completed in the pool.") \
	X(prompt_tokens_per_s, double, DOUBLE, "tokens/s",                                             \
	  "Prompt tokens processed, by iterations finished.")                                          \
	X(output_tokens_per_s, double, DOUBLE, "tokens/s",                                             \
	  "Output tokens made, by iterations finished.")                                               \
	X(preemptions, int64_t, INT64, "1", "Token tasks put out of a batch in the interval.")

typedef struct weir_sample_row {
#define WEIR_SAMPLE_ROW_FIELD(field, type, column, unit, description) type field;
	WEIR_SAMPLE_ROW(WEIR_SAMPLE_ROW_FIELD)
#undef WEIR_SAMPLE_ROW_FIELD
} weir_sample_row;

typedef struct weir_sampler weir_sampler;

/* Compares each sample of `serving` with the one before; the first with now. NULL when memory is
 * out. `serving` and `cluster` are borrowed. */
WEIR_API weir_sampler *weir_sampler_create(const weir_cluster *cluster, const weir_serving *serving,
                                           double now);
WEIR_API void weir_sampler_destroy(weir_sampler *sampler);

/* Calls `emit` for every pool that has or had an instance. Nothing when no time has passed. Cost:
 * O(pools * instances). */
WEIR_API void weir_sampler_take(weir_sampler *sampler, double now,
                                void (*emit)(void *context, const weir_sample_row *row),
                                void *context);

/* Makes `target` equal to `source`, both of the same cluster. */
WEIR_API void weir_sampler_copy(weir_sampler *target, const weir_sampler *source);

WEIR_END_C

#endif
