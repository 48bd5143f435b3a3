#include <math.h>
#include <stdlib.h>

#include "oracle/naive_internal.h"

/* The first unfinished task of `request` at `here`; NULL when it has none. */
static naive_task *first_task(const naive_instance *here, naive_job *request)
{
	naive_task *tasks[] = {&request->prompt, &request->token};
	for (size_t i = 0; i < 2; i++) {
		if (tasks[i]->instance == here && tasks[i]->state != TASK_NONE &&
		    tasks[i]->state != TASK_COMPLETED) {
			return tasks[i];
		}
	}
	return NULL;
}

static int64_t tokens_per_iteration(const naive_task *task)
{
	return task->is_prompt ? task->request->input->prompt_tokens : 1;
}

static int64_t tasks_in_batch(const naive_instance *here, bool prompts)
{
	int64_t count = 0;
	for (size_t i = 0; i < here->batch.count; i++) {
		const naive_task *task = here->batch.items[i];
		count += task->is_prompt == prompts;
	}
	return count;
}

static int64_t batch_size(const naive_instance *here)
{
	return (int64_t)here->batch.count;
}

static void batch_add(const naive_simulation *sim, naive_instance *here, naive_task *task)
{
	list_append(&here->batch, task);
	if (here->batch.count == 1) {
		here->busy_since = sim->now;
	}
}

static void batch_remove(const naive_simulation *sim, naive_instance *here, naive_task *task)
{
	list_remove(&here->batch, task);
	if (here->batch.count == 0) {
		here->busy_time += sim->now - here->busy_since;
	}
}

/* Whether key(a) < key(b), the key being (num_preemptions, arrival time). */
static bool key_is_less(const naive_task *a, const naive_task *b)
{
	if (a->num_preemptions != b->num_preemptions) {
		return a->num_preemptions < b->num_preemptions;
	}
	return a->request->input->arrival < b->request->input->arrival;
}

static void pending_add(const naive_simulation *sim, naive_instance *here, naive_task *task)
{
	if (sim->config->kind != NAIVE_SPLITWISE) {
		list_append(&here->pending, task);
		return;
	}
	/* Bisection just so: the list need not be in order, as keys change while their tasks wait. */
	size_t low = 0;
	size_t high = here->pending.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (key_is_less(task, here->pending.items[middle])) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	list_insert(&here->pending, low, task);
}

static void pending_request_add(naive_instance *here, naive_job *request)
{
	size_t at = here->pending_requests.count;
	while (at > 0) {
		const naive_job *before = here->pending_requests.items[at - 1];
		if (before->input->arrival <= request->input->arrival) {
			break;
		}
		at--;
	}
	list_insert(&here->pending_requests, at, request);
}

/* The batch being formed. */
typedef struct naive_selection {
	naive_list tasks;
	int64_t memory; /* in use if all selected tasks run */
	int64_t tokens;
} naive_selection;

static void selection_take(naive_selection *selection, naive_task *task, int64_t memory,
                           int64_t tokens)
{
	assert(!task->selected);
	task->selected = true;
	list_append(&selection->tasks, task);
	selection->memory += memory;
	selection->tokens += tokens;
}

static bool is_full(const naive_simulation *sim, const naive_selection *selection)
{
	return (int64_t)selection->tasks.count == sim->config->max_batch_size;
}

static bool memory_fits(const naive_instance *here, const naive_selection *selection,
                        const naive_task *task)
{
	return task->memory + selection->memory <= here->limit;
}

static void select_orca(naive_simulation *sim, naive_instance *here, naive_selection *selected)
{
	for (size_t i = 0; i < here->batch.count; i++) {
		selection_take(selected, here->batch.items[i], 0, 0);
	}
	for (size_t i = 0; i < here->pending_requests.count && !is_full(sim, selected); i++) {
		naive_task *task = first_task(here, here->pending_requests.items[i]);
		if (task->state == TASK_RUNNING) {
			continue;
		}
		if (!memory_fits(here, selected, task)) {
			break;
		}
		task->chunk = task->is_prompt ? task->tokens_left : 0;
		selection_take(selected, task, task->memory, 0);
	}
}

/* Splitwise's limits of size and of tokens, at which a stage stops. */
static bool stage_stops(const naive_simulation *sim, const naive_selection *selected,
                        const naive_task *task)
{
	return is_full(sim, selected) ||
	       (selected->tasks.count > 0 &&
	        selected->tokens + tokens_per_iteration(task) > sim->config->max_batch_tokens);
}

static bool request_is_selected(const naive_task *task)
{
	return task->request->prompt.selected || task->request->token.selected;
}

/* A task that runs for the first time takes memory; a blocked or running one holds it already. */
static void select_for_splitwise(naive_selection *selected, naive_task *task)
{
	task->chunk = task->is_prompt ? task->tokens_left : 0;
	selection_take(selected, task, task->state == TASK_QUEUED ? task->memory : 0,
	               tokens_per_iteration(task));
}

