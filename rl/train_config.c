#include "rl/train_config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "rl/envs.h"

enum { WIDEST_LAYER = 65536 };

static const char *const control_names[] = {"none", "shuffled_rewards", NULL};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the training config");
}

/* --- environment ---------------------------------------------------------------------------- */

/* What the section is read into: the kind, then the chosen environment's own parameters, which are
 * only checked here. */
typedef struct environment_section {
	int kind;
	max_align_t parameters[];
} environment_section;

/* A table of `kind` and one key for each environment's own section. NULL when memory is out. */
static const weir_key_table *environment_table(weir_arena *arena)
{
	static const weir_key_table no_parameters = {.name = "environment", .size = 1};
	size_t count = 0, largest = 1;
	while (weir_env_types[count] != NULL) {
		count++;
	}
	weir_key_table *table = weir_arena_allocate(arena, 1, sizeof *table);
	weir_key *keys = weir_arena_allocate(arena, count + 1, sizeof *keys);
	if (table == NULL || keys == NULL) {
		return NULL;
	}
	keys[0] = (weir_key){.name = "kind",
	                     .type = WEIR_KEY_CHOICE,
	                     .offset = offsetof(environment_section, kind),
	                     .choices = weir_env_names,
	                     .doc = "Which environment."};
	for (size_t i = 0; i < count; i++) {
		const weir_env_type *type = weir_env_types[i];
		const weir_key_table *own = type->keys != NULL ? type->keys : &no_parameters;
		const char *only_if = weir_arena_format(arena, "kind=%s", weir_env_names[i]);
		if (only_if == NULL) {
			return NULL;
		}
		keys[i + 1] = (weir_key){.name = weir_env_names[i],
		                         .type = WEIR_KEY_OBJECT,
		                         .offset = offsetof(environment_section, parameters),
		                         .table = own,
		                         .only_if = only_if,
		                         .doc = type->summary};
		largest = own->size > largest ? own->size : largest;
	}
	*table = (weir_key_table){.name = "environment",
	                          .size = sizeof(environment_section) + largest,
	                          .keys = keys,
	                          .key_count = count + 1};
	return table;
}

static weir_status read_environment(weir_keys_reader *reader, const weir_key *key,
                                    const cJSON *json, const char *path, void *field,
                                    weir_error *error)
{
	(void)key;
	weir_train_environment *environment = field;
	const weir_key_table *table = environment_table(reader->arena);
	environment_section *section =
	    table != NULL ? weir_arena_allocate(reader->arena, 1, table->size) : NULL;
	if (section == NULL) {
		return no_memory(error);
	}
	weir_status status = weir_keys_read(reader, table, json, path, section, error);
	if (status != WEIR_OK) {
		return status;
	}
	cJSON *resolved = weir_keys_resolve(reader, table, json, path);
	environment->kind = weir_env_names[section->kind];
	char *text = weir_json_print(cJSON_GetObjectItemCaseSensitive(resolved, environment->kind));
	environment->parameters = text != NULL ? weir_arena_string(reader->arena, text) : NULL;
	free(text);
	cJSON_Delete(resolved);
	return environment->parameters != NULL ? WEIR_OK : no_memory(error);
}

/* --- the tables ----------------------------------------------------------------------------- */

static weir_status check_network(weir_keys_reader *reader, const char *path, void *object,
                                 weir_error *error)
{
	const weir_train_network *network = object;
	const char *at = weir_keys_path(reader, path, "hidden");
	if (network->hidden.count == 0 || network->hidden.count > WEIR_MOST_LAYERS) {
		return weir_keys_fail(reader, at, error, "expected 1 to %d layers, got %zu",
		                      WEIR_MOST_LAYERS, network->hidden.count);
	}
	for (size_t i = 0; i < network->hidden.count; i++) {
		double width = ((const double *)network->hidden.items)[i];
		if (width != floor(width)) {
			return weir_keys_fail(reader, at, error, "expected whole numbers of units, got %g",
			                      width);
		}
	}
	return WEIR_OK;
}

