/*
 * The parity cases, tests/parity: small runs of SplitwiseSim (commit 8f99e7d), with what it
 * reported for every request, to within 1e-6 s.
 */
#ifndef WEIR_TESTS_PARITY_H
#define WEIR_TESTS_PARITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

typedef enum parity_tag { PARITY_PROMPT, PARITY_TOKEN, PARITY_MIXED } parity_tag;

typedef struct parity_instance {
	const char *sku, *gpu;
	parity_tag tag;     /* PARITY_MIXED when there is one pool of all */
	double utilization; /* expected; busy time / time of the last event */
} parity_instance;

/* One request, and what is expected of it, in seconds. */
typedef struct parity_request {
	int64_t id;
	double arrival;
	int64_t prompt_tokens, output_tokens;
	double queue_time, ttft, second_token_gap, e2e;
} parity_request;

typedef struct parity_case {
	const char *name, *scheduler, *instance_kind, *model;
	const char *trace_path; /* SplitwiseSim's CSV */
	const char *servers;    /* "dgx-a100:3,dgx-h100:3", in the order of the instances */
	const char *pools;      /* "single", "prompt:4,token:4" or "prompt:dgx-h100,token:dgx-a100" */
	size_t instance_count;
	parity_instance *instances; /* one a server */
	size_t request_count;
	parity_request *requests; /* in order of arrival */
} parity_case;

/* Reads every case of `directory` into the arena; *count is their number. Fails the test when a
 * file is not as it should be. */
const parity_case *parity_load(weir_arena *arena, const char *directory, size_t *count);

#endif
