/*
 * The controller: runs the policies of a simulation. Ticks, what each of them sees and how late,
 * and what becomes of what they decide.
 *
 * A policy ticks at the multiples of its interval from time 0. It sees the newest scrape that is at
 * least `control.metric_lag` old: of scrapes at the multiples of `control.scrape_interval`, or,
 * when that is 0, at its own ticks. Until there is one it is not asked; while there is no newer one
 * it is shown the same view again. The counts of instances in it are those of the tick.
 *
 * A decision is cut to what the config allows (decision_cut.h: ratio bounds, operations in flight,
 * the policy's own pools) and goes through the ScalingManager, `control.decision_delay` after it
 * was made. Later ones do not replace it: all are applied, in order. In the records the actor is
 * the policy's name, followed by ":prompt", ":token" or ":mixed" where it has one pool.
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
} weir_controller_policy;

typedef struct weir_controller_options {
	const weir_controller_policy *policies;
	size_t policy_count;
	const weir_control_config *control;
	const weir_scaling_config *scaling;
	uint64_t seed;
} weir_controller_options;

typedef struct weir_controller weir_controller;

/* Schedules the first ticks, at time 0. `options` may go; what it points to, and the rest, is
 * borrowed. Errors: those of the policies' start (where = "policies[i].path"), a pool that the
 * application does not have ("policies[i].pool"); out of memory. */
WEIR_API weir_status weir_controller_create(const weir_controller_options *options,
                                            const weir_cluster *cluster, weir_meter *meter,
                                            weir_manager *manager, weir_engine *engine,
                                            weir_controller **controller, weir_error *error);
WEIR_API void weir_controller_destroy(weir_controller *controller);

/* Runs WEIR_EVENT_SCRAPE, _POLICY or _DECISION. A tick schedules the next one while `go_on`. */
WEIR_API weir_status weir_controller_handle(weir_controller *controller, const weir_event *event,
                                            bool go_on, weir_error *error);

/* Events of this controller that are pending and would not by themselves keep a run going: ticks
 * and scrapes, not decisions. */
WEIR_API uint64_t weir_controller_background(const weir_controller *controller);

/* Makes `target` equal to `source`, made from equal options. False when memory is out. */
WEIR_API bool weir_controller_copy(weir_controller *target, const weir_controller *source);

WEIR_END_C

#endif
