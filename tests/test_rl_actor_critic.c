#include "rl/actor_critic.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/agent_cases.h"
#include "support/test_support.h"

static weir_actor_critic *create(const weir_actor_critic_shape *shape, uint64_t seed)
{
	weir_actor_critic *network = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_actor_critic_create(shape, seed, &network, &error), &error);
	return network;
}

typedef struct expected_tensor {
	const char *name;
	size_t rows, cols;
} expected_tensor;

static void check_tensors(const weir_actor_critic *network, const expected_tensor *expected)
{
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	size_t offset = 0;
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_nonnull(expected[i].name);
		ck_assert_str_eq(tensors[i].name, expected[i].name);
		ck_assert_uint_eq(tensors[i].rows, expected[i].rows);
		ck_assert_uint_eq(tensors[i].cols, expected[i].cols);
		ck_assert_uint_eq(tensors[i].offset, offset);
		offset += tensors[i].rows * tensors[i].cols;
	}
	ck_assert_ptr_null(expected[count].name);
	ck_assert_uint_eq(weir_actor_critic_parameter_count(network), offset);
}

START_TEST(tensors_have_the_names_of_stable_baselines)
{
	static const expected_tensor separate[] = {{"mlp_extractor.policy_net.0.weight", 4, 7},
	                                           {"mlp_extractor.policy_net.0.bias", 1, 7},
	                                           {"mlp_extractor.policy_net.2.weight", 7, 6},
	                                           {"mlp_extractor.policy_net.2.bias", 1, 6},
	                                           {"mlp_extractor.value_net.0.weight", 4, 7},
	                                           {"mlp_extractor.value_net.0.bias", 1, 7},
	                                           {"mlp_extractor.value_net.2.weight", 7, 6},
	                                           {"mlp_extractor.value_net.2.bias", 1, 6},
	                                           {"action_net.weight", 6, 3},
	                                           {"action_net.bias", 1, 3},
	                                           {"value_net.weight", 6, 1},
	                                           {"value_net.bias", 1, 1},
	                                           {"log_std", 1, 3},
	                                           {NULL, 0, 0}};
	static const expected_tensor shared[] = {{"mlp_extractor.shared_net.0.weight", 4, 7},
	                                         {"mlp_extractor.shared_net.0.bias", 1, 7},
	                                         {"mlp_extractor.shared_net.2.weight", 7, 6},
	                                         {"mlp_extractor.shared_net.2.bias", 1, 6},
	                                         {"action_net.weight", 6, 9},
	                                         {"action_net.bias", 1, 9},
	                                         {"value_net.weight", 6, 1},
	                                         {"value_net.bias", 1, 1},
	                                         {NULL, 0, 0}};
	weir_actor_critic *network = case_network(&case_spaces[0], false, 1);
	check_tensors(network, separate);
	ck_assert_uint_eq(weir_actor_critic_head_size(network), 3);
	weir_actor_critic_destroy(network);
	network = case_network(&case_spaces[2], true, 1);
	check_tensors(network, shared);
	ck_assert_uint_eq(weir_actor_critic_head_size(network), 9);
	weir_actor_critic_destroy(network);
}
END_TEST

/* The rows or columns of a weight, whichever are fewer, have this length and right angles. */
static void check_orthogonal(const float *weight, size_t rows, size_t cols, double gain)
{
	bool tall = rows >= cols;
	size_t count = tall ? cols : rows;
	size_t size = tall ? rows : cols;
	for (size_t a = 0; a < count; a++) {
		for (size_t b = 0; b <= a; b++) {
			double dot = 0;
			for (size_t i = 0; i < size; i++) {
				dot += (double)weight[tall ? i * cols + a : a * cols + i] *
				       (double)weight[tall ? i * cols + b : b * cols + i];
			}
			ck_assert_double_eq_tol(dot / (gain * gain), a == b ? 1 : 0, 1e-6);
		}
	}
}

