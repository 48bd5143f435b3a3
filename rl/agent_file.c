/* Agents in archives. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/agent.h"
#include "rl/agent_file.h"

/* --- texts --- */

typedef struct kept_text {
	const char *name, *description;
	size_t offset; /* in the agent, of a char * */
} kept_text;

static const kept_text texts[] = {
    {"environment", "The kind of environment it acts in.", offsetof(weir_agent, environment)},
    {"parameters", "Of that environment, JSON.", offsetof(weir_agent, parameters)},
    {"origin", "How it came to be, JSON.", offsetof(weir_agent, origin)}};

enum { TEXT_COUNT = sizeof texts / sizeof texts[0] };

static char *const *text_of(const weir_agent *agent, const kept_text *text)
{
	return (char *const *)(const void *)((const char *)agent + text->offset);
}

/* --- the network --- */

bool weir_agent_tensor_is_weight(const weir_tensor *tensor)
{
	static const char end[] = ".weight";
	size_t length = strlen(tensor->name);
	return length >= strlen(end) && strcmp(tensor->name + length - strlen(end), end) == 0;
}

/* Weights are [in][out], the rest lists. */
static size_t tensor_extents(const weir_tensor *tensor, size_t extents[2])
{
	bool weight = weir_agent_tensor_is_weight(tensor);
	extents[0] = weight ? tensor->rows : tensor->cols;
	extents[1] = tensor->cols;
	return weight ? 2 : 1;
}

static const char *tensor_description(const weir_tensor *tensor)
{
	return weir_agent_tensor_is_weight(tensor) ? "Weights of a layer, [in][out]."
	       : strcmp(tensor->name, "log_std") == 0
	           ? "Logarithms of the actions' standard deviations."
	           : "Biases of a layer.";
}

static weir_status put_network(weir_archive_writer *archive, const char *group,
                               const weir_actor_critic *network, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	const weir_actor_critic_shape *shape = weir_actor_critic_shape_of(network);
	int64_t hidden[WEIR_MOST_LAYERS];
	for (size_t i = 0; i < shape->layers; i++) {
		hidden[i] = (int64_t)shape->hidden[i];
	}
	const uint8_t shared = shape->shared_trunk;
	weir_status status =
	    weir_archive_put(archive, weir_agent_path(name, group, "hidden"), WEIR_ARCHIVE_INT64, 1,
	                     &shape->layers, hidden, "", "Units of each hidden layer.", error);
	if (status == WEIR_OK) {
		status = weir_archive_put(archive, weir_agent_path(name, group, "shared_trunk"),
		                          WEIR_ARCHIVE_UINT8, 0, NULL, &shared, "",
		                          "1: policy and value share the hidden layers.", error);
	}
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	const float *parameters = weir_actor_critic_parameters_const(network);
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		size_t extents[2];
		size_t rank = tensor_extents(&tensors[i], extents);
		status = weir_archive_put(archive, weir_agent_path(name, group, "%s", tensors[i].name),
		                          WEIR_ARCHIVE_FLOAT, rank, extents, parameters + tensors[i].offset,
		                          "", tensor_description(&tensors[i]), error);
	}
	return status;
}

