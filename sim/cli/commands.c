#include "cli/commands.h"

#include <stddef.h>

extern const weir_command command_profile;

const weir_command *const weir_commands[] = {
    &command_profile,
    NULL,
};
