/*
 * AIBrix' predictive mode (2026): the least-squares slope of the demand over a window is projected
 * ahead, and APA's rule sizes the pool by it. The projection is a floor: the size is never below
 * what the same rule wants for the demand of now, so that a pool does not shrink ahead of time.
 *
 * AIBrix' horizon is a constant, 2 minutes by default; here it is the mean boot delay + `margin`.
 */
#ifndef WEIR_SCALING_POLICY_SLOPE_H
#define WEIR_SCALING_POLICY_SLOPE_H

#include "scaling/demand.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_slope_config {
	weir_demand_config demand;
	weir_apa_rule rule;
	double margin; /* s */
	double window; /* s */
	int64_t least_points;
	double least_coverage; /* of the window */
	double cap;            /* the forecast in multiples of the window's mean; 0: none */
} weir_slope_config;

WEIR_API extern const weir_key_table weir_slope_keys;
WEIR_API extern const weir_policy_type weir_policy_slope;

WEIR_END_C

#endif
