#include "serving/lifecycle.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serving/books.h"
#include "serving/serving_state.h"

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory");
}

/* --- servers --- */

bool weir_serving_has_server(const weir_serving *serving, weir_server_handle server)
{
	return server.slot < serving->server_slots && serving->servers[server.slot].exists &&
	       serving->servers[server.slot].id == server.id;
}

static weir_server *server_at(const weir_serving *serving, weir_server_handle server)
{
	assert(weir_serving_has_server(serving, server));
	return &serving->servers[server.slot];
}

/* A slot is used again with its two links, at the speed of its new server's NIC. */
static bool set_links(weir_serving *serving, uint32_t slot, double bytes_per_s)
{
	weir_network *network = serving->network;
	if (network == NULL) {
		return true;
	}
	if (weir_network_link_count(network) > weir_ingress_link(slot)) {
		weir_network_set_capacity(network, weir_egress_link(slot), bytes_per_s);
		weir_network_set_capacity(network, weir_ingress_link(slot), bytes_per_s);
		return true;
	}
	/* After a lack of memory the first of the two may be there. */
	if (weir_network_link_count(network) == weir_egress_link(slot) &&
	    weir_network_add_link(network, bytes_per_s) == WEIR_NETWORK_NO_LINK) {
		return false;
	}
	weir_network_set_capacity(network, weir_egress_link(slot), bytes_per_s);
	return weir_network_add_link(network, bytes_per_s) != WEIR_NETWORK_NO_LINK;
}

weir_status weir_serving_add_server(weir_serving *serving, uint32_t application, uint32_t type,
                                    weir_server_handle *server, weir_error *error)
{
	assert(application < serving->cluster->application_count);
	assert(type < serving->cluster->applications[application].type_count);
	uint32_t slot = serving->free_server;
	bool reused = slot != WEIR_NONE;
	slot = reused ? slot : serving->server_slots;
	if (!weir_reserve((void **)&serving->servers, &serving->server_capacity, (size_t)slot + 1,
	                  sizeof *serving->servers) ||
	    !set_links(serving, slot,
	               serving->cluster->applications[application].types[type].nic_bytes_per_s)) {
		return out_of_memory(error);
	}
	if (reused) {
		serving->free_server = serving->servers[slot].next_free;
	} else {
		serving->server_slots++;
	}
	serving->servers[slot] = (weir_server){
	    .id = serving->next_server++,
	    .application = application,
	    .type = type,
	    .created = weir_engine_now(serving->engine),
	    .exists = true,
	    .next_free = WEIR_NONE,
	};
	weir_books_count_server(serving, application, type, 1);
	*server = (weir_server_handle){slot, serving->servers[slot].id};
	return WEIR_OK;
}

void weir_serving_remove_server(weir_serving *serving, weir_server_handle server)
{
	weir_server *removed = server_at(serving, server);
	assert(removed->instances == 0);
	weir_books_count_server(serving, removed->application, removed->type, -1);
	removed->exists = false;
	removed->next_free = serving->free_server;
	serving->free_server = server.slot;
}

uint32_t weir_serving_server_slots(const weir_serving *serving)
{
	return serving->server_slots;
}

static uint32_t room_of(const weir_serving *serving, const weir_server *server)
{
	const weir_application *application = &serving->cluster->applications[server->application];
	int64_t fit =
	    application->types[server->type].sku->gpu_count / application->instance.tensor_parallel;
	return (uint32_t)fit - server->instances;
}

bool weir_serving_server(const weir_serving *serving, uint32_t slot, weir_server_view *view)
{
	assert(slot < serving->server_slots);
	const weir_server *server = &serving->servers[slot];
	if (!server->exists) {
		return false;
	}
	const weir_application *application = &serving->cluster->applications[server->application];
	*view = (weir_server_view){
	    .handle = {slot, server->id},
	    .application = server->application,
	    .type = server->type,
	    .instances = server->instances,
	    .room = room_of(serving, server),
	    .created = server->created,
	    .price_per_s = weir_price_per_s(&application->types[server->type]),
	};
	return true;
}

/* --- instances --- */

bool weir_serving_has_instance(const weir_serving *serving, weir_instance_handle instance)
{
	return instance.slot < serving->instance_slots && serving->instances[instance.slot].exists &&
	       serving->instances[instance.slot].id == instance.id;
}

weir_instance *weir_instance_at(const weir_serving *serving, weir_instance_handle instance)
{
	assert(weir_serving_has_instance(serving, instance));
	return &serving->instances[instance.slot];
}

static weir_status check_weights(const weir_application_state *application,
                                 const weir_instance_type *type, weir_error *error)
{
	if (application->weights <= type->memory_limit) {
		return WEIR_OK;
	}
	return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
	                      "the weights of %s (%.0f bytes) do not fit the memory of an instance "
	                      "on %s (%.0f bytes)",
	                      application->config->model->name, (double)application->weights,
	                      type->sku->name, (double)type->memory_limit);
}

/* A slot for an instance, whose queues are empty and may have memory from before; WEIR_NONE when
 * memory is out. */
