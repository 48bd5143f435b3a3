/* What the commands that search by many runs have in common: FILE and a few options, runs with a
 * progress line, a result that is written when it is whole. */
#ifndef WEIR_CLI_SEARCH_ARGUMENTS_H
#define WEIR_CLI_SEARCH_ARGUMENTS_H

#include <stdbool.h>

#include "analysis/table.h"
#include "base/error.h"
#include "cli/cli.h"
#include "study/process_pool.h"
#include "study/sweep_file.h"

/* All zero is empty. */
typedef struct cli_search {
	const char *file, *output;
	weir_pool_options pool;
	weir_table_format format;
	bool quiet;
	const char *unit; /* of the progress line: "runs" */
	cli_progress line;
} cli_search;

/* The format of that name. Refused as --format: any other. */
weir_status cli_read_format(const char *text, weir_table_format *format, weir_error *error);

/* Reads FILE and --jobs, --format, --json, --output, --quiet. False when they are wrong, which has
 * been told; *status is then the exit status. */
bool cli_search_read(cli_search *search, const weir_command *command, int argc, char **argv,
                     int *status);

/* Finds out what policies the space names and whether the result can be written. Then, up to
 * cli_search_end, the pool's progress is drawn, and Ctrl-C ends it; `search` stays where it is.
 * After an error nothing has begun. */
weir_status cli_search_begin(cli_search *search, weir_sweep_file *space, const char *unit,
                             weir_error *error);
void cli_search_end(cli_search *search);

/* Writes the result, which is freed; NULL: memory was out. */
weir_status cli_search_write(const cli_search *search, char *text, weir_error *error);

#endif
