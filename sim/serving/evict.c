/* Taking every request off an instance, and beginning again. */
#include <assert.h>
#include <math.h>

#include "serving/lifecycle.h"
#include "serving/serving_state.h"

/* Work that a request has had, by iterations finished at `now`. */
typedef struct request_work {
	int64_t prompt_tokens, output_tokens;
} request_work;

/* Of a request of which `finished` of the running iterations of its batch are done. */
static request_work work_of(const weir_serving *serving, uint32_t request, int64_t finished)
{
	const weir_inflight_request *r = &serving->inflight.requests[request];
	const weir_task *prompt = &serving->inflight.tasks[weir_prompt_task(request)];
	const weir_task *token = &serving->inflight.tasks[weir_token_task(request)];
	request_work work = {0};
	if (prompt->state == WEIR_TASK_DONE) {
		work = (request_work){r->prompt_tokens, 1};
	} else if (prompt->state != WEIR_TASK_ABSENT) {
		bool counts = prompt->state == WEIR_TASK_RUNNING && finished > 0;
		work.prompt_tokens = prompt->tokens - prompt->remaining + (counts ? prompt->chunk : 0);
	}
	if (token->state == WEIR_TASK_QUEUED || token->state == WEIR_TASK_BLOCKED) {
		work.output_tokens += r->output_tokens - 1 - token->remaining;
	} else if (token->state == WEIR_TASK_RUNNING) {
		const weir_instance *instance = &serving->instances[r->token_instance];
		int64_t remaining = instance->finish[token->finish_position].progress - instance->progress;
		work.output_tokens += r->output_tokens - 1 - remaining + finished;
	}
	return work;
}

void weir_request_work_of(const weir_serving *serving, uint32_t request, int64_t *prompt_tokens,
                          int64_t *output_tokens)
{
	request_work work = work_of(serving, request, 0);
	*prompt_tokens = work.prompt_tokens;
	*output_tokens = work.output_tokens;
}

static void count_lost(weir_serving *serving, uint32_t request, int64_t finished)
{
	request_work work = work_of(serving, request, finished);
	serving->counters.prompt_tokens_lost += work.prompt_tokens;
	serving->counters.output_tokens_lost += work.output_tokens;
}

/* A request that is on no instance any more is as it was when it arrived, but for its history. */
static void forget_attempt(weir_serving *serving, uint32_t request)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	r->prompt_start = r->prompt_end = r->token_start = NAN;
	r->prompt_instance = r->token_instance = WEIR_NONE;
	r->prompt_instance_id = r->token_instance_id = WEIR_NONE;
	r->memory = 0;
	weir_inflight_reset_tasks(&serving->inflight, request);
}

/* --- lists of requests by their `next`, oldest first --- */

static uint32_t merge(weir_inflight_request *requests, uint32_t a, uint32_t b)
{
	uint32_t first = WEIR_NONE;
	uint32_t *end = &first;
	while (a != WEIR_NONE && b != WEIR_NONE) {
		uint32_t *least = requests[a].sequence < requests[b].sequence ? &a : &b;
		*end = *least;
		end = &requests[*least].next;
		*least = *end;
	}
	*end = a != WEIR_NONE ? a : b;
	return first;
}

/* Takes the first `count` requests off a list and returns them, oldest first. */
static uint32_t sort(weir_inflight_request *requests, uint32_t *list, uint64_t count)
{
	if (count == 0) {
		return WEIR_NONE;
	}
	if (count == 1) {
		uint32_t first = *list;
		*list = requests[first].next;
		requests[first].next = WEIR_NONE;
		return first;
	}
	uint32_t a = sort(requests, list, count / 2);
	uint32_t b = sort(requests, list, count - count / 2);
	return merge(requests, a, b);
}

/* Puts requests, oldest first, where they belong among those that wait at the scheduler. */
static void wait_again(weir_serving *serving, weir_application_state *application, uint32_t list)
{
	weir_inflight_request *requests = serving->inflight.requests;
	uint32_t last = WEIR_NONE;
	for (uint32_t r = list; r != WEIR_NONE; r = requests[r].next) {
		requests[r].phase = WEIR_PHASE_AT_SCHEDULER;
		application->counters.waiting_at_scheduler++;
		serving->counters.waiting_at_scheduler++;
		last = r;
	}
	uint32_t old_last = application->waiting_last;
	if (last == WEIR_NONE) {
		return;
	}
	application->waiting_first = merge(requests, application->waiting_first, list);
	if (old_last == WEIR_NONE || requests[last].sequence > requests[old_last].sequence) {
		application->waiting_last = last;
	}
}

