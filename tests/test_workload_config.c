#include "workload/workload_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/test_support.h"
#include "support/workload_support.h"

static weir_arena *arena;

static void set_up(void)
{
	arena = weir_arena_create();
	ck_assert_ptr_nonnull(arena);
}

static void tear_down(void)
{
	weir_arena_destroy(arena);
}

static weir_status read_section(const weir_key_table *table, const char *name, const char *text,
                                void *object, weir_error *error)
{
	cJSON *json = NULL;
	ck_assert_ok(weir_json_parse("test.json", text, strlen(text), &json, error), error);
	weir_keys_reader reader = {.arena = arena, .file = test_path("test.json")};
	weir_status status = weir_keys_read(&reader, table, json, name, object, error);
	cJSON_Delete(json);
	return status;
}

/* The workload of these two sections. */
static weir_workload_config read_config(const char *trace, const char *workload)
{
	weir_error error = {0};
	weir_workload_config config;
	ck_assert_ok(read_section(&weir_trace_keys, "trace", trace, &config.trace, &error), &error);
	ck_assert_ok(
	    read_section(&weir_generation_keys, "workload", workload, &config.generation, &error),
	    &error);
	return config;
}

static weir_source *open_config(const weir_workload_config *config, uint64_t seed)
{
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_workload_open(config, seed, &source, &error), &error);
	return source;
}

/* Five requests, at 0, 1, 2, 3 and 4 s. */
static void write_trace(const char *name)
{
	test_write_file(test_path(name),
	                "request_id,arrival_timestamp,prompt_size,token_size\n"
	                "10,0,100,5\n11,1,101,5\n12,2,102,5\n13,3,103,5\n14,4,104,5\n");
}

