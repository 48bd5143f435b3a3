/* The environment `scaling`: episodes, windows, seeds, snapshots, strictness. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "rl/envs.h"
#include "rl/scaling_task.h"
#include "rl/vector.h"
#include "support/test_support.h"

enum { MOST_OBSERVED = 512, MOST_TERMS = 64, MOST_CHOICES = 64 };

/* Two small configs with families of their own; the second overloads a cluster of one pool. */
static const char pools_config[] =
    "{\"include\": \"scenarios/base/cluster.json\","
    " \"workload\": {\"duration\": 120, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 4}},"
    " \"servers\": \"dgx-a100:5\", \"pools\": \"prompt:3,token:2\","
    " \"scaling\": {\"max_total_instances\": 12},"
    " \"family\": {\"seed\": 5, \"shapes\": [{\"workload.arrivals.rate\": 4},"
    " {\"workload.arrivals.rate\": 6}]}}";
static const char single_config[] =
    "{\"include\": \"scenarios/base/cluster.json\","
    " \"workload\": {\"duration\": 100, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 5}},"
    " \"servers\": \"dgx-a100:2\", \"pools\": \"single\", \"scheduler\": {\"kind\": \"jsq\"}}";

/* An environment, the text of its parameters and what its last step gave. */
typedef struct stage {
	weir_env *env;
	weir_env_outcome outcome;
	float observation[MOST_OBSERVED];
	double terms[MOST_TERMS];
} stage;

static weir_error error;

static void setup(void)
{
	weir_error_clear(&error);
	test_write_file(test_path("pools.json"), pools_config);
	test_write_file(test_path("single.json"), single_config);
}

/* `more`: keys after `configs`, with ' for ". */
static const char *parameters_of(const char *configs, const char *more)
{
	static char text[2048];
	size_t length = 0;
	length += (size_t)snprintf(text, sizeof text, "{\"configs\": [");
	for (const char *c = configs; *c != '\0'; c++) {
		length +=
		    (size_t)snprintf(text + length, sizeof text - length,
		                     "%s{\"path\": \"%s\", \"reference_usd_per_hour\": 50}",
		                     c > configs ? "," : "", *c == 'p' ? "pools.json" : "single.json");
	}
	snprintf(text + length, sizeof text - length, "]%s%s}", more[0] != '\0' ? ", " : "", more);
	for (char *c = text; *c != '\0'; c++) {
		*c = *c == '\'' ? '"' : *c;
	}
	return text;
}

static weir_status try_stage(stage *s, const char *configs, const char *more)
{
	memset(s, 0, sizeof *s);
	/* The name is that of a file beside the configs. */
	return weir_env_create("scaling", parameters_of(configs, more), test_path("train.json"),
	                       &s->env, &error);
}

static void open_stage(stage *s, const char *configs, const char *more)
{
	ck_assert_ok(try_stage(s, configs, more), &error);
	ck_assert_uint_le(s->env->observation.size, MOST_OBSERVED);
	ck_assert_uint_le(s->env->term_count, MOST_TERMS);
}

static void begin(stage *s, uint64_t seed, int64_t episode)
{
	const weir_env_start start = {.seed = seed, .evaluation = episode >= 0, .episode = episode};
	ck_assert_ok(weir_env_reset(s->env, &start, s->observation, &error), &error);
	s->outcome = (weir_env_outcome){0};
}

static void step(stage *s, float a, float b, float c)
{
	const float action[3] = {a, b, c};
	ck_assert_ok(weir_env_step(s->env, action, s->observation, &s->outcome, &error), &error);
	ck_assert_uint_eq(s->outcome.failed, 0);
	weir_env_info(s->env, s->terms);
}

static bool over(const stage *s)
{
	return s->outcome.terminated || s->outcome.truncated;
}

static double term(const stage *s, const char *name)
{
	for (size_t i = 0; i < s->env->term_count; i++) {
		if (strcmp(s->env->terms[i].name, name) == 0) {
			return s->terms[i];
		}
	}
	ck_abort_msg("no term %s", name);
}

/* A window of 50 s is five steps, truncated; a whole run as many as the trace has intervals, and
 * one that drains. */
