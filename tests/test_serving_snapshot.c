/* Copies of a running simulation go on exactly as the original does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/fast_run.h"
#include "support/lifecycle_support.h"
#include "support/random_case.h"
#include "support/storm.h"
#include "support/test_support.h"

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void check_same_results(const char *text, const random_case *random, const naive_result *a,
                               const naive_result *b)
{
	ck_assert_msg(a->row_count == b->row_count && a->events == b->events &&
	                  a->end_time == b->end_time,
	              "%s: %zu rows, %llu events, end %.17g; %zu, %llu, %.17g", text, a->row_count,
	              (unsigned long long)a->events, a->end_time, b->row_count,
	              (unsigned long long)b->events, b->end_time);
	for (size_t i = 0; i < a->row_count; i++) {
		const naive_row *x = &a->rows[i];
		const naive_row *y = &b->rows[i];
		ck_assert_msg(
		    x->id == y->id && x->status == y->status && x->prompt_instance == y->prompt_instance &&
		        x->token_instance == y->token_instance && x->preemptions == y->preemptions &&
		        same(x->queue_time, y->queue_time) && same(x->ttft, y->ttft) &&
		        same(x->second_token_gap, y->second_token_gap) && same(x->e2e, y->e2e),
		    "%s: row %zu: request %lld and %lld", text, i, (long long)x->id, (long long)y->id);
	}
	for (size_t i = 0; i < random->config.instance_count; i++) {
		ck_assert_double_eq(a->busy_time[i], b->busy_time[i]);
	}
}

static void check_same_instances(const random_case *random, fast_run *a, fast_run *b)
{
	for (uint32_t i = 0; i < random->config.instance_count; i++) {
		weir_instance_view x;
		weir_instance_view y;
		weir_serving_instance(fast_run_serving(a), i, &x);
		weir_serving_instance(fast_run_serving(b), i, &y);
		ck_assert(x.list == y.list && x.state == y.state);
		ck_assert_uint_eq(x.requests, y.requests);
		ck_assert_int_eq(x.memory, y.memory);
		ck_assert_int_eq(x.memory_promised, y.memory_promised);
		ck_assert_uint_eq(x.iterations, y.iterations);
		ck_assert_int_eq(x.output_tokens, y.output_tokens);
		ck_assert_double_eq(x.energy_joules, y.energy_joules);
		ck_assert_double_eq(x.batch_token_seconds, y.batch_token_seconds);
	}
}

static void check_counters(fast_run *a_run, fast_run *b_run)
{
	weir_serving_counters a;
	weir_serving_counters b;
	weir_serving_counters_get(fast_run_serving(a_run), &a);
	weir_serving_counters_get(fast_run_serving(b_run), &b);
	ck_assert_mem_eq(&a, &b, sizeof a);
}

static void steps(fast_run *run, size_t count)
{
	for (size_t i = 0; i < count && fast_run_step(run); i++) {
	}
}

/* Every fourth case has an instance out of service when it is copied, every fourth all of them, so
 * that requests wait at the scheduler. */
static void set_some_active(fast_run *run, uint64_t seed, bool active)
{
	weir_serving *serving = fast_run_serving(run);
	uint32_t count = weir_serving_instance_slots(serving);
	for (uint32_t i = 0; i < count; i++) {
		if (seed % 4 == 1 || (seed % 4 == 0 && i == seed / 4 % count)) {
			set_active(serving, i, active);
		}
	}
}

static naive_result finish(fast_run *run)
{
	while (fast_run_step(run)) {
	}
	return fast_run_result(run);
}

/*
 * The original runs to a random moment and is copied into a fresh run and into one that has gone
 * elsewhere; the copies end as the original does, whichever of them runs first.
 */
