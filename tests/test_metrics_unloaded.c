/* Unloaded times that are kept, against those that are worked out. */
#include "metrics/unloaded.h"

#include <math.h>

#include "support/small_cluster.h"
#include "support/test_support.h"

static const small_time times[] = {
    {.base = {&small_time_type},
     .speed = {.prompt_s = 0.25, .prompt_token_s = 0.0025, .token_s = 0.125}},
    {.base = {&small_time_type},
     .speed = {.prompt_s = 0.5, .prompt_token_s = 0.0075, .token_s = 0.5, .token_task_s = 0.01}},
};
static const weir_slo_reference references[] = {{.time = &times[0].base, .by_batch_tokens = true},
                                                {.time = &times[1].base, .by_batch_tokens = true}};
static const weir_slo_config limits = {.baseline = WEIR_BASELINE_SPLITWISE,
                                       .per_request = {.ttft = 6, .tbt = 5, .e2e = 5}};
static const weir_slo slo = {.config = &limits, .references = references, .reference_count = 2};

static void expect(weir_unloaded *unloaded, uint32_t application, int64_t prompt_tokens)
{
	const weir_slo_request request = {
	    .application = application, .prompt_tokens = prompt_tokens, .output_tokens = 9};
	weir_slowdowns expected = weir_slo_unloaded(&slo, &request);
	weir_slowdowns found = weir_unloaded_of(unloaded, application, prompt_tokens);
	ck_assert_double_eq(found.ttft, expected.ttft);
	ck_assert_double_eq(found.tbt, expected.tbt);
	ck_assert(isnan(found.e2e));
}

/* Also where two prompts, or two applications, want the same place. */
START_TEST(kept_times_are_those_worked_out)
{
	weir_unloaded *unloaded = weir_unloaded_create(&slo);
	ck_assert_ptr_nonnull(unloaded);
	static const int64_t prompts[] = {1, 100, 4096, 4196, 8192, 100, 1000000000, 4196, 100};
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++) {
			expect(unloaded, 0, prompts[i]);
			expect(unloaded, 0, prompts[i]);
			expect(unloaded, 1, prompts[i]);
		}
	}
	weir_unloaded_destroy(unloaded);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/unloaded");
	TCase *tests = tcase_create("unloaded");
	tcase_add_test(tests, kept_times_are_those_worked_out);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
