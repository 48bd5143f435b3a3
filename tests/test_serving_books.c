/* What pools, instances and servers have cost, for how long they were there, and what they did. */
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/lifecycle_support.h"
#include "support/small_cluster.h"
#include "support/storm.h"
#include "support/test_support.h"

/* 36 dollars an hour: a cent a second for the server, half a cent for one of its two instances. */
static const small_server server = {
    .tag = WEIR_TAG_MIXED,
    .gpus = 2,
    .kv_tokens = 1000,
    .nic_bytes_per_s = 1e5,
    .tdp_w = 1000,
    .price_per_hour = 36,
    .speed = {.prompt_s = 1.0, .token_s = 0.25, .prompt_power = 0.8, .token_power = 0.5},
};

static weir_pool_books books_of(const small_cluster *cluster, weir_tag tag)
{
	weir_pool_books books;
	weir_serving_pool_books(cluster->serving, 0, tag, &books);
	return books;
}

static weir_pool_counters pool_of(const small_cluster *cluster, weir_tag tag)
{
	weir_pool_counters counters;
	weir_serving_pool(cluster->serving, 0, tag, &counters);
	return counters;
}

static weir_instance_handle add(small_cluster *cluster, weir_server_handle host, weir_tag tag)
{
	weir_error error = {0};
	weir_instance_handle instance;
	ck_assert_ok(weir_serving_add_instance(cluster->serving, host, tag, &instance, &error), &error);
	ck_assert_ok(weir_serving_check(cluster->serving, &error), &error);
	return instance;
}

static weir_server_handle add_server(small_cluster *cluster, uint32_t type)
{
	weir_error error = {0};
	weir_server_handle added;
	ck_assert_ok(weir_serving_add_server(cluster->serving, 0, type, &added, &error), &error);
	return added;
}

static small_cluster *one_server(const char *scheduler)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, scheduler, "splitwise");
	small_application_add_server(application, &server);
	small_cluster_start(cluster);
	return cluster;
}

