#include "config/short_forms.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* One "name:value" of a short form, both without blanks around. */
typedef struct pair {
	const char *name, *value;
} pair;

static weir_status no_memory(weir_error *error)
{
	return weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the config");
}

static char *trim(char *text)
{
	while (isspace((unsigned char)*text)) {
		text++;
	}
	char *end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1])) {
		end--;
	}
	*end = '\0';
	return text;
}

/* Splits "a:b,c:d" into a list of pairs in the arena. `form` is what one should look like. */
static weir_status split_pairs(weir_keys_reader *reader, const char *text, const char *path,
                               const char *form, weir_key_list *pairs, weir_error *error)
{
	size_t count = 1;
	for (const char *c = text; *c != '\0'; c++) {
		count += *c == ',';
	}
	pair *items = weir_arena_allocate(reader->arena, count, sizeof *items);
	char *rest = weir_arena_string(reader->arena, text);
	if (items == NULL || rest == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < count; i++) {
		char *item = strsep(&rest, ",");
		char *value = item;
		char *name = trim(strsep(&value, ":"));
		value = value != NULL ? trim(value) : NULL;
		if (value == NULL || name[0] == '\0' || value[0] == '\0' || strchr(value, ':') != NULL) {
			return weir_keys_fail(reader, path, error, "expected %s in '%.200s', which is item %zu",
			                      form, text, i + 1);
		}
		items[i] = (pair){name, value};
	}
	*pairs = (weir_key_list){count, items};
	return WEIR_OK;
}

static weir_status parse_count(weir_keys_reader *reader, const char *text, const char *path,
                               const char *name, int64_t *count, weir_error *error)
{
	if (!weir_parse_int64(text, count) || *count < 1 || *count > WEIR_MOST_SERVERS) {
		return weir_keys_fail(reader, path, error,
		                      "expected a number of servers from 1 to %d after '%s:', got '%.100s'",
		                      WEIR_MOST_SERVERS, name, text);
	}
	return WEIR_OK;
}

