#include "oracle/naive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "oracle/naive_internal.h"

static void *allocate(size_t count, size_t size)
{
	void *memory = weir_allocate(count > 0 ? count : 1, size);
	if (memory == NULL) {
		abort();
	}
	return memory;
}

void list_insert(naive_list *list, size_t at, void *item)
{
	void *items = list->items;
	if (!weir_reserve(&items, &list->capacity, list->count + 1, sizeof(void *))) {
		abort();
	}
	list->items = items;
	memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof(void *));
	list->items[at] = item;
	list->count += 1;
}

void list_append(naive_list *list, void *item)
{
	list_insert(list, list->count, item);
}

void list_remove(naive_list *list, const void *item)
{
	size_t at = 0;
	while (at < list->count && list->items[at] != item) {
		at++;
	}
	assert(at < list->count);
	list->count -= 1;
	memmove(&list->items[at], &list->items[at + 1], (list->count - at) * sizeof(void *));
}

void schedule_event(naive_simulation *sim, double time, event_kind kind, void *subject)
{
	void *events = sim->events;
	if (!weir_reserve(&events, &sim->event_capacity, sim->event_count + 1, sizeof(naive_event))) {
		abort();
	}
	sim->events = events;
	sim->events[sim->event_count++] = (naive_event){
	    .time = time,
	    .sequence = sim->next_sequence++,
	    .kind = kind,
	    .subject = subject,
	};
}

naive_event *find_iteration_event(naive_simulation *sim, const naive_instance *instance)
{
	size_t at = 0;
	while (sim->events[at].kind != EVENT_ITERATION || sim->events[at].subject != instance) {
		at++;
		assert(at < sim->event_count);
	}
	return &sim->events[at];
}

/* The first pending event by (time, sequence), which stays in place; NULL when there is none. */
static naive_event *first_event(const naive_simulation *sim)
{
	naive_event *first = NULL;
	for (size_t i = 0; i < sim->event_count; i++) {
		naive_event *event = &sim->events[i];
		if (first == NULL || event->time < first->time ||
		    (event->time == first->time && event->sequence < first->sequence)) {
			first = event;
		}
	}
	return first;
}

static int64_t kv_bytes(const naive_simulation *sim, int64_t tokens)
{
	return tokens * sim->config->kv_bytes_per_token;
}

static void release_memory(naive_instance *instance, naive_job *request)
{
	instance->memory -= request->memory;
	instance->sched_memory -= request->memory;
}

/* NaN stays NaN: what has not happened. */
static void add_row(naive_simulation *sim, const naive_job *request)
{
	const naive_instance *prompt = request->prompt.instance;
	const naive_instance *token = request->token.instance;
	double arrival = request->input->arrival;
	double end = token != NULL ? request->token.completion : request->prompt.completion;
	sim->result->rows[sim->result->row_count++] = (naive_row){
	    .id = request->input->id,
	    .status = request->status,
	    .queue_time = request->prompt.start - arrival,
	    .ttft = request->prompt.completion - arrival,
	    .second_token_gap = request->token.start - request->prompt.completion,
	    .e2e = end - arrival,
	    .prompt_instance = prompt != NULL ? (int64_t)prompt->index : -1,
	    .token_instance = token != NULL ? (int64_t)token->index : -1,
	    .preemptions = request->preemptions,
	    .transfer_retries = request->transfer_retries,
	};
}

static void start_transfer(naive_simulation *sim, naive_job *request)
{
	const naive_config *config = sim->config;
	naive_instance *destination = request->token.instance;
	if (destination->memory + request->memory > destination->limit) {
		schedule_event(sim, sim->now + 1.0, EVENT_RETRY, request);
		return;
	}
	destination->memory += request->memory;
	bool overlap = config->scheduler == NAIVE_OVERLAP_KV_JSQ ||
	               config->scheduler == NAIVE_OVERLAP_KV_TOKEN_JSQ;
	double gb_per_s = overlap ? config->bandwidth_gb_per_s * 10 : config->bandwidth_gb_per_s;
	double bytes_per_s = gb_per_s * (1024.0 * 1024.0 * 1024.0);
	double bytes = (double)kv_bytes(sim, request->input->prompt_tokens);
	schedule_event(sim, sim->now + bytes / bytes_per_s, EVENT_TRANSFER, request);
}

