/* The store of a sweep: filling it, checking whose it is, reading it through. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "study/sweep_store.h"
#include "study/sweep_store_internal.h"

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the store of the sweep");
}

weir_status weir_sweep_store_note(weir_sweep_store *store, const char *name, char **text,
                                  weir_error *error)
{
	*text = NULL;
	sqlite3_stmt *statement = NULL;
	weir_status status =
	    sweep_store_prepare(store, "SELECT text FROM notes WHERE name = ?", &statement, error);
	if (status != WEIR_OK) {
		return status;
	}
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	int step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		*text = strdup((const char *)sqlite3_column_text(statement, 0));
		status = *text != NULL ? WEIR_OK : no_memory(error);
	} else if (step != SQLITE_DONE) {
		status = sweep_store_fail(store, "be read", error);
	}
	sqlite3_finalize(statement);
	return status;
}

static weir_status set_note(weir_sweep_store *store, const char *name, const char *text,
                            weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status =
	    sweep_store_prepare(store, "INSERT OR REPLACE INTO notes VALUES (?, ?)", &statement, error);
	if (status != WEIR_OK) {
		return status;
	}
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
	if (sqlite3_step(statement) != SQLITE_DONE) {
		status = sweep_store_fail(store, "be written", error);
	}
	sqlite3_finalize(statement);
	return status;
}

/* What the runs of a sweep follow from; of equal texts the runs are equal. */
static void identity(const weir_sweep_points *points, char *text, size_t size)
{
	const weir_sweep_file *file = points->file;
	snprintf(text, size,
	         "points %s, seed %" PRId64 ", replications %" PRId64 ", independent %d, until %.17g, "
	         "keep %s",
	         points->definition, file->seed, file->replications, file->independent ? 1 : 0,
	         file->until, file->keep == WEIR_KEEP_FILES ? "files" : "summary");
}

static weir_status insert_points(weir_sweep_store *store, const weir_sweep_points *points,
                                 weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status =
	    sweep_store_prepare(store, "INSERT INTO points VALUES (?, ?, ?, ?)", &statement, error);
	char *sets = NULL;
	size_t capacity = 0;
	for (size_t i = 0; status == WEIR_OK && i < points->count; i++) {
		const weir_sweep_point *point = &points->items[i];
		size_t used = 0;
		for (size_t k = 0; status == WEIR_OK && k < point->set_count; k++) {
			size_t length = strlen(point->sets[k]);
			if (!weir_reserve((void **)&sets, &capacity, used + length + 2, 1)) {
				status = no_memory(error);
				break;
			}
			used += (size_t)snprintf(sets + used, length + 2, "%s%s", k > 0 ? "\n" : "",
			                         point->sets[k]);
		}
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)i);
		sqlite3_bind_text(statement, 2, point->id, -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 3, (sqlite3_int64)point->made);
		sqlite3_bind_text(statement, 4, used > 0 ? sets : "", -1, SQLITE_STATIC);
		if (status == WEIR_OK && sqlite3_step(statement) != SQLITE_DONE) {
			status = sweep_store_fail(store, "be written", error);
		}
		sqlite3_reset(statement);
	}
	free(sets);
	sqlite3_finalize(statement);
	return status;
}

static weir_status insert_runs(weir_sweep_store *store, uint64_t count, weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status =
	    sweep_store_prepare(store, "INSERT INTO runs (number) VALUES (?)", &statement, error);
	for (uint64_t i = 0; status == WEIR_OK && i < count; i++) {
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)i);
		if (sqlite3_step(statement) != SQLITE_DONE) {
			status = sweep_store_fail(store, "be written", error);
		}
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	if (status == WEIR_OK) {
		status = sweep_store_execute(
		    store, "UPDATE counts SET count = (SELECT COUNT(*) FROM runs) WHERE state = 0",
		    "be written", error);
	}
	return status;
}

