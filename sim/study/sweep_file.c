#include "study/sweep_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "config/key_path.h"

static weir_status no_memory(const char *where, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, where, "no memory for the sweep");
}

static weir_status fail_expected(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                 const char *path, weir_error *error)
{
	char got[64];
	return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
	                      weir_keys_describe(got, sizeof got, json));
}

/* Refuses what is no key path, and the seed, which is that of a replication. */
static weir_status check_path(weir_keys_reader *reader, const char *where, const char *name,
                              weir_error *error)
{
	char *text = weir_arena_string(reader->arena, name);
	key_path *steps = weir_arena_allocate(reader->arena, 1, sizeof *steps);
	if (text == NULL || steps == NULL) {
		return no_memory(reader->file, error);
	}
	char *value = NULL;
	if (!key_path_parse(text, steps, &value) || value != NULL) {
		return weir_keys_fail(reader, where, error,
		                      "expected a key path such as workload.arrivals.rate, got '%s'", name);
	}
	if (strcmp(steps->steps[0].name, "seed") == 0) {
		return weir_keys_fail(reader, where, error,
		                      "a point cannot set the seed: each replication has its own, drawn "
		                      "from the sweep's \"seed\"");
	}
	return WEIR_OK;
}

/* One file name or a list of them. */
static weir_status read_files(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                              const char *path, void *field, weir_error *error)
{
	size_t count = cJSON_IsArray(json) ? (size_t)cJSON_GetArraySize(json) : 1;
	const char **names = weir_arena_allocate(reader->arena, count, sizeof *names);
	if (names == NULL) {
		return no_memory(reader->file, error);
	}
	const char *directory =
	    reader->directory != NULL ? reader->directory(reader->context, path) : "";
	const cJSON *item = cJSON_IsArray(json) ? json->child : json;
	for (size_t i = 0; i < count; i++, item = item->next) {
		if (!cJSON_IsString(item)) {
			return fail_expected(reader, key, item, path, error);
		}
		bool joined = item->valuestring[0] != '/' && directory[0] != '\0';
		names[i] = weir_arena_format(reader->arena, "%s%s%s", joined ? directory : "",
		                             joined ? "/" : "", item->valuestring);
		if (names[i] == NULL) {
			return no_memory(reader->file, error);
		}
	}
	*(weir_sweep_values *)field = (weir_sweep_values){.count = count, .texts = names};
	return WEIR_OK;
}

/* {"key.path": value, ...} */
static weir_status read_sets(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, void *field, weir_error *error)
{
	if (!cJSON_IsObject(json)) {
		return fail_expected(reader, key, json, path, error);
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	const char **sets = weir_arena_allocate(reader->arena, count, sizeof *sets);
	if (sets == NULL) {
		return no_memory(reader->file, error);
	}
	size_t i = 0;
	for (const cJSON *member = json->child; member != NULL; member = member->next, i++) {
		weir_status status =
		    check_path(reader, weir_keys_path(reader, path, member->string), member->string, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (strcmp(member->string, "policy") == 0) {
			return weir_keys_fail(reader, weir_keys_path(reader, path, member->string), error,
			                      "is no key of a config; a policy is named by an axis {\"path\": "
			                      "\"policy\", \"values\": [...]}, if need be of one value");
		}
		char *value = weir_json_print(member);
		if (value != NULL) {
			cJSON_Minify(value);
			sets[i] = weir_arena_format(reader->arena, "%s=%s", member->string, value);
			free(value);
		}
		if (sets[i] == NULL) {
			return no_memory(reader->file, error);
		}
	}
	*(weir_sweep_values *)field = (weir_sweep_values){.count = count, .texts = sets};
	return WEIR_OK;
}

static const weir_key design_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_sweep_design, kind),
     .default_text = "\"grid\"",
     .choices = weir_design_names,
     .doc = "grid: every combination of the axes' levels; random: independent points; "
            "latin_hypercube: each axis evenly covered; sobol: the whole space evenly covered."},
    {.name = "points",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_sweep_design, points),
     .minimum = 1,
     .maximum = 1e9,
     .only_if = "kind=random,latin_hypercube,sobol",
     .doc = "How many points. More points of random and sobol leave the first ones as they are."},
};

