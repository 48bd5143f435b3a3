#include "serving/pending_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A longer log would cost more memory than it saves time. */
enum { LOG_LIMIT = 4096 };

void weir_pending_init(weir_pending_queue *queue)
{
	*queue = (weir_pending_queue){.head = WEIR_NONE};
	weir_pending_tree_init(&queue->tree);
}

void weir_pending_clear(weir_pending_queue *queue)
{
	weir_pending_tree_clear(&queue->tree);
	queue->head = WEIR_NONE;
	queue->count = queue->log_count = queue->unplaced = 0;
}

void weir_pending_release(weir_pending_queue *queue)
{
	weir_pending_tree_release(&queue->tree);
	free(queue->log);
	weir_pending_init(queue);
}

bool weir_pending_copy(weir_pending_queue *target, const weir_pending_queue *source)
{
	if (!weir_pending_tree_copy(&target->tree, &source->tree) ||
	    !weir_reserve((void **)&target->log, &target->log_capacity, source->log_count,
	                  sizeof *target->log)) {
		return false;
	}
	if (source->log_count > 0) {
		memcpy(target->log, source->log, source->log_count * sizeof *source->log);
	}
	target->log_count = source->log_count;
	target->unplaced = source->unplaced;
	target->head = source->head;
	target->head_age = source->head_age;
	target->count = source->count;
	target->out_of_memory = source->out_of_memory;
	return true;
}

/* After this the queue is empty and stays so. */
static void give_up(weir_pending_queue *queue)
{
	queue->out_of_memory = true;
	queue->count = queue->log_count = 0;
}

/* Carries out the log. */
static void play_back(weir_pending_queue *queue)
{
	weir_pending_tree *tree = &queue->tree;
	/* What was put in after the last task that is still there made no difference to any. */
	uint32_t placed = queue->unplaced > 0 ? queue->log_count : 0;
	while (placed > 0 &&
	       (queue->log[placed - 1].removal ||
	        weir_pending_entry_at(tree, queue->log[placed - 1].entry)->task == WEIR_NONE)) {
		placed--;
	}
	for (uint32_t i = 0; i < queue->log_count; i++) {
		const weir_pending_change *change = &queue->log[i];
		if (change->removal) {
			if (weir_pending_entry_at(tree, change->entry)->leaf != WEIR_NONE) {
				weir_pending_tree_remove(tree, change->entry);
			}
			weir_pending_entry_give_back(tree, change->entry);
		} else if (i < placed && !weir_pending_tree_insert(tree, change->entry, change->passes)) {
			give_up(queue);
			return;
		}
	}
	queue->log_count = 0;
	queue->unplaced = 0;
}

static void log_change(weir_pending_queue *queue, weir_pending_change change)
{
	if (!weir_reserve((void **)&queue->log, &queue->log_capacity, (size_t)queue->log_count + 1,
	                  sizeof *queue->log)) {
		give_up(queue);
		return;
	}
	queue->log[queue->log_count++] = change;
	if (queue->unplaced == 0 || queue->log_count == LOG_LIMIT) {
		play_back(queue);
	}
}

/* An entry for a task; WEIR_NONE, and the queue has given up, when memory is out. */
static uint32_t make_entry(weir_pending_queue *queue, weir_task *tasks, uint32_t task)
{
	uint32_t number = weir_pending_entry_take(&queue->tree);
	if (number == WEIR_NONE) {
		give_up(queue);
		return WEIR_NONE;
	}
	weir_task *added = &tasks[task];
	weir_pending_entry *entry = weir_pending_entry_at(&queue->tree, number);
	assert(added->first || added->age == 0);
	entry->task = task;
	entry->key.age = added->first ? added->age : WEIR_NEVER_PASSED_OVER;
	entry->key.arrival = added->arrival;
	entry->need = added->need;
	entry->tokens = added->tokens;
	added->pending = number;
	queue->count++;
	return number;
}

