/* label: long
 * What an agent might do to be paid for nothing: each such script must score below the best static
 * fleet, in whole runs of every held-out scenario, for the default and the constrained reward. In
 * each of five replications that both play: where they were equally good, that would be seen one
 * time in 32. (Differences are so unequal from shape to shape that a t interval says little.) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "rl/envs.h"
#include "rl/scaling_task.h"
#include "support/test_support.h"
#include "support/views.h"

static const char *const scenarios[] = {"steady", "diurnal",     "ramp",
                                        "bursty", "flash_crowd", "azure_replay"};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

#ifdef WEIR_INVARIANTS
/* Everything is checked after every event there: a minute of each run, most of all. */
enum { REPLICATIONS = 5, WINDOW = 60 };
#else
enum { REPLICATIONS = 5, WINDOW = 0 };
#endif

/* --- both rewards of one run -------------------------------------------------------------------*/

enum { DEFAULT, CONSTRAINED, REWARDS };

static const void *parameters_of[REWARDS]; /* what the two have by default */

static double evaluate(const void *parameters, const double *coefficients,
                       const weir_reward_facts *facts, double *terms)
{
	(void)parameters;
	const double lambda = 10;
	double parts[WEIR_MOST_REWARD_TERMS];
	terms[DEFAULT] =
	    weir_reward_default.evaluate(parameters_of[DEFAULT], coefficients, facts, parts);
	terms[CONSTRAINED] =
	    weir_reward_constrained.evaluate(parameters_of[CONSTRAINED], &lambda, facts, parts);
	return terms[DEFAULT] + terms[CONSTRAINED];
}

static const weir_reward_term terms_of_both[REWARDS] = {
    {"reward_default", "the default reward"},
    {"reward_constrained", "the constrained reward"},
};

/* The environment's parameters begin with the task, whose reward is the default one. */
static weir_status create(const void *parameters, weir_env *env, weir_error *error)
{
	static weir_reward_type both;
	both = weir_reward_default;
	both.terms = terms_of_both;
	both.term_count = REWARDS;
	both.evaluate = evaluate;
	((weir_scaling_task *)(uintptr_t)parameters)->reward.type = &both;
	return weir_env_type_scaling.create(parameters, env, error);
}

static void read_rewards(weir_arena *arena)
{
	static const char *const texts[REWARDS] = {"{}", "{'reward': {'kind': 'constrained'}}"};
	for (int r = 0; r < REWARDS; r++) {
		weir_scaling_task task;
		weir_error error = {0};
		ck_assert_ok(hand_read(arena, &weir_scaling_task_keys, texts[r], &task, &error), &error);
		parameters_of[r] = task.reward.parameters;
	}
}

/* --- fleets ----------------------------------------------------------------------------------- */

typedef struct fleet {
	int prompt, token; /* 0: as the scenario begins; below 0: the best static one */
} fleet;

/* That of configs/policies/SCENARIO/static.json. */
static fleet best_static(const char *scenario)
{
	char path[512];
	snprintf(path, sizeof path, "%s/policies/%s/static.json", WEIR_CONFIG_DIRECTORY, scenario);
	cJSON *json = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_json_load(path, &json, &error), &error);
	const cJSON *policy = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "policies"), 0);
	const cJSON *sizes = cJSON_GetObjectItem(policy, "static");
	fleet best = {cJSON_GetObjectItem(sizes, "prompt")->valueint,
	              cJSON_GetObjectItem(sizes, "token")->valueint};
	ck_assert(best.prompt > 0 && best.token > 0);
	cJSON_Delete(json);
	return best;
}

static weir_env *open_env(const char *scenario, fleet start, fleet reference)
{
	static const double price = 17.68; /* USD an hour, of dgx-a100 */
	char text[1024], sets[256] = "";
	if (start.prompt > 0) {
		snprintf(sets, sizeof sets,
		         ", \"sets\": [\"servers=dgx-a100:%d\", \"pools=prompt:%d,token:%d\"]",
		         start.prompt + start.token, start.prompt, start.token);
	}
	snprintf(text, sizeof text,
	         "{\"configs\": [{\"path\": \"%s/scenarios/%s.json\", \"reference_usd_per_hour\": %g}],"
	         " \"window\": %d%s}",
	         WEIR_CONFIG_DIRECTORY, scenario, price * (reference.prompt + reference.token), WINDOW,
	         sets);
	static weir_env_type opened;
	opened = weir_env_type_scaling;
	opened.create = create;
	weir_env *env = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_env_create_of(&opened, text, "adversaries", &env, &error), &error);
	return env;
}

/* --- scripts ---------------------------------------------------------------------------------- */

