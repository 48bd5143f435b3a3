/* Agents that drive runs: what they see and do is what the environment shows, recorded as it was.
 */
#include "rl/agent_driver.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "record/reader.h"
#include "rl/agent.h"
#include "rl/env.h"
#include "run/run.h"
#include "run/simulate.h"
#include "run/verify.h"
#include "study/replication.h"
#include "support/agent_files.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define WORKLOAD                                                                                   \
	"workload={\"count\": 1500, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 6},"               \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 60,"   \
	" \"sigma\": 1.2, \"maximum\": 900}}}"
#define JOINT "{\"decision_interval\": 5, \"action\": {\"dead_zone\": 0.1}}"
#define RESIDUAL                                                                                   \
	"{\"decision_interval\": 6, \"action\": {\"kind\": \"residual\", \"rule_interval\": 2,"        \
	" \"rule\": [{\"kind\": \"random\"}, {\"kind\": \"hpa\", \"pool\": \"token\"}]}}"

static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, NULL};
static const char *const elastic[] = {WORKLOAD,
                                      "servers=dgx-h100:3,dgx-a100:3",
                                      "pools=prompt:dgx-h100,token:dgx-a100",
                                      "scheduler.kind=mixed_pool",
                                      "scaling.max_total_instances=12",
                                      "scaling.scale_up_delay=7",
                                      "family.seed=3"};
enum { SETS = sizeof elastic / sizeof *elastic };

static const weir_config *config_with(const char *more)
{
	return test_config(TEST_PARITY_CONFIG, elastic[0], elastic[1], elastic[2], elastic[3],
	                   elastic[4], elastic[5], elastic[6], more, NULL);
}

static weir_agent_driver *driver_of(const weir_agent_driver_options *options,
                                    const weir_config *config)
{
	weir_agent_driver *driver = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_agent_driver_create(options, config, &driver, &error), &error);
	return driver;
}

static void run_with(const weir_config *config, const weir_agent_driver *driver, const char *path)
{
	weir_run_options options = weir_run_options_default();
	options.output = path;
	options.driver = weir_agent_driver_run(driver);
	weir_run_result result;
	weir_error error = {0};
	ck_assert_ok(weir_run(config, &options, &result, &error), &error);
	weir_verify_report report;
	ck_assert_ok(weir_verify(path, &report, &error), &error);
	ck_assert_uint_eq(report.failed, 0);
}

/* Runs `config` with agents in the files of `list`, separated by blanks, into `path`. */
static void run_agents(const weir_config *config, const char *list, bool sampled, const char *path)
{
	char own[2048];
	const char *paths[4];
	size_t count = 0;
	snprintf(own, sizeof own, "%s", list);
	for (char *name = strtok(own, " "); name != NULL; name = strtok(NULL, " ")) {
		paths[count++] = name;
	}
	const weir_agent_driver_options options = {.paths = paths, .count = count, .sampled = sampled};
	weir_agent_driver *driver = driver_of(&options, config);
	run_with(config, driver, path);
	weir_agent_driver_destroy(driver);
}

static double *column(const char *path, const char *name, size_t *count)
{
	return test_recorded_column(path, "decisions", name, count);
}

/* ---- as the environment has it ---- */

/* The rewards of an episode of the environment that plays the same run with the same agent. */
static double *rewards_of_environment(const char *config, const char *task, const char *agent_path,
                                      size_t *count)
{
	char parameters[4096];
	snprintf(parameters, sizeof parameters,
	         "{\"configs\": [{\"path\": \"%s\"}], \"window\": 0, \"start\": 0, %s", config,
	         task + 1);
	weir_env *env = NULL;
	weir_agent *agent = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_env_create("scaling", parameters, "test", &env, &error), &error);
	ck_assert_ok(weir_agent_load(agent_path, &agent, &error), &error);
	weir_agent_user *user = weir_agent_user_create(agent);
	float *seen = calloc(env->observation.size, sizeof *seen);
	float raw[3], action[3], value;
	const weir_env_start start = {.evaluation = true, .episode = 0};
	ck_assert_ok(weir_env_reset(env, &start, seen, &error), &error);
	double *rewards = NULL;
	weir_env_outcome outcome = {0};
	for (*count = 0; !outcome.terminated && !outcome.truncated; (*count)++) {
		weir_agent_act(user, seen, NULL, NULL, raw, action, &value);
		ck_assert_ok(weir_env_step(env, action, seen, &outcome, &error), &error);
		rewards = realloc(rewards, (*count + 1) * sizeof *rewards);
		rewards[*count] = outcome.reward;
	}
	free(seen);
	weir_agent_user_destroy(user);
	weir_agent_destroy(agent);
	weir_env_close(env);
	return rewards;
}

