#include "metrics/slo.h"

#include <assert.h>
#include <math.h>

static double unloaded_ttft(const weir_slo_reference *reference, int64_t prompt_tokens)
{
	const weir_batch batch = {
	    .prompt_tasks = 1,
	    .prompt_tokens = prompt_tokens,
	    .prompt_attention = (double)prompt_tokens * (double)(prompt_tokens - 1) / 2.0,
	};
	return reference->time->type->time_for(reference->time, &batch, 1);
}

static double unloaded_tbt(const weir_slo *slo, const weir_slo_reference *reference,
                           int64_t prompt_tokens)
{
	/* The paper's repository reads a curve over batch tokens at the prompt's tokens. Where the time
	 * depends on the context, a single token task behind that prompt is what it stands for. */
	bool at_prompt = slo->config->baseline == WEIR_BASELINE_SPLITWISE && reference->by_batch_tokens;
	const weir_batch batch = {
	    .token_tasks = at_prompt ? prompt_tokens : 1,
	    .token_context = prompt_tokens,
	};
	return reference->time->type->time_for(reference->time, &batch, 1);
}

weir_slowdowns weir_slo_unloaded(const weir_slo *slo, const weir_slo_request *request)
{
	assert(request->application < slo->reference_count);
	const weir_slo_reference *reference = &slo->references[request->application];
	weir_slowdowns unloaded = {
	    .ttft = unloaded_ttft(reference, request->prompt_tokens),
	    .tbt = unloaded_tbt(slo, reference, request->prompt_tokens),
	};
	unloaded.e2e = unloaded.ttft + (double)(request->output_tokens - 1) * unloaded.tbt;
	return unloaded;
}

weir_slowdowns weir_slo_slowdowns_given(const weir_slo *slo, const weir_slo_request *request,
                                        const weir_slowdowns *unloaded)
{
	double later_tokens = (double)(request->output_tokens - 1);
	double intervals =
	    slo->config->baseline == WEIR_BASELINE_SPLITWISE ? later_tokens + 1 : later_tokens;
	double tbt = later_tokens > 0 ? (request->e2e - request->ttft) / intervals : NAN;
	return (weir_slowdowns){
	    .ttft = request->ttft / unloaded->ttft,
	    .tbt = tbt / unloaded->tbt,
	    .e2e = request->e2e / (unloaded->ttft + later_tokens * unloaded->tbt),
	};
}

weir_slowdowns weir_slo_slowdowns(const weir_slo *slo, const weir_slo_request *request)
{
	weir_slowdowns unloaded = weir_slo_unloaded(slo, request);
	return weir_slo_slowdowns_given(slo, request, &unloaded);
}

bool weir_slo_met(const weir_slo *slo, const weir_slowdowns *slowdowns)
{
	const weir_slo_limits *limits = &slo->config->per_request;
	return !(slowdowns->ttft > limits->ttft) && !(slowdowns->tbt > limits->tbt) &&
	       !(slowdowns->e2e > limits->e2e);
}

bool weir_slo_overdue(const weir_slo *slo, const weir_slo_request *request, double waited)
{
	/* Ended now, it would be as little past its limits as it can still be. */
	weir_slo_request best = *request;
	best.ttft = isnan(request->ttft) ? waited : request->ttft;
	best.e2e = waited;
	weir_slowdowns slowdowns = weir_slo_slowdowns(slo, &best);
	return !weir_slo_met(slo, &slowdowns);
}
