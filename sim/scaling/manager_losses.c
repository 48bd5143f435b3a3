/* Servers that are lost or taken back. */
#include "scaling/manager_state.h"

/* The next instance of a server from *slot on, by slot; NULL when there is none. */
static weir_managed_instance *next_of(const weir_manager *manager, weir_server_handle server,
                                      uint32_t *slot)
{
	for (; *slot < manager->instance_slots; (*slot)++) {
		weir_managed_instance *instance = &manager->instances[*slot];
		if (instance->exists && instance->server.slot == server.slot &&
		    instance->server.id == server.id) {
			return instance;
		}
	}
	return NULL;
}

static weir_log_subject subject_of(const char *actor, const weir_managed_server *server)
{
	return (weir_log_subject){actor, server->application, server->tag, -1, server->id};
}

uint64_t weir_manager_lose_server(weir_manager *manager, const char *actor,
                                  weir_server_handle handle)
{
	weir_managed_instance *instance;
	if (weir_manager_server(manager, handle) == NULL) {
		return 0;
	}
	/* None may be given what another has just lost: it would be lost twice by one fault. */
	for (uint32_t slot = 0; (instance = next_of(manager, handle, &slot)) != NULL; slot++) {
		if (instance->state != WEIR_INSTANCE_ACTIVE) {
			continue;
		}
		instance->drain_end = WEIR_DRAIN_REMOVE_FULL;
		if (!weir_manager_set_state(manager, (weir_instance_handle){slot, instance->id},
		                            WEIR_INSTANCE_DRAINING)) {
			return 0;
		}
	}
	uint64_t hit = 0;
	for (uint32_t slot = 0; (instance = next_of(manager, handle, &slot)) != NULL; slot++) {
		hit += weir_manager_lose(manager, actor, (weir_instance_handle){slot, instance->id},
		                         WEIR_SCALING_SERVER_LOST);
	}
	const weir_managed_server *server = weir_manager_server(manager, handle);
	if (server != NULL) {
		const weir_log_subject subject = subject_of(actor, server);
		weir_manager_row(manager, &subject, WEIR_SCALING_SERVER_LOST, 0, 0, WEIR_REFUSED_NONE);
		weir_manager_line(manager, "[ScalingManager] Lost server %u", (unsigned)handle.id);
		weir_manager_remove_server(manager, actor, handle, true);
	}
	return hit;
}

void weir_manager_preempt(weir_manager *manager, const char *actor, weir_server_handle handle)
{
	char clock[WEIR_CLOCK_SIZE];
	const weir_managed_server *server = weir_manager_server(manager, handle);
	if (server == NULL) {
		return;
	}
	const weir_log_subject subject = subject_of(actor, server);
	weir_manager_row(manager, &subject, WEIR_SCALING_PREEMPTION_NOTICE, 0, 0, WEIR_REFUSED_NONE);
	weir_manager_line(manager, "[ScalingManager] Server %u preempted, notice at %s",
	                  (unsigned)handle.id, weir_manager_clock(manager, clock));
	weir_managed_instance *instance;
	for (uint32_t slot = 0; (instance = next_of(manager, handle, &slot)) != NULL; slot++) {
		const weir_instance_handle named = {slot, instance->id};
		if (instance->state == WEIR_INSTANCE_SCALING_UP) {
			weir_manager_cancel_boot(manager, actor, named);
		} else if (instance->state == WEIR_INSTANCE_ACTIVE) {
			weir_manager_drain(manager, actor, named, WEIR_DRAIN_PREEMPTED, instance->tag);
		} else {
			if (instance->drain_end == WEIR_DRAIN_FLIP) {
				manager->flips_to[weir_pool_index(instance->application, instance->target)]--;
			}
			instance->drain_end = WEIR_DRAIN_PREEMPTED;
		}
	}
}
