#include "engine/engine.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/*
 * A 4-ary heap of 128-bit keys {time bits : 64 | class : 3 | sequence : 37 | slot : 24}. The bits
 * of a non-negative double order as the number does, so one integer comparison orders the events,
 * and the four children of a node share a cache line. `positions` says where in the heap each
 * slot's key is; it is apart from the slots because every move of a key writes it.
 *
 * What is scheduled at the current time goes to the lane of its class, a list linked through the
 * slots. The heap's events of that time and class were scheduled before the clock got there, hence
 * before all of the lane, so between the two only the classes need comparing.
 */
__extension__ typedef unsigned __int128 event_key;

#ifndef WEIR_ENGINE_SLOT_BITS /* a test sets fewer bits, to reach the limits */
#define WEIR_ENGINE_SLOT_BITS     24
#define WEIR_ENGINE_SEQUENCE_BITS 37
#endif

enum {
	ARITY = 4,
	ROOT_OFFSET = ARITY - 1, /* puts every group of siblings at the start of a cache line */
	CACHE_LINE = 64,
	SLOT_BITS = WEIR_ENGINE_SLOT_BITS,
	SEQUENCE_BITS = WEIR_ENGINE_SEQUENCE_BITS,
	CLASS_SHIFT = 61,
	MAX_SLOTS = 1 << SLOT_BITS,
	FIRST_CAPACITY = 64,
	PREFETCH_SIZE = 16384, /* keys that outgrow the nearer caches */
};

#define NO_SLOT UINT32_MAX
/* Plus the class: the position of what is in a lane, above every heap index. */
#define LANE_POSITION (UINT32_MAX - WEIR_EVENT_CLASSES)
#define LAST_KEY      (~(event_key)0)
#define MAX_SEQUENCE  ((UINT64_C(1) << SEQUENCE_BITS) - 1)

_Static_assert(WEIR_EVENT_CLASSES <= 8, "the class has three bits");
_Static_assert(SEQUENCE_BITS + SLOT_BITS <= CLASS_SHIFT, "the key's low word overflows");
_Static_assert(SEQUENCE_BITS > SLOT_BITS, "renumbering must free sequence numbers");
_Static_assert(ARITY * sizeof(event_key) == CACHE_LINE, "siblings should fill a cache line");

typedef struct event_slot {
	weir_event event;
	uint32_t generation; /* of the present event, or of the next one; never 0 once used */
	uint32_t next;       /* in its lane, or in the list of free slots */
	uint32_t previous;   /* in its lane */
} event_slot;

typedef struct event_lane {
	uint32_t first, last;
} event_lane;

struct weir_engine {
	double now;
	event_key *heap; /* [size]; LAST_KEY from there to the end, so that siblings need no count */
	uint32_t *positions; /* by slot: index in heap, or LANE_POSITION + class */
	event_slot *slots;
	uint32_t size;
	/*
	 * The root's event was popped but its key is still there, smaller than all the others. The next
	 * event scheduled takes its place: one walk down the heap for a pop and a schedule, not two.
	 */
	bool vacant_root;
	uint32_t capacity;
	uint32_t used_slots; /* as free slots are taken first, also the most that were ever pending */
	uint32_t free_slot;
	uint32_t lane_size; /* of all lanes */
	uint32_t lane_mask; /* bit c: lane c is not empty */
	event_lane lanes[WEIR_EVENT_CLASSES];
	uint64_t sequence;
	uint64_t scheduled, cancelled, rescheduled;
};

static uint64_t bits_of_time(double time)
{
	uint64_t bits;
	memcpy(&bits, &time, sizeof bits);
	return bits;
}

static double time_of_key(event_key key)
{
	uint64_t bits = (uint64_t)(key >> 64);
	double time;
	memcpy(&time, &bits, sizeof time);
	return time;
}

static uint32_t slot_of_key(event_key key)
{
	return (uint32_t)key & (MAX_SLOTS - 1);
}

static unsigned class_of_key(event_key key)
{
	return (unsigned)((uint64_t)key >> CLASS_SHIFT);
}

