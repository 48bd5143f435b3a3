/*
 * Probes: worlds so small that what is to be learned in them is known exactly, each of which sees
 * another kind of mistake in a learning algorithm (Jones 2021, "Debugging Reinforcement Learning
 * Systems"). With discount g the values are:
 *
 *   probe_constant            1
 *   probe_observation         what is observed, -1 or 1
 *   probe_two_steps           g where 0 is observed, 1 where 1 is
 *   probe_action              1, with choice 1
 *   probe_observation_action  1, with choice 1 where 1 is observed, 0 where -1 is
 *   probe_endless             1 / (1 - g), although every episode is cut off after 8 steps
 *   probe_chain               g / (1 - g) where 0 is observed, 1 / (1 - g) where 1 is, likewise cut
 *                             off after 4 steps
 *   probe_identity            the choice that is observed, of 4, one-hot, is rewarded by 1, any
 *                             other by 0; 100 steps
 *   probe_mask                of 3 and 4 choices the largest are worth most, but one of each must
 *                             not be taken: another one in every step, which the mask tells, and
 * the observation; 20 steps
 */
#include "base/memory.h"
#include "base/random.h"
#include "rl/envs.h"

enum { GAIN, PENALTY, TERM_COUNT };

typedef struct probe probe;

typedef struct probe_state {
	const probe *rules;
	uint64_t seed, step;
	double told[TERM_COUNT];
} probe_state;

struct probe {
	weir_space observation, action;
	uint64_t length; /* steps of an episode */
	bool truncated;  /* its end cuts it off */
	void (*observe)(const probe_state *state, float *observation);
	double (*gain)(const probe_state *state, const float *action);
	double (*penalty)(const probe_state *state, const float *action); /* NULL: none */
};

/* Number `index` of 0 .. count - 1, drawn for this step. */
static uint32_t draw(const probe_state *state, uint32_t count)
{
	return (uint32_t)(weir_stream_uniform(state->seed, "probe", state->step) * count);
}

/* --- what is observed ------------------------------------------------------------------------ */

static void observe_nothing(const probe_state *state, float *observation)
{
	(void)state;
	observation[0] = 0;
}

static void observe_sign(const probe_state *state, float *observation)
{
	observation[0] = draw(state, 2) == 1 ? 1 : -1;
}

static void observe_whether_begun(const probe_state *state, float *observation)
{
	observation[0] = state->step > 0 ? 1 : 0;
}

static void observe_choice(const probe_state *state, float *observation)
{
	uint32_t choice = draw(state, 4);
	for (uint32_t i = 0; i < 4; i++) {
		observation[i] = i == choice ? 1 : 0;
	}
}

static uint32_t forbidden(const probe_state *state, size_t dimension)
{
	uint32_t pair = draw(state, 12);
	return dimension == 0 ? pair / 4 : pair % 4;
}

static void observe_forbidden(const probe_state *state, float *observation)
{
	observation[0] = (float)forbidden(state, 0) / 2;
	observation[1] = (float)forbidden(state, 1) / 3;
}

/* --- what is rewarded ------------------------------------------------------------------------ */

static double gain_always(const probe_state *state, const float *action)
{
	(void)state, (void)action;
	return 1;
}

static double gain_sign(const probe_state *state, const float *action)
{
	(void)action;
	return draw(state, 2) == 1 ? 1 : -1;
}

static double gain_later(const probe_state *state, const float *action)
{
	(void)action;
	return state->step > 0 ? 1 : 0;
}

static double gain_action(const probe_state *state, const float *action)
{
	(void)state;
	return action[0] == 1 ? 1 : -1;
}

static double gain_sign_and_action(const probe_state *state, const float *action)
{
	return gain_sign(state, action) * gain_action(state, action);
}

static double gain_same(const probe_state *state, const float *action)
{
	return action[0] == (float)draw(state, 4) ? 1 : 0;
}

static double gain_largest(const probe_state *state, const float *action)
{
	(void)state;
	return (double)action[0] / 2 + (double)action[1] / 3;
}

static double penalty_forbidden(const probe_state *state, const float *action)
{
	double taken = 0;
	for (size_t i = 0; i < 2; i++) {
		taken += action[i] == (float)forbidden(state, i) ? 1 : 0;
	}
	return -2 * taken;
}

/* --- the probes ------------------------------------------------------------------------------ */

static const weir_dimension constant[] = {{.name = "constant", .unit = "", .low = -1, .high = 1}};
static const weir_dimension sign[] = {{.name = "sign", .unit = "", .low = -1, .high = 1}};
static const weir_dimension begun[] = {{.name = "begun", .unit = "", .low = 0, .high = 1}};
static const weir_dimension one_hot[] = {{.name = "is_0", .unit = "", .low = 0, .high = 1},
                                         {.name = "is_1", .unit = "", .low = 0, .high = 1},
                                         {.name = "is_2", .unit = "", .low = 0, .high = 1},
                                         {.name = "is_3", .unit = "", .low = 0, .high = 1}};
static const weir_dimension not_allowed[] = {
    {.name = "not_of_3", .unit = "share of the largest", .low = 0, .high = 1},
    {.name = "not_of_4", .unit = "share of the largest", .low = 0, .high = 1}};
static const weir_dimension two[] = {{.name = "choice", .unit = "", .choices = 2}};
static const weir_dimension four[] = {{.name = "choice", .unit = "", .choices = 4}};
static const weir_dimension three_and_four[] = {{.name = "of_3", .unit = "", .choices = 3},
                                                {.name = "of_4", .unit = "", .choices = 4}};

