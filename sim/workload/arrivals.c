#include "workload/arrivals.h"

#include <assert.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_roots.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

const char *const weir_arrivals_kinds[] = {
#define WEIR_ARRIVALS_NAME(name, text, doc) text,
    WEIR_ARRIVALS_LIST(WEIR_ARRIVALS_NAME)
#undef WEIR_ARRIVALS_NAME
        NULL,
};

/* Limits on the shape of gaps: beyond them a gap is as good as constant, or as good as 0 or for
 * ever. */
static const double smallest_cv = 0.01;
static const double largest_cv = 50;

typedef struct arrivals_type {
	weir_status (*prepare)(weir_arrivals *arrivals, const weir_arrivals_config *config,
	                       double rate_scale, weir_error *error);
	double (*next)(const weir_arrivals *arrivals, weir_arrivals_state *state, gsl_rng *random);
} arrivals_type;

struct weir_arrivals {
	const arrivals_type *type;
	double rate;
	double shape, scale; /* of gaps; for a changing rate, of gaps with mean 1 */
	double *rates;       /* mmpp */
	double *sojourns;
	size_t regimes;
	weir_rate_curve *curve;
};

static weir_status fail(weir_error *error, const char *key, double value, const char *right)
{
	return weir_error_set(error, WEIR_ERROR_INPUT, key, "%g; must be %s", value, right);
}

static bool is_positive(double value)
{
	return value > 0 && isfinite(value);
}

static weir_status prepare_rate(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                double rate_scale, weir_error *error)
{
	if (!is_positive(config->rate)) {
		return fail(error, "rate", config->rate, "above 0 requests/s");
	}
	arrivals->rate = config->rate * rate_scale;
	return WEIR_OK;
}

static double next_constant(const weir_arrivals *arrivals, weir_arrivals_state *state,
                            gsl_rng *random)
{
	(void)random;
	return (double)state->count / arrivals->rate;
}

static double next_poisson(const weir_arrivals *arrivals, weir_arrivals_state *state,
                           gsl_rng *random)
{
	return state->time + gsl_ran_exponential(random, 1 / arrivals->rate);
}

static weir_status check_cv(double cv, weir_error *error)
{
	if (!(cv >= smallest_cv && cv <= largest_cv)) {
		return fail(error, "cv", cv, "from 0.01 to 50");
	}
	return WEIR_OK;
}

static weir_status prepare_gamma(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                 double rate_scale, weir_error *error)
{
	weir_status status = prepare_rate(arrivals, config, rate_scale, error);
	if (status == WEIR_OK) {
		status = check_cv(config->cv, error);
	}
	if (status == WEIR_OK) {
		arrivals->shape = 1 / (config->cv * config->cv);
		arrivals->scale = 1 / (arrivals->rate * arrivals->shape);
	}
	return status;
}

/* The wait from a time chosen without regard to arrivals is a uniform share of a gap met with
 * probability in proportion to its length; such a gamma gap is gamma with one more in its shape. */
static double gamma_gap(const weir_arrivals *arrivals, bool first, gsl_rng *random)
{
	if (first) {
		double share = gsl_rng_uniform(random);
		return share * gsl_ran_gamma(random, arrivals->shape + 1, arrivals->scale);
	}
	return gsl_ran_gamma(random, arrivals->shape, arrivals->scale);
}

static double next_gamma(const weir_arrivals *arrivals, weir_arrivals_state *state, gsl_rng *random)
{
	return state->time + gamma_gap(arrivals, state->count == 0, random);
}

/* log(1 + cv^2) of a Weibull distribution with shape exp(x), less that wanted. */
static double weibull_excess(double x, void *wanted)
{
	double inverse = exp(-x);
	return gsl_sf_lngamma(1 + 2 * inverse) - 2 * gsl_sf_lngamma(1 + inverse) -
	       *(const double *)wanted;
}

static double weibull_shape(double cv)
{
	double wanted = log1p(cv * cv);
	gsl_function function = {.function = weibull_excess, .params = &wanted};
	gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
	if (solver == NULL) {
		return NAN;
	}
	/* cv falls with the shape: 430 at 0.1, 0.0064 at 200. */
	gsl_root_fsolver_set(solver, &function, log(0.1), log(200.0));
	int status = GSL_CONTINUE;
	for (int i = 0; i < 200 && status == GSL_CONTINUE; i++) {
		gsl_root_fsolver_iterate(solver);
		status = gsl_root_test_interval(gsl_root_fsolver_x_lower(solver),
		                                gsl_root_fsolver_x_upper(solver), 1e-14, 0);
	}
	double root = gsl_root_fsolver_root(solver);
	gsl_root_fsolver_free(solver);
	return exp(root);
}

static weir_status prepare_weibull(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                   double rate_scale, weir_error *error)
{
	weir_status status = prepare_rate(arrivals, config, rate_scale, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (config->shape != 0) {
		if (!(config->shape >= 0.1 && config->shape <= 200)) {
			return fail(error, "shape", config->shape, "from 0.1 to 200");
		}
		arrivals->shape = config->shape;
	} else {
		status = check_cv(config->cv, error);
		if (status != WEIR_OK) {
			return status;
		}
		arrivals->shape = weibull_shape(config->cv);
		if (isnan(arrivals->shape)) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for a root finder");
		}
	}
	arrivals->scale = exp(-gsl_sf_lngamma(1 + 1 / arrivals->shape)) / arrivals->rate;
	return WEIR_OK;
}

