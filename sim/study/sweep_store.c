#include "study/sweep_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "study/sweep_schema.h"
#include "study/sweep_store_internal.h"

/* Another process holds the store for some milliseconds at a time. */
enum { BUSY_MS = 10000 };

const char *const weir_run_state_names[] = {
#define STATE_NAME(name, text) text,
    WEIR_SWEEP_STATES(STATE_NAME)
#undef STATE_NAME
        NULL};

weir_status sweep_store_fail(const weir_sweep_store *store, const char *what, weir_error *error)
{
	int code = sqlite3_errcode(store->database);
	if (code == SQLITE_NOMEM) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, store->path, "cannot %s: out of memory",
		                      what);
	}
	int cause = sqlite3_system_errno(store->database);
	bool disk = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
	return weir_error_set(error, WEIR_ERROR_IO, store->path, "cannot %s: %s", what,
	                      disk && cause != 0 ? strerror(cause) : sqlite3_errmsg(store->database));
}

weir_status sweep_store_execute(weir_sweep_store *store, const char *sql, const char *what,
                                weir_error *error)
{
	return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK
	           ? WEIR_OK
	           : sweep_store_fail(store, what, error);
}

weir_status sweep_store_prepare(weir_sweep_store *store, const char *sql, sqlite3_stmt **statement,
                                weir_error *error)
{
	return sqlite3_prepare_v2(store->database, sql, -1, statement, NULL) == SQLITE_OK
	           ? WEIR_OK
	           : sweep_store_fail(store, "be read", error);
}

weir_status sweep_store_end(weir_sweep_store *store, weir_status status, const char *what,
                            weir_error *error)
{
	if (status == WEIR_OK) {
		status = sweep_store_execute(store, "COMMIT", what, error);
	}
	if (status != WEIR_OK && sqlite3_get_autocommit(store->database) == 0) {
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	}
	return status;
}

/* ---- opening ---- */

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the store of the sweep");
}

static weir_status make_directory(const char *path, weir_error *error)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST) {
		return WEIR_OK;
	}
	return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be made: %s", strerror(errno));
}

/* Makes a directory and its parents. */
static weir_status make_directories(const char *path, weir_error *error)
{
	char *part = strdup(path);
	if (part == NULL) {
		return no_memory(error);
	}
	weir_status status = WEIR_OK;
	for (char *slash = strchr(part + 1, '/'); status == WEIR_OK && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		status = make_directory(part, error);
		*slash = '/';
	}
	free(part);
	return status == WEIR_OK ? make_directory(path, error) : status;
}

/* One manager at a time; the lock goes with the process. */
static weir_status lock(weir_sweep_store *store, weir_error *error)
{
	char path[WEIR_SWEEP_PATH_SIZE];
	snprintf(path, sizeof path, "%s/lock", store->directory);
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (store->lock < 0) {
		return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be written: %s", strerror(errno));
	}
	/* Not flock: workers that outlive the manager by a moment would hold that as well. */
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(store->lock, F_SETLK, &whole) == 0) {
		return WEIR_OK;
	}
	if (errno == EAGAIN || errno == EACCES) {
		return weir_error_set(error, WEIR_ERROR_INPUT, store->directory,
		                      "another 'weir sweep' is at work here; 'weir sweep status' says how "
		                      "far it is");
	}
	return weir_error_set(error, WEIR_ERROR_IO, path, "cannot be locked: %s", strerror(errno));
}

static weir_status open_database(weir_sweep_store *store, bool create, weir_error *error)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
	if (sqlite3_open_v2(store->path, &store->database, flags, NULL) != SQLITE_OK) {
		return store->database != NULL ? sweep_store_fail(store, "be opened", error)
		                               : no_memory(error);
	}
	sqlite3_busy_timeout(store->database, BUSY_MS);
	return sweep_store_execute(store, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
	                           "be opened", error);
}

