/*
 * SageServe's reactive scaling (Jaiswal et al. 2025, arXiv 2502.14617): one instance more when the
 * memory utilisation of the pool is above 0.5, one less when it is below 0.25, and none while one
 * is still on its way.
 */
#ifndef WEIR_SCALING_POLICY_REACTIVE_H
#define WEIR_SCALING_POLICY_REACTIVE_H

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_reactive_config {
	int metric;      /* weir_policy_metric: its mean over ACTIVE and DRAINING instances */
	double up, down; /* thresholds */
	int64_t step;    /* instances at a time */
	double cooldown; /* s */
} weir_reactive_config;

WEIR_API extern const weir_key_table weir_reactive_keys;
WEIR_API extern const weir_policy_type weir_policy_reactive;

WEIR_END_C

#endif
