/* weir sensitivity: which keys of a config matter. */
#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/search_arguments.h"
#include "study/sensitivity.h"

static weir_status find(cli_search *search, weir_error *error)
{
	weir_sensitivity_file *file = NULL;
	weir_sensitivity result = {0};
	weir_status status =
	    weir_sensitivity_file_load(search->file, cli_config_directories, &file, error);
	if (status == WEIR_OK) {
		status = cli_search_begin(search, &file->space, "runs", error);
	}
	if (status == WEIR_OK) {
		status = weir_sensitivity_find(file, &search->pool, &result, error);
		cli_search_end(search);
	}
	if (status == WEIR_OK) {
		status = cli_search_write(search, weir_sensitivity_print(&result, search->format), error);
	}
	weir_sensitivity_release(&result);
	weir_sensitivity_file_destroy(file);
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
	return find(&search, &error) == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_sensitivity = {
    .name = "sensitivity",
    .summary = "find which keys of a config matter",
    .help =
        "usage: weir sensitivity FILE.json [--jobs N] [--format text|markdown|csv|json] [--json]\n"
        "                        [-o FILE] [--quiet]\n"
        "\n"
        "FILE.json says which keys change, and how far (docs/planning.md). Prints, for each of\n"
        "them and each figure of a run, the mean absolute effect of going through its whole\n"
        "range (mu_star), the mean effect (mu), and how much it depends on the rest (sigma), by\n"
        "Morris's screening, or the effects of one key at a time.\n"
        "\n"
        "  --jobs N           processes (as many as processors); the result does not depend on it\n"
        "  --format NAME      text, markdown, csv or json\n"
        "  --json             the same as --format json\n"
        "  -o, --output FILE  write the result there, when it is whole\n"
        "  -q, --quiet        print no progress\n"
        "\n"
        "example:\n"
        "  weir sensitivity configs/plans/screening.json\n",
    .run = run,
};
