#include "rl/env.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/envs.h"
#include "support/test_support.h"

/* --- an environment that can be made to break each rule -------------------------------------- */

typedef enum breach {
	NONE,
	REWARD_NAN,
	REWARD_NOT_THE_SUM,
	STEP_NOT_COUNTED,
	ANOTHER_ACTION,
	OBSERVATION_NAN,
	OBSERVATION_OUTSIDE,
	OBSERVATION_OUTSIDE_AT_RESET,
	WORKLOAD_WRONG,
	BROKEN
} breach;

typedef struct crook {
	breach breach;
	uint64_t step;
	double excess; /* of the reward over its terms */
} crook;

static const weir_dimension observed[] = {{.name = "level", .unit = "", .low = 0, .high = 1}};
static const weir_dimension actions[] = {{.name = "a", .unit = "", .low = -1, .high = 1},
                                         {.name = "b", .unit = "", .low = -1, .high = 1}};
static const weir_info_term terms[] = {{"one", "", "a part", .reward = true},
                                       {"ignored", "", "no part", .reward = false},
                                       {"two", "", "a part", .reward = true}};
static const char *const coefficient_names[] = {"lambda", "mu"};

static weir_status create(const void *parameters, weir_env *env, weir_error *error)
{
	(void)parameters, (void)error;
	env->state = weir_allocate(1, sizeof(crook));
	env->state_size = sizeof(crook);
	env->observation = (weir_space){WEIR_SPACE_BOX, 1, observed};
	env->action = (weir_space){WEIR_SPACE_BOX, 2, actions};
	env->terms = terms;
	env->term_count = 3;
	return WEIR_OK;
}

static weir_status reset(weir_env *env, const weir_env_start *start, float *observation,
                         weir_error *error)
{
	(void)start, (void)error;
	crook *state = env->state;
	state->step = 0;
	observation[0] = state->breach == OBSERVATION_OUTSIDE_AT_RESET ? 2 : 0;
	return WEIR_OK;
}

static weir_status step(weir_env *env, const float *action, float *observation,
                        weir_env_outcome *outcome, weir_error *error)
{
	crook *state = env->state;
	if (state->breach == BROKEN) {
		return weir_error_set(error, WEIR_ERROR_IO, "file", "cannot be read");
	}
	float used[2] = {action[0], action[1]};
	if (state->breach == ANOTHER_ACTION) {
		used[1] = -used[1];
	}
	state->step += state->breach != STEP_NOT_COUNTED;
	outcome->reward = state->breach == REWARD_NAN ? (double)NAN : 1000.25 + state->excess;
	outcome->step = state->step;
	outcome->applied = weir_action_checksum(used, 2);
	observation[0] = state->breach == OBSERVATION_NAN       ? NAN
	                 : state->breach == OBSERVATION_OUTSIDE ? 1.5F
	                                                        : 0.5F;
	if (state->breach == WORKLOAD_WRONG) {
		weir_env_fail(env, outcome, WEIR_CHECK_WORKLOAD, "%d arrived of %d", 3, 4);
	}
	return WEIR_OK;
}

static void info(const weir_env *env, double *values)
{
	(void)env;
	values[0] = 1000;
	values[1] = 77;
	values[2] = 0.25;
}

static const weir_env_type crook_type = {
    .name = "crook", .create = create, .reset = reset, .step = step, .info = info};

static weir_env *open_crook(breach what)
{
	weir_error error = {0};
	weir_env *env;
	ck_assert_ok(weir_env_create_of(&crook_type, NULL, "test", &env, &error), &error);
	((crook *)env->state)->breach = what;
	if (what == REWARD_NOT_THE_SUM) {
		((crook *)env->state)->excess = 1e-5; /* ten times the tolerance */
	}
	return env;
}

static weir_env *open_env(const char *kind)
{
	weir_error error = {0};
	weir_env *env;
	ck_assert_ok(weir_env_create(kind, NULL, "test", &env, &error), &error);
	return env;
}

/* Some that it needs; the rest are defaults. */
static const char *parameters_of(const char *kind)
{
	return strcmp(kind, "scaling") != 0
	           ? NULL
	           : "{\"configs\": [{\"path\": \"" WEIR_SOURCE_DIR
	             "/configs/scenarios/flash_crowd.json\"}], \"window\": 60}";
}

static const weir_env_start first = {.seed = 1, .episode = -1};

/* --- checks ---------------------------------------------------------------------------------- */

