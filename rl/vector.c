#include "rl/vector.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/workers.h"

/* With more than so many it matters little which is stepped last. */
enum { MOST_ORDERED = 64 };

/* One of the environments and how its episodes follow each other. */
typedef struct slot {
	weir_env *env;
	weir_env_start first; /* its seed is where those of the episodes come from */
	bool given;           /* the first episode begins as `first` says; else all are drawn from it */
	uint64_t episode;     /* the number of the one under way, or of the last one */
	bool begun;           /* there is one */
	float *actions;       /* since the reset: [steps][action.size] */
	size_t action_capacity, steps;
	weir_status status; /* of what was done last */
	weir_error error;
	double seconds; /* that it took, where there is an order */
} slot;

struct weir_vector {
	size_t count;
	bool auto_reset;
	weir_workers *workers;
	slot *slots;
	/* Of the spaces of all. */
	size_t observation_size, action_size, choices, term_count;
	size_t *order; /* in which threads take them: the slowest of last time first; NULL: by number */
	float *scratch; /* [count][observation_size], where observations go that nobody wants */
};

/* What the threads do for each slot. */
typedef struct job {
	weir_vector *vector;
	const weir_vector_buffers *buffers;
	const float *actions;
	const weir_vector_position *positions;
	void (*work)(void *context, size_t e); /* for one of them */
} job;

weir_vector_options weir_vector_options_default(void)
{
	return (weir_vector_options){
	    .count = 1, .threads = 0, .seed = 0, .strict = true, .auto_reset = true};
}

/* --- making --------------------------------------------------------------------------------- */

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the environments");
}

static weir_status make_slots(weir_vector *vector, const char *kind, const char *parameters,
                              const char *name, const weir_vector_options *options,
                              weir_error *error)
{
	for (size_t e = 0; e < vector->count; e++) {
		slot *s = &vector->slots[e];
		weir_status status = weir_env_create(kind, parameters, name, &s->env, error);
		if (status != WEIR_OK) {
			return status;
		}
		s->env->strict = options->strict;
		s->first = (weir_env_start){.seed = weir_stream_seed(options->seed, "episodes", e),
		                            .evaluation = options->evaluation,
		                            .episode = options->evaluation ? (int64_t)e : -1};
	}
	return WEIR_OK;
}

/* False when memory is out. */
static bool make_order(weir_vector *vector)
{
	if (weir_workers_threads(vector->workers) == 1 || vector->count > MOST_ORDERED) {
		return true;
	}
	vector->order = weir_allocate(vector->count, sizeof *vector->order);
	for (size_t e = 0; vector->order != NULL && e < vector->count; e++) {
		vector->order[e] = e;
	}
	return vector->order != NULL;
}

static weir_status make(weir_vector *vector, const char *kind, const char *parameters,
                        const char *name, const weir_vector_options *options, weir_error *error)
{
	vector->slots = weir_allocate(options->count, sizeof *vector->slots);
	if (vector->slots == NULL) {
		return no_memory(error);
	}
	vector->count = options->count;
	weir_status status = make_slots(vector, kind, parameters, name, options, error);
	if (status != WEIR_OK) {
		return status;
	}
	const weir_env *env = vector->slots[0].env;
	vector->observation_size = env->observation.size;
	vector->action_size = env->action.size;
	vector->choices = weir_space_choices(&env->action);
	vector->term_count = env->term_count;
	vector->scratch =
	    weir_allocate(vector->count, vector->observation_size * sizeof *vector->scratch);
	vector->workers = weir_workers_create(options->threads, vector->count);
	if (vector->scratch == NULL || vector->workers == NULL || !make_order(vector)) {
		return no_memory(error);
	}
	return WEIR_OK;
}

weir_status weir_vector_create(const char *kind, const char *parameters, const char *name,
                               const weir_vector_options *options, weir_vector **vector,
                               weir_error *error)
{
	*vector = NULL;
	if (options->count < 1) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "0 environments: at least 1 is needed");
	}
	weir_vector *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return no_memory(error);
	}
	made->auto_reset = options->auto_reset;
	weir_status status = make(made, kind, parameters, name, options, error);
	if (status != WEIR_OK) {
		weir_vector_destroy(made);
		return status;
	}
	*vector = made;
	return WEIR_OK;
}

