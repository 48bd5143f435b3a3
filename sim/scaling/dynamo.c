#include "scaling/dynamo.h"

#include <math.h>

#include "scaling/capacity.h"

const char *const weir_dynamo_predictors[] = {"constant", "kalman", NULL};

/* Variance of level and trend before anything was seen. */
static const double first_variance = 1000;

void weir_dynamo_observe(const weir_dynamo_config *config, weir_dynamo_series *series, double value)
{
	if (!isfinite(value)) {
		value = 0;
	}
	if (series->count == 0 && value == 0) {
		return;
	}
	series->last = value;
	if (series->count++ == 0) {
		series->level = value;
		series->p00 = series->p11 = first_variance;
		return;
	}
	/* One step on: level += trend; then the measurement of the level. */
	double p00 = series->p00 + 2 * series->p01 + series->p11 + config->q_level;
	double p01 = series->p01 + series->p11;
	double p11 = series->p11 + config->q_trend;
	double level = series->level + series->trend;
	double gain_level = p00 / (p00 + config->r);
	double gain_trend = p01 / (p00 + config->r);
	series->trend += gain_trend * (value - level);
	series->level = level + gain_level * (value - level);
	series->p00 = (1 - gain_level) * p00;
	series->p11 = p11 - gain_trend * p01;
	series->p01 = (1 - gain_level) * p01;
}

double weir_dynamo_forecast(const weir_dynamo_config *config, const weir_dynamo_series *series)
{
	bool trend = config->predictor == WEIR_DYNAMO_KALMAN && series->count >= config->min_points;
	return fmax(0, trend ? series->level + series->trend : series->last);
}

bool weir_dynamo_predict(const weir_dynamo_config *config, weir_dynamo_state *state,
                         const weir_dynamo_traffic *traffic, double *rps, double *isl, double *osl)
{
	if (!(traffic->interval > 0)) {
		return false;
	}
	weir_dynamo_observe(config, &state->requests, traffic->requests);
	if (traffic->requests > 0) {
		weir_dynamo_observe(config, &state->isl, traffic->prompt_tokens / traffic->requests);
		weir_dynamo_observe(config, &state->osl, traffic->output_tokens / traffic->requests);
	}
	*rps = weir_dynamo_forecast(config, &state->requests) / traffic->interval;
	*isl = weir_dynamo_forecast(config, &state->isl);
	*osl = weir_dynamo_forecast(config, &state->osl);
	return true;
}

static bool acts_on(const weir_policy_context *context, weir_tag tag)
{
	return (context->tags >> tag & 1u) != 0 && context->types[tag] >= 0;
}

bool weir_dynamo_sizes(const weir_policy_context *context, weir_tag tag)
{
	bool split = acts_on(context, WEIR_TAG_PROMPT) || acts_on(context, WEIR_TAG_TOKEN);
	return acts_on(context, tag) && (tag != WEIR_TAG_MIXED || !split);
}

/* Requests per second of an aggregated engine: the largest batch within both targets, in the steady
 * state in which as many prompt tokens come in as requests leave (perf_model/agg.py). */
static double mixed_rps(const weir_capacity *capacity, const weir_dynamo_config *config, double isl,
                        double osl)
{
	double context = isl + osl / 2;
	int64_t most = weir_capacity_most_tasks(capacity, context);
	double budget = (double)capacity->iteration_tokens;
	double rps = 0;
	for (int64_t tasks = 1; tasks <= most; tasks++) {
		bool balanced = (double)tasks < budget && isl / (budget - (double)tasks) <= osl;
		double prompt_tokens = fmin((double)tasks * isl / osl, budget);
		weir_decoding decoding = {tasks, (double)tasks * context};
		double itl = weir_capacity_mixed_seconds(capacity, prompt_tokens, isl, decoding);
		double ttft = weir_capacity_prompt_seconds(capacity, prompt_tokens + isl, isl, decoding);
		/* One request at a time is served whatever it takes. */
		if (tasks > 1 && (!balanced || itl > config->itl || ttft > config->ttft)) {
			break;
		}
		rps = (double)tasks / (osl * itl);
		if (itl > config->itl || ttft > config->ttft) {
			break;
		}
	}
	return rps;
}

