#include "study/morris.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

size_t weir_morris_points(const weir_morris_design *design)
{
	return design->trajectories * (design->factors + 1);
}

/* A whole number below `count`, draw `index` of a trajectory. */
static size_t draw(uint64_t seed, uint64_t index, size_t count)
{
	size_t drawn = (size_t)(weir_stream_uniform(seed, "morris", index) * (double)count);
	return drawn < count ? drawn : count - 1;
}

/* The order of the factors, by Fisher and Yates. */
static void shuffle(uint64_t seed, size_t factors, size_t *order)
{
	for (size_t i = 0; i < factors; i++) {
		order[i] = i;
	}
	for (size_t i = factors; i > 1; i--) {
		size_t other = draw(seed, 2 * factors + i, i);
		size_t kept = order[i - 1];
		order[i - 1] = order[other];
		order[other] = kept;
	}
}

static void fill_trajectory(const weir_morris_design *design, size_t number, size_t *order,
                            double *unit)
{
	size_t factors = design->factors;
	size_t half = design->levels / 2;
	double top = (double)(design->levels - 1);
	uint64_t seed = weir_stream_seed(design->seed, "trajectory", number);
	shuffle(seed, factors, order);
	for (size_t f = 0; f < factors; f++) {
		size_t low = draw(seed, f, half);
		bool up = draw(seed, factors + f, 2) == 1;
		double before = (double)(up ? low : low + half) / top;
		double after = (double)(up ? low + half : low) / top;
		bool changed = false;
		for (size_t step = 0; step <= factors; step++) {
			unit[step * factors + f] = changed ? after : before;
			changed = changed || (step < factors && order[step] == f);
		}
	}
}

weir_status weir_morris_fill(const weir_morris_design *design, double *unit, weir_error *error)
{
	assert(design->factors > 0 && design->levels >= 2 && design->levels % 2 == 0);
	size_t *order = weir_allocate(design->factors, sizeof *order);
	if (order == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the design");
	}
	for (size_t t = 0; t < design->trajectories; t++) {
		fill_trajectory(design, t, order, &unit[t * (design->factors + 1) * design->factors]);
	}
	free(order);
	return WEIR_OK;
}

/* The elementary effect of a factor in the trajectory that begins at `first`. */
static double effect_of(const weir_morris_design *design, const double *unit, const double *output,
                        size_t first, size_t factor)
{
	for (size_t step = first; step < first + design->factors; step++) {
		double change =
		    unit[(step + 1) * design->factors + factor] - unit[step * design->factors + factor];
		if (change != 0.0) {
			return (output[step + 1] - output[step]) / change;
		}
	}
	return (double)NAN;
}

void weir_morris_effects(const weir_morris_design *design, const double *unit, const double *output,
                         weir_morris_effect *effects)
{
	double count = (double)design->trajectories;
	for (size_t f = 0; f < design->factors; f++) {
		double sum = 0.0;
		double absolute = 0.0;
		for (size_t t = 0; t < design->trajectories; t++) {
			double effect = effect_of(design, unit, output, t * (design->factors + 1), f);
			sum += effect;
			absolute += fabs(effect);
		}
		double squares = 0.0;
		for (size_t t = 0; t < design->trajectories; t++) {
			double effect = effect_of(design, unit, output, t * (design->factors + 1), f);
			squares += (effect - sum / count) * (effect - sum / count);
		}
		effects[f] = (weir_morris_effect){
		    .mu_star = absolute / count,
		    .mu = sum / count,
		    .sigma = design->trajectories > 1 ? sqrt(squares / (count - 1.0)) : (double)NAN};
	}
}
