/*
 * Kubernetes' HorizontalPodAutoscaler v2 with pods metrics (hpa_core.h has the rules).
 *
 * Its replicas are the pool's SCALING_UP + ACTIVE instances. A SCALING_UP instance is a Pending
 * pod: unready. An ACTIVE one whose figure is not known yet (NaN) misses its metric. DRAINING
 * instances are pods that are being deleted, and not seen.
 *
 * For pods metrics Kubernetes knows no other unready pods: the CPU initialization period (5 min)
 * holds for the resource cpu alone. `initialization_period` applies that rule to the metrics here:
 * an instance younger than it does not count until its metric covers a whole interval since it is
 * ready. The initial readiness delay (30 s) decides over pods that were ready once and are not now,
 * which weir has not: there is no key for it.
 */
#ifndef WEIR_SCALING_POLICY_HPA_H
#define WEIR_SCALING_POLICY_HPA_H

#include "scaling/hpa_core.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_hpa_metric {
	int metric;    /* weir_policy_metric */
	double target; /* wanted mean over the instances, in the metric's unit */
} weir_hpa_metric;

typedef struct weir_hpa_config {
	weir_hpa_metric metric;
	weir_key_list more_metrics; /* of weir_hpa_metric */
	int64_t min_replicas, max_replicas;
	double initialization_period; /* s */
	weir_hpa_behavior behavior;
} weir_hpa_config;

WEIR_API extern const weir_key_table weir_hpa_keys;
WEIR_API extern const weir_policy_type weir_policy_hpa;

WEIR_END_C

#endif