START_TEST(a_run_is_an_episode)
{
	static const char *const tasks[] = {JOINT, RESIDUAL};
	const char *agent = test_path("joint.h5");
	const char *path = test_path("run.h5");
	const char *file = test_path("config.json");
	test_scaling_agent(agent, tasks[_i], 4);
	const weir_document_options options = {
	    .path = TEST_PARITY_CONFIG, .directories = directories, .sets = elastic, .set_count = SETS};
	const weir_config *config = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_config_load_member(&options, 0, &config, &error), &error);
	run_agents(config, agent, false, path);
	weir_config_destroy(config);

	config = config_with("seed=1");
	char *text = weir_config_print(config);
	test_write_file(file, text);
	free(text);
	weir_config_destroy(config);
	size_t steps, rows;
	double *expected = rewards_of_environment(file, tasks[_i], agent, &steps);
	double *rewards = column(path, "reward", &rows);
	ck_assert_uint_gt(steps, 30);
	ck_assert_uint_eq(rows, steps + 1);
	ck_assert(isnan(rewards[0]));
	double sum = 0;
	for (size_t i = 0; i < steps; i++) {
		ck_assert_msg(rewards[i + 1] == expected[i],
		              "step %zu: %.17g in the run, %.17g in the "
		              "environment",
		              i, rewards[i + 1], expected[i]);
		sum += fabs(expected[i] - expected[0]);
	}
	ck_assert_double_gt(sum, 0.1);
	ck_assert_double_gt(test_recorded_total(path, "scale_operations"), 10);
	free(expected);
	free(rewards);
}
END_TEST

/* ---- what is recorded ---- */

static void check_terms(const char *path, size_t rows)
{
	static const char *const terms[] = {"reward_cost", "reward_slo", "reward_switch",
	                                    "reward_util"};
	size_t count;
	double *sum = calloc(rows, sizeof *sum);
	for (size_t t = 0; t < 4; t++) {
		double *values = column(path, terms[t], &count);
		for (size_t i = 0; i < rows; i++) {
			sum[i] += values[i];
		}
		free(values);
	}
	double *reward = column(path, "reward", &count);
	for (size_t i = 1; i < rows; i++) {
		ck_assert_double_eq_tol(sum[i], reward[i], 1e-12);
	}
	free(sum);
	free(reward);
}

/* What each decision did to a pool is what the operations of that time add up to. */
static void check_done(const char *path, size_t rows)
{
	size_t events, count;
	double *times = test_recorded_column(path, "scaling_events", "time", &events);
	double *actions = test_recorded_column(path, "scaling_events", "action", &events);
	double *pools = test_recorded_column(path, "scaling_events", "pool", &events);
	double *made = test_recorded_column(path, "scaling_events", "done", &events);
	double *time = column(path, "time", &count);
	double *done = column(path, "done_prompt", &count);
	double *asked = column(path, "asked_prompt", &count);
	double *cut = column(path, "cut_prompt", &count);
	double *limit = column(path, "limit_prompt", &count);
	double *migrated = column(path, "done_migrate", &count);
	size_t changes = 0, cuts = 0;
	for (size_t i = 0; i + 1 < rows; i++) {
		double resized = 0, moved = 0;
		for (size_t e = 0; e < events; e++) {
			if (times[e] != time[i]) {
				continue;
			}
			if (actions[e] == WEIR_SCALING_RESIZE && pools[e] == WEIR_TAG_PROMPT) {
				resized += made[e];
			} else if (actions[e] == WEIR_SCALING_MIGRATE) {
				moved += pools[e] == WEIR_TAG_PROMPT ? made[e] : -made[e];
			}
		}
		ck_assert_double_eq(done[i], resized);
		ck_assert_double_eq(migrated[i], moved);
		ck_assert_double_eq(asked[i] - cut[i], done[i]);
		ck_assert((cut[i] != 0) == (limit[i] != WEIR_REFUSED_NONE));
		changes += done[i] != 0;
		cuts += cut[i] != 0;
	}
	ck_assert_uint_gt(changes, 5);
	ck_assert_uint_gt(cuts, 2);
	double *columns[] = {times, actions, pools, made, time, done, asked, cut, limit, migrated};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		free(columns[i]);
	}
}

