/* Plans: their files, runs that end early, and whole plans. */
#include "study/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/simulate.h"
#include "study/plan_run.h"
#include "support/sweep_support.h"
#include "support/test_support.h"

#define SPACE  "\"space\": {\"base\": \"base.json\", \"set\": {\"workload.count\": 300}"
#define SEARCH "\"search\": {\"path\": \"workload.arrivals.rate\", \"from\": 2, \"to\": 80}"

static weir_status load_plan(const char *text, weir_plan_file **file, weir_error *error)
{
	sweep_write_base();
	test_write_file(test_path("plan.json"), text);
	return weir_plan_file_load(test_path("plan.json"), sweep_directories, file, error);
}

START_TEST(files_are_read)
{
	weir_plan_file *file = NULL;
	weir_error error = {0};
	ck_assert_ok(load_plan("{" SPACE ", \"replications\": 3}, " SEARCH "}", &file, &error), &error);
	ck_assert_str_eq(file->space.base, test_path("base.json"));
	ck_assert_int_eq(file->space.replications, 3);
	ck_assert(isinf(file->space.until));
	ck_assert_int_eq(file->slo.kind, WEIR_PLAN_ATTAINMENT);
	ck_assert_uint_eq(file->slo.targets.count, 1);
	ck_assert_double_eq(*(const double *)file->slo.targets.items, 0.99);
	ck_assert_int_eq(file->search.goal, WEIR_PLAN_LARGEST);
	ck_assert_int_eq(file->halving.rungs, 4);
	weir_plan_file_destroy(file);
}
END_TEST

START_TEST(mistakes_are_refused)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"{" SPACE "}}", "plan.json", "nothing to search"},
	    {"{" SPACE ", \"axes\": [{\"path\": \"a\", \"range\": {\"from\": 1, \"to\": 2}}]}}",
	     "space.axes[0]", "needs a \"count\""},
	    {"{" SPACE "}, \"serch\": {}}", "serch", "did you mean 'search'"},
	    {"{" SPACE ", \"keep\": \"files\"}, " SEARCH "}", "space.keep", "unknown key"},
	    {"{" SPACE ", \"axes\": [{\"path\": \"seed\", \"values\": [1]}]}}", "space.axes[0]",
	     "cannot set the seed"},
	    {"{" SPACE "}, \"search\": {\"path\": \"a\", \"from\": 5, \"to\": 5}}", "search",
	     "expected from < to"},
	    {"{" SPACE "}, \"search\": {\"path\": \"a..b\", \"from\": 5, \"to\": 6}}", "search.path",
	     "expected a key path"},
	    {"{" SPACE "}, \"search\": {\"path\": \"a\", \"from\": 0.5, \"to\": 6, \"integer\": true}}",
	     "search", "expected whole numbers"},
	    {"{" SPACE "}, \"search\": {\"from\": 5, \"to\": 6}}", "search", "expected \"path\""},
	    {"{" SPACE ", \"axes\": [{\"path\": \"workload.arrivals.rate\", \"values\": [1]}]}, " SEARCH
	     "}",
	     "search", "set by an axis"},
	    {"{" SPACE "}, " SEARCH ", \"slo\": {\"targets\": [0.9, 0.9]}}", "slo.targets",
	     "each above the one before"},
	    {"{" SPACE "}, " SEARCH ", \"slo\": {\"targets\": []}}", "slo.targets", "at least one"},
	    {"{" SPACE "}, " SEARCH ", \"slo\": {\"targets\": [1]}}", "slo.targets", "below 1"},
	    {"{" SPACE "}, " SEARCH ", \"slo\": {\"kind\": \"percentiles\", \"targets\": [0.9]}}",
	     "slo.targets", "kind"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_plan_file *file = NULL;
		ck_assert_msg(load_plan(cases[i].text, &file, &error) == WEIR_ERROR_INPUT,
		              "not refused: %s", cases[i].text);
		ck_assert_ptr_null(file);
		ck_assert_msg(strstr(error.where, cases[i].where) != NULL &&
		                  strstr(error.message, cases[i].message) != NULL,
		              "%s: %s\n  has no '%s: %s'", error.where, error.message, cases[i].where,
		              cases[i].message);
	}
}
END_TEST

static const weir_config *load_base(double rate, int requests)
{
	sweep_write_base();
	char sets[2][64];
	snprintf(sets[0], sizeof sets[0], "workload.arrivals.rate=%g", rate);
	snprintf(sets[1], sizeof sets[1], "workload.count=%d", requests);
	const char *const list[] = {sets[0], sets[1]};
	const weir_document_options options = {.path = test_path("base.json"),
	                                       .directories = sweep_directories,
	                                       .sets = list,
	                                       .set_count = 2};
	const weir_config *config = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_config_load(&options, &config, &error), &error);
	return config;
}

