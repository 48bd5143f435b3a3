/* weir config: prints a config as a run would see it, checks it, explains its keys. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "config/explain.h"

static int explain(const char *path, bool json)
{
	weir_error error = {0};
	char *text = NULL;
	weir_status status = weir_explain(&weir_config_keys, path,
	                                  json ? WEIR_EXPLAIN_JSON : WEIR_EXPLAIN_TEXT, &text, &error);
	if (status != WEIR_OK) {
		return cli_fail(&error);
	}
	fputs(text, stdout);
	free(text);
	return 0;
}

static void print_check(const weir_config *config, bool json)
{
	size_t servers = 0;
	for (size_t i = 0; i < config->application_count; i++) {
		servers += config->applications[i].server_count;
	}
	printf(json ? "{\"applications\": %zu, \"servers\": %zu}\n"
	            : "The config is right: applications %zu, servers %zu.\n",
	       config->application_count, servers);
}

static int show(const cli_config_arguments *arguments, bool check, bool json)
{
	weir_error error = {0};
	const weir_config *config = NULL;
	weir_status status = cli_config_load(arguments, &config, &error);
	if (status == WEIR_OK && check) {
		status = weir_config_check_files(config, &error);
	}
	if (status == WEIR_OK && check) {
		const weir_document_options options = cli_config_options(arguments);
		status = weir_config_check_family(&options, &error);
	}
	if (status == WEIR_OK && check) {
		print_check(config, json);
	} else if (status == WEIR_OK) {
		char *text = weir_config_print(config);
		if (text != NULL) {
			fputs(text, stdout);
			free(text);
		} else {
			status =
			    weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "no memory to print the config");
		}
	}
	weir_config_destroy(config);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"set", required_argument, NULL, 's'},
	    {"explain", no_argument, NULL, 'e'},
	    {"check", no_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'},
	    {0},
	};
	cli_config_arguments arguments = {0};
	weir_error error = {0};
	bool check = false;
	bool explains = false;
	bool json = false;
	int result = 0;
	opterr = 0;
	for (int option; result == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 's':
			if (cli_config_set(&arguments, &error, "%s", optarg) != WEIR_OK) {
				result = cli_fail(&error);
			}
			break;
		case 'e':
			explains = true;
			break;
		case 'c':
			check = true;
			break;
		case 'j':
			json = true;
			break;
		default:
			result = cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                         argv[optind - 1]);
		}
	}
	if (result == 0 && argc - optind > 1) {
		result =
		    cli_usage_error(command, "one CONFIG or PATH at most, not also '%s'", argv[optind + 1]);
	} else if (result == 0 && explains && (check || arguments.count > 0)) {
		result = cli_usage_error(command, "--explain goes with no other option but --json");
	} else if (result == 0) {
		const char *argument = optind < argc ? argv[optind] : NULL;
		arguments.path = argument;
		result = explains ? explain(argument, json) : show(&arguments, check, json);
	}
	cli_config_release(&arguments);
	return result;
}

const weir_command command_config = {
    .name = "config",
    .summary = "show, check or explain a config",
    .help =
        "usage: weir config [CONFIG] [--set PATH=VALUE]... [--check] [--json]\n"
        "       weir config --explain [PATH] [--json]\n"
        "\n"
        "Prints CONFIG (the shipped default.json without one) as a run sees it: includes and\n"
        "overrides joined, every default filled in. What it prints is a config itself.\n"
        "\n"
        "options:\n"
        "  --set PATH=VALUE  override a value; may be repeated. PATH is as in a.b[0].c; VALUE is\n"
        "                    JSON, else a string\n"
        "  --check           print only whether the config is right, with each shape of its\n"
        "                    family, and the files that it names\n"
        "  --explain [PATH]  print what a config may say, or what it may say at PATH\n"
        "  --json            print as JSON what --check or --explain has to say\n"
        "\n"
        "examples:\n"
        "  weir config configs/default.json --set servers=dgx-a100:6,dgx-h100:6 \\\n"
        "      --set pools=prompt:dgx-h100,token:dgx-a100\n"
        "  weir config --explain scheduler\n",
    .run = run,
};
