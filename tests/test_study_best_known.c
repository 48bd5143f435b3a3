/* The best known schedule: never dearer than the policies it begins with, the same every time, and
 * a policy's schedule replayed is the policy's run. */
#include "study/best_known.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/fluid_bound.h"
#include "study/schedule_demand.h"
#include "study/schedule_run.h"
#include "support/run_support.h"
#include "support/test_support.h"

#define CLUSTER WEIR_CONFIG_DIRECTORY "/scenarios/base/cluster.json"
#define WORKLOAD                                                                                   \
	"workload={\"duration\": 400, \"arrivals\": {\"kind\": \"flash_crowd\", \"base\": 4,"          \
	" \"peak\": 14, \"start\": 150, \"rise\": 10, \"hold\": 80, \"fall\": 20},"                    \
	" \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\", \"median\": 900,"     \
	" \"sigma\": 0.7, \"maximum\": 4000}, \"output\": {\"kind\": \"lognormal\", \"median\": 60,"   \
	" \"sigma\": 0.8, \"maximum\": 500}}}"

enum { POLICIES = 3, BUDGET = 16 };

static const weir_config *load(const char *policy)
{
	char set[200];
	snprintf(set, sizeof set, "policies=%s", policy);
	return test_config(CLUSTER, WORKLOAD, "servers=dgx-a100:10", "pools=prompt:7,token:3", "seed=7",
	                   set, NULL);
}

typedef struct study {
	const weir_config *config;
	const weir_config *of_policies[POLICIES];
	weir_known_policy policies[POLICIES];
	weir_best_known_options options;
} study;

static void make_study(study *s)
{
	static const char *const kinds[POLICIES] = {"hpa", "reactive", "static"};
	s->config = load("never");
	for (int i = 0; i < POLICIES; i++) {
		s->of_policies[i] = load(kinds[i]);
		s->policies[i] = (weir_known_policy){.config = s->of_policies[i]};
	}
	s->options = weir_best_known_options_default();
	s->options.policies = s->policies;
	s->options.policy_count = POLICIES;
	s->options.budget = BUDGET;
}

static void end_study(study *s)
{
	weir_config_destroy(s->config);
	for (int i = 0; i < POLICIES; i++) {
		weir_config_destroy(s->of_policies[i]);
	}
}

static weir_best_known *search(const study *s)
{
	weir_best_known *known = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_best_known_search(s->config, &s->options, &known, &error), &error);
	return known;
}

static const weir_totals *totals_of(const weir_best_known *known, size_t run)
{
	return &weir_best_known_result(known, run)->summary.totals;
}

START_TEST(never_dearer_than_its_seeds)
{
	study s;
	make_study(&s);
	weir_best_known *known = search(&s);
	ck_assert_uint_eq(weir_best_known_count(known), POLICIES + BUDGET);
	for (size_t i = 0; i < POLICIES; i++) {
		const weir_totals *own = totals_of(known, i);
		const weir_totals *best = totals_of(known, weir_best_known_at(known, own->attainment));
		ck_assert_double_ge(best->attainment, own->attainment);
		ck_assert_double_le(best->cost_usd, own->cost_usd);
		ck_assert_double_eq(weir_best_known_regret(known, i), own->cost_usd - best->cost_usd);
		weir_fluid_bound bound;
		weir_error error = {0};
		ck_assert_ok(weir_fluid_bound_compute(s.config, own->attainment, &bound, &error), &error);
		ck_assert_double_le(bound.cost_usd, best->cost_usd);
	}
	/* No run of the archive is better than the one that is said to be. */
	size_t best = weir_best_known_at(known, 0.99);
	const weir_totals *at = totals_of(known, best);
	ck_assert_double_ge(at->attainment, 0.99);
	for (size_t i = 0; i < POLICIES + BUDGET; i++) {
		const weir_totals *run = totals_of(known, i);
		ck_assert(run->attainment < 0.99 || run->cost_usd >= at->cost_usd);
		ck_assert(run->attainment <= totals_of(known, weir_best_known_at(known, 2.0))->attainment);
	}
	/* It was found, not given: the start fleet serves a flash crowd badly, or costs more. */
	ck_assert_uint_ge(best, POLICIES + 1);
	weir_best_known_destroy(known);
	end_study(&s);
}
END_TEST

/* Runs a schedule of the archive by itself, as the `schedule` policy. */
static weir_simulate_result replay(const study *s, const weir_best_known *known, size_t run)
{
	weir_schedule_config schedule;
	ck_assert(weir_best_known_schedule(known, run, 0, &schedule));
	const weir_controller_policy policy = {
	    .type = &weir_policy_schedule, .parameters = &schedule, .pool = -1};
	weir_simulate_options options = weir_simulate_options_default();
	options.policies = &policy;
	options.policy_count = 1;
	weir_simulate_result result;
	weir_error error = {0};
	ck_assert_ok(weir_simulate(s->config, &options, &result, &error), &error);
	weir_best_known_schedule_release(&schedule);
	return result;
}

