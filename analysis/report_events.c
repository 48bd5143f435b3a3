/* What policies decided and what faults did: marks in the panels of instances, and a table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_parts.h"
#include "base/memory.h"

static const char table[] = "scaling_events";

static weir_status out_of_memory(const weir_report_run *run)
{
	return weir_error_set(run->error, WEIR_ERROR_MEMORY, weir_reader_path(run->file->reader),
	                      "out of memory for the report");
}

/* What a row is to the reader of a report. */
typedef enum event_kind {
	EVENT_OTHER, /* nothing to mark */
	EVENT_RESIZE,
	EVENT_MIGRATE,
	EVENT_FAULT,
	EVENT_REFUSED
} event_kind;

static event_kind kind_of(const char *action)
{
	static const struct {
		const char *action;
		event_kind kind;
	} kinds[] = {
	    {"resize", EVENT_RESIZE},     {"migrate", EVENT_MIGRATE},
	    {"crashed", EVENT_FAULT},     {"server_lost", EVENT_FAULT},
	    {"boot_failed", EVENT_FAULT}, {"preemption_notice", EVENT_FAULT},
	    {"stock_out", EVENT_FAULT},   {"drain_timed_out", EVENT_FAULT},
	    {"refused", EVENT_REFUSED},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(action, kinds[i].action) == 0) {
			return kinds[i].kind;
		}
	}
	return EVENT_OTHER;
}

/* The columns that are needed, whole. */
typedef struct event_columns {
	double *time, *action, *application, *pool, *asked, *done;
	char *actor;
	weir_value_names actions;
} event_columns;

static weir_status read_columns(weir_report_run *run, event_columns *c)
{
	const struct {
		const char *name;
		double **values;
	} columns[] = {{"time", &c->time}, {"action", &c->action}, {"application", &c->application},
	               {"pool", &c->pool}, {"asked", &c->asked},   {"done", &c->done}};
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < sizeof columns / sizeof columns[0]; i++) {
		status =
		    weir_run_file_column(run->file, table, columns[i].name, columns[i].values, run->error);
	}
	if (status == WEIR_OK) {
		status = weir_run_file_names(run->file, table, "actor", &c->actor, run->error);
	}
	return status == WEIR_OK
	           ? weir_run_file_value_names(run->file, table, "action", &c->actions, run->error)
	           : status;
}

static void free_columns(event_columns *c)
{
	free(c->time);
	free(c->action);
	free(c->application);
	free(c->pool);
	free(c->asked);
	free(c->done);
	free(c->actor);
	free(c->actions.texts);
}

/* ---- marks ---- */

/* Decisions of one actor in one interval and pool, added up. */
typedef struct event_mark {
	size_t pool, order; /* order: of the row it began with */
	uint32_t bin;
	double time, change;
	event_kind kind;
	bool grows;
	const char *actor, *action;
} event_mark;

typedef struct event_marks {
	event_mark *marks;
	size_t count, capacity;
} event_marks;

static size_t pool_number(const weir_report_run *run, double application, double tag)
{
	size_t p = 0;
	while (p < run->pool_count &&
	       (run->pools[p].application != application || run->pools[p].tag != tag)) {
		p++;
	}
	return p;
}

static bool same_mark(const event_mark *a, const event_mark *b)
{
	return a->bin == b->bin && a->pool == b->pool && a->kind == b->kind && a->grows == b->grows &&
	       strcmp(a->actor, b->actor) == 0 && strcmp(a->action, b->action) == 0;
}

/* Rows come in the order of time, so only the marks of the interval that is going on can be joined.
 */
static weir_status add_mark(weir_report_run *run, event_marks *list, const event_mark *mark)
{
	for (size_t i = list->count; i > 0 && list->marks[i - 1].bin == mark->bin; i--) {
		if (same_mark(&list->marks[i - 1], mark)) {
			list->marks[i - 1].change += mark->change;
			return WEIR_OK;
		}
	}
	if (!weir_reserve((void **)&list->marks, &list->capacity, list->count + 1,
	                  sizeof *list->marks)) {
		return out_of_memory(run);
	}
	list->marks[list->count++] = *mark;
	return WEIR_OK;
}