static double next_weibull(const weir_arrivals *arrivals, weir_arrivals_state *state,
                           gsl_rng *random)
{
	if (state->count == 0) {
		double share = gsl_rng_uniform(random);
		double power = gsl_ran_gamma(random, 1 + 1 / arrivals->shape, 1);
		return share * arrivals->scale * pow(power, 1 / arrivals->shape);
	}
	return state->time + gsl_ran_weibull(random, arrivals->scale, arrivals->shape);
}

static weir_status prepare_mmpp(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                double rate_scale, weir_error *error)
{
	size_t count = config->rates.count;
	if (count < 2 || config->sojourns.count != count) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "rates",
		                      "%zu rates and %zu sojourns; two states at least are needed, with a "
		                      "rate and a mean sojourn for each",
		                      count, config->sojourns.count);
	}
	arrivals->regimes = count;
	arrivals->rates = weir_duplicate(config->rates.items, count, sizeof(double));
	arrivals->sojourns = weir_duplicate(config->sojourns.items, count, sizeof(double));
	if (arrivals->rates == NULL || arrivals->sojourns == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for %zu states", count);
	}
	double highest = 0;
	for (size_t i = 0; i < count; i++) {
		if (!(arrivals->rates[i] >= 0 && isfinite(arrivals->rates[i]))) {
			return fail(error, "rates", arrivals->rates[i], "at least 0 requests/s");
		}
		if (!is_positive(arrivals->sojourns[i])) {
			return fail(error, "sojourns", arrivals->sojourns[i], "above 0 s");
		}
		arrivals->rates[i] *= rate_scale;
		highest = fmax(highest, arrivals->rates[i]);
	}
	if (highest == 0) {
		return fail(error, "rates", 0, "above 0 requests/s in one state at least");
	}
	return WEIR_OK;
}

/* A state is left for any other with equal probability, so the share of time in a state is in
 * proportion to its mean sojourn, and a process met at a random time is in it with that
 * probability. */
static void enter_regime(const weir_arrivals *arrivals, weir_arrivals_state *state, bool first,
                         gsl_rng *random)
{
	if (first) {
		double total = 0;
		for (size_t i = 0; i < arrivals->regimes; i++) {
			total += arrivals->sojourns[i];
		}
		double chosen = gsl_rng_uniform(random) * total;
		size_t i = 0;
		while (i + 1 < arrivals->regimes && chosen >= arrivals->sojourns[i]) {
			chosen -= arrivals->sojourns[i++];
		}
		state->regime = (int64_t)i;
	} else if (arrivals->regimes == 2) {
		state->regime = 1 - state->regime;
	} else {
		int64_t other = (int64_t)gsl_rng_uniform_int(random, arrivals->regimes - 1);
		state->regime = other + (other >= state->regime);
	}
	state->regime_end += gsl_ran_exponential(random, arrivals->sojourns[state->regime]);
}

static double next_mmpp(const weir_arrivals *arrivals, weir_arrivals_state *state, gsl_rng *random)
{
	if (state->count == 0) {
		enter_regime(arrivals, state, true, random);
	}
	double time = state->time;
	for (;;) {
		double rate = arrivals->rates[state->regime];
		if (rate > 0) {
			double arrival = time + gsl_ran_exponential(random, 1 / rate);
			if (arrival < state->regime_end) {
				return arrival;
			}
		}
		/* Exponential gaps have no memory: from the change on, draw anew. */
		time = state->regime_end;
		enter_regime(arrivals, state, false, random);
	}
}

static weir_status prepare_curve(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                 const weir_rate_point *points, size_t count, double period,
                                 double rate_scale, weir_error *error)
{
	weir_status status = check_cv(config->cv, error);
	if (status == WEIR_OK) {
		arrivals->shape = 1 / (config->cv * config->cv);
		arrivals->scale = 1 / arrivals->shape;
		status = weir_rate_curve_create(points, count, period, rate_scale, &arrivals->curve, error);
	}
	return status;
}

static weir_status prepare_piecewise(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                     double rate_scale, weir_error *error)
{
	return prepare_curve(arrivals, config, config->points.items, config->points.count,
	                     config->period, rate_scale, error);
}

static weir_status prepare_diurnal(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                   double rate_scale, weir_error *error)
{
	enum { PIECES = 96 };
	if (!is_positive(config->mean)) {
		return fail(error, "mean", config->mean, "above 0 requests/s");
	}
	if (!(config->amplitude >= 0 && config->amplitude <= 1)) {
		return fail(error, "amplitude", config->amplitude, "a share of the mean, from 0 to 1");
	}
	if (!is_positive(config->period)) {
		return fail(error, "period", config->period, "above 0 s");
	}
	if (!isfinite(config->phase)) {
		return fail(error, "phase", config->phase, "a finite number of seconds");
	}
	weir_rate_point points[PIECES + 1];
	for (int i = 0; i <= PIECES; i++) {
		double share = (double)i / PIECES;
		double angle = 2 * M_PI * (share - config->phase / config->period);
		/* With amplitude 1 the lowest point may round to just below 0. */
		double rate = fmax(0, config->mean * (1 + config->amplitude * sin(angle)));
		points[i] = (weir_rate_point){share * config->period, rate};
	}
	return prepare_curve(arrivals, config, points, PIECES + 1, config->period, rate_scale, error);
}

