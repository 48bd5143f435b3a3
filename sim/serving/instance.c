#include "serving/instance.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "serving/serving_state.h"

void weir_instance_release(weir_instance *instance)
{
	free(instance->finish);
	weir_pending_release(&instance->pending);
	*instance = (weir_instance){0};
}

void weir_task_list_init(weir_task_list *list)
{
	*list = (weir_task_list){.first = WEIR_NONE, .last = WEIR_NONE};
}

void weir_task_list_append(weir_task_list *list, weir_task *tasks, uint32_t task)
{
	tasks[task].previous = list->last;
	tasks[task].next = WEIR_NONE;
	if (list->last != WEIR_NONE) {
		tasks[list->last].next = task;
	} else {
		list->first = task;
	}
	list->last = task;
	list->count++;
}

void weir_task_list_remove(weir_task_list *list, weir_task *tasks, uint32_t task)
{
	uint32_t previous = tasks[task].previous;
	uint32_t next = tasks[task].next;
	if (previous != WEIR_NONE) {
		tasks[previous].next = next;
	} else {
		list->first = next;
	}
	if (next != WEIR_NONE) {
		tasks[next].previous = previous;
	} else {
		list->last = previous;
	}
	tasks[task].previous = tasks[task].next = WEIR_NONE;
	list->count--;
}

static bool finishes_before(const weir_finish_entry *a, const weir_finish_entry *b)
{
	return a->progress < b->progress || (a->progress == b->progress && a->order < b->order);
}

static void finish_place(weir_instance *instance, weir_task *tasks, uint32_t position,
                         weir_finish_entry entry)
{
	instance->finish[position] = entry;
	tasks[entry.task].finish_position = position;
}

static void finish_sift(weir_instance *instance, weir_task *tasks, uint32_t position,
                        weir_finish_entry entry)
{
	uint32_t start = position;
	while (position > 0 && finishes_before(&entry, &instance->finish[(position - 1) / 2])) {
		finish_place(instance, tasks, position, instance->finish[(position - 1) / 2]);
		position = (position - 1) / 2;
	}
	if (position == start) {
		for (;;) {
			uint32_t child = 2 * position + 1;
			if (child >= instance->finish_count) {
				break;
			}
			if (child + 1 < instance->finish_count &&
			    finishes_before(&instance->finish[child + 1], &instance->finish[child])) {
				child++;
			}
			if (!finishes_before(&instance->finish[child], &entry)) {
				break;
			}
			finish_place(instance, tasks, position, instance->finish[child]);
			position = child;
		}
	}
	finish_place(instance, tasks, position, entry);
}

bool weir_finish_push(weir_instance *instance, weir_task *tasks, uint32_t task, int64_t progress)
{
	if (instance->finish_count == instance->finish_capacity &&
	    !weir_reserve((void **)&instance->finish, &instance->finish_capacity,
	                  (size_t)instance->finish_count + 1, sizeof *instance->finish)) {
		return false;
	}
	instance->finish_count++;
	finish_sift(instance, tasks, instance->finish_count - 1,
	            (weir_finish_entry){progress, instance->next_batch_order++, task});
	return true;
}

void weir_finish_remove(weir_instance *instance, weir_task *tasks, uint32_t task)
{
	uint32_t hole = tasks[task].finish_position;
	tasks[task].finish_position = WEIR_NONE;
	instance->finish_count--;
	if (hole != instance->finish_count) {
		finish_sift(instance, tasks, hole, instance->finish[instance->finish_count]);
	}
}

void weir_instance_account(weir_instance *instance, double now)
{
	double elapsed = now - instance->accounted;
	instance->batch_token_seconds +=
	    elapsed * (double)(instance->current.prompt_tokens + instance->current.token_tasks);
	instance->energy_joules += elapsed * instance->power_w;
	instance->accounted = now;
}

double weir_instance_time_for(const weir_instance *instance, int64_t count)
{
	const weir_execution_time *time = instance->time;
	return instance->slowness * time->type->time_for(time, &instance->current, count);
}

static int64_t iterations_in(const weir_instance *instance, double elapsed)
{
	const weir_execution_time *time = instance->time;
	return time->type->iterations_in(time, &instance->current, elapsed / instance->slowness);
}

/* As if at this slowness all the time. */
static double iterations_started(const weir_instance *instance, const weir_engine *engine)
{
	return weir_engine_time_of(engine, instance->event) - instance->length;
}

