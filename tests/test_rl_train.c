/* Trainings: what must be learned is, what must not is not, and whatever happens is told. */
#include "rl/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rl/agent.h"
#include "support/test_support.h"

enum { MOST_SETS = 12 };

static const weir_train_config *load(const char *text, const char *const *sets)
{
	size_t count = 0;
	while (sets != NULL && sets[count] != NULL) {
		count++;
	}
	const weir_document_options options = {
	    .path = "train.json", .text = text, .sets = sets, .set_count = count};
	weir_error error = {0};
	const weir_train_config *config;
	ck_assert_ok(weir_train_config_load(&options, &config, &error), &error);
	return config;
}

/* Trains into a directory of the test's. */
static weir_status train(const char *text, const char *const *sets, const char *directory,
                         weir_train_report *report, weir_error *error)
{
	const weir_train_config *config = load(text, sets);
	const weir_train_options options = {.directory = test_path(directory), .overwrite = true};
	weir_status status = weir_train(config, &options, report, error);
	weir_train_config_destroy(config);
	return status;
}

static weir_train_report train_well(const char *text, const char *const *sets,
                                    const char *directory)
{
	weir_error error = {0};
	weir_train_report report;
	ck_assert_ok(train(text, sets, directory, &report, &error), &error);
	return report;
}

static char *read_in(const char *directory, const char *name, size_t *size)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	return test_read_file(test_path(path), size);
}

/* --- what is learned ----------------------------------------------------------------------------
 */

static const char cartpole[] = "{\"environment\": {\"kind\": \"cartpole\"}, \"total_steps\": 60000,"
                               "\"evaluation\": {\"episodes\": 10, \"stop_at_reward\": 475}}";

START_TEST(cartpole_is_learned)
{
	char seed[32];
	snprintf(seed, sizeof seed, "seed=%d", _i + 1);
	const char *const sets[] = {seed, NULL};
	weir_train_report report = train_well(cartpole, sets, "cartpole");
	ck_assert_int_eq(report.end, WEIR_TRAIN_END_STOP_AT_REWARD);
	ck_assert_double_ge(report.last.mean_reward, 475);
	ck_assert_int_eq(report.last.steps, report.steps);
	ck_assert_uint_eq(report.parameters, 9155);
	ck_assert_uint_eq(report.parameters_changed, 9155);
}
END_TEST

static const char pendulum[] =
    "{\"environment\": {\"kind\": \"pendulum\"}, \"environments\": 4, \"total_steps\": 100000,"
    "\"ppo\": {\"learning_rate\": 1e-3, \"n_steps\": 1024, \"gamma\": 0.9},"
    "\"evaluation\": {\"interval\": 0, \"episodes\": 20}}";

START_TEST(the_pendulum_is_learned_unless_rewards_are_shuffled)
{
	const char *const shuffled[] = {"control=shuffled_rewards", NULL};
	weir_train_report report = train_well(pendulum, NULL, "pendulum");
	ck_assert_double_gt(report.last.mean_reward, -350);
	ck_assert_int_eq(report.evaluations, 1);
	ck_assert_int_eq(report.steps, 102400); /* whole rollouts */
	report = train_well(pendulum, shuffled, "pendulum");
	ck_assert_double_lt(report.last.mean_reward, -700);
}
END_TEST

static const char constrained[] =
    "{\"environment\": {\"kind\": \"probe_constrained\"}, \"environments\": 4,"
    "\"total_steps\": 60000, \"network\": {\"hidden\": [8]},"
    "\"ppo\": {\"n_steps\": 64, \"n_epochs\": 4, \"learning_rate\": 3e-3},"
    "\"adapt\": [{\"coefficient\": \"lambda\", \"term\": \"cost\", \"target\": 0.3, \"rate\": 0.1,"
    "\"maximum\": 10}]}";

START_TEST(a_multiplier_rises_until_the_target_is_met)
{
	weir_train_report report = train_well(constrained, NULL, "constrained");
	ck_assert_uint_eq(report.coefficients, 1);
	ck_assert_double_eq_tol(report.coefficient[0], 1.4, 0.05);
}
END_TEST

