#include "rl/agent_driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rl/agent_rows.h"
#include "rl/driven_agent.h"

enum { LINE_SIZE = WEIR_ERROR_MESSAGE_SIZE + 64 };

struct weir_agent_driver {
	weir_agent_driver_options options;
	driven_agent *agents;
	/* Policy i is agent i's, then come those of the config. */
	weir_controller_policy *policies;
	size_t policy_count, policy_capacity;
	agent_rows *rows; /* of the run; NULL: it is not recorded */
	weir_run_driver run;
};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the agents");
}

/* --- policies --- */

static bool same_policy(const weir_controller_policy *a, const weir_controller_policy *b)
{
	return a->type == b->type && a->parameters == b->parameters &&
	       a->application == b->application && a->pool == b->pool;
}

/* Keeps of the config's policies, which stand behind the agents', those that an agent leaves: the
 * list, without its own at the head. */
static void keep_common(weir_agent_driver *driver, const weir_controller_policy *left, size_t count)
{
	size_t first = driver->options.count;
	size_t kept = first;
	for (size_t i = first; i < driver->policy_count; i++) {
		bool common = false;
		for (size_t k = 0; k < count; k++) {
			common = common || same_policy(&driver->policies[i], &left[k]);
		}
		if (common) {
			driver->policies[kept++] = driver->policies[i];
		}
	}
	driver->policy_count = kept;
}

/* Which pools of the application the agent acts on. */
static unsigned pools_of(const weir_config *config, const weir_controller_policy *policy)
{
	if (policy->pool >= 0) {
		return 1u << policy->pool;
	}
	unsigned tags = 0;
	const weir_config_application *application = &config->applications[policy->application];
	for (size_t s = 0; s < application->server_count; s++) {
		tags |= 1u << application->servers[s].tag;
	}
	return tags;
}

static weir_status check_apart(const weir_agent_driver *driver, size_t number, weir_error *error)
{
	const driven_agent *agent = &driver->agents[number];
	for (size_t i = 0; i < number; i++) {
		const driven_agent *other = &driver->agents[i];
		unsigned common = agent->tags & other->tags;
		for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			if (agent->application == other->application && common & 1u << tag) {
				return weir_error_set(error, WEIR_ERROR_INPUT, agent->path,
				                      "acts on the pool of %s instances, on which %s acts as well",
				                      weir_tag_names[tag], other->path);
			}
		}
	}
	return WEIR_OK;
}

/* What the loop finds wrong with the config is said of the agent's file. */
static weir_status list_of_agent(weir_agent_driver *driver, size_t number,
                                 const weir_config *config, weir_error *error)
{
	driven_agent *agent = &driver->agents[number];
	const weir_controller_policy *policies;
	size_t count;
	weir_error found = {0};
	weir_status status = weir_scaling_loop_policies(agent->loop, config, &policies, &count, &found);
	if (status != WEIR_OK) {
		return weir_error_set(error, status, agent->path, "%s", found.message);
	}
	agent->application = policies[0].application;
	agent->tags = pools_of(config, &policies[0]);
	size_t first = driver->options.count;
	if (number > 0) {
		driver->policies[number] = policies[0];
		keep_common(driver, policies + 1, count - 1);
		return check_apart(driver, number, error);
	}
	driver->policy_count = first + count - 1;
	if (!weir_reserve((void **)&driver->policies, &driver->policy_capacity, driver->policy_count,
	                  sizeof *driver->policies)) {
		return no_memory(error);
	}
	driver->policies[0] = policies[0];
	memcpy(driver->policies + first, policies + 1, (count - 1) * sizeof *policies);
	return WEIR_OK;
}

static weir_status list(void *context, const weir_config *config,
                        const weir_controller_policy **policies, size_t *count, weir_error *error)
{
	weir_agent_driver *driver = context;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < driver->options.count; i++) {
		status = list_of_agent(driver, i, config, error);
	}
	*policies = driver->policies;
	*count = driver->policy_count;
	return status;
}

/* --- a run --- */

static weir_status begin(void *context, weir_sim *sim, weir_recorder *recorder, weir_error *error)
{
	weir_agent_driver *driver = context;
	agent_rows_destroy(driver->rows);
	driver->rows = NULL;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < driver->options.count; i++) {
		status = driven_agent_begin(&driver->agents[i], sim, error);
	}
	return status == WEIR_OK && recorder != NULL
	           ? agent_rows_create(driver->agents, driver->options.count, recorder, &driver->rows,
	                               error)
	           : status;
}

static void log_line(const weir_agent_driver *driver, const weir_sim *sim, const char *format, ...)
    WEIR_PRINTF(3, 4);

static void log_line(const weir_agent_driver *driver, const weir_sim *sim, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	driver->options.log(driver->options.context, weir_sim_now(sim), line);
}

