/* weir trace fit: describes a trace by the figures from which one like it can be generated. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command_trace.h"
#include "workload/fit.h"
#include "workload/trace_reader.h"

static weir_status fit(const weir_trace_options *options, const weir_fit_options *fit_options,
                       const char *output, weir_error *error)
{
	weir_source *source = NULL;
	weir_status status = weir_trace_open(options, &source, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_fit_summary summary;
	status = weir_fit(source, fit_options, output, &summary, error);
	if (status == WEIR_OK && strcmp(output, "-") != 0) {
		printf("%s: %" PRId64 " requests in %.3f s; %" PRId64 " rates, cv of what they leave %.3f, "
		       "rank correlation %.3f\n",
		       output, summary.requests, summary.duration, summary.points, summary.cv,
		       summary.rank_correlation);
	}
	weir_source_destroy(source);
	return status;
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option long_options[] = {
	    {"output", required_argument, NULL, 'o'}, {"interval", required_argument, NULL, 'i'},
	    {"source", required_argument, NULL, 't'}, {"from", required_argument, NULL, 'f'},
	    {"strict", no_argument, NULL, 's'},       {0},
	};
	weir_trace_options options = {.format = "auto"};
	weir_fit_options fit_options = {.interval = 60};
	const char *output = NULL;
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":o:", long_options, NULL)) != -1;) {
		switch (option) {
		case 'o':
			output = optarg;
			break;
		case 'i':
			if (!trace_option_number(command, "interval", optarg, 1e-3, 1e9,
			                         &fit_options.interval)) {
				return 2;
			}
			break;
		case 't':
			fit_options.source = optarg;
			break;
		case 'f':
			options.format = optarg;
			break;
		case 's':
			options.strict = true;
			break;
		default:
			return trace_option_error(command, option, argv);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one trace is needed, not %d", argc - optind);
	}
	if (output == NULL) {
		return cli_usage_error(command, "-o LIKE.json is missing");
	}
	options.path = argv[optind];
	if (fit_options.source == NULL) {
		fit_options.source = options.path;
	}
	weir_error error = {0};
	return fit(&options, &fit_options, output, &error) == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_trace_fit = {
    .name = "trace fit",
    .summary = "describe a trace so that one like it can be generated",
    .help =
        "usage: weir trace fit FILE -o LIKE.json [--interval T] [--source TEXT]\n"
        "                      [--from FORMAT] [--strict]\n"
        "\n"
        "Describes a trace by rates that are linear between the middles of intervals, the\n"
        "burstiness that they leave, quantile tables of both sizes and their rank correlation.\n"
        "'weir trace generate' and the key workload.like of a config take such a file.\n"
        "\n"
        "options:\n"
        "  -o, --output LIKE.json  the file to write\n"
        "  --interval T            length of the intervals, s (60); shorter ones follow bursts\n"
        "                          more closely\n"
        "  --source TEXT           where the trace comes from, to be kept with the figures\n"
        "  --from FORMAT           splitwise, azure, burstgpt or mooncake (by the first line)\n"
        "  --strict                refuse rows that are skipped otherwise\n"
        "\n"
        "examples:\n"
        "  weir trace fit conv.csv -o conv-like.json\n"
        "  weir trace fit code.csv -o code-like.json --interval 5 --source 'our cluster, May'\n",
    .run = run,
};
