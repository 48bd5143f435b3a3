/*
 * Random workloads for property tests of the serving model: a seed makes a configuration and its
 * requests, small and mean: little memory, small batches, bursts of equal arrival times, times on a
 * grid (so that events tie), requests of one output token and requests that can never fit.
 */
#ifndef WEIR_TESTS_RANDOM_CASE_H
#define WEIR_TESTS_RANDOM_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle/naive.h"
#include "support/curves.h"

enum {
	RANDOM_CASE_INSTANCES = 8, /* at most */
	RANDOM_CASE_SPEEDS = 2,
	/* Seeds from a multiple of it on, this many: every scheduler but random, with every kind of
	 * instance, once with a light and once with a heavy load. */
	RANDOM_CASE_CYCLE = 2 * (NAIVE_SCHEDULER_COUNT - 1) * NAIVE_KIND_COUNT
};

typedef struct random_case {
	/* Complete, with the oracle's callback set; config.kv_bytes_per_token is a multiple of 4. */
	naive_config config;
	naive_instance_config instances[RANDOM_CASE_INSTANCES];
	size_t speed_of[RANDOM_CASE_INSTANCES]; /* which of `speeds` an instance has */
	test_curves speeds[RANDOM_CASE_SPEEDS];
	naive_request *requests;
	size_t request_count;
	bool heavy;     /* nearly everything waits */
	char text[160]; /* what it is, for messages */
} random_case;

/* The case of `seed`, the same on every machine, with `request_count` requests (0: 40 to 240).
 * Aborts when memory is out. */
random_case *random_case_create(uint64_t seed, size_t request_count);
void random_case_destroy(random_case *random);

#endif
