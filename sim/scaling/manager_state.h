/* The state of the ScalingManager and the calls between its parts. Internal to the scaling room. */
#ifndef WEIR_SCALING_MANAGER_STATE_H
#define WEIR_SCALING_MANAGER_STATE_H

#include <gsl/gsl_rng.h>
#include <stddef.h>

#include "scaling/manager.h"

/* What a draining instance drains for. */
typedef enum weir_drain_end {
	WEIR_DRAIN_REMOVE,      /* it goes, its server stays */
	WEIR_DRAIN_REMOVE_FULL, /* its server goes with it when that holds no other */
	WEIR_DRAIN_FLIP,        /* it becomes one of another pool */
	WEIR_DRAIN_PREEMPTED    /* as REMOVE_FULL, but its server will be lost: not taken back */
} weir_drain_end;

/* What the manager knows of an instance beside what serving does; by slot. */
typedef struct weir_managed_instance {
	bool exists;
	uint32_t id, application, type;
	weir_tag tag;
	weir_instance_state state;
	weir_server_handle server;
	weir_event_handle event; /* when SCALING_UP or DRAINING: what comes next for it */
	bool started_full;       /* a cancelled boot takes the server along */
	bool flips;              /* SCALING_UP after a flip: not a boot, it cannot be cancelled */
	bool fails;              /* its boot fails at its end */
	double ready_at;         /* s; when SCALING_UP */
	weir_drain_end drain_end;
	weir_tag target;      /* of a flip */
	double deadline;      /* s; of the drain: INFINITY without drain_timeout */
	uint64_t drain_order; /* counts drains */
} weir_managed_instance;

typedef struct weir_managed_server {
	bool exists;
	uint32_t id, application, type;
	weir_tag tag; /* what it was asked for */
	double ready_at;
	weir_event_handle event; /* of a server that was started without instance */
} weir_managed_server;

/* A candidate of weir_choice_*: the lowest goes first. */
typedef struct weir_candidate {
	int64_t load;
	weir_instance_handle instance;
} weir_candidate;

struct weir_manager {
	const weir_scaling_config *config;
	const weir_cluster *cluster;
	weir_serving *serving;
	weir_engine *engine;
	weir_manager_observer observer;
	weir_boot_faults faults;
	gsl_rng *random; /* boot delays */

	weir_managed_instance *instances; /* by slot of serving */
	weir_managed_server *servers;
	size_t instance_capacity, server_capacity;
	uint32_t instance_slots, server_slots; /* ever used */
	uint32_t total;                        /* instances that exist */
	uint32_t operations;                   /* of them, SCALING_UP or DRAINING */
	uint32_t *application_servers;         /* servers that exist, by application */
	int64_t *flips_to; /* draining to flip, [application * WEIR_TAG_COUNT + target] */
	int32_t *own_type; /* the same order: the pool's own type; -1: no such pool */
	uint64_t next_drain;

	size_t *first_type;   /* of an application in the following */
	size_t *sku_of;       /* first type with an equal SKU: what counts in `warm` */
	int64_t *warm;        /* stopped servers, by sku_of */
	bool *out_of_stock;   /* by first_type + type */
	size_t type_count;    /* of all applications */
	weir_candidate *pick; /* scratch of one choice */
	size_t pick_capacity;

	weir_manager_counters counters;
	weir_error error; /* the first that an operation met */
};

static inline size_t weir_pool_index(uint32_t application, weir_tag tag)
{
	return (size_t)application * WEIR_TAG_COUNT + tag;
}

/* Records an error; what the caller reports is then meaningless, and weir_manager_check says so. */
void weir_manager_fail(weir_manager *manager, const weir_error *error);

/* NULL when there is no such one. */
weir_managed_instance *weir_manager_instance(const weir_manager *manager,
                                             weir_instance_handle handle);
weir_managed_server *weir_manager_server(const weir_manager *manager, weir_server_handle handle);

/* ACTIVE instances of a pool. */
uint32_t weir_manager_active(const weir_manager *manager, uint32_t application, weir_tag tag);

/* manager_operations.c. False: memory is out, see weir_manager_fail. */
bool weir_manager_schedule(weir_manager *manager, weir_scaling_event type, double time,
                           uint32_t slot, uint32_t id, weir_event_handle *event);
/* The next look at a draining instance. */
bool weir_manager_schedule_check(weir_manager *manager, uint32_t slot);
bool weir_manager_set_state(weir_manager *manager, weir_instance_handle handle,
                            weir_instance_state state);
/* Whether a pool may have one more, or fewer, instances; *type becomes the pool's own where it is
 * WEIR_ANY_TYPE. */
weir_refusal weir_manager_may_grow(const weir_manager *manager, uint32_t application, weir_tag tag,
                                   int32_t *type);
weir_refusal weir_manager_may_shrink(const weir_manager *manager, uint32_t application,
                                     weir_tag tag);
/* Steps that are checked already. */
bool weir_manager_start_full(weir_manager *manager, const char *actor, uint32_t application,
                             weir_tag tag, uint32_t type, weir_instance_handle *instance);
bool weir_manager_drain(weir_manager *manager, const char *actor, weir_instance_handle instance,
                        weir_drain_end end, weir_tag target);
void weir_manager_cancel_boot(weir_manager *manager, const char *actor,
                              weir_instance_handle instance);
bool weir_manager_revive(weir_manager *manager, const char *actor, weir_instance_handle instance);
/* Removes an empty instance that is not ACTIVE; with_server: its server too, when that holds no
 * other. `lost`: not in good order, the server does not go to the warm pool. */
void weir_manager_remove(weir_manager *manager, const char *actor, weir_instance_handle instance,
                         bool with_server, bool lost);
void weir_manager_remove_server(weir_manager *manager, const char *actor, weir_server_handle server,
                                bool lost);

/* manager_log.c */
typedef struct weir_log_subject {
	const char *actor;
	uint32_t application;
	weir_tag tag;
	int64_t instance, server; /* ids; -1: none */
} weir_log_subject;

weir_log_subject weir_manager_subject(const weir_manager *manager, const char *actor,
                                      weir_instance_handle instance);
void weir_manager_row(const weir_manager *manager, const weir_log_subject *subject,
                      weir_scaling_action action, int64_t asked, int64_t done, weir_refusal reason);
void weir_manager_line(const weir_manager *manager, const char *format, ...) WEIR_PRINTF(2, 3);
/* "120.50", whatever the locale; `buffer` of WEIR_CLOCK_SIZE bytes is returned. */
enum { WEIR_CLOCK_SIZE = 32 };
const char *weir_manager_clock(const weir_manager *manager, char *buffer);
/* The line and the count of `count` operations that were refused; returns `reason`. */
weir_refusal weir_manager_blocked(weir_manager *manager, const weir_log_subject *subject,
                                  weir_refusal reason, bool grows, int64_t count);
/* The same of a single one, with its row. */
weir_refusal weir_manager_refuse(weir_manager *manager, const weir_log_subject *subject,
                                 weir_refusal reason, bool grows);

#endif
