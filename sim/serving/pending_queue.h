/*
 * The pending tasks of one instance, in the order in which the reference keeps them. Internal.
 *
 * A task is inserted where a bisection by (times passed over, arrival) ends. The times passed over
 * of tasks already in the list change later without the list being sorted again, so it is in no
 * order that a search could use: the bisection must probe the very positions that it would probe in
 * an array, in the list as it stood at the time. The list is a tree by position (pending_tree.h).
 * Tasks that wait as the first of their request all age by one at every iteration start: their age
 * is kept relative to the instance's pass count, so that aging costs nothing.
 *
 * In overload whole batches are preempted and most of them are back in the batch at the next
 * iteration start. So a preempted task is not placed at once: it goes to a log, as does what is
 * removed after it, and the log is played back in its order when somebody wants to know a position.
 * When all that the log put in has left again, only its removals are carried out. What every
 * iteration start asks, whether the head of the list is young, can mostly be told without playback.
 *
 * Cost: that of the tree at most, O(log n) probes of O(log n); a task that returns to the batch
 * unseen O(1).
 */
#ifndef WEIR_SERVING_PENDING_QUEUE_H
#define WEIR_SERVING_PENDING_QUEUE_H

#include "serving/inflight.h"
#include "serving/pending_tree.h"

typedef struct weir_pending_change {
	int64_t passes; /* of the instance when a task was put back */
	uint32_t entry;
	bool removal;
} weir_pending_change;

typedef struct weir_pending_queue {
	weir_pending_tree tree; /* as it stood before the log */
	weir_pending_change *log;
	size_t log_capacity;
	uint32_t log_count;
	uint32_t unplaced; /* entries that the log puts in and does not remove: 0 when it is empty */
	/* While there is a log: the tree's first entry, or WEIR_NONE when the log removes it; and the
	 * greatest age of what may now be in front of it, and of itself. */
	uint32_t head;
	int64_t head_age;
	uint32_t count;
	bool out_of_memory; /* sticky; the queue then does nothing and holds nothing */
} weir_pending_queue;

/* Times that a pending task has been passed over, given the instance's pass count. */
static inline int64_t weir_task_age(const weir_task *task, int64_t passes)
{
	return task->first ? task->age + passes : task->age;
}

static inline uint32_t weir_pending_count(const weir_pending_queue *queue)
{
	return queue->count;
}

void weir_pending_init(weir_pending_queue *queue);
/* Takes everything out and keeps the memory. */
void weir_pending_clear(weir_pending_queue *queue);
void weir_pending_release(weir_pending_queue *queue);
/* Makes `target`, which is initialised, equal to `source`; false when memory is out. */
bool weir_pending_copy(weir_pending_queue *target, const weir_pending_queue *source);

/*
 * Adds a task, by bisection. A task that does not age must have been passed over 0 times. Memory
 * may run out here and wherever the log is played back: see `out_of_memory`.
 */
void weir_pending_insert(weir_pending_queue *queue, weir_task *tasks, uint32_t task,
                         int64_t passes);
/* The same for a task that ages and is likely to leave before anybody asks for its position. */
void weir_pending_put_back(weir_pending_queue *queue, weir_task *tasks, uint32_t task,
                           int64_t passes);
/* At the end, whatever its age. */
void weir_pending_append(weir_pending_queue *queue, weir_task *tasks, uint32_t task);
void weir_pending_remove(weir_pending_queue *queue, weir_task *tasks, uint32_t task);

/* A pending task that did not age is now the first of its request's and ages from 0. */
void weir_pending_start_aging(weir_pending_queue *queue, weir_task *tasks, uint32_t task,
                              int64_t passes);

/*
 * True when the first task has been passed over less than `young` times; false when it has not, or
 * when that could be told only by playback. O(1).
 */
static inline bool weir_pending_head_is_young(const weir_pending_queue *queue, int64_t passes,
                                              int64_t young)
{
	int64_t age = queue->head_age > -passes ? queue->head_age + passes : 0;
	return queue->log_count > 0 && queue->head != WEIR_NONE && age < young;
}

/* The first task; WEIR_NONE when empty. */
uint32_t weir_pending_first(weir_pending_queue *queue);

/*
 * The first task at or after position `from` that is young, needs at most bytes_free, or has more
 * than tokens_left tokens; WEIR_NONE when there is none. *position is its place.
 */
uint32_t weir_pending_find(weir_pending_queue *queue, uint32_t from,
                           const weir_pending_query *query, uint32_t *position);

#endif
