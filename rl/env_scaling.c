/*
 * Scaling: an agent sizes the pools of a simulated cluster, every decision_interval seconds.
 *
 * An episode is a window of one run: of a config of the list, with a workload of its own. It begins
 * with the window, and what was before it has been simulated with the fleet of the start; at its
 * end it is truncated, and what waits then is charged as broken. An episode without an end of its
 * own goes on to the end of the run: after the last decision what is in the system is simulated to
 * its end and counted. A run that can never end terminates.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/envs.h"
#include "rl/scaling_loop.h"
#include "rl/scaling_world.h"

typedef struct parameters {
	weir_scaling_task task; /* first */
	weir_key_list configs;  /* of weir_world_config */
	weir_key_list sets;     /* of const char * */
	double window;          /* s; 0: to the end of the run */
	double start;           /* s; below 0: drawn */
	double latest_start;    /* s */
} parameters;

/* --- parameters ------------------------------------------------------------------------------- */

static weir_status read_sets(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, void *field, weir_error *error)
{
	char got[128];
	size_t count = cJSON_IsArray(json) ? (size_t)cJSON_GetArraySize(json) : 0;
	const char **sets = weir_arena_allocate(reader->arena, count + 1, sizeof *sets);
	if (sets == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	const cJSON *item = cJSON_IsArray(json) ? json->child : json;
	for (size_t i = 0; item != NULL; item = item->next, i++) {
		if (!cJSON_IsArray(json) || !cJSON_IsString(item)) {
			return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
			                      weir_keys_describe(got, sizeof got, item));
		}
		sets[i] = weir_arena_string(reader->arena, item->valuestring);
		if (sets[i] == NULL) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
		}
	}
	*(weir_key_list *)field = (weir_key_list){.count = count, .items = (void *)sets};
	return WEIR_OK;
}

static weir_status read_start(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                              const char *path, void *field, weir_error *error)
{
	double *start = field;
	if (cJSON_IsString(json) && strcmp(json->valuestring, "random") == 0) {
		*start = -1;
		return WEIR_OK;
	}
	if (!cJSON_IsNumber(json) || !(json->valuedouble >= 0 && json->valuedouble <= 1e12)) {
		char got[128];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	*start = json->valuedouble;
	return WEIR_OK;
}

static weir_status check_parameters(weir_keys_reader *reader, const char *path, void *object,
                                    weir_error *error)
{
	const parameters *given = object;
	if (given->configs.count == 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "configs"), error,
		                      "no config to play: expected a list of at least one");
	}
	if (given->start < 0 && !(given->latest_start > 0)) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "latest_start"), error,
		                      "with start \"random\" it must be above 0: the latest start");
	}
	return weir_scaling_task_check(reader, path, &given->task, error);
}

static const weir_key keys[] = {
    WEIR_SCALING_TASK_KEYS(parameters, task),
    {.name = "configs",
     .type = WEIR_KEY_LIST,
     .offset = offsetof(parameters, configs),
     .table = &weir_world_config_keys,
     .flags = WEIR_KEY_REQUIRED,
     .doc = "What is played. Fixed episode k plays config k mod n, replication k div n of its "
            "family; others are drawn by their seed."},
    {.name = "sets",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(parameters, sets),
     .default_text = "[]",
     .read = read_sets,
     .forms = "a list of strings \"path=value\"",
     .doc = "Overrides of every config, laid over it and over its family's shapes."},
    {.name = "window",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(parameters, window),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e12,
     .unit = "s",
     .doc = "How long an episode is; 0: to the end of the run."},
    {.name = "start",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(parameters, start),
     .default_text = "0",
     .read = read_start,
     .forms = "a number from 0, or \"random\"",
     .unit = "s",
     .doc = "When in the run an episode begins, at the first decision from then on; before it the "
            "fleet stays as it starts. random: drawn from 0 to latest_start, for a fixed episode "
            "by its number."},
    {.name = "latest_start",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(parameters, latest_start),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e12,
     .unit = "s",
     .doc = "Of start random: the latest one."},
};

static const weir_key_table key_table = {
    .name = "scaling",
    .doc = "An agent sizes the pools of a simulated cluster.",
    .size = sizeof(parameters),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check_parameters,
};

/* --- making ----------------------------------------------------------------------------------- */

typedef struct scaling {
	const parameters *given;
	weir_world_choice choice;
	weir_arena *arena;
	weir_scaling_loop *loop;
	weir_world *world; /* NULL before the first episode */
	double begin, end; /* s: of the episode's window; end INFINITY: the run's */
} scaling;

