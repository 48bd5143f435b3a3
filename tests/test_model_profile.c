#include "model/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test_support.h"

static weir_arena *arena;

static void set_up(void)
{
	arena = weir_arena_create();
}

static void tear_down(void)
{
	weir_arena_destroy(arena);
}

static double number(const weir_key_list *list, size_t i)
{
	ck_assert_uint_lt(i, list->count);
	return ((const double *)list->items)[i];
}

static const weir_profile_curve *curve_at(const weir_profile *profile, size_t i)
{
	ck_assert_uint_lt(i, profile->curves.count);
	return (const weir_profile_curve *)profile->curves.items + i;
}

START_TEST(shipped_profile_is_found_by_target)
{
	weir_error error = {0};
	weir_profile profile;
	ck_assert_ok(weir_profile_read(WEIR_SOURCE_DIR "/configs/profiles/splitwise.json", arena,
	                               &profile, &error),
	             &error);
	ck_assert_uint_eq(profile.curves.count, 12);
	ck_assert_ptr_nonnull(strstr(profile.source, "splitwise-sim"));
	ck_assert_ptr_nonnull(strstr(profile.licence, "MIT"));
	weir_profile_target target = {"llama2-70b", "h100-80gb", 4};
	const weir_profile_curve *curve = weir_profile_find(&profile, &target);
	ck_assert_ptr_nonnull(curve);
	ck_assert_str_eq(curve->target.gpu, "h100-80gb");
	ck_assert_int_eq(curve->target.tensor_parallel, 4);
	ck_assert_uint_eq(curve->batch_tokens.count, 9);
	ck_assert_double_eq(number(&curve->batch_tokens, 8), 32768.0);
	target.tensor_parallel = 3;
	ck_assert_ptr_null(weir_profile_find(&profile, &target));
}
END_TEST

static weir_profile built(const char *text)
{
	const char *path = test_path("runs.csv");
	test_write_file(path, text);
	weir_error error = {0};
	weir_profile profile;
	ck_assert_ok(weir_profile_build(path, arena, &profile, &error), &error);
	return profile;
}

/* Columns in another order, one that is not known, lines that end in CR LF, blank lines, none at
 * the end of the last. */
START_TEST(medians_are_taken_per_target_and_batch_size)
{
	weir_profile profile =
	    built("tensor_parallel,batch_size,note,prompt_size,model,hardware,prompt_time,"
	          "average_power,token_time\r\n"
	          "8,1,x,200,m,g,300,0.5,30\r\n"
	          "8,2,x,100,m,g,100,0,10\r\n"
	          "8,1,x,200,m,g,250,0.25,60\r\n"
	          "\r\n"
	          "8,4,x,100,m,g,500,0,40\r\n"
	          "4,1,x,5,m,g,2,0,1\n"
	          "4,1,x,6,m,g,2.1,0,1\n"
	          "8,1,,100,m,f,1000.5,0.125,17\n"
	          "8,1,,300,m,f,2000,0.125,17\n"
	          "8,1,x,200,m,g,800,0.75,20");
	ck_assert_uint_eq(profile.curves.count, 3);
	ck_assert_str_eq(curve_at(&profile, 0)->target.gpu, "f");
	ck_assert_double_eq(number(&curve_at(&profile, 0)->prompt_seconds, 0), 1.0005);
	ck_assert_int_eq(curve_at(&profile, 1)->target.tensor_parallel, 4);
	const weir_profile_curve *curve = curve_at(&profile, 2);
	ck_assert_str_eq(curve->target.model, "m");
	ck_assert_str_eq(curve->target.gpu, "g");
	ck_assert_int_eq(curve->target.tensor_parallel, 8);
	ck_assert_uint_eq(curve->batch_tokens.count, 2);
	/* 200 tokens: prompts of 100, 250, 300, 800 ms, tokens of 10, 20, 30, 60 ms; power of three. */
	ck_assert_double_eq(number(&curve->batch_tokens, 0), 200.0);
	ck_assert_double_eq(number(&curve->prompt_seconds, 0), 0.275);
	ck_assert_double_eq(number(&curve->token_seconds, 0), 0.025);
	ck_assert_double_eq(number(&curve->power_share, 0), 0.5);
	ck_assert_double_eq(number(&curve->batch_tokens, 1), 400.0);
	ck_assert_double_eq(number(&curve->prompt_seconds, 1), 0.5);
	ck_assert_double_eq(number(&curve->power_share, 1), 0.0);
}
END_TEST

