#include "rl/vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "support/test_support.h"

/* --- counting of allocations: glibc's own are called by these; sanitizers have theirs --------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef COUNTS_ALLOCATIONS
#define COUNTS_ALLOCATIONS 1
#endif

static _Atomic unsigned long allocations;

#if COUNTS_ALLOCATIONS
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *data, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *data, size_t size)
{
	allocations++;
	return __libc_realloc(data, size);
}
#endif

/* --- a vector with its buffers -----------------------------------------------------------------
 */

typedef struct fixture {
	weir_vector *vector;
	size_t count, observation_size, action_size, choices, terms;
	float *actions;
	weir_vector_buffers b;
} fixture;

static void open_vector(fixture *f, const char *kind, const char *parameters,
                        const weir_vector_options *options)
{
	weir_error error = {0};
	memset(f, 0, sizeof *f);
	ck_assert_ok(weir_vector_create(kind, parameters, "test", options, &f->vector, &error), &error);
	const weir_env *env = weir_vector_env(f->vector, 0);
	size_t n = f->count = weir_vector_count(f->vector);
	f->observation_size = env->observation.size;
	f->action_size = env->action.size;
	f->choices = weir_space_choices(&env->action);
	f->terms = env->term_count;
	f->actions = calloc(n * f->action_size, sizeof(float));
	f->b = (weir_vector_buffers){
	    .observations = calloc(n * f->observation_size, sizeof(float)),
	    .rewards = calloc(n, sizeof(double)),
	    .terminated = calloc(n, 1),
	    .truncated = calloc(n, 1),
	    .final_observations = calloc(n * f->observation_size, sizeof(float)),
	    .masks = calloc(n * f->choices + 1, 1),
	    .info = calloc(n * f->terms + 1, sizeof(double)),
	    .failed = calloc(n, sizeof(uint32_t)),
	};
}

static void close_vector(fixture *f)
{
	weir_vector_destroy(f->vector);
	free(f->actions);
	free(f->b.observations);
	free(f->b.rewards);
	free(f->b.terminated);
	free(f->b.truncated);
	free(f->b.final_observations);
	free(f->b.masks);
	free(f->b.info);
	free(f->b.failed);
}

static weir_vector_options options_of(size_t count, size_t threads, uint64_t seed)
{
	weir_vector_options options = weir_vector_options_default();
	ck_assert(options.strict && options.auto_reset && !options.evaluation);
	options.count = count;
	options.threads = threads;
	options.seed = seed;
	return options;
}

/* The action of environment e in step `step`, drawn. */
static void choose(const fixture *f, size_t e, uint64_t step, float *action)
{
	const weir_space *space = &weir_vector_env(f->vector, e)->action;
	for (size_t i = 0; i < space->size; i++) {
		const weir_dimension *d = &space->dimensions[i];
		double drawn = weir_stream_uniform(e * 31 + i, "actions", step);
		action[i] = space->kind == WEIR_SPACE_BOX ? d->low + (d->high - d->low) * (float)drawn
		                                          : floorf((float)drawn * (float)d->choices);
	}
}

static void reset_all(fixture *f)
{
	weir_error error = {0};
	ck_assert_ok(weir_vector_reset(f->vector, &f->b, &error), &error);
}

static void step_all(fixture *f, uint64_t step)
{
	weir_error error = {0};
	for (size_t e = 0; e < f->count; e++) {
		choose(f, e, step, f->actions + e * f->action_size);
	}
	ck_assert_ok(weir_vector_step(f->vector, f->actions, &f->b, &error), &error);
}

static void mix(uint64_t *hash, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < size; i++) {
		*hash = (*hash ^ bytes[i]) * 0x100000001b3u;
	}
}

