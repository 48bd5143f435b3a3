/*
 * Which requests in the system are past a limit of their SLO already, and how long prompts wait.
 * What the counts mean is said in view.h.
 */
#ifndef WEIR_METRICS_OVERDUE_H
#define WEIR_METRICS_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "metrics/slo.h"
#include "metrics/unloaded.h"
#include "serving/serving.h"

WEIR_BEGIN_C

typedef struct weir_overdue_counts {
	uint64_t ttft, tbt, queued; /* requests */
	double queued_wait;         /* s, mean over `queued`; 0 when there are none */
} weir_overdue_counts;

typedef struct weir_overdue weir_overdue;

/* All are borrowed; `unloaded` is that of `slo`. NULL when memory is out. */
WEIR_API weir_overdue *weir_overdue_create(const weir_serving *serving, const weir_slo *slo,
                                           weir_unloaded *unloaded);
WEIR_API void weir_overdue_destroy(weir_overdue *overdue);

/* Counts the requests of an application at `now`, the serving's clock. False when memory is out.
 * Cost: O(the most requests that were in the system at a time). */
WEIR_API bool weir_overdue_count(weir_overdue *overdue, uint32_t application, double now,
                                 weir_overdue_counts *counts);

WEIR_END_C

#endif
