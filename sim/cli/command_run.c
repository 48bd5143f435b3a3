/* weir run: one simulation, recorded to a file. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/policy_argument.h"
#include "cli/run_report.h"
#include "cli/write_text.h"
#include "rl/agent_driver.h"
#include "run/run.h"

typedef struct run_arguments {
	cli_config_arguments config;
	weir_run_options options;
	char *output;      /* owned */
	weir_arena *arena; /* of what follows */
	cli_policy policy;
	weir_agent_driver_options agents;
	const char *saved; /* LIST of --learn; NULL: none */
	bool json, quiet;
} run_arguments;

typedef struct run_progress {
	cli_progress line;
	double started;
} run_progress;

static bool show_progress(void *context, const weir_run_progress *now)
{
	run_progress *progress = context;
	if (cli_progress_due(&progress->line)) {
		char clock[32];
		char rate[32];
		char text[128];
		double elapsed = cli_wall_seconds() - progress->started;
		snprintf(text, sizeof text, "simulated %s, %s requests/s, %llu in the system",
		         weir_format_duration(clock, sizeof clock, now->now),
		         weir_format_count(rate, sizeof rate, (double)now->ended / elapsed),
		         (unsigned long long)(now->arrived - now->ended));
		cli_progress_draw(&progress->line, isnan(now->share_done) ? 0.0 : now->share_done,
		                  isnan(now->share_done) ? 0.0 : 1.0, text);
	}
	return !cli_interrupted();
}

/* CONFIG without its directories and extension, and ".h5": in the current directory. */
static char *default_output(const char *config)
{
	const char *name = config != NULL ? config : "default";
	const char *slash = strrchr(name, '/');
	name = slash != NULL ? slash + 1 : name;
	const char *dot = strrchr(name, '.');
	size_t length = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
	size_t size = length + sizeof ".h5";
	char *output = malloc(size);
	if (output != NULL) {
		snprintf(output, size, "%.*s.h5", (int)length, name);
	}
	return output;
}

/* argv joined by blanks, for the record. */
static char *join_arguments(int argc, char **argv)
{
	size_t size = sizeof "weir";
	for (int i = 0; i < argc; i++) {
		size += strlen(argv[i]) + 1;
	}
	char *text = malloc(size);
	if (text != NULL) {
		size_t used = (size_t)snprintf(text, size, "weir");
		for (int i = 0; i < argc; i++) {
			used += (size_t)snprintf(text + used, size - used, " %s", argv[i]);
		}
	}
	return text;
}

/* Cuts LIST of --learn, one file for each agent. */
static weir_status list_saved(run_arguments *arguments, weir_error *error)
{
	size_t count = arguments->policy.agent_count;
	char *rest = weir_arena_string(arguments->arena, arguments->saved);
	const char **saved = weir_arena_allocate(arguments->arena, count, sizeof *saved);
	if (rest == NULL || saved == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
	}
	size_t named = 0;
	for (char *name = strsep(&rest, ","); name != NULL; name = strsep(&rest, ","), named++) {
		if (named < count) {
			saved[named] = name;
		}
	}
	if (named != count) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "--learn",
		                      "expected a file for each of %zu agents, got '%s'", count,
		                      arguments->saved);
	}
	arguments->agents.saved = saved;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		status = cli_check_output(saved[i], error);
	}
	return status;
}

/* *driver is NULL without agents. */
static weir_status make_driver(run_arguments *arguments, const weir_config *config,
                               weir_agent_driver **driver, weir_error *error)
{
	weir_agent_driver_options *options = &arguments->agents;
	*driver = NULL;
	if (arguments->policy.agent_count == 0) {
		return options->sampled || options->learns
		           ? weir_error_set(error, WEIR_ERROR_INPUT,
		                            options->learns ? "--learn" : "--sample",
		                            "there is no agent; --policy rl:FILE names one")
		           : WEIR_OK;
	}
	weir_status status = arguments->saved != NULL ? list_saved(arguments, error) : WEIR_OK;
	options->paths = arguments->policy.agents;
	options->count = arguments->policy.agent_count;
	options->log = arguments->options.log;
	options->context = arguments->options.context;
	return status == WEIR_OK ? weir_agent_driver_create(options, config, driver, error) : status;
}

