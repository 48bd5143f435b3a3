/*
 * The decision loop: state, reward of the last action, action, over and over, on one simulation
 * that stands still while a decision is made (run/driver.h). The environment `scaling` and a run
 * with a trained agent both use it, so that an agent meets the same in both.
 *
 *     weir_scaling_loop_policies   -> those that the simulation is to be made with
 *     weir_scaling_loop_begin      at time 0
 *     weir_sim_run until weir_sim_waiting is the loop's number, then
 *     weir_scaling_loop_look       what is seen; what came of the last action
 *     weir_scaling_loop_act        decides, and lets the simulation go on
 *     ...
 *     weir_scaling_loop_end        when no decision follows: what came of the last one
 *
 * A loop is used by one simulation after another, each from begin on. A decision costs O(instances
 * + requests in the system) and allocates nothing once the high-water marks are reached.
 */
#ifndef WEIR_RL_SCALING_LOOP_H
#define WEIR_RL_SCALING_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "rl/env.h"
#include "rl/scaling_task.h"
#include "rl/space.h"
#include "run/sim.h"
#include "scaling/controller.h"

WEIR_BEGIN_C

typedef struct weir_scaling_loop weir_scaling_loop;

/* `task` is borrowed. Errors: out of memory. */
WEIR_API weir_status weir_scaling_loop_create(const weir_scaling_task *task,
                                              weir_scaling_loop **loop, weir_error *error);
WEIR_API void weir_scaling_loop_destroy(weir_scaling_loop *loop);

/* These depend on the task alone, and live as long as the loop. */
WEIR_API const weir_space *weir_scaling_loop_observation(const weir_scaling_loop *loop);
WEIR_API const weir_space *weir_scaling_loop_action(const weir_scaling_loop *loop);
/* What is told of every interval: the terms of the reward first, then WEIR_SCALING_FIGURES. */
WEIR_API const weir_info_term *weir_scaling_loop_terms(const weir_scaling_loop *loop,
                                                       size_t *count);
/* Coefficients of the reward, as of weir_env; begin and restore leave them as they are. */
WEIR_API const char *const *weir_scaling_loop_coefficient_names(const weir_scaling_loop *loop);
WEIR_API double *weir_scaling_loop_coefficients(weir_scaling_loop *loop, size_t *count);

/* X(name, unit, description): figures of an interval between two decisions. Pools: what the agent
 * acts on; in a single-pool cluster the mixed pool stands as prompt. `asked` and what follows are
 * of the decision at the interval's start; with control.decision_delay nothing of it is cut or done
 * yet. */
#define WEIR_SCALING_FIGURES(X)                                                                    \
	X(time, "s", "When the interval ended.")                                                       \
	X(interval, "s", "How long it was.")                                                           \
	X(cost_usd, "USD", "Bill of the interval.")                                                    \
	X(arrived, "requests", "Arrived in the interval.")                                             \
	X(completed, "requests", "Completed in it.")                                                   \
	X(broken, "requests", "Of these, past a limit of slo.per_request.")                            \
	X(failed, "requests", "Failed or rejected in it.")                                             \
	X(overdue, "requests", "In the system at its end and past a limit already.")                   \
	X(charged, "requests",                                                                         \
	  "At the end of an episode: queued and not overdue yet, counted as broken.")                  \
	X(broken_share, "", "Broken, failed, overdue and charged, of all that can be judged.")         \
	X(in_system, "requests", "In the system at its end.")                                          \
	X(active, "instances", "ACTIVE instances at its end.")                                         \
	X(size_prompt, "instances", "SCALING_UP + ACTIVE of the prompt pool at its end.")              \
	X(size_token, "instances", "SCALING_UP + ACTIVE of the token pool at its end.")                \
	X(asked_prompt, "instances", "Asked for by the action.")                                       \
	X(asked_token, "instances", "Asked for by the action.")                                        \
	X(asked_migrate, "instances", "Asked for by the action: from token to prompt.")                \
	X(cut_prompt, "instances", "Of these, cut off or refused.")                                    \
	X(cut_token, "instances", "Of these, cut off or refused.")                                     \
	X(cut_migrate, "instances", "Of these, cut off or refused.")                                   \
	X(done_prompt, "instances", "Done.")                                                           \
	X(done_token, "instances", "Done.")                                                            \
	X(done_migrate, "instances", "Done.")                                                          \
	X(limit_prompt, "", "Why it was cut: a weir_refusal, 0 for no reason.")                        \
	X(limit_token, "", "Why it was cut: a weir_refusal, 0 for no reason.")                         \
	X(limit_migrate, "", "Why it was cut: a weir_refusal, 0 for no reason.")

