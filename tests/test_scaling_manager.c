/* The ScalingManager, rule by rule, against what is worked out by hand. */
#include "scaling/manager.h"

#include <malloc.h>
#include <math.h>
#include <string.h>

#include "support/managed_cluster.h"
#include "support/test_support.h"

static const char actor[] = "test";

static managed_cluster *pools(const char *tags)
{
	return managed_cluster_create(managed_servers("kv_jsq", tags, 1), &managed_defaults);
}

static managed_cluster *mixed(const char *tags, const weir_scaling_config *config)
{
	return managed_cluster_create(managed_servers("jsq", tags, 1), config);
}

static weir_instance_handle handle(uint32_t id)
{
	return (weir_instance_handle){id, id};
}

static weir_refusal up_full(managed_cluster *managed, weir_tag tag, weir_instance_handle *instance)
{
	const weir_scale_request request = {.tag = tag, .type = WEIR_ANY_TYPE};
	return weir_manager_scale_up_full(managed->manager, actor, &request, instance);
}

static weir_refusal down_full(managed_cluster *managed, weir_instance_handle instance)
{
	return weir_manager_scale_down_full(managed->manager, actor, instance);
}

static weir_resize_result resize(managed_cluster *managed, weir_tag tag, int64_t delta)
{
	return weir_manager_resize(managed->manager, actor, 0, tag, WEIR_ANY_TYPE, delta);
}

#define CHECK_RESULT(call, done_, reason_)                                                         \
	do {                                                                                           \
		weir_resize_result result_ = (call);                                                       \
		ck_assert_int_eq(result_.done, done_);                                                     \
		ck_assert_int_eq(result_.reason, reason_);                                                 \
	} while (0)

/* --- starting --- */

START_TEST(there_is_no_capacity_before_the_boot_delay)
{
	weir_scaling_config config = managed_defaults;
	config.min_instances_per_pool = 0;
	managed_cluster *managed = mixed("m", &config);
	ck_assert_int_eq(down_full(managed, handle(0)), WEIR_REFUSED_NONE);
	managed_arrive(managed, 6, 100, 1);
	managed_arrive(managed, 14.75, 100, 1);
	managed_run(managed, 5);
	ck_assert_uint_eq(managed_status(managed).total_instances, 0);
	weir_instance_handle made;
	ck_assert_int_eq(up_full(managed, WEIR_TAG_MIXED, &made), WEIR_REFUSED_NONE);
	ck_assert_uint_eq(made.id, 1);
	ck_assert_double_eq(weir_manager_next_ready(managed->manager, 0, WEIR_TAG_MIXED), 10);
	ck_assert_uint_eq(weir_manager_active_servers(managed->manager, 0), 0);
	managed_run(managed, 14.999);
	ck_assert_uint_eq(weir_manager_active_servers(managed->manager, 0), 0);
	ck_assert_uint_eq(managed_status(managed).scaling_up, 1);
	ck_assert_double_eq(managed_view(managed, made.slot).batch_size, 0);
	managed_run(managed, (double)INFINITY);
	/* The oldest begins at 15, the other one after that prompt's second. */
	const weir_request_row *first = small_cluster_row(managed->cluster, 0);
	ck_assert_double_eq(first->queue_time, 9);
	ck_assert_double_eq(first->ttft, 10);
	ck_assert_int_eq(first->prompt_instance, 1);
	ck_assert_double_eq(small_cluster_row(managed->cluster, 1)->queue_time, 1.25);
	ck_assert_double_eq(managed_view(managed, made.slot).ready_since, 15);
	ck_assert_uint_eq(weir_manager_active_servers(managed->manager, 0), 1);
	ck_assert(isinf(weir_manager_next_ready(managed->manager, 0, WEIR_TAG_MIXED)));
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(an_instance_is_of_the_pools_own_type_or_the_one_named)
{
	managed_cluster *managed = pools("ppt");
	weir_instance_handle made;
	ck_assert_int_eq(up_full(managed, WEIR_TAG_TOKEN, &made), WEIR_REFUSED_NONE);
	ck_assert_uint_eq(managed_view(managed, made.slot).type, 2);
	weir_scale_request request = {.tag = WEIR_TAG_PROMPT, .type = 1};
	ck_assert_int_eq(weir_manager_scale_up_full(managed->manager, actor, &request, &made),
	                 WEIR_REFUSED_NONE);
	ck_assert_uint_eq(managed_view(managed, made.slot).type, 1);
	ck_assert_int_eq(managed_view(managed, made.slot).tag, WEIR_TAG_PROMPT);
	request.type = 3;
	ck_assert_int_eq(weir_manager_scale_up_full(managed->manager, actor, &request, &made),
	                 WEIR_REFUSED_NO_TYPE);
	request = (weir_scale_request){.tag = WEIR_TAG_MIXED, .type = WEIR_ANY_TYPE};
	ck_assert_int_eq(weir_manager_scale_up_full(managed->manager, actor, &request, &made),
	                 WEIR_REFUSED_NO_POOL);
	weir_manager_set_stock(managed->manager, 0, 0, false);
	ck_assert_int_eq(up_full(managed, WEIR_TAG_PROMPT, &made), WEIR_REFUSED_STOCK_OUT);
	weir_manager_set_stock(managed->manager, 0, 0, true);
	ck_assert_int_eq(up_full(managed, WEIR_TAG_PROMPT, &made), WEIR_REFUSED_NONE);
	weir_manager_counters counters = managed_counters(managed);
	ck_assert_uint_eq(counters.refused[WEIR_REFUSED_NO_TYPE], 1);
	ck_assert_uint_eq(counters.refused[WEIR_REFUSED_NO_POOL], 1);
	ck_assert_uint_eq(counters.refused[WEIR_REFUSED_STOCK_OUT], 1);
	ck_assert_uint_eq(counters.started, 3);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_cluster_of_mixed_servers_has_one_pool)
{
	managed_cluster *managed = mixed("mm", &managed_defaults);
	ck_assert(weir_manager_has_pool(managed->manager, 0, WEIR_TAG_MIXED));
	ck_assert(!weir_manager_has_pool(managed->manager, 0, WEIR_TAG_PROMPT));
	ck_assert(!weir_manager_has_pool(managed->manager, 0, WEIR_TAG_TOKEN));
	CHECK_RESULT(resize(managed, WEIR_TAG_PROMPT, 2), 0, WEIR_REFUSED_NO_POOL);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_MIXED), 2);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- log --- */

