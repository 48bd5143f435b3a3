#include "config/family.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "config/config.h"
#include "support/test_support.h"

static const char *const directories[] = {WEIR_SOURCE_DIR "/configs", NULL};
static const weir_config *config;
static weir_error error;

#define BASE                                                                                       \
	"\"include\": [\"hardware/dgx.json\", \"models/llm.json\"],"                                   \
	"\"execution_time\": {\"profile\": \"profiles/splitwise.json\"}, \"model\": \"bloom-176b\", "  \
	"\"servers\": \"dgx-h100:2,dgx-a100:1\", \"seed\": 5, \"workload\": {\"arrivals\": "           \
	"{\"kind\": "                                                                                  \
	"\"poisson\", \"rate\": 2}, \"count\": 10, \"sizes\": {\"kind\": \"drawn\", \"prompt\": "      \
	"{\"kind\": \"constant\", \"value\": 100}, \"output\": {\"kind\": \"constant\", \"value\": "   \
	"3}}}"

static void set_up(void)
{
	config = NULL;
	weir_error_clear(&error);
}

static void tear_down(void)
{
	weir_config_destroy(config);
}

static weir_document_options written(const char *family)
{
	char text[4096];
	snprintf(text, sizeof text, "{" BASE "%s%s}", family[0] != '\0' ? ", \"family\": " : "",
	         family);
	test_write_file(test_path("a.json"), text);
	return (weir_document_options){.path = test_path("a.json"), .directories = directories};
}

static weir_status load(const char *family)
{
	weir_document_options options = written(family);
	weir_config_destroy(config);
	return weir_config_load(&options, &config, &error);
}

static weir_status check(const char *family)
{
	weir_document_options options = written(family);
	return weir_config_check_family(&options, &error);
}

static void load_member(const weir_document_options *options, uint64_t replication)
{
	weir_config_destroy(config);
	ck_assert_ok(weir_config_load_member(options, replication, &config, &error), &error);
}

START_TEST(a_family_has_a_seed_and_shapes)
{
	ck_assert_ok(load("{\"seed\": 9, \"shapes\": [{\"workload.arrivals.rate\": 0.1, "
	                  "\"servers\": \"dgx-h100:4\"}, {}, {\"workload.arrivals\": {\"kind\": "
	                  "\"gamma\", \"cv\": 2}}]}"),
	             &error);
	const weir_family *family = &config->family;
	ck_assert_int_eq(family->seed, 9);
	ck_assert_uint_eq(config->seed, 5);
	ck_assert_uint_eq(family->shapes.count, 3);
	const weir_family_shape *shape = weir_family_shape_of(family, 3);
	ck_assert_ptr_eq(shape, weir_family_shape_of(family, 0));
	ck_assert_uint_eq(shape->count, 2);
	ck_assert_str_eq(shape->sets[0], "workload.arrivals.rate=0.1");
	ck_assert_str_eq(shape->sets[1], "servers=\"dgx-h100:4\"");
	ck_assert_uint_eq(weir_family_shape_of(family, 1)->count, 0);
	ck_assert_str_eq(weir_family_shape_of(family, 2)->sets[0],
	                 "workload.arrivals={\"kind\":\"gamma\",\"cv\":2}");
	/* The config itself is as without them. */
	const weir_arrivals_config *arrivals = &config->workload.generation.arrivals;
	ck_assert_int_eq(arrivals->kind, WEIR_ARRIVALS_POISSON);
	ck_assert_double_eq(arrivals->rate, 2);
	ck_assert_uint_eq(config->applications[0].server_count, 3);
}
END_TEST

START_TEST(without_the_section_it_is_the_config_under_other_seeds)
{
	ck_assert_ok(load(""), &error);
	ck_assert_int_eq(config->family.seed, 5);
	ck_assert_ptr_null(weir_family_shape_of(&config->family, 4));
	weir_document_options options = written("");
	load_member(&options, 4);
	ck_assert_double_eq(config->workload.generation.arrivals.rate, 2);
	ck_assert_uint_eq(config->seed, weir_stream_seed(5, "family", 4) >> 11);
	ck_assert_int_eq(config->family.seed, 5);
}
END_TEST

START_TEST(members_take_shapes_in_turn_and_seeds_of_their_own)
{
	weir_document_options options =
	    written("{\"seed\": 9, \"shapes\": [{\"workload.arrivals.rate\": 30}, {}, "
	            "{\"workload.arrivals\": {\"kind\": \"gamma\", \"cv\": 3}, \"servers\": "
	            "\"dgx-a100:7\"}]}");
	uint64_t seeds[7];
	for (uint64_t r = 0; r < 7; r++) {
		load_member(&options, r);
		const weir_arrivals_config *arrivals = &config->workload.generation.arrivals;
		ck_assert_double_eq(arrivals->rate, r % 3 == 0 ? 30 : 2);
		ck_assert_int_eq(arrivals->kind, r % 3 == 2 ? WEIR_ARRIVALS_GAMMA : WEIR_ARRIVALS_POISSON);
		ck_assert_uint_eq(config->applications[0].server_count, r % 3 == 2 ? 7 : 3);
		seeds[r] = config->seed;
		ck_assert_uint_eq(seeds[r], weir_stream_seed(9, "family", r) >> 11);
		ck_assert_uint_eq(seeds[r], weir_family_seed(&config->family, r));
		ck_assert_uint_lt(seeds[r], (uint64_t)1 << 53);
		for (uint64_t other = 0; other < r; other++) {
			ck_assert_uint_ne(seeds[r], seeds[other]);
		}
	}
}
END_TEST

