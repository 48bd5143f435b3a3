#include "cli/info_archive.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/cli.h"
#include "record/archive.h"
#include "rl/agent.h"

enum { SHAPE_SIZE = 128 };

/* --- the tree --- */

/* JSON has no infinities: they become null. */
static void add_bound(cJSON *object, const char *name, float bound)
{
	if (isfinite(bound)) {
		cJSON_AddNumberToObject(object, name, (double)bound);
	} else {
		cJSON_AddNullToObject(object, name);
	}
}

static void add_space(cJSON *into, const char *name, const weir_space *space)
{
	cJSON *object = cJSON_AddObjectToObject(into, name);
	cJSON_AddStringToObject(object, "kind", weir_space_kinds[space->kind]);
	cJSON *dimensions = cJSON_AddArrayToObject(object, "dimensions");
	for (size_t i = 0; i < space->size; i++) {
		const weir_dimension *dimension = &space->dimensions[i];
		cJSON *item = cJSON_CreateObject();
		cJSON_AddStringToObject(item, "name", dimension->name);
		cJSON_AddStringToObject(item, "unit", dimension->unit);
		if (space->kind == WEIR_SPACE_BOX) {
			add_bound(item, "low", dimension->low);
			add_bound(item, "high", dimension->high);
		} else {
			cJSON_AddNumberToObject(item, "choices", dimension->choices);
		}
		cJSON_AddItemToArray(dimensions, item);
	}
}

/* JSON that the agent keeps as a text, as a part of the tree. */
static void add_json(cJSON *into, const char *name, const char *text)
{
	cJSON *parsed = cJSON_Parse(text);
	if (parsed != NULL) {
		cJSON_AddItemToObject(into, name, parsed);
	} else {
		cJSON_AddStringToObject(into, name, text);
	}
}

static void add_agent(cJSON *root, const weir_agent *agent)
{
	cJSON *into = cJSON_AddObjectToObject(root, "agent");
	cJSON_AddStringToObject(into, "environment", agent->environment);
	add_json(into, "parameters", agent->parameters);
	add_json(into, "origin", agent->origin);
	add_space(into, "observation", &agent->observation);
	add_space(into, "action", &agent->action);
	const weir_actor_critic_shape *shape = weir_actor_critic_shape_of(agent->network);
	cJSON *network = cJSON_AddObjectToObject(into, "network");
	cJSON *hidden = cJSON_AddArrayToObject(network, "hidden");
	for (size_t i = 0; i < shape->layers; i++) {
		cJSON_AddItemToArray(hidden, cJSON_CreateNumber((double)shape->hidden[i]));
	}
	cJSON_AddBoolToObject(network, "shared_trunk", shape->shared_trunk);
	cJSON_AddNumberToObject(network, "parameters",
	                        (double)weir_actor_critic_parameter_count(agent->network));
	if (agent->normaliser != NULL) {
		cJSON *normaliser = cJSON_AddObjectToObject(into, "normaliser");
		cJSON_AddBoolToObject(normaliser, "observations", agent->normaliser->config.observations);
		cJSON_AddBoolToObject(normaliser, "rewards", agent->normaliser->config.rewards);
		cJSON_AddNumberToObject(normaliser, "observations_seen", floor(agent->normaliser->count));
	} else {
		cJSON_AddNullToObject(into, "normaliser");
	}
}

static bool add_item(void *context, const weir_archive_item *item)
{
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, "name", item->name);
	cJSON_AddStringToObject(object, "type",
	                        item->is_text ? "text" : weir_archive_type_name(item->type));
	cJSON *shape = cJSON_AddArrayToObject(object, "shape");
	for (size_t i = 0; i < item->rank; i++) {
		cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)item->extents[i]));
	}
	cJSON_AddStringToObject(object, "units", item->unit);
	cJSON_AddStringToObject(object, "description", item->description);
	cJSON_AddItemToArray(context, object);
	return true;
}

static weir_status build(const char *path, cJSON *root, weir_error *error)
{
	weir_archive *archive = NULL;
	uint32_t version = 0;
	weir_status status = weir_archive_open(path, NULL, 0, &version, &archive, error);
	if (status != WEIR_OK) {
		return status;
	}
	cJSON_AddStringToObject(root, "file", path);
	cJSON_AddStringToObject(root, "format", weir_archive_format(archive));
	cJSON_AddNumberToObject(root, "version", version);
	weir_agent *agent = NULL;
	if (weir_agent_in(archive) != NULL) {
		status = weir_agent_get(archive, weir_agent_in(archive), &agent, error);
	}
	if (status == WEIR_OK && agent != NULL) {
		add_agent(root, agent);
	}
	if (status == WEIR_OK) {
		cJSON *arrays = cJSON_AddArrayToObject(root, "arrays");
		status = weir_archive_items(archive, add_item, arrays, error);
	}
	weir_agent_destroy(agent);
	weir_archive_close(archive);
	return status;
}

