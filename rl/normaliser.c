#include "rl/normaliser.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static const weir_key keys[] = {
    {.name = "observations",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_normaliser_config, observations),
     .default_text = "true",
     .doc = "Observations are shifted to mean 0 and scaled to variance 1, as seen so far."},
    {.name = "rewards",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_normaliser_config, rewards),
     .default_text = "true",
     .doc = "Rewards are divided by the standard deviation of the discounted return seen so far; "
            "they are not shifted."},
    {.name = "clip_observation",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_normaliser_config, clip_observation),
     .default_text = "10",
     .minimum = 0,
     .maximum = 1e6,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .doc = "Normalised observations are cut to this at either side of 0."},
    {.name = "clip_reward",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_normaliser_config, clip_reward),
     .default_text = "10",
     .minimum = 0,
     .maximum = 1e6,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .doc = "Normalised rewards are cut to this at either side of 0."},
    {.name = "gamma",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_normaliser_config, gamma),
     .default_text = "0.99",
     .minimum = 0,
     .maximum = 1,
     .doc = "Discount of the return whose variance scales rewards; usually that of the learner."},
    {.name = "epsilon",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_normaliser_config, epsilon),
     .default_text = "1e-8",
     .minimum = 0,
     .maximum = 1,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .doc = "Is added to variances before the root is taken."},
};

const weir_key_table weir_normaliser_keys = {
    .name = "normalise",
    .doc = "Running normalisation of observations and rewards, as VecNormalize of "
           "Stable-Baselines3.",
    .size = sizeof(weir_normaliser_config),
    .keys = keys,
    .key_count = sizeof keys / sizeof keys[0],
};

weir_normaliser_config weir_normaliser_config_default(void)
{
	return (weir_normaliser_config){.observations = true,
	                                .rewards = true,
	                                .clip_observation = 10.0,
	                                .clip_reward = 10.0,
	                                .gamma = 0.99,
	                                .epsilon = 1e-8};
}

weir_normaliser *weir_normaliser_create(const weir_normaliser_config *config, size_t size,
                                        size_t environments)
{
	static const double FIRST_COUNT = 1e-4;
	weir_normaliser *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return NULL;
	}
	*made = (weir_normaliser){.config = *config,
	                          .size = size,
	                          .environments = environments,
	                          .mean = weir_allocate(size, sizeof(double)),
	                          .variance = weir_allocate(size, sizeof(double)),
	                          .count = FIRST_COUNT,
	                          .return_variance = 1.0,
	                          .return_count = FIRST_COUNT,
	                          .returns = weir_allocate(environments, sizeof(double))};
	if (made->mean == NULL || made->variance == NULL || made->returns == NULL) {
		weir_normaliser_destroy(made);
		return NULL;
	}
	for (size_t i = 0; i < size; i++) {
		made->variance[i] = 1.0;
	}
	return made;
}

void weir_normaliser_destroy(weir_normaliser *normaliser)
{
	if (normaliser == NULL) {
		return;
	}
	free(normaliser->mean);
	free(normaliser->variance);
	free(normaliser->returns);
	free(normaliser);
}

/* Joins a batch's mean and (population) variance to the running ones. */
static void join(double *mean, double *variance, double count, double batch_mean,
                 double batch_variance, double batch_count)
{
	double total = count + batch_count;
	double delta = batch_mean - *mean;
	double squares = *variance * count + batch_variance * batch_count +
	                 delta * delta * count * batch_count / total;
	*mean += delta * batch_count / total;
	*variance = squares / total;
}

void weir_normaliser_learn(weir_normaliser *normaliser, const float *observations, size_t count)
{
	if (!normaliser->config.observations || count == 0) {
		return;
	}
	const size_t size = normaliser->size;
	const double batch = (double)count;
	for (size_t i = 0; i < size; i++) {
		double mean = 0.0;
		for (size_t row = 0; row < count; row++) {
			mean += (double)observations[row * size + i];
		}
		mean /= batch;
		double variance = 0.0;
		for (size_t row = 0; row < count; row++) {
			double difference = (double)observations[row * size + i] - mean;
			variance += difference * difference;
		}
		join(&normaliser->mean[i], &normaliser->variance[i], normaliser->count, mean,
		     variance / batch, batch);
	}
	normaliser->count += batch;
}

static float clip(double value, double bound)
{
	return (float)fmax(-bound, fmin(bound, value));
}

void weir_normaliser_apply(const weir_normaliser *normaliser, const float *observations,
                           size_t count, float *normalised)
{
	const weir_normaliser_config *config = &normaliser->config;
	const size_t size = normaliser->size;
	for (size_t i = 0; i < size; i++) {
		double deviation = sqrt(normaliser->variance[i] + config->epsilon);
		for (size_t at = i; at < count * size; at += size) {
			double value = (double)observations[at];
			normalised[at] = config->observations ? clip((value - normaliser->mean[i]) / deviation,
			                                             config->clip_observation)
			                                      : observations[at];
		}
	}
}

static void learn_returns(weir_normaliser *normaliser, const double *rewards)
{
	const double batch = (double)normaliser->environments;
	double mean = 0.0;
	for (size_t i = 0; i < normaliser->environments; i++) {
		normaliser->returns[i] = normaliser->returns[i] * normaliser->config.gamma + rewards[i];
		mean += normaliser->returns[i];
	}
	mean /= batch;
	double variance = 0.0;
	for (size_t i = 0; i < normaliser->environments; i++) {
		double difference = normaliser->returns[i] - mean;
		variance += difference * difference;
	}
	join(&normaliser->return_mean, &normaliser->return_variance, normaliser->return_count, mean,
	     variance / batch, batch);
	normaliser->return_count += batch;
}

void weir_normaliser_rewards(weir_normaliser *normaliser, const double *rewards,
                             const uint8_t *dones, float *normalised)
{
	assert(normaliser->environments > 0);
	const weir_normaliser_config *config = &normaliser->config;
	if (!config->rewards) {
		for (size_t i = 0; i < normaliser->environments; i++) {
			normalised[i] = (float)rewards[i];
		}
		return;
	}
	learn_returns(normaliser, rewards);
	double deviation = sqrt(normaliser->return_variance + config->epsilon);
	for (size_t i = 0; i < normaliser->environments; i++) {
		normalised[i] = clip(rewards[i] / deviation, config->clip_reward);
		if (dones[i] != 0) {
			normaliser->returns[i] = 0.0;
		}
	}
}
