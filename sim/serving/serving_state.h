/* The state of serving and the calls between its parts. Internal to the serving room. */
#ifndef WEIR_SERVING_SERVING_STATE_H
#define WEIR_SERVING_SERVING_STATE_H

#include "serving/books.h"
#include "serving/inflight.h"
#include "serving/instance.h"
#include "serving/instance_list.h"
#include "serving/lifecycle.h"
#include "serving/network.h"
#include "serving/scheduler.h"
#include "serving/serving.h"

/* A server; its slot number is its place in the network. */
typedef struct weir_server {
	uint32_t id, application, type;
	uint32_t instances; /* on it */
	double created;
	uint32_t next_free; /* slot */
	bool exists;
} weir_server;

typedef struct weir_application_state {
	const weir_application *config;
	const weir_batching *batching;
	weir_scheduler scheduler;
	int64_t kv_bytes_per_token, weights;
	uint32_t waiting_first, waiting_last; /* requests that found no ACTIVE instance, oldest first */
	uint64_t transfers_waiting;           /* to be tried again */
	uint64_t vain_retries;                /* since anything else happened */
	weir_application_counters counters;   /* but for what the scheduler counts */
	uint32_t *instances_by_type;          /* [tag * type_count + type] */
	uint32_t *servers_by_type;
	weir_bill servers_bill;
} weir_application_state;

struct weir_serving {
	const weir_cluster *cluster;
	weir_engine *engine;
	weir_serving_observer observer;

	weir_application_state *applications;
	weir_inflight inflight;
	weir_instance *instances;
	weir_list_entry *entries; /* one per instance */
	weir_server *servers;
	size_t instance_capacity, entry_capacity, server_capacity;
	uint32_t instance_slots, server_slots; /* ever used */
	uint32_t free_instance, free_server;   /* slots; WEIR_NONE: none */
	uint32_t next_instance, next_server;   /* ids */
	weir_pool *pools;                      /* [application * WEIR_TAG_COUNT + tag] */

	weir_network *network; /* NULL: dedicated links */
	weir_event_handle network_event;
	uint32_t *flow_requests; /* by flow of the network */
	size_t flow_capacity;

	weir_selection selection;   /* scratch of iteration starts */
	uint64_t next_order;        /* of requests on instances */
	uint64_t transfers_waiting; /* of all applications */
	bool retried_in_vain;       /* by the last event */
	bool redispatch;            /* the event in hand made a request begin again */
	weir_serving_counters counters;
	bool out_of_memory; /* sticky: the event that met it is the last */
};

static inline weir_application_state *weir_application_of(weir_serving *serving,
                                                          const weir_instance *instance)
{
	return &serving->applications[instance->application];
}

static inline weir_pool *weir_pool_of(weir_serving *serving, const weir_instance *instance)
{
	return &serving->pools[instance->pool];
}

static inline double weir_idle_power(const weir_serving *serving, const weir_instance_type *type)
{
	return type->share_of_server * type->sku->tdp_w * serving->cluster->idle_fraction;
}

static inline double weir_price_per_s(const weir_instance_type *type)
{
	return type->sku->price_per_hour / 3600.0;
}

/* What every public function that changes something ends with. */
weir_status weir_serving_after_change(const weir_serving *serving, weir_error *error);

/* Transfers that tried in vain before may start now. */
void weir_note_progress(weir_serving *serving);

/* Changes a figure of an instance and its place in its list. */
void weir_figure_add(weir_serving *serving, weir_instance *instance, weir_figure figure,
                     int64_t change);

/* lifecycle.c */
weir_instance *weir_instance_at(const weir_serving *serving, weir_instance_handle instance);
/* To ACTIVE, without dispatching what waits for it; false when memory is out. */
bool weir_instance_activate(weir_serving *serving, weir_instance *instance);

/* instance.c */
/* The task waits there; nothing else happens. */
void weir_instance_task_queues(weir_serving *serving, weir_instance *instance, uint32_t task);
void weir_instance_task_arrives(weir_serving *serving, weir_instance *instance, uint32_t task);
void weir_instance_iteration_ends(weir_serving *serving, weir_instance *instance);
void weir_instance_transfer_ended(weir_serving *serving, weir_instance *instance);
void weir_instance_set_slowness(weir_serving *serving, weir_instance *instance, double factor);

/* activity.c */
/* The observer has iterations_ended and is told of the running iterations: of how many that are
 * finished, and of the prompts that are done with them. */
void weir_tell_iterations(const weir_serving *serving, const weir_instance *instance,
                          int64_t finished, int64_t prompts_done);
/* Likewise transfer_ended, of a transfer that has been started. */
void weir_tell_transfer(const weir_serving *serving, uint32_t request,
                        weir_transfer_outcome outcome);

/* evict.c */
/* A request that has done its prompt and has no token instance waits at the scheduler again, to be
 * dispatched when the event in hand is done. */
void weir_request_begin_again(weir_serving *serving, uint32_t request);
/* Tokens processed and made for a request by the iterations whose event has run. */
void weir_request_work_of(const weir_serving *serving, uint32_t request, int64_t *prompt_tokens,
                          int64_t *output_tokens);

/* request_flow.c: what follows when a task or a transfer is done */
void weir_request_dispatch(weir_serving *serving, uint32_t request);
void weir_request_dispatch_waiting(weir_serving *serving, weir_application_state *application);
void weir_request_prompt_done(weir_serving *serving, uint32_t request);
void weir_request_token_done(weir_serving *serving, uint32_t request);
void weir_request_fail(weir_serving *serving, uint32_t request);
void weir_request_transfer_done(weir_serving *serving, uint32_t request);
void weir_request_row_of(const weir_serving *serving, uint32_t request, double now,
                         weir_request_status status, weir_request_row *row);

/* transfer.c: server s has links 2s, out of its NIC, and 2s + 1, into it. */
static inline uint32_t weir_egress_link(uint32_t server)
{
	return 2 * server;
}

static inline uint32_t weir_ingress_link(uint32_t server)
{
	return 2 * server + 1;
}

void weir_transfer_try(weir_serving *serving, uint32_t request);
/* True when it found no memory again. */
bool weir_transfer_retry(weir_serving *serving, uint32_t request);
/* Ends a transfer that is on the way or waits, if there is one. */
void weir_transfer_cancel(weir_serving *serving, uint32_t request);
void weir_transfer_network_event(weir_serving *serving);

#endif
