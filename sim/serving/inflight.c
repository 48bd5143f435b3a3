#include "serving/inflight.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void weir_inflight_init(weir_inflight *inflight)
{
	*inflight = (weir_inflight){.first_free = WEIR_NONE};
}

void weir_inflight_release(weir_inflight *inflight)
{
	free(inflight->requests);
	free(inflight->tasks);
	weir_inflight_init(inflight);
}

/* A slot is set as a whole when it is taken. */
static bool reserve(weir_inflight *inflight, size_t requests)
{
	return weir_reserve_raw((void **)&inflight->requests, &inflight->request_capacity, requests,
	                        sizeof *inflight->requests) &&
	       weir_reserve_raw((void **)&inflight->tasks, &inflight->task_capacity, 2 * requests,
	                        sizeof *inflight->tasks);
}

static void reset_task(weir_task *task)
{
	*task = (weir_task){
	    .pending = WEIR_NONE,
	    .previous = WEIR_NONE,
	    .next = WEIR_NONE,
	    .heap_child = WEIR_NONE,
	    .heap_sibling = WEIR_NONE,
	    .heap_parent = WEIR_NONE,
	    .finish_position = WEIR_NONE,
	};
}

uint32_t weir_inflight_take(weir_inflight *inflight)
{
	uint32_t slot = inflight->first_free;
	if (slot != WEIR_NONE) {
		inflight->first_free = inflight->requests[slot].next;
	} else {
		/* Task numbers are twice as large and WEIR_NONE is taken. */
		if (inflight->used >= WEIR_NONE / 2 || !reserve(inflight, (size_t)inflight->used + 1)) {
			return WEIR_NONE;
		}
		slot = inflight->used++;
	}
	inflight->requests[slot] = (weir_inflight_request){
	    .prompt_start = NAN,
	    .prompt_end = NAN,
	    .token_start = NAN,
	    .prompt_instance = WEIR_NONE,
	    .token_instance = WEIR_NONE,
	    .prompt_instance_id = WEIR_NONE,
	    .token_instance_id = WEIR_NONE,
	    .next = WEIR_NONE,
	};
	reset_task(&inflight->tasks[weir_prompt_task(slot)]);
	reset_task(&inflight->tasks[weir_token_task(slot)]);
	inflight->count++;
	if (inflight->count > inflight->high_water) {
		inflight->high_water = inflight->count;
	}
	return slot;
}

void weir_inflight_reset_tasks(weir_inflight *inflight, uint32_t request)
{
	uint32_t preemptions = inflight->tasks[weir_token_task(request)].preemptions;
	reset_task(&inflight->tasks[weir_prompt_task(request)]);
	reset_task(&inflight->tasks[weir_token_task(request)]);
	inflight->tasks[weir_token_task(request)].preemptions = preemptions;
}

void weir_inflight_give_back(weir_inflight *inflight, uint32_t request)
{
	inflight->requests[request].phase = WEIR_PHASE_FREE;
	inflight->requests[request].next = inflight->first_free;
	inflight->first_free = request;
	inflight->count--;
}

bool weir_inflight_copy(weir_inflight *target, const weir_inflight *source)
{
	if (!reserve(target, source->used)) {
		return false;
	}
	if (source->used > 0) {
		memcpy(target->requests, source->requests, source->used * sizeof *source->requests);
		memcpy(target->tasks, source->tasks, 2 * (size_t)source->used * sizeof *source->tasks);
	}
	target->used = source->used;
	target->first_free = source->first_free;
	target->count = source->count;
	target->high_water = source->high_water;
	return true;
}