START_TEST(the_log_reads_as_documented)
{
	managed_cluster *managed = pools("pppppttttt");
	managed->config.max_total_instances = 11;
	managed_run(managed, 110.5);
	weir_instance_handle made;
	up_full(managed, WEIR_TAG_PROMPT, &made);
	ck_assert_str_eq(managed_log(managed), "[ScalingManager] Full scale-up: server 10 + instance "
	                                       "10\n[Action] Added prompt instance 10 on server 10\n");
	managed_run(managed, 121);
	ck_assert_str_eq(managed_log(managed), "[ScalingManager] Instance 10 scaled up at 120.50\n");
	up_full(managed, WEIR_TAG_TOKEN, &made);
	ck_assert_str_eq(managed_log(managed), "[Action Blocked] Max cluster size reached (11)\n");
	managed_run(managed, 250);
	down_full(managed, handle(8));
	ck_assert_str_eq(managed_log(managed),
	                 "[ScalingManager] Instance 8 draining started at 250.00\n"
	                 "[Action] Removed token instance 8\n");
	managed_run(managed, 251);
	ck_assert_str_eq(managed_log(managed),
	                 "[ScalingManager] Instance 8 removed at 251.00\n"
	                 "[ScalingManager] Auto scale-down server 8 after instance removal\n");
	managed->config.min_instances_per_pool = 6;
	down_full(managed, handle(2));
	ck_assert_str_eq(managed_log(managed),
	                 "[Action Blocked] Cannot remove prompt, min limit reached\n");
	down_full(managed, handle(8));
	ck_assert_str_eq(managed_log(managed),
	                 "[Action Blocked] Cannot remove prompt, no such instance or server\n");
	ck_assert_uint_eq(managed_counters(managed).refused[WEIR_REFUSED_GONE], 1);
	managed_cluster_destroy(managed);
}
END_TEST

static void check_row(const managed_cluster *managed, size_t index, weir_scaling_action action,
                      int32_t asked, int32_t done, weir_refusal reason, int32_t instance)
{
	ck_assert_uint_lt(index, managed->event_count);
	const weir_scaling_event_row *row = &managed->events[index];
	ck_assert_msg(row->action == action, "row %zu: %s, not %s", index,
	              weir_scaling_action_names[row->action], weir_scaling_action_names[action]);
	ck_assert_int_eq(row->asked, asked);
	ck_assert_int_eq(row->done, done);
	ck_assert_int_eq(row->reason, reason);
	ck_assert_int_eq(row->instance, instance);
}

START_TEST(every_step_is_a_row)
{
	managed_cluster *managed = mixed("mmm", &managed_defaults);
	managed->config.max_total_instances = 4;
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, 3), 1, WEIR_REFUSED_MAX_TOTAL);
	ck_assert_uint_eq(managed_counters(managed).refused[WEIR_REFUSED_MAX_TOTAL], 2);
	managed_run(managed, 10);
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, -1), -1, WEIR_REFUSED_NONE);
	managed_run(managed, 11);
	weir_instance_handle made;
	ck_assert_int_eq(down_full(managed, handle(0)), WEIR_REFUSED_GONE);
	check_row(managed, 0, WEIR_SCALING_SERVER_STARTED, 0, 0, 0, -1);
	check_row(managed, 1, WEIR_SCALING_INSTANCE_STARTED, 0, 0, 0, 3);
	check_row(managed, 2, WEIR_SCALING_RESIZE, 3, 1, WEIR_REFUSED_MAX_TOTAL, -1);
	check_row(managed, 3, WEIR_SCALING_INSTANCE_READY, 0, 0, 0, 3);
	check_row(managed, 4, WEIR_SCALING_DRAIN_STARTED, 0, 0, 0, 0);
	check_row(managed, 5, WEIR_SCALING_RESIZE, -1, -1, 0, -1);
	check_row(managed, 6, WEIR_SCALING_INSTANCE_REMOVED, 0, 0, 0, 0);
	check_row(managed, 7, WEIR_SCALING_SERVER_REMOVED, 0, 0, 0, -1);
	check_row(managed, 8, WEIR_SCALING_REFUSED, -1, 0, WEIR_REFUSED_GONE, 0);
	ck_assert_uint_eq(managed->event_count, 9);
	ck_assert_str_eq(managed->events[1].actor, "test");
	ck_assert_int_eq(managed->events[1].server, 3);
	ck_assert_str_eq(managed->events[3].actor, "manager");
	ck_assert_double_eq(managed->events[3].time, 10);
	ck_assert_int_eq(managed->events[7].server, 0);
	ck_assert_int_eq(managed->events[2].pool, WEIR_TAG_MIXED);
	ck_assert_int_eq(up_full(managed, WEIR_TAG_MIXED, &made), WEIR_REFUSED_NONE);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- draining --- */

/* 100 prompt tokens and 11 tokens: a prompt of 1 s, ten tokens of 0.25 s: done at 3.5 s, which the
 * look at 4 s sees. */