static void check_text(const char *path, const char *agent)
{
	weir_reader *reader = NULL;
	weir_error error = {0};
	char *text = NULL;
	char sum[WEIR_SHA256_TEXT_SIZE];
	ck_assert_ok(weir_reader_open(path, &reader, &error), &error);
	ck_assert_ok(weir_reader_document(reader, "/agent", &text, &error), &error);
	weir_reader_close(reader);
	ck_assert_ok(weir_sha256_file(agent, sum, &error), &error);
	cJSON *json = cJSON_Parse(text);
	const cJSON *one = cJSON_GetObjectItem(json, "agents")->child;
	ck_assert_str_eq(cJSON_GetObjectItem(one, "sha256")->valuestring, sum);
	ck_assert_str_eq(cJSON_GetObjectItem(one, "actions")->valuestring, "drawn");
	ck_assert_double_eq(
	    cJSON_GetObjectItem(cJSON_GetObjectItem(one, "task"), "decision_interval")->valuedouble, 5);
	ck_assert_ptr_nonnull(cJSON_GetObjectItem(cJSON_GetObjectItem(one, "origin"), "training"));
	cJSON_Delete(json);
	free(text);
}

START_TEST(every_decision_has_its_row)
{
	const char *agent = test_path("rows.h5");
	const char *path = test_path("rows_run.h5");
	test_scaling_agent(agent, JOINT, 4);
	const weir_config *config = config_with("seed=5");
	run_agents(config, agent, true, path);
	weir_config_destroy(config);
	size_t rows;
	double *time = column(path, "time", &rows);
	double *decision = column(path, "decision", &rows);
	double *size = column(path, "state_active_prompt", &rows);
	double *raw = column(path, "raw_prompt", &rows);
	double *check = column(path, "check_action", &rows);
	double last_arrival = test_recorded_total(path, "last_arrival");
	/* The last decision is the first one that finds no arrival to come. */
	ck_assert_uint_eq(rows, (size_t)(last_arrival / 5) + 3);
	for (size_t i = 0; i + 1 < rows; i++) {
		ck_assert_double_eq(time[i], 5.0 * (double)i);
		ck_assert_double_eq(decision[i], (double)i + 1);
		ck_assert(size[i] >= 0 && size[i] <= 1);
		ck_assert(isfinite(raw[i]));
		ck_assert_double_eq(check[i], 1);
	}
	ck_assert_double_eq(time[rows - 1], test_recorded_total(path, "end_time"));
	ck_assert_double_eq(decision[rows - 1], 0);
	ck_assert(isnan(raw[rows - 1]));
	ck_assert_double_eq_tol(size[0], 3.0 / 12, 1e-6);
	check_terms(path, rows);
	check_done(path, rows);
	check_text(path, agent);
	free(time);
	free(decision);
	free(size);
	free(raw);
	free(check);
}
END_TEST

START_TEST(delayed_decisions_say_what_was_asked)
{
	const char *agent = test_path("delayed.h5");
	const char *path = test_path("delayed_run.h5");
	test_scaling_agent(agent, JOINT, 4);
	const weir_config *config = config_with("control.decision_delay=2");
	run_agents(config, agent, true, path);
	weir_config_destroy(config);
	size_t rows;
	double *asked = column(path, "asked_prompt", &rows);
	double *done = column(path, "done_prompt", &rows);
	double *check = column(path, "check_action", &rows);
	size_t wanted = 0;
	for (size_t i = 0; i + 1 < rows; i++) {
		wanted += asked[i] != 0;
		ck_assert(asked[i] == 0 || isnan(done[i]));
		ck_assert_double_eq(check[i], 1);
	}
	ck_assert_uint_gt(wanted, 5);
	free(asked);
	free(done);
	free(check);
}
END_TEST

/* ---- the same again, and otherwise ---- */