static const weir_key network_keys[] = {
    {.name = "hidden",
     .type = WEIR_KEY_NUMBERS,
     .offset = offsetof(weir_train_network, hidden),
     .default_text = "[64, 64]",
     .minimum = 1,
     .maximum = WIDEST_LAYER,
     .unit = "units",
     .doc = "Tanh units of each hidden layer; the policy and the value have as many."},
    {.name = "shared_trunk",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_train_network, shared_trunk),
     .default_text = "false",
     .doc = "One trunk of hidden layers for the policy and the value, instead of one for each."},
    {.name = "log_std",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_train_network, log_std),
     .default_text = "0",
     .minimum = -20,
     .maximum = 2,
     .doc = "Of a Box's actions: the logarithm of their standard deviation at the start."},
};

static const weir_key_table network_table = {
    .name = "network",
    .doc = "The agent's network.",
    .size = sizeof(weir_train_network),
    .keys = network_keys,
    .key_count = sizeof network_keys / sizeof network_keys[0],
    .check = check_network,
};

/* null: not said. */
static weir_status read_stop(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, void *field, weir_error *error)
{
	(void)key;
	weir_train_evaluation *evaluation =
	    (weir_train_evaluation *)((char *)field - offsetof(weir_train_evaluation, stop_at_reward));
	if (cJSON_IsNull(json)) {
		return WEIR_OK;
	}
	if (!cJSON_IsNumber(json) || !isfinite(json->valuedouble)) {
		char got[128];
		return weir_keys_fail(reader, path, error, "expected a number or null, got %s",
		                      weir_keys_describe(got, sizeof got, json));
	}
	evaluation->has_stop = true;
	evaluation->stop_at_reward = json->valuedouble;
	return WEIR_OK;
}

static const weir_key evaluation_keys[] = {
    {.name = "interval",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_evaluation, interval),
     .default_text = "10000",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "steps",
     .doc = "Evaluate at the first end of a rollout after so many steps; 0: only at the end."},
    {.name = "episodes",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_evaluation, episodes),
     .default_text = "5",
     .minimum = 0,
     .maximum = 100000,
     .doc = "Episodes of an evaluation: the first ones of the environment's fixed list; 0: never "
            "evaluate."},
    {.name = "deterministic",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_train_evaluation, deterministic),
     .default_text = "true",
     .doc = "Take the policy's mode, instead of drawing actions."},
    {.name = "seed",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_evaluation, seed),
     .default_text = "1000",
     .minimum = 0,
     .maximum = 9007199254740991.0,
     .doc = "Of the actions drawn in evaluations, and of what their episodes draw; the training's "
            "seed does not matter to them."},
    {.name = "stop_at_reward",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_train_evaluation, stop_at_reward),
     .default_text = "null",
     .read = read_stop,
     .forms = "a number or null",
     .doc = "Training ends once the mean reward of an evaluation is at least this; null: never."},
    {.name = "patience",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_evaluation, patience),
     .default_text = "0",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "evaluations",
     .doc = "Training ends after so many evaluations in a row that are no new best; 0: never."},
};

static const weir_key_table evaluation_table = {
    .name = "evaluation",
    .doc = "How the agent is judged while it learns.",
    .size = sizeof(weir_train_evaluation),
    .keys = evaluation_keys,
    .key_count = sizeof evaluation_keys / sizeof evaluation_keys[0],
};

static const weir_key checkpoint_keys[] = {
    {.name = "interval",
     .type = WEIR_KEY_INTEGER,
     .offset = 0,
     .default_text = "10000",
     .minimum = 0,
     .maximum = INFINITY,
     .unit = "steps",
     .doc = "A checkpoint at the first end of a rollout after so many steps; 0: only at the end."},
};

static const weir_key_table checkpoint_table = {
    .name = "checkpoint",
    .doc = "When what is needed to go on is written.",
    .size = sizeof(int64_t),
    .keys = checkpoint_keys,
    .key_count = sizeof checkpoint_keys / sizeof checkpoint_keys[0],
};

static weir_status check_adapt(weir_keys_reader *reader, const char *path, void *object,
                               weir_error *error)
{
	const weir_train_adapt *adapt = object;
	if (!(adapt->initial >= adapt->minimum && adapt->initial <= adapt->maximum)) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "initial"), error,
		                      "expected a number from minimum (%g) to maximum (%g), got %g",
		                      adapt->minimum, adapt->maximum, adapt->initial);
	}
	return WEIR_OK;
}

