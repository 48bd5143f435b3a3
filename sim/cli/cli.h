/*
 * The frame of the `weir` command: one file per subcommand, sim/cli/command_<name>.c, which defines
 * one const weir_command; main.c lists them.
 */
#ifndef WEIR_CLI_CLI_H
#define WEIR_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct weir_command {
	const char *name;
	const char *summary; /* one line, for `weir --help` */
	const char *help;    /* usage, options and examples: what `weir NAME --help` prints */
	/* argv[0] is the subcommand's name; returns the exit status. getopt_long may be used. Where
	 * there are subcommands it is NULL, or run when none of them is named. */
	int (*run)(const struct weir_command *command, int argc, char **argv);
	/* Commands of its own, NULL-terminated, named "NAME SUBCOMMAND"; NULL for none. */
	const struct weir_command *const *subcommands;
} weir_command;

/* Prints "where: message" of the error to stderr and returns the exit status that its status asks
 * for. */
int cli_fail(const weir_error *error);

/* Prints "weir NAME: message" and a pointer to --help to stderr; returns 2. */
int cli_usage_error(const weir_command *command, const char *format, ...) WEIR_PRINTF(2, 3);

/* Prints command->help to stdout; returns 0. */
int cli_help(const weir_command *command);

/*
 * True when Ctrl-C (or SIGTERM) came. cli_catch_interrupts installs the handler; a second Ctrl-C
 * ends the program at once.
 */
void cli_catch_interrupts(void);
bool cli_interrupted(void);

/*
 * A progress line on stderr, redrawn at most 5 times a second; silent unless stderr is a terminal
 * and `enabled`. `done` of `total` (total <= 0: unknown) in any unit; `text` is put before the
 * bar's figures.
 */
typedef struct cli_progress {
	bool enabled, drawn;
	double started, last_drawn; /* monotonic seconds */
} cli_progress;

void cli_progress_begin(cli_progress *progress, bool enabled);
/* True when it is time to redraw: callers then gather their figures and call cli_progress_draw. */
bool cli_progress_due(cli_progress *progress);
void cli_progress_draw(cli_progress *progress, double done, double total, const char *text);
/* Clears the line. */
void cli_progress_end(cli_progress *progress);

/* Monotonic wall time, in seconds. */
double cli_wall_seconds(void);

#endif