#define SPACE_OF(kind, dimensions)                                                                 \
	{                                                                                              \
		kind, sizeof(dimensions) / sizeof(dimensions)[0], dimensions                               \
	}
#define BOX(dimensions)      SPACE_OF(WEIR_SPACE_BOX, dimensions)
#define DISCRETE(dimensions) SPACE_OF(WEIR_SPACE_DISCRETE, dimensions)

/* X(name, summary, observation, action, length, truncated, observe, gain, penalty, mask) */
#define PROBES(X)                                                                                  \
	X(constant, "one step worth 1", BOX(constant), DISCRETE(two), 1, false, observe_nothing,       \
	  gain_always, NULL, NULL)                                                                     \
	X(observation, "one step worth what is observed", BOX(sign), DISCRETE(two), 1, false,          \
	  observe_sign, gain_sign, NULL, NULL)                                                         \
	X(two_steps, "two steps, the second worth 1", BOX(begun), DISCRETE(two), 2, false,             \
	  observe_whether_begun, gain_later, NULL, NULL)                                               \
	X(action, "one step worth what is done", BOX(constant), DISCRETE(two), 1, false,               \
	  observe_nothing, gain_action, NULL, NULL)                                                    \
	X(observation_action, "one step worth doing what is observed", BOX(sign), DISCRETE(two), 1,    \
	  false, observe_sign, gain_sign_and_action, NULL, NULL)                                       \
	X(endless, "every step worth 1, cut off after 8", BOX(constant), DISCRETE(two), 8, true,       \
	  observe_nothing, gain_always, NULL, NULL)                                                    \
	X(chain, "every step but the first worth 1, cut off after 4", BOX(begun), DISCRETE(two), 4,    \
	  true, observe_whether_begun, gain_later, NULL, NULL)                                         \
	X(identity, "the choice that is observed is worth 1", BOX(one_hot), DISCRETE(four), 100, true, \
	  observe_choice, gain_same, NULL, NULL)                                                       \
	X(mask, "two choices of which some are masked", BOX(not_allowed),                              \
	  SPACE_OF(WEIR_SPACE_MULTI_DISCRETE, three_and_four), 20, true, observe_forbidden,            \
	  gain_largest, penalty_forbidden, mask_forbidden)

static const weir_info_term terms[TERM_COUNT] = {
    [GAIN] = {"gain", "", "what the step is worth", .reward = true},
    [PENALTY] = {"penalty", "", "for what must not be done", .reward = true},
};

static weir_status make(const probe *rules, weir_env *env, weir_error *error)
{
	probe_state *state = weir_allocate(1, sizeof *state);
	if (state == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a probe");
	}
	state->rules = rules;
	env->state = state;
	env->state_size = sizeof *state;
	env->observation = rules->observation;
	env->action = rules->action;
	env->terms = terms;
	env->term_count = rules->penalty != NULL ? TERM_COUNT : PENALTY;
	return WEIR_OK;
}

static weir_status reset(weir_env *env, const weir_env_start *start, float *observation,
                         weir_error *error)
{
	(void)error;
	probe_state *state = env->state;
	*state = (probe_state){.rules = state->rules, .seed = weir_env_start_seed(start)};
	state->rules->observe(state, observation);
	return WEIR_OK;
}

static weir_status step(weir_env *env, const float *action, float *observation,
                        weir_env_outcome *outcome, weir_error *error)
{
	(void)error;
	probe_state *state = env->state;
	const probe *rules = state->rules;
	state->told[GAIN] = rules->gain(state, action);
	state->told[PENALTY] = rules->penalty != NULL ? rules->penalty(state, action) : 0;
	state->step++;
	rules->observe(state, observation);
	bool over = state->step >= rules->length;
	outcome->reward = state->told[GAIN] + state->told[PENALTY];
	outcome->terminated = over && !rules->truncated;
	outcome->truncated = over && rules->truncated;
	outcome->step = state->step;
	outcome->applied = weir_action_checksum(action, env->action.size);
	return WEIR_OK;
}

static void info(const weir_env *env, double *told)
{
	const probe_state *state = env->state;
	for (size_t i = 0; i < env->term_count; i++) {
		told[i] = state->told[i];
	}
}

static void mask_forbidden(const weir_env *env, uint8_t *mask)
{
	const probe_state *state = env->state;
	size_t at = 0;
	for (size_t i = 0; i < env->action.size; i++) {
		for (uint32_t choice = 0; choice < env->action.dimensions[i].choices; choice++) {
			mask[at++] = choice != forbidden(state, i);
		}
	}
}

#define PROBE_TYPE(kind, text, observation_space, action_space, steps, cut, see, worth, price,     \
                   allowed)                                                                        \
	static const probe probe_##kind = {.observation = observation_space,                           \
	                                   .action = action_space,                                     \
	                                   .length = steps,                                            \
	                                   .truncated = cut,                                           \
	                                   .observe = see,                                             \
	                                   .gain = worth,                                              \
	                                   .penalty = price};                                          \
	static weir_status create_##kind(const void *none, weir_env *env, weir_error *error)           \
	{                                                                                              \
		(void)none;                                                                                \
		return make(&probe_##kind, env, error);                                                    \
	}                                                                                              \
	const weir_env_type weir_env_type_probe_##kind = {.name = "probe_" #kind,                      \
	                                                  .summary = text,                             \
	                                                  .create = create_##kind,                     \
	                                                  .reset = reset,                              \
	                                                  .step = step,                                \
	                                                  .info = info,                                \
	                                                  .mask = allowed};
PROBES(PROBE_TYPE)
