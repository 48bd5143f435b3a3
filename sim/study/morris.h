/*
 * Screening of factors by elementary effects (Morris 1991, Factorial Sampling Plans for Preliminary
 * Computational Experiments; mu* after Campolongo, Cariboni, Saltelli 2007).
 *
 * A trajectory begins at a random point of a grid of `levels` levels in the unit cube of `factors`
 * dimensions and changes one factor after another, in random order, up or down by half of the
 * levels: delta = levels / (2 (levels - 1)). Each step gives an elementary effect of its factor:
 * the difference of the output over that of the factor.
 */
#ifndef WEIR_STUDY_MORRIS_H
#define WEIR_STUDY_MORRIS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_morris_design {
	uint64_t seed;
	size_t factors, trajectories; /* at least 1 each */
	size_t levels;                /* even, at least 2 */
} weir_morris_design;

/* Points of a design: factors + 1 for each trajectory, one after the other. */
WEIR_API size_t weir_morris_points(const weir_morris_design *design);

/* Fills unit[point * factors + factor], each in [0, 1]. A trajectory depends on the seed, its
 * number, factors and levels alone. Errors: out of memory. */
WEIR_API weir_status weir_morris_fill(const weir_morris_design *design, double *unit,
                                      weir_error *error);

typedef struct weir_morris_effect {
	double mu_star; /* mean of the absolute effects: how much the factor matters */
	double mu;      /* mean of the effects: in which direction */
	double sigma;   /* their deviation: how much depends on other factors, or on where it is; NaN:
	                   one trajectory */
} weir_morris_effect;

/* Fills effects[factors] from the output at each point of the design. */
WEIR_API void weir_morris_effects(const weir_morris_design *design, const double *unit,
                                  const double *output, weir_morris_effect *effects);

WEIR_END_C

#endif
