#include "study/schedule_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/kept_requests.h"
#include "run/sim.h"

enum {
	EVENTS_PER_LOOK = 4096, /* between two looks at the caller */
	MOST_STEPS = 16384      /* longer workloads have longer steps */
};

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for a schedule");
}

/* --- the grid --- */

weir_status schedule_grid_make(const weir_config *config, double last_arrival, schedule_grid *grid,
                               weir_error *error)
{
	*grid = (schedule_grid){
	    .step = fmax(1.0, ceil(last_arrival / MOST_STEPS)),
	    .applications = config->application_count,
	    .pools = config->application_count * WEIR_TAG_COUNT,
	    .late = config->control.metric_lag + config->control.decision_delay,
	    .least = config->scaling.min_instances_per_pool,
	};
	grid->steps = (size_t)(last_arrival / grid->step) + 1;
	grid->exists = weir_allocate(grid->pools, sizeof *grid->exists);
	if (grid->exists == NULL) {
		return out_of_memory(error);
	}
	weir_sim *sim = NULL;
	const weir_controller_policy none = {0};
	weir_status status = weir_sim_create_with(config, NULL, &none, 0, &sim, error);
	if (status != WEIR_OK) {
		schedule_grid_release(grid);
		return status;
	}
	const weir_manager *manager = weir_sim_manager_const(sim);
	for (uint32_t a = 0; a < grid->applications; a++) {
		for (weir_tag tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			if (weir_manager_has_pool(manager, a, tag)) {
				grid->exists[schedule_pool(a, tag)] = true;
				grid->lead[tag] =
				    fmax(grid->lead[tag], weir_manager_mean_boot_delay(manager, a, tag));
			}
		}
	}
	weir_sim_destroy(sim);
	return WEIR_OK;
}

void schedule_grid_release(schedule_grid *grid)
{
	free(grid->exists);
	*grid = (schedule_grid){0};
}

static size_t step_of(const schedule_grid *grid, double time)
{
	double step = floor(time / grid->step);
	return step < (double)grid->steps ? (size_t)step : grid->steps - 1;
}

/* --- a run --- */

typedef struct recorder {
	const schedule_grid *grid;
	schedule_run *run;
	weir_kept_requests kept;
	const weir_sim *sim;
	bool changed; /* sizes may have, at `changed_at` */
	double changed_at;
} recorder;

/* A schedule's ticks are the steps' starts: a change in between is done at the next one. */
static void note_sizes(recorder *r, double time)
{
	const schedule_grid *grid = r->grid;
	const weir_manager *manager = weir_sim_manager_const(r->sim);
	double first = ceil(time / grid->step);
	for (size_t pool = 0; pool < grid->pools && first < (double)grid->steps; pool++) {
		int32_t *sizes = r->run->sizes + pool * grid->steps;
		int32_t size = grid->exists[pool]
		                   ? (int32_t)weir_manager_size(manager, (uint32_t)(pool / WEIR_TAG_COUNT),
		                                                (weir_tag)(pool % WEIR_TAG_COUNT))
		                   : -1;
		size_t s = (size_t)first;
		/* What follows has the size that the last change left. */
		for (; s < grid->steps && sizes[s] != size; s++) {
			sizes[s] = size;
		}
	}
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	weir_kept_requests_add(&((recorder *)context)->kept, row);
}

/* Without a listener there would be no samples, and the run would not be the recorded one. */
static void on_sampled(void *context, const weir_sample_row *row)
{
	(void)context;
	(void)row;
}

static void on_event(void *context, double time, const weir_event *event)
{
	(void)time;
	(void)event;
	recorder *r = context;
	if (r->changed) {
		r->changed = false;
		note_sizes(r, r->changed_at);
	}
}

/* Told in the middle of an operation: the sizes are looked at before the next event. */
static void on_scaling_event(void *context, const weir_scaling_event_row *row)
{
	recorder *r = context;
	r->changed = true;
	r->changed_at = row->time;
}