static const struct {
	breach breach;
	weir_env_check check;
	const char *message;
} breaches[] = {
    {REWARD_NAN, WEIR_CHECK_REWARD, "reward: the reward is nan"},
    {REWARD_NOT_THE_SUM, WEIR_CHECK_REWARD, "its 2 terms sum to 1000.25"},
    {STEP_NOT_COUNTED, WEIR_CHECK_ACTION, "action: given in step 1 with"},
    {ANOTHER_ACTION, WEIR_CHECK_ACTION, "action: given in step 1 with"},
    {OBSERVATION_NAN, WEIR_CHECK_OBSERVATION, "'level' (dimension 0) is nan"},
    {OBSERVATION_OUTSIDE, WEIR_CHECK_OBSERVATION, "'level' (dimension 0) is 1.5"},
    {WORKLOAD_WRONG, WEIR_CHECK_WORKLOAD, "workload: 3 arrived of 4"},
};

START_TEST(a_breach_is_an_error_in_strict_mode)
{
	weir_env *env = open_crook(breaches[_i].breach);
	weir_error error = {0};
	float observation[1], action[2] = {0.5F, 0.25F};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_reset(env, &first, observation, &error), &error);
	ck_assert_int_eq(weir_env_step(env, action, observation, &outcome, &error),
	                 WEIR_ERROR_INTERNAL);
	ck_assert_uint_eq(outcome.failed, 1u << breaches[_i].check);
	ck_assert_msg(strncmp(error.message, "step 1: a check does not hold: ", 31) == 0, "%s",
	              error.message);
	ck_assert_msg(strstr(error.message, breaches[_i].message) != NULL, "%s", error.message);
	/* It does not go on after that. */
	ck_assert_int_eq(weir_env_step(env, action, observation, &outcome, &error), WEIR_ERROR_INPUT);
	weir_env_close(env);
}
END_TEST

START_TEST(a_breach_is_a_bit_otherwise)
{
	weir_env *env = open_crook(breaches[_i].breach);
	env->strict = false;
	weir_error error = {0};
	float observation[1], action[2] = {0.5F, 0.25F};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_reset(env, &first, observation, &error), &error);
	for (int i = 0; i < 3; i++) {
		ck_assert_ok(weir_env_step(env, action, observation, &outcome, &error), &error);
		ck_assert_uint_eq(outcome.failed, 1u << breaches[_i].check);
	}
	ck_assert_ptr_nonnull(strstr(env->failure, weir_env_check_names[breaches[_i].check]));
	weir_env_close(env);
}
END_TEST

START_TEST(a_reward_within_the_tolerance_is_none)
{
	weir_env *env = open_crook(NONE);
	((crook *)env->state)->excess = 0.9e-6; /* of 1000: 1e-6 is allowed */
	weir_error error = {0};
	float observation[1], action[2] = {0, 0};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_reset(env, &first, observation, &error), &error);
	ck_assert_ok(weir_env_step(env, action, observation, &outcome, &error), &error);
	((crook *)env->state)->excess = 1.1e-6;
	ck_assert_int_eq(weir_env_step(env, action, observation, &outcome, &error),
	                 WEIR_ERROR_INTERNAL);
	weir_env_close(env);
}
END_TEST

START_TEST(a_wrong_first_observation_is_an_error)
{
	weir_env *env = open_crook(OBSERVATION_OUTSIDE_AT_RESET);
	weir_error error = {0};
	float observation[1];
	ck_assert_int_eq(weir_env_reset(env, &first, observation, &error), WEIR_ERROR_INTERNAL);
	ck_assert_msg(strstr(error.message, "'level' (dimension 0) is 2") != NULL, "%s", error.message);
	weir_env_close(env);
}
END_TEST

START_TEST(an_error_of_the_type_ends_the_episode)
{
	weir_env *env = open_crook(BROKEN);
	weir_error error = {0};
	float observation[1], action[2] = {0, 0};
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_reset(env, &first, observation, &error), &error);
	ck_assert_int_eq(weir_env_step(env, action, observation, &outcome, &error), WEIR_ERROR_IO);
	ck_assert_int_eq(weir_env_step(env, action, observation, &outcome, &error), WEIR_ERROR_INPUT);
	weir_env_close(env);
}
END_TEST

/* --- what is refused -------------------------------------------------------------------------- */

