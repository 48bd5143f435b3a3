/* weir plan: the cheapest fleet that keeps an SLO, or the highest load at which a fleet does. */
#include <math.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/search_arguments.h"
#include "study/plan.h"

static void remark(const cli_search *search, const weir_plan_result *result)
{
	for (size_t i = 0; !search->quiet && i < result->ranking_count; i++) {
		const weir_plan_ranking *ranking = &result->rankings[i];
		if (ranking->count == 0 && isnan(ranking->target)) {
			fprintf(stderr, "No point keeps the percentiles.\n");
		} else if (ranking->count == 0) {
			fprintf(stderr, "No point keeps an attainment of %g.\n", ranking->target);
		}
	}
}

/* *found: every target has an answer. */
static weir_status plan(cli_search *search, bool *found, weir_error *error)
{
	weir_plan_file *file = NULL;
	weir_plan_result result = {0};
	weir_status status = weir_plan_file_load(search->file, cli_config_directories, &file, error);
	if (status == WEIR_OK) {
		status = cli_search_begin(search, &file->space, "runs of this round", error);
	}
	if (status == WEIR_OK) {
		status = weir_plan_carry_out(file, &search->pool, &result, error);
		cli_search_end(search);
	}
	if (status == WEIR_OK) {
		status = cli_search_write(search, weir_plan_print(&result, search->format), error);
		remark(search, &result);
	}
	for (size_t i = 0; i < result.ranking_count; i++) {
		*found = *found && result.rankings[i].count > 0;
	}
	weir_plan_release(&result);
	weir_plan_file_destroy(file);
	return status;
}

static int run(const weir_command *command, int argc, char **argv)
{
	cli_search search = {0};
	weir_error error = {0};
	int failure;
	if (!cli_search_read(&search, command, argc, argv, &failure)) {
		return failure;
	}
	bool found = true;
	weir_status status = plan(&search, &found, &error);
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
