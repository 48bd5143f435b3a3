#include "rl/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "record/archive.h"

#define FORMAT "weir checkpoint"
enum { VERSION = 1 };

/* --- counters ------------------------------------------------------------------------------- */

/* One array of the state: what is put and what it is got into. */
typedef struct kept_array {
	const char *name;
	weir_archive_type type;
	size_t extent; /* 0: a single number */
	void *values;
	const char *description;
} kept_array;

enum { ARRAYS = 17 };

static void list_arrays(const weir_train_state *state, kept_array arrays[ARRAYS])
{
	weir_train_state *s = (weir_train_state *)state; /* only weir_checkpoint_load writes */
	const kept_array all[ARRAYS] = {
	    {"counters/steps", WEIR_ARCHIVE_INT64, 0, &s->steps, "of all environments"},
	    {"counters/iterations", WEIR_ARCHIVE_INT64, 0, &s->iterations, "rollouts"},
	    {"counters/failed", WEIR_ARCHIVE_INT64, WEIR_CHECK_COUNT, s->failed,
	     "steps in which each check did not hold"},
	    {"counters/end", WEIR_ARCHIVE_INT64, 0, &s->end, "why training ended; 0: it did not"},
	    {"evaluation/count", WEIR_ARCHIVE_INT64, 0, &s->evaluations, "evaluations made"},
	    {"evaluation/stale", WEIR_ARCHIVE_INT64, 0, &s->stale, "of them since the best one"},
	    {"evaluation/last/steps", WEIR_ARCHIVE_INT64, 0, &s->last.steps, "-1: none"},
	    {"evaluation/last/mean_reward", WEIR_ARCHIVE_DOUBLE, 0, &s->last.mean_reward, ""},
	    {"evaluation/last/std_reward", WEIR_ARCHIVE_DOUBLE, 0, &s->last.std_reward, ""},
	    {"evaluation/last/mean_length", WEIR_ARCHIVE_DOUBLE, 0, &s->last.mean_length, ""},
	    {"evaluation/best/steps", WEIR_ARCHIVE_INT64, 0, &s->best.steps, "-1: none"},
	    {"evaluation/best/mean_reward", WEIR_ARCHIVE_DOUBLE, 0, &s->best.mean_reward, ""},
	    {"evaluation/best/std_reward", WEIR_ARCHIVE_DOUBLE, 0, &s->best.std_reward, ""},
	    {"evaluation/best/mean_length", WEIR_ARCHIVE_DOUBLE, 0, &s->best.mean_length, ""},
	    {"logs/progress_csv", WEIR_ARCHIVE_UINT64, 0, &s->logs.csv, "bytes"},
	    {"logs/progress_jsonl", WEIR_ARCHIVE_UINT64, 0, &s->logs.jsonl, "bytes"},
	    {"logs/events", WEIR_ARCHIVE_UINT64, 0, &s->logs.events, "bytes"},
	};
	memcpy(arrays, all, sizeof all);
}

/* --- positions ------------------------------------------------------------------------------ */

/* Where the environments are, as arrays. */
typedef struct positions {
	size_t count, size, total; /* environments, numbers of an action, steps of all */
	uint64_t *episodes, *steps;
	float *actions; /* [total][size], environment after environment */
} positions;

static void release_positions(positions *p)
{
	free(p->episodes);
	free(p->steps);
	free(p->actions);
}

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a checkpoint");
}

static bool take_positions(const weir_train_state *state, positions *p)
{
	*p = (positions){.count = weir_vector_count(state->vector), .size = state->env->action.size};
	p->episodes = weir_allocate(p->count, sizeof *p->episodes);
	p->steps = weir_allocate(p->count, sizeof *p->steps);
	if (p->episodes == NULL || p->steps == NULL) {
		return false;
	}
	weir_vector_position position;
	for (size_t e = 0; e < p->count; e++) {
		weir_vector_position_get(state->vector, e, &position);
		p->episodes[e] = position.episode;
		p->steps[e] = position.steps;
		p->total += position.steps;
	}
	p->actions = weir_allocate(p->total * p->size + 1, sizeof *p->actions);
	if (p->actions == NULL) {
		return false;
	}
	float *next = p->actions;
	for (size_t e = 0; e < p->count; e++) {
		weir_vector_position_get(state->vector, e, &position);
		if (position.steps > 0) {
			memcpy(next, position.actions, position.steps * p->size * sizeof *next);
		}
		next += position.steps * p->size;
	}
	return true;
}

