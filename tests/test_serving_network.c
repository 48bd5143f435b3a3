#include "serving/network.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"

#define NO_LINK WEIR_NETWORK_NO_LINK
#define FOREVER ((double)INFINITY)

/* Relative; rates are sums and quotients of a few dozen terms. */
static const double tolerance = 1e-9;

static void finish_next(weir_network *network, double time, uint32_t flow)
{
	uint32_t next;
	ck_assert_double_eq(weir_network_next_finish(network, &next), time);
	ck_assert_uint_eq(next, flow);
	weir_network_finish(network, time, next);
}

START_TEST(a_flow_alone_takes_bytes_over_capacity)
{
	double capacities[] = {3.0e9, 7.0e9};
	weir_network *network = weir_network_create(capacities, 2, FOREVER);
	uint32_t flow = weir_network_start(network, 0.1, 0, 1, 1e10);
	ck_assert_double_eq(weir_network_rate(network, flow), 3.0e9);
	finish_next(network, 0.1 + 1e10 / 3.0e9, flow);
	/* Its end frees all of the link; the id is used again. */
	uint32_t again = weir_network_start(network, 10.0, 1, NO_LINK, 1e10);
	ck_assert_uint_eq(again, flow);
	ck_assert(weir_network_is_under_way(network, again));
	finish_next(network, 10.0 + 1e10 / 7.0e9, again);
	ck_assert(!weir_network_is_under_way(network, again));
	ck_assert(!weir_network_is_under_way(network, 1000));
	uint32_t none;
	ck_assert(isinf(weir_network_next_finish(network, &none)));
	ck_assert_uint_eq(none, WEIR_NETWORK_NO_FLOW);
	weir_network_destroy(network);
	weir_network_destroy(NULL);
}
END_TEST

START_TEST(a_flow_not_connected_with_a_change_stays_exact)
{
	double capacities[] = {3.0, 3.0, 7.0, 7.0};
	weir_network *network = weir_network_create(capacities, 4, FOREVER);
	uint32_t alone = weir_network_start(network, 0.1, 0, 1, 100.0);
	for (int i = 0; i < 1000; i++) {
		uint32_t other = weir_network_start(network, 0.2 + 0.01 * i, 2, 3, 10.0);
		weir_network_cancel(network, 0.2 + 0.01 * i + 0.005, other);
	}
	finish_next(network, 0.1 + 100.0 / 3.0, alone);
	weir_network_destroy(network);
}
END_TEST

START_TEST(a_flow_whose_rate_stays_the_same_stays_exact)
{
	double capacities[] = {100.0, 3.0, 7.0};
	weir_network *network = weir_network_create(capacities, 3, FOREVER);
	uint32_t narrow = weir_network_start(network, 0.1, 0, 1, 100.0);
	for (int i = 0; i < 1000; i++) {
		uint32_t other = weir_network_start(network, 0.2 + 0.01 * i, 0, 2, 10.0);
		weir_network_cancel(network, 0.2 + 0.01 * i + 0.005, other);
	}
	finish_next(network, 0.1 + 100.0 / 3.0, narrow);
	weir_network_destroy(network);
}
END_TEST

START_TEST(two_flows_share_and_the_rest_is_for_who_stays)
{
	double capacities[] = {1.0, 1.0, 1.0};
	weir_network *network = weir_network_create(capacities, 3, FOREVER);
	uint32_t a = weir_network_start(network, 0.0, 0, 1, 10.0);
	uint32_t b = weir_network_start(network, 5.0, 0, 2, 10.0);
	ck_assert_double_eq(weir_network_rate(network, a), 0.5);
	ck_assert_double_eq(weir_network_rate(network, b), 0.5);
	ck_assert_double_eq(weir_network_remaining(network, 7.0, a), 4.0);
	finish_next(network, 15.0, a);
	ck_assert_double_eq(weir_network_rate(network, b), 1.0);
	finish_next(network, 20.0, b);
	weir_network_destroy(network);
}
END_TEST

START_TEST(what_a_bottleneck_leaves_goes_to_others)
{
	/* Senders 0 and 1 of 10, receivers 2 of 2 and 3 of 10. */
	double capacities[] = {10.0, 10.0, 2.0, 10.0};
	weir_network *network = weir_network_create(capacities, 4, FOREVER);
	uint32_t narrow = weir_network_start(network, 0.0, 0, 2, 100.0);
	uint32_t other = weir_network_start(network, 0.0, 1, 2, 100.0);
	uint32_t wide = weir_network_start(network, 0.0, 0, 3, 100.0);
	ck_assert_double_eq(weir_network_rate(network, narrow), 1.0);
	ck_assert_double_eq(weir_network_rate(network, other), 1.0);
	ck_assert_double_eq(weir_network_rate(network, wide), 9.0);
	ck_assert_double_eq(weir_network_link_rate(network, 0), 10.0);
	weir_network_cancel(network, 1.0, other);
	ck_assert_double_eq(weir_network_rate(network, narrow), 2.0);
	ck_assert_double_eq(weir_network_rate(network, wide), 8.0);
	ck_assert_double_eq(weir_network_remaining(network, 2.0, wide), 83.0);
	weir_network_destroy(network);
}
END_TEST