static void destroy(weir_env *env)
{
	scaling *state = env->state;
	if (state != NULL) {
		weir_scaling_loop_destroy(state->loop); /* lets go of the simulation first */
		weir_world_release(state->world);
		weir_arena_destroy(state->arena);
		free(state);
		env->state = NULL;
	}
}

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the scaling environment");
}

/* Refuses configs that would not load, before an episode is begun. */
static weir_status try_configs(const scaling *state, weir_error *error)
{
	weir_status status = WEIR_OK;
	for (size_t c = 0; status == WEIR_OK && c < state->choice.count; c++) {
		status = weir_world_try(&state->choice, c, state->loop, error);
	}
	return status;
}

static weir_status make(weir_env *env, const parameters *given, weir_error *error)
{
	scaling *state = env->state;
	state->given = given;
	state->choice = (weir_world_choice){
	    .configs = given->configs.items,
	    .count = given->configs.count,
	    .sets = given->sets.items,
	    .set_count = given->sets.count,
	};
	state->arena = weir_arena_create();
	if (state->arena == NULL ||
	    (env->task = weir_scaling_task_print(&given->task, state->arena)) == NULL) {
		return out_of_memory(error);
	}
	weir_status status = weir_scaling_loop_create(&given->task, &state->loop, error);
	if (status != WEIR_OK) {
		return status;
	}
	env->observation = *weir_scaling_loop_observation(state->loop);
	env->action = *weir_scaling_loop_action(state->loop);
	env->terms = weir_scaling_loop_terms(state->loop, &env->term_count);
	env->coefficient_names = weir_scaling_loop_coefficient_names(state->loop);
	env->coefficients = weir_scaling_loop_coefficients(state->loop, &env->coefficient_count);
	env->checks = weir_scaling_loop_checks();
	return try_configs(state, error);
}

static weir_status create(const void *given, weir_env *env, weir_error *error)
{
	env->state = weir_allocate(1, sizeof(scaling));
	if (env->state == NULL) {
		return out_of_memory(error);
	}
	weir_status status = make(env, given, error);
	if (status != WEIR_OK) {
		destroy(env);
	}
	return status;
}

/* --- episodes --------------------------------------------------------------------------------- */

/* Runs until the agent is asked; *asked is false when the run has ended instead. */
static weir_status run_on(const scaling *state, bool *asked, weir_error *error)
{
	bool more = true;
	weir_status status = WEIR_OK;
	*asked = false;
	while (status == WEIR_OK && more && !*asked) {
		if (weir_sim_waiting(state->world->sim) < 0) {
			status = weir_sim_run(state->world->sim, INFINITY, UINT64_MAX, &more, error);
		} else if (weir_scaling_loop_due(state->loop)) {
			*asked = true;
		} else {
			status = weir_scaling_loop_follow(state->loop, error);
		}
	}
	return status;
}

