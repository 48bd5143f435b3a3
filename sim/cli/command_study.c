/* weir study: policies compared on scenarios, under common random numbers. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/config_arguments.h"
#include "cli/write_text.h"
#include "study/long_run.h"
#include "study/study_print.h"

typedef struct study_arguments {
	weir_arena *arena; /* of names and lists */
	char *policies;    /* LIST; cut into names[policy_count]; NULL: each config's own */
	const char *baseline, *output;
	char **names;
	bool bounds;                   /* best_known is in LIST */
	cli_config_arguments *configs; /* owned; [scenario][policy], then bases [scenario] */
	const char **sets;             /* of --set */
	size_t set_count, set_capacity, config_count;
	weir_study_plan plan;
	weir_pool_options pool;
	weir_table_format format;
	bool long_runs, quiet;
} study_arguments;

static const char own_policies[] = "own", bounds_name[] = "best_known";

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
}

/* A file's name without its directories and extension. */
static char *base_name(weir_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	int length = (int)(dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
	return weir_arena_format(arena, "%.*s", length, name);
}

/* Refuses a name that is there twice; it would stand for two rows or tables. */
static weir_status check_names(const char *const *names, size_t count, const char *where,
                               weir_error *error)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(names[i], names[k]) == 0) {
				return weir_error_set(error, WEIR_ERROR_INPUT, where, "'%s' is there twice",
				                      names[i]);
			}
		}
	}
	return WEIR_OK;
}

/* Cuts LIST at its commas. */
static weir_status list_policies(study_arguments *arguments, weir_error *error)
{
	char *list =
	    weir_arena_string(arguments->arena, arguments->policies != NULL ? arguments->policies : "");
	size_t most = 2;
	for (const char *c = list; c != NULL && *c != '\0'; c++) {
		most += *c == ',' ? 1 : 0;
	}
	arguments->names = weir_arena_allocate(arguments->arena, most, sizeof *arguments->names);
	const char **shown = weir_arena_allocate(arguments->arena, most, sizeof *shown);
	if (list == NULL || arguments->names == NULL || shown == NULL) {
		return no_memory(error);
	}
	size_t count = 0;
	char *rest = NULL;
	for (char *name = strtok_r(list, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
		if (strcmp(name, bounds_name) == 0) {
			arguments->bounds = true;
			continue;
		}
		arguments->names[count] = name;
		shown[count] = strchr(name, '/') != NULL || strstr(name, ".json") != NULL
		                   ? base_name(arguments->arena, name)
		                   : name;
		if (shown[count++] == NULL) {
			return no_memory(error);
		}
	}
	if (count == 0 && arguments->policies != NULL) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "--policies",
		                      arguments->bounds
		                          ? "best_known is a bound; name policies to compare with it"
		                          : "expected names, separated by commas");
	}
	if (count == 0) {
		shown[count++] = own_policies;
	}
	arguments->plan.policies = shown;
	arguments->plan.policy_count = count;
	return check_names(shown, count, "--policies", error);
}

static weir_status find_baseline(study_arguments *arguments, weir_error *error)
{
	const weir_study_plan *plan = &arguments->plan;
	for (size_t p = 0; arguments->baseline != NULL && p < plan->policy_count; p++) {
		if (strcmp(plan->policies[p], arguments->baseline) == 0) {
			arguments->plan.baseline = p;
			return WEIR_OK;
		}
	}
	if (arguments->baseline == NULL) {
		return WEIR_OK;
	}
	weir_keys_reader reader = {.arena = arguments->arena, .file = "--baseline"};
	return weir_keys_fail_unknown(&reader, "", "policy", arguments->baseline, plan->policies,
	                              plan->policy_count, error);
}

/* The config of one policy of one scenario; NULL: its own. */
static weir_status make_config(study_arguments *arguments, const char *path, const char *scenario,
                               const char *name, cli_config_arguments *config, weir_error *error)
{
	config->path = path;
	weir_status status = WEIR_OK;
	if (name != NULL) {
		status = cli_policy_find("--policies", scenario, name, &config->policy_file, error);
		if (status == WEIR_OK && config->policy_file == NULL) {
			status = cli_config_set(config, error, "policies=\"%s\"", name);
		}
	}
	for (size_t i = 0; status == WEIR_OK && i < arguments->set_count; i++) {
		status = cli_config_set(config, error, "%s", arguments->sets[i]);
	}
	return status;
}