/* Of a task that comes from elsewhere; what is in the log came before. */
static uint32_t add(weir_pending_queue *queue, weir_task *tasks, uint32_t task)
{
	if (queue->log_count > 0) {
		play_back(queue);
	}
	return queue->out_of_memory ? WEIR_NONE : make_entry(queue, tasks, task);
}

void weir_pending_insert(weir_pending_queue *queue, weir_task *tasks, uint32_t task, int64_t passes)
{
	uint32_t entry = add(queue, tasks, task);
	if (entry != WEIR_NONE && !weir_pending_tree_insert(&queue->tree, entry, passes)) {
		give_up(queue);
	}
}

void weir_pending_append(weir_pending_queue *queue, weir_task *tasks, uint32_t task)
{
	uint32_t entry = add(queue, tasks, task);
	if (entry != WEIR_NONE && !weir_pending_tree_append(&queue->tree, entry)) {
		give_up(queue);
	}
}

void weir_pending_put_back(weir_pending_queue *queue, weir_task *tasks, uint32_t task,
                           int64_t passes)
{
	if (queue->out_of_memory) {
		return;
	}
	uint32_t number = make_entry(queue, tasks, task);
	if (number == WEIR_NONE) {
		return;
	}
	if (queue->log_count == 0) {
		queue->head = weir_pending_tree_first(&queue->tree);
		queue->head_age = queue->head == WEIR_NONE
		                      ? 0
		                      : weir_pending_entry_at(&queue->tree, queue->head)->key.age;
	}
	/*
	 * A bisection ends just before a task that it found greater. So all in front of the head have
	 * come there by an age no greater than that of one that was there before, or of the head.
	 */
	int64_t age = tasks[task].age;
	assert(tasks[task].first);
	if (age > queue->head_age && age <= -passes) {
		queue->head_age = age;
	}
	queue->unplaced++;
	log_change(queue, (weir_pending_change){.passes = passes, .entry = number});
}

void weir_pending_remove(weir_pending_queue *queue, weir_task *tasks, uint32_t task)
{
	uint32_t number = tasks[task].pending;
	tasks[task].pending = WEIR_NONE;
	if (queue->out_of_memory) {
		return;
	}
	queue->count--;
	if (queue->log_count == 0) {
		weir_pending_tree_remove(&queue->tree, number);
		weir_pending_entry_give_back(&queue->tree, number);
		return;
	}
	weir_pending_entry *entry = weir_pending_entry_at(&queue->tree, number);
	entry->task = WEIR_NONE;
	queue->unplaced -= entry->leaf == WEIR_NONE;
	queue->head = number == queue->head ? WEIR_NONE : queue->head;
	log_change(queue, (weir_pending_change){.entry = number, .removal = true});
}

void weir_pending_start_aging(weir_pending_queue *queue, weir_task *tasks, uint32_t task,
                              int64_t passes)
{
	tasks[task].first = true;
	tasks[task].age = -passes;
	if (queue->out_of_memory) {
		return;
	}
	/*
	 * The log may be played back after this: its changes are of earlier passes, when the task had
	 * age 0 either way.
	 */
	uint32_t entry = tasks[task].pending;
	weir_pending_tree_set_age(&queue->tree, entry, -passes);
	if (entry == queue->head && queue->head_age < -passes) {
		queue->head_age = -passes;
	}
}

uint32_t weir_pending_first(weir_pending_queue *queue)
{
	play_back(queue);
	if (queue->count == 0) {
		return WEIR_NONE;
	}
	return weir_pending_entry_at(&queue->tree, weir_pending_tree_first(&queue->tree))->task;
}

uint32_t weir_pending_find(weir_pending_queue *queue, uint32_t from,
                           const weir_pending_query *query, uint32_t *position)
{
	play_back(queue);
	if (from >= queue->count) {
		return WEIR_NONE;
	}
	uint32_t found = weir_pending_tree_find(&queue->tree, from, query, position);
	return found == WEIR_NONE ? WEIR_NONE : weir_pending_entry_at(&queue->tree, found)->task;
}