/* Looks, and lets decisions pass, up to the first one of the window. */
static weir_status lead_in(scaling *state, float *observation, weir_error *error)
{
	for (;;) {
		bool asked;
		weir_scaling_outcome outcome;
		weir_status status = run_on(state, &asked, error);
		if (status == WEIR_OK && !asked) {
			return weir_error_set(error, WEIR_ERROR_INPUT,
			                      state->choice.configs[state->world->member.config].path,
			                      "the run ended at %g s, before the episode was to begin at %g s",
			                      weir_sim_now(state->world->sim), state->begin);
		}
		if (status == WEIR_OK) {
			status = weir_scaling_loop_look(state->loop, state->world->sim, observation, &outcome,
			                                error);
		}
		if (status != WEIR_OK || weir_sim_now(state->world->sim) >= state->begin) {
			return status;
		}
		status = weir_scaling_loop_hold(state->loop, state->world->sim, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
}

static void choose_window(scaling *state, const weir_env_start *start)
{
	const parameters *given = state->given;
	state->begin = fmax(given->start, 0);
	if (given->start < 0) {
		uint64_t drawn = start->episode < 0
		                     ? weir_stream_seed(start->seed, "start", 0)
		                     : weir_stream_seed(0, "fixed start", (uint64_t)start->episode);
		state->begin = given->latest_start * ((double)(drawn >> 11) * 0x1p-53);
	}
}

static double reference(const scaling *state)
{
	return state->choice.configs[state->world->member.config].reference_usd_per_hour;
}

static weir_status reset(weir_env *env, const weir_env_start *start, float *observation,
                         weir_error *error)
{
	scaling *state = env->state;
	weir_env_start fixed = *start;
	if (start->evaluation && start->episode < 0) {
		fixed.episode = (int64_t)(weir_stream_seed(start->seed, "fixed episode", 0) >> 32);
	}
	weir_scaling_loop_leave(state->loop);
	weir_world_release(state->world);
	state->world = NULL;
	weir_status status =
	    weir_world_create(&state->choice, weir_world_choose(&state->choice, &fixed), state->loop,
	                      &state->world, error);
	if (status == WEIR_OK) {
		status = weir_scaling_loop_begin(state->loop, state->world->sim, true, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	weir_scaling_loop_set_reference(state->loop, reference(state));
	choose_window(state, &fixed);
	status = lead_in(state, observation, error);
	double window = state->given->window;
	state->end = window > 0 ? weir_sim_now(state->world->sim) + window : (double)INFINITY;
	return status;
}

/* The outcome of the loop as that of the environment. */
static void tell(weir_env *env, const weir_scaling_outcome *told, weir_env_outcome *outcome)
{
	outcome->reward = told->reward;
	outcome->step = told->decision;
	outcome->applied = told->applied;
	if (told->failed != 0) {
		weir_env_fail(env, outcome, told->last_failed, "%s", told->failure);
		outcome->failed |= told->failed;
	}
}

static weir_status step(weir_env *env, const float *action, float *observation,
                        weir_env_outcome *outcome, weir_error *error)
{
	scaling *state = env->state;
	weir_sim *sim = state->world->sim;
	weir_scaling_outcome told;
	bool asked = false;
	weir_status status = weir_scaling_loop_act(state->loop, sim, action, error);
	if (status == WEIR_OK) {
		status = run_on(state, &asked, error);
	}
	if (status == WEIR_OK && asked) {
		status = weir_scaling_loop_look(state->loop, sim, observation, &told, error);
	}
	bool over = !asked || weir_sim_now(sim) >= state->end;
	if (status == WEIR_OK && over) {
		status = weir_scaling_loop_end(state->loop, sim, observation, &told, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	outcome->terminated = !asked && weir_sim_is_stalled(sim);
	outcome->truncated = over && !outcome->terminated;
	tell(env, &told, outcome);
	return WEIR_OK;
}

static void mask(const weir_env *env, uint8_t *mask_)
{
	const scaling *state = env->state;
	weir_scaling_loop_mask(state->loop, mask_);
}

static void info(const weir_env *env, double *terms)
{
	const scaling *state = env->state;
	memcpy(terms, weir_scaling_loop_values(state->loop), env->term_count * sizeof *terms);
}

/* --- snapshots -------------------------------------------------------------------------------- */

typedef struct saved {
	weir_world *world; /* held */
	weir_sim_snapshot *sim;
	weir_scaling_loop_snapshot *loop; /* NULL: no episode was running */
	double begin, end;
} saved;

static void snapshot_destroy(void *snapshot)
{
	saved *made = snapshot;
	if (made != NULL) {
		weir_sim_snapshot_destroy(made->sim);
		weir_scaling_loop_snapshot_destroy(made->loop);
		weir_world_release(made->world);
		free(made);
	}
}

static weir_status save(const weir_env *env, void **snapshot, weir_error *error)
{
	const scaling *state = env->state;
	*snapshot = NULL;
	saved *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return out_of_memory(error);
	}
	made->begin = state->begin;
	made->end = state->end;
	weir_status status = WEIR_OK;
	if (env->running) {
		made->world = weir_world_hold(state->world);
		status = weir_sim_save(state->world->sim, &made->sim, error);
		if (status == WEIR_OK) {
			status = weir_scaling_loop_save(state->loop, &made->loop, error);
		}
	}
	if (status != WEIR_OK) {
		snapshot_destroy(made);
		return status;
	}
	*snapshot = made;
	return WEIR_OK;
}

static weir_status restore(weir_env *env, const void *snapshot, weir_error *error)
{
	scaling *state = env->state;
	const saved *made = snapshot;
	if (made->loop == NULL) {
		return WEIR_OK; /* nothing to go on with but a reset */
	}
	if (state->world != made->world) {
		weir_scaling_loop_leave(state->loop);
		weir_world_release(state->world);
		state->world = weir_world_hold(made->world);
	}
	state->begin = made->begin;
	state->end = made->end;
	weir_status status = weir_sim_restore(state->world->sim, made->sim, error);
	if (status == WEIR_OK) {
		status = weir_scaling_loop_restore(state->loop, state->world->sim, made->loop, error);
	}
	if (status == WEIR_OK) {
		weir_scaling_loop_set_reference(state->loop, reference(state));
	}
	return status;
}

const weir_env_type weir_env_type_scaling = {
    .name = "scaling",
    .summary = "an agent sizes the pools of a simulated cluster that serves language models",
    .keys = &key_table,
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .step = step,
    .mask = mask,
    .info = info,
    .save = save,
    .restore = restore,
    .snapshot_destroy = snapshot_destroy,
};
