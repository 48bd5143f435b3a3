#include "serving/pending_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A directory of one branch, up to some 45,000 entries, is what a bisection searches fastest. */
enum { LEAF_SIZE = 128, BRANCH_SIZE = 512 };

/* What leaves and branches have in common. */
typedef struct node_head {
	uint32_t parent; /* WEIR_NONE: the root */
	uint32_t slot;   /* which child of its parent it is */
	uint32_t count;  /* of its entries or children */
} node_head;

typedef struct leaf_node {
	node_head head;
	uint32_t entries[LEAF_SIZE];
	weir_pending_key keys[LEAF_SIZE]; /* copies: a bisection reads nothing else */
} leaf_node;

/*
 * The least need, the least age and the most tokens below a child, or values beyond them: a removal
 * leaves them as they are, and a search that they led astray makes them exact.
 */
typedef struct bounds {
	int64_t need, age;
	int32_t tokens;
} bounds;

typedef struct branch_node {
	node_head head;
	uint32_t starts[BRANCH_SIZE]; /* entries of this branch before each child */
	uint32_t children[BRANCH_SIZE];
	bounds bounds[BRANCH_SIZE];
} branch_node;

static const bounds NO_BOUNDS = {INT64_MAX, INT64_MAX, INT32_MIN};

static bool slab_reserve(weir_pending_slab *slab, uint32_t more, size_t item_size)
{
	return slab->capacity - slab->taken >= more ||
	       weir_reserve(&slab->items, &slab->capacity, (size_t)slab->taken + more, item_size);
}

static uint32_t *slab_link(const weir_pending_slab *slab, uint32_t item, size_t item_size)
{
	return (uint32_t *)(void *)((char *)slab->items + item * item_size);
}

static uint32_t slab_take(weir_pending_slab *slab, size_t item_size)
{
	uint32_t item = slab->free;
	if (item != WEIR_NONE) {
		slab->free = *slab_link(slab, item, item_size);
	} else {
		assert(slab->used < slab->capacity);
		item = slab->used++;
	}
	slab->taken++;
	return item;
}

static void slab_give_back(weir_pending_slab *slab, uint32_t item, size_t item_size)
{
	*slab_link(slab, item, item_size) = slab->free;
	slab->free = item;
	slab->taken--;
}

static bool slab_copy(weir_pending_slab *target, const weir_pending_slab *source, size_t item_size)
{
	if (!weir_reserve(&target->items, &target->capacity, source->used, item_size)) {
		return false;
	}
	if (source->used > 0) {
		memcpy(target->items, source->items, source->used * item_size);
	}
	target->used = source->used;
	target->taken = source->taken;
	target->free = source->free;
	return true;
}

void weir_pending_tree_init(weir_pending_tree *tree)
{
	const weir_pending_slab empty = {.free = WEIR_NONE};
	*tree = (weir_pending_tree){
	    .entries = empty, .leaves = empty, .branches = empty, .root = WEIR_NONE};
}

static void slab_clear(weir_pending_slab *slab)
{
	slab->used = slab->taken = 0;
	slab->free = WEIR_NONE;
}

void weir_pending_tree_clear(weir_pending_tree *tree)
{
	slab_clear(&tree->entries);
	slab_clear(&tree->leaves);
	slab_clear(&tree->branches);
	tree->root = WEIR_NONE;
	tree->height = tree->count = 0;
}

void weir_pending_tree_release(weir_pending_tree *tree)
{
	free(tree->entries.items);
	free(tree->leaves.items);
	free(tree->branches.items);
	weir_pending_tree_init(tree);
}

bool weir_pending_tree_copy(weir_pending_tree *target, const weir_pending_tree *source)
{
	if (!slab_copy(&target->entries, &source->entries, sizeof(weir_pending_entry)) ||
	    !slab_copy(&target->leaves, &source->leaves, sizeof(leaf_node)) ||
	    !slab_copy(&target->branches, &source->branches, sizeof(branch_node))) {
		return false;
	}
	target->root = source->root;
	target->height = source->height;
	target->count = source->count;
	return true;
}

