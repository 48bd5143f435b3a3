#include "support/ppo_golden.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "rl/action_distribution.h"
#include "rl/actor_critic.h"
#include "rl/ppo_internal.h"

/* One file while it is worked on; all memory is the arena's but what has a destroy. */
typedef struct golden_case {
	const char *path;
	const cJSON *json;
	weir_arena *arena;
	weir_error *error;
	bool failed; /* `error` is set: nothing more is done */
	weir_ppo_config config;
	weir_space action;
	weir_actor_critic_shape shape;
	weir_actor_critic *network;
	weir_rollout *rollout;
	weir_ppo *ppo;
	golden_report *report;
} golden_case;

typedef struct numbers {
	size_t count;
	double *values;
} numbers;

static void fail(golden_case *golden, const char *what, const char *name)
{
	if (!golden->failed) {
		weir_error_set(golden->error, WEIR_ERROR_INPUT, golden->path, "%s %s", what, name);
		golden->failed = true;
	}
}

static size_t count_numbers(const cJSON *json)
{
	if (!cJSON_IsArray(json)) {
		return 1;
	}
	size_t count = 0;
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json)
	{
		count += count_numbers(item);
	}
	return count;
}

static void flatten(golden_case *golden, const char *name, const cJSON *json, numbers *flat)
{
	if (!cJSON_IsArray(json)) {
		if (!cJSON_IsNumber(json) && !cJSON_IsBool(json)) {
			fail(golden, "a number is missing in", name);
		}
		flat->values[flat->count++] = cJSON_IsNumber(json) ? json->valuedouble : cJSON_IsTrue(json);
		return;
	}
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json)
	{
		flatten(golden, name, item, flat);
	}
}

static const cJSON *member(golden_case *golden, const cJSON *object, const char *name)
{
	const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
	if (found == NULL) {
		fail(golden, "there is no", name);
	}
	return found;
}

/* All numbers of a member, row after row; `count` of them unless that is 0. */
static numbers read_numbers(golden_case *golden, const cJSON *object, const char *name,
                            size_t count)
{
	numbers flat = {0};
	const cJSON *json = member(golden, object, name);
	if (json == NULL) {
		return flat;
	}
	size_t size = count_numbers(json);
	flat.values = weir_arena_allocate(golden->arena, size, sizeof *flat.values);
	if (flat.values == NULL || (count > 0 && size != count)) {
		fail(golden, "another count of numbers than expected:", name);
		return flat;
	}
	flatten(golden, name, json, &flat);
	return flat;
}

static double read_number(golden_case *golden, const cJSON *object, const char *name)
{
	numbers flat = read_numbers(golden, object, name, 1);
	return golden->failed ? 0 : flat.values[0];
}

static void read_floats(golden_case *golden, const char *name, float *values, size_t count)
{
	numbers flat = read_numbers(golden, golden->json, name, count);
	for (size_t i = 0; !golden->failed && i < count; i++) {
		values[i] = (float)flat.values[i];
	}
}

static void read_config(golden_case *golden)
{
	const cJSON *json = golden->json;
	const cJSON *adam = member(golden, json, "adam");
	const cJSON *clip_range_vf = cJSON_GetObjectItemCaseSensitive(json, "clip_range_vf");
	weir_ppo_config *config = &golden->config;
	*config = weir_ppo_config_default();
	config->learning_rate = read_number(golden, json, "lr");
	config->gamma = read_number(golden, json, "gamma");
	config->gae_lambda = read_number(golden, json, "gae_lambda");
	config->clip_range = read_number(golden, json, "clip_range");
	config->clip_range_vf = cJSON_IsNumber(clip_range_vf) ? clip_range_vf->valuedouble : 0;
	config->ent_coef = read_number(golden, json, "ent_coef");
	config->vf_coef = read_number(golden, json, "vf_coef");
	config->max_grad_norm = read_number(golden, json, "max_grad_norm");
	config->n_epochs = (int64_t)read_number(golden, json, "n_epochs");
	config->adam_beta1 = read_number(golden, adam, "beta1");
	config->adam_beta2 = read_number(golden, adam, "beta2");
	config->adam_eps = read_number(golden, adam, "eps");
}

