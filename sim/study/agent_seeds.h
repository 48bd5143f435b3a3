/*
 * Several agents of one training, beside policies: what another seed of the training changes.
 *
 * The figures of a study whose first policies are agents that differ in their seeds alone. Of each
 * agent and scenario the mean over the replications is one score; scores are compared over seeds by
 * their interquartile mean with a bootstrap interval, resampled within each scenario (Agarwal et
 * al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice").
 */
#ifndef WEIR_STUDY_AGENT_SEEDS_H
#define WEIR_STUDY_AGENT_SEEDS_H

#include <stddef.h>

#include "analysis/interval.h"
#include "analysis/table.h"
#include "base/error.h"
#include "base/export.h"
#include "study/study.h"

WEIR_BEGIN_C

/* X(name, heading, short heading, unit, decimals): what is said of the agents against one policy.
 * relative_cost is the mean over replications of the agent's cost over the policy's in the same
 * one, less 1. */
#define WEIR_SEED_FIGURES(X)                                                                       \
	X(relative_cost, "cost over its", "cost", "%", 2)                                              \
	X(attainment_difference, "attainment above its", "attainment", "", 4)

typedef struct weir_seed_row {
	const char *policy; /* what the agents are compared with */
#define WEIR_SEED_FIELD(name, heading, short_heading, unit, decimals) weir_interval name;
	WEIR_SEED_FIGURES(WEIR_SEED_FIELD)
#undef WEIR_SEED_FIELD
} weir_seed_row;

typedef struct weir_seed_section {
	const char *name;         /* of the scenario; "all" of them together, at the end */
	weir_interval attainment; /* of the agents */
	weir_interval cost_usd;   /* NaN of several scenarios, which have costs of their own size */
	weir_seed_row *rows;      /* row_count of the result: policies and bounds after the agents */
} weir_seed_section;

typedef struct weir_agent_seeds {
	size_t agents, row_count, section_count;
	double confidence;
	weir_seed_section *sections;
	weir_seed_row *rows; /* what they point to */
} weir_agent_seeds;

/* The first `agents` (at least 1) policies of the study. *seeds is to be released; empty after an
 * error. A figure that a run does not have is an interval whose value is NaN. Errors: out of
 * memory. */
WEIR_API weir_status weir_agent_seeds_of(const weir_study *study, size_t agents,
                                         weir_agent_seeds *seeds, weir_error *error);
WEIR_API void weir_agent_seeds_release(weir_agent_seeds *seeds);

/*
 * `study`, as weir_study_print has it, with the seeds: for people more tables behind it; CSV: one
 * more table after an empty line; JSON: an array "seeds" of the sections. Frees `study`; to be
 * freed, NULL when memory is out or `study` is NULL.
 */
WEIR_API char *weir_agent_seeds_print(const weir_agent_seeds *seeds, char *study,
                                      weir_table_format format);

WEIR_END_C

#endif