static void check_copies(uint64_t seed, const naive_config *config, random_case *random,
                         int network)
{
	gsl_rng *draws = weir_stream_create(seed, "copies", 0);
	fast_run *runs[3];
	for (int i = 0; i < 3; i++) {
		runs[i] =
		    fast_run_create(config, random->requests, random->request_count, network, seed + 7);
	}
	fast_run *original = runs[0];
	fast_run *stale = runs[2];
	steps(original, gsl_rng_uniform_int(draws, 3 * random->request_count));
	set_some_active(original, seed, false);
	steps(original, gsl_rng_uniform_int(draws, random->request_count));
	steps(stale, gsl_rng_uniform_int(draws, 6 * random->request_count));
	for (int i = 1; i < 3; i++) {
		fast_run_copy(runs[i], original);
		weir_error error = {0};
		ck_assert_ok(weir_serving_check(fast_run_serving(runs[i]), &error), &error);
		check_same_instances(random, runs[i], original);
		check_counters(runs[i], original);
	}
	/* Running one copy leaves the others alone. */
	naive_result results[3];
	for (int i = 2; i >= 0; i--) {
		steps(runs[i], random->request_count / 4);
		set_some_active(runs[i], seed, true);
		results[i] = finish(runs[i]);
	}
	for (int i = 1; i < 3; i++) {
		check_same_results(random->text, random, &results[i], &results[0]);
		check_same_instances(random, runs[i], original);
		check_counters(runs[i], original);
	}
	for (int i = 0; i < 3; i++) {
		naive_result_free(&results[i]);
		fast_run_destroy(runs[i]);
	}
	gsl_rng_free(draws);
}

START_TEST(copies_continue_as_the_original)
{
	for (uint64_t seed = 0; seed < 3 * RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(seed, 0);
		check_copies(seed, &random->config, random, WEIR_NETWORK_DEDICATED);
		check_copies(seed, &random->config, random, WEIR_NETWORK_SHARED_NIC);
		random_case_destroy(random);
	}
}
END_TEST

START_TEST(transfers_on_the_way_over_shared_nics_are_copied)
{
	for (uint64_t seed = 0; seed < RANDOM_CASE_CYCLE; seed++) {
		random_case *random = random_case_create(seed, 0);
		naive_config config = random->config;
		config.bandwidth_gb_per_s /= 16;
		check_copies(seed, &config, random, WEIR_NETWORK_SHARED_NIC);
		random_case_destroy(random);
	}
}
END_TEST

START_TEST(the_stream_of_the_random_scheduler_is_copied)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		random_case *random = random_case_create(seed, 0);
		naive_config config = random->config;
		config.scheduler = NAIVE_RANDOM;
		check_copies(seed, &config, random, WEIR_NETWORK_DEDICATED);
		random_case_destroy(random);
	}
}
END_TEST

/* Larger than every first capacity, in a copy that starts empty. */
START_TEST(a_long_backlog_is_copied)
{
	for (uint64_t seed = 0; seed < RANDOM_CASE_CYCLE; seed += 11) {
		random_case *random = random_case_create(seed, 600);
		for (size_t i = 0; i < random->request_count; i++) {
			random->requests[i].arrival *= 0.01;
		}
		check_copies(seed, &random->config, random, WEIR_NETWORK_SHARED_NIC);
		random_case_destroy(random);
	}
}
END_TEST

static void check_same_views(const small_cluster *a, const small_cluster *b)
{
	ck_assert_double_eq(weir_serving_cost(a->serving), weir_serving_cost(b->serving));
	uint32_t slots = weir_serving_instance_slots(a->serving);
	ck_assert_uint_eq(slots, weir_serving_instance_slots(b->serving));
	for (uint32_t i = 0; i < slots; i++) {
		weir_instance_view x;
		weir_instance_view y;
		bool exists = weir_serving_instance(a->serving, i, &x);
		ck_assert_int_eq(exists, weir_serving_instance(b->serving, i, &y));
		if (!exists) {
			continue;
		}
		ck_assert(x.id == y.id && x.server == y.server && x.type == y.type && x.tag == y.tag &&
		          x.list == y.list && x.state == y.state && x.slowness == y.slowness);
		ck_assert(same(x.ready_since, y.ready_since) && same(x.drain_since, y.drain_since));
		ck_assert_mem_eq(x.state_seconds, y.state_seconds, sizeof x.state_seconds);
		ck_assert_mem_eq(x.tag_seconds, y.tag_seconds, sizeof x.tag_seconds);
		ck_assert_double_eq(x.energy_joules, y.energy_joules);
		ck_assert_int_eq(x.memory, y.memory);
		ck_assert_int_eq(x.output_tokens, y.output_tokens);
	}
	for (uint32_t a_number = 0; a_number < a->config.application_count; a_number++) {
		for (uint32_t tag = 0; tag < WEIR_TAG_COUNT; tag++) {
			weir_pool_books x;
			weir_pool_books y;
			weir_serving_pool_books(a->serving, a_number, (weir_tag)tag, &x);
			weir_serving_pool_books(b->serving, a_number, (weir_tag)tag, &y);
			ck_assert_mem_eq(x.count, y.count, sizeof x.count);
			ck_assert_mem_eq(x.seconds, y.seconds, sizeof x.seconds);
			ck_assert_double_eq(x.cost_usd, y.cost_usd);
		}
		weir_application_counters x;
		weir_application_counters y;
		weir_serving_application(a->serving, a_number, &x);
		weir_serving_application(b->serving, a_number, &y);
		ck_assert_mem_eq(&x, &y, sizeof x);
	}
	weir_serving_counters x;
	weir_serving_counters y;
	weir_serving_counters_get(a->serving, &x);
	weir_serving_counters_get(b->serving, &y);
	ck_assert_mem_eq(&x, &y, sizeof x);
}

