/* Slowdowns and service-level objectives, worked out by hand. */
#include "metrics/slo.h"

#include <math.h>

#include "support/small_cluster.h"
#include "support/test_support.h"

/* Alone, a prompt of 400 tokens takes 0.5 s; a token takes 0.05 s on the curve at 400 tokens and
 * 0.0101 s at one. */
static const small_time curves = {
    .base = {&small_time_type},
    .speed = {.prompt_s = 0.1, .prompt_token_s = 0.001, .token_s = 0.01, .token_task_s = 0.0001}};

static const weir_slo_config splitwise = {.baseline = WEIR_BASELINE_SPLITWISE,
                                          .per_request = {.ttft = 6, .tbt = 5, .e2e = 5}};
static const weir_slo_config unloaded = {.baseline = WEIR_BASELINE_UNLOADED,
                                         .per_request = {.ttft = 6, .tbt = 5, .e2e = 5}};

static const weir_slo_reference references[] = {
    {.time = &curves.base, .by_batch_tokens = true},
    {.time = &curves.base, .by_batch_tokens = false},
};

static weir_slo slo_of(const weir_slo_config *config)
{
	return (weir_slo){.config = config, .references = references, .reference_count = 2};
}

static const weir_slo_request request = {
    .prompt_tokens = 400, .output_tokens = 11, .ttft = 1.5, .e2e = 3.7};

static const double tolerance = 1e-12;

START_TEST(splitwise_reads_the_token_curve_at_the_prompt)
{
	weir_slo slo = slo_of(&splitwise);
	weir_slowdowns alone = weir_slo_unloaded(&slo, &request);
	ck_assert_double_eq_tol(alone.ttft, 0.5, tolerance);
	ck_assert_double_eq_tol(alone.tbt, 0.05, tolerance);
	ck_assert_double_eq_tol(alone.e2e, 0.5 + 10 * 0.05, tolerance);
	weir_slowdowns slowdowns = weir_slo_slowdowns(&slo, &request);
	ck_assert_double_eq_tol(slowdowns.ttft, 3.0, tolerance);
	ck_assert_double_eq_tol(slowdowns.tbt, (2.2 / 11) / 0.05, tolerance);
	ck_assert_double_eq_tol(slowdowns.e2e, 3.7, tolerance);
	ck_assert(weir_slo_met(&slo, &slowdowns));
}
END_TEST

START_TEST(unloaded_reads_the_token_curve_at_one_token)
{
	weir_slo slo = slo_of(&unloaded);
	weir_slowdowns alone = weir_slo_unloaded(&slo, &request);
	ck_assert_double_eq_tol(alone.ttft, 0.5, tolerance);
	ck_assert_double_eq_tol(alone.tbt, 0.0101, tolerance);
	ck_assert_double_eq_tol(alone.e2e, 0.601, tolerance);
	weir_slowdowns slowdowns = weir_slo_slowdowns(&slo, &request);
	ck_assert_double_eq_tol(slowdowns.ttft, 3.0, tolerance);
	ck_assert_double_eq_tol(slowdowns.tbt, (2.2 / 10) / 0.0101, tolerance);
	ck_assert_double_eq_tol(slowdowns.e2e, 3.7 / 0.601, tolerance);
	ck_assert(!weir_slo_met(&slo, &slowdowns));
}
END_TEST

START_TEST(a_model_of_the_context_is_asked_for_one_token_behind_the_prompt)
{
	weir_slo slo = slo_of(&splitwise);
	weir_slo_request other = request;
	other.application = 1;
	ck_assert_double_eq_tol(weir_slo_unloaded(&slo, &other).tbt, 0.0101, tolerance);
	/* The form of the measured TBT is still the baseline's. */
	ck_assert_double_eq_tol(weir_slo_slowdowns(&slo, &other).tbt, (2.2 / 11) / 0.0101, tolerance);
}
END_TEST

START_TEST(one_output_token_has_no_tbt)
{
	weir_slo_request one = {.prompt_tokens = 400, .output_tokens = 1, .ttft = 2.5, .e2e = 2.5};
	const weir_slo_config *const configs[] = {&splitwise, &unloaded};
	for (int i = 0; i < 2; i++) {
		weir_slo slo = slo_of(configs[i]);
		ck_assert_double_eq_tol(weir_slo_unloaded(&slo, &one).e2e, 0.5, tolerance);
		weir_slowdowns slowdowns = weir_slo_slowdowns(&slo, &one);
		ck_assert_double_nan(slowdowns.tbt);
		ck_assert_double_eq_tol(slowdowns.e2e, 5.0, tolerance);
		slowdowns.e2e = 5.0;
		ck_assert(weir_slo_met(&slo, &slowdowns));
		slowdowns.ttft = 6.001;
		ck_assert(!weir_slo_met(&slo, &slowdowns));
	}
}
END_TEST

START_TEST(a_limit_reached_is_kept_and_every_limit_counts)
{
	weir_slo slo = slo_of(&splitwise);
	ck_assert(weir_slo_met(&slo, &(weir_slowdowns){6, 5, 5}));
	ck_assert(!weir_slo_met(&slo, &(weir_slowdowns){6.000001, 5, 5}));
	ck_assert(!weir_slo_met(&slo, &(weir_slowdowns){6, 5.000001, 5}));
	ck_assert(!weir_slo_met(&slo, &(weir_slowdowns){6, 5, 5.000001}));
}
END_TEST

/* Limits of the request: TTFT 3 s, E2E 5 s, and 5 * 0.05 s * 11 = 2.75 s after the first token. */
START_TEST(an_unfinished_request_is_overdue_past_any_limit)
{
	weir_slo slo = slo_of(&splitwise);
	weir_slo_request waiting = request;
	waiting.e2e = NAN;
	waiting.ttft = NAN;
	ck_assert(!weir_slo_overdue(&slo, &waiting, 0.0));
	ck_assert(!weir_slo_overdue(&slo, &waiting, 2.99));
	ck_assert(weir_slo_overdue(&slo, &waiting, 3.01));
	waiting.ttft = 2.9;
	ck_assert(!weir_slo_overdue(&slo, &waiting, 4.99));
	ck_assert(weir_slo_overdue(&slo, &waiting, 5.01));
	waiting.ttft = 3.01;
	ck_assert(weir_slo_overdue(&slo, &waiting, 3.02));
	/* However fast the rest comes, the mean of the tokens that came so slowly is past its limit. */
	waiting.ttft = 0.5;
	ck_assert(!weir_slo_overdue(&slo, &waiting, 0.5 + 2.74));
	ck_assert(weir_slo_overdue(&slo, &waiting, 0.5 + 2.76));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/slo");
	TCase *tests = tcase_create("slo");
	tcase_add_test(tests, splitwise_reads_the_token_curve_at_the_prompt);
	tcase_add_test(tests, unloaded_reads_the_token_curve_at_one_token);
	tcase_add_test(tests, a_model_of_the_context_is_asked_for_one_token_behind_the_prompt);
	tcase_add_test(tests, one_output_token_has_no_tbt);
	tcase_add_test(tests, a_limit_reached_is_kept_and_every_limit_counts);
	tcase_add_test(tests, an_unfinished_request_is_overdue_past_any_limit);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
