/* Text, or any bytes, as the whole of a file. */
#ifndef WEIR_CLI_WRITE_TEXT_H
#define WEIR_CLI_WRITE_TEXT_H

#include <stddef.h>

#include "base/error.h"

/* Writes `text` to `path`, aside and then renamed, so that there is all of it or none; NULL or "-":
 * standard output. What is no regular file, such as a pipe, is written directly. */
weir_status cli_write_text(const char *path, const char *text, weir_error *error);
/* The same with `size` bytes of anything. */
weir_status cli_write_bytes(const char *path, const void *data, size_t size, weir_error *error);

/* Finds out, before the work, whether cli_write_text could write `path`; leaves it as it is. */
weir_status cli_check_output(const char *path, weir_error *error);

#endif
