#include "rl/scaling_demand.h"

#include <math.h>

weir_fleet_demand_model weir_fleet_demand_model_of(const weir_scaling_action_config *config,
                                                   const weir_cluster *cluster, const weir_slo *slo,
                                                   uint32_t application,
                                                   const int32_t types[WEIR_TAG_COUNT])
{
	weir_fleet_demand_model model = {.application = application, .slo = slo};
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		model.given_rate[tag] = config->instance_rate[tag];
		model.has[tag] = types[tag] >= 0;
		if (model.has[tag]) {
			model.capacity[tag] =
			    weir_capacity_of(&cluster->applications[application], (uint32_t)types[tag]);
		}
	}
	return model;
}

static double at_least_one(double tokens)
{
	return tokens > 1 ? tokens : 1;
}

static weir_slowdowns unloaded(const weir_fleet_demand_model *model, weir_fleet_demand_sizes sizes)
{
	const weir_slo_request request = {
	    .application = model->application,
	    .prompt_tokens = (int64_t)ceil(at_least_one(sizes.prompt)),
	    .output_tokens = (int64_t)ceil(at_least_one(sizes.output)),
	};
	return weir_slo_unloaded(model->slo, &request);
}

/* Tokens that a task holds in the mean: half of its output is made. */
static double mean_context(weir_fleet_demand_sizes sizes)
{
	return at_least_one(sizes.prompt + sizes.output / 2);
}

/* Numbers of prompts at a time are tried as powers of two, up to what an iteration takes. */
static double prompt_rate(const weir_capacity *capacity, double length)
{
	double best = 0;
	length = at_least_one(length);
	for (int64_t count = 1; count <= capacity->max_tasks; count *= 2) {
		double tokens = (double)count * length;
		double seconds = weir_capacity_prompt_seconds(capacity, tokens, length, (weir_decoding){0});
		best = fmax(best, seconds > 0 ? (double)count / seconds : 0);
		if (2 * tokens > (double)capacity->iteration_tokens ||
		    2 * tokens > (double)capacity->kv_tokens) {
			break;
		}
	}
	return best;
}

static double token_rate(const weir_fleet_demand_model *model, const weir_capacity *capacity,
                         weir_fleet_demand_sizes sizes)
{
	double limit = model->slo->config->per_request.tbt * unloaded(model, sizes).tbt;
	double seconds = 0;
	int64_t batch = weir_capacity_best_batch(capacity, mean_context(sizes), limit, &seconds);
	return seconds > 0 ? (double)batch / seconds / at_least_one(sizes.output) : 0;
}

double weir_fleet_demand_instance_rate(const weir_fleet_demand_model *model, weir_tag tag,
                                       weir_fleet_demand_sizes sizes)
{
	if (model->given_rate[tag] > 0) {
		return model->given_rate[tag];
	}
	const weir_capacity *capacity = &model->capacity[tag];
	if (tag == WEIR_TAG_PROMPT) {
		return prompt_rate(capacity, sizes.prompt);
	}
	double token = token_rate(model, capacity, sizes);
	if (tag == WEIR_TAG_TOKEN) {
		return token;
	}
	double prompt = prompt_rate(capacity, sizes.prompt);
	return prompt > 0 && token > 0 ? 1 / (1 / prompt + 1 / token) : 0;
}

void weir_fleet_demand_observe(weir_fleet_demand_memory *memory, int64_t smoothing,
                               const weir_view *view)
{
	if (view->interval > 0) {
		size_t place = (size_t)(memory->seen++ % (uint64_t)smoothing);
		memory->intervals[place].seconds = view->interval;
		memory->intervals[place].arrivals = view->arrivals;
		memory->intervals[place].prompt_tokens = view->prompt_tokens_arrived;
		memory->intervals[place].output_tokens = view->output_tokens_arrived;
	}
}

