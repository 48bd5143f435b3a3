/*
 * Learning while acting: an agent's answers to one or more environments become rollouts, and full
 * rollouts updates of PPO, with the semantics of Stable-Baselines3's collect_rollouts and
 * VecNormalize. The training loop uses it with many environments, a run that is learned from with
 * one.
 *
 *     weir_learner_begin(learner, first_observations, first_masks);
 *     for (;;) {
 *         weir_learner_act(learner, actions);
 *         ... the environments take `actions`; step = what came of it ...
 *         weir_learner_push(learner, &step);
 *         if (weir_learner_full(learner)) {
 *             weir_learner_update(learner, progress_remaining, &figures, &error);
 *         }
 *     }
 *
 * What is learned depends on the arguments alone. One learner is used by one thread.
 */
#ifndef WEIR_RL_LEARNER_H
#define WEIR_RL_LEARNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "record/archive.h"
#include "rl/agent.h"
#include "rl/ppo.h"

WEIR_BEGIN_C

typedef struct weir_learner_options {
	const weir_ppo_config *ppo; /* borrowed while the learner lives */
	size_t environments;        /* at least 1 */
	/* Of the streams "actions", of PPO's minibatches and of "shuffled rewards". */
	uint64_t seed;
	/* The rewards of each rollout are permuted before they are learned from: nothing can be learned
	 * then, whatever the rest of the machinery does. A negative control. */
	bool shuffled_rewards;
} weir_learner_options;

typedef struct weir_learner weir_learner;

/*
 * A learner for `agent`, which is borrowed and changes as it learns: its network, and the
 * statistics of its normaliser where it has one (made anew here for this many environments, with
 * the statistics that it has). Errors: a rollout that makes no sense for PPO; out of memory.
 */
WEIR_API weir_status weir_learner_create(const weir_learner_options *options, weir_agent *agent,
                                         weir_learner **learner, weir_error *error);
WEIR_API void weir_learner_destroy(weir_learner *learner);

/* What is seen after a reset of all environments: observations[environments][size], masks
 * [environments][choices] (NULL: all choices may be taken). Copied; the normaliser learns from it.
 */
WEIR_API void weir_learner_begin(weir_learner *learner, const float *observations,
                                 const uint8_t *masks);

/* The policy's answers, drawn: actions[environments][action.size] lie in the space (a Box's are
 * clipped); what was drawn is kept for the rollout. Not when the rollout is full. */
WEIR_API void weir_learner_act(weir_learner *learner, float *actions);

/* Of the last weir_learner_act: the actions as drawn [environments][action.size], a Box's not
 * clipped, and the values [environments], in the unit of the normalised reward. Valid until the
 * next update. */
WEIR_API const float *weir_learner_raw_actions(const weir_learner *learner);
WEIR_API const float *weir_learner_values(const weir_learner *learner);

/* What came of the actions; shapes as of weir_vector_buffers. */
typedef struct weir_learner_step {
	const double *rewards;
	const uint8_t *terminated, *truncated; /* both: a termination */
	/* Rows of episodes that were truncated are read: what was seen last in them. May be NULL when
	 * none was. */
	const float *final_observations;
	const float *observations; /* of the new episode where one ended */
	const uint8_t *masks;      /* may be NULL */
} weir_learner_step;

/* After each weir_learner_act. The normaliser learns from the observations and rewards; a truncated
 * episode's last reward gets gamma times the value of what was seen last. */
WEIR_API void weir_learner_push(weir_learner *learner, const weir_learner_step *step);

/* Whether n_steps of each environment are there, so that weir_learner_update is due. */
WEIR_API bool weir_learner_full(const weir_learner *learner);

/* Learns from the full rollout and begins the next one. Arguments and errors as of weir_ppo_update;
 * after an error the agent is of no more use. */
WEIR_API weir_status weir_learner_update(weir_learner *learner, double progress_remaining,
                                         weir_ppo_figures *figures, weir_error *error);

/*
 * Everything that a checkpoint must hold of the learner and its agent, between an update and the
 * next weir_learner_act, into the group `group` of an archive.
 */
WEIR_API weir_status weir_learner_put(const weir_learner *learner, weir_archive_writer *archive,
                                      const char *group, weir_error *error);
/*
 * Makes the learner and its agent, which were created with the same options, as they were. Then
 * weir_learner_continue says what is seen, which was learned from before.
 */
WEIR_API weir_status weir_learner_get(weir_learner *learner, const weir_archive *archive,
                                      const char *group, weir_error *error);
/* As weir_learner_begin, but nothing is learned from what was learned from before; the running
 * returns and which environments are at the start of an episode are those of weir_learner_get. */
WEIR_API void weir_learner_continue(weir_learner *learner, const float *observations,
                                    const uint8_t *masks);

WEIR_END_C

#endif
