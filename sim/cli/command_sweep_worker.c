/* weir sweep worker: does runs that a `weir sweep` on another machine has to give. */
#include <getopt.h>

#include "cli/command_sweep.h"
#include "cli/config_arguments.h"
#include "cli/sweep_policies.h"
#include "study/sweep_spool.h"

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {{0}};
	opterr = 0;
	if (getopt_long(argc, argv, "", options, NULL) != -1) {
		return cli_usage_error(command, "unknown option: '%s'", argv[optind - 1]);
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one SPOOL is needed, the directory of a spool");
	}
	weir_error error = {0};
	cli_catch_interrupts();
	weir_status status = weir_spool_serve(argv[optind], cli_config_directories, &cli_sweep_policies,
	                                      cli_interrupted, &error);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_sweep_worker = {
    .name = "sweep worker",
    .summary = "do runs of a sweep that is at work elsewhere",
    .help =
        "usage: weir sweep worker SPOOL\n"
        "\n"
        "Takes runs from the spool of a 'weir sweep' at work, one at a time, and reports them,\n"
        "until that one ends. '--engine slurm' begins such workers; others, on any machine that\n"
        "sees the sweep's directory and its configs by the same names, may help, begun in the\n"
        "directory where 'weir sweep' was.\n",
    .run = run,
};
