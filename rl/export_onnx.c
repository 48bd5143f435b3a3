#include "rl/export_onnx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/agent_file.h"
#include "weir_version.h"

/* Fields of onnx.proto. */
enum {
	MODEL_IR_VERSION = 1,
	MODEL_PRODUCER_NAME = 2,
	MODEL_PRODUCER_VERSION = 3,
	MODEL_DOC = 6,
	MODEL_GRAPH = 7,
	MODEL_OPSET = 8,
	MODEL_METADATA = 14,
	OPSET_VERSION = 2,
	METADATA_KEY = 1,
	METADATA_VALUE = 2,
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	NODE_INPUT = 1,
	NODE_OUTPUT = 2,
	NODE_NAME = 3,
	NODE_OP_TYPE = 4,
	NODE_ATTRIBUTE = 5,
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_INTEGER = 3,
	ATTRIBUTE_TYPE = 20,
	TENSOR_DIMS = 1,
	TENSOR_DATA_TYPE = 2,
	TENSOR_NAME = 8,
	TENSOR_RAW_DATA = 9,
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	VALUE_DOC = 3,
	TYPE_TENSOR = 1,
	TENSOR_TYPE_ELEMENT = 1,
	TENSOR_TYPE_SHAPE = 2,
	SHAPE_DIMENSION = 1,
	DIMENSION_VALUE = 1,
	DIMENSION_NAME = 2
};

enum { TYPE_FLOAT = 1, TYPE_INT64 = 7, TYPE_DOUBLE = 11 };
enum { ATTRIBUTE_IS_INTEGER = 2, IR_VERSION = 7, OPSET = 13 };
enum { VALUE_NAME_SIZE = 80 };

/* Nodes go into the graph first, constants after them: two parts of one message. */
typedef struct onnx_graph {
	weir_bytes nodes, constants, ends;
} onnx_graph;

/* --- pieces --- */

static void add_constant(onnx_graph *graph, const char *name, int type, size_t rank,
                         const size_t *extents, const void *values, size_t size)
{
	weir_bytes tensor = {.data = NULL};
	for (size_t i = 0; i < rank; i++) {
		weir_protobuf_integer(&tensor, TENSOR_DIMS, (int64_t)extents[i]);
	}
	weir_protobuf_integer(&tensor, TENSOR_DATA_TYPE, type);
	weir_protobuf_text(&tensor, TENSOR_NAME, name);
	weir_protobuf_bytes(&tensor, TENSOR_RAW_DATA, values, size);
	weir_protobuf_message(&graph->constants, GRAPH_INITIALIZER, &tensor);
}

static void add_doubles(onnx_graph *graph, const char *name, const double *values, size_t count)
{
	add_constant(graph, name, TYPE_DOUBLE, 1, &count, values, count * sizeof *values);
}

/* A node named after its first output; NULL ends inputs and outputs. `attribute` may be NULL. */
static void add_node(onnx_graph *graph, const char *operator, const char * const * inputs,
                     const char *const *outputs, const char *attribute, int64_t value)
{
	weir_bytes node = {.data = NULL};
	for (; *inputs != NULL; inputs++) {
		weir_protobuf_text(&node, NODE_INPUT, *inputs);
	}
	weir_protobuf_text(&node, NODE_NAME, *outputs);
	for (; *outputs != NULL; outputs++) {
		weir_protobuf_text(&node, NODE_OUTPUT, *outputs);
	}
	weir_protobuf_text(&node, NODE_OP_TYPE, operator);
	if (attribute != NULL) {
		weir_bytes field = {.data = NULL};
		weir_protobuf_text(&field, ATTRIBUTE_NAME, attribute);
		weir_protobuf_integer(&field, ATTRIBUTE_INTEGER, value);
		weir_protobuf_integer(&field, ATTRIBUTE_TYPE, ATTRIBUTE_IS_INTEGER);
		weir_protobuf_message(&node, NODE_ATTRIBUTE, &field);
	}
	weir_protobuf_message(&graph->nodes, GRAPH_NODE, &node);
}

static void add_plain_node(onnx_graph *graph, const char *operator, const char * first,
                           const char *second, const char *output)
{
	const char *const inputs[] = {first, second, NULL};
	const char *const outputs[] = {output, NULL};
	add_node(graph, operator, inputs, outputs, NULL, 0);
}

