/* Studies: common random numbers, paired differences, bounds and regret. */
#include "study/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "study/best_known.h"
#include "study/fluid_bound.h"
#include "study/study_print.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define WORKLOAD                                                                                   \
	"workload={\"count\": 900, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 12},"               \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 20,"   \
	" \"sigma\": 1.5, \"maximum\": 900}}}"
#define FAMILY(seed)                                                                               \
	"family={\"seed\": " seed ", \"shapes\": [{\"scaling.scale_up_delay\": 2}, "                   \
	"{\"scaling.scale_up_delay\": 5}]}"

enum { SCENARIOS = 2, POLICIES = 2, REPLICATIONS = 3, SETS = 3 };

static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};
static const char *const scenarios[SCENARIOS] = {"first", "second"};
static const char *const policies[POLICIES] = {"few", "elastic"};
static const char *const sets[SCENARIOS * POLICIES][SETS] = {
    {WORKLOAD, FAMILY("5"), "policies=\"never\""},
    {WORKLOAD, FAMILY("5"), "policies=\"random\""},
    {WORKLOAD, FAMILY("6"), "policies=\"never\""},
    {WORKLOAD, FAMILY("6"), "policies=\"random\""},
};
/* Of the bounds: the same workloads without a policy. */
static const char *const *const base_sets[SCENARIOS] = {sets[0], sets[2]};

typedef struct made_plan {
	weir_document_options configs[SCENARIOS * POLICIES], bases[SCENARIOS];
	weir_study_plan plan;
} made_plan;

static weir_document_options options_of(const char *const *own, size_t count)
{
	return (weir_document_options){
	    .path = TEST_PARITY_CONFIG, .directories = directories, .sets = own, .set_count = count};
}

static const weir_study_plan *make_plan(made_plan *made)
{
	for (size_t i = 0; i < SCENARIOS * POLICIES; i++) {
		made->configs[i] = options_of(sets[i], SETS);
	}
	for (size_t i = 0; i < SCENARIOS; i++) {
		made->bases[i] = options_of(base_sets[i], 2);
	}
	made->plan = weir_study_plan_default();
	made->plan.scenario_count = SCENARIOS;
	made->plan.policy_count = POLICIES;
	made->plan.replications = REPLICATIONS;
	made->plan.scenarios = scenarios;
	made->plan.policies = policies;
	made->plan.configs = made->configs;
	return &made->plan;
}

static weir_study_row *row_of(const weir_study *study, size_t section, size_t row)
{
	return &study->sections[section].rows[row];
}

/* ---- a made-up table ---- */

enum { COST = 1 };

static const weir_interval *mean_of(const weir_study_estimate *estimate, size_t offset)
{
	for (size_t f = 0; f < WEIR_TABLE_FIGURE_COUNT; f++) {
		if (weir_study_figure_list[f].offset == offset) {
			return &estimate->mean[f];
		}
	}
	return NULL;
}

/* By hand: differences 2, 3, 1 have mean 2 and deviation 1; the cost has mean 12 and deviation 2.
 * t(0.975, 2) = 4.302653; a half-width of 10 % of 12 needs 14: 2.160369 * 2 / sqrt(14) = 1.1548,
 * but 2.178813 * 2 / sqrt(13) = 1.2086. */
