#include "support/parity.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
	ck_assert_msg(text != NULL, "a parity case has no \"%s\"", name);
	return text;
}

static size_t count_of(const cJSON *object, const char *name)
{
	double count = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, name));
	ck_assert_msg(count >= 1, "a parity case has no \"%s\"", name);
	return (size_t)count;
}

/* dgx-h100 has GPUs h100-80gb. */
static const char *gpu_of(const char *sku)
{
	static const char *const gpus[][2] = {
	    {"dgx-a100", "a100-80gb"},
	    {"dgx-h100", "h100-80gb"},
	    {"dgx-h100-pcap", "h100-80gb-pcap"},
	};
	for (size_t i = 0; i < sizeof gpus / sizeof gpus[0]; i++) {
		if (strcmp(gpus[i][0], sku) == 0) {
			return gpus[i][1];
		}
	}
	ck_abort_msg("unknown server %s", sku);
	return NULL;
}

static void read_servers(weir_arena *arena, const cJSON *json, parity_case *parity)
{
	const cJSON *server = NULL;
	parity->servers = "";
	cJSON_ArrayForEach(server, cJSON_GetObjectItemCaseSensitive(json, "servers"))
	{
		size_t count = count_of(server, "count");
		const char *sku = weir_arena_string(arena, text_of(server, "sku"));
		parity->servers = weir_arena_format(arena, "%s%s%s:%zu", parity->servers,
		                                    parity->servers[0] != '\0' ? "," : "", sku, count);
		parity_instance *longer =
		    weir_arena_allocate(arena, parity->instance_count + count, sizeof *longer);
		for (size_t i = 0; i < parity->instance_count; i++) {
			longer[i] = parity->instances[i];
		}
		for (size_t i = 0; i < count; i++) {
			longer[parity->instance_count++] =
			    (parity_instance){.sku = sku, .gpu = gpu_of(sku), .tag = PARITY_MIXED};
		}
		parity->instances = longer;
	}
	const cJSON *utilization = cJSON_GetObjectItemCaseSensitive(json, "utilization");
	ck_assert_int_eq(cJSON_GetArraySize(utilization), (int)parity->instance_count);
	for (size_t i = 0; i < parity->instance_count; i++) {
		parity->instances[i].utilization =
		    cJSON_GetNumberValue(cJSON_GetArrayItem(utilization, (int)i));
	}
}

/* Tags what "the first 4 servers", "the next 2 servers" or "every dgx-h100" means, from `start` on.
 * Returns the short form, "4" or "dgx-h100". */
static const char *read_pool(weir_arena *arena, const char *text, parity_case *parity, size_t start,
                             parity_tag tag)
{
	size_t count = 0;
	char sku[32];
	if (sscanf(text, "the %*[a-z] %zu servers", &count) == 1) {
		ck_assert_uint_le(start + count, parity->instance_count);
		for (size_t i = start; i < start + count; i++) {
			parity->instances[i].tag = tag;
		}
		return weir_arena_format(arena, "%zu", count);
	}
	ck_assert_msg(sscanf(text, "every %31s", sku) == 1, "unknown pool '%s'", text);
	for (size_t i = 0; i < parity->instance_count; i++) {
		if (strcmp(parity->instances[i].sku, sku) == 0) {
			parity->instances[i].tag = tag;
		}
	}
	return weir_arena_string(arena, sku);
}

static void read_pools(weir_arena *arena, const cJSON *json, parity_case *parity)
{
	const cJSON *pools = cJSON_GetObjectItemCaseSensitive(json, "pools");
	if (cJSON_IsString(pools)) {
		ck_assert_str_eq(pools->valuestring, "one, all servers, in the order listed");
		parity->pools = "single";
		return;
	}
	const char *prompt = read_pool(arena, text_of(pools, "prompt"), parity, 0, PARITY_PROMPT);
	size_t prompts = 0;
	while (prompts < parity->instance_count && parity->instances[prompts].tag == PARITY_PROMPT) {
		prompts++;
	}
	const char *token = read_pool(arena, text_of(pools, "token"), parity, prompts, PARITY_TOKEN);
	parity->pools = weir_arena_format(arena, "prompt:%s,token:%s", prompt, token);
	for (size_t i = 0; i < parity->instance_count; i++) {
		ck_assert_msg(parity->instances[i].tag != PARITY_MIXED, "%s: server %zu is in no pool",
		              parity->name, i);
	}
}

static FILE *open_table(const char *path, const char *header)
{
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "cannot read %s", path);
	char line[256];
	ck_assert_msg(fgets(line, sizeof line, file) != NULL, "%s is empty", path);
	line[strcspn(line, "\r\n")] = '\0';
	ck_assert_str_eq(line, header);
	return file;
}

static void read_requests(weir_arena *arena, parity_case *parity, const char *expected_path)
{
	FILE *trace = open_table(parity->trace_path, "request_id,request_type,application_id,"
	                                             "arrival_timestamp,batch_size,prompt_size,"
	                                             "token_size");
	FILE *expected = open_table(expected_path, "request_id,queue_time,ttft,second_token_gap,e2e");
	parity->requests = weir_arena_allocate(arena, parity->request_count, sizeof *parity->requests);
	for (size_t i = 0; i < parity->request_count; i++) {
		parity_request *request = &parity->requests[i];
		long long id, prompt_tokens, output_tokens, expected_id;
		ck_assert_msg(fscanf(trace, "%lld,%*d,%*d,%lf,%*d,%lld,%lld", &id, &request->arrival,
		                     &prompt_tokens, &output_tokens) == 4,
		              "%s: row %zu", parity->trace_path, i);
		ck_assert_msg(fscanf(expected, "%lld,%lf,%lf,%lf,%lf", &expected_id, &request->queue_time,
		                     &request->ttft, &request->second_token_gap, &request->e2e) == 5,
		              "%s: row %zu", expected_path, i);
		ck_assert_int_eq(id, expected_id);
		request->id = id;
		request->prompt_tokens = prompt_tokens;
		request->output_tokens = output_tokens;
	}
	char more[2];
	ck_assert_msg(fscanf(trace, "%1s", more) == EOF, "%s is longer", parity->trace_path);
	ck_assert_msg(fscanf(expected, "%1s", more) == EOF, "%s is longer", expected_path);
	fclose(trace);
	fclose(expected);
}

const parity_case *parity_load(weir_arena *arena, const char *directory, size_t *count)
{
	char *text = test_read_file(weir_arena_format(arena, "%s/cases.json", directory), NULL);
	cJSON *cases = cJSON_Parse(text);
	ck_assert_msg(cJSON_IsArray(cases), "%s/cases.json is not a list", directory);
	*count = (size_t)cJSON_GetArraySize(cases);
	parity_case *all = weir_arena_allocate(arena, *count, sizeof *all);
	parity_case *parity = all;
	const cJSON *json = NULL;
	cJSON_ArrayForEach(json, cases)
	{
		parity->name = weir_arena_string(arena, text_of(json, "name"));
		parity->scheduler = weir_arena_string(arena, text_of(json, "scheduler"));
		parity->instance_kind = weir_arena_string(arena, text_of(json, "instance"));
		parity->model = weir_arena_string(arena, text_of(json, "model"));
		parity->trace_path = weir_arena_format(arena, "%s/%s", directory, text_of(json, "trace"));
		read_servers(arena, json, parity);
		read_pools(arena, json, parity);
		parity->request_count = count_of(json, "requests");
		read_requests(arena, parity,
		              weir_arena_format(arena, "%s/%s", directory, text_of(json, "expected")));
		parity++;
	}
	cJSON_Delete(cases);
	free(text);
	return all;
}
