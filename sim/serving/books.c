#include "serving/books.h"

#include <math.h>
#include <string.h>

#include "serving/lifecycle.h"
#include "serving/serving_state.h"

void weir_sum_add(weir_sum *sum, double value)
{
	double total = sum->sum + value;
	sum->rest +=
	    fabs(sum->sum) >= fabs(value) ? (sum->sum - total) + value : (value - total) + sum->sum;
	sum->sum = total;
}

static double bill_at(const weir_bill *bill, double now)
{
	weir_sum cost = bill->cost_usd;
	weir_sum_add(&cost, (now - bill->settled) * bill->price_per_s);
	return weir_sum_value(&cost);
}

static void settle_bill(weir_bill *bill, double now)
{
	weir_sum_add(&bill->cost_usd, (now - bill->settled) * bill->price_per_s);
	bill->settled = now;
}

static double seconds_at(const weir_pool *pool, int state, double now)
{
	weir_sum seconds = pool->seconds[state];
	weir_sum_add(&seconds, (now - pool->bill.settled) * pool->count[state]);
	return weir_sum_value(&seconds);
}

static void settle(weir_pool *pool, double now)
{
	for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
		weir_sum_add(&pool->seconds[state], (now - pool->bill.settled) * pool->count[state]);
	}
	settle_bill(&pool->bill, now);
}

/* Changes the pool's count of instances of a type, and its price with it. */
static void count_type(weir_serving *serving, const weir_instance *instance, int change)
{
	weir_application_state *application = weir_application_of(serving, instance);
	const weir_application *config = application->config;
	uint32_t *counts = &application->instances_by_type[instance->tag * config->type_count];
	counts[instance->type] += (uint32_t)change;
	double price = 0;
	for (size_t t = 0; t < config->type_count; t++) {
		price += counts[t] * config->types[t].share_of_server * weir_price_per_s(&config->types[t]);
	}
	weir_pool_of(serving, instance)->bill.price_per_s = price;
}

void weir_books_enter(weir_serving *serving, weir_instance *instance)
{
	instance->pool = instance->application * WEIR_TAG_COUNT + (uint32_t)instance->tag;
	weir_pool *pool = weir_pool_of(serving, instance);
	double now = weir_engine_now(serving->engine);
	settle(pool, now);
	pool->count[instance->state]++;
	count_type(serving, instance, 1);
	weir_instance_account(instance, now);
	instance->tag_since = now;
	instance->before_pool = (weir_instance_work){
	    .busy_seconds = instance->busy_seconds,
	    .batch_token_seconds = instance->batch_token_seconds,
	    .energy_joules = instance->energy_joules,
	};
}

void weir_books_change_state(weir_serving *serving, weir_instance *instance,
                             weir_instance_state state)
{
	weir_pool *pool = weir_pool_of(serving, instance);
	double now = weir_engine_now(serving->engine);
	settle(pool, now);
	pool->count[instance->state]--;
	pool->count[state]++;
	instance->state_seconds[instance->state] += now - instance->state_since;
	instance->state_since = now;
	instance->state = state;
}

void weir_books_leave(weir_serving *serving, weir_instance *instance)
{
	weir_pool *pool = weir_pool_of(serving, instance);
	double now = weir_engine_now(serving->engine);
	settle(pool, now);
	pool->count[instance->state]--;
	count_type(serving, instance, -1);
	weir_instance_account(instance, now);
	instance->tag_seconds[instance->tag] += now - instance->tag_since;
	instance->tag_since = now;
	const weir_instance_work *before = &instance->before_pool;
	pool->counters.busy_seconds += instance->busy_seconds - before->busy_seconds;
	pool->counters.batch_token_seconds +=
	    instance->batch_token_seconds - before->batch_token_seconds;
	pool->counters.energy_joules += instance->energy_joules - before->energy_joules;
}

void weir_books_count_server(weir_serving *serving, uint32_t application, uint32_t type, int change)
{
	weir_application_state *state = &serving->applications[application];
	settle_bill(&state->servers_bill, weir_engine_now(serving->engine));
	state->servers_by_type[type] += (uint32_t)change;
	double price = 0;
	for (size_t t = 0; t < state->config->type_count; t++) {
		price += state->servers_by_type[t] * weir_price_per_s(&state->config->types[t]);
	}
	state->servers_bill.price_per_s = price;
}

double weir_serving_cost(const weir_serving *serving)
{
	double cost = 0;
	for (size_t a = 0; a < serving->cluster->application_count; a++) {
		cost += bill_at(&serving->applications[a].servers_bill, weir_engine_now(serving->engine));
	}
	return cost;
}

void weir_serving_pool_books(const weir_serving *serving, uint32_t application, weir_tag tag,
                             weir_pool_books *books)
{
	const weir_pool *pool = &serving->pools[(size_t)application * WEIR_TAG_COUNT + tag];
	const weir_scheduler *scheduler = &serving->applications[application].scheduler;
	double now = weir_engine_now(serving->engine);
	*books = (weir_pool_books){
	    .cost_usd = bill_at(&pool->bill, now),
	    .requests = pool->figures[WEIR_FIGURE_REQUESTS],
	    .pending_prompt_tokens = pool->pending_prompt_tokens,
	    .kv_promised = pool->figures[WEIR_FIGURE_BYTES],
	    .queued_prompts = pool->queued_prompts,
	    .queued_tokens = pool->queued_tokens,
	    /* A scheduler without pools has one list for all, to which nothing is lent. */
	    .active_by_list = scheduler->type->uses_pools ? scheduler->lists[tag].count
	                                                  : pool->count[WEIR_INSTANCE_ACTIVE],
	};
	memcpy(books->count, pool->count, sizeof books->count);
	for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
		books->seconds[state] = seconds_at(pool, state, now);
	}
}

void weir_serving_application(const weir_serving *serving, uint32_t application,
                              weir_application_counters *counters)
{
	const weir_application_state *state = &serving->applications[application];
	*counters = state->counters;
	counters->no_prompt_candidate = state->scheduler.no_prompt_candidate;
	counters->no_token_candidate = state->scheduler.no_token_candidate;
}