int64_t weir_instance_finished(const weir_instance *instance, const weir_engine *engine)
{
	if (instance->batch.count == 0 || instance->count == 0) {
		return 0;
	}
	double elapsed = weir_engine_now(engine) - iterations_started(instance, engine);
	if (elapsed <= 0) {
		return 0;
	}
	int64_t finished = iterations_in(instance, elapsed);
	return finished < instance->count ? finished : instance->count;
}

/* Context of a token task with `remaining` iterations to go: its KV cache, in tokens. */
static int64_t context_of(const weir_task *task, int64_t remaining)
{
	return task->context_end - remaining;
}

/* The pending queue remembers that it found no memory. */
static void note_memory(weir_serving *serving, const weir_instance *instance)
{
	serving->out_of_memory |= instance->pending.out_of_memory;
}

/* The iterations end at their next boundary, so that a task can join. */
static void pause_iterations(weir_serving *serving, weir_instance *instance)
{
	if (instance->pausing || instance->prompts_in_batch > 0) {
		return;
	}
	instance->pausing = true;
	double now = weir_engine_now(serving->engine);
	double elapsed = now - iterations_started(instance, serving->engine);
	/*
	 * Rounding may put the start of iterations that began at this instant a little later than now.
	 * Then none of them runs before the newcomer joins: Python's floor division gives -1 there, and
	 * so it is in the reference.
	 */
	int64_t count = elapsed < 0 ? 0 : iterations_in(instance, elapsed) + 1;
	/* At the very end of the iterations, rounding may count them all as finished. */
	instance->count = count < instance->count ? count : instance->count;
	instance->length =
	    instance->count > 0 ? weir_instance_time_for(instance, instance->count) : 0.0;
	double end = now + (instance->length - elapsed);
	weir_engine_reschedule(serving->engine, instance->event, end > now ? end : now);
}

void weir_instance_set_slowness(weir_serving *serving, weir_instance *instance, double factor)
{
	double slower = factor / instance->slowness;
	if (instance->batch.count == 0 || instance->count == 0) {
		instance->slowness = factor;
		return;
	}
	double now = weir_engine_now(serving->engine);
	double elapsed = (now - iterations_started(instance, serving->engine)) * slower;
	instance->slowness = factor;
	instance->length = weir_instance_time_for(instance, instance->count);
	double end = now + (instance->length - elapsed);
	weir_engine_reschedule(serving->engine, instance->event, end > now ? end : now);
}

/* Moves the tasks of the batch from `first` to its end to the end of the blocked ones. */
static void block_tail(weir_instance *instance, weir_task *tasks, uint32_t first, uint32_t count)
{
	weir_task_list *batch = &instance->batch;
	weir_task_list *blocked = &instance->blocked;
	uint32_t last = batch->last;
	uint32_t kept = tasks[first].previous;
	batch->last = kept;
	batch->count -= count;
	*(kept != WEIR_NONE ? &tasks[kept].next : &batch->first) = WEIR_NONE;
	tasks[first].previous = blocked->last;
	*(blocked->last != WEIR_NONE ? &tasks[blocked->last].next : &blocked->first) = first;
	blocked->last = last;
	blocked->count += count;
}

/*
 * Puts all but the first `kept` tasks out of the batch; they are token tasks. What is blocked is
 * not in the waiting heap: it joins from its own list, or not at all, as the limits that keep it
 * out keep out what waits as well.
 */
static void preempt_all_but(weir_serving *serving, weir_instance *instance, uint32_t kept)
{
	weir_task *tasks = serving->inflight.tasks;
	uint32_t leaving = instance->batch.count - kept;
	if (leaving == 0) {
		return;
	}
	uint32_t first = kept == 0 ? instance->batch.first : instance->batch.last;
	for (uint32_t i = 1; i < leaving && kept > 0; i++) {
		first = tasks[first].previous;
	}
	for (uint32_t task = first; task != WEIR_NONE; task = tasks[task].next) {
		weir_task *preempted = &tasks[task];
		preempted->remaining =
		    instance->finish[preempted->finish_position].progress - instance->progress;
		if (kept > 0) {
			weir_finish_remove(instance, tasks, task);
		}
		instance->token_context -= context_of(preempted, preempted->remaining);
		preempted->state = WEIR_TASK_BLOCKED;
		preempted->preemptions++;
		preempted->age -= instance->passes;
		weir_pending_put_back(&instance->pending, tasks, task, instance->passes);
	}
	block_tail(instance, tasks, first, leaving);
	if (kept == 0) {
		instance->finish_count = 0;
		instance->busy_seconds += weir_engine_now(serving->engine) - instance->busy_since;
	}
	instance->current.token_tasks -= leaving;
	instance->preemptions += leaving;
	weir_pool_of(serving, instance)->counters.preemptions += leaving;
}

