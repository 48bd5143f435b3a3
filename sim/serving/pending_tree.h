/*
 * A list of entries by position, with bisection over it: a B+-tree that counts. Internal to the
 * pending queue, see pending_queue.h for what it is for.
 *
 * The bisection probes the very positions that it would probe in an array, whether the keys are in
 * order or not. The last probes, and the directory of a list of ten thousand entries, are in arrays
 * that the cache holds, so that O(log n) probes cost little more than in an array.
 *
 * Cost: insert O(log n) probes, each O(log n) while it is not known which leaf holds the position;
 * remove O(log n); find O(log n), and a leaf that changed since is looked through at most once in
 * vain. Memory grows only when more entries or nodes are needed than ever before.
 */
#ifndef WEIR_SERVING_PENDING_TREE_H
#define WEIR_SERVING_PENDING_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serving/inflight.h"

/* The age of an entry that does not age: it was never passed over. */
#define WEIR_NEVER_PASSED_OVER (INT64_MIN / 2)

/* What the bisection compares: first the age, then the arrival. */
typedef struct weir_pending_key {
	int64_t age;    /* times passed over minus the instance's pass count, which makes it constant */
	double arrival; /* of the request, s */
} weir_pending_key;

typedef struct weir_pending_entry {
	uint32_t leaf; /* WEIR_NONE while it is not in the tree */
	uint32_t task; /* WEIR_NONE when the task has left it */
	weir_pending_key key;
	int64_t need;
	int32_t tokens;
} weir_pending_entry;

/* Items of one size with a free list; the first member of an item is a uint32_t, its link. */
typedef struct weir_pending_slab {
	void *items;
	size_t capacity;
	uint32_t used, taken, free; /* items ever used, in use now, first free one */
} weir_pending_slab;

typedef struct weir_pending_tree {
	weir_pending_slab entries, leaves, branches;
	uint32_t root;   /* WEIR_NONE: empty */
	uint32_t height; /* levels of branches above the leaves */
	uint32_t count;
	/* Where a bisection that took the same turns found its probe last: a list changes little
	 * between two bisections. Only a start for the search, so it may be anything. */
	uint16_t guesses[256];
} weir_pending_tree;

/* What ends or feeds a walk over the queue. */
typedef struct weir_pending_query {
	int64_t passes;      /* the instance's pass count */
	int64_t young;       /* a task passed over less often than this ends the walk */
	int64_t bytes_free;  /* a task that needs no more joins */
	int64_t tokens_left; /* a task of more tokens ends the walk */
} weir_pending_query;

static inline weir_pending_entry *weir_pending_entry_at(const weir_pending_tree *tree,
                                                        uint32_t entry)
{
	return &((weir_pending_entry *)tree->entries.items)[entry];
}

/* Whether a newcomer with key `a` goes before one with key `b`. No task has a negative age. */
static inline bool weir_pending_before(weir_pending_key a, weir_pending_key b, int64_t passes)
{
	int64_t age_a = a.age > -passes ? a.age : -passes;
	int64_t age_b = b.age > -passes ? b.age : -passes;
	return (age_a < age_b) | ((age_a == age_b) & (a.arrival < b.arrival));
}

static inline bool weir_pending_matches(const weir_pending_entry *entry,
                                        const weir_pending_query *query)
{
	return entry->key.age + query->passes < query->young || entry->need <= query->bytes_free ||
	       entry->tokens > query->tokens_left;
}

void weir_pending_tree_init(weir_pending_tree *tree);
/* Takes everything out and keeps the memory. */
void weir_pending_tree_clear(weir_pending_tree *tree);
void weir_pending_tree_release(weir_pending_tree *tree);
/* False when memory is out. */
bool weir_pending_tree_copy(weir_pending_tree *target, const weir_pending_tree *source);

/* An entry outside the tree, its fields not set but for the leaf; WEIR_NONE when memory is out. */
uint32_t weir_pending_entry_take(weir_pending_tree *tree);
void weir_pending_entry_give_back(weir_pending_tree *tree, uint32_t entry);

/* Where the bisection by its key ends; false, and nothing changed, when memory is out. */
bool weir_pending_tree_insert(weir_pending_tree *tree, uint32_t entry, int64_t passes);
/* At the end, whatever its key. */
bool weir_pending_tree_append(weir_pending_tree *tree, uint32_t entry);
void weir_pending_tree_remove(weir_pending_tree *tree, uint32_t entry);

/* Another age for an entry of the tree, not below the one that it has. */
void weir_pending_tree_set_age(weir_pending_tree *tree, uint32_t entry, int64_t age);

/* The entry at position 0; WEIR_NONE when empty. */
uint32_t weir_pending_tree_first(const weir_pending_tree *tree);

/* The first entry at or after position `from` that matches, and its position; else WEIR_NONE. */
uint32_t weir_pending_tree_find(weir_pending_tree *tree, uint32_t from,
                                const weir_pending_query *query, uint32_t *position);

#endif