static event_key make_key(double time, unsigned event_class, uint64_t sequence, uint32_t slot)
{
	uint64_t low = (uint64_t)event_class << CLASS_SHIFT | sequence << SLOT_BITS | slot;
	return (event_key)bits_of_time(time) << 64 | low;
}

/* --- the heap --- */

static void place(weir_engine *engine, uint32_t index, event_key key)
{
	engine->heap[index] = key;
	engine->positions[slot_of_key(key)] = index;
}

/* By arithmetic: which of two keys is the lesser cannot be predicted, so a branch would cost more.
 */
static event_key choose(bool second, event_key a, event_key b)
{
	uint64_t mask = 0 - (uint64_t)second;
	uint64_t high = (uint64_t)(a >> 64) ^ (((uint64_t)(a >> 64) ^ (uint64_t)(b >> 64)) & mask);
	uint64_t low = (uint64_t)a ^ (((uint64_t)a ^ (uint64_t)b) & mask);
	return (event_key)high << 64 | low;
}

/* The least of four siblings, which may lie past the end. */
static uint32_t least_sibling(const event_key *heap, uint32_t first, event_key *least)
{
	const event_key *group = heap + first;
	bool second = group[1] < group[0];
	bool fourth = group[3] < group[2];
	event_key left = choose(second, group[0], group[1]);
	event_key right = choose(fourth, group[2], group[3]);
	bool in_right = right < left;
	*least = choose(in_right, left, right);
	uint32_t mask = 0 - (uint32_t)in_right;
	return first + (((uint32_t)second & ~mask) | ((2 + (uint32_t)fourth) & mask));
}

static void sift_up(weir_engine *engine, uint32_t index, event_key key)
{
	const event_key *heap = engine->heap;
	while (index > 0) {
		uint32_t parent = (index - 1) / ARITY;
		if (heap[parent] < key) {
			break;
		}
		place(engine, index, heap[parent]);
		index = parent;
	}
	place(engine, index, key);
}

static void sift_down(weir_engine *engine, uint32_t index, event_key key)
{
	const event_key *heap = engine->heap;
	for (;;) {
		uint32_t child = ARITY * index + 1;
		if (child >= engine->size) {
			break;
		}
		uint32_t grandchild = ARITY * child + 1;
		if (engine->size > PREFETCH_SIZE && grandchild + ARITY * ARITY <= engine->size) {
			for (uint32_t i = 0; i < ARITY; i++) {
				__builtin_prefetch(heap + grandchild + ARITY * i);
			}
		}
		event_key least;
		child = least_sibling(heap, child, &least);
		if (key < least) {
			break;
		}
		place(engine, index, least);
		index = child;
	}
	place(engine, index, key);
}

static void insert_key(weir_engine *engine, event_key key)
{
	if (engine->vacant_root) {
		engine->vacant_root = false;
		sift_down(engine, 0, key);
	} else {
		sift_up(engine, engine->size++, key);
	}
}

static void remove_at(weir_engine *engine, uint32_t index)
{
	event_key removed = engine->heap[index];
	event_key last = engine->heap[--engine->size];
	engine->heap[engine->size] = LAST_KEY;
	if (index == engine->size) {
		return;
	}
	if (last < removed) {
		sift_up(engine, index, last);
	} else {
		sift_down(engine, index, last);
	}
}

static void fill_vacant_root(weir_engine *engine)
{
	if (engine->vacant_root) {
		engine->vacant_root = false;
		remove_at(engine, 0);
	}
}

static int compare_keys(const void *left, const void *right)
{
	event_key a = *(const event_key *)left;
	event_key b = *(const event_key *)right;
	return (a > b) - (a < b);
}

/* Numbers what is pending from 0 on in its order; a sorted array is a heap. */
static void renumber(weir_engine *engine)
{
	fill_vacant_root(engine);
	qsort(engine->heap, engine->size, sizeof *engine->heap, compare_keys);
	for (uint32_t i = 0; i < engine->size; i++) {
		event_key key = engine->heap[i];
		place(engine, i, make_key(time_of_key(key), class_of_key(key), i, slot_of_key(key)));
	}
	engine->sequence = engine->size;
}

