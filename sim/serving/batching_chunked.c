/*
 * chunked: prompts are split so that every iteration stays within a token budget and token tasks
 * never wait for them (chunked prefill; Agrawal et al., "Taming Throughput-Latency Tradeoff in LLM
 * Inference with Sarathi-Serve", OSDI 2024). Never preempts.
 *
 * At most one prompt is unfinished at the end of an iteration: nothing joins behind one that got
 * less than it needs.
 */
#include <assert.h>

#include "serving/instance.h"

static void select_batch(weir_instance *instance, const weir_instance_config *config,
                         weir_task *tasks, weir_selection *selection)
{
	selection->kept = instance->batch.count;
	selection->tokens = (int64_t)instance->batch.count - instance->prompts_in_batch;
	if (instance->partial_prompt != WEIR_NONE) {
		weir_task *partial = &tasks[instance->partial_prompt];
		/* It took all that was left; since then token tasks have left the batch, none has joined.
		 */
		int64_t left = config->max_batch_tokens - selection->tokens;
		assert(left > 0);
		partial->chunk = (int32_t)(left < partial->remaining ? left : partial->remaining);
		selection->tokens += partial->chunk;
	}
	while (weir_selection_size(selection) < config->max_batch_size &&
	       selection->tokens < config->max_batch_tokens) {
		uint32_t task = weir_waiting_first(&instance->waiting, tasks);
		if (task == WEIR_NONE || selection->memory + tasks[task].need > instance->memory_limit) {
			break;
		}
		int64_t left = config->max_batch_tokens - selection->tokens;
		weir_waiting_remove(&instance->waiting, tasks, task);
		weir_select(selection, tasks, task, left < tasks[task].tokens ? left : tasks[task].tokens);
	}
}

static bool interrupts(const weir_instance *instance, const weir_instance_config *config,
                       const weir_task *task, bool is_prompt)
{
	(void)task;
	(void)is_prompt;
	return instance->batch.count < config->max_batch_size;
}

static bool has_room(const weir_instance *instance, const weir_instance_config *config)
{
	return instance->batch.count < config->max_batch_size &&
	       instance->limit_tokens < config->max_batch_tokens;
}

const weir_batching weir_batching_chunked = {
    .name = "chunked",
    .select = select_batch,
    .interrupts = interrupts,
    .has_room = has_room,
};
