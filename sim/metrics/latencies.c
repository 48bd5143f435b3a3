#include "metrics/latencies.h"

#include <math.h>

#include "metrics/quantile.h"

/* Of `values`, which are reordered. */
static weir_view_quantiles quantiles_of(double *values, size_t count)
{
	static const double probabilities[] = {0.5, 0.9, 0.99};
	double result[3];
	double mean = weir_mean_of(values, count);
	weir_quantiles(values, count, probabilities, 3, result);
	return (weir_view_quantiles){mean, result[0], result[1], result[2]};
}

/* Puts a value behind those gathered so far, unless it is NaN. */
static void gather(double *values, size_t *count, double value)
{
	values[*count] = value;
	*count += isnan(value) ? 0 : 1;
}

static void fill_times(const weir_completion *completions, size_t count, uint32_t application,
                       double *scratch, weir_view_latencies *latencies)
{
	double *ttft = scratch;
	double *tbt = scratch + count;
	size_t ttfts = 0;
	size_t tbts = 0;
	for (size_t n = 0; n < count; n++) {
		if (completions[n].application == application) {
			gather(ttft, &ttfts, completions[n].ttft);
			gather(tbt, &tbts, completions[n].tbt);
		}
	}
	latencies->ttft = quantiles_of(ttft, ttfts);
	latencies->tbt = quantiles_of(tbt, tbts);
}

void weir_latencies_of(const weir_slo *slo, weir_unloaded *unloaded,
                       const weir_completion *completions, size_t count, uint32_t application,
                       bool times, double *scratch, weir_view_latencies *latencies)
{
	const weir_slo_limits *limits = &slo->config->per_request;
	double *ttft = scratch;
	double *tbt = scratch + count;
	size_t ttfts = 0;
	size_t tbts = 0;
	for (size_t n = 0; n < count; n++) {
		const weir_completion *one = &completions[n];
		if (one->application != application) {
			continue;
		}
		const weir_slo_request request = {
		    .application = application,
		    .prompt_tokens = one->prompt_tokens,
		    .output_tokens = one->output_tokens,
		    .ttft = one->ttft,
		    .e2e = one->e2e,
		};
		weir_slowdowns alone = weir_unloaded_of(unloaded, application, one->prompt_tokens);
		weir_slowdowns slowdowns = weir_slo_slowdowns_given(slo, &request, &alone);
		gather(ttft, &ttfts, slowdowns.ttft);
		gather(tbt, &tbts, slowdowns.tbt);
		latencies->count++;
		latencies->slo_met += weir_slo_met(slo, &slowdowns);
		latencies->ttft_broken += slowdowns.ttft > limits->ttft;
		latencies->tbt_broken += slowdowns.tbt > limits->tbt;
	}
	latencies->ttft_slowdown = quantiles_of(ttft, ttfts);
	latencies->tbt_slowdown = quantiles_of(tbt, tbts);
	if (times) {
		fill_times(completions, count, application, scratch, latencies);
	}
}
