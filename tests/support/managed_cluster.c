#include "support/managed_cluster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/test_support.h"

enum { EVENT_ARRIVAL = WEIR_SCALING_EVENT_END };

const weir_scaling_config managed_defaults = {
    .scale_up_delay = 10,
    .drain_check_interval = 1,
    .role_flip_delay = 1,
    .cancel_scale_up_first = true,
    .revive_draining_first = true,
    .min_instances_per_pool = 1,
    .max_total_instances = 100,
};

/* Cheaper than Check's assertions, which make a system call each. */
static void keep(bool has_memory)
{
	if (!has_memory) {
		ck_abort_msg("out of memory");
	}
}

static void on_line(void *context, const char *line)
{
	managed_cluster *managed = context;
	size_t length = strlen(line);
	keep(weir_reserve((void **)&managed->log, &managed->log_capacity,
	                  managed->log_length + length + 2, 1));
	memcpy(managed->log + managed->log_length, line, length);
	managed->log_length += length;
	managed->log[managed->log_length++] = '\n';
	managed->log[managed->log_length] = '\0';
}

static void on_event(void *context, const weir_scaling_event_row *row)
{
	managed_cluster *managed = context;
	keep(weir_reserve((void **)&managed->events, &managed->event_capacity, managed->event_count + 1,
	                  sizeof *managed->events));
	managed->events[managed->event_count++] = *row;
}

static void on_instance_ended(void *context, const weir_instance_view *view)
{
	managed_cluster *managed = context;
	keep(weir_reserve((void **)&managed->ended, &managed->ended_capacity, managed->ended_count + 1,
	                  sizeof *managed->ended));
	managed->ended[managed->ended_count++] = *view;
}

static void on_server_ended(void *context, const weir_server_view *view)
{
	managed_cluster *managed = context;
	ck_assert_uint_eq(view->instances, 0);
	managed->servers_ended++;
}

static void manage(managed_cluster *managed)
{
	const weir_manager_observer observer = {
	    .context = managed,
	    .scaling_event = on_event,
	    .instance_ended = on_instance_ended,
	    .server_ended = on_server_ended,
	    .log = on_line,
	};
	weir_error error = {0};
	managed->check = true;
	ck_assert_ok(weir_manager_create(&managed->config, &managed->cluster->config,
	                                 managed->cluster->serving, managed->cluster->engine, 1,
	                                 &observer, &managed->manager, &error),
	             &error);
}

managed_cluster *managed_cluster_create(small_cluster *cluster, const weir_scaling_config *config)
{
	managed_cluster *managed = weir_allocate(1, sizeof *managed);
	ck_assert_ptr_nonnull(managed);
	managed->cluster = cluster;
	managed->config = *config;
	small_cluster_start(cluster);
	manage(managed);
	return managed;
}

void managed_cluster_destroy(managed_cluster *managed)
{
	weir_faults_destroy(managed->faults);
	weir_manager_destroy(managed->manager);
	small_cluster_destroy(managed->cluster);
	free(managed->arrivals);
	free(managed->log);
	free(managed->events);
	free(managed->ended);
	free(managed);
}

small_cluster *managed_servers(const char *scheduler, const char *tags, int64_t gpus)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, scheduler, "splitwise");
	for (size_t s = 0; tags[s] != '\0'; s++) {
		const small_server server = {
		    .tag = tags[s] == 'p'   ? WEIR_TAG_PROMPT
		           : tags[s] == 't' ? WEIR_TAG_TOKEN
		                            : WEIR_TAG_MIXED,
		    .gpus = gpus,
		    .kv_tokens = 10000,
		    .nic_bytes_per_s = 1e6,
		    .tdp_w = 1000,
		    .speed = {.prompt_s = 1.0, .token_s = 0.25},
		};
		small_application_add_server(application, &server);
		application->skus[s].price_per_hour = 3600; /* a dollar a second */
	}
	return cluster;
}