START_TEST(a_multiplier_keeps_within_its_bounds)
{
	const char *const high[] = {"adapt[0].maximum=0.5", "total_steps=10000", NULL};
	const char *const low[] = {"adapt[0].target=2", "adapt[0].minimum=0.25", "adapt[0].initial=0.5",
	                           "total_steps=10000", NULL};
	ck_assert_double_eq(train_well(constrained, high, "constrained").coefficient[0], 0.5);
	ck_assert_double_eq(train_well(constrained, low, "constrained").coefficient[0], 0.25);
}
END_TEST

/* --- when it ends
 * --------------------------------------------------------------------------------- */

static const char brief[] =
    "{\"environment\": {\"kind\": \"tutorial\"}, \"environments\": 2, \"total_steps\": 1000,"
    "\"network\": {\"hidden\": [8]}, \"ppo\": {\"n_steps\": 50, \"batch_size\": 25},"
    "\"evaluation\": {\"interval\": 200, \"episodes\": 4}}";

START_TEST(patience_ends_it)
{
	/* A learning rate of next to nothing: no evaluation is better than the first. */
	const char *const sets[] = {"evaluation.patience=2", "ppo.learning_rate=1e-12", NULL};
	weir_train_report report = train_well(brief, sets, "brief");
	ck_assert_int_eq(report.end, WEIR_TRAIN_END_PATIENCE);
	ck_assert_int_eq(report.steps, 600);
	ck_assert_int_eq(report.evaluations, 3);
	ck_assert_int_eq(report.best.steps, 200);
}
END_TEST

START_TEST(evaluations_come_with_the_rollout_in_which_they_are_due)
{
	const char *const sets[] = {"evaluation.interval=250", "total_steps=950", NULL};
	weir_train_report report = train_well(brief, sets, "brief");
	ck_assert_int_eq(report.end, WEIR_TRAIN_END_TOTAL_STEPS);
	ck_assert_int_eq(report.steps, 1000);
	ck_assert_int_eq(report.iterations, 10);
	ck_assert_int_eq(report.evaluations, 4); /* 300, 500, 800, 1000 */
	size_t size;
	char *csv = read_in("brief", "progress.csv", &size);
	int rows = 0;
	for (const char *line = strchr(csv, '\n'); line != NULL && line[1] != '\0';
	     line = strchr(line + 1, '\n')) {
		rows++;
	}
	ck_assert_int_eq(rows, 10);
	ck_assert_ptr_nonnull(strstr(csv, "rollout/ep_rew_mean,"));
	ck_assert_ptr_nonnull(strstr(csv, "rollout/ep_toil,"));
	ck_assert_ptr_nonnull(strstr(csv, "eval/mean_reward,"));
	free(csv);
	const char *const never[] = {"evaluation.episodes=0", NULL};
	report = train_well(brief, never, "brief");
	ck_assert_int_eq(report.evaluations, 0);
	ck_assert_int_eq(report.last.steps, -1);
	ck_assert_int_ne(access(test_path("brief/best.h5"), F_OK), 0);
}
END_TEST

START_TEST(schedules_fall_with_the_steps_that_are_done)
{
	const char *const sets[] = {"ppo.learning_rate_schedule=linear", "ppo.learning_rate=0.01",
	                            "total_steps=450", NULL};
	train_well(brief, sets, "schedule");
	size_t size;
	char *rows = read_in("schedule", "progress.jsonl", &size);
	/* Of 450 steps 100, 200, 300, 400 and 500 are done when the rollouts end. */
	double expected[] = {0.01 * (1 - 100.0 / 450), 0.01 * (1 - 200.0 / 450),
	                     0.01 * (1 - 300.0 / 450), 0.01 * (1 - 400.0 / 450), 0};
	const char *at = rows;
	for (int i = 0; i < 5; i++) {
		static const char name[] = "\"train/learning_rate\":";
		at = strstr(at, name);
		ck_assert_ptr_nonnull(at);
		at += sizeof name - 1;
		ck_assert_double_eq_tol(strtod(at, NULL), expected[i], 1e-9);
	}
	ck_assert_ptr_null(strstr(at, "train/learning_rate"));
	free(rows);
}
END_TEST

