/*
 * The ScalingManager: the only one that changes a cluster.
 *
 * Policies, agents and faults ask it; it checks limits, starts and drains instances, and keeps
 * count. An operation that cannot be done is refused with a reason, logged and counted, never an
 * error. Life of an instance: SCALING_UP -> ACTIVE -> DRAINING -> gone. Of a server: SCALING_UP ->
 * ACTIVE -> gone. Semantics: docs/autoscalers.md.
 *
 * Cost: an operation on a named instance and a lifecycle event are O(log n); choosing the least
 * loaded instances of a pool is O(instances).
 */
#ifndef WEIR_SCALING_MANAGER_H
#define WEIR_SCALING_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "engine/engine.h"
#include "scaling/policy.h"
#include "scaling/scaling_config.h"
#include "serving/lifecycle.h"

WEIR_BEGIN_C

/* Event types of this room, after those of serving; those of other rooms start at
 * WEIR_SCALING_EVENT_END. Lifecycle events carry the slot as subject and the id as data, so that an
 * event of one who is gone is known. */
typedef enum weir_scaling_event {
	WEIR_EVENT_INSTANCE_READY = WEIR_SERVING_EVENT_END, /* its boot or role flip ends */
	WEIR_EVENT_SERVER_READY,                            /* one that was started without instance */
	WEIR_EVENT_DRAIN_CHECK,
	WEIR_EVENT_FAULT,    /* subject: which kind, see faults.h */
	WEIR_EVENT_SCRAPE,   /* subject: consumer, see controller.h */
	WEIR_EVENT_POLICY,   /* subject: policy; its tick */
	WEIR_EVENT_DECISION, /* subject: policy; a late decision is applied */
	WEIR_SCALING_EVENT_END
} weir_scaling_event;

/* Why an operation was refused, or a request for several was cut. name, text */
#define WEIR_REFUSALS(X)                                                                           \
	X(NONE, "")                                                                                    \
	X(MAX_TOTAL, "max_total_instances reached")                                                    \
	X(MIN_POOL, "min_instances_per_pool reached")                                                  \
	X(NOT_ACTIVE, "the instance is not ACTIVE")                                                    \
	X(GONE, "no such instance or server")                                                          \
	X(SERVER_NOT_ACTIVE, "the server is not ACTIVE")                                               \
	X(SERVER_IN_USE, "the server still holds an instance")                                         \
	X(SERVER_FULL, "the server has no GPUs left")                                                  \
	X(SAME_POOL, "the instance is in that pool already")                                           \
	X(NO_POOL, "the cluster has no such pool")                                                     \
	X(NO_TYPE, "the SKU is not one that the application may use")                                  \
	X(STOCK_OUT, "the SKU is out of stock")                                                        \
	X(MAX_OPERATIONS, "control.max_operations in flight")                                          \
	X(RATIO, "prompt/token ratio bound")                                                           \
	X(NOTHING_LEFT, "no instance left that could be taken")

typedef enum weir_refusal {
#define WEIR_REFUSAL_ENUM(name, text) WEIR_REFUSED_##name,
	WEIR_REFUSALS(WEIR_REFUSAL_ENUM)
#undef WEIR_REFUSAL_ENUM
	    WEIR_REFUSAL_COUNT
} weir_refusal;

/* The texts, NULL-terminated. */
WEIR_API extern const char *const weir_refusal_texts[];

