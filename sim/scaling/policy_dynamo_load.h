/*
 * The NVIDIA Dynamo planner's load mode: estimates TTFT and ITL of every engine from what it has,
 * one instance more when all of them miss a target, one less when those that remain would keep it.
 *
 * Source: ai-dynamo/dynamo, components/src/dynamo/planner/core/load_scaling.py; the targets of kind
 * `sla`. With `throughput_floor` the throughput mode (scaling/dynamo.h) runs beside it and its
 * result is the least that load mode may ask for. While an instance boots the pool is only watched.
 */
#ifndef WEIR_SCALING_POLICY_DYNAMO_LOAD_H
#define WEIR_SCALING_POLICY_DYNAMO_LOAD_H

#include "scaling/dynamo.h"

WEIR_BEGIN_C

typedef struct weir_dynamo_load_config {
	weir_dynamo_config dynamo;
	double sensitivity; /* share of a target that must not be passed after a scale-in */
	bool throughput_floor;
	double throughput_interval; /* s */
} weir_dynamo_load_config;

WEIR_API extern const weir_key_table weir_dynamo_load_keys;
WEIR_API extern const weir_policy_type weir_policy_dynamo_load;

WEIR_END_C

#endif
