/* What `weir info` says of agents and checkpoints. */
#ifndef WEIR_CLI_INFO_ARCHIVE_H
#define WEIR_CLI_INFO_ARCHIVE_H

#include <stdbool.h>

/* Prints it, as text or as JSON; returns the exit status, after a message where it is not 0. */
int cli_info_archive(const char *path, bool json);

#endif