/* First run of a task: it takes its memory. */
static void begin_task(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	weir_task *begun = &serving->inflight.tasks[task];
	weir_inflight_request *request = &serving->inflight.requests[weir_request_of(task)];
	double now = weir_engine_now(serving->engine);
	instance->memory += begun->need;
	request->memory += begun->need;
	begun->need = 0;
	if (weir_is_prompt(task)) {
		weir_pool_counters *pool = &weir_pool_of(serving, instance)->counters;
		request->prompt_start = now;
		pool->prompts_started++;
		pool->prompt_wait += now - request->arrival;
	} else {
		request->token_start = now;
	}
}

static void join(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	weir_task *tasks = serving->inflight.tasks;
	weir_task *joining = &tasks[task];
	joining->age = weir_task_age(joining, instance->passes);
	weir_pending_remove(&instance->pending, tasks, task);
	if (joining->waiting) {
		weir_waiting_remove(&instance->waiting, tasks, task);
	}
	if (weir_is_prompt(task)) {
		weir_task_list_remove(&instance->pending_prompts, tasks, task);
	} else if (joining->state == WEIR_TASK_BLOCKED) {
		weir_task_list_remove(&instance->blocked, tasks, task);
	}
	weir_task_list_append(&instance->batch, tasks, task);
	if (instance->batch.count == 1) {
		instance->busy_since = weir_engine_now(serving->engine);
	}
	if (joining->state == WEIR_TASK_QUEUED) {
		begin_task(serving, instance, task);
	}
	joining->state = WEIR_TASK_RUNNING;
	joining->selected = false;
	if (weir_is_prompt(task)) {
		instance->prompts_in_batch++;
		return;
	}
	instance->current.token_tasks++;
	instance->token_context += context_of(joining, joining->remaining);
	if (!weir_finish_push(instance, tasks, task, instance->progress + joining->remaining)) {
		serving->out_of_memory = true;
	}
}

/* Adds a prompt's part of the coming iteration to the batch's figures; it finishes with that
 * iteration, or stays as the partial prompt. */
static void count_prompt(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	weir_task *prompt = &serving->inflight.tasks[task];
	weir_batch *batch = &instance->current;
	int64_t chunk = prompt->chunk;
	int64_t processed = prompt->tokens - prompt->remaining;
	batch->prompt_tasks++;
	batch->prompt_tokens += chunk;
	batch->prompt_context += processed;
	batch->prompt_attention += (double)chunk * ((double)processed + (double)(chunk - 1) / 2.0);
	if (chunk < prompt->remaining) {
		instance->partial_prompt = task;
		return;
	}
	instance->partial_prompt = WEIR_NONE;
	if (!weir_finish_push(instance, serving->inflight.tasks, task, instance->progress + 1)) {
		serving->out_of_memory = true;
	}
}

static void run_batch(weir_serving *serving, weir_instance *instance)
{
	const weir_execution_time *time = instance->time;
	const weir_instance_type *type =
	    &weir_application_of(serving, instance)->config->types[instance->type];
	instance->current.token_context = instance->token_context;
	instance->count =
	    instance->prompts_in_batch > 0 ? 1 : instance->finish[0].progress - instance->progress;
	instance->power_w = type->share_of_server * type->sku->tdp_w *
	                    time->type->power_share(time, &instance->current);
	instance->length = weir_instance_time_for(instance, instance->count);
	instance->started = weir_engine_now(serving->engine);
	double end = instance->started + instance->length;
	instance->event =
	    weir_engine_schedule(serving->engine, end, WEIR_CLASS_SERVING,
	                         (weir_event){.type = WEIR_EVENT_ITERATION, .subject = instance->slot});
	if (instance->event.generation == 0) {
		serving->out_of_memory = true;
		instance->count = 0;
	}
}

/* The pool's sums follow what has joined and left the batch since these counts were taken. */
static void count_queued(weir_serving *serving, const weir_instance *instance,
                         uint32_t prompts_before, uint32_t pending_before)
{
	uint32_t prompts = instance->pending_prompts.count;
	uint32_t pending = weir_pending_count(&instance->pending);
	if (prompts != prompts_before || pending != pending_before) {
		weir_pool *pool = weir_pool_of(serving, instance);
		int64_t change = (int64_t)prompts - prompts_before;
		pool->queued_prompts += change;
		pool->queued_tokens += (int64_t)pending - pending_before - change;
	}
}

