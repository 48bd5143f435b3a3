#include "rl/scaling_features.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	POOL_shared = -1,
	POOL_prompt = WEIR_TAG_PROMPT,
	POOL_token = WEIR_TAG_TOKEN,
};

static const double pi = 3.14159265358979323846;

typedef struct feature_description {
	const char *name;
	float low, high;
	int pool;
} feature_description;

static const feature_description descriptions[WEIR_FEATURE_COUNT] = {
#define FEATURE_DESCRIPTION(name, low, high, group, pool, description)                             \
	{#name, low, high, POOL_##pool},
    WEIR_FEATURES(FEATURE_DESCRIPTION)
#undef FEATURE_DESCRIPTION
};

static void list_groups(const weir_scaling_features_config *groups, bool seen[WEIR_FEATURE_COUNT])
{
	const struct {
		bool base;
#define GROUP_FIELD(name, default_, doc) bool name;
		WEIR_FEATURE_GROUPS(GROUP_FIELD)
#undef GROUP_FIELD
	} of = {.base = true,
#define GROUP_VALUE(name, default_, doc) .name = groups->name,
	        WEIR_FEATURE_GROUPS(GROUP_VALUE)
#undef GROUP_VALUE
	};
#define FEATURE_SEEN(name, low, high, group, pool, description)                                    \
	seen[WEIR_FEATURE_##name] = of.group;
	WEIR_FEATURES(FEATURE_SEEN)
#undef FEATURE_SEEN
}

static void name_dimensions(weir_feature_set *set)
{
	for (size_t s = 0; s < set->stack; s++) {
		for (size_t f = 0; f < set->count; f++) {
			size_t place = s * set->count + f;
			const feature_description *feature = &descriptions[set->features[f]];
			size_t age = set->stack - 1 - s;
			int length = snprintf(set->names[place], sizeof set->names[place], "%s[%s%zu]",
			                      feature->name, age > 0 ? "-" : "", age);
			assert(length > 0 && (size_t)length < sizeof set->names[place]);
			(void)length;
			set->dimensions[place] = (weir_dimension){
			    .name = set->names[place], .unit = "", .low = feature->low, .high = feature->high};
		}
	}
}

bool weir_feature_set_create(const weir_scaling_task *task, weir_feature_set *set)
{
	bool seen[WEIR_FEATURE_COUNT];
	list_groups(&task->features, seen);
	*set = (weir_feature_set){.stack = (size_t)task->stack_size};
	for (int f = 0; f < WEIR_FEATURE_COUNT; f++) {
		int pool = descriptions[f].pool;
		if (seen[f] && (pool == POOL_shared || weir_scaling_task_has(task, (weir_tag)pool))) {
			set->features[set->count++] = (weir_feature)f;
		}
	}
	size_t size = set->count * set->stack;
	set->dimensions = weir_allocate(size, sizeof *set->dimensions);
	set->names = weir_allocate(size, sizeof *set->names);
	if (set->dimensions == NULL || set->names == NULL) {
		weir_feature_set_destroy(set);
		return false;
	}
	name_dimensions(set);
	set->space = (weir_space){.kind = WEIR_SPACE_BOX, .size = size, .dimensions = set->dimensions};
	return true;
}

void weir_feature_set_destroy(weir_feature_set *set)
{
	free(set->dimensions);
	free(set->names);
	*set = (weir_feature_set){0};
}

weir_feature_memory weir_feature_memory_begin(void)
{
	return (weir_feature_memory){.slowdowns = {1, 1, 1, 1, 1, 1}};
}

static double clip(double value, double low, double high)
{
	return value > low ? value < high ? value : high : low;
}

/* Of a count or a rate, whose size is not known beforehand. */
static double logarithmic(double value)
{
	return clip(log1p(fmax(value, 0)) / 15, 0, 1);
}

/* 0 for nothing of nothing. */
static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

void weir_list_loads_of(const weir_view *view, weir_list_loads loads[WEIR_TAG_COUNT])
{
	memset(loads, 0, WEIR_TAG_COUNT * sizeof *loads);
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &view->instances[i];
		if (instance->state == WEIR_INSTANCE_ACTIVE) {
			weir_list_loads *list = &loads[instance->list];
			list->active++;
			list->load += fmin(1, fmax(instance->load_kv, instance->load_batch));
			list->busy += instance->load_busy;
		}
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		loads[tag].load = share(loads[tag].load, loads[tag].active);
		loads[tag].busy = share(loads[tag].busy, loads[tag].active);
	}
}

static double mean_memory(const weir_view *view)
{
	double sum = 0, count = 0;
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &view->instances[i];
		if (instance->state == WEIR_INSTANCE_ACTIVE) {
			sum += share((double)instance->memory, (double)instance->memory_limit);
			count++;
		}
	}
	return share(sum, count);
}

