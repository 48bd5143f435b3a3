#include "cli/study_arguments.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/search_arguments.h"
#include "cli/write_text.h"
#include "config/config.h"

static const char own_policies[] = "own", bounds_name[] = "best_known";

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
}

bool cli_study_begin(cli_study *study)
{
	*study = (cli_study){.arena = weir_arena_create(), .plan = weir_study_plan_default()};
	study->plan.replications = 10;
	return study->arena != NULL;
}

void cli_study_release(cli_study *study)
{
	for (size_t i = 0; i < study->config_count; i++) {
		cli_config_release(&study->configs[i]);
		weir_agent_driver_destroy(study->agents[i]);
	}
	free(study->configs);
	free(study->agents);
	free(study->sets);
	weir_arena_destroy(study->arena);
	*study = (cli_study){0};
}

/* --- options --- */

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

static weir_status read_target(weir_study_plan *plan, const char *text, weir_error *error)
{
	if (!weir_parse_double(text, &plan->target) || plan->target < 0.0 || plan->target > 1.0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "--target",
		                      "expected an attainment from 0 to 1, got '%s'", text);
	}
	return WEIR_OK;
}

weir_status cli_study_option(cli_study *study, int option, char *text, weir_error *error)
{
	switch (option) {
	case 'r':
		return read_count("--replications", text, 1, &study->plan.replications, error);
	case 'n':
		return read_count("--jobs", text, 1, &study->pool.workers, error);
	case 'u':
		return read_above_0("--until", "a number of seconds", text, &study->plan.until, error);
	case 'w':
		return read_above_0("--width", "a number of percent", text, &study->plan.width, error);
	case 't':
		return read_target(&study->plan, text, error);
	case 'g':
		return read_count("--budget", text, 0, &study->plan.budget, error);
	case 's':
		if (!weir_reserve((void **)&study->sets, &study->set_capacity, study->set_count + 1,
		                  sizeof *study->sets)) {
			return no_memory(error);
		}
		study->sets[study->set_count++] = text;
		return WEIR_OK;
	case 'f':
		return cli_read_format(text, &study->format, error);
	case 'j':
		study->format = WEIR_TABLE_AS_JSON;
		return WEIR_OK;
	case 'o':
		study->output = text;
		return WEIR_OK;
	default:
		study->quiet = true;
		return WEIR_OK;
	}
}

/* --- policies --- */

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

/* A file's name without its extension. NULL when memory is out. */
static const char *whole_name(weir_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash != NULL ? slash + 1 : path, '.');
	int length = (int)(dot != NULL && dot != path ? (size_t)(dot - path) : strlen(path));
	return weir_arena_format(arena, "%.*s", length, path);
}

/* Single agents whose files are called the same in several directories are shown with these. */
static weir_status tell_apart(cli_study *study, size_t count, weir_error *error)
{
	bool *same = weir_arena_allocate(study->arena, count, sizeof *same);
	if (same == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count; k++) {
			same[i] = same[i] ||
			          (i != k && strcmp(study->policies[i].shown, study->policies[k].shown) == 0);
		}
	}
	for (size_t i = 0; i < count; i++) {
		cli_policy *policy = &study->policies[i];
		if (same[i] && policy->agent_count == 1 && policy->name == NULL) {
			policy->shown = whole_name(study->arena, policy->agents[0]);
			if (policy->shown == NULL) {
				return no_memory(error);
			}
		}
	}
	return WEIR_OK;
}

static weir_status show_policies(cli_study *study, size_t count, weir_error *error)
{
	weir_status status = tell_apart(study, count, error);
	const char **shown = weir_arena_allocate(study->arena, count, sizeof *shown);
	if (status != WEIR_OK || shown == NULL) {
		return status != WEIR_OK ? status : no_memory(error);
	}
	for (size_t i = 0; i < count; i++) {
		shown[i] = study->policies[i].shown;
	}
	study->plan.policies = shown;
	study->plan.policy_count = count;
	return check_names(shown, count, "--policies", error);
}