static weir_status check_version(weir_sweep_store *store, int *version, weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status = sweep_store_prepare(store, "PRAGMA user_version", &statement, error);
	if (status == WEIR_OK && sqlite3_step(statement) != SQLITE_ROW) {
		status = sweep_store_fail(store, "be read", error);
	}
	if (status == WEIR_OK) {
		*version = sqlite3_column_int(statement, 0);
	}
	sqlite3_finalize(statement);
	if (status == WEIR_OK && *version > SWEEP_SCHEMA_VERSION) {
		return weir_error_set(error, WEIR_ERROR_INPUT, store->path,
		                      "is of version %d, and this program knows %d: a newer weir made it",
		                      *version, SWEEP_SCHEMA_VERSION);
	}
	return status;
}

static weir_status make_tables(weir_sweep_store *store, weir_error *error)
{
	char version[64];
	snprintf(version, sizeof version, "PRAGMA user_version=%d", SWEEP_SCHEMA_VERSION);
	weir_status status = sweep_store_execute(store, "BEGIN IMMEDIATE", "be written", error);
	if (status == WEIR_OK) {
		status = sweep_store_execute(store, sweep_schema, "be written", error);
	}
	if (status == WEIR_OK) {
		status = sweep_store_execute(store, version, "be written", error);
	}
	return sweep_store_end(store, status, "be written", error);
}

static weir_status open_all(weir_sweep_store *store, bool manager, weir_error *error)
{
	weir_status status = WEIR_OK;
	struct stat info;
	if (manager) {
		status = make_directories(store->directory, error);
	} else if (stat(store->path, &info) != 0) {
		return weir_error_set(error, WEIR_ERROR_IO, store->directory,
		                      "holds no sweep: there is no sweep.db (%s)", strerror(errno));
	}
	if (status == WEIR_OK && manager) {
		status = lock(store, error);
	}
	if (status == WEIR_OK) {
		status = open_database(store, manager, error);
	}
	int version = 0;
	if (status == WEIR_OK) {
		status = check_version(store, &version, error);
	}
	if (status == WEIR_OK && version == 0) {
		status = manager ? make_tables(store, error)
		                 : weir_error_set(error, WEIR_ERROR_INPUT, store->path,
		                                  "is not the store of a sweep");
	}
	return status;
}

static weir_status open_store(const char *directory, bool manager, weir_sweep_store **store,
                              weir_error *error)
{
	*store = NULL;
	weir_sweep_store *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return no_memory(error);
	}
	made->lock = -1;
	int length = snprintf(made->directory, sizeof made->directory, "%s", directory);
	snprintf(made->path, sizeof made->path, "%s/sweep.db", made->directory);
	weir_status status = WEIR_OK;
	if (length < 1 || length > SWEEP_DIRECTORY_SIZE - 1) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, directory,
		                        "expected the name of a directory of up to %d bytes",
		                        SWEEP_DIRECTORY_SIZE - 1);
	} else {
		status = open_all(made, manager, error);
	}
	if (status != WEIR_OK) {
		weir_sweep_store_close(made);
		return status;
	}
	*store = made;
	return WEIR_OK;
}

weir_status weir_sweep_store_manage(const char *directory, weir_sweep_store **store,
                                    weir_error *error)
{
	return open_store(directory, true, store, error);
}

weir_status weir_sweep_store_open(const char *directory, weir_sweep_store **store,
                                  weir_error *error)
{
	return open_store(directory, false, store, error);
}

void weir_sweep_store_close(weir_sweep_store *store)
{
	if (store == NULL) {
		return;
	}
	sqlite3_finalize(store->change);
	sqlite3_finalize(store->claim);
	sqlite3_close(store->database);
	if (store->lock >= 0) {
		close(store->lock);
	}
	free(store);
}

const char *weir_sweep_store_directory(const weir_sweep_store *store)
{
	return store->directory;
}

/* ---- what is waiting ---- */

weir_status weir_sweep_store_ready(weir_sweep_store *store, double now, size_t most,
                                   weir_sweep_ready *ready, size_t *count, weir_error *error)
{
	*count = 0;
	sqlite3_stmt *statement = NULL;
	weir_status status = sweep_store_prepare(store,
	                                         "SELECT number, attempts, losses FROM runs WHERE state"
	                                         " = 0 AND due <= ? ORDER BY due, number LIMIT ?",
	                                         &statement, error);
	if (status != WEIR_OK) {
		return status;
	}
	sqlite3_bind_double(statement, 1, now);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)most);
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		ready[(*count)++] = (weir_sweep_ready){
		    .run = (uint64_t)sqlite3_column_int64(statement, 0),
		    .attempts = (uint32_t)sqlite3_column_int(statement, 1),
		    .losses = (uint32_t)sqlite3_column_int(statement, 2),
		};
	}
	status = step == SQLITE_DONE ? WEIR_OK : sweep_store_fail(store, "be read", error);
	sqlite3_finalize(statement);
	return status;
}