static weir_status run_config(run_arguments *arguments, const weir_config *config,
                              weir_run_result *result, weir_error *error)
{
	run_progress progress = {.started = cli_wall_seconds()};
	arguments->options.progress = show_progress;
	arguments->options.context = &progress;
	weir_agent_driver *driver = NULL;
	weir_status status = make_driver(arguments, config, &driver, error);
	if (status == WEIR_OK) {
		cli_progress_begin(&progress.line, !arguments->quiet && !arguments->json);
		cli_catch_interrupts();
		arguments->options.driver = driver != NULL ? weir_agent_driver_run(driver) : NULL;
		status = weir_run(config, &arguments->options, result, error);
		cli_progress_end(&progress.line);
	}
	weir_agent_driver_destroy(driver);
	return status;
}

static int simulate(run_arguments *arguments)
{
	weir_error error = {0};
	const weir_config *config = NULL;
	weir_status status = cli_config_load(&arguments->config, &config, &error);
	weir_run_result *result = status == WEIR_OK ? calloc(1, sizeof *result) : NULL;
	if (status == WEIR_OK && result == NULL) {
		status = weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	}
	if (status == WEIR_OK) {
		status = run_config(arguments, config, result, &error);
	}
	if (status == WEIR_OK && arguments->json) {
		cli_run_print_json(config, arguments->options.output, result);
	} else if (status == WEIR_OK && !arguments->quiet) {
		cli_run_print_summary(config, arguments->options.output, result);
	}
	int exit_status = status == WEIR_OK ? 0 : cli_fail(&error);
	if (status != WEIR_OK && result != NULL && result->output_part[0] != '\0') {
		fprintf(stderr, "What was done is in %s; 'weir recover %s' makes a file of it.\n",
		        result->output_part, result->output_part);
	}
	free(result);
	weir_config_destroy(config);
	return exit_status;
}

/* A line of the simulation's log, above the progress line. */
static void print_log(void *context, double time, const char *line)
{
	run_progress *progress = context;
	cli_progress_end(&progress->line);
	fprintf(stderr, "%12.3f %s\n", time, line);
}

static weir_status read_policy(run_arguments *arguments, const char *text, weir_error *error)
{
	weir_status status =
	    cli_policy_parse("--policy", text, ",+", arguments->arena, &arguments->policy, error);
	return status == WEIR_OK && arguments->policy.name != NULL
	           ? cli_config_set_policy(&arguments->config, arguments->policy.name, error)
	           : status;
}

static weir_status read_option(run_arguments *arguments, int option, const char *text,
                               weir_error *error)
{
	int64_t seed;
	switch (option) {
	case 'o':
		free(arguments->output);
		arguments->output = strdup(text);
		return WEIR_OK;
	case 's':
		return cli_config_set(&arguments->config, error, "%s", text);
	case 'n':
		if (!weir_parse_int64(text, &seed) || seed < 0) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--seed",
			                      "expected a whole number from 0, got '%s'", text);
		}
		return cli_config_set(&arguments->config, error, "seed=%lld", (long long)seed);
	case 'u':
		if (!weir_parse_double(text, &arguments->options.until) || arguments->options.until <= 0) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--until",
			                      "expected a number of seconds above 0, got '%s'", text);
		}
		return WEIR_OK;
	case 'r':
		arguments->options.requests_csv = text;
		return WEIR_OK;
	case 'p':
		return read_policy(arguments, text, error);
	case 'S':
		arguments->agents.sampled = true;
		return WEIR_OK;
	case 'L':
		arguments->agents.learns = true;
		arguments->saved = text;
		return WEIR_OK;
	case 'E':
		if (!weir_parse_int64(text, &arguments->agents.rollout) || arguments->agents.rollout < 2) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--learn-every",
			                      "expected a whole number from 2, got '%s'", text);
		}
		return WEIR_OK;
	case 'e':
		if (strcmp(text, "iterations") != 0) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--record",
			                      "expected iterations, got '%s'", text);
		}
		return cli_config_set(&arguments->config, error, "record.iterations=true");
	case 'l':
		arguments->options.log = print_log;
		return WEIR_OK;
	case 'j':
		arguments->json = true;
		return WEIR_OK;
	default:
		arguments->quiet = true;
		return WEIR_OK;
	}
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'},
	    {"set", required_argument, NULL, 's'},
	    {"seed", required_argument, NULL, 'n'},
	    {"until", required_argument, NULL, 'u'},
	    {"requests-csv", required_argument, NULL, 'r'},
	    {"policy", required_argument, NULL, 'p'},
	    {"sample", no_argument, NULL, 'S'},
	    {"learn", optional_argument, NULL, 'L'},
	    {"learn-every", required_argument, NULL, 'E'},
	    {"record", required_argument, NULL, 'e'},
	    {"log", no_argument, NULL, 'l'},
	    {"json", no_argument, NULL, 'j'},
	    {"quiet", no_argument, NULL, 'q'},
	    {0},
	};
	run_arguments arguments = {.options = weir_run_options_default(), .arena = weir_arena_create()};
	char *command_line = join_arguments(argc, argv);
	arguments.options.command_line = command_line != NULL ? command_line : "";
	weir_error error = {0};
	int result = 0;
	if (arguments.arena == NULL) {
		weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
		result = cli_fail(&error);
	}
	opterr = 0;
	for (int option;
	     result == 0 && (option = getopt_long(argc, argv, "o:q", options, NULL)) != -1;) {
		if (option == '?') {
			result = cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                         argv[optind - 1]);
		} else if (read_option(&arguments, option, optarg, &error) != WEIR_OK) {
			result = cli_fail(&error);
		}
	}
	if (result == 0 && argc - optind > 1) {
		result = cli_usage_error(command, "one CONFIG, not also '%s'", argv[optind + 1]);
	} else if (result == 0) {
		arguments.config.path = optind < argc ? argv[optind] : NULL;
		if (arguments.output == NULL) {
			arguments.output = default_output(arguments.config.path);
		}
		arguments.options.output = arguments.output;
		result = simulate(&arguments);
	}
	cli_config_release(&arguments.config);
	weir_arena_destroy(arguments.arena);
	free(arguments.output);
	free(command_line);
	return result;
}

