/* Generated workloads: requests drawn from an arrival process and from distributions of sizes. */
#ifndef WEIR_WORKLOAD_GENERATOR_H
#define WEIR_WORKLOAD_GENERATOR_H

#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "workload/arrivals.h"
#include "workload/sizes.h"
#include "workload/source.h"

WEIR_BEGIN_C

typedef struct weir_generator_limits {
	double duration; /* arrivals before this many seconds; 0: no limit */
	int64_t count;   /* so many requests at most; 0: no limit */
} weir_generator_limits;

/*
 * Makes a source that draws arrivals from the random stream "arrivals" of `seed` and sizes from its
 * stream "sizes": what one of them is changed to leaves the other as it was. Ids count from 0. It
 * takes `arrivals` and `sizes` over, also when it fails (WEIR_ERROR_MEMORY). A generated stream has
 * no end where there is no limit, unless its rate falls to 0 for good.
 */
WEIR_API weir_status weir_generator_create(weir_arrivals *arrivals, weir_sizes *sizes,
                                           const weir_generator_limits *limits, uint64_t seed,
                                           weir_source **source, weir_error *error);

WEIR_END_C

#endif
