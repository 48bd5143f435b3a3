#include "config/key_path.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* Takes "name" off *text, without its quotes and escapes; NULL when its end is missing. */
static char *take_quoted(char **text)
{
	char *name = *text + 1;
	char *out = name;
	char *in = name;
	while (*in != '"') {
		if (*in == '\\' && in[1] != '\0') {
			in++;
		}
		if (*in == '\0') {
			return NULL;
		}
		*out++ = *in++;
	}
	*text = in + 1;
	*out = '\0';
	return name;
}

/* Takes [123] off *text. */
static bool take_index(char **text, size_t *index)
{
	char *in = *text + 1;
	*index = 0;
	if (!isdigit((unsigned char)*in)) {
		return false;
	}
	for (; isdigit((unsigned char)*in); in++) {
		*index = *index * 10 + (size_t)(*in - '0');
		if (*index > INT_MAX / 2) {
			return false;
		}
	}
	*text = in + 1;
	return *in == ']';
}

bool key_path_parse(char *text, key_path *path, char **value)
{
	path->count = 0;
	bool name_next = true;
	for (;;) {
		if (path->count == KEY_PATH_LONGEST) {
			return false;
		}
		key_step *step = &path->steps[path->count++];
		*step = (key_step){NULL, 0};
		if (!name_next) {
			if (!take_index(&text, &step->index)) {
				return false;
			}
		} else if (*text == '"') {
			step->name = take_quoted(&text);
			if (step->name == NULL) {
				return false;
			}
		} else {
			step->name = text;
			text += strcspn(text, ".[=\"");
			if (text == step->name) {
				return false;
			}
		}
		/* The separator says how to go on; in its place the name ends. */
		char separator = *text;
		*text = '\0';
		if (separator == '\0') {
			*value = NULL;
			return true;
		}
		if (separator == '=') {
			*value = text + 1;
			return true;
		}
		if (separator != '.' && separator != '[') {
			return false;
		}
		name_next = separator == '.';
		text += name_next ? 1 : 0;
	}
}

bool key_step_equal(const key_step *a, const key_step *b)
{
	if (a->name == NULL || b->name == NULL) {
		return a->name == b->name && a->index == b->index;
	}
	return strcmp(a->name, b->name) == 0;
}

cJSON *key_step_follow(const cJSON *json, const key_step *step)
{
	if (step->name == NULL) {
		return cJSON_IsArray(json) ? cJSON_GetArrayItem(json, (int)step->index) : NULL;
	}
	return cJSON_IsObject(json) ? cJSON_GetObjectItemCaseSensitive(json, step->name) : NULL;
}