START_TEST(local_flows_disturb_nobody)
{
	double capacities[] = {1.0, 1.0};
	weir_network *network = weir_network_create(capacities, 2, 100.0);
	uint32_t far = weir_network_start(network, 0.0, 0, 1, 4.0);
	uint32_t near = weir_network_start(network, 0.0, NO_LINK, NO_LINK, 50.0);
	ck_assert_double_eq(weir_network_rate(network, near), 100.0);
	finish_next(network, 0.5, near);
	finish_next(network, 4.0, far);
	weir_network_destroy(network);
	network = weir_network_create(NULL, 0, FOREVER);
	near = weir_network_start(network, 2.0, NO_LINK, NO_LINK, 50.0);
	finish_next(network, 2.0, near);
	weir_network_destroy(network);
}
END_TEST

START_TEST(an_empty_flow_is_done_at_once)
{
	double capacities[] = {1.0, 1.0};
	weir_network *network = weir_network_create(capacities, 2, FOREVER);
	uint32_t flow = weir_network_start(network, 3.0, 0, 1, 0.0);
	finish_next(network, 3.0, flow);
	weir_network_destroy(network);
}
END_TEST

START_TEST(ties_finish_in_the_order_of_starting)
{
	enum { FLOWS = 50 };
	double capacities[] = {0.7, 0.3};
	weir_network *network = weir_network_create(capacities, 2, FOREVER);
	uint32_t flows[FLOWS];
	/* Ids that do not rise with the order of starting. */
	for (uint32_t i = 0; i < FLOWS; i++) {
		flows[i] = weir_network_start(network, 0.0, 0, 1, 1.0);
	}
	for (uint32_t i = 0; i < FLOWS; i++) {
		weir_network_cancel(network, 0.0, flows[(i * 7) % FLOWS]);
	}
	double now = 0.0;
	for (int round = 1; round <= 200; round++) {
		for (uint32_t i = 0; i < FLOWS; i++) {
			flows[i] = weir_network_start(network, now, 0, 1, 0.37 * round);
		}
		uint32_t first;
		now = weir_network_next_finish(network, &first);
		for (uint32_t i = 0; i < FLOWS; i++) {
			finish_next(network, now, flows[i]);
		}
	}
	weir_network_destroy(network);
}
END_TEST

/* The naive way: every flow of the network, every link, from scratch. */
typedef struct naive_flow {
	bool under_way;
	uint32_t links[2];
	double bytes, rate;
} naive_flow;

typedef struct naive_network {
	double now;
	double *capacities;
	naive_flow *flows; /* by id */
	size_t link_count, flow_slots, flow_count;
} naive_network;

static bool uses(const naive_flow *flow, uint32_t link)
{
	return flow->under_way && (flow->links[0] == link || flow->links[1] == link);
}

static void naive_advance(naive_network *naive, double now)
{
	for (size_t i = 0; i < naive->flow_slots; i++) {
		if (naive->flows[i].under_way) {
			naive->flows[i].bytes -= naive->flows[i].rate * (now - naive->now);
		}
	}
	naive->now = now;
}

/* All rates rise together; those on a link that fills up stop there. */
static void naive_solve(naive_network *naive)
{
	for (size_t i = 0; i < naive->flow_slots; i++) {
		naive->flows[i].rate = 0.0;
	}
	for (;;) {
		double level = FOREVER;
		uint32_t bottleneck = NO_LINK;
		for (uint32_t link = 0; link < naive->link_count; link++) {
			double left = naive->capacities[link];
			double rising = 0.0;
			for (size_t i = 0; i < naive->flow_slots; i++) {
				if (uses(&naive->flows[i], link)) {
					left -= naive->flows[i].rate;
					rising += naive->flows[i].rate == 0.0;
				}
			}
			if (rising > 0.0 && left / rising < level) {
				level = left / rising;
				bottleneck = link;
			}
		}
		if (bottleneck == NO_LINK) {
			return;
		}
		for (size_t i = 0; i < naive->flow_slots; i++) {
			if (uses(&naive->flows[i], bottleneck) && naive->flows[i].rate == 0.0) {
				naive->flows[i].rate = level;
			}
		}
	}
}

