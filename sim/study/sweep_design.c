#include "study/sweep_design.h"

#include <gsl/gsl_qrng.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

const char *const weir_design_names[] = {"grid", "random", "latin_hypercube", "sobol", NULL};

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the design");
}

/* Each dimension has a stream of its own, so that its first numbers do not depend on their count.
 */
static weir_status fill_random(uint64_t seed, size_t points, size_t dimensions, double *unit,
                               weir_error *error)
{
	for (size_t d = 0; d < dimensions; d++) {
		gsl_rng *stream = weir_stream_create(seed, "design.random", d);
		if (stream == NULL) {
			return no_memory(error);
		}
		for (size_t i = 0; i < points; i++) {
			unit[i * dimensions + d] = gsl_rng_uniform(stream);
		}
		gsl_rng_free(stream);
	}
	return WEIR_OK;
}

static weir_status fill_latin(uint64_t seed, size_t points, size_t dimensions, double *unit,
                              weir_error *error)
{
	size_t *order = weir_allocate(points, sizeof *order);
	weir_status status = order != NULL ? WEIR_OK : no_memory(error);
	for (size_t d = 0; status == WEIR_OK && d < dimensions; d++) {
		gsl_rng *stream = weir_stream_create(seed, "design.latin_hypercube", d);
		if (stream == NULL) {
			status = no_memory(error);
			break;
		}
		for (size_t i = 0; i < points; i++) {
			order[i] = i;
		}
		gsl_ran_shuffle(stream, order, points, sizeof *order);
		for (size_t i = 0; i < points; i++) {
			double u = ((double)order[i] + gsl_rng_uniform(stream)) / (double)points;
			/* Rounding must not move it into the next part. */
			unit[i * dimensions + d] =
			    fmin(u, nextafter((double)(order[i] + 1) / (double)points, 0));
		}
		gsl_rng_free(stream);
	}
	free(order);
	return status;
}

static weir_status fill_sobol(uint64_t seed, size_t points, size_t dimensions, double *unit,
                              weir_error *error)
{
	if (dimensions > WEIR_DESIGN_MOST_SOBOL) {
		return weir_error_set(error, WEIR_ERROR_INPUT, NULL,
		                      "Sobol's sequence has at most %d dimensions, not %zu; a "
		                      "latin_hypercube has any number",
		                      WEIR_DESIGN_MOST_SOBOL, dimensions);
	}
	double shift[WEIR_DESIGN_MOST_SOBOL];
	gsl_rng *stream = weir_stream_create(seed, "design.sobol", 0);
	gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)dimensions);
	if (stream == NULL || sequence == NULL) {
		gsl_rng_free(stream);
		gsl_qrng_free(sequence);
		return no_memory(error);
	}
	for (size_t d = 0; d < dimensions; d++) {
		shift[d] = gsl_rng_uniform(stream);
	}
	for (size_t i = 0; i < points; i++) {
		double *point = unit + i * dimensions;
		gsl_qrng_get(sequence, point);
		for (size_t d = 0; d < dimensions; d++) {
			double u = point[d] + shift[d];
			point[d] = u - floor(u);
		}
	}
	gsl_rng_free(stream);
	gsl_qrng_free(sequence);
	return WEIR_OK;
}

weir_status weir_design_fill(weir_design_kind kind, uint64_t seed, size_t points, size_t dimensions,
                             double *unit, weir_error *error)
{
	switch (kind) {
	case WEIR_DESIGN_LATIN_HYPERCUBE:
		return fill_latin(seed, points, dimensions, unit, error);
	case WEIR_DESIGN_SOBOL:
		return fill_sobol(seed, points, dimensions, unit, error);
	default:
		return fill_random(seed, points, dimensions, unit, error);
	}
}