START_TEST(an_action_outside_its_space_changes_nothing)
{
	weir_env *env = open_env("pendulum");
	weir_error error = {0};
	float observation[3], seen[3], good = 1;
	weir_env_outcome outcome;
	ck_assert_ok(weir_env_reset(env, &first, observation, &error), &error);
	weir_env_snapshot *before;
	ck_assert_ok(weir_env_save(env, &before, &error), &error);
	ck_assert_ok(weir_env_step(env, &good, seen, &outcome, &error), &error);
	double reward = outcome.reward;
	ck_assert_ok(weir_env_restore(env, before, &error), &error);

	const float bad[] = {NAN, INFINITY, -INFINITY, 2.0001F, -2.0001F};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_int_eq(weir_env_step(env, &bad[i], observation, &outcome, &error),
		                 WEIR_ERROR_INPUT);
		ck_assert_msg(strstr(error.message, "action: 'torque' (dimension 0) is ") != NULL, "%s",
		              error.message);
		ck_assert_uint_eq(env->steps, 0);
	}
	ck_assert_ok(weir_env_step(env, &good, observation, &outcome, &error), &error);
	ck_assert(outcome.reward == reward);
	ck_assert_mem_eq(observation, seen, sizeof seen);
	weir_env_snapshot_destroy(before);
	weir_env_close(env);
}
END_TEST

START_TEST(a_step_needs_an_episode)
{
	weir_env *env = open_env("probe_two_steps");
	weir_error error = {0};
	float observation, action = 0;
	weir_env_outcome outcome;
	ck_assert_int_eq(weir_env_step(env, &action, &observation, &outcome, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "step before reset"));
	ck_assert_ok(weir_env_reset(env, &first, &observation, &error), &error);
	ck_assert_ok(weir_env_step(env, &action, &observation, &outcome, &error), &error);
	ck_assert_ok(weir_env_step(env, &action, &observation, &outcome, &error), &error);
	ck_assert(outcome.terminated);
	ck_assert_int_eq(weir_env_step(env, &action, &observation, &outcome, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "step after the end"));
	ck_assert_ok(weir_env_reset(env, &first, &observation, &error), &error);
	ck_assert_ok(weir_env_step(env, &action, &observation, &outcome, &error), &error);
	weir_env_close(env);
}
END_TEST

static void assert_refused(const char *kind, const char *parameters, const char *where,
                           const char *message)
{
	weir_error error = {0};
	weir_env *env = (weir_env *)&error;
	weir_status status = weir_env_create(kind, parameters, "--env", &env, &error);
	ck_assert_int_eq(status, WEIR_ERROR_INPUT);
	ck_assert_ptr_null(env);
	ck_assert_msg(strstr(error.where, where) != NULL, "%s: %s", error.where, error.message);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s: %s", error.where, error.message);
}

START_TEST(wrong_names_and_parameters_are_refused)
{
	assert_refused("cartpol", NULL, "--env",
	               "unknown environment 'cartpol'; did you mean "
	               "'cartpole'?");
	assert_refused("", NULL, "--env", "unknown environment ''; there are tutorial, cartpole,");
	assert_refused("cartpole", "{\"limt\": 3}", "--env: limt", "did you mean 'limit'?");
	assert_refused("cartpole", "{\"limit\": 0}", "--env: limit", "got 0");
	assert_refused("cartpole", "{\"limit\": \"x\"}", "--env: limit", "got \"x\"");
	assert_refused("cartpole", "{\"limit\": 3, \"limit\": 4}", "--env", "twice");
	assert_refused("cartpole", "{\"start\": [1, 2]}", "--env: start", "expected 4 numbers");
	assert_refused("cartpole", "{\"start\": [2.5, 0, 0, 0]}", "--env: start", "would be over");
	assert_refused("pendulum", "{\"start\": [1]}", "--env: start", "expected 2 numbers");
	assert_refused("cartpole", "{", "--env", "");
	assert_refused("cartpole", "", "--env", "");
	assert_refused("cartpole", "[]", "--env", "object");
	assert_refused("probe_chain", "{\"limit\": 3}", "--env: limit", "unknown key 'limit'");
}
END_TEST

START_TEST(an_episode_below_minus_one_is_refused)
{
	weir_env *env = open_env("cartpole");
	weir_error error = {0};
	float observation[4];
	weir_env_start start = {.evaluation = true, .episode = -2};
	ck_assert_int_eq(weir_env_reset(env, &start, observation, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "episode -2"));
	weir_env_close(env);
}
END_TEST

/* --- of all environments -----------------------------------------------------------------------
 */

