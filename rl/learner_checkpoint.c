/* A learner and its agent in an archive. */
#include <stdio.h>
#include <string.h>

#include "rl/learner_state.h"

enum { NAME_SIZE = 256 };

/* One array of the learner: what is put and what it is got into. */
typedef struct kept_array {
	const char *name;
	weir_archive_type type;
	size_t rank, extent;
	void *values;
	const char *description;
} kept_array;

enum { MOST_ARRAYS = 10 };

/* Everything but the agent; NULL `values` end the list. */
static void list_arrays(const weir_learner *learner, kept_array arrays[MOST_ARRAYS])
{
	weir_ppo_state *ppo = weir_ppo_state_of(learner->ppo);
	size_t parameters = weir_actor_critic_parameter_count(learner->agent->network);
	size_t environments = learner->options.environments;
	weir_normaliser *normaliser = learner->agent->normaliser;
	const kept_array all[MOST_ARRAYS] = {
	    {"adam_m", WEIR_ARCHIVE_FLOAT, 1, parameters, ppo->m, "Adam's first moments"},
	    {"adam_v", WEIR_ARCHIVE_FLOAT, 1, parameters, ppo->v, "Adam's second moments"},
	    {"adam_steps", WEIR_ARCHIVE_UINT64, 0, 0, &ppo->t, "Adam's steps"},
	    {"updates", WEIR_ARCHIVE_INT64, 0, 0, &ppo->n_updates, "epochs done"},
	    {"shuffle_random", WEIR_ARCHIVE_UINT64, 1, 4, ppo->shuffle.s, "the order of minibatches"},
	    {"action_random", WEIR_ARCHIVE_UINT64, 1, 4, (void *)learner->actions.s,
	     "the drawing of actions"},
	    {"rollouts", WEIR_ARCHIVE_UINT64, 0, 0, (void *)&learner->rollouts,
	     "rollouts learned from"},
	    {"episode_starts", WEIR_ARCHIVE_FLOAT, 1, environments, learner->starts,
	     "1: an episode begins with the next step"},
	    {"returns", WEIR_ARCHIVE_DOUBLE, 1, environments,
	     normaliser != NULL ? normaliser->returns : NULL, "running discounted returns"},
	};
	memcpy(arrays, all, sizeof all);
}

static const char *name_in(char name[NAME_SIZE], const char *group, const char *member)
{
	snprintf(name, NAME_SIZE, "%s/%s", group, member);
	return name;
}

weir_status weir_learner_put(const weir_learner *learner, weir_archive_writer *archive,
                             const char *group, weir_error *error)
{
	char name[NAME_SIZE];
	kept_array arrays[MOST_ARRAYS];
	list_arrays(learner, arrays);
	weir_status status =
	    weir_agent_put(learner->agent, archive, name_in(name, group, "agent"), error);
	for (const kept_array *a = arrays; status == WEIR_OK && a->values != NULL; a++) {
		status = weir_archive_put(archive, name_in(name, group, a->name), a->type, a->rank,
		                          &a->extent, a->values, "", a->description, error);
	}
	return status;
}

/* The network's parameters and the normaliser's statistics. */
static weir_status take_agent(weir_learner *learner, const weir_agent *from, const char *path,
                              weir_error *error)
{
	weir_agent *agent = learner->agent;
	weir_status status = weir_agent_check(from, path, &agent->observation, &agent->action, error);
	size_t count = weir_actor_critic_parameter_count(agent->network);
	if (status != WEIR_OK) {
		return status;
	}
	if (weir_actor_critic_parameter_count(from->network) != count) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "its network has %zu parameters, this one %zu",
		                      weir_actor_critic_parameter_count(from->network), count);
	}
	if ((from->normaliser == NULL) != (agent->normaliser == NULL)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "its agent %s running statistics, this one %s",
		                      from->normaliser != NULL ? "has" : "has no",
		                      agent->normaliser != NULL ? "has some" : "has none");
	}
	memcpy(weir_actor_critic_parameters(agent->network),
	       weir_actor_critic_parameters_const(from->network), count * sizeof(float));
	if (agent->normaliser != NULL && !learner_take_normaliser(learner, from->normaliser)) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the learner");
	}
	return WEIR_OK;
}

weir_status weir_learner_get(weir_learner *learner, const weir_archive *archive, const char *group,
                             weir_error *error)
{
	char name[NAME_SIZE];
	kept_array arrays[MOST_ARRAYS];
	weir_agent *saved = NULL;
	weir_status status = weir_agent_get(archive, name_in(name, group, "agent"), &saved, error);
	if (status == WEIR_OK) {
		status = take_agent(learner, saved, weir_archive_path(archive), error);
		weir_agent_destroy(saved);
	}
	list_arrays(learner, arrays);
	for (const kept_array *a = arrays; status == WEIR_OK && a->values != NULL; a++) {
		status = weir_archive_get(archive, name_in(name, group, a->name), a->type, a->rank,
		                          &a->extent, a->values, error);
	}
	return status;
}
