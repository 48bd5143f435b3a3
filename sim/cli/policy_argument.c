#include "cli/policy_argument.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/config_arguments.h"

char *cli_base_name(weir_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	int length = (int)(dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
	return weir_arena_format(arena, "%.*s", length, name);
}

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
}

/* The file of an agent: of a name that is no file name that of the shipped one, where there is one.
 * NULL when memory is out. */
static const char *find_agent(weir_arena *arena, const char *name)
{
	if (strchr(name, '/') != NULL || strchr(name, '.') != NULL) {
		return name;
	}
	for (size_t i = 0; cli_config_directories[i] != NULL; i++) {
		const char *path =
		    weir_arena_format(arena, "%s/agents/%s.h5", cli_config_directories[i], name);
		if (path == NULL || access(path, F_OK) == 0) {
			return path;
		}
	}
	return name;
}

/* What a part is called in tables. */
static const char *show(weir_arena *arena, const char *part)
{
	bool agent = strncmp(part, CLI_AGENT_PREFIX, sizeof CLI_AGENT_PREFIX - 1) == 0;
	const char *file = agent ? part + sizeof CLI_AGENT_PREFIX - 1 : part;
	return agent || strchr(part, '/') != NULL || strstr(part, ".json") != NULL
	           ? cli_base_name(arena, file)
	           : part;
}

static weir_status add_part(const char *option, const char *part, weir_arena *arena,
                            cli_policy *policy, const char **agents, weir_error *error)
{
	const char *file = part + sizeof CLI_AGENT_PREFIX - 1;
	if (strncmp(part, CLI_AGENT_PREFIX, sizeof CLI_AGENT_PREFIX - 1) == 0) {
		if (*file == '\0') {
			return weir_error_set(error, WEIR_ERROR_INPUT, option, "'%s' names no file", part);
		}
		file = find_agent(arena, file);
		if (file == NULL) {
			return no_memory(error);
		}
		agents[policy->agent_count++] = file;
		return WEIR_OK;
	}
	if (policy->name != NULL) {
		return weir_error_set(error, WEIR_ERROR_INPUT, option,
		                      "'%s' and '%s': one policy, and agents (rl:FILE) beside it",
		                      policy->name, part);
	}
	policy->name = part;
	return WEIR_OK;
}

weir_status cli_policy_parse(const char *option, const char *text, const char *separators,
                             weir_arena *arena, cli_policy *policy, weir_error *error)
{
	*policy = (cli_policy){0};
	size_t most = 1;
	for (const char *c = text; *c != '\0'; c++) {
		most += strchr(separators, *c) != NULL;
	}
	char *rest = weir_arena_string(arena, text);
	const char **agents = weir_arena_allocate(arena, most, sizeof *agents);
	if (rest == NULL || agents == NULL) {
		return no_memory(error);
	}
	policy->agents = agents;
	for (size_t i = 0; i < most; i++) {
		char *part = strsep(&rest, separators);
		if (*part == '\0') {
			return weir_error_set(error, WEIR_ERROR_INPUT, option,
			                      "expected a policy or rl:FILE, got '%s'", text);
		}
		weir_status status = add_part(option, part, arena, policy, agents, error);
		if (status != WEIR_OK) {
			return status;
		}
		const char *shown = show(arena, part);
		policy->shown = i == 0 || shown == NULL
		                    ? shown
		                    : weir_arena_format(arena, "%s+%s", policy->shown, shown);
		if (policy->shown == NULL) {
			return no_memory(error);
		}
	}
	return WEIR_OK;
}

weir_status cli_policy_parse_agents(const char *text, weir_arena *arena, cli_policy *policy,
                                    weir_error *error)
{
	size_t most = 1;
	for (const char *c = text; *c != '\0'; c++) {
		most += *c == '+';
	}
	char *parts = weir_arena_allocate(arena, strlen(text) + most * sizeof CLI_AGENT_PREFIX, 1);
	if (parts == NULL) {
		return no_memory(error);
	}
	char *end = stpcpy(parts, CLI_AGENT_PREFIX);
	for (const char *c = text; *c != '\0'; c++) {
		*end++ = *c;
		if (*c == '+') {
			end = stpcpy(end, CLI_AGENT_PREFIX);
		}
	}
	*end = '\0';
	return cli_policy_parse("AGENT", parts, "+", arena, policy, error);
}
