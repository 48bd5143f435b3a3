/*
 * The best known schedule: what a policy could have done that knew what was coming.
 *
 * A local search over scaling schedules, for one config (one member of a family). It begins with
 * the runs of the policies that are to be compared, and with sizes in proportion to the workload's
 * own work; then it changes the best at random a little in many windows of time at once, and puts
 * schedules together from the best windows of all that it has simulated. A part of the budget is
 * aimed at the policies' attainments. Every run goes to an archive, the policies' own too: hence no
 * policy is ever cheaper than the best known at the same attainment, whatever the search found.
 *
 * A schedule says sizes of pools. What else a policy can do (change of pools, choice among types)
 * is in the archive as its own run, and enters the search as the sizes that it led to. Replayed as
 * a schedule, a policy that ticks at whole seconds makes the same run again, unless it did such
 * things, or something after the last arrival, when a schedule decides no more.
 *
 * An upper bound of what is possible; the lower one is fluid_bound.h. Deterministic: equal configs,
 * policies and options give equal results. Cost: one simulation for each policy and each of
 * `budget`; memory: about 25 bytes for each of them and second of each application.
 */
#ifndef WEIR_STUDY_BEST_KNOWN_H
#define WEIR_STUDY_BEST_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "run/simulate.h"
#include "scaling/controller.h"
#include "scaling/policy_schedule.h"

WEIR_BEGIN_C

/* A policy to begin with, and to compare. */
typedef struct weir_known_policy {
	/* Of the same workload, cluster and prices as the one that is searched; scaling and control may
	 * differ. Borrowed. */
	const weir_config *config;
	/* In place of the config's own; NULL: the config's. */
	const weir_controller_policy *policies;
	size_t policy_count;
	/* Decides in place of both; NULL: none. */
	const weir_run_driver *driver;
} weir_known_policy;

typedef struct weir_best_known_options {
	const weir_known_policy *policies;
	size_t policy_count;
	double attainment; /* 0..1, to be reached at the least cost */
	size_t budget;     /* simulations beside those of the policies */
	/* Asked before and during every simulation, with those done and all of them; false stops the
	 * search: WEIR_ERROR_INTERRUPTED. NULL: not asked. */
	bool (*progress)(void *context, size_t done, size_t total);
	void *context;
} weir_best_known_options;

/* No policies, attainment 0.99, a budget of 70. */
WEIR_API weir_best_known_options weir_best_known_options_default(void);

typedef struct weir_best_known weir_best_known;

/*
 * Searches. `config` gives the workload, the cluster and the limits of scaling; its own policies
 * are not run. Its control section applies to schedules too, which allow for its lag and delay.
 * *known is to be destroyed. Errors: as weir_simulate, of any of the runs; WEIR_ERROR_INTERRUPTED.
 */
WEIR_API weir_status weir_best_known_search(const weir_config *config,
                                            const weir_best_known_options *options,
                                            weir_best_known **known, weir_error *error);
WEIR_API void weir_best_known_destroy(weir_best_known *known);

/* The archive, in the order in which they were simulated: first the policies, in their order. */
WEIR_API size_t weir_best_known_count(const weir_best_known *known);
WEIR_API const weir_simulate_result *weir_best_known_result(const weir_best_known *known,
                                                            size_t run);

/* Which run is the cheapest of those that reach `attainment`; where none does, the one that reaches
 * most (of these the cheapest). */
WEIR_API size_t weir_best_known_at(const weir_best_known *known, double attainment);

/* What a policy's run cost more than the cheapest that is known to reach its attainment, US
 * dollars: never below 0. */
WEIR_API double weir_best_known_regret(const weir_best_known *known, size_t policy);

/* The schedule of a run of the archive, or what comes nearest to a policy's, for one application.
 * To be released. False when memory is out. */
WEIR_API bool weir_best_known_schedule(const weir_best_known *known, size_t run,
                                       uint32_t application, weir_schedule_config *schedule);
WEIR_API void weir_best_known_schedule_release(weir_schedule_config *schedule);

WEIR_END_C

#endif