static void mix_buffers(uint64_t *hash, const fixture *f)
{
	mix(hash, f->b.observations, f->count * f->observation_size * sizeof(float));
	mix(hash, f->b.final_observations, f->count * f->observation_size * sizeof(float));
	mix(hash, f->b.rewards, f->count * sizeof(double));
	mix(hash, f->b.terminated, f->count);
	mix(hash, f->b.truncated, f->count);
	mix(hash, f->b.masks, f->count * f->choices);
	mix(hash, f->b.info, f->count * f->terms * sizeof(double));
	mix(hash, f->b.failed, f->count * sizeof(uint32_t));
}

/* --- threads ------------------------------------------------------------------------------------
 */

/* Of everything that comes out of `steps` steps. */
static uint64_t hash_of(const char *kind, size_t count, size_t threads, uint64_t seed, int steps)
{
	fixture f;
	weir_vector_options options = options_of(count, threads, seed);
	open_vector(&f, kind, NULL, &options);
	uint64_t hash = 0;
	reset_all(&f);
	mix_buffers(&hash, &f);
	for (int step = 0; step < steps; step++) {
		step_all(&f, (uint64_t)step);
		mix_buffers(&hash, &f);
	}
	close_vector(&f);
	return hash;
}

START_TEST(threads_change_nothing)
{
	/* Episodes of CartPole are of unequal length, and so do not end together. */
	const char *const kinds[] = {"cartpole", "pendulum", "probe_mask", "tutorial"};
	for (size_t k = 0; k < 4; k++) {
		for (size_t count = 1; count <= 13; count += 6) {
			uint64_t alone = hash_of(kinds[k], count, 1, 5, 300);
			ck_assert_uint_eq(hash_of(kinds[k], count, 2, 5, 300), alone);
			ck_assert_uint_eq(hash_of(kinds[k], count, 3, 5, 300), alone);
			ck_assert_uint_eq(hash_of(kinds[k], count, 8, 5, 300), alone);
			if (strcmp(kinds[k], "tutorial") != 0) { /* which does not draw */
				ck_assert_uint_ne(hash_of(kinds[k], count, 1, 6, 300), alone);
			}
		}
	}
}
END_TEST

START_TEST(a_forked_child_goes_on)
{
	fixture f;
	weir_vector_options options = options_of(6, 3, 1);
	open_vector(&f, "cartpole", NULL, &options);
	reset_all(&f);
	for (uint64_t step = 0; step < 5; step++) {
		step_all(&f, step);
	}
	int pipes[2];
	ck_assert_int_eq(pipe(pipes), 0);
	pid_t child = fork();
	uint64_t hash = 0;
	for (uint64_t step = 5; step < 50; step++) {
		step_all(&f, step);
		mix_buffers(&hash, &f);
	}
	if (child == 0) {
		_exit(write(pipes[1], &hash, sizeof hash) == sizeof hash ? 0 : 1);
	}
	uint64_t childs;
	ck_assert_int_eq(read(pipes[0], &childs, sizeof childs), sizeof childs);
	ck_assert_uint_eq(childs, hash);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	close(pipes[0]);
	close(pipes[1]);
	close_vector(&f);
}
END_TEST

/* --- episodes ------------------------------------------------------------------------------------
 */