/* What came of the last decision. */
typedef struct weir_scaling_outcome {
	uint64_t decision; /* its number, from 1; 0: none before, the rest is empty */
	double reward;
	uint64_t applied;                      /* weir_action_checksum of the action */
	uint32_t failed;                       /* bit c: check c (weir_env_check) does not hold */
	weir_env_check last_failed;            /* of these */
	char failure[WEIR_ERROR_MESSAGE_SIZE]; /* of that one: the values */
} weir_scaling_outcome;

/* Which checks (bits) the loop makes. */
WEIR_API unsigned weir_scaling_loop_checks(void);

/*
 * The policies of a run of `config` in which the loop decides, for weir_sim_create_with or a
 * driver: its own, number 0, and those of the config for pools and applications that it leaves
 * alone. *policies belongs to the loop until the next call. Errors: an application or a pool that
 * the config does not have.
 */
WEIR_API weir_status weir_scaling_loop_policies(weir_scaling_loop *loop, const weir_config *config,
                                                const weir_controller_policy **policies,
                                                size_t *count, weir_error *error);

/* A simulation made with these policies, at time 0. `check_workload`: opens the workload a second
 * time, to check that what arrives is what is in it; not possible where it is a pipe. */
WEIR_API weir_status weir_scaling_loop_begin(weir_scaling_loop *loop, weir_sim *sim,
                                             bool check_workload, weir_error *error);

/* After begin, and after a restore into another simulation: price of the fleet whose cost the
 * reward counts as 1; 0: as the reward says. */
WEIR_API void weir_scaling_loop_set_reference(weir_scaling_loop *loop, double usd_per_hour);

/* The simulation waits for the loop's decision. observation[size] of the observation space. */
WEIR_API weir_status weir_scaling_loop_look(weir_scaling_loop *loop, weir_sim *sim,
                                            float *observation, weir_scaling_outcome *outcome,
                                            weir_error *error);
/* After a look: mask[weir_space_choices] of the action that is to be given; nothing for a Box. */
WEIR_API void weir_scaling_loop_mask(const weir_scaling_loop *loop, uint8_t *mask);
/* After a look: the decision. `action` lies in the action space. */
WEIR_API weir_status weir_scaling_loop_act(weir_scaling_loop *loop, weir_sim *sim,
                                           const float *action, weir_error *error);

/*
 * Of an agent that corrects a rule which is asked more often than the agent is: whether the
 * simulation waits for the agent's decision, to be looked at and acted on; else
 * weir_scaling_loop_follow answers, with what the rule wants now and the correction of the last
 * decision (before the first: nothing).
 */
WEIR_API bool weir_scaling_loop_due(const weir_scaling_loop *loop);
WEIR_API weir_status weir_scaling_loop_follow(weir_scaling_loop *loop, weir_error *error);

/* Decides nothing, and is not counted as a decision: for the time before an episode. */
WEIR_API weir_status weir_scaling_loop_hold(weir_scaling_loop *loop, weir_sim *sim,
                                            weir_error *error);

/*
 * No decision follows. After a look, when the episode is cut off there: what that look told, with
 * what is still queued charged as broken. Else, when the simulation has run on to its end since the
 * last decision: what came of it. observation[size] is what is seen last.
 */
WEIR_API weir_status weir_scaling_loop_end(weir_scaling_loop *loop, weir_sim *sim,
                                           float *observation, weir_scaling_outcome *outcome,
                                           weir_error *error);

/* Lets go of the simulation, which may then be destroyed; done by begin and destroy as well. */
WEIR_API void weir_scaling_loop_leave(weir_scaling_loop *loop);

/* values[count of terms] of the last look or end; zeros after begin. */
WEIR_API const double *weir_scaling_loop_values(const weir_scaling_loop *loop);
/* What became of the last decision. */
WEIR_API const weir_applied *weir_scaling_loop_applied(const weir_scaling_loop *loop);

/* Everything that the loop is beside the simulation, after a look; to be given back to this loop
 * any number of times, each time with a simulation of that config that was restored to the same
 * instant (and need not be the same simulation). */
typedef struct weir_scaling_loop_snapshot weir_scaling_loop_snapshot;
WEIR_API weir_status weir_scaling_loop_save(const weir_scaling_loop *loop,
                                            weir_scaling_loop_snapshot **snapshot,
                                            weir_error *error);
WEIR_API weir_status weir_scaling_loop_restore(weir_scaling_loop *loop, weir_sim *sim,
                                               const weir_scaling_loop_snapshot *snapshot,
                                               weir_error *error);
WEIR_API void weir_scaling_loop_snapshot_destroy(weir_scaling_loop_snapshot *snapshot);

WEIR_END_C

#endif
