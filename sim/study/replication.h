/*
 * Replications: the same run with other luck, many of them over processes.
 *
 * A replication's seed is a function of the study's seed and the replication's number alone: every
 * policy and every point of a sweep meets the same arrivals, sizes and faults (common random
 * numbers), so that their differences can be taken in pairs.
 */
#ifndef WEIR_STUDY_REPLICATION_H
#define WEIR_STUDY_REPLICATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "config/document.h"
#include "run/simulate.h"
#include "study/process_pool.h"

WEIR_BEGIN_C

/* The seed of replication `number` (from 0), one that a config can say: below 2^53. */
WEIR_API uint64_t weir_replication_seed(uint64_t study_seed, uint64_t number);

/* One run. What it points to is the caller's. */
typedef struct weir_replication {
	/* The config, without its seed. One that is loaded already: `path` its name and `text` what
	 * weir_config_print makes of it. */
	weir_document_options config;
	const char *scenario, *policy; /* what messages call them; the config says what they are */
	uint64_t number;
	double until; /* seconds; INFINITY: to the end */
} weir_replication;

typedef struct weir_replication_result {
	uint64_t seed;
	weir_simulate_result run;
} weir_replication_result;

/* Runs one replication in this process: loads its config with the seed put in place, simulates. */
WEIR_API weir_status weir_replication_run(const weir_replication *replication, uint64_t study_seed,
                                          weir_replication_result *result, weir_error *error);

/*
 * Runs them all as jobs of weir_pool_run, which says what becomes of results[count] and
 * errors[count]. A job is called SCENARIO, POLICY, replication NUMBER. An error in a config or a
 * run keeps its place (FILE: key.path), and its message begins with the job's name.
 */
WEIR_API weir_status weir_replications_run(const weir_replication *replications, size_t count,
                                           uint64_t study_seed, const weir_pool_options *options,
                                           weir_replication_result *results, weir_error *errors,
                                           weir_error *error);

WEIR_END_C

#endif
