/* Updates of Stable-Baselines3, done again; and that what is wrong in one point is seen. */
#include <stdio.h>

#include "support/ppo_golden.h"
#include "support/test_support.h"

static const char *const files[] = {"ppo_discrete_e1", "ppo_discrete_e5", "ppo_box_e1",
                                    "ppo_box_e5", "ppo_box_vfclip"};
enum { FILES = sizeof files / sizeof files[0] };

static void run(const char *name, void (*change)(weir_ppo_config *config), golden_report *report)
{
	char path[512];
	weir_error error = {0};
	snprintf(path, sizeof path, WEIR_SOURCE_DIR "/tests/parity/ppo/%s.json", name);
	ck_assert_ok(golden_run(path, change, report, &error), &error);
}

START_TEST(updates_are_the_same)
{
	static golden_report report;
	for (size_t i = 0; i < FILES; i++) {
		run(files[i], NULL, &report);
		const golden_result *worst = golden_worst(&report);
		ck_assert_msg(worst->largest <= golden_tolerance, "%s: %s: %.9g, not %.9g", files[i],
		              worst->name, worst->got, worst->wanted);
		/* 12 tensors and log_std before and after, and the rest */
		ck_assert_uint_ge(report.count, 2 * 12 + 15);
	}
}
END_TEST

static void twice_the_value(weir_ppo_config *config)
{
	config->vf_coef *= 2;
}

static void another_eps(weir_ppo_config *config)
{
	config->adam_eps = 1e-8;
}

static void other_betas(weir_ppo_config *config)
{
	config->adam_beta2 = 0.99;
}

static void raw_advantages(weir_ppo_config *config)
{
	config->normalize_advantage = false;
}

static void long_gradients(weir_ppo_config *config)
{
	config->max_grad_norm = 1e9;
}

static void wrong_entropy(weir_ppo_config *config)
{
	config->ent_coef = -config->ent_coef;
}

static void no_ratio_clip(weir_ppo_config *config)
{
	config->clip_range = 1e3;
}

static void other_lambda(weir_ppo_config *config)
{
	config->gae_lambda = 0.96;
}

static void free_values(weir_ppo_config *config)
{
	config->clip_range_vf = 0;
}

START_TEST(mistakes_are_seen)
{
	static const struct {
		const char *file;
		void (*change)(weir_ppo_config *config);
	} mistakes[] = {
	    {"ppo_discrete_e1", twice_the_value}, {"ppo_discrete_e1", another_eps},
	    {"ppo_discrete_e5", other_betas},     {"ppo_discrete_e1", raw_advantages},
	    {"ppo_box_e1", long_gradients},       {"ppo_box_e1", wrong_entropy},
	    {"ppo_box_e1", no_ratio_clip},        {"ppo_box_e1", other_lambda},
	    {"ppo_box_vfclip", free_values},
	};
	static golden_report report;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		run(mistakes[i].file, mistakes[i].change, &report);
		double largest = golden_worst(&report)->largest;
		ck_assert_msg(largest > golden_tolerance, "mistake %zu: off by %g alone", i, largest);
	}
}
END_TEST

START_TEST(a_file_that_is_none_is_refused)
{
	static golden_report report;
	static const char *const texts[] = {"{}", "[1]", "{\"kind\": \"box\", \"adam\": 3}", "{"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		weir_error error = {0};
		test_write_file(test_path("none.json"), texts[i]);
		ck_assert_int_ne(golden_run(test_path("none.json"), NULL, &report, &error), WEIR_OK);
		ck_assert_int_ne(error.message[0], '\0');
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rl/ppo, golden vectors");
	TCase *tests = tcase_create("golden");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, updates_are_the_same);
	tcase_add_test(tests, mistakes_are_seen);
	tcase_add_test(tests, a_file_that_is_none_is_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