/* What a row of /scaling_events is about. name, text */
#define WEIR_SCALING_ACTIONS(X)                                                                    \
	X(RESIZE, "resize")   /* a pool was asked to grow or shrink: asked, done */                    \
	X(MIGRATE, "migrate") /* likewise, instances asked to change pools */                          \
	X(SERVER_STARTED, "server_started")                                                            \
	X(INSTANCE_STARTED, "instance_started")                                                        \
	X(INSTANCE_READY, "instance_ready")                                                            \
	X(BOOT_CANCELLED, "boot_cancelled")                                                            \
	X(BOOT_FAILED, "boot_failed")                                                                  \
	X(DRAIN_STARTED, "drain_started")                                                              \
	X(DRAIN_REVIVED, "drain_revived")                                                              \
	X(DRAIN_TIMED_OUT, "drain_timed_out") /* done: requests moved elsewhere */                     \
	X(FLIP_STARTED, "flip_started")                                                                \
	X(FLIPPED, "flipped")                                                                          \
	X(INSTANCE_REMOVED, "instance_removed")                                                        \
	X(SERVER_REMOVED, "server_removed")                                                            \
	X(CRASHED, "crashed") /* done: requests hit */                                                 \
	X(SERVER_LOST, "server_lost")                                                                  \
	X(PREEMPTION_NOTICE, "preemption_notice")                                                      \
	X(STOCK_OUT, "stock_out")                                                                      \
	X(RESTOCKED, "restocked")                                                                      \
	X(REFUSED, "refused") /* one operation, for `reason` */

typedef enum weir_scaling_action {
#define WEIR_SCALING_ACTION_ENUM(name, text) WEIR_SCALING_##name,
	WEIR_SCALING_ACTIONS(WEIR_SCALING_ACTION_ENUM)
#undef WEIR_SCALING_ACTION_ENUM
	    WEIR_SCALING_ACTION_COUNT
} weir_scaling_action;

/* The texts, NULL-terminated. */
WEIR_API extern const char *const weir_scaling_action_names[];

enum { WEIR_ACTOR_SIZE = 32 }; /* as wide as a name column of a recorded table */

/* X(field, C type, column type, unit, description); the column list of /scaling_events */
#define WEIR_SCALING_EVENT_ROW(X)                                                                  \
	X(time, double, DOUBLE, "s", "When it happened.")                                              \
	X(action, uint8_t, UINT8, "", "What happened.")                                                \
	X(application, int32_t, INT32, "", "Number of the application in the config, from 0.")         \
	X(pool, uint8_t, UINT8, "", "The pool: for a migration the one that gains.")                   \
	X(asked, int32_t, INT32, "instances", "Instances asked for; below 0: to be taken away.")       \
	X(done, int32_t, INT32, "instances",                                                           \
	  "How many of them; of an instance that ended badly: requests that it had.")                  \
	X(reason, uint8_t, UINT8, "", "Why it was cut or refused.")                                    \
	X(instance, int32_t, INT32, "", "Id of the instance; -1: none.")                               \
	X(server, int32_t, INT32, "", "Id of the server; -1: none.")

typedef struct weir_scaling_event_row {
#define WEIR_SCALING_EVENT_FIELD(field, type, column, unit, description) type field;
	WEIR_SCALING_EVENT_ROW(WEIR_SCALING_EVENT_FIELD)
#undef WEIR_SCALING_EVENT_FIELD
	char actor[WEIR_ACTOR_SIZE]; /* who asked: a policy's name, "manager", "faults", ... */
} weir_scaling_event_row;

/* Who is told of what happens; a NULL function is not called. */
typedef struct weir_manager_observer {
	void *context;
	void (*scaling_event)(void *context, const weir_scaling_event_row *row);
	/* Just before an instance or a server goes, its last state. */
	void (*instance_ended)(void *context, const weir_instance_view *view);
	void (*server_ended)(void *context, const weir_server_view *view);
	/* A line of the log, level info, without newline: docs/autoscalers.md lists them. */
	void (*log)(void *context, const char *line);
} weir_manager_observer;

typedef struct weir_manager weir_manager;

/* Counts since the start. Drains and flips count when they begin; `removed` is every instance that
 * is gone, cancelled and lost ones included. */
typedef struct weir_manager_counters {
	uint64_t started, cancelled, drained, revived, flipped, removed; /* instances */
	uint64_t servers_started, servers_removed;
	uint64_t refused[WEIR_REFUSAL_COUNT]; /* operations, by reason */
	uint64_t drain_timeouts, requests_moved;
} weir_manager_counters;

/* `status_summary`: instances by state, per tag and in all, of one application. */
typedef struct weir_status_summary {
	uint32_t by_tag[WEIR_TAG_COUNT][WEIR_INSTANCE_STATE_COUNT];
	uint32_t active, scaling_up, draining;
	uint32_t total_instances; /* in every state */
	uint32_t servers;
} weir_status_summary;

