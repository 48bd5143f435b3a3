#include "rl/abi.h"

#include <stddef.h>
#include <stdio.h>

typedef struct field {
	const char *name;
	size_t offset, size;
} field;

static const field fields[] = {
#define FIELD(record, member)                                                                      \
	{#record "." #member, offsetof(record, member), sizeof(((record *)NULL)->member)},
    WEIR_ENV_ABI(FIELD)
#undef FIELD
};

uint64_t weir_env_abi(void)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		char text[128];
		snprintf(text, sizeof text, "%s %zu %zu;", fields[i].name, fields[i].offset,
		         fields[i].size);
		for (const char *c = text; *c != '\0'; c++) {
			hash = (hash ^ (uint64_t)(unsigned char)*c) * 0x100000001b3u;
		}
	}
	return hash;
}
