/* What must hold between two events, checked the slow and plain way. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "serving/serving_state.h"

/* Recounted from the requests, to be compared with the instances' books. */
typedef struct recount {
	int64_t memory, promised, pending_tokens, pending_prompt_tokens;
	uint32_t claims; /* requests with anything here or on the way to or from here */
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
	bool two = r->output_tokens > 1;
	bool moved = r->prompt_instance == WEIR_NONE;
	if (moved !=
	    (two && r->phase == WEIR_PHASE_TOKEN && r->prompt_instance_id != r->token_instance_id)) {
		return false;
	}
	/* While its prompt runs, it may have lost its token instance. */
	bool lost = two && r->token_instance == WEIR_NONE;
	if (lost && r->phase != WEIR_PHASE_PROMPT) {
		return false;
	}
	recount *destination = two && !lost ? &counts[r->token_instance] : NULL;
	recount *source = moved ? NULL : &counts[r->prompt_instance];
	bool same = destination == source;
	if (source != NULL) {
		source->claims++;
	}
	if (destination != NULL && !same) {
		destination->claims++;
	}
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
	    {"claims", instance->claims, expected->claims},
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
	bool empty = instance->batch.count == 0 && weir_pending_count(&instance->pending) == 0 &&
	             figures[WEIR_FIGURE_REQUESTS] == 0 && figures[WEIR_FIGURE_TOKENS] == 0 &&
	             expected->claims == 0 && instance->memory == instance->weights &&
	             figures[WEIR_FIGURE_BYTES] == instance->weights;
	if (empty != (instance->claims == 0)) {
		return BROKEN(error, id, "whether it is empty", instance->claims == 0, empty);
	}
	bool running = weir_engine_is_pending(serving->engine, instance->event);
	if (running != (instance->batch.count > 0)) {
		return BROKEN(error, id, "whether it has an iteration event", running,
		              instance->batch.count > 0);
	}
	return WEIR_OK;
}

typedef struct pool_recount {
	int64_t figures[WEIR_FIGURE_COUNT];
	int64_t pending_prompt_tokens, queued_prompts, queued_tokens;
	uint32_t count[WEIR_INSTANCE_STATE_COUNT], active_by_list;
} pool_recount;

static void recount_pools(const weir_serving *serving, pool_recount *pools)
{
	for (uint32_t i = 0; i < serving->instance_slots; i++) {
		const weir_instance *instance = &serving->instances[i];
		if (!instance->exists) {
			continue;
		}
		const weir_scheduler *scheduler = &serving->applications[instance->application].scheduler;
		weir_tag list = scheduler->type->uses_pools ? instance->list : instance->tag;
		pool_recount *of_application = &pools[(size_t)instance->application * WEIR_TAG_COUNT];
		pool_recount *pool = &of_application[instance->tag];
		of_application[list].active_by_list += instance->state == WEIR_INSTANCE_ACTIVE;
		for (int f = 0; f < WEIR_FIGURE_COUNT; f++) {
			pool->figures[f] += serving->entries[i].figures[f];
		}
		pool->figures[WEIR_FIGURE_BYTES] -= instance->weights;
		pool->pending_prompt_tokens += instance->pending_prompt_tokens;
		pool->queued_prompts += instance->pending_prompts.count;
		pool->queued_tokens +=
		    weir_pending_count(&instance->pending) - instance->pending_prompts.count;
		pool->count[instance->state]++;
	}
}

