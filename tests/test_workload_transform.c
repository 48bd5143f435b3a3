#include "workload/transform.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test_support.h"
#include "support/workload_support.h"
#include "workload/trace_reader.h"

static const double arrivals[] = {1, 2, 4, 4, 7};
enum { ARRIVALS = 5 };

static weir_source *five(const char *name)
{
	return test_trace(name, arrivals, ARRIVALS, 100);
}

START_TEST(retiming_scales_and_shifts)
{
	weir_error error = {0};
	weir_source *source = five("retime.csv");
	ck_assert_ok(weir_source_retime(&source, 0.5, 3, &error), &error);
	test_check_arrivals(source, (const double[]){3.5, 4, 5, 5, 6.5}, ARRIVALS);
	weir_source_destroy(source);

	source = five("retime.csv");
	ck_assert_ok(weir_source_retime(&source, 1, -1.5, &error), &error);
	weir_request request;
	bool more = false;
	ck_assert_int_eq(weir_source_next(source, &request, &more, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "-0.5"));
	weir_source_destroy(source);
}
END_TEST

static void check_slice(double start, double duration, int64_t count, const double *expected,
                        size_t expected_count)
{
	weir_error error = {0};
	weir_source *source = five("slice.csv");
	ck_assert_ok(weir_source_slice(&source, start, duration, count, &error), &error);
	test_check_arrivals(source, expected, expected_count);
	ck_assert_ok(weir_source_rewind(source, &error), &error);
	test_check_arrivals(source, expected, expected_count);
	weir_source_destroy(source);
}

START_TEST(slices_keep_their_window)
{
	check_slice(2, 2, INT64_MAX, (const double[]){0}, 1);
	check_slice(2, 2.5, INT64_MAX, (const double[]){0, 2, 2}, 3);
	check_slice(3, INFINITY, INT64_MAX, (const double[]){1, 1, 4}, 3);
	check_slice(0, INFINITY, 3, (const double[]){1, 2, 4}, 3);
	check_slice(2, INFINITY, 2, (const double[]){0, 2}, 2);
	check_slice(0, INFINITY, 0, NULL, 0);
	check_slice(0, 0, INT64_MAX, NULL, 0);
	check_slice(8, INFINITY, INT64_MAX, NULL, 0);
}
END_TEST

START_TEST(a_slice_reads_nothing_behind_it)
{
	const char *path = test_path("broken.csv");
	test_write_file(path, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	                      "2023-11-16 18:15:00.0000000,1,1\n"
	                      "2023-11-16 18:15:01.0000000,2,1\n"
	                      "nonsense\n");
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &source, &error), &error);
	ck_assert_ok(weir_source_slice(&source, 0, INFINITY, 2, &error), &error);
	test_check_arrivals(source, (const double[]){0, 1}, 2);
	weir_source_destroy(source);
}
END_TEST

START_TEST(relabelling_sets_ids_and_applications)
{
	weir_error error = {0};
	weir_source *source = five("relabel.csv");
	ck_assert_ok(weir_source_relabel(&source, 3, false, &error), &error);
	weir_request request;
	for (int i = 0; i < ARRIVALS; i++) {
		ck_assert(test_draw(source, &request));
		ck_assert_int_eq(request.id, 10 + i);
		ck_assert_int_eq(request.application, 3);
	}
	ck_assert_ok(weir_source_relabel(&source, WEIR_SOURCE_KEEP_APPLICATION, true, &error), &error);
	ck_assert_ok(weir_source_rewind(source, &error), &error);
	for (int i = 0; i < ARRIVALS; i++) {
		ck_assert(test_draw(source, &request));
		ck_assert_int_eq(request.id, i);
		ck_assert_int_eq(request.application, 3);
	}
	weir_source_destroy(source);
}
END_TEST

START_TEST(repeating_adds_span_and_mean_gap)
{
	/* Span 6, mean gap 1.5. */
	weir_error error = {0};
	weir_source *source = five("repeat.csv");
	ck_assert_ok(weir_source_repeat(&source, 3, &error), &error);
	const double expected[] = {1, 2, 4, 4, 7, 8.5, 9.5, 11.5, 11.5, 14.5, 16, 17, 19, 19, 22};
	test_check_arrivals(source, expected, 15);
	ck_assert_ok(weir_source_rewind(source, &error), &error);
	test_check_arrivals(source, expected, 15);
	weir_source_destroy(source);

	source = five("repeat.csv");
	weir_source *same = source;
	ck_assert_ok(weir_source_repeat(&source, 1, &error), &error);
	ck_assert_ptr_eq(source, same);
	weir_source_destroy(source);
}
END_TEST

