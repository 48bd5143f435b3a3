/* The order of the figures of every scenario: fluid bound, best known, policies. label: long */
#include <stdio.h>

#include "config/config.h"
#include "study/best_known.h"
#include "study/fluid_bound.h"
#include "support/test_support.h"

enum { POLICIES = 3, BUDGET = 10 };

static const char *const scenarios[] = {"azure_replay", "bursty", "diurnal",
                                        "flash_crowd",  "ramp",   "steady"};

static const weir_config *load(const char *path, const char *policy)
{
	static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};
	char set[100];
	snprintf(set, sizeof set, "policies=%s", policy);
	const char *sets[] = {set, "workload.duration=900"};
	const weir_document_options options = {
	    .path = path, .directories = directories, .sets = sets, .set_count = 2};
	const weir_config *config = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_config_load_member(&options, 0, &config, &error), &error);
	return config;
}

static void check_at(const weir_config *config, const weir_best_known *known, double attainment)
{
	const weir_totals *best =
	    &weir_best_known_result(known, weir_best_known_at(known, attainment))->summary.totals;
	weir_fluid_bound bound;
	weir_error error = {0};
	ck_assert_ok(weir_fluid_bound_compute(config, best->attainment, &bound, &error), &error);
	ck_assert_double_le(bound.cost_usd, best->cost_usd);
	ck_assert_double_gt(bound.cost_usd, 0.0);
}

START_TEST(bound_best_policy)
{
	static const char *const kinds[POLICIES] = {"reactive", "kpa", "static"};
	char path[600];
	snprintf(path, sizeof path, "%s/scenarios/%s.json", WEIR_CONFIG_DIRECTORY, scenarios[_i]);
	const weir_config *config = load(path, "never");
	const weir_config *of_policies[POLICIES];
	weir_known_policy policies[POLICIES];
	for (int p = 0; p < POLICIES; p++) {
		of_policies[p] = load(path, kinds[p]);
		policies[p] = (weir_known_policy){.config = of_policies[p]};
	}
	weir_best_known_options options = weir_best_known_options_default();
	options.policies = policies;
	options.policy_count = POLICIES;
	options.budget = BUDGET;
	weir_best_known *known = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_best_known_search(config, &options, &known, &error), &error);
	for (size_t p = 0; p < POLICIES; p++) {
		const weir_totals *own = &weir_best_known_result(known, p)->summary.totals;
		size_t best = weir_best_known_at(known, own->attainment);
		ck_assert_double_le(weir_best_known_result(known, best)->summary.totals.cost_usd,
		                    own->cost_usd);
		check_at(config, known, own->attainment);
	}
	check_at(config, known, 0.99);
	weir_best_known_destroy(known);
	for (int p = 0; p < POLICIES; p++) {
		weir_config_destroy(of_policies[p]);
	}
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bounds");
	TCase *tests = tcase_create("bounds");
	tcase_set_timeout(tests, 600);
	tcase_add_loop_test(tests, bound_best_policy, 0, (int)(sizeof scenarios / sizeof scenarios[0]));
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