static weir_status fill(weir_sweep_store *store, const weir_sweep_points *points, double now,
                        const char *said, weir_error *error)
{
	char replications[32];
	char time[32];
	char seed[32];
	snprintf(seed, sizeof seed, "%" PRId64, points->file->seed);
	snprintf(replications, sizeof replications, "%" PRId64, points->file->replications);
	snprintf(time, sizeof time, "%.3f", now);
	const struct {
		const char *name, *text;
	} notes[] = {
	    {"identity", said},
	    {"file", points->file->path},
	    {"keep", points->file->keep == WEIR_KEEP_FILES ? "files" : "summary"},
	    {"replications", replications},
	    {"seed", seed},
	    {"independent", points->file->independent ? "1" : "0"},
	    {"began", time},
	};
	weir_status status = sweep_store_execute(store, "BEGIN IMMEDIATE", "be written", error);
	for (size_t i = 0; status == WEIR_OK && i < sizeof notes / sizeof notes[0]; i++) {
		status = set_note(store, notes[i].name, notes[i].text, error);
	}
	if (status == WEIR_OK) {
		status = insert_points(store, points, error);
	}
	if (status == WEIR_OK) {
		status = insert_runs(store, points->count * (uint64_t)points->file->replications, error);
	}
	return sweep_store_end(store, status, "be written", error);
}

/* Takes the ids of points from the store, which leaves out those that were there twice. */
static weir_status take_ids(weir_sweep_store *store, weir_sweep_points *points, weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status = sweep_store_prepare(store, "SELECT id, made FROM points ORDER BY number",
	                                         &statement, error);
	size_t kept = 0;
	int step = SQLITE_DONE;
	while (status == WEIR_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		size_t made = (size_t)sqlite3_column_int64(statement, 1);
		if (made >= points->count || made < kept) {
			status = weir_error_set(error, WEIR_ERROR_INPUT, store->path,
			                        "its points are not those of this sweep");
			break;
		}
		points->items[kept] = points->items[made];
		snprintf(points->items[kept].id, WEIR_SWEEP_ID_SIZE, "%s",
		         (const char *)sqlite3_column_text(statement, 0));
		kept++;
	}
	if (status == WEIR_OK && step != SQLITE_DONE) {
		status = sweep_store_fail(store, "be read", error);
	}
	sqlite3_finalize(statement);
	if (status == WEIR_OK) {
		points->repeated = points->count - kept;
		points->count = kept;
	}
	return status;
}

weir_status weir_sweep_store_define(weir_sweep_store *store, weir_sweep_points *points, double now,
                                    bool *known, weir_error *error)
{
	char said[512];
	identity(points, said, sizeof said);
	char *there = NULL;
	weir_status status = weir_sweep_store_note(store, "identity", &there, error);
	if (status != WEIR_OK) {
		return status;
	}
	*known = there != NULL || points->items[0].id[0] != '\0';
	if (there != NULL && strcmp(there, said) != 0) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, store->directory,
		                        "holds another sweep (there: %s; here: %s); name another directory "
		                        "with -o, or remove this one",
		                        there, said);
	} else if (there != NULL && points->items[0].id[0] == '\0') {
		status = take_ids(store, points, error);
	} else if (there == NULL && *known) {
		status = fill(store, points, now, said, error);
	}
	free(there);
	return status;
}

/* ---- reading through ---- */

static const char row_query[] =
    "SELECT r.number, r.number % n.text, p.id, p.sets, r.state, r.attempts, r.losses, r.due,"
    " r.lease, r.began, r.ended, r.worker, r.outcome, r.exit, r.message, r.stderr, r.path,"
    " r.sha256, r.digest, r.figures FROM runs r CROSS JOIN notes n ON n.name = 'replications'"
    " JOIN points p ON p.number = r.number / CAST(n.text AS INTEGER)"
    " WHERE (1 << r.state) & ? ORDER BY r.number";

static double column_time(sqlite3_stmt *statement, int column)
{
	return sqlite3_column_type(statement, column) == SQLITE_NULL
	           ? (double)NAN
	           : sqlite3_column_double(statement, column);
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	return text != NULL ? text : "";
}

