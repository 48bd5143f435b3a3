/* Holds the pools at given sizes from the start on. The best of them is the least that an
 * autoscaler must beat. */
#ifndef WEIR_SCALING_POLICY_STATIC_H
#define WEIR_SCALING_POLICY_STATIC_H

#include "scaling/policy.h"

WEIR_BEGIN_C

typedef struct weir_static_config {
	int64_t sizes[WEIR_TAG_COUNT]; /* instances by tag; -1: what the start state has */
} weir_static_config;

WEIR_API extern const weir_key_table weir_static_keys;
WEIR_API extern const weir_policy_type weir_policy_static;

WEIR_END_C

#endif