static void add_cast(onnx_graph *graph, const char *input, const char *output, int type)
{
	const char *const inputs[] = {input, NULL};
	const char *const outputs[] = {output, NULL};
	add_node(graph, "Cast", inputs, outputs, "to", type);
}

/* An input or output [batch][width] of the graph. */
static void add_end(onnx_graph *graph, uint32_t field, const char *name, int type, size_t width,
                    const char *doc)
{
	weir_bytes batch = {.data = NULL};
	weir_bytes column = {.data = NULL};
	weir_bytes shape = {.data = NULL};
	weir_bytes tensor = {.data = NULL};
	weir_bytes kind = {.data = NULL};
	weir_bytes end = {.data = NULL};
	weir_protobuf_text(&batch, DIMENSION_NAME, "batch");
	weir_protobuf_integer(&column, DIMENSION_VALUE, (int64_t)width);
	weir_protobuf_message(&shape, SHAPE_DIMENSION, &batch);
	weir_protobuf_message(&shape, SHAPE_DIMENSION, &column);
	weir_protobuf_integer(&tensor, TENSOR_TYPE_ELEMENT, type);
	weir_protobuf_message(&tensor, TENSOR_TYPE_SHAPE, &shape);
	weir_protobuf_message(&kind, TYPE_TENSOR, &tensor);
	weir_protobuf_text(&end, VALUE_NAME, name);
	weir_protobuf_message(&end, VALUE_TYPE, &kind);
	weir_protobuf_text(&end, VALUE_DOC, doc);
	weir_protobuf_message(&graph->ends, field, &end);
}

/* --- the agent --- */