#define HEADER "model,hardware,tensor_parallel,prompt_size,batch_size,prompt_time,token_time"

/* More rows, targets and batch sizes than any first capacity; power left out. */
START_TEST(large_files_are_built_and_read_back_exactly)
{
	enum { TARGETS = 50, SIZES = 30, REPEATS = 3 };
	const char *csv = test_path("large.csv");
	FILE *file = fopen(csv, "w");
	ck_assert_ptr_nonnull(file);
	fputs(HEADER "\n", file);
	for (int repeat = 0; repeat < REPEATS; repeat++) {
		for (int target = TARGETS; target > 0; target--) {
			for (int size = 1; size <= SIZES; size++) {
				fprintf(file, "m%d,g,%d,%d,10,%.17g,%.17g\n", target % 5, target, size,
				        (size + repeat) / 0.7, (size + 2 * repeat) / 0.3);
			}
		}
	}
	ck_assert_int_eq(fclose(file), 0);
	weir_error error = {0};
	weir_profile profile;
	ck_assert_ok(weir_profile_build(csv, arena, &profile, &error), &error);
	profile.source = "a \"quoted\"\\ source\n";
	const char *json = test_path("large.json");
	ck_assert_ok(weir_profile_write(&profile, json, &error), &error);
	weir_profile again;
	ck_assert_ok(weir_profile_read(json, arena, &again, &error), &error);
	ck_assert_str_eq(again.source, profile.source);
	ck_assert_str_eq(again.licence, "");
	ck_assert_uint_eq(again.curves.count, TARGETS);
	for (size_t i = 0; i < TARGETS; i++) {
		const weir_profile_curve *curve = curve_at(&again, i);
		ck_assert_int_eq(
		    weir_profile_compare_targets(&curve->target, &curve_at(&profile, i)->target), 0);
		if (i > 0) {
			ck_assert_int_lt(
			    weir_profile_compare_targets(&curve_at(&again, i - 1)->target, &curve->target), 0);
		}
		ck_assert_uint_eq(curve->batch_tokens.count, SIZES);
		for (int size = 1; size <= SIZES; size++) {
			size_t k = (size_t)size - 1;
			ck_assert_double_eq(number(&curve->batch_tokens, k), 10.0 * size);
			ck_assert_double_eq(number(&curve->prompt_seconds, k), (size + 1) / 0.7 / 1000.0);
			ck_assert_double_eq(number(&curve->token_seconds, k), (size + 2) / 0.3 / 1000.0);
			ck_assert_double_eq(number(&curve->power_share, k), 0.0);
		}
	}
	ck_assert_int_ne(access(test_path("large.json.part"), F_OK), 0);
}
END_TEST