uint32_t weir_pending_entry_take(weir_pending_tree *tree)
{
	if (!slab_reserve(&tree->entries, 1, sizeof(weir_pending_entry))) {
		return WEIR_NONE;
	}
	uint32_t entry = slab_take(&tree->entries, sizeof(weir_pending_entry));
	weir_pending_entry_at(tree, entry)->leaf = WEIR_NONE;
	return entry;
}

void weir_pending_entry_give_back(weir_pending_tree *tree, uint32_t entry)
{
	slab_give_back(&tree->entries, entry, sizeof(weir_pending_entry));
}

static leaf_node *leaf_at(const weir_pending_tree *tree, uint32_t leaf)
{
	return &((leaf_node *)tree->leaves.items)[leaf];
}

static branch_node *branch_at(const weir_pending_tree *tree, uint32_t branch)
{
	return &((branch_node *)tree->branches.items)[branch];
}

/* Leaves are on level 0. */
static node_head *head_of(const weir_pending_tree *tree, uint32_t level, uint32_t node)
{
	return level == 0 ? &leaf_at(tree, node)->head : &branch_at(tree, node)->head;
}

static void free_node(weir_pending_tree *tree, uint32_t level, uint32_t node)
{
	if (level == 0) {
		slab_give_back(&tree->leaves, node, sizeof(leaf_node));
	} else {
		slab_give_back(&tree->branches, node, sizeof(branch_node));
	}
}

static bounds joined(bounds a, bounds b)
{
	return (bounds){.need = a.need < b.need ? a.need : b.need,
	                .age = a.age < b.age ? a.age : b.age,
	                .tokens = a.tokens > b.tokens ? a.tokens : b.tokens};
}

static bounds entry_bounds(const weir_pending_entry *entry)
{
	return (bounds){.need = entry->need, .age = entry->key.age, .tokens = entry->tokens};
}

static bounds node_bounds(const weir_pending_tree *tree, uint32_t level, uint32_t node)
{
	bounds all = NO_BOUNDS;
	uint32_t count = head_of(tree, level, node)->count;
	for (uint32_t i = 0; i < count; i++) {
		all = joined(all, level == 0 ? entry_bounds(weir_pending_entry_at(
		                                   tree, leaf_at(tree, node)->entries[i]))
		                             : branch_at(tree, node)->bounds[i]);
	}
	return all;
}

static bool may_match(const bounds *b, const weir_pending_query *query)
{
	return b->age + query->passes < query->young || b->need <= query->bytes_free ||
	       b->tokens > query->tokens_left;
}

/* The child that holds position `index` of the branch. */
static uint32_t slot_of(const branch_node *branch, uint32_t index)
{
	uint32_t slot = 0;
	uint32_t count = branch->head.count;
	while (count > 1) {
		uint32_t half = count / 2;
		slot += branch->starts[slot + half] <= index ? half : 0;
		count -= half;
	}
	return slot;
}

/* The same when it is between the children `low` and `high`, and about at `guess`. */
static uint32_t slot_between(const branch_node *branch, uint32_t index, uint32_t low, uint32_t high,
                             uint32_t guess)
{
	uint32_t slot = guess < low || guess > high ? low + (high - low) / 2 : guess;
	while (branch->starts[slot] > index) {
		slot--;
	}
	while (slot < high && branch->starts[slot + 1] <= index) {
		slot++;
	}
	return slot;
}

static const weir_pending_key *key_at(const weir_pending_tree *tree, uint32_t level, uint32_t node,
                                      uint32_t index)
{
	for (; level > 0; level--) {
		const branch_node *branch = branch_at(tree, node);
		uint32_t slot = slot_of(branch, index);
		index -= branch->starts[slot];
		node = branch->children[slot];
	}
	return &leaf_at(tree, node)->keys[index];
}

typedef struct position {
	uint32_t leaf, offset;
} position;

