/* What an observer hears of iterations and transfers: each once, when it ends, as it really went.
 */
#include "serving/activity_row.h"
#include "serving/serving_state.h"

const char *const weir_transfer_outcome_names[] = {"arrived", "cancelled", "under_way", NULL};

void weir_tell_iterations(const weir_serving *serving, const weir_instance *instance,
                          int64_t finished, int64_t prompts_done)
{
	const weir_batch *batch = &instance->current;
	const weir_iteration_row row = {
	    .start = instance->started,
	    .end = weir_engine_now(serving->engine),
	    .instance = (int32_t)instance->id,
	    .iterations = finished,
	    .prompt_tasks = (int32_t)batch->prompt_tasks,
	    .token_tasks = (int32_t)batch->token_tasks,
	    .prompt_tokens = finished > 0 ? batch->prompt_tokens : 0,
	    .output_tokens = batch->token_tasks * finished + prompts_done,
	    .context = batch->prompt_context + batch->token_context,
	};
	serving->observer.iterations_ended(serving->observer.context, &row);
}

void weir_tell_transfer(const weir_serving *serving, uint32_t request,
                        weir_transfer_outcome outcome)
{
	const weir_inflight_request *r = &serving->inflight.requests[request];
	const weir_transfer_row row = {
	    .request_id = r->id,
	    .retries = (int32_t)(r->failures + r->moves),
	    .from_instance = (int32_t)r->prompt_instance_id,
	    .to_instance = (int32_t)r->token_instance_id,
	    .ready = r->prompt_end,
	    .start = r->transfer_start,
	    .end = weir_engine_now(serving->engine),
	    .bytes = r->transfer_bytes,
	    .outcome = (uint8_t)outcome,
	};
	serving->observer.transfer_ended(serving->observer.context, &row);
}

void weir_serving_under_way(const weir_serving *serving)
{
	for (uint32_t slot = 0;
	     slot < serving->instance_slots && serving->observer.iterations_ended != NULL; slot++) {
		const weir_instance *instance = &serving->instances[slot];
		if (instance->exists && instance->batch.count > 0) {
			weir_tell_iterations(serving, instance,
			                     weir_instance_finished(instance, serving->engine), 0);
		}
	}
	for (uint32_t request = 0;
	     request < serving->inflight.used && serving->observer.transfer_ended != NULL; request++) {
		if (serving->inflight.requests[request].phase == WEIR_PHASE_TRANSFER) {
			weir_tell_transfer(serving, request, WEIR_TRANSFER_UNDER_WAY);
		}
	}
}
