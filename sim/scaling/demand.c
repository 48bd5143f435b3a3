#include "scaling/demand.h"

#include <assert.h>
#include <math.h>

const char *const weir_demand_kinds[] = {"concurrency", "tokens", NULL};

static double rate(const weir_view *view, weir_tag tag)
{
	double made = view->pools[tag].output_tokens;
	double arrived = view->prompt_tokens_arrived;
	double tokens = tag == WEIR_TAG_PROMPT  ? arrived
	                : tag == WEIR_TAG_TOKEN ? made
	                                        : arrived + made;
	return tokens / view->interval;
}

bool weir_demand_observe(const weir_demand_config *config, const weir_view *view, weir_tag tag,
                         double *seen, double *demand)
{
	if (view->now <= *seen) {
		return false;
	}
	*seen = view->now;
	if (config->kind == WEIR_DEMAND_TOKENS) {
		if (view->interval <= 0) {
			return false;
		}
		*demand = rate(view, tag);
	} else {
		const weir_view_pool *pool = &view->pools[tag];
		*demand = (double)pool->requests;
		if (pool->count[WEIR_INSTANCE_ACTIVE] == 0) {
			*demand += (double)view->waiting_at_scheduler;
		}
	}
	return true;
}

static double target_of(const weir_demand_config *config)
{
	return config->kind == WEIR_DEMAND_TOKENS ? config->target_tokens : config->target_concurrency;
}

/* Demands and forecasts come out of a few operations on doubles: 3.0000000001 instances are 3. */
static const double rounding = 1e-9;

/* Far above any limit of instances, far below where a double ceases to count. */
static const double most_instances = 1e9;

int64_t weir_demand_instances(const weir_demand_config *config, double demand)
{
	double instances = ceil(demand / target_of(config) - rounding);
	return (int64_t)fmin(fmax(instances, 0), most_instances);
}

void weir_decide_pool(const weir_policy_context *context, const weir_view *view, weir_tag tag,
                      int64_t size, weir_decision *decision)
{
	if (size < context->scaling->min_instances_per_pool) {
		size = context->scaling->min_instances_per_pool;
	}
	if (size != weir_view_size(&view->pools[tag])) {
		weir_decide_size(decision, tag, size);
	}
}

double weir_horizon(const weir_policy_context *context, double margin)
{
	return context->boot_delay[weir_policy_tag(context)] + margin;
}

size_t weir_horizon_steps(const weir_policy_context *context, double margin)
{
	double steps = ceil(weir_horizon(context, margin) / context->interval - rounding);
	return (size_t)fmin(fmax(steps, 1), WEIR_MOST_STEPS);
}

weir_status weir_check_steps(double steps, double most, const char *where, weir_error *error)
{
	if (steps > most) {
		return weir_error_set(error, WEIR_ERROR_INPUT, where,
		                      "this is %g of the policy's intervals; at most %g can be kept: make "
		                      "the interval longer",
		                      steps, most);
	}
	return WEIR_OK;
}

int64_t weir_apa_size(const weir_apa_rule *rule, const weir_demand_config *config, int64_t size,
                      double demand)
{
	double n = size > 0 ? (double)size : 1;
	double use = demand / n / target_of(config);
	int64_t wanted = weir_demand_instances(config, demand);
	if (use > 1 + rule->up_tolerance) {
		int64_t most = (int64_t)fmin(ceil(rule->max_scale_up_rate * n), most_instances);
		return wanted < most ? wanted : most;
	}
	if (use < 1 - rule->down_tolerance) {
		int64_t least = (int64_t)floor(n / rule->max_scale_down_rate);
		return wanted > least ? wanted : least;
	}
	return (int64_t)n;
}
