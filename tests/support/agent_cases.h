/* Spaces, networks and minibatches for tests of what learns. */
#ifndef WEIR_TESTS_AGENT_CASES_H
#define WEIR_TESTS_AGENT_CASES_H

#include "oracle/naive_ppo.h"
#include "rl/action_distribution.h"
#include "rl/ppo_internal.h"

enum { CASE_SPACES = 3 };

/* A Box of 3, 5 choices, and of 2, 3 and 4 choices. */
extern const weir_space case_spaces[CASE_SPACES];

/* A network of small layers (7, 6) on observations of 4, whose policy head is not next to nothing
 * and whose biases and log_std are not 0. */
weir_actor_critic *case_network(const weir_space *action, bool shared_trunk, uint64_t seed);

/* The same network for the oracle; parameters[parameter count] are filled. */
naive_network case_naive_network(const weir_actor_critic *network, double *parameters);

/* Fills a rollout by chance: some choices are masked (none of the actions), probabilities, values
 * and returns are such that both sides of every clipping come up. */
void case_fill_rollout(weir_rollout *rollout, const weir_actor_critic *network, uint64_t seed);

#endif
