/*
 * One run as the search for schedules sees it: what it came to, and over time the sizes of its
 * pools, what was paid, and which requests missed their SLO.
 *
 * Internal to the study room.
 */
#ifndef WEIR_STUDY_SCHEDULE_RUN_H
#define WEIR_STUDY_SCHEDULE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "run/simulate.h"
#include "scaling/policy_schedule.h"
#include "study/best_known.h"

/* The time of a search, cut into steps; what comes after the last belongs to it. */
typedef struct schedule_grid {
	double step; /* s, a whole number */
	size_t steps;
	size_t applications;
	size_t pools;                /* applications * WEIR_TAG_COUNT, the pools of one side by side */
	double lead[WEIR_TAG_COUNT]; /* s of boot delay, the longest of the applications' */
	double late;                 /* s from what a schedule says until it is done */
	int64_t least;               /* instances of a pool */
	bool *exists;                /* pools */
} schedule_grid;

/* The array of a pool, or of an application, in a run. */
static inline size_t schedule_pool(uint32_t application, weir_tag tag)
{
	return (size_t)application * WEIR_TAG_COUNT + (size_t)tag;
}

typedef struct schedule_run {
	weir_simulate_result result;
	int32_t *sizes; /* [pool][step]: SCALING_UP + ACTIVE from the start of the step on */
	double *usd;    /* [application][step]: paid in the step */
	double *broken; /* [application][step]: requests that arrived in it and missed their SLO */
} schedule_run;

typedef struct schedule_progress {
	bool (*go_on)(void *context, size_t done, size_t total); /* NULL: not asked */
	void *context;
	size_t done, total;
} schedule_progress;

/* The grid of a config whose last request arrives at `last_arrival`. `grid` is to be released. */
weir_status schedule_grid_make(const weir_config *config, double last_arrival, schedule_grid *grid,
                               weir_error *error);
void schedule_grid_release(schedule_grid *grid);

/* Runs a policy's config with it. *run is to be released; after an error it is not. Errors: as
 * weir_simulate. */
weir_status schedule_run_policy(const weir_known_policy *policy, const schedule_grid *grid,
                                const schedule_progress *progress, schedule_run *run,
                                weir_error *error);
/* Runs `config` with a schedule that has these sizes, [pool][step]. */
weir_status schedule_run_sizes(const weir_config *config, const schedule_grid *grid,
                               const int32_t *sizes, const schedule_progress *progress,
                               schedule_run *run, weir_error *error);
void schedule_run_release(schedule_run *run);

/* The changes of an application's pools; the lists are to be released. False when memory is out. */
bool schedule_make(const schedule_grid *grid, const int32_t *sizes, uint32_t application,
                   weir_schedule_config *schedule);
void schedule_release(weir_schedule_config *schedule);

#endif
