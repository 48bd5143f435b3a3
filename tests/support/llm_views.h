/*
 * Contexts and views with round figures for policies that size by capacity.
 *
 * One application with two instance types: 0 costs 2 dollars an hour, 1 costs 8. Both hold 10,000
 * tokens of KV cache, 64 tasks and 1000 tokens an iteration (chunked). An iteration with prompts
 * takes 0.001 s a prompt token, another one 0.01 s and 0.001 s a task.
 */
#ifndef WEIR_TESTS_LLM_VIEWS_H
#define WEIR_TESTS_LLM_VIEWS_H

#include "scaling/policy.h"
#include "support/small_cluster.h"

enum { LLM_INSTANCES = 32 };

typedef struct llm_fixture {
	weir_architecture model;
	weir_server_sku skus[2];
	small_time times[2];
	weir_instance_type types[2];
	weir_application application;
	weir_cluster cluster;
	weir_scaling_config scaling;
	weir_policy_context context;
	weir_view_instance instances[LLM_INSTANCES];
	weir_view view;
	weir_decision decision;
	void *state;
} llm_fixture;

/* `tags` as in weir_policy_context. The fixture must not move. */
void llm_start(llm_fixture *fixture, const weir_policy_type *type, const void *parameters,
               unsigned tags);
void llm_end(llm_fixture *fixture);

/* An ACTIVE instance more in the view. */
weir_view_instance *llm_add(llm_fixture *fixture, weir_tag tag, uint32_t type);
/* `count` ACTIVE instances in the pool's counts only. */
void llm_pool(llm_fixture *fixture, weir_tag tag, uint32_t count);

/* One tick of `interval` seconds with such arrivals. */
void llm_tick(llm_fixture *fixture, const weir_policy_type *type, double interval, double arrivals,
              double isl, double osl);

/* The wanted size of a pool; -1: none was asked for. */
int64_t llm_size(const llm_fixture *fixture, weir_tag tag);
/* The change of a type; 0: none was asked for. */
int64_t llm_change(const llm_fixture *fixture, int32_t type);

/* A key table's defaults. */
void llm_defaults(const weir_key_table *table, void *object);

#endif
