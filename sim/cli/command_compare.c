/* weir compare: recorded runs side by side. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/compare.h"
#include "analysis/figures.h"
#include "analysis/report_data.h"
#include "cli/cli.h"

static const char help[] =
    "usage: weir compare A.h5 B.h5 [MORE.h5 ...] [--json | --csv | --markdown]\n"
    "                    [--figures DIR]\n"
    "\n"
    "Sets recorded runs side by side: cost, instance-hours, SLO attainment, throughput, scale\n"
    "operations, energy, what became of the requests, and the percentiles of TTFT, TBT, E2E and "
    "of\n"
    "their slowdowns. Says which runs are on the Pareto front of cost against attainment: those\n"
    "that no other run beats in both.\n"
    "\n"
    "Where a run served the same trace as the first one (the same ids, arrivals and sizes), its\n"
    "requests are paired with those of the first: the mean difference of each latency with its "
    "95 %\n"
    "interval, and the shares of requests that were faster and slower. Where not, it says why.\n"
    "A file made by 'weir recover' is marked as partial, and is not judged for the front.\n"
    "\n"
    "The exit status is 0, or 2 for a file that is not a recorded run of this schema or less.\n"
    "\n"
    "options:\n"
    "      --json       one JSON object: columns with units, a row per run\n"
    "      --csv        one table, a row per run, every digit\n"
    "      --markdown   the tables of the text as Markdown\n"
    "      --figures DIR\n"
    "                   also draw the runs over each other (CDFs, attainment and instances over\n"
    "                   time, cost against attainment) as SVG and PNG; DIR is made if need be\n"
    "\n"
    "examples:\n"
    "  weir run configs/scenarios/diurnal.json -o never.h5\n"
    "  weir run configs/scenarios/diurnal.json --policy reactive -o reactive.h5\n"
    "  weir compare never.h5 reactive.h5\n"
    "  weir compare never.h5 reactive.h5 --json | jq -r '.rows[] | [.run, .cost] | @tsv'\n";

typedef struct compare_arguments {
	weir_table_format format;
	bool formatted;
	const char *figures;
	const char *const *paths;
	size_t path_count;
} compare_arguments;

/* Returns 0, or the exit status after a message. */
static int parse(const weir_command *command, int argc, char **argv, compare_arguments *arguments)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
	                                        {"csv", no_argument, NULL, 'c'},
	                                        {"markdown", no_argument, NULL, 'm'},
	                                        {"figures", required_argument, NULL, 'f'},
	                                        {0}};
	optind = 1;
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == '?') {
			return cli_usage_error(command, "unknown option, or no value for %s", argv[optind - 1]);
		}
		if (option == 'f') {
			arguments->figures = optarg;
			continue;
		}
		if (arguments->formatted) {
			return cli_usage_error(command, "only one of --json, --csv and --markdown can be had");
		}
		arguments->formatted = true;
		arguments->format = option == 'j'   ? WEIR_TABLE_AS_JSON
		                    : option == 'c' ? WEIR_TABLE_AS_CSV
		                                    : WEIR_TABLE_AS_MARKDOWN;
	}
	if (argc - optind < 2) {
		return cli_usage_error(command, "at least two recorded runs are needed");
	}
	arguments->paths = (const char *const *)(argv + optind);
	arguments->path_count = (size_t)(argc - optind);
	return 0;
}

static weir_status draw(const compare_arguments *arguments, const weir_comparison *comparison,
                        weir_error *error)
{
	cJSON *payload = NULL;
	weir_status status = weir_report_data(arguments->paths, arguments->path_count, &payload, error);
	if (status == WEIR_OK) {
		status = weir_figures_of_comparison(payload, comparison, arguments->figures, NULL, error);
	}
	cJSON_Delete(payload);
	return status;
}

static int run(const weir_command *command, int argc, char **argv)
{
	compare_arguments arguments = {.format = WEIR_TABLE_AS_TEXT};
	int failed = parse(command, argc, argv, &arguments);
	if (failed != 0) {
		return failed;
	}
	weir_error error = {0};
	weir_comparison comparison;
	if (weir_compare(arguments.paths, arguments.path_count, &comparison, &error) != WEIR_OK) {
		return cli_fail(&error);
	}
	weir_status status = WEIR_OK;
	if (arguments.figures != NULL) {
		status = draw(&arguments, &comparison, &error);
	}
	char *text = weir_comparison_print(&comparison, arguments.format);
	weir_comparison_release(&comparison);
	if (status == WEIR_OK && text == NULL) {
		status =
		    weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory for the comparison");
	}
	if (status != WEIR_OK) {
		free(text);
		return cli_fail(&error);
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

const weir_command command_compare = {
    .name = "compare",
    .summary = "set recorded runs side by side",
    .help = help,
    .run = run,
};
