/*
 * The points of a sweep: what each one sets, and its id.
 *
 * The id is the XXH3-128 of the point's resolved config, whatever its seed, and of what its policy
 * is beside that (study/sweep_policy.h), such as the content of an agent: it depends neither on
 * the order of the axes nor on the other points, so a sweep that grew, or one that came to the same
 * config by other axes, gives it the same id. Points with equal ids are one point.
 */
#ifndef WEIR_STUDY_SWEEP_POINT_H
#define WEIR_STUDY_SWEEP_POINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/memory.h"
#include "config/config.h"
#include "run/driver.h"
#include "study/process_pool.h"
#include "study/sweep_file.h"

WEIR_BEGIN_C

enum {
	WEIR_SWEEP_ID_SIZE = 33,          /* hex digits and NUL */
	WEIR_SWEEP_MOST_POINTS = 1000000, /* that are made without being told that it is meant */
	WEIR_SWEEP_MOST_RUNS = 1000000000 /* points * replications, in any case */
};

typedef struct weir_sweep_point {
	char id[WEIR_SWEEP_ID_SIZE];
	size_t made;             /* its number in the design, those that went counted */
	size_t set_count;        /* of what its axes set */
	const char *const *sets; /* "path=value", in the order of the axes */
} weir_sweep_point;

typedef struct weir_sweep_points {
	const weir_sweep_file *file; /* borrowed */
	weir_arena *arena;           /* of the texts */
	size_t count;
	weir_sweep_point *items;
	size_t repeated; /* points that were left out because an earlier one has the same id */
	/* XXH3-128 of the resolved base and of what every point sets, known before the ids: of equal
	 * definitions the ids are equal. */
	char definition[WEIR_SWEEP_ID_SIZE];
} weir_sweep_points;

/*
 * Makes the points, with empty ids; *points is to be released. `most`: refuses more (0: a limit
 * that memory sets). Refused: a sweep without points; a base that does not load.
 * Cost: about 200 bytes and a microsecond for each point and axis.
 */
WEIR_API weir_status weir_sweep_points_make(const weir_sweep_file *file, size_t most,
                                            weir_sweep_points *points, weir_error *error);

/*
 * Loads the config of every point over processes and fills the ids; points that are there twice go,
 * the first stays. The error of a config that does not load names the point and the key. Cost:
 * about a millisecond of CPU time for each point.
 */
WEIR_API weir_status weir_sweep_points_identify(weir_sweep_points *points,
                                                const weir_pool_options *options,
                                                weir_error *error);

WEIR_API void weir_sweep_points_release(weir_sweep_points *points);

/* What a run of a point is made of. */
typedef struct weir_sweep_setup {
	const weir_config *config;
	const weir_run_driver *driver; /* NULL: the config's own policies */
	void *handle;                  /* of the driver */
} weir_sweep_setup;

/* Loads the config of a point (NULL: of the base), the overrides of the sweep and the point, `seed`
 * and, unless it is NULL, one more override "path=value", which goes last; and what decides in its
 * runs. *setup is to be released, and holds nothing after an error. */
WEIR_API weir_status weir_sweep_setup_load(const weir_sweep_file *file,
                                           const weir_sweep_point *point, uint64_t seed,
                                           const char *set, weir_sweep_setup *setup,
                                           weir_error *error);
WEIR_API void weir_sweep_setup_release(const weir_sweep_file *file, weir_sweep_setup *setup);

WEIR_END_C

#endif
