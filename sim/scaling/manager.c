#include "scaling/manager.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "scaling/boot.h"
#include "scaling/manager_state.h"

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the ScalingManager");
}

void weir_manager_fail(weir_manager *manager, const weir_error *error)
{
	if (manager->error.status == WEIR_OK) {
		manager->error = *error;
	}
}

weir_status weir_manager_check(const weir_manager *manager, weir_error *error)
{
	if (manager->error.status != WEIR_OK && error != NULL) {
		*error = manager->error;
	}
	return manager->error.status;
}

weir_managed_instance *weir_manager_instance(const weir_manager *manager,
                                             weir_instance_handle handle)
{
	if (handle.slot >= manager->instance_slots || !manager->instances[handle.slot].exists ||
	    manager->instances[handle.slot].id != handle.id) {
		return NULL;
	}
	return &manager->instances[handle.slot];
}

weir_managed_server *weir_manager_server(const weir_manager *manager, weir_server_handle handle)
{
	if (handle.slot >= manager->server_slots || !manager->servers[handle.slot].exists ||
	    manager->servers[handle.slot].id != handle.id) {
		return NULL;
	}
	return &manager->servers[handle.slot];
}

/* --- start state --- */

static weir_status adopt_servers(weir_manager *manager, weir_error *error)
{
	uint32_t slots = weir_serving_server_slots(manager->serving);
	if (!weir_reserve((void **)&manager->servers, &manager->server_capacity, slots,
	                  sizeof *manager->servers)) {
		return out_of_memory(error);
	}
	weir_server_view view;
	for (uint32_t slot = 0; slot < slots; slot++) {
		if (weir_serving_server(manager->serving, slot, &view)) {
			manager->servers[slot] = (weir_managed_server){
			    .exists = true,
			    .id = view.handle.id,
			    .application = view.application,
			    .type = view.type,
			};
			manager->application_servers[view.application]++;
		}
	}
	manager->server_slots = slots;
	return WEIR_OK;
}

/* An instance's view has the id of its server, a handle needs the slot as well. At the start they
 * are as good as equal: the search is short. */
static weir_server_handle server_of(const weir_manager *manager, uint32_t id)
{
	for (uint32_t i = 0; i < manager->server_slots; i++) {
		uint32_t slot = (id + i) % manager->server_slots;
		if (manager->servers[slot].exists && manager->servers[slot].id == id) {
			return (weir_server_handle){slot, id};
		}
	}
	return (weir_server_handle){manager->server_slots, id};
}

static weir_status adopt_instances(weir_manager *manager, weir_error *error)
{
	uint32_t slots = weir_serving_instance_slots(manager->serving);
	if (!weir_reserve((void **)&manager->instances, &manager->instance_capacity, slots,
	                  sizeof *manager->instances) ||
	    !weir_reserve((void **)&manager->pick, &manager->pick_capacity, slots,
	                  sizeof *manager->pick)) {
		return out_of_memory(error);
	}
	weir_instance_view view;
	for (uint32_t slot = 0; slot < slots; slot++) {
		if (weir_serving_instance(manager->serving, slot, &view)) {
			weir_server_handle server = server_of(manager, view.server);
			manager->instances[slot] = (weir_managed_instance){
			    .exists = true,
			    .id = view.id,
			    .application = view.application,
			    .type = view.type,
			    .tag = view.tag,
			    .state = view.state,
			    .server = server,
			};
			manager->servers[server.slot].tag = view.tag;
			manager->total++;
		}
	}
	manager->instance_slots = slots;
	return WEIR_OK;
}

/* The pool's own type is that of its first start server. */
static void find_pools(weir_manager *manager)
{
	for (uint32_t a = 0; a < manager->cluster->application_count; a++) {
		const weir_application *application = &manager->cluster->applications[a];
		for (int t = 0; t < WEIR_TAG_COUNT; t++) {
			manager->own_type[weir_pool_index(a, (weir_tag)t)] = -1;
		}
		for (size_t s = application->server_count; s-- > 0;) {
			const weir_start_server *server = &application->servers[s];
			manager->own_type[weir_pool_index(a, server->tag)] = (int32_t)server->type;
		}
	}
}

static const weir_instance_type *type_at(const weir_manager *manager, size_t index)
{
	size_t a = 0;
	while (a + 1 < manager->cluster->application_count && manager->first_type[a + 1] <= index) {
		a++;
	}
	return &manager->cluster->applications[a].types[index - manager->first_type[a]];
}

