#include "study/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/bootstrap.h"
#include "base/memory.h"
#include "config/config.h"
#include "study/best_known.h"
#include "study/study_bounds.h"

const weir_study_figure weir_study_figure_list[WEIR_TABLE_FIGURE_COUNT] = {
#define WEIR_TABLE_FIGURE(name, heading, unit, decimals)                                           \
	{#name, heading, unit, decimals, offsetof(weir_study_figures, name)},
    WEIR_TABLE_FIGURES(WEIR_TABLE_FIGURE)
#undef WEIR_TABLE_FIGURE
};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the study");
}

weir_study_plan weir_study_plan_default(void)
{
	return (weir_study_plan){
	    .replications = 1,
	    .until = (double)INFINITY,
	    .confidence = 0.95,
	    .target = 0.99,
	    .budget = weir_best_known_options_default().budget,
	};
}

static void set_figure(weir_study_figures *figures, size_t figure, double value)
{
	memcpy((char *)figures + weir_study_figure_list[figure].offset, &value, sizeof value);
}

weir_study_figures weir_study_figures_none(void)
{
	weir_study_figures figures;
	for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
		set_figure(&figures, f, (double)NAN);
	}
	return figures;
}

weir_study_figures weir_study_figures_of(const weir_simulate_result *run)
{
	const weir_summary *summary = &run->summary;
	weir_study_figures figures = weir_study_figures_none();
	figures.instance_hours = summary->totals.instance_hours;
	figures.cost_usd = summary->totals.cost_usd;
	figures.attainment = summary->totals.attainment;
	figures.ttft_slowdown_p99 = summary->metrics[WEIR_SUMMARY_TTFT_SLOWDOWN].p99;
	figures.tbt_slowdown_p99 = summary->metrics[WEIR_SUMMARY_TBT_SLOWDOWN].p99;
	figures.scale_operations = summary->totals.scale_operations;
	return figures;
}

static double figure_at(const weir_study_figures *figures, size_t figure)
{
	double value;
	memcpy(&value, (const char *)figures + weir_study_figure_list[figure].offset, sizeof value);
	return value;
}

/* ---- what replications say ---- */

/* The values of a figure, one for each replication; false when one of them is not finite. */
static bool gather(const weir_study_figures *figures, size_t count, size_t figure, double *values)
{
	bool finite = true;
	for (size_t i = 0; i < count; i++) {
		values[i] = figure_at(&figures[i], figure);
		finite = finite && isfinite(values[i]);
	}
	return finite;
}

static weir_interval no_interval(size_t count)
{
	return (weir_interval){.count = count,
	                       .value = (double)NAN,
	                       .low = (double)NAN,
	                       .high = (double)NAN,
	                       .half_width = (double)NAN};
}

/* The figure whose half-width --width speaks of, as a share of what it is. */
static weir_status count_needed(const double *values, const weir_interval *mean, double half_width,
                                double confidence, size_t *needed, weir_error *error)
{
	if (mean->count < 2 || !(half_width > 0.0)) {
		return WEIR_OK;
	}
	double squares = 0.0;
	for (size_t i = 0; i < mean->count; i++) {
		squares += (values[i] - mean->value) * (values[i] - mean->value);
	}
	double deviation = sqrt(squares / (double)(mean->count - 1));
	return weir_replications_needed(deviation, mean->count, half_width, confidence, needed, error);
}

static weir_status estimate_figure(const weir_study_figures *figures,
                                   const weir_study_figures *baseline, size_t count, size_t figure,
                                   double confidence, double *values, weir_study_estimate *estimate,
                                   weir_error *error)
{
	double *others = values + count;
	estimate->mean[figure] = estimate->difference[figure] = no_interval(count);
	if (!gather(figures, count, figure, values)) {
		return WEIR_OK;
	}
	weir_status status =
	    weir_mean_interval(values, count, confidence, &estimate->mean[figure], error);
	if (status == WEIR_OK && gather(baseline, count, figure, others)) {
		status = weir_paired_interval(values, others, count, confidence,
		                              &estimate->difference[figure], error);
	}
	return status;
}

