#include "run/simulate.h"

#include <math.h>
#include <string.h>

#include "run/kept_requests.h"
#include "run/sim.h"

/* Events between two looks at the memory and the caller. */
enum { EVENTS_PER_LOOK = 4096 };

weir_simulate_options weir_simulate_options_default(void)
{
	return (weir_simulate_options){.until = (double)INFINITY};
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	weir_kept_requests_add(context, row);
}

/* Nobody wants the samples, but without a listener none would be taken, and the run would have
 * fewer events than one that is recorded. */
static void on_sampled(void *context, const weir_sample_row *row)
{
	(void)context;
	(void)row;
}

static bool go_on(const weir_sim *sim, const weir_simulate_options *options)
{
	if (options->progress == NULL) {
		return true;
	}
	const weir_run_progress progress = weir_run_progress_of(sim, options->until);
	return options->progress(options->context, &progress);
}

static weir_status run_to_end(weir_sim *sim, const weir_simulate_options *options,
                              const weir_kept_requests *kept, weir_error *error)
{
	weir_status status = weir_driver_begin(options->driver, sim, NULL, error);
	bool more = status == WEIR_OK;
	while (more) {
		status =
		    weir_driver_run(options->driver, sim, options->until, EVENTS_PER_LOOK, &more, error);
		if (status == WEIR_OK) {
			status = weir_kept_requests_check(kept, error);
		}
		if (status != WEIR_OK) {
			return status;
		}
		if (!go_on(sim, options)) {
			return weir_error_set(error, WEIR_ERROR_INTERRUPTED, NULL, "interrupted at %.3f s",
			                      weir_sim_now(sim));
		}
	}
	if (status == WEIR_OK) {
		status = weir_driver_end(options->driver, sim, error);
	}
	weir_sim_finish(sim);
	return status;
}

weir_status weir_simulate(const weir_config *config, const weir_simulate_options *options,
                          weir_simulate_result *result, weir_error *error)
{
	memset(result, 0, sizeof *result);
	weir_kept_requests kept = {0};
	const weir_sim_observer observer = {
	    .context = &kept, .request_ended = on_request_ended, .sampled = on_sampled};
	weir_sim *sim = NULL;
	weir_status status =
	    options->driver != NULL
	        ? weir_driver_create_sim(options->driver, config, &observer, &sim, error)
	        : weir_sim_create_with(config, &observer, options->policies, options->policy_count,
	                               &sim, error);
	if (status == WEIR_OK) {
		status = run_to_end(sim, options, &kept, error);
	}
	if (status == WEIR_OK) {
		result->stalled = weir_sim_is_stalled(sim);
		weir_serving_counters_get(weir_sim_serving(sim), &result->counters);
		status = weir_kept_requests_summarise(&kept, sim, &result->summary, error);
	}
	weir_driver_leave(options->driver);
	weir_sim_destroy(sim);
	weir_kept_requests_release(&kept);
	return status;
}
