/* What the scaling sections say, against the cluster that it is said of. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config/settings.h"

weir_status config_read_policies(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                 const char *path, void *field, weir_error *error)
{
	weir_policy_config *policy = weir_arena_allocate(reader->arena, 1, sizeof *policy);
	cJSON *long_form = cJSON_CreateObject();
	cJSON *kind = cJSON_CreateStringReference(json->valuestring);
	if (policy == NULL || long_form == NULL || kind == NULL ||
	    !cJSON_AddItemToObject(long_form, "kind", kind)) {
		cJSON_Delete(long_form);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the config");
	}
	weir_status status = weir_keys_read(reader, key->table, long_form, path, policy, error);
	cJSON_Delete(long_form);
	*(weir_key_list *)field = (weir_key_list){1, policy};
	return status;
}

/* How many instances of each tag an application has at the start. */
static void count_instances(const weir_config_application *application,
                            int64_t counts[WEIR_TAG_COUNT])
{
	memset(counts, 0, WEIR_TAG_COUNT * sizeof *counts);
	for (size_t s = 0; s < application->server_count; s++) {
		const weir_config_server *server = &application->servers[s];
		counts[server->tag] += server->sku->gpu_count / application->instance.tensor_parallel;
	}
}

static const weir_config_application *find_application(const weir_config *config, const char *name)
{
	if (name[0] == '\0') {
		return &config->applications[0];
	}
	for (size_t a = 0; a < config->application_count; a++) {
		if (strcmp(config->applications[a].name, name) == 0) {
			return &config->applications[a];
		}
	}
	return NULL;
}

static weir_status fail_application(weir_keys_reader *reader, const char *path,
                                    const weir_config *config, const char *name, weir_error *error)
{
	const char **names =
	    weir_arena_allocate(reader->arena, config->application_count, sizeof *names);
	if (names == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file, "no memory for the config");
	}
	for (size_t a = 0; a < config->application_count; a++) {
		names[a] = config->applications[a].name;
	}
	return weir_keys_fail_unknown(reader, path, "application", name, names,
	                              config->application_count, error);
}

static weir_status check_policy(weir_keys_reader *reader, const weir_config *config, size_t number,
                                weir_error *error)
{
	const weir_policy_config *policy =
	    &((const weir_policy_config *)config->policies.items)[number];
	const char *path = weir_arena_format(reader->arena, "policies[%zu]", number);
	if (path == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, reader->file, "no memory for the config");
	}
	const weir_config_application *application = find_application(config, policy->application);
	if (application == NULL) {
		return fail_application(reader, weir_keys_path(reader, path, "application"), config,
		                        policy->application, error);
	}
	if (policy->pool[0] == '\0') {
		return WEIR_OK;
	}
	const char *pool_path = weir_keys_path(reader, path, "pool");
	int tag = 0;
	while (weir_tag_names[tag] != NULL && strcmp(weir_tag_names[tag], policy->pool) != 0) {
		tag++;
	}
	if (weir_tag_names[tag] == NULL) {
		return weir_keys_fail_unknown(reader, pool_path, "pool", policy->pool, weir_tag_names,
		                              WEIR_TAG_COUNT, error);
	}
	int64_t counts[WEIR_TAG_COUNT];
	count_instances(application, counts);
	if (counts[tag] == 0) {
		return weir_keys_fail(reader, pool_path, error,
		                      "the cluster has no %s pool at the start; a policy cannot size it",
		                      policy->pool);
	}
	return WEIR_OK;
}

/* The start state within the limits, where anything may scale. */
static weir_status check_limits(weir_keys_reader *reader, const weir_config *config,
                                weir_error *error)
{
	int64_t total = 0;
	int64_t pools = 0;
	for (size_t a = 0; a < config->application_count; a++) {
		int64_t counts[WEIR_TAG_COUNT];
		count_instances(&config->applications[a], counts);
		for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			total += counts[tag];
			pools += counts[tag] > 0;
		}
	}
	const weir_scaling_config *scaling = &config->scaling;
	if (total > scaling->max_total_instances) {
		return weir_keys_fail(reader, "scaling.max_total_instances", error,
		                      "%lld, but the cluster starts with %lld instances",
		                      (long long)scaling->max_total_instances, (long long)total);
	}
	if (pools * scaling->min_instances_per_pool > scaling->max_total_instances) {
		return weir_keys_fail(reader, "scaling.min_instances_per_pool", error,
		                      "%lld in each of %lld pools is more than "
		                      "scaling.max_total_instances, %lld",
		                      (long long)scaling->min_instances_per_pool, (long long)pools,
		                      (long long)scaling->max_total_instances);
	}
	return WEIR_OK;
}

weir_status config_check_scaling(weir_keys_reader *reader, const weir_config *config,
                                 weir_error *error)
{
	weir_status status = WEIR_OK;
	for (size_t i = 0; i < config->policies.count && status == WEIR_OK; i++) {
		status = check_policy(reader, config, i, error);
	}
	if (status == WEIR_OK && config->policies.count > 0) {
		status = check_limits(reader, config, error);
	}
	return status;
}
