#include "workload/rate_curve.h"

#include <math.h>
#include <string.h>

#include "support/test_support.h"

static weir_rate_curve *make(const weir_rate_point *points, size_t count, double period,
                             double scale)
{
	weir_error error = {0};
	weir_rate_curve *curve = NULL;
	ck_assert_ok(weir_rate_curve_create(points, count, period, scale, &curve, &error), &error);
	return curve;
}

static void check_advance(const weir_rate_curve *curve, weir_rate_position *position, double mass,
                          double time)
{
	double reached = weir_rate_curve_advance(curve, position, mass);
	ck_assert_msg(reached == time, "reached %.17g, not %.17g", reached, time);
}

START_TEST(rates_are_linear_between_points)
{
	const weir_rate_point points[] = {{10, 1}, {20, 3}, {20, 8}, {30, 0}};
	weir_rate_curve *curve = make(points, 4, 0, 2);
	ck_assert_double_eq(weir_rate_curve_rate(curve, 0), 2);
	ck_assert_double_eq(weir_rate_curve_rate(curve, 15), 4);
	ck_assert_double_eq(weir_rate_curve_rate(curve, 20), 16);
	ck_assert_double_eq(weir_rate_curve_rate(curve, 25), 8);
	ck_assert_double_eq(weir_rate_curve_rate(curve, 99), 0);
	ck_assert_double_eq(weir_rate_curve_integral(curve, 5), 10);
	ck_assert_double_eq(weir_rate_curve_integral(curve, 15), 20 + 15);
	ck_assert_double_eq(weir_rate_curve_integral(curve, 30), 20 + 40 + 80);
	ck_assert_double_eq(weir_rate_curve_integral(curve, 1000), 140);
	weir_rate_curve_destroy(curve);
}
END_TEST

START_TEST(advance_inverts_the_integral)
{
	const weir_rate_point ramp[] = {{0, 0}, {10, 2}};
	weir_rate_curve *curve = make(ramp, 2, 0, 1);
	weir_rate_position position = {0};
	check_advance(curve, &position, 2.5, 5);
	check_advance(curve, &position, 7.5, 10);
	check_advance(curve, &position, 6, 13);
	weir_rate_curve_destroy(curve);

	/* Nothing happens from 1 to 5, nor after 6. */
	const weir_rate_point pause[] = {{0, 4}, {1, 4}, {1, 0}, {5, 0}, {5, 2}, {6, 2}, {6, 0}};
	curve = make(pause, 7, 0, 1);
	position = (weir_rate_position){0};
	check_advance(curve, &position, 3, 0.75);
	check_advance(curve, &position, 2, 5.5);
	check_advance(curve, &position, 2, INFINITY);
	weir_rate_curve_destroy(curve);
}
END_TEST

START_TEST(periods_repeat_exactly)
{
	const weir_rate_point points[] = {{2, 1}, {4, 3}};
	weir_rate_curve *curve = make(points, 2, 8, 1); /* 2 + 4 + 12 = 18 to a period */
	weir_rate_position position = {0};
	check_advance(curve, &position, 1, 1);
	check_advance(curve, &position, 18, 9);
	check_advance(curve, &position, 36 + 5, 8 * 3 + 4);
	/* Many periods in, nothing has drifted. */
	for (int i = 0; i < 100000; i++) {
		weir_rate_curve_advance(curve, &position, 18 * 1000.0);
	}
	check_advance(curve, &position, 3, 8 * (3 + 1e8) + 5);
	ck_assert_double_eq(weir_rate_curve_integral(curve, 8 * 1e6 + 1), 18 * 1e6 + 1);
	ck_assert_double_eq(weir_rate_curve_rate(curve, 8 * 1e6 + 3), 2);
	weir_rate_curve_destroy(curve);
}
END_TEST

START_TEST(advance_agrees_with_the_integral_on_many_points)
{
	enum { POINTS = 5000 };
	static weir_rate_point points[POINTS];
	for (int i = 0; i < POINTS; i++) {
		double rate = fmax(0, sin(0.7 * i) + 0.4 * sin(0.013 * i) + 0.3);
		points[i] = (weir_rate_point){0.25 * i + (i % 3 == 2 ? -0.25 : 0), rate};
	}
	weir_rate_curve *curve = make(points, POINTS, 1300, 1);
	weir_rate_position position = {0};
	double mass = 0;
	double last = 0;
	for (int i = 0; i < 20000; i++) {
		double step = 0.01 * (i % 40);
		mass += step;
		double time = weir_rate_curve_advance(curve, &position, step);
		ck_assert(time >= last - 1e-9);
		ck_assert_double_eq_tol(weir_rate_curve_integral(curve, time), mass, 1e-9 * (mass + 1));
		last = time;
	}
	ck_assert_int_gt(position.cycle, 3);
	weir_rate_curve_destroy(curve);
}
END_TEST

START_TEST(wrong_curves_are_refused)
{
	static const struct {
		weir_rate_point points[3];
		size_t count;
		double period;
		const char *where;
	} cases[] = {
	    {{{0, 1}}, 0, 0, "points"},
	    {{{5, 1}, {4, 1}}, 2, 0, "points"},
	    {{{-1, 1}}, 1, 0, "points"},
	    {{{0, -1}}, 1, 0, "points"},
	    {{{0, NAN}}, 1, 0, "points"},
	    {{{INFINITY, 1}}, 1, 0, "points"},
	    {{{0, 0}, {9, 0}}, 2, 0, "points"},
	    {{{0, 0}, {9, 1}}, 2, 8, "period"},
	    {{{0, 1}}, 1, -1, "period"},
	    {{{0, 0}, {9, 0}, {9, 1}}, 3, 9, "points"},
	    {{{0, 1e308}, {1e9, 1e308}}, 2, 0, "points"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		weir_error error = {0};
		weir_rate_curve *curve = NULL;
		weir_status status = weir_rate_curve_create(cases[i].points, cases[i].count,
		                                            cases[i].period, 1, &curve, &error);
		ck_assert_msg(status == WEIR_ERROR_INPUT && strcmp(error.where, cases[i].where) == 0,
		              "case %zu: %d %s: %s", i, status, error.where, error.message);
		ck_assert_ptr_null(curve);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/rate_curve");
	TCase *tests = tcase_create("rate_curve");
	tcase_add_test(tests, rates_are_linear_between_points);
	tcase_add_test(tests, advance_inverts_the_integral);
	tcase_add_test(tests, periods_repeat_exactly);
	tcase_add_test(tests, advance_agrees_with_the_integral_on_many_points);
	tcase_add_test(tests, wrong_curves_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