START_TEST(a_drain_ends_at_the_first_look_that_finds_it_empty)
{
	managed_cluster *managed = mixed("mm", &managed_defaults);
	managed_arrive(managed, 0, 100, 11);
	managed_run(managed, 0);
	ck_assert_int_eq(down_full(managed, handle(0)), WEIR_REFUSED_NONE);
	ck_assert_int_eq(managed_view(managed, 0).state, WEIR_INSTANCE_DRAINING);
	managed_arrive(managed, 0.5, 100, 2);
	/* Until it is empty only its work can end it; then the next look does. */
	ck_assert_uint_eq(weir_manager_background(managed->manager), 1);
	managed_run(managed, 3.999);
	ck_assert_uint_eq(managed_status(managed).draining, 1);
	ck_assert_uint_eq(weir_manager_background(managed->manager), 0);
	managed_run(managed, 4);
	ck_assert_uint_eq(managed_status(managed).draining, 0);
	ck_assert_uint_eq(managed_status(managed).servers, 1);
	ck_assert_uint_eq(managed->servers_ended, 1);
	ck_assert_int_eq(small_cluster_row(managed->cluster, 0)->token_instance, 0);
	ck_assert_double_eq(small_cluster_row(managed->cluster, 0)->e2e, 3.5);
	ck_assert_int_eq(small_cluster_row(managed->cluster, 1)->prompt_instance, 1);
	ck_assert_double_eq(managed->ended[0].state_seconds[WEIR_INSTANCE_DRAINING], 4);
	managed_cluster_destroy(managed);
}
END_TEST

/* A token instance that has only a promise is not empty: its request is still in the prompt pool.
 */
START_TEST(a_destination_assigned_but_not_reached_is_not_empty)
{
	managed_cluster *managed = pools("ptt");
	managed_arrive(managed, 0, 100, 11);
	managed_run(managed, 0);
	ck_assert_int_eq(down_full(managed, handle(1)), WEIR_REFUSED_NONE);
	managed_run(managed, 1);
	ck_assert_uint_eq(managed_status(managed).draining, 1);
	managed_run(managed, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(managed->cluster, 0)->token_instance, 1);
	ck_assert_uint_eq(managed_status(managed).total_instances, 2);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(what_is_not_active_cannot_be_scaled_down)
{
	managed_cluster *managed = mixed("mmm", &managed_defaults);
	weir_instance_handle made;
	up_full(managed, WEIR_TAG_MIXED, &made);
	ck_assert_int_eq(down_full(managed, made), WEIR_REFUSED_NOT_ACTIVE);
	ck_assert_int_eq(down_full(managed, handle(0)), WEIR_REFUSED_NONE);
	ck_assert_int_eq(down_full(managed, handle(0)), WEIR_REFUSED_NOT_ACTIVE);
	ck_assert_int_eq(weir_manager_scale_down_instance(managed->manager, actor, handle(0)),
	                 WEIR_REFUSED_NOT_ACTIVE);
	ck_assert_int_eq(down_full(managed, handle(1)), WEIR_REFUSED_NONE);
	ck_assert_int_eq(down_full(managed, handle(2)), WEIR_REFUSED_MIN_POOL);
	ck_assert_uint_eq(managed_counters(managed).refused[WEIR_REFUSED_NOT_ACTIVE], 3);
	ck_assert_uint_eq(managed_counters(managed).refused[WEIR_REFUSED_MIN_POOL], 1);
	ck_assert_uint_eq(weir_manager_operations(managed->manager), 3);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_drain_that_takes_too_long_is_ended_on_the_instant)
{
	weir_scaling_config config = managed_defaults;
	config.drain_timeout = 2.5;
	managed_cluster *managed = mixed("mm", &config);
	managed_arrive(managed, 0, 100, 101);
	managed_run(managed, 0.5);
	ck_assert_int_eq(down_full(managed, handle(0)), WEIR_REFUSED_NONE);
	/* Its deadline does something about it. */
	ck_assert_uint_eq(weir_manager_background(managed->manager), 0);
	managed_run(managed, 2.999);
	ck_assert_uint_eq(managed_status(managed).draining, 1);
	managed_log(managed);
	managed_run(managed, 3);
	ck_assert_uint_eq(managed_status(managed).draining, 0);
	ck_assert_str_eq(managed_log(managed),
	                 "[ScalingManager] Instance 0 drain timed out, 1 requests moved\n"
	                 "[ScalingManager] Instance 0 removed at 3.00\n"
	                 "[ScalingManager] Auto scale-down server 0 after instance removal\n");
	ck_assert_uint_eq(managed_counters(managed).drain_timeouts, 1);
	ck_assert_uint_eq(managed_counters(managed).requests_moved, 1);
	managed_run(managed, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(managed->cluster, 0)->token_instance, 1);
	/* From its prompt again: 3 + 1 + 100 * 0.25. */
	ck_assert_double_eq(small_cluster_row(managed->cluster, 0)->e2e, 29);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- several at once --- */

START_TEST(booting_ones_are_cancelled_first)
{
	managed_cluster *managed = mixed("mmm", &managed_defaults);
	resize(managed, WEIR_TAG_MIXED, 1);
	managed_run(managed, 2);
	resize(managed, WEIR_TAG_MIXED, 1);
	managed_log(managed);
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, -1), -1, WEIR_REFUSED_NONE);
	ck_assert_str_eq(managed_log(managed),
	                 "[ScalingManager] Instance 4 boot cancelled at 2.00\n"
	                 "[Action] Removed mixed instance 4\n"
	                 "[ScalingManager] Auto scale-down server 4 after instance removal\n");
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, -2), -2, WEIR_REFUSED_NONE);
	weir_status_summary status = managed_status(managed);
	ck_assert_uint_eq(status.scaling_up, 0);
	ck_assert_uint_eq(status.draining, 1);
	ck_assert_uint_eq(status.servers, 3);
	ck_assert_uint_eq(managed_counters(managed).cancelled, 2);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(draining_ones_are_revived_first)
{
	managed_cluster *managed = mixed("mmm", &managed_defaults);
	managed_arrive(managed, 0, 100, 100);
	managed_run(managed, 0);
	resize(managed, WEIR_TAG_MIXED, -2); /* 1 and 2: 0 has a request */
	ck_assert_int_eq(managed_view(managed, 0).state, WEIR_INSTANCE_ACTIVE);
	managed_log(managed);
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, 1), 1, WEIR_REFUSED_NONE);
	ck_assert_str_eq(managed_log(managed), "[ScalingManager] Instance 2 taken back at 0.00\n"
	                                       "[Action] Added mixed instance 2 on server 2\n");
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_ACTIVE);
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, 2), 2, WEIR_REFUSED_NONE);
	weir_status_summary status = managed_status(managed);
	ck_assert_uint_eq(status.active, 3);
	ck_assert_uint_eq(status.scaling_up, 1);
	managed_run(managed, 20);
	ck_assert_uint_eq(managed_status(managed).active, 4);
	ck_assert_uint_eq(managed_counters(managed).revived, 2);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(the_plain_manager_neither_cancels_nor_revives)
{
	weir_scaling_config config = managed_defaults;
	config.cancel_scale_up_first = config.revive_draining_first = false;
	managed_cluster *managed = mixed("mmm", &config);
	resize(managed, WEIR_TAG_MIXED, 1);
	resize(managed, WEIR_TAG_MIXED, -1);
	resize(managed, WEIR_TAG_MIXED, 1);
	weir_status_summary status = managed_status(managed);
	ck_assert_uint_eq(status.scaling_up, 2);
	ck_assert_uint_eq(status.active, 2);
	ck_assert_uint_eq(status.draining, 1);
	managed_cluster_destroy(managed);
}
END_TEST

