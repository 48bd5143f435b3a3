/*
 * Clusters of made-up servers with round times, for tests that work results out by hand.
 *
 * Describe (create, add, add_server), start, then submit, step and look. A token's KV cache is 1000
 * bytes and the weights are 1,000,000 bytes unless the test changes `model` before the start.
 */
#ifndef WEIR_TESTS_SMALL_CLUSTER_H
#define WEIR_TESTS_SMALL_CLUSTER_H

#include "serving/serving.h"

enum {
	SMALL_APPLICATIONS = 3,
	SMALL_SERVERS = 16, /* of one application */
	SMALL_KV_BYTES = 1000,
	SMALL_WEIGHTS = 1000000
};

/* Seconds of one iteration: with a prompt in the batch, and without. */
typedef struct small_speed {
	double prompt_s, prompt_token_s;  /* prompt_s + prompt_token_s * prompt tokens */
	double token_s, token_task_s;     /* token_s + token_task_s * token tasks */
	double prompt_power, token_power; /* shares of the TDP */
} small_speed;

typedef struct small_server {
	weir_tag tag;
	int64_t gpus;      /* instances of it: tensor_parallel is 1 */
	int64_t kv_tokens; /* room of an instance beside the weights */
	double nic_bytes_per_s;
	double tdp_w;
	double price_per_hour;
	small_speed speed;
} small_server;

typedef struct small_time {
	weir_execution_time base;
	small_speed speed;
} small_time;

/* An execution-time model of that speed. */
extern const weir_execution_time_type small_time_type;

typedef struct small_application {
	weir_architecture model;
	weir_server_sku skus[SMALL_SERVERS];
	small_time times[SMALL_SERVERS];
	weir_instance_type types[SMALL_SERVERS];
	weir_start_server servers[SMALL_SERVERS];
	weir_application
	    config; /* limits: 512 tasks, 2048 tokens, 4 preemptions; change before start */
} small_application;

typedef struct small_cluster {
	small_application applications[SMALL_APPLICATIONS];
	weir_application configs[SMALL_APPLICATIONS];
	weir_cluster config; /* dedicated, idle_fraction 0.25; change before the start */
	weir_engine *engine;
	weir_serving *serving;
	weir_request_row *rows; /* of the requests that ended, in that order */
	size_t row_count, row_capacity;
	bool keeps_activity;            /* change before the start */
	weir_iteration_row *iterations; /* in the order in which they were told, when kept */
	weir_transfer_row *transfers;
	size_t iteration_count, iteration_capacity, transfer_count, transfer_capacity;
	weir_submission *arrivals;
	size_t arrival_count, arrival_capacity;
} small_cluster;

small_cluster *small_cluster_create(void);
void small_cluster_destroy(small_cluster *cluster);

/* `scheduler` and `kind` by the names of the config. */
small_application *small_cluster_add(small_cluster *cluster, const char *scheduler,
                                     const char *kind);
void small_application_add_server(small_application *application, const small_server *server);

/* After it the description no longer changes. */
void small_cluster_start(small_cluster *cluster);

/* An arrival at `time` (not before now). Its id is the number of calls before. */
void small_cluster_arrive(small_cluster *cluster, double time, uint32_t application,
                          int64_t prompt_tokens, int64_t output_tokens);

/* One event at or before `until`, and the check of all invariants; false when there is none. */
bool small_cluster_step(small_cluster *cluster, double until);
/* All events up to `until`; the clock then stands there (when finite). */
void small_cluster_run(small_cluster *cluster, double until);

/* Another one of the same description, at the same point of its run. */
small_cluster *small_cluster_copy(const small_cluster *source);

/* Makes `target`, of the same description, equal to `source`. */
void small_cluster_assign(small_cluster *target, const small_cluster *source);

/* The row of request `id`, which must have ended. */
const weir_request_row *small_cluster_row(const small_cluster *cluster, int64_t id);

#endif