START_TEST(every_second_is_paid_in_its_state_and_pool)
{
	small_cluster *cluster = one_server("round_robin");
	small_cluster_run(cluster, 10.0);
	weir_server_handle host = add_server(cluster, 0);
	weir_instance_handle instance = add(cluster, host, WEIR_TAG_PROMPT);
	small_cluster_run(cluster, 14.0);
	set_state(cluster->serving, instance, WEIR_INSTANCE_ACTIVE);
	small_cluster_run(cluster, 20.0);
	set_state(cluster->serving, instance, WEIR_INSTANCE_DRAINING);
	small_cluster_run(cluster, 21.0);
	weir_serving_set_tag(cluster->serving, instance, WEIR_TAG_TOKEN);
	small_cluster_run(cluster, 24.0);
	set_state(cluster->serving, instance, WEIR_INSTANCE_ACTIVE);
	small_cluster_run(cluster, 32.0);

	weir_instance_view view = view_of(cluster->serving, instance.slot);
	ck_assert_uint_eq(view.id, 2);
	ck_assert_uint_eq(view.server, 1);
	ck_assert_double_eq(view.created, 10.0);
	ck_assert_double_eq(view.ready_since, 14.0);
	ck_assert_double_eq(view.drain_since, 20.0);
	ck_assert_double_eq(view.state_since, 24.0);
	ck_assert_double_eq(view.state_seconds[WEIR_INSTANCE_SCALING_UP], 4.0);
	ck_assert_double_eq(view.state_seconds[WEIR_INSTANCE_ACTIVE], 6.0 + 8.0);
	ck_assert_double_eq(view.state_seconds[WEIR_INSTANCE_DRAINING], 1.0 + 3.0);
	ck_assert_double_eq(view.tag_seconds[WEIR_TAG_PROMPT], 11.0);
	ck_assert_double_eq(view.tag_seconds[WEIR_TAG_TOKEN], 11.0);
	ck_assert_double_eq(view.tag_seconds[WEIR_TAG_MIXED], 0.0);
	/* It boots, waits and drains at idle power, for a half of the server: 0.25 * 500 W. */
	ck_assert_double_eq(view.energy_joules, 22.0 * 125);

	weir_pool_books prompt = books_of(cluster, WEIR_TAG_PROMPT);
	ck_assert_double_eq(prompt.seconds[WEIR_INSTANCE_SCALING_UP], 4.0);
	ck_assert_double_eq(prompt.seconds[WEIR_INSTANCE_ACTIVE], 6.0);
	ck_assert_double_eq(prompt.seconds[WEIR_INSTANCE_DRAINING], 1.0);
	ck_assert_double_eq_tol(prompt.cost_usd, 11.0 * 0.005, 1e-15);
	ck_assert_double_eq(pool_of(cluster, WEIR_TAG_PROMPT).energy_joules, 11.0 * 125);
	weir_pool_books token = books_of(cluster, WEIR_TAG_TOKEN);
	ck_assert_double_eq(token.seconds[WEIR_INSTANCE_DRAINING], 3.0);
	ck_assert_double_eq(token.seconds[WEIR_INSTANCE_ACTIVE], 8.0);
	ck_assert_double_eq_tol(token.cost_usd, 11.0 * 0.005, 1e-15);
	ck_assert_uint_eq(token.count[WEIR_INSTANCE_ACTIVE], 1);
	ck_assert_uint_eq(token.active_by_list, 1);
	weir_pool_books mixed = books_of(cluster, WEIR_TAG_MIXED);
	ck_assert_double_eq(mixed.seconds[WEIR_INSTANCE_ACTIVE], 2 * 32.0);
	ck_assert_double_eq_tol(mixed.cost_usd, 64.0 * 0.005, 1e-15);
	/* Servers are paid whole, however many instances they hold. */
	ck_assert_double_eq_tol(weir_serving_cost(cluster->serving), (32.0 + 22.0) * 0.01, 1e-15);

	set_state(cluster->serving, instance, WEIR_INSTANCE_SCALING_UP);
	weir_serving_remove_instance(cluster->serving, instance);
	small_cluster_run(cluster, 40.0);
	ck_assert_double_eq_tol(weir_serving_cost(cluster->serving), (40.0 + 30.0) * 0.01, 1e-15);
	weir_serving_remove_server(cluster->serving, host);
	small_cluster_run(cluster, 50.0);
	ck_assert_double_eq_tol(weir_serving_cost(cluster->serving), (50.0 + 30.0) * 0.01, 1e-15);
	ck_assert_double_eq(books_of(cluster, WEIR_TAG_TOKEN).seconds[WEIR_INSTANCE_ACTIVE], 8.0);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(a_pool_keeps_what_left_it_did)
{
	small_cluster *cluster = one_server("round_robin");
	small_cluster_arrive(cluster, 0.0, 0, 100, 11);
	small_cluster_run(cluster, 5.0);
	set_active(cluster->serving, 0, false);
	weir_pool_counters before = pool_of(cluster, WEIR_TAG_MIXED);
	ck_assert_double_eq(before.busy_seconds, 3.5);
	ck_assert_double_eq(before.batch_token_seconds, 102.5);
	/* Shares of 500 W: prompt, tokens, then idle; the other instance all the time idle. */
	ck_assert_double_eq(before.energy_joules, 400 + 2.5 * 250 + 1.5 * 125 + 5.0 * 125);
	weir_serving_set_tag(cluster->serving, handle_of(cluster->serving, 0), WEIR_TAG_PROMPT);
	weir_pool_counters after = pool_of(cluster, WEIR_TAG_MIXED);
	ck_assert_mem_eq(&before, &after, sizeof before);
	after = pool_of(cluster, WEIR_TAG_PROMPT);
	ck_assert_double_eq(after.energy_joules, 0.0);
	ck_assert_int_eq(after.prompt_tokens, 0);
	/* Back in service, what it does counts for its new pool. */
	set_active(cluster->serving, 0, true);
	set_active(cluster->serving, 1, false);
	small_cluster_arrive(cluster, 6.0, 0, 50, 1);
	small_cluster_run(cluster, 8.0);
	after = pool_of(cluster, WEIR_TAG_PROMPT);
	ck_assert_double_eq(after.busy_seconds, 1.0);
	ck_assert_double_eq(after.batch_token_seconds, 50.0);
	ck_assert_double_eq(after.energy_joules, 2 * 125 + 400);
	ck_assert_int_eq(after.prompt_tokens, 50);
	ck_assert_uint_eq(after.requests_completed, 1);
	set_active(cluster->serving, 0, false);
	weir_serving_remove_instance(cluster->serving, handle_of(cluster->serving, 0));
	weir_pool_counters kept = pool_of(cluster, WEIR_TAG_PROMPT);
	ck_assert_mem_eq(&kept, &after, sizeof kept);
	small_cluster_destroy(cluster);
}
END_TEST

START_TEST(sums_over_a_pool_are_at_hand)
{
	small_cluster *cluster = one_server("jsq");
	for (int i = 0; i < 6; i++) {
		small_cluster_arrive(cluster, 0.0, 0, 300, i < 4 ? 11 : 1);
	}
	small_cluster_run(cluster, 0.5);
	weir_pool_books books = books_of(cluster, WEIR_TAG_MIXED);
	ck_assert_int_eq(books.requests, 6);
	ck_assert_int_eq(books.pending_prompt_tokens, 1800);
	ck_assert_int_eq(books.kv_promised, (4 * 311 + 2 * 301) * SMALL_KV_BYTES);
	ck_assert_uint_eq(books.count[WEIR_INSTANCE_ACTIVE], 2);
	ck_assert_uint_eq(books.active_by_list, 2);
	/* One prompt runs on each instance: the first began before the others had arrived. */
	ck_assert_int_eq(books.queued_prompts, 4);
	ck_assert_int_eq(books.queued_tokens, 4);
	weir_application_counters counters;
	weir_serving_application(cluster->serving, 0, &counters);
	ck_assert_uint_eq(counters.arrived, 6);
	ck_assert_uint_eq(counters.in_system, 6);
	ck_assert_int_eq(counters.prompt_tokens_arrived, 1800);
	ck_assert_int_eq(counters.output_tokens_arrived, 46);
	ck_assert_uint_eq(counters.no_prompt_candidate, 0);
	small_cluster_run(cluster, 100.0);
	books = books_of(cluster, WEIR_TAG_MIXED);
	ck_assert_int_eq(books.requests + books.pending_prompt_tokens + books.kv_promised +
	                     books.queued_prompts + books.queued_tokens,
	                 0);
	set_active(cluster->serving, 0, false);
	set_active(cluster->serving, 1, false);
	small_cluster_arrive(cluster, 100.0, 0, 300, 11);
	small_cluster_run(cluster, 101.0);
	weir_serving_application(cluster->serving, 0, &counters);
	ck_assert_uint_eq(counters.waiting_at_scheduler, 1);
	ck_assert_uint_eq(counters.in_system, 1);
	ck_assert_uint_eq(counters.no_prompt_candidate, 1);
	ck_assert_uint_eq(counters.no_token_candidate, 1);
	small_cluster_destroy(cluster);
}
END_TEST

/* Counted beside the books, in quadruple the care: each change at its instant, in long double. */
typedef struct shadow {
	long double seconds[SMALL_APPLICATIONS][WEIR_TAG_COUNT][WEIR_INSTANCE_STATE_COUNT];
	long double cost[SMALL_APPLICATIONS][WEIR_TAG_COUNT];
	long double instance_seconds; /* of instances that are gone */
	double last;
} shadow;

static void shadow_time(shadow *s, const small_cluster *cluster)
{
	double now = weir_engine_now(cluster->engine);
	long double elapsed = (long double)now - (long double)s->last;
	for (uint32_t i = 0; i < weir_serving_instance_slots(cluster->serving); i++) {
		weir_instance_view view;
		if (elapsed > 0 && weir_serving_instance(cluster->serving, i, &view)) {
			const weir_instance_type *type = &cluster->configs[view.application].types[view.type];
			s->seconds[view.application][view.tag][view.state] += elapsed;
			s->cost[view.application][view.tag] += elapsed * (long double)type->share_of_server *
			                                       (long double)type->sku->price_per_hour / 3600;
		}
	}
	s->last = now;
}

static void check_within(double found, long double expected, double relative)
{
	ck_assert_double_le(fabs(found - (double)expected), relative * fabs((double)expected));
}

static void check_close(double found, long double expected)
{
	check_within(found, expected, 1e-9);
}

static long double total_of(const weir_instance_view *view)
{
	long double total = 0;
	for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
		total += (long double)view->state_seconds[state];
	}
	return total;
}

