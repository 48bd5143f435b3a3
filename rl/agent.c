#include "rl/agent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/agent_file.h"

/* --- making --- */

static void free_space(weir_space *space)
{
	for (size_t i = 0; space->dimensions != NULL && i < space->size; i++) {
		free((char *)space->dimensions[i].name);
		free((char *)space->dimensions[i].unit);
	}
	free((weir_dimension *)space->dimensions);
	*space = (weir_space){.dimensions = NULL};
}

static bool copy_space(const weir_space *from, weir_space *to)
{
	weir_dimension *dimensions = weir_allocate(from->size, sizeof *dimensions);
	*to = (weir_space){.kind = from->kind, .size = from->size, .dimensions = dimensions};
	if (dimensions == NULL) {
		return false;
	}
	bool copied = true;
	for (size_t i = 0; i < from->size; i++) {
		dimensions[i] = from->dimensions[i];
		dimensions[i].name = strdup(from->dimensions[i].name);
		dimensions[i].unit = strdup(from->dimensions[i].unit);
		copied = copied && dimensions[i].name != NULL && dimensions[i].unit != NULL;
	}
	return copied;
}

weir_status weir_agent_create(const char *environment, const char *parameters,
                              const weir_space *observation, const weir_space *action,
                              const weir_actor_critic_shape *shape, uint64_t seed,
                              weir_agent **agent, weir_error *error)
{
	*agent = NULL;
	weir_agent *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_agent_no_memory(error);
	}
	made->environment = strdup(environment);
	made->parameters = strdup(parameters);
	made->origin = strdup("{}");
	bool copied = copy_space(observation, &made->observation);
	copied = copy_space(action, &made->action) && copied;
	weir_actor_critic_shape own = *shape;
	own.observation_size = observation->size;
	own.action = &made->action;
	weir_status status =
	    made->environment != NULL && made->parameters != NULL && made->origin != NULL && copied
	        ? weir_actor_critic_create(&own, seed, &made->network, error)
	        : weir_agent_no_memory(error);
	if (status != WEIR_OK) {
		weir_agent_destroy(made);
		return status;
	}
	*agent = made;
	return WEIR_OK;
}

void weir_agent_destroy(weir_agent *agent)
{
	if (agent == NULL) {
		return;
	}
	weir_actor_critic_destroy(agent->network);
	weir_normaliser_destroy(agent->normaliser);
	free_space(&agent->observation);
	free_space(&agent->action);
	free(agent->environment);
	free(agent->parameters);
	free(agent->origin);
	free(agent);
}

/* --- whether it fits --- */

/* Where and how a message is told. */
typedef struct space_check {
	const char *path, *what; /* "observation" or "action" */
	weir_error *error;
} space_check;

static weir_status check_size(const space_check *check, const weir_space *mine,
                              const weir_space *theirs)
{
	if (mine->kind == theirs->kind && mine->size == theirs->size) {
		return WEIR_OK;
	}
	return weir_error_set(check->error, WEIR_ERROR_INPUT, check->path,
	                      "the agent was made for another environment: its %s is a %s of %zu, "
	                      "where it should be a %s of %zu",
	                      check->what, weir_space_kinds[mine->kind], mine->size,
	                      weir_space_kinds[theirs->kind], theirs->size);
}

static weir_status check_text(const space_check *check, size_t number, const char *field,
                              const char *mine, const char *theirs)
{
	if (strcmp(mine, theirs) == 0) {
		return WEIR_OK;
	}
	return weir_error_set(check->error, WEIR_ERROR_INPUT, check->path,
	                      "the agent was made for another environment: the %s of dimension %zu of "
	                      "its %s is '%s', where it should be '%s'",
	                      field, number, check->what, mine, theirs);
}

