/* What the commands of `weir trace` share. */
#ifndef WEIR_CLI_COMMAND_TRACE_H
#define WEIR_CLI_COMMAND_TRACE_H

#include <stdint.h>

#include "cli/cli.h"
#include "workload/source.h"

extern const weir_command command_trace_info;
extern const weir_command command_trace_head;
extern const weir_command command_trace_convert;
extern const weir_command command_trace_generate;
extern const weir_command command_trace_fit;

/* For getopt_long's '?' and ':' (the short options begin with ":"): says which option is unknown or
 * lacks its value; returns 2. */
int trace_option_error(const weir_command *command, int option, char **argv);

/* Parses the value of an option, from `minimum` to `maximum`; otherwise says what would be right
 * and returns false. */
bool trace_option_number(const weir_command *command, const char *option, const char *text,
                         double minimum, double maximum, double *value);
bool trace_option_integer(const weir_command *command, const char *option, const char *text,
                          int64_t minimum, int64_t *value);

/*
 * Draws all requests of `source` through `take`, with a progress line, until one of them fails or
 * Ctrl-C comes (WEIR_ERROR_INTERRUPTED). *count: requests taken; *last: the last one's arrival.
 */
typedef weir_status (*trace_take)(void *context, const weir_request *request, weir_error *error);
weir_status trace_draw_all(weir_source *source, trace_take take, void *context, int64_t *count,
                           double *last, weir_error *error);

/* Writes all of `source` as a trace in `format` and says so on standard output, unless the trace
 * goes there. Nothing is left of it after an error. */
weir_status trace_write_all(weir_source *source, const char *path, const char *format,
                            weir_error *error);

#endif
