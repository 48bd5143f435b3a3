/*
 * The network of an agent: a policy head and a value head on multilayer perceptrons of tanh units,
 * in float32 on OpenBLAS (one thread), as Stable-Baselines3's ActorCriticPolicy has it. Without
 * hidden layers both heads are linear in the observation.
 *
 * The head of a Box space of d dimensions gives d means; log_std[d] are parameters of their own,
 * the same whatever is observed. That of a (Multi)Discrete space gives one logit for each choice.
 *
 * Equal inputs give equal bits on one machine with one library, whatever the number of threads that
 * networks are used on; between machines BLAS may differ in the last bits.
 */
#ifndef WEIR_RL_ACTOR_CRITIC_H
#define WEIR_RL_ACTOR_CRITIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "rl/space.h"

WEIR_BEGIN_C

enum { WEIR_MOST_LAYERS = 8, WEIR_TENSOR_NAME_SIZE = 48 };

typedef struct weir_actor_critic_shape {
	size_t observation_size;
	const weir_space *action; /* borrowed while the network lives */
	size_t layers;            /* hidden ones, of each of the two; at most WEIR_MOST_LAYERS */
	size_t hidden[WEIR_MOST_LAYERS];
	bool shared_trunk; /* one trunk of all hidden layers for both heads, else one for each */
	float log_std;     /* of a Box: at the start */
} weir_actor_critic_shape;

/* Two hidden layers of 64, separate, log_std 0. */
WEIR_API weir_actor_critic_shape weir_actor_critic_shape_default(size_t observation_size,
                                                                 const weir_space *action);

/* One tensor of the parameters, under the name that Stable-Baselines3 has for it:
 * mlp_extractor.policy_net.0.weight, ..., mlp_extractor.value_net.2.bias, action_net.weight,
 * value_net.bias, log_std; of a shared trunk mlp_extractor.shared_net.0.weight, ... Weights are
 * stored [in][out], which is the transpose of PyTorch's. */
typedef struct weir_tensor {
	char name[WEIR_TENSOR_NAME_SIZE];
	size_t offset;     /* of its first number in the parameters */
	size_t rows, cols; /* a weight: in, out; a bias and log_std: 1, length */
} weir_tensor;

typedef struct weir_actor_critic weir_actor_critic;

/*
 * A network with orthogonal weights (Saxe, McClelland, Ganguli 2014; gain sqrt(2) in hidden layers,
 * 0.01 of the policy's head, 1 of the value's), biases 0; drawn from the stream "network" of
 * `seed`. Errors: a shape that makes no sense; no OpenBLAS (rl/blas.h); out of memory.
 */
WEIR_API weir_status weir_actor_critic_create(const weir_actor_critic_shape *shape, uint64_t seed,
                                              weir_actor_critic **network, weir_error *error);
WEIR_API void weir_actor_critic_destroy(weir_actor_critic *network);

WEIR_API const weir_actor_critic_shape *
weir_actor_critic_shape_of(const weir_actor_critic *network);
WEIR_API size_t weir_actor_critic_head_size(const weir_actor_critic *network);
/* All parameters in one array of `count` numbers, which may be changed; and the tensors in it, in
 * their order. */
WEIR_API float *weir_actor_critic_parameters(weir_actor_critic *network);
WEIR_API const float *weir_actor_critic_parameters_const(const weir_actor_critic *network);
WEIR_API size_t weir_actor_critic_parameter_count(const weir_actor_critic *network);
WEIR_API const weir_tensor *weir_actor_critic_tensors(const weir_actor_critic *network,
                                                      size_t *count);

/* Room for the activations of one batch; of one user at a time. */
typedef struct weir_activations weir_activations;
/* NULL when memory is out. */
WEIR_API weir_activations *weir_activations_create(const weir_actor_critic *network,
                                                   size_t largest_batch);
WEIR_API void weir_activations_destroy(weir_activations *activations);

/* heads[batch][head_size] and values[batch] of observations[batch][observation_size]; either may be
 * NULL, which saves the work for it. `batch` is at most what the activations have room for.
 * Allocates nothing. */
WEIR_API void weir_actor_critic_forward(const weir_actor_critic *network,
                                        weir_activations *activations, const float *observations,
                                        size_t batch, float *heads, float *values);
/* After a forward of the same batch that gave both heads and values: adds to
 * gradient[parameter_count] that of a loss whose derivatives by heads and values are given. What
 * belongs to log_std is left alone. */
WEIR_API void weir_actor_critic_backward(const weir_actor_critic *network,
                                         weir_activations *activations, const float *observations,
                                         size_t batch, const float *head_gradient,
                                         const float *value_gradient, float *gradient);

WEIR_END_C

#endif
