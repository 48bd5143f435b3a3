/* The axis "policy": what its names stand for is the business of who hands it in. */
#include "study/sweep_policy.h"

#include <string.h>

#include "study/sweep_point.h"
#include "support/sweep_support.h"
#include "support/test_support.h"

static int opened, closed;

/* A name "COUNT" or "COUNT+IDENTITY". */
static weir_status fake_resolve(const char *name, const char *directory, weir_arena *arena,
                                weir_sweep_policy_meaning *meaning, weir_error *error)
{
	if (strcmp(name, "bad") == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "name", "nothing is called '%s'", name);
	}
	const char *plus = strchr(name, '+');
	ck_assert_str_eq(directory, test_directory());
	meaning->set = weir_arena_format(arena, "workload.count=%.2s", name);
	meaning->identity = plus != NULL ? weir_arena_string(arena, plus + 1) : NULL;
	meaning->content = &opened;
	return WEIR_OK;
}

static weir_status fake_open(const weir_sweep_policy_meaning *meaning, const weir_config *config,
                             void **handle, const weir_run_driver **driver, weir_error *error)
{
	static const weir_run_driver decides = {0};
	(void)config;
	if (meaning->identity != NULL && strcmp(meaning->identity, "unfit") == 0) {
		return weir_error_set(error, WEIR_ERROR_INPUT, "policy", "does not fit the config");
	}
	opened++;
	*handle = meaning->content;
	*driver = &decides;
	return WEIR_OK;
}

static void fake_close(void *handle)
{
	ck_assert_ptr_eq(handle, &opened);
	closed++;
}

static const weir_sweep_policies fakes = {
    .resolve = fake_resolve, .open = fake_open, .close = fake_close};

#define POLICIES(values) "\"axes\": [{\"path\": \"policy\", \"values\": [" values "]}]"

static weir_sweep_file *load_resolved(const char *name, const char *members)
{
	weir_error error = {0};
	weir_sweep_file *file = sweep_load(name, members);
	ck_assert_ok(weir_sweep_policies_resolve(file, &fakes, &error), &error);
	return file;
}

static void make(const weir_sweep_file *file, weir_sweep_points *points)
{
	weir_error error = {0};
	const weir_pool_options pool = {.workers = 1};
	ck_assert_ok(weir_sweep_points_make(file, 0, points, &error), &error);
	ck_assert_ok(weir_sweep_points_identify(points, &pool, &error), &error);
}

START_TEST(meanings_are_in_the_config_and_in_the_id)
{
	weir_error error = {0};
	weir_sweep_points points;
	weir_sweep_points plain;
	weir_sweep_file *file =
	    load_resolved("named.json", POLICIES("\"11\", \"12\", \"12+a\", \"12+b\", \"13+a\""));
	make(file, &points);
	ck_assert_uint_eq(points.count, 5);
	ck_assert_str_eq(points.items[3].sets[0], "policy=\"12+b\"");
	for (size_t i = 0; i < points.count; i++) {
		const int64_t counts[] = {11, 12, 12, 12, 13};
		weir_sweep_setup setup;
		int before = opened;
		ck_assert_ok(weir_sweep_setup_load(file, &points.items[i], 7, NULL, &setup, &error),
		             &error);
		ck_assert_int_eq(setup.config->workload.generation.count, counts[i]);
		ck_assert_uint_eq(setup.config->seed, 7);
		ck_assert_ptr_nonnull(setup.driver);
		ck_assert_int_eq(opened, before + 1);
		weir_sweep_setup_release(file, &setup);
		ck_assert_int_eq(closed, opened);
	}
	/* Without an identity, the id is that of the config. */
	weir_sweep_file *other = load_resolved(
	    "plain.json", "\"axes\": [{\"path\": \"workload.count\", \"values\": [11, 12]}]");
	make(other, &plain);
	ck_assert_str_eq(points.items[0].id, plain.items[0].id);
	ck_assert_str_eq(points.items[1].id, plain.items[1].id);
	ck_assert_ptr_null(weir_sweep_policy_of(other, &plain.items[0]));
	weir_sweep_points_release(&points);
	weir_sweep_points_release(&plain);
	weir_sweep_file_destroy(file);
	weir_sweep_file_destroy(other);
}
END_TEST