/* Everything is borrowed. The start state's instances are ACTIVE. `seed`: of the boot delays'
 * stream. Errors: out of memory. */
WEIR_API weir_status weir_manager_create(const weir_scaling_config *config,
                                         const weir_cluster *cluster, weir_serving *serving,
                                         weir_engine *engine, uint64_t seed,
                                         const weir_manager_observer *observer,
                                         weir_manager **manager, weir_error *error);
WEIR_API void weir_manager_destroy(weir_manager *manager);

/* Runs one of WEIR_EVENT_INSTANCE_READY, _SERVER_READY, _DRAIN_CHECK. Errors: out of memory. */
WEIR_API weir_status weir_manager_handle(weir_manager *manager, const weir_event *event,
                                         weir_error *error);

/* WEIR_OK unless an operation ran out of memory. */
WEIR_API weir_status weir_manager_check(const weir_manager *manager, weir_error *error);

/* What is to be added; `type` WEIR_ANY_TYPE: that of the pool's first start instance. */
typedef struct weir_scale_request {
	uint32_t application;
	weir_tag tag;
	int32_t type;
} weir_scale_request;

/* One operation each; WEIR_REFUSED_NONE when it was done. `actor` names who asked. */
WEIR_API weir_refusal weir_manager_scale_up_full(weir_manager *manager, const char *actor,
                                                 const weir_scale_request *request,
                                                 weir_instance_handle *instance);
WEIR_API weir_refusal weir_manager_scale_down_full(weir_manager *manager, const char *actor,
                                                   weir_instance_handle instance);
WEIR_API weir_refusal weir_manager_scale_up_server(weir_manager *manager, const char *actor,
                                                   const weir_scale_request *request,
                                                   weir_server_handle *server);
/* On a server that is ACTIVE, or beside the boot of one that is SCALING_UP: then it is ready not
 * before the server. */
WEIR_API weir_refusal weir_manager_scale_up_instance(weir_manager *manager, const char *actor,
                                                     weir_server_handle server, weir_tag tag,
                                                     weir_instance_handle *instance);
/* Drains; its server stays. */
WEIR_API weir_refusal weir_manager_scale_down_instance(weir_manager *manager, const char *actor,
                                                       weir_instance_handle instance);
WEIR_API weir_refusal weir_manager_scale_down_server(weir_manager *manager, const char *actor,
                                                     weir_server_handle server);
/* Role flip: drains, keeps its weights, and is ACTIVE in the other pool role_flip_delay after it is
 * empty. */
WEIR_API weir_refusal weir_manager_flip(weir_manager *manager, const char *actor,
                                        weir_instance_handle instance, weir_tag tag);

/* What came of asking for several. */
typedef struct weir_resize_result {
	int64_t done;        /* with the sign of what was asked */
	weir_refusal reason; /* of the first that could not be done */
} weir_resize_result;

/*
 * Adds (delta above 0) or takes away instances of a pool: draining ones are revived first, booting
 * ones cancelled first, as the config says; then servers are started, or the least loaded ACTIVE
 * instances drained (prompt: fewest pending prompt tokens; token and mixed: least KV promised; ties
 * by lowest id). `type`: only of that type; WEIR_ANY_TYPE: the pool's own for what is started, any
 * for what is taken away. One row of /scaling_events says what was asked and done.
 */
WEIR_API weir_resize_result weir_manager_resize(weir_manager *manager, const char *actor,
                                                uint32_t application, weir_tag tag, int32_t type,
                                                int64_t delta);
/* Flips the `count` least loaded instances of one pool to another. */
WEIR_API weir_resize_result weir_manager_migrate(weir_manager *manager, const char *actor,
                                                 uint32_t application, weir_tag from, weir_tag to,
                                                 int64_t count);

/* Records that a decision for a pool was cut before it came here, from `asked` to `done` instances:
 * one REFUSED row, and the difference counted as refused for `reason`. */