static uint64_t next_sequence(weir_engine *engine)
{
	if (engine->sequence > MAX_SEQUENCE) {
		renumber(engine);
	}
	return engine->sequence++;
}

/* --- the lanes --- */

static void append_to_lane(weir_engine *engine, unsigned event_class, uint32_t slot)
{
	event_lane *lane = &engine->lanes[event_class];
	engine->slots[slot].next = NO_SLOT;
	engine->slots[slot].previous = lane->last;
	if (lane->last == NO_SLOT) {
		lane->first = slot;
		engine->lane_mask |= 1u << event_class;
	} else {
		engine->slots[lane->last].next = slot;
	}
	lane->last = slot;
	engine->lane_size++;
	engine->positions[slot] = LANE_POSITION + event_class;
}

static void remove_from_lane(weir_engine *engine, unsigned event_class, uint32_t slot)
{
	event_lane *lane = &engine->lanes[event_class];
	uint32_t next = engine->slots[slot].next;
	uint32_t previous = engine->slots[slot].previous;
	if (previous == NO_SLOT) {
		lane->first = next;
	} else {
		engine->slots[previous].next = next;
	}
	if (next == NO_SLOT) {
		lane->last = previous;
	} else {
		engine->slots[next].previous = previous;
	}
	if (lane->first == NO_SLOT) {
		engine->lane_mask &= ~(1u << event_class);
	}
	engine->lane_size--;
}

static void clear_lanes(weir_engine *engine)
{
	for (unsigned i = 0; i < WEIR_EVENT_CLASSES; i++) {
		engine->lanes[i] = (event_lane){NO_SLOT, NO_SLOT};
	}
	engine->lane_size = 0;
	engine->lane_mask = 0;
}

/* --- slots and memory --- */

/* Makes room for `needed` slots; false, with nothing changed, when memory is out. */
static bool reserve_slots(weir_engine *engine, uint32_t needed)
{
	if (needed <= engine->capacity) {
		return true;
	}
	if (needed > MAX_SLOTS) {
		return false;
	}
	uint32_t capacity = engine->capacity > 0 ? engine->capacity : FIRST_CAPACITY;
	while (capacity < needed) {
		capacity *= 2;
	}
	/* A multiple of ARITY keys, so that the last group of siblings is whole. */
	size_t keys = (size_t)capacity + ARITY;
	event_key *block = aligned_alloc(CACHE_LINE, keys * sizeof *block);
	uint32_t *positions = weir_allocate(capacity, sizeof *positions);
	event_slot *slots = weir_allocate(capacity, sizeof *slots);
	if (block == NULL || positions == NULL || slots == NULL) {
		free(block);
		free(positions);
		free(slots);
		return false;
	}
	memset(block, 0xff, keys * sizeof *block);
	if (engine->capacity > 0) {
		event_key *old = engine->heap - ROOT_OFFSET;
		memcpy(block, old, (ROOT_OFFSET + (size_t)engine->size) * sizeof *block);
		memcpy(positions, engine->positions, engine->capacity * sizeof *positions);
		memcpy(slots, engine->slots, engine->capacity * sizeof *slots);
		free(old);
		free(engine->positions);
		free(engine->slots);
	}
	engine->heap = block + ROOT_OFFSET;
	engine->positions = positions;
	engine->slots = slots;
	engine->capacity = capacity;
	return true;
}

static void advance_generation(event_slot *slot)
{
	/* 0 is the generation of the zero handle. */
	if (++slot->generation == 0) {
		slot->generation = 1;
	}
}

static uint32_t take_slot(weir_engine *engine)
{
	uint32_t slot = engine->free_slot;
	if (slot != NO_SLOT) {
		engine->free_slot = engine->slots[slot].next;
		return slot;
	}
	if (!reserve_slots(engine, engine->used_slots + 1)) {
		return NO_SLOT;
	}
	slot = engine->used_slots++;
	if (engine->slots[slot].generation == 0) {
		engine->slots[slot].generation = 1;
	}
	return slot;
}

