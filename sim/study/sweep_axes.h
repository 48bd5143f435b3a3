/*
 * The axes of a sweep: what its points differ in.
 *
 * An axis is one dimension of the design. It sets one key of the config, or several that change
 * together (zipped), to one of a list of values or to a number of a range. An axis with conditions
 * is there only at points where earlier axes have certain values; elsewhere its keys stay as the
 * base has them.
 */
#ifndef WEIR_STUDY_SWEEP_AXES_H
#define WEIR_STUDY_SWEEP_AXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "base/memory.h"

WEIR_BEGIN_C

/* Numbers from `from` to `to`, both ends included. */
typedef struct weir_sweep_span {
	double from, to;
	int64_t count; /* levels in a grid; 0: not said. Other designs take any number in between */
} weir_sweep_span;

/* JSON texts. */
typedef struct weir_sweep_values {
	size_t count;
	const char *const *texts;
} weir_sweep_values;

/* One key that an axis sets; just one of values, range and log_range is given. */
typedef struct weir_sweep_setting {
	const char *path;         /* as of --set */
	weir_sweep_values values; /* count 0: not given */
	weir_sweep_span range;    /* from == to: not given */
	weir_sweep_span log_range;
	bool integer; /* numbers of ranges are rounded to whole ones */
} weir_sweep_setting;

/* That an earlier axis has set `path` to one of `values`. */
typedef struct weir_sweep_condition {
	const char *path;
	weir_sweep_values values;
} weir_sweep_condition;

typedef struct weir_sweep_conditions {
	size_t count;
	const weir_sweep_condition *items;
} weir_sweep_conditions;

typedef struct weir_sweep_axis {
	weir_sweep_setting setting;      /* path "": the axis is zipped */
	weir_key_list zip;               /* of weir_sweep_setting, all of one length */
	weir_sweep_conditions when;      /* all of them must hold */
	const weir_sweep_setting *items; /* what it sets: &setting, or those of zip */
	size_t item_count;
	size_t levels; /* in a grid; 0: a range without a count, which a grid refuses */
} weir_sweep_axis;

/* One axis in a sweep file; also checks what can be checked of it alone. */
WEIR_API extern const weir_key_table weir_sweep_axis_keys;

/* The value of a setting at level `level` of its axis, from 0, as JSON text in the arena; NULL when
 * memory is out. */
WEIR_API const char *weir_sweep_value_at_level(weir_arena *arena, const weir_sweep_setting *setting,
                                               size_t level);
/* The same at `u` in [0, 1): a list is cut into equal parts; a range is linear in u, a log range in
 * its logarithm. Whole numbers of a linear range have equal shares of [0, 1). */
WEIR_API const char *weir_sweep_value_at(weir_arena *arena, const weir_sweep_setting *setting,
                                         double u);

/* Whether an axis is there at a point at which earlier axes set `paths[i]` to `values[i]`. */
WEIR_API bool weir_sweep_axis_applies(const weir_sweep_axis *axis, const char *const *paths,
                                      const char *const *values, size_t count);

WEIR_END_C

#endif