static void on_server_ended(void *context, const weir_server_view *view)
{
	recorder *r = context;
	const schedule_grid *grid = r->grid;
	double now = weir_sim_now(r->sim);
	double *usd = r->run->usd + view->application * grid->steps;
	size_t last = step_of(grid, now);
	for (size_t s = step_of(grid, view->created); s <= last; s++) {
		double from = fmax(view->created, (double)s * grid->step);
		double until = s + 1 < grid->steps ? fmin(now, (double)(s + 1) * grid->step) : now;
		usd[s] += fmax(until - from, 0.0) * view->price_per_s;
	}
}

static bool is_broken(const recorder *r, const weir_request_row *row)
{
	const weir_slo *slo = weir_sim_slo(r->sim);
	const weir_slo_request request = {
	    .application = (uint32_t)row->application,
	    .prompt_tokens = row->prompt_tokens,
	    .output_tokens = row->output_tokens,
	    .ttft = row->ttft,
	    .e2e = row->e2e,
	};
	if (row->status == WEIR_REQUEST_UNFINISHED) {
		return weir_slo_overdue(slo, &request, weir_sim_now(r->sim) - row->arrival);
	}
	weir_slowdowns slowdowns = weir_slo_slowdowns(slo, &request);
	return row->status != WEIR_REQUEST_COMPLETED || !weir_slo_met(slo, &slowdowns);
}

static weir_status conclude(recorder *r, weir_error *error)
{
	weir_simulate_result *result = &r->run->result;
	weir_sim_totals(r->sim, &result->summary.totals);
	for (size_t i = 0; i < r->kept.count; i++) {
		const weir_request_row *row = &r->kept.rows[i];
		r->run
		    ->broken[(size_t)row->application * r->grid->steps + step_of(r->grid, row->arrival)] +=
		    is_broken(r, row);
	}
	result->stalled = weir_sim_is_stalled(r->sim);
	weir_serving_counters_get(weir_sim_serving(r->sim), &result->counters);
	return weir_kept_requests_summarise(&r->kept, r->sim, &result->summary, error);
}

static weir_status run_to_end(recorder *r, weir_sim *sim, const weir_run_driver *driver,
                              const schedule_progress *progress, weir_error *error)
{
	note_sizes(r, 0);
	weir_status status = weir_driver_begin(driver, sim, NULL, error);
	bool more = status == WEIR_OK;
	while (more) {
		status = weir_driver_run(driver, sim, (double)INFINITY, EVENTS_PER_LOOK, &more, error);
		if (status != WEIR_OK) {
			return status;
		}
		if (progress->go_on != NULL &&
		    !progress->go_on(progress->context, progress->done, progress->total)) {
			return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL,
			                      "interrupted in simulation %zu of %zu", progress->done + 1,
			                      progress->total);
		}
	}
	if (status == WEIR_OK) {
		status = weir_driver_end(driver, sim, error);
	}
	weir_sim_finish(sim);
	return status == WEIR_OK ? conclude(r, error) : status;
}

static bool allocate_run(const schedule_grid *grid, schedule_run *run)
{
	*run = (schedule_run){
	    .sizes = weir_allocate(grid->pools * grid->steps, sizeof *run->sizes),
	    .usd = weir_allocate(grid->applications * grid->steps, sizeof *run->usd),
	    .broken = weir_allocate(grid->applications * grid->steps, sizeof *run->broken),
	};
	return run->sizes != NULL && run->usd != NULL && run->broken != NULL;
}

static weir_status create_sim(const weir_known_policy *policy, const weir_sim_observer *observer,
                              weir_sim **sim, weir_error *error)
{
	return policy->driver != NULL
	           ? weir_driver_create_sim(policy->driver, policy->config, observer, sim, error)
	           : weir_sim_create_with(policy->config, observer, policy->policies,
	                                  policy->policy_count, sim, error);
}