static int64_t ceiling(double value)
{
	return value < 1 << 20 ? (int64_t)ceil(value) : 1 << 20;
}

int64_t weir_dynamo_replicas(const weir_policy_context *context, const weir_dynamo_config *config,
                             weir_tag tag, double rps, double isl, double osl)
{
	if (!(rps > 0)) {
		return config->minimum;
	}
	const weir_application *application = &context->cluster->applications[context->application];
	weir_capacity capacity = weir_capacity_of(application, (uint32_t)context->types[tag]);
	isl = fmax(isl, 1);
	osl = fmax(osl, 1);
	int64_t replicas = config->minimum;
	int64_t needed = 0;
	if (tag == WEIR_TAG_PROMPT) {
		double seconds = weir_capacity_prompt_seconds(&capacity, isl, isl, (weir_decoding){0});
		needed = ceiling(rps * seconds);
		if (seconds > config->ttft) {
			int64_t latency = ceiling(seconds / config->ttft);
			needed = latency > needed ? latency : needed;
		}
	} else if (tag == WEIR_TAG_TOKEN) {
		double seconds = 0;
		int64_t tasks = weir_capacity_best_batch(&capacity, isl + osl / 2, config->itl, &seconds);
		needed = ceiling(rps * osl * seconds / (double)tasks);
	} else {
		needed = ceiling(rps / mixed_rps(&capacity, config, isl, osl));
	}
	return needed > replicas ? needed : replicas;
}

int64_t weir_dynamo_cap(const weir_dynamo_config *config, int64_t wanted, int64_t current)
{
	int64_t least = current > config->step ? current - config->step : 0;
	int64_t most = current + config->step;
	return wanted < least ? least : wanted > most ? most : wanted;
}

void weir_dynamo_budget(const weir_policy_context *context, const weir_dynamo_config *config,
                        int64_t *sizes)
{
	int64_t gpus = context->cluster->applications[context->application].instance.tensor_parallel;
	int64_t room = config->gpu_budget / gpus; /* instances: all pools have the same GPUs each */
	int64_t total = 0;
	int pools = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (weir_dynamo_sizes(context, (weir_tag)tag)) {
			total += sizes[tag];
			pools++;
		}
	}
	if (config->gpu_budget < 0 || total * gpus <= config->gpu_budget) {
		return;
	}
	/* The prompt pool is rounded down, the other one has what is left. */
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (!weir_dynamo_sizes(context, (weir_tag)tag)) {
			continue;
		}
		int64_t size = room;
		if (--pools > 0) {
			size = sizes[tag] * config->gpu_budget / (total * gpus);
			int64_t most = room - config->minimum;
			size = size > most ? most : size;
		}
		sizes[tag] = size > config->minimum ? size : config->minimum;
		room -= sizes[tag];
	}
}

weir_status weir_dynamo_check(const weir_policy_context *context, const weir_dynamo_config *config,
                              weir_error *error)
{
	int64_t least = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		least += weir_dynamo_sizes(context, (weir_tag)tag) ? config->minimum : 0;
	}
	least *= context->cluster->applications[context->application].instance.tensor_parallel;
	if (config->gpu_budget >= 0 && config->gpu_budget < least) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "max_gpu_budget",
		                      "%lld GPUs are fewer than the %lld of min_endpoint",
		                      (long long)config->gpu_budget, (long long)least);
	}
	return WEIR_OK;
}

void weir_dynamo_decide(const weir_policy_context *context, const weir_view *view,
                        const int64_t *sizes, weir_decision *decision)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (weir_dynamo_sizes(context, (weir_tag)tag) &&
		    sizes[tag] != weir_view_size(&view->pools[tag])) {
			weir_decide_size(decision, (weir_tag)tag, sizes[tag]);
		}
	}
}
