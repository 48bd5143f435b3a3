#include "rl/envs.h"

#include <string.h>

const weir_env_type *const weir_env_types[] = {
#define WEIR_ENV_TYPE(name) &weir_env_type_##name,
    WEIR_ENVS(WEIR_ENV_TYPE)
#undef WEIR_ENV_TYPE
        NULL};

const char *const weir_env_names[] = {
#define WEIR_ENV_NAME(name) #name,
    WEIR_ENVS(WEIR_ENV_NAME)
#undef WEIR_ENV_NAME
        NULL};

const weir_env_type *weir_env_type_find(const char *name)
{
	for (size_t i = 0; weir_env_types[i] != NULL; i++) {
		if (strcmp(weir_env_names[i], name) == 0) {
			return weir_env_types[i];
		}
	}
	return NULL;
}
