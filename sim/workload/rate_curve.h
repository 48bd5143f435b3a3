/*
 * Request rates that change with time: a piecewise-linear curve, its integral and the integral's
 * inverse.
 *
 * A renewal process of unit rate, its arrivals mapped through that inverse, has the curve as its
 * rate; with exponential gaps it is the non-homogeneous Poisson process, exactly (Cinlar 1975),
 * with other gaps its burstiness is kept (Gerhardt and Nelson 2009, "Transforming renewal processes
 * for simulation of nonstationary arrival processes").
 */
#ifndef WEIR_WORKLOAD_RATE_CURVE_H
#define WEIR_WORKLOAD_RATE_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_rate_point {
	double time; /* seconds */
	double rate; /* requests/s */
} weir_rate_point;

/* Immutable once made. */
typedef struct weir_rate_curve weir_rate_curve;

/* A place on the curve; all zero is time 0. */
typedef struct weir_rate_position {
	int64_t cycle; /* whole periods passed */
	uint64_t segment;
	double mass; /* integral of the rate since the start of the cycle */
} weir_rate_position;

/*
 * Makes a curve through `points`, times from 0 and never decreasing; two points at one time are a
 * step. Before the first point and after the last the rate is theirs. With period > 0, not before
 * the last point, the curve starts again every `period` seconds; 0: it does not. Rates are
 * multiplied by `scale`. Errors: WEIR_ERROR_INPUT with where = "points" or "period", and what is
 * wrong.
 */
WEIR_API weir_status weir_rate_curve_create(const weir_rate_point *points, size_t count,
                                            double period, double scale, weir_rate_curve **curve,
                                            weir_error *error);
WEIR_API void weir_rate_curve_destroy(weir_rate_curve *curve);

/* The rate at `time` >= 0, in requests/s; at a step, the one after it. O(log points). */
WEIR_API double weir_rate_curve_rate(const weir_rate_curve *curve, double time);

/* The integral of the rate from 0 to `time`: the expected number of requests. O(log points). */
WEIR_API double weir_rate_curve_integral(const weir_rate_curve *curve, double time);

/*
 * Moves on until the integral has grown by `mass` >= 0 and returns the time there; INFINITY when it
 * never will. Amortised O(1) along the curve.
 */
WEIR_API double weir_rate_curve_advance(const weir_rate_curve *curve, weir_rate_position *position,
                                        double mass);

WEIR_END_C

#endif
