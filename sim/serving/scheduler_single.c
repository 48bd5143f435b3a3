/* Schedulers that run both phases of a request on one instance. */
#include "serving/serving_state.h"

static bool on_one(weir_scheduler *scheduler, uint32_t instance, weir_placement *placement)
{
	placement->prompt = placement->token = instance;
	scheduler->no_prompt_candidate += instance == WEIR_NONE;
	scheduler->no_token_candidate += instance == WEIR_NONE;
	return instance != WEIR_NONE;
}

static bool place_random(weir_serving *serving, weir_scheduler *scheduler,
                         const weir_placement_request *request, weir_placement *placement)
{
	(void)serving;
	(void)request;
	const weir_instance_list *list = &scheduler->lists[WEIR_TAG_MIXED];
	return on_one(scheduler,
	              list->count > 0
	                  ? list->members[gsl_rng_uniform_int(scheduler->stream, list->count)]
	                  : WEIR_NONE,
	              placement);
}

const weir_scheduler_type weir_scheduler_random = {.name = "random", .place = place_random};

static bool place_in_turn(weir_serving *serving, weir_scheduler *scheduler,
                          const weir_placement_request *request, weir_placement *placement)
{
	(void)request;
	return on_one(scheduler,
	              weir_list_take_turn(&scheduler->lists[WEIR_TAG_MIXED], serving->entries),
	              placement);
}

const weir_scheduler_type weir_scheduler_round_robin = {.name = "round_robin",
                                                        .place = place_in_turn};

static bool place_fewest_requests(weir_serving *serving, weir_scheduler *scheduler,
                                  const weir_placement_request *request, weir_placement *placement)
{
	(void)serving;
	(void)request;
	return on_one(scheduler,
	              weir_list_least(&scheduler->lists[WEIR_TAG_MIXED], WEIR_FIGURE_REQUESTS),
	              placement);
}

const weir_scheduler_type weir_scheduler_jsq = {
    .name = "jsq", .figures = 1u << WEIR_FIGURE_REQUESTS, .place = place_fewest_requests};

static bool place_fewest_tokens(weir_serving *serving, weir_scheduler *scheduler,
                                const weir_placement_request *request, weir_placement *placement)
{
	(void)serving;
	(void)request;
	return on_one(scheduler, weir_list_least(&scheduler->lists[WEIR_TAG_MIXED], WEIR_FIGURE_TOKENS),
	              placement);
}

const weir_scheduler_type weir_scheduler_token_jsq = {
    .name = "token_jsq", .figures = 1u << WEIR_FIGURE_TOKENS, .place = place_fewest_tokens};
