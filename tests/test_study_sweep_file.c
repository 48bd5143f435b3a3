/* Sweep files: what they mean, what is refused, and the seeds. */
#include "study/sweep_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/sweep_support.h"
#include "support/test_support.h"

#define RATE "\"axes\": [{\"path\": \"workload.arrivals.rate\", \"values\": [5, 6]}]"

START_TEST(defaults)
{
	weir_sweep_file *file = sweep_load("defaults.json", RATE);
	ck_assert_str_eq(file->base, test_path("base.json"));
	ck_assert_int_eq(file->design.kind, WEIR_DESIGN_GRID);
	ck_assert_int_eq(file->replications, 1);
	ck_assert_int_eq(file->keep, WEIR_KEEP_FILES);
	ck_assert(isinf(file->until));
	ck_assert(!file->independent);
	const weir_key_list *retries[] = {&file->retry.crash, &file->retry.out_of_memory,
	                                  &file->retry.timeout};
	static const double delays[] = {60, 300, 900};
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(retries[i]->count, 3);
		ck_assert_mem_eq(retries[i]->items, delays, sizeof delays);
	}
	weir_sweep_file_destroy(file);
}
END_TEST

START_TEST(axes_are_read)
{
	weir_sweep_file *file = sweep_load(
	    "axes.json",
	    "\"axes\": [{\"path\": \"a\", \"values\": [1, \"x\", [2, 3], {\"k\": null}]},"
	    " {\"path\": \"b.c\", \"range\": {\"from\": 1, \"to\": 2, \"count\": 3}},"
	    " {\"path\": \"d\", \"log_range\": {\"from\": 0.001, \"to\": 10, \"count\": 5}},"
	    " {\"zip\": [{\"path\": \"e\", \"values\": [1, 2]}, {\"path\": \"f\", \"range\": {\"from\":"
	    " 10, \"to\": 20, \"count\": 2}, \"integer\": true}], \"when\": {\"a\": [1, \"x\"],"
	    " \"b.c\": 1.5}}]");
	const weir_sweep_axis *axes = file->axes.items;
	static const size_t levels[] = {4, 3, 5, 2};
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(axes[i].levels, levels[i]);
	}
	const struct {
		size_t axis, item, level;
		const char *text;
	} cases[] = {
	    {0, 0, 0, "1"},  {0, 0, 1, "\"x\""}, {0, 0, 2, "[2,3]"}, {0, 0, 3, "{\"k\":null}"},
	    {1, 0, 0, "1"},  {1, 0, 1, "1.5"},   {1, 0, 2, "2"},     {2, 0, 0, "0.001"},
	    {2, 0, 4, "10"}, {3, 0, 1, "2"},     {3, 1, 0, "10"},    {3, 1, 1, "20"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const weir_sweep_axis *axis = &axes[cases[i].axis];
		ck_assert_str_eq(
		    weir_sweep_value_at_level(file->arena, &axis->items[cases[i].item], cases[i].level),
		    cases[i].text);
	}
	double middle = strtod(weir_sweep_value_at_level(file->arena, axes[2].items, 2), NULL);
	ck_assert_double_eq_tol(middle, 0.1, 1e-12);

	static const char *const paths[] = {"a", "b.c"};
	static const char *const both[] = {"\"x\"", "1.5"};
	static const char *const one[] = {"\"x\"", "2"};
	ck_assert(weir_sweep_axis_applies(&axes[3], paths, both, 2));
	ck_assert(!weir_sweep_axis_applies(&axes[3], paths, one, 2));
	ck_assert(!weir_sweep_axis_applies(&axes[3], paths, both, 1));
	weir_sweep_file_destroy(file);
}
END_TEST

/* Where a share of the unit interval falls. */
START_TEST(shares_become_values)
{
	weir_sweep_file *file = sweep_load(
	    "shares.json",
	    "\"design\": {\"kind\": \"random\", \"points\": 3}, \"axes\": [{\"path\": \"a\", "
	    "\"values\":"
	    " [7, 8, 9]}, {\"path\": \"b\", \"range\": {\"from\": 10, \"to\": 20}}, {\"path\": \"c\","
	    " \"log_range\": {\"from\": 1, \"to\": 100}}, {\"path\": \"d\", \"range\": {\"from\": 1,"
	    " \"to\": 3}, \"integer\": true}]");
	const weir_sweep_axis *axes = file->axes.items;
	const struct {
		size_t axis;
		double u, value;
	} cases[] = {
	    {0, 0.0, 7}, {0, 0.334, 8}, {0, 0.9999, 9}, {1, 0.0, 10},  {1, 0.25, 12.5}, {2, 0.5, 10},
	    {2, 0.0, 1}, {3, 0.0, 1},   {3, 0.333, 1},  {3, 0.334, 2}, {3, 0.667, 3},   {3, 0.9999, 3},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *text = weir_sweep_value_at(file->arena, axes[cases[i].axis].items, cases[i].u);
		ck_assert_double_eq_tol(strtod(text, NULL), cases[i].value, 1e-9);
	}
	weir_sweep_file_destroy(file);
}
END_TEST

