#include "workload/generator.h"

#include <math.h>

#include "support/test_support.h"
#include "support/workload_support.h"

static const weir_size_config uniform = {
    .kind = WEIR_SIZE_UNIFORM, .minimum = 1, .maximum = 1000000};

static weir_source *make(const weir_arrivals_config *arrivals_config, double rank_correlation,
                         weir_generator_limits limits, uint64_t seed)
{
	weir_error error = {0};
	weir_arrivals *arrivals = NULL;
	ck_assert_ok(weir_arrivals_create(arrivals_config, 1, &arrivals, &error), &error);
	const weir_sizes_config sizes_config = {.kind = WEIR_SIZES_DRAWN,
	                                        .prompt = uniform,
	                                        .output = uniform,
	                                        .rank_correlation = rank_correlation};
	weir_sizes *sizes = NULL;
	ck_assert_ok(weir_sizes_create(&sizes_config, NULL, &sizes, &error), &error);
	weir_source *source = NULL;
	ck_assert_ok(weir_generator_create(arrivals, sizes, &limits, seed, &source, &error), &error);
	return source;
}

static const weir_arrivals_config poisson = {.kind = WEIR_ARRIVALS_POISSON, .rate = 10};
static const weir_arrivals_config gamma_gaps = {.kind = WEIR_ARRIVALS_GAMMA, .rate = 10, .cv = 2};

START_TEST(limits_end_the_stream)
{
	weir_request request;
	weir_source *source = make(&poisson, 0, (weir_generator_limits){.count = 1000}, 1);
	for (int64_t i = 0; i < 1000; i++) {
		ck_assert_double_eq(weir_source_share_drawn(source), (double)i / 1000);
		ck_assert(test_draw(source, &request));
		ck_assert_int_eq(request.id, i);
		ck_assert_int_eq(request.application, 0);
		ck_assert_ptr_null(request.prefix_hashes);
	}
	ck_assert(!test_draw(source, &request));
	weir_source_destroy(source);

	const weir_arrivals_config constant = {.kind = WEIR_ARRIVALS_CONSTANT, .rate = 2};
	source = make(&constant, 0, (weir_generator_limits){.duration = 2}, 1);
	test_check_arrivals(source, (const double[]){0, 0.5, 1, 1.5}, 4);
	weir_source_destroy(source);
	source = make(&constant, 0, (weir_generator_limits){.duration = 2, .count = 3}, 1);
	ck_assert(test_draw(source, &request) && test_draw(source, &request));
	ck_assert_double_eq(weir_source_share_drawn(source), 2 / 3.0);
	weir_error error = {0};
	ck_assert_ok(weir_source_rewind(source, &error), &error);
	test_check_arrivals(source, (const double[]){0, 0.5, 1}, 3);
	weir_source_destroy(source);

	const weir_arrivals_config fading = {
	    .kind = WEIR_ARRIVALS_RAMP, .from = 10, .to = 0, .duration = 10, .cv = 1};
	source = make(&fading, 0, (weir_generator_limits){.count = 1000000}, 1);
	int count = 0;
	while (test_draw(source, &request)) {
		ck_assert(isfinite(request.arrival));
		count++;
	}
	ck_assert_int_gt(count, 10);
	ck_assert(!test_draw(source, &request));
	weir_source_destroy(source);
}
END_TEST

START_TEST(arrivals_and_sizes_have_streams_of_their_own)
{
	weir_generator_limits limits = {.count = 2000};
	weir_source *a = make(&poisson, 0, limits, 4);
	weir_source *b = make(&gamma_gaps, 0, limits, 4);
	weir_source *c = make(&poisson, 0.5, limits, 4);
	weir_source *d = make(&poisson, 0, limits, 5);
	weir_request ra;
	weir_request rb;
	weir_request rc;
	weir_request rd;
	int same_output = 0;
	int same_seeds = 0;
	while (test_draw(a, &ra)) {
		ck_assert(test_draw(b, &rb) && test_draw(c, &rc) && test_draw(d, &rd));
		ck_assert_double_ne(ra.arrival, rb.arrival);
		ck_assert_int_eq(ra.prompt_tokens, rb.prompt_tokens);
		ck_assert_int_eq(ra.output_tokens, rb.output_tokens);
		ck_assert_double_eq(ra.arrival, rc.arrival);
		ck_assert_int_eq(ra.prompt_tokens, rc.prompt_tokens);
		same_output += ra.output_tokens == rc.output_tokens;
		same_seeds += ra.arrival == rd.arrival || ra.prompt_tokens == rd.prompt_tokens;
	}
	ck_assert_int_lt(same_output, 5);
	ck_assert_int_lt(same_seeds, 5);
	weir_source_destroy(a);
	weir_source_destroy(b);
	weir_source_destroy(c);
	weir_source_destroy(d);
}
END_TEST

