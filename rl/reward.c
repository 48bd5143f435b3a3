#include "rl/reward.h"

#include <math.h>
#include <string.h>

const weir_reward_type *const weir_reward_types[] = {
#define REWARD_TYPE(name) &weir_reward_##name,
    WEIR_REWARDS(REWARD_TYPE)
#undef REWARD_TYPE
        NULL};

const char *const weir_reward_names[] = {
#define REWARD_NAME(name) #name,
    WEIR_REWARDS(REWARD_NAME)
#undef REWARD_NAME
        NULL};

const char *const weir_reward_price_names[] = {"sku", "role", NULL};

/* The type that `kind` names; NULL when it names none. */
static const weir_reward_type *find_type(const cJSON *kind)
{
	if (kind == NULL) {
		return weir_reward_types[0];
	}
	for (size_t i = 0; weir_reward_names[i] != NULL; i++) {
		if (cJSON_IsString(kind) && strcmp(kind->valuestring, weir_reward_names[i]) == 0) {
			return weir_reward_types[i];
		}
	}
	return NULL;
}

weir_status weir_reward_read(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, void *field, weir_error *error)
{
	if (!cJSON_IsObject(json)) {
		char got[128];
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	const weir_reward_type *type = find_type(cJSON_GetObjectItemCaseSensitive(json, "kind"));
	/* The first table knows the names, and refuses what is none. */
	const weir_key_table *table = (type != NULL ? type : weir_reward_types[0])->keys;
	void *parameters = weir_arena_allocate(reader->arena, 1, table->size);
	if (parameters == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	*(weir_reward *)field = (weir_reward){type, parameters};
	return weir_keys_read(reader, table, json, path, parameters, error);
}

double weir_reward_broken_share(const weir_reward_facts *facts)
{
	double lost = facts->failed + facts->rejected + facts->overdue + facts->charged;
	double all = facts->completed + lost;
	return all > 0 ? (facts->broken + lost) / all : 0;
}

double weir_reward_newly_broken(const weir_reward_facts *facts)
{
	return facts->broken + facts->failed + facts->rejected + facts->charged + facts->overdue -
	       facts->overdue_before;
}

double weir_reward_limit_share(const weir_reward_facts *facts, double broken, double overdue)
{
	double all = facts->completed + facts->overdue + facts->charged;
	return all > 0 ? (broken + overdue + facts->charged) / all : 0;
}

double weir_reward_fleet_cost(const weir_reward_common *common, const weir_reward_facts *facts)
{
	double paid = common->prices == WEIR_PRICES_ROLE ? facts->paid_role : facts->paid_sku;
	double most = facts->interval * facts->max_total_instances;
	return most > 0 ? -paid / most : 0;
}

double weir_reward_switching(const weir_reward_facts *facts)
{
	return -facts->operations / 10;
}

double weir_reward_utilisation(const weir_reward_facts *facts)
{
	double sum = 0, lists = 0;
	for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
		if (facts->has_list[tag]) {
			sum += 1 - fabs(facts->load[tag] - 0.7);
			lists++;
		}
	}
	return lists > 0 ? 0.3 * sum / lists : 0;
}