static weir_status make_plan(study_arguments *arguments, char **paths, size_t count,
                             weir_error *error)
{
	weir_study_plan *plan = &arguments->plan;
	weir_status status = list_policies(arguments, error);
	if (status == WEIR_OK) {
		status = find_baseline(arguments, error);
	}
	if (status == WEIR_OK && arguments->bounds && isfinite(plan->until)) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, "--until",
		                        "best_known is of whole runs; leave out one of them");
	}
	if (status == WEIR_OK && arguments->bounds && arguments->long_runs) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, "--long",
		                        "best_known is of replications; leave out one of them");
	}
	if (status != WEIR_OK) {
		return status;
	}
	const char **scenarios = weir_arena_allocate(arguments->arena, count, sizeof *scenarios);
	size_t all = count * plan->policy_count + (arguments->bounds ? count : 0);
	weir_document_options *options = weir_arena_allocate(arguments->arena, all, sizeof *options);
	arguments->configs = weir_allocate(all, sizeof *arguments->configs);
	if (scenarios == NULL || options == NULL || arguments->configs == NULL) {
		return no_memory(error);
	}
	arguments->config_count = all;
	for (size_t s = 0; s < count; s++) {
		scenarios[s] = base_name(arguments->arena, paths[s]);
		if (scenarios[s] == NULL) {
			return no_memory(error);
		}
	}
	for (size_t i = 0; status == WEIR_OK && i < all; i++) {
		bool base = i >= count * plan->policy_count;
		size_t s = base ? i - count * plan->policy_count : i / plan->policy_count;
		const char *name = base ? NULL : arguments->names[i % plan->policy_count];
		status =
		    make_config(arguments, paths[s], scenarios[s], name, &arguments->configs[i], error);
		options[i] = cli_config_options(&arguments->configs[i]);
	}
	plan->scenarios = scenarios;
	plan->scenario_count = count;
	plan->configs = options;
	plan->bases = arguments->bounds ? options + count * plan->policy_count : NULL;
	return status == WEIR_OK ? check_names(scenarios, count, "CONFIG", error) : status;
}

typedef struct study_progress {
	cli_progress line;
	double started;
} study_progress;

static bool show_progress(void *context, size_t done, size_t count)
{
	study_progress *progress = context;
	if (cli_progress_due(&progress->line)) {
		char rate[32];
		char text[128];
		double elapsed = cli_wall_seconds() - progress->started;
		snprintf(text, sizeof text, "%zu of %zu runs, %s runs/s", done, count,
		         weir_format_count(rate, sizeof rate, (double)done / elapsed));
		cli_progress_draw(&progress->line, (double)done, (double)count, text);
	}
	return !cli_interrupted();
}

/* Writes `text`, NULL when memory was out for it, and frees it. */
static weir_status write_result(const study_arguments *arguments, char *text, weir_error *error)
{
	if (text == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the tables");
	}
	weir_status status = cli_write_text(arguments->output, text, error);
	free(text);
	return status;
}

static void print_remarks(const study_arguments *arguments, const weir_study *study)
{
	if (study->stalled > 0) {
		fprintf(stderr, "Stalled runs, with requests left that could never go on: %zu.\n",
		        study->stalled);
	}
	if (study->unreached > 0) {
		fprintf(stderr, "Searches that found nothing with an attainment of %g: %zu.\n",
		        arguments->plan.target, study->unreached);
	}
}

static weir_status replicate(const study_arguments *arguments, weir_error *error)
{
	weir_study study;
	weir_status status = weir_study_run(&arguments->plan, &arguments->pool, &study, error);
	cli_progress_end(&((study_progress *)arguments->pool.context)->line);
	if (status == WEIR_OK) {
		status = write_result(arguments, weir_study_print(&study, arguments->format), error);
	}
	if (status == WEIR_OK && !arguments->quiet) {
		print_remarks(arguments, &study);
	}
	weir_study_release(&study);
	return status;
}

/* --long: the first member of each family, once. */
static weir_status run_long(const study_arguments *arguments, weir_error *error)
{
	const weir_study_plan *plan = &arguments->plan;
	size_t count = plan->scenario_count * plan->policy_count;
	weir_replication *runs = weir_arena_allocate(arguments->arena, count, sizeof *runs);
	weir_long_result *results = weir_arena_allocate(arguments->arena, count, sizeof *results);
	weir_error *errors = weir_arena_allocate(arguments->arena, count, sizeof *errors);
	if (runs == NULL || results == NULL || errors == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < count; i++) {
		runs[i] = (weir_replication){.config = plan->configs[i],
		                             .scenario = plan->scenarios[i / plan->policy_count],
		                             .policy = plan->policies[i % plan->policy_count],
		                             .until = plan->until};
	}
	weir_status status =
	    weir_long_runs(runs, count, plan->confidence, &arguments->pool, results, errors, error);
	cli_progress_end(&((study_progress *)arguments->pool.context)->line);
	return status == WEIR_OK
	           ? write_result(arguments, weir_long_print(runs, results, count, arguments->format),
	                          error)
	           : status;
}

