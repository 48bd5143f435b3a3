#include "serving/pending_queue.h"

#include <assert.h>

/* A task that does not age counts as young whatever the limit (it was never passed over). */
static const int64_t NEVER_PASSED_OVER = INT64_MIN / 2;

static int64_t relative_age(const weir_task *task)
{
	return task->first ? task->age : NEVER_PASSED_OVER;
}

/* Priorities of the treap: a hash of the number, so that nothing need be stored or drawn. */
static uint32_t priority(uint32_t task)
{
	uint32_t hash = task * 0x9e3779b1u;
	hash ^= hash >> 15;
	hash *= 0x85ebca6bu;
	hash ^= hash >> 13;
	return hash;
}

static uint32_t size_of(const weir_task *tasks, uint32_t node)
{
	return node == WEIR_NONE ? 0 : tasks[node].subtree;
}

static void pull(weir_task *tasks, uint32_t node)
{
	weir_task *task = &tasks[node];
	uint32_t subtree = 1;
	int64_t least_need = task->need;
	int64_t least_age = relative_age(task);
	int32_t most_tokens = task->tokens;
	const uint32_t children[2] = {task->left, task->right};
	for (int i = 0; i < 2; i++) {
		if (children[i] == WEIR_NONE) {
			continue;
		}
		const weir_task *child = &tasks[children[i]];
		subtree += child->subtree;
		least_need = child->least_need < least_need ? child->least_need : least_need;
		least_age = child->least_age < least_age ? child->least_age : least_age;
		most_tokens = child->most_tokens > most_tokens ? child->most_tokens : most_tokens;
	}
	task->subtree = subtree;
	task->least_need = least_need;
	task->least_age = least_age;
	task->most_tokens = most_tokens;
}

static void replace_child(weir_pending_queue *queue, weir_task *tasks, uint32_t parent,
                          uint32_t old_child, uint32_t new_child)
{
	if (parent == WEIR_NONE) {
		queue->root = new_child;
	} else if (tasks[parent].left == old_child) {
		tasks[parent].left = new_child;
	} else {
		tasks[parent].right = new_child;
	}
	if (new_child != WEIR_NONE) {
		tasks[new_child].parent = parent;
	}
}

/* Lifts `node` over its parent; the parent's figures are made right, the node's are the caller's.
 */
static void rotate_up(weir_pending_queue *queue, weir_task *tasks, uint32_t node)
{
	uint32_t parent = tasks[node].parent;
	uint32_t grandparent = tasks[parent].parent;
	if (tasks[parent].left == node) {
		uint32_t middle = tasks[node].right;
		tasks[parent].left = middle;
		if (middle != WEIR_NONE) {
			tasks[middle].parent = parent;
		}
		tasks[node].right = parent;
	} else {
		uint32_t middle = tasks[node].left;
		tasks[parent].right = middle;
		if (middle != WEIR_NONE) {
			tasks[middle].parent = parent;
		}
		tasks[node].left = parent;
	}
	replace_child(queue, tasks, grandparent, parent, node);
	tasks[parent].parent = node;
	pull(tasks, parent);
}

static void pull_to_root(weir_task *tasks, uint32_t node)
{
	while (node != WEIR_NONE) {
		pull(tasks, node);
		node = tasks[node].parent;
	}
}

static uint32_t at(const weir_task *tasks, uint32_t node, uint32_t index)
{
	for (;;) {
		uint32_t left = size_of(tasks, tasks[node].left);
		if (index < left) {
			node = tasks[node].left;
		} else if (index == left) {
			return node;
		} else {
			index -= left + 1;
			node = tasks[node].right;
		}
	}
}

/* The position after which the bisection leaves the task. */
static uint32_t bisect(const weir_pending_queue *queue, const weir_task *tasks, uint32_t task,
                       int64_t passes)
{
	int64_t age = weir_task_age(&tasks[task], passes);
	double arrival = tasks[task].arrival;
	uint32_t low = 0;
	uint32_t high = weir_pending_count(queue, tasks);
	/* The smallest subtree known to hold [low, high), and the position where it starts. */
	uint32_t subtree = queue->root;
	uint32_t start = 0;
	while (low < high) {
		for (;;) {
			uint32_t middle = start + size_of(tasks, tasks[subtree].left);
			if (high <= middle) {
				subtree = tasks[subtree].left;
			} else if (low > middle) {
				start = middle + 1;
				subtree = tasks[subtree].right;
			} else {
				break;
			}
		}
		uint32_t probe = low + (high - low) / 2;
		const weir_task *other = &tasks[at(tasks, subtree, probe - start)];
		int64_t other_age = weir_task_age(other, passes);
		if (age < other_age || (age == other_age && arrival < other->arrival)) {
			high = probe;
		} else {
			low = probe + 1;
		}
	}
	return low;
}