static void check_shadow(const shadow *s, const small_cluster *cluster)
{
	long double all = 0;
	for (uint32_t a = 0; a < cluster->config.application_count; a++) {
		for (uint32_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			weir_pool_books books;
			weir_serving_pool_books(cluster->serving, a, (weir_tag)tag, &books);
			check_close(books.cost_usd, s->cost[a][tag]);
			for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
				check_close(books.seconds[state], s->seconds[a][tag][state]);
				all += (long double)books.seconds[state];
			}
		}
	}
	long double sum = s->instance_seconds;
	for (uint32_t i = 0; i < weir_serving_instance_slots(cluster->serving); i++) {
		weir_instance_view view;
		if (weir_serving_instance(cluster->serving, i, &view)) {
			sum += total_of(&view);
			long double by_tag = 0;
			for (int tag = 0; tag < WEIR_TAG_COUNT; tag++) {
				by_tag += (long double)view.tag_seconds[tag];
			}
			check_close((double)by_tag, total_of(&view));
			check_close((double)total_of(&view), weir_engine_now(cluster->engine) - view.created);
		}
	}
	check_close((double)all, sum);
}

/* What is gone after an operation had its last view before it. */
static void operate(small_cluster *cluster, gsl_rng *draws, shadow *s)
{
	weir_instance_view before[STORM_INSTANCES + 8];
	uint32_t count = 0;
	for (uint32_t i = 0; i < weir_serving_instance_slots(cluster->serving); i++) {
		count += weir_serving_instance(cluster->serving, i, &before[count]);
	}
	storm_operate(cluster, draws);
	for (uint32_t i = 0; i < count; i++) {
		const weir_instance_handle handle = {before[i].slot, before[i].id};
		if (!weir_serving_has_instance(cluster->serving, handle)) {
			s->instance_seconds += total_of(&before[i]);
		}
	}
}

