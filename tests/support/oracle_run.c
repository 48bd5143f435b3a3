#include "support/oracle_run.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "oracle/naive.h"
#include "support/curves.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define PROFILE WEIR_CONFIG_DIRECTORY "/profiles/splitwise.json"

enum { MOST_INSTANCES = 64 };

typedef struct oracle_cluster {
	naive_instance_config instances[MOST_INSTANCES];
	test_curves curves[MOST_INSTANCES];
} oracle_cluster;

typedef struct request_list {
	naive_request *items;
	size_t count, capacity;
} request_list;

static double iteration_seconds(void *context, size_t instance, int64_t prompt_tokens,
                                int64_t token_tasks)
{
	const oracle_cluster *cluster = context;
	return test_curves_iteration_seconds(&cluster->curves[instance], prompt_tokens, token_tasks);
}

static naive_config describe(const weir_config *config, oracle_cluster *cluster)
{
	const weir_config_application *application = &config->applications[0];
	ck_assert_uint_eq(config->application_count, 1);
	ck_assert_uint_le(application->server_count, MOST_INSTANCES);
	for (size_t i = 0; i < application->server_count; i++) {
		const weir_config_server *server = &application->servers[i];
		const weir_gpu *gpu = weir_hardware_gpu(&config->hardware, server->sku->gpu);
		cluster->instances[i] = (naive_instance_config){
		    .tag = (naive_tag)server->tag,
		    .memory_limit = application->instance.tensor_parallel * gpu->memory_bytes,
		};
		cluster->curves[i] =
		    test_curves_of_profile(PROFILE, application->model->name, server->sku->gpu);
	}
	const weir_architecture *model = application->model;
	return (naive_config){
	    .scheduler = (naive_scheduler)application->scheduler.kind,
	    .bandwidth_gb_per_s = application->scheduler.transfer_bandwidth_gb_per_s,
	    .prompt_max_pending_tokens = application->scheduler.prompt_max_pending_tokens,
	    .kind = (naive_kind)application->instance.kind,
	    .max_batch_size = application->instance.max_batch_size,
	    .max_batch_tokens = application->instance.max_batch_tokens,
	    .max_preemptions = application->instance.max_preemptions,
	    .kv_bytes_per_token = 2 * model->hidden * model->layers * (int64_t)model->bytes_per_value,
	    .weights = (int64_t)model->weight_bytes,
	    .instance_count = application->server_count,
	    .instances = cluster->instances,
	    .until = INFINITY,
	    .iteration_seconds = iteration_seconds,
	    .context = cluster,
	};
}

static request_list read_requests(const weir_config *config)
{
	request_list list = {0};
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_config_open_workload(config, &source, &error), &error);
	weir_request request;
	for (bool more = true;;) {
		ck_assert_ok(weir_source_next(source, &request, &more, &error), &error);
		if (!more) {
			break;
		}
		ck_assert(
		    weir_reserve((void **)&list.items, &list.capacity, list.count + 1, sizeof *list.items));
		list.items[list.count++] = (naive_request){request.id, request.arrival,
		                                           request.prompt_tokens, request.output_tokens};
	}
	weir_source_destroy(source);
	return list;
}

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool row_is_equal(const weir_request_row *row, const naive_row *naive)
{
	return row->request_id == naive->id && row->status == WEIR_REQUEST_COMPLETED &&
	       naive->status == NAIVE_COMPLETED && same(row->queue_time, naive->queue_time) &&
	       same(row->ttft, naive->ttft) && same(row->second_token_gap, naive->second_token_gap) &&
	       same(row->e2e, naive->e2e) && row->preemptions == naive->preemptions &&
	       row->prompt_instance == naive->prompt_instance &&
	       (row->output_tokens == 1 || row->token_instance == naive->token_instance);
}

static void compare(const char *output, const naive_result *naive, size_t instances)
{
	size_t count = 0;
	weir_request_row *rows = test_recorded_rows(output, &count);
	ck_assert_uint_eq(count, naive->row_count);
	size_t preempted = 0;
	size_t retried = 0;
	for (size_t i = 0; i < count; i++) {
		const naive_row *expected = &naive->rows[i];
		ck_assert_msg(row_is_equal(&rows[i], expected),
		              "row %zu: request %lld: status %d, queue %.17g, ttft %.17g, gap %.17g, e2e "
		              "%.17g; by the oracle %lld: %d, %.17g, %.17g, %.17g, %.17g",
		              i, (long long)rows[i].request_id, rows[i].status, rows[i].queue_time,
		              rows[i].ttft, rows[i].second_token_gap, rows[i].e2e, (long long)expected->id,
		              (int)expected->status, expected->queue_time, expected->ttft,
		              expected->second_token_gap, expected->e2e);
		preempted += expected->preemptions > 0;
		retried += expected->transfer_retries > 0;
	}
	free(rows);
	ck_assert_double_eq(test_recorded_total(output, "end_time"), naive->end_time);
	ck_assert_double_eq(test_recorded_total(output, "events"), (double)naive->events);
	double *busy = test_recorded_column(output, "instances", "busy", &count);
	ck_assert_uint_eq(count, instances);
	for (size_t i = 0; i < count; i++) {
		/* Summed over other intervals: equal but for rounding. */
		ck_assert_double_eq_tol(busy[i], naive->busy_time[i], 1e-9 * (1 + naive->busy_time[i]));
	}
	free(busy);
	printf("%zu requests equal, %zu of them preempted, %zu with a transfer that waited\n",
	       naive->row_count, preempted, retried);
}

static char *setting(weir_arena *arena, const char *key, const char *value)
{
	return weir_arena_format(arena, "%s=%s", key, value);
}

void check_run_against_oracle(const char *trace, const char *servers, const char *pools,
                              const char *scheduler)
{
	weir_arena *arena = weir_arena_create();
	ck_assert_ptr_nonnull(arena);
	/* Samples are events, which the oracle does not have. */
	const weir_config *config =
	    test_config(TEST_PARITY_CONFIG, "sampling.interval=0", setting(arena, "trace.path", trace),
	                setting(arena, "servers", servers), setting(arena, "pools", pools),
	                setting(arena, "scheduler.kind", scheduler), NULL);
	const char *output = test_path("oracle_run.h5");
	test_run(config, output, NULL);
	oracle_cluster *cluster = weir_arena_allocate(arena, 1, sizeof *cluster);
	ck_assert_ptr_nonnull(cluster);
	const naive_config naive = describe(config, cluster);
	request_list requests = read_requests(config);
	naive_result result = naive_run(&naive, requests.items, requests.count);
	compare(output, &result, naive.instance_count);
	naive_result_free(&result);
	free(requests.items);
	weir_config_destroy(config);
	weir_arena_destroy(arena);
}