void weir_request_begin_again(weir_serving *serving, uint32_t request)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	weir_instance *prompt = &serving->instances[r->prompt_instance];
	assert(r->token_instance == WEIR_NONE);
	count_lost(serving, request, 0);
	prompt->memory -= r->memory;
	weir_figure_add(serving, prompt, WEIR_FIGURE_BYTES, -r->prompt_bytes);
	prompt->claims--;
	r->moves++;
	serving->counters.moves++;
	forget_attempt(serving, request);
	r->next = WEIR_NONE;
	wait_again(serving, &serving->applications[r->application], request);
	serving->redispatch = true;
}

/* --- one instance --- */

/* The iterations that run are broken off; those finished count. Returns how many these are. */
static int64_t stop_iterations(weir_serving *serving, weir_instance *instance)
{
	double now = weir_engine_now(serving->engine);
	weir_instance_account(instance, now);
	if (instance->batch.count == 0) {
		return 0;
	}
	int64_t finished = weir_instance_finished(instance, serving->engine);
	if (serving->observer.iterations_ended != NULL) {
		weir_tell_iterations(serving, instance, finished, 0);
	}
	weir_pool_counters *pool = &weir_pool_of(serving, instance)->counters;
	int64_t made = finished * instance->current.token_tasks;
	int64_t processed = finished > 0 ? instance->current.prompt_tokens : 0;
	instance->output_tokens += made;
	instance->prompt_tokens += processed;
	pool->output_tokens += made;
	pool->prompt_tokens += processed;
	instance->iterations += (uint64_t)finished;
	instance->busy_seconds += now - instance->busy_since;
	weir_engine_cancel(serving->engine, instance->event);
	return finished;
}

/* The instance holds its weights and nothing else; the requests that it had are another's care. */
static void clear_instance(weir_serving *serving, weir_instance *instance)
{
	const weir_instance_type *type =
	    &weir_application_of(serving, instance)->config->types[instance->type];
	weir_pool *pool = weir_pool_of(serving, instance);
	const int64_t *figures = serving->entries[instance->slot].figures;
	pool->queued_prompts -= instance->pending_prompts.count;
	pool->queued_tokens -=
	    (int64_t)weir_pending_count(&instance->pending) - instance->pending_prompts.count;
	pool->pending_prompt_tokens -= instance->pending_prompt_tokens;
	for (int f = 0; f < WEIR_FIGURE_COUNT; f++) {
		int64_t kept = f == WEIR_FIGURE_BYTES ? instance->weights : 0;
		weir_figure_add(serving, instance, (weir_figure)f, kept - figures[f]);
	}
	instance->pending_prompt_tokens = 0;
	instance->memory = instance->weights;
	instance->claims = 0;
	weir_pending_clear(&instance->pending);
	weir_waiting_init(&instance->waiting);
	weir_task_list_init(&instance->pending_prompts);
	weir_task_list_init(&instance->blocked);
	weir_task_list_init(&instance->batch);
	instance->finish_count = 0;
	instance->prompts_in_batch = 0;
	instance->token_context = 0;
	instance->limit_tokens = 0;
	instance->partial_prompt = WEIR_NONE;
	instance->current = (weir_batch){0};
	instance->count = 0;
	instance->pausing = false;
	instance->power_w = weir_idle_power(serving, type);
}

