/*
 * CartPole: a pole on a cart is kept upright by pushing the cart to the left or to the right.
 *
 * Barto, Sutton, Anderson 1983, "Neuronlike adaptive elements that can solve difficult learning
 * control problems", IEEE Trans. SMC 13(5), with the equations of Florian 2007, "Correct equations
 * for the dynamics of the cart-pole system", without friction; numbers, order of the explicit Euler
 * step, reward and limits as in Gymnasium's CartPole-v1.
 */
#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/envs.h"

enum { STATE_SIZE = 4 };

static const double gravity = 9.8;
static const double cart_and_pole_mass = 1.1; /* kg, of which the pole 0.1 */
static const double pole_mass = 0.1;
static const double half_length = 0.5;                                   /* m */
static const double pole_mass_length = 0.05;                             /* kg m */
static const double push = 10;                                           /* N */
static const double tick = 0.02;                                         /* s */
static const double place_limit = 2.4;                                   /* m */
static const double angle_limit = 12 * 2 * 3.14159265358979323846 / 360; /* rad */
static const double start_range = 0.05;

typedef struct parameters {
	int64_t limit;
	weir_key_list start; /* of double */
} parameters;

static weir_status check(weir_keys_reader *reader, const char *path, void *object,
                         weir_error *error)
{
	const parameters *given = object;
	if (given->start.count != 0 && given->start.count != STATE_SIZE) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "start"), error,
		                      "expected 4 numbers (place, speed, angle, turn), got %zu",
		                      given->start.count);
	}
	const double *at = given->start.items;
	if (at != NULL && (fabs(at[0]) > place_limit || fabs(at[2]) > angle_limit)) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "start"), error,
		                      "place %g m, angle %g rad: the episode would be over; they must be "
		                      "within %g m and %.4g rad of 0",
		                      at[0], at[2], place_limit, angle_limit);
	}
	return WEIR_OK;
}

static const weir_key keys[] = {
    {.name = "limit",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(parameters, limit),
     .default_text = "500",
     .minimum = 1,
     .maximum = 1e9,
     .unit = "steps",
     .doc = "After so many steps the episode is truncated."},
    {.name = "start",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(parameters, start),
     .minimum = -10,
     .maximum = 10,
     .unit = "m, m/s, rad, rad/s",
     .doc = "Place, speed, angle and turn at the start of every episode; without it each is drawn "
            "uniformly from -0.05 to 0.05."},
};

static const weir_key_table key_table = {
    .name = "cartpole",
    .doc = "A pole on a cart.",
    .size = sizeof(parameters),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
    .check = check,
};

static const weir_dimension observed[STATE_SIZE] = {
    {.name = "place", .unit = "m", .low = -4.8F, .high = 4.8F},
    {.name = "speed", .unit = "m/s", .low = -INFINITY, .high = INFINITY},
    {.name = "angle", .unit = "rad", .low = -0.41887903F, .high = 0.41887903F},
    {.name = "turn", .unit = "rad/s", .low = -INFINITY, .high = INFINITY},
};
static const weir_dimension actions[] = {
    {.name = "push", .unit = "", .choices = 2}, /* 0 to the left, 1 to the right */
};

typedef struct cart {
	const parameters *given;
	int64_t steps;
	double place, speed, angle, turn; /* m, m/s, rad from upright, rad/s */
} cart;

static weir_status create(const void *given, weir_env *env, weir_error *error)
{
	cart *state = weir_allocate(1, sizeof *state);
	if (state == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a cart");
	}
	state->given = given;
	env->state = state;
	env->state_size = sizeof *state;
	env->observation = (weir_space){WEIR_SPACE_BOX, STATE_SIZE, observed};
	env->action = (weir_space){WEIR_SPACE_DISCRETE, 1, actions};
	return WEIR_OK;
}

static void observe(const cart *state, float *observation)
{
	observation[0] = (float)state->place;
	observation[1] = (float)state->speed;
	observation[2] = (float)state->angle;
	observation[3] = (float)state->turn;
}

static weir_status reset(weir_env *env, const weir_env_start *start, float *observation,
                         weir_error *error)
{
	(void)error;
	cart *state = env->state;
	uint64_t seed = weir_env_start_seed(start);
	double drawn[STATE_SIZE];
	for (uint64_t i = 0; i < STATE_SIZE; i++) {
		drawn[i] = start_range * (2 * weir_stream_uniform(seed, "cartpole", i) - 1);
	}
	const double *at = state->given->start.count > 0 ? state->given->start.items : drawn;
	*state = (cart){
	    .given = state->given, .place = at[0], .speed = at[1], .angle = at[2], .turn = at[3]};
	observe(state, observation);
	return WEIR_OK;
}

static void move(cart *state, double force)
{
	double cosine = cos(state->angle);
	double sine = sin(state->angle);
	double pushed =
	    (force + pole_mass_length * (state->turn * state->turn) * sine) / cart_and_pole_mass;
	double angular =
	    (gravity * sine - cosine * pushed) /
	    (half_length * (4.0 / 3.0 - pole_mass * (cosine * cosine) / cart_and_pole_mass));
	double linear = pushed - pole_mass_length * angular * cosine / cart_and_pole_mass;
	/* Explicit Euler: places move by the old speeds. */
	state->place += tick * state->speed;
	state->speed += tick * linear;
	state->angle += tick * state->turn;
	state->turn += tick * angular;
}

static weir_status step(weir_env *env, const float *action, float *observation,
                        weir_env_outcome *outcome, weir_error *error)
{
	(void)error;
	cart *state = env->state;
	move(state, action[0] == 1 ? push : -push);
	state->steps++;
	observe(state, observation);
	outcome->reward = 1;
	outcome->terminated = fabs(state->place) > place_limit || fabs(state->angle) > angle_limit;
	outcome->truncated = state->steps >= state->given->limit;
	outcome->step = (uint64_t)state->steps;
	outcome->applied = weir_action_checksum(action, env->action.size);
	return WEIR_OK;
}

const weir_env_type weir_env_type_cartpole = {
    .name = "cartpole",
    .summary = "keep a pole on a cart upright (Barto et al. 1983), as Gymnasium's CartPole-v1",
    .keys = &key_table,
    .create = create,
    .reset = reset,
    .step = step,
};
