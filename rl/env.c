#include "rl/env.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/random.h"
#include "rl/envs.h"

const char *const weir_env_check_names[] = {
#define WEIR_ENV_CHECK_NAME(NAME, name, text) #name,
    WEIR_ENV_CHECKS(WEIR_ENV_CHECK_NAME)
#undef WEIR_ENV_CHECK_NAME
        NULL};

const char *const weir_env_check_texts[] = {
#define WEIR_ENV_CHECK_TEXT(NAME, name, text) text,
    WEIR_ENV_CHECKS(WEIR_ENV_CHECK_TEXT)
#undef WEIR_ENV_CHECK_TEXT
        NULL};

/* Of the sum of a reward's terms, relative to the reward above 1. */
static const double reward_tolerance = 1e-9;

/* An environment with what only the functions here use. */
typedef struct held_env {
	weir_env env; /* first: a weir_env * is a held_env * */
	weir_arena *arena;
	double *terms; /* [term_count], room for the check of the reward */
} held_env;

struct weir_env_snapshot {
	const weir_env *env; /* the one that it is of, which may be closed by now */
	const weir_env_type *type;
	uint64_t steps;
	bool running;
	void *state;
};

weir_env_start weir_env_start_default(uint64_t seed)
{
	return (weir_env_start){.seed = seed, .evaluation = false, .episode = -1};
}

uint64_t weir_env_start_seed(const weir_env_start *start)
{
	if (!start->evaluation) {
		return start->seed;
	}
	uint64_t episode = start->episode >= 0 ? (uint64_t)start->episode
	                                       : weir_stream_seed(start->seed, "fixed episode", 0);
	return weir_stream_seed(0, "fixed episodes", episode % WEIR_FIXED_EPISODES);
}

uint64_t weir_action_checksum(const float *action, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;
	const unsigned char *bytes = (const unsigned char *)action;
	for (size_t i = 0; i < size * sizeof *action; i++) {
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	}
	return hash;
}

/* --- making --------------------------------------------------------------------------------- */

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the environment");
}

/* Reads the type's parameters into *object, in the arena, and keeps what they resolve to. */
static weir_status read_parameters(held_env *held, const cJSON *json, const char *name,
                                   void **object, weir_error *error)
{
	static const weir_key_table no_keys = {.name = "environment", .size = 1};
	const weir_key_table *table = held->env.type->keys != NULL ? held->env.type->keys : &no_keys;
	weir_keys_reader reader = {.arena = held->arena, .file = name};
	*object = weir_arena_allocate(held->arena, 1, table->size);
	if (*object == NULL) {
		return no_memory(error);
	}
	weir_status status = weir_keys_read(&reader, table, json, "", *object, error);
	if (status != WEIR_OK) {
		return status;
	}
	cJSON *resolved = weir_keys_resolve(&reader, table, json, "");
	char *text = resolved != NULL ? weir_json_print(resolved) : NULL;
	held->env.parameters = text != NULL ? weir_arena_string(held->arena, text) : NULL;
	free(text);
	cJSON_Delete(resolved);
	return held->env.parameters != NULL ? WEIR_OK : no_memory(error);
}

static weir_status parse_parameters(held_env *held, const char *parameters, const char *name,
                                    void **object, weir_error *error)
{
	cJSON *json = NULL;
	weir_status status = WEIR_OK;
	if (parameters != NULL) {
		status = weir_json_parse(name, parameters, strlen(parameters), &json, error);
	}
	if (status == WEIR_OK) {
		status = read_parameters(held, json, name, object, error);
	}
	cJSON_Delete(json);
	return status;
}

static weir_status unknown_kind(const char *kind, const char *name, weir_error *error)
{
	size_t count = 0;
	while (weir_env_names[count] != NULL) {
		count++;
	}
	weir_arena *arena = weir_arena_create();
	weir_keys_reader reader = {.arena = arena, .file = name};
	weir_status status = arena == NULL ? no_memory(error)
	                                   : weir_keys_fail_unknown(&reader, "", "environment", kind,
	                                                            weir_env_names, count, error);
	weir_arena_destroy(arena);
	return status;
}

/* What a type must have filled in. */
static void check_made(const weir_env *env)
{
	assert(env->observation.kind == WEIR_SPACE_BOX && env->observation.size > 0);
	assert(env->action.size > 0);
	assert(env->term_count == 0 || env->type->info != NULL);
	assert(env->state_size > 0 ||
	       (env->type->destroy != NULL && env->type->save != NULL && env->type->restore != NULL));
	(void)env;
}

