/*
 * Families: the runs that belong to one scenario.
 *
 * A comparison that is run once says little, and one that is run on a single curve of load says
 * little about others. The section `family` makes many runs of one config: replication r of a study
 * takes a seed of its own and, of n shapes, the overrides of shape r mod n. Two configs that differ
 * in nothing but their families (other seeds, other shapes) are a training and a held-out set.
 */
#ifndef WEIR_CONFIG_FAMILY_H
#define WEIR_CONFIG_FAMILY_H

#include <stddef.h>
#include <stdint.h>

#include "base/export.h"
#include "base/keys.h"

WEIR_BEGIN_C

/* Overrides of the config, in the order of the file. */
typedef struct weir_family_shape {
	const char *const *sets; /* "path=value", as of --set */
	size_t count;
	const char *origin;    /* the file that says it, and its key path */
	const char *directory; /* where relative file names in it start */
} weir_family_shape;

/* The section `family`. */
typedef struct weir_family {
	int64_t seed;         /* the config's own where the section has none */
	weir_key_list shapes; /* of weir_family_shape; none: the config as it is */
} weir_family;

WEIR_API extern const weir_key_table weir_family_keys;

/* The seed of a replication: 53 bits of weir_stream_seed(family->seed, "family", replication). */
WEIR_API uint64_t weir_family_seed(const weir_family *family, uint64_t replication);

/* The shape of a replication; NULL where there are none. */
WEIR_API const weir_family_shape *weir_family_shape_of(const weir_family *family,
                                                       uint64_t replication);

WEIR_END_C

#endif
