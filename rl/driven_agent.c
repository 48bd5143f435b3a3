#include "rl/driven_agent.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"

static const char environment[] = "scaling";

static weir_status no_memory(const driven_agent *agent, weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, agent->path, "out of memory for the agent");
}

/* The hyperparameters of its training; of one that does not say how it came to be, the defaults. */
static weir_status read_ppo(driven_agent *agent, int64_t rollout, weir_error *error)
{
	const char *origin = agent->agent->origin != NULL ? agent->agent->origin : "{}";
	cJSON *json = NULL;
	weir_status status = weir_json_parse(agent->path, origin, strlen(origin), &json, error);
	if (status != WEIR_OK) {
		return status;
	}
	const cJSON *training = cJSON_GetObjectItemCaseSensitive(json, "training");
	const cJSON *ppo = cJSON_GetObjectItemCaseSensitive(training, "ppo");
	weir_keys_reader reader = {.arena = agent->arena, .file = agent->path};
	status = weir_keys_read(&reader, &weir_ppo_keys, ppo, "", &agent->ppo, error);
	cJSON_Delete(json);
	if (status == WEIR_OK && rollout > 0) {
		agent->ppo.n_steps = rollout;
		if (agent->ppo.batch_size > rollout) {
			agent->ppo.batch_size = rollout;
		}
	}
	return status;
}

/* What the agent was trained to see and to do is what its task says. */
static weir_status make_loop(driven_agent *agent, weir_error *error)
{
	if (strcmp(agent->agent->environment, environment) != 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, agent->path,
		                      "an agent of the environment '%s'; what drives a run is one of '%s'",
		                      agent->agent->environment, environment);
	}
	weir_status status = weir_scaling_task_parse(agent->agent->parameters, agent->path,
	                                             agent->arena, &agent->task, error);
	if (status == WEIR_OK) {
		status = weir_scaling_loop_create(&agent->task, &agent->loop, error);
	}
	return status == WEIR_OK ? weir_agent_check(agent->agent, agent->path,
	                                            weir_scaling_loop_observation(agent->loop),
	                                            weir_scaling_loop_action(agent->loop), error)
	                         : status;
}

static weir_status make_buffers(driven_agent *agent, weir_error *error)
{
	const weir_space *action = &agent->agent->action;
	size_t choices = weir_space_choices(action);
	agent->user = weir_agent_user_create(agent->agent);
	agent->observation = weir_allocate(agent->agent->observation.size, sizeof(float));
	agent->raw = weir_allocate(action->size, sizeof(float));
	agent->action = weir_allocate(action->size, sizeof(float));
	agent->mask = choices > 0 ? weir_allocate(choices, 1) : NULL;
	return agent->user != NULL && agent->observation != NULL && agent->raw != NULL &&
	               agent->action != NULL && (choices == 0 || agent->mask != NULL)
	           ? WEIR_OK
	           : no_memory(agent, error);
}

weir_status driven_agent_load(driven_agent *agent, const char *path, size_t number, bool learns,
                              int64_t rollout, weir_error *error)
{
	*agent = (driven_agent){
	    .path = path, .number = number, .learns = learns, .arena = weir_arena_create()};
	if (agent->arena == NULL) {
		return no_memory(agent, error);
	}
	weir_status status = weir_agent_load(path, &agent->agent, error);
	if (status == WEIR_OK) {
		status = weir_sha256_file(path, agent->sum, error);
	}
	if (status == WEIR_OK) {
		status = make_loop(agent, error);
	}
	if (status == WEIR_OK && learns) {
		status = read_ppo(agent, rollout, error);
	}
	return status == WEIR_OK ? make_buffers(agent, error) : status;
}

void driven_agent_release(driven_agent *agent)
{
	weir_learner_destroy(agent->learner);
	weir_agent_user_destroy(agent->user);
	weir_agent_destroy(agent->agent);
	weir_scaling_loop_destroy(agent->loop);
	weir_arena_destroy(agent->arena);
	free(agent->observation);
	free(agent->raw);
	free(agent->action);
	free(agent->mask);
	*agent = (driven_agent){0};
}

/* A learner of the agent as it is in its file: what it learned before is forgotten. */
static weir_status begin_learning(driven_agent *agent, uint64_t seed, weir_error *error)
{
	weir_learner_destroy(agent->learner);
	agent->learner = NULL;
	if (agent->updates > 0) {
		weir_agent *fresh = NULL;
		weir_status status = weir_agent_load(agent->path, &fresh, error);
		if (status != WEIR_OK) {
			return status;
		}
		weir_agent_user_destroy(agent->user);
		weir_agent_destroy(agent->agent);
		agent->agent = fresh;
		agent->user = weir_agent_user_create(fresh);
		if (agent->user == NULL) {
			return no_memory(agent, error);
		}
	}
	agent->updates = 0;
	agent->rewards = 0;
	const weir_learner_options options = {
	    .ppo = &agent->ppo,
	    .environments = 1,
	    .seed = weir_stream_seed(seed, "agent", agent->number),
	};
	return weir_learner_create(&options, agent->agent, &agent->learner, error);
}