static bool is_at_least(double after, double before)
{
	return after >= before - 1e-12 * before;
}

static void check_monotone(const small_cluster *cluster, weir_pool_counters *past)
{
	for (uint32_t a = 0; a < cluster->config.application_count; a++) {
		for (uint32_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			weir_pool_counters *before = &past[a * WEIR_TAG_COUNT + tag];
			weir_pool_counters now;
			weir_serving_pool(cluster->serving, a, (weir_tag)tag, &now);
			ck_assert(is_at_least(now.busy_seconds, before->busy_seconds));
			ck_assert(is_at_least(now.batch_token_seconds, before->batch_token_seconds));
			ck_assert(is_at_least(now.energy_joules, before->energy_joules));
			ck_assert_int_ge(now.prompt_tokens, before->prompt_tokens);
			ck_assert_int_ge(now.output_tokens, before->output_tokens);
			ck_assert_uint_ge(now.requests_completed, before->requests_completed);
			ck_assert_uint_ge(now.prompts_started, before->prompts_started);
			*before = now;
		}
	}
}

START_TEST(books_are_exact_and_monotone_under_random_operations)
{
	for (uint64_t seed = 0; seed < STORM_CYCLE; seed++) {
		small_cluster *cluster = storm_create(seed, 25);
		gsl_rng *draws = weir_stream_create(seed, "operations", 1);
		shadow s = {0};
		weir_pool_counters past[SMALL_APPLICATIONS * WEIR_TAG_COUNT] = {0};
		for (int step = 0; step < 600; step++) {
			double next = weir_engine_next_time(cluster->engine);
			if (isinf(next)) {
				break;
			}
			/* Operations between events as well. */
			double now = weir_engine_now(cluster->engine);
			weir_engine_advance(cluster->engine, now + gsl_rng_uniform(draws) * (next - now));
			shadow_time(&s, cluster);
			operate(cluster, draws, &s);
			check_monotone(cluster, past);
			small_cluster_step(cluster, (double)INFINITY);
			shadow_time(&s, cluster);
			check_monotone(cluster, past);
		}
		check_shadow(&s, cluster);
		gsl_rng_free(draws);
		small_cluster_destroy(cluster);
	}
}
END_TEST

