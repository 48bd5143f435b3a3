/* What a simulation is made of. Internal to the run room. */
#ifndef WEIR_RUN_SIM_INTERNAL_H
#define WEIR_RUN_SIM_INTERNAL_H

#include "engine/engine.h"
#include "run/cluster.h"
#include "run/sim.h"
#include "workload/source.h"

/* Event types of this room, after those of serving. */
typedef enum weir_run_event {
	WEIR_EVENT_ARRIVAL = WEIR_SERVING_EVENT_END, /* of the request that was drawn last */
	WEIR_EVENT_SAMPLE
} weir_run_event;

/* The room's own state, copied as it is. */
typedef struct weir_sim_state {
	bool workload_ended, finished;
	bool sample_pending;
	uint64_t samples; /* scheduled so far */
} weir_sim_state;

struct weir_sim {
	const weir_config *config;
	weir_sim_observer observer;
	weir_built_cluster built;
	weir_engine *engine;
	weir_serving *serving;
	weir_sampler *sampler;
	weir_source *source;
	weir_request request; /* whose arrival is pending */
	weir_sim_state state;
};

#endif
