#include "run/cluster.h"

#include <stdlib.h>

#include "base/memory.h"
#include "config/slo_reference.h"

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the cluster");
}

static weir_status make_time(const weir_config *config, weir_built_cluster *built,
                             const weir_execution_target *target, const weir_execution_time **time,
                             weir_error *error)
{
	weir_execution_time *made = NULL;
	weir_status status = weir_execution_time_create(&config->execution_time, target, &made, error);
	if (status == WEIR_OK) {
		built->times[built->time_count++] = made;
		*time = made;
	}
	return status;
}

static weir_status make_type(const weir_config *config, weir_built_cluster *built,
                             const weir_config_application *application, const weir_server_sku *sku,
                             weir_instance_type *type, weir_error *error)
{
	const weir_gpu *gpu = weir_hardware_gpu(&config->hardware, sku->gpu);
	const weir_nic *nic =
	    sku->nic[0] != '\0' ? weir_hardware_nic(&config->hardware, sku->nic) : NULL;
	int64_t gpus = application->instance.tensor_parallel;
	*type = (weir_instance_type){
	    .sku = sku,
	    .memory_limit = gpus * gpu->memory_bytes,
	    .nic_bytes_per_s = nic != NULL ? nic->bandwidth_gb_per_s * WEIR_BYTES_PER_GB : 0.0,
	    .share_of_server = (double)gpus / (double)sku->gpu_count,
	};
	const weir_execution_target target = {application->model, gpu, gpus};
	return make_time(config, built, &target, &type->time, error);
}

/* The number of the application's type on a SKU, made if it is the first of it. */
static weir_status type_of(const weir_config *config, weir_built_cluster *built,
                           const weir_config_application *from, const weir_server_sku *sku,
                           weir_instance_type *types, size_t *type_count, uint32_t *type,
                           weir_error *error)
{
	size_t t = 0;
	while (t < *type_count && types[t].sku != sku) {
		t++;
	}
	*type = (uint32_t)t;
	if (t < *type_count) {
		return WEIR_OK;
	}
	(*type_count)++;
	return make_type(config, built, from, sku, &types[t], error);
}

/* The types and start servers of one application, at the given places. */
static weir_status build_application(const weir_config *config, weir_built_cluster *built,
                                     const weir_config_application *from,
                                     weir_application *application, weir_instance_type *types,
                                     weir_start_server *servers, weir_error *error)
{
	size_t type_count = 0;
	weir_status status = WEIR_OK;
	for (size_t s = 0; s < from->server_count && status == WEIR_OK; s++) {
		servers[s].tag = from->servers[s].tag;
		status = type_of(config, built, from, from->servers[s].sku, types, &type_count,
		                 &servers[s].type, error);
	}
	for (size_t i = 0; i < from->more_sku_count && status == WEIR_OK; i++) {
		uint32_t type;
		status = type_of(config, built, from, from->more_skus[i], types, &type_count, &type, error);
	}
	*application = (weir_application){
	    .name = from->name,
	    .model = from->model,
	    .instance = from->instance,
	    .scheduler = from->scheduler,
	    .types = types,
	    .type_count = type_count,
	    .servers = servers,
	    .server_count = from->server_count,
	};
	return status;
}

static weir_status build_reference(const weir_config *config, weir_built_cluster *built,
                                   const weir_config_application *application,
                                   weir_slo_reference *reference, weir_error *error)
{
	weir_execution_time *made = NULL;
	weir_status status = weir_slo_reference_make(config, application, &made, reference, error);
	if (status == WEIR_OK) {
		built->times[built->time_count++] = made;
	}
	return status;
}

static weir_status build(const weir_config *config, weir_built_cluster *built, weir_error *error)
{
	size_t first_server = 0;
	size_t first_type = 0;
	for (size_t a = 0; a < config->application_count; a++) {
		const weir_config_application *from = &config->applications[a];
		weir_status status =
		    build_application(config, built, from, &built->applications[a],
		                      built->types + first_type, built->servers + first_server, error);
		if (status == WEIR_OK) {
			status = build_reference(config, built, from, &built->references[a], error);
		}
		if (status != WEIR_OK) {
			return status;
		}
		first_server += from->server_count;
		first_type += from->server_count + from->more_sku_count;
	}
	return WEIR_OK;
}

weir_status weir_cluster_build(const weir_config *config, weir_built_cluster *built,
                               weir_error *error)
{
	size_t servers = 0;
	size_t types = 0; /* at most one for each server and each SKU that may be added */
	for (size_t a = 0; a < config->application_count; a++) {
		servers += config->applications[a].server_count;
		types += config->applications[a].server_count + config->applications[a].more_sku_count;
	}
	*built = (weir_built_cluster){
	    .applications = weir_allocate(config->application_count, sizeof *built->applications),
	    .types = weir_allocate(types, sizeof *built->types),
	    .servers = weir_allocate(servers, sizeof *built->servers),
	    .times = weir_allocate(types + config->application_count, sizeof *built->times),
	    .references = weir_allocate(config->application_count, sizeof *built->references),
	};
	weir_status status = built->applications != NULL && built->types != NULL &&
	                             built->servers != NULL && built->times != NULL &&
	                             built->references != NULL
	                         ? build(config, built, error)
	                         : out_of_memory(error);
	if (status != WEIR_OK) {
		weir_cluster_release(built);
		return status;
	}
	built->cluster = (weir_cluster){
	    .applications = built->applications,
	    .application_count = config->application_count,
	    .network = config->network,
	    .idle_fraction = config->sampling.idle_fraction,
	    .seed = config->seed,
	    .max_retries = (uint32_t)config->faults.max_retries,
	};
	built->slo = (weir_slo){
	    .config = &config->slo,
	    .references = built->references,
	    .reference_count = config->application_count,
	};
	return WEIR_OK;
}

void weir_cluster_release(weir_built_cluster *built)
{
	for (size_t i = 0; i < built->time_count; i++) {
		weir_execution_time_destroy(built->times[i]);
	}
	free(built->applications);
	free(built->types);
	free(built->servers);
	free(built->times);
	free(built->references);
	*built = (weir_built_cluster){.time_count = 0};
}
