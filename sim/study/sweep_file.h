/*
 * A sweep file: thousands of runs of one config, described in a page of JSON.
 *
 * It says which config is the base, what changes from point to point (axes and design), how often
 * each point is run (replications), what is kept of a run and what becomes of one that failed.
 */
#ifndef WEIR_STUDY_SWEEP_FILE_H
#define WEIR_STUDY_SWEEP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "config/document.h"
#include "study/sweep_axes.h"
#include "study/sweep_design.h"
#include "study/sweep_policy.h"

WEIR_BEGIN_C

/* What stays of a run: its HDF5 file and its figures in the store, or only these. */
typedef enum weir_sweep_keep { WEIR_KEEP_FILES, WEIR_KEEP_SUMMARY } weir_sweep_keep;

typedef struct weir_sweep_design {
	int kind;       /* weir_design_kind */
	int64_t points; /* of all but the grid */
} weir_sweep_design;

/* Delays before another attempt, in seconds, by how a run failed; after the last one: FAILED. */
typedef struct weir_sweep_retry {
	weir_key_list crash, out_of_memory, timeout; /* of double */
} weir_sweep_retry;

typedef struct weir_sweep_file {
	const char *base;          /* the config */
	weir_sweep_values overlay; /* files laid over it, in order */
	weir_sweep_values set;     /* "path=value" of every point */
	int64_t seed, replications;
	bool independent; /* each point draws its own seeds */
	weir_sweep_design design;
	weir_key_list axes; /* of weir_sweep_axis */
	double until;       /* simulated seconds; INFINITY: to the end */
	int keep;           /* weir_sweep_keep */
	double timeout;     /* seconds that a run may take; 0: any */
	double memory;      /* bytes that a run may take; 0: any */
	weir_sweep_retry retry;
	/* Beside the keys. */
	const char *path;
	const char *directory;          /* where relative file names that it says start */
	const char *const *directories; /* where included files are also looked for; borrowed */
	/* Of weir_sweep_policies_resolve: the values of an axis "policy". */
	const weir_sweep_policies *policies;
	const weir_sweep_policy *named_policies;
	size_t named_policy_count;
	weir_arena *arena; /* owns the texts */
} weir_sweep_file;

/* For explanations. An object read by it begins with a weir_sweep_file. */
WEIR_API extern const weir_key_table weir_sweep_keys;
/* The keys that say which points there are, and which of their replications: base to design,
 * replications, seed, until; without axes the base is the one point. */
WEIR_API extern const weir_key_table weir_sweep_space_keys;

/* Refuses a grid with a range that does not say how many levels it has. Of a space at `path`; for
 * the checks of key tables whose points are those of the design. */
WEIR_API weir_status weir_sweep_space_check_grid(weir_keys_reader *reader, const char *path,
                                                 const weir_sweep_file *space, weir_error *error);

/* Loads an object of `table` that has a space at `offset`, from a file as below. *object is of the
 * arena of its space, which is to be destroyed; NULL after an error. */
WEIR_API weir_status weir_sweep_space_load(const weir_key_table *table, size_t offset,
                                           const char *path, const char *const *directories,
                                           void **object, weir_error *error);

/*
 * Loads a sweep file; relative file names in it start where it stands. `directories` (borrowed,
 * NULL-terminated, may be NULL): where files that configs include are also looked for. *file is to
 * be destroyed; NULL after an error.
 *
 * Refused, with the key: what the key tables refuse; no axes; a path that two axes set, that is no
 * key path, or that a sweep itself decides (seed); a condition on a path that no earlier axis sets;
 * zipped lists of different lengths; a range in a grid without a count; a design without points.
 * The base and the points are not looked at: weir_sweep_points_identify.
 */
WEIR_API weir_status weir_sweep_file_load(const char *path, const char *const *directories,
                                          weir_sweep_file **file, weir_error *error);
WEIR_API void weir_sweep_file_destroy(weir_sweep_file *file);

/*
 * The seed of a run, below 2^53: of (file->seed, replication) alone, so that every point meets the
 * same arrivals, sizes and faults (common random numbers); with file->independent also of the
 * point's id.
 */
WEIR_API uint64_t weir_sweep_seed(const weir_sweep_file *file, const char *id,
                                  uint64_t replication);

WEIR_END_C

#endif
