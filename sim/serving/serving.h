/*
 * Serving: requests through the instances of a cluster.
 *
 * The way of a request: weir_serving_submit -> the application's scheduler picks a prompt and a
 * token instance -> prompt task waits, is batched, iterates -> KV transfer -> token task waits, is
 * batched, iterates -> the observer hears that it ended. Semantics: docs/serving.md.
 *
 * Cost: an event costs O(log n) in the tasks and instances it touches, plus O(log n) for each task
 * that joins or leaves a batch at it. Nothing is allocated once the high-water marks are reached.
 */
#ifndef WEIR_SERVING_SERVING_H
#define WEIR_SERVING_SERVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "engine/engine.h"
#include "hardware/hardware.h"
#include "model/architecture.h"
#include "model/execution_time.h"
#include "serving/activity_row.h"
#include "serving/request_row.h"
#include "serving/serving_config.h"

WEIR_BEGIN_C

/* The order of events of equal time. Arrivals go first: a trace is known before the run begins. */
typedef enum weir_event_class {
	WEIR_CLASS_ARRIVAL,
	WEIR_CLASS_SERVING,
	WEIR_CLASS_LIFECYCLE,
	WEIR_CLASS_SAMPLE,
	WEIR_CLASS_TICK
} weir_event_class;

/* Event types of this room; those of other rooms start at WEIR_SERVING_EVENT_END. */
typedef enum weir_serving_event {
	WEIR_EVENT_ITERATION,      /* subject: instance; its iterations end */
	WEIR_EVENT_TRANSFER_END,   /* subject: request; its dedicated transfer ends */
	WEIR_EVENT_TRANSFER_RETRY, /* subject: request; its transfer is tried again */
	WEIR_EVENT_NETWORK,        /* the next transfer of the shared network ends */
	WEIR_SERVING_EVENT_END
} weir_serving_event;

/* One kind of instance: an application on a server SKU. */
typedef struct weir_instance_type {
	const weir_server_sku *sku;
	const weir_execution_time *time; /* shared, not owned */
	int64_t memory_limit;            /* bytes of its GPUs */
	double nic_bytes_per_s;          /* of its server; 0: none (not with shared_nic) */
	double share_of_server;          /* GPUs of the instance / GPUs of the server */
} weir_instance_type;

/* A server of the start state, with the instances that fit on it. */
typedef struct weir_start_server {
	uint32_t type; /* index into the application's types */
	weir_tag tag;
} weir_start_server;

/* One application: a model, how it is served, and what serves it at the start. */
typedef struct weir_application {
	const char *name;
	const weir_architecture *model;
	weir_instance_config instance;
	weir_scheduler_config scheduler;
	const weir_instance_type *types;
	size_t type_count;
	const weir_start_server *servers; /* in order: server order is instance order */
	size_t server_count;
} weir_application;

/* Everything that serving needs to know; must outlive the weir_serving. */
typedef struct weir_cluster {
	const weir_application *applications;
	size_t application_count;
	weir_network_config network;
	double idle_fraction; /* share of the TDP that an instance without a batch draws */
	uint32_t max_retries; /* of a request whose instance fails; then it has failed */
	uint64_t seed;        /* of the stream of the random scheduler */
} weir_cluster;

/* Who is told of what happens; a NULL function is not called. */
typedef struct weir_serving_observer {
	void *context;
	/* A request ended (completed, rejected, failed); the row is valid during the call. */
	void (*request_ended)(void *context, const weir_request_row *row);
	/* Iterations that ran as one event have ended: all of them, fewer after a pause, or as far as
	 * they had got when the instance lost its requests. The row is valid during the call. */
	void (*iterations_ended)(void *context, const weir_iteration_row *row);
	/* A KV transfer arrived, or was cancelled while it was on the way; likewise. */
	void (*transfer_ended)(void *context, const weir_transfer_row *row);
} weir_serving_observer;

/* Counts since the start, of one pool (application and tag). Consumers take differences. */
typedef struct weir_pool_counters {
	uint64_t prompts_assigned; /* requests whose prompt came to the pool */
	uint64_t prompts_started;  /* prompt tasks that ran first */
	uint64_t prompts_completed;
	uint64_t requests_completed; /* requests whose last task ran in the pool */
	int64_t prompt_tokens;       /* processed, by iterations finished */
	int64_t output_tokens;       /* made, by iterations finished */
	double prompt_wait;          /* seconds, summed over prompts_started */
	uint64_t preemptions;
	double busy_seconds, batch_token_seconds,
	    energy_joules; /* of its instances while in the pool */
} weir_pool_counters;

typedef struct weir_serving_counters {
	uint64_t arrived, completed, rejected, failed;
	uint64_t retries, moves;                        /* of requests, see weir_serving_evict */
	int64_t prompt_tokens_lost, output_tokens_lost; /* processed and made in vain by these */
	int64_t prompt_tokens_arrived, output_tokens_arrived;
	int64_t prompt_tokens_completed, output_tokens_completed; /* of completed requests */
	uint64_t in_system, in_system_high_water;
	uint64_t waiting_at_scheduler;
	uint64_t transfers_started, transfers_completed, transfer_retries;
	double transfer_bytes; /* of completed transfers */
	uint64_t iterations;   /* iteration events: many iterations may be one */
} weir_serving_counters;

/* Where an instance is in its life; schedulers see ACTIVE ones only. */
typedef enum weir_instance_state {
	WEIR_INSTANCE_SCALING_UP, /* exists, boots, takes no work */
	WEIR_INSTANCE_ACTIVE,
	WEIR_INSTANCE_DRAINING, /* takes no new work, finishes what it has */
	WEIR_INSTANCE_STATE_COUNT
} weir_instance_state;