/* kv_jsq takes the least requests. Instance 0 gets 0 and 3, 1 gets 1, 2 gets 2: pending prompt
 * tokens 150, 400, 300. */
START_TEST(the_prompt_instance_with_fewest_pending_tokens_goes)
{
	managed_cluster *managed = pools("pppt");
	const int64_t tokens[] = {100, 400, 300, 50};
	for (int i = 0; i < 4; i++) {
		managed_arrive(managed, 0, tokens[i], 2);
	}
	managed_run(managed, 0);
	ck_assert_int_eq(managed_view(managed, 0).pending_prompt_tokens, 150);
	ck_assert_int_eq(managed_view(managed, 2).pending_prompt_tokens, 300);
	resize(managed, WEIR_TAG_PROMPT, -1);
	ck_assert_int_eq(managed_view(managed, 0).state, WEIR_INSTANCE_DRAINING);
	resize(managed, WEIR_TAG_PROMPT, -1);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_DRAINING);
	CHECK_RESULT(resize(managed, WEIR_TAG_PROMPT, -1), 0, WEIR_REFUSED_MIN_POOL);
	managed_cluster_destroy(managed);
}
END_TEST

/* Token instances: 1 has one long request, 2 two short ones; less KV is on 2. */
START_TEST(the_token_instance_with_least_kv_goes)
{
	managed_cluster *managed = pools("ptt");
	managed_arrive(managed, 0, 900, 200);
	managed_arrive(managed, 0, 100, 20);
	managed_run(managed, 0);
	ck_assert_int_gt(managed_view(managed, 1).memory_promised,
	                 managed_view(managed, 2).memory_promised);
	resize(managed, WEIR_TAG_TOKEN, -1);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_DRAINING);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(ties_go_to_the_lowest_id_and_a_type_narrows_the_choice)
{
	managed_cluster *managed = pools("pppptt");
	resize(managed, WEIR_TAG_PROMPT, -1);
	ck_assert_int_eq(managed_view(managed, 0).state, WEIR_INSTANCE_DRAINING);
	CHECK_RESULT(weir_manager_resize(managed->manager, actor, 0, WEIR_TAG_PROMPT, 2, -1), -1,
	             WEIR_REFUSED_NONE);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_DRAINING);
	CHECK_RESULT(weir_manager_resize(managed->manager, actor, 0, WEIR_TAG_PROMPT, 2, -1), 0,
	             WEIR_REFUSED_NOTHING_LEFT);
	CHECK_RESULT(weir_manager_resize(managed->manager, actor, 0, WEIR_TAG_PROMPT, 6, -1), 0,
	             WEIR_REFUSED_NO_TYPE);
	CHECK_RESULT(weir_manager_resize(managed->manager, actor, 0, WEIR_TAG_PROMPT, 3, 1), 1,
	             WEIR_REFUSED_NONE);
	ck_assert_uint_eq(managed_view(managed, 6).type, 3);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- role flips --- */