/* Applications share the stopped servers of a SKU. */
static void fill_warm_pool(weir_manager *manager)
{
	bool has_pool = manager->config->boot.kind == WEIR_BOOT_WARM_POOL;
	for (size_t i = 0; i < manager->type_count; i++) {
		size_t first = 0;
		while (type_at(manager, first)->sku != type_at(manager, i)->sku) {
			first++;
		}
		manager->sku_of[i] = first;
		manager->warm[i] = has_pool && first == i ? manager->config->boot.warm_servers : 0;
	}
}

static weir_status build(weir_manager *manager, uint64_t seed, weir_error *error)
{
	const weir_cluster *cluster = manager->cluster;
	size_t applications = cluster->application_count;
	size_t pools = applications * WEIR_TAG_COUNT;
	manager->first_type = weir_allocate(applications, sizeof *manager->first_type);
	if (manager->first_type == NULL) {
		return out_of_memory(error);
	}
	for (size_t a = 0; a < applications; a++) {
		manager->first_type[a] = manager->type_count;
		manager->type_count += cluster->applications[a].type_count;
	}
	manager->random = weir_stream_create(seed, "boot delays", 0);
	manager->application_servers =
	    weir_allocate(applications, sizeof *manager->application_servers);
	manager->flips_to = weir_allocate(pools, sizeof *manager->flips_to);
	manager->own_type = weir_allocate(pools, sizeof *manager->own_type);
	manager->sku_of = weir_allocate(manager->type_count, sizeof *manager->sku_of);
	manager->warm = weir_allocate(manager->type_count, sizeof *manager->warm);
	manager->out_of_stock = weir_allocate(manager->type_count, sizeof *manager->out_of_stock);
	if (manager->random == NULL || manager->application_servers == NULL ||
	    manager->flips_to == NULL || manager->own_type == NULL || manager->sku_of == NULL ||
	    manager->warm == NULL || manager->out_of_stock == NULL) {
		return out_of_memory(error);
	}
	find_pools(manager);
	fill_warm_pool(manager);
	weir_status status = adopt_servers(manager, error);
	return status == WEIR_OK ? adopt_instances(manager, error) : status;
}

weir_status weir_manager_create(const weir_scaling_config *config, const weir_cluster *cluster,
                                weir_serving *serving, weir_engine *engine, uint64_t seed,
                                const weir_manager_observer *observer, weir_manager **manager,
                                weir_error *error)
{
	weir_manager *made = weir_allocate(1, sizeof *made);
	*manager = NULL;
	if (made == NULL) {
		return out_of_memory(error);
	}
	made->config = config;
	made->cluster = cluster;
	made->serving = serving;
	made->engine = engine;
	if (observer != NULL) {
		made->observer = *observer;
	}
	weir_status status = build(made, seed, error);
	if (status != WEIR_OK) {
		weir_manager_destroy(made);
		return status;
	}
	*manager = made;
	return WEIR_OK;
}

void weir_manager_destroy(weir_manager *manager)
{
	if (manager == NULL) {
		return;
	}
	if (manager->random != NULL) {
		gsl_rng_free(manager->random);
	}
	free(manager->instances);
	free(manager->servers);
	free(manager->application_servers);
	free(manager->flips_to);
	free(manager->own_type);
	free(manager->first_type);
	free(manager->sku_of);
	free(manager->warm);
	free(manager->out_of_stock);
	free(manager->pick);
	free(manager);
}

bool weir_manager_copy(weir_manager *target, const weir_manager *source)
{
	size_t applications = source->cluster->application_count;
	size_t pools = applications * WEIR_TAG_COUNT;
	if (!weir_reserve((void **)&target->instances, &target->instance_capacity,
	                  source->instance_slots, sizeof *target->instances) ||
	    !weir_reserve((void **)&target->servers, &target->server_capacity, source->server_slots,
	                  sizeof *target->servers) ||
	    !weir_reserve((void **)&target->pick, &target->pick_capacity, source->instance_slots,
	                  sizeof *target->pick)) {
		return false;
	}
	memcpy(target->instances, source->instances,
	       source->instance_slots * sizeof *target->instances);
	memcpy(target->servers, source->servers, source->server_slots * sizeof *target->servers);
	memcpy(target->application_servers, source->application_servers,
	       applications * sizeof *target->application_servers);
	memcpy(target->flips_to, source->flips_to, pools * sizeof *target->flips_to);
	memcpy(target->warm, source->warm, source->type_count * sizeof *target->warm);
	memcpy(target->out_of_stock, source->out_of_stock,
	       source->type_count * sizeof *target->out_of_stock);
	gsl_rng_memcpy(target->random, source->random);
	target->instance_slots = source->instance_slots;
	target->server_slots = source->server_slots;
	target->total = source->total;
	target->operations = source->operations;
	target->next_drain = source->next_drain;
	target->counters = source->counters;
	target->error = source->error;
	return true;
}