static weir_status put_positions(const weir_train_state *state, weir_archive_writer *archive,
                                 weir_error *error)
{
	positions p;
	if (!take_positions(state, &p)) {
		release_positions(&p);
		return no_memory(error);
	}
	const size_t extents[] = {p.total, p.size};
	weir_archive_put(archive, "environments/episodes", WEIR_ARCHIVE_UINT64, 1, &p.count, p.episodes,
	                 "", "begun before the one at hand", error);
	weir_archive_put(archive, "environments/steps", WEIR_ARCHIVE_UINT64, 1, &p.count, p.steps, "",
	                 "since the episode's start", error);
	weir_status status =
	    weir_archive_put(archive, "environments/actions", WEIR_ARCHIVE_FLOAT, 2, extents, p.actions,
	                     "", "of these steps, environment after environment", error);
	release_positions(&p);
	return status;
}

static weir_status get_positions(const weir_train_state *state, const weir_archive *archive,
                                 positions *p, weir_error *error)
{
	*p = (positions){.count = weir_vector_count(state->vector), .size = state->env->action.size};
	p->episodes = weir_allocate(p->count, sizeof *p->episodes);
	p->steps = weir_allocate(p->count, sizeof *p->steps);
	if (p->episodes == NULL || p->steps == NULL) {
		return no_memory(error);
	}
	weir_status status = weir_archive_get(archive, "environments/episodes", WEIR_ARCHIVE_UINT64, 1,
	                                      &p->count, p->episodes, error);
	if (status == WEIR_OK) {
		status = weir_archive_get(archive, "environments/steps", WEIR_ARCHIVE_UINT64, 1, &p->count,
		                          p->steps, error);
	}
	size_t rank, extents[WEIR_ARCHIVE_MOST_RANK];
	if (status == WEIR_OK) {
		status = weir_archive_shape(archive, "environments/actions", WEIR_ARCHIVE_FLOAT, &rank,
		                            extents, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	uint64_t left = rank == 2 ? extents[0] : 0;
	for (size_t e = 0; e < p->count; e++) {
		if (p->steps[e] > left) {
			return weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
			                      "environments/actions lacks steps of environment %zu", e);
		}
		left -= p->steps[e];
	}
	p->total = extents[0];
	const size_t wanted[] = {p->total, p->size};
	p->actions = weir_allocate(p->total * p->size + 1, sizeof *p->actions);
	return p->actions != NULL ? weir_archive_get(archive, "environments/actions",
	                                             WEIR_ARCHIVE_FLOAT, 2, wanted, p->actions, error)
	                          : no_memory(error);
}

static weir_status set_positions(weir_train_state *state, const positions *p, weir_error *error)
{
	weir_vector_position *all = weir_allocate(p->count, sizeof *all);
	if (all == NULL) {
		return no_memory(error);
	}
	const float *next = p->actions;
	for (size_t e = 0; e < p->count; e++) {
		all[e] = (weir_vector_position){
		    .episode = p->episodes[e], .steps = (size_t)p->steps[e], .actions = next};
		next += p->steps[e] * p->size;
	}
	weir_status status = weir_vector_positions_set(state->vector, all, &state->buffers, error);
	free(all);
	return status;
}

/* --- the whole ------------------------------------------------------------------------------ */

static weir_status put_all(const weir_train_state *state, weir_archive_writer *archive,
                           weir_error *error)
{
	const char *text = state->config->text;
	const uint64_t digest = XXH3_64bits(text, strlen(text));
	size_t adapted = state->config->adapt.count;
	weir_archive_put_text(archive, "config", text, "with nothing left open", error);
	weir_archive_put(archive, "config_digest", WEIR_ARCHIVE_UINT64, 0, NULL, &digest, "",
	                 "XXH3 (64 bit) of the config", error);
	kept_array arrays[ARRAYS];
	list_arrays(state, arrays);
	for (size_t i = 0; i < ARRAYS; i++) {
		const kept_array *a = &arrays[i];
		weir_archive_put(archive, a->name, a->type, a->extent > 0 ? 1 : 0, &a->extent, a->values,
		                 "", a->description, error);
	}
	weir_archive_put(archive, "coefficients", WEIR_ARCHIVE_DOUBLE, 1, &adapted, state->coefficients,
	                 "", "of the config's `adapt`", error);
	weir_episode_log_put(&state->episodes, archive, "episodes", error);
	/* An error of any of them lasts. */
	weir_status status = put_positions(state, archive, error);
	return status == WEIR_OK ? weir_learner_put(state->learner, archive, "learner", error) : status;
}

weir_status weir_checkpoint_save(const weir_train_state *state, const char *path, weir_error *error)
{
	weir_archive_writer *archive = NULL;
	weir_status status = weir_archive_begin(path, FORMAT, VERSION, &archive, error);
	if (status != WEIR_OK) {
		return status;
	}
	status = put_all(state, archive, error);
	if (status != WEIR_OK) {
		weir_archive_abandon(archive);
		return status;
	}
	return weir_archive_commit(archive, error);
}

static weir_status check_config(const weir_train_state *state, const weir_archive *archive,
                                weir_error *error)
{
	char *text = NULL;
	uint64_t digest;
	const char *path = weir_archive_path(archive);
	weir_status status = weir_archive_get_text(archive, "config", &text, error);
	if (status == WEIR_OK) {
		status = weir_archive_get(archive, "config_digest", WEIR_ARCHIVE_UINT64, 0, NULL, &digest,
		                          error);
	}
	if (status == WEIR_OK && digest != XXH3_64bits(text, strlen(text))) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, path,
		                        "the config in it is not the one that it was written with");
	}
	if (status == WEIR_OK) {
		status = weir_train_config_match(state->config, path, text, error);
	}
	free(text);
	return status;
}