/* The units of the layers are the rows of their weights. */
static void read_shape(golden_case *golden)
{
	const cJSON *tensors = member(golden, golden->json, "params_before");
	const cJSON *kind = member(golden, golden->json, "kind");
	bool box = kind != NULL && strcmp(cJSON_GetStringValue(kind), "box") == 0;
	size_t outputs = read_numbers(golden, tensors, "action_net.bias", 0).count;
	size_t steps = read_numbers(golden, golden->json, "rewards", 0).count;
	size_t seen = read_numbers(golden, golden->json, "obs", 0).count;
	size_t dimensions = box ? outputs : 1;
	weir_dimension *list = weir_arena_allocate(golden->arena, dimensions, sizeof *list);
	if (golden->failed || list == NULL || steps == 0) {
		fail(golden, "this is no update of", "PPO");
		return;
	}
	for (size_t i = 0; i < dimensions; i++) {
		list[i] = (weir_dimension){.name = "action",
		                           .unit = "",
		                           .low = -INFINITY,
		                           .high = INFINITY,
		                           .choices = (uint32_t)outputs};
	}
	golden->action = (weir_space){
	    .kind = box ? WEIR_SPACE_BOX : WEIR_SPACE_DISCRETE, .size = dimensions, .dimensions = list};
	golden->shape = weir_actor_critic_shape_default(seen / steps, &golden->action);
	golden->shape.layers = 0;
	for (size_t i = 0; i < WEIR_MOST_LAYERS; i++) {
		char name[GOLDEN_NAME_SIZE];
		snprintf(name, sizeof name, "mlp_extractor.policy_net.%zu.bias", 2 * i);
		if (cJSON_GetObjectItemCaseSensitive(tensors, name) == NULL) {
			break;
		}
		golden->shape.hidden[golden->shape.layers++] = read_numbers(golden, tensors, name, 0).count;
	}
	golden->config.n_steps = (int64_t)steps;
	golden->config.batch_size = (int64_t)steps;
}

/* Where number `at` of a tensor stands in a file. */
static size_t place_in_file(const weir_tensor *tensor, size_t at)
{
	size_t row = at / tensor->cols;
	size_t col = at % tensor->cols;
	return tensor->rows == 1 ? at : col * tensor->rows + row;
}

static void read_parameters(golden_case *golden)
{
	const cJSON *json = member(golden, golden->json, "params_before");
	float *parameters = weir_actor_critic_parameters(golden->network);
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(golden->network, &count);
	for (size_t i = 0; i < count; i++) {
		size_t size = tensors[i].rows * tensors[i].cols;
		numbers flat = read_numbers(golden, json, tensors[i].name, size);
		for (size_t k = 0; !golden->failed && k < size; k++) {
			parameters[tensors[i].offset + k] = (float)flat.values[place_in_file(&tensors[i], k)];
		}
	}
	if ((size_t)cJSON_GetArraySize(json) != count) {
		fail(golden, "more tensors than a network has, in", "params_before");
	}
}

static void read_rollout(golden_case *golden)
{
	weir_rollout *rollout = golden->rollout;
	size_t steps = rollout->steps;
	read_floats(golden, "obs", rollout->observations, steps * rollout->observation_size);
	read_floats(golden, "actions", rollout->actions, steps * rollout->action_size);
	read_floats(golden, "rewards", rollout->rewards, steps);
	read_floats(golden, "episode_starts", rollout->episode_starts, steps);
	read_floats(golden, "values", rollout->values, steps);
	read_floats(golden, "old_log_probs", rollout->log_probs, steps);
}

static void add_result(golden_case *golden, const char *group, const char *name,
                       const double *wanted, const double *got, size_t count)
{
	golden_report *report = golden->report;
	if (golden->failed || report->count == GOLDEN_MOST_RESULTS) {
		fail(golden, "there is no room to compare", name);
		return;
	}
	golden_result *result = &report->results[report->count++];
	snprintf(result->name, sizeof result->name, "%s%s", group, name);
	result->largest = -1;
	for (size_t i = 0; i < count; i++) {
		double difference = fabs(got[i] - wanted[i]) / fmax(1, fabs(wanted[i]));
		difference = isfinite(difference) ? difference : INFINITY;
		if (difference > result->largest) {
			result->largest = difference;
			result->at = i;
			result->got = got[i];
			result->wanted = wanted[i];
		}
	}
}

