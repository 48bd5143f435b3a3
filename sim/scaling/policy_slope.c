#include "scaling/policy_slope.h"

#include <math.h>

#include "scaling/forecast.h"

static const weir_key keys[] = {
    WEIR_DEMAND_KEYS(weir_slope_config, demand),
    WEIR_APA_KEYS(weir_slope_config, rule),
    WEIR_MARGIN_KEY(weir_slope_config),
    {.name = "window",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_slope_config, window),
     .default_text = "180",
     .minimum = 0,
     .maximum = 1e7,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s",
     .doc = "The slope is that of the demand in so much time before now."},
    {.name = "least_points",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_slope_config, least_points),
     .default_text = "3",
     .minimum = 2,
     .maximum = 1e6,
     .doc = "With fewer observations in the window there is no forecast."},
    {.name = "least_coverage",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_slope_config, least_coverage),
     .default_text = "0.5",
     .minimum = 0,
     .maximum = 1,
     .doc = "Nor when the observations span less than this share of the window."},
    {.name = "cap",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_slope_config, cap),
     .default_text = "4",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "The forecast is at most so many times the mean demand of the window; 0: no cap."},
};

const weir_key_table weir_slope_keys = {
    .name = "slope",
    .doc = "Size by the projected demand: slope over a window.",
    .size = sizeof(weir_slope_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

typedef struct slope_state {
	double seen;
	weir_series series; /* and its observations behind it */
} slope_state;

static double window_steps(const weir_policy_context *context)
{
	const weir_slope_config *config = context->parameters;
	return floor(config->window / context->interval) + 1;
}

static size_t capacity(const weir_policy_context *context)
{
	return (size_t)fmin(window_steps(context), WEIR_MOST_STEPS);
}

static size_t state_size(const weir_policy_context *context)
{
	return offsetof(slope_state, series) + weir_series_bytes(capacity(context));
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	const weir_slope_config *config = context->parameters;
	if (window_steps(context) < (double)config->least_points) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "window",
		                      "a window of %g s holds %g observations, one every %g s; "
		                      "least_points asks for %lld",
		                      config->window, window_steps(context), context->interval,
		                      (long long)config->least_points);
	}
	slope_state *slope = state;
	slope->seen = NAN;
	weir_series_start(&slope->series, capacity(context));
	return weir_check_steps(window_steps(context), WEIR_MOST_STEPS, "window", error);
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	const weir_slope_config *config = context->parameters;
	slope_state *slope = state;
	weir_tag tag = weir_policy_tag(context);
	double demand;
	if (!weir_demand_observe(&config->demand, view, tag, &slope->seen, &demand)) {
		return;
	}
	weir_series_add(&slope->series, view->now, demand);
	weir_slope_rule rule = {.window = config->window,
	                        .least_points = (size_t)config->least_points,
	                        .least_coverage = config->least_coverage,
	                        .cap = config->cap};
	weir_slope_forecast forecast;
	if (weir_forecast_slope(&slope->series, &rule, view->now, weir_horizon(context, config->margin),
	                        &forecast)) {
		demand = fmax(demand, forecast.predicted);
	}
	int64_t size = weir_view_size(&view->pools[tag]);
	weir_decide_pool(context, view, tag,
	                 weir_apa_size(&config->rule, &config->demand, size, demand), decision);
}

const weir_policy_type weir_policy_slope = {
    .name = "slope",
    .summary = "AIBrix' predictive mode: least-squares slope of the demand, sized by APA's rule",
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
