/* The subcommands, in the order in which `weir --help` lists them. */
#ifndef WEIR_CLI_COMMANDS_H
#define WEIR_CLI_COMMANDS_H

#include "cli/cli.h"

/* NULL-terminated. */
extern const weir_command *const weir_commands[];

#endif
