#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/explain.h"
#include "support/test_support.h"

static const char *const directories[] = {WEIR_SOURCE_DIR "/configs", NULL};
static const weir_config *config;
static weir_error error;

#define BASE                                                                                       \
	"\"include\": [\"hardware/dgx.json\", \"models/llm.json\"],"                                   \
	"\"execution_time\": {\"profile\": \"profiles/splitwise.json\"}"

static void set_up(void)
{
	config = NULL;
	weir_error_clear(&error);
}

static void tear_down(void)
{
	weir_config_destroy(config);
}

/* Loads BASE with `more` in it, and overrides. */
static weir_status load(const char *more, const char *const *sets)
{
	char text[4096];
	snprintf(text, sizeof text, "{" BASE "%s%s}", more[0] != '\0' ? ", " : "", more);
	test_write_file(test_path("a.json"), text);
	size_t count = 0;
	while (sets != NULL && sets[count] != NULL) {
		count++;
	}
	weir_config_destroy(config);
	weir_document_options options = {
	    .path = test_path("a.json"), .directories = directories, .sets = sets, .set_count = count};
	return weir_config_load(&options, &config, &error);
}

#define SETS(...)                                                                                  \
	(const char *const[])                                                                          \
	{                                                                                              \
		__VA_ARGS__, NULL                                                                          \
	}

#define CLUSTER "\"model\": \"bloom-176b\", \"servers\": \"dgx-h100:2,dgx-a100:1\""

static void check_servers(const weir_config_application *application, const char *expected)
{
	char text[1024] = "";
	for (size_t i = 0; i < application->server_count; i++) {
		strcat(strcat(text, application->servers[i].sku->name), " ");
		strcat(strcat(text, weir_tag_names[application->servers[i].tag]),
		       i + 1 < application->server_count ? ", " : "");
	}
	ck_assert_str_eq(text, expected);
}

START_TEST(a_config_joins_the_rooms)
{
	ck_assert_ok(load(CLUSTER ", \"scheduler\": {\"kind\": \"jsq\"}, \"seed\": 42", NULL), &error);
	ck_assert_uint_eq(config->seed, 42);
	ck_assert_uint_eq(config->application_count, 1);
	const weir_config_application *application = &config->applications[0];
	ck_assert_str_eq(application->name, "default");
	ck_assert_str_eq(application->model->name, "bloom-176b");
	ck_assert_int_eq(application->model->layers, 70);
	ck_assert_str_eq(weir_scheduler_names[application->scheduler.kind], "jsq");
	ck_assert_str_eq(weir_batching_names[application->instance.kind], "splitwise");
	ck_assert_int_eq(application->instance.max_batch_tokens, 2048);
	check_servers(application, "dgx-h100 mixed, dgx-h100 mixed, dgx-a100 mixed");
	ck_assert_double_eq(config->slo.per_request.ttft, 6);
	ck_assert_double_eq(config->sampling.interval, 10);
	ck_assert_int_eq(config->record.deflate, 0);
	/* Relative to the file that says it. */
	ck_assert_str_eq(config->execution_time.profile, test_path("profiles/splitwise.json"));
}
END_TEST

