#include "cli/config_arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

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

void cli_config_release(cli_config_arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++) {
		free(arguments->sets[i]);
	}
	free(arguments->sets);
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
	                               .sets = (const char *const *)arguments->sets,
	                               .set_count = arguments->count};
}

weir_status cli_config_load(const cli_config_arguments *arguments, const weir_config **config,
                            weir_error *error)
{
	const weir_document_options options = cli_config_options(arguments);
	return weir_config_load(&options, config, error);
}
