/*
 * The requests of one instance whose first task is not in the batch, by arrival; equal arrivals in
 * the order in which they came to the instance. Internal.
 *
 * A pairing heap over the tasks' own links (Fredman, Sedgewick, Sleator, Tarjan 1986): push O(1),
 * first O(1), remove O(log n) amortised; nothing is allocated.
 */
#ifndef WEIR_SERVING_WAITING_HEAP_H
#define WEIR_SERVING_WAITING_HEAP_H

#include "serving/inflight.h"

typedef struct weir_waiting_heap {
	uint32_t root; /* the first task; WEIR_NONE: empty */
	uint32_t count;
} weir_waiting_heap;

void weir_waiting_push(weir_waiting_heap *heap, weir_task *tasks, uint32_t task);
void weir_waiting_remove(weir_waiting_heap *heap, weir_task *tasks, uint32_t task);

#endif
