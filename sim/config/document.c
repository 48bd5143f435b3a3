#include "config/document.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "config/key_path.h"

enum { DEEPEST_INCLUDE = 16, MOST_FILES = 256 };

/* One file or override. Where a value came from is found by looking through the layers, last first.
 */
typedef struct layer {
	const char *origin;     /* the file as it was named, or "--set" */
	const char *directory;  /* where relative file names in it start; "": the working directory */
	const key_path *prefix; /* of an override; NULL of a file */
	cJSON *value;
} layer;

struct weir_document {
	weir_arena *arena;
	cJSON *root;
	layer *layers;
	size_t layer_count, layer_capacity;
	size_t main_file; /* index of the config file's layer */
};

/* A file that is being loaded and, by `includer`, those that led to it. */
typedef struct loading {
	const char *path, *canonical, *directory;
	const char *text; /* what is in it; NULL: it is read */
	const struct loading *includer;
	int depth;
} loading;

static weir_status no_memory(const char *where, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, where, "no memory for the config");
}

static weir_status add_layer(weir_document *document, layer added, weir_error *error)
{
	if (!weir_reserve((void **)&document->layers, &document->layer_capacity,
	                  document->layer_count + 1, sizeof *document->layers)) {
		cJSON_Delete(added.value);
		return no_memory(added.origin, error);
	}
	document->layers[document->layer_count++] = added;
	return WEIR_OK;
}

/* Lays a copy of `over` upon `*base`: objects merge, everything else replaces. */
static bool merge(cJSON *base, const cJSON *over)
{
	for (const cJSON *member = over->child; member != NULL; member = member->next) {
		cJSON *below = cJSON_GetObjectItemCaseSensitive(base, member->string);
		if (cJSON_IsObject(below) && cJSON_IsObject(member)) {
			if (!merge(below, member)) {
				return false;
			}
			continue;
		}
		cJSON *copy = cJSON_Duplicate(member, 1);
		bool placed =
		    copy != NULL && (below != NULL ? cJSON_ReplaceItemViaPointer(base, below, copy)
		                                   : cJSON_AddItemToObject(base, member->string, copy));
		if (!placed) {
			cJSON_Delete(copy);
			return false;
		}
	}
	return true;
}

/* Lays a file upon the document. The first is copied whole: merging looks every key up in a list,
 * and a file may be long. */
static bool lay(weir_document *document, const cJSON *json)
{
	if (document->root->child != NULL) {
		return merge(document->root, json);
	}
	cJSON *copy = cJSON_Duplicate(json, 1);
	if (copy == NULL) {
		return false;
	}
	cJSON_Delete(document->root);
	document->root = copy;
	return true;
}

/* Refuses a repeated key anywhere below `json`: merging would drop one of the two in silence. */
static weir_status check_repeated(weir_keys_reader *reader, const cJSON *json, const char *path,
                                  weir_error *error)
{
	const cJSON *repeated = NULL;
	if (cJSON_IsObject(json) && !weir_json_find_repeated(json, &repeated)) {
		return no_memory(reader->file, error);
	}
	if (repeated != NULL) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, repeated->string), error,
		                      "this key stands here twice");
	}
	weir_status status = WEIR_OK;
	size_t index = 0;
	for (const cJSON *item = json->child; item != NULL && status == WEIR_OK; item = item->next) {
		if (item->child != NULL) {
			const char *item_path = cJSON_IsObject(json)
			                            ? weir_keys_path(reader, path, item->string)
			                            : weir_arena_format(reader->arena, "%s[%zu]", path, index);
			status = item_path != NULL ? check_repeated(reader, item, item_path, error)
			                           : no_memory(reader->file, error);
		}
		index++;
	}
	return status;
}

/* ---- files ---- */

