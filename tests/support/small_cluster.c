#include "support/small_cluster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/test_support.h"

enum { EVENT_ARRIVAL = WEIR_SERVING_EVENT_END };

static double duration(const weir_execution_time *model, const weir_batch *batch)
{
	const small_speed *speed = &((const small_time *)(const void *)model)->speed;
	return batch->prompt_tasks > 0
	           ? speed->prompt_s + speed->prompt_token_s * (double)batch->prompt_tokens
	           : speed->token_s + speed->token_task_s * (double)batch->token_tasks;
}

static double time_for(const weir_execution_time *model, const weir_batch *batch, int64_t k)
{
	return duration(model, batch) * (double)k;
}

static int64_t iterations_in(const weir_execution_time *model, const weir_batch *batch,
                             double elapsed)
{
	return (int64_t)weir_floor_divide(elapsed, duration(model, batch));
}

static double power_share(const weir_execution_time *model, const weir_batch *batch)
{
	const small_speed *speed = &((const small_time *)(const void *)model)->speed;
	return batch->prompt_tasks > 0 ? speed->prompt_power : speed->token_power;
}

const weir_execution_time_type small_time_type = {
    .name = "small",
    .doc = "linear in the tokens",
    .time_for = time_for,
    .iterations_in = iterations_in,
    .power_share = power_share,
};

static int index_of(const char *const *names, const char *name)
{
	int index = 0;
	while (names[index] != NULL && strcmp(names[index], name) != 0) {
		index++;
	}
	ck_assert_msg(names[index] != NULL, "no '%s'", name);
	return index;
}

small_cluster *small_cluster_create(void)
{
	small_cluster *cluster = weir_allocate(1, sizeof *cluster);
	ck_assert_ptr_nonnull(cluster);
	cluster->config = (weir_cluster){
	    .applications = cluster->configs,
	    .network = {.kind = WEIR_NETWORK_DEDICATED, .local_bandwidth_gb_per_s = 1},
	    .idle_fraction = 0.25,
	    .seed = 1,
	};
	return cluster;
}

void small_cluster_destroy(small_cluster *cluster)
{
	weir_serving_destroy(cluster->serving);
	weir_engine_destroy(cluster->engine);
	free(cluster->rows);
	free(cluster->iterations);
	free(cluster->transfers);
	free(cluster->arrivals);
	free(cluster);
}

small_application *small_cluster_add(small_cluster *cluster, const char *scheduler,
                                     const char *kind)
{
	ck_assert_uint_lt(cluster->config.application_count, SMALL_APPLICATIONS);
	small_application *application = &cluster->applications[cluster->config.application_count++];
	application->model = (weir_architecture){
	    .name = "small",
	    .layers = 1,
	    .hidden = SMALL_KV_BYTES / 2,
	    .heads = 1,
	    .kv_heads = 1,
	    .bytes_per_value = 1,
	    .weight_bytes = SMALL_WEIGHTS,
	};
	application->config = (weir_application){
	    .name = "small",
	    .instance = {.kind = index_of(weir_batching_names, kind),
	                 .max_batch_size = 512,
	                 .max_batch_tokens = 2048,
	                 .max_preemptions = 4,
	                 .tensor_parallel = 1},
	    .scheduler = {.kind = index_of(weir_scheduler_names, scheduler),
	                  .transfer_bandwidth_gb_per_s = 1.0,
	                  .transfer_retry_s = 1.0,
	                  .overlap_factor = 10.0,
	                  .prompt_max_pending_tokens = 8192},
	};
	return application;
}

void small_application_add_server(small_application *application, const small_server *server)
{
	size_t s = application->config.server_count++;
	ck_assert_uint_lt(s, SMALL_SERVERS);
	application->config.type_count++;
	application->skus[s] = (weir_server_sku){.name = "small",
	                                         .gpu_count = server->gpus,
	                                         .tdp_w = server->tdp_w,
	                                         .price_per_hour = server->price_per_hour};
	application->times[s] = (small_time){{&small_time_type}, server->speed};
	application->types[s] = (weir_instance_type){
	    .memory_limit = SMALL_WEIGHTS + server->kv_tokens * SMALL_KV_BYTES,
	    .nic_bytes_per_s = server->nic_bytes_per_s,
	    .share_of_server = 1.0 / (double)server->gpus,
	};
	application->servers[s] = (weir_start_server){.type = (uint32_t)s, .tag = server->tag};
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	small_cluster *cluster = context;
	ck_assert(weir_reserve((void **)&cluster->rows, &cluster->row_capacity, cluster->row_count + 1,
	                       sizeof *cluster->rows));
	cluster->rows[cluster->row_count++] = *row;
}

