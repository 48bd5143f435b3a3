/* The `weir` command: finds the subcommand and runs it. */
#include <gsl/gsl_errno.h>
#include <signal.h>
#include <stdbool.h>
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

/* Of "trace info" the part after the blank. */
static const char *last_word(const char *name)
{
	const char *blank = strrchr(name, ' ');
	return blank != NULL ? blank + 1 : name;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			return true;
		}
	}
	return false;
}

static int print_unknown(const char *word, const weir_command *const *commands)
{
	const char *names[64] = {NULL};
	size_t count = 0;
	for (; commands[count] != NULL && count < 64; count++) {
		names[count] = last_word(commands[count]->name);
	}
	const char *nearest = weir_nearest(word, names, count);
	const char *blank = strrchr(commands[0]->name, ' ');
	int length = blank != NULL ? (int)(blank - commands[0]->name) : 0;
	fprintf(stderr, "weir%s%.*s: there is no command '%s'%s%s%s\nTry 'weir %.*s%s--help'.\n",
	        length > 0 ? " " : "", length, commands[0]->name, word,
	        nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
	        nearest != NULL ? "'?" : "", length, commands[0]->name, length > 0 ? " " : "");
	return 2;
}

static bool has_command(const weir_command *const *commands, const char *word)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (strcmp(word, last_word(commands[i]->name)) == 0) {
			return true;
		}
	}
	return false;
}

/* Runs the command of `commands` that argv[0] names. */
static int run_command(const weir_command *const *commands, int argc, char **argv)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const weir_command *command = commands[i];
		if (strcmp(argv[0], last_word(command->name)) != 0) {
			continue;
		}
		if (command->subcommands != NULL && argc > 1 && argv[1][0] != '-' &&
		    (command->run == NULL || has_command(command->subcommands, argv[1]))) {
			return run_command(command->subcommands, argc - 1, argv + 1);
		}
		if (asks_for_help(argc, argv)) {
			return cli_help(command);
		}
		if (command->run == NULL) {
			return cli_usage_error(command, "a command of it is needed");
		}
		return command->run(command, argc, argv);
	}
	return print_unknown(argv[0], commands);
}

int main(int argc, char **argv)
{
	/* GSL's own handler aborts the program. */
	gsl_set_error_handler_off();
	/* A write beyond the limit on file sizes is to fail like one to a full disk, not to kill. */
	signal(SIGXFSZ, SIG_IGN);
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
	return run_command(weir_commands, argc - 1, argv + 1);
}