START_TEST(the_command_line_goes_before_shapes_but_for_the_seed)
{
	weir_document_options options = written(
	    "{\"seed\": 9, \"shapes\": [{\"workload.arrivals.rate\": 30, \"workload.count\": 4}]}");
	const char *const sets[] = {"workload.arrivals.rate=7", "seed=123"};
	options.sets = sets;
	options.set_count = 2;
	load_member(&options, 2);
	ck_assert_double_eq(config->workload.generation.arrivals.rate, 7);
	ck_assert_int_eq(config->workload.generation.count, 4);
	ck_assert_uint_eq(config->seed, weir_stream_seed(9, "family", 2) >> 11);

	/* It may change the family as well; without a seed of its own that follows the config's. */
	const char *const other[] = {"seed=123", "family={\"shapes\": [{\"workload.count\": 8}]}"};
	options = written("");
	options.sets = other;
	options.set_count = 2;
	load_member(&options, 1);
	ck_assert_int_eq(config->workload.generation.count, 8);
	ck_assert_uint_eq(config->seed, weir_stream_seed(123, "family", 1) >> 11);
}
END_TEST

START_TEST(files_that_shapes_name_start_where_they_are_said)
{
	weir_document_options options = written("{\"shapes\": [{\"trace.path\": \"here.csv\"}]}");
	load_member(&options, 0);
	ck_assert_str_eq(config->workload.trace.path, test_path("here.csv"));
}
END_TEST

START_TEST(a_member_can_be_printed_and_loaded_again)
{
	weir_document_options options = written(
	    "{\"seed\": 9, \"shapes\": [{}, {\"workload.arrivals.rate\": 0.30000000000000004}]}");
	load_member(&options, 1);
	char *text = weir_config_print(config);
	ck_assert_ptr_nonnull(text);
	const weir_config *again = NULL;
	const weir_document_options printed = {.path = "printed", .text = text};
	ck_assert_ok(weir_config_load(&printed, &again, &error), &error);
	ck_assert_uint_eq(again->seed, config->seed);
	ck_assert_int_eq(again->family.seed, 9);
	ck_assert_uint_eq(again->family.shapes.count, 2);
	ck_assert(again->workload.generation.arrivals.rate == 0.1 + 0.2);
	weir_config_destroy(again);
	free(text);
}
END_TEST

