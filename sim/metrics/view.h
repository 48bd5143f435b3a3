/*
 * What a policy or an agent sees: the instances and pools of an application at an instant, and what
 * happened since it looked last.
 *
 * A meter stands beside one serving and counts for any number of consumers. A scrape is the meter's
 * cumulative figures at an instant; the difference of two scrapes is a view. So every consumer has
 * intervals of its own, and a view can be as old as its consumer's metrics are.
 *
 * For those who write policies. What is "at this instant" is that of view->now. What is "in the
 * interval" happened in the `interval` seconds before it: divide by `interval` for a rate, and not
 * when it is 0, as at the tick at time 0. Every figure is finite but those that are said to be NaN.
 * Loads are defined in docs/metrics.md. Where metrics travel (`control`), a policy sees
 *   - with metric_lag, figures as old as that; the counts of instances by state and of servers, and
 *     when the next instance is ready, which the control plane knows by itself, are always those of
 *     the tick;
 *   - with a scrape_interval longer than its own, the same view again: `now` tells it;
 *   - with metric_noise, every load, queue, count of requests, tokens and bytes times a factor of
 *     its own; counts of instances and servers, paid seconds and cost, times, latencies and what
 *     they make of the requests that completed stay exact.
 *
 * Cost: a scrape O(pools) and what weir_serving_pool costs, and O(instances) when instances are
 * asked for or the application has several types, with overdue requests O(requests in the system,
 * at their most so far); a view O(pools), with instances O(instances), with slowdowns
 * O(completions in between). Nothing is allocated once the high-water marks are
 * reached.
 */
#ifndef WEIR_METRICS_VIEW_H
#define WEIR_METRICS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "metrics/slo.h"
#include "serving/lifecycle.h"
#include "serving/serving.h"

WEIR_BEGIN_C

/* What costs more than counters, and is gathered only for who asks. */
typedef enum weir_view_need {
	WEIR_VIEW_INSTANCES = 1, /* the instances one by one, with load_busy and load_batch */
	WEIR_VIEW_SLOWDOWNS = 2, /* of what completed in the interval, and which limits it kept */
	WEIR_VIEW_OVERDUE = 4,   /* the requests in the system one by one: which are past a limit */
	WEIR_VIEW_LATENCIES = WEIR_VIEW_SLOWDOWNS | 8 /* its times as well */
} weir_view_need;

/* One instance. Loads are defined in docs/metrics.md. */
typedef struct weir_view_instance {
	uint32_t id, type;
	weir_tag tag, list;
	weir_instance_state state;
	double created;
	double ready_since; /* s; NaN: never was ACTIVE */
	uint32_t requests;  /* its concurrency */
	uint32_t queued_prompts, queued_tokens, batch_size;
	int64_t pending_prompt_tokens;
	int64_t kv_promised, kv_room; /* bytes promised beside the weights; bytes beside the weights */
	int64_t kv_tokens;            /* tokens of KV cache held now */
	int64_t memory, memory_limit; /* bytes in use, weights included; of its GPUs */
	double load_kv, load_concurrency;
	double load_busy, load_batch; /* over the interval; since it was created when that is later */
	double prompt_tokens, output_tokens; /* processed and made in the interval */
} weir_view_instance;

/* One pool: the instances of one home tag. */
typedef struct weir_view_pool {
	uint32_t count[WEIR_INSTANCE_STATE_COUNT];
	uint32_t active_by_list;
	double next_ready; /* s until the next SCALING_UP instance is ready; INFINITY: there is none.
	                      Only the controller knows it; INFINITY in other views */
	/* at this instant, over all its instances */
	int64_t requests, pending_prompt_tokens, kv_promised;
	int64_t queued_prompts, queued_tokens;
	/* Means over its ACTIVE and DRAINING instances; 0 when there are none. The latter two, over the
	 * interval, are NaN without WEIR_VIEW_INSTANCES. */
	double load_kv, load_busy, load_batch;
	/* in the interval */
	double prompts_assigned, prompts_started, prompts_completed, requests_completed;
	double prompt_tokens, output_tokens; /* processed and made */
	double prompt_wait;                  /* s, summed over prompts_started */
	double paid_seconds[WEIR_INSTANCE_STATE_COUNT];
	double cost_usd;
} weir_view_pool;

/* Of the values of the requests that completed in the interval; all NaN when there are none. */
typedef struct weir_view_quantiles {
	double mean, p50, p90, p99;
} weir_view_quantiles;

