/*
 * The event engine: a pending-event set ordered by (time, class, sequence) and a clock.
 *
 * It knows nothing of what an event means: an event carries a type, a subject and a word of data,
 * and whoever steps the engine dispatches on them. Equal times run by class, then
 * first-in-first-out in the order in which they were scheduled; a rescheduled event counts as newly
 * scheduled.
 *
 * Cost: schedule, cancel, reschedule and pop are O(log n) in the number pending; a pop followed by
 * a schedule costs one walk down the heap, not two; what is scheduled at the current time goes to a
 * first-in-first-out lane of its class in O(1). Nothing is allocated once the high-water mark has
 * been reached. At most 2^24 events can be pending.
 */
#ifndef WEIR_ENGINE_ENGINE_H
#define WEIR_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_engine weir_engine;

enum { WEIR_EVENT_CLASSES = 8 };

typedef struct weir_event {
	uint32_t type;    /* of the caller */
	uint32_t subject; /* of the caller, an index as a rule */
	uint64_t data;    /* of the caller */
} weir_event;

/* Names one scheduled event; stale once it has run or was cancelled. The zero handle names none. */
typedef struct weir_event_handle {
	uint32_t slot;
	uint32_t generation;
} weir_event_handle;

typedef struct weir_engine_counts {
	uint64_t scheduled, executed, cancelled, rescheduled;
	uint64_t pending, pending_high_water;
} weir_engine_counts;

/* An empty engine at time 0; NULL when memory is out. */
WEIR_API weir_engine *weir_engine_create(void);
WEIR_API void weir_engine_destroy(weir_engine *engine);

/* The current time in seconds: that of the event last popped, or what weir_engine_advance set. */
WEIR_API double weir_engine_now(const weir_engine *engine);

/*
 * Schedules `event` at `time` (seconds; finite, not before now: asserted) in class 0..7. When
 * memory is out, or 2^24 events are pending, the zero handle is returned and the engine is as
 * before.
 */
WEIR_API weir_event_handle weir_engine_schedule(weir_engine *engine, double time,
                                                unsigned event_class, weir_event event);

/* False when the handle is stale: nothing happens then. */
WEIR_API bool weir_engine_cancel(weir_engine *engine, weir_event_handle handle);
WEIR_API bool weir_engine_reschedule(weir_engine *engine, weir_event_handle handle, double time);
WEIR_API bool weir_engine_is_pending(const weir_engine *engine, weir_event_handle handle);
/* The time at which a pending event will run; asserted that it is pending. */
WEIR_API double weir_engine_time_of(const weir_engine *engine, weir_event_handle handle);

/* The time of the next event; +infinity when none is pending. */
WEIR_API double weir_engine_next_time(const weir_engine *engine);

/* Takes the next event out, moves the clock to it and returns true; false when none is pending. */
WEIR_API bool weir_engine_pop(weir_engine *engine, weir_event *event);

/* As weir_engine_pop, but only when that event is due at or before `until`; otherwise false, the
 * clock unchanged. */
WEIR_API bool weir_engine_pop_until(weir_engine *engine, double until, weir_event *event);

/* Moves the clock on to `time` (not before now, not after the next event: asserted). */
WEIR_API void weir_engine_advance(weir_engine *engine, double time);

/* Runs events through `handler` until none is left, or none at or before `until`, or the handler
 * returns false. Returns the number run. */
typedef bool (*weir_event_handler)(void *context, double now, const weir_event *event);
WEIR_API uint64_t weir_engine_run(weir_engine *engine, double until, weir_event_handler handler,
                                  void *context);

WEIR_API weir_engine_counts weir_engine_get_counts(const weir_engine *engine);

/* Makes `target` equal to `source`, pending events, clock, sequence and counts; handles of `source`
 * are valid in `target`. WEIR_ERROR_MEMORY leaves `target` as it was. */
WEIR_API weir_status weir_engine_copy(weir_engine *target, const weir_engine *source);

/* Drops all events and sets the clock and the counts to 0; handles become stale. */
WEIR_API void weir_engine_reset(weir_engine *engine);

WEIR_END_C

#endif
