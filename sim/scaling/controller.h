/*
 * The controller: runs the policies of a simulation. Ticks, what each of them sees and how late,
 * and what becomes of what they decide.
 *
 * A policy ticks at the multiples of its interval from time 0. It sees the newest scrape that is at
 * least `control.metric_lag` old: of scrapes at the multiples of `control.scrape_interval`, or,
 * when that is 0, at its own ticks. Until there is one it is not asked; while there is no newer one
 * it is shown the same view again. The counts of instances and servers in it, and when the next one
 * is ready, are those of the tick.
 *
 * A decision is cut to what the config allows (decision_cut.h: ratio bounds, operations in flight,
 * the policy's own pools) and goes through the ScalingManager, `control.decision_delay` after it
 * was made. Later ones do not replace it: all are applied, in order. In the records the actor is
 * the policy's name, followed by ":prompt", ":token" or ":mixed" where it has one pool.
 *
 * A deferred policy's tick is not over when it has been handled: the controller waits for its
 * decision, and no event may be handled before that is there.
 *
 * Cost of a tick: O(pools), and O(instances) for policies that ask for instances.
 */
#ifndef WEIR_SCALING_CONTROLLER_H
#define WEIR_SCALING_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "engine/engine.h"
#include "metrics/view.h"
#include "scaling/manager.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

/* One policy to run. */
typedef struct weir_controller_policy {
	const weir_policy_type *type;
	const void *parameters;
	uint32_t application;
	int pool;        /* weir_tag; -1: all that there are */
	double interval; /* s; 0: the type's own */
	void *owner;     /* see weir_policy_context */
	unsigned needs;  /* bits of weir_view_need, beside those of its type */
} weir_controller_policy;

typedef struct weir_controller_options {
	const weir_controller_policy *policies;
	size_t policy_count;
	const weir_control_config *control;
	const weir_scaling_config *scaling;
	uint64_t seed;
} weir_controller_options;

typedef struct weir_controller weir_controller;

/* What became of one thing that a decision asked for; instances, below 0: to be taken away, and of
 * a migration from prompt to token. */
typedef struct weir_applied_part {
	int64_t asked, allowed, done; /* allowed: what the config let through (decision_cut.h) */
	weir_refusal reason;          /* the first why it was cut or not all done; NONE: all was */
} weir_applied_part;

/* What became of a decision. Sizes are weir_manager_size's, counted by what exists. */
typedef struct weir_applied {
	bool put_off; /* control.decision_delay: nothing of it is done yet, and of the parts only what
	                 is asked for as things are now is known */
	weir_applied_part migration, pools[WEIR_TAG_COUNT]; /* all changes of a pool together */
	int64_t size_before[WEIR_TAG_COUNT], size_after[WEIR_TAG_COUNT];
} weir_applied;

/* Schedules the first ticks, at time 0. `options` may go; what it points to, and the rest, is
 * borrowed. Errors: those of the policies' start (where = "policies[i].path"), a pool that the
 * application does not have ("policies[i].pool"); out of memory. */
WEIR_API weir_status weir_controller_create(const weir_controller_options *options,
                                            const weir_cluster *cluster, weir_meter *meter,
                                            weir_manager *manager, weir_engine *engine,
                                            weir_controller **controller, weir_error *error);
WEIR_API void weir_controller_destroy(weir_controller *controller);

/* Runs WEIR_EVENT_SCRAPE, _POLICY or _DECISION; not while it waits (asserted). A tick schedules the
 * next one while `go_on`. */
WEIR_API weir_status weir_controller_handle(weir_controller *controller, const weir_event *event,
                                            bool go_on, weir_error *error);

/* The number (in the options' list) of the deferred policy whose decision it waits for; -1: none.
 */
WEIR_API int weir_controller_waiting(const weir_controller *controller);

/* The decision that it waits for (asserted), at the instant of the tick. *applied, which may be
 * NULL, says what became of it. Errors: out of memory. */
WEIR_API weir_status weir_controller_answer(weir_controller *controller,
                                            const weir_decision *decision, weir_applied *applied,
                                            weir_error *error);

/* Events of this controller that are pending and would not by themselves keep a run going: ticks
 * and scrapes, not decisions. */
WEIR_API uint64_t weir_controller_background(const weir_controller *controller);

/* Makes `target` equal to `source`, made from equal options; it waits if that does. What a deferred
 * policy has noted outside is not copied. False when memory is out. */
WEIR_API bool weir_controller_copy(weir_controller *target, const weir_controller *source);

WEIR_END_C

#endif
