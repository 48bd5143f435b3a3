#include "support/sweep_support.h"

#include <stdio.h>
#include <string.h>

#include "support/test_support.h"

const char *const sweep_directories[] = {WEIR_CONFIG_DIRECTORY, NULL};

void sweep_write_base(void)
{
	test_write_file(test_path("base.json"),
	                "{\"include\": \"parity.json\", \"workload\": {\"count\": 20,"
	                " \"arrivals\": {\"kind\": \"poisson\", \"rate\": 12},"
	                " \"sizes\": {\"kind\": \"drawn\", \"prompt\": {\"kind\": \"lognormal\","
	                " \"median\": 900, \"sigma\": 0.9, \"maximum\": 8000}, \"output\": {\"kind\":"
	                " \"lognormal\", \"median\": 20, \"sigma\": 1.5, \"maximum\": 900}}}}");
}

const char *sweep_write(const char *name, const char *members)
{
	char text[8192];
	int used = snprintf(text, sizeof text, "{\"base\": \"base.json\", %s}", members);
	ck_assert_int_lt(used, (int)sizeof text);
	const char *path = test_path(name);
	sweep_write_base();
	test_write_file(path, text);
	return path;
}

weir_sweep_file *sweep_load(const char *name, const char *members)
{
	weir_error error = {0};
	weir_sweep_file *file = NULL;
	ck_assert_ok(weir_sweep_file_load(sweep_write(name, members), sweep_directories, &file, &error),
	             &error);
	return file;
}

weir_sweep_file *sweep_points(const char *name, const char *members, weir_sweep_points *points)
{
	weir_error error = {0};
	weir_sweep_file *file = sweep_load(name, members);
	ck_assert_ok(weir_sweep_points_make(file, WEIR_SWEEP_MOST_POINTS, points, &error), &error);
	const weir_pool_options pool = {.workers = 1};
	ck_assert_ok(weir_sweep_points_identify(points, &pool, &error), &error);
	return file;
}

void sweep_refuse(const char *members, const char *where, const char *message)
{
	weir_error error = {0};
	weir_sweep_file *file = NULL;
	weir_status status = weir_sweep_file_load(sweep_write("refused.json", members),
	                                          sweep_directories, &file, &error);
	ck_assert_msg(status == WEIR_ERROR_INPUT, "not refused: %s", members);
	ck_assert_ptr_null(file);
	ck_assert_msg(strstr(error.where, where) != NULL && strstr(error.message, message) != NULL,
	              "%s: %s\n  has no '%s: %s'", error.where, error.message, where, message);
}
