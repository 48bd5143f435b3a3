/* Operations on several instances of a pool, and which of them are taken. */
#include <assert.h>
#include <stdlib.h>

#include "scaling/manager_state.h"

/* By load, then by id. */
static int compare(const void *a, const void *b)
{
	const weir_candidate *x = a;
	const weir_candidate *y = b;
	if (x->load != y->load) {
		return x->load < y->load ? -1 : 1;
	}
	return (x->instance.id > y->instance.id) - (x->instance.id < y->instance.id);
}

/* Prompt instances are free when little is left to prompt; the others when little KV cache is held
 * or promised. These are serving's own books, exact under every scheduler. */
static int64_t load_of(const weir_manager *manager, uint32_t slot, weir_tag tag)
{
	weir_instance_view view;
	bool exists = weir_serving_instance(manager->serving, slot, &view);
	assert(exists);
	(void)exists;
	return tag == WEIR_TAG_PROMPT ? view.pending_prompt_tokens
	                              : view.memory_promised - view.weights;
}

static bool is_of(const weir_managed_instance *instance, uint32_t application, weir_tag tag,
                  int32_t type)
{
	return instance->exists && instance->application == application && instance->tag == tag &&
	       (type == WEIR_ANY_TYPE || instance->type == (uint32_t)type);
}

/* The ACTIVE instances of a pool into `pick`, least loaded first. Draining one moves no request, so
 * the order holds while they are taken one after the other. */
static size_t least_loaded(weir_manager *manager, uint32_t application, weir_tag tag, int32_t type)
{
	size_t count = 0;
	for (uint32_t slot = 0; slot < manager->instance_slots; slot++) {
		const weir_managed_instance *instance = &manager->instances[slot];
		if (is_of(instance, application, tag, type) && instance->state == WEIR_INSTANCE_ACTIVE) {
			manager->pick[count++] =
			    (weir_candidate){load_of(manager, slot, tag), {slot, instance->id}};
		}
	}
	qsort(manager->pick, count, sizeof *manager->pick, compare);
	return count;
}

/* The boot that would end last, of these the youngest instance: it has cost least so far. */
static bool latest_boot(const weir_manager *manager, uint32_t application, weir_tag tag,
                        int32_t type, weir_instance_handle *handle)
{
	const weir_managed_instance *best = NULL;
	for (uint32_t slot = 0; slot < manager->instance_slots; slot++) {
		const weir_managed_instance *instance = &manager->instances[slot];
		if (is_of(instance, application, tag, type) &&
		    instance->state == WEIR_INSTANCE_SCALING_UP && !instance->flips &&
		    (best == NULL || instance->ready_at > best->ready_at ||
		     (instance->ready_at == best->ready_at && instance->id > best->id))) {
			best = instance;
			*handle = (weir_instance_handle){slot, instance->id};
		}
	}
	return best != NULL;
}

/* The drain for removal that began last; one that is promised to another pool, or whose server will
 * be lost, is not taken back. */
static bool latest_drain(const weir_manager *manager, uint32_t application, weir_tag tag,
                         int32_t type, weir_instance_handle *handle)
{
	const weir_managed_instance *best = NULL;
	for (uint32_t slot = 0; slot < manager->instance_slots; slot++) {
		const weir_managed_instance *instance = &manager->instances[slot];
		if (is_of(instance, application, tag, type) && instance->state == WEIR_INSTANCE_DRAINING &&
		    instance->drain_end != WEIR_DRAIN_FLIP && instance->drain_end != WEIR_DRAIN_PREEMPTED &&
		    (best == NULL || instance->drain_order > best->drain_order)) {
			best = instance;
			*handle = (weir_instance_handle){slot, instance->id};
		}
	}
	return best != NULL;
}

static weir_resize_result grow(weir_manager *manager, const char *actor, uint32_t application,
                               weir_tag tag, int32_t type, int64_t wanted)
{
	weir_resize_result result = {.reason = WEIR_REFUSED_NONE};
	weir_instance_handle instance;
	while (manager->config->revive_draining_first && result.done < wanted &&
	       latest_drain(manager, application, tag, type, &instance)) {
		if (!weir_manager_revive(manager, actor, instance)) {
			result.reason = WEIR_REFUSED_NOTHING_LEFT;
			return result;
		}
		result.done++;
	}
	while (result.done < wanted) {
		int32_t own = type;
		result.reason = weir_manager_may_grow(manager, application, tag, &own);
		if (result.reason != WEIR_REFUSED_NONE) {
			break;
		}
		if (!weir_manager_start_full(manager, actor, application, tag, (uint32_t)own, &instance)) {
			result.reason = WEIR_REFUSED_NOTHING_LEFT;
			break;
		}
		result.done++;
	}
	return result;
}

