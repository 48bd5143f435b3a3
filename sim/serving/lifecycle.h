/*
 * Instances and servers that come and go while requests are served.
 *
 * Serving does what it is told and keeps the exact books of it (who exists, in which state, since
 * when, at what price); when and why is for others to decide. Instances and servers live in slots,
 * which are used again, and have an id, which is not: ids count from 0 in order of creation. A
 * handle names one of them for ever; it is stale once that one was removed.
 *
 * Cost: O(log n) in the instances of a list, but where a function says otherwise. Nothing is
 * allocated once the most instances that existed at a time have been reached.
 */
#ifndef WEIR_SERVING_LIFECYCLE_H
#define WEIR_SERVING_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "serving/serving.h"

WEIR_BEGIN_C

typedef struct weir_instance_handle {
	uint32_t slot, id;
} weir_instance_handle;

typedef struct weir_server_handle {
	uint32_t slot, id;
} weir_server_handle;

/* What one server looks like at an instant. */
typedef struct weir_server_view {
	weir_server_handle handle;
	uint32_t application, type;
	uint32_t instances; /* that it holds, in any state */
	uint32_t room;      /* instances that still fit on its GPUs */
	double created;     /* s */
	double price_per_s; /* US dollars per second of existence, for the whole server */
} weir_server_view;

/* What a pool (application and tag) is at this instant, and what it has cost: O(1) to read. Every
 * instance counts for the tag that it has (or had, for the time in which it had it). */
typedef struct weir_pool_books {
	uint32_t count[WEIR_INSTANCE_STATE_COUNT]; /* instances by state */
	double seconds[WEIR_INSTANCE_STATE_COUNT]; /* instance-seconds by state, to now: all are paid */
	double cost_usd;  /* of these, each instance by its share of its server's price */
	int64_t requests; /* with an unfinished task on one of its instances */
	int64_t pending_prompt_tokens;
	int64_t kv_promised;     /* bytes held and promised beside the weights, all instances */
	int64_t queued_prompts;  /* prompt tasks that have not run */
	int64_t queued_tokens;   /* token tasks that wait, preempted ones included */
	uint32_t active_by_list; /* ACTIVE instances that stand in the list of this tag, whatever their
	                            home pool */
} weir_pool_books;

/* Of one application since the start. Consumers take differences. */
typedef struct weir_application_counters {
	uint64_t arrived;
	int64_t prompt_tokens_arrived, output_tokens_arrived;
	uint64_t waiting_at_scheduler; /* now: found no ACTIVE instance */
	uint64_t in_system;            /* now */
	uint64_t completed, rejected, failed;
	int64_t kv_bytes_moved; /* of completed transfers */
	uint64_t no_prompt_candidate,
	    no_token_candidate; /* placements that lacked one in its own list */
} weir_application_counters;

/* True when the handle's instance or server exists. */
WEIR_API bool weir_serving_has_instance(const weir_serving *serving, weir_instance_handle instance);
WEIR_API bool weir_serving_has_server(const weir_serving *serving, weir_server_handle server);

/* Adds a server of one of the application's types, without instances. Its bill starts now. Errors:
 * out of memory. */
WEIR_API weir_status weir_serving_add_server(weir_serving *serving, uint32_t application,
                                             uint32_t type, weir_server_handle *server,
                                             weir_error *error);
/* Removes a server that holds no instance (asserted). */
WEIR_API void weir_serving_remove_server(weir_serving *serving, weir_server_handle server);

/* Adds an instance to a server with room for it (asserted), in state SCALING_UP: it holds the
 * weights, takes no work and is paid for. Errors: out of memory; weights that do not fit. */
WEIR_API weir_status weir_serving_add_instance(weir_serving *serving, weir_server_handle server,
                                               weir_tag tag, weir_instance_handle *instance,
                                               weir_error *error);

/*
 * Moves an instance to another state. To ACTIVE: it joins the end of the list of its tag, and
 * requests that wait for an instance are dispatched, oldest first. From ACTIVE: its scheduler no
 * longer sees it; it finishes what it has.
 */
WEIR_API weir_status weir_serving_set_state(weir_serving *serving, weir_instance_handle instance,
                                            weir_instance_state state, weir_error *error);

/* Gives an empty instance that is not ACTIVE (asserted) to another pool. Its bill runs on, from now
 * on in that pool. */
WEIR_API void weir_serving_set_tag(weir_serving *serving, weir_instance_handle instance,
                                   weir_tag tag);

/*
 * True when nothing at all is left on the instance or on its way to it: no batch, no pending task,
 * no request assigned to it whose task has not arrived, no KV transfer to or from it in flight or
 * waiting to be tried again, no memory held or promised beyond the weights. O(1).
 */
WEIR_API bool weir_serving_is_empty(const weir_serving *serving, weir_instance_handle instance);

/* Removes an empty instance that is not ACTIVE (asserted) from its server and the books. */
WEIR_API void weir_serving_remove_instance(weir_serving *serving, weir_instance_handle instance);

/*
 * Takes every request off an instance that is not ACTIVE (asserted), which is empty afterwards. A
 * request that has a task or KV cache there begins again from its prompt, oldest first, its cache
 * lost: `failure` counts against weir_cluster.max_retries (the request fails beyond it), otherwise
 * it is a move, which never fails. So does one whose KV cache is on its way there or waits to be.
 * A request that only has its token instance there while its prompt still waits or runs elsewhere
 * keeps its prompt and gets another token instance when that is done; when there is none then, it
 * moves. Returns how many requests began again or failed by this call. Transfers are cancelled;
 * iterations finished by now count as work done, the rest is lost. Cost: O(n log n) in the requests
 * in the system.
 */
WEIR_API weir_status weir_serving_evict(weir_serving *serving, weir_instance_handle instance,
                                        bool failure, uint64_t *evicted, weir_error *error);

/*
 * From now on iterations of the instance take `factor` (above 0) times what its execution-time
 * model says; the one that runs keeps the share that is done. 1 at the start.
 */
WEIR_API void weir_serving_set_slowness(weir_serving *serving, weir_instance_handle instance,
                                        double factor);

/* Slots ever used; some may be free. */
WEIR_API uint32_t weir_serving_instance_slots(const weir_serving *serving);
WEIR_API uint32_t weir_serving_server_slots(const weir_serving *serving);
/* False for a free slot. */
WEIR_API bool weir_serving_server(const weir_serving *serving, uint32_t slot,
                                  weir_server_view *view);

WEIR_API void weir_serving_pool_books(const weir_serving *serving, uint32_t application,
                                      weir_tag tag, weir_pool_books *books);
WEIR_API void weir_serving_application(const weir_serving *serving, uint32_t application,
                                       weir_application_counters *counters);

/* US dollars that all servers that exist or existed have cost by now. */
WEIR_API double weir_serving_cost(const weir_serving *serving);

WEIR_END_C

#endif
