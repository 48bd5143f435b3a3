/* weir export: an agent in a format that other programs read. */
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/write_text.h"
#include "rl/agent.h"
#include "rl/export_npz.h"
#include "rl/export_onnx.h"

static const char help[] =
    "usage: weir export AGENT -o FILE.onnx|FILE.npz [--to FORMAT] [--json]\n"
    "\n"
    "Writes the agent of a file that weir train made (best.h5, final.h5, checkpoint.h5) for\n"
    "other programs: as an ONNX model with its normaliser inside, or as a file of NumPy's\n"
    "with the names and shapes that Stable-Baselines3 has for the parameters. Equal agents\n"
    "give equal bytes. docs/agents.md says what is in the files and how they are loaded.\n"
    "\n"
    "options:\n"
    "  -o, --output FILE   the file to write; \"-\" is standard output, with --to\n"
    "      --to FORMAT     onnx or npz, where the name of the file does not say it\n"
    "      --json          print what was written as JSON\n"
    "\n"
    "examples:\n"
    "  weir export out/cartpole/best.h5 -o cartpole.onnx\n"
    "  weir export out/cartpole/best.h5 -o cartpole.npz\n"
    "  weir export out/cartpole/best.h5 --to npz -o - | sha256sum\n";

/* A format, its ending and its writer. */
typedef struct export_format {
	const char *name;
	weir_status (*write)(const weir_agent *agent, weir_bytes *bytes, weir_error *error);
} export_format;

static const export_format formats[] = {{"onnx", weir_export_onnx}, {"npz", weir_export_npz}};

typedef struct export_arguments {
	const char *agent, *output, *to;
	const export_format *format;
	bool json;
} export_arguments;

static const export_format *find_format(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof formats / sizeof formats[0]; i++) {
		if (strcmp(formats[i].name, name) == 0) {
			return &formats[i];
		}
	}
	return NULL;
}

/* Which format is wanted. Returns 0, or the exit status after a message. */
static int choose_format(const weir_command *command, export_arguments *arguments)
{
	const char *dot = strrchr(arguments->output, '.');
	const char *name = arguments->to != NULL ? arguments->to : dot != NULL ? dot + 1 : NULL;
	arguments->format = find_format(name);
	if (arguments->format != NULL) {
		return 0;
	}
	return arguments->to != NULL
	           ? cli_usage_error(command, "unknown format %s; known are onnx and npz",
	                             arguments->to)
	           : cli_usage_error(command,
	                             "the name %s ends neither in .onnx nor in .npz; --to says the "
	                             "format",
	                             arguments->output);
}

/* Returns 0, or the exit status after a message. */
static int parse(const weir_command *command, int argc, char **argv, export_arguments *arguments)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
	                                        {"to", required_argument, NULL, 't'},
	                                        {"json", no_argument, NULL, 'j'},
	                                        {0}};
	optind = 1;
	opterr = 0;
	int option;
	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (option == 'o') {
			arguments->output = optarg;
		} else if (option == 't') {
			arguments->to = optarg;
		} else if (option == 'j') {
			arguments->json = true;
		} else {
			return cli_usage_error(command, "unknown option, or no value for %s", argv[optind - 1]);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "one AGENT is needed, %d are given", argc - optind);
	}
	if (arguments->output == NULL) {
		return cli_usage_error(command, "-o FILE.onnx or FILE.npz is needed");
	}
	if (arguments->json && strcmp(arguments->output, "-") == 0) {
		return cli_usage_error(command, "--json and -o - both want standard output");
	}
	arguments->agent = argv[optind];
	return choose_format(command, arguments);
}

static weir_status export(const export_arguments *arguments, const weir_agent *agent, size_t *size,
                          weir_error *error)
{
	weir_bytes bytes = {.data = NULL};
	weir_status status = arguments->format->write(agent, &bytes, error);
	if (status == WEIR_OK) {
		status = cli_write_bytes(arguments->output, bytes.data, bytes.size, error);
	}
	*size = bytes.size;
	free(bytes.data);
	return status;
}

static weir_status print_json(const export_arguments *arguments, const weir_agent *agent,
                              size_t size, weir_error *error)
{
	cJSON *result = cJSON_CreateObject();
	cJSON_AddStringToObject(result, "agent", arguments->agent);
	cJSON_AddStringToObject(result, "environment", agent->environment);
	cJSON_AddStringToObject(result, "file", arguments->output);
	cJSON_AddStringToObject(result, "format", arguments->format->name);
	cJSON_AddNumberToObject(result, "bytes", (double)size);
	char *text = weir_json_print(result);
	cJSON_Delete(result);
	if (text == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	}
	fputs(text, stdout);
	free(text);
	return WEIR_OK;
}

static int run(const weir_command *command, int argc, char **argv)
{
	export_arguments arguments = {0};
	int failed = parse(command, argc, argv, &arguments);
	if (failed != 0) {
		return failed;
	}
	weir_error error;
	weir_agent *agent = NULL;
	size_t size = 0;
	weir_status status = weir_agent_load(arguments.agent, &agent, &error);
	if (status == WEIR_OK) {
		status = export(&arguments, agent, &size, &error);
	}
	if (status == WEIR_OK && arguments.json) {
		status = print_json(&arguments, agent, size, &error);
	} else if (status == WEIR_OK && strcmp(arguments.output, "-") != 0) {
		printf("%s: an agent for %s, %zu numbers in and %zu out; %zu bytes\n", arguments.output,
		       agent->environment, agent->observation.size, agent->action.size, size);
	}
	weir_agent_destroy(agent);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

const weir_command command_export = {
    .name = "export",
    .summary = "write an agent as ONNX or for NumPy",
    .help = help,
    .run = run,
};