/* The place at `index` of a subtree; between two leaves, the end of the first. */
static position place_at(const weir_pending_tree *tree, uint32_t level, uint32_t node,
                         uint32_t index)
{
	for (; level > 0; level--) {
		const branch_node *branch = branch_at(tree, node);
		uint32_t slot = slot_of(branch, index > 0 ? index - 1 : 0);
		index -= branch->starts[slot];
		node = branch->children[slot];
	}
	return (position){node, index};
}

static position bisect(weir_pending_tree *tree, weir_pending_key key, int64_t passes)
{
	uint32_t node = tree->root;
	uint32_t low = 0;
	uint32_t high = tree->count;
	const uint32_t guesses = sizeof tree->guesses / sizeof tree->guesses[0];
	uint32_t turns = 1;
	for (uint32_t level = tree->height; level > 0; level--) {
		/* Positions low to high - 1 are within the children `first` to `last`. */
		const branch_node *branch = branch_at(tree, node);
		uint32_t first = 0;
		uint32_t last = branch->head.count - 1;
		while (low < high && first < last) {
			uint32_t probe = low + (high - low) / 2;
			uint16_t *guess = &tree->guesses[turns % guesses];
			uint32_t slot = slot_between(branch, probe, first, last, *guess);
			*guess = (uint16_t)slot;
			uint32_t start = branch->starts[slot];
			if (weir_pending_before(
			        key, *key_at(tree, level - 1, branch->children[slot], probe - start), passes)) {
				high = probe;
				turns = 2 * turns;
				last = slot;
			} else {
				low = probe + 1;
				turns = 2 * turns + 1;
				first = slot;
			}
		}
		if (low == high) {
			return place_at(tree, level, node, low);
		}
		low -= branch->starts[first];
		high -= branch->starts[first];
		node = branch->children[first];
	}
	const leaf_node *leaf = leaf_at(tree, node);
	while (low < high) {
		uint32_t probe = low + (high - low) / 2;
		if (weir_pending_before(key, leaf->keys[probe], passes)) {
			high = probe;
		} else {
			low = probe + 1;
		}
	}
	return (position){node, low};
}

/* Tells the children of a branch on `level`, from `slot` on, where they are. */
static void number_children(weir_pending_tree *tree, uint32_t level, uint32_t branch, uint32_t slot)
{
	const branch_node *parent = branch_at(tree, branch);
	for (; slot < parent->head.count; slot++) {
		node_head *child = head_of(tree, level - 1, parent->children[slot]);
		child->parent = branch;
		child->slot = slot;
	}
}

static void split_branch(weir_pending_tree *tree, uint32_t level, uint32_t node);

/* Puts `right` behind `left`, which has kept `left_size` of the entries that it had. */
static void add_sibling(weir_pending_tree *tree, uint32_t level, uint32_t left, uint32_t right,
                        uint32_t left_size)
{
	if (head_of(tree, level, left)->parent == WEIR_NONE) {
		uint32_t root = slab_take(&tree->branches, sizeof(branch_node));
		branch_node *branch = branch_at(tree, root);
		branch->head = (node_head){.parent = WEIR_NONE, .count = 1};
		branch->starts[0] = 0;
		branch->children[0] = left;
		branch->bounds[0] = joined(node_bounds(tree, level, left), node_bounds(tree, level, right));
		tree->root = root;
		tree->height++;
		number_children(tree, level + 1, root, 0);
	}
	const node_head *head = head_of(tree, level, left);
	if (branch_at(tree, head->parent)->head.count == BRANCH_SIZE) {
		split_branch(tree, level + 1, head->parent);
	}
	branch_node *branch = branch_at(tree, head->parent);
	uint32_t slot = head->slot + 1;
	uint32_t moved = branch->head.count++ - slot;
	memmove(&branch->starts[slot + 1], &branch->starts[slot], moved * sizeof branch->starts[0]);
	memmove(&branch->children[slot + 1], &branch->children[slot],
	        moved * sizeof branch->children[0]);
	memmove(&branch->bounds[slot + 1], &branch->bounds[slot], moved * sizeof branch->bounds[0]);
	branch->starts[slot] = branch->starts[slot - 1] + left_size;
	branch->children[slot] = right;
	branch->bounds[slot] = branch->bounds[slot - 1];
	number_children(tree, level + 1, head->parent, slot);
}

