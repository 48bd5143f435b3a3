#include "study/best_known.h"

#include <assert.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "study/schedule_demand.h"
#include "study/schedule_mix.h"
#include "study/schedule_run.h"

/* Of the budget, at most so much goes to the schedules in proportion to the work. */
static const double DEMAND_SHARE = 0.3;
/* How finely their factors are sought: the ratio of the last two. */
static const double FINEST_RATIO = 1.015;
/* Lengths of windows, s, one after the other: requests stay for some tens of seconds. */
static const double WINDOWS[] = {300, 120, 60, 180};
enum { WINDOW_KINDS = sizeof WINDOWS / sizeof WINDOWS[0] };
/* How likely a window is changed at random. */
static const double MUTATED = 0.4;
/* How much lower than the one aimed at the attainment of a run may be that is mixed. */
static const double RELATED = 0.03;

struct weir_best_known {
	schedule_grid grid;
	schedule_run *runs;
	size_t count, policy_count;
};

typedef struct search {
	const weir_config *config;
	const weir_best_known_options *options;
	weir_best_known *known;
	schedule_progress progress;
	gsl_rng *random;
	double *work;    /* [pool][step] */
	double *factors; /* of the schedules in proportion to it, by pool */
	int32_t *sizes;  /* what is tried next */
	/* By what it is aimed at, the policies' attainments and at last the target: the share of the
	 * misses allowed with which the last mix came out right. */
	double *allowance;
	schedule_run *related; /* runs of the archive, to be mixed */
} search;

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the best schedule");
}

weir_best_known_options weir_best_known_options_default(void)
{
	return (weir_best_known_options){.attainment = 0.99, .budget = 70};
}

/* --- the archive --- */

static double cost_of(const schedule_run *run)
{
	return run->result.summary.totals.cost_usd;
}

/* A run without requests keeps every promise. */
static double attainment_of(const schedule_run *run)
{
	double attainment = run->result.summary.totals.attainment;
	return isnan(attainment) ? 1.0 : attainment;
}

/* Whether `a` is to be had rather than `b`. */
static bool is_better(const schedule_run *a, const schedule_run *b, double attainment)
{
	bool reaches = attainment_of(a) >= attainment;
	if (reaches != (attainment_of(b) >= attainment)) {
		return reaches;
	}
	if (!reaches && attainment_of(a) != attainment_of(b)) {
		return attainment_of(a) > attainment_of(b);
	}
	return cost_of(a) < cost_of(b);
}

size_t weir_best_known_count(const weir_best_known *known)
{
	return known->count;
}

const weir_simulate_result *weir_best_known_result(const weir_best_known *known, size_t run)
{
	assert(run < known->count);
	return &known->runs[run].result;
}

size_t weir_best_known_at(const weir_best_known *known, double attainment)
{
	size_t best = 0;
	for (size_t i = 1; i < known->count; i++) {
		if (is_better(&known->runs[i], &known->runs[best], attainment)) {
			best = i;
		}
	}
	return best;
}

double weir_best_known_regret(const weir_best_known *known, size_t policy)
{
	assert(policy < known->policy_count);
	const schedule_run *own = &known->runs[policy];
	return cost_of(own) - cost_of(&known->runs[weir_best_known_at(known, attainment_of(own))]);
}

bool weir_best_known_schedule(const weir_best_known *known, size_t run, uint32_t application,
                              weir_schedule_config *schedule)
{
	assert(run < known->count);
	return schedule_make(&known->grid, known->runs[run].sizes, application, schedule);
}

void weir_best_known_schedule_release(weir_schedule_config *schedule)
{
	schedule_release(schedule);
}

void weir_best_known_destroy(weir_best_known *known)
{
	if (known != NULL) {
		for (size_t i = 0; i < known->count; i++) {
			schedule_run_release(&known->runs[i]);
		}
		free(known->runs);
		schedule_grid_release(&known->grid);
		free(known);
	}
}

/* --- runs --- */

/* How many simulations are left. */
static size_t left(const search *s)
{
	return s->progress.total - s->progress.done;
}

static weir_status keep(search *s, weir_status status)
{
	if (status == WEIR_OK) {
		s->known->count++;
		s->progress.done++;
	}
	return status;
}

/* Simulates s->sizes into the archive. */
static weir_status try_sizes(search *s, weir_error *error)
{
	weir_best_known *known = s->known;
	return keep(s, schedule_run_sizes(s->config, &known->grid, s->sizes, &s->progress,
	                                  &known->runs[known->count], error));
}

static const schedule_run *last(const search *s)
{
	return &s->known->runs[s->known->count - 1];
}

static bool reaches(const search *s)
{
	return attainment_of(last(s)) >= s->options->attainment;
}

