/*
 * KEDA: the operator takes a workload between 0 and 1, an HPA with an external metric of type
 * AverageValue between 1 and N (hpa_core.h has its rules).
 *
 * The metric is the pool's total; to concurrency and queue the requests that wait at the scheduler
 * for an instance are added. It is active when the total is above the activation threshold or a
 * request waits there. Sources: keda-docs 2.17, concepts/scaling-deployments and
 * reference/scaledobject-spec; kedacore/keda pkg/scaling/executor/scale_scaledobjects.go.
 *
 * A tick is one pass of the HPA (15 s); the operator looks at the first tick that is
 * polling_interval after it looked before. When it changes the size the HPA sees that at the next
 * tick. Size 0 also needs scaling.min_instances_per_pool = 0, or the manager refuses it. Failed
 * scalers and with them KEDA's fallback do not occur here.
 */
#ifndef WEIR_SCALING_POLICY_KEDA_H
#define WEIR_SCALING_POLICY_KEDA_H

#include "scaling/hpa_core.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_keda_config {
	int metric;                  /* weir_policy_metric */
	double target;               /* AverageValue, in the metric's unit per instance */
	double activation_threshold; /* of the total */
	double polling_interval, cooldown_period, initial_cooldown_period; /* s */
	int64_t min_replica_count, max_replica_count;
	int64_t idle_replica_count; /* -1: none */
	weir_hpa_behavior behavior;
} weir_keda_config;

WEIR_API extern const weir_key_table weir_keda_keys;
WEIR_API extern const weir_policy_type weir_policy_keda;

WEIR_END_C

#endif