static void storm_steps(small_cluster *cluster, gsl_rng *draws, int steps)
{
	for (int i = 0; i < steps; i++) {
		while (gsl_rng_uniform(draws) < 0.3) {
			storm_operate(cluster, draws);
		}
		small_cluster_step(cluster, (double)INFINITY);
	}
}

/* Slots come and go between the copies, in both directions, and what is on its way is cancelled in
 * each for itself. */
START_TEST(copies_of_changing_clusters_continue_as_the_original)
{
	for (uint64_t seed = 0; seed < STORM_CYCLE; seed++) {
		gsl_rng *draws = weir_stream_create(seed, "original", 0);
		gsl_rng *others = weir_stream_create(seed, "others", 0);
		gsl_rng *same_draws = weir_stream_create(seed, "original", 0);
		small_cluster *original = storm_create(seed, 20);
		small_cluster *other = storm_create(seed, 20);
		storm_steps(original, draws, (int)gsl_rng_uniform_int(others, 150));
		storm_steps(other, others, (int)gsl_rng_uniform_int(others, 300));
		small_cluster *fresh = small_cluster_copy(original);
		small_cluster_assign(other, original);
		small_cluster *const copies[] = {fresh, other};
		gsl_rng_memcpy(same_draws, draws);
		for (int c = 0; c < 2; c++) {
			weir_error error = {0};
			ck_assert_ok(weir_serving_check(copies[c]->serving, &error), &error);
			check_same_views(copies[c], original);
		}
		storm_steps(original, draws, 150);
		storm_calm(original);
		storm_steps(original, draws, 200);
		for (int c = 0; c < 2; c++) {
			gsl_rng_memcpy(others, same_draws);
			storm_steps(copies[c], others, 150);
			storm_calm(copies[c]);
			storm_steps(copies[c], others, 200);
			check_same_views(copies[c], original);
			ck_assert_uint_eq(copies[c]->row_count, original->row_count);
			for (size_t i = 0; i < original->row_count; i++) {
				const weir_request_row *x = &copies[c]->rows[i];
				const weir_request_row *y = &original->rows[i];
				ck_assert(x->request_id == y->request_id && x->status == y->status &&
				          x->retries == y->retries && same(x->ttft, y->ttft) &&
				          same(x->e2e, y->e2e) && x->prompt_instance == y->prompt_instance &&
				          x->token_instance == y->token_instance);
			}
			small_cluster_destroy(copies[c]);
		}
		small_cluster_destroy(original);
		gsl_rng_free(draws);
		gsl_rng_free(others);
		gsl_rng_free(same_draws);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/snapshot");
	TCase *tests = tcase_create("snapshot");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, copies_continue_as_the_original);
	tcase_add_test(tests, transfers_on_the_way_over_shared_nics_are_copied);
	tcase_add_test(tests, the_stream_of_the_random_scheduler_is_copied);
	tcase_add_test(tests, a_long_backlog_is_copied);
	tcase_add_test(tests, copies_of_changing_clusters_continue_as_the_original);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