static weir_status run_policies(search *s, weir_error *error)
{
	weir_best_known *known = s->known;
	for (size_t i = 0; i < s->options->policy_count; i++) {
		const weir_known_policy *policy = &s->options->policies[i];
		weir_status status = keep(s, schedule_run_policy(policy, &known->grid, &s->progress,
		                                                 &known->runs[known->count], error));
		if (status != WEIR_OK) {
			return status;
		}
	}
	return WEIR_OK;
}

/* --- in proportion to the work --- */

/* The start fleet, as it is: what is known even without policies. */
static weir_status run_start_fleet(search *s, weir_error *error)
{
	weir_best_known *known = s->known;
	const weir_controller_policy none = {0};
	const weir_known_policy policy = {.config = s->config, .policies = &none};
	return keep(s, schedule_run_policy(&policy, &known->grid, &s->progress,
	                                   &known->runs[known->count], error));
}

/* Tries the factors with those of the pools [first, end) times `scale`. */
static weir_status try_factors(search *s, size_t first, size_t end, double scale, weir_error *error)
{
	double *factors = s->factors;
	for (size_t pool = first; pool < end; pool++) {
		factors[pool] *= scale;
	}
	schedule_demand_sizes(&s->known->grid, s->work, factors, s->sizes);
	for (size_t pool = first; pool < end; pool++) {
		factors[pool] /= scale;
	}
	return try_sizes(s, error);
}

/*
 * Scales the factors of the pools [first, end) to the least that reaches the target, with at most
 * `most` simulations: in steps of `ratio` as long as all go one way, then by halves. *enough
 * is the least scale known to reach it: INFINITY for none.
 */
