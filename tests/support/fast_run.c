#include "support/fast_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/test_support.h"

/* Arrivals are events of the caller, after those of serving. */
enum { EVENT_ARRIVAL = WEIR_SERVING_EVENT_END };

typedef struct test_time {
	weir_execution_time base;
	const naive_config *config;
	size_t instance;
} test_time;

struct fast_run {
	const naive_config *config;
	const naive_request *requests;
	size_t request_count, next;
	weir_architecture model;
	weir_server_sku sku;
	test_time *times;
	weir_instance_type *types;
	weir_start_server *servers;
	weir_application application;
	weir_cluster cluster;
	weir_engine *engine;
	weir_serving *serving;
	weir_request_row *rows;
	size_t row_count;
	double end_time;
	uint64_t events;
};

static double duration(const weir_execution_time *model, const weir_batch *batch)
{
	const test_time *time = (const test_time *)(const void *)model;
	return time->config->iteration_seconds(time->config->context, time->instance,
	                                       batch->prompt_tokens, batch->token_tasks);
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
	(void)model;
	(void)batch;
	return 1.0;
}

static const weir_execution_time_type test_time_type = {
    .name = "test",
    .doc = "the oracle's callback",
    .time_for = time_for,
    .iterations_in = iterations_in,
    .power_share = power_share,
};

static void on_request_ended(void *context, const weir_request_row *row)
{
	fast_run *run = context;
	run->rows[run->row_count++] = *row;
}

static void schedule_arrival(fast_run *run)
{
	if (run->next < run->request_count) {
		weir_event_handle handle =
		    weir_engine_schedule(run->engine, run->requests[run->next].arrival, WEIR_CLASS_ARRIVAL,
		                         (weir_event){.type = EVENT_ARRIVAL});
		ck_assert_uint_ne(handle.generation, 0);
	}
}

static void describe_cluster(fast_run *run, int network, uint64_t seed)
{
	const naive_config *config = run->config;
	/* kv bytes per token = 2 * layers * hidden * bytes_per_value */
	ck_assert_int_eq(config->kv_bytes_per_token % 2, 0);
	run->model = (weir_architecture){
	    .name = "test",
	    .layers = 1,
	    .hidden = config->kv_bytes_per_token / 2,
	    .heads = 1,
	    .kv_heads = 1,
	    .bytes_per_value = 1,
	    .weight_bytes = (double)config->weights,
	};
	run->sku = (weir_server_sku){.name = "test", .gpu_count = 1, .tdp_w = 1000};
	for (size_t i = 0; i < config->instance_count; i++) {
		run->times[i] = (test_time){.base = {&test_time_type}, .config = config, .instance = i};
		run->types[i] = (weir_instance_type){
		    .sku = &run->sku,
		    .time = &run->times[i].base,
		    .memory_limit = config->instances[i].memory_limit,
		    .nic_bytes_per_s = config->bandwidth_gb_per_s * 1024.0 * 1024.0 * 1024.0,
		    .share_of_server = 1.0,
		};
		run->servers[i] =
		    (weir_start_server){.type = (uint32_t)i, .tag = (weir_tag)config->instances[i].tag};
	}
	run->application = (weir_application){
	    .name = "test",
	    .model = &run->model,
	    .instance = {.kind = (int)config->kind,
	                 .max_batch_size = config->max_batch_size,
	                 .max_batch_tokens = config->max_batch_tokens,
	                 .max_preemptions = config->max_preemptions,
	                 .tensor_parallel = 1},
	    .scheduler = {.kind = (int)config->scheduler,
	                  .transfer_bandwidth_gb_per_s = config->bandwidth_gb_per_s,
	                  .transfer_retry_s = 1.0,
	                  .overlap_factor = 10.0,
	                  .prompt_max_pending_tokens = config->prompt_max_pending_tokens},
	    .types = run->types,
	    .type_count = config->instance_count,
	    .servers = run->servers,
	    .server_count = config->instance_count,
	};
	run->cluster = (weir_cluster){
	    .applications = &run->application,
	    .application_count = 1,
	    .network = {.kind = network, .local_bandwidth_gb_per_s = 600},
	    .idle_fraction = 0.3,
	    .seed = seed,
	};
}

fast_run *fast_run_create(const naive_config *config, const naive_request *requests, size_t count,
                          int network, uint64_t seed)
{
	fast_run *run = weir_allocate(1, sizeof *run);
	ck_assert_ptr_nonnull(run);
	run->config = config;
	run->requests = requests;
	run->request_count = count;
	run->times = weir_allocate(config->instance_count, sizeof *run->times);
	run->types = weir_allocate(config->instance_count, sizeof *run->types);
	run->servers = weir_allocate(config->instance_count, sizeof *run->servers);
	run->rows = weir_allocate(count, sizeof *run->rows);
	ck_assert(run->times != NULL && run->types != NULL && run->servers != NULL &&
	          run->rows != NULL);
	describe_cluster(run, network, seed);
	run->engine = weir_engine_create();
	ck_assert_ptr_nonnull(run->engine);
	weir_error error = {0};
	const weir_serving_observer observer = {.context = run, .request_ended = on_request_ended};
	ck_assert_ok(weir_serving_create(&run->cluster, run->engine, &observer, &run->serving, &error),
	             &error);
	schedule_arrival(run);
	return run;
}