START_TEST(bad_rows_are_refused_with_their_line)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"", "", "empty"},
	    {"\n\n", "", "empty"},
	    {HEADER "\n", "", "no rows"},
	    {"model,hardware,tensor_parallel,prompt_size,batch_size,prompt_time\n", ":1", "token_time"},
	    {HEADER ",model\nm,g,1,1,1,1,1,m\n", ":1", "twice"},
	    {HEADER "\nm,g,8,1,1,1\n", ":2", "6 columns"},
	    {HEADER "\nm,g,8,1,1,1,1,1\n", ":2", "8 columns"},
	    {HEADER "\nm,g,8,1,1,1,1\n\nm,g,8,x,1,1,1\n", ":4", "prompt_size is 'x'"},
	    {HEADER "\n,g,8,1,1,1,1\n", ":2", "model"},
	    {HEADER "\nm,,8,1,1,1,1\n", ":2", "hardware"},
	    {HEADER "\nm,g,0,1,1,1,1\n", ":2", "tensor_parallel is '0'"},
	    {HEADER "\nm,g,8,-5,1,1,1\n", ":2", "prompt_size is '-5'"},
	    {HEADER "\nm,g,8,1.5,1,1,1\n", ":2", "prompt_size is '1.5'"},
	    {HEADER "\nm,g,8,1,99999999999999999999,1,1\n", ":2", "batch_size"},
	    {HEADER "\nm,g,8,1,1,nan,1\n", ":2", "prompt_time is 'nan'"},
	    {HEADER "\nm,g,8,1,1,inf,1\n", ":2", "prompt_time is 'inf'"},
	    {HEADER "\nm,g,8,1,1,0,1\n", ":2", "prompt_time is '0'"},
	    {HEADER "\nm,g,8,1,1,1,-2\n", ":2", "token_time is '-2'"},
	    {HEADER "\nm,g,8,1,1,1,\n", ":2", "token_time is ''"},
	    {HEADER ",average_power\nm,g,8,1,1,1,1,-0.5\n", ":2", "average_power is '-0.5'"},
	    /* Rows that are good but make no curve. */
	    {HEADER "\nm,g,8,1,1,1,1\nm,g,8,1,1,2,2\n", ": curves[0].batch_tokens",
	     "m on g, tensor_parallel 8: 1 batch size;"},
	    {HEADER "\nm,g,8,100,1,1,1\nm,g,8,101,1,2,1\n", ": curves[0].prompt_seconds",
	     "reaches zero"},
	};
	const char *path = test_path("bad.csv");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		test_write_file(path, cases[i].text);
		weir_error error = {0};
		weir_profile profile;
		ck_assert_int_eq(weir_profile_build(path, arena, &profile, &error), WEIR_ERROR_INPUT);
		char where[WEIR_ERROR_WHERE_SIZE];
		snprintf(where, sizeof where, "%s%s", path, cases[i].where);
		ck_assert_str_eq(error.where, where);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "case %zu: %s", i,
		              error.message);
	}
}
END_TEST

START_TEST(what_is_no_csv_file_is_refused)
{
	weir_error error = {0};
	weir_profile profile;
	ck_assert_int_eq(weir_profile_build(test_path("none.csv"), arena, &profile, &error),
	                 WEIR_ERROR_IO);
	ck_assert_int_eq(weir_profile_build(test_directory(), arena, &profile, &error), WEIR_ERROR_IO);

	enum { LONG_LINE = 1 << 20 };
	char *text = malloc(LONG_LINE + 1);
	ck_assert_ptr_nonnull(text);
	memset(text, 'a', LONG_LINE);
	text[LONG_LINE] = '\0';
	const char *path = test_path("long.csv");
	test_write_file(path, text);
	ck_assert_int_eq(weir_profile_build(path, arena, &profile, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "longer than"));
	memset(text, ',', 1000);
	text[1000] = '\0';
	test_write_file(path, text);
	ck_assert_int_eq(weir_profile_build(path, arena, &profile, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "columns"));
	free(text);
}
END_TEST

#define CURVE_OF(target, lists) "{" target ", " lists "}"
#define TARGET                  "\"model\": \"m\", \"gpu\": \"g\", \"tensor_parallel\": 8"
#define LISTS(x, prompt, token)                                                                    \
	"\"batch_tokens\": " x ", \"prompt_seconds\": " prompt ", \"token_seconds\": " token
#define PROFILE(lists) "{\"curves\": [" CURVE_OF(TARGET, lists) "]}"