START_TEST(defaults_ask_for_nothing)
{
	weir_workload_config config = read_config("{}", "{}");
	const weir_trace_config by_hand = weir_trace_config_default();
	ck_assert_str_eq(config.trace.path, by_hand.path);
	ck_assert_str_eq(config.trace.format, by_hand.format);
	ck_assert_double_eq(config.trace.time_scale, by_hand.time_scale);
	ck_assert_double_eq(config.trace.rate_scale, by_hand.rate_scale);
	ck_assert_int_eq(config.trace.repeat, by_hand.repeat);
	ck_assert(weir_workload_is_generated(&config));
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_int_eq(weir_workload_open(&config, 1, &source, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_null(source);
	ck_assert_str_eq(error.where, "workload");
	ck_assert_ptr_nonnull(strstr(error.message, "trace.path"));
}
END_TEST

START_TEST(a_trace_is_sliced_then_rescaled_then_repeated)
{
	write_trace("five.csv");
	/* 1, 2, 3 -> 0, 1, 2 -> 0, 0.5, 1; span 1, mean gap 0.5. */
	weir_workload_config config =
	    read_config("{\"path\": \"five.csv\", \"start\": 1, \"duration\": 3, \"time_scale\": 2, "
	                "\"rate_scale\": 4, \"repeat\": 2}",
	                "{}");
	ck_assert(!weir_workload_is_generated(&config));
	weir_source *source = open_config(&config, 1);
	const double arrivals[] = {0, 0.5, 1, 1.5, 2, 2.5};
	weir_request request;
	for (int i = 0; i < 6; i++) {
		ck_assert(test_draw(source, &request));
		ck_assert_double_eq(request.arrival, arrivals[i]);
		ck_assert_int_eq(request.prompt_tokens, 101 + i % 3);
		ck_assert_int_eq(request.id, i);
	}
	ck_assert(!test_draw(source, &request));
	weir_source_destroy(source);

	config = read_config("{\"path\": \"five.csv\", \"max_requests\": 2}", "{}");
	source = open_config(&config, 1);
	test_check_arrivals(source, (const double[]){0, 1}, 2);
	weir_source_destroy(source);
}
END_TEST

START_TEST(the_kind_says_which_section_counts)
{
	write_trace("five.csv");
	static const char *const drawn =
	    "\"arrivals\": {\"kind\": \"constant\", \"rate\": 10}, \"sizes\": {\"kind\": \"drawn\", "
	    "\"prompt\": {\"kind\": \"constant\", \"value\": 7}, \"output\": {\"kind\": \"constant\", "
	    "\"value\": 3}}, \"count\": 2";
	const struct {
		const char *kind;
		bool generated;
	} cases[] = {{"auto", false}, {"trace", false}, {"generated", true}};
	for (size_t i = 0; i < 3; i++) {
		char workload[512];
		snprintf(workload, sizeof workload, "{\"kind\": \"%s\", %s}", cases[i].kind, drawn);
		weir_workload_config config = read_config("{\"path\": \"five.csv\"}", workload);
		ck_assert(weir_workload_is_generated(&config) == cases[i].generated);
		weir_source *source = open_config(&config, 1);
		weir_request request;
		ck_assert(test_draw(source, &request));
		ck_assert_int_eq(request.prompt_tokens, cases[i].generated ? 7 : 100);
		weir_source_destroy(source);
	}
	weir_workload_config config = read_config("{}", "{\"kind\": \"trace\"}");
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_int_eq(weir_workload_open(&config, 1, &source, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "trace.path");
}
END_TEST

START_TEST(every_kind_of_arrivals_can_be_said)
{
	static const char *const arrivals[] = {
	    "{\"kind\": \"constant\", \"rate\": 2}",
	    "{\"kind\": \"poisson\", \"rate\": 2}",
	    "{\"kind\": \"gamma\", \"rate\": 2, \"cv\": 3}",
	    "{\"kind\": \"weibull\", \"rate\": 2, \"shape\": 0.6}",
	    "{\"kind\": \"weibull\", \"rate\": 2, \"cv\": 0.6}",
	    "{\"kind\": \"mmpp\", \"rates\": [1, 20], \"sojourns\": [10, 2]}",
	    "{\"kind\": \"piecewise\", \"points\": [[0, 1], [10, 5], [10, 2]], \"period\": 20}",
	    "{\"kind\": \"diurnal\", \"mean\": 2, \"amplitude\": 0.3, \"period\": 60, \"phase\": 4}",
	    "{\"kind\": \"ramp\", \"from\": 0, \"to\": 5, \"duration\": 10}",
	    ("{\"kind\": \"flash_crowd\", \"base\": 1, \"peak\": 9, \"start\": 5, \"rise\": 1, "
	     "\"hold\": 2, \"fall\": 3, \"cv\": 1.5}"),
	};
	for (size_t i = 0; i < sizeof arrivals / sizeof arrivals[0]; i++) {
		char workload[1024];
		snprintf(workload, sizeof workload,
		         "{\"arrivals\": %s, \"sizes\": {\"kind\": \"drawn\", \"rank_correlation\": 0.2, "
		         "\"prompt\": {\"kind\": \"uniform\", \"minimum\": 2, \"maximum\": 9}, \"output\": "
		         "{\"kind\": \"lognormal\", \"median\": 100, \"sigma\": 1, \"maximum\": 500}}, "
		         "\"count\": 50, \"duration\": 1e6}",
		         arrivals[i]);
		weir_workload_config config = read_config("{}", workload);
		weir_source *source = open_config(&config, 9);
		weir_request request;
		int count = 0;
		while (test_draw(source, &request)) {
			ck_assert(request.prompt_tokens >= 2 && request.prompt_tokens <= 9);
			ck_assert(request.output_tokens >= 1 && request.output_tokens <= 500);
			count++;
		}
		ck_assert_int_eq(count, 50);
		weir_source_destroy(source);
	}
}
END_TEST

#define LIKE                                                                                       \
	"{\"source\": \"a test\", \"duration\": 30, \"arrivals\": {\"kind\": \"constant\", \"rate\": " \
	"2}, "                                                                                         \
	"\"sizes\": {\"kind\": \"trace\", \"path\": \"five.csv\"}}"

START_TEST(a_like_file_is_filled_in)
{
	write_trace("five.csv");
	test_write_file(test_path("like.json"), LIKE);
	weir_workload_config config = read_config("{}", "{\"like\": \"like.json\"}");
	ck_assert_int_eq(config.generation.arrivals.kind, WEIR_ARRIVALS_CONSTANT);
	ck_assert_double_eq(config.generation.duration, 30);
	weir_source *source = open_config(&config, 1);
	weir_request request;
	int count = 0;
	while (test_draw(source, &request)) {
		ck_assert_double_eq(request.arrival, count / 2.0);
		ck_assert(request.prompt_tokens >= 100 && request.prompt_tokens <= 104);
		count++;
	}
	ck_assert_int_eq(count, 60);
	weir_source_destroy(source);

	/* What the config says itself goes before it. */
	config = read_config("{}", "{\"like\": \"like.json\", \"rate_scale\": 2, \"count\": 7, "
	                           "\"arrivals\": {\"kind\": \"constant\", \"rate\": 5}}");
	ck_assert_double_eq(config.generation.duration, 0);
	source = open_config(&config, 1);
	test_check_arrivals(source, (const double[]){0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, 7);
	weir_source_destroy(source);

	weir_error error = {0};
	weir_generation_config generation;
	ck_assert_ok(weir_generation_load(test_path("like.json"), arena, &generation, &error), &error);
	ck_assert_int_eq(generation.kind, WEIR_WORKLOAD_GENERATED);
	ck_assert_int_eq(generation.sizes.kind, WEIR_SIZES_TRACE);
	ck_assert_double_eq(generation.rate_scale, 1);
}
END_TEST

START_TEST(a_trace_is_superposed_last)
{
	write_trace("five.csv");
	/* 0, 1 -> 0, 0.5, 1, 1.5: then each twice. */
	weir_workload_config config = read_config("{\"path\": \"five.csv\", \"max_requests\": 2, "
	                                          "\"rate_scale\": 2, \"repeat\": 2, \"copies\": 2}",
	                                          "{}");
	weir_source *source = open_config(&config, 1);
	const double arrivals[] = {0, 0, 0.5, 0.5, 1, 1, 1.5, 1.5};
	weir_request request;
	for (int i = 0; i < 8; i++) {
		ck_assert(test_draw(source, &request));
		ck_assert_double_eq(request.arrival, arrivals[i]);
		ck_assert_int_eq(request.id, i);
	}
	ck_assert(!test_draw(source, &request));
	weir_source_destroy(source);

	/* The jitter is in seconds of the run, and follows the seed. */
	config = read_config("{\"path\": \"five.csv\", \"rate_scale\": 0.1, \"jitter\": 4}", "{}");
	double first[5];
	for (uint64_t seed = 1; seed <= 2; seed++) {
		source = open_config(&config, seed);
		for (int i = 0; i < 5; i++) {
			ck_assert(test_draw(source, &request));
			double delay = request.arrival - 10 * i;
			ck_assert(delay > 0 && delay < 4);
			ck_assert(seed == 1 || delay != first[i]);
			first[i] = delay;
		}
		weir_source_destroy(source);
	}
}
END_TEST

START_TEST(a_missing_trace_has_a_stand_in)
{
	write_trace("five.csv");
	test_write_file(test_path("like.json"),
	                "{\"duration\": 30, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 2}, "
	                "\"sizes\": {\"kind\": \"trace\", \"path\": \"five.csv\"}}");
	weir_workload_config there = read_config(
	    "{\"path\": \"five.csv\", \"otherwise\": \"like.json\", \"max_requests\": 2}", "{}");
	ck_assert_ptr_null(there.trace.stand_in);
	ck_assert_str_eq(there.trace.otherwise, test_path("like.json"));
	weir_source *source = open_config(&there, 1);
	test_check_arrivals(source, (const double[]){0, 1}, 2);
	weir_source_destroy(source);
	char *text = weir_workload_describe(&there);
	char expected[1024];
	snprintf(expected, sizeof expected, "trace %s", test_path("five.csv"));
	ck_assert_str_eq(text, expected);
	free(text);

	weir_workload_config missing =
	    read_config("{\"path\": \"gone.csv\", \"otherwise\": \"like.json\", \"start\": 10, "
	                "\"duration\": 5, \"rate_scale\": 2, \"copies\": 3}",
	                "{}");
	ck_assert_ptr_nonnull(missing.trace.stand_in);
	ck_assert(!weir_workload_is_generated(&missing));
	text = weir_workload_describe(&missing);
	snprintf(expected, sizeof expected, "no trace %s: generated like %s", test_path("gone.csv"),
	         test_path("like.json"));
	ck_assert_str_eq(text, expected);
	free(text);
	/* It is what a trace generated with seed 1 would be, whatever the run's seed, and all else is
	 * done with it that is done with a trace. */
	weir_workload_config generated = read_config("{}", "{\"like\": \"like.json\"}");
	text = weir_workload_describe(&generated);
	snprintf(expected, sizeof expected, "generated like %s", test_path("like.json"));
	ck_assert_str_eq(text, expected);
	free(text);
	source = open_config(&missing, 77);
	weir_source *whole = open_config(&generated, 1);
	weir_request of_whole;
	weir_request request;
	int count = 0;
	while (test_draw(whole, &of_whole)) {
		if (of_whole.arrival < 10 || of_whole.arrival >= 15) {
			continue;
		}
		for (int i = 0; i < 3; i++, count++) {
			ck_assert(test_draw(source, &request));
			ck_assert_double_eq(request.arrival, (of_whole.arrival - 10) / 2);
			ck_assert_int_eq(request.prompt_tokens, of_whole.prompt_tokens);
			ck_assert_int_eq(request.id, count);
		}
	}
	ck_assert_int_gt(count, 9);
	ck_assert(!test_draw(source, &request));
	weir_source_destroy(source);
	weir_source_destroy(whole);

	/* Standard input is never missing, and a stand-in has to be there itself. */
	weir_workload_config input =
	    read_config("{\"path\": \"-\", \"otherwise\": \"like.json\"}", "{}");
	ck_assert_ptr_null(input.trace.stand_in);
	weir_error error = {0};
	weir_trace_config trace;
	ck_assert_int_eq(read_section(&weir_trace_keys, "trace",
	                              "{\"path\": \"gone.csv\", \"otherwise\": \"gone.json\"}", &trace,
	                              &error),
	                 WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, test_path("gone.json"));
}
END_TEST

START_TEST(the_shipped_files_load)
{
	static const char *const names[] = {"azure-conv-like.json", "azure-code-like.json"};
	for (size_t i = 0; i < 2; i++) {
		char path[1024];
		snprintf(path, sizeof path, WEIR_SOURCE_DIR "/traces/%s", names[i]);
		weir_workload_config config = {.trace = weir_trace_config_default()};
		weir_error error = {0};
		ck_assert_ok(weir_generation_load(path, arena, &config.generation, &error), &error);
		weir_source *source = open_config(&config, 2);
		weir_request request;
		int count = 0;
		while (test_draw(source, &request)) {
			count++;
		}
		ck_assert_int_gt(count, 8000);
		weir_source_destroy(source);
	}
}
END_TEST

START_TEST(wrong_sections_are_refused)
{
	test_write_file(test_path("circle.json"), "{\"arrivals\": {}, \"sizes\": {}}");
	test_write_file(test_path("empty.json"), "{}");
	const struct {
		const weir_key_table *table;
		const char *text, *where;
	} cases[] = {
	    {&weir_trace_keys, "{\"path\": 3}", "s.path"},
	    {&weir_trace_keys, "{\"format\": \"azur\"}", "s.format"},
	    {&weir_trace_keys, "{\"start\": -1}", "s.start"},
	    {&weir_trace_keys, "{\"rate_scale\": 0}", "s.rate_scale"},
	    {&weir_trace_keys, "{\"repeat\": 0}", "s.repeat"},
	    {&weir_trace_keys, "{\"max_requests\": 1.5}", "s.max_requests"},
	    {&weir_trace_keys, "{\"copies\": 0}", "s.copies"},
	    {&weir_trace_keys, "{\"jitter\": -1}", "s.jitter"},
	    {&weir_trace_keys, "{\"paht\": \"x\"}", "s.paht"},
	    {&weir_generation_keys, "{\"arrivals\": {\"kind\": \"poisson\"}}", "s.arrivals.rate"},
	    {&weir_generation_keys, "{\"arrivals\": {\"kind\": \"poisson\", \"rate\": -1}}",
	     "s.arrivals.rate"},
	    {&weir_generation_keys, "{\"arrivals\": {\"kind\": \"poisson\", \"rate\": 1, \"cv\": 2}}",
	     "s.arrivals.cv"},
	    {&weir_generation_keys, "{\"arrivals\": {\"kind\": \"mmpp\", \"rates\": [1, 2]}}",
	     "s.arrivals.sojourns"},
	    {&weir_generation_keys,
	     "{\"arrivals\": {\"kind\": \"mmpp\", \"rates\": [1, 2], \"sojourns\": [1]}}",
	     "s.arrivals.rates"},
	    {&weir_generation_keys, "{\"arrivals\": {\"kind\": \"piecewise\"}}", "s.arrivals.points"},
	    {&weir_generation_keys,
	     "{\"arrivals\": {\"kind\": \"piecewise\", \"points\": [[1, 2], 3]}}", "s.arrivals.points"},
	    {&weir_generation_keys,
	     "{\"arrivals\": {\"kind\": \"piecewise\", \"points\": [[1, 2, 3]]}}", "s.arrivals.points"},
	    {&weir_generation_keys, "{\"arrivals\": {\"kind\": \"piecewise\", \"points\": 5}}",
	     "s.arrivals.points"},
	    {&weir_generation_keys, "{\"arrivals\": {\"kind\": \"piecewise\", \"points\": []}}",
	     "s.arrivals.points"},
	    {&weir_generation_keys, "{\"sizes\": {\"kind\": \"drawn\"}}", "s.sizes.prompt"},
	    {&weir_generation_keys, "{\"sizes\": {\"kind\": \"trace\"}}", "s.sizes.path"},
	    {&weir_generation_keys,
	     "{\"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"constant\", \"value\": 5}, "
	     "\"output\": {\"kind\": \"lognormal\", \"maximum\": 5, \"sigma\": 1}}}",
	     "s.sizes.output.median"},
	    {&weir_generation_keys, "{\"duration\": -1}", "s.duration"},
	    {&weir_generation_keys, "{\"like\": \"none.json\"}", "none.json"},
	    {&weir_generation_keys, "{\"like\": \"circle.json\"}", "arrivals.kind"},
	    {&weir_generation_keys, "{\"like\": \"empty.json\"}", "arrivals"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_workload_config config;
		void *object =
		    cases[i].table == &weir_trace_keys ? (void *)&config.trace : (void *)&config.generation;
		weir_status status = read_section(cases[i].table, "s", cases[i].text, object, &error);
		size_t length = strlen(error.where);
		size_t expected = strlen(cases[i].where);
		ck_assert_msg((status == WEIR_ERROR_INPUT || status == WEIR_ERROR_IO) &&
		                  length >= expected &&
		                  strcmp(error.where + length - expected, cases[i].where) == 0,
		              "%s: %d %s: %s", cases[i].text, status, error.where, error.message);
	}
}
END_TEST

START_TEST(a_stream_without_end_is_refused)
{
	weir_workload_config config =
	    read_config("{}", "{\"arrivals\": {\"kind\": \"poisson\", \"rate\": 1}, \"sizes\": "
	                      "{\"kind\": \"trace\", \"path\": \"none.csv\"}}");
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_int_eq(weir_workload_open(&config, 1, &source, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "workload.duration"));
	config.generation.count = 5;
	ck_assert_int_eq(weir_workload_open(&config, 1, &source, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.where, "none.csv"));
	ck_assert_ptr_null(source);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/config");
	TCase *tests = tcase_create("config");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, defaults_ask_for_nothing);
	tcase_add_test(tests, a_trace_is_sliced_then_rescaled_then_repeated);
	tcase_add_test(tests, the_kind_says_which_section_counts);
	tcase_add_test(tests, every_kind_of_arrivals_can_be_said);
	tcase_add_test(tests, a_like_file_is_filled_in);
	tcase_add_test(tests, a_trace_is_superposed_last);
	tcase_add_test(tests, a_missing_trace_has_a_stand_in);
	tcase_add_test(tests, the_shipped_files_load);
	tcase_add_test(tests, wrong_sections_are_refused);
	tcase_add_test(tests, a_stream_without_end_is_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