/* --- the same whatever it runs on
 * ------------------------------------------------------------------- */

START_TEST(threads_and_checkpoints_make_no_difference)
{
	static const char *const files[] = {"final.h5", "best.h5", "checkpoint.h5", "progress.csv",
	                                    "report.json"};
	static const char *const ways[][MOST_SETS] = {
	    {"environments=5", "normalise={}", NULL},
	    {"environments=5", "normalise={}", "threads=3", NULL},
	    {"environments=5", "normalise={}", "threads=2", "checkpoint.interval=1", NULL}};
	for (size_t way = 0; way < 3; way++) {
		char directory[32];
		snprintf(directory, sizeof directory, "way-%zu", way);
		train_well(brief, ways[way], directory);
		for (size_t i = 0; way > 0 && i < sizeof files / sizeof files[0]; i++) {
			size_t first_size, size;
			char *first = read_in("way-0", files[i], &first_size);
			char *now = read_in(directory, files[i], &size);
			ck_assert_msg(first_size == size && memcmp(first, now, size) == 0, "%s differs",
			              files[i]);
			free(first);
			free(now);
		}
	}
}
END_TEST

START_TEST(another_seed_gives_another_agent)
{
	const char *const sets[] = {"seed=2", NULL};
	train_well(brief, NULL, "one");
	train_well(brief, sets, "two");
	size_t one_size, two_size;
	char *one = read_in("one", "progress.csv", &one_size);
	char *two = read_in("two", "progress.csv", &two_size);
	ck_assert(one_size != two_size || memcmp(one, two, one_size) != 0);
	free(one);
	free(two);
}
END_TEST

/* --- checks
 * ------------------------------------------------------------------------------------------ */

START_TEST(checks_that_fail_are_counted_or_stop_it)
{
	const char *const counted[] = {"strict=false", "environment.probe_constrained.flawed_one_in=8",
	                               "total_steps=2048", NULL};
	const char *const strict[] = {"environment.probe_constrained.flawed_one_in=8",
	                              "total_steps=2048", NULL};
	weir_train_report report = train_well(constrained, counted, "flawed");
	ck_assert_int_gt(report.failed[WEIR_CHECK_REWARD], 2048 / 16);
	ck_assert_int_lt(report.failed[WEIR_CHECK_REWARD], 2048 / 4);
	ck_assert_int_eq(report.failed[WEIR_CHECK_ACTION], 0);
	ck_assert(report.checks & 1u << WEIR_CHECK_REWARD);
	ck_assert(!(report.checks & 1u << WEIR_CHECK_WORKLOAD));
	const weir_train_config *config = load(constrained, counted);
	char *text = weir_train_report_text(&report, config);
	char line[64];
	snprintf(line, sizeof line, "reward      %d of 2048 held",
	         2048 - (int)report.failed[WEIR_CHECK_REWARD]);
	ck_assert_msg(strstr(text, line) != NULL, "no '%s' in:\n%s", line, text);
	ck_assert_ptr_nonnull(strstr(text, "workload    does not apply"));
	free(text);
	weir_train_config_destroy(config);

	weir_error error = {0};
	ck_assert_int_eq(train(constrained, strict, "flawed", &report, &error), WEIR_ERROR_INTERNAL);
	ck_assert_msg(strstr(error.message, "its 2 terms sum to") != NULL, "%s", error.message);
	ck_assert_msg(strstr(error.message, "the checkpoint of 0 steps is kept") != NULL, "%s",
	              error.message);
	ck_assert_int_ne(access(test_path("flawed/final.h5"), F_OK), 0);
}
END_TEST

