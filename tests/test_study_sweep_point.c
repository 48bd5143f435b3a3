/* Points: what a design makes of its axes, and ids that stay. */
#include "study/sweep_point.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sweep_support.h"
#include "support/test_support.h"

#define RATE     "{\"path\": \"workload.arrivals.rate\", \"values\": [5, 6]}"
#define SCHEDULE "{\"path\": \"scheduler.kind\", \"values\": [\"jsq\", \"random\", \"token_jsq\"]}"

static void expect(const weir_sweep_points *points, size_t number, const char *wanted)
{
	char text[512] = "";
	size_t used = 0;
	for (size_t i = 0; i < points->items[number].set_count; i++) {
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "",
		                         points->items[number].sets[i]);
	}
	ck_assert_str_eq(text, wanted);
}

START_TEST(a_grid_has_every_combination)
{
	weir_sweep_points points;
	weir_sweep_file *file = sweep_points("grid.json", "\"axes\": [" RATE "," SCHEDULE "]", &points);
	ck_assert_uint_eq(points.count, 6);
	ck_assert_uint_eq(points.repeated, 0);
	expect(&points, 0, "workload.arrivals.rate=5 scheduler.kind=\"jsq\"");
	expect(&points, 2, "workload.arrivals.rate=5 scheduler.kind=\"token_jsq\"");
	expect(&points, 5, "workload.arrivals.rate=6 scheduler.kind=\"token_jsq\"");
	for (size_t i = 0; i < points.count; i++) {
		ck_assert_uint_eq(strlen(points.items[i].id), WEIR_SWEEP_ID_SIZE - 1);
		for (size_t k = 0; k < i; k++) {
			ck_assert_str_ne(points.items[i].id, points.items[k].id);
		}
	}
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(file);
}
END_TEST

/* The axes in another order, one value more, another seed: what is the same config has the same id.
 */
START_TEST(ids_are_of_the_config_alone)
{
	weir_sweep_points points;
	weir_sweep_points others;
	weir_sweep_file *file = sweep_points("one.json", "\"axes\": [" RATE "," SCHEDULE "]", &points);
	weir_sweep_file *other =
	    sweep_points("other.json",
	                 "\"seed\": 9, \"replications\": 4, \"axes\": [" SCHEDULE
	                 ", {\"path\": \"workload.arrivals.rate\", \"values\": [4, 5, 6]}]",
	                 &others);
	ck_assert_uint_eq(others.count, 9);
	ck_assert_str_eq(points.items[0].id, others.items[1].id);
	ck_assert_str_eq(points.items[3].id, others.items[2].id);
	ck_assert_str_eq(points.items[5].id, others.items[8].id);
	ck_assert_str_ne(points.definition, others.definition);
	weir_sweep_points_release(&points);
	weir_sweep_points_release(&others);
	weir_sweep_file_destroy(file);
	weir_sweep_file_destroy(other);
}
END_TEST

START_TEST(conditions_leave_axes_out)
{
	weir_sweep_points points;
	weir_sweep_file *file = sweep_points(
	    "when.json",
	    "\"axes\": [" SCHEDULE ", {\"path\": \"workload.arrivals.rate\", \"values\": [5, 6], "
	    "\"when\": {\"scheduler.kind\":"
	    " [\"random\", \"jsq\"]}}, {\"zip\": [{\"path\": \"workload.count\", \"values\": [10, 30]},"
	    " {\"path\": \"slo.p50.ttft\", \"values\": [2, 3]}], \"when\": {\"workload.arrivals.rate\":"
	    " 6}}]",
	    &points);
	/* jsq and random: rate 5, and rate 6 with two counts; token_jsq: one. */
	ck_assert_uint_eq(points.count, 7);
	expect(&points, 0, "scheduler.kind=\"jsq\" workload.arrivals.rate=5");
	expect(&points, 2,
	       "scheduler.kind=\"jsq\" workload.arrivals.rate=6 workload.count=30 slo.p50.ttft=3");
	expect(&points, 6, "scheduler.kind=\"token_jsq\"");
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(file);
}
END_TEST

START_TEST(equal_points_are_one)
{
	weir_sweep_points points;
	weir_sweep_file *file = sweep_points(
	    "equal.json",
	    "\"design\": {\"kind\": \"latin_hypercube\", \"points\": 40}, \"axes\": [{\"path\":"
	    " \"workload.count\", \"range\": {\"from\": 10, \"to\": 13}, \"integer\": true}]",
	    &points);
	ck_assert_uint_eq(points.count, 4);
	ck_assert_uint_eq(points.repeated, 36);
	for (size_t i = 1; i < points.count; i++) {
		ck_assert_uint_gt(points.items[i].made, points.items[i - 1].made);
		ck_assert_str_ne(points.items[i].id, points.items[i - 1].id);
	}
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(file);
}
END_TEST

START_TEST(mistakes_name_the_point_and_the_key)
{
	weir_error error = {0};
	weir_sweep_points points;
	weir_sweep_file *file =
	    sweep_load("unknown.json", "\"axes\": [{\"path\": \"schedular.kind\", \"values\": "
	                               "[\"jsq\", \"random\"]}]");
	ck_assert_ok(weir_sweep_points_make(file, 0, &points, &error), &error);
	const weir_pool_options pool = {.workers = 2};
	ck_assert_int_eq(weir_sweep_points_identify(&points, &pool, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "unknown.json: schedular"));
	ck_assert_ptr_nonnull(strstr(error.message, "point 0 (schedular.kind=\"jsq\")"));
	ck_assert_ptr_nonnull(strstr(error.message, "did you mean 'scheduler'"));
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(file);
}
END_TEST

START_TEST(too_many_points_are_refused)
{
	weir_error error = {0};
	weir_sweep_points points;
	weir_sweep_file *file = sweep_load(
	    "many.json",
	    "\"axes\": [{\"path\": \"a\", \"range\": {\"from\": 0, \"to\": 1, \"count\": 1001}},"
	    " {\"path\": \"b\", \"range\": {\"from\": 0, \"to\": 1, \"count\": 1000}}]");
	ck_assert_int_eq(weir_sweep_points_make(file, WEIR_SWEEP_MOST_POINTS, &points, &error),
	                 WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "1001000 points, more than 1000000"));
	ck_assert_ptr_nonnull(strstr(error.message, "--yes"));
	weir_sweep_file_destroy(file);
	file = sweep_load("too.json", "\"design\": {\"kind\": \"random\", \"points\": 100000000},"
	                              " \"axes\": [" RATE "]");
	ck_assert_int_eq(weir_sweep_points_make(file, 0, &points, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "more than 50000000 points"));
	weir_sweep_file_destroy(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_point");
	TCase *tests = tcase_create("points");
	tcase_add_test(tests, a_grid_has_every_combination);
	tcase_add_test(tests, ids_are_of_the_config_alone);
	tcase_add_test(tests, conditions_leave_axes_out);
	tcase_add_test(tests, equal_points_are_one);
	tcase_add_test(tests, mistakes_name_the_point_and_the_key);
	tcase_add_test(tests, too_many_points_are_refused);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
