#include "workload/rate_curve.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

typedef struct knot {
	double time, rate;
	double mass; /* integral of the rate from 0 to `time` */
} knot;

struct weir_rate_curve {
	knot *knots; /* the first at time 0; of a periodic curve the last at `period` */
	size_t count;
	double period; /* 0: none */
};

static weir_status check(const weir_rate_point *points, size_t count, double period,
                         weir_error *error)
{
	if (count == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "points", "at least one point is needed");
	}
	for (size_t i = 0; i < count; i++) {
		if (!(points[i].time >= 0) || !(points[i].rate >= 0) || isinf(points[i].time) ||
		    isinf(points[i].rate)) {
			return weir_error_set(
			    error, WEIR_ERROR_INPUT, "points",
			    "point %zu is [%g, %g]; times and rates are finite and at least 0", i + 1,
			    points[i].time, points[i].rate);
		}
		if (i > 0 && points[i].time < points[i - 1].time) {
			return weir_error_set(error, WEIR_ERROR_INPUT, "points",
			                      "point %zu is at %g s, before the one ahead of it at %g s", i + 1,
			                      points[i].time, points[i - 1].time);
		}
	}
	if (!(period >= 0) || isinf(period) || (period > 0 && period < points[count - 1].time)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "period",
		                      "%g s; must be 0 (none) or not before the last point, at %g s",
		                      period, points[count - 1].time);
	}
	return WEIR_OK;
}

static void add_knot(weir_rate_curve *curve, double time, double rate)
{
	knot *added = &curve->knots[curve->count];
	*added = (knot){.time = time, .rate = rate};
	if (curve->count > 0) {
		const knot *before = added - 1;
		added->mass = before->mass + 0.5 * (before->rate + rate) * (time - before->time);
	}
	curve->count++;
}

weir_status weir_rate_curve_create(const weir_rate_point *points, size_t count, double period,
                                   double scale, weir_rate_curve **curve, weir_error *error)
{
	assert(scale > 0);
	weir_status status = check(points, count, period, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_rate_curve *made = weir_allocate(1, sizeof *made);
	/* One knot more at either end. */
	knot *knots = count < SIZE_MAX - 2 ? weir_allocate(count + 2, sizeof *knots) : NULL;
	if (made == NULL || knots == NULL) {
		free(made);
		free(knots);
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu rate points",
		                      count);
	}
	made->knots = knots;
	made->period = period;
	if (points[0].time > 0) {
		add_knot(made, 0, points[0].rate * scale);
	}
	for (size_t i = 0; i < count; i++) {
		add_knot(made, points[i].time, points[i].rate * scale);
	}
	const knot *last = &made->knots[made->count - 1];
	if (period > last->time) {
		add_knot(made, period, last->rate);
	}
	last = &made->knots[made->count - 1];
	bool silent = last->mass == 0 && (period > 0 || last->rate == 0);
	if (silent || !isfinite(last->mass)) {
		weir_rate_curve_destroy(made);
		return weir_error_set(error, WEIR_ERROR_INPUT, "points",
		                      silent ? "the rate is 0 everywhere; at least one must be above 0"
		                             : "the rates are too high to add up");
	}
	*curve = made;
	return WEIR_OK;
}

void weir_rate_curve_destroy(weir_rate_curve *curve)
{
	if (curve != NULL) {
		free(curve->knots);
		free(curve);
	}
}

/* The last knot at or before `time`. */
static size_t find_segment(const weir_rate_curve *curve, double time)
{
	size_t low = 0;
	size_t high = curve->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (curve->knots[middle].time <= time) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

static double slope(const weir_rate_curve *curve, size_t segment)
{
	if (segment + 1 == curve->count) {
		return 0;
	}
	const knot *from = &curve->knots[segment];
	return (from[1].rate - from->rate) / (from[1].time - from->time);
}

double weir_rate_curve_rate(const weir_rate_curve *curve, double time)
{
	double within = curve->period > 0 ? fmod(time, curve->period) : time;
	size_t i = find_segment(curve, within);
	return curve->knots[i].rate + slope(curve, i) * (within - curve->knots[i].time);
}

double weir_rate_curve_integral(const weir_rate_curve *curve, double time)
{
	double within = curve->period > 0 ? fmod(time, curve->period) : time;
	double cycles = curve->period > 0 ? round((time - within) / curve->period) : 0;
	size_t i = find_segment(curve, within);
	double x = within - curve->knots[i].time;
	double in_segment = (curve->knots[i].rate + 0.5 * slope(curve, i) * x) * x;
	return cycles * curve->knots[curve->count - 1].mass + curve->knots[i].mass + in_segment;
}

double weir_rate_curve_advance(const weir_rate_curve *curve, weir_rate_position *position,
                               double mass)
{
	assert(mass >= 0);
	position->mass += mass;
	double total = curve->knots[curve->count - 1].mass;
	if (curve->period > 0 && position->mass >= total) {
		double cycles = floor(position->mass / total);
		position->mass = fmax(0, position->mass - cycles * total);
		position->cycle += (int64_t)cycles;
		position->segment = 0;
	}
	size_t i = position->segment;
	while (i + 1 < curve->count && curve->knots[i + 1].mass <= position->mass) {
		i++;
	}
	position->segment = i;
	const knot *from = &curve->knots[i];
	double start = (double)position->cycle * curve->period + from->time;
	double left = position->mass - from->mass;
	if (left == 0) {
		return start;
	}
	if (i + 1 == curve->count) {
		if (curve->period > 0) {
			/* Rounding brought it to the very end of the cycle. */
			return start;
		}
		return from->rate > 0 ? start + left / from->rate : INFINITY;
	}
	/* The root of rate x + slope x^2 / 2 = left that does not cancel. */
	double root = sqrt(fmax(0, from->rate * from->rate + 2 * slope(curve, i) * left));
	double x = 2 * left / (from->rate + root);
	return start + fmin(x, from[1].time - from->time);
}