static void log_decision(const weir_agent_driver *driver, const driven_agent *agent,
                         const weir_sim *sim)
{
	if (driver->options.log == NULL) {
		return;
	}
	if (agent->outcome.failed != 0) {
		log_line(driver, sim, "Step: %llu | A check does not hold: %s",
		         (unsigned long long)agent->decisions, agent->outcome.failure);
	}
	if (agent->decisions % WEIR_AGENT_LOG_INTERVAL == 0) {
		weir_status_summary summary;
		weir_manager_status(weir_sim_manager_const(sim), agent->application, &summary);
		log_line(driver, sim, "Step: %llu | Reward: %.4f | Active Instances: %u",
		         (unsigned long long)agent->decisions, agent->outcome.reward,
		         (unsigned)summary.active);
	}
}

static weir_status answer(void *context, weir_sim *sim, weir_error *error)
{
	weir_agent_driver *driver = context;
	driven_agent *agent = &driver->agents[weir_sim_waiting(sim)];
	if (!weir_scaling_loop_due(agent->loop)) {
		return weir_scaling_loop_follow(agent->loop, error);
	}
	bool updated;
	weir_status status = driven_agent_decide(agent, sim, &updated, error);
	if (status == WEIR_OK && driver->rows != NULL && updated) {
		status = agent_rows_update(driver->rows, agent, error);
	}
	if (status == WEIR_OK && driver->rows != NULL) {
		status = agent_rows_decision(driver->rows, agent, weir_sim_now(sim), true, error);
	}
	if (status == WEIR_OK) {
		log_decision(driver, agent, sim);
	}
	return status;
}

static weir_status end_agent(weir_agent_driver *driver, size_t number, weir_sim *sim,
                             weir_error *error)
{
	driven_agent *agent = &driver->agents[number];
	weir_status status = WEIR_OK;
	if (driver->rows != NULL && agent->decisions > 0) {
		status = driven_agent_end(agent, sim, error);
		if (status == WEIR_OK) {
			status = agent_rows_decision(driver->rows, agent, weir_sim_now(sim), false, error);
		}
	}
	if (status == WEIR_OK && driver->options.saved != NULL) {
		status = driven_agent_save(agent, weir_sim_config(sim)->seed, driver->options.saved[number],
		                           error);
	}
	return status;
}

static weir_status end(void *context, weir_sim *sim, weir_error *error)
{
	weir_agent_driver *driver = context;
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < driver->options.count; i++) {
		status = end_agent(driver, i, sim, error);
	}
	return status;
}

static void leave(void *context)
{
	weir_agent_driver *driver = context;
	for (size_t i = 0; i < driver->options.count; i++) {
		weir_scaling_loop_leave(driver->agents[i].loop);
	}
}

/* --- making --- */

static weir_status make(weir_agent_driver *driver, const weir_config *config, weir_error *error)
{
	const weir_agent_driver_options *options = &driver->options;
	driver->agents = weir_allocate(options->count, sizeof *driver->agents);
	if (driver->agents == NULL) {
		return no_memory(error);
	}
	weir_status status = WEIR_OK;
	for (size_t i = 0; status == WEIR_OK && i < options->count; i++) {
		driven_agent *agent = &driver->agents[i];
		status = driven_agent_load(agent, options->paths[i], i, options->learns, options->rollout,
		                           error);
		agent->sampled = options->sampled || options->learns;
	}
	const weir_controller_policy *policies;
	size_t count;
	if (status == WEIR_OK) {
		status = list(driver, config, &policies, &count, error);
	}
	driver->run = (weir_run_driver){
	    .context = driver,
	    .list = list,
	    .begin = begin,
	    .answer = answer,
	    .end = end,
	    .leave = leave,
	};
	return status;
}

weir_status weir_agent_driver_create(const weir_agent_driver_options *options,
                                     const weir_config *config, weir_agent_driver **driver,
                                     weir_error *error)
{
	*driver = NULL;
	weir_agent_driver *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return no_memory(error);
	}
	made->options = *options;
	weir_status status = make(made, config, error);
	if (status != WEIR_OK) {
		weir_agent_driver_destroy(made);
		return status;
	}
	*driver = made;
	return WEIR_OK;
}

void weir_agent_driver_destroy(weir_agent_driver *driver)
{
	if (driver == NULL) {
		return;
	}
	agent_rows_destroy(driver->rows);
	for (size_t i = 0; driver->agents != NULL && i < driver->options.count; i++) {
		driven_agent_release(&driver->agents[i]);
	}
	free(driver->agents);
	free(driver->policies);
	free(driver);
}

const weir_run_driver *weir_agent_driver_run(const weir_agent_driver *driver)
{
	return &driver->run;
}
