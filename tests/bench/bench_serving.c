/*
 * The serving room alone, with made-up execution times: CPU time per request and per event.
 *
 * "light": requests come at a third of what the cluster can serve. "backlog": that many requests
 * wait from time 0 on, and the cluster works them off. Growth with the backlog or with the number
 * of instances beyond that of a logarithm is a fault.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "serving/serving.h"

enum { EVENT_ARRIVAL = WEIR_SERVING_EVENT_END, SAMPLES = 4096, MOST_SERVERS = 512 };

typedef struct bench_time {
	weir_execution_time base;
} bench_time;

static double duration(const weir_batch *batch)
{
	return batch->prompt_tasks > 0 ? 0.04 + 1e-4 * (double)batch->prompt_tokens
	                               : 0.02 + 1e-4 * (double)batch->token_tasks;
}

static double time_for(const weir_execution_time *model, const weir_batch *batch, int64_t k)
{
	(void)model;
	return duration(batch) * (double)k;
}

static int64_t iterations_in(const weir_execution_time *model, const weir_batch *batch,
                             double elapsed)
{
	(void)model;
	return (int64_t)weir_floor_divide(elapsed, duration(batch));
}

static double power_share(const weir_execution_time *model, const weir_batch *batch)
{
	(void)model;
	(void)batch;
	return 1.0;
}

static const weir_execution_time_type bench_time_type = {
    .name = "bench",
    .time_for = time_for,
    .iterations_in = iterations_in,
    .power_share = power_share,
};

typedef struct bench_case {
	const char *scheduler;
	int kind; /* index into weir_batching_names */
	uint32_t instances;
	size_t backlog; /* 0: light load */
	size_t requests;
} bench_case;

typedef struct bench_result {
	double ns_per_request, ns_per_event, events_per_request;
	double completed; /* share of the requests; the others wait for memory that nobody frees */
	uint64_t preemptions, retries;
} bench_result;

static double cpu_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void fail(const char *message)
{
	fprintf(stderr, "bench_serving: %s\n", message);
	exit(EXIT_FAILURE);
}

static int scheduler_index(const char *name)
{
	int index = 0;
	while (strcmp(weir_scheduler_names[index], name) != 0) {
		index++;
	}
	return index;
}

/* Sizes like those of conversations, drawn beforehand. */
static void draw_sizes(int64_t *prompts, int64_t *outputs, double *gaps)
{
	gsl_rng *stream = weir_stream_create(1, "bench", 0);
	if (stream == NULL) {
		fail("out of memory");
	}
	for (int i = 0; i < SAMPLES; i++) {
		double share = gsl_rng_uniform(stream);
		prompts[i] = 1 + (int64_t)(share * share * 3000);
		outputs[i] = 2 + (int64_t)gsl_rng_uniform_int(stream, 250);
		gaps[i] = 2 * gsl_rng_uniform(stream);
	}
	gsl_rng_free(stream);
}

