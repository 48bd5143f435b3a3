/*
 * AIBrix' APA: the size follows the demand per instance, within tolerances and at most by a factor
 * at a time. Rule and source: scaling/demand.h.
 */
#ifndef WEIR_SCALING_POLICY_APA_H
#define WEIR_SCALING_POLICY_APA_H

#include "scaling/demand.h"
#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_apa_config {
	weir_demand_config demand;
	weir_apa_rule rule;
} weir_apa_config;

WEIR_API extern const weir_key_table weir_apa_keys;
WEIR_API extern const weir_policy_type weir_policy_apa;

WEIR_END_C

#endif
