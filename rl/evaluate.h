/*
 * Judging an agent: episodes of an environment's fixed list, played with the agent as it is.
 *
 * The figures depend on the agent, the environment and the options but for `environments` and
 * `threads`: episode i is always the i-th of the list, with a stream of its own for the actions
 * drawn in it, whoever plays it and whatever was played before.
 */
#ifndef WEIR_RL_EVALUATE_H
#define WEIR_RL_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "rl/agent.h"
#include "rl/vector.h"

WEIR_BEGIN_C

typedef struct weir_evaluator_options {
	size_t episodes;     /* the first ones of the list, at least 1 */
	size_t environments; /* side by side; more than episodes are not made */
	size_t threads;      /* as of weir_vector_options */
	bool deterministic;  /* the policy's mode; otherwise actions are drawn */
	uint64_t seed;
	bool strict; /* see weir_env */
} weir_evaluator_options;

/* 5 episodes, one environment, one thread, deterministic, seed 1000, strict. */
WEIR_API weir_evaluator_options weir_evaluator_options_default(void);

/* Means are over the episodes. */
typedef struct weir_evaluation {
	size_t episodes;
	double mean_reward, std_reward; /* of the sum of an episode's rewards, as the environment gave
	                                   them; the deviation is that of these episodes (by n) */
	double mean_length;             /* steps */
	size_t failed;                  /* steps in which a check of integrity did not hold */
	/* The evaluator's, until its next run: of each episode, and the mean figures
	 * [term_count]: of a reward's part the sum over an episode, else the mean over its steps. */
	const double *rewards, *terms;
} weir_evaluation;

typedef struct weir_evaluator weir_evaluator;

/* Makes its environments; kind, parameters, name as of weir_env_create. */
WEIR_API weir_status weir_evaluator_create(const char *kind, const char *parameters,
                                           const char *name, const weir_evaluator_options *options,
                                           weir_evaluator **evaluator, weir_error *error);
WEIR_API void weir_evaluator_destroy(weir_evaluator *evaluator);
/* One of the environments, to be looked at. */
WEIR_API const weir_env *weir_evaluator_env(const weir_evaluator *evaluator);

/* Plays all episodes. The agent, whose spaces must be those of the environment, learns nothing. */
WEIR_API weir_status weir_evaluator_run(weir_evaluator *evaluator, const weir_agent *agent,
                                        weir_evaluation *evaluation, weir_error *error);

WEIR_END_C

#endif
