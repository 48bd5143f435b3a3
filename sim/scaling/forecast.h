/*
 * Forecasts of a series of equally spaced or timed observations: least-squares slope, exponential
 * smoothing, autoregression. Pure functions on flat memory of the caller; nothing is allocated.
 *
 * Costs: an observation is O(1); a forecast O(window) for the slope, O(steps) for smoothing and
 * O(window * order^2 + steps * order) for the autoregression.
 */
#ifndef WEIR_SCALING_FORECAST_H
#define WEIR_SCALING_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/export.h"

WEIR_BEGIN_C

typedef struct weir_observation {
	double time; /* s */
	double value;
} weir_observation;

/* The last `capacity` observations, in one block of weir_series_bytes(capacity). */
typedef struct weir_series {
	size_t capacity, count;
	size_t first; /* index of the oldest */
	weir_observation ring[];
} weir_series;

WEIR_API size_t weir_series_bytes(size_t capacity);
/* Empties it; capacity >= 1. */
WEIR_API void weir_series_start(weir_series *series, size_t capacity);
/* Times never decrease. The oldest one goes when it is full. */
WEIR_API void weir_series_add(weir_series *series, double time, double value);
/* Observation `i` from the oldest, i < series->count. */
WEIR_API weir_observation weir_series_get(const weir_series *series, size_t i);

/* When a slope is trusted, and how far. */
typedef struct weir_slope_rule {
	double window;         /* s: observations later than now - window count */
	size_t least_points;   /* >= 2 */
	double least_coverage; /* share of the window that they must span */
	double cap;            /* the forecast is at most so many times their mean; 0: no cap */
} weir_slope_rule;

typedef struct weir_slope_forecast {
	double mean;      /* of the observations in the window */
	double slope;     /* per second */
	double predicted; /* mean + slope * horizon, at least 0 */
} weir_slope_forecast;

/*
 * What a predictor of AIBrix says (pkg/controller/podautoscaler/prediction/predictor.go, 2026): the
 * least-squares slope of what was observed in (now - window, now], added to their mean (not to the
 * line's value now) for `horizon` seconds. False, with *forecast as it was, when there are too few
 * observations or they span too little time.
 */
WEIR_API bool weir_forecast_slope(const weir_series *series, const weir_slope_rule *rule,
                                  double now, double horizon, weir_slope_forecast *forecast);

/* Factors of exponential smoothing, each 0..1. */
typedef struct weir_smoothing {
	double alpha;  /* of the level */
	double beta;   /* of the trend */
	double gamma;  /* of the season */
	double phi;    /* damps the trend; 1: it goes on for ever */
	size_t period; /* observations in a season, >= 2; 0: no season */
} weir_smoothing;

/* State of the smoothing, in one block of weir_holt_winters_bytes(period); all zero at first. */
typedef struct weir_holt_winters {
	double level, trend;
	uint64_t count;  /* observations */
	double season[]; /* 2 * period: the first two periods as observed, then the seasonal terms at
	                    the start of it, by count modulo period */
} weir_holt_winters;

WEIR_API size_t weir_holt_winters_bytes(size_t period);

/*
 * Additive Holt-Winters with a damped trend (Holt 1957; Winters 1960; Hyndman and Athanasopoulos,
 * Forecasting: Principles and Practice, 3rd ed., 8.2 to 8.4, in the notation of their beta* ):
 *
 *   level  l = alpha (y - s[t-m]) + (1 - alpha) (l' + phi b')
 *   trend  b = beta (l - l') + (1 - beta) phi b'
 *   season s = gamma (y - l' - phi b') + (1 - gamma) s[t-m]
 *   ahead  y[t+h] = l + (phi + ... + phi^h) b + s[t+h-m(k+1)], k = floor((h-1)/m)
 *
 * It starts from the first two observations, which lie on the line. With a season it goes without
 * one until two whole periods were seen; they set all three then: the trend from their two means,
 * the level from the line through these, the seasonal terms from the mean distance to that line.
 */
WEIR_API void weir_holt_winters_add(const weir_smoothing *smoothing, weir_holt_winters *state,
                                    double value);
/* The forecast `steps` >= 1 observations ahead, and in *peak the highest of those up to there; 0
 * before the first observation. O(steps). */
WEIR_API double weir_holt_winters_ahead(const weir_smoothing *smoothing,
                                        const weir_holt_winters *state, size_t steps, double *peak);

enum { WEIR_MOST_AR_ORDER = 16 };

/* Doubles of working memory that weir_forecast_ar needs for `count` values. */
WEIR_API size_t weir_ar_work(size_t count, size_t order);

/*
 * Autoregression y[t] = c + a1 y[t-1] + ... + ap y[t-p] of order p <= WEIR_MOST_AR_ORDER, fitted to
 * the `count` values (oldest first) by least squares (conditional on the first p of them; Brockwell
 * and Davis, Introduction to Time Series and Forecasting, 5.1), then iterated `steps` ahead into
 * path[0..steps-1]. Where the fit does not have one solution (a constant, a straight line), it is
 * that of as many columns as are independent. GSL does the fit; its last bits are those of the
 * CBLAS that the program is linked with. False, with all of the path the last value, when there are
 * fewer than 2 p + 1 values or a forecast is not finite.
 */
WEIR_API bool weir_forecast_ar(const double *values, size_t count, size_t order, size_t steps,
                               double *work, double *path);

WEIR_END_C

#endif
