/* What a simulation is made of. Internal to the run room. */
#ifndef WEIR_RUN_SIM_INTERNAL_H
#define WEIR_RUN_SIM_INTERNAL_H

#include "engine/engine.h"
#include "run/cluster.h"
#include "run/sim.h"
#include "scaling/controller.h"
#include "scaling/faults.h"
#include "scaling/manager.h"
#include "workload/source.h"

/* Event types of this room, after those of scaling. */
typedef enum weir_run_event {
	WEIR_EVENT_ARRIVAL = WEIR_SCALING_EVENT_END, /* of the request that was drawn last */
	WEIR_EVENT_SAMPLE
} weir_run_event;

/* The room's own state, copied as it is. */
typedef struct weir_sim_state {
	bool workload_ended, finished;
	bool sample_pending;
	bool out_of_memory; /* met where it could not be told */
	uint64_t samples;   /* scheduled so far */
} weir_sim_state;

struct weir_sim {
	const weir_config *config;
	weir_sim_observer observer;
	weir_built_cluster built;
	weir_controller_policy *policies; /* to run; never NULL */
	size_t policy_count;
	/* What a snapshot has as well. */
	weir_engine *engine;
	weir_serving *serving;
	weir_sampler *sampler;
	weir_manager *manager;
	weir_meter *meter;
	weir_controller *controller; /* NULL: no policy */
	weir_faults *faults;         /* NULL: none configured */
	weir_source *source;
	weir_request request; /* whose arrival is pending */
	weir_sim_state state;
};

/* Makes everything from the engine to the faults, of `config`, `observer`, `built` and `policies`.
 * What was made is released by weir_sim_destroy_parts, also after an error. */
weir_status weir_sim_build_parts(weir_sim *sim, weir_error *error);
void weir_sim_destroy_parts(weir_sim *sim);

/* sim_scaling.c: what makes the cluster elastic. */

/* The policies of the config, as the controller wants them. */
void weir_sim_list_policies(const weir_config *config, weir_controller_policy *policies);
weir_status weir_sim_build_scaling(weir_sim *sim, weir_error *error);
weir_status weir_sim_handle_scaling(weir_sim *sim, const weir_event *event, weir_error *error);
/* Pending events of policies and faults that would not by themselves keep the run going. */
uint64_t weir_sim_background(const weir_sim *sim);
/* Tells the observer of what is left of instances and servers. */
void weir_sim_end_instances(const weir_sim *sim);

#endif
