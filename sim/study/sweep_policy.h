/*
 * The axis "policy" of a space: what scales, by the names that `weir run --policy` knows.
 *
 * It is no key of a config. What a name stands for is the business of the one who begins the sweep
 * and hands in a weir_sweep_policies: a sweep itself knows but files to lay over the base, drivers,
 * and texts that tell one policy from another.
 */
#ifndef WEIR_STUDY_SWEEP_POLICY_H
#define WEIR_STUDY_SWEEP_POLICY_H

#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "base/memory.h"
#include "config/config.h"
#include "run/driver.h"

WEIR_BEGIN_C

/* What a name stands for. */
typedef struct weir_sweep_policy_meaning {
	const char *overlay; /* a file that is laid over the base and its overlays; NULL: none */
	const char *set;     /* an override "path=value"; NULL: none */
	/* What a run depends on beside its config, such as the SHA-256 of files: part of the ids of
	 * points. NULL: nothing. */
	const char *identity;
	void *content; /* for `open` */
} weir_sweep_policy_meaning;

typedef struct weir_sweep_policies {
	/* Relative file names in `name` start at `directory`. Texts are of `arena`. */
	weir_status (*resolve)(const char *name, const char *directory, weir_arena *arena,
	                       weir_sweep_policy_meaning *meaning, weir_error *error);
	/* What decides in runs of `config`; *driver NULL: the config's own policies. *handle is to be
	 * closed, unless it is NULL, as after an error. */
	weir_status (*open)(const weir_sweep_policy_meaning *meaning, const weir_config *config,
	                    void **handle, const weir_run_driver **driver, weir_error *error);
	void (*close)(void *handle);
} weir_sweep_policies;

/* A value of an axis "policy". */
typedef struct weir_sweep_policy {
	const char *set;             /* what a point that has it says: policy="NAME" */
	const char *const *overlays; /* the space's own and that of the meaning */
	size_t overlay_count;
	weir_sweep_policy_meaning meaning;
} weir_sweep_policy;

struct weir_sweep_file;
struct weir_sweep_point;

/* Finds out what the values of axes "policy" stand for; to be called before points are made.
 * `policies` (borrowed) may be NULL: the space must have no such axis. Refused: values that are no
 * names; what `policies` refuses. */
WEIR_API weir_status weir_sweep_policies_resolve(struct weir_sweep_file *space,
                                                 const weir_sweep_policies *policies,
                                                 weir_error *error);

/* The policy that a point sets; NULL: none, as of the base (`point` NULL). */
WEIR_API const weir_sweep_policy *weir_sweep_policy_of(const struct weir_sweep_file *space,
                                                       const struct weir_sweep_point *point);

WEIR_END_C

#endif
