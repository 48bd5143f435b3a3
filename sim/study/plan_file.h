/*
 * A plan file: which fleets are looked at, under which load, and what they have to keep, in JSON.
 *
 * Its fleets are the points of a space, as of a sweep. With `search` one more key is bisected at
 * each point; without, the points themselves are searched in the order of their price.
 */
#ifndef WEIR_STUDY_PLAN_FILE_H
#define WEIR_STUDY_PLAN_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "study/sweep_file.h"

WEIR_BEGIN_C

typedef enum weir_plan_slo_kind {
	WEIR_PLAN_ATTAINMENT, /* the attainment of a run is at least a target */
	WEIR_PLAN_PERCENTILES /* a run keeps every limit of the config's slo.p50, p90, p99 */
} weir_plan_slo_kind;

typedef struct weir_plan_slo {
	int kind;              /* weir_plan_slo_kind */
	weir_key_list targets; /* of double, increasing; of attainment */
	double share;          /* of the replications that have to keep it, (0, 1] */
} weir_plan_slo;

typedef enum weir_plan_goal { WEIR_PLAN_SMALLEST, WEIR_PLAN_LARGEST } weir_plan_goal;

/* The key that is bisected, on which keeping the SLO is taken to be monotone. */
typedef struct weir_plan_axis {
	const char *path; /* "": none */
	double from, to;
	bool integer;
	int goal;         /* weir_plan_goal: of the values that keep the SLO */
	double tolerance; /* of numbers that are not whole: the bracket's width / its good end */
} weir_plan_axis;

/* How points are weeded out. */
typedef struct weir_plan_halving {
	int64_t rungs; /* prefixes of the workload that a point has to pass, the whole one last */
	double factor; /* each so many times as long as the one before */
	double slack;  /* a prefix may have so many times the requests beyond limits */
	int64_t batch; /* points, the cheapest first, that go a rung on together */
} weir_plan_halving;

typedef struct weir_plan_file {
	weir_sweep_file space;
	weir_plan_slo slo;
	weir_plan_axis search;
	weir_plan_halving halving;
	double confidence; /* of what is said of the answers, (0, 1) */
} weir_plan_file;

/* For explanations. */
WEIR_API extern const weir_key_table weir_plan_keys;

/*
 * Loads a plan file; as weir_sweep_file_load. Refused besides: a search without from < to, or of a
 * key that an axis sets; targets that do not increase.
 */
WEIR_API weir_status weir_plan_file_load(const char *path, const char *const *directories,
                                         weir_plan_file **file, weir_error *error);
WEIR_API void weir_plan_file_destroy(weir_plan_file *file);

WEIR_END_C

#endif