START_TEST(generators_are_saved_restored_and_rewound)
{
	double rates[] = {1, 40};
	double sojourns[] = {5, 1};
	weir_rate_point points[] = {{0, 2}, {20, 30}, {40, 0}, {50, 1}};
	const weir_arrivals_config configs[] = {
	    {.kind = WEIR_ARRIVALS_CONSTANT, .rate = 3},
	    poisson,
	    gamma_gaps,
	    {.kind = WEIR_ARRIVALS_WEIBULL, .rate = 10, .cv = 3},
	    {.kind = WEIR_ARRIVALS_MMPP, .rates = {2, rates}, .sojourns = {2, sojourns}},
	    {.kind = WEIR_ARRIVALS_PIECEWISE, .points = {4, points}, .period = 60, .cv = 1.5},
	    {.kind = WEIR_ARRIVALS_DIURNAL, .mean = 9, .amplitude = 1, .period = 30, .cv = 1},
	    {.kind = WEIR_ARRIVALS_RAMP, .from = 0, .to = 20, .duration = 30, .cv = 1},
	    {.kind = WEIR_ARRIVALS_FLASH_CROWD, .base = 2, .peak = 90, .start = 3, .hold = 9, .cv = 1},
	};
	for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
		weir_source *source = make(&configs[i], -0.4, (weir_generator_limits){.count = 3000}, 7);
		test_check_snapshots(source);
		weir_source_destroy(source);
	}
}
END_TEST

START_TEST(a_seed_gives_the_same_stream_on_every_machine)
{
	/* Golden: a change here changes every generated workload. */
	static const struct {
		int64_t id;
		double arrival;
		int64_t prompt, output;
	} golden[] = {
	    {0, 0.34631779432454729, 393366, 226983}, {1, 1.9614581062397793, 44503, 730739},
	    {2, 1.9948829441893787, 756080, 523183},  {3, 3.0496211450007324, 144496, 13507},
	    {4, 3.1423311423814342, 281695, 60454},   {999, 41.639057571117249, 455533, 424063},
	};
	weir_rate_point points[] = {{0, 2}, {20, 30}};
	const weir_arrivals_config config = {
	    .kind = WEIR_ARRIVALS_PIECEWISE, .points = {2, points}, .cv = 1.5};
	weir_source *source = make(&config, 0.3, (weir_generator_limits){.count = 1000}, 1);
	weir_request request;
	for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
		do {
			ck_assert(test_draw(source, &request));
		} while (request.id < golden[i].id);
		/* The mathematics library may differ in a last bit. */
		ck_assert_msg(fabs(request.arrival - golden[i].arrival) < 1e-12 * golden[i].arrival &&
		                  request.prompt_tokens == golden[i].prompt &&
		                  request.output_tokens == golden[i].output,
		              "{%lld, %.17g, %lld, %lld}", (long long)request.id, request.arrival,
		              (long long)request.prompt_tokens, (long long)request.output_tokens);
	}
	weir_source_destroy(source);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/generator");
	TCase *tests = tcase_create("generator");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, limits_end_the_stream);
	tcase_add_test(tests, arrivals_and_sizes_have_streams_of_their_own);
	tcase_add_test(tests, generators_are_saved_restored_and_rewound);
	tcase_add_test(tests, a_seed_gives_the_same_stream_on_every_machine);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
