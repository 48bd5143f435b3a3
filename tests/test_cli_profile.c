/* `weir profile`, run as its user runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test_support.h"

/* Runs `weir profile ARGUMENTS`; what it prints on both streams is put in `output`. */
static int run_profile(const char *arguments, char *output, size_t size)
{
	char command[2048];
	snprintf(command, sizeof command, WEIR_BINARY_DIR "/weir profile %s 2>&1", arguments);
	FILE *pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	output[fread(output, 1, size - 1, pipe)] = '\0';
	int status = pclose(pipe);
	ck_assert_msg(WIFEXITED(status), "%s", command);
	return WEXITSTATUS(status);
}

#define HEADER "model,hardware,tensor_parallel,prompt_size,batch_size,prompt_time,token_time\n"

START_TEST(builds_and_shows)
{
	const char *csv = test_path("runs.csv");
	const char *json = test_path("runs.json");
	char arguments[1024];
	char output[4096];
	test_write_file(csv, HEADER "m,g,8,100,1,50,20\nm,g,8,200,1,75,21\n");
	snprintf(arguments, sizeof arguments, "build %s -o %s --source here --licence CC0", csv, json);
	ck_assert_int_eq(run_profile(arguments, output, sizeof output), 0);
	snprintf(arguments, sizeof arguments, "show %s", json);
	ck_assert_int_eq(run_profile(arguments, output, sizeof output), 0);
	ck_assert_ptr_nonnull(strstr(output, "here"));
	ck_assert_ptr_nonnull(strstr(output, "CC0"));
	ck_assert_ptr_nonnull(strstr(output, "0.075000"));
}
END_TEST

START_TEST(a_bad_row_ends_with_its_line_and_no_file)
{
	const char *csv = test_path("bad.csv");
	char json[512];
	snprintf(json, sizeof json, "%s", test_path("bad.json"));
	char arguments[1200];
	char output[4096];
	char expected[600];
	test_write_file(csv, HEADER "m,g,8,100,1,50,20\nm,g,8,200,1,fast,21\n");
	snprintf(arguments, sizeof arguments, "build %s -o %s", csv, json);
	ck_assert_int_eq(run_profile(arguments, output, sizeof output), 2);
	snprintf(expected, sizeof expected, "%s:3: prompt_time is 'fast'", csv);
	ck_assert_msg(strncmp(output, expected, strlen(expected)) == 0, "%s", output);
	ck_assert_int_ne(access(json, F_OK), 0);
}
END_TEST

START_TEST(wrong_usage_is_refused)
{
	static const char *const arguments[] = {"",
	                                        "bild x",
	                                        "build x.csv",
	                                        "show",
	                                        "build -o x",
	                                        "build x.csv -o",
	                                        "show a b",
	                                        "build x.csv --spurce y -o z",
	                                        "show /none.json"};
	char output[4096];
	for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
		ck_assert_int_eq(run_profile(arguments[i], output, sizeof output), 2);
		ck_assert_str_ne(output, "");
	}
	ck_assert_int_eq(run_profile("--help", output, sizeof output), 0);
	ck_assert_ptr_nonnull(strstr(output, "usage"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile command");
	TCase *tests = tcase_create("profile");
	tcase_add_test(tests, builds_and_shows);
	tcase_add_test(tests, a_bad_row_ends_with_its_line_and_no_file);
	tcase_add_test(tests, wrong_usage_is_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
