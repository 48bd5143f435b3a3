/*
 * Policies: what decides how large the pools are to be.
 *
 * A policy sees a weir_view at every tick of its own interval and answers with a weir_decision; it
 * touches nothing else, so that a decision is a function of its parameters, its state and the view,
 * and can be tested with made-up views. The controller hands what it decided to the ScalingManager.
 *
 * A deferred policy decides outside: its `decide` only takes note of the view, the simulation
 * stands still, and goes on when the decision has been handed in (weir_controller_answer).
 *
 * To add one: sim/scaling/policy_<name>.{h,c} with a parameter struct, its key table and a
 * weir_policy_type; a line in WEIR_POLICIES of policies.h; tests/test_scaling_policy_<name>.c.
 */
#ifndef WEIR_SCALING_POLICY_H
#define WEIR_SCALING_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "metrics/view.h"
#include "scaling/scaling_config.h"
#include "serving/serving.h"

WEIR_BEGIN_C

/* In place of the number of an instance type: whichever the pool has. */
enum { WEIR_ANY_TYPE = -1 };

/* One change that a policy asks for. */
typedef struct weir_change {
	weir_tag tag;
	int32_t type;   /* of the application; WEIR_ANY_TYPE: the pool's own */
	bool absolute;  /* `amount` is the wanted size of the pool (SCALING_UP + ACTIVE, of all types),
	                   compared with what there is when the decision is applied */
	int64_t amount; /* else instances to add, or below 0 to take away */
} weir_change;

enum { WEIR_MOST_CHANGES = 16 };

/* What a policy wants; empty: leave everything as it is. Migration goes first, then the changes in
 * order. */
typedef struct weir_decision {
	int64_t migrate; /* instances from token to prompt; below 0: from prompt to token */
	weir_change changes[WEIR_MOST_CHANGES];
	size_t count;
} weir_decision;

/* The wanted size of a pool. */
WEIR_API void weir_decide_size(weir_decision *decision, weir_tag tag, int64_t size);
/* More or fewer instances of a pool, of one type or WEIR_ANY_TYPE. */
WEIR_API void weir_decide_change(weir_decision *decision, weir_tag tag, int32_t type,
                                 int64_t amount);

/* What a policy instance is for; const during its life. */
typedef struct weir_policy_context {
	const void *parameters; /* its own struct, as its key table made it */
	const weir_cluster *cluster;
	uint32_t application;
	unsigned tags; /* bit t: it acts on pool t. One bit, unless the policy is joint */
	int32_t types[WEIR_TAG_COUNT]; /* the pool's own type; -1: no such pool */
	const weir_scaling_config *scaling;
	double interval;                   /* s between ticks */
	double boot_delay[WEIR_TAG_COUNT]; /* s, mean, of the pool's own type */
	uint64_t seed;                     /* of the run */
	void *owner; /* of a policy that is handed in by a program (see weir_sim_options); else NULL */
} weir_policy_context;

typedef struct weir_policy_type {
	const char *name;
	const char *summary; /* one line, with its source */
	bool joint;          /* one instance acts on all pools; else one instance for each */
	bool deferred;       /* what `decide` leaves in *decision is not looked at */
	unsigned needs;      /* bits of weir_view_need */
	double interval;     /* s between ticks, unless the config says otherwise */
	/*
	 * Its state is one flat block without pointers, so that a snapshot is a copy of it. `start`
	 * fills it (it is zero before); errors: parameters that make no sense for this cluster, told
	 * with where = key path below the policy.
	 */
	size_t (*state_size)(const weir_policy_context *context);
	weir_status (*start)(const weir_policy_context *context, void *state, weir_error *error);
	/* One tick. *decision is empty before. What *view points to is valid during the call, of a
	 * deferred policy until its decision is handed in. */
	void (*decide)(const weir_policy_context *context, void *state, const weir_view *view,
	               weir_decision *decision);
} weir_policy_type;

/* The one tag of a policy that is not joint. */
WEIR_API weir_tag weir_policy_tag(const weir_policy_context *context);

/* Instances that the pool has or will have: SCALING_UP + ACTIVE. */
static inline int64_t weir_view_size(const weir_view_pool *pool)
{
	return (int64_t)pool->count[WEIR_INSTANCE_SCALING_UP] + pool->count[WEIR_INSTANCE_ACTIVE];
}

/* The figures that a policy can be told to follow by name: `metric`. */
typedef enum weir_policy_metric {
	WEIR_METRIC_CONCURRENCY,    /* requests in the system per instance */
	WEIR_METRIC_KV,             /* load_kv, 0..1 */
	WEIR_METRIC_BATCH,          /* load_batch, 0..1 */
	WEIR_METRIC_BUSY,           /* load_busy, 0..1 */
	WEIR_METRIC_PENDING_TOKENS, /* pending prompt tokens per instance */
	WEIR_METRIC_QUEUE,          /* queued prompt and token tasks per instance */
	WEIR_METRIC_COUNT
} weir_policy_metric;

/* "concurrency", "kv", "batch", "busy", "pending_tokens", "queue"; NULL-terminated. */
WEIR_API extern const char *const weir_policy_metrics[];

/* The metric's value for one instance, and its sum over all instances of a pool (for loads: the sum
 * of the instances' loads). The sum needs WEIR_VIEW_INSTANCES for batch and busy. */
WEIR_API double weir_metric_of_instance(const weir_view_instance *instance,
                                        weir_policy_metric metric);
WEIR_API double weir_metric_total(const weir_view *view, weir_tag tag, weir_policy_metric metric);

WEIR_END_C

#endif
