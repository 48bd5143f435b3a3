#include "config/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "config/settings.h"

static const weir_key server_group_keys[] = {
    {.name = "sku",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_server_group, sku),
     .flags = WEIR_KEY_REQUIRED,
     .doc = "Name of a server SKU in hardware.servers."},
    {.name = "count",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_server_group, count),
     .default_text = "1",
     .minimum = 1,
     .maximum = WEIR_MOST_SERVERS,
     .unit = "servers",
     .doc = "How many of them."},
};

static const weir_key_table server_group_table = {
    .name = "servers",
    .doc = "Servers of one SKU.",
    .size = sizeof(weir_server_group),
    .keys = server_group_keys,
    .key_count = sizeof server_group_keys / sizeof server_group_keys[0],
};

/* Keeps what an application says of a section until the config's own is known. */
static weir_status keep_section(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                const char *path, void *field, weir_error *error)
{
	(void)reader, (void)key, (void)path, (void)error;
	*(const cJSON **)field = json;
	return WEIR_OK;
}

/* The keys that the config and each application have in common; `field` is their
 * deployment_settings. */
#define DEPLOYMENT_KEYS(type_, field_, model_doc)                                                  \
	{.name = "model",                                                                              \
	 .type = WEIR_KEY_STRING,                                                                      \
	 .offset = offsetof(type_, field_.model),                                                      \
	 .default_text = "\"\"",                                                                       \
	 .doc = model_doc},                                                                            \
	    {.name = "servers",                                                                        \
	     .type = WEIR_KEY_LIST,                                                                    \
	     .offset = offsetof(type_, field_.servers),                                                \
	     .table = &server_group_table,                                                             \
	     .read = weir_servers_read,                                                                \
	     .forms = "\"SKU:COUNT,SKU:COUNT\"",                                                       \
	     .doc = "The servers, in order; instances are numbered in this order."},                   \
	{                                                                                              \
		.name = "pools", .type = WEIR_KEY_CUSTOM, .offset = offsetof(type_, field_.pools),         \
		.default_text = "\"single\"", .read = weir_pools_read,                                     \
		.forms = "\"single\", \"prompt:SKU,token:SKU\", \"prompt:COUNT,token:COUNT\" or an "       \
		         "object {\"prompt\": SKU, list of SKUs or COUNT, \"token\": ..., \"mixed\": "     \
		         "...}",                                                                           \
		.doc = "Which servers serve prompts, tokens, or both. By SKU: all servers of it. By "      \
		       "count: the first so many servers, then the next. single: one pool of all."         \
	}

static const weir_key application_keys[] = {
    {.name = "name",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(application_settings, name),
     .flags = WEIR_KEY_REQUIRED,
     .doc = "What reports call it."},
    DEPLOYMENT_KEYS(application_settings, deployment,
                    "Name of a model in models; \"\": the config's own."),
    {.name = "instance",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(application_settings, instance),
     .read = keep_section,
     .table = &weir_instance_keys,
     .forms = "an object",
     .doc = "What differs from the config's instance section."},
    {.name = "scheduler",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(application_settings, scheduler),
     .read = keep_section,
     .table = &weir_scheduler_keys,
     .forms = "an object",
     .doc = "What differs from the config's scheduler section."},
};

static const weir_key_table application_table = {
    .name = "application",
    .doc = "One of several models that are served side by side.",
    .size = sizeof(application_settings),
    .keys = application_keys,
    .key_count = sizeof application_keys / sizeof application_keys[0],
};

