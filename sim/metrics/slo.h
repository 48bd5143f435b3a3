/*
 * Slowdowns against an unloaded reference, and the service-level objectives on them.
 *
 * What the words mean is said in docs/metrics.md; the definitions here are its only implementation.
 */
#ifndef WEIR_METRICS_SLO_H
#define WEIR_METRICS_SLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "metrics/metrics_config.h"
#include "model/execution_time.h"

WEIR_BEGIN_C

/* The reference of one application. */
typedef struct weir_slo_reference {
	const weir_execution_time *time; /* of an unloaded server; not owned */
	bool by_batch_tokens; /* its curves depend on batch tokens alone, as a profile table's do */
} weir_slo_reference;

typedef struct weir_slo {
	const weir_slo_config *config;
	const weir_slo_reference *references; /* one per application; not owned */
	size_t reference_count;
} weir_slo;

/* Measured / unloaded; NaN where the measurement is NaN. TBT has the form that the baseline asks
 * for. */
typedef struct weir_slowdowns {
	double ttft, tbt, e2e;
} weir_slowdowns;

/* What is needed of a request. Seconds. */
typedef struct weir_slo_request {
	uint32_t application;
	int64_t prompt_tokens, output_tokens;
	double ttft, e2e;
} weir_slo_request;

/*
 * The unloaded times of a request: prompt curve at prompt_tokens, the token curve where the
 * baseline reads it, and TTFT + (output_tokens - 1) * TBT.
 */
WEIR_API weir_slowdowns weir_slo_unloaded(const weir_slo *slo, const weir_slo_request *request);

WEIR_API weir_slowdowns weir_slo_slowdowns(const weir_slo *slo, const weir_slo_request *request);

/* The same, given the unloaded TTFT and TBT of its prompt (which depend on the application and the
 * prompt's tokens alone). */
WEIR_API weir_slowdowns weir_slo_slowdowns_given(const weir_slo *slo,
                                                 const weir_slo_request *request,
                                                 const weir_slowdowns *unloaded);

/* Whether a completed request kept all limits of slo.per_request; a slowdown that is NaN (the TBT
 * of one output token) is kept. */
WEIR_API bool weir_slo_met(const weir_slo *slo, const weir_slowdowns *slowdowns);

/*
 * Whether a request that has waited `waited` seconds since its arrival without completing is past a
 * limit already, so that it would not be kept even if it completed now. Its `ttft` is NaN before
 * its first token; its `e2e` is not looked at.
 */
WEIR_API bool weir_slo_overdue(const weir_slo *slo, const weir_slo_request *request, double waited);

WEIR_END_C

#endif