static weir_sweep_row row_of(sqlite3_stmt *statement, double *figures)
{
	weir_sweep_row row = {
	    .run = (uint64_t)sqlite3_column_int64(statement, 0),
	    .replication = (uint64_t)sqlite3_column_int64(statement, 1),
	    .id = column_text(statement, 2),
	    .sets = column_text(statement, 3),
	    .state = (weir_run_state)sqlite3_column_int(statement, 4),
	    .attempts = (uint32_t)sqlite3_column_int(statement, 5),
	    .losses = (uint32_t)sqlite3_column_int(statement, 6),
	    .due = sqlite3_column_double(statement, 7),
	    .lease = column_time(statement, 8),
	    .began = column_time(statement, 9),
	    .ended = column_time(statement, 10),
	    .worker = column_text(statement, 11),
	    .exit_status = sqlite3_column_int(statement, 13),
	    .message = column_text(statement, 14),
	    .stderr_text = column_text(statement, 15),
	    .path = column_text(statement, 16),
	    .sha256 = column_text(statement, 17),
	    .digest = column_text(statement, 18),
	    .outcome = "",
	};
	int outcome = sqlite3_column_int(statement, 12);
	if (sqlite3_column_type(statement, 12) != SQLITE_NULL && outcome >= 0 &&
	    outcome <= WEIR_SWEEP_LOST) {
		row.outcome = weir_sweep_outcome_text((weir_sweep_outcome)outcome);
	}
	size_t size = WEIR_SWEEP_FIGURES * sizeof *figures;
	if ((size_t)sqlite3_column_bytes(statement, 19) == size) {
		memcpy(figures, sqlite3_column_blob(statement, 19), size);
		row.figures = figures;
	}
	return row;
}

weir_status weir_sweep_store_each(weir_sweep_store *store, unsigned states, weir_sweep_visit visit,
                                  void *context, weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status = sweep_store_prepare(store, row_query, &statement, error);
	if (status != WEIR_OK) {
		return status;
	}
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)states);
	double figures[WEIR_SWEEP_FIGURES];
	int step = SQLITE_DONE;
	while (status == WEIR_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		weir_sweep_row row = row_of(statement, figures);
		status = visit(context, &row, error);
	}
	if (status == WEIR_OK && step != SQLITE_DONE) {
		status = sweep_store_fail(store, "be read", error);
	}
	sqlite3_finalize(statement);
	return status;
}

/* ---- files that are gone ---- */

typedef struct missing_files {
	const weir_sweep_store *store;
	uint64_t *runs;
	size_t count, capacity;
} missing_files;

static weir_status look_for_file(void *context, const weir_sweep_row *row, weir_error *error)
{
	missing_files *missing = context;
	char path[WEIR_SWEEP_PATH_SIZE];
	struct stat info;
	snprintf(path, sizeof path, "%s/%s", missing->store->directory, row->path);
	if (row->path[0] == '\0' || stat(path, &info) == 0) {
		return WEIR_OK;
	}
	if (!weir_reserve((void **)&missing->runs, &missing->capacity, missing->count + 1,
	                  sizeof *missing->runs)) {
		return no_memory(error);
	}
	missing->runs[missing->count++] = row->run;
	return WEIR_OK;
}

weir_status weir_sweep_store_check_files(weir_sweep_store *store, uint64_t *gone, weir_error *error)
{
	missing_files missing = {.store = store};
	weir_status status =
	    weir_sweep_store_each(store, 1U << WEIR_RUN_DONE, look_for_file, &missing, error);
	weir_sweep_change *changes = NULL;
	if (status == WEIR_OK && missing.count > 0) {
		changes = weir_allocate(missing.count, sizeof *changes);
		status = changes != NULL ? WEIR_OK : no_memory(error);
	}
	for (size_t i = 0; status == WEIR_OK && i < missing.count; i++) {
		changes[i] = (weir_sweep_change){.run = missing.runs[i],
		                                 .state = WEIR_RUN_WAITING,
		                                 .began = (double)NAN,
		                                 .ended = (double)NAN};
	}
	if (status == WEIR_OK && missing.count > 0) {
		status = weir_sweep_store_apply(store, changes, missing.count, error);
	}
	*gone = missing.count;
	free(missing.runs);
	free(changes);
	return status;
}
