#include "study/replication.h"

#include <inttypes.h>
#include <stdio.h>

#include "config/config.h"

enum { NAME_SIZE = 256 };

weir_status weir_replication_run(const weir_replication *replication,
                                 weir_replication_result *result, weir_error *error)
{
	const weir_config *config = NULL;
	weir_status status =
	    weir_config_load_member(&replication->config, replication->number, &config, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_simulate_options options = weir_simulate_options_default();
	options.until = replication->until;
	options.driver = replication->driver;
	result->seed = config->seed;
	result->shape =
	    config->family.shapes.count > 0 ? replication->number % config->family.shapes.count : 0;
	status = weir_simulate(config, &options, &result->run, error);
	weir_config_destroy(config);
	return status;
}

static void describe(void *context, size_t job, char *name, size_t size)
{
	const weir_replication *replication = &((const weir_replication *)context)[job];
	snprintf(name, size, "%s, %s, replication %" PRIu64, replication->scenario, replication->policy,
	         replication->number);
}

static weir_status run_job(void *context, size_t job, void *result, weir_error *error)
{
	const weir_replication *replications = context;
	weir_error found = {0};
	weir_status status = weir_replication_run(&replications[job], result, &found);
	if (status != WEIR_OK) {
		char name[NAME_SIZE];
		describe(context, job, name, sizeof name);
		weir_error_set(error, status, found.where, "%s: %s", name, found.message);
	}
	return status;
}

weir_status weir_replications_run(const weir_replication *replications, size_t count,
                                  const weir_pool_options *options,
                                  weir_replication_result *results, weir_error *errors,
                                  weir_error *error)
{
	const weir_pool_jobs jobs = {
	    .count = count,
	    .result_size = sizeof *results,
	    .context = (void *)(uintptr_t)replications,
	    .run = run_job,
	    .describe = describe,
	};
	return weir_pool_run(&jobs, options, results, errors, error);
}
