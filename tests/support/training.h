/*
 * Training for tests: environments and a learner in a loop, with nothing written, and a hook
 * between the two by which a test makes the mistakes that its checks must see.
 */
#ifndef WEIR_TESTS_TRAINING_H
#define WEIR_TESTS_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rl/agent.h"
#include "rl/learner.h"
#include "rl/vector.h"

/* What comes of a step, before the learner sees it; may be changed. [environments] each, but the
 * observations. */
typedef struct training_step {
	size_t environments, observation_size;
	double *rewards;
	uint8_t *terminated, *truncated;
	float *final_observations, *observations;
	uint8_t *done_before; /* that the step before ended an episode */
} training_step;

typedef void (*training_mistake)(training_step *step);

/* Each is one mistake of a collecting loop. */
void training_no_bootstrap(training_step *step);       /* of truncated episodes */
void training_bootstrap_of_reset(training_step *step); /* from what is seen after the reset */
void training_bootstrap_always(training_step *step);   /* terminated ones too */
void training_no_dones(training_step *step);           /* advantages run on through ends */
void training_dones_late(training_step *step);         /* by one step */
void training_wrong_sign(training_step *step);         /* of what is good */

typedef struct training_plan {
	const char *kind; /* of environment */
	weir_ppo_config ppo;
	size_t environments;
	int64_t steps; /* of all environments; ends with the rollout in which they are done */
	uint64_t seed;
	training_mistake mistake; /* NULL: none */
	bool no_masks;            /* the learner does not hear of them */
} training_plan;

/* All defaults but the kind; one environment. */
training_plan training_plan_default(const char *kind);

typedef struct training {
	weir_agent *agent;
	double *episodes; /* sums of rewards, in their order */
	int64_t *ended;   /* steps until then */
	size_t episode_count, episode_capacity, ended_capacity;
	int64_t steps;
	weir_ppo_figures figures; /* of the last update */
} training;

/* Fails the test on any error. */
void training_run(const training_plan *plan, training *result);
void training_destroy(training *trained);

/* The greatest mean of `count` episodes in a row, and when it was first at least `level`: steps, or
 * -1. */
double training_best_mean(const training *trained, size_t count, double level, int64_t *when);
/* The value of an observation. */
double training_value(const training *trained, const float *observation);
/* The policy's mode there. */
void training_mode(const training *trained, const float *observation, const uint8_t *mask,
                   float *action);
/* Mean sum of rewards over episodes of the fixed list, played by the policy's mode. */
double training_evaluate(const training *trained, size_t episodes);

#endif
