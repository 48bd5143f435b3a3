/* The scale operations of a recorded run, done again: what /scaling_events says must make the
 * instances, the servers and the totals that are recorded. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "run/verification.h"

/* Large, as a read has a fixed cost of its own. */
enum { BLOCK_ROWS = 16384 };

enum {
#define COLUMN_NUMBER(field, type, column, unit, description) COLUMN_##field,
	WEIR_SCALING_EVENT_ROW(COLUMN_NUMBER)
#undef COLUMN_NUMBER
	    COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {
#define COLUMN_NAME(field, type, column, unit, description) #field,
    WEIR_SCALING_EVENT_ROW(COLUMN_NAME)
#undef COLUMN_NAME
};

/* A row in which any number may stand in any column. */
typedef struct event_figures {
#define FIGURE(field, type, column, unit, description) double field;
	WEIR_SCALING_EVENT_ROW(FIGURE)
#undef FIGURE
} event_figures;

typedef enum life_state {
	LIFE_NONE, /* not made yet */
	LIFE_SCALING_UP,
	LIFE_ACTIVE,
	LIFE_DRAINING,
	LIFE_FLIPPING, /* DRAINING, then SCALING_UP: when it was empty is not told */
	LIFE_REMOVED
} life_state;

/* An instance, as the operations so far left it. */
typedef struct life {
	life_state state;
	bool flipped;
	double since, made, active, drain_start, removed; /* NaN: not so far */
	double pool;                                      /* NaN while it flips: either */
	double paid_scaling_up, paid_active;
} life;

typedef struct replay {
	life *lives;         /* by id */
	double *server_made; /* by id; NaN: not so far */
	double *server_removed;
	double last; /* time of the row before */
	double counts[WEIR_SCALING_ACTION_COUNT];
	double refused, moved;
} replay;

static void fail_event(weir_verification *v, uint64_t row, const char *what)
{
	weir_verify_fail(v, WEIR_VERIFY_scaling_events, "row %llu of /scaling_events: %s",
	                 (unsigned long long)row, what);
}

/* Whether an operation can be done to an instance in this state. */
static bool allows(weir_scaling_action action, life_state from)
{
	switch (action) {
	case WEIR_SCALING_INSTANCE_STARTED:
		return from == LIFE_NONE;
	case WEIR_SCALING_INSTANCE_READY:
	case WEIR_SCALING_BOOT_FAILED:
	case WEIR_SCALING_BOOT_CANCELLED:
		return from == LIFE_SCALING_UP;
	case WEIR_SCALING_DRAIN_STARTED:
	case WEIR_SCALING_FLIP_STARTED:
		return from == LIFE_ACTIVE;
	case WEIR_SCALING_DRAIN_REVIVED:
		return from == LIFE_DRAINING;
	case WEIR_SCALING_DRAIN_TIMED_OUT:
		return from == LIFE_DRAINING || from == LIFE_FLIPPING;
	case WEIR_SCALING_FLIPPED:
		return from == LIFE_FLIPPING;
	case WEIR_SCALING_INSTANCE_REMOVED:
		return from == LIFE_SCALING_UP || from == LIFE_DRAINING || from == LIFE_FLIPPING;
	default:
		return from != LIFE_NONE && from != LIFE_REMOVED;
	}
}

static void change_state(life *instance, life_state state, double time)
{
	instance->paid_active += instance->state == LIFE_ACTIVE ? time - instance->since : 0;
	instance->paid_scaling_up += instance->state == LIFE_SCALING_UP ? time - instance->since : 0;
	if (state == LIFE_ACTIVE && isnan(instance->active)) {
		instance->active = time;
	}
	if (state == LIFE_DRAINING || state == LIFE_FLIPPING) {
		instance->drain_start = time;
	}
	instance->state = state;
	instance->since = time;
}

static void do_again(life *instance, const event_figures *row)
{
	switch ((weir_scaling_action)row->action) {
	case WEIR_SCALING_INSTANCE_STARTED:
		instance->made = row->time;
		instance->pool = row->pool;
		change_state(instance, LIFE_SCALING_UP, row->time);
		break;
	case WEIR_SCALING_FLIPPED:
		instance->pool = row->pool;
		change_state(instance, LIFE_ACTIVE, row->time);
		break;
	case WEIR_SCALING_INSTANCE_READY:
	case WEIR_SCALING_DRAIN_REVIVED:
		change_state(instance, LIFE_ACTIVE, row->time);
		break;
	case WEIR_SCALING_DRAIN_STARTED:
		change_state(instance, LIFE_DRAINING, row->time);
		break;
	case WEIR_SCALING_FLIP_STARTED:
		instance->flipped = true;
		instance->pool = NAN;
		change_state(instance, LIFE_FLIPPING, row->time);
		break;
	case WEIR_SCALING_CRASHED:
	case WEIR_SCALING_SERVER_LOST:
		/* One that works stops as if to drain, on the instant. */
		if (instance->state == LIFE_ACTIVE) {
			change_state(instance, LIFE_DRAINING, row->time);
		}
		break;
	case WEIR_SCALING_INSTANCE_REMOVED:
		change_state(instance, LIFE_REMOVED, row->time);
		instance->removed = row->time;
		break;
	default:
		break;
	}
}

static void replay_server(weir_verification *v, replay *all, uint64_t number,
                          const event_figures *row)
{
	bool made = row->action == WEIR_SCALING_SERVER_STARTED;
	if (!made && row->action != WEIR_SCALING_SERVER_REMOVED) {
		return;
	}
	if (!(row->server >= 0 && row->server < v->server_count && row->server == floor(row->server))) {
		fail_event(v, number, "its server never was");
		return;
	}
	double *time = &(made ? all->server_made : all->server_removed)[(size_t)row->server];
	if (!isnan(*time)) {
		fail_event(v, number, "its server was made or removed before");
	}
	*time = row->time;
}

static void replay_event(weir_verification *v, replay *all, uint64_t number,
                         const event_figures *row)
{
	if (!(row->time >= all->last && row->time <= v->totals.end_time)) {
		fail_event(v, number, "its time is before that of the row before, or after the end");
	}
	all->last = row->time;
	if (!(row->action >= 0 && row->action < WEIR_SCALING_ACTION_COUNT && row->reason >= 0 &&
	      row->reason < WEIR_REFUSAL_COUNT)) {
		fail_event(v, number, "its action or reason has no meaning");
		return;
	}
	weir_scaling_action action = (weir_scaling_action)row->action;
	all->counts[action]++;
	bool asks = action == WEIR_SCALING_RESIZE || action == WEIR_SCALING_MIGRATE ||
	            action == WEIR_SCALING_REFUSED;
	if (asks && row->reason != WEIR_REFUSED_NONE) {
		all->refused += fabs(row->asked - row->done);
	} else if (asks && row->asked != row->done) {
		fail_event(v, number, "it was cut for no reason");
	}
	all->moved += action == WEIR_SCALING_DRAIN_TIMED_OUT ? row->done : 0;
	replay_server(v, all, number, row);
	if (row->instance < 0 || action == WEIR_SCALING_REFUSED) {
		return;
	}
	if (!(row->instance < v->instance_count && row->instance == floor(row->instance))) {
		fail_event(v, number, "its instance never was");
		return;
	}
	life *instance = &all->lives[(size_t)row->instance];
	if (!allows(action, instance->state)) {
		fail_event(v, number, "its instance was not in the state for it");
	}
	if (v->instances[(size_t)row->instance].server != row->server) {
		fail_event(v, number, "its instance is on another server");
	}
	do_again(instance, row);
}

static weir_status replay_rows(weir_verification *v, replay *all, uint64_t rows, double *block)
{
	for (uint64_t first = 0; first < rows; first += BLOCK_ROWS) {
		uint64_t count = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
		for (size_t c = 0; c < COLUMN_COUNT; c++) {
			weir_status status =
			    weir_reader_read(v->reader, weir_scaling_events_table.name, column_names[c], first,
			                     count, block + c * BLOCK_ROWS, v->error);
			if (status != WEIR_OK) {
				return status;
			}
		}
		for (uint64_t i = 0; i < count; i++) {
			const event_figures row = {
#define TAKE(field, type, column, unit, description)                                               \
	.field = block[(size_t)COLUMN_##field * BLOCK_ROWS + i],
			    WEIR_SCALING_EVENT_ROW(TAKE)
#undef TAKE
			};
			replay_event(v, all, first + i, &row);
		}
	}
	return WEIR_OK;
}

/* What the operations came to against the row of the instance. */
static void compare_life(weir_verification *v, uint32_t i, life *told)
{
	const weir_verify_instance *row = &v->instances[i];
	if (told->state != LIFE_REMOVED) {
		change_state(told, LIFE_REMOVED, v->totals.end_time);
	}
	bool same = weir_verify_same(told->made, row->created) &&
	            weir_verify_same(told->active, row->active) &&
	            weir_verify_same(told->removed, row->removed) &&
	            (isnan(told->pool) || told->pool == row->pool);
	if (!same || !weir_verify_same(told->drain_start, row->drain_start) ||
	    !weir_verify_close_time(v, told->paid_active, row->paid_active) ||
	    (!told->flipped &&
	     !weir_verify_close_time(v, told->paid_scaling_up, row->paid_scaling_up))) {
		weir_verify_fail(v, WEIR_VERIFY_scaling_events,
		                 "instance %u has another life than the operations on it tell", i);
	}
}

static void compare_count(weir_verification *v, const char *total, double recorded, double told)
{
	if (recorded != told) {
		weir_verify_fail(v, WEIR_VERIFY_scaling_events, "%s is %.17g, of the operations %.17g",
		                 total, recorded, told);
	}
}

static void compare(weir_verification *v, replay *all)
{
	for (uint32_t i = 0; i < v->instance_count; i++) {
		compare_life(v, i, &all->lives[i]);
	}
	for (uint32_t i = 0; i < v->server_count; i++) {
		const weir_verify_server *row = &v->servers[i];
		double made = isnan(all->server_made[i]) ? 0 : all->server_made[i];
		if (made != row->created || !weir_verify_same(all->server_removed[i], row->removed)) {
			weir_verify_fail(v, WEIR_VERIFY_scaling_events,
			                 "server %u has another life than the operations on it tell", i);
		}
	}
	const weir_totals *t = &v->totals;
	const double *n = all->counts;
	compare_count(v, "instances_started", t->instances_started, n[WEIR_SCALING_INSTANCE_STARTED]);
	compare_count(v, "instances_removed", t->instances_removed, n[WEIR_SCALING_INSTANCE_REMOVED]);
	compare_count(v, "flips", t->flips, n[WEIR_SCALING_FLIP_STARTED]);
	compare_count(v, "scale_operations", t->scale_operations,
	              n[WEIR_SCALING_INSTANCE_STARTED] + n[WEIR_SCALING_BOOT_CANCELLED] +
	                  n[WEIR_SCALING_DRAIN_STARTED] + n[WEIR_SCALING_DRAIN_REVIVED] +
	                  n[WEIR_SCALING_FLIP_STARTED]);
	compare_count(v, "operations_refused", t->operations_refused, all->refused);
	compare_count(v, "drain_timeouts", t->drain_timeouts, n[WEIR_SCALING_DRAIN_TIMED_OUT]);
	if (t->moves < all->moved) {
		weir_verify_fail(v, WEIR_VERIFY_scaling_events, "%.17g moves, of the operations %.17g",
		                 t->moves, all->moved);
	}
}

/* Everything as it was at time 0. */
static weir_status begin(weir_verification *v, replay *all)
{
	all->lives = weir_allocate((size_t)v->instance_count + 1, sizeof *all->lives);
	all->server_made = weir_allocate((size_t)v->server_count + 1, sizeof *all->server_made);
	all->server_removed = weir_allocate((size_t)v->server_count + 1, sizeof *all->server_removed);
	if (all->lives == NULL || all->server_made == NULL || all->server_removed == NULL) {
		return weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	}
	for (uint32_t i = 0; i < v->instance_count; i++) {
		bool started = i < v->start_count;
		all->lives[i] = (life){
		    .state = started ? LIFE_ACTIVE : LIFE_NONE,
		    .made = started ? 0 : NAN,
		    .active = started ? 0 : NAN,
		    .drain_start = NAN,
		    .removed = NAN,
		    .pool = started ? (double)v->expected[i].tag : NAN,
		};
	}
	for (uint32_t i = 0; i < v->server_count; i++) {
		all->server_made[i] = all->server_removed[i] = NAN;
	}
	return WEIR_OK;
}

weir_status weir_verify_scaling_events(weir_verification *v)
{
	replay all = {0};
	uint64_t rows = 0;
	double *block = NULL;
	weir_status status =
	    weir_reader_rows(v->reader, weir_scaling_events_table.name, &rows, v->error);
	if (status == WEIR_OK) {
		status = begin(v, &all);
	}
	if (status == WEIR_OK) {
		block = weir_allocate((size_t)COLUMN_COUNT * BLOCK_ROWS, sizeof *block);
		status = block != NULL ? replay_rows(v, &all, rows, block)
		                       : weir_error_set(v->error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	}
	if (status == WEIR_OK) {
		compare(v, &all);
	}
	free(block);
	free(all.lives);
	free(all.server_made);
	free(all.server_removed);
	weir_verify_note(v, WEIR_VERIFY_scaling_events, WEIR_VERIFY_HOLDS, "%llu rows",
	                 (unsigned long long)rows);
	return status;
}