/* What the first layers take. */
static const char *add_normaliser(onnx_graph *graph, const weir_agent *agent)
{
	const weir_normaliser *normaliser = agent->normaliser;
	if (normaliser == NULL || !normaliser->config.observations) {
		return "observation";
	}
	double *deviation = weir_allocate(normaliser->size, sizeof *deviation);
	if (deviation == NULL) {
		graph->nodes.failed = true;
		return "observation";
	}
	for (size_t i = 0; i < normaliser->size; i++) {
		deviation[i] = sqrt(normaliser->variance[i] + normaliser->config.epsilon);
	}
	const double bounds[2] = {-normaliser->config.clip_observation,
	                          normaliser->config.clip_observation};
	add_doubles(graph, "normaliser.mean", normaliser->mean, normaliser->size);
	add_doubles(graph, "normaliser.deviation", deviation, normaliser->size);
	free(deviation);
	add_constant(graph, "normaliser.low", TYPE_DOUBLE, 0, NULL, &bounds[0], sizeof bounds[0]);
	add_constant(graph, "normaliser.high", TYPE_DOUBLE, 0, NULL, &bounds[1], sizeof bounds[1]);
	add_cast(graph, "observation", "observation.double", TYPE_DOUBLE);
	add_plain_node(graph, "Sub", "observation.double", "normaliser.mean", "observation.centred");
	add_plain_node(graph, "Div", "observation.centred", "normaliser.deviation",
	               "observation.scaled");
	const char *const inputs[] = {"observation.scaled", "normaliser.low", "normaliser.high", NULL};
	const char *const outputs[] = {"observation.clipped", NULL};
	add_node(graph, "Clip", inputs, outputs, NULL, 0);
	add_cast(graph, "observation.clipped", "observation.normalised", TYPE_FLOAT);
	return "observation.normalised";
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* What the next layer of each of the two takes. */
typedef struct branches {
	char policy[VALUE_NAME_SIZE], value[VALUE_NAME_SIZE];
} branches;

static void add_dense(onnx_graph *graph, const weir_tensor *weight, const weir_tensor *bias,
                      const char *input, const char *output)
{
	const char *const inputs[] = {input, weight->name, bias->name, NULL};
	const char *const outputs[] = {output, NULL};
	add_node(graph, "Gemm", inputs, outputs, NULL, 0);
}

/* A hidden layer, or a head, of a weight and the bias behind it. */
static void add_layer(onnx_graph *graph, const weir_tensor *weight, const weir_tensor *bias,
                      const char *policy_head, branches *last)
{
	static const char hidden[] = "mlp_extractor.";
	static const char end[] = ".weight";
	char name[VALUE_NAME_SIZE];
	snprintf(name, sizeof name, "%.*s", (int)(strlen(weight->name) - strlen(end)), weight->name);
	if (!starts_with(name, hidden)) {
		bool is_policy = starts_with(name, "action_net");
		add_dense(graph, weight, bias, is_policy ? last->policy : last->value,
		          is_policy ? policy_head : "value");
		return;
	}
	const char *branch = name + strlen(hidden);
	bool of_value = starts_with(branch, "value_net");
	bool of_policy = starts_with(branch, "policy_net");
	char active[VALUE_NAME_SIZE];
	snprintf(active, sizeof active, "%.60s.tanh", name);
	add_dense(graph, weight, bias, of_value ? last->value : last->policy, name);
	add_plain_node(graph, "Tanh", name, NULL, active);
	/* A layer of a shared trunk is of both. */
	if (!of_value) {
		snprintf(last->policy, sizeof last->policy, "%s", active);
	}
	if (!of_policy) {
		snprintf(last->value, sizeof last->value, "%s", active);
	}
}

static void add_network(onnx_graph *graph, const weir_actor_critic *network, const char *input,
                        const char *policy_head)
{
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	const float *parameters = weir_actor_critic_parameters_const(network);
	branches last;
	snprintf(last.policy, sizeof last.policy, "%s", input);
	snprintf(last.value, sizeof last.value, "%s", input);
	/* Weights and biases stand by turns; log_std, at the end, says nothing of modes. */
	for (size_t i = 0; i + 1 < count; i += 2) {
		const weir_tensor *weight = &tensors[i];
		const weir_tensor *bias = &tensors[i + 1];
		const size_t extents[2] = {weight->rows, weight->cols};
		add_constant(graph, weight->name, TYPE_FLOAT, 2, extents, parameters + weight->offset,
		             weight->rows * weight->cols * sizeof *parameters);
		add_constant(graph, bias->name, TYPE_FLOAT, 1, &bias->cols, parameters + bias->offset,
		             bias->cols * sizeof *parameters);
		add_layer(graph, weight, bias, policy_head, &last);
	}
}

/* The mean, cut to the bounds of each dimension. */
static void add_box(onnx_graph *graph, const weir_space *action)
{
	float *bounds = weir_allocate(2 * action->size, sizeof *bounds);
	if (bounds == NULL) {
		graph->nodes.failed = true;
		return;
	}
	for (size_t i = 0; i < action->size; i++) {
		bounds[i] = action->dimensions[i].low;
		bounds[action->size + i] = action->dimensions[i].high;
	}
	size_t bytes = action->size * sizeof *bounds;
	add_constant(graph, "action.low", TYPE_FLOAT, 1, &action->size, bounds, bytes);
	add_constant(graph, "action.high", TYPE_FLOAT, 1, &action->size, bounds + action->size, bytes);
	free(bounds);
	add_plain_node(graph, "Max", "mean", "action.low", "mean.above");
	add_plain_node(graph, "Min", "mean.above", "action.high", "action");
	add_end(graph, GRAPH_OUTPUT, "action", TYPE_FLOAT, action->size,
	        "mean of the policy, cut to the bounds");
}

static void add_greatest(onnx_graph *graph, const char *logits, const char *choice)
{
	const char *const inputs[] = {logits, NULL};
	const char *const outputs[] = {choice, NULL};
	add_node(graph, "ArgMax", inputs, outputs, "axis", 1);
}

/* The logits of each dimension for themselves, their greatest, and these side by side. `names` has
 * room for size + 1 parts, and as many choices. */
static void add_split(onnx_graph *graph, const weir_space *action,
                      char (*names)[2][VALUE_NAME_SIZE], const char **parts, const char **chosen,
                      int64_t *lengths)
{
	for (size_t i = 0; i < action->size; i++) {
		snprintf(names[i][0], VALUE_NAME_SIZE, "logits.%zu", i);
		snprintf(names[i][1], VALUE_NAME_SIZE, "action.%zu", i);
		parts[i] = names[i][0];
		chosen[i] = names[i][1];
		lengths[i] = action->dimensions[i].choices;
	}
	add_constant(graph, "choices", TYPE_INT64, 1, &action->size, lengths,
	             action->size * sizeof *lengths);
	const char *const inputs[] = {"logits", "choices", NULL};
	add_node(graph, "Split", inputs, parts, "axis", 1);
	for (size_t i = 0; i < action->size; i++) {
		add_greatest(graph, parts[i], chosen[i]);
	}
	const char *const outputs[] = {"action", NULL};
	add_node(graph, "Concat", chosen, outputs, "axis", 1);
}

static void add_choices(onnx_graph *graph, const weir_space *action)
{
	const size_t size = action->size;
	if (size == 1) {
		add_greatest(graph, "logits", "action");
	} else {
		char(*names)[2][VALUE_NAME_SIZE] = weir_allocate(size, sizeof *names);
		const char **parts = weir_allocate(size + 1, sizeof *parts);
		const char **chosen = weir_allocate(size + 1, sizeof *chosen);
		int64_t *lengths = weir_allocate(size, sizeof *lengths);
		if (names != NULL && parts != NULL && chosen != NULL && lengths != NULL) {
			add_split(graph, action, names, parts, chosen, lengths);
		} else {
			graph->nodes.failed = true;
		}
		free(names);
		free(parts);
		free(chosen);
		free(lengths);
	}
	add_end(graph, GRAPH_OUTPUT, "action", TYPE_INT64, size, "choice of the greatest logit");
	add_end(graph, GRAPH_OUTPUT, "logits", TYPE_FLOAT, weir_space_choices(action),
	        "of the choices, dimension after dimension");
}

/* --- the model --- */

static void add_metadata(weir_bytes *model, const char *key, const char *value)
{
	weir_bytes entry = {.data = NULL};
	weir_protobuf_text(&entry, METADATA_KEY, key);
	weir_protobuf_text(&entry, METADATA_VALUE, value);
	weir_protobuf_message(model, MODEL_METADATA, &entry);
}

/* Names and units of a space, one a line. */
static void add_space(weir_bytes *model, const weir_space *space, const char *names_key,
                      const char *units_key)
{
	char *names = weir_agent_space_lines(space, false);
	char *units = weir_agent_space_lines(space, true);
	if (names != NULL && units != NULL) {
		add_metadata(model, names_key, names);
		add_metadata(model, units_key, units);
	} else {
		model->failed = true;
	}
	free(names);
	free(units);
}

static void write_model(const weir_agent *agent, weir_bytes *graph_bytes, weir_bytes *model)
{
	weir_bytes opset = {.data = NULL};
	weir_protobuf_integer(&opset, OPSET_VERSION, OPSET);
	weir_protobuf_integer(model, MODEL_IR_VERSION, IR_VERSION);
	weir_protobuf_text(model, MODEL_PRODUCER_NAME, "weir");
	weir_protobuf_text(model, MODEL_PRODUCER_VERSION, WEIR_VERSION);
	weir_protobuf_text(model, MODEL_DOC, "An agent of weir: its policy's mode, and its value.");
	weir_protobuf_message(model, MODEL_GRAPH, graph_bytes);
	weir_protobuf_message(model, MODEL_OPSET, &opset);
	add_metadata(model, "environment", agent->environment);
	add_metadata(model, "parameters", agent->parameters);
	add_metadata(model, "origin", agent->origin);
	add_space(model, &agent->observation, "observation.names", "observation.units");
	add_space(model, &agent->action, "action.names", "action.units");
}

weir_status weir_export_onnx(const weir_agent *agent, weir_bytes *model, weir_error *error)
{
	onnx_graph graph = {.nodes = {.data = NULL}};
	bool is_box = agent->action.kind == WEIR_SPACE_BOX;
	weir_protobuf_text(&graph.ends, GRAPH_NAME, "agent");
	add_end(&graph, GRAPH_INPUT, "observation", TYPE_FLOAT, agent->observation.size,
	        "as the environment gives it");
	const char *input = add_normaliser(&graph, agent);
	add_network(&graph, agent->network, input, is_box ? "mean" : "logits");
	if (is_box) {
		add_box(&graph, &agent->action);
	} else {
		add_choices(&graph, &agent->action);
	}
	add_end(&graph, GRAPH_OUTPUT, "value", TYPE_FLOAT, 1, "estimated return");
	weir_bytes_add(&graph.nodes, graph.constants.data, graph.constants.size);
	weir_bytes_add(&graph.nodes, graph.ends.data, graph.ends.size);
	model->failed =
	    model->failed || graph.nodes.failed || graph.constants.failed || graph.ends.failed;
	free(graph.constants.data);
	free(graph.ends.data);
	write_model(agent, &graph.nodes, model);
	return model->failed ? weir_agent_no_memory(error) : WEIR_OK;
}
