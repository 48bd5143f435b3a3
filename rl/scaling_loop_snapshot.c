/* Saving and restoring the decision loop. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/scaling_loop_internal.h"

struct weir_scaling_loop_snapshot {
	weir_loop_state state;
	float *stack;
	bool checked; /* the workload */
	weir_request next;
	bool more;
	void *source_state;
};

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a snapshot");
}

static bool save_workload(const weir_workload_counter *workload,
                          weir_scaling_loop_snapshot *snapshot)
{
	snapshot->checked = workload->source != NULL;
	if (!snapshot->checked) {
		return true;
	}
	snapshot->next = workload->next;
	snapshot->next.prefix_hashes = NULL; /* the source's, and not looked at */
	snapshot->next.prefix_hash_count = 0;
	snapshot->more = workload->more;
	snapshot->source_state = weir_allocate(weir_source_state_size(workload->source), 1);
	if (snapshot->source_state != NULL) {
		weir_source_save(workload->source, snapshot->source_state);
	}
	return snapshot->source_state != NULL;
}

weir_status weir_scaling_loop_save(const weir_scaling_loop *loop,
                                   weir_scaling_loop_snapshot **snapshot, weir_error *error)
{
	assert(loop->watch.sim != NULL && loop->state.looked);
	*snapshot = NULL;
	weir_scaling_loop_snapshot *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return out_of_memory(error);
	}
	made->state = loop->state;
	made->stack = weir_duplicate(loop->stack, loop->features.space.size, sizeof *loop->stack);
	if (made->stack == NULL || !save_workload(&loop->watch.workload, made)) {
		weir_scaling_loop_snapshot_destroy(made);
		return out_of_memory(error);
	}
	*snapshot = made;
	return WEIR_OK;
}

weir_status weir_scaling_loop_restore(weir_scaling_loop *loop, weir_sim *sim,
                                      const weir_scaling_loop_snapshot *snapshot, weir_error *error)
{
	weir_loop_watch *watch = &loop->watch;
	if (watch->sim != sim || (watch->workload.source != NULL) != snapshot->checked) {
		weir_status status = weir_scaling_loop_begin(loop, sim, snapshot->checked, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	if (snapshot->checked) {
		weir_status status =
		    weir_source_restore(watch->workload.source, snapshot->source_state, error);
		if (status != WEIR_OK) {
			return status;
		}
		watch->workload.next = snapshot->next;
		watch->workload.more = snapshot->more;
	}
	loop->state = snapshot->state;
	memcpy(loop->stack, snapshot->stack, loop->features.space.size * sizeof *loop->stack);
	/* A scrape of a look is of the instant at which the simulation stands now as well. */
	weir_meter *meter = weir_sim_meter(sim);
	weir_scrape_release(meter, watch->before);
	if (loop->state.scraped && !weir_scrape_take(meter, weir_sim_now(sim), watch->before)) {
		return out_of_memory(error);
	}
	return WEIR_OK;
}

void weir_scaling_loop_snapshot_destroy(weir_scaling_loop_snapshot *snapshot)
{
	if (snapshot != NULL) {
		free(snapshot->stack);
		free(snapshot->source_state);
		free(snapshot);
	}
}
