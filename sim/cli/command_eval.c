/* weir eval: trained agents beside every autoscaler, on scenarios. */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/study_arguments.h"
#include "cli/write_text.h"
#include "study/agent_seeds.h"
#include "study/study_print.h"

typedef struct eval_arguments {
	cli_study study;
	const char *policies;
	char **agents, **scenarios; /* of the command line, or the shipped ones */
	size_t agent_count, scenario_count;
} eval_arguments;

/* What is no file of configs/policies, and what comes first of those that are. */
static const char *const first_policies[] = {"never", "random", "static", "schedule"};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
}

/* --- what is shipped --- */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t size = strlen(end);
	return length > size && strcmp(text + length - size, end) == 0;
}

/* The .json files of DIRECTORY/WHAT, by name, of the first directory that has any: their names, or
 * with `paths` their paths. */
static weir_status list_shipped(weir_arena *arena, const char *what, bool paths, char ***names,
                                size_t *count, weir_error *error)
{
	*count = 0;
	for (size_t i = 0; *count == 0 && cli_config_directories[i] != NULL; i++) {
		const char *directory = weir_arena_format(arena, "%s/%s", cli_config_directories[i], what);
		struct dirent **entries = NULL;
		int found = directory != NULL ? scandir(directory, &entries, NULL, alphasort) : 0;
		size_t most = found > 0 ? (size_t)found : 0;
		*names = weir_arena_allocate(arena, most + 1, sizeof **names);
		bool good = *names != NULL && directory != NULL;
		for (size_t e = 0; e < most; e++) {
			const char *name = entries[e]->d_name;
			if (good && ends_with(name, ".json")) {
				char *own = paths ? weir_arena_format(arena, "%s/%s", directory, name)
				                  : cli_base_name(arena, name);
				(*names)[(*count)++] = own;
				good = own != NULL;
			}
			free(entries[e]);
		}
		free(entries);
		if (!good) {
			return no_memory(error);
		}
	}
	return WEIR_OK;
}