void fast_run_destroy(fast_run *run)
{
	weir_serving_destroy(run->serving);
	weir_engine_destroy(run->engine);
	free(run->times);
	free(run->types);
	free(run->servers);
	free(run->rows);
	free(run);
}

bool fast_run_step(fast_run *run)
{
	weir_event event;
	weir_error error = {0};
	if (!weir_engine_pop_until(run->engine, run->config->until, &event)) {
		return false;
	}
	run->events++;
	run->end_time = weir_engine_now(run->engine);
	if (event.type != EVENT_ARRIVAL) {
		ck_assert_ok(weir_serving_handle(run->serving, &event, &error), &error);
		return true;
	}
	const naive_request *request = &run->requests[run->next++];
	const weir_submission submission = {.id = request->id,
	                                    .prompt_tokens = request->prompt_tokens,
	                                    .output_tokens = request->output_tokens};
	/* The next arrival is scheduled first, so that arrivals of one time stay together. */
	schedule_arrival(run);
	ck_assert_ok(weir_serving_submit(run->serving, &submission, &error), &error);
	return true;
}

void fast_run_copy(fast_run *target, const fast_run *source)
{
	weir_error error = {0};
	ck_assert_ok(weir_engine_copy(target->engine, source->engine), &error);
	ck_assert_ok(weir_serving_copy(target->serving, source->serving, &error), &error);
	memcpy(target->rows, source->rows, source->row_count * sizeof *source->rows);
	target->row_count = source->row_count;
	target->next = source->next;
	target->end_time = source->end_time;
	target->events = source->events;
}

weir_serving *fast_run_serving(fast_run *run)
{
	return run->serving;
}

double fast_run_now(const fast_run *run)
{
	return weir_engine_now(run->engine);
}

static naive_status status_of(const weir_request_row *row)
{
	switch ((weir_request_status)row->status) {
	case WEIR_REQUEST_COMPLETED:
		return NAIVE_COMPLETED;
	case WEIR_REQUEST_REJECTED:
		return NAIVE_REJECTED;
	case WEIR_REQUEST_FAILED:
		ck_abort_msg("a request failed");
	case WEIR_REQUEST_UNFINISHED:
		break;
	}
	return NAIVE_UNFINISHED;
}

static int by_arrival_and_id(const void *a, const void *b)
{
	const weir_request_row *row_a = a;
	const weir_request_row *row_b = b;
	if (row_a->arrival != row_b->arrival) {
		return row_a->arrival < row_b->arrival ? -1 : 1;
	}
	return row_a->request_id < row_b->request_id ? -1 : row_a->request_id > row_b->request_id;
}

naive_result fast_run_result(fast_run *run)
{
	size_t ended = run->row_count;
	weir_serving_unfinished(run->serving, on_request_ended, run);
	size_t count = run->row_count;
	run->row_count = ended;
	if (count > ended) {
		qsort(run->rows + ended, count - ended, sizeof *run->rows, by_arrival_and_id);
	}
	naive_result result = {
	    .rows = weir_allocate(count, sizeof *result.rows),
	    .row_count = count,
	    .busy_time = weir_allocate(run->config->instance_count, sizeof *result.busy_time),
	    .end_time = run->end_time,
	    .events = run->events,
	};
	ck_assert(result.rows != NULL && result.busy_time != NULL);
	for (size_t i = 0; i < count; i++) {
		const weir_request_row *row = &run->rows[i];
		result.rows[i] = (naive_row){
		    .id = row->request_id,
		    .status = status_of(row),
		    .queue_time = row->queue_time,
		    .ttft = row->ttft,
		    .second_token_gap = row->second_token_gap,
		    .e2e = row->e2e,
		    .prompt_instance = row->prompt_instance,
		    .token_instance = row->token_instance,
		    .preemptions = row->preemptions,
		};
		result.completed += result.rows[i].status == NAIVE_COMPLETED;
		result.rejected += result.rows[i].status == NAIVE_REJECTED;
	}
	for (size_t i = 0; i < run->config->instance_count; i++) {
		weir_instance_view view;
		weir_serving_instance(run->serving, (uint32_t)i, &view);
		result.busy_time[i] = view.busy_seconds;
	}
	return result;
}

naive_result fast_run_all(const naive_config *config, const naive_request *requests, size_t count,
                          uint64_t seed)
{
	fast_run *run = fast_run_create(config, requests, count, WEIR_NETWORK_DEDICATED, seed);
	while (fast_run_step(run)) {
	}
	naive_result result = fast_run_result(run);
	fast_run_destroy(run);
	return result;
}