START_TEST(a_flip_changes_pools_and_its_bill_runs_on)
{
	managed_cluster *managed = pools("pptt");
	managed_run(managed, 4);
	ck_assert_int_eq(weir_manager_flip(managed->manager, actor, handle(2), WEIR_TAG_PROMPT),
	                 WEIR_REFUSED_NONE);
	ck_assert_int_eq(managed_view(managed, 2).tag, WEIR_TAG_TOKEN);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_PROMPT), 3);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_TOKEN), 1);
	ck_assert_int_eq(weir_manager_flip(managed->manager, actor, handle(3), WEIR_TAG_PROMPT),
	                 WEIR_REFUSED_MIN_POOL);
	ck_assert_int_eq(weir_manager_flip(managed->manager, actor, handle(3), WEIR_TAG_TOKEN),
	                 WEIR_REFUSED_SAME_POOL);
	ck_assert_int_eq(weir_manager_flip(managed->manager, actor, handle(3), WEIR_TAG_MIXED),
	                 WEIR_REFUSED_NO_POOL);
	/* Promised to the other pool: not taken back. */
	CHECK_RESULT(resize(managed, WEIR_TAG_TOKEN, 1), 1, WEIR_REFUSED_NONE);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_DRAINING);
	ck_assert_int_eq(managed_view(managed, 4).tag, WEIR_TAG_TOKEN);
	/* Empty at the look at 5, ACTIVE at 6. */
	managed_run(managed, 5);
	ck_assert_int_eq(managed_view(managed, 2).tag, WEIR_TAG_PROMPT);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_SCALING_UP);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_PROMPT), 3);
	ck_assert_double_eq(weir_manager_next_ready(managed->manager, 0, WEIR_TAG_PROMPT), 1);
	/* It is no boot that could be cancelled: the least loaded is drained instead. */
	CHECK_RESULT(resize(managed, WEIR_TAG_PROMPT, -1), -1, WEIR_REFUSED_NONE);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_SCALING_UP);
	managed_run(managed, 5.999);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_SCALING_UP);
	managed_run(managed, 6);
	ck_assert_int_eq(managed_view(managed, 2).state, WEIR_INSTANCE_ACTIVE);
	managed_run(managed, 10);
	weir_instance_view view = managed_view(managed, 2);
	ck_assert_double_eq(view.tag_seconds[WEIR_TAG_TOKEN], 5);
	ck_assert_double_eq(view.tag_seconds[WEIR_TAG_PROMPT], 5);
	ck_assert_double_eq(view.state_seconds[WEIR_INSTANCE_ACTIVE], 8);
	ck_assert_double_eq(view.state_seconds[WEIR_INSTANCE_DRAINING], 1);
	ck_assert_double_eq(view.state_seconds[WEIR_INSTANCE_SCALING_UP], 1);
	ck_assert_int_eq(view.memory, SMALL_WEIGHTS);
	ck_assert_uint_eq(managed_counters(managed).flipped, 1);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(migration_takes_the_least_loaded_and_keeps_the_minimum)
{
	managed_cluster *managed = pools("ptttt");
	managed_arrive(managed, 0, 100, 10);
	managed_run(managed, 0);
	managed_log(managed);
	CHECK_RESULT(
	    weir_manager_migrate(managed->manager, actor, 0, WEIR_TAG_TOKEN, WEIR_TAG_PROMPT, 9), 3,
	    WEIR_REFUSED_MIN_POOL);
	ck_assert_int_eq(managed_view(managed, 1).state, WEIR_INSTANCE_ACTIVE); /* has the request */
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_PROMPT), 4);
	ck_assert_uint_eq(managed_counters(managed).refused[WEIR_REFUSED_MIN_POOL], 6);
	const char *log = managed_log(managed);
	ck_assert_ptr_nonnull(strstr(log, "[ScalingManager] Instance 2 draining started at 0.00\n"
	                                  "[Action] Moving token instance 2 to the prompt pool\n"));
	ck_assert_ptr_nonnull(strstr(log, "[Action Blocked] Cannot remove token, min limit reached\n"));
	const weir_scaling_event_row *row = &managed->events[managed->event_count - 1];
	ck_assert_int_eq(row->action, WEIR_SCALING_MIGRATE);
	ck_assert_int_eq(row->pool, WEIR_TAG_PROMPT);
	ck_assert_int_eq(row->asked, 9);
	ck_assert_int_eq(row->done, 3);
	managed_run(managed, 100);
	ck_assert_uint_eq(managed_status(managed).by_tag[WEIR_TAG_PROMPT][WEIR_INSTANCE_ACTIVE], 4);
	CHECK_RESULT(
	    weir_manager_migrate(managed->manager, actor, 0, WEIR_TAG_TOKEN, WEIR_TAG_MIXED, 1), 0,
	    WEIR_REFUSED_NO_POOL);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- separate steps --- */

START_TEST(servers_and_instances_come_and_go_separately)
{
	managed_cluster *managed =
	    managed_cluster_create(managed_servers("jsq", "m", 2), &managed_defaults);
	const weir_scale_request request = {.tag = WEIR_TAG_MIXED, .type = WEIR_ANY_TYPE};
	weir_manager *manager = managed->manager;
	weir_server_handle server;
	ck_assert_int_eq(weir_manager_scale_up_server(manager, actor, &request, &server),
	                 WEIR_REFUSED_NONE);
	ck_assert_uint_eq(server.id, 1);
	ck_assert_int_eq(weir_manager_scale_down_server(manager, actor, server),
	                 WEIR_REFUSED_SERVER_NOT_ACTIVE);
	managed_run(managed, 4);
	weir_instance_handle first;
	weir_instance_handle second;
	ck_assert_int_eq(weir_manager_scale_up_instance(manager, actor, server, WEIR_TAG_MIXED, &first),
	                 WEIR_REFUSED_NONE);
	managed_run(managed, 10);
	ck_assert_int_eq(weir_manager_scale_down_server(manager, actor, server),
	                 WEIR_REFUSED_SERVER_IN_USE);
	ck_assert_int_eq(
	    weir_manager_scale_up_instance(manager, actor, server, WEIR_TAG_PROMPT, &second),
	    WEIR_REFUSED_NO_POOL);
	ck_assert_int_eq(
	    weir_manager_scale_up_instance(manager, actor, server, WEIR_TAG_MIXED, &second),
	    WEIR_REFUSED_NONE);
	weir_instance_handle third;
	ck_assert_int_eq(weir_manager_scale_up_instance(manager, actor, server, WEIR_TAG_MIXED, &third),
	                 WEIR_REFUSED_SERVER_FULL);
	managed_run(managed, 30);
	ck_assert_double_eq(managed_view(managed, first.slot).ready_since, 14);
	ck_assert_double_eq(managed_view(managed, second.slot).ready_since, 20);
	ck_assert_uint_eq(managed_status(managed).active, 4);
	/* A full scale-down leaves a server that still holds another. */
	ck_assert_int_eq(down_full(managed, first), WEIR_REFUSED_NONE);
	managed_run(managed, 31);
	ck_assert_uint_eq(managed_status(managed).servers, 2);
	ck_assert_int_eq(weir_manager_scale_down_instance(manager, actor, second), WEIR_REFUSED_NONE);
	managed_run(managed, 32);
	ck_assert_uint_eq(managed_status(managed).servers, 2);
	ck_assert_uint_eq(managed_status(managed).total_instances, 2);
	ck_assert_int_eq(weir_manager_scale_down_server(manager, actor, server), WEIR_REFUSED_NONE);
	ck_assert_uint_eq(managed_status(managed).servers, 1);
	ck_assert_int_eq(weir_manager_scale_down_server(manager, actor, server), WEIR_REFUSED_GONE);
	ck_assert_int_eq(weir_manager_scale_up_instance(manager, actor, server, WEIR_TAG_MIXED, &third),
	                 WEIR_REFUSED_GONE);
	managed_cluster_destroy(managed);
}
END_TEST

