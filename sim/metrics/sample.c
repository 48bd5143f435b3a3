#include "metrics/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serving/lifecycle.h"

/* Cumulative figures of one pool. */
typedef struct pool_past {
	weir_pool_counters counters;
	double seconds[WEIR_INSTANCE_STATE_COUNT];
	double cost_usd;
} pool_past;

struct weir_sampler {
	const weir_cluster *cluster;
	const weir_serving *serving;
	double last;
	/* [application * WEIR_TAG_COUNT + tag], as of the sample before */
	pool_past *past;
	/* scratch of one sample */
	pool_past *present;
	weir_sample_row *rows;
	double *kv; /* sum of the instances' kv load */
};

static size_t pool_count(const weir_sampler *sampler)
{
	return sampler->cluster->application_count * WEIR_TAG_COUNT;
}

static void add_instance(weir_sampler *sampler, const weir_instance_view *view)
{
	size_t pool = (size_t)view->application * WEIR_TAG_COUNT + view->tag;
	weir_sample_row *row = &sampler->rows[pool];
	row->instances++;
	bool active = view->state == WEIR_INSTANCE_ACTIVE;
	row->active += active;
	row->scaling_up += view->state == WEIR_INSTANCE_SCALING_UP;
	row->draining += view->state == WEIR_INSTANCE_DRAINING;
	row->lent += active && view->list != view->tag;
	row->requests += (int32_t)view->requests;
	row->queued_prompts += (int32_t)view->queued_prompts;
	row->queued_tokens += (int32_t)view->queued_tokens;
	row->pending_prompt_tokens += view->pending_prompt_tokens;
	row->batch_size += (int32_t)view->batch_size;
	row->batch_tokens += view->batch_tokens;
	row->memory += view->memory;
	row->memory_promised += view->memory_promised;
	row->memory_limit += view->memory_limit;
	if (view->memory_limit > view->weights) {
		sampler->kv[pool] += (double)(view->memory_promised - view->weights) /
		                     (double)(view->memory_limit - view->weights);
	}
}

/* Sums the instances up into rows, present and kv. */
static void gather(weir_sampler *sampler)
{
	size_t pools = pool_count(sampler);
	memset(sampler->rows, 0, pools * sizeof *sampler->rows);
	memset(sampler->kv, 0, pools * sizeof *sampler->kv);
	uint32_t count = weir_serving_instance_slots(sampler->serving);
	for (uint32_t i = 0; i < count; i++) {
		weir_instance_view view;
		if (weir_serving_instance(sampler->serving, i, &view)) {
			add_instance(sampler, &view);
		}
	}
	for (size_t pool = 0; pool < pools; pool++) {
		uint32_t application = (uint32_t)(pool / WEIR_TAG_COUNT);
		weir_tag tag = (weir_tag)(pool % WEIR_TAG_COUNT);
		pool_past *present = &sampler->present[pool];
		weir_pool_books books;
		weir_serving_pool(sampler->serving, application, tag, &present->counters);
		weir_serving_pool_books(sampler->serving, application, tag, &books);
		memcpy(present->seconds, books.seconds, sizeof present->seconds);
		present->cost_usd = books.cost_usd;
	}
}

weir_sampler *weir_sampler_create(const weir_cluster *cluster, const weir_serving *serving,
                                  double now)
{
	weir_sampler *sampler = weir_allocate(1, sizeof *sampler);
	if (sampler == NULL) {
		return NULL;
	}
	sampler->cluster = cluster;
	sampler->serving = serving;
	sampler->last = now;
	size_t pools = pool_count(sampler);
	sampler->past = weir_allocate(pools, sizeof *sampler->past);
	sampler->present = weir_allocate(pools, sizeof *sampler->present);
	sampler->rows = weir_allocate(pools, sizeof *sampler->rows);
	sampler->kv = weir_allocate(pools, sizeof *sampler->kv);
	if (sampler->past == NULL || sampler->present == NULL || sampler->rows == NULL ||
	    sampler->kv == NULL) {
		weir_sampler_destroy(sampler);
		return NULL;
	}
	gather(sampler);
	memcpy(sampler->past, sampler->present, pools * sizeof *sampler->past);
	return sampler;
}