weir_status schedule_run_policy(const weir_known_policy *policy, const schedule_grid *grid,
                                const schedule_progress *progress, schedule_run *run,
                                weir_error *error)
{
	recorder r = {.grid = grid, .run = run};
	const weir_sim_observer observer = {
	    .context = &r,
	    .request_ended = on_request_ended,
	    .sampled = on_sampled,
	    .event = on_event,
	    .scaling_event = on_scaling_event,
	    .server_ended = on_server_ended,
	    .server_left = on_server_ended,
	};
	weir_sim *sim = NULL;
	weir_status status = allocate_run(grid, run) ? WEIR_OK : out_of_memory(error);
	if (status == WEIR_OK) {
		status = create_sim(policy, &observer, &sim, error);
	}
	if (status == WEIR_OK) {
		r.sim = sim;
		status = run_to_end(&r, sim, policy->driver, progress, error);
	}
	weir_driver_leave(policy->driver);
	weir_sim_destroy(sim);
	weir_kept_requests_release(&r.kept);
	if (status != WEIR_OK) {
		schedule_run_release(run);
	}
	return status;
}

void schedule_run_release(schedule_run *run)
{
	free(run->sizes);
	free(run->usd);
	free(run->broken);
	*run = (schedule_run){0};
}

/* --- schedules --- */

/* The changes of one pool. */
static bool list_changes(const schedule_grid *grid, const int32_t *sizes, weir_key_list *list)
{
	size_t most = 1;
	for (size_t s = 1; s < grid->steps; s++) {
		most += sizes[s] != sizes[s - 1];
	}
	weir_schedule_change *changes = weir_allocate(most, sizeof *changes);
	if (changes == NULL) {
		return false;
	}
	size_t count = 0;
	for (size_t s = 0; s < grid->steps; s++) {
		if (s > 0 && sizes[s] == sizes[s - 1]) {
			continue;
		}
		double at = fmax((double)s * grid->step - grid->late, 0.0);
		/* What should have been done before the start is overtaken by what comes next. */
		count -= count > 0 && changes[count - 1].at >= at;
		changes[count++] = (weir_schedule_change){.at = at, .size = sizes[s]};
	}
	*list = (weir_key_list){.items = changes, .count = count};
	return true;
}

bool schedule_make(const schedule_grid *grid, const int32_t *sizes, uint32_t application,
                   weir_schedule_config *schedule)
{
	*schedule = (weir_schedule_config){0};
	for (weir_tag tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		size_t pool = schedule_pool(application, tag);
		if (grid->exists[pool] &&
		    !list_changes(grid, sizes + pool * grid->steps, &schedule->pools[tag])) {
			schedule_release(schedule);
			return false;
		}
	}
	return true;
}

void schedule_release(weir_schedule_config *schedule)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		free(schedule->pools[tag].items);
	}
	*schedule = (weir_schedule_config){0};
}

weir_status schedule_run_sizes(const weir_config *config, const schedule_grid *grid,
                               const int32_t *sizes, const schedule_progress *progress,
                               schedule_run *run, weir_error *error)
{
	weir_controller_policy *policies = weir_allocate(grid->applications, sizeof *policies);
	weir_schedule_config *schedules = weir_allocate(grid->applications, sizeof *schedules);
	bool made = policies != NULL && schedules != NULL;
	for (uint32_t a = 0; a < grid->applications && made; a++) {
		made = schedule_make(grid, sizes, a, &schedules[a]);
		policies[a] = (weir_controller_policy){.type = &weir_policy_schedule,
		                                       .parameters = &schedules[a],
		                                       .application = a,
		                                       .pool = -1};
	}
	const weir_known_policy policy = {
	    .config = config, .policies = policies, .policy_count = grid->applications};
	weir_status status =
	    made ? schedule_run_policy(&policy, grid, progress, run, error) : out_of_memory(error);
	for (uint32_t a = 0; a < grid->applications && schedules != NULL; a++) {
		schedule_release(&schedules[a]);
	}
	free(schedules);
	free(policies);
	return status;
}
