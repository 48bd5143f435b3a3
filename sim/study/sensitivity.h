/*
 * Which keys of a config matter: elementary effects of the axes of a space on the figures of its
 * runs, by Morris's screening or one at a time from the base.
 */
#ifndef WEIR_STUDY_SENSITIVITY_H
#define WEIR_STUDY_SENSITIVITY_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/table.h"
#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "study/morris.h"
#include "study/process_pool.h"
#include "study/sweep_file.h"

WEIR_BEGIN_C

typedef enum weir_sensitivity_method {
	WEIR_SENSITIVITY_MORRIS,
	WEIR_SENSITIVITY_ONE_AT_A_TIME /* each axis from its first to its last value, all others at
	                                  their first: an effect of one step */
} weir_sensitivity_method;

typedef struct weir_sensitivity_file {
	weir_sweep_file space;
	int method; /* weir_sensitivity_method */
	int64_t trajectories, levels;
} weir_sensitivity_file;

WEIR_API extern const weir_key_table weir_sensitivity_keys;

/* Loads a file; as weir_plan_file_load. Refused: no axes; an axis with conditions; an odd number of
 * levels. */
WEIR_API weir_status weir_sensitivity_file_load(const char *path, const char *const *directories,
                                                weir_sensitivity_file **file, weir_error *error);
WEIR_API void weir_sensitivity_file_destroy(weir_sensitivity_file *file);

enum { WEIR_SENSITIVITY_FIGURES = 5 };

/* attainment, cost_usd, and the p99 slowdowns of TTFT, TBT and E2E. */
WEIR_API extern const char *const weir_sensitivity_figures[WEIR_SENSITIVITY_FIGURES];

typedef struct weir_sensitivity {
	const weir_sensitivity_file *file; /* borrowed */
	size_t factors;                    /* axes */
	size_t runs;
	weir_morris_effect *effects; /* [factor][figure]; of one at a time sigma is NaN */
} weir_sensitivity;

/*
 * Runs the design, each point in all replications of the space (common random numbers), and finds
 * the effects of its mean figures. *result is to be released. Errors: of a config or a run.
 */
WEIR_API weir_status weir_sensitivity_find(const weir_sensitivity_file *file,
                                           const weir_pool_options *options,
                                           weir_sensitivity *result, weir_error *error);
WEIR_API void weir_sensitivity_release(weir_sensitivity *result);

/* A table, a row for each factor and figure; to be freed, NULL when memory is out. */
WEIR_API char *weir_sensitivity_print(const weir_sensitivity *result, weir_table_format format);

WEIR_END_C

#endif
