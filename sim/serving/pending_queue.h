/*
 * The pending tasks of one instance, in the order in which the reference keeps them. Internal.
 *
 * A task is inserted where a bisection by (times passed over, arrival) ends. The times passed over
 * of tasks already in the list change later without the list being sorted again, so it is in no
 * order that a search tree could use: the bisection must probe the very positions that it would
 * probe in an array. The queue is a treap by position (order-statistic tree) over the tasks' own
 * links. Tasks that wait as the first of their request all age by one at every iteration start:
 * their age is kept relative to the instance's pass count, so that aging costs nothing.
 *
 * Cost: insert O(log^2 n) probes in the worst case, O(log n) in the mean; the rest O(log n).
 */
#ifndef WEIR_SERVING_PENDING_QUEUE_H
#define WEIR_SERVING_PENDING_QUEUE_H

#include "serving/inflight.h"

typedef struct weir_pending_queue {
	uint32_t root; /* WEIR_NONE: empty */
} weir_pending_queue;

/* Times that a pending task has been passed over, given the instance's pass count. */
static inline int64_t weir_task_age(const weir_task *task, int64_t passes)
{
	return task->first ? task->age + passes : task->age;
}

static inline uint32_t weir_pending_count(const weir_pending_queue *queue, const weir_task *tasks)
{
	return queue->root == WEIR_NONE ? 0 : tasks[queue->root].subtree;
}

void weir_pending_insert(weir_pending_queue *queue, weir_task *tasks, uint32_t task,
                         int64_t passes);
/* At the end, whatever its age. */
void weir_pending_append(weir_pending_queue *queue, weir_task *tasks, uint32_t task);
void weir_pending_remove(weir_pending_queue *queue, weir_task *tasks, uint32_t task);

/* After a pending task's need, age or first changed. */
void weir_pending_refresh(weir_task *tasks, uint32_t task);

/* The first task; WEIR_NONE when empty. */
uint32_t weir_pending_first(const weir_pending_queue *queue, const weir_task *tasks);

/* What ends or feeds a walk over the queue. */
typedef struct weir_pending_query {
	int64_t passes;      /* the instance's pass count */
	int64_t young;       /* a task passed over less often than this ends the walk */
	int64_t bytes_free;  /* a task that needs no more joins */
	int64_t tokens_left; /* a task of more tokens ends the walk */
} weir_pending_query;

/*
 * The first task at or after position `from` that is young, needs at most bytes_free, or has more
 * than tokens_left tokens; WEIR_NONE when there is none. *position is its place.
 */
uint32_t weir_pending_find(const weir_pending_queue *queue, const weir_task *tasks, uint32_t from,
                           const weir_pending_query *query, uint32_t *position);

#endif