static weir_status check_pool(const weir_serving *serving, size_t pool,
                              const pool_recount *expected, weir_error *error)
{
	weir_pool_books books;
	weir_serving_pool_books(serving, (uint32_t)(pool / WEIR_TAG_COUNT),
	                        (weir_tag)(pool % WEIR_TAG_COUNT), &books);
	const struct {
		const char *what;
		int64_t found, expected;
	} equal[] = {
	    {"scaling up", books.count[WEIR_INSTANCE_SCALING_UP],
	     expected->count[WEIR_INSTANCE_SCALING_UP]},
	    {"active", books.count[WEIR_INSTANCE_ACTIVE], expected->count[WEIR_INSTANCE_ACTIVE]},
	    {"draining", books.count[WEIR_INSTANCE_DRAINING], expected->count[WEIR_INSTANCE_DRAINING]},
	    {"active by list", books.active_by_list, expected->active_by_list},
	    {"requests", books.requests, expected->figures[WEIR_FIGURE_REQUESTS]},
	    {"pending tokens", serving->pools[pool].figures[WEIR_FIGURE_TOKENS],
	     expected->figures[WEIR_FIGURE_TOKENS]},
	    {"bytes promised", books.kv_promised, expected->figures[WEIR_FIGURE_BYTES]},
	    {"pending prompt tokens", books.pending_prompt_tokens, expected->pending_prompt_tokens},
	    {"queued prompts", books.queued_prompts, expected->queued_prompts},
	    {"queued tokens", books.queued_tokens, expected->queued_tokens},
	};
	for (size_t i = 0; i < sizeof equal / sizeof equal[0]; i++) {
		if (equal[i].found != equal[i].expected) {
			return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
			                      "pool %u of application %u: %s is %lld, recounted %lld",
			                      (unsigned)(pool % WEIR_TAG_COUNT),
			                      (unsigned)(pool / WEIR_TAG_COUNT), equal[i].what,
			                      (long long)equal[i].found, (long long)equal[i].expected);
		}
	}
	return WEIR_OK;
}

static weir_status check_pools(const weir_serving *serving, weir_error *error)
{
	size_t count = serving->cluster->application_count * WEIR_TAG_COUNT;
	pool_recount *pools = weir_allocate(count, sizeof *pools);
	if (pools == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a check");
	}
	recount_pools(serving, pools);
	weir_status status = WEIR_OK;
	for (size_t pool = 0; pool < count && status == WEIR_OK; pool++) {
		status = check_pool(serving, pool, &pools[pool], error);
	}
	free(pools);
	return status;
}

static weir_status check_servers(const weir_serving *serving, weir_error *error)
{
	uint32_t *held = weir_allocate((size_t)serving->server_slots + 1, sizeof *held);
	if (held == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a check");
	}
	for (uint32_t i = 0; i < serving->instance_slots; i++) {
		if (serving->instances[i].exists) {
			held[serving->instances[i].server]++;
		}
	}
	weir_status status = WEIR_OK;
	for (uint32_t s = 0; s < serving->server_slots && status == WEIR_OK; s++) {
		const weir_server *server = &serving->servers[s];
		if (held[s] != (server->exists ? server->instances : 0)) {
			status = weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
			                        "the server in slot %u holds %u instances, recounted %u",
			                        (unsigned)s, (unsigned)server->instances, (unsigned)held[s]);
		}
	}
	free(held);
	return status;
}

static weir_status check_equal(const char *what, int64_t found, int64_t expected, weir_error *error)
{
	return found == expected
	           ? WEIR_OK
	           : weir_error_set(error, WEIR_ERROR_INTERNAL, NULL, "%s: %lld, recounted %lld", what,
	                            (long long)found, (long long)expected);
}

/* Every request is in one place, and every token that was processed or made went into a request
 * that is in the system, has completed or has lost it. */
static weir_status check_conservation(const weir_serving *serving, weir_error *error)
{
	const weir_serving_counters *c = &serving->counters;
	weir_serving_counters apps = {0};
	int64_t prompt_done = 0;
	int64_t output_done = 0;
	for (size_t a = 0; a < serving->cluster->application_count; a++) {
		const weir_application_counters *counters = &serving->applications[a].counters;
		apps.arrived += counters->arrived;
		apps.in_system += counters->in_system;
		apps.waiting_at_scheduler += counters->waiting_at_scheduler;
		apps.completed += counters->completed;
		apps.rejected += counters->rejected;
		apps.failed += counters->failed;
		for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			const weir_pool *pool = &serving->pools[a * WEIR_TAG_COUNT + (size_t)tag];
			prompt_done += pool->counters.prompt_tokens;
			output_done += pool->counters.output_tokens;
		}
	}
	int64_t prompt_held = c->prompt_tokens_completed + c->prompt_tokens_lost;
	int64_t output_held = c->output_tokens_completed + c->output_tokens_lost;
	uint64_t waiting = 0;
	for (uint32_t r = 0; r < serving->inflight.used; r++) {
		if (serving->inflight.requests[r].phase == WEIR_PHASE_FREE) {
			continue;
		}
		int64_t prompt_tokens;
		int64_t output_tokens;
		weir_request_work_of(serving, r, &prompt_tokens, &output_tokens);
		prompt_held += prompt_tokens;
		output_held += output_tokens;
		waiting += serving->inflight.requests[r].phase == WEIR_PHASE_AT_SCHEDULER;
	}
	const struct {
		const char *what;
		int64_t found, expected;
	} equal[] = {
	    {"requests arrived", (int64_t)c->arrived,
	     (int64_t)(c->completed + c->rejected + c->failed + serving->inflight.count)},
	    {"requests arrived", (int64_t)c->arrived, (int64_t)apps.arrived},
	    {"requests completed", (int64_t)c->completed, (int64_t)apps.completed},
	    {"requests rejected", (int64_t)c->rejected, (int64_t)apps.rejected},
	    {"requests failed", (int64_t)c->failed, (int64_t)apps.failed},
	    {"requests in the system", (int64_t)serving->inflight.count, (int64_t)apps.in_system},
	    {"requests at the scheduler", (int64_t)c->waiting_at_scheduler, (int64_t)waiting},
	    {"requests at the scheduler", (int64_t)apps.waiting_at_scheduler, (int64_t)waiting},
	    {"prompt tokens processed", prompt_done, prompt_held},
	    {"output tokens made", output_done, output_held},
	};
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < sizeof equal / sizeof equal[0] && status == WEIR_OK; i++) {
		status = check_equal(equal[i].what, equal[i].found, equal[i].expected, error);
	}
	return status;
}

