/* From what a view shows of an interval to what rewards are made from. */
#ifndef WEIR_RL_SCALING_FACTS_H
#define WEIR_RL_SCALING_FACTS_H

#include <stdint.h>

#include "base/export.h"
#include "metrics/view.h"
#include "rl/reward.h"
#include "rl/scaling_task.h"
#include "scaling/controller.h"
#include "scaling/scaling_config.h"

WEIR_BEGIN_C

/* What stays the same during a simulation. */
typedef struct weir_facts_frame {
	bool own[WEIR_TAG_COUNT]; /* the pools whose bill and loads are looked at */
	double max_total_instances;
	double dearest_usd_per_hour; /* an instance of the dearest type that the config allows */
	double given_reference_usd_per_hour; /* 0: none */
	double reference_usd_per_hour;       /* the start state's instances of the own pools */
} weir_facts_frame;

WEIR_API weir_facts_frame weir_facts_frame_of(const weir_scaling_task *task,
                                              const weir_cluster *cluster, uint32_t application,
                                              const weir_scaling_config *scaling);

/* `view` has WEIR_FEATURE_NEEDS. Left at 0: charged, operations and the estimates. */
WEIR_API void weir_facts_fill(const weir_facts_frame *frame, const weir_view *view,
                              weir_reward_facts *facts);

/* Charges what is left at the end of an episode: requests that wait and are not overdue yet; of a
 * run that can never go on (`stalled`) all of them. */
WEIR_API void weir_facts_charge(const weir_view *view, bool stalled, weir_reward_facts *facts);

/* Instances that a decision started, took back, drained, cancelled and flipped. */
WEIR_API double weir_facts_operations(const weir_applied *applied);

WEIR_END_C

#endif
