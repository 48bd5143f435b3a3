/* Snapshots: everything that changes is in arrays indexed by numbers, so a copy is a copy of
 * arrays. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "serving/serving_state.h"

static bool copy_instance(weir_serving *serving, weir_instance *target, const weir_instance *source)
{
	weir_finish_entry *finish = target->finish;
	size_t capacity = target->finish_capacity;
	if (!weir_reserve((void **)&finish, &capacity, source->finish_count, sizeof *finish)) {
		return false;
	}
	target->finish = finish;
	target->finish_capacity = capacity;
	if (!weir_pending_copy(&target->pending, &source->pending)) {
		return false;
	}
	weir_pending_queue pending = target->pending;
	*target = *source;
	target->pending = pending;
	/* Models belong to the cluster, and each simulation has its own. */
	target->time = serving->cluster->applications[source->application].types[source->type].time;
	target->finish = finish;
	target->finish_capacity = capacity;
	if (source->finish_count > 0) {
		memcpy(finish, source->finish, source->finish_count * sizeof *finish);
	}
	return true;
}

static bool copy(weir_serving *target, const weir_serving *source)
{
	assert(target->cluster->application_count == source->cluster->application_count);
	size_t applications = source->cluster->application_count;
	if (!weir_inflight_copy(&target->inflight, &source->inflight) ||
	    !weir_reserve((void **)&target->instances, &target->instance_capacity,
	                  source->instance_count, sizeof *target->instances) ||
	    !weir_reserve((void **)&target->entries, &target->entry_capacity, source->instance_count,
	                  sizeof *target->entries)) {
		return false;
	}
	if (source->instance_count > 0) {
		memcpy(target->entries, source->entries, source->instance_count * sizeof *source->entries);
	}
	for (uint32_t i = 0; i < source->instance_count; i++) {
		if (!copy_instance(target, &target->instances[i], &source->instances[i])) {
			return false;
		}
	}
	target->instance_count = source->instance_count;
	target->server_count = source->server_count;
	memcpy(target->pools, source->pools, applications * WEIR_TAG_COUNT * sizeof *source->pools);
	for (size_t a = 0; a < applications; a++) {
		if (!weir_scheduler_copy(&target->applications[a].scheduler,
		                         &source->applications[a].scheduler)) {
			return false;
		}
		target->applications[a].waiting_first = source->applications[a].waiting_first;
		target->applications[a].waiting_last = source->applications[a].waiting_last;
		target->applications[a].transfers_waiting = source->applications[a].transfers_waiting;
		target->applications[a].vain_retries = source->applications[a].vain_retries;
	}
	if (source->network != NULL &&
	    (weir_network_copy(target->network, source->network) != WEIR_OK ||
	     !weir_reserve((void **)&target->flow_requests, &target->flow_capacity,
	                   source->flow_capacity, sizeof *target->flow_requests))) {
		return false;
	}
	if (source->flow_capacity > 0) {
		memcpy(target->flow_requests, source->flow_requests,
		       source->flow_capacity * sizeof *source->flow_requests);
	}
	target->network_event = source->network_event;
	target->next_order = source->next_order;
	target->transfers_waiting = source->transfers_waiting;
	target->retried_in_vain = source->retried_in_vain;
	target->counters = source->counters;
	target->out_of_memory = source->out_of_memory;
	return true;
}

weir_status weir_serving_copy(weir_serving *target, const weir_serving *source, weir_error *error)
{
	return copy(target, source)
	           ? WEIR_OK
	           : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a snapshot");
}