static weir_status estimate_median(const double *values, size_t count, double confidence,
                                   weir_interval *median, weir_error *error)
{
	static const double half = 0.5;
	const weir_statistic statistic = weir_statistic_quantile(&half);
	weir_bootstrap_options options = weir_bootstrap_options_default();
	options.confidence = confidence;
	return weir_bootstrap(values, count, &statistic, &options, median, error);
}

static weir_status estimate_all(const weir_study_figures *figures,
                                const weir_study_figures *baseline, size_t count, double confidence,
                                double width, double *values, weir_study_estimate *estimate,
                                weir_error *error)
{
	weir_status status = WEIR_OK;
	estimate->ttft_median = estimate->tbt_median = no_interval(count);
	for (size_t f = 0; status == WEIR_OK && f < WEIR_TABLE_FIGURE_COUNT; f++) {
		status = estimate_figure(figures, baseline, count, f, confidence, values, estimate, error);
		const weir_interval *mean = &estimate->mean[f];
		if (status != WEIR_OK || !isfinite(mean->value)) {
			continue;
		}
		size_t offset = weir_study_figure_list[f].offset;
		if (offset == offsetof(weir_study_figures, cost_usd)) {
			status = count_needed(values, mean, width / 100.0 * mean->value, confidence,
			                      &estimate->needed, error);
		} else if (offset == offsetof(weir_study_figures, relative_cost)) {
			status =
			    count_needed(values, mean, width, confidence, &estimate->needed_relative, error);
		} else if (offset == offsetof(weir_study_figures, ttft_slowdown_p99)) {
			status = estimate_median(values, count, confidence, &estimate->ttft_median, error);
		} else if (offset == offsetof(weir_study_figures, tbt_slowdown_p99)) {
			status = estimate_median(values, count, confidence, &estimate->tbt_median, error);
		}
	}
	return status;
}

weir_status weir_study_estimate_of(const weir_study_figures *figures,
                                   const weir_study_figures *baseline, size_t count,
                                   double confidence, double width, weir_study_estimate *estimate,
                                   weir_error *error)
{
	*estimate = (weir_study_estimate){0};
	double *values = weir_allocate(count, 2 * sizeof *values);
	if (values == NULL) {
		return no_memory(error);
	}
	weir_status status =
	    estimate_all(figures, baseline, count, confidence, width, values, estimate, error);
	free(values);
	return status;
}

/* ---- the runs ---- */

static weir_status check_configs(const weir_study_plan *plan, weir_error *error)
{
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < plan->scenario_count * plan->policy_count; i++) {
		status = weir_config_check_family(&plan->configs[i], error);
	}
	for (size_t s = 0; status == WEIR_OK && plan->bases != NULL && s < plan->scenario_count; s++) {
		status = weir_config_check_family(&plan->bases[s], error);
	}
	return status;
}

const weir_run_driver *weir_study_driver(const weir_study_plan *plan, size_t scenario,
                                         size_t policy)
{
	return plan->drivers != NULL ? plan->drivers[scenario * plan->policy_count + policy] : NULL;
}

/* The job of a run. Replications come first, so that an interrupted study has whole ones. */
static size_t job_of(const weir_study_plan *plan, size_t scenario, size_t policy,
                     size_t replication)
{
	return (replication * plan->scenario_count + scenario) * plan->policy_count + policy;
}

static void list_jobs(const weir_study_plan *plan, weir_replication *jobs)
{
	for (size_t s = 0; s < plan->scenario_count; s++) {
		for (size_t p = 0; p < plan->policy_count; p++) {
			for (size_t r = 0; r < plan->replications; r++) {
				jobs[job_of(plan, s, p, r)] = (weir_replication){
				    .config = plan->configs[s * plan->policy_count + p],
				    .scenario = plan->scenarios[s],
				    .policy = plan->policies[p],
				    .number = r,
				    .until = plan->until,
				    .driver = weir_study_driver(plan, s, p),
				};
			}
		}
	}
}

weir_status weir_study_check_run(const weir_replication *replication,
                                 const weir_replication_result *result, weir_error *error)
{
	const weir_totals *totals = &result->run.summary.totals;
	double ended = totals->completed + totals->failed + totals->rejected + totals->unfinished;
	if (totals->arrived == ended) {
		return WEIR_OK;
	}
	return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
	                      "%s, %s, replication %llu: %.0f requests arrived, but %.0f ended or are "
	                      "left",
	                      replication->scenario, replication->policy,
	                      (unsigned long long)replication->number, totals->arrived, ended);
}

