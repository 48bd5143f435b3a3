#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "workload/source_state.h"
#include "workload/transform.h"

/* One of the streams that flow together, with its next request. */
typedef struct branch {
	weir_source *source;
	weir_request next;
	bool drawn; /* `next` holds it, or the stream has ended */
	bool ended;
	uint64_t *restored; /* the prefix hashes of a `next` that came from a snapshot */
	size_t restored_capacity;
} branch;

/* A branch in a snapshot, followed by its prefix hashes and its source's state. */
typedef struct branch_state {
	weir_request next;
	bool drawn, ended;
} branch_state;

typedef struct merge {
	weir_source source;
	branch *branches;
	size_t count;
} merge;

static weir_status merge_next(weir_source *source, weir_request *request, bool *more,
                              weir_error *error)
{
	merge *m = (merge *)source;
	branch *earliest = NULL;
	for (size_t i = 0; i < m->count; i++) {
		branch *b = &m->branches[i];
		/* Only now, since the request last handed out may own hashes of this source. */
		if (!b->drawn) {
			bool any = false;
			weir_status status = weir_source_next(b->source, &b->next, &any, error);
			if (status != WEIR_OK) {
				return status;
			}
			b->drawn = true;
			b->ended = !any;
		}
		if (!b->ended && (earliest == NULL || b->next.arrival < earliest->next.arrival)) {
			earliest = b;
		}
	}
	*more = earliest != NULL;
	if (earliest != NULL) {
		*request = earliest->next;
		earliest->drawn = false;
	}
	return WEIR_OK;
}

static weir_status merge_rewind(weir_source *source, weir_error *error)
{
	merge *m = (merge *)source;
	for (size_t i = 0; i < m->count; i++) {
		weir_status status = weir_source_rewind(m->branches[i].source, error);
		if (status != WEIR_OK) {
			return status;
		}
		m->branches[i].drawn = false;
		m->branches[i].ended = false;
	}
	return WEIR_OK;
}

static size_t pending_hashes(const branch *b)
{
	return b->drawn && !b->ended ? b->next.prefix_hash_count : 0;
}

static size_t merge_state_size(const weir_source *source)
{
	const merge *m = (const merge *)source;
	size_t size = 0;
	for (size_t i = 0; i < m->count; i++) {
		const branch *b = &m->branches[i];
		if (weir_source_state_size(b->source) == 0) {
			return 0;
		}
		size += sizeof(branch_state) + pending_hashes(b) * sizeof(uint64_t) +
		        source_state_inner_size(b->source);
	}
	return size;
}

static void merge_save(const weir_source *source, void *state)
{
	const merge *m = (const merge *)source;
	char *cursor = state;
	for (size_t i = 0; i < m->count; i++) {
		const branch *b = &m->branches[i];
		branch_state saved = {.next = b->next, .drawn = b->drawn, .ended = b->ended};
		source_state_put(&cursor, &saved, sizeof saved);
		if (pending_hashes(b) > 0) {
			source_state_put(&cursor, b->next.prefix_hashes, pending_hashes(b) * sizeof(uint64_t));
		}
		source_state_put_inner(&cursor, b->source);
	}
}

static weir_status restore_branch(branch *b, const char **cursor, weir_error *error)
{
	branch_state saved;
	source_state_get(cursor, &saved, sizeof saved);
	b->next = saved.next;
	b->drawn = saved.drawn;
	b->ended = saved.ended;
	size_t hashes = pending_hashes(b);
	b->next.prefix_hashes = NULL;
	if (hashes > 0) {
		void *memory = b->restored;
		if (!weir_reserve(&memory, &b->restored_capacity, hashes, sizeof(uint64_t))) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for prefix hashes");
		}
		b->restored = memory;
		source_state_get(cursor, b->restored, hashes * sizeof(uint64_t));
		b->next.prefix_hashes = b->restored;
	}
	return source_state_get_inner(cursor, b->source, error);
}

static weir_status merge_restore(weir_source *source, const void *state, weir_error *error)
{
	merge *m = (merge *)source;
	const char *cursor = state;
	for (size_t i = 0; i < m->count; i++) {
		weir_status status = restore_branch(&m->branches[i], &cursor, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	return WEIR_OK;
}

static void merge_destroy(weir_source *source)
{
	merge *m = (merge *)source;
	for (size_t i = 0; i < m->count; i++) {
		weir_source_destroy(m->branches[i].source);
		free(m->branches[i].restored);
	}
	free(m->branches);
	free(m);
}

/* The branch that has most left to give decides when all of it is drawn. */
static double merge_share_drawn(const weir_source *source)
{
	const merge *m = (const merge *)source;
	double share = INFINITY;
	for (size_t i = 0; i < m->count; i++) {
		double of_branch = weir_source_share_drawn(m->branches[i].source);
		share = of_branch < share || isnan(of_branch) ? of_branch : share;
	}
	return share;
}

static const weir_source_type merge_type = {
    .name = "merge",
    .next = merge_next,
    .rewind = merge_rewind,
    .state_size = merge_state_size,
    .save = merge_save,
    .restore = merge_restore,
    .share_drawn = merge_share_drawn,
    .destroy = merge_destroy,
};

weir_status weir_source_merge(weir_source *const *sources, size_t count, weir_source **merged,
                              weir_error *error)
{
	assert(count >= 1);
	merge *made = weir_allocate(1, sizeof *made);
	branch *branches = weir_allocate(count, sizeof *branches);
	if (made == NULL || branches == NULL) {
		free(made);
		free(branches);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory to merge %zu streams",
		                      count);
	}
	made->source.type = &merge_type;
	made->branches = branches;
	made->count = count;
	for (size_t i = 0; i < count; i++) {
		branches[i].source = sources[i];
	}
	*merged = &made->source;
	return WEIR_OK;
}