START_TEST(what_cannot_be_repeated_is_told)
{
	weir_error error = {0};
	weir_source *source = test_trace("one.csv", arrivals, 1, 1);
	ck_assert_ok(weir_source_repeat(&source, 2, &error), &error);
	weir_request request;
	bool more = false;
	ck_assert(test_draw(source, &request));
	ck_assert_int_eq(weir_source_next(source, &request, &more, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "one request"));
	weir_source_destroy(source);

	/* Nothing repeated is nothing. */
	source = test_trace("one.csv", arrivals, 1, 1);
	ck_assert_ok(weir_source_slice(&source, 0, INFINITY, 0, &error), &error);
	ck_assert_ok(weir_source_repeat(&source, 2, &error), &error);
	test_check_arrivals(source, NULL, 0);
	weir_source_destroy(source);

	const char *path = test_path("pipe");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	pid_t writer = fork();
	if (writer == 0) {
		test_write_file(path, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
		                      "2023-11-16 18:15:00.0000000,1,1\n");
		_exit(0);
	}
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &source, &error), &error);
	ck_assert_ok(weir_source_slice(&source, 0, INFINITY, 5, &error), &error);
	weir_source *before = source;
	ck_assert_int_eq(weir_source_repeat(&source, 2, &error), WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.message, "pipe"));
	ck_assert_ptr_eq(source, before);
	ck_assert_ok(weir_source_merge(&source, 1, &source, &error), &error);
	ck_assert_uint_eq(weir_source_state_size(source), 0);
	weir_source_destroy(source);
}
END_TEST

START_TEST(merging_orders_by_arrival_then_source)
{
	weir_error error = {0};
	weir_source *sources[] = {
	    test_trace("a.csv", (const double[]){2, 4, 4, 9}, 4, 100),
	    test_trace("b.csv", (const double[]){0, 4}, 2, 200),
	    test_trace("c.csv", (const double[]){4, 5, 11}, 3, 300),
	};
	weir_source *merged = NULL;
	ck_assert_ok(weir_source_merge(sources, 3, &merged, &error), &error);
	const int64_t expected[] = {200, 100, 101, 102, 201, 300, 301, 103, 302};
	for (int pass = 0; pass < 2; pass++) {
		weir_request request;
		double last = 0;
		for (size_t i = 0; i < 9; i++) {
			ck_assert(test_draw(merged, &request));
			ck_assert_int_eq(request.prompt_tokens, expected[i]);
			ck_assert_double_ge(request.arrival, last);
			last = request.arrival;
		}
		ck_assert(!test_draw(merged, &request));
		ck_assert_ok(weir_source_rewind(merged, &error), &error);
	}
	weir_source_destroy(merged);
}
END_TEST

START_TEST(an_error_of_an_inner_source_comes_through)
{
	const char *path = test_path("bad.csv");
	test_write_file(path, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	                      "2023-11-16 18:15:00.0000000,1,1\n"
	                      "2023-11-16 18:15:03.0000000,2,1\n"
	                      "nonsense\n");
	weir_error error = {0};
	weir_source *bad = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &bad, &error), &error);
	weir_source *sources[] = {five("good.csv"), bad};
	weir_source *source = NULL;
	ck_assert_ok(weir_source_merge(sources, 2, &source, &error), &error);
	ck_assert_ok(weir_source_slice(&source, 0, INFINITY, INT64_MAX, &error), &error);
	ck_assert_ok(weir_source_retime(&source, 2, 0, &error), &error);
	ck_assert_ok(weir_source_repeat(&source, 2, &error), &error);
	ck_assert_ok(weir_source_relabel(&source, 1, true, &error), &error);
	weir_request request;
	bool more = true;
	weir_status status = WEIR_OK;
	int count = 0;
	while (status == WEIR_OK && more) {
		status = weir_source_next(source, &request, &more, &error);
		count += status == WEIR_OK;
	}
	ck_assert_int_eq(status, WEIR_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error.where, "bad.csv:4"));
	ck_assert_int_eq(count, 4);
	weir_source_destroy(source);
}
END_TEST

