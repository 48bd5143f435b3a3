/* Faults of boots, stragglers and stock-outs against draws made here. */
#include <math.h>

#include "support/fault_support.h"
#include "support/test_support.h"

static const char actor[] = "test";

/* --- boots --- */

START_TEST(a_boot_that_fails_does_so_at_its_end_and_is_tried_again)
{
	weir_faults_config faults = no_faults;
	faults.boot_failure = 0.3;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	for (int i = 0; i < 1000; i++) {
		scale_up(managed);
	}
	managed_run(managed, 10);
	uint64_t failed = faults_of(managed).boots_failed;
	check_share(failed, 1000, 0.3);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_BOOT_FAILED), failed);
	ck_assert_uint_eq(managed->servers_ended, failed);
	for (uint64_t i = 0; i < failed; i++) {
		const weir_scaling_event_row *row = row_of(managed, WEIR_SCALING_BOOT_FAILED, i);
		ck_assert_double_eq(row->time, 10);
		/* The start state's one did not boot. */
		ck_assert_double_lt(fault_uniform("faults: failed boot", (uint64_t)row->instance - 1), 0.3);
	}
	ck_assert_uint_eq(managed_status(managed).active, 1001 - failed);
	ck_assert_uint_eq(managed_status(managed).scaling_up, failed);
	managed_run(managed, (double)INFINITY);
	ck_assert_uint_eq(managed_status(managed).active, 1001);
	ck_assert_uint_eq(managed_status(managed).servers, 1001);
	ck_assert_uint_eq(managed_counters(managed).started, 1000 + faults_of(managed).boots_failed);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(without_replace_what_is_lost_stays_lost)
{
	weir_faults_config faults = no_faults;
	faults.boot_failure = 1;
	faults.instance_mtbf = 100;
	faults.replace = false;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	scale_up(managed);
	managed_run(managed, (double)INFINITY);
	ck_assert_uint_eq(managed_status(managed).total_instances, 0);
	ck_assert_uint_eq(managed_status(managed).servers, 0);
	ck_assert_uint_eq(faults_of(managed).boots_failed, 1);
	ck_assert_uint_eq(faults_of(managed).crashes, 1);
	ck_assert_uint_eq(managed_counters(managed).started, 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_boot_that_is_cancelled_has_not_failed)
{
	weir_faults_config faults = no_faults;
	faults.boot_failure = 0.999;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	scale_up(managed);
	weir_manager_resize(managed->manager, actor, 0, WEIR_TAG_MIXED, WEIR_ANY_TYPE, -1);
	managed_run(managed, 100);
	ck_assert_uint_eq(faults_of(managed).boots_failed, 0);
	ck_assert_uint_eq(managed_counters(managed).started, 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_share_of_the_boots_is_slow)
{
	weir_faults_config faults = no_faults;
	faults.slow_boot = 0.25;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	for (int i = 0; i < MANY; i++) {
		scale_up(managed);
	}
	managed_run(managed, 29.999);
	uint64_t slow = faults_of(managed).boots_slow;
	check_share(slow, MANY, 0.25);
	ck_assert_uint_eq(managed_status(managed).scaling_up, slow);
	managed_run(managed, 30);
	ck_assert_uint_eq(managed_status(managed).scaling_up, 0);
	for (uint64_t i = 0; i < MANY; i++) {
		const weir_scaling_event_row *row = row_of(managed, WEIR_SCALING_INSTANCE_READY, i);
		bool expected = fault_uniform("faults: slow boot", (uint64_t)row->instance - 1) < 0.25;
		ck_assert_double_eq(row->time, expected ? 30 : 10);
	}
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(stragglers_take_longer_for_their_life)
{
	weir_faults_config faults = no_faults;
	faults.straggler = 0.4;
	faults.straggler_factor = 2;
	managed_cluster *managed = faulty_cluster("mmmmmmmm", 1, &faults);
	for (int i = 8; i < MANY; i++) {
		scale_up(managed);
	}
	uint64_t slow = 0;
	for (uint32_t id = 0; id < MANY; id++) {
		bool expected = fault_uniform("faults: straggler", id) < 0.4;
		ck_assert_double_eq(managed_view(managed, id).slowness, expected ? 2 : 1);
		slow += expected;
	}
	ck_assert_uint_eq(faults_of(managed).stragglers, slow);
	check_share(slow, MANY, 0.4);
	for (int i = 0; i < 8; i++) {
		managed_arrive(managed, 0, 100, 11);
	}
	managed_run(managed, 9);
	uint32_t seen = 0;
	for (int64_t i = 0; i < 8; i++) {
		const weir_request_row *row = small_cluster_row(managed->cluster, i);
		double factor = managed_view(managed, (uint32_t)row->prompt_instance).slowness;
		ck_assert_double_eq(row->ttft, factor * 1);
		ck_assert_double_eq(row->e2e, factor * (1 + 10 * 0.25));
		seen |= factor > 1 ? 2 : 1;
	}
	ck_assert_uint_eq(seen, 3);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- stock-outs --- */

START_TEST(stock_outs_come_last_and_refuse)
{
	weir_faults_config faults = no_faults;
	faults.stock_out_mtbf = 1000;
	faults.stock_out_duration = 500;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	const double end = 2e6;
	const weir_scale_request request = {.tag = WEIR_TAG_MIXED, .type = WEIR_ANY_TYPE};
	double next = fault_exponential("faults: stock-out", 0, 0, 1000);
	double out = 0;
	uint64_t starts = 0;
	size_t rows = 0;
	while (next < end) {
		double from = next;
		double until = from;
		for (; next <= until || next == from; starts++) {
			until =
			    fmax(until, next + fault_exponential("faults: stock-out duration", 0, starts, 500));
			next += fault_exponential("faults: stock-out", 0, starts + 1, 1000);
		}
		out += until - from;
		managed_run(managed, (from + until) / 2);
		weir_instance_handle made;
		ck_assert_int_eq(weir_manager_scale_up_full(managed->manager, actor, &request, &made),
		                 WEIR_REFUSED_STOCK_OUT);
		managed_run(managed, (until + next) / 2);
		const weir_scaling_event_row *row = row_of(managed, WEIR_SCALING_STOCK_OUT, rows);
		ck_assert_double_eq_tol(row->time, from, 1e-6);
		row = row_of(managed, WEIR_SCALING_RESTOCKED, rows++);
		ck_assert_double_eq_tol(row->time, until, 1e-6);
		ck_assert_uint_eq(faults_of(managed).stock_outs, starts);
	}
	ck_assert_int_eq(
	    weir_manager_scale_up_full(managed->manager, actor, &request, &(weir_instance_handle){0}),
	    WEIR_REFUSED_NONE);
	ck_assert_uint_eq(managed_counters(managed).refused[WEIR_REFUSED_STOCK_OUT], rows);
	ck_assert_double_eq_tol((double)starts, end / 1000, 4 * sqrt(end / 1000));
	/* Poisson starts of exponential lengths: an M/G/infinity queue is empty exp(-rho) of the time;
	 * busy and idle periods alternate, 1000 s idle in the mean. */
	ck_assert_double_eq_tol(out / end, 1 - exp(-0.5), 0.03);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(types_run_out_one_by_one)
{
	weir_faults_config faults = no_faults;
	faults.stock_out_mtbf = 1e4;
	faults.stock_out_duration = 1e-3;
	small_cluster *cluster = managed_servers("jsq", "mm", 1);
	cluster->applications[1] = cluster->applications[0];
	cluster->config.application_count = 2;
	managed_cluster *managed = managed_cluster_create(cluster, &managed_defaults);
	managed_faults(managed, &faults, FAULT_SEED);
	ck_assert_uint_eq(weir_faults_background(managed->faults), 4);
	for (uint32_t type = 0; type < 4; type++) {
		managed_cluster *copy = managed_copy(managed);
		managed_run(copy, fault_exponential("faults: stock-out", type, 0, 1e4) + 1e-9);
		const weir_scale_request request = {type / 2, WEIR_TAG_MIXED, (int32_t)(type % 2)};
		const weir_scale_request other = {type / 2, WEIR_TAG_MIXED, (int32_t)(1 - type % 2)};
		weir_instance_handle made;
		ck_assert_int_eq(weir_manager_scale_up_full(copy->manager, actor, &request, &made),
		                 WEIR_REFUSED_STOCK_OUT);
		ck_assert_int_eq(weir_manager_scale_up_full(copy->manager, actor, &other, &made),
		                 WEIR_REFUSED_NONE);
		managed_cluster_destroy(copy);
	}
	managed_cluster_destroy(managed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/faults_boots");
	TCase *tests = tcase_create("boots");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_boot_that_fails_does_so_at_its_end_and_is_tried_again);
	tcase_add_test(tests, without_replace_what_is_lost_stays_lost);
	tcase_add_test(tests, a_boot_that_is_cancelled_has_not_failed);
	tcase_add_test(tests, a_share_of_the_boots_is_slow);
	tcase_add_test(tests, stragglers_take_longer_for_their_life);
	tcase_add_test(tests, stock_outs_come_last_and_refuse);
	tcase_add_test(tests, types_run_out_one_by_one);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
