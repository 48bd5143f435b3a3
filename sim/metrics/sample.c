#include "metrics/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "serving/lifecycle.h"

struct weir_sampler {
	const weir_cluster *cluster;
	const weir_serving *serving;
	double last;
	/* Cumulative figures, as of the sample before. */
	weir_pool_counters *past; /* [application * WEIR_TAG_COUNT + tag] */
	/* scratch of one sample */
	weir_pool_counters *present;
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
		weir_serving_pool(sampler->serving, (uint32_t)(pool / WEIR_TAG_COUNT),
		                  (weir_tag)(pool % WEIR_TAG_COUNT), &sampler->present[pool]);
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

static void finish_row(const weir_sampler *sampler, size_t pool, double now, double instances)
{
	weir_sample_row *row = &sampler->rows[pool];
	const weir_pool_counters *before = &sampler->past[pool];
	const weir_pool_counters *after = &sampler->present[pool];
	double elapsed = now - sampler->last;
	uint32_t application = (uint32_t)(pool / WEIR_TAG_COUNT);
	double max_batch_tokens =
	    (double)sampler->cluster->applications[application].instance.max_batch_tokens;
	row->time = now;
	row->interval = elapsed;
	row->application = (int32_t)application;
	row->pool = (uint8_t)(pool % WEIR_TAG_COUNT);
	row->load_busy = (after->busy_seconds - before->busy_seconds) / (elapsed * instances);
	row->load_kv = sampler->kv[pool] / instances;
	row->load_batch = (after->batch_token_seconds - before->batch_token_seconds) /
	                  (elapsed * instances * max_batch_tokens);
	row->load_concurrency = (double)row->requests / instances;
	row->power_w = (after->energy_joules - before->energy_joules) / elapsed;
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
		double instances = sampler->rows[pool].instances;
		if (instances > 0) {
			finish_row(sampler, pool, now, instances);
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