START_TEST(estimates_of_a_made_up_table)
{
	static const double costs[] = {10, 12, 14};
	static const double others[] = {8, 9, 13};
	static const double slowdowns[] = {5, 1, 3};
	static const double relatives[] = {1, 2, 3};
	weir_study_figures figures[3];
	weir_study_figures baseline[3];
	for (size_t i = 0; i < 3; i++) {
		figures[i] = baseline[i] = weir_study_figures_none();
		figures[i].cost_usd = costs[i];
		figures[i].ttft_slowdown_p99 = slowdowns[i];
		figures[i].relative_cost = relatives[i];
		figures[i].attainment = i == 1 ? (double)NAN : 1.0;
		baseline[i].cost_usd = others[i];
	}
	weir_study_estimate estimate;
	weir_error error = {0};
	ck_assert_ok(weir_study_estimate_of(figures, baseline, 3, 0.95, 10.0, &estimate, &error),
	             &error);
	ck_assert_str_eq(weir_study_figure_list[COST].name, "cost_usd");
	ck_assert_double_eq(estimate.mean[COST].value, 12.0);
	ck_assert_double_eq_tol(estimate.mean[COST].half_width, 4.302653 * 2.0 / sqrt(3.0), 1e-5);
	ck_assert_double_eq(estimate.difference[COST].value, 2.0);
	ck_assert_double_eq_tol(estimate.difference[COST].half_width, 4.302653 / sqrt(3.0), 1e-5);
	ck_assert_uint_eq(estimate.needed, 14);
	ck_assert_double_eq(estimate.ttft_median.value, 3.0);
	ck_assert_double_ge(estimate.ttft_median.low, 1.0);
	ck_assert_double_le(estimate.ttft_median.high, 5.0);
	/* 4.302653 / sqrt(3) = 2.48 is within 10 already. */
	ck_assert_uint_eq(estimate.needed_relative, 3);
	/* A figure that one run lacks, and one that the baseline lacks. */
	ck_assert_double_nan(mean_of(&estimate, offsetof(weir_study_figures, attainment))->value);
	ck_assert_double_nan(estimate.tbt_median.value);
	size_t f = WEIR_TABLE_FIGURE_COUNT;
	while (weir_study_figure_list[--f].offset != offsetof(weir_study_figures, ttft_slowdown_p99)) {
	}
	ck_assert_double_nan(estimate.difference[f].value);
	/* Not asked. */
	ck_assert_ok(weir_study_estimate_of(figures, baseline, 3, 0.95, 0.0, &estimate, &error),
	             &error);
	ck_assert_uint_eq(estimate.needed, 0);
}
END_TEST

START_TEST(one_replication_has_no_interval)
{
	weir_study_figures figures = weir_study_figures_none();
	figures.cost_usd = 7.0;
	weir_study_estimate estimate;
	weir_error error = {0};
	ck_assert_ok(weir_study_estimate_of(&figures, &figures, 1, 0.95, 1.0, &estimate, &error),
	             &error);
	ck_assert_double_eq(estimate.mean[COST].value, 7.0);
	ck_assert(isinf(estimate.mean[COST].half_width));
	ck_assert_uint_eq(estimate.needed, 0);
}
END_TEST

START_TEST(requests_must_add_up)
{
	weir_replication_result *result = calloc(1, sizeof *result);
	weir_totals *totals = &result->run.summary.totals;
	*totals =
	    (weir_totals){.arrived = 10, .completed = 4, .failed = 3, .rejected = 2, .unfinished = 1};
	const weir_replication run = {.scenario = "s", .policy = "p", .number = 7};
	weir_error error = {0};
	ck_assert_ok(weir_study_check_run(&run, result, &error), &error);
	double *const parts[] = {&totals->arrived, &totals->completed, &totals->failed,
	                         &totals->rejected, &totals->unfinished};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		*parts[i] += 1.0;
		ck_assert_int_eq(weir_study_check_run(&run, result, &error), WEIR_ERROR_INTERNAL);
		ck_assert_ptr_nonnull(strstr(error.message, "s, p, replication 7"));
		*parts[i] -= 1.0;
	}
	free(result);
}
END_TEST

/* ---- runs ---- */

START_TEST(policies_meet_the_same_arrivals)
{
	made_plan made;
	weir_study study;
	weir_error error = {0};
	const weir_pool_options options = {.workers = 2};
	ck_assert_ok(weir_study_run(make_plan(&made), &options, &study, &error), &error);
	ck_assert_uint_eq(study.section_count, SCENARIOS + 1);
	ck_assert_uint_eq(study.row_count, POLICIES);
	for (size_t s = 0; s < SCENARIOS; s++) {
		const weir_replication_result *a = row_of(&study, s, 0)->runs;
		const weir_replication_result *b = row_of(&study, s, 1)->runs;
		const weir_family family = {.seed = s == 0 ? 5 : 6};
		for (size_t r = 0; r < REPLICATIONS; r++) {
			const weir_totals *x = &a[r].run.summary.totals;
			const weir_totals *y = &b[r].run.summary.totals;
			ck_assert_uint_eq(a[r].seed, weir_family_seed(&family, r));
			ck_assert_uint_eq(b[r].seed, a[r].seed);
			ck_assert_uint_eq(a[r].shape, r % 2);
			ck_assert_uint_eq(b[r].shape, r % 2);
			ck_assert_double_eq(x->last_arrival, y->last_arrival);
			ck_assert_double_eq_tol(a[r].run.summary.metrics[WEIR_SUMMARY_PROMPT_TOKENS].mean,
			                        b[r].run.summary.metrics[WEIR_SUMMARY_PROMPT_TOKENS].mean,
			                        1e-9);
			ck_assert_double_ne(x->cost_usd, y->cost_usd);
			ck_assert_double_eq(x->scale_operations, 0.0);
			ck_assert_double_gt(y->scale_operations, 0.0);
			ck_assert(r == 0 || x->last_arrival != a[r - 1].run.summary.totals.last_arrival);
		}
	}
	weir_study_release(&study);
}
END_TEST