/* Some action in the space, another one for each `number`. */
static void some_action(const weir_space *space, uint64_t number, float *action)
{
	for (size_t i = 0; i < space->size; i++) {
		const weir_dimension *d = &space->dimensions[i];
		uint64_t drawn = number * 2654435761u + i * 40503u;
		drawn ^= drawn >> 13;
		action[i] = space->kind == WEIR_SPACE_BOX
		                ? d->low + (d->high - d->low) * (float)(drawn % 1001) / 1000
		                : (float)(drawn % d->choices);
	}
}

enum { ROOM = 256, STEPS = 40 };

typedef struct walked {
	float observations[STEPS + 1][ROOM];
	double rewards[STEPS];
	double info[STEPS][ROOM];
	size_t steps;
} walked;

/* From where it is to the end of the episode, at most STEPS steps. */
static void walk(weir_env *env, uint64_t from, walked *seen)
{
	weir_error error = {0};
	float action[ROOM];
	weir_env_outcome outcome = {0};
	for (seen->steps = 0; seen->steps < STEPS; seen->steps++) {
		size_t i = seen->steps;
		some_action(&env->action, from + i, action);
		ck_assert_ok(weir_env_step(env, action, seen->observations[i], &outcome, &error), &error);
		seen->rewards[i] = outcome.reward;
		weir_env_info(env, seen->info[i]);
		if (outcome.terminated || outcome.truncated) {
			seen->steps++;
			return;
		}
	}
}

/* The same seed gives the same, and so does going back to where one was, again and again. */
START_TEST(every_environment_repeats_and_returns)
{
	const char *kind = weir_env_names[_i];
	weir_error error = {0};
	weir_env *env;
	ck_assert_ok(weir_env_create(kind, parameters_of(kind), "test", &env, &error), &error);
	ck_assert_uint_lt(env->observation.size, ROOM);
	ck_assert_uint_lt(env->term_count, ROOM);
	walked *once = calloc(1, sizeof *once);
	walked *again = calloc(1, sizeof *again);
	float start[ROOM];
	double zero[ROOM] = {0}, told[ROOM] = {0};
	weir_env_start from = weir_env_start_default(42);

	ck_assert_ok(weir_env_reset(env, &from, start, &error), &error);
	weir_env_info(env, told);
	ck_assert_mem_eq(told, zero, sizeof zero);
	walk(env, 0, once);
	memcpy(again->observations[STEPS], start, sizeof start);
	ck_assert_ok(weir_env_reset(env, &from, start, &error), &error);
	ck_assert_mem_eq(again->observations[STEPS], start, env->observation.size * sizeof *start);
	memset(again->observations[STEPS], 0, sizeof start);
	walk(env, 0, again);
	ck_assert_mem_eq(once, again, sizeof *once);

	/* A snapshot halfway. */
	ck_assert_ok(weir_env_reset(env, &from, start, &error), &error);
	float action[ROOM];
	weir_env_outcome outcome;
	size_t half = once->steps / 2;
	for (size_t i = 0; i < half; i++) {
		some_action(&env->action, i, action);
		ck_assert_ok(weir_env_step(env, action, start, &outcome, &error), &error);
	}
	weir_env_snapshot *snapshot;
	ck_assert_ok(weir_env_save(env, &snapshot, &error), &error);
	for (int turn = 0; turn < 3; turn++) {
		memset(again, 0, sizeof *again);
		walk(env, half, again);
		ck_assert_uint_eq(again->steps, once->steps == STEPS ? STEPS : once->steps - half);
		size_t common = once->steps - half;
		ck_assert_mem_eq(again->observations, once->observations[half],
		                 common * sizeof once->observations[0]);
		ck_assert_mem_eq(again->rewards, once->rewards + half, common * sizeof(double));
		ck_assert_mem_eq(again->info, once->info[half], common * sizeof once->info[0]);
		ck_assert_ok(weir_env_restore(env, snapshot, &error), &error);
	}
	weir_env_close(env);
	weir_env_snapshot_destroy(snapshot); /* may outlive it */
	free(once);
	free(again);
}
END_TEST

