#include <string.h>

#include "base/memory.h"
#include "config/settings.h"

/* What is wrong is told of the part of the config that one application stands in. */
typedef struct deployer {
	weir_keys_reader *reader;
	const settings *all;
	const char *path; /* "" or "applications[i]" */
	weir_error *error;
} deployer;

static const char *below(const deployer *d, const char *name)
{
	return weir_keys_path(d->reader, d->path, name);
}

static weir_status no_memory(const deployer *d)
{
	return weir_error_set(d->error, WEIR_ERROR_MEMORY, d->reader->file, "no memory for the config");
}

weir_status config_fail_unknown(weir_keys_reader *reader, const char *path, const char *what,
                                const char *name, const weir_key_list *known, size_t size,
                                weir_error *error)
{
	const char **names = weir_arena_allocate(reader->arena, known->count, sizeof *names);
	if (names == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file, "no memory for the config");
	}
	for (size_t i = 0; i < known->count; i++) {
		memcpy(&names[i], (const char *)known->items + i * size, sizeof names[i]);
	}
	return weir_keys_fail_unknown(reader, path, what, name, names, known->count, error);
}

static weir_status find_model(const deployer *d, const deployment_settings *from,
                              weir_config_application *application)
{
	const weir_key_list *models = &d->all->config.models;
	const char *path = below(d, "model");
	const char *name = from->model;
	if (name[0] == '\0') {
		name = d->all->deployment.model; /* an application may leave it to the config's own */
	}
	if (name[0] == '\0') {
		return weir_keys_fail(d->reader, path, d->error, "missing; expected the name of a model");
	}
	application->model = weir_models_find(models, name);
	return application->model != NULL ? WEIR_OK
	                                  : config_fail_unknown(d->reader, path, "model", name, models,
	                                                        sizeof(weir_architecture), d->error);
}

/* Everything that one server must have for the application's instances. */
static weir_status check_sku(const deployer *d, const char *path,
                             const weir_config_application *application, const weir_server_sku *sku)
{
	const weir_hardware *hardware = &d->all->config.hardware;
	int64_t gpus = application->instance.tensor_parallel;
	if (gpus > sku->gpu_count) {
		return weir_keys_fail(
		    d->reader, path, d->error,
		    "an instance takes %lld GPUs (instance.tensor_parallel), but a %s has %lld",
		    (long long)gpus, sku->name, (long long)sku->gpu_count);
	}
	double memory = (double)gpus * (double)weir_hardware_gpu(hardware, sku->gpu)->memory_bytes;
	if (application->model->weight_bytes >= memory) {
		return weir_keys_fail(
		    d->reader, path, d->error,
		    "the weights of %s (%.4g bytes) do not fit the %lld GPUs of an instance on "
		    "a %s (%.4g bytes)",
		    application->model->name, application->model->weight_bytes, (long long)gpus, sku->name,
		    memory);
	}
	if (d->all->config.network.kind == WEIR_NETWORK_SHARED_NIC && sku->nic[0] == '\0') {
		return weir_keys_fail(d->reader, path, d->error,
		                      "a %s has no NIC, which network.kind=shared_nic needs", sku->name);
	}
	return WEIR_OK;
}

/* Lists the servers one by one, in order, still without their pools. */
static weir_status place_servers(const deployer *d, const deployment_settings *from,
                                 weir_config_application *application, weir_config_server **servers)
{
	const weir_key_list *catalogue = &d->all->config.hardware.servers;
	const weir_server_group *groups = from->servers.items;
	const char *path = below(d, "servers");
	int64_t total = 0;
	for (size_t i = 0; i < from->servers.count && total <= WEIR_MOST_SERVERS; i++) {
		total += groups[i].count;
	}
	if (total < 1 || total > WEIR_MOST_SERVERS) {
		return weir_keys_fail(
		    d->reader, path, d->error,
		    "expected from 1 to %d servers, as in \"dgx-a100:6,dgx-h100:6\", got %s",
		    WEIR_MOST_SERVERS, total < 1 ? "none" : "more");
	}
	*servers = weir_arena_allocate(d->reader->arena, (size_t)total, sizeof **servers);
	if (*servers == NULL) {
		return no_memory(d);
	}
	size_t next = 0;
	for (size_t i = 0; i < from->servers.count; i++) {
		const weir_server_sku *sku = weir_hardware_server(&d->all->config.hardware, groups[i].sku);
		const char *sku_path = groups[i].short_form
		                           ? path
		                           : weir_arena_format(d->reader->arena, "%s[%zu].sku", path, i);
		if (sku_path == NULL) {
			return no_memory(d);
		}
		if (sku == NULL) {
			return config_fail_unknown(d->reader, sku_path, "SKU", groups[i].sku, catalogue,
			                           sizeof *sku, d->error);
		}
		weir_status status = check_sku(d, sku_path, application, sku);
		if (status != WEIR_OK) {
			return status;
		}
		for (int64_t k = 0; k < groups[i].count; k++) {
			(*servers)[next++] = (weir_config_server){sku, WEIR_TAG_MIXED};
		}
	}
	application->servers = *servers;
	application->server_count = next;
	return WEIR_OK;
}