/* How an interrupted study says what it did. */
static weir_status tell_interrupt(const weir_error *errors, size_t count, weir_error *error)
{
	size_t done = 0;
	for (size_t i = 0; i < count; i++) {
		done += errors[i].status == WEIR_OK ? 1 : 0;
	}
	return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL,
	                      "interrupted; %zu of %zu runs were done, and nothing was written", done,
	                      count);
}

static weir_status run_jobs(const weir_study_plan *plan, const weir_pool_options *options,
                            weir_replication *jobs, weir_replication_result *results,
                            weir_error *errors, weir_study *study, weir_error *error)
{
	size_t count = plan->scenario_count * plan->policy_count * plan->replications;
	list_jobs(plan, jobs);
	weir_status status = weir_replications_run(jobs, count, options, results, errors, error);
	if (status == WEIR_ERROR_INTERRUPTED) {
		return tell_interrupt(errors, count, error);
	}
	weir_replication_result *run = study->runs;
	for (size_t s = 0; status == WEIR_OK && s < plan->scenario_count; s++) {
		for (size_t p = 0; status == WEIR_OK && p < plan->policy_count; p++) {
			for (size_t r = 0; status == WEIR_OK && r < plan->replications; r++) {
				size_t job = job_of(plan, s, p, r);
				*run = results[job];
				study->stalled += run->run.stalled ? 1 : 0;
				status = weir_study_check_run(&jobs[job], run++, error);
			}
		}
	}
	return status;
}

static weir_status run_all(const weir_study_plan *plan, const weir_pool_options *options,
                           weir_study *study, weir_error *error)
{
	size_t count = plan->scenario_count * plan->policy_count * plan->replications;
	weir_replication *jobs = weir_allocate(count, sizeof *jobs);
	weir_replication_result *results = weir_allocate(count, sizeof *results);
	weir_error *errors = weir_allocate(count, sizeof *errors);
	weir_status status = jobs != NULL && results != NULL && errors != NULL
	                         ? run_jobs(plan, options, jobs, results, errors, study, error)
	                         : no_memory(error);
	free(jobs);
	free(results);
	free(errors);
	return status;
}

/* ---- the tables ---- */

static weir_study_figures *figures_at(const weir_study *study, size_t section, size_t row)
{
	return study->figures + (section * study->row_count + row) * study->plan->replications;
}

static void fill_figures(weir_study *study)
{
	const weir_study_plan *plan = study->plan;
	for (size_t s = 0; s < plan->scenario_count; s++) {
		for (size_t p = 0; p < plan->policy_count; p++) {
			weir_study_row *row = &study->sections[s].rows[p];
			row->runs = study->runs + (s * plan->policy_count + p) * plan->replications;
			for (size_t r = 0; r < plan->replications; r++) {
				figures_at(study, s, p)[r] = weir_study_figures_of(&row->runs[r].run);
			}
		}
	}
}

static void set_regret(weir_study_figures *figures, double regret_usd)
{
	figures->regret_usd = regret_usd;
	figures->regret_percent = 100.0 * regret_usd / (figures->cost_usd - regret_usd);
}

static void fill_bounds(weir_study *study, const void *bounds)
{
	const weir_study_plan *plan = study->plan;
	for (size_t s = 0; s < plan->scenario_count; s++) {
		for (size_t r = 0; r < plan->replications; r++) {
			const study_bound *bound = study_bound_at(plan, bounds, s, r);
			for (size_t p = 0; p < plan->policy_count; p++) {
				set_regret(&figures_at(study, s, p)[r], bound->regret_usd[p]);
			}
			study->unreached += bound->best_known.attainment >= plan->target ? 0 : 1;
			figures_at(study, s, plan->policy_count)[r] = bound->best_known;
			figures_at(study, s, plan->policy_count + 1)[r] = bound->fluid;
		}
	}
}

static weir_status find_bounds(weir_study *study, const weir_pool_options *options,
                               weir_error *error)
{
	void *bounds = NULL;
	weir_status status = study_bounds_find(study->plan, options, &bounds, error);
	if (status == WEIR_OK) {
		fill_bounds(study, bounds);
	}
	free(bounds);
	return status;
}

