/* What a config says of measuring: the SLO and the samples. */
#ifndef WEIR_METRICS_METRICS_CONFIG_H
#define WEIR_METRICS_METRICS_CONFIG_H

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

typedef enum weir_slo_baseline {
	WEIR_BASELINE_SPLITWISE, /* token curve at the prompt's tokens, TBT = (e2e - ttft) /
	                            output_tokens */
	WEIR_BASELINE_UNLOADED /* token curve at one token, TBT = (e2e - ttft) / (output_tokens - 1) */
} weir_slo_baseline;

/* Limits of slowdown (measured / unloaded) of one quantity. */
typedef struct weir_slo_limits {
	double ttft, tbt, e2e;
} weir_slo_limits;

/* The `slo` section. */
typedef struct weir_slo_config {
	int baseline;                /* weir_slo_baseline */
	const char *reference_model; /* "": the model of the request's application */
	const char *reference_gpu;
	int64_t reference_tensor_parallel;
	weir_slo_limits per_request;
	weir_slo_limits p50, p90, p99; /* the percentile SLO of a whole run */
} weir_slo_config;

WEIR_API extern const weir_key_table weir_slo_keys;

/* The `sampling` section. */
typedef struct weir_sampling_config {
	double interval;      /* seconds between samples; 0: none */
	double idle_fraction; /* share of the TDP that an idle server draws */
} weir_sampling_config;

WEIR_API extern const weir_key_table weir_sampling_keys;

WEIR_END_C

#endif