static weir_status get_shape(const weir_archive *archive, const char *group,
                             weir_actor_critic_shape *shape, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	size_t rank = 0;
	size_t extents[WEIR_ARCHIVE_MOST_RANK];
	int64_t hidden[WEIR_MOST_LAYERS];
	uint8_t shared = 0;
	weir_agent_path(name, group, "hidden");
	weir_status status =
	    weir_archive_shape(archive, name, WEIR_ARCHIVE_INT64, &rank, extents, error);
	if (status == WEIR_OK && (rank != 1 || extents[0] > WEIR_MOST_LAYERS)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
		                      "%s is no list of at most %d numbers", name, WEIR_MOST_LAYERS);
	}
	if (status == WEIR_OK) {
		status = weir_archive_get(archive, name, WEIR_ARCHIVE_INT64, 1, extents, hidden, error);
	}
	if (status == WEIR_OK) {
		status = weir_archive_get(archive, weir_agent_path(name, group, "shared_trunk"),
		                          WEIR_ARCHIVE_UINT8, 0, NULL, &shared, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	*shape = (weir_actor_critic_shape){.layers = extents[0], .shared_trunk = shared != 0};
	for (size_t i = 0; i < shape->layers; i++) {
		/* A negative number becomes too large a one, which the network refuses. */
		shape->hidden[i] = (size_t)hidden[i];
	}
	return WEIR_OK;
}

static weir_status get_parameters(const weir_archive *archive, const char *group,
                                  weir_actor_critic *network, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	float *parameters = weir_actor_critic_parameters(network);
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		size_t extents[2];
		size_t rank = tensor_extents(&tensors[i], extents);
		status = weir_archive_get(archive, weir_agent_path(name, group, "%s", tensors[i].name),
		                          WEIR_ARCHIVE_FLOAT, rank, extents, parameters + tensors[i].offset,
		                          error);
	}
	return status;
}

/* --- the normaliser --- */

typedef struct kept_array {
	const char *name;
	weir_archive_type type;
	size_t rank; /* 1: as long as an observation */
	void *values;
	const char *description;
} kept_array;

enum { NORMALISER_ARRAYS = 12 };

/* What is kept of a normaliser. It is written to where it was made for reading. */
static void list_arrays(const weir_normaliser *normaliser, uint8_t switches[2],
                        kept_array arrays[NORMALISER_ARRAYS])
{
	weir_normaliser *n = (weir_normaliser *)normaliser;
	const kept_array all[NORMALISER_ARRAYS] = {
	    {"observations", WEIR_ARCHIVE_UINT8, 0, &switches[0], "1: observations are normalised."},
	    {"rewards", WEIR_ARCHIVE_UINT8, 0, &switches[1], "1: rewards are scaled."},
	    {"clip_observation", WEIR_ARCHIVE_DOUBLE, 0, &n->config.clip_observation,
	     "Greatest size of a normalised observation."},
	    {"clip_reward", WEIR_ARCHIVE_DOUBLE, 0, &n->config.clip_reward,
	     "Greatest size of a scaled reward."},
	    {"gamma", WEIR_ARCHIVE_DOUBLE, 0, &n->config.gamma,
	     "Discount of the return whose variance scales rewards."},
	    {"epsilon", WEIR_ARCHIVE_DOUBLE, 0, &n->config.epsilon,
	     "Is added to variances before the root is taken."},
	    {"mean", WEIR_ARCHIVE_DOUBLE, 1, n->mean, "Of the observations."},
	    {"variance", WEIR_ARCHIVE_DOUBLE, 1, n->variance, "Of the observations."},
	    {"count", WEIR_ARCHIVE_DOUBLE, 0, &n->count, "Observations seen, and 1e-4."},
	    {"return_mean", WEIR_ARCHIVE_DOUBLE, 0, &n->return_mean, "Of the discounted returns."},
	    {"return_variance", WEIR_ARCHIVE_DOUBLE, 0, &n->return_variance,
	     "Of the discounted returns."},
	    {"return_count", WEIR_ARCHIVE_DOUBLE, 0, &n->return_count, "Returns seen, and 1e-4."}};
	memcpy(arrays, all, sizeof all);
}

static weir_status put_normaliser(weir_archive_writer *archive, const char *group,
                                  const weir_normaliser *normaliser, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	uint8_t switches[2] = {normaliser->config.observations, normaliser->config.rewards};
	kept_array arrays[NORMALISER_ARRAYS];
	list_arrays(normaliser, switches, arrays);
	weir_status status = WEIR_OK;
	for (int i = 0; status == WEIR_OK && i < NORMALISER_ARRAYS; i++) {
		const kept_array *array = &arrays[i];
		status = weir_archive_put(archive, weir_agent_path(name, group, "%s", array->name),
		                          array->type, array->rank, &normaliser->size, array->values, "",
		                          array->description, error);
	}
	return status;
}

