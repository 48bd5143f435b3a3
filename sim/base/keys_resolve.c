#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/keys.h"
#include "base/keys_internal.h"

static cJSON *resolve_object(weir_keys_reader *reader, const weir_key_table *table,
                             const cJSON *json, const char *path);

/* The value as the config says it, made absolute where it is the name of a file: the same whether
 * the file that says it was itself named by a relative or an absolute name. */
static cJSON *resolve_file_name(weir_keys_reader *reader, const cJSON *json, const char *path)
{
	const char *name = keys_file_name(reader, path, json->valuestring);
	if (name == NULL || name[0] == '\0' || json->valuestring[0] == '/' || strcmp(name, "-") == 0) {
		return name != NULL ? cJSON_CreateString(name) : NULL;
	}
	char *absolute = realpath(name, NULL);
	if (absolute == NULL && name[0] == '/') { /* it does not exist, yet */
		absolute = strdup(name);
	} else if (absolute == NULL) {
		char *directory = getcwd(NULL, 0);
		if (directory == NULL || asprintf(&absolute, "%s/%s", directory, name) < 0) {
			absolute = NULL;
		}
		free(directory);
	}
	cJSON *resolved = absolute != NULL ? cJSON_CreateString(absolute) : NULL;
	free(absolute);
	return resolved;
}

static cJSON *resolve_list(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                           const char *path)
{
	bool is_map = key->type == WEIR_KEY_MAP;
	cJSON *list = is_map ? cJSON_CreateObject() : cJSON_CreateArray();
	size_t i = 0;
	for (const cJSON *item = json->child; item != NULL && list != NULL; item = item->next, i++) {
		const char *item_path =
		    is_map ? weir_keys_path(reader, path, item->string) : keys_index_path(reader, path, i);
		cJSON *resolved = resolve_object(reader, key->table, item, item_path);
		if (is_map ? !cJSON_AddItemToObject(list, item->string, resolved)
		           : !cJSON_AddItemToArray(list, resolved)) {
			cJSON_Delete(resolved);
			cJSON_Delete(list);
			list = NULL;
		}
	}
	return list;
}

static cJSON *resolve_value(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                            const char *path)
{
	if (keys_is_short_form(key, json)) {
		return cJSON_Duplicate(json, 1);
	}
	switch (key->type) {
	case WEIR_KEY_OBJECT:
		return resolve_object(reader, key->table, json, path);
	case WEIR_KEY_LIST:
	case WEIR_KEY_MAP:
		return resolve_list(reader, key, json, path);
	default:
		return key->flags & WEIR_KEY_PATH ? resolve_file_name(reader, json, path)
		                                  : cJSON_Duplicate(json, 1);
	}
}

/* The name that the choice has in `json`, or its default's. */
static bool choice_allows(const weir_key *choice, const weir_key *key, const cJSON *json)
{
	const cJSON *said = cJSON_GetObjectItemCaseSensitive(json, choice->name);
	cJSON *unsaid = said == NULL ? cJSON_Parse(choice->default_text) : NULL;
	const cJSON *value = said != NULL ? said : unsaid;
	bool allows = value != NULL && keys_only_if_holds(key, value->valuestring);
	cJSON_Delete(unsaid);
	return allows;
}

/* Adds what `key` has in `json`, or its default, to `resolved`. False when memory is out. */
static bool resolve_key(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                        const char *path, cJSON *resolved)
{
	const cJSON *said = cJSON_GetObjectItemCaseSensitive(json, key->name);
	cJSON *unsaid = NULL;
	if (said == NULL) {
		if (key->default_text != NULL) {
			unsaid = cJSON_Parse(key->default_text);
		} else if (key->type == WEIR_KEY_OBJECT) {
			unsaid = cJSON_CreateObject();
		} else {
			return true; /* empty: nothing to say */
		}
		if (unsaid == NULL) {
			return false;
		}
	}
	cJSON *value = resolve_value(reader, key, said != NULL ? said : unsaid,
	                             weir_keys_path(reader, path, key->name));
	cJSON_Delete(unsaid);
	bool added = value != NULL && cJSON_AddItemToObject(resolved, key->name, value);
	if (!added) {
		cJSON_Delete(value);
	}
	return added;
}

static cJSON *resolve_object(weir_keys_reader *reader, const weir_key_table *table,
                             const cJSON *json, const char *path)
{
	cJSON *resolved = cJSON_CreateObject();
	for (size_t i = 0; i < table->key_count && resolved != NULL; i++) {
		const weir_key *key = &table->keys[i];
		if (key->only_if != NULL && !choice_allows(keys_only_if_choice(table, key), key, json)) {
			continue;
		}
		if (!resolve_key(reader, key, json, path, resolved)) {
			cJSON_Delete(resolved);
			resolved = NULL;
		}
	}
	return resolved;
}

cJSON *weir_keys_resolve(weir_keys_reader *reader, const weir_key_table *table, const cJSON *json,
                         const char *path)
{
	return resolve_object(reader, table, json, path);
}

void weir_keys_walk(const weir_key_table *table, const char *path, weir_keys_visit visit,
                    void *context)
{
	char key_path[512];
	for (size_t i = 0; i < table->key_count; i++) {
		const weir_key *key = &table->keys[i];
		const char *dot = path[0] != '\0' ? "." : "";
		snprintf(key_path, sizeof key_path, "%s%s%s", path, dot, key->name);
		visit(context, key_path, key);
		if (key->table != NULL) {
			const char *below = key->type == WEIR_KEY_LIST  ? "[]"
			                    : key->type == WEIR_KEY_MAP ? ".*"
			                                                : "";
			snprintf(key_path, sizeof key_path, "%s%s%s%s", path, dot, key->name, below);
			weir_keys_walk(key->table, key_path, visit, context);
		}
	}
}