static const weir_key_table design_table = {
    .name = "design",
    .doc = "Which points of the space of the axes are run.",
    .size = sizeof(weir_sweep_design),
    .keys = design_keys,
    .key_count = sizeof design_keys / sizeof design_keys[0],
};

#define RETRY_KEY(name_, doc_)                                                                     \
	{                                                                                              \
		.name = #name_, .type = WEIR_KEY_NUMBERS, .offset = offsetof(weir_sweep_retry, name_),     \
		.default_text = "[60, 300, 900]", .minimum = 0, .maximum = 1e6, .unit = "s", .doc = doc_   \
	}

static const weir_key retry_keys[] = {
    RETRY_KEY(crash, "After its process ended or an invariant did not hold."),
    RETRY_KEY(out_of_memory, "After memory ran out."),
    RETRY_KEY(timeout, "After it took longer than \"timeout\"."),
};

static const weir_key_table retry_table = {
    .name = "retry",
    .doc = "How long a run that failed waits for its second attempt, its third, and so on; after "
           "the last one it is FAILED. A bad config is not tried again.",
    .size = sizeof(weir_sweep_retry),
    .keys = retry_keys,
    .key_count = sizeof retry_keys / sizeof retry_keys[0],
};

static const char *const keep_names[] = {"files", "summary", NULL};

/* What a space of points says, of a sweep or of another search. */
#define SPACE_KEYS(axes_flags_)                                                                    \
	{.name = "base",                                                                               \
	 .type = WEIR_KEY_STRING,                                                                      \
	 .offset = offsetof(weir_sweep_file, base),                                                    \
	 .flags = WEIR_KEY_REQUIRED | WEIR_KEY_PATH,                                                   \
	 .doc = "The config that the points are made of."},                                            \
	    {.name = "overlay",                                                                        \
	     .type = WEIR_KEY_CUSTOM,                                                                  \
	     .offset = offsetof(weir_sweep_file, overlay),                                             \
	     .read = read_files,                                                                       \
	     .forms = "a file name or a list of them",                                                 \
	     .doc = "Files laid over the base, such as a policy's."},                                  \
	    {.name = "set",                                                                            \
	     .type = WEIR_KEY_CUSTOM,                                                                  \
	     .offset = offsetof(weir_sweep_file, set),                                                 \
	     .read = read_sets,                                                                        \
	     .forms = "an object {\"key.path\": value, ...}",                                          \
	     .doc = "Overrides of every point, as of --set."},                                         \
	    {.name = "axes",                                                                           \
	     .type = WEIR_KEY_LIST,                                                                    \
	     .offset = offsetof(weir_sweep_file, axes),                                                \
	     .table = &weir_sweep_axis_keys,                                                           \
	     .flags = axes_flags_,                                                                     \
	     .doc = "What changes from point to point; of a grid the last axis changes fastest."},     \
	    {.name = "design",                                                                         \
	     .type = WEIR_KEY_OBJECT,                                                                  \
	     .offset = offsetof(weir_sweep_file, design),                                              \
	     .table = &design_table,                                                                   \
	     .doc = "Which points of the space of the axes are run."},                                 \
	    {.name = "replications",                                                                   \
	     .type = WEIR_KEY_INTEGER,                                                                 \
	     .offset = offsetof(weir_sweep_file, replications),                                        \
	     .default_text = "1",                                                                      \
	     .minimum = 1,                                                                             \
	     .maximum = 1e6,                                                                           \
	     .doc = "Runs of each point, each with a seed of its own."},                               \
	    {.name = "seed",                                                                           \
	     .type = WEIR_KEY_INTEGER,                                                                 \
	     .offset = offsetof(weir_sweep_file, seed),                                                \
	     .default_text = "1",                                                                      \
	     .minimum = 0,                                                                             \
	     .maximum = 9007199254740991.0,                                                            \
	     .doc = "The seeds of the replications, the same for every point, and the points of a "    \
	            "random "                                                                          \
	            "design come from it."},                                                           \
	{                                                                                              \
		.name = "until", .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_sweep_file, until),      \
		.default_text = "0", .minimum = 0, .maximum = 1e12, .unit = "s",                           \
		.doc = "Runs stop at this simulated time; 0: they go to their end."                        \
	}

