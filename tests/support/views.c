#include "support/views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

void hand_view_begin(hand_view *hand, double now, double interval)
{
	memset(hand, 0, sizeof *hand);
	hand->view.now = now;
	hand->view.interval = interval;
	weir_view_quantiles unknown = {NAN, NAN, NAN, NAN};
	hand->view.latencies = (weir_view_latencies){
	    .ttft = unknown, .tbt = unknown, .ttft_slowdown = unknown, .tbt_slowdown = unknown};
}

weir_view_instance *hand_view_add(hand_view *hand, weir_tag tag, weir_instance_state state)
{
	ck_assert_uint_lt(hand->view.instance_count, HAND_INSTANCES);
	uint32_t id = (uint32_t)hand->view.instance_count++;
	weir_view_instance *instance = &hand->instances[id];
	*instance = (weir_view_instance){
	    .id = id,
	    .tag = tag,
	    .list = tag,
	    .state = state,
	    .created = hand->view.now - 1e5,
	    .ready_since = state == WEIR_INSTANCE_SCALING_UP ? (double)NAN : hand->view.now - 9e4};
	return instance;
}

void hand_view_add_active(hand_view *hand, weir_tag tag, uint32_t count, uint32_t requests)
{
	for (uint32_t i = 0; i < count; i++) {
		weir_view_instance *instance = hand_view_add(hand, tag, WEIR_INSTANCE_ACTIVE);
		instance->requests = requests;
		instance->load_concurrency = requests;
	}
}

const weir_view *hand_view_finish(hand_view *hand)
{
	weir_view *view = &hand->view;
	uint64_t in_system = view->waiting_at_scheduler;
	for (size_t i = 0; i < view->instance_count; i++) {
		const weir_view_instance *instance = &hand->instances[i];
		weir_view_pool *pool = &view->pools[instance->tag];
		pool->count[instance->state]++;
		if (instance->state == WEIR_INSTANCE_ACTIVE) {
			view->pools[instance->list].active_by_list++;
		}
		pool->requests += instance->requests;
		pool->pending_prompt_tokens += instance->pending_prompt_tokens;
		pool->kv_promised += instance->kv_promised;
		pool->queued_prompts += instance->queued_prompts;
		pool->queued_tokens += instance->queued_tokens;
		pool->load_kv += instance->load_kv;
		pool->load_busy += instance->load_busy;
		pool->load_batch += instance->load_batch;
		in_system += instance->requests;
	}
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		weir_view_pool *pool = &view->pools[tag];
		double serving = fmax(1, (double)pool->count[WEIR_INSTANCE_ACTIVE] +
		                             (double)pool->count[WEIR_INSTANCE_DRAINING]);
		pool->load_kv /= serving;
		pool->load_busy /= serving;
		pool->load_batch /= serving;
	}
	view->in_system = in_system;
	view->instances = hand->instances;
	return view;
}

weir_status hand_read(weir_arena *arena, const weir_key_table *table, const char *json,
                      void *object, weir_error *error)
{
	char *text = weir_arena_string(arena, json);
	for (char *c = text; *c != '\0'; c++) {
		*c = *c == '\'' ? '"' : *c;
	}
	cJSON *tree = cJSON_Parse(text);
	ck_assert_msg(tree != NULL, "not JSON: %s", text);
	weir_keys_reader reader = {.arena = arena, .file = "test.json"};
	weir_status status = weir_keys_read(&reader, table, tree, "", object, error);
	cJSON_Delete(tree);
	return status;
}

void hand_policy_start(hand_policy *policy, const weir_policy_type *type,
                       const weir_key_table *table, const char *json, weir_tag tag)
{
	weir_error error;
	weir_error_clear(&error);
	*policy = (hand_policy){.type = type, .arena = weir_arena_create()};
	policy->parameters = weir_allocate(1, table->size);
	ck_assert_ok(hand_read(policy->arena, table, json, policy->parameters, &error), &error);
	policy->context = (weir_policy_context){
	    .parameters = policy->parameters, .tags = 1u << tag, .interval = type->interval};
	size_t size = type->state_size != NULL ? type->state_size(&policy->context) : 0;
	/* Exactly as large as it says, so that a sanitizer sees what it oversteps. */
	policy->state = weir_allocate(1, size > 0 ? size : 1);
	if (type->start != NULL) {
		ck_assert_ok(type->start(&policy->context, policy->state, &error), &error);
	}
}

void hand_policy_end(hand_policy *policy)
{
	free(policy->state);
	free(policy->parameters);
	weir_arena_destroy(policy->arena);
}

weir_decision hand_policy_decide(hand_policy *policy, const weir_view *view)
{
	weir_decision decision = {.count = 0};
	policy->type->decide(&policy->context, policy->state, view, &decision);
	return decision;
}

int64_t hand_policy_size(hand_policy *policy, const weir_view *view)
{
	weir_tag tag = weir_policy_tag(&policy->context);
	weir_decision decision = hand_policy_decide(policy, view);
	ck_assert_int_eq(decision.migrate, 0);
	if (decision.count == 0) {
		return weir_view_size(&view->pools[tag]);
	}
	ck_assert_uint_eq(decision.count, 1);
	ck_assert_int_eq(decision.changes[0].tag, tag);
	ck_assert_int_eq(decision.changes[0].type, WEIR_ANY_TYPE);
	ck_assert(decision.changes[0].absolute);
	return decision.changes[0].amount;
}