static int run_study(study_arguments *arguments, char **paths, size_t count)
{
	weir_error error = {0};
	weir_status status = make_plan(arguments, paths, count, &error);
	if (status == WEIR_OK) {
		status = cli_check_output(arguments->output, &error);
	}
	if (status == WEIR_OK) {
		study_progress progress = {.started = cli_wall_seconds()};
		cli_progress_begin(&progress.line, !arguments->quiet);
		cli_catch_interrupts();
		arguments->pool.progress = show_progress;
		arguments->pool.context = &progress;
		status = arguments->long_runs ? run_long(arguments, &error) : replicate(arguments, &error);
	}
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

/* A whole number from `least` to a million. */
static weir_status read_count(const char *option, const char *text, int64_t least, size_t *count,
                              weir_error *error)
{
	enum { MOST = 1000000 };
	int64_t value;
	if (!weir_parse_int64(text, &value) || value < least || value > MOST) {
		return weir_error_set(error, WEIR_ERROR_INPUT, option,
		                      "expected a whole number from %lld to %d, got '%s'", (long long)least,
		                      MOST, text);
	}
	*count = (size_t)value;
	return WEIR_OK;
}

static weir_status read_above_0(const char *option, const char *what, const char *text,
                                double *value, weir_error *error)
{
	if (!weir_parse_double(text, value) || *value <= 0.0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, option, "expected %s above 0, got '%s'",
		                      what, text);
	}
	return WEIR_OK;
}

static weir_status read_format(study_arguments *arguments, const char *text, weir_error *error)
{
	size_t count = 0;
	for (; weir_table_format_names[count] != NULL; count++) {
		if (strcmp(weir_table_format_names[count], text) == 0) {
			arguments->format = (weir_table_format)count;
			return WEIR_OK;
		}
	}
	weir_keys_reader reader = {.arena = arguments->arena, .file = "--format"};
	return weir_keys_fail_unknown(&reader, "", "format", text, weir_table_format_names, count,
	                              error);
}

static weir_status read_option(study_arguments *arguments, int option, char *text,
                               weir_error *error)
{
	switch (option) {
	case 'p':
		arguments->policies = text;
		return WEIR_OK;
	case 'r':
		return read_count("--replications", text, 1, &arguments->plan.replications, error);
	case 'n':
		return read_count("--jobs", text, 1, &arguments->pool.workers, error);
	case 'u':
		return read_above_0("--until", "a number of seconds", text, &arguments->plan.until, error);
	case 'w':
		return read_above_0("--width", "a number of percent", text, &arguments->plan.width, error);
	case 't':
		if (!weir_parse_double(text, &arguments->plan.target) || arguments->plan.target < 0.0 ||
		    arguments->plan.target > 1.0) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "--target",
			                      "expected an attainment from 0 to 1, got '%s'", text);
		}
		return WEIR_OK;
	case 'g':
		return read_count("--budget", text, 0, &arguments->plan.budget, error);
	case 'b':
		arguments->baseline = text;
		return WEIR_OK;
	case 's':
		if (!weir_reserve((void **)&arguments->sets, &arguments->set_capacity,
		                  arguments->set_count + 1, sizeof *arguments->sets)) {
			return no_memory(error);
		}
		arguments->sets[arguments->set_count++] = text;
		return WEIR_OK;
	case 'f':
		return read_format(arguments, text, error);
	case 'l':
		arguments->long_runs = true;
		return WEIR_OK;
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

static void release(study_arguments *arguments)
{
	for (size_t i = 0; i < arguments->config_count; i++) {
		cli_config_release(&arguments->configs[i]);
	}
	free(arguments->configs);
	free(arguments->sets);
	weir_arena_destroy(arguments->arena);
}

static int run(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"policies", required_argument, NULL, 'p'},
	    {"replications", required_argument, NULL, 'r'},
	    {"jobs", required_argument, NULL, 'n'},
	    {"until", required_argument, NULL, 'u'},
	    {"set", required_argument, NULL, 's'},
	    {"baseline", required_argument, NULL, 'b'},
	    {"target", required_argument, NULL, 't'},
	    {"budget", required_argument, NULL, 'g'},
	    {"width", required_argument, NULL, 'w'},
	    {"format", required_argument, NULL, 'f'},
	    {"long", no_argument, NULL, 'l'},
	    {"json", no_argument, NULL, 'j'},
	    {"output", required_argument, NULL, 'o'},
	    {"quiet", no_argument, NULL, 'q'},
	    {0},
	};
	study_arguments arguments = {.arena = weir_arena_create(), .plan = weir_study_plan_default()};
	weir_error error = {0};
	int result = 0;
	if (arguments.arena == NULL) {
		no_memory(&error);
		return cli_fail(&error);
	}
	arguments.plan.replications = 10;
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
	release(&arguments);
	return result;
}

const weir_command command_study = {
    .name = "study",
    .summary = "compare policies on scenarios, each run many times",
    .help =
        "usage: weir study CONFIG... [--policies LIST] [--replications N] [--jobs N] [--until T]\n"
        "                  [--set PATH=VALUE]... [--baseline POLICY] [--target A] [--budget N]\n"
        "                  [--width PERCENT] [--long]\n"
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
        "                         file; without it each CONFIG's own policies. best_known adds "
        "the\n"
        "                         bounds: the cheapest schedule that a search finds for the "
        "target,\n"
        "                         the fluid bound, and each policy's regret: its cost beyond the\n"
        "                         cheapest known run that reaches its attainment\n"
        "  --replications N       runs of each policy on each scenario (10)\n"
        "  --jobs N               processes (as many as processors); the results do not depend "
        "on it\n"
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
        "example:\n"
        "  weir study configs/scenarios/*.json --policies static,hpa,keda --replications 10\n",
    .run = run,
};
