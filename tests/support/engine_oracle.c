#include "support/engine_oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "engine/engine.h"
#include "support/test_support.h"

enum { STALE_HANDLES = 64 };

/* Every ck_assert writes to a pipe, which would take most of the time of millions of operations. */
#define require(condition)                                                                         \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			ck_abort_msg("%s", #condition);                                                        \
		}                                                                                          \
	} while (0)

typedef struct oracle_event {
	double time;
	unsigned event_class;
	uint64_t sequence;
	uint64_t id;
	weir_event_handle handle;
} oracle_event;

typedef struct event_oracle {
	double now;
	uint64_t sequence;
	oracle_event *events; /* latest first: the next event is the last */
	size_t count, most;
	weir_event_handle stale[STALE_HANDLES];
	size_t stale_count; /* ever added; the array is a ring */
	uint64_t scheduled, executed, cancelled, rescheduled;
} event_oracle;

static bool runs_before(const oracle_event *a, const oracle_event *b)
{
	if (a->time != b->time) {
		return a->time < b->time;
	}
	if (a->event_class != b->event_class) {
		return a->event_class < b->event_class;
	}
	return a->sequence < b->sequence;
}

static void oracle_insert(event_oracle *oracle, oracle_event event)
{
	event.sequence = oracle->sequence++;
	size_t low = 0;
	size_t high = oracle->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (runs_before(&event, &oracle->events[middle])) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	memmove(&oracle->events[low + 1], &oracle->events[low],
	        (oracle->count - low) * sizeof *oracle->events);
	oracle->events[low] = event;
	oracle->count++;
	oracle->most = oracle->count > oracle->most ? oracle->count : oracle->most;
}

static oracle_event oracle_remove(event_oracle *oracle, size_t index)
{
	oracle_event event = oracle->events[index];
	oracle->count--;
	memmove(&oracle->events[index], &oracle->events[index + 1],
	        (oracle->count - index) * sizeof *oracle->events);
	return event;
}

static void oracle_copy(event_oracle *target, const event_oracle *source)
{
	oracle_event *events = target->events;
	*target = *source;
	target->events = events;
	memcpy(events, source->events, source->count * sizeof *events);
}

static void remember_stale(event_oracle *oracle, weir_event_handle handle)
{
	oracle->stale[oracle->stale_count++ % STALE_HANDLES] = handle;
}

static double random_time(gsl_rng *random, double now)
{
	switch (gsl_rng_uniform_int(random, 4)) {
	case 0:
		return now;
	case 1:
	case 2: /* many ties, the present time among them */
		return ceil(now) + (double)gsl_rng_uniform_int(random, 8);
	default:
		return now + 10.0 * gsl_rng_uniform(random);
	}
}

static void do_schedule(gsl_rng *random, weir_engine *engine, event_oracle *oracle)
{
	oracle_event event = {
	    .time = random_time(random, oracle->now),
	    .event_class = (unsigned)gsl_rng_uniform_int(random, WEIR_EVENT_CLASSES),
	    .id = oracle->scheduled++,
	};
	event.handle =
	    weir_engine_schedule(engine, event.time, event.event_class,
	                         (weir_event){event.event_class, (uint32_t)(event.id * 7), event.id});
	require(event.handle.generation != 0);
	oracle_insert(oracle, event);
}

static void check_executed(event_oracle *oracle, const weir_engine *engine, const weir_event *event)
{
	oracle_event expected = oracle_remove(oracle, oracle->count - 1);
	require(event->data == expected.id);
	require(event->type == expected.event_class);
	require(event->subject == (uint32_t)(expected.id * 7));
	require(weir_engine_now(engine) == expected.time);
	oracle->now = expected.time;
	oracle->executed++;
	remember_stale(oracle, expected.handle);
}

static void do_pop(weir_engine *engine, event_oracle *oracle)
{
	weir_event event;
	bool popped = weir_engine_pop(engine, &event);
	require(popped == (oracle->count > 0));
	if (popped) {
		check_executed(oracle, engine, &event);
	}
}

static void do_pop_until(gsl_rng *random, weir_engine *engine, event_oracle *oracle)
{
	double until = random_time(random, oracle->now) - (double)gsl_rng_uniform_int(random, 2);
	bool due = oracle->count > 0 && oracle->events[oracle->count - 1].time <= until;
	weir_event event;
	require(weir_engine_pop_until(engine, until, &event) == due);
	if (due) {
		check_executed(oracle, engine, &event);
	}
	require(weir_engine_now(engine) == oracle->now);
}

static void do_cancel(gsl_rng *random, weir_engine *engine, event_oracle *oracle)
{
	if (oracle->count > 0) {
		oracle_event event =
		    oracle_remove(oracle, gsl_rng_uniform_int(random, (unsigned long)oracle->count));
		require(weir_engine_cancel(engine, event.handle));
		oracle->cancelled++;
		remember_stale(oracle, event.handle);
	}
}

