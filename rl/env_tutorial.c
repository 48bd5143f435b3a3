/*
 * The smallest environment, to be read by who writes one.
 *
 * A walker starts in the middle of a path of `length` places and goes one place to the left or to
 * the right with every step, each of which costs 0.01. At the right end it finds 1, at the left end
 * nothing; both end the episode. After ten times `length` steps it is called back.
 */
#include "base/memory.h"
#include "base/random.h"
#include "rl/envs.h"

/* Its parameters, and the table from which they are read and explained. */
typedef struct parameters {
	int64_t length;
	double stumble;
} parameters;

static const weir_key keys[] = {
    {.name = "length",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(parameters, length),
     .default_text = "7",
     .minimum = 3,
     .maximum = 1000,
     .unit = "places",
     .doc = "How long the path is."},
    {.name = "stumble",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(parameters, stumble),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1,
     .doc = "The probability that a step does not get the walker anywhere."},
};

static const weir_key_table key_table = {
    .name = "tutorial",
    .doc = "A walker on a path.",
    .size = sizeof(parameters),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

/* What is seen, what can be done, what is told. Units and bounds are part of the contract: every
 * observation is checked against them. */
static const weir_dimension observed[] = {
    {.name = "place", .unit = "path lengths", .low = -0.5F, .high = 0.5F},
};
static const weir_dimension actions[] = {
    {.name = "direction", .unit = "", .choices = 2},
};
enum { GAIN, TOIL, TERM_COUNT };
static const weir_info_term terms[TERM_COUNT] = {
    [GAIN] = {"gain", "", "1 at the right end", .reward = true},
    [TOIL] = {"toil", "", "the price of a step", .reward = true},
};

/* Everything that changes, in one block: so saving and restoring it needs no code here. */
typedef struct walk {
	const parameters *given;
	uint64_t seed, step;
	int64_t place; /* 0 .. length - 1 */
	double told[TERM_COUNT];
} walk;

static weir_status create(const void *given, weir_env *env, weir_error *error)
{
	walk *state = weir_allocate(1, sizeof *state);
	if (state == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the walker");
	}
	state->given = given;
	env->state = state;
	env->state_size = sizeof *state;
	env->observation = (weir_space){WEIR_SPACE_BOX, 1, observed};
	env->action = (weir_space){WEIR_SPACE_DISCRETE, 1, actions};
	env->terms = terms;
	env->term_count = TERM_COUNT;
	return WEIR_OK;
}

static void observe(const walk *state, float *observation)
{
	int64_t last = state->given->length - 1;
	observation[0] = (float)state->place / (float)last - 0.5F;
}

static weir_status reset(weir_env *env, const weir_env_start *start, float *observation,
                         weir_error *error)
{
	(void)error;
	walk *state = env->state;
	state->seed = weir_env_start_seed(start);
	state->step = 0;
	state->place = state->given->length / 2;
	observe(state, observation);
	return WEIR_OK;
}

static weir_status step(weir_env *env, const float *action, float *observation,
                        weir_env_outcome *outcome, weir_error *error)
{
	(void)error;
	walk *state = env->state;
	state->step++;
	/* Chance is a function of the seed and the step: one more draw elsewhere changes nothing. */
	if (weir_stream_uniform(state->seed, "stumble", state->step) >= state->given->stumble) {
		state->place += action[0] == 1 ? 1 : -1;
	}
	bool right = state->place == state->given->length - 1;
	state->told[GAIN] = right ? 1 : 0;
	state->told[TOIL] = -0.01;
	observe(state, observation);
	outcome->reward = state->told[GAIN] + state->told[TOIL];
	outcome->terminated = right || state->place == 0;
	outcome->truncated = state->step >= (uint64_t)state->given->length * 10;
	outcome->step = state->step;
	outcome->applied = weir_action_checksum(action, env->action.size);
	return WEIR_OK;
}

static void info(const weir_env *env, double *told)
{
	const walk *state = env->state;
	for (size_t i = 0; i < TERM_COUNT; i++) {
		told[i] = state->told[i];
	}
}

const weir_env_type weir_env_type_tutorial = {
    .name = "tutorial",
    .summary = "a walker on a path, the smallest environment",
    .keys = &key_table,
    .create = create,
    .reset = reset,
    .step = step,
    .info = info,
};