static void insert_at(weir_pending_queue *queue, weir_task *tasks, uint32_t task, uint32_t position)
{
	weir_task *added = &tasks[task];
	added->left = added->right = added->parent = WEIR_NONE;
	pull(tasks, task);
	if (queue->root == WEIR_NONE) {
		queue->root = task;
		return;
	}
	uint32_t node = queue->root;
	for (;;) {
		uint32_t left = size_of(tasks, tasks[node].left);
		uint32_t *child;
		if (position <= left) {
			child = &tasks[node].left;
		} else {
			position -= left + 1;
			child = &tasks[node].right;
		}
		if (*child == WEIR_NONE) {
			*child = task;
			added->parent = node;
			break;
		}
		node = *child;
	}
	uint32_t mine = priority(task);
	while (added->parent != WEIR_NONE && priority(added->parent) < mine) {
		rotate_up(queue, tasks, task);
	}
	pull_to_root(tasks, task);
}

void weir_pending_insert(weir_pending_queue *queue, weir_task *tasks, uint32_t task, int64_t passes)
{
	insert_at(queue, tasks, task, bisect(queue, tasks, task, passes));
}

void weir_pending_append(weir_pending_queue *queue, weir_task *tasks, uint32_t task)
{
	insert_at(queue, tasks, task, weir_pending_count(queue, tasks));
}

void weir_pending_remove(weir_pending_queue *queue, weir_task *tasks, uint32_t task)
{
	weir_task *removed = &tasks[task];
	while (removed->left != WEIR_NONE && removed->right != WEIR_NONE) {
		bool left_first = priority(removed->left) > priority(removed->right);
		rotate_up(queue, tasks, left_first ? removed->left : removed->right);
	}
	uint32_t child = removed->left != WEIR_NONE ? removed->left : removed->right;
	uint32_t parent = removed->parent;
	replace_child(queue, tasks, parent, task, child);
	pull_to_root(tasks, parent);
	removed->left = removed->right = removed->parent = WEIR_NONE;
}

void weir_pending_refresh(weir_task *tasks, uint32_t task)
{
	pull_to_root(tasks, task);
}

uint32_t weir_pending_first(const weir_pending_queue *queue, const weir_task *tasks)
{
	uint32_t node = queue->root;
	if (node == WEIR_NONE) {
		return WEIR_NONE;
	}
	while (tasks[node].left != WEIR_NONE) {
		node = tasks[node].left;
	}
	return node;
}

static bool subtree_matches(const weir_task *task, const weir_pending_query *query)
{
	return task->least_age + query->passes < query->young ||
	       task->least_need <= query->bytes_free || task->most_tokens > query->tokens_left;
}

static bool task_matches(const weir_task *task, const weir_pending_query *query)
{
	return relative_age(task) + query->passes < query->young || task->need <= query->bytes_free ||
	       task->tokens > query->tokens_left;
}

uint32_t weir_pending_find(const weir_pending_queue *queue, const weir_task *tasks, uint32_t from,
                           const weir_pending_query *query, uint32_t *position)
{
	uint32_t node = queue->root;
	if (node == WEIR_NONE || from >= tasks[node].subtree) {
		return WEIR_NONE;
	}
	/* Down to position `from`, remembering by the parent links where the way turned left. */
	uint32_t index = size_of(tasks, tasks[node].left);
	while (index != from) {
		if (from < index) {
			node = tasks[node].left;
			index -= 1 + size_of(tasks, tasks[node].right);
		} else {
			node = tasks[node].right;
			index += 1 + size_of(tasks, tasks[node].left);
		}
	}
	for (;;) {
		/* Here `node` is the next unseen task: itself, then its right subtree, then upwards. */
		if (task_matches(&tasks[node], query)) {
			*position = index;
			return node;
		}
		uint32_t right = tasks[node].right;
		if (right != WEIR_NONE && subtree_matches(&tasks[right], query)) {
			node = right;
			uint32_t start = index + 1;
			/* Leftmost match in this subtree. */
			for (;;) {
				uint32_t left = tasks[node].left;
				if (left != WEIR_NONE && subtree_matches(&tasks[left], query)) {
					node = left;
				} else if (task_matches(&tasks[node], query)) {
					*position = start + size_of(tasks, left);
					return node;
				} else {
					start += size_of(tasks, left) + 1;
					node = tasks[node].right;
					assert(node != WEIR_NONE);
				}
			}
		}
		index += size_of(tasks, right) + 1;
		uint32_t child = node;
		node = tasks[node].parent;
		while (node != WEIR_NONE && tasks[node].right == child) {
			child = node;
			node = tasks[node].parent;
		}
		if (node == WEIR_NONE) {
			return WEIR_NONE;
		}
	}
}