static weir_status divide_by_count(const deployer *d, const weir_pools_config *pools,
                                   weir_config_server *servers, size_t server_count)
{
	const weir_pool_part *parts = pools->parts.items;
	int64_t total = 0;
	for (size_t i = 0; i < pools->parts.count; i++) {
		for (int64_t k = 0; k < parts[i].count && total + k < (int64_t)server_count; k++) {
			servers[total + k].tag = parts[i].tag;
		}
		total += parts[i].count;
	}
	if (total != (int64_t)server_count) {
		return weir_keys_fail(d->reader, below(d, "pools"), d->error,
		                      "the pools take %lld servers, but there are %zu", (long long)total,
		                      server_count);
	}
	return WEIR_OK;
}

static weir_status divide_by_sku(const deployer *d, const weir_pools_config *pools,
                                 weir_config_server *servers, size_t server_count)
{
	const weir_pool_part *parts = pools->parts.items;
	const char *path = below(d, "pools");
	size_t found = 0;
	for (size_t i = 0; i < pools->parts.count; i++) {
		size_t before = found;
		for (size_t s = 0; s < server_count; s++) {
			if (strcmp(servers[s].sku->name, parts[i].sku) == 0) {
				servers[s].tag = parts[i].tag;
				found++;
			}
		}
		if (found == before) {
			const weir_key_list *catalogue = &d->all->config.hardware.servers;
			return weir_hardware_server(&d->all->config.hardware, parts[i].sku) == NULL
			           ? config_fail_unknown(d->reader, path, "SKU", parts[i].sku, catalogue,
			                                 sizeof(weir_server_sku), d->error)
			           : weir_keys_fail(
			                 d->reader, path, d->error,
			                 "the %s pool has no instances: there is no %s among the servers",
			                 weir_tag_names[parts[i].tag], parts[i].sku);
		}
	}
	if (found < server_count) {
		return weir_keys_fail(d->reader, path, d->error,
		                      "%zu of the %zu servers are in no pool; every SKU needs one",
		                      server_count - found, server_count);
	}
	return WEIR_OK;
}

/* Schedulers that run the two phases apart need instances for both; mixed_pool lends where one
 * lacks. */
static weir_status check_pools(const deployer *d, const weir_config_application *application)
{
	const char *scheduler = weir_scheduler_names[application->scheduler.kind];
	if (strstr(scheduler, "kv_") == NULL) {
		return WEIR_OK;
	}
	size_t counts[WEIR_TAG_COUNT] = {0};
	for (size_t i = 0; i < application->server_count; i++) {
		counts[application->servers[i].tag]++;
	}
	for (int tag = WEIR_TAG_PROMPT; tag <= WEIR_TAG_TOKEN; tag++) {
		if (counts[tag] == 0) {
			return weir_keys_fail(
			    d->reader, below(d, "pools"), d->error,
			    "the %s pool has no instances, and scheduler %s needs them; expected "
			    "pools such as \"prompt:12,token:4\"",
			    weir_tag_names[tag], scheduler);
		}
	}
	return WEIR_OK;
}

