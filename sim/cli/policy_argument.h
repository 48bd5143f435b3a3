/* A policy as a command line names it: of the config, and agents beside it or in its place. */
#ifndef WEIR_CLI_POLICY_ARGUMENT_H
#define WEIR_CLI_POLICY_ARGUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"

/* Before the file of an agent. */
#define CLI_AGENT_PREFIX "rl:"

/*
 * What "NAME", "rl:FILE", "rl:FILE+rl:FILE" or "NAME+rl:FILE" stands for: agents, and what scales
 * the pools that they leave alone. A FILE without a '/' and a '.' is the name of a shipped agent,
 * configs/agents/FILE.h5, where there is one.
 */
typedef struct cli_policy {
	const char *name;          /* for cli_policy_find; NULL: the config's own */
	const char *const *agents; /* files */
	size_t agent_count;
	const char *shown; /* base names of files, joined by '+' */
} cli_policy;

/* A file's name without its directories and extension. NULL when memory is out. */
char *cli_base_name(weir_arena *arena, const char *path);

/* Parts are separated by the characters of `separators`. Texts are of `arena`. Errors, of `option`:
 * an empty part, several names. */
weir_status cli_policy_parse(const char *option, const char *text, const char *separators,
                             weir_arena *arena, cli_policy *policy, weir_error *error);

/* Likewise files of agents alone, separated by '+' and without "rl:". */
weir_status cli_policy_parse_agents(const char *text, weir_arena *arena, cli_policy *policy,
                                    weir_error *error);

#endif
