/* What the files of the store share. Not part of the public interface. */
#ifndef WEIR_STUDY_SWEEP_STORE_INTERNAL_H
#define WEIR_STUDY_SWEEP_STORE_INTERNAL_H

#include <sqlite3.h>

#include "study/sweep_store.h"

enum { SWEEP_DIRECTORY_SIZE = WEIR_SWEEP_PATH_SIZE - 128 };

struct weir_sweep_store {
	sqlite3 *database;
	sqlite3_stmt *change, *claim; /* NULL: not prepared */
	sqlite3_int64 data_version;
	int lock; /* -1: not a manager's */
	char directory[SWEEP_DIRECTORY_SIZE];
	char path[WEIR_SWEEP_PATH_SIZE]; /* of the database */
};

/* "cannot <what>: <cause>", of the last call of SQLite. */
weir_status sweep_store_fail(const weir_sweep_store *store, const char *what, weir_error *error);
weir_status sweep_store_execute(weir_sweep_store *store, const char *sql, const char *what,
                                weir_error *error);
weir_status sweep_store_prepare(weir_sweep_store *store, const char *sql, sqlite3_stmt **statement,
                                weir_error *error);
/* Commits, or rolls back when `status` is an error or the commit fails. */
weir_status sweep_store_end(weir_sweep_store *store, weir_status status, const char *what,
                            weir_error *error);

#endif
