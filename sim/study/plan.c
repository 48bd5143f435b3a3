#include "study/plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "config/config.h"
#include "study/plan_run.h"

typedef struct planner {
	const weir_plan_file *file;
	const weir_pool_options *options;
	weir_plan_result *result;
} planner;

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the plan");
}

/* One replication of a trial. */
typedef struct plan_job {
	size_t trial;
	uint64_t replication;
} plan_job;

/* The jobs of one round. */
typedef struct round_jobs {
	const planner *planner;
	const weir_plan_trial *trials;
	plan_job *jobs;
	size_t count;
	weir_plan_outcome *outcomes;
	weir_error *errors;
} round_jobs;

/* The run of a point with a value of the bisected key (NaN: none) and a replication's seed. */
static weir_status load_setup(const planner *p, const weir_plan_trial *trial, uint64_t replication,
                              weir_sweep_setup *setup, weir_error *error)
{
	const weir_sweep_file *space = &p->file->space;
	const weir_sweep_point *point = &p->result->points.items[trial->point];
	uint64_t seed = weir_sweep_seed(space, point->id, replication);
	*setup = (weir_sweep_setup){0};
	if (isnan(trial->value)) {
		return weir_sweep_setup_load(space, point, seed, NULL, setup, error);
	}
	weir_arena *arena = weir_arena_create();
	char text[WEIR_JSON_NUMBER_SIZE];
	const char *set = arena != NULL ? weir_arena_format(arena, "%s=%s", p->file->search.path,
	                                                    weir_json_format_number(text, trial->value))
	                                : NULL;
	weir_status status = set != NULL ? weir_sweep_setup_load(space, point, seed, set, setup, error)
	                                 : no_memory(error);
	weir_arena_destroy(arena);
	return status;
}

static void describe_job(void *context, size_t job, char *name, size_t size)
{
	const round_jobs *round = context;
	const weir_plan_trial *trial = &round->trials[round->jobs[job].trial];
	const weir_sweep_point *point = &round->planner->result->points.items[trial->point];
	size_t used = (size_t)snprintf(name, size, "point %zu", trial->point);
	for (size_t i = 0; i < point->set_count && used < size; i++) {
		used += (size_t)snprintf(name + used, size - used, ", %s", point->sets[i]);
	}
	if (!isnan(trial->value) && used < size) {
		snprintf(name + used, size - used, ", %s=%g", round->planner->file->search.path,
		         trial->value);
	}
}

static weir_status run_job(void *context, size_t job, void *result, weir_error *error)
{
	const round_jobs *round = context;
	const plan_job *at = &round->jobs[job];
	const weir_plan_trial *trial = &round->trials[at->trial];
	const weir_plan_file *file = round->planner->file;
	weir_sweep_setup setup;
	weir_error found = {0};
	weir_status status = load_setup(round->planner, trial, at->replication, &setup, &found);
	if (status == WEIR_OK) {
		const weir_plan_run_options options = {.kind = file->slo.kind,
		                                       .target = trial->target,
		                                       .driver = setup.driver,
		                                       .until = file->space.until,
		                                       .share = trial->share,
		                                       .slack = file->halving.slack};
		status = weir_plan_run(setup.config, &options, result, &found);
	}
	weir_sweep_setup_release(&file->space, &setup);
	if (status != WEIR_OK) {
		char name[256];
		describe_job(context, job, name, sizeof name);
		weir_error_set(error, status, found.where, "%s: %s", name, found.message);
	}
	return status;
}

/* Outcomes are [trial][replication]; those of the jobs are filled. */
static weir_status run_round(round_jobs *round, size_t replications, weir_plan_outcome *outcomes,
                             weir_error *error)
{
	const weir_pool_jobs jobs = {
	    .count = round->count,
	    .result_size = sizeof *round->outcomes,
	    .context = round,
	    .run = run_job,
	    .describe = describe_job,
	};
	weir_status status =
	    weir_pool_run(&jobs, round->planner->options, round->outcomes, round->errors, error);
	for (size_t i = 0; status == WEIR_OK && i < round->count; i++) {
		const plan_job *job = &round->jobs[i];
		outcomes[job->trial * replications + job->replication] = round->outcomes[i];
		round->planner->result->runs++;
		round->planner->result->stopped += round->outcomes[i].stopped;
	}
	return status;
}

/* Replications that may fail. */
static size_t failures_allowed(const weir_plan_file *file)
{
	double replications = (double)file->space.replications;
	return (size_t)(replications - ceil(file->slo.share * replications - 1e-9));
}

