/* A recorded run in which everything happens that a ScalingManager can do. */
#ifndef WEIR_TESTS_ELASTIC_RUN_H
#define WEIR_TESTS_ELASTIC_RUN_H

/* Records, into the file `path`, a run of the trace (an override "trace.path=...") with instances
 * and servers that come, drain, flip and go, operations that are refused, and requests that drains
 * move. */
void test_run_elastic(const char *path, const char *trace);

#endif
