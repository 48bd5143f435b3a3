#include "workload/superpose.h"

#include <assert.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "workload/source_state.h"

/* A copy that has not come yet. Its prefix hashes are its own, since those of the inner source live
 * only until that is drawn from again. */
typedef struct copy {
	weir_request request;
	uint64_t *hashes;
	size_t hash_capacity;
} copy;

typedef struct waiting {
	double arrival;
	uint64_t made; /* its number among all copies: the order at equal arrivals */
	size_t slot;   /* in `slots` */
} waiting;

/* Snapshots hold this, the random stream, each waiting copy, and the inner source. */
typedef struct superpose_state {
	double horizon; /* no copy that is still to be made comes before this */
	uint64_t made;
	size_t waiting_count;
	bool ended; /* the inner source */
} superpose_state;

typedef struct superpose {
	weir_source source;
	weir_source *inner;
	int64_t copies;
	double jitter;
	gsl_rng *random, *first; /* the stream, and as it began */
	superpose_state state;
	copy *slots; /* those below waiting_count + free_count are either waiting or free */
	size_t slot_capacity;
	size_t *free; /* slots to use again */
	size_t free_count, free_capacity;
	size_t handed; /* the slot of the request last handed out, whose hashes are still in use */
	bool handed_any;
	waiting *heap; /* binary, the earliest first */
	size_t heap_capacity;
} superpose;

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the copies of requests");
}

static bool before(const waiting *a, const waiting *b)
{
	return a->arrival < b->arrival || (a->arrival == b->arrival && a->made < b->made);
}

static void heap_push(superpose *s, waiting added)
{
	size_t at = s->state.waiting_count++;
	for (size_t parent; at > 0 && before(&added, &s->heap[parent = (at - 1) / 2]); at = parent) {
		s->heap[at] = s->heap[parent];
	}
	s->heap[at] = added;
}

static waiting heap_pop(superpose *s)
{
	waiting earliest = s->heap[0];
	size_t count = --s->state.waiting_count;
	waiting moved = s->heap[count];
	size_t at = 0;
	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && before(&s->heap[child + 1], &s->heap[child])) {
			child++;
		}
		if (!before(&s->heap[child], &moved)) {
			break;
		}
		s->heap[at] = s->heap[child];
	}
	s->heap[at] = moved;
	return earliest;
}

/* Room for `more` copies beyond those that wait: slots on the free list, and places in the heap. */
static bool make_room(superpose *s, size_t more)
{
	size_t waiting_count = s->state.waiting_count;
	if (!weir_reserve_raw((void **)&s->heap, &s->heap_capacity, waiting_count + more,
	                      sizeof *s->heap)) {
		return false;
	}
	/* All slots may be free at once. */
	size_t slots = waiting_count + s->free_count;
	size_t needed = waiting_count + more;
	if (needed <= slots) {
		return true;
	}
	if (!weir_reserve((void **)&s->slots, &s->slot_capacity, needed, sizeof *s->slots) ||
	    !weir_reserve_raw((void **)&s->free, &s->free_capacity, needed, sizeof *s->free)) {
		return false;
	}
	for (size_t slot = slots; slot < needed; slot++) {
		s->free[s->free_count++] = slot;
	}
	return true;
}

/* Lets a copy wait; there is room for it. */
static weir_status add_copy(superpose *s, const weir_request *request, double arrival,
                            uint64_t made, const void *hashes, weir_error *error)
{
	size_t slot = s->free[s->free_count - 1];
	copy *added = &s->slots[slot];
	size_t count = request->prefix_hash_count;
	if (count > 0) {
		if (!weir_reserve_raw((void **)&added->hashes, &added->hash_capacity, count,
		                      sizeof *added->hashes)) {
			return no_memory(error);
		}
		memcpy(added->hashes, hashes, count * sizeof *added->hashes);
	}
	s->free_count--;
	added->request = *request;
	added->request.arrival = arrival;
	added->request.prefix_hashes = count > 0 ? added->hashes : NULL;
	heap_push(s, (waiting){.arrival = arrival, .made = made, .slot = slot});
	return WEIR_OK;
}

