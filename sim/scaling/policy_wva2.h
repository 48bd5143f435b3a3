/*
 * The llm-d Workload Variant Autoscaler, saturation analysis V2: capacity in tokens. An instance's
 * is the lesser of what its memory holds (k1) and what it computes (k2: seen when its queue was
 * full, else the mean of the last 10 so seen for outputs of such length, else derived from its
 * batch limits). Adds types by price per capacity, takes the dearest away.
 *
 * Source: llm-d workload-variant-autoscaler, internal/engines/analyzers/saturation_v2/analyzer.go
 * and internal/engines/pipeline/cost_aware_optimizer.go. Variants are all types of the application.
 */
#ifndef WEIR_SCALING_POLICY_WVA2_H
#define WEIR_SCALING_POLICY_WVA2_H

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_wva2_config {
	double kv_threshold, queue_threshold;
	double up_threshold, down_boundary;
	double window, decision_interval; /* s */
} weir_wva2_config;

WEIR_API extern const weir_key_table weir_wva2_keys;
WEIR_API extern const weir_policy_type weir_policy_wva2;

WEIR_END_C

#endif
