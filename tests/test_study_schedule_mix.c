/* Schedules mixed from windows of runs, by hand. */
#include "study/schedule_mix.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"

enum { STEPS = 6, RUNS = 3, POOLS = WEIR_TAG_COUNT };

typedef struct made {
	bool exists[POOLS];
	int32_t sizes[RUNS][POOLS * STEPS];
	double usd[RUNS][STEPS], broken[RUNS][STEPS];
	schedule_run runs[RUNS];
	schedule_grid grid;
} made;

/* One application with a mixed pool alone, a boot delay of a step, at least one instance. Run r has
 * the size 10 * (r + 1) everywhere, and costs a dollar for ten in a step. */
static void make(made *m)
{
	*m = (made){.exists = {false, false, true}};
	m->grid = (schedule_grid){.step = 1,
	                          .steps = STEPS,
	                          .applications = 1,
	                          .pools = POOLS,
	                          .lead = {0, 0, 1},
	                          .least = 1,
	                          .exists = m->exists};
	for (int r = 0; r < RUNS; r++) {
		for (int s = 0; s < STEPS; s++) {
			m->sizes[r][s] = m->sizes[r][STEPS + s] = -1;
			m->sizes[r][WEIR_TAG_MIXED * STEPS + s] = 10 * (r + 1);
			m->usd[r][s] = r + 1;
		}
		m->runs[r] = (schedule_run){.sizes = m->sizes[r], .usd = m->usd[r], .broken = m->broken[r]};
	}
}

static void check_mix(made *m, double allowed, const int32_t *expected)
{
	const schedule_windows windows = {.length = 2};
	int32_t sizes[POOLS * STEPS];
	memset(sizes, 0x7f, sizeof sizes);
	ck_assert(schedule_mix(&m->grid, m->runs, RUNS, &windows, allowed, sizes));
	for (int s = 0; s < STEPS; s++) {
		ck_assert_int_eq(sizes[s], -1);
		ck_assert_int_eq(sizes[STEPS + s], -1);
		ck_assert_int_eq(sizes[WEIR_TAG_MIXED * STEPS + s], expected[s]);
	}
}

START_TEST(windows_of_a_grid)
{
	const schedule_grid grid = {.steps = 10};
	const schedule_windows even = {.length = 4};
	ck_assert_uint_eq(schedule_windows_count(&grid, &even), 3);
	ck_assert_uint_eq(schedule_windows_start(&grid, &even, 1), 4);
	ck_assert_uint_eq(schedule_windows_start(&grid, &even, 2), 8);
	ck_assert_uint_eq(schedule_windows_start(&grid, &even, 3), 10);
	const schedule_windows moved = {.length = 4, .offset = 2};
	ck_assert_uint_eq(schedule_windows_count(&grid, &moved), 3);
	ck_assert_uint_eq(schedule_windows_start(&grid, &moved, 0), 0);
	ck_assert_uint_eq(schedule_windows_start(&grid, &moved, 1), 2);
	ck_assert_uint_eq(schedule_windows_start(&grid, &moved, 2), 6);
	ck_assert_uint_eq(schedule_windows_start(&grid, &moved, 3), 10);
	const schedule_windows beyond = {.length = 40, .offset = 20};
	ck_assert_uint_eq(schedule_windows_count(&grid, &beyond), 1);
	ck_assert_uint_eq(schedule_windows_start(&grid, &beyond, 1), 10);
}
END_TEST

START_TEST(the_cheapest_that_is_allowed)
{
	made m;
	make(&m);
	/* The small fleet misses 5 in the first window and 50 in the second, that of 20 misses 6 there.
	 */
	m.broken[0][1] = 5;
	m.broken[0][2] = 50;
	m.broken[1][3] = 6;
	check_mix(&m, 1000, (const int32_t[]){10, 10, 10, 10, 10, 10});
	/* A dollar and ten, each step: 2 save 44, then 2 save 6, or 2 save 5. What a window had at its
	 * start was booted in the step before it. */
	check_mix(&m, 20, (const int32_t[]){10, 20, 20, 20, 10, 10});
	check_mix(&m, 10, (const int32_t[]){10, 30, 30, 30, 10, 10});
	check_mix(&m, 0, (const int32_t[]){20, 30, 30, 30, 10, 10});
	/* None without a miss: the fewest. */
	m.broken[2][2] = 1;
	check_mix(&m, 0, (const int32_t[]){20, 30, 30, 30, 10, 10});
}
END_TEST

START_TEST(of_equal_windows_the_last_counts)
{
	made m;
	make(&m);
	/* The same size: the first run looked better than it is. */
	for (int s = 0; s < STEPS; s++) {
		m.sizes[1][WEIR_TAG_MIXED * STEPS + s] = 10;
	}
	m.broken[1][4] = 9;
	check_mix(&m, 0, (const int32_t[]){10, 10, 10, 30, 30, 30});
}
END_TEST

START_TEST(mutations_keep_the_minimum)
{
	made m;
	make(&m);
	const schedule_windows windows = {.length = 2};
	gsl_rng *random = weir_stream_create(1, "test", 0);
	int32_t sizes[POOLS * STEPS];
	int changed = 0;
	for (int trial = 0; trial < 200; trial++) {
		for (int i = 0; i < POOLS * STEPS; i++) {
			sizes[i] = i < WEIR_TAG_MIXED * STEPS ? -1 : 2;
		}
		for (int i = 0; i < 10; i++) {
			schedule_mutate(&m.grid, &windows, 1.0, random, sizes);
		}
		for (int i = 0; i < POOLS * STEPS; i++) {
			ck_assert(i < WEIR_TAG_MIXED * STEPS ? sizes[i] == -1 : sizes[i] >= 1);
			changed += sizes[i] != -1 && sizes[i] != 2;
		}
		/* None at all. */
		int32_t before[POOLS * STEPS];
		memcpy(before, sizes, sizeof sizes);
		schedule_mutate(&m.grid, &windows, 0.0, random, sizes);
		ck_assert_int_eq(memcmp(before, sizes, sizeof sizes), 0);
	}
	ck_assert_int_gt(changed, 200);
	gsl_rng_free(random);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schedule_mix");
	TCase *tests = tcase_create("schedule_mix");
	tcase_add_test(tests, windows_of_a_grid);
	tcase_add_test(tests, the_cheapest_that_is_allowed);
	tcase_add_test(tests, of_equal_windows_the_last_counts);
	tcase_add_test(tests, mutations_keep_the_minimum);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
