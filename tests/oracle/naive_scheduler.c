#include "oracle/naive_internal.h"

static int64_t pending_requests(const naive_instance *instance)
{
	return (int64_t)instance->pending_requests.count;
}

static int64_t sched_pending_tokens(const naive_instance *instance)
{
	return instance->sched_pending_tokens;
}

static int64_t sched_memory(const naive_instance *instance)
{
	return instance->sched_memory;
}

/* The first of the lowest, NULL for an empty list. */
static naive_instance *lowest(const naive_list *instances,
                              int64_t (*figure)(const naive_instance *instance))
{
	naive_instance *best = NULL;
	for (size_t i = 0; i < instances->count; i++) {
		if (best == NULL || figure(instances->items[i]) < figure(best)) {
			best = instances->items[i];
		}
	}
	return best;
}

static naive_instance *next_in_turn(const naive_list *instances, size_t *cursor)
{
	naive_instance *chosen = instances->items[*cursor];
	*cursor = (*cursor + 1) % instances->count;
	return chosen;
}

/* Rule 1: the shortest prompt queue, unless it is long. */
static naive_instance *prompt_candidate(const naive_simulation *sim, const naive_list *instances,
                                        const naive_job *request)
{
	naive_instance *best = lowest(instances, sched_pending_tokens);
	if (best == NULL ||
	    (best->pending.count > 0 && best->sched_pending_tokens + request->input->prompt_tokens >
	                                    sim->config->prompt_max_pending_tokens)) {
		return NULL;
	}
	return best;
}

/* Rule 2: the least memory promised, unless it is full. */
static naive_instance *token_candidate(const naive_list *instances, const naive_job *request)
{
	naive_instance *best = lowest(instances, sched_memory);
	if (best == NULL ||
	    best->sched_memory + request->prompt.memory + request->token.memory >= best->limit) {
		return NULL;
	}
	return best;
}

static void borrow(naive_simulation *sim, naive_list *from, naive_instance *instance)
{
	list_remove(from, instance);
	list_append(&sim->mixed_list, instance);
	instance->borrowed = true;
}

static void choose_mixed_pool(naive_simulation *sim, const naive_job *request,
                              naive_instance **prompt, naive_instance **token)
{
	*prompt = prompt_candidate(sim, &sim->prompt_list, request);
	if (*prompt == NULL) {
		*prompt = prompt_candidate(sim, &sim->mixed_list, request);
	}
	*token = token_candidate(&sim->token_list, request);
	if (*token == NULL) {
		*token = token_candidate(&sim->mixed_list, request);
	}
	/* Rules 3 and 4. */
	if (*prompt == NULL && sim->token_list.count > 0) {
		*prompt = lowest(&sim->token_list, sched_pending_tokens);
		borrow(sim, &sim->token_list, *prompt);
	}
	if (*token == NULL && sim->prompt_list.count > 0) {
		*token = lowest(&sim->prompt_list, sched_memory);
		borrow(sim, &sim->prompt_list, *token);
	}
	/* Rule 5. */
	if (*prompt == NULL || *token == NULL) {
		naive_instance *best = NULL;
		const naive_list *lists[] = {&sim->prompt_list, &sim->mixed_list, &sim->token_list};
		for (size_t i = 0; i < 3; i++) {
			naive_instance *candidate = lowest(lists[i], sched_pending_tokens);
			if (candidate != NULL &&
			    (best == NULL || candidate->sched_pending_tokens < best->sched_pending_tokens)) {
				best = candidate;
			}
		}
		*prompt = best;
		*token = best;
	}
}

void choose_instances(naive_simulation *sim, const naive_job *request, naive_instance **prompt,
                      naive_instance **token)
{
	const naive_config *config = sim->config;
	switch (config->scheduler) {
	case NAIVE_RANDOM:
		*prompt = sim->all.items[config->draw(config->context, sim->all.count)];
		*token = *prompt;
		break;
	case NAIVE_ROUND_ROBIN:
		*prompt = next_in_turn(&sim->all, &sim->cursor);
		*token = *prompt;
		break;
	case NAIVE_JSQ:
		*prompt = lowest(&sim->all, pending_requests);
		*token = *prompt;
		break;
	case NAIVE_TOKEN_JSQ:
		*prompt = lowest(&sim->all, sched_pending_tokens);
		*token = *prompt;
		break;
	case NAIVE_KV_ROUND_ROBIN:
		*prompt = next_in_turn(&sim->prompt_list, &sim->prompt_cursor);
		*token = next_in_turn(&sim->token_list, &sim->token_cursor);
		break;
	case NAIVE_KV_JSQ:
	case NAIVE_OVERLAP_KV_JSQ:
		*prompt = lowest(&sim->prompt_list, pending_requests);
		*token = lowest(&sim->token_list, pending_requests);
		break;
	case NAIVE_KV_TOKEN_JSQ:
	case NAIVE_OVERLAP_KV_TOKEN_JSQ:
		*prompt = lowest(&sim->prompt_list, sched_pending_tokens);
		*token = lowest(&sim->token_list, sched_pending_tokens);
		break;
	case NAIVE_MIXED_POOL:
		choose_mixed_pool(sim, request, prompt, token);
		break;
	case NAIVE_SCHEDULER_COUNT:
		assert(false);
	}
}

/* The reference keeps sched_memory for mixed_pool alone. Every other scheduler ignores it, so that
 * the books of all can be kept, and checked, alike. */
void enter_in_books(const naive_job *request)
{
	naive_instance *prompt = request->prompt.instance;
	naive_instance *token = request->token.instance;
	prompt->sched_memory += request->prompt.memory;
	prompt->sched_pending_tokens += request->input->prompt_tokens;
	if (token != NULL) {
		if (token != prompt) {
			token->sched_memory += request->prompt.memory;
		}
		token->sched_memory += request->token.memory;
		token->sched_pending_tokens += 1;
	}
}

/* Rule 7. */
void instance_is_free(naive_simulation *sim, naive_instance *instance)
{
	if (instance->borrowed) {
		instance->borrowed = false;
		list_remove(&sim->mixed_list, instance);
		list_append(instance->tag == NAIVE_PROMPT ? &sim->prompt_list : &sim->token_list, instance);
	}
}