static void hold(int step, float action[3])
{
	(void)step;
	memset(action, 0, 3 * sizeof *action);
}

static void shrink(int step, float action[3])
{
	(void)step;
	action[0] = action[1] = -1;
	action[2] = 0;
}

static void flip(int step, float action[3])
{
	action[0] = action[1] = 0;
	action[2] = step % 2 == 0 ? 1 : -1;
}

static void alternate(int step, float action[3])
{
	action[0] = action[1] = step % 2 == 0 ? 1 : -1;
	action[2] = 0;
}

typedef struct script {
	const char *name;
	fleet start;
	void (*act)(int step, float action[3]);
} script;

/* Flips are compared with the very fleet that flips, so that they are all that differs. */
static const script adversaries[] = {
    {"shrinks to the minimum", {0, 0}, shrink},
    {"starts at the minimum and never acts", {1, 1}, hold},
    {"flips every step", {-1, -1}, flip},
    {"adds and takes away 5", {0, 0}, alternate},
};
enum { ADVERSARIES = sizeof adversaries / sizeof adversaries[0] };

/* Returns of one replication, and the share of its requests that missed their limits. */
typedef struct score {
	double rewards[REWARDS];
	double missed;
} score;

static double term(const weir_env *env, const double *terms, const char *name)
{
	for (size_t i = 0; i < env->term_count; i++) {
		if (strcmp(env->terms[i].name, name) == 0) {
			return terms[i];
		}
	}
	ck_abort_msg("no term %s", name);
}

static score play(weir_env *env, int replication, void (*act)(int step, float action[3]))
{
	const weir_env_start start = {.evaluation = true, .episode = replication};
	weir_error error = {0};
	float *observation = calloc(env->observation.size, sizeof *observation);
	double *terms = calloc(env->term_count, sizeof *terms);
	weir_env_outcome outcome = {0};
	score total = {0};
	double arrived = 0, missed = 0;
	ck_assert_ok(weir_env_reset(env, &start, observation, &error), &error);
	for (int step = 0; !outcome.terminated && !outcome.truncated; step++) {
		float action[3];
		act(step, action);
		ck_assert_ok(weir_env_step(env, action, observation, &outcome, &error), &error);
		weir_env_info(env, terms);
		for (int r = 0; r < REWARDS; r++) {
			total.rewards[r] += terms[r];
		}
		arrived += term(env, terms, "arrived");
		missed += term(env, terms, "broken") + term(env, terms, "failed");
	}
	missed += term(env, terms, "overdue") + term(env, terms, "charged");
	total.missed = missed / arrived;
	free(observation);
	free(terms);
	return total;
}

static void play_all(const char *scenario, const script *played, fleet best,
                     score scores[REPLICATIONS])
{
	weir_env *env = open_env(scenario, played->start.prompt < 0 ? best : played->start, best);
	for (int i = 0; i < REPLICATIONS; i++) {
		scores[i] = play(env, i, played->act);
	}
	weir_env_close(env);
}

START_TEST(score_below_the_best_static_fleet)
{
	weir_arena *arena = weir_arena_create();
	read_rewards(arena);
	const char *scenario = scenarios[_i];
	fleet best = best_static(scenario);
	score fixed[REPLICATIONS], scores[REPLICATIONS];
	const script holding = {"stays", {-1, -1}, hold};
	play_all(scenario, &holding, best, fixed);
	for (int a = 0; a < ADVERSARIES; a++) {
		play_all(scenario, &adversaries[a], best, scores);
		for (int r = 0; r < REWARDS; r++) {
			printf("%s: best static - one that %s, %s:", scenario, adversaries[a].name,
			       terms_of_both[r].name);
			for (int i = 0; i < REPLICATIONS; i++) {
				printf(" %.1f", fixed[i].rewards[r] - scores[i].rewards[r]);
			}
			printf("\n");
			for (int i = 0; i < REPLICATIONS; i++) {
				ck_assert_msg(fixed[i].rewards[r] > scores[i].rewards[r],
				              "%s, replication %d: one that %s has %s %g, the best static fleet %g",
				              scenario, i, adversaries[a].name, terms_of_both[r].name,
				              scores[i].rewards[r], fixed[i].rewards[r]);
				/* The minimum fleet misses the SLO everywhere. */
				ck_assert(a > 1 || scores[i].missed > 0.01);
			}
		}
	}
	weir_arena_destroy(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl_adversaries");
	TCase *cases = tcase_create("adversaries");
	tcase_set_timeout(cases, 1500);
	tcase_add_loop_test(cases, score_below_the_best_static_fleet, 0, SCENARIOS);
	suite_add_tcase(suite, cases);
	return test_main(suite);
}