const weir_command command_run = {
    .name = "run",
    .summary = "simulate a config and record the run",
    .help =
        "usage: weir run [CONFIG] [-o FILE.h5] [--set PATH=VALUE]... [--seed N] [--until T]\n"
        "                [--policy NAME | rl:FILE[,rl:FILE]] [--sample] [--learn[=FILE]]\n"
        "                [--record iterations] [--log] [--requests-csv FILE] [--json] [--quiet]\n"
        "\n"
        "Replays or generates a workload through the cluster of CONFIG (the shipped default.json\n"
        "without one), records every request to an HDF5 file and prints a summary.\n"
        "\n"
        "  -o, --output FILE.h5   where the run goes (CONFIG's name with .h5, in this directory);\n"
        "                         while it lasts, and after an error, FILE.h5.part\n"
        "  --set PATH=VALUE       overrides a key of the config ('weir config --explain' lists "
        "them)\n"
        "  --seed N               the same as --set seed=N\n"
        "  --until T              stop at T simulated seconds\n"
        "  --policy NAME          what scales, in place of CONFIG's own: one of configs/policies, "
        "a\n"
        "                         kind of policy, or a file that is laid over CONFIG\n"
        "  --policy rl:FILE       a trained agent (a file, or one of the shipped configs/agents "
        "by\n"
        "                         its name); several, for a pool each, separated by commas;\n"
        "                         CONFIG's policies, or NAME,rl:FILE, scale what they leave alone\n"
        "  --sample               the agents draw their actions (by the seed of the run)\n"
        "  --learn[=FILE]         they go on learning while they act (and draw); FILE, or one for\n"
        "                         each, separated by commas, gets them as they are at the end\n"
        "  --learn-every N        decisions between updates (the n_steps of their training)\n"
        "  --log                  print what the ScalingManager does, and every 100th decision\n"
        "                         of an agent\n"
        "  --record iterations    also record every iteration and KV transfer, for 'weir\n"
        "                         trace-events'; the same as --set record.iterations=true\n"
        "  --requests-csv FILE    also write SplitwiseSim's columns of every completed request\n"
        "  --json                 print the summary as JSON, and no progress\n"
        "  -q, --quiet            print nothing but errors\n"
        "\n"
        "examples:\n"
        "  weir run configs/default.json --set trace.path=traces/AzureLLMInferenceTrace_conv.csv\n"
        "  weir run configs/parity.json --set trace.path=trace.csv \\\n"
        "      --set servers=dgx-a100:4,dgx-h100:4 --set scheduler.kind=mixed_pool \\\n"
        "      --set pools=prompt:dgx-h100,token:dgx-a100 --requests-csv requests.csv\n"
        "  weir run configs/default.json --set workload.like=traces/azure-code-like.json --json\n"
        "  weir run configs/scenarios/bursty.json --policy rl:agent.h5 -o agent-run.h5\n",
    .run = run,
};
