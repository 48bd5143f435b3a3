/* Streams of requests for tests. */
#ifndef WEIR_TESTS_WORKLOAD_SUPPORT_H
#define WEIR_TESTS_WORKLOAD_SUPPORT_H

#include <stddef.h>

#include "workload/source.h"

/* A splitwise trace named `name` with `count` arrivals; request i has id 10 + i, prompt_tokens
 * first_prompt + i and 1 output token. Opened; fails the test when it cannot. */
weir_source *test_trace(const char *name, const double *arrivals, size_t count,
                        int64_t first_prompt);

/* Draws one request; false at the end; fails the test on an error. */
bool test_draw(weir_source *source, weir_request *request);

/* Fails the test unless the stream has these arrivals and ends. */
void test_check_arrivals(weir_source *source, const double *arrivals, size_t count);

/*
 * Fails the test unless the stream, which may be long, is the same after a rewind and after a
 * restore from each of several snapshots taken on the way, with prefix hashes. Leaves it at its
 * end.
 */
void test_check_snapshots(weir_source *source);

#endif
