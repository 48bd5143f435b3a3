/* The part of a simulation that changes the cluster: manager, policies, faults. */
#include <assert.h>
#include <string.h>

#include "run/sim_internal.h"

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the simulation");
}

/* The names have been checked with the config. */
void weir_sim_list_policies(const weir_config *config, weir_controller_policy *policies)
{
	const weir_policy_config *items = config->policies.items;
	for (size_t i = 0; i < config->policies.count; i++) {
		uint32_t application = 0;
		while (items[i].application[0] != '\0' &&
		       strcmp(config->applications[application].name, items[i].application) != 0) {
			application++;
		}
		int pool = -1;
		for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			if (strcmp(items[i].pool, weir_tag_names[tag]) == 0) {
				pool = tag;
			}
		}
		policies[i] = (weir_controller_policy){
		    .type = weir_policy_types[items[i].kind],
		    .parameters = weir_policy_parameters(&items[i]),
		    .application = application,
		    .pool = pool,
		    .interval = items[i].interval,
		};
	}
}

static weir_status build_controller(weir_sim *sim, weir_error *error)
{
	if (sim->policy_count == 0) {
		return WEIR_OK;
	}
	const weir_controller_options options = {
	    .policies = sim->policies,
	    .policy_count = sim->policy_count,
	    .control = &sim->config->control,
	    .scaling = &sim->config->scaling,
	    .seed = sim->config->seed,
	};
	return weir_controller_create(&options, &sim->built.cluster, sim->meter, sim->manager,
	                              sim->engine, &sim->controller, error);
}

weir_status weir_sim_build_scaling(weir_sim *sim, weir_error *error)
{
	const weir_config *config = sim->config;
	const weir_manager_observer observer = {
	    .context = sim->observer.context,
	    .scaling_event = sim->observer.scaling_event,
	    .instance_ended = sim->observer.instance_ended,
	    .server_ended = sim->observer.server_ended,
	    .log = sim->observer.log,
	};
	weir_status status =
	    weir_manager_create(&config->scaling, &sim->built.cluster, sim->serving, sim->engine,
	                        config->seed, &observer, &sim->manager, error);
	if (status != WEIR_OK) {
		return status;
	}
	sim->meter = weir_meter_create(&sim->built.cluster, sim->serving, &sim->built.slo);
	if (sim->meter == NULL) {
		return out_of_memory(error);
	}
	status = build_controller(sim, error);
	if (status == WEIR_OK && weir_faults_enabled(&config->faults)) {
		status = weir_faults_create(&config->faults, &sim->built.cluster, sim->serving,
		                            sim->manager, sim->engine, config->seed, &sim->faults, error);
	}
	return status;
}

/* Policies decide as long as requests come, and while some wait for an instance that only a policy
 * could bring. */
static bool policies_go_on(const weir_sim *sim)
{
	weir_serving_counters counters;
	weir_serving_counters_get(sim->serving, &counters);
	return !sim->state.workload_ended || counters.waiting_at_scheduler > 0;
}

weir_status weir_sim_handle_scaling(weir_sim *sim, const weir_event *event, weir_error *error)
{
	weir_status status = WEIR_OK;
	switch ((weir_scaling_event)event->type) {
	case WEIR_EVENT_INSTANCE_READY:
	case WEIR_EVENT_SERVER_READY:
	case WEIR_EVENT_DRAIN_CHECK:
		return weir_manager_handle(sim->manager, event, error);
	case WEIR_EVENT_FAULT:
		status = weir_faults_handle(sim->faults, event, error);
		break;
	case WEIR_EVENT_SCRAPE:
	case WEIR_EVENT_POLICY:
	case WEIR_EVENT_DECISION:
		status = weir_controller_handle(sim->controller, event, policies_go_on(sim), error);
		break;
	case WEIR_SCALING_EVENT_END:
		assert(false);
	}
	return status == WEIR_OK ? weir_manager_check(sim->manager, error) : status;
}

int weir_sim_waiting(const weir_sim *sim)
{
	return sim->controller != NULL ? weir_controller_waiting(sim->controller) : -1;
}

weir_status weir_sim_answer(weir_sim *sim, const weir_decision *decision, weir_applied *applied,
                            weir_error *error)
{
	assert(weir_sim_waiting(sim) >= 0);
	return weir_controller_answer(sim->controller, decision, applied, error);
}

uint64_t weir_sim_background(const weir_sim *sim)
{
	return weir_manager_background(sim->manager) +
	       (sim->controller != NULL ? weir_controller_background(sim->controller) : 0) +
	       (sim->faults != NULL ? weir_faults_background(sim->faults) : 0);
}

void weir_sim_end_instances(const weir_sim *sim)
{
	const weir_sim_observer *observer = &sim->observer;
	uint32_t slots = weir_serving_instance_slots(sim->serving);
	for (uint32_t slot = 0; slot < slots && observer->instance_left != NULL; slot++) {
		weir_instance_view view;
		if (weir_serving_instance(sim->serving, slot, &view)) {
			observer->instance_left(observer->context, &view);
		}
	}
	slots = weir_serving_server_slots(sim->serving);
	for (uint32_t slot = 0; slot < slots && observer->server_left != NULL; slot++) {
		weir_server_view view;
		if (weir_serving_server(sim->serving, slot, &view)) {
			observer->server_left(observer->context, &view);
		}
	}
}