static const weir_key config_keys[] = {
    {.name = "seed",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(settings, seed),
     .default_text = "1",
     .minimum = 0,
     .maximum = 9007199254740991.0,
     .doc = "Seed of every random stream of a run."},
    {.name = "trace",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.workload.trace),
     .table = &weir_trace_keys,
     .doc = "A trace of requests to replay."},
    {.name = "workload",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.workload.generation),
     .table = &weir_generation_keys,
     .doc = "Requests to generate where no trace is replayed."},
    {.name = "hardware",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.hardware),
     .table = &weir_hardware_keys,
     .doc = "GPUs, NICs and server SKUs by name; configs/hardware has some to include."},
    {.name = "models",
     .type = WEIR_KEY_MAP,
     .offset = offsetof(settings, config.models),
     .table = &weir_architecture_keys,
     .doc = "Model architectures by name; configs/models has some to include."},
    DEPLOYMENT_KEYS(settings, deployment, "Name of the model that is served, one of models."),
    {.name = "instance",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, instance),
     .table = &weir_instance_keys,
     .doc = "How every instance batches its work."},
    {.name = "scheduler",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, scheduler),
     .table = &weir_scheduler_keys,
     .doc = "Which instances a request goes to."},
    {.name = "applications",
     .type = WEIR_KEY_LIST,
     .offset = offsetof(settings, applications),
     .table = &application_table,
     .doc =
         "Several applications in one cluster, each with servers of its own; the trace says which "
         "a "
         "request is for, by its place in this list. Without them the config is one application."},
    {.name = "network",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.network),
     .table = &weir_network_keys,
     .doc = "What KV-cache transfers share."},
    {.name = "execution_time",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.execution_time),
     .table = &weir_execution_time_keys,
     .doc = "How long an iteration takes."},
    {.name = "slo",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.slo),
     .table = &weir_slo_keys,
     .doc = "Service-level objectives."},
    {.name = "sampling",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.sampling),
     .table = &weir_sampling_keys,
     .doc = "What is measured between the requests."},
    {.name = "record",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.record),
     .table = &weir_record_keys,
     .doc = "What is written to the run's file."},
    {.name = "scaling",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.scaling),
     .table = &weir_scaling_keys,
     .doc = "How instances start, drain and change pools, and how many there may be."},
    {.name = "policies",
     .type = WEIR_KEY_LIST,
     .offset = offsetof(settings, config.policies),
     .table = &weir_policy_keys,
     .read = config_read_policies,
     .forms = "\"KIND\"",
     .doc = "What sizes the pools, each at its own interval. \"KIND\" is one policy for every "
            "pool, with its defaults."},
    {.name = "control",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.control),
     .table = &weir_control_keys,
     .doc = "How late and how exactly policies see, and how late their decisions act."},
    {.name = "faults",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.faults),
     .table = &weir_faults_keys,
     .doc = "What goes wrong with instances and servers; nothing by default."},
    {.name = "family",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(settings, config.family),
     .table = &weir_family_keys,
     .doc = "How the replications of a study differ from each other."},
};

/* Refuses a name of the slo section that no catalogue has. */
static weir_status check_slo(weir_keys_reader *reader, const weir_config *config, weir_error *error)
{
	const char *model = config->slo.reference_model;
	if (model[0] != '\0' && weir_models_find(&config->models, model) == NULL) {
		return config_fail_unknown(reader, "slo.reference_model", "model", model, &config->models,
		                           sizeof(weir_architecture), error);
	}
	if (weir_hardware_gpu(&config->hardware, config->slo.reference_gpu) == NULL) {
		return config_fail_unknown(reader, "slo.reference_gpu", "GPU", config->slo.reference_gpu,
		                           &config->hardware.gpus, sizeof(weir_gpu), error);
	}
	return WEIR_OK;
}

static weir_status check_config(weir_keys_reader *reader, const char *path, void *object,
                                weir_error *error)
{
	(void)path;
	settings *all = object;
	all->config.seed = (uint64_t)all->seed;
	if (all->config.family.seed == 0) {
		all->config.family.seed = all->seed;
	}
	weir_status status = config_deploy(reader, all, error);
	if (status == WEIR_OK) {
		status = check_slo(reader, &all->config, error);
	}
	return status == WEIR_OK ? config_check_scaling(reader, &all->config, error) : status;
}

