/*
 * The requests of one instance whose first task is not in the batch, by arrival; equal arrivals in
 * the order in which they came to the instance. Internal.
 *
 * Most come in order: they form a run, a list that is appended to. What comes out of order (token
 * tasks whose KV cache took its time) goes to a pairing heap (Fredman, Sedgewick, Sleator, Tarjan
 * 1986). Both use the tasks' own links; nothing is allocated. Cost: push and first O(1), remove
 * O(1) from the run, O(log n) amortised from the heap.
 */
#ifndef WEIR_SERVING_WAITING_HEAP_H
#define WEIR_SERVING_WAITING_HEAP_H

#include "serving/inflight.h"

typedef struct weir_waiting_heap {
	uint32_t root;                /* of the heap; WEIR_NONE: empty */
	uint32_t run_first, run_last; /* WEIR_NONE: empty */
	uint32_t count;               /* of both */
} weir_waiting_heap;

void weir_waiting_init(weir_waiting_heap *heap);

/* The first task; WEIR_NONE when there is none. */
uint32_t weir_waiting_first(const weir_waiting_heap *heap, const weir_task *tasks);

void weir_waiting_push(weir_waiting_heap *heap, weir_task *tasks, uint32_t task);
void weir_waiting_remove(weir_waiting_heap *heap, weir_task *tasks, uint32_t task);

#endif