/* Takes a request that begins again off the instance that it has besides the one evicted. */
static void leave_other(weir_serving *serving, weir_inflight_request *r,
                        const weir_instance *evicted)
{
	bool has_prompt = r->prompt_instance != WEIR_NONE && r->prompt_instance != evicted->slot;
	bool has_token = r->token_instance != WEIR_NONE && r->token_instance != evicted->slot;
	assert(!(has_prompt && has_token));
	if (has_prompt) {
		weir_instance *prompt = &serving->instances[r->prompt_instance];
		prompt->memory -= r->memory;
		weir_figure_add(serving, prompt, WEIR_FIGURE_BYTES, -r->prompt_bytes);
		prompt->claims--;
		prompt->relieved = true;
	}
	if (has_token) {
		weir_instance *token = &serving->instances[r->token_instance];
		token->memory -= r->phase == WEIR_PHASE_TRANSFER ? r->memory : 0;
		weir_figure_add(serving, token, WEIR_FIGURE_BYTES, -r->prompt_bytes - r->token_bytes);
		weir_figure_add(serving, token, WEIR_FIGURE_TOKENS, -1);
		token->claims--;
		token->relieved = true;
	}
}

/* What got memory back may run what waits for it; what was lent and is empty goes home. */
static void wake_relieved(weir_serving *serving)
{
	for (uint32_t i = 0; i < serving->instance_slots; i++) {
		weir_instance *instance = &serving->instances[i];
		if (!instance->relieved) {
			continue;
		}
		instance->relieved = false;
		weir_scheduler *scheduler = &weir_application_of(serving, instance)->scheduler;
		weir_instance_transfer_ended(serving, instance);
		if (instance->claims == 0 && scheduler->type->instance_free != NULL) {
			scheduler->type->instance_free(serving, scheduler, instance);
		}
	}
}

/* Takes the requests of an instance off all instances and returns them, linked by `next`; those
 * whose prompt is elsewhere and not done stay there without a token instance. */
static uint32_t take_requests(weir_serving *serving, const weir_instance *evicted, int64_t finished,
                              uint64_t *count)
{
	uint32_t list = WEIR_NONE;
	*count = 0;
	for (uint32_t request = 0; request < serving->inflight.used; request++) {
		weir_inflight_request *r = &serving->inflight.requests[request];
		if (r->phase == WEIR_PHASE_FREE || r->phase == WEIR_PHASE_AT_SCHEDULER ||
		    (r->prompt_instance != evicted->slot && r->token_instance != evicted->slot)) {
			continue;
		}
		if (r->phase == WEIR_PHASE_PROMPT && r->prompt_instance != evicted->slot) {
			r->token_instance = r->token_instance_id = WEIR_NONE;
			continue;
		}
		count_lost(serving, request, finished);
		weir_transfer_cancel(serving, request);
		leave_other(serving, r, evicted);
		r->next = list;
		list = request;
		(*count)++;
	}
	return list;
}

/* Of requests, oldest first, those that may begin again, in the same order; the others have
 * failed. */
static uint32_t fail_or_keep(weir_serving *serving, uint32_t list, bool failure)
{
	weir_inflight_request *requests = serving->inflight.requests;
	uint32_t first = WEIR_NONE;
	uint32_t last = WEIR_NONE;
	while (list != WEIR_NONE) {
		uint32_t request = list;
		weir_inflight_request *r = &requests[request];
		list = r->next;
		if (failure && r->failures == serving->cluster->max_retries) {
			weir_request_fail(serving, request);
			continue;
		}
		r->failures += failure;
		r->moves += !failure;
		serving->counters.retries += failure;
		serving->counters.moves += !failure;
		forget_attempt(serving, request);
		r->next = WEIR_NONE;
		*(last != WEIR_NONE ? &requests[last].next : &first) = request;
		last = request;
	}
	return first;
}

weir_status weir_serving_evict(weir_serving *serving, weir_instance_handle handle, bool failure,
                               uint64_t *evicted, weir_error *error)
{
	weir_instance *instance = weir_instance_at(serving, handle);
	weir_application_state *application = weir_application_of(serving, instance);
	assert(instance->state != WEIR_INSTANCE_ACTIVE);
	int64_t finished = stop_iterations(serving, instance);
	uint32_t list = take_requests(serving, instance, finished, evicted);
	clear_instance(serving, instance);
	list = sort(serving->inflight.requests, &list, *evicted);
	wait_again(serving, application, fail_or_keep(serving, list, failure));
	wake_relieved(serving);
	weir_request_dispatch_waiting(serving, application);
	weir_note_progress(serving);
	return weir_serving_after_change(serving, error);
}
