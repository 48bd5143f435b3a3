#include "rl/actor_critic.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "rl/action_distribution.h"
#include "rl/blas.h"
#include "rl/layer_code.h"
#include "rl/tanh.h"

enum { POLICY, VALUE, BRANCHES };

/* One layer: where its numbers begin in the parameters. */
typedef struct dense {
	size_t in, out;
	size_t weight, bias;
} dense;

struct weir_actor_critic {
	weir_actor_critic_shape shape;
	weir_blas blas;
	size_t head_size;
	size_t trunks; /* 1 where it is shared */
	dense hidden[BRANCHES][WEIR_MOST_LAYERS];
	dense heads[BRANCHES];
	size_t log_std; /* of a Box */
	size_t parameter_count, tensor_count;
	float *parameters;
	weir_tensor *tensors;
};

weir_actor_critic_shape weir_actor_critic_shape_default(size_t observation_size,
                                                        const weir_space *action)
{
	return (weir_actor_critic_shape){
	    .observation_size = observation_size, .action = action, .layers = 2, .hidden = {64, 64}};
}

static weir_status check_shape(const weir_actor_critic_shape *shape, weir_error *error)
{
	enum { LARGEST = 1 << 16 };
	if (shape->layers > WEIR_MOST_LAYERS) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "a network has at most %d hidden layers, not %zu", WEIR_MOST_LAYERS,
		                      shape->layers);
	}
	if (shape->observation_size == 0 || shape->observation_size > LARGEST) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "a network takes observations of 1 to %d numbers, not %zu", LARGEST,
		                      shape->observation_size);
	}
	size_t head = shape->action->kind == WEIR_SPACE_BOX ? shape->action->size
	                                                    : weir_space_choices(shape->action);
	if (head == 0 || head > LARGEST) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "a network gives 1 to %d numbers for an action, not %zu", LARGEST,
		                      head);
	}
	for (size_t i = 0; i < shape->layers; i++) {
		if (shape->hidden[i] == 0 || shape->hidden[i] > LARGEST) {
			return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
			                      "hidden layer %zu has %zu units; it may have 1 to %d", i,
			                      shape->hidden[i], LARGEST);
		}
	}
	if (!isfinite(shape->log_std)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL, "log_std must be finite");
	}
	return WEIR_OK;
}

/* A new tensor behind all others; where it begins. */
static size_t add_tensor(weir_actor_critic *network, const char *name, size_t rows, size_t cols)
{
	weir_tensor *tensor = &network->tensors[network->tensor_count++];
	snprintf(tensor->name, sizeof tensor->name, "%s", name);
	tensor->offset = network->parameter_count;
	tensor->rows = rows;
	tensor->cols = cols;
	network->parameter_count += rows * cols;
	return tensor->offset;
}

static dense add_layer(weir_actor_critic *network, const char *name, size_t in, size_t out)
{
	char full_name[WEIR_TENSOR_NAME_SIZE];
	dense added = {.in = in, .out = out};
	snprintf(full_name, sizeof full_name, "%s.weight", name);
	added.weight = add_tensor(network, full_name, in, out);
	snprintf(full_name, sizeof full_name, "%s.bias", name);
	added.bias = add_tensor(network, full_name, 1, out);
	return added;
}

static void add_layers(weir_actor_critic *network)
{
	static const char *const trunks[] = {"policy_net", "value_net"};
	static const char *const heads[] = {"action_net", "value_net"};
	const weir_actor_critic_shape *shape = &network->shape;
	size_t width = shape->observation_size;
	for (size_t trunk = 0; trunk < network->trunks; trunk++) {
		width = shape->observation_size;
		for (size_t i = 0; i < shape->layers; i++) {
			char name[WEIR_TENSOR_NAME_SIZE - sizeof ".weight"];
			/* Stable-Baselines3 counts the tanh between two layers. */
			snprintf(name, sizeof name, "mlp_extractor.%s.%zu",
			         shape->shared_trunk ? "shared_net" : trunks[trunk], 2 * i);
			network->hidden[trunk][i] = add_layer(network, name, width, shape->hidden[i]);
			width = shape->hidden[i];
		}
	}
	for (size_t branch = 0; branch < BRANCHES; branch++) {
		network->heads[branch] =
		    add_layer(network, heads[branch], width, branch == POLICY ? network->head_size : 1);
	}
	if (shape->action->kind == WEIR_SPACE_BOX) {
		network->log_std = add_tensor(network, "log_std", 1, network->head_size);
	}
}