START_TEST(windows)
{
	stage s;
	open_stage(&s, "p", "'window': 50");
	begin(&s, 1, -1);
	for (int i = 1; i <= 5; i++) {
		ck_assert(!over(&s));
		step(&s, 0, 0, 0);
		ck_assert_double_eq(term(&s, "time"), 10 * i);
		ck_assert_double_eq(term(&s, "interval"), 10);
		ck_assert_uint_eq(s.outcome.step, (uint64_t)i);
	}
	ck_assert(s.outcome.truncated && !s.outcome.terminated);
	weir_env_close(s.env);
	open_stage(&s, "p", "");
	begin(&s, 1, -1);
	double arrived = 0, completed = 0;
	int steps = 0;
	for (; !over(&s); steps++) {
		step(&s, 0, 0, 0);
		arrived += term(&s, "arrived");
		completed += term(&s, "completed");
	}
	ck_assert_int_eq(steps, 12 + 1);
	ck_assert(s.outcome.truncated);
	ck_assert_double_gt(arrived, 300);
	ck_assert_double_eq(arrived, completed);
	ck_assert_double_eq(term(&s, "in_system"), 0);
	weir_env_close(s.env);
}
END_TEST

/* A window that begins later has the fleet of the start, and the history of its last looks. */
START_TEST(starts)
{
	stage s;
	open_stage(&s, "p", "'window': 30, 'start': 55");
	begin(&s, 1, -1);
	ck_assert_double_gt((double)s.observation[0], 0); /* arrivals of the oldest snapshot */
	step(&s, 1, 0, 0);
	ck_assert_double_eq(term(&s, "time"), 70);
	ck_assert_double_eq(term(&s, "interval"), 10);
	ck_assert_double_eq(term(&s, "size_prompt"), 8);
	ck_assert_uint_eq(s.outcome.step, 1);
	step(&s, 0, 0, 0);
	step(&s, 0, 0, 0);
	ck_assert(s.outcome.truncated);
	weir_env_close(s.env);
	open_stage(&s, "p", "'window': 30, 'start': 'random', 'latest_start': 80");
	bool seen[9] = {false};
	for (uint64_t seed = 0; seed < 40; seed++) {
		begin(&s, seed, -1);
		step(&s, 0, 0, 0);
		double at = term(&s, "time") - 10;
		ck_assert(at >= 0 && at <= 80 && fmod(at, 10) == 0);
		seen[(int)(at / 10)] = true;
	}
	for (int i = 1; i < 9; i++) {
		ck_assert_msg(seen[i], "never began at %d s", 10 * i);
	}
	weir_env_close(s.env);
	/* Later than the run is long. */
	open_stage(&s, "p", "'start': 500");
	const weir_env_start start = weir_env_start_default(1);
	ck_assert_int_eq(weir_env_reset(s.env, &start, s.observation, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "before the episode was to begin at 500 s"));
	weir_env_close(s.env);
}
END_TEST

/* Plays an episode; a number that depends on everything that was told. */
static uint64_t play(stage *s, int shift)
{
	uint64_t sum = weir_action_checksum(s->observation, s->env->observation.size);
	for (int i = 0; !over(s); i++) {
		static const float numbers[] = {0.7F, -0.6F, 0, 1, -1, 0.45F, -0.45F};
		step(s, numbers[(i + shift) % 7], numbers[(i * 2) % 7], numbers[(i * 3) % 7]);
		sum = 31 * sum + weir_action_checksum(s->observation, s->env->observation.size);
		sum = 31 * sum + weir_action_checksum((float *)s->terms, 2 * s->env->term_count);
		sum = 31 * sum + weir_action_checksum((float *)&s->outcome.reward, 2);
	}
	return sum;
}

START_TEST(seeds)
{
	stage s, t;
	open_stage(&s, "ps", "'window': 60");
	open_stage(&t, "ps", "'window': 60");
	uint64_t sums[6];
	for (uint64_t seed = 0; seed < 6; seed++) {
		begin(&s, seed, -1);
		begin(&t, seed, -1);
		sums[seed] = play(&s, 0);
		ck_assert_uint_eq(play(&t, 0), sums[seed]);
		for (uint64_t other = 0; other < seed; other++) {
			ck_assert_uint_ne(sums[seed], sums[other]);
		}
	}
	begin(&s, 3, -1);
	ck_assert_uint_eq(play(&s, 0), sums[3]);
	begin(&s, 3, -1);
	ck_assert_uint_ne(play(&s, 1), sums[3]); /* other actions */
	weir_env_close(s.env);
	weir_env_close(t.env);
}
END_TEST

