/* The config that a command line asks for: CONFIG and its overrides. */
#ifndef WEIR_CLI_CONFIG_ARGUMENTS_H
#define WEIR_CLI_CONFIG_ARGUMENTS_H

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

/* Where included files are also looked for: the shipped configs. NULL-terminated. */
extern const char *const cli_config_directories[];

/* All zero is empty. */
typedef struct cli_config_arguments {
	const char *path; /* NULL: the shipped default.json */
	char **sets;      /* owned */
	size_t count, capacity;
	char *policy_file; /* owned; NULL: none */
} cli_config_arguments;

/* Adds an override "path=value", printf-like. */
weir_status cli_config_set(cli_config_arguments *arguments, weir_error *error, const char *format,
                           ...) WEIR_PRINTF(3, 4);
/*
 * Finds a policy: a file as it stands (its name has a '/' or ".json"), else one of the shipped
 * configs/policies/SCENARIO (unless NULL), else of configs/policies; *file is to be freed. NULL: it
 * is a kind, to be set as policies="NAME". Any other name is an error of `option`.
 */
weir_status cli_policy_find(const char *option, const char *scenario, const char *name, char **file,
                            weir_error *error);
/*
 * The policies of a run in place of CONFIG's own: `name` is a file that is laid over CONFIG, or the
 * name of one of the shipped configs/policies, or a kind of policy, which then has its defaults.
 */
weir_status cli_config_set_policy(cli_config_arguments *arguments, const char *name,
                                  weir_error *error);
void cli_config_release(cli_config_arguments *arguments);

/* What to load, for the functions of config.h; it refers to *arguments. */
weir_document_options cli_config_options(const cli_config_arguments *arguments);

/* Loads it; included files are also looked for among the shipped configs. */
weir_status cli_config_load(const cli_config_arguments *arguments, const weir_config **config,
                            weir_error *error);

#endif
