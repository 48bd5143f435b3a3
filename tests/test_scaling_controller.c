/* The controller over a made-up manager: when policies tick, what they see and how late, and what
 * becomes of what they decide. */
#include "scaling/controller.h"

#include <math.h>
#include <string.h>

#include "scaling/policy_random.h"
#include "support/controller_fixture.h"
#include "support/lifecycle_support.h"

START_TEST(ticks_are_multiples_to_the_last_bit)
{
	loop *l = make_loop();
	l->policies[0].interval = 0.1;
	l->ticks_end = 99.95;
	start(l);
	arrive(l, 0, 50);
	ck_assert_uint_eq(weir_controller_background(l->controller), 1);
	run(l, 1000);
	ck_assert_uint_eq(l->probe.count, 1001);
	for (size_t n = 0; n <= 1000; n++) {
		const weir_view *view = &l->probe.views[n];
		ck_assert_double_eq(l->probe.clocks[n], (double)n * 0.1);
		ck_assert_double_eq(view->now, (double)n * 0.1);
		ck_assert_double_eq(view->interval, n > 0 ? (double)n * 0.1 - (double)(n - 1) * 0.1 : 0);
		/* An arrival at the instant of the tick comes before it. */
		ck_assert_double_eq(view->arrivals, n % 10 == 0 && n < 500);
		ck_assert_uint_eq(l->probe.ticks[n], 400 + n + 1);
	}
	ck_assert_uint_eq(weir_controller_background(l->controller), 0);
	destroy(l);
}
END_TEST

START_TEST(old_metrics_are_those_of_the_newest_scrape_that_is_old_enough)
{
	loop *l = make_loop();
	l->control = (weir_control_config){.scrape_interval = 2, .metric_lag = 3};
	l->policies[0].interval = 1.5;
	l->manager.servers_active = 3;
	l->manager.next_ready = 4;
	start(l);
	arrive(l, 0.5, 90);
	run(l, 60.25);
	l->manager.servers_active = 5;
	ck_assert_uint_eq(weir_controller_background(l->controller), 2);
	/* 60.25: after the tick at 60 s, between two. */
	set_active(l->cluster->serving, 1, false);
	run(l, 91);
	const probe *p = &l->probe;
	ck_assert_uint_eq(p->count, 59); /* at 3, 4.5, ... 90 */
	double before = 0;
	double last = 0;
	for (size_t n = 0; n < p->count; n++) {
		const weir_view *view = &p->views[n];
		double clock = 3 + 1.5 * (double)n;
		double scrape = 2 * floor((clock - 3) / 2);
		if (scrape > last) {
			before = last;
			last = scrape;
		}
		ck_assert_double_eq(p->clocks[n], clock);
		ck_assert_double_eq(view->now, scrape);
		ck_assert_double_eq(view->interval, scrape - before);
		ck_assert_double_eq(view->arrivals, scrape - before);
		const weir_view_pool *pool = &view->pools[WEIR_TAG_MIXED];
		ck_assert_uint_eq(pool->count[WEIR_INSTANCE_ACTIVE], clock > 60 ? 1 : 2);
		ck_assert_uint_eq(pool->count[WEIR_INSTANCE_DRAINING], clock > 60 ? 1 : 0);
		ck_assert_uint_eq(view->servers_active, clock > 60 ? 5 : 3);
		ck_assert(isinf(pool->next_ready)); /* none boots: the manager is not asked */
		/* What was paid is old as well: at 62 s there were 2 instances up to 60.25. */
		ck_assert_double_eq_tol(pool->paid_seconds[WEIR_INSTANCE_ACTIVE],
		                        2 * (fmin(scrape, 60.25) - fmin(before, 60.25)) +
		                            (fmax(scrape, 60.25) - fmax(before, 60.25)),
		                        1e-9);
	}
	destroy(l);
}
END_TEST

/* Multiples of 0.1 are rounded; 0.3 s ago is three ticks ago all the same. */
START_TEST(without_scrapes_the_lag_is_in_ticks)
{
	loop *l = make_loop();
	l->control.metric_lag = 0.3;
	l->policies[0].interval = 0.1;
	start(l);
	run(l, 200);
	ck_assert_uint_gt(l->probe.count, 1990);
	for (size_t n = 0; n < l->probe.count; n++) {
		ck_assert_double_eq(l->probe.clocks[n], (double)(n + 3) * 0.1);
		ck_assert_double_eq(l->probe.views[n].now, (double)n * 0.1);
	}
	destroy(l);
}
END_TEST

