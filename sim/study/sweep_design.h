/*
 * Designs of experiments: n points in the unit cube of d dimensions.
 *
 * Every design is a function of (kind, seed, n, d) alone. Those of `random` and `sobol` grow: their
 * first points stay what they are when n does.
 */
#ifndef WEIR_STUDY_SWEEP_DESIGN_H
#define WEIR_STUDY_SWEEP_DESIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef enum weir_design_kind {
	WEIR_DESIGN_GRID,            /* every combination of levels; not of the unit cube */
	WEIR_DESIGN_RANDOM,          /* independent and uniform */
	WEIR_DESIGN_LATIN_HYPERCUBE, /* in each dimension one point in each of n equal parts (McKay,
	                                Beckman, Conover 1979) */
	WEIR_DESIGN_SOBOL            /* Sobol's sequence (GSL's, after Antonov and Saleev 1979), shifted
	                                modulo 1 by a random vector (Cranley and Patterson 1976) */
} weir_design_kind;

/* NULL-terminated, in the order of the enum. */
WEIR_API extern const char *const weir_design_names[];

enum { WEIR_DESIGN_MOST_SOBOL = 40 }; /* dimensions of GSL's sequence */

/*
 * Fills unit[point * dimensions + dimension], each in [0, 1). `kind` is not the grid. Refused: more
 * dimensions than Sobol's sequence has. Cost: O(n d).
 */
WEIR_API weir_status weir_design_fill(weir_design_kind kind, uint64_t seed, size_t points,
                                      size_t dimensions, double *unit, weir_error *error);

WEIR_END_C

#endif