/* A Mooncake trace whose rows have different numbers of hashes. */
static weir_source *hashed(const char *name, int rows, int step)
{
	const char *path = test_path(name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < rows; i++) {
		fprintf(file,
		        "{\"timestamp\": %d, \"input_length\": %d, \"output_length\": 2, \"hash_ids\": [",
		        i * step, 600 + i);
		for (int h = 0; h < i % 30; h++) {
			fprintf(file, "%s%d", h > 0 ? ", " : "", 1000 * step + 31 * i + h);
		}
		fputs("]}\n", file);
	}
	ck_assert_int_eq(fclose(file), 0);
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &source, &error), &error);
	return source;
}

START_TEST(transformations_are_saved_and_restored)
{
	/* All of them, and merges within a merge, with prefix hashes at hand. */
	weir_error error = {0};
	weir_source *inner[] = {hashed("x.jsonl", 200, 7), hashed("y.jsonl", 100, 13)};
	weir_source *merged = NULL;
	ck_assert_ok(weir_source_merge(inner, 2, &merged, &error), &error);
	ck_assert_ok(weir_source_slice(&merged, 0.1, 1.1, 250, &error), &error);
	ck_assert_ok(weir_source_repeat(&merged, 3, &error), &error);
	ck_assert_ok(weir_source_retime(&merged, 1.5, 0.25, &error), &error);
	weir_source *outer[] = {merged, five("outer.csv"), hashed("z.jsonl", 300, 5)};
	weir_source *source = NULL;
	ck_assert_ok(weir_source_merge(outer, 3, &source, &error), &error);
	ck_assert_ok(weir_source_relabel(&source, 2, true, &error), &error);
	test_check_snapshots(source);
	weir_source_destroy(source);
}
END_TEST

/* Draws all, in rising shares that end near 1; returns the share half way through. */
static double check_shares(weir_source *source, int count)
{
	weir_request request;
	double last = weir_source_share_drawn(source);
	double half = NAN;
	ck_assert_double_ge(last, 0);
	for (int i = 0; i < count; i++) {
		ck_assert(test_draw(source, &request));
		double share = weir_source_share_drawn(source);
		ck_assert(share >= last && share <= 1);
		last = share;
		half = i == count / 2 ? share : half;
	}
	ck_assert_double_ge(last, 0.95);
	weir_source_destroy(source);
	return half;
}

START_TEST(shares_drawn_go_from_nothing_to_all)
{
	static double many[2000];
	for (int i = 0; i < 2000; i++) {
		many[i] = i;
	}
	weir_error error = {0};
	weir_source *source = test_trace("many.csv", many, 2000, 1);
	ck_assert_ok(weir_source_retime(&source, 2, 0, &error), &error);
	ck_assert_ok(weir_source_relabel(&source, 1, true, &error), &error);
	ck_assert_ok(weir_source_repeat(&source, 3, &error), &error);
	ck_assert_double_eq_tol(check_shares(source, 6000), 0.5, 0.1);

	source = test_trace("many.csv", many, 2000, 1);
	ck_assert_ok(weir_source_slice(&source, 0, INFINITY, 100, &error), &error);
	ck_assert_double_eq_tol(check_shares(source, 100), 0.5, 0.1);

	weir_source *sources[] = {test_trace("many.csv", many, 2000, 1),
	                          test_trace("more.csv", many, 2000, 1)};
	ck_assert_ok(weir_source_merge(sources, 2, &source, &error), &error);
	ck_assert_double_eq_tol(check_shares(source, 4000), 0.5, 0.1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/transform");
	TCase *tests = tcase_create("transform");
	tcase_add_test(tests, retiming_scales_and_shifts);
	tcase_add_test(tests, slices_keep_their_window);
	tcase_add_test(tests, a_slice_reads_nothing_behind_it);
	tcase_add_test(tests, relabelling_sets_ids_and_applications);
	tcase_add_test(tests, repeating_adds_span_and_mean_gap);
	tcase_add_test(tests, what_cannot_be_repeated_is_told);
	tcase_add_test(tests, merging_orders_by_arrival_then_source);
	tcase_add_test(tests, an_error_of_an_inner_source_comes_through);
	tcase_add_test(tests, transformations_are_saved_and_restored);
	tcase_add_test(tests, shares_drawn_go_from_nothing_to_all);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