START_TEST(runs_repeat)
{
	const char *agent = test_path("again.h5");
	test_scaling_agent(agent, JOINT, 4);
	const weir_config *config = config_with("seed=5");
	const weir_config *other = config_with("seed=6");
	char digests[4][40];
	for (int i = 0; i < 4; i++) {
		const char *path = test_path("again_run.h5");
		run_agents(i == 3 ? other : config, agent, i >= 1, path);
		snprintf(digests[i], sizeof digests[i], "%s", test_digest(path));
	}
	ck_assert_str_ne(digests[0], digests[1]); /* drawn */
	ck_assert_str_eq(digests[1], digests[2]);
	ck_assert_str_ne(digests[1], digests[3]);
	weir_config_destroy(config);
	weir_config_destroy(other);
}
END_TEST

/* One driver, one run after another, in this process and in workers. */
START_TEST(replications_do_not_depend_on_the_runs_before)
{
	enum { RUNS = 4 };
	const char *agent = test_path("replications.h5");
	test_scaling_agent(agent, JOINT, 4);
	const weir_config *config = config_with("seed=1");
	const weir_agent_driver_options options = {.paths = &agent, .count = 1, .sampled = true};
	weir_agent_driver *driver = driver_of(&options, config);
	weir_config_destroy(config); /* of no more use */
	weir_replication runs[RUNS];
	weir_replication_result *alone = calloc(RUNS, sizeof *alone);
	weir_replication_result *pooled = calloc(RUNS, sizeof *pooled);
	weir_error errors[RUNS], error = {0};
	for (size_t r = 0; r < RUNS; r++) {
		runs[r] = (weir_replication){.config = {.path = TEST_PARITY_CONFIG,
		                                        .directories = directories,
		                                        .sets = elastic,
		                                        .set_count = SETS},
		                             .scenario = "poisson",
		                             .policy = "agent",
		                             .number = r,
		                             .until = (double)INFINITY,
		                             .driver = weir_agent_driver_run(driver)};
	}
	for (size_t r = RUNS; r-- > 0;) {
		ck_assert_ok(weir_replication_run(&runs[r], &alone[r], &error), &error);
		ck_assert_double_gt(alone[r].run.summary.totals.scale_operations, 10);
	}
	for (size_t workers = 1; workers <= 3; workers += 2) {
		const weir_pool_options pool = {.workers = workers};
		memset(pooled, 0, RUNS * sizeof *pooled);
		ck_assert_ok(weir_replications_run(runs, RUNS, &pool, pooled, errors, &error), &error);
		ck_assert_mem_eq(alone, pooled, RUNS * sizeof *pooled);
	}
	free(alone);
	free(pooled);
	weir_agent_driver_destroy(driver);
}
END_TEST

START_TEST(agents_share_a_cluster_with_each_other_and_with_policies)
{
	const char *prompt = test_path("prompt.h5");
	const char *token = test_path("token.h5");
	const char *path = test_path("shared.h5");
	test_scaling_agent(prompt, "{\"mode\": \"prompt\", \"decision_interval\": 4}", 1);
	test_scaling_agent(token, "{\"mode\": \"token\", \"decision_interval\": 6}", 2);
	char both[1200];
	snprintf(both, sizeof both, "%s %s", prompt, token);
	/* What the config has for both pools stands back; then it has the token pool. */
	const weir_config *config = config_with("policies=[{\"kind\": \"random\", \"interval\": 1}]");
	for (int with_policy = 0; with_policy < 2; with_policy++) {
		run_agents(config, with_policy ? prompt : both, true, path);
		size_t rows, events;
		double *agent = column(path, "agent", &rows);
		double *time = column(path, "time", &rows);
		double *asked = column(path, "asked_prompt", &rows);
		size_t of[2] = {0};
		for (size_t i = 0; i + 1 < rows; i++) {
			of[(int)agent[i]]++;
			ck_assert(agent[i] == 0 || isnan(asked[i]));
			ck_assert(time[i] <= time[i + 1]);
		}
		ck_assert_uint_gt(of[0], 20);
		ck_assert((of[1] > 20) == !with_policy);
		double *times = test_recorded_column(path, "scaling_events", "time", &events);
		double *actions = test_recorded_column(path, "scaling_events", "action", &events);
		double *pools = test_recorded_column(path, "scaling_events", "pool", &events);
		size_t odd = 0, resized[WEIR_TAG_COUNT] = {0};
		for (size_t e = 0; e < events; e++) {
			if (actions[e] == WEIR_SCALING_RESIZE) {
				resized[(int)pools[e]]++;
				odd += pools[e] == WEIR_TAG_TOKEN && fmod(times[e], 6) != 0;
				ck_assert(pools[e] == WEIR_TAG_TOKEN || fmod(times[e], 4) == 0);
			}
		}
		ck_assert_uint_gt(resized[WEIR_TAG_PROMPT], 5);
		ck_assert_uint_gt(resized[WEIR_TAG_TOKEN], 5);
		ck_assert((odd > 0) == with_policy);
		double *columns[] = {agent, time, asked, times, actions, pools};
		for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
			free(columns[i]);
		}
	}
	weir_config_destroy(config);
}
END_TEST