static bench_result run(const bench_case *bench)
{
	static int64_t prompts[SAMPLES], outputs[SAMPLES];
	static double gaps[SAMPLES];
	static weir_start_server servers[MOST_SERVERS];
	draw_sizes(prompts, outputs, gaps);
	const bench_time model_time = {{&bench_time_type}};
	const weir_architecture model = {.name = "bench",
	                                 .layers = 70,
	                                 .hidden = 14336,
	                                 .heads = 112,
	                                 .kv_heads = 112,
	                                 .bytes_per_value = 2,
	                                 .weight_bytes = 329e9};
	const weir_server_sku sku = {.name = "bench", .gpu_count = 8, .tdp_w = 1000};
	const weir_instance_type type = {.sku = &sku,
	                                 .time = &model_time.base,
	                                 .memory_limit = INT64_C(8) * 85899345920,
	                                 .nic_bytes_per_s = 25e9,
	                                 .share_of_server = 1.0};
	bool pools = strcmp(bench->scheduler, "token_jsq") != 0;
	for (uint32_t s = 0; s < bench->instances; s++) {
		weir_tag split = s % 3 == 1 ? WEIR_TAG_TOKEN : WEIR_TAG_PROMPT;
		servers[s] = (weir_start_server){.type = 0, .tag = pools ? split : WEIR_TAG_MIXED};
	}
	const weir_application application = {
	    .name = "bench",
	    .model = &model,
	    .instance = {.kind = bench->kind,
	                 .max_batch_size = 512,
	                 .max_batch_tokens = 2048,
	                 .max_preemptions = 4,
	                 .tensor_parallel = 8},
	    .scheduler = {.kind = scheduler_index(bench->scheduler),
	                  .transfer_bandwidth_gb_per_s = 200,
	                  .transfer_retry_s = 1,
	                  .overlap_factor = 10,
	                  .prompt_max_pending_tokens = 8192},
	    .types = &type,
	    .type_count = 1,
	    .servers = servers,
	    .server_count = bench->instances,
	};
	const weir_cluster cluster = {
	    .applications = &application, .application_count = 1, .idle_fraction = 0.3, .seed = 1};
	weir_error error = {0};
	weir_serving *serving = NULL;
	weir_engine *engine = weir_engine_create();
	if (engine == NULL ||
	    weir_serving_create(&cluster, engine, NULL, &serving, &error) != WEIR_OK) {
		fail(engine == NULL ? "out of memory" : error.message);
	}
	double mean_gap = 1.0 / bench->instances;
	double start = cpu_seconds();
	weir_engine_schedule(engine, 0.0, WEIR_CLASS_ARRIVAL, (weir_event){.type = EVENT_ARRIVAL});
	uint64_t events = 0;
	size_t next = 0;
	weir_event event;
	while (weir_engine_pop(engine, &event)) {
		events++;
		weir_status status;
		if (event.type != EVENT_ARRIVAL) {
			status = weir_serving_handle(serving, &event, &error);
		} else {
			const weir_submission submission = {.id = (int64_t)next,
			                                    .prompt_tokens = prompts[next % SAMPLES],
			                                    .output_tokens = outputs[next * 7 % SAMPLES]};
			next++;
			if (next < bench->requests) {
				double gap = bench->backlog > 0 ? 0.0 : mean_gap * gaps[next % SAMPLES];
				weir_engine_schedule(engine, weir_engine_now(engine) + gap, WEIR_CLASS_ARRIVAL,
				                     event);
			}
			status = weir_serving_submit(serving, &submission, &error);
		}
		if (status != WEIR_OK) {
			fail(error.message);
		}
		if (weir_serving_only_retries(serving, weir_engine_get_counts(engine).pending)) {
			break;
		}
	}
	double seconds = cpu_seconds() - start;
	weir_serving_counters counters;
	weir_serving_counters_get(serving, &counters);
	bench_result result = {
	    .ns_per_request = 1e9 * seconds / (double)counters.arrived,
	    .ns_per_event = 1e9 * seconds / (double)events,
	    .events_per_request = (double)events / (double)counters.arrived,
	    .completed = (double)counters.completed / (double)counters.arrived,
	    .retries = counters.transfer_retries,
	};
	for (uint32_t i = 0; i < bench->instances; i++) {
		weir_instance_view view;
		weir_serving_instance(serving, i, &view);
		result.preemptions += view.preemptions;
	}
	weir_serving_destroy(serving);
	weir_engine_destroy(engine);
	return result;
}

static void print(const bench_case *bench, const bench_result *result, bool json,
                  const char *before)
{
	const char *kind = weir_batching_names[bench->kind];
	double n = (double)bench->requests;
	if (json) {
		printf("%s{\"scheduler\": \"%s\", \"kind\": \"%s\", \"instances\": %u, \"backlog\": %zu, "
		       "\"ns_per_request\": %.0f, \"ns_per_event\": %.1f}",
		       before, bench->scheduler, kind, bench->instances, bench->backlog,
		       result->ns_per_request, result->ns_per_event);
	} else {
		printf("%-11s %-10s %9u %8zu %10.0f %9.1f %11.1f %9.1f %9.1f %9.3f\n", bench->scheduler,
		       kind, bench->instances, bench->backlog, result->ns_per_request, result->ns_per_event,
		       result->events_per_request, (double)result->preemptions / n,
		       (double)result->retries / n, result->completed);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	if (argc > 1 && !json) {
		fputs("usage: bench_serving [--json]\n", stderr);
		return 2;
	}
	static const char *const schedulers[] = {"mixed_pool", "token_jsq", "kv_jsq"};
	static const struct {
		uint32_t instances;
		size_t backlog;
	} loads[] = {{12, 0}, {120, 0}, {2, 1000}, {2, 10000}, {2, 100000}, {120, 100000}};
	if (!json) {
		printf("%-11s %-10s %9s %8s %10s %9s %11s %9s %9s %9s\n", "scheduler", "kind", "instances",
		       "backlog", "ns/request", "ns/event", "events/req.", "preempt.", "retries",
		       "completed");
	}
	bool first = true;
	for (int kind = 0; weir_batching_names[kind] != NULL; kind++) {
		for (size_t s = 0; s < sizeof schedulers / sizeof schedulers[0]; s++) {
			for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
				size_t requests = loads[i].backlog > 0 ? loads[i].backlog : 50000;
				const bench_case bench = {schedulers[s], kind, loads[i].instances, loads[i].backlog,
				                          requests};
				bench_result result = run(&bench);
				print(&bench, &result, json, first ? "[" : ",\n ");
				first = false;
			}
		}
	}
	if (json) {
		puts("]");
	}
	return EXIT_SUCCESS;
}
