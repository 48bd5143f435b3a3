/* What learner.c and learner_checkpoint.c share; not part of the public interface. */
#ifndef WEIR_RL_LEARNER_STATE_H
#define WEIR_RL_LEARNER_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "rl/learner.h"

struct weir_learner {
	weir_learner_options options;
	weir_agent *agent;
	weir_ppo *ppo;
	weir_rollout *rollout;
	weir_activations *activations;
	weir_xoshiro actions; /* the stream that actions are drawn from */
	const float *log_std; /* in the network's parameters; NULL unless a Box */
	size_t step;          /* of the rollout */
	size_t acted;         /* the step of the last weir_learner_act */
	uint64_t rollouts;    /* begun before this one */
	/* Of what is seen now; shapes [environments][...]. */
	float *observations; /* normalised */
	uint8_t *masks;      /* NULL for a Box */
	float *starts;       /* 1: an episode begins here */
	/* Room for one step. */
	float *heads, *values, *rewards;
	float *finals; /* normalised, of the truncated environments alone */
	uint8_t *dones;
};

/* Gives the learner's agent a normaliser with the statistics of `from`, for the learner's number of
 * environments, each at the start of an episode. False when memory is out. */
bool learner_take_normaliser(weir_learner *learner, const weir_normaliser *from);

#endif