/* Max-min fair: every flow has a full link on which no flow has more. */
static void check_certificate(const weir_network *network, const naive_network *naive)
{
	size_t without = 0;
	size_t overfull = 0;
	for (uint32_t link = 0; link < naive->link_count; link++) {
		overfull +=
		    weir_network_link_rate(network, link) > naive->capacities[link] * (1.0 + tolerance);
	}
	for (uint32_t i = 0; i < naive->flow_slots; i++) {
		if (!naive->flows[i].under_way) {
			continue;
		}
		bool has_bottleneck = false;
		for (int side = 0; side < 2; side++) {
			uint32_t link = naive->flows[i].links[side];
			if (link == NO_LINK) {
				continue;
			}
			double most = 0.0;
			for (uint32_t j = 0; j < naive->flow_slots; j++) {
				if (uses(&naive->flows[j], link)) {
					most = fmax(most, weir_network_rate(network, j));
				}
			}
			bool full = weir_network_link_rate(network, link) >=
			            naive->capacities[link] * (1.0 - tolerance);
			has_bottleneck |= full && weir_network_rate(network, i) >= most * (1.0 - tolerance);
		}
		without += !has_bottleneck;
	}
	ck_assert_uint_eq(overfull, 0);
	ck_assert_uint_eq(without, 0);
}

static void check_against_naive(const weir_network *network, const naive_network *naive,
                                const double *total)
{
	size_t wrong_rates = 0;
	size_t wrong_bytes = 0;
	for (uint32_t i = 0; i < naive->flow_slots; i++) {
		const naive_flow *flow = &naive->flows[i];
		if (flow->under_way) {
			wrong_rates +=
			    fabs(weir_network_rate(network, i) - flow->rate) > tolerance * flow->rate;
			wrong_bytes += fabs(weir_network_remaining(network, naive->now, i) - flow->bytes) >
			               tolerance * total[i];
		}
	}
	ck_assert_uint_eq(wrong_rates, 0);
	ck_assert_uint_eq(wrong_bytes, 0);
	ck_assert_uint_eq(weir_network_flow_count(network), naive->flow_count);
}

static double random_capacity(gsl_rng *random)
{
	static const double usual[] = {1e9, 1e9, 25e9, 50e9};
	return gsl_rng_uniform_int(random, 2) == 0 ? usual[gsl_rng_uniform_int(random, 4)]
	                                           : 1e9 * (0.01 + gsl_rng_uniform(random));
}

static void compare_with_naive(uint64_t seed, size_t first_links, size_t most_links,
                               size_t most_flows, size_t operations)
{
	gsl_rng *random = weir_stream_create(seed, "network", 0);
	naive_network naive = {
	    .capacities = calloc(most_links, sizeof(double)),
	    .flows = calloc(most_flows, sizeof(naive_flow)),
	};
	double *total = calloc(most_flows, sizeof *total);
	for (; naive.link_count < first_links; naive.link_count++) {
		naive.capacities[naive.link_count] = random_capacity(random);
	}
	weir_network *network = weir_network_create(naive.capacities, naive.link_count, FOREVER);
	weir_network *spare = weir_network_create(NULL, 0, 1.0);
	for (size_t i = 0; i < operations; i++) {
		uint32_t next;
		double finish = weir_network_next_finish(network, &next);
		double time = naive.now + 0.2 * gsl_rng_uniform(random);
		unsigned long choice = gsl_rng_uniform_int(random, 20);
		if (finish <= time) {
			naive_advance(&naive, finish);
			/* As many bytes were carried as were asked for. */
			ck_assert_double_le(fabs(naive.flows[next].bytes), tolerance * total[next]);
			naive.flows[next].under_way = false;
			naive.flow_count--;
			weir_network_finish(network, finish, next);
		} else if (choice < 14 && naive.flow_count < most_flows) {
			naive_advance(&naive, time);
			uint32_t from = (uint32_t)gsl_rng_uniform_int(random, naive.link_count);
			uint32_t to = (uint32_t)gsl_rng_uniform_int(random, naive.link_count);
			to = choice == 0 ? NO_LINK : to;
			double bytes = gsl_rng_uniform_pos(random) * (choice == 1 ? 1e12 : 1e9);
			uint32_t flow = weir_network_start(network, time, from, to, bytes);
			ck_assert_uint_lt(flow, most_flows);
			ck_assert(!naive.flows[flow].under_way);
			naive.flows[flow] = (naive_flow){true, {from, to}, bytes, 0.0};
			naive.flow_slots = flow >= naive.flow_slots ? flow + 1 : naive.flow_slots;
			naive.flow_count++;
			total[flow] = bytes;
		} else if (choice < 16 && naive.flow_count > 0) {
			naive_advance(&naive, time);
			uint32_t flow = (uint32_t)gsl_rng_uniform_int(random, naive.flow_slots);
			while (!naive.flows[flow].under_way) {
				flow = (flow + 1) % (uint32_t)naive.flow_slots;
			}
			naive.flows[flow].under_way = false;
			naive.flow_count--;
			weir_network_cancel(network, time, flow);
		} else if (choice == 16 && naive.link_count < most_links) {
			double capacity = random_capacity(random);
			ck_assert_uint_eq(weir_network_add_link(network, capacity), naive.link_count);
			naive.capacities[naive.link_count++] = capacity;
		} else if (choice == 17) {
			ck_assert_int_eq(weir_network_copy(spare, network), WEIR_OK);
			weir_network *copied = spare;
			spare = network;
			network = copied;
		}
		naive_solve(&naive);
		check_against_naive(network, &naive, total);
		check_certificate(network, &naive);
	}
	weir_network_destroy(network);
	weir_network_destroy(spare);
	free(naive.capacities);
	free(naive.flows);
	free(total);
	gsl_rng_free(random);
}

