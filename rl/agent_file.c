/* Agents in archives. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/agent.h"

enum { NAME_SIZE = 256 };

/* GROUP/a name, in a buffer. */
WEIR_PRINTF(3, 4)
static const char *path_in(char name[NAME_SIZE], const char *group, const char *format, ...)
{
	int length = snprintf(name, NAME_SIZE, "%s/", group);
	va_list args;
	va_start(args, format);
	if (length > 0 && length < NAME_SIZE) {
		vsnprintf(name + length, (size_t)(NAME_SIZE - length), format, args);
	}
	va_end(args);
	return name;
}

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the agent");
}

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

/* --- spaces --- */

/* A field of all dimensions, one a line; to be freed. */
static char *join_lines(const weir_space *space, bool units)
{
	size_t size = 1;
	for (size_t i = 0; i < space->size; i++) {
		size += strlen(units ? space->dimensions[i].unit : space->dimensions[i].name) + 1;
	}
	char *text = malloc(size);
	char *end = text;
	for (size_t i = 0; text != NULL && i < space->size; i++) {
		const char *line = units ? space->dimensions[i].unit : space->dimensions[i].name;
		end += snprintf(end, size - (size_t)(end - text), "%s\n", line);
	}
	return text;
}

static weir_status put_lines(weir_archive_writer *archive, const char *name,
                             const weir_space *space, bool units, const char *description,
                             weir_error *error)
{
	char *text = join_lines(space, units);
	weir_status status = text != NULL
	                         ? weir_archive_put_text(archive, name, text, description, error)
	                         : no_memory(error);
	free(text);
	return status;
}

static weir_status put_ranges(weir_archive_writer *archive, const char *group,
                              const weir_space *space, weir_error *error)
{
	char name[NAME_SIZE];
	float *bounds = weir_allocate(2 * space->size, sizeof *bounds);
	int64_t *choices = weir_allocate(space->size, sizeof *choices);
	weir_status status = bounds != NULL && choices != NULL ? WEIR_OK : no_memory(error);
	for (size_t i = 0; status == WEIR_OK && i < space->size; i++) {
		bounds[i] = space->dimensions[i].low;
		bounds[space->size + i] = space->dimensions[i].high;
		choices[i] = space->dimensions[i].choices;
	}
	if (status == WEIR_OK && space->kind == WEIR_SPACE_BOX) {
		status = weir_archive_put(archive, path_in(name, group, "low"), WEIR_ARCHIVE_FLOAT, 1,
		                          &space->size, bounds, "", "Least values.", error);
		if (status == WEIR_OK) {
			status =
			    weir_archive_put(archive, path_in(name, group, "high"), WEIR_ARCHIVE_FLOAT, 1,
			                     &space->size, bounds + space->size, "", "Greatest values.", error);
		}
	} else if (status == WEIR_OK) {
		status = weir_archive_put(archive, path_in(name, group, "choices"), WEIR_ARCHIVE_INT64, 1,
		                          &space->size, choices, "", "Numbers of choices.", error);
	}
	free(bounds);
	free(choices);
	return status;
}

static weir_status put_space(weir_archive_writer *archive, const char *group,
                             const weir_space *space, weir_error *error)
{
	char name[NAME_SIZE];
	weir_status status =
	    weir_archive_put_text(archive, path_in(name, group, "kind"), weir_space_kinds[space->kind],
	                          "box, discrete or multi_discrete.", error);
	if (status == WEIR_OK) {
		status = put_lines(archive, path_in(name, group, "names"), space, false,
		                   "Of the dimensions, one a line.", error);
	}
	if (status == WEIR_OK) {
		status = put_lines(archive, path_in(name, group, "units"), space, true,
		                   "Of the dimensions, one a line; empty where there is none.", error);
	}
	return status == WEIR_OK ? put_ranges(archive, group, space, error) : status;
}

/* A space being read: its texts are pieces of `names` and `units`. */
typedef struct read_space {
	weir_space space;
	weir_dimension *dimensions;
	char *names, *units;
} read_space;

static void free_read_space(read_space *read)
{
	free(read->dimensions);
	free(read->names);
	free(read->units);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;
	for (; *text != '\0'; text++) {
		lines += *text == '\n';
	}
	return lines;
}

/* Cuts a line off the text. */
static const char *next_line(char **text)
{
	char *line = *text;
	char *end = strchr(line, '\n');
	*end = '\0';
	*text = end + 1;
	return line;
}

