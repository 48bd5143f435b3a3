#include "rl/rollout.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

weir_rollout *weir_rollout_create(size_t steps, size_t environments, size_t observation_size,
                                  const weir_space *action)
{
	weir_rollout *rollout = weir_allocate(1, sizeof *rollout);
	if (rollout == NULL || (environments > 0 && steps > SIZE_MAX / environments)) {
		free(rollout);
		return NULL;
	}
	rollout->steps = steps;
	rollout->environments = environments;
	rollout->observation_size = observation_size;
	rollout->action_size = action->size;
	rollout->choices = weir_space_choices(action);
	size_t count = steps * environments;
	float **const columns[] = {&rollout->rewards,   &rollout->episode_starts, &rollout->values,
	                           &rollout->log_probs, &rollout->advantages,     &rollout->returns};
	rollout->observations = weir_allocate(count, observation_size * sizeof(float));
	rollout->actions = weir_allocate(count, action->size * sizeof(float));
	bool complete = rollout->observations != NULL && rollout->actions != NULL;
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		*columns[i] = weir_allocate(count, sizeof(float));
		complete = complete && *columns[i] != NULL;
	}
	if (rollout->choices > 0) {
		rollout->masks = weir_allocate(count, rollout->choices);
		complete = complete && rollout->masks != NULL;
	}
	if (!complete) {
		weir_rollout_destroy(rollout);
		return NULL;
	}
	if (rollout->masks != NULL) {
		memset(rollout->masks, 1, count * rollout->choices);
	}
	return rollout;
}

void weir_rollout_destroy(weir_rollout *rollout)
{
	if (rollout == NULL) {
		return;
	}
	free(rollout->observations);
	free(rollout->actions);
	free(rollout->masks);
	free(rollout->rewards);
	free(rollout->episode_starts);
	free(rollout->values);
	free(rollout->log_probs);
	free(rollout->advantages);
	free(rollout->returns);
	free(rollout);
}

void weir_rollout_finish(weir_rollout *rollout, double gamma, double gae_lambda,
                         const float *last_values, const float *last_dones)
{
	size_t environments = rollout->environments;
	for (size_t e = 0; e < environments; e++) {
		double advantage = 0;
		double next_value = (double)last_values[e];
		double goes_on = 1 - (double)last_dones[e];
		for (size_t step = rollout->steps; step-- > 0;) {
			size_t at = step * environments + e;
			double value = (double)rollout->values[at];
			double error = (double)rollout->rewards[at] + gamma * next_value * goes_on - value;
			advantage = error + gamma * gae_lambda * goes_on * advantage;
			rollout->advantages[at] = (float)advantage;
			rollout->returns[at] = (float)(advantage + value);
			next_value = value;
			goes_on = 1 - (double)rollout->episode_starts[at];
		}
	}
}
