/* The single operations: what is checked, and the steps that follow. */
#include <assert.h>
#include <math.h>

#include "base/memory.h"
#include "scaling/boot.h"
#include "scaling/manager_state.h"

/* --- what may be done --- */

/* Whether servers of a type can be had for a pool; *type becomes its own where none is named. */
static weir_refusal may_have(const weir_manager *manager, uint32_t application, weir_tag tag,
                             int32_t *type)
{
	int32_t own = manager->own_type[weir_pool_index(application, tag)];
	if (own < 0) {
		return WEIR_REFUSED_NO_POOL;
	}
	if (*type == WEIR_ANY_TYPE) {
		*type = own;
	}
	if (*type < 0 || (size_t)*type >= manager->cluster->applications[application].type_count) {
		return WEIR_REFUSED_NO_TYPE;
	}
	return manager->out_of_stock[manager->first_type[application] + (size_t)*type]
	           ? WEIR_REFUSED_STOCK_OUT
	           : WEIR_REFUSED_NONE;
}

weir_refusal weir_manager_may_grow(const weir_manager *manager, uint32_t application, weir_tag tag,
                                   int32_t *type)
{
	weir_refusal refusal = may_have(manager, application, tag, type);
	if (refusal == WEIR_REFUSED_NONE && manager->total >= manager->config->max_total_instances) {
		return WEIR_REFUSED_MAX_TOTAL;
	}
	return refusal;
}

weir_refusal weir_manager_may_shrink(const weir_manager *manager, uint32_t application,
                                     weir_tag tag)
{
	return weir_manager_active(manager, application, tag) <= manager->config->min_instances_per_pool
	           ? WEIR_REFUSED_MIN_POOL
	           : WEIR_REFUSED_NONE;
}

static weir_refusal may_drain(const weir_manager *manager, const weir_managed_instance *instance)
{
	if (instance == NULL) {
		return WEIR_REFUSED_GONE;
	}
	if (instance->state != WEIR_INSTANCE_ACTIVE) {
		return WEIR_REFUSED_NOT_ACTIVE;
	}
	return weir_manager_may_shrink(manager, instance->application, instance->tag);
}

/* --- starting --- */

bool weir_manager_schedule(weir_manager *manager, weir_scaling_event type, double time,
                           uint32_t slot, uint32_t id, weir_event_handle *event)
{
	*event =
	    weir_engine_schedule(manager->engine, time, WEIR_CLASS_LIFECYCLE,
	                         (weir_event){.type = (uint32_t)type, .subject = slot, .data = id});
	if (event->generation == 0) {
		weir_error error = {0};
		weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory for events");
		weir_manager_fail(manager, &error);
		return false;
	}
	return true;
}

static int64_t *warm_servers(weir_manager *manager, uint32_t application, uint32_t type)
{
	return &manager->warm[manager->sku_of[manager->first_type[application] + type]];
}

static double slowness(const weir_manager *manager)
{
	return manager->faults.slowness != NULL ? manager->faults.slowness(manager->faults.context)
	                                        : 1.0;
}

static bool reserve(weir_manager *manager)
{
	size_t instances = (size_t)weir_serving_instance_slots(manager->serving) + 1;
	size_t servers = (size_t)weir_serving_server_slots(manager->serving) + 1;
	if (weir_reserve((void **)&manager->instances, &manager->instance_capacity, instances,
	                 sizeof *manager->instances) &&
	    weir_reserve((void **)&manager->servers, &manager->server_capacity, servers,
	                 sizeof *manager->servers) &&
	    weir_reserve((void **)&manager->pick, &manager->pick_capacity, instances,
	                 sizeof *manager->pick)) {
		return true;
	}
	weir_error error = {0};
	weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory for the ScalingManager");
	weir_manager_fail(manager, &error);
	return false;
}

/* *boot says whether the server was a stopped one. */
static bool add_server(weir_manager *manager, const char *actor, uint32_t application, weir_tag tag,
                       uint32_t type, weir_server_handle *handle, weir_boot *boot)
{
	weir_error error = {0};
	if (!reserve(manager)) {
		return false;
	}
	if (weir_serving_add_server(manager->serving, application, type, handle, &error) != WEIR_OK) {
		weir_manager_fail(manager, &error);
		return false;
	}
	int64_t *warm = warm_servers(manager, application, type);
	*boot = (weir_boot){.weights = manager->cluster->applications[application].model->weight_bytes,
	                    .warm = *warm > 0};
	*warm -= boot->warm;
	manager->servers[handle->slot] = (weir_managed_server){
	    .exists = true,
	    .id = handle->id,
	    .application = application,
	    .type = type,
	    .tag = tag,
	};
	if (handle->slot >= manager->server_slots) {
		manager->server_slots = handle->slot + 1;
	}
	manager->application_servers[application]++;
	manager->counters.servers_started++;
	const weir_log_subject subject = {actor, application, tag, -1, handle->id};
	weir_manager_row(manager, &subject, WEIR_SCALING_SERVER_STARTED, 0, 0, WEIR_REFUSED_NONE);
	if (manager->faults.server_made != NULL) {
		manager->faults.server_made(manager->faults.context, *handle);
	}
	return true;
}

