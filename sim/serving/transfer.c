/* KV-cache transfers from the prompt to the token instance, on dedicated links or a shared network.
 */
#include <math.h>

#include "base/memory.h"
#include "serving/serving_state.h"

static weir_event_handle schedule(weir_serving *serving, double time, weir_serving_event type,
                                  uint32_t subject)
{
	weir_event_handle handle =
	    weir_engine_schedule(serving->engine, time, WEIR_CLASS_SERVING,
	                         (weir_event){.type = (uint32_t)type, .subject = subject});
	if (handle.generation == 0) {
		serving->out_of_memory = true;
	}
	return handle;
}

static double overlap_of(const weir_application_state *application)
{
	return application->scheduler.type->overlaps_transfer
	           ? application->config->scheduler.overlap_factor
	           : 1.0;
}

/* One event stands for the end of whichever shared transfer ends first. */
static void follow_network(weir_serving *serving)
{
	uint32_t flow;
	double next = weir_network_next_finish(serving->network, &flow);
	bool pending = weir_engine_is_pending(serving->engine, serving->network_event);
	if (isinf(next)) {
		if (pending) {
			weir_engine_cancel(serving->engine, serving->network_event);
		}
		return;
	}
	double now = weir_engine_now(serving->engine);
	next = next > now ? next : now;
	if (pending) {
		weir_engine_reschedule(serving->engine, serving->network_event, next);
	} else {
		serving->network_event = schedule(serving, next, WEIR_EVENT_NETWORK, 0);
	}
}

static void start(weir_serving *serving, uint32_t request)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	const weir_application_state *application = &serving->applications[r->application];
	double now = weir_engine_now(serving->engine);
	r->phase = WEIR_PHASE_TRANSFER;
	r->transfer_start = now;
	serving->counters.transfers_started++;
	if (serving->network == NULL) {
		double bytes_per_s = application->config->scheduler.transfer_bandwidth_gb_per_s *
		                     overlap_of(application) * WEIR_BYTES_PER_GB;
		r->transfer = schedule(serving, now + (double)r->transfer_bytes / bytes_per_s,
		                       WEIR_EVENT_TRANSFER_END, request);
		return;
	}
	uint32_t from = serving->instances[r->prompt_instance].server;
	uint32_t to = serving->instances[r->token_instance].server;
	bool local = from == to;
	uint32_t flow = weir_network_start(serving->network, now,
	                                   local ? WEIR_NETWORK_NO_LINK : weir_egress_link(from),
	                                   local ? WEIR_NETWORK_NO_LINK : weir_ingress_link(to),
	                                   (double)r->transfer_bytes / overlap_of(application));
	if (flow == WEIR_NETWORK_NO_FLOW ||
	    !weir_reserve((void **)&serving->flow_requests, &serving->flow_capacity, (size_t)flow + 1,
	                  sizeof *serving->flow_requests)) {
		serving->out_of_memory = true;
		return;
	}
	serving->flow_requests[flow] = request;
	r->flow = flow;
	follow_network(serving);
}

void weir_transfer_try(weir_serving *serving, uint32_t request)
{
	weir_inflight_request *r = &serving->inflight.requests[request];
	weir_instance *destination = &serving->instances[r->token_instance];
	if (destination->memory + r->memory > destination->memory_limit) {
		weir_application_state *application = &serving->applications[r->application];
		serving->counters.transfer_retries++;
		serving->transfers_waiting++;
		application->transfers_waiting++;
		r->transfer = schedule(serving,
		                       weir_engine_now(serving->engine) +
		                           application->config->scheduler.transfer_retry_s,
		                       WEIR_EVENT_TRANSFER_RETRY, request);
		return;
	}
	destination->memory += r->memory;
	start(serving, request);
}

bool weir_transfer_retry(weir_serving *serving, uint32_t request)
{
	const weir_inflight_request *r = &serving->inflight.requests[request];
	weir_application_state *application = &serving->applications[r->application];
	serving->transfers_waiting--;
	application->transfers_waiting--;
	weir_transfer_try(serving, request);
	bool in_vain = r->phase == WEIR_PHASE_TRANSFER_WAIT;
	application->vain_retries += in_vain;
	return in_vain;
}

void weir_transfer_cancel(weir_serving *serving, uint32_t request)
{
	const weir_inflight_request *r = &serving->inflight.requests[request];
	if (r->phase == WEIR_PHASE_TRANSFER && serving->observer.transfer_ended != NULL) {
		weir_tell_transfer(serving, request, WEIR_TRANSFER_CANCELLED);
	}
	if (r->phase == WEIR_PHASE_TRANSFER_WAIT) {
		weir_engine_cancel(serving->engine, r->transfer);
		serving->transfers_waiting--;
		serving->applications[r->application].transfers_waiting--;
	} else if (r->phase == WEIR_PHASE_TRANSFER && serving->network == NULL) {
		weir_engine_cancel(serving->engine, r->transfer);
	} else if (r->phase == WEIR_PHASE_TRANSFER) {
		weir_network_cancel(serving->network, weir_engine_now(serving->engine), r->flow);
		follow_network(serving);
	}
}

void weir_transfer_network_event(weir_serving *serving)
{
	uint32_t flow;
	double now = weir_engine_now(serving->engine);
	weir_network_next_finish(serving->network, &flow);
	weir_network_finish(serving->network, now, flow);
	uint32_t request = serving->flow_requests[flow];
	follow_network(serving);
	weir_request_transfer_done(serving, request);
}