static weir_status make(held_env *held, const char *parameters, const char *name, weir_error *error)
{
	weir_env *env = &held->env;
	held->arena = weir_arena_create();
	if (held->arena == NULL) {
		return no_memory(error);
	}
	void *object = NULL;
	weir_status status = parse_parameters(held, parameters, name, &object, error);
	if (status == WEIR_OK) {
		status = env->type->create(object, env, error);
	}
	if (status != WEIR_OK) {
		env->state = NULL; /* a type that fails has freed what it made */
		return status;
	}
	check_made(env);
	env->checks |= 1u << WEIR_CHECK_REWARD | 1u << WEIR_CHECK_ACTION | 1u << WEIR_CHECK_OBSERVATION;
	held->terms = weir_arena_allocate(held->arena, env->term_count, sizeof *held->terms);
	return held->terms != NULL ? WEIR_OK : no_memory(error);
}

weir_status weir_env_create(const char *kind, const char *parameters, const char *name,
                            weir_env **env, weir_error *error)
{
	*env = NULL;
	const weir_env_type *type = weir_env_type_find(kind);
	return type != NULL ? weir_env_create_of(type, parameters, name, env, error)
	                    : unknown_kind(kind, name, error);
}

weir_status weir_env_create_of(const weir_env_type *type, const char *parameters, const char *name,
                               weir_env **env, weir_error *error)
{
	*env = NULL;
	held_env *held = weir_allocate(1, sizeof *held);
	if (held == NULL) {
		return no_memory(error);
	}
	held->env.type = type;
	held->env.strict = true;
	weir_status status = make(held, parameters, name, error);
	if (status != WEIR_OK) {
		weir_env_close(&held->env);
		return status;
	}
	*env = &held->env;
	return WEIR_OK;
}

void weir_env_close(weir_env *env)
{
	if (env == NULL) {
		return;
	}
	held_env *held = (held_env *)env;
	if (env->state != NULL && env->type->destroy != NULL) {
		env->type->destroy(env);
	} else if (env->state != NULL) {
		free(env->state);
	}
	weir_arena_destroy(held->arena);
	free(held);
}

/* --- checking ------------------------------------------------------------------------------- */

void weir_env_fail(weir_env *env, weir_env_outcome *outcome, weir_env_check check,
                   const char *format, ...)
{
	outcome->failed |= 1u << check;
	int length = snprintf(env->failure, sizeof env->failure, "%s: ", weir_env_check_names[check]);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(env->failure + length, sizeof env->failure - (size_t)length, format, arguments);
	va_end(arguments);
}

static void check_reward(weir_env *env, weir_env_outcome *outcome)
{
	double reward = outcome->reward;
	if (!isfinite(reward)) {
		weir_env_fail(env, outcome, WEIR_CHECK_REWARD, "the reward is %g", reward);
		return;
	}
	double *terms = ((held_env *)env)->terms;
	double sum = 0;
	size_t parts = 0;
	weir_env_info(env, terms);
	for (size_t i = 0; i < env->term_count; i++) {
		if (env->terms[i].reward) {
			sum += terms[i];
			parts++;
		}
	}
	if (parts > 0 && !(fabs(sum - reward) <= reward_tolerance * fmax(1, fabs(reward)))) {
		weir_env_fail(env, outcome, WEIR_CHECK_REWARD,
		              "the reward is %.17g, its %zu terms sum to %.17g", reward, parts, sum);
	}
}

static void check_action(weir_env *env, const float *action, weir_env_outcome *outcome)
{
	uint64_t checksum = weir_action_checksum(action, env->action.size);
	if (outcome->step != env->steps || outcome->applied != checksum) {
		weir_env_fail(env, outcome, WEIR_CHECK_ACTION,
		              "given in step %llu with checksum %016llx, applied in step %llu with "
		              "checksum %016llx",
		              (unsigned long long)env->steps, (unsigned long long)checksum,
		              (unsigned long long)outcome->step, (unsigned long long)outcome->applied);
	}
}

static void check_observation(weir_env *env, const float *observation, weir_env_outcome *outcome)
{
	weir_error error = {0};
	if (weir_space_check(&env->observation, observation, "observation", &error) != WEIR_OK) {
		weir_env_fail(env, outcome, WEIR_CHECK_OBSERVATION, "%s", error.message);
	}
}

/* The error of a check that does not hold; WEIR_OK when all do, or are only counted. */
static weir_status judge(weir_env *env, const weir_env_outcome *outcome, weir_error *error)
{
	if (outcome->failed == 0 || !env->strict) {
		return WEIR_OK;
	}
	env->running = false;
	return weir_error_set(error, WEIR_ERROR_INTERNAL, env->type->name,
	                      "step %llu: a check does not hold: %s", (unsigned long long)env->steps,
	                      env->failure);
}