/* An instance on a server, ready at `ready_at`. */
static bool add_instance(weir_manager *manager, const char *actor, weir_server_handle server,
                         weir_tag tag, double ready_at, weir_instance_handle *handle)
{
	weir_error error = {0};
	if (!reserve(manager)) {
		return false;
	}
	if (weir_serving_add_instance(manager->serving, server, tag, handle, &error) != WEIR_OK) {
		weir_manager_fail(manager, &error);
		return false;
	}
	const weir_managed_server *host = &manager->servers[server.slot];
	weir_managed_instance *instance = &manager->instances[handle->slot];
	*instance = (weir_managed_instance){
	    .exists = true,
	    .id = handle->id,
	    .application = host->application,
	    .type = host->type,
	    .tag = tag,
	    .state = WEIR_INSTANCE_SCALING_UP,
	    .server = server,
	    .fails = manager->faults.fails != NULL && manager->faults.fails(manager->faults.context),
	    .ready_at = ready_at,
	};
	if (handle->slot >= manager->instance_slots) {
		manager->instance_slots = handle->slot + 1;
	}
	manager->total++;
	manager->operations++;
	manager->counters.started++;
	weir_log_subject subject = weir_manager_subject(manager, actor, *handle);
	weir_manager_row(manager, &subject, WEIR_SCALING_INSTANCE_STARTED, 0, 0, WEIR_REFUSED_NONE);
	bool scheduled = weir_manager_schedule(manager, WEIR_EVENT_INSTANCE_READY, ready_at,
	                                       handle->slot, handle->id, &instance->event);
	if (scheduled && manager->faults.instance_made != NULL) {
		manager->faults.instance_made(manager->faults.context, *handle);
	}
	return scheduled;
}

bool weir_manager_start_full(weir_manager *manager, const char *actor, uint32_t application,
                             weir_tag tag, uint32_t type, weir_instance_handle *instance)
{
	weir_server_handle server;
	weir_boot boot;
	if (!add_server(manager, actor, application, tag, type, &server, &boot)) {
		return false;
	}
	double now = weir_engine_now(manager->engine);
	double factor = slowness(manager);
	double length = weir_boot_server(manager->config, &boot, manager->random);
	manager->servers[server.slot].ready_at = now + length * factor;
	if (manager->config->boot.kind != WEIR_BOOT_FIXED) {
		length += weir_boot_instance(manager->config, &boot, manager->random);
	}
	if (!add_instance(manager, actor, server, tag, now + length * factor, instance)) {
		return false;
	}
	manager->instances[instance->slot].started_full = true;
	weir_manager_line(manager, "[ScalingManager] Full scale-up: server %u + instance %u",
	                  (unsigned)server.id, (unsigned)instance->id);
	weir_manager_line(manager, "[Action] Added %s instance %u on server %u", weir_tag_names[tag],
	                  (unsigned)instance->id, (unsigned)server.id);
	return true;
}

weir_refusal weir_manager_scale_up_full(weir_manager *manager, const char *actor,
                                        const weir_scale_request *request,
                                        weir_instance_handle *instance)
{
	int32_t type = request->type;
	weir_refusal refusal =
	    weir_manager_may_grow(manager, request->application, request->tag, &type);
	if (refusal != WEIR_REFUSED_NONE) {
		const weir_log_subject subject = {actor, request->application, request->tag, -1, -1};
		return weir_manager_refuse(manager, &subject, refusal, true);
	}
	return weir_manager_start_full(manager, actor, request->application, request->tag,
	                               (uint32_t)type, instance)
	           ? WEIR_REFUSED_NONE
	           : WEIR_REFUSED_NOTHING_LEFT;
}