/* --- questions --- */

uint32_t weir_manager_active(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	weir_pool_books books;
	weir_serving_pool_books(manager->serving, application, tag, &books);
	return books.count[WEIR_INSTANCE_ACTIVE];
}

int64_t weir_manager_size(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	weir_pool_books books;
	weir_serving_pool_books(manager->serving, application, tag, &books);
	return (int64_t)books.count[WEIR_INSTANCE_SCALING_UP] + books.count[WEIR_INSTANCE_ACTIVE] +
	       manager->flips_to[weir_pool_index(application, tag)];
}

bool weir_manager_has_pool(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	return manager->own_type[weir_pool_index(application, tag)] >= 0;
}

uint32_t weir_manager_operations(const weir_manager *manager)
{
	return manager->operations;
}

uint64_t weir_manager_background(const weir_manager *manager)
{
	uint64_t looks = 0;
	for (uint32_t slot = 0; slot < manager->instance_slots; slot++) {
		const weir_managed_instance *instance = &manager->instances[slot];
		looks +=
		    instance->exists && instance->state == WEIR_INSTANCE_DRAINING &&
		    isinf(instance->deadline) && weir_engine_is_pending(manager->engine, instance->event) &&
		    !weir_serving_is_empty(manager->serving, (weir_instance_handle){slot, instance->id});
	}
	return looks;
}

double weir_manager_next_ready(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	double next = INFINITY;
	for (uint32_t slot = 0; slot < manager->instance_slots; slot++) {
		const weir_managed_instance *instance = &manager->instances[slot];
		if (instance->exists && instance->application == application && instance->tag == tag &&
		    instance->state == WEIR_INSTANCE_SCALING_UP) {
			next = fmin(next, instance->ready_at);
		}
	}
	return next - weir_engine_now(manager->engine);
}

uint32_t weir_manager_active_servers(const weir_manager *manager, uint32_t application)
{
	double now = weir_engine_now(manager->engine);
	uint32_t active = 0;
	for (uint32_t slot = 0; slot < manager->server_slots; slot++) {
		const weir_managed_server *server = &manager->servers[slot];
		active += server->exists && server->application == application && server->ready_at <= now;
	}
	return active;
}

double weir_manager_mean_boot_delay(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	int32_t type = manager->own_type[weir_pool_index(application, tag)];
	if (type < 0) {
		return 0;
	}
	size_t sku = manager->sku_of[manager->first_type[application] + (size_t)type];
	const weir_boot boot = {
	    .weights = manager->cluster->applications[application].model->weight_bytes,
	    .warm = manager->warm[sku] > 0,
	};
	return weir_boot_mean(manager->config, &boot);
}

void weir_manager_status(const weir_manager *manager, uint32_t application,
                         weir_status_summary *summary)
{
	*summary = (weir_status_summary){.servers = manager->application_servers[application]};
	for (int t = 0; t < WEIR_TAG_COUNT; t++) {
		weir_pool_books books;
		weir_serving_pool_books(manager->serving, application, (weir_tag)t, &books);
		memcpy(summary->by_tag[t], books.count, sizeof books.count);
		summary->active += books.count[WEIR_INSTANCE_ACTIVE];
		summary->scaling_up += books.count[WEIR_INSTANCE_SCALING_UP];
		summary->draining += books.count[WEIR_INSTANCE_DRAINING];
	}
	summary->total_instances = summary->active + summary->scaling_up + summary->draining;
}

void weir_manager_counters_get(const weir_manager *manager, weir_manager_counters *counters)
{
	*counters = manager->counters;
}

/* --- for faults --- */

void weir_manager_set_stock(weir_manager *manager, uint32_t application, uint32_t type,
                            bool in_stock)
{
	manager->out_of_stock[manager->first_type[application] + type] = !in_stock;
	const weir_log_subject subject = {"faults", application, WEIR_TAG_PROMPT, -1, -1};
	weir_manager_row(manager, &subject, in_stock ? WEIR_SCALING_RESTOCKED : WEIR_SCALING_STOCK_OUT,
	                 0, 0, WEIR_REFUSED_NONE);
}

void weir_manager_set_boot_faults(weir_manager *manager, const weir_boot_faults *faults)
{
	manager->faults = *faults;
}