static const char *directory_of(weir_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL) {
		return "";
	}
	return weir_arena_format(arena, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static const char *in_directory(weir_arena *arena, const char *directory, const char *name)
{
	if (directory[0] == '\0' || name[0] == '/') {
		return weir_arena_string(arena, name);
	}
	bool slash = directory[strlen(directory) - 1] == '/';
	return weir_arena_format(arena, "%s%s%s", directory, slash ? "" : "/", name);
}

static weir_status load_file(weir_document *document, const weir_document_options *options,
                             const char *path, const char *text, const loading *includer,
                             weir_error *error);

/* Loads the file that `file` includes by `name`; `path` is the key path of the name. */
static weir_status load_included(weir_document *document, const weir_document_options *options,
                                 weir_keys_reader *reader, const char *path, const cJSON *name,
                                 const loading *file, weir_error *error)
{
	weir_arena *arena = document->arena;
	if (!cJSON_IsString(name)) {
		char got[128];
		return weir_keys_fail(reader, path, error,
		                      "expected a file name or a list of file names, got %s",
		                      weir_keys_describe(got, sizeof got, name));
	}
	const char *wanted = name->valuestring;
	const char *found = in_directory(arena, file->directory, wanted);
	for (size_t i = 0; found != NULL && access(found, F_OK) != 0; i++) {
		if (wanted[0] == '/' || options->directories == NULL || options->directories[i] == NULL) {
			return weir_keys_fail(reader, path, error, "there is no file '%s' in '%s'%s", wanted,
			                      file->directory[0] != '\0' ? file->directory : ".",
			                      i > 0 ? " or the directories of the shipped configs" : "");
		}
		found = in_directory(arena, options->directories[i], wanted);
	}
	return found != NULL ? load_file(document, options, found, NULL, file, error)
	                     : no_memory(file->path, error);
}

/* Loads what "include" names and takes it out of `json`. */
static weir_status load_includes(weir_document *document, const weir_document_options *options,
                                 weir_keys_reader *reader, cJSON *json, const loading *file,
                                 weir_error *error)
{
	cJSON *include = cJSON_DetachItemFromObjectCaseSensitive(json, "include");
	weir_status status = WEIR_OK;
	if (cJSON_IsArray(include)) {
		size_t i = 0;
		for (const cJSON *name = include->child; name != NULL && status == WEIR_OK;
		     name = name->next) {
			const char *path = weir_arena_format(document->arena, "include[%zu]", i++);
			status = path == NULL
			             ? no_memory(file->path, error)
			             : load_included(document, options, reader, path, name, file, error);
		}
	} else if (include != NULL) {
		status = load_included(document, options, reader, "include", include, file, error);
	}
	cJSON_Delete(include);
	return status;
}

/* Refuses a file that is being loaded already, with the chain that led back to it. */
static weir_status check_cycle(const loading *file, weir_error *error)
{
	for (const loading *outer = file->includer; outer != NULL; outer = outer->includer) {
		if (strcmp(outer->canonical, file->canonical) != 0) {
			continue;
		}
		char chain[WEIR_ERROR_MESSAGE_SIZE / 2] = "";
		for (const loading *f = file;; f = f->includer) {
			size_t length = strlen(f->path);
			size_t used = strlen(chain);
			if (used + length + 5 < sizeof chain) {
				memmove(chain + length + 4, chain, used + 1);
				memcpy(chain, f->path, length);
				memcpy(chain + length, " -> ", 4);
			}
			if (f == outer) {
				break;
			}
		}
		chain[strlen(chain) - 4] = '\0';
		return weir_error_set(error, WEIR_ERROR_INPUT, file->includer->path,
		                      "include: the files include each other: %s", chain);
	}
	return WEIR_OK;
}

static weir_status load_checked(weir_document *document, const weir_document_options *options,
                                const loading *file, weir_error *error)
{
	cJSON *json = NULL;
	weir_status status = file->text != NULL ? weir_json_parse(file->path, file->text,
	                                                          strlen(file->text), &json, error)
	                                        : weir_json_load(file->path, &json, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_keys_reader reader = {.arena = document->arena, .file = file->path};
	if (!cJSON_IsObject(json)) {
		char got[128];
		status = weir_keys_fail(&reader, "", error, "expected an object {...}, got %s",
		                        weir_keys_describe(got, sizeof got, json));
	}
	if (status == WEIR_OK) {
		status = check_repeated(&reader, json, "", error);
	}
	if (status == WEIR_OK) {
		status = load_includes(document, options, &reader, json, file, error);
	}
	if (status == WEIR_OK && !lay(document, json)) {
		status = no_memory(file->path, error);
	}
	if (status != WEIR_OK) {
		cJSON_Delete(json);
		return status;
	}
	document->main_file = document->layer_count; /* the outermost file is the last to get here */
	return add_layer(document,
	                 (layer){.origin = file->path, .directory = file->directory, .value = json},
	                 error);
}

static weir_status load_file(weir_document *document, const weir_document_options *options,
                             const char *path, const char *text, const loading *includer,
                             weir_error *error)
{
	loading file = {.path = weir_arena_string(document->arena, path),
	                .text = text,
	                .directory = directory_of(document->arena, path),
	                .includer = includer,
	                .depth = includer != NULL ? includer->depth + 1 : 0};
	if (file.path == NULL || file.directory == NULL) {
		return no_memory(path, error);
	}
	if (file.depth > DEEPEST_INCLUDE || document->layer_count >= MOST_FILES) {
		return weir_error_set(error, WEIR_ERROR_INPUT, includer->path,
		                      "include: too many files (at most %d, %d deep)", MOST_FILES,
		                      DEEPEST_INCLUDE);
	}
	/* A file that cannot be resolved cannot be opened either; weir_json_load says why. */
	char *canonical = realpath(path, NULL);
	file.canonical = canonical != NULL ? canonical : file.path;
	weir_status status = check_cycle(&file, error);
	if (status == WEIR_OK) {
		status = load_checked(document, options, &file, error);
	}
	free(canonical);
	return status;
}

/* ---- overrides ---- */

/* "path=value", who says it, and where relative file names in it start. */
typedef struct override {
	const char *text, *origin, *directory;
} override;

/* JSON where it is that, else a string. A text that begins like JSON and is not is refused. */
static weir_status parse_set_value(weir_arena *arena, const override *set, const char *text,
                                   cJSON **value, weir_error *error)
{
	weir_error syntax = {0};
	weir_status status = weir_json_parse(set->origin, text, strlen(text), value, &syntax);
	if (status == WEIR_OK) {
		weir_keys_reader reader = {.arena = arena, .file = set->origin};
		return check_repeated(&reader, *value, "", error);
	}
	if (text[0] != '\0' && strchr("{[\"", text[0]) != NULL) {
		return weir_error_set(error, WEIR_ERROR_INPUT, set->origin, "'%.200s' is not JSON: %s",
		                      set->text, syntax.message);
	}
	*value = cJSON_CreateString(text);
	return *value != NULL ? WEIR_OK : no_memory(set->origin, error);
}

/* The object or list that the path's last step leads out of, made where it is missing. */
static weir_status find_parent(weir_document *document, const key_path *path, const override *set,
                               cJSON **parent, weir_error *error)
{
	cJSON *json = document->root;
	for (size_t i = 0;; i++) {
		const key_step *step = &path->steps[i];
		cJSON *next = key_step_follow(json, step);
		if (step->name == NULL && next == NULL) {
			return weir_error_set(error, WEIR_ERROR_INPUT, set->origin,
			                      "'%.200s': there is no element [%zu]; the list has %d", set->text,
			                      step->index, cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0);
		}
		if (step->name != NULL && cJSON_IsArray(json)) {
			return weir_error_set(
			    error, WEIR_ERROR_INPUT, set->origin,
			    "'%.200s': before '%s' is a list; name an element, as in list[0].%s", set->text,
			    step->name, step->name);
		}
		if (i + 1 == path->count) {
			*parent = json;
			return WEIR_OK;
		}
		bool list_next = path->steps[i + 1].name == NULL;
		if (!list_next && !cJSON_IsObject(next) && !cJSON_IsArray(next)) {
			/* Nothing, or a short form, which a full one now takes the place of. */
			cJSON *object = cJSON_CreateObject();
			bool placed =
			    object != NULL &&
			    (step->name == NULL ? cJSON_ReplaceItemInArray(json, (int)step->index, object)
			     : next != NULL ? cJSON_ReplaceItemInObjectCaseSensitive(json, step->name, object)
			                    : cJSON_AddItemToObject(json, step->name, object));
			if (!placed) {
				cJSON_Delete(object);
				return no_memory(set->origin, error);
			}
			next = object;
		}
		if (list_next && !cJSON_IsArray(next)) {
			return weir_error_set(error, WEIR_ERROR_INPUT, set->origin,
			                      "'%.200s': there is no list '%s' in the config", set->text,
			                      step->name != NULL ? step->name : "");
		}
		json = next;
	}
}

/* Puts a copy of `value` at the last step of `path`, in `parent`. */
static bool place(cJSON *parent, const key_step *step, const cJSON *value)
{
	cJSON *old = key_step_follow(parent, step);
	if (cJSON_IsObject(old) && cJSON_IsObject(value)) {
		return merge(old, value);
	}
	cJSON *copy = cJSON_Duplicate(value, 1);
	bool placed = copy != NULL &&
	              (step->name == NULL ? cJSON_ReplaceItemInArray(parent, (int)step->index, copy)
	               : old != NULL ? cJSON_ReplaceItemInObjectCaseSensitive(parent, step->name, copy)
	                             : cJSON_AddItemToObject(parent, step->name, copy));
	if (!placed) {
		cJSON_Delete(copy);
	}
	return placed;
}

static weir_status apply_set(weir_document *document, const override *set, weir_error *error)
{
	char *text = weir_arena_string(document->arena, set->text);
	key_path *path = weir_arena_allocate(document->arena, 1, sizeof *path);
	if (text == NULL || path == NULL) {
		return no_memory(set->origin, error);
	}
	char *value_text = NULL;
	if (!key_path_parse(text, path, &value_text) || value_text == NULL) {
		return weir_error_set(error, WEIR_ERROR_INPUT, set->origin,
		                      "expected key.path=value, got '%.200s'", set->text);
	}
	cJSON *value = NULL;
	cJSON *parent = NULL;
	weir_status status = parse_set_value(document->arena, set, value_text, &value, error);
	if (status == WEIR_OK) {
		status = find_parent(document, path, set, &parent, error);
	}
	if (status == WEIR_OK && !place(parent, &path->steps[path->count - 1], value)) {
		status = no_memory(set->origin, error);
	}
	if (status != WEIR_OK) {
		cJSON_Delete(value);
		return status;
	}
	return add_layer(
	    document,
	    (layer){.origin = set->origin, .directory = set->directory, .prefix = path, .value = value},
	    error);
}

static weir_status apply_said(weir_document *document, const weir_document_said *said,
                              weir_error *error)
{
	if (said->count == 0) {
		return WEIR_OK;
	}
	override set = {.origin = weir_arena_string(document->arena, said->origin),
	                .directory = weir_arena_string(document->arena, said->directory)};
	weir_status status =
	    set.origin != NULL && set.directory != NULL ? WEIR_OK : no_memory(said->origin, error);
	for (size_t i = 0; i < said->count && status == WEIR_OK; i++) {
		set.text = said->sets[i];
		status = apply_set(document, &set, error);
	}
	return status;
}

weir_status weir_document_load(const weir_document_options *options, weir_arena *arena,
                               weir_document **document, weir_error *error)
{
	*document = NULL;
	weir_document *loaded = weir_arena_allocate(arena, 1, sizeof *loaded);
	if (loaded == NULL) {
		return no_memory(options->path, error);
	}
	loaded->arena = arena;
	loaded->root = cJSON_CreateObject();
	weir_status status = loaded->root != NULL ? WEIR_OK : no_memory(options->path, error);
	if (status == WEIR_OK && options->path != NULL) {
		status = load_file(loaded, options, options->path, options->text, NULL, error);
	} else if (status == WEIR_OK) {
		status = add_layer(loaded, (layer){.origin = "config", .directory = ""}, error);
	}
	size_t main_file = loaded->main_file;
	for (size_t i = 0; i < options->overlay_count && status == WEIR_OK; i++) {
		status = load_file(loaded, options, options->overlays[i], NULL, NULL, error);
	}
	loaded->main_file = main_file;
	if (status == WEIR_OK) {
		status = apply_said(loaded, &options->said, error);
	}
	for (size_t i = 0; i < options->set_count && status == WEIR_OK; i++) {
		const override set = {.text = options->sets[i], .origin = "--set", .directory = ""};
		status = apply_set(loaded, &set, error);
	}
	if (status != WEIR_OK) {
		weir_document_destroy(loaded);
		return status;
	}
	*document = loaded;
	return WEIR_OK;
}

void weir_document_destroy(weir_document *document)
{
	if (document == NULL) {
		return;
	}
	for (size_t i = 0; i < document->layer_count; i++) {
		cJSON_Delete(document->layers[i].value);
	}
	free(document->layers);
	cJSON_Delete(document->root);
}

const cJSON *weir_document_root(const weir_document *document)
{
	return document->root;
}

/* ---- where a value came from ---- */

/*
 * How many steps of `path` the layer says, and in *decides whether it also says that there is no
 * more: the whole path is there, or the way ends at something that is no object.
 */
static size_t steps_in_layer(const layer *l, const key_path *path, bool *decides)
{
	*decides = false;
	size_t i = 0;
	for (; l->prefix != NULL && i < l->prefix->count; i++) {
		if (i == path->count) {
			return i; /* something within it */
		}
		if (!key_step_equal(&l->prefix->steps[i], &path->steps[i])) {
			return 0;
		}
	}
	const cJSON *json = l->value;
	for (; json != NULL && i < path->count; i++) {
		const cJSON *next = key_step_follow(json, &path->steps[i]);
		if (next == NULL) {
			*decides = !cJSON_IsObject(json);
			return i;
		}
		json = next;
	}
	*decides = json != NULL;
	return i;
}

/* The layer that says the value at `text`; for an absent one, the last that says what it would be
 * in. */
static size_t find_layer(const weir_document *document, const char *text)
{
	size_t found = document->main_file;
	size_t most_steps = 0;
	char *copy = strdup(text);
	key_path path;
	char *rest = NULL;
	if (copy != NULL && key_path_parse(copy, &path, &rest)) {
		for (size_t i = document->layer_count; i-- > 0;) {
			bool decides = false;
			size_t steps = steps_in_layer(&document->layers[i], &path, &decides);
			if (steps > most_steps) {
				most_steps = steps;
				found = i;
			}
			if (decides) {
				found = i;
				break;
			}
		}
	}
	free(copy);
	return found;
}

static const char *value_origin(const void *context, const char *path)
{
	const weir_document *document = context;
	return document->layers[find_layer(document, path)].origin;
}

static const char *value_directory(const void *context, const char *path)
{
	const weir_document *document = context;
	return document->layers[find_layer(document, path)].directory;
}

static int value_layer(const void *context, const char *path)
{
	return (int)find_layer(context, path);
}

weir_keys_reader weir_document_reader(const weir_document *document)
{
	return (weir_keys_reader){.arena = document->arena,
	                          .file = document->layers[document->main_file].origin,
	                          .origin = value_origin,
	                          .directory = value_directory,
	                          .layer = value_layer,
	                          .context = document};
}