weir_refusal weir_manager_scale_up_server(weir_manager *manager, const char *actor,
                                          const weir_scale_request *request,
                                          weir_server_handle *server)
{
	int32_t type = request->type;
	weir_refusal refusal = may_have(manager, request->application, request->tag, &type);
	if (refusal != WEIR_REFUSED_NONE) {
		const weir_log_subject subject = {actor, request->application, request->tag, -1, -1};
		return weir_manager_refuse(manager, &subject, refusal, true);
	}
	weir_boot boot;
	if (!add_server(manager, actor, request->application, request->tag, (uint32_t)type, server,
	                &boot)) {
		return WEIR_REFUSED_NOTHING_LEFT;
	}
	weir_managed_server *added = &manager->servers[server->slot];
	double factor = slowness(manager);
	added->ready_at = weir_engine_now(manager->engine) +
	                  weir_boot_server(manager->config, &boot, manager->random) * factor;
	weir_manager_line(manager, "[ScalingManager] Scale-up: server %u", (unsigned)server->id);
	return weir_manager_schedule(manager, WEIR_EVENT_SERVER_READY, added->ready_at, server->slot,
	                             server->id, &added->event)
	           ? WEIR_REFUSED_NONE
	           : WEIR_REFUSED_NOTHING_LEFT;
}

/* Weights can be loaded only onto a server that is there; with boot kind fixed, whose one delay is
 * for all, the two boots run side by side. */
static double ready_beside(weir_manager *manager, const weir_managed_server *server)
{
	const weir_boot boot = {
	    .weights = manager->cluster->applications[server->application].model->weight_bytes};
	double now = weir_engine_now(manager->engine);
	double length = slowness(manager) * weir_boot_instance(manager->config, &boot, manager->random);
	return manager->config->boot.kind == WEIR_BOOT_FIXED ? fmax(now + length, server->ready_at)
	                                                     : fmax(now, server->ready_at) + length;
}

weir_refusal weir_manager_scale_up_instance(weir_manager *manager, const char *actor,
                                            weir_server_handle handle, weir_tag tag,
                                            weir_instance_handle *instance)
{
	const weir_managed_server *server = weir_manager_server(manager, handle);
	weir_log_subject subject = {actor, 0, tag, -1, handle.id};
	if (server == NULL) {
		return weir_manager_refuse(manager, &subject, WEIR_REFUSED_GONE, true);
	}
	subject.application = server->application;
	weir_server_view view;
	bool exists = weir_serving_server(manager->serving, handle.slot, &view);
	assert(exists);
	(void)exists;
	weir_refusal refusal = WEIR_REFUSED_NONE;
	if (!weir_manager_has_pool(manager, server->application, tag)) {
		refusal = WEIR_REFUSED_NO_POOL;
	} else if (view.room == 0) {
		refusal = WEIR_REFUSED_SERVER_FULL;
	} else if (manager->total >= manager->config->max_total_instances) {
		refusal = WEIR_REFUSED_MAX_TOTAL;
	}
	if (refusal != WEIR_REFUSED_NONE) {
		return weir_manager_refuse(manager, &subject, refusal, true);
	}
	if (!add_instance(manager, actor, handle, tag, ready_beside(manager, server), instance)) {
		return WEIR_REFUSED_NOTHING_LEFT;
	}
	weir_manager_line(manager, "[Action] Added %s instance %u on server %u", weir_tag_names[tag],
	                  (unsigned)instance->id, (unsigned)handle.id);
	return WEIR_REFUSED_NONE;
}

/* --- draining --- */

/* The time of the next look at a draining instance: the timeout is met on the instant. */
static double next_check(const weir_manager *manager, const weir_managed_instance *instance)
{
	double now = weir_engine_now(manager->engine);
	double check = now + manager->config->drain_check_interval;
	return instance->deadline > now ? fmin(check, instance->deadline) : check;
}

bool weir_manager_schedule_check(weir_manager *manager, uint32_t slot)
{
	weir_managed_instance *instance = &manager->instances[slot];
	return weir_manager_schedule(manager, WEIR_EVENT_DRAIN_CHECK, next_check(manager, instance),
	                             slot, instance->id, &instance->event);
}

bool weir_manager_set_state(weir_manager *manager, weir_instance_handle handle,
                            weir_instance_state state)
{
	weir_managed_instance *instance = &manager->instances[handle.slot];
	weir_error error = {0};
	manager->operations += instance->state == WEIR_INSTANCE_ACTIVE;
	manager->operations -= state == WEIR_INSTANCE_ACTIVE;
	instance->state = state;
	if (weir_serving_set_state(manager->serving, handle, state, &error) != WEIR_OK) {
		weir_manager_fail(manager, &error);
		return false;
	}
	return true;
}

