/*
 * A study: policies compared on scenarios, each run many times under common random numbers.
 *
 * Replication r of a scenario is member r of its config's family, whatever the policy, so that the
 * difference of two policies is taken within each replication and its interval is the paired one.
 */
#ifndef WEIR_STUDY_STUDY_H
#define WEIR_STUDY_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/interval.h"
#include "base/error.h"
#include "base/export.h"
#include "config/document.h"
#include "study/process_pool.h"
#include "study/replication.h"

WEIR_BEGIN_C

/* X(name, heading, unit, decimals): what is compared of a run, in the order of the tables */
#define WEIR_TABLE_FIGURES(X)                                                                      \
	X(instance_hours, "instance-hours", "h", 1)                                                    \
	X(cost_usd, "cost", "USD", 1)                                                                  \
	X(attainment, "attainment", "", 4)                                                             \
	X(ttft_slowdown_p99, "p99 TTFT slowdown", "", 2)                                               \
	X(tbt_slowdown_p99, "p99 TBT slowdown", "", 2)                                                 \
	X(scale_operations, "scale operations", "", 1)                                                 \
	X(relative_cost, "relative cost", "%", 2)                                                      \
	X(regret_usd, "regret", "USD", 1)                                                              \
	X(regret_percent, "regret share", "%", 2)

/* The figures of one run. NaN: it has none. relative_cost: the cost over that of the baseline in
 * the same replication, less 1. regret: the cost less that of the cheapest run known, of the same
 * replication, that reaches the run's attainment; its share is of that run's cost. */
typedef struct weir_study_figures {
#define WEIR_STUDY_FIELD(name, heading, unit, decimals) double name;
	WEIR_TABLE_FIGURES(WEIR_STUDY_FIELD)
#undef WEIR_STUDY_FIELD
} weir_study_figures;

#define WEIR_STUDY_COUNT_ONE(name, heading, unit, decimals) +1
enum { WEIR_TABLE_FIGURE_COUNT = 0 WEIR_TABLE_FIGURES(WEIR_STUDY_COUNT_ONE) };
#undef WEIR_STUDY_COUNT_ONE

/* What a figure is called. */
typedef struct weir_study_figure {
	const char *name, *heading, *unit;
	int decimals;
	size_t offset; /* of the double in weir_study_figures */
} weir_study_figure;

WEIR_API extern const weir_study_figure weir_study_figure_list[WEIR_TABLE_FIGURE_COUNT];

/* What replications say of one policy. An interval whose value is NaN: a run has no such figure. */
typedef struct weir_study_estimate {
	weir_interval mean[WEIR_TABLE_FIGURE_COUNT];
	weir_interval difference[WEIR_TABLE_FIGURE_COUNT]; /* from the baseline, paired */
	/* The median over replications, with its bootstrap interval. */
	weir_interval ttft_median, tbt_median;
	/* Replications that make the half-width of the mean cost, and of relative_cost, `width` percent
	 * or less; 0: not asked, or not known. */
	size_t needed, needed_relative;
} weir_study_estimate;

typedef struct weir_study_plan {
	size_t scenario_count, policy_count, replications; /* each at least 1 */
	const char *const *scenarios, *const *policies;    /* their names */
	/* [scenario][policy] */
	const weir_document_options *configs;
	/* Likewise: what decides in place of the config's policies, NULL where nothing does. NULL: of
	 * no run. Borrowed. */
	const weir_run_driver *const *drivers;
	size_t baseline;   /* number of the policy that the others are compared with */
	double until;      /* seconds; INFINITY: to the end */
	double confidence; /* of all intervals, in (0, 1) */
	double width;      /* percent, of `needed`; 0: not asked */
	/* [scenario]: the configs that the bounds are sought for, with the workload and the cluster of
	 * the policies'. NULL: no bounds, no regret. They are of whole runs: `until` is INFINITY. */
	const weir_document_options *bases;
	double target; /* attainment that best_known reaches, 0..1 */
	size_t budget; /* simulations of each search (study/best_known.h) */
} weir_study_plan;

/* 95 % intervals, runs to their ends, no bounds (else: 0.99, the search's own budget); no
 * scenarios.
 */
WEIR_API weir_study_plan weir_study_plan_default(void);

/* One row of a table: a policy, or after them the bounds best_known and fluid_bound. */
typedef struct weir_study_row {
	const char *name;
	const weir_replication_result *runs; /* [replication]; NULL: of no runs */
	const weir_study_figures *figures;   /* [replication] */
	weir_study_estimate estimate;
} weir_study_row;

/* One table. */
typedef struct weir_study_section {
	const char *name;
	weir_study_row *rows; /* row_count of the study */
} weir_study_section;

typedef struct weir_study {
	const weir_study_plan *plan; /* borrowed */
	size_t row_count;
	size_t section_count; /* the scenarios; if there are several, then the mean over them, whose
	                         rows have no runs */
	weir_study_section *sections;
	size_t stalled;   /* runs that ended because nothing could go on */
	size_t unreached; /* searches whose best known run is below the target */
	/* what they point to */
	weir_replication_result *runs; /* [scenario][policy][replication] */
	weir_study_figures *figures;   /* [section][row][replication] */
	weir_study_row *rows;          /* [section][row] */
} weir_study;

/*
 * Runs the study; *study is to be released, and is empty after an error. Every config, with every
 * shape of its family, is checked before the first run. The results depend on the plan alone,
 * whatever the number of workers.
 *
 * Errors: of a config or a run, which the message names; a run whose requests do not add up
 * (arrived = completed + failed + rejected + unfinished): WEIR_ERROR_INTERNAL; after an interrupt
 * WEIR_ERROR_INTERRUPTED, with how many runs and searches were done. `options->progress` counts
 * the runs, then anew the searches for bounds.
 */
WEIR_API weir_status weir_study_run(const weir_study_plan *plan, const weir_pool_options *options,
                                    weir_study *study, weir_error *error);
WEIR_API void weir_study_release(weir_study *study);

/* What decides in the runs of a policy in a scenario; NULL: the config's own policies. */
WEIR_API const weir_run_driver *weir_study_driver(const weir_study_plan *plan, size_t scenario,
                                                  size_t policy);

/* All NaN. */
WEIR_API weir_study_figures weir_study_figures_none(void);
/* What is compared of a run; what needs other runs is NaN. */
WEIR_API weir_study_figures weir_study_figures_of(const weir_simulate_result *run);

/* Refuses (WEIR_ERROR_INTERNAL) a run whose requests do not add up. */
WEIR_API weir_status weir_study_check_run(const weir_replication *replication,
                                          const weir_replication_result *result, weir_error *error);

/* What `count` replications of a policy say; `baseline` are those of the baseline's, for the
 * differences. Errors: as weir_sample_check; out of memory. */
WEIR_API weir_status weir_study_estimate_of(const weir_study_figures *figures,
                                            const weir_study_figures *baseline, size_t count,
                                            double confidence, double width,
                                            weir_study_estimate *estimate, weir_error *error);

WEIR_END_C

#endif
