#include "cli/config_arguments.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "scaling/policies.h"

const char *const cli_config_directories[] = {WEIR_CONFIG_DIRECTORY,
                                              WEIR_INSTALLED_CONFIG_DIRECTORY, NULL};
static const char *const shipped_defaults[] = {
    WEIR_CONFIG_DIRECTORY "/default.json", WEIR_INSTALLED_CONFIG_DIRECTORY "/default.json", NULL};

weir_status cli_config_set(cli_config_arguments *arguments, weir_error *error, const char *format,
                           ...)
{
	char *set = NULL;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&set, format, args);
	va_end(args);
	if (length < 0 || !weir_reserve((void **)&arguments->sets, &arguments->capacity,
	                                arguments->count + 1, sizeof *arguments->sets)) {
		if (length >= 0) {
			free(set);
		}
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
	}
	arguments->sets[arguments->count++] = set;
	return WEIR_OK;
}

/* configs/policies, or what it has for one scenario; to be freed. */
static char *policy_directory(const char *configs, const char *scenario)
{
	char *path = NULL;
	int length = scenario != NULL ? asprintf(&path, "%s/policies/%s", configs, scenario)
	                              : asprintf(&path, "%s/policies", configs);
	return length < 0 ? NULL : path;
}

/* The file of a policy's name among the shipped ones; NULL: none. */
static char *find_shipped_policy(const char *scenario, const char *name)
{
	for (size_t i = 0; cli_config_directories[i] != NULL; i++) {
		char *directory = policy_directory(cli_config_directories[i], scenario);
		char *path = NULL;
		int length = directory != NULL ? asprintf(&path, "%s/%s.json", directory, name) : -1;
		free(directory);
		if (length < 0) {
			return NULL;
		}
		if (access(path, F_OK) == 0) {
			return path;
		}
		free(path);
	}
	return NULL;
}

static bool is_policy_kind(const char *name)
{
	for (size_t i = 0; weir_policy_kind_names[i] != NULL; i++) {
		if (strcmp(weir_policy_kind_names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* Names of policies, for a message. */
typedef struct policy_names {
	weir_arena *arena;
	const char **names;
	size_t count, capacity;
} policy_names;

/* A name that is there already, or one too many for the memory, is left out. */
static void add_policy_name(policy_names *known, const char *name, size_t length)
{
	for (size_t i = 0; i < known->count; i++) {
		if (strncmp(known->names[i], name, length) == 0 && known->names[i][length] == '\0') {
			return;
		}
	}
	const char *own = weir_arena_format(known->arena, "%.*s", (int)length, name);
	if (own != NULL && weir_reserve((void **)&known->names, &known->capacity, known->count + 1,
	                                sizeof *known->names)) {
		known->names[known->count++] = own;
	}
}

static void add_shipped_policies(policy_names *known, const char *scenario)
{
	for (size_t i = 0; cli_config_directories[i] != NULL; i++) {
		char *path = policy_directory(cli_config_directories[i], scenario);
		struct dirent **entries = NULL;
		int count = path != NULL ? scandir(path, &entries, NULL, alphasort) : 0;
		for (int e = 0; e < count; e++) {
			const char *dot = strstr(entries[e]->d_name, ".json");
			if (dot != NULL && dot != entries[e]->d_name) {
				add_policy_name(known, entries[e]->d_name, (size_t)(dot - entries[e]->d_name));
			}
			free(entries[e]);
		}
		free(entries);
		free(path);
	}
}

static weir_status fail_unknown_policy(const char *option, const char *scenario, const char *name,
                                       weir_error *error)
{
	policy_names known = {.arena = weir_arena_create()};
	if (known.arena == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
	}
	if (scenario != NULL) {
		add_shipped_policies(&known, scenario);
	}
	add_shipped_policies(&known, NULL);
	for (size_t i = 0; weir_policy_kind_names[i] != NULL; i++) {
		add_policy_name(&known, weir_policy_kind_names[i], strlen(weir_policy_kind_names[i]));
	}
	weir_keys_reader reader = {.arena = known.arena, .file = option};
	weir_status status =
	    weir_keys_fail_unknown(&reader, "", "policy", name, known.names, known.count, error);
	free(known.names);
	weir_arena_destroy(known.arena);
	return status;
}

weir_status cli_policy_find(const char *option, const char *scenario, const char *name, char **file,
                            weir_error *error)
{
	*file = NULL;
	if (strchr(name, '/') != NULL || strstr(name, ".json") != NULL) {
		*file = strdup(name);
		return *file != NULL
		           ? WEIR_OK
		           : weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
	}
	if (scenario != NULL) {
		*file = find_shipped_policy(scenario, name);
	}
	if (*file == NULL) {
		*file = find_shipped_policy(NULL, name);
	}
	return *file != NULL || is_policy_kind(name)
	           ? WEIR_OK
	           : fail_unknown_policy(option, scenario, name, error);
}

weir_status cli_config_set_policy(cli_config_arguments *arguments, const char *name,
                                  weir_error *error)
{
	free(arguments->policy_file);
	weir_status status = cli_policy_find("--policy", NULL, name, &arguments->policy_file, error);
	if (status == WEIR_OK && arguments->policy_file == NULL) {
		status = cli_config_set(arguments, error, "policies=\"%s\"", name);
	}
	return status;
}

void cli_config_release(cli_config_arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++) {
		free(arguments->sets[i]);
	}
	free(arguments->sets);
	free(arguments->policy_file);
	*arguments = (cli_config_arguments){0};
}

weir_document_options cli_config_options(const cli_config_arguments *arguments)
{
	const char *path = arguments->path;
	for (size_t i = 0; path == NULL && shipped_defaults[i] != NULL; i++) {
		if (access(shipped_defaults[i], F_OK) == 0 || shipped_defaults[i + 1] == NULL) {
			path = shipped_defaults[i];
		}
	}
	return (weir_document_options){.path = path,
	                               .directories = cli_config_directories,
	                               .overlays = (const char *const *)&arguments->policy_file,
	                               .overlay_count = arguments->policy_file != NULL ? 1 : 0,
	                               .sets = (const char *const *)arguments->sets,
	                               .set_count = arguments->count};
}

weir_status cli_config_load(const cli_config_arguments *arguments, const weir_config **config,
                            weir_error *error)
{
	const weir_document_options options = cli_config_options(arguments);
	return weir_config_load(&options, config, error);
}