/* Appends the children of a branch from `slot` on to another, where they start at `start`. */
static void move_children(weir_pending_tree *tree, uint32_t level, uint32_t target, uint32_t source,
                          uint32_t slot, uint32_t start)
{
	branch_node *to = branch_at(tree, target);
	branch_node *from = branch_at(tree, source);
	uint32_t count = to->head.count;
	uint32_t moved = from->head.count - slot;
	for (uint32_t i = 0; i < moved; i++) {
		to->starts[count + i] = start + from->starts[slot + i] - from->starts[slot];
		to->children[count + i] = from->children[slot + i];
		to->bounds[count + i] = from->bounds[slot + i];
	}
	to->head.count += moved;
	from->head.count -= moved;
	number_children(tree, level, target, count);
}

static void split_branch(weir_pending_tree *tree, uint32_t level, uint32_t node)
{
	uint32_t right = slab_take(&tree->branches, sizeof(branch_node));
	branch_at(tree, right)->head.count = 0;
	uint32_t left_size = branch_at(tree, node)->starts[BRANCH_SIZE / 2];
	move_children(tree, level, right, node, BRANCH_SIZE / 2, 0);
	add_sibling(tree, level, node, right, left_size);
}

/* The same of a leaf's entries. */
static void move_entries(weir_pending_tree *tree, uint32_t target, uint32_t source, uint32_t offset)
{
	leaf_node *to = leaf_at(tree, target);
	leaf_node *from = leaf_at(tree, source);
	uint32_t moved = from->head.count - offset;
	memcpy(&to->keys[to->head.count], &from->keys[offset], moved * sizeof from->keys[0]);
	for (uint32_t i = 0; i < moved; i++) {
		uint32_t entry = from->entries[offset + i];
		to->entries[to->head.count + i] = entry;
		weir_pending_entry_at(tree, entry)->leaf = target;
	}
	to->head.count += moved;
	from->head.count -= moved;
}

/* Room for one more at a place; false when memory is out. */
static bool make_room(weir_pending_tree *tree, position *place)
{
	/* A split may reach the root and put a new one above it. */
	if (!slab_reserve(&tree->leaves, 1, sizeof(leaf_node)) ||
	    !slab_reserve(&tree->branches, tree->height + 1, sizeof(branch_node))) {
		return false;
	}
	uint32_t right = slab_take(&tree->leaves, sizeof(leaf_node));
	leaf_at(tree, right)->head.count = 0;
	uint32_t kept = LEAF_SIZE / 2;
	move_entries(tree, right, place->leaf, kept);
	add_sibling(tree, 0, place->leaf, right, kept);
	if (place->offset > kept) {
		*place = (position){right, place->offset - kept};
	}
	return true;
}

static bool put(weir_pending_tree *tree, uint32_t added, position place)
{
	if (leaf_at(tree, place.leaf)->head.count == LEAF_SIZE && !make_room(tree, &place)) {
		return false;
	}
	weir_pending_entry *entry = weir_pending_entry_at(tree, added);
	entry->leaf = place.leaf;
	leaf_node *leaf = leaf_at(tree, place.leaf);
	uint32_t moved = leaf->head.count++ - place.offset;
	memmove(&leaf->keys[place.offset + 1], &leaf->keys[place.offset], moved * sizeof leaf->keys[0]);
	memmove(&leaf->entries[place.offset + 1], &leaf->entries[place.offset],
	        moved * sizeof leaf->entries[0]);
	leaf->keys[place.offset] = entry->key;
	leaf->entries[place.offset] = added;
	const node_head *head = &leaf->head;
	while (head->parent != WEIR_NONE) {
		branch_node *branch = branch_at(tree, head->parent);
		for (uint32_t i = head->slot + 1; i < branch->head.count; i++) {
			branch->starts[i]++;
		}
		branch->bounds[head->slot] = joined(branch->bounds[head->slot], entry_bounds(entry));
		head = &branch->head;
	}
	tree->count++;
	return true;
}