typedef struct weir_view_latencies {
	uint64_t count;                /* requests completed */
	weir_view_quantiles ttft, tbt; /* s; with WEIR_VIEW_LATENCIES, else NaN */
	weir_view_quantiles ttft_slowdown, tbt_slowdown;
	uint64_t slo_met;                 /* of count, by slo.per_request */
	uint64_t ttft_broken, tbt_broken; /* of count, those past that limit alone */
} weir_view_latencies;

typedef struct weir_view {
	double now;      /* s: the instant that this shows; older than the clock when metrics lag */
	double interval; /* s: since the consumer's view before; the first one counts from time 0 */
	uint32_t application;
	/* of the application, in the interval */
	double arrivals, prompt_tokens_arrived, output_tokens_arrived;
	double completed, rejected, failed; /* requests */
	double kv_bytes_moved;              /* by KV transfers that arrived */
	/* Placements that found no instance in the list for prompts, and in that for tokens. */
	double no_prompt_candidate, no_token_candidate;
	/* of the application, at this instant */
	uint64_t in_system, waiting_at_scheduler;
	uint32_t servers_active; /* servers that have booted; only the controller knows it, else 0 */
	/*
	 * Of the requests in the system, with WEIR_VIEW_OVERDUE; else 0. Past the TTFT limit of
	 * slo.per_request without a first token; with one, past its TBT limit if they ended now with
	 * the tokens made so far ((now - first token) / max(1, n), where n counts the first token when
	 * the baseline's TBT does); either.
	 */
	uint64_t overdue_ttft, overdue_tbt, overdue;
	uint64_t queued;    /* prompts that have not run, at the scheduler or at an instance */
	double queued_wait; /* s: since arrival, mean over `queued`; 0 when there are none */
	weir_view_pool pools[WEIR_TAG_COUNT];
	weir_view_latencies latencies;       /* with WEIR_VIEW_SLOWDOWNS; else count 0 and NaN */
	const weir_view_instance *instances; /* with WEIR_VIEW_INSTANCES, in order of id; else NULL */
	size_t instance_count;
} weir_view;

typedef struct weir_meter weir_meter;
typedef struct weir_scrape weir_scrape; /* cumulative figures at an instant */

/* `cluster`, `serving` and `slo` are borrowed. NULL when memory is out. */
WEIR_API weir_meter *weir_meter_create(const weir_cluster *cluster, const weir_serving *serving,
                                       const weir_slo *slo);
WEIR_API void weir_meter_destroy(weir_meter *meter);

/* To be told of every request that ends, but only needed (and only costly) once a scrape with
 * WEIR_VIEW_SLOWDOWNS exists. False when memory is out. */
WEIR_API bool weir_meter_request_ended(weir_meter *meter, const weir_request_row *row);

/* An empty scrape of one application, with what `needs` (bits of weir_view_need) asks for; it
 * belongs to its consumer. Empty, it stands for time 0, its latencies for what completes from now
 * on. NULL when memory is out. */
WEIR_API weir_scrape *weir_scrape_create(weir_meter *meter, uint32_t application, unsigned needs);
WEIR_API void weir_scrape_destroy(weir_meter *meter, weir_scrape *scrape);

/* Sets *scrape to the figures of `now`, the serving's clock; false when memory is out. */
WEIR_API bool weir_scrape_take(weir_meter *meter, double now, weir_scrape *scrape);

/* Of no more use until it is taken, or another copied to it: no completions are kept for it. */
WEIR_API void weir_scrape_release(weir_meter *meter, weir_scrape *scrape);

/* Makes `target`, of `meter`, equal to `source`, of the same application and needs; false when
 * memory is out. */
WEIR_API bool weir_scrape_copy(weir_meter *meter, weir_scrape *target, const weir_scrape *source);

/* What `after` shows, and what happened between `before` (not later, of the same application and
 * needs) and it; view->instances stays valid until the next call that has the same `after`. */
WEIR_API void weir_view_between(weir_meter *meter, const weir_scrape *before, weir_scrape *after,
                                weir_view *view);

/* Sets the counts of instances (`count`, `active_by_list`) of an older view to those of now.
 * `servers_active` and `next_ready` are for those to set who know a ScalingManager. */
WEIR_API void weir_view_count_now(const weir_meter *meter, weir_view *view);

/* Makes the log of `target` equal to that of `source` (for snapshots; their consumers copy their
 * scrapes as well); false when memory is out. */
WEIR_API bool weir_meter_copy(weir_meter *target, const weir_meter *source);

WEIR_END_C

#endif
