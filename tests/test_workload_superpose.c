#include "workload/superpose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"
#include "support/workload_support.h"
#include "workload/trace_reader.h"

static const double arrivals[] = {1, 2, 4, 4, 7};
enum { ARRIVALS = 5, COPIES = 3 };

static weir_source *superposed(weir_source *source, int64_t copies, double jitter, uint64_t seed)
{
	weir_error error = {0};
	ck_assert_ok(weir_source_superpose(&source, copies, jitter, seed, &error), &error);
	return source;
}

/* `count` requests, one every `gap` seconds; ids from 10, prompts from 100. */
static weir_source *regular(size_t count, double gap)
{
	double *times = calloc(count, sizeof *times);
	ck_assert_ptr_nonnull(times);
	for (size_t i = 0; i < count; i++) {
		times[i] = (double)i * gap;
	}
	weir_source *source = test_trace("regular.csv", times, count, 100);
	free(times);
	return source;
}

typedef struct expected_copy {
	double arrival;
	int64_t id;
	int made;
} expected_copy;

static int compare(const void *a, const void *b)
{
	const expected_copy *x = a;
	const expected_copy *y = b;
	return x->arrival != y->arrival ? (x->arrival < y->arrival ? -1 : 1) : x->made - y->made;
}

/* The oracle: all copies made at once, and sorted. */
static void check_against_sorting(const double *times, size_t count, double jitter)
{
	size_t copies = count * COPIES;
	expected_copy *expected = calloc(copies, sizeof *expected);
	ck_assert_ptr_nonnull(expected);
	gsl_rng *random = weir_stream_create(7, "superpose", 0);
	for (size_t i = 0; i < copies; i++) {
		expected[i] = (expected_copy){times[i / COPIES] + jitter * gsl_rng_uniform(random),
		                              (int64_t)(10 + i / COPIES), (int)i};
	}
	gsl_rng_free(random);
	qsort(expected, copies, sizeof *expected, compare);
	weir_source *source =
	    superposed(test_trace("sorted.csv", times, count, 100), COPIES, jitter, 7);
	weir_request request;
	for (size_t i = 0; i < copies; i++) {
		ck_assert(test_draw(source, &request));
		ck_assert_double_eq(request.arrival, expected[i].arrival);
		ck_assert_int_eq(request.id, expected[i].id);
		ck_assert_int_eq(request.prompt_tokens, 90 + expected[i].id);
	}
	ck_assert(!test_draw(source, &request));
	ck_assert(!test_draw(source, &request));
	weir_source_destroy(source);
	free(expected);
}

START_TEST(copies_come_in_order_of_their_jittered_arrivals)
{
	static const double jitters[] = {0, 0.5, 2, 50};
	for (size_t j = 0; j < sizeof jitters / sizeof jitters[0]; j++) {
		check_against_sorting(arrivals, ARRIVALS, jitters[j]);
	}
	/* A jitter of nine steps of a double's last digit there: most copies tie with others. */
	double times[60];
	for (size_t i = 0; i < 60; i++) {
		times[i] = 1e6;
	}
	check_against_sorting(times, 60, 1e-9);
}
END_TEST

START_TEST(every_request_has_its_copies_within_the_jitter)
{
	enum { COUNT = 1250, TIMES = 8 };
	const double gap = 0.25;
	const double jitter = 30;
	int of[COUNT] = {0};
	double delays = 0;
	double most = 0;
	double least = INFINITY;
	weir_source *source = superposed(regular(COUNT, gap), TIMES, jitter, 3);
	weir_request request;
	double last = 0;
	int count = 0;
	for (; test_draw(source, &request); count++) {
		ck_assert_double_ge(request.arrival, last);
		last = request.arrival;
		int i = (int)request.id - 10;
		double delay = request.arrival - i * gap;
		ck_assert(delay >= 0 && delay < jitter);
		of[i]++;
		delays += delay;
		most = fmax(most, delay);
		least = fmin(least, delay);
	}
	for (int i = 0; i < COUNT; i++) {
		ck_assert_int_eq(of[i], TIMES);
	}
	/* Uniform: mean 15, its standard deviation 30 / sqrt(12 * 10,000) = 0.087; five of these. */
	ck_assert_int_eq(count, COUNT * TIMES);
	ck_assert(fabs(delays / count - jitter / 2) < 0.44);
	ck_assert(least < 0.05 && most > 29.95);
	weir_source_destroy(source);
}
END_TEST

/* 100 requests/s from 200 to 300 s, 10 before and after: with 8 copies the step is as long, delayed
 * by no more than the jitter. */
