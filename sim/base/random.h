/*
 * Named random streams on GSL.
 *
 * Each use of chance has a stream of its own, seeded from (seed, name): adding a draw to one leaves
 * every other stream as it was, so that two policies meet the same workload.
 */
#ifndef WEIR_BASE_RANDOM_H
#define WEIR_BASE_RANDOM_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

/* The 64-bit seed of stream `name` (and `index`, for one stream per pool, worker, ...) of a run:
 * SplitMix64 finaliser (Steele, Lea, Flood 2014) over FNV-1a of the name. */
WEIR_API uint64_t weir_stream_seed(uint64_t seed, const char *name, uint64_t index);

/* Uniform on [0, 1), a multiple of 2^-53: draw `index` of the stream `name`, by itself. For the few
 * draws of something that must be copied, saved or begun anew: there is no state. */
WEIR_API double weir_stream_uniform(uint64_t seed, const char *name, uint64_t index);

/* A GSL generator (mt19937) for that stream; NULL when memory is out. Free with gsl_rng_free. */
WEIR_API gsl_rng *weir_stream_create(uint64_t seed, const char *name, uint64_t index);

WEIR_END_C

#endif
