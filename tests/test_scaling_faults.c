/* Faults of instances and servers against draws made here and results worked out by hand. */
#include <math.h>

#include "support/fault_support.h"
#include "support/test_support.h"

static const char actor[] = "test";

START_TEST(off_by_default_there_is_no_event_and_nothing_is_asked)
{
	managed_cluster *managed = faulty_cluster("mm", 1, &no_faults);
	ck_assert(!weir_faults_enabled(&no_faults));
	ck_assert_uint_eq(weir_engine_get_counts(managed->cluster->engine).scheduled, 0);
	scale_up(managed);
	ck_assert_uint_eq(weir_engine_get_counts(managed->cluster->engine).scheduled, 1);
	ck_assert_uint_eq(weir_faults_background(managed->faults), 0);
	managed_run(managed, 1e6);
	weir_faults_counters counters = faults_of(managed);
	weir_faults_counters zero = {0};
	ck_assert_mem_eq(&counters, &zero, sizeof zero);
	ck_assert_uint_eq(managed_status(managed).active, 3);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(any_kind_enables_them)
{
	weir_faults_config c = no_faults;
	double *const fields[] = {&c.instance_mtbf, &c.server_mtbf,    &c.boot_failure,
	                          &c.slow_boot,     &c.stock_out_mtbf, &c.straggler};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		*fields[i] = 0.5;
		ck_assert(weir_faults_enabled(&c));
		*fields[i] = 0;
	}
	c.preemption_mtbf = 5;
	ck_assert(!weir_faults_enabled(&c));
	c.spot_share = 0.5;
	ck_assert(weir_faults_enabled(&c));
}
END_TEST

/* --- crashes --- */

