/*
 * Sizes by time: each pool has a list of changes, and between two of them the size of the first.
 * With a period the list starts again after it.
 *
 * Before the first change a pool is left alone; with a period it has the size of the last one. The
 * tick is every second unless the config says otherwise, so that changes on whole seconds are
 * exact; others come at the next tick. It goes by the time that the view shows: with a
 * control.metric_lag the changes are late by that much.
 *
 * The size is held: what was lost or could not be done is asked for again at every tick.
 *
 * Cost of a tick: O(log changes).
 */
#ifndef WEIR_SCALING_POLICY_SCHEDULE_H
#define WEIR_SCALING_POLICY_SCHEDULE_H

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_schedule_change {
	double at;    /* s */
	int64_t size; /* instances from then on */
} weir_schedule_change;

/* A program can fill it by itself: the lists are borrowed. */
typedef struct weir_schedule_config {
	double period;                       /* s; 0: none */
	weir_key_list pools[WEIR_TAG_COUNT]; /* of weir_schedule_change, by tag: times that increase,
	                                        from 0 on and below the period; empty: left alone */
} weir_schedule_config;

WEIR_API extern const weir_key_table weir_schedule_keys;
WEIR_API extern const weir_policy_type weir_policy_schedule;

/* The size that the schedule has for a pool at `time` >= 0; -1: it is left alone. */
WEIR_API int64_t weir_schedule_size(const weir_schedule_config *config, weir_tag tag, double time);

WEIR_END_C

#endif