static bool is_first(const char *name)
{
	for (size_t i = 0; i < sizeof first_policies / sizeof *first_policies; i++) {
		if (strcmp(first_policies[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* A schedule is made for a scenario: without one of its own it has none. */
static bool all_have_schedules(const eval_arguments *arguments)
{
	for (size_t s = 0; s < arguments->scenario_count; s++) {
		const char *scenario = cli_base_name(arguments->study.arena, arguments->scenarios[s]);
		bool found = false;
		for (size_t i = 0; scenario != NULL && !found && cli_config_directories[i] != NULL; i++) {
			const char *path =
			    weir_arena_format(arguments->study.arena, "%s/policies/%s/schedule.json",
			                      cli_config_directories[i], scenario);
			found = path != NULL && access(path, F_OK) == 0;
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

/* LIST of all shipped policies. */
static weir_status list_policies(const eval_arguments *arguments, const char **list,
                                 weir_error *error)
{
	weir_arena *arena = arguments->study.arena;
	char **names;
	size_t count;
	weir_status status = list_shipped(arena, "policies", false, &names, &count, error);
	const char *all = "never,random,static";
	if (status == WEIR_OK && all_have_schedules(arguments)) {
		all = "never,random,static,schedule";
	}
	for (size_t i = 0; status == WEIR_OK && all != NULL && i < count; i++) {
		if (!is_first(names[i])) {
			all = weir_arena_format(arena, "%s,%s", all, names[i]);
		}
	}
	*list = all;
	return status == WEIR_OK && all == NULL ? no_memory(error) : status;
}

/* --- running --- */

/* Arguments are agents (.h5) and scenarios, in any order. */
static weir_status sort_arguments(eval_arguments *arguments, char **texts, size_t count,
                                  weir_error *error)
{
	weir_arena *arena = arguments->study.arena;
	arguments->agents = weir_arena_allocate(arena, count + 1, sizeof *arguments->agents);
	arguments->scenarios = weir_arena_allocate(arena, count + 1, sizeof *arguments->scenarios);
	if (arguments->agents == NULL || arguments->scenarios == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < count; i++) {
		if (ends_with(texts[i], ".h5")) {
			arguments->agents[arguments->agent_count++] = texts[i];
		} else {
			arguments->scenarios[arguments->scenario_count++] = texts[i];
		}
	}
	if (arguments->agent_count == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "AGENT",
		                      "expected the file of an agent (.h5), or several");
	}
	return arguments->scenario_count > 0
	           ? WEIR_OK
	           : list_shipped(arena, "scenarios", true, &arguments->scenarios,
	                          &arguments->scenario_count, error);
}

static weir_status make_plan(eval_arguments *arguments, weir_error *error)
{
	cli_study *study = &arguments->study;
	weir_status status = WEIR_OK;
	if (arguments->policies == NULL) {
		status = list_policies(arguments, &arguments->policies, error);
	}
	if (status == WEIR_OK) {
		status = cli_study_agents(study, arguments->agents, arguments->agent_count,
		                          arguments->policies, error);
	}
	if (status == WEIR_OK) {
		status = cli_study_plan(study, arguments->scenarios, arguments->scenario_count, error);
	}
	return status == WEIR_OK ? cli_check_output(study->output, error) : status;
}

static weir_status write_study(const eval_arguments *arguments, const weir_study *study,
                               weir_error *error)
{
	weir_table_format format = arguments->study.format;
	char *text = weir_study_print(study, format);
	if (arguments->agent_count > 1) {
		weir_agent_seeds seeds;
		weir_status status = weir_agent_seeds_of(study, arguments->agent_count, &seeds, error);
		if (status != WEIR_OK) {
			free(text);
			return status;
		}
		text = weir_agent_seeds_print(&seeds, text, format);
		weir_agent_seeds_release(&seeds);
	}
	return cli_study_write(&arguments->study, text, error);
}

static weir_status evaluate(eval_arguments *arguments, char **texts, size_t count,
                            weir_error *error)
{
	weir_status status = sort_arguments(arguments, texts, count, error);
	if (status == WEIR_OK) {
		status = make_plan(arguments, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	cli_study *study = &arguments->study;
	weir_study result;
	cli_study_watch(study);
	status = weir_study_run(&study->plan, &study->pool, &result, error);
	cli_study_watched(study);
	if (status == WEIR_OK) {
		status = write_study(arguments, &result, error);
	}
	if (status == WEIR_OK) {
		cli_study_remark(study, &result);
	}
	weir_study_release(&result);
	return status;
}

static weir_status read_option(eval_arguments *arguments, int option, char *text, weir_error *error)
{
	switch (option) {
	case 'p':
		arguments->policies = text;
		return WEIR_OK;
	case 'B':
		arguments->study.bounds = true;
		return WEIR_OK;
	case 'S':
		arguments->study.sampled = true;
		return WEIR_OK;
	default:
		return cli_study_option(&arguments->study, option, text, error);
	}
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"policies", required_argument, NULL, 'p'}, {"replications", required_argument, NULL, 'r'},
	    {"jobs", required_argument, NULL, 'n'},     {"until", required_argument, NULL, 'u'},
	    {"set", required_argument, NULL, 's'},      {"bounds", no_argument, NULL, 'B'},
	    {"target", required_argument, NULL, 't'},   {"budget", required_argument, NULL, 'g'},
	    {"sample", no_argument, NULL, 'S'},         {"format", required_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'},           {"output", required_argument, NULL, 'o'},
	    {"quiet", no_argument, NULL, 'q'},          {0},
	};
	eval_arguments arguments = {0};
	weir_error error = {0};
	int result = 0;
	if (!cli_study_begin(&arguments.study)) {
		no_memory(&error);
		return cli_fail(&error);
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
	if (result == 0 && optind == argc) {
		result = cli_usage_error(command, "an AGENT is needed, or several");
	} else if (result == 0 &&
	           evaluate(&arguments, argv + optind, (size_t)(argc - optind), &error) != WEIR_OK) {
		result = cli_fail(&error);
	}
	cli_study_release(&arguments.study);
	return result;
}

const weir_command command_eval = {
    .name = "eval",
    .summary = "measure trained agents beside every autoscaler",
    .help =
        "usage: weir eval AGENT.h5... [SCENARIO...] [--policies LIST] [--replications N]\n"
        "                 [--bounds] [--sample] [--jobs N] [--until T] [--set PATH=VALUE]...\n"
        "                 [--target A] [--budget N] [--format text|markdown|csv|json] [--json]\n"
        "                 [-o FILE] [--quiet]\n"
        "\n"
        "Runs the agent on every SCENARIO (a config; those of configs/scenarios without one,\n"
        "which no training sees) beside policies, N times each with the same requests and faults\n"
        "for all, and prints what each costs and how it serves, and how it differs from the agent\n"
        "in pairs, with intervals of 95 %. It is 'weir study' with the agent as the baseline.\n"
        "\n"
        "Several AGENTs are seeds of one training: beside each of them stand, over all, the\n"
        "interquartile means of their cost relative to each policy's and of their attainment "
        "above\n"
        "it, with intervals by bootstrap within the scenarios. AGENT.h5+AGENT.h5 are two that\n"
        "drive together, a pool each. Files of one name are told apart by their directories.\n"
        "\n"
        "  --policies LIST        as of 'weir study'; without it never, random, static, schedule\n"
        "                         (where every SCENARIO has one) and all of configs/policies\n"
        "  --replications N       runs of each policy on each scenario (10)\n"
        "  --bounds               also the best known schedule, the fluid bound, and each "
        "policy's\n"
        "                         regret; the same as best_known in LIST\n"
        "  --target A             attainment that best_known has to reach (0.99)\n"
        "  --budget N             simulations of each of its searches (70)\n"
        "  --sample               agents draw their actions, by the seed of the run; without it\n"
        "                         they take the likeliest\n"
        "  --jobs N               processes (as many as processors); the results do not depend "
        "on it\n"
        "  --until T              stop each run at T simulated seconds\n"
        "  --set PATH=VALUE       overrides a key of every config, policies included\n"
        "  --format NAME          text, markdown, csv, or json (with every run)\n"
        "  --json                 the same as --format json\n"
        "  -o, --output FILE      write the result there, when it is whole\n"
        "  -q, --quiet            print no progress and no remarks\n"
        "\n"
        "examples:\n"
        "  weir eval out/agent/best.h5\n"
        "  weir eval out/agent/best.h5 configs/scenarios/bursty.json --policies hpa,keda --bounds\n"
        "  weir eval out/agent/seed-*/best.h5 --json -o eval.json\n",
    .run = run,
};