START_TEST(a_scrape_of_the_same_instant_is_seen_without_lag)
{
	loop *l = make_loop();
	l->control.scrape_interval = 0.5;
	start(l);
	run(l, 20);
	ck_assert_uint_eq(l->probe.count, 21);
	for (size_t n = 0; n < 21; n++) {
		ck_assert_double_eq(l->probe.views[n].now, (double)n);
		ck_assert_double_eq(l->probe.views[n].interval, n > 0);
	}
	destroy(l);
}
END_TEST

/* First 10, then 21 on their way: the ring grows while it is turned. */
START_TEST(late_decisions_are_applied_in_order)
{
	loop *l = make_loop();
	l->control.decision_delay = 20.25;
	l->probe.numbered = true;
	l->probe.sparse = 50;
	l->ticks_end = 89.5;
	start(l);
	run(l, 30);
	ck_assert_uint_eq(weir_controller_background(l->controller), 1); /* decisions do not count */
	run(l, 1000);
	ck_assert_uint_eq(l->manager.count, 25 + 41);
	for (size_t n = 0; n < l->manager.count; n++) {
		const call *c = &l->manager.calls[n];
		int64_t number = n < 25 ? 2 * (int64_t)n + 1 : (int64_t)n + 26;
		ck_assert_int_eq(c->what, 'r');
		ck_assert_str_eq(c->actor, "probe:mixed");
		ck_assert_int_eq(c->asked, number);
		ck_assert_double_eq(c->time, (double)(number - 1) + 20.25);
	}
	destroy(l);
}
END_TEST

static void expect_call(const loop *l, size_t i, char what, weir_tag tag, int64_t asked,
                        int64_t done, weir_refusal reason)
{
	ck_assert_uint_lt(i, l->manager.count);
	const call *c = &l->manager.calls[i];
	ck_assert_int_eq(c->what, what);
	ck_assert_int_eq((int)c->tag, (int)tag);
	ck_assert_int_eq(c->asked, asked);
	ck_assert_int_eq(c->done, done);
	ck_assert_int_eq((int)c->reason, (int)reason);
}

static loop *joint_loop(int64_t prompt, int64_t token)
{
	loop *l = make_loop();
	l->manager.pools = 7;
	l->manager.sizes[WEIR_TAG_PROMPT] = prompt;
	l->manager.sizes[WEIR_TAG_TOKEN] = token;
	l->manager.moves = 100;
	l->policies[0].type = &joint_probe_type;
	l->ticks_end = 0;
	return l;
}

START_TEST(migration_goes_first_and_sizes_are_those_after_it)
{
	loop *l = joint_loop(2, 8);
	l->manager.moves = 1; /* of 3 */
	l->probe.decision.migrate = 3;
	weir_decide_change(&l->probe.decision, WEIR_TAG_MIXED, 1, 2);
	weir_decide_size(&l->probe.decision, WEIR_TAG_TOKEN, 6);
	weir_decide_size(&l->probe.decision, WEIR_TAG_PROMPT, 5);
	start(l);
	run(l, 10);
	ck_assert_uint_eq(l->manager.count, 4);
	expect_call(l, 0, 'm', WEIR_TAG_PROMPT, 3, 1, WEIR_REFUSED_NONE);
	expect_call(l, 1, 'r', WEIR_TAG_PROMPT, 2, 2, WEIR_REFUSED_NONE);
	expect_call(l, 2, 'r', WEIR_TAG_TOKEN, -1, -1, WEIR_REFUSED_NONE);
	expect_call(l, 3, 'r', WEIR_TAG_MIXED, 2, 2, WEIR_REFUSED_NONE);
	ck_assert_int_eq(l->manager.calls[1].type, WEIR_ANY_TYPE);
	ck_assert_int_eq(l->manager.calls[3].type, 1);
	ck_assert_str_eq(l->manager.calls[0].actor, "joint");
	destroy(l);
}
END_TEST

