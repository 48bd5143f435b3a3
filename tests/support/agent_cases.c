#include "support/agent_cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

static const weir_dimension box[] = {{.name = "a", .unit = "", .low = -1, .high = 1},
                                     {.name = "b", .unit = "", .low = -INFINITY, .high = INFINITY},
                                     {.name = "c", .unit = "", .low = 0, .high = 2}};
static const weir_dimension five[] = {{.name = "choice", .unit = "", .choices = 5}};
static const weir_dimension many[] = {{.name = "of_2", .unit = "", .choices = 2},
                                      {.name = "of_3", .unit = "", .choices = 3},
                                      {.name = "of_4", .unit = "", .choices = 4}};

const weir_space case_spaces[CASE_SPACES] = {
    {.kind = WEIR_SPACE_BOX, .size = 3, .dimensions = box},
    {.kind = WEIR_SPACE_DISCRETE, .size = 1, .dimensions = five},
    {.kind = WEIR_SPACE_MULTI_DISCRETE, .size = 3, .dimensions = many},
};

weir_actor_critic *case_network(const weir_space *action, bool shared_trunk, uint64_t seed)
{
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(4, action);
	shape.hidden[0] = 7;
	shape.hidden[1] = 6;
	shape.shared_trunk = shared_trunk;
	weir_actor_critic *network = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_actor_critic_create(&shape, seed, &network, &error), &error);
	weir_xoshiro random = weir_xoshiro_seed(seed);
	float *parameters = weir_actor_critic_parameters(network);
	for (size_t i = 0; i < weir_actor_critic_parameter_count(network); i++) {
		parameters[i] += (float)(0.2 * weir_xoshiro_normal(&random));
	}
	return network;
}

naive_network case_naive_network(const weir_actor_critic *network, double *parameters)
{
	naive_network naive = {.shape = weir_actor_critic_shape_of(network), .parameters = parameters};
	naive.tensors = weir_actor_critic_tensors(network, &naive.tensor_count);
	for (size_t i = 0; i < weir_actor_critic_parameter_count(network); i++) {
		parameters[i] = (double)weir_actor_critic_parameters_const(network)[i];
	}
	return naive;
}

/* Actions of one step, and masks that allow them. */
static void fill_action(const weir_space *space, weir_xoshiro *random, float *action, uint8_t *mask)
{
	size_t offset = 0;
	for (size_t d = 0; d < space->size; d++) {
		if (space->kind == WEIR_SPACE_BOX) {
			action[d] = (float)weir_xoshiro_normal(random);
			continue;
		}
		uint32_t choices = space->dimensions[d].choices;
		uint32_t taken = (uint32_t)(weir_xoshiro_uniform(random) * choices);
		for (uint32_t c = 0; c < choices; c++) {
			mask[offset + c] = c == taken || weir_xoshiro_uniform(random) < 0.7;
		}
		action[d] = (float)taken;
		offset += choices;
	}
}

void case_fill_rollout(weir_rollout *rollout, const weir_actor_critic *network, uint64_t seed)
{
	const weir_space *space = weir_actor_critic_shape_of(network)->action;
	weir_xoshiro random = weir_xoshiro_seed(seed);
	double *parameters = calloc(weir_actor_critic_parameter_count(network), sizeof *parameters);
	naive_network naive = case_naive_network(network, parameters);
	size_t seen = rollout->observation_size;
	for (size_t i = 0; i < rollout->steps * rollout->environments; i++) {
		float *observation = rollout->observations + i * seen;
		float *action = rollout->actions + i * rollout->action_size;
		uint8_t *mask = rollout->masks == NULL ? NULL : rollout->masks + i * rollout->choices;
		for (size_t k = 0; k < seen; k++) {
			observation[k] = (float)weir_xoshiro_normal(&random);
		}
		fill_action(space, &random, action, mask);
		double head[NAIVE_WIDEST];
		double value[NAIVE_WIDEST];
		double log_prob;
		double entropy;
		naive_forward(&naive, observation, head, value);
		naive_evaluate(&naive, head, mask, action, &log_prob, &entropy);
		rollout->log_probs[i] = (float)(log_prob + 0.3 * weir_xoshiro_normal(&random));
		rollout->values[i] = (float)(value[0] + 0.5 * weir_xoshiro_normal(&random));
		rollout->rewards[i] = (float)weir_xoshiro_normal(&random);
		rollout->episode_starts[i] = weir_xoshiro_uniform(&random) < 0.2;
		rollout->advantages[i] = (float)weir_xoshiro_normal(&random);
		rollout->returns[i] = rollout->values[i] + rollout->advantages[i];
	}
	free(parameters);
}
