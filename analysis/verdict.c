#include "analysis/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const double least_waiting = 1;
static const double least_load = 0.5;

static void say(weir_verdict *verdict, const char *format, ...) WEIR_PRINTF(2, 3);

static void say(weir_verdict *verdict, const char *format, ...)
{
	size_t used = strlen(verdict->text);
	va_list args;
	va_start(args, format);
	vsnprintf(verdict->text + used, sizeof verdict->text - used, format, args);
	va_end(args);
}

/* Mean of `values` over the bins, weighted by late requests; NaN when none was late in a bin that
 * has a value. */
static double mean_while_late(const weir_verdict_input *input, const double *values)
{
	double sum = 0;
	double weight = 0;
	for (size_t b = 0; b < input->bins; b++) {
		if (input->late[b] > 0 && !isnan(values[b])) {
			sum += input->late[b] * values[b];
			weight += input->late[b];
		}
	}
	return weight > 0 ? sum / weight : (double)NAN;
}

/* Takes the pool's figure for the finding when it is higher. */
static void offer(weir_verdict *best, weir_bottleneck kind, size_t pool, double figure)
{
	if (figure > best->figure || (isnan(best->figure) && !isnan(figure))) {
		best->bottleneck = kind;
		best->pool = pool;
		best->figure = figure;
	}
}

static void find_bottleneck(const weir_verdict_input *input, weir_verdict *verdict)
{
	double late = 0;
	if (input->late == NULL) {
		return;
	}
	for (size_t b = 0; b < input->bins; b++) {
		late += input->late[b];
	}
	verdict->bottleneck = late > 0 ? WEIR_BOTTLENECK_UNKNOWN : WEIR_BOTTLENECK_NONE;
	if (!(late > 0)) {
		return;
	}
	weir_verdict waiting = {.figure = (double)NAN};
	weir_verdict load = {.figure = (double)NAN};
	for (size_t p = 0; p < input->pool_count; p++) {
		const weir_verdict_pool *pool = &input->pools[p];
		offer(&waiting, WEIR_BOTTLENECK_WAITING, p, mean_while_late(input, pool->waiting));
		offer(&load, WEIR_BOTTLENECK_KV, p, mean_while_late(input, pool->load_kv));
		offer(&load, WEIR_BOTTLENECK_BATCH, p, mean_while_late(input, pool->load_batch));
	}
	if (isnan(waiting.figure) && isnan(load.figure)) {
		return;
	}
	bool found = waiting.figure >= least_waiting || load.figure >= least_load;
	const weir_verdict *best = waiting.figure >= least_waiting ? &waiting : &load;
	verdict->bottleneck = found ? best->bottleneck : WEIR_BOTTLENECK_UNCLEAR;
	verdict->pool = found ? best->pool : 0;
	verdict->figure = found ? best->figure : (double)NAN;
}

/* The limit that is exceeded by the largest factor, and how many others are exceeded. */
static const weir_verdict_limit *worst_limit(const weir_verdict_input *input, size_t *others)
{
	const weir_verdict_limit *worst = NULL;
	size_t exceeded = 0;
	for (size_t i = 0; i < input->limit_count; i++) {
		const weir_verdict_limit *limit = &input->limits[i];
		if (limit->value > limit->limit) {
			exceeded++;
			if (worst == NULL || limit->value / limit->limit > worst->value / worst->limit) {
				worst = limit;
			}
		}
	}
	*others = exceeded > 0 ? exceeded - 1 : 0;
	return worst;
}

