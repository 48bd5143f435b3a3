#include "serving/waiting_heap.h"

static bool before(const weir_task *a, const weir_task *b)
{
	return a->arrival < b->arrival || (a->arrival == b->arrival && a->order < b->order);
}

/* Joins two heaps given by their roots; heap_parent is the parent of a first child, else the
 * sibling before. */
static uint32_t meld(weir_task *tasks, uint32_t a, uint32_t b)
{
	if (a == WEIR_NONE) {
		return b;
	}
	if (b == WEIR_NONE) {
		return a;
	}
	if (before(&tasks[b], &tasks[a])) {
		uint32_t swap = a;
		a = b;
		b = swap;
	}
	uint32_t child = tasks[a].heap_child;
	tasks[b].heap_sibling = child;
	tasks[b].heap_parent = a;
	if (child != WEIR_NONE) {
		tasks[child].heap_parent = b;
	}
	tasks[a].heap_child = b;
	return a;
}

/* Melds a list of siblings in pairs from the left, then the pairs from the right. */
static uint32_t meld_siblings(weir_task *tasks, uint32_t first)
{
	uint32_t pairs = WEIR_NONE; /* linked by heap_sibling, last pair first */
	while (first != WEIR_NONE) {
		uint32_t a = first;
		uint32_t b = tasks[a].heap_sibling;
		first = b == WEIR_NONE ? WEIR_NONE : tasks[b].heap_sibling;
		tasks[a].heap_sibling = tasks[a].heap_parent = WEIR_NONE;
		if (b != WEIR_NONE) {
			tasks[b].heap_sibling = tasks[b].heap_parent = WEIR_NONE;
		}
		uint32_t pair = meld(tasks, a, b);
		tasks[pair].heap_sibling = pairs;
		pairs = pair;
	}
	uint32_t root = WEIR_NONE;
	while (pairs != WEIR_NONE) {
		uint32_t next = tasks[pairs].heap_sibling;
		tasks[pairs].heap_sibling = WEIR_NONE;
		root = meld(tasks, root, pairs);
		pairs = next;
	}
	return root;
}

void weir_waiting_init(weir_waiting_heap *heap)
{
	*heap = (weir_waiting_heap){.root = WEIR_NONE, .run_first = WEIR_NONE, .run_last = WEIR_NONE};
}

uint32_t weir_waiting_first(const weir_waiting_heap *heap, const weir_task *tasks)
{
	if (heap->root == WEIR_NONE || heap->run_first == WEIR_NONE) {
		return heap->root == WEIR_NONE ? heap->run_first : heap->root;
	}
	return before(&tasks[heap->root], &tasks[heap->run_first]) ? heap->root : heap->run_first;
}

/* In the run, heap_parent is the task before and heap_sibling the one after. */
static void append_to_run(weir_waiting_heap *heap, weir_task *tasks, uint32_t task)
{
	tasks[task].in_run = true;
	tasks[task].heap_parent = heap->run_last;
	*(heap->run_last != WEIR_NONE ? &tasks[heap->run_last].heap_sibling : &heap->run_first) = task;
	heap->run_last = task;
}

static void remove_from_run(weir_waiting_heap *heap, weir_task *tasks, uint32_t task)
{
	uint32_t earlier = tasks[task].heap_parent;
	uint32_t later = tasks[task].heap_sibling;
	*(earlier != WEIR_NONE ? &tasks[earlier].heap_sibling : &heap->run_first) = later;
	*(later != WEIR_NONE ? &tasks[later].heap_parent : &heap->run_last) = earlier;
	tasks[task].in_run = false;
}

void weir_waiting_push(weir_waiting_heap *heap, weir_task *tasks, uint32_t task)
{
	tasks[task].heap_child = tasks[task].heap_sibling = tasks[task].heap_parent = WEIR_NONE;
	tasks[task].waiting = true;
	heap->count++;
	if (heap->run_last == WEIR_NONE || before(&tasks[heap->run_last], &tasks[task])) {
		append_to_run(heap, tasks, task);
	} else {
		heap->root = meld(tasks, heap->root, task);
	}
}

static void remove_from_heap(weir_waiting_heap *heap, weir_task *tasks, uint32_t task)
{
	weir_task *removed = &tasks[task];
	uint32_t children = meld_siblings(tasks, removed->heap_child);
	if (heap->root == task) {
		heap->root = children;
	} else {
		uint32_t before_it = removed->heap_parent;
		uint32_t after_it = removed->heap_sibling;
		if (tasks[before_it].heap_child == task) {
			tasks[before_it].heap_child = after_it;
		} else {
			tasks[before_it].heap_sibling = after_it;
		}
		if (after_it != WEIR_NONE) {
			tasks[after_it].heap_parent = before_it;
		}
		heap->root = meld(tasks, heap->root, children);
	}
}

void weir_waiting_remove(weir_waiting_heap *heap, weir_task *tasks, uint32_t task)
{
	if (tasks[task].in_run) {
		remove_from_run(heap, tasks, task);
	} else {
		remove_from_heap(heap, tasks, task);
	}
	tasks[task].heap_child = tasks[task].heap_sibling = tasks[task].heap_parent = WEIR_NONE;
	tasks[task].waiting = false;
	heap->count--;
}