static weir_status prepare_ramp(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                double rate_scale, weir_error *error)
{
	if (!(config->from >= 0 && isfinite(config->from))) {
		return fail(error, "from", config->from, "at least 0 requests/s");
	}
	if (!(config->to >= 0 && isfinite(config->to)) || config->from + config->to == 0) {
		return fail(error, "to", config->to,
		            "at least 0 requests/s, and above 0 where `from` is 0");
	}
	if (!is_positive(config->duration)) {
		return fail(error, "duration", config->duration, "above 0 s");
	}
	const weir_rate_point points[] = {{0, config->from}, {config->duration, config->to}};
	return prepare_curve(arrivals, config, points, 2, 0, rate_scale, error);
}

static weir_status prepare_flash_crowd(weir_arrivals *arrivals, const weir_arrivals_config *config,
                                       double rate_scale, weir_error *error)
{
	const struct {
		const char *key;
		double value;
	} times[] = {{"start", config->start},
	             {"rise", config->rise},
	             {"hold", config->hold},
	             {"fall", config->fall}};
	if (!(config->base >= 0 && isfinite(config->base))) {
		return fail(error, "base", config->base, "at least 0 requests/s");
	}
	if (!is_positive(config->peak)) {
		return fail(error, "peak", config->peak, "above 0 requests/s");
	}
	weir_rate_point points[5] = {{0, config->base}};
	double time = 0;
	for (size_t i = 0; i < 4; i++) {
		if (!(times[i].value >= 0 && isfinite(times[i].value))) {
			return fail(error, times[i].key, times[i].value, "at least 0 s");
		}
		time += times[i].value;
		bool high = i == 1 || i == 2;
		points[i + 1] = (weir_rate_point){time, high ? config->peak : config->base};
	}
	return prepare_curve(arrivals, config, points, 5, 0, rate_scale, error);
}

static double next_on_curve(const weir_arrivals *arrivals, weir_arrivals_state *state,
                            gsl_rng *random)
{
	double mass = arrivals->shape == 1 ? gsl_ran_exponential(random, 1)
	                                   : gamma_gap(arrivals, state->count == 0, random);
	return weir_rate_curve_advance(arrivals->curve, &state->position, mass);
}

/* By weir_arrivals_kind. */
static const arrivals_type types[] = {
    [WEIR_ARRIVALS_LIKE] = {NULL, NULL},
    [WEIR_ARRIVALS_CONSTANT] = {prepare_rate, next_constant},
    [WEIR_ARRIVALS_POISSON] = {prepare_rate, next_poisson},
    [WEIR_ARRIVALS_GAMMA] = {prepare_gamma, next_gamma},
    [WEIR_ARRIVALS_WEIBULL] = {prepare_weibull, next_weibull},
    [WEIR_ARRIVALS_MMPP] = {prepare_mmpp, next_mmpp},
    [WEIR_ARRIVALS_PIECEWISE] = {prepare_piecewise, next_on_curve},
    [WEIR_ARRIVALS_DIURNAL] = {prepare_diurnal, next_on_curve},
    [WEIR_ARRIVALS_RAMP] = {prepare_ramp, next_on_curve},
    [WEIR_ARRIVALS_FLASH_CROWD] = {prepare_flash_crowd, next_on_curve},
};

weir_status weir_arrivals_create(const weir_arrivals_config *config, double rate_scale,
                                 weir_arrivals **arrivals, weir_error *error)
{
	assert(config->kind >= 0 && (size_t)config->kind < sizeof types / sizeof types[0]);
	assert(is_positive(rate_scale));
	if (config->kind == WEIR_ARRIVALS_LIKE) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "kind",
		                      "no kind of arrivals is given, and no file to be like");
	}
	weir_arrivals *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for arrivals");
	}
	made->type = &types[config->kind];
	weir_status status = made->type->prepare(made, config, rate_scale, error);
	if (status != WEIR_OK) {
		weir_arrivals_destroy(made);
		return status;
	}
	*arrivals = made;
	return WEIR_OK;
}

void weir_arrivals_destroy(weir_arrivals *arrivals)
{
	if (arrivals != NULL) {
		free(arrivals->rates);
		free(arrivals->sojourns);
		weir_rate_curve_destroy(arrivals->curve);
		free(arrivals);
	}
}

double weir_arrivals_next(const weir_arrivals *arrivals, weir_arrivals_state *state,
                          gsl_rng *random)
{
	double time = arrivals->type->next(arrivals, state, random);
	/* Rounding at a change of segment may take back the last bit. */
	state->time = fmax(time, state->time);
	state->count++;
	return state->time;
}