static weir_plan_outcome run_until(const weir_config *config, int kind, double target, double share,
                                   double until)
{
	const weir_plan_run_options options = {
	    .kind = kind, .target = target, .until = until, .share = share, .slack = 2.0};
	weir_plan_outcome outcome;
	weir_error error = {0};
	ck_assert_ok(weir_plan_run(config, &options, &outcome, &error), &error);
	return outcome;
}

static weir_plan_outcome run_plan(const weir_config *config, int kind, double target, double share)
{
	return run_until(config, kind, target, share, (double)INFINITY);
}

/* Requests that a run leaves unfinished count as its summary says. */
START_TEST(runs_may_be_cut_off)
{
	int differ = 0;
	for (double rate = 10.0; rate < 80.0; rate *= 1.2) {
		const weir_config *config = load_base(rate, 1000);
		weir_simulate_options cut = weir_simulate_options_default();
		cut.until = 8.0;
		weir_simulate_result result;
		weir_error error = {0};
		ck_assert_ok(weir_simulate(config, &cut, &result, &error), &error);
		const weir_totals *totals = &result.summary.totals;
		for (double target = 0.2; target < 1.0; target += 0.05) {
			weir_plan_outcome outcome =
			    run_until(config, WEIR_PLAN_ATTAINMENT, target, 1.0, cut.until);
			ck_assert_int_eq(outcome.keeps, totals->attainment >= target);
			ck_assert_uint_eq(outcome.requests, (uint64_t)totals->arrived);
			differ += !outcome.keeps && !outcome.stopped;
		}
		weir_plan_outcome outcome =
		    run_until(config, WEIR_PLAN_PERCENTILES, (double)NAN, 1.0, cut.until);
		ck_assert_int_eq(outcome.keeps, totals->slo_met == 1.0);
		weir_config_destroy(config);
	}
	ck_assert_int_gt(differ, 0);
}
END_TEST

/* Runs that end early come to the verdict that they would have come to at their end. */
START_TEST(early_ends_change_no_verdict)
{
	static const double targets[] = {0.3, 0.8, 0.9, 0.99, 0.999};
	int kept[2] = {0};
	int stopped[2] = {0};
	for (double rate = 2.0; rate < 80.0; rate *= 1.25) {
		const weir_config *config = load_base(rate, 1000);
		const weir_simulate_options whole = weir_simulate_options_default();
		weir_simulate_result result;
		weir_error error = {0};
		ck_assert_ok(weir_simulate(config, &whole, &result, &error), &error);
		for (size_t t = 0; t < 6; t++) {
			bool attainment = t < 5;
			weir_plan_outcome outcome =
			    attainment ? run_plan(config, WEIR_PLAN_ATTAINMENT, targets[t], 1.0)
			               : run_plan(config, WEIR_PLAN_PERCENTILES, (double)NAN, 1.0);
			const weir_totals *totals = &result.summary.totals;
			ck_assert_int_eq(outcome.keeps, attainment ? totals->attainment >= targets[t]
			                                           : totals->slo_met == 1.0);
			ck_assert_uint_eq(outcome.requests, 1000);
			ck_assert(!outcome.stopped || isnan(outcome.attainment));
			ck_assert(outcome.stopped || outcome.attainment == totals->attainment);
			ck_assert(outcome.stopped || outcome.cost == totals->cost_usd);
			kept[attainment] += outcome.keeps;
			stopped[attainment] += outcome.stopped;
		}
		weir_config_destroy(config);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_gt(kept[i], 2);
		ck_assert_int_gt(stopped[i], 2);
	}
}
END_TEST

START_TEST(prefixes_have_their_share_and_slack)
{
	const weir_config *config = load_base(20.0, 1000);
	ck_assert_uint_eq(run_plan(config, WEIR_PLAN_ATTAINMENT, 0.5, 0.25).requests, 250);
	ck_assert_uint_eq(run_plan(config, WEIR_PLAN_ATTAINMENT, 0.5, 0.0011).requests, 2);
	/* Between one and two times the misses that a whole run may have. */
	double attainment = run_plan(config, WEIR_PLAN_ATTAINMENT, 0.001, 0.9).attainment;
	ck_assert_double_lt(attainment, 0.999);
	double missed = 1.0 - attainment;
	ck_assert(run_plan(config, WEIR_PLAN_ATTAINMENT, 1.0 - missed / 1.9, 0.9).keeps);
	ck_assert(!run_plan(config, WEIR_PLAN_ATTAINMENT, 1.0 - missed / 2.1, 0.9).keeps);
	weir_config_destroy(config);
}
END_TEST

START_TEST(fleets_have_a_price_and_a_power)
{
	const weir_config *config = load_base(20.0, 10);
	double price;
	double power;
	weir_plan_fleet(config, &price, &power);
	ck_assert_double_eq_tol(price, 4 * 38.08, 1e-9);
	ck_assert_double_eq_tol(power, 4 * 44.0, 1e-9);
	weir_config_destroy(config);
}
END_TEST