START_TEST(errors_do_not_build_up_over_long_runs)
{
	/* A third of a second at a time, after four years. */
	enum { CHANGES = 200000 };
	small_cluster *cluster = one_server("round_robin");
	weir_instance_handle instance = handle_of(cluster->serving, 0);
	weir_error error = {0};
	shadow s = {0};
	weir_engine_advance(cluster->engine, 1.2e8);
	shadow_time(&s, cluster);
	set_state(cluster->serving, instance, WEIR_INSTANCE_DRAINING);
	for (int i = 0; i < CHANGES; i++) {
		weir_engine_advance(cluster->engine, weir_engine_now(cluster->engine) + 1.0 / 3.0);
		shadow_time(&s, cluster);
		weir_instance_state state =
		    i % 3 == 0 ? WEIR_INSTANCE_SCALING_UP
		               : (i % 3 == 1 ? WEIR_INSTANCE_ACTIVE : WEIR_INSTANCE_DRAINING);
		ck_assert_ok(weir_serving_set_state(cluster->serving, instance, state, &error), &error);
	}
	check_shadow(&s, cluster);
	/* To a few roundings of one double, after so many changes. */
	weir_pool_books books = books_of(cluster, WEIR_TAG_MIXED);
	for (int state = 0; state < WEIR_INSTANCE_STATE_COUNT; state++) {
		check_within(books.seconds[state], s.seconds[0][WEIR_TAG_MIXED][state], 1e-15);
	}
	/* All the time there were two, for half a cent each. */
	check_within(books.cost_usd, (long double)weir_engine_now(cluster->engine) / 100, 1e-15);
	small_cluster_destroy(cluster);
}
END_TEST

static void cycle(small_cluster *cluster, int i)
{
	weir_serving *serving = cluster->serving;
	double now = weir_engine_now(cluster->engine);
	weir_server_handle host = add_server(cluster, 0);
	weir_instance_handle two[2] = {add(cluster, host, WEIR_TAG_MIXED),
	                               add(cluster, host, WEIR_TAG_MIXED)};
	for (int k = 0; k < 2; k++) {
		set_state(serving, two[k], WEIR_INSTANCE_ACTIVE);
	}
	/* Arrivals take memory of the test's own, so there is a limit to them. */
	for (int k = 0; k < 8 && i < 100; k++) {
		small_cluster_arrive(cluster, now + 0.1, 0, 100, 5);
	}
	small_cluster_run(cluster, now + 1.0);
	for (int k = 0; k < 2; k++) {
		set_state(serving, two[k], WEIR_INSTANCE_DRAINING);
	}
	small_cluster_run(cluster, now + 20.0);
	for (int k = 0; k < 2; k++) {
		ck_assert(weir_serving_is_empty(serving, two[k]));
		weir_serving_remove_instance(serving, two[k]);
	}
	weir_serving_remove_server(serving, host);
}

START_TEST(slots_are_used_again_and_memory_stays_where_it_was)
{
	small_cluster *cluster = small_cluster_create();
	small_application *application = small_cluster_add(cluster, "jsq", "splitwise");
	small_application_add_server(application, &server);
	cluster->config.network.kind = WEIR_NETWORK_SHARED_NIC;
	small_cluster_start(cluster);
	for (int i = 0; i < 100; i++) {
		cycle(cluster, i);
	}
	size_t before = mallinfo2().uordblks;
	for (int i = 100; i < 1100; i++) {
		cycle(cluster, i);
	}
	ck_assert_uint_eq(mallinfo2().uordblks, before);
	ck_assert_uint_eq(weir_serving_instance_slots(cluster->serving), 4);
	ck_assert_uint_eq(weir_serving_server_slots(cluster->serving), 2);
	weir_server_handle host = add_server(cluster, 0);
	ck_assert_uint_eq(host.slot, 1);
	ck_assert_uint_eq(host.id, 1101);
	weir_instance_handle instance = add(cluster, host, WEIR_TAG_MIXED);
	ck_assert_uint_eq(instance.id, 2 + 2200);
	ck_assert_uint_eq(view_of(cluster->serving, instance.slot).server, 1101);
	small_cluster_destroy(cluster);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/books");
	TCase *tests = tcase_create("books");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, every_second_is_paid_in_its_state_and_pool);
	tcase_add_test(tests, a_pool_keeps_what_left_it_did);
	tcase_add_test(tests, sums_over_a_pool_are_at_hand);
	tcase_add_test(tests, books_are_exact_and_monotone_under_random_operations);
	tcase_add_test(tests, errors_do_not_build_up_over_long_runs);
	tcase_add_test(tests, slots_are_used_again_and_memory_stays_where_it_was);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
