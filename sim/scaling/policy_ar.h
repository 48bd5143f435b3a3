/*
 * Autoregression: the pool's demand by a linear function of its last values, fitted anew at every
 * tick over a window and iterated ahead (see scaling/forecast.h).
 *
 * Size: as of holt_winters, ceil(the highest demand from now to the horizon / target per instance).
 * Until there are 2 * order + 1 observations the last value stands for the future.
 *
 * Steps are ticks: control.scrape_interval, when set, is to divide the policy's interval.
 */
#ifndef WEIR_SCALING_POLICY_AR_H
#define WEIR_SCALING_POLICY_AR_H

#include "scaling/demand.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_ar_config {
	weir_demand_config demand;
	double margin; /* s */
	double window; /* s */
	int64_t order;
	double cap; /* the forecast in multiples of the window's highest value; 0: none */
} weir_ar_config;

WEIR_API extern const weir_key_table weir_ar_keys;
WEIR_API extern const weir_policy_type weir_policy_ar;

WEIR_END_C

#endif
