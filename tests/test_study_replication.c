/* Replications: common random numbers, and the same results from any number of processes. */
#include "study/replication.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define POISSON                                                                                    \
	"workload={\"count\": 400, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 12},"               \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 20,"   \
	" \"sigma\": 1.5, \"maximum\": 900}}}"

enum { POLICIES = 2, REPLICATIONS = 4, RUNS = POLICIES * REPLICATIONS };

static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};
static const char *const sets[POLICIES][3] = {{POISSON, "family.seed=9", "scheduler.kind=random"},
                                              {POISSON, "family.seed=9", "servers=dgx-h100:6"}};

static void make_runs(weir_replication runs[RUNS])
{
	for (size_t i = 0; i < RUNS; i++) {
		runs[i] = (weir_replication){
		    .config = {.path = TEST_PARITY_CONFIG,
		               .directories = directories,
		               .sets = sets[i / REPLICATIONS],
		               .set_count = 3},
		    .scenario = "poisson",
		    .policy = i < REPLICATIONS ? "random" : "more",
		    .number = i % REPLICATIONS,
		    .until = (double)INFINITY,
		};
	}
}

START_TEST(policies_meet_the_same_workload)
{
	weir_replication runs[RUNS];
	make_runs(runs);
	weir_replication_result results[RUNS];
	weir_error errors[RUNS];
	weir_error error = {0};
	const weir_pool_options options = {.workers = 2};
	ck_assert_ok(weir_replications_run(runs, RUNS, &options, results, errors, &error), &error);
	for (size_t i = 0; i < REPLICATIONS; i++) {
		const weir_replication_result *a = &results[i];
		const weir_replication_result *b = &results[i + REPLICATIONS];
		ck_assert_uint_eq(a->seed, weir_family_seed(&(weir_family){.seed = 9}, i));
		ck_assert_uint_eq(b->seed, a->seed);
		const weir_summary *x = &a->run.summary;
		const weir_summary *y = &b->run.summary;
		ck_assert_double_eq(x->totals.last_arrival, y->totals.last_arrival);
		ck_assert_double_eq_tol(x->metrics[WEIR_SUMMARY_PROMPT_TOKENS].mean,
		                        y->metrics[WEIR_SUMMARY_PROMPT_TOKENS].mean, 1e-9);
		ck_assert_double_ne(x->metrics[WEIR_SUMMARY_TTFT].mean, y->metrics[WEIR_SUMMARY_TTFT].mean);
		/* But another workload than the next replication. */
		if (i > 0) {
			ck_assert_double_ne(x->totals.last_arrival,
			                    results[i - 1].run.summary.totals.last_arrival);
		}
	}
}
END_TEST

/* Bit for bit; the results were zeroed, so that their padding is the same too. */
START_TEST(any_number_of_workers_gives_the_same)
{
	weir_replication runs[RUNS];
	make_runs(runs);
	weir_replication_result *alone = calloc(RUNS, sizeof *alone);
	weir_replication_result *pooled = calloc(RUNS, sizeof *pooled);
	weir_error errors[RUNS];
	weir_error error = {0};
	for (size_t i = 0; i < RUNS; i++) {
		ck_assert_ok(weir_replication_run(&runs[i], &alone[i], &error), &error);
	}
	for (size_t workers = 1; workers <= 4; workers++) {
		const weir_pool_options options = {.workers = workers};
		memset(pooled, 0, RUNS * sizeof *pooled);
		ck_assert_ok(weir_replications_run(runs, RUNS, &options, pooled, errors, &error), &error);
		ck_assert_mem_eq(alone, pooled, RUNS * sizeof *pooled);
	}
	free(alone);
	free(pooled);
}
END_TEST

/* A config that is loaded already, as its text. */
START_TEST(a_loaded_config)
{
	weir_replication runs[RUNS];
	make_runs(runs);
	weir_replication_result from_file;
	weir_replication_result from_text;
	weir_error error = {0};
	ck_assert_ok(weir_replication_run(&runs[0], &from_file, &error), &error);
	const weir_config *config = test_config(TEST_PARITY_CONFIG, POISSON, "family.seed=9",
	                                        "scheduler.kind=random", "seed=77", NULL);
	char *text = weir_config_print(config);
	weir_replication loaded = runs[0];
	loaded.config = (weir_document_options){.path = "loaded", .text = text};
	ck_assert_ok(weir_replication_run(&loaded, &from_text, &error), &error);
	ck_assert_double_eq(from_file.run.summary.metrics[WEIR_SUMMARY_E2E].mean,
	                    from_text.run.summary.metrics[WEIR_SUMMARY_E2E].mean);
	/* What was set before a seed stays. */
	weir_simulate_options options = weir_simulate_options_default();
	weir_simulate_result other;
	ck_assert_ok(weir_simulate(config, &options, &other, &error), &error);
	ck_assert_double_ne(other.summary.metrics[WEIR_SUMMARY_E2E].mean,
	                    from_file.run.summary.metrics[WEIR_SUMMARY_E2E].mean);
	free(text);
	weir_config_destroy(config);
}
END_TEST

/* Replication r takes the overrides of shape r mod n, and says which. */
START_TEST(shapes_take_turns)
{
	static const char *const shaped[] = {POISSON,
	                                     "family={\"seed\": 9, \"shapes\": [{\"servers\": "
	                                     "\"dgx-h100:6\"}, {\"servers\": \"dgx-h100:7\"}]}"};
	weir_error error = {0};
	for (uint64_t r = 0; r < 4; r++) {
		weir_replication_result result;
		const weir_replication run = {
		    .config = {.path = TEST_PARITY_CONFIG,
		               .directories = directories,
		               .sets = shaped,
		               .set_count = 2},
		    .number = r,
		    .until = (double)INFINITY,
		};
		ck_assert_ok(weir_replication_run(&run, &result, &error), &error);
		ck_assert_uint_eq(result.shape, r % 2);
		ck_assert_double_eq(result.run.summary.totals.instances, r % 2 == 0 ? 6.0 : 7.0);
		ck_assert_uint_eq(result.seed, weir_family_seed(&(weir_family){.seed = 9}, r));
	}
}
END_TEST

START_TEST(errors_name_the_run)
{
	weir_replication runs[RUNS];
	make_runs(runs);
	static const char *const wrong[] = {POISSON, "family.seed=9", "scheduler.kind=nothing"};
	runs[5].config.sets = wrong;
	weir_replication_result results[RUNS];
	weir_error errors[RUNS];
	weir_error error = {0};
	const weir_pool_options options = {.workers = 3};
	ck_assert_int_eq(weir_replications_run(runs, RUNS, &options, results, errors, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_msg(strncmp(error.message, "poisson, more, replication 1: ", 30) == 0, "%s",
	              error.message);
	ck_assert_ptr_nonnull(strstr(error.where, "scheduler.kind"));
	for (size_t i = 0; i < RUNS; i++) {
		ck_assert_int_eq(errors[i].status, i == 5 ? WEIR_ERROR_INPUT : WEIR_OK);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("study/replication");
	TCase *tests = tcase_create("replication");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, policies_meet_the_same_workload);
	tcase_add_test(tests, any_number_of_workers_gives_the_same);
	tcase_add_test(tests, a_loaded_config);
	tcase_add_test(tests, shapes_take_turns);
	tcase_add_test(tests, errors_name_the_run);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
