#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/execution_kinds.h"

typedef struct roofline_model {
	weir_execution_time base;
	/* Seconds of arithmetic: per new token, and per new token and token of its context. */
	double prefill_per_token, prefill_per_context;
	double decode_per_token, decode_per_context;
	/* Seconds of memory traffic: per iteration, per iteration for one expert of every layer, per
	 * new token (KV write and activations), per token of context (KV read). */
	double memory_dense, memory_expert;
	double memory_per_token, memory_per_context;
	double experts;      /* 0 when the model is dense: its network is in memory_dense */
	double share_unused; /* of experts, by one token */
	double overhead;
	double power_share;
} roofline_model;

/* Seconds that rise by `step` from one iteration to the next. */
typedef struct series {
	double first, step;
} series;

/* The two roofs over the iterations of a batch: each takes the larger. */
typedef struct roofs {
	series compute, memory;
} roofs;

static double series_at(series s, double i)
{
	return s.first + s.step * i;
}

/* s(0) + ... + s(n - 1) */
static double series_sum(series s, double n)
{
	return s.first * n + s.step * (n * (n - 1.0) / 2.0);
}

/* Experts that at least one of `tokens` tokens needs, if every token draws its own at random. */
static double experts_read(const roofline_model *roofline, double tokens)
{
	return roofline->experts * (1.0 - pow(roofline->share_unused, tokens));
}

static roofs make_roofs(const roofline_model *r, const weir_batch *batch)
{
	double prompt_tokens = (double)batch->prompt_tokens;
	double token_tasks = (double)batch->token_tasks;
	double token_context = (double)batch->token_context;
	double new_tokens = prompt_tokens + token_tasks;
	double weights = r->memory_dense;
	if (r->experts > 0.0) {
		weights += r->memory_expert * experts_read(r, new_tokens);
	}
	return (roofs){
	    .compute =
	        {
	            .first = prompt_tokens * r->prefill_per_token +
	                     batch->prompt_attention * r->prefill_per_context +
	                     token_tasks * r->decode_per_token + token_context * r->decode_per_context +
	                     r->overhead,
	            .step = token_tasks * r->decode_per_context,
	        },
	    .memory =
	        {
	            .first = weights + new_tokens * r->memory_per_token +
	                     ((double)batch->prompt_context + token_context) * r->memory_per_context +
	                     r->overhead,
	            .step = token_tasks * r->memory_per_context,
	        },
	};
}

/* Two lines cross at most once: one is the larger for the first *split iterations, the other from
 * there on. */
static void order_roofs(const roofs *lines, series *before, series *after, double *split)
{
	series low = lines->compute;
	series high = lines->memory;
	if (low.first > high.first || (low.first == high.first && low.step > high.step)) {
		low = lines->memory;
		high = lines->compute;
	}
	*before = high;
	*after = low;
	*split = low.step > high.step ? ceil((high.first - low.first) / (low.step - high.step))
	                              : (double)INFINITY;
}

/* What `after` adds up to from iteration `split` to k. */
static double tail_sum(series after, double split, double k)
{
	series tail = {series_at(after, split), after.step};
	return series_sum(tail, k - split);
}

static double sum(series before, series after, double split, double k)
{
	return k <= split ? series_sum(before, k)
	                  : series_sum(before, split) + tail_sum(after, split, k);
}

static double time_for(const weir_execution_time *model, const weir_batch *batch, int64_t k)
{
	roofs lines = make_roofs((const roofline_model *)model, batch);
	series before;
	series after;
	double split;
	order_roofs(&lines, &before, &after, &split);
	return sum(before, after, split, (double)k);
}

/* About how many terms of `s` add up to `total`: the root of step/2 n^2 + (first - step/2) n =
 * total, in the form that does not cancel. */
static double terms_in(series s, double total)
{
	double half = 0.5 * s.step;
	double linear = s.first - half;
	return 2.0 * total / (linear + sqrt(linear * linear + 4.0 * half * total));
}

