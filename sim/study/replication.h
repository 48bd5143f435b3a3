/*
 * Replications: the same run with other luck, many of them over processes.
 *
 * Replication r is member r of its config's family (config/family.h): a seed, and a shape where the
 * family has some, that depend on the family and r alone. Every policy and every point of a sweep
 * meets the same arrivals, sizes and faults (common random numbers), so that their differences can
 * be taken in pairs.
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

/* One run. What it points to is the caller's. */
typedef struct weir_replication {
	/* The config whose family it is of. One that is loaded already: `path` its name and `text` what
	 * weir_config_print makes of it. */
	weir_document_options config;
	const char *scenario, *policy; /* what messages call them; the config says what they are */
	uint64_t number;
	double until;                  /* seconds; INFINITY: to the end */
	const weir_run_driver *driver; /* in place of the config's policies; NULL: none */
} weir_replication;

typedef struct weir_replication_result {
	uint64_t seed;
	uint64_t shape; /* its number in the family; 0 where there are none */
	weir_simulate_result run;
} weir_replication_result;

/* Runs one replication in this process: loads its member of the family, simulates. */
WEIR_API weir_status weir_replication_run(const weir_replication *replication,
                                          weir_replication_result *result, weir_error *error);

/*
 * Runs them all as jobs of weir_pool_run, which says what becomes of results[count] and
 * errors[count]. A job is called SCENARIO, POLICY, replication NUMBER. An error in a config or a
 * run keeps its place (FILE: key.path), and its message begins with the job's name.
 */
WEIR_API weir_status weir_replications_run(const weir_replication *replications, size_t count,
                                           const weir_pool_options *options,
                                           weir_replication_result *results, weir_error *errors,
                                           weir_error *error);

WEIR_END_C

#endif
