/* Files of agents that were never trained: their networks are as they begin. */
#ifndef WEIR_TESTS_AGENT_FILES_H
#define WEIR_TESTS_AGENT_FILES_H

#include <stdint.h>

/* An agent of the environment `scaling` with this task (JSON); its first layers are made so large
 * that its actions depend on what it sees. Learns in rollouts of 16 decisions. */
void test_scaling_agent(const char *path, const char *task, uint64_t seed);

/* One of the environment `cartpole`. */
void test_cartpole_agent(const char *path);

#endif