/* Each environment gives what one alone gives with the seeds that the header tells. */
START_TEST(each_is_one_alone_with_its_seeds)
{
	fixture f;
	weir_vector_options options = options_of(3, 2, 9);
	open_vector(&f, "cartpole", NULL, &options);
	weir_env *alone[3];
	weir_error error = {0};
	float seen[4];
	uint64_t episodes[3] = {0};
	reset_all(&f);
	for (size_t e = 0; e < 3; e++) {
		ck_assert_ok(weir_env_create("cartpole", NULL, "test", &alone[e], &error), &error);
		weir_env_start start = weir_env_start_default(
		    weir_stream_seed(weir_stream_seed(9, "episodes", e), "episode", 0));
		ck_assert_ok(weir_env_reset(alone[e], &start, seen, &error), &error);
		ck_assert_mem_eq(seen, f.b.observations + e * 4, sizeof seen);
	}
	for (uint64_t step = 0; step < 200; step++) {
		step_all(&f, step);
		for (size_t e = 0; e < 3; e++) {
			weir_env_outcome outcome;
			ck_assert_ok(weir_env_step(alone[e], f.actions + e, seen, &outcome, &error), &error);
			ck_assert(f.b.rewards[e] == outcome.reward);
			ck_assert_int_eq(f.b.terminated[e], outcome.terminated);
			ck_assert_int_eq(f.b.truncated[e], outcome.truncated);
			if (outcome.terminated || outcome.truncated) {
				ck_assert_mem_eq(seen, f.b.final_observations + e * 4, sizeof seen);
				weir_env_start start = weir_env_start_default(
				    weir_stream_seed(weir_stream_seed(9, "episodes", e), "episode", ++episodes[e]));
				ck_assert_ok(weir_env_reset(alone[e], &start, seen, &error), &error);
				ck_assert_mem_ne(seen, f.b.final_observations + e * 4, sizeof seen);
			}
			ck_assert_mem_eq(seen, f.b.observations + e * 4, sizeof seen);
		}
	}
	for (size_t e = 0; e < 3; e++) {
		ck_assert_uint_ge(episodes[e], 3);
		weir_env_close(alone[e]);
	}
	close_vector(&f);
}
END_TEST

START_TEST(what_was_told_is_of_the_step_not_of_the_reset)
{
	fixture f;
	weir_vector_options options = options_of(2, 1, 1);
	open_vector(&f, "tutorial", "{\"length\": 3}", &options);
	reset_all(&f);
	weir_error error = {0};
	f.actions[0] = 1;
	f.actions[1] = 0;
	ck_assert_ok(weir_vector_step(f.vector, f.actions, &f.b, &error), &error);
	ck_assert(f.b.terminated[0] && f.b.terminated[1]);
	ck_assert(f.b.info[0] == 1 && f.b.info[1] == -0.01 && f.b.info[2] == 0);
	ck_assert(f.b.final_observations[0] == 0.5F && f.b.final_observations[1] == -0.5F);
	ck_assert(f.b.observations[0] == 0 && f.b.observations[1] == 0);
	close_vector(&f);
}
END_TEST

