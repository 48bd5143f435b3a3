/* Saving and restoring whole simulations. */
#include <stdlib.h>

#include "base/memory.h"
#include "run/sim_internal.h"

struct weir_sim_snapshot {
	weir_sim parts; /* without a workload; its cluster and policies are the simulation's */
	void *source_state;
};

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a snapshot");
}

static weir_status copy_parts(weir_sim *to, const weir_sim *from, weir_error *error)
{
	to->request = from->request;
	to->state = from->state;
	if (weir_engine_copy(to->engine, from->engine) != WEIR_OK) {
		return out_of_memory(error);
	}
	weir_status status = weir_serving_copy(to->serving, from->serving, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_sampler_copy(to->sampler, from->sampler);
	bool copied =
	    weir_manager_copy(to->manager, from->manager) && weir_meter_copy(to->meter, from->meter) &&
	    (from->controller == NULL || weir_controller_copy(to->controller, from->controller)) &&
	    (from->faults == NULL || weir_faults_copy(to->faults, from->faults));
	return copied ? WEIR_OK : out_of_memory(error);
}

static weir_status save(const weir_sim *sim, weir_sim_snapshot *snapshot, weir_error *error)
{
	size_t source_size = weir_source_state_size(sim->source);
	if (source_size == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, sim->config->workload.trace.path,
		                      "a workload that is read from a pipe has no snapshots; use a file");
	}
	snapshot->source_state = weir_allocate(source_size, 1);
	if (snapshot->source_state == NULL) {
		return out_of_memory(error);
	}
	weir_source_save(sim->source, snapshot->source_state);
	weir_sim *parts = &snapshot->parts;
	parts->config = sim->config;
	parts->built = sim->built;
	parts->policies = sim->policies;
	parts->policy_count = sim->policy_count;
	weir_status status = weir_sim_build_parts(parts, error);
	return status == WEIR_OK ? copy_parts(parts, sim, error) : status;
}

weir_status weir_sim_save(const weir_sim *sim, weir_sim_snapshot **snapshot, weir_error *error)
{
	*snapshot = NULL;
	weir_sim_snapshot *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return out_of_memory(error);
	}
	weir_status status = save(sim, made, error);
	if (status != WEIR_OK) {
		weir_sim_snapshot_destroy(made);
		return status;
	}
	*snapshot = made;
	return WEIR_OK;
}

weir_status weir_sim_restore(weir_sim *sim, const weir_sim_snapshot *snapshot, weir_error *error)
{
	weir_status status = weir_source_restore(sim->source, snapshot->source_state, error);
	if (status != WEIR_OK) {
		return status;
	}
	return copy_parts(sim, &snapshot->parts, error);
}

void weir_sim_snapshot_destroy(weir_sim_snapshot *snapshot)
{
	if (snapshot != NULL) {
		weir_sim_destroy_parts(&snapshot->parts);
		free(snapshot->source_state);
		free(snapshot);
	}
}
