#include "serving/instance_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serving/inflight.h"

void weir_list_init(weir_instance_list *list, unsigned kept)
{
	*list = (weir_instance_list){
	    .first = WEIR_NONE, .last = WEIR_NONE, .cursor = WEIR_NONE, .kept = kept};
}

void weir_list_release(weir_instance_list *list)
{
	free(list->members);
	for (int f = 0; f < WEIR_FIGURE_COUNT; f++) {
		free(list->heaps[f]);
	}
	weir_list_init(list, list->kept);
}

static bool keeps(const weir_instance_list *list, int figure)
{
	return (list->kept >> figure & 1u) != 0;
}

static bool before(const weir_list_entry *entries, uint32_t a, uint32_t b, int figure)
{
	int64_t figure_a = entries[a].figures[figure];
	int64_t figure_b = entries[b].figures[figure];
	return figure_a < figure_b || (figure_a == figure_b && entries[a].order < entries[b].order);
}

static void place(uint32_t *heap, weir_list_entry *entries, uint32_t position, uint32_t id,
                  int figure)
{
	heap[position] = id;
	entries[id].heap_position[figure] = position;
}

static void sift(weir_instance_list *list, weir_list_entry *entries, uint32_t position, uint32_t id,
                 int figure)
{
	uint32_t *heap = list->heaps[figure];
	uint32_t start = position;
	while (position > 0) {
		uint32_t parent = (position - 1) / 2;
		if (!before(entries, id, heap[parent], figure)) {
			break;
		}
		place(heap, entries, position, heap[parent], figure);
		position = parent;
	}
	if (position == start) {
		for (;;) {
			uint32_t child = 2 * position + 1;
			if (child >= list->count) {
				break;
			}
			if (child + 1 < list->count && before(entries, heap[child + 1], heap[child], figure)) {
				child++;
			}
			if (!before(entries, heap[child], id, figure)) {
				break;
			}
			place(heap, entries, position, heap[child], figure);
			position = child;
		}
	}
	place(heap, entries, position, id, figure);
}

bool weir_list_reserve(weir_instance_list *list, size_t count)
{
	if (!weir_reserve((void **)&list->members, &list->member_capacity, count,
	                  sizeof *list->members)) {
		return false;
	}
	for (int f = 0; f < WEIR_FIGURE_COUNT; f++) {
		if (keeps(list, f) && !weir_reserve((void **)&list->heaps[f], &list->heap_capacity[f],
		                                    count, sizeof *list->heaps[f])) {
			return false;
		}
	}
	return true;
}

void weir_list_append(weir_instance_list *list, weir_list_entry *entries, uint32_t id)
{
	weir_list_entry *entry = &entries[id];
	entry->order = list->next_order++;
	entry->previous = list->last;
	entry->next = WEIR_NONE;
	if (list->last != WEIR_NONE) {
		entries[list->last].next = id;
	} else {
		list->first = id;
	}
	list->last = id;
	entry->member = list->count;
	list->members[list->count] = id;
	list->count++;
	for (int f = 0; f < WEIR_FIGURE_COUNT; f++) {
		if (keeps(list, f)) {
			sift(list, entries, list->count - 1, id, f);
		}
	}
}

void weir_list_remove(weir_instance_list *list, weir_list_entry *entries, uint32_t id)
{
	weir_list_entry *entry = &entries[id];
	if (list->cursor == id) {
		list->cursor = entry->next;
	}
	if (entry->previous != WEIR_NONE) {
		entries[entry->previous].next = entry->next;
	} else {
		list->first = entry->next;
	}
	if (entry->next != WEIR_NONE) {
		entries[entry->next].previous = entry->previous;
	} else {
		list->last = entry->previous;
	}
	list->count--;
	uint32_t moved = list->members[list->count];
	list->members[entry->member] = moved;
	entries[moved].member = entry->member;
	for (int f = 0; f < WEIR_FIGURE_COUNT; f++) {
		if (keeps(list, f)) {
			uint32_t hole = entry->heap_position[f];
			uint32_t tail = list->heaps[f][list->count];
			if (tail != id) {
				sift(list, entries, hole, tail, f);
			}
		}
	}
}

void weir_list_update(weir_instance_list *list, weir_list_entry *entries, uint32_t id,
                      weir_figure figure)
{
	if (keeps(list, (int)figure)) {
		sift(list, entries, entries[id].heap_position[figure], id, (int)figure);
	}
}

uint32_t weir_list_least(const weir_instance_list *list, weir_figure figure)
{
	return list->count > 0 ? list->heaps[figure][0] : WEIR_NONE;
}

uint32_t weir_list_take_turn(weir_instance_list *list, const weir_list_entry *entries)
{
	uint32_t id = list->cursor != WEIR_NONE ? list->cursor : list->first;
	if (id != WEIR_NONE) {
		list->cursor = entries[id].next;
	}
	return id;
}

bool weir_list_copy(weir_instance_list *target, const weir_instance_list *source)
{
	target->kept = source->kept;
	if (!weir_list_reserve(target, source->count)) {
		return false;
	}
	if (source->count > 0) {
		memcpy(target->members, source->members, source->count * sizeof *source->members);
		for (int f = 0; f < WEIR_FIGURE_COUNT; f++) {
			if (keeps(source, f)) {
				memcpy(target->heaps[f], source->heaps[f], source->count * sizeof(uint32_t));
			}
		}
	}
	target->first = source->first;
	target->last = source->last;
	target->count = source->count;
	target->cursor = source->cursor;
	target->next_order = source->next_order;
	return true;
}
