#include "config/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { LINE_WIDTH = 100, INDENT = 4 };

/* Gathers the keys of a table that lie below a path. */
typedef struct explanation {
	const char *below;
	FILE *out;   /* of the text */
	cJSON *list; /* of the JSON */
	const char **paths;
	size_t path_count, path_capacity;
	weir_arena *arena;
	size_t shown;
	bool out_of_memory;
} explanation;

/* True when `path`, as a user writes it, names the key of `pattern` or one that it is within. */
static bool leads_to(const char *path, const char *pattern)
{
	while (*path != '\0') {
		if (*pattern == '*') {
			pattern++;
			path += strcspn(path, ".[");
		} else if (pattern[0] == '[' && *path == '[') {
			pattern += strcspn(pattern, "]") + 1;
			path += strcspn(path, "]");
			path += *path == ']';
		} else if (*pattern == *path) {
			pattern++;
			path++;
		} else {
			return false;
		}
	}
	return *pattern == '\0' || *pattern == '.' || *pattern == '[';
}

/* `text` in lines of up to LINE_WIDTH, each indented. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = 0;
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		if (column == 0 || column + 1 + length > LINE_WIDTH) {
			fprintf(out, "%s%*s", column == 0 ? "" : "\n", INDENT, "");
			column = INDENT;
		} else {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, length, out);
		column += length;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static bool is_required(const weir_key *key)
{
	bool scalar = key->type == WEIR_KEY_BOOL || key->type == WEIR_KEY_INTEGER ||
	              key->type == WEIR_KEY_NUMBER || key->type == WEIR_KEY_CHOICE;
	return key->default_text == NULL && (scalar || (key->flags & WEIR_KEY_REQUIRED));
}

/* Of a key that has keys within, the table's text says more. */
static const char *doc_of(const weir_key *key)
{
	const char *doc = key->doc != NULL ? key->doc : key->table != NULL ? key->table->doc : NULL;
	return doc != NULL ? doc : "";
}

static void print_text(FILE *out, const char *path, const weir_key *key)
{
	char expected[1024];
	weir_keys_expected(expected, sizeof expected, key);
	fprintf(out, "%s: %s", path, expected);
	if (key->unit != NULL) {
		fprintf(out, " [%s]", key->unit);
	}
	if (key->default_text != NULL) {
		fprintf(out, "; default %s", key->default_text);
	} else if (is_required(key)) {
		fputs("; required", out);
	}
	if (key->only_if != NULL) {
		fprintf(out, "; only if %s", key->only_if);
	}
	fputc('\n', out);
	print_wrapped(out, doc_of(key));
}

static const char *type_name(const weir_key *key)
{
	switch (key->type) {
	case WEIR_KEY_BOOL:
		return "boolean";
	case WEIR_KEY_INTEGER:
		return "integer";
	case WEIR_KEY_NUMBER:
		return "number";
	case WEIR_KEY_STRING:
		return key->flags & WEIR_KEY_PATH ? "file" : "string";
	case WEIR_KEY_CHOICE:
		return "choice";
	case WEIR_KEY_OBJECT:
		return "object";
	case WEIR_KEY_LIST:
		return "list";
	case WEIR_KEY_MAP:
		return "map";
	case WEIR_KEY_NUMBERS:
		return "numbers";
	case WEIR_KEY_CUSTOM:
		return "custom";
	}
	return "";
}

static bool add_string(cJSON *object, const char *name, const char *text)
{
	return text == NULL || cJSON_AddStringToObject(object, name, text) != NULL;
}

/* One key as an object; NULL when memory is out. */
static cJSON *describe_json(const char *path, const weir_key *key)
{
	char expected[1024];
	cJSON *object = cJSON_CreateObject();
	bool ok = add_string(object, "path", path) && add_string(object, "type", type_name(key)) &&
	          add_string(object, "expected", weir_keys_expected(expected, sizeof expected, key)) &&
	          cJSON_AddBoolToObject(object, "required", is_required(key)) != NULL &&
	          add_string(object, "unit", key->unit) &&
	          add_string(object, "only_if", key->only_if) && add_string(object, "doc", doc_of(key));
	if (ok && key->default_text != NULL) {
		cJSON *value = cJSON_Parse(key->default_text);
		ok = value != NULL && cJSON_AddItemToObject(object, "default", value);
	}
	if (ok && key->type == WEIR_KEY_CHOICE) {
		cJSON *choices = cJSON_AddArrayToObject(object, "choices");
		for (size_t i = 0; key->choices[i] != NULL && ok; i++) {
			ok = cJSON_AddItemToArray(choices, cJSON_CreateString(key->choices[i]));
		}
	}
	if (!ok) {
		cJSON_Delete(object);
		return NULL;
	}
	return object;
}

static void visit(void *context, const char *path, const weir_key *key)
{
	explanation *e = context;
	const char *copy = weir_arena_string(e->arena, path);
	if (copy == NULL ||
	    !weir_reserve((void **)&e->paths, &e->path_capacity, e->path_count + 1, sizeof *e->paths)) {
		e->out_of_memory = true;
		return;
	}
	e->paths[e->path_count++] = copy;
	if (!leads_to(e->below, path) && e->below[0] != '\0') {
		return;
	}
	if (e->list != NULL) {
		cJSON *object = describe_json(path, key);
		if (!cJSON_AddItemToArray(e->list, object)) {
			cJSON_Delete(object);
			e->out_of_memory = true;
		}
	} else {
		fputs(e->shown > 0 ? "\n" : "", e->out);
		print_text(e->out, path, key);
	}
	e->shown++;
}

static weir_status fail_unknown(const explanation *e, weir_error *error)
{
	const char *nearest = weir_nearest(e->below, e->paths, e->path_count);
	return weir_error_set(error, WEIR_ERROR_INPUT, NULL, "there is no key '%.200s'%s%s%s", e->below,
	                      nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
	                      nearest != NULL ? "'?" : "");
}

weir_status weir_explain(const weir_key_table *table, const char *below, weir_explain_format format,
                         char **text, weir_error *error)
{
	size_t size = 0;
	*text = NULL;
	explanation e = {.below = below != NULL ? below : "", .arena = weir_arena_create()};
	if (format == WEIR_EXPLAIN_JSON) {
		e.list = cJSON_CreateArray();
	} else {
		e.out = open_memstream(text, &size);
	}
	e.out_of_memory = e.arena == NULL || (e.list == NULL && e.out == NULL);
	if (!e.out_of_memory) {
		weir_keys_walk(table, "", visit, &e);
	}
	if (e.out != NULL) {
		e.out_of_memory |= fclose(e.out) != 0;
	} else if (!e.out_of_memory) {
		*text = weir_json_print(e.list);
		e.out_of_memory = *text == NULL;
	}
	weir_status status = WEIR_OK;
	if (e.out_of_memory) {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory to explain the config");
	} else if (e.shown == 0) {
		status = fail_unknown(&e, error);
	}
	if (status != WEIR_OK) {
		free(*text);
		*text = NULL;
	}
	cJSON_Delete(e.list);
	free(e.paths);
	weir_arena_destroy(e.arena);
	return status;
}
