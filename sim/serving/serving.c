#include "serving/serving.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serving/serving_state.h"

void weir_figure_add(weir_serving *serving, weir_instance *instance, weir_figure figure,
                     int64_t change)
{
	serving->entries[instance->slot].figures[figure] += change;
	weir_pool_of(serving, instance)->figures[figure] += change;
	if (instance->state == WEIR_INSTANCE_ACTIVE) {
		weir_list_update(&weir_application_of(serving, instance)->scheduler.lists[instance->list],
		                 serving->entries, instance->slot, figure);
	}
}

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory");
}

/* A request of 2^32 tokens is still counted exactly. */
static weir_status check_kv_size(const weir_application_state *application, weir_error *error)
{
	const int64_t largest = INT64_C(1) << 30;
	if (application->kv_bytes_per_token <= largest) {
		return WEIR_OK;
	}
	return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
	                      "the KV cache of %s takes %lld bytes a token; expected at most %lld",
	                      application->config->model->name,
	                      (long long)application->kv_bytes_per_token, (long long)largest);
}

static weir_status add_start_server(weir_serving *serving, uint32_t application,
                                    const weir_start_server *start, weir_error *error)
{
	weir_server_handle server;
	weir_status status = weir_serving_add_server(serving, application, start->type, &server, error);
	weir_server_view view = {0};
	if (status == WEIR_OK) {
		weir_serving_server(serving, server.slot, &view);
	}
	for (uint32_t i = 0; status == WEIR_OK && i < view.room; i++) {
		weir_instance_handle instance;
		status = weir_serving_add_instance(serving, server, start->tag, &instance, error);
		if (status == WEIR_OK &&
		    !weir_instance_activate(serving, weir_instance_at(serving, instance))) {
			status = out_of_memory(error);
		}
	}
	return status;
}

