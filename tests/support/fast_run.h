/* The simulator's serving room, driven by the oracle's configuration and giving the oracle's
 * results. */
#ifndef WEIR_TESTS_FAST_RUN_H
#define WEIR_TESTS_FAST_RUN_H

#include "oracle/naive.h"
#include "serving/serving.h"

/* One simulation that can be stepped; opaque. */
typedef struct fast_run fast_run;

/* Starts at time 0 with nothing in flight. `config` and `requests` must outlive it; `network` is
 * weir_network_kind. The random scheduler draws from stream "scheduler" of `seed`. */
fast_run *fast_run_create(const naive_config *config, const naive_request *requests, size_t count,
                          int network, uint64_t seed);
void fast_run_destroy(fast_run *run);

/* Runs one event; false when none is left (or none before config->until). Fails the test on an
 * error. */
bool fast_run_step(fast_run *run);

/* Makes `target` equal to `source`, both made with the same arguments. */
void fast_run_copy(fast_run *target, const fast_run *source);

weir_serving *fast_run_serving(fast_run *run);
double fast_run_now(const fast_run *run);

/* What the oracle would have given; rows are in order of completion, then the unfinished by
 * arrival. */
naive_result fast_run_result(fast_run *run);

/* Create, step to the end, result, destroy. */
naive_result fast_run_all(const naive_config *config, const naive_request *requests, size_t count,
                          uint64_t seed);

#endif
