#include "cli/commands.h"

#include <stddef.h>

extern const weir_command command_info;
extern const weir_command command_recover;

const weir_command *const weir_commands[] = {
    &command_info,
    &command_recover,
    NULL,
};