weir_status weir_servers_parse(weir_keys_reader *reader, const char *text, const char *path,
                               weir_key_list *groups, weir_error *error)
{
	weir_key_list pairs;
	weir_status status = split_pairs(reader, text, path, "SKU:COUNT", &pairs, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_server_group *items = weir_arena_allocate(reader->arena, pairs.count, sizeof *items);
	if (items == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < pairs.count && status == WEIR_OK; i++) {
		const pair *p = (const pair *)pairs.items + i;
		items[i].sku = p->name;
		items[i].short_form = true;
		status = parse_count(reader, p->value, path, p->name, &items[i].count, error);
	}
	*groups = (weir_key_list){pairs.count, items};
	return status;
}

static weir_status find_tag(weir_keys_reader *reader, const char *name, const char *path,
                            weir_tag *tag, weir_error *error)
{
	for (int i = 0; i < WEIR_TAG_COUNT; i++) {
		if (strcmp(weir_tag_names[i], name) == 0) {
			*tag = (weir_tag)i;
			return WEIR_OK;
		}
	}
	return weir_keys_fail_unknown(reader, path, "pool", name, weir_tag_names, WEIR_TAG_COUNT,
	                              error);
}

/* What the parts must keep among each other. */
static weir_status check_parts(weir_keys_reader *reader, const char *path,
                               const weir_key_list *list, weir_error *error)
{
	const weir_pool_part *parts = list->items;
	for (size_t i = 1; i < list->count; i++) {
		if ((parts[i].sku == NULL) != (parts[0].sku == NULL)) {
			return weir_keys_fail(reader, path, error,
			                      "expected either SKUs or numbers of servers, not both");
		}
		for (size_t j = 0; j < i && parts[i].sku != NULL; j++) {
			if (strcmp(parts[i].sku, parts[j].sku) == 0) {
				return weir_keys_fail(
				    reader, path, error,
				    "the servers of SKU '%.100s' are in more than one pool; to divide "
				    "them, give numbers of servers, as in prompt:12,token:4",
				    parts[i].sku);
			}
		}
	}
	return WEIR_OK;
}

weir_status weir_pools_parse(weir_keys_reader *reader, const char *text, const char *path,
                             weir_pools_config *pools, weir_error *error)
{
	*pools = (weir_pools_config){0};
	if (strcmp(text, "single") == 0) {
		return WEIR_OK;
	}
	weir_key_list pairs;
	weir_status status =
	    split_pairs(reader, text, path, "single, POOL:SKU or POOL:COUNT", &pairs, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_pool_part *parts = weir_arena_allocate(reader->arena, pairs.count, sizeof *parts);
	if (parts == NULL) {
		return no_memory(error);
	}
	for (size_t i = 0; i < pairs.count && status == WEIR_OK; i++) {
		const pair *p = (const pair *)pairs.items + i;
		status = find_tag(reader, p->name, path, &parts[i].tag, error);
		if (status == WEIR_OK && strspn(p->value, "+-0123456789.") == strlen(p->value)) {
			status = parse_count(reader, p->value, path, p->name, &parts[i].count, error);
		} else {
			parts[i].sku = p->value;
		}
	}
	pools->parts = (weir_key_list){pairs.count, parts};
	return status == WEIR_OK ? check_parts(reader, path, &pools->parts, error) : status;
}

weir_status weir_servers_read(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                              const char *path, void *field, weir_error *error)
{
	(void)key;
	return weir_servers_parse(reader, json->valuestring, path, field, error);
}

/* One number or name of the object form. */
static weir_status read_part(weir_keys_reader *reader, const cJSON *json, const char *path,
                             weir_pool_part *part, weir_error *error)
{
	if (cJSON_IsString(json)) {
		part->sku = weir_arena_string(reader->arena, json->valuestring);
		return part->sku != NULL ? WEIR_OK : no_memory(error);
	}
	double count = cJSON_IsNumber(json) ? json->valuedouble : 0.0;
	if (!(count >= 1 && count <= WEIR_MOST_SERVERS) || count != floor(count)) {
		char got[128];
		return weir_keys_fail(
		    reader, path, error,
		    "expected a number of servers from 1 to %d, the name of a SKU or a list "
		    "of SKUs, got %s",
		    WEIR_MOST_SERVERS, weir_keys_describe(got, sizeof got, json));
	}
	part->count = (int64_t)count;
	return WEIR_OK;
}

static weir_status read_pools_object(weir_keys_reader *reader, const cJSON *json, const char *path,
                                     weir_pools_config *pools, weir_error *error)
{
	size_t most = 0;
	for (const cJSON *member = json->child; member != NULL; member = member->next) {
		most += cJSON_IsArray(member) ? (size_t)cJSON_GetArraySize(member) : 1;
	}
	weir_pool_part *parts = weir_arena_allocate(reader->arena, most, sizeof *parts);
	if (parts == NULL) {
		return no_memory(error);
	}
	size_t count = 0;
	for (const cJSON *member = json->child; member != NULL; member = member->next) {
		const char *member_path = weir_keys_path(reader, path, member->string);
		bool is_list = cJSON_IsArray(member);
		weir_tag tag = WEIR_TAG_MIXED;
		weir_status status = find_tag(reader, member->string, member_path, &tag, error);
		for (const cJSON *item = is_list ? member->child : member;
		     item != NULL && status == WEIR_OK; item = is_list ? item->next : NULL) {
			parts[count].tag = tag;
			status = is_list && !cJSON_IsString(item)
			             ? weir_keys_fail(reader, member_path, error, "expected a list of SKUs")
			             : read_part(reader, item, member_path, &parts[count], error);
			count++;
		}
		if (status != WEIR_OK) {
			return status;
		}
	}
	if (count == 0) {
		return weir_keys_fail(reader, path, error,
		                      "no pool has any servers; for one pool say \"single\"");
	}
	pools->parts = (weir_key_list){count, parts};
	return check_parts(reader, path, &pools->parts, error);
}

weir_status weir_pools_read(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                            const char *path, void *field, weir_error *error)
{
	if (cJSON_IsString(json)) {
		return weir_pools_parse(reader, json->valuestring, path, field, error);
	}
	if (cJSON_IsObject(json)) {
		return read_pools_object(reader, json, path, field, error);
	}
	char got[128];
	return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
	                      weir_keys_describe(got, sizeof got, json));
}
