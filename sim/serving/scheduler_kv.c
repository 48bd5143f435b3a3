/* Schedulers that take one instance of the prompt and one of the token pool and move the KV cache.
 */
#include "serving/serving_state.h"

static bool both_pools(weir_scheduler *scheduler)
{
	bool prompt = scheduler->lists[WEIR_TAG_PROMPT].count > 0;
	bool token = scheduler->lists[WEIR_TAG_TOKEN].count > 0;
	scheduler->no_prompt_candidate += !prompt;
	scheduler->no_token_candidate += !token;
	return prompt && token;
}

static uint32_t some_token(weir_scheduler *scheduler, uint32_t instance)
{
	scheduler->no_token_candidate += instance == WEIR_NONE;
	return instance;
}

static uint32_t token_in_turn(weir_serving *serving, weir_scheduler *scheduler,
                              const weir_placement_request *request)
{
	(void)request;
	return some_token(scheduler,
	                  weir_list_take_turn(&scheduler->lists[WEIR_TAG_TOKEN], serving->entries));
}

static uint32_t token_of_fewest_requests(weir_serving *serving, weir_scheduler *scheduler,
                                         const weir_placement_request *request)
{
	(void)serving;
	(void)request;
	return some_token(scheduler,
	                  weir_list_least(&scheduler->lists[WEIR_TAG_TOKEN], WEIR_FIGURE_REQUESTS));
}

static uint32_t token_of_fewest_tokens(weir_serving *serving, weir_scheduler *scheduler,
                                       const weir_placement_request *request)
{
	(void)serving;
	(void)request;
	return some_token(scheduler,
	                  weir_list_least(&scheduler->lists[WEIR_TAG_TOKEN], WEIR_FIGURE_TOKENS));
}

static bool place_in_turn(weir_serving *serving, weir_scheduler *scheduler,
                          const weir_placement_request *request, weir_placement *placement)
{
	(void)request;
	if (!both_pools(scheduler)) {
		return false;
	}
	placement->prompt = weir_list_take_turn(&scheduler->lists[WEIR_TAG_PROMPT], serving->entries);
	placement->token = weir_list_take_turn(&scheduler->lists[WEIR_TAG_TOKEN], serving->entries);
	return true;
}

static bool place_least(weir_scheduler *scheduler, weir_figure figure, weir_placement *placement)
{
	if (!both_pools(scheduler)) {
		return false;
	}
	placement->prompt = weir_list_least(&scheduler->lists[WEIR_TAG_PROMPT], figure);
	placement->token = weir_list_least(&scheduler->lists[WEIR_TAG_TOKEN], figure);
	return true;
}

static bool place_fewest_requests(weir_serving *serving, weir_scheduler *scheduler,
                                  const weir_placement_request *request, weir_placement *placement)
{
	(void)serving;
	(void)request;
	return place_least(scheduler, WEIR_FIGURE_REQUESTS, placement);
}

static bool place_fewest_tokens(weir_serving *serving, weir_scheduler *scheduler,
                                const weir_placement_request *request, weir_placement *placement)
{
	(void)serving;
	(void)request;
	return place_least(scheduler, WEIR_FIGURE_TOKENS, placement);
}

const weir_scheduler_type weir_scheduler_kv_round_robin = {.name = "kv_round_robin",
                                                           .uses_pools = true,
                                                           .place = place_in_turn,
                                                           .place_token = token_in_turn};

const weir_scheduler_type weir_scheduler_kv_jsq = {.name = "kv_jsq",
                                                   .uses_pools = true,
                                                   .figures = 1u << WEIR_FIGURE_REQUESTS,
                                                   .place = place_fewest_requests,
                                                   .place_token = token_of_fewest_requests};

const weir_scheduler_type weir_scheduler_kv_token_jsq = {.name = "kv_token_jsq",
                                                         .uses_pools = true,
                                                         .figures = 1u << WEIR_FIGURE_TOKENS,
                                                         .place = place_fewest_tokens,
                                                         .place_token = token_of_fewest_tokens};

const weir_scheduler_type weir_scheduler_overlap_kv_jsq = {.name = "overlap_kv_jsq",
                                                           .uses_pools = true,
                                                           .overlaps_transfer = true,
                                                           .figures = 1u << WEIR_FIGURE_REQUESTS,
                                                           .place = place_fewest_requests,
                                                           .place_token = token_of_fewest_requests};

const weir_scheduler_type weir_scheduler_overlap_kv_token_jsq = {
    .name = "overlap_kv_token_jsq",
    .uses_pools = true,
    .overlaps_transfer = true,
    .figures = 1u << WEIR_FIGURE_TOKENS,
    .place = place_fewest_tokens,
    .place_token = token_of_fewest_tokens};