/* Both start instances of a server go with it, the first alone does not take it. */
START_TEST(a_server_goes_with_its_last_instance)
{
	managed_cluster *managed =
	    managed_cluster_create(managed_servers("jsq", "mm", 2), &managed_defaults);
	down_full(managed, handle(0));
	managed_run(managed, 1);
	ck_assert_uint_eq(managed_status(managed).servers, 2);
	down_full(managed, handle(1));
	managed_run(managed, 2);
	ck_assert_uint_eq(managed_status(managed).servers, 1);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- boot models --- */

/* Provision 100 s, weights of 1 MB at 1 GB/s, engine 20 s; one stopped server. */
START_TEST(a_warm_server_is_used_once_and_comes_back)
{
	weir_scaling_config config = managed_defaults;
	config.boot = (weir_boot_config){
	    .kind = WEIR_BOOT_WARM_POOL,
	    .provision = {.kind = WEIR_DURATION_CONSTANT, .mean = 100},
	    .engine_start = {.kind = WEIR_DURATION_CONSTANT, .mean = 20},
	    .load_bandwidth_gb_per_s = 1,
	    .warm_servers = 1,
	};
	managed_cluster *managed = mixed("m", &config);
	const double load = SMALL_WEIGHTS / (1024.0 * 1024 * 1024);
	weir_manager *manager = managed->manager;
	weir_instance_handle first;
	weir_instance_handle second;
	ck_assert_double_eq(weir_manager_mean_boot_delay(manager, 0, WEIR_TAG_MIXED), load + 20);
	up_full(managed, WEIR_TAG_MIXED, &first);
	ck_assert_double_eq(weir_manager_mean_boot_delay(manager, 0, WEIR_TAG_MIXED), 100 + load + 20);
	up_full(managed, WEIR_TAG_MIXED, &second);
	managed_run(managed, 200);
	ck_assert_double_eq(managed_view(managed, first.slot).ready_since, load + 20);
	ck_assert_double_eq(managed_view(managed, second.slot).ready_since, 100 + load + 20);
	down_full(managed, first);
	down_full(managed, second);
	managed_run(managed, 202);
	/* Two went, one is kept. */
	up_full(managed, WEIR_TAG_MIXED, &first);
	up_full(managed, WEIR_TAG_MIXED, &second);
	managed_run(managed, 400);
	ck_assert_double_eq(managed_view(managed, first.slot).ready_since, 202 + (load + 20));
	ck_assert_double_eq(managed_view(managed, second.slot).ready_since, 202 + (100 + load + 20));
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(an_instance_on_a_provisioned_server_loads_when_that_is_there)
{
	weir_scaling_config config = managed_defaults;
	config.boot = (weir_boot_config){
	    .kind = WEIR_BOOT_PROVISION,
	    .provision = {.kind = WEIR_DURATION_CONSTANT, .mean = 100},
	    .engine_start = {.kind = WEIR_DURATION_CONSTANT, .mean = 20},
	    .load_bandwidth_gb_per_s = SMALL_WEIGHTS / (1024.0 * 1024 * 1024), /* 1 s */
	};
	managed_cluster *managed = mixed("m", &config);
	const weir_scale_request request = {.tag = WEIR_TAG_MIXED, .type = WEIR_ANY_TYPE};
	weir_server_handle server;
	weir_instance_handle instance;
	weir_manager_scale_up_server(managed->manager, actor, &request, &server);
	managed_run(managed, 30);
	weir_manager_scale_up_instance(managed->manager, actor, server, WEIR_TAG_MIXED, &instance);
	managed_run(managed, 200);
	ck_assert_double_eq(managed_view(managed, instance.slot).ready_since, 121);
	managed_cluster_destroy(managed);
}
END_TEST

static double twice(void *context)
{
	(void)context;
	return 2;
}

static bool at_once(void *context)
{
	return --*(int *)context == 0;
}

START_TEST(boots_can_be_slow_and_fail_at_their_end)
{
	managed_cluster *managed = mixed("m", &managed_defaults);
	int fails_in = 2;
	const weir_boot_faults faults = {.context = &fails_in, .slowness = twice, .fails = at_once};
	weir_manager_set_boot_faults(managed->manager, &faults);
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, 2), 2, WEIR_REFUSED_NONE);
	managed_run(managed, 19.999);
	ck_assert_uint_eq(managed_status(managed).scaling_up, 2);
	managed_run(managed, 20);
	weir_status_summary status = managed_status(managed);
	ck_assert_uint_eq(status.active, 2);
	ck_assert_uint_eq(status.scaling_up, 0);
	ck_assert_uint_eq(status.servers, 2);
	ck_assert_uint_eq(weir_manager_operations(managed->manager), 0);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- losses --- */

START_TEST(a_lost_instance_is_gone_at_once_with_its_server)
{
	managed_cluster *managed = pools("pptt");
	managed->cluster->config.max_retries = 3;
	managed_arrive(managed, 0, 100, 10);
	managed_run(managed, 0.5);
	weir_manager *manager = managed->manager;
	ck_assert_uint_eq(weir_manager_lose(manager, "faults", handle(0), WEIR_SCALING_CRASHED), 1);
	ck_assert_uint_eq(managed_status(managed).total_instances, 3);
	ck_assert_uint_eq(managed_status(managed).servers, 3);
	ck_assert_uint_eq(weir_manager_lose(manager, "faults", handle(0), WEIR_SCALING_CRASHED), 0);
	/* Lost on its way to the other pool: that no longer counts it. */
	weir_manager_flip(manager, actor, handle(3), WEIR_TAG_PROMPT);
	ck_assert_int_eq(weir_manager_size(manager, 0, WEIR_TAG_PROMPT), 2);
	weir_manager_lose(manager, "faults", handle(3), WEIR_SCALING_SERVER_LOST);
	ck_assert_int_eq(weir_manager_size(manager, 0, WEIR_TAG_PROMPT), 1);
	managed_run(managed, (double)INFINITY);
	ck_assert_int_eq(small_cluster_row(managed->cluster, 0)->prompt_instance, 1);
	weir_manager_counters counters = managed_counters(managed);
	ck_assert_uint_eq(counters.removed, 2);
	ck_assert_uint_eq(weir_manager_operations(manager), 0);
	managed_cluster_destroy(managed);
}
END_TEST

/* An instance that came by a flip and is lost takes nothing from any pool's promise. */
START_TEST(a_flip_that_is_over_leaves_no_promise)
{
	managed_cluster *managed = pools("pptt");
	weir_manager_flip(managed->manager, actor, handle(3), WEIR_TAG_PROMPT);
	managed_run(managed, 10);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_PROMPT), 3);
	weir_manager_lose(managed->manager, "faults", handle(3), WEIR_SCALING_CRASHED);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_PROMPT), 2);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- books --- */

