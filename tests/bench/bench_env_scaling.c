/*
 * The environment `scaling`: decisions per second on the scenarios of configs/scenarios, what a
 * decision costs beside the requests of its interval (against the same run with a deferred policy
 * that sees nothing and decides nothing), what beginning an episode costs, and what a second thread
 * brings. Run it where configs/ is.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rl/env.h"
#include "rl/vector.h"
#include "run/sim.h"

enum { REPEATS = 5, ENVIRONMENTS = 4, STEPS = 300 };

static double seconds(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double cpu_seconds(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void require(weir_status status, const weir_error *error)
{
	if (status != WEIR_OK) {
		fprintf(stderr, "bench_env_scaling: %s: %s\n", error->where, error->message);
		exit(EXIT_FAILURE);
	}
}

static void ignore(const weir_policy_context *context, void *state, const weir_view *view,
                   weir_decision *decision)
{
	(void)context, (void)state, (void)view, (void)decision;
}

static const weir_policy_type idle = {
    .name = "idle", .joint = true, .deferred = true, .interval = 10, .decide = ignore};

/* A scenario, and an override of it. */
typedef struct world {
	const char *name, *scenario, *set;
} world;

/* The world's first member, every tick answered with nothing; CPU seconds of the events. */
static double run_idle(const world *w)
{
	char path[128];
	snprintf(path, sizeof path, "configs/scenarios/%s.json", w->scenario);
	static const char *const directories[] = {"configs", NULL};
	const weir_document_options options = {
	    .path = path, .directories = directories, .sets = &w->set, .set_count = 1};
	const weir_controller_policy policy = {.type = &idle, .pool = -1};
	const weir_decision nothing = {0};
	const weir_config *config = NULL;
	weir_sim *sim = NULL;
	weir_error error = {0};
	require(weir_config_load_member(&options, 0, &config, &error), &error);
	require(weir_sim_create_with(config, NULL, &policy, 1, &sim, &error), &error);
	double start = cpu_seconds();
	for (bool more = true; more;) {
		require(weir_sim_run(sim, INFINITY, UINT64_MAX, &more, &error), &error);
		if (weir_sim_waiting(sim) >= 0) {
			require(weir_sim_answer(sim, &nothing, NULL, &error), &error);
		}
	}
	double taken = cpu_seconds() - start;
	weir_sim_destroy(sim);
	weir_config_destroy(config);
	return taken;
}

static const char *parameters_of(const world *w, const char *more)
{
	static char text[512];
	snprintf(text, sizeof text,
	         "{\"configs\": [{\"path\": \"configs/scenarios/%s.json\"}], \"sets\": [\"%s\"]%s}",
	         w->scenario, w->set, more);
	return text;
}

/* One episode of the environment with the same fleet; CPU seconds of its reset and its steps. */
static double run_env(weir_env *env, float *observation, double *reset, size_t *steps)
{
	const weir_env_start start = {.evaluation = true, .episode = 0};
	const float hold[3] = {0};
	weir_error error = {0};
	weir_env_outcome outcome = {0};
	double begun = cpu_seconds();
	require(weir_env_reset(env, &start, observation, &error), &error);
	double stepped = cpu_seconds();
	*reset = stepped - begun;
	for (*steps = 0; !outcome.terminated && !outcome.truncated; (*steps)++) {
		require(weir_env_step(env, hold, observation, &outcome, &error), &error);
	}
	return cpu_seconds() - stepped;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double values[REPEATS])
{
	qsort(values, REPEATS, sizeof *values, compare);
	return values[REPEATS / 2];
}

/* Both take turns, so that what else the machine does meets both. */
static void measure(const world *w)
{
	weir_error error = {0};
	weir_env *env = NULL;
	double of_idle[REPEATS], of_env[REPEATS], resets[REPEATS];
	size_t steps = 0;
	require(weir_env_create("scaling", parameters_of(w, ""), "bench", &env, &error), &error);
	float *observation = calloc(env->observation.size, sizeof *observation);
	for (int i = 0; i < REPEATS; i++) {
		of_idle[i] = run_idle(w);
		of_env[i] = run_env(env, observation, &resets[i], &steps);
	}
	double idle_seconds = median(of_idle), env_seconds = median(of_env);
	printf("%-13s %9zu %8.3f %8.3f %11.0f %12.1f %9.1f\n", w->name, steps, idle_seconds,
	       env_seconds, (double)steps / env_seconds,
	       1e6 * (env_seconds - idle_seconds) / (double)steps, 1e3 * median(resets));
	free(observation);
	weir_env_close(env);
}

static const world diurnal = {"diurnal", "diurnal", "seed=1"};

/* Decisions per second of wall time of several environments over so many threads. */
static double run_vector(size_t threads)
{
	weir_error error = {0};
	weir_vector *vector = NULL;
	weir_vector_options options = weir_vector_options_default();
	options.count = ENVIRONMENTS;
	options.threads = threads;
	require(weir_vector_create("scaling", parameters_of(&diurnal, ", \"window\": 600"), "bench",
	                           &options, &vector, &error),
	        &error);
	size_t size = weir_vector_env(vector, 0)->observation.size;
	float *observations = calloc(ENVIRONMENTS * size, sizeof *observations);
	const weir_vector_buffers buffers = {.observations = observations};
	const float hold[ENVIRONMENTS * 3] = {0};
	require(weir_vector_reset(vector, &buffers, &error), &error);
	double start = seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < STEPS; i++) {
		require(weir_vector_step(vector, hold, &buffers, &error), &error);
	}
	double taken = seconds(CLOCK_MONOTONIC) - start;
	free(observations);
	weir_vector_destroy(vector);
	return ENVIRONMENTS * STEPS / taken;
}

int main(void)
{
	printf("%-13s %9s %8s %8s %11s %12s %9s\n", "scenario", "decisions", "idle s", "env s",
	       "decisions/s", "us/decision", "reset ms");
	/* With next to no requests: what a decision costs by itself. */
	static const world worlds[] = {{"nearly idle", "steady", "workload.arrivals.rate=0.1"},
	                               {"steady", "steady", "seed=1"},
	                               {"diurnal", "diurnal", "seed=1"},
	                               {"ramp", "ramp", "seed=1"},
	                               {"bursty", "bursty", "seed=1"},
	                               {"flash_crowd", "flash_crowd", "seed=1"},
	                               {"azure_replay", "azure_replay", "seed=1"}};
	for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++) {
		measure(&worlds[i]);
	}
	double rates[2][REPEATS];
	for (int i = 0; i < REPEATS; i++) {
		rates[0][i] = run_vector(1);
		rates[1][i] = run_vector(2);
	}
	double one = median(rates[0]), two = median(rates[1]);
	printf("\n%d environments: %.0f decisions/s on one thread, %.0f on two: %.2f times\n",
	       ENVIRONMENTS, one, two, two / one);
	return EXIT_SUCCESS;
}