void weir_vector_destroy(weir_vector *vector)
{
	if (vector == NULL) {
		return;
	}
	weir_workers_destroy(vector->workers);
	for (size_t e = 0; e < vector->count; e++) {
		weir_env_close(vector->slots[e].env);
		free(vector->slots[e].actions);
	}
	free(vector->slots);
	free(vector->order);
	free(vector->scratch);
	free(vector);
}

size_t weir_vector_count(const weir_vector *vector)
{
	return vector->count;
}

const weir_env *weir_vector_env(const weir_vector *vector, size_t number)
{
	return vector->slots[number].env;
}

bool weir_vector_set_coefficient(weir_vector *vector, const char *name, double value)
{
	bool known = true;
	for (size_t e = 0; e < vector->count; e++) {
		known = weir_env_set_coefficient(vector->slots[e].env, name, value) && known;
	}
	return known;
}

/* --- one environment ------------------------------------------------------------------------ */

/* The start of its episode number `episode`. */
static weir_env_start episode_start(const weir_vector *vector, const slot *s, uint64_t episode)
{
	weir_env_start start = s->first;
	if (!s->given || episode > 0) {
		start.seed = weir_stream_seed(s->first.seed, "episode", episode);
	}
	if (start.episode >= 0) {
		start.episode += (int64_t)(episode * vector->count);
	}
	return start;
}

/* Begins episode number `episode`. */
static weir_status begin(const weir_vector *vector, slot *s, uint64_t episode, float *observation)
{
	weir_env_start start = episode_start(vector, s, episode);
	s->episode = episode;
	s->begun = true;
	s->steps = 0;
	return weir_env_reset(s->env, &start, observation, &s->error);
}

/* Keeps the action, so that the episode can be done again up to here. */
static weir_status keep_action(const weir_vector *vector, slot *s, const float *action)
{
	size_t size = vector->action_size;
	void *actions = s->actions;
	bool kept =
	    weir_reserve_raw(&actions, &s->action_capacity, (s->steps + 1) * size, sizeof *action);
	s->actions = actions;
	if (!kept) {
		return no_memory(&s->error);
	}
	/* Positions may be those that this vector itself has told. */
	memmove(s->actions + s->steps * size, action, size * sizeof *action);
	s->steps++;
	return WEIR_OK;
}

static weir_status step_env(const weir_vector *vector, slot *s, const float *action,
                            float *observation, weir_env_outcome *outcome)
{
	*outcome = (weir_env_outcome){0};
	weir_status status = weir_env_step(s->env, action, observation, outcome, &s->error);
	return status == WEIR_OK ? keep_action(vector, s, action) : status;
}

static float *observation_row(const job *j, size_t e)
{
	float *rows = j->buffers->observations != NULL ? j->buffers->observations : j->vector->scratch;
	return rows + e * j->vector->observation_size;
}

static void write_mask(const job *j, size_t e)
{
	if (j->buffers->masks != NULL) {
		weir_env_mask(j->vector->slots[e].env, j->buffers->masks + e * j->vector->choices);
	}
}

static void write_outcome(const job *j, size_t e, const weir_env_outcome *outcome)
{
	const weir_vector_buffers *b = j->buffers;
	if (b->rewards != NULL) {
		b->rewards[e] = outcome->reward;
	}
	if (b->terminated != NULL) {
		b->terminated[e] = outcome->terminated;
	}
	if (b->truncated != NULL) {
		b->truncated[e] = outcome->truncated;
	}
	if (b->failed != NULL) {
		b->failed[e] = outcome->failed;
	}
	if (b->info != NULL) {
		weir_env_info(j->vector->slots[e].env, b->info + e * j->vector->term_count);
	}
}

static void reset_one(void *context, size_t e)
{
	const job *j = context;
	slot *s = &j->vector->slots[e];
	s->status = begin(j->vector, s, s->begun ? s->episode + 1 : 0, observation_row(j, e));
	write_mask(j, e);
}

static void step_one(void *context, size_t e)
{
	const job *j = context;
	const weir_vector *vector = j->vector;
	slot *s = &vector->slots[e];
	float *observation = observation_row(j, e);
	weir_env_outcome outcome;
	s->status = step_env(vector, s, j->actions + e * vector->action_size, observation, &outcome);
	if (s->status != WEIR_OK) {
		return;
	}
	write_outcome(j, e, &outcome);
	if (outcome.terminated || outcome.truncated) {
		size_t size = vector->observation_size;
		if (j->buffers->final_observations != NULL) {
			memcpy(j->buffers->final_observations + e * size, observation,
			       size * sizeof *observation);
		}
		if (vector->auto_reset) {
			s->status = begin(vector, s, s->episode + 1, observation);
		}
	}
	write_mask(j, e);
}

