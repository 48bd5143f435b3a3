/*
 * Trained agents that drive a run: files of agents of the environment `scaling`, as the driver of
 * weir_run, weir_simulate, replications, studies and searches (run/driver.h).
 *
 * One agent that acts on all pools, or several that act on one each. A file says what its agent
 * sees, what its actions mean and what it is rewarded for, as it was trained (scaling_task.h); the
 * cluster, its limits and prices, the workload and the delays are those of the run's config. The
 * config's own policies go on for pools and applications that no agent acts on.
 *
 * Decisions are made at 0 s and then every decision_interval, up to the end of the workload; what
 * drains and boots goes on. Actions are the modes of the policies, or drawn from them: agent number
 * i from the stream "agent", i of the run's seed. Equal agents and configs give equal runs.
 *
 * With `learns` the agents go on learning as they act (rl/learner.h): after every rollout of
 * decisions an update of PPO, by the hyperparameters of its training, at the learning rate with
 * which that began. Each run begins with the agents as they are in their files.
 *
 * Recorded beside the run, where it is recorded: /decisions and the text /agent, and with `learns`
 * /training (docs/agents.md).
 */
#ifndef WEIR_RL_AGENT_DRIVER_H
#define WEIR_RL_AGENT_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/config.h"
#include "run/driver.h"

WEIR_BEGIN_C

/* Decisions of an agent between two lines of the log. */
enum { WEIR_AGENT_LOG_INTERVAL = 100 };

typedef struct weir_agent_driver_options {
	const char *const *paths; /* agent files */
	size_t count;             /* at least 1 */
	bool sampled;             /* actions are drawn */
	bool learns;              /* and learned from: `sampled` as well */
	const char *const *saved; /* [count]: files for the agents as the run left them; NULL: none */
	int64_t rollout;          /* decisions between updates; 0: the n_steps of its training */
	/* Called with "Step: N | Reward: x | Active Instances: n" of every 100th decision (the reward
	 * of the interval before it), and with each check of integrity that does not hold. NULL: not
	 * called. */
	void (*log)(void *context, double time, const char *line);
	void *context;
} weir_agent_driver_options;

typedef struct weir_agent_driver weir_agent_driver;

/*
 * Loads the agents and finds out whether they can drive runs of `config`; they drive those of any
 * config with its applications and pools. The options may go, what they point to is borrowed.
 *
 * Errors: files that cannot be read; an agent of another environment, or whose observations and
 * actions are not those of its task; an application or pools that the config does not have; two
 * agents for one pool; hyperparameters that make no sense for the rollout; out of memory. Each
 * names the file.
 */
WEIR_API weir_status weir_agent_driver_create(const weir_agent_driver_options *options,
                                              const weir_config *config, weir_agent_driver **driver,
                                              weir_error *error);
WEIR_API void weir_agent_driver_destroy(weir_agent_driver *driver);

/* For weir_run_options.driver and the like; belongs to the driver. */
WEIR_API const weir_run_driver *weir_agent_driver_run(const weir_agent_driver *driver);

WEIR_END_C

#endif
