/* weir recover: a finished file of what an interrupted run left. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "record/reader.h"

static const char help[] =
    "usage: weir recover NAME.part [-o FILE.h5] [--json]\n"
    "\n"
    "Makes a finished file of what a run had recorded when it was killed, aborted or ran out of\n"
    "disk. Every table is cut to the rows that all of its columns have; the status becomes\n"
    "\"partial\". NAME.part stays as it is, and no file is overwritten. It also works while the "
    "run\n"
    "goes on, for a look at what there is so far. After a kill NAME.part.journal belongs to it: "
    "keep\n"
    "the two together.\n"
    "\n"
    "options:\n"
    "  -o, --output FILE.h5   the file to write; without it NAME.part without \".part\"\n"
    "      --json             print the result as JSON\n"
    "\n"
    "examples:\n"
    "  weir recover run.h5.part\n"
    "  weir recover run.h5.part -o so-far.h5\n";

typedef struct recover_arguments {
	const char *part_path, *output;
	bool json;
} recover_arguments;

/* Returns 0, or the exit status after a message. */
static int parse(const weir_command *command, int argc, char **argv, recover_arguments *arguments)
{
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'}, {"json", no_argument, NULL, 'j'}, {0}};
	optind = 1;
	opterr = 0;
	int option;
	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (option == 'o') {
			arguments->output = optarg;
		} else if (option == 'j') {
			arguments->json = true;
		} else {
			return cli_usage_error(command, "unknown option, or no value for %s", argv[optind - 1]);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one NAME.part is needed, %d are given", argc - optind);
	}
	arguments->part_path = argv[optind];
	return 0;
}

static int print_json(const char *part_path, const char *path, uint64_t kept, uint64_t cut)
{
	cJSON *result = cJSON_CreateObject();
	cJSON_AddStringToObject(result, "part", part_path);
	cJSON_AddStringToObject(result, "file", path);
	cJSON_AddNumberToObject(result, "rows_kept", (double)kept);
	cJSON_AddNumberToObject(result, "rows_cut", (double)cut);
	char *text = cJSON_Print(result);
	cJSON_Delete(result);
	if (text == NULL) {
		weir_error error;
		weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory");
		return cli_fail(&error);
	}
	puts(text);
	cJSON_free(text);
	return 0;
}

static int run(const weir_command *command, int argc, char **argv)
{
	recover_arguments arguments = {0};
	int failed = parse(command, argc, argv, &arguments);
	if (failed != 0) {
		return failed;
	}
	uint64_t kept = 0;
	uint64_t cut = 0;
	weir_error error;
	if (weir_record_recover(arguments.part_path, arguments.output, &kept, &cut, &error) !=
	    WEIR_OK) {
		return cli_fail(&error);
	}
	char path[4096];
	if (arguments.output != NULL) {
		snprintf(path, sizeof path, "%s", arguments.output);
	} else {
		int length = (int)(strlen(arguments.part_path) - strlen(".part"));
		snprintf(path, sizeof path, "%.*s", length, arguments.part_path);
	}
	if (arguments.json) {
		return print_json(arguments.part_path, path, kept, cut);
	}
	printf("%s: %" PRIu64 " rows recovered, %" PRIu64 " cut off as incomplete\n", path, kept, cut);
	return 0;
}

const weir_command command_recover = {
    .name = "recover",
    .summary = "make a finished file of what an interrupted run recorded",
    .help = help,
    .run = run,
};