/* Requests that arrive in the first 60 s of fixed episode k. */
static double arrivals_of(stage *s, int64_t episode, uint64_t seed)
{
	double arrived = 0;
	begin(s, seed, episode);
	while (!over(s)) {
		step(s, 0, 0, 0);
		arrived += term(s, "arrived");
	}
	return arrived;
}

/* Episode k is config k mod n, replication k div n, whatever the seed. */
START_TEST(fixed_episodes)
{
	stage both, pools, single;
	open_stage(&both, "ps", "'window': 60");
	open_stage(&pools, "p", "'window': 60");
	open_stage(&single, "s", "'window': 60");
	for (int64_t k = 0; k < 3; k++) {
		double of_pools = arrivals_of(&pools, k, 1), of_single = arrivals_of(&single, k, 2);
		ck_assert_double_eq(arrivals_of(&both, 2 * k, 3), of_pools);
		ck_assert_double_eq(arrivals_of(&both, 2 * k + 1, 4), of_single);
		ck_assert_double_ne(of_pools, of_single);
	}
	/* The second replication has the second shape: 6 a second. */
	ck_assert_double_lt(arrivals_of(&pools, 0, 1), 300);
	ck_assert_double_gt(arrivals_of(&pools, 1, 1), 300);
	weir_env_close(both.env);
	weir_env_close(pools.env);
	weir_env_close(single.env);
}
END_TEST

/* Taken back after it has gone on, after other episodes in other worlds, twice; and destroyed after
 * its environment. */
START_TEST(snapshots)
{
	stage s;
	open_stage(&s, "ps", "'reward': {'kind': 'constrained'}");
	weir_env_snapshot *before, *inside;
	ck_assert_ok(weir_env_save(s.env, &before, &error), &error);
	for (int64_t episode = 0; episode < 2; episode++) {
		begin(&s, 1, episode);
		for (int i = 0; i < 4; i++) {
			step(&s, 0.5F, -0.5F, 0);
		}
		ck_assert_ok(weir_env_save(s.env, &inside, &error), &error);
		float observation[MOST_OBSERVED];
		memcpy(observation, s.observation, sizeof observation);
		uint64_t sum = play(&s, 0);
		for (int64_t other = 0; other < 3; other++) {
			begin(&s, 1, 1 - episode + other);
			step(&s, 1, 1, 1);
			ck_assert_ok(weir_env_restore(s.env, inside, &error), &error);
			s.outcome = (weir_env_outcome){0};
			memcpy(s.observation, observation, sizeof observation);
			ck_assert_uint_eq(play(&s, 0), sum);
		}
		weir_env_snapshot_destroy(inside);
	}
	begin(&s, 1, 0);
	ck_assert_ok(weir_env_save(s.env, &inside, &error), &error);
	ck_assert_ok(weir_env_restore(s.env, before, &error), &error);
	const float action[3] = {0};
	ck_assert_int_eq(weir_env_step(s.env, action, s.observation, &s.outcome, &error),
	                 WEIR_ERROR_INPUT);
	weir_env_close(s.env);
	weir_env_snapshot_destroy(before);
	weir_env_snapshot_destroy(inside);
}
END_TEST

#define RESIDUAL                                                                                   \
	"'decision_interval': 15, 'action': {'kind': 'residual', 'rule_interval': 5, 'rule': "         \
	"[{'kind': 'random', 'random': {'step': 2}}]}"

