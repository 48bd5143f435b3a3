/* What must hold between two events, checked the slow and plain way. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "serving/serving_state.h"

/* Recounted from the requests, to be compared with the instances' books. */
typedef struct recount {
	int64_t memory, promised, pending_tokens, pending_prompt_tokens;
	uint32_t requests, pending, batch, prompts_in_batch, pending_prompts, blocked, waiting;
} recount;

#define BROKEN(error, id, what, found, expected)                                                   \
	weir_error_set(error, WEIR_ERROR_INTERNAL, NULL, "instance %u: %s is %lld, recounted %lld",    \
	               (unsigned)(id), what, (long long)(found), (long long)(expected))

static void count_task(const weir_serving *serving, uint32_t task, recount *on)
{
	const weir_task *t = &serving->inflight.tasks[task];
	bool pending = t->state == WEIR_TASK_QUEUED || t->state == WEIR_TASK_BLOCKED;
	on->pending += pending;
	on->pending_prompts += pending && weir_is_prompt(task);
	on->blocked += t->state == WEIR_TASK_BLOCKED;
	/* What is blocked joins from its own list. */
	on->waiting += t->state == WEIR_TASK_QUEUED && t->first;
	on->batch += t->state == WEIR_TASK_RUNNING;
	on->prompts_in_batch += t->state == WEIR_TASK_RUNNING && weir_is_prompt(task);
}

static bool is_live(const weir_task *task)
{
	return task->state == WEIR_TASK_QUEUED || task->state == WEIR_TASK_BLOCKED ||
	       task->state == WEIR_TASK_RUNNING;
}

/* Adds one request to the counts of its instances; false when it is in no place or in two. */
static bool count_request(const weir_serving *serving, uint32_t number, recount *counts)
{
	const weir_inflight_request *r = &serving->inflight.requests[number];
	const weir_task *prompt = &serving->inflight.tasks[weir_prompt_task(number)];
	const weir_task *token = &serving->inflight.tasks[weir_token_task(number)];
	if (r->phase == WEIR_PHASE_AT_SCHEDULER) {
		return prompt->state == WEIR_TASK_ABSENT && token->state == WEIR_TASK_ABSENT &&
		       r->memory == 0;
	}
	recount *source = &counts[r->prompt_instance];
	recount *destination = r->output_tokens > 1 ? &counts[r->token_instance] : NULL;
	bool same = destination == source;
	if (is_live(prompt)) {
		count_task(serving, weir_prompt_task(number), source);
		source->pending_tokens += r->prompt_tokens;
		source->pending_prompt_tokens += r->prompt_tokens;
	}
	if (destination != NULL) {
		destination->pending_tokens += token->state != WEIR_TASK_DONE;
		if (is_live(token)) {
			count_task(serving, weir_token_task(number), destination);
		}
	}
	if (same) {
		source->requests++;
		source->promised += r->prompt_bytes + r->token_bytes;
		source->memory += r->memory;
		return (r->phase == WEIR_PHASE_PROMPT && is_live(prompt) && is_live(token)) ||
		       (r->phase == WEIR_PHASE_TOKEN && !is_live(prompt) && is_live(token));
	}
	if (destination != NULL) {
		destination->promised += r->prompt_bytes + r->token_bytes;
	}
	switch ((weir_request_phase)r->phase) {
	case WEIR_PHASE_PROMPT:
		source->requests++;
		source->promised += r->prompt_bytes;
		source->memory += r->memory;
		return is_live(prompt) && token->state == WEIR_TASK_ABSENT;
	case WEIR_PHASE_TRANSFER_WAIT:
		source->promised += r->prompt_bytes;
		source->memory += r->memory;
		return prompt->state == WEIR_TASK_DONE && token->state == WEIR_TASK_ABSENT;
	case WEIR_PHASE_TRANSFER:
		source->promised += r->prompt_bytes;
		source->memory += r->memory;
		destination->memory += r->memory;
		return prompt->state == WEIR_TASK_DONE && token->state == WEIR_TASK_ABSENT;
	case WEIR_PHASE_TOKEN:
		destination->requests++;
		destination->memory += r->memory;
		return prompt->state == WEIR_TASK_DONE && is_live(token);
	case WEIR_PHASE_FREE:
	case WEIR_PHASE_AT_SCHEDULER:
		break;
	}
	return false;
}

static weir_status check_instance(const weir_serving *serving, uint32_t id, const recount *expected,
                                  weir_error *error)
{
	const weir_instance *instance = &serving->instances[id];
	const int64_t *figures = serving->entries[id].figures;
	const struct {
		const char *what;
		int64_t found, expected;
	} equal[] = {
	    {"memory in use", instance->memory, expected->memory + instance->weights},
	    {"memory promised", figures[WEIR_FIGURE_BYTES], expected->promised + instance->weights},
	    {"pending tokens", figures[WEIR_FIGURE_TOKENS], expected->pending_tokens},
	    {"pending prompt tokens", instance->pending_prompt_tokens, expected->pending_prompt_tokens},
	    {"requests", figures[WEIR_FIGURE_REQUESTS], expected->requests},
	    {"pending tasks", weir_pending_count(&instance->pending), expected->pending},
	    {"pending prompts", instance->pending_prompts.count, expected->pending_prompts},
	    {"blocked tasks", instance->blocked.count, expected->blocked},
	    {"waiting tasks", instance->waiting.count, expected->waiting},
	    {"batch size", instance->batch.count, expected->batch},
	    {"prompts in the batch", instance->prompts_in_batch, expected->prompts_in_batch},
	};
	for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++) {
		if (equal[i].found != equal[i].expected) {
			return BROKEN(error, id, equal[i].what, equal[i].found, equal[i].expected);
		}
	}
	if (instance->memory > instance->memory_limit || instance->memory < instance->weights) {
		return BROKEN(error, id, "memory in use (its limit follows)", instance->memory,
		              instance->memory_limit);
	}
	bool running = weir_engine_is_pending(serving->engine, instance->event);
	if (running != (instance->batch.count > 0)) {
		return BROKEN(error, id, "whether it has an iteration event", running,
		              instance->batch.count > 0);
	}
	return WEIR_OK;
}

static weir_status check_conservation(const weir_serving *serving, weir_error *error)
{
	const weir_serving_counters *c = &serving->counters;
	uint64_t accounted = c->completed + c->rejected + c->failed + serving->inflight.count;
	if (c->arrived != accounted) {
		return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
		                      "%llu requests arrived, %llu are accounted for",
		                      (unsigned long long)c->arrived, (unsigned long long)accounted);
	}
	return WEIR_OK;
}

weir_status weir_serving_check(const weir_serving *serving, weir_error *error)
{
	recount *counts = weir_allocate(serving->instance_count, sizeof *counts);
	if (counts == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a check");
	}
	weir_status status = check_conservation(serving, error);
	for (uint32_t r = 0; r < serving->inflight.used && status == WEIR_OK; r++) {
		if (serving->inflight.requests[r].phase != WEIR_PHASE_FREE &&
		    !count_request(serving, r, counts)) {
			status = weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
			                        "request %lld is in no place, or in two (phase %d)",
			                        (long long)serving->inflight.requests[r].id,
			                        (int)serving->inflight.requests[r].phase);
		}
	}
	for (uint32_t i = 0; i < serving->instance_count && status == WEIR_OK; i++) {
		status = check_instance(serving, i, &counts[i], error);
	}
	free(counts);
	return status;
}
