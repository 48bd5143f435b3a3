/* weir plan: the cheapest fleet that keeps an SLO, or the highest load at which a fleet does. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/write_text.h"
#include "study/plan.h"

typedef struct plan_arguments {
	const char *output;
	weir_pool_options pool;
	weir_table_format format;
	bool quiet;
	cli_progress line;
} plan_arguments;

static bool show_progress(void *context, size_t done, size_t count)
{
	plan_arguments *arguments = context;
	if (cli_progress_due(&arguments->line)) {
		char text[64];
		snprintf(text, sizeof text, "%zu of %zu runs of this round", done, count);
		cli_progress_draw(&arguments->line, (double)done, (double)count, text);
	}
	return !cli_interrupted();
}

static void remark(const plan_arguments *arguments, const weir_plan_result *result)
{
	for (size_t i = 0; !arguments->quiet && i < result->ranking_count; i++) {
		const weir_plan_ranking *ranking = &result->rankings[i];
		if (ranking->count == 0 && isnan(ranking->target)) {
			fprintf(stderr, "No point keeps the percentiles.\n");
		} else if (ranking->count == 0) {
			fprintf(stderr, "No point keeps an attainment of %g.\n", ranking->target);
		}
	}
}

/* *found: every target has an answer. */
static weir_status plan(plan_arguments *arguments, const char *path, bool *found, weir_error *error)
{
	weir_plan_file *file = NULL;
	weir_plan_result result = {0};
	weir_status status = weir_plan_file_load(path, cli_config_directories, &file, error);
	status = status == WEIR_OK ? cli_check_output(arguments->output, error) : status;
	if (status == WEIR_OK) {
		cli_catch_interrupts();
		cli_progress_begin(&arguments->line, !arguments->quiet);
		arguments->pool.progress = show_progress;
		arguments->pool.context = arguments;
		status = weir_plan_carry_out(file, &arguments->pool, &result, error);
		cli_progress_end(&arguments->line);
	}
	if (status == WEIR_OK) {
		char *text = weir_plan_print(&result, arguments->format);
		status = text != NULL
		             ? cli_write_text(arguments->output, text, error)
		             : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the result");
		free(text);
		remark(arguments, &result);
	}
	for (size_t i = 0; i < result.ranking_count; i++) {
		*found = *found && result.rankings[i].count > 0;
	}
	weir_plan_release(&result);
	weir_plan_file_destroy(file);
	return status;
}

static weir_status read_jobs(const char *text, size_t *workers, weir_error *error)
{
	int64_t value;
	if (!weir_parse_int64(text, &value) || value < 1 || value > 1000000) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "--jobs",
		                      "expected a whole number from 1 to 1000000, got '%s'", text);
	}
	*workers = (size_t)value;
	return WEIR_OK;
}

static weir_status read_format(const char *text, weir_table_format *format, weir_error *error)
{
	size_t count = 0;
	for (; weir_table_format_names[count] != NULL; count++) {
		if (strcmp(weir_table_format_names[count], text) == 0) {
			*format = (weir_table_format)count;
			return WEIR_OK;
		}
	}
	weir_keys_reader reader = {.file = "--format"};
	return weir_keys_fail_unknown(&reader, "", "format", text, weir_table_format_names, count,
	                              error);
}

static weir_status read_option(plan_arguments *arguments, int option, char *text, weir_error *error)
{
	switch (option) {
	case 'n':
		return read_jobs(text, &arguments->pool.workers, error);
	case 'f':
		return read_format(text, &arguments->format, error);
	case 'j':
		arguments->format = WEIR_TABLE_AS_JSON;
		return WEIR_OK;
	case 'o':
		arguments->output = text;
		return WEIR_OK;
	default:
		arguments->quiet = true;
		return WEIR_OK;
	}
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"jobs", required_argument, NULL, 'n'}, {"format", required_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'},       {"output", required_argument, NULL, 'o'},
	    {"quiet", no_argument, NULL, 'q'},      {0},
	};
	plan_arguments arguments = {0};
	weir_error error = {0};
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "o:q", options, NULL)) != -1;) {
		if (option == '?') {
			return cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                       argv[optind - 1]);
		}
		if (read_option(&arguments, option, optarg, &error) != WEIR_OK) {
			return cli_fail(&error);
		}
	}
	if (optind + 1 != argc) {
		return cli_usage_error(command, "one FILE is needed");
	}
	bool found = true;
	weir_status status = plan(&arguments, argv[optind], &found, &error);
	return status == WEIR_OK ? (found ? 0 : 1) : cli_fail(&error);
}

const weir_command command_plan = {
    .name = "plan",
    .summary = "find the cheapest fleet that keeps an SLO, or the load that one takes",
    .help =
        "usage: weir plan FILE.json [--jobs N] [--format text|markdown|csv|json] [--json]\n"
        "                 [-o FILE] [--quiet]\n"
        "\n"
        "FILE.json says which fleets are looked at under which load, and what they have to keep\n"
        "(docs/planning.md). With a `search` one key is bisected at each point: the smallest\n"
        "number of servers, or the highest rate. Without, the cheapest points are found by\n"
        "successive halving. A run ends as soon as its SLO can no longer be kept.\n"
        "\n"
        "Prints the answers, best first, for each target: price and provisioned power of the\n"
        "fleet, replications that keep the SLO, the share of runs that keep it at the least with\n"
        "95 % confidence, the attainment with its interval, the mean cost of a run.\n"
        "\n"
        "  --jobs N           processes (as many as processors); the result does not depend on it\n"
        "  --format NAME      text, markdown, csv or json\n"
        "  --json             the same as --format json\n"
        "  -o, --output FILE  write the result there, when it is whole\n"
        "  -q, --quiet        print no progress and no remarks\n"
        "\n"
        "The exit status is 0 when there is an answer for every target, 1 when there is none for\n"
        "some, 2 for bad input, 130 after Ctrl-C.\n"
        "\n"
        "examples:\n"
        "  weir plan configs/plans/three_skus.json\n"
        "  weir plan configs/plans/pools.json --format csv -o pools.csv\n",
    .run = run,
};
