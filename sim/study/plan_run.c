#include "study/plan_run.h"

#include <math.h>

#include "run/kept_requests.h"
#include "run/sim.h"
#include "workload/source.h"

enum { EVENTS_PER_LOOK = 256, PERCENTILES = 3, METRICS = 3, LIMITS = PERCENTILES * METRICS };

/* So many slowdowns may be above it. */
typedef struct limit {
	double slowdown;
	double allowed, above;
} limit;

typedef struct watched_run {
	const weir_plan_run_options *options;
	weir_sim *sim;
	weir_kept_requests kept;
	double allowed, missed; /* of attainment */
	limit limits[LIMITS];   /* percentile after percentile: TTFT, TBT, E2E */
	bool hopeless;
} watched_run;

void weir_plan_fleet(const weir_config *config, double *price, double *power)
{
	*price = 0.0;
	*power = 0.0;
	for (size_t a = 0; a < config->application_count; a++) {
		const weir_config_application *application = &config->applications[a];
		for (size_t s = 0; s < application->server_count; s++) {
			*price += application->servers[s].sku->price_per_hour;
			*power += application->servers[s].sku->provisioned_power;
		}
	}
}

/* Draws requests until `until` seconds, at most `most`: how many, and when the last one arrives. */
static weir_status draw(weir_source *source, double until, uint64_t most, uint64_t *count,
                        double *last, weir_error *error)
{
	*count = 0;
	*last = 0.0;
	bool more = true;
	weir_request request;
	while (*count < most) {
		weir_status status = weir_source_next(source, &request, &more, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (!more || request.arrival > until) {
			break;
		}
		(*count)++;
		*last = request.arrival;
	}
	return WEIR_OK;
}

/* *until: when the run ends; *count: the requests that it has until then. */
static weir_status count_requests(const weir_config *config, const weir_plan_run_options *options,
                                  double *until, uint64_t *count, weir_error *error)
{
	weir_source *source = NULL;
	double last;
	*until = options->until;
	weir_status status = weir_config_open_workload(config, &source, error);
	status = status == WEIR_OK ? draw(source, *until, UINT64_MAX, count, &last, error) : status;
	if (status == WEIR_OK && options->share < 1.0) {
		uint64_t part = (uint64_t)ceil(options->share * (double)*count);
		status = weir_source_rewind(source, error);
		status = status == WEIR_OK ? draw(source, *until, part, count, &last, error) : status;
		*until = last;
	}
	weir_source_destroy(source);
	return status;
}

/*
 * How many of at most `count` values may be above a limit on percentile `p`. The percentile lies
 * between those of ranks floor(p (n - 1)) and the next, so that it is above the limit when both
 * are. The bound grows with n, which rejected requests and undefined slowdowns make smaller.
 */
static double allowed_above(double p, uint64_t count)
{
	return count == 0 ? 0.0 : (double)count - 1.0 - floor(p * ((double)count - 1.0));
}

static void set_limits(watched_run *run, const weir_slo_config *slo, uint64_t count)
{
	const weir_plan_run_options *options = run->options;
	double slack = options->share < 1.0 ? options->slack : 1.0;
	static const double probabilities[PERCENTILES] = {0.5, 0.9, 0.99};
	const weir_slo_limits *of[PERCENTILES] = {&slo->p50, &slo->p90, &slo->p99};
	for (int p = 0; p < PERCENTILES; p++) {
		const double slowdowns[METRICS] = {of[p]->ttft, of[p]->tbt, of[p]->e2e};
		for (int m = 0; m < METRICS; m++) {
			run->limits[p * METRICS + m] =
			    (limit){.slowdown = slowdowns[m],
			            .allowed = slack * allowed_above(probabilities[p], count)};
		}
	}
	/* What rounding does to (1 - target) * count must not end a run that would just keep it. */
	run->allowed = slack * (1.0 - options->target) * (double)count + 1e-6;
}

static void count_percentiles(watched_run *run, const weir_slowdowns *slowdowns)
{
	const double of[METRICS] = {slowdowns->ttft, slowdowns->tbt, slowdowns->e2e};
	for (int i = 0; i < LIMITS; i++) {
		limit *at = &run->limits[i];
		at->above += of[i % METRICS] > at->slowdown ? 1.0 : 0.0;
		run->hopeless = run->hopeless || at->above > at->allowed;
	}
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	watched_run *run = context;
	weir_kept_requests_add(&run->kept, row);
	if (row->status == WEIR_REQUEST_UNFINISHED) {
		return;
	}
	bool completed = row->status == WEIR_REQUEST_COMPLETED;
	const weir_slo *slo = weir_sim_slo(run->sim);
	weir_slowdowns slowdowns = {0};
	if (completed) {
		const weir_slo_request request = {.application = (uint32_t)row->application,
		                                  .prompt_tokens = row->prompt_tokens,
		                                  .output_tokens = row->output_tokens,
		                                  .ttft = row->ttft,
		                                  .e2e = row->e2e};
		slowdowns = weir_slo_slowdowns(slo, &request);
	}
	if (run->options->kind == WEIR_PLAN_PERCENTILES) {
		run->hopeless = run->hopeless || !completed;
		count_percentiles(run, &slowdowns);
	} else {
		run->missed += completed && weir_slo_met(slo, &slowdowns) ? 0.0 : 1.0;
		run->hopeless = run->hopeless || run->missed > run->allowed;
	}
}

static weir_status go_through(watched_run *run, double until, weir_error *error)
{
	const weir_run_driver *driver = run->options->driver;
	weir_status status = weir_driver_begin(driver, run->sim, NULL, error);
	for (bool more = true; status == WEIR_OK && more && !run->hopeless;) {
		status = weir_driver_run(driver, run->sim, until, EVENTS_PER_LOOK, &more, error);
		status = status == WEIR_OK ? weir_kept_requests_check(&run->kept, error) : status;
	}
	return status;
}

static bool keeps(const watched_run *run, const weir_totals *totals)
{
	const weir_plan_run_options *options = run->options;
	if (run->hopeless || weir_sim_is_stalled(run->sim)) {
		return false;
	}
	bool part = options->share < 1.0;
	if (options->kind == WEIR_PLAN_PERCENTILES) {
		return part || (totals->slo_met == 1.0 && totals->completed > 0.0);
	}
	/* A prefix may end before any of its requests has a verdict. */
	double least = part ? 1.0 - options->slack * (1.0 - options->target) : options->target;
	return part ? !(totals->attainment < least) : totals->attainment >= least;
}

static weir_status judge(watched_run *run, double until, weir_plan_outcome *outcome,
                         weir_error *error)
{
	weir_status status = go_through(run, until, error);
	if (status != WEIR_OK) {
		return status;
	}
	outcome->stopped = run->hopeless;
	outcome->attainment = (double)NAN;
	outcome->cost = (double)NAN;
	if (run->hopeless) {
		return WEIR_OK;
	}
	status = weir_driver_end(run->options->driver, run->sim, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_sim_finish(run->sim);
	weir_summary summary;
	status = weir_kept_requests_summarise(&run->kept, run->sim, &summary, error);
	if (status == WEIR_OK) {
		outcome->keeps = keeps(run, &summary.totals);
		outcome->attainment = summary.totals.attainment;
		outcome->cost = summary.totals.cost_usd;
	}
	return status;
}

weir_status weir_plan_run(const weir_config *config, const weir_plan_run_options *options,
                          weir_plan_outcome *outcome, weir_error *error)
{
	*outcome = (weir_plan_outcome){.keeps = false};
	weir_plan_fleet(config, &outcome->price, &outcome->power);
	double until;
	weir_status status = count_requests(config, options, &until, &outcome->requests, error);
	if (status != WEIR_OK) {
		return status;
	}
	watched_run run = {.options = options};
	set_limits(&run, &config->slo, outcome->requests);
	const weir_sim_observer observer = {.context = &run, .request_ended = on_request_ended};
	status = weir_driver_create_sim(options->driver, config, &observer, &run.sim, error);
	status = status == WEIR_OK ? judge(&run, until, outcome, error) : status;
	weir_driver_leave(options->driver);
	weir_sim_destroy(run.sim);
	weir_kept_requests_release(&run.kept);
	return status;
}
