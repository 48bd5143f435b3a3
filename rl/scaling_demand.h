/*
 * How many instances the arrivals ask for: their rate, averaged over the last intervals, over what
 * one instance carries; and how long a request that comes now would take.
 */
#ifndef WEIR_RL_SCALING_DEMAND_H
#define WEIR_RL_SCALING_DEMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "metrics/slo.h"
#include "metrics/view.h"
#include "rl/scaling_task.h"
#include "scaling/capacity.h"

WEIR_BEGIN_C

/* Of one cluster; const during a simulation. */
typedef struct weir_fleet_demand_model {
	uint32_t application;
	const weir_slo *slo;
	bool has[WEIR_TAG_COUNT]; /* the pools that there are */
	weir_capacity capacity[WEIR_TAG_COUNT];
	double given_rate[WEIR_TAG_COUNT]; /* requests/s of one instance; 0: from the capacity */
} weir_fleet_demand_model;

/* types[tag]: the instance type of each pool, -1 for one that there is not. */
WEIR_API weir_fleet_demand_model weir_fleet_demand_model_of(
    const weir_scaling_action_config *config, const weir_cluster *cluster, const weir_slo *slo,
    uint32_t application, const int32_t types[WEIR_TAG_COUNT]);

/* Mean tokens of a request. */
typedef struct weir_fleet_demand_sizes {
	double prompt, output;
} weir_fleet_demand_sizes;

/*
 * Requests/s that one instance of a pool carries. Prompt: the best number of prompts at a time,
 * over the time that they take. Token: the largest batch that its memory holds and that decodes a
 * token within the TBT limit of slo.per_request, over the time of its iteration and the output's
 * length. Mixed: both one after the other.
 */
WEIR_API double weir_fleet_demand_instance_rate(const weir_fleet_demand_model *model, weir_tag tag,
                                                weir_fleet_demand_sizes sizes);

/* The arrivals of the last intervals, a ring. All zero: none yet. */
typedef struct weir_fleet_demand_memory {
	uint64_t seen; /* intervals */
	struct {
		double seconds, arrivals, prompt_tokens, output_tokens;
	} intervals[WEIR_MOST_SMOOTHING];
} weir_fleet_demand_memory;

/* Takes in what arrived in the view's interval, unless that is 0 s long. `smoothing` intervals are
 * remembered. */
WEIR_API void weir_fleet_demand_observe(weir_fleet_demand_memory *memory, int64_t smoothing,
                                        const weir_view *view);

/* Instances that they ask for, by pool; 0 of a pool that there is not, and where nothing arrived.
 */
WEIR_API void weir_fleet_demand_of(const weir_fleet_demand_model *model,
                                   const weir_fleet_demand_memory *memory, int64_t smoothing,
                                   double demand[WEIR_TAG_COUNT]);

/*
 * Of a request of the mean size of those remembered that comes now: the time to its first token
 * (prompt tokens that are pending, then its own, at the rate of the ACTIVE instances) and that
 * between tokens (of an iteration with the pool's requests evenly spread; where memory does not
 * hold them they take turns), both over the limits of slo.per_request. INFINITY without an ACTIVE
 * instance; 0 while nothing has arrived.
 */
WEIR_API void weir_fleet_demand_estimate(const weir_fleet_demand_model *model,
                                         const weir_fleet_demand_memory *memory, int64_t smoothing,
                                         const weir_view *view, double *ttft, double *tbt);

WEIR_END_C

#endif
