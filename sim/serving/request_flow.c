/* What happens to a request between its tasks: placement, hand-over, completion. */
#include <assert.h>
#include <math.h>

#include "serving/serving_state.h"

const char *const weir_request_status_names[] = {"completed", "rejected", "failed", "unfinished",
                                                 NULL};

static int32_t instance_number(uint32_t instance)
{
	return instance == WEIR_NONE ? -1 : (int32_t)instance;
}

void weir_request_row_of(const weir_serving *serving, uint32_t request, double now,
                         weir_request_status status, weir_request_row *row)
{
	const weir_inflight_request *r = &serving->inflight.requests[request];
	bool completed = status == WEIR_REQUEST_COMPLETED;
	*row = (weir_request_row){
	    .request_id = r->id,
	    .application = (int32_t)r->application,
	    .arrival = r->arrival,
	    .prompt_tokens = r->prompt_tokens,
	    .output_tokens = r->output_tokens,
	    .queue_time = r->prompt_start - r->arrival,
	    .ttft = r->prompt_end - r->arrival,
	    .second_token_gap = r->token_start - r->prompt_end,
	    .tbt = NAN,
	    .e2e = completed ? now - r->arrival : NAN,
	    .prompt_instance = instance_number(r->prompt_instance_id),
	    .token_instance = instance_number(r->token_instance_id),
	    .preemptions = (int32_t)serving->inflight.tasks[weir_token_task(request)].preemptions,
	    .retries = (int32_t)(r->failures + r->moves),
	    .status = (uint8_t)status,
	};
	if (completed && r->output_tokens > 1) {
		row->tbt = (row->e2e - row->ttft) / (double)(r->output_tokens - 1);
	}
}

static void end_request(weir_serving *serving, uint32_t request, weir_request_status status)
{
	const weir_inflight_request *r = &serving->inflight.requests[request];
	weir_application_counters *application = &serving->applications[r->application].counters;
	if (status == WEIR_REQUEST_COMPLETED) {
		application->completed++;
		serving->counters.completed++;
		serving->counters.prompt_tokens_completed += r->prompt_tokens;
		serving->counters.output_tokens_completed += r->output_tokens;
	} else if (status == WEIR_REQUEST_FAILED) {
		application->failed++;
		serving->counters.failed++;
	} else {
		assert(status == WEIR_REQUEST_REJECTED);
		application->rejected++;
		serving->counters.rejected++;
	}
	if (serving->observer.request_ended != NULL) {
		weir_request_row row;
		weir_request_row_of(serving, request, weir_engine_now(serving->engine), status, &row);
		serving->observer.request_ended(serving->observer.context, &row);
	}
	application->in_system--;
	weir_inflight_give_back(&serving->inflight, request);
}

void weir_request_fail(weir_serving *serving, uint32_t request)
{
	end_request(serving, request, WEIR_REQUEST_FAILED);
}

static void complete_on(weir_serving *serving, uint32_t request, weir_instance *instance)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	instance->memory -= r->memory;
	weir_figure_add(serving, instance, WEIR_FIGURE_BYTES, -r->memory);
	r->memory = 0;
	instance->claims--;
	instance->requests_completed++;
	weir_pool_of(serving, instance)->counters.requests_completed++;
	end_request(serving, request, WEIR_REQUEST_COMPLETED);
}

static bool token_can_ever_fit(const weir_inflight_request *r, const weir_instance *token)
{
	return token->weights + r->prompt_bytes + r->token_bytes <= token->memory_limit;
}

/* Whether the instances could hold the request if they held nothing else. */
static bool can_ever_fit(const weir_serving *serving, const weir_inflight_request *r,
                         const weir_placement *placement)
{
	const weir_instance *prompt = &serving->instances[placement->prompt];
	return prompt->weights + r->prompt_bytes <= prompt->memory_limit &&
	       (r->output_tokens == 1 || token_can_ever_fit(r, &serving->instances[placement->token]));
}

/* The request's token task will run there. */
static void assign_token(weir_serving *serving, uint32_t request, weir_instance *token)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	bool same = token->slot == r->prompt_instance;
	r->token_instance = token->slot;
	r->token_instance_id = token->id;
	token->claims += !same;
	weir_figure_add(serving, token, WEIR_FIGURE_TOKENS, 1);
	weir_figure_add(serving, token, WEIR_FIGURE_BYTES,
	                same ? r->token_bytes : r->prompt_bytes + r->token_bytes);
}

/* The instances' books: what the request will put on them. */
static void assign(weir_serving *serving, uint32_t request, const weir_placement *placement)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	weir_instance *prompt = &serving->instances[placement->prompt];
	weir_pool *pool = weir_pool_of(serving, prompt);
	r->prompt_instance = placement->prompt;
	r->prompt_instance_id = prompt->id;
	r->phase = WEIR_PHASE_PROMPT;
	prompt->claims++;
	prompt->pending_prompt_tokens += r->prompt_tokens;
	pool->pending_prompt_tokens += r->prompt_tokens;
	pool->counters.prompts_assigned++;
	weir_figure_add(serving, prompt, WEIR_FIGURE_TOKENS, r->prompt_tokens);
	weir_figure_add(serving, prompt, WEIR_FIGURE_BYTES, r->prompt_bytes);
	if (r->output_tokens > 1) {
		assign_token(serving, request, &serving->instances[placement->token]);
	}
}

