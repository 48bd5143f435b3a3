/*
 * The Knative pod autoscaler (KPA), by concurrency.
 *
 * Every tick the pool's concurrency, requests that wait at the scheduler included, joins a history;
 * its means over a stable and a panic window, divided by target * target_utilization, are the sizes
 * wanted. A panic sets in when the panic window wants panic_threshold_percentage of what is ready;
 * until it has been over for a stable window, the larger of both is taken and nothing shrinks.
 * Windows are averaged over the samples that they hold. Sources: knative.dev, Configuring
 * concurrency, KPA-specific settings, scale to zero; knative/serving
 * pkg/autoscaler/scaling/autoscaler.go and pkg/reconciler/autoscaling/kpa/scaler.go.
 *
 * Ready pods are the ACTIVE instances, the pods asked for SCALING_UP + ACTIVE. Like there a policy
 * that starts with more than one ready instance starts in panic. To zero: the pool must have been
 * active for a stable window (until then it keeps at most one) and then wanted at zero for the
 * grace period, which in Knative is the most that its network is given to route around the pods,
 * and for the retention period. From zero Knative acts at once; here at the next tick. The
 * manager's min_instances_per_pool must be 0 for it. The size at the start is the cluster's, not
 * Knative's initial-scale; a pod that fails to start for long is not given up.
 *
 * Cost of a tick: O(stable_window / interval).
 */
#ifndef WEIR_SCALING_POLICY_KPA_H
#define WEIR_SCALING_POLICY_KPA_H

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_kpa_config {
	double target;             /* requests per instance that it could hold */
	double target_utilization; /* share of it that is aimed at */
	double stable_window;      /* s */
	double panic_window_percentage, panic_threshold_percentage;
	double max_scale_up_rate, max_scale_down_rate; /* factors per tick */
	int64_t min_scale, max_scale;                  /* instances; max 0: no limit */
	int64_t activation_scale;                      /* least size while there is anything to do */
	double scale_down_delay;                       /* s */
	bool enable_scale_to_zero;
	double scale_to_zero_grace_period, scale_to_zero_pod_retention_period; /* s */
} weir_kpa_config;

WEIR_API extern const weir_key_table weir_kpa_keys;
WEIR_API extern const weir_policy_type weir_policy_kpa;

WEIR_END_C

#endif
