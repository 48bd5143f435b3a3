#include "config/family.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "config/key_path.h"

static weir_status no_memory(weir_keys_reader *reader, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file, "no memory for the config");
}

/* Refuses what is no key path, and the keys that a family itself decides. */
static weir_status check_name(weir_keys_reader *reader, const char *path, const char *name,
                              weir_error *error)
{
	char *text = weir_arena_string(reader->arena, name);
	key_path *steps = weir_arena_allocate(reader->arena, 1, sizeof *steps);
	if (text == NULL || steps == NULL) {
		return no_memory(reader, error);
	}
	char *value = NULL;
	if (!key_path_parse(text, steps, &value) || value != NULL) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, name), error,
		                      "expected a key path such as workload.arrivals.rate");
	}
	const char *first = steps->steps[0].name;
	if (strcmp(first, "family") == 0 || strcmp(first, "seed") == 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, name), error,
		                      "a shape cannot change this; each replication has a seed of its own, "
		                      "drawn from family.seed");
	}
	return WEIR_OK;
}

static weir_status read_shape(weir_keys_reader *reader, const cJSON *json, const char *path,
                              weir_family_shape *shape, weir_error *error)
{
	if (!cJSON_IsObject(json)) {
		char got[64];
		return weir_keys_fail(reader, path, error,
		                      "expected an object {\"key.path\": value, ...}, got %s",
		                      weir_keys_describe(got, sizeof got, json));
	}
	const char *file =
	    reader->origin != NULL ? reader->origin(reader->context, path) : reader->file;
	shape->directory = reader->directory != NULL ? reader->directory(reader->context, path) : "";
	shape->origin = weir_arena_format(reader->arena, "%s: %s", file, path);
	shape->count = (size_t)cJSON_GetArraySize(json);
	const char **sets = weir_arena_allocate(reader->arena, shape->count, sizeof *sets);
	if (shape->origin == NULL || sets == NULL) {
		return no_memory(reader, error);
	}
	shape->sets = sets;
	for (const cJSON *member = json->child; member != NULL; member = member->next) {
		weir_status status = check_name(reader, path, member->string, error);
		if (status != WEIR_OK) {
			return status;
		}
		char *value = weir_json_print(member);
		if (value == NULL) {
			return no_memory(reader, error);
		}
		cJSON_Minify(value);
		*sets = weir_arena_format(reader->arena, "%s=%s", member->string, value);
		free(value);
		if (*sets++ == NULL) {
			return no_memory(reader, error);
		}
	}
	return WEIR_OK;
}

/* [{"key.path": value, ...}, ...] */
static weir_status read_shapes(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                               const char *path, void *field, weir_error *error)
{
	if (!cJSON_IsArray(json)) {
		char got[64];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	weir_family_shape *shapes = weir_arena_allocate(reader->arena, count, sizeof *shapes);
	if (shapes == NULL) {
		return no_memory(reader, error);
	}
	size_t i = 0;
	for (const cJSON *item = json->child; item != NULL; item = item->next, i++) {
		const char *item_path = weir_arena_format(reader->arena, "%s[%zu]", path, i);
		weir_status status = item_path != NULL
		                         ? read_shape(reader, item, item_path, &shapes[i], error)
		                         : no_memory(reader, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	*(weir_key_list *)field = (weir_key_list){count, shapes};
	return WEIR_OK;
}

static const weir_key family_keys[] = {
    {.name = "seed",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_family, seed),
     .default_text = "0",
     .minimum = 0,
     .maximum = 9007199254740991.0,
     .doc = "Each replication's seed is drawn from this one and its number; 0: from the config's "
            "own."},
    {.name = "shapes",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_family, shapes),
     .read = read_shapes,
     .forms = "a list of objects {\"key.path\": value, ...}",
     .doc = "Overrides, as of --set, that replications take in turn: number r, from 0, those of "
            "shape r mod n. File names in them start at the file that says them. --set of the "
            "command line goes before them."},
};

const weir_key_table weir_family_keys = {
    .name = "family",
    .doc = "How the replications of a study differ from each other.",
    .size = sizeof(weir_family),
    .keys = family_keys,
    .key_count = sizeof family_keys / sizeof family_keys[0],
};

uint64_t weir_family_seed(const weir_family *family, uint64_t replication)
{
	/* What a config can say exactly. */
	return weir_stream_seed((uint64_t)family->seed, "family", replication) >> 11;
}

const weir_family_shape *weir_family_shape_of(const weir_family *family, uint64_t replication)
{
	const weir_family_shape *shapes = family->shapes.items;
	return family->shapes.count > 0 ? &shapes[replication % family->shapes.count] : NULL;
}
