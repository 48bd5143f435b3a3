/* orca: keep the batch, add in order of arrival while memory lasts; no token limit, no preemption.
 */
#include "serving/instance.h"

static void select_batch(weir_instance *instance, const weir_instance_config *config,
                         weir_task *tasks, weir_selection *selection)
{
	selection->kept = instance->batch.count;
	while (weir_selection_size(selection) < config->max_batch_size) {
		uint32_t task = weir_waiting_first(&instance->waiting, tasks);
		if (task == WEIR_NONE || selection->memory + tasks[task].need > instance->memory_limit) {
			break;
		}
		weir_waiting_remove(&instance->waiting, tasks, task);
		weir_select(selection, tasks, task, tasks[task].tokens);
	}
	/* The kind has no token limit, so it counts none. */
	selection->tokens = 0;
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
	return instance->batch.count < config->max_batch_size;
}

const weir_batching weir_batching_orca = {
    .name = "orca",
    .select = select_batch,
    .interrupts = interrupts,
    .has_room = has_room,
};