static void fill_relative(weir_study *study)
{
	for (size_t s = 0; s < study->plan->scenario_count; s++) {
		const weir_study_figures *baseline = figures_at(study, s, study->plan->baseline);
		for (size_t p = 0; p < study->row_count; p++) {
			weir_study_figures *figures = figures_at(study, s, p);
			for (size_t r = 0; r < study->plan->replications; r++) {
				figures[r].relative_cost =
				    100.0 * (figures[r].cost_usd / baseline[r].cost_usd - 1.0);
			}
		}
	}
}

/* The last section: of each replication the mean over the scenarios. */
static void fill_mean(weir_study *study)
{
	size_t scenarios = study->plan->scenario_count;
	for (size_t p = 0; p < study->row_count; p++) {
		for (size_t r = 0; r < study->plan->replications; r++) {
			for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
				double sum = 0.0;
				for (size_t s = 0; s < scenarios; s++) {
					sum += figure_at(&figures_at(study, s, p)[r], f);
				}
				set_figure(&figures_at(study, scenarios, p)[r], f, sum / (double)scenarios);
			}
		}
	}
}

static weir_status estimate_rows(weir_study *study, weir_error *error)
{
	const weir_study_plan *plan = study->plan;
	weir_status status = WEIR_OK;
	for (size_t s = 0; s < study->section_count; s++) {
		const weir_study_figures *baseline = figures_at(study, s, plan->baseline);
		for (size_t p = 0; status == WEIR_OK && p < study->row_count; p++) {
			weir_study_row *row = &study->sections[s].rows[p];
			status = weir_study_estimate_of(row->figures, baseline, plan->replications,
			                                plan->confidence, plan->width, &row->estimate, error);
		}
	}
	return status;
}

static weir_status make_tables(weir_study *study, const weir_study_plan *plan, weir_error *error)
{
	study->plan = plan;
	static const char *const bounds[] = {"best_known", "fluid_bound"};
	size_t bound_count = plan->bases != NULL ? sizeof bounds / sizeof bounds[0] : 0;
	study->row_count = plan->policy_count + bound_count;
	study->section_count = plan->scenario_count + (plan->scenario_count > 1 ? 1 : 0);
	size_t rows = study->section_count * study->row_count;
	study->sections = weir_allocate(study->section_count, sizeof *study->sections);
	study->rows = weir_allocate(rows, sizeof *study->rows);
	study->figures = weir_allocate(rows * plan->replications, sizeof *study->figures);
	study->runs = weir_allocate(plan->scenario_count * plan->policy_count * plan->replications,
	                            sizeof *study->runs);
	if (study->sections == NULL || study->rows == NULL || study->figures == NULL ||
	    study->runs == NULL) {
		return no_memory(error);
	}
	for (size_t s = 0; s < study->section_count; s++) {
		study->sections[s] = (weir_study_section){
		    .name = s < plan->scenario_count ? plan->scenarios[s] : "mean over the scenarios",
		    .rows = study->rows + s * study->row_count,
		};
		for (size_t p = 0; p < study->row_count; p++) {
			study->sections[s].rows[p] = (weir_study_row){
			    .name = p < plan->policy_count ? plan->policies[p] : bounds[p - plan->policy_count],
			    .figures = figures_at(study, s, p),
			};
		}
	}
	return WEIR_OK;
}

weir_status weir_study_run(const weir_study_plan *plan, const weir_pool_options *options,
                           weir_study *study, weir_error *error)
{
	*study = (weir_study){0};
	weir_status status = check_configs(plan, error);
	if (status == WEIR_OK) {
		status = make_tables(study, plan, error);
	}
	if (status == WEIR_OK) {
		status = run_all(plan, options, study, error);
	}
	if (status == WEIR_OK) {
		fill_figures(study);
		status = plan->bases != NULL ? find_bounds(study, options, error) : WEIR_OK;
	}
	if (status == WEIR_OK) {
		fill_relative(study);
		if (study->section_count > plan->scenario_count) {
			fill_mean(study);
		}
		status = estimate_rows(study, error);
	}
	if (status != WEIR_OK) {
		weir_study_release(study);
	}
	return status;
}

void weir_study_release(weir_study *study)
{
	free(study->runs);
	free(study->figures);
	free(study->rows);
	free(study->sections);
	*study = (weir_study){0};
}
