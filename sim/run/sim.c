#include "run/sim.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/engine.h"
#include "run/cluster.h"
#include "run/sim_internal.h"
#include "serving/lifecycle.h"

static weir_status out_of_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the simulation");
}

static weir_status schedule(weir_sim *sim, double time, weir_event_class event_class,
                            weir_run_event type, weir_error *error)
{
	weir_event_handle handle =
	    weir_engine_schedule(sim->engine, time, event_class, (weir_event){.type = (uint32_t)type});
	return handle.generation != 0 ? WEIR_OK : out_of_memory(error);
}

/* Draws the next request and schedules its arrival: one is pending at a time. */
static weir_status draw_request(weir_sim *sim, weir_error *error)
{
	bool more = false;
	weir_status status = weir_source_next(sim->source, &sim->request, &more, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (!more) {
		sim->state.workload_ended = true;
		return WEIR_OK;
	}
	/* What it points to belongs to the source, and nothing here uses it. */
	sim->request.prefix_hashes = NULL;
	sim->request.prefix_hash_count = 0;
	if (sim->request.application < 0 ||
	    (uint64_t)sim->request.application >= sim->config->application_count) {
		return weir_error_set(error, WEIR_ERROR_INPUT, sim->config->workload.trace.path,
		                      "request %lld is for application %lld, but the config has %zu "
		                      "(numbered from 0); 'weir trace convert --application' renumbers",
		                      (long long)sim->request.id, (long long)sim->request.application,
		                      sim->config->application_count);
	}
	return schedule(sim, sim->request.arrival, WEIR_CLASS_ARRIVAL, WEIR_EVENT_ARRIVAL, error);
}

static weir_status schedule_sample(weir_sim *sim, weir_error *error)
{
	double interval = sim->config->sampling.interval;
	if (interval <= 0 || sim->observer.sampled == NULL) {
		return WEIR_OK;
	}
	/* Multiples of the interval, without the error that adding it up would gather. */
	double time = (double)++sim->state.samples * interval;
	sim->state.sample_pending = true;
	return schedule(sim, time, WEIR_CLASS_SAMPLE, WEIR_EVENT_SAMPLE, error);
}

static void on_request_ended(void *context, const weir_request_row *row)
{
	weir_sim *sim = context;
	if (!weir_meter_request_ended(sim->meter, row)) {
		sim->state.out_of_memory = true;
	}
	if (sim->observer.request_ended != NULL) {
		sim->observer.request_ended(sim->observer.context, row);
	}
}

static void on_iterations_ended(void *context, const weir_iteration_row *row)
{
	const weir_sim *sim = context;
	sim->observer.iterations_ended(sim->observer.context, row);
}

static void on_transfer_ended(void *context, const weir_transfer_row *row)
{
	const weir_sim *sim = context;
	sim->observer.transfer_ended(sim->observer.context, row);
}

weir_status weir_sim_build_parts(weir_sim *sim, weir_error *error)
{
	sim->engine = weir_engine_create();
	if (sim->engine == NULL) {
		return out_of_memory(error);
	}
	const weir_serving_observer observer = {
	    .context = sim,
	    .request_ended = on_request_ended,
	    .iterations_ended = sim->observer.iterations_ended != NULL ? on_iterations_ended : NULL,
	    .transfer_ended = sim->observer.transfer_ended != NULL ? on_transfer_ended : NULL,
	};
	weir_status status =
	    weir_serving_create(&sim->built.cluster, sim->engine, &observer, &sim->serving, error);
	if (status != WEIR_OK) {
		return status;
	}
	sim->sampler = weir_sampler_create(&sim->built.cluster, sim->serving, 0.0);
	if (sim->sampler == NULL) {
		return out_of_memory(error);
	}
	return weir_sim_build_scaling(sim, error);
}

void weir_sim_destroy_parts(weir_sim *sim)
{
	weir_controller_destroy(sim->controller);
	weir_faults_destroy(sim->faults);
	weir_manager_destroy(sim->manager);
	weir_meter_destroy(sim->meter);
	weir_sampler_destroy(sim->sampler);
	weir_serving_destroy(sim->serving);
	weir_engine_destroy(sim->engine);
}

/* Remembers the policies to run: those given, or the config's own. */
static weir_status keep_policies(weir_sim *sim, const weir_controller_policy *policies,
                                 size_t count, weir_error *error)
{
	sim->policy_count = policies != NULL ? count : sim->config->policies.count;
	sim->policies =
	    weir_allocate(sim->policy_count > 0 ? sim->policy_count : 1, sizeof *sim->policies);
	if (sim->policies == NULL) {
		return out_of_memory(error);
	}
	if (policies == NULL) {
		weir_sim_list_policies(sim->config, sim->policies);
	} else if (count > 0) {
		memcpy(sim->policies, policies, count * sizeof *policies);
	}
	return WEIR_OK;
}

static weir_status build(weir_sim *sim, const weir_controller_policy *policies, size_t policy_count,
                         weir_error *error)
{
	weir_status status = keep_policies(sim, policies, policy_count, error);
	if (status == WEIR_OK) {
		status = weir_cluster_build(sim->config, &sim->built, error);
	}
	if (status == WEIR_OK) {
		status = weir_sim_build_parts(sim, error);
	}
	if (status == WEIR_OK) {
		status = weir_config_open_workload(sim->config, &sim->source, error);
	}
	if (status == WEIR_OK) {
		status = draw_request(sim, error);
	}
	if (status == WEIR_OK) {
		status = schedule_sample(sim, error);
	}
	return status;
}

weir_status weir_sim_create(const weir_config *config, const weir_sim_observer *observer,
                            weir_sim **sim, weir_error *error)
{
	return weir_sim_create_with(config, observer, NULL, 0, sim, error);
}

weir_status weir_sim_create_with(const weir_config *config, const weir_sim_observer *observer,
                                 const weir_controller_policy *policies, size_t policy_count,
                                 weir_sim **sim, weir_error *error)
{
	*sim = NULL;
	weir_sim *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return out_of_memory(error);
	}
	made->config = config;
	if (observer != NULL) {
		made->observer = *observer;
	}
	weir_status status = build(made, policies, policy_count, error);
	if (status != WEIR_OK) {
		weir_sim_destroy(made);
		return status;
	}
	*sim = made;
	return WEIR_OK;
}

