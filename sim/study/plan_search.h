/*
 * The searches of a plan, whatever judges a trial: bisection of one key at each of many points, and
 * successive halving over points in the order of their price.
 *
 * Both ask for trials in rounds that depend on earlier verdicts alone, so that a judge may work on
 * a round over any number of processes.
 */
#ifndef WEIR_STUDY_PLAN_SEARCH_H
#define WEIR_STUDY_PLAN_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/interval.h"
#include "base/error.h"
#include "base/export.h"
#include "study/plan_file.h"

WEIR_BEGIN_C

typedef struct weir_plan_trial {
	size_t point;
	double value;  /* of the bisected key; NaN: there is none */
	double share;  /* of the workload, (0, 1]: its first requests */
	double target; /* of attainment; NaN: percentiles */
} weir_plan_trial;

typedef struct weir_plan_verdict {
	bool keeps;                 /* the SLO; of a prefix: is not hopeless */
	size_t runs, kept, stopped; /* replications, those that kept it, those that ended early */
	double price;               /* USD per hour of the start fleet */
	double power;               /* provisioned, of the start fleet */
	weir_interval attainment;   /* over runs that did not end early; value NaN: there are none */
	double cost;                /* USD, mean over these */
} weir_plan_verdict;

/* Fills verdicts[count] for trials[count]. */
typedef struct weir_plan_judge {
	void *context;
	weir_status (*judge)(void *context, const weir_plan_trial *trials, size_t count,
	                     weir_plan_verdict *verdicts, weir_error *error);
} weir_plan_judge;

typedef struct weir_plan_answer {
	bool found;
	size_t point;
	double value;  /* that keeps the SLO; NaN: nothing was bisected */
	double beyond; /* the nearest value tried that does not keep it; NaN: none */
	weir_plan_verdict verdict;
} weir_plan_answer;

/*
 * Fills answers[points], in the order of the points: the smallest or largest value of the axis that
 * keeps the SLO, where keeping it is monotone. Both ends are tried first. Rounds: 2 + log2 of the
 * axis' range over its resolution (1, or the tolerance).
 */
WEIR_API weir_status weir_plan_bisect(const weir_plan_axis *axis, size_t points, double target,
                                      const weir_plan_judge *judge, weir_plan_answer *answers,
                                      weir_error *error);

/*
 * The `most` cheapest points that keep the SLO, in *found answers: by price, then by measured cost,
 * then by number.
 *
 * In each round the halving->batch cheapest points that are still in go one rung on; one that fails
 * is out, also for later calls with a higher target: `out` is [points]. It ends when no point that
 * is still in and not yet through could be among the answers (successive halving, Jamieson and
 * Talwalkar 2016, with a threshold in place of ranks: what is sought is the cheapest that is good
 * enough, not the best). So the answers are those of trying all, as long as a point that fails on a
 * prefix would also fail on the whole.
 */
WEIR_API weir_status weir_plan_halve(const weir_plan_halving *halving, const double *prices,
                                     size_t points, double target, const weir_plan_judge *judge,
                                     bool *out, size_t most, weir_plan_answer *answers,
                                     size_t *found, weir_error *error);

/* The lower bound, one-sided, of a probability of which `kept` of `runs` trials came out (Clopper
 * and Pearson 1934). */
WEIR_API double weir_plan_sure_share(size_t kept, size_t runs, double confidence);

WEIR_END_C

#endif