/* Creation to removal is paid, whatever the state: what the instances say must be the integral of
 * how many there were, kept here from event to event. */
START_TEST(the_bill_is_the_integral_of_the_counts)
{
	managed_cluster *managed = pools("pptt");
	double paid[WEIR_TAG_COUNT][WEIR_INSTANCE_STATE_COUNT] = {{0}};
	double last = 0;
	double servers = 0;
	for (int i = 0; i < 400; i++) {
		managed_arrive(managed, 0.37 * i, 50 + 13 * (i % 40), 2 + i % 60);
	}
	int step = 0;
	weir_status_summary status = managed_status(managed);
	while (managed_step(managed, (double)INFINITY)) {
		double now = weir_engine_now(managed->cluster->engine);
		for (int t = 0; t < WEIR_TAG_COUNT; t++) {
			for (int s = 0; s < WEIR_INSTANCE_STATE_COUNT; s++) {
				paid[t][s] += status.by_tag[t][s] * (now - last);
			}
		}
		servers += status.servers * (now - last);
		last = now;
		if (++step % 7 == 0) {
			static const int64_t deltas[] = {2, -1, 1, -2, 3, -1, -2};
			resize(managed, step % 2 == 0 ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN, deltas[step % 7]);
			resize(managed, step % 3 == 0 ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN,
			       deltas[(step / 7) % 7]);
			weir_manager_migrate(managed->manager, actor, 0,
			                     step % 4 == 0 ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN,
			                     step % 4 == 0 ? WEIR_TAG_TOKEN : WEIR_TAG_PROMPT, step % 2);
		}
		status = managed_status(managed);
	}
	ck_assert_uint_gt(managed->ended_count, 20);
	ck_assert_uint_eq(managed->cluster->row_count, 400);
	double by_state[WEIR_INSTANCE_STATE_COUNT] = {0};
	double by_tag[WEIR_TAG_COUNT] = {0};
	uint32_t slots = weir_serving_instance_slots(managed->cluster->serving);
	for (size_t i = 0; i < managed->ended_count + slots; i++) {
		weir_instance_view view;
		if (i < managed->ended_count) {
			view = managed->ended[i];
		} else if (!weir_serving_instance(managed->cluster->serving,
		                                  (uint32_t)(i - managed->ended_count), &view)) {
			continue;
		}
		for (int s = 0; s < WEIR_INSTANCE_STATE_COUNT; s++) {
			by_state[s] += view.state_seconds[s];
		}
		for (int t = 0; t < WEIR_TAG_COUNT; t++) {
			by_tag[t] += view.tag_seconds[t];
		}
	}
	double dollars = 0;
	for (int t = 0; t < WEIR_TAG_COUNT; t++) {
		weir_pool_books books;
		weir_serving_pool_books(managed->cluster->serving, 0, (weir_tag)t, &books);
		double sum = 0;
		for (int s = 0; s < WEIR_INSTANCE_STATE_COUNT; s++) {
			ck_assert_double_eq_tol(books.seconds[s], paid[t][s], 1e-9 * fmax(1, paid[t][s]));
			sum += paid[t][s];
			by_state[s] -= paid[t][s];
		}
		ck_assert_double_eq_tol(by_tag[t], sum, 1e-9 * fmax(1, sum));
		dollars += books.cost_usd;
	}
	for (int s = 0; s < WEIR_INSTANCE_STATE_COUNT; s++) {
		ck_assert_double_eq_tol(by_state[s], 0, 1e-9 * last * 100);
	}
	/* A dollar a second, one instance on each server. */
	ck_assert_double_eq_tol(dollars, servers, 1e-9 * servers);
	ck_assert_double_eq_tol(weir_serving_cost(managed->cluster->serving), servers, 1e-9 * servers);
	weir_manager_counters counters = managed_counters(managed);
	ck_assert_uint_eq(counters.removed, managed->ended_count);
	ck_assert_uint_eq(4 + counters.started - counters.removed,
	                  managed_status(managed).total_instances);
	ck_assert_uint_eq(counters.servers_removed, managed->servers_ended);
	managed_cluster_destroy(managed);
}
END_TEST

START_TEST(a_thousand_cycles_leave_memory_where_it_was)
{
	managed_cluster *managed = mixed("m", &managed_defaults);
	weir_instance_handle made;
	size_t before = 0;
	for (int i = 0; i < 1100; i++) {
		ck_assert_int_eq(up_full(managed, WEIR_TAG_MIXED, &made), WEIR_REFUSED_NONE);
		managed_run(managed, 20.0 * i + 10);
		ck_assert_int_eq(down_full(managed, made), WEIR_REFUSED_NONE);
		managed_run(managed, 20.0 * i + 20);
		/* What the test itself keeps is no part of it. */
		managed->event_count = managed->ended_count = 0;
		managed_log(managed);
		if (i == 99) {
			before = mallinfo2().uordblks;
		}
	}
	ck_assert_uint_eq(made.id, 1100);
	ck_assert_uint_eq(mallinfo2().uordblks, before);
	ck_assert_uint_eq(weir_serving_instance_slots(managed->cluster->serving), 2);
	ck_assert_uint_eq(weir_serving_server_slots(managed->cluster->serving), 2);
	managed_cluster_destroy(managed);
}
END_TEST