/* Floats of ours against the member `name` of `object`. */
static void compare_floats(golden_case *golden, const cJSON *object, const char *name,
                           const float *got, size_t count)
{
	numbers wanted = read_numbers(golden, object, name, count);
	double *ours = weir_arena_allocate(golden->arena, count, sizeof *ours);
	for (size_t i = 0; ours != NULL && i < count; i++) {
		ours[i] = (double)got[i];
	}
	add_result(golden, "", name, wanted.values, ours, count);
}

static void compare_number(golden_case *golden, const cJSON *object, const char *group,
                           const char *name, double got)
{
	double wanted = read_number(golden, object, name);
	add_result(golden, group, name, &wanted, &got, 1);
}

static void compare_tensors(golden_case *golden, const char *group, const float *got)
{
	const cJSON *json = member(golden, golden->json, group);
	size_t count;
	const weir_tensor *tensors = weir_actor_critic_tensors(golden->network, &count);
	for (size_t i = 0; !golden->failed && i < count; i++) {
		const weir_tensor *tensor = &tensors[i];
		size_t size = tensor->rows * tensor->cols;
		numbers flat = read_numbers(golden, json, tensor->name, size);
		double *ours = weir_arena_allocate(golden->arena, size, sizeof *ours);
		for (size_t k = 0; ours != NULL && k < size; k++) {
			ours[place_in_file(tensor, k)] = (double)got[tensor->offset + k];
		}
		char prefix[GOLDEN_NAME_SIZE / 2];
		snprintf(prefix, sizeof prefix, "%s/", group);
		add_result(golden, prefix, tensor->name, flat.values, ours, size);
	}
}

/* What the network before the update says of the rollout, and the advantages. */
static void compare_before(golden_case *golden)
{
	weir_rollout *rollout = golden->rollout;
	size_t steps = rollout->steps;
	size_t head_size = weir_actor_critic_head_size(golden->network);
	float *heads = weir_arena_allocate(golden->arena, steps, (head_size + 3) * sizeof(float));
	weir_activations *activations = weir_activations_create(golden->network, steps);
	if (heads == NULL || activations == NULL) {
		weir_activations_destroy(activations);
		fail(golden, "no memory for", "activations");
		return;
	}
	float *values = heads + steps * head_size;
	float *log_probs = values + steps;
	float *entropies = log_probs + steps;
	weir_actor_critic_forward(golden->network, activations, rollout->observations, steps, heads,
	                          values);
	weir_activations_destroy(activations);
	size_t tensor_count;
	const weir_tensor *tensors = weir_actor_critic_tensors(golden->network, &tensor_count);
	const float *log_std = weir_actor_critic_parameters_const(golden->network) +
	                       tensors[tensor_count - 1].offset; /* of a Box: the last tensor */
	for (size_t i = 0; i < steps; i++) {
		const weir_head head = {
		    .action = &golden->action, .head = heads + i * head_size, .log_std = log_std};
		weir_action_evaluate(&head, rollout->actions + i * rollout->action_size, &log_probs[i],
		                     &entropies[i]);
	}
	const cJSON *before = member(golden, golden->json, "eval_before");
	compare_floats(golden, before, "values", values, steps);
	compare_floats(golden, before, "log_prob", log_probs, steps);
	compare_floats(golden, before, "entropy", entropies, steps);
	compare_floats(golden, golden->json, "advantages", rollout->advantages, steps);
	compare_floats(golden, golden->json, "returns", rollout->returns, steps);
}

static void compare_figures(golden_case *golden, const weir_ppo_figures *figures)
{
	const struct {
		const char *name;
		double value;
	} list[] = {
#define GOLDEN_FIGURE(field, name) {name, figures->field},
	    WEIR_PPO_FIGURES(GOLDEN_FIGURE)
#undef GOLDEN_FIGURE
	        {"clip_range_vf", golden->config.clip_range_vf},
	};
	const cJSON *logs = member(golden, golden->json, "logs");
	const cJSON *log = NULL;
	cJSON_ArrayForEach(log, logs)
	{
		bool known = false;
		for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
			if (strncmp(log->string, "train/", 6) == 0 &&
			    strcmp(log->string + 6, list[i].name) == 0) {
				compare_number(golden, logs, "logs/", log->string, list[i].value);
				known = true;
			}
		}
		if (!known) {
			fail(golden, "weir has no figure", log->string);
		}
	}
}