static const weir_key sweep_keys[] = {
    SPACE_KEYS(WEIR_KEY_REQUIRED),
    {.name = "independent",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_sweep_file, independent),
     .default_text = "false",
     .doc = "Each point has seeds of its own: no common random numbers."},
    {.name = "keep",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_sweep_file, keep),
     .default_text = "\"files\"",
     .choices = keep_names,
     .doc = "files: the file of every run, and its figures in the store; summary: only these."},
    {.name = "timeout",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_sweep_file, timeout),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e9,
     .unit = "s",
     .doc = "A run that takes longer has failed; 0: none does."},
    {.name = "memory",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_sweep_file, memory),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e15,
     .unit = "bytes",
     .doc = "A run that takes more has failed, and only so many run at once as the machine has "
            "memory for; 0: what runs have taken so far says how many may run."},
    {.name = "retry",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_sweep_file, retry),
     .table = &retry_table,
     .doc = "What becomes of runs that failed."},
};

/* Which of the earlier settings, in order, sets `path`. */
static bool set_before(const weir_sweep_file *file, size_t axes, const char *path)
{
	const weir_sweep_axis *list = file->axes.items;
	for (size_t a = 0; a < axes; a++) {
		for (size_t i = 0; i < list[a].item_count; i++) {
			if (strcmp(list[a].items[i].path, path) == 0) {
				return true;
			}
		}
	}
	return false;
}

static weir_status check_axis(weir_keys_reader *reader, const char *space,
                              const weir_sweep_file *file, size_t number, weir_error *error)
{
	const weir_sweep_axis *axis = &((const weir_sweep_axis *)file->axes.items)[number];
	const char *list = weir_keys_path(reader, space, "axes");
	const char *where =
	    list != NULL ? weir_arena_format(reader->arena, "%s[%zu]", list, number) : NULL;
	if (where == NULL) {
		return no_memory(reader->file, error);
	}
	for (size_t i = 0; i < axis->item_count; i++) {
		const char *path = axis->items[i].path;
		weir_status status = check_path(reader, where, path, error);
		if (status != WEIR_OK) {
			return status;
		}
		bool twice = set_before(file, number, path);
		for (size_t k = 0; k < i; k++) {
			twice = twice || strcmp(axis->items[k].path, path) == 0;
		}
		if (twice) {
			return weir_keys_fail(reader, where, error, "'%s' is set by two axes", path);
		}
	}
	for (size_t i = 0; i < axis->when.count; i++) {
		if (!set_before(file, number, axis->when.items[i].path)) {
			return weir_keys_fail(reader, where, error,
			                      "\"when\" asks for '%s', which no earlier axis sets",
			                      axis->when.items[i].path);
		}
	}
	return WEIR_OK;
}

static weir_status check_space(weir_keys_reader *reader, const char *path, void *object,
                               weir_error *error)
{
	weir_sweep_file *file = object;
	for (size_t i = 0; i < file->axes.count; i++) {
		weir_status status = check_axis(reader, path, file, i, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	if (file->until == 0.0) {
		file->until = (double)INFINITY;
	}
	return WEIR_OK;
}

weir_status weir_sweep_space_check_grid(weir_keys_reader *reader, const char *path,
                                        const weir_sweep_file *space, weir_error *error)
{
	const weir_sweep_axis *axes = space->axes.items;
	for (size_t a = 0; space->design.kind == WEIR_DESIGN_GRID && a < space->axes.count; a++) {
		if (axes[a].levels == 0) {
			const char *list = weir_keys_path(reader, path, "axes");
			const char *where =
			    list != NULL ? weir_arena_format(reader->arena, "%s[%zu]", list, a) : NULL;
			return where == NULL
			           ? no_memory(reader->file, error)
			           : weir_keys_fail(reader, where, error,
			                            "in a grid a range needs a \"count\" of levels; or choose "
			                            "another design.kind: random, latin_hypercube, sobol");
		}
	}
	return WEIR_OK;
}

static weir_status check_sweep(weir_keys_reader *reader, const char *path, void *object,
                               weir_error *error)
{
	const weir_sweep_file *file = object;
	if (file->axes.count == 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "axes"), error,
		                      "expected at least one axis {\"path\": ..., \"values\": [...]}");
	}
	weir_status status = check_space(reader, path, object, error);
	return status == WEIR_OK ? weir_sweep_space_check_grid(reader, path, file, error) : status;
}