void managed_faults(managed_cluster *managed, const weir_faults_config *config, uint64_t seed)
{
	weir_error error = {0};
	managed->faults_config = *config;
	managed->faults_seed = seed;
	ck_assert_ok(weir_faults_create(&managed->faults_config, &managed->cluster->config,
	                                managed->cluster->serving, managed->manager,
	                                managed->cluster->engine, seed, &managed->faults, &error),
	             &error);
}

void managed_arrive(managed_cluster *managed, double time, int64_t prompt_tokens,
                    int64_t output_tokens)
{
	size_t id = managed->arrival_count++;
	keep(weir_reserve((void **)&managed->arrivals, &managed->arrival_capacity, id + 1,
	                  sizeof *managed->arrivals));
	managed->arrivals[id] = (weir_submission){(int64_t)id, 0, prompt_tokens, output_tokens};
	weir_event_handle handle =
	    weir_engine_schedule(managed->cluster->engine, time, WEIR_CLASS_ARRIVAL,
	                         (weir_event){.type = EVENT_ARRIVAL, .subject = (uint32_t)id});
	keep(handle.generation != 0);
}

bool managed_step(managed_cluster *managed, double until)
{
	weir_event event;
	if (!weir_engine_pop_until(managed->cluster->engine, until, &event)) {
		return false;
	}
	weir_error error = {0};
	weir_serving *serving = managed->cluster->serving;
	if (event.type == EVENT_ARRIVAL) {
		ck_assert_ok(weir_serving_submit(serving, &managed->arrivals[event.subject], &error),
		             &error);
	} else if (event.type < WEIR_SERVING_EVENT_END) {
		ck_assert_ok(weir_serving_handle(serving, &event, &error), &error);
	} else if (event.type == WEIR_EVENT_FAULT) {
		ck_assert_ok(weir_faults_handle(managed->faults, &event, &error), &error);
	} else {
		ck_assert_ok(weir_manager_handle(managed->manager, &event, &error), &error);
	}
	if (managed->check) {
		ck_assert_ok(weir_serving_check(serving, &error), &error);
	}
	return true;
}

void managed_run(managed_cluster *managed, double until)
{
	while (managed_step(managed, until)) {
	}
	if (isfinite(until)) {
		weir_engine_advance(managed->cluster->engine, until);
	}
}

void managed_assign(managed_cluster *target, const managed_cluster *source)
{
	small_cluster_assign(target->cluster, source->cluster);
	ck_assert(weir_manager_copy(target->manager, source->manager));
	ck_assert(source->faults == NULL || weir_faults_copy(target->faults, source->faults));
	free(target->arrivals);
	target->arrivals =
	    weir_duplicate(source->arrivals, source->arrival_count, sizeof *source->arrivals);
	target->arrival_count = target->arrival_capacity = source->arrival_count;
}

managed_cluster *managed_copy(const managed_cluster *source)
{
	managed_cluster *copy = weir_allocate(1, sizeof *copy);
	ck_assert_ptr_nonnull(copy);
	/* From the same beginning. */
	copy->cluster = small_cluster_create();
	memcpy(copy->cluster->applications, source->cluster->applications,
	       sizeof copy->cluster->applications);
	copy->cluster->config = source->cluster->config;
	copy->config = source->config;
	small_cluster_start(copy->cluster);
	manage(copy);
	if (source->faults != NULL) {
		managed_faults(copy, &source->faults_config, source->faults_seed);
	}
	managed_assign(copy, source);
	return copy;
}

const char *managed_log(managed_cluster *managed)
{
	if (managed->log_length == 0) {
		return "";
	}
	managed->log_length = 0;
	return managed->log;
}

weir_instance_view managed_view(const managed_cluster *managed, uint32_t slot)
{
	weir_instance_view view;
	ck_assert(weir_serving_instance(managed->cluster->serving, slot, &view));
	return view;
}

weir_status_summary managed_status(const managed_cluster *managed)
{
	weir_status_summary summary;
	weir_manager_status(managed->manager, 0, &summary);
	return summary;
}

weir_manager_counters managed_counters(const managed_cluster *managed)
{
	weir_manager_counters counters;
	weir_manager_counters_get(managed->manager, &counters);
	return counters;
}
