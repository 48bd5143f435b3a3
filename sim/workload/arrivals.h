/*
 * Arrival processes: when requests come.
 *
 * A process is immutable; where it stands is a small plain struct of the caller's, so that a
 * snapshot is a copy. Every process is stationary from time 0 on (its expected number of arrivals
 * in the first t seconds is the integral of its rate), except `constant`, whose first arrival is at
 * 0.
 */
#ifndef WEIR_WORKLOAD_ARRIVALS_H
#define WEIR_WORKLOAD_ARRIVALS_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "workload/rate_curve.h"

WEIR_BEGIN_C

/* name, what it is */
#define WEIR_ARRIVALS_LIST(X)                                                                      \
	X(LIKE, "like", "as the file named by `workload.like` has it")                                 \
	X(CONSTANT, "constant", "equal gaps, the first arrival at 0")                                  \
	X(POISSON, "poisson", "exponential gaps")                                                      \
	X(GAMMA, "gamma", "gamma-distributed gaps of given coefficient of variation")                  \
	X(WEIBULL, "weibull", "Weibull-distributed gaps of given shape or coefficient of variation")   \
	X(MMPP, "mmpp", "Markov-modulated Poisson: bursts, as a hidden state changes the rate")        \
	X(PIECEWISE, "piecewise", "a rate that is linear between given points")                        \
	X(DIURNAL, "diurnal", "a rate that follows a sine, 96 straight pieces to a period")            \
	X(RAMP, "ramp", "a rate that changes linearly, then stays")                                    \
	X(FLASH_CROWD, "flash_crowd", "a rate that rises to a peak, holds it and falls back")

typedef enum weir_arrivals_kind {
#define WEIR_ARRIVALS_ENUM(name, text, doc) WEIR_ARRIVALS_##name,
	WEIR_ARRIVALS_LIST(WEIR_ARRIVALS_ENUM)
#undef WEIR_ARRIVALS_ENUM
} weir_arrivals_kind;

/* Rates in requests/s, times in seconds. Fields of other kinds than the chosen one are not read. */
typedef struct weir_arrivals_config {
	int kind;     /* weir_arrivals_kind */
	double rate;  /* constant, poisson, gamma, weibull */
	double cv;    /* standard deviation / mean of the gaps: gamma, weibull, and the kinds with a
	                 rate that changes (gamma gaps before the change of time; 1: Poisson) */
	double shape; /* weibull: 0: from cv */
	weir_key_list rates;    /* mmpp: of double, one for each state */
	weir_key_list sojourns; /* mmpp: of double, the mean stay in each state */
	weir_key_list points;   /* piecewise: of weir_rate_point */
	double period;          /* piecewise (0: does not repeat), diurnal */
	/* diurnal: rate = mean (1 + amplitude sin(2 pi (t - phase) / period)) */
	double mean, amplitude, phase;
	double from, to, duration;                  /* ramp */
	double base, peak, start, rise, hold, fall; /* flash_crowd */
} weir_arrivals_config;

/* NULL-terminated names of the kinds, by weir_arrivals_kind. */
WEIR_API extern const char *const weir_arrivals_kinds[];

typedef struct weir_arrivals weir_arrivals;

/* Where a process stands; all zero is its start. */
typedef struct weir_arrivals_state {
	double time;   /* of the last arrival */
	int64_t count; /* arrivals so far */
	weir_rate_position position;
	int64_t regime; /* mmpp: the hidden state */
	double regime_end;
} weir_arrivals_state;

/*
 * Makes the process, with all rates multiplied by `rate_scale` > 0. Errors: WEIR_ERROR_INPUT with
 * where = the key that is wrong ("rate", "points", ...) and what would be right.
 */
WEIR_API weir_status weir_arrivals_create(const weir_arrivals_config *config, double rate_scale,
                                          weir_arrivals **arrivals, weir_error *error);
WEIR_API void weir_arrivals_destroy(weir_arrivals *arrivals);

/* The time of the next arrival, never before the last; INFINITY when there is none. */
WEIR_API double weir_arrivals_next(const weir_arrivals *arrivals, weir_arrivals_state *state,
                                   gsl_rng *random);

WEIR_END_C

#endif