START_TEST(short_forms_of_the_command_line_work)
{
	const char *const *sets =
	    SETS("servers=dgx-a100:2,dgx-h100:1", "model=llama2-70b", "instance.kind=orca",
	         "scheduler.kind=kv_jsq", "pools=prompt:dgx-h100,token:dgx-a100",
	         "execution_time.profile=p.json", "seed=7");
	ck_assert_ok(load(CLUSTER ", \"pools\": {\"prompt\": 2, \"token\": 1}", sets), &error);
	const weir_config_application *application = &config->applications[0];
	check_servers(application, "dgx-a100 token, dgx-a100 token, dgx-h100 prompt");
	ck_assert_str_eq(application->model->name, "llama2-70b");
	ck_assert_str_eq(weir_batching_names[application->instance.kind], "orca");
	ck_assert_str_eq(weir_scheduler_names[application->scheduler.kind], "kv_jsq");
	ck_assert_str_eq(config->execution_time.profile, "p.json"); /* in the working directory */
	ck_assert_uint_eq(config->seed, 7);

	ck_assert_ok(load(CLUSTER, SETS("pools=token:1,prompt:2")), &error);
	check_servers(&config->applications[0], "dgx-h100 token, dgx-h100 prompt, dgx-a100 prompt");
	ck_assert_ok(load(CLUSTER ", \"pools\": {\"prompt\": 2, \"token\": 1}", SETS("pools=single")),
	             &error);
	check_servers(&config->applications[0], "dgx-h100 mixed, dgx-h100 mixed, dgx-a100 mixed");
	ck_assert_ok(load("\"model\": \"bloom-176b\", \"servers\": [{\"sku\": \"dgx-h100\"}]",
	                  SETS("servers[0].count=3")),
	             &error);
	ck_assert_uint_eq(config->applications[0].server_count, 3);
	/* A later kind drops what only the former one knew. */
	ck_assert_ok(load(CLUSTER
	                  ", \"network\": {\"kind\": \"shared_nic\", \"local_bandwidth_gb_per_s\": 5}",
	                  SETS("network.kind=dedicated")),
	             &error);
}
END_TEST

