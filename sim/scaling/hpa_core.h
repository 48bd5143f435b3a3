/*
 * The arithmetic of the Kubernetes HorizontalPodAutoscaler v2, for the policies hpa and keda.
 *
 * metric -> proposal -> stabilised over recent proposals -> limited in speed -> wanted size.
 *
 * Sources: kubernetes pkg/controller/podautoscaler/replica_calculator.go and horizontal.go;
 * kubernetes website, Horizontal Pod Autoscaling. Metrics are, as there, whole thousandths.
 *
 * Where this departs from the source: scale events are kept for the longest period of both
 * directions, where Kubernetes keeps those of a direction only for the periods of that direction
 * and an older one by chance. Its clock goes on between a decision and the event's time stamp; here
 * both have one time, so that an event exactly one period old no longer counts.
 *
 * Cost of a step: O(window / interval).
 */
#ifndef WEIR_SCALING_HPA_CORE_H
#define WEIR_SCALING_HPA_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

typedef enum weir_hpa_select {
	WEIR_HPA_SELECT_MAX, /* the policy that allows the largest change */
	WEIR_HPA_SELECT_MIN, /* ... the smallest */
	WEIR_HPA_SELECT_DISABLED
} weir_hpa_select;

typedef enum weir_hpa_limit_kind { WEIR_HPA_PODS, WEIR_HPA_PERCENT } weir_hpa_limit_kind;

/* How much may change within a period. */
typedef struct weir_hpa_limit {
	int kind;      /* weir_hpa_limit_kind */
	int64_t value; /* instances, or per cent of the size at the start of the period */
	double period; /* s */
} weir_hpa_limit;

/* `scale_up`, `scale_down`. */
typedef struct weir_hpa_rules {
	double stabilization_window; /* s */
	int select_policy;           /* weir_hpa_select */
	weir_key_list policies;      /* of weir_hpa_limit; at least one */
	double tolerance;            /* below 0: that of the behavior */
} weir_hpa_rules;

typedef enum weir_hpa_behavior_kind {
	WEIR_HPA_RULES, /* scale_up and scale_down hold */
	WEIR_HPA_NONE   /* an HPA without `behavior`: the controller's own limits */
} weir_hpa_behavior_kind;

/* `behavior` */
typedef struct weir_hpa_behavior {
	int kind;                       /* weir_hpa_behavior_kind */
	double downscale_stabilization; /* s; of WEIR_HPA_NONE */
	double tolerance;               /* share of the target */
	weir_hpa_rules scale_up, scale_down;
} weir_hpa_behavior;

WEIR_API extern const weir_key_table weir_hpa_behavior_keys;

/* One metric over the pods that are not being deleted; `total` in thousandths, over `ready`. */
typedef struct weir_hpa_pods {
	int64_t total;
	int64_t ready;   /* with a figure that counts */
	int64_t missing; /* running, without a figure */
	int64_t unready; /* whose figure does not count */
} weir_hpa_pods;

/* A figure in thousandths, rounded up (but for the noise of its last bits), as a Kubernetes
 * quantity is; cut to 1e15. */
WEIR_API int64_t weir_hpa_milli(double value);

/*
 * The size that a pods metric asks for (type AverageValue; `target` in thousandths, above 0). False
 * when no ready pod has a figure: the metric failed.
 */
WEIR_API bool weir_hpa_pods_proposal(const weir_hpa_behavior *behavior, const weir_hpa_pods *pods,
                                     int64_t target, int64_t current, int64_t *proposal);

/* The size that an external metric of type AverageValue asks for; `current` above 0. */
WEIR_API int64_t weir_hpa_external_proposal(const weir_hpa_behavior *behavior, int64_t total,
                                            int64_t target, int64_t current);

/* What the metrics of an HPA ask for together: the largest of them. Zero before the first. */
typedef struct weir_hpa_proposals {
	int64_t largest;
	size_t valid, failed; /* metrics */
} weir_hpa_proposals;

WEIR_API void weir_hpa_add(weir_hpa_proposals *proposals, bool valid, int64_t proposal);

/*
 * What happened lately: one flat block. It holds three rings, of proposals and of changes up and
 * down; each holds ceil(window / interval) + 2 entries of 24 bytes, where window is the longest
 * stabilisation window or the longest period. Entries of one time are one entry; so more never fall
 * into a window, even if views are late by a lag that varies up to an interval between scrapes.
 */
typedef struct weir_hpa_state weir_hpa_state;

WEIR_API size_t weir_hpa_state_size(const weir_hpa_behavior *behavior, double interval);
/* `state`: weir_hpa_state_size zero bytes. */
WEIR_API void weir_hpa_start(const weir_hpa_behavior *behavior, double interval,
                             weir_hpa_state *state);

typedef struct weir_hpa_step_input {
	double now;               /* s; never decreases */
	int64_t current;          /* instances asked for so far */
	int64_t minimum, maximum; /* 1 <= minimum <= maximum */
	weir_hpa_proposals proposals;
} weir_hpa_step_input;

/* One pass of the control loop: the wanted size; `current` for no change. */
WEIR_API int64_t weir_hpa_step(const weir_hpa_behavior *behavior, weir_hpa_state *state,
                               const weir_hpa_step_input *input);

WEIR_END_C

#endif