static weir_status fit_factors(search *s, size_t first, size_t end, double ratio, size_t most,
                               double *enough, weir_error *error)
{
	double little = 0, scale = isinf(*enough) ? 1.0 : 1.0 / ratio;
	while (most-- > 0 && left(s) > 0 && *enough / little > FINEST_RATIO) {
		weir_status status = try_factors(s, first, end, scale, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (reaches(s)) {
			*enough = scale;
		} else {
			little = scale;
		}
		scale = little == 0      ? scale / ratio
		        : isinf(*enough) ? scale * ratio
		                         : sqrt(*enough * little);
	}
	double found = isinf(*enough) ? little : *enough;
	for (size_t pool = first; pool < end && found > 0; pool++) {
		s->factors[pool] *= found;
	}
	return WEIR_OK;
}

static weir_status run_proportional(search *s, weir_error *error)
{
	const schedule_grid *grid = &s->known->grid;
	size_t simulations = (size_t)((double)left(s) * DEMAND_SHARE);
	if (left(s) == 0) {
		return WEIR_OK;
	}
	weir_status status = run_start_fleet(s, error);
	if (status != WEIR_OK) {
		return status;
	}
	/* The start fleet says how many of one pool go with how many of another. */
	size_t pools = 0;
	for (size_t pool = 0; pool < grid->pools; pool++) {
		s->factors[pool] = schedule_demand_factor(grid, s->work, last(s)->sizes, pool);
		pools += grid->exists[pool];
	}
	double enough = INFINITY;
	status = fit_factors(s, 0, grid->pools, 1.25, simulations / 2, &enough, error);
	for (size_t pool = 0; pool < grid->pools && status == WEIR_OK && pools > 1; pool++) {
		if (grid->exists[pool]) {
			enough = isinf(enough) ? enough : 1.0;
			status = fit_factors(s, pool, pool + 1, 1.12, simulations / 2 / pools, &enough, error);
		}
	}
	return status;
}

/* --- mixes --- */

/* What the search is aimed at: mostly the target; every third time the attainment of a policy, for
 * its regret. */
static size_t aim_of(const search *s, size_t turn)
{
	size_t policies = s->options->policy_count;
	return turn % 3 == 2 && policies > 0 ? turn / 3 % policies : policies;
}

static bool was_tried(const search *s)
{
	const schedule_grid *grid = &s->known->grid;
	size_t size = grid->pools * grid->steps * sizeof *s->sizes;
	for (size_t i = 0; i < s->known->count; i++) {
		if (memcmp(s->known->runs[i].sizes, s->sizes, size) == 0) {
			return true;
		}
	}
	return false;
}

static double missed(const search *s, const schedule_run *run)
{
	double sum = 0;
	for (size_t i = 0; i < s->known->grid.applications * s->known->grid.steps; i++) {
		sum += run->broken[i];
	}
	return sum;
}

/* Where windows meet, more is missed than in either run, or less: what a mix may miss by its
 * windows follows what mixes came to. */
static void adjust(double *allowance, double missed, double allowed)
{
	if (missed > allowed) {
		*allowance *= fmax(0.5, 0.97 * allowed / missed);
	} else {
		*allowance *= fmin(1.2, 0.5 + 0.5 * (allowed + 1.0) / (missed + 1.0));
	}
}

/* Lists the runs whose windows are worth mixing: where far more or far less is missed, the windows
 * hang together by what waits. The best run is always one of them. */
static size_t relatives(search *s, double attainment)
{
	const weir_best_known *known = s->known;
	double least =
	    fmin(attainment, attainment_of(&known->runs[weir_best_known_at(known, attainment)]));
	size_t count = 0;
	for (size_t i = 0; i < known->count; i++) {
		if (attainment_of(&known->runs[i]) >= least - RELATED) {
			s->related[count++] = known->runs[i];
		}
	}
	return count;
}

/* By turns, the best run with small changes, and a mix of what is known by now. */
static weir_status try_mix(search *s, size_t turn, weir_error *error)
{
	const schedule_grid *grid = &s->known->grid;
	size_t aim = aim_of(s, turn);
	double attainment = aim < s->options->policy_count ? attainment_of(&s->known->runs[aim])
	                                                   : s->options->attainment;
	double arrived = last(s)->result.summary.totals.arrived;
	double allowed = fmax(floor(arrived * (1.0 - attainment) + 1e-9), 0.0);
	size_t length = (size_t)fmax(WINDOWS[turn % WINDOW_KINDS] / grid->step, 1.0);
	const schedule_windows windows = {.length = length,
	                                  .offset = turn / WINDOW_KINDS % 2 * (length / 2)};
	bool pure = turn % 2 == 1;
	if (pure) {
		if (!schedule_mix(grid, s->related, relatives(s, attainment), &windows,
		                  allowed * s->allowance[aim], s->sizes)) {
			return out_of_memory(error);
		}
		pure = !was_tried(s);
	} else {
		memcpy(s->sizes, s->known->runs[weir_best_known_at(s->known, attainment)].sizes,
		       grid->pools * grid->steps * sizeof *s->sizes);
	}
	if (!pure) {
		schedule_mutate(grid, &windows, MUTATED, s->random, s->sizes);
	}
	weir_status status = try_sizes(s, error);
	if (status == WEIR_OK && pure) {
		adjust(&s->allowance[aim], missed(s, last(s)), allowed);
	}
	return status;
}

/* --- the search --- */

static weir_status run_search(search *s, weir_error *error)
{
	weir_status status = run_policies(s, error);
	if (status == WEIR_OK) {
		status = run_proportional(s, error);
	}
	for (size_t turn = 0; status == WEIR_OK && left(s) > 0; turn++) {
		status = try_mix(s, turn, error);
	}
	return status;
}

static weir_status prepare(search *s, weir_error *error)
{
	weir_best_known *known = s->known;
	double last_arrival;
	weir_status status = schedule_last_arrival(s->config, &last_arrival, error);
	if (status == WEIR_OK) {
		status = schedule_grid_make(s->config, last_arrival, &known->grid, error);
	}
	if (status == WEIR_OK) {
		status = schedule_demand_make(s->config, &known->grid, &s->work, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	size_t most = s->progress.total > 0 ? s->progress.total : 1;
	known->runs = weir_allocate(most, sizeof *known->runs);
	s->related = weir_allocate(most, sizeof *s->related);
	s->factors = weir_allocate(known->grid.pools, sizeof *s->factors);
	s->sizes = weir_allocate(known->grid.pools * known->grid.steps, sizeof *s->sizes);
	s->allowance = weir_allocate(s->options->policy_count + 1, sizeof *s->allowance);
	s->random = weir_stream_create(s->config->seed, "best known", 0);
	if (known->runs == NULL || s->related == NULL || s->factors == NULL || s->sizes == NULL ||
	    s->allowance == NULL || s->random == NULL) {
		return out_of_memory(error);
	}
	for (size_t i = 0; i <= s->options->policy_count; i++) {
		s->allowance[i] = 1.0;
	}
	return WEIR_OK;
}

weir_status weir_best_known_search(const weir_config *config,
                                   const weir_best_known_options *options, weir_best_known **known,
                                   weir_error *error)
{
	assert(options->policy_count + options->budget > 0);
	*known = NULL;
	search s = {
	    .config = config,
	    .options = options,
	    .known = weir_allocate(1, sizeof **known),
	    .progress = {.go_on = options->progress,
	                 .context = options->context,
	                 .total = options->policy_count + options->budget},
	};
	if (s.known == NULL) {
		return out_of_memory(error);
	}
	s.known->policy_count = options->policy_count;
	weir_status status = prepare(&s, error);
	if (status == WEIR_OK) {
		status = run_search(&s, error);
	}
	free(s.work);
	free(s.factors);
	free(s.sizes);
	free(s.allowance);
	free(s.related);
	if (s.random != NULL) {
		gsl_rng_free(s.random);
	}
	if (status != WEIR_OK) {
		weir_best_known_destroy(s.known);
		return status;
	}
	*known = s.known;
	return WEIR_OK;
}