START_TEST(what_is_said_besides_goes_on_top)
{
	weir_error error = {0};
	weir_sweep_points points;
	weir_sweep_setup setup;
	weir_sweep_file *file =
	    load_resolved("on_top.json", "\"axes\": [{\"path\": \"policy\", \"values\": [\"11\"]}, "
	                                 "{\"path\": \"workload.count\", \"values\": [14], \"when\": "
	                                 "{\"policy\": [\"11\"]}}]");
	make(file, &points);
	ck_assert_uint_eq(points.items[0].set_count, 2);
	ck_assert_ok(weir_sweep_setup_load(file, &points.items[0], 1, NULL, &setup, &error), &error);
	ck_assert_int_eq(setup.config->workload.generation.count, 14);
	weir_sweep_setup_release(file, &setup);
	ck_assert_ok(
	    weir_sweep_setup_load(file, &points.items[0], 1, "workload.count=15", &setup, &error),
	    &error);
	ck_assert_int_eq(setup.config->workload.generation.count, 15);
	weir_sweep_setup_release(file, &setup);
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(file);
}
END_TEST

/* Known before the ids, so that a sweep does not go on with another agent. */
START_TEST(definitions_have_identities)
{
	weir_error error = {0};
	weir_sweep_file *file = load_resolved("definition.json", POLICIES("\"11+a\""));
	weir_sweep_points before;
	weir_sweep_points after;
	ck_assert_ok(weir_sweep_points_make(file, 0, &before, &error), &error);
	((weir_sweep_policy *)(uintptr_t)file->named_policies)[0].meaning.identity = "b";
	ck_assert_ok(weir_sweep_points_make(file, 0, &after, &error), &error);
	ck_assert_str_ne(before.definition, after.definition);
	weir_sweep_points_release(&before);
	weir_sweep_points_release(&after);
	weir_sweep_file_destroy(file);
}
END_TEST

static void refuse(const char *members, const weir_sweep_policies *policies, const char *where,
                   const char *message)
{
	weir_error error = {0};
	weir_sweep_file *file = sweep_load("refused.json", members);
	ck_assert_int_eq(weir_sweep_policies_resolve(file, policies, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strstr(error.where, where) != NULL, "%s", error.where);
	ck_assert_msg(strstr(error.message, message) != NULL, "%s", error.message);
	weir_sweep_file_destroy(file);
}

START_TEST(what_names_nothing_is_refused)
{
	refuse(POLICIES("\"11\", 12"), &fakes, "refused.json: policy", "got 12");
	refuse(POLICIES("\"11\""), NULL, "refused.json: policy", "expected the names");
	refuse(POLICIES("\"11\", \"bad\""), &fakes, "name", "nothing is called 'bad'");
	refuse("\"axes\": [{\"path\": \"policy\", \"range\": {\"from\": 1, \"to\": 2, \"count\": 2}}]",
	       &fakes, "refused.json: policy", "a range");
	sweep_refuse("\"set\": {\"policy\": \"11\"}, \"axes\": [{\"path\": \"workload.count\", "
	             "\"values\": [1]}]",
	             "set.policy", "named by an axis");
}
END_TEST

START_TEST(a_policy_that_does_not_fit_is_found_before_the_runs)
{
	weir_error error = {0};
	weir_sweep_points points;
	const weir_pool_options pool = {.workers = 1};
	weir_sweep_file *file = load_resolved("unfit.json", POLICIES("\"11\", \"11+unfit\""));
	ck_assert_ok(weir_sweep_points_make(file, 0, &points, &error), &error);
	ck_assert_int_eq(weir_sweep_points_identify(&points, &pool, &error), WEIR_ERROR_INPUT);
	ck_assert_msg(strstr(error.message, "point 1 (policy=\"11+unfit\"): does not fit") != NULL,
	              "%s", error.message);
	weir_sweep_points_release(&points);
	weir_sweep_file_destroy(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sweep_policy");
	TCase *tests = tcase_create("core");
	tcase_add_test(tests, meanings_are_in_the_config_and_in_the_id);
	tcase_add_test(tests, what_is_said_besides_goes_on_top);
	tcase_add_test(tests, definitions_have_identities);
	tcase_add_test(tests, what_names_nothing_is_refused);
	tcase_add_test(tests, a_policy_that_does_not_fit_is_found_before_the_runs);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