static weir_status check_normaliser(const weir_archive *archive, const char *group,
                                    const weir_normaliser *normaliser, weir_error *error)
{
	const weir_normaliser_config *config = &normaliser->config;
	bool positive = config->clip_observation > 0.0 && config->clip_reward > 0.0 &&
	                config->epsilon > 0.0 && normaliser->count > 0.0 &&
	                normaliser->return_count > 0.0 && normaliser->return_variance >= 0.0;
	for (size_t i = 0; i < normaliser->size; i++) {
		positive = positive && normaliser->variance[i] >= 0.0;
	}
	return positive ? WEIR_OK
	                : weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
	                                 "%s: clips, epsilon and counts must be above 0, and no "
	                                 "variance below",
	                                 group);
}

static weir_status get_normaliser(const weir_archive *archive, const char *group, size_t size,
                                  weir_normaliser **normaliser, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	weir_normaliser_config config = weir_normaliser_config_default();
	*normaliser = weir_normaliser_create(&config, size, 1);
	if (*normaliser == NULL) {
		return weir_agent_no_memory(error);
	}
	uint8_t switches[2] = {0};
	kept_array arrays[NORMALISER_ARRAYS];
	list_arrays(*normaliser, switches, arrays);
	weir_status status = WEIR_OK;
	for (int i = 0; status == WEIR_OK && i < NORMALISER_ARRAYS; i++) {
		const kept_array *array = &arrays[i];
		status = weir_archive_get(archive, weir_agent_path(name, group, "%s", array->name),
		                          array->type, array->rank, &size, array->values, error);
	}
	(*normaliser)->config.observations = switches[0] != 0;
	(*normaliser)->config.rewards = switches[1] != 0;
	return status == WEIR_OK ? check_normaliser(archive, group, *normaliser, error) : status;
}

/* --- the whole --- */

weir_status weir_agent_put(const weir_agent *agent, weir_archive_writer *archive, const char *group,
                           weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	const int64_t version = WEIR_AGENT_VERSION;
	weir_status status =
	    weir_archive_put(archive, weir_agent_path(name, group, "version"), WEIR_ARCHIVE_INT64, 0,
	                     NULL, &version, "", "Of what stands in this group.", error);
	for (int i = 0; status == WEIR_OK && i < TEXT_COUNT; i++) {
		status = weir_archive_put_text(archive, weir_agent_path(name, group, "%s", texts[i].name),
		                               *text_of(agent, &texts[i]), texts[i].description, error);
	}
	if (status == WEIR_OK) {
		status = weir_agent_space_put(archive, weir_agent_path(name, group, "observation"),
		                              &agent->observation, error);
	}
	if (status == WEIR_OK) {
		status = weir_agent_space_put(archive, weir_agent_path(name, group, "action"),
		                              &agent->action, error);
	}
	if (status == WEIR_OK) {
		status =
		    put_network(archive, weir_agent_path(name, group, "network"), agent->network, error);
	}
	if (status == WEIR_OK && agent->normaliser != NULL) {
		status = put_normaliser(archive, weir_agent_path(name, group, "normaliser"),
		                        agent->normaliser, error);
	}
	return status;
}

static weir_status check_version(const weir_archive *archive, const char *group, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	int64_t version = 0;
	weir_status status = weir_archive_get(archive, weir_agent_path(name, group, "version"),
	                                      WEIR_ARCHIVE_INT64, 0, NULL, &version, error);
	if (status == WEIR_OK && version != WEIR_AGENT_VERSION) {
		status = weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
		                        "%s is an agent of version %" PRId64 "; this weir reads version "
		                        "%d: use the weir that wrote it",
		                        group, version, WEIR_AGENT_VERSION);
	}
	return status;
}

