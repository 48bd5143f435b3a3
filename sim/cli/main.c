/* The `weir` command: finds the subcommand and runs it. */
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "weir_version.h"

static int print_help(FILE *out)
{
	fputs("usage: weir COMMAND [ARGUMENTS]\n"
	      "\n"
	      "Simulates clusters that serve large language models.\n"
	      "\n"
	      "commands:\n",
	      out);
	for (size_t i = 0; weir_commands[i] != NULL; i++) {
		fprintf(out, "  %-10s %s\n", weir_commands[i]->name, weir_commands[i]->summary);
	}
	fputs("\n"
	      "'weir COMMAND --help' tells more of each; 'weir --version' prints the version.\n",
	      out);
	return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	/* GSL's own handler aborts the program. */
	gsl_set_error_handler_off();
	if (argc < 2) {
		return print_help(stderr);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		return print_help(stdout);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("weir %s\n", WEIR_VERSION);
		return 0;
	}
	const char *names[64] = {NULL};
	size_t count = 0;
	for (; weir_commands[count] != NULL && count < 64; count++) {
		const weir_command *command = weir_commands[count];
		if (strcmp(argv[1], command->name) == 0) {
			for (int i = 2; i < argc; i++) {
				if (strcmp(argv[i], "--") == 0) {
					break;
				}
				if (strcmp(argv[i], "--help") == 0) {
					return cli_help(command);
				}
			}
			return command->run(command, argc - 1, argv + 1);
		}
		names[count] = command->name;
	}
	const char *nearest = weir_nearest(argv[1], names, count);
	fprintf(stderr, "weir: there is no command '%s'%s%s%s\nTry 'weir --help'.\n", argv[1],
	        nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
	        nearest != NULL ? "'?" : "");
	return 2;
}