static void start_iterations(weir_serving *serving, weir_instance *instance)
{
	weir_application_state *application = weir_application_of(serving, instance);
	const weir_instance_type *type = &application->config->types[instance->type];
	weir_task *tasks = serving->inflight.tasks;
	uint32_t prompts_before = instance->pending_prompts.count;
	uint32_t pending_before = weir_pending_count(&instance->pending);
	weir_instance_account(instance, weir_engine_now(serving->engine));

	weir_selection *selection = &serving->selection;
	selection->joined_count = 0;
	selection->kept = 0;
	selection->tokens = 0;
	selection->memory = instance->memory;
	application->batching->select(instance, &application->config->instance, tasks, selection);
	instance->limit_tokens = selection->tokens;

	preempt_all_but(serving, instance, selection->kept);
	instance->current.prompt_tasks = 0;
	instance->current.prompt_tokens = 0;
	instance->current.prompt_context = 0;
	instance->current.prompt_attention = 0;
	if (instance->partial_prompt != WEIR_NONE) {
		count_prompt(serving, instance, instance->partial_prompt);
	}
	for (uint32_t i = 0; i < selection->joined_count; i++) {
		join(serving, instance, selection->joined[i]);
		if (weir_is_prompt(selection->joined[i])) {
			count_prompt(serving, instance, selection->joined[i]);
		}
	}
	note_memory(serving, instance);
	instance->passes++;
	count_queued(serving, instance, prompts_before, pending_before);

	if (instance->batch.count == 0) {
		instance->power_w = weir_idle_power(serving, type);
		const weir_scheduler_type *scheduler = application->scheduler.type;
		if (serving->entries[instance->slot].figures[WEIR_FIGURE_REQUESTS] == 0 &&
		    scheduler->instance_free != NULL) {
			scheduler->instance_free(serving, &application->scheduler, instance);
		}
		return;
	}
	if (serving->out_of_memory) {
		/* The finish heap may lack what joined; nothing runs. */
		instance->count = 0;
		return;
	}
	run_batch(serving, instance);
}

static inline void queue_task(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	const weir_application_state *application = weir_application_of(serving, instance);
	weir_task *tasks = serving->inflight.tasks;
	weir_task *arrived = &tasks[task];
	const weir_inflight_request *request = &serving->inflight.requests[weir_request_of(task)];
	bool is_prompt = weir_is_prompt(task);
	const weir_task *prompt = &tasks[weir_prompt_task(weir_request_of(task))];

	/* A chained token task waits behind its prompt task. */
	arrived->first =
	    is_prompt || request->prompt_instance != instance->slot || prompt->state == WEIR_TASK_DONE;
	if (arrived->first) {
		arrived->order = serving->next_order++;
		weir_figure_add(serving, instance, WEIR_FIGURE_REQUESTS, 1);
	} else {
		arrived->order = prompt->order;
	}
	arrived->arrival = request->arrival;
	arrived->state = WEIR_TASK_QUEUED;
	arrived->tokens = is_prompt ? request->prompt_tokens : 1;
	arrived->remaining = is_prompt ? request->prompt_tokens : request->output_tokens - 1;
	arrived->context_end = (int64_t)request->prompt_tokens + request->output_tokens - 1;
	arrived->need = is_prompt ? request->prompt_bytes : request->token_bytes;
	arrived->age = arrived->first ? -instance->passes : 0;
	if (application->batching->orders_pending) {
		weir_pending_insert(&instance->pending, tasks, task, instance->passes);
	} else {
		weir_pending_append(&instance->pending, tasks, task);
	}
	note_memory(serving, instance);
	weir_pool *pool = weir_pool_of(serving, instance);
	if (is_prompt) {
		weir_task_list_append(&instance->pending_prompts, tasks, task);
		pool->queued_prompts++;
	} else {
		pool->queued_tokens++;
	}
	if (arrived->first) {
		weir_waiting_push(&instance->waiting, tasks, task);
	}
}

void weir_instance_task_queues(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	queue_task(serving, instance, task);
}

void weir_instance_task_arrives(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	const weir_application_state *application = weir_application_of(serving, instance);
	const weir_task *arrived = &serving->inflight.tasks[task];
	queue_task(serving, instance, task);
	if (instance->batch.count == 0) {
		if (instance->memory + arrived->need <= instance->memory_limit) {
			start_iterations(serving, instance);
		}
	} else if (application->batching->interrupts(instance, &application->config->instance, arrived,
	                                             weir_is_prompt(task))) {
		pause_iterations(serving, instance);
	}
}

