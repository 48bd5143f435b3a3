/* What the controller needs to know and to tell of decisions that it cuts. */
#include <stdlib.h>

#include "scaling/manager_state.h"

void weir_manager_note_cut(weir_manager *manager, const char *actor, uint32_t application,
                           weir_tag tag, int64_t asked, int64_t done, weir_refusal reason)
{
	const weir_log_subject subject = {actor, application, tag, -1, -1};
	weir_manager_blocked(manager, &subject, reason, asked > 0, llabs(asked - done));
	weir_manager_row(manager, &subject, WEIR_SCALING_REFUSED, asked, done, reason);
}

weir_undoable weir_manager_undoable(const weir_manager *manager, uint32_t application, weir_tag tag)
{
	weir_undoable undoable = {0};
	for (uint32_t slot = 0; slot < manager->instance_slots; slot++) {
		const weir_managed_instance *instance = &manager->instances[slot];
		if (!instance->exists || instance->application != application || instance->tag != tag) {
			continue;
		}
		undoable.boots += manager->config->cancel_scale_up_first &&
		                  instance->state == WEIR_INSTANCE_SCALING_UP && !instance->flips;
		undoable.drains += manager->config->revive_draining_first &&
		                   instance->state == WEIR_INSTANCE_DRAINING &&
		                   instance->drain_end != WEIR_DRAIN_FLIP;
	}
	return undoable;
}