static void do_reschedule(gsl_rng *random, weir_engine *engine, event_oracle *oracle)
{
	if (oracle->count > 0) {
		oracle_event event =
		    oracle_remove(oracle, gsl_rng_uniform_int(random, (unsigned long)oracle->count));
		require(weir_engine_time_of(engine, event.handle) == event.time);
		event.time = random_time(random, oracle->now);
		require(weir_engine_reschedule(engine, event.handle, event.time));
		require(weir_engine_time_of(engine, event.handle) == event.time);
		oracle->rescheduled++;
		oracle_insert(oracle, event);
	}
}

static void do_advance(gsl_rng *random, weir_engine *engine, event_oracle *oracle)
{
	double next = oracle->count > 0 ? oracle->events[oracle->count - 1].time : oracle->now + 1.0;
	double share = 0.5 * (double)gsl_rng_uniform_int(random, 3);
	double time = share < 1.0 ? oracle->now + share * (next - oracle->now) : next;
	weir_engine_advance(engine, time);
	oracle->now = time;
}

static void use_stale_handles(gsl_rng *random, weir_engine *engine, event_oracle *oracle)
{
	size_t count = oracle->stale_count < STALE_HANDLES ? oracle->stale_count : STALE_HANDLES;
	if (count > 0) {
		weir_event_handle handle = oracle->stale[gsl_rng_uniform_int(random, (unsigned long)count)];
		require(!weir_engine_is_pending(engine, handle));
		require(!weir_engine_cancel(engine, handle));
		require(!weir_engine_reschedule(engine, handle, oracle->now + 1.0));
	}
}

static void check_state(const weir_engine *engine, const event_oracle *oracle)
{
	double next = oracle->count > 0 ? oracle->events[oracle->count - 1].time : (double)INFINITY;
	require(weir_engine_next_time(engine) == next);
	require(weir_engine_now(engine) == oracle->now);
	weir_engine_counts counts = weir_engine_get_counts(engine);
	require(counts.scheduled == oracle->scheduled);
	require(counts.executed == oracle->executed);
	require(counts.cancelled == oracle->cancelled);
	require(counts.rescheduled == oracle->rescheduled);
	require(counts.pending == oracle->count);
	require(counts.pending_high_water == oracle->most);
}

void engine_against_oracle(uint64_t seed, size_t operations, size_t population)
{
	gsl_rng *random = weir_stream_create(seed, "engine_oracle", population);
	weir_engine *engine = weir_engine_create();
	weir_engine *saved_engine = weir_engine_create();
	event_oracle present = {.events = calloc(population + 1, sizeof(oracle_event))};
	event_oracle saved = {.events = calloc(population + 1, sizeof(oracle_event))};
	bool growing = true;
	size_t target = population;
	for (size_t i = 0; i < operations; i++) {
		if (growing ? present.count >= target : present.count <= target) {
			growing = !growing;
			target = growing ? population - gsl_rng_uniform_int(random, population / 2 + 1)
			                 : gsl_rng_uniform_int(random, population / 4 + 1);
		}
		unsigned long choice = gsl_rng_uniform_int(random, 100);
		/* Of 100 operations 60 schedule when growing, 20 when shrinking; the others share the rest
		 * as they do the numbers below 40. */
		if (choice < (growing ? 60 : 20)) {
			if (present.count < population) {
				do_schedule(random, engine, &present);
			}
		} else if (choice % 40 < 20) {
			do_pop(engine, &present);
		} else if (choice % 40 < 26) {
			do_pop_until(random, engine, &present);
		} else if (choice % 40 < 31) {
			do_cancel(random, engine, &present);
		} else if (choice % 40 < 36) {
			do_reschedule(random, engine, &present);
		} else if (choice % 40 < 37) {
			do_advance(random, engine, &present);
		} else {
			use_stale_handles(random, engine, &present);
		}
		check_state(engine, &present);
		unsigned long rare = gsl_rng_uniform_int(random, 4000);
		if (rare == 0) {
			require(weir_engine_copy(saved_engine, engine) == WEIR_OK);
			oracle_copy(&saved, &present);
		} else if (rare == 1) {
			/* Later handles of the abandoned course may name events of the new one. */
			require(weir_engine_copy(engine, saved_engine) == WEIR_OK);
			oracle_copy(&present, &saved);
		} else if (rare == 2) {
			require(weir_engine_copy(saved_engine, engine) == WEIR_OK);
			oracle_copy(&saved, &present);
			weir_engine *swapped = engine;
			engine = saved_engine;
			saved_engine = swapped;
		}
	}
	while (present.count > 0) {
		do_pop(engine, &present);
	}
	check_state(engine, &present);
	weir_event none;
	require(!weir_engine_pop(engine, &none));
	free(present.events);
	free(saved.events);
	weir_engine_destroy(engine);
	weir_engine_destroy(saved_engine);
	gsl_rng_free(random);
}