static weir_status sum_up(const weir_plan_file *file, const weir_plan_outcome *outcomes,
                          weir_plan_verdict *verdict, double *scratch, weir_error *error)
{
	size_t ended = 0;
	double cost = 0.0;
	for (size_t r = 0; r < verdict->runs; r++) {
		verdict->kept += outcomes[r].keeps;
		verdict->stopped += outcomes[r].stopped;
		if (isfinite(outcomes[r].attainment)) {
			scratch[ended++] = outcomes[r].attainment;
			cost += outcomes[r].cost;
		}
	}
	verdict->price = outcomes[0].price;
	verdict->power = outcomes[0].power;
	verdict->cost = ended > 0 ? cost / (double)ended : (double)NAN;
	verdict->attainment = (weir_interval){.value = (double)NAN, .half_width = (double)NAN};
	return ended == 0
	           ? WEIR_OK
	           : weir_mean_interval(scratch, ended, file->confidence, &verdict->attainment, error);
}

/* The first replications settle most verdicts: the others run where they did not. */
static weir_status run_trials(round_jobs *round, size_t trials, size_t replications,
                              weir_plan_outcome *outcomes, weir_plan_verdict *verdicts,
                              double *scratch, weir_error *error)
{
	const weir_plan_file *file = round->planner->file;
	size_t allowed = failures_allowed(file);
	for (int stage = 0; stage < 2; stage++) {
		round->count = 0;
		for (size_t t = 0; t < trials; t++) {
			size_t whole = round->trials[t].share < 1.0 ? 1 : replications;
			size_t first = allowed + 1 < whole ? allowed + 1 : whole;
			size_t failed_at_once = 0;
			for (size_t r = 0; stage == 1 && r < first; r++) {
				failed_at_once += !outcomes[t * replications + r].keeps;
			}
			bool settled = stage == 1 && failed_at_once == first;
			verdicts[t].runs = stage == 0 || settled ? first : whole;
			for (size_t r = stage == 0 ? 0 : first; r < verdicts[t].runs; r++) {
				round->jobs[round->count++] = (plan_job){.trial = t, .replication = r};
			}
		}
		weir_status status = run_round(round, replications, outcomes, error);
		if (status != WEIR_OK) {
			return status;
		}
	}
	for (size_t t = 0; t < trials; t++) {
		weir_status status =
		    sum_up(file, &outcomes[t * replications], &verdicts[t], scratch, error);
		if (status != WEIR_OK) {
			return status;
		}
		bool part = round->trials[t].share < 1.0;
		verdicts[t].keeps = verdicts[t].runs - verdicts[t].kept <= (part ? 0 : allowed);
	}
	return WEIR_OK;
}

static weir_status judge(void *context, const weir_plan_trial *trials, size_t count,
                         weir_plan_verdict *verdicts, weir_error *error)
{
	planner *p = context;
	size_t replications = (size_t)p->file->space.replications;
	size_t most = count * replications;
	memset(verdicts, 0, count * sizeof *verdicts);
	round_jobs round = {
	    .planner = p,
	    .trials = trials,
	    .jobs = weir_allocate(most, sizeof *round.jobs),
	    .outcomes = weir_allocate(most, sizeof *round.outcomes),
	    .errors = weir_allocate(most, sizeof *round.errors),
	};
	weir_plan_outcome *outcomes = weir_allocate(most, sizeof *outcomes);
	double *scratch = weir_allocate(replications, sizeof *scratch);
	weir_status status = WEIR_ERROR_MEMORY;
	if (round.jobs == NULL || round.outcomes == NULL || round.errors == NULL || outcomes == NULL ||
	    scratch == NULL) {
		no_memory(error);
	} else {
		status = run_trials(&round, count, replications, outcomes, verdicts, scratch, error);
		p->result->trials += count;
	}
	free(round.jobs);
	free(round.outcomes);
	free(round.errors);
	free(outcomes);
	free(scratch);
	return status;
}

/* --- the two searches --- */

static int by_price(const void *a, const void *b)
{
	const weir_plan_answer *x = a;
	const weir_plan_answer *y = b;
	if (x->found != y->found) {
		return x->found ? -1 : 1;
	}
	if (x->verdict.price != y->verdict.price) {
		return x->verdict.price < y->verdict.price ? -1 : 1;
	}
	if (x->value != y->value) {
		return x->value < y->value ? -1 : 1;
	}
	return (x->point > y->point) - (x->point < y->point);
}

