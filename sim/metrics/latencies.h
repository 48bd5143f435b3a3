/* Times and slowdowns of requests that completed, and which limits they kept. */
#ifndef WEIR_METRICS_LATENCIES_H
#define WEIR_METRICS_LATENCIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "metrics/slo.h"
#include "metrics/unloaded.h"
#include "metrics/view.h"

WEIR_BEGIN_C

/* One request that completed; tbt is NaN for one token. What its slowdowns are is worked out when
 * somebody asks: of many at a time, the waits for memory overlap. */
typedef struct weir_completion {
	double ttft, tbt, e2e;
	uint32_t application;
	int32_t prompt_tokens, output_tokens;
} weir_completion;

/* Fills the slowdowns and the counts of `latencies`, and with `times` the times as well, from those
 * of `count` completions that are of the application; counts are added to. `unloaded` is that of
 * `slo`; `scratch` is room for 2 * count numbers. Expected cost: O(count). */
WEIR_API void weir_latencies_of(const weir_slo *slo, weir_unloaded *unloaded,
                                const weir_completion *completions, size_t count,
                                uint32_t application, bool times, double *scratch,
                                weir_view_latencies *latencies);

WEIR_END_C

#endif
