/* The fluid bound: weights by hand and against every iteration, stretches against every cut, and
 * below what fleets really cost. */
#include "study/fluid_bound.h"

#include <math.h>
#include <stdlib.h>

#include "run/simulate.h"
#include "support/run_support.h"
#include "support/test_support.h"

/* One dollar for an iteration, and one, five cents for every prompt token, token task. */
static double straight(void *context, int64_t prompt_tokens, int64_t token_tasks)
{
	(void)context;
	return 1.0 + 0.01 * (double)prompt_tokens + 0.05 * (double)token_tasks;
}

START_TEST(weights_by_hand)
{
	weir_fluid_iterations iterations = {
	    .price = straight, .most_tasks = 4, .most_tokens = 10, .largest_prompt = 10};
	weir_fluid_weights weights;
	/* Only prompts: the fullest batch, 10 tokens for 1.10. */
	ck_assert(weir_fluid_weights_find(&iterations, &(weir_fluid_weights){.prompt = 1}, &weights));
	ck_assert_double_eq_tol(weights.prompt, 0.11, 1e-12);
	/* A prompt of 20 alone: 20 tokens for 1.20. */
	iterations.largest_prompt = 20;
	ck_assert(weir_fluid_weights_find(&iterations, &(weir_fluid_weights){.prompt = 1}, &weights));
	ck_assert_double_eq_tol(weights.prompt, 0.06, 1e-12);
	/* Only token tasks: 4 of them for 1.20. */
	ck_assert(weir_fluid_weights_find(&iterations, &(weir_fluid_weights){.token = 1}, &weights));
	ck_assert_double_eq_tol(weights.token, 0.3, 1e-12);
	/* Only memory: the cheapest iteration, of one prompt token. */
	ck_assert(weir_fluid_weights_find(&iterations, &(weir_fluid_weights){.memory = 1}, &weights));
	ck_assert_double_eq_tol(weights.memory, 1.01, 1e-12);
	/* The tokens of a batch are limited before its tasks are: 3 for 1.15. */
	iterations.most_tokens = 3;
	ck_assert(weir_fluid_weights_find(&iterations, &(weir_fluid_weights){.token = 1}, &weights));
	ck_assert_double_eq_tol(weights.token, 1.15 / 3.0, 1e-12);
}
END_TEST

/* Prices without any order. */
static double rough(void *context, int64_t prompt_tokens, int64_t token_tasks)
{
	uint64_t x = *(const uint64_t *)context + (uint64_t)prompt_tokens * 1000003u +
	             (uint64_t)token_tasks * 7919u;
	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	double noise = (double)(x >> 11) * 0x1p-53;
	return (1.0 + 0.02 * (double)prompt_tokens + 0.1 * (double)token_tasks) * (0.3 + noise);
}

START_TEST(no_iteration_is_cheaper_than_its_weights)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		uint64_t context = seed * UINT64_C(0x9E3779B97F4A7C15);
		const weir_fluid_iterations iterations = {.context = &context,
		                                          .price = rough,
		                                          .most_tasks = 20,
		                                          .most_tokens = 70,
		                                          .largest_prompt = 90};
		const weir_fluid_weights demand = {
		    .prompt = 1.0 + (double)(seed % 5), .token = (double)(seed % 7), .memory = 3};
		weir_fluid_weights w;
		ck_assert(weir_fluid_weights_find(&iterations, &demand, &w));
		ck_assert(w.prompt >= 0 && w.token >= 0 && w.memory >= 0);
		ck_assert_double_gt(w.prompt + w.token + w.memory, 0.0);
		for (int64_t p = 0; p <= 90; p++) {
			for (int64_t t = 0; t <= 20; t++) {
				bool fits = p + t > 0 && t + (p > 0) <= 20 && (p + t <= 70 || t == 0);
				double least = w.prompt * (double)p + w.token * (double)t + w.memory;
				ck_assert(!fits || rough(&context, p, t) >= least - 1e-12);
			}
		}
	}
}
END_TEST

START_TEST(stretches_by_hand)
{
	double scratch[8];
	/* One stretch of all: 9. Cut after the first bin, which has its work only in the stretch's
	 * last but one: 1 + 9 as floor and rest. */
	ck_assert_double_eq(weir_fluid_stretches((const double[]){0, 9, 0}, 3, 1, 1, scratch), 10.0);
	/* A quiet end is worth its floor: work of bin 0 by the end of bin 1, then 2 bins. */
	ck_assert_double_eq(weir_fluid_stretches((const double[]){9, 0, 0, 0}, 4, 1, 1, scratch), 11.0);
	/* What need not be done before the end has no floor beside it. */
	ck_assert_double_eq(weir_fluid_stretches((const double[]){9, 0, 0, 0}, 4, 1, 4, scratch), 9.0);
	ck_assert_double_eq(weir_fluid_stretches((const double[]){0, 0, 0, 0}, 4, 1, 2, scratch), 4.0);
}
END_TEST

/* The bits of `cuts` say after which bins a stretch ends. */
static double worth_of_cuts(const double *work, size_t bins, double floor, size_t reach,
                            unsigned cuts)
{
	double total = 0;
	size_t start = 0;
	for (size_t end = 1; end <= bins; end++) {
		if (end < bins && !(cuts >> (end - 1) & 1u)) {
			continue;
		}
		double sum = 0;
		for (size_t b = start; b < end; b++) {
			sum += end == bins || end - b > reach ? work[b] : 0;
		}
		total += fmax(sum, floor * (double)(end - start));
		start = end;
	}
	return total;
}