static const weir_key adapt_keys[] = {
    {.name = "coefficient",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_train_adapt, coefficient),
     .flags = WEIR_KEY_REQUIRED,
     .doc = "One of the environment's coefficients."},
    {.name = "term",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_train_adapt, term),
     .flags = WEIR_KEY_REQUIRED,
     .doc = "The figure of the environment, averaged over a rollout, that is to meet the target."},
    {.name = "target",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_train_adapt, target),
     .doc = "What the term is to be at most, in its unit."},
    {.name = "rate",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_train_adapt, rate),
     .doc = "By how much the coefficient changes after a rollout, for each unit of the excess."},
    {.name = "minimum",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_train_adapt, minimum),
     .default_text = "0",
     .doc = "The least that the coefficient becomes."},
    {.name = "maximum",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_train_adapt, maximum),
     .doc = "The most that it becomes."},
    {.name = "initial",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_train_adapt, initial),
     .default_text = "0",
     .doc = "What it is at the start."},
};

static const weir_key_table adapt_table = {
    .name = "adapt",
    .doc = "A coefficient of the environment that follows a figure (dual ascent).",
    .size = sizeof(weir_train_adapt),
    .keys = adapt_keys,
    .key_count = sizeof adapt_keys / sizeof adapt_keys[0],
    .check = check_adapt,
};

static const weir_key train_keys[] = {
    {.name = "seed",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_config, seed),
     .default_text = "1",
     .minimum = 0,
     .maximum = 9007199254740991.0,
     .doc = "Seed of every random stream of the training."},
    {.name = "environment",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_train_config, environment),
     .flags = WEIR_KEY_REQUIRED,
     .read = read_environment,
     .forms = "an object {\"kind\": NAME, NAME: {...}}",
     .doc = "What is learned from: which environment, and in a section of its name what it is "
            "told."},
    {.name = "environments",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_config, environments),
     .default_text = "1",
     .minimum = 1,
     .maximum = 4096,
     .doc = "How many environments are stepped side by side."},
    {.name = "threads",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_config, threads),
     .default_text = "1",
     .minimum = 0,
     .maximum = 1024,
     .doc = "Threads that step them; 0: one for each processor. The results do not depend on it."},
    {.name = "total_steps",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_train_config, total_steps),
     .flags = WEIR_KEY_REQUIRED,
     .minimum = 1,
     .maximum = INFINITY,
     .unit = "steps",
     .doc = "Of all environments together; training ends with the first rollout that has as many."},
    {.name = "network",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_train_config, network),
     .table = &network_table,
     .doc = "The agent's network."},
    {.name = "ppo",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_train_config, ppo),
     .table = &weir_ppo_keys,
     .doc = "How it learns."},
    {.name = "normalise",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_train_config, normalise),
     .default_text = "{\"observations\": false, \"rewards\": false}",
     .table = &weir_normaliser_keys,
     .doc = "Running normalisation of observations and rewards; without this section there is "
            "none."},
    {.name = "evaluation",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_train_config, evaluation),
     .table = &evaluation_table,
     .doc = "How the agent is judged while it learns."},
    {.name = "checkpoint",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_train_config, checkpoint_interval),
     .table = &checkpoint_table,
     .doc = "When what is needed to go on is written."},
    {.name = "adapt",
     .type = WEIR_KEY_LIST,
     .offset = offsetof(weir_train_config, adapt),
     .table = &adapt_table,
     .doc = "Coefficients of the environment that follow a figure (dual ascent)."},
    {.name = "control",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_train_config, control),
     .default_text = "\"none\"",
     .choices = control_names,
     .doc = "shuffled_rewards: a negative control, which must not learn: the rewards of each "
            "rollout are permuted."},
    {.name = "strict",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_train_config, strict),
     .default_text = "true",
     .doc = "A step whose checks of integrity do not all hold stops the training; otherwise it is "
            "counted."},
};

static weir_status check_training(weir_keys_reader *reader, const char *path, void *object,
                                  weir_error *error)
{
	const weir_train_config *config = object;
	if (config->adapt.count > WEIR_MOST_ADAPTED) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "adapt"), error,
		                      "expected at most %d coefficients, got %zu", WEIR_MOST_ADAPTED,
		                      config->adapt.count);
	}
	return WEIR_OK;
}