/* "scaling_up", "active", "draining"; NULL-terminated. */
WEIR_API extern const char *const weir_instance_state_names[];

/* What one instance looks like at an instant. */
typedef struct weir_instance_view {
	uint32_t slot, id; /* see lifecycle.h */
	uint32_t server;   /* id of its server */
	uint32_t application, type;
	weir_tag tag;
	weir_tag list; /* the tag, unless mixed_pool has lent it to the mixed list */
	weir_instance_state state;
	double created;                                  /* s */
	double state_since;                              /* s: in this state */
	double ready_since;                              /* s: first ACTIVE; NaN before */
	double drain_since;                              /* s: last DRAINING; NaN before */
	double state_seconds[WEIR_INSTANCE_STATE_COUNT]; /* spent in each state, to this instant */
	double tag_seconds[WEIR_TAG_COUNT];              /* spent in each pool, to this instant */
	double slowness;                                 /* factor on its iterations' times */
	uint32_t requests;                               /* requests with an unfinished task on it */
	uint32_t queued_prompts;                         /* prompt tasks that have not run */
	uint32_t queued_tokens; /* token tasks that wait, preempted ones included */
	uint32_t batch_size;
	int64_t batch_tokens;          /* of the current iteration */
	int64_t pending_prompt_tokens; /* of assigned prompts not yet completed */
	int64_t memory;                /* bytes in use, weights included */
	int64_t memory_promised;       /* weights, and what assigned requests hold or will hold */
	int64_t memory_limit, weights;
	double busy_seconds;                  /* with a batch, to this instant */
	double batch_token_seconds;           /* integral of batch tokens over time, to this instant */
	double energy_joules;                 /* to this instant */
	int64_t prompt_tokens, output_tokens; /* processed and made, by iterations finished by now */
	uint64_t iterations;                  /* finished by now */
	uint64_t prompts_completed, requests_completed, preemptions;
} weir_instance_view;

typedef struct weir_serving weir_serving;

/*
 * Makes the start state: all instances ACTIVE, nothing in flight. `engine` and `cluster` are
 * borrowed. Errors: out of memory; an application whose model does not fit an instance, or whose KV
 * cache takes more than 1 GiB a token.
 */
WEIR_API weir_status weir_serving_create(const weir_cluster *cluster, weir_engine *engine,
                                         const weir_serving_observer *observer,
                                         weir_serving **serving, weir_error *error);
WEIR_API void weir_serving_destroy(weir_serving *serving);

/* A request of the workload, in its own terms. */
typedef struct weir_submission {
	int64_t id;
	uint32_t application;
	int64_t prompt_tokens, output_tokens; /* 1 .. 2^31 - 1 */
} weir_submission;

/* A request arrives now. */
WEIR_API weir_status weir_serving_submit(weir_serving *serving, const weir_submission *submission,
                                         weir_error *error);

/* Runs one event of this room. */
WEIR_API weir_status weir_serving_handle(weir_serving *serving, const weir_event *event,
                                         weir_error *error);

/*
 * True when nothing but transfers that wait for memory is pending in the engine (`pending` events),
 * and all of them have tried again in vain since anything else happened: none can ever start.
 */
WEIR_API bool weir_serving_only_retries(const weir_serving *serving, uint64_t pending);

/* False for a slot that is free; see lifecycle.h for slots. */
WEIR_API bool weir_serving_instance(const weir_serving *serving, uint32_t slot,
                                    weir_instance_view *view);
/* Of pool `tag` of an application, iterations still running counted as far as they are finished.
 * Cost: O(instances of all applications). */
WEIR_API void weir_serving_pool(const weir_serving *serving, uint32_t application, weir_tag tag,
                                weir_pool_counters *counters);
WEIR_API void weir_serving_counters_get(const weir_serving *serving,
                                        weir_serving_counters *counters);

/* What one request in the system looks like at an instant. */
typedef struct weir_request_view {
	uint32_t slot; /* its place: no two in the system have the same, and they are used again */
	int32_t prompt_tokens, output_tokens;
	double arrival;
	double prompt_start; /* s; NaN: its prompt has not run */
	double prompt_end;   /* s: its first token; NaN: none yet */
	int64_t tokens;      /* made so far, the first included, by iterations finished by now */
} weir_request_view;

/* Calls `visit` for every request of an application in the system, in order of slot. `scratch` is
 * room for a number for each slot of an instance (lifecycle.h). Cost: O(slots ever used). */
WEIR_API void weir_serving_visit(const weir_serving *serving, uint32_t application,
                                 int64_t *scratch,
                                 void (*visit)(void *context, const weir_request_view *view),
                                 void *context);

/* Calls `visit` for every request in the system, in no order: a row of status unfinished. */
WEIR_API void weir_serving_unfinished(const weir_serving *serving,
                                      void (*visit)(void *context, const weir_request_row *row),
                                      void *context);

/* Tells the observer of the iterations and transfers that are under way, as far as they have got,
 * each as if it were broken off now; it will hear of them again if the run goes on. */
WEIR_API void weir_serving_under_way(const weir_serving *serving);

/* Makes `target` equal to `source`, made from an equal cluster. Its engine is not touched. */
WEIR_API weir_status weir_serving_copy(weir_serving *target, const weir_serving *source,
                                       weir_error *error);

/* Checks everything that must hold between two events; WEIR_ERROR_INTERNAL says what does not.
 * Cost: all that is in flight. Run after every event when built with WEIR_INVARIANTS. */
WEIR_API weir_status weir_serving_check(const weir_serving *serving, weir_error *error);

WEIR_END_C

#endif