static weir_status check_counters(const weir_train_state *state, const char *path,
                                  weir_error *error)
{
	if (state->steps < 0 || state->iterations < 0 || state->evaluations < 0 || state->stale < 0 ||
	    state->end < 0 || state->end >= WEIR_TRAIN_END_COUNT) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path, "a counter in it is out of its range");
	}
	return WEIR_OK;
}

static weir_status get_all(weir_train_state *state, const weir_archive *archive, weir_error *error)
{
	kept_array arrays[ARRAYS];
	list_arrays(state, arrays);
	size_t adapted = state->config->adapt.count;
	weir_status status = check_config(state, archive, error);
	for (size_t i = 0; i < ARRAYS && status == WEIR_OK; i++) {
		const kept_array *a = &arrays[i];
		status = weir_archive_get(archive, a->name, a->type, a->extent > 0 ? 1 : 0, &a->extent,
		                          a->values, error);
	}
	if (status == WEIR_OK) {
		status = check_counters(state, weir_archive_path(archive), error);
	}
	if (status == WEIR_OK) {
		status = weir_archive_get(archive, "coefficients", WEIR_ARCHIVE_DOUBLE, 1, &adapted,
		                          state->coefficients, error);
	}
	if (status == WEIR_OK) {
		status = weir_episode_log_get(&state->episodes, archive, "episodes", error);
	}
	return status == WEIR_OK ? weir_learner_get(state->learner, archive, "learner", error) : status;
}

static weir_status load(weir_train_state *state, const weir_archive *archive, weir_error *error)
{
	positions p = {0};
	weir_status status = get_all(state, archive, error);
	if (status == WEIR_OK) {
		status = get_positions(state, archive, &p, error);
	}
	if (status == WEIR_OK) {
		weir_train_state_apply_coefficients(state);
		status = set_positions(state, &p, error);
	}
	release_positions(&p);
	if (status == WEIR_OK) {
		weir_learner_continue(state->learner, state->buffers.observations, state->buffers.masks);
	}
	return status;
}

weir_status weir_checkpoint_load(weir_train_state *state, const char *path, weir_error *error)
{
	weir_archive *archive = NULL;
	uint32_t version;
	weir_status status = weir_archive_open(path, FORMAT, VERSION, &version, &archive, error);
	if (status == WEIR_OK) {
		status = load(state, archive, error);
	}
	weir_archive_close(archive);
	return status;
}