START_TEST(a_crash_costs_the_cache_and_the_prompt_is_processed_again)
{
	weir_faults_config faults = no_faults;
	faults.instance_mtbf = 1e6;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	double crash = fault_exponential("faults: crash", 0, 0, 1e6);
	ck_assert_double_gt(fault_exponential("faults: crash", 1, 0, 1e6), 20);
	/* At the crash a prompt of 1 s is done, and of 10 iterations of 0.25 s four and a half. */
	managed_arrive(managed, crash - 2.125, 100, 11);
	while (served(managed).completed == 0) {
		ck_assert(managed_step(managed, 2 * crash + 100));
	}
	const weir_scaling_event_row *row = row_of(managed, WEIR_SCALING_CRASHED, 0);
	ck_assert_ptr_nonnull(row);
	ck_assert_double_eq_tol(row->time, crash, 1e-9 * crash);
	ck_assert_int_eq(row->done, 1);
	ck_assert_int_eq(row->instance, 0);
	ck_assert_str_eq(row->actor, "faults");
	ck_assert_uint_eq(faults_of(managed).crashes, 1);
	ck_assert_uint_eq(faults_of(managed).requests_hit, 1);
	weir_serving_counters c = served(managed);
	ck_assert_uint_eq(c.retries, 1);
	ck_assert_int_eq(c.prompt_tokens_lost, 100);
	ck_assert_int_eq(c.output_tokens_lost, 5);
	/* Its replacement boots for 10 s. */
	const weir_request_row *request = small_cluster_row(managed->cluster, 0);
	ck_assert_double_eq_tol(request->ttft, 2.125 + 10 + 1, 1e-6);
	ck_assert_double_eq_tol(request->e2e, 2.125 + 10 + 1 + 10 * 0.25, 1e-6);
	ck_assert_int_eq(request->prompt_instance, 1);
	weir_pool_counters pool;
	weir_serving_pool(managed->cluster->serving, 0, WEIR_TAG_MIXED, &pool);
	ck_assert_int_eq(pool.prompt_tokens, 200);
	ck_assert_int_eq(pool.output_tokens, 5 + 11);
	ck_assert_uint_eq(managed_status(managed).servers, 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(beyond_max_retries_a_request_has_failed)
{
	weir_faults_config faults = no_faults;
	faults.instance_mtbf = 5;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	managed_arrive(managed, 0, 100, 4000);
	managed_run(managed, 500);
	const weir_request_row *row = small_cluster_row(managed->cluster, 0);
	ck_assert_int_eq(row->status, WEIR_REQUEST_FAILED);
	ck_assert_int_eq(row->retries, 2);
	weir_serving_counters c = served(managed);
	ck_assert_uint_eq(c.failed, 1);
	ck_assert_uint_eq(c.retries, 2);
	ck_assert_uint_eq(c.in_system, 0);
	ck_assert_uint_eq(faults_of(managed).requests_hit, 3);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(lifetimes_are_exponential_from_active_on_and_what_boots_does_not_crash)
{
	/* Far shorter than the boot of 10 s. */
	const double mean = 4;
	weir_faults_config faults = no_faults;
	faults.instance_mtbf = mean;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	while (managed->ended_count < MANY) {
		ck_assert(managed_step(managed, (double)INFINITY));
	}
	double sum = 0;
	uint64_t beyond = 0;
	for (size_t i = 0; i < MANY; i++) {
		const weir_instance_view *view = &managed->ended[i];
		ck_assert_uint_eq(view->id, i);
		ck_assert_double_eq_tol(view->state_seconds[WEIR_INSTANCE_SCALING_UP], i == 0 ? 0 : 10,
		                        1e-9);
		double life = view->state_seconds[WEIR_INSTANCE_ACTIVE];
		sum += life;
		beyond += life > mean;
	}
	ck_assert_double_eq_tol(sum / MANY, mean, 4 * mean / sqrt(MANY));
	check_share(beyond, MANY, exp(-1));
	ck_assert_uint_eq(faults_of(managed).crashes, MANY);
	/* One potential crash is pending, of the one that exists. */
	ck_assert_uint_eq(weir_faults_background(managed->faults), 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(what_drains_can_crash_but_is_not_replaced)
{
	weir_faults_config faults = no_faults;
	faults.instance_mtbf = 1e4;
	managed_cluster *managed = faulty_cluster("mm", 1, &faults);
	double crash = fault_exponential("faults: crash", 0, 0, 1e4);
	ck_assert_double_gt(fault_exponential("faults: crash", 1, 0, 1e4), crash + 1);
	managed_arrive(managed, crash - 5, 100, 4000);
	managed_run(managed, crash - 4);
	ck_assert_uint_eq(managed_view(managed, 0).requests, 1);
	weir_manager_scale_down_full(managed->manager, actor, (weir_instance_handle){0, 0});
	managed_run(managed, crash + 0.5);
	ck_assert_uint_eq(faults_of(managed).crashes, 1);
	ck_assert_uint_eq(faults_of(managed).requests_hit, 1);
	ck_assert_uint_eq(managed_status(managed).total_instances, 1);
	ck_assert_uint_eq(managed_view(managed, 1).requests, 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_fault_of_one_who_is_gone_is_nothing)
{
	weir_faults_config faults = no_faults;
	faults.instance_mtbf = faults.server_mtbf = 1e4;
	managed_cluster *managed = faulty_cluster("mm", 1, &faults);
	weir_manager_scale_down_full(managed->manager, actor, (weir_instance_handle){0, 0});
	managed_run(managed, 5);
	ck_assert_uint_eq(managed_status(managed).total_instances, 1);
	ck_assert_uint_eq(weir_faults_background(managed->faults), 4);
	/* A new one takes the slots, and their events go. */
	ck_assert_uint_eq(scale_up(managed).slot, 0);
	ck_assert_uint_eq(weir_faults_background(managed->faults), 4);
	weir_manager_resize(managed->manager, actor, 0, WEIR_TAG_MIXED, WEIR_ANY_TYPE, -1);
	ck_assert_uint_eq(managed_status(managed).total_instances, 1);
	while (faults_of(managed).crashes + faults_of(managed).servers_lost == 0) {
		ck_assert(managed_step(managed, (double)INFINITY));
	}
	double first = fmin(fault_exponential("faults: crash", 1, 0, 1e4),
	                    fault_lifetime("faults: server loss", 1, 1e4));
	ck_assert_double_eq_tol(weir_engine_now(managed->cluster->engine), first, 1e-6);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(kinds_do_not_move_each_other)
{
	weir_faults_config alone = no_faults;
	alone.instance_mtbf = 700;
	alone.replace = false;
	weir_faults_config all = alone;
	all.preemption_mtbf = all.stock_out_mtbf = 1000;
	all.spot_share = 0.5;
	all.boot_failure = all.slow_boot = all.straggler = 0.5;
	const weir_faults_config *const both[] = {&alone, &all};
	for (int i = 0; i < 2; i++) {
		managed_cluster *managed = faulty_cluster("mmmmmmmm", 1, both[i]);
		managed_run(managed, 3000);
		for (size_t c = 0; c < faults_of(managed).crashes; c++) {
			const weir_scaling_event_row *row = row_of(managed, WEIR_SCALING_CRASHED, c);
			ck_assert_double_eq_tol(
			    row->time, fault_exponential("faults: crash", (uint64_t)row->instance, 0, 700),
			    1e-6);
		}
		ck_assert_uint_gt(faults_of(managed).crashes, 2);
		managed_cluster_destroy(managed);
	}
}
END_TEST

/* --- servers --- */

START_TEST(a_lost_server_takes_all_its_instances_and_hits_a_request_once)
{
	weir_faults_config faults = no_faults;
	faults.server_mtbf = 1e5;
	managed_cluster *managed = faulty_cluster("mm", 2, &faults);
	double losses[2] = {fault_lifetime("faults: server loss", 0, 1e5),
	                    fault_lifetime("faults: server loss", 1, 1e5)};
	uint32_t lost = losses[0] < losses[1] ? 0 : 1;
	double loss = losses[lost];
	ck_assert_double_gt(losses[1 - lost], loss + 100);
	for (int i = 0; i < 4; i++) {
		managed_arrive(managed, loss - 5, 100, 41);
	}
	managed_run(managed, loss + 1e-6);
	ck_assert_uint_eq(faults_of(managed).servers_lost, 1);
	ck_assert_uint_eq(faults_of(managed).requests_hit, 2);
	ck_assert_uint_eq(served(managed).retries, 2);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_SERVER_LOST), 2);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_SERVER_REMOVED), 1);
	ck_assert_int_eq(row_of(managed, WEIR_SCALING_SERVER_REMOVED, 0)->server, lost);
	ck_assert_double_eq_tol(row_of(managed, WEIR_SCALING_SERVER_LOST, 0)->time, loss, 1e-6);
	/* Both are started anew. */
	ck_assert_uint_eq(managed_status(managed).active, 2);
	ck_assert_uint_eq(managed_status(managed).scaling_up, 2);
	managed_run(managed, loss + 60);
	ck_assert_uint_eq(served(managed).completed, 4);
	ck_assert_uint_eq(managed_status(managed).active, 4);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_server_is_lost_while_it_boots_and_without_instance)
{
	weir_faults_config faults = no_faults;
	faults.server_mtbf = 1;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	const weir_scale_request request = {.tag = WEIR_TAG_MIXED, .type = WEIR_ANY_TYPE};
	weir_server_handle server;
	managed->faults_config.replace = false;
	ck_assert_int_eq(weir_manager_scale_up_server(managed->manager, actor, &request, &server),
	                 WEIR_REFUSED_NONE);
	scale_up(managed);
	double last = 0;
	for (uint64_t id = 0; id < 3; id++) {
		last = fmax(last, fault_lifetime("faults: server loss", id, 1));
	}
	ck_assert_double_lt(last, 9);
	managed_run(managed, 9);
	ck_assert_uint_eq(faults_of(managed).servers_lost, 3);
	ck_assert_uint_eq(managed_status(managed).servers, 0);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_SERVER_LOST), 3);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_preempted_server_drains_for_exactly_its_notice)
{
	weir_faults_config faults = no_faults;
	faults.preemption_mtbf = 1e5;
	faults.spot_share = 1;
	managed_cluster *managed = faulty_cluster("m", 2, &faults);
	double notice = fault_lifetime("faults: preemption", 0, 1e5);
	ck_assert_double_gt(fault_lifetime("faults: preemption", 1, 1e5), 500);
	managed_arrive(managed, notice - 5, 100, 41);  /* 11 s */
	managed_arrive(managed, notice - 5, 100, 401); /* 101 s */
	managed_arrive(managed, notice + 5, 100, 11);  /* found no instance */
	managed_run(managed, notice + 1);
	/* The last ones of the pool drain all the same, and are replaced at once. */
	ck_assert_uint_eq(managed_status(managed).draining, 2);
	ck_assert_uint_eq(managed_status(managed).scaling_up, 2);
	ck_assert_uint_eq(faults_of(managed).preemptions, 1);
	/* What will be lost is not taken back. */
	weir_manager_resize(managed->manager, actor, 0, WEIR_TAG_MIXED, WEIR_ANY_TYPE, 1);
	ck_assert_uint_eq(managed_status(managed).draining, 2);
	ck_assert_uint_eq(managed_status(managed).scaling_up, 3);
	managed_run(managed, notice + 29.999);
	ck_assert_uint_eq(managed_status(managed).draining, 1);
	managed_run(managed, notice + 200);
	const weir_scaling_event_row *told = row_of(managed, WEIR_SCALING_PREEMPTION_NOTICE, 0);
	const weir_scaling_event_row *lost = row_of(managed, WEIR_SCALING_SERVER_LOST, 0);
	ck_assert_double_eq_tol(told->time, notice, 1e-6);
	ck_assert_double_eq(lost->time, told->time + 30);
	ck_assert_int_eq(lost->done, 1);
	ck_assert_double_eq(row_of(managed, WEIR_SCALING_DRAIN_STARTED, 1)->time, told->time);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_SERVER_LOST), 1);
	ck_assert_int_eq(small_cluster_row(managed->cluster, 0)->retries, 0);
	ck_assert_int_eq(small_cluster_row(managed->cluster, 1)->retries, 1);
	ck_assert_double_eq_tol(small_cluster_row(managed->cluster, 2)->queue_time, 5, 1e-6);
	ck_assert_uint_eq(faults_of(managed).requests_hit, 1);
	ck_assert_uint_eq(faults_of(managed).servers_lost, 0);
	ck_assert_uint_eq(managed_status(managed).total_instances, 3);
	ck_assert_uint_eq(managed_counters(managed).started, 3);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_preempted_server_without_work_goes_when_it_is_empty)
{
	weir_faults_config faults = no_faults;
	faults.preemption_mtbf = 1e5;
	faults.spot_share = 1;
	faults.replace = false;
	managed_cluster *managed = faulty_cluster("m", 2, &faults);
	managed_run(managed, fault_lifetime("faults: preemption", 0, 1e5) + 1.001);
	ck_assert_uint_eq(managed_status(managed).servers, 0);
	managed_run(managed, 1e6);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_SERVER_LOST), 0);
	ck_assert_uint_eq(faults_of(managed).preemptions, 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_notice_ends_boots_and_flips)
{
	managed_cluster *managed =
	    managed_cluster_create(managed_servers("kv_jsq", "pptt", 2), &managed_defaults);
	weir_manager *manager = managed->manager;
	const weir_server_handle server = {1, 1};
	managed_arrive(managed, 0, 100, 41);
	ck_assert_int_eq(
	    weir_manager_flip(manager, actor, (weir_instance_handle){2, 2}, WEIR_TAG_TOKEN),
	    WEIR_REFUSED_NONE);
	ck_assert_int_eq(weir_manager_size(manager, 0, WEIR_TAG_TOKEN), 5);
	weir_manager_preempt(manager, actor, server);
	ck_assert_int_eq(weir_manager_size(manager, 0, WEIR_TAG_TOKEN), 4);
	managed_run(managed, 3);
	ck_assert_uint_eq(managed_status(managed).servers, 3);
	ck_assert_uint_eq(managed_status(managed).total_instances, 6);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_FLIPPED), 0);
	const weir_scale_request request = {.tag = WEIR_TAG_PROMPT, .type = WEIR_ANY_TYPE};
	weir_instance_handle made;
	weir_manager_scale_up_full(manager, actor, &request, &made);
	weir_manager_preempt(manager, actor, (weir_server_handle){1, 4});
	ck_assert_uint_eq(managed_status(managed).servers, 3);
	ck_assert_uint_eq(managed_counters(managed).cancelled, 1);
	ck_assert_uint_eq(weir_manager_operations(manager), 0);
	/* Neither is one who is gone. */
	weir_manager_preempt(manager, actor, (weir_server_handle){1, 4});
	ck_assert_uint_eq(weir_manager_lose_server(manager, actor, (weir_server_handle){1, 4}), 0);
	ck_assert_uint_eq(rows_of(managed, WEIR_SCALING_PREEMPTION_NOTICE), 2);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(what_flips_is_replaced_in_its_new_pool)
{
	weir_faults_config faults = no_faults;
	faults.instance_mtbf = 1e5;
	managed_cluster *managed =
	    managed_cluster_create(managed_servers("kv_jsq", "pptt", 1), &managed_defaults);
	managed_faults(managed, &faults, FAULT_SEED);
	double crash = fault_exponential("faults: crash", 0, 0, 1e5);
	for (uint64_t id = 1; id < 5; id++) {
		ck_assert_double_gt(fabs(fault_exponential("faults: crash", id, 0, 1e5) - crash), 20);
	}
	managed_run(managed, crash - 0.5);
	bool there = weir_serving_has_instance(managed->cluster->serving, (weir_instance_handle){0, 0});
	ck_assert(there);
	uint32_t tokens = managed_status(managed).by_tag[WEIR_TAG_TOKEN][WEIR_INSTANCE_ACTIVE];
	ck_assert_int_eq(
	    weir_manager_flip(managed->manager, actor, (weir_instance_handle){0, 0}, WEIR_TAG_TOKEN),
	    WEIR_REFUSED_NONE);
	managed_run(managed, crash + 12);
	weir_status_summary status = managed_status(managed);
	ck_assert_uint_eq(status.by_tag[WEIR_TAG_TOKEN][WEIR_INSTANCE_ACTIVE], tokens + 1);
	ck_assert_uint_eq(status.by_tag[WEIR_TAG_PROMPT][WEIR_INSTANCE_ACTIVE], 1);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_TOKEN), tokens + 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(what_flips_at_its_hour_is_spared_until_it_has_served_another)
{
	weir_faults_config faults = no_faults;
	faults.instance_mtbf = 1e5;
	weir_scaling_config config = managed_defaults;
	config.role_flip_delay = 50;
	managed_cluster *managed =
	    managed_cluster_create(managed_servers("kv_jsq", "pptt", 1), &config);
	managed_faults(managed, &faults, FAULT_SEED);
	double crash = fault_exponential("faults: crash", 0, 0, 1e5);
	managed_run(managed, crash - 20);
	ck_assert_int_eq(
	    weir_manager_flip(managed->manager, actor, (weir_instance_handle){0, 0}, WEIR_TAG_TOKEN),
	    WEIR_REFUSED_NONE);
	managed_run(managed, crash + 50);
	ck_assert_int_eq(managed_view(managed, 0).state, WEIR_INSTANCE_ACTIVE);
	managed_run(managed, 1e6);
	bool found = false;
	for (size_t i = 0; i < faults_of(managed).crashes; i++) {
		const weir_scaling_event_row *row = row_of(managed, WEIR_SCALING_CRASHED, i);
		if (row->instance == 0) {
			/* It was empty 1 s after the flip began. */
			ck_assert_double_eq_tol(
			    row->time, crash - 20 + 1 + 50 + fault_exponential("faults: crash", 0, 1, 1e5),
			    1e-6);
			found = true;
		}
	}
	ck_assert(found);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_share_of_the_servers_is_spot)
{
	weir_faults_config faults = no_faults;
	faults.preemption_mtbf = 1e12;
	faults.spot_share = 0.3;
	managed_cluster *managed = faulty_cluster("m", 1, &faults);
	uint64_t expected = 0;
	for (uint64_t id = 0; id < MANY; id++) {
		if (id > 0) {
			scale_up(managed);
		}
		expected += fault_uniform("faults: spot", id) < 0.3;
		ck_assert_uint_eq(weir_faults_background(managed->faults), expected);
	}
	check_share(expected, MANY, 0.3);
	managed_cluster_destroy(managed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/faults");
	TCase *tests = tcase_create("faults");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, off_by_default_there_is_no_event_and_nothing_is_asked);
	tcase_add_test(tests, any_kind_enables_them);
	tcase_add_test(tests, a_crash_costs_the_cache_and_the_prompt_is_processed_again);
	tcase_add_test(tests, beyond_max_retries_a_request_has_failed);
	tcase_add_test(tests, lifetimes_are_exponential_from_active_on_and_what_boots_does_not_crash);
	tcase_add_test(tests, what_drains_can_crash_but_is_not_replaced);
	tcase_add_test(tests, a_fault_of_one_who_is_gone_is_nothing);
	tcase_add_test(tests, kinds_do_not_move_each_other);
	tcase_add_test(tests, a_lost_server_takes_all_its_instances_and_hits_a_request_once);
	tcase_add_test(tests, a_server_is_lost_while_it_boots_and_without_instance);
	tcase_add_test(tests, a_preempted_server_drains_for_exactly_its_notice);
	tcase_add_test(tests, a_preempted_server_without_work_goes_when_it_is_empty);
	tcase_add_test(tests, a_notice_ends_boots_and_flips);
	tcase_add_test(tests, what_flips_is_replaced_in_its_new_pool);
	tcase_add_test(tests, what_flips_at_its_hour_is_spared_until_it_has_served_another);
	tcase_add_test(tests, a_share_of_the_servers_is_spot);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
