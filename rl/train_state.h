/* A training as it stands between rollouts; not part of the public interface. */
#ifndef WEIR_RL_TRAIN_STATE_H
#define WEIR_RL_TRAIN_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "rl/agent.h"
#include "rl/episode_log.h"
#include "rl/evaluate.h"
#include "rl/learner.h"
#include "rl/train_config.h"
#include "rl/train_log.h"
#include "rl/train_report.h"
#include "rl/vector.h"

WEIR_BEGIN_C

typedef struct weir_train_state {
	const weir_train_config *config;
	weir_vector *vector;
	const weir_env *env; /* one of them */
	weir_vector_buffers buffers;
	float *actions;
	weir_agent *agent;
	weir_learner *learner;
	weir_evaluator *evaluator; /* NULL: there are no evaluations */
	weir_episode_log episodes;
	double *term_sums; /* [term_count], over the rollout */

	/* Counted. */
	int64_t steps, iterations;
	int64_t failed[WEIR_CHECK_COUNT];
	int64_t evaluations, stale; /* stale: since the best one */
	weir_train_judgement last, best;
	double coefficients[WEIR_MOST_ADAPTED];
	int64_t end; /* weir_train_end */
	weir_train_log_lengths logs;
} weir_train_state;

/* Makes everything but `counted`, which is that of a start. Errors: as of weir_train, before
 * anything is changed. To be released in any case. */
WEIR_API weir_status weir_train_state_create(const weir_train_config *config,
                                             weir_train_state *state, weir_error *error);
WEIR_API void weir_train_state_release(weir_train_state *state);

/* Hands the coefficients to the environments. */
WEIR_API void weir_train_state_apply_coefficients(weir_train_state *state);

/* Writes into the agent how it came to be: version, steps, and the config without file names. */
WEIR_API weir_status weir_train_state_stamp(weir_train_state *state, weir_error *error);

WEIR_API weir_status weir_train_state_report(const weir_train_state *state,
                                             weir_train_report *report, weir_error *error);

WEIR_END_C

#endif
