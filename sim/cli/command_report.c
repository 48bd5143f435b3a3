/* weir report: a page of recorded runs. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/figures.h"
#include "analysis/report_data.h"
#include "analysis/report_page.h"
#include "cli/cli.h"

static const char help[] =
    "usage: weir report RUN.h5 [MORE.h5 ...] -o REPORT.html\n"
    "       weir report RUN.h5 [MORE.h5 ...] --json\n"
    "       weir report RUN.h5 [MORE.h5 ...] --figures DIR [-o REPORT.html | --json]\n"
    "\n"
    "Makes one page of recorded runs: what was run, the verdict in a line (SLO met or not, cost,\n"
    "bottleneck), and charts over time of arrivals, latencies, pools, instances with the "
    "policies'\n"
    "decisions, loads, memory, KV traffic, power and cost. The page needs no network and no other\n"
    "file. Of a file made by 'weir recover' it shows what is there and says so.\n"
    "\n"
    "The exit status is 0, or 2 for a file that is not a recorded run of this schema or less, or "
    "a\n"
    "page that cannot be written.\n"
    "\n"
    "options:\n"
    "  -o, --output REPORT.html   the page; it is written aside and takes its place when complete\n"
    "      --json                 print what the page would show, as JSON, and make no page\n"
    "      --figures DIR          draw every chart as DIR/NAME-CHART.svg and .png; DIR is made if\n"
    "                             need be\n"
    "\n"
    "examples:\n"
    "  weir run configs/scenarios/diurnal.json --policy reactive -o diurnal.h5\n"
    "  weir report diurnal.h5 -o diurnal.html\n"
    "  weir report diurnal.h5 --json | jq -r '.runs[].verdict.text'\n";

typedef struct report_arguments {
	const char *output, *figures;
	bool json;
	const char *const *paths;
	size_t path_count;
} report_arguments;

/* Returns 0, or the exit status after a message. */
static int parse(const weir_command *command, int argc, char **argv, report_arguments *arguments)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
	                                        {"json", no_argument, NULL, 'j'},
	                                        {"figures", required_argument, NULL, 'f'},
	                                        {0}};
	optind = 1;
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "o:", options, NULL)) != -1;) {
		if (option == 'o') {
			arguments->output = optarg;
		} else if (option == 'f') {
			arguments->figures = optarg;
		} else if (option == 'j') {
			arguments->json = true;
		} else {
			return cli_usage_error(command, "unknown option, or no value for %s", argv[optind - 1]);
		}
	}
	if (optind == argc) {
		return cli_usage_error(command, "at least one RUN.h5 is needed");
	}
	bool nothing = !arguments->json && arguments->output == NULL && arguments->figures == NULL;
	if (nothing || (arguments->json && arguments->output != NULL)) {
		return cli_usage_error(command,
		                       "one of -o REPORT.html and --json is needed, or --figures DIR");
	}
	arguments->paths = (const char *const *)(argv + optind);
	arguments->path_count = (size_t)(argc - optind);
	return 0;
}

static int run(const weir_command *command, int argc, char **argv)
{
	report_arguments arguments = {.output = NULL};
	int failed = parse(command, argc, argv, &arguments);
	if (failed != 0) {
		return failed;
	}
	weir_error error = {0};
	cJSON *payload = NULL;
	weir_status status = weir_report_data(arguments.paths, arguments.path_count, &payload, &error);
	if (status == WEIR_OK && arguments.figures != NULL) {
		status = weir_figures_of_report(payload, arguments.figures, NULL, &error);
	}
	char *text = status == WEIR_OK ? cJSON_PrintUnformatted(payload) : NULL;
	cJSON_Delete(payload);
	if (status == WEIR_OK && text == NULL) {
		status = weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory for the report");
	}
	if (status == WEIR_OK && arguments.json) {
		puts(text);
	} else if (status == WEIR_OK && arguments.output != NULL) {
		status = weir_report_page_write(arguments.output, text, strlen(text), &error);
	}
	cJSON_free(text);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_report = {
    .name = "report",
    .summary = "make a page of recorded runs",
    .help = help,
    .run = run,
};