START_TEST(bad_profiles_are_refused_with_their_key)
{
	static const struct {
		const char *text, *where, *message;
	} cases[] = {
	    {"", ":1:1", "empty"},
	    {"[]", "", "object"},
	    {"{}", ": curves", "missing"},
	    {"{\"curves\": 3}", ": curves", "3"},
	    {"{\"curves\": [3]}", ": curves[0]", "3"},
	    {"{\"curves\": [], \"sauce\": \"x\"}", ": sauce", "source"},
	    {"{\"curves\": [{}]}", ": curves[0].model", "missing"},
	    {PROFILE("\"batch_tokens\": [1, 2], \"prompt_seconds\": [1, 2]"),
	     ": curves[0].token_seconds", "missing"},
	    {PROFILE(LISTS("[]", "[]", "[]")), ": curves[0].batch_tokens", "0 batch sizes"},
	    {PROFILE(LISTS("[1]", "[1]", "[1]")), ": curves[0].batch_tokens", "1 batch size;"},
	    {PROFILE(LISTS("[1, 1]", "[1, 2]", "[1, 2]")), ": curves[0].batch_tokens", "rise"},
	    {PROFILE(LISTS("[2, 1]", "[1, 2]", "[1, 2]")), ": curves[0].batch_tokens", "entry 1 is 1;"},
	    {PROFILE(LISTS("[1.5, 2]", "[1, 2]", "[1, 2]")), ": curves[0].batch_tokens", "whole"},
	    {PROFILE(LISTS("[0, 2]", "[1, 2]", "[1, 2]")), ": curves[0].batch_tokens[0]", "0"},
	    {PROFILE(LISTS("[1, 2]", "[1, 2, 3]", "[1, 2]")), ": curves[0].prompt_seconds",
	     "3 entries for 2"},
	    {PROFILE(LISTS("[1, 2]", "[1, 2]", "[1]")), ": curves[0].token_seconds", "1 entries for 2"},
	    {PROFILE(LISTS("[1, 2]", "[1, 2]", "[1, 2]") ", \"power_share\": [1]"),
	     ": curves[0].power_share", "1 entries for 2"},
	    {PROFILE(LISTS("[1, 2]", "[1, NaN]", "[1, 2]")), ":1", "not JSON"},
	    {PROFILE(LISTS("[1, 2]", "[1, 1e999]", "[1, 2]")), ": curves[0].prompt_seconds[1]", ""},
	    {PROFILE(LISTS("[1, 2]", "[1, 0]", "[1, 2]")), ": curves[0].prompt_seconds[1]", "above 0"},
	    {PROFILE(LISTS("[1, 2]", "[1, 2]", "[-1, 2]")), ": curves[0].token_seconds[0]", "-1"},
	    {PROFILE(LISTS("[1, 2]", "[1, null]", "[1, 2]")), ": curves[0].prompt_seconds[1]", "null"},
	    {PROFILE(LISTS("[1, 2]", "[1, \"2\"]", "[1, 2]")), ": curves[0].prompt_seconds[1]",
	     "\"2\""},
	    {PROFILE(LISTS("{}", "[1, 2]", "[1, 2]")), ": curves[0].batch_tokens", "an object"},
	    {PROFILE(LISTS("[1, 2]", "[1, 2]", "[1, 2]") ", \"power_share\": [1, -1]"),
	     ": curves[0].power_share[1]", "-1"},
	    {PROFILE(LISTS("[64, 128]", "[1, 2]", "[1, 3]")), ": curves[0].token_seconds",
	     "reaches zero before 1 token"},
	    /* At 1 token the line is at zero just so. */
	    {PROFILE(LISTS("[2, 4]", "[1, 3]", "[1, 3]")), ": curves[0].prompt_seconds",
	     "reaches zero before 1 token"},
	    {"{\"curves\": [" CURVE_OF(TARGET, LISTS("[1, 2]", "[1, 2]", "[1, 2]")) ", " CURVE_OF(
	         TARGET, LISTS("[1, 2]", "[1, 2]", "[1, 2]")) "]}",
	     ": curves", "two curves of m on g, tensor_parallel 8"},
	};
	const char *path = test_path("bad.json");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		test_write_file(path, cases[i].text);
		weir_error error = {0};
		weir_profile profile;
		ck_assert_msg(weir_profile_read(path, arena, &profile, &error) == WEIR_ERROR_INPUT,
		              "case %zu", i);
		char where[WEIR_ERROR_WHERE_SIZE];
		snprintf(where, sizeof where, "%s%s", path, cases[i].where);
		ck_assert_msg(strncmp(error.where, where, strlen(where)) == 0, "case %zu: %s: %s", i,
		              error.where, error.message);
		ck_assert_msg(strstr(error.message, cases[i].message) != NULL, "case %zu: %s: %s", i,
		              error.where, error.message);
	}
}
END_TEST