/* Column `count` of columns[count + 1][size], made orthogonal to those before it and of length 1
 * (modified Gram and Schmidt; the columns are random, so that next to nothing cancels). */
static bool orthogonalise(double *columns, size_t size, size_t count)
{
	double *last = columns + count * size;
	for (size_t c = 0; c < count; c++) {
		double dot = 0;
		for (size_t i = 0; i < size; i++) {
			dot += columns[c * size + i] * last[i];
		}
		for (size_t i = 0; i < size; i++) {
			last[i] -= dot * columns[c * size + i];
		}
	}
	double square = 0;
	for (size_t i = 0; i < size; i++) {
		square += last[i] * last[i];
	}
	if (!(square > 1e-12)) {
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		last[i] /= sqrt(square);
	}
	return true;
}

/* weight[in][out]: gain times a random matrix with orthonormal rows or columns, whichever are
 * fewer. */
static bool draw_orthogonal(float *weight, const dense *layer, double gain, weir_xoshiro *random)
{
	bool tall = layer->in >= layer->out;
	size_t size = tall ? layer->in : layer->out;
	size_t count = tall ? layer->out : layer->in;
	double *columns = weir_allocate(size * count, sizeof *columns);
	if (columns == NULL) {
		return false;
	}
	for (size_t c = 0; c < count; c++) {
		do {
			for (size_t i = 0; i < size; i++) {
				columns[c * size + i] = weir_xoshiro_normal(random);
			}
		} while (!orthogonalise(columns, size, c));
		for (size_t i = 0; i < size; i++) {
			size_t at = tall ? i * layer->out + c : c * layer->out + i;
			weight[at] = (float)(gain * columns[c * size + i]);
		}
	}
	free(columns);
	return true;
}

static bool draw_parameters(weir_actor_critic *network, uint64_t seed)
{
	static const double head_gains[BRANCHES] = {0.01, 1};
	weir_xoshiro random = weir_xoshiro_seed(weir_stream_seed(seed, "network", 0));
	float *parameters = network->parameters;
	bool drawn = true;
	for (size_t trunk = 0; trunk < network->trunks; trunk++) {
		for (size_t i = 0; i < network->shape.layers; i++) {
			const dense *hidden = &network->hidden[trunk][i];
			drawn = drawn && draw_orthogonal(parameters + hidden->weight, hidden, sqrt(2), &random);
		}
	}
	for (size_t branch = 0; branch < BRANCHES; branch++) {
		const dense *head = &network->heads[branch];
		drawn =
		    drawn && draw_orthogonal(parameters + head->weight, head, head_gains[branch], &random);
	}
	if (network->shape.action->kind == WEIR_SPACE_BOX) {
		for (size_t i = 0; i < network->head_size; i++) {
			parameters[network->log_std + i] = network->shape.log_std;
		}
	}
	return drawn;
}