static void fill_traffic(const weir_scaling_features_config *config, const weir_view *view,
                         double *values)
{
	double prompt_tokens = 0, output_tokens = 0, pending = 0, queued = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		const weir_view_pool *pool = &view->pools[tag];
		prompt_tokens += pool->prompt_tokens;
		output_tokens += pool->output_tokens;
		pending += (double)pool->pending_prompt_tokens;
		queued += (double)pool->queued_tokens;
	}
	double interval = view->interval;
	double network = interval * config->network_gb_per_s * 1e9 * (double)view->servers_active;
	values[WEIR_FEATURE_arrival_rate] = logarithmic(share(view->arrivals, interval));
	values[WEIR_FEATURE_prompt_token_rate] = logarithmic(share(prompt_tokens, interval));
	values[WEIR_FEATURE_output_token_rate] = logarithmic(share(output_tokens, interval));
	values[WEIR_FEATURE_prompt_length] =
	    clip(share(view->prompt_tokens_arrived, view->arrivals) / 4096, 0, 1);
	values[WEIR_FEATURE_output_length] =
	    clip(share(view->output_tokens_arrived, view->arrivals) / 2048, 0, 1);
	values[WEIR_FEATURE_queued_prompt_tokens] = logarithmic(pending);
	values[WEIR_FEATURE_queued_token_tasks] = logarithmic(queued);
	values[WEIR_FEATURE_queue_wait] = tanh(fmax(view->queued_wait, 0) / 10);
	values[WEIR_FEATURE_memory] = clip(mean_memory(view), 0, 1);
	values[WEIR_FEATURE_kv_network] = clip(share(view->kv_bytes_moved, network), 0, 1);
	values[WEIR_FEATURE_blocked_prompt] = logarithmic(view->no_prompt_candidate);
	values[WEIR_FEATURE_blocked_token] = logarithmic(view->no_token_candidate);
}

_Static_assert(WEIR_TAG_PROMPT == 0 && WEIR_TAG_TOKEN == 1 && WEIR_TAG_MIXED == 2,
               "features of a kind stand in the order of the pools");

/* The three features of a kind that there are for each pool stand one after another. */
static void fill_by_pool(const weir_feature_input *input, double *values)
{
	const weir_view *view = input->view;
	double most = input->max_total_instances;
	weir_list_loads loads[WEIR_TAG_COUNT];
	weir_list_loads_of(view, loads);
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		const weir_view_pool *pool = &view->pools[tag];
		double *own = values + tag;
		own[WEIR_FEATURE_active_prompt] = clip(pool->active_by_list / most, 0, 1);
		own[WEIR_FEATURE_load_prompt] = clip(loads[tag].load, 0, 1);
		own[WEIR_FEATURE_booting_prompt] = clip(pool->count[WEIR_INSTANCE_SCALING_UP] / most, 0, 1);
		own[WEIR_FEATURE_draining_prompt] = clip(pool->count[WEIR_INSTANCE_DRAINING] / most, 0, 1);
		own[WEIR_FEATURE_next_ready_prompt] = tanh(fmax(pool->next_ready, 0) / 60);
		own[WEIR_FEATURE_busy_prompt] = clip(loads[tag].busy, 0, 1);
		own[WEIR_FEATURE_demand_prompt] = clip(input->demand[tag] / most, 0, 1);
	}
}

static void fill_slowdowns(const weir_view_latencies *latencies, weir_feature_memory *memory,
                           double *values)
{
	const double now[6] = {
	    latencies->ttft_slowdown.p50, latencies->ttft_slowdown.p90, latencies->ttft_slowdown.p99,
	    latencies->tbt_slowdown.p50,  latencies->tbt_slowdown.p90,  latencies->tbt_slowdown.p99,
	};
	static const double units[6] = {2, 3, 6, 1.25, 1.5, 5};
	static const weir_feature features[6] = {
	    WEIR_FEATURE_ttft_p50, WEIR_FEATURE_ttft_p90, WEIR_FEATURE_ttft_p99,
	    WEIR_FEATURE_tbt_p50,  WEIR_FEATURE_tbt_p90,  WEIR_FEATURE_tbt_p99,
	};
	for (int i = 0; i < 6; i++) {
		if (!isnan(now[i])) {
			memory->slowdowns[i] = now[i];
		}
		values[features[i]] = tanh(fmax(memory->slowdowns[i], 0) / units[i]);
	}
}

static void fill_rest(const weir_scaling_features_config *config, const weir_feature_input *input,
                      weir_feature_memory *memory, double *values)
{
	const weir_view *view = input->view;
	double rate = share(view->arrivals, view->interval);
	double before = memory->arrival_rate;
	values[WEIR_FEATURE_arrival_rate_change] = tanh((rate - before) / fmax(1, before));
	memory->arrival_rate = rate;
	double paid = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
			paid += view->pools[tag].paid_seconds[state];
		}
	}
	values[WEIR_FEATURE_paid] =
	    clip(share(paid, view->interval * input->max_total_instances), 0, 1);
	values[WEIR_FEATURE_time_sin] = sin(2 * pi * view->now / config->day);
	values[WEIR_FEATURE_time_cos] = cos(2 * pi * view->now / config->day);
	for (int i = 0; i < WEIR_SCALING_DIMENSIONS; i++) {
		values[WEIR_FEATURE_last_prompt + i] = clip(input->last_action[i], -1, 1);
	}
}

void weir_features_fill(const weir_scaling_features_config *config, const weir_feature_input *input,
                        weir_feature_memory *memory, double values[WEIR_FEATURE_COUNT])
{
	fill_traffic(config, input->view, values);
	fill_by_pool(input, values);
	fill_slowdowns(&input->view->latencies, memory, values);
	fill_rest(config, input, memory, values);
}

void weir_feature_stack_push(const weir_feature_set *set, const double values[WEIR_FEATURE_COUNT],
                             float *stack)
{
	size_t kept = set->count * (set->stack - 1);
	memmove(stack, stack + set->count, kept * sizeof *stack);
	for (size_t f = 0; f < set->count; f++) {
		stack[kept + f] = (float)values[set->features[f]];
	}
}
