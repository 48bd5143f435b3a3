/* What others see of serving: counts and the state of instances at an instant. */
#include <assert.h>
#include <string.h>

#include "serving/serving_state.h"

const char *const weir_instance_state_names[] = {"scaling_up", "active", "draining", NULL};

static weir_instance_work work_at(const weir_instance *instance, double now)
{
	double unaccounted = now - instance->accounted;
	int64_t batch_tokens = instance->current.prompt_tokens + instance->current.token_tasks;
	return (weir_instance_work){
	    .busy_seconds =
	        instance->busy_seconds + (instance->batch.count > 0 ? now - instance->busy_since : 0.0),
	    .batch_token_seconds = instance->batch_token_seconds + unaccounted * (double)batch_tokens,
	    .energy_joules = instance->energy_joules + unaccounted * instance->power_w,
	};
}

bool weir_serving_instance(const weir_serving *serving, uint32_t slot, weir_instance_view *view)
{
	assert(slot < serving->instance_slots);
	const weir_instance *instance = &serving->instances[slot];
	const weir_list_entry *entry = &serving->entries[slot];
	if (!instance->exists) {
		return false;
	}
	double now = weir_engine_now(serving->engine);
	weir_instance_work work = work_at(instance, now);
	int64_t batch_tokens = instance->current.prompt_tokens + instance->current.token_tasks;
	int64_t finished = weir_instance_finished(instance, serving->engine);
	/* A scheduler without pools has one list for all, to which nothing is lent. */
	bool uses_pools = serving->applications[instance->application].scheduler.type->uses_pools;
	/* The prompt tokens of an iteration count when it ends. */
	int64_t prompt_tokens = finished > 0 ? instance->current.prompt_tokens : 0;
	*view = (weir_instance_view){
	    .slot = slot,
	    .id = instance->id,
	    .server = serving->servers[instance->server].id,
	    .application = instance->application,
	    .type = instance->type,
	    .tag = instance->tag,
	    .list = uses_pools ? instance->list : instance->tag,
	    .state = instance->state,
	    .created = instance->created,
	    .state_since = instance->state_since,
	    .ready_since = instance->ready_since,
	    .drain_since = instance->drain_since,
	    .slowness = instance->slowness,
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
	    .busy_seconds = work.busy_seconds,
	    .batch_token_seconds = work.batch_token_seconds,
	    .energy_joules = work.energy_joules,
	    .prompt_tokens = instance->prompt_tokens + prompt_tokens,
	    .output_tokens = instance->output_tokens + finished * instance->current.token_tasks,
	    .iterations = instance->iterations + (uint64_t)finished,
	    .prompts_completed = instance->prompts_completed,
	    .requests_completed = instance->requests_completed,
	    .preemptions = instance->preemptions,
	};
	memcpy(view->state_seconds, instance->state_seconds, sizeof view->state_seconds);
	view->state_seconds[instance->state] += now - instance->state_since;
	memcpy(view->tag_seconds, instance->tag_seconds, sizeof view->tag_seconds);
	view->tag_seconds[instance->tag] += now - instance->tag_since;
	return true;
}

void weir_serving_pool(const weir_serving *serving, uint32_t application, weir_tag tag,
                       weir_pool_counters *counters)
{
	*counters = serving->pools[(size_t)application * WEIR_TAG_COUNT + tag].counters;
	double now = weir_engine_now(serving->engine);
	for (uint32_t i = 0; i < serving->instance_slots; i++) {
		const weir_instance *instance = &serving->instances[i];
		if (!instance->exists || instance->application != application || instance->tag != tag) {
			continue;
		}
		int64_t finished = weir_instance_finished(instance, serving->engine);
		counters->output_tokens += finished * instance->current.token_tasks;
		counters->prompt_tokens += finished > 0 ? instance->current.prompt_tokens : 0;
		weir_instance_work work = work_at(instance, now);
		counters->busy_seconds += work.busy_seconds - instance->before_pool.busy_seconds;
		counters->batch_token_seconds +=
		    work.batch_token_seconds - instance->before_pool.batch_token_seconds;
		counters->energy_joules += work.energy_joules - instance->before_pool.energy_joules;
	}
}

void weir_serving_counters_get(const weir_serving *serving, weir_serving_counters *counters)
{
	*counters = serving->counters;
	counters->in_system = serving->inflight.count;
	counters->in_system_high_water = serving->inflight.high_water;
}

void weir_serving_visit(const weir_serving *serving, uint32_t application, int64_t *scratch,
                        void (*visit)(void *context, const weir_request_view *view), void *context)
{
	/* Once for each instance: an execution-time model may take long to say it. */
	int64_t *finished = scratch;
	for (uint32_t i = 0; i < serving->instance_slots; i++) {
		const weir_instance *instance = &serving->instances[i];
		finished[i] = instance->exists ? weir_instance_finished(instance, serving->engine) : 0;
	}
	for (uint32_t r = 0; r < serving->inflight.used; r++) {
		const weir_inflight_request *request = &serving->inflight.requests[r];
		if (request->phase == WEIR_PHASE_FREE || request->application != application) {
			continue;
		}
		int64_t prompt_tokens;
		weir_request_view view = {
		    .slot = r,
		    .prompt_tokens = request->prompt_tokens,
		    .output_tokens = request->output_tokens,
		    .arrival = request->arrival,
		    .prompt_start = request->prompt_start,
		    .prompt_end = request->prompt_end,
		};
		weir_request_work_of(serving, r, &prompt_tokens, &view.tokens);
		if (serving->inflight.tasks[weir_token_task(r)].state == WEIR_TASK_RUNNING) {
			view.tokens += finished[request->token_instance];
		}
		visit(context, &view);
	}
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
