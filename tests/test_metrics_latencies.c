/* Latencies of completions, worked out by hand. */
#include "metrics/latencies.h"

#include <math.h>

#include "support/test_support.h"

static weir_completion completion(uint32_t application, double ttft, double tbt, bool met)
{
	return (weir_completion){
	    .ttft = ttft,
	    .tbt = tbt,
	    .ttft_slowdown = 2 * ttft,
	    .tbt_slowdown = 4 * tbt,
	    .application = application,
	    .met = met,
	    .ttft_broken = !met,
	    .tbt_broken = tbt > 0.25,
	};
}

/* Those of others do not count, nor does the time between tokens of a request of one. */
START_TEST(of_one_application)
{
	const weir_completion completions[] = {
	    completion(1, 3, 0.5, true), completion(0, 100, 100, false), completion(1, 1, NAN, true),
	    completion(1, 2, 0.25, false), completion(0, 50, 50, true)};
	double scratch[10];
	weir_view_latencies latencies = {.ttft = {7, 7, 7, 7}};
	weir_latencies_of(completions, 5, 1, false, scratch, &latencies);
	ck_assert_uint_eq(latencies.count, 3);
	ck_assert_uint_eq(latencies.slo_met, 2);
	ck_assert_uint_eq(latencies.ttft_broken, 1);
	ck_assert_uint_eq(latencies.tbt_broken, 1);
	ck_assert_double_eq(latencies.ttft_slowdown.mean, 4);
	ck_assert_double_eq(latencies.ttft_slowdown.p50, 4);
	ck_assert_double_eq(latencies.tbt_slowdown.mean, 1.5);
	ck_assert_double_eq(latencies.tbt_slowdown.p50, 1.5);
	ck_assert_double_eq(latencies.ttft.p50, 7); /* not asked for */
	weir_latencies_of(completions, 5, 1, true, scratch, &latencies);
	ck_assert_double_eq(latencies.ttft.p50, 2);
	ck_assert_double_eq(latencies.ttft.mean, 2);
	ck_assert_double_eq(latencies.tbt.p50, 0.375);
	weir_latencies_of(completions, 5, 2, true, scratch, &latencies);
	ck_assert(isnan(latencies.ttft.p50) && isnan(latencies.tbt_slowdown.p99));
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