/* ---- learning ---- */

static void digest_of_file(const char *path, char *text)
{
	weir_error error = {0};
	ck_assert_ok(weir_sha256_file(path, text, &error), &error);
}

START_TEST(agents_learn_as_they_act)
{
	const char *agent = test_path("pupil.h5");
	const char *path = test_path("learned_run.h5");
	const char *saved = test_path("learned.h5");
	test_scaling_agent(agent, JOINT, 4);
	const weir_config *config = config_with("seed=5");
	const weir_agent_driver_options options = {
	    .paths = &agent, .count = 1, .learns = true, .saved = &saved, .rollout = 12};
	weir_agent_driver *driver = driver_of(&options, config);
	char sums[3][WEIR_SHA256_TEXT_SIZE];
	digest_of_file(agent, sums[2]);
	char digest[40];
	for (int run = 0; run < 2; run++) {
		run_with(config, driver, path);
		digest_of_file(saved, sums[run]);
		ck_assert(run == 0 || strcmp(digest, test_digest(path)) == 0);
		snprintf(digest, sizeof digest, "%s", test_digest(path));
	}
	ck_assert_str_eq(sums[0], sums[1]);
	ck_assert_str_ne(sums[0], sums[2]);
	size_t updates, rows;
	double *steps = test_recorded_column(path, "training", "step", &updates);
	double *mean = test_recorded_column(path, "training", "reward_mean", &updates);
	double *reward = column(path, "reward", &rows);
	ck_assert_uint_eq(updates, (rows - 2) / 12);
	for (size_t u = 0; u < updates; u++) {
		ck_assert_double_eq(steps[u], 12.0 * (double)(u + 1));
		double sum = 0;
		for (size_t i = 12 * u + 1; i <= 12 * (u + 1); i++) {
			sum += reward[i];
		}
		ck_assert_double_eq_tol(mean[u], sum / 12, 1e-12);
	}
	free(steps);
	free(mean);
	free(reward);
	weir_agent_driver_destroy(driver);
	/* It can be used, and learn on, as any other. */
	weir_agent *learned = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_agent_load(saved, &learned, &error), &error);
	ck_assert_ptr_nonnull(strstr(learned->origin, sums[2]));
	ck_assert_ptr_nonnull(strstr(learned->origin, "\"n_steps\""));
	weir_agent_destroy(learned);
	const weir_agent_driver_options again = {.paths = &saved, .count = 1, .learns = true};
	driver = driver_of(&again, config);
	run_with(config, driver, path);
	free(test_recorded_column(path, "training", "step", &updates));
	ck_assert_uint_eq(updates, (rows - 2) / 16);
	weir_agent_driver_destroy(driver);
	weir_config_destroy(config);
}
END_TEST

/* ---- the log, and what is refused ---- */

static void keep_line(void *context, double time, const char *line)
{
	char *lines = context;
	size_t used = strlen(lines);
	snprintf(lines + used, 1000 - used, "%g %s\n", time, line);
}