const weir_key_table weir_config_keys = {
    .name = "config",
    .doc = "The config of a run.",
    .size = sizeof(settings),
    .keys = config_keys,
    .key_count = sizeof config_keys / sizeof config_keys[0],
    .check = check_config,
};

/* A config with what it points to. */
typedef struct loaded_config {
	settings all; /* first: a weir_config * is its address */
	weir_arena *arena;
	weir_document *document;
} loaded_config;

weir_status weir_config_load(const weir_document_options *options, const weir_config **config,
                             weir_error *error)
{
	*config = NULL;
	loaded_config *loaded = weir_allocate(1, sizeof *loaded);
	weir_arena *arena = weir_arena_create();
	if (loaded == NULL || arena == NULL) {
		free(loaded);
		weir_arena_destroy(arena);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the config");
	}
	loaded->arena = arena;
	weir_status status = weir_document_load(options, arena, &loaded->document, error);
	if (status == WEIR_OK) {
		weir_keys_reader reader = weir_document_reader(loaded->document);
		status = weir_keys_read(&reader, &weir_config_keys, weir_document_root(loaded->document),
		                        "", &loaded->all, error);
	}
	if (status != WEIR_OK) {
		weir_config_destroy(&loaded->all.config);
		return status;
	}
	*config = &loaded->all.config;
	return WEIR_OK;
}

/* Loads the config with a shape laid between its files and options->sets. */
static weir_status load_shaped(const weir_document_options *options, const weir_family_shape *shape,
                               const weir_config **config, weir_error *error)
{
	weir_document_options shaped = *options;
	shaped.said = (weir_document_said){.origin = shape->origin,
	                                   .directory = shape->directory,
	                                   .sets = shape->sets,
	                                   .count = shape->count};
	weir_error found = {0};
	weir_status status = weir_config_load(&shaped, config, &found);
	if (status == WEIR_ERROR_INPUT &&
	    strncmp(found.where, shape->origin, strlen(shape->origin)) != 0) {
		/* What another file says is wrong only now. */
		return weir_error_set(error, status, found.where, "%s (with %s)", found.message,
		                      shape->origin);
	}
	if (status != WEIR_OK && error != NULL) {
		*error = found;
	}
	return status;
}

weir_status weir_config_check_family(const weir_document_options *options, weir_error *error)
{
	const weir_config *base = NULL;
	weir_status status = weir_config_load(options, &base, error);
	for (size_t i = 0; status == WEIR_OK && i < base->family.shapes.count; i++) {
		const weir_config *shaped = NULL;
		status = load_shaped(options, weir_family_shape_of(&base->family, i), &shaped, error);
		weir_config_destroy(shaped);
	}
	weir_config_destroy(base);
	return status;
}

weir_status weir_config_load_member(const weir_document_options *options, uint64_t replication,
                                    const weir_config **config, weir_error *error)
{
	*config = NULL;
	const weir_config *base = NULL;
	weir_status status = weir_config_load(options, &base, error);
	if (status != WEIR_OK) {
		return status;
	}
	enum { OWN_SETS = 2, LONGEST_SET = 48 };
	char own[OWN_SETS][LONGEST_SET];
	/* The family's seed as well, since without one it is the seed that is being replaced. */
	snprintf(own[0], LONGEST_SET, "family.seed=%" PRId64, base->family.seed);
	snprintf(own[1], LONGEST_SET, "seed=%" PRIu64, weir_family_seed(&base->family, replication));
	const char **sets = weir_allocate(options->set_count + OWN_SETS, sizeof *sets);
	if (sets == NULL) {
		weir_config_destroy(base);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the config");
	}
	for (size_t i = 0; i < options->set_count; i++) {
		sets[i] = options->sets[i];
	}
	for (size_t i = 0; i < OWN_SETS; i++) {
		sets[options->set_count + i] = own[i];
	}
	weir_document_options member = *options;
	member.sets = sets;
	member.set_count = options->set_count + OWN_SETS;
	const weir_family_shape *shape = weir_family_shape_of(&base->family, replication);
	status = shape != NULL ? load_shaped(&member, shape, config, error)
	                       : weir_config_load(&member, config, error);
	free(sets);
	weir_config_destroy(base);
	return status;
}