static weir_status gather_marks(weir_report_run *run, const event_columns *c, uint64_t rows,
                                event_marks *list)
{
	weir_status status = WEIR_OK;
	for (uint64_t i = 0; status == WEIR_OK && i < rows; i++) {
		const char *action = weir_value_name(&c->actions, c->action[i]);
		event_mark mark = {
		    .pool = pool_number(run, c->application[i], c->pool[i]),
		    .order = (size_t)i,
		    .bin = weir_bin_at(&run->sample_bins, c->time[i]),
		    .time = c->time[i],
		    .change = c->done[i],
		    .kind = kind_of(action),
		    .grows = c->done[i] > 0,
		    .actor = c->actor + i * WEIR_COLUMN_NAME_SIZE,
		    .action = action,
		};
		bool decides = mark.kind == EVENT_RESIZE || mark.kind == EVENT_MIGRATE;
		if (mark.kind == EVENT_FAULT) {
			mark.change = 1; /* counted; what was asked and done is of another kind */
		}
		if (mark.pool < run->pool_count && mark.bin != WEIR_NO_BIN &&
		    (mark.kind == EVENT_FAULT || (decides && mark.change != 0))) {
			status = add_mark(run, list, &mark);
		}
	}
	return status;
}

/* Faults before decisions, large changes before small ones, then in the order of time. */
static int by_weight(const void *a, const void *b)
{
	const event_mark *x = a;
	const event_mark *y = b;
	bool x_fault = x->kind == EVENT_FAULT;
	bool y_fault = y->kind == EVENT_FAULT;
	if (x->pool != y->pool) {
		return x->pool < y->pool ? -1 : 1;
	}
	if (x_fault != y_fault) {
		return x_fault ? -1 : 1;
	}
	if (fabs(x->change) != fabs(y->change)) {
		return fabs(x->change) > fabs(y->change) ? -1 : 1;
	}
	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_order(const void *a, const void *b)
{
	const event_mark *x = a;
	const event_mark *y = b;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void print_mark(weir_report_run *run, cJSON *panel, const event_mark *mark)
{
	char label[160];
	if (mark->kind == EVENT_FAULT) {
		snprintf(label, sizeof label, "%s x%.0f", mark->action, mark->change);
	} else if (mark->kind == EVENT_MIGRATE) {
		snprintf(label, sizeof label, "%s: %.0f flipped to it", mark->actor, fabs(mark->change));
	} else {
		snprintf(label, sizeof label, "%s %+.0f", mark->actor, mark->change);
	}
	weir_report_mark(run, panel, mark->time, label,
	                 mark->kind == EVENT_FAULT     ? "fault"
	                 : mark->kind == EVENT_MIGRATE ? "flip"
	                 : mark->grows                 ? "up"
	                                               : "down");
}

static void print_marks(weir_report_run *run, event_marks *list, cJSON *const *panels)
{
	if (list->count == 0) {
		return;
	}
	qsort(list->marks, list->count, sizeof *list->marks, by_weight);
	size_t first = 0;
	while (first < list->count) {
		size_t end = first;
		size_t pool = list->marks[first].pool;
		while (end < list->count && list->marks[end].pool == pool) {
			end++;
		}
		size_t shown = end - first < WEIR_REPORT_MARKS ? end - first : WEIR_REPORT_MARKS;
		qsort(list->marks + first, shown, sizeof *list->marks, by_order);
		for (size_t i = 0; i < shown; i++) {
			print_mark(run, panels[pool], &list->marks[first + i]);
		}
		first = end;
	}
}

/* ---- the table ---- */

/* What one actor asked of one pool. */
typedef struct actor_row {
	const char *actor;
	double application, pool;
	double decisions, grown, shrunk, flipped, refused, faults;
} actor_row;

typedef struct actor_rows {
	actor_row *rows;
	size_t count, capacity;
} actor_rows;

static actor_row *actor_of(actor_rows *list, const char *actor, double application, double pool)
{
	for (size_t i = 0; i < list->count; i++) {
		actor_row *row = &list->rows[i];
		if (row->application == application && row->pool == pool &&
		    strcmp(row->actor, actor) == 0) {
			return row;
		}
	}
	if (!weir_reserve((void **)&list->rows, &list->capacity, list->count + 1, sizeof *list->rows)) {
		return NULL;
	}
	actor_row *row = &list->rows[list->count++];
	*row = (actor_row){.actor = actor, .application = application, .pool = pool};
	return row;
}

static weir_status gather_actors(weir_report_run *run, const event_columns *c, uint64_t rows,
                                 actor_rows *list)
{
	for (uint64_t i = 0; i < rows; i++) {
		event_kind kind = kind_of(weir_value_name(&c->actions, c->action[i]));
		if (kind == EVENT_OTHER) {
			continue;
		}
		actor_row *row =
		    actor_of(list, c->actor + i * WEIR_COLUMN_NAME_SIZE, c->application[i], c->pool[i]);
		if (row == NULL) {
			return out_of_memory(run);
		}
		row->decisions += kind == EVENT_RESIZE || kind == EVENT_MIGRATE;
		row->grown += kind == EVENT_RESIZE && c->done[i] > 0 ? c->done[i] : 0;
		row->shrunk += kind == EVENT_RESIZE && c->done[i] < 0 ? -c->done[i] : 0;
		row->flipped += kind == EVENT_MIGRATE ? fabs(c->done[i]) : 0;
		row->refused += kind == EVENT_REFUSED;
		row->faults += kind == EVENT_FAULT;
	}
	return WEIR_OK;
}

static void print_actors(weir_report_run *run, const actor_rows *list)
{
	static const char *const names[] = {"who",        "pool",    "decisions", "instances added",
	                                    "taken away", "flipped", "refused",   "faults",
	                                    NULL};
	if (list->count == 0) {
		return;
	}
	cJSON *table_rows =
	    weir_report_table(run, "decisions", "Who scaled what, and faults", names, NULL);
	for (size_t i = 0; i < list->count; i++) {
		const actor_row *row = &list->rows[i];
		size_t pool = pool_number(run, row->application, row->pool);
		cJSON *cells = cJSON_CreateArray();
		weir_report_add_text(run, cells, NULL, row->actor);
		weir_report_add_text(run, cells, NULL,
		                     pool < run->pool_count ? run->pools[pool].label : "");
		const double figures[] = {row->decisions, row->grown,   row->shrunk,
		                          row->flipped,   row->refused, row->faults};
		for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
			weir_report_add_number(run, cells, NULL, figures[f], WEIR_REPORT_TIME_DIGITS);
		}
		weir_report_add(run, table_rows, NULL, cells);
	}
}

weir_status weir_report_events(weir_report_run *run, cJSON *const *panels)
{
	uint64_t rows = weir_run_file_rows(run->file, table);
	if (rows == 0) {
		return WEIR_OK;
	}
	event_columns columns = {.time = NULL};
	event_marks marks = {.marks = NULL};
	actor_rows actors = {.rows = NULL};
	weir_status status = read_columns(run, &columns);
	if (status == WEIR_OK) {
		status = gather_marks(run, &columns, rows, &marks);
	}
	if (status == WEIR_OK) {
		print_marks(run, &marks, panels);
		status = gather_actors(run, &columns, rows, &actors);
	}
	if (status == WEIR_OK) {
		print_actors(run, &actors);
	}
	free(marks.marks);
	free(actors.rows);
	free_columns(&columns);
	return status;
}