static void place_one(void *context, size_t e)
{
	const job *j = context;
	const weir_vector *vector = j->vector;
	slot *s = &vector->slots[e];
	weir_vector_position position = j->positions[e];
	float *observation = observation_row(j, e);
	s->status = begin(vector, s, position.episode, observation);
	for (size_t i = 0; i < position.steps && s->status == WEIR_OK; i++) {
		weir_env_outcome outcome;
		s->status =
		    step_env(vector, s, position.actions + i * vector->action_size, observation, &outcome);
	}
	write_mask(j, e);
}

/* --- all ------------------------------------------------------------------------------------- */

/* Tells an error of environment `e`, with its number. */
static weir_status tell(const slot *s, size_t e, weir_status status, weir_error *error)
{
	return weir_error_set(error, status, s->error.where, "environment %zu: %s", e,
	                      s->error.message);
}

static double clock_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void work_in_order(void *context, size_t i)
{
	const job *j = context;
	size_t e = j->vector->order[i];
	double begun = clock_seconds();
	j->work(context, e);
	j->vector->slots[e].seconds = clock_seconds() - begun;
}

/* The slowest first, so that no thread begins a long one when the others are nearly done. */
static void sort_order(weir_vector *vector)
{
	for (size_t i = 1; i < vector->count; i++) {
		size_t e = vector->order[i];
		size_t to = i;
		for (; to > 0 && vector->slots[vector->order[to - 1]].seconds < vector->slots[e].seconds;
		     to--) {
			vector->order[to] = vector->order[to - 1];
		}
		vector->order[to] = e;
	}
}

static weir_status run(job *j, void (*work)(void *context, size_t e), weir_error *error)
{
	weir_vector *vector = j->vector;
	j->work = work;
	if (vector->order != NULL) {
		weir_workers_run(vector->workers, vector->count, work_in_order, j);
		sort_order(vector);
	} else {
		weir_workers_run(vector->workers, vector->count, work, j);
	}
	for (size_t e = 0; e < vector->count; e++) {
		if (vector->slots[e].status != WEIR_OK) {
			return tell(&vector->slots[e], e, vector->slots[e].status, error);
		}
	}
	return WEIR_OK;
}

weir_status weir_vector_reset(weir_vector *vector, const weir_vector_buffers *buffers,
                              weir_error *error)
{
	job j = {.vector = vector, .buffers = buffers};
	return run(&j, reset_one, error);
}

weir_status weir_vector_reset_one(weir_vector *vector, size_t number, const weir_env_start *start,
                                  float *observation, weir_error *error)
{
	slot *s = &vector->slots[number];
	s->first = *start;
	s->given = true;
	weir_status status = begin(vector, s, 0, observation);
	return status == WEIR_OK ? WEIR_OK : tell(s, number, status, error);
}

weir_status weir_vector_step(weir_vector *vector, const float *actions,
                             const weir_vector_buffers *buffers, weir_error *error)
{
	/* An action that is refused is refused before anything has moved. */
	for (size_t e = 0; e < vector->count; e++) {
		slot *s = &vector->slots[e];
		const float *action = actions + e * vector->action_size;
		weir_status status = weir_space_check(&s->env->action, action, "action", &s->error);
		if (status != WEIR_OK) {
			return tell(s, e, status, error);
		}
	}
	job j = {.vector = vector, .buffers = buffers, .actions = actions};
	return run(&j, step_one, error);
}

/* --- positions ------------------------------------------------------------------------------- */

void weir_vector_position_get(const weir_vector *vector, size_t number,
                              weir_vector_position *position)
{
	const slot *s = &vector->slots[number];
	*position =
	    (weir_vector_position){.episode = s->episode, .steps = s->steps, .actions = s->actions};
}

weir_status weir_vector_positions_set(weir_vector *vector, const weir_vector_position *positions,
                                      const weir_vector_buffers *buffers, weir_error *error)
{
	job j = {.vector = vector, .buffers = buffers, .positions = positions};
	return run(&j, place_one, error);
}