/* Every truncation of a good file, and every byte of it overwritten: an error or a profile, nothing
 * worse. */
START_TEST(mangled_profiles_do_no_harm)
{
	static const char text[] =
	    PROFILE(LISTS("[1, 20]", "[0.1, 0.2]", "[0.1, 0.1]") ", \"power_share\": [0.5, 0]");
	static const char marks[] = "0-9.]{,\"";
	const char *path = test_path("mangled.json");
	weir_error error;
	weir_profile profile;
	test_write_file(path, text);
	ck_assert_ok(weir_profile_read(path, arena, &profile, &error), &error);
	char copy[sizeof text];
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		memcpy(copy, text, sizeof text);
		copy[i] = '\0';
		test_write_file(path, copy);
		ck_assert_int_ne(weir_profile_read(path, arena, &profile, &error), WEIR_OK);
		for (size_t m = 0; marks[m] != '\0'; m++) {
			copy[i] = marks[m];
			test_write_file(path, copy);
			if (weir_profile_read(path, arena, &profile, &error) == WEIR_OK) {
				ck_assert_ok(weir_profile_check(&profile, path, &error), &error);
			} else {
				ck_assert_str_ne(error.message, "");
			}
		}
	}
}
END_TEST

START_TEST(a_profile_that_cannot_be_written_leaves_nothing)
{
	weir_profile profile = built(HEADER "\nm,g,8,1,1,1,1\nm,g,8,2,1,2,2\n");
	weir_error error = {0};
	ck_assert_int_eq(weir_profile_write(&profile, test_path("none/p.json"), &error), WEIR_ERROR_IO);
	/* A directory in the way is found by the rename. */
	const char *path = test_path("directory.json");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(weir_profile_write(&profile, path, &error), WEIR_ERROR_IO);
	ck_assert_str_eq(error.where, path);
	ck_assert_int_ne(access(test_path("directory.json.part"), F_OK), 0);
}
END_TEST

START_TEST(splitwise_profile_is_rebuilt_byte_for_byte)
{
	const char *csv = test_data_path("splitwise_perf_model.csv");
	if (csv == NULL) {
		return;
	}
	const char *shipped_path = WEIR_SOURCE_DIR "/configs/profiles/splitwise.json";
	weir_error error = {0};
	weir_profile shipped;
	weir_profile profile;
	ck_assert_ok(weir_profile_read(shipped_path, arena, &shipped, &error), &error);
	ck_assert_ok(weir_profile_build(csv, arena, &profile, &error), &error);
	profile.source = shipped.source;
	profile.licence = shipped.licence;
	const char *path = test_path("splitwise.json");
	ck_assert_ok(weir_profile_write(&profile, path, &error), &error);
	char *expected = test_read_file(shipped_path, NULL);
	char *got = test_read_file(path, NULL);
	ck_assert_str_eq(got, expected);
	free(expected);
	free(got);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile");
	TCase *tests = tcase_create("profile");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, shipped_profile_is_found_by_target);
	tcase_add_test(tests, medians_are_taken_per_target_and_batch_size);
	tcase_add_test(tests, large_files_are_built_and_read_back_exactly);
	tcase_add_test(tests, bad_rows_are_refused_with_their_line);
	tcase_add_test(tests, what_is_no_csv_file_is_refused);
	tcase_add_test(tests, bad_profiles_are_refused_with_their_key);
	tcase_add_test(tests, mangled_profiles_do_no_harm);
	tcase_add_test(tests, a_profile_that_cannot_be_written_leaves_nothing);
	tcase_add_test(tests, splitwise_profile_is_rebuilt_byte_for_byte);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