/* Steps are the agent's: what the rule does in between is in them. */
START_TEST(corrected_rule)
{
	stage s;
	open_stage(&s, "p", RESIDUAL ", 'window': 60, 'start': 20");
	ck_assert_uint_eq(s.env->action.size, 2);
	begin(&s, 1, 0);
	double sizes[5] = {0};
	for (int i = 1; i <= 4; i++) {
		ck_assert(!over(&s));
		step(&s, i % 2 == 0 ? -0.5F : 0.5F, 0.25F, 0);
		ck_assert_double_eq(term(&s, "time"), 30 + 15 * i);
		ck_assert_double_eq(term(&s, "interval"), 15);
		ck_assert_uint_eq(s.outcome.step, (uint64_t)i);
		sizes[i] = term(&s, "size_prompt");
	}
	ck_assert(s.outcome.truncated);
	/* The rule alone, from then on. */
	begin(&s, 1, 0);
	bool otherwise = false;
	for (int i = 1; i <= 4; i++) {
		step(&s, 0, 0, 0);
		otherwise |= term(&s, "size_prompt") != sizes[i];
	}
	ck_assert(otherwise);
	weir_env_close(s.env);
	/* A whole run of it, and back. */
	open_stage(&s, "p", RESIDUAL);
	weir_env_snapshot *inside;
	begin(&s, 1, 0);
	step(&s, 1, 0, 0);
	step(&s, 0, -0.5F, 0);
	ck_assert_ok(weir_env_save(s.env, &inside, &error), &error);
	float observation[MOST_OBSERVED];
	memcpy(observation, s.observation, sizeof observation);
	uint64_t sum = play(&s, 0);
	begin(&s, 2, -1);
	ck_assert_ok(weir_env_restore(s.env, inside, &error), &error);
	s.outcome = (weir_env_outcome){0};
	memcpy(s.observation, observation, sizeof observation);
	ck_assert_uint_eq(play(&s, 0), sum);
	weir_env_snapshot_destroy(inside);
	weir_env_close(s.env);
	ck_assert_int_eq(try_stage(&s, "p",
	                           "'action': {'kind': 'residual', 'rule': [{'kind': 'hpa', 'pool': "
	                           "'mixed'}]}"),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message,
	                             "action.rule[0].pool: the rule is to size the mixed "
	                             "pool"));
	ck_assert_int_eq(try_stage(&s, "p",
	                           "'decision_interval': 12, 'action': {'kind': 'residual', "
	                           "'rule_interval': 5, 'rule': [{'kind': 'hpa'}]}"),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "no multiple of action.rule_interval"));
}
END_TEST

/* What is masked cannot be done, and what is not can: each choice of the first step is taken. */
START_TEST(masks)
{
	stage s;
	open_stage(&s, "p", "'action': {'kind': 'discrete', 'migrate_step': 2}");
	ck_assert_uint_eq(weir_space_choices(&s.env->action), 11 + 11 + 5);
	uint8_t mask[MOST_CHOICES];
	for (int dimension = 0; dimension < 3; dimension++) {
		int middle = dimension < 2 ? 5 : 2;
		for (int choice = 0; choice <= 2 * middle; choice++) {
			begin(&s, 1, 0);
			weir_env_mask(s.env, mask);
			float action[3] = {5, 5, 2};
			action[dimension] = (float)choice;
			step(&s, action[0], action[1], action[2]);
			double cut = term(&s, dimension == 0   ? "cut_prompt"
			                      : dimension == 1 ? "cut_token"
			                                       : "cut_migrate");
			ck_assert_int_eq(mask[11 * dimension + choice], cut == 0);
		}
	}
	/* At the most that there may be. */
	begin(&s, 1, 0);
	step(&s, 10, 7, 2);
	weir_env_mask(s.env, mask);
	for (int choice = 6; choice <= 10; choice++) {
		ck_assert_uint_eq(mask[choice], 0);
		ck_assert_uint_eq(mask[11 + choice], 0);
	}
	ck_assert_uint_eq(mask[5], 1);
	weir_env_close(s.env);
}
END_TEST

/* In a single-pool cluster the prompt dimension acts on the mixed pool, the others on nothing. */
START_TEST(single_pool)
{
	stage s;
	open_stage(&s, "s", "");
	begin(&s, 1, 0);
	step(&s, 1, 1, 1);
	ck_assert_double_eq(term(&s, "size_prompt"), 7);
	ck_assert_double_eq(term(&s, "done_prompt"), 5);
	ck_assert_double_eq(term(&s, "asked_token"), 0);
	ck_assert_double_eq(term(&s, "asked_migrate"), 0);
	weir_env_close(s.env);
}
END_TEST

