/*
 * One run of a plan: a simulation that ends as soon as its SLO can no longer be kept.
 *
 * The requests of a run are drawn once more beforehand and counted: neither fleet nor policy change
 * them. So it is known how many of them may be beyond a limit, and a run ends only when no course
 * of its rest could make up for those that are.
 */
#ifndef WEIR_STUDY_PLAN_RUN_H
#define WEIR_STUDY_PLAN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "run/driver.h"
#include "study/plan_file.h"

WEIR_BEGIN_C

typedef struct weir_plan_run_options {
	int kind;      /* weir_plan_slo_kind */
	double target; /* of attainment */
	double until;  /* seconds; INFINITY: to the end */
	double share;  /* below 1: the run ends with the arrival of this share of its requests */
	double slack;  /* of such a run: so many times the requests beyond limits are allowed */
	const weir_run_driver *driver; /* NULL: the config's own policies */
} weir_plan_run_options;

typedef struct weir_plan_outcome {
	bool keeps;        /* the SLO; with share < 1: has not more beyond limits than slack allows */
	bool stopped;      /* ended early */
	double attainment; /* NaN when stopped */
	double cost;       /* USD; NaN when stopped */
	double price;      /* USD per hour of the start fleet */
	double power;      /* provisioned, of the start fleet, in units of hardware.servers */
	uint64_t requests; /* that the run has */
} weir_plan_outcome;

/*
 * Runs `config`. A whole run keeps an attainment when its attainment is at least the target, and
 * percentiles when slo_met is 1, none was rejected or failed, and some completed; one that stalls
 * keeps neither. Errors: as weir_simulate; a workload from a pipe with share < 1.
 */
WEIR_API weir_status weir_plan_run(const weir_config *config, const weir_plan_run_options *options,
                                   weir_plan_outcome *outcome, weir_error *error);

/* The price (USD per hour) and the provisioned power of the servers that a config starts with. */
WEIR_API void weir_plan_fleet(const weir_config *config, double *price, double *power);

WEIR_END_C

#endif