static void release_slot(weir_engine *engine, uint32_t slot)
{
	advance_generation(&engine->slots[slot]);
	engine->slots[slot].next = engine->free_slot;
	engine->free_slot = slot;
}

static bool is_in_lane(uint32_t position)
{
	return position >= LANE_POSITION;
}

static unsigned class_of_slot(const weir_engine *engine, uint32_t slot)
{
	uint32_t position = engine->positions[slot];
	return is_in_lane(position) ? position - LANE_POSITION : class_of_key(engine->heap[position]);
}

static void attach(weir_engine *engine, uint32_t slot, double time, unsigned event_class)
{
	if (time == engine->now) {
		append_to_lane(engine, event_class, slot);
	} else {
		insert_key(engine, make_key(time, event_class, next_sequence(engine), slot));
	}
}

static void detach(weir_engine *engine, uint32_t slot)
{
	uint32_t position = engine->positions[slot];
	if (is_in_lane(position)) {
		remove_from_lane(engine, position - LANE_POSITION, slot);
	} else {
		remove_at(engine, position);
	}
}

/* --- the public functions --- */

weir_engine *weir_engine_create(void)
{
	weir_engine *engine = weir_allocate(1, sizeof *engine);
	if (engine == NULL) {
		return NULL;
	}
	engine->free_slot = NO_SLOT;
	clear_lanes(engine);
	if (!reserve_slots(engine, FIRST_CAPACITY)) {
		free(engine);
		return NULL;
	}
	return engine;
}

void weir_engine_destroy(weir_engine *engine)
{
	if (engine == NULL) {
		return;
	}
	free(engine->heap - ROOT_OFFSET);
	free(engine->positions);
	free(engine->slots);
	free(engine);
}

double weir_engine_now(const weir_engine *engine)
{
	return engine->now;
}

weir_event_handle weir_engine_schedule(weir_engine *engine, double time, unsigned event_class,
                                       weir_event event)
{
	assert(isfinite(time) && time >= engine->now);
	assert(event_class < WEIR_EVENT_CLASSES);
	uint32_t slot = take_slot(engine);
	if (slot == NO_SLOT) {
		return (weir_event_handle){0, 0};
	}
	engine->slots[slot].event = event;
	attach(engine, slot, time, event_class);
	engine->scheduled++;
	return (weir_event_handle){slot, engine->slots[slot].generation};
}

bool weir_engine_is_pending(const weir_engine *engine, weir_event_handle handle)
{
	return handle.slot < engine->used_slots &&
	       engine->slots[handle.slot].generation == handle.generation;
}

bool weir_engine_cancel(weir_engine *engine, weir_event_handle handle)
{
	if (!weir_engine_is_pending(engine, handle)) {
		return false;
	}
	detach(engine, handle.slot);
	release_slot(engine, handle.slot);
	engine->cancelled++;
	return true;
}

bool weir_engine_reschedule(weir_engine *engine, weir_event_handle handle, double time)
{
	assert(isfinite(time) && time >= engine->now);
	if (!weir_engine_is_pending(engine, handle)) {
		return false;
	}
	uint32_t slot = handle.slot;
	unsigned event_class = class_of_slot(engine, slot);
	if (time == engine->now || is_in_lane(engine->positions[slot])) {
		detach(engine, slot);
		attach(engine, slot, time, event_class);
	} else {
		/* Before the position is read: renumbering moves keys. */
		uint64_t sequence = next_sequence(engine);
		uint32_t position = engine->positions[slot];
		event_key key = make_key(time, event_class, sequence, slot);
		if (key < engine->heap[position]) {
			sift_up(engine, position, key);
		} else {
			sift_down(engine, position, key);
		}
	}
	engine->rescheduled++;
	return true;
}

double weir_engine_time_of(const weir_engine *engine, weir_event_handle handle)
{
	assert(weir_engine_is_pending(engine, handle));
	uint32_t position = engine->positions[handle.slot];
	return is_in_lane(position) ? engine->now : time_of_key(engine->heap[position]);
}

