#include "cli/config_arguments.h"

#include <stdarg.h>
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

/* The file of a policy's name: as it stands, else among the shipped ones; NULL: none. */
static char *find_policy_file(const char *name)
{
	if (strchr(name, '/') != NULL || strstr(name, ".json") != NULL) {
		return strdup(name);
	}
	for (size_t i = 0; cli_config_directories[i] != NULL; i++) {
		char *path = NULL;
		if (asprintf(&path, "%s/policies/%s.json", cli_config_directories[i], name) < 0) {
			return NULL;
		}
		if (access(path, F_OK) == 0) {
			return path;
		}
		free(path);
	}
	return NULL;
}

weir_status cli_config_set_policy(cli_config_arguments *arguments, const char *name,
                                  weir_error *error)
{
	free(arguments->policy_file);
	arguments->policy_file = find_policy_file(name);
	if (arguments->policy_file != NULL) {
		return WEIR_OK;
	}
	size_t count = 0;
	while (weir_policy_kind_names[count] != NULL) {
		if (strcmp(weir_policy_kind_names[count++], name) == 0) {
			return cli_config_set(arguments, error, "policies=\"%s\"", name);
		}
	}
	weir_arena *arena = weir_arena_create();
	if (arena == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the arguments");
	}
	weir_keys_reader reader = {.arena = arena, .file = "--policy"};
	weir_status status = weir_keys_fail_unknown(&reader, "", "policy", name, weir_policy_kind_names,
	                                            count, error);
	weir_arena_destroy(arena);
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
