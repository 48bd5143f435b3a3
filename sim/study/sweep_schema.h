/* The tables of a sweep's store. Internal to sweep_store.c. */
#ifndef WEIR_STUDY_SWEEP_SCHEMA_H
#define WEIR_STUDY_SWEEP_SCHEMA_H

/* PRAGMA user_version. */
enum { SWEEP_SCHEMA_VERSION = 1 };

/*
 * `counts` is kept by triggers, in the transactions that change the runs, so that a status needs no
 * pass over them. What waits, runs and failed has an index of its own; what is done, which is most,
 * has none.
 */
static const char sweep_schema[] =
    "CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE points (number INTEGER PRIMARY KEY, id TEXT NOT NULL, made INTEGER NOT NULL,"
    " sets TEXT NOT NULL);"
    "CREATE TABLE runs (number INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0, losses INTEGER NOT NULL DEFAULT 0,"
    " due REAL NOT NULL DEFAULT 0, worker TEXT, lease REAL, began REAL, ended REAL,"
    " outcome INTEGER, exit INTEGER, message TEXT, stderr TEXT,"
    " path TEXT, sha256 TEXT, digest TEXT, figures BLOB);"
    "CREATE INDEX runs_waiting ON runs(due, number) WHERE state = 0;"
    "CREATE INDEX runs_running ON runs(number) WHERE state = 1;"
    "CREATE INDEX runs_failed ON runs(number) WHERE state = 3;"
    "CREATE INDEX runs_cancelled ON runs(number) WHERE state = 4;"
    "CREATE TABLE counts (state INTEGER PRIMARY KEY, count INTEGER NOT NULL);"
    "INSERT INTO counts VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0);"
    "CREATE TRIGGER runs_counted AFTER UPDATE OF state ON runs WHEN old.state <> new.state BEGIN"
    " UPDATE counts SET count = count - 1 WHERE state = old.state;"
    " UPDATE counts SET count = count + 1 WHERE state = new.state;"
    " END;";

#endif
