/*
 * A stream laid over itself: many times its rate, and still its shape in time.
 *
 * Raising the rate of a trace by squeezing its time squeezes its peaks as well, which then pass
 * before instances could boot. Here every request comes several times instead, each copy later by a
 * time of its own, so that hours stay hours and seeds differ in more than nothing.
 */
#ifndef WEIR_WORKLOAD_SUPERPOSE_H
#define WEIR_WORKLOAD_SUPERPOSE_H

#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/source.h"

WEIR_BEGIN_C

/*
 * Every request `copies` >= 1 times, each copy, the first as well, at its arrival + a time drawn
 * uniformly from [0, jitter) seconds by the stream "superpose" of `seed`; jitter 0: all at once.
 * Copies of one time keep the order in which they were made. Ids, sizes, applications and prefix
 * hashes are those of the request. One copy without jitter leaves the source as it is.
 *
 * *source is taken over as by the functions of transform.h. Memory: the copies that come within
 * `jitter` seconds. Cost of a request: O(log of their number).
 */
WEIR_API weir_status weir_source_superpose(weir_source **source, int64_t copies, double jitter,
                                           uint64_t seed, weir_error *error);

WEIR_END_C

#endif