START_TEST(the_shape_in_time_stays)
{
	enum { BINS = 10, BIN = 50 };
	double *times = calloc(20000, sizeof *times);
	ck_assert_ptr_nonnull(times);
	size_t count = 0;
	for (double t = 0; t < 500; t += t >= 200 && t < 300 ? 0.01 : 0.1) {
		times[count++] = t;
	}
	weir_source *source = superposed(test_trace("step.csv", times, count, 1), 8, 10, 1);
	free(times);
	int bins[BINS + 1] = {0};
	weir_request request;
	while (test_draw(source, &request)) {
		bins[(int)(request.arrival / BIN)]++;
	}
	weir_source_destroy(source);
	/* Away from the edges the rates are 8 times those of the trace. */
	ck_assert(abs(bins[2] - 8 * 10 * BIN) < 100);
	ck_assert(abs(bins[5] - 8 * 100 * BIN) < 400);
	ck_assert(abs(bins[8] - 8 * 10 * BIN) < 100);
	/* In the bin of the rise, half the jitter of it is missing, in that of the fall it is added. */
	ck_assert(abs(bins[4] - 8 * (100 * 45 + 10 * 5)) < 400);
	ck_assert(abs(bins[6] - 8 * (100 * 5 + 10 * 45)) < 400);
}
END_TEST

START_TEST(seeds_differ_and_repeat)
{
	weir_request first[3][40];
	for (size_t run = 0; run < 3; run++) {
		weir_source *source = superposed(regular(5, 1), 8, 20, run == 2 ? 12 : 11);
		for (int i = 0; i < 40; i++) {
			ck_assert(test_draw(source, &first[run][i]));
		}
		weir_source_destroy(source);
	}
	int same = 0;
	for (int i = 0; i < 40; i++) {
		ck_assert_double_eq(first[0][i].arrival, first[1][i].arrival);
		ck_assert_int_eq(first[0][i].id, first[1][i].id);
		same += first[0][i].arrival == first[2][i].arrival;
	}
	ck_assert_int_eq(same, 0);
}
END_TEST

START_TEST(one_copy_without_jitter_is_the_stream_itself)
{
	weir_source *source = regular(5, 1);
	ck_assert_ptr_eq(superposed(source, 1, 0, 1), source);
	weir_source *jittered = superposed(source, 1, 0.5, 1);
	ck_assert_ptr_ne(jittered, source);
	weir_request request;
	for (int i = 0; i < 5; i++) {
		ck_assert(test_draw(jittered, &request));
		ck_assert(request.arrival > i && request.arrival < i + 0.5);
	}
	ck_assert(!test_draw(jittered, &request));
	weir_source_destroy(jittered);
}
END_TEST

START_TEST(snapshots_hold_what_waits)
{
	weir_source *source = superposed(regular(200, 0.1), 5, 4, 9);
	test_check_snapshots(source);
	weir_source_destroy(source);
	/* Copies of copies. */
	source = superposed(superposed(regular(40, 0.1), 3, 2, 9), 4, 1, 9);
	test_check_snapshots(source);
	weir_source_destroy(source);
}
END_TEST

/* Each request's hashes begin with its number. */
static weir_source *with_hashes(int count)
{
	const char *path = test_path("hashes.jsonl");
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < count; i++) {
		fprintf(file,
		        "{\"timestamp\": %d, \"input_length\": %d, \"output_length\": 1, \"hash_ids\": [",
		        100 * i, 512 * (1 + i % 7));
		for (int h = 0; h <= i % 7; h++) {
			fprintf(file, "%s%d", h > 0 ? ", " : "", i + h);
		}
		fputs("]}\n", file);
	}
	ck_assert_int_eq(fclose(file), 0);
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &source, &error), &error);
	return source;
}

START_TEST(copies_keep_their_prefix_hashes)
{
	weir_source *source = superposed(with_hashes(100), 4, 3, 2);
	weir_request request;
	int count = 0;
	for (; test_draw(source, &request); count++) {
		ck_assert_uint_eq(request.prefix_hash_count, (uint64_t)(1 + request.id % 7));
		for (size_t h = 0; h < request.prefix_hash_count; h++) {
			ck_assert_uint_eq(request.prefix_hashes[h], (uint64_t)request.id + h);
		}
	}
	ck_assert_int_eq(count, 400);
	ck_assert_ok(weir_source_rewind(source, &(weir_error){0}), &(weir_error){0});
	test_check_snapshots(source);
	weir_source_destroy(source);
}
END_TEST

START_TEST(an_error_of_the_trace_comes_through)
{
	const char *path = test_path("bad.csv");
	test_write_file(path, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	                      "2023-11-16 18:15:00.0000000,1,1\n"
	                      "2023-11-16 18:15:03.0000000,2,1\n"
	                      "nonsense\n");
	weir_error error = {0};
	weir_source *source = NULL;
	ck_assert_ok(weir_trace_open(&(weir_trace_options){.path = path}, &source, &error), &error);
	source = superposed(source, 3, 1, 1);
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
	ck_assert_int_eq(count, 3); /* the copies of the first request, which nothing can precede */
	weir_source_destroy(source);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workload/superpose");
	TCase *tests = tcase_create("superpose");
	tcase_add_test(tests, copies_come_in_order_of_their_jittered_arrivals);
	tcase_add_test(tests, every_request_has_its_copies_within_the_jitter);
	tcase_add_test(tests, the_shape_in_time_stays);
	tcase_add_test(tests, seeds_differ_and_repeat);
	tcase_add_test(tests, one_copy_without_jitter_is_the_stream_itself);
	tcase_add_test(tests, snapshots_hold_what_waits);
	tcase_add_test(tests, copies_keep_their_prefix_hashes);
	tcase_add_test(tests, an_error_of_the_trace_comes_through);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}
