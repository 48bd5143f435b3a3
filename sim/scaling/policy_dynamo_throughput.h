/*
 * The NVIDIA Dynamo planner's throughput mode: forecasts requests and lengths of the next interval
 * and sizes the pools for them, from what one engine serves within the targets.
 *
 * Source: see scaling/dynamo.h. Without prefix caches, power budgets, and ARIMA and Prophet.
 */
#ifndef WEIR_SCALING_POLICY_DYNAMO_THROUGHPUT_H
#define WEIR_SCALING_POLICY_DYNAMO_THROUGHPUT_H

#include "scaling/dynamo.h"

WEIR_BEGIN_C

typedef weir_dynamo_config weir_dynamo_throughput_config;

WEIR_API extern const weir_key_table weir_dynamo_throughput_keys;
WEIR_API extern const weir_policy_type weir_policy_dynamo_throughput;

WEIR_END_C

#endif
