/* What happens to instances by themselves: boots that end, drains that are looked at, losses. */
#include <assert.h>

#include "scaling/manager_state.h"

uint64_t weir_manager_lose(weir_manager *manager, const char *actor, weir_instance_handle handle,
                           weir_scaling_action action)
{
	const weir_managed_instance *instance = weir_manager_instance(manager, handle);
	if (instance == NULL) {
		return 0;
	}
	weir_error error = {0};
	uint64_t hit = 0;
	if (instance->state == WEIR_INSTANCE_DRAINING && instance->drain_end == WEIR_DRAIN_FLIP) {
		manager->flips_to[weir_pool_index(instance->application, instance->target)]--;
	}
	if (instance->state == WEIR_INSTANCE_ACTIVE &&
	    !weir_manager_set_state(manager, handle, WEIR_INSTANCE_DRAINING)) {
		return 0;
	}
	if (weir_serving_evict(manager->serving, handle, true, &hit, &error) != WEIR_OK) {
		weir_manager_fail(manager, &error);
		return hit;
	}
	weir_log_subject subject = weir_manager_subject(manager, actor, handle);
	weir_manager_row(manager, &subject, action, 0, (int64_t)hit, WEIR_REFUSED_NONE);
	weir_manager_line(manager, "[ScalingManager] Lost %s instance %u: %s",
	                  weir_tag_names[subject.tag], (unsigned)handle.id,
	                  weir_scaling_action_names[action]);
	weir_manager_remove(manager, actor, handle, true, true);
	return hit;
}

static void ready(weir_manager *manager, weir_instance_handle handle)
{
	char clock[WEIR_CLOCK_SIZE];
	weir_managed_instance *instance = &manager->instances[handle.slot];
	if (instance->fails) {
		const weir_scale_request boot = {instance->application, instance->tag,
		                                 (int32_t)instance->type};
		weir_manager_lose(manager, "manager", handle, WEIR_SCALING_BOOT_FAILED);
		if (manager->faults.boot_failed != NULL) {
			manager->faults.boot_failed(manager->faults.context, &boot);
		}
		return;
	}
	weir_log_subject subject = weir_manager_subject(manager, "manager", handle);
	weir_manager_row(manager, &subject,
	                 instance->flips ? WEIR_SCALING_FLIPPED : WEIR_SCALING_INSTANCE_READY, 0, 0,
	                 WEIR_REFUSED_NONE);
	weir_manager_line(manager, "[ScalingManager] Instance %u scaled up at %s", (unsigned)handle.id,
	                  weir_manager_clock(manager, clock));
	instance->flips = false;
	weir_manager_set_state(manager, handle, WEIR_INSTANCE_ACTIVE);
}

static bool time_out(weir_manager *manager, weir_instance_handle handle)
{
	weir_error error = {0};
	uint64_t moved = 0;
	if (weir_serving_evict(manager->serving, handle, false, &moved, &error) != WEIR_OK) {
		weir_manager_fail(manager, &error);
		return false;
	}
	manager->counters.drain_timeouts++;
	manager->counters.requests_moved += moved;
	weir_log_subject subject = weir_manager_subject(manager, "manager", handle);
	weir_manager_row(manager, &subject, WEIR_SCALING_DRAIN_TIMED_OUT, 0, (int64_t)moved,
	                 WEIR_REFUSED_NONE);
	weir_manager_line(manager, "[ScalingManager] Instance %u drain timed out, %llu requests moved",
	                  (unsigned)handle.id, (unsigned long long)moved);
	return true;
}

static void check_drain(weir_manager *manager, weir_instance_handle handle)
{
	weir_managed_instance *instance = &manager->instances[handle.slot];
	double now = weir_engine_now(manager->engine);
	if (!weir_serving_is_empty(manager->serving, handle)) {
		if (now < instance->deadline) {
			weir_manager_schedule_check(manager, handle.slot);
			return;
		}
		if (!time_out(manager, handle)) {
			return;
		}
	}
	if (instance->drain_end != WEIR_DRAIN_FLIP) {
		char clock[WEIR_CLOCK_SIZE];
		weir_manager_line(manager, "[ScalingManager] Instance %u removed at %s",
		                  (unsigned)handle.id, weir_manager_clock(manager, clock));
		weir_manager_remove(manager, "manager", handle, instance->drain_end != WEIR_DRAIN_REMOVE,
		                    false);
		return;
	}
	manager->flips_to[weir_pool_index(instance->application, instance->target)]--;
	instance->tag = instance->target;
	instance->flips = true;
	instance->ready_at = now + manager->config->role_flip_delay;
	weir_serving_set_tag(manager->serving, handle, instance->target);
	if (weir_manager_set_state(manager, handle, WEIR_INSTANCE_SCALING_UP)) {
		weir_manager_schedule(manager, WEIR_EVENT_INSTANCE_READY, instance->ready_at, handle.slot,
		                      handle.id, &instance->event);
	}
}

weir_status weir_manager_handle(weir_manager *manager, const weir_event *event, weir_error *error)
{
	const weir_instance_handle instance = {event->subject, (uint32_t)event->data};
	const weir_server_handle server = {event->subject, (uint32_t)event->data};
	switch (event->type) {
	case WEIR_EVENT_INSTANCE_READY:
		if (weir_manager_instance(manager, instance) != NULL) {
			ready(manager, instance);
		}
		break;
	case WEIR_EVENT_SERVER_READY:
		if (weir_manager_server(manager, server) != NULL) {
			char clock[WEIR_CLOCK_SIZE];
			weir_manager_line(manager, "[ScalingManager] Server %u scaled up at %s",
			                  (unsigned)server.id, weir_manager_clock(manager, clock));
		}
		break;
	case WEIR_EVENT_DRAIN_CHECK:
		if (weir_manager_instance(manager, instance) != NULL) {
			check_drain(manager, instance);
		}
		break;
	default:
		assert(false); /* not an event of the manager */
	}
	return weir_manager_check(manager, error);
}