START_TEST(cuts_are_noted)
{
	loop *l = joint_loop(4, 4);
	l->control.max_operations = 8;
	l->manager.operations = 3;
	l->scaling.prompt_token_ratio_max = 1.5;
	weir_decide_size(&l->probe.decision, WEIR_TAG_PROMPT, 7);
	weir_decide_change(&l->probe.decision, WEIR_TAG_MIXED, WEIR_ANY_TYPE, 4);
	start(l);
	run(l, 10);
	ck_assert_uint_eq(l->manager.count, 4);
	expect_call(l, 0, 'c', WEIR_TAG_PROMPT, 3, 2, WEIR_REFUSED_RATIO);
	expect_call(l, 1, 'r', WEIR_TAG_PROMPT, 2, 2, WEIR_REFUSED_NONE);
	expect_call(l, 2, 'c', WEIR_TAG_MIXED, 4, 2, WEIR_REFUSED_MAX_OPERATIONS);
	expect_call(l, 3, 'r', WEIR_TAG_MIXED, 2, 2, WEIR_REFUSED_NONE);
	destroy(l);

	/* Nothing is left of it: then it is not asked for. */
	l = joint_loop(6, 4);
	l->scaling.prompt_token_ratio_max = 1.5;
	l->probe.decision.migrate = 1;
	start(l);
	run(l, 10);
	ck_assert_uint_eq(l->manager.count, 1);
	expect_call(l, 0, 'c', WEIR_TAG_PROMPT, 1, 0, WEIR_REFUSED_RATIO);
	destroy(l);

	/* The other way: from prompt to token. */
	l = joint_loop(6, 4);
	l->scaling.prompt_token_ratio_max = 1.5;
	l->probe.decision.migrate = -2;
	start(l);
	run(l, 10);
	ck_assert_uint_eq(l->manager.count, 1);
	expect_call(l, 0, 'm', WEIR_TAG_TOKEN, 2, 2, WEIR_REFUSED_NONE);
	destroy(l);
}
END_TEST

/* What boots is cancelled, and what drains taken back: that needs no new operation. */
START_TEST(operations_that_end_others_are_free)
{
	for (int limit = 0; limit < 2; limit++) {
		loop *l = joint_loop(5, 5);
		l->control.max_operations = 4;
		l->manager.operations = 4;
		l->manager.undoable[WEIR_TAG_PROMPT].boots = 2 - 2 * limit;
		l->manager.undoable[WEIR_TAG_TOKEN].drains = 1 - limit;
		weir_decide_size(&l->probe.decision, WEIR_TAG_PROMPT, 3);
		weir_decide_size(&l->probe.decision, WEIR_TAG_TOKEN, 6);
		start(l);
		run(l, 10);
		ck_assert_uint_eq(l->manager.count, 2);
		if (limit) {
			expect_call(l, 0, 'c', WEIR_TAG_PROMPT, -2, 0, WEIR_REFUSED_MAX_OPERATIONS);
			expect_call(l, 1, 'c', WEIR_TAG_TOKEN, 1, 0, WEIR_REFUSED_MAX_OPERATIONS);
		} else {
			expect_call(l, 0, 'r', WEIR_TAG_PROMPT, -2, -2, WEIR_REFUSED_NONE);
			expect_call(l, 1, 'r', WEIR_TAG_TOKEN, 1, 1, WEIR_REFUSED_NONE);
		}
		destroy(l);
	}
}
END_TEST

