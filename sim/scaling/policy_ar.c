#include "scaling/policy_ar.h"

#include <math.h>
#include <string.h>

#include "scaling/forecast.h"

static const weir_key keys[] = {
    WEIR_DEMAND_KEYS(weir_ar_config, demand),
    WEIR_MARGIN_KEY(weir_ar_config),
    {.name = "window",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_ar_config, window),
     .default_text = "900",
     .minimum = 0,
     .maximum = 1e7,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s",
     .doc = "It is fitted to the demand of so much time before now; at most 2000 of the policy's "
            "intervals."},
    {.name = "order",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_ar_config, order),
     .default_text = "3",
     .minimum = 1,
     .maximum = WEIR_MOST_AR_ORDER,
     .doc = "How many past values the next one depends on."},
    {.name = "cap",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_ar_config, cap),
     .default_text = "4",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "The forecast is at most so many times the highest demand of the window, for fits that "
            "run away; 0: no cap."},
};

const weir_key_table weir_ar_keys = {
    .name = "ar",
    .doc = "Size by the demand forecast by an autoregression.",
    .size = sizeof(weir_ar_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

enum { MOST_VALUES = 2000 };

/* Behind the header: the values, oldest first; working memory of the fit; the forecasts. */
typedef struct ar_state {
	double seen;
	size_t count;
	double data[];
} ar_state;

static double window_steps(const weir_policy_context *context)
{
	const weir_ar_config *config = context->parameters;
	return floor(config->window / context->interval);
}

static size_t capacity(const weir_policy_context *context)
{
	return (size_t)fmin(window_steps(context), MOST_VALUES);
}

static size_t horizon(const weir_policy_context *context)
{
	const weir_ar_config *config = context->parameters;
	return weir_horizon_steps(context, config->margin);
}

static size_t work(const weir_policy_context *context)
{
	const weir_ar_config *config = context->parameters;
	return weir_ar_work(capacity(context), (size_t)config->order);
}

static size_t state_size(const weir_policy_context *context)
{
	size_t doubles = capacity(context) + work(context) + horizon(context);
	return sizeof(ar_state) + doubles * sizeof(double);
}

static weir_status start(const weir_policy_context *context, void *state, weir_error *error)
{
	const weir_ar_config *config = context->parameters;
	((ar_state *)state)->seen = NAN;
	if (window_steps(context) < 2 * (double)config->order + 1) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "window",
		                      "a window of %g s holds %g observations, one every %g s; order %lld "
		                      "needs %lld",
		                      config->window, window_steps(context), context->interval,
		                      (long long)config->order, (long long)(2 * config->order + 1));
	}
	weir_status status = weir_check_steps(window_steps(context), MOST_VALUES, "window", error);
	if (status != WEIR_OK) {
		return status;
	}
	return weir_check_steps(weir_horizon(context, config->margin) / context->interval,
	                        WEIR_MOST_STEPS, "margin", error);
}

/* The highest of the forecasts and of the present value. */
static double peak_of(const weir_policy_context *context, ar_state *ar)
{
	const weir_ar_config *config = context->parameters;
	double *values = ar->data, *scratch = values + capacity(context);
	double *path = scratch + work(context);
	size_t steps = horizon(context);
	weir_forecast_ar(values, ar->count, (size_t)config->order, steps, scratch, path);
	double peak = values[ar->count - 1], highest = 0;
	for (size_t i = 0; i < steps; i++) {
		peak = fmax(peak, path[i]);
	}
	for (size_t i = 0; i < ar->count; i++) {
		highest = fmax(highest, values[i]);
	}
	return config->cap > 0 ? fmin(peak, config->cap * highest) : peak;
}

static void decide(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	const weir_ar_config *config = context->parameters;
	ar_state *ar = state;
	weir_tag tag = weir_policy_tag(context);
	double demand;
	if (!weir_demand_observe(&config->demand, view, tag, &ar->seen, &demand)) {
		return;
	}
	if (ar->count == capacity(context)) {
		ar->count--;
		memmove(ar->data, ar->data + 1, ar->count * sizeof *ar->data);
	}
	ar->data[ar->count++] = demand;
	weir_decide_pool(context, view, tag,
	                 weir_demand_instances(&config->demand, peak_of(context, ar)), decision);
}

const weir_policy_type weir_policy_ar = {
    .name = "ar",
    .summary = "forecasts the demand by an autoregression fitted over a window",
    .interval = 15,
    .state_size = state_size,
    .start = start,
    .decide = decide,
};