/* The SKUs that scaling may add beside those of the start. */
static weir_status find_more_skus(const deployer *d, weir_config_application *application)
{
	const weir_key_list *names = &d->all->config.scaling.skus;
	const weir_hardware *hardware = &d->all->config.hardware;
	const weir_server_sku **skus =
	    weir_arena_allocate(d->reader->arena, names->count > 0 ? names->count : 1, sizeof *skus);
	if (skus == NULL) {
		return no_memory(d);
	}
	for (size_t i = 0; i < names->count; i++) {
		const char *name = ((const char *const *)names->items)[i];
		const char *path = weir_arena_format(d->reader->arena, "scaling.skus[%zu]", i);
		if (path == NULL) {
			return no_memory(d);
		}
		skus[i] = weir_hardware_server(hardware, name);
		if (skus[i] == NULL) {
			return config_fail_unknown(d->reader, path, "SKU", name, &hardware->servers,
			                           sizeof(weir_server_sku), d->error);
		}
		weir_status status = check_sku(d, path, application, skus[i]);
		if (status != WEIR_OK) {
			return status;
		}
	}
	application->more_skus = skus;
	application->more_sku_count = names->count;
	return WEIR_OK;
}

/* Fills what follows from `from`; name, instance and scheduler are there. */
static weir_status deploy_one(const deployer *d, const deployment_settings *from,
                              weir_config_application *application)
{
	weir_config_server *servers = NULL;
	weir_status status = find_model(d, from, application);
	if (status == WEIR_OK) {
		status = place_servers(d, from, application, &servers);
	}
	if (status == WEIR_OK && from->pools.parts.count > 0) {
		bool by_sku = ((const weir_pool_part *)from->pools.parts.items)->sku != NULL;
		status = (by_sku ? divide_by_sku : divide_by_count)(d, &from->pools, servers,
		                                                    application->server_count);
	}
	if (status == WEIR_OK) {
		status = find_more_skus(d, application);
	}
	return status == WEIR_OK ? check_pools(d, application) : status;
}

/* An application of the config's list: what it does not say is the config's own. */
static weir_status deploy_listed(const deployer *d, const application_settings *from,
                                 weir_config_application *application)
{
	*application = (weir_config_application){
	    .name = from->name, .instance = d->all->instance, .scheduler = d->all->scheduler};
	weir_status status = WEIR_OK;
	if (from->instance != NULL) {
		status = weir_keys_change(d->reader, &weir_instance_keys, from->instance,
		                          below(d, "instance"), &application->instance, d->error);
	}
	if (status == WEIR_OK && from->scheduler != NULL) {
		status = weir_keys_change(d->reader, &weir_scheduler_keys, from->scheduler,
		                          below(d, "scheduler"), &application->scheduler, d->error);
	}
	return status == WEIR_OK ? deploy_one(d, &from->deployment, application) : status;
}

static weir_status deploy_list(const deployer *top, weir_config_application *applications)
{
	const application_settings *listed = top->all->applications.items;
	const deployment_settings *own = &top->all->deployment;
	if (own->servers.count > 0 || own->pools.parts.count > 0) {
		return weir_keys_fail(top->reader, own->servers.count > 0 ? "servers" : "pools", top->error,
		                      "not allowed beside \"applications\", each of which has its own");
	}
	for (size_t i = 0; i < top->all->applications.count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(listed[i].name, listed[j].name) == 0) {
				return weir_keys_fail(top->reader, "applications", top->error,
				                      "two applications are named '%.100s'", listed[i].name);
			}
		}
		deployer d = *top;
		d.path = weir_arena_format(top->reader->arena, "applications[%zu]", i);
		if (d.path == NULL) {
			return no_memory(top);
		}
		weir_status status = deploy_listed(&d, &listed[i], &applications[i]);
		if (status != WEIR_OK) {
			return status;
		}
	}
	return WEIR_OK;
}

weir_status config_deploy(weir_keys_reader *reader, settings *all, weir_error *error)
{
	deployer d = {reader, all, "", error};
	size_t listed = all->applications.count;
	weir_config_application *applications =
	    weir_arena_allocate(reader->arena, listed > 0 ? listed : 1, sizeof *applications);
	if (applications == NULL) {
		return no_memory(&d);
	}
	weir_status status;
	if (listed > 0) {
		status = deploy_list(&d, applications);
	} else {
		applications[0] = (weir_config_application){
		    .name = "default", .instance = all->instance, .scheduler = all->scheduler};
		status = deploy_one(&d, &all->deployment, &applications[0]);
	}
	all->config.applications = applications;
	all->config.application_count = listed > 0 ? listed : 1;
	return status;
}
