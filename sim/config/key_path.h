/* Key paths as steps: servers[2].sku, models."qwen2.5-7b".layers. Not part of the public interface.
 */
#ifndef WEIR_CONFIG_KEY_PATH_H
#define WEIR_CONFIG_KEY_PATH_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { KEY_PATH_LONGEST = 64 };

typedef struct key_step {
	const char *name; /* of a member; NULL: an element of a list */
	size_t index;
} key_step;

typedef struct key_path {
	key_step steps[KEY_PATH_LONGEST];
	size_t count;
} key_path;

/*
 * Parses `text`, which is changed and must outlive *path: names are cut out of it. *value is
 * what follows the '=' at its end, NULL when there is none. False when it is not a path.
 */
bool key_path_parse(char *text, key_path *path, char **value);

bool key_step_equal(const key_step *a, const key_step *b);

/* The member or element of `json` that the step leads to; NULL when there is none. */
cJSON *key_step_follow(const cJSON *json, const key_step *step);

#endif
