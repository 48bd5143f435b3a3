/* Noise on views: what has it, what has not, and its spread. */
#include "scaling/view_noise.h"

#include <math.h>

#include "support/test_support.h"

/* Counts, times and money are exact; all else has a factor of its own, of the right spread. */
START_TEST(noise_is_a_factor_and_leaves_counts_alone)
{
	weir_view_noise *noise = weir_view_noise_create(12, 0.1);
	ck_assert_ptr_nonnull(noise);
	const weir_view_instance instance = {.id = 3,
	                                     .created = 5,
	                                     .kv_promised = 1000000,
	                                     .kv_room = 2000000,
	                                     .load_kv = 0.5,
	                                     .memory = 3000000000000,
	                                     .memory_limit = 4000000};
	double sum = 0;
	double squares = 0;
	double product = 0;
	enum { DRAWS = 20000 };
	for (uint64_t n = 0; n < DRAWS; n++) {
		weir_view view = {.now = 7,
		                  .interval = 2,
		                  .arrivals = 100,
		                  .completed = 100,
		                  .kv_bytes_moved = 100,
		                  .servers_active = 5,
		                  .overdue_ttft = 1000000000000,
		                  .overdue_tbt = 2000000000000,
		                  .queued = 1000000000000,
		                  .queued_wait = 6,
		                  .instances = &instance,
		                  .instance_count = 1};
		view.pools[WEIR_TAG_TOKEN] = (weir_view_pool){.count = {1, 2, 3},
		                                              .active_by_list = 2,
		                                              .next_ready = 3,
		                                              .kv_promised = 1000000,
		                                              .load_kv = 0.5,
		                                              .load_busy = (double)NAN,
		                                              .paid_seconds = {1, 2, 3},
		                                              .cost_usd = 4};
		view.latencies.ttft.p50 = 2;
		view.latencies.tbt_broken = 7;
		ck_assert(weir_view_noise_add(noise, n, &view));
		const weir_view_pool *pool = &view.pools[WEIR_TAG_TOKEN];
		ck_assert_double_eq(view.now, 7);
		ck_assert_double_eq(view.interval, 2);
		ck_assert_double_eq(view.latencies.ttft.p50, 2);
		ck_assert_uint_eq(view.latencies.tbt_broken, 7);
		ck_assert_uint_eq(view.servers_active, 5);
		ck_assert_double_eq(view.queued_wait, 6);
		ck_assert_double_eq(pool->next_ready, 3);
		ck_assert_uint_eq(view.overdue, view.overdue_ttft + view.overdue_tbt);
		ck_assert_double_ne((double)view.overdue_tbt, 2 * (double)view.overdue_ttft);
		ck_assert_double_ne(view.completed, view.arrivals);
		ck_assert_double_ne(view.kv_bytes_moved, view.arrivals);
		ck_assert_uint_ne(view.queued, view.overdue_ttft);
		ck_assert_int_eq(view.instances[0].memory_limit, 4000000);
		ck_assert_int_ne(view.instances[0].memory, 3000000000000);
		ck_assert_uint_eq(pool->count[0] + 10 * pool->count[1] + 100 * pool->count[2], 321);
		ck_assert_uint_eq(pool->active_by_list, 2);
		ck_assert_double_eq(pool->paid_seconds[1], 2);
		ck_assert_double_eq(pool->cost_usd, 4);
		ck_assert(isnan(pool->load_busy));
		ck_assert_int_eq(pool->requests, 0);
		ck_assert_uint_eq(view.instances[0].id, 3);
		ck_assert_double_eq(view.instances[0].created, 5);
		ck_assert_int_eq(view.instances[0].kv_room, 2000000);
		double factor = view.arrivals / 100 - 1;
		sum += factor;
		squares += factor * factor;
		product += factor * ((double)pool->kv_promised / 1e6 - 1);
		ck_assert_double_ne(pool->load_kv / 0.5, (double)pool->kv_promised / 1e6);
		ck_assert_double_ne(view.instances[0].load_kv, pool->load_kv);
	}
	/* Within four standard errors. */
	ck_assert_double_eq_tol(sum / DRAWS, 0, 4 * 0.1 / sqrt(DRAWS));
	ck_assert_double_eq_tol(squares / DRAWS, 0.01, 4 * 0.01 * sqrt(2.0 / DRAWS));
	ck_assert_double_eq_tol(product / DRAWS, 0, 4 * 0.01 / sqrt(DRAWS));
	weir_view_noise_destroy(noise);
	noise = weir_view_noise_create(12, 5);
	int zeros = 0;
	for (uint64_t n = 0; n < 1000; n++) {
		weir_view view = {.arrivals = 1};
		ck_assert(weir_view_noise_add(noise, n, &view));
		ck_assert_double_ge(view.arrivals, 0);
		zeros += view.arrivals == 0;
	}
	ck_assert_int_gt(zeros, 300); /* 1 + 5 N < 0 with probability 0.42 */
	weir_view_noise_destroy(noise);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scaling/view_noise");
	TCase *tests = tcase_create("view_noise");
	tcase_add_test(tests, noise_is_a_factor_and_leaves_counts_alone);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
