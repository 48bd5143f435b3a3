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

static bool copy_slots(weir_serving *target, const weir_serving *source)
{
	uint32_t slots = source->instance_slots;
	if (!weir_reserve((void **)&target->instances, &target->instance_capacity, slots,
	                  sizeof *target->instances) ||
	    !weir_reserve((void **)&target->entries, &target->entry_capacity, slots,
	                  sizeof *target->entries) ||
	    !weir_reserve((void **)&target->servers, &target->server_capacity, source->server_slots,
	                  sizeof *target->servers)) {
		return false;
	}
	if (slots > 0) {
		memcpy(target->entries, source->entries, slots * sizeof *source->entries);
	}
	for (; target->instance_slots < slots; target->instance_slots++) {
		weir_pending_init(&target->instances[target->instance_slots].pending);
	}
	for (; target->instance_slots > slots; target->instance_slots--) {
		weir_instance_release(&target->instances[target->instance_slots - 1]);
	}
	for (uint32_t i = 0; i < slots; i++) {
		if (!copy_instance(target, &target->instances[i], &source->instances[i])) {
			return false;
		}
	}
	if (source->server_slots > 0) {
		memcpy(target->servers, source->servers, source->server_slots * sizeof *source->servers);
	}
	target->server_slots = source->server_slots;
	target->free_instance = source->free_instance;
	target->free_server = source->free_server;
	target->next_instance = source->next_instance;
	target->next_server = source->next_server;
	return true;
}

static bool copy_application(weir_application_state *target, const weir_application_state *source)
{
	size_t types = source->config->type_count;
	if (!weir_scheduler_copy(&target->scheduler, &source->scheduler)) {
		return false;
	}
	target->waiting_first = source->waiting_first;
	target->waiting_last = source->waiting_last;
	target->transfers_waiting = source->transfers_waiting;
	target->vain_retries = source->vain_retries;
	target->counters = source->counters;
	memcpy(target->instances_by_type, source->instances_by_type,
	       types * WEIR_TAG_COUNT * sizeof *source->instances_by_type);
	memcpy(target->servers_by_type, source->servers_by_type,
	       types * sizeof *source->servers_by_type);
	target->servers_bill = source->servers_bill;
	return true;
}

static bool copy(weir_serving *target, const weir_serving *source)
{
	assert(target->cluster->application_count == source->cluster->application_count);
	size_t applications = source->cluster->application_count;
	if (!weir_inflight_copy(&target->inflight, &source->inflight) || !copy_slots(target, source)) {
		return false;
	}
	memcpy(target->pools, source->pools, applications * WEIR_TAG_COUNT * sizeof *source->pools);
	for (size_t a = 0; a < applications; a++) {
		if (!copy_application(&target->applications[a], &source->applications[a])) {
			return false;
		}
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
