#include "study/study_bounds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "config/config.h"
#include "study/best_known.h"
#include "study/fluid_bound.h"

enum { NAME_SIZE = 256 };

static size_t bound_size(const weir_study_plan *plan)
{
	return sizeof(study_bound) + plan->policy_count * sizeof(double);
}

const study_bound *study_bound_at(const weir_study_plan *plan, const void *bounds, size_t scenario,
                                  size_t replication)
{
	size_t job = replication * plan->scenario_count + scenario;
	return (const study_bound *)(const void *)((const char *)bounds + job * bound_size(plan));
}

static weir_status search(const weir_study_plan *plan, const weir_config *base,
                          const weir_known_policy *policies, study_bound *bound, weir_error *error)
{
	weir_best_known_options options = weir_best_known_options_default();
	options.policies = policies;
	options.policy_count = plan->policy_count;
	options.attainment = plan->target;
	options.budget = plan->budget;
	weir_best_known *known = NULL;
	weir_status status = weir_best_known_search(base, &options, &known, error);
	if (status != WEIR_OK) {
		return status;
	}
	size_t best = weir_best_known_at(known, plan->target);
	bound->best_known = weir_study_figures_of(weir_best_known_result(known, best));
	for (size_t p = 0; p < plan->policy_count; p++) {
		bound->regret_usd[p] = weir_best_known_regret(known, p);
	}
	weir_best_known_destroy(known);
	return WEIR_OK;
}

static weir_status find_fluid(const weir_study_plan *plan, const weir_config *base,
                              study_bound *bound, weir_error *error)
{
	weir_fluid_bound fluid;
	weir_status status = weir_fluid_bound_compute(base, plan->target, &fluid, error);
	bound->fluid = weir_study_figures_none();
	if (status == WEIR_OK) {
		bound->fluid.cost_usd = fluid.cost_usd;
		bound->fluid.instance_hours = fluid.instance_hours;
	}
	return status;
}

static weir_status find_bound(const weir_study_plan *plan, size_t scenario, size_t replication,
                              weir_known_policy *policies, study_bound *bound, weir_error *error)
{
	const weir_config *base = NULL;
	weir_status status = weir_config_load_member(&plan->bases[scenario], replication, &base, error);
	for (size_t p = 0; status == WEIR_OK && p < plan->policy_count; p++) {
		status = weir_config_load_member(&plan->configs[scenario * plan->policy_count + p],
		                                 replication, &policies[p].config, error);
		policies[p].driver = weir_study_driver(plan, scenario, p);
	}
	if (status == WEIR_OK) {
		status = search(plan, base, policies, bound, error);
	}
	if (status == WEIR_OK) {
		status = find_fluid(plan, base, bound, error);
	}
	for (size_t p = 0; p < plan->policy_count; p++) {
		weir_config_destroy(policies[p].config);
	}
	weir_config_destroy(base);
	return status;
}

static void describe(void *context, size_t job, char *name, size_t size)
{
	const weir_study_plan *plan = context;
	snprintf(name, size, "%s, the bounds of replication %zu",
	         plan->scenarios[job % plan->scenario_count], job / plan->scenario_count);
}

static weir_status run_job(void *context, size_t job, void *result, weir_error *error)
{
	const weir_study_plan *plan = context;
	weir_known_policy *policies = weir_allocate(plan->policy_count, sizeof *policies);
	if (policies == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the bounds");
	}
	weir_error found = {0};
	weir_status status = find_bound(plan, job % plan->scenario_count, job / plan->scenario_count,
	                                policies, result, &found);
	if (status != WEIR_OK) {
		char name[NAME_SIZE];
		describe(context, job, name, sizeof name);
		weir_error_set(error, status, found.where, "%s: %s", name, found.message);
	}
	free(policies);
	return status;
}

weir_status study_bounds_find(const weir_study_plan *plan, const weir_pool_options *options,
                              void **bounds, weir_error *error)
{
	const weir_pool_jobs jobs = {
	    .count = plan->scenario_count * plan->replications,
	    .result_size = bound_size(plan),
	    .context = (void *)(uintptr_t)plan,
	    .run = run_job,
	    .describe = describe,
	};
	*bounds = weir_allocate(jobs.count, jobs.result_size);
	weir_error *errors = weir_allocate(jobs.count, sizeof *errors);
	weir_status status =
	    *bounds != NULL && errors != NULL
	        ? weir_pool_run(&jobs, options, *bounds, errors, error)
	        : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the bounds");
	if (status == WEIR_ERROR_INTERRUPTED) {
		size_t done = 0;
		for (size_t i = 0; i < jobs.count; i++) {
			done += errors[i].status == WEIR_OK ? 1 : 0;
		}
		weir_error_set(error, status, NULL,
		               "interrupted; all runs and %zu of %zu searches were done, and nothing was "
		               "written",
		               done, jobs.count);
	}
	if (status != WEIR_OK) {
		free(*bounds);
		*bounds = NULL;
	}
	free(errors);
	return status;
}