START_TEST(stretches_of_every_cut)
{
	enum { BINS = 9 };
	uint64_t state = 1;
	double work[BINS], scratch[BINS + 1];
	for (int trial = 0; trial < 200; trial++) {
		for (size_t b = 0; b < BINS; b++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
			work[b] = (double)(state >> 60);
		}
		double floor = (double)(trial % 8);
		size_t reach = (size_t)trial % 5;
		double best = 0;
		for (unsigned cuts = 0; cuts < 1u << (BINS - 1); cuts++) {
			best = fmax(best, worth_of_cuts(work, BINS, floor, reach, cuts));
		}
		ck_assert_double_eq(weir_fluid_stretches(work, BINS, floor, reach, scratch), best);
	}
}
END_TEST

#define POISSON                                                                                    \
	"workload={\"count\": 1500, \"arrivals\": {\"kind\": \"poisson\", \"rate\": 6},"               \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\": \"lognormal\", \"median\": 40,"   \
	" \"sigma\": 1.0, \"maximum\": 900}}}"

static weir_fluid_bound bound_of(const weir_config *config, double attainment)
{
	weir_fluid_bound bound;
	weir_error error = {0};
	ck_assert_ok(weir_fluid_bound_compute(config, attainment, &bound, &error), &error);
	return bound;
}

START_TEST(below_every_static_fleet)
{
	static const char *const batching[] = {"instance.kind=splitwise", "instance.kind=chunked",
	                                       "instance.kind=orca"};
	for (int kind = 0; kind < 3; kind++) {
		double cheapest = INFINITY, highest = 0;
		for (int servers = 1; servers <= 8; servers++) {
			char fleet[40];
			snprintf(fleet, sizeof fleet, "servers=dgx-a100:%d", servers);
			const weir_config *config =
			    test_config(TEST_PARITY_CONFIG, POISSON, fleet, "scheduler.kind=token_jsq",
			                batching[kind], "instance.max_batch_tokens=600", NULL);
			weir_simulate_options options = weir_simulate_options_default();
			weir_simulate_result run;
			weir_error error = {0};
			ck_assert_ok(weir_simulate(config, &options, &run, &error), &error);
			const weir_totals *totals = &run.summary.totals;
			weir_fluid_bound bound = bound_of(config, totals->attainment);
			ck_assert_uint_eq(bound.requests, 1500);
			ck_assert_double_le(bound.cost_usd, totals->cost_usd);
			cheapest = totals->attainment > 0.99 ? fmin(cheapest, totals->cost_usd) : cheapest;
			highest = fmax(highest, bound.cost_usd);
			weir_config_destroy(config);
		}
		/* It says something: a tenth of what the cheapest fleet that serves costs. */
		ck_assert(isfinite(cheapest));
		ck_assert_double_gt(highest, cheapest / 10.0);
	}
}
END_TEST

START_TEST(attainment_and_floor)
{
	const weir_config *config =
	    test_config(TEST_PARITY_CONFIG, POISSON, "servers=dgx-a100:3",
	                "scaling.min_instances_per_pool=2", "workload.arrivals.rate=15", NULL);
	weir_fluid_bound all = bound_of(config, 1.0);
	weir_fluid_bound most = bound_of(config, 0.9);
	weir_fluid_bound none = bound_of(config, 0.0);
	/* Added up in another order. */
	ck_assert_double_ge(all.cost_usd, all.work_usd * (1.0 - 1e-12));
	ck_assert_double_gt(all.cost_usd, most.cost_usd);
	ck_assert_double_gt(most.cost_usd, none.cost_usd);
	/* Nothing served: two instances until the last arrival. */
	weir_simulate_options options = weir_simulate_options_default();
	weir_simulate_result run;
	weir_error error = {0};
	ck_assert_ok(weir_simulate(config, &options, &run, &error), &error);
	double per_s = run.summary.totals.cost_usd / run.summary.totals.end_time / 3.0;
	ck_assert_double_eq_tol(none.cost_usd, 2.0 * per_s * run.summary.totals.last_arrival, 1e-9);
	weir_config_destroy(config);
	/* A fleet below the minimum need not grow to it. */
	config = test_config(TEST_PARITY_CONFIG, POISSON, "servers=dgx-a100:1",
	                     "workload.arrivals.rate=15", "scaling.min_instances_per_pool=2", NULL);
	ck_assert_double_eq_tol(bound_of(config, 0.0).cost_usd, per_s * run.summary.totals.last_arrival,
	                        1e-9);
	weir_config_destroy(config);
	/* Crashes may take the least fleet away. */
	config = test_config(TEST_PARITY_CONFIG, POISSON, "servers=dgx-a100:3",
	                     "faults.instance_mtbf=1000", NULL);
	ck_assert_double_eq_tol(bound_of(config, 0.0).cost_usd, 0.0, 1e-9);
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fluid_bound");
	TCase *tests = tcase_create("fluid_bound");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, weights_by_hand);
	tcase_add_test(tests, no_iteration_is_cheaper_than_its_weights);
	tcase_add_test(tests, stretches_by_hand);
	tcase_add_test(tests, stretches_of_every_cut);
	tcase_add_test(tests, below_every_static_fleet);
	tcase_add_test(tests, attainment_and_floor);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
