#include "cli/commands.h"

#include <stddef.h>

const weir_command *const weir_commands[] = {
    NULL,
};
