/* What the tests of faults share: draws made apart from sim/scaling, clusters with faults, counts.
 */
#ifndef WEIR_TESTS_FAULT_SUPPORT_H
#define WEIR_TESTS_FAULT_SUPPORT_H

#include "support/managed_cluster.h"

enum { FAULT_SEED = 5, MANY = 2000 };

/* Every kind off; replaced; at most 2 retries. */
extern const weir_faults_config no_faults;

/* The draw of FAULT_SEED that a fault must come from: of the stream's word, in [0, 1). */
double fault_uniform(const char *stream, uint64_t index);
/* By inversion: the one time of `id`, or time `draw` of it. */
double fault_lifetime(const char *stream, uint64_t id, double mean);
double fault_exponential(const char *stream, uint64_t id, uint64_t draw, double mean);

/* Mixed servers under jsq, with faults. */
managed_cluster *faulty_cluster(const char *tags, int64_t gpus, const weir_faults_config *faults);

weir_faults_counters faults_of(const managed_cluster *managed);
weir_serving_counters served(const managed_cluster *managed);
/* One more mixed instance. */
weir_instance_handle scale_up(managed_cluster *managed);

/* The row of that action number `skip`; NULL when there are not so many. */
const weir_scaling_event_row *row_of(const managed_cluster *managed, weir_scaling_action action,
                                     size_t skip);
uint64_t rows_of(const managed_cluster *managed, weir_scaling_action action);

/* A count of `trials` with probability p must lie within four standard deviations. */
void check_share(uint64_t count, double trials, double p);

#endif
