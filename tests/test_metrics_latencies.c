/* Latencies of completions, worked out by hand. */
#include "metrics/latencies.h"

#include <math.h>

#include "support/small_cluster.h"
#include "support/test_support.h"

/* Alone, a prompt of 100 tokens takes 0.5 s and a token 0.125 s. */
static const small_time alone = {
    .base = {&small_time_type},
    .speed = {.prompt_s = 0.25, .prompt_token_s = 0.0025, .token_s = 0.125}};
static const weir_slo_reference references[] = {{.time = &alone.base}, {.time = &alone.base}};
static const weir_slo_config limits = {.baseline = WEIR_BASELINE_UNLOADED,
                                       .per_request = {.ttft = 6, .tbt = 3, .e2e = 100}};
static const weir_slo slo = {.config = &limits, .references = references, .reference_count = 2};

static weir_completion completion(uint32_t application, double ttft, double tbt, int tokens)
{
	return (weir_completion){
	    .ttft = ttft,
	    .tbt = tokens > 1 ? tbt : (double)NAN,
	    .e2e = ttft + (tokens - 1) * tbt,
	    .application = application,
	    .prompt_tokens = 100,
	    .output_tokens = tokens,
	};
}

/* Those of others do not count, nor does the time between tokens of a request of one. */
START_TEST(of_one_application)
{
	const weir_completion completions[] = {completion(1, 4, 0.5, 5), completion(0, 100, 100, 5),
	                                       completion(1, 1, 0, 1), completion(1, 2.5, 0.25, 9),
	                                       completion(0, 50, 50, 2)};
	double scratch[10];
	weir_view_latencies latencies = {.ttft = {7, 7, 7, 7}};
	weir_unloaded *unloaded = weir_unloaded_create(&slo);
	ck_assert_ptr_nonnull(unloaded);
	weir_latencies_of(&slo, unloaded, completions, 5, 1, false, scratch, &latencies);
	ck_assert_uint_eq(latencies.count, 3);
	ck_assert_uint_eq(latencies.slo_met, 2);
	ck_assert_uint_eq(latencies.ttft_broken, 1);
	ck_assert_uint_eq(latencies.tbt_broken, 1);
	ck_assert_double_eq(latencies.ttft_slowdown.mean, 5);
	ck_assert_double_eq(latencies.ttft_slowdown.p50, 5);
	ck_assert_double_eq(latencies.tbt_slowdown.mean, 3);
	ck_assert_double_eq(latencies.tbt_slowdown.p50, 3);
	ck_assert_double_eq(latencies.ttft.p50, 7); /* not asked for */
	weir_latencies_of(&slo, unloaded, completions, 5, 1, true, scratch, &latencies);
	ck_assert_double_eq(latencies.ttft.p50, 2.5);
	ck_assert_double_eq(latencies.ttft.mean, 2.5);
	ck_assert_double_eq(latencies.tbt.p50, 0.375);
	weir_latencies_of(&slo, unloaded, completions, 5, 0, false, scratch, &latencies);
	ck_assert_double_eq(latencies.ttft_slowdown.p50, 150);
	weir_unloaded_destroy(unloaded);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics/latencies");
	TCase *tests = tcase_create("latencies");
	tcase_add_test(tests, of_one_application);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
