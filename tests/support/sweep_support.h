/* Small sweeps for tests. */
#ifndef WEIR_TESTS_SWEEP_SUPPORT_H
#define WEIR_TESTS_SWEEP_SUPPORT_H

#include "study/sweep_file.h"
#include "study/sweep_point.h"

/* Where tests find what configs include. */
extern const char *const sweep_directories[];

/* Writes a base config of some milliseconds a run, "base.json" in test_directory(). */
void sweep_write_base(void);

/* Writes NAME into test_directory(): a sweep of "base.json" with these keys besides, as JSON
 * members:
 * "\"axes\": [...], \"replications\": 2". Its path. */
const char *sweep_write(const char *name, const char *members);

/* Loads a sweep that must be right. */
weir_sweep_file *sweep_load(const char *name, const char *members);

/* Loads and makes the points of one that must be right, with ids. */
weir_sweep_file *sweep_points(const char *name, const char *members, weir_sweep_points *points);

/* Loads one that must be refused, with `message` in the error and `where` in its place. */
void sweep_refuse(const char *members, const char *where, const char *message);

#endif