START_TEST(a_new_network_is_orthogonal)
{
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(9, &case_spaces[0]);
	shape.log_std = -0.5f;
	weir_actor_critic *network = create(&shape, 7);
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	const float *parameters = weir_actor_critic_parameters_const(network);
	for (size_t i = 0; i < count; i++) {
		const float *numbers = parameters + tensors[i].offset;
		if (strstr(tensors[i].name, ".weight") == NULL) {
			float wanted = strcmp(tensors[i].name, "log_std") == 0 ? -0.5f : 0.0f;
			for (size_t k = 0; k < tensors[i].cols; k++) {
				ck_assert_float_eq(numbers[k], wanted);
			}
			continue;
		}
		double gain = strcmp(tensors[i].name, "action_net.weight") == 0  ? 0.01
		              : strcmp(tensors[i].name, "value_net.weight") == 0 ? 1
		                                                                 : sqrt(2);
		check_orthogonal(numbers, tensors[i].rows, tensors[i].cols, gain);
	}
	weir_actor_critic_destroy(network);
}
END_TEST

/* A random rotation has entries of mean 0 and variance 1 / size, with both signs everywhere. */
START_TEST(a_new_network_prefers_no_direction)
{
	enum { SEEDS = 2000 };
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(2, &case_spaces[1]);
	shape.hidden[0] = shape.hidden[1] = 4;
	double mean[8] = {0};
	double square[8] = {0};
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		weir_actor_critic *network = create(&shape, seed);
		for (size_t i = 0; i < 8; i++) {
			double entry = (double)weir_actor_critic_parameters_const(network)[i] / sqrt(2);
			mean[i] += entry / SEEDS;
			square[i] += entry * entry / SEEDS;
		}
		weir_actor_critic_destroy(network);
	}
	for (size_t i = 0; i < 8; i++) {
		ck_assert_double_eq_tol(mean[i], 0, 5 * sqrt(0.25 / SEEDS));
		/* x^2 of a unit vector in 4 dimensions: variance 1/8 - 1/16 */
		ck_assert_double_eq_tol(square[i], 0.25, 5 * sqrt(0.0625 / SEEDS));
	}
}
END_TEST

START_TEST(equal_seeds_give_equal_networks)
{
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(3, &case_spaces[2]);
	weir_actor_critic *a = create(&shape, 3);
	weir_actor_critic *b = create(&shape, 3);
	weir_actor_critic *c = create(&shape, 4);
	size_t size = weir_actor_critic_parameter_count(a) * sizeof(float);
	ck_assert_int_eq(memcmp(weir_actor_critic_parameters(a), weir_actor_critic_parameters(b), size),
	                 0);
	ck_assert_int_ne(memcmp(weir_actor_critic_parameters(a), weir_actor_critic_parameters(c), size),
	                 0);
	weir_actor_critic_destroy(a);
	weir_actor_critic_destroy(b);
	weir_actor_critic_destroy(c);
}
END_TEST

enum { BATCH = 33, MOST_HEADS = 9, SEEN = 4 };

static void fill(float *numbers, size_t count, uint64_t seed)
{
	weir_xoshiro random = weir_xoshiro_seed(seed);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = (float)weir_xoshiro_normal(&random);
	}
}

