/* The SLO of a config: slowdowns by hand with constant times, and a profile that is missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/slo_reference.h"
#include "support/run_support.h"
#include "support/test_support.h"

START_TEST(slowdowns_are_against_the_configs_times)
{
	const weir_config *config =
	    test_config(TEST_PARITY_CONFIG,
	                "execution_time={\"kind\": \"constant\", \"prompt_seconds\": 0.5, "
	                "\"token_seconds\": 0.1}",
	                "trace.path=" WEIR_SOURCE_DIR "/tests/parity/syn_burst.csv", NULL);
	weir_config_slo made;
	weir_error error = {0};
	ck_assert_ok(weir_config_slo_make(config, &made, &error), &error);
	ck_assert_uint_eq(made.slo.reference_count, 1);
	const weir_slo_request request = {
	    .prompt_tokens = 100, .output_tokens = 11, .ttft = 1.5, .e2e = 4.8};
	weir_slowdowns slowdowns = weir_slo_slowdowns(&made.slo, &request);
	ck_assert_double_eq_tol(slowdowns.ttft, 1.5 / 0.5, 1e-12);
	ck_assert_double_eq_tol(slowdowns.tbt, (4.8 - 1.5) / 11 / 0.1, 1e-12); /* baseline splitwise */
	ck_assert_double_eq_tol(slowdowns.e2e, 4.8 / (0.5 + 10 * 0.1), 1e-12);
	ck_assert(weir_slo_met(&made.slo, &slowdowns));
	weir_config_slo_release(&made);
	weir_config_destroy(config);
}
END_TEST

START_TEST(a_profile_that_is_gone_is_an_error)
{
	size_t size;
	const char *path = test_path("profile.json");
	char *text = test_read_file(WEIR_SOURCE_DIR "/configs/profiles/splitwise.json", &size);
	test_write_file(path, text);
	free(text);
	char set[600];
	snprintf(set, sizeof set, "execution_time.profile=%s", path);
	const weir_config *config = test_config(
	    TEST_PARITY_CONFIG, set, "trace.path=" WEIR_SOURCE_DIR "/tests/parity/syn_burst.csv", NULL);
	ck_assert_int_eq(unlink(path), 0);
	weir_config_slo made;
	weir_error error = {0};
	ck_assert_int_eq(weir_config_slo_make(config, &made, &error), WEIR_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(error.where, "profile.json"));
	ck_assert_ptr_null(made.references);
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slo_reference");
	TCase *tcase = tcase_create("slo_reference");
	tcase_add_test(tcase, slowdowns_are_against_the_configs_times);
	tcase_add_test(tcase, a_profile_that_is_gone_is_an_error);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
