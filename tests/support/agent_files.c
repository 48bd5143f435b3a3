#include "support/agent_files.h"

#include <stdlib.h>
#include <string.h>

#include "rl/agent.h"
#include "rl/env.h"
#include "rl/scaling_loop.h"
#include "support/test_support.h"

static void save(const char *path, const char *environment, const char *parameters,
                 const weir_space *observation, const weir_space *action, uint64_t seed)
{
	weir_error error = {0};
	weir_actor_critic_shape shape = weir_actor_critic_shape_default(observation->size, action);
	shape.hidden[0] = shape.hidden[1] = 8;
	weir_agent *agent = NULL;
	ck_assert_ok(weir_agent_create(environment, parameters, observation, action, &shape, seed,
	                               &agent, &error),
	             &error);
	float *numbers = weir_actor_critic_parameters(agent->network);
	for (size_t i = 0; i < weir_actor_critic_parameter_count(agent->network); i++) {
		numbers[i] *= 60;
	}
	const weir_normaliser_config config = weir_normaliser_config_default();
	agent->normaliser = weir_normaliser_create(&config, observation->size, 1);
	ck_assert_ptr_nonnull(agent->normaliser);
	free(agent->origin);
	agent->origin =
	    strdup("{\"steps\": 0, \"training\": {\"ppo\": {\"n_steps\": 16, \"batch_size\": 16}}}");
	ck_assert_ok(weir_agent_save(agent, path, &error), &error);
	weir_agent_destroy(agent);
}

void test_scaling_agent(const char *path, const char *task, uint64_t seed)
{
	weir_error error = {0};
	weir_arena *arena = weir_arena_create();
	weir_scaling_task read;
	weir_scaling_loop *loop = NULL;
	ck_assert_ok(weir_scaling_task_parse(task, "task", arena, &read, &error), &error);
	ck_assert_ok(weir_scaling_loop_create(&read, &loop, &error), &error);
	save(path, "scaling", weir_scaling_task_print(&read, arena),
	     weir_scaling_loop_observation(loop), weir_scaling_loop_action(loop), seed);
	weir_scaling_loop_destroy(loop);
	weir_arena_destroy(arena);
}

void test_cartpole_agent(const char *path)
{
	weir_error error = {0};
	weir_env *env = NULL;
	ck_assert_ok(weir_env_create("cartpole", NULL, "test", &env, &error), &error);
	save(path, "cartpole", "{}", &env->observation, &env->action, 1);
	weir_env_close(env);
}