static void check_forward(const weir_actor_critic *network)
{
	float observations[BATCH * SEEN];
	float heads[BATCH * MOST_HEADS];
	float values[BATCH];
	size_t head_size = weir_actor_critic_head_size(network);
	double *parameters = calloc(weir_actor_critic_parameter_count(network), sizeof *parameters);
	naive_network naive = case_naive_network(network, parameters);
	weir_activations *activations = weir_activations_create(network, BATCH);
	fill(observations, BATCH * SEEN, 5);
	weir_actor_critic_forward(network, activations, observations, BATCH, heads, values);
	for (size_t i = 0; i < BATCH; i++) {
		double head[NAIVE_WIDEST];
		double value;
		naive_forward(&naive, observations + i * SEEN, head, &value);
		ck_assert_double_eq_tol((double)values[i], value, 2e-6);
		for (size_t k = 0; k < head_size; k++) {
			ck_assert_double_eq_tol((double)heads[i * head_size + k], head[k], 2e-6);
		}
	}
	/* Half of the work gives half of the result. */
	float again_heads[BATCH * MOST_HEADS];
	float again_values[BATCH];
	weir_actor_critic_forward(network, activations, observations, BATCH, again_heads, NULL);
	weir_actor_critic_forward(network, activations, observations, BATCH, NULL, again_values);
	ck_assert_int_eq(memcmp(heads, again_heads, BATCH * head_size * sizeof(float)), 0);
	ck_assert_int_eq(memcmp(values, again_values, sizeof values), 0);
	weir_activations_destroy(activations);
	free(parameters);
}

START_TEST(forward_is_that_of_plain_loops)
{
	for (size_t kind = 0; kind < CASE_SPACES; kind++) {
		for (int shared = 0; shared < 2; shared++) {
			weir_actor_critic *network = case_network(&case_spaces[kind], shared != 0, 9 + kind);
			check_forward(network);
			weir_actor_critic_destroy(network);
		}
	}
}
END_TEST

/* Of sum(a * heads) + sum(b * values), for random a and b: by central differences of the oracle. */
static void check_backward(const weir_actor_critic *network)
{
	size_t head_size = weir_actor_critic_head_size(network);
	size_t count = weir_actor_critic_parameter_count(network);
	float observations[BATCH * SEEN];
	float heads[BATCH * MOST_HEADS];
	float values[BATCH];
	float a[BATCH * MOST_HEADS];
	float b[BATCH];
	fill(observations, BATCH * SEEN, 5);
	fill(a, BATCH * head_size, 6);
	fill(b, BATCH, 7);
	float *gradient = malloc(count * sizeof *gradient);
	double *parameters = calloc(count, sizeof *parameters);
	naive_network naive = case_naive_network(network, parameters);
	weir_activations *activations = weir_activations_create(network, BATCH);
	for (size_t i = 0; i < count; i++) {
		gradient[i] = 100; /* is added to */
	}
	weir_actor_critic_forward(network, activations, observations, BATCH, heads, values);
	weir_actor_critic_backward(network, activations, observations, BATCH, a, b, gradient);
	for (size_t p = 0; p < count; p++) {
		double kept = parameters[p];
		double sums[2] = {0};
		for (int side = 0; side < 2; side++) {
			parameters[p] = kept + (side == 0 ? 1e-5 : -1e-5);
			for (size_t i = 0; i < BATCH; i++) {
				double head[NAIVE_WIDEST];
				double value;
				naive_forward(&naive, observations + i * SEEN, head, &value);
				sums[side] += (double)b[i] * value;
				for (size_t k = 0; k < head_size; k++) {
					sums[side] += (double)a[i * head_size + k] * head[k];
				}
			}
		}
		parameters[p] = kept;
		ck_assert_double_eq_tol((double)gradient[p] - 100, (sums[0] - sums[1]) / 2e-5, 2e-4);
	}
	weir_activations_destroy(activations);
	free(gradient);
	free(parameters);
}

START_TEST(backward_is_the_derivative)
{
	for (int shared = 0; shared < 2; shared++) {
		weir_actor_critic *network = case_network(&case_spaces[2], shared != 0, 21);
		check_backward(network);
		weir_actor_critic_destroy(network);
	}
}
END_TEST