static weir_status init_application(weir_serving *serving, uint32_t number, weir_error *error)
{
	static const weir_batching *const batchings[] = {&weir_batching_orca, &weir_batching_splitwise,
	                                                 &weir_batching_chunked};
	weir_application_state *application = &serving->applications[number];
	const weir_application *config = &serving->cluster->applications[number];
	application->config = config;
	application->batching = batchings[config->instance.kind];
	assert(strcmp(application->batching->name, weir_batching_names[config->instance.kind]) == 0);
	application->kv_bytes_per_token =
	    weir_architecture_kv_bytes_per_token(config->model, config->instance.grouped_query_kv);
	application->weights = (int64_t)config->model->weight_bytes;
	application->waiting_first = application->waiting_last = WEIR_NONE;
	if (!weir_scheduler_init(&application->scheduler, &config->scheduler, serving->cluster->seed,
	                         number)) {
		return out_of_memory(error);
	}
	weir_status fit = check_kv_size(application, error);
	if (fit != WEIR_OK) {
		return fit;
	}
	size_t types = config->type_count;
	application->instances_by_type =
	    weir_allocate(types * WEIR_TAG_COUNT, sizeof *application->instances_by_type);
	application->servers_by_type = weir_allocate(types, sizeof *application->servers_by_type);
	if (application->instances_by_type == NULL || application->servers_by_type == NULL) {
		return out_of_memory(error);
	}
	for (size_t s = 0; s < config->server_count; s++) {
		weir_status status = add_start_server(serving, number, &config->servers[s], error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	return WEIR_OK;
}

static weir_status init(weir_serving *serving, weir_error *error)
{
	const weir_cluster *cluster = serving->cluster;
	int64_t largest_batch = 1;
	for (size_t a = 0; a < cluster->application_count; a++) {
		int64_t size = cluster->applications[a].instance.max_batch_size;
		largest_batch = size > largest_batch ? size : largest_batch;
	}
	weir_inflight_init(&serving->inflight);
	serving->applications =
	    weir_allocate(cluster->application_count, sizeof *serving->applications);
	serving->pools =
	    weir_allocate(cluster->application_count * WEIR_TAG_COUNT, sizeof *serving->pools);
	serving->selection.joined =
	    weir_allocate((size_t)largest_batch, sizeof *serving->selection.joined);
	if (serving->applications == NULL || serving->pools == NULL ||
	    serving->selection.joined == NULL) {
		return out_of_memory(error);
	}
	if (cluster->network.kind == WEIR_NETWORK_SHARED_NIC) {
		serving->network = weir_network_create(
		    NULL, 0, cluster->network.local_bandwidth_gb_per_s * WEIR_BYTES_PER_GB);
		if (serving->network == NULL) {
			return out_of_memory(error);
		}
	}
	for (uint32_t a = 0; a < cluster->application_count; a++) {
		weir_status status = init_application(serving, a, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	return WEIR_OK;
}

weir_status weir_serving_create(const weir_cluster *cluster, weir_engine *engine,
                                const weir_serving_observer *observer, weir_serving **serving,
                                weir_error *error)
{
	*serving = NULL;
	weir_serving *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return out_of_memory(error);
	}
	made->cluster = cluster;
	made->engine = engine;
	made->free_instance = made->free_server = WEIR_NONE;
	if (observer != NULL) {
		made->observer = *observer;
	}
	weir_status status = init(made, error);
	if (status != WEIR_OK) {
		weir_serving_destroy(made);
		return status;
	}
	*serving = made;
	return WEIR_OK;
}

void weir_serving_destroy(weir_serving *serving)
{
	if (serving == NULL) {
		return;
	}
	for (uint32_t i = 0; i < serving->instance_slots; i++) {
		weir_instance_release(&serving->instances[i]);
	}
	for (size_t a = 0; serving->applications != NULL && a < serving->cluster->application_count;
	     a++) {
		weir_scheduler_release(&serving->applications[a].scheduler);
		free(serving->applications[a].instances_by_type);
		free(serving->applications[a].servers_by_type);
	}
	weir_inflight_release(&serving->inflight);
	weir_network_destroy(serving->network);
	free(serving->instances);
	free(serving->entries);
	free(serving->servers);
	free(serving->applications);
	free(serving->pools);
	free(serving->flow_requests);
	free(serving->selection.joined);
	free(serving);
}

weir_status weir_serving_after_change(const weir_serving *serving, weir_error *error)
{
	if (serving->out_of_memory) {
		return out_of_memory(error);
	}
#ifdef WEIR_INVARIANTS
	return weir_serving_check(serving, error);
#else
	return WEIR_OK;
#endif
}

void weir_note_progress(weir_serving *serving)
{
	if (serving->retried_in_vain) {
		for (size_t a = 0; a < serving->cluster->application_count; a++) {
			serving->applications[a].vain_retries = 0;
		}
		serving->retried_in_vain = false;
	}
}

weir_status weir_serving_submit(weir_serving *serving, const weir_submission *submission,
                                weir_error *error)
{
	assert(submission->application < serving->cluster->application_count);
	assert(submission->prompt_tokens >= 1 && submission->prompt_tokens <= INT32_MAX);
	assert(submission->output_tokens >= 1 && submission->output_tokens <= INT32_MAX);
	uint32_t slot = weir_inflight_take(&serving->inflight);
	if (slot == WEIR_NONE) {
		return out_of_memory(error);
	}
	int64_t kv_bytes = serving->applications[submission->application].kv_bytes_per_token;
	weir_inflight_request *request = &serving->inflight.requests[slot];
	request->arrival = weir_engine_now(serving->engine);
	request->id = submission->id;
	request->sequence = serving->counters.arrived;
	request->application = submission->application;
	request->prompt_tokens = (int32_t)submission->prompt_tokens;
	request->output_tokens = (int32_t)submission->output_tokens;
	request->prompt_bytes = (submission->prompt_tokens + 1) * kv_bytes;
	request->token_bytes = (submission->output_tokens - 1) * kv_bytes;
	request->transfer_bytes = submission->prompt_tokens * kv_bytes;
	serving->counters.arrived++;
	serving->counters.prompt_tokens_arrived += submission->prompt_tokens;
	serving->counters.output_tokens_arrived += submission->output_tokens;
	weir_application_counters *counters = &serving->applications[submission->application].counters;
	counters->arrived++;
	counters->in_system++;
	counters->prompt_tokens_arrived += submission->prompt_tokens;
	counters->output_tokens_arrived += submission->output_tokens;
	weir_request_dispatch(serving, slot);
	weir_note_progress(serving);
	return weir_serving_after_change(serving, error);
}

weir_status weir_serving_handle(weir_serving *serving, const weir_event *event, weir_error *error)
{
	switch ((weir_serving_event)event->type) {
	case WEIR_EVENT_ITERATION:
		weir_instance_iteration_ends(serving, &serving->instances[event->subject]);
		break;
	case WEIR_EVENT_TRANSFER_END:
		weir_request_transfer_done(serving, event->subject);
		break;
	case WEIR_EVENT_TRANSFER_RETRY:
		if (weir_transfer_retry(serving, event->subject)) {
			serving->retried_in_vain = true;
			return weir_serving_after_change(serving, error);
		}
		break;
	case WEIR_EVENT_NETWORK:
		weir_transfer_network_event(serving);
		break;
	case WEIR_SERVING_EVENT_END:
		assert(false);
	}
	if (serving->redispatch) {
		serving->redispatch = false;
		for (size_t a = 0; a < serving->cluster->application_count; a++) {
			weir_request_dispatch_waiting(serving, &serving->applications[a]);
		}
	}
	weir_note_progress(serving);
	return weir_serving_after_change(serving, error);
}

bool weir_serving_only_retries(const weir_serving *serving, uint64_t pending)
{
	if (pending != serving->transfers_waiting || !serving->retried_in_vain) {
		return false;
	}
	/* Those of one application all wait equally long between their tries. */
	for (size_t a = 0; a < serving->cluster->application_count; a++) {
		const weir_application_state *application = &serving->applications[a];
		if (application->transfers_waiting > 0 &&
		    application->vain_retries <= application->transfers_waiting) {
			return false;
		}
	}
	return true;
}