/* Draws the next request of the inner source and makes its copies. */
static weir_status draw(superpose *s, weir_error *error)
{
	weir_request request;
	bool any = false;
	weir_status status = weir_source_next(s->inner, &request, &any, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (!any) {
		s->state.ended = true;
		s->state.horizon = INFINITY;
		return WEIR_OK;
	}
	s->state.horizon = request.arrival;
	if (!make_room(s, (size_t)s->copies)) {
		return no_memory(error);
	}
	for (int64_t i = 0; i < s->copies && status == WEIR_OK; i++) {
		double arrival = request.arrival + s->jitter * gsl_rng_uniform(s->random);
		status = add_copy(s, &request, arrival, s->state.made++, request.prefix_hashes, error);
	}
	return status;
}

static void release_handed(superpose *s)
{
	if (s->handed_any) {
		s->free[s->free_count++] = s->handed;
		s->handed_any = false;
	}
}

static weir_status superpose_next(weir_source *source, weir_request *request, bool *more,
                                  weir_error *error)
{
	superpose *s = (superpose *)source;
	*more = false;
	release_handed(s);
	while (!s->state.ended &&
	       (s->state.waiting_count == 0 || s->heap[0].arrival > s->state.horizon)) {
		weir_status status = draw(s, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	if (s->state.waiting_count > 0) {
		s->handed = heap_pop(s).slot;
		s->handed_any = true;
		*request = s->slots[s->handed].request;
		*more = true;
	}
	return WEIR_OK;
}

/* As if nothing had been drawn, but for the inner source. */
static void forget(superpose *s)
{
	release_handed(s);
	while (s->state.waiting_count > 0) {
		s->free[s->free_count++] = s->heap[--s->state.waiting_count].slot;
	}
	s->state = (superpose_state){0};
	gsl_rng_memcpy(s->random, s->first);
}

static weir_status superpose_rewind(weir_source *source, weir_error *error)
{
	superpose *s = (superpose *)source;
	weir_status status = weir_source_rewind(s->inner, error);
	if (status == WEIR_OK) {
		forget(s);
	}
	return status;
}

static size_t superpose_state_size(const weir_source *source)
{
	const superpose *s = (const superpose *)source;
	if (weir_source_state_size(s->inner) == 0) {
		return 0;
	}
	size_t size = sizeof s->state + gsl_rng_size(s->random) + source_state_inner_size(s->inner);
	for (size_t i = 0; i < s->state.waiting_count; i++) {
		const weir_request *request = &s->slots[s->heap[i].slot].request;
		size += sizeof(uint64_t) + sizeof *request + request->prefix_hash_count * sizeof(uint64_t);
	}
	return size;
}

static void superpose_save(const weir_source *source, void *state)
{
	const superpose *s = (const superpose *)source;
	char *cursor = state;
	source_state_put(&cursor, &s->state, sizeof s->state);
	source_state_put(&cursor, gsl_rng_state(s->random), gsl_rng_size(s->random));
	for (size_t i = 0; i < s->state.waiting_count; i++) {
		weir_request request = s->slots[s->heap[i].slot].request;
		const uint64_t *hashes = request.prefix_hashes;
		request.prefix_hashes = NULL; /* an address says nothing in a snapshot */
		source_state_put(&cursor, &s->heap[i].made, sizeof s->heap[i].made);
		source_state_put(&cursor, &request, sizeof request);
		if (request.prefix_hash_count > 0) {
			source_state_put(&cursor, hashes, request.prefix_hash_count * sizeof *hashes);
		}
	}
	source_state_put_inner(&cursor, s->inner);
}

static weir_status superpose_restore(weir_source *source, const void *state, weir_error *error)
{
	superpose *s = (superpose *)source;
	const char *cursor = state;
	superpose_state saved;
	source_state_get(&cursor, &saved, sizeof saved);
	forget(s);
	source_state_get(&cursor, gsl_rng_state(s->random), gsl_rng_size(s->random));
	if (!make_room(s, saved.waiting_count)) {
		return no_memory(error);
	}
	for (size_t i = 0; i < saved.waiting_count; i++) {
		uint64_t made;
		weir_request request;
		source_state_get(&cursor, &made, sizeof made);
		source_state_get(&cursor, &request, sizeof request);
		weir_status status = add_copy(s, &request, request.arrival, made, cursor, error);
		if (status != WEIR_OK) {
			return status;
		}
		cursor += request.prefix_hash_count * sizeof(uint64_t);
	}
	s->state = saved;
	return source_state_get_inner(&cursor, s->inner, error);
}

/* Behind the inner source by what waits, which is little of a stream worth watching. */
static double superpose_share_drawn(const weir_source *source)
{
	return weir_source_share_drawn(((const superpose *)source)->inner);
}

static void superpose_destroy(weir_source *source)
{
	superpose *s = (superpose *)source;
	weir_source_destroy(s->inner);
	gsl_rng_free(s->random);
	gsl_rng_free(s->first);
	for (size_t i = 0; i < s->slot_capacity; i++) {
		free(s->slots[i].hashes);
	}
	free(s->slots);
	free(s->free);
	free(s->heap);
	free(s);
}

static const weir_source_type superpose_type = {
    .name = "superpose",
    .next = superpose_next,
    .rewind = superpose_rewind,
    .state_size = superpose_state_size,
    .save = superpose_save,
    .restore = superpose_restore,
    .share_drawn = superpose_share_drawn,
    .destroy = superpose_destroy,
};

weir_status weir_source_superpose(weir_source **source, int64_t copies, double jitter,
                                  uint64_t seed, weir_error *error)
{
	assert(copies >= 1 && jitter >= 0 && isfinite(jitter));
	if (copies == 1 && jitter == 0) {
		return WEIR_OK;
	}
	superpose *made = weir_allocate(1, sizeof *made);
	gsl_rng *first = weir_stream_create(seed, "superpose", 0);
	gsl_rng *random = first != NULL ? gsl_rng_clone(first) : NULL;
	if (made == NULL || random == NULL) {
		free(made);
		gsl_rng_free(first);
		gsl_rng_free(random);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a superposed stream");
	}
	made->source.type = &superpose_type;
	made->inner = *source;
	made->copies = copies;
	made->jitter = jitter;
	made->first = first;
	made->random = random;
	*source = &made->source;
	return WEIR_OK;
}
