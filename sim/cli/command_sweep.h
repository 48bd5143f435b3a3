/* What the commands of `weir sweep` share. */
#ifndef WEIR_CLI_COMMAND_SWEEP_H
#define WEIR_CLI_COMMAND_SWEEP_H

#include <stddef.h>

#include "cli/cli.h"

enum { SWEEP_DIRECTORY_NAME_SIZE = 384 };

/* The directory of a sweep: `name` itself, or of a file NAME.json runs/NAME. False: too long. */
bool sweep_directory(const char *name, char directory[SWEEP_DIRECTORY_NAME_SIZE]);

extern const weir_command command_sweep_status, command_sweep_cancel, command_sweep_retry,
    command_sweep_failed, command_sweep_collect, command_sweep_worker;

#endif
