/*
 * Noise on what a policy sees: each load, queue, count of requests and of tokens of a view times
 * max(0, 1 + deviation * N(0, 1)), a draw for each. What is counted in requests or bytes is rounded
 * to whole ones. Counts of instances and servers, times, paid seconds, cost and latencies stay as
 * they are; `overdue` is the sum of its two parts.
 *
 * The draws are a function of the seed and the number of the view alone: there is no state to copy.
 */
#ifndef WEIR_SCALING_VIEW_NOISE_H
#define WEIR_SCALING_VIEW_NOISE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/export.h"
#include "metrics/view.h"

WEIR_BEGIN_C

typedef struct weir_view_noise weir_view_noise;

/* `stream` as weir_stream_seed makes it. NULL when memory is out. */
WEIR_API weir_view_noise *weir_view_noise_create(uint64_t stream, double deviation);
WEIR_API void weir_view_noise_destroy(weir_view_noise *noise);

/* Changes view `number`; view->instances is then a changed copy, valid until the next call. False
 * when memory is out. */
WEIR_API bool weir_view_noise_add(weir_view_noise *noise, uint64_t number, weir_view *view);

WEIR_END_C

#endif
