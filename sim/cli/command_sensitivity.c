/* weir sensitivity: which keys of a config matter. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/write_text.h"
#include "study/sensitivity.h"

typedef struct sensitivity_arguments {
	const char *output;
	weir_pool_options pool;
	weir_table_format format;
	bool quiet;
	cli_progress line;
} sensitivity_arguments;

static bool show_progress(void *context, size_t done, size_t count)
{
	sensitivity_arguments *arguments = context;
	if (cli_progress_due(&arguments->line)) {
		char text[64];
		snprintf(text, sizeof text, "%zu of %zu runs", done, count);
		cli_progress_draw(&arguments->line, (double)done, (double)count, text);
	}
	return !cli_interrupted();
}

static weir_status find(sensitivity_arguments *arguments, const char *path, weir_error *error)
{
	weir_sensitivity_file *file = NULL;
	weir_sensitivity result = {0};
	weir_status status = weir_sensitivity_file_load(path, cli_config_directories, &file, error);
	status = status == WEIR_OK ? cli_check_output(arguments->output, error) : status;
	if (status == WEIR_OK) {
		cli_catch_interrupts();
		cli_progress_begin(&arguments->line, !arguments->quiet);
		arguments->pool.progress = show_progress;
		arguments->pool.context = arguments;
		status = weir_sensitivity_find(file, &arguments->pool, &result, error);
		cli_progress_end(&arguments->line);
	}
	if (status == WEIR_OK) {
		char *text = weir_sensitivity_print(&result, arguments->format);
		status = text != NULL
		             ? cli_write_text(arguments->output, text, error)
		             : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the result");
		free(text);
	}
	weir_sensitivity_release(&result);
	weir_sensitivity_file_destroy(file);
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

static weir_status read_option(sensitivity_arguments *arguments, int option, char *text,
                               weir_error *error)
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
	sensitivity_arguments arguments = {0};
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
	return find(&arguments, argv[optind], &error) == WEIR_OK ? 0 : cli_fail(&error);
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
