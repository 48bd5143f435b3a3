/*
 * The bounds of a study: for each scenario and replication the best known schedule and the fluid
 * bound, and what each policy cost more than it had to.
 *
 * Internal to the study room.
 */
#ifndef WEIR_STUDY_STUDY_BOUNDS_H
#define WEIR_STUDY_STUDY_BOUNDS_H

#include "study/study.h"

/* Of one scenario and replication. */
typedef struct study_bound {
	weir_study_figures best_known; /* the cheapest known run that reaches the target */
	weir_study_figures fluid;      /* cost and hours alone */
	double regret_usd[];           /* of each policy */
} study_bound;

/* The bounds of one scenario and replication. */
const study_bound *study_bound_at(const weir_study_plan *plan, const void *bounds, size_t scenario,
                                  size_t replication);

/* *bounds, to be freed, has all of them; NULL after an error. plan->bases is not NULL. Errors: as
 * weir_pool_run, weir_best_known_search, weir_fluid_bound_compute. */
weir_status study_bounds_find(const weir_study_plan *plan, const weir_pool_options *options,
                              void **bounds, weir_error *error);

#endif
