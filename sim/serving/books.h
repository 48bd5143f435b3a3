/*
 * The exact books of pools and servers: how many there are, for how long and at what price.
 * Internal to the serving room.
 *
 * Integrals over time are settled whenever a count changes, in sums that keep what rounding cuts
 * off, so that their error does not grow with the length of a run. Prices are integer counts times
 * the prices of types, never sums that are added to and taken from.
 */
#ifndef WEIR_SERVING_BOOKS_H
#define WEIR_SERVING_BOOKS_H

#include <stdint.h>

#include "serving/instance.h"
#include "serving/instance_list.h"
#include "serving/serving.h"

/* A sum and what rounding has cut off it (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur
 * Summation endlicher Summen", ZAMM 54, 1974). */
typedef struct weir_sum {
	double sum, rest;
} weir_sum;

void weir_sum_add(weir_sum *sum, double value);

static inline double weir_sum_value(const weir_sum *sum)
{
	return sum->sum + sum->rest;
}

/* US dollars over time at a price that changes. */
typedef struct weir_bill {
	double settled; /* s: up to when the sum goes */
	double price_per_s;
	weir_sum cost_usd;
} weir_bill;

/* One pool: an application and a tag. */
typedef struct weir_pool {
	weir_pool_counters counters; /* time integrals: of instances that have left it, see below */
	/* sums over its instances; bytes are those beside the weights */
	int64_t figures[WEIR_FIGURE_COUNT];
	int64_t pending_prompt_tokens, queued_prompts, queued_tokens;
	uint32_t count[WEIR_INSTANCE_STATE_COUNT];
	weir_sum seconds[WEIR_INSTANCE_STATE_COUNT]; /* up to the bill's `settled` */
	weir_bill bill;
} weir_pool;

/* An instance comes into its pool in its state, changes to another state, or leaves the pool;
 * `change` of an instance's own books included. */
void weir_books_enter(weir_serving *serving, weir_instance *instance);
void weir_books_change_state(weir_serving *serving, weir_instance *instance,
                             weir_instance_state state);
void weir_books_leave(weir_serving *serving, weir_instance *instance);

/* `change` servers more of a type of an application. */
void weir_books_count_server(weir_serving *serving, uint32_t application, uint32_t type,
                             int change);

#endif