START_TEST(what_it_was_made_with_is_kept_in_full)
{
	weir_error error = {0};
	weir_env *env, *same;
	ck_assert_ok(weir_env_create("tutorial", "{\"length\": 9}", "x", &env, &error), &error);
	ck_assert_ptr_nonnull(strstr(env->parameters, "\"length\""));
	ck_assert_ptr_nonnull(strstr(env->parameters, "9"));
	ck_assert_ptr_nonnull(strstr(env->parameters, "\"stumble\""));
	ck_assert_ok(weir_env_create("tutorial", env->parameters, "x", &same, &error), &error);
	ck_assert_str_eq(env->parameters, same->parameters);
	weir_env_close(env);
	weir_env_close(same);
	env = open_env("probe_chain");
	ck_assert_ok(weir_env_create("probe_chain", env->parameters, "x", &same, &error), &error);
	weir_env_close(env);
	weir_env_close(same);
	weir_env_close(NULL);
}
END_TEST

START_TEST(evaluation_has_fixed_episodes)
{
	/* Whatever the seed, and other ones than a training with a small seed. */
	weir_env_start a = {.seed = 1, .evaluation = true, .episode = 3};
	weir_env_start b = {.seed = 2, .evaluation = true, .episode = 3};
	ck_assert_uint_eq(weir_env_start_seed(&a), weir_env_start_seed(&b));
	b.episode = 3 + WEIR_FIXED_EPISODES;
	ck_assert_uint_eq(weir_env_start_seed(&a), weir_env_start_seed(&b));
	b.episode = 4;
	ck_assert_uint_ne(weir_env_start_seed(&a), weir_env_start_seed(&b));
	/* One of them, drawn by the seed. */
	b.episode = -1;
	uint64_t drawn = weir_env_start_seed(&b);
	int found = 0;
	for (a.episode = 0; a.episode < WEIR_FIXED_EPISODES; a.episode++) {
		found += weir_env_start_seed(&a) == drawn;
	}
	ck_assert_int_eq(found, 1);
	weir_env_start training = weir_env_start_default(77);
	ck_assert_uint_eq(weir_env_start_seed(&training), 77);
}
END_TEST

START_TEST(coefficients_are_found_by_name)
{
	weir_env *env = open_crook(NONE);
	double values[2] = {0, 0};
	ck_assert(!weir_env_set_coefficient(env, "mu", 3));
	env->coefficient_names = coefficient_names;
	env->coefficients = values;
	env->coefficient_count = 2;
	ck_assert(weir_env_set_coefficient(env, "mu", 3));
	ck_assert(values[0] == 0 && values[1] == 3);
	ck_assert(!weir_env_set_coefficient(env, "nu", 3));
	weir_env_close(env);
}
END_TEST

START_TEST(the_checksum_is_fnv_1a)
{
	/* "a" and "foobar" have known ones; a float32 of the same bytes. */
	float word;
	memcpy(&word, "foob", 4);
	ck_assert_uint_eq(weir_action_checksum(NULL, 0), 0xcbf29ce484222325u);
	uint64_t hash = 0xcbf29ce484222325u;
	for (const char *c = "foob"; *c != '\0'; c++) {
		hash = (hash ^ (uint64_t)*c) * 0x100000001b3u;
	}
	ck_assert_uint_eq(weir_action_checksum(&word, 1), hash);
	float zeros[2] = {0.0F, -0.0F};
	ck_assert_uint_ne(weir_action_checksum(&zeros[0], 1), weir_action_checksum(&zeros[1], 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/env");
	TCase *tests = tcase_create("env");
	int breach_count = (int)(sizeof breaches / sizeof breaches[0]);
	tcase_add_loop_test(tests, a_breach_is_an_error_in_strict_mode, 0, breach_count);
	tcase_add_loop_test(tests, a_breach_is_a_bit_otherwise, 0, breach_count);
	tcase_add_test(tests, a_reward_within_the_tolerance_is_none);
	tcase_add_test(tests, a_wrong_first_observation_is_an_error);
	tcase_add_test(tests, an_error_of_the_type_ends_the_episode);
	tcase_add_test(tests, an_action_outside_its_space_changes_nothing);
	tcase_add_test(tests, a_step_needs_an_episode);
	tcase_add_test(tests, wrong_names_and_parameters_are_refused);
	tcase_add_test(tests, an_episode_below_minus_one_is_refused);
	int env_count = 0;
	while (weir_env_names[env_count] != NULL) {
		env_count++;
	}
	tcase_add_loop_test(tests, every_environment_repeats_and_returns, 0, env_count);
	tcase_add_test(tests, what_it_was_made_with_is_kept_in_full);
	tcase_add_test(tests, evaluation_has_fixed_episodes);
	tcase_add_test(tests, coefficients_are_found_by_name);
	tcase_add_test(tests, the_checksum_is_fnv_1a);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
