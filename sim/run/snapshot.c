/* Saving and restoring whole simulations. */
#include <stdlib.h>

#include "base/memory.h"
#include "run/sim_internal.h"

struct weir_sim_snapshot {
	weir_engine *engine;
	weir_serving *serving;
	weir_sampler *sampler;
	void *source_state;
	weir_request request;
	weir_sim_state state;
};

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a snapshot");
}

static weir_status copy_parts(weir_engine *to_engine, weir_serving *to_serving,
                              weir_sampler *to_sampler, const weir_engine *engine,
                              const weir_serving *serving, const weir_sampler *sampler,
                              weir_error *error)
{
	if (weir_engine_copy(to_engine, engine) != WEIR_OK) {
		return out_of_memory(error);
	}
	weir_sampler_copy(to_sampler, sampler);
	return weir_serving_copy(to_serving, serving, error);
}

static weir_status save(const weir_sim *sim, weir_sim_snapshot *snapshot, weir_error *error)
{
	size_t source_size = weir_source_state_size(sim->source);
	if (source_size == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, sim->config->workload.trace.path,
		                      "a workload that is read from a pipe has no snapshots; use a file");
	}
	snapshot->engine = weir_engine_create();
	snapshot->source_state = weir_allocate(source_size, 1);
	if (snapshot->engine == NULL || snapshot->source_state == NULL) {
		return out_of_memory(error);
	}
	weir_status status =
	    weir_serving_create(&sim->built.cluster, snapshot->engine, NULL, &snapshot->serving, error);
	if (status != WEIR_OK) {
		return status;
	}
	snapshot->sampler = weir_sampler_create(&sim->built.cluster, snapshot->serving, 0.0);
	if (snapshot->sampler == NULL) {
		return out_of_memory(error);
	}
	weir_source_save(sim->source, snapshot->source_state);
	snapshot->request = sim->request;
	snapshot->state = sim->state;
	return copy_parts(snapshot->engine, snapshot->serving, snapshot->sampler, sim->engine,
	                  sim->serving, sim->sampler, error);
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
	sim->request = snapshot->request;
	sim->state = snapshot->state;
	return copy_parts(sim->engine, sim->serving, sim->sampler, snapshot->engine, snapshot->serving,
	                  snapshot->sampler, error);
}

void weir_sim_snapshot_destroy(weir_sim_snapshot *snapshot)
{
	if (snapshot != NULL) {
		weir_sampler_destroy(snapshot->sampler);
		weir_serving_destroy(snapshot->serving);
		weir_engine_destroy(snapshot->engine);
		free(snapshot->source_state);
		free(snapshot);
	}
}