START_TEST(wrong_families_are_refused)
{
	static const struct {
		const char *family, *where, *message;
	} cases[] = {
	    {"[]", "a.json: family", "object"},
	    {"{\"seed\": -1}", "a.json: family.seed", "from 0"},
	    {"{\"seeds\": 1}", "a.json: family.seeds", "did you mean 'seed'?"},
	    {"{\"shapes\": {}}", "a.json: family.shapes", "expected a list of objects"},
	    {"{\"shapes\": [{}, 3]}", "a.json: family.shapes[1]", "got 3"},
	    {"{\"shapes\": [{\"workload..rate\": 3}]}", "a.json: family.shapes[0].\"workload..rate\"",
	     "key path"},
	    {"{\"shapes\": [{\"seed=3\": 3}]}", "a.json: family.shapes[0].\"seed=3\"", "key path"},
	    {"{\"shapes\": [{\"seed\": 3}]}", "a.json: family.shapes[0].seed", "family.seed"},
	    {"{\"shapes\": [{\"family.shapes\": []}]}", "a.json: family.shapes[0].\"family.shapes\"",
	     "cannot change"},
	    {"{\"shapes\": [{}, {\"workload.arrivals.rat\": 3}]}",
	     "a.json: family.shapes[1]: workload.arrivals.rat", "did you mean 'rate'?"},
	    {"{\"shapes\": [{\"workload.arrivals.rate\": \"x\"}]}",
	     "a.json: family.shapes[0]: workload.arrivals.rate", "expected a number"},
	    {"{\"shapes\": [{\"servers[0].count\": 2}]}", "a.json: family.shapes[0]",
	     "there is no list 'servers'"},
	    {"{\"shapes\": [{\"pools\": \"prompt:5,token:1\"}]}", "a.json: family.shapes[0]: pools",
	     "the pools take 6 servers"},
	    /* Here what the file says is wrong beside the shape. */
	    {"{\"shapes\": [{\"hardware.servers.dgx-a100.gpu_count\": 4}]}", "a.json: servers",
	     "family.shapes[0])"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_msg(check(cases[i].family) == WEIR_ERROR_INPUT, "accepted %s", cases[i].family);
		const char *where = error.where + strlen(test_directory()) + 1;
		ck_assert_msg(strcmp(where, cases[i].where) == 0, "%s: at %s: %s", cases[i].family,
		              error.where, error.message);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "%s: %s", cases[i].family,
		              error.message);
	}
	/* Of a member, only its own shape is looked at. */
	weir_document_options options = written("{\"shapes\": [{}, {\"workload.count\": \"x\"}]}");
	ck_assert_int_eq(weir_config_load_member(&options, 1, &config, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(config);
	ck_assert_ok(weir_config_load_member(&options, 2, &config, &error), &error);
	weir_config_destroy(config);
	/* The config itself is right, as long as its shapes can be read. */
	ck_assert_ok(weir_config_load(&options, &config, &error), &error);
	weir_config_destroy(config);
	options = written("{\"shapes\": [3]}");
	ck_assert_int_eq(weir_config_load(&options, &config, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(config);
	/* Nor is it the worse for overrides that a shape cannot have. */
	static const char *const sets[] = {"workload.arrivals.rate=3"};
	options = written("{\"shapes\": [{\"workload.arrivals\": {\"kind\": \"ramp\", \"from\": 1, "
	                  "\"to\": 2, \"duration\": 3}}]}");
	options.sets = sets;
	options.set_count = 1;
	ck_assert_ok(weir_config_load(&options, &config, &error), &error);
	ck_assert_int_eq(weir_config_check_family(&options, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "--set: workload.arrivals.rate");
	options.set_count = 0;
	ck_assert_ok(weir_config_check_family(&options, &error), &error);
}
END_TEST

enum { MEMBERS = 4 };

/* The sections that say when requests of the first members arrive; their seeds. */
static void load_shipped(const char *folder, const char *name, cJSON *arrivals[MEMBERS],
                         uint64_t seeds[MEMBERS])
{
	char path[512];
	snprintf(path, sizeof path, WEIR_SOURCE_DIR "/configs/scenarios/%s%s.json", folder, name);
	const weir_document_options options = {.path = path, .directories = directories};
	ck_assert_ok(weir_config_check_family(&options, &error), &error);
	for (uint64_t r = 0; r < MEMBERS; r++) {
		load_member(&options, r);
		ck_assert_uint_ge(config->family.shapes.count, 3);
		seeds[r] = config->seed;
		char *text = weir_config_print(config);
		cJSON *root = cJSON_Parse(text);
		const bool generated = weir_workload_is_generated(&config->workload);
		arrivals[r] = generated ? cJSON_DetachItemFromObject(cJSON_GetObjectItem(root, "workload"),
		                                                     "arrivals")
		                        : cJSON_DetachItemFromObject(root, "trace");
		ck_assert_ptr_nonnull(arrivals[r]);
		cJSON_Delete(root);
		free(text);
	}
}

static double number_of(const cJSON *object, const char *name)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}

/* What is tuned on one family must not have met the other. */
START_TEST(the_shipped_families_are_apart)
{
	static const char *const names[] = {"steady",      "diurnal", "ramp",
	                                    "flash_crowd", "bursty",  "azure_replay"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		cJSON *held_out[MEMBERS];
		cJSON *training[MEMBERS];
		uint64_t held_out_seeds[MEMBERS];
		uint64_t training_seeds[MEMBERS];
		load_shipped("", names[i], held_out, held_out_seeds);
		load_shipped("training/", names[i], training, training_seeds);
		for (size_t h = 0; h < MEMBERS; h++) {
			for (size_t t = 0; t < MEMBERS; t++) {
				ck_assert_uint_ne(held_out_seeds[h], training_seeds[t]);
				ck_assert_msg(!cJSON_Compare(held_out[h], training[t], true), "%s: %zu is %zu",
				              names[i], h, t);
				if (strcmp(names[i], "azure_replay") == 0) {
					ck_assert_double_ge(number_of(held_out[h], "start"),
					                    number_of(training[t], "start") +
					                        number_of(training[t], "duration"));
					ck_assert_double_gt(number_of(training[t], "duration"), 0);
				}
			}
		}
		for (size_t r = 0; r < MEMBERS; r++) {
			cJSON_Delete(held_out[r]);
			cJSON_Delete(training[r]);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/family");
	TCase *tests = tcase_create("family");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_family_has_a_seed_and_shapes);
	tcase_add_test(tests, without_the_section_it_is_the_config_under_other_seeds);
	tcase_add_test(tests, members_take_shapes_in_turn_and_seeds_of_their_own);
	tcase_add_test(tests, the_command_line_goes_before_shapes_but_for_the_seed);
	tcase_add_test(tests, files_that_shapes_name_start_where_they_are_said);
	tcase_add_test(tests, a_member_can_be_printed_and_loaded_again);
	tcase_add_test(tests, wrong_families_are_refused);
	tcase_add_test(tests, the_shipped_families_are_apart);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
