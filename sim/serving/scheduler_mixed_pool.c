/*
 * mixed_pool: prompt and token pools that lend instances to a mixed list when one of them is full
 * (Patel et al., "Splitwise: Efficient Generative LLM Inference Using Phase Splitting", ISCA 2024).
 */
#include "serving/serving_state.h"

/* The list's least loaded instance, unless even its queue is long. */
static uint32_t prompt_candidate(weir_serving *serving, const weir_scheduler *scheduler,
                                 weir_tag list, const weir_placement_request *request)
{
	uint32_t id = weir_list_least(&scheduler->lists[list], WEIR_FIGURE_TOKENS);
	if (id == WEIR_NONE) {
		return WEIR_NONE;
	}
	bool queues = weir_pending_count(&serving->instances[id].pending) > 0;
	bool is_long = serving->entries[id].figures[WEIR_FIGURE_TOKENS] + request->prompt_tokens >
	               scheduler->config->prompt_max_pending_tokens;
	return queues && is_long ? WEIR_NONE : id;
}

/* The list's instance with most memory left, unless even that is too little. */
static uint32_t token_candidate(weir_serving *serving, const weir_scheduler *scheduler,
                                weir_tag list, const weir_placement_request *request)
{
	uint32_t id = weir_list_least(&scheduler->lists[list], WEIR_FIGURE_BYTES);
	if (id == WEIR_NONE) {
		return WEIR_NONE;
	}
	int64_t bytes = serving->entries[id].figures[WEIR_FIGURE_BYTES] + request->prompt_bytes +
	                request->token_bytes;
	return bytes >= serving->instances[id].memory_limit ? WEIR_NONE : id;
}

static uint32_t lend(weir_serving *serving, weir_scheduler *scheduler, weir_tag from,
                     weir_figure figure)
{
	uint32_t id = weir_list_least(&scheduler->lists[from], figure);
	if (id != WEIR_NONE) {
		weir_scheduler_move(serving, scheduler, &serving->instances[id], WEIR_TAG_MIXED);
	}
	return id;
}

static uint32_t fewest_tokens_of_all(const weir_serving *serving, const weir_scheduler *scheduler)
{
	static const weir_tag order[] = {WEIR_TAG_PROMPT, WEIR_TAG_MIXED, WEIR_TAG_TOKEN};
	uint32_t best = WEIR_NONE;
	for (int i = 0; i < 3; i++) {
		uint32_t id = weir_list_least(&scheduler->lists[order[i]], WEIR_FIGURE_TOKENS);
		if (id != WEIR_NONE &&
		    (best == WEIR_NONE || serving->entries[id].figures[WEIR_FIGURE_TOKENS] <
		                              serving->entries[best].figures[WEIR_FIGURE_TOKENS])) {
			best = id;
		}
	}
	return best;
}

static uint32_t token_or_mixed(weir_serving *serving, weir_scheduler *scheduler,
                               const weir_placement_request *request)
{
	uint32_t token = token_candidate(serving, scheduler, WEIR_TAG_TOKEN, request);
	if (token == WEIR_NONE) {
		scheduler->no_token_candidate++;
		token = token_candidate(serving, scheduler, WEIR_TAG_MIXED, request);
	}
	return token;
}

static uint32_t place_token(weir_serving *serving, weir_scheduler *scheduler,
                            const weir_placement_request *request)
{
	uint32_t token = token_or_mixed(serving, scheduler, request);
	if (token == WEIR_NONE) {
		token = lend(serving, scheduler, WEIR_TAG_PROMPT, WEIR_FIGURE_BYTES);
	}
	return token != WEIR_NONE ? token : fewest_tokens_of_all(serving, scheduler);
}

static bool place(weir_serving *serving, weir_scheduler *scheduler,
                  const weir_placement_request *request, weir_placement *placement)
{
	uint32_t prompt = prompt_candidate(serving, scheduler, WEIR_TAG_PROMPT, request);
	if (prompt == WEIR_NONE) {
		scheduler->no_prompt_candidate++;
		prompt = prompt_candidate(serving, scheduler, WEIR_TAG_MIXED, request);
	}
	uint32_t token = token_or_mixed(serving, scheduler, request);
	if (prompt == WEIR_NONE) {
		prompt = lend(serving, scheduler, WEIR_TAG_TOKEN, WEIR_FIGURE_TOKENS);
	}
	if (token == WEIR_NONE) {
		token = lend(serving, scheduler, WEIR_TAG_PROMPT, WEIR_FIGURE_BYTES);
	}
	if (prompt == WEIR_NONE || token == WEIR_NONE) {
		prompt = token = fewest_tokens_of_all(serving, scheduler);
	}
	placement->prompt = prompt;
	placement->token = token;
	return prompt != WEIR_NONE;
}

/* A lent instance that ran empty goes home. */
static void instance_free(weir_serving *serving, weir_scheduler *scheduler, weir_instance *instance)
{
	if (instance->state == WEIR_INSTANCE_ACTIVE && instance->list == WEIR_TAG_MIXED &&
	    instance->tag != WEIR_TAG_MIXED) {
		weir_scheduler_move(serving, scheduler, instance, instance->tag);
	}
}

const weir_scheduler_type weir_scheduler_mixed_pool = {
    .name = "mixed_pool",
    .uses_pools = true,
    .figures = 1u << WEIR_FIGURE_TOKENS | 1u << WEIR_FIGURE_BYTES,
    .place = place,
    .place_token = place_token,
    .instance_free = instance_free,
};