/* What each run came to is in its figures; the last section has the scenarios' means of them. */
START_TEST(figures_of_the_runs)
{
	made_plan made;
	weir_study study;
	weir_error error = {0};
	const weir_pool_options options = {.workers = 2};
	make_plan(&made);
	made.plan.baseline = 1;
	ck_assert_ok(weir_study_run(&made.plan, &options, &study, &error), &error);
	for (size_t p = 0; p < POLICIES; p++) {
		double relative[REPLICATIONS] = {0};
		for (size_t s = 0; s < SCENARIOS; s++) {
			const weir_study_row *row = row_of(&study, s, p);
			for (size_t r = 0; r < REPLICATIONS; r++) {
				const weir_summary *summary = &row->runs[r].run.summary;
				const weir_study_figures *figures = &row->figures[r];
				double dearer = summary->totals.cost_usd /
				                row_of(&study, s, 1)->runs[r].run.summary.totals.cost_usd;
				ck_assert_double_eq(figures->cost_usd, summary->totals.cost_usd);
				ck_assert_double_eq(figures->instance_hours, summary->totals.instance_hours);
				ck_assert_double_eq(figures->attainment, summary->totals.attainment);
				ck_assert_double_eq(figures->scale_operations, summary->totals.scale_operations);
				ck_assert_double_eq(figures->ttft_slowdown_p99,
				                    summary->metrics[WEIR_SUMMARY_TTFT_SLOWDOWN].p99);
				ck_assert_double_eq(figures->tbt_slowdown_p99,
				                    summary->metrics[WEIR_SUMMARY_TBT_SLOWDOWN].p99);
				ck_assert_double_eq_tol(figures->relative_cost, 100.0 * (dearer - 1.0), 1e-9);
				ck_assert_double_nan(figures->regret_usd);
				relative[r] += 50.0 * (dearer - 1.0);
			}
		}
		weir_interval interval;
		const weir_study_row *all = row_of(&study, SCENARIOS, p);
		ck_assert_ptr_null(all->runs);
		ck_assert_ok(weir_mean_interval(relative, REPLICATIONS, 0.95, &interval, &error), &error);
		const weir_interval *mean =
		    mean_of(&all->estimate, offsetof(weir_study_figures, relative_cost));
		ck_assert_double_eq_tol(mean->value, interval.value, 1e-9);
		ck_assert_double_eq_tol(mean->half_width, interval.half_width, 1e-9);
	}
	weir_study_release(&study);
}
END_TEST

/* Every byte of the JSON, which has every run. */
START_TEST(any_number_of_workers_gives_the_same)
{
	char *first = NULL;
	for (size_t workers = 1; workers <= 3; workers++) {
		made_plan made;
		weir_study study;
		weir_error error = {0};
		make_plan(&made);
		made.plan.bases = made.bases;
		made.plan.budget = 1;
		made.plan.replications = 2;
		const weir_pool_options options = {.workers = workers};
		ck_assert_ok(weir_study_run(&made.plan, &options, &study, &error), &error);
		char *text = weir_study_print(&study, WEIR_TABLE_AS_JSON);
		ck_assert_ptr_nonnull(text);
		if (first == NULL) {
			first = text;
		} else {
			ck_assert_str_eq(first, text);
			free(text);
		}
		weir_study_release(&study);
	}
	free(first);
}
END_TEST