weir_status driven_agent_begin(driven_agent *agent, weir_sim *sim, weir_error *error)
{
	uint64_t seed = weir_sim_config(sim)->seed;
	agent->random = weir_xoshiro_seed(weir_stream_seed(seed, "agent", agent->number));
	agent->decisions = 0;
	agent->outcome = (weir_scaling_outcome){0};
	weir_status status = weir_scaling_loop_begin(agent->loop, sim, false, error);
	return status == WEIR_OK && agent->learns ? begin_learning(agent, seed, error) : status;
}

/* What came of the last action goes to the learner, which updates when its rollout is full. */
static weir_status learn(driven_agent *agent, bool *updated, weir_error *error)
{
	if (agent->decisions == 0) {
		weir_learner_begin(agent->learner, agent->observation, agent->mask);
		return WEIR_OK;
	}
	static const uint8_t no = 0;
	const weir_learner_step step = {
	    .rewards = &agent->outcome.reward,
	    .terminated = &no,
	    .truncated = &no,
	    .observations = agent->observation,
	    .masks = agent->mask,
	};
	weir_learner_push(agent->learner, &step);
	agent->rewards += agent->outcome.reward;
	if (!weir_learner_full(agent->learner)) {
		return WEIR_OK;
	}
	*updated = true;
	agent->updates++;
	agent->mean_reward = agent->rewards / (double)agent->ppo.n_steps;
	agent->rewards = 0;
	return weir_learner_update(agent->learner, 1.0, &agent->figures, error);
}

/* Values are of normalised rewards: divided by the deviation of the discounted return. */
static double unit_of_reward(const weir_agent *agent)
{
	const weir_normaliser *normaliser = agent->normaliser;
	return normaliser != NULL && normaliser->config.rewards
	           ? sqrt(normaliser->return_variance + normaliser->config.epsilon)
	           : 1.0;
}

static void choose(driven_agent *agent)
{
	size_t size = agent->agent->action.size;
	float value = 0;
	if (agent->learner != NULL) {
		weir_learner_act(agent->learner, agent->action);
		memcpy(agent->raw, weir_learner_raw_actions(agent->learner), size * sizeof *agent->raw);
		value = weir_learner_values(agent->learner)[0];
	} else {
		weir_agent_act(agent->user, agent->observation, agent->mask,
		               agent->sampled ? &agent->random : NULL, agent->raw, agent->action, &value);
	}
	agent->value = (double)value * unit_of_reward(agent->agent);
}

weir_status driven_agent_decide(driven_agent *agent, weir_sim *sim, bool *updated,
                                weir_error *error)
{
	*updated = false;
	weir_status status =
	    weir_scaling_loop_look(agent->loop, sim, agent->observation, &agent->outcome, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (agent->mask != NULL) {
		weir_scaling_loop_mask(agent->loop, agent->mask);
	}
	if (agent->learner != NULL) {
		status = learn(agent, updated, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	choose(agent);
	agent->decisions++;
	return weir_scaling_loop_act(agent->loop, sim, agent->action, error);
}

weir_status driven_agent_end(driven_agent *agent, weir_sim *sim, weir_error *error)
{
	return weir_scaling_loop_end(agent->loop, sim, agent->observation, &agent->outcome, error);
}

/* That of the file, and in a list "learned" what the agent learned from since. To be freed, NULL
 * when memory is out. */
static char *origin_of(const driven_agent *agent, uint64_t seed)
{
	const char *before = agent->agent->origin != NULL ? agent->agent->origin : "{}";
	weir_error error = {0};
	cJSON *json = NULL;
	if (weir_json_parse(agent->path, before, strlen(before), &json, &error) != WEIR_OK) {
		return NULL;
	}
	cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "learned");
	list = list != NULL ? list : cJSON_AddArrayToObject(json, "learned");
	cJSON *run = cJSON_CreateObject();
	bool good = cJSON_AddItemToArray(list, run) &&
	            cJSON_AddStringToObject(run, "sha256", agent->sum) != NULL &&
	            cJSON_AddNumberToObject(run, "seed", (double)seed) != NULL &&
	            cJSON_AddNumberToObject(run, "decisions", (double)agent->decisions) != NULL &&
	            cJSON_AddNumberToObject(run, "updates", (double)agent->updates) != NULL;
	char *text = good ? weir_json_print(json) : NULL;
	cJSON_Delete(json);
	return text;
}

weir_status driven_agent_save(const driven_agent *agent, uint64_t seed, const char *path,
                              weir_error *error)
{
	char *origin = origin_of(agent, seed);
	if (origin == NULL) {
		return no_memory(agent, error);
	}
	weir_agent saved = *agent->agent;
	saved.origin = origin;
	weir_status status = weir_agent_save(&saved, path, error);
	free(origin);
	return status;
}