void weir_sampler_destroy(weir_sampler *sampler)
{
	if (sampler != NULL) {
		free(sampler->past);
		free(sampler->present);
		free(sampler->rows);
		free(sampler->kv);
		free(sampler);
	}
}

static double paid(const pool_past *pool)
{
	double seconds = 0;
	for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
		seconds += pool->seconds[state];
	}
	return seconds;
}

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0.0;
}

static void finish_row(const weir_sampler *sampler, size_t pool, double now)
{
	weir_sample_row *row = &sampler->rows[pool];
	const pool_past *past = &sampler->past[pool];
	const pool_past *present = &sampler->present[pool];
	const weir_pool_counters *before = &past->counters;
	const weir_pool_counters *after = &present->counters;
	double elapsed = now - sampler->last;
	double paid_seconds = paid(present) - paid(past);
	uint32_t application = (uint32_t)(pool / WEIR_TAG_COUNT);
	double max_batch_tokens =
	    (double)sampler->cluster->applications[application].instance.max_batch_tokens;
	row->time = now;
	row->interval = elapsed;
	row->application = (int32_t)application;
	row->pool = (uint8_t)(pool % WEIR_TAG_COUNT);
	row->load_busy = ratio(after->busy_seconds - before->busy_seconds, paid_seconds);
	row->load_kv = ratio(sampler->kv[pool], row->instances);
	row->load_batch = ratio(after->batch_token_seconds - before->batch_token_seconds,
	                        paid_seconds * max_batch_tokens);
	row->load_concurrency = ratio(row->requests, row->instances);
	row->energy = after->energy_joules - before->energy_joules;
	row->power_w = row->energy / elapsed;
	row->paid_scaling_up =
	    present->seconds[WEIR_INSTANCE_SCALING_UP] - past->seconds[WEIR_INSTANCE_SCALING_UP];
	row->paid_active = present->seconds[WEIR_INSTANCE_ACTIVE] - past->seconds[WEIR_INSTANCE_ACTIVE];
	row->paid_draining =
	    present->seconds[WEIR_INSTANCE_DRAINING] - past->seconds[WEIR_INSTANCE_DRAINING];
	row->cost_usd = present->cost_usd - past->cost_usd;
	row->prompts_per_s = (double)(after->prompts_assigned - before->prompts_assigned) / elapsed;
	row->completions_per_s =
	    (double)(after->requests_completed - before->requests_completed) / elapsed;
	row->prompt_tokens_per_s = (double)(after->prompt_tokens - before->prompt_tokens) / elapsed;
	row->output_tokens_per_s = (double)(after->output_tokens - before->output_tokens) / elapsed;
	row->preemptions = (int64_t)(after->preemptions - before->preemptions);
}

void weir_sampler_take(weir_sampler *sampler, double now,
                       void (*emit)(void *context, const weir_sample_row *row), void *context)
{
	if (!(now > sampler->last)) {
		return;
	}
	gather(sampler);
	for (size_t pool = 0; pool < pool_count(sampler); pool++) {
		if (sampler->rows[pool].instances > 0 || paid(&sampler->present[pool]) > 0) {
			finish_row(sampler, pool, now);
			emit(context, &sampler->rows[pool]);
		}
	}
	memcpy(sampler->past, sampler->present, pool_count(sampler) * sizeof *sampler->past);
	sampler->last = now;
}

void weir_sampler_copy(weir_sampler *target, const weir_sampler *source)
{
	memcpy(target->past, source->past, pool_count(source) * sizeof *source->past);
	target->last = source->last;
}
