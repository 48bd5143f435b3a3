/*
 * Streams made of other streams: rescaled, sliced, repeated, merged, relabelled.
 *
 * All of them stream, in constant memory. Each takes over the source it draws from: *source is
 * replaced by the new one; after an error it is as it was, and still the caller's. A snapshot of
 * the new source holds that of the inner one; where that cannot be saved (a pipe), neither can it.
 */
#ifndef WEIR_WORKLOAD_TRANSFORM_H
#define WEIR_WORKLOAD_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/source.h"

WEIR_BEGIN_C

/*
 * Arrivals become arrival * factor + offset, factor > 0. Time scaled by x: factor x; rate scaled by
 * x: factor 1/x. An arrival that becomes negative or infinite is an error when it is drawn.
 */
WEIR_API weir_status weir_source_retime(weir_source **source, double factor, double offset,
                                        weir_error *error);

/*
 * Keeps arrivals in [start, start + duration) and counts time from `start`; and of these the first
 * `count`. INFINITY and INT64_MAX: to the end. What lies behind the slice is not read.
 */
WEIR_API weir_status weir_source_slice(weir_source **source, double start, double duration,
                                       int64_t count, weir_error *error);

/* Where to leave a request's application as it is. */
enum { WEIR_SOURCE_KEEP_APPLICATION = -1 };

/* Sets the application of every request, and with `renumber` its id to its place in the stream,
 * from 0. */
WEIR_API weir_status weir_source_relabel(weir_source **source, int64_t application, bool renumber,
                                         weir_error *error);

/*
 * The stream `times` >= 1 over: repetition i from 0 adds i * period, where period = span + mean
 * gap, span = last arrival - first arrival, mean gap = span / (requests - 1). Ids repeat, too. It
 * works by rewinding: a pipe cannot be repeated, nor a single request, which has no gap
 * (WEIR_ERROR_INPUT).
 */
WEIR_API weir_status weir_source_repeat(weir_source **source, int64_t times, weir_error *error);

/*
 * Merges `count` >= 1 sources in order of arrival, those of one time in the order of `sources`. Ids
 * stay as they are. The sources are taken over, the array is not; after an error they are still the
 * caller's. Cost of a request: O(count).
 */
WEIR_API weir_status weir_source_merge(weir_source *const *sources, size_t count,
                                       weir_source **merged, weir_error *error);

WEIR_END_C

#endif