static uint32_t take_slot(weir_serving *serving)
{
	uint32_t slot = serving->free_instance;
	if (slot != WEIR_NONE) {
		serving->free_instance = serving->instances[slot].next_free;
		return slot;
	}
	slot = serving->instance_slots;
	if (!weir_reserve((void **)&serving->instances, &serving->instance_capacity, (size_t)slot + 1,
	                  sizeof *serving->instances) ||
	    !weir_reserve((void **)&serving->entries, &serving->entry_capacity, (size_t)slot + 1,
	                  sizeof *serving->entries)) {
		return WEIR_NONE;
	}
	serving->instance_slots++;
	weir_pending_init(&serving->instances[slot].pending);
	return slot;
}

weir_status weir_serving_add_instance(weir_serving *serving, weir_server_handle server,
                                      weir_tag tag, weir_instance_handle *instance,
                                      weir_error *error)
{
	weir_server *host = server_at(serving, server);
	assert(room_of(serving, host) > 0);
	const weir_application_state *application = &serving->applications[host->application];
	const weir_instance_type *type = &application->config->types[host->type];
	weir_status fit = check_weights(application, type, error);
	if (fit != WEIR_OK) {
		return fit;
	}
	uint32_t slot = take_slot(serving);
	if (slot == WEIR_NONE) {
		return out_of_memory(error);
	}
	double now = weir_engine_now(serving->engine);
	weir_instance *added = &serving->instances[slot];
	weir_pending_queue pending = added->pending;
	assert(pending.count == 0 && pending.log_count == 0);
	*added = (weir_instance){
	    .slot = slot,
	    .id = serving->next_instance++,
	    .exists = true,
	    .next_free = WEIR_NONE,
	    .server = server.slot,
	    .application = host->application,
	    .type = host->type,
	    .tag = tag,
	    .list = tag,
	    .state = WEIR_INSTANCE_SCALING_UP,
	    .time = type->time,
	    .memory = application->weights,
	    .memory_limit = type->memory_limit,
	    .weights = application->weights,
	    .pending = pending,
	    .partial_prompt = WEIR_NONE,
	    .finish = added->finish,
	    .finish_capacity = added->finish_capacity,
	    .power_w = weir_idle_power(serving, type),
	    .accounted = now,
	    .created = now,
	    .state_since = now,
	    .ready_since = NAN,
	    .drain_since = NAN,
	    .slowness = 1.0,
	};
	weir_waiting_init(&added->waiting);
	weir_task_list_init(&added->pending_prompts);
	weir_task_list_init(&added->blocked);
	weir_task_list_init(&added->batch);
	serving->entries[slot] = (weir_list_entry){0};
	serving->entries[slot].figures[WEIR_FIGURE_BYTES] = application->weights;
	host->instances++;
	weir_books_enter(serving, added);
	*instance = (weir_instance_handle){slot, added->id};
	return WEIR_OK;
}

bool weir_instance_activate(weir_serving *serving, weir_instance *instance)
{
	weir_application_state *application = weir_application_of(serving, instance);
	if (!weir_scheduler_add(serving, &application->scheduler, instance)) {
		return false;
	}
	weir_books_change_state(serving, instance, WEIR_INSTANCE_ACTIVE);
	if (isnan(instance->ready_since)) {
		instance->ready_since = instance->state_since;
	}
	return true;
}

weir_status weir_serving_set_state(weir_serving *serving, weir_instance_handle instance,
                                   weir_instance_state state, weir_error *error)
{
	weir_instance *changed = weir_instance_at(serving, instance);
	weir_application_state *application = weir_application_of(serving, changed);
	if (state == changed->state) {
		return WEIR_OK;
	}
	if (state == WEIR_INSTANCE_ACTIVE) {
		if (!weir_instance_activate(serving, changed)) {
			return out_of_memory(error);
		}
		weir_request_dispatch_waiting(serving, application);
		weir_note_progress(serving);
		return weir_serving_after_change(serving, error);
	}
	if (changed->state == WEIR_INSTANCE_ACTIVE) {
		weir_scheduler_remove(serving, &application->scheduler, changed);
	}
	weir_books_change_state(serving, changed, state);
	if (state == WEIR_INSTANCE_DRAINING) {
		changed->drain_since = changed->state_since;
	}
	return weir_serving_after_change(serving, error);
}

void weir_serving_set_tag(weir_serving *serving, weir_instance_handle instance, weir_tag tag)
{
	weir_instance *flipped = weir_instance_at(serving, instance);
	assert(flipped->state != WEIR_INSTANCE_ACTIVE && flipped->claims == 0);
	weir_books_leave(serving, flipped);
	flipped->tag = flipped->list = tag;
	weir_books_enter(serving, flipped);
}

void weir_serving_set_slowness(weir_serving *serving, weir_instance_handle instance, double factor)
{
	assert(isfinite(factor) && factor > 0);
	weir_instance_set_slowness(serving, weir_instance_at(serving, instance), factor);
}

bool weir_serving_is_empty(const weir_serving *serving, weir_instance_handle instance)
{
	return weir_instance_at(serving, instance)->claims == 0;
}

void weir_serving_remove_instance(weir_serving *serving, weir_instance_handle instance)
{
	weir_instance *removed = weir_instance_at(serving, instance);
	assert(removed->state != WEIR_INSTANCE_ACTIVE && removed->claims == 0);
	weir_books_leave(serving, removed);
	serving->servers[removed->server].instances--;
	removed->exists = false;
	removed->next_free = serving->free_instance;
	serving->free_instance = instance.slot;
}

uint32_t weir_serving_instance_slots(const weir_serving *serving)
{
	return serving->instance_slots;
}