/* The bounds against searches of the test's own. */
START_TEST(bounds_and_regret)
{
	made_plan made;
	weir_study study;
	weir_error error = {0};
	const weir_pool_options pool = {.workers = 2};
	make_plan(&made);
	made.plan.bases = made.bases;
	made.plan.budget = 12;
	made.plan.target = 0.5;
	ck_assert_ok(weir_study_run(&made.plan, &pool, &study, &error), &error);
	ck_assert_uint_eq(study.row_count, POLICIES + 2);
	double some = 0.0;
	for (size_t s = 0; s < SCENARIOS; s++) {
		for (size_t r = 0; r < REPLICATIONS; r++) {
			const weir_config *base = NULL;
			weir_known_policy known_policies[POLICIES] = {0};
			ck_assert_ok(weir_config_load_member(&made.bases[s], r, &base, &error), &error);
			for (size_t p = 0; p < POLICIES; p++) {
				ck_assert_ok(weir_config_load_member(&made.configs[s * POLICIES + p], r,
				                                     &known_policies[p].config, &error),
				             &error);
			}
			weir_best_known_options options = weir_best_known_options_default();
			options.policies = known_policies;
			options.policy_count = POLICIES;
			options.attainment = 0.5;
			options.budget = 12;
			weir_best_known *known = NULL;
			weir_fluid_bound fluid;
			ck_assert_ok(weir_best_known_search(base, &options, &known, &error), &error);
			ck_assert_ok(weir_fluid_bound_compute(base, 0.5, &fluid, &error), &error);
			const weir_study_figures *best = &row_of(&study, s, POLICIES)->figures[r];
			const weir_study_figures *least = &row_of(&study, s, POLICIES + 1)->figures[r];
			const weir_simulate_result *expected =
			    weir_best_known_result(known, weir_best_known_at(known, 0.5));
			ck_assert_double_eq(best->cost_usd, expected->summary.totals.cost_usd);
			ck_assert_double_eq(best->attainment, expected->summary.totals.attainment);
			ck_assert_double_eq(least->cost_usd, fluid.cost_usd);
			ck_assert_double_eq(least->instance_hours, fluid.instance_hours);
			ck_assert_double_le(least->cost_usd, best->cost_usd);
			for (size_t p = 0; p < POLICIES; p++) {
				const weir_study_figures *figures = &row_of(&study, s, p)->figures[r];
				double regret = figures->cost_usd;
				size_t at = weir_best_known_at(known, figures->attainment);
				double cheapest = weir_best_known_result(known, at)->summary.totals.cost_usd;
				regret -= cheapest;
				ck_assert_double_ge(regret, 0.0);
				ck_assert_double_eq_tol(figures->regret_usd, regret, 1e-9);
				ck_assert_double_eq_tol(figures->regret_percent, 100.0 * regret / cheapest, 1e-9);
				some += regret;
				weir_config_destroy(known_policies[p].config);
			}
			weir_best_known_destroy(known);
			weir_config_destroy(base);
		}
	}
	/* Else it would say nothing. */
	ck_assert_double_gt(some, 0.0);
	ck_assert_uint_eq(study.unreached, 0);
	weir_study_release(&study);
}
END_TEST

static bool count_calls(void *context, size_t done, size_t count)
{
	(void)done;
	(void)count;
	return ++*(size_t *)context < 3;
}

START_TEST(wrong_configs_come_before_the_first_run)
{
	static const char *const wrong[] = {WORKLOAD, FAMILY("6"), "policies=\"nothing\""};
	made_plan made;
	weir_study study;
	weir_error error = {0};
	size_t calls = 0;
	const weir_pool_options options = {.workers = 2, .progress = count_calls, .context = &calls};
	make_plan(&made);
	made.configs[3].sets = wrong;
	ck_assert_int_eq(weir_study_run(&made.plan, &options, &study, &error), WEIR_ERROR_INPUT);
	ck_assert_uint_eq(calls, 0);
	ck_assert_ptr_null(study.runs);
}
END_TEST

START_TEST(an_interrupt_says_what_was_done)
{
	made_plan made;
	weir_study study;
	weir_error error = {0};
	size_t calls = 0;
	const weir_pool_options options = {.workers = 1, .progress = count_calls, .context = &calls};
	ck_assert_int_eq(weir_study_run(make_plan(&made), &options, &study, &error),
	                 WEIR_ERROR_INTERRUPTED);
	ck_assert_ptr_nonnull(strstr(error.message, " of 12 runs were done"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("study/study");
	TCase *tests = tcase_create("study");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, estimates_of_a_made_up_table);
	tcase_add_test(tests, one_replication_has_no_interval);
	tcase_add_test(tests, requests_must_add_up);
	tcase_add_test(tests, policies_meet_the_same_arrivals);
	tcase_add_test(tests, figures_of_the_runs);
	tcase_add_test(tests, any_number_of_workers_gives_the_same);
	tcase_add_test(tests, bounds_and_regret);
	tcase_add_test(tests, wrong_configs_come_before_the_first_run);
	tcase_add_test(tests, an_interrupt_says_what_was_done);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