START_TEST(every_hundredth_decision_is_logged)
{
	const char *agent = test_path("log.h5");
	test_scaling_agent(agent, "{\"decision_interval\": 1, \"action\": {\"dead_zone\": 0.999}}", 4);
	const weir_config *config = config_with("seed=5");
	char lines[1000] = "";
	const weir_agent_driver_options options = {
	    .paths = &agent, .count = 1, .log = keep_line, .context = lines};
	weir_agent_driver *driver = driver_of(&options, config);
	weir_simulate_options simulate = weir_simulate_options_default();
	simulate.driver = weir_agent_driver_run(driver);
	weir_simulate_result result;
	weir_error error = {0};
	ck_assert_ok(weir_simulate(config, &simulate, &result, &error), &error);
	ck_assert_int_eq(strncmp(lines, "99 Step: 100 | Reward: ", 23), 0);
	ck_assert_ptr_nonnull(strstr(lines, " | Active Instances: "));
	ck_assert_ptr_nonnull(strstr(lines, "\n199 Step: 200 | Reward: "));
	weir_agent_driver_destroy(driver);
	weir_config_destroy(config);
}
END_TEST

static void expect_refused(const weir_agent_driver_options *options, const weir_config *config,
                           const char *where, const char *message)
{
	weir_agent_driver *driver = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_agent_driver_create(options, config, &driver, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strncmp(error.where, where, strlen(where)) == 0, "%s", error.where);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s", error.message);
	ck_assert_ptr_null(driver);
}

/* As `from`, but for the environment's parameters. */
static void change_task(const char *from, const char *to, const char *task)
{
	weir_agent *agent = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_agent_load(from, &agent, &error), &error);
	free(agent->parameters);
	agent->parameters = strdup(task);
	ck_assert_ok(weir_agent_save(agent, to, &error), &error);
	weir_agent_destroy(agent);
}

START_TEST(agents_that_do_not_fit_are_refused)
{
	const char *joint = test_path("fit.h5"), *token = test_path("fit_token.h5");
	const char *cartpole = test_path("cartpole.h5"), *changed = test_path("changed.h5");
	test_scaling_agent(joint, JOINT, 4);
	test_scaling_agent(token, "{\"mode\": \"token\"}", 4);
	test_cartpole_agent(cartpole);
	const weir_config *config = config_with("seed=5");
	const char *paths[2] = {joint, token};
	weir_agent_driver_options options = {.paths = paths, .count = 2};
	expect_refused(&options, config, token, "acts on the pool of token instances, on which");
	options.count = 1;
	paths[0] = cartpole;
	expect_refused(&options, config, cartpole,
	               "an agent of the environment 'cartpole'; what drives a run is one of 'scaling'");
	paths[0] = changed;
	change_task(joint, changed, "{\"stack_size\": 3}");
	expect_refused(&options, config, changed, "observation");
	change_task(joint, changed, "{\"stack_sise\": 4}");
	expect_refused(&options, config, changed, "did you mean 'stack_size'");
	change_task(joint, changed, "{\"application\": \"chat\", \"action\": {\"dead_zone\": 0.1}}");
	expect_refused(&options, config, changed, "the application 'chat', which the config does not");
	weir_config_destroy(config);
	config = test_config(TEST_PARITY_CONFIG, WORKLOAD, "servers=dgx-h100:3", "pools=mixed:3",
	                     "scheduler.kind=token_jsq", NULL);
	paths[0] = token;
	expect_refused(&options, config, token, "the token pool, which the config does not have");
	/* One for all pools does with the one that there is. */
	run_agents(config, joint, true, test_path("mixed.h5"));
	size_t rows;
	double *asked = column(test_path("mixed.h5"), "asked_mixed", &rows);
	double sum = 0;
	for (size_t i = 0; i + 1 < rows; i++) {
		sum += fabs(asked[i]);
	}
	ck_assert_double_gt(sum, 5);
	free(asked);
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/agent_driver");
	TCase *tests = tcase_create("agent_driver");
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, a_run_is_an_episode, 0, 2);
	tcase_add_test(tests, every_decision_has_its_row);
	tcase_add_test(tests, delayed_decisions_say_what_was_asked);
	tcase_add_test(tests, runs_repeat);
	tcase_add_test(tests, replications_do_not_depend_on_the_runs_before);
	tcase_add_test(tests, agents_share_a_cluster_with_each_other_and_with_policies);
	tcase_add_test(tests, agents_learn_as_they_act);
	tcase_add_test(tests, every_hundredth_decision_is_logged);
	tcase_add_test(tests, agents_that_do_not_fit_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