/* The update from the start, with so many epochs. */
static void update(golden_case *golden, int64_t epochs, weir_ppo_figures *figures)
{
	golden->config.n_epochs = epochs;
	weir_ppo_destroy(golden->ppo);
	golden->ppo = NULL;
	read_parameters(golden);
	if (golden->failed) {
		return;
	}
	weir_status status = weir_ppo_create(&golden->config, golden->network, golden->rollout->steps,
	                                     1, &golden->ppo, golden->error);
	if (status == WEIR_OK) {
		status = weir_ppo_update(golden->ppo, golden->rollout, 1, figures, golden->error);
	}
	golden->failed = status != WEIR_OK;
}

/* An epoch is one minibatch: that after k epochs is found by an update of k epochs. */
static void compare_updates(golden_case *golden)
{
	int64_t epochs = golden->config.n_epochs;
	double *norms = weir_arena_allocate(golden->arena, (size_t)epochs, sizeof *norms);
	weir_ppo_figures figures = {0};
	for (int64_t k = 0; norms != NULL && !golden->failed && k < epochs; k++) {
		update(golden, k + 1, &figures);
		if (golden->failed) {
			return;
		}
		norms[k] = golden->ppo->norm;
		if (k == 0) {
			compare_tensors(golden, "first_grads_preclip", golden->ppo->gradient);
			compare_number(golden, member(golden, golden->json, "first_grads_preclip"),
			               "first_grads", "__norm__", norms[0]);
		}
	}
	numbers wanted = read_numbers(golden, golden->json, "grad_norms", (size_t)epochs);
	add_result(golden, "", "grad_norms", wanted.values, norms, (size_t)epochs);
	compare_figures(golden, &figures);
	compare_tensors(golden, "params_after", weir_actor_critic_parameters(golden->network));
}

static void work(golden_case *golden, void (*change)(weir_ppo_config *config))
{
	read_config(golden);
	read_shape(golden);
	if (golden->failed ||
	    weir_actor_critic_create(&golden->shape, 1, &golden->network, golden->error) != WEIR_OK) {
		golden->failed = true;
		return;
	}
	if (change != NULL) {
		change(&golden->config);
	}
	golden->rollout = weir_rollout_create((size_t)golden->config.n_steps, 1,
	                                      golden->shape.observation_size, &golden->action);
	if (golden->rollout == NULL || golden->config.n_epochs < 1) {
		fail(golden, "there is no memory, or there are no", "epochs");
		return;
	}
	read_rollout(golden);
	float last_value = (float)read_number(golden, golden->json, "last_value");
	float last_done = (float)read_number(golden, golden->json, "last_done");
	weir_rollout_finish(golden->rollout, golden->config.gamma, golden->config.gae_lambda,
	                    &last_value, &last_done);
	read_parameters(golden);
	if (!golden->failed) {
		compare_before(golden);
		compare_updates(golden);
	}
}

weir_status golden_run(const char *path, void (*change)(weir_ppo_config *config),
                       golden_report *report, weir_error *error)
{
	cJSON *json = NULL;
	report->count = 0;
	weir_status status = weir_json_load(path, &json, error);
	if (status != WEIR_OK) {
		return status;
	}
	golden_case golden = {
	    .path = path, .json = json, .arena = weir_arena_create(), .error = error, .report = report};
	weir_error_clear(error);
	if (golden.arena != NULL) {
		work(&golden, change);
	} else {
		fail(&golden, "no memory for", "an arena");
	}
	weir_ppo_destroy(golden.ppo);
	weir_rollout_destroy(golden.rollout);
	weir_actor_critic_destroy(golden.network);
	weir_arena_destroy(golden.arena);
	cJSON_Delete(json);
	return golden.failed ? error->status : WEIR_OK;
}

const golden_result *golden_worst(const golden_report *report)
{
	const golden_result *worst = &report->results[0];
	for (size_t i = 1; i < report->count; i++) {
		if (report->results[i].largest > worst->largest) {
			worst = &report->results[i];
		}
	}
	return worst;
}