bool weir_manager_drain(weir_manager *manager, const char *actor, weir_instance_handle handle,
                        weir_drain_end end, weir_tag target)
{
	char clock[WEIR_CLOCK_SIZE];
	weir_managed_instance *instance = &manager->instances[handle.slot];
	double timeout = manager->config->drain_timeout;
	instance->drain_end = end;
	instance->target = target;
	instance->drain_order = manager->next_drain++;
	instance->deadline =
	    timeout > 0 ? weir_engine_now(manager->engine) + timeout : (double)INFINITY;
	weir_log_subject subject = weir_manager_subject(manager, actor, handle);
	if (end == WEIR_DRAIN_FLIP) {
		manager->flips_to[weir_pool_index(instance->application, target)]++;
		manager->counters.flipped++;
	} else {
		manager->counters.drained++;
	}
	weir_manager_row(manager, &subject,
	                 end == WEIR_DRAIN_FLIP ? WEIR_SCALING_FLIP_STARTED
	                                        : WEIR_SCALING_DRAIN_STARTED,
	                 0, 0, WEIR_REFUSED_NONE);
	weir_manager_line(manager, "[ScalingManager] Instance %u draining started at %s",
	                  (unsigned)handle.id, weir_manager_clock(manager, clock));
	if (end == WEIR_DRAIN_FLIP) {
		weir_manager_line(manager, "[Action] Moving %s instance %u to the %s pool",
		                  weir_tag_names[instance->tag], (unsigned)handle.id,
		                  weir_tag_names[target]);
	} else {
		weir_manager_line(manager, "[Action] Removed %s instance %u", weir_tag_names[instance->tag],
		                  (unsigned)handle.id);
	}
	return weir_manager_set_state(manager, handle, WEIR_INSTANCE_DRAINING) &&
	       weir_manager_schedule_check(manager, handle.slot);
}

static weir_refusal drain(weir_manager *manager, const char *actor, weir_instance_handle handle,
                          weir_drain_end end)
{
	weir_refusal refusal = may_drain(manager, weir_manager_instance(manager, handle));
	if (refusal != WEIR_REFUSED_NONE) {
		weir_log_subject subject = weir_manager_subject(manager, actor, handle);
		return weir_manager_refuse(manager, &subject, refusal, false);
	}
	return weir_manager_drain(manager, actor, handle, end, WEIR_TAG_PROMPT)
	           ? WEIR_REFUSED_NONE
	           : WEIR_REFUSED_NOTHING_LEFT;
}

weir_refusal weir_manager_scale_down_full(weir_manager *manager, const char *actor,
                                          weir_instance_handle instance)
{
	return drain(manager, actor, instance, WEIR_DRAIN_REMOVE_FULL);
}

weir_refusal weir_manager_scale_down_instance(weir_manager *manager, const char *actor,
                                              weir_instance_handle instance)
{
	return drain(manager, actor, instance, WEIR_DRAIN_REMOVE);
}

weir_refusal weir_manager_flip(weir_manager *manager, const char *actor,
                               weir_instance_handle handle, weir_tag tag)
{
	const weir_managed_instance *instance = weir_manager_instance(manager, handle);
	weir_refusal refusal = may_drain(manager, instance);
	if (instance != NULL && !weir_manager_has_pool(manager, instance->application, tag)) {
		refusal = WEIR_REFUSED_NO_POOL;
	} else if (instance != NULL && instance->tag == tag) {
		refusal = WEIR_REFUSED_SAME_POOL;
	}
	if (refusal != WEIR_REFUSED_NONE) {
		weir_log_subject subject = weir_manager_subject(manager, actor, handle);
		return weir_manager_refuse(manager, &subject, refusal, false);
	}
	return weir_manager_drain(manager, actor, handle, WEIR_DRAIN_FLIP, tag)
	           ? WEIR_REFUSED_NONE
	           : WEIR_REFUSED_NOTHING_LEFT;
}

bool weir_manager_revive(weir_manager *manager, const char *actor, weir_instance_handle handle)
{
	char clock[WEIR_CLOCK_SIZE];
	weir_managed_instance *instance = &manager->instances[handle.slot];
	weir_engine_cancel(manager->engine, instance->event);
	manager->counters.revived++;
	weir_log_subject subject = weir_manager_subject(manager, actor, handle);
	weir_manager_row(manager, &subject, WEIR_SCALING_DRAIN_REVIVED, 0, 0, WEIR_REFUSED_NONE);
	weir_manager_line(manager, "[ScalingManager] Instance %u taken back at %s", (unsigned)handle.id,
	                  weir_manager_clock(manager, clock));
	weir_manager_line(manager, "[Action] Added %s instance %u on server %u",
	                  weir_tag_names[instance->tag], (unsigned)handle.id,
	                  (unsigned)instance->server.id);
	return weir_manager_set_state(manager, handle, WEIR_INSTANCE_ACTIVE);
}