static void check_same(const weir_simulate_result *a, const weir_simulate_result *b)
{
	const weir_totals *x = &a->summary.totals;
	const weir_totals *y = &b->summary.totals;
	ck_assert_double_eq(x->cost_usd, y->cost_usd);
	ck_assert_double_eq(x->attainment, y->attainment);
	ck_assert_double_eq(x->end_time, y->end_time);
	ck_assert_double_eq(x->booting_hours, y->booting_hours);
	ck_assert_double_eq(x->draining_hours, y->draining_hours);
	ck_assert_double_eq(x->scale_operations, y->scale_operations);
	ck_assert_double_eq(x->energy_kwh, y->energy_kwh);
	ck_assert_double_eq(a->summary.metrics[WEIR_SUMMARY_TTFT].mean,
	                    b->summary.metrics[WEIR_SUMMARY_TTFT].mean);
	ck_assert_uint_eq(a->counters.iterations, b->counters.iterations);
}

START_TEST(replayed_schedules_are_the_same_runs)
{
	study s;
	make_study(&s);
	s.options.budget = 8;
	weir_best_known *known = search(&s);
	ck_assert_double_gt(totals_of(known, 0)->scale_operations, 0.0);
	for (size_t i = 0; i < weir_best_known_count(known); i++) {
		weir_simulate_result again = replay(&s, known, i);
		check_same(weir_best_known_result(known, i), &again);
	}
	weir_best_known_destroy(known);
	end_study(&s);
}
END_TEST

/* What a run measures over time adds up to its totals. */
START_TEST(steps_add_up)
{
	study s;
	make_study(&s);
	double last = 0;
	schedule_grid grid;
	schedule_run run;
	const schedule_progress progress = {0};
	weir_error error = {0};
	ck_assert_ok(schedule_last_arrival(s.config, &last, &error), &error);
	ck_assert_ok(schedule_grid_make(s.config, last, &grid, &error), &error);
	ck_assert_ok(schedule_run_policy(&s.policies[0], &grid, &progress, &run, &error), &error);
	double usd = 0, broken = 0;
	for (size_t i = 0; i < grid.applications * grid.steps; i++) {
		usd += run.usd[i];
		broken += run.broken[i];
	}
	const weir_totals *totals = &run.result.summary.totals;
	ck_assert_double_eq(totals->last_arrival, last);
	ck_assert_double_eq_tol(usd, totals->cost_usd, 1e-9 * totals->cost_usd);
	ck_assert_double_gt(broken, 0.0);
	ck_assert_double_eq_tol(1.0 - broken / totals->arrived, totals->attainment, 1e-12);
	/* Prompt pool from the start fleet on; there is no mixed pool. */
	ck_assert_int_gt(run.sizes[0], 0);
	ck_assert_int_eq(run.sizes[WEIR_TAG_MIXED * grid.steps], -1);
	schedule_run_release(&run);
	schedule_grid_release(&grid);
	end_study(&s);
}
END_TEST

START_TEST(the_same_every_time)
{
	study s;
	make_study(&s);
	weir_best_known *one = search(&s);
	weir_best_known *two = search(&s);
	for (size_t i = 0; i < weir_best_known_count(one); i++) {
		ck_assert_int_eq(memcmp(totals_of(one, i), totals_of(two, i), sizeof(weir_totals)), 0);
	}
	weir_best_known_destroy(two);
	weir_best_known_destroy(one);
	end_study(&s);
}
END_TEST

static bool stop_in_the_third(void *context, size_t done, size_t total)
{
	*(size_t *)context = total;
	return done < 2;
}

START_TEST(progress_can_stop_it)
{
	study s;
	make_study(&s);
	size_t total = 0;
	s.options.progress = stop_in_the_third;
	s.options.context = &total;
	weir_best_known *known = NULL;
	weir_error error = {0};
	ck_assert_int_eq(weir_best_known_search(s.config, &s.options, &known, &error),
	                 WEIR_ERROR_INTERRUPTED);
	ck_assert_ptr_null(known);
	ck_assert_uint_eq(total, POLICIES + BUDGET);
	end_study(&s);
}
END_TEST

START_TEST(without_policies_and_in_one_pool)
{
	const weir_config *config = test_config(CLUSTER, WORKLOAD, "servers=dgx-a100:10",
	                                        "pools=single", "scheduler.kind=token_jsq", NULL);
	weir_best_known_options options = weir_best_known_options_default();
	options.budget = 12;
	weir_best_known *known = NULL;
	weir_error error = {0};
	ck_assert_ok(weir_best_known_search(config, &options, &known, &error), &error);
	const weir_totals *start = totals_of(known, 0);
	const weir_totals *best = totals_of(known, weir_best_known_at(known, 0.99));
	ck_assert_double_eq(start->scale_operations, 0.0);
	ck_assert(best->attainment >= 0.99);
	ck_assert(start->attainment < 0.99 || best->cost_usd < start->cost_usd);
	weir_best_known_destroy(known);
	weir_config_destroy(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("best_known");
	TCase *tests = tcase_create("best_known");
	tcase_set_timeout(tests, 240);
	tcase_add_test(tests, never_dearer_than_its_seeds);
	tcase_add_test(tests, replayed_schedules_are_the_same_runs);
	tcase_add_test(tests, steps_add_up);
	tcase_add_test(tests, the_same_every_time);
	tcase_add_test(tests, progress_can_stop_it);
	tcase_add_test(tests, without_policies_and_in_one_pool);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