/* A tree without entries gets its first leaf. */
static bool plant(weir_pending_tree *tree)
{
	if (tree->root != WEIR_NONE) {
		return true;
	}
	if (!slab_reserve(&tree->leaves, 1, sizeof(leaf_node))) {
		return false;
	}
	tree->root = slab_take(&tree->leaves, sizeof(leaf_node));
	leaf_at(tree, tree->root)->head = (node_head){.parent = WEIR_NONE};
	return true;
}

bool weir_pending_tree_insert(weir_pending_tree *tree, uint32_t entry, int64_t passes)
{
	return plant(tree) &&
	       put(tree, entry, bisect(tree, weir_pending_entry_at(tree, entry)->key, passes));
}

bool weir_pending_tree_append(weir_pending_tree *tree, uint32_t entry)
{
	return plant(tree) && put(tree, entry, place_at(tree, tree->height, tree->root, tree->count));
}

static void fill_up(weir_pending_tree *tree, uint32_t level, uint32_t node);

/* Takes an empty node out of the tree. */
static void drop(weir_pending_tree *tree, uint32_t level, uint32_t node)
{
	node_head head = *head_of(tree, level, node);
	free_node(tree, level, node);
	if (head.parent == WEIR_NONE) {
		tree->root = WEIR_NONE;
		tree->height = 0;
		return;
	}
	branch_node *branch = branch_at(tree, head.parent);
	uint32_t slot = head.slot;
	uint32_t moved = --branch->head.count - slot;
	memmove(&branch->starts[slot], &branch->starts[slot + 1], moved * sizeof branch->starts[0]);
	memmove(&branch->children[slot], &branch->children[slot + 1],
	        moved * sizeof branch->children[0]);
	memmove(&branch->bounds[slot], &branch->bounds[slot + 1], moved * sizeof branch->bounds[0]);
	number_children(tree, level + 1, head.parent, slot);
	fill_up(tree, level + 1, head.parent);
}

/* Moves what is in `right` to its left sibling. */
static void merge(weir_pending_tree *tree, uint32_t level, uint32_t left, uint32_t right)
{
	node_head head = *head_of(tree, level, right);
	branch_node *parent = branch_at(tree, head.parent);
	parent->bounds[head.slot - 1] =
	    joined(parent->bounds[head.slot - 1], parent->bounds[head.slot]);
	if (level == 0) {
		move_entries(tree, left, right, 0);
	} else {
		move_children(tree, level, left, right, 0,
		              parent->starts[head.slot] - parent->starts[head.slot - 1]);
	}
	drop(tree, level, right);
}

/* A node that lost something is dropped when it is empty, and merged when it is nearly so. */
static void fill_up(weir_pending_tree *tree, uint32_t level, uint32_t node)
{
	const node_head *head = head_of(tree, level, node);
	uint32_t size = level == 0 ? LEAF_SIZE : BRANCH_SIZE;
	if (head->count == 0) {
		drop(tree, level, node);
		return;
	}
	if (head->parent == WEIR_NONE) {
		if (level > 0 && head->count == 1) {
			tree->root = branch_at(tree, node)->children[0];
			tree->height--;
			head_of(tree, level - 1, tree->root)->parent = WEIR_NONE;
			free_node(tree, level, node);
		}
		return;
	}
	if (head->count >= size / 4) {
		return;
	}
	/* Not quite full, so that the next insertions split nothing. */
	const branch_node *parent = branch_at(tree, head->parent);
	uint32_t room = size * 3 / 4 - head->count;
	if (head->slot + 1 < parent->head.count) {
		uint32_t right = parent->children[head->slot + 1];
		if (head_of(tree, level, right)->count <= room) {
			merge(tree, level, node, right);
			return;
		}
	}
	if (head->slot > 0) {
		uint32_t left = parent->children[head->slot - 1];
		if (head_of(tree, level, left)->count <= room) {
			merge(tree, level, left, node);
		}
	}
}