/* --- episodes ------------------------------------------------------------------------------- */

weir_status weir_env_reset(weir_env *env, const weir_env_start *start, float *observation,
                           weir_error *error)
{
	if (start->episode < -1) {
		return weir_error_set(error, WEIR_ERROR_INPUT, env->type->name,
		                      "episode %lld: expected a number from 0, or -1 for one by chance",
		                      (long long)start->episode);
	}
	env->running = false;
	env->steps = 0;
	weir_status status = env->type->reset(env, start, observation, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_env_outcome outcome = {0};
	check_observation(env, observation, &outcome);
	env->running = true;
	return judge(env, &outcome, error);
}

static weir_status refuse_step(const weir_env *env, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_INPUT, env->type->name,
	                      env->steps == 0
	                          ? "step before reset: an episode must begin first"
	                          : "step after the end of the episode: it must be reset first");
}

weir_status weir_env_step(weir_env *env, const float *action, float *observation,
                          weir_env_outcome *outcome, weir_error *error)
{
	*outcome = (weir_env_outcome){0};
	if (!env->running) {
		return refuse_step(env, error);
	}
	weir_status status = weir_space_check(&env->action, action, "action", error);
	if (status != WEIR_OK) {
		return status;
	}
	env->steps++;
	status = env->type->step(env, action, observation, outcome, error);
	if (status != WEIR_OK) {
		env->running = false;
		return status;
	}
	check_reward(env, outcome);
	check_action(env, action, outcome);
	check_observation(env, observation, outcome);
	env->running = !outcome->terminated && !outcome->truncated;
	return judge(env, outcome, error);
}

bool weir_env_masks(const weir_env *env)
{
	return env->type->mask != NULL && env->action.kind != WEIR_SPACE_BOX;
}

void weir_env_mask(const weir_env *env, uint8_t *mask)
{
	if (env->type->mask != NULL && env->running) {
		env->type->mask(env, mask);
	} else if (env->action.kind != WEIR_SPACE_BOX) {
		memset(mask, 1, weir_space_choices(&env->action));
	}
}

void weir_env_info(const weir_env *env, double *terms)
{
	if (env->type->info != NULL && env->steps > 0) {
		env->type->info(env, terms);
	} else if (env->term_count > 0) {
		memset(terms, 0, env->term_count * sizeof *terms);
	}
}

bool weir_env_set_coefficient(weir_env *env, const char *name, double value)
{
	for (size_t i = 0; i < env->coefficient_count; i++) {
		if (strcmp(env->coefficient_names[i], name) == 0) {
			env->coefficients[i] = value;
			return true;
		}
	}
	return false;
}

/* --- snapshots ------------------------------------------------------------------------------ */

static weir_status save_state(const weir_env *env, void **state, weir_error *error)
{
	if (env->type->save != NULL) {
		return env->type->save(env, state, error);
	}
	*state = weir_duplicate(env->state, 1, env->state_size);
	return *state != NULL ? WEIR_OK : no_memory(error);
}

weir_status weir_env_save(const weir_env *env, weir_env_snapshot **snapshot, weir_error *error)
{
	*snapshot = NULL;
	weir_env_snapshot *saved = weir_allocate(1, sizeof *saved);
	if (saved == NULL) {
		return no_memory(error);
	}
	*saved = (weir_env_snapshot){
	    .env = env, .type = env->type, .steps = env->steps, .running = env->running};
	weir_status status = save_state(env, &saved->state, error);
	if (status != WEIR_OK) {
		free(saved);
		return status;
	}
	*snapshot = saved;
	return WEIR_OK;
}

weir_status weir_env_restore(weir_env *env, const weir_env_snapshot *snapshot, weir_error *error)
{
	assert(snapshot->env == env);
	if (env->type->restore == NULL) {
		memcpy(env->state, snapshot->state, env->state_size);
	} else {
		weir_status status = env->type->restore(env, snapshot->state, error);
		if (status != WEIR_OK) {
			env->running = false;
			return status;
		}
	}
	env->steps = snapshot->steps;
	env->running = snapshot->running;
	return WEIR_OK;
}

void weir_env_snapshot_destroy(weir_env_snapshot *snapshot)
{
	if (snapshot == NULL) {
		return;
	}
	if (snapshot->type->snapshot_destroy != NULL) {
		snapshot->type->snapshot_destroy(snapshot->state);
	} else {
		free(snapshot->state);
	}
	free(snapshot);
}