static weir_placement_request wanted_by(const weir_inflight_request *r)
{
	return (weir_placement_request){
	    .prompt_tokens = r->prompt_tokens,
	    .prompt_bytes = r->prompt_bytes,
	    .token_bytes = r->token_bytes,
	};
}

static void append_waiting(weir_serving *serving, weir_application_state *application,
                           uint32_t request)
{
	weir_inflight_request *requests = serving->inflight.requests;
	requests[request].phase = WEIR_PHASE_AT_SCHEDULER;
	requests[request].next = WEIR_NONE;
	if (application->waiting_last != WEIR_NONE) {
		requests[application->waiting_last].next = request;
	} else {
		application->waiting_first = request;
	}
	application->waiting_last = request;
	application->counters.waiting_at_scheduler++;
	serving->counters.waiting_at_scheduler++;
}

static bool place(weir_serving *serving, uint32_t request)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	weir_application_state *application = &serving->applications[r->application];
	const weir_placement_request wanted = wanted_by(r);
	weir_placement placement;
	if (!application->scheduler.type->place(serving, &application->scheduler, &wanted,
	                                        &placement)) {
		return false;
	}
	if (!can_ever_fit(serving, r, &placement)) {
		end_request(serving, request, WEIR_REQUEST_REJECTED);
		return true;
	}
	assign(serving, request, &placement);
	weir_instance *prompt = &serving->instances[placement.prompt];
	weir_instance_task_arrives(serving, prompt, weir_prompt_task(request));
	if (r->output_tokens > 1 && placement.prompt == placement.token) {
		weir_instance_task_arrives(serving, prompt, weir_token_task(request));
	}
	return true;
}

void weir_request_dispatch(weir_serving *serving, uint32_t request)
{
	weir_application_state *application =
	    &serving->applications[serving->inflight.requests[request].application];
	if (application->waiting_first != WEIR_NONE || !place(serving, request)) {
		append_waiting(serving, application, request);
	}
}

void weir_request_dispatch_waiting(weir_serving *serving, weir_application_state *application)
{
	while (application->waiting_first != WEIR_NONE) {
		uint32_t request = application->waiting_first;
		uint32_t next = serving->inflight.requests[request].next;
		if (!place(serving, request)) {
			return;
		}
		application->waiting_first = next;
		if (next == WEIR_NONE) {
			application->waiting_last = WEIR_NONE;
		}
		application->counters.waiting_at_scheduler--;
		serving->counters.waiting_at_scheduler--;
	}
}

/* Its token instance was lost while its prompt ran; false when there is none for it now. */
static bool replace_token_instance(weir_serving *serving, uint32_t request)
{
	const weir_inflight_request *r = &serving->inflight.requests[request];
	weir_application_state *application = &serving->applications[r->application];
	const weir_placement_request wanted = wanted_by(r);
	uint32_t slot =
	    application->scheduler.type->place_token(serving, &application->scheduler, &wanted);
	if (slot == WEIR_NONE || !token_can_ever_fit(r, &serving->instances[slot])) {
		return false;
	}
	assign_token(serving, request, &serving->instances[slot]);
	return true;
}

void weir_request_prompt_done(weir_serving *serving, uint32_t request)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	r->prompt_end = weir_engine_now(serving->engine);
	if (r->output_tokens == 1) {
		complete_on(serving, request, &serving->instances[r->prompt_instance]);
	} else if (r->token_instance == r->prompt_instance) {
		r->phase = WEIR_PHASE_TOKEN;
	} else if (r->token_instance == WEIR_NONE && !replace_token_instance(serving, request)) {
		weir_request_begin_again(serving, request);
	} else if (r->token_instance == r->prompt_instance) {
		/* The next iterations are about to be started there. */
		r->phase = WEIR_PHASE_TOKEN;
		weir_instance_task_queues(serving, &serving->instances[r->token_instance],
		                          weir_token_task(request));
	} else {
		r->phase = WEIR_PHASE_TRANSFER_WAIT;
		weir_transfer_try(serving, request);
	}
}

void weir_request_transfer_done(weir_serving *serving, uint32_t request)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	weir_instance *source = &serving->instances[r->prompt_instance];
	weir_instance *destination = &serving->instances[r->token_instance];
	if (serving->observer.transfer_ended != NULL) {
		weir_tell_transfer(serving, request, WEIR_TRANSFER_ARRIVED);
	}
	serving->counters.transfers_completed++;
	serving->counters.transfer_bytes += (double)r->transfer_bytes;
	serving->applications[r->application].counters.kv_bytes_moved += r->transfer_bytes;
	source->memory -= r->prompt_bytes;
	weir_figure_add(serving, source, WEIR_FIGURE_BYTES, -r->prompt_bytes);
	source->claims--;
	r->prompt_instance = WEIR_NONE;
	r->phase = WEIR_PHASE_TOKEN;
	weir_instance_task_arrives(serving, destination, weir_token_task(request));
	weir_instance_transfer_ended(serving, source);
}

void weir_request_token_done(weir_serving *serving, uint32_t request)
{
	complete_on(serving, request,
	            &serving->instances[serving->inflight.requests[request].token_instance]);
}