static char *carry_out(const char *text, size_t workers, weir_plan_result *result,
                       weir_plan_file **file)
{
	weir_error error = {0};
	ck_assert_ok(load_plan(text, file, &error), &error);
	const weir_pool_options options = {.workers = workers};
	ck_assert_ok(weir_plan_carry_out(*file, &options, result, &error), &error);
	char *table = weir_plan_print(result, WEIR_TABLE_AS_CSV);
	ck_assert_ptr_nonnull(table);
	return table;
}

static void expect_same(const char *text, size_t rankings, size_t answers, size_t least)
{
	weir_plan_result result;
	weir_plan_file *file = NULL;
	char *one = carry_out(text, 1, &result, &file);
	ck_assert_uint_eq(result.ranking_count, rankings);
	for (size_t i = 0; i < rankings; i++) {
		ck_assert_uint_eq(result.rankings[i].count, answers);
		for (size_t k = 0; k < answers; k++) {
			ck_assert(result.rankings[i].answers[k].verdict.keeps);
			ck_assert_uint_eq(result.rankings[i].answers[k].verdict.runs, 3);
			ck_assert_uint_ge(result.rankings[i].answers[k].verdict.kept, least);
		}
	}
	size_t runs = result.runs;
	weir_plan_release(&result);
	weir_plan_file_destroy(file);
	char *three = carry_out(text, 3, &result, &file);
	ck_assert_str_eq(one, three);
	ck_assert_uint_eq(runs, result.runs);
	weir_plan_release(&result);
	weir_plan_file_destroy(file);
	free(one);
	free(three);
}

START_TEST(workers_change_nothing)
{
	expect_same(
	    "{" SPACE ", \"replications\": 3, \"axes\": [{\"path\": \"scheduler.kind\", "
	    "\"values\": [\"jsq\", \"token_jsq\"]}]}, \"slo\": {\"targets\": [0.8, 0.95]}, " SEARCH "}",
	    2, 2, 3);
	expect_same("{" SPACE ", \"replications\": 3, \"axes\": [{\"path\": \"servers\", \"values\": "
	            "[\"dgx-h100:5\", \"dgx-a100:3\", \"dgx-a100:4\", \"dgx-a100:9\", \"dgx-h100:9\", "
	            "\"dgx-a100:20\", \"dgx-h100:3\"]}]},"
	            " \"slo\": {\"kind\": \"percentiles\", \"share\": 0.6}}",
	            1, 2, 2);
}
END_TEST

/* The fleet found keeps the target, and what is cheaper does not, each looked at by itself. */
START_TEST(the_cheapest_fleet_is_found)
{
	weir_plan_result result;
	weir_plan_file *file = NULL;
	free(carry_out(
	    "{" SPACE ", \"axes\": [{\"path\": \"servers\", \"values\": [\"dgx-h100:6\", "
	    "\"dgx-a100:1\", \"dgx-a100:4\", \"dgx-h100:1\", \"dgx-a100:12\", "
	    "\"dgx-h100:9\", \"dgx-a100:20\", \"dgx-h100:3\"]}]}, \"slo\": {\"targets\": [0.97]}}",
	    2, &result, &file));
	ck_assert_uint_eq(result.rankings[0].count, 2);
	const weir_plan_answer *best = result.rankings[0].answers;
	ck_assert_double_lt(best[0].verdict.price, best[1].verdict.price);
	size_t cheaper = 0;
	for (size_t p = 0; p < result.points.count; p++) {
		const weir_sweep_point *point = &result.points.items[p];
		weir_sweep_setup setup;
		weir_error error = {0};
		uint64_t seed = weir_sweep_seed(&file->space, "", 0);
		ck_assert_ok(weir_sweep_setup_load(&file->space, point, seed, NULL, &setup, &error),
		             &error);
		weir_plan_outcome outcome = run_plan(setup.config, WEIR_PLAN_ATTAINMENT, 0.97, 1.0);
		ck_assert(p != best[0].point || outcome.keeps);
		ck_assert(outcome.price >= best[0].verdict.price || !outcome.keeps);
		cheaper += outcome.price < best[0].verdict.price;
		weir_sweep_setup_release(&file->space, &setup);
	}
	ck_assert_uint_gt(cheaper, 0);
	weir_plan_release(&result);
	weir_plan_file_destroy(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tests = tcase_create("plans");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, files_are_read);
	tcase_add_test(tests, mistakes_are_refused);
	tcase_add_test(tests, runs_may_be_cut_off);
	tcase_add_test(tests, early_ends_change_no_verdict);
	tcase_add_test(tests, prefixes_have_their_share_and_slack);
	tcase_add_test(tests, fleets_have_a_price_and_a_power);
	tcase_add_test(tests, workers_change_nothing);
	tcase_add_test(tests, the_cheapest_fleet_is_found);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