WEIR_API void weir_manager_note_cut(weir_manager *manager, const char *actor, uint32_t application,
                                    weir_tag tag, int64_t asked, int64_t done, weir_refusal reason);

/* Operations in flight of a pool that weir_manager_resize ends before it begins new ones: boots
 * that a shrink cancels, drains that a growth takes back; 0 where the config turns that off. Cost:
 * O(instances). */
typedef struct weir_undoable {
	int64_t boots, drains;
} weir_undoable;
WEIR_API weir_undoable weir_manager_undoable(const weir_manager *manager, uint32_t application,
                                             weir_tag tag);

/* SCALING_UP + ACTIVE instances of a pool, those that flip to it included: what policies resize. */
WEIR_API int64_t weir_manager_size(const weir_manager *manager, uint32_t application, weir_tag tag);

/* Whether the cluster has such a pool: a single-pool cluster has mixed alone. */
WEIR_API bool weir_manager_has_pool(const weir_manager *manager, uint32_t application,
                                    weir_tag tag);

/* Operations in flight: instances that boot, drain or flip. */
WEIR_API uint32_t weir_manager_operations(const weir_manager *manager);

/*
 * Pending events of the manager that would not by themselves keep a run going: looks at draining
 * instances that still have work, which only the work itself can end. Cost: O(instances).
 */
WEIR_API uint64_t weir_manager_background(const weir_manager *manager);

/* Seconds until the next SCALING_UP instance of the pool is ready; INFINITY when there is none. */
WEIR_API double weir_manager_next_ready(const weir_manager *manager, uint32_t application,
                                        weir_tag tag);

/* Servers of an application that have booted. Cost: O(servers). */
WEIR_API uint32_t weir_manager_active_servers(const weir_manager *manager, uint32_t application);

/* Mean boot delay of the pool's own type, s: the horizon of predictive policies. */
WEIR_API double weir_manager_mean_boot_delay(const weir_manager *manager, uint32_t application,
                                             weir_tag tag);

WEIR_API void weir_manager_status(const weir_manager *manager, uint32_t application,
                                  weir_status_summary *summary);
WEIR_API void weir_manager_counters_get(const weir_manager *manager,
                                        weir_manager_counters *counters);

/*
 * For faults. Ends an instance at once, whatever its state: requests on it begin again (see
 * weir_serving_evict), its server goes with it when that holds no other. `action` is what the row
 * says: CRASHED, BOOT_FAILED, SERVER_LOST. Returns the requests hit.
 */
WEIR_API uint64_t weir_manager_lose(weir_manager *manager, const char *actor,
                                    weir_instance_handle instance, weir_scaling_action action);
/* The same of all instances of a server, of which a request is hit once, and of the server, even
 * when it holds none. */
WEIR_API uint64_t weir_manager_lose_server(weir_manager *manager, const char *actor,
                                           weir_server_handle server);
/* Notice that a server will be lost: its ACTIVE instances drain, whatever the limits, those that
 * boot are cancelled, and what drains there is neither taken back nor flipped. */
WEIR_API void weir_manager_preempt(weir_manager *manager, const char *actor,
                                   weir_server_handle server);
/* Types out of stock are refused until they are back. */
WEIR_API void weir_manager_set_stock(weir_manager *manager, uint32_t application, uint32_t type,
                                     bool in_stock);
/* Asked at the start of every boot: how many times as long it takes, and whether it fails at its
 * end; and told of every instance and server that was made, and of every boot that has failed,
 * whose instance is gone then. All may be NULL. */
typedef struct weir_boot_faults {
	void *context;
	double (*slowness)(void *context);
	bool (*fails)(void *context);
	void (*instance_made)(void *context, weir_instance_handle instance);
	void (*server_made)(void *context, weir_server_handle server);
	void (*boot_failed)(void *context, const weir_scale_request *boot);
} weir_boot_faults;
WEIR_API void weir_manager_set_boot_faults(weir_manager *manager, const weir_boot_faults *faults);

/* Makes `target` equal to `source`, made from equal configs. False when memory is out. */
WEIR_API bool weir_manager_copy(weir_manager *target, const weir_manager *source);

WEIR_END_C

#endif
