/* Which keys matter: files, and effects on runs. */
#include "study/sensitivity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "run/simulate.h"
#include "support/sweep_support.h"
#include "support/test_support.h"

#define SPACE                                                                                      \
	"\"space\": {\"base\": \"base.json\", \"replications\": 2, \"set\": {\"workload.count\": "     \
	"200}, \"axes\": ["                                                                            \
	"{\"path\": \"workload.arrivals.rate\", \"range\": {\"from\": 5, \"to\": 30}},"                \
	"{\"path\": \"servers\", \"values\": [\"dgx-h100:4\", \"dgx-a100:4\"]},"                       \
	"{\"path\": \"sampling.interval\", \"values\": [10, 20]}]}"

static weir_status load_file(const char *text, weir_sensitivity_file **file, weir_error *error)
{
	sweep_write_base();
	test_write_file(test_path("screening.json"), text);
	return weir_sensitivity_file_load(test_path("screening.json"), sweep_directories, file, error);
}

static char *find(const char *text, size_t workers, weir_sensitivity *result,
                  weir_sensitivity_file **file)
{
	weir_error error = {0};
	ck_assert_ok(load_file(text, file, &error), &error);
	const weir_pool_options options = {.workers = workers};
	ck_assert_ok(weir_sensitivity_find(*file, &options, result, &error), &error);
	char *table = weir_sensitivity_print(result, WEIR_TABLE_AS_CSV);
	ck_assert_ptr_nonnull(table);
	return table;
}

/* attainment, cost and p99 TTFT slowdown of a replication by itself, half of which is added */
static void run_alone(const weir_sensitivity_file *file, const char *rate, const char *servers,
                      uint64_t replication, double figures[3])
{
	char seed[48];
	snprintf(seed, sizeof seed, "seed=%llu",
	         (unsigned long long)weir_sweep_seed(&file->space, "", replication));
	const char *const sets[] = {"workload.count=200", rate, servers, seed};
	const weir_document_options options = {.path = test_path("base.json"),
	                                       .directories = sweep_directories,
	                                       .sets = sets,
	                                       .set_count = 4};
	const weir_config *config = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_config_load(&options, &config, &error), &error);
	const weir_simulate_options simulate = weir_simulate_options_default();
	weir_simulate_result run;
	ck_assert_ok(weir_simulate(config, &simulate, &run, &error), &error);
	figures[0] += 0.5 * run.summary.totals.attainment;
	figures[1] += 0.5 * run.summary.totals.cost_usd;
	figures[2] += 0.5 * run.summary.metrics[WEIR_SUMMARY_TTFT_SLOWDOWN].p99;
	weir_config_destroy(config);
}

START_TEST(one_at_a_time_is_the_difference_of_two_runs)
{
	weir_sensitivity result;
	weir_sensitivity_file *file = NULL;
	free(find("{" SPACE ", \"method\": \"one_at_a_time\"}", 2, &result, &file));
	ck_assert_uint_eq(result.runs, 4 * 2);
	double base[3] = {0};
	double changed[2][3] = {{0}};
	for (uint64_t r = 0; r < 2; r++) {
		run_alone(file, "workload.arrivals.rate=5", "servers=dgx-h100:4", r, base);
		run_alone(file, "workload.arrivals.rate=30", "servers=dgx-h100:4", r, changed[0]);
		run_alone(file, "workload.arrivals.rate=5", "servers=dgx-a100:4", r, changed[1]);
	}
	for (size_t f = 0; f < 3; f++) {
		for (size_t k = 0; k < 3; k++) {
			const weir_morris_effect *effect = &result.effects[f * WEIR_SENSITIVITY_FIGURES + k];
			/* Sampling changes nothing of these. */
			double expected = f < 2 ? changed[f][k] - base[k] : 0.0;
			ck_assert(f == 2 || fabs(expected) > 0.0);
			ck_assert_double_eq(effect->mu, expected);
			ck_assert_double_eq(effect->mu_star, fabs(expected));
			ck_assert(isnan(effect->sigma));
		}
	}
	weir_sensitivity_release(&result);
	weir_sensitivity_file_destroy(file);
}
END_TEST

START_TEST(screening_does_not_depend_on_workers)
{
	static const char text[] = "{" SPACE ", \"trajectories\": 5}";
	weir_sensitivity result;
	weir_sensitivity_file *file = NULL;
	char *one = find(text, 1, &result, &file);
	ck_assert_uint_eq(result.runs, 5 * 4 * 2);
	/* A rate that rises costs attainment, and what nobody looks at has no effect. */
	ck_assert_double_lt(result.effects[0].mu, 0.0);
	ck_assert_double_gt(result.effects[WEIR_SENSITIVITY_FIGURES].mu_star, 0.0);
	ck_assert_double_eq(result.effects[2 * WEIR_SENSITIVITY_FIGURES].mu_star, 0.0);
	weir_sensitivity_release(&result);
	weir_sensitivity_file_destroy(file);
	char *three = find(text, 3, &result, &file);
	ck_assert_str_eq(one, three);
	weir_sensitivity_release(&result);
	weir_sensitivity_file_destroy(file);
	free(one);
	free(three);
}
END_TEST

START_TEST(mistakes_are_refused)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"{\"space\": {\"base\": \"base.json\"}}", "screening.json", "at least one axis"},
	    {"{" SPACE ", \"levels\": 5}", "levels", "expected an even number, got 5"},
	    {"{" SPACE ", \"level\": 4}", "level", "did you mean 'levels'"},
	    {"{" SPACE ", \"method\": \"one_at_a_time\", \"levels\": 4}", "levels", "method"},
	    {"{\"space\": {\"base\": \"base.json\", \"axes\": [{\"path\": \"a\", \"values\": [1]},"
	     " {\"path\": \"b\", \"values\": [1, 2], \"when\": {\"a\": 1}}]}}",
	     "screening.json", "'b' has conditions"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_sensitivity_file *file = NULL;
		ck_assert_msg(load_file(cases[i].text, &file, &error) == WEIR_ERROR_INPUT,
		              "not refused: %s", cases[i].text);
		ck_assert_msg(strstr(error.where, cases[i].where) != NULL &&
		                  strstr(error.message, cases[i].message) != NULL,
		              "%s: %s", error.where, error.message);
	}
	weir_error error = {0};
	weir_sensitivity_file *file = NULL;
	weir_sensitivity result;
	ck_assert_ok(load_file("{\"space\": {\"base\": \"base.json\", \"axes\": [{\"path\": "
	                       "\"workload.cout\", \"values\": [1, 2]}]}}",
	                       &file, &error),
	             &error);
	const weir_pool_options options = {.workers = 1};
	ck_assert_int_eq(weir_sensitivity_find(file, &options, &result, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "workload.cout="));
	ck_assert_ptr_nonnull(strstr(error.message, "did you mean 'count'"));
	weir_sensitivity_file_destroy(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sensitivity");
	TCase *tests = tcase_create("effects");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, one_at_a_time_is_the_difference_of_two_runs);
	tcase_add_test(tests, screening_does_not_depend_on_workers);
	tcase_add_test(tests, mistakes_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