/* More instances than any array holds at first. */
START_TEST(a_cluster_can_grow_large_and_shrink)
{
	managed_cluster *managed = mixed("m", &managed_defaults);
	managed->config.max_total_instances = 1000;
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, 2000), 999, WEIR_REFUSED_MAX_TOTAL);
	managed_run(managed, 10);
	ck_assert_uint_eq(managed_status(managed).active, 1000);
	CHECK_RESULT(resize(managed, WEIR_TAG_MIXED, -2000), -999, WEIR_REFUSED_MIN_POOL);
	managed_run(managed, 11);
	ck_assert_uint_eq(managed_status(managed).total_instances, 1);
	ck_assert_int_eq(weir_manager_size(managed->manager, 0, WEIR_TAG_MIXED), 1);
	managed_cluster_destroy(managed);
}
END_TEST

/* --- snapshots --- */

static void act(managed_cluster *managed, int step)
{
	static const int64_t deltas[] = {3, -1, 2, -3, 1, -2};
	resize(managed, step % 2 == 0 ? WEIR_TAG_PROMPT : WEIR_TAG_TOKEN, deltas[step % 6]);
	weir_manager_migrate(managed->manager, actor, 0, WEIR_TAG_TOKEN, WEIR_TAG_PROMPT, step % 3);
}

START_TEST(a_copy_goes_on_as_the_original)
{
	weir_scaling_config config = managed_defaults;
	config.boot = (weir_boot_config){
	    .kind = WEIR_BOOT_WARM_POOL,
	    .provision = {.kind = WEIR_DURATION_EXPONENTIAL, .mean = 5},
	    .engine_start = {.kind = WEIR_DURATION_LOGNORMAL, .mean = 2, .cv = 1},
	    .load_bandwidth_gb_per_s = 1,
	    .warm_servers = 2,
	};
	managed_cluster *one = managed_cluster_create(managed_servers("kv_jsq", "pptt", 1), &config);
	int step = 0;
	for (; step < 40; step++) {
		act(one, step);
		managed_run(one, 1.3 * (step + 1));
	}
	managed_cluster *two = managed_copy(one);
	managed_log(one);
	size_t first = one->event_count;
	for (; step < 120; step++) {
		act(one, step);
		act(two, step);
		managed_run(one, 1.3 * (step + 1));
		managed_run(two, 1.3 * (step + 1));
		ck_assert_int_eq(weir_manager_size(one->manager, 0, WEIR_TAG_PROMPT),
		                 weir_manager_size(two->manager, 0, WEIR_TAG_PROMPT));
	}
	ck_assert_uint_gt(two->event_count, 100);
	ck_assert_uint_eq(one->event_count - first, two->event_count);
	for (size_t i = 0; i < two->event_count; i++) {
		const weir_scaling_event_row *row = &one->events[first + i];
		const weir_scaling_event_row *copied = &two->events[i];
#define SAME(field, type, column, unit, description)                                               \
	ck_assert_msg(row->field == copied->field, "row %zu: " #field, i);
		WEIR_SCALING_EVENT_ROW(SAME)
#undef SAME
		ck_assert_str_eq(row->actor, copied->actor);
	}
	ck_assert_str_eq(managed_log(one), managed_log(two));
	weir_manager_counters a = managed_counters(one);
	weir_manager_counters b = managed_counters(two);
	ck_assert_int_eq(memcmp(&a, &b, sizeof a), 0);
	managed_cluster_destroy(one);
	managed_cluster_destroy(two);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/manager");
	TCase *tests = tcase_create("manager");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, there_is_no_capacity_before_the_boot_delay);
	tcase_add_test(tests, an_instance_is_of_the_pools_own_type_or_the_one_named);
	tcase_add_test(tests, a_cluster_of_mixed_servers_has_one_pool);
	tcase_add_test(tests, the_log_reads_as_documented);
	tcase_add_test(tests, every_step_is_a_row);
	tcase_add_test(tests, a_drain_ends_at_the_first_look_that_finds_it_empty);
	tcase_add_test(tests, a_destination_assigned_but_not_reached_is_not_empty);
	tcase_add_test(tests, what_is_not_active_cannot_be_scaled_down);
	tcase_add_test(tests, a_drain_that_takes_too_long_is_ended_on_the_instant);
	tcase_add_test(tests, booting_ones_are_cancelled_first);
	tcase_add_test(tests, draining_ones_are_revived_first);
	tcase_add_test(tests, the_plain_manager_neither_cancels_nor_revives);
	tcase_add_test(tests, the_prompt_instance_with_fewest_pending_tokens_goes);
	tcase_add_test(tests, the_token_instance_with_least_kv_goes);
	tcase_add_test(tests, ties_go_to_the_lowest_id_and_a_type_narrows_the_choice);
	tcase_add_test(tests, a_flip_changes_pools_and_its_bill_runs_on);
	tcase_add_test(tests, migration_takes_the_least_loaded_and_keeps_the_minimum);
	tcase_add_test(tests, servers_and_instances_come_and_go_separately);
	tcase_add_test(tests, a_server_goes_with_its_last_instance);
	tcase_add_test(tests, a_warm_server_is_used_once_and_comes_back);
	tcase_add_test(tests, an_instance_on_a_provisioned_server_loads_when_that_is_there);
	tcase_add_test(tests, boots_can_be_slow_and_fail_at_their_end);
	tcase_add_test(tests, a_lost_instance_is_gone_at_once_with_its_server);
	tcase_add_test(tests, a_flip_that_is_over_leaves_no_promise);
	tcase_add_test(tests, the_bill_is_the_integral_of_the_counts);
	tcase_add_test(tests, a_thousand_cycles_leave_memory_where_it_was);
	tcase_add_test(tests, a_cluster_can_grow_large_and_shrink);
	tcase_add_test(tests, a_copy_goes_on_as_the_original);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