/* What waits at the scheduler of an application stands in order of arrival, up to the last. */
static weir_status check_line(const weir_serving *serving, size_t application, weir_error *error)
{
	const weir_application_state *state = &serving->applications[application];
	const weir_inflight_request *requests = serving->inflight.requests;
	uint64_t count = 0;
	uint32_t last = WEIR_NONE;
	for (uint32_t r = state->waiting_first; r != WEIR_NONE; r = requests[r].next) {
		if (requests[r].phase != WEIR_PHASE_AT_SCHEDULER ||
		    requests[r].application != application ||
		    (last != WEIR_NONE && requests[r].sequence <= requests[last].sequence)) {
			return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
			                      "request %lld waits at the scheduler out of its place",
			                      (long long)requests[r].id);
		}
		last = r;
		count++;
	}
	weir_status status = check_equal("last in the line at the scheduler",
	                                 (int64_t)state->waiting_last, (int64_t)last, error);
	return status != WEIR_OK
	           ? status
	           : check_equal("requests in the line at the scheduler",
	                         (int64_t)state->counters.waiting_at_scheduler, (int64_t)count, error);
}

static weir_status check_transfers_waiting(const weir_serving *serving, size_t application,
                                           uint64_t *total, weir_error *error)
{
	uint64_t count = 0;
	for (uint32_t r = 0; r < serving->inflight.used; r++) {
		const weir_inflight_request *request = &serving->inflight.requests[r];
		count += request->phase == WEIR_PHASE_TRANSFER_WAIT && request->application == application;
	}
	*total += count;
	return check_equal("transfers that wait",
	                   (int64_t)serving->applications[application].transfers_waiting,
	                   (int64_t)count, error);
}

static weir_status check_waiting(const weir_serving *serving, weir_error *error)
{
	weir_status status = WEIR_OK;
	uint64_t transfers = 0;
	for (size_t a = 0; a < serving->cluster->application_count && status == WEIR_OK; a++) {
		status = check_line(serving, a, error);
		if (status == WEIR_OK) {
			status = check_transfers_waiting(serving, a, &transfers, error);
		}
	}
	return status != WEIR_OK
	           ? status
	           : check_equal("transfers that wait, of all", (int64_t)serving->transfers_waiting,
	                         (int64_t)transfers, error);
}

weir_status weir_serving_check(const weir_serving *serving, weir_error *error)
{
	recount *counts = weir_allocate(serving->instance_slots, sizeof *counts);
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
	for (uint32_t i = 0; i < serving->instance_slots && status == WEIR_OK; i++) {
		if (serving->instances[i].exists) {
			status = check_instance(serving, i, &counts[i], error);
		}
	}
	if (status == WEIR_OK) {
		status = check_waiting(serving, error);
	}
	if (status == WEIR_OK) {
		status = check_pools(serving, error);
	}
	if (status == WEIR_OK) {
		status = check_servers(serving, error);
	}
	free(counts);
	return status;
}
