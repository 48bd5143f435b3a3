/* Two thresholds, one action at a time (SageServe, arXiv 2502.14617: utilisation above 0.5 one
 * more, below 0.25 one less). */
#include "scaling/policy_reactive.h"

#include "support/pool_views.h"
#include "support/test_support.h"

static const pool_setting token = {.tag = WEIR_TAG_TOKEN, .interval = 15, .boot_delay = 120};

static void open_bench(pool_bench *bench, const char *json)
{
	ck_assert_ok(pool_bench_open(bench, &weir_policy_reactive, &weir_reactive_keys, json, token),
	             &bench->error);
	bench->pool->count[WEIR_INSTANCE_ACTIVE] = 4;
}

static int64_t change_of(const weir_decision *decision)
{
	if (decision->count == 0) {
		return 0;
	}
	ck_assert(!decision->changes[0].absolute);
	ck_assert_int_ne(decision->changes[0].amount, 0);
	return decision->changes[0].amount;
}

static int64_t change_at(pool_bench *bench, double now)
{
	weir_decision decision = pool_bench_tick(bench, now);
	return change_of(&decision);
}

START_TEST(thresholds_are_strict)
{
	pool_bench bench;
	open_bench(&bench, "{}");
	const struct {
		double load;
		int64_t change;
	} rows[] = {{0, -1}, {0.249, -1}, {0.25, 0}, {0.4, 0}, {0.5, 0}, {0.501, 1}, {1, 1}};
	double now = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench.pool->load_kv = rows[i].load;
		ck_assert_int_eq(change_at(&bench, now += 15), rows[i].change);
	}
	pool_bench_close(&bench);
}
END_TEST

START_TEST(one_action_at_a_time)
{
	pool_bench bench;
	open_bench(&bench, "{}");
	const double loads[] = {0.9, 0.1};
	for (int i = 0; i < 2; i++) {
		bench.pool->load_kv = loads[i];
		bench.pool->count[WEIR_INSTANCE_SCALING_UP] = 1;
		ck_assert_int_eq(change_at(&bench, 100 * i + 15), 0);
		bench.pool->count[WEIR_INSTANCE_SCALING_UP] = 0;
		bench.pool->count[WEIR_INSTANCE_DRAINING] = 1;
		ck_assert_int_eq(change_at(&bench, 100 * i + 30), 0);
		bench.pool->count[WEIR_INSTANCE_DRAINING] = 0;
		ck_assert_int_eq(change_at(&bench, 100 * i + 45), i == 0 ? 1 : -1);
	}
	pool_bench_close(&bench);
}
END_TEST

START_TEST(cooldown_keeps_decisions_apart)
{
	pool_bench bench;
	open_bench(&bench, "{\"cooldown\": 60}");
	bench.pool->load_kv = 0.9;
	ck_assert_int_eq(change_at(&bench, 0), 1);
	ck_assert_int_eq(change_at(&bench, 15), 0);
	ck_assert_int_eq(change_at(&bench, 59.9), 0);
	ck_assert_int_eq(change_at(&bench, 60), 1);
	pool_bench_close(&bench);
}
END_TEST

START_TEST(an_idle_pool_shrinks_to_its_least)
{
	pool_bench bench;
	open_bench(&bench, "{\"step\": 3}");
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 10;
	const int64_t sizes[] = {7, 4, 2, 2, 2};
	bench.scaling.min_instances_per_pool = 2;
	for (int i = 0; i < 5; i++) {
		weir_decision decision = pool_bench_tick(&bench, 15 * i);
		int64_t size = pool_bench_size_after(&bench, &decision);
		ck_assert_int_eq(size, sizes[i]);
		bench.pool->count[WEIR_INSTANCE_ACTIVE] = (uint32_t)size;
	}
	/* one that is below its least stays */
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 1;
	ck_assert_int_eq(change_at(&bench, 1000), 0);
	pool_bench_close(&bench);
}
END_TEST

/* Sums over the pool are compared per serving instance. */
START_TEST(other_metrics_by_name)
{
	pool_bench bench;
	open_bench(&bench, "{\"metric\": \"concurrency\", \"up\": 10, \"down\": 5}");
	const struct {
		int64_t requests, change;
	} rows[] = {{19, -1}, {20, 0}, {40, 0}, {41, 1}};
	for (int i = 0; i < 4; i++) {
		bench.pool->requests = rows[i].requests;
		ck_assert_int_eq(change_at(&bench, 15 * i), rows[i].change);
	}
	/* No instance, and something waits: more than any threshold. */
	bench.pool->count[WEIR_INSTANCE_ACTIVE] = 0;
	bench.pool->requests = 1;
	ck_assert_int_eq(change_at(&bench, 300), 1);
	bench.pool->requests = 0;
	ck_assert_int_eq(change_at(&bench, 315), 0);
	bench.view.waiting_at_scheduler = 1;
	ck_assert_int_eq(change_at(&bench, 330), 1);
	pool_bench_close(&bench);

	open_bench(&bench, "{\"metric\": \"queue\", \"up\": 2, \"down\": 1}");
	bench.pool->queued_prompts = 3;
	bench.pool->queued_tokens = 6;
	ck_assert_int_eq(change_at(&bench, 0), 1);
	pool_bench_close(&bench);
	open_bench(&bench, "{\"metric\": \"batch\"}");
	bench.pool->load_batch = 0.6;
	ck_assert_int_eq(change_at(&bench, 0), 1);
	bench.pool->load_batch = 0.1;
	ck_assert_int_eq(change_at(&bench, 15), -1);
	pool_bench_close(&bench);
	open_bench(&bench, "{\"metric\": \"busy\"}");
	bench.pool->load_busy = 0.6;
	ck_assert_int_eq(change_at(&bench, 0), 1);
	pool_bench_close(&bench);

	weir_error error;
	ck_assert(pool_parameters_refused(&weir_reactive_keys, "{\"up\": 0.1, \"down\": 0.2}", &error));
}
END_TEST

/* 4 instances, a threshold of 10 requests each: what the predictive policies are early against. */
START_TEST(on_a_ramp_it_waits_for_the_load)
{
	pool_bench bench;
	open_bench(&bench, "{\"metric\": \"concurrency\", \"up\": 10, \"down\": 0}");
	ck_assert_int_eq(pool_bench_ramp(&bench), 41);
	pool_bench_close(&bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/policy_reactive");
	TCase *tests = tcase_create("reactive");
	tcase_add_test(tests, thresholds_are_strict);
	tcase_add_test(tests, one_action_at_a_time);
	tcase_add_test(tests, cooldown_keeps_decisions_apart);
	tcase_add_test(tests, an_idle_pool_shrinks_to_its_least);
	tcase_add_test(tests, other_metrics_by_name);
	tcase_add_test(tests, on_a_ramp_it_waits_for_the_load);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
