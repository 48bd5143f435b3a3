/* Elementary effects of functions whose effects are known. */
#include "study/morris.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_support.h"

enum { FACTORS = 5, TRAJECTORIES = 400 };

static const weir_morris_design design = {
    .seed = 3, .factors = FACTORS, .trajectories = TRAJECTORIES, .levels = 4};

/* linear up, linear down, nothing; the last two multiply each other */
static double known(const double *x)
{
	return 3.0 + 2.0 * x[0] - 5.0 * x[1] + 0.0 * x[2] + 12.0 * x[3] * x[4];
}

START_TEST(designs_are_trajectories)
{
	size_t points = weir_morris_points(&design);
	ck_assert_uint_eq(points, TRAJECTORIES * (FACTORS + 1));
	double *unit = malloc(points * FACTORS * sizeof *unit);
	weir_error error = {0};
	ck_assert_ok(weir_morris_fill(&design, unit, &error), &error);
	size_t at_level[FACTORS][4] = {{0}};
	size_t first_changes[FACTORS] = {0};
	for (size_t t = 0; t < TRAJECTORIES; t++) {
		bool changed[FACTORS] = {false};
		const double *start = &unit[t * (FACTORS + 1) * FACTORS];
		for (size_t step = 0; step < FACTORS; step++) {
			size_t changes = 0;
			for (size_t f = 0; f < FACTORS; f++) {
				double from = start[step * FACTORS + f];
				double to = start[(step + 1) * FACTORS + f];
				if (from != to) {
					ck_assert_double_eq_tol(fabs(to - from), 2.0 / 3.0, 1e-12);
					ck_assert(!changed[f]);
					changed[f] = true;
					changes++;
					first_changes[f] += step == 0;
				}
			}
			ck_assert_uint_eq(changes, 1);
		}
		for (size_t f = 0; f < FACTORS; f++) {
			double level = start[f] * 3.0;
			ck_assert_double_eq_tol(level, round(level), 1e-12);
			ck_assert(level >= 0.0 && level < 3.5);
			at_level[f][(size_t)round(level)]++;
		}
	}
	/* Every level and every order comes up about equally often: 100 and 80 of 400, five deviations.
	 */
	for (size_t f = 0; f < FACTORS; f++) {
		for (size_t l = 0; l < 4; l++) {
			ck_assert_double_eq_tol((double)at_level[f][l], 100.0, 5 * 8.7);
		}
		ck_assert_double_eq_tol((double)first_changes[f], 80.0, 5 * 8.0);
	}
	free(unit);
}
END_TEST

/* Of a function of a point in the unit cube, over all points of the design. */
static void find_effects(double (*function)(const double *unit), weir_morris_effect *effects)
{
	size_t points = weir_morris_points(&design);
	double *unit = malloc(points * FACTORS * sizeof *unit);
	double *output = malloc(points * sizeof *output);
	weir_error error = {0};
	ck_assert_ok(weir_morris_fill(&design, unit, &error), &error);
	for (size_t i = 0; i < points; i++) {
		output[i] = function(&unit[i * FACTORS]);
	}
	weir_morris_effects(&design, unit, output, effects);
	free(output);
	free(unit);
}

START_TEST(effects_are_those_of_the_function)
{
	weir_morris_effect effects[FACTORS];
	find_effects(known, effects);
	static const double linear[] = {2.0, -5.0, 0.0};
	for (size_t f = 0; f < 3; f++) {
		ck_assert_double_eq_tol(effects[f].mu, linear[f], 1e-9);
		ck_assert_double_eq_tol(effects[f].mu_star, fabs(linear[f]), 1e-9);
		ck_assert_double_eq_tol(effects[f].sigma, 0.0, 1e-9);
	}
	/* 12 times the other one, which is 0, 1/3, 2/3 or 1: mean 6, deviation 12 sqrt(5) / 6. */
	for (size_t f = 3; f < 5; f++) {
		ck_assert_double_eq_tol(effects[f].mu_star, 6.0, 5 * 4.47 / 20.0);
		ck_assert_double_eq_tol(effects[f].sigma, 4.472, 0.5);
	}
}
END_TEST

static double turning(const double *unit)
{
	return unit[0] * (unit[1] < 0.5 ? 4.0 : -4.0);
}

/* An effect that changes its sign: of no direction, yet not of no importance. */
START_TEST(absolute_effects_do_not_cancel)
{
	weir_morris_effect effects[FACTORS];
	find_effects(turning, effects);
	ck_assert_double_eq_tol(effects[0].mu_star, 4.0, 1e-9);
	ck_assert_double_eq_tol(effects[0].mu, 0.0, 1.0);
	ck_assert_double_eq_tol(effects[0].sigma, 4.0, 0.1);
}
END_TEST

START_TEST(more_trajectories_leave_the_first)
{
	weir_morris_design small = design;
	small.trajectories = 3;
	double few[3 * (FACTORS + 1) * FACTORS];
	double *many = malloc(weir_morris_points(&design) * FACTORS * sizeof *many);
	weir_error error = {0};
	ck_assert_ok(weir_morris_fill(&small, few, &error), &error);
	ck_assert_ok(weir_morris_fill(&design, many, &error), &error);
	ck_assert_mem_eq(few, many, sizeof few);
	small.seed++;
	ck_assert_ok(weir_morris_fill(&small, few, &error), &error);
	ck_assert(memcmp(few, many, sizeof few) != 0);
	free(many);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("morris");
	TCase *tests = tcase_create("effects");
	tcase_add_test(tests, designs_are_trajectories);
	tcase_add_test(tests, effects_are_those_of_the_function);
	tcase_add_test(tests, absolute_effects_do_not_cancel);
	tcase_add_test(tests, more_trajectories_leave_the_first);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