static const weir_key space_keys[] = {SPACE_KEYS(0)};

const weir_key_table weir_sweep_space_keys = {
    .name = "space",
    .doc = "Configs made of one: what they have in common, and what they differ in.",
    .size = sizeof(weir_sweep_file),
    .keys = space_keys,
    .key_count = sizeof space_keys / sizeof space_keys[0],
    .check = check_space,
};

const weir_key_table weir_sweep_keys = {
    .name = "sweep",
    .doc = "Many runs of one config.",
    .size = sizeof(weir_sweep_file),
    .keys = sweep_keys,
    .key_count = sizeof sweep_keys / sizeof sweep_keys[0],
    .check = check_sweep,
};

static const char *directory_of(weir_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL) {
		return weir_arena_string(arena, "");
	}
	return slash == path ? weir_arena_string(arena, "/")
	                     : weir_arena_format(arena, "%.*s", (int)(slash - path), path);
}

static weir_status place(weir_sweep_file *space, weir_arena *arena, const char *path,
                         const char *const *directories, weir_error *error)
{
	space->path = weir_arena_string(arena, path);
	space->directory = directory_of(arena, path);
	space->directories = directories;
	space->arena = arena;
	return space->path != NULL && space->directory != NULL ? WEIR_OK : no_memory(path, error);
}

static weir_status load(const weir_key_table *table, size_t offset, weir_arena *arena,
                        const char *path, const char *const *directories, char *made,
                        weir_error *error)
{
	const weir_document_options options = {.path = path, .directories = directories};
	weir_document *document = NULL;
	weir_status status = weir_document_load(&options, arena, &document, error);
	if (status == WEIR_OK) {
		weir_keys_reader reader = weir_document_reader(document);
		status = weir_keys_read(&reader, table, weir_document_root(document), "", made, error);
	}
	weir_document_destroy(document);
	return status == WEIR_OK
	           ? place((weir_sweep_file *)(void *)(made + offset), arena, path, directories, error)
	           : status;
}

weir_status weir_sweep_space_load(const weir_key_table *table, size_t offset, const char *path,
                                  const char *const *directories, void **object, weir_error *error)
{
	*object = NULL;
	weir_arena *arena = weir_arena_create();
	void *made = arena != NULL ? weir_arena_allocate(arena, 1, table->size) : NULL;
	weir_status status = made != NULL ? load(table, offset, arena, path, directories, made, error)
	                                  : no_memory(path, error);
	if (status != WEIR_OK) {
		weir_arena_destroy(arena);
		return status;
	}
	*object = made;
	return WEIR_OK;
}

weir_status weir_sweep_file_load(const char *path, const char *const *directories,
                                 weir_sweep_file **file, weir_error *error)
{
	void *made;
	weir_status status =
	    weir_sweep_space_load(&weir_sweep_keys, 0, path, directories, &made, error);
	*file = made;
	return status;
}

void weir_sweep_file_destroy(weir_sweep_file *file)
{
	if (file != NULL) {
		weir_arena_destroy(file->arena);
	}
}

uint64_t weir_sweep_seed(const weir_sweep_file *file, const char *id, uint64_t replication)
{
	uint64_t seed = weir_stream_seed((uint64_t)file->seed, "sweep", replication);
	if (file->independent) {
		seed = weir_stream_seed(seed, id, 0);
	}
	/* What a config can say exactly. */
	return seed >> 11;
}
