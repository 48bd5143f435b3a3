/*
 * A list of instances that a scheduler chooses from: kept in order, with the least of each figure
 * at hand. Internal to the serving room.
 *
 * Ties go to the instance that stands first in the list. Cost: least O(1), append, remove and a
 * changed figure O(log n).
 */
#ifndef WEIR_SERVING_INSTANCE_LIST_H
#define WEIR_SERVING_INSTANCE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an instance is chosen by. */
typedef enum weir_figure {
	WEIR_FIGURE_REQUESTS, /* requests with an unfinished task on it */
	WEIR_FIGURE_TOKENS,   /* pending tokens: prompt sizes, and 1 for each token task */
	WEIR_FIGURE_BYTES,    /* weights, KV bytes held and promised */
	WEIR_FIGURE_COUNT
} weir_figure;

/* The part of an instance that lists use; owned by the instance, one per instance number. */
typedef struct weir_list_entry {
	int64_t figures[WEIR_FIGURE_COUNT];
	uint64_t order; /* place in the list: a later one is larger */
	uint32_t previous, next;
	uint32_t member; /* place in `members` */
	uint32_t heap_position[WEIR_FIGURE_COUNT];
} weir_list_entry;

typedef struct weir_instance_list {
	uint32_t first, last; /* WEIR_NONE: empty */
	uint32_t count;
	uint32_t cursor; /* round robin: the next to be taken; WEIR_NONE: the first */
	uint64_t next_order;
	uint32_t *members; /* in no order, for random choice */
	size_t member_capacity;
	unsigned kept; /* bit f: figure f has a heap */
	uint32_t *heaps[WEIR_FIGURE_COUNT];
	size_t heap_capacity[WEIR_FIGURE_COUNT];
} weir_instance_list;

/* An empty list that keeps the figures of the bits in `kept`. */
void weir_list_init(weir_instance_list *list, unsigned kept);
void weir_list_release(weir_instance_list *list);

/* Makes room for `count` members; false when memory is out. */
bool weir_list_reserve(weir_instance_list *list, size_t count);

/* Appends instance `id`, for which there is room. */
void weir_list_append(weir_instance_list *list, weir_list_entry *entries, uint32_t id);
void weir_list_remove(weir_instance_list *list, weir_list_entry *entries, uint32_t id);

/* After a figure of a member changed. */
void weir_list_update(weir_instance_list *list, weir_list_entry *entries, uint32_t id,
                      weir_figure figure);

/* The member with the least `figure`; WEIR_NONE when empty. */
uint32_t weir_list_least(const weir_instance_list *list, weir_figure figure);

/* The members in turn; WEIR_NONE when empty. */
uint32_t weir_list_take_turn(weir_instance_list *list, const weir_list_entry *entries);

bool weir_list_copy(weir_instance_list *target, const weir_instance_list *source);

#endif
