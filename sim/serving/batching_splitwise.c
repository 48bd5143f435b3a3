/*
 * splitwise: prompts first, within a token limit; token tasks are preempted for them, but not more
 * than max_preemptions times in a row. The stages and their order are those of SplitwiseSim.
 */
#include "serving/instance.h"

static bool is_full(const weir_selection *selection, const weir_instance_config *config)
{
	return weir_selection_size(selection) >= config->max_batch_size;
}

/* A batch of one may exceed the token limit. */
static bool is_too_much(const weir_selection *selection, int64_t tokens,
                        const weir_instance_config *config)
{
	return weir_selection_size(selection) > 0 &&
	       selection->tokens + tokens > config->max_batch_tokens;
}

static bool fits(const weir_selection *selection, const weir_task *task,
                 const weir_instance *instance)
{
	return task->state == WEIR_TASK_BLOCKED ||
	       selection->memory + task->need <= instance->memory_limit;
}

/* Tasks passed over too often, in the order of the pending queue, up to the first that was not. */
static void select_starved(weir_instance *instance, const weir_instance_config *config,
                           weir_task *tasks, weir_selection *selection)
{
	if (weir_pending_head_is_young(&instance->pending, instance->passes, config->max_preemptions)) {
		return;
	}
	uint32_t position = 0;
	while (!is_full(selection, config)) {
		int64_t bytes_free = instance->memory_limit - selection->memory;
		const weir_pending_query query = {
		    .passes = instance->passes,
		    .young = config->max_preemptions,
		    .bytes_free = bytes_free > 0 ? bytes_free : 0,
		    .tokens_left = weir_selection_size(selection) > 0
		                       ? config->max_batch_tokens - selection->tokens
		                       : INT64_MAX,
		};
		uint32_t task = weir_pending_find(&instance->pending, position, &query, &position);
		if (task == WEIR_NONE ||
		    weir_task_age(&tasks[task], instance->passes) < config->max_preemptions ||
		    is_too_much(selection, tasks[task].tokens, config)) {
			break;
		}
		weir_select(selection, tasks, task, tasks[task].tokens);
		position++;
	}
}

static void select_prompts(const weir_instance *instance, const weir_instance_config *config,
                           weir_task *tasks, weir_selection *selection)
{
	for (uint32_t task = instance->pending_prompts.first; task != WEIR_NONE;
	     task = tasks[task].next) {
		if (is_full(selection, config) || is_too_much(selection, tasks[task].tokens, config)) {
			break;
		}
		if (tasks[task].selected) {
			continue;
		}
		if (!fits(selection, &tasks[task], instance)) {
			break;
		}
		weir_select(selection, tasks, task, tasks[task].tokens);
	}
}

static void select_blocked(const weir_instance *instance, const weir_instance_config *config,
                           weir_task *tasks, weir_selection *selection)
{
	for (uint32_t task = instance->blocked.first; task != WEIR_NONE; task = tasks[task].next) {
		if (is_full(selection, config) || is_too_much(selection, tasks[task].tokens, config)) {
			break;
		}
		if (!tasks[task].selected) {
			weir_select(selection, tasks, task, tasks[task].tokens);
		}
	}
}

/* The old batch holds token tasks only, of one token each: as many stay as the limits allow. */
static void keep_old(const weir_instance *instance, const weir_instance_config *config,
                     weir_selection *selection)
{
	int64_t room = config->max_batch_size - weir_selection_size(selection);
	int64_t tokens_left = config->max_batch_tokens - selection->tokens;
	room = tokens_left < room ? tokens_left : room;
	room = room > 0 ? room : 0;
	selection->kept =
	    room < (int64_t)instance->batch.count ? (uint32_t)room : instance->batch.count;
	selection->tokens += selection->kept;
}

static void select_waiting(weir_instance *instance, const weir_instance_config *config,
                           weir_task *tasks, weir_selection *selection)
{
	while (instance->waiting.count > 0 && !is_full(selection, config)) {
		uint32_t task = weir_waiting_first(&instance->waiting, tasks);
		if (!tasks[task].selected) {
			if (is_too_much(selection, tasks[task].tokens, config) ||
			    !fits(selection, &tasks[task], instance)) {
				break;
			}
			weir_select(selection, tasks, task, tasks[task].tokens);
		}
		weir_waiting_remove(&instance->waiting, tasks, task);
	}
}

static void select_batch(weir_instance *instance, const weir_instance_config *config,
                         weir_task *tasks, weir_selection *selection)
{
	if (weir_pending_count(&instance->pending) == 0) {
		keep_old(instance, config, selection);
		return;
	}
	select_starved(instance, config, tasks, selection);
	select_prompts(instance, config, tasks, selection);
	select_blocked(instance, config, tasks, selection);
	keep_old(instance, config, selection);
	/* When a limit kept part of the old batch out, it keeps out whatever waits as well. */
	if (selection->kept == instance->batch.count) {
		select_waiting(instance, config, tasks, selection);
	}
}

static bool interrupts(const weir_instance *instance, const weir_instance_config *config,
                       const weir_task *task, bool is_prompt)
{
	if (instance->batch.count < config->max_batch_size &&
	    instance->limit_tokens + task->tokens <= config->max_batch_tokens) {
		return true;
	}
	/* A prompt may take the place of token tasks. */
	int64_t token_tasks = (int64_t)instance->batch.count - instance->prompts_in_batch;
	return is_prompt && token_tasks > 0 &&
	       instance->limit_tokens - token_tasks + task->tokens <= config->max_batch_tokens;
}

static bool has_room(const weir_instance *instance, const weir_instance_config *config)
{
	return instance->batch.count < config->max_batch_size &&
	       instance->limit_tokens < config->max_batch_tokens;
}

const weir_batching weir_batching_splitwise = {
    .name = "splitwise",
    .select = select_batch,
    .interrupts = interrupts,
    .has_room = has_room,
    .orders_pending = true,
};