weir_status weir_sweep_store_next_due(weir_sweep_store *store, double *due, weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status =
	    sweep_store_prepare(store, "SELECT MIN(due) FROM runs WHERE state = 0", &statement, error);
	if (status == WEIR_OK && sqlite3_step(statement) != SQLITE_ROW) {
		status = sweep_store_fail(store, "be read", error);
	}
	if (status == WEIR_OK) {
		*due = sqlite3_column_type(statement, 0) == SQLITE_NULL
		           ? (double)INFINITY
		           : sqlite3_column_double(statement, 0);
	}
	sqlite3_finalize(statement);
	return status;
}

weir_status weir_sweep_store_counts(weir_sweep_store *store, weir_sweep_counts *counts,
                                    weir_error *error)
{
	*counts = (weir_sweep_counts){0};
	sqlite3_stmt *statement = NULL;
	weir_status status =
	    sweep_store_prepare(store, "SELECT state, count FROM counts", &statement, error);
	if (status != WEIR_OK) {
		return status;
	}
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		int state = sqlite3_column_int(statement, 0);
		if (state >= 0 && state < WEIR_RUN_STATE_COUNT) {
			counts->of[state] = (uint64_t)sqlite3_column_int64(statement, 1);
			counts->total += counts->of[state];
		}
	}
	status = step == SQLITE_DONE ? WEIR_OK : sweep_store_fail(store, "be read", error);
	sqlite3_finalize(statement);
	return status;
}

weir_status weir_sweep_store_changed(weir_sweep_store *store, bool *changed, weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status = sweep_store_prepare(store, "PRAGMA data_version", &statement, error);
	if (status == WEIR_OK && sqlite3_step(statement) != SQLITE_ROW) {
		status = sweep_store_fail(store, "be read", error);
	}
	if (status == WEIR_OK) {
		sqlite3_int64 version = sqlite3_column_int64(statement, 0);
		*changed = version != store->data_version;
		store->data_version = version;
	}
	sqlite3_finalize(statement);
	return status;
}

/* ---- changes ---- */

static weir_status prepare_changes(weir_sweep_store *store, weir_error *error)
{
	static const char change[] =
	    "UPDATE runs SET state = ?2, attempts = ?3, losses = ?4, due = ?5, lease = ?6, began = ?7,"
	    " ended = ?8, worker = ?9, outcome = ?10, exit = ?11, message = ?12, stderr = ?13,"
	    " path = ?14, sha256 = ?15, digest = ?16, figures = ?17"
	    " WHERE number = ?1 AND (state <> 4 OR ?2 = 2)";
	static const char claim[] =
	    "UPDATE runs SET state = 1, lease = ?6, began = ?7, ended = NULL, worker = ?9"
	    " WHERE number = ?1 AND state IN (0, 1)";
	weir_status status = WEIR_OK;
	if (store->change == NULL) {
		status = sweep_store_prepare(store, change, &store->change, error);
	}
	if (status == WEIR_OK && store->claim == NULL) {
		status = sweep_store_prepare(store, claim, &store->claim, error);
	}
	return status;
}

static void bind_time(sqlite3_stmt *statement, int column, double time)
{
	if (isnan(time)) {
		sqlite3_bind_null(statement, column);
	} else {
		sqlite3_bind_double(statement, column, time);
	}
}

/* Texts outlive the step; "" is NULL. */
static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
	if (text == NULL || text[0] == '\0') {
		sqlite3_bind_null(statement, column);
	} else {
		sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
	}
}