/* --- the text --- */

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
	return text != NULL ? text : "";
}

static void print_bound(const cJSON *bound, const char *otherwise)
{
	if (cJSON_IsNumber(bound)) {
		printf("%.6g", bound->valuedouble);
	} else {
		printf("%s", otherwise);
	}
}

static void print_space(const cJSON *agent, const char *name)
{
	const cJSON *space = cJSON_GetObjectItem(agent, name);
	const cJSON *dimensions = cJSON_GetObjectItem(space, "dimensions");
	printf("\n%s: %s of %d\n", name, text_of(space, "kind"), cJSON_GetArraySize(dimensions));
	const cJSON *dimension;
	cJSON_ArrayForEach(dimension, dimensions)
	{
		const cJSON *choices = cJSON_GetObjectItem(dimension, "choices");
		printf("  %-32s %-10s ", text_of(dimension, "name"), text_of(dimension, "unit"));
		if (choices != NULL) {
			printf("0 to %.0f", choices->valuedouble - 1.0);
		} else {
			print_bound(cJSON_GetObjectItem(dimension, "low"), "-inf");
			printf(" to ");
			print_bound(cJSON_GetObjectItem(dimension, "high"), "inf");
		}
		puts("");
	}
}

static void print_json_line(const char *label, const cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);
	printf("  %-20s %s\n", label, text != NULL ? text : "");
	cJSON_free(text);
}

static void print_agent(const cJSON *agent)
{
	const cJSON *network = cJSON_GetObjectItem(agent, "network");
	const cJSON *normaliser = cJSON_GetObjectItem(agent, "normaliser");
	printf("  %-20s %s\n", "environment", text_of(agent, "environment"));
	print_json_line("parameters", cJSON_GetObjectItem(agent, "parameters"));
	print_json_line("origin", cJSON_GetObjectItem(agent, "origin"));
	print_json_line("hidden layers", cJSON_GetObjectItem(network, "hidden"));
	printf("  %-20s %s\n", "shared trunk",
	       cJSON_IsTrue(cJSON_GetObjectItem(network, "shared_trunk")) ? "yes" : "no");
	printf("  %-20s %.0f\n", "numbers learned",
	       cJSON_GetNumberValue(cJSON_GetObjectItem(network, "parameters")));
	if (cJSON_IsObject(normaliser)) {
		printf("  %-20s observations %s, rewards %s; %.0f seen\n", "normalised",
		       cJSON_IsTrue(cJSON_GetObjectItem(normaliser, "observations")) ? "yes" : "no",
		       cJSON_IsTrue(cJSON_GetObjectItem(normaliser, "rewards")) ? "yes" : "no",
		       cJSON_GetNumberValue(cJSON_GetObjectItem(normaliser, "observations_seen")));
	} else {
		printf("  %-20s no\n", "normalised");
	}
	print_space(agent, "observation");
	print_space(agent, "action");
}

static const char *shape_text(const cJSON *shape, char buffer[SHAPE_SIZE])
{
	size_t used = 0;
	const cJSON *extent;
	buffer[0] = '\0';
	cJSON_ArrayForEach(extent, shape)
	{
		used += (size_t)snprintf(buffer + used, SHAPE_SIZE - used, used > 0 ? " x %.0f" : "%.0f",
		                         extent->valuedouble);
	}
	return buffer;
}

static void print_text(const cJSON *root)
{
	printf("%s\n  %-20s %s, version %.0f\n", text_of(root, "file"), "format",
	       text_of(root, "format"), cJSON_GetNumberValue(cJSON_GetObjectItem(root, "version")));
	const cJSON *agent = cJSON_GetObjectItem(root, "agent");
	if (agent != NULL) {
		print_agent(agent);
	}
	puts("\narrays");
	const cJSON *array;
	cJSON_ArrayForEach(array, cJSON_GetObjectItem(root, "arrays"))
	{
		char shape[SHAPE_SIZE];
		printf("  %-56s %-7s %-10s %-6s %s\n", text_of(array, "name"), text_of(array, "type"),
		       shape_text(cJSON_GetObjectItem(array, "shape"), shape), text_of(array, "units"),
		       text_of(array, "description"));
	}
}

int cli_info_archive(const char *path, bool json)
{
	weir_error error;
	cJSON *root = cJSON_CreateObject();
	weir_status status = build(path, root, &error);
	if (status == WEIR_OK && json) {
		char *text = weir_json_print(root);
		if (text != NULL) {
			fputs(text, stdout);
		} else {
			status = weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory");
		}
		free(text);
	} else if (status == WEIR_OK) {
		print_text(root);
	}
	cJSON_Delete(root);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}