START_TEST(a_policy_has_an_instance_for_each_pool_unless_it_is_joint)
{
	loop *l = make_loop();
	l->manager.pools = 1u << WEIR_TAG_PROMPT | 1u << WEIR_TAG_MIXED;
	l->policies[1] = (weir_controller_policy){.type = &joint_probe_type, .pool = -1, .interval = 4};
	l->policy_count = 2;
	l->seed = 77;
	start(l);
	run(l, 0);
	const probe *p = &l->probe;
	ck_assert_uint_eq(p->count, 3);
	ck_assert_uint_eq(p->contexts[0].tags, 1u << WEIR_TAG_PROMPT);
	ck_assert_uint_eq(p->contexts[1].tags, 1u << WEIR_TAG_MIXED);
	ck_assert_uint_eq(p->contexts[2].tags, l->manager.pools);
	ck_assert_uint_eq(p->ticks[0], 101);
	ck_assert_uint_eq(p->ticks[1], 401);
	ck_assert_double_eq(p->contexts[0].interval, 1);
	ck_assert_double_eq(p->contexts[2].interval, 4);
	ck_assert_uint_eq(p->contexts[2].seed, 77);
	ck_assert_double_eq(p->contexts[2].boot_delay[WEIR_TAG_MIXED], 20);
	ck_assert_int_eq(p->contexts[2].types[WEIR_TAG_TOKEN], -1);
	ck_assert_int_eq(p->contexts[2].types[WEIR_TAG_MIXED], 0);
	ck_assert_ptr_null(p->views[0].instances);
	ck_assert_uint_eq(p->views[2].instance_count, 2);
	run(l, 4);
	ck_assert_uint_eq(p->count, 3 + 4 * 2 + 1);
	destroy(l);

	/* A joint one may have a single pool, too. */
	l = joint_loop(1, 1);
	l->policies[0].pool = WEIR_TAG_TOKEN;
	weir_decide_change(&l->probe.decision, WEIR_TAG_PROMPT, WEIR_ANY_TYPE, 1);
	weir_decide_change(&l->probe.decision, WEIR_TAG_TOKEN, WEIR_ANY_TYPE, 1);
	start(l);
	run(l, 0);
	ck_assert_uint_eq(l->manager.count, 2);
	ck_assert_str_eq(l->manager.calls[0].actor, "joint:token");
	expect_call(l, 0, 'c', WEIR_TAG_PROMPT, 1, 0, WEIR_REFUSED_NO_POOL);
	expect_call(l, 1, 'r', WEIR_TAG_TOKEN, 1, 1, WEIR_REFUSED_NONE);
	destroy(l);
}
END_TEST

