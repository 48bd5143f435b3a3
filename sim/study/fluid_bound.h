/*
 * The fluid bound: what no way of scaling can go below.
 *
 * Every completed request was processed in iterations, and an iteration has a price: its length
 * times the price of the instance. For an application the largest weights are sought such that no
 * iteration that its instances could run is cheaper than
 *
 *     prompt * prompt tokens + token * token tasks + memory * share of the KV memory in use
 *
 * (share at most 1, so the weights pay for a fleet that is always packed as well as it could be).
 * Then a request costs at least its own weights, and a run at least the sum over its requests, with
 * what `min_instances_per_pool` keeps paid where that is more: over every way of cutting the run
 * into stretches of time, a stretch costs the larger of its floor and of the work that arrived in
 * it early enough to be done in it. Boot delay, queues, transfers, and whole instances are ignored,
 * and a share of 1 - attainment of the requests, the dearest, need not be served at all. Faults and
 * stragglers only add to the work; the floor, which crashes can undercut, counts only without
 * faults. A relaxation throughout, hence a true lower bound, of runs to their end whose requests
 * all ended: those left without an end before a limit (a stalled run) do not count in its
 * attainment.
 *
 * Without a token limit (orca) there may be too many iterations to look at; then only the floor is
 * left.
 *
 * Cost: O(requests), and for each application O(batch tokens * batch size) once.
 */
#ifndef WEIR_STUDY_FLUID_BOUND_H
#define WEIR_STUDY_FLUID_BOUND_H

#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"

WEIR_BEGIN_C

/* US dollars that work takes at least. */
typedef struct weir_fluid_weights {
	double prompt; /* per prompt token */
	double token;  /* per iteration of a token task */
	double memory; /* per iteration in which a task holds all the KV memory there is */
} weir_fluid_weights;

typedef struct weir_fluid_bound {
	double cost_usd;       /* of the whole run, at least */
	double work_usd;       /* of it, what the work alone takes */
	double instance_hours; /* at the price of the cheapest instance: cost_usd over that price; a
	                          bound of the hours only where all instances cost the same */
	uint64_t requests;
} weir_fluid_bound;

/* Of `config`'s workload, with the share `attainment` (0..1) of its requests served within their
 * SLO. Errors: those of the workload and of the execution-time profile; out of memory. */
WEIR_API weir_status weir_fluid_bound_compute(const weir_config *config, double attainment,
                                              weir_fluid_bound *bound, weir_error *error);

/* What one iteration costs at least, for tests and for those who want to know: `price` is called
 * with the tokens and tasks of an iteration and returns US dollars. The weights that serve `demand`
 * (how much of each there is to do) best. Iterations have at most `most_tasks` tasks and
 * `most_tokens` tokens; one prompt alone may have up to `largest_prompt`. False when memory is out.
 */
typedef struct weir_fluid_iterations {
	void *context;
	double (*price)(void *context, int64_t prompt_tokens, int64_t token_tasks);
	int64_t most_tasks, most_tokens, largest_prompt;
} weir_fluid_iterations;
WEIR_API bool weir_fluid_weights_find(const weir_fluid_iterations *iterations,
                                      const weir_fluid_weights *demand,
                                      weir_fluid_weights *weights);

/*
 * The largest sum over all ways of cutting [0, bins) into stretches, each worth the larger of
 * `floor` for each of its bins and of the work of those of its bins that are at least `reach` bins
 * before its end (the last stretch: of all of its bins).
 */
WEIR_API double weir_fluid_stretches(const double *work, size_t bins, double floor, size_t reach,
                                     double *scratch);

WEIR_END_C

#endif
