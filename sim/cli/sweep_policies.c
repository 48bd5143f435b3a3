#include "cli/sweep_policies.h"

#include <stdlib.h>
#include <string.h>

#include "cli/config_arguments.h"
#include "cli/policy_argument.h"
#include "record/file_sha256.h"
#include "rl/agent_driver.h"

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the policies");
}

/* A part with its file's name, if it is one, from `directory`. NULL when memory is out. */
static const char *place(weir_arena *arena, const char *part, const char *directory)
{
	size_t prefix = sizeof CLI_AGENT_PREFIX - 1;
	bool agent = strncmp(part, CLI_AGENT_PREFIX, prefix) == 0;
	const char *file = agent ? part + prefix : part;
	bool named = strchr(file, '/') != NULL || strstr(file, agent ? "." : ".json") != NULL;
	return named && file[0] != '/' && directory[0] != '\0'
	           ? weir_arena_format(arena, "%s%s/%s", agent ? CLI_AGENT_PREFIX : "", directory, file)
	           : part;
}

/* All parts of a name, placed. NULL when memory is out. */
static const char *place_all(weir_arena *arena, const char *name, const char *directory)
{
	char *rest = weir_arena_string(arena, name);
	const char *placed = NULL;
	while (rest != NULL) {
		const char *part = place(arena, strsep(&rest, "+"), directory);
		if (part == NULL) {
			return NULL;
		}
		placed = placed == NULL ? part : weir_arena_format(arena, "%s+%s", placed, part);
		if (placed == NULL) {
			return NULL;
		}
	}
	return placed;
}

static weir_status find_rule(const char *name, weir_arena *arena,
                             weir_sweep_policy_meaning *meaning, weir_error *error)
{
	char *file = NULL;
	weir_status status = cli_policy_find("policy", NULL, name, &file, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (file != NULL) {
		meaning->overlay = weir_arena_string(arena, file);
	} else {
		meaning->set = weir_arena_format(arena, "policies=\"%s\"", name);
	}
	free(file);
	return meaning->overlay != NULL || meaning->set != NULL ? WEIR_OK : no_memory(error);
}

static weir_status identify(const cli_policy *policy, weir_arena *arena,
                            weir_sweep_policy_meaning *meaning, weir_error *error)
{
	for (size_t i = 0; i < policy->agent_count; i++) {
		char sha256[WEIR_SHA256_SIZE];
		weir_status status = weir_file_sha256(policy->agents[i], sha256, error);
		if (status != WEIR_OK) {
			return status;
		}
		const char *before = meaning->identity != NULL ? meaning->identity : "";
		meaning->identity = weir_arena_format(arena, "%s%s ", before, sha256);
		if (meaning->identity == NULL) {
			return no_memory(error);
		}
	}
	return WEIR_OK;
}

static weir_status resolve(const char *name, const char *directory, weir_arena *arena,
                           weir_sweep_policy_meaning *meaning, weir_error *error)
{
	const char *placed = place_all(arena, name, directory);
	cli_policy *policy = weir_arena_allocate(arena, 1, sizeof *policy);
	if (placed == NULL || policy == NULL) {
		return no_memory(error);
	}
	weir_status status = cli_policy_parse("policy", placed, "+", arena, policy, error);
	if (status == WEIR_OK && policy->name != NULL) {
		status = find_rule(policy->name, arena, meaning, error);
	}
	meaning->content = policy;
	return status == WEIR_OK ? identify(policy, arena, meaning, error) : status;
}

static weir_status open_policy(const weir_sweep_policy_meaning *meaning, const weir_config *config,
                               void **handle, const weir_run_driver **driver, weir_error *error)
{
	const cli_policy *policy = meaning->content;
	*handle = NULL;
	*driver = NULL;
	if (policy->agent_count == 0) {
		return WEIR_OK;
	}
	const weir_agent_driver_options options = {.paths = policy->agents,
	                                           .count = policy->agent_count};
	weir_agent_driver *agents = NULL;
	weir_status status = weir_agent_driver_create(&options, config, &agents, error);
	if (status == WEIR_OK) {
		*handle = agents;
		*driver = weir_agent_driver_run(agents);
	}
	return status;
}

static void close_policy(void *handle)
{
	weir_agent_driver_destroy(handle);
}

const weir_sweep_policies cli_sweep_policies = {
    .resolve = resolve,
    .open = open_policy,
    .close = close_policy,
};
