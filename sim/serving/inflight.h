/*
 * Requests in flight and their tasks: one slab, indexed by 32-bit numbers, so that all of it can be
 * copied as it stands. Internal to the serving room.
 *
 * Request r has two tasks: 2r, its prompt task, and 2r + 1, its token task. A task carries the
 * links of every queue it can be in; only the pending queue has memory of its own.
 */
#ifndef WEIR_SERVING_INFLIGHT_H
#define WEIR_SERVING_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

/* No request, task or instance. */
#define WEIR_NONE UINT32_MAX

typedef enum weir_task_state {
	WEIR_TASK_ABSENT,  /* not yet arrived at an instance */
	WEIR_TASK_QUEUED,  /* pending, has never run */
	WEIR_TASK_BLOCKED, /* pending, preempted from a batch */
	WEIR_TASK_RUNNING, /* in the batch */
	WEIR_TASK_DONE
} weir_task_state;

typedef struct weir_task {
	int64_t need;   /* bytes it takes when it first runs; 0 once it has them */
	int64_t age;    /* times passed over; minus the instance's pass count while it ages */
	int32_t tokens; /* of one iteration: prompt size, or 1 */
	int32_t chunk;  /* tokens in the current iteration */

	uint32_t pending; /* its entry in the pending queue, see pending_queue.h */
	/* In the batch, the pending prompts or the blocked tasks: in one of them at most. */
	uint32_t previous, next;
	uint32_t heap_child, heap_sibling, heap_parent; /* waiting heap, see waiting_heap.h */
	uint32_t finish_position;                       /* in the instance's finish heap */
	uint64_t order;       /* of its request on this instance: equal arrivals keep it */
	double arrival;       /* of its request */
	int64_t remaining;    /* iterations left for a token task, tokens left for a prompt task; as of
	                         the start of its stay in the batch */
	int64_t context_end;  /* tokens of its KV cache when all its iterations are done */
	uint32_t preemptions; /* times put out of a batch */
	uint8_t state;        /* weir_task_state */
	bool first;           /* first of its request's tasks on its instance: it ages while it waits */
	bool waiting;         /* in the waiting heap */
	bool in_run;          /* of its run, not of its heap */
	bool selected;        /* joins the batch that is being selected */
} weir_task;

typedef enum weir_request_phase {
	WEIR_PHASE_FREE,
	WEIR_PHASE_AT_SCHEDULER,  /* waits for an ACTIVE instance */
	WEIR_PHASE_PROMPT,        /* its prompt task is pending or in a batch */
	WEIR_PHASE_TRANSFER_WAIT, /* its KV cache waits for memory at the destination */
	WEIR_PHASE_TRANSFER,      /* its KV cache is on the way */
	WEIR_PHASE_TOKEN          /* its token task is pending or in a batch */
} weir_request_phase;

typedef struct weir_inflight_request {
	double arrival;
	double prompt_start, prompt_end, token_start; /* NaN until then */
	double transfer_start;                        /* of the last transfer */
	int64_t id;
	uint64_t sequence; /* order of arrival */
	/* Bytes of its KV cache: taken by the prompt task, by the token task, and when it moves. */
	int64_t prompt_bytes, token_bytes, transfer_bytes;
	/* Bytes that it holds: on its prompt instance, on both during a transfer, on its token one. */
	int64_t memory;
	int32_t prompt_tokens, output_tokens;
	uint32_t application;
	/* Slots; WEIR_NONE: none yet, or it holds nothing there any more. */
	uint32_t prompt_instance, token_instance;
	uint32_t prompt_instance_id, token_instance_id; /* WEIR_NONE: none */
	uint32_t next;                                  /* free list, or queue at the scheduler */
	uint32_t failures, moves;   /* times that it began again after a failure; for another reason */
	weir_event_handle transfer; /* the event of its dedicated transfer or of its next try */
	uint32_t flow;              /* of its shared transfer */
	uint8_t phase;              /* weir_request_phase */
} weir_inflight_request;

typedef struct weir_inflight {
	weir_inflight_request *requests;
	weir_task *tasks;
	size_t request_capacity, task_capacity;
	uint32_t used; /* slots ever used */
	uint32_t first_free;
	uint32_t count, high_water;
} weir_inflight;

void weir_inflight_init(weir_inflight *inflight);
void weir_inflight_release(weir_inflight *inflight);

/* A slot with all fields of the request and its tasks at their start; WEIR_NONE when memory is out.
 */
uint32_t weir_inflight_take(weir_inflight *inflight);
/* The tasks of a request at their start, but for how often they have been preempted. */
void weir_inflight_reset_tasks(weir_inflight *inflight, uint32_t request);
void weir_inflight_give_back(weir_inflight *inflight, uint32_t request);

/* Makes `target` equal to `source`; false when memory is out. */
bool weir_inflight_copy(weir_inflight *target, const weir_inflight *source);

static inline uint32_t weir_prompt_task(uint32_t request)
{
	return 2 * request;
}

static inline uint32_t weir_token_task(uint32_t request)
{
	return 2 * request + 1;
}

static inline uint32_t weir_request_of(uint32_t task)
{
	return task / 2;
}

static inline bool weir_is_prompt(uint32_t task)
{
	return task % 2 == 0;
}

#endif
