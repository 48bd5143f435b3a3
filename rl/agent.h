/*
 * A trained agent: the network, how its observations are normalised, and for which environment it
 * was made. What is saved as one file, shipped and run.
 */
#ifndef WEIR_RL_AGENT_H
#define WEIR_RL_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "record/archive.h"
#include "rl/action_distribution.h"
#include "rl/actor_critic.h"
#include "rl/normaliser.h"
#include "rl/space.h"

WEIR_BEGIN_C

typedef struct weir_agent {
	char *environment;              /* its kind */
	char *parameters;               /* of the environment, a JSON object with nothing left open */
	weir_space observation, action; /* with names and bounds of their own */
	weir_actor_critic *network;
	weir_normaliser *normaliser; /* NULL: observations go in as they are */
	char *origin; /* how it came to be: a JSON object (config, seed, steps, version) */
} weir_agent;

/* What the file of an agent says that it is. */
#define WEIR_AGENT_FORMAT "weir agent"
enum { WEIR_AGENT_VERSION = 1 };

/* A new agent with a fresh network, no normaliser, and "{}" for its origin; the texts and spaces
 * are copied. Errors: those of weir_actor_critic_create. */
WEIR_API weir_status weir_agent_create(const char *environment, const char *parameters,
                                       const weir_space *observation, const weir_space *action,
                                       const weir_actor_critic_shape *shape, uint64_t seed,
                                       weir_agent **agent, weir_error *error);
WEIR_API void weir_agent_destroy(weir_agent *agent);

/*
 * Into, and out of, the group `group` of an archive: docs/agents.md says what stands there. The
 * running returns of the normaliser belong to the training and not to the agent: one that was read
 * has one environment, whose return is 0. Loading refuses another format version, a missing or
 * misshapen tensor, and numbers that are not finite: FILE, then the array and what was wrong.
 */
WEIR_API weir_status weir_agent_put(const weir_agent *agent, weir_archive_writer *archive,
                                    const char *group, weir_error *error);
WEIR_API weir_status weir_agent_get(const weir_archive *archive, const char *group,
                                    weir_agent **agent, weir_error *error);
/* The group of an archive with an agent in it: "agent", or "learner/agent" of a checkpoint; NULL:
 * there is none. */
WEIR_API const char *weir_agent_in(const weir_archive *archive);
/* A file of its own, with the agent in the group "agent": written aside, synced, renamed. Equal
 * agents give equal bytes. */
WEIR_API weir_status weir_agent_save(const weir_agent *agent, const char *path, weir_error *error);
/* The agent of such a file, or of a checkpoint. */
WEIR_API weir_status weir_agent_load(const char *path, weir_agent **agent, weir_error *error);

/* Refuses an agent whose spaces are not these: names the first difference (kind, size, name, unit,
 * bounds, choices) and both values. `path` is what the message calls the agent. */
WEIR_API weir_status weir_agent_check(const weir_agent *agent, const char *path,
                                      const weir_space *observation, const weir_space *action,
                                      weir_error *error);

/* What one user needs to ask the agent, one observation at a time; the agent itself is not changed,
 * must stay, and may have many. */
typedef struct weir_agent_user weir_agent_user;
/* NULL when memory is out. */
WEIR_API weir_agent_user *weir_agent_user_create(const weir_agent *agent);
WEIR_API void weir_agent_user_destroy(weir_agent_user *user);

/* The answer to an observation. raw[action.size] is what the policy said (a Box's not clipped),
 * action[action.size] lies in the space; *value is the estimated return, in the unit of the
 * (normalised) reward. `random` NULL: the mode of the policy; `mask` NULL: all choices. */
WEIR_API void weir_agent_act(weir_agent_user *user, const float *observation, const uint8_t *mask,
                             weir_xoshiro *random, float *raw, float *action, float *value);

WEIR_END_C

#endif
