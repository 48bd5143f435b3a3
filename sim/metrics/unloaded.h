/*
 * The times of requests on an unloaded cluster, kept by the size of their prompts: what
 * weir_slo_unloaded says of them is a function of the application and the prompt's tokens alone,
 * and an execution-time model may take long to say it.
 */
#ifndef WEIR_METRICS_UNLOADED_H
#define WEIR_METRICS_UNLOADED_H

#include <stdint.h>

#include "base/export.h"
#include "metrics/slo.h"

WEIR_BEGIN_C

typedef struct weir_unloaded weir_unloaded;

/* `slo` is borrowed. NULL when memory is out. */
WEIR_API weir_unloaded *weir_unloaded_create(const weir_slo *slo);
WEIR_API void weir_unloaded_destroy(weir_unloaded *unloaded);

/* What weir_slo_unloaded says of a prompt, but for `e2e`, which is NaN. Nothing is allocated. */
WEIR_API weir_slowdowns weir_unloaded_of(weir_unloaded *unloaded, uint32_t application,
                                         int64_t prompt_tokens);

WEIR_END_C

#endif