static void bind_report(sqlite3_stmt *statement, const weir_sweep_change *change, char *message,
                        size_t size)
{
	const weir_sweep_report *report = change->report;
	sqlite3_bind_int(statement, 10, (int)report->outcome);
	sqlite3_bind_int(statement, 11, report->exit_status);
	bool named = report->error.where[0] != '\0';
	snprintf(message, size, "%s%s%s", report->error.where, named ? ": " : "",
	         report->error.message);
	bind_text(statement, 12, message);
	bind_text(statement, 13, report->stderr_text);
	if (change->state == WEIR_RUN_DONE) {
		bind_text(statement, 14, change->path);
		bind_text(statement, 15, report->sha256);
		bind_text(statement, 16, report->digest);
		sqlite3_bind_blob(statement, 17, report->figures, (int)sizeof report->figures,
		                  SQLITE_STATIC);
	}
}

static weir_status apply_one(weir_sweep_store *store, const weir_sweep_change *change,
                             weir_error *error)
{
	bool claims = change->state == WEIR_RUN_RUNNING;
	sqlite3_stmt *statement = claims ? store->claim : store->change;
	char message[WEIR_ERROR_WHERE_SIZE + WEIR_ERROR_MESSAGE_SIZE + 2];
	sqlite3_clear_bindings(statement);
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)change->run);
	if (!claims) {
		sqlite3_bind_int(statement, 2, (int)change->state);
		sqlite3_bind_int(statement, 3, (int)change->attempts);
		sqlite3_bind_int(statement, 4, (int)change->losses);
		sqlite3_bind_double(statement, 5, change->due);
		bind_time(statement, 8, change->ended);
		if (change->report != NULL) {
			bind_report(statement, change, message, sizeof message);
		}
	} else {
		sqlite3_bind_double(statement, 6, change->lease);
	}
	bind_time(statement, 7, change->began);
	bind_text(statement, 9, change->worker);
	int step = sqlite3_step(statement);
	weir_status status =
	    step == SQLITE_DONE ? WEIR_OK : sweep_store_fail(store, "be written", error);
	sqlite3_reset(statement);
	return status;
}

weir_status weir_sweep_store_apply(weir_sweep_store *store, const weir_sweep_change *changes,
                                   size_t count, weir_error *error)
{
	weir_status status = prepare_changes(store, error);
	if (status == WEIR_OK) {
		status = sweep_store_execute(store, "BEGIN IMMEDIATE", "be written", error);
	}
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		status = apply_one(store, &changes[i], error);
	}
	return sweep_store_end(store, status, "be written", error);
}

weir_status weir_sweep_store_cancelled(weir_sweep_store *store, uint64_t run, bool *cancelled,
                                       weir_error *error)
{
	sqlite3_stmt *statement = NULL;
	weir_status status = sweep_store_prepare(store, "SELECT state = 4 FROM runs WHERE number = ?",
	                                         &statement, error);
	if (status != WEIR_OK) {
		return status;
	}
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)run);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		*cancelled = sqlite3_column_int(statement, 0) != 0;
	} else {
		status = sweep_store_fail(store, "be read", error);
	}
	sqlite3_finalize(statement);
	return status;
}

/* An UPDATE; *count: rows. */
static weir_status update(weir_sweep_store *store, const char *sql, uint64_t *count,
                          weir_error *error)
{
	weir_status status = sweep_store_execute(store, sql, "be written", error);
	if (status == WEIR_OK && count != NULL) {
		*count = (uint64_t)sqlite3_changes64(store->database);
	}
	return status;
}

weir_status weir_sweep_store_recover(weir_sweep_store *store, uint64_t *returned, weir_error *error)
{
	return update(store,
	              "UPDATE runs SET state = 0, due = 0, lease = NULL, worker = NULL WHERE state = 1",
	              returned, error);
}

weir_status weir_sweep_store_cancel(weir_sweep_store *store, uint64_t *count, weir_error *error)
{
	return update(store,
	              "UPDATE runs SET state = 4, lease = NULL, worker = NULL WHERE state IN (0, 1)",
	              count, error);
}

weir_status weir_sweep_store_retry(weir_sweep_store *store, bool cancelled, uint64_t *count,
                                   weir_error *error)
{
	return update(store,
	              cancelled ? "UPDATE runs SET state = 0, attempts = 0, losses = 0, due = 0"
	                          " WHERE state = 3 OR state = 4"
	                        : "UPDATE runs SET state = 0, attempts = 0, losses = 0, due = 0"
	                          " WHERE state = 3",
	              count, error);
}
