#include "scaling/view_noise.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

struct weir_view_noise {
	gsl_rng *draws; /* seeded anew for every view */
	uint64_t stream;
	double deviation;
	weir_view_instance *instances;
	size_t capacity;
};

weir_view_noise *weir_view_noise_create(uint64_t stream, double deviation)
{
	weir_view_noise *noise = weir_allocate(1, sizeof *noise);
	if (noise == NULL) {
		return NULL;
	}
	noise->stream = stream;
	noise->deviation = deviation;
	noise->draws = gsl_rng_alloc(gsl_rng_taus2);
	if (noise->draws == NULL) {
		weir_view_noise_destroy(noise);
		return NULL;
	}
	return noise;
}

void weir_view_noise_destroy(weir_view_noise *noise)
{
	if (noise != NULL) {
		gsl_rng_free(noise->draws);
		free(noise->instances);
		free(noise);
	}
}

static double blur(weir_view_noise *noise, double value)
{
	return value * fmax(0.0, 1.0 + gsl_ran_gaussian_ziggurat(noise->draws, noise->deviation));
}

#define BLUR(noise, field)             ((field) = blur((noise), (field)))
#define BLUR_COUNT(noise, type, field) ((field) = (type)llround(blur((noise), (double)(field))))

static void blur_pool(weir_view_noise *noise, weir_view_pool *pool)
{
	BLUR_COUNT(noise, int64_t, pool->requests);
	BLUR_COUNT(noise, int64_t, pool->pending_prompt_tokens);
	BLUR_COUNT(noise, int64_t, pool->kv_promised);
	BLUR_COUNT(noise, int64_t, pool->queued_prompts);
	BLUR_COUNT(noise, int64_t, pool->queued_tokens);
	BLUR(noise, pool->load_kv);
	BLUR(noise, pool->load_busy);
	BLUR(noise, pool->load_batch);
	BLUR(noise, pool->prompts_assigned);
	BLUR(noise, pool->prompts_started);
	BLUR(noise, pool->prompts_completed);
	BLUR(noise, pool->requests_completed);
	BLUR(noise, pool->prompt_tokens);
	BLUR(noise, pool->output_tokens);
	BLUR(noise, pool->prompt_wait);
}

static void blur_instance(weir_view_noise *noise, weir_view_instance *instance)
{
	BLUR_COUNT(noise, uint32_t, instance->requests);
	BLUR_COUNT(noise, uint32_t, instance->queued_prompts);
	BLUR_COUNT(noise, uint32_t, instance->queued_tokens);
	BLUR_COUNT(noise, uint32_t, instance->batch_size);
	BLUR_COUNT(noise, int64_t, instance->pending_prompt_tokens);
	BLUR_COUNT(noise, int64_t, instance->kv_promised);
	BLUR_COUNT(noise, int64_t, instance->kv_tokens);
	BLUR_COUNT(noise, int64_t, instance->memory);
	BLUR(noise, instance->load_kv);
	BLUR(noise, instance->load_concurrency);
	BLUR(noise, instance->load_busy);
	BLUR(noise, instance->load_batch);
	BLUR(noise, instance->prompt_tokens);
	BLUR(noise, instance->output_tokens);
}

bool weir_view_noise_add(weir_view_noise *noise, uint64_t number, weir_view *view)
{
	if (!weir_reserve_raw((void **)&noise->instances, &noise->capacity, view->instance_count,
	                      sizeof *noise->instances)) {
		return false;
	}
	/* taus2 takes 32 bits; it makes 0 to 1 itself. */
	gsl_rng_set(noise->draws,
	            (unsigned long)(weir_stream_seed(noise->stream, "view", number) >> 32));
	BLUR(noise, view->arrivals);
	BLUR(noise, view->prompt_tokens_arrived);
	BLUR(noise, view->output_tokens_arrived);
	BLUR(noise, view->completed);
	BLUR(noise, view->rejected);
	BLUR(noise, view->failed);
	BLUR(noise, view->kv_bytes_moved);
	BLUR(noise, view->no_prompt_candidate);
	BLUR(noise, view->no_token_candidate);
	BLUR_COUNT(noise, uint64_t, view->in_system);
	BLUR_COUNT(noise, uint64_t, view->waiting_at_scheduler);
	BLUR_COUNT(noise, uint64_t, view->overdue_ttft);
	BLUR_COUNT(noise, uint64_t, view->overdue_tbt);
	view->overdue = view->overdue_ttft + view->overdue_tbt;
	BLUR_COUNT(noise, uint64_t, view->queued);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		blur_pool(noise, &view->pools[tag]);
	}
	if (view->instance_count > 0) {
		memcpy(noise->instances, view->instances, view->instance_count * sizeof *view->instances);
		for (size_t i = 0; i < view->instance_count; i++) {
			blur_instance(noise, &noise->instances[i]);
		}
		view->instances = noise->instances;
	}
	return true;
}
