/* One agent of a driver: its file, what it sees and does, how it learns. Internal to rl. */
#ifndef WEIR_RL_DRIVEN_AGENT_H
#define WEIR_RL_DRIVEN_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "rl/agent.h"
#include "rl/learner.h"
#include "rl/scaling_loop.h"

typedef struct driven_agent {
	const char *path;
	size_t number;
	char sum[WEIR_SHA256_TEXT_SIZE]; /* of the file */
	weir_arena *arena;
	weir_scaling_task task;
	weir_scaling_loop *loop;
	weir_agent *agent;
	weir_agent_user *user;
	bool sampled;
	weir_xoshiro random;
	uint32_t application;
	unsigned tags; /* bit t: it acts on pool t */
	/* of the last decision */
	float *observation, *raw, *action;
	uint8_t *mask; /* NULL for a Box */
	double value;  /* in the unit of the reward */
	weir_scaling_outcome outcome;
	uint64_t decisions;
	/* as it learns */
	bool learns;
	weir_ppo_config ppo;
	weir_learner *learner;
	weir_ppo_figures figures; /* of the last update */
	uint64_t updates;
	double rewards; /* since the update before, summed */
	double mean_reward;
} driven_agent;

/* Loads it. *agent is to be released, after an error too. `rollout` as of the driver's options. */
weir_status driven_agent_load(driven_agent *agent, const char *path, size_t number, bool learns,
                              int64_t rollout, weir_error *error);
void driven_agent_release(driven_agent *agent);

/* Begins a run: forgets the one before. */
weir_status driven_agent_begin(driven_agent *agent, weir_sim *sim, weir_error *error);

/* Decides, for a simulation that waits for it. *updated: it learned before. */
weir_status driven_agent_decide(driven_agent *agent, weir_sim *sim, bool *updated,
                                weir_error *error);

/* What came of the last decision, at the end of a run. */
weir_status driven_agent_end(driven_agent *agent, weir_sim *sim, weir_error *error);

/* Saves it as it is now; its origin says from which file and in which run. */
weir_status driven_agent_save(const driven_agent *agent, uint64_t seed, const char *path,
                              weir_error *error);

#endif