static void complete_transfer(naive_simulation *sim, naive_job *request)
{
	release_memory(request->prompt.instance, request);
	submit_task(sim, &request->token);
	transfer_left(sim, request->prompt.instance);
}

void task_completed(naive_simulation *sim, const naive_task *task)
{
	naive_job *request = task->request;
	if (!task->is_prompt || request->token.instance == NULL) {
		release_memory(task->instance, request);
		request->status = NAIVE_COMPLETED;
		sim->result->completed += 1;
		add_row(sim, request);
	} else if (request->token.instance != request->prompt.instance) {
		start_transfer(sim, request);
	}
}

/* Whether the chosen instances, with nothing else on them, could ever hold the request. */
static bool can_fit(const naive_simulation *sim, const naive_job *request,
                    const naive_instance *prompt, const naive_instance *token)
{
	int64_t at_prompt = sim->config->weights + request->prompt.memory;
	int64_t at_token = at_prompt + request->token.memory;
	if (request->input->output_tokens == 1) {
		return at_prompt <= prompt->limit;
	}
	return at_prompt <= prompt->limit && at_token <= token->limit;
}

static void request_arrives(naive_simulation *sim, naive_job *request)
{
	naive_instance *prompt = NULL;
	naive_instance *token = NULL;
	choose_instances(sim, request, &prompt, &token);
	if (!can_fit(sim, request, prompt, token)) {
		request->status = NAIVE_REJECTED;
		sim->result->rejected += 1;
		add_row(sim, request);
		return;
	}
	request->prompt.instance = prompt;
	request->token.instance = request->input->output_tokens > 1 ? token : NULL;
	enter_in_books(request);
	submit_task(sim, &request->prompt);
	if (request->token.instance == prompt) {
		submit_task(sim, &request->token);
	}
}

static void prepare_request(const naive_simulation *sim, naive_job *request,
                            const naive_request *input)
{
	assert(input->prompt_tokens >= 1 && input->output_tokens >= 1);
	*request = (naive_job){.input = input, .status = NAIVE_UNFINISHED};
	request->prompt = (naive_task){
	    .request = request,
	    .is_prompt = true,
	    .memory = kv_bytes(sim, input->prompt_tokens + 1),
	    .tokens_left = input->prompt_tokens,
	    .start = NAN,
	    .completion = NAN,
	};
	request->token = (naive_task){
	    .request = request,
	    .memory = kv_bytes(sim, input->output_tokens - 1),
	    .tokens_left = input->output_tokens - 1,
	    .start = NAN,
	    .completion = NAN,
	};
}

static void prepare_instances(naive_simulation *sim)
{
	const naive_config *config = sim->config;
	sim->instances = allocate(config->instance_count, sizeof(naive_instance));
	for (size_t i = 0; i < config->instance_count; i++) {
		naive_instance *instance = &sim->instances[i];
		instance->index = i;
		instance->tag = config->instances[i].tag;
		instance->limit = config->instances[i].memory_limit;
		instance->memory = config->weights;
		instance->sched_memory = config->weights;
		naive_list *of_tag[] = {&sim->prompt_list, &sim->token_list, &sim->mixed_list};
		list_append(of_tag[instance->tag], instance);
		list_append(&sim->all, instance);
	}
}

static void run_event(naive_simulation *sim, naive_event event)
{
	static const char *const names[] = {"iteration", "transfer", "retry"};
	size_t index = 0;
	sim->now = event.time;
	if (event.kind == EVENT_ITERATION) {
		naive_instance *instance = event.subject;
		index = instance->index;
		complete_iterations(sim, instance);
	} else {
		naive_job *request = event.subject;
		index = (size_t)(request - sim->requests);
		if (event.kind == EVENT_TRANSFER) {
			complete_transfer(sim, request);
		} else {
			request->transfer_retries += 1;
			start_transfer(sim, request);
		}
	}
	if (sim->config->observe != NULL) {
		sim->config->observe(sim->config->context, sim->now, names[event.kind], index);
	}
}