void weir_sim_destroy(weir_sim *sim)
{
	if (sim != NULL) {
		weir_source_destroy(sim->source);
		weir_sim_destroy_parts(sim);
		weir_cluster_release(&sim->built);
		free(sim->policies);
		free(sim);
	}
}

static weir_status arrive(weir_sim *sim, weir_error *error)
{
	const weir_submission submission = {
	    .id = sim->request.id,
	    .application = (uint32_t)sim->request.application,
	    .prompt_tokens = sim->request.prompt_tokens,
	    .output_tokens = sim->request.output_tokens,
	};
	/* Drawn first, so that arrivals of one time come before what they cause. */
	weir_status status = draw_request(sim, error);
	return status == WEIR_OK ? weir_serving_submit(sim->serving, &submission, error) : status;
}

static weir_status sample(weir_sim *sim, weir_error *error)
{
	sim->state.sample_pending = false;
	weir_sampler_take(sim->sampler, weir_engine_now(sim->engine), sim->observer.sampled,
	                  sim->observer.context);
	return schedule_sample(sim, error);
}

static weir_status handle(weir_sim *sim, const weir_event *event, weir_error *error)
{
	if (event->type < WEIR_SERVING_EVENT_END) {
		return weir_serving_handle(sim->serving, event, error);
	}
	if (event->type < WEIR_SCALING_EVENT_END) {
		return weir_sim_handle_scaling(sim, event, error);
	}
	switch ((weir_run_event)event->type) {
	case WEIR_EVENT_ARRIVAL:
		return arrive(sim, error);
	case WEIR_EVENT_SAMPLE:
		return sample(sim, error);
	}
	assert(false);
	return WEIR_OK;
}

