/*
 * The llm-d Workload Variant Autoscaler, saturation analysis V1: spare KV cache and spare queue
 * averaged over the instances that are not saturated; one more of the cheapest type when they are
 * short, one less of the dearest when the others could take over its load.
 *
 * Source: llm-d workload-variant-autoscaler, docs/saturation-analyzer.md and
 * internal/saturation/analyzer.go. Its variants are the instance types that the pool has ACTIVE.
 */
#ifndef WEIR_SCALING_POLICY_WVA_H
#define WEIR_SCALING_POLICY_WVA_H

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_wva_config {
	double kv_threshold, queue_threshold;
	double kv_spare, queue_spare;
	double window; /* s */
	double decision_interval;
	bool hold_in_transition;
} weir_wva_config;

WEIR_API extern const weir_key_table weir_wva_keys;
WEIR_API extern const weir_policy_type weir_policy_wva;

WEIR_END_C

#endif
