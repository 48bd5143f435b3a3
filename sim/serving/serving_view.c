/* What others see of serving: counts and the state of instances at an instant. */
#include <assert.h>

#include "serving/serving_state.h"

const char *const weir_instance_state_names[] = {"scaling_up", "active", "draining", NULL};

uint32_t weir_serving_instance_count(const weir_serving *serving)
{
	return serving->instance_count;
}

uint32_t weir_serving_server_count(const weir_serving *serving)
{
	return serving->server_count;
}

void weir_serving_instance(const weir_serving *serving, uint32_t id, weir_instance_view *view)
{
	const weir_instance *instance = &serving->instances[id];
	const weir_list_entry *entry = &serving->entries[id];
	double now = weir_engine_now(serving->engine);
	double unaccounted = now - instance->accounted;
	int64_t batch_tokens = instance->current.prompt_tokens + instance->current.token_tasks;
	int64_t finished = weir_instance_finished(instance, serving->engine);
	/* A scheduler without pools has one list for all, to which nothing is lent. */
	bool uses_pools = serving->applications[instance->application].scheduler.type->uses_pools;
	/* The prompt tokens of an iteration count when it ends. */
	int64_t prompt_tokens = finished > 0 ? instance->current.prompt_tokens : 0;
	*view = (weir_instance_view){
	    .slot = id,
	    .id = id,
	    .server = instance->server,
	    .application = instance->application,
	    .type = instance->type,
	    .tag = instance->tag,
	    .list = uses_pools ? instance->list : instance->tag,
	    .state = instance->active ? WEIR_INSTANCE_ACTIVE : WEIR_INSTANCE_DRAINING,
	    .requests = (uint32_t)entry->figures[WEIR_FIGURE_REQUESTS],
	    .queued_prompts = instance->pending_prompts.count,
	    .queued_tokens = weir_pending_count(&instance->pending) - instance->pending_prompts.count,
	    .batch_size = instance->batch.count,
	    .batch_tokens = batch_tokens,
	    .pending_prompt_tokens = instance->pending_prompt_tokens,
	    .memory = instance->memory,
	    .memory_promised = entry->figures[WEIR_FIGURE_BYTES],
	    .memory_limit = instance->memory_limit,
	    .weights = instance->weights,
	    .busy_seconds =
	        instance->busy_seconds + (instance->batch.count > 0 ? now - instance->busy_since : 0.0),
	    .batch_token_seconds = instance->batch_token_seconds + unaccounted * (double)batch_tokens,
	    .energy_joules = instance->energy_joules + unaccounted * instance->power_w,
	    .prompt_tokens = instance->prompt_tokens + prompt_tokens,
	    .output_tokens = instance->output_tokens + finished * instance->current.token_tasks,
	    .iterations = instance->iterations + (uint64_t)finished,
	    .prompts_completed = instance->prompts_completed,
	    .requests_completed = instance->requests_completed,
	    .preemptions = instance->preemptions,
	};
}

void weir_serving_pool(const weir_serving *serving, uint32_t application, weir_tag tag,
                       weir_pool_counters *counters)
{
	*counters = serving->pools[(size_t)application * WEIR_TAG_COUNT + tag];
	for (uint32_t i = 0; i < serving->instance_count; i++) {
		const weir_instance *instance = &serving->instances[i];
		if (instance->application != application || instance->tag != tag) {
			continue;
		}
		int64_t finished = weir_instance_finished(instance, serving->engine);
		counters->output_tokens += finished * instance->current.token_tasks;
		counters->prompt_tokens += finished > 0 ? instance->current.prompt_tokens : 0;
	}
}

void weir_serving_counters_get(const weir_serving *serving, weir_serving_counters *counters)
{
	*counters = serving->counters;
	counters->in_system = serving->inflight.count;
	counters->in_system_high_water = serving->inflight.high_water;
}

void weir_serving_unfinished(const weir_serving *serving,
                             void (*visit)(void *context, const weir_request_row *row),
                             void *context)
{
	double now = weir_engine_now(serving->engine);
	for (uint32_t r = 0; r < serving->inflight.used; r++) {
		if (serving->inflight.requests[r].phase != WEIR_PHASE_FREE) {
			weir_request_row row;
			weir_request_row_of(serving, r, now, WEIR_REQUEST_UNFINISHED, &row);
			visit(context, &row);
		}
	}
}