/* The agent with a fresh network of the shape that was kept. */
static weir_status get_frame(const weir_archive *archive, const char *group, char *const *kept,
                             weir_agent **agent, weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	weir_agent_space observation = {.names = NULL};
	weir_agent_space action = {.names = NULL};
	weir_actor_critic_shape shape;
	weir_status status = weir_agent_space_get(archive, weir_agent_path(name, group, "observation"),
	                                          &observation, error);
	if (status == WEIR_OK) {
		status =
		    weir_agent_space_get(archive, weir_agent_path(name, group, "action"), &action, error);
	}
	if (status == WEIR_OK) {
		status = get_shape(archive, weir_agent_path(name, group, "network"), &shape, error);
	}
	if (status == WEIR_OK) {
		status = weir_agent_create(kept[0], kept[1], &observation.space, &action.space, &shape, 0,
		                           agent, error);
		if (status == WEIR_ERROR_INPUT && error != NULL) {
			snprintf(error->where, sizeof error->where, "%s", weir_archive_path(archive));
		}
	}
	weir_agent_space_free(&observation);
	weir_agent_space_free(&action);
	return status;
}

static weir_status get_rest(const weir_archive *archive, const char *group, weir_agent *agent,
                            weir_error *error)
{
	char name[WEIR_AGENT_PATH_SIZE];
	weir_status status =
	    get_parameters(archive, weir_agent_path(name, group, "network"), agent->network, error);
	if (status == WEIR_OK &&
	    weir_archive_has(archive, weir_agent_path(name, group, "normaliser"))) {
		status = get_normaliser(archive, name, agent->observation.size, &agent->normaliser, error);
	}
	return status;
}

weir_status weir_agent_get(const weir_archive *archive, const char *group, weir_agent **agent,
                           weir_error *error)
{
	*agent = NULL;
	char name[WEIR_AGENT_PATH_SIZE];
	char *kept[TEXT_COUNT] = {NULL};
	weir_agent *made = NULL;
	weir_status status = check_version(archive, group, error);
	for (int i = 0; status == WEIR_OK && i < TEXT_COUNT; i++) {
		status = weir_archive_get_text(archive, weir_agent_path(name, group, "%s", texts[i].name),
		                               &kept[i], error);
	}
	if (status == WEIR_OK) {
		status = get_frame(archive, group, kept, &made, error);
	}
	if (status == WEIR_OK) {
		free(made->origin);
		made->origin = kept[2];
		kept[2] = NULL;
		status = get_rest(archive, group, made, error);
	}
	for (int i = 0; i < TEXT_COUNT; i++) {
		free(kept[i]);
	}
	if (status != WEIR_OK) {
		weir_agent_destroy(made);
		return status;
	}
	*agent = made;
	return WEIR_OK;
}

weir_status weir_agent_save(const weir_agent *agent, const char *path, weir_error *error)
{
	weir_archive_writer *archive = NULL;
	weir_status status =
	    weir_archive_begin(path, WEIR_AGENT_FORMAT, WEIR_AGENT_VERSION, &archive, error);
	if (status != WEIR_OK) {
		return status;
	}
	status = weir_agent_put(agent, archive, "agent", error);
	if (status != WEIR_OK) {
		weir_archive_abandon(archive);
		return status;
	}
	return weir_archive_commit(archive, error);
}

const char *weir_agent_in(const weir_archive *archive)
{
	static const char *const groups[] = {"agent", "learner/agent"};
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		if (weir_archive_has(archive, groups[i])) {
			return groups[i];
		}
	}
	return NULL;
}

weir_status weir_agent_load(const char *path, weir_agent **agent, weir_error *error)
{
	*agent = NULL;
	weir_archive *archive = NULL;
	uint32_t version = 0;
	weir_status status = weir_archive_open(path, NULL, 0, &version, &archive, error);
	if (status != WEIR_OK) {
		return status;
	}
	const char *group = weir_agent_in(archive);
	status = group != NULL
	             ? weir_agent_get(archive, group, agent, error)
	             : weir_error_set(error, WEIR_ERROR_INPUT, path, "is a %s file, without an agent",
	                              weir_archive_format(archive));
	weir_archive_close(archive);
	return status;
}