double weir_engine_next_time(const weir_engine *engine)
{
	if (engine->lane_mask != 0) {
		return engine->now;
	}
	if (engine->size == (uint32_t)engine->vacant_root) {
		return INFINITY;
	}
	event_key least = engine->heap[0];
	if (engine->vacant_root) {
		least_sibling(engine->heap, 1, &least);
	}
	return time_of_key(least);
}

static void take_event(weir_engine *engine, uint32_t slot, weir_event *event)
{
	*event = engine->slots[slot].event;
	release_slot(engine, slot);
}

bool weir_engine_pop_until(weir_engine *engine, double until, weir_event *event)
{
	fill_vacant_root(engine);
	if (engine->lane_mask != 0) {
		if (engine->now > until) {
			return false;
		}
		unsigned event_class = (unsigned)__builtin_ctz(engine->lane_mask);
		event_key root = engine->heap[0];
		if (engine->size == 0 || time_of_key(root) > engine->now ||
		    class_of_key(root) > event_class) {
			uint32_t slot = engine->lanes[event_class].first;
			remove_from_lane(engine, event_class, slot);
			take_event(engine, slot, event);
			return true;
		}
	}
	if (engine->size == 0) {
		return false;
	}
	double time = time_of_key(engine->heap[0]);
	if (time > until) {
		return false;
	}
	engine->now = time;
	engine->vacant_root = true;
	take_event(engine, slot_of_key(engine->heap[0]), event);
	return true;
}

bool weir_engine_pop(weir_engine *engine, weir_event *event)
{
	return weir_engine_pop_until(engine, INFINITY, event);
}

void weir_engine_advance(weir_engine *engine, double time)
{
	assert(isfinite(time) && time >= engine->now && time <= weir_engine_next_time(engine));
	engine->now = time + 0.0; /* never -0.0 */
}

uint64_t weir_engine_run(weir_engine *engine, double until, weir_event_handler handler,
                         void *context)
{
	uint64_t run = 0;
	weir_event event;
	while (weir_engine_pop_until(engine, until, &event)) {
		run++;
		if (!handler(context, engine->now, &event)) {
			break;
		}
	}
	return run;
}

weir_engine_counts weir_engine_get_counts(const weir_engine *engine)
{
	uint64_t pending = (uint64_t)engine->size - engine->vacant_root + engine->lane_size;
	return (weir_engine_counts){
	    .scheduled = engine->scheduled,
	    .executed = engine->scheduled - engine->cancelled - pending,
	    .cancelled = engine->cancelled,
	    .rescheduled = engine->rescheduled,
	    .pending = pending,
	    .pending_high_water = engine->used_slots,
	};
}

weir_status weir_engine_copy(weir_engine *target, const weir_engine *source)
{
	if (target == source) {
		return WEIR_OK;
	}
	if (!reserve_slots(target, source->capacity)) {
		return WEIR_ERROR_MEMORY;
	}
	weir_engine old = *target;
	*target = *source;
	target->heap = old.heap;
	target->positions = old.positions;
	target->slots = old.slots;
	target->capacity = old.capacity;
	memcpy(target->heap, source->heap, source->size * sizeof *target->heap);
	for (uint32_t i = source->size; i < old.size; i++) {
		target->heap[i] = LAST_KEY;
	}
	memcpy(target->positions, source->positions, source->used_slots * sizeof *target->positions);
	/* All slots: those unused since a reset keep the generations that make old handles stale. */
	memcpy(target->slots, source->slots, source->capacity * sizeof *target->slots);
	return WEIR_OK;
}

void weir_engine_reset(weir_engine *engine)
{
	for (uint32_t i = 0; i < engine->used_slots; i++) {
		advance_generation(&engine->slots[i]);
	}
	memset(engine->heap, 0xff, engine->size * sizeof *engine->heap);
	clear_lanes(engine);
	engine->now = 0.0;
	engine->size = 0;
	engine->vacant_root = false;
	engine->used_slots = 0;
	engine->free_slot = NO_SLOT;
	engine->sequence = 0;
	engine->scheduled = 0;
	engine->cancelled = 0;
	engine->rescheduled = 0;
}