START_TEST(what_does_not_fit_together_is_refused)
{
	static const struct {
		const char *more, *where, *message;
	} cases[] = {
	    {"", "a.json: model", "missing; expected the name of a model"},
	    {"\"model\": \"bloom-176\", \"servers\": \"dgx-h100:1\"", "a.json: model",
	     "unknown model 'bloom-176'; did you mean 'bloom-176b'?"},
	    {"\"model\": \"bloom-176b\"", "a.json: servers", "expected from 1 to 1048576 servers"},
	    {"\"model\": \"bloom-176b\", \"servers\": []", "a.json: servers", "got none"},
	    {"\"model\": \"bloom-176b\", \"servers\": \"dgx-h100:1048576,dgx-a100:1\"",
	     "a.json: servers", "got more"},
	    {"\"model\": \"bloom-176b\", \"servers\": \"dgx-a10:6\"", "a.json: servers",
	     "unknown SKU 'dgx-a10'; did you mean 'dgx-a100'?"},
	    {"\"model\": \"bloom-176b\", \"servers\": [{\"sku\": \"dgx-h100\"}, {\"sku\": "
	     "\"dgx-a10\"}]",
	     "a.json: servers[1].sku", "unknown SKU 'dgx-a10'; did you mean 'dgx-a100'?"},
	    {"\"model\": \"bloom-176b\", \"servers\": [{\"sku\": \"dgx-h100\", \"count\": 0}]",
	     "a.json: servers[0].count", "expected an integer from 1 to 1048576, got 0"},
	    {CLUSTER ", \"instance\": {\"tensor_parallel\": 16}", "a.json: servers",
	     "an instance takes 16 GPUs (instance.tensor_parallel), but a dgx-h100 has 8"},
	    {CLUSTER ", \"instance\": {\"tensor_parallel\": 2}", "a.json: servers",
	     "the weights of bloom-176b (3.29e+11 bytes) do not fit the 2 GPUs of an instance on a "
	     "dgx-h100 "
	     "(1.718e+11 bytes)"},
	    {CLUSTER ", \"pools\": \"prompt:1,token:1\"", "a.json: pools",
	     "the pools take 2 servers, but there are 3"},
	    {CLUSTER ", \"pools\": \"prompt:3,token:1\"", "a.json: pools",
	     "the pools take 4 servers, but there are 3"},
	    {CLUSTER ", \"pools\": \"prompt:dgx-h100\"", "a.json: pools",
	     "1 of the 3 servers are in no pool"},
	    {CLUSTER ", \"pools\": \"prompt:dgx-h100,token:dgx-h100-pcap\"", "a.json: pools",
	     "the token pool has no instances: there is no dgx-h100-pcap among the servers"},
	    {CLUSTER ", \"pools\": \"prompt:dgx-h10,token:dgx-a100\"", "a.json: pools",
	     "unknown SKU 'dgx-h10'; did you mean 'dgx-h100'?"},
	    {CLUSTER ", \"scheduler\": {\"kind\": \"kv_jsq\"}", "a.json: pools",
	     "the prompt pool has no instances, and scheduler kv_jsq needs them"},
	    {CLUSTER ", \"scheduler\": {\"kind\": \"overlap_kv_token_jsq\"}, \"pools\": \"prompt:3\"",
	     "a.json: pools", "the token pool has no instances"},
	    {CLUSTER ", \"schedular\": {}", "a.json: schedular",
	     "unknown key 'schedular'; did you mean 'scheduler'?"},
	    {CLUSTER ", \"scheduler\": {\"kind\": \"token_jqs\"}", "a.json: scheduler.kind",
	     "unknown kind 'token_jqs'; did you mean 'token_jsq'?"},
	    {CLUSTER ", \"slo\": {\"reference_gpu\": \"a100\"}", "a.json: slo.reference_gpu",
	     "unknown GPU 'a100'"},
	    {CLUSTER ", \"slo\": {\"reference_model\": \"bloom\"}", "a.json: slo.reference_model",
	     "unknown model 'bloom'"},
	    {CLUSTER ", \"seed\": -1", "a.json: seed", "expected an integer from 0 to"},
	    {CLUSTER ", \"execution_time\": 3", "a.json: execution_time", "twice"},
	    {"\"applications\": [{\"name\": \"a\"}]", "a.json: applications[0].model", "missing"},
	    {"\"applications\": [{\"model\": \"bloom-176b\"}]", "a.json: applications[0].name",
	     "missing"},
	    {"\"applications\": [{\"name\": \"a\", \"model\": \"bloom-176b\", \"servers\": \"x:1\"}]",
	     "a.json: applications[0].servers", "unknown SKU 'x'"},
	    {"\"servers\": \"dgx-a100:1\", \"applications\": [{\"name\": \"a\", \"model\": "
	     "\"bloom-176b\"}]",
	     "a.json: servers", "not allowed beside \"applications\""},
	    {"\"model\": \"bloom-176b\", \"applications\": [{\"name\": \"a\", \"servers\": "
	     "\"dgx-a100:1\"}, "
	     "{\"name\": \"a\", \"servers\": \"dgx-a100:1\"}]",
	     "a.json: applications", "two applications are named 'a'"},
	    {"\"model\": \"bloom-176b\", \"applications\": [{\"name\": \"a\", \"servers\": "
	     "\"dgx-a100:1\", "
	     "\"instance\": {\"kinds\": 1}}]",
	     "a.json: applications[0].instance.kinds", "did you mean 'kind'?"},
	    {"\"model\": \"bloom-176b\", \"applications\": [{\"name\": \"a\", \"servers\": "
	     "\"dgx-a100:1\", "
	     "\"scheduler\": \"jsq\"}]",
	     "a.json: applications[0].scheduler", "expected an object"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_msg(load(cases[i].more, NULL) == WEIR_ERROR_INPUT, "accepted %s", cases[i].more);
		ck_assert_ptr_null(config);
		const char *where = error.where + strlen(test_directory()) + 1;
		ck_assert_msg(strcmp(where, cases[i].where) == 0, "%s: at %s: %s", cases[i].more,
		              error.where, error.message);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].more,
		              error.message);
	}
	ck_assert_int_eq(load(CLUSTER, SETS("servers=dgx-a10:6")), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "--set: servers");
	ck_assert_int_eq(
	    load("\"hardware\": {\"servers\": {\"bare\": {\"gpu\": \"a100-80gb\", \"gpu_count\": 8,"
	         "\"tdp_w\": 1, \"price_per_hour\": 1}}}, \"model\": \"bloom-176b\"",
	         SETS("servers=bare:2", "network.kind=shared_nic")),
	    WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.message, "a bare has no NIC, which network.kind=shared_nic needs");
}
END_TEST

