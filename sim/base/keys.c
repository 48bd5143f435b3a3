#include "base/keys.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/keys_internal.h"

/* From here on not every integer has a double of its own, so what was written may be lost. */
static const double integer_limit = 9007199254740992.0;

static weir_status no_memory(weir_keys_reader *reader, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file, "no memory for the config");
}

/* What is being read: all of an object, or what changes an object that is there. */
typedef enum read_mode { READ_ALL, READ_CHANGES } read_mode;

static weir_status read_object(weir_keys_reader *reader, const weir_key_table *table,
                               read_mode mode, const char *name, const cJSON *json,
                               const char *path, void *object, weir_error *error);

static weir_status read_integer(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                const char *path, int64_t *field, weir_error *error)
{
	if (!cJSON_IsNumber(json)) {
		return keys_fail_expected(reader, key, path, json, error);
	}
	double value = json->valuedouble;
	if (isfinite(value) && fabs(value) >= integer_limit) {
		char got[WEIR_JSON_NUMBER_SIZE];
		return weir_keys_fail(reader, path, error,
		                      "expected an integer of at most 9007199254740991 (2^53 - 1), got %s",
		                      weir_json_format_number(got, value));
	}
	if (!isfinite(value) || value != trunc(value) || !keys_in_range(key, value)) {
		return keys_fail_expected(reader, key, path, json, error);
	}
	*field = (int64_t)value;
	return WEIR_OK;
}

static weir_status read_number(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, double *field, weir_error *error)
{
	if (!cJSON_IsNumber(json) || !isfinite(json->valuedouble) ||
	    !keys_in_range(key, json->valuedouble)) {
		return keys_fail_expected(reader, key, path, json, error);
	}
	*field = json->valuedouble;
	return WEIR_OK;
}

static weir_status read_numbers(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                const char *path, weir_key_list *list, weir_error *error)
{
	if (!cJSON_IsArray(json)) {
		return keys_fail_expected(reader, key, path, json, error);
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	double *items = weir_arena_allocate(reader->arena, count, sizeof *items);
	if (items == NULL) {
		return no_memory(reader, error);
	}
	size_t i = 0;
	weir_key item_key = *key;
	item_key.type = WEIR_KEY_NUMBER; /* for the words of a message about one of them */
	for (const cJSON *item = json->child; item != NULL; item = item->next, i++) {
		if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) ||
		    !keys_in_range(key, item->valuedouble)) {
			return keys_fail_expected(reader, &item_key, keys_index_path(reader, path, i), item,
			                          error);
		}
		items[i] = item->valuedouble;
	}
	*list = (weir_key_list){count, items};
	return WEIR_OK;
}

const char *keys_file_name(weir_keys_reader *reader, const char *path, const char *name)
{
	if (name[0] == '\0' || name[0] == '/' || strcmp(name, "-") == 0) {
		return weir_arena_string(reader->arena, name);
	}
	if (reader->directory != NULL) {
		const char *directory = reader->directory(reader->context, path);
		return directory[0] == '\0' ? weir_arena_string(reader->arena, name)
		                            : weir_arena_format(reader->arena, "%s/%s", directory, name);
	}
	const char *slash = strrchr(reader->file, '/');
	int length = slash != NULL ? (int)(slash + 1 - reader->file) : 0;
	return weir_arena_format(reader->arena, "%.*s%s", length, reader->file, name);
}

static weir_status read_string(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, const char **field, weir_error *error)
{
	if (!cJSON_IsString(json)) {
		return keys_fail_expected(reader, key, path, json, error);
	}
	*field = key->flags & WEIR_KEY_PATH ? keys_file_name(reader, path, json->valuestring)
	                                    : weir_arena_string(reader->arena, json->valuestring);
	return *field != NULL ? WEIR_OK : no_memory(reader, error);
}

static weir_status read_choice(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, int *field, weir_error *error)
{
	if (!cJSON_IsString(json)) {
		return keys_fail_expected(reader, key, path, json, error);
	}
	int count = 0;
	for (; key->choices[count] != NULL; count++) {
		if (strcmp(key->choices[count], json->valuestring) == 0) {
			*field = count;
			return WEIR_OK;
		}
	}
	return weir_keys_fail_unknown(reader, path, key->name, json->valuestring, key->choices,
	                              (size_t)count, error);
}

/* Refuses a name that stands twice in a map. */
static weir_status check_names(weir_keys_reader *reader, const cJSON *json, const char *path,
                               weir_error *error)
{
	const cJSON *repeated = NULL;
	if (!weir_json_find_repeated(json, &repeated)) {
		return no_memory(reader, error);
	}
	return repeated == NULL ? WEIR_OK
	                        : weir_keys_fail(reader, weir_keys_path(reader, path, repeated->string),
	                                         error, "this name stands here twice");
}

