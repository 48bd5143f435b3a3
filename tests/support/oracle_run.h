/* Whole runs of a config beside the naive oracle. */
#ifndef WEIR_TESTS_ORACLE_RUN_H
#define WEIR_TESTS_ORACLE_RUN_H

/*
 * Runs configs/parity.json on a trace through servers and pools (short forms) under a scheduler,
 * into a file of the test's directory, and the naive oracle on the same requests; fails the test
 * unless every recorded request, the end and the busy times are equal. Prints how many
 * requests there were, and how many of them were preempted or waited for memory.
 */
void check_run_against_oracle(const char *trace, const char *servers, const char *pools,
                              const char *scheduler);

#endif