static weir_status get_kind(const weir_archive *archive, const char *name, weir_space_kind *kind,
                            weir_error *error)
{
	char *text = NULL;
	weir_status status = weir_archive_get_text(archive, name, &text, error);
	if (status != WEIR_OK) {
		return status;
	}
	int found = 0;
	while (weir_space_kinds[found] != NULL && strcmp(weir_space_kinds[found], text) != 0) {
		found++;
	}
	if (weir_space_kinds[found] == NULL) {
		status =
		    weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
		                   "%s is '%s'; known are box, discrete and multi_discrete", name, text);
	}
	*kind = (weir_space_kind)found;
	free(text);
	return status;
}

static weir_status get_dimensions(const weir_archive *archive, const char *group, read_space *read,
                                  weir_error *error)
{
	char name[NAME_SIZE];
	weir_status status =
	    weir_archive_get_text(archive, path_in(name, group, "names"), &read->names, error);
	if (status == WEIR_OK) {
		status = weir_archive_get_text(archive, path_in(name, group, "units"), &read->units, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	size_t size = count_lines(read->names);
	if (size == 0 || count_lines(read->units) != size) {
		return weir_error_set(
		    error, WEIR_ERROR_INPUT, weir_archive_path(archive),
		    "%s has %zu names and %zu units; it needs as many of each, at least 1", group, size,
		    count_lines(read->units));
	}
	read->dimensions = weir_allocate(size, sizeof *read->dimensions);
	read->space.size = size;
	read->space.dimensions = read->dimensions;
	if (read->dimensions == NULL) {
		return no_memory(error);
	}
	char *names = read->names;
	char *units = read->units;
	for (size_t i = 0; i < size; i++) {
		read->dimensions[i].name = next_line(&names);
		read->dimensions[i].unit = next_line(&units);
	}
	return WEIR_OK;
}

static weir_status get_bounds(const weir_archive *archive, const char *group, read_space *read,
                              weir_error *error)
{
	char name[NAME_SIZE];
	const size_t size = read->space.size;
	float *bounds = weir_allocate(2 * size, sizeof *bounds);
	if (bounds == NULL) {
		return no_memory(error);
	}
	weir_status status = weir_archive_get_any(archive, path_in(name, group, "low"),
	                                          WEIR_ARCHIVE_FLOAT, 1, &size, bounds, error);
	if (status == WEIR_OK) {
		status = weir_archive_get_any(archive, path_in(name, group, "high"), WEIR_ARCHIVE_FLOAT, 1,
		                              &size, bounds + size, error);
	}
	for (size_t i = 0; status == WEIR_OK && i < size; i++) {
		if (!(bounds[i] <= bounds[size + i])) {
			status = weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
			                        "%s: bounds %g to %g of dimension %zu are none", group,
			                        (double)bounds[i], (double)bounds[size + i], i);
		}
		read->dimensions[i].low = bounds[i];
		read->dimensions[i].high = bounds[size + i];
	}
	free(bounds);
	return status;
}

static weir_status get_choices(const weir_archive *archive, const char *group, read_space *read,
                               weir_error *error)
{
	char name[NAME_SIZE];
	const size_t size = read->space.size;
	int64_t *choices = weir_allocate(size, sizeof *choices);
	if (choices == NULL) {
		return no_memory(error);
	}
	weir_status status = weir_archive_get(archive, path_in(name, group, "choices"),
	                                      WEIR_ARCHIVE_INT64, 1, &size, choices, error);
	for (size_t i = 0; status == WEIR_OK && i < size; i++) {
		if (choices[i] < 1 || choices[i] > UINT32_MAX) {
			status = weir_error_set(error, WEIR_ERROR_INPUT, weir_archive_path(archive),
			                        "%s has %" PRId64 " choices in dimension %zu; 1 is the least",
			                        group, choices[i], i);
		}
		read->dimensions[i].choices = (uint32_t)choices[i];
	}
	free(choices);
	return status;
}

static weir_status get_space(const weir_archive *archive, const char *group, read_space *read,
                             weir_error *error)
{
	char name[NAME_SIZE];
	*read = (read_space){.names = NULL};
	weir_status status = get_kind(archive, path_in(name, group, "kind"), &read->space.kind, error);
	if (status == WEIR_OK) {
		status = get_dimensions(archive, group, read, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	return read->space.kind == WEIR_SPACE_BOX ? get_bounds(archive, group, read, error)
	                                          : get_choices(archive, group, read, error);
}

/* --- the network --- */

static bool is_weight(const weir_tensor *tensor)
{
	static const char end[] = ".weight";
	size_t length = strlen(tensor->name);
	return length >= strlen(end) && strcmp(tensor->name + length - strlen(end), end) == 0;
}

/* Weights are [in][out], the rest lists. */
static size_t tensor_extents(const weir_tensor *tensor, size_t extents[2])
{
	bool weight = is_weight(tensor);
	extents[0] = weight ? tensor->rows : tensor->cols;
	extents[1] = tensor->cols;
	return weight ? 2 : 1;
}

static const char *tensor_description(const weir_tensor *tensor)
{
	return is_weight(tensor) ? "Weights of a layer, [in][out]."
	       : strcmp(tensor->name, "log_std") == 0
	           ? "Logarithms of the actions' standard deviations."
	           : "Biases of a layer.";
}

static weir_status put_network(weir_archive_writer *archive, const char *group,
                               const weir_actor_critic *network, weir_error *error)
{
	char name[NAME_SIZE];
	const weir_actor_critic_shape *shape = weir_actor_critic_shape_of(network);
	int64_t hidden[WEIR_MOST_LAYERS];
	for (size_t i = 0; i < shape->layers; i++) {
		hidden[i] = (int64_t)shape->hidden[i];
	}
	const uint8_t shared = shape->shared_trunk;
	weir_status status =
	    weir_archive_put(archive, path_in(name, group, "hidden"), WEIR_ARCHIVE_INT64, 1,
	                     &shape->layers, hidden, "", "Units of each hidden layer.", error);
	if (status == WEIR_OK) {
		status = weir_archive_put(archive, path_in(name, group, "shared_trunk"), WEIR_ARCHIVE_UINT8,
		                          0, NULL, &shared, "",
		                          "1: policy and value share the hidden layers.", error);
	}
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	const float *parameters = weir_actor_critic_parameters_const(network);
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		size_t extents[2];
		size_t rank = tensor_extents(&tensors[i], extents);
		status = weir_archive_put(archive, path_in(name, group, "%s", tensors[i].name),
		                          WEIR_ARCHIVE_FLOAT, rank, extents, parameters + tensors[i].offset,
		                          "", tensor_description(&tensors[i]), error);
	}
	return status;
}

static weir_status get_shape(const weir_archive *archive, const char *group,
                             weir_actor_critic_shape *shape, weir_error *error)
{
	char name[NAME_SIZE];
	size_t rank = 0;
	size_t extents[WEIR_ARCHIVE_MOST_RANK];
	int64_t hidden[WEIR_MOST_LAYERS];
	uint8_t shared = 0;
	path_in(name, group, "hidden");
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
		status = weir_archive_get(archive, path_in(name, group, "shared_trunk"), WEIR_ARCHIVE_UINT8,
		                          0, NULL, &shared, error);
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
	char name[NAME_SIZE];
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	float *parameters = weir_actor_critic_parameters(network);
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < count; i++) {
		size_t extents[2];
		size_t rank = tensor_extents(&tensors[i], extents);
		status = weir_archive_get(archive, path_in(name, group, "%s", tensors[i].name),
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
	char name[NAME_SIZE];
	uint8_t switches[2] = {normaliser->config.observations, normaliser->config.rewards};
	kept_array arrays[NORMALISER_ARRAYS];
	list_arrays(normaliser, switches, arrays);
	weir_status status = WEIR_OK;
	for (int i = 0; status == WEIR_OK && i < NORMALISER_ARRAYS; i++) {
		const kept_array *array = &arrays[i];
		status = weir_archive_put(archive, path_in(name, group, "%s", array->name), array->type,
		                          array->rank, &normaliser->size, array->values, "",
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
	char name[NAME_SIZE];
	weir_normaliser_config config = weir_normaliser_config_default();
	*normaliser = weir_normaliser_create(&config, size, 1);
	if (*normaliser == NULL) {
		return no_memory(error);
	}
	uint8_t switches[2] = {0};
	kept_array arrays[NORMALISER_ARRAYS];
	list_arrays(*normaliser, switches, arrays);
	weir_status status = WEIR_OK;
	for (int i = 0; status == WEIR_OK && i < NORMALISER_ARRAYS; i++) {
		const kept_array *array = &arrays[i];
		status = weir_archive_get(archive, path_in(name, group, "%s", array->name), array->type,
		                          array->rank, &size, array->values, error);
	}
	(*normaliser)->config.observations = switches[0] != 0;
	(*normaliser)->config.rewards = switches[1] != 0;
	return status == WEIR_OK ? check_normaliser(archive, group, *normaliser, error) : status;
}

/* --- the whole --- */

weir_status weir_agent_put(const weir_agent *agent, weir_archive_writer *archive, const char *group,
                           weir_error *error)
{
	char name[NAME_SIZE];
	const int64_t version = WEIR_AGENT_VERSION;
	weir_status status =
	    weir_archive_put(archive, path_in(name, group, "version"), WEIR_ARCHIVE_INT64, 0, NULL,
	                     &version, "", "Of what stands in this group.", error);
	for (int i = 0; status == WEIR_OK && i < TEXT_COUNT; i++) {
		status = weir_archive_put_text(archive, path_in(name, group, "%s", texts[i].name),
		                               *text_of(agent, &texts[i]), texts[i].description, error);
	}
	if (status == WEIR_OK) {
		status =
		    put_space(archive, path_in(name, group, "observation"), &agent->observation, error);
	}
	if (status == WEIR_OK) {
		status = put_space(archive, path_in(name, group, "action"), &agent->action, error);
	}
	if (status == WEIR_OK) {
		status = put_network(archive, path_in(name, group, "network"), agent->network, error);
	}
	if (status == WEIR_OK && agent->normaliser != NULL) {
		status =
		    put_normaliser(archive, path_in(name, group, "normaliser"), agent->normaliser, error);
	}
	return status;
}

static weir_status check_version(const weir_archive *archive, const char *group, weir_error *error)
{
	char name[NAME_SIZE];
	int64_t version = 0;
	weir_status status = weir_archive_get(archive, path_in(name, group, "version"),
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
	char name[NAME_SIZE];
	read_space observation = {.names = NULL};
	read_space action = {.names = NULL};
	weir_actor_critic_shape shape;
	weir_status status =
	    get_space(archive, path_in(name, group, "observation"), &observation, error);
	if (status == WEIR_OK) {
		status = get_space(archive, path_in(name, group, "action"), &action, error);
	}
	if (status == WEIR_OK) {
		status = get_shape(archive, path_in(name, group, "network"), &shape, error);
	}
	if (status == WEIR_OK) {
		status = weir_agent_create(kept[0], kept[1], &observation.space, &action.space, &shape, 0,
		                           agent, error);
		if (status == WEIR_ERROR_INPUT && error != NULL) {
			snprintf(error->where, sizeof error->where, "%s", weir_archive_path(archive));
		}
	}
	free_read_space(&observation);
	free_read_space(&action);
	return status;
}

static weir_status get_rest(const weir_archive *archive, const char *group, weir_agent *agent,
                            weir_error *error)
{
	char name[NAME_SIZE];
	weir_status status =
	    get_parameters(archive, path_in(name, group, "network"), agent->network, error);
	if (status == WEIR_OK && weir_archive_has(archive, path_in(name, group, "normaliser"))) {
		status = get_normaliser(archive, name, agent->observation.size, &agent->normaliser, error);
	}
	return status;
}

weir_status weir_agent_get(const weir_archive *archive, const char *group, weir_agent **agent,
                           weir_error *error)
{
	*agent = NULL;
	char name[NAME_SIZE];
	char *kept[TEXT_COUNT] = {NULL};
	weir_agent *made = NULL;
	weir_status status = check_version(archive, group, error);
	for (int i = 0; status == WEIR_OK && i < TEXT_COUNT; i++) {
		status = weir_archive_get_text(archive, path_in(name, group, "%s", texts[i].name), &kept[i],
		                               error);
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

weir_status weir_agent_load(const char *path, weir_agent **agent, weir_error *error)
{
	static const char *const groups[] = {"agent", "learner/agent"};
	enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };
	*agent = NULL;
	weir_archive *archive = NULL;
	uint32_t version = 0;
	weir_status status = weir_archive_open(path, NULL, 0, &version, &archive, error);
	if (status != WEIR_OK) {
		return status;
	}
	int group = 0;
	while (group < GROUP_COUNT && !weir_archive_has(archive, groups[group])) {
		group++;
	}
	status = group < GROUP_COUNT
	             ? weir_agent_get(archive, groups[group], agent, error)
	             : weir_error_set(error, WEIR_ERROR_INPUT, path, "is a %s file, without an agent",
	                              weir_archive_format(archive));
	weir_archive_close(archive);
	return status;
}