static int64_t iterations_in(const weir_execution_time *model, const weir_batch *batch,
                             double elapsed)
{
	roofs lines = make_roofs((const roofline_model *)model, batch);
	series before;
	series after;
	double split;
	order_roofs(&lines, &before, &after, &split);
	double k = floor(terms_in(before, elapsed));
	if (k > split) {
		series tail = {series_at(after, split), after.step};
		k = split + floor(terms_in(tail, elapsed - series_sum(before, split)));
	}
	/* The root is off by rounding alone; these settle it to what time_for says. */
	while (k > 0.0 && sum(before, after, split, k) > elapsed) {
		k -= 1.0;
	}
	while (sum(before, after, split, k + 1.0) <= elapsed) {
		k += 1.0;
	}
	return (int64_t)k;
}

static double power_share(const weir_execution_time *model, const weir_batch *batch)
{
	(void)batch;
	return ((const roofline_model *)model)->power_share;
}

static void destroy(weir_execution_time *model)
{
	free(model);
}

static const weir_execution_time_type roofline_type = {
    .name = "roofline",
    .doc = "The slower of arithmetic and memory traffic.",
    .time_for = time_for,
    .iterations_in = iterations_in,
    .power_share = power_share,
    .destroy = destroy,
};

static void set_up(roofline_model *r, const weir_execution_target *target)
{
	const weir_architecture *a = target->architecture;
	const weir_gpu *gpu = target->gpu;
	double layers = (double)a->layers;
	double hidden = (double)a->hidden;
	double heads = (double)a->heads;
	double kv_width = (double)(a->kv_heads * (a->hidden / a->heads));
	/* Weights, which are also half the floating-point operations of a token. */
	double attention = hidden * (hidden + 2.0 * kv_width) + hidden * hidden;
	double network = (double)a->ffn_matrices * hidden * (double)a->ffn_hidden;
	double flops_per_token =
	    layers * (2.0 * attention + 2.0 * network * (double)a->experts_active + 2.0 * hidden);
	double flops_per_context = layers * (4.0 * hidden + 5.0 * heads);
	bool fp8 = a->weight_bytes_per_parameter == 1.0 && gpu->fp8_tflops > 0.0;
	double peak =
	    1e12 * (fp8 ? gpu->fp8_tflops : gpu->bf16_tflops) * (double)target->tensor_parallel;
	double bandwidth = 1e12 * gpu->memory_tb_per_s * (double)target->tensor_parallel;

	r->prefill_per_token = flops_per_token / (peak * gpu->mfu_prefill);
	r->prefill_per_context = flops_per_context / (peak * gpu->mfu_prefill);
	r->decode_per_token = flops_per_token / (peak * gpu->mfu_decode);
	r->decode_per_context = flops_per_context / (peak * gpu->mfu_decode);

	double value = (double)a->bytes_per_value;
	double kv_bytes = 2.0 * layers * kv_width * value;
	r->memory_per_context = kv_bytes / bandwidth;
	r->memory_per_token = (kv_bytes + layers * hidden * value) / bandwidth;
	r->memory_dense = layers * attention * a->weight_bytes_per_parameter / bandwidth;
	r->memory_expert = layers * network * a->weight_bytes_per_parameter / bandwidth;
	if (a->experts > 1) {
		r->experts = (double)a->experts;
		r->share_unused = (double)(a->experts - a->experts_active) / (double)a->experts;
	} else {
		r->memory_dense += r->memory_expert;
	}
}

weir_status weir_execution_roofline_make(const weir_execution_time_config *config,
                                         const weir_execution_target *target,
                                         weir_execution_time **model, weir_error *error)
{
	const weir_gpu *gpu = target->gpu;
	if (gpu->bf16_tflops <= 0.0 || gpu->memory_tb_per_s <= 0.0 || gpu->mfu_prefill <= 0.0 ||
	    gpu->mfu_decode <= 0.0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "the roofline needs bf16_tflops, memory_tb_per_s, mfu_prefill and "
		                      "mfu_decode of GPU '%s', all above 0",
		                      gpu->name);
	}
	roofline_model *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a model");
	}
	made->base.type = &roofline_type;
	made->overhead = config->roofline_overhead_s;
	made->power_share = config->busy_power_share;
	set_up(made, target);
	*model = &made->base;
	return WEIR_OK;
}