static void select_splitwise(naive_simulation *sim, naive_instance *here, naive_selection *selected)
{
	/* a. what was passed over too often */
	for (size_t i = 0; i < here->pending.count; i++) {
		naive_task *task = here->pending.items[i];
		if (task->num_preemptions < sim->config->max_preemptions ||
		    stage_stops(sim, selected, task)) {
			break;
		}
		if (request_is_selected(task)) {
			continue;
		}
		if (task->state == TASK_BLOCKED || memory_fits(here, selected, task)) {
			select_for_splitwise(selected, task);
		}
	}
	/* b. prompts */
	for (size_t i = 0; i < here->pending_prompts.count; i++) {
		naive_task *task = here->pending_prompts.items[i];
		if (stage_stops(sim, selected, task)) {
			break;
		}
		if (request_is_selected(task)) {
			continue;
		}
		if (!memory_fits(here, selected, task)) {
			break;
		}
		select_for_splitwise(selected, task);
	}
	/* c. preempted tasks, d. the old batch */
	const naive_list *running[] = {&here->blocked, &here->batch};
	for (size_t stage = 0; stage < 2; stage++) {
		for (size_t i = 0; i < running[stage]->count; i++) {
			naive_task *task = running[stage]->items[i];
			if (stage_stops(sim, selected, task)) {
				break;
			}
			if (!request_is_selected(task)) {
				select_for_splitwise(selected, task);
			}
		}
	}
	/* e. the others, by arrival of their requests */
	for (size_t i = 0; i < here->pending_requests.count; i++) {
		naive_task *task = first_task(here, here->pending_requests.items[i]);
		if (is_full(sim, selected)) {
			break;
		}
		if (request_is_selected(task)) {
			continue;
		}
		if (stage_stops(sim, selected, task) ||
		    (task->state != TASK_BLOCKED && !memory_fits(here, selected, task))) {
			break;
		}
		select_for_splitwise(selected, task);
	}
	here->batch_tokens = selected->tokens;
}

static void select_chunked(naive_simulation *sim, naive_instance *here, naive_selection *selected)
{
	int64_t budget = sim->config->max_batch_tokens - tasks_in_batch(here, false);
	assert(budget >= 0);
	for (size_t i = 0; i < here->batch.count; i++) {
		naive_task *task = here->batch.items[i];
		task->chunk = 0;
		if (task->is_prompt) {
			task->chunk = task->tokens_left < budget ? task->tokens_left : budget;
			budget -= task->chunk;
		}
		selection_take(selected, task, 0, 0);
	}
	for (size_t i = 0; i < here->pending_requests.count; i++) {
		naive_task *task = first_task(here, here->pending_requests.items[i]);
		if (is_full(sim, selected) || budget == 0) {
			break;
		}
		if (task->state == TASK_RUNNING) {
			continue;
		}
		if (!memory_fits(here, selected, task)) {
			break;
		}
		task->chunk = 0;
		if (task->is_prompt) {
			task->chunk = task->tokens_left < budget ? task->tokens_left : budget;
		}
		budget -= task->is_prompt ? task->chunk : 1;
		selection_take(selected, task, task->memory, 0);
	}
	here->batch_tokens = sim->config->max_batch_tokens - budget;
}

static void preempt(naive_simulation *sim, naive_instance *here, naive_task *task)
{
	assert(!task->is_prompt && sim->config->kind == NAIVE_SPLITWISE);
	batch_remove(sim, here, task);
	task->state = TASK_BLOCKED;
	task->request->preemptions += 1;
	pending_add(sim, here, task);
	list_append(&here->blocked, task);
}

static void join(naive_simulation *sim, naive_instance *here, naive_task *task)
{
	list_remove(&here->pending, task);
	if (task->is_prompt) {
		list_remove(&here->pending_prompts, task);
	}
	if (task->state == TASK_BLOCKED) {
		list_remove(&here->blocked, task);
	} else {
		task->start = sim->now;
		task->request->memory += task->memory;
		here->memory += task->memory;
		assert(here->memory <= here->limit);
	}
	task->state = TASK_RUNNING;
	batch_add(sim, here, task);
}

/* Step 1: the new batch takes the place of the old one. */
static void change_batch(naive_simulation *sim, naive_instance *here)
{
	naive_selection selected = {.memory = here->memory};
	switch (sim->config->kind) {
	case NAIVE_ORCA:
		select_orca(sim, here, &selected);
		break;
	case NAIVE_SPLITWISE:
		select_splitwise(sim, here, &selected);
		break;
	case NAIVE_CHUNKED:
		select_chunked(sim, here, &selected);
		break;
	case NAIVE_KIND_COUNT:
		assert(false);
	}
	for (size_t i = 0; i < here->batch.count;) {
		naive_task *task = here->batch.items[i];
		if (task->selected) {
			i++;
		} else {
			preempt(sim, here, task);
		}
	}
	for (size_t i = 0; i < selected.tasks.count; i++) {
		naive_task *task = selected.tasks.items[i];
		task->selected = false;
		if (task->state != TASK_RUNNING) {
			join(sim, here, task);
		}
	}
	free(selected.tasks.items);
}