START_TEST(random_instances_are_max_min_fair_and_lose_no_byte)
{
	compare_with_naive(1, 2, 4, 6, 5000);
	compare_with_naive(2, 3, 20, 30, 5000);
	compare_with_naive(3, 40, 60, 100, 1500);
}
END_TEST

/* Starts flows at random and lets them finish; returns a hash of who finished when. */
static uint64_t history(weir_network *network, gsl_rng *random, double now, size_t flows)
{
	uint64_t hash = 0xcbf29ce484222325u;
	while (flows > 0 || weir_network_flow_count(network) > 0) {
		uint32_t flow;
		double finish = weir_network_next_finish(network, &flow);
		double start = flows > 0 ? now + gsl_rng_uniform(random) : FOREVER;
		now = fmin(finish, start);
		if (finish <= start) {
			weir_network_finish(network, now, flow);
			uint64_t bits;
			memcpy(&bits, &now, sizeof bits);
			hash = (hash ^ bits ^ flow) * 0x100000001b3u;
		} else {
			weir_network_start(network, now, (uint32_t)gsl_rng_uniform_int(random, 8),
			                   (uint32_t)gsl_rng_uniform_int(random, 8),
			                   (double)gsl_rng_uniform_int(random, 10));
			flows--;
		}
	}
	return hash;
}

START_TEST(a_copy_goes_on_as_the_original)
{
	double capacities[] = {1.0, 0.9, 1.1, 0.7, 1.3, 0.6, 1.0, 1.0};
	weir_network *network = weir_network_create(capacities, 8, FOREVER);
	weir_network *copy = weir_network_create(NULL, 0, 1.0);
	gsl_rng *random = weir_stream_create(1, "network", 0);
	for (uint32_t i = 0; i < 300; i++) {
		weir_network_start(copy, 0.0, NO_LINK, NO_LINK, 1.0);
		if (i < 100) {
			weir_network_start(network, 0.01 * i, i % 8, i % 7, 3.0);
		}
	}
	ck_assert_int_eq(weir_network_copy(copy, network), WEIR_OK);
	ck_assert_int_eq(weir_network_copy(copy, copy), WEIR_OK);
	gsl_rng *same = gsl_rng_clone(random);
	uint64_t first = history(network, random, 1.0, 2000);
	uint64_t second = history(copy, same, 1.0, 2000);
	ck_assert_uint_eq(first, second);
	gsl_rng_free(random);
	gsl_rng_free(same);
	weir_network_destroy(network);
	weir_network_destroy(copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serving/network");
	TCase *tests = tcase_create("network");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_flow_alone_takes_bytes_over_capacity);
	tcase_add_test(tests, a_flow_not_connected_with_a_change_stays_exact);
	tcase_add_test(tests, a_flow_whose_rate_stays_the_same_stays_exact);
	tcase_add_test(tests, two_flows_share_and_the_rest_is_for_who_stays);
	tcase_add_test(tests, what_a_bottleneck_leaves_goes_to_others);
	tcase_add_test(tests, local_flows_disturb_nobody);
	tcase_add_test(tests, an_empty_flow_is_done_at_once);
	tcase_add_test(tests, ties_finish_in_the_order_of_starting);
	tcase_add_test(tests, random_instances_are_max_min_fair_and_lose_no_byte);
	tcase_add_test(tests, a_copy_goes_on_as_the_original);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