const weir_key_table weir_train_keys = {
    .name = "training",
    .doc = "A training of an agent.",
    .size = sizeof(weir_train_config),
    .keys = train_keys,
    .key_count = sizeof train_keys / sizeof train_keys[0],
    .check = check_training,
};

/* --- loading -------------------------------------------------------------------------------- */

static const char *print(weir_arena *arena, const cJSON *json)
{
	char *text = weir_json_print(json);
	const char *kept = text != NULL ? weir_arena_string(arena, text) : NULL;
	free(text);
	return kept;
}

/* Puts the environment's parameters, with nothing left open, in the place of what the file says. */
static bool settle_environment(cJSON *resolved, const weir_train_environment *environment)
{
	cJSON *settled = cJSON_CreateObject();
	cJSON *parameters = cJSON_Parse(environment->parameters);
	bool added = cJSON_AddStringToObject(settled, "kind", environment->kind) != NULL &&
	             cJSON_AddItemToObject(settled, environment->kind, parameters);
	if (!added) {
		cJSON_Delete(parameters);
	}
	if (!added || !cJSON_ReplaceItemInObjectCaseSensitive(resolved, "environment", settled)) {
		cJSON_Delete(settled);
		return false;
	}
	return true;
}

/* config->text and config->summary. */
static weir_status keep_texts(weir_keys_reader *reader, const cJSON *root,
                              weir_train_config *config, weir_error *error)
{
	cJSON *resolved = weir_keys_resolve(reader, &weir_train_keys, root, "");
	if (resolved == NULL || !settle_environment(resolved, &config->environment)) {
		cJSON_Delete(resolved);
		return no_memory(error);
	}
	cJSON_DeleteItemFromObjectCaseSensitive(resolved, "threads");
	cJSON_DeleteItemFromObjectCaseSensitive(resolved, "checkpoint");
	config->text = print(config->arena, resolved);
	cJSON_DeleteItemFromObjectCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(resolved, "environment"), config->environment.kind);
	config->summary = print(config->arena, resolved);
	cJSON_Delete(resolved);
	return config->text != NULL && config->summary != NULL ? WEIR_OK : no_memory(error);
}

static weir_status load(const weir_document_options *options, weir_arena *arena,
                        weir_train_config *config, weir_error *error)
{
	weir_document *document = NULL;
	weir_status status = weir_document_load(options, arena, &document, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_keys_reader reader = weir_document_reader(document);
	const cJSON *root = weir_document_root(document);
	status = weir_keys_read(&reader, &weir_train_keys, root, "", config, error);
	config->arena = arena;
	config->name = weir_arena_string(arena, options->path != NULL ? options->path : "--set");
	if (status == WEIR_OK) {
		status = config->name != NULL ? keep_texts(&reader, root, config, error) : no_memory(error);
	}
	weir_document_destroy(document);
	return status;
}

weir_status weir_train_config_load(const weir_document_options *options,
                                   const weir_train_config **config, weir_error *error)
{
	*config = NULL;
	weir_arena *arena = weir_arena_create();
	weir_train_config *loaded =
	    arena != NULL ? weir_arena_allocate(arena, 1, sizeof *loaded) : NULL;
	weir_status status = loaded != NULL ? load(options, arena, loaded, error) : no_memory(error);
	if (status != WEIR_OK) {
		weir_arena_destroy(arena);
		return status;
	}
	*config = loaded;
	return WEIR_OK;
}

void weir_train_config_destroy(const weir_train_config *config)
{
	if (config != NULL) {
		weir_arena_destroy(config->arena);
	}
}

weir_actor_critic_shape weir_train_config_shape(const weir_train_config *config,
                                                size_t observation_size, const weir_space *action)
{
	const weir_train_network *network = &config->network;
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(observation_size, action);
	shape.layers = network->hidden.count;
	for (size_t i = 0; i < shape.layers; i++) {
		shape.hidden[i] = (size_t)((const double *)network->hidden.items)[i];
	}
	shape.shared_trunk = network->shared_trunk;
	shape.log_std = (float)network->log_std;
	return shape;
}
