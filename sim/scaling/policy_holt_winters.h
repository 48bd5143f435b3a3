/*
 * Holt-Winters: the pool's demand by exponential smoothing of level, trend and, if wanted, season,
 * one step a tick (see scaling/forecast.h for formulas and sources).
 *
 * Size: ceil(the highest demand from now to the horizon / target per instance). Capacity asked for
 * now is there at the horizon, capacity given up is gone at once: so it grows for what is forecast
 * and does not shrink before the time.
 *
 * Steps are ticks: control.scrape_interval, when set, is to divide the policy's interval.
 */
#ifndef WEIR_SCALING_POLICY_HOLT_WINTERS_H
#define WEIR_SCALING_POLICY_HOLT_WINTERS_H

#include "scaling/demand.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_holt_winters_config {
	weir_demand_config demand;
	double margin; /* s */
	double alpha, beta, gamma, phi;
	double period; /* s; 0: no season */
} weir_holt_winters_config;

WEIR_API extern const weir_key_table weir_holt_winters_keys;
WEIR_API extern const weir_policy_type weir_policy_holt_winters;

WEIR_END_C

#endif
