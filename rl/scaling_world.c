#include "rl/scaling_world.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

static const weir_key config_keys[] = {
    {.name = "path",
     .type = WEIR_KEY_STRING,
     .offset = offsetof(weir_world_config, path),
     .flags = WEIR_KEY_REQUIRED | WEIR_KEY_PATH,
     .doc = "The config; episodes play the members of its family."},
    {.name = "reference_usd_per_hour",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_world_config, reference_usd_per_hour),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e12,
     .unit = "USD/h",
     .doc =
         "Of reward kinds constrained and priced: price of the fleet whose cost counts as 1 here, "
         "such as the best static one; 0: what the reward says, else the fleet at the start."},
};

const weir_key_table weir_world_config_keys = {
    .name = "config",
    .doc = "One config that episodes play.",
    .size = sizeof(weir_world_config),
    .keys = config_keys,
    .key_count = sizeof config_keys / sizeof config_keys[0],
};

/* Included files are looked for among the shipped ones as well. */
static const char *const directories[] = {WEIR_CONFIG_DIRECTORY, WEIR_INSTALLED_CONFIG_DIRECTORY,
                                          NULL};

weir_world_member weir_world_choose(const weir_world_choice *choice, const weir_env_start *start)
{
	if (start->episode >= 0) {
		uint64_t episode = (uint64_t)start->episode;
		return (weir_world_member){episode % choice->count, episode / choice->count};
	}
	/* So many that no two are the same, and that no fixed episode is met by chance. */
	return (weir_world_member){weir_stream_seed(start->seed, "config", 0) % choice->count,
	                           weir_stream_seed(start->seed, "replication", 0) >> 12};
}

static weir_status load(const weir_world_choice *choice, weir_world_member member,
                        const weir_config **config, weir_error *error)
{
	const weir_document_options options = {
	    .path = choice->configs[member.config].path,
	    .directories = directories,
	    .sets = choice->sets,
	    .set_count = choice->set_count,
	};
	return weir_config_load_member(&options, member.replication, config, error);
}

/* An error of the loop says which config it is about. */
static weir_status list_policies(const weir_world_choice *choice, size_t number,
                                 const weir_config *config, weir_scaling_loop *loop,
                                 const weir_controller_policy **policies, size_t *count,
                                 weir_error *error)
{
	weir_error found = {0};
	weir_status status = weir_scaling_loop_policies(loop, config, policies, count, &found);
	return status == WEIR_OK
	           ? WEIR_OK
	           : weir_error_set(error, status, choice->configs[number].path, "%s", found.message);
}

weir_status weir_world_try(const weir_world_choice *choice, size_t config, weir_scaling_loop *loop,
                           weir_error *error)
{
	const weir_config *tried = NULL;
	const weir_controller_policy *policies = NULL;
	size_t count = 0;
	weir_status status = load(choice, (weir_world_member){config, 0}, &tried, error);
	if (status == WEIR_OK) {
		status = list_policies(choice, config, tried, loop, &policies, &count, error);
	}
	weir_config_destroy(tried);
	return status;
}

static weir_status make(const weir_world_choice *choice, weir_scaling_loop *loop, weir_world *world,
                        weir_error *error)
{
	const weir_controller_policy *policies = NULL;
	size_t count = 0;
	weir_status status = load(choice, world->member, &world->config, error);
	if (status == WEIR_OK) {
		status = list_policies(choice, world->member.config, world->config, loop, &policies, &count,
		                       error);
	}
	return status == WEIR_OK
	           ? weir_sim_create_with(world->config, NULL, policies, count, &world->sim, error)
	           : status;
}

weir_status weir_world_create(const weir_world_choice *choice, weir_world_member member,
                              weir_scaling_loop *loop, weir_world **world, weir_error *error)
{
	*world = NULL;
	weir_world *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a world");
	}
	made->holders = 1;
	made->member = member;
	weir_status status = make(choice, loop, made, error);
	if (status != WEIR_OK) {
		weir_world_release(made);
		return status;
	}
	*world = made;
	return WEIR_OK;
}

weir_world *weir_world_hold(weir_world *world)
{
	world->holders++;
	return world;
}

void weir_world_release(weir_world *world)
{
	if (world != NULL && --world->holders == 0) {
		weir_sim_destroy(world->sim);
		weir_config_destroy(world->config);
		free(world);
	}
}