/* Whether every request has ended, or nothing is left that could bring one to its end. */
static bool has_ended(const weir_sim *sim)
{
	if (!sim->state.workload_ended) {
		return false;
	}
	weir_serving_counters counters;
	weir_serving_counters_get(sim->serving, &counters);
	if (counters.in_system == 0) {
		return true;
	}
	uint64_t pending = weir_engine_get_counts(sim->engine).pending - weir_sim_background(sim) -
	                   (sim->state.sample_pending ? 1 : 0);
	return pending == 0 || weir_serving_only_retries(sim->serving, pending);
}

weir_status weir_sim_run(weir_sim *sim, double until, uint64_t events, bool *more,
                         weir_error *error)
{
	*more = false;
	if (sim->state.finished) {
		return WEIR_OK;
	}
	if (weir_sim_waiting(sim) >= 0) {
		return weir_error_set(error, WEIR_ERROR_INTERNAL, NULL,
		                      "the simulation was run on at %.3f s, where policy %d has yet to "
		                      "decide (weir_sim_answer)",
		                      weir_sim_now(sim), weir_sim_waiting(sim));
	}
	for (uint64_t i = 0; i < events; i++) {
		weir_event event;
		if (has_ended(sim) || !weir_engine_pop_until(sim->engine, until, &event)) {
			return WEIR_OK;
		}
		if (sim->observer.event != NULL) {
			sim->observer.event(sim->observer.context, weir_engine_now(sim->engine), &event);
		}
		weir_status status = handle(sim, &event, error);
		if (status == WEIR_OK && sim->state.out_of_memory) {
			status = out_of_memory(error);
		}
		if (status != WEIR_OK) {
			return status;
		}
		if (event.type == WEIR_EVENT_POLICY && weir_sim_waiting(sim) >= 0) {
			break;
		}
	}
	*more = true;
	return WEIR_OK;
}

void weir_sim_finish(weir_sim *sim)
{
	if (sim->state.finished) {
		return;
	}
	sim->state.finished = true;
	if (sim->observer.sampled != NULL && sim->config->sampling.interval > 0) {
		weir_sampler_take(sim->sampler, weir_engine_now(sim->engine), sim->observer.sampled,
		                  sim->observer.context);
	}
	if (sim->observer.request_ended != NULL) {
		weir_serving_unfinished(sim->serving, sim->observer.request_ended, sim->observer.context);
	}
	weir_serving_under_way(sim->serving);
	weir_sim_end_instances(sim);
}

double weir_sim_now(const weir_sim *sim)
{
	return weir_engine_now(sim->engine);
}

uint64_t weir_sim_events(const weir_sim *sim)
{
	return weir_engine_get_counts(sim->engine).executed;
}

double weir_sim_share_done(const weir_sim *sim, double until)
{
	double by_workload = weir_source_share_drawn(sim->source);
	double by_time = isfinite(until) && until > 0 ? weir_engine_now(sim->engine) / until : NAN;
	return fmax(by_workload, by_time);
}

bool weir_sim_is_stalled(const weir_sim *sim)
{
	weir_serving_counters counters;
	weir_serving_counters_get(sim->serving, &counters);
	return counters.in_system > 0 && has_ended(sim);
}

const weir_config *weir_sim_config(const weir_sim *sim)
{
	return sim->config;
}

const weir_serving *weir_sim_serving(const weir_sim *sim)
{
	return sim->serving;
}

const weir_cluster *weir_sim_cluster(const weir_sim *sim)
{
	return &sim->built.cluster;
}

const weir_slo *weir_sim_slo(const weir_sim *sim)
{
	return &sim->built.slo;
}

weir_manager *weir_sim_manager(weir_sim *sim)
{
	return sim->manager;
}

const weir_manager *weir_sim_manager_const(const weir_sim *sim)
{
	return sim->manager;
}

weir_meter *weir_sim_meter(weir_sim *sim)
{
	return sim->meter;
}

const weir_faults *weir_sim_faults(const weir_sim *sim)
{
	return sim->faults;
}
