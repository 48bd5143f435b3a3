/* weir trace head: prints the first requests of a trace. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/command_trace.h"
#include "workload/trace_reader.h"

static weir_status show(const weir_trace_options *options, int64_t wanted, weir_error *error)
{
	weir_source *source = NULL;
	weir_status status = weir_trace_open(options, &source, error);
	if (status == WEIR_OK) {
		printf("%12s  %14s  %13s  %13s  %11s  %13s\n", "request", "arrival, s", "prompt tokens",
		       "output tokens", "application", "prefix hashes");
	}
	for (int64_t i = 0; i < wanted && status == WEIR_OK; i++) {
		weir_request request;
		bool more = false;
		status = weir_source_next(source, &request, &more, error);
		if (status != WEIR_OK || !more) {
			break;
		}
		printf("%12" PRId64 "  %14.6f  %13" PRId64 "  %13" PRId64 "  %11" PRId64 "  %13zu\n",
		       request.id, request.arrival, request.prompt_tokens, request.output_tokens,
		       request.application, request.prefix_hash_count);
	}
	weir_source_destroy(source);
	return status;
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option long_options[] = {
	    {"count", required_argument, NULL, 'n'},
	    {"from", required_argument, NULL, 'f'},
	    {"strict", no_argument, NULL, 's'},
	    {0},
	};
	weir_trace_options options = {.format = "auto"};
	int64_t wanted = 10;
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":n:", long_options, NULL)) != -1;) {
		switch (option) {
		case 'n':
			if (!trace_option_integer(command, "count", optarg, 1, &wanted)) {
				return 2;
			}
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
	options.path = argv[optind];
	weir_error error = {0};
	return show(&options, wanted, &error) == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_trace_head = {
    .name = "trace head",
    .summary = "print the first requests of a trace",
    .help =
        "usage: weir trace head FILE [-n N] [--from FORMAT] [--strict]\n"
        "\n"
        "Prints the first requests of a trace as weir reads them: arrivals in seconds since its\n"
        "start, rows of failed requests left out.\n"
        "\n"
        "options:\n"
        "  -n, --count N   how many (10)\n"
        "  --from FORMAT   splitwise, azure, burstgpt or mooncake (by the first line)\n"
        "  --strict        refuse rows that are skipped otherwise\n"
        "\n"
        "examples:\n"
        "  weir trace head traces/AzureLLMInferenceTrace_conv.csv\n"
        "  zcat trace.csv.gz | weir trace head - -n 3\n",
    .run = run,
};