/* --- going --- */

void weir_manager_remove_server(weir_manager *manager, const char *actor, weir_server_handle handle,
                                bool lost)
{
	weir_managed_server *server = &manager->servers[handle.slot];
	weir_server_view view;
	if (manager->observer.server_ended != NULL &&
	    weir_serving_server(manager->serving, handle.slot, &view)) {
		manager->observer.server_ended(manager->observer.context, &view);
	}
	weir_engine_cancel(manager->engine, server->event);
	weir_serving_remove_server(manager->serving, handle);
	server->exists = false;
	manager->application_servers[server->application]--;
	manager->counters.servers_removed++;
	int64_t *warm = warm_servers(manager, server->application, server->type);
	*warm += !lost && *warm < manager->config->boot.warm_servers;
	const weir_log_subject subject = {actor, server->application, server->tag, -1, handle.id};
	weir_manager_row(manager, &subject, WEIR_SCALING_SERVER_REMOVED, 0, 0, WEIR_REFUSED_NONE);
}

void weir_manager_remove(weir_manager *manager, const char *actor, weir_instance_handle handle,
                         bool with_server, bool lost)
{
	weir_managed_instance *instance = &manager->instances[handle.slot];
	weir_server_handle server = instance->server;
	weir_instance_view view;
	weir_log_subject subject = weir_manager_subject(manager, actor, handle);
	if (manager->observer.instance_ended != NULL &&
	    weir_serving_instance(manager->serving, handle.slot, &view)) {
		manager->observer.instance_ended(manager->observer.context, &view);
	}
	weir_engine_cancel(manager->engine, instance->event);
	weir_serving_remove_instance(manager->serving, handle);
	instance->exists = false;
	manager->total--;
	manager->operations--;
	manager->counters.removed++;
	weir_manager_row(manager, &subject, WEIR_SCALING_INSTANCE_REMOVED, 0, 0, WEIR_REFUSED_NONE);
	weir_server_view host;
	if (with_server && weir_serving_server(manager->serving, server.slot, &host) &&
	    host.instances == 0) {
		weir_manager_line(manager,
		                  "[ScalingManager] Auto scale-down server %u after instance removal",
		                  (unsigned)server.id);
		weir_manager_remove_server(manager, actor, server, lost);
	}
}

void weir_manager_cancel_boot(weir_manager *manager, const char *actor, weir_instance_handle handle)
{
	char clock[WEIR_CLOCK_SIZE];
	const weir_managed_instance *instance = &manager->instances[handle.slot];
	manager->counters.cancelled++;
	weir_log_subject subject = weir_manager_subject(manager, actor, handle);
	weir_manager_row(manager, &subject, WEIR_SCALING_BOOT_CANCELLED, 0, 0, WEIR_REFUSED_NONE);
	weir_manager_line(manager, "[ScalingManager] Instance %u boot cancelled at %s",
	                  (unsigned)handle.id, weir_manager_clock(manager, clock));
	weir_manager_line(manager, "[Action] Removed %s instance %u", weir_tag_names[instance->tag],
	                  (unsigned)handle.id);
	weir_manager_remove(manager, actor, handle, instance->started_full, false);
}

weir_refusal weir_manager_scale_down_server(weir_manager *manager, const char *actor,
                                            weir_server_handle handle)
{
	const weir_managed_server *server = weir_manager_server(manager, handle);
	weir_log_subject subject = {actor, 0, WEIR_TAG_PROMPT, -1, handle.id};
	if (server == NULL) {
		return weir_manager_refuse(manager, &subject, WEIR_REFUSED_GONE, false);
	}
	subject.application = server->application;
	subject.tag = server->tag;
	if (weir_engine_now(manager->engine) < server->ready_at) {
		return weir_manager_refuse(manager, &subject, WEIR_REFUSED_SERVER_NOT_ACTIVE, false);
	}
	weir_server_view view;
	if (weir_serving_server(manager->serving, handle.slot, &view) && view.instances > 0) {
		return weir_manager_refuse(manager, &subject, WEIR_REFUSED_SERVER_IN_USE, false);
	}
	weir_manager_line(manager, "[ScalingManager] Scale-down: server %u", (unsigned)handle.id);
	weir_manager_remove_server(manager, actor, handle, false);
	return WEIR_REFUSED_NONE;
}