static void on_iterations_ended(void *context, const weir_iteration_row *row)
{
	small_cluster *cluster = context;
	ck_assert(weir_reserve((void **)&cluster->iterations, &cluster->iteration_capacity,
	                       cluster->iteration_count + 1, sizeof *cluster->iterations));
	cluster->iterations[cluster->iteration_count++] = *row;
}

static void on_transfer_ended(void *context, const weir_transfer_row *row)
{
	small_cluster *cluster = context;
	ck_assert(weir_reserve((void **)&cluster->transfers, &cluster->transfer_capacity,
	                       cluster->transfer_count + 1, sizeof *cluster->transfers));
	cluster->transfers[cluster->transfer_count++] = *row;
}

void small_cluster_start(small_cluster *cluster)
{
	for (size_t a = 0; a < cluster->config.application_count; a++) {
		small_application *application = &cluster->applications[a];
		for (size_t s = 0; s < application->config.server_count; s++) {
			application->types[s].sku = &application->skus[s];
			application->types[s].time = &application->times[s].base;
		}
		application->config.model = &application->model;
		application->config.types = application->types;
		application->config.servers = application->servers;
		cluster->configs[a] = application->config;
	}
	cluster->config.applications = cluster->configs;
	cluster->engine = weir_engine_create();
	ck_assert_ptr_nonnull(cluster->engine);
	const weir_serving_observer observer = {
	    .context = cluster,
	    .request_ended = on_request_ended,
	    .iterations_ended = cluster->keeps_activity ? on_iterations_ended : NULL,
	    .transfer_ended = cluster->keeps_activity ? on_transfer_ended : NULL,
	};
	weir_error error = {0};
	ck_assert_ok(weir_serving_create(&cluster->config, cluster->engine, &observer,
	                                 &cluster->serving, &error),
	             &error);
}

void small_cluster_arrive(small_cluster *cluster, double time, uint32_t application,
                          int64_t prompt_tokens, int64_t output_tokens)
{
	size_t id = cluster->arrival_count++;
	ck_assert(weir_reserve((void **)&cluster->arrivals, &cluster->arrival_capacity, id + 1,
	                       sizeof *cluster->arrivals));
	cluster->arrivals[id] =
	    (weir_submission){(int64_t)id, application, prompt_tokens, output_tokens};
	weir_event_handle handle =
	    weir_engine_schedule(cluster->engine, time, WEIR_CLASS_ARRIVAL,
	                         (weir_event){.type = EVENT_ARRIVAL, .subject = (uint32_t)id});
	ck_assert_uint_ne(handle.generation, 0);
}

bool small_cluster_step(small_cluster *cluster, double until)
{
	weir_event event;
	if (!weir_engine_pop_until(cluster->engine, until, &event)) {
		return false;
	}
	weir_error error = {0};
	if (event.type == EVENT_ARRIVAL) {
		ck_assert_ok(
		    weir_serving_submit(cluster->serving, &cluster->arrivals[event.subject], &error),
		    &error);
	} else {
		ck_assert_ok(weir_serving_handle(cluster->serving, &event, &error), &error);
	}
	ck_assert_ok(weir_serving_check(cluster->serving, &error), &error);
	return true;
}

void small_cluster_run(small_cluster *cluster, double until)
{
	while (small_cluster_step(cluster, until)) {
	}
	if (isfinite(until)) {
		weir_engine_advance(cluster->engine, until);
	}
}

small_cluster *small_cluster_copy(const small_cluster *source)
{
	small_cluster *copy = weir_allocate(1, sizeof *copy);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy->applications, source->applications, sizeof copy->applications);
	copy->config = source->config;
	small_cluster_start(copy);
	small_cluster_assign(copy, source);
	return copy;
}

void small_cluster_assign(small_cluster *target, const small_cluster *source)
{
	weir_error error = {0};
	ck_assert_ok(weir_engine_copy(target->engine, source->engine), &error);
	ck_assert_ok(weir_serving_copy(target->serving, source->serving, &error), &error);
	free(target->rows);
	free(target->arrivals);
	target->rows = weir_duplicate(source->rows, source->row_count, sizeof *source->rows);
	target->row_count = target->row_capacity = source->row_count;
	target->arrivals =
	    weir_duplicate(source->arrivals, source->arrival_count, sizeof *source->arrivals);
	target->arrival_count = target->arrival_capacity = source->arrival_count;
}

const weir_request_row *small_cluster_row(const small_cluster *cluster, int64_t id)
{
	for (size_t i = 0; i < cluster->row_count; i++) {
		if (cluster->rows[i].request_id == id) {
			return &cluster->rows[i];
		}
	}
	ck_abort_msg("request %lld has not ended", (long long)id);
	return NULL;
}
