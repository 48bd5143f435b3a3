/*
 * A probe of what a training does around learning: a constraint that is met by a Lagrange
 * multiplier, and checks that do not hold.
 *
 *   probe_constrained   one step; an effort a from 0 to 1 gains a (2 - a) and costs a, which is
 *                       charged at `lambda`. For a given lambda the best effort is 1 - lambda / 2:
 *                       a constraint that the mean cost be c is met with lambda = 2 (1 - c).
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/envs.h"

typedef struct parameters {
	int64_t flawed_one_in;
} parameters;

static const weir_key keys[] = {
    {.name = "flawed_one_in",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(parameters, flawed_one_in),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1000000000,
     .unit = "episodes",
     .doc = "In one of so many episodes, by chance, the reward is not the sum of its terms, to be "
            "found out; 0: never."},
};

static const weir_key_table key_table = {
    .name = "probe_constrained",
    .doc = "An effort that gains and costs.",
    .size = sizeof(parameters),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

static const weir_dimension observed[] = {{.name = "constant", .unit = "", .low = 0, .high = 1}};
static const weir_dimension actions[] = {{.name = "effort", .unit = "", .low = 0, .high = 1}};
enum { GAIN, CHARGE, COST, TERM_COUNT };
static const weir_info_term terms[TERM_COUNT] = {
    [GAIN] = {"gain", "", "what the effort gains", .reward = true},
    [CHARGE] = {"charge", "", "its cost times lambda", .reward = true},
    [COST] = {"cost", "", "what the effort costs", .reward = false},
};
static const char *const coefficient_names[] = {"lambda"};

typedef struct effort {
	const parameters *given;
	uint64_t seed, step;
	double told[TERM_COUNT];
} effort;

static weir_status create(const void *given, weir_env *env, weir_error *error)
{
	effort *state = weir_allocate(1, sizeof *state);
	double *lambda = weir_allocate(1, sizeof *lambda);
	if (state == NULL || lambda == NULL) {
		free(state);
		free(lambda);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a probe");
	}
	state->given = given;
	env->state = state;
	env->state_size = sizeof *state;
	env->observation = (weir_space){WEIR_SPACE_BOX, 1, observed};
	env->action = (weir_space){WEIR_SPACE_BOX, 1, actions};
	env->terms = terms;
	env->term_count = TERM_COUNT;
	env->coefficient_names = coefficient_names;
	env->coefficients = lambda;
	env->coefficient_count = 1;
	return WEIR_OK;
}

static void destroy(weir_env *env)
{
	free(env->coefficients);
	free(env->state);
}

static weir_status reset(weir_env *env, const weir_env_start *start, float *observation,
                         weir_error *error)
{
	(void)error;
	effort *state = env->state;
	*state = (effort){.given = state->given, .seed = weir_env_start_seed(start)};
	observation[0] = 0;
	return WEIR_OK;
}

static bool is_flawed(const effort *state)
{
	int64_t one_in = state->given->flawed_one_in;
	return one_in > 0 && weir_stream_seed(state->seed, "flaw", 0) % (uint64_t)one_in == 0;
}

static weir_status step(weir_env *env, const float *action, float *observation,
                        weir_env_outcome *outcome, weir_error *error)
{
	(void)error;
	effort *state = env->state;
	double spent = (double)action[0];
	state->step++;
	state->told[GAIN] = spent * (2 - spent);
	state->told[CHARGE] = -env->coefficients[0] * spent;
	state->told[COST] = spent;
	observation[0] = 0;
	outcome->reward = state->told[GAIN] + state->told[CHARGE] + (is_flawed(state) ? 1 : 0);
	outcome->terminated = true;
	outcome->step = state->step;
	outcome->applied = weir_action_checksum(action, env->action.size);
	return WEIR_OK;
}

static void info(const weir_env *env, double *told)
{
	const effort *state = env->state;
	for (size_t i = 0; i < TERM_COUNT; i++) {
		told[i] = state->told[i];
	}
}

const weir_env_type weir_env_type_probe_constrained = {
    .name = "probe_constrained",
    .summary = "an effort that gains, and costs what a multiplier says",
    .keys = &key_table,
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .step = step,
    .info = info,
};