START_TEST(applications_inherit_what_they_do_not_say)
{
	ck_assert_ok(load("\"model\": \"bloom-176b\", \"instance\": {\"max_batch_size\": 100},"
	                  "\"scheduler\": {\"kind\": \"jsq\", \"transfer_retry_s\": 3},"
	                  "\"applications\": [{\"name\": \"chat\", \"servers\": \"dgx-a100:1\"},"
	                  "{\"name\": \"code\", \"model\": \"llama2-70b\", \"servers\": [{\"sku\": "
	                  "\"dgx-h100\", \"count\": 2}],"
	                  "\"pools\": \"prompt:1,token:1\", \"instance\": {\"kind\": \"orca\"},"
	                  "\"scheduler\": {\"kind\": \"kv_jsq\"}}]",
	                  NULL),
	             &error);
	ck_assert_uint_eq(config->application_count, 2);
	const weir_config_application *chat = &config->applications[0];
	const weir_config_application *code = &config->applications[1];
	ck_assert_str_eq(chat->name, "chat");
	ck_assert_str_eq(chat->model->name, "bloom-176b");
	ck_assert_str_eq(code->model->name, "llama2-70b");
	check_servers(chat, "dgx-a100 mixed");
	check_servers(code, "dgx-h100 prompt, dgx-h100 token");
	ck_assert_int_eq(chat->instance.max_batch_size, 100);
	ck_assert_int_eq(code->instance.max_batch_size, 100);
	ck_assert_str_eq(weir_batching_names[chat->instance.kind], "splitwise");
	ck_assert_str_eq(weir_batching_names[code->instance.kind], "orca");
	ck_assert_str_eq(weir_scheduler_names[chat->scheduler.kind], "jsq");
	ck_assert_str_eq(weir_scheduler_names[code->scheduler.kind], "kv_jsq");
	ck_assert_double_eq(code->scheduler.transfer_retry_s, 3);
}
END_TEST

START_TEST(the_printed_config_is_a_config_that_prints_the_same)
{
	ck_assert_ok(
	    load(CLUSTER ", \"scheduler\": {\"kind\": \"mixed_pool\"}, \"pools\": \"prompt:2,token:1\"",
	         SETS("sampling.interval=0.30000000000000004", "seed=9007199254740991")),
	    &error);
	char *first = weir_config_print(config);
	ck_assert_ptr_nonnull(first);
	test_write_file(test_path("printed.json"), first);
	weir_document_options options = {.path =
	                                     test_path("printed.json")}; /* nothing more to include */
	const weir_config *again = NULL;
	ck_assert_ok(weir_config_load(&options, &again, &error), &error);
	char *second = weir_config_print(again);
	ck_assert_str_eq(first, second);
	ck_assert(again->sampling.interval == 0.1 + 0.2);
	ck_assert_uint_eq(again->seed, 9007199254740991);
	ck_assert_uint_eq(again->applications[0].server_count, 3);
	ck_assert_ptr_nonnull(strstr(first, "\"max_batch_tokens\":\t2048"));
	ck_assert_ptr_null(strstr(first, "include"));
	weir_config_destroy(again);
	free(first);
	free(second);
}
END_TEST

static void check_key(void *context, const char *path, const weir_key *key)
{
	int *count = context;
	(*count)++;
	ck_assert_msg((key->doc != NULL && key->doc[0] != '\0') || key->table != NULL, "%s has no text",
	              path);
	if (key->default_text != NULL) {
		cJSON *json = cJSON_Parse(key->default_text);
		ck_assert_msg(json != NULL, "the default of %s is no JSON", path);
		cJSON_Delete(json);
	}
}

START_TEST(every_key_of_the_config_is_documented)
{
	int count = 0;
	weir_keys_walk(&weir_config_keys, "", check_key, &count);
	ck_assert_int_gt(count, 80);
	char *text = NULL;
	ck_assert_ok(weir_explain(&weir_config_keys, "applications[0].scheduler.kind",
	                          WEIR_EXPLAIN_TEXT, &text, &error),
	             &error);
	ck_assert_ptr_nonnull(strstr(text, "\"mixed_pool\""));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/config");
	TCase *tests = tcase_create("config");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_config_joins_the_rooms);
	tcase_add_test(tests, short_forms_of_the_command_line_work);
	tcase_add_test(tests, what_does_not_fit_together_is_refused);
	tcase_add_test(tests, applications_inherit_what_they_do_not_say);
	tcase_add_test(tests, the_printed_config_is_a_config_that_prints_the_same);
	tcase_add_test(tests, every_key_of_the_config_is_documented);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