void weir_instance_transfer_ended(weir_serving *serving, weir_instance *instance)
{
	const weir_application_state *application = weir_application_of(serving, instance);
	uint32_t task = weir_pending_first(&instance->pending);
	note_memory(serving, instance);
	if (task == WEIR_NONE) {
		return;
	}
	if (instance->batch.count == 0) {
		/* What has run before holds its memory, but the reference asks for it all the same. */
		int64_t need = weir_is_prompt(task)
		                   ? serving->inflight.requests[weir_request_of(task)].prompt_bytes
		                   : serving->inflight.requests[weir_request_of(task)].token_bytes;
		if (instance->memory + need <= instance->memory_limit) {
			start_iterations(serving, instance);
		}
	} else if (application->batching->has_room(instance, &application->config->instance)) {
		pause_iterations(serving, instance);
	}
}

/* The next task of the same request, if it waits here, is now the first. */
static void leave_pool(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	weir_task *tasks = serving->inflight.tasks;
	const weir_inflight_request *request = &serving->inflight.requests[weir_request_of(task)];
	if (weir_is_prompt(task) && request->output_tokens > 1 &&
	    request->token_instance == instance->slot) {
		uint32_t token = weir_token_task(weir_request_of(task));
		weir_pending_start_aging(&instance->pending, tasks, token, instance->passes);
		weir_waiting_push(&instance->waiting, tasks, token);
		return;
	}
	weir_figure_add(serving, instance, WEIR_FIGURE_REQUESTS, -1);
}

static void finish_task(weir_serving *serving, weir_instance *instance, uint32_t task)
{
	weir_task *tasks = serving->inflight.tasks;
	uint32_t request = weir_request_of(task);
	weir_finish_remove(instance, tasks, task);
	weir_task_list_remove(&instance->batch, tasks, task);
	if (instance->batch.count == 0) {
		instance->busy_seconds += weir_engine_now(serving->engine) - instance->busy_since;
	}
	tasks[task].state = WEIR_TASK_DONE;
	if (weir_is_prompt(task)) {
		weir_pool *pool = weir_pool_of(serving, instance);
		int64_t prompt_tokens = serving->inflight.requests[request].prompt_tokens;
		instance->prompts_in_batch--;
		instance->pending_prompt_tokens -= prompt_tokens;
		pool->pending_prompt_tokens -= prompt_tokens;
		weir_figure_add(serving, instance, WEIR_FIGURE_TOKENS, -prompt_tokens);
		instance->prompts_completed++;
		instance->output_tokens++;
		pool->counters.prompts_completed++;
		pool->counters.output_tokens++;
		leave_pool(serving, instance, task);
		weir_request_prompt_done(serving, request);
	} else {
		instance->current.token_tasks--;
		instance->token_context -= context_of(&tasks[task], 0);
		weir_figure_add(serving, instance, WEIR_FIGURE_TOKENS, -1);
		leave_pool(serving, instance, task);
		weir_request_token_done(serving, request);
	}
}

void weir_instance_iteration_ends(weir_serving *serving, weir_instance *instance)
{
	weir_instance_account(instance, weir_engine_now(serving->engine));
	weir_pool_counters *pool = &weir_pool_of(serving, instance)->counters;
	if (serving->observer.iterations_ended != NULL) {
		/* Every prompt finishes with its iteration, but for one cut in chunks. */
		int64_t partial = instance->partial_prompt != WEIR_NONE;
		weir_tell_iterations(serving, instance, instance->count,
		                     instance->current.prompt_tasks - partial);
	}
	int64_t made = instance->current.token_tasks * instance->count;
	instance->progress += instance->count;
	instance->token_context += made;
	instance->output_tokens += made;
	instance->prompt_tokens += instance->current.prompt_tokens;
	pool->output_tokens += made;
	pool->prompt_tokens += instance->current.prompt_tokens;
	instance->iterations += (uint64_t)instance->count;
	serving->counters.iterations++;
	if (instance->partial_prompt != WEIR_NONE) {
		weir_task *partial = &serving->inflight.tasks[instance->partial_prompt];
		partial->remaining -= partial->chunk;
	}
	while (instance->finish_count > 0 && instance->finish[0].progress <= instance->progress) {
		finish_task(serving, instance, instance->finish[0].task);
	}
	instance->pausing = false;
	start_iterations(serving, instance);
}
