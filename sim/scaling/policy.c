#include "scaling/policy.h"

#include <assert.h>
#include <math.h>

const char *const weir_policy_metrics[] = {"concurrency",    "kv",    "batch", "busy",
                                           "pending_tokens", "queue", NULL};

static weir_change *add_change(weir_decision *decision)
{
	assert(decision->count < WEIR_MOST_CHANGES);
	return &decision->changes[decision->count++];
}

void weir_decide_size(weir_decision *decision, weir_tag tag, int64_t size)
{
	*add_change(decision) =
	    (weir_change){.tag = tag, .type = WEIR_ANY_TYPE, .absolute = true, .amount = size};
}

void weir_decide_change(weir_decision *decision, weir_tag tag, int32_t type, int64_t amount)
{
	*add_change(decision) = (weir_change){.tag = tag, .type = type, .amount = amount};
}

weir_tag weir_policy_tag(const weir_policy_context *context)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (context->tags == 1u << tag) {
			return (weir_tag)tag;
		}
	}
	assert(false);
	return WEIR_TAG_MIXED;
}

double weir_metric_of_instance(const weir_view_instance *instance, weir_policy_metric metric)
{
	switch (metric) {
	case WEIR_METRIC_CONCURRENCY:
		return instance->load_concurrency;
	case WEIR_METRIC_KV:
		return instance->load_kv;
	case WEIR_METRIC_BATCH:
		return instance->load_batch;
	case WEIR_METRIC_BUSY:
		return instance->load_busy;
	case WEIR_METRIC_PENDING_TOKENS:
		return (double)instance->pending_prompt_tokens;
	case WEIR_METRIC_QUEUE:
		return (double)instance->queued_prompts + (double)instance->queued_tokens;
	case WEIR_METRIC_COUNT:
		break;
	}
	assert(false);
	return NAN;
}

double weir_metric_total(const weir_view *view, weir_tag tag, weir_policy_metric metric)
{
	const weir_view_pool *pool = &view->pools[tag];
	double serving =
	    (double)pool->count[WEIR_INSTANCE_ACTIVE] + pool->count[WEIR_INSTANCE_DRAINING];
	switch (metric) {
	case WEIR_METRIC_CONCURRENCY:
		return (double)pool->requests;
	case WEIR_METRIC_KV:
		return pool->load_kv * serving;
	case WEIR_METRIC_BATCH:
		return pool->load_batch * serving;
	case WEIR_METRIC_BUSY:
		return pool->load_busy * serving;
	case WEIR_METRIC_PENDING_TOKENS:
		return (double)pool->pending_prompt_tokens;
	case WEIR_METRIC_QUEUE:
		return (double)pool->queued_prompts + (double)pool->queued_tokens;
	case WEIR_METRIC_COUNT:
		break;
	}
	assert(false);
	return NAN;
}