static void start_iteration(naive_simulation *sim, naive_instance *here)
{
	change_batch(sim, here);
	/* Step 2. */
	for (size_t i = 0; i < here->pending_requests.count; i++) {
		naive_task *task = first_task(here, here->pending_requests.items[i]);
		if (task->state != TASK_RUNNING) {
			task->num_preemptions += 1;
		}
	}
	/* Step 3. */
	if (here->batch.count == 0) {
		if (here->pending_requests.count == 0) {
			instance_is_free(sim, here);
		}
		return;
	}
	/* Step 4. */
	int64_t prompt_tokens = 0;
	int64_t token_tasks = 0;
	int64_t fewest_left = INT64_MAX;
	for (size_t i = 0; i < here->batch.count; i++) {
		const naive_task *task = here->batch.items[i];
		if (task->is_prompt) {
			prompt_tokens += task->chunk;
		} else {
			token_tasks += 1;
			fewest_left = task->tokens_left < fewest_left ? task->tokens_left : fewest_left;
		}
	}
	assert(prompt_tokens + token_tasks > 0);
	here->duration = sim->config->iteration_seconds(sim->config->context, here->index,
	                                                prompt_tokens, token_tasks);
	assert(here->duration > 0);
	here->count = tasks_in_batch(here, true) > 0 ? 1 : fewest_left;
	schedule_event(sim, sim->now + here->duration * (double)here->count, EVENT_ITERATION, here);
}

/* Python's a // b of floats, for positive b. */
static double floor_divide(double a, double b)
{
	double m = fmod(a, b);
	double q = (a - m) / b;
	if (m < 0) {
		q -= 1;
	}
	double f = floor(q);
	return q - f > 0.5 ? f + 1 : f;
}

static void pause_iterations(naive_simulation *sim, naive_instance *here)
{
	if (here->paused || tasks_in_batch(here, true) > 0) {
		return;
	}
	here->paused = true;
	naive_event *event = find_iteration_event(sim, here);
	double start = event->time - here->duration * (double)here->count;
	double elapsed = sim->now - start;
	int64_t done = (int64_t)floor_divide(elapsed, here->duration);
	if (done + 1 < here->count) {
		here->count = done + 1;
	}
	double remaining = here->duration * (double)here->count - elapsed;
	event->time = remaining > 0 ? sim->now + remaining : sim->now;
	event->sequence = sim->next_sequence++;
}

void submit_task(naive_simulation *sim, naive_task *task)
{
	naive_instance *here = task->instance;
	const naive_config *config = sim->config;
	if (first_task(here, task->request) == NULL) {
		pending_request_add(here, task->request);
	}
	task->state = TASK_QUEUED;
	pending_add(sim, here, task);
	if (task->is_prompt) {
		list_append(&here->pending_prompts, task);
	}
	if (here->batch.count == 0) {
		if (here->memory + task->memory <= here->limit) {
			start_iteration(sim, here);
		}
		return;
	}
	int64_t tokens = tokens_per_iteration(task);
	bool has_place = batch_size(here) < config->max_batch_size;
	if (config->kind != NAIVE_SPLITWISE) {
		if (has_place) {
			pause_iterations(sim, here);
		}
	} else if (has_place && here->batch_tokens + tokens <= config->max_batch_tokens) {
		pause_iterations(sim, here);
	} else if (task->is_prompt) {
		int64_t token_tasks = tasks_in_batch(here, false);
		if (token_tasks > 0 &&
		    here->batch_tokens - token_tasks + tokens <= config->max_batch_tokens) {
			pause_iterations(sim, here);
		}
	}
}

void transfer_left(naive_simulation *sim, naive_instance *source)
{
	const naive_config *config = sim->config;
	if (source->pending.count == 0) {
		return;
	}
	if (source->batch.count == 0) {
		const naive_task *task = source->pending.items[0];
		if (source->memory + task->memory <= source->limit) {
			start_iteration(sim, source);
		}
		return;
	}
	/* orca has no token limit. */
	if (batch_size(source) < config->max_batch_size &&
	    (config->kind == NAIVE_ORCA || source->batch_tokens < config->max_batch_tokens)) {
		pause_iterations(sim, source);
	}
}

static void leave(naive_simulation *sim, naive_instance *here, naive_task *task)
{
	here->sched_pending_tokens -= task->is_prompt ? task->request->input->prompt_tokens : 1;
	task->state = TASK_COMPLETED;
	task->completion = sim->now;
	batch_remove(sim, here, task);
	if (first_task(here, task->request) == NULL) {
		list_remove(&here->pending_requests, task->request);
	}
	task_completed(sim, task);
}

void complete_iterations(naive_simulation *sim, naive_instance *here)
{
	naive_list finished = {0};
	for (size_t i = 0; i < here->batch.count; i++) {
		naive_task *task = here->batch.items[i];
		task->tokens_left -= task->is_prompt ? task->chunk : here->count;
		assert(task->tokens_left >= 0);
		if (task->tokens_left == 0) {
			list_append(&finished, task);
		}
	}
	for (size_t i = 0; i < finished.count; i++) {
		leave(sim, here, finished.items[i]);
	}
	free(finished.items);
	here->paused = false;
	start_iteration(sim, here);
}