static weir_status read_list(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, weir_key_list *list, weir_error *error)
{
	bool is_map = key->type == WEIR_KEY_MAP;
	if (is_map ? !cJSON_IsObject(json) : !cJSON_IsArray(json)) {
		return keys_fail_expected(reader, key, path, json, error);
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	size_t size = key->table->size;
	char *items = weir_arena_allocate(reader->arena, count, size);
	if (items == NULL) {
		return no_memory(reader, error);
	}
	weir_status status = is_map ? check_names(reader, json, path, error) : WEIR_OK;
	size_t i = 0;
	for (const cJSON *item = json->child; item != NULL && status == WEIR_OK;
	     item = item->next, i++) {
		const char *item_path =
		    is_map ? weir_keys_path(reader, path, item->string) : keys_index_path(reader, path, i);
		status = read_object(reader, key->table, READ_ALL, is_map ? item->string : NULL, item,
		                     item_path, items + i * size, error);
	}
	*list = (weir_key_list){count, items};
	return status;
}

bool keys_is_short_form(const weir_key *key, const cJSON *json)
{
	return key->type == WEIR_KEY_CUSTOM || (key->read != NULL && cJSON_IsString(json));
}

static weir_status read_value(weir_keys_reader *reader, const weir_key *key, read_mode mode,
                              const cJSON *json, const char *path, void *field, weir_error *error)
{
	if (keys_is_short_form(key, json)) {
		return key->read(reader, key, json, path, field, error);
	}
	switch (key->type) {
	case WEIR_KEY_BOOL:
		if (!cJSON_IsBool(json)) {
			return keys_fail_expected(reader, key, path, json, error);
		}
		*(bool *)field = cJSON_IsTrue(json);
		return WEIR_OK;
	case WEIR_KEY_INTEGER:
		return read_integer(reader, key, json, path, field, error);
	case WEIR_KEY_NUMBER:
		return read_number(reader, key, json, path, field, error);
	case WEIR_KEY_STRING:
		return read_string(reader, key, json, path, field, error);
	case WEIR_KEY_CHOICE:
		return read_choice(reader, key, json, path, field, error);
	case WEIR_KEY_OBJECT:
		return cJSON_IsObject(json)
		           ? read_object(reader, key->table, mode, NULL, json, path, field, error)
		           : keys_fail_expected(reader, key, path, json, error);
	case WEIR_KEY_LIST:
	case WEIR_KEY_MAP:
		return read_list(reader, key, json, path, field, error);
	case WEIR_KEY_NUMBERS:
		return read_numbers(reader, key, json, path, field, error);
	case WEIR_KEY_CUSTOM:
		break; /* a short form, see above */
	}
	assert(false);
	return WEIR_ERROR_INTERNAL;
}

const weir_key *keys_only_if_choice(const weir_key_table *table, const weir_key *key)
{
	size_t length = strcspn(key->only_if, "=");
	for (size_t i = 0; i < table->key_count; i++) {
		const weir_key *choice = &table->keys[i];
		if (strncmp(choice->name, key->only_if, length) == 0 && choice->name[length] == '\0') {
			assert(choice->type == WEIR_KEY_CHOICE);
			return choice;
		}
	}
	assert(false);
	return NULL;
}

bool keys_only_if_holds(const weir_key *key, const char *value)
{
	size_t length = strlen(value);
	const char *name = strchr(key->only_if, '=');
	while (name != NULL) {
		name++;
		if (strncmp(name, value, length) == 0 && (name[length] == ',' || name[length] == '\0')) {
			return true;
		}
		name = strchr(name, ',');
	}
	return false;
}

/* Fills the field of a key that the config does not mention. */
static weir_status read_default(weir_keys_reader *reader, const weir_key *key, bool applies,
                                const char *path, void *field, weir_error *error)
{
	bool scalar = key->type == WEIR_KEY_BOOL || key->type == WEIR_KEY_INTEGER ||
	              key->type == WEIR_KEY_NUMBER || key->type == WEIR_KEY_CHOICE;
	if (key->default_text != NULL) {
		cJSON *json = cJSON_Parse(key->default_text);
		if (json == NULL) {
			return no_memory(reader, error);
		}
		weir_status status = read_value(reader, key, READ_ALL, json, path, field, error);
		cJSON_Delete(json);
		return status;
	}
	if (applies && (scalar || (key->flags & WEIR_KEY_REQUIRED))) {
		char expected[WEIR_ERROR_MESSAGE_SIZE / 2];
		return weir_keys_fail(reader, path, error, "missing; expected %s",
		                      weir_keys_expected(expected, sizeof expected, key));
	}
	if (key->type == WEIR_KEY_OBJECT && applies) {
		return read_object(reader, key->table, READ_ALL, NULL, NULL, path, field, error);
	}
	if (key->type == WEIR_KEY_STRING) {
		*(const char **)field = "";
	}
	return WEIR_OK;
}

static weir_status read_key(weir_keys_reader *reader, const weir_key_table *table,
                            const weir_key *key, read_mode mode, const cJSON *json,
                            const char *object_path, void *object, weir_error *error)
{
	void *field = (char *)object + key->offset;
	const char *path = weir_keys_path(reader, object_path, key->name);
	bool applies = true;
	if (key->only_if != NULL) {
		const weir_key *choice = keys_only_if_choice(table, key);
		int chosen = *(const int *)((const char *)object + choice->offset);
		applies = keys_only_if_holds(key, choice->choices[chosen]);
		if (!applies && json != NULL) {
			const char *choice_path = weir_keys_path(reader, object_path, choice->name);
			if (reader->layer == NULL || reader->layer(reader->context, path) >=
			                                 reader->layer(reader->context, choice_path)) {
				return weir_keys_fail(reader, path, error,
				                      "only allowed where %s, but %s is \"%s\" here", key->only_if,
				                      choice->name, choice->choices[chosen]);
			}
			json = NULL;
		}
	}
	if (json != NULL) {
		return read_value(reader, key, mode, json, path, field, error);
	}
	return mode == READ_CHANGES ? WEIR_OK : read_default(reader, key, applies, path, field, error);
}

/* Refuses members that the table does not know, and those that stand there twice. */
static weir_status check_members(weir_keys_reader *reader, const weir_key_table *table,
                                 const cJSON *json, const char *path, weir_error *error)
{
	for (const cJSON *member = json->child; member != NULL; member = member->next) {
		const char *name = member->string;
		bool known = false;
		for (size_t i = 0; i < table->key_count && !known; i++) {
			known = strcmp(table->keys[i].name, name) == 0;
		}
		if (!known) {
			const char **names =
			    weir_arena_allocate(reader->arena, table->key_count, sizeof(const char *));
			if (names == NULL) {
				return no_memory(reader, error);
			}
			for (size_t i = 0; i < table->key_count; i++) {
				names[i] = table->keys[i].name;
			}
			return weir_keys_fail_unknown(reader, weir_keys_path(reader, path, name), "key", name,
			                              names, table->key_count, error);
		}
		if (cJSON_GetObjectItemCaseSensitive(json, name) != member) {
			return weir_keys_fail(reader, weir_keys_path(reader, path, name), error,
			                      "this key stands here twice");
		}
	}
	return WEIR_OK;
}

/* `name` is that of a MAP's member, else NULL; `json` is NULL for all defaults. */
static weir_status read_object(weir_keys_reader *reader, const weir_key_table *table,
                               read_mode mode, const char *name, const cJSON *json,
                               const char *path, void *object, weir_error *error)
{
	if (mode == READ_ALL) {
		memset(object, 0, table->size);
	}
	if (json != NULL && !cJSON_IsObject(json)) {
		char got[KEYS_WORD_SIZE];
		return weir_keys_fail(reader, path, error, "expected an object (%s), got %s", table->name,
		                      weir_keys_describe(got, sizeof got, json));
	}
	if (name != NULL) {
		const char *copy = weir_arena_string(reader->arena, name);
		if (copy == NULL) {
			return no_memory(reader, error);
		}
		memcpy(object, &copy, sizeof copy);
	}
	weir_status status = WEIR_OK;
	if (json != NULL) {
		status = check_members(reader, table, json, path, error);
	}
	/* Choices first: the only_if of other keys asks for them. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < table->key_count && status == WEIR_OK; i++) {
			const weir_key *key = &table->keys[i];
			if ((key->type == WEIR_KEY_CHOICE) == (pass == 0)) {
				status = read_key(reader, table, key, mode,
				                  cJSON_GetObjectItemCaseSensitive(json, key->name), path, object,
				                  error);
			}
		}
	}
	if (status == WEIR_OK && table->check != NULL) {
		status = table->check(reader, path, object, error);
	}
	return status;
}

weir_status weir_keys_read(weir_keys_reader *reader, const weir_key_table *table, const cJSON *json,
                           const char *path, void *object, weir_error *error)
{
	return read_object(reader, table, READ_ALL, NULL, json, path, object, error);
}

weir_status weir_keys_change(weir_keys_reader *reader, const weir_key_table *table,
                             const cJSON *json, const char *path, void *object, weir_error *error)
{
	return read_object(reader, table, READ_CHANGES, NULL, json, path, object, error);
}