static void say_slo(const weir_verdict_input *input, weir_verdict *verdict)
{
	size_t others = 0;
	const weir_verdict_limit *worst = worst_limit(input, &others);
	if (verdict->good < 0) {
		say(verdict, "SLO not judged");
		if (input->slo_problem != NULL && input->slo_problem[0] != '\0') {
			say(verdict, " (%.300s)", input->slo_problem);
		}
	} else if (verdict->good > 0) {
		say(verdict, "SLO met: every percentile limit kept");
	} else if (worst != NULL) {
		say(verdict, "SLO missed: %s %.3g (%.3g allowed)", worst->name, worst->value, worst->limit);
		if (others > 0) {
			say(verdict, " and %zu more limit%s", others, others == 1 ? "" : "s");
		}
	} else {
		say(verdict, "SLO missed");
	}
	if (!isnan(input->attainment)) {
		say(verdict, "; %.2f %% of requests within their own limits", 100 * input->attainment);
	}
}

/* What a run that does not serve everyone has to say first. */
static void say_losses(const weir_verdict_input *input, weir_verdict *verdict)
{
	double lost = input->rejected + input->failed;
	if (input->completed == 0 && lost > 0) {
		say(verdict, "%.0f of %.0f requests completed: %.0f failed, %.0f were rejected. ",
		    input->completed, input->arrived, input->failed, input->rejected);
	} else if (lost > 0) {
		say(verdict, "%.0f of %.0f requests failed or were rejected. ", lost, input->arrived);
	}
}

static void say_cost(const weir_verdict_input *input, weir_verdict *verdict)
{
	if (isnan(input->cost_usd)) {
		return;
	}
	char time[64];
	say(verdict, "; cost %.2f USD", input->cost_usd);
	if (input->duration > 0) {
		say(verdict, " in %s (%.4g USD/h)",
		    weir_format_duration(time, sizeof time, input->duration),
		    input->cost_usd / input->duration * 3600);
	}
}

static void say_bottleneck(const weir_verdict_input *input, weir_verdict *verdict)
{
	const char *pool = verdict->pool < input->pool_count ? input->pools[verdict->pool].name : "";
	switch (verdict->bottleneck) {
	case WEIR_BOTTLENECK_UNKNOWN:
		say(verdict, "; bottleneck not known, as nothing tells which pools were full while "
		             "requests were late");
		break;
	case WEIR_BOTTLENECK_NONE:
		say(verdict, "; no bottleneck, as no request was late");
		break;
	case WEIR_BOTTLENECK_WAITING:
		say(verdict, "; bottleneck: the %s pool, where %.3g tasks per instance waited", pool,
		    verdict->figure);
		break;
	case WEIR_BOTTLENECK_KV:
		say(verdict, "; bottleneck: the %s pool, with %.3g %% of its KV memory promised", pool,
		    100 * verdict->figure);
		break;
	case WEIR_BOTTLENECK_BATCH:
		say(verdict, "; bottleneck: the %s pool, with its batches %.3g %% full", pool,
		    100 * verdict->figure);
		break;
	case WEIR_BOTTLENECK_UNCLEAR:
		say(verdict, "; no pool stands out as the bottleneck");
		break;
	}
	bool pool_named = verdict->bottleneck == WEIR_BOTTLENECK_WAITING ||
	                  verdict->bottleneck == WEIR_BOTTLENECK_KV ||
	                  verdict->bottleneck == WEIR_BOTTLENECK_BATCH;
	say(verdict, pool_named ? " while requests were late." : ".");
}

weir_verdict weir_verdict_of(const weir_verdict_input *input)
{
	weir_verdict verdict = {.good = isnan(input->slo_met) ? -1 : input->slo_met != 0,
	                        .figure = (double)NAN};
	if (!(input->arrived > 0)) {
		verdict.good = -1;
		verdict.bottleneck = WEIR_BOTTLENECK_NONE;
		say(&verdict, "No request %s: there is nothing to judge",
		    input->partial ? "ended" : "came");
		say_cost(input, &verdict);
		say(&verdict, ".");
		return verdict;
	}
	find_bottleneck(input, &verdict);
	say_losses(input, &verdict);
	say_slo(input, &verdict);
	say_cost(input, &verdict);
	say_bottleneck(input, &verdict);
	return verdict;
}