/* Reads LIST behind the first *count policies, for which there is room. */
static weir_status add_list(cli_study *study, char *list, size_t *count, weir_error *error)
{
	char *rest = NULL;
	weir_status status = WEIR_OK;
	for (char *name = strtok_r(list, ",", &rest); status == WEIR_OK && name != NULL;
	     name = strtok_r(NULL, ",", &rest)) {
		if (strcmp(name, bounds_name) == 0) {
			study->bounds = true;
		} else {
			status = cli_policy_parse("--policies", name, "+", study->arena,
			                          &study->policies[(*count)++], error);
		}
	}
	return status;
}

static weir_status make_room(cli_study *study, size_t agents, const char *list, weir_error *error)
{
	size_t most = agents + 2;
	for (const char *c = list; c != NULL && *c != '\0'; c++) {
		most += *c == ',' ? 1 : 0;
	}
	study->policies = weir_arena_allocate(study->arena, most, sizeof *study->policies);
	return study->policies != NULL ? WEIR_OK : no_memory(error);
}

weir_status cli_study_policies(cli_study *study, const char *list, weir_error *error)
{
	char *own = weir_arena_string(study->arena, list != NULL ? list : "");
	size_t count = 0;
	weir_status status = own != NULL ? make_room(study, 0, list, error) : no_memory(error);
	if (status == WEIR_OK) {
		status = add_list(study, own, &count, error);
	}
	if (status == WEIR_OK && count == 0 && list != NULL) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "--policies",
		                      study->bounds
		                          ? "best_known is a bound; name policies to compare with it"
		                          : "expected names, separated by commas");
	}
	if (status == WEIR_OK && count == 0) {
		study->policies[count++].shown = own_policies;
	}
	return status == WEIR_OK ? show_policies(study, count, error) : status;
}

weir_status cli_study_agents(cli_study *study, char *const *files, size_t count, const char *list,
                             weir_error *error)
{
	char *own = weir_arena_string(study->arena, list != NULL ? list : "");
	weir_status status = own != NULL ? make_room(study, count, list, error) : no_memory(error);
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		status = cli_policy_parse_agents(files[i], study->arena, &study->policies[i], error);
	}
	size_t all = count;
	if (status == WEIR_OK) {
		status = add_list(study, own, &all, error);
	}
	return status == WEIR_OK ? show_policies(study, all, error) : status;
}

weir_status cli_study_baseline(cli_study *study, const char *name, weir_error *error)
{
	weir_study_plan *plan = &study->plan;
	if (name == NULL) {
		return WEIR_OK;
	}
	for (size_t p = 0; p < plan->policy_count; p++) {
		if (strcmp(plan->policies[p], name) == 0) {
			plan->baseline = p;
			return WEIR_OK;
		}
	}
	weir_keys_reader reader = {.arena = study->arena, .file = "--baseline"};
	return weir_keys_fail_unknown(&reader, "", "policy", name, plan->policies, plan->policy_count,
	                              error);
}

/* --- the plan --- */

/* The config of one policy of one scenario; `policy` NULL: its own. */
static weir_status make_config(cli_study *study, const char *path, const char *scenario,
                               const cli_policy *policy, cli_config_arguments *config,
                               weir_error *error)
{
	config->path = path;
	weir_status status = WEIR_OK;
	if (policy != NULL && policy->name != NULL) {
		status = cli_policy_find("--policies", scenario, policy->name, &config->policy_file, error);
		if (status == WEIR_OK && config->policy_file == NULL) {
			status = cli_config_set(config, error, "policies=\"%s\"", policy->name);
		}
	}
	for (size_t i = 0; status == WEIR_OK && i < study->set_count; i++) {
		status = cli_config_set(config, error, "%s", study->sets[i]);
	}
	return status;
}

/* The driver of one policy of one scenario, found fit for the first member of its family. */
static weir_status make_driver(cli_study *study, size_t number, const cli_policy *policy,
                               const weir_document_options *options, weir_error *error)
{
	if (policy->agent_count == 0) {
		return WEIR_OK;
	}
	const weir_config *config = NULL;
	weir_status status = weir_config_load_member(options, 0, &config, error);
	if (status == WEIR_OK) {
		const weir_agent_driver_options agents = {
		    .paths = policy->agents, .count = policy->agent_count, .sampled = study->sampled};
		status = weir_agent_driver_create(&agents, config, &study->agents[number], error);
	}
	if (status == WEIR_OK) {
		study->drivers[number] = weir_agent_driver_run(study->agents[number]);
	}
	weir_config_destroy(config);
	return status;
}

