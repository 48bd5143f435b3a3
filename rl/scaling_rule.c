#include "rl/scaling_rule.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* --- reading ---------------------------------------------------------------------------------- */

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "out of memory for the rule");
}

/* The pool that an item names; -1: none, or one that there is not. */
static int pool_of(const weir_policy_config *item)
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (strcmp(item->pool, weir_tag_names[tag]) == 0) {
			return tag;
		}
	}
	return -1;
}

static weir_status read_item(weir_keys_reader *reader, const cJSON *json, const char *path,
                             weir_policy_config *item, weir_error *error)
{
	weir_status status = weir_keys_read(reader, &weir_policy_keys, json, path, item, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (item->application[0] != '\0') {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "application"), error,
		                      "a rule acts for the agent's application: leave this out");
	}
	if (item->interval != 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "interval"), error,
		                      "rule_interval says when a rule is asked: leave this out");
	}
	if (item->pool[0] != '\0' && pool_of(item) < 0) {
		return weir_keys_fail_unknown(reader, weir_keys_path(reader, path, "pool"), "pool",
		                              item->pool, weir_tag_names, WEIR_TAG_COUNT, error);
	}
	return WEIR_OK;
}

/* Adds what stands at `path` to `resolved`, with nothing left open. */
static bool resolve_item(weir_keys_reader *reader, const cJSON *json, const char *path,
                         cJSON *resolved)
{
	cJSON *item = weir_keys_resolve(reader, &weir_policy_keys, json, path);
	if (item == NULL || !cJSON_AddItemToArray(resolved, item)) {
		cJSON_Delete(item);
		return false;
	}
	return true;
}

weir_status weir_scaling_rule_read(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                                   const char *path, void *field, weir_error *error)
{
	char got[128];
	if (!cJSON_IsArray(json)) {
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	if (count == 0) {
		return weir_keys_fail(reader, path, error, "no policy: expected a list of at least one");
	}
	weir_policy_config *items = weir_arena_allocate(reader->arena, count, sizeof *items);
	cJSON *resolved = cJSON_CreateArray();
	weir_status status = items != NULL && resolved != NULL ? WEIR_OK : no_memory(error);
	const cJSON *item = json->child;
	for (size_t i = 0; i < count && status == WEIR_OK; i++, item = item->next) {
		const char *place = weir_arena_format(reader->arena, "%s[%zu]", path, i);
		status =
		    place != NULL ? read_item(reader, item, place, &items[i], error) : no_memory(error);
		if (status == WEIR_OK && !resolve_item(reader, item, place, resolved)) {
			status = no_memory(error);
		}
	}
	char *text = status == WEIR_OK ? weir_json_print(resolved) : NULL;
	cJSON_Delete(resolved);
	const char *kept = text != NULL ? weir_arena_string(reader->arena, text) : NULL;
	free(text);
	if (status == WEIR_OK && kept == NULL) {
		status = no_memory(error);
	}
	*(weir_scaling_rule *)field =
	    (weir_scaling_rule){.items = items, .count = status == WEIR_OK ? count : 0, .text = kept};
	return status;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Of `tags`, the pools that an item is for. */
static unsigned tags_of(const weir_policy_config *item, unsigned tags)
{
	int pool = pool_of(item);
	return pool < 0 ? tags : tags & 1u << pool;
}

weir_status weir_scaling_rule_check(const weir_scaling_rule *rule, unsigned tags, weir_error *error)
{
	for (size_t i = 0; i < rule->count; i++) {
		if (tags_of(&rule->items[i], tags) == 0) {
			char where[64];
			(void)snprintf(where, sizeof where, "action.rule[%zu].pool", i);
			return weir_error_set(error, WEIR_ERROR_INPUT, where,
			                      "%s: the rule is to size the %s pool, on which the agent does "
			                      "not act",
			                      where, rule->items[i].pool);
		}
	}
	return WEIR_OK;
}

unsigned weir_scaling_rule_needs(const weir_scaling_rule *rule)
{
	unsigned needs = 0;
	for (size_t i = 0; i < rule->count; i++) {
		needs |= weir_policy_types[rule->items[i].kind]->needs;
	}
	return needs;
}

/* One policy of an item: of one pool, or, a joint one, of all of its pools. */
typedef struct rule_part {
	const weir_policy_type *type;
	weir_policy_context context;
	size_t item;
	size_t offset, size; /* of its state, bytes */
} rule_part;

/* Goes through the policies: *part is to be zero at first. False when there are no more. */
static bool next_part(const weir_scaling_rule *rule, const weir_policy_context *context,
                      unsigned *left, rule_part *part)
{
	bool first = part->type == NULL;
	if (!first) {
		size_t grain = alignof(max_align_t);
		part->offset += (part->size + grain - 1) / grain * grain;
	}
	size_t item = first ? 0 : part->item + (*left == 0 ? 1 : 0);
	if (item >= rule->count) {
		return false;
	}
	const weir_policy_config *config = &rule->items[item];
	if (first || *left == 0) {
		*left = tags_of(config, context->tags);
		assert(*left != 0); /* checked */
	}
	part->item = item;
	part->type = weir_policy_types[config->kind];
	part->context = *context;
	part->context.parameters = weir_policy_parameters(config);
	part->context.owner = NULL;
	part->context.tags = part->type->joint ? *left : *left & -*left;
	*left &= ~part->context.tags;
	part->size = part->type->state_size != NULL ? part->type->state_size(&part->context) : 0;
	return true;
}

size_t weir_scaling_rule_state_size(const weir_scaling_rule *rule,
                                    const weir_policy_context *context)
{
	size_t size = 0;
	unsigned left = 0;
	rule_part part = {0};
	while (next_part(rule, context, &left, &part)) {
		size = part.offset + part.size;
	}
	return size;
}

weir_status weir_scaling_rule_start(const weir_scaling_rule *rule,
                                    const weir_policy_context *context, void *state,
                                    weir_error *error)
{
	unsigned left = 0;
	rule_part part = {0};
	while (next_part(rule, context, &left, &part)) {
		weir_error own;
		weir_error_clear(&own);
		weir_status status = WEIR_OK;
		if (part.type->start != NULL) {
			status = part.type->start(&part.context, (char *)state + part.offset, &own);
		}
		if (status != WEIR_OK) {
			char where[WEIR_ERROR_WHERE_SIZE];
			(void)snprintf(where, sizeof where, "action.rule[%zu]%s%.400s", part.item,
			               own.where[0] != '\0' ? "." : "", own.where);
			return weir_error_set(error, status, where, "%s", own.message);
		}
	}
	return WEIR_OK;
}

static void take_in(const weir_decision *decision, double wanted[WEIR_TAG_COUNT])
{
	wanted[WEIR_TAG_PROMPT] += (double)decision->migrate;
	wanted[WEIR_TAG_TOKEN] -= (double)decision->migrate;
	for (size_t i = 0; i < decision->count; i++) {
		const weir_change *change = &decision->changes[i];
		wanted[change->tag] = (double)change->amount + (change->absolute ? 0 : wanted[change->tag]);
	}
}

void weir_scaling_rule_ask(const weir_scaling_rule *rule, const weir_policy_context *context,
                           void *state, const weir_view *view, double wanted[WEIR_TAG_COUNT])
{
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		wanted[tag] = (double)weir_view_size(&view->pools[tag]);
	}
	unsigned left = 0;
	rule_part part = {0};
	while (next_part(rule, context, &left, &part)) {
		weir_decision decision = {0};
		part.type->decide(&part.context, (char *)state + part.offset, view, &decision);
		take_in(&decision, wanted);
	}
}
