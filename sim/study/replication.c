#include "study/replication.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "config/config.h"

enum { SEED_BITS = 53, SEED_TEXT_SIZE = 32, NAME_SIZE = 256 };

uint64_t weir_replication_seed(uint64_t study_seed, uint64_t number)
{
	return weir_stream_seed(study_seed, "replication", number) >> (64 - SEED_BITS);
}

static weir_status simulate(const weir_replication *replication, const weir_config *config,
                            weir_replication_result *result, weir_error *error)
{
	weir_simulate_options options = weir_simulate_options_default();
	options.until = replication->until;
	result->seed = config->seed;
	return weir_simulate(config, &options, &result->run, error);
}

weir_status weir_replication_run(const weir_replication *replication, uint64_t study_seed,
                                 weir_replication_result *result, weir_error *error)
{
	weir_document_options options = replication->config;
	const char **sets = weir_allocate(options.set_count + 1, sizeof *sets);
	if (sets == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a replication");
	}
	char seed[SEED_TEXT_SIZE];
	snprintf(seed, sizeof seed, "seed=%" PRIu64,
	         weir_replication_seed(study_seed, replication->number));
	for (size_t i = 0; i < options.set_count; i++) {
		sets[i] = options.sets[i];
	}
	sets[options.set_count++] = seed;
	options.sets = sets;
	const weir_config *config = NULL;
	weir_status status = weir_config_load(&options, &config, error);
	if (status == WEIR_OK) {
		status = simulate(replication, config, result, error);
		weir_config_destroy(config);
	}
	free(sets);
	return status;
}

typedef struct study {
	const weir_replication *replications;
	uint64_t seed;
} study;

static void describe(void *context, size_t job, char *name, size_t size)
{
	const weir_replication *replication = &((const study *)context)->replications[job];
	snprintf(name, size, "%s, %s, replication %" PRIu64, replication->scenario, replication->policy,
	         replication->number);
}

static weir_status run_job(void *context, size_t job, void *result, weir_error *error)
{
	const study *s = context;
	weir_error found = {0};
	weir_status status = weir_replication_run(&s->replications[job], s->seed, result, &found);
	if (status != WEIR_OK) {
		char name[NAME_SIZE];
		describe(context, job, name, sizeof name);
		weir_error_set(error, status, found.where, "%s: %s", name, found.message);
	}
	return status;
}

weir_status weir_replications_run(const weir_replication *replications, size_t count,
                                  uint64_t study_seed, const weir_pool_options *options,
                                  weir_replication_result *results, weir_error *errors,
                                  weir_error *error)
{
	study s = {.replications = replications, .seed = study_seed};
	const weir_pool_jobs jobs = {
	    .count = count,
	    .result_size = sizeof *results,
	    .context = &s,
	    .run = run_job,
	    .describe = describe,
	};
	return weir_pool_run(&jobs, options, results, errors, error);
}