void weir_config_destroy(const weir_config *config)
{
	if (config != NULL) {
		loaded_config *loaded = (loaded_config *)(uintptr_t)config;
		weir_document_destroy(loaded->document);
		weir_arena_destroy(loaded->arena);
		free(loaded);
	}
}

static weir_status try_target(const weir_config *config, const weir_execution_target *target,
                              weir_error *error)
{
	weir_execution_time *time = NULL;
	weir_status status = weir_execution_time_create(&config->execution_time, target, &time, error);
	weir_execution_time_destroy(time);
	return status;
}

static weir_status try_application(const weir_config *config,
                                   const weir_config_application *application, weir_error *error)
{
	const weir_server_sku *tried = NULL;
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < application->server_count + application->more_sku_count; i++) {
		const weir_server_sku *sku = i < application->server_count
		                                 ? application->servers[i].sku
		                                 : application->more_skus[i - application->server_count];
		if (sku == tried) { /* servers of one SKU mostly stand together */
			continue;
		}
		tried = sku;
		weir_execution_target target = {.architecture = application->model,
		                                .gpu = weir_hardware_gpu(&config->hardware, sku->gpu),
		                                .tensor_parallel = application->instance.tensor_parallel};
		status = try_target(config, &target, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	const weir_slo_config *slo = &config->slo;
	weir_execution_target reference = {
	    .architecture = slo->reference_model[0] != '\0'
	                        ? weir_models_find(&config->models, slo->reference_model)
	                        : application->model,
	    .gpu = weir_hardware_gpu(&config->hardware, slo->reference_gpu),
	    .tensor_parallel = slo->reference_tensor_parallel};
	return try_target(config, &reference, error);
}

weir_status weir_config_open_workload(const weir_config *config, weir_source **source,
                                      weir_error *error)
{
	weir_error found = {0};
	weir_status status = weir_workload_open(&config->workload, config->seed, source, &found);
	if (status == WEIR_ERROR_INPUT &&
	    (strcmp(found.where, "workload") == 0 || strcmp(found.where, "trace.path") == 0)) {
		weir_keys_reader reader = weir_document_reader(((const loaded_config *)config)->document);
		return weir_keys_fail(&reader, found.where, error, "%s", found.message);
	}
	if (status != WEIR_OK && error != NULL) {
		*error = found;
	}
	return status;
}

static weir_status try_workload(const weir_config *config, weir_error *error)
{
	const char *path = config->workload.trace.path;
	if (!weir_workload_is_generated(&config->workload) && strcmp(path, "-") == 0) {
		return WEIR_OK;
	}
	weir_source *source = NULL;
	weir_status status = weir_config_open_workload(config, &source, error);
	weir_source_destroy(source);
	return status;
}

weir_status weir_config_check_files(const weir_config *config, weir_error *error)
{
	weir_status status = try_workload(config, error);
	for (size_t i = 0; i < config->application_count && status == WEIR_OK; i++) {
		status = try_application(config, &config->applications[i], error);
	}
	return status;
}

char *weir_config_print(const weir_config *config)
{
	const loaded_config *loaded = (const loaded_config *)config;
	weir_keys_reader reader = weir_document_reader(loaded->document);
	cJSON *resolved =
	    weir_keys_resolve(&reader, &weir_config_keys, weir_document_root(loaded->document), "");
	char *text = resolved != NULL ? weir_json_print(resolved) : NULL;
	cJSON_Delete(resolved);
	return text;
}