/* Linear heads, and one deep network: every number of layers. */
START_TEST(any_number_of_layers)
{
	for (size_t layers = 0; layers <= WEIR_MOST_LAYERS; layers += 4) {
		for (int shared = 0; shared < 2; shared++) {
			weir_actor_critic_shape shape = weir_actor_critic_shape_default(SEEN, &case_spaces[1]);
			shape.layers = layers;
			shape.shared_trunk = shared != 0;
			for (size_t i = 0; i < layers; i++) {
				shape.hidden[i] = 3 + i;
			}
			weir_actor_critic *network = create(&shape, 30 + layers);
			float *parameters = weir_actor_critic_parameters(network);
			size_t count = weir_actor_critic_parameter_count(network);
			fill(parameters, count, layers);
			for (size_t i = 0; i < count; i++) {
				parameters[i] *= 0.5f; /* larger ones would blow rounding up from layer to layer */
			}
			check_forward(network);
			if (layers < WEIR_MOST_LAYERS) {
				check_backward(network);
			}
			weir_actor_critic_destroy(network);
		}
	}
}
END_TEST

typedef struct thread_work {
	const weir_actor_critic *network;
	const float *observations;
	float heads[BATCH * MOST_HEADS], values[BATCH];
} thread_work;

static void *forward_often(void *context)
{
	thread_work *work = context;
	weir_activations *activations = weir_activations_create(work->network, BATCH);
	for (int i = 0; i < 200; i++) {
		weir_actor_critic_forward(work->network, activations, work->observations, BATCH,
		                          work->heads, work->values);
	}
	weir_activations_destroy(activations);
	return NULL;
}

START_TEST(threads_get_equal_bits)
{
	enum { THREADS = 4 };
	float observations[BATCH * SEEN];
	fill(observations, BATCH * SEEN, 8);
	weir_actor_critic *network = case_network(&case_spaces[2], false, 4);
	static thread_work alone;
	static thread_work together[THREADS];
	pthread_t threads[THREADS];
	alone = (thread_work){.network = network, .observations = observations};
	forward_often(&alone);
	for (size_t i = 0; i < THREADS; i++) {
		together[i] = (thread_work){.network = network, .observations = observations};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, forward_often, &together[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(memcmp(alone.heads, together[i].heads, sizeof alone.heads), 0);
		ck_assert_int_eq(memcmp(alone.values, together[i].values, sizeof alone.values), 0);
	}
	weir_actor_critic_destroy(network);
}
END_TEST

START_TEST(shapes_that_make_no_sense_are_refused)
{
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(4, &case_spaces[0]);
	weir_actor_critic_shape bad[5] = {shape, shape, shape, shape, shape};
	static const char *const words[] = {"hidden layer 1 has 0", "observations of", "at most 8",
	                                    "log_std", "hidden layer 0 has 70000"};
	bad[0].hidden[1] = 0;
	bad[1].observation_size = 0;
	bad[2].layers = WEIR_MOST_LAYERS + 1;
	bad[3].log_std = NAN;
	bad[4].hidden[0] = 70000;
	for (size_t i = 0; i < 5; i++) {
		weir_actor_critic *network = (weir_actor_critic *)&shape;
		weir_error error = {0};
		ck_assert_int_eq(weir_actor_critic_create(&bad[i], 1, &network, &error), WEIR_ERROR_INPUT);
		ck_assert_ptr_null(network);
		ck_assert_msg(strstr(error.message, words[i]) != NULL, "%s", error.message);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/actor_critic");
	TCase *tests = tcase_create("actor_critic");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, tensors_have_the_names_of_stable_baselines);
	tcase_add_test(tests, a_new_network_is_orthogonal);
	tcase_add_test(tests, a_new_network_prefers_no_direction);
	tcase_add_test(tests, equal_seeds_give_equal_networks);
	tcase_add_test(tests, forward_is_that_of_plain_loops);
	tcase_add_test(tests, backward_is_the_derivative);
	tcase_add_test(tests, any_number_of_layers);
	tcase_add_test(tests, threads_get_equal_bits);
	tcase_add_test(tests, shapes_that_make_no_sense_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