static weir_status make_all(cli_study *study, char *const *paths, const char *const *scenarios,
                            weir_document_options *options, weir_error *error)
{
	const weir_study_plan *plan = &study->plan;
	size_t runs = plan->scenario_count * plan->policy_count;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < study->config_count; i++) {
		bool base = i >= runs;
		size_t s = base ? i - runs : i / plan->policy_count;
		const cli_policy *policy = base ? NULL : &study->policies[i % plan->policy_count];
		status = make_config(study, paths[s], scenarios[s], policy, &study->configs[i], error);
		options[i] = cli_config_options(&study->configs[i]);
		if (status == WEIR_OK && policy != NULL) {
			status = make_driver(study, i, policy, &options[i], error);
		}
	}
	return status;
}

weir_status cli_study_plan(cli_study *study, char *const *paths, size_t count, weir_error *error)
{
	weir_study_plan *plan = &study->plan;
	if (study->bounds && isfinite(plan->until)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "--until",
		                      "best_known is of whole runs; leave out one of them");
	}
	size_t all = count * plan->policy_count + (study->bounds ? count : 0);
	const char **scenarios = weir_arena_allocate(study->arena, count, sizeof *scenarios);
	weir_document_options *options = weir_arena_allocate(study->arena, all, sizeof *options);
	study->drivers = weir_arena_allocate(study->arena, all, sizeof *study->drivers);
	study->configs = weir_allocate(all, sizeof *study->configs);
	study->agents = weir_allocate(all, sizeof(weir_agent_driver *));
	if (scenarios == NULL || options == NULL || study->drivers == NULL || study->configs == NULL ||
	    study->agents == NULL) {
		return no_memory(error);
	}
	for (size_t s = 0; s < count; s++) {
		scenarios[s] = cli_base_name(study->arena, paths[s]);
		if (scenarios[s] == NULL) {
			return no_memory(error);
		}
	}
	study->config_count = all;
	plan->scenarios = scenarios;
	plan->scenario_count = count;
	plan->configs = options;
	plan->drivers = study->drivers;
	plan->bases = study->bounds ? options + count * plan->policy_count : NULL;
	weir_status status = make_all(study, paths, scenarios, options, error);
	return status == WEIR_OK ? check_names(scenarios, count, "CONFIG", error) : status;
}

/* --- running --- */

static bool show_progress(void *context, size_t done, size_t count)
{
	cli_study *study = context;
	cli_progress *line = &study->progress.line;
	if (cli_progress_due(line)) {
		char rate[32];
		char text[128];
		double elapsed = cli_wall_seconds() - study->progress.started;
		snprintf(text, sizeof text, "%zu of %zu runs, %s runs/s", done, count,
		         weir_format_count(rate, sizeof rate, (double)done / elapsed));
		cli_progress_draw(line, (double)done, (double)count, text);
	}
	return !cli_interrupted();
}

void cli_study_watch(cli_study *study)
{
	study->progress.started = cli_wall_seconds();
	cli_progress_begin(&study->progress.line, !study->quiet);
	cli_catch_interrupts();
	study->pool.progress = show_progress;
	study->pool.context = study;
}

void cli_study_watched(cli_study *study)
{
	cli_progress_end(&study->progress.line);
}

weir_status cli_study_write(const cli_study *study, char *text, weir_error *error)
{
	if (text == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the tables");
	}
	weir_status status = cli_write_text(study->output, text, error);
	free(text);
	return status;
}

void cli_study_remark(const cli_study *study, const weir_study *result)
{
	if (!study->quiet && result->stalled > 0) {
		fprintf(stderr, "Stalled runs, with requests left that could never go on: %zu.\n",
		        result->stalled);
	}
	if (!study->quiet && result->unreached > 0) {
		fprintf(stderr, "Searches that found nothing with an attainment of %g: %zu.\n",
		        study->plan.target, result->unreached);
	}
}
