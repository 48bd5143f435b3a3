/*
 * Capacity planning: the cheapest fleets that keep an SLO, or the highest load at which they do.
 *
 * Every trial is run in replications under common random numbers (weir_sweep_seed), over processes;
 * replications go on only until their verdict is settled. The result depends on the plan file and
 * the configs alone, not on the number of workers.
 */
#ifndef WEIR_STUDY_PLAN_H
#define WEIR_STUDY_PLAN_H

#include <stddef.h>

#include "analysis/table.h"
#include "base/error.h"
#include "base/export.h"
#include "study/plan_file.h"
#include "study/plan_search.h"
#include "study/process_pool.h"
#include "study/sweep_point.h"

WEIR_BEGIN_C

enum {
	WEIR_PLAN_MOST_POINTS = 100000,
	WEIR_PLAN_ANSWERS = 2 /* of a search in the order of price: the answer and the runner-up */
};

/* The answers for one target, best first: with goal largest by value, else by price. */
typedef struct weir_plan_ranking {
	double target; /* NaN: percentiles */
	size_t count;
	weir_plan_answer *answers;
} weir_plan_ranking;

typedef struct weir_plan_result {
	const weir_plan_file *file; /* borrowed */
	weir_sweep_points points;
	size_t ranking_count;
	weir_plan_ranking *rankings;
	size_t trials, runs, stopped; /* stopped: of the runs, those that ended early */
} weir_plan_result;

/*
 * Carries the plan out; *result is to be released, and is empty after an error. Errors: of a config
 * or run, naming its point; more than WEIR_PLAN_MOST_POINTS points; WEIR_ERROR_INTERRUPTED.
 * `options->progress` counts the runs of each round anew.
 */
WEIR_API weir_status weir_plan_carry_out(const weir_plan_file *file,
                                         const weir_pool_options *options, weir_plan_result *result,
                                         weir_error *error);
WEIR_API void weir_plan_release(weir_plan_result *result);

/* The result as a table; to be freed, NULL when memory is out. */
WEIR_API char *weir_plan_print(const weir_plan_result *result, weir_table_format format);

WEIR_END_C

#endif