START_TEST(without_auto_reset_an_end_stays)
{
	fixture f;
	weir_vector_options options = options_of(2, 1, 1);
	options.auto_reset = false;
	open_vector(&f, "probe_constant", NULL, &options);
	weir_error error = {0};
	reset_all(&f);
	ck_assert_ok(weir_vector_step(f.vector, f.actions, &f.b, &error), &error);
	ck_assert(f.b.terminated[0] && f.b.terminated[1]);
	weir_env_start start = weir_env_start_default(4);
	ck_assert_ok(weir_vector_reset_one(f.vector, 0, &start, f.b.observations, &error), &error);
	ck_assert_int_eq(weir_vector_step(f.vector, f.actions, &f.b, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strncmp(error.message, "environment 1: step after the end", 33) == 0, "%s",
	              error.message);
	close_vector(&f);
}
END_TEST

START_TEST(evaluation_shares_out_the_fixed_episodes)
{
	fixture f;
	weir_vector_options options = options_of(2, 1, 1);
	options.evaluation = true;
	open_vector(&f, "probe_observation", NULL, &options);
	reset_all(&f);
	weir_error error = {0};
	for (int64_t k = 0; k < 20; k++) {
		for (size_t e = 0; e < 2; e++) {
			weir_env_start fixed = {.evaluation = true, .episode = (int64_t)e + 2 * k};
			double sign =
			    weir_stream_uniform(weir_env_start_seed(&fixed), "probe", 0) < 0.5 ? -1 : 1;
			ck_assert((double)f.b.observations[e] == sign);
		}
		ck_assert_ok(weir_vector_step(f.vector, f.actions, &f.b, &error), &error);
	}
	close_vector(&f);
}
END_TEST

START_TEST(one_can_be_begun_anew_with_its_own_seed)
{
	fixture f, g;
	weir_vector_options options = options_of(3, 1, 1);
	open_vector(&f, "cartpole", NULL, &options);
	options.seed = 2;
	open_vector(&g, "cartpole", NULL, &options);
	reset_all(&f);
	reset_all(&g);
	step_all(&g, 77);
	weir_error error = {0};
	weir_env_start start = weir_env_start_default(123);
	ck_assert_ok(weir_vector_reset_one(f.vector, 1, &start, f.b.observations + 4, &error), &error);
	ck_assert_ok(weir_vector_reset_one(g.vector, 1, &start, g.b.observations + 4, &error), &error);

	weir_env *alone;
	float seen[4];
	ck_assert_ok(weir_env_create("cartpole", NULL, "test", &alone, &error), &error);
	ck_assert_ok(weir_env_reset(alone, &start, seen, &error), &error);
	ck_assert_mem_eq(seen, f.b.observations + 4, sizeof seen);
	weir_env_close(alone);
	/* Alike from there on, over the ends of episodes; the others are not. */
	for (uint64_t step = 0; step < 100; step++) {
		step_all(&f, step);
		step_all(&g, step);
		ck_assert_mem_eq(f.b.observations + 4, g.b.observations + 4, sizeof seen);
		ck_assert_mem_ne(f.b.observations, g.b.observations, sizeof seen);
	}
	close_vector(&f);
	close_vector(&g);
}
END_TEST

START_TEST(a_wrong_action_moves_nothing)
{
	fixture f;
	weir_vector_options options = options_of(3, 1, 1);
	open_vector(&f, "pendulum", NULL, &options);
	weir_error error = {0};
	ck_assert_int_eq(weir_vector_step(f.vector, f.actions, &f.b, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strncmp(error.message, "environment 0: step before reset", 32) == 0, "%s",
	              error.message);
	reset_all(&f);
	f.actions[2] = NAN;
	ck_assert_int_eq(weir_vector_step(f.vector, f.actions, &f.b, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strncmp(error.message, "environment 2: action: 'torque'", 31) == 0, "%s",
	              error.message);
	for (size_t e = 0; e < 3; e++) {
		ck_assert_uint_eq(weir_vector_env(f.vector, e)->steps, 0);
	}
	close_vector(&f);

	weir_vector *vector = (weir_vector *)&error;
	options.count = 0;
	ck_assert_int_eq(weir_vector_create("pendulum", NULL, "x", &options, &vector, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_null(vector);
	options.count = 2;
	ck_assert_int_eq(weir_vector_create("pendulun", NULL, "x", &options, &vector, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_null(vector);
	weir_vector_destroy(NULL);
}
END_TEST

START_TEST(buffers_may_be_left_out)
{
	fixture f;
	weir_vector_options options = options_of(5, 2, 1);
	open_vector(&f, "probe_mask", NULL, &options);
	weir_vector_buffers nothing = {0};
	weir_error error = {0};
	ck_assert_ok(weir_vector_reset(f.vector, &nothing, &error), &error);
	for (int step = 0; step < 50; step++) {
		ck_assert_ok(weir_vector_step(f.vector, f.actions, &nothing, &error), &error);
	}
	close_vector(&f);
}
END_TEST

/* --- positions -----------------------------------------------------------------------------------
 */

static void assert_same_buffers(const fixture *a, const fixture *b)
{
	ck_assert_mem_eq(a->b.observations, b->b.observations,
	                 a->count * a->observation_size * sizeof(float));
	if (a->choices > 0) {
		ck_assert_mem_eq(a->b.masks, b->b.masks, a->count * a->choices);
	}
}

static void assert_position_kept(const char *kind, int steps)
{
	fixture f, g;
	weir_vector_options options = options_of(5, 2, 3);
	open_vector(&f, kind, NULL, &options);
	options.threads = 1;
	open_vector(&g, kind, NULL, &options);
	weir_error error = {0};
	weir_vector_position positions[5];
	reset_all(&f);
	for (int step = 0; step < steps; step++) {
		step_all(&f, (uint64_t)step);
	}
	for (size_t e = 0; e < 5; e++) {
		weir_vector_position_get(f.vector, e, &positions[e]);
	}
	ck_assert_ok(weir_vector_positions_set(g.vector, positions, &g.b, &error), &error);
	assert_same_buffers(&f, &g);
	/* Back to its own ones. */
	ck_assert_ok(weir_vector_positions_set(f.vector, positions, &f.b, &error), &error);
	assert_same_buffers(&f, &g);
	for (int step = steps; step < steps + 100; step++) {
		step_all(&f, (uint64_t)step);
		step_all(&g, (uint64_t)step);
		assert_same_buffers(&f, &g);
		ck_assert_mem_eq(f.b.rewards, g.b.rewards, 5 * sizeof(double));
		ck_assert_mem_eq(f.b.truncated, g.b.truncated, 5);
	}
	close_vector(&f);
	close_vector(&g);
}

START_TEST(positions_are_found_again)
{
	for (int steps = 0; steps < 60; steps += 7) {
		assert_position_kept("cartpole", steps);
		assert_position_kept("probe_mask", steps);
		assert_position_kept("pendulum", steps);
	}
}
END_TEST

START_TEST(a_position_beyond_the_end_is_refused)
{
	fixture f;
	weir_vector_options options = options_of(1, 1, 3);
	open_vector(&f, "probe_endless", NULL, &options);
	float actions[9] = {0};
	weir_vector_position position = {.episode = 2, .steps = 9, .actions = actions};
	weir_error error = {0};
	ck_assert_int_eq(weir_vector_positions_set(f.vector, &position, &f.b, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_msg(strncmp(error.message, "environment 0: step after the end", 33) == 0, "%s",
	              error.message);
	close_vector(&f);
}
END_TEST

/* --- cost ----------------------------------------------------------------------------------------
 */

START_TEST(a_step_allocates_nothing)
{
	fixture f;
	weir_vector_options options = options_of(7, 2, 1);
	open_vector(&f, "pendulum", NULL, &options);
	ck_assert(!COUNTS_ALLOCATIONS || allocations > 0);
	reset_all(&f);
	for (uint64_t step = 0; step < 200; step++) { /* one whole episode: the high-water mark */
		step_all(&f, step);
	}
	unsigned long before = allocations; /* Check's own assertions allocate */
	weir_error error = {0};
	int failed = 0;
	for (uint64_t step = 0; step < 1000; step++) {
		failed += weir_vector_step(f.vector, f.actions, &f.b, &error) != WEIR_OK;
	}
	unsigned long after = allocations;
	ck_assert_int_eq(failed, 0);
	ck_assert_uint_eq(after, before);
	close_vector(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/vector");
	TCase *tests = tcase_create("vector");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, threads_change_nothing);
	tcase_add_test(tests, a_forked_child_goes_on);
	tcase_add_test(tests, each_is_one_alone_with_its_seeds);
	tcase_add_test(tests, what_was_told_is_of_the_step_not_of_the_reset);
	tcase_add_test(tests, without_auto_reset_an_end_stays);
	tcase_add_test(tests, evaluation_shares_out_the_fixed_episodes);
	tcase_add_test(tests, one_can_be_begun_anew_with_its_own_seed);
	tcase_add_test(tests, a_wrong_action_moves_nothing);
	tcase_add_test(tests, buffers_may_be_left_out);
	tcase_add_test(tests, positions_are_found_again);
	tcase_add_test(tests, a_position_beyond_the_end_is_refused);
	tcase_add_test(tests, a_step_allocates_nothing);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