static uint32_t offset_in(const leaf_node *leaf, uint32_t entry)
{
	/* Looks at all of them: without a way out, the compiler compares several at a time. */
	uint32_t offset = 0;
	for (uint32_t i = 0; i < leaf->head.count; i++) {
		offset += leaf->entries[i] == entry ? i : 0;
	}
	assert(leaf->entries[offset] == entry);
	return offset;
}

void weir_pending_tree_remove(weir_pending_tree *tree, uint32_t removed)
{
	weir_pending_entry *entry = weir_pending_entry_at(tree, removed);
	uint32_t node = entry->leaf;
	leaf_node *leaf = leaf_at(tree, node);
	uint32_t offset = offset_in(leaf, removed);
	uint32_t moved = --leaf->head.count - offset;
	memmove(&leaf->keys[offset], &leaf->keys[offset + 1], moved * sizeof leaf->keys[0]);
	memmove(&leaf->entries[offset], &leaf->entries[offset + 1], moved * sizeof leaf->entries[0]);
	entry->leaf = WEIR_NONE;
	tree->count--;
	const node_head *head = &leaf->head;
	while (head->parent != WEIR_NONE) {
		branch_node *branch = branch_at(tree, head->parent);
		for (uint32_t i = head->slot + 1; i < branch->head.count; i++) {
			branch->starts[i]--;
		}
		head = &branch->head;
	}
	fill_up(tree, 0, node);
}

void weir_pending_tree_set_age(weir_pending_tree *tree, uint32_t entry, int64_t age)
{
	weir_pending_entry *changed = weir_pending_entry_at(tree, entry);
	assert(age >= changed->key.age);
	changed->key.age = age;
	leaf_node *leaf = leaf_at(tree, changed->leaf);
	leaf->keys[offset_in(leaf, entry)].age = age;
}

uint32_t weir_pending_tree_first(const weir_pending_tree *tree)
{
	uint32_t node = tree->root;
	if (node == WEIR_NONE) {
		return WEIR_NONE;
	}
	for (uint32_t level = tree->height; level > 0; level--) {
		node = branch_at(tree, node)->children[0];
	}
	return leaf_at(tree, node)->entries[0];
}

/* In a subtree, with positions counted from its start. */
static uint32_t find(weir_pending_tree *tree, uint32_t level, uint32_t node, uint32_t from,
                     const weir_pending_query *query, uint32_t *index)
{
	if (level == 0) {
		const leaf_node *leaf = leaf_at(tree, node);
		for (uint32_t i = from; i < leaf->head.count; i++) {
			if (weir_pending_matches(weir_pending_entry_at(tree, leaf->entries[i]), query)) {
				*index = i;
				return leaf->entries[i];
			}
		}
		return WEIR_NONE;
	}
	branch_node *branch = branch_at(tree, node);
	for (uint32_t slot = slot_of(branch, from); slot < branch->head.count; slot++) {
		uint32_t start = branch->starts[slot];
		uint32_t inner = from > start ? from - start : 0;
		if (!may_match(&branch->bounds[slot], query)) {
			continue;
		}
		uint32_t child = branch->children[slot];
		uint32_t found = find(tree, level - 1, child, inner, query, index);
		if (found != WEIR_NONE) {
			*index += start;
			return found;
		}
		if (inner == 0) {
			branch->bounds[slot] = node_bounds(tree, level - 1, child);
		}
	}
	return WEIR_NONE;
}

uint32_t weir_pending_tree_find(weir_pending_tree *tree, uint32_t from,
                                const weir_pending_query *query, uint32_t *found_at)
{
	if (from >= tree->count) {
		return WEIR_NONE;
	}
	return find(tree, tree->height, tree->root, from, query, found_at);
}