/* What is left at the end of a run in which every request completed or was rejected: nothing. */
static void check_empty(const naive_simulation *sim)
{
	for (size_t i = 0; i < sim->config->instance_count; i++) {
		const naive_instance *instance = &sim->instances[i];
		assert(instance->memory == sim->config->weights);
		assert(instance->sched_memory == sim->config->weights);
		assert(instance->sched_pending_tokens == 0);
		assert(instance->batch.count == 0 && instance->pending.count == 0);
		assert(instance->pending_prompts.count == 0 && instance->blocked.count == 0);
		assert(instance->pending_requests.count == 0);
	}
	assert(sim->event_count == 0);
}

static void free_simulation(naive_simulation *sim)
{
	for (size_t i = 0; i < sim->config->instance_count; i++) {
		free(sim->instances[i].batch.items);
		free(sim->instances[i].pending.items);
		free(sim->instances[i].pending_prompts.items);
		free(sim->instances[i].blocked.items);
		free(sim->instances[i].pending_requests.items);
	}
	free(sim->instances);
	free(sim->all.items);
	free(sim->prompt_list.items);
	free(sim->token_list.items);
	free(sim->mixed_list.items);
	free(sim->events);
}

naive_result naive_run(const naive_config *config, const naive_request *requests, size_t count)
{
	assert(config->max_batch_size >= 1 && config->max_batch_tokens >= 1);
	assert(config->max_preemptions >= 1 && config->instance_count >= 1);
	naive_result result = {
	    .rows = allocate(count, sizeof(naive_row)),
	    .busy_time = allocate(config->instance_count, sizeof(double)),
	};
	naive_simulation sim = {.config = config, .result = &result};
	prepare_instances(&sim);
	sim.requests = allocate(count, sizeof(naive_job));
	size_t arrived = 0;
	for (;;) {
		naive_event *next = first_event(&sim);
		/* At one time arrivals go first: they were all scheduled before the run began. */
		bool is_arrival =
		    arrived < count && (next == NULL || requests[arrived].arrival <= next->time);
		if (!is_arrival && next == NULL) {
			break;
		}
		if ((is_arrival ? requests[arrived].arrival : next->time) > config->until) {
			break;
		}
		sim.executed += 1;
		if (is_arrival) {
			assert(requests[arrived].arrival >= sim.now);
			sim.now = requests[arrived].arrival;
			prepare_request(&sim, &sim.requests[arrived], &requests[arrived]);
			request_arrives(&sim, &sim.requests[arrived]);
			arrived += 1;
			if (config->observe != NULL) {
				config->observe(config->context, sim.now, "arrival", arrived - 1);
			}
		} else {
			naive_event event = *next;
			assert(event.time >= sim.now);
			*next = sim.events[--sim.event_count];
			run_event(&sim, event);
		}
	}
	for (size_t i = 0; i < arrived; i++) {
		if (sim.requests[i].status == NAIVE_UNFINISHED) {
			add_row(&sim, &sim.requests[i]);
		}
	}
	if (result.completed + result.rejected == count) {
		check_empty(&sim);
	}
	for (size_t i = 0; i < config->instance_count; i++) {
		const naive_instance *instance = &sim.instances[i];
		result.busy_time[i] = instance->busy_time;
		if (instance->batch.count > 0) {
			result.busy_time[i] += sim.now - instance->busy_since;
		}
	}
	result.end_time = sim.now;
	result.events = sim.executed;
	free(sim.requests);
	free_simulation(&sim);
	return result;
}

void naive_result_free(naive_result *result)
{
	free(result->rows);
	free(result->busy_time);
	*result = (naive_result){0};
}