START_TEST(mistakes_are_refused)
{
	static const struct {
		const char *members, *where, *message;
	} cases[] = {
	    {"\"replications\": 2", "axes", "missing; expected a list"},
	    {"\"axes\": []", "axes", "at least one axis"},
	    {"\"axes\": [{\"path\": \"a\"}]", "axes[0]", "one of \"values\", \"range\""},
	    {"\"axes\": [{\"path\": \"a\", \"values\": []}]", "axes[0].values", "at least one value"},
	    {"\"axes\": [{\"path\": \"a\", \"values\": [1, 2, 1]}]", "axes[0].values",
	     "1 is there twice"},
	    {"\"axes\": [{\"path\": \"a\", \"values\": 1}]", "axes[0].values",
	     "a list of values, got 1"},
	    {"\"axes\": [{\"path\": \"a\", \"vales\": [1]}]", "axes[0].vales", "did you mean 'values'"},
	    {"\"axes\": [{\"values\": [1]}]", "axes[0]", "expected \"path\""},
	    {"\"axes\": [{\"path\": \"a..b\", \"values\": [1]}]", "axes[0]", "a key path"},
	    {"\"axes\": [{\"path\": \"seed\", \"values\": [1]}]", "axes[0]", "cannot set the seed"},
	    {"\"axes\": [{\"path\": \"a\", \"values\": [1]}, {\"path\": \"a\", \"values\": [2]}]",
	     "axes[1]", "set by two axes"},
	    {"\"axes\": [{\"path\": \"a\", \"range\": {\"from\": 2, \"to\": 1, \"count\": 2}}]",
	     "axes[0].range", "from < to"},
	    {"\"axes\": [{\"path\": \"a\", \"range\": {\"from\": 1, \"to\": 2, \"count\": 1}}]",
	     "axes[0].range", "at least 2"},
	    {"\"axes\": [{\"path\": \"a\", \"log_range\": {\"from\": 0, \"to\": 2, \"count\": 3}}]",
	     "axes[0].log_range", "above 0"},
	    {"\"axes\": [{\"path\": \"a\", \"range\": {\"from\": 1, \"to\": 2}}]", "axes[0]",
	     "needs a \"count\""},
	    {"\"axes\": [{\"zip\": [{\"path\": \"a\", \"values\": [1]}, {\"path\": \"b\", \"values\": "
	     "[1, 2]}]}]",
	     "axes[0].zip", "a has 1 and b has 2"},
	    {"\"axes\": [{\"path\": \"c\", \"zip\": [{\"path\": \"a\", \"values\": [1]}]}]", "axes[0]",
	     "not both"},
	    {"\"axes\": [{\"path\": \"a\", \"values\": [1], \"when\": {\"b\": 2}}]", "axes[0]",
	     "no earlier axis sets"},
	    {RATE ", \"design\": {\"kind\": \"sobol\"}", "design.points", "missing; expected"},
	    {RATE ", \"design\": {\"kind\": \"random\", \"points\": 0}", "design.points", "0"},
	    {RATE ", \"design\": {\"kind\": \"lhs\", \"points\": 3}", "design.kind", "lhs"},
	    {RATE ", \"set\": {\"seed\": 3}", "set.seed", "cannot set the seed"},
	    {RATE ", \"retry\": {\"crash\": [-1]}", "retry.crash", "-1"},
	    {RATE ", \"keep\": \"all\"", "keep", "all"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		sweep_refuse(cases[i].members, cases[i].where, cases[i].message);
	}
}
END_TEST

START_TEST(seeds_are_of_the_replication_alone)
{
	weir_sweep_file file = {.seed = 4};
	uint64_t seed = weir_sweep_seed(&file, "a", 0);
	ck_assert_uint_eq(seed, weir_sweep_seed(&file, "b", 0));
	ck_assert_uint_ne(seed, weir_sweep_seed(&file, "a", 1));
	ck_assert_uint_lt(seed, (uint64_t)1 << 53);
	file.seed = 5;
	ck_assert_uint_ne(seed, weir_sweep_seed(&file, "a", 0));
	file = (weir_sweep_file){.seed = 4, .independent = true};
	ck_assert_uint_ne(weir_sweep_seed(&file, "a", 0), weir_sweep_seed(&file, "b", 0));
	ck_assert_uint_eq(weir_sweep_seed(&file, "a", 2), weir_sweep_seed(&file, "a", 2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_file");
	TCase *tests = tcase_create("files");
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, axes_are_read);
	tcase_add_test(tests, shares_become_values);
	tcase_add_test(tests, mistakes_are_refused);
	tcase_add_test(tests, seeds_are_of_the_replication_alone);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
