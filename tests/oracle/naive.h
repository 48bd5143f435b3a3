/*
 * The serving model in the plainest form: arrays, and scans of whole arrays.
 *
 * The oracle of the fast simulator, which must give the same results bit for bit. It shares no code
 * with sim/ beyond sim/base, and is meant to be read beside the description of the serving model:
 * one function a rule, in the order of the rules. Cost grows with the square of the backlog.
 *
 * What the two must agree on beyond that description:
 * - Events at one time run in the order in which they were scheduled, and every arrival counts as
 *   scheduled before the run began: an arrival goes before anything else at its time.
 * - A pause leaves at most the old count of iterations, and moves the event to no earlier than
 *   now; the event counts as newly scheduled even when its time stays the same. Where rounding
 *   leaves the elapsed time a little below 0, Python's floor division gives -1, and none runs.
 * - A request of one output token has no token task and no transfer. The scheduler chooses its
 *   instances as for any other (with KV(0) = 0 bytes); only the prompt instance's books change, and
 *   its memory is released when the prompt completes.
 * - A request is rejected when its instances were chosen but could never hold it, alone. Nothing
 *   changes then but round-robin cursors and moves between the lists of mixed_pool.
 * - orca and chunked append to the pending tasks; splitwise inserts by bisection.
 */
#ifndef WEIR_TESTS_ORACLE_NAIVE_H
#define WEIR_TESTS_ORACLE_NAIVE_H

#include <stddef.h>
#include <stdint.h>

/* The enumerators stand in the order of weir_scheduler_names, weir_batching_names and weir_tag. */
typedef enum naive_scheduler {
	NAIVE_RANDOM,
	NAIVE_ROUND_ROBIN,
	NAIVE_JSQ,
	NAIVE_TOKEN_JSQ,
	NAIVE_KV_ROUND_ROBIN,
	NAIVE_KV_JSQ,
	NAIVE_KV_TOKEN_JSQ,
	NAIVE_OVERLAP_KV_JSQ,
	NAIVE_OVERLAP_KV_TOKEN_JSQ,
	NAIVE_MIXED_POOL,
	NAIVE_SCHEDULER_COUNT
} naive_scheduler;

typedef enum naive_kind { NAIVE_ORCA, NAIVE_SPLITWISE, NAIVE_CHUNKED, NAIVE_KIND_COUNT } naive_kind;

typedef enum naive_tag { NAIVE_PROMPT, NAIVE_TOKEN, NAIVE_MIXED } naive_tag;

typedef struct naive_instance_config {
	naive_tag tag; /* kv_* need at least one prompt and one token instance */
	int64_t memory_limit;
} naive_instance_config;

typedef struct naive_config {
	naive_scheduler scheduler;
	double bandwidth_gb_per_s; /* of one transfer's link, GB = 1024^3 bytes; overlap_*: 10 times */
	int64_t prompt_max_pending_tokens; /* mixed_pool */
	naive_kind kind;
	int64_t max_batch_size;
	int64_t max_batch_tokens; /* not used by orca */
	int64_t max_preemptions;  /* splitwise; at least 1 */
	int64_t kv_bytes_per_token;
	int64_t weights; /* bytes */
	size_t instance_count;
	const naive_instance_config *instances;
	double
	    until; /* events after this time do not run; finite where a transfer might wait for ever */
	/* Seconds of one iteration of a batch: prompt tokens processed in it, number of token tasks. */
	double (*iteration_seconds)(void *context, size_t instance, int64_t prompt_tokens,
	                            int64_t token_tasks);
	/* Uniform in 0..count-1, once a request in order of arrival; only for NAIVE_RANDOM. */
	size_t (*draw)(void *context, size_t count);
	/* Called after every event ("arrival", "iteration", "transfer", "retry"; the request's index,
	 * or the instance's for "iteration"); may be NULL. */
	void (*observe)(void *context, double time, const char *what, size_t index);
	void *context;
} naive_config;

typedef struct naive_request {
	int64_t id;
	double arrival;                       /* never decreasing from one request to the next */
	int64_t prompt_tokens, output_tokens; /* at least 1 */
} naive_request;

typedef enum naive_status { NAIVE_COMPLETED, NAIVE_REJECTED, NAIVE_UNFINISHED } naive_status;

/* What a request met with. Times not reached, and the second token's gap of a request of one output
 * token, are NaN; an instance that it has none of is -1. */
typedef struct naive_row {
	int64_t id;
	naive_status status;
	double queue_time, ttft, second_token_gap, e2e;
	int64_t prompt_instance, token_instance; /* as chosen */
	int64_t preemptions;                     /* times its token task was put out of a batch */
	int64_t transfer_retries;
} naive_row;

typedef struct naive_result {
	/* One row a request that arrived: completed and rejected ones as they did, then the others in
	 * order of arrival. */
	naive_row *rows;
	size_t row_count, completed, rejected;
	double *busy_time; /* seconds, one an instance; an open interval counts up to end_time */
	double end_time;   /* of the last event; 0 when there was none */
	uint64_t events;   /* that ran: arrivals, iterations, transfers, retries */
} naive_result;

/* Runs `requests` to the end, or until config->until. Aborts when memory is out. */
naive_result naive_run(const naive_config *config, const naive_request *requests, size_t count);
void naive_result_free(naive_result *result);

#endif
