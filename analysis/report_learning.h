/*
 * The section "Learning" of a report: what an agent that drove a run was told, asked and learned.
 *
 * A recorded run may have two tables for it. Each is read by the names of its columns; those that
 * are absent give no panel, and other columns of /decisions are let be.
 *
 * /decisions, a row per decision, `time` not decreasing:
 *   time            s, at least 0; the one column that must be there
 *   application     number of the application; absent: there is but one
 *   reward          of the interval that ends at `time`
 *   reward_<term>   the terms of the reward, in its unit
 *   value           the agent's estimate of the return, in the unit of the reward
 *   asked_<pool>    instances by which the agent asked the pool to change (signed)
 *   done_<pool>     those by which it was changed
 *   asked_migrate, done_migrate   instances moved from one pool to another, likewise
 *   check_<name>    1: the check of integrity held, 0: it did not
 *
 * /training, a row per update, `step` not decreasing:
 *   step            the one column that must be there
 *   <group>_<name>  any other numeric column is a learning curve; those whose names are the same up
 *                   to the first underscore share a panel
 */
#ifndef WEIR_ANALYSIS_REPORT_LEARNING_H
#define WEIR_ANALYSIS_REPORT_LEARNING_H

#include "analysis/report_parts.h"

WEIR_BEGIN_C

enum { WEIR_REPORT_CURVE_PANELS = 12 }; /* at most, of learning curves */

/*
 * Adds the panels and the table of checks. Errors, of a table that has rows: no `time` or `step`,
 * one that is not finite or decreases, a time below 0, a check that is neither 0 nor 1, a column
 * that is unreadable or holds no numbers; out of memory. O(columns * applications * rows) time.
 */
weir_status weir_report_learning_panels(weir_report_run *run);

/* ---- shared by the two parts ---- */

typedef struct weir_learning_names {
	char **names;
	size_t count, capacity;
	bool out_of_memory;
} weir_learning_names;

/* The columns of a table, in their order; to be freed, after an error too. */
weir_status weir_learning_read_names(const weir_report_run *run, const char *table,
                                     weir_learning_names *list);
void weir_learning_free_names(weir_learning_names *list);
/* Reads a column that must be finite, begin at `least` or later and not decrease: running means of
 * bins want rows in order. To be freed, after an error too. */
weir_status weir_learning_read_places(const weir_report_run *run, const char *table,
                                      const char *name, double least, double **places);
/* Weights of rows that count alike; to be freed. */
weir_status weir_learning_read_ones(const weir_report_run *run, size_t rows, double **ones);

/* The panels of /training (report_curves.c). */
weir_status weir_report_curve_panels(weir_report_run *run);

WEIR_END_C

#endif