static weir_status check_range(const space_check *check, weir_space_kind kind, size_t number,
                               const weir_dimension *mine, const weir_dimension *theirs)
{
	static const char text[] = "the agent was made for another environment: '%s' (dimension %zu of "
	                           "its %s) has ";
	char start[200];
	snprintf(start, sizeof start, text, mine->name, number, check->what);
	if (kind == WEIR_SPACE_BOX && (mine->low != theirs->low || mine->high != theirs->high)) {
		return weir_error_set(check->error, WEIR_ERROR_INPUT, check->path,
		                      "%sbounds %.9g to %.9g, where they should be %.9g to %.9g", start,
		                      (double)mine->low, (double)mine->high, (double)theirs->low,
		                      (double)theirs->high);
	}
	if (kind != WEIR_SPACE_BOX && mine->choices != theirs->choices) {
		return weir_error_set(check->error, WEIR_ERROR_INPUT, check->path,
		                      "%s%u choices, where there should be %u", start, mine->choices,
		                      theirs->choices);
	}
	return WEIR_OK;
}

static weir_status check_space(const space_check *check, const weir_space *mine,
                               const weir_space *theirs)
{
	weir_status status = check_size(check, mine, theirs);
	for (size_t i = 0; status == WEIR_OK && i < mine->size; i++) {
		const weir_dimension *a = &mine->dimensions[i];
		const weir_dimension *b = &theirs->dimensions[i];
		status = check_text(check, i, "name", a->name, b->name);
		if (status == WEIR_OK) {
			status = check_text(check, i, "unit", a->unit, b->unit);
		}
		if (status == WEIR_OK) {
			status = check_range(check, mine->kind, i, a, b);
		}
	}
	return status;
}

weir_status weir_agent_check(const weir_agent *agent, const char *path,
                             const weir_space *observation, const weir_space *action,
                             weir_error *error)
{
	space_check check = {.path = path, .what = "observation", .error = error};
	weir_status status = check_space(&check, &agent->observation, observation);
	check.what = "action";
	return status == WEIR_OK ? check_space(&check, &agent->action, action) : status;
}

/* --- asking it --- */

struct weir_agent_user {
	const weir_agent *agent;
	weir_activations *activations;
	const float *log_std; /* of a Box, else NULL */
	float *observation, *head;
};

static const float *find_log_std(const weir_actor_critic *network)
{
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(tensors[i].name, "log_std") == 0) {
			return weir_actor_critic_parameters_const(network) + tensors[i].offset;
		}
	}
	return NULL;
}

weir_agent_user *weir_agent_user_create(const weir_agent *agent)
{
	weir_agent_user *user = weir_allocate(1, sizeof *user);
	if (user == NULL) {
		return NULL;
	}
	*user = (weir_agent_user){
	    .agent = agent,
	    .activations = weir_activations_create(agent->network, 1),
	    .log_std = find_log_std(agent->network),
	    .observation = weir_allocate(agent->observation.size, sizeof(float)),
	    .head = weir_allocate(weir_actor_critic_head_size(agent->network), sizeof(float))};
	if (user->activations == NULL || user->observation == NULL || user->head == NULL) {
		weir_agent_user_destroy(user);
		return NULL;
	}
	return user;
}

void weir_agent_user_destroy(weir_agent_user *user)
{
	if (user == NULL) {
		return;
	}
	weir_activations_destroy(user->activations);
	free(user->observation);
	free(user->head);
	free(user);
}

void weir_agent_act(weir_agent_user *user, const float *observation, const uint8_t *mask,
                    weir_xoshiro *random, float *raw, float *action, float *value)
{
	const weir_agent *agent = user->agent;
	if (agent->normaliser != NULL) {
		weir_normaliser_apply(agent->normaliser, observation, 1, user->observation);
	} else {
		memcpy(user->observation, observation, agent->observation.size * sizeof *observation);
	}
	weir_actor_critic_forward(agent->network, user->activations, user->observation, 1, user->head,
	                          value);
	const weir_head head = {
	    .action = &agent->action, .head = user->head, .log_std = user->log_std, .mask = mask};
	if (random != NULL) {
		weir_action_sample(&head, random, raw);
	} else {
		weir_action_mode(&head, raw);
	}
	weir_action_clip(&agent->action, raw, action);
}
