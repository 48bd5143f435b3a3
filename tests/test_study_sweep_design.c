/* Designs: where their points are, and that they stay there. */
#include "study/sweep_design.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

enum { POINTS = 64, DIMENSIONS = 5 };

static void fill(weir_design_kind kind, uint64_t seed, size_t points, size_t dimensions,
                 double *unit)
{
	weir_error error = {0};
	ck_assert_ok(weir_design_fill(kind, seed, points, dimensions, unit, &error), &error);
}

static const weir_design_kind kinds[] = {WEIR_DESIGN_RANDOM, WEIR_DESIGN_LATIN_HYPERCUBE,
                                         WEIR_DESIGN_SOBOL};

START_TEST(points_are_in_the_unit_cube_and_follow_from_the_seed)
{
	double a[POINTS * DIMENSIONS];
	double b[POINTS * DIMENSIONS];
	fill(kinds[_i], 7, POINTS, DIMENSIONS, a);
	for (size_t i = 0; i < POINTS * DIMENSIONS; i++) {
		ck_assert_double_ge(a[i], 0.0);
		ck_assert_double_lt(a[i], 1.0);
	}
	fill(kinds[_i], 7, POINTS, DIMENSIONS, b);
	ck_assert_mem_eq(a, b, sizeof a);
	fill(kinds[_i], 8, POINTS, DIMENSIONS, b);
	ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

START_TEST(random_and_sobol_grow)
{
	double few[POINTS / 2 * DIMENSIONS];
	double many[POINTS * DIMENSIONS];
	for (size_t k = 0; k < 3; k += 2) {
		fill(kinds[k], 3, POINTS / 2, DIMENSIONS, few);
		fill(kinds[k], 3, POINTS, DIMENSIONS, many);
		ck_assert_mem_eq(few, many, sizeof few);
	}
}
END_TEST

/* One point in each of n equal parts of every dimension, not in the same order in each. */
START_TEST(latin_hypercubes_cover_each_dimension)
{
	enum { SIZES = 4 };
	static const size_t sizes[SIZES] = {1, 3, 49, POINTS};
	for (size_t s = 0; s < SIZES; s++) {
		size_t n = sizes[s];
		double unit[POINTS * DIMENSIONS];
		size_t diagonal = 0;
		fill(WEIR_DESIGN_LATIN_HYPERCUBE, 11, n, DIMENSIONS, unit);
		for (size_t d = 0; d < DIMENSIONS; d++) {
			bool met[POINTS] = {false};
			for (size_t i = 0; i < n; i++) {
				size_t part = (size_t)(unit[i * DIMENSIONS + d] * (double)n);
				ck_assert_uint_lt(part, n);
				ck_assert(!met[part]);
				met[part] = true;
				diagonal += part == i ? 1 : 0;
			}
		}
		ck_assert(n < 10 || diagonal < n);
	}
}
END_TEST

/* Of 2^k points each dyadic interval of length 2^-k has one, in every dimension; a shift moves the
 * intervals, so that at most one more is in each. Random points do not do that. */
START_TEST(sobol_covers_evenly)
{
	double unit[POINTS * DIMENSIONS];
	fill(WEIR_DESIGN_SOBOL, 5, POINTS, DIMENSIONS, unit);
	for (size_t d = 0; d < DIMENSIONS; d++) {
		size_t count[POINTS / 4] = {0};
		for (size_t i = 0; i < POINTS; i++) {
			count[(size_t)(unit[i * DIMENSIONS + d] * (POINTS / 4))]++;
		}
		for (size_t part = 0; part < POINTS / 4; part++) {
			ck_assert_uint_ge(count[part], 2);
			ck_assert_uint_le(count[part], 6);
		}
	}
}
END_TEST

START_TEST(sobol_has_forty_dimensions)
{
	double unit[2 * 41];
	weir_error error = {0};
	fill(WEIR_DESIGN_SOBOL, 1, 2, 40, unit);
	ck_assert_int_eq(weir_design_fill(WEIR_DESIGN_SOBOL, 1, 2, 41, unit, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "at most 40 dimensions, not 41"));
	fill(WEIR_DESIGN_LATIN_HYPERCUBE, 1, 2, 41, unit);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_design");
	TCase *tests = tcase_create("designs");
	tcase_add_loop_test(tests, points_are_in_the_unit_cube_and_follow_from_the_seed, 0, 3);
	tcase_add_test(tests, random_and_sobol_grow);
	tcase_add_test(tests, latin_hypercubes_cover_each_dimension);
	tcase_add_test(tests, sobol_covers_evenly);
	tcase_add_test(tests, sobol_has_forty_dimensions);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