START_TEST(a_network_that_breaks_is_told_and_the_checkpoint_kept)
{
	const char *const sets[] = {"ppo.learning_rate=10", "ppo.max_grad_norm=1e30",
	                            "evaluation.episodes=0", NULL};
	weir_error error = {0};
	weir_train_report report;
	ck_assert_int_eq(train(pendulum, sets, "broken", &report, &error), WEIR_ERROR_INTERNAL);
	ck_assert_ptr_nonnull(strstr(error.where, "broken"));
	ck_assert_msg(strstr(error.message, "after 4096 steps: ") == error.message, "%s",
	              error.message);
	ck_assert_msg(strstr(error.message, "not finite") != NULL, "%s", error.message);
	ck_assert_msg(strstr(error.message, "of 0 steps is kept") != NULL, "%s", error.message);
	ck_assert_int_eq(access(test_path("broken/checkpoint.h5"), F_OK), 0);
}
END_TEST

static const struct {
	const char *set, *where, *message;
} unknown[] = {
    {"adapt[0].coefficient=lamda", "train.json: adapt[0].coefficient", "did you mean 'lambda'"},
    {"adapt[0].term=costs", "train.json: adapt[0].term", "did you mean 'cost'"},
    {"environment.kind=cartpole", "train.json: adapt[0].coefficient",
     "the environment cartpole has no coefficients"},
};

START_TEST(coefficients_and_terms_must_be_known)
{
	const char *const sets[] = {unknown[_i].set, NULL};
	weir_error error = {0};
	weir_train_report report;
	ck_assert_int_eq(train(constrained, sets, "unknown", &report, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, unknown[_i].where);
	ck_assert_msg(strstr(error.message, unknown[_i].message) != NULL, "%s", error.message);
	ck_assert_int_ne(access(test_path("unknown"), F_OK), 0); /* found out before anything */
}
END_TEST

/* --- what is left
 * ------------------------------------------------------------------------------------ */

START_TEST(agents_say_how_they_came_to_be)
{
	weir_error error = {0};
	train_well(brief, NULL, "origin");
	weir_agent *agent;
	ck_assert_ok(weir_agent_load(test_path("origin/final.h5"), &agent, &error), &error);
	ck_assert_str_eq(agent->environment, "tutorial");
	ck_assert_ptr_nonnull(strstr(agent->origin, "\"steps\": 1000"));
	ck_assert_ptr_nonnull(strstr(agent->origin, "\"n_steps\":\t50"));
	ck_assert_ptr_null(strchr(agent->origin, '/')); /* no file of this machine */
	weir_agent_destroy(agent);
	size_t size;
	char *report = read_in("origin", "report.json", &size);
	ck_assert_ptr_nonnull(strstr(report, "\"end\":\t\"total_steps\""));
	ck_assert_ptr_nonnull(strstr(report, "\"held\":\t1000"));
	free(report);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("rl_train");
	TCase *tests = tcase_create("train");
	tcase_set_timeout(tests, 280);
	tcase_add_loop_test(tests, cartpole_is_learned, 0, 3);
	tcase_add_test(tests, the_pendulum_is_learned_unless_rewards_are_shuffled);
	tcase_add_test(tests, a_multiplier_rises_until_the_target_is_met);
	tcase_add_test(tests, a_multiplier_keeps_within_its_bounds);
	tcase_add_test(tests, patience_ends_it);
	tcase_add_test(tests, evaluations_come_with_the_rollout_in_which_they_are_due);
	tcase_add_test(tests, schedules_fall_with_the_steps_that_are_done);
	tcase_add_test(tests, threads_and_checkpoints_make_no_difference);
	tcase_add_test(tests, another_seed_gives_another_agent);
	tcase_add_test(tests, checks_that_fail_are_counted_or_stop_it);
	tcase_add_test(tests, a_network_that_breaks_is_told_and_the_checkpoint_kept);
	tcase_add_loop_test(tests, coefficients_and_terms_must_be_known, 0,
	                    (int)(sizeof unknown / sizeof unknown[0]));
	tcase_add_test(tests, agents_say_how_they_came_to_be);
	suite_add_tcase(s, tests);
	return s;
}

int main(void)
{
	return test_main(suite());
}
