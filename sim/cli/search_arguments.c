#include "cli/search_arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/keys.h"
#include "base/text.h"
#include "cli/sweep_policies.h"
#include "cli/write_text.h"

weir_status cli_read_format(const char *text, weir_table_format *format, weir_error *error)
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

static weir_status read_option(cli_search *search, int option, char *text, weir_error *error)
{
	switch (option) {
	case 'n':
		return read_jobs(text, &search->pool.workers, error);
	case 'f':
		return cli_read_format(text, &search->format, error);
	case 'j':
		search->format = WEIR_TABLE_AS_JSON;
		return WEIR_OK;
	case 'o':
		search->output = text;
		return WEIR_OK;
	default:
		search->quiet = true;
		return WEIR_OK;
	}
}

bool cli_search_read(cli_search *search, const weir_command *command, int argc, char **argv,
                     int *status)
{
	static const struct option options[] = {
	    {"jobs", required_argument, NULL, 'n'}, {"format", required_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'},       {"output", required_argument, NULL, 'o'},
	    {"quiet", no_argument, NULL, 'q'},      {0},
	};
	weir_error error = {0};
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "o:q", options, NULL)) != -1;) {
		if (option == '?') {
			*status = cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                          argv[optind - 1]);
			return false;
		}
		if (read_option(search, option, optarg, &error) != WEIR_OK) {
			*status = cli_fail(&error);
			return false;
		}
	}
	if (optind + 1 != argc) {
		*status = cli_usage_error(command, "one FILE is needed");
		return false;
	}
	search->file = argv[optind];
	return true;
}

static bool show_progress(void *context, size_t done, size_t count)
{
	cli_search *search = context;
	if (cli_progress_due(&search->line)) {
		char text[64];
		snprintf(text, sizeof text, "%zu of %zu %s", done, count, search->unit);
		cli_progress_draw(&search->line, (double)done, (double)count, text);
	}
	return !cli_interrupted();
}

weir_status cli_search_begin(cli_search *search, weir_sweep_file *space, const char *unit,
                             weir_error *error)
{
	weir_status status = weir_sweep_policies_resolve(space, &cli_sweep_policies, error);
	status = status == WEIR_OK ? cli_check_output(search->output, error) : status;
	if (status != WEIR_OK) {
		return status;
	}
	search->unit = unit;
	cli_catch_interrupts();
	cli_progress_begin(&search->line, !search->quiet);
	search->pool.progress = show_progress;
	search->pool.context = search;
	return WEIR_OK;
}

void cli_search_end(cli_search *search)
{
	cli_progress_end(&search->line);
}

weir_status cli_search_write(const cli_search *search, char *text, weir_error *error)
{
	weir_status status =
	    text != NULL ? cli_write_text(search->output, text, error)
	                 : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the result");
	free(text);
	return status;
}