START_TEST(errors_name_the_policy)
{
	loop *l = make_loop();
	l->policies[1] = (weir_controller_policy){.type = &probe_type, .pool = WEIR_TAG_TOKEN};
	l->policy_count = 2;
	small_cluster_start(l->cluster);
	weir_error error;
	ck_assert_int_eq(start_around(l, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "policies[1].pool");
	ck_assert_str_eq(error.message, "the application small has no pool of token instances");
	weir_meter_destroy(l->meter);
	l->policies[1].pool = -1;
	l->policies[1].parameters = "of any kind";
	ck_assert_int_eq(start_around(l, &error), WEIR_ERROR_INPUT);
	ck_assert_str_eq(error.where, "policies[1].probe.target");
	ck_assert_str_eq(error.message, "must not be 7");
	ck_assert_ptr_null(l->controller);
	destroy(l);
}
END_TEST

static loop *noisy_loop(uint64_t seed)
{
	static const weir_random_config random = {.step = 3};
	loop *l = make_loop();
	l->control = (weir_control_config){
	    .scrape_interval = 2, .metric_lag = 3, .metric_noise = 0.2, .decision_delay = 7.5};
	l->seed = seed;
	l->policies[0].type = &joint_probe_type;
	l->policies[0].interval = 1.5;
	l->policies[1] = (weir_controller_policy){
	    .type = &weir_policy_random, .pool = -1, .interval = 1, .parameters = &random};
	l->policy_count = 2;
	l->probe.numbered = true;
	return l;
}

static bool same_quantiles(const weir_view_quantiles *a, const weir_view_quantiles *b)
{
	return (isnan(a->mean) && isnan(b->mean)) ||
	       (a->mean == b->mean && a->p50 == b->p50 && a->p90 == b->p90 && a->p99 == b->p99);
}

static bool same_view(const weir_view *a, const weir_view *b)
{
	return a->now == b->now && a->interval == b->interval && a->arrivals == b->arrivals &&
	       a->in_system == b->in_system && a->instance_count == b->instance_count &&
	       memcmp(a->pools, b->pools, sizeof a->pools) == 0 &&
	       a->latencies.count == b->latencies.count &&
	       same_quantiles(&a->latencies.ttft, &b->latencies.ttft) &&
	       same_quantiles(&a->latencies.tbt_slowdown, &b->latencies.tbt_slowdown);
}

/* Whether the two saw and did the same from view `from` and call `calls` of `a` on. */
static bool same_from(const loop *a, size_t from, size_t calls, const loop *b)
{
	ck_assert_uint_eq(a->probe.count - from, b->probe.count);
	bool same = a->manager.count - calls == b->manager.count;
	for (size_t n = 0; n < b->probe.count; n++) {
		same = same && same_view(&a->probe.views[from + n], &b->probe.views[n]);
		ck_assert_double_eq(a->probe.clocks[from + n], b->probe.clocks[n]);
	}
	for (size_t n = 0; same && n < b->manager.count; n++) {
		const call *left = &a->manager.calls[calls + n];
		const call *right = &b->manager.calls[n];
		same = left->time == right->time && left->asked == right->asked;
	}
	return same;
}

START_TEST(a_seed_gives_the_same_noise_again_and_another_not)
{
	loop *loops[3];
	for (int i = 0; i < 3; i++) {
		loops[i] = noisy_loop(i < 2 ? 5 : 6);
		start(loops[i]);
		arrive(loops[i], 0.5, 60);
		run(loops[i], 80);
	}
	ck_assert_uint_gt(loops[0]->manager.count, 100);
	ck_assert(same_from(loops[0], 0, 0, loops[1]));
	ck_assert(!same_from(loops[0], 0, 0, loops[2]));
	/* The same scrape seen twice has the same noise: at 4.5 and 3 s both see that of 0 s, and at
	 * 7.5 and 9 s that of 4 and 6 s. */
	const probe *p = &loops[0]->probe;
	ck_assert_double_eq(p->views[21].now, p->views[20].now);
	ck_assert_double_gt(p->views[21].arrivals, 0);
	ck_assert_double_eq(p->views[21].arrivals, p->views[20].arrivals);
	for (int i = 0; i < 3; i++) {
		destroy(loops[i]);
	}
}
END_TEST

START_TEST(a_copy_in_the_middle_goes_on_alike)
{
	loop *a = noisy_loop(5);
	start(a);
	arrive(a, 0.5, 100);
	run(a, 40.3);
	loop *b = noisy_loop(5);
	start(b);
	arrive(b, 0, 10);
	run(b, 20); /* so that it has a past of its own */
	b->probe.count = 0;
	b->manager.count = 0;
	b->cluster->row_count = b->told = 0;
	weir_error error;
	ck_assert_ok(weir_engine_copy(b->cluster->engine, a->cluster->engine), &error);
	ck_assert_ok(weir_serving_copy(b->cluster->serving, a->cluster->serving, &error), &error);
	ck_assert(weir_meter_copy(b->meter, a->meter));
	ck_assert(weir_controller_copy(b->controller, a->controller));
	free(b->cluster->arrivals);
	b->cluster->arrivals = weir_duplicate(a->cluster->arrivals, a->cluster->arrival_count,
	                                      sizeof *a->cluster->arrivals);
	memcpy(b->manager.sizes, a->manager.sizes, sizeof b->manager.sizes);
	size_t views = a->probe.count;
	size_t calls = a->manager.count;
	run(a, 130);
	run(b, 130);
	ck_assert_uint_gt(b->probe.count, 55);
	ck_assert_uint_gt(b->manager.count, 100);
	uint64_t completed = 0;
	for (size_t n = 0; n < b->probe.count; n++) {
		completed += b->probe.views[n].latencies.count;
	}
	ck_assert_uint_gt(completed, 50);
	ck_assert(same_from(a, views, calls, b));
	destroy(a);
	destroy(b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/controller");
	TCase *tests = tcase_create("controller");
	tcase_add_test(tests, ticks_are_multiples_to_the_last_bit);
	tcase_add_test(tests, old_metrics_are_those_of_the_newest_scrape_that_is_old_enough);
	tcase_add_test(tests, without_scrapes_the_lag_is_in_ticks);
	tcase_add_test(tests, a_scrape_of_the_same_instant_is_seen_without_lag);
	tcase_add_test(tests, late_decisions_are_applied_in_order);
	tcase_add_test(tests, migration_goes_first_and_sizes_are_those_after_it);
	tcase_add_test(tests, cuts_are_noted);
	tcase_add_test(tests, operations_that_end_others_are_free);
	tcase_add_test(tests, a_policy_has_an_instance_for_each_pool_unless_it_is_joint);
	tcase_add_test(tests, errors_name_the_policy);
	tcase_add_test(tests, a_seed_gives_the_same_noise_again_and_another_not);
	tcase_add_test(tests, a_copy_in_the_middle_goes_on_alike);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
