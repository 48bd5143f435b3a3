/*
 * Schedules that know the workload: sizes in proportion to the work that is there.
 *
 * Internal to the study room.
 */
#ifndef WEIR_STUDY_SCHEDULE_DEMAND_H
#define WEIR_STUDY_SCHEDULE_DEMAND_H

#include "base/error.h"
#include "config/config.h"
#include "study/schedule_run.h"

/* The time of the last arrival, 0 without requests. */
weir_status schedule_last_arrival(const weir_config *config, double *last, weir_error *error);

/*
 * The work over time, [pool][step], to be freed. Of a prompt pool the seconds per second that the
 * prompts would take one by one, of a token pool the requests whose tokens are being made if
 * nothing waits, of a mixed pool the sum, a full batch counting as one; smoothed over what may
 * wait. Units do not matter: what follows from it is scaled. Cost: O(requests + pools * steps).
 */
weir_status schedule_demand_make(const weir_config *config, const schedule_grid *grid,
                                 double **work, weir_error *error);

/* The mean size of a pool of a run over the mean work there: the factor that makes as much of it.
 */
double schedule_demand_factor(const schedule_grid *grid, const double *work, const int32_t *sizes,
                              size_t pool);

/* Sizes for the work times a factor for each pool, ready when the work comes. */
void schedule_demand_sizes(const schedule_grid *grid, const double *work, const double *factors,
                           int32_t *sizes);

#endif
