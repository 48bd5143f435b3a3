/*
 * Pendulum: one that hangs anywhere is swung up and held upright by a torque too weak to do it at
 * once. Numbers, the semi-implicit Euler step and the cost as in Gymnasium's Pendulum-v1.
 */
#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/envs.h"

static const double pi = 3.14159265358979323846;
static const double speed_limit = 8; /* rad/s */
static const double tick = 0.05;     /* s */
static const double pull = 15;       /* 3 g / (2 l), 1/s^2 */
static const double leverage = 3;    /* 3 / (m l^2), 1/(kg m^2) */

typedef struct parameters {
	int64_t limit;
	weir_key_list start; /* of double */
} parameters;

static weir_status check(weir_keys_reader *reader, const char *path, void *object,
                         weir_error *error)
{
	const parameters *given = object;
	if (given->start.count != 0 && given->start.count != 2) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "start"), error,
		                      "expected 2 numbers (angle, turn), got %zu", given->start.count);
	}
	return WEIR_OK;
}

static const weir_key keys[] = {
    {.name = "limit",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(parameters, limit),
     .default_text = "200",
     .minimum = 1,
     .maximum = 1e9,
     .unit = "steps",
     .doc = "After so many steps the episode is truncated; nothing else ends it."},
    {.name = "start",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(parameters, start),
     .minimum = -8,
     .maximum = 8,
     .unit = "rad, rad/s",
     .doc = "Angle from upright and turn at the start of every episode; without it they are drawn "
            "uniformly, from -pi to pi and from -1 to 1."},
};

static const weir_key_table key_table = {
    .name = "pendulum",
    .doc = "A pendulum.",
    .size = sizeof(parameters),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check,
};

static const weir_dimension observed[] = {
    {.name = "cosine", .unit = "", .low = -1, .high = 1},
    {.name = "sine", .unit = "", .low = -1, .high = 1},
    {.name = "turn", .unit = "rad/s", .low = -8, .high = 8},
};
static const weir_dimension actions[] = {
    {.name = "torque", .unit = "N m", .low = -2, .high = 2},
};
enum { ANGLE, TURN, TORQUE, TERM_COUNT };
static const weir_info_term terms[TERM_COUNT] = {
    [ANGLE] = {"angle", "rad^2", "minus the square of the angle from upright", .reward = true},
    [TURN] = {"turn", "rad^2/s^2", "minus a tenth of the square of the turn", .reward = true},
    [TORQUE] = {"torque", "N^2 m^2", "minus a thousandth of the square of the torque",
                .reward = true},
};

typedef struct pendulum {
	const parameters *given;
	int64_t steps;
	double angle, turn; /* rad from upright, any number of rounds; rad/s */
	double told[TERM_COUNT];
} pendulum;

static weir_status create(const void *given, weir_env *env, weir_error *error)
{
	pendulum *state = weir_allocate(1, sizeof *state);
	if (state == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a pendulum");
	}
	state->given = given;
	env->state = state;
	env->state_size = sizeof *state;
	env->observation = (weir_space){WEIR_SPACE_BOX, 3, observed};
	env->action = (weir_space){WEIR_SPACE_BOX, 1, actions};
	env->terms = terms;
	env->term_count = TERM_COUNT;
	return WEIR_OK;
}

static void observe(const pendulum *state, float *observation)
{
	observation[0] = (float)cos(state->angle);
	observation[1] = (float)sin(state->angle);
	observation[2] = (float)state->turn;
}

static weir_status reset(weir_env *env, const weir_env_start *start, float *observation,
                         weir_error *error)
{
	(void)error;
	pendulum *state = env->state;
	uint64_t seed = weir_env_start_seed(start);
	double drawn[2] = {pi * (2 * weir_stream_uniform(seed, "pendulum", 0) - 1),
	                   2 * weir_stream_uniform(seed, "pendulum", 1) - 1};
	const double *at = state->given->start.count > 0 ? state->given->start.items : drawn;
	*state = (pendulum){.given = state->given, .angle = at[0], .turn = at[1]};
	observe(state, observation);
	return WEIR_OK;
}

/* Within [-pi, pi). */
static double normal_angle(double angle)
{
	double turned = angle + pi;
	return turned - 2 * pi * floor(turned / (2 * pi)) - pi;
}

static weir_status step(weir_env *env, const float *action, float *observation,
                        weir_env_outcome *outcome, weir_error *error)
{
	(void)error;
	pendulum *state = env->state;
	double torque = (double)action[0];
	double angle = normal_angle(state->angle);
	/* What it costs is that of the state before the step. */
	state->told[ANGLE] = -(angle * angle);
	state->told[TURN] = -(0.1 * state->turn * state->turn);
	state->told[TORQUE] = -(0.001 * torque * torque);
	double turn = state->turn + (pull * sin(state->angle) + leverage * torque) * tick;
	state->turn = fmin(fmax(turn, -speed_limit), speed_limit);
	state->angle += state->turn * tick;
	state->steps++;
	observe(state, observation);
	outcome->reward = state->told[ANGLE] + state->told[TURN] + state->told[TORQUE];
	outcome->truncated = state->steps >= state->given->limit;
	outcome->step = (uint64_t)state->steps;
	outcome->applied = weir_action_checksum(action, env->action.size);
	return WEIR_OK;
}

static void info(const weir_env *env, double *told)
{
	const pendulum *state = env->state;
	for (size_t i = 0; i < TERM_COUNT; i++) {
		told[i] = state->told[i];
	}
}

const weir_env_type weir_env_type_pendulum = {
    .name = "pendulum",
    .summary = "swing a pendulum up and hold it, as Gymnasium's Pendulum-v1",
    .keys = &key_table,
    .create = create,
    .reset = reset,
    .step = step,
    .info = info,
};