/* Before anything is known of arrivals the demand is what there is; then it is followed. */
START_TEST(demand)
{
	stage s;
	open_stage(&s, "p",
	           "'action': {'kind': 'demand', 'instance_rate': {'prompt': 2, 'token': 1}, "
	           "'smoothing': 1}");
	begin(&s, 1, 0);
	step(&s, 0, 0, 0);
	ck_assert_double_eq(term(&s, "done_prompt"), 0);
	ck_assert_double_eq(term(&s, "done_token"), 0);
	double rate = term(&s, "arrived") / 10;
	step(&s, 0, 1, 0);
	ck_assert_double_eq(term(&s, "size_prompt"), ceil(rate / 2));
	ck_assert_double_eq(term(&s, "size_token"), ceil(rate * 2));
	weir_env_close(s.env);
}
END_TEST

START_TEST(coefficients_change)
{
	stage s;
	open_stage(&s, "s", "'reward': {'kind': 'constrained', 'lambda': 4}, 'window': 60");
	ck_assert_uint_eq(s.env->coefficient_count, 1);
	ck_assert_double_eq(s.env->coefficients[0], 4);
	double slo[2];
	ck_assert_str_eq(s.env->coefficient_names[0], "lambda");
	for (int i = 0; i < 2; i++) {
		ck_assert(weir_env_set_coefficient(s.env, "lambda", i == 0 ? 1 : 50));
		begin(&s, 1, 0);
		while (!over(&s)) {
			step(&s, 0, 0, 0);
		}
		slo[i] = term(&s, "reward_slo");
		/* Two instances at 17.68 USD an hour, of which 50 are the reference. */
		ck_assert_double_eq_tol(term(&s, "reward_cost"), -2 * 17.68 / 50, 1e-9);
	}
	ck_assert_double_lt(slo[0], 0);
	ck_assert_double_eq_tol(slo[1], 50 * slo[0], 1e-9);
	ck_assert(!weir_env_set_coefficient(s.env, "mu", 1));
	weir_env_close(s.env);
}
END_TEST