weir_status weir_actor_critic_create(const weir_actor_critic_shape *shape, uint64_t seed,
                                     weir_actor_critic **network, weir_error *error)
{
	*network = NULL;
	weir_status status = check_shape(shape, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_blas blas;
	status = weir_blas_open(&blas, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_actor_critic *made = weir_allocate(1, sizeof *made);
	size_t most_tensors = 2 * BRANCHES * (WEIR_MOST_LAYERS + 1) + 1;
	weir_tensor *tensors = weir_allocate(most_tensors, sizeof *tensors);
	if (made != NULL && tensors != NULL) {
		made->shape = *shape;
		made->blas = blas;
		made->head_size = shape->action->kind == WEIR_SPACE_BOX ? shape->action->size
		                                                        : weir_space_choices(shape->action);
		made->trunks = shape->shared_trunk ? 1 : BRANCHES;
		made->tensors = tensors;
		add_layers(made);
		made->parameters = weir_allocate(made->parameter_count, sizeof *made->parameters);
		if (made->parameters != NULL && draw_parameters(made, seed)) {
			*network = made;
			return WEIR_OK;
		}
		free(made->parameters);
	}
	free(tensors);
	free(made);
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a network");
}

void weir_actor_critic_destroy(weir_actor_critic *network)
{
	if (network != NULL) {
		free(network->parameters);
		free(network->tensors);
		free(network);
	}
}

const weir_actor_critic_shape *weir_actor_critic_shape_of(const weir_actor_critic *network)
{
	return &network->shape;
}

size_t weir_actor_critic_head_size(const weir_actor_critic *network)
{
	return network->head_size;
}

float *weir_actor_critic_parameters(weir_actor_critic *network)
{
	return network->parameters;
}

const float *weir_actor_critic_parameters_const(const weir_actor_critic *network)
{
	return network->parameters;
}

size_t weir_actor_critic_parameter_count(const weir_actor_critic *network)
{
	return network->parameter_count;
}

const weir_tensor *weir_actor_critic_tensors(const weir_actor_critic *network, size_t *count)
{
	*count = network->tensor_count;
	return network->tensors;
}

struct weir_activations {
	size_t largest_batch;
	/* What a layer gave: units[trunk][i][batch][hidden[i]]. */
	float *units[BRANCHES][WEIR_MOST_LAYERS];
	float *gradients[2]; /* [batch][widest layer]: of a layer and of the one before it */
};

weir_activations *weir_activations_create(const weir_actor_critic *network, size_t largest_batch)
{
	weir_activations *made = weir_allocate(1, sizeof *made);
	if (made == NULL || largest_batch > WEIR_BLAS_LARGEST) {
		free(made);
		return NULL;
	}
	made->largest_batch = largest_batch;
	size_t widest = 1;
	bool complete = true;
	for (size_t i = 0; i < network->shape.layers; i++) {
		size_t width = network->shape.hidden[i];
		widest = width > widest ? width : widest;
		for (size_t trunk = 0; trunk < network->trunks; trunk++) {
			made->units[trunk][i] = weir_allocate(largest_batch * width, sizeof(float));
			complete = complete && made->units[trunk][i] != NULL;
		}
	}
	for (size_t i = 0; i < 2; i++) {
		made->gradients[i] = weir_allocate(largest_batch * widest, sizeof(float));
		complete = complete && made->gradients[i] != NULL;
	}
	if (!complete) {
		weir_activations_destroy(made);
		return NULL;
	}
	return made;
}

void weir_activations_destroy(weir_activations *activations)
{
	if (activations == NULL) {
		return;
	}
	for (size_t i = 0; i < WEIR_MOST_LAYERS; i++) {
		free(activations->units[POLICY][i]);
		free(activations->units[VALUE][i]);
	}
	free(activations->gradients[0]);
	free(activations->gradients[1]);
	free(activations);
}

/* result[batch][out] = input[batch][in] weight, without the bias. */
static void multiply(const weir_actor_critic *network, const dense *layer, const float *input,
                     size_t batch, float *result)
{
	const weir_product product = {.m = batch, .n = layer->out, .k = layer->in};
	weir_blas_multiply(&network->blas, &product, input, network->parameters + layer->weight,
	                   result);
}

/* What the heads of this trunk see: its last layer, or the observations. */
static const float *trunk_output(const weir_actor_critic *network,
                                 const weir_activations *activations, const float *observations,
                                 size_t trunk)
{
	size_t layers = network->shape.layers;
	return layers == 0 ? observations : activations->units[trunk][layers - 1];
}

static void trunk_forward(const weir_actor_critic *network, weir_activations *activations,
                          const float *observations, size_t batch, size_t trunk)
{
	const float *input = observations;
	for (size_t i = 0; i < network->shape.layers; i++) {
		const dense *hidden = &network->hidden[trunk][i];
		float *units = activations->units[trunk][i];
		multiply(network, hidden, input, batch, units);
		weir_tanh_biased(units, network->parameters + hidden->bias, batch, hidden->out);
		input = units;
	}
}

void weir_actor_critic_forward(const weir_actor_critic *network, weir_activations *activations,
                               const float *observations, size_t batch, float *heads, float *values)
{
	assert(batch <= activations->largest_batch);
	float *results[BRANCHES] = {heads, values};
	for (size_t branch = 0; branch < BRANCHES; branch++) {
		bool shared = network->trunks == 1;
		size_t trunk = shared ? 0 : branch;
		bool done = shared && branch == VALUE && heads != NULL;
		if (results[branch] == NULL) {
			continue;
		}
		if (!done) {
			trunk_forward(network, activations, observations, batch, trunk);
		}
		const dense *head = &network->heads[branch];
		multiply(network, head, trunk_output(network, activations, observations, trunk), batch,
		         results[branch]);
		weir_bias_add(results[branch], network->parameters + head->bias, batch, head->out);
	}
}

/* Of one layer: adds to the gradients of its weights and biases, given that of what it gives. */
static void layer_gradient(const weir_actor_critic *network, const dense *layer, const float *input,
                           const float *output_gradient, size_t batch, float *gradient)
{
	const weir_product product = {
	    .m = layer->in, .n = layer->out, .k = batch, .a_transposed = true, .add = true};
	weir_blas_multiply(&network->blas, &product, input, output_gradient, gradient + layer->weight);
	weir_columns_add(output_gradient, batch, layer->out, gradient + layer->bias);
}

/* The gradient of what goes into a layer, added to what `input_gradient` holds where `add`. */
static void input_gradient(const weir_actor_critic *network, const dense *layer,
                           const float *output_gradient, size_t batch, bool add, float *result)
{
	const weir_product product = {
	    .m = batch, .n = layer->in, .k = layer->out, .b_transposed = true, .add = add};
	weir_blas_multiply(&network->blas, &product, output_gradient,
	                   network->parameters + layer->weight, result);
}

/* From the gradient of the trunk's last layer, in gradients[0], down to the observations. */
static void trunk_backward(const weir_actor_critic *network, weir_activations *activations,
                           const float *observations, size_t batch, size_t trunk, float *gradient)
{
	float *of_units = activations->gradients[0];
	float *before = activations->gradients[1];
	for (size_t i = network->shape.layers; i-- > 0;) {
		const dense *hidden = &network->hidden[trunk][i];
		const float *input = i == 0 ? observations : activations->units[trunk][i - 1];
		weir_tanh_gradient(of_units, activations->units[trunk][i], batch * hidden->out);
		layer_gradient(network, hidden, input, of_units, batch, gradient);
		if (i > 0) {
			input_gradient(network, hidden, of_units, batch, false, before);
			float *swap = of_units;
			of_units = before;
			before = swap;
		}
	}
}

void weir_actor_critic_backward(const weir_actor_critic *network, weir_activations *activations,
                                const float *observations, size_t batch, const float *head_gradient,
                                const float *value_gradient, float *gradient)
{
	assert(batch <= activations->largest_batch);
	const float *head_gradients[BRANCHES] = {head_gradient, value_gradient};
	bool shared = network->trunks == 1;
	for (size_t branch = 0; branch < BRANCHES; branch++) {
		size_t trunk = shared ? 0 : branch;
		const dense *head = &network->heads[branch];
		layer_gradient(network, head, trunk_output(network, activations, observations, trunk),
		               head_gradients[branch], batch, gradient);
		if (network->shape.layers == 0) {
			continue;
		}
		input_gradient(network, head, head_gradients[branch], batch, shared && branch == VALUE,
		               activations->gradients[0]);
		if (!shared || branch == VALUE) {
			trunk_backward(network, activations, observations, batch, trunk, gradient);
		}
	}
}
