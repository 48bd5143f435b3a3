/* weir study: policies compared on scenarios, under common random numbers. */
#include <getopt.h>

#include "cli/study_arguments.h"
#include "cli/write_text.h"
#include "study/long_run.h"
#include "study/study_print.h"

typedef struct study_arguments {
	cli_study study;
	const char *policies, *baseline;
	bool long_runs;
} study_arguments;

static weir_status replicate(cli_study *study, weir_error *error)
{
	weir_study result;
	weir_status status = weir_study_run(&study->plan, &study->pool, &result, error);
	cli_study_watched(study);
	if (status == WEIR_OK) {
		status = cli_study_write(study, weir_study_print(&result, study->format), error);
	}
	if (status == WEIR_OK) {
		cli_study_remark(study, &result);
	}
	weir_study_release(&result);
	return status;
}

/* --long: the first member of each family, once. */
static weir_status run_long(cli_study *study, weir_error *error)
{
	const weir_study_plan *plan = &study->plan;
	size_t count = plan->scenario_count * plan->policy_count;
	weir_replication *runs = weir_arena_allocate(study->arena, count, sizeof *runs);
	weir_long_result *results = weir_arena_allocate(study->arena, count, sizeof *results);
	weir_error *errors = weir_arena_allocate(study->arena, count, sizeof *errors);
	if (runs == NULL || results == NULL || errors == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the runs");
	}
	for (size_t i = 0; i < count; i++) {
		runs[i] = (weir_replication){.config = plan->configs[i],
		                             .scenario = plan->scenarios[i / plan->policy_count],
		                             .policy = plan->policies[i % plan->policy_count],
		                             .until = plan->until,
		                             .driver = plan->drivers[i]};
	}
	weir_status status =
	    weir_long_runs(runs, count, plan->confidence, &study->pool, results, errors, error);
	cli_study_watched(study);
	return status == WEIR_OK
	           ? cli_study_write(study, weir_long_print(runs, results, count, study->format), error)
	           : status;
}

static int run_study(study_arguments *arguments, char **paths, size_t count)
{
	cli_study *study = &arguments->study;
	weir_error error = {0};
	weir_status status = cli_study_policies(study, arguments->policies, &error);
	if (status == WEIR_OK) {
		status = cli_study_baseline(study, arguments->baseline, &error);
	}
	if (status == WEIR_OK && study->bounds && arguments->long_runs) {
		status = weir_error_set(&error, WEIR_ERROR_INPUT, "--long",
		                        "best_known is of replications; leave out one of them");
	}
	if (status == WEIR_OK) {
		status = cli_study_plan(study, paths, count, &error);
	}
	if (status == WEIR_OK) {
		status = cli_check_output(study->output, &error);
	}
	if (status == WEIR_OK) {
		cli_study_watch(study);
		status = arguments->long_runs ? run_long(study, &error) : replicate(study, &error);
	}
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

static weir_status read_option(study_arguments *arguments, int option, char *text,
                               weir_error *error)
{
	switch (option) {
	case 'p':
		arguments->policies = text;
		return WEIR_OK;
	case 'b':
		arguments->baseline = text;
		return WEIR_OK;
	case 'S':
		arguments->study.sampled = true;
		return WEIR_OK;
	case 'l':
		arguments->long_runs = true;
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
	    {"set", required_argument, NULL, 's'},      {"baseline", required_argument, NULL, 'b'},
	    {"target", required_argument, NULL, 't'},   {"budget", required_argument, NULL, 'g'},
	    {"width", required_argument, NULL, 'w'},    {"sample", no_argument, NULL, 'S'},
	    {"format", required_argument, NULL, 'f'},   {"long", no_argument, NULL, 'l'},
	    {"json", no_argument, NULL, 'j'},           {"output", required_argument, NULL, 'o'},
	    {"quiet", no_argument, NULL, 'q'},          {0},
	};
	study_arguments arguments = {0};
	weir_error error = {0};
	int result = 0;
	if (!cli_study_begin(&arguments.study)) {
		weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
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
		result = cli_usage_error(command, "a CONFIG is needed, or several");
	} else if (result == 0) {
		result = run_study(&arguments, argv + optind, (size_t)(argc - optind));
	}
	cli_study_release(&arguments.study);
	return result;
}

const weir_command command_study = {
    .name = "study",
    .summary = "compare policies on scenarios, each run many times",
    .help =
        "usage: weir study CONFIG... [--policies LIST] [--replications N] [--jobs N] [--until T]\n"
        "                  [--set PATH=VALUE]... [--baseline POLICY] [--target A] [--budget N]\n"
        "                  [--width PERCENT] [--sample] [--long]\n"
        "                  [--format text|markdown|csv|json] [--json] [-o FILE] [--quiet]\n"
        "\n"
        "Runs every policy of LIST on every CONFIG (a scenario, called by its file's base name)\n"
        "N times over processes, and prints what each costs and how it serves. Replication r is\n"
        "member r of the config's family (its seed and shape), the same for every policy: common\n"
        "random numbers, so that differences are taken in pairs. Intervals have a confidence of\n"
        "95 %: Student's t of the means and paired differences over replications; bootstrap (BCa)\n"
        "of the medians of the runs' p99 slowdowns.\n"
        "\n"
        "  --policies LIST        separated by commas; each is "
        "configs/policies/SCENARIO/NAME.json,\n"
        "                         else configs/policies/NAME.json, else a kind of policy, or a\n"
        "                         file; rl:FILE is a trained agent (rl:FILE+rl:FILE: several, for\n"
        "                         a pool each; NAME+rl:FILE: the policy scales what the agent\n"
        "                         leaves alone), called by its file's base name; without LIST "
        "each\n"
        "                         CONFIG's own policies. best_known adds the\n"
        "                         bounds: the cheapest schedule that a search finds for the "
        "target,\n"
        "                         the fluid bound, and each policy's regret: its cost beyond the\n"
        "                         cheapest known run that reaches its attainment\n"
        "  --replications N       runs of each policy on each scenario (10)\n"
        "  --jobs N               processes (as many as processors); the results do not depend "
        "on it\n"
        "  --sample               agents draw their actions, by the seed of the run\n"
        "  --until T              stop each run at T simulated seconds\n"
        "  --set PATH=VALUE       overrides a key of every config, policies included\n"
        "  --target A             attainment that best_known has to reach (0.99)\n"
        "  --budget N             simulations of each of its searches, one for each scenario and\n"
        "                         replication (70)\n"
        "  --baseline POLICY      of LIST: what the others are compared with (the first)\n"
        "  --width PERCENT        also say how many replications make the half-width of the cost,\n"
        "                         and of the cost relative to the baseline's, this small\n"
        "  --long                 one long run of each instead (replication 0): TTFT, E2E and\n"
        "                         attainment over its requests without the warm-up (MSER-5), with\n"
        "                         batch means' intervals, and how likely batches so much alike "
        "are\n"
        "                         when they are independent (below 0.05: too short a run); for\n"
        "                         loads that do not change over time\n"
        "  --format NAME          text, markdown, csv (one table), or json (with every run)\n"
        "  --json                 the same as --format json\n"
        "  -o, --output FILE      write the result there, when it is whole\n"
        "  -q, --quiet            print no progress and no remarks\n"
        "\n"
        "examples:\n"
        "  weir study configs/scenarios/*.json --policies static,hpa,keda --replications 10\n"
        "  weir study configs/scenarios/bursty.json --policies reactive,rl:agent.h5,best_known\n",
    .run = run,
};