/* The task is told without files, and makes the same environment. */
START_TEST(task)
{
	stage s, t;
	open_stage(&s, "p", "'features': {'time': true}, 'action': {'dead_zone': 0.1}");
	ck_assert_ptr_null(strstr(s.env->task, "pools.json"));
	char more[4096];
	const char *inner = strchr(s.env->task, '{') + 1;
	snprintf(more, sizeof more, "%.*s", (int)(strrchr(inner, '}') - inner), inner);
	open_stage(&t, "p", more);
	ck_assert_str_eq(t.env->task, s.env->task);
	ck_assert(weir_space_equal(&s.env->observation, &t.env->observation));
	ck_assert(weir_space_equal(&s.env->action, &t.env->action));
	weir_env_close(s.env);
	weir_env_close(t.env);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *configs, *more, *where, *message;
	} cases[] = {
	    {"", "", "train.json: configs", "no config to play"},
	    {"p", "'windw': 3", "train.json: windw", "did you mean 'window'"},
	    {"p", "'start': 'late'", "train.json: start", "a number from 0, or \"random\""},
	    {"p", "'start': 'random'", "train.json: latest_start", "above 0"},
	    {"p", "'sets': 'seed=1'", "train.json: sets", "a list of strings"},
	    {"p", "'sets': ['sed=1']", "--set: sed", "unknown key"},
	    {"s", "'mode': 'token'", "single.json", "the token pool, which the config does not have"},
	    {"p", "'application': 'chat'", "pools.json", "the application 'chat'"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		stage s;
		ck_assert_int_eq(try_stage(&s, cases[i].configs, cases[i].more), WEIR_ERROR_INPUT);
		ck_assert_msg(strstr(error.where, cases[i].where) != NULL, "%s", error.where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s", error.message);
		ck_assert_ptr_null(s.env);
	}
}
END_TEST

/* --- a reward that does not add up ------------------------------------------------------------ */

static double cheat(const void *parameters, const double *coefficients,
                    const weir_reward_facts *facts, double *terms)
{
	(void)parameters, (void)coefficients;
	terms[0] = -1;
	return facts->completed > 100 ? -0.5 : -1; /* wrong where much completes */
}

static const weir_reward_term cheat_terms[] = {{"reward_cheat", "not what is rewarded"}};

/* The environment with that reward: its parameters begin with the task. */
static weir_status create_cheating(const void *parameters, weir_env *env, weir_error *failed)
{
	static weir_reward_type cheating;
	weir_scaling_task *given = (weir_scaling_task *)(uintptr_t)parameters;
	cheating = *given->reward.type;
	cheating.terms = cheat_terms;
	cheating.term_count = 1;
	cheating.evaluate = cheat;
	given->reward.type = &cheating;
	return weir_env_type_scaling.create(parameters, env, failed);
}

/* Strict: an error with the step, the check and the values. Else the step is flagged, and what
 * follows goes on. */
START_TEST(strict)
{
	weir_env_type type = weir_env_type_scaling;
	type.create = create_cheating;
	stage s = {0};
	const float hold[3] = {0};
	ck_assert_ok(weir_env_create_of(&type, parameters_of("p", "'decision_interval': 30"),
	                                test_path("train.json"), &s.env, &error),
	             &error);
	for (int is_strict = 0; is_strict < 2; is_strict++) {
		s.env->strict = is_strict;
		begin(&s, 1, 0);
		unsigned failed = 0, steps = 0;
		weir_status status = WEIR_OK;
		while (status == WEIR_OK && !over(&s)) {
			status = weir_env_step(s.env, hold, s.observation, &s.outcome, &error);
			steps++;
			failed += s.outcome.failed != 0;
			ck_assert_uint_eq(s.outcome.failed & ~(1u << WEIR_CHECK_REWARD), 0);
		}
		if (is_strict) {
			ck_assert_int_eq(status, WEIR_ERROR_INTERNAL);
			ck_assert_ptr_nonnull(strstr(error.message, "a check does not hold: reward: "));
			ck_assert_ptr_nonnull(strstr(error.message, "the reward is -0.5"));
		} else {
			ck_assert_ok(status, &error);
			ck_assert_uint_ge(failed, 2);
			ck_assert_uint_gt(steps, failed);
		}
	}
	weir_env_close(s.env);
}
END_TEST

/* --- side by side ----------------------------------------------------------------------------- */

/* The same on one thread and on three, episode after episode. */
START_TEST(threads)
{
	enum { COUNT = 4, STEPS = 30 };
	static float actions[COUNT * 3], seen[2][COUNT * MOST_OBSERVED];
	double rewards[2][COUNT], sum = 0;
	weir_vector *vectors[2];
	size_t size = 0;
	for (int v = 0; v < 2; v++) {
		weir_vector_options options = weir_vector_options_default();
		options.count = COUNT;
		options.threads = v == 0 ? 1 : 3;
		options.seed = 9;
		ck_assert_ok(weir_vector_create("scaling", parameters_of("ps", "'window': 70"),
		                                test_path("train.json"), &options, &vectors[v], &error),
		             &error);
		size = weir_vector_env(vectors[v], 0)->observation.size;
		const weir_vector_buffers first = {.observations = seen[v]};
		ck_assert_ok(weir_vector_reset(vectors[v], &first, &error), &error);
	}
	for (int i = 0; i < STEPS; i++) {
		for (int a = 0; a < COUNT * 3; a++) {
			actions[a] = (float)((i * 5 + a * 3) % 9 - 4) / 4;
		}
		for (int v = 0; v < 2; v++) {
			const weir_vector_buffers buffers = {.observations = seen[v], .rewards = rewards[v]};
			ck_assert_ok(weir_vector_step(vectors[v], actions, &buffers, &error), &error);
		}
		ck_assert_mem_eq(seen[0], seen[1], COUNT * size * sizeof(float));
		ck_assert_mem_eq(rewards[0], rewards[1], sizeof rewards[0]);
		sum += rewards[0][0] - rewards[0][1];
	}
	ck_assert_double_ne(sum, 0);
	weir_vector_destroy(vectors[0]);
	weir_vector_destroy(vectors[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("env_scaling");
	TCase *cases = tcase_create("env");
	tcase_add_checked_fixture(cases, setup, NULL);
	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, windows);
	tcase_add_test(cases, starts);
	tcase_add_test(cases, seeds);
	tcase_add_test(cases, fixed_episodes);
	tcase_add_test(cases, snapshots);
	tcase_add_test(cases, corrected_rule);
	tcase_add_test(cases, masks);
	tcase_add_test(cases, single_pool);
	tcase_add_test(cases, demand);
	tcase_add_test(cases, coefficients_change);
	tcase_add_test(cases, task);
	tcase_add_test(cases, refused);
	tcase_add_test(cases, strict);
	tcase_add_test(cases, threads);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
