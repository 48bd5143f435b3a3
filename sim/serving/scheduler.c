#include "serving/scheduler.h"

#include <assert.h>
#include <string.h>

#include "base/random.h"
#include "serving/serving_state.h"

const weir_scheduler_type *const weir_scheduler_types[] = {
    &weir_scheduler_random,
    &weir_scheduler_round_robin,
    &weir_scheduler_jsq,
    &weir_scheduler_token_jsq,
    &weir_scheduler_kv_round_robin,
    &weir_scheduler_kv_jsq,
    &weir_scheduler_kv_token_jsq,
    &weir_scheduler_overlap_kv_jsq,
    &weir_scheduler_overlap_kv_token_jsq,
    &weir_scheduler_mixed_pool,
};

bool weir_scheduler_init(weir_scheduler *scheduler, const weir_scheduler_config *config,
                         uint64_t seed, uint64_t application)
{
	*scheduler = (weir_scheduler){.type = weir_scheduler_types[config->kind], .config = config};
	assert(strcmp(scheduler->type->name, weir_scheduler_names[config->kind]) == 0);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		weir_list_init(&scheduler->lists[tag], scheduler->type->figures);
	}
	if (scheduler->type == &weir_scheduler_random) {
		scheduler->stream = weir_stream_create(seed, "scheduler", application);
		return scheduler->stream != NULL;
	}
	return true;
}

void weir_scheduler_release(weir_scheduler *scheduler)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		weir_list_release(&scheduler->lists[tag]);
	}
	gsl_rng_free(scheduler->stream);
	scheduler->stream = NULL;
}

bool weir_scheduler_copy(weir_scheduler *target, const weir_scheduler *source)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (!weir_list_copy(&target->lists[tag], &source->lists[tag])) {
			return false;
		}
	}
	target->no_prompt_candidate = source->no_prompt_candidate;
	target->no_token_candidate = source->no_token_candidate;
	if (source->stream != NULL) {
		gsl_rng_memcpy(target->stream, source->stream);
	}
	return true;
}

static void append(weir_serving *serving, weir_scheduler *scheduler, weir_instance *instance,
                   weir_tag list)
{
	instance->list = list;
	weir_list_append(&scheduler->lists[list], serving->entries, instance->slot);
}

bool weir_scheduler_add(weir_serving *serving, weir_scheduler *scheduler, weir_instance *instance)
{
	/* Room in every list, so that a later move cannot fail. */
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (!weir_list_reserve(&scheduler->lists[tag], serving->instance_slots)) {
			return false;
		}
	}
	append(serving, scheduler, instance,
	       scheduler->type->uses_pools ? instance->tag : WEIR_TAG_MIXED);
	return true;
}

void weir_scheduler_remove(weir_serving *serving, weir_scheduler *scheduler,
                           weir_instance *instance)
{
	weir_list_remove(&scheduler->lists[instance->list], serving->entries, instance->slot);
	instance->list = instance->tag;
}

void weir_scheduler_move(weir_serving *serving, weir_scheduler *scheduler, weir_instance *instance,
                         weir_tag list)
{
	weir_list_remove(&scheduler->lists[instance->list], serving->entries, instance->slot);
	append(serving, scheduler, instance, list);
}