/* Drains up to `wanted` of the least loaded; to flip when `end` says so. */
static weir_resize_result drain_least(weir_manager *manager, const char *actor,
                                      uint32_t application, weir_tag tag, int32_t type,
                                      int64_t wanted, weir_drain_end end, weir_tag target)
{
	weir_resize_result result = {.reason = WEIR_REFUSED_NONE};
	if (wanted <= 0) {
		return result;
	}
	size_t count = least_loaded(manager, application, tag, type);
	for (size_t i = 0; result.done < wanted; i++) {
		result.reason = weir_manager_may_shrink(manager, application, tag);
		if (result.reason == WEIR_REFUSED_NONE && i == count) {
			result.reason = WEIR_REFUSED_NOTHING_LEFT;
		}
		if (result.reason != WEIR_REFUSED_NONE) {
			break;
		}
		if (!weir_manager_drain(manager, actor, manager->pick[i].instance, end, target)) {
			result.reason = WEIR_REFUSED_NOTHING_LEFT;
			break;
		}
		result.done++;
	}
	return result;
}

static weir_resize_result shrink(weir_manager *manager, const char *actor, uint32_t application,
                                 weir_tag tag, int32_t type, int64_t wanted)
{
	int64_t cancelled = 0;
	weir_instance_handle instance;
	while (manager->config->cancel_scale_up_first && cancelled < wanted &&
	       latest_boot(manager, application, tag, type, &instance)) {
		weir_manager_cancel_boot(manager, actor, instance);
		cancelled++;
	}
	weir_resize_result result = drain_least(manager, actor, application, tag, type,
	                                        wanted - cancelled, WEIR_DRAIN_REMOVE_FULL, tag);
	result.done += cancelled;
	return result;
}

weir_resize_result weir_manager_resize(weir_manager *manager, const char *actor,
                                       uint32_t application, weir_tag tag, int32_t type,
                                       int64_t delta)
{
	weir_resize_result result = {.reason = WEIR_REFUSED_NONE};
	const weir_log_subject subject = {actor, application, tag, -1, -1};
	if (delta == 0) {
		return result;
	}
	if (!weir_manager_has_pool(manager, application, tag)) {
		result.reason = WEIR_REFUSED_NO_POOL;
	} else if (type < WEIR_ANY_TYPE ||
	           type >= (int64_t)manager->cluster->applications[application].type_count) {
		result.reason = WEIR_REFUSED_NO_TYPE;
	} else if (delta > 0) {
		result = grow(manager, actor, application, tag, type, delta);
	} else {
		result = shrink(manager, actor, application, tag, type, -delta);
		result.done = -result.done;
	}
	weir_manager_row(manager, &subject, WEIR_SCALING_RESIZE, delta, result.done, result.reason);
	if (result.reason != WEIR_REFUSED_NONE) {
		weir_manager_blocked(manager, &subject, result.reason, delta > 0,
		                     llabs(delta - result.done));
	}
	return result;
}

weir_resize_result weir_manager_migrate(weir_manager *manager, const char *actor,
                                        uint32_t application, weir_tag from, weir_tag to,
                                        int64_t count)
{
	weir_resize_result result = {.reason = WEIR_REFUSED_NONE};
	assert(count >= 0);
	if (count == 0) {
		return result;
	}
	if (!weir_manager_has_pool(manager, application, from) ||
	    !weir_manager_has_pool(manager, application, to)) {
		result.reason = WEIR_REFUSED_NO_POOL;
	} else if (from == to) {
		result.reason = WEIR_REFUSED_SAME_POOL;
	} else {
		result = drain_least(manager, actor, application, from, WEIR_ANY_TYPE, count,
		                     WEIR_DRAIN_FLIP, to);
	}
	const weir_log_subject gains = {actor, application, to, -1, -1};
	weir_manager_row(manager, &gains, WEIR_SCALING_MIGRATE, count, result.done, result.reason);
	if (result.reason != WEIR_REFUSED_NONE) {
		const weir_log_subject loses = {actor, application, from, -1, -1};
		weir_manager_blocked(manager, &loses, result.reason, false, count - result.done);
	}
	return result;
}