/* Requests/s over what is remembered, and their mean sizes; 0 where nothing arrived. */
static double mean_arrivals(const weir_fleet_demand_memory *memory, int64_t smoothing,
                            weir_fleet_demand_sizes *sizes)
{
	double seconds = 0, arrivals = 0, prompt = 0, output = 0;
	uint64_t known = memory->seen < (uint64_t)smoothing ? memory->seen : (uint64_t)smoothing;
	for (uint64_t i = 0; i < known; i++) {
		seconds += memory->intervals[i].seconds;
		arrivals += memory->intervals[i].arrivals;
		prompt += memory->intervals[i].prompt_tokens;
		output += memory->intervals[i].output_tokens;
	}
	if (!(arrivals > 0)) {
		*sizes = (weir_fleet_demand_sizes){0, 0};
		return 0;
	}
	*sizes = (weir_fleet_demand_sizes){prompt / arrivals, output / arrivals};
	return arrivals / seconds;
}

void weir_fleet_demand_of(const weir_fleet_demand_model *model,
                          const weir_fleet_demand_memory *memory, int64_t smoothing,
                          double demand[WEIR_TAG_COUNT])
{
	weir_fleet_demand_sizes sizes;
	double rate = mean_arrivals(memory, smoothing, &sizes);
	bool pooled = model->has[WEIR_TAG_PROMPT] && model->has[WEIR_TAG_TOKEN];
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		/* A mixed pool beside the two others helps out: nothing asks for it. */
		bool asked = model->has[tag] && (tag == WEIR_TAG_MIXED ? !pooled : pooled);
		double one =
		    asked && rate > 0 ? weir_fleet_demand_instance_rate(model, (weir_tag)tag, sizes) : 0;
		demand[tag] = one > 0 ? rate / one : 0;
	}
}

/* ACTIVE instances that prompts, or tokens, can be placed on at once. */
static double active(const weir_view *view, weir_tag tag)
{
	return (double)view->pools[tag].active_by_list +
	       (double)view->pools[WEIR_TAG_MIXED].active_by_list;
}

static double token_seconds(const weir_capacity *capacity, double tasks, double context)
{
	double most = (double)weir_capacity_most_tasks(capacity, context);
	double batch = floor(fmin(fmax(tasks, 1), most));
	double seconds =
	    weir_capacity_token_seconds(capacity, (weir_decoding){(int64_t)batch, batch * context});
	return seconds * fmax(1, tasks / most);
}

void weir_fleet_demand_estimate(const weir_fleet_demand_model *model,
                                const weir_fleet_demand_memory *memory, int64_t smoothing,
                                const weir_view *view, double *ttft, double *tbt)
{
	weir_fleet_demand_sizes sizes;
	*ttft = 0;
	*tbt = 0;
	if (!(mean_arrivals(memory, smoothing, &sizes) > 0)) {
		return;
	}
	weir_tag prompt = model->has[WEIR_TAG_PROMPT] ? WEIR_TAG_PROMPT : WEIR_TAG_MIXED;
	weir_tag token = model->has[WEIR_TAG_TOKEN] ? WEIR_TAG_TOKEN : WEIR_TAG_MIXED;
	double pending = 0, decoding = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		pending += (double)view->pools[tag].pending_prompt_tokens;
	}
	for (size_t i = 0; i < view->instance_count; i++) {
		decoding += (double)view->instances[i].queued_tokens + view->instances[i].batch_size;
	}
	pending += (double)view->waiting_at_scheduler * sizes.prompt;
	const weir_slowdowns alone = unloaded(model, sizes);
	const weir_slo_limits *limits = &model->slo->config->per_request;
	double rate = prompt_rate(&model->capacity[prompt], sizes.prompt) * at_least_one(sizes.prompt);
	double own = weir_capacity_prompt_seconds(&model->capacity[prompt], sizes.prompt, sizes.prompt,
	                                          (weir_decoding){0});
	double prompts = active(view, prompt), tokens = active(view, token);
	*ttft = prompts > 0 ? (pending / (prompts * rate) + own) / (limits->ttft * alone.ttft)
	                    : (double)INFINITY;
	*tbt = tokens > 0
	           ? token_seconds(&model->capacity[token], decoding / tokens, mean_context(sizes)) /
	                 (limits->tbt * alone.tbt)
	           : (double)INFINITY;
}