static int by_value(const void *a, const void *b)
{
	const weir_plan_answer *x = a;
	const weir_plan_answer *y = b;
	if (x->found != y->found) {
		return x->found ? -1 : 1;
	}
	return x->value != y->value ? (x->value > y->value ? -1 : 1) : by_price(a, b);
}

static weir_status bisect(planner *p, weir_plan_ranking *ranking, weir_error *error)
{
	size_t points = p->result->points.count;
	const weir_plan_judge of = {.context = p, .judge = judge};
	weir_status status =
	    weir_plan_bisect(&p->file->search, points, ranking->target, &of, ranking->answers, error);
	if (status == WEIR_OK) {
		bool largest = p->file->search.goal == WEIR_PLAN_LARGEST;
		qsort(ranking->answers, points, sizeof *ranking->answers, largest ? by_value : by_price);
		while (ranking->count < points && ranking->answers[ranking->count].found) {
			ranking->count++;
		}
	}
	return status;
}

static weir_status find_prices(planner *p, double *prices, weir_error *error)
{
	for (size_t i = 0; i < p->result->points.count; i++) {
		weir_sweep_setup setup;
		weir_error found = {0};
		const weir_plan_trial trial = {.point = i, .value = (double)NAN};
		weir_status status = load_setup(p, &trial, 0, &setup, &found);
		if (status != WEIR_OK) {
			return weir_error_set(error, status, found.where, "point %zu: %s", i, found.message);
		}
		double power;
		weir_plan_fleet(setup.config, &prices[i], &power);
		weir_sweep_setup_release(&p->file->space, &setup);
	}
	return WEIR_OK;
}

static weir_status search(planner *p, weir_error *error)
{
	weir_plan_result *result = p->result;
	size_t points = result->points.count;
	double *prices = weir_allocate(points, sizeof *prices);
	bool *out = weir_allocate(points, sizeof *out);
	bool bisected = p->file->search.path[0] != '\0';
	weir_status status = prices != NULL && out != NULL ? WEIR_OK : no_memory(error);
	if (status == WEIR_OK && !bisected) {
		status = find_prices(p, prices, error);
	}
	const weir_plan_judge of = {.context = p, .judge = judge};
	for (size_t i = 0; status == WEIR_OK && i < result->ranking_count; i++) {
		weir_plan_ranking *ranking = &result->rankings[i];
		status = bisected
		             ? bisect(p, ranking, error)
		             : weir_plan_halve(&p->file->halving, prices, points, ranking->target, &of, out,
		                               WEIR_PLAN_ANSWERS, ranking->answers, &ranking->count, error);
	}
	free(prices);
	free(out);
	return status;
}

static weir_status make_rankings(const weir_plan_file *file, weir_plan_result *result,
                                 weir_error *error)
{
	bool attainment = file->slo.kind == WEIR_PLAN_ATTAINMENT;
	const double *targets = file->slo.targets.items;
	size_t count = attainment ? file->slo.targets.count : 1;
	size_t answers = result->points.count + WEIR_PLAN_ANSWERS;
	result->rankings = weir_allocate(count, sizeof *result->rankings);
	if (result->rankings == NULL) {
		return no_memory(error);
	}
	result->ranking_count = count;
	for (size_t i = 0; i < count; i++) {
		result->rankings[i].target = attainment ? targets[i] : (double)NAN;
		result->rankings[i].answers = weir_allocate(answers, sizeof *result->rankings[i].answers);
		if (result->rankings[i].answers == NULL) {
			return no_memory(error);
		}
	}
	return WEIR_OK;
}

weir_status weir_plan_carry_out(const weir_plan_file *file, const weir_pool_options *options,
                                weir_plan_result *result, weir_error *error)
{
	*result = (weir_plan_result){.file = file};
	planner p = {.file = file, .options = options, .result = result};
	weir_status status =
	    weir_sweep_points_make(&file->space, WEIR_PLAN_MOST_POINTS, &result->points, error);
	if (status != WEIR_OK) {
		return status;
	}
	status = make_rankings(file, result, error);
	status = status == WEIR_OK ? search(&p, error) : status;
	if (status != WEIR_OK) {
		weir_plan_release(result);
	}
	return status;
}

void weir_plan_release(weir_plan_result *result)
{
	for (size_t i = 0; i < result->ranking_count; i++) {
		free(result->rankings[i].answers);
	}
	free(result->rankings);
	if (result->points.arena != NULL) {
		weir_sweep_points_release(&result->points);
	}
	*result = (weir_plan_result){.file = NULL};
}
