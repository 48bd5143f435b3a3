/*
 * Scaling: what a policy that acts every 15 s costs over a day of 3.5 million requests and 100
 * instances, and what memory a thousand instances that come and go leave behind. Run it where
 * configs/ is.
 */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run/sim.h"

enum { CYCLES = 1000 };

static double cpu_seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void require(weir_status status, const weir_error *error)
{
	if (status != WEIR_OK) {
		fprintf(stderr, "bench_scaling: %s: %s\n", error->where, error->message);
		exit(EXIT_FAILURE);
	}
}

static const weir_config *load(const char *policies, const char *more)
{
	static const char *const directories[] = {"configs", NULL};
	const char *sets[] = {policies, "scaling.max_total_instances=200", more};
	const weir_document_options options = {.path = "configs/examples/diurnal_day.json",
	                                       .directories = directories,
	                                       .sets = sets,
	                                       .set_count = sizeof sets / sizeof sets[0]};
	const weir_config *config = NULL;
	weir_error error = {0};
	require(weir_config_load(&options, &config, &error), &error);
	return config;
}

/* CPU seconds of the controller's events, found by the times between events. */
typedef struct tick_clock {
	double began; /* of the tick that runs; 0: none does */
	double seconds;
	uint64_t ticks;
} tick_clock;

static void on_event(void *context, double time, const weir_event *event)
{
	(void)time;
	tick_clock *ticks = context;
	bool is_tick = event->type == WEIR_EVENT_SCRAPE || event->type == WEIR_EVENT_POLICY;
	if (ticks->began == 0 && !is_tick) {
		return;
	}
	double now = cpu_seconds();
	if (ticks->began != 0) {
		ticks->seconds += now - ticks->began;
	}
	ticks->began = is_tick ? now : 0;
	ticks->ticks += event->type == WEIR_EVENT_POLICY;
}

static void run_day(const char *name, const char *policies)
{
	const weir_config *config = load(policies, "sampling.interval=60");
	tick_clock ticks = {0};
	const weir_sim_observer observer = {.context = &ticks, .event = on_event};
	weir_sim *sim = NULL;
	weir_error error = {0};
	double start = cpu_seconds();
	require(weir_sim_create(config, &observer, &sim, &error), &error);
	bool more;
	require(weir_sim_run(sim, INFINITY, UINT64_MAX, &more, &error), &error);
	double seconds = cpu_seconds() - start;
	weir_serving_counters counters;
	weir_serving_counters_get(weir_sim_serving(sim), &counters);
	weir_totals totals;
	weir_sim_totals(sim, &totals);
	printf("%-10s %9llu %8.2f %14.0f %8llu %9.1f %11.0f\n", name,
	       (unsigned long long)counters.completed, seconds, (double)counters.completed / seconds,
	       (unsigned long long)ticks.ticks,
	       ticks.ticks > 0 ? 1e6 * ticks.seconds / (double)ticks.ticks : 0.0,
	       totals.scale_operations);
	weir_sim_destroy(sim);
	weir_config_destroy(config);
}

/* Instances come and go one after the other on a cluster with next to no requests. */
static void cycle(void)
{
	const weir_config *config =
	    load("policies=[]",
	         "workload={\"arrivals\": {\"kind\": \"poisson\", \"rate\": 1e-5}, \"duration\": 1e6}");
	weir_sim *sim = NULL;
	weir_error error = {0};
	require(weir_sim_create(config, NULL, &sim, &error), &error);
	weir_manager *manager = weir_sim_manager(sim);
	size_t before = 0;
	double start = cpu_seconds();
	bool more;
	for (int i = 0; i < CYCLES + 1; i++) {
		if (i == 1) {
			before = mallinfo2().uordblks; /* the first cycle makes its slots */
		}
		weir_instance_handle instance;
		const weir_scale_request wanted = {0, WEIR_TAG_TOKEN, WEIR_ANY_TYPE};
		weir_manager_scale_up_full(manager, "bench", &wanted, &instance);
		require(weir_sim_run(sim, weir_sim_now(sim) + 11, UINT64_MAX, &more, &error), &error);
		weir_manager_scale_down_full(manager, "bench", instance);
		require(weir_sim_run(sim, weir_sim_now(sim) + 60, UINT64_MAX, &more, &error), &error);
	}
	weir_manager_counters counters;
	weir_manager_counters_get(manager, &counters);
	printf("\n%d cycles: %llu started, %llu removed, %.3f CPU s, %td bytes more than after the "
	       "first\n",
	       CYCLES, (unsigned long long)counters.started, (unsigned long long)counters.removed,
	       cpu_seconds() - start, (ptrdiff_t)(mallinfo2().uordblks - before));
	weir_sim_destroy(sim);
	weir_config_destroy(config);
}

int main(void)
{
	printf("%-10s %9s %8s %14s %8s %9s %11s\n", "policy", "requests", "CPU s", "requests/CPU s",
	       "ticks", "us/tick", "operations");
	run_day("none", "policies=[]");
	run_day("hpa", "policies=[{\"kind\": \"hpa\", \"interval\": 15}]");
	run_day("reactive", "policies=[{\"kind\": \"reactive\", \"interval\": 15}]");
	cycle();
	return EXIT_SUCCESS;
}
